"""Lensing maps against the exact transform of lognormal fields, and topology against brute force."""

import math

import numpy as np
import pytest
from scipy import ndimage, stats

from course_lib.data import make_lensing_maps
from course_lib.simulators import lensing_maps

SHIFT, SPREAD = lensing_maps.SHIFT, lensing_maps.STANDARD_DEVIATION
RELATIVE = SPREAD / SHIFT


def spectrum_by_hand(size, side_deg=3.5, slope=2.0, cutoff=600.0):
    """Power of the convergence in each mode by sums over cosines: no Fourier transform of a library."""
    side = math.radians(side_deg)
    numbers = np.array([k if k < size / 2 else k - size for k in range(size)])
    multipole = 2 * math.pi / side * np.hypot(numbers[:, None], numbers[None, :])
    power = np.zeros((size, size))
    power[multipole > 0] = multipole[multipole > 0] ** -slope * np.exp(-((multipole[multipole > 0] / cutoff) ** 2))
    power *= math.log(1 + RELATIVE**2) / power.sum()
    lag = np.arange(size)
    phase = 2 * math.pi / size * np.outer(numbers, lag)
    cosines, sines = np.cos(phase), np.sin(phase)
    gaussian = cosines.T @ power @ cosines - sines.T @ power @ sines
    correlation = SHIFT**2 * (np.exp(gaussian) - 1)
    return side**2 / size**2 * (cosines @ correlation @ cosines.T - sines @ correlation @ sines.T)


def test_the_expected_spectrum_is_the_lognormal_transform():
    expected = spectrum_by_hand(16)
    assert np.allclose(lensing_maps.expected_spectrum(16), expected, rtol=1e-6, atol=1e-9 * expected.max())


@pytest.mark.parametrize("law", lensing_maps.LAWS)
def test_the_measured_spectrum_is_the_expected_one_in_every_mode(law):
    number, size = 3000, 16
    maps = make_lensing_maps(number, size=size, law=law, seed=1).convergence.astype(float)
    side = math.radians(lensing_maps.SIDE_DEG)
    power = np.abs(np.fft.fft2(maps)) ** 2 * (side / size**2) ** 2
    error = power.std(0) / math.sqrt(number)
    pull = (power.mean(0) - spectrum_by_hand(size)) / error
    # Among them that of the mean: the transform gives it power, although g has none there.
    assert np.abs(pull).max() < 6
    assert abs((pull**2).mean() - 1) < 0.6


def test_one_point_of_a_map_follows_the_lognormal_law():
    convergence = make_lensing_maps(6000, seed=2).convergence
    assert convergence.min() > -SHIFT
    # One pixel a map: maps are independent, pixels are not.
    logarithm = np.log1p(convergence[:, 5, 17].astype(float) / SHIFT)
    spread = math.sqrt(math.log(1 + RELATIVE**2))
    assert stats.kstest(logarithm, stats.norm(-(spread**2) / 2, spread).cdf).pvalue > 1e-6


def test_moments_are_those_of_the_lognormal_law():
    number = 3000
    convergence = make_lensing_maps(number, seed=3).convergence.astype(float)
    # Published: skewness (3 + s^2) s, kurtosis 16 s^2 + 15 s^4 + 6 s^6 + s^8 for the relative spread s.
    kurtosis = 16 * RELATIVE**2 + 15 * RELATIVE**4 + 6 * RELATIVE**6 + RELATIVE**8
    expected = [0, SPREAD**2, (3 + RELATIVE**2) * RELATIVE * SPREAD**3, (kurtosis + 3) * SPREAD**4]
    twin = make_lensing_maps(number, law="gaussian", seed=3).convergence.astype(float)
    for maps, moments in ((convergence, expected), (twin, [0, SPREAD**2, 0, 3 * SPREAD**4])):
        product = np.ones_like(maps)
        for moment in moments:
            product *= maps
            each = product.mean((1, 2))
            assert abs(each.mean() - moment) < 5 * each.std() / math.sqrt(number)


def test_the_gaussian_twin_shares_the_spectrum_and_fails_in_peaks():
    rings, twins = (
        lensing_maps.power_spectrum(make_lensing_maps(2000, law=law, seed=4).convergence)[1]
        for law in lensing_maps.LAWS
    )
    error = np.sqrt((rings.var(0) + twins.var(0)) / 2000)
    assert (np.abs(rings.mean(0) - twins.mean(0)) < 5 * error).all()
    above = [(make_lensing_maps(500, law=law, seed=5).convergence > 4 * SPREAD).mean() for law in lensing_maps.LAWS]
    assert above[0] > 10 * above[1]


