"""Figure 7.4: symmetries of the galaxy, of the network, and of the answer."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import SpiralHandedness
from course_lib.explorables.spiral_handedness import answer, permutation, shuffled, spiral_image, templates


def first(**state):
    """Probability of anticlockwise."""
    return SpiralHandedness(**state).answer().probabilities[0]


def test_a_mirror_turns_the_answer_round_and_a_rotation_does_not():
    clean = {"noise": 0, "axis_ratio": 1.0}
    assert first(**clean) > 0.95
    assert first(mirrored=True, **clean) == pytest.approx(1 - first(**clean))
    assert first(winding=-1, angle_deg=0, **clean) == pytest.approx(1 - first(angle_deg=0, **clean))
    for angle_deg in (90, 180, 270):  # exact on square pixels
        assert first(angle_deg=40 + angle_deg, **clean) == pytest.approx(first(angle_deg=40, **clean))
    for angle_deg in range(0, 360, 25):
        assert first(angle_deg=angle_deg, **clean) > 0.95


def test_images_turn_and_flip_as_arrays_do():
    image = spiral_image(angle_deg=20)
    np.testing.assert_allclose(spiral_image(angle_deg=110), np.rot90(image), atol=1e-12)
    np.testing.assert_allclose(spiral_image(winding=-1), spiral_image()[:, ::-1], atol=1e-12)
    np.testing.assert_allclose(spiral_image(shift_px=(3, -2))[5:, 6:], np.roll(spiral_image(), (2, 3), (0, 1))[5:, 6:])


def test_a_shift_confuses():
    assert first(shift_x_px=4) < 0.75 < first()


def test_shuffled_pixels_are_nothing_to_a_network_trained_on_them():
    assert sorted(permutation().tolist()) == list(range(1024))
    assert np.mean(permutation() != np.arange(1024)) > 0.99
    for seed in range(5):
        image = spiral_image(noise=0.2, seed=seed)
        plain, moved = answer(image), answer(shuffled(image), weights_shuffled=True)
        np.testing.assert_allclose(moved.probabilities, plain.probabilities, rtol=1e-12)
        assert abs(answer(shuffled(image)).probabilities[0] - 0.5) < 0.1


def test_the_four_hidden_nodes_look_for_different_things():
    overlap = np.einsum("iab,jab->ij", templates(), templates())
    np.testing.assert_allclose(overlap, np.eye(4), atol=0.1)


def test_both_languages_draw_and_answer_the_same():
    states = javascript.random_states(SpiralHandedness, 12, seed=4)
    images = javascript.call(SpiralHandedness, [("seenImage", state) for state in states])
    answers = javascript.call(SpiralHandedness, [("networkAnswer", state) for state in states])
    for state, image, said in zip(states, images, answers, strict=True):
        ours = SpiralHandedness(**state)
        np.testing.assert_allclose(image, ours.image(), atol=1e-9)
        np.testing.assert_allclose(said["hidden"], ours.answer().hidden, atol=1e-9)
        np.testing.assert_allclose(said["probabilities"], ours.answer().probabilities, atol=1e-9)
