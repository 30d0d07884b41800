"""The static figure that a training leaves behind."""

from __future__ import annotations

import textwrap

from course_lib import style
from course_lib.training.earlier import spread
from course_lib.training.panels import Panels
from course_lib.training.record import label, quantity

#: More points of single batches than a curve has pixels only swell the saved notebook.
MOST_BATCH_POINTS = 600
#: More of them share one entry of the legend; each tells its name under the pointer.
MOST_EARLIER_NAMES = 3
#: Findings that hold for a stretch of the curve.
SHADED = {"overfitting", "diverging", "not learning"}


def thinned(positions, values, most):
    """Keep the smallest and the largest value of each stretch, so that no spike gets lost.

    Parameters
    ----------
    positions, values : array_like, shape (n,)
        The curve, from left to right.
    most : int
        Most points kept.

    Returns
    -------
    positions, values : numpy.ndarray, shape (at most `most`,), float64
        A part of the curve in its order; all of it if it is short enough.

    Examples
    --------
    >>> positions, values = thinned(range(1000), [0.0] * 500 + [9.0] + [0.0] * 499, 10)
    >>> len(positions) <= 10, values.max()
    (True, np.float64(9.0))
    """
    import numpy as np

    positions = np.asarray(positions, dtype=float)
    values = np.asarray(values, dtype=float)
    if len(values) <= most:
        return positions, values
    keep = set()
    for stretch in np.array_split(np.arange(len(values)), max(1, most // 2)):
        # NaN compares with nothing: where a stretch has one, it is what has to be seen.
        bad = stretch[~np.isfinite(values[stretch])]
        keep |= {bad[0]} if len(bad) else {stretch[values[stretch].argmin()], stretch[values[stretch].argmax()]}
    kept = sorted(keep)
    return positions[kept], values[kept]


def curves_figure(records, *, log_scale=False, earlier=()):
    """Draw a training: one panel a quantity, training and validation paired, the best epoch marked.

    Parameters
    ----------
    records : TrainingRecord, or dict of str to TrainingRecord
        What to draw; several models by their names share the panels, a colour each.
    log_scale : bool
        Whether the values stand on a logarithmic axis.
    earlier : list of EarlierRun
        Trainings to compare with: thin lines behind.

    Returns
    -------
    plotly.graph_objects.Figure
        One trace for each curve of ``record.history``, one for the loss of single batches, and those of `earlier`.

    Examples
    --------
    >>> from course_lib.training import TrainingRecord
    >>> record = TrainingRecord(title="demonstration")
    >>> record.add_epoch(0, {"loss": 1.5, "val_loss": 1.7})
    >>> [trace.name for trace in curves_figure(record).data]
    ['training', 'validation']
    """
    records = records if isinstance(records, dict) else {"": records}
    names = list(dict.fromkeys(name for record in records.values() for name in record.quantities)) or ["loss"]
    first = next(iter(records.values()))
    panels = Panels(names, "epoch", [first.axis_label(name) for name in names], log_scale=log_scale)
    for run in earlier:
        for name in run.history:
            if quantity(name) in names:
                trace = earlier_trace(run, name)
                if len(earlier) > MOST_EARLIER_NAMES:
                    trace.update(name="earlier runs")
                panels.add(quantity(name), trace)
    for index, (model, record) in enumerate(records.items()):
        colours = {}
        if model:
            colours = dict.fromkeys(("training", "validation"), style.SEQUENCE[index % len(style.SEQUENCE)])
        for name, trace in _traces(record, model, {**style.PALETTE, **colours}):
            panels.add(name, trace)
    if "" in records:
        _mark(panels.figure, records[""])
    words = [f"{name}: {record.summary()}" if name else record.summary() for name, record in records.items()]
    title = first.title.removesuffix(f", {next(iter(records))}")
    return panels.finish(title, [line for sentence in words for line in textwrap.wrap(sentence, 110)])


def spread_figure(runs, *, title="Training", units=None, log_scale=False):
    """Draw trainings that differ in their seed: each a thin line, their mean, and one standard deviation as a band.

    Parameters
    ----------
    runs : list of EarlierRun
        The trainings.
    title : str
        Stands above the curves.
    units : dict of str to str, optional
        Unit of a quantity, for its axis.
    log_scale : bool
        Whether the values stand on a logarithmic axis.

    Returns
    -------
    plotly.graph_objects.Figure
        One panel a quantity.

    Raises
    ------
    ValueError
        If there are fewer than two runs.

    Examples
    --------
    >>> from course_lib.training import earlier_run
    >>> runs = [earlier_run(f"seed {k}", {"loss": [1.0 + k, 0.5 + k]}) for k in range(3)]
    >>> [trace.name for trace in spread_figure(runs).data][-2:]
    ['training: mean and standard deviation', 'training: mean and standard deviation']
    """
    import plotly.graph_objects as go

    if len(runs) < 2:
        raise ValueError(f"a spread needs two trainings at least, not {len(runs)}.")
    curves = list(dict.fromkeys(name for run in runs for name in run.history))
    names = sorted(dict.fromkeys(map(quantity, curves)), key=lambda name: name != "loss")
    units = units or {}
    labels = [f"{label(name)} / {units[name]}" if name in units else label(name) for name in names]
    panels = Panels(names, "epoch", labels, log_scale=log_scale)
    for name in curves:
        data_set = "validation" if name.startswith("val_") else "training"
        colour = style.PALETTE[data_set]
        for run in runs:
            trace = earlier_trace(run, name)
            trace.update(line={"color": colour}, opacity=0.3, showlegend=False)
            panels.add(quantity(name), trace)
        epochs, means, deviations = spread(runs, name)
        low = [mean - deviation for mean, deviation in zip(means, deviations, strict=True)]
        if log_scale:  # a loss is positive; a band that reaches below would have no place on the axis
            low = [max(value, 1e-3 * mean) if mean > 0 else value for value, mean in zip(low, means, strict=True)]
        high = [mean + deviation for mean, deviation in zip(means, deviations, strict=True)]
        band = go.Scatter(
            x=[*epochs, *reversed(epochs)],
            y=[*high, *reversed(low)],
            name=f"{data_set}: mean and standard deviation",
            showlegend=False,
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=_transparent(colour, 0.18),
            hoverinfo="skip",
        )
        mean = go.Scatter(
            x=epochs,
            y=means,
            name=f"{data_set}: mean and standard deviation",
            mode="lines",
            line={"color": colour, "dash": style.DASHES[data_set], "width": 2.5},
            customdata=deviations,
            hovertemplate=f"epoch %{{x}}<br>{label(name)} %{{y:.4g}} ± %{{customdata:.2g}}<extra></extra>",
        )
        panels.add(quantity(name), band)
        panels.add(quantity(name), mean)
    return panels.finish(title, textwrap.wrap(_spread_words(runs, curves), 110))


def _spread_words(runs, curves):
    name = "val_loss" if "val_loss" in curves else next(iter(curves), "loss")
    epochs, means, deviations = spread(runs, name)
    if not epochs:
        return f"{len(runs)} trainings."
    return f"{len(runs)} trainings; {label(name)} after epoch {epochs[-1]}: {means[-1]:.4g} ± {deviations[-1]:.2g}."


def _transparent(colour, share):
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {share})"


def earlier_trace(run, name):
    """Return the thin line of one curve of an `EarlierRun`."""
    import plotly.graph_objects as go

    data_set = "validation" if name.startswith("val_") else "training"
    epochs, values = thinned(*run.points(name), MOST_BATCH_POINTS)
    return go.Scatter(
        x=epochs,
        y=values,
        name=f"earlier: {run.name}",
        mode="lines",
        line={"color": style.PALETTE["reference"], "dash": style.DASHES[data_set], "width": 1.2},
        opacity=0.55,
        hovertemplate=f"{run.name}, epoch %{{x}}<br>{label(name)} %{{y:.4g}}<extra></extra>",
    )


def _traces(record, model, colours):
    """Yield quantity and trace of each curve of a record."""
    import plotly.graph_objects as go

    if record.batch_losses:
        batch_numbers, losses = thinned(record.batch_numbers, record.batch_losses, MOST_BATCH_POINTS)
        yield (
            "loss",
            go.Scatter(
                x=_epochs_at(record, batch_numbers),
                y=losses,
                name=f"{model}, each batch" if model else "each batch",
                showlegend=not model,  # thin and of its model's colour: the legend is long enough
                mode="lines",
                line={"color": colours["training"], "width": 1},
                opacity=0.35,
                hoverinfo="skip",
            ),
        )
    for name, values in record.history.items():
        data_set = "validation" if name.startswith("val_") else "training"
        colour = colours[data_set]
        mark = {"size": 6}
        if data_set == "validation":
            mark = {"size": 7, "color": style.PALETTE["paper"], "line": {"color": colour, "width": 2}}
        yield (
            quantity(name),
            go.Scatter(
                x=record.epoch_numbers[-len(values) :],
                y=values,
                name=model if model and data_set == "training" else f"{model}, {data_set}" if model else data_set,
                mode="lines+markers" if len(values) <= 60 else "lines",
                line={"color": colour, "dash": style.DASHES[data_set], "width": 2.5},
                marker=mark,
                hovertemplate=f"{model} epoch %{{x}}<br>{data_set} {label(quantity(name))} %{{y:.4g}}<extra></extra>",
            ),
        )


def _mark(figure, record):
    """Mark the best epoch and what the verdict says; only the first panel says what the marks are."""
    finding = record.verdict
    kind = None if finding is None else finding.kind
    last = record.epoch_numbers[-1] if record.epoch_numbers else 1
    if kind in SHADED:
        # A light shade, which also a black-and-white print keeps, from where it holds to the end.
        shade = {"fillcolor": style.PALETTE["highlight"], "opacity": 0.13, "line_width": 0, "layer": "below"}
        figure.add_vrect(x0=0 if kind == "not learning" else finding.epoch, x1=last, **shade)
    notes = []
    if record.best_epoch is not None and len(record.epoch_numbers) > 1:
        grey = style.PALETTE["reference"]
        figure.add_vline(x=record.best_epoch, line={"color": grey, "dash": style.DASHES["reference"], "width": 1})
        told = kind in SHADED and kind != "not learning"
        notes.append((record.best_epoch, f"best: epoch {record.best_epoch}" + (f", then {kind}" if told else ""), grey))
    if kind == "not a number":
        place = float(_epochs_at(record, _array([record.position_of(finding)]))[0])
        colour = style.PALETTE["negative"]
        figure.add_vline(x=place, line={"color": colour, "dash": style.DASHES["test"], "width": 2})
        notes.append((place, kind, colour))
    elif kind in {"not learning", "still improving"}:
        notes.append((last, kind, style.PALETTE["reference"]))
    for row, (place, text, colour) in enumerate(sorted(notes)):
        figure.add_annotation(
            x=place,
            y=1 - 0.08 * row,
            yref="y domain",
            text=text,
            showarrow=False,
            xanchor="left" if place < 0.5 * last else "right",
            yanchor="bottom",
            font={"size": 12, "color": colour},
        )


def _array(values):
    import numpy as np

    return np.asarray(values, dtype=float)


def _epochs_at(record, batch_numbers):
    """Turn batches seen into epochs, so that single batches and whole epochs share an axis."""
    import numpy as np

    # The epochs before the first one recorded (``initial_epoch``) have no batches.
    first = record.epoch_numbers[0] - 1 if record.epoch_numbers else 0
    ends = [0, *record.epoch_ends]
    numbers = [first, *record.epoch_numbers]
    if batch_numbers.size and batch_numbers[-1] > ends[-1]:
        # An epoch that did not end: its share of a whole one.
        ends.append(ends[-1] + max(record.steps or 0, batch_numbers[-1] - ends[-1]))
        numbers.append(numbers[-1] + 1)
    return np.interp(batch_numbers, ends, numbers)
