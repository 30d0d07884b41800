"""Figures 4.3 and 4.6: paths of five step strategies down to the minimum of a loss with two parameters."""

from __future__ import annotations

import functools
import math
from typing import ClassVar, NamedTuple

from course_lib import style
from course_lib.explorables.base import Explorable, choice, flag, integer, number, numbers, written

#: Name -> what it is called on the screen. All follow equations (4.36) to (4.51).
OPTIMISERS = {
    "sgd": "SGD",
    "momentum": "momentum",
    "adagrad": "Adagrad",
    "rmsprop": "RMSprop",
    "adam": "Adam",
}
LEARNING_RATES = (0.001, 0.003, 0.01, 0.02, 0.04, 0.06, 0.07, 0.08, 0.09, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5)
BATCH_SIZES = (1, 4, 16, 64)
MAXIMUM_STEPS = 150
N_POINTS = 64

#: Keeps the division possible where a gradient is zero.
EPSILON = 1e-8

#: A path that is farther away than this has left the picture for good and is cut.
FAR = 1e6


class Landscape(NamedTuple):
    """A quadratic loss.

    Attributes
    ----------
    label : str
    axes : tuple of str
        Names of the two parameters.
    minimum : tuple of float
        Where the loss is smallest.
    curvature : tuple of tuple of float
        Matrix of second derivatives, 2 x 2.
    lowest : float
        Loss at the minimum.
    box : tuple of float
        What the picture shows: x from, x to, y from, y to.
    """

    label: str
    axes: tuple[str, str]
    minimum: tuple[float, float]
    curvature: tuple[tuple[float, float], tuple[float, float]]
    lowest: float
    box: tuple[float, float, float, float]


def random_numbers(seed, count):
    """Uniform random numbers from 0 to 1, the same as in the browser (generator of Park and Miller).

    Parameters
    ----------
    seed, count : int

    Returns
    -------
    list of float

    Examples
    --------
    >>> [round(value, 3) for value in random_numbers(0, 3)]
    [0.826, 0.183, 0.589]
    """
    state = (seed + 1) * 1000003 % 2147483647
    drawn = []
    for _ in range(count):
        state = state * 16807 % 2147483647
        drawn.append(state / 2147483647)
    return drawn


@functools.cache
def line_points():
    """The 64 points (x, y) that the landscape ``"line"`` fits: y = 0.8 x + 0.5 with scatter, x from 0 to 2."""
    drawn = random_numbers(11, N_POINTS)
    # Rounded: the browser gets these numbers in every view.
    return [
        (round(2 * (index + 0.5) / N_POINTS, 6), round(0.5 + 1.6 * (index + 0.5) / N_POINTS + 1.2 * (value - 0.5), 6))
        for index, value in enumerate(drawn)
    ]


@functools.cache
def landscapes():
    """Return the losses, name -> `Landscape`.

    The loss of the line fit is the mean squared error (4.11); its second derivatives are means over the data.

    Examples
    --------
    >>> landscapes()["valley"].curvature
    ((1.0, 0.0), (0.0, 25.0))
    """
    points = line_points()
    x1, x2, y1, xy, y2 = (
        sum(value(x, y) for x, y in points) / N_POINTS
        for value in (
            lambda x, y: x,
            lambda x, y: x * x,
            lambda x, y: y,
            lambda x, y: x * y,
            lambda x, y: y * y,
        )
    )
    weight = (xy - x1 * y1) / (x2 - x1 * x1)
    bias = y1 - weight * x1
    lowest = y2 - weight * xy - bias * y1
    line = Landscape(
        "fit of a line, L(W, b)",
        ("W", "b"),
        (weight, bias),
        ((2 * x2, 2 * x1), (2 * x1, 2.0)),
        lowest,
        (-1.5, 3.5, -2.0, 3.0),
    )
    valley = Landscape(
        "narrow valley ½(x² + 25y²)", ("x", "y"), (0.0, 0.0), ((1.0, 0.0), (0.0, 25.0)), 0.0, (-5.0, 3.0, -1.6, 1.6)
    )
    return {"valley": valley, "line": line}


def loss(landscape, point):
    """Loss at a point, from the quadratic form.

    Examples
    --------
    >>> loss("valley", [1, 1])
    13.0
    """
    form = landscapes()[landscape]
    u, v = point[0] - form.minimum[0], point[1] - form.minimum[1]
    (a, b), (_, d) = form.curvature
    return form.lowest + 0.5 * (a * u * u + 2 * b * u * v + d * v * v)


