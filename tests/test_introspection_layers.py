"""Weights and outputs of single layers, against Keras itself and against a loop."""

import gc
import weakref

import keras
import numpy as np
import pytest

from course_lib import introspection
from course_lib.introspection import compilation


@pytest.fixture
def model():
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.layers.Input((None, None, 2)),
            keras.layers.Conv2D(3, 3, activation="relu", name="first"),
            keras.layers.Conv2D(4, 2, name="second"),
            keras.layers.GlobalAveragePooling2D(name="pool"),
            keras.layers.Dense(1, activation="sigmoid", name="output"),
        ]
    )


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(size=(5, 7, 6, 2)).astype(np.float32)


def test_filters_are_the_kernel_with_the_filter_axis_first(model):
    learned = introspection.filters(model, "first")
    assert learned.shape == (3, 3, 3, 2) and learned.dtype == np.float32
    for index in range(3):
        np.testing.assert_array_equal(learned[index], np.asarray(model.layers[0].kernel)[..., index])


def test_changing_the_returned_filters_leaves_the_model_alone(model):
    before = np.asarray(model.layers[0].kernel).copy()
    introspection.filters(model, 0)[:] = 0
    np.testing.assert_array_equal(model.layers[0].kernel, before)


def test_activations_follow_the_definition_of_a_convolution(model, images):
    maps = introspection.activations(model, images, "first")
    kernel, bias = (np.asarray(weight) for weight in model.layers[0].weights)
    expected = np.zeros((5, 5, 4, 3))
    for row in range(5):
        for column in range(4):
            patch = images[:, row : row + 3, column : column + 3]
            expected[:, row, column] = np.tensordot(patch, kernel, axes=3) + bias
    np.testing.assert_allclose(maps, np.maximum(expected, 0), atol=1e-5)


def test_last_layer_equals_predict_whatever_the_batch_size(model, images):
    expected = model.predict(images, verbose=0)
    for batch_size in (1, 2, 5, 100):
        np.testing.assert_allclose(
            introspection.activations(model, images, -1, batch_size=batch_size), expected, atol=1e-6
        )


def test_no_retracing_for_other_sizes_and_new_weights_are_seen(model, images):
    introspection.activations(model, images, "pool")
    introspection.activations(model, images[:2, :5], "pool")
    assert len(compilation._COMPILED[model]) == 1
    for layer in model.layers[:2]:
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    np.testing.assert_array_equal(introspection.activations(model, images, "pool"), 0)


def test_the_model_is_as_it_was_after_the_trace(model, images):
    before = [set(vars(layer)) for layer in model.layers]
    expected = model.predict(images, verbose=0)
    introspection.activations(model, images, "first")
    introspection.scores(model, images)
    assert [set(vars(layer)) for layer in model.layers] == before
    np.testing.assert_array_equal(model.predict(images, verbose=0), expected)


def test_a_model_that_is_gone_leaves_nothing_behind():
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
    introspection.activations(model, np.zeros((1, 3)), 0)
    watched = weakref.ref(model)
    del model
    keras.backend.clear_session()
    gc.collect()
    assert watched() is None


@pytest.mark.parametrize("layer", ["nowhere", 9, -6])
def test_unknown_layer_lists_the_known_ones(model, layer):
    with pytest.raises(ValueError, match=r"no layer .*0: first, 1: second, 2: pool, 3: output"):
        introspection.activations(model, np.zeros((1, 7, 6, 2)), layer)


def test_a_layer_of_another_model_is_refused(model):
    with pytest.raises(ValueError, match="no layer 'foreign'"):
        introspection.find_layer(model, keras.layers.Dense(1, name="foreign"))


def test_filters_of_a_dense_layer_are_refused(model):
    with pytest.raises(ValueError, match=r"'output' \(Dense\) has no filters: choose a Conv2D or Conv1D"):
        introspection.filters(model, "output")


def test_filters_of_a_sequence_are_what_a_pulse_draws():
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.layers.Input((9, 2)), keras.layers.Conv1D(4, 3)])
    found = introspection.filters(model, 0)
    assert found.shape == (4, 3, 2)
    for channel in range(2):
        pulse = np.zeros((1, 9, 2))
        pulse[0, 4, channel] = 1
        # A cross-correlation: the filter appears mirrored around the pulse.
        drawn = introspection.activations(model, pulse, 0)[0, 2:5]
        np.testing.assert_allclose(drawn[::-1].T, found[:, :, channel], atol=1e-6)


