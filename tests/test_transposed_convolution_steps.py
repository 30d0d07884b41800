"""Figure 8.9 against the numbers of the text, uniform images, brute force, and its JavaScript twin."""

import javascript
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib import convolution
from course_lib.explorables import TransposedConvolutionSteps
from course_lib.explorables import transposed_convolution_steps as model


def test_the_numbers_of_the_text():
    expected = [[2, 2, 6, 4, 4], [2, 2, 6, 4, 4], [3, 3, 10, 7, 7], [1, 1, 4, 3, 3], [1, 1, 4, 3, 3]]
    np.testing.assert_array_equal(TransposedConvolutionSteps().output(), expected)


def test_each_step_adds_one_patch():
    explorable = TransposedConvolutionSteps(kernel="uneven", kernel_size=4, stride=3)
    patch = model.kernel_values("uneven", 4)
    outputs = []
    for step in range(5):
        explorable.state = {"step": step}
        outputs.append(explorable.output())
    assert not outputs[0].any()
    for step, ((row, column), value) in enumerate(np.ndenumerate(np.array([[2, 4], [1, 3]]))):
        added = outputs[step + 1] - outputs[step]
        np.testing.assert_array_equal(added[3 * row : 3 * row + 4, 3 * column : 3 * column + 4], value * patch)
        assert np.count_nonzero(added) == 16


def test_overlap_is_counted_patch_by_patch():
    count = model.overlap_count((3, 2), 3, stride=2, padding=1, n_pixels=5)
    brute = np.zeros((7, 5))
    for pixel in range(5):
        top, left = 2 * (pixel // 2), 2 * (pixel % 2)
        brute[top : top + 3, left : left + 3] += 1
    np.testing.assert_array_equal(count, brute[1:-1, 1:-1])


@given(st.sampled_from(model.KERNELS), st.integers(1, 6), st.integers(1, 4))
def test_contrast_is_what_a_large_uniform_image_shows(name, kernel_size, stride):
    kernel = model.kernel_values(name, kernel_size)
    response = convolution.transposed_convolution2d(np.ones((12, 12)), kernel, stride=stride)
    # Whole periods, further from the border than the filter reaches.
    inside = response[8 : 8 + 3 * stride, 8 : 8 + 3 * stride]
    expected = (inside.max() - inside.min()) / inside.mean()
    assert model.checkerboard_contrast(kernel, stride) == pytest.approx(expected)


def test_equal_weights_need_a_kernel_divisible_by_the_stride():
    for kernel_size in range(1, 7):
        for stride in range(1, 5):
            contrast = model.checkerboard_contrast(np.ones((kernel_size, kernel_size)), stride)
            assert (contrast < 1e-12) == (kernel_size % stride == 0)


def test_a_tent_avoids_the_checkerboard_where_ones_do_not():
    assert model.checkerboard_contrast(model.kernel_values("tent", 3), 2) == pytest.approx(0)
    assert model.checkerboard_contrast(model.kernel_values("ones", 3), 2) == pytest.approx(4 / 3)


@given(st.sampled_from(model.KERNELS), st.integers(1, 6), st.integers(1, 4))
def test_upsampling_then_convolution_is_even_inside(name, kernel_size, stride):
    response = model.upsampled_convolution(np.ones((8, 8)), model.kernel_values(name, kernel_size), stride)
    border = kernel_size // 2
    inside = response[border : len(response) - border, border : len(response) - border]
    assert np.ptp(inside) == 0


def test_the_challenge_has_two_solutions():
    even = [size for size in range(1, 7) if model.checkerboard_contrast(np.ones((size, size)), 3) < 1e-12]
    assert even == [3, 6]


def test_javascript_computes_the_same():
    explorable = TransposedConvolutionSteps
    states = javascript.random_states(
        explorable,
        60,
        seed=11,
        image=lambda generator: generator.integers(-9, 10, size=generator.integers(1, 5, size=2)).tolist(),
    )
    uneven_image = np.arange(42).reshape(6, 7).tolist()
    calls = []
    for state in states:
        calls += [
            ("default.reconcile", state),
            ("default.summary", explorable(**state).state),
            ("patchSum", explorable(**state).state),
            ("kernelValues", state["kernel"], state["kernel_size"]),
            (
                "checkerboardContrast",
                model.kernel_values(state["kernel"], state["kernel_size"]).tolist(),
                state["stride"],
            ),
            (
                "upsampledConvolution",
                uneven_image,
                model.kernel_values(state["kernel"], state["kernel_size"]).tolist(),
                state["stride"],
            ),
        ]
    results = iter(javascript.call(explorable, calls))
    for state in states:
        ours = explorable(**state)
        kernel = model.kernel_values(state["kernel"], state["kernel_size"])
        assert next(results) == ours.state
        assert next(results) == ours.summary()
        np.testing.assert_allclose(next(results), ours.output(), atol=1e-12)
        np.testing.assert_array_equal(next(results), kernel)
        assert next(results) == pytest.approx(ours.contrast())
        np.testing.assert_allclose(
            next(results), model.upsampled_convolution(uneven_image, kernel, state["stride"]), atol=1e-12
        )


def test_padding_leaves_at_least_one_pixel():
    explorable = TransposedConvolutionSteps(image=[[1]], kernel_size=2, padding=2)
    assert explorable.state["padding"] == 0
    assert explorable.output().shape == (2, 2)


def test_an_image_that_is_too_large_is_refused():
    with pytest.raises(ValueError, match="image must be an array of numbers with 2 dimensions and at most 4"):
        TransposedConvolutionSteps(image=np.ones((5, 5)))


def test_static_figure_leaves_unreached_pixels_empty_and_compares():
    sums = TransposedConvolutionSteps(step=1).static_figure().data[2].z
    assert np.isfinite(np.array(sums, dtype=float)).sum() == 9
    transposed, upsampled = TransposedConvolutionSteps(compare=True).static_figure().data
    assert np.ptp(np.array(transposed.z)[4:8, 4:8]) == 3
    assert np.ptp(np.array(upsampled.z)[4:8, 4:8]) == 0
