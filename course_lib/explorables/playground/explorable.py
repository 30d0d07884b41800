"""Exercises 3.3 and 5.1: the playground as explorable, its replay in Python, its Keras code, its static figure."""

from __future__ import annotations

import functools
import json
import math
from typing import ClassVar

import numpy as np

from course_lib import style
from course_lib.explorables.base import FOLDER, Explorable, _plain
from course_lib.explorables.playground import data, network, settings

#: A static figure of a network that has not been trained shows what pressing Play would lead to.
STATIC_EPOCHS = 200

#: Gradient steps times layers that `replay` computes at most: about 20 s on one core.
MAXIMUM_WORK = 200_000

NAMES = {
    "checkerboard": "checkerboard",
    "two_moons": "two moons",
    "circles": "circles",
    "spirals": "spirals",
    "clusters": "two clusters",
    "interpolation": "curve (regression)",
    "plane": "plane (regression)",
    "hills": "hills (regression)",
}


class Playground(Explorable):
    """A small neural network that learns before your eyes; everything about it can be changed.

    Parameters
    ----------
    state : str or dict, optional
        Opening state, as JSON text (copied from the playground) or as a dict; the other parameters come on top.
    dataset : str
        ``"checkerboard"``, ``"two_moons"``, ``"circles"``, ``"spirals"``, ``"clusters"``; regression:
        ``"interpolation"``, ``"plane"``, ``"hills"``.
    noise : float
        0 to 0.5, see `data.make_points`.
    n_points : int
        Training and test points together, 20 to 500.
    train_share : float
        Share of them that trains: 0.1, 0.2, ... 0.9.
    data_seed, seed : int
        Of the points; of the initial weights and the order of the batches. 0 to 9999.
    features : list of str
        Inputs: ``"x"``, ``"y"``, ``"x2"``, ``"y2"``, ``"xy"``, ``"sin_x"``, ``"sin_y"``.
    layers : list of int
        Nodes of each hidden layer: up to six layers of up to eight nodes.
    activation : str
        Of the hidden layers: ``"linear"``, ``"relu"``, ``"leaky_relu"``, ``"elu"``, ``"tanh"``, ``"sigmoid"``.
    loss : str
        ``"cross_entropy"`` or ``"mse"``; regression always has ``"mse"``.
    optimiser : str
        ``"sgd"``, ``"momentum"``, ``"rmsprop"``, ``"adam"``.
    learning_rate, batch_size, l1, l2 : float
        One of the values in `settings`.
    epoch, batch : int
        How far the training has come: epochs, and batches of the running epoch.
    pinned : dict, optional
        Settings of a second network (A) that trains beside the first (B) with the same data and seed.
    show_test : bool
        Whether the test points are drawn.
    speed : str
        ``"slow"`` (batch by batch), ``"normal"``, ``"fast"``.
    goal_test_loss, goal_nodes : float, int
        Goal: reach this test loss with at most so many hidden nodes. A loss of 0 sets no goal.
    hidden : list of str
        Controls to take away, from `settings.CONTROLS`.

    Examples
    --------
    >>> from course_lib.explorables import Playground
    >>> lesson = Playground(dataset="circles", layers=[3], hidden=["l1", "l2", "json"])
    >>> lesson.state["layers"]
    [3]
    >>> losses = lesson.run(epochs=20).test_loss
    >>> len(losses), losses[-1] < losses[0]
    (21, True)
    """

    name = "playground"
    title = "Neural network playground"
    figure = "Exercises 3.3 and 5.1"
    goal = (
        "Build a network, press Play and watch each node learn. Can you reach the goal with fewer nodes? A changed "
        "setting starts the training anew, and equal states always give equal numbers."
    )
    fields: ClassVar = settings.FIELDS
    shared_scripts = ("kit", "playground/data", "playground/network")
    #: A network that trains, its pictures, its Keras code and its checks of pasted states need more than a figure does.
    maximum_script_bytes = 80_000

    def __init__(self, state=None, **fields):
        given = {} if state is None else settings.read_state(state)
        for name in given:
            # Before they become keywords, where "self" would be something else.
            if name not in self.fields:
                raise ValueError(f"Playground has no field {name!r:.60}: it has {', '.join(self.fields)}.")
        super().__init__(**{**given, **fields})

    def _change_state(self, changes):
        if isinstance(changes, dict) and "epoch" not in changes and set(changes) & set(settings.TRAINING_FIELDS):
            changes = {"epoch": 0, "batch": 0, **changes}
        Explorable.state.fset(self, changes)

    state = property(
        Explorable.state.fget,
        _change_state,
        doc="A copy of the present state; assigning a dict changes the fields that it names. As in the browser, a "
        "changed setting without an epoch starts the training anew.",
    )

    def reconcile(self, state):
        return settings.reconcile(state)

    @classmethod
    def constants(cls):
        samples = {name: settings.FIELDS[name].samples for name in (*_CHOICES, *_RANGES)}
        rules = {
            **{name: {"options": list(samples[name])} for name in _CHOICES},
            **{name: {"range": [samples[name][0], samples[name][-1]]} for name in _RANGES},
            "epoch": {"range": [0, settings.MAXIMUM_EPOCHS]},
            "batch": {"range": [0, 500]},
            "features": {"names": list(data.FEATURES), "least": 1},
            "hidden": {"names": settings.CONTROLS, "least": 0},
            "layers": {"layers": [settings.MAXIMUM_LAYERS, settings.MAXIMUM_NODES]},
        }
        return {
            "rules": rules,
            "streams": [data.COORDINATES, data.NOISE, data.WEIGHTS, data.BATCHES],
            "dataFields": list(settings.DATA_FIELDS),
            "networkFields": list(settings.NETWORK_FIELDS),
            "maximumSteps": settings.MAXIMUM_STEPS,
            "names": NAMES,
            "featureNames": {name: written for name, (_, written) in data.FEATURES.items()},
            "curveFeatures": data.CURVE_FEATURES,
            "presets": settings.PRESETS,
            "classes": class_colours(),
            "style": (FOLDER / "playground" / "playground.css").read_text("utf-8"),
        }

    def run(self, epochs=None):
        """Train in Python what the browser trains; see `run`."""
        return run(self.state, epochs)

    def summary(self):
        state = self._state
        result = _trained(_key(state), state["epoch"])
        text = _summary_of(result, state["epoch"])
        if state["pinned"]:
            rival = _trained(_key({**state, **state["pinned"]}), state["epoch"])
            text += "; pinned network A: " + _summary_of(rival, state["epoch"], short=True)
        if state["goal_test_loss"]:
            text += f"; score {_score(state, result, state['epoch'])} for the goal"
        return text + "."

    def static_figure(self):
        from plotly.subplots import make_subplots

        state = self._state
        epoch = state["epoch"] or min(STATIC_EPOCHS, settings.reconcile({**state, "epoch": STATIC_EPOCHS})["epoch"])
        result = _trained(_key(state), epoch)
        figure = make_subplots(rows=1, cols=2, column_widths=[0.44, 0.56], horizontal_spacing=0.19)
        if state["dataset"] == "interpolation":
            _draw_curve(figure, state, result)
        else:
            _draw_plane(figure, state, result)
        _draw_losses(figure, result, "")
        if state["pinned"]:
            _draw_losses(figure, _trained(_key({**state, **state["pinned"]}), epoch), "A, ")
        figure.update_xaxes(title_text="epoch", row=1, col=2)
        figure.update_yaxes(title_text="mean loss a point", type="log", dtick="D2", row=1, col=2)
        layers = ", ".join(map(str, state["layers"])) or "none"
        losses = _summary_of(result, epoch)
        figure.update_layout(
            template=style.template(),
            title={
                "text": f"{self.title}: {NAMES[state['dataset']]}, hidden layers: {layers}",
                "subtitle": {"text": losses + "."},
            },
            legend={"y": -0.22, "yanchor": "top", "x": 0, "xanchor": "left"},
            margin={"t": 96, "b": 110},
            height=500,
        )
        return figure


