"""The planing set against closed formulas and the measured values of the syllabus."""

import numpy as np
from scipy import integrate, stats
from sklearn.metrics import roc_auc_score

from course_lib.data import make_planing
from course_lib.simulators import planing

N = 200_000


def test_mass_follows_the_truncated_distributions():
    features, labels, _ = make_planing(N, seed=1)
    low, high = planing.MASS_RANGE
    signal = stats.truncnorm((low - 1.2) / 0.5, (high - 1.2) / 0.5, loc=1.2, scale=0.5)
    background = stats.truncexpon(b=high)
    for label, law in ((1, signal), (0, background)):
        # A probability below 1e-6 is rarer than a deviation of 5 standard errors.
        assert stats.kstest(features[labels == label, 0], law.cdf).pvalue > 1e-6
    assert abs(labels.mean() - 0.5) < 1e-9


def test_correlations_are_those_of_the_syllabus():
    features, labels, _ = make_planing(N, seed=2)
    measured = {0: (0.84, 0.79, -0.01, 0.01), 1: (0.74, 0.70, 0.0, 0.01)}  # f0 with f1 to f4
    for label, expected in measured.items():
        found = np.corrcoef(features[labels == label].T)[0, 1:]
        assert np.abs(found - expected).max() < 0.02


def test_mass_blind_score_is_the_exact_likelihood_ratio():
    features, labels, _ = make_planing(N, seed=3)
    score = planing.mass_blind_log_ratio(features)
    exact = (
        stats.norm.logpdf(features[:, 3], 1)
        + stats.norm.logpdf(features[:, 4], 0, 1.6)
        - stats.norm.logpdf(features[:, 3], 0)
        - stats.norm.logpdf(features[:, 4], 0, 1)
    )
    assert np.allclose(score, exact)
    background = labels == 0
    assert abs(np.corrcoef(score[background], features[background, 0])[0, 1]) < 5 / np.sqrt(background.sum())

    # Accuracy of the optimal cut by numerical integration; the syllabus measured 0.712 and an area of 0.791.
    f3, f4 = np.meshgrid(np.linspace(-8, 9, 1701), np.linspace(-9, 9, 1801), indexing="ij")
    signal = stats.norm.pdf(f3, 1) * stats.norm.pdf(f4, 0, 1.6)
    larger = np.maximum(signal, stats.norm.pdf(f3) * stats.norm.pdf(f4)) / 2
    optimum = integrate.trapezoid(integrate.trapezoid(larger, dx=0.01), dx=0.01)
    accuracy = np.mean((score > 0) == labels)
    assert abs(accuracy - optimum) < 5 * np.sqrt(0.2 / N) + 1e-4
    assert abs(accuracy - 0.712) < 0.01 and abs(roc_auc_score(labels, score) - 0.791) < 0.01
