r"""Earthquakes along a curved plate border, timed by four seismic stations.

Every quake sends a compression wave (P, faster) and a shear wave (S, slower). A station at distance
:math:`d` from the epicentre notes

.. math:: t_P = t_0 + d/v_P + \delta_P + \epsilon, \qquad t_S = t_0 + d/v_S + \delta_S + \epsilon'

with a constant clock offset :math:`\delta` of each channel, which nobody knows, and a random reading error
:math:`\epsilon`. The difference gives the distance without knowing the origin time :math:`t_0`:
:math:`d=(t_S-t_P)\,/\,(1/v_S-1/v_P)`, 17.5 km for each second.

References
----------
Stations, speeds and clock offsets are inferred from the four events of table 7.1 of M. Erdmann, J. Glombitza,
G. Kasieczka, U. Klemradt, Deep Learning for Physics Research (World Scientific, 2021), which they reproduce
within 0.012 s. Magnitudes: B. Gutenberg, C. F. Richter, Bull. Seism. Soc. Am. 34 (1944) 185. The relation of
delay and distance is any seismology textbook's, e.g. P. M. Shearer,
Introduction to Seismology (Cambridge, 2009), chapter 4. Flat Earth, surface source, constant speeds.
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count, require_positive, require_range

#: Positions (x, y) of the four stations in km: upper left, upper right, lower left, lower right.
STATIONS_KM = np.array([[-10.0, 10.0], [10.0, 10.0], [-10.0, -10.0], [10.0, -10.0]])

#: Speeds of the compression and of the shear wave in km/s.
P_VELOCITY_KM_PER_S = 7.0
S_VELOCITY_KM_PER_S = 5.0

#: Constant clock offsets in s of the eight channels, in the order of the columns of `arrival_times`.
CLOCK_OFFSETS_S = np.array([0.100, 0.016, -0.090, 0.040, -0.213, -0.059, 0.001, -0.023])

#: Names of the columns: station 1 to 4, each P then S.
CHANNEL_NAMES = ("t1p", "t1s", "t2p", "t2s", "t3p", "t3s", "t4p", "t4s")

#: Epicentres stay inside |x|, |y| < 45 km.
MAP_HALF_WIDTH_KM = 45.0


def border(y_km):
    """East-west position of the plate border at the north-south position `y_km`.

    Parameters
    ----------
    y_km : array-like

    Returns
    -------
    numpy.ndarray
        x in km, a parabola that is concave to the west.

    Examples
    --------
    >>> from course_lib.simulators import earthquakes
    >>> float(earthquakes.border(8.0))
    5.0
    """
    return 5.0 - 0.0113 * (np.asarray(y_km, dtype=float) - 8.0) ** 2


def epicentres(n_events, *, scatter_km=3.0, seed=None):
    """Draw epicentres near the plate border.

    Parameters
    ----------
    n_events : int
    scatter_km : float
        Standard deviation of the distance from the border, east-west.
    seed : int, optional

    Returns
    -------
    numpy.ndarray, float64, shape (n_events, 2)
        x (east) and y (north) in km, inside `MAP_HALF_WIDTH_KM`.

    Raises
    ------
    ValueError
        For a bad number.

    Examples
    --------
    >>> from course_lib.simulators import earthquakes
    >>> earthquakes.epicentres(1000, seed=0).shape
    (1000, 2)
    """
    n_events = require_count("n_events", n_events)
    scatter_km = require_positive("scatter_km", scatter_km, zero_allowed=True)
    rng = np.random.default_rng(seed)
    y_km = rng.uniform(-40.0, 40.0, n_events)
    x_km = border(y_km) + scatter_km * rng.standard_normal(n_events)
    x_km = np.clip(x_km, -MAP_HALF_WIDTH_KM + 1e-3, MAP_HALF_WIDTH_KM - 1e-3)
    return np.column_stack([x_km, y_km])


def arrival_times(
    epicentres_km,
    *,
    stations_km=STATIONS_KM,
    clock_offsets_s=CLOCK_OFFSETS_S,
    jitter_s=0.0,
    origin_time_s=0.0,
    seed=None,
):
    """Arrival times of both waves at all stations.

    Parameters
    ----------
    epicentres_km : array-like, shape (n, 2)
    stations_km : array-like, shape (m, 2)
    clock_offsets_s : float or array-like, shape (2 m,)
        Constant error of each channel, in the order of the columns.
    jitter_s : float
        Standard deviation of the random reading error of every time.
    origin_time_s : float or array-like, shape (n,)
        When the quakes happened.
    seed : int, optional
        For the reading errors.

    Returns
    -------
    numpy.ndarray, float64, shape (n, 2 m)
        Times in s: station 1 P, station 1 S, station 2 P, ...

    Raises
    ------
    ValueError
        For arrays of other shapes or a negative `jitter_s`.

    Examples
    --------
    >>> from course_lib.simulators import earthquakes
    >>> earthquakes.arrival_times([[-10.0, 45.0]], clock_offsets_s=0.0)[0, :2]
    array([5., 7.])
    """
    epicentres_km = np.asarray(epicentres_km, dtype=float)
    stations_km = np.asarray(stations_km, dtype=float)
    for name, points in (("epicentres_km", epicentres_km), ("stations_km", stations_km)):
        if points.ndim != 2 or points.shape[1] != 2:
            raise ValueError(f"{name} must have the shape (n, 2), got {points.shape}")
    jitter_s = require_positive("jitter_s", jitter_s, zero_allowed=True)
    n_channels = 2 * len(stations_km)
    offsets_s = np.asarray(clock_offsets_s, dtype=float)
    if offsets_s.ndim and offsets_s.shape != (n_channels,):
        raise ValueError(f"clock_offsets_s must be one number or one a channel ({n_channels}), got {offsets_s.shape}")
    distances_km = np.linalg.norm(epicentres_km[:, None, :] - stations_km[None, :, :], axis=2)
    travel_s = distances_km[:, :, None] / np.array([P_VELOCITY_KM_PER_S, S_VELOCITY_KM_PER_S])
    times_s = travel_s.reshape(len(epicentres_km), n_channels) + offsets_s
    times_s += np.reshape(np.asarray(origin_time_s, dtype=float), (-1, 1))
    if jitter_s:
        times_s += jitter_s * np.random.default_rng(seed).standard_normal(times_s.shape)
    return times_s


def magnitudes(n_events, *, smallest=2.0, largest=7.0, slope=1.0, seed=None):
    r"""Draw magnitudes by the law of Gutenberg and Richter, :math:`N(>M)\propto 10^{-bM}`.

    Parameters
    ----------
    n_events : int
    smallest, largest : float
        Ends of the distribution.
    slope : float
        b, close to 1 almost everywhere on Earth.
    seed : int, optional

    Returns
    -------
    numpy.ndarray, float64, shape (n_events,)

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import earthquakes
    >>> bool((earthquakes.magnitudes(100_000, seed=0) > 3).mean().round(2) == 0.1)
    True
    """
    n_events = require_count("n_events", n_events)
    slope = require_positive("slope", slope)
    smallest, largest = require_range("smallest, largest", (smallest, largest))
    share = 1 - 10 ** (-slope * (largest - smallest))
    return smallest - np.log10(1 - share * np.random.default_rng(seed).uniform(size=n_events)) / slope


def amplitudes(epicentres_km, magnitudes, *, stations_km=STATIONS_KM):
    """Amplitudes of both waves: ten times larger for each magnitude, falling with the distance.

    Parameters
    ----------
    epicentres_km : array-like, shape (n, 2)
    magnitudes : array-like, shape (n,)
    stations_km : array-like, shape (m, 2)

    Returns
    -------
    numpy.ndarray, float64, shape (n, 2 m)
        In units of the P wave of magnitude 3 at 10 km, order of columns as in `arrival_times`. The S wave is three
        times larger. Sources lie 5 km deep, which keeps amplitudes finite.

    Examples
    --------
    >>> from course_lib.simulators import earthquakes
    >>> earthquakes.amplitudes([[0.0, 0.0]], [3.0], stations_km=[[0.0, np.sqrt(75.0)]]).round(6)
    array([[1., 3.]])
    """
    difference = np.asarray(epicentres_km, dtype=float)[:, None, :] - np.asarray(stations_km, dtype=float)[None]
    path_km = np.sqrt((difference**2).sum(axis=2) + 5.0**2)
    size = 10.0 ** (np.asarray(magnitudes, dtype=float) - 3.0)
    p_wave = size[:, None] * 10.0 / path_km
    return np.stack([p_wave, 3 * p_wave], axis=2).reshape(len(p_wave), -1)
