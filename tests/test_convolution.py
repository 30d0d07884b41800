"""The plain-numpy convolutions against Keras, scipy, brute force and the numbers of the syllabus."""

import itertools
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import signal

from course_lib import convolution

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(scope="module")
def layers():
    return pytest.importorskip("keras").layers


def run_layer(layer, image, weights=None):
    """Output of a Keras layer for one image, with the given weights."""
    batch = np.asarray(image, dtype="float32")[None]
    layer.build(batch.shape)
    if weights is not None:
        layer.set_weights([np.asarray(array, dtype="float32") for array in weights])
    return np.asarray(layer(batch))[0]


# -- correlate2d ------------------------------------------------------------------------------------------


def test_worked_numbers_of_one_position():
    patch = [[-1, 0, 2], [0, 0, 3], [0, -5, 2]]
    kernel = [[3, 1, 0], [4, 0, 2], [2, -3, 4]]
    assert convolution.correlate2d(patch, kernel) == pytest.approx(np.array([[26.0]]))
    assert convolution.correlate2d(patch, kernel, bias=-1) == pytest.approx(np.array([[25.0]]))


@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "kernel_shape"),
    [(1, 0, 1, (3, 3)), (2, 0, 1, (3, 3)), (3, 0, 1, (2, 4)), (1, 0, 2, (3, 2)), (1, 1, 1, (3, 3)), (1, 2, 2, (3, 3))],
)
def test_equals_keras_conv2d(layers, stride, padding, dilation, kernel_shape):
    random = np.random.default_rng(1)
    image = random.normal(size=(11, 9, 3))
    kernel, bias = random.normal(size=(*kernel_shape, 3, 4)), random.normal(size=4)
    layer = layers.Conv2D(4, kernel_shape, strides=stride, dilation_rate=dilation)
    # Keras names paddings only; zeros added beforehand are the same thing.
    padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    expected = run_layer(layer, padded, [kernel, bias])
    ours = convolution.correlate2d(image, kernel, bias=bias, stride=stride, padding=padding, dilation=dilation)
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_same_padding_of_keras_is_half_the_kernel(layers):
    random = np.random.default_rng(2)
    image, kernel = random.normal(size=(8, 8, 2)), random.normal(size=(5, 5, 2, 3))
    expected = run_layer(layers.Conv2D(3, 5, padding="same"), image, [kernel, np.zeros(3)])
    np.testing.assert_allclose(convolution.correlate2d(image, kernel, padding=2), expected, atol=1e-5)


@given(
    image=arrays.arrays(float, st.tuples(*[st.integers(4, 9)] * 2), elements=st.floats(-1e3, 1e3)),
    kernel=arrays.arrays(float, st.tuples(*[st.integers(1, 4)] * 2), elements=st.floats(-1e3, 1e3)),
    stride=st.integers(1, 3),
)
@settings(max_examples=60, deadline=None)
def test_equals_scipy(image, kernel, stride):
    expected = signal.correlate2d(image, kernel, mode="valid")[::stride, ::stride]
    np.testing.assert_allclose(convolution.correlate2d(image, kernel, stride=stride), expected, rtol=1e-9, atol=1e-6)


def test_one_filter_is_the_same_with_and_without_the_filter_axis():
    random = np.random.default_rng(3)
    image, kernel = random.normal(size=(6, 7, 3)), random.normal(size=(3, 3, 3))
    one = convolution.correlate2d(image, kernel)
    several = convolution.correlate2d(image, kernel[..., None])
    assert one.shape == (4, 5)
    assert several.shape == (4, 5, 1)
    np.testing.assert_array_equal(one, several[:, :, 0])


def test_shift_of_the_image_shifts_the_map():
    random = np.random.default_rng(4)
    image, kernel = random.normal(size=(12, 12)), random.normal(size=(3, 3))
    feature_map = convolution.correlate2d(image, kernel)
    shifted = convolution.correlate2d(np.roll(image, (2, 1), axis=(0, 1)), kernel)
    np.testing.assert_allclose(shifted[2:, 1:], feature_map[:-2, :-1])


