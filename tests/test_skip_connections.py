"""Segmentation with and without skips: what averages keep, what thresholds reach, and JavaScript."""

import javascript
import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from course_lib.explorables import SkipConnections
from course_lib.explorables import skip_connections as module


def test_pooling_and_upsampling_keep_the_mean_and_a_constant():
    generator = np.random.default_rng(2)
    field = generator.normal(size=(32, 32))
    for depth in range(module.DEEPEST + 1):
        assert module.coarse_view(np.full((32, 32), 3.0), depth) == pytest.approx(np.full((32, 32), 3.0))
        assert module.coarse_view(field, depth).mean() == pytest.approx(field.mean())
    np.testing.assert_array_equal(module.coarse_view(field, 0), field)
    ramp = np.add.outer(np.arange(32.0), np.zeros(32))
    inner = slice(2, -2)  # linear between the centres: a ramp comes back, but for the border
    np.testing.assert_allclose(module.coarse_view(ramp, 1)[inner, inner], ramp[inner, inner])


def test_the_measure_is_scikit_learns():
    generator = np.random.default_rng(3)
    truth, answer = generator.integers(0, 3, size=(2, 32, 32))
    assert module.mean_iou(answer, truth) == pytest.approx(
        jaccard_score(truth.ravel(), answer.ravel(), average="macro")
    )


def test_skips_help_most_at_borders_and_depth_tells_what_it_is():
    seeds, noise = range(8), 0.2
    with_skips, without = ([module.segment(2, skips, noise, seed) for seed in seeds] for skips in (True, False))
    assert np.mean([one.mean_iou for one in with_skips]) > np.mean([one.mean_iou for one in without]) + 0.1
    assert np.mean([one.wrong_at_borders for one in with_skips]) < np.mean([one.wrong_at_borders for one in without])
    flat = [module.segment(0, True, noise, seed).mean_iou for seed in seeds]
    assert (
        np.mean([one.mean_iou for one in with_skips]) > np.mean(flat) + 0.1
    )  # one pixel does not tell disc from track


def test_both_languages_agree():
    states = javascript.random_states(SkipConnections, 14, seed=5)
    for state, theirs in zip(states, javascript.call(SkipConnections, [("segment", s) for s in states]), strict=True):
        ours = SkipConnections(**state).segmentation()
        np.testing.assert_allclose(theirs["image"], ours.image.ravel(), atol=1e-6)
        np.testing.assert_array_equal(theirs["truth"], ours.truth.ravel())
        np.testing.assert_array_equal(theirs["answer"], ours.answer.ravel())
        assert theirs["iou"] == pytest.approx(ours.mean_iou)
        assert [theirs["atBorders"], theirs["elsewhere"]] == [ours.wrong_at_borders, ours.wrong_elsewhere]
