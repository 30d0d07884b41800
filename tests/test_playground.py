"""The playground: data against simulators, gradients against differences, training against Keras and JavaScript."""

import itertools
import json
import math
import re

import javascript
import numpy as np
import pytest
import scipy.spatial
import scipy.stats
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from course_lib.explorables import Playground, playground
from course_lib.explorables.playground import data, network, settings
from course_lib.simulators import interpolation, plane_classes


def state_of(**fields):
    return Playground(**fields).state


# --- random numbers and data ---------------------------------------------------------------------------


def test_random_numbers_are_uniform_normal_and_uncorrelated():
    streams = np.array([data.uniform(seed, stream, 4000) for seed in range(5) for stream in (0, 1, 2, 16, 64, 65)])
    assert streams.min() >= 0
    assert streams.max() < 1
    assert scipy.stats.kstest(streams.ravel(), "uniform").pvalue > 0.01
    assert min(scipy.stats.kstest(stream, "uniform").pvalue for stream in streams) > 0.01 / len(streams)
    correlation = np.corrcoef(np.vstack([streams, np.roll(streams, 1, axis=1)]))
    assert np.abs(correlation - np.eye(len(correlation))).max() < 5 / math.sqrt(4000)
    assert scipy.stats.kstest(data.normal(3, 2, 20_000), "norm").pvalue > 0.01


@pytest.mark.parametrize(
    ("dataset", "simulated"),
    [
        ("checkerboard", lambda: plane_classes.checkerboard(40_000, seed=1)),
        ("two_moons", lambda: plane_classes.two_moons(40_000, noise=0, seed=1)),
        ("circles", lambda: plane_classes.circles(40_000, noise=0, seed=1)),
        ("spirals", lambda: plane_classes.spirals(40_000, noise=0, seed=1)),
    ],
)
def test_without_noise_the_points_lie_where_the_simulator_puts_them(dataset, simulated):
    theirs, their_labels = simulated()
    if dataset == "two_moons":
        theirs = data.MOON_RADIUS * (theirs - [0.5, 0.25])
    elif dataset != "checkerboard":
        theirs = data.CIRCLE_RADIUS * theirs
    ours, our_labels = data.make_points({"dataset": dataset, "noise": 0, "n_points": 500, "data_seed": 2})
    for label in (0, 1):
        here, there = ours[our_labels == label], theirs[their_labels == label]
        assert scipy.spatial.KDTree(there).query(here)[0].max() < 0.25
        # And the other way round: no part of the pattern stays empty.
        assert scipy.spatial.KDTree(here).query(there)[0].max() < 1.5


def test_noise_flips_as_many_labels_of_the_checkerboard_as_the_simulator_does():
    shares = []
    for seed in range(40):
        points, labels = data.make_points({"dataset": "checkerboard", "noise": 0.5, "n_points": 500, "data_seed": seed})
        shares.append(((points.prod(axis=1) > 0) != labels).mean())
    points, labels = plane_classes.checkerboard(100_000, noise=0.5, seed=0)
    expected = ((points.prod(axis=1) > 0) != labels).mean()
    assert np.mean(shares) == pytest.approx(expected, abs=4 * np.std(shares) / math.sqrt(len(shares)))


@pytest.mark.parametrize(("dataset", "radius", "factor"), [("circles", 5, 0.5), ("spirals", 5, 0.25)])
def test_gaussian_noise_has_the_width_that_is_promised(dataset, radius, factor):
    quiet, noisy = (
        data.make_points({"dataset": dataset, "noise": noise, "n_points": 500, "data_seed": 7})[0] for noise in (0, 0.1)
    )
    moved = noisy - quiet
    inside = np.abs(noisy).max(axis=1) < data.HALF_WIDTH
    assert moved[inside].std() == pytest.approx(0.1 * factor * radius, rel=0.1)
    assert np.abs(noisy).max() <= data.HALF_WIDTH


