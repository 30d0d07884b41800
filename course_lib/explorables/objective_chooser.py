"""Figure 4.1: a network with one hidden layer, its shapes, and the last layer and loss that its task asks for."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from course_lib import style
from course_lib.explorables.base import Explorable, choice, integer


class Task(NamedTuple):
    """What a network is for, and what follows from it.

    Attributes
    ----------
    label, activation, loss, equation, keras : str
        As shown on the screen.
    fewest, most : int
        Allowed numbers of outputs.
    """

    label: str
    activation: str
    loss: str
    equation: str
    keras: str
    fewest: int
    most: int


MAXIMUM_NODES = 8

TASKS = {
    "value": Task("one number (energy)", "none", "mean squared error", "(4.11)", "mse", 1, 1),
    "vector": Task(
        "several numbers (epicentre)",
        "none",
        "mean squared error, summed over outputs",
        "(4.12)",
        "mse",
        2,
        MAXIMUM_NODES,
    ),
    "yes_no": Task(
        "yes or no (signal?)", "sigmoid", "cross-entropy of two classes", "(4.16)", "binary_crossentropy", 1, 1
    ),
    "classes": Task(
        "one of several classes", "softmax", "cross-entropy", "(4.15)", "categorical_crossentropy", 2, MAXIMUM_NODES
    ),
}


class Shapes(NamedTuple):
    """Shapes of the four arrays of a network with one hidden layer, and the number of their entries."""

    first_weights: tuple[int, int]
    first_biases: tuple[int]
    last_weights: tuple[int, int]
    last_biases: tuple[int]
    n_parameters: int


def shapes(n_inputs, n_hidden, n_outputs):
    """Return the `Shapes` of a network y = W' sigma(W x + b) + b'.

    Examples
    --------
    >>> shapes(3, 4, 2).n_parameters
    26
    """
    n_parameters = n_hidden * n_inputs + n_hidden + n_outputs * n_hidden + n_outputs
    return Shapes((n_hidden, n_inputs), (n_hidden,), (n_outputs, n_hidden), (n_outputs,), n_parameters)


class ObjectiveChooser(Explorable):
    """A network with one hidden layer: shapes, parameters, and what its task asks for (figure 4.1).

    Parameters
    ----------
    task : {"value", "vector", "yes_no", "classes"}
        What the network shall tell.
    n_inputs, n_hidden, n_outputs : int
        Nodes, 1 to 8. A single number and a yes or no have one output, a vector and classes at least two.
    prediction : float or str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> ObjectiveChooser(task="value", n_inputs=1).summary()[:56]
    '1 input, 4 hidden nodes and 1 output make 13 parameters;'
    """

    name = "objective_chooser"
    title = "The task chooses the objective"
    figure = "Figure 4.1"
    goal = "Change the task and see which parts of the network follow it: the outputs, the last activation, the loss."
    fields: ClassVar = {
        "task": choice("classes", TASKS, "what the network shall tell"),
        "n_inputs": integer(3, 1, MAXIMUM_NODES, "numbers that describe one event"),
        "n_hidden": integer(4, 1, MAXIMUM_NODES, "nodes of the hidden layer"),
        "n_outputs": integer(2, 1, MAXIMUM_NODES, "numbers that the network gives"),
    }

    @classmethod
    def constants(cls):
        return {"tasks": {key: task._asdict() for key, task in TASKS.items()}, "most": MAXIMUM_NODES}

    def reconcile(self, state):
        """Keep the number of outputs within what the task allows."""
        task = TASKS[state["task"]]
        state["n_outputs"] = min(max(state["n_outputs"], task.fewest), task.most)
        return state

    def shapes(self):
        """Return the `Shapes` of the present state."""
        state = self.state
        return shapes(state["n_inputs"], state["n_hidden"], state["n_outputs"])

    def summary(self):
        """Say how large the network is and what its task asks for."""
        state, task = self.state, TASKS[self.state["task"]]
        counted = [
            f"{state[field]} {name}{'' if state[field] == 1 else 's'}"
            for field, name in (("n_inputs", "input"), ("n_hidden", "hidden node"), ("n_outputs", "output"))
        ]
        return (
            f"{counted[0]}, {counted[1]} and {counted[2]} make {self.shapes().n_parameters} parameters; "
            f"{task.label}: last activation {task.activation}, loss {task.loss}."
        )

    def static_figure(self):
        """Return the network as nodes and links."""
        import itertools
        import textwrap

        import plotly.graph_objects as go

        state = self.state
        layers = [state["n_inputs"], state["n_hidden"], state["n_outputs"]]
        places = [[(column, (count - 1) / 2 - index) for index in range(count)] for column, count in enumerate(layers)]
        figure = go.Figure()
        for left, right in itertools.pairwise(places):
            x, y = [], []
            for start in left:
                for end in right:
                    x += [start[0], end[0], None]
                    y += [start[1], end[1], None]
            figure.add_scatter(x=x, y=y, mode="lines", line={"color": style.PALETTE["reference"], "width": 1})
        figure.add_scatter(
            x=[x for layer in places for x, _ in layer],
            y=[y for layer in places for _, y in layer],
            mode="markers",
            marker={"size": 26, "color": style.PALETTE["training"]},
        )
        names = ["inputs x", "hidden σ(W x + b)", f"outputs, activation {TASKS[state['task']].activation}"]
        figure.update_xaxes(title="layer", tickvals=[0, 1, 2], ticktext=names, range=[-0.4, 2.4], showgrid=False)
        figure.update_xaxes(showline=False, ticks="")
        figure.update_yaxes(title="", showticklabels=False, showgrid=False, showline=False, ticks="", range=[-4, 4])
        figure.update_layout(
            template=style.template(),
            title={"text": self.title, "subtitle": {"text": "<br>".join(textwrap.wrap(self.summary(), 80))}},
            showlegend=False,
            margin={"t": 100},
            height=400,
        )
        return figure
