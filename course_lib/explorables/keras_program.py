"""Figure 1.5: the first Keras program, line by line, and what each of its choices does to the training."""

from __future__ import annotations

import functools
from typing import ClassVar

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, choice, integer, written

N_EVENTS = 128
BATCH_SIZE = 32
MAXIMUM_EPOCHS = 200

#: Both observables are uniform between -EDGE and EDGE; signal lies inside the circle, half of the area.
EDGE = 1.5
RADIUS = 1.2

ACTIVATIONS = ["relu", "tanh", "sigmoid", "linear"]
LOSSES = ["mse", "binary_crossentropy"]
OPTIMIZERS = ["sgd", "adam"]
LEARNING_RATES = [0.01, 0.1, 0.3]

#: What each line of the program does; ``{n}`` is the number of nodes, ``{weights}`` that of the parameters.
LINES = [
    "An empty stack of layers: each layer hands its output to the next one.",
    "Every event brings 2 numbers. They get no parameters.",
    "{n} nodes, each with 2 weights and a bias: {n} · (2 + 1) parameters. The activation makes the border bend.",
    "One node with {n} weights and a bias; the sigmoid turns its sum into a number between 0 and 1.",
    "What shall become small (loss), and how the parameters are moved (optimizer). Nothing is trained yet.",
    "The training: 200 times through the 128 events in batches of 32, each a small step of all {weights} parameters.",
    "The test: loss and accuracy on 128 events that the training never saw.",
]


def random_numbers(seed, count):
    """Uniform random numbers from -1 to 1, the same as in the browser (generator of Park and Miller).

    Examples
    --------
    >>> random_numbers(0, 2).round(3).tolist()
    [0.653, -0.634]
    """
    state = (seed + 1) * 1000003 % 2147483647
    drawn = []
    for _ in range(count):
        state = state * 16807 % 2147483647
        drawn.append(state / 2**30 - 1)
    return np.array(drawn)


@functools.cache
def events(test=False):
    """Return the simulated events of the program.

    Parameters
    ----------
    test : bool
        The test sample instead of the training sample.

    Returns
    -------
    observables : numpy.ndarray, shape (128, 2)
        Uniform in a square; no unit.
    labels : numpy.ndarray, shape (128,)
        1 inside the circle (signal), 0 outside (background).

    Examples
    --------
    >>> observables, labels = events()
    >>> observables.shape, int(labels.sum())
    ((128, 2), 60)
    """
    observables = EDGE * random_numbers(101 if test else 100, 2 * N_EVENTS).reshape(-1, 2)
    return observables, (np.sum(observables**2, axis=1) < RADIUS**2).astype(float)


def parameter_count(nodes):
    """Count the parameters of the program's network.

    Examples
    --------
    >>> parameter_count(4)
    17
    """
    return (2 * nodes + nodes) + (nodes + 1)


def start_parameters(nodes, seed):
    """Draw weights as Keras does (Glorot's uniform rule), biases zero.

    Returns
    -------
    list of numpy.ndarray
        Shapes (2, nodes), (nodes,), (nodes, 1), (1,).

    Examples
    --------
    >>> [array.shape for array in start_parameters(4, 0)]
    [(2, 4), (4,), (4, 1), (1,)]
    """
    drawn = random_numbers(seed, 3 * nodes)
    first = drawn[: 2 * nodes].reshape(2, nodes) * np.sqrt(6 / (2 + nodes))
    last = drawn[2 * nodes :].reshape(nodes, 1) * np.sqrt(6 / (nodes + 1))
    return [first, np.zeros(nodes), last, np.zeros(1)]


def arrays_of(flat):
    """Split a flat vector of parameters into the four arrays of `start_parameters`."""
    nodes = (len(flat) - 1) // 4
    first, biases, last, bias = np.split(flat, [2 * nodes, 3 * nodes, 4 * nodes])
    return [first.reshape(2, nodes), biases, last.reshape(nodes, 1), bias]


def _sigmoid(value):
    return 1 / (1 + np.exp(np.minimum(-value, 700)))


#: Name -> the function, and its slope as a function of its value.
_ACTIVATE = {
    "relu": (lambda x: np.maximum(x, 0), lambda y: y > 0),
    "tanh": (np.tanh, lambda y: 1 - y * y),
    "sigmoid": (_sigmoid, lambda y: y * (1 - y)),
    "linear": (lambda x: x, lambda y: 1.0),
}


