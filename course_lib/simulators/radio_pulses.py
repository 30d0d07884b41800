r"""Radio traces of an antenna that waits for air showers: short pulses in coloured noise.

Noise: Gaussian Fourier amplitudes :math:`\propto (f/50\,\mathrm{MHz})^{-1.3}` between 30 and 80 MHz, as the
synchrotron light of the galaxy gives, scaled to an expected root mean square of 1; optionally narrow-band
transmitters on top.

Pulse: a decaying oscillation, :math:`e^{-(t-t_0)/\tau}\cos(2\pi f_c(t-t_0)+\phi)` with a linear rise over
:math:`0.1\,\tau`, random start, phase and centre frequency (45 to 60 MHz), cut to the same band and scaled so that its
largest absolute value is the signal-to-noise ratio.

References
----------
Exercise 9.2 of the material to M. Erdmann, J. Glombitza, G. Kasieczka, U. Klemradt, Deep Learning for Physics Research
(2021), after M. Erdmann, F. Schlüter, R. Šmída, JINST 14 (2019) P04005. Spectrum of the galaxy: H. V. Cane,
MNRAS 189 (1979) 465. Matched filter: D. O. North, RCA report PTR-6C (1943).
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count, require_positive, require_range

SAMPLING_RATE_MHZ = 180.0

#: Range of frequencies that the antenna passes on.
BAND_MHZ = (30.0, 80.0)

#: Exponent of the amplitude spectrum of the galactic noise.
SPECTRAL_INDEX = -1.3

_CHUNK = 2048


def noise_amplitudes(n_samples):
    """Expected amplitude of the noise at each frequency of `numpy.fft.rfft`.

    Parameters
    ----------
    n_samples : int
        Length of a trace.

    Returns
    -------
    frequencies_mhz, amplitudes : numpy.ndarray, shape (n_samples // 2 + 1,)
        Amplitudes in units that make the expected root mean square of a trace 1; zero outside the band.

    Examples
    --------
    >>> from course_lib.simulators import radio_pulses
    >>> frequencies_mhz, amplitudes = radio_pulses.noise_amplitudes(500)
    >>> bool(amplitudes[frequencies_mhz < 30].max() == 0)
    True
    """
    frequencies_mhz = np.fft.rfftfreq(n_samples, d=1 / SAMPLING_RATE_MHZ)
    inside = _in_band(frequencies_mhz)
    amplitudes = np.zeros(len(frequencies_mhz))
    amplitudes[inside] = (frequencies_mhz[inside] / 50.0) ** SPECTRAL_INDEX
    # Parseval: each frequency stands for itself and its negative; E|c|^2 = 2 a^2 for real and imaginary part.
    power = 2 * (2 * amplitudes**2).sum() / n_samples**2
    return frequencies_mhz, amplitudes / np.sqrt(power)


def _in_band(frequencies_mhz):
    return (frequencies_mhz >= BAND_MHZ[0]) & (frequencies_mhz <= BAND_MHZ[1])


def pulse(times_us, *, centre_mhz, phase, start_us=0.0, decay_us=0.2):
    """Pulse before the antenna's band-pass, with an envelope that rises linearly to 1 and then decays.

    Parameters
    ----------
    times_us : array-like
    centre_mhz, phase, start_us, decay_us : float or array-like
        Broadcast against `times_us`.

    Returns
    -------
    numpy.ndarray
        Zero before the start.

    Examples
    --------
    >>> from course_lib.simulators import radio_pulses
    >>> float(radio_pulses.pulse(-1.0, centre_mhz=50.0, phase=0.0))
    0.0
    """
    since_us = np.asarray(times_us, dtype=float) - start_us
    rise_us = 0.1 * decay_us
    envelope = np.clip(since_us / rise_us, 0.0, 1.0) * np.exp(-np.maximum(since_us - rise_us, 0.0) / decay_us)
    return envelope * np.cos(2 * np.pi * centre_mhz * since_us + phase)


def sample(
    n_traces,
    *,
    n_samples=500,
    snr=2.0,
    decay_us=0.2,
    signal_fraction=0.5,
    n_transmitters=0,
    seed=None,
):
    """Draw traces, some of them with a pulse.

    Parameters
    ----------
    n_traces : int
    n_samples : int
        Length of a trace; 500 samples at 180 MHz are 2.78 us.
    snr : float or (float, float)
        Largest absolute value of the pulse in units of the noise's root mean square; a pair makes it uniform in
        between.
    decay_us : float
        Decay time of the pulse.
    signal_fraction : float
        Share of traces with a pulse.
    n_transmitters : int
        Up to so many (uniform) narrow-band carriers of amplitude 0.2 to 1 in each trace.
    seed : int, optional

    Returns
    -------
    traces : numpy.ndarray, float32, shape (n_traces, n_samples)
        Noise, transmitters and pulse, in units of the noise's expected root mean square.
    signals : numpy.ndarray, float32, shape (n_traces, n_samples)
        The pulse alone; zero in traces without.
    labels : numpy.ndarray, int64, shape (n_traces,)
        1 with, 0 without pulse, in random order.

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import radio_pulses
    >>> traces, signals, labels = radio_pulses.sample(10, seed=0)
    >>> traces.shape, int(labels.sum())
    ((10, 500), 5)
    """
    n_traces = require_count("n_traces", n_traces)
    n_samples = require_count("n_samples", n_samples, minimum=64)
    snr_range = require_range("snr", (snr, snr) if np.isscalar(snr) else snr)
    if snr_range[0] <= 0:
        raise ValueError(f"snr must be positive, got {snr!r}")
    decay_us = require_positive("decay_us", decay_us)
    n_transmitters = require_count("n_transmitters", n_transmitters, minimum=0)
    if not 0 <= signal_fraction <= 1:
        raise ValueError(f"signal_fraction must be between 0 and 1, got {signal_fraction!r}")
    rng = np.random.default_rng(seed)
    labels = (rng.permutation(n_traces) < round(signal_fraction * n_traces)).astype(np.int64)
    frequencies_mhz, amplitudes = noise_amplitudes(n_samples)
    inside = _in_band(frequencies_mhz)
    times_us = np.arange(n_samples) / SAMPLING_RATE_MHZ
    length_us = n_samples / SAMPLING_RATE_MHZ
    traces = np.empty((n_traces, n_samples), dtype=np.float32)
    signals = np.zeros((n_traces, n_samples), dtype=np.float32)
    for start in range(0, n_traces, _CHUNK):
        part = slice(start, min(start + _CHUNK, n_traces))
        n = part.stop - part.start
        spectrum = np.zeros((n, len(frequencies_mhz)), dtype=complex)
        spectrum[:, inside] = rng.standard_normal((n, inside.sum(), 2)).view(complex)[..., 0]
        noise = np.fft.irfft(spectrum * amplitudes, n_samples)
        for _ in range(n_transmitters):
            switched_on = rng.integers(0, 2, (n, 1))
            carrier_mhz, carrier_phase = rng.uniform(*BAND_MHZ, (n, 1)), rng.uniform(0, 2 * np.pi, (n, 1))
            strength = switched_on * rng.uniform(0.2, 1.0, (n, 1))
            noise += strength * np.sin(2 * np.pi * carrier_mhz * times_us + carrier_phase)
        # The same range in units of the trace as 0.5 to 2.2 us of 2.78 us.
        pulses = pulse(
            times_us,
            centre_mhz=rng.uniform(45.0, 60.0, (n, 1)),
            phase=rng.uniform(0, 2 * np.pi, (n, 1)),
            start_us=length_us * rng.uniform(0.18, 0.79, (n, 1)),
            decay_us=decay_us,
        )
        pulses = np.fft.irfft(np.fft.rfft(pulses) * inside, n_samples)
        pulses *= rng.uniform(*snr_range, (n, 1)) / np.abs(pulses).max(axis=1, keepdims=True)
        signals[part] = pulses * labels[part, None]
        traces[part] = noise + signals[part]
    return traces, signals, labels


def matched_filter_score(traces, *, decay_us=0.2):
    """Largest response of each trace to a bank of known pulses in the known noise.

    The best linear detector for a known shape: correlate with the pulse, weighted at each frequency by one over the
    noise power. Six centre frequencies, free phase and start.

    Parameters
    ----------
    traces : array-like, shape (n, n_samples)
    decay_us : float

    Returns
    -------
    numpy.ndarray, float64, shape (n,)
        In units of the response's standard deviation for noise alone.

    Examples
    --------
    >>> from course_lib.simulators import radio_pulses
    >>> traces, _, labels = radio_pulses.sample(400, snr=4.0, seed=0)
    >>> scores = radio_pulses.matched_filter_score(traces)
    >>> bool(scores[labels == 1].min() > scores[labels == 0].mean())
    True
    """
    traces = np.asarray(traces, dtype=float)
    if traces.ndim != 2:
        raise ValueError(f"traces must have the shape (n, n_samples), got {traces.shape}")
    n_samples = traces.shape[1]
    frequencies_mhz, amplitudes = noise_amplitudes(n_samples)
    inside = _in_band(frequencies_mhz)
    times_us = np.arange(n_samples) / SAMPLING_RATE_MHZ
    best = np.zeros(len(traces))
    weight = np.zeros(len(frequencies_mhz))
    weight[inside] = 1 / (2 * amplitudes[inside] ** 2)
    for centre_mhz in np.linspace(45.0, 60.0, 6):
        shape = np.fft.rfft(pulse(times_us, centre_mhz=centre_mhz, phase=0.0, decay_us=decay_us))
        # An analytic signal (no negative frequencies) makes the response independent of the phase.
        norm = np.sqrt((np.abs(shape) ** 2 * weight).sum())
        for start in range(0, len(traces), _CHUNK):
            spectrum = np.zeros((len(traces[start : start + _CHUNK]), n_samples), dtype=complex)
            spectrum[:, : len(weight)] = np.fft.rfft(traces[start : start + _CHUNK]) * shape.conj() * weight
            response = np.abs(np.fft.ifft(spectrum)).max(axis=1) * n_samples / norm
            best[start : start + _CHUNK] = np.maximum(best[start : start + _CHUNK], response)
    return best
