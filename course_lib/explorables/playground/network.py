"""The network of the playground and its training; ``network.js`` computes the same numbers.

Only additions, multiplications, divisions and square roots, in one fixed order, lead from a state to the trained
weights: wherever floating-point numbers follow IEEE 754 these give the same last bit, so the weights of Python and of
every browser are equal, not only close. Two things follow. Sums are taken from the first term to the last (a matrix
product of numpy would leave the order to the processor), and the exponential is our own.

Losses are shown, never fed back, so their logarithm comes from the library: they agree to 1e-12.

References
----------
Initial weights: X. Glorot, Y. Bengio, AISTATS 2010, uniform, with biases 0. Optimisers as in Keras 3: momentum 0.9;
RMSprop with rho = 0.9; D. P. Kingma, J. Ba, Adam, arXiv:1412.6980, with beta = 0.9 and 0.999; epsilon 1e-7.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import numpy as np

from course_lib.explorables.playground import data

LEAK = 0.2  # slope of the leaky ReLU below 0, as in Keras
MOMENTUM = 0.9
RHO = 0.9
BETA_1, BETA_2 = 0.9, 0.999
EPSILON = 1e-7

_TAYLOR = [1.0 / math.factorial(k) for k in range(10, -1, -1)]


def exponential(x):
    """Return exp(x) with a relative error below 1e-13, from multiplications and additions alone.

    Parameters
    ----------
    x : numpy.ndarray
        Taken as 40 above 40 and as -40 below -40: beyond, no activation changes any more.

    Returns
    -------
    numpy.ndarray, same shape

    Examples
    --------
    >>> exponential(np.array([0.0, 1.0])).round(12).tolist()
    [1.0, 2.718281828459]
    """
    small = np.minimum(np.maximum(x, -40.0), 40.0) / 256.0
    power = _TAYLOR[0]
    for coefficient in _TAYLOR[1:]:
        power = power * small + coefficient
    for _ in range(8):
        power = power * power
    return power


def _tanh(z):
    power = exponential(-2.0 * z)
    return (1.0 - power) / (1.0 + power)


def sigmoid(z):
    """Return 1 / (1 + exp(-z)).

    Examples
    --------
    >>> sigmoid(np.array([0.0])).tolist()
    [0.5]
    """
    return 1.0 / (1.0 + exponential(-z))


#: Name, the same as in Keras -> the function, and its slope from the input z and the output a.
ACTIVATIONS = {
    "linear": (lambda z: z, lambda z, a: np.ones_like(z)),
    "relu": (lambda z: np.maximum(z, 0.0), lambda z, a: (z > 0) * 1.0),
    "leaky_relu": (lambda z: np.where(z > 0, z, LEAK * z), lambda z, a: np.where(z > 0, 1.0, LEAK)),
    "elu": (lambda z: np.where(z > 0, z, exponential(z) - 1.0), lambda z, a: np.where(z > 0, 1.0, a + 1.0)),
    "tanh": (_tanh, lambda z, a: 1.0 - a * a),
    "sigmoid": (sigmoid, lambda z, a: a * (1.0 - a)),
}


def layer_sizes(settings):
    """Return the number of inputs, of the nodes of each hidden layer, and the one output.

    Examples
    --------
    >>> layer_sizes({"features": ["x", "y"], "layers": [4, 2]})
    [2, 4, 2, 1]
    """
    return [len(settings["features"]), *settings["layers"], 1]


def initial_weights(settings):
    """Return the weights before training.

    Parameters
    ----------
    settings : dict
        ``features``, ``layers`` and ``seed`` of a state.

    Returns
    -------
    list of numpy.ndarray, shape (n_inputs + 1, n_nodes)
        One array a layer: the biases in the first row, one row an input below.

    Examples
    --------
    >>> [layer.shape for layer in initial_weights({"features": ["x", "y"], "layers": [4], "seed": 0})]
    [(3, 4), (5, 1)]
    """
    sizes = layer_sizes(settings)
    weights = []
    for layer, (n_inputs, n_nodes) in enumerate(itertools.pairwise(sizes)):
        limit = math.sqrt(6.0 / (n_inputs + n_nodes))
        drawn = (2.0 * data.uniform(settings["seed"], data.WEIGHTS + layer, n_inputs * n_nodes) - 1.0) * limit
        weights.append(np.vstack([np.zeros(n_nodes), drawn.reshape(n_inputs, n_nodes)]))
    return weights


def _total(terms):
    # accumulate adds one term after the other; sum and matrix products choose an order of their own.
    return np.add.accumulate(terms, axis=0)[-1]


def _with_one(inputs):
    """Put a column of ones before the inputs: it meets the row of the biases."""
    extended = np.empty((len(inputs), inputs.shape[1] + 1))
    extended[:, 0] = 1.0
    extended[:, 1:] = inputs
    return extended


def forward(weights, inputs, activation):
    """Return what every layer computes, from the first hidden one to the output.

    Parameters
    ----------
    weights : list of numpy.ndarray
        As `initial_weights` makes them.
    inputs : numpy.ndarray, shape (n, n_features)
    activation : str
        Of the hidden layers, from `ACTIVATIONS`; the output is linear.

    Returns
    -------
    before, after : list of numpy.ndarray, shape (n, n_nodes)
        Before and after the activation; the last entries are equal.
    """
    before, after = [], []
    for place, layer in enumerate(weights):
        before.append(_total(_with_one(inputs).T[:, :, None] * layer[:, None, :]))
        inputs = before[-1] if place == len(weights) - 1 else ACTIVATIONS[activation][0](before[-1])
        after.append(inputs)
    return before, after


def loss_values(output, target, kind):
    """Return the loss of each point.

    Parameters
    ----------
    output, target : numpy.ndarray, shape (n,)
        Output of the last layer (before a sigmoid), and what it should be.
    kind : {"cross_entropy", "class_mse", "mse"}
        Cross-entropy of the sigmoid, squared error of the sigmoid, squared error of the output itself.

    Returns
    -------
    numpy.ndarray, shape (n,)
    """
    if kind == "cross_entropy":
        return np.maximum(output, 0.0) - target * output + np.log1p(np.exp(-np.abs(output)))
    return ((output if kind == "mse" else sigmoid(output)) - target) ** 2


def loss_slopes(output, target, kind):
    """Return the derivative of each point's loss with respect to the output of the last layer, shape (n,)."""
    if kind == "mse":
        return 2.0 * (output - target)
    probability = sigmoid(output)
    slope = probability - target
    return slope if kind == "cross_entropy" else 2.0 * slope * (probability * (1.0 - probability))