_CHOICES = [
    *("dataset", "train_share", "activation", "loss", "optimiser", "learning_rate", "batch_size", "l1", "l2"),
    *("show_test", "speed"),
]
_RANGES = ["noise", "n_points", "data_seed", "seed", "goal_test_loss", "goal_nodes"]


# --- the twin ------------------------------------------------------------------------------------------


def run(state=None, epochs=None, *, batch=None):
    """Train the network of a state, number for number as the browser does.

    Parameters
    ----------
    state : Playground, str or dict, optional
        Fields that are missing have their default.
    epochs : int, optional
        How many; those of the state without it.
    batch : int, optional
        Batches after the last whole epoch; those of the state if `epochs` is not given, else 0.

    Returns
    -------
    network.Training
        ``weights``, ``training_loss``, ``test_loss``, ``training_accuracy``, ``test_accuracy`` (entry e after e
        epochs), ``diverged``, ``predict(points)``. Weights are equal to those of the browser to the last bit,
        losses to 1e-12.

    Raises
    ------
    ValueError
        If a field does not exist or its value breaks its rule.

    Examples
    --------
    >>> from course_lib.explorables import playground
    >>> result = playground.run({"features": ["xy"], "layers": []}, epochs=20)
    >>> [layer.shape for layer in result.weights]
    [(2, 1)]
    >>> result.test_loss[-1] < result.test_loss[0]
    True
    """
    if isinstance(state, Playground):
        state = state.state
    state = Playground(state).state
    if epochs is not None:
        state = Playground({**state, "epoch": epochs, "batch": batch or 0}).state
    result = network.Training(state)
    result.run(state["epoch"], state["batch"])
    return result


