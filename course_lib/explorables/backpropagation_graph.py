"""Figure 4.2: a computation split into nodes, its values forward and its slopes backward."""

from __future__ import annotations

import math
from typing import Any, ClassVar, NamedTuple

from course_lib import style
from course_lib.explorables.base import Explorable, Field, choice, integer, written

#: Smallest and largest number that an input may take.
LIMIT = 10


class Node(NamedTuple):
    """One step of a computation.

    Attributes
    ----------
    name : str
        Of its value.
    operation : {"add", "multiply", "plus_one", "activate", "sigmoid", "squared_difference"}
    arguments : tuple of str
        Names of inputs or of earlier nodes.
    place : tuple of float
        Column and row in the picture.
    formula : str
        As a person writes it.
    """

    name: str
    operation: str
    arguments: tuple[str, ...]
    place: tuple[float, float]
    formula: str


class Graph(NamedTuple):
    """A computation: inputs with their opening values and places, and nodes in the order of evaluation."""

    label: str
    inputs: dict[str, float]
    places: dict[str, tuple[float, float]]
    nodes: tuple[Node, ...]


GRAPHS = {
    "node": Graph(
        "one node and its loss",
        {"W": 0.5, "b": 0.1, "x": 1.0, "y": 1.0},
        {"x": (0, 0), "W": (0, 1), "b": (1, 2), "y": (3, 2)},
        (
            Node("z₁", "multiply", ("W", "x"), (1, 0.5), "z₁ = W · x"),
            Node("z₂", "add", ("z₁", "b"), (2, 0.5), "z₂ = z₁ + b"),
            Node("z₃", "activate", ("z₂",), (3, 0.5), "z₃ = σ(z₂)"),
            Node("L", "squared_difference", ("z₃", "y"), (4, 0.5), "L = (y − z₃)²"),
        ),
    ),
    "two_paths": Graph(
        "one input, two paths",
        {"a": 2.0, "b": 1.0},
        {"a": (0, 0), "b": (0, 2)},
        (
            Node("c", "add", ("a", "b"), (1.5, 0), "c = a + b"),
            Node("d", "plus_one", ("b",), (1.5, 2), "d = b + 1"),
            Node("e", "multiply", ("c", "d"), (3, 1), "e = c · d"),
        ),
    ),
    "product": Graph(
        "a sum times a number",
        {"x": -2.0, "y": 5.0, "z": -4.0},
        {"x": (0, 0), "y": (0, 1), "z": (0, 2)},
        (
            Node("q", "add", ("x", "y"), (1.5, 0.5), "q = x + y"),
            Node("f", "multiply", ("q", "z"), (3, 1.25), "f = q · z"),
        ),
    ),
    "neuron": Graph(
        "a sigmoid neuron with two inputs",
        {"w₀": 2.0, "x₀": -1.0, "w₁": -3.0, "x₁": -2.0, "w₂": -3.0},
        {"w₀": (0, 0), "x₀": (0, 0.8), "w₁": (0, 1.6), "x₁": (0, 2.4), "w₂": (1, 3.1)},
        (
            Node("p", "multiply", ("w₀", "x₀"), (1, 0.4), "p = w₀ · x₀"),
            Node("r", "multiply", ("w₁", "x₁"), (1, 2), "r = w₁ · x₁"),
            Node("s", "add", ("p", "r"), (2, 1.2), "s = p + r"),
            Node("t", "add", ("s", "w₂"), (3, 1.2), "t = s + w₂"),
            Node("f", "sigmoid", ("t",), (4, 1.2), "f = 1/(1 + e⁻ᵗ)"),
        ),
    ),
}

ACTIVATIONS = {"relu": "ReLU", "linear": "none", "tanh": "tanh", "sigmoid": "sigmoid"}


def _sigmoid(value):
    return 1 / (1 + math.exp(-value))


_VALUES = {
    "add": lambda first, second: first + second,
    "multiply": lambda first, second: first * second,
    "plus_one": lambda value: value + 1,
    "squared_difference": lambda first, second: (second - first) ** 2,
    "relu": lambda value: max(value, 0.0),
    "linear": lambda value: value,
    "tanh": math.tanh,
    "sigmoid": _sigmoid,
}

