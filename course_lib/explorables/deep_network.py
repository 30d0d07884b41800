"""Figures 7.1 and 7.5: a deep fully-connected network, its size, its activations and its gradients."""

from __future__ import annotations

import math
from typing import ClassVar, NamedTuple

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, choice, flag, integer, number
from course_lib.explorables.receptive_field_builder import random_weights

#: Samples of the batch that runs through the network.
N_SAMPLES = 16

MAXIMUM_LAYERS = 20
MAXIMUM_WIDTH = 16

#: Added to the variance of a batch.
EPSILON = 1e-3

SELU_ALPHA = 1.6732632423543772
SELU_LAMBDA = 1.0507009873554805

#: Name -> (label, function, derivative); both act on arrays.
ACTIVATIONS = {
    "sigmoid": ("sigmoid", lambda y: 1 / (1 + np.exp(-y)), lambda y: 0.5 / (1 + np.cosh(y))),
    "tanh": ("tanh", np.tanh, lambda y: 1 - np.tanh(y) ** 2),
    "relu": ("ReLU", lambda y: np.maximum(y, 0), lambda y: np.where(y > 0, 1.0, 0.0)),
    "selu": (
        "SELU",
        lambda y: SELU_LAMBDA * np.where(y > 0, y, SELU_ALPHA * np.expm1(np.minimum(y, 0))),
        lambda y: SELU_LAMBDA * np.where(y > 0, 1, SELU_ALPHA * np.exp(np.minimum(y, 0))),
    ),
}

_PLAIN = {"shortcut": False, "batch_norm": False}

#: Name -> (label, state): what the chapter talks about.
PRESETS = {
    "sigmoid": ("deep and sigmoid", {"activation": "sigmoid", "weight_scale": 1.0}),
    "relu": ("ReLU, small weights", {"activation": "relu", "weight_scale": 0.7}),
    "large": ("ReLU, large weights", {"activation": "relu", "weight_scale": 2.5}),
    "shortcut": ("small weights, shortcuts", {"activation": "relu", "weight_scale": 0.7, "shortcut": True}),
    "normalised": ("small weights, batch norm", {"activation": "relu", "weight_scale": 0.7, "batch_norm": True}),
    "selu": ("self-normalising", {"activation": "selu", "weight_scale": 1.0}),
}


class DeepPass(NamedTuple):
    """One batch, forwards and backwards.

    Attributes
    ----------
    activations : numpy.ndarray, shape (n_layers + 1, n_samples, width)
        The input, then the output of every layer.
    gradients : list of numpy.ndarray, shape (width, width)
        Derivative of the loss with respect to the weights of every layer.
    loss : float
        Mean over samples and nodes of the last output times fixed random numbers.
    """

    activations: np.ndarray
    gradients: list
    loss: float


def parameter_count(n_layers, width):
    """Count weights and biases of hidden layers of equal width, with as many inputs as nodes in a layer.

    Parameters
    ----------
    n_layers, width : int

    Returns
    -------
    int

    Examples
    --------
    >>> parameter_count(20, 12)
    3120
    """
    return n_layers * (width + 1) * width


def draw_network(n_layers, width, seed):
    """Draw inputs, loss factors and weights, uniform with mean 0 and variance 1.

    Parameters
    ----------
    n_layers, width, seed : int

    Returns
    -------
    inputs, factors : numpy.ndarray, shape (n_samples, width)
    weights : numpy.ndarray, shape (n_layers, width, width)
        Row: from which node, column: to which node.

    Examples
    --------
    >>> inputs, factors, weights = draw_network(3, 5, 0)
    >>> inputs.shape, weights.shape
    ((16, 5), (3, 5, 5))
    """
    sizes = [N_SAMPLES * width, N_SAMPLES * width, n_layers * width * width]
    numbers = math.sqrt(3) * np.array(random_weights(seed, sum(sizes)))
    inputs, factors, weights = np.split(numbers, np.cumsum(sizes)[:-1])
    shape = (N_SAMPLES, width)
    return inputs.reshape(shape), factors.reshape(shape), weights.reshape(n_layers, width, width)


def deep_pass(
    n_layers,
    width,
    *,
    activation="relu",
    weight_scale=1.0,
    shortcut=False,
    branch_scale=1.0,
    batch_norm=False,
    seed=0,
    weights=None,
):
    r"""Run one batch through a deep network and its gradients back.

    Every layer computes :math:`\sigma(W z)`. With shortcuts two layers make a block,
    :math:`z'=\sigma(c\,W_2\,\sigma(W_1 z)+z)` with the branch scale c. Batch normalisation acts on W z.

    Parameters
    ----------
    n_layers, width : int
        An even number of layers where there are shortcuts; a last odd one stays without.
    activation : {"sigmoid", "tanh", "relu", "selu"}
    weight_scale : float
        Standard deviation of the weights in units of 1 / sqrt(width).
    shortcut, batch_norm : bool
    branch_scale : float
        The factor c of the branch beside the shortcut.
    seed : int
    weights : array_like, shape (n_layers, width, width), optional
        Instead of drawn ones; they are multiplied with the scale all the same.

    Returns
    -------
    DeepPass
        Gradients include what batch normalisation adds: mean and spread depend on all samples.

    Examples
    --------
    Twenty sigmoid layers: next to nothing reaches the first one.

    >>> gradients = deep_pass(20, 12, activation="sigmoid").gradients
    >>> bool(np.linalg.norm(gradients[0]) < 1e-9 * np.linalg.norm(gradients[-1]))
    True
    """
    inputs, factors, drawn = draw_network(n_layers, width, seed)
    matrices = (drawn if weights is None else np.asarray(weights, dtype=float)) * weight_scale / math.sqrt(width)
    _, sigma, slope = ACTIVATIONS[activation]
    outputs, before, spreads, normalised = [inputs], [], [], []
    for layer in range(n_layers):
        value = outputs[layer] @ matrices[layer]
        if batch_norm:
            spread = np.sqrt(value.var(axis=0) + EPSILON)
            value = (value - value.mean(axis=0)) / spread
            spreads.append(spread)
            normalised.append(value)
        if shortcut and layer % 2:
            value = branch_scale * value + outputs[layer - 1]
        before.append(value)
        outputs.append(sigma(value))
    loss = float(np.mean(factors * outputs[-1]))

    arriving = [np.zeros_like(inputs) for _ in outputs]
    arriving[-1] = factors / factors.size
    gradients = [None] * n_layers
    for layer in reversed(range(n_layers)):
        delta = arriving[layer + 1] * slope(before[layer])
        if shortcut and layer % 2:
            arriving[layer - 1] = arriving[layer - 1] + delta
            delta = branch_scale * delta
        if batch_norm:
            along = (delta * normalised[layer]).mean(axis=0)
            delta = (delta - delta.mean(axis=0) - normalised[layer] * along) / spreads[layer]
        gradients[layer] = outputs[layer].T @ delta
        arriving[layer] = arriving[layer] + delta @ matrices[layer].T
    return DeepPass(np.stack(outputs), gradients, loss)