def replay(text, *, maximum_work=MAXIMUM_WORK):
    """Check a state that somebody handed in and train what it says.

    Parameters
    ----------
    text : str, bytes or dict
        JSON as the playground gives it.
    maximum_work : int
        Most gradient steps times layers, so that nobody can hold a grader up.

    Returns
    -------
    network.Training
        As from `run`; ``settings`` holds the complete state.

    Raises
    ------
    ValueError
        With one sentence for the student: no JSON, unknown field, value out of range, fields that contradict each
        other, or more work than allowed.

    Examples
    --------
    >>> from course_lib.explorables import playground
    >>> playground.replay('{"layers": [9]}')
    Traceback (most recent call last):
    ...
    ValueError: Playground: layers must be a list of 0 to 6 layers, each with 1 to 8 nodes; seen: [9].
    """
    given = settings.read_state(text)
    state = Playground(given).state
    for name, value in given.items():
        alone = settings.FIELDS[name].check(value) if name in settings.FIELDS else value
        if alone != state[name]:
            raise ValueError(
                f"Playground: {name} = {json.dumps(alone)[:60]} does not go with the other fields, which allow "
                f"{json.dumps(state[name])[:60]}: copy the whole state from the playground."
            )
    work = (state["epoch"] * settings.steps_per_epoch(state) + state["batch"]) * (len(state["layers"]) + 1)
    if work > maximum_work:
        raise ValueError(
            f"this state asks for {work} layer updates (epochs x batches an epoch x layers), more than {maximum_work}: "
            "stop earlier, or use larger batches or fewer layers."
        )
    return run(state)


def score(result):
    """Return the points that a training earns for the goal in its state.

    Parameters
    ----------
    result : network.Training
        From `run` or `replay`.

    Returns
    -------
    int
        100 when the test loss is reached with as many nodes as allowed, 10 more for each node saved; before,
        the ratio of the goal to the test loss in percent, at most 99; 0 with too many nodes, without a goal, or
        after a divergence.

    Examples
    --------
    >>> from course_lib.explorables import playground
    >>> goal = {"goal_test_loss": 0.1, "goal_nodes": 4}
    >>> playground.score(playground.run({**goal, "features": ["xy"], "layers": [], "epoch": 30}))
    140
    """
    return _score(result.settings, result, result.epoch)


def _score(state, result, epoch):
    loss, nodes = result.test_loss[min(epoch, len(result.test_loss) - 1)], sum(state["layers"])
    if not (state["goal_test_loss"] and nodes <= state["goal_nodes"] and math.isfinite(loss)):
        return 0
    if loss <= state["goal_test_loss"]:
        return 100 + 10 * (state["goal_nodes"] - nodes)
    return min(99, math.floor(100 * state["goal_test_loss"] / loss))


def make_data(**fields):
    """Return the data of a playground as arrays for Keras.

    Parameters
    ----------
    **fields
        Fields of `Playground`: ``dataset``, ``noise``, ``n_points``, ``train_share``, ``data_seed``, ``features``.

    Returns
    -------
    x_train : numpy.ndarray, float64, shape (n_train, n_features)
    y_train : numpy.ndarray, float64, shape (n_train, 1)
        0 or 1, or the target of a regression.
    x_test, y_test : numpy.ndarray

    Raises
    ------
    ValueError
        If a field does not exist or its value breaks its rule.

    Examples
    --------
    >>> from course_lib.explorables import playground
    >>> x_train, y_train, x_test, y_test = playground.make_data(n_points=100, train_share=0.8, features=["x", "xy"])
    >>> x_train.shape, y_test.shape
    ((80, 2), (20, 1))
    """
    state = Playground(**fields).state
    points, targets = data.make_points(state)
    inputs, count = data.feature_matrix(state["features"], points), data.n_training(state)
    return inputs[:count], targets[:count, None], inputs[count:], targets[count:, None]


