"""Ising model against exact results, enumeration and other libraries; the bundled set against both.

Statistical tolerances are five standard errors, with fixed seeds.
"""

import functools
import importlib.util
import itertools
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path

import networkx
import numpy as np
import pytest
from scipy import ndimage

from course_lib import data
from course_lib.data import _resolution
from course_lib.simulators import ising

REPOSITORY = Path(__file__).resolve().parent.parent
TEMPERATURES = np.arange(10, 36) / 10
N_CHAINS = 1000


def every_configuration(size):
    """All 2^(size * size) configurations."""
    bits = np.arange(2 ** (size * size))[:, None] >> np.arange(size * size) & 1
    return (2 * bits - 1).astype(np.int8).reshape(-1, size, size)


def boltzmann_weights(energies, temperature):
    weights = np.exp(-(energies - energies.min()) / temperature)
    return weights / weights.sum()


def standard_error(values):
    return np.std(values, ddof=1) / np.sqrt(len(values))


def energy_by_loops(lattice):
    size = len(lattice)
    total = 0
    for row, column in itertools.product(range(size), repeat=2):
        total -= lattice[row][column] * (lattice[(row + 1) % size][column] + lattice[row][(column + 1) % size])
    return total / size**2


@functools.cache
def every_energy_by_loops(size):
    return np.array([energy_by_loops(lattice) for lattice in every_configuration(size).tolist()])


@pytest.fixture(scope="module")
def samples():
    """Configurations by temperature, from one call."""
    temperatures = [1.5, 2.0, 2.1, 2.2, 2.269, 2.3, 2.35, 2.4, 2.5, 3.0]
    return dict(zip(temperatures, ising.sample(N_CHAINS, temperatures, seed=42), strict=True))


# Exact results: enumeration, limits, and each other.


@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.0, float(ising.CRITICAL_TEMPERATURE), 3.0, 40.0])
def test_finite_lattice_energy_equals_the_sum_over_all_states(size, temperature):
    energies = every_energy_by_loops(size) * size**2
    expected = np.sum(boltzmann_weights(energies, temperature) * energies) / size**2
    assert ising.finite_lattice_energy(temperature, size=size) == pytest.approx(expected, abs=1e-12)


def test_energies_of_a_large_and_the_infinite_lattice_agree_away_from_the_critical_temperature():
    temperatures = np.array([0.5, 1.0, 2.0, 2.1, 2.5, 3.5, 10.0])
    finite = ising.finite_lattice_energy(temperatures, size=500)
    np.testing.assert_allclose(finite, ising.onsager_energy(temperatures), rtol=0, atol=1e-9)


def test_exact_limits():
    assert pytest.approx(2.269185314213022, abs=1e-15) == ising.CRITICAL_TEMPERATURE
    # Known at the critical point: the internal energy is -sqrt(2), and K_c is its own dual, sinh(2 K_c) = 1.
    assert ising.onsager_energy(ising.CRITICAL_TEMPERATURE) == pytest.approx(-np.sqrt(2), abs=1e-12)
    assert np.sinh(2 / ising.CRITICAL_TEMPERATURE) == pytest.approx(1, abs=1e-14)
    for energy in (ising.onsager_energy, ising.finite_lattice_energy):
        np.testing.assert_allclose(energy([1e-4, 0.01, 0.1]), -2, atol=1e-12)
        # High-temperature series: the energy is -2/T up to terms of third order.
        assert energy(200.0) == pytest.approx(-2 / 200, abs=2e-6)
    assert ising.onsager_magnetisation(1e-3) == 1
    # Low-temperature series: one spin turned costs 8 J, a pair of neighbours (4 N such pairs / 2) costs 12 J.
    assert 1 - ising.onsager_magnetisation(0.5) == pytest.approx(2 * np.exp(-16) + 8 * np.exp(-24), rel=1e-5)
    assert np.all(ising.onsager_magnetisation([ising.CRITICAL_TEMPERATURE, 2.3, 9.0]) == 0)


def test_exact_functions_keep_the_shape():
    for function in (ising.onsager_energy, ising.onsager_magnetisation, ising.finite_lattice_energy):
        assert np.ndim(function(2.0)) == 0
        assert function([[1.0, 2.0, 3.0]]).shape == (1, 3)


# Observables against loops and other libraries.


