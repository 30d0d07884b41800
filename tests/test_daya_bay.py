"""The antineutrino detector against published reactor yields, the mean-chord theorem, geometry and Poisson's law."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from course_lib.data import make_daya_bay
from course_lib.simulators import daya_bay


@pytest.mark.parametrize(
    ("isotope", "published"), [("U235", 6.69e-43), ("U238", 10.10e-43), ("Pu239", 4.36e-43), ("Pu241", 6.05e-43)]
)
def test_yields_of_a_fission_are_the_published_ones(isotope, published):
    """cm^2 a fission, P. Huber (2011) and T. Mueller et al. (2011); without recoil some 2 % too many."""
    found = quad(
        lambda energy: float(daya_bay.fission_spectrum(energy, isotope) * daya_bay.cross_section_cm2(energy)), 1.805, 10
    )[0]
    assert 1.0 < found / published < 1.03


def test_prompt_energies_follow_the_product_of_spectrum_and_cross_section():
    energies = daya_bay.positron_energies(20_000, np.random.default_rng(1))
    assert energies.min() > 2 * 0.511 - 1e-3 and energies.max() < 8.1

    def density(neutrino):
        shares = zip(daya_bay.FISSION_FRACTIONS.values(), daya_bay.FISSION_SPECTRA, strict=True)
        flux = sum(share * daya_bay.fission_spectrum(neutrino, isotope) for share, isotope in shares)
        positron = neutrino - 1.2933
        return float(flux * positron * math.sqrt(max(positron**2 - 0.511**2, 0)))

    whole = quad(density, 1.8043, 8.8)[0]
    for visible in (2.0, 3.5, 5.0):
        expected = quad(density, 1.8043, visible + 1.2933 - 0.511)[0] / whole
        share = (energies < visible).mean()
        assert abs(share - expected) < 5 * math.sqrt(expected * (1 - expected) / len(energies)) + 1e-3


def test_the_mean_chord_of_isotropic_tracks_is_four_volumes_over_the_surface():
    """A. Cauchy (1850), for any convex body; a cylinder of radius R and height 2 R has 4 R / 3."""
    entries, exits = daya_bay.muon_tracks(20_000, np.random.default_rng(2), exponent=0.0)
    chords = np.linalg.norm(exits - entries, axis=1)
    assert abs(chords.mean() - 4 * 2.0 / 3) < 5 * chords.std() / math.sqrt(len(chords))
    for points in (entries, exits):
        on_mantle = np.abs(np.hypot(points[:, 0], points[:, 1]) - 2.0) < 1e-9
        on_lid = np.abs(np.abs(points[:, 2]) - 2.0) < 1e-9
        assert (on_mantle | on_lid).all() and np.abs(points).max() < 2 + 1e-9


def test_muons_come_from_above():
    entries, exits = daya_bay.muon_tracks(20_000, np.random.default_rng(3))
    cosine = (entries - exits)[:, 2] / np.linalg.norm(entries - exits, axis=1)
    # Seen from a small sphere the law is cos^2; a cylinder as high as wide shows at most 5 / 4 of that from aslant.
    assert abs(cosine.mean() - 0.75) < 0.03


def test_light_follows_the_geometry():
    tubes = daya_bay.tube_positions().reshape(-1, 3)
    place = np.array([0.7, -0.4, 1.1])
    charges = daya_bay.expected_charges(place, 3.0).ravel()
    centre = np.zeros(3)

    def reach(point, tube):
        ray = point - tube
        inward = -np.array([tube[0], tube[1], 0]) / 2.4
        distance = math.sqrt(ray @ ray)
        return (ray @ inward) / distance / (distance**2 + 0.1**2) * math.exp(-distance / 15)

    scale = 3.0 * 168 / sum(reach(centre, tube) for tube in tubes)
    assert np.allclose(charges, [scale * reach(place, tube) for tube in tubes], rtol=1e-9)


def test_turning_and_mirroring_the_vertex_moves_the_map():
    place = np.array([0.9, 0.2, 0.6])
    turn = 2 * math.pi / 24
    turned = [
        place[0] * math.cos(turn) - place[1] * math.sin(turn),
        place[0] * math.sin(turn) + place[1] * math.cos(turn),
        place[2],
    ]
    charges = daya_bay.expected_charges(place, 1.0)
    assert np.allclose(daya_bay.expected_charges(turned, 1.0), np.roll(charges, 1, axis=1))
    assert np.allclose(daya_bay.expected_charges(place * [1, 1, -1], 1.0), charges[::-1])


def test_charges_have_poissonian_spread_with_that_of_a_photoelectron(monkeypatch):
    """Variance of a sum of N smeared electrons with Poissonian N: mean times (1 + 0.35^2)."""
    monkeypatch.setattr(
        daya_bay, "_deposits", lambda label, n, rng: (np.zeros((n, 1, 3)), np.full((n, 1), 8.0), np.zeros((n, 3)))
    )
    charges = make_daya_bay(4000, classes=["prompt"], dark_photoelectrons=0.0, seed=4).charges.sum((1, 2)).astype(float)
    assert abs(charges.mean() / (8 * 168) - 1) < 0.01
    assert stats.chi2(3999).cdf(3999 * charges.var(ddof=1) / (8 * 168 * (1 + 0.35**2))) == pytest.approx(
        0.5, abs=0.4999
    )


def test_classes_are_what_they_say():
    charges, labels, energies, positions, names = make_daya_bay(2000, seed=5)
    assert names == ("prompt", "delayed", "muon", "flasher", "other")
    assert (np.bincount(labels) == 400).all()
    total = charges.sum((1, 2))
    of = {name: labels == number for number, name in enumerate(names)}
    # 87 % of neutrons on gadolinium.
    on_gadolinium = energies[of["delayed"]] > 5
    assert abs(on_gadolinium.mean() - 0.87) < 5 * math.sqrt(0.87 * 0.13 / 400)
    assert np.allclose(np.unique(energies[of["delayed"]].round(6)), [2.22, 8.05])
    assert np.median(total[of["muon"]]) > 20 * np.median(total[of["delayed"]])
    assert total[of["other"]].max() < 1000
    # The flashing tube holds a large share of the light, and is where the position says.
    share = (charges.max((1, 2)) / total)[of["flasher"]]
    assert share.min() > 0.2 and (charges.max((1, 2)) / total)[of["prompt"]].max() < 0.2
    hottest = daya_bay.tube_positions().reshape(-1, 3)[charges[of["flasher"]].reshape(400, -1).argmax(1)]
    assert np.allclose(hottest, positions[of["flasher"]])
    assert (np.hypot(positions[of["prompt"], 0], positions[of["prompt"], 1]) <= 1.55).all()


def test_bad_arguments_are_named():
    for argument, value in (("classes", ["photon"]), ("classes", "muon"), ("classes", ()), ("dark_photoelectrons", -1)):
        with pytest.raises(ValueError, match=f"{argument} must be"):
            make_daya_bay(3, **{argument: value})
    with pytest.raises(ValueError, match="isotope must be"):
        daya_bay.fission_spectrum(3.0, "Th232")
