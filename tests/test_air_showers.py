"""Air showers against a second implementation of the model, an independent fit, symmetries and sampled laws."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.constants import speed_of_light
from scipy.optimize import least_squares

from course_lib.data import make_air_showers, make_shower_traces
from course_lib.simulators import air_showers


def plain_station(parameters, station_m):
    """Signal in VEM, time in s and its error at one station; the model written out a second time, in angles."""
    zenith, azimuth, x_m, y_m, log_energy_eev, t0_s = parameters
    east, north = station_m[0] - x_m, station_m[1] - y_m
    along = math.sin(zenith) * (east * math.cos(azimuth) + north * math.sin(azimuth))
    r_m = max(math.sqrt(east**2 + north**2 - along**2), 50.0)
    x = math.cos(zenith) ** 2 - math.cos(math.radians(38)) ** 2
    s38 = (math.exp(log_energy_eev) / 0.186) ** (1 / 1.031)
    s1000 = s38 * (1 + 0.980 * x - 1.68 * x**2 - 1.30 * x**3)
    beta = -2.5 + 0.3 / math.cos(zenith)
    signal = s1000 * (r_m / 1000) ** beta * ((r_m + 700) / 1700) ** beta
    time = t0_s + (-along + r_m**2 * math.cos(zenith) / 18_000) / speed_of_light
    return signal, time, math.hypot(20e-9, 150e-9 * r_m / 1000 / math.sqrt(max(signal, 0.1)))


def parameters_of(axis, core_m, log10_energy_ev):
    energy = math.log(10) * (log10_energy_ev - 18)
    return np.array([math.acos(axis[2]), math.atan2(axis[1], axis[0]), *core_m, energy, 0.0])


STEPS = np.array([1e-6, 1e-6, 1e-2, 1e-2, 1e-6, 1e-10])


def test_the_model_equals_its_second_implementation():
    _, _, axes, cores_m, log10_energy_ev = make_air_showers(5, seed=1)
    size_vem = air_showers.signal_at_1000_m(log10_energy_ev, axes[:, 2])
    stations_m = air_showers.station_positions()
    maps = air_showers.expected(axes, cores_m, size_vem)
    for event in range(5):
        parameters = parameters_of(axes[event], cores_m[event], log10_energy_ev[event])
        for row, column in ((0, 0), (4, 4), (3, 5), (8, 1)):
            plain = plain_station(parameters, stations_m[row, column])
            assert np.allclose([part[event, row, column] for part in maps], plain, rtol=1e-9)


def test_the_information_bound_equals_the_covariance_in_other_coordinates():
    """Fisher matrix in zenith, azimuth, core, log energy and time, from slopes of the second implementation."""
    _, _, axes, cores_m, log10_energy_ev = make_air_showers(6, seed=2, signal_noise=0.3)
    bound = air_showers.information_bound(axes, cores_m, log10_energy_ev, signal_noise=0.3)
    stations_m = air_showers.station_positions().reshape(-1, 2)
    for event in range(6):
        truth = parameters_of(axes[event], cores_m[event], log10_energy_ev[event])
        information = np.zeros((6, 6))
        for station in stations_m:
            signal, _, time_error = plain_station(truth, station)
            if signal <= 3:
                continue
            slopes = []
            for index, step in enumerate(STEPS):
                shift = np.eye(6)[index] * step
                above, below = plain_station(truth + shift, station), plain_station(truth - shift, station)
                slopes.append([(above[part] - below[part]) / (2 * step) for part in (0, 1)])
            signal_slope, time_slope = np.array(slopes).T
            information += np.outer(signal_slope, signal_slope) / (0.3**2 * signal + (0.03 * signal) ** 2)
            information += np.outer(time_slope, time_slope) / time_error**2
        scale = np.array([0.01, 0.01, 10, 10, 0.01, 1e-8])
        covariance = np.linalg.inv(information * np.outer(scale, scale)) * np.outer(scale, scale)
        angle = math.sqrt(covariance[0, 0] + math.sin(truth[0]) ** 2 * covariance[1, 1])
        assert bound.angle_deg[event] == pytest.approx(math.degrees(angle), rel=1e-4)
        assert bound.core_m[event] == pytest.approx(math.sqrt(covariance[2, 2] + covariance[3, 3]), rel=1e-4)
        assert bound.relative_energy[event] == pytest.approx(math.sqrt(covariance[4, 4]), rel=1e-4)


def test_a_least_squares_fit_of_simulated_showers_reaches_the_bound():
    n_events = 60
    # Strong showers: no station is near the trigger, which would bias its signal.
    showers = make_air_showers(n_events, log10_energy_range=(19.5, 20.0), max_zenith_deg=45, seed=3)
    bound = air_showers.information_bound(showers.axes, showers.cores_m, showers.log10_energy_ev)
    stations_m = air_showers.station_positions()
    pulls, chi2, n_free = [], 0.0, 0
    for event in range(n_events):
        heard = showers.signals_vem[event] > 5
        stations, signals = stations_m[heard], showers.signals_vem[event][heard].astype(float)
        times = showers.times_s[event][heard].astype(float)
        truth = parameters_of(showers.axes[event], showers.cores_m[event], showers.log10_energy_ev[event])
        truth_model = np.array([plain_station(truth, station) for station in stations])
        errors = np.sqrt(0.2**2 * truth_model[:, 0] + (0.03 * truth_model[:, 0]) ** 2)

        def residuals(values, *measured):
            stations, signals, times, errors, time_errors = measured
            model = np.array([plain_station(values, station) for station in stations])
            return np.concatenate([(model[:, 0] - signals) / errors, (model[:, 1] - times) / time_errors])

        fit = least_squares(
            residuals,
            truth,
            x_scale=[0.01, 0.01, 10, 10, 0.01, 1e-8],
            args=(stations, signals, times, errors, truth_model[:, 2]),
        )
        zenith, azimuth = fit.x[:2]
        found = [math.sin(zenith) * math.cos(azimuth), math.sin(zenith) * math.sin(azimuth), math.cos(zenith)]
        angle = math.degrees(math.asin(np.linalg.norm(np.cross(found, showers.axes[event]))))
        pulls.append([angle / bound.angle_deg[event], math.dist(fit.x[2:4], truth[2:4]) / bound.core_m[event]])
        chi2, n_free = chi2 + 2 * fit.cost, n_free + 2 * len(signals) - 6
    # The mean square of two pulls together has a standard error of at most sqrt(2 / n).
    assert np.all(np.abs((np.array(pulls) ** 2).mean(0) - 1) < 5 * math.sqrt(2 / n_events))
    assert abs(chi2 / n_free - 1) < 5 * math.sqrt(2 / n_free)


def test_more_noise_costs_information_and_fewer_stations_leave_parameters_open():
    _, _, axes, cores_m, log10_energy_ev = make_air_showers(50, seed=4)
    quiet, loud = (air_showers.information_bound(axes, cores_m, log10_energy_ev, signal_noise=f) for f in (0.2, 1.0))
    assert all(np.all(a < b) for a, b in zip(quiet, loud, strict=True))
    weak = air_showers.information_bound([[0.0, 0, 1]], [[100.0, 0]], [17.0])
    assert all(np.isnan(part).all() for part in weak)


def test_the_published_energy_scale():
    """E = 0.186 EeV S38^1.031 inverts the signal at 38 degrees, where attenuation is 1 by definition."""
    size = air_showers.signal_at_1000_m([18.0, 19.0], math.cos(math.radians(38)))
    assert np.allclose(0.186 * size**1.031, [1.0, 10.0])
    # Slightly more arrives from above; at 60 degrees, behind twice the air, half is lost.
    relative = air_showers.signal_at_1000_m(19.0, np.cos(np.radians([0, 60]))) / size[1]
    assert 1.0 < relative[0] < 1.2 and 0.4 < relative[1] < 0.6


def test_turning_a_shower_by_60_degrees_turns_its_map():
    positions = air_showers.station_positions().reshape(-1, 2)
    distances = np.linalg.norm(positions[:, None] - positions, axis=2)
    assert np.sort(distances[40])[1:8].round(6).tolist() == [1500.0] * 6 + [round(1500 * math.sqrt(3), 6)]
    turn = np.array([[0.5, -math.sqrt(0.75)], [math.sqrt(0.75), 0.5]])
    _, _, axes, cores_m, log10_energy_ev = make_air_showers(20, seed=5)
    turned_axes = np.column_stack([axes[:, :2] @ turn.T, axes[:, 2]])
    size = air_showers.signal_at_1000_m(log10_energy_ev, axes[:, 2])
    before = air_showers.expected(axes, cores_m, size)
    after = air_showers.expected(turned_axes, cores_m @ turn.T, size)
    gaps = np.linalg.norm((positions @ turn.T)[:, None] - positions, axis=2)
    old, new = np.nonzero(gaps < 1e-6)
    assert len(old) > 50
    for one, other in zip(before, after, strict=True):
        assert np.allclose(one.reshape(20, -1)[:, old], other.reshape(20, -1)[:, new], rtol=1e-9, atol=1e-15)


def test_axes_cores_and_energies_follow_their_laws():
    """All showers count (no trigger), so that the laws are exact; Kolmogorov-Smirnov at one in a million."""
    showers = make_air_showers(4000, min_stations=0, spectral_index=2.0, log10_energy_range=(18.5, 20.0), seed=6)
    assert np.allclose(np.linalg.norm(showers.axes, axis=1), 1)
    energy = 10.0 ** (showers.log10_energy_ev - 18.5)
    low, high = 1.0, 10.0**1.5
    laws = {
        "zenith": (1 - showers.axes[:, 2] ** 2) / 0.75,
        "azimuth": np.arctan2(showers.axes[:, 1], showers.axes[:, 0]) / (2 * np.pi) + 0.5,
        "core": showers.cores_m.ravel() / 1500 + 0.5,
        "energy": (1 / low - 1 / energy) / (1 / low - 1 / high),
    }
    for name, quantiles in laws.items():
        assert stats.kstest(quantiles, "uniform").pvalue > 1e-6, name


@pytest.mark.parametrize("layout", ["hexagonal", "square"])
def test_silent_stations_and_the_trigger(layout):
    showers = make_air_showers(500, layout=layout, seed=7)
    silent = np.isnan(showers.signals_vem)
    assert np.array_equal(silent, np.isnan(showers.times_s))
    assert showers.signals_vem[~silent].min() > 3
    assert (~silent).sum(axis=(1, 2)).min() >= 4
    order = np.argsort(showers.log10_energy_ev)
    stations = (~silent).sum(axis=(1, 2))[order]
    assert stations[-100:].mean() > 1.5 * stations[:100].mean()


def test_dead_and_saturated_stations():
    settings = {"log10_energy_range": (19.5, 20.0), "min_stations": 0}
    whole, damaged = (make_air_showers(1000, **settings, seed=8, **more) for more in ({}, {"dead_fraction": 0.25}))
    n_whole = np.isfinite(whole.signals_vem).sum()
    lost = 1 - np.isfinite(damaged.signals_vem).sum() / n_whole
    # Independent showers: their number of stations varies by 30 %.
    assert abs(lost - 0.25) < 5 * 0.3 * math.sqrt(2 / 1000)
    cut = make_air_showers(200, **settings, saturation_vem=500.0, seed=8)
    assert np.nanmax(cut.signals_vem) == 500.0 and np.nanmax(make_air_showers(200, **settings, seed=8)[1]) > 500.0


def test_footprints_have_a_gap_at_the_trigger():
    maps = air_showers.footprints(make_air_showers(300, seed=9).signals_vem)
    assert maps.dtype == np.float32 and np.isfinite(maps).all()
    assert maps[maps > 0].min() > math.log10(4) and maps.max() <= math.log10(2001)


def test_traces_of_detector_and_simulation_differ_as_stated():
    n_events = 2000
    means = []
    for kind, gain, decay, noise in (("simulated", 1.0, 8.0, 1.0), ("measured", 1.25, 12.0, 3.0)):
        traces, energies_eev = make_shower_traces(n_events, kind=kind, energy_range_eev=(99.9, 100), seed=10)
        signal = 10.0 ** traces.astype(float) - 1
        # Before the onset only |normal| noise: mean sqrt(2 / pi).
        quiet = signal[:, :8]
        spread = noise * math.sqrt(1 - 2 / math.pi)
        assert abs(quiet.mean() - noise * math.sqrt(2 / math.pi)) < 5 * spread / math.sqrt(quiet.size) + 1e-4
        # Sum of the pulse: a difference of two geometric series.
        integral = signal.sum(1).mean() - 80 * noise * math.sqrt(2 / math.pi)
        long, short = math.exp(-1 / decay), math.exp(-1 / decay - 0.5)
        pulse = gain * 30 * 10**0.8 * (1 / (1 - long) - 1 / (1 - short))
        # 10 % spread of size and of decay time, and the mean of the latter's log-normal law is 0.5 % up.
        assert abs(integral / pulse - 1) < 5 * 0.15 / math.sqrt(n_events) + 0.01
        means.append(integral)
    assert means[1] > 1.5 * means[0]
    assert len(np.unique(energies_eev)) == n_events


def test_bad_arguments_are_named():
    for argument, value in (
        ("layout", "triangular"),
        ("max_zenith_deg", 85.0),
        ("dead_fraction", 1.0),
        ("signal_noise", -1.0),
        ("saturation_vem", 0.0),
        ("log10_energy_range", (20.0, 19.0)),
    ):
        with pytest.raises(ValueError, match=f"{argument} must be"):
            make_air_showers(3, **{argument: value})
    with pytest.raises(ValueError, match="raise the energy"):
        make_air_showers(3, log10_energy_range=(16.0, 16.1))
    with pytest.raises(ValueError, match="kind must be"):
        make_shower_traces(3, kind="real")
    with pytest.raises(ValueError, match=r"cores_m must have the shape \(1, 2\)"):
        air_showers.information_bound([[0.0, 0, 1]], [0.0, 0.0], [19.0])
