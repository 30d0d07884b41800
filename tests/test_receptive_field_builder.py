"""Figure 8.4 against perturbed Keras stacks, exact path counts, the numbers of the text, and its JavaScript twin."""

import itertools
import os

import javascript
import numpy as np
import pytest

from course_lib import convolution
from course_lib.explorables import ReceptiveFieldBuilder
from course_lib.explorables import receptive_field_builder as model
from course_lib.explorables.receptive_field_builder import convolution_layer, pooling_layer

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

STACKS = [
    [convolution_layer()] * 3,
    [convolution_layer(7)],
    [convolution_layer(), pooling_layer(), convolution_layer(), convolution_layer()],
    [convolution_layer(5, stride=2), pooling_layer(3), convolution_layer(2)],
    [convolution_layer(3, dilation=2), convolution_layer(4, dilation=3)],
    [convolution_layer(2), pooling_layer(2), convolution_layer(3, stride=3), convolution_layer(3, dilation=4)],
]


def positions(layers):
    return sorted({0, 15, 16, 31, model.INPUT_SIZE // 3, model.output_step(layers)} & set(range(model.INPUT_SIZE)))


def path_counts(layers, position):
    """Number of paths along one axis from every input pixel to the output pixel, by walking all of them."""
    sizes = model.map_sizes(layers)
    counts = {position // model.output_step(layers): 1}
    for layer, size in zip(reversed(layers), reversed(sizes[:-1]), strict=True):
        earlier = {}
        for index, paths in counts.items():
            for point in range(layer["kernel_size"]):
                at = index * layer["stride"] + layer["dilation"] * point - model.left_padding(layer, size)
                if 0 <= at < size:
                    earlier[at] = earlier.get(at, 0) + paths
        counts = earlier
    return np.array([counts.get(at, 0) for at in range(model.INPUT_SIZE)], dtype=float)


def keras_stack(layers):
    keras = pytest.importorskip("keras")
    stack = keras.Sequential([keras.Input((model.INPUT_SIZE, model.INPUT_SIZE, 1))])
    for layer in layers:
        size, stride, dilation = layer["kernel_size"], layer["stride"], layer["dilation"]
        if layer["kind"] == "pooling":
            stack.add(keras.layers.AveragePooling2D(size, padding="same"))
        elif dilation == 1:
            stack.add(keras.layers.Conv2D(1, size, strides=stride, padding="same", kernel_initializer="ones"))
        else:
            stack.add(keras.layers.Conv2D(1, size, dilation_rate=dilation, padding="same", kernel_initializer="ones"))
    return stack


@pytest.mark.parametrize("layers", STACKS)
def test_sizes_and_footprints_are_those_of_a_keras_stack(layers):
    stack = keras_stack(layers)
    assert stack.output_shape[1] == model.map_sizes(layers)[-1]
    single_pixels = (
        np.eye(model.INPUT_SIZE, dtype="float32")[:, :, None, None] * np.eye(model.INPUT_SIZE)[:, None, :, None]
    )
    responses = np.asarray(stack(single_pixels.astype("float32")))[:, :, :, 0]
    for position in positions(layers):
        output = position // model.output_step(layers)
        touched = np.flatnonzero(responses[:, output, output])
        assert model.footprints(layers, position)[0] == touched.tolist()


@pytest.mark.parametrize("layers", STACKS)
def test_away_from_the_borders_the_footprint_has_the_width_of_the_formula(layers):
    expected = convolution.receptive_field(model.plain_layers(layers))
    widths = [
        seen[-1] - seen[0] + 1
        for seen in (model.footprints(layers, position)[0] for position in range(model.INPUT_SIZE))
    ]
    assert max(widths) <= expected
    if expected <= model.INPUT_SIZE // 2:
        assert max(widths) == expected


@pytest.mark.parametrize("layers", STACKS)
def test_random_networks_average_to_the_number_of_paths(layers):
    expected = np.outer(path_counts(layers, 15), path_counts(layers, 15))
    expected /= expected.sum()
    batches = [model.effective_field(layers, 15, 15, networks=100, seed=seed) for seed in range(20)]
    shares = np.array([batch / batch.sum() for batch in batches])
    error = shares.std(axis=0, ddof=1) / np.sqrt(len(shares))
    assert np.array_equal(shares.mean(axis=0) > 0, expected > 0)
    # Each batch is divided by its own sum, which biases the shares slightly: hence the second term.
    assert (np.abs(shares.mean(axis=0) - expected) <= 6 * error + 0.02 * expected.max()).all()


@pytest.mark.parametrize(
    "layers", [stack for stack in STACKS if convolution.receptive_field(model.plain_layers(stack)) < 15]
)
def test_effective_width_is_that_of_the_path_counts(layers):
    counts = path_counts(layers, 15)
    place = np.arange(model.INPUT_SIZE)
    mean = np.average(place, weights=counts)
    variance = np.average((place - mean) ** 2, weights=counts) + 1 / 12
    assert model.effective_width(layers) == pytest.approx(np.sqrt(8 * np.log(2) * variance))


def test_effective_field_grows_like_the_root_of_the_depth():
    ratio = [model.effective_width([convolution_layer()] * depth) for depth in (1, 4)]
    assert ratio[1] / ratio[0] == pytest.approx(2, rel=0.06)
    for depth in range(1, 7):
        layers = [convolution_layer()] * depth
        assert model.effective_width(layers) < convolution.receptive_field(model.plain_layers(layers))


def test_the_numbers_of_the_text():
    assert ReceptiveFieldBuilder().receptive_field() == 7
    assert [len(seen) for seen in model.footprints([convolution_layer()] * 3, 15)] == [7, 5, 3, 1]
    assert ReceptiveFieldBuilder(layers=STACKS[2]).receptive_field() == 12


def test_the_challenge_has_solutions_and_says_so():
    solutions = [
        stack
        for depth in (1, 2, 3)
        for stack in itertools.product([convolution_layer(), convolution_layer(7), pooling_layer(3)], repeat=depth)
        if convolution.receptive_field(model.plain_layers(stack)) == model.TARGET_FIELD
    ]
    assert solutions
    for stack in solutions:
        assert "challenge solved" in ReceptiveFieldBuilder(layers=list(stack)).summary()
    too_deep = [convolution_layer(1), *[convolution_layer(5)] * 3, convolution_layer(3)]
    assert ReceptiveFieldBuilder(layers=too_deep).receptive_field() == model.TARGET_FIELD
    assert "challenge solved" not in ReceptiveFieldBuilder(layers=too_deep).summary()


def test_smaller_maps_get_more_channels():
    layers = [convolution_layer(), pooling_layer(), convolution_layer(), convolution_layer(stride=2)]
    assert model.map_channels(layers) == [3, 8, 8, 16, 32]
    assert model.map_channels([pooling_layer()]) == [3, 3]


def test_javascript_computes_the_same():
    explorable = ReceptiveFieldBuilder
    states = [explorable(**state).state for state in javascript.random_states(explorable, 15, seed=8)]
    states += [explorable(layers=layers, networks=4, seed=77).state for layers in STACKS]
    calls = []
    for state in states:
        calls += [
            ("fieldGrowth", state["layers"]),
            ("mapSizes", state["layers"]),
            ("mapChannels", state["layers"]),
            ("footprints", state["layers"], state["column"]),
            ("effectiveWidth", state["layers"]),
            ("effectiveField", state),
        ]
    results = iter(javascript.call(explorable, calls))
    for state in states:
        layers = state["layers"]
        assert next(results) == convolution.receptive_field_growth(model.plain_layers(layers))
        assert next(results) == model.map_sizes(layers)
        assert next(results) == model.map_channels(layers)
        assert next(results) == model.footprints(layers, state["column"])
        assert next(results) == pytest.approx(model.effective_width(layers))
        ours = model.effective_field(
            layers, state["row"], state["column"], networks=state["networks"], seed=state["seed"]
        )
        np.testing.assert_allclose(next(results), ours, atol=1e-12)


@pytest.mark.parametrize(
    "bad",
    [
        [],
        [(3, 1, 1)] * 7,
        [(8, 1, 1)],
        [(3, 0, 1)],
        [(3, 1, 1, 1)],
        [(True, 1, 1)],
        [3],
        None,
        "3 3",
        [{"kind": "convolution", "kernel_size": 3}],
        [{"kind": "magic", "kernel_size": 3, "stride": 1, "dilation": 1}],
        [{"kind": "pooling", "kernel_size": 3, "stride": 2, "dilation": 1}],
        [{"kind": ["pooling"], "kernel_size": 2, "stride": 2, "dilation": 1}],
    ],
)
def test_a_bad_stack_is_explained(bad):
    with pytest.raises(ValueError, match="layers must be a list of 1 to 6 layers"):
        ReceptiveFieldBuilder(layers=bad)


def test_static_figure_shows_field_frame_and_growth():
    builder = ReceptiveFieldBuilder(layers=[(3, 1, 1), (5, 1, 1)], row=4, column=20)
    figure = builder.static_figure()
    frame = figure.layout.shapes[0]
    assert (frame.y0, frame.y1, frame.x0, frame.x1) == (0.5, 7.5, 16.5, 23.5)
    growth = next(trace for trace in figure.data if trace.name == "receptive field")
    assert list(growth.y) == [1, 3, 7]
    assert "pixels" in figure.layout.xaxis.title.text
