"""Figures 4.4 and 4.5: one step against the slope, many steps, and what the learning rate decides."""

from __future__ import annotations

import functools
import math
from typing import Any, ClassVar

from course_lib import style
from course_lib.explorables.base import Explorable, Field, choice, integer, number, written

#: Of the parabola L(W) = (W - BEST_SLOPE)^2 + SMALLEST_LOSS. Its curvature is 2.
BEST_SLOPE = 1.2
SMALLEST_LOSS = 0.04
CURVATURE = 2.0

LEARNING_RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2)
MAXIMUM_STEPS = 30
MAXIMUM_KEPT = 5

#: Names of the four behaviours that a loss curve can show.
SETTLED, CRAWLING, HOPPING, EXPLODED = "settled", "still on its way", "hopping", "exploded"


@functools.cache
def measurements():
    """Eight points of a line through the origin with scatter, made so that the loss is the parabola above.

    Returns
    -------
    list of (float, float)
        x with a mean square of 1, and y.

    Examples
    --------
    >>> round(sum((1.2 * x - y) ** 2 for x, y in measurements()) / 8, 6)
    0.04
    """
    places = [-7.0, -5.0, -3.0, -1.0, 1.0, 3.0, 5.0, 7.0]
    scale = math.sqrt(sum(place**2 for place in places) / len(places))
    x = [place / scale for place in places]
    raw = [1.0, -1.0, -1.5, 1.0, 1.5, -1.0, -0.5, 0.5]
    # The scatter must know nothing of x, or the best slope would be another one.
    overlap = sum(r * place for r, place in zip(raw, x, strict=True)) / len(x)
    scatter = [r - overlap * place for r, place in zip(raw, x, strict=True)]
    size = math.sqrt(SMALLEST_LOSS / (sum(s**2 for s in scatter) / len(x)))
    return [(place, BEST_SLOPE * place + size * s) for place, s in zip(x, scatter, strict=True)]


def loss(weight):
    """Mean squared error of the line y = W x on the `measurements`; equation (4.11).

    Examples
    --------
    >>> round(loss(1.2), 6), round(loss(2.2), 6)
    (0.04, 1.04)
    """
    points = measurements()
    return sum((weight * x - y) ** 2 for x, y in points) / len(points)


def slope(weight):
    """Derivative of `loss`, the mean of 2 (W x - y) x; equation (4.34).

    Examples
    --------
    >>> round(slope(0.2), 6)
    -2.0
    """
    points = measurements()
    return sum(2 * (weight * x - y) * x for x, y in points) / len(points)


def descend(weight, learning_rate, n_steps):
    """Weights of gradient descent, the starting value first; equation (4.36).

    Examples
    --------
    >>> [round(weight, 6) for weight in descend(-0.8, 0.5, 2)]
    [-0.8, 1.2, 1.2]
    """
    weights = [weight]
    for _ in range(n_steps):
        weights.append(weights[-1] - learning_rate * slope(weights[-1]))
    return weights


def verdict(weight, learning_rate):
    """Say what a run of `MAXIMUM_STEPS` steps ends as.

    Returns
    -------
    str
        One of `SETTLED`, `CRAWLING`, `HOPPING`, `EXPLODED`.

    Examples
    --------
    >>> [verdict(-0.8, rate) for rate in (0.01, 0.5, 1.0, 1.1)]
    ['still on its way', 'settled', 'hopping', 'exploded']
    """
    first, last = abs(weight - BEST_SLOPE), abs(descend(weight, learning_rate, MAXIMUM_STEPS)[-1] - BEST_SLOPE)
    if last > 1.01 * first + 1e-6:
        return EXPLODED
    if last < 0.05:
        return SETTLED
    return HOPPING if learning_rate > 1 / CURVATURE else CRAWLING


def _check_kept(value: Any):
    rule = f"must be a list of at most {MAXIMUM_KEPT} learning rates out of {list(LEARNING_RATES)}"
    if (
        not isinstance(value, list | tuple)
        or len(value) > MAXIMUM_KEPT
        or not set(map(float, value)) <= set(LEARNING_RATES)
    ):
        raise ValueError(rule)
    return [int(rate) if rate == int(rate) else float(rate) for rate in value]


