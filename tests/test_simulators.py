"""What every simulator promises: seeds decide everything, bad arguments get one clear error."""

import random
import subprocess
import sys

import numpy as np
import pytest

from course_lib import data

#: A small call of each maker.
CALLS = {
    "make_wine_quality": {"n_samples": 50},
    "make_earthquakes": {"n_events": 20},
    "make_checkerboard": {"n_samples": 20},
    "make_two_moons": {"n_samples": 20},
    "make_circles": {"n_samples": 20},
    "make_spirals": {"n_samples": 20},
    "make_interpolation": {"n_samples": 20},
    "make_digits": {"n_samples": 20},
    "make_silhouettes": {"n_samples": 20},
    "make_event_pictures": {"n_samples": 20},
    "make_planing": {"n_samples": 20},
    "make_maxwell_boltzmann": {"n_sets": 5},
    "make_pendulum": {"n_samples": 5},
    "make_springs": {"n_systems": 2, "n_steps": 3},
    "make_lennard_jones": {"n_systems": 2, "n_steps": 3, "n_atoms": 9},
    "make_sine_waves": {"n_series": 2, "n_steps": 20},
    "make_radio_pulses": {"n_traces": 6},
    "make_magnet_currents": {"n_series": 4, "n_steps": 50},
    "make_crack_growth": {"n_sheets": 2, "size": 5},
    "make_seismic_records": {"n_events": 5},
    "make_air_showers": {"n_events": 20},
    "make_shower_traces": {"n_events": 5},
    "make_arrival_directions": {"n_skies": 4, "n_particles": 40},
    "make_jets": {"n_jets": 10},
    "make_higgs_events": {"n_events": 10},
    "make_calorimeter": {"n_showers": 10},
    "make_speckle": {"n_frames": 4},
    "make_galaxies": {"n_galaxies": 6},
    "make_lensing_maps": {"n_maps": 4},
    "make_neutrino_views": {"n_events": 6},
    "make_three_jets": {"n_events": 10},
    "make_craters": {"n_candidates": 10},
    "make_crater_tiles": {"n_tiles": 2},
    "make_double_beta": {"n_events": 6},
    "make_daya_bay": {"n_events": 10},
    "make_gravitational_waves": {"n_traces": 4},
    "make_palindromes": {"n_sequences": 20},
    "make_occupancies": {"n_maps": 4},
}


def arrays_of(value):
    """All arrays in a (nested) named tuple."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, tuple):
        return [array for item in value for array in arrays_of(item)]
    return []


def bytes_of(value):
    return b"".join(array.tobytes() for array in arrays_of(value))


@pytest.mark.parametrize("name", CALLS)
def test_the_seed_decides_everything_and_nothing_else_does(name):
    make = getattr(data, name)
    make(**CALLS[name], seed=0)  # imports what it needs, and some libraries draw random names on import
    np.random.seed(1)  # noqa: NPY002 - the global state is what must stay untouched
    random.seed(1)
    before = np.random.get_state()[1].tobytes(), random.getstate()  # noqa: NPY002
    first = bytes_of(make(**CALLS[name], seed=5))
    after = np.random.get_state()[1].tobytes(), random.getstate()  # noqa: NPY002
    assert before == after
    assert first and first == bytes_of(make(**CALLS[name], seed=5))
    assert first != bytes_of(make(**CALLS[name], seed=6))
    assert bytes_of(make(**CALLS[name])) != bytes_of(make(**CALLS[name]))


@pytest.mark.parametrize("name", CALLS)
def test_arrays_hold_numbers(name):
    """NaN only for silent stations, infinity only for a quench that never comes, as documented."""
    for array in arrays_of(getattr(data, name)(**CALLS[name], seed=7)):
        assert array.size and (name == "make_air_showers" or not np.isnan(array).any())
        assert name == "make_magnet_currents" or not np.isinf(array).any()


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("value", [0, -3, 2.5, "many"])
def test_a_bad_number_is_one_clear_error(name, value):
    first = next(iter(CALLS[name]))
    with pytest.raises(ValueError, match=rf"{first} must be"):
        getattr(data, name)(**{**CALLS[name], first: value}, seed=0)


def test_data_need_neither_a_framework_nor_a_plotting_library():
    script = (
        "import sys; from course_lib import data; data.make_earthquakes(5); data.make_springs(1, n_steps=2); "
        "print(sorted({'tensorflow', 'keras', 'plotly', 'sklearn', 'networkx', 'numba', 'pooch'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    assert result.stdout.strip() == "[]"