def test_the_curve_is_the_one_of_the_interpolation_exercise():
    points, targets = data.make_points({"dataset": "interpolation", "noise": 0, "n_points": 200, "data_seed": 0})
    expected = (interpolation.function(points[:, 0] / 0.6) - 4) / 2
    np.testing.assert_allclose(targets, expected, atol=1e-5)
    assert not points[:, 1].any()


def test_more_points_begin_with_the_same_ones():
    few, many = (
        data.make_points({"dataset": "spirals", "noise": 0.1, "n_points": count, "data_seed": 3})[0]
        for count in (50, 500)
    )
    np.testing.assert_array_equal(few, many[:50])


def test_features_are_what_their_names_say():
    points = np.random.default_rng(0).uniform(-6, 6, (50, 2))
    x, y = points.T
    matrix = data.feature_matrix(list(data.FEATURES), points)
    np.testing.assert_allclose(matrix, np.column_stack([x, y, x**2, y**2, x * y, np.sin(x), np.sin(y)]), atol=1e-7)


# --- the network ---------------------------------------------------------------------------------------


def test_our_exponential_is_the_exponential():
    x = np.linspace(-39, 39, 20_001)
    np.testing.assert_allclose(network.exponential(x), np.exp(x), rtol=2e-13)
    np.testing.assert_allclose(network.ACTIVATIONS["tanh"][0](x), np.tanh(x), rtol=1e-10, atol=1e-15)
    assert np.isnan(network.exponential(np.array([np.nan]))).all()


@pytest.mark.parametrize("activation", network.ACTIVATIONS)
@pytest.mark.parametrize("kind", ["cross_entropy", "class_mse", "mse"])
def test_gradients_agree_with_finite_differences(activation, kind):
    rng = np.random.default_rng(5)
    weights = [rng.normal(size=shape) for shape in [(4, 5), (6, 3), (4, 1)]]
    inputs, target = rng.normal(size=(7, 3)), rng.integers(0, 2, 7).astype(float)
    penalties = {"l1": 0.03, "l2": 0.02}

    def objective():
        output = network.forward(weights, inputs, activation)[1][-1][:, 0]
        slopes = sum(0.03 * np.abs(layer[1:]).sum() + 0.02 * (layer[1:] ** 2).sum() for layer in weights)
        return network.loss_values(output, target, kind).mean() + slopes

    gradient = network.gradient(weights, inputs, target, activation=activation, kind=kind, **penalties)
    for layer, slope in zip(weights, gradient, strict=True):
        for index in np.ndindex(layer.shape):
            value, step = layer[index], 1e-6
            layer[index] = value + step
            above = objective()
            layer[index] = value - step
            below = objective()
            layer[index] = value
            assert slope[index] == pytest.approx((above - below) / (2 * step), rel=1e-5, abs=1e-8)


def test_initial_weights_are_glorot_uniform_with_zero_biases():
    drawn = [network.initial_weights({"features": ["x"], "layers": [8, 8], "seed": seed}) for seed in range(200)]
    middle = np.array([weights[1] for weights in drawn])
    limit = math.sqrt(6 / 16)
    assert not middle[:, 0].any()
    assert scipy.stats.kstest(middle[:, 1:].ravel(), "uniform", (-limit, 2 * limit)).pvalue > 0.01


KERAS_STATES = {
    "sgd": {"layers": [5, 3], "activation": "tanh", "optimiser": "sgd", "l2": 0.01, "noise": 0.2, "n_points": 90},
    "momentum": {"layers": [4], "optimiser": "momentum", "learning_rate": 0.01, "loss": "mse", "dataset": "circles"},
    "rmsprop": {"layers": [6], "activation": "elu", "optimiser": "rmsprop", "learning_rate": 0.003, "dataset": "hills"},
    "adam": {"layers": [6, 4], "activation": "leaky_relu", "optimiser": "adam", "learning_rate": 0.01, "l1": 0.001},
}


