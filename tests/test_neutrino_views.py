"""Neutrino interactions against published ranges, kinematics of decays, containment of showers, geometry of wires."""

import math

import numpy as np
import pytest
from scipy import stats

from course_lib.data import make_neutrino_views
from course_lib.simulators import neutrino_views

RADIATION_LENGTH, MOLIERE_RADIUS, DENSITY = 14.0, 9.04, 1.396


def test_muons_range_as_published():
    """Groom, Mokhov, Striganov, At. Data Nucl. Data Tables 78 (2001) 183: liquid argon."""
    energies_mev = [40, 100, 200, 400, 1000, 2000, 4000]
    ranges_g_per_cm2 = [10.58, 42.50, 106.3, 238.5, 616.3, 1202.0, 2297.0]
    assert np.allclose(neutrino_views.track_range("muon", energies_mev) * DENSITY, ranges_g_per_cm2, rtol=0.01)
    losses = neutrino_views.mean_loss("muon", np.linspace(200, 400, 2001))
    # Minimum of 1.508 MeV cm^2/g at 266 MeV.
    assert losses.min() / DENSITY == pytest.approx(1.508, rel=0.003)
    assert 200 + 0.1 * losses.argmin() == pytest.approx(266, abs=15)


def test_protons_range_as_published():
    """National Institute of Standards and Technology, table PSTAR for argon."""
    ranges_g_per_cm2 = [2.159, 7.375, 10.92, 22.15]
    assert np.allclose(neutrino_views.track_range("proton", [40, 80, 100, 150]) * DENSITY, ranges_g_per_cm2, rtol=0.03)


def test_ranges_scale_with_the_mass():
    """At one velocity the loss is the same for all: the range is proportional to the mass, nearly."""
    for speed in (0.3, 0.8, 2.0):
        scaled = [
            float(neutrino_views.track_range(name, mass * speed)) / mass
            for name, mass in neutrino_views.MASSES_MEV.items()
        ]
        assert max(scaled) / min(scaled) < 1.02


