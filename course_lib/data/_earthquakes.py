"""Earthquakes: arrival times at four stations and the epicentres."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import earthquakes as simulator
from course_lib.simulators._arguments import require_count


class Earthquakes(NamedTuple):
    """Simulated earthquakes.

    Attributes
    ----------
    times_s : numpy.ndarray, float64, shape (n, 8)
        Arrival times in s: station 1 P, station 1 S, station 2 P, ...
    epicentres_km : numpy.ndarray, float64, shape (n, 2)
        x (east) and y (north) in km: the labels.
    stations_km : numpy.ndarray, float64, shape (4, 2)
        Positions of the stations in km.
    """

    times_s: np.ndarray
    epicentres_km: np.ndarray
    stations_km: np.ndarray


class SeismicRecords(NamedTuple):
    """Raw records of many stations, as they come from an archive: to be normalised before use.

    Attributes
    ----------
    times_s : numpy.ndarray, float64, shape (n, n_stations, 2)
        Arrival of the P and of the S wave in seconds since 1970 (Unix time, more than 1.4e9).
    amplitudes : numpy.ndarray, float64, shape (n, n_stations, 2)
        Over several powers of ten; clipped at 1000, where the instruments saturate.
    epicentres_km : numpy.ndarray, float64, shape (n, 2)
    magnitudes : numpy.ndarray, float64, shape (n,)
    stations_km : numpy.ndarray, float64, shape (n_stations, 2)
    """

    times_s: np.ndarray
    amplitudes: np.ndarray
    epicentres_km: np.ndarray
    magnitudes: np.ndarray
    stations_km: np.ndarray


#: Beginning of 2015 and end of 2020 in Unix time: the years of the seismic records.
_FIRST_S, _LAST_S = 1_420_070_400.0, 1_609_459_200.0

#: Where instruments saturate, in the units of the amplitudes.
SATURATION = 1000.0


def make_earthquakes(
    n_events=1000, *, jitter_s=0.01, clock_offsets_s=simulator.CLOCK_OFFSETS_S, origin_time_s=0.0, seed=None
):
    """Simulate earthquakes along a plate border and their arrival times at four stations.

    Parameters
    ----------
    n_events : int
    jitter_s : float
        Random reading error of every time.
    clock_offsets_s : float or array-like, shape (8,)
        Constant error of each channel; the same stations have the same clocks in every call unless given.
    origin_time_s : float or array-like, shape (n_events,)
        When the quakes happened; 0 makes the times travel times.
    seed : int, optional

    Returns
    -------
    Earthquakes

    Raises
    ------
    ValueError
        For bad numbers or shapes.

    Examples
    --------
    >>> from course_lib.data import make_earthquakes
    >>> times_s, epicentres_km, stations_km = make_earthquakes(500, seed=1)
    >>> times_s.shape, epicentres_km.shape, stations_km.shape
    ((500, 8), (500, 2), (4, 2))
    """
    place_seed, time_seed = np.random.SeedSequence(seed).spawn(2)
    epicentres_km = simulator.epicentres(n_events, seed=place_seed)
    times_s = simulator.arrival_times(
        epicentres_km,
        jitter_s=jitter_s,
        clock_offsets_s=clock_offsets_s,
        origin_time_s=origin_time_s,
        seed=time_seed,
    )
    return Earthquakes(times_s, epicentres_km, simulator.STATIONS_KM.copy())


def make_seismic_records(n_events=1000, *, n_stations=50, jitter_s=0.01, seed=None):
    """Simulate raw records of many stations: absolute times and amplitudes over powers of ten.

    Material for preprocessing: single precision cannot hold the times, and most amplitudes are near zero.

    Parameters
    ----------
    n_events, n_stations : int
        Stations stand at random places of the map, the same ones in every call with the same `n_stations`.
    jitter_s : float
        Random reading error of every time.
    seed : int, optional

    Returns
    -------
    SeismicRecords

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_seismic_records
    >>> records = make_seismic_records(100, seed=0)
    >>> records.times_s.shape, bool(records.times_s.min() > 1.4e9)
    ((100, 50, 2), True)
    """
    n_stations = require_count("n_stations", n_stations)
    place_seed, size_seed, origin_seed, time_seed = np.random.SeedSequence(seed).spawn(4)
    half_width = simulator.MAP_HALF_WIDTH_KM
    stations_km = np.random.default_rng(2015).uniform(-half_width, half_width, (n_stations, 2))
    epicentres_km = simulator.epicentres(n_events, seed=place_seed)
    magnitudes = simulator.magnitudes(n_events, seed=size_seed)
    origins_s = np.random.default_rng(origin_seed).uniform(_FIRST_S, _LAST_S, n_events)
    times_s = simulator.arrival_times(
        epicentres_km,
        stations_km=stations_km,
        clock_offsets_s=0.0,
        jitter_s=jitter_s,
        origin_time_s=origins_s,
        seed=time_seed,
    )
    amplitudes = simulator.amplitudes(epicentres_km, magnitudes, stations_km=stations_km).clip(max=SATURATION)
    shape = (n_events, n_stations, 2)
    return SeismicRecords(times_s.reshape(shape), amplitudes.reshape(shape), epicentres_km, magnitudes, stations_km)
