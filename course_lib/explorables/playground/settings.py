"""The state of the playground: one table of fields, the rules between them, presets, and states of strangers."""

from __future__ import annotations

import json

from course_lib.explorables.base import Field, choice, flag, integer, number
from course_lib.explorables.playground import data, network

LEARNING_RATES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10]
BATCH_SIZES = [1, 2, 5, 10, 20, 50, 100, 500]
PENALTIES = [0, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10]
TRAIN_SHARES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]

MAXIMUM_LAYERS = 6
MAXIMUM_NODES = 8
MAXIMUM_EPOCHS = 5000

#: A state must be replayed by a grader in its time: so many gradient steps and no more.
MAXIMUM_STEPS = 100_000

#: What can be taken away from the view for a lesson.
CONTROLS = [
    "presets",
    "dataset",
    "noise",
    "n_points",
    "train_share",
    "data_seed",
    "features",
    "layers",
    "activation",
    "loss",
    "optimiser",
    "learning_rate",
    "batch_size",
    "l1",
    "l2",
    "seed",
    "speed",
    "show_test",
    "compare",
    "code",
    "json",
]


def _subset(default, names, meaning, *, least, samples=()):
    rule = f"must be a list of at least {least} and different names out of " + ", ".join(names)

    def check(value):
        good = isinstance(value, list | tuple) and all(isinstance(name, str) and name in names for name in value)
        if not good or len(set(value)) != len(value) or len(value) < least:
            raise ValueError(rule)
        return [name for name in names if name in value]

    return Field(default, meaning, check, samples=samples)


def _check_layers(value):
    rule = f"must be a list of 0 to {MAXIMUM_LAYERS} layers, each with 1 to {MAXIMUM_NODES} nodes"
    if not isinstance(value, list | tuple) or len(value) > MAXIMUM_LAYERS:
        raise ValueError(rule)
    nodes = integer(1, 1, MAXIMUM_NODES, "")
    try:
        return [nodes.check(entry) for entry in value]
    except ValueError:
        raise ValueError(rule) from None


#: What the training depends on and two networks side by side may differ in.
NETWORK_FIELDS = {
    "features": _subset(
        ["x", "y"],
        list(data.FEATURES),
        "inputs of the network",
        least=1,
        samples=(["x", "y"], ["xy"], ["x", "y2", "sin_x", "sin_y"]),
    ),
    "layers": Field([4], "nodes of each hidden layer", _check_layers, samples=([], [1], [4], [3, 2], [2, 8, 5])),
    "activation": choice("relu", network.ACTIVATIONS, "activation of the hidden layers"),
    "loss": choice("cross_entropy", ["cross_entropy", "mse"], "what training makes small; regression has only mse"),
    "optimiser": choice("sgd", ["sgd", "momentum", "rmsprop", "adam"], "rule of the gradient step"),
    "learning_rate": choice(0.03, LEARNING_RATES, "size of a gradient step"),
    "batch_size": choice(10, BATCH_SIZES, "points a gradient step"),
    "l1": choice(0, PENALTIES, "factor of the sum of |weights| in the loss"),
    "l2": choice(0, PENALTIES, "factor of the sum of squared weights in the loss"),
}

#: The data and the seed, which both networks share.
DATA_FIELDS = {
    "dataset": choice("checkerboard", data.CLASSIFICATION + data.REGRESSION, "which data"),
    "noise": number(0.0, 0.0, 0.5, "noise of the data, see `data.make_points`"),
    "n_points": integer(300, 20, 500, "number of points, training and test together"),
    "train_share": choice(0.5, TRAIN_SHARES, "share of the points that train"),
    "data_seed": integer(0, 0, 9999, "seed of the points"),
    "seed": integer(0, 0, 9999, "seed of the initial weights and of the order of the batches"),
}


def _check_pinned(value):
    if value is None:
        return None
    if not isinstance(value, dict) or not set(value) <= set(NETWORK_FIELDS):
        raise ValueError("must be None or a dict with fields out of " + ", ".join(NETWORK_FIELDS))
    checked = {}
    for name, entry in NETWORK_FIELDS.items():
        try:
            checked[name] = entry.check(value.get(name, entry.default))
        except ValueError as error:
            raise ValueError(f"has {name}, which {error}") from None
    return checked


FIELDS = {
    **DATA_FIELDS,
    **NETWORK_FIELDS,
    # Small samples: tests train the networks that they draw.
    "epoch": Field(0, "epochs trained", integer(0, 0, MAXIMUM_EPOCHS, "").check, samples=(0, 1, 4)),
    "batch": Field(0, "batches trained of the epoch that has begun", integer(0, 0, 500, "").check, samples=(0, 1)),
    "pinned": Field(
        None,
        "settings of a second network beside the first, trained for as many epochs with the same data and seed",
        _check_pinned,
        samples=(None, {name: entry.default for name, entry in NETWORK_FIELDS.items()}),
    ),
    "show_test": flag(True, "whether the test points are drawn"),
    "speed": choice("normal", ["slow", "normal", "fast"], "one batch after the other; an epoch a frame; full speed"),
    "goal_test_loss": number(0.1, 0.0, 10.0, "goal: test loss to reach; 0 sets no goal"),
    "goal_nodes": integer(4, 0, 48, "goal: most hidden nodes to reach it with"),
    "hidden": _subset([], CONTROLS, "controls that are taken away for a lesson", least=0, samples=([], ["l1"])),
}

#: Changing one of these begins the training anew.
TRAINING_FIELDS = [*DATA_FIELDS, *NETWORK_FIELDS]


