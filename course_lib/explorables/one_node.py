"""Figures 3.3 and 3.4b: what weight and bias do to one node, and what one node can separate."""

from __future__ import annotations

import functools
from typing import ClassVar

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, choice, flag, number, written

ACTIVATION_LABELS = {"relu": "ReLU", "sigmoid": "sigmoid", "tanh": "tanh"}
POINT_LABELS = {"slanted": "two slanted clouds", "or": "OR", "xor": "XOR"}
INPUT_LABELS = {"both": "x₁ and x₂", "x1": "x₁ alone", "x2": "x₂ alone"}

_N_POINTS = 60


def activation(kind, y):
    """Value of an activation function.

    Examples
    --------
    >>> activation("relu", -2.0), activation("sigmoid", 0.0)
    (np.float64(0.0), np.float64(0.5))
    """
    if kind == "relu":
        return np.maximum(y, 0.0)
    return 1 / (1 + np.exp(-np.asarray(y))) if kind == "sigmoid" else np.tanh(y)


def slope(kind, y):
    """Derivative of an activation function; of ReLU at zero it is taken as 0.

    Examples
    --------
    >>> slope("sigmoid", 0.0), slope("tanh", 0.0)
    (np.float64(0.25), np.float64(1.0))
    """
    value = activation(kind, y)
    if kind == "relu":
        return np.where(np.asarray(y) > 0, 1.0, 0.0)
    return value * (1 - value) if kind == "sigmoid" else 1 - value**2


@functools.cache
def labelled_points(kind):
    """Sixty points of two classes, the same in every session.

    Parameters
    ----------
    kind : {"slanted", "or", "xor"}
        Two clouds that only a slanted line separates, or the corners of a truth table, slightly smeared.

    Returns
    -------
    tuple of (x1, x2, label)
        Rounded to two decimals; label 1 is signal, 0 background.

    Examples
    --------
    >>> len(labelled_points("xor")), sum(label for _, _, label in labelled_points("or"))
    (60, 45)
    """
    generator = np.random.default_rng(35)
    if kind == "slanted":
        labels = np.arange(_N_POINTS) % 2
        along, across = (
            generator.normal(0, 1.4, _N_POINTS),
            (2 * labels - 1) * 0.62 + generator.normal(0, 0.3, _N_POINTS),
        )
        x1, x2 = (along + across) / np.sqrt(2), (along - across) / np.sqrt(2)
    else:
        corner = np.arange(_N_POINTS) % 4
        first, second = corner % 2, corner // 2
        labels = (first | second) if kind == "or" else (first ^ second)
        x1, x2 = np.stack([2 * first - 1, 2 * second - 1]) + generator.uniform(-0.45, 0.45, (2, _N_POINTS))
    return tuple(
        (round(float(a), 2), round(float(b), 2), int(label)) for a, b, label in zip(x1, x2, labels, strict=True)
    )


def best_accuracy(kind, inputs="both"):
    """Largest share of points that a straight border puts on the right side, by trying directions and thresholds.

    Parameters
    ----------
    kind : str
        As of `labelled_points`.
    inputs : {"both", "x1", "x2"}
        Which inputs the border may depend on.

    Returns
    -------
    float

    Examples
    --------
    >>> best_accuracy("xor")
    0.75
    """
    x1, x2, labels = np.array(labelled_points(kind)).T
    turns = {"both": np.linspace(0, np.pi, 181), "x1": [0.0], "x2": [np.pi / 2]}[inputs]
    best = 0.0
    for turn in turns:
        ordered = labels[np.argsort(np.cos(turn) * x1 + np.sin(turn) * x2)]
        # Signal above the threshold: background below it plus signal above it, for each threshold.
        right = np.concatenate([[labels.sum()], labels.sum() + np.cumsum(1 - 2 * ordered)]) / len(labels)
        best = max(best, right.max(), 1 - right.min())
    return float(best)


