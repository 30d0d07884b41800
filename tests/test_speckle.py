"""Speckle against the statistics of partial coherence, and form factors against their integral."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.ndimage import gaussian_filter

from course_lib.data import make_speckle
from course_lib.simulators import speckle


@pytest.mark.parametrize("n_modes", [1, 4])
def test_intensities_follow_the_gamma_law_of_partial_coherence(n_modes):
    # Pixels 8 apart are independent: their correlation is exp(-32).
    relative = speckle.relative_intensity(40, n_modes, speckle_size_px=1.0, seed=1)[:, ::8, ::8].ravel()
    assert stats.kstest(relative, stats.gamma(n_modes, scale=1 / n_modes).cdf).pvalue > 1e-6


@pytest.mark.parametrize(("n_modes", "size_px"), [(1, 1.5), (2, 2.2), (9, 1.0)])
def test_the_contrast_is_one_over_the_root_of_the_number_of_modes(n_modes, size_px):
    n_frames = 60
    relative = speckle.relative_intensity(n_frames, n_modes, speckle_size_px=size_px, seed=2).astype(float)
    # Area of a speckle 2 pi s^2; the variance of an exponential law's variance is 8 / n.
    n_independent = n_frames * 64**2 / (2 * math.pi * size_px**2)
    assert abs(relative.mean() - 1) < 5 / math.sqrt(n_modes * n_independent)
    assert abs(n_modes * ((relative - 1) ** 2).mean() - 1) < 5 * math.sqrt(8 / n_independent)


def test_speckles_have_the_asked_size():
    """Intensities correlate as the square of the field's correlation (Siegert): exp(-d^2 / 2 s^2)."""
    for size_px in (1.0, 2.0):
        relative = speckle.relative_intensity(60, 2, speckle_size_px=size_px, seed=3).astype(float) - 1
        variance = (relative**2).mean()
        n_independent = 60 * 64**2 / (2 * math.pi * size_px**2)
        for distance in (1, 2, 3, 5):
            for axis in (1, 2):
                found = (relative * np.roll(relative, distance, axis)).mean() / variance
                expected = math.exp(-(distance**2) / (2 * size_px**2))
                assert abs(found - expected) < 5 * math.sqrt(8 / n_independent)


def test_photons_follow_the_poisson_law_when_there_is_no_speckle_left():
    frames, targets, _ = make_speckle(3, modes_range=(600, 600), log10_photons_range=(1.0, 1.0001), seed=4)
    assert np.array_equal(frames, np.round(frames)) and frames.min() >= 0
    targets = targets.astype(float)
    spread = (frames - targets) ** 2 / targets
    # Variance of the squared pull of a Poisson number: 2 + 1 / mean.
    error = math.sqrt((2 + 1 / targets).mean() / targets.size)
    assert abs(spread.mean() - 1) < 5 * error + targets.max() / 600
    assert abs((frames - targets).sum()) < 5 * math.sqrt(targets.sum() * (1 + targets.max() / 600))


def test_the_form_factor_is_the_fourier_transform_of_a_sphere():
    for u in (1e-3, 0.009, 0.011, 0.5, 3.0, 8.0):
        amplitude = quad(lambda r, u=u: 3 * r**2 * math.sin(u * r) / (u * r), 1e-12, 1)[0]
        assert speckle.sphere_form_factor(u) == pytest.approx(amplitude**2, rel=1e-6, abs=1e-12)
    # Guinier: radius of gyration squared is 3/5; Porod: the mean of u^4 I tends to 9/2.
    assert speckle.sphere_form_factor(0.05) == pytest.approx(math.exp(-(0.05**2) / 5), rel=1e-7)
    u = np.linspace(200, 200 + 200 * math.pi, 20_000)
    assert (u**4 * speckle.sphere_form_factor(u)).mean() == pytest.approx(4.5, rel=0.01)


@pytest.mark.parametrize("form", speckle.FORMS)
def test_patterns_are_symmetric_positive_and_different(form):
    rng = np.random.default_rng(5)
    patterns = np.array([speckle.pattern(form, rng) for _ in range(5)])
    assert patterns.shape == (5, 64, 64) and patterns.min() > 0
    assert np.allclose(patterns.max((1, 2)), 1)
    assert np.allclose(patterns, patterns[:, :, ::-1])
    assert np.abs(patterns[0] - patterns[1:]).max((1, 2)).min() > 0.05


def test_the_task_is_as_hard_as_the_course_says():
    """On the scale of exercise 17.1: no denoising costs about 5e-3, the best blur about 1.6e-3."""
    frames, targets, _ = make_speckle(80, seed=6)
    noisy, clean = np.log10(frames + 1), np.log10(targets + 1)
    largest = noisy.max((1, 2), keepdims=True)
    noisy, clean = np.clip(noisy / largest, 0, 1.1), np.clip(clean / largest, 0, 1.1)
    nothing = ((noisy - clean) ** 2).mean((1, 2))
    blurred = np.stack([gaussian_filter(frame, 1.5) for frame in noisy])
    blur = ((blurred - clean) ** 2).mean((1, 2))
    for costs, expected in ((nothing, 4.98e-3), (blur, 1.6e-3)):
        assert abs(costs.mean() - expected) < 5 * costs.std() / math.sqrt(80) + 0.2 * expected
    assert blur.mean() < nothing.mean() / 2


def test_experimental_frames_have_defects_and_other_coherence():
    frames, targets, n_modes = make_speckle(12, domain="experiment", seed=7)
    assert set(n_modes) <= {1, 30} and len(set(n_modes)) == 2
    for frame, target in zip(frames, targets, strict=True):
        dark = np.flatnonzero(~frame.any(axis=1))
        assert len(dark) >= 2 and (np.diff(dark) == 1).any()
        assert not frame[:5, 29:36].any()
        hot = frame == frame.max()
        assert 1 <= hot.sum() < 64
        assert target.min() > 0
    clean, _, n_modes = make_speckle(30, modes_range=(3, 5), seed=8)
    assert n_modes.min() >= 3 and n_modes.max() <= 5 and (clean.mean((1, 2)) > 0.1).all()


def test_bad_arguments_are_named():
    for argument, value in (
        ("domain", "sky"),
        ("modes_range", (0, 3)),
        ("speckle_size_range_px", (0.0, 1.0)),
        ("log10_photons_range", (4.0, 2.0)),
    ):
        with pytest.raises(ValueError, match=f"{argument} must be"):
            make_speckle(2, **{argument: value})
    with pytest.raises(ValueError, match="form must be one of"):
        speckle.pattern("cubes", np.random.default_rng(0))
