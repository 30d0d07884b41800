"""Chirps against Newtonian phase, stationary phase and a published horizon; traces against the matched filter."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.signal import welch

from course_lib.data import make_gravitational_waves
from course_lib.simulators import gravitational_waves as waves


def test_the_frequency_obeys_the_loss_of_energy():
    r"""Newtonian order: df/dt = 96/5 pi^(8/3) mu^(5/3) f^(11/3), by differences in time."""
    for mass in (1.2, 10.0, 35.0):
        left = np.linspace(0.3, 2.0, 50)
        step = 1e-5
        slope = (waves.frequency_hz(left - step, mass) - waves.frequency_hz(left + step, mass)) / (2 * step)
        law = 96 / 5 * math.pi ** (8 / 3) * (4.92549e-6 * mass) ** (5 / 3) * waves.frequency_hz(left, mass) ** (11 / 3)
        assert np.allclose(slope, law, rtol=1e-6)
        assert np.allclose(waves.time_left_s(waves.frequency_hz(left, mass), mass), left)


def test_the_phase_is_the_integral_of_the_frequency():
    """Zeros of the wave, found in the samples, are half a cycle of the integrated frequency apart."""
    times = np.arange(0, 4.9, 1 / 65536)
    values = waves.strain(times, 8.0, 5.0, phase=0.3)
    before = np.flatnonzero(np.signbit(values[:-1]) != np.signbit(values[1:]))
    zeros = times[before] - values[before] * (times[1] - times[0]) / (values[before + 1] - values[before])
    for first, second in list(itertools.pairwise(zeros))[::25]:
        assert quad(lambda t: float(waves.frequency_hz(5.0 - t, 8.0)), first, second)[0] == pytest.approx(0.5, abs=2e-3)


def test_the_first_discovery_has_its_frequencies_and_amplitude():
    """GW150914: detector frame 30.4 solar masses at 410 Mpc, from 35 Hz in 0.2 s, peak strain about 1e-21."""
    assert 0.1 < waves.time_left_s(35.0, 30.4) < 0.25
    peak = np.abs(waves.strain(np.linspace(0, 1, 8192), 30.4, 1.0, distance_mpc=410)).max()
    assert 0.8e-21 < peak < 1.8e-21


@pytest.mark.parametrize("mass", [5.0, 8.0, 15.0])
def test_the_signal_to_noise_ratio_of_samples_is_the_analytic_one(mass):
    n_samples = 40 * 1024
    wave = waves.strain(np.arange(n_samples) / 1024, mass, 35.0, distance_mpc=400)
    spectrum = np.abs(np.fft.rfft(wave) / 1024) ** 2
    density = waves.noise_spectrum(np.fft.rfftfreq(n_samples, 1 / 1024))
    found = math.sqrt(4 * (spectrum / density).sum() / 40)
    expected = waves.optimal_snr(mass, 400.0, highest_hz=min(512, waves.last_frequency_hz(mass)))
    assert found == pytest.approx(expected, rel=0.02)
    # The same from whitened samples.
    assert math.sqrt((waves.whiten(wave) ** 2).sum()) == pytest.approx(found, rel=1e-6)


def test_neutron_stars_are_heard_as_far_as_published():
    """Advanced LIGO at design: horizon of about 445 Mpc (range of 200 Mpc times 2.26) at a ratio of 8."""
    assert waves.optimal_snr(1.219, 445.0) == pytest.approx(8.0, rel=0.15)


def test_whitened_noise_is_white_above_20_hz_and_empty_below():
    strains = make_gravitational_waves(200, signal_fraction=0.0, n_detectors=2, seed=1).strains
    frequencies, density = welch(strains.astype(float), fs=1024, nperseg=256, axis=1)
    density = density.mean(axis=(0, 2)) * 512
    # 400 traces, each worth at least four independent segments.
    assert np.abs(density[frequencies >= 32][:-1] - 1).max() < 5 / math.sqrt(400 * 4)
    assert density[frequencies < 12].max() < 0.05
    one, two = strains[..., 0].ravel(), strains[..., 1].ravel()
    assert abs(np.corrcoef(one, two)[0, 1]) < 5 / math.sqrt(len(one))
    assert stats.kstest(one[::64] / one.std(), "norm").pvalue > 1e-6


def test_colouring_and_whitening_cancel():
    """White noise coloured with the spectrum has that spectrum, and comes back whitened."""
    rng = np.random.default_rng(2)
    white = rng.standard_normal((50, 8192))
    frequencies = np.fft.rfftfreq(8192, 1 / 1024)
    amplitude = np.where(
        frequencies < 20, 0, np.sqrt(np.where(frequencies < 20, 0, waves.noise_spectrum(frequencies)) / 2 * 1024)
    )
    coloured = np.fft.irfft(np.fft.rfft(white) * amplitude)
    bins, density = welch(coloured, fs=1024, nperseg=2048, axis=1)
    inside = (bins > 30) & (bins < 500)
    assert np.allclose(density.mean(0)[inside] / waves.noise_spectrum(bins[inside]), 1, atol=0.35)
    expected = np.fft.irfft(np.fft.rfft(white) * (frequencies >= 20))
    assert np.allclose(waves.whiten(coloured), expected, atol=1e-8)


def test_the_matched_filter_has_the_promised_ratio():
    strains, signals, labels, masses, _, snrs = make_gravitational_waves(2000, snr=(4.0, 12.0), seed=3)
    with_wave = labels == 1
    templates = signals[with_wave, :, 0].astype(float)
    assert np.allclose(np.sqrt((templates**2).sum(1)), snrs[with_wave], rtol=1e-5)
    responses = (strains[with_wave, :, 0] * templates).sum(1) / snrs[with_wave]
    # Known template, known time: Gaussian with the mean of the ratio and nearly the variance 1.
    pulls = responses - snrs[with_wave]
    assert abs(pulls.mean()) < 5 / math.sqrt(len(pulls)) and abs(pulls.std() - 1) < 0.08
    assert not signals[~with_wave].any() and not masses[~with_wave].any() and not snrs[~with_wave].any()


def test_the_bank_finds_waves_and_their_masses():
    strains, _, labels, masses, *_ = make_gravitational_waves(400, snr=12.0, seed=4)
    scores, best = waves.matched_filter_score(strains[..., 0])
    with_wave = labels == 1
    assert (scores[~with_wave] < 6.5).all() and (scores[with_wave] > 6.5).mean() > 0.98
    # A bank loses some of the ratio, and gains a little by choosing the largest response.
    assert 10.5 < scores[with_wave].mean() < 12.5
    assert np.median(np.abs(best[with_wave] / masses[with_wave] - 1)) < 0.05


def test_two_detectors_hear_the_same_wave_within_the_time_of_light():
    _, signals, labels, _, _, _ = make_gravitational_waves(60, n_detectors=2, signal_fraction=1.0, seed=5)
    assert labels.all()
    signs = []
    for one, two in np.moveaxis(signals, 2, 1).astype(float):
        correlation = np.correlate(two, one, "same")
        shift = np.abs(correlation).argmax() - 512
        assert abs(shift) <= 0.01 * 1024 + 1.5
        signs.append(np.sign(correlation[512 + shift]))
        assert np.abs(correlation).max() > 0.9 * math.sqrt((one @ one) * (two @ two))
    assert {-1.0, 1.0} == set(signs)


def test_waves_end_at_the_merger_and_modulation_changes_them():
    _, signals, _, masses, mergers, _ = make_gravitational_waves(40, signal_fraction=1.0, seed=6)
    times = np.arange(1024) / 1024
    for signal, merger in zip(signals[..., 0], mergers, strict=True):
        power = signal**2
        assert power[times > merger + 0.05].sum() < 0.02 * power.sum()
    assert mergers.min() >= 0.7 and mergers.max() <= 0.95
    assert masses.min() >= 10 and masses.max() <= 40
    swung = make_gravitational_waves(40, signal_fraction=1.0, modulation=0.8, seed=6).signals[..., 0]
    overlap = (swung * signals[..., 0]).sum(1) / np.sqrt((swung**2).sum(1) * (signals[..., 0] ** 2).sum(1))
    assert overlap.max() < 0.999 and np.median(overlap) < 0.97


def test_bad_arguments_are_named():
    for argument, value in (
        ("snr", 0.0),
        ("snr", (9.0, 8.0)),
        ("signal_fraction", 1.5),
        ("chirp_mass_range_msun", (0.0, 10.0)),
        ("chirp_mass_range_msun", (10.0, 90.0)),
        ("n_samples", 10),
        ("modulation", -1),
    ):
        with pytest.raises(ValueError, match=f"{argument} must"):
            make_gravitational_waves(2, **{argument: value})
    with pytest.raises(ValueError, match="pick one detector"):
        waves.matched_filter_score(np.zeros((2, 1024, 1)))
