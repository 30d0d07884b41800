"""Figures 5.1 and 5.2 against numpy's own fits, the numbers of the course, and the JavaScript twin."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import BiasVariance
from course_lib.explorables.bias_variance import GRID, N_REFITS, decompose, measured_points, refits, truth


def test_every_fit_is_the_least_squares_polynomial():
    fits = refits(20, 0.4, 3)
    for fit in (0, 17):
        x, y = measured_points(20, 0.4, 300 + fit)
        for degree in (0, 2, 5, 7):
            reference = np.polynomial.Polynomial.fit(x, y, degree)(GRID)
            np.testing.assert_allclose(fits[degree, fit], reference, atol=1e-6)


def test_squared_bias_and_variance_add_up_to_the_error():
    predictions = refits(25, 0.3, 0)[4]
    error = np.mean((predictions - truth(GRID)) ** 2)
    assert sum(decompose(predictions, truth(GRID))) == pytest.approx(error, rel=1e-12)


@pytest.mark.parametrize(
    ("degree", "squared_bias", "variance"), [(0, 0.547, 0.024), (1, 0.152, 0.025), (3, 0.003, 0.016)]
)
def test_the_numbers_of_the_course(degree, squared_bias, variance):
    # Mean over ten times 50 data sets; the spread between the tens is below a fifth.
    found = np.mean([decompose(refits(25, 0.3, seed)[degree], truth(GRID)) for seed in range(10)], axis=0)
    np.testing.assert_allclose(found, [squared_bias, variance], rtol=0.25, atol=0.002)


def test_a_high_degree_has_little_bias_and_a_large_variance():
    parts = [decompose(refits(25, 0.3, seed)[9], truth(GRID)) for seed in range(10)]
    assert np.mean([variance for _, variance in parts]) > 0.3
    assert BiasVariance().best_degree() == 3


def test_calibration_takes_the_bias_and_leaves_the_spread():
    raw, calibrated = (
        BiasVariance(view="darts", n_shots=200, calibrated=flag).decomposition() for flag in (False, True)
    )
    assert raw[0] == pytest.approx(36, abs=6)
    assert calibrated[0] < 0.2
    assert calibrated[1] == pytest.approx(raw[1], rel=1e-9)
    assert raw[1] == pytest.approx(2 * 2**2, rel=0.25)


def test_the_parts_of_the_darts_make_their_mean_squared_distance():
    shown = BiasVariance(view="darts", bias=7, spread=3)
    assert sum(shown.decomposition()) == pytest.approx(np.mean((shown.shots() ** 2).sum(axis=1)))


def test_both_languages_find_the_same_parts():
    states = javascript.random_states(BiasVariance, 12, seed=4)
    results = javascript.call(BiasVariance, [("partsOf", state) for state in states])
    best = javascript.call(BiasVariance, [("bestDegree", state) for state in states])
    for state, theirs, theirs_best in zip(states, results, best, strict=True):
        ours = BiasVariance(**state)
        np.testing.assert_allclose(theirs, ours.decomposition(), rtol=1e-6, atol=1e-9)
        assert theirs_best == ours.best_degree()


def test_both_languages_draw_the_same_data():
    theirs = javascript.call(BiasVariance, [("measuredPoints", 30, 0.3, 12)])[0]
    x, y = measured_points(30, 0.3, 12)
    np.testing.assert_array_equal(theirs["x"], x)
    np.testing.assert_allclose(theirs["y"], y, atol=1e-15)
    assert len(refits(30, 0.3, 0)[0]) == N_REFITS