def gradient(landscape, point, indices=None):
    """Slope of the loss; with `indices`, of the mean over these points of the line fit only (4.34).

    Examples
    --------
    >>> gradient("valley", [1, 1])
    [1.0, 25.0]
    """
    if indices is None:
        form = landscapes()[landscape]
        u, v = point[0] - form.minimum[0], point[1] - form.minimum[1]
        (a, b), (_, d) = form.curvature
        return [a * u + b * v, b * u + d * v]
    points = line_points()
    along_weight = along_bias = 0.0
    for index in indices:
        x, y = points[index]
        residual = point[0] * x + point[1] - y
        along_weight += 2 * residual * x
        along_bias += 2 * residual
    return [along_weight / len(indices), along_bias / len(indices)]


class Path(NamedTuple):
    """What an optimiser did.

    Attributes
    ----------
    points : list of [float, float]
        The start and one more for each step.
    gradients : list of [float, float]
        The slope that each step was made of.
    memories : list of [float, float]
        The part of each step that comes from earlier ones (momentum and Adam), else zero.
    """

    points: list
    gradients: list
    memories: list


def descend(landscape, optimiser, learning_rate, beta, batch_size, start, n_steps, *, seed=0):
    """Follow one of five step strategies.

    Parameters
    ----------
    landscape : {"valley", "line"}
    optimiser : {"sgd", "momentum", "adagrad", "rmsprop", "adam"}
        Equations (4.36), (4.46), (4.40), (4.42), (4.50).
    learning_rate, beta : float
        ``beta`` is the memory of momentum, of RMSprop, and of the first mean of Adam; Adam's second mean has 0.999.
    batch_size : int
        Points of the line fit for each step, drawn anew; all 64 give the whole gradient. The valley has no data.
    start : list of float
        The two parameters at the beginning.
    n_steps : int
    seed : int
        Of the minibatches.

    Returns
    -------
    Path
        It ends early where it is farther than `FAR` from zero.

    Examples
    --------
    >>> path = descend("valley", "sgd", 0.04, 0.9, 64, [1.0, 1.0], 1)
    >>> [round(value, 6) for value in path.points[-1]]  # 1/25 = 0.04 jumps to the floor of the valley
    [0.96, 0.0]
    """
    use_batches = landscape == "line" and batch_size < N_POINTS
    drawn = random_numbers(seed, n_steps * batch_size) if use_batches else []
    points, gradients, memories = [list(start)], [], []
    first, second = [0.0, 0.0], [0.0, 0.0]
    for step in range(1, n_steps + 1):
        indices = None
        if use_batches:
            indices = [int(value * N_POINTS) for value in drawn[(step - 1) * batch_size : step * batch_size]]
        slope = gradient(landscape, points[-1], indices)
        new, memory = [0.0, 0.0], [0.0, 0.0]
        for axis, g in enumerate(slope):
            if optimiser == "sgd":
                move = -learning_rate * g
            elif optimiser == "momentum":
                memory[axis] = beta * first[axis]
                move = first[axis] = memory[axis] + (1 - beta) * -learning_rate * g
            elif optimiser == "adagrad":
                second[axis] += g * g
                move = -learning_rate * g / (math.sqrt(second[axis]) + EPSILON)
            elif optimiser == "rmsprop":
                second[axis] = beta * second[axis] + (1 - beta) * g * g
                move = -learning_rate * g / (math.sqrt(second[axis]) + EPSILON)
            else:
                # The running means stay raw; copies of them are corrected for the start at zero.
                old = first[axis]
                first[axis] = beta * old + (1 - beta) * g
                second[axis] = 0.999 * second[axis] + 0.001 * g * g
                size = math.sqrt(second[axis] / (1 - 0.999**step)) + EPSILON
                move = -learning_rate * first[axis] / (1 - beta**step) / size
                memory[axis] = -learning_rate * beta * old / (1 - beta**step) / size
            new[axis] = points[-1][axis] + move
        points.append(new)
        gradients.append(slope)
        memories.append(memory)
        if max(abs(new[0]), abs(new[1])) > FAR:
            break
    return Path(points, gradients, memories)


