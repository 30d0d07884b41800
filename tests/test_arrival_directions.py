"""Skies of cosmic rays against exact laws of isotropy, the geometry of streets and counted neighbours."""

import math

import numpy as np
import pytest
from scipy import constants, stats

from course_lib.data import make_arrival_directions
from course_lib.simulators import arrival_directions


def angles_deg(first, second):
    """Angle between unit vectors, exact also for small angles."""
    first, second = np.asarray(first, float), np.asarray(second, float)
    return np.degrees(2 * np.arcsin(np.clip(np.linalg.norm(first - second, axis=-1) / 2, 0, 1)))


def test_isotropic_skies_have_no_dipole_and_the_exact_number_of_pairs():
    skies = make_arrival_directions(60, n_particles=300, signal_fraction=0.0, seed=1)
    assert not skies.labels.any() and (skies.origins == -1).all()
    vectors = skies.directions.astype(float)
    assert np.abs(np.linalg.norm(vectors, axis=2) - 1).max() < 1e-6
    # Each component of a unit vector is uniform (Archimedes), so three Kolmogorov-Smirnov tests.
    for component in range(3):
        assert stats.kstest(vectors[..., component].ravel(), "uniform", args=(-1, 2)).pvalue > 1e-6
    # Pairs on a sphere are pairwise independent, so the count has mean and variance of a binomial law.
    n_pairs = 300 * 299 // 2
    upper = np.triu_indices(300, 1)
    cosines = np.einsum("sia,sja->sij", vectors, vectors)[:, upper[0], upper[1]]
    for angle in (5, 12, 90):
        expected = (1 - math.cos(math.radians(angle))) / 2
        counted = (cosines > math.cos(math.radians(angle))).sum()
        error = math.sqrt(60 * n_pairs * expected * (1 - expected))
        assert abs(counted - 60 * n_pairs * expected) < 5 * error


def test_energies_follow_the_power_law_in_both_classes():
    skies = make_arrival_directions(40, seed=2)
    for label in (0, 1):
        energy = skies.energies_eev[skies.labels == label].ravel().astype(float)
        quantile = (40.0**-2 - energy**-2) / (40.0**-2 - 200.0**-2)
        assert stats.kstest(quantile, "uniform").pvalue > 1e-6


def test_without_scatter_a_source_draws_a_great_circle_sorted_by_rigidity():
    skies = make_arrival_directions(
        6, n_sources=3, events_per_source=9, scatter_at_10_ev_deg=0.0, deflection_at_10_ev_deg=12.0, charge=4, seed=3
    )
    checked = 0
    for sky in np.flatnonzero(skies.labels):
        for source in range(3):
            members = skies.origins[sky] == source
            assert members.sum() == 9
            points = skies.directions[sky, members].astype(float)
            shift = 12.0 * 10.0 / (skies.energies_eev[sky, members].astype(float) / 4)
            # In one plane through the centre: the smallest singular value vanishes.
            assert np.linalg.svd(points, compute_uv=False)[-1] < 1e-6
            # Angle between any two events = difference of their deflections.
            gaps = angles_deg(points[:, None], points[None])
            assert np.abs(gaps - np.abs(shift[:, None] - shift[None])).max() < 1e-3
            checked += 1
    assert checked == 9


def test_scatter_has_the_asked_size():
    """Without a shift and at one energy, the angle to the source follows a Rayleigh law."""
    skies = make_arrival_directions(
        20,
        n_sources=1,
        events_per_source=200,
        deflection_at_10_ev_deg=0.0,
        scatter_at_10_ev_deg=2.0,
        charge=5,
        energy_range_eev=(100.0, 100.001),
        signal_fraction=1.0,
        seed=4,
    )
    squares, n_used = 0.0, 0
    for sky in range(20):
        points = skies.directions[sky, skies.origins[sky] == 0].astype(float)
        middle = points.mean(0) / np.linalg.norm(points.mean(0))
        squares += (angles_deg(points, middle) ** 2).sum()
        n_used += 2 * (len(points) - 1)  # two freedoms an event, less the fitted middle
    # 100 EeV over charge 5 is 20 EV: half of the scatter at 10 EV.
    assert abs(squares / n_used - 1.0) < 5 * math.sqrt(2 / n_used) + 0.001


def test_deflection_agrees_with_the_gyroradius():
    rigidity_v, field_t, path_m = 7e18, 2e-10, 3 * constants.parsec * 1e3
    gyroradius_m = rigidity_v / (constants.speed_of_light * field_t)  # p / (q B) with p c = E
    expected = math.degrees(path_m / gyroradius_m)
    assert arrival_directions.deflection_deg(7.0, 2.0, 3.0) == pytest.approx(expected, rel=1e-9)


def test_the_order_of_particles_tells_nothing():
    skies = make_arrival_directions(200, n_particles=100, signal_fraction=1.0, seed=5)
    place = np.nonzero(skies.origins >= 0)[1]
    assert len(place) == 200 * 32
    # Mean place of a random choice without replacement.
    error = math.sqrt((100**2 - 1) / 12 / len(place))
    assert abs(place.mean() - 49.5) < 5 * error


def test_counting_neighbours_separates_the_classes_as_the_course_says():
    """Best cut on the number of close pairs or on the largest number of neighbours: 0.91 in the standard setting."""
    skies = make_arrival_directions(160, seed=6)
    vectors = skies.directions.astype(np.float32)
    best = 0.0
    counts = {angle: [] for angle in (2, 3, 5, 8, 12)}
    for sky in vectors:
        cosines = sky @ sky.T
        for angle, found in counts.items():
            neighbours = (cosines > math.cos(math.radians(angle))).sum(1)
            found.append((neighbours.sum(), neighbours.max()))
    for found in counts.values():
        for feature in np.transpose(found):
            for cut in np.unique(feature):
                best = max(best, np.mean((feature > cut) == skies.labels))
    # Binomial error, and the best of many cuts on the same skies is a little optimistic.
    assert abs(best - 0.91) < 5 * math.sqrt(0.91 * 0.09 / 160) + 0.01


def test_bad_arguments_are_named():
    for argument, value in (
        ("n_particles", 31),
        ("spectral_index", 1.0),
        ("signal_fraction", 1.5),
        ("energy_range_eev", (0.0, 5.0)),
        ("charge", 0),
    ):
        with pytest.raises(ValueError, match=f"{argument} must be"):
            make_arrival_directions(3, **{argument: value})
