"""Figures 3.3 and 3.4b: curves against finite differences, accuracies against brute force, the JavaScript twin."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import OneNode
from course_lib.explorables.one_node import ACTIVATION_LABELS, activation, best_accuracy, labelled_points, slope


@pytest.mark.parametrize("kind", ACTIVATION_LABELS)
def test_slopes_are_finite_differences(kind):
    y = np.linspace(-5, 5, 40)  # zero, the kink of ReLU, is not among them
    np.testing.assert_allclose(
        slope(kind, y), (activation(kind, y + 1e-6) - activation(kind, y - 1e-6)) / 2e-6, atol=1e-8
    )


def test_ranges_and_values_at_zero():
    y = np.linspace(-30, 30, 601)
    assert activation("relu", y).min() == 0 and activation("relu", 7.0) == 7
    assert 0 < activation("sigmoid", y).min() < 1e-9 and activation("sigmoid", 0.0) == 0.5
    assert activation("tanh", y).min() == pytest.approx(-1) and activation("tanh", 0.0) == 0
    # The sigmoid is a tanh in other units.
    np.testing.assert_allclose(activation("sigmoid", y), 0.5 * (1 + np.tanh(y / 2)), atol=1e-15)


def test_the_bias_shifts_the_threshold_to_minus_b_over_w():
    assert "at x = 2 and switches on to the right" in OneNode(w1=2, bias=-4).summary()
    assert "at x = −1.5 and switches on to the left" in OneNode(w1=-2, bias=-3).summary()
    assert "for every x" in OneNode(w1=0).summary()


@pytest.mark.parametrize("kind", ["slanted", "or", "xor"])
@pytest.mark.parametrize("inputs", ["both", "x1", "x2"])
def test_no_random_border_beats_the_best_one(kind, inputs):
    x1, x2, labels = np.array(labelled_points(kind)).T
    generator = np.random.default_rng(7)
    w = generator.normal(size=(4000, 2)) * {"both": (1, 1), "x1": (1, 0), "x2": (0, 1)}[inputs]
    sums = w @ np.stack([x1, x2]) + generator.normal(0, 2, (4000, 1))
    reached = np.mean((sums > 0) == (labels == 1), axis=1).max()
    assert reached <= best_accuracy(kind, inputs) + 1e-12
    assert reached > best_accuracy(kind, inputs) - 0.04


def test_what_the_figure_teaches():
    assert best_accuracy("slanted") > 0.93
    assert max(best_accuracy("slanted", "x1"), best_accuracy("slanted", "x2")) < 0.8
    assert best_accuracy("or") == 1.0
    assert best_accuracy("xor") == 0.75  # three corners of four


def test_a_missing_input_has_weight_zero():
    assert OneNode(view="classes", inputs="x1", w1=1, w2=3).state["w2"] == 0
    assert OneNode(view="classes", inputs="x2", w1=1, w2=3).state["w1"] == 0


def test_both_languages_compute_the_same_node():
    draw = {name: lambda generator: round(generator.uniform(-8, 8), 1) for name in ("w1", "w2", "bias")}
    states = [OneNode(**state).state for state in javascript.random_states(OneNode, 60, seed=5, **draw)]
    calls = [("accuracy", state) for state in states]
    calls += [(name, state["activation"], state["bias"]) for name in ("activation", "slope") for state in states]
    results = javascript.call(OneNode, calls)
    for number, state in enumerate(states):
        assert results[number] == pytest.approx(OneNode(**state).accuracy(), abs=1e-12)
        assert results[60 + number] == pytest.approx(float(activation(state["activation"], state["bias"])), abs=1e-12)
        assert results[120 + number] == pytest.approx(float(slope(state["activation"], state["bias"])), abs=1e-12)


@pytest.mark.parametrize("view", ["curve", "classes"])
def test_the_static_figure_follows_the_state(view):
    figure = OneNode(view=view, w1=2, w2=-1, bias=-1, derivative=True).static_figure()
    if view == "curve":
        drawn = {trace.name: trace for trace in figure.data}
        assert set(drawn) == {"ReLU", "sigmoid", "tanh", "σ′(y)"}
        assert np.interp(0.5, drawn["sigmoid"].x, drawn["sigmoid"].y) == pytest.approx(0.5, abs=1e-3)
    else:
        heatmap = figure.data[0]
        assert heatmap.z[20][20] == pytest.approx(1 / (1 + np.exp(1)), abs=1e-3)  # at the origin
