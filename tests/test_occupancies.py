"""Occupancy maps against Poisson's law and their own faults."""

import math

import numpy as np
import pytest
from scipy import stats

from course_lib.data import make_occupancies
from course_lib.simulators import occupancies


def test_good_maps_are_poissonian_around_a_smooth_profile():
    """A polynomial in the wire number, fitted to each layer, leaves a chi-square of its law."""
    hits, labels, factors, names = make_occupancies(60, fault_fraction=0.0, hits_a_wire=200, seed=1)
    assert names[0] == "good" and not labels.any() and (factors == 1).all()
    middle = hits[:, :, 8:92].astype(float)  # away from the ends, where fewer tracks pass
    wires = np.linspace(-1, 1, 84)
    sums = []
    for layer in middle.reshape(-1, 84):
        weight = 1 / np.sqrt(layer.mean())
        for _ in range(3):  # weights from the fitted means, not from the counts, which would bias it
            fit = np.polyval(np.polyfit(wires, layer, 2, w=np.broadcast_to(weight, 84)), wires)
            weight = 1 / np.sqrt(fit)
        sums.append((((layer - fit) * weight) ** 2).sum())
    n_free = 84 - 3
    assert abs(np.mean(sums) - n_free) < 5 * math.sqrt(2 * n_free / len(sums)) + 0.5
    assert stats.kstest(sums, stats.chi2(n_free).cdf).pvalue > 1e-6


def test_means_have_the_asked_luminosity():
    means = occupancies.expected_hits(4000, hits_a_wire=30.0, seed=2)
    centre = means[:, :, 49:51].mean((1, 2))
    assert abs(centre.mean() - 30.0) < 5 * centre.std() / math.sqrt(len(centre))
    assert means.min() > 0 and centre.max() / centre.min() < 4 * 1.2


def test_faults_change_what_they_should():
    hits, labels, factors, names = make_occupancies(600, hits_a_wire=60, seed=3)
    assert (np.bincount(labels) == [300, 100, 100, 100]).all()
    for image, label, factor in zip(hits, labels, factors, strict=True):
        fault = names[label]
        touched = factor != 1
        if fault == "good":
            assert not touched.any()
        elif fault == "dead":
            assert touched.sum() == 64 and not image[touched].any()
            assert touched.any(axis=1).sum() == 4 and touched.any(axis=0).sum() == 16
        elif fault == "noisy":
            assert 1 <= touched.sum() <= 5 and touched.any(axis=1).sum() == 1 and (factor[touched] >= 3).all()
        else:
            assert touched.any(axis=1).sum() == 1 and touched.all(axis=1).sum() == 1
            assert 0.5 <= factor[touched].min() == factor[touched].max() <= 0.85


def test_the_standard_algorithm_finds_noise_and_is_blind_to_a_weak_layer():
    hits, labels, _, names = make_occupancies(2000, seed=4)
    scores = occupancies.rate_score(hits)
    good = scores[labels == 0]

    def area(fault):
        faulty = scores[labels == names.index(fault)]
        return stats.mannwhitneyu(faulty, good).statistic / len(faulty) / len(good)

    assert area("noisy") > 0.99 and area("dead") > 0.85
    assert abs(area("inefficient") - 0.5) < 0.1
    # One wire stands out of a flat map by 30 hits; both it and the mean of its eight neighbours have Poisson errors.
    flat = np.full((1, 12, 100), 50.0)
    flat[0, 3, 40] = 80
    assert occupancies.rate_score(flat)[0] == pytest.approx(30 / math.sqrt(50 + 50 / 8))


def test_bad_arguments_are_named():
    for argument, value in (("fault_fraction", 1.2), ("hits_a_wire", 0)):
        with pytest.raises(ValueError, match=f"{argument} must be"):
            make_occupancies(2, **{argument: value})
    with pytest.raises(ValueError, match="hits must have the shape"):
        occupancies.rate_score(np.zeros((2, 100, 12)))