class DescentSteps(Explorable):
    """A straight line is fitted by gradient descent, step by step (figures 4.4 and 4.5).

    Parameters
    ----------
    weight : float
        Slope W at which the descent starts, from -2.5 to 5.
    learning_rate : float
        Size alpha of the steps, one of `LEARNING_RATES`.
    step : int
        Steps made, 0 to 30.
    kept : list of float
        Learning rates whose loss curves stay in the picture for comparison, five at most.
    prediction : float or str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> DescentSteps(learning_rate=0.5, step=1).summary()
    'After 1 step with α = 0.5 the slope is W = 1.2 and the loss 0.04; this run settled.'
    """

    name = "descent_steps"
    title = "Downhill, step by step"
    figure = "Figures 4.4 and 4.5"
    goal = (
        "Fit a line by stepping against the slope. Find a learning rate that arrives at once, one that crawls, "
        "one that hops for ever, and one that explodes."
    )
    shared_scripts = ("kit", "plot")
    fields: ClassVar = {
        "weight": number(-1.5, -2.5, 5, "slope W at the start"),
        "learning_rate": choice(0.1, LEARNING_RATES, "size of the steps"),
        "step": integer(0, 0, MAXIMUM_STEPS, "steps made"),
        "kept": Field(
            [], "learning rates kept for comparison", _check_kept, samples=([], [0.01, 0.9], [1.0, 0.5, 1.1])
        ),
    }

    @classmethod
    def constants(cls):
        return {
            "points": measurements(),
            "best": BEST_SLOPE,
            "curvature": CURVATURE,
            "rates": LEARNING_RATES,
            "steps": MAXIMUM_STEPS,
            "mostKept": MAXIMUM_KEPT,
            "verdicts": [SETTLED, CRAWLING, HOPPING, EXPLODED],
            "sequence": style.SEQUENCE,
        }

    def weights(self):
        """Return the slopes W of all steps made so far, the starting value first."""
        state = self.state
        return descend(state["weight"], state["learning_rate"], state["step"])

    def summary(self):
        """Say where the descent stands and how its run ends."""
        state, weight = self.state, self.weights()[-1]
        plural = "step" if state["step"] == 1 else "steps"
        return (
            f"After {state['step']} {plural} with α = {written(state['learning_rate'])} the slope is "
            f"W = {written(weight)} and the loss {written(loss(weight))}; "
            f"this run {'is ' if verdict(state['weight'], state['learning_rate']) in (CRAWLING, HOPPING) else ''}"
            f"{verdict(state['weight'], state['learning_rate'])}."
        )

    def static_figure(self):
        """Return data with line, the loss with the steps on it, and loss curves."""
        from plotly.subplots import make_subplots

        state, weights, points = self.state, self.weights(), measurements()
        figure = make_subplots(cols=3, subplot_titles=("data and line", "loss", "loss curves"), horizontal_spacing=0.1)
        figure.add_scatter(
            x=[x for x, _ in points], y=[y for _, y in points], mode="markers", name="data",
            marker_color=style.PALETTE["background"], row=1, col=1,
        )  # fmt: skip
        figure.add_scatter(
            x=[-1.7, 1.7], y=[-1.7 * weights[-1], 1.7 * weights[-1]], name="line", mode="lines",
            line_color=style.PALETTE["training"], row=1, col=1,
        )  # fmt: skip
        grid = [-3 + 0.1 * index for index in range(85)]
        figure.add_scatter(
            x=grid, y=[loss(weight) for weight in grid], name="L(W)", mode="lines",
            line_color=style.PALETTE["reference"], row=1, col=2,
        )  # fmt: skip
        figure.add_scatter(
            x=weights, y=[loss(weight) for weight in weights], name="steps", mode="lines+markers",
            line_color=style.PALETTE["highlight"], row=1, col=2,
        )  # fmt: skip
        for index, rate in enumerate(dict.fromkeys([state["learning_rate"], *state["kept"]])):
            curve = [loss(weight) for weight in descend(state["weight"], rate, MAXIMUM_STEPS)]
            figure.add_scatter(
                y=curve, name=f"α = {rate}", mode="lines", line_color=style.SEQUENCE[index], row=1, col=3
            )
        figure.update_xaxes(title="x (1)", row=1, col=1).update_yaxes(title="y (1)", row=1, col=1)
        figure.update_xaxes(title="W (1)", range=[-3, 5.4], row=1, col=2)
        figure.update_yaxes(title="loss (1)", range=[0, 18], row=1, col=2)
        figure.update_xaxes(title="step", row=1, col=3)
        figure.update_yaxes(title="loss (1)", type="log", range=[-1.6, 2.5], row=1, col=3)
        figure.update_layout(
            template=style.template(),
            title={"text": self.title, "subtitle": {"text": self.summary()}},
            legend={"y": -0.25, "yanchor": "top"},
            margin={"t": 110},
            height=460,
        )
        return figure
