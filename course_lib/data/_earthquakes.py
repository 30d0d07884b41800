"""Earthquakes: arrival times at four stations and the epicentres."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import earthquakes as simulator


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
