"""Time series: sine waves, radio traces, magnets before a quench, growing cracks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators._arguments import require_count


class SineWaves(NamedTuple):
    """Sampled sine waves.

    Attributes
    ----------
    times_s : numpy.ndarray, float64, shape (n_steps,)
    values : numpy.ndarray, float64, shape (n, n_steps)
    angular_frequencies : numpy.ndarray, float64, shape (n,)
        In rad/s.
    """

    times_s: np.ndarray
    values: np.ndarray
    angular_frequencies: np.ndarray


class RadioPulses(NamedTuple):
    """Radio traces with and without an air-shower pulse.

    Attributes
    ----------
    traces : numpy.ndarray, float32, shape (n, n_samples)
        In units of the noise's expected root mean square, sampled at 180 MHz.
    signals : numpy.ndarray, float32, shape (n, n_samples)
        The pulse alone; zero in traces without. The target of de-noising, never an input.
    labels : numpy.ndarray, int64, shape (n,)
        1 with pulse, 0 without.
    """

    traces: np.ndarray
    signals: np.ndarray
    labels: np.ndarray


class MagnetCurrents(NamedTuple):
    """Logs of superconducting magnets.

    Attributes
    ----------
    voltages_mv : numpy.ndarray, float32, shape (n, n_steps)
        Residual voltage between the halves of the magnet, every 0.4 s.
    currents_a : numpy.ndarray, float32, shape (n, n_steps)
    quench_times_s : numpy.ndarray, float64, shape (n,)
        From the beginning of the window; infinite without quench.
    n_precursors : numpy.ndarray, int64, shape (n,)
        Spikes hidden in the window before the quench.
    """

    voltages_mv: np.ndarray
    currents_a: np.ndarray
    quench_times_s: np.ndarray
    n_precursors: np.ndarray


class CrackGrowth(NamedTuple):
    """Sheets of fuses on their way to failure.

    Attributes
    ----------
    damage : numpy.ndarray, int8, shape (n, n_frames, size, size)
        Burnt fuses of each cell: 0, 1 or 2. The first frame is intact, the last one shows the sheet just before the
        fuse that breaks it.
    currents : numpy.ndarray, float32, shape (n, n_frames, size, size)
        Absolute current of each vertical fuse at fixed voltage, in units of the intact sheet's current.
    n_burnt : numpy.ndarray, int64, shape (n, n_frames)
        Burnt fuses in each frame.
    n_to_failure : numpy.ndarray, int64, shape (n,)
        Burnt fuses when the sheet breaks.
    strengths : numpy.ndarray, float64, shape (n,)
        Largest total current that the sheet carried, divided by its width: the breaking stress.
    """

    damage: np.ndarray
    currents: np.ndarray
    n_burnt: np.ndarray
    n_to_failure: np.ndarray
    strengths: np.ndarray


def make_sine_waves(
    n_series=1,
    *,
    n_steps=10_000,
    time_step_s=0.01,
    angular_frequency_range=(np.pi, np.pi),
    amplitude_range=(1.0, 1.0),
    noise=0.0,
    seed=None,
):
    """Sampled sine waves; see `course_lib.simulators.sine_waves`.

    The defaults are one wave of period 2 s, sampled 200 times a period, as in exercise 9.1.

    Parameters
    ----------
    n_series, n_steps : int
    time_step_s : float
    angular_frequency_range, amplitude_range : (float, float)
        Uniform in between; frequencies in rad/s.
    noise : float
        Standard deviation of independent Gaussian errors.
    seed : int, optional

    Returns
    -------
    SineWaves

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_sine_waves
    >>> waves = make_sine_waves(5, n_steps=400, angular_frequency_range=(2.5, 3.8), noise=0.02, seed=0)
    >>> waves.values.shape
    (5, 400)
    """
    from course_lib.simulators import sine_waves

    return SineWaves(
        *sine_waves.sample(
            n_series,
            n_steps=n_steps,
            time_step_s=time_step_s,
            angular_frequency_range=angular_frequency_range,
            amplitude_range=amplitude_range,
            noise=noise,
            seed=seed,
        )
    )


def make_radio_pulses(
    n_traces=10_000, *, n_samples=500, snr=2.0, decay_us=0.2, signal_fraction=0.5, n_transmitters=0, seed=None
):
    """Radio traces with and without an air-shower pulse; see `course_lib.simulators.radio_pulses`.

    Parameters
    ----------
    n_traces : int
    n_samples : int
        Length of a trace, at 180 MHz.
    snr : float or (float, float)
        Largest absolute value of the pulse in units of the noise's root mean square; uniform in a pair.
    decay_us : float
        Decay time of the pulse.
    signal_fraction : float
        Share of traces with a pulse.
    n_transmitters : int
        Largest number of narrow-band carriers in a trace.
    seed : int, optional

    Returns
    -------
    RadioPulses

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_radio_pulses
    >>> traces, signals, labels = make_radio_pulses(100, snr=(0.5, 3.0), n_samples=256, seed=0)
    >>> traces.shape
    (100, 256)
    """
    from course_lib.simulators import radio_pulses

    options = {"snr": snr, "decay_us": decay_us, "signal_fraction": signal_fraction}
    return RadioPulses(
        *radio_pulses.sample(n_traces, n_samples=n_samples, n_transmitters=n_transmitters, seed=seed, **options)
    )


def make_magnet_currents(n_series=200, *, n_steps=4500, quench_fraction=0.5, noise_mv=0.4, seed=None):
    """Logs of superconducting magnets; see `course_lib.simulators.magnet_currents`.

    Parameters
    ----------
    n_series : int
    n_steps : int
        Records a window, 0.4 s apart; 4500 are half an hour.
    quench_fraction : float
        Share of windows that end in a quench.
    noise_mv : float
        Standard deviation of the noise.
    seed : int, optional

    Returns
    -------
    MagnetCurrents

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_magnet_currents
    >>> make_magnet_currents(4, n_steps=1000, seed=0).currents_a.shape
    (4, 1000)
    """
    from course_lib.simulators import magnet_currents

    return MagnetCurrents(
        *magnet_currents.sample(
            n_series, n_steps=n_steps, quench_fraction=quench_fraction, noise_mv=noise_mv, seed=seed
        )
    )


def make_crack_growth(n_sheets=50, *, size=16, n_frames=12, threshold_range=(0.5, 1.5), seed=None):
    """Sheets of fuses on their way to failure; see `course_lib.simulators.crack_growth`.

    Parameters
    ----------
    n_sheets : int
    size : int
        Fuses from bar to bar and around, 3 to 48.
    n_frames : int
        At least 2; evenly spaced in the number of burnt fuses, first and last included. A sheet that breaks after
        fewer fuses shows some states twice.
    threshold_range : (float, float)
        Of the fuses' uniform thresholds.
    seed : int, optional

    Returns
    -------
    CrackGrowth

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_crack_growth
    >>> make_crack_growth(2, size=8, seed=0).damage.shape
    (2, 12, 8, 8)
    """
    from threadpoolctl import threadpool_limits

    from course_lib.simulators import crack_growth

    n_sheets = require_count("n_sheets", n_sheets)
    n_frames = require_count("n_frames", n_frames, minimum=2)
    damage, currents, n_burnt, n_to_failure, strengths = [], [], [], [], []
    # On a busy machine threads that wait for each other after each small matrix cost twenty times the work.
    with threadpool_limits(1, user_api="blas"):
        for sheet_seed in np.random.SeedSequence(seed).spawn(n_sheets):
            burnt, voltages, conductances = crack_growth.break_sheet(
                size, threshold_range=threshold_range, seed=sheet_seed
            )
            counts = np.round(np.linspace(0, len(burnt) - 1, n_frames)).astype(np.int64)
            frames = [crack_growth.maps(size, burnt[:count]) for count in counts]
            damage.append(np.stack([frame[0] for frame in frames]))
            currents.append(np.stack([frame[1] for frame in frames]))
            n_burnt.append(counts)
            n_to_failure.append(len(burnt))
            strengths.append((voltages * conductances).max() / size)
    return CrackGrowth(
        np.stack(damage), np.stack(currents), np.stack(n_burnt), np.array(n_to_failure), np.array(strengths)
    )