class OneNode(Explorable):
    """One node: the curve of its activation, or the border that it draws between two classes (figures 3.3, 3.4b).

    Parameters
    ----------
    view : {"curve", "classes"}
        One input and the curve of its answer, or two inputs and two classes.
    activation : {"relu", "sigmoid", "tanh"}
        Of the curve; classes are always judged by the sigmoid.
    w1, w2, bias : float
        The weights and the bias, from -8 to 8; the curve has only ``w1``.
    derivative : bool
        Whether the derivative of the activation is drawn too.
    points : {"slanted", "or", "xor"}
        The labelled points.
    inputs : {"both", "x1", "x2"}
        Which inputs the node gets; the weight of the other one is 0.
    prediction : float or str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> OneNode().summary()
    'The node sigmoid(2 x − 4) has its threshold at x = 2 and switches on to the right of it.'
    >>> OneNode(view="classes", points="xor", w1=1, w2=1, bias=1.2).summary()
    'The border 1 x₁ + 1 x₂ + 1.2 = 0 puts 75 % of the points on their right side.'
    """

    name = "one_node"
    title = "One node"
    figure = "Figures 3.3 and 3.4"
    goal = "Find out what weight and bias do to the curve, and which patterns a single node can never sort."
    shared_scripts = ("kit", "plot")
    fields: ClassVar = {
        "view": choice("curve", ["curve", "classes"], "one input, or two inputs with classes"),
        "activation": choice("sigmoid", ACTIVATION_LABELS, "activation of the curve"),
        "w1": number(2.0, -8, 8, "first weight"),
        "w2": number(0.0, -8, 8, "second weight"),
        "bias": number(-4.0, -8, 8, "bias"),
        "derivative": flag(False, "whether the derivative is drawn"),
        "points": choice("slanted", POINT_LABELS, "labelled points"),
        "inputs": choice("both", INPUT_LABELS, "inputs that the node gets"),
    }

    def reconcile(self, state):
        if state["view"] == "classes" and state["inputs"] == "x1":
            state["w2"] = 0.0
        if state["view"] == "classes" and state["inputs"] == "x2":
            state["w1"] = 0.0
        return state

    @classmethod
    def constants(cls):
        return {
            "activations": list(ACTIVATION_LABELS.items()),
            "pointKinds": list(POINT_LABELS.items()),
            "inputKinds": list(INPUT_LABELS.items()),
            "points": {kind: labelled_points(kind) for kind in POINT_LABELS},
            "best": {
                kind: {inputs: round(100 * best_accuracy(kind, inputs)) for inputs in INPUT_LABELS}
                for kind in POINT_LABELS
            },
        }

    def accuracy(self):
        """Return the share of points whose class the sign of w1 x1 + w2 x2 + b gives."""
        state = self._state
        x1, x2, labels = np.array(labelled_points(state["points"])).T
        return float(np.mean((state["w1"] * x1 + state["w2"] * x2 + state["bias"] > 0) == (labels == 1)))

    def summary(self):
        state = self._state
        w1, w2, bias = state["w1"], state["w2"], state["bias"]
        signed = f"{'−' if bias < 0 else '+'} {written(abs(bias))}"
        if state["view"] == "classes":
            second = f"{'−' if w2 < 0 else '+'} {written(abs(w2))}"
            share = written(np.floor(100 * self.accuracy() + 0.5))
            border = f"{written(w1)} x₁ {second} x₂ {signed} = 0"
            return f"The border {border} puts {share} % of the points on their right side."
        name = f"{ACTIVATION_LABELS[state['activation']]}({written(w1)} x {signed})"
        if w1 == 0:
            return f"The node {name} gives {written(float(activation(state['activation'], bias)))} for every x."
        return (
            f"The node {name} has its threshold at x = {written(-bias / w1)} and switches on to the "
            f"{'right' if w1 > 0 else 'left'} of it."
        )

    def static_figure(self):
        import plotly.graph_objects as go

        state = self._state
        figure = go.Figure()
        if state["view"] == "curve":
            x = np.linspace(-6, 6, 241)
            for number_, (kind, label) in enumerate(ACTIVATION_LABELS.items()):
                chosen = kind == state["activation"]
                y = state["w1"] * x + state["bias"]
                line = {
                    "color": style.SEQUENCE[number_],
                    "dash": ["solid", "dash", "dot"][number_],
                    "width": 4 if chosen else 1.5,
                }
                figure.add_scatter(x=x.round(2), y=activation(kind, y).round(3), name=label, mode="lines", line=line)
                if chosen and state["derivative"]:
                    line = {"color": style.PALETTE["reference"], "dash": "dashdot"}
                    figure.add_scatter(x=x.round(2), y=slope(kind, y).round(3), name="σ′(y)", mode="lines", line=line)
            figure.update_xaxes(title="x")
            figure.update_yaxes(title="σ(w x + b)", range=[-1.2, 2.5])
        else:
            ticks = np.linspace(-3, 3, 41)
            y = state["w1"] * ticks + state["w2"] * ticks[:, None] + state["bias"]
            scale = [[0, style.PALETTE["background"]], [0.5, style.PALETTE["paper"]], [1, style.PALETTE["signal"]]]
            figure.add_heatmap(
                x=ticks.round(2), y=ticks.round(2), z=activation("sigmoid", y).round(3), colorscale=scale, zmin=0,
                zmax=1, opacity=0.6, colorbar_title="z′ = σ(z)",
            )  # fmt: skip
            points = np.array(labelled_points(state["points"]))
            for label, name, symbol in ((1, "signal", "circle"), (0, "background", "x")):
                chosen = points[points[:, 2] == label]
                figure.add_scatter(
                    x=chosen[:, 0], y=chosen[:, 1], name=name, mode="markers",
                    marker={"color": style.PALETTE[name], "symbol": symbol, "size": 8},
                )  # fmt: skip
            figure.update_xaxes(title="x₁", range=[-3, 3], constrain="domain")
            figure.update_yaxes(title="x₂", range=[-3, 3], scaleanchor="x", constrain="domain")
        return figure.update_layout(title={"text": self.title, "subtitle": {"text": self.summary()}}, height=430)
