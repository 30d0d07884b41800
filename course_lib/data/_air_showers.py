"""Air showers on a detector array, and the traces of its stations."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import air_showers as simulator


class AirShowers(NamedTuple):
    """Simulated showers and the reports of the stations.

    Attributes
    ----------
    times_s : numpy.ndarray, float32, shape (n, 9, 9) or (n, 14, 14)
        Arrival times in s; NaN for silent stations.
    signals_vem : numpy.ndarray, float32, same shape
        Signals in VEM (that of a vertical muon); NaN for silent stations.
    axes : numpy.ndarray, float64, shape (n, 3)
        Unit vectors towards the origin of the shower: label.
    cores_m : numpy.ndarray, float64, shape (n, 2)
        Where the axis hits the ground, in m: label.
    log10_energy_ev : numpy.ndarray, float64, shape (n,)
        Decimal logarithm of the energy in eV: label.
    """

    times_s: np.ndarray
    signals_vem: np.ndarray
    axes: np.ndarray
    cores_m: np.ndarray
    log10_energy_ev: np.ndarray


class ShowerTraces(NamedTuple):
    """Signals of one station against time.

    Attributes
    ----------
    traces : numpy.ndarray, float32, shape (n, 80)
        log10(1 + signal) in each time bin.
    energies_eev : numpy.ndarray, float64, shape (n,)
        Energy of the shower in EeV: label.
    """

    traces: np.ndarray
    energies_eev: np.ndarray


def make_air_showers(n_events=10_000, *, layout="hexagonal", seed=None, **options):
    """Simulate air showers over an array of detectors.

    Parameters
    ----------
    n_events : int
    layout : {"hexagonal", "square"}
        9 x 9 stations, 1500 m apart, in offset coordinates; or 14 x 14 stations, 750 m apart.
    seed : int, optional
    **options
        ``log10_energy_range``, ``spectral_index``, ``max_zenith_deg``, ``core_half_width_m``, ``signal_noise``,
        ``dead_fraction``, ``saturation_vem``, ``min_stations`` of `course_lib.simulators.air_showers.sample`.

    Returns
    -------
    AirShowers

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_air_showers
    >>> showers = make_air_showers(200, layout="square", seed=0)
    >>> showers.signals_vem.shape, showers.axes.shape
    ((200, 14, 14), (200, 3))
    """
    return AirShowers(*simulator.sample(n_events, layout=layout, seed=seed, **options))


def make_shower_traces(n_events=10_000, *, kind="simulated", seed=None, **options):
    """Simulate the traces of one station, as a simulation has them or as a different detector measures them.

    Parameters
    ----------
    n_events : int
    kind : {"simulated", "measured"}
    seed : int, optional
    **options
        ``energy_range_eev``, ``spectral_index`` of `course_lib.simulators.air_showers.sample_traces`.

    Returns
    -------
    ShowerTraces

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_shower_traces
    >>> make_shower_traces(100, kind="measured", seed=0).traces.shape
    (100, 80)
    """
    return ShowerTraces(*simulator.sample_traces(n_events, kind=kind, seed=seed, **options))