def power(value):
    """Write a positive number as one digit times a power of ten, as the browser does.

    Examples
    --------
    >>> power(0.00123), power(0), power(24.0), power(3.0)
    ('1·10⁻³', '0', '2·10¹', '3')
    """
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(value))
    digit = math.floor(value / 10.0**exponent + 0.5)
    exponent, digit = (exponent + 1, 1) if digit == 10 else (exponent, digit)
    raised = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{digit}·10{raised}" if exponent else str(digit)


class DeepNetwork(Explorable):
    """A stack of fully-connected layers: what it costs, and how gradients come through (figures 7.1 and 7.5).

    Parameters
    ----------
    n_layers, width : int
        Hidden layers (2 to 20, even, because two make a residual block) and nodes in each (2 to 16).
    activation : {"sigmoid", "tanh", "relu", "selu"}
        The nonlinearity of all layers.
    weight_scale : float
        Standard deviation of the weights in units of 1 / sqrt(width), from 0.3 to 3.
    shortcut : bool
        Whether a shortcut passes every two layers.
    branch_scale : float
        Factor of the branch beside the shortcut, from 0 to 1.
    batch_norm : bool
        Whether every layer is normalised over the batch of 16 samples.
    seed : int
        Of weights and inputs, from 0 to 99.
    prediction : str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> DeepNetwork(n_layers=2, width=4, activation="tanh").summary()
    '2 layers of 4 nodes have 40 parameters; the weight gradient of the first layer is ..., that of the last ...'
    """

    name = "deep_network"
    title = "A deep network, forwards and backwards"
    figure = "Figures 7.1, 7.5"
    goal = "Make the gradient reach the first layer of a deep network, in as many ways as you can find."
    shared_scripts = ("kit", "plot")
    fields: ClassVar = {
        "n_layers": choice(20, range(2, MAXIMUM_LAYERS + 1, 2), "number of hidden layers"),
        "width": integer(12, 2, MAXIMUM_WIDTH, "nodes in each layer"),
        "activation": choice("sigmoid", ACTIVATIONS, "nonlinearity"),
        "weight_scale": number(1.0, 0.3, 3.0, "standard deviation of the weights times sqrt(width)"),
        "shortcut": flag(False, "shortcut over every two layers"),
        "branch_scale": number(1.0, 0.0, 1.0, "factor of the branch beside the shortcut"),
        "batch_norm": flag(False, "normalise over the batch"),
        "seed": integer(3, 0, 99, "seed of weights and inputs"),
    }

    @classmethod
    def constants(cls):
        return {
            "samples": N_SAMPLES,
            "epsilon": EPSILON,
            "selu": [SELU_ALPHA, SELU_LAMBDA],
            "activations": [[name, label] for name, (label, *_) in ACTIVATIONS.items()],
            "presets": [{"label": label, "state": {**_PLAIN, **state}} for label, state in PRESETS.values()],
        }

    def deep_pass(self):
        """Return the `DeepPass` of the present state."""
        state = self.state
        return deep_pass(state["n_layers"], state["width"], **{name: state[name] for name in _OPTIONS})

    def gradient_norms(self):
        """Return the root mean square of each layer's weight gradient, shape (n_layers,)."""
        return np.array([math.sqrt(np.mean(gradient**2)) for gradient in self.deep_pass().gradients])

    def summary(self):
        state, norms = self.state, self.gradient_norms()
        return (
            f"{state['n_layers']} layers of {state['width']} nodes have "
            f"{parameter_count(state['n_layers'], state['width'])} parameters; the weight gradient of the first layer "
            f"is {power(norms[0])}, that of the last {power(norms[-1])}."
        )

    def static_figure(self):
        import plotly.graph_objects as go

        norms = self.gradient_norms()
        figure = go.Figure()
        figure.add_bar(
            x=np.arange(1, len(norms) + 1),
            y=np.where(norms > 0, norms, np.nan),
            marker_color=style.PALETTE["training"],
            name="weight gradient",
        )
        figure.update_xaxes(title="layer, from input to output")
        figure.update_yaxes(title="weight gradient, rms", type="log", exponentformat="power")
        title = {"text": self.title, "subtitle": {"text": self.summary()}}
        return figure.update_layout(template=style.template(), title=title, height=380, margin={"t": 100})


_OPTIONS = ("activation", "weight_scale", "shortcut", "branch_scale", "batch_norm", "seed")
