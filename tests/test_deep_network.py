"""Figures 7.1 and 7.5: the gradients against finite differences, and against what the chapter says of depth."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import DeepNetwork
from course_lib.explorables.deep_network import ACTIVATIONS, PRESETS, deep_pass, draw_network, parameter_count, power

VARIANTS = [{}, {"shortcut": True, "branch_scale": 0.6}, {"batch_norm": True}, {"shortcut": True, "batch_norm": True}]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_gradients_are_the_finite_differences_of_the_loss(activation, variant):
    options = {"activation": activation, "weight_scale": 1.3, "seed": 4, **variant}
    _, _, weights = draw_network(6, 5, 4)
    gradients = deep_pass(6, 5, **options).gradients
    step = 1e-5
    for place in ((0, 1, 2), (1, 0, 3), (3, 4, 0), (4, 1, 1), (5, 2, 2)):
        change = np.zeros_like(weights)
        change[place] = step
        above, below = (deep_pass(6, 5, weights=weights + sign * change, **options).loss for sign in (1, -1))
        # The weights in use are the drawn ones times the scale.
        expected = (above - below) / (2 * step) * np.sqrt(5) / 1.3
        assert gradients[place[0]][place[1:]] == pytest.approx(expected, rel=1e-4, abs=1e-8)


def test_a_block_with_an_empty_branch_is_the_identity_and_then_relu():
    shown = DeepNetwork(activation="relu", shortcut=True, branch_scale=0)
    outputs = shown.deep_pass().activations
    for block_end in range(2, 21, 2):
        np.testing.assert_array_equal(outputs[block_end], np.maximum(outputs[0], 0))


def ratio(**state):
    norms = DeepNetwork(**state).gradient_norms()
    return norms[0] / norms[-1]


def test_what_the_chapter_says_of_twenty_layers():
    # The slope of a sigmoid is at most 1/4, and the weights do not make up for it.
    assert ratio(activation="sigmoid") < 0.25**18
    # ReLU is homogeneous: the ratio knows nothing of the size of the weights, the gradient itself does.
    assert ratio(activation="relu", weight_scale=0.7) == pytest.approx(ratio(activation="relu", weight_scale=2.5))
    small, large = (DeepNetwork(activation="relu", weight_scale=scale).gradient_norms()[0] for scale in (0.7, 1.4))
    assert large / small == pytest.approx(2.0**19)
    # Three cures for small weights.
    for preset in ("shortcut", "normalised", "selu"):
        assert DeepNetwork(**PRESETS[preset][1]).gradient_norms()[0] > 1e4 * small, preset


def test_normalised_sums_have_mean_0_and_nearly_spread_1():
    outputs = deep_pass(4, 6, activation="relu", batch_norm=True).activations
    # Where every value is positive or not, mean 0 before ReLU means both signs in each column.
    assert ((outputs[1:] > 0).any(axis=1) & (outputs[1:] == 0).any(axis=1)).all()


def test_parameters_of_the_epicentre_network():
    # 8 inputs, three layers of 64, two outputs: 9026 in the book; the inner layers are ours.
    assert parameter_count(2, 64) == 2 * (64 * 64 + 64)
    assert 8 * 64 + 64 + parameter_count(2, 64) + 64 * 2 + 2 == 9026


def test_both_languages_compute_the_same_network():
    states = javascript.random_states(DeepNetwork, 40, seed=5)
    results = javascript.call(DeepNetwork, [("plainPass", state) for state in states])
    for state, theirs in zip(states, results, strict=True):
        ours = DeepNetwork(**state)
        np.testing.assert_allclose(theirs["outputs"], ours.deep_pass().activations, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(theirs["norms"], ours.gradient_norms(), rtol=1e-7, atol=1e-300)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (9.6e-5, "1·10⁻⁴"), (3.2e-12, "3·10⁻¹²"), (47.0, "5·10¹"), (2.2, "2")]
)
def test_powers_are_written_with_one_digit(value, text):
    assert power(value) == text


def test_an_odd_number_of_layers_is_refused():
    with pytest.raises(ValueError, match="n_layers must be one of 2, 4"):
        DeepNetwork(n_layers=5)
