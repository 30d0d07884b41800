r"""Air showers of cosmic rays as seen by an array of particle detectors on the ground.

A shower with axis :math:`\vec a` (unit vector towards where it came from) hits the ground at the core. A station at
:math:`\vec d` from the core lies :math:`z=\vec d\cdot\vec a` ahead of the shower plane and :math:`r` away from the
axis, and expects (signals in VEM, the signal of a vertical muon; E in EeV; x = cos^2 theta - cos^2 38 deg)

.. math:: S(r) = S_{1000} \left(\frac{r}{1000}\right)^\beta \left(\frac{r+700}{1700}\right)^\beta, \qquad
          S_{1000} = (E/0.186)^{1/1.031}\,(1 + 0.980\,x - 1.68\,x^2 - 1.30\,x^3)

with r in m and :math:`\beta=-2.5+0.3\sec\theta`; :math:`S_{1000}` of each shower fluctuates by 5 %. The front is a
paraboloid and arrives at

.. math:: t = t_0 + \frac1c\left(-z + \frac{r^2}{2R}\right), \qquad R = 9\,\mathrm{km}\,\sec\theta

Signals are measured with the error :math:`\sigma_S^2=f^2 S+(0.03\,S)^2`, times with
:math:`\sigma_t^2=(20\,\mathrm{ns})^2+(150\,\mathrm{ns}\;r/\mathrm{km})^2/S`. A station with a measured signal of at
most 3 VEM is silent.

References
----------
Energy calibration: Pierre Auger Collaboration, Phys. Rev. D 102 (2020) 062005. Attenuation: the polynomial of that
Collaboration's earlier spectra (A. Schulz, 33rd International Cosmic Ray Conference, Rio de Janeiro, 2013), rounded and
quoted second-hand: good for learning, to be checked before it is cited. Shape of the lateral distribution as there.
Thicknesses, errors and the layout of the maps
are ours, made for exercises 7.2, 8.2, 11.1 and 18.2 of the material to M. Erdmann, J. Glombitza, G. Kasieczka,
U. Klemradt, Deep Learning for Physics Research (2021). Traces: a pulse shape for the refiner of section 19.1 there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators._arguments import require_count, require_positive, require_range

SPEED_OF_LIGHT_M_PER_S = 299_792_458.0

#: Distance of neighbouring stations in m and number of stations along an edge, for each layout.
SPACING_M = {"hexagonal": 1500.0, "square": 750.0}
STATIONS_PER_EDGE = {"hexagonal": 9, "square": 14}

#: A station reports only signals above this (VEM).
TRIGGER_VEM = 3.0

#: Relative spread of the size of showers of equal energy.
SHOWER_FLUCTUATION = 0.05

#: Slope of the energy calibration: E is proportional to S38 to this power.
CALIBRATION_EXPONENT = 1.031

#: Standard deviation in s of the unknown time at which the shower hits the ground.
ARRIVAL_SPREAD_S = 1e-6

#: Time bins of `sample_traces` and what the words "simulated" and "measured" stand for there.
N_TRACE_BINS = 80
TRACE_DECAY_BINS = {"simulated": 8.0, "measured": 12.0}
TRACE_GAIN = {"simulated": 1.0, "measured": 1.25}
TRACE_NOISE = {"simulated": 1.0, "measured": 3.0}

# Closer to the axis the lateral distribution is not known; it would diverge.
_SMALLEST_DISTANCE_M = 50.0

# Maps of this many showers fit into the cache of a core.
_CHUNK = 1024


class InformationBound(NamedTuple):
    """Smallest standard deviations that an unbiased reconstruction can reach, event by event.

    Attributes
    ----------
    angle_deg : numpy.ndarray, shape (n,)
        Root of the summed variances of the two angles across the axis.
    core_m : numpy.ndarray, shape (n,)
        Root of the summed variances of the two core coordinates.
    relative_energy : numpy.ndarray, shape (n,)
        Relative error of the energy from the measurement errors only; add `SHOWER_FLUCTUATION` times
        `CALIBRATION_EXPONENT` in quadrature for the fluctuation of showers.
    """

    angle_deg: np.ndarray
    core_m: np.ndarray
    relative_energy: np.ndarray


def _require_layout(layout):
    if layout not in SPACING_M:
        raise ValueError(f"layout must be one of {', '.join(map(repr, SPACING_M))}, got {layout!r}")


def station_positions(layout="hexagonal"):
    """Positions of the stations, the origin in the middle of the array.

    Parameters
    ----------
    layout : {"hexagonal", "square"}
        9 x 9 stations, 1500 m apart, odd rows shifted by half a distance (offset coordinates), the origin at station
        [4, 4]; or 14 x 14 stations, 750 m apart.

    Returns
    -------
    numpy.ndarray, float64, shape (n_rows, n_columns, 2)
        x and y in m.

    Raises
    ------
    ValueError
        For another layout.

    Examples
    --------
    >>> from course_lib.simulators import air_showers
    >>> air_showers.station_positions("hexagonal")[4, 5]
    array([1500.,    0.])
    """
    _require_layout(layout)
    spacing_m, size = SPACING_M[layout], STATIONS_PER_EDGE[layout]
    row, column = np.indices((size, size)).astype(float)
    if layout == "square":
        middle = (size - 1) / 2
        return spacing_m * np.stack([column - middle, row - middle], axis=-1)
    middle = size // 2
    x_m = column - middle + (row % 2 - middle % 2) / 2
    return spacing_m * np.stack([x_m, np.sqrt(0.75) * (row - middle)], axis=-1)


def signal_at_1000_m(log10_energy_ev, cos_zenith):
    """Mean signal at 1000 m from the axis.

    Parameters
    ----------
    log10_energy_ev : array-like
        Decimal logarithm of the energy in eV.
    cos_zenith : array-like

    Returns
    -------
    numpy.ndarray
        In VEM.

    Examples
    --------
    >>> import math
    >>> from course_lib.simulators import air_showers
    >>> float(air_showers.signal_at_1000_m(math.log10(0.186e18), math.cos(math.radians(38))).round(6))
    1.0
    """
    energy_eev = 10.0 ** (np.asarray(log10_energy_ev, dtype=float) - 18.0)
    x = np.asarray(cos_zenith, dtype=float) ** 2 - np.cos(np.radians(38.0)) ** 2
    attenuation = 1.0 + x * (0.980 + x * (-1.68 - 1.30 * x))
    return (energy_eev / 0.186) ** (1.0 / CALIBRATION_EXPONENT) * attenuation


def expected(axes, cores_m, signals_1000_vem, *, layout="hexagonal"):
    """Mean signals and times of all stations, and the errors of the times.

    Parameters
    ----------
    axes : numpy.ndarray, shape (n, 3)
        Unit vectors towards the origin of the shower, z upwards.
    cores_m : numpy.ndarray, shape (n, 2)
    signals_1000_vem : numpy.ndarray, shape (n,)
    layout : {"hexagonal", "square"}

    Returns
    -------
    signals_vem, times_s, time_errors_s : numpy.ndarray, shape (n, n_rows, n_columns)
        Times relative to the arrival at the core.

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib.simulators import air_showers
    >>> axes, cores_m = np.array([[0.0, 0.0, 1.0]]), np.array([[500.0, 0.0]])
    >>> signals_vem, times_s, _ = air_showers.expected(axes, cores_m, np.array([40.0]))
    >>> float(signals_vem[0, 4, 5])
    40.0
    """
    stations_m = station_positions(layout)
    east_m = stations_m[..., 0] - cores_m[:, 0, None, None]
    north_m = stations_m[..., 1] - cores_m[:, 1, None, None]
    secant = 1.0 / axes[:, 2, None, None]
    ahead_m = east_m * axes[:, 0, None, None] + north_m * axes[:, 1, None, None]
    squared_m2 = np.maximum(east_m**2 + north_m**2 - ahead_m**2, _SMALLEST_DISTANCE_M**2)
    distance_m = np.sqrt(squared_m2)
    slope = -2.5 + 0.3 * secant
    signals_vem = signals_1000_vem[:, None, None] * (distance_m * (distance_m + 700.0) / 1.7e6) ** slope
    times_s = (squared_m2 / (18_000.0 * secant) - ahead_m) / SPEED_OF_LIGHT_M_PER_S
    # Stations this far below the trigger never report; the floor only keeps their error finite.
    time_errors_s = np.sqrt(20e-9**2 + (150e-12 * distance_m) ** 2 / np.maximum(signals_vem, 0.1))
    return signals_vem, times_s, time_errors_s


def _power_law(rng, n_events, low, high, index):
    """Energies with dN/dE proportional to E^-index between ``low`` and ``high``."""
    quantile = rng.uniform(size=n_events)
    if abs(index - 1.0) < 1e-9:
        return low * (high / low) ** quantile
    power = 1.0 - index
    return (low**power + quantile * (high**power - low**power)) ** (1.0 / power)


def sample(
    n_events,
    *,
    layout="hexagonal",
    log10_energy_range=(18.5, 20.0),
    spectral_index=1.0,
    max_zenith_deg=60.0,
    core_half_width_m=750.0,
    signal_noise=0.2,
    dead_fraction=0.0,
    saturation_vem=None,
    min_stations=4,
    seed=None,
):
    r"""Draw showers and what the array reports of them.

    Parameters
    ----------
    n_events : int
    layout : {"hexagonal", "square"}
    log10_energy_range : (float, float)
        Decimal logarithms of the lowest and the highest energy in eV.
    spectral_index : float
        dN/dE is proportional to :math:`E^{-\text{index}}`: 1 is uniform in the logarithm, 0 uniform in E.
    max_zenith_deg : float
        Isotropic flux through flat ground: sin^2 of the zenith angle is uniform up to here (below 80).
    core_half_width_m : float
        Cores are uniform in a square of this half width around the origin.
    signal_noise : float
        The factor f of the statistical error of a signal; 1 is about that of real water tanks.
    dead_fraction : float
        Share of stations, chosen anew in each event, that report nothing.
    saturation_vem : float, optional
        Larger signals are reported as this value.
    min_stations : int
        Showers with fewer reporting stations are lost and drawn anew.
    seed : int, optional

    Returns
    -------
    times_s : numpy.ndarray, float32, shape (n_events, n_rows, n_columns)
        NaN for silent stations.
    signals_vem : numpy.ndarray, float32, shape (n_events, n_rows, n_columns)
        NaN for silent stations.
    axes : numpy.ndarray, float64, shape (n_events, 3)
    cores_m : numpy.ndarray, float64, shape (n_events, 2)
    log10_energy_ev : numpy.ndarray, float64, shape (n_events,)

    Raises
    ------
    ValueError
        For bad numbers, or when hardly any shower of these settings is seen.

    Examples
    --------
    >>> from course_lib.simulators import air_showers
    >>> times_s, signals_vem, axes, cores_m, log10_energy_ev = air_showers.sample(100, seed=0)
    >>> times_s.shape, axes.shape, cores_m.shape, log10_energy_ev.shape
    ((100, 9, 9), (100, 3), (100, 2), (100,))
    """
    n_events = require_count("n_events", n_events)
    _require_layout(layout)
    lowest, highest = (10.0**bound for bound in require_range("log10_energy_range", log10_energy_range))
    max_zenith_deg = require_positive("max_zenith_deg", max_zenith_deg, zero_allowed=True)
    if max_zenith_deg > 80:
        raise ValueError(f"max_zenith_deg must be at most 80, where the model ends, got {max_zenith_deg}")
    core_half_width_m = require_positive("core_half_width_m", core_half_width_m, zero_allowed=True)
    signal_noise = require_positive("signal_noise", signal_noise, zero_allowed=True)
    dead_fraction = require_positive("dead_fraction", dead_fraction, zero_allowed=True)
    if dead_fraction >= 1:
        raise ValueError(f"dead_fraction must be below 1, got {dead_fraction}")
    if saturation_vem is not None:
        saturation_vem = require_positive("saturation_vem", saturation_vem)
    min_stations = require_count("min_stations", min_stations, minimum=0)

    rng = np.random.default_rng(seed)
    size = STATIONS_PER_EDGE[layout]
    times_s = np.empty((n_events, size, size), np.float32)
    signals_vem = np.empty_like(times_s)
    axes, cores_m, log10_energy_ev = np.empty((n_events, 3)), np.empty((n_events, 2)), np.empty(n_events)
    done = drawn = 0
    while done < n_events:
        n_drawn = min(_CHUNK, n_events - done + 8)
        log10_energy = np.log10(_power_law(rng, n_drawn, lowest, highest, float(spectral_index)))
        sin_zenith = np.sqrt(rng.uniform(0.0, np.sin(np.radians(max_zenith_deg)) ** 2, n_drawn))
        azimuth = rng.uniform(0.0, 2 * np.pi, n_drawn)
        axis = np.column_stack(
            [sin_zenith * np.cos(azimuth), sin_zenith * np.sin(azimuth), np.sqrt(1.0 - sin_zenith**2)]
        )
        core_m = rng.uniform(-core_half_width_m, core_half_width_m, (n_drawn, 2))
        size_vem = signal_at_1000_m(log10_energy, axis[:, 2])
        size_vem *= np.exp(SHOWER_FLUCTUATION * rng.standard_normal(n_drawn) - SHOWER_FLUCTUATION**2 / 2)
        signal, time, time_error = expected(axis, core_m, size_vem, layout=layout)
        signal += np.sqrt(signal_noise**2 * signal + (0.03 * signal) ** 2) * rng.standard_normal(
            signal.shape, dtype=np.float32
        )
        time += time_error * rng.standard_normal(time.shape, dtype=np.float32)
        time += ARRIVAL_SPREAD_S * rng.standard_normal((n_drawn, 1, 1))
        silent = signal <= TRIGGER_VEM
        if dead_fraction:
            silent |= rng.uniform(size=signal.shape) < dead_fraction
        if saturation_vem is not None:
            np.minimum(signal, saturation_vem, out=signal)
        signal[silent] = np.nan
        time[silent] = np.nan
        seen = np.flatnonzero((~silent).sum(axis=(1, 2)) >= min_stations)[: n_events - done]
        rows = slice(done, done + len(seen))
        times_s[rows], signals_vem[rows] = time[seen], signal[seen]
        axes[rows], cores_m[rows], log10_energy_ev[rows] = axis[seen], core_m[seen], log10_energy[seen]
        done += len(seen)
        drawn += n_drawn
        if drawn > 1000 and done < drawn / 100:
            raise ValueError(
                f"log10_energy_range, dead_fraction and min_stations leave {done} of {drawn} showers: "
                "raise the energy or ask for fewer stations"
            )
    return times_s, signals_vem, axes, cores_m, log10_energy_ev


def information_bound(axes, cores_m, log10_energy_ev, *, layout="hexagonal", signal_noise=0.2):
    """Cramer-Rao bound of direction, core and energy for given showers.

    Signals and times are normal with the means of `expected`; axis (two angles), core (two coordinates), size and
    arrival time are unknown. Stations count that expect more than `TRIGGER_VEM`. What the errors themselves reveal
    about the parameters is neglected, as in a least-squares fit.

    Parameters
    ----------
    axes : array-like, shape (n, 3)
    cores_m : array-like, shape (n, 2)
    log10_energy_ev : array-like, shape (n,)
    layout : {"hexagonal", "square"}
    signal_noise : float
        Positive.

    Returns
    -------
    InformationBound
        NaN for showers that leave a parameter open (too few stations).

    Raises
    ------
    ValueError
        For bad shapes or noise.

    Examples
    --------
    >>> from course_lib.simulators import air_showers
    >>> air_showers.information_bound([[0.0, 0.0, 1.0]], [[0.0, 0.0]], [19.0]).angle_deg.shape
    (1,)
    """
    _require_layout(layout)
    axes, cores_m, log10_energy_ev = (np.asarray(value, dtype=float) for value in (axes, cores_m, log10_energy_ev))
    n_events = len(axes)
    for name, value, shape in (
        ("axes", axes, (n_events, 3)),
        ("cores_m", cores_m, (n_events, 2)),
        ("log10_energy_ev", log10_energy_ev, (n_events,)),
    ):
        if value.shape != shape:
            raise ValueError(f"{name} must have the shape {shape}, got {value.shape}")
    signal_noise = require_positive("signal_noise", signal_noise)
    size_vem = signal_at_1000_m(log10_energy_ev, axes[:, 2])
    signals_vem, _, time_errors_s = expected(axes, cores_m, size_vem, layout=layout)
    counted = signals_vem > TRIGGER_VEM
    signal_weight = counted / (signal_noise**2 * signals_vem + (0.03 * signals_vem) ** 2)
    time_weight = counted / time_errors_s**2

    # Two unit vectors across the axis.
    helper = np.where(np.abs(axes[:, :1]) < 0.5, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]])
    first = np.cross(axes, helper)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(axes, first)

    def observables(angle_1, angle_2, x_m, y_m, log_size):
        turned = axes + angle_1 * first + angle_2 * second
        turned /= np.linalg.norm(turned, axis=1, keepdims=True)
        # The signal's attenuation with the zenith angle is a second handle on the axis.
        size = signal_at_1000_m(log10_energy_ev, turned[:, 2]) * np.exp(log_size)
        signal, time, _ = expected(turned, cores_m + np.array([x_m, y_m]), size, layout=layout)
        return signal, time

    # Steps far below the resolution (rad, rad, m, m, 1) and far above rounding.
    steps = (1e-5, 1e-5, 0.01, 0.01, 1e-5)
    derivatives = []
    for index, step in enumerate(steps):
        shift = np.zeros(5)
        shift[index] = step
        above, below = observables(*shift), observables(*-shift)
        derivatives.append([(a - b) / (2 * step) for a, b in zip(above, below, strict=True)])
    derivatives.append([np.zeros_like(signals_vem), np.ones_like(signals_vem)])  # time of arrival
    # Units of 1 degree-like, 1 m and 1 us keep the matrix far from singular in double precision.
    scale = np.array([0.01, 0.01, 10.0, 10.0, 0.01, 1e-8])
    signal_slopes = np.stack([pair[0] for pair in derivatives], axis=-1) * scale
    time_slopes = np.stack([pair[1] for pair in derivatives], axis=-1) * scale
    information = np.einsum("nij,nijk,nijl->nkl", signal_weight, signal_slopes, signal_slopes, optimize=True)
    information += np.einsum("nij,nijk,nijl->nkl", time_weight, time_slopes, time_slopes, optimize=True)
    open_parameter = np.linalg.matrix_rank(information, hermitian=True) < 6
    information[open_parameter] = np.eye(6)
    variance = np.diagonal(np.linalg.inv(information), axis1=1, axis2=2) * scale**2
    variance[open_parameter] = np.nan
    return InformationBound(
        np.degrees(np.sqrt(variance[:, 0] + variance[:, 1])),
        np.sqrt(variance[:, 2] + variance[:, 3]),
        CALIBRATION_EXPONENT * np.sqrt(variance[:, 4]),
    )


def footprints(signals_vem, *, saturation_vem=2000.0):
    """Signal maps on the scale on which networks learn them: log10(1 + S), zero for silent stations.

    Parameters
    ----------
    signals_vem : array-like
        NaN where silent.
    saturation_vem : float
        Larger signals are cut here.

    Returns
    -------
    numpy.ndarray, float32, same shape

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib.simulators import air_showers
    >>> air_showers.footprints([np.nan, 9.0, 1e6]).round(3)
    array([0.   , 1.   , 3.301], dtype=float32)
    """
    saturation_vem = require_positive("saturation_vem", saturation_vem)
    signals_vem = np.nan_to_num(np.asarray(signals_vem, dtype=np.float32), nan=0.0)
    return np.log10(1.0 + np.minimum(signals_vem, np.float32(saturation_vem)))


def sample_traces(n_events, *, kind="simulated", energy_range_eev=(3.0, 100.0), spectral_index=0.0, seed=None):
    r"""Signals of one station against time, from a simulation or from a detector that differs from it.

    After an onset in bin 8 to 13 the mean trace is :math:`A(1-e^{-u/2})e^{-u/\tau}` with
    :math:`A=30\,(E/10\,\mathrm{EeV})^{0.8}` and 10 % fluctuation of size and decay time. ``"measured"`` traces decay
    more slowly (12 instead of 8 bins), are 25 % larger and have three times the electronic noise.

    Parameters
    ----------
    n_events : int
    kind : {"simulated", "measured"}
    energy_range_eev : (float, float)
    spectral_index : float
        As in `sample`.
    seed : int, optional

    Returns
    -------
    traces : numpy.ndarray, float32, shape (n_events, 80)
        log10(1 + signal).
    energies_eev : numpy.ndarray, float64, shape (n_events,)

    Raises
    ------
    ValueError
        For bad arguments.

    Examples
    --------
    >>> from course_lib.simulators import air_showers
    >>> traces, energies_eev = air_showers.sample_traces(50, kind="measured", seed=0)
    >>> traces.shape, energies_eev.shape
    ((50, 80), (50,))
    """
    n_events = require_count("n_events", n_events)
    if kind not in TRACE_DECAY_BINS:
        raise ValueError(f"kind must be 'simulated' or 'measured', got {kind!r}")
    low, high = require_range("energy_range_eev", energy_range_eev)
    if low <= 0:
        raise ValueError(f"energy_range_eev must be positive, got {energy_range_eev!r}")
    rng = np.random.default_rng(seed)
    energies_eev = _power_law(rng, n_events, low, high, float(spectral_index))
    amplitude = 30.0 * (energies_eev / 10.0) ** 0.8 * np.maximum(1.0 + 0.1 * rng.standard_normal(n_events), 0.1)
    onset = rng.integers(8, 14, n_events)
    decay = TRACE_DECAY_BINS[kind] * np.exp(0.1 * rng.standard_normal(n_events))
    since = np.maximum(np.arange(N_TRACE_BINS) - onset[:, None], 0)
    mean = (TRACE_GAIN[kind] * amplitude)[:, None] * -np.expm1(-since / 2) * np.exp(-since / decay[:, None])
    signal = mean + 0.3 * np.sqrt(mean) * rng.standard_normal(mean.shape)
    signal += TRACE_NOISE[kind] * np.abs(rng.standard_normal(mean.shape))
    return np.log10(1.0 + np.maximum(signal, 0.0)).astype(np.float32), energies_eev
