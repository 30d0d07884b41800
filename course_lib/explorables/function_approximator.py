"""Figure 3.4a and the universal approximation theorem: one hidden layer of ReLU nodes, or of sigmoid steps."""

from __future__ import annotations

import functools
from typing import ClassVar, NamedTuple

import numpy as np
import scipy.linalg

from course_lib import style
from course_lib.explorables.base import Explorable, Field, choice, flag, integer, numbers, written
from course_lib.explorables.playground.data import uniform
from course_lib.simulators import interpolation

TARGET_LABELS = {
    "sine": "sine",
    "steep": "steep step, continuous",
    "curve": "wiggly curve of chapter 2",
    "jump": "jump, not continuous",
    "points": "your own points",
}
KIND_LABELS = {"relu": "ReLU, best fit", "step": "sigmoid steps"}

#: Places of the movable points.
POINT_PLACES = np.linspace(-1, 1, 9)

#: Where fit and target are compared.
GRID = np.linspace(-1, 1, 401)

#: Numbers of nodes for which the error is drawn.
NODE_NUMBERS = [1, 2, 3, 5, 8, 12, 20, 30, 50, 70, 100]

#: The training: places, gradient steps of one press of Play, learning rate and the constants of Adam.
TRAINING_GRID = np.linspace(-1, 1, 41)
STEPS_PER_ROUND = 20
MAXIMUM_ROUNDS = 50
LEARNING_RATE = 0.02
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


def target(kind, heights, x):
    """The function that is to be approximated, of about unit size on the interval from -1 to 1.

    Parameters
    ----------
    kind : {"sine", "steep", "curve", "jump", "points"}
    heights : array_like, shape (9,)
        Of the movable points, which straight lines join.
    x : array_like

    Returns
    -------
    numpy.ndarray, same shape as `x`

    Examples
    --------
    >>> target("jump", [0] * 9, [-0.5, 0.5])
    array([-1.,  1.])
    """
    x = np.asarray(x, dtype=float)
    if kind == "sine":
        return np.sin(np.pi * x)
    if kind == "steep":
        return np.tanh(12 * x)
    if kind == "jump":
        return np.where(x < 0, -1.0, 1.0)
    if kind == "curve":
        return interpolation.function(5 * x) / 5 - 0.8
    return np.interp(x, POINT_PLACES, heights)


class Network(NamedTuple):
    """One hidden layer of one input: z(x) = sum_i c_i sigma(w_i x + b_i) + d; weights, biases, factors (n,)."""

    kind: str
    weights: np.ndarray
    biases: np.ndarray
    factors: np.ndarray
    constant: float

    def __call__(self, x):
        """Return z at `x`, any shape."""
        sums = np.asarray(x, dtype=float)[..., None] * self.weights + self.biases
        # Beyond 700 the exponential of a steep step overflows.
        hidden = np.maximum(sums, 0) if self.kind == "relu" else 1 / (1 + np.exp(np.minimum(-sums, 700)))
        return hidden @ self.factors + self.constant


def relu_fit(values, n_nodes):
    """The network of ReLU nodes with equally spaced kinks that is closest to `values` in the mean square.

    Parameters
    ----------
    values : array_like, shape (401,)
        The target on `GRID`.
    n_nodes : int

    Returns
    -------
    Network
        All weights are 1; the kinks -b_i lie at -1, -1 + 2/n, ...

    Notes
    -----
    Such networks are the functions that are straight between n + 1 knots. Their heights at the knots solve a
    tridiagonal system; factor i is the change of slope at knot i.

    Examples
    --------
    >>> network = relu_fit(np.abs(GRID), 2)
    >>> network.biases, network.factors.round(6), round(network.constant, 6)
    (array([1., 0.]), array([-1.,  2.]), 1.0)
    """
    place = (GRID + 1) * n_nodes / 2
    left = np.minimum(place.astype(int), n_nodes - 1)
    share = place - left
    values = np.asarray(values, dtype=float)
    diagonal, beside, right_side = np.zeros(n_nodes + 1), np.zeros(n_nodes + 1), np.zeros(n_nodes + 1)
    np.add.at(diagonal, left, (1 - share) ** 2)
    np.add.at(diagonal, left + 1, share**2)
    np.add.at(beside, left + 1, share * (1 - share))
    np.add.at(right_side, left, (1 - share) * values)
    np.add.at(right_side, left + 1, share * values)
    heights = scipy.linalg.solveh_banded(np.stack([beside, diagonal]), right_side)
    slopes = np.diff(heights) * n_nodes / 2
    biases = 1 - 2 * np.arange(n_nodes) / n_nodes
    return Network("relu", np.ones(n_nodes), biases, np.diff(slopes, prepend=0.0), float(heights[0]))


