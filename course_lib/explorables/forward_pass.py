"""Figures 3.1 and 3.2: two inputs, two hidden nodes, one output, with and without activation; OR against XOR."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, choice, integer, number, written

ACTIVATION_LABELS = {"linear": "none", "relu": "ReLU", "sigmoid": "sigmoid", "tanh": "tanh"}

ACTIVATIONS = {
    "linear": lambda y: y,
    "relu": lambda y: np.maximum(y, 0.0),
    "sigmoid": lambda y: 1 / (1 + np.exp(-y)),
    "tanh": np.tanh,
}

#: Inputs of a truth table, and what OR, AND and XOR answer to them.
CORNERS = [(0, 0), (1, 0), (0, 1), (1, 1)]
TRUTH = {"none": [], "or": [0, 1, 1, 1], "and": [0, 0, 0, 1], "xor": [0, 1, 1, 0]}

#: The nine numbers in the order of the fields.
PARAMETERS = ["w11", "w12", "b1", "w21", "w22", "b2", "c1", "c2", "d"]

#: Label, the nine numbers, activation, truth table.
PRESETS = [
    ("a plane (figure 3.1)", [1, -1, 0.5, 0.5, 1, -0.5, 1, 2, 0.3], "linear", "none"),
    ("the same plane, other numbers", [2, 0, 0.4, 1, -1, 1, 1.5, -1, 0.2], "linear", "none"),
    ("two folds (figure 3.2)", [1, -1, 0.5, 0.5, 1, -0.5, 1, 2, 0.3], "relu", "none"),
    ("a ridge", [1, 1, 1, 1, 1, -1, 1, -1, -1], "tanh", "none"),
    ("OR by hand: one node is enough", [-1, -1, 1, 0, 0, 0, -1, 0, 1], "relu", "or"),
    ("XOR by hand: two nodes", [1, 1, 0, 1, 1, -1, 1, -2, 0], "relu", "xor"),
]

#: The map shows inputs from minus this to this.
HALF_WIDTH = 2.0


class Pass(NamedTuple):
    """One forward pass: sums (..., n) of the hidden nodes, what they give on (..., n), the output (...)."""

    sums: np.ndarray
    hidden: np.ndarray
    output: np.ndarray


def forward(x, weights, biases, output_weights, output_bias, *, activation="relu"):
    """Run a network with one hidden layer and one output node forwards.

    Parameters
    ----------
    x : array_like, shape (..., n_inputs)
    weights : array_like, shape (n_hidden, n_inputs)
        Row i belongs to hidden node i.
    biases, output_weights : array_like, shape (n_hidden,)
    output_bias : float
    activation : {"linear", "relu", "sigmoid", "tanh"}
        Of the hidden nodes; the output node has none.

    Returns
    -------
    Pass
        Equation: z = sum_i c_i sigma(sum_j W_ij x_j + b_i) + d.

    Examples
    --------
    >>> forward([1, 1], [[1, 1], [1, 1]], [0, -1], [1, -2], 0).output  # XOR of 1 and 1
    np.float64(0.0)
    """
    sums = np.asarray(x, dtype=float) @ np.asarray(weights, dtype=float).T + np.asarray(biases, dtype=float)
    hidden = ACTIVATIONS[activation](sums)
    return Pass(sums, hidden, hidden @ np.asarray(output_weights, dtype=float) + output_bias)


def collapsed(weights, biases, output_weights, output_bias):
    """Weights and bias of the one affine map that two affine layers are.

    Parameters
    ----------
    weights, biases, output_weights, output_bias
        As of `forward`.

    Returns
    -------
    weights : numpy.ndarray, shape (n_inputs,)
        Equation: W'' = W' W.
    bias : float
        Equation: b'' = W' b + d.

    Examples
    --------
    >>> weights, bias = collapsed([[1, -1], [0.5, 1]], [0.5, -0.5], [1, 2], 0.25)
    >>> weights, bias
    (array([2., 1.]), -0.25)
    """
    output_weights = np.asarray(output_weights, dtype=float)
    return output_weights @ np.asarray(weights, dtype=float), float(output_weights @ np.asarray(biases) + output_bias)


class ForwardPass(Explorable):
    """A network of two inputs, two hidden nodes and one output, number by number (figures 3.1 and 3.2).

    Parameters
    ----------
    w11, w12, b1 : float
        Weights and bias of the first hidden node, from -3 to 3, as all nine numbers.
    w21, w22, b2 : float
        Of the second hidden node.
    c1, c2, d : float
        Weights and bias of the output.
    activation : {"linear", "relu", "sigmoid", "tanh"}
        Of the hidden nodes.
    x1, x2 : float
        The input whose pass is shown, from -2 to 2.
    step : int
        How many of the five stations of the pass are shown, 0 to 5.
    truth : {"none", "or", "and", "xor"}
        Logical function that the four corners are compared with; an output above 0.5 means 1.
    prediction : str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> ForwardPass().summary()
    'At x₁ = 1, x₂ = 0.5 the output is 2.3; without activation the network is one plane, 2 x₁ + x₂ − 0.2.'
    """

    name = "forward_pass"
    title = "The forward pass"
    figure = "Figures 3.1 and 3.2"
    goal = "Find out which landscapes nine numbers can make of a plane, first without activation, then with one."
    shared_scripts = ("kit", "plot")
    fields: ClassVar = {
        **{
            name: number(value, -3, 3, f"number {name} of the network")
            for name, value in zip(PARAMETERS, PRESETS[0][1], strict=True)
        },
        "activation": choice("linear", ACTIVATIONS, "activation of the hidden nodes"),
        "x1": number(1.0, -HALF_WIDTH, HALF_WIDTH, "first input"),
        "x2": number(0.5, -HALF_WIDTH, HALF_WIDTH, "second input"),
        "step": integer(5, 0, 5, "stations of the pass that are shown"),
        "truth": choice("none", TRUTH, "logical function to compare the corners with"),
    }

    @classmethod
    def constants(cls):
        presets = [
            {"label": label, "state": dict(zip(PARAMETERS, values, strict=True)) | {"activation": kind, "truth": truth}}
            for label, values, kind, truth in PRESETS
        ]
        return {"presets": presets, "activations": list(ACTIVATION_LABELS.items()), "corners": CORNERS, "truth": TRUTH}

    def _layers(self):
        w11, w12, b1, w21, w22, b2, c1, c2, d = (self._state[name] for name in PARAMETERS)
        return [[w11, w12], [w21, w22]], [b1, b2], [c1, c2], d

    def forward(self, x):
        """Return the `Pass` of inputs `x`, shape (..., 2), through the present network."""
        return forward(x, *self._layers(), activation=self._state["activation"])

    def right_corners(self):
        """Return how many of the four corners the network answers as the chosen logical function does."""
        outputs = self.forward(CORNERS).output
        return sum(
            bool(z > 0.5) == bool(answer) for z, answer in zip(outputs, TRUTH[self._state["truth"]], strict=True)
        )

    def summary(self):
        state = self._state
        z = float(self.forward([state["x1"], state["x2"]]).output)
        sentence = f"At x₁ = {written(state['x1'])}, x₂ = {written(state['x2'])} the output is {written(z)}; "
        if state["activation"] == "linear":
            sentence += f"without activation the network is one plane, {plane_text(*collapsed(*self._layers()))}"
        elif state["activation"] == "relu":
            (w1, w2), _, c, _ = self._layers()
            folds = sum(any(weights) and factor != 0 for weights, factor in zip((w1, w2), c, strict=True))
            sentence += f"with ReLU the plane is folded along {folds} line{'' if folds == 1 else 's'}"
        else:
            sentence += f"with {state['activation']} the plane bends smoothly"
        if state["truth"] != "none":
            sentence += f"; {self.right_corners()} of 4 corners agree with {state['truth'].upper()}"
        return sentence + "."

    def static_figure(self):
        import plotly.graph_objects as go

        state = self._state
        ticks = np.linspace(-HALF_WIDTH, HALF_WIDTH, 41)
        z = self.forward(np.stack(np.meshgrid(ticks, ticks), axis=-1)).output
        limit = float(np.abs(z).max()) or 1.0
        figure = go.Figure()
        figure.add_heatmap(
            x=ticks.round(2), y=ticks.round(2), z=z.round(3), colorscale=style.DIVERGING, zmin=-limit, zmax=limit,
            colorbar_title="z",
        )  # fmt: skip
        weights, biases, _, _ = self._layers()
        for row, bias in zip(weights, biases, strict=True):
            if any(row) and state["activation"] != "linear":
                # The line w x + b = 0 through its nearest point to the origin, longer than the picture.
                normal, squared = np.array(row), float(np.dot(row, row))
                along = np.array([-normal[1], normal[0]]) / np.sqrt(squared)
                ends = -bias * normal / squared + 6 * np.outer([-1, 1], along)
                figure.add_scatter(
                    x=ends[:, 0], y=ends[:, 1], mode="lines", line={"color": style.PALETTE["ink"], "dash": "dash"},
                    showlegend=False, hoverinfo="skip",
                )  # fmt: skip
        figure.add_scatter(
            x=[state["x1"]], y=[state["x2"]], mode="markers", showlegend=False,
            marker={"size": 12, "color": style.PALETTE["highlight"], "line": {"width": 1}},
        )  # fmt: skip
        reach = [-HALF_WIDTH, HALF_WIDTH]
        figure.update_xaxes(title="x₁", range=reach, constrain="domain")
        figure.update_yaxes(title="x₂", range=reach, scaleanchor="x", constrain="domain")
        return figure.update_layout(title={"text": self.title, "subtitle": {"text": self.summary()}}, height=460)


def plane_text(weights, bias):
    """Write an affine map of two inputs: ``2 x₁ + x₂ − 0.2``.

    Examples
    --------
    >>> plane_text([2, -1], 0.5), plane_text([0, 0], 0)
    ('2 x₁ − x₂ + 0.5', '0')
    """
    text = ""
    for value, name in ((weights[0], " x₁"), (weights[1], " x₂"), (bias, "")):
        size = written(abs(value))
        if size == "0":
            continue
        term = name.strip() if size == "1" and name else size + name
        sign = "−" if value < 0 else "+"
        text += f" {sign} {term}" if text else (sign + term if value < 0 else term)
    return text or "0"