def gradient(weights, inputs, target, *, activation, kind, l1=0.0, l2=0.0):
    r"""Return the gradient of the mean loss plus the penalty.

    The penalty :math:`\lambda_1\sum|w| + \lambda_2\sum w^2` runs over weights, not over biases; the slope of
    :math:`|w|` at zero is taken as 0, as Keras does.

    Parameters
    ----------
    weights : list of numpy.ndarray
    inputs : numpy.ndarray, shape (n, n_features)
    target : numpy.ndarray, shape (n,)
    activation, kind : str
        As in `forward` and `loss_values`.
    l1, l2 : float

    Returns
    -------
    list of numpy.ndarray
        Shapes as in `weights`.
    """
    before, after = forward(weights, inputs, activation)
    arriving = [inputs, *after[:-1]]
    slope = ACTIVATIONS[activation][1]
    blame = (loss_slopes(before[-1][:, 0], target, kind) / len(inputs))[:, None]
    gradients = [None] * len(weights)
    for place in range(len(weights) - 1, -1, -1):
        layer = weights[place]
        total = _total(_with_one(arriving[place])[:, :, None] * blame[:, None, :])
        if l1 or l2:
            total[1:] += 2.0 * l2 * layer[1:] + l1 * np.sign(layer[1:])
        gradients[place] = total
        if place:
            back = _total(blame.T[:, :, None] * layer[1:].T[:, None, :])
            blame = back * slope(before[place - 1], after[place - 1])
    return gradients


class Optimiser:
    """One of the four rules that turn a gradient into a step, with its memory.

    Parameters
    ----------
    name : {"sgd", "momentum", "rmsprop", "adam"}
    learning_rate : float
    """

    def __init__(self, name, learning_rate):
        self.name = name
        self.learning_rate = learning_rate
        self._first = self._second = 0.0
        self._power_1 = self._power_2 = 1.0

    def step(self, parameters, slope):
        """Change `parameters` in place by one step; both are arrays of one shape."""
        rate = self.learning_rate
        if self.name == "sgd":
            parameters -= rate * slope
        elif self.name == "momentum":
            self._first = MOMENTUM * self._first - rate * slope
            parameters += self._first
        elif self.name == "rmsprop":
            self._second = RHO * self._second + (1.0 - RHO) * (slope * slope)
            parameters -= rate * slope / np.sqrt(self._second + EPSILON)
        else:
            self._power_1 *= BETA_1
            self._power_2 *= BETA_2
            rate = rate * math.sqrt(1.0 - self._power_2) / (1.0 - self._power_1)
            self._first = BETA_1 * self._first + (1.0 - BETA_1) * slope
            self._second = BETA_2 * self._second + (1.0 - BETA_2) * (slope * slope)
            parameters -= rate * self._first / (np.sqrt(self._second) + EPSILON)