def test_energy_and_magnetisation_against_loops():
    lattices = np.random.default_rng(5).choice(np.array([-1, 1], np.int8), (20, 7, 7), p=[0.3, 0.7])
    np.testing.assert_allclose(
        ising.energy_per_spin(lattices), [energy_by_loops(lattice) for lattice in lattices.tolist()]
    )
    np.testing.assert_allclose(
        ising.magnetisation(lattices), [sum(map(int, lattice.ravel())) / 49 for lattice in lattices]
    )
    assert ising.magnetisation(lattices.reshape(4, 5, 7, 7)).shape == (4, 5)
    np.testing.assert_array_equal(ising.energy_per_spin(lattices.astype(np.float32)), ising.energy_per_spin(lattices))


def test_open_clusters_against_scipy():
    lattices = ising.sample(20, 2.4, size=17, seed=6)
    for lattice, sizes in zip(lattices, ising.cluster_sizes(lattices, periodic=False), strict=True):
        expected = []
        for spin in (-1, 1):
            labels, _ = ndimage.label(lattice == spin)
            expected.extend(np.bincount(labels.ravel())[1:])
        np.testing.assert_array_equal(sizes, sorted(expected, reverse=True))


def test_periodic_clusters_against_networkx():
    lattices = ising.sample(10, 2.6, size=12, seed=7)
    for lattice in lattices:
        graph = networkx.grid_2d_graph(12, 12, periodic=True)
        graph.remove_edges_from([(one, two) for one, two in graph.edges if lattice[one] != lattice[two]])
        expected = sorted(map(len, networkx.connected_components(graph)), reverse=True)
        np.testing.assert_array_equal(ising.cluster_sizes(lattice), expected)


# Samples: distribution.


@pytest.mark.parametrize(("size", "temperature"), [(2, 2.0), (3, 1.2), (3, 2.5), (4, 2.3)])
def test_small_lattices_have_the_boltzmann_distribution_of_energy_and_magnetisation(size, temperature):
    states = every_configuration(size)
    energies = np.rint(ising.energy_per_spin(states) * size**2)
    weights = boltzmann_weights(energies, temperature)
    n_samples = 20_000
    drawn = ising.sample(n_samples, temperature, size=size, seed=8)

    def levels(configurations):
        return np.stack(
            [
                np.rint(ising.energy_per_spin(configurations) * size**2),
                np.rint(ising.magnetisation(configurations) * size**2),
            ],
            axis=1,
        )

    names, inverse = np.unique(levels(states), axis=0, return_inverse=True)
    probabilities = np.bincount(inverse.ravel(), weights=weights)
    counts = np.array([np.sum(np.all(levels(drawn) == name, axis=1)) for name in names])
    assert counts.sum() == n_samples
    frequent = n_samples * probabilities > 10
    errors = np.sqrt(n_samples * probabilities * (1 - probabilities))
    pulls = (counts - n_samples * probabilities)[frequent] / errors[frequent]
    assert np.abs(pulls).max() < 5
    assert counts[~frequent].sum() <= n_samples * probabilities[~frequent].sum() + 5 * np.sqrt(10 * len(names))


@pytest.mark.parametrize("temperature", [1.5, 2.0, 2.2, 2.269, 2.3, 2.4, 2.5, 3.0])
def test_energy_against_the_exact_finite_lattice(samples, temperature):
    energies = ising.energy_per_spin(samples[temperature])
    exact = ising.finite_lattice_energy(temperature)
    assert abs(energies.mean() - exact) < 5 * standard_error(energies)
    # The error is small enough for the test to mean something.
    assert standard_error(energies) < 0.005


@pytest.mark.parametrize("temperature", [1.5, 2.0, 2.1])
def test_magnetisation_against_onsager_and_yang(samples, temperature):
    # At these temperatures the correlation length is below 4, so that 32 spins a side are as good as infinite.
    magnitudes = np.abs(ising.magnetisation(samples[temperature]))
    assert abs(magnitudes.mean() - ising.onsager_magnetisation(temperature)) < 5 * standard_error(magnitudes)


def test_peak_of_the_specific_heat(samples):
    temperatures = np.array(sorted(samples))
    specific_heat = [1024 * np.var(ising.energy_per_spin(samples[value])) / value**2 for value in temperatures]
    assert 2.2 <= temperatures[np.argmax(specific_heat)] <= 2.35
    # Fluctuations against the slope of the exact energy: de/dT = N var(e) / T^2.
    exact = (ising.finite_lattice_energy(temperatures + 1e-4) - ising.finite_lattice_energy(temperatures - 1e-4)) / 2e-4
    # Relative error of a variance of near-Gaussian values: sqrt(2 / n); twice that leaves room for other shapes.
    np.testing.assert_allclose(specific_heat, exact, rtol=5 * 2 * np.sqrt(2 / N_CHAINS))