def test_wrong_input_shape_names_the_right_one(model):
    with pytest.raises(ValueError, match=r"\(n, None, None, 2\), not \(1, 7, 6, 3\)"):
        introspection.activations(model, np.zeros((1, 7, 6, 3)), "first")
    with pytest.raises(ValueError, match=r"not \(7, 6, 2\)"):
        introspection.activations(model, np.zeros((7, 6, 2)), "first")


class Subclassed(keras.Model):
    """Two dense layers, and a softmax in a layer of its own or (out of reach) in call()."""

    def __init__(self, softmax_in_call=False):
        super().__init__()
        self.hidden = keras.layers.Dense(4, activation="tanh", name="hidden")
        self.output_scores = keras.layers.Dense(3, name="output_scores")
        self.probabilities = None if softmax_in_call else keras.layers.Softmax(name="probabilities")

    def call(self, values):
        scores = self.output_scores(self.hidden(values))
        return keras.ops.softmax(scores) if self.probabilities is None else self.probabilities(scores)


def test_layers_and_scores_of_a_subclassed_model():
    values = np.random.default_rng(1).normal(size=(6, 5)).astype(np.float32)
    model = Subclassed()
    model(values)
    hidden = introspection.activations(model, values, "hidden")
    np.testing.assert_allclose(hidden, model.hidden(values), atol=1e-6)
    np.testing.assert_allclose(introspection.scores(model, values), model.output_scores(hidden), atol=1e-6)


def test_a_softmax_out_of_reach_is_refused():
    model = Subclassed(softmax_in_call=True)
    values = np.ones((2, 5), dtype=np.float32)
    model(values)
    with pytest.raises(ValueError, match=r"still applies a softmax .* make the softmax its last layer"):
        introspection.scores(model, values)


def test_a_softmax_before_the_last_layer_is_refused_by_name():
    start = keras.Input((5,))
    classes = keras.layers.Dense(4, activation="softmax", name="classes")(start)
    model = keras.Model(start, keras.layers.Reshape((2, 2))(classes))
    with pytest.raises(ValueError, match=r"softmax in layer 'classes' \(its 4 outputs sum to 1\)"):
        introspection.scores(model, np.ones((2, 5)))


def test_scores_that_sum_to_one_by_chance_are_not_taken_for_probabilities():
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(2, use_bias=False)])
    model.set_weights([np.eye(2)])
    np.testing.assert_array_equal(introspection.scores(model, [[0.25, 0.75]]), [[0.25, 0.75]])


@pytest.mark.parametrize("form", ["dense", "layer", "activation", "sigmoid", "nested"])
def test_scores_are_what_the_last_activation_gets(form):
    keras.utils.set_random_seed(5)
    body = [keras.layers.Input((5,)), keras.layers.Dense(4, activation="relu")]
    last = {
        "dense": [keras.layers.Dense(3, activation="softmax")],
        "layer": [keras.layers.Dense(3), keras.layers.Softmax()],
        "activation": [keras.layers.Dense(3), keras.layers.Activation("softmax")],
        "sigmoid": [keras.layers.Dense(1, activation="sigmoid")],
        "nested": [keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3, activation="softmax")])],
    }[form]
    model = keras.Sequential(body + last)
    values = np.random.default_rng(2).normal(size=(7, 5)).astype(np.float32)
    scores = introspection.scores(model, values)
    probabilities = model.predict(values, verbose=0)
    if form == "sigmoid":
        np.testing.assert_allclose(1 / (1 + np.exp(-scores)), probabilities, atol=1e-6)
    else:
        exponentials = np.exp(scores)
        np.testing.assert_allclose(exponentials / exponentials.sum(axis=1, keepdims=True), probabilities, atol=1e-6)


def test_missing_values_are_told_with_their_place(model, images):
    images = images.copy()
    images[2, 1, 0, 1] = np.nan
    with pytest.raises(ValueError, match=r"inputs\[2, 1, 0, 1\] is nan"):
        introspection.scores(model, images)


def test_several_inputs_are_refused():
    left, right = keras.Input((2,)), keras.Input((3,))
    model = keras.Model([left, right], keras.layers.Concatenate()([left, right]))
    with pytest.raises(ValueError, match="has 2 inputs"):
        introspection.scores(model, np.zeros((1, 2)))


def test_shapes_of_all_layers_are_those_of_their_outputs(model, images):
    shapes = introspection.output_shapes(model, images)
    assert shapes == introspection.output_shapes(model, images)  # the second time from the cache
    assert len(shapes) >= 3
    for name, shape in shapes.items():
        assert introspection.activations(model, images, name).shape[1:] == shape


