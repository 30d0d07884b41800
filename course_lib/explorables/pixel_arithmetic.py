"""Figure 8.2: the arithmetic behind one pixel of a feature map (products, sum, bias, activation)."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np

from course_lib.explorables.base import (
    Explorable,
    Panel,
    choice,
    figure_of_panels,
    flag,
    number,
    numbers,
    written,
)

ACTIVATIONS = {
    "linear": lambda value: value,
    "relu": lambda value: max(value, 0.0),
    "leaky_relu": lambda value: value if value > 0 else 0.1 * value,
    "tanh": np.tanh,
    "sigmoid": lambda value: 1 / (1 + np.exp(-value)),
}

ACTIVATION_LABELS = {
    "linear": "none",
    "relu": "ReLU",
    "leaky_relu": "leaky ReLU",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
}

#: Name -> (label, patch, kernel, bias).
PRESETS = {
    "figure": ("Figure 8.2", [[-1, 0, 2], [0, 0, 3], [0, -5, 2]], [[3, 1, 0], [4, 0, 2], [2, -3, 4]], -1),
    "edge": ("edge", [[0, 0, 5], [0, 0, 5], [0, 0, 5]], [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], 0),
    "blur": ("blur", [[2, 2, 2], [2, 11, 2], [2, 2, 2]], [[1 / 9] * 3] * 3, 0),
    "identity": ("identity", [[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[0, 0, 0], [0, 1, 0], [0, 0, 0]], 0),
}


class PixelResponse(NamedTuple):
    """The four stages of one pixel: products (3, 3), their sum, the sum with bias, the activated output."""

    products: np.ndarray
    weighted_sum: float
    with_bias: float
    output: float


def pixel_response(patch, kernel, *, bias=0.0, activation="relu", flip=False):
    """Compute one pixel of a feature map, stage by stage.

    Parameters
    ----------
    patch, kernel : array_like, shape (rows, columns)
        The pixels under the filter, and the weights of the filter.
    bias : float
        Added to the sum of the products.
    activation : {"linear", "relu", "leaky_relu", "tanh", "sigmoid"}
        The nonlinearity; the slope of the leaky one is 0.1 for negative numbers.
    flip : bool
        Whether the filter is turned by half a turn first, as the convolution of mathematics demands;
        deep-learning frameworks do not and compute a cross-correlation.

    Returns
    -------
    PixelResponse
        Equation: x' = sum_j W_j x_j + b, then y' = sigma(x').

    Examples
    --------
    >>> response = pixel_response([[-1, 0, 2], [0, 0, 3], [0, -5, 2]], [[3, 1, 0], [4, 0, 2], [2, -3, 4]], bias=-1)
    >>> response.weighted_sum, response.with_bias, response.output
    (26.0, 25.0, 25.0)
    """
    patch, kernel = np.asarray(patch, dtype=float), np.asarray(kernel, dtype=float)
    products = patch * (kernel[::-1, ::-1] if flip else kernel)
    weighted_sum = float(products.sum())
    with_bias = weighted_sum + bias
    return PixelResponse(products, weighted_sum, with_bias, float(ACTIVATIONS[activation](with_bias)))


class PixelArithmetic(Explorable):
    """One pixel of a feature map, with every number on the table (figure 8.2).

    Parameters
    ----------
    patch : array_like, shape (3, 3)
        The pixels under the filter, from -99 to 99.
    kernel : array_like, shape (3, 3)
        The weights of the filter, from -99 to 99.
    bias : float
        From -30 to 30.
    activation : {"linear", "relu", "leaky_relu", "tanh", "sigmoid"}
        The nonlinearity after the bias.
    flip : bool
        True convolution (filter turned by half a turn) instead of cross-correlation.
    prediction : float or str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> PixelArithmetic().summary()
    'The nine products add up to 26; with the bias −1 that is 25, and ReLU makes it 25.'
    >>> PixelArithmetic(kernel=[[1, 0, -1]] * 3, bias=0, flip=True).response().weighted_sum
    8.0
    """

    name = "pixel_arithmetic"
    title = "Pixel arithmetic"
    figure = "Figure 8.2"
    goal = "Follow nine products through sum, bias and activation, and find out what becomes of negative responses."
    fields: ClassVar = {
        "patch": numbers(PRESETS["figure"][1], "pixels under the filter", shape=(3, 3), low=-99, high=99),
        "kernel": numbers(PRESETS["figure"][2], "weights of the filter", shape=(3, 3), low=-99, high=99),
        "bias": number(PRESETS["figure"][3], -30, 30, "bias b"),
        "activation": choice("relu", ACTIVATIONS, "nonlinearity after the bias"),
        "flip": flag(False, "true convolution instead of cross-correlation"),
    }

    @classmethod
    def constants(cls):
        presets = [
            {"label": label, "state": {"patch": patch, "kernel": kernel, "bias": bias}}
            for label, patch, kernel, bias in PRESETS.values()
        ]
        return {"presets": presets, "activations": list(ACTIVATION_LABELS.items())}

    def response(self):
        """Return the `PixelResponse` of the present state."""
        state = self.state
        return pixel_response(
            state["patch"],
            state["kernel"],
            bias=state["bias"],
            activation=state["activation"],
            flip=state["flip"],
        )

    def summary(self):
        response = self.response()
        name = ACTIVATION_LABELS[self.state["activation"]]
        last = f"{name} makes it" if name != "none" else "without activation it stays"
        return (
            f"The nine products add up to {written(response.weighted_sum)}; with the bias "
            f"{written(self.state['bias'])} that is {written(response.with_bias)}, "
            f"and {last} {written(response.output)}."
        )

    def static_figure(self):
        response = self.response()
        kernel = np.array(self.state["kernel"], dtype=float)
        kernel = kernel[::-1, ::-1] if self.state["flip"] else kernel
        chain = [[response.weighted_sum], [response.with_bias], [response.output]]
        figure = figure_of_panels(
            [
                Panel(self.state["patch"], "patch x"),
                Panel(kernel, "filter W, flipped" if self.state["flip"] else "filter W"),
                Panel(response.products, "products W · x"),
                Panel(chain, "sum, + b, σ"),
            ],
            title="Pixel arithmetic",
            summary=self.summary(),
        )
        figure.update_xaxes(title="", showticklabels=False, row=1, col=4)
        stages = ["sum", "with bias", ACTIVATION_LABELS[self.state["activation"]]]
        figure.update_yaxes(title="", tickmode="array", tickvals=[1, 2, 3], ticktext=stages, row=1, col=4)
        return figure
