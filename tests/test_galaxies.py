"""Galaxies against the integrals of their profiles, Poisson statistics and a Fourier analysis of the arms."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import dblquad, quad
from scipy.ndimage import gaussian_filter

from course_lib.data import make_galaxies
from course_lib.simulators import galaxies


def photons_of(images):
    """Inverse of the published scale, written out once more."""
    return 40 * np.sinh(images[..., 0].astype(float) * math.asinh(4000 / 40))


@pytest.mark.parametrize("index", [1, 2, 3.5, 4, 5])
def test_half_of_the_light_lies_within_the_half_light_radius(index):
    def light(logarithm):
        radius = math.exp(logarithm)
        return 2 * math.pi * radius**2 * float(galaxies.sersic_profile(radius, 3.0, index))

    inside = quad(light, -30, math.log(3.0), limit=200)[0]
    outside = quad(light, math.log(3.0), 12, limit=200)[0]
    assert inside == pytest.approx(0.5, abs=1e-4) and outside == pytest.approx(0.5, abs=1e-3)
    # Ciotti & Bertin (1999): expansion of the steepness in 1/n; it sets the ratio of two brightnesses.
    steepness = 2 * index - 1 / 3 + 4 / (405 * index) + 46 / (25515 * index**2)
    ratio = float(galaxies.sersic_profile(3.0, 3.0, index) / galaxies.sersic_profile(12.0, 3.0, index))
    assert math.log(ratio) == pytest.approx(steepness * (4 ** (1 / index) - 1), rel=1e-3)


def test_the_edge_on_disc_is_the_line_of_sight_integral_of_an_exponential_disc():
    length, height = 3.0, 0.5

    def density(x, y, z):
        return (
            math.exp(-math.hypot(x, y) / length) / math.cosh(z / height) ** 2 / (8 * math.pi * length**2 * height / 2)
        )

    for along, above in ((0.5, 0.0), (3.0, 0.2), (7.0, -0.8)):
        integral = 2 * quad(lambda y, x=along, z=above: density(x, y, z), 0, 120, limit=200)[0]
        assert float(galaxies.edge_on_profile(along, above, length, height)) == pytest.approx(integral, rel=2e-3)
    total = 4 * dblquad(lambda z, x: float(galaxies.edge_on_profile(x, z, length, height)), 0, 45, 0, 6, epsabs=1e-4)[0]
    assert total == pytest.approx(1.0, abs=2e-3)


def test_seeing_is_a_gaussian_of_the_asked_width():
    size, seeing_px = 32, 2.5
    weights = galaxies.point_spread(size, seeing_px, 400)
    # A fine grid of 10 points a pixel, blurred by a library, and summed over pixels.
    rng = np.random.default_rng(1)
    scene = rng.uniform(size=(400, 400)) * (rng.uniform(size=(400, 400)) < 0.01)
    blurred = gaussian_filter(scene, 10 * seeing_px / math.sqrt(8 * math.log(2)), truncate=8, mode="constant")
    pixels = blurred[40:360, 40:360].reshape(32, 10, 32, 10).sum((1, 3))
    assert np.allclose(weights @ scene @ weights.T, pixels, atol=2e-3 * pixels.max())
    sharp = galaxies.point_spread(size, 0.0, 400)
    assert np.allclose(sharp @ scene @ sharp.T, scene[40:360, 40:360].reshape(32, 10, 32, 10).sum((1, 3)))


@pytest.mark.parametrize(("kind", "slack"), [("spiral", 0.04), ("elliptical", 0.06), ("edge_on", 0.4)])
def test_all_light_is_there(kind, slack):
    """Arms change nothing in the sum; dust takes some; a far part of an elliptical lies outside."""
    axis = (np.arange(600) + 0.5) / 2 - 150
    for seed in range(4):
        light = galaxies._light(kind, np.random.default_rng(seed), axis[None, :], -axis[:, None], 1.0)[0]
        assert 1 - slack < light.sum() / 4 < 1.02


def test_arms_wind_as_the_label_says():
    """Fourier analysis of logarithmic arms (Considere & Athanassoula 1982): the sign of the pitch."""
    number = 60
    images, _, winding, radii, ratios, angles = make_galaxies(number, kinds=["spiral"], noise=False, size=64, seed=2)
    axis = np.arange(64) - 31.5
    right, up = axis[None, :], -axis[:, None]
    pitches = np.linspace(-8, 8, 65)
    agree = 0
    for image, turn, radius, ratio, angle in zip(photons_of(images), winding, radii, ratios, angles, strict=True):
        along = math.cos(angle) * right + math.sin(angle) * up
        across = (math.cos(angle) * up - math.sin(angle) * right) / ratio
        distance, azimuth = np.hypot(along, across), np.arctan2(across, along)
        ring = (distance > 0.6 * radius) & (distance < 2.2 * radius)
        light = image[ring] * np.exp(distance[ring] / (radius / 1.678))  # the disc flattened out
        phase = [[arms * azimuth[ring] + pitch * np.log(distance[ring]) for pitch in pitches] for arms in (2, 3)]
        strength = np.abs((light * np.exp(-1j * np.array(phase))).sum(2)).max(0)
        # Arms at azimuth = winding * log(r) / tan(pitch) + constant: the coefficient of log(r) has the opposite sign.
        agree += (strength[pitches < 0].max() > strength[pitches > 0].max()) == (turn > 0)
    assert agree >= number - 2
    assert 15 < (winding > 0).sum() < 45


def test_position_angle_and_axis_ratio_are_those_of_the_light():
    images, _, _, _, ratios, angles = make_galaxies(80, kinds=["elliptical"], noise=False, seed=3)
    axis = np.arange(32) - 15.5
    right, up = np.meshgrid(axis, -axis)
    window = np.exp(-(right**2 + up**2) / 72)  # round: it turns no axis
    weight = photons_of(images) * window
    xx, yy, xy = ((weight * product).sum((1, 2)) for product in (right**2, up**2, right * up))
    found = 0.5 * np.arctan2(2 * xy, xx - yy) % np.pi
    flat = ratios < 0.85
    error = (found - angles + np.pi / 2) % np.pi - np.pi / 2
    assert np.abs(error[flat]).max() < math.radians(3)
    roundness = 1 - np.hypot(xx - yy, 2 * xy) / (xx + yy)
    assert stats.spearmanr(roundness, ratios).statistic > 0.95


def test_photons_are_poisson_numbers():
    mean, noisy = (photons_of(make_galaxies(60, noise=noise, seed=4).images) for noise in (False, True))
    used = (mean > 80) & (mean < 3500)  # nothing is clipped there
    squared_pull = (noisy - mean)[used] ** 2 / (mean[used] + galaxies.SKY_PHOTONS)
    assert abs(squared_pull.mean() - 1) < 5 * math.sqrt(2 / used.sum())


def test_edge_on_discs_are_thin_and_without_arms():
    galaxy = make_galaxies(90, seed=5)
    assert np.bincount(galaxy.labels).tolist() == [30, 30, 30]
    assert (np.abs(galaxy.winding) == (galaxy.labels == 1)).all()
    ratio = [galaxy.axis_ratios[galaxy.labels == label].mean() for label in range(3)]
    assert ratio[2] < 0.3 < min(ratio[:2])
    assert galaxy.images.min() >= 0 and galaxy.images.max() <= 1


def test_galaxies_grow_with_the_frame():
    small, large = (make_galaxies(30, size=size, noise=False, seed=6) for size in (32, 64))
    assert np.allclose(2 * small.radii_px, large.radii_px)
    binned = photons_of(large.images).reshape(30, 32, 2, 32, 2).mean((2, 4))
    middle = np.s_[:, 4:-4, 4:-4]
    # The seeing stays the same in pixels, so that the large frame is the sharper one; clipped pixels tell nothing.
    total = [values[middle].sum((1, 2)) for values in (photons_of(small.images), binned)]
    whole = np.maximum(small.images.max((1, 2, 3)), large.images.max((1, 2, 3))) < 1
    assert whole.sum() > 10 and np.abs(np.log(total[0] / total[1]))[whole].max() < 0.08


def test_bad_arguments_are_named():
    for argument, value in (
        ("size", 4),
        ("seeing_px", -1.0),
        ("kinds", ["irregular"]),
        ("kinds", "spiral"),
        ("kinds", []),
    ):
        with pytest.raises(ValueError, match=f"{argument} must be"):
            make_galaxies(3, **{argument: value})
    with pytest.raises(ValueError, match="index must be"):
        galaxies.sersic_profile(1.0, 1.0, 0.0)