def step_sum(kind, heights, n_nodes, sharpness):
    """A staircase of sigmoids: node i switches on at the border of two bins and adds the change of the target.

    Parameters
    ----------
    kind, heights
        As of `target`.
    n_nodes : int
        The interval has one bin more.
    sharpness : float
        Weight times width of a bin.

    Returns
    -------
    Network
        Weight w and bias -w e_i put the step of node i at e_i.

    Examples
    --------
    >>> network = step_sum("jump", [0] * 9, 1, 50)
    >>> network.weights, network.biases + 0, network.factors, network.constant
    (array([50.]), array([0.]), array([2.]), -1.0)
    """
    width = 2 / (n_nodes + 1)
    edges = -1 + width * np.arange(1, n_nodes + 1)
    middles = target(kind, heights, -1 + width * (np.arange(n_nodes + 1) + 0.5))
    weight = sharpness / width
    return Network("step", np.full(n_nodes, weight), -weight * edges, np.diff(middles), float(middles[0]))


def first_weights(n_nodes, seed):
    """The network with which a training begins: kinks all over the interval, random directions and factors.

    Parameters
    ----------
    n_nodes, seed : int

    Returns
    -------
    Network

    Examples
    --------
    >>> first_weights(3, 0).weights.shape
    (3,)
    """
    directions = np.where(uniform(seed, 0, n_nodes) < 0.5, -1.0, 1.0)
    kinks = 2 * uniform(seed, 1, n_nodes) - 1
    factors = (2 * uniform(seed, 2, n_nodes) - 1) / np.sqrt(n_nodes)
    return Network("relu", directions, -directions * kinks, factors, 0.0)


@functools.lru_cache(maxsize=256)
def _trained(kind, heights, n_nodes, seed, rounds):
    """Parameters (3 n + 1), both moments of Adam, and the count of steps, after `rounds` rounds."""
    if rounds == 0:
        network = first_weights(n_nodes, seed)
        parameters = np.concatenate([network.weights, network.biases, network.factors, [network.constant]])
        return parameters, np.zeros_like(parameters), np.zeros_like(parameters), 0
    parameters, first, second, count = (np.copy(part) for part in _trained(kind, heights, n_nodes, seed, rounds - 1))
    x, values = TRAINING_GRID, target(kind, heights, TRAINING_GRID)
    for _ in range(STEPS_PER_ROUND):
        weights, biases, factors, constant = np.split(parameters, [n_nodes, 2 * n_nodes, 3 * n_nodes])
        sums = x[:, None] * weights + biases
        hidden = np.maximum(sums, 0)
        error = 2 * (hidden @ factors + constant - values) / len(x)
        back = error[:, None] * (sums > 0) * factors
        gradient = np.concatenate([x @ back, back.sum(axis=0), error @ hidden, [error.sum()]])
        count += 1
        first = BETA_1 * first + (1 - BETA_1) * gradient
        second = BETA_2 * second + (1 - BETA_2) * gradient**2
        corrected = np.sqrt(second / (1 - BETA_2**count)) + EPSILON
        parameters = parameters - LEARNING_RATE * first / (1 - BETA_1**count) / corrected
    return parameters, first, second, count


def trained_network(kind, heights, n_nodes, seed, rounds):
    """The network after some rounds of gradient descent (Adam, all points at once) on the mean squared error.

    Parameters
    ----------
    kind, heights
        As of `target`.
    n_nodes, seed : int
    rounds : int
        Each of `STEPS_PER_ROUND` steps.

    Returns
    -------
    Network

    Examples
    --------
    >>> errors = [largest_error(trained_network("sine", (0,) * 9, 8, 1, n), "sine", (0,) * 9) for n in (0, 10)]
    >>> errors[1] < errors[0]
    True
    """
    parameters = _trained(kind, tuple(heights), n_nodes, seed, rounds)[0]
    weights, biases, factors, constant = np.split(parameters, [n_nodes, 2 * n_nodes, 3 * n_nodes])
    return Network("relu", weights, biases, factors, float(constant[0]))


def largest_error(network, kind, heights):
    """Largest distance of a network from its target on `GRID`.

    Examples
    --------
    >>> round(largest_error(Network("relu", np.ones(1), np.zeros(1), np.zeros(1), 0.0), "sine", [0] * 9), 6)
    1.0
    """
    return float(np.abs(network(GRID) - target(kind, heights, GRID)).max())


