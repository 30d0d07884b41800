"""Prediction by pixel and by patch against scikit-learn, limits that must hold, and JavaScript."""

import javascript
import numpy as np
import pytest
from sklearn.linear_model import Ridge

from course_lib.explorables import NeighbourhoodRegression
from course_lib.explorables import neighbourhood_regression as module


def test_the_prediction_is_that_of_a_ridge_regression():
    now = module.maps(0.7, 0.3, 5)
    half = module.SIDE**2 // 2
    wrapped = np.pad(now.heights_pm / module.HEIGHT_SCALE_PM, 2, mode="wrap")
    windows = np.lib.stride_tricks.sliding_window_view(wrapped, (5, 5)).reshape(-1, 25)
    gaps = now.gaps_mev.ravel()
    model = Ridge(alpha=1e-6 * half).fit(windows[:half], gaps[:half])
    np.testing.assert_allclose(model.predict(windows), now.by_patch.ravel(), rtol=1e-3)
    assert model.score(windows[half:], gaps[half:]) == pytest.approx(now.r2_patch, abs=1e-3)


def test_what_depends_on_its_own_pixel_needs_no_neighbours():
    now = module.maps(0.0, 0.0, 2)
    assert now.r2_pixel == pytest.approx(1) and now.r2_patch == pytest.approx(1, abs=1e-6)


def test_what_depends_on_its_neighbourhood_needs_it():
    pairs = [module.maps(1.0, 0.2, seed) for seed in range(10)]
    assert np.mean([now.r2_patch for now in pairs]) > 0.85
    assert np.mean([now.r2_pixel for now in pairs]) < 0.35


def test_noise_limits_both():
    now = [module.maps(0.5, 2.0, seed) for seed in range(10)]
    assert np.mean([one.r2_patch for one in now]) < 1 / (1 + 2.0**2) + 0.05  # signal over signal plus noise


def test_both_languages_agree():
    states = javascript.random_states(NeighbourhoodRegression, 12, seed=5)
    for state, theirs in zip(
        states, javascript.call(NeighbourhoodRegression, [("regressionMaps", s) for s in states]), strict=True
    ):
        ours = NeighbourhoodRegression(**state).maps()
        for mine, other in zip(ours, theirs.values(), strict=True):
            np.testing.assert_allclose(np.ravel(other), np.ravel(mine), atol=1e-5)
