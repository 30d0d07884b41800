"""Figures 3.1 and 3.2 against Keras-free matrix algebra, truth tables, and the JavaScript twin."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import ForwardPass
from course_lib.explorables.forward_pass import ACTIVATIONS, PARAMETERS, PRESETS, collapsed, forward, plane_text


def test_two_affine_maps_are_one():
    generator = np.random.default_rng(31)
    for _ in range(20):
        weights, biases, factors = generator.normal(size=(4, 3)), generator.normal(size=4), generator.normal(size=4)
        x = generator.normal(size=(50, 3))
        together, bias = collapsed(weights, biases, factors, 0.7)
        np.testing.assert_allclose(
            forward(x, weights, biases, factors, 0.7, activation="linear").output, x @ together + bias, atol=1e-12
        )


def test_collapsed_numbers_are_those_of_equation_3_3():
    w11, w12, b1, w21, w22, b2, c1, c2, d = 1.5, -2.0, 0.3, 0.7, 1.1, -0.4, 2.0, -3.0, 0.9
    weights, bias = collapsed([[w11, w12], [w21, w22]], [b1, b2], [c1, c2], d)
    assert weights == pytest.approx([c1 * w11 + c2 * w21, c1 * w12 + c2 * w22])
    assert bias == pytest.approx(c1 * b1 + c2 * b2 + d)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
def test_with_an_activation_the_map_is_no_plane(activation):
    # The mean of a plane over the ends of a line is its value in the middle.
    network = ForwardPass(activation=activation)
    left, middle, right = network.forward([[-2, -2], [0, 0], [2, 2]]).output
    assert abs((left + right) / 2 - middle) > 0.1
    left, middle, right = ForwardPass(activation="linear").forward([[-2, -2], [0, 0], [2, 2]]).output
    assert (left + right) / 2 == pytest.approx(middle)


def test_two_settings_of_the_presets_make_the_same_plane():
    first, second = ({**dict(zip(PARAMETERS, values, strict=True))} for _, values, _, _ in PRESETS[:2])
    x = np.random.default_rng(1).normal(size=(20, 2))
    np.testing.assert_allclose(ForwardPass(**first).forward(x).output, ForwardPass(**second).forward(x).output)


@pytest.mark.parametrize(("label", "truth"), [(PRESETS[4][0], [0, 1, 1, 1]), (PRESETS[5][0], [0, 1, 1, 0])])
def test_or_and_xor_by_hand_are_exact(label, truth):
    values, kind, name = next(preset[1:] for preset in PRESETS if preset[0] == label)
    network = ForwardPass(**dict(zip(PARAMETERS, values, strict=True)), activation=kind, truth=name)
    assert network.forward([[0, 0], [1, 0], [0, 1], [1, 1]]).output.tolist() == truth
    assert network.right_corners() == 4
    network.state = {"activation": "linear"}
    assert network.right_corners() < 4 or name != "xor"


def test_a_plane_is_written_as_a_person_writes_it():
    assert plane_text([2, 1], -0.2) == "2 x₁ + x₂ − 0.2"
    assert plane_text([-1, 0], 0) == "−x₁"
    assert plane_text([0, 0.5], 0) == "0.5 x₂"


def test_both_languages_compute_the_same_pass():
    draw = {name: lambda generator: round(generator.uniform(-3, 3), 1) for name in PARAMETERS}
    states = javascript.random_states(ForwardPass, 60, seed=5, **draw)
    calls = [("forward", state, 0.35, -1.2) for state in states] + [("collapsed", state) for state in states]
    results = javascript.call(ForwardPass, calls)
    for state, theirs, affine in zip(states, results[:60], results[60:], strict=True):
        network = ForwardPass(**state)
        ours = network.forward([0.35, -1.2])
        np.testing.assert_allclose(theirs["sums"], ours.sums, atol=1e-12)
        np.testing.assert_allclose(theirs["hidden"], ours.hidden, atol=1e-12)
        assert theirs["output"] == pytest.approx(ours.output, abs=1e-12)
        weights, bias = collapsed(*network._layers())
        np.testing.assert_allclose([*affine["weights"], affine["bias"]], [*weights, bias], atol=1e-12)


def test_the_static_figure_shows_the_map():
    network = ForwardPass(activation="relu")
    heatmap = network.static_figure().data[0]
    expected = network.forward([heatmap.x[3], heatmap.y[30]]).output
    assert heatmap.z[30][3] == pytest.approx(expected, abs=1e-3)
    assert set(ACTIVATIONS) == {"linear", "relu", "sigmoid", "tanh"}