#: Derivative with respect to each argument. The one of ReLU at 0 is 0, as in Keras.
_SLOPES = {
    "add": lambda first, second: (1.0, 1.0),
    "multiply": lambda first, second: (second, first),
    "plus_one": lambda value: (1.0,),
    "squared_difference": lambda first, second: (2 * (first - second), 2 * (second - first)),
    "relu": lambda value: (1.0 if value > 0 else 0.0,),
    "linear": lambda value: (1.0,),
    "tanh": lambda value: (1 - math.tanh(value) ** 2,),
    "sigmoid": lambda value: (_sigmoid(value) * (1 - _sigmoid(value)),),
}


class Propagation(NamedTuple):
    """What forward and backward pass find.

    Attributes
    ----------
    values : dict of str to float
        Of inputs and nodes.
    slopes : dict of str to list of float
        For each node, the derivative with respect to each of its arguments.
    gradients : dict of str to float
        Derivative of the last node with respect to every input and node.
    """

    values: dict[str, float]
    slopes: dict[str, list[float]]
    gradients: dict[str, float]


def propagate(graph, inputs, *, activation="relu"):
    """Evaluate a graph forward, then collect the derivatives of its last node backward.

    Parameters
    ----------
    graph : str
        A key of `GRAPHS`.
    inputs : list of float
        In the order of the graph's inputs.
    activation : {"relu", "linear", "tanh", "sigmoid"}
        Of the node z₃ = σ(z₂).

    Returns
    -------
    Propagation
        By the chain rule (4.29): a derivative is the product of the local ones along a path, summed over paths.

    Examples
    --------
    >>> found = propagate("product", [-2, 5, -4])
    >>> found.values["f"], [found.gradients[name] for name in "xyz"]
    (-12, [-4.0, -4.0, 3.0])
    """
    computation = GRAPHS[graph]
    values = dict(zip(computation.inputs, inputs, strict=True))
    slopes = {}
    for node in computation.nodes:
        operation = activation if node.operation == "activate" else node.operation
        arguments = [values[name] for name in node.arguments]
        values[node.name] = _VALUES[operation](*arguments)
        slopes[node.name] = list(_SLOPES[operation](*arguments))
    gradients = dict.fromkeys(values, 0.0)
    gradients[computation.nodes[-1].name] = 1.0
    for node in reversed(computation.nodes):
        for name, slope in zip(node.arguments, slopes[node.name], strict=True):
            gradients[name] += gradients[node.name] * slope
    return Propagation(values, slopes, gradients)


def finite_difference(graph, inputs, index, *, activation="relu", step=1e-4):
    """Derivative of the last node with respect to one input, from two evaluations of the graph.

    Examples
    --------
    >>> round(finite_difference("node", [0.5, 0.1, 1, 1], 0), 6)
    -0.8
    """
    last = GRAPHS[graph].nodes[-1].name
    ends = []
    for sign in (1, -1):
        moved = [*inputs]
        moved[index] += sign * step
        ends.append(propagate(graph, moved, activation=activation).values[last])
    return (ends[0] - ends[1]) / (2 * step)


_INPUTS_RULE = f"must be None or a list of 2 to 5 finite numbers from {-LIMIT} to {LIMIT}"


def _check_inputs(value: Any):
    if value is None:
        return None
    try:
        inputs = [float(entry) for entry in value]
    except (TypeError, ValueError):
        raise ValueError(_INPUTS_RULE) from None
    if not (2 <= len(inputs) <= 5 and all(abs(entry) <= LIMIT for entry in inputs)):
        raise ValueError(_INPUTS_RULE)
    return [int(entry) if entry == int(entry) else entry for entry in inputs]


