"""Figure 5.8 against Keras, finite differences, drawn inputs, and the JavaScript twin."""

import javascript
import numpy as np
import pytest
from scipy.special import expit

from course_lib.explorables import ActivationGallery
from course_lib.explorables.activation_gallery import ACTIVATIONS, output_moments, value_and_slope


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_the_slope_against_finite_differences(name):
    x = np.linspace(-3.9, 3.9, 40)  # not zero, where some have a kink
    slope = (value_and_slope(name, x + 1e-6, 0.3)[0] - value_and_slope(name, x - 1e-6, 0.3)[0]) / 2e-6
    np.testing.assert_allclose(value_and_slope(name, x, 0.3)[1], slope, atol=1e-7)


def test_sigmoid_against_scipy():
    x = np.linspace(-30, 30, 101)
    np.testing.assert_allclose(value_and_slope("sigmoid", x, 0)[0], expit(x), atol=1e-15)


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_the_moments_against_drawn_inputs(name):
    inputs = 1.5 * np.random.default_rng(2).normal(size=400_000)
    outputs = value_and_slope(name, inputs, 0.2)[0]
    mean, deviation, _ = output_moments(name, 0.2, 1.5)
    assert mean == pytest.approx(outputs.mean(), abs=0.01)
    assert deviation == pytest.approx(outputs.std(), abs=0.01)


def test_what_the_chapter_says():
    mean = {name: output_moments(name, 0.1, 1.0)[0] for name in ACTIVATIONS}
    assert mean["sigmoid"] == pytest.approx(0.5)
    assert mean["relu"] == pytest.approx(1 / np.sqrt(2 * np.pi), abs=5e-4)  # the strips end at four widths
    assert mean["tanh"] == pytest.approx(0, abs=1e-9)
    assert mean["selu"] == pytest.approx(0, abs=1e-3)
    # Wide inputs: sigmoid and tanh saturate on both sides, ReLU on one, leaky ReLU never.
    saturated = {name: output_moments(name, 0.1, 4.0)[2] for name in ACTIVATIONS}
    assert saturated["tanh"] > saturated["relu"] == pytest.approx(0.5)
    assert saturated["leaky_relu"] == 0


def test_both_languages_compute_the_same():
    draw = lambda low, high: lambda generator: round(float(generator.uniform(low, high)), 3)  # noqa: E731
    states = javascript.random_states(ActivationGallery, 60, seed=9, alpha=draw(0, 1.5), width=draw(0.25, 4))
    theirs = javascript.call(ActivationGallery, [("outputMoments", state) for state in states])
    np.testing.assert_allclose(theirs, [ActivationGallery(**state).moments() for state in states], atol=1e-9)
