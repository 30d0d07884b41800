"""Time series against exact recursions, analytic spectra, published cuts and Kirchhoff's laws."""

import math

import numpy as np
import pytest
from scipy import sparse, stats
from scipy.sparse.linalg import spsolve

from course_lib.data import make_crack_growth, make_magnet_currents, make_radio_pulses, make_sine_waves
from course_lib.simulators import crack_growth, magnet_currents, radio_pulses

# ---- sine waves


def test_sine_waves_obey_the_two_term_recursion():
    _, values, omega = make_sine_waves(20, n_steps=500, angular_frequency_range=(2.0, 5.0), seed=1)
    predicted = 2 * np.cos(omega[:, None] * 0.01) * values[:, 1:-1] - values[:, :-2]
    assert np.abs(predicted - values[:, 2:]).max() < 1e-12
    assert omega.min() >= 2 and omega.max() <= 5 and np.ptp(omega) > 1


def test_repeating_the_last_value_has_the_computed_error():
    _, values, _ = make_sine_waves(1, n_steps=10_001, seed=2)  # 50 periods of 2 s: any phase averages out
    error = np.mean(np.diff(values[0]) ** 2)
    assert math.isclose(error, 2 * math.sin(math.pi * 0.01 / 2) ** 2, rel_tol=1e-9)
    assert abs(error - 4.9e-4) < 0.1e-4  # the printed value


def test_sine_wave_spectrum_and_noise():
    times, values, _ = make_sine_waves(
        200,
        n_steps=1000,
        angular_frequency_range=(6 * math.pi, 6 * math.pi),
        amplitude_range=(0.5, 0.5),
        noise=0.02,
        seed=3,
    )
    spectrum = np.abs(np.fft.rfft(values)) / 500
    assert np.all(spectrum.argmax(1) == 30)  # 3 Hz in 10 s
    assert np.abs(spectrum[:, 30] - 0.5).max() < 5 * 0.02 / math.sqrt(500) * 1.1
    clean = make_sine_waves(
        200, n_steps=1000, angular_frequency_range=(6 * math.pi, 6 * math.pi), amplitude_range=(0.5, 0.5), seed=3
    ).values
    assert abs((values - clean).std() - 0.02) < 5 * 0.02 / math.sqrt(2 * values.size)
    assert math.isclose(times[-1], 9.99)


# ---- radio pulses


def best_cut_accuracy(score, labels):
    """Accuracy of the best single threshold, by sorting."""
    ordered = labels[np.argsort(score)]
    below = np.concatenate([[0], np.cumsum(ordered == 0)])
    above = np.concatenate([np.cumsum((ordered == 1)[::-1])[::-1], [0]])
    return (below + above).max() / len(labels)


@pytest.fixture(scope="module")
def radio():
    return make_radio_pulses(10_000, snr=2.0, seed=4)


def test_radio_noise_has_the_analytic_spectrum():
    traces, signals, labels = make_radio_pulses(20_000, signal_fraction=0.0, seed=5)
    assert not signals.any() and not labels.any()
    power = (np.abs(np.fft.rfft(traces.astype(float))) ** 2).mean(0)
    frequency = np.fft.rfftfreq(500, 1 / 180)
    inside = (frequency >= 30) & (frequency <= 80)
    assert power[~inside].max() < 1e-6 * power[inside].min()
    slope, _ = np.polyfit(np.log(frequency[inside]), np.log(power[inside]), 1)
    assert abs(slope + 2.6) < 0.02
    # Each power is exponential with its mean: 5 standard errors of 5 % scatter.
    law = frequency[inside] ** -2.6
    ratio = power[inside] / law
    assert np.abs(ratio / ratio.mean() - 1).max() < 5.5 / math.sqrt(20_000)
    assert abs((traces**2).mean() - 1) < 0.01


