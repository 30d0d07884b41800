"""Gradients through shortcuts against finite differences, growth of the memory, and JavaScript."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import ShortcutBudget
from course_lib.explorables import shortcut_budget as module


def output(values, kind, layers, seed):
    """Sum of the last values, divided by the root of their number: what a gradient of length one belongs to."""
    for matrix in module._weights(kind, seed)[:layers]:
        active = np.maximum(matrix @ values, 0)
        if kind == "add":
            values = values + module.BRANCH * active
        else:
            values = active if kind == "none" else np.concatenate([values, active])
    return values.sum() / np.sqrt(len(values)), len(values)


@pytest.mark.parametrize("layers", [2, 7])
@pytest.mark.parametrize("kind", ["none", "add"])
def test_the_first_norm_is_that_of_finite_differences(kind, layers):
    start = np.asarray(module.normal(4, module.INPUT_STREAM, module.WIDTH))
    slope = [
        (output(start + step, kind, layers, 4)[0] - output(start - step, kind, layers, 4)[0]) / 2e-6
        for step in 1e-6 * np.eye(module.WIDTH)
    ]
    assert module.gradient_norms(kind, layers, 4)[0] == pytest.approx(np.linalg.norm(slope), rel=1e-5)


def test_concatenation_has_the_gradient_of_finite_differences():
    layers, seed = 5, 4
    start = np.asarray(module.normal(seed, module.INPUT_STREAM, module.WIDTH))
    newest = range(module.WIDTH - module.GROWTH, module.WIDTH)  # of the first layer: the last inputs
    steps = 1e-6 * np.eye(module.WIDTH)[list(newest)]
    slope = [
        (output(start + step, "concatenate", layers, seed)[0] - output(start - step, "concatenate", layers, seed)[0])
        / 2e-6
        for step in steps
    ]
    scale = np.sqrt(output(start, "concatenate", layers, seed)[1] / module.GROWTH)
    expected = np.linalg.norm(slope) * scale
    assert module.gradient_norms("concatenate", layers, seed)[0] == pytest.approx(expected, rel=1e-5)


def test_only_shortcuts_bring_a_gradient_through_a_hundred_layers():
    for seed in range(5):
        assert module.gradient_norms("none", 100, seed)[0] < 1e-8
        for kind in ("add", "concatenate"):
            assert 0.05 < module.gradient_norms(kind, 100, seed)[0] < 50


def test_memory_grows_with_depth_or_with_its_square():
    assert module.stored_values("add", 100) == 2 * module.stored_values("add", 50)
    assert 3.5 < module.stored_values("concatenate", 100) / module.stored_values("concatenate", 50) < 4


def test_both_languages_agree():
    states = javascript.random_states(ShortcutBudget, 24, seed=3)
    calls = [("gradientNorms", s["kind"], s["n_layers"], s["seed"]) for s in states]
    calls += [("storedValues", s["kind"], s["n_layers"]) for s in states]
    results = javascript.call(ShortcutBudget, calls)
    for state, norms, stored in zip(states, results[: len(states)], results[len(states) :], strict=True):
        np.testing.assert_allclose(
            norms, module.gradient_norms(state["kind"], state["n_layers"], state["seed"]), rtol=1e-9
        )
        assert stored == module.stored_values(state["kind"], state["n_layers"])