def keras_code(state=None):
    """Return a program that builds and trains the network of a state in Keras.

    Parameters
    ----------
    state : Playground, str or dict, optional

    Returns
    -------
    str
        The same data, layers, optimiser, penalty and batch size. Keras draws other initial weights.

    Examples
    --------
    >>> from course_lib.explorables import playground
    >>> print(playground.keras_code({"layers": [3]}))
    import keras
    from course_lib.explorables import playground
    ...
        keras.layers.Dense(3, activation="relu"),
    ...
    """
    state = (state if isinstance(state, Playground) else Playground(state)).state
    regression = state["dataset"] in data.REGRESSION
    penalty = state["l1"] or state["l2"]
    factors = f"l1={_plain(state['l1'])}, l2={_plain(state['l2'])}"
    more = ", kernel_regularizer=penalty" if penalty else ""
    rate = f"learning_rate={_plain(state['learning_rate'])}"
    optimiser = {
        "sgd": f"SGD({rate})",
        "momentum": f"SGD({rate}, momentum=0.9)",
        "rmsprop": f"RMSprop({rate})",
        "adam": f"Adam({rate})",
    }[state["optimiser"]]
    lines = [
        "import keras",
        "from course_lib.explorables import playground",
        "",
        "x_train, y_train, x_test, y_test = playground.make_data(",
        f'    dataset="{state["dataset"]}", noise={_plain(state["noise"])}, n_points={state["n_points"]}, '
        f"train_share={state['train_share']}, data_seed={state['data_seed']},",
        f"    features={json.dumps(state['features'])},",
        ")",
        f"keras.utils.set_random_seed({state['seed']})",
        *([f"penalty = keras.regularizers.L1L2({factors})"] if penalty else []),
        "model = keras.Sequential([",
        "    keras.Input((x_train.shape[1],)),",
        *(f'    keras.layers.Dense({nodes}, activation="{state["activation"]}"{more}),' for nodes in state["layers"]),
        f'    keras.layers.Dense(1, activation="{"linear" if regression else "sigmoid"}"{more}),',
        "])",
        "model.compile(",
        f"    optimizer=keras.optimizers.{optimiser},",
        f'    loss="{"mean_squared_error" if state["loss"] == "mse" else "binary_crossentropy"}",',
        *([] if regression else ['    metrics=["accuracy"],']),
        ")",
        f"history = model.fit(x_train, y_train, batch_size={state['batch_size']}, epochs={state['epoch'] or 100},",
        "                    validation_data=(x_test, y_test), verbose=0)",
    ]
    return "\n".join(lines)


def _key(state):
    return json.dumps({name: state[name] for name in settings.TRAINING_FIELDS})


@functools.lru_cache(maxsize=4)
def _begun(key):
    return network.Training(json.loads(key))


def _trained(key, epoch):
    """Return a training that has reached `epoch` and not gone beyond it; going on costs the new epochs only."""
    training = _begun(key)
    if training.epoch > epoch:  # weights of a later epoch must not stand for these
        training = _begun.__wrapped__(key)
    if training.epoch < epoch:
        training.run(epoch)
    return training


# --- words and pictures --------------------------------------------------------------------------------


def _written_loss(value):
    """Write a loss with three decimals, as the browser does."""
    if value >= 1000:
        return "over 1000"
    thousandths = math.floor(value * 1000 + 0.5)
    return f"{thousandths // 1000}.{thousandths % 1000:03d}"


def _summary_of(result, epoch, *, short=False):
    if epoch >= len(result.training_loss) or not math.isfinite(result.training_loss[epoch]):
        return f"diverged after {len(result.training_loss) - 1} epochs, the loss is no number any more"
    test = f"test loss {_written_loss(result.test_loss[epoch])}"
    if short:
        return test
    text = f"Epoch {epoch}: training loss {_written_loss(result.training_loss[epoch])}, {test}"
    if result.test_accuracy:
        text += f", {math.floor(100 * result.test_accuracy[epoch] + 0.5)} % of the test points right"
    return f"{text}; {sum(layer.size for layer in result.weights)} parameters"


def class_colours():
    """Return the colour scale of a probability: background, undecided, signal, softened so that points stand out."""

    def softened(colour):
        parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        return "#" + "".join(f"{round(0.62 * part + 0.38 * 255):02x}" for part in parts)

    return [[0, softened(style.PALETTE["background"])], [0.5, "#f7f7f5"], [1, softened(style.PALETTE["signal"])]]


