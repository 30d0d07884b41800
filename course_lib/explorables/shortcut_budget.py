"""Figure 8.10: what shortcuts by addition and by concatenation do to gradients, and what they cost in memory."""

from __future__ import annotations

import functools
from typing import ClassVar

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, choice, integer
from course_lib.explorables.playground.data import normal

MOST_LAYERS = 100

#: Values of a layer without concatenation; what each layer adds where outputs are concatenated.
WIDTH, GROWTH = 8, 4

#: Factor of the branch beside an added shortcut: deep residual networks begin with small branches, since a hundred
#: large ones would let the values grow without limit.
BRANCH = 0.05

#: Streams of random numbers: weights of plain and added layers, of concatenated ones, and the input.
PLAIN_STREAM, CONCAT_STREAM, INPUT_STREAM = 1000, 2000, 810

KINDS = {"none": "none", "add": "add (residual)", "concatenate": "concatenate (dense)"}


@functools.lru_cache(maxsize=32)
def _weights(kind, seed):
    """Weights of all layers, drawn so that a ReLU layer roughly keeps the size of what goes in."""
    matrices = []
    for layer in range(MOST_LAYERS):
        inputs, outputs = (WIDTH + GROWTH * layer, GROWTH) if kind == "concatenate" else (WIDTH, WIDTH)
        stream = (CONCAT_STREAM if kind == "concatenate" else PLAIN_STREAM) + layer
        drawn = np.asarray(normal(seed, stream, inputs * outputs)).reshape(outputs, inputs)
        matrices.append(drawn / np.sqrt(inputs))
    return matrices


def gradient_norms(kind, n_layers, seed):
    """Send a gradient of length one backwards through a random network.

    Parameters
    ----------
    kind : {"none", "add", "concatenate"}
        x becomes relu(W x), x + 0.05 relu(W x), or [x, relu(W x)].
    n_layers : int
        1 to 100.
    seed : int
        Of weights and input.

    Returns
    -------
    list of float, length n_layers
        Norm of the gradient with respect to what goes into each layer, first layer first. With concatenation only the
        part that belongs to the layer's own newest input counts: it is one path, as long as that of the others.

    Examples
    --------
    >>> plain, added = gradient_norms("none", 50, 1), gradient_norms("add", 50, 1)
    >>> plain[0] < 1e-6, 0.1 < added[0] < 10
    (True, True)
    """
    weights = _weights(kind, seed)[:n_layers]
    values, masks = np.asarray(normal(seed, INPUT_STREAM, WIDTH)), []
    for matrix in weights:
        inner = matrix @ values
        masks.append(inner > 0)
        active = np.maximum(inner, 0)
        values = {
            "none": lambda active=active: active,
            "add": lambda active=active, old=values: old + BRANCH * active,
            "concatenate": lambda active=active, old=values: np.concatenate([old, active]),
        }[kind]()
    gradient = np.ones(len(values)) / np.sqrt(len(values))
    norms = []
    for layer in reversed(range(n_layers)):
        matrix, mask = weights[layer], masks[layer]
        if kind == "none":
            gradient = matrix.T @ (mask * gradient)
        elif kind == "add":
            gradient = gradient + BRANCH * (matrix.T @ (mask * gradient))
        else:
            inputs = matrix.shape[1]
            gradient = gradient[:inputs] + matrix.T @ (mask * gradient[inputs:])
        newest = gradient[-GROWTH:] if kind == "concatenate" else gradient
        scale = np.sqrt(len(values) / len(newest)) if kind == "concatenate" else 1.0
        norms.append(float(np.linalg.norm(newest) * scale))
    return norms[::-1]


def stored_values(kind, n_layers):
    """Count the numbers that the backward pass needs, if every concatenation is written anew.

    Examples
    --------
    >>> stored_values("add", 10), stored_values("concatenate", 10), stored_values("concatenate", 20)
    (160, 300, 1000)
    """
    if kind == "concatenate":
        return sum(WIDTH + GROWTH * layer + GROWTH for layer in range(n_layers))
    return 2 * WIDTH * n_layers


