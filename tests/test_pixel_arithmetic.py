"""Figure 8.2 against the printed numbers, scipy, and its JavaScript twin."""

import javascript
import numpy as np
import pytest
import scipy.signal

from course_lib.explorables import PixelArithmetic
from course_lib.explorables.pixel_arithmetic import ACTIVATIONS, PRESETS, pixel_response


def test_the_opening_state_is_the_chain_of_the_figure():
    response = PixelArithmetic().response()
    assert response.products.tolist() == [[-3, 0, 0], [0, 0, 6], [0, 15, 8]]
    assert (response.weighted_sum, response.with_bias, response.output) == (26, 25, 25)


def test_relu_silences_a_negative_response():
    response = pixel_response([[-2.0]], [[1.0]], bias=-1)
    assert (response.weighted_sum, response.with_bias, response.output) == (-2, -3, 0)


@pytest.mark.parametrize("flip", [False, True])
def test_the_sum_is_scipys_correlation_or_convolution(flip):
    generator = np.random.default_rng(3)
    reference = scipy.signal.convolve2d if flip else scipy.signal.correlate2d
    for _ in range(20):
        patch, kernel = generator.normal(size=(2, 3, 3))
        expected = reference(patch, kernel, mode="valid").item()
        assert pixel_response(patch, kernel, flip=flip).weighted_sum == pytest.approx(expected)


def test_flipping_matters_for_an_edge_filter_and_not_for_a_symmetric_one():
    _, patch, edge, _ = PRESETS["edge"]
    _, _, blur, _ = PRESETS["blur"]
    assert pixel_response(patch, edge, flip=True).weighted_sum == -pixel_response(patch, edge).weighted_sum != 0
    assert pixel_response(patch, blur, flip=True).weighted_sum == pixel_response(patch, blur).weighted_sum


def test_presets_do_what_they_are_called():
    _, patch, blur, _ = PRESETS["blur"]
    assert pixel_response(patch, blur).output == pytest.approx(np.mean(patch))
    _, patch, identity, _ = PRESETS["identity"]
    assert pixel_response(patch, identity).output == patch[1][1]


@pytest.mark.parametrize(
    ("activation", "reference"),
    [
        ("linear", lambda x: x),
        ("relu", lambda x: np.maximum(x, 0)),
        ("leaky_relu", lambda x: np.where(x > 0, x, 0.1 * x)),
        ("tanh", lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))),
        ("sigmoid", lambda x: 0.5 * (1 + np.tanh(x / 2))),
    ],
)
def test_activations(activation, reference):
    for value in np.linspace(-5, 5, 21):
        assert ACTIVATIONS[activation](value) == pytest.approx(float(reference(value)), abs=1e-12)


def test_both_languages_compute_the_same_pixel():
    draw = lambda generator: np.round(generator.normal(size=(3, 3)) * 3, 2)  # noqa: E731
    states = javascript.random_states(PixelArithmetic, 60, seed=5, patch=draw, kernel=draw)
    results = javascript.call(PixelArithmetic, [("pixelResponse", state) for state in states])
    for state, theirs in zip(states, results, strict=True):
        ours = PixelArithmetic(**state).response()
        np.testing.assert_allclose(theirs["products"], ours.products, atol=1e-12)
        assert theirs["weightedSum"] == pytest.approx(ours.weighted_sum, abs=1e-9)
        assert theirs["withBias"] == pytest.approx(ours.with_bias, abs=1e-9)
        assert theirs["output"] == pytest.approx(ours.output, abs=1e-9)


def test_the_static_figure_shows_the_numbers():
    figure = PixelArithmetic(bias=2).static_figure()
    patch, kernel, products, chain = (np.array(trace.z) for trace in figure.data)
    assert np.array_equal(patch * kernel, products)
    assert chain.ravel().tolist() == [26, 28, 28]


@pytest.mark.parametrize("patch", [[[1, 2], [3, 4]], [[1, 2, 3]] * 2, np.full((3, 3), 100), "edge"])
def test_a_patch_of_the_wrong_kind_is_refused(patch):
    with pytest.raises(ValueError, match="PixelArithmetic: patch must"):
        PixelArithmetic(patch=patch)