def test_radio_pulses_have_the_asked_ratio_band_and_place(radio):
    _, signals, labels = radio
    assert labels.sum() == 5000
    peaks = np.abs(signals[labels == 1]).max(1)
    assert np.allclose(peaks, 2.0, rtol=1e-5) and not signals[labels == 0].any()
    spectrum = np.abs(np.fft.rfft(signals[labels == 1].astype(float))) ** 2
    frequency = np.fft.rfftfreq(500, 1 / 180)
    assert spectrum[:, (frequency < 29.9) | (frequency > 80.1)].sum() < 1e-6 * spectrum.sum()
    place = np.abs(signals[labels == 1]).argmax(1) / 180
    assert place.min() > 0.45 and place.max() < 2.4
    assert make_radio_pulses(500, snr=(1.0, 3.0), seed=6).signals.max() <= 3.001


def test_published_single_cut_accuracies_are_reproduced(radio):
    """Syllabus of chapter 9 for 200 ns and a ratio of 2: 0.63, 0.67 and 0.90; its own error is about 0.01."""
    traces, _, labels = radio
    assert abs(best_cut_accuracy(np.abs(traces).max(1), labels) - 0.63) < 0.025
    assert abs(best_cut_accuracy((traces**2).sum(1), labels) - 0.67) < 0.025
    assert abs(best_cut_accuracy(radio_pulses.matched_filter_score(traces), labels) - 0.90) < 0.025


def test_matched_filter_equals_a_plain_scan_and_is_normalised():
    traces = make_radio_pulses(3000, signal_fraction=0.0, seed=7).traces.astype(float)
    _, amplitude = radio_pulses.noise_amplitudes(500)
    inside = np.flatnonzero(amplitude > 0)
    weight = 1 / (2 * amplitude[inside] ** 2)
    spectra = np.fft.rfft(traces)[:, inside]
    score = radio_pulses.matched_filter_score(traces[:5])
    best = np.zeros(5)
    for centre_mhz in (45, 48, 51, 54, 57, 60):
        template = np.fft.rfft(radio_pulses.pulse(np.arange(500) / 180, centre_mhz=centre_mhz, phase=0.0))[inside]
        norm = np.sqrt((np.abs(template) ** 2 * weight).sum())
        # At a fixed time the squared response to noise alone is exponential with mean 1.
        fixed = np.abs((spectra * template.conj() * weight).sum(1) / norm) ** 2
        assert stats.kstest(fixed, stats.expon.cdf).pvalue > 1e-7
        for shift in range(500):
            turn = np.exp(2j * np.pi * inside * shift / 500)
            response = np.abs((spectra[:5] * template.conj() * weight * turn).sum(1)) / norm
            best = np.maximum(best, response)
    assert np.allclose(score, best)


def test_transmitters_add_narrow_lines():
    quiet = make_radio_pulses(2000, signal_fraction=0.0, seed=8)
    loud = make_radio_pulses(2000, signal_fraction=0.0, n_transmitters=3, seed=8)
    # 1.5 carriers on average with mean square amplitude <a^2>/2, a uniform in 0.2 to 1.
    expected = 1.5 * ((1 - 0.2**3) / (3 * 0.8)) / 2
    assert abs((loud.traces**2).mean() - (quiet.traces**2).mean() - expected) < 0.05


# ---- magnets before a quench


def test_noise_is_white_plus_one_over_f():
    noise = magnet_currents.coloured_noise(4000, 1024, np.random.default_rng(9))
    assert abs((noise**2).mean() - 1) < 0.01
    power = (np.abs(np.fft.rfft(noise)) ** 2).mean(0)
    bins = np.arange(1, 512)
    inverse = 1 / bins
    expected = 512 * (1 + inverse / inverse.sum() * 512)  # half white, half 1/f, summed power 1024
    assert np.abs(power[1:512] / expected - 1).max() < 6 / math.sqrt(4000) + 0.01


def test_inductive_voltage_is_the_imbalance_times_the_slope_of_the_current():
    voltages, currents, _, n_precursors = make_magnet_currents(300, quench_fraction=0.0, noise_mv=0.0, seed=10)
    slope = np.diff(currents.astype(float)) / 0.4
    quiet = np.flatnonzero(n_precursors <= 12)
    assert len(quiet) > 20
    for series in quiet[:20]:
        ramping = slope[series] > 9
        flat = np.abs(slope[series]) < 1e-6
        # L dI/dt = 1 V, of which 0.5 % remain; spikes only add. The median ignores them.
        if ramping.sum() > 200:
            assert abs(np.median(voltages[series, :-1][ramping]) - 5.0) < 0.2
        if flat.sum() > 200:
            assert abs(np.median(voltages[series, :-1][flat])) < 0.2
    assert currents.max() <= 11_850 * 1.0001 and currents.min() >= 0


