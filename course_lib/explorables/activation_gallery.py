"""Figure 5.8: six activation functions, their slopes, and what they make of normally distributed inputs."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, choice, flag, number, written

#: Constants of the self-normalising activation (Klambauer et al., NeurIPS 2017, arXiv:1706.02515).
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805

ACTIVATIONS = {
    "relu": "ReLU",
    "leaky_relu": "leaky ReLU",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "elu": "ELU",
    "selu": "SELU",
}

#: A slope below this hardly lets a gradient through.
SATURATED = 0.05

#: Standardised inputs at which means are taken, and their weights: the middles of 800 strips.
_NODES = (np.arange(800) + 0.5) / 100 - 4
_WEIGHTS = np.exp(-0.5 * _NODES**2) / np.exp(-0.5 * _NODES**2).sum()


def value_and_slope(name, x, alpha):
    """An activation function and its derivative.

    Parameters
    ----------
    name : str
        Key of `ACTIVATIONS`.
    x : array_like
    alpha : float
        Slope of leaky ReLU below zero; limit of ELU is ``-alpha``. The others do not use it.

    Returns
    -------
    value, slope : numpy.ndarray
        At zero the slope is that of the negative side, except for ELU and SELU, which are written with ``x > 0``.

    Examples
    --------
    >>> [array.tolist() for array in value_and_slope("leaky_relu", [-2.0, 3.0], 0.1)]
    [[-0.2, 3.0], [0.1, 1.0]]
    """
    x = np.asarray(x, dtype=float)
    positive = x > 0
    if name in ("relu", "leaky_relu"):
        low = alpha if name == "leaky_relu" else 0.0
        return np.where(positive, x, low * x), np.where(positive, 1.0, low)
    if name == "sigmoid":
        value = 1 / (1 + np.exp(-x))
        return value, value * (1 - value)
    if name == "tanh":
        return np.tanh(x), 1 - np.tanh(x) ** 2
    scale, alpha = (SELU_SCALE, SELU_ALPHA) if name == "selu" else (1.0, alpha)
    falling = alpha * np.exp(np.minimum(x, 0))
    return scale * np.where(positive, x, falling - alpha), scale * np.where(positive, 1.0, falling)


def output_moments(name, alpha, width):
    """Mean and standard deviation of the output, and the share of saturated inputs.

    Parameters
    ----------
    name, alpha
        See `value_and_slope`.
    width : float
        Standard deviation of the normally distributed inputs, whose mean is 0.

    Returns
    -------
    mean, deviation, saturated : float
        `saturated` is the share of inputs at which the slope is below `SATURATED`.

    Examples
    --------
    >>> [round(moment, 2) for moment in output_moments("sigmoid", 0.1, 1.0)[:2]]
    [0.5, 0.21]
    """
    value, slope = value_and_slope(name, width * _NODES, alpha)
    mean = value @ _WEIGHTS
    deviation = math.sqrt((value - mean) ** 2 @ _WEIGHTS)
    return float(mean), deviation, float((np.abs(slope) < SATURATED) @ _WEIGHTS)


class ActivationGallery(Explorable):
    """Compare activation functions: their curve, their slope, and the distribution of their output.

    Parameters
    ----------
    activation : str
        ``"relu"``, ``"leaky_relu"``, ``"sigmoid"``, ``"tanh"``, ``"elu"`` or ``"selu"``.
    alpha : float
        Slope of leaky ReLU below zero, limit of ELU; 0 to 1.5.
    width : float
        Standard deviation of the inputs, 0.25 to 4.
    slope : bool
        Whether the derivative is drawn too.

    Examples
    --------
    >>> mean, deviation, _ = ActivationGallery(activation="selu").moments()
    >>> round(abs(mean), 2), round(deviation, 2)
    (0.0, 1.0)
    """

    name = "activation_gallery"
    title = "Gallery of activations"
    figure = "Figure 5.8"
    goal = "Which activations keep the mean of the output at zero, and which ones stop letting gradients through?"
    shared_scripts = ("kit", "plot")
    fields: ClassVar = {
        "activation": choice("sigmoid", list(ACTIVATIONS), "activation function"),
        "alpha": number(0.1, 0, 1.5, "slope of leaky ReLU below zero, limit of ELU"),
        "width": number(1, 0.25, 4, "standard deviation of the inputs"),
        "slope": flag(False, "draw the derivative"),
    }

    @classmethod
    def constants(cls):
        return {"names": list(ACTIVATIONS.items()), "selu": [SELU_ALPHA, SELU_SCALE]}

    def moments(self):
        """Return mean and standard deviation of the output and the share of saturated inputs."""
        return output_moments(self._state["activation"], self._state["alpha"], self._state["width"])

    def summary(self):
        state = self._state
        mean, deviation, saturated = self.moments()
        return (
            f"{ACTIVATIONS[state['activation']]} of inputs with mean 0 and width {written(state['width'])}: "
            f"output mean {written(mean)}, width {written(deviation)}; slope below {SATURATED} for "
            f"{written(math.floor(100 * saturated + 0.5))} % of the inputs."
        )

    def static_figure(self):
        from plotly.subplots import make_subplots

        x = np.linspace(-4, 4, 161).astype("float32")
        figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.12)
        for (name, label), colour in zip(ACTIVATIONS.items(), style.SEQUENCE, strict=False):
            chosen = name == self._state["activation"]
            for column, values in enumerate(value_and_slope(name, x, self._state["alpha"]), start=1):
                figure.add_scatter(
                    x=x,
                    y=values.astype("float32"),
                    name=label,
                    legendgroup=name,
                    line={"color": colour, "width": 4 if chosen else 1.5},
                    showlegend=column == 1,
                    row=1,
                    col=column,
                )
        figure.update_xaxes(title="input x")
        figure.update_yaxes(title="output σ(x)", range=[-2, 3], row=1, col=1)
        figure.update_yaxes(title="slope σ′(x)", range=[-0.1, 1.9], row=1, col=2)
        return figure.update_layout(
            template=style.template(),
            title={"text": self.title, "subtitle": {"text": self.summary()}},
            legend={"y": -0.2, "yanchor": "top"},
            margin={"t": 90, "b": 90},
            height=430,
        )
