"""Figure 1.3: a small network, which of its paths are active, and how its output reacts to the inputs."""

from __future__ import annotations

import itertools
from typing import ClassVar, NamedTuple

from course_lib import style
from course_lib.explorables.base import Explorable, flag, integer, number, numbers, written

#: Inputs, two hidden layers, output.
LAYERS = (3, 3, 3, 1)
N_WEIGHTS = 21
N_BIASES = 7

#: The inputs of the map reach from -REACH to REACH.
REACH = 2
MAP_SIZE = 31

#: Weights, layer after layer; within a layer first those that leave node 1, then node 2, node 3.
WEIGHTS = [1, -0.8, 0.5, 0.6, 0.9, -1, -0.7, 0.4, 0.8, 0.9, -0.6, 0.4, 0.5, 1, -0.8, -0.4, 0.7, 0.9, 1, -1.2, 0.8]
BIASES = [0, 0.2, -0.1, 0.1, -0.2, 0, 0.3]

#: A relative calibration uncertainty.
SHIFT = 0.02


class Response(NamedTuple):
    """What every node of the network answers: the hidden layers (three numbers each) and the output."""

    first: list[float]
    second: list[float]
    output: float


def respond(inputs, weights, biases, *, activation=True):
    """Send three inputs through the network.

    Parameters
    ----------
    inputs : sequence of float, length 3
    weights : sequence of float, length 21
        Layer after layer; within a layer first the links that leave node 1.
    biases : sequence of float, length 7
        Of the six hidden nodes and of the output.
    activation : bool
        Whether the hidden nodes apply ReLU. Without it the output is a linear function of the inputs.

    Returns
    -------
    Response

    Examples
    --------
    >>> response = respond([1, -0.5, 0.8], WEIGHTS, BIASES)
    >>> [round(value, 3) for value in response.second], round(response.output, 3)
    ([0.0, 0.794, 1.442], 0.501)
    """
    values, answers, used = list(inputs), [], 0
    for layer, (n_before, n_after) in enumerate(itertools.pairwise(LAYERS)):
        sums = [biases[3 * layer + node] for node in range(n_after)]
        for source in range(n_before):
            for node in range(n_after):
                sums[node] += weights[used] * values[source]
                used += 1
        last = layer == len(LAYERS) - 2
        values = [max(value, 0.0) if activation and not last else value for value in sums]
        answers.append(values)
    return Response(answers[0], answers[1], answers[2][0])


def shifted_output(inputs, weights, biases, *, activation=True):
    """Return by how much the output changes when the first input rises by 2 %, the network being fixed.

    Examples
    --------
    >>> round(shifted_output([1, -0.5, 0.8], WEIGHTS, BIASES), 4)
    0.0196
    """
    moved = [inputs[0] * (1 + SHIFT), *inputs[1:]]
    before = respond(inputs, weights, biases, activation=activation).output
    return respond(moved, weights, biases, activation=activation).output - before


