"""The physics behind ``course_lib.data.make_*``: one module a system, loaded on first use.

Examples
--------
>>> from course_lib.simulators import ising
>>> round(ising.CRITICAL_TEMPERATURE, 4)
2.2692
"""

import importlib

_MODULES = frozenset(
    {
        "air_showers",
        "arrival_directions",
        "calorimeter",
        "crack_growth",
        "craters",
        "daya_bay",
        "digits",
        "double_beta",
        "earthquakes",
        "event_pictures",
        "galaxies",
        "gravitational_waves",
        "higgs_events",
        "integrators",
        "interpolation",
        "ising",
        "jets",
        "lennard_jones",
        "lensing_maps",
        "magnet_currents",
        "maxwell_boltzmann",
        "neutrino_views",
        "occupancies",
        "palindromes",
        "pendulum",
        "phase_features",
        "plane_classes",
        "planing",
        "radio_pulses",
        "silhouettes",
        "sine_waves",
        "speckle",
        "springs",
        "three_jets",
        "wine_quality",
    }
)


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(set(globals()) | _MODULES)