def predict(parameters, observables, activation):
    """Return the network's output for events.

    Parameters
    ----------
    parameters : list of numpy.ndarray
        As from `start_parameters`.
    observables : numpy.ndarray, shape (n, 2)
    activation : str
        Of the hidden layer.

    Returns
    -------
    numpy.ndarray, shape (n,)

    Examples
    --------
    >>> predict(start_parameters(4, 0), np.zeros((1, 2)), "relu")
    array([0.5])
    """
    hidden = _ACTIVATE[activation][0](observables @ parameters[0] + parameters[1])
    return _sigmoid(hidden @ parameters[2] + parameters[3])[:, 0]


def loss_of(outputs, labels, loss):
    """Mean squared error, or mean binary cross-entropy with the outputs kept 1e-7 away from 0 and 1.

    Examples
    --------
    >>> loss_of(np.array([0.5, 1.0]), np.array([0, 1]), "mse")
    0.125
    """
    if loss == "mse":
        return float(np.mean((outputs - labels) ** 2))
    kept = np.clip(outputs, 1e-7, 1 - 1e-7)
    return float(-np.mean(labels * np.log(kept) + (1 - labels) * np.log(1 - kept)))


@functools.lru_cache(maxsize=64)
def train(nodes, activation, loss, optimizer, learning_rate, seed, n_epochs=MAXIMUM_EPOCHS):
    """Train the program's network and keep its parameters after every epoch.

    The batches come in a fixed order, so that browser and Python do the same; Keras shuffles. The parameters are
    rounded to millionths after every epoch: the last digits differ between the languages and must not grow.

    Returns
    -------
    list of list of numpy.ndarray
        The parameters at the start and after each of the epochs, in the shapes of `start_parameters`.

    Examples
    --------
    >>> history = train(4, "tanh", "mse", "adam", 0.1, 0)
    >>> observables, labels = events()
    >>> len(history), loss_of(predict(history[-1], observables, "tanh"), labels, "mse") < 0.1
    (201, True)
    """
    observables, labels = events()
    batches = [
        (observables[start : start + BATCH_SIZE], labels[start : start + BATCH_SIZE, None])
        for start in range(0, N_EVENTS, BATCH_SIZE)
    ]
    activate, slope_of = _ACTIVATE[activation]
    flat = np.concatenate([array.ravel() for array in start_parameters(nodes, seed)])
    mean, square, steps, history = np.zeros_like(flat), np.zeros_like(flat), 0, [arrays_of(flat)]
    for _ in range(n_epochs):
        for x, y in batches:
            weights, biases, last_weights, last_bias = arrays_of(flat)
            hidden = activate(x @ weights + biases)
            output = _sigmoid(hidden @ last_weights + last_bias)
            delta = (output - y) * (2 * output * (1 - output) if loss == "mse" else 1.0) / BATCH_SIZE
            back = (delta @ last_weights.T) * slope_of(hidden)
            parts = [(x.T @ back).ravel(), back.sum(axis=0), (hidden.T @ delta).ravel(), delta.sum(axis=0)]
            gradient = np.concatenate(parts)
            steps += 1
            if optimizer == "adam":
                mean = 0.9 * mean + 0.1 * gradient
                square = 0.999 * square + 0.001 * gradient**2
                rate = learning_rate * (1 - 0.999**steps) ** 0.5 / (1 - 0.9**steps)
                flat = flat - rate * mean / (np.sqrt(square) + 1e-7)
            else:
                flat = flat - learning_rate * gradient
        flat = np.floor(flat * 1e6 + 0.5) / 1e6
        history.append(arrays_of(flat))
    return history


