"""Double beta decay against energy conservation, the range integral, exact scattering and the published decay laws."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from course_lib.data import make_double_beta
from course_lib.simulators import double_beta

MASS, RELEASED = 0.51099895, 2.4578


def beta(energy_mev):
    return math.sqrt(energy_mev * (energy_mev + 2 * MASS)) / (energy_mev + MASS)


def test_every_view_holds_the_energy_that_the_decay_set_free():
    for options in ({}, {"scattering": 2.0, "diffusion_cm": 1.0}):
        events = make_double_beta(300, seed=1, **options)
        seen = events.images.sum((1, 2))
        assert seen.max() < RELEASED + 1e-4 and np.median(seen) == pytest.approx(RELEASED, abs=1e-4)
        assert (seen > RELEASED - 1e-4).mean() > 0.99
        assert np.allclose(events.electron_energies_mev.sum(1), RELEASED)
        assert np.array_equal(events.electron_energies_mev[:, 1] == 0, events.labels == 0)


def test_the_three_views_show_one_track():
    images = make_double_beta(200, seed=2).images
    xy, xz, yz = np.moveaxis(images, 3, 0)
    assert np.allclose(xy.sum(2), xz.sum(2), atol=1e-5)  # along x
    assert np.allclose(xy.sum(1), yz.sum(2), atol=1e-5)  # along y
    assert np.allclose(xz.sum(1), yz.sum(1), atol=1e-5)  # along z


def test_straight_tracks_are_as_long_as_the_loss_allows():
    energies = np.array([0.3, 1.0, RELEASED])
    positions, deposits, ends = double_beta.tracks(energies, np.tile([0.0, 0.6, 0.8], (3, 1)), scattering=0)
    assert np.allclose(deposits.sum(1), energies)
    for energy, end, deposit, position in zip(energies, ends, deposits, positions, strict=True):
        # From rest, where a step stops short of the formula, to the energy.
        expected = quad(lambda kinetic: beta(kinetic) ** 2 / 0.105, 0, energy)[0]
        assert np.linalg.norm(end) == pytest.approx(expected, abs=0.25)
        moved = np.linalg.norm(position, axis=1)
        last = deposit[(moved > moved.max() - 2) & (deposit > 0)].sum()
        assert last > 0.105 * 2  # more than a fast electron leaves there: the blob


def test_the_thin_layer_scatters_as_highland_says():
    # By hand for 2 MeV in 2 mm of 97 cm: beta 0.97907, momentum 2.45844 MeV.
    thickness = 0.2 / 97
    by_hand = 13.6 / (0.97907 * 2.45844) * math.sqrt(thickness) * (1 + 0.038 * math.log(thickness))
    assert double_beta.scattering_angle(2.0) == pytest.approx(by_hand, rel=1e-4)


def test_tracks_lose_their_direction_at_the_exact_rate():
    """The mean cosine of independent turns is the product of their mean cosines."""
    number, n_steps = 6_000, 10
    rng = np.random.default_rng(3)
    direction = rng.standard_normal(3)
    direction /= np.linalg.norm(direction)
    positions, _, _ = double_beta.tracks(np.full(number, 1.5), np.tile(direction, (number, 1)), seed=4)
    energy, cosine, advance = 1.5, 1.0, 0.0
    for step in range(n_steps):
        expected = advance + 0.1 * cosine
        found = positions[:, step] @ direction
        assert abs(found.mean() - expected) < 5 * found.std() / math.sqrt(number) + 1e-9
        sideways = positions[:, step] - np.outer(found, direction)
        assert np.linalg.norm(sideways.mean(0)) < 5 * sideways.std() * math.sqrt(3 / number) + 1e-12
        advance += 0.2 * cosine
        energy -= 0.105 / beta(energy) ** 2 * 0.2
        spread = float(double_beta.scattering_angle(energy))
        cosine *= quad(lambda t, s=spread: math.cos(t) * t / s**2 * math.exp(-(t**2) / (2 * s**2)), 0, 12 * spread)[0]


def test_energies_follow_primakoff_and_rosen():
    energies = double_beta.electron_energies(20_000, seed=5)
    assert np.allclose(energies.sum(1), RELEASED) and energies.min() >= 0
    released = RELEASED / MASS

    def law(kinetic):
        return (kinetic + 1) ** 2 * (released - kinetic + 1) ** 2

    antiderivative = np.polyint(np.polymul(np.poly1d([1, 1]) ** 2, np.poly1d([-1, released + 1]) ** 2))
    total = quad(law, 0, released)[0]
    assert np.polyval(antiderivative, released) == pytest.approx(total)
    assert stats.kstest(np.polyval(antiderivative, energies[:, 0] / MASS) / total, "uniform").pvalue > 1e-6


def test_electrons_prefer_to_fly_apart():
    energies = np.tile([0.4, RELEASED - 0.4], (20_000, 1))
    cosine = double_beta.opening_cosines(energies, seed=6)
    slope = -beta(0.4) * beta(RELEASED - 0.4)
    assert stats.kstest((cosine + 1) / 2 + slope * (cosine**2 - 1) / 4, "uniform").pvalue > 1e-6
    assert abs(cosine.mean() - slope / 3) < 5 * cosine.std() / math.sqrt(20_000)


def test_single_electrons_leave_no_blob_where_they_start():
    """With equal sharing the weaker end blob tells nearly all events apart; each complication costs something."""
    right = []
    for options in ({"sharing": "equal"}, {}, {"scattering": 2.0}):
        events = make_double_beta(800, seed=7, **options)
        weaker = events.blob_energies_mev[:, 1]
        assert (events.blob_energies_mev[:, 0] >= weaker).all() and weaker.min() > 0
        right.append(
            max(((weaker > cut) == events.labels).mean() for cut in np.quantile(weaker, np.linspace(0, 1, 99)))
        )
    assert right[0] > 0.98 and right[0] > right[1] > right[2] > 0.7
    start = make_double_beta(400, signal_fraction=0.0, seed=8).blob_energies_mev
    # The first 2 cm of 0.105 MeV/cm, or a little more where the track curls back.
    assert np.median(start[:, 1]) == pytest.approx(0.21, abs=0.03) and np.median(start[:, 0]) > 0.6


def test_tracks_have_no_preferred_direction():
    images = make_double_beta(1000, seed=9).images.astype(float)
    axis = np.arange(24) + 0.5
    xy, xz = images[..., 0], images[..., 1]
    widths = []
    for profile in (xy.sum(2), xy.sum(1), xz.sum(1)):
        mean = (profile @ axis) / RELEASED
        widths.append((profile @ axis**2) / RELEASED - mean**2)
    error = np.std(widths, axis=1).max() * math.sqrt(2 / 1000)
    assert np.ptp(np.mean(widths, axis=1)) < 5 * error


def test_bad_arguments_are_named():
    for argument, value in (
        ("signal_fraction", 1.1),
        ("sharing", "fair"),
        ("scattering", -1.0),
        ("diffusion_cm", math.nan),
    ):
        with pytest.raises(ValueError, match=f"{argument} must be"):
            make_double_beta(3, **{argument: value})
    with pytest.raises(ValueError, match="must have the shapes"):
        double_beta.tracks([1.0], [1.0, 0.0, 0.0])
    with pytest.raises(ValueError, match="at least one positive"):
        double_beta.tracks([0.0], [[1.0, 0.0, 0.0]])