def test_filter_as_large_as_the_image_is_a_dense_node():
    random = np.random.default_rng(5)
    image, kernel = random.normal(size=(6, 6, 3)), random.normal(size=(6, 6, 3, 2))
    dense = image.ravel() @ kernel.reshape(-1, 2)
    np.testing.assert_allclose(convolution.correlate2d(image, kernel)[0, 0], dense)


# -- sizes, parameters, receptive field -------------------------------------------------------------------


def test_output_size_by_counting_positions():
    for size, kernel_size, stride, padding, dilation in itertools.product(
        range(1, 13), range(1, 6), range(1, 5), range(4), range(1, 4)
    ):
        reach = dilation * (kernel_size - 1)
        positions = [start for start in range(0, size + 2 * padding, stride) if start + reach < size + 2 * padding]
        if not positions:
            with pytest.raises(ValueError, match="must fit"):
                convolution.output_size(size, kernel_size, stride=stride, padding=padding, dilation=dilation)
            continue
        counted = convolution.output_size(size, kernel_size, stride=stride, padding=padding, dilation=dilation)
        assert counted == len(positions)


def test_output_sizes_of_the_figure():
    assert convolution.output_size(7, 3, stride=2) == 3
    assert convolution.output_size(7, 3, dilation=2) == 3


def test_parameter_counts_against_keras(layers):
    assert convolution.parameter_count(3, 3, 3, 1) == 28
    assert convolution.parameter_count(3, 3, 3, 2) == 56
    assert convolution.parameter_count(3, 32, 32, 2) == (32 * 32 * 3 + 1) * 2 == 6146
    for n_channels, height, width, n_filters in [(1, 1, 1, 1), (3, 5, 2, 7), (16, 3, 3, 32)]:
        layer = layers.Conv2D(n_filters, (height, width))
        layer.build((None, 40, 40, n_channels))
        assert convolution.parameter_count(n_channels, height, width, n_filters) == layer.count_params()


layer_stacks = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=3)


@given(layer_stacks)
@settings(max_examples=60, deadline=None)
def test_receptive_field_against_perturbed_inputs(stack):
    expected = convolution.receptive_field(stack)
    length = expected + 4

    def first_output(trace):
        rows = trace[None, :]
        for kernel_size, stride, dilation in stack:
            # Height 1, so that the square operations act along time only.
            kernel = np.ones((1, kernel_size))
            rows = convolution.correlate2d(rows, kernel, stride=stride, dilation=dilation)
        return rows[0, 0]

    touched = [index for index in range(length) if first_output(np.eye(length)[index]) != 0]
    assert touched[0] == 0
    assert touched[-1] - touched[0] + 1 == expected


def test_three_small_filters_see_seven_pixels():
    assert convolution.receptive_field_growth([(3, 1, 1)] * 3) == [3, 5, 7]
    assert convolution.receptive_field([(3, 1, 1)] * 3) == 7
    assert convolution.receptive_field([]) == 1
    # Doubling dilations reach far with few layers.
    assert convolution.receptive_field([(3, 1, 2**level) for level in range(4)]) == 31


# -- the matrix of a convolution --------------------------------------------------------------------------


def test_matrix_equals_keras_conv1d(layers):
    random = np.random.default_rng(6)
    trace, kernel = random.normal(size=9), random.normal(size=4)
    padded = np.pad(trace, 2)
    expected = run_layer(layers.Conv1D(1, 4), padded[:, None], [kernel[:, None, None], [0]])[:, 0]
    np.testing.assert_allclose(convolution.convolution_matrix(kernel, 9, padding=2) @ padded, expected, atol=1e-5)


