"""The figure of what was seen in the layers of a network while it trained."""

from __future__ import annotations

import textwrap

from course_lib import style
from course_lib.training.panels import Panels

#: Field of a `LayerState` -> words for its axis, with what is healthy.
QUANTITIES = {
    "gradient_norm": "norm of the gradient",
    "weight_norm": "norm of the weights",
    "update_ratio": "update / weights, one batch",
    "dead_share": "dead units (share)",
}

#: A step of about a thousandth of the weights is usual; ten times more or less is worth a look.
USUAL_UPDATE_RATIO = 1e-3


def layers_figure(records):
    """Draw norms of gradients and weights, size of updates, and dead units against epochs: one curve a layer.

    Parameters
    ----------
    records : TrainingRecord, or dict of str to TrainingRecord
        Trainings in which layers were looked into.

    Returns
    -------
    plotly.graph_objects.Figure
        One panel a quantity that was seen.

    Raises
    ------
    ValueError
        If nobody looked into the layers.

    Examples
    --------
    >>> from course_lib.training import Inspection, LayerState, TrainingRecord
    >>> record = TrainingRecord()
    >>> record.inspections.append(Inspection(10, 1.0, (LayerState("dense", weight_norm=2.0),)))
    >>> [trace.name for trace in layers_figure(record).data]
    ['dense']
    """
    import plotly.graph_objects as go

    records = records if isinstance(records, dict) else {"": records}
    if not any(record.inspections for record in records.values()):
        raise ValueError(
            "nobody looked into the layers of this training: LiveTraining(inspect=(x[:256], y[:256])) does it after "
            "every epoch, the button of the view at once."
        )
    curves = {}
    for model, record in records.items():
        for inspection in record.inspections:
            for layer in inspection.layers:
                for field in QUANTITIES:
                    value = getattr(layer, field)
                    if value is not None:
                        name = f"{model}, {layer.name}" if model else layer.name
                        curves.setdefault(field, {}).setdefault(name, []).append((inspection.epoch, value))
    fields = [field for field in QUANTITIES if field in curves]
    panels = Panels(fields, "epoch", [QUANTITIES[field] for field in fields])
    colours = {}
    for field in fields:
        for name, points in curves[field].items():
            colour = colours.setdefault(name, style.SEQUENCE[len(colours) % len(style.SEQUENCE)])
            epochs, values = zip(*points, strict=True)
            trace = go.Scatter(
                x=epochs,
                y=values,
                name=name,
                mode="lines+markers",
                line={"color": colour, "width": 2},
                hovertemplate=f"{name}, epoch %{{x:.2f}}<br>{QUANTITIES[field]} %{{y:.3g}}<extra></extra>",
            )
            panels.add(field, trace)
        # Gradients and steps run over powers of ten; exactly 0 has no place on such an axis.
        positive = all(value > 0 for points in curves[field].values() for _, value in points)
        if field in {"gradient_norm", "update_ratio"} and positive:
            panels.make_logarithmic(field)
    if "dead_share" in fields:
        panels.set_range("dead_share", -0.03, 1.03)
    title = next(iter(records.values())).title.removesuffix(f", {next(iter(records))}")
    return panels.finish(f"{title}: the layers", textwrap.wrap(_words(records), 110))


def _words(records):
    """Say what stands out in the last look."""
    sentences = []
    for model, record in records.items():
        if not record.inspections:
            continue
        whose = f"{model}: " if model else ""
        layers = record.inspections[-1].layers
        dead = [layer for layer in layers if (layer.dead_share or 0) >= 0.5]
        known = [layer for layer in layers if layer.update_ratio is not None]
        large = [layer for layer in known if layer.update_ratio > 10 * USUAL_UPDATE_RATIO]
        small = [layer for layer in known if layer.update_ratio < 0.1 * USUAL_UPDATE_RATIO]
        if dead:
            sentences.append(f"{whose}more than half of the units of {_names(dead)} are dead on the probe.")
        if large:
            sentences.append(f"{whose}large steps in {_names(large)}: a hundredth of the weights a batch or more.")
        if small:
            sentences.append(
                f"{whose}small steps in {_names(small)}: less than a ten-thousandth of the weights a batch."
            )
    text = " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences)
    return text or "Nothing stands out: steps of about a thousandth of the weights are usual."


def _names(layers):
    return ", ".join(layer.name for layer in layers)
