"""Equations 5.3 to 5.5 against counted events, the areas against their meaning, and the JavaScript twin."""

import javascript
import numpy as np
import pytest
from scipy.stats import norm

from course_lib.explorables import WorkingPoint
from course_lib.explorables.working_point import areas, normal_tail, rates_at


def test_the_rates_against_counted_events():
    generator = np.random.default_rng(3)
    is_a = generator.random(400_000) < 0.2
    x = generator.normal(np.where(is_a, 0.75, -0.75))
    accepted = x > 0.4
    rates = rates_at(0.4, 1.5, 0.2)
    assert rates.efficiency == pytest.approx(accepted[is_a].mean(), abs=0.006)
    assert rates.false_positive_rate == pytest.approx(accepted[~is_a].mean(), abs=0.006)
    assert rates.purity == pytest.approx(is_a[accepted].mean(), abs=0.006)
    assert rates.accuracy == pytest.approx((accepted == is_a).mean(), abs=0.006)


def test_the_area_is_the_probability_that_an_a_event_scores_higher():
    for separation in (0.5, 1.0, 2.5):
        assert areas(separation, 0.5)[0] == pytest.approx(norm.cdf(separation / np.sqrt(2)), abs=1e-4)


def test_the_numbers_of_the_course():
    np.testing.assert_allclose([areas(1, 0.5), areas(1, 0.05)], [(0.76, 0.25), (0.76, 0.82)], atol=0.01)
    even, rare = WorkingPoint().rates(), WorkingPoint(prevalence=0.05).rates()
    assert even.efficiency == rare.efficiency == pytest.approx(0.69, abs=0.01)
    assert (even.purity, rare.purity) == (pytest.approx(0.69, abs=0.01), pytest.approx(0.10, abs=0.01))
    assert even.accuracy == pytest.approx(rare.accuracy)


def test_the_output_is_the_probability_of_a_for_equal_numbers():
    # At output 0.8 the densities of the classes are as 4 to 1.
    state = WorkingPoint(threshold=0.8, separation=1.2)
    place = np.log(4) / 1.2
    assert norm.pdf(place, 0.6) / norm.pdf(place, -0.6) == pytest.approx(4)
    assert state.rates().efficiency == pytest.approx(normal_tail(place - 0.6))


def test_both_languages_compute_the_same():
    draw = lambda low, high: lambda generator: round(float(generator.uniform(low, high)), 3)  # noqa: E731
    states = javascript.random_states(WorkingPoint, 60, seed=7, threshold=draw(0.01, 0.99), separation=draw(0.25, 3))
    rates = javascript.call(WorkingPoint, [("ratesOf", state) for state in states])
    both = javascript.call(WorkingPoint, [("areasOf", state) for state in states])
    for state, theirs, their_areas in zip(states, rates, both, strict=True):
        ours = WorkingPoint(**state)
        names = ("efficiency", "falsePositiveRate", "purity", "accuracy")
        # The browser has no error function of its own; its approximation is good to seven digits.
        np.testing.assert_allclose([theirs[name] for name in names], ours.rates(), atol=1e-5)
        np.testing.assert_allclose(their_areas, ours.areas(), atol=1e-5)