@pytest.mark.parametrize("name", KERAS_STATES)
def test_keras_trains_to_the_same_losses_by_the_code_shown(name):
    keras = pytest.importorskip("keras")
    state = state_of(**KERAS_STATES[name], epoch=1)
    program = playground.keras_code(state)
    # Same initial weights and same batches, else everything as the student sees it.
    before_fit, fit = re.split(r"(?=history = )", program)
    names = {}
    exec(before_fit, names)
    training = network.Training(state)
    model = names["model"]
    kernels = model.trainable_variables[::2]
    assert [kernel.shape for kernel in kernels] == [layer[1:].shape for layer in training.weights]
    model.set_weights([part for layer in training.weights for part in (layer[1:], layer[0])])
    ours, theirs = [training.training_loss[0]], [_keras_loss(keras, names)]
    for _ in range(3):
        for place in range(settings.steps_per_epoch(state)):
            order = training.order()
            chosen = order[place * state["batch_size"] : (place + 1) * state["batch_size"]]
            model.train_on_batch(names["x_train"][chosen], names["y_train"][chosen])
            training.step()
        ours.append(training.training_loss[-1])
        theirs.append(_keras_loss(keras, names))
    assert theirs == pytest.approx(ours, abs=1e-5)
    assert len(set(ours)) == 4
    exec(fit, names)
    assert len(names["history"].history["val_loss"]) == 1


def _keras_loss(keras, names):
    model = names["model"]
    prediction = model(names["x_train"])
    return float(keras.ops.mean(keras.losses.get(model.loss)(names["y_train"], prediction)))


# --- the same in the browser ---------------------------------------------------------------------------

OPTIMISERS = ("sgd", "momentum", "rmsprop", "adam")
PARITY = [
    *({**changes, "epoch": 20} for _, _, _, changes in settings.PRESETS),
    *({"layers": [5, 4], "optimiser": name, "epoch": 120, "n_points": 100} for name in OPTIMISERS),
    {"layers": [6], "activation": "sigmoid", "loss": "mse", "dataset": "two_moons", "epoch": 120, "batch_size": 500},
    {"layers": [3, 3], "activation": "elu", "dataset": "plane", "noise": 0.3, "batch_size": 1, "epoch": 20},
    {"layers": [8, 2], "activation": "leaky_relu", "features": ["x", "y2", "xy", "sin_x"], "l1": 0.003, "epoch": 80},
    {"layers": [4], "dataset": "clusters", "noise": 0.4, "data_seed": 9999, "seed": 9999, "epoch": 5, "batch": 7},
    # Diverges: the same epoch in both.
    {"layers": [8, 8], "dataset": "hills", "learning_rate": 10, "activation": "linear", "epoch": 30},
    {"layers": [4, 4], "optimiser": "adam", "learning_rate": 0.01, "epoch": 400, "n_points": 40},
]


def test_javascript_trains_to_the_same_weights_bit_for_bit():
    states = [state_of(**fields) for fields in PARITY]
    for state, theirs in zip(states, javascript.call(Playground, [("trainedNumbers", s) for s in states]), strict=True):
        ours = playground.run(state)
        assert (theirs["epoch"], theirs["batch"], theirs["diverged"]) == (ours.epoch, ours.batch, ours.diverged)
        for flat, layer in zip(theirs["weights"], ours.weights, strict=True):
            # JSON writes what is no number as null.
            mine = np.where(np.isfinite(layer), layer, np.nan).ravel()
            np.testing.assert_array_equal(np.array(flat, dtype=float), mine)
        for name, losses in [("trainingLoss", ours.training_loss), ("testLoss", ours.test_loss)]:
            mine = [loss if math.isfinite(loss) else math.nan for loss in losses]
            np.testing.assert_allclose(np.array(theirs[name], dtype=float), mine, rtol=1e-12, atol=1e-14)
        assert theirs["trainingAccuracy"] == ours.training_accuracy
        assert theirs["testAccuracy"] == ours.test_accuracy