def _draw_points(figure, state, result):
    """Training and test points: classes differ in shape and colour, targets in colour or height."""
    curve, regression = state["dataset"] == "interpolation", result.kind == "mse"
    count = result.n_training
    groups = [("training", slice(None, count)), ("test", slice(count, None))]
    for meaning, part in groups[: 1 + state["show_test"]]:
        x, y, target = result.points[part, 0], result.points[part, 1], result.targets[part]
        hollow = "-open" if meaning == "test" else ""
        marker = {"symbol": np.where(target > 0.5, "circle" + hollow, "square" + hollow).tolist(), "size": 6}
        marker["color"] = np.where(target > 0.5, style.PALETTE["signal"], style.PALETTE["ink"]).tolist()
        if regression:
            marker = {"symbol": "circle" if meaning == "training" else "square", "size": 6, "opacity": 0.8}
        if curve:
            x, y = _curve_axes(x, target)
            marker["color"] = style.PALETTE[meaning]
        elif regression:
            outline = {"color": style.PALETTE["ink"], "width": 1}
            marker |= {"color": _compact(target), "cmin": -1, "cmax": 1, "colorscale": style.DIVERGING, "line": outline}
        name = f"{meaning} points"
        figure.add_scatter(x=_compact(x), y=_compact(y), mode="markers", marker=marker, name=name, row=1, col=1)


def _curve_axes(place, target):
    """Return x and f(x) of the interpolation exercise for a place in the picture and a target."""
    scale = data.CURVE_HALF_RANGE / data.HALF_WIDTH
    return np.asarray(place) * scale, np.asarray(target) * data.CURVE_SCALE + data.CURVE_MEAN


def _compact(values):
    return np.asarray(values, dtype=np.float32)


def _draw_plane(figure, state, result):
    regression = result.kind == "mse"
    place = np.linspace(-data.HALF_WIDTH, data.HALF_WIDTH, 41)
    grid = np.column_stack([axis.ravel() for axis in np.meshgrid(place, place)])
    surface = {"x": _compact(place), "y": _compact(place), "z": _compact(result.predict(grid).reshape(41, 41))}
    figure.add_heatmap(
        **surface,
        zmin=-1 if regression else 0,
        zmax=1,
        zsmooth="best",
        colorscale=style.DIVERGING if regression else class_colours(),
        colorbar={"title": {"text": "target" if regression else "p(●)"}, "x": 0.37, "thickness": 10, "len": 0.9},
        row=1,
        col=1,
    )
    if not regression:
        figure.add_contour(
            **surface,
            contours={"start": 0.5, "end": 0.5, "size": 1, "coloring": "none"},
            line={"color": style.PALETTE["ink"], "width": 2},
            showscale=False,
            name="border, probability 0.5",
            showlegend=True,
            row=1,
            col=1,
        )
    _draw_points(figure, state, result)
    edge = [-data.HALF_WIDTH, data.HALF_WIDTH]
    figure.update_xaxes(title_text="x", range=edge, constrain="domain", row=1, col=1)
    figure.update_yaxes(title_text="y", range=edge, scaleanchor="x", constrain="domain", row=1, col=1)


def _draw_curve(figure, state, result):
    place = np.linspace(-data.HALF_WIDTH, data.HALF_WIDTH, 241)
    x, truth = _curve_axes(place, data.curve(place))
    _, fit = _curve_axes(place, result.predict(np.column_stack([place, 0 * place])))
    _draw_points(figure, state, result)
    reference = {"color": style.PALETTE["reference"], "dash": style.DASHES["reference"]}
    drawn = {"color": style.PALETTE["signal"], "width": 3}
    for name, y, line in [("true curve", truth, reference), ("network", fit, drawn)]:
        figure.add_scatter(x=_compact(x), y=_compact(y), mode="lines", line=line, name=name, row=1, col=1)
    figure.update_xaxes(title_text="x", row=1, col=1)
    figure.update_yaxes(title_text="f(x)", row=1, col=1)


def _draw_losses(figure, result, prefix):
    # A saved notebook keeps every point: 300 along a curve are as good as 5000.
    chosen = np.unique(np.linspace(0, len(result.training_loss) - 1, 300).astype(int))
    for name, losses in [("training", result.training_loss), ("test", result.test_loss)]:
        line = {"color": style.PALETTE[name], "dash": style.DASHES[name], "width": 1.5 if prefix else 2.5}
        values = np.asarray(losses)[chosen]
        values[~np.isfinite(values)] = np.nan
        figure.add_scatter(
            x=chosen.astype(np.int16),
            y=_compact(values),
            mode="lines",
            line=line,
            opacity=0.6 if prefix else 1,
            name=f"{prefix}{name} loss",
            row=1,
            col=2,
        )