class FunctionApproximator(Explorable):
    """How many nodes of one hidden layer follow a given function how closely (figure 3.4a, section 3.4).

    Parameters
    ----------
    target : {"sine", "steep", "curve", "jump", "points"}
        What is approximated on the interval from -1 to 1.
    kind : {"relu", "step"}
        ReLU nodes with equally spaced kinks and the best factors, or a staircase of sigmoids.
    nodes : int
        Hidden nodes, 1 to 100.
    sharpness : float
        Weight of a sigmoid times the width of a stair, 1 to 40.
    heights : array_like, shape (1, 9)
        Heights of your own points, from -1.5 to 1.5.
    outside : bool
        Whether the picture goes beyond the interval.
    rounds : int
        Rounds of 20 gradient steps that a network with as many nodes was trained for, from random weights; 0 to 50.
    seed : int
        Of these weights, 0 to 9.
    prediction : str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> FunctionApproximator(nodes=16).summary()
    'Inside the interval 16 ReLU nodes stay within 0.01 of the sine.'
    >>> FunctionApproximator(target="jump", nodes=100).error() > 0.4
    True
    """

    name = "function_approximator"
    title = "Functions out of nodes"
    figure = "Figure 3.4 and section 3.4"
    goal = (
        "Find out how the error falls with the number of nodes, where it does not fall, and what training makes of it."
    )
    shared_scripts = ("kit", "plot", "random_numbers")
    fields: ClassVar = {
        "target": choice("sine", TARGET_LABELS, "function to be approximated"),
        "kind": choice("relu", KIND_LABELS, "what the nodes are"),
        "nodes": integer(4, 1, 100, "hidden nodes"),
        "sharpness": integer(6, 1, 40, "weight of a sigmoid times width of a stair"),
        "heights": numbers(
            [[-0.5, 0.3, 0.9, 0.6, -0.2, -0.8, -0.3, 0.5, 0.8]],
            "heights of your own points",
            shape=(1, 9),
            low=-1.5,
            high=1.5,
        ),
        "outside": flag(False, "whether the picture goes beyond the interval"),
        # Small samples: tests train the networks that they draw.
        "rounds": Field(0, "rounds of 20 gradient steps", integer(0, 0, MAXIMUM_ROUNDS, "").check, samples=(0, 1, 4)),
        "seed": integer(0, 0, 9, "seed of the weights before the training"),
    }

    def reconcile(self, state):
        if state["kind"] == "step":
            state["rounds"] = 0
        return state

    @classmethod
    def constants(cls):
        return {
            "targets": list(TARGET_LABELS.items()),
            "kinds": list(KIND_LABELS.items()),
            "nodeNumbers": NODE_NUMBERS,
            "stepsPerRound": STEPS_PER_ROUND,
            "mostRounds": MAXIMUM_ROUNDS,
        }

    def network(self, n_nodes=None):
        """Return the constructed `Network` with `n_nodes` nodes (those of the state without it)."""
        state, n_nodes = self._state, n_nodes or self._state["nodes"]
        heights = state["heights"][0]
        if state["kind"] == "step":
            return step_sum(state["target"], heights, n_nodes, state["sharpness"])
        return relu_fit(target(state["target"], heights, GRID), n_nodes)

    def trained(self):
        """Return the `Network` after the rounds of training in the state."""
        state = self._state
        return trained_network(state["target"], state["heights"][0], state["nodes"], state["seed"], state["rounds"])

    def error(self, n_nodes=None):
        """Return the largest distance of the constructed network from its target inside the interval."""
        return largest_error(self.network(n_nodes), self._state["target"], self._state["heights"][0])

    def summary(self):
        state = self._state
        n_nodes = state["nodes"]
        node = ("ReLU node" if state["kind"] == "relu" else "sigmoid step") + ("" if n_nodes == 1 else "s")
        name = {"points": "line through your points", "jump": "jump", "steep": "steep step", "curve": "wiggly curve"}
        stay = "stays" if n_nodes == 1 else "stay"
        sentence = (
            f"Inside the interval {n_nodes} {node} {stay} within {written(self.error())} of the "
            f"{name.get(state['target'], state['target'])}"
        )
        if state["rounds"]:
            error = largest_error(self.trained(), state["target"], state["heights"][0])
            sentence += (
                f"; {STEPS_PER_ROUND * state['rounds']} gradient steps from random weights reach {written(error)}"
            )
        return sentence + "."

    def static_figure(self):
        from plotly.subplots import make_subplots

        state = self._state
        reach = 2.0 if state["outside"] else 1.0
        x = np.linspace(-reach, reach, 241)
        figure = make_subplots(rows=1, cols=2, column_widths=[0.6, 0.4], horizontal_spacing=0.13)
        curves = [("target", target(state["target"], state["heights"][0], x), style.PALETTE["reference"], "dashdot")]
        curves.append((f"{state['nodes']} nodes", self.network()(x), style.PALETTE["training"], "solid"))
        if state["rounds"]:
            curves.append(("trained", self.trained()(x), style.PALETTE["validation"], "dash"))
        for name, y, colour, dash in curves:
            line = {"color": colour, "dash": dash}
            figure.add_scatter(x=x.round(3), y=y.round(3), name=name, mode="lines", line=line, row=1, col=1)
        errors = [max(self.error(number), 1e-4) for number in NODE_NUMBERS]
        figure.add_scatter(
            x=NODE_NUMBERS,
            y=errors,
            mode="lines+markers",
            line_color=style.PALETTE["training"],
            showlegend=False,
            row=1,
            col=2,
        )
        figure.update_xaxes(title="x", row=1, col=1)
        figure.update_yaxes(title="z(x)", range=[-1.7, 1.7], row=1, col=1)
        figure.update_xaxes(title="hidden nodes", type="log", dtick=1, row=1, col=2)
        figure.update_yaxes(title="largest error", type="log", dtick=1, row=1, col=2)
        return figure.update_layout(title={"text": self.title, "subtitle": {"text": self.summary()}}, height=420)