@dataclass
class Training:
    """A network on its way: data, weights, and the losses after each epoch.

    Parameters
    ----------
    settings : dict
        Complete and checked state of a playground.

    Attributes
    ----------
    weights : list of numpy.ndarray, shape (n_inputs + 1, n_nodes)
        Biases in the first row.
    training_loss, test_loss : list of float
        Mean loss without penalty; entry e was measured after e epochs.
    training_accuracy, test_accuracy : list of float
        Share of right answers; empty lists for regression.
    diverged : bool
        The loss is no number any more; training has stopped.
    """

    settings: dict
    training_loss: list = field(default_factory=list)
    test_loss: list = field(default_factory=list)
    training_accuracy: list = field(default_factory=list)
    test_accuracy: list = field(default_factory=list)
    diverged: bool = False

    def __post_init__(self):
        settings = self.settings
        self.points, self.targets = data.make_points(settings)
        self.inputs = data.feature_matrix(settings["features"], self.points)
        self.n_training = data.n_training(settings)
        self.kind = loss_kind(settings)
        initial = initial_weights(settings)
        # All parameters in one array, so that the optimiser takes one step for all layers; the layers are views of it.
        self._parameters = np.concatenate([layer.ravel() for layer in initial])
        ends = np.cumsum([layer.size for layer in initial])[:-1]
        parts = np.split(self._parameters, ends)
        self.weights = [part.reshape(layer.shape) for part, layer in zip(parts, initial, strict=True)]
        self.optimiser = Optimiser(settings["optimiser"], settings["learning_rate"])
        self.epoch = self.batch = 0
        self._judge()

    def order(self):
        """Return the order in which the training points come in the running epoch."""
        keys = data.random_bits(self.settings["seed"], data.BATCHES + self.epoch, self.n_training)
        return np.argsort(keys, kind="stable")

    def step(self):
        """Train on one batch; the last batch of an epoch may be smaller."""
        if self.diverged:
            return
        size = self.settings["batch_size"]
        if self.batch == 0:
            self._order = self.order()
        chosen = self._order[self.batch * size : (self.batch + 1) * size]
        with np.errstate(all="ignore"):  # a training that diverges is an answer, not an accident
            slopes = gradient(
                self.weights,
                self.inputs[chosen],
                self.targets[chosen],
                activation=self.settings["activation"],
                kind=self.kind,
                l1=self.settings["l1"],
                l2=self.settings["l2"],
            )
            self.optimiser.step(self._parameters, np.concatenate([slope.ravel() for slope in slopes]))
            self.batch += 1
            if self.batch * size >= self.n_training:
                self.epoch, self.batch = self.epoch + 1, 0
                self._judge()

    def run(self, epoch, batch=0):
        """Train until `epoch` epochs and `batch` batches are done, or the training has diverged."""
        while (self.epoch, self.batch) < (epoch, batch) and not self.diverged:
            self.step()

    def predict(self, points):
        """Return the probability of class 1, or the target of a regression, at points of the plane.

        Parameters
        ----------
        points : array_like, shape (n, 2)

        Returns
        -------
        numpy.ndarray, shape (n,)
        """
        inputs = data.feature_matrix(self.settings["features"], points)
        output = forward(self.weights, inputs, self.settings["activation"])[1][-1][:, 0]
        return output if self.kind == "mse" else sigmoid(output)

    def _judge(self):
        output = forward(self.weights, self.inputs, self.settings["activation"])[1][-1][:, 0]
        losses = loss_values(output, self.targets, self.kind)
        n = self.n_training
        self.training_loss.append(float(losses[:n].mean()))
        self.test_loss.append(float(losses[n:].mean()))
        if self.kind != "mse":
            right = (output > 0) == (self.targets > 0.5)
            self.training_accuracy.append(float(right[:n].mean()))
            self.test_accuracy.append(float(right[n:].mean()))
        self.diverged = not math.isfinite(self.training_loss[-1])


def loss_kind(settings):
    """Return which of the losses of `loss_values` a state trains with.

    Examples
    --------
    >>> loss_kind({"dataset": "circles", "loss": "mse"})
    'class_mse'
    """
    if settings["dataset"] in data.REGRESSION:
        return "mse"
    return "class_mse" if settings["loss"] == "mse" else settings["loss"]
