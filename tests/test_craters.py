"""Craters against the cosine law on a sphere, diffusion, fractal spectra and the crater illusion."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.ndimage import gaussian_filter

from course_lib.data import make_crater_tiles, make_craters
from course_lib.simulators import craters


def test_a_sphere_reflects_after_lambert():
    radius, elevation, azimuth = 200.0, math.radians(40), math.radians(70)
    axis = np.arange(-60, 61, dtype=float)
    east, north = axis[None, :], -axis[:, None]
    height = np.sqrt(radius**2 - east**2 - north**2)
    # The normal of a sphere points away from its centre.
    sun = np.array(
        [math.cos(elevation) * math.cos(azimuth), math.cos(elevation) * math.sin(azimuth), math.sin(elevation)]
    )
    expected = (east * sun[0] + north * sun[1] + height * sun[2]) / radius
    found = craters.shade(height, sun_azimuth_deg=70.0, sun_elevation_deg=40.0)
    assert np.abs(found - expected)[1:-1, 1:-1].max() < 1e-4


def test_a_hill_is_a_crater_lit_from_the_other_side():
    ground = craters.ground(3, slope=0.3, seed=1)
    for azimuth in (0.0, 35.0, 250.0):
        relief = craters.shade(ground, sun_azimuth_deg=azimuth)
        inverted = craters.shade(-ground, sun_azimuth_deg=azimuth + 180)
        assert np.allclose(relief, inverted, atol=1e-5)
    assert np.abs(craters.shade(ground) - craters.shade(-ground)).max() > 0.1


def test_a_fresh_crater_has_the_published_proportions():
    distance = np.linspace(0, 40, 4001)
    height = craters.crater_height(distance, 10.0)
    # Pike (1977): a fifth as deep as wide, rim to floor; McGetchin et al. (1973): the rim falls with the third power.
    assert height.max() - height.min() == pytest.approx(20.0 / 5)
    assert distance[height.argmax()] == pytest.approx(10.0) and height[0] == height.min()
    assert np.abs(np.diff(height)).max() < 0.02  # no step
    outside = distance > 10
    slope = np.polyfit(np.log(distance[outside]), np.log(height[outside]), 1)[0]
    assert slope == pytest.approx(-3)


def test_erosion_is_diffusion():
    heights = craters.ground(4, slope=0.2, seed=2)
    blurs = np.array([1.0, 1.4, 1.8, 3.0])  # a sampled Gaussian is a poor filter below one pixel
    eroded = craters.erode(heights, blurs)
    for one, blur, after in zip(heights, blurs, eroded, strict=True):
        reference = gaussian_filter(one.astype(float), blur, mode="wrap", truncate=6)
        assert np.abs(after - reference).max() < 0.01 * one.std()
    assert np.allclose(eroded.sum((1, 2)), heights.sum((1, 2)), atol=1e-2)
    twice = craters.erode(craters.erode(heights, blurs), blurs)
    assert np.allclose(twice, craters.erode(heights, math.sqrt(2) * blurs), atol=1e-5)


def test_the_ground_is_fractal_and_as_steep_as_asked():
    number, size = 200, 64
    ground = craters.ground(number, size=size, slope=0.1, seed=3).astype(float)
    for axis in (1, 2):
        slope = ((np.roll(ground, -1, axis) - ground) ** 2).mean((1, 2))
        assert abs(slope.mean() - 0.01) < 5 * slope.std() / math.sqrt(number)
    power = (np.abs(np.fft.fft2(ground)) ** 2).mean(0)
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(size, 1 / size)] * 2))
    used = (frequency > 0) & (frequency < size / 2)
    exponent, error = (lambda fit: (fit.slope, fit.stderr))(
        stats.linregress(np.log(frequency[used]), np.log(power[used]))
    )
    assert abs(exponent + 2 * 0.8 + 2) < 5 * error


def test_craters_are_dark_towards_the_sun_and_hills_are_bright():
    images, labels, kinds = make_craters(2000, seed=4)
    assert labels.sum() == 820 and np.array_equal(labels, kinds == 0)
    assert np.bincount(kinds)[1:].tolist() == [295] * 4
    axis = np.arange(15) - 7
    towards_sun = -axis[:, None] - axis[None, :]  # from the upper left
    inner = np.hypot(axis[:, None], axis[None, :]) < 4
    picture = images[..., 0]
    contrast = picture[:, inner & (towards_sun > 0)].mean(1) - picture[:, inner & (towards_sun < 0)].mean(1)
    assert (contrast[kinds == 0] < 0).mean() > 0.95 and (contrast[kinds == 1] > 0).mean() > 0.95
    error = contrast[kinds == 4].std() / math.sqrt(295)
    assert abs(contrast[kinds == 4].mean()) < 5 * error


def test_the_mean_hill_is_the_mean_crater_under_the_opposite_sun():
    images, _, kinds = make_craters(1500, sun_azimuth_deg=20.0, seed=5)
    turned, _, turned_kinds = make_craters(1500, sun_azimuth_deg=200.0, seed=6)
    hills, bowls = images[kinds == 1], turned[turned_kinds == 0]
    error = np.sqrt(hills.var(0) / len(hills) + bowls.var(0) / len(bowls))
    pull = (hills.mean(0) - bowls.mean(0)) / error
    assert np.abs(pull).max() < 6
    assert (np.abs(hills.mean(0) - images[kinds == 0].mean(0)) / error).max() > 20


def test_sizes_in_a_tile_follow_the_power_law_and_numbers_the_poisson_law():
    number = 30
    _, annotations = make_crater_tiles(number, size=64, n_craters=40, radius_range_px=(2.0, 30.0), seed=7)
    radius = annotations[:, 3]
    share_larger = (radius**-2.0 - 30**-2.0) / (2**-2.0 - 30**-2.0)
    assert stats.kstest(share_larger, "uniform").pvalue > 1e-6
    assert abs(len(annotations) - 40 * number) < 5 * math.sqrt(40 * number)
    for column in (1, 2):
        assert stats.kstest((annotations[:, column] + 0.5) / 64, "uniform").pvalue > 1e-6


def test_annotations_lie_on_craters():
    images, annotations = make_crater_tiles(6, n_craters=8, radius_range_px=(6.0, 12.0), seed=8)
    row, column = np.indices(images.shape[1:3])
    right = 0
    for tile, y, x, radius in annotations:
        inside = np.hypot(row - y, column - x) < 0.8 * radius
        towards_sun = -(row - y) - (column - x)
        picture = images[int(tile), ..., 0]
        right += picture[inside & (towards_sun > 0)].mean() < picture[inside & (towards_sun < 0)].mean()
    assert right > 0.9 * len(annotations)
    assert images.min() >= 0 and images.max() <= 1


def test_bad_arguments_are_named():
    for argument, value in (
        ("crater_fraction", 1.5),
        ("radius_range_px", (0.0, 3.0)),
        ("blur_range_px", (-1.0, 3.0)),
        ("slope", -0.1),
        ("sun_elevation_deg", 0.0),
        ("sun_elevation_deg", 100.0),
        ("noise", -1.0),
    ):
        with pytest.raises(ValueError, match=f"{argument} must"):
            make_craters(3, **{argument: value})
    for argument, value in (("size", 33), ("size", 8), ("n_craters", -1.0), ("radius_range_px", (3.0, 2.0))):
        with pytest.raises(ValueError, match=f"{argument} must"):
            make_crater_tiles(1, **{argument: value})
    with pytest.raises(ValueError, match="heights must have"):
        craters.shade([1.0, 2.0])