def test_precursors_are_as_many_as_the_rate_says():
    duration = 4500 * 0.4
    _, _, quench_times, n_precursors = make_magnet_currents(600, seed=11)
    healthy = ~np.isfinite(quench_times)
    mean = duration / 120
    assert abs(n_precursors[healthy].mean() - mean) < 5 * math.sqrt(mean / healthy.sum())
    grid = np.linspace(0, 1, 20_001)
    expected = []
    for quench_time in quench_times[~healthy]:  # numerical integral of the rate up to the quench
        t = grid * quench_time
        rate = 1 / 120 * (1 + 20 * np.exp(-(quench_time - t) / 600))
        expected.append(np.trapezoid(rate, t))
        assert math.isclose(expected[-1], magnet_currents.expected_precursors(quench_time, quench_time), rel_tol=1e-5)
    total = sum(expected)
    assert abs(n_precursors[~healthy].sum() - total) < 5 * math.sqrt(total)
    assert quench_times[~healthy].min() > 0.9 * duration


def test_spikes_are_found_where_the_voltage_jumps():
    voltages, _, quench_times, n_precursors = make_magnet_currents(50, quench_fraction=0.0, noise_mv=0.0, seed=12)
    jumps = (np.diff(voltages) > 0.5).sum(1)
    # Two spikes in one record, or one that starts in the first record, count once or not at all.
    assert np.all(jumps <= n_precursors + 1) and jumps.sum() > 0.85 * n_precursors.sum()
    assert np.isinf(quench_times).all()


def test_a_quench_rises_far_above_everything_else():
    voltages, _, quench_times, _ = make_magnet_currents(40, quench_fraction=1.0, seed=13)
    for series, when in enumerate(quench_times):
        after = voltages[series, int(when / 0.4) + 10 :]
        assert after.min() > 90


# ---- cracks


def kirchhoff_reference(size, intact):
    """Currents from a sparse solve, assembled fuse by fuse in another way."""
    rows, columns, values = [], [], []
    right = np.zeros((size + 1) * size)
    fuses, _ = crack_growth._lattice(size)
    for (a, b), alive in zip(fuses, intact, strict=True):
        if alive:
            rows += [a, a, b, b]
            columns += [a, b, b, a]
            values += [1.0, -1.0, 1.0, -1.0]
    matrix = sparse.csr_matrix((values, (rows, columns)), shape=((size + 1) * size,) * 2).tolil()
    for node in [*range(size), *range(size * size, size * size + size)]:
        matrix[node] = 0
        matrix[node, node] = 1
        right[node] = 1.0 if node < size else 0.0
    voltages = spsolve(matrix.tocsr(), right)
    return np.array([(voltages[a] - voltages[b]) * alive for (a, b), alive in zip(fuses, intact, strict=True)])


def test_every_fuse_connects_neighbours_once():
    fuses, _ = crack_growth._lattice(6)
    assert len(fuses) == 2 * 36 - 6 and len({frozenset(f.tolist()) for f in fuses}) == len(fuses)
    row, column = fuses // 6, fuses % 6
    vertical = (np.diff(row)[:, 0] == 1) & (np.diff(column)[:, 0] == 0)
    horizontal = (np.diff(row)[:, 0] == 0) & (np.diff(column)[:, 0] % 6 == 1)
    assert vertical.sum() == 36 and horizontal.sum() == 30


def test_currents_obey_kirchhoff_and_an_independent_solver():
    size = 8
    rng = np.random.default_rng(14)
    intact = rng.uniform(size=2 * size**2 - size) > 0.12
    flow = crack_growth.currents(size, intact)
    assert np.abs(flow - kirchhoff_reference(size, intact)).max() < 1e-8
    fuses, free = crack_growth._lattice(size)
    balance = np.zeros(free.size)
    np.add.at(balance, fuses[:, 0], flow)
    np.subtract.at(balance, fuses[:, 1], flow)
    assert np.abs(balance[free >= 0]).max() < 1e-9
    assert math.isclose(balance[:size].sum(), -balance[-size:].sum(), rel_tol=1e-9)


