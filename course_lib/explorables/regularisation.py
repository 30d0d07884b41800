"""Figures 5.5 and 5.6: what a penalty on the weights does to the minimum, and what dropout does to the output."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, choice, flag, integer, number, written

#: Where the loss without penalty has its minimum.
FREE_MINIMUM = (1.0, 0.8)

#: Rounds of coordinate descent: the minimum is then known to far better than a pixel.
_ROUNDS = 400

#: Outputs of the eight hidden nodes, and their weights to the output node.
ACTIVATIONS = (0.9, 0.4, 1.2, 0.7, 0.3, 1.0, 0.6, 0.8)
OUTPUT_WEIGHTS = (0.8, -0.6, 0.5, 0.9, 1.1, -0.7, 0.4, 0.6)
N_MASKS = 2 ** len(ACTIVATIONS)


def curvatures(elongation, tilt_deg):
    """Second derivatives of the quadratic loss.

    Parameters
    ----------
    elongation : float
        Ratio of the axes of its ellipses; the steep direction has curvature 1.
    tilt_deg : float
        Angle of the long axis against the first weight, in degrees.

    Returns
    -------
    numpy.ndarray, shape (2, 2)

    Examples
    --------
    >>> np.diag(curvatures(2.0, 90.0)).round(3).tolist()
    [1.0, 0.25]
    """
    angle = math.radians(tilt_deg)
    along = np.array([math.cos(angle), math.sin(angle)])
    return np.eye(2) - (1 - elongation**-2) * np.outer(along, along)


def soft_threshold(value, threshold):
    """Shrink towards zero by `threshold`, and stop at zero.

    Examples
    --------
    >>> soft_threshold(-3.0, 1.0), soft_threshold(0.5, 1.0)
    (-2.0, 0.0)
    """
    return math.copysign(max(abs(value) - threshold, 0.0), value) if abs(value) > threshold else 0.0


def penalised_minimum(penalty, strength, elongation, tilt_deg):
    r"""Minimum of a quadratic loss plus a penalty on its two weights, eqs. (5.6) and (5.7).

    .. math:: L = \tfrac12 (w-w_0)^T H (w-w_0) + \lambda\sum|w_i| \quad\text{or}\quad +\lambda\sum w_i^2

    Parameters
    ----------
    penalty : {"l1", "l2"}
    strength : float
        :math:`\lambda`.
    elongation, tilt_deg : float
        See `curvatures`.

    Returns
    -------
    tuple of float
        The two weights; with L1 exactly zero where the penalty holds them there.

    Examples
    --------
    >>> penalised_minimum("l2", 0.5, 1.0, 0.0)  # half the free minimum
    (0.5, 0.4)
    >>> penalised_minimum("l1", 0.9, 1.0, 0.0)
    (0.1, 0.0)
    """
    curvature = curvatures(elongation, tilt_deg)
    goal = curvature @ FREE_MINIMUM
    if penalty == "l2":
        first, second = np.linalg.solve(curvature + 2 * strength * np.eye(2), goal)
        return round(float(first), 9), round(float(second), 9)
    weights = list(FREE_MINIMUM)
    for _ in range(_ROUNDS):
        for k in (0, 1):
            pull = goal[k] - curvature[k, 1 - k] * weights[1 - k]
            weights[k] = soft_threshold(pull, strength) / curvature[k, k]
    return round(float(weights[0]), 9), round(float(weights[1]), 9)


def dropout_outputs(rate, scaled):
    """All outputs that a node with eight inputs can give under dropout, and how probable they are.

    Parameters
    ----------
    rate : float
        Probability that a hidden node is switched off.
    scaled : bool
        Whether the nodes that remain are multiplied by ``1 / (1 - rate)``.

    Returns
    -------
    outputs, probabilities : numpy.ndarray, shape (N_MASKS,)
        Mask m keeps node k if bit k of m is set.

    Examples
    --------
    >>> outputs, probabilities = dropout_outputs(0.5, True)
    >>> round(float(outputs @ probabilities), 9) == round(full_output(), 9)
    True
    """
    kept = (np.arange(N_MASKS)[:, None] >> np.arange(len(ACTIVATIONS))) & 1
    outputs = kept @ np.multiply(ACTIVATIONS, OUTPUT_WEIGHTS) * (1 / (1 - rate) if scaled else 1.0)
    number_kept = kept.sum(axis=1)
    return outputs, (1 - rate) ** number_kept * rate ** (len(ACTIVATIONS) - number_kept)


def full_output():
    """Output of the node with nothing dropped.

    Examples
    --------
    >>> round(full_output(), 2)
    2.06
    """
    return float(np.dot(ACTIVATIONS, OUTPUT_WEIGHTS))


class Regularisation(Explorable):
    """Two ways to hold a network back: a penalty on the weights, and nodes that are switched off at random.

    Parameters
    ----------
    view : str
        ``"penalty"`` or ``"dropout"``.
    penalty : str
        ``"l1"`` or ``"l2"``.
    strength : float
        Of the penalty, lambda, 0 to 1.
    elongation : float
        Ratio of the axes of the loss's ellipses, 1 to 6.
    tilt_deg : float
        Angle of the long axis against the first weight, in degrees, 0 to 180.
    rate : float
        Of dropout, 0 to 0.8.
    scaled : bool
        Whether remaining nodes are multiplied by 1/(1 - rate).
    mask : int
        Which of the 256 masks is drawn: bit k keeps node k.

    Examples
    --------
    >>> Regularisation(penalty="l1", strength=0.6).minimum()[1]
    0.0
    """

    name = "regularisation"
    title = "Holding a network back"
    figure = "Figures 5.5 and 5.6"
    goal = "Find the smallest penalty that puts a weight exactly at zero, and why dropout need not shift the mean."
    shared_scripts = ("kit", "plot")
    fields: ClassVar = {
        "view": choice("penalty", ["penalty", "dropout"], "penalty on the weights, or dropout"),
        "penalty": choice("l2", ["l1", "l2"], "sum of magnitudes or of squares"),
        "strength": number(0.1, 0, 1, "strength of the penalty, lambda"),
        "elongation": number(3, 1, 6, "ratio of the axes of the ellipses"),
        "tilt_deg": number(75, 0, 180, "angle of the long axis (degrees)"),
        "rate": number(0.3, 0, 0.8, "dropout rate"),
        "scaled": flag(True, "multiply the remaining nodes by 1/(1 - rate)"),
        "mask": integer(77, 0, N_MASKS - 1, "which nodes are kept, as bits"),
    }

    @classmethod
    def constants(cls):
        return {"free": FREE_MINIMUM, "activations": ACTIVATIONS, "weights": OUTPUT_WEIGHTS}

    def minimum(self):
        """Return the two weights at the minimum of loss plus penalty."""
        return penalised_minimum(*(self._state[name] for name in ("penalty", "strength", "elongation", "tilt_deg")))

    def spread(self):
        """Return mean and standard deviation of the output over all masks."""
        outputs, probabilities = dropout_outputs(self._state["rate"], self._state["scaled"])
        mean = outputs @ probabilities
        return float(mean), float(np.sqrt((outputs - mean) ** 2 @ probabilities))

    def summary(self):
        state = self._state
        if state["view"] == "dropout":
            mean, deviation = self.spread()
            return (
                f"With a dropout rate of {written(state['rate'])} the output is {written(mean)} on average, "
                f"{written(full_output())} without dropout, and scatters by {written(deviation)} from mask to mask."
            )
        first, second = self.minimum()
        zeros = [f"w{index}" for index, weight in ((1, first), (2, second)) if weight == 0]
        return (
            f"{state['penalty'].upper()} with strength {written(state['strength'])} moves the minimum from "
            f"({written(FREE_MINIMUM[0])}, {written(FREE_MINIMUM[1])}) to ({written(first)}, {written(second)}); "
            f"exactly zero: {' and '.join(zeros) or 'none'}."
        )

    def static_figure(self):
        import plotly.graph_objects as go

        state = self._state
        figure = go.Figure()
        if state["view"] == "dropout":
            outputs, probabilities = dropout_outputs(state["rate"], state["scaled"])
            figure.add_histogram(
                x=outputs.astype("float32"),
                y=probabilities.astype("float32"),
                histfunc="sum",
                nbinsx=40,
                marker_color=style.PALETTE["training"],
                name="over all masks",
            )
            figure.add_vline(x=full_output(), line_dash="dashdot", line_color=style.PALETTE["reference"])
            figure.update_xaxes(title="output (arbitrary units)").update_yaxes(title="probability")
        else:
            places = np.linspace(-0.6, 1.6, 56).astype("float32")
            curvature = curvatures(state["elongation"], state["tilt_deg"])
            offset = np.stack(np.meshgrid(places - FREE_MINIMUM[0], places - FREE_MINIMUM[1]), axis=-1)
            loss = 0.5 * np.einsum("abi,ij,abj->ab", offset, curvature, offset).astype("float32")
            figure.add_contour(x=places, y=places, z=loss, contours_coloring="lines", ncontours=18, showscale=False)
            for penalty, dash in (("l1", "dash"), ("l2", "solid")):
                strengths = np.linspace(0, 1, 41)
                path = [penalised_minimum(penalty, s, state["elongation"], state["tilt_deg"]) for s in strengths]
                first, second = np.array(path, dtype="float32").T
                label = f"minimum under {penalty.upper()}"
                figure.add_scatter(x=first, y=second, mode="lines", name=label, line={"dash": dash, "width": 3})
            minimum = self.minimum()
            figure.add_scatter(
                x=minimum[:1], y=minimum[1:], mode="markers", name="here", marker={"size": 11, "color": "#f2b705"}
            )
            figure.update_xaxes(title="weight w<sub>1</sub>").update_yaxes(title="weight w<sub>2</sub>")
        return figure.update_layout(
            template=style.template(),
            title={"text": self.title, "subtitle": {"text": self.summary()}},
            legend={"y": -0.2, "yanchor": "top"},
            margin={"t": 90, "b": 90},
            height=480,
        )