@pytest.mark.parametrize("temperature", [2.0, 2.269, 2.3, 2.5])
def test_samples_are_independent(samples, temperature):
    for values in (
        ising.energy_per_spin(samples[temperature]),
        ising.magnetisation(samples[temperature]),
        np.abs(ising.magnetisation(samples[temperature])),
    ):
        fluctuations = values - values.mean()
        window = 10
        correlations = [
            np.mean(fluctuations[:-lag] * fluctuations[lag:]) / np.var(values) for lag in range(1, window + 1)
        ]
        # 1/2 for independent values; the sum over a window has the standard error sqrt(window / n).
        autocorrelation_time = 0.5 + np.sum(correlations)
        assert abs(autocorrelation_time - 0.5) < 5 * np.sqrt(window / N_CHAINS)
        assert autocorrelation_time < 1.0


@pytest.mark.parametrize("temperature", [2.0, 2.3])
def test_sixty_sweeps_forget_the_start(temperature):
    """From order and from disorder the energy relaxes to the same value, long before 60 sweeps."""
    random_spins = 2 * np.random.default_rng(9).integers(0, 2, (N_CHAINS, 32, 32), dtype=np.int8) - 1
    starts = {"order": np.ones((N_CHAINS, 32, 32), np.int8), "disorder": random_spins}
    exact = ising.finite_lattice_energy(temperature)
    for number, spins in enumerate(starts.values()):
        one_sweep = ising.evolve(spins, temperature, n_sweeps=1, seed=number)
        thirty_sweeps = ising.evolve(one_sweep, temperature, n_sweeps=29, seed=10 + number)
        early, late = ising.energy_per_spin(one_sweep), ising.energy_per_spin(thirty_sweeps)
        assert abs(early.mean() - exact) > 5 * standard_error(early)
        assert abs(late.mean() - exact) < 5 * standard_error(late)


@pytest.mark.parametrize("temperature", [1.5, 2.0, 2.2, 2.269, 2.4, 3.0])
def test_both_signs_are_equally_likely(samples, temperature):
    signs = np.sign(ising.magnetisation(samples[temperature]))
    signs = signs[signs != 0]
    assert abs(np.mean(signs > 0) - 0.5) < 5 * 0.5 / np.sqrt(len(signs))


def test_no_site_and_no_direction_is_special(samples):
    lattices = samples[2.5].astype(float)
    mean_spins = lattices.mean(axis=0)
    assert np.abs(mean_spins).max() < 5.5 / np.sqrt(N_CHAINS)  # the largest of 1024 values, hence 5.5
    right = (lattices * np.roll(lattices, 1, axis=2)).mean(axis=(1, 2))
    below = (lattices * np.roll(lattices, 1, axis=1)).mean(axis=(1, 2))
    assert abs(np.mean(right - below)) < 5 * standard_error(right - below)


# Samples: form, seeds, errors.


def test_form_of_the_samples():
    one = data.make_ising(5, 2.0, size=8, seed=1)
    assert one.shape == (5, 8, 8) and one.dtype == np.int8
    assert set(np.unique(one)) <= {-1, 1}
    assert data.make_ising(5, [2.0], size=8, seed=1).shape == (1, 5, 8, 8)
    assert data.make_ising(0, 2.0).shape == (0, 32, 32)
    assert data.make_ising(2, np.float32(1.0), seed=1).shape == (2, 32, 32)
    np.testing.assert_array_equal(one, data.make_ising(5, [2.0, 3.0], size=8, seed=1)[0])


