"""Figure 2.4: a network learns a curve, epoch by epoch, with the objective beside it."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from typing import ClassVar, NamedTuple

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, choice, flag, integer, written
from course_lib.explorables.receptive_field_builder import random_weights
from course_lib.simulators import interpolation

#: Epochs of a whole training, and from one stored prediction to the next.
N_EPOCHS = 800
EPOCHS_PER_SNAPSHOT = 50

#: Predictions that the static figure and the switch "compare" show.
COMPARED_EPOCHS = (50, 100, 200, 800)

#: The x range of the data, and what x is divided by before it enters the network.
HALF_WIDTH = 10.0
INPUT_SCALE = 5.0

#: Places at which predictions are stored.
N_PLACES = 161

#: Standard deviation of the noise on the data.
NOISE = 0.2

#: Step and memories of the Adam optimiser (Kingma and Ba, ICLR 2015).
LEARNING_RATE = 0.01
FIRST_MEMORY, SECOND_MEMORY, TINY = 0.9, 0.999, 1e-7


class Training(NamedTuple):
    """One finished training.

    Attributes
    ----------
    x, y : numpy.ndarray, shape (n_points, 1)
        The data.
    losses : numpy.ndarray, shape (N_EPOCHS + 1,)
        Mean squared residual after 0, 1, ... epochs.
    places : numpy.ndarray, shape (N_PLACES, 1)
        Where the predictions are evaluated.
    predictions : numpy.ndarray, shape (N_EPOCHS / EPOCHS_PER_SNAPSHOT + 1, N_PLACES)
        After 0, 50, ... epochs.
    """

    x: np.ndarray
    y: np.ndarray
    losses: np.ndarray
    places: np.ndarray
    predictions: np.ndarray


def data_points(n_points):
    """Return equally spaced points of the curve of exercise 5.2, with noise that is the same in the browser.

    Parameters
    ----------
    n_points : int

    Returns
    -------
    x, y : numpy.ndarray, shape (n_points, 1)

    Examples
    --------
    >>> x, y = data_points(21)
    >>> float(x[0, 0]), float(x[-1, 0])
    (-10.0, 10.0)
    """
    x = (-HALF_WIDTH + 2 * HALF_WIDTH * np.arange(n_points) / (n_points - 1))[:, None]
    # The sum of three uniform numbers from -1 to 1 has the variance 1 and is nearly normal.
    noise = np.reshape(random_weights(24, 3 * n_points), (n_points, 3)).sum(axis=1, keepdims=True)
    return x, interpolation.function(x) + NOISE * noise


def parameter_count(width, depth):
    """Return the number of weights and biases of the network 1 - width - ... - width - 1.

    Examples
    --------
    >>> parameter_count(30, 3)
    1951
    """
    return 2 * width + (depth - 1) * (width + 1) * width + width + 1


def _initial_parameters(seed, width, depth, activation):
    sizes = [1] + [width] * depth + [1]
    # Variance of the weights by fan-in: 2/n for ReLU, 1/n for tanh.
    gain = 6.0 if activation == "relu" else 3.0
    shapes = list(itertools.pairwise(sizes))
    drawn = iter(random_weights(seed, sum(a * b for a, b in shapes) + width))
    weights = [
        np.array([[next(drawn) for _ in range(n_out)] for _ in range(n_in)]) * np.sqrt(gain / n_in)
        for n_in, n_out in shapes
    ]
    # Kinks or bends of the first layer must be spread over the axis, else all sit at zero.
    biases = [np.array([next(drawn) for _ in range(width)])] + [np.zeros(n_out) for _, n_out in shapes[1:]]
    return weights, biases


@functools.lru_cache(maxsize=32)
def train(seed=0, *, width=30, depth=3, n_points=60, activation="tanh"):
    """Train a network on all points at once with Adam and keep its path.

    All points form one batch, so that one epoch is one step.

    Parameters
    ----------
    seed : int
        Of the initial weights.
    width, depth : int
        Nodes of a hidden layer, and how many hidden layers.
    n_points : int
    activation : {"tanh", "relu"}

    Returns
    -------
    Training

    Examples
    --------
    >>> run = train(width=4, depth=1, n_points=20)
    >>> bool(run.losses[-1] < run.losses[0]), run.predictions.shape
    (True, (17, 161))
    """
    x, y = data_points(n_points)
    places = np.linspace(-HALF_WIDTH, HALF_WIDTH, N_PLACES)[:, None]
    weights, biases = _initial_parameters(seed, width, depth, activation)
    parameters = weights + biases
    first = [np.zeros_like(values) for values in parameters]
    second = [np.zeros_like(values) for values in parameters]
    bend = np.tanh if activation == "tanh" else lambda z: np.maximum(z, 0.0)
    slope = (lambda h: 1 - h**2) if activation == "tanh" else (lambda h: (h > 0).astype(float))

    def forward(inputs):
        layers = [inputs / INPUT_SCALE]
        for matrix, bias in zip(weights[:-1], biases[:-1], strict=True):
            layers.append(bend(layers[-1] @ matrix + bias))
        return layers, layers[-1] @ weights[-1] + biases[-1]

    losses, predictions = np.empty(N_EPOCHS + 1), []
    for epoch in range(N_EPOCHS + 1):
        if epoch % EPOCHS_PER_SNAPSHOT == 0:
            predictions.append(forward(places)[1][:, 0])
        layers, output = forward(x)
        losses[epoch] = np.mean((output - y) ** 2)
        if epoch == N_EPOCHS:
            break
        signal = 2 * (output - y) / n_points
        weight_gradients, bias_gradients = [], []
        for number in range(depth, -1, -1):
            weight_gradients.insert(0, layers[number].T @ signal)
            bias_gradients.insert(0, signal.sum(axis=0))
            signal = (signal @ weights[number].T) * slope(layers[number])
        step = epoch + 1
        for values, gradient, mean, square in zip(
            parameters, weight_gradients + bias_gradients, first, second, strict=True
        ):
            mean += (1 - FIRST_MEMORY) * (gradient - mean)
            square += (1 - SECOND_MEMORY) * (gradient**2 - square)
            unbiased = mean / (1 - FIRST_MEMORY**step)
            values -= LEARNING_RATE * unbiased / (np.sqrt(square / (1 - SECOND_MEMORY**step)) + TINY)
    return Training(x, y, losses, places, np.array(predictions))


def _sampled(field, *samples):
    # The tests compare both languages at these: small networks, so that they train in no time.
    return dataclasses.replace(field, samples=samples)


class InterpolationTraining(Explorable):
    """A network learns a curve: data and prediction on the left, the objective on the right (figure 2.4).

    Parameters
    ----------
    snapshot : int
        Which stored prediction is shown: 0 to 16, in steps of 50 epochs.
    seed : int
        Of the initial weights, 0 to 99.
    width : int
        Nodes of each hidden layer, 1 to 60.
    depth : int
        Hidden layers, 1 to 4.
    n_points : int
        Data points, 10 to 120.
    activation : {"tanh", "relu"}
        Of the hidden layers.
    compare : bool
        Show the predictions after 50, 100, 200 and 800 epochs together.

    Examples
    --------
    >>> InterpolationTraining(snapshot=16).epoch
    800
    """

    name = "interpolation_training"
    title = "A network learns a curve"
    figure = "Figure 2.4"
    goal = (
        "Read the same story twice, in the fit and in the objective, and find out what a new random start, "
        "fewer nodes or fewer points change."
    )
    shared_scripts = ("kit", "plot")
    fields: ClassVar = {
        "snapshot": _sampled(
            integer(4, 0, N_EPOCHS // EPOCHS_PER_SNAPSHOT, "stored prediction, 50 epochs apart"), 0, 3, 16
        ),
        "seed": _sampled(integer(0, 0, 99, "seed of the initial weights"), 0),
        "width": _sampled(integer(30, 1, 60, "nodes of each hidden layer"), 3, 8),
        "depth": _sampled(integer(3, 1, 4, "hidden layers"), 1, 2),
        "n_points": _sampled(integer(60, 10, 120, "data points"), 20),
        "activation": choice("tanh", ["tanh", "relu"], "activation of the hidden layers"),
        "compare": flag(False, "show the predictions after 50, 100, 200 and 800 epochs together"),
    }

    @classmethod
    def constants(cls):
        return {
            "nEpochs": N_EPOCHS,
            "stride": EPOCHS_PER_SNAPSHOT,
            "compared": COMPARED_EPOCHS,
            "nPlaces": N_PLACES,
            "noise": NOISE,
            "sequence": style.SEQUENCE,
        }

    @property
    def epoch(self):
        """Epochs of training before the shown prediction."""
        return self.state["snapshot"] * EPOCHS_PER_SNAPSHOT

    def training(self):
        """Return the `Training` of the present settings."""
        settings = {name: self.state[name] for name in ("width", "depth", "n_points", "activation")}
        return train(self.state["seed"], **settings)

    def summary(self):
        """Say how far the objective has come."""
        losses = self.training().losses
        parameters = parameter_count(self.state["width"], self.state["depth"])
        return (
            f"After {self.epoch} of {N_EPOCHS} epochs the mean squared residual of {self.state['n_points']} points is "
            f"{written(losses[self.epoch])}, from {written(losses[0])} at the random start of {parameters} parameters."
        )

    def static_figure(self):
        """Return the fit after several epochs beside the objective."""
        import textwrap

        import plotly.graph_objects as go
        from plotly.subplots import make_subplots

        run = self.training()
        figure = make_subplots(cols=2, column_widths=[0.6, 0.4], horizontal_spacing=0.13)
        figure.add_trace(
            go.Scatter(
                x=run.x[:, 0].astype("float32"),
                y=run.y[:, 0].astype("float32"),
                mode="markers",
                name="data",
                marker={"color": style.PALETTE["reference"], "size": 5},
            ),
            row=1,
            col=1,
        )
        for epoch, colour in zip(COMPARED_EPOCHS, style.SEQUENCE, strict=False):
            figure.add_trace(
                go.Scatter(
                    x=run.places[:, 0].astype("float32"),
                    y=run.predictions[epoch // EPOCHS_PER_SNAPSHOT].astype("float32"),
                    name=f"{epoch} epochs",
                    line={"color": colour, "dash": "solid" if epoch == N_EPOCHS else "dot"},
                ),
                row=1,
                col=1,
            )
        figure.add_trace(
            go.Scatter(
                x=np.arange(0, N_EPOCHS + 1, 4),
                y=run.losses[::4].astype("float32"),
                showlegend=False,
                line={"color": style.PALETTE["training"]},
            ),
            row=1,
            col=2,
        )
        figure.add_vline(x=self.epoch, line={"color": style.PALETTE["highlight"], "width": 3}, row=1, col=2)
        figure.update_xaxes(title_text="x", row=1, col=1)
        figure.update_yaxes(title_text="f", row=1, col=1)
        figure.update_xaxes(title_text="epoch", row=1, col=2)
        figure.update_yaxes(title_text="mean squared residual", type="log", row=1, col=2)
        figure.update_layout(
            template=style.template(),
            title={"text": self.title, "subtitle": {"text": "<br>".join(textwrap.wrap(self.summary(), 110))}},
            legend={"y": -0.22, "yanchor": "top"},
            margin={"t": 110, "b": 90},
            height=440,
        )
        return figure
