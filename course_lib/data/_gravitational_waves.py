"""Inspirals of black holes in the noise of a detector."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import gravitational_waves as simulator


class GravitationalWaves(NamedTuple):
    """Simulated traces, whitened.

    Attributes
    ----------
    strains : numpy.ndarray, float32, shape (n, n_samples, n_detectors)
        In units of the noise's standard deviation, sampled at 1024 Hz.
    signals : numpy.ndarray, float32, shape (n, n_samples, n_detectors)
        The wave alone; zero without. Never an input.
    labels : numpy.ndarray, int64, shape (n,)
        1 with a wave, 0 without.
    chirp_masses_msun : numpy.ndarray, float64, shape (n,)
        In solar masses; zero without a wave.
    merger_times_s : numpy.ndarray, float64, shape (n,)
        From the beginning of the trace; zero without a wave.
    snrs : numpy.ndarray, float64, shape (n,)
        Signal-to-noise ratio of the matched filter in each detector; zero without a wave.
    """

    strains: np.ndarray
    signals: np.ndarray
    labels: np.ndarray
    chirp_masses_msun: np.ndarray
    merger_times_s: np.ndarray
    snrs: np.ndarray


def make_gravitational_waves(
    n_traces=8000,
    *,
    n_samples=1024,
    n_detectors=1,
    chirp_mass_range_msun=(10.0, 40.0),
    snr=(8.0, 20.0),
    signal_fraction=0.5,
    modulation=0.0,
    seed=None,
):
    """Traces with and without an inspiral; see `course_lib.simulators.gravitational_waves`.

    Parameters
    ----------
    n_traces : int
    n_samples : int
        Length of a trace, at 1024 Hz.
    n_detectors : int
        Streams with independent noise.
    chirp_mass_range_msun : (float, float)
        Uniform in between.
    snr : float or (float, float)
        Signal-to-noise ratio in each detector; uniform in a pair.
    signal_fraction : float
        Share of traces with a wave.
    modulation : float
        Above 0: the amplitude swings, as with precessing spins; for tests outside of the training domain.
    seed : int, optional

    Returns
    -------
    GravitationalWaves

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_gravitational_waves
    >>> make_gravitational_waves(10, snr=12.0, seed=0).strains.shape
    (10, 1024, 1)
    """
    return GravitationalWaves(
        *simulator.sample(
            n_traces,
            n_samples=n_samples,
            n_detectors=n_detectors,
            chirp_mass_range_msun=chirp_mass_range_msun,
            snr=snr,
            signal_fraction=signal_fraction,
            modulation=modulation,
            seed=seed,
        )
    )