def test_current_beside_one_missing_fuse_is_four_over_pi():
    """Exact for the infinite lattice (Duxbury, Leath, Beale 1987); size 32 is within 0.5 %."""
    size = 32
    intact = np.ones(2 * size**2 - size, dtype=bool)
    intact[16 * size + 10] = False
    flow = crack_growth.currents(size, intact) * size
    assert abs(flow[16 * size + 11] / (4 / math.pi) - 1) < 0.005
    assert math.isclose(flow[16 * size + 9], flow[16 * size + 11], rel_tol=1e-6)


def test_fast_updates_equal_solving_anew_at_every_step():
    size = 10
    burnt, voltages, conductances = crack_growth.break_sheet(size, seed=15)
    thresholds = np.random.default_rng(15).uniform(0.5, 1.5, 2 * size**2 - size)
    intact = np.ones(len(thresholds), dtype=bool)
    for fuse, voltage, conductance in zip(burnt, voltages, conductances, strict=True):
        flow = kirchhoff_reference(size, intact)
        load = np.abs(flow) / thresholds
        assert load[fuse] >= load.max() * (1 - 1e-8)
        assert math.isclose(voltage, 1 / load.max(), rel_tol=1e-7)
        assert math.isclose(conductance, flow[:size].sum(), rel_tol=1e-7)
        intact[fuse] = False
    # Nothing connects the bars any more.
    fuses, _ = crack_growth._lattice(size)
    graph = sparse.csr_matrix((np.ones(intact.sum()), fuses[intact].T), shape=((size + 1) * size,) * 2)
    _, component = sparse.csgraph.connected_components(graph, directed=False)
    assert not set(component[:size]) & set(component[-size:])


def test_equal_thresholds_break_the_sheet_as_one():
    """Without disorder the first fuse to burn is at threshold, and the crack runs straight through."""
    burnt, voltages, _ = crack_growth.break_sheet(12, threshold_range=(1.0, 1.0), seed=16)
    assert math.isclose(voltages[0], 12.0, rel_tol=1e-9)
    assert len(burnt) == 12 and len(set((burnt // 12).tolist())) == 1


def test_crack_frames_are_consistent():
    cracks = make_crack_growth(4, size=10, n_frames=6, seed=17)
    assert cracks.damage.shape == cracks.currents.shape == (4, 6, 10, 10)
    assert not cracks.damage[:, 0].any() and np.allclose(cracks.currents[:, 0], 1.0, atol=1e-5)
    assert np.array_equal(cracks.damage.sum((2, 3)), cracks.n_burnt)
    assert np.array_equal(cracks.n_burnt[:, -1], cracks.n_to_failure - 1)
    assert np.all(np.diff(cracks.damage, axis=1) >= 0)
    # Every row of vertical fuses carries the same total current.
    totals = cracks.currents[:, 1:].sum(3)
    assert np.abs(totals / totals[:, :, :1] - 1).max() < 0.35  # absolute values: backward currents count twice
    assert np.all((cracks.strengths > 0.5) & (cracks.strengths < 1.0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make_sine_waves(2, noise=-1), "noise must be zero or a positive number"),
        (lambda: make_radio_pulses(5, snr=0), "snr must be positive"),
        (lambda: make_radio_pulses(5, signal_fraction=2), "signal_fraction must be between"),
        (lambda: radio_pulses.matched_filter_score(np.zeros(5)), "traces must have the shape"),
        (lambda: make_magnet_currents(5, quench_fraction=-1), "quench_fraction must be between"),
        (lambda: make_crack_growth(1, size=100), "size must be at most 48"),
        (lambda: make_crack_growth(1, threshold_range=(-1, 1)), "threshold_range must be positive"),
        (lambda: make_crack_growth(1, n_frames=1), "n_frames must be"),
        (lambda: crack_growth.currents(5, np.ones(3, dtype=bool)), "intact must have one entry a fuse"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
