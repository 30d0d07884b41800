"""Points in the plane against closed formulas, scikit-learn's geometry and symmetry."""

import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors

from course_lib.data import make_checkerboard, make_circles, make_spirals, make_two_moons

N = 200_000


def five_errors(fraction, n):
    return 5 * np.sqrt(fraction * (1 - fraction) / n)


@pytest.mark.parametrize("noise", [0.2, 0.5, 1.0])
def test_checkerboard_noise_flips_the_computed_fraction(noise):
    points, labels = make_checkerboard(N, noise=noise, seed=1)
    reach = 5 * noise
    one_axis = (reach - 0.3) ** 2 / (2 * reach * 2 * 5)
    expected = 2 * one_axis * (1 - one_axis)
    flipped = np.mean(labels != (points.prod(1) > 0))
    assert abs(flipped - expected) < five_errors(expected, N)


def test_checkerboard_without_noise_is_the_sign_of_the_product_and_beats_every_line():
    points, labels = make_checkerboard(20_000, seed=2)
    assert np.array_equal(labels == 1, points.prod(1) > 0)
    assert np.abs(points).min() > 0.3 and np.abs(points).max() < 5.3
    assert abs(labels.mean() - 0.5) < five_errors(0.5, 20_000)
    best = max(
        np.mean((points @ [np.cos(a), np.sin(a)] > b) == labels)
        for a in np.linspace(0, 2 * np.pi, 33)
        for b in np.linspace(-7, 7, 57)
    )
    assert 0.62 < best < 0.72
    # |x1 + x2| - |x1 - x2| is four ReLU nodes and has the sign of the product.
    relu = sum(
        sign * np.maximum(0, part * (points[:, 0] + inner * points[:, 1]))
        for sign, inner in ((1, 1), (-1, -1))
        for part in (1, -1)
    )
    assert np.array_equal(relu > 0, labels == 1)


def test_two_moons_have_the_geometry_of_scikit_learn():
    points, labels = make_two_moons(4000, noise=0.0, seed=3)
    reference, reference_labels = make_moons(20_001, noise=0.0)
    for moon in (0, 1):
        neighbours = NearestNeighbors(n_neighbors=1).fit(reference[reference_labels == moon])
        assert neighbours.kneighbors(points[labels == moon])[0].max() < 1e-3
    assert labels.sum() == 2000
    line = LogisticRegression().fit(points, labels).score(points, labels)
    assert 0.84 < line < 0.91


def test_two_moons_turn_and_blur_as_asked():
    straight, labels = make_two_moons(50_000, noise=0.0, seed=4)
    turned, turned_labels = make_two_moons(50_000, noise=0.0, rotation_deg=90, seed=4)
    assert np.array_equal(labels, turned_labels)
    assert np.allclose(turned, np.column_stack([-straight[:, 1], straight[:, 0]]))
    blurred, _ = make_two_moons(50_000, noise=0.2, seed=4)
    assert abs((blurred - straight).std() - 0.2) < 5 * 0.2 / np.sqrt(2 * 100_000)


def test_circles_have_rice_distributed_radii():
    points, labels = make_circles(N, noise=0.2, inner_radius=0.4, seed=5)
    radii = np.hypot(*points.T)
    for label, radius in ((0, 1.0), (1, 0.4)):
        squares = radii[labels == label] ** 2  # mean R^2 + 2 s^2, variance 4 R^2 s^2 + 4 s^4
        spread = np.sqrt(4 * radius**2 * 0.04 + 4 * 0.2**4)
        assert abs(squares.mean() - (radius**2 + 0.08)) < 5 * spread / np.sqrt(len(squares))
    angles = np.arctan2(points[:, 1], points[:, 0])
    assert abs(np.exp(1j * angles).mean()) < 5 / np.sqrt(N)


def test_spirals_are_archimedean_and_each_others_half_turn():
    points, labels = make_spirals(5000, noise=0.0, turns=2.0, seed=6)
    radius, angle = np.hypot(*points.T), np.arctan2(points[:, 1], points[:, 0])
    phase = np.angle(np.exp(1j * (angle - 4 * np.pi * radius - np.pi * labels)))
    assert np.abs(phase[radius > 1e-6]).max() < 1e-6
    # Evenly spread along an arm at large radius: half of the points lie within radius sqrt(1/2).
    assert abs(np.mean(radius < np.sqrt(0.5)) - 0.5) < five_errors(0.5, 5000)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make_checkerboard(10, noise=1.5), "between 0 and 1"),
        (lambda: make_two_moons(10, noise=-1), "noise must be zero or a positive number"),
        (lambda: make_circles(10, inner_radius=1.0), "inner_radius must be less than 1"),
        (lambda: make_spirals(10, turns=0), "turns must be a positive number"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