def test_matrix_of_the_figure_has_three_free_numbers():
    matrix = convolution.convolution_matrix([0.2, 0.5, -0.3], 5, padding=1)
    assert matrix.shape == (5, 7)
    assert np.count_nonzero(matrix) == 15
    assert set(matrix[matrix != 0]) == {0.2, 0.5, -0.3}


@given(st.integers(3, 10), st.integers(1, 3), st.integers(0, 3))
def test_matrix_times_padded_trace_is_the_convolution(length, kernel_size, padding):
    random = np.random.default_rng(7)
    trace, kernel = random.normal(size=length), random.normal(size=kernel_size)
    padded = np.pad(trace, padding)
    matrix = convolution.convolution_matrix(kernel, length, padding=padding)
    np.testing.assert_allclose(matrix @ padded, np.correlate(padded, kernel, "valid"), atol=1e-12)


# -- transposed convolution and upsampling ----------------------------------------------------------------


def test_transposed_convolution_of_the_worked_example():
    expected = [[2, 2, 6, 4, 4], [2, 2, 6, 4, 4], [3, 3, 10, 7, 7], [1, 1, 4, 3, 3], [1, 1, 4, 3, 3]]
    result = convolution.transposed_convolution2d([[2, 4], [1, 3]], np.ones((3, 3)), stride=2)
    np.testing.assert_array_equal(result, expected)
    # The convolution in the other direction has the reversed shapes.
    assert convolution.correlate2d(result, np.ones((3, 3)), stride=2).shape == (2, 2)