def test_seeds():
    np.random.seed(0)  # noqa: NPY002 - the global state is what must not change
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = data.make_ising(20, [2.0, 2.5], seed=1)
    np.testing.assert_array_equal(first, data.make_ising(20, [2.0, 2.5], seed=1))
    np.testing.assert_array_equal(first[:, :7], data.make_ising(7, [2.0, 2.5], seed=1))
    assert np.mean(first[1] == data.make_ising(20, [2.0, 2.5], seed=2)[1]) < 0.6
    # Two temperatures of one call share no random numbers, nor do two calls without a seed.
    same_temperature = data.make_ising(20, [2.5, 2.5], seed=1)
    assert np.mean(same_temperature[0] == same_temperature[1]) < 0.6
    assert np.mean(data.make_ising(20, 2.5) == data.make_ising(20, 2.5)) < 0.6
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_works_where_compiled_code_cannot_be_stored():
    """Source without a file has no folder for numba's cache: the same refusal as on a read-only machine."""
    source = Path(ising.__file__).read_text(encoding="utf-8")
    module = types.ModuleType("ising_without_cache")
    exec(compile(source, "<no file>", "exec"), module.__dict__)
    np.testing.assert_array_equal(module.sample(3, 2.0, size=8, seed=1), ising.sample(3, 2.0, size=8, seed=1))


