"""Chapter 6: how many parameters, how many update steps, how much memory a training of a dense network needs."""

from __future__ import annotations

import itertools
import math
from typing import ClassVar, NamedTuple

from course_lib import style
from course_lib.explorables.base import Explorable, choice, integer

#: Sizes of data sets that the slider offers.
N_EVENTS = (200, 1_000, 3_000, 20_000, 100_000, 1_000_000)
BATCH_SIZES = (1, 5, 16, 32, 64, 128, 256, 1024)
N_NODES = (2, 5, 10, 20, 32, 64, 128, 256, 512)

#: (fields, label) of networks that the course uses.
PRESETS = (
    ({"inputs": 2, "layers": 1, "nodes": 2, "outputs": 1}, "2-2-1"),
    ({"inputs": 11, "layers": 3, "nodes": 20, "outputs": 1}, "wine 11-20-20-20-1"),
    ({"inputs": 1024, "layers": 2, "nodes": 32, "outputs": 1}, "Ising 1024-32-32-1"),
)

#: Single precision.
BYTES_PER_NUMBER = 4

#: Weight, gradient, and the two running means that Adam keeps of every parameter.
NUMBERS_PER_PARAMETER = 4


class TrainingCount(NamedTuple):
    """What a training needs.

    parameters of each layer, their sum, events in the training part, steps an epoch, steps of the whole training,
    memory in bytes.
    """

    per_layer: list
    parameters: int
    training_events: int
    steps_per_epoch: int
    steps: int
    memory_bytes: int


def training_count(*, inputs, layers, nodes, outputs, events, validation_percent, batch_size, epochs):
    """Count the parameters and the update steps of a dense network, and the memory that they need.

    Parameters
    ----------
    inputs, outputs : int
        Numbers that come in and that the last layer gives.
    layers, nodes : int
        Hidden layers, and nodes in each of them.
    events : int
        Events in the data set.
    validation_percent : int
        Share of the events that is held back for validation.
    batch_size, epochs : int
        Events a step, and passes through the training part.

    Returns
    -------
    TrainingCount
        A layer from n to m nodes has (n + 1) m parameters; an epoch has ceil(training events / batch size) steps.
        Memory: weight, gradient and Adam's two means of each parameter, and the value of every node for each event of
        one batch, in single precision.

    Examples
    --------
    >>> count = training_count(inputs=11, layers=3, nodes=20, outputs=1, events=20_000, validation_percent=10,
    ...                        batch_size=64, epochs=10)
    >>> count.parameters, count.steps_per_epoch, count.steps
    (1101, 282, 2820)
    """
    sizes = [inputs, *[nodes] * layers, outputs]
    per_layer = [(before + 1) * after for before, after in itertools.pairwise(sizes)]
    training_events = events - events * validation_percent // 100
    steps_per_epoch = math.ceil(training_events / batch_size)
    numbers = NUMBERS_PER_PARAMETER * sum(per_layer) + min(batch_size, training_events) * sum(sizes)
    return TrainingCount(
        per_layer,
        sum(per_layer),
        training_events,
        steps_per_epoch,
        steps_per_epoch * epochs,
        BYTES_PER_NUMBER * numbers,
    )


def counted(number):
    """Write a whole number with thin spaces between its thousands, as the browser does.

    Examples
    --------
    >>> counted(33889)
    '33\\u202f889'
    """
    return f"{number:,}".replace(",", "\u202f")


def memory_text(memory_bytes):
    """Write a number of bytes with its unit, as the browser does.

    Examples
    --------
    >>> memory_text(12_345), memory_text(3_000_000)
    ('12.3 kB', '3 MB')
    """
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if memory_bytes >= size:
            return f"{math.floor(memory_bytes / size * 10 + 0.5) / 10:g} {unit}"
    return f"{memory_bytes} B"


class TrainingCounter(Explorable):
    """Parameters, update steps and memory of a dense network, before anything is trained.

    Parameters
    ----------
    inputs, outputs : int
        Numbers that come in, 1 to 1024, and that come out, 1 to 10.
    layers : int
        Hidden layers, 0 to 8.
    nodes : int
        Nodes in each hidden layer, one of `N_NODES`.
    events : int
        Events in the data set, one of `N_EVENTS`.
    validation_percent : int
        Share held back for validation, 0 to 50.
    batch_size : int
        Events a step, one of `BATCH_SIZES`.
    epochs : int
        Passes through the training part, 1 to 200.
    prediction : str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> TrainingCounter().count().parameters
    1101
    """

    name = "training_counter"
    title = "Count before you train"
    figure = "Chapter 6, counters"
    goal = "Find out what doubles and what quadruples: parameters, steps and memory of a training you only describe."
    shared_scripts = ("kit", "plot")
    fields: ClassVar = {
        "inputs": integer(11, 1, 1024, "numbers that come in"),
        "layers": integer(3, 0, 8, "hidden layers"),
        "nodes": choice(20, N_NODES, "nodes in each hidden layer"),
        "outputs": integer(1, 1, 10, "numbers that come out"),
        "events": choice(20_000, N_EVENTS, "events in the data set"),
        "validation_percent": integer(10, 0, 50, "share of the events held back for validation, in percent"),
        "batch_size": choice(64, BATCH_SIZES, "events a step"),
        "epochs": integer(10, 1, 200, "passes through the training part"),
    }

    @classmethod
    def constants(cls):
        return {"nodes": N_NODES, "events": N_EVENTS, "batchSizes": BATCH_SIZES, "presets": PRESETS}

    def count(self):
        """Return the `TrainingCount` of the present state."""
        return training_count(**{name: value for name, value in self.state.items() if name != "prediction"})

    def summary(self):
        count, state = self.count(), self.state
        return (
            f"{counted(count.parameters)} parameters; {counted(count.training_events)} training events in batches of "
            f"{state['batch_size']} make {counted(count.steps_per_epoch)} steps an epoch and {counted(count.steps)} "
            f"steps in all, with {memory_text(count.memory_bytes)} of memory."
        )

    def static_figure(self):
        import plotly.graph_objects as go

        count, state = self.count(), self.state
        names = [*(f"hidden {number + 1}" for number in range(state["layers"])), "output"]
        figure = go.Figure(
            go.Bar(
                x=names, y=count.per_layer, text=[counted(n) for n in count.per_layer], marker_color=style.SEQUENCE[0]
            )
        )
        figure.update_layout(
            template=style.template(),
            title={"text": self.title, "subtitle": {"text": self.summary()}},
            height=380,
            xaxis_title="layer",
            yaxis={"title": "parameters of the layer", "type": "log"},
        )
        return figure