@given(
    size=st.integers(1, 6),
    kernel_size=st.integers(1, 4),
    stride=st.integers(1, 4),
    padding=st.integers(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=100, deadline=None)
def test_transposed_convolution_is_the_adjoint(size, kernel_size, stride, padding, seed):
    n_outputs = (size - 1) * stride + kernel_size - 2 * padding
    if n_outputs < 1:
        return
    random = np.random.default_rng(seed)
    large, small = random.normal(size=(n_outputs, n_outputs)), random.normal(size=(size, size))
    kernel = random.normal(size=(kernel_size, kernel_size))
    forward = convolution.correlate2d(large, kernel, stride=stride, padding=padding)
    backward = convolution.transposed_convolution2d(small, kernel, stride=stride, padding=padding)
    assert backward.shape == large.shape
    assert np.sum(forward * small) == pytest.approx(np.sum(large * backward), abs=1e-9)


@pytest.mark.parametrize(("stride", "kernel_size"), [(1, 3), (2, 3), (2, 2), (3, 3), (3, 5)])
def test_transposed_convolution_equals_keras(layers, stride, kernel_size):
    random = np.random.default_rng(8)
    image, kernel = random.normal(size=(4, 5)), random.normal(size=(kernel_size, kernel_size))
    layer = layers.Conv2DTranspose(1, kernel_size, strides=stride)
    expected = run_layer(layer, image[:, :, None], [kernel[:, :, None, None], [0]])[:, :, 0]
    ours = convolution.transposed_convolution2d(image, kernel, stride=stride)
    np.testing.assert_allclose(ours, expected, atol=1e-5)
    assert ours.shape == tuple(
        convolution.transposed_output_size(size, kernel_size, stride=stride) for size in image.shape
    )


def test_padding_of_the_transposed_convolution_cuts_the_border():
    random = np.random.default_rng(9)
    image, kernel = random.normal(size=(3, 4)), random.normal(size=(4, 4))
    whole = convolution.transposed_convolution2d(image, kernel, stride=2)
    cut = convolution.transposed_convolution2d(image, kernel, stride=2, padding=1)
    np.testing.assert_array_equal(cut, whole[1:-1, 1:-1])


def test_upsampling_equals_keras_and_pooling_undoes_it(layers):
    image = np.random.default_rng(10).normal(size=(3, 4, 2))
    larger = convolution.upsample2d(image, 3)
    np.testing.assert_allclose(larger, run_layer(layers.UpSampling2D(3), image), atol=1e-6)
    np.testing.assert_array_equal(convolution.max_pool2d(larger, 3), image)


# -- pooling ----------------------------------------------------------------------------------------------


def test_pooling_of_the_worked_example():
    image = [[3, 1, 2, 0], [3, 5, 9, 3], [4, 1, -1, 2], [2, 3, 1, 2]]
    np.testing.assert_array_equal(convolution.max_pool2d(image, 2), [[5, 9], [4, 2]])
    np.testing.assert_array_equal(convolution.average_pool2d(image, 2), [[3, 3.5], [2.5, 1]])


@pytest.mark.parametrize(("size", "stride"), [(2, None), (3, None), (3, 1), (2, 3)])
def test_pooling_equals_keras(layers, size, stride):
    image = np.random.default_rng(11).normal(size=(7, 10, 3))
    np.testing.assert_allclose(
        convolution.max_pool2d(image, size, stride=stride),
        run_layer(layers.MaxPooling2D(size, strides=stride), image),
        atol=1e-6,
    )
    np.testing.assert_allclose(
        convolution.average_pool2d(image, size, stride=stride),
        run_layer(layers.AveragePooling2D(size, strides=stride), image),
        atol=1e-6,
    )


def test_global_average_pooling_ignores_a_shift_around_the_border():
    image = np.random.default_rng(12).normal(size=(6, 6))
    pooled = convolution.average_pool2d(image, 6)
    assert pooled.shape == (1, 1)
    np.testing.assert_allclose(convolution.average_pool2d(np.roll(image, 2, axis=1), 6), pooled)


# -- bad input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: convolution.output_size(3, 5), ValueError, "must fit into the padded image"),
        (lambda: convolution.output_size(5, 3, stride=0), ValueError, "stride must be at least 1, not 0"),
        (lambda: convolution.output_size(5, 3, padding=-1), ValueError, "padding must be at least 0, not -1"),
        (lambda: convolution.output_size(5.0, 3), TypeError, "size must be a whole number, not 5.0"),
        (lambda: convolution.output_size(5, True), TypeError, "kernel_size must be a whole number"),
        (lambda: convolution.transposed_output_size(1, 2, padding=1), ValueError, "cuts away the whole output"),
        (lambda: convolution.parameter_count(0, 3, 3, 1), ValueError, "n_channels must be at least 1"),
        (lambda: convolution.receptive_field([(3, 1)]), ValueError, r"layer 1 is \(3, 1\)"),
        (lambda: convolution.receptive_field([3]), ValueError, "layer 1 is 3"),
        (lambda: convolution.receptive_field([(3, 1, 1), (3, 0, 1)]), ValueError, "stride of layer 2"),
        (lambda: convolution.correlate2d(np.ones(4), np.ones((2, 2))), ValueError, r"an image has the shape .* \(4,\)"),
        (lambda: convolution.correlate2d(np.ones((4, 4)), np.ones(2)), ValueError, "a kernel has the shape"),
        (
            lambda: convolution.correlate2d(np.ones((4, 4, 3)), np.ones((2, 2))),
            ValueError,
            "the image has 3 channels, the kernel 1",
        ),
        (
            lambda: convolution.correlate2d(np.ones((4, 4)), np.ones((2, 2)), bias=[1, 2]),
            ValueError,
            r"one per filter, shape \(\) or \(1,\), not \(2,\)",
        ),
        (lambda: convolution.convolution_matrix([[1, 2]], 5), ValueError, "kernel must be one row of weights"),
        (lambda: convolution.convolution_matrix([1, 2, 3], 2), ValueError, "must fit"),
        (lambda: convolution.transposed_convolution2d([1], [[1]]), ValueError, "image must be a table"),
        (lambda: convolution.max_pool2d(np.ones((3, 3)), 4), ValueError, "must fit"),
        (lambda: convolution.upsample2d(np.ones((3, 3)), 0), ValueError, "factor must be at least 1"),
    ],
)
def test_bad_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