class NetworkPaths(Explorable):
    """A network of three inputs, two hidden layers of three nodes, and one output (figure 1.3).

    Parameters
    ----------
    x_1, x_2, x_3 : float
        The inputs, from -2 to 2.
    weights : array_like, shape (21,)
        Layer after layer; within a layer first the links that leave node 1. From -2 to 2.
    biases : array_like, shape (7,)
        Of the hidden nodes and the output.
    link : int
        The link whose weight can be changed, 0 to 20.
    activation : bool
        Whether the hidden nodes apply ReLU.

    Examples
    --------
    >>> NetworkPaths().summary()
    'The output z is 0.5 and 4 of 6 hidden nodes are active; when x₁ rises by 2 %, z changes by 1.96 hundredths.'
    """

    name = "network_paths"
    title = "Paths through a network"
    figure = "Figure 1.3"
    goal = "Find inputs that use different paths of the same network. Then switch the activation off: what is lost?"
    shared_scripts: ClassVar = ("kit", "plot")
    fields: ClassVar = {
        "x_1": number(1, -REACH, REACH, "first input"),
        "x_2": number(-0.5, -REACH, REACH, "second input"),
        "x_3": number(0.8, -REACH, REACH, "third input"),
        "weights": numbers(WEIGHTS, "weights of the links", shape=(N_WEIGHTS,), low=-2, high=2),
        "biases": numbers(BIASES, "biases of the nodes", shape=(N_BIASES,), low=-2, high=2),
        "link": integer(9, 0, N_WEIGHTS - 1, "the link whose weight can be changed"),
        "activation": flag(True, "whether the hidden nodes apply ReLU"),
    }

    @classmethod
    def constants(cls):
        return {"layers": LAYERS, "mapSize": MAP_SIZE, "reach": REACH, "shift": SHIFT}

    def response(self):
        """Return the `Response` of the present state."""
        state = self.state
        return respond(self._inputs(), state["weights"], state["biases"], activation=state["activation"])

    def _inputs(self):
        return [self.state[name] for name in ("x_1", "x_2", "x_3")]

    def summary(self):
        state, response = self.state, self.response()
        active = sum(value != 0 for value in response.first + response.second)
        change = shifted_output(self._inputs(), state["weights"], state["biases"], activation=state["activation"])
        return (
            f"The output z is {written(response.output)} and {active} of 6 hidden nodes are active; "
            f"when x₁ rises by 2 %, z changes by {written(100 * change)} hundredths."
        )

    def static_figure(self):
        """Return the network, links coloured by their weights, beside the output over the first two inputs."""
        import numpy as np
        import plotly.graph_objects as go
        from plotly.subplots import make_subplots

        state, response = self.state, self.response()
        figure = make_subplots(
            cols=2, column_widths=[0.58, 0.42], horizontal_spacing=0.14, subplot_titles=("the network", "output z")
        )
        place = lambda layer, node: (layer, 0 if LAYERS[layer] == 1 else 1 - node)  # noqa: E731
        used = 0
        for layer, (n_before, n_after) in enumerate(itertools.pairwise(LAYERS)):
            for source in range(n_before):
                for node in range(n_after):
                    weight = state["weights"][used]
                    used += 1
                    (x0, y0), (x1, y1) = place(layer, source), place(layer + 1, node)
                    figure.add_trace(
                        go.Scatter(
                            x=[x0, x1],
                            y=[y0, y1],
                            mode="lines",
                            line={
                                "width": 1 + 3 * abs(weight),
                                "color": style.PALETTE["positive" if weight > 0 else "negative"],
                            },
                            showlegend=False,
                            hoverinfo="skip",
                        ),
                        row=1,
                        col=1,
                    )
        nodes = [self._inputs(), response.first, response.second, [response.output]]
        spots = [
            (*place(layer, node), value) for layer, values in enumerate(nodes) for node, value in enumerate(values)
        ]
        figure.add_trace(
            go.Scatter(
                x=[x for x, _, _ in spots],
                y=[y for _, y, _ in spots],
                text=[written(value) for _, _, value in spots],
                mode="markers+text",
                textfont={"size": 13, "color": style.PALETTE["ink"]},
                marker={
                    "size": 44,
                    "color": [value for _, _, value in spots],
                    "colorscale": style.DIVERGING,
                    "cmin": -3,
                    "cmax": 3,
                    "line": {"color": style.PALETTE["ink"], "width": 1.5},
                },
                showlegend=False,
            ),
            row=1,
            col=1,
        )
        figure.update_xaxes(
            title="layer",
            tickvals=[0, 1, 2, 3],
            ticktext=["inputs x", "hidden 1", "hidden 2", "output z"],
            range=[-0.4, 3.4],
            showgrid=False,
            row=1,
            col=1,
        )
        figure.update_yaxes(
            title="node", tickvals=[1, 0, -1], ticktext=[1, 2, 3], range=[-1.5, 1.5], showgrid=False, row=1, col=1
        )
        axis = np.linspace(-REACH, REACH, MAP_SIZE)
        surface = [
            [
                respond([x, y, state["x_3"]], state["weights"], state["biases"], activation=state["activation"]).output
                for x in axis
            ]
            for y in axis
        ]
        figure.add_trace(
            go.Contour(
                x=axis.round(3),
                y=axis.round(3),
                z=np.round(surface, 3),
                colorscale=style.DIVERGING,
                zmid=0,
                colorbar={"title": "z"},
                contours={"start": -6, "end": 6, "size": 0.5},
            ),
            row=1,
            col=2,
        )
        figure.add_trace(
            go.Scatter(
                x=[state["x_1"]],
                y=[state["x_2"]],
                mode="markers",
                marker={"symbol": "x", "size": 11, "color": style.PALETTE["ink"]},
                showlegend=False,
            ),
            row=1,
            col=2,
        )
        figure.update_xaxes(title="x<sub>1</sub>", row=1, col=2)
        figure.update_yaxes(title="x<sub>2</sub>", row=1, col=2)
        figure.update_layout(
            template=style.template(),
            title={
                "text": "Paths through a network",
                "subtitle": {"text": self.summary()},
                "y": 0.96,
                "yanchor": "top",
            },
            height=430,
            margin={"t": 116},
        )
        return figure