class BackpropagationGraph(Explorable):
    """A computation as a graph: values run forward, slopes run backward (figure 4.2).

    Parameters
    ----------
    graph : {"node", "two_paths", "product", "neuron"}
        One node with its squared loss; c = a + b, d = b + 1, e = c d; f = (x + y) z; a neuron with sigmoid.
    inputs : list of float, optional
        In the order of the graph's inputs, from -10 to 10. Without it, or if the number of entries does not fit the
        graph, the graph's own opening values.
    activation : {"relu", "linear", "tanh", "sigmoid"}
        Of the one node.
    step : int
        How many nodes have been visited: first forward, then backward. Limited to twice the number of nodes.
    prediction : float or str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> BackpropagationGraph(step=8).summary()
    'L = 0.16, and its slopes are ∂L/∂W = −0.8, ∂L/∂b = −0.8, ∂L/∂x = −0.4, ∂L/∂y = 0.8.'
    """

    name = "backpropagation_graph"
    title = "Backpropagation, node by node"
    figure = "Figure 4.2"
    goal = "Send values forward and slopes backward, and find out what makes a gradient large, zero, or a sum."
    fields: ClassVar = {
        "graph": choice("node", GRAPHS, "the computation"),
        "inputs": Field(None, "values of the inputs; None: those of the graph", _check_inputs, samples=(None,)),
        "activation": choice("relu", ACTIVATIONS, "nonlinearity of the one node"),
        "step": integer(4, 0, 10, "nodes visited, forward then backward"),
    }

    @classmethod
    def constants(cls):
        graphs = {
            key: {
                "label": graph.label,
                "inputs": list(graph.inputs.items()),
                "places": graph.places,
                "nodes": [node._asdict() for node in graph.nodes],
            }
            for key, graph in GRAPHS.items()
        }
        return {"graphs": graphs, "activations": list(ACTIVATIONS.items()), "limit": LIMIT}

    def reconcile(self, state):
        """Give the graph its own inputs where those given do not fit it, and keep the step within it."""
        graph = GRAPHS[state["graph"]]
        if state["inputs"] is None or len(state["inputs"]) != len(graph.inputs):
            state["inputs"] = _check_inputs(list(graph.inputs.values()))
        state["step"] = min(state["step"], 2 * len(graph.nodes))
        return state

    def propagation(self):
        """Return the `Propagation` of the present state."""
        state = self.state
        return propagate(state["graph"], state["inputs"], activation=state["activation"])

    def summary(self):
        """Say how far the passes are and what they found."""
        state, graph = self.state, GRAPHS[self.state["graph"]]
        found, n_nodes = self.propagation(), len(graph.nodes)
        last = graph.nodes[-1].name
        if state["step"] < n_nodes:
            return f"Forward pass: {state['step']} of {n_nodes} nodes have their value."
        value = f"{last} = {written(found.values[last])}"
        if state["step"] < 2 * n_nodes:
            return f"{value}; backward pass: {state['step'] - n_nodes} of {n_nodes} nodes have handed their slope on."
        slopes = ", ".join(f"∂{last}/∂{name} = {written(found.gradients[name])}" for name in graph.inputs)
        return f"{value}, and its slopes are {slopes}."

    def static_figure(self):
        """Return the graph with values and, as far as the step goes, gradients."""
        import plotly.graph_objects as go

        state, graph, found = self.state, GRAPHS[self.state["graph"]], self.propagation()
        n_nodes = len(graph.nodes)
        places = {**graph.places, **{node.name: node.place for node in graph.nodes}}
        texts = {name: f"<b>{name} = {written(found.values[name])}</b>" for name in graph.inputs}
        for index, node in enumerate(graph.nodes):
            known = written(found.values[node.name]) if index < state["step"] else "?"
            texts[node.name] = f"{node.formula}<br><b>= {known}</b>"
        passed = graph.nodes[n_nodes - max(0, state["step"] - n_nodes) :]
        if passed:
            last = graph.nodes[-1].name
            for name in {last, *(name for node in passed for name in node.arguments)}:
                texts[name] += f"<br>∂{last}/∂{name} = {written(found.gradients[name])}"
        figure = go.Figure()
        for node in graph.nodes:
            for name, slope in zip(node.arguments, found.slopes[node.name], strict=True):
                (x0, y0), (x1, y1) = places[name], node.place
                figure.add_scatter(x=[x0, x1], y=[y0, y1], mode="lines", line_color=style.PALETTE["reference"])
                if node in passed:
                    # A third of the way back: slopes that meet at a node stay apart.
                    figure.add_annotation(
                        x=x1 - 0.4 * (x1 - x0),
                        y=y1 - 0.4 * (y1 - y0),
                        text=f"× {written(slope)}",
                        showarrow=False,
                        bgcolor=style.PALETTE["paper"],
                        font={"color": style.PALETTE["training"], "size": 12},
                    )
        figure.add_scatter(
            x=[place[0] for place in places.values()],
            y=[place[1] for place in places.values()],
            mode="markers+text",
            text=[texts[name] for name in places],
            textposition="bottom center",
            marker={"size": 15, "color": style.PALETTE["training"]},
        )
        bare = {"showticklabels": False, "showgrid": False, "showline": False, "ticks": ""}
        figure.update_xaxes(title="values run forward →, slopes ← backward", range=[-0.6, 4.6], **bare)
        figure.update_yaxes(title="", range=[3.9, -0.4], **bare)
        figure.update_layout(
            template=style.template(),
            title={"text": self.title, "subtitle": {"text": self.summary()}},
            showlegend=False,
            height=430,
        )
        return figure
