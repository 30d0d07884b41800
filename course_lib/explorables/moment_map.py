"""Figure 7.6: how mean and variance of the activations travel from layer to layer."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, choice, integer, number, written

#: The pair for which mean 0 and variance 1 stay what they are.
SELU_ALPHA = 1.6732632423543772
SELU_LAMBDA = 1.0507009873554805

#: Name -> label.
ACTIVATIONS = {"exponential": "exponential (α, λ)", "relu": "ReLU", "tanh": "tanh"}

#: Name -> (label, state).
PRESETS = {
    "selu": ("SELU", {"activation": "exponential", "alpha": SELU_ALPHA, "scale": SELU_LAMBDA, "weight_variance": 1.0}),
    "elu": ("ELU", {"activation": "exponential", "alpha": 1.0, "scale": 1.0, "weight_variance": 1.0}),
    "selu_he": (
        "SELU, weights too large",
        {"activation": "exponential", "alpha": SELU_ALPHA, "scale": SELU_LAMBDA, "weight_variance": 2.0},
    ),
    "relu": ("ReLU", {"activation": "relu", "weight_variance": 1.0}),
    "relu_he": ("ReLU, weights of He", {"activation": "relu", "weight_variance": 2.0}),
    "tanh": ("tanh", {"activation": "tanh", "weight_variance": 1.0}),
}

#: Integrals run over this many standard deviations to each side, in this many steps a side (Simpson's rule).
_REACH, _STEPS = 8.0, 160


def activate(y, *, activation="exponential", alpha=SELU_ALPHA, scale=SELU_LAMBDA):
    r"""Apply the activation function.

    Parameters
    ----------
    y : array_like
    activation : {"exponential", "relu", "tanh"}
        ``"exponential"`` is :math:`\lambda y` for positive y and :math:`\lambda\alpha(e^y-1)` else (equation 7.20).
    alpha, scale : float
        The two numbers of the exponential unit; scale is lambda.

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> activate([-100.0, 0.0, 1.0]).round(3)
    array([-1.758,  0.   ,  1.051])
    """
    y = np.asarray(y, dtype=float)
    if activation == "relu":
        return np.maximum(y, 0)
    if activation == "tanh":
        return np.tanh(y)
    return scale * np.where(y > 0, y, alpha * np.expm1(np.minimum(y, 0)))


def moment_map(mean, variance, *, weight_variance=1.0, **options):
    r"""Mean and variance after one layer (equation 7.19).

    With n inputs and independent weights of mean 0 and variance :math:`\tau/n`, the sums of a wide layer are normal
    with mean 0 and variance :math:`\tau\,(\nu+\mu^2)`.

    Parameters
    ----------
    mean, variance : float
        Of the activations before the layer.
    weight_variance : float
        tau: the variance of the weights times the number of inputs.
    **options
        As for `activate`.

    Returns
    -------
    (float, float)
        Mean and variance after the layer.

    Examples
    --------
    >>> mean, variance = moment_map(0.0, 1.0)
    >>> abs(mean) < 1e-6, abs(variance - 1) < 1e-6
    (True, True)
    >>> round(moment_map(0.0, 4.0)[1], 2)
    2.94
    """
    spread = math.sqrt(weight_variance * (variance + mean**2))
    first = second = 0.0
    for low in (-_REACH, 0.0):
        u = low + _REACH * np.arange(_STEPS + 1) / _STEPS
        weights = np.where(np.arange(_STEPS + 1) % 2, 4.0, 2.0)
        weights[[0, -1]] = 1.0
        density = weights * np.exp(-(u**2) / 2) / math.sqrt(2 * math.pi) * (_REACH / _STEPS / 3)
        values = activate(spread * u, **options)
        first += float(density @ values)
        second += float(density @ values**2)
    return first, max(second - first**2, 0.0)


def moment_path(mean, variance, n_layers, **options):
    """Mean and variance after each of `n_layers` layers, the start included.

    Parameters
    ----------
    mean, variance : float
    n_layers : int
    **options
        As for `moment_map`.

    Returns
    -------
    numpy.ndarray, shape (n_layers + 1, 2)

    Examples
    --------
    >>> moment_path(0.0, 4.0, 3)[:, 1].round(2)
    array([4.  , 2.94, 2.35, 1.96])
    """
    path = [(mean, variance)]
    for _ in range(n_layers):
        path.append(moment_map(*path[-1], **options))
    return np.array(path)


class MomentMap(Explorable):
    """Mean and variance of the activations, layer after layer, and where they end (figure 7.6).

    Parameters
    ----------
    activation : {"exponential", "relu", "tanh"}
        The nonlinearity; the exponential unit has the two numbers alpha and scale.
    alpha, scale : float
        Depth of the negative side (0.2 to 3) and overall factor lambda (0.7 to 1.4).
    mean, variance : float
        Of the input, from -1 to 1 and from 0.05 to 6.
    weight_variance : float
        Variance of the weights times the number of inputs, from 0.5 to 2.5.
    n_layers : int
        From 1 to 40.
    prediction : str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> MomentMap(n_layers=10).summary()
    'From mean 0 and variance 4 the activations come to mean 0.02 and variance 1.13 after 10 layers.'
    """

    name = "moment_map"
    title = "Where do mean and variance go?"
    figure = "Figure 7.6"
    goal = "Find an activation and a weight size that bring every start to mean 0 and variance 1, then break it."
    shared_scripts = ("kit", "plot")
    fields: ClassVar = {
        "activation": choice("exponential", ACTIVATIONS, "nonlinearity"),
        "alpha": number(SELU_ALPHA, 0.2, 3.0, "depth of the negative side"),
        "scale": number(SELU_LAMBDA, 0.7, 1.4, "factor lambda"),
        "mean": number(0.0, -1.0, 1.0, "mean of the input"),
        "variance": number(4.0, 0.05, 6.0, "variance of the input"),
        "weight_variance": number(1.0, 0.5, 2.5, "variance of the weights times the number of inputs"),
        "n_layers": integer(30, 1, 40, "number of layers"),
    }

    @classmethod
    def constants(cls):
        return {
            "activations": list(ACTIVATIONS.items()),
            "presets": [{"label": label, "state": state} for label, state in PRESETS.values()],
            "selu": [SELU_ALPHA, SELU_LAMBDA],
            "reach": _REACH,
            "steps": _STEPS,
        }

    def path(self):
        """Return mean and variance after each layer, shape (n_layers + 1, 2)."""
        state = self.state
        options = {name: state[name] for name in ("activation", "alpha", "scale", "weight_variance")}
        return moment_path(state["mean"], state["variance"], state["n_layers"], **options)

    def summary(self):
        mean, variance = map(written, self.path()[-1])
        state = self.state
        layers = "1 layer" if state["n_layers"] == 1 else f"{state['n_layers']} layers"
        return (
            f"From mean {written(state['mean'])} and variance {written(state['variance'])} the activations come to "
            f"mean {mean} and variance {variance} after {layers}."
        )

    def static_figure(self):
        from plotly.subplots import make_subplots

        state, path = self.state, self.path()
        figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.14)
        y = np.linspace(-4, 4, 81)
        options = {name: state[name] for name in ("activation", "alpha", "scale")}
        blue, orange = style.PALETTE["training"], style.PALETTE["validation"]
        figure.add_scatter(x=y, y=activate(y, **options).round(4), line_color=blue, showlegend=False, row=1, col=1)
        layers = np.arange(len(path))
        for column, name, colour, dash in ((1, "variance", blue, "solid"), (0, "mean", orange, "dash")):
            line = {"color": colour, "dash": dash}
            figure.add_scatter(x=layers, y=path[:, column].round(5), name=name, line=line, row=1, col=2)
        figure.add_hline(y=1, line_dash="dot", line_color=style.PALETTE["reference"], row=1, col=2)
        figure.update_xaxes(title="y, input of the activation", row=1, col=1)
        figure.update_yaxes(title="σ(y)", row=1, col=1)
        figure.update_xaxes(title="layer", row=1, col=2)
        figure.update_yaxes(title="mean, variance", row=1, col=2)
        title = {"text": self.title, "subtitle": {"text": self.summary()}}
        return figure.update_layout(template=style.template(), title=title, height=400, margin={"t": 110})