class OptimiserPaths(Explorable):
    """Paths over the contour map of a loss with two parameters (figures 4.3 and 4.6).

    Parameters
    ----------
    landscape : {"valley", "line"}
        A narrow valley, 25 times steeper along y than along x, or the mean squared error of a line fit.
    optimiser : {"sgd", "momentum", "adagrad", "rmsprop", "adam"}
    learning_rate : float
        One of `LEARNING_RATES`.
    beta : float
        Memory of momentum, RMSprop and Adam, 0 to 0.99.
    batch_size : int
        1, 4, 16 or 64 of the 64 points for each step of the line fit.
    start : list of float
        Where the path begins.
    step : int
        Steps shown, 0 to 150.
    compare : bool
        Whether the other four strategies are drawn too.
    seed : int
        Of the minibatches.
    prediction : float or str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> OptimiserPaths(learning_rate=0.09, step=60).summary()
    'SGD with α = 0.09 has left the picture after 60 steps.'
    """

    name = "optimiser_paths"
    title = "Five ways down a valley"
    figure = "Figures 4.3 and 4.6"
    goal = (
        "Click a start and compare the paths. Which learning rate makes plain descent explode, what does memory "
        "cure, and what do small batches do?"
    )
    shared_scripts = ("kit", "plot")
    fields: ClassVar = {
        "landscape": choice("valley", ["valley", "line"], "the loss"),
        "optimiser": choice("sgd", OPTIMISERS, "step strategy"),
        "learning_rate": choice(0.07, LEARNING_RATES, "size of the steps"),
        "beta": number(0.9, 0, 0.99, "memory of earlier steps"),
        "batch_size": choice(64, BATCH_SIZES, "points of the line fit for each step"),
        "start": numbers([-4.2, 1.2], "start of the path", shape=(2,), low=-10, high=10),
        "step": integer(40, 0, MAXIMUM_STEPS, "steps shown"),
        "compare": flag(False, "draw the other strategies too"),
        "seed": integer(0, 0, 99, "seed of the minibatches"),
    }

    @classmethod
    def constants(cls):
        return {
            "landscapes": {key: form._asdict() for key, form in landscapes().items()},
            "points": line_points(),
            "optimisers": list(OPTIMISERS.items()),
            "rates": LEARNING_RATES,
            "batchSizes": BATCH_SIZES,
            "steps": MAXIMUM_STEPS,
            "far": FAR,
            "sequence": style.SEQUENCE,
        }

    def path(self, optimiser=None):
        """Return the `Path` of the present state, or of another optimiser from the same start."""
        state = self.state
        return descend(
            state["landscape"],
            optimiser or state["optimiser"],
            state["learning_rate"],
            state["beta"],
            state["batch_size"],
            state["start"],
            state["step"],
            seed=state["seed"],
        )

    def summary(self):
        """Say where the path ends."""
        state, points = self.state, self.path().points
        form = landscapes()[state["landscape"]]
        rate = repr(state["learning_rate"]).removesuffix(".0")
        head = f"{OPTIMISERS[state['optimiser']]} with α = {rate}"
        x, y = points[-1]
        left, right, low, high = form.box
        plural = "step" if state["step"] == 1 else "steps"
        if not (2 * left < x < 2 * right and 2 * low < y < 2 * high):
            return f"{head} has left the picture after {state['step']} {plural}."
        return (
            f"{head} is at {form.axes[0]} = {written(x)}, {form.axes[1]} = {written(y)} after {state['step']} "
            f"{plural}, with a loss of {written(loss(state['landscape'], points[-1]))}."
        )

    def static_figure(self):
        """Return the contour map with the path, and the loss along it."""
        import numpy as np
        from plotly.subplots import make_subplots

        state = self.state
        form = landscapes()[state["landscape"]]
        left, right, low, high = form.box
        x, y = np.linspace(left, right, 33), np.linspace(low, high, 33)
        height = loss(state["landscape"], np.meshgrid(x, y))
        figure = make_subplots(cols=2, subplot_titles=("path", "loss"), horizontal_spacing=0.14)
        figure.add_contour(
            x=x.astype("float32"),
            y=y.astype("float32"),
            z=np.log10(height + 0.05).astype("float32"),
            colorscale=style.INTENSITY,
            showscale=False,
            contours_coloring="lines",
            row=1,
            col=1,
        )
        others = [name for name in OPTIMISERS if name != state["optimiser"]] if state["compare"] else []
        for name in [state["optimiser"], *others]:
            colour = style.SEQUENCE[list(OPTIMISERS).index(name)]
            points = np.array(self.path(name).points)
            figure.add_scatter(
                x=points[:, 0].astype("float32"), y=points[:, 1].astype("float32"), name=OPTIMISERS[name],
                mode="lines+markers", marker_size=4, line_color=colour, row=1, col=1,
            )  # fmt: skip
            figure.add_scatter(
                y=loss(state["landscape"], points.T).astype("float32"), name=OPTIMISERS[name], mode="lines",
                line_color=colour, showlegend=False, row=1, col=2,
            )  # fmt: skip
        figure.update_xaxes(title=f"{form.axes[0]} (1)", range=[left, right], row=1, col=1)
        figure.update_yaxes(title=f"{form.axes[1]} (1)", range=[low, high], row=1, col=1)
        figure.update_xaxes(title="step", row=1, col=2)
        figure.update_yaxes(title="loss (1)", type="log", row=1, col=2)
        figure.update_layout(
            template=style.template(),
            title={"text": self.title, "subtitle": {"text": self.summary()}},
            legend={"y": -0.2, "yanchor": "top"},
            margin={"t": 110},
            height=470,
        )
        return figure
