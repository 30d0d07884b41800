"""Gas speeds against the exact law, published moments and the information bound."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from course_lib.data import make_maxwell_boltzmann
from course_lib.simulators import maxwell_boltzmann as gas

K, M = 1.380649e-23, 6.6464731e-27  # J/K, kg of a helium atom


def test_speeds_follow_the_maxwell_law_of_scipy():
    speeds = gas.sample(1, 200_000, 300.0, seed=1)[0]
    law = stats.maxwell(scale=math.sqrt(K * 300 / M))
    assert stats.kstest(speeds, law.cdf).pvalue > 1e-6
    assert np.allclose(gas.density([0.0, 500.0, 1116.0, 4000.0], 300.0), law.pdf([0, 500, 1116, 4000]), rtol=1e-5)


def test_density_is_normalised_and_peaks_where_the_textbook_says():
    for name, temperature in (("helium", 300.0), ("argon", 77.0)):
        grid = np.linspace(0, 12_000, 200_001)
        values = gas.density(grid, temperature, gas=name)
        assert abs(integrate.trapezoid(values, grid) - 1) < 1e-6
        peak = math.sqrt(2 * K * temperature / gas.MASS_KG[name])
        assert abs(grid[values.argmax()] - peak) < 0.1
    assert abs(math.sqrt(2 * K * 300 / gas.MASS_KG["helium"]) - 1116) < 1
    assert gas.density(-5.0, 300.0) == 0


def test_moments_are_the_published_ones():
    # In units of sqrt(kT/m): mean 1.596, standard deviation 0.673.
    speeds = gas.sample(1, 400_000, 500.0, gas="neon", seed=2)[0] / math.sqrt(K * 500 / gas.MASS_KG["neon"])
    assert abs(speeds.mean() - 2 * math.sqrt(2 / math.pi)) < 5 * 0.673 / math.sqrt(400_000)
    assert abs(speeds.std() - 0.673) < 0.005


def test_estimate_reaches_the_information_bound():
    n_atoms, n_sets = 50, 20_000
    estimates = gas.temperature_estimate(gas.sample(n_sets, n_atoms, 300.0, seed=3))
    bound = math.sqrt(2 / (3 * n_atoms))
    relative = estimates / 300
    assert abs(relative.mean() - 1) < 5 * bound / math.sqrt(n_sets)
    assert abs(relative.std() - bound) < 5 * bound / math.sqrt(2 * n_sets) * 1.1
    # The estimate is where the likelihood peaks.
    speeds = gas.sample(1, 200, 300.0, seed=4)[0]
    grid = np.linspace(200, 400, 4001)
    likelihood = np.log(gas.density(speeds[:, None], grid[None, :])).sum(0)
    assert abs(grid[likelihood.argmax()] - gas.temperature_estimate(speeds)) < 0.1


def test_each_set_has_its_own_temperature():
    speeds, temperatures = make_maxwell_boltzmann(2000, n_atoms=400, seed=5)
    pull = (gas.temperature_estimate(speeds) / temperatures - 1) / math.sqrt(2 / 1200)
    assert abs(pull.mean()) < 5 / math.sqrt(2000) and abs(pull.std() - 1) < 5 / math.sqrt(4000) * 1.1
    assert temperatures.min() > 100 and temperatures.max() < 1000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gas": "xenon"}, "gas must be one of helium"),
        ({"temperature_range_k": (-5, 10)}, "temperature_k must be positive"),
        ({"temperature_range_k": (500, 100)}, "low <= high"),
        ({"temperature_range_k": 300}, "must be a pair"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        make_maxwell_boltzmann(10, seed=0, **options)