def test_evolve_leaves_its_input_alone():
    start = np.ones((3, 8, 8), np.int8)
    end = ising.evolve(start, 3.0, n_sweeps=5, seed=1)
    assert np.all(start == 1) and not np.all(end == 1)
    np.testing.assert_array_equal(ising.evolve(start, 3.0, n_sweeps=0), start)
    np.testing.assert_array_equal(end, ising.evolve(start, 3.0, n_sweeps=5, seed=1))
    assert ising.evolve(start[0], 3.0, seed=1).shape == (8, 8)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((10, 0.0), {}, r"temperature must be finite and above 0 .* not 0\.0"),
        ((10, -1.0), {}, r"not -1\.0"),
        ((10, [2.0, float("nan")]), {}, "not nan"),
        ((10, float("inf")), {}, "not inf"),
        ((10, "warm"), {}, "temperature must be a number .* not 'warm'"),
        ((10, None), {}, "not None|not nan"),
        ((-1, 2.0), {}, "n_samples must be an integer of at least 0, not -1"),
        ((2.5, 2.0), {}, r"n_samples must be an integer of at least 0, not 2\.5"),
        ((True, 2.0), {}, "n_samples .* not True"),
        ((10, 2.0), {"size": 1}, "size must be an integer of at least 2, not 1"),
        ((10, 2.0), {"size": (32, 32)}, "size .* not \\(32, 32\\)"),
        ((10, 2.0), {"seed": -3}, "seed must be None or an integer of at least 0, not -3"),
        ((10, 2.0), {"seed": "abc"}, "seed .* not 'abc'"),
    ],
)
def test_bad_input_is_one_clear_error(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        data.make_ising(*arguments, **options)


@pytest.mark.parametrize(
    ("configurations", "message"),
    [
        (np.zeros((2, 4, 4)), "every spin must be -1 or \\+1: map bits"),
        (np.full((4, 4), np.nan), "every spin must be"),
        (np.ones((2, 4, 5)), r"not \(2, 4, 5\)"),
        (np.ones((2, 4, 4, 1)), r"drop a channel axis"),
        (np.ones(4), r"not \(4,\)"),
    ],
)
def test_bad_configurations_are_one_clear_error(configurations, message):
    for function in (ising.magnetisation, ising.energy_per_spin, ising.cluster_sizes):
        with pytest.raises(ValueError, match=message):
            function(configurations)
    with pytest.raises(ValueError, match=message):
        ising.evolve(configurations, 2.0)


# The bundled set.


def test_bundled_set_form_and_slices():
    loaded = data.load_ising()
    assert loaded.configurations.shape == (26_000, 32, 32) and loaded.configurations.dtype == np.int8
    assert loaded.temperatures.shape == (26_000,) and loaded.temperatures.dtype == np.float32
    assert np.all(np.abs(loaded.configurations) == 1)
    values, counts = np.unique(loaded.temperatures, return_counts=True)
    np.testing.assert_array_equal(values, TEMPERATURES.astype(np.float32))
    assert np.all(counts == 1000)
    # A slice is a fair sample: every temperature about equally often (hypergeometric errors, 26 values).
    for part in (loaded.temperatures[:20_000], loaded.temperatures[20_000:]):
        _, counts = np.unique(part, return_counts=True)
        expected = len(part) / 26
        error = np.sqrt(expected * (25 / 26) * (1 - len(part) / 26_000))
        assert len(counts) == 26 and np.abs(counts - expected).max() < 5 * error
    # Loading twice gives two arrays: changing one leaves the other alone.
    loaded.configurations[0] *= -1
    assert not np.array_equal(loaded.configurations[0], data.load_ising().configurations[0])


def test_bundled_set_has_the_exact_energies_and_magnetisations():
    configurations, temperatures = data.load_ising()
    energies, magnitudes = ising.energy_per_spin(configurations), np.abs(ising.magnetisation(configurations))
    for temperature in TEMPERATURES:
        here = temperatures == np.float32(temperature)
        exact = ising.finite_lattice_energy(temperature)
        assert abs(energies[here].mean() - exact) < 5 * standard_error(energies[here]), temperature
        if temperature < 2.15:
            exact = ising.onsager_magnetisation(temperature)
            assert abs(magnitudes[here].mean() - exact) < 5 * standard_error(magnitudes[here]), temperature


@pytest.mark.parametrize(
    ("temperature", "magnitude", "energy"),
    [(2.0, 0.911, -1.746), (2.2, 0.794, -1.554), (2.3, 0.570, -1.380), (2.5, 0.197, -1.104)],
)
def test_bundled_set_agrees_with_an_earlier_independent_simulation(temperature, magnitude, energy):
    """The earlier run (another program) had 300 chains a temperature: its error adds to ours."""
    configurations, temperatures = data.load_ising()
    here = configurations[temperatures == np.float32(temperature)]
    for values, reference in (
        (np.abs(ising.magnetisation(here)), magnitude),
        (ising.energy_per_spin(here), energy),
    ):
        combined_error = np.std(values) * np.sqrt(1 / len(values) + 1 / 300)
        assert abs(values.mean() - reference) < 5 * combined_error


def test_bundled_file_is_what_generate_makes():
    """Rebuild the first chains of every temperature; they do not depend on how many chains there are."""
    specification = importlib.util.spec_from_file_location(
        "generate_ising", REPOSITORY / "datasets" / "ising" / "generate.py"
    )
    generate = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(generate)
    rebuilt = ising.sample(20, generate.TEMPERATURES, size=generate.SIZE, seed=generate.SEED)
    shuffled = data.load_ising().configurations
    bundled = np.empty_like(shuffled)
    bundled[generate.shuffled_order()] = shuffled
    np.testing.assert_array_equal(
        bundled.reshape(26, 1000, 32, 32)[:, :20],
        rebuilt,
        err_msg="the bundled file is not what the code makes: run `python datasets/ising/generate.py`",
    )


@pytest.fixture
def copied_datasets(tmp_path, monkeypatch):
    shutil.copytree(REPOSITORY / "datasets" / "ising", tmp_path / "ising")
    shutil.copy(REPOSITORY / "datasets" / "registry.txt", tmp_path)
    monkeypatch.setattr(_resolution, "datasets_folder", lambda: tmp_path)
    _resolution.registry.cache_clear()
    yield tmp_path
    _resolution.registry.cache_clear()


@pytest.mark.filterwarnings("ignore:.*is not the registered")
def test_a_missing_or_damaged_file_is_one_clear_error(copied_datasets):
    file = copied_datasets / "ising" / "ising.npz"
    assert len(data.load_ising().temperatures) == 26_000
    content = bytearray(file.read_bytes())
    content[2000] ^= 1
    file.write_bytes(content)
    with pytest.raises(data.DataUnavailable, match=r"ising/ising\.npz .* missing or damaged .* install"):
        data.load_ising()
    file.unlink()
    with pytest.raises(data.DataUnavailable, match=r"ising/ising\.npz .* missing or damaged .* install"):
        data.load_ising()


def test_loads_from_an_installed_copy_and_without_numba(tmp_path):
    """As from a wheel: the data lie inside the package, no checkout around it, another cache folder."""
    package = tmp_path / "course_lib"
    shutil.copytree(REPOSITORY / "course_lib", package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(REPOSITORY / "datasets", package / "_datasets")
    (tmp_path / "datasets").mkdir()  # another distribution of that name beside the package
    program = (
        "import sys, course_lib; from course_lib import data; assert course_lib.__file__.startswith(sys.argv[1]);"
        "print(data.load_ising().configurations.shape, 'numba' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "(26000, 32, 32) False", done.stderr


def test_card_is_complete():
    card = (REPOSITORY / "datasets" / "ising" / "card.md").read_text(encoding="utf-8")
    headings = {line.removeprefix("## ") for line in card.splitlines() if line.startswith("## ")}
    wanted = "Source, Licence, Units, Columns, Physics, Known limits, How it was made, Used in"
    assert headings >= set(wanted.split(", "))
    assert (REPOSITORY / "datasets" / "ising" / "ising.npz").stat().st_size < 4_000_000