def test_javascript_draws_the_same_data_and_features():
    cases = [
        state_of(dataset=dataset, noise=noise, n_points=40, data_seed=seed, features=["x"])
        for dataset, noise, seed in itertools.product(settings.DATA_FIELDS["dataset"].samples, (0, 0.35), (0, 42))
    ]
    results = javascript.call(Playground, [("makePoints", state) for state in cases])
    drawn = [data.make_points(state) for state in cases]
    for (points, targets), theirs in zip(drawn, results, strict=True):
        # JSON writes a Float64Array as an object.
        x, y, target = (list(theirs[name].values()) for name in ("x", "y", "target"))
        np.testing.assert_array_equal(points, np.column_stack([x, y]))
        np.testing.assert_array_equal(targets, target)
    names = list(data.FEATURES)
    features = javascript.call(Playground, [("featureMatrix", names, *points.T.tolist()) for points, _ in drawn])
    for (points, _), theirs in zip(drawn, features, strict=True):
        np.testing.assert_array_equal(data.feature_matrix(names, points).ravel(), list(theirs.values()))


def test_javascript_writes_the_same_program():
    states = [state_of(**fields) for fields in PARITY]
    programs = javascript.call(Playground, [("kerasCode", state) for state in states])
    assert programs == [playground.keras_code(state) for state in states]


def test_javascript_refuses_the_pasted_states_that_python_refuses():
    good = [state_of(**fields) for fields in PARITY] + [{}, {"pinned": {"layers": [2]}}, {"features": ["xy", "x"]}]
    read = javascript.call(Playground, [("readState", json.dumps(state)) for state in good])
    for state, theirs in zip(good, read, strict=True):
        assert "error" not in theirs
        assert Playground(theirs["state"]).state == Playground(state).state
    texts = [*BAD_TEXTS, *(json.dumps(bad) for bad in BAD_STATES)]
    for text, theirs in zip(texts, javascript.call(Playground, [("readState", text) for text in texts]), strict=True):
        assert "Nothing was changed" in theirs["error"], text


# --- states of strangers -------------------------------------------------------------------------------

BAD_TEXTS = ["", "{", "[]", "null", "3", '"x"', '{"noise": NaN}', "[" * 5000]
BAD_STATES = [
    {"colour": "red"},
    {"state": {}},
    {"self": 1},
    {"layers": [9]},
    {"layers": [4] * 7},
    {"layers": ["4"]},
    {"layers": [True]},
    {"layers": {"0": 4}},
    {"layers": None},
    {"features": []},
    {"features": ["x", "x"]},
    {"features": ["z"]},
    {"features": "x"},
    {"noise": 0.6},
    {"noise": "0"},
    {"n_points": 20.5},
    {"n_points": 10**400},
    {"learning_rate": 0.02},
    {"optimiser": ["adam"]},
    {"epoch": 5001},
    {"epoch": -1},
    {"pinned": []},
    {"pinned": {"seed": 1}},
    {"pinned": {"layers": [0]}},
    {"show_test": 1},
    {"hidden": ["everything"]},
]


@pytest.mark.parametrize("text", [*BAD_TEXTS, *map(json.dumps, BAD_STATES), b"\xff", "x" * 30_000, 7, None])
def test_a_bad_state_is_refused_in_one_sentence(text):
    with pytest.raises(ValueError, match=r"(?i)playground") as caught:
        playground.replay(text)
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)
#: Mostly fields that exist, with values from anywhere: the part of all inputs that gets past the first check.
near_states = st.dictionaries(
    st.sampled_from(sorted(Playground.fields)) | st.text(max_size=8),
    json_values
    | st.sampled_from([sample for field in Playground.fields.values() for sample in (field.default, *field.samples)]),
    max_size=6,
)


