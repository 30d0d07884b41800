"""Panels side by side in one static figure, with one legend and words on top."""

from __future__ import annotations

import math

from course_lib import style

MOST_COLUMNS = 3
#: Of one panel, in pixels.
PANEL_HEIGHT = 300


class Panels:
    """A figure of panels side by side, one a quantity, with one legend.

    Parameters
    ----------
    names : list of str
        Quantities.
    x_label : str
        Words for the shared horizontal axis.
    y_labels : list of str
        Words for the vertical axes.
    log_scale : bool
        Whether the values stand on a logarithmic axis.
    """

    def __init__(self, names, x_label, y_labels, *, log_scale=False):
        from plotly.subplots import make_subplots

        columns = 2 if len(names) == 4 else min(len(names), MOST_COLUMNS)
        self._rows = math.ceil(len(names) / columns)
        self.figure = make_subplots(
            rows=self._rows,
            cols=columns,
            horizontal_spacing=0.26 / columns,
            vertical_spacing=0.28 / self._rows if self._rows > 1 else 0,
        )
        self._place = {name: (index // columns + 1, index % columns + 1) for index, name in enumerate(names)}
        self._shown = set()
        self._logarithmic = set(names) if log_scale else set()
        for (row, column), y_label in zip(self._place.values(), y_labels, strict=True):
            self.figure.update_xaxes(title_text=x_label, row=row, col=column, rangemode="tozero")
            self.figure.update_yaxes(title_text=y_label, row=row, col=column)

    def add(self, name, trace):
        """Add a trace to the panel of a quantity; the legend shows each name once, and none that the trace hides."""
        trace.update(legendgroup=trace.name, showlegend=trace.showlegend is not False and trace.name not in self._shown)
        if trace.showlegend:
            self._shown.add(trace.name)
        self.figure.add_trace(trace, row=self._place[name][0], col=self._place[name][1])

    def make_logarithmic(self, name):
        """Put the values of a quantity on a logarithmic axis."""
        self._logarithmic.add(name)

    def set_range(self, name, low, high):
        """Fix the range of a quantity."""
        self.figure.update_yaxes(range=[low, high], row=self._place[name][0], col=self._place[name][1])

    def finish(self, title, lines):
        """Return the figure with its title, a few lines of words below it, and room for both."""
        for name in self._logarithmic:
            row, column = self._place[name]
            decades = _decades(self.figure.select_traces(row=row, col=column))
            # Left alone plotly writes 0.002 as a lonely 2, or all nine digits of a decade into each other.
            step = "D2" if decades < 2.5 else math.ceil(decades / 6)
            self.figure.update_yaxes(type="log", tickformat="~g", dtick=step, row=row, col=column)
        # Entries that do not fit side by side need a second row (7 pixels a letter, a line before each name).
        rows_of_legend = math.ceil(sum(50 + 7 * len(name) for name in self._shown) / 850)
        above = 96 + 18 * len(lines) + 26 * max(0, rows_of_legend - 1)
        self.figure.update_layout(
            template=style.template(),
            title={
                "text": f"{title}<br><span style='font-size:13px'>{'<br>'.join(lines)}</span>",
                "y": 1,
                "yanchor": "top",
                "yref": "container",
                "pad": {"t": 14},
            },
            height=PANEL_HEIGHT * self._rows + 14 + above,
            margin={"t": above},
            legend={
                "x": 0,
                "y": 1 + 26 / (PANEL_HEIGHT * self._rows),
                "yref": "paper",
                "yanchor": "bottom",
                "orientation": "h",
            },
        )
        return self.figure


def _decades(traces):
    """Return how many powers of ten the positive values of traces span."""
    values = [value for trace in traces for value in trace.y if value is not None and 0 < value < math.inf]
    return math.log10(max(values) / min(values)) if values else 0.0