class ByHand(keras.Model):
    """Layers called in Python code; one of them is never used."""

    def __init__(self):
        super().__init__()
        self.maps = keras.layers.Conv2D(3, 3, activation="tanh", name="maps")
        self.unused = keras.layers.Dense(2, name="unused")
        self.pooling = keras.layers.GlobalAveragePooling2D(name="pooling")

    def call(self, values):
        return self.pooling(self.maps(values))


def test_shapes_of_a_subclassed_model_leave_out_what_is_never_called():
    shapes = introspection.output_shapes(ByHand(), np.zeros((2, 8, 7, 1)))
    assert shapes == {"maps": (6, 5, 3), "pooling": (3,)}


@pytest.mark.parametrize("position", [(2, 3), None])
def test_the_gradient_of_a_unit_is_its_change_with_each_pixel(position):
    keras.utils.set_random_seed(4)
    model, values = ByHand(), np.random.default_rng(4).normal(size=(2, 6, 7, 1)).astype(np.float32)
    model(values)
    found = introspection.activation_gradient(model, values, "maps", 1, position)

    def unit(changed):
        maps = introspection.activations(model, changed, "maps")[..., 1]
        return maps.mean(axis=(1, 2)) if position is None else maps[:, *position]

    for row, column in [(2, 3), (4, 5), (0, 0)]:
        step = np.zeros_like(values)
        step[:, row, column] = 0.02
        numerical = (unit(values + step) - unit(values - step)) / 0.04
        np.testing.assert_allclose(found[:, row, column, 0], numerical, atol=2e-4)
    with pytest.raises(ValueError, match="channel must lie between 0 and 2"):
        introspection.activation_gradient(model, values, "maps", 3)
    with pytest.raises(ValueError, match=r"position \(9, 9\) lies outside"):
        introspection.activation_gradient(model, values, "maps", 0, (9, 9))


def positive_stack(seed):
    """A linear stack of positive weights of random sizes: no path to a pixel can vanish."""
    generator = np.random.default_rng(seed)
    start = output = keras.layers.Input((23, 19, 1))
    for _ in range(generator.integers(1, 5)):
        kind = generator.integers(4)
        padding = ["same", "valid"][generator.integers(2)]
        if kind == 0:
            output = keras.layers.AveragePooling2D(generator.integers(2, 4).item(), padding=padding)(output)
        elif kind == 1:
            output = keras.layers.ZeroPadding2D(generator.integers(1, 3).item())(output)
        else:
            kernel, dilation = generator.integers(1, 4, size=2)
            stride = generator.integers(1, 3) if dilation == 1 else 1
            options = {"padding": padding, "strides": int(stride), "dilation_rate": int(dilation), "use_bias": False}
            output = keras.layers.Conv2D(1, int(kernel), kernel_initializer="ones", **options)(output)
        if min(output.shape[1:3]) < 4:
            break
    skip = keras.layers.Conv2D(1, 3, padding="same", kernel_initializer="ones")(output)
    return keras.Model(start, keras.layers.Add()([output, skip]))


@pytest.mark.parametrize("seed", range(6))
def test_the_window_of_a_unit_is_where_its_gradient_lives(seed):
    model = positive_stack(seed)
    layer = model.layers[-1]
    height, width = layer.output.shape[1:3]
    for position in {(0, 0), (height - 1, width - 1), (height // 2, width // 3)}:
        gradient = introspection.activation_gradient(model, np.zeros((1, 23, 19, 1)), layer, 0, position)[0, ..., 0]
        rows, columns = np.nonzero(gradient)
        row, column, high, wide = introspection.receptive_window(model, layer, position)
        assert (row, column) == (rows.min(), columns.min())
        assert (row + high - 1, column + wide - 1) == (rows.max(), columns.max())


def test_a_window_needs_the_size_of_the_image_and_a_unit_inside():
    free = keras.Sequential([keras.layers.Input((None, None, 1)), keras.layers.Conv2D(1, 3)])
    with pytest.raises(ValueError, match=r"give image_size"):
        introspection.receptive_window(free, 0, (0, 0))
    assert introspection.receptive_window(free, 0, (1, 2), image_size=(9, 9)) == (1, 2, 3, 3)
    with pytest.raises(ValueError, match=r"position \(7, 0\) lies outside the maps of shape \(7, 7\)"):
        introspection.receptive_window(free, 0, (7, 0), image_size=(9, 9))