@hypothesis_settings(max_examples=150, deadline=None, derandomize=True)
@given(near_states | json_values, st.booleans())
def test_whatever_is_handed_in_is_replayed_or_refused(given_state, as_text):
    text = json.dumps(given_state) if as_text or not isinstance(given_state, dict) else given_state
    try:
        result = playground.replay(text, maximum_work=300)
    except ValueError as error:
        assert str(error)
    else:
        complete = result.settings
        assert Playground(complete).state == complete
        stated = {name: value for name, value in given_state.items() if name in ("epoch", "layers", "dataset")}
        assert stated.items() <= complete.items()


@hypothesis_settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(max_size=80) | st.binary(max_size=80))
def test_any_text_is_refused_politely(text):
    try:
        playground.replay(text, maximum_work=100)
    except ValueError as error:
        assert "playground" in str(error).lower()


def test_a_state_that_contradicts_itself_is_not_silently_mended():
    for fields in ({"dataset": "interpolation", "features": ["y"]}, {"epoch": 3, "batch": 200}):
        with pytest.raises(ValueError, match="does not go with the other fields"):
            playground.replay(fields)
    with pytest.raises(ValueError, match="more than 1000"):
        playground.replay({"epoch": 100}, maximum_work=1000)


def test_replay_gives_the_numbers_of_the_state_that_was_copied():
    text = json.dumps(state_of(layers=[3], seed=5, epoch=40, batch=3))
    first, second = playground.replay(text), playground.run(Playground(text))
    assert (first.epoch, first.batch) == (40, 3)
    assert first.test_loss == second.test_loss
    assert len(first.test_loss) == 41
    assert first.test_loss[:21] == playground.run(text, epochs=20).test_loss


# --- the explorable ------------------------------------------------------------------------------------


def test_a_changed_setting_starts_anew_unless_the_epoch_is_named():
    explorable = Playground(epoch=30)
    explorable.state = {"show_test": False}
    assert explorable.state["epoch"] == 30
    explorable.state = {"learning_rate": 0.1}
    assert explorable.state["epoch"] == 0
    explorable.state = {"learning_rate": 0.3, "epoch": 12}
    assert explorable.state["epoch"] == 12


def test_the_opening_state_may_be_json():
    text = json.dumps({"layers": [2], "seed": 3})
    assert Playground(text, seed=4).state["layers"] == [2]
    assert Playground(text, seed=4).state["seed"] == 4


def test_the_score_rewards_reaching_the_goal_with_fewer_nodes():
    goal = {"goal_test_loss": 0.1, "goal_nodes": 6}
    reached = playground.run({**goal, "layers": [4], "epoch": 150})
    assert reached.test_loss[-1] <= 0.1
    assert playground.score(reached) == 120
    early = playground.run({**goal, "layers": [4], "epoch": 1})
    assert 0 < playground.score(early) == math.floor(10 / early.test_loss[-1]) < 100
    assert playground.score(playground.run({**goal, "layers": [4, 3], "epoch": 1})) == 0
    assert playground.score(playground.run({"goal_test_loss": 0, "layers": [4], "epoch": 1})) == 0


@pytest.fixture(scope="module")
def presets():
    """What the browser reaches with each example in 200 epochs: it is ten times as fast as Python, and equal to it."""
    states = {name: state_of(**changes, epoch=200) for name, _, _, changes in settings.PRESETS}
    results = javascript.call(Playground, [("trainedNumbers", state) for state in states.values()])
    return {name: {**states[name], **result} for name, result in zip(states, results, strict=True)}


def layers_of(preset):
    shapes = [layer.shape for layer in network.initial_weights(preset)]
    return [np.reshape(flat, shape) for flat, shape in zip(preset["weights"], shapes, strict=True)]