def test_a_plane_wave_has_its_power_at_its_multipole():
    size, side = 32, math.radians(2.0)
    wave = 3.0 * np.cos(2 * np.pi * 6 * np.arange(size) / size)
    multipole, power = lensing_maps.power_spectrum(np.tile(wave, (1, size, 1)), side_deg=2.0, n_bins=15)
    ring = power[0].argmax()
    assert multipole[ring] == pytest.approx(2 * math.pi * 6 / side, rel=0.05)
    # Half of the mean square, 9 / 2, in each of two modes; other modes of the ring are empty.
    distances = 2 * np.pi / side * np.hypot(*np.meshgrid(*[np.fft.fftfreq(size, 1 / size)] * 2))
    borders = np.linspace(math.pi / side, 2 * math.pi / side * 16, 16)
    in_ring = ((distances >= borders[ring]) & (distances < borders[ring + 1])).sum()
    assert power[0, ring] == pytest.approx(9 / 4 * 2 * side**2 / in_ring)
    assert np.delete(power[0], ring).max() < 1e-12


def test_functionals_against_counting_by_hand():
    """Parts and holes by labelling: parts touch at corners too, holes only along edges."""
    rng = np.random.default_rng(6)
    for level in (0.3, 0.5, 0.7):
        picture = np.zeros((1, 24, 24))
        picture[0, 2:-2, 2:-2] = rng.uniform(size=(20, 20)) < level
        area, boundary, euler = (value[0, 0] * 24**2 for value in lensing_maps.minkowski_functionals(picture, [0.5]))
        parts = ndimage.label(picture[0], structure=np.ones((3, 3)))[1]
        holes = ndimage.label(1 - picture[0])[1] - 1  # one of them is the outside
        assert round(area) == picture.sum() and round(euler) == parts - holes
        edges = sum(int(np.abs(np.diff(picture[0], axis=axis)).sum()) for axis in (0, 1))
        assert round(boundary) == edges


def test_functionals_of_a_gaussian_field_are_the_published_ones():
    """Tomita's formulas for area and Euler characteristic; Sheppard's law for edges between pixels."""
    size, number = 64, 300
    options = {"cutoff_multipole": 500.0, "law": "gaussian"}
    maps = make_lensing_maps(number, size=size, seed=7, **options).convergence.astype(float) / SPREAD
    thresholds = np.array([-1.0, 0.0, 1.0, 2.0])
    area, boundary, euler = lensing_maps.minkowski_functionals(maps, thresholds)
    power = lensing_maps.expected_spectrum(size, cutoff_multipole=500.0)
    correlation = np.fft.fft2(power / power.sum()).real
    neighbour = correlation[0, 1]
    variance = 2 - 2 * neighbour  # of the slope along one axis, in pixels
    expected_area = stats.norm.sf(thresholds)
    expected_euler = variance * thresholds * np.exp(-(thresholds**2) / 2) / (2 * math.pi) ** 1.5
    for found, expected, slack in ((area, expected_area, 0.0), (euler, expected_euler, 4e-4)):
        error = found.std(0) / math.sqrt(number)
        assert (np.abs(found.mean(0) - expected) < 5 * error + slack).all()
    # Two edges a pixel; the signs of two correlated Gaussians differ with the probability arccos(rho) / pi.
    error = boundary[:, 1].std() / math.sqrt(number)
    assert abs(boundary[:, 1].mean() - 2 * math.acos(neighbour) / math.pi) < 5 * error
    assert boundary[:, 2].mean() / boundary[:, 1].mean() == pytest.approx(math.exp(-0.5), rel=0.05)


def test_bad_arguments_are_named():
    for argument, value in (
        ("law", "uniform"),
        ("size", 2),
        ("side_deg", 0.0),
        ("slope", -1.0),
        ("cutoff_multipole", 0.5),
        ("standard_deviation", 0.0),
        ("shift", math.inf),
    ):
        with pytest.raises(ValueError, match=f"{argument} must"):
            make_lensing_maps(2, **{argument: value})
    with pytest.raises(ValueError, match="maps must have the shape"):
        lensing_maps.power_spectrum(np.zeros((8, 8)))
