"""Figures 4.4 and 4.5 against the exact parabola, numpy, and their JavaScript twin."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import DescentSteps
from course_lib.explorables.descent_steps import (
    LEARNING_RATES,
    MAXIMUM_STEPS,
    descend,
    loss,
    measurements,
    slope,
    verdict,
)


def test_the_loss_is_the_parabola_that_the_text_promises():
    x, y = np.array(measurements()).T
    best = np.polyfit(x, y, 1)
    assert best == pytest.approx([1.2, np.mean(y)], abs=1e-12)
    for weight in np.linspace(-3, 5, 9):
        assert loss(weight) == pytest.approx(np.mean((weight * x - y) ** 2))
        assert loss(weight) == pytest.approx((weight - 1.2) ** 2 + 0.04)
        assert slope(weight) == pytest.approx((loss(weight + 1e-4) - loss(weight - 1e-4)) / 2e-4, abs=1e-7)


@pytest.mark.parametrize("rate", LEARNING_RATES)
def test_each_step_multiplies_the_distance_by_one_minus_two_alpha(rate):
    weights = np.array(descend(-0.8, rate, 8))
    assert weights - 1.2 == pytest.approx(-2.0 * (1 - 2 * rate) ** np.arange(9), abs=1e-9)


def test_the_edge_of_stability_is_two_over_the_curvature():
    assert [verdict(-1.5, rate) for rate in (0.01, 0.5, 0.9, 1.0, 1.1)] == [
        "still on its way", "settled", "settled", "hopping", "exploded",
    ]  # fmt: skip
    # One step lowers the loss below the edge and never above it.
    for rate in LEARNING_RATES:
        before, after = (loss(weight) for weight in descend(3.0, rate, 1))
        assert (after < before) == (rate < 1.0)


def test_both_languages_step_alike():
    states = javascript.random_states(DescentSteps, 40, seed=8)
    calls = [("descend", state["weight"], state["learning_rate"], MAXIMUM_STEPS) for state in states]
    calls += [("lossAt", state["weight"]) for state in states]
    calls += [("verdictOf", state["weight"], state["learning_rate"]) for state in states]
    results = javascript.call(DescentSteps, calls)
    for index, state in enumerate(states):
        expected = descend(state["weight"], state["learning_rate"], MAXIMUM_STEPS)
        assert results[index] == pytest.approx(expected, rel=1e-9, abs=1e-9)
        assert results[40 + index] == pytest.approx(loss(state["weight"]))
        assert results[80 + index] == verdict(state["weight"], state["learning_rate"])


@pytest.mark.parametrize("kept", [[0.123], [0.1] * 6, "0.1", None])
def test_only_known_learning_rates_are_kept(kept):
    with pytest.raises(ValueError, match="DescentSteps: kept must"):
        DescentSteps(kept=kept)


def test_the_static_figure_shows_the_steps():
    figure = DescentSteps(learning_rate=0.5, step=2, kept=[0.01]).static_figure()
    (steps,) = (trace for trace in figure.data if trace.name == "steps")
    assert list(steps.x) == pytest.approx([-1.5, 1.2, 1.2])
    assert {"α = 0.5", "α = 0.01"} <= {trace.name for trace in figure.data}
