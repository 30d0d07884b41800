"""Chapter 6: why every component must be differentiable, shown at a network with thirteen parameters."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, choice, flag, integer

#: Hidden nodes; parameters are weights a, biases c, output weights v (one a node) and the output bias d.
N_NODES = 4
N_PARAMETERS = 3 * N_NODES + 1
PARAMETER_NAMES = [*(f"{kind}{number + 1}" for kind in "acv" for number in range(N_NODES)), "d"]

#: First values: steps at different places, and small output weights of both signs.
FIRST_PARAMETERS = (2.0, 2.0, -2.0, -2.0, 1.3, -0.3, 0.5, 1.1, 0.3, -0.2, 0.25, -0.3, 0.1)

MOST_STEPS = 400
LEARNING_RATE = 0.1

#: Where the function is known, and its values: a bump in the middle of the interval.
POINTS = tuple((place - 20) / 20 for place in range(41))
TARGETS = tuple(1.0 if abs(point) < 0.42 else 0.0 for point in POINTS)

#: Name -> (label, function, derivative).
ACTIVATIONS = {
    "sigmoid": ("sigmoid", lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "relu": ("ReLU", lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "step": ("step", lambda z: (z > 0) * 1.0, lambda z: np.zeros_like(z)),
}


class Trained(NamedTuple):
    """Parameters (13,), gradient there (13,), loss before the first and after each step, prediction (41,)."""

    parameters: np.ndarray
    gradient: np.ndarray
    losses: list
    prediction: np.ndarray


def _evaluate(parameters, activation, squashed):
    a, c, v = parameters[: 3 * N_NODES].reshape(3, N_NODES)
    _, function, derivative = ACTIVATIONS[activation]
    x, target = np.array(POINTS), np.array(TARGETS)
    inner = np.outer(x, a) + c
    hidden = function(inner)
    outer = hidden @ v + parameters[-1]
    prediction = function(outer) if squashed else outer
    loss = float(((prediction - target) ** 2).mean())
    # Backwards: each line is one application of the chain rule.
    to_outer = 2 * (prediction - target) / len(x) * (derivative(outer) if squashed else 1)
    to_inner = np.outer(to_outer, v) * derivative(inner)
    gradient = np.concatenate([x @ to_inner, to_inner.sum(axis=0), to_outer @ hidden, [to_outer.sum()]])
    return prediction, loss, gradient


def train(activation, squashed, steps):
    """Train the network of thirteen parameters by plain gradient descent.

    Parameters
    ----------
    activation : {"sigmoid", "relu", "step"}
        Of the hidden nodes.
    squashed : bool
        Whether the output node has the same activation; without it, the output is linear.
    steps : int
        Steps with all 41 points and a learning rate of 0.1.

    Returns
    -------
    Trained
        The prediction is f(x) = sum_j v_j s(a_j x + c_j) + d, the loss the mean squared error.

    Examples
    --------
    >>> float(abs(train("step", False, 0).gradient[:8]).max())  # the hidden nodes hear nothing
    0.0
    >>> len(set(train("step", True, 50).losses))
    1
    """
    parameters, losses = np.array(FIRST_PARAMETERS), []
    for _ in range(steps):
        _, loss, gradient = _evaluate(parameters, activation, squashed)
        losses.append(loss)
        parameters = parameters - LEARNING_RATE * gradient
    prediction, loss, gradient = _evaluate(parameters, activation, squashed)
    return Trained(parameters, gradient, [*losses, loss], prediction)


def _short(value):
    """Write a loss or a gradient with three decimals, as the browser does."""
    return f"{np.floor(value * 1000 + 0.5) / 1000:.3f}"


class DifferentiableNodes(Explorable):
    """The same training with nodes that have a derivative and with nodes that have none.

    Parameters
    ----------
    activation : {"sigmoid", "relu", "step"}
        Of the hidden nodes.
    squashed : bool
        Whether the output node has the same activation.
    steps : int
        Steps of gradient descent, 0 to 400.
    prediction : str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> DifferentiableNodes(activation="step").summary()
    'With step nodes, 0 of 8 hidden parameters feel a gradient before the first step; the loss is 0.282.'
    """

    name = "differentiable_nodes"
    title = "What a step function does not tell"
    figure = "Chapter 6, differentiable"
    goal = "Train the same network with smooth and with hard nodes, and see which parameters hear from the loss at all."
    shared_scripts = ("kit", "plot")
    fields: ClassVar = {
        "activation": choice("sigmoid", ACTIVATIONS, "activation of the hidden nodes"),
        "squashed": flag(False, "whether the output node has the same activation"),
        "steps": integer(0, 0, MOST_STEPS, "steps of gradient descent"),
    }

    @classmethod
    def constants(cls):
        return {
            "points": POINTS,
            "targets": TARGETS,
            "first": FIRST_PARAMETERS,
            "names": PARAMETER_NAMES,
            "mostSteps": MOST_STEPS,
            "learningRate": LEARNING_RATE,
            "activations": [[name, label] for name, (label, *_) in ACTIVATIONS.items()],
        }

    def trained(self):
        """Return the network of the present state."""
        return train(self.state["activation"], self.state["squashed"], self.state["steps"])

    def summary(self):
        now, state = self.trained(), self.state
        label = ACTIVATIONS[state["activation"]][0]
        heard = int((np.abs(now.gradient[: 2 * N_NODES]) > 1e-9).sum())
        when = "before the first step" if state["steps"] == 0 else f"after {state['steps']} steps"
        return (
            f"With {label} nodes, {heard} of {2 * N_NODES} hidden parameters feel a gradient {when}; "
            f"the loss is {_short(now.losses[-1])}."
        )

    def static_figure(self):
        from plotly.subplots import make_subplots

        now = self.trained()
        figure = make_subplots(
            cols=3, subplot_titles=["function", "size of the gradient", "loss"], horizontal_spacing=0.11
        )
        figure.add_scatter(
            x=POINTS, y=TARGETS, mode="markers", marker_color=style.PALETTE["reference"], name="target", col=1, row=1
        )
        figure.add_scatter(
            x=POINTS, y=now.prediction, line_color=style.PALETTE["training"], name="network", col=1, row=1
        )
        hidden = 2 * N_NODES
        colours = [style.PALETTE["signal"]] * hidden + [style.PALETTE["test"]] * (N_PARAMETERS - hidden)
        figure.add_bar(x=PARAMETER_NAMES, y=np.abs(now.gradient), marker_color=colours, showlegend=False, col=2, row=1)
        figure.add_scatter(y=now.losses, line_color=style.PALETTE["training"], showlegend=False, col=3, row=1)
        figure.update_xaxes(title="x", col=1)
        figure.update_yaxes(title="f(x)", col=1)
        figure.update_xaxes(title="parameter", col=2)
        figure.update_yaxes(title="|∂L/∂θ|", col=2)
        figure.update_xaxes(title="step", col=3)
        figure.update_yaxes(title="mean squared error", rangemode="tozero", col=3)
        figure.update_layout(
            template=style.template(), title={"text": self.title, "subtitle": {"text": self.summary()}}, height=400
        )
        return figure
