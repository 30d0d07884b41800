"""Calorimeter showers against the gamma law, Poisson statistics, symmetries and published observables."""

import math

import numpy as np
import pytest
from scipy import stats

from course_lib.data import make_calorimeter
from course_lib.simulators import calorimeter


def gamma_law(energy_gev):
    maximum = math.log(energy_gev / 0.010) - 0.5
    return stats.gamma(1 + 0.5 * maximum, scale=1 / 0.5)


def fixed_energy(energy_gev):
    return {"energy_range_gev": (energy_gev, energy_gev + 1e-6)}


@pytest.mark.parametrize("energy_gev", [20.0, 300.0])
def test_the_longitudinal_profile_is_the_published_gamma_law(energy_gev):
    n_showers = 2000
    deposits_gev, _ = make_calorimeter(n_showers, **fixed_energy(energy_gev), fluctuations=False, seed=1)
    profile = deposits_gev.sum(axis=(0, 1), dtype=float) / n_showers
    law = gamma_law(energy_gev)
    # What leaves at the sides: beyond 12.5 cells, only the tail of each layer gets there.
    depth = (np.arange(25) + 0.5) * 0.65
    contained = 1 - 0.14 * np.exp(-12.5 / (1.6 + 0.05 * depth))
    expected = energy_gev * np.diff(law.cdf(0.65 * np.arange(26))) * contained
    # Quanta of 1 GeV: each layer is a Poisson number.
    assert np.all(np.abs(profile - expected) < 5 * np.sqrt(expected / n_showers))


def test_the_maximum_moves_in_with_the_logarithm_of_the_energy():
    for energy_gev in (10.0, 100.0, 500.0):
        depth = np.linspace(0.01, 30, 30_000)
        peak = depth[gamma_law(energy_gev).pdf(depth).argmax()]
        assert calorimeter.depth_of_maximum(energy_gev) == pytest.approx(peak, abs=0.01)
    deepening = np.diff(calorimeter.depth_of_maximum([10.0, 10.0 * math.e]))
    assert deepening[0] == pytest.approx(1.0)


@pytest.mark.parametrize(("readout", "quantum_gev"), [("projection", 1.0), ("layers", 0.25)])
def test_the_resolution_is_that_of_poisson_quanta(readout, quantum_gev):
    n_showers = 4000
    deposits_gev, _ = make_calorimeter(
        n_showers, readout=readout, **fixed_energy(100.0), fluctuations=False, quantum_gev=quantum_gev, seed=2
    )
    quanta = deposits_gev.reshape(n_showers, -1).sum(axis=1, dtype=float) / quantum_gev
    assert np.abs(deposits_gev / quantum_gev - np.round(deposits_gev / quantum_gev)).max() < 1e-4
    # Variance over mean of a Poisson number is 1, with the standard error sqrt(2 / n).
    assert abs(quanta.var() / quanta.mean() - 1) < 5 * math.sqrt(2 / n_showers)
    # Fluctuating shapes leak more or less at the back, and add to the spread.
    wild, _ = make_calorimeter(n_showers, readout=readout, **fixed_energy(100.0), quantum_gev=quantum_gev / 20, seed=2)
    assert wild.reshape(n_showers, -1).sum(axis=1, dtype=float).std() > 0.5


def test_both_readouts_see_the_same_shower():
    """Deposits between the borders of the layers agree with the gamma law in both, up to leakage at the sides."""
    n_showers, law = 1000, gamma_law(60.0)
    layers, _ = make_calorimeter(
        n_showers, readout="layers", **fixed_energy(60.0), fluctuations=False, quantum_gev=0.01, seed=3
    )
    shares = layers.sum(axis=(0, 2, 3), dtype=float) / n_showers / 60
    expected = np.diff(law.cdf(calorimeter.LAYER_BORDERS))
    middle = np.array([2.5, 8.5, 16.0])
    tail = 1 - np.exp(-3 / (1.6 + 0.05 * middle))  # within 3 cells of the axis, in one direction
    core = 1 - np.exp(-3 / (0.25 + 0.004 * middle))
    expected = expected * (0.86 * core**2 + 0.14 * tail**2)
    assert np.all(np.abs(shares - expected) < 5 * np.sqrt(expected * 0.01 / 60 / n_showers) + 1e-6)


def test_showers_are_symmetric_across_the_axis():
    deposits_gev, _ = make_calorimeter(3000, seed=4)
    across = deposits_gev.sum(axis=2, dtype=float)
    total = across.sum(axis=1)
    position = across @ (np.arange(25) - 12) / total
    assert abs(position.mean()) < 5 * position.std() / math.sqrt(len(position))
    layers, _ = make_calorimeter(3000, readout="layers", seed=5)
    for axis in (2, 3):
        profile = layers.sum(axis=(1, 5 - axis), dtype=float)
        position = profile @ (np.arange(6) - 2.5) / profile.sum(axis=1)
        assert abs(position.mean()) < 5 * position.std() / math.sqrt(len(position))
    # A single shower is off the axis by 8 % of a cell and by its quanta.
    assert 0.01 < position.std() < 0.5


def test_the_response_is_linear_but_for_leakage():
    deposits_gev, energies_gev = make_calorimeter(3000, seed=6)
    share = deposits_gev.sum(axis=(1, 2), dtype=float) / energies_gev
    leakage = np.array([1 - gamma_law(energy).cdf(25 * 0.65) for energy in (50.0, 450.0)])
    low, high = (share[np.abs(energies_gev - energy) < 30].mean() for energy in (50.0, 450.0))
    # Behind the last layer: published law; sides and fluctuations cost less than 5 % more.
    assert 1 - leakage[0] - 0.05 < low < 1 - leakage[0] + 0.03
    assert 1 - leakage[1] - 0.05 < high < 1 - leakage[1] + 0.03 and high < low


def test_observables_resemble_those_of_the_public_showers():
    """Central cells of 0.24 each in units of 50 GeV, sums from 0 to 12: within a third; one cell in eleven is hit."""
    deposits_gev, _ = make_calorimeter(3000, energy_range_gev=(1.0, 500.0), seed=7)
    scaled = deposits_gev / 50
    centre = scaled.mean(axis=0)[12, 11:14]
    assert np.all(np.abs(centre / [0.235, 0.246, 0.249] - 1) < 1 / 3)
    assert 7 < scaled.sum(axis=(1, 2)).max() < 12
    assert 0.07 < (scaled > 0).mean() < 0.11


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="readout must be"):
        make_calorimeter(3, readout="hexagons")
    with pytest.raises(ValueError, match="energy_range_gev must start"):
        make_calorimeter(3, energy_range_gev=(0.0, 10.0))
    with pytest.raises(ValueError, match="quantum_gev must be"):
        make_calorimeter(3, quantum_gev=0.0)