def exponent_text(value):
    """Write a positive number with one digit and a power of ten, as the browser does.

    Examples
    --------
    >>> exponent_text(0.000345), exponent_text(1.25), exponent_text(0)
    ('3e−4', '1.3', '0')
    """
    if value == 0:
        return "0"
    if 0.01 <= value < 1000:
        return f"{np.floor(value * 10 + 0.5) / 10:g}"
    power = int(np.floor(np.log10(value)))
    return f"{int(np.floor(value / 10.0**power + 0.5))}e{power}".replace("-", "−")


class ShortcutBudget(Explorable):
    """Gradients and memory of deep networks without shortcuts, with added and with concatenated ones (figure 8.10).

    Parameters
    ----------
    kind : {"none", "add", "concatenate"}
        The shortcut that is drawn strongly.
    n_layers : int
        Number of layers, 2 to 100.
    seed : int
        Of the random weights, 0 to 99.
    prediction : str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> ShortcutBudget(kind="concatenate", n_layers=20).summary().split("; ")[1]
    'the backward pass keeps 1000 numbers an event.'
    """

    name = "shortcut_budget"
    title = "What a shortcut buys, and what it costs"
    figure = "Figure 8.10"
    goal = "Bring a gradient through a hundred layers, and find out which of the two ways your memory can afford."
    shared_scripts = ("kit", "plot", "random_numbers")
    fields: ClassVar = {
        "kind": choice("none", KINDS, "shortcut"),
        "n_layers": integer(20, 2, MOST_LAYERS, "number of layers"),
        "seed": integer(1, 0, 99, "seed of the weights"),
    }

    @classmethod
    def constants(cls):
        return {
            "kinds": list(KINDS.items()),
            "most": MOST_LAYERS,
            "width": WIDTH,
            "growth": GROWTH,
            "branch": BRANCH,
            "streams": [PLAIN_STREAM, CONCAT_STREAM, INPUT_STREAM],
        }

    def summary(self):
        kind, n_layers, seed = (self.state[name] for name in ("kind", "n_layers", "seed"))
        first = gradient_norms(kind, n_layers, seed)[0]
        label = {"none": "Without shortcuts", "add": "With addition", "concatenate": "With concatenation"}[kind]
        return (
            f"{label} and {n_layers} layers, a gradient of length 1 reaches the first layer with "
            f"{exponent_text(first)}; the backward pass keeps {stored_values(kind, n_layers)} numbers an event."
        )

    def static_figure(self):
        from plotly.subplots import make_subplots

        n_layers, seed = self.state["n_layers"], self.state["seed"]
        figure = make_subplots(cols=2, subplot_titles=["gradient", "memory"], horizontal_spacing=0.14)
        depths = list(range(2, MOST_LAYERS + 1, 2))
        for number, (kind, label) in enumerate(KINDS.items()):
            line = {"color": style.SEQUENCE[number], "dash": ("solid", "dash", "dot")[number]}
            norms = np.maximum(gradient_norms(kind, n_layers, seed), 1e-30)
            figure.add_scatter(x=list(range(1, n_layers + 1)), y=norms, line=line, name=label, row=1, col=1)
            memory = [stored_values(kind, depth) for depth in depths]
            figure.add_scatter(x=depths, y=memory, line=line, showlegend=False, row=1, col=2)
        figure.update_xaxes(title="layer", col=1)
        figure.update_yaxes(title="norm of the gradient", type="log", exponentformat="power", col=1)
        figure.update_xaxes(title="number of layers", col=2)
        figure.update_yaxes(title="numbers kept an event", col=2)
        figure.update_layout(
            template=style.template(), title={"text": self.title, "subtitle": {"text": self.summary()}}, height=420
        )
        return figure
