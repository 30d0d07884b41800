r"""Current and residual voltage of a superconducting magnet before a quench.

The two halves of a magnet are compared; a perfect bridge would show zero. What remains is

- an imbalance, a small share of the inductive voltage :math:`L\,\dot I` while the current ramps;
- noise, half of its power white and half with a :math:`1/f` spectrum;
- precursors: sudden tiny movements of the winding make spikes of 1 to 20 mV that decay in 1 to 5 s. Their rate is
  :math:`\lambda_0` far from a quench and rises towards it as
  :math:`\lambda(t) = \lambda_0\,(1 + \kappa\,e^{-(t_q-t)/\tau})`;
- the quench itself: from :math:`t_q` on the voltage grows exponentially until the protection acts.

References
----------
M. Wielgosz, A. Skoczeń, M. Mertik, Nucl. Instrum. Meth. A 867 (2017) 40: recurrent networks for the magnets of the
LHC, logged every 400 ms. Inductance, ramp rate and nominal current of a main dipole: LHC Design Report, CERN-2004-003
(2004), chapter 7. Rate, size and decay of the precursors are illustrative, not measured.
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count, require_positive

#: Time between two records of the logging, in s.
TIME_STEP_S = 0.4

#: Main dipole of the LHC: inductance in H, ramp rate in A/s, nominal current in A.
INDUCTANCE_H = 0.1
RAMP_A_PER_S = 10.0
NOMINAL_CURRENT_A = 11_850.0

#: Share of the inductive voltage that the bridge does not cancel.
IMBALANCE = 0.005

#: Precursors in 1/s far from the quench, factor of their growth, time scale of the growth in s.
BASE_RATE_PER_S = 1 / 120
RATE_GROWTH = 20.0
RATE_TIME_S = 600.0

NOISE_MV = 0.4


def expected_precursors(duration_s, time_to_quench_s):
    r"""Mean number of precursors in a window that begins `time_to_quench_s` before the quench.

    .. math:: \int_0^{D}\lambda\,dt
       = \lambda_0\left[D + \kappa\tau\,e^{-t_q/\tau}\left(e^{D/\tau}-1\right)\right]

    Parameters
    ----------
    duration_s : float
        Length of the window, at most `time_to_quench_s`.
    time_to_quench_s : float
        Infinite for a magnet that does not quench.

    Returns
    -------
    float

    Examples
    --------
    >>> from course_lib.simulators import magnet_currents
    >>> magnet_currents.expected_precursors(1200.0, np.inf)
    10.0
    """
    growth = RATE_GROWTH * RATE_TIME_S * np.exp(-time_to_quench_s / RATE_TIME_S)
    return float(BASE_RATE_PER_S * (duration_s + growth * np.expm1(duration_s / RATE_TIME_S)))


def coloured_noise(n_series, n_steps, rng):
    """Noise of unit variance: half of the power white, half with a 1/f spectrum.

    Parameters
    ----------
    n_series, n_steps : int
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray, float64, shape (n_series, n_steps)

    Examples
    --------
    >>> from course_lib.simulators import magnet_currents
    >>> magnet_currents.coloured_noise(2, 100, np.random.default_rng(0)).shape
    (2, 100)
    """
    frequency = np.fft.rfftfreq(n_steps)
    amplitude = np.zeros(len(frequency))
    amplitude[1:] = frequency[1:] ** -0.5
    amplitude /= np.sqrt(2 * (2 * amplitude**2).sum() / n_steps**2)
    spectrum = rng.standard_normal((n_series, len(frequency), 2)).view(complex)[..., 0] * amplitude
    return np.sqrt(0.5) * (np.fft.irfft(spectrum, n_steps) + rng.standard_normal((n_series, n_steps)))


def sample(n_series, *, n_steps=4500, quench_fraction=0.5, noise_mv=NOISE_MV, seed=None):
    """Draw windows of the log, some of which end in a quench.

    Parameters
    ----------
    n_series : int
    n_steps : int
        Records a window, 0.4 s apart; 4500 are half an hour.
    quench_fraction : float
        Share of windows with a quench. It starts within the last tenth of the window.
    noise_mv : float
        Standard deviation of the noise.
    seed : int, optional

    Returns
    -------
    voltages_mv : numpy.ndarray, float32, shape (n_series, n_steps)
        Residual voltage.
    currents_a : numpy.ndarray, float32, shape (n_series, n_steps)
    quench_times_s : numpy.ndarray, float64, shape (n_series,)
        From the beginning of the window; infinite without quench.
    n_precursors : numpy.ndarray, int64, shape (n_series,)
        Spikes hidden in the window (before the quench).

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import magnet_currents
    >>> voltages, currents, quench_times, n_precursors = magnet_currents.sample(4, seed=0)
    >>> voltages.shape, int(np.isfinite(quench_times).sum())
    ((4, 4500), 2)
    """
    n_series = require_count("n_series", n_series)
    n_steps = require_count("n_steps", n_steps, minimum=10)
    noise_mv = require_positive("noise_mv", noise_mv, zero_allowed=True)
    if not 0 <= quench_fraction <= 1:
        raise ValueError(f"quench_fraction must be between 0 and 1, got {quench_fraction!r}")
    rng = np.random.default_rng(seed)
    times_s = TIME_STEP_S * np.arange(n_steps)
    duration_s = TIME_STEP_S * n_steps
    quenches = rng.permutation(n_series) < round(quench_fraction * n_series)
    quench_times_s = np.where(quenches, duration_s * rng.uniform(0.9, 0.98, n_series), np.inf)

    # One ramp to the flat top somewhere in the window, so that the imbalance switches off at a random time.
    ramp_end_s = rng.uniform(0.0, 0.6 * duration_s, (n_series, 1))
    top_a = NOMINAL_CURRENT_A * rng.uniform(0.6, 1.0, (n_series, 1))
    currents_a = np.minimum(top_a - RAMP_A_PER_S * (ramp_end_s - times_s), top_a).clip(0.0)
    ramping = (times_s < ramp_end_s) & (currents_a > 0)
    voltages_mv = 1000 * IMBALANCE * INDUCTANCE_H * RAMP_A_PER_S * ramping

    n_precursors = np.zeros(n_series, dtype=np.int64)
    for series in range(n_series):
        spike_times_s = _precursor_times(min(duration_s, quench_times_s[series]), quench_times_s[series], rng)
        n_precursors[series] = len(spike_times_s)
        sizes_mv = np.exp(rng.uniform(0.0, np.log(20.0), len(spike_times_s)))
        decays_s = rng.uniform(1.0, 5.0, len(spike_times_s))
        for when, size, decay in zip(spike_times_s, sizes_mv, decays_s, strict=True):
            # Eight decay times hold all but 0.03 % of a spike.
            first = int(np.ceil(when / TIME_STEP_S))
            reach = slice(first, first + int(8 * decay / TIME_STEP_S))
            voltages_mv[series, reach] += size * np.exp(-(times_s[reach] - when) / decay)
    voltages_mv += noise_mv * coloured_noise(n_series, n_steps, rng)
    since_s = np.maximum(times_s - quench_times_s[:, None], 0.0)
    quenched = times_s >= quench_times_s[:, None]
    # Grows by a factor e every 0.5 s until the protection limits it to 100 mV.
    voltages_mv = np.where(
        quenched, voltages_mv + np.minimum(5 * np.exp(np.minimum(since_s / 0.5, 9)), 100), voltages_mv
    )
    return voltages_mv.astype(np.float32), currents_a.astype(np.float32), quench_times_s, n_precursors


def _precursor_times(end_s, quench_time_s, rng):
    """Times of an inhomogeneous Poisson process: the constant part and the growing part separately."""
    constant = rng.uniform(0.0, end_s, rng.poisson(BASE_RATE_PER_S * end_s))
    if not np.isfinite(quench_time_s):
        return np.sort(constant)
    scale = RATE_TIME_S
    n_growing = rng.poisson(BASE_RATE_PER_S * RATE_GROWTH * scale * (-np.expm1(-end_s / scale)))
    # Exponential distribution of the time before the quench, cut at the beginning of the window.
    before_s = -scale * np.log1p(rng.uniform(0.0, 1.0, n_growing) * np.expm1(-end_s / scale))
    return np.sort(np.concatenate([constant, quench_time_s - before_s]))
