"""Figures 5.5 and 5.6: penalised minima against a numerical minimiser, dropout against drawn masks, and the twin."""

import javascript
import numpy as np
import pytest
from scipy.optimize import minimize

from course_lib.explorables import Regularisation
from course_lib.explorables.regularisation import (
    ACTIVATIONS,
    FREE_MINIMUM,
    OUTPUT_WEIGHTS,
    curvatures,
    dropout_outputs,
    full_output,
    penalised_minimum,
)


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_the_minimum_against_a_numerical_minimiser(penalty):
    generator = np.random.default_rng(5)
    for _ in range(8):
        strength, elongation, tilt = generator.uniform([0.02, 1, 0], [0.8, 6, 180])
        curvature = curvatures(elongation, tilt)

        def objective(weights, curvature=curvature, strength=strength):
            offset = weights - np.array(FREE_MINIMUM)
            size = np.abs(weights).sum() if penalty == "l1" else (weights**2).sum()
            return 0.5 * offset @ curvature @ offset + strength * size

        found = penalised_minimum(penalty, strength, elongation, tilt)
        reference = minimize(objective, [0.3, 0.3], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12})
        assert objective(np.array(found)) <= reference.fun + 1e-9
        np.testing.assert_allclose(found, reference.x, atol=2e-3)


def test_one_dimensional_rules_of_the_chapter():
    # Without tilt the two weights do not know of each other; curvature h = 1 along the first one.
    strength = 0.3
    assert penalised_minimum("l2", strength, 1, 0)[0] == pytest.approx(FREE_MINIMUM[0] / (1 + 2 * strength))
    assert penalised_minimum("l1", strength, 1, 0)[0] == pytest.approx(FREE_MINIMUM[0] - strength)


def test_l1_arrives_at_zero_and_l2_never_does():
    at_one = {penalty: penalised_minimum(penalty, 1.0, 3, 75) for penalty in ("l1", "l2")}
    assert 0 in at_one["l1"]
    assert min(np.abs(at_one["l2"])) > 0


def test_l2_shrinks_most_along_the_flat_direction():
    # The long axis lies along the second weight.
    first, second = penalised_minimum("l2", 0.1, 4, 90)
    assert second / FREE_MINIMUM[1] < 0.3 < 0.8 < first / FREE_MINIMUM[0]


def test_the_exact_distribution_against_drawn_masks():
    generator = np.random.default_rng(1)
    masks = generator.random((200_000, len(ACTIVATIONS))) >= 0.4
    drawn = masks @ np.multiply(ACTIVATIONS, OUTPUT_WEIGHTS) / 0.6
    mean, deviation = Regularisation(rate=0.4).spread()
    assert mean == pytest.approx(full_output())
    assert drawn.mean() == pytest.approx(mean, abs=5 * deviation / np.sqrt(200_000))
    assert drawn.std() == pytest.approx(deviation, rel=0.01)
    assert dropout_outputs(0.4, True)[1].sum() == pytest.approx(1)


def test_without_scaling_the_mean_falls():
    assert Regularisation(rate=0.4, scaled=False).spread()[0] == pytest.approx(0.6 * full_output())


def test_both_languages_compute_the_same():
    draw = lambda low, high: lambda generator: round(float(generator.uniform(low, high)), 3)  # noqa: E731
    states = javascript.random_states(
        Regularisation, 60, seed=6, strength=draw(0, 1), elongation=draw(1, 6), tilt_deg=draw(0, 180), rate=draw(0, 0.8)
    )
    minima = javascript.call(Regularisation, [("penalisedMinimum", state) for state in states])
    spreads = javascript.call(Regularisation, [("spreadOf", state) for state in states])
    for state, minimum, spread in zip(states, minima, spreads, strict=True):
        ours = Regularisation(**state)
        np.testing.assert_allclose(minimum, ours.minimum(), atol=2e-9)
        np.testing.assert_allclose(spread, ours.spread(), atol=1e-9)