def steps_per_epoch(state):
    """Return the number of gradient steps of an epoch."""
    return -(-data.n_training(state) // state["batch_size"])


def reconcile(state):
    """Bring fields that contradict each other in line; the browser does the same.

    A regression has the squared error; a curve has no y; the epoch stays within `MAXIMUM_STEPS`.
    """
    for part in [state, state["pinned"]] if state["pinned"] else [state]:
        if state["dataset"] in data.REGRESSION:
            part["loss"] = "mse"
        if state["dataset"] == "interpolation":
            part["features"] = [name for name in part["features"] if name in data.CURVE_FEATURES] or ["x"]
    steps = steps_per_epoch(state)
    state["epoch"] = min(state["epoch"], MAXIMUM_STEPS // steps)
    if state["batch"] >= steps or state["epoch"] == min(MAXIMUM_EPOCHS, MAXIMUM_STEPS // steps):
        state["batch"] = 0
    return state


#: Most bytes of a state that `replay` reads.
MAXIMUM_STATE_BYTES = 20_000


def read_state(text):
    """Read a state that somebody else wrote.

    Parameters
    ----------
    text : str, bytes or dict
        JSON of an object, or the object itself. Fields that are missing have their default.

    Returns
    -------
    dict
        As read, not yet checked field by field.

    Raises
    ------
    ValueError
        If it is too long, no JSON, or no object.
    """
    if isinstance(text, dict):
        return text
    if not isinstance(text, str | bytes):
        raise ValueError(f"a playground state must be JSON text or a dict, not {type(text).__name__}")
    if len(text) > MAXIMUM_STATE_BYTES:
        raise ValueError(
            f"a playground state has at most {MAXIMUM_STATE_BYTES} characters, this text has {len(text)}: "
            "copy it from the field 'State as JSON' of the playground."
        )

    def refuse(constant):
        raise ValueError(f"{constant} is no JSON number")

    try:
        state = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        reason = str(error).split("\n")[0][:120] if isinstance(error, ValueError) else "too deeply nested"
        raise ValueError(
            f"a playground state must be JSON, and this text is not ({reason}): "
            "copy it from the field 'State as JSON' of the playground."
        ) from None
    if not isinstance(state, dict):
        raise ValueError(f"a playground state must be a JSON object {{...}}, not {type(state).__name__}")
    return state


#: Name, kind, what to notice, changes of the default state.
PRESETS = [
    (
        "Four folds",
        "good",
        "Four ReLU nodes fold the plane, and two folds a class are just enough: look at the nodes' own pictures, then "
        "try three nodes and other seeds.",
        {"layers": [4], "optimiser": "adam", "learning_rate": 0.03, "seed": 4},
    ),
    (
        "The right feature",
        "good",
        "No hidden layer at all: the product xy is the answer already, so one weight learns in a few epochs what "
        "took a layer before.",
        {"features": ["xy"], "layers": [], "seed": 5},
    ),
    (
        "Winding spirals",
        "good",
        "Two layers of tanh bend smooth curves: the first draws lines, the second joins them into the spiral's arms.",
        {
            "dataset": "spirals",
            "noise": 0.1,
            "n_points": 500,
            "layers": [8, 8],
            "activation": "tanh",
            "optimiser": "adam",
            "learning_rate": 0.01,
        },
    ),
    (
        "A curve from kinks",
        "good",
        "Regression: every ReLU node adds one kink to the line, and the peaks stay out of reach until enough of them "
        "are in place; tanh makes it smooth.",
        {
            "dataset": "interpolation",
            "noise": 0.1,
            "n_points": 500,
            "train_share": 0.8,
            "features": ["x"],
            "layers": [8, 8, 8],
            "optimiser": "adam",
            "learning_rate": 0.01,
        },
    ),
    (
        "Noise kept in check",
        "good",
        "A large network on noisy labels, held back by L2: the training loss stays higher, but the test loss no longer "
        "turns upwards; set L2 to 0 and compare.",
        {
            "noise": 0.5,
            "layers": [8, 8, 8],
            "optimiser": "adam",
            "learning_rate": 0.01,
            "l2": 0.01,
        },
    ),
    (
        "Learning the noise",
        "bad",
        "The same network without a penalty: the training loss falls on and on, the test loss turns upwards, and small "
        "islands around single points appear.",
        {"noise": 0.5, "layers": [8, 8, 8], "optimiser": "adam", "learning_rate": 0.01},
    ),
    (
        "Only lines",
        "bad",
        "Without a hidden layer the border is one straight line, and the best line through a checkerboard cuts off a "
        "corner: no training helps.",
        {"layers": []},
    ),
    (
        "Deep but linear",
        "bad",
        "Three layers of linear nodes are one linear map in disguise: the border stays a straight line.",
        {"layers": [8, 8, 8], "activation": "linear"},
    ),
    (
        "Too large steps",
        "bad",
        "The learning rate is a hundred times too high: the loss jumps about instead of falling, and nodes of the "
        "second layer die (a cross in the picture): one step threw them below zero for all points.",
        {"layers": [8, 8], "learning_rate": 3},
    ),
    (
        "Vanishing gradients",
        "bad",
        "Six layers of sigmoids: the gradient shrinks at every layer on its way back, the first layers hardly move, "
        "and the loss stays at ln 2 = 0.69, the value of a coin.",
        {"layers": [8] * 6, "activation": "sigmoid"},
    ),
    (
        "Strangled by the penalty",
        "bad",
        "L2 is so strong that every weight goes to zero: the network says one half everywhere.",
        {"layers": [8, 8], "optimiser": "adam", "learning_rate": 0.01, "l2": 1},
    ),
]
