"""Figure 7.6: the map of mean and variance against closed forms, Keras' constants and a simulated network."""

import math

import javascript
import numpy as np
import pytest

from course_lib.explorables import MomentMap
from course_lib.explorables.moment_map import PRESETS, SELU_ALPHA, SELU_LAMBDA, activate, moment_map, moment_path


def test_the_printed_numbers():
    assert (round(SELU_ALPHA, 4), round(SELU_LAMBDA, 4)) == (1.6733, 1.0507)
    assert activate(-50.0) == pytest.approx(-1.758, abs=1e-3)
    # With the four printed digits the fixed point is missed by 1e-5.
    mean, variance = moment_map(0.0, 1.0, alpha=1.6733, scale=1.0507)
    assert mean == pytest.approx(-1e-5, abs=1e-5) and variance == pytest.approx(1.00002, abs=1e-5)
    np.testing.assert_allclose(moment_path(0.0, 4.0, 10)[[1, 2, 3, 10], 1], [2.94, 2.35, 1.97, 1.13], atol=0.011)


@pytest.mark.parametrize("spread", [0.3, 1.0, 2.5])
def test_integrals_have_the_closed_forms(spread):
    # E relu = s / sqrt(2 pi), E relu^2 = s^2 / 2; E exp(k y) over y < 0 is exp(k^2 s^2 / 2) Phi(-k s).
    mean, variance = moment_map(0.0, spread**2, activation="relu")
    assert mean == pytest.approx(spread / math.sqrt(2 * math.pi), rel=1e-6)
    assert variance + mean**2 == pytest.approx(spread**2 / 2, rel=1e-6)

    def below(k):
        return math.exp((k * spread) ** 2 / 2) * 0.5 * math.erfc(k * spread / math.sqrt(2))

    mean, variance = moment_map(0.0, spread**2, alpha=1.4, scale=1.1)
    assert mean == pytest.approx(1.1 * (spread / math.sqrt(2 * math.pi) + 1.4 * (below(1) - 0.5)), abs=1e-6)
    second = 1.1**2 * (spread**2 / 2 + 1.4**2 * (below(2) - 2 * below(1) + 0.5))
    assert variance + mean**2 == pytest.approx(second, rel=1e-6)


def test_a_wide_random_network_follows_the_map():
    generator = np.random.default_rng(5)
    values = 2 * generator.normal(size=(300, 800))
    expected = moment_path(0.0, 4.0, 4)
    for layer in range(1, 5):
        values = activate(values @ (generator.normal(size=(800, 800)) / math.sqrt(800)))
        assert values.mean() == pytest.approx(expected[layer, 0], abs=0.03)
        assert values.var() == pytest.approx(expected[layer, 1], rel=0.06)


def test_only_the_special_pair_keeps_mean_0_and_variance_1():
    for variance in (0.1, 0.5, 2.0, 5.0):
        np.testing.assert_allclose(moment_path(0.3, variance, 60)[-1], [0, 1], atol=0.01)
    ends = {name: MomentMap(**{"n_layers": 40, **state}).path()[-1] for name, (_, state) in PRESETS.items()}
    assert ends["selu_he"][1] > 100
    assert ends["elu"][1] < 0.05 and ends["tanh"][1] < 0.05 and ends["relu"][1] < 1e-6
    # Weights of He: the mean square stays, the mean is not 0.
    assert ends["relu_he"][1] + ends["relu_he"][0] ** 2 == pytest.approx(4.0 / 1, rel=1e-3)


def test_both_languages_walk_the_same_path():
    states = javascript.random_states(MomentMap, 30, seed=6)
    for state, theirs in zip(
        states, javascript.call(MomentMap, [("momentPath", state) for state in states]), strict=True
    ):
        np.testing.assert_allclose(theirs, MomentMap(**state).path(), rtol=1e-8, atol=1e-12)
