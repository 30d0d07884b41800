"""The static figure that a training leaves behind."""

from __future__ import annotations

import math
import textwrap

from course_lib import style
from course_lib.training.record import label, quantity

#: More points of single batches than a curve has pixels only swell the saved notebook.
MOST_BATCH_POINTS = 600
MOST_COLUMNS = 3
PANEL_HEIGHT = 300


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


def curves_figure(record, *, log_scale=False):
    """Draw a record: one panel a quantity, training and validation paired, the best epoch marked.

    Parameters
    ----------
    record : TrainingRecord
        What to draw.
    log_scale : bool
        Whether the values stand on a logarithmic axis.

    Returns
    -------
    plotly.graph_objects.Figure
        One trace for each curve of ``record.history``, and one for the loss of single batches.

    Examples
    --------
    >>> from course_lib.training import TrainingRecord
    >>> record = TrainingRecord(title="demonstration")
    >>> record.add_epoch(0, {"loss": 1.5, "val_loss": 1.7})
    >>> [trace.name for trace in curves_figure(record).data]
    ['training', 'validation']
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    names = record.quantities or ["loss"]
    columns = min(len(names), MOST_COLUMNS)
    rows = math.ceil(len(names) / columns)
    figure = make_subplots(
        rows=rows, cols=columns, horizontal_spacing=0.26 / columns, vertical_spacing=0.28 / rows if rows > 1 else 0
    )
    place = {name: (index // columns + 1, index % columns + 1) for index, name in enumerate(names)}
    shown = set()

    def add(name, trace):
        trace.update(legendgroup=trace.name, showlegend=trace.name not in shown)
        shown.add(trace.name)
        figure.add_trace(trace, row=place[name][0], col=place[name][1])

    if record.batch_losses:
        batch_numbers, losses = thinned(record.batch_numbers, record.batch_losses, MOST_BATCH_POINTS)
        add(
            "loss",
            go.Scatter(
                x=_epochs_at(record, batch_numbers),
                y=losses,
                name="each batch",
                mode="lines",
                line={"color": style.PALETTE["training"], "width": 1},
                opacity=0.35,
                hoverinfo="skip",
            ),
        )
    for name, values in record.history.items():
        data_set = "validation" if name.startswith("val_") else "training"
        mark = {"size": 6}
        if data_set == "validation":
            mark = {"size": 7, "color": style.PALETTE["paper"], "line": {"color": style.PALETTE[data_set], "width": 2}}
        add(
            quantity(name),
            go.Scatter(
                x=record.epoch_numbers[-len(values) :],
                y=values,
                name=data_set,
                mode="lines+markers" if len(values) <= 60 else "lines",
                line={"color": style.PALETTE[data_set], "dash": style.DASHES[data_set], "width": 2.5},
                marker=mark,
                hovertemplate=f"epoch %{{x}}<br>{data_set} {label(quantity(name))} %{{y:.4g}}<extra></extra>",
            ),
        )
    for name, (row, column) in place.items():
        figure.update_xaxes(title_text="epoch", row=row, col=column, rangemode="tozero")
        figure.update_yaxes(title_text=record.axis_label(name), row=row, col=column)
        if log_scale:
            figure.update_yaxes(type="log", row=row, col=column)
    finding = record.verdict
    shaded = finding is not None and finding.kind in {"overfitting", "diverging"}
    if shaded:
        # A light shade, which also a black-and-white print keeps, from where it holds to the end.
        shade = {"fillcolor": style.PALETTE["highlight"], "opacity": 0.13, "line_width": 0, "layer": "below"}
        figure.add_vrect(x0=finding.epoch, x1=record.epoch_numbers[-1], **shade)
    if record.best_epoch is not None and len(record.epoch_numbers) > 1:
        grey = style.PALETTE["reference"]
        figure.add_vline(x=record.best_epoch, line={"color": grey, "dash": style.DASHES["reference"], "width": 1})
        in_left_half = record.best_epoch < 0.5 * record.epoch_numbers[-1]
        # Only the first panel says what line and shade are.
        figure.add_annotation(
            x=record.best_epoch,
            y=1,
            yref="y domain",
            text=f"best: epoch {record.best_epoch}" + (f", then {finding.kind}" if shaded else ""),
            showarrow=False,
            xanchor="left" if in_left_half else "right",
            yanchor="bottom",
            font={"size": 12, "color": grey},
        )
    lines = textwrap.wrap(record.summary(), 110)
    figure.update_layout(
        template=style.template(),
        title={
            "text": f"{record.title}<br><span style='font-size:13px'>{'<br>'.join(lines)}</span>",
            "y": 1,
            "yanchor": "top",
            "yref": "container",
            "pad": {"t": 14},
        },
        height=PANEL_HEIGHT * rows + 110 + 18 * len(lines),
        margin={"t": 96 + 18 * len(lines)},
        legend={"x": 0, "y": 1, "yref": "paper", "yanchor": "bottom", "orientation": "h"},
    )
    figure.update_layout(legend={"y": 1 + 26 / (PANEL_HEIGHT * rows)})
    return figure


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