class KerasProgram(Explorable):
    """The seven lines of a first Keras program; every choice in them can be changed (figure 1.5).

    Parameters
    ----------
    nodes : int
        Nodes of the hidden layer, 1 to 8.
    activation : {"relu", "tanh", "sigmoid", "linear"}
        Of the hidden layer.
    loss : {"mse", "binary_crossentropy"}
        The objective.
    optimizer : {"sgd", "adam"}
        How the parameters are moved.
    learning_rate : {0.01, 0.1, 0.3}
        Size of the steps.
    seed : int
        Of the first weights, 0 to 9.
    epoch : int
        Epochs trained so far, 0 to 200.
    line : int
        The line of the program that is explained, 0 to 6.

    Examples
    --------
    >>> program = KerasProgram(epoch=200, optimizer="adam", learning_rate=0.1, prediction="skipped")
    >>> program.summary().split(":")[0]
    'After 200 epochs'
    """

    name = "keras_program"
    title = "Seven lines of Keras"
    figure = "Figure 1.5"
    goal = "Press the lines to see what each does. Then find choices that learn the circle within 200 epochs."
    shared_scripts: ClassVar = ("kit", "plot")
    fields: ClassVar = {
        "nodes": integer(4, 1, 8, "nodes of the hidden layer"),
        "activation": choice("relu", ACTIVATIONS, "activation of the hidden layer"),
        "loss": choice("mse", LOSSES, "objective"),
        "optimizer": choice("sgd", OPTIMIZERS, "rule for moving the parameters"),
        "learning_rate": choice(0.01, LEARNING_RATES, "size of the steps"),
        "seed": integer(0, 0, 9, "seed of the first weights"),
        "epoch": integer(0, 0, MAXIMUM_EPOCHS, "epochs trained so far"),
        "line": integer(2, 0, 6, "line that is explained"),
    }

    @classmethod
    def constants(cls):
        return {
            "lines": LINES,
            "sizes": [N_EVENTS, BATCH_SIZE, MAXIMUM_EPOCHS],
            "square": [EDGE, RADIUS],
            "choices": [ACTIVATIONS, LOSSES, OPTIMIZERS, LEARNING_RATES],
        }

    def history(self, n_epochs=MAXIMUM_EPOCHS):
        """Return the parameters after every epoch, as `train` does."""
        state = self.state
        names = ("nodes", "activation", "loss", "optimizer", "learning_rate", "seed")
        return train(*(state[name] for name in names), n_epochs)

    def evaluate(self, *, test=True):
        """Return loss and accuracy of the present epoch, on the test sample or the training sample."""
        observables, labels = events(test)
        epoch = self.state["epoch"]
        outputs = predict(self.history(epoch)[epoch], observables, self.state["activation"])
        return loss_of(outputs, labels, self.state["loss"]), float(np.mean((outputs > 0.5) == (labels > 0.5)))

    def summary(self):
        loss, _ = self.evaluate(test=False)
        _, accuracy = self.evaluate()
        epoch, n_parameters = self.state["epoch"], parameter_count(self.state["nodes"])
        return (
            f"After {epoch} epoch{'' if epoch == 1 else 's'}: training loss {written(loss)}, "
            f"{written(100 * accuracy)} % of the test events right, with {n_parameters} parameters."
        )

    def static_figure(self):
        """Return the loss curve and the network's output over the two observables."""
        import plotly.graph_objects as go
        from plotly.subplots import make_subplots

        state, history = self.state, self.history()
        observables, labels = events()
        losses = [
            loss_of(predict(parameters, observables, state["activation"]), labels, state["loss"])
            for parameters in history
        ]
        figure = make_subplots(
            cols=2,
            column_widths=[0.52, 0.48],
            horizontal_spacing=0.14,
            subplot_titles=("training", "output of the network"),
        )
        figure.add_trace(
            go.Scatter(
                x=np.arange(len(losses), dtype=np.int16),
                y=np.round(losses, 4).astype(np.float32),
                line_color=style.PALETTE["training"],
                name="training loss",
                showlegend=False,
            ),
            row=1,
            col=1,
        )
        figure.add_vline(x=state["epoch"], line_color=style.PALETTE["highlight"], line_width=3, row=1, col=1)
        axis = np.linspace(-EDGE, EDGE, 31)
        places = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
        outputs = predict(history[state["epoch"]], places, state["activation"]).reshape(31, 31)
        figure.add_trace(
            go.Heatmap(
                x=axis.round(2),
                y=axis.round(2),
                z=outputs.round(3).astype(np.float32),
                zmin=0,
                zmax=1,
                colorscale=[[0, "#dfe3e8"], [1, "#c9a8e6"]],
                colorbar={"title": "output"},
            ),
            row=1,
            col=2,
        )
        for value, name, symbol in ((1, "signal", "circle"), (0, "background", "x")):
            figure.add_trace(
                go.Scatter(
                    x=observables[labels == value, 0].round(3),
                    y=observables[labels == value, 1].round(3),
                    mode="markers",
                    marker={"color": style.PALETTE[name], "symbol": symbol, "size": 6},
                    name=name,
                ),
                row=1,
                col=2,
            )
        figure.update_xaxes(title="epoch", row=1, col=1)
        figure.update_yaxes(title=f"loss ({state['loss']})", rangemode="tozero", row=1, col=1)
        figure.update_xaxes(title="observable x<sub>1</sub>", row=1, col=2)
        figure.update_yaxes(title="observable x<sub>2</sub>", row=1, col=2)
        figure.update_layout(
            template=style.template(),
            title={"text": "Seven lines of Keras", "subtitle": {"text": self.summary()}, "y": 0.96, "yanchor": "top"},
            height=440,
            margin={"t": 124},
            legend={"x": 0.56, "y": -0.2, "yanchor": "top"},
        )
        return figure