def test_neutral_pions_decay_with_exact_kinematics():
    number = 5000
    rng = np.random.default_rng(1)
    energies = rng.uniform(140, 2000, number)
    directions = rng.standard_normal((number, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    photons, headings = neutrino_views.decay_neutral_pions(energies, directions, seed=2)
    assert np.allclose(np.linalg.norm(headings, axis=2), 1) and np.allclose(photons.sum(1), energies)
    momentum = np.sqrt(energies**2 - 134.977**2)
    assert np.allclose((photons[..., None] * headings).sum(1), momentum[:, None] * directions, atol=1e-6)
    cosine = (headings[:, 0] * headings[:, 1]).sum(1)
    assert np.allclose(2 * photons.prod(1) * (1 - cosine), 134.977**2)
    # Isotropic in the rest frame: the energy of a photon is uniform between its limits.
    low, high = (energies - momentum) / 2, (energies + momentum) / 2
    assert stats.kstest((photons[:, 0] - low) / (high - low), "uniform").pvalue > 1e-6


@pytest.mark.parametrize("photon", [False, True])
def test_showers_keep_their_energy_and_nine_tenths_within_the_moliere_radius(photon):
    number, energy_mev = 200, 1000.0
    events = np.arange(number)
    directions = np.tile([0.0, 0.6, 0.8], (number, 1))
    rng = np.random.default_rng(3)
    owner, place, energy = neutrino_views._shower_points(
        rng, events, np.full(number, energy_mev), directions, photon=photon
    )
    assert np.allclose(np.bincount(owner, energy), energy_mev)
    along = place @ directions[0]
    across = np.linalg.norm(place - np.outer(along, directions[0]), axis=1)
    assert energy[across < MOLIERE_RADIUS].sum() / energy.sum() == pytest.approx(0.9, abs=0.03)
    start = np.full(number, np.inf)
    np.minimum.at(start, owner, along)
    if photon:
        # The gap, of many small showers: 9/7 of a radiation length on average (pair production at high energy).
        owner_of_gap, place_of_gap, _ = neutrino_views._shower_points(
            rng, np.arange(5000), np.full(5000, 20.0), np.tile(directions[0], (5000, 1)), photon=True
        )
        gap = np.full(5000, np.inf)
        np.minimum.at(gap, owner_of_gap, place_of_gap @ directions[0])
        mean = 9 / 7 * RADIATION_LENGTH
        assert abs(gap.mean() - 7.0 / 14 / 2 - mean) < 5 * mean / math.sqrt(5000)
        assert stats.kstest(gap - 7.0 / 14 / 2, stats.expon(scale=mean).cdf).pvalue > 1e-6
        first = energy[along < start[owner] + 6.9].sum()
    else:
        assert start.max() < 0.5
        # Rossi's gamma law: mean depth of the cascade is the depth of the maximum plus 1/b.
        cascade = across > 0
        depth = np.average(along[cascade], weights=energy[cascade]) / RADIATION_LENGTH
        assert depth == pytest.approx(math.log(energy_mev / 32.84) - 0.5 + 1 / 0.5, abs=0.1)
        first = energy[along < 6.9].sum()
    # One minimum ionising particle loses 2.1 MeV/cm in the beginning, two lose twice as much.
    assert (1.8 if photon else 0.9) * 2.1 * 7 < first / number < (3.5 if photon else 2.6) * 2.1 * 7


def test_stopping_tracks_leave_their_energy_and_end_in_a_bragg_peak():
    number = 400
    directions = np.tile([0.0, 0.0, 1.0], (number, 1))
    rng = np.random.default_rng(4)
    owner, place, energy = neutrino_views._track_points(
        rng, "proton", np.arange(number), np.full(number, 200.0), directions, length_cm=500
    )
    left = np.bincount(owner, energy)
    assert abs(left.mean() - 200) < 5 * left.std() / math.sqrt(number)
    travelled = np.linalg.norm(place, axis=1)
    assert energy[travelled > travelled.max() - 3].sum() > 2 * energy[travelled < 3].sum()
    # A pion of the same speed may hit a nucleus before: it never leaves more.
    owner, _, energy = neutrino_views._track_points(
        rng, "pion", np.arange(number), np.full(number, 200.0), directions, length_cm=500
    )
    assert np.bincount(owner, energy).mean() < 190


def test_muons_scatter_as_highland_says():
    number, length = 2000, 100.0
    directions = np.tile([0.0, 0.0, 1.0], (number, 1))
    rng = np.random.default_rng(5)
    owner, place, _ = neutrino_views._track_points(
        rng, "muon", np.arange(number), np.full(number, 3000.0), directions, length_cm=length
    )
    last = np.flatnonzero(np.diff(owner, append=-1))
    # Particle Data Group: 13.6 MeV / (beta p c) sqrt(x / X0) (1 + 0.038 ln(x / X0)), good to 11 %; the displacement is
    # length times angle over root 3. The energy falls by 7 % on the way.
    kinetic = 3000 - 2.4 * length / 2
    beta_momentum = kinetic * (kinetic + 2 * 105.66) / (kinetic + 105.66)
    thickness = length / RADIATION_LENGTH
    angle = 13.6 / beta_momentum * math.sqrt(thickness) * (1 + 0.038 * math.log(thickness))
    for axis in (0, 1):
        assert place[last, axis].std() == pytest.approx(length * angle / math.sqrt(3), rel=0.15)


def test_all_planes_see_the_same_charge_at_the_same_drift_coordinate():
    rng = np.random.default_rng(6)
    number = 300
    places = np.column_stack([rng.uniform(-40, 40, number), rng.uniform(-20, 20, number), rng.uniform(80, 120, number)])
    energies, events = rng.uniform(1, 5, number), rng.integers(0, 3, number)
    options = {"n_events": 3, "shape": (50, 80), "pixel_cm": 2.0}
    for views in ("two_planes", "three_planes"):
        seen = neutrino_views.project(events, places, energies, views=views, **options)
        for view in range(seen.shape[3]):
            assert np.allclose(seen[..., view].sum(2), seen[..., 0].sum(2), atol=1e-4)
            assert np.allclose(seen[..., view].sum((1, 2)), np.bincount(events, energies), rtol=1e-5)
    # Wires at 0 and 60 degrees: w(60) + w(-60) = w(0).
    centre = (seen.sum(1) * (2.0 * np.arange(80) + 1)[None, :, None]).sum(1) / seen.sum((1, 2))
    assert np.allclose(centre[:, 1] + centre[:, 2], centre[:, 0], atol=0.6)
    # Crossed strips share the coordinate along the beam instead.
    crossed = neutrino_views.project(events, places, energies, views="crossed", **options)
    assert np.allclose(crossed[..., 0].sum(1), crossed[..., 1].sum(1), atol=1e-4)
    assert np.abs(crossed[..., 0].sum(2) - crossed[..., 1].sum(2)).max() > 1


def test_events_leave_no_more_than_the_neutrino_brought():
    events = make_neutrino_views(90, shape=(200, 300), noise_mev=0.0, seed=7)
    seen_gev = events.images[..., 0].sum((1, 2)) / 1000
    assert (seen_gev < 1.05 * events.energies_gev).all()
    muon, electron, neutral = (events.labels == label for label in range(3))
    assert (events.lepton_energies_gev[neutral] == 0).all() and (events.lepton_energies_gev[~neutral] >= 0.2).all()
    # A shower of 12 m x 8 m stays inside; a muon of more than 3 GeV would need 13 m.
    assert (seen_gev[electron] > 0.9 * events.lepton_energies_gev[electron]).mean() > 0.95
    assert (seen_gev[muon] > 0.85 * events.lepton_energies_gev[muon]).mean() > 0.8


def test_pixels_are_classified_by_what_deposited_most():
    events = make_neutrino_views(300, noise_mev=0.0, seed=8)
    assert np.array_equal(events.pixel_classes == 0, events.images < 1.0)
    tracks, showers = ((events.pixel_classes == number).sum((1, 2, 3)) for number in (1, 2))
    assert np.median(showers[events.labels == 1]) > 3 * np.median(tracks[events.labels == 1])
    assert np.median(showers[events.labels == 0]) == 0 < np.median(tracks[events.labels == 0])
    noisy = make_neutrino_views(300, noise_mev=2.0, seed=8)
    assert np.array_equal(noisy.pixel_classes, events.pixel_classes)
    difference = (noisy.images - events.images).astype(float)
    assert abs(difference.std() - 2) < 0.05 and abs(difference.mean()) < 0.05


def test_electrons_differ_from_neutral_currents_by_more_than_energy():
    events = make_neutrino_views(1500, views="crossed", seed=9)
    assert events.images.shape == (1500, 24, 40, 2) and np.bincount(events.labels).tolist() == [500] * 3
    energy = np.clip(events.images[..., 0], 2, None).sum((1, 2)) - 2 * 24 * 40
    ranks = stats.mannwhitneyu(energy[events.labels == 1], energy[events.labels == 2])
    area = ranks.statistic / 500**2
    # Energy helps, and leaves something to do for a network.
    assert 0.7 < area < 0.97


def test_bad_arguments_are_named():
    for argument, value in (
        ("views", 2),
        ("views", "four_planes"),
        ("shape", 24),
        ("shape", (24, 0)),
        ("pixel_cm", 0.0),
        ("energy_range_gev", (0.1, 3.0)),
        ("noise_mev", -1.0),
    ):
        with pytest.raises(ValueError, match=f"{argument} must"):
            make_neutrino_views(3, **{argument: value})
    with pytest.raises(ValueError, match="energies_mev must be"):
        neutrino_views.decay_neutral_pions([100.0], [[0.0, 0.0, 1.0]])
