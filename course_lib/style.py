"""One visual language: colours with one meaning through the whole course, and the plotly template.

A colour never changes its meaning between chapters, and no meaning rests on colour alone: pairs also
differ in lightness and, in curves, in line style (`DASHES`).
"""

from __future__ import annotations

#: Meaning -> colour. The pairs stay distinguishable under the three common colour-vision deficiencies.
PALETTE = {
    "training": "#2563c9",
    "validation": "#e8820c",
    "test": "#1b998b",
    "signal": "#7b3fb5",
    "background": "#7f8c9b",
    "positive": "#00897b",
    "negative": "#c2185b",
    "spin_up": "#1d3557",
    "spin_down": "#f3e9d2",
    "highlight": "#f2b705",
    "reference": "#5c5f66",  # exact results, baselines, critical temperatures
    "ink": "#1f2430",
    "grid": "#e3e6eb",
    "paper": "#ffffff",
}

#: Curves of the same quantity: the data set decides the dash, so that black-and-white print still reads.
DASHES = {"training": "solid", "validation": "dash", "test": "dot", "reference": "dashdot"}

#: Order for things without a fixed meaning (optimisers, architectures, temperatures in a legend).
SEQUENCE = ["#2563c9", "#e8820c", "#1b998b", "#7b3fb5", "#c2185b", "#8a6d00", "#0b7fab", "#5c5f66"]

#: Signed quantities (weights, attributions, correlations), zero in the middle; use with symmetric limits.
DIVERGING = [
    [0.0, "#8e0f45"],
    [0.25, "#e08bb0"],
    [0.5, "#f7f7f5"],
    [0.75, "#7cc7bd"],
    [1.0, "#005f54"],
]

#: Spin configurations: -1 light, +1 dark.
SPINS = [[0.0, PALETTE["spin_down"]], [1.0, PALETTE["spin_up"]]]

#: Non-negative intensities.
INTENSITY = "Viridis"

TEMPLATE_NAME = "course"


def use():
    """Make the course's template and an offline-safe renderer the default of plotly.

    Notebooks call this once in their first cell. The renderer is left alone where something else than
    Jupyter already chose one (Colab, VS Code).

    Examples
    --------
    >>> from course_lib import style
    >>> style.use()
    >>> import plotly.io
    >>> plotly.io.templates.default
    'course'
    """
    import plotly.io

    template()
    plotly.io.templates.default = TEMPLATE_NAME
    if plotly.io.renderers.default in {"plotly_mimetype+notebook", "notebook", "browser", "plotly_mimetype", ""}:
        # The renderer "notebook" writes 4.8 MB of plotly.js into every saved file; the mime type needs 10 kB.
        plotly.io.renderers.default = "plotly_mimetype"
    # Offline is the rule: no button that uploads the figure of a student.
    plotly.io.renderers["plotly_mimetype"].config = dict(PLOTLY_CONFIG)


#: Passed to every plotly renderer of the course.
PLOTLY_CONFIG = {"displaylogo": False, "showSendToCloud": False, "responsive": True}


def template():
    """Return the plotly template of the course, registered under the name ``"course"``.

    Returns
    -------
    plotly.graph_objects.layout.Template
        White paper, outside ticks, light grid, legend above the axes, and the course's colour order.

    Examples
    --------
    >>> from course_lib import style
    >>> style.template().layout.colorway[0]
    '#2563c9'
    """
    import plotly.graph_objects as go
    import plotly.io

    if TEMPLATE_NAME in plotly.io.templates:
        return plotly.io.templates[TEMPLATE_NAME]
    axis = {
        "showline": True,
        "linecolor": PALETTE["ink"],
        "linewidth": 1,
        "ticks": "outside",
        "ticklen": 5,
        "gridcolor": PALETTE["grid"],
        "zeroline": False,
        "title": {"standoff": 8},
        "automargin": True,
    }
    layout = go.Layout(
        font={"family": "Inter, Source Sans Pro, Helvetica, Arial, sans-serif", "size": 14, "color": PALETTE["ink"]},
        paper_bgcolor=PALETTE["paper"],
        plot_bgcolor=PALETTE["paper"],
        colorway=SEQUENCE,
        colorscale={"diverging": DIVERGING, "sequential": INTENSITY},
        title={"x": 0.02, "xanchor": "left", "font": {"size": 17}},
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        margin={"l": 64, "r": 24, "t": 72, "b": 56},
        xaxis=axis,
        yaxis=axis,
        hoverlabel={"font": {"size": 13}},
        height=400,
    )
    plotly.io.templates[TEMPLATE_NAME] = go.layout.Template(layout=layout)
    return plotly.io.templates[TEMPLATE_NAME]
