r"""Sampled sine waves with noise: the simplest time series that can be forecast.

.. math:: f_n = A\sin(\omega\,n\,\Delta t + \phi) + \epsilon_n

Without noise two values determine the next: :math:`f_{n+1} = 2\cos(\omega\,\Delta t)\,f_n - f_{n-1}`. Repeating the
last value instead has the mean squared error :math:`2A^2\sin^2(\omega\,\Delta t/2)`. A forecast must beat the second
and cannot beat the first.

References
----------
Exercise 9.1 of M. Erdmann, J. Glombitza, G. Kasieczka, U. Klemradt, Deep Learning for Physics Research (2021). The
two-term recursion: G. U. Yule, Phil. Trans. Roy. Soc. A 226 (1927) 267.
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count, require_positive, require_range


def sample(
    n_series,
    *,
    n_steps=1000,
    time_step_s=0.01,
    angular_frequency_range=(np.pi, np.pi),
    amplitude_range=(1.0, 1.0),
    noise=0.0,
    seed=None,
):
    """Draw series with random frequency, amplitude and phase.

    Parameters
    ----------
    n_series, n_steps : int
    time_step_s : float
    angular_frequency_range : (float, float)
        In rad/s; two equal numbers give one frequency.
    amplitude_range : (float, float)
    noise : float
        Standard deviation of independent Gaussian errors.
    seed : int, optional

    Returns
    -------
    times_s : numpy.ndarray, float64, shape (n_steps,)
    values : numpy.ndarray, float64, shape (n_series, n_steps)
    angular_frequencies : numpy.ndarray, float64, shape (n_series,)
        In rad/s.

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import sine_waves
    >>> times, values, omega = sine_waves.sample(2, n_steps=50, seed=0)
    >>> bool(np.allclose(values[:, 2:], 2 * np.cos(np.pi * 0.01) * values[:, 1:-1] - values[:, :-2]))
    True
    """
    n_series = require_count("n_series", n_series)
    n_steps = require_count("n_steps", n_steps)
    time_step_s = require_positive("time_step_s", time_step_s)
    noise = require_positive("noise", noise, zero_allowed=True)
    frequency_range = require_range("angular_frequency_range", angular_frequency_range)
    amplitude_range = require_range("amplitude_range", amplitude_range)
    rng = np.random.default_rng(seed)
    omega = rng.uniform(*frequency_range, n_series)
    amplitude = rng.uniform(*amplitude_range, n_series)
    phase = rng.uniform(0, 2 * np.pi, n_series)
    times_s = time_step_s * np.arange(n_steps)
    values = amplitude[:, None] * np.sin(omega[:, None] * times_s + phase[:, None])
    values += noise * rng.standard_normal(values.shape)
    return times_s, values, omega
