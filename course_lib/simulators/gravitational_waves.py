r"""Gravitational waves of black holes that spiral into each other, in the noise of a detector.

In Newtonian order, with :math:`\mu=G\mathcal M/c^3` for the chirp mass
:math:`\mathcal M=(m_1m_2)^{3/5}(m_1+m_2)^{-1/5}` and :math:`\tau` the time left before the merger,

.. math:: f=\frac1\pi\Big(\frac{5}{256\,\tau}\Big)^{3/8}\mu^{-5/8},\qquad
          \phi=-2\Big(\frac{\tau}{5\mu}\Big)^{5/8},\qquad
          h=\frac{4\,c\,\mu}{D}(\pi\mu f)^{2/3}\cos(\phi+\phi_0)

for a source at the distance D straight above the detector and seen face-on. Frequency and amplitude rise until the last
stable orbit of two equal masses, :math:`f=(6^{3/2}\pi\,2^{6/5}\mu)^{-1}`, where the inspiral ends; merger and ringdown
are left out.

The noise is Gaussian with the spectrum of Advanced LIGO. Traces are whitened: each frequency is divided by the
amplitude of its noise, so that noise has the variance 1 in each sample of full bandwidth, and the signal-to-noise ratio
of the optimal (matched) filter is the root of the sum of the squared samples of the whitened signal.

References
----------
M. Maggiore, Gravitational Waves 1 (Oxford, 2008), chapter 4: chirp. B. S. Sathyaprakash, B. F. Schutz, Living Reviews
in Relativity 12 (2009) 2, table 1: spectrum. L. S. Finn, D. F. Chernoff, Phys. Rev. D 47 (1993) 2198: signal-to-noise
ratio. The discovery: B. P. Abbott et al., Phys. Rev. Lett. 116 (2016) 061102.
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count, require_positive, require_range

#: G M_sun / c^3 in seconds, and a million parsec divided by c in seconds.
SOLAR_MASS_S, MEGAPARSEC_S = 4.92549e-6, 1.029271e14

SAMPLING_RATE_HZ = 1024.0

#: Below, the ground shakes too much.
LOWEST_FREQUENCY_HZ = 20.0

#: Simulated before and after each trace, because whitening mixes neighbouring samples.
_PADDING_S = 0.5

_CHUNK = 256


def noise_spectrum(frequency_hz):
    """Power spectral density of the detector's noise, one-sided.

    Parameters
    ----------
    frequency_hz : array-like

    Returns
    -------
    numpy.ndarray
        In 1/Hz; infinite below 20 Hz.

    Examples
    --------
    >>> from course_lib.simulators import gravitational_waves
    >>> f"{gravitational_waves.noise_spectrum(215.0):.2e}"
    '3.30e-48'
    """
    frequency_hz = np.asarray(frequency_hz, dtype=float)
    x = np.maximum(frequency_hz, LOWEST_FREQUENCY_HZ) / 215.0
    density = 1e-49 * (x**-4.14 - 5 * x**-2 + 111 * (1 - x**2 + x**4 / 2) / (1 + x**2 / 2))
    return np.where(frequency_hz < LOWEST_FREQUENCY_HZ, np.inf, density)


def frequency_hz(time_left_s, chirp_mass_msun):
    """Frequency of the wave, twice that of the orbit.

    Parameters
    ----------
    time_left_s : array-like
        Before the merger; positive.
    chirp_mass_msun : array-like
        In solar masses.

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> from course_lib.simulators import gravitational_waves
    >>> round(float(gravitational_waves.frequency_hz(0.2, 30.0)), 1)
    33.0
    """
    mass_s = SOLAR_MASS_S * np.asarray(chirp_mass_msun, dtype=float)
    return (5 / (256 * np.asarray(time_left_s, dtype=float))) ** 0.375 * mass_s**-0.625 / np.pi


def time_left_s(frequency_hz, chirp_mass_msun):
    """Time before the merger at which the wave has a frequency: the inverse of `frequency_hz`.

    Parameters
    ----------
    frequency_hz, chirp_mass_msun : array-like

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> from course_lib.simulators import gravitational_waves
    >>> round(float(gravitational_waves.time_left_s(20.0, 10.0)), 1)
    4.7
    """
    mass_s = SOLAR_MASS_S * np.asarray(chirp_mass_msun, dtype=float)
    return 5 / 256 * (np.pi * np.asarray(frequency_hz, dtype=float)) ** (-8 / 3) * mass_s ** (-5 / 3)


def last_frequency_hz(chirp_mass_msun):
    """Frequency at the last stable orbit of two equal black holes.

    Parameters
    ----------
    chirp_mass_msun : array-like

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> from course_lib.simulators import gravitational_waves
    >>> round(float(gravitational_waves.last_frequency_hz(30.0)), 1)
    63.8
    """
    return 1 / (6**1.5 * np.pi * 2**1.2 * SOLAR_MASS_S * np.asarray(chirp_mass_msun, dtype=float))


def strain(times_s, chirp_mass_msun, merger_time_s, *, phase=0.0, distance_mpc=400.0):
    """Wave of an inspiral; zero after the last stable orbit.

    Parameters
    ----------
    times_s : array-like
    chirp_mass_msun, merger_time_s, phase, distance_mpc : float or array-like
        Broadcast against `times_s`.

    Returns
    -------
    numpy.ndarray
        Relative change of length, dimensionless.

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib.simulators import gravitational_waves
    >>> wave = gravitational_waves.strain(np.linspace(0, 1, 1025), 30.0, 0.9)
    >>> f"{abs(wave).max():.1e}", bool(wave[-1] == 0)
    ('1.3e-21', True)
    """
    mass_s = SOLAR_MASS_S * np.asarray(chirp_mass_msun, dtype=float)
    last_s = time_left_s(last_frequency_hz(chirp_mass_msun), chirp_mass_msun)
    left_s = np.asarray(merger_time_s, dtype=float) - np.asarray(times_s, dtype=float)
    inspiral = left_s > last_s
    left_s = np.maximum(left_s, last_s)
    amplitude = 4 * mass_s * (np.pi * mass_s * frequency_hz(left_s, chirp_mass_msun)) ** (2 / 3)
    amplitude = amplitude / (np.asarray(distance_mpc, dtype=float) * MEGAPARSEC_S)
    return inspiral * amplitude * np.cos(phase - 2 * (left_s / (5 * mass_s)) ** 0.625)


def optimal_snr(chirp_mass_msun, distance_mpc, *, lowest_hz=LOWEST_FREQUENCY_HZ, highest_hz=None):
    r"""Signal-to-noise ratio of the matched filter, in the stationary-phase approximation.

    .. math:: \rho^2=\frac{5}{6}\,\frac{\mu^{5/3}c^2}{\pi^{4/3}D^2}\int\frac{f^{-7/3}}{S(f)}\,df

    Parameters
    ----------
    chirp_mass_msun, distance_mpc : float
    lowest_hz, highest_hz : float, optional
        Range of frequencies; up to the last stable orbit if not given.

    Returns
    -------
    float

    Examples
    --------
    >>> from course_lib.simulators import gravitational_waves
    >>> round(gravitational_waves.optimal_snr(1.219, 445.0), 1)  # two neutron stars at the horizon
    8.9
    """
    highest_hz = last_frequency_hz(chirp_mass_msun) if highest_hz is None else highest_hz
    frequencies = np.geomspace(max(lowest_hz, LOWEST_FREQUENCY_HZ), highest_hz, 4000)
    integral = np.trapezoid(frequencies ** (-7 / 3) / noise_spectrum(frequencies), frequencies)
    mass_s = SOLAR_MASS_S * chirp_mass_msun
    return float(np.sqrt(5 / 6 * mass_s ** (5 / 3) * np.pi ** (-4 / 3) * integral) / (distance_mpc * MEGAPARSEC_S))


def whiten(strains):
    """Divide each frequency by the amplitude of the noise; frequencies below 20 Hz vanish.

    Parameters
    ----------
    strains : array-like, shape (..., n_samples)
        Sampled at 1024 Hz.

    Returns
    -------
    numpy.ndarray
        In units of the standard deviation of white noise. The first and last 0.1 s feel the ends of the trace.

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib.simulators import gravitational_waves
    >>> gravitational_waves.whiten(np.zeros(1024)).shape
    (1024,)
    """
    strains = np.asarray(strains, dtype=float)
    n_samples = strains.shape[-1]
    density = noise_spectrum(np.fft.rfftfreq(n_samples, d=1 / SAMPLING_RATE_HZ))
    # White noise of variance 1 at this rate has the one-sided density 2 / rate.
    return np.fft.irfft(np.fft.rfft(strains) * np.sqrt(2 / (SAMPLING_RATE_HZ * density)), n_samples)


def sample(
    n_traces,
    *,
    n_samples=1024,
    n_detectors=1,
    chirp_mass_range_msun=(10.0, 40.0),
    snr=(8.0, 20.0),
    signal_fraction=0.5,
    modulation=0.0,
    seed=None,
):
    """Draw whitened traces, some of them with an inspiral.

    Parameters
    ----------
    n_traces : int
    n_samples : int
        Length of a trace; 1024 are one second.
    n_detectors : int
        Streams with independent noise. The same wave arrives within 10 ms and with either sign.
    chirp_mass_range_msun : (float, float)
        Uniform in between, in solar masses.
    snr : float or (float, float)
        Signal-to-noise ratio of the matched filter in each detector; uniform in a pair.
    signal_fraction : float
        Share of traces with a signal.
    modulation : float
        0 for the training domain. Otherwise the amplitude swings by this fraction at 2 to 8 Hz, roughly as precession
        of spins does it: signals that a network has not seen.
    seed : int, optional

    Returns
    -------
    strains : numpy.ndarray, float32, shape (n_traces, n_samples, n_detectors)
        Whitened; noise has the variance 1 up to the missing frequencies below 20 Hz.
    signals : numpy.ndarray, float32, shape (n_traces, n_samples, n_detectors)
        The wave alone, whitened; zero without signal.
    labels : numpy.ndarray, int64, shape (n_traces,)
        1 with signal, in random order.
    chirp_masses_msun : numpy.ndarray, float64, shape (n_traces,)
        Zero without signal.
    merger_times_s : numpy.ndarray, float64, shape (n_traces,)
        From the beginning of the trace, at the first detector; zero without signal.
    snrs : numpy.ndarray, float64, shape (n_traces,)
        Zero without signal.

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import gravitational_waves
    >>> strains, signals, labels, *_ = gravitational_waves.sample(10, n_detectors=2, seed=0)
    >>> strains.shape, int(labels.sum())
    ((10, 1024, 2), 5)
    """
    n_traces = require_count("n_traces", n_traces)
    n_samples = require_count("n_samples", n_samples, minimum=512)
    n_detectors = require_count("n_detectors", n_detectors)
    lightest, heaviest = require_range("chirp_mass_range_msun", chirp_mass_range_msun)
    if lightest <= 0:
        raise ValueError(f"chirp_mass_range_msun must be positive, got {chirp_mass_range_msun!r}")
    if heaviest > 70:
        raise ValueError(f"chirp_mass_range_msun must end below 70: heavier pairs merge near 20 Hz, got {heaviest}")
    faintest, loudest = require_range("snr", (snr, snr) if np.isscalar(snr) else snr)
    if faintest <= 0:
        raise ValueError(f"snr must be positive, got {snr!r}")
    if not 0 <= signal_fraction <= 1:
        raise ValueError(f"signal_fraction must be between 0 and 1, got {signal_fraction!r}")
    modulation = require_positive("modulation", modulation, zero_allowed=True)

    rng = np.random.default_rng(seed)
    labels = (rng.permutation(n_traces) < round(signal_fraction * n_traces)).astype(np.int64)
    chirp_masses = labels * rng.uniform(lightest, heaviest, n_traces)
    length_s = n_samples / SAMPLING_RATE_HZ
    merger_times = labels * rng.uniform(0.7, 0.95, n_traces) * length_s
    snrs = labels * rng.uniform(faintest, loudest, n_traces)

    strains = np.empty((n_traces, n_samples, n_detectors), np.float32)
    signals = np.zeros_like(strains)
    n_padding = round(_PADDING_S * SAMPLING_RATE_HZ)
    times_s = (np.arange(n_samples + 2 * n_padding) - n_padding) / SAMPLING_RATE_HZ
    window = slice(n_padding, n_padding + n_samples)
    # Whitened noise is white noise without its low frequencies: no need to colour it first.
    low = np.fft.rfftfreq(len(times_s), d=1 / SAMPLING_RATE_HZ) < LOWEST_FREQUENCY_HZ
    fade = np.clip((times_s + _PADDING_S) / 0.2, 0, 1)
    for start in range(0, n_traces, _CHUNK):
        part = np.arange(start, min(start + _CHUNK, n_traces))
        noise = np.fft.rfft(rng.standard_normal((len(part), n_detectors, len(times_s)), dtype=np.float32))
        noise[..., low] = 0
        strains[part] = np.moveaxis(np.fft.irfft(noise, len(times_s))[..., window], 1, 2)
        some = part[labels[part] == 1]
        if len(some) == 0:
            continue
        phase = rng.uniform(0, 2 * np.pi, (len(some), 1))
        swing = 1 + modulation * np.sin(2 * np.pi * rng.uniform(2, 8, (len(some), 1)) * times_s + 2 * phase)
        for detector in range(n_detectors):
            delay_s = rng.uniform(-0.01, 0.01, len(some)) if detector else 0.0
            arrival_s = (merger_times[some] + delay_s)[:, None]
            wave = strain(times_s, chirp_masses[some, None], arrival_s, phase=phase) * swing * fade
            wave = whiten(wave)[:, window]
            wave *= (snrs[some] / np.sqrt((wave**2).sum(1)))[:, None]
            if detector:
                wave *= rng.choice([-1.0, 1.0], (len(some), 1))
            signals[some, :, detector] = wave
    strains += signals
    return strains, signals, labels, chirp_masses, merger_times, snrs


def matched_filter_score(strains, *, chirp_masses_msun=tuple(np.geomspace(10, 40, 24))):
    """Largest response of each trace to a bank of inspirals: the best linear detector for known shapes.

    Parameters
    ----------
    strains : array-like, shape (n, n_samples)
        Whitened, one detector.
    chirp_masses_msun : sequence of float
        The bank; phase and time are free.

    Returns
    -------
    scores : numpy.ndarray, float64, shape (n,)
        In units of the response's standard deviation for noise alone.
    best_masses_msun : numpy.ndarray, float64, shape (n,)
        Chirp mass of the template with that response.

    Raises
    ------
    ValueError
        For a wrong shape.

    Examples
    --------
    >>> from course_lib.simulators import gravitational_waves
    >>> strains, _, labels, *_ = gravitational_waves.sample(40, snr=12.0, seed=0)
    >>> scores, _ = gravitational_waves.matched_filter_score(strains[..., 0])
    >>> bool(scores[labels == 1].min() > scores[labels == 0].max())
    True
    """
    strains = np.asarray(strains, dtype=np.float32)
    if strains.ndim != 2:
        raise ValueError(f"strains must have the shape (n, n_samples), got {strains.shape}: pick one detector")
    n_samples = strains.shape[1]
    spectrum = np.fft.fft(strains)
    spectrum[:, n_samples // 2 :] = 0  # positive frequencies only: the modulus is then free of the phase
    scores, best = np.zeros(len(strains)), np.zeros(len(strains))
    n_padding = round(_PADDING_S * SAMPLING_RATE_HZ)
    times_s = (np.arange(n_samples + 2 * n_padding) - n_padding) / SAMPLING_RATE_HZ
    for chirp_mass in chirp_masses_msun:
        # Merging at 0.85 of the trace, so that shifts around a circle lose little of the wave.
        template = strain(times_s, chirp_mass, 0.85 * n_samples / SAMPLING_RATE_HZ)
        template = whiten(template * np.clip((times_s + _PADDING_S) / 0.2, 0, 1))[n_padding : n_padding + n_samples]
        template /= np.sqrt((template**2).sum())
        response = 2 * np.abs(np.fft.ifft(spectrum * np.fft.fft(template).conj().astype(np.complex64))).max(axis=1)
        better = response > scores
        scores[better], best[better] = response[better], chirp_mass
    return scores, best