def test_the_good_examples_show_what_their_sentences_say(presets):
    assert presets["Four folds"]["testAccuracy"][60] > 0.99
    simple = presets["The right feature"]
    assert simple["testAccuracy"][0] < 0.1
    assert simple["testAccuracy"][10] > 0.97
    assert presets["Winding spirals"]["testAccuracy"][-1] > 0.95
    curve = presets["A curve from kinks"]["testLoss"]
    assert curve[-1] < 0.4 * curve[0]
    free, held = presets["Learning the noise"], presets["Noise kept in check"]
    assert {field for field in settings.TRAINING_FIELDS if free[field] != held[field]} == {"l2"}
    assert free["trainingLoss"][-1] < 0.6 * held["trainingLoss"][-1]
    assert held["testLoss"][-1] < 1.1 * min(held["testLoss"])
    assert free["testLoss"][-1] > 1.3 * min(free["testLoss"])


def test_the_bad_examples_fail_as_their_sentences_say(presets):
    for name in ("Only lines", "Deep but linear"):
        # The best line cuts off one corner: two thirds.
        assert max(presets[name]["testAccuracy"][50:]) < 0.72
    vanishing = presets["Vanishing gradients"]
    assert vanishing["trainingLoss"][-1] == pytest.approx(math.log(2), abs=0.005)
    before, after = network.initial_weights(vanishing), layers_of(vanishing)
    moved = [np.abs(old - new).max() for old, new in zip(before, after, strict=True)]
    assert moved[0] < 0.1 * moved[-1]
    assert max(np.abs(layer[1:]).max() for layer in layers_of(presets["Strangled by the penalty"])) < 0.02
    wild = presets["Too large steps"]
    inputs = data.feature_matrix(wild["features"], data.make_points(wild)[0])
    second_layer = network.forward(layers_of(wild), inputs, "relu")[1][1]
    assert (second_layer <= 0).all(axis=0).sum() >= 2
    assert np.abs(np.diff(wild["trainingLoss"][1:])).max() > 0.02


def test_five_seeds_of_three_nodes_do_not_agree():
    # Exercise 3.3: equal settings, other initial weights.
    accuracies = [playground.run({"layers": [3], "seed": seed, "epoch": 80}).test_accuracy[-1] for seed in range(5)]
    assert max(accuracies) - min(accuracies) > 0.1


def test_l1_leaves_more_weights_near_zero_than_l2():
    # Exercise 5.1, at penalties that keep the test loss alike.
    shared = {"noise": 0.5, "layers": [8, 8], "optimiser": "adam", "learning_rate": 0.01, "epoch": 150}
    shares = {}
    for name in ("l1", "l2"):
        weights = playground.run({**shared, name: 0.01}).weights
        shares[name] = np.mean(np.abs(np.concatenate([layer[1:].ravel() for layer in weights])) < 0.01)
    assert shares["l1"] > shares["l2"] + 0.2


@pytest.mark.parametrize(
    "fields",
    [
        {"epoch": 3},
        {"dataset": "interpolation", "epoch": 3},
        {"dataset": "hills", "pinned": {"layers": [2]}, "epoch": 3, "show_test": False},
        {"learning_rate": 10, "dataset": "hills", "activation": "linear", "layers": [8, 8], "epoch": 50},
    ],
)
def test_static_figures_are_labelled_and_small(fields):
    shown = Playground(**fields)
    figure = shown.static_figure()
    assert all(axis.title.text for axis in (figure.layout.xaxis, figure.layout.yaxis, figure.layout.xaxis2))
    assert len(figure.to_json()) < 60_000
    result = playground.run(shown)
    curve = next(trace for trace in figure.data if trace.name == "training loss")
    losses = np.where(np.isfinite(result.training_loss), result.training_loss, np.nan)
    np.testing.assert_allclose(curve.y, losses.astype(np.float32))
    assert ("test points" in [trace.name for trace in figure.data]) == shown.state["show_test"]


def test_a_figure_shows_its_own_epoch_whatever_was_shown_before():
    early = Playground(epoch=3)
    alone = early.static_figure().to_json()
    Playground(epoch=40).static_figure()
    assert early.static_figure().to_json() == alone
