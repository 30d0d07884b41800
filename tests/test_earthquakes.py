"""Arrival times of earthquakes against printed events, geometry and an independent location fit."""

import math

import numpy as np
import pytest
from scipy.optimize import least_squares

from course_lib.data import make_earthquakes, make_seismic_records
from course_lib.simulators import earthquakes

# Table 7.1 of Erdmann et al. (2021): x, y in km, then the eight times in s.
PRINTED = np.array(
    [
        [-15.5, -34.6, 6.52, 9.00, 7.25, 10.32, 3.39, 4.98, 5.06, 7.06],
        [3.8, -7.7, 3.31, 4.51, 2.59, 3.79, 1.79, 2.75, 0.95, 1.30],
        [-0.2, 29.1, 3.17, 4.31, 3.00, 4.37, 5.54, 8.00, 5.77, 8.06],
        [-16.4, -25.4, 5.23, 7.21, 6.22, 8.87, 2.17, 3.27, 4.37, 6.09],
    ]
)


def test_the_printed_events_are_reproduced():
    times_s = earthquakes.arrival_times(PRINTED[:, :2])
    # Coordinates are printed to 0.1 km, so 0.05 km sqrt(2) / 5 km/s, plus the rounding of times.
    assert np.abs(times_s - PRINTED[:, 2:]).max() < 0.05 * math.sqrt(2) / 5 + 0.005
    without = earthquakes.arrival_times(PRINTED[:, :2], clock_offsets_s=0.0)
    assert np.abs(without - PRINTED[:, 2:]).max() > 0.15


def test_the_printed_events_lie_near_the_border():
    assert np.abs(PRINTED[:, 0] - earthquakes.border(PRINTED[:, 1])).max() < 3 * 3.5


def test_delay_gives_the_distance():
    times_s, places, stations = make_earthquakes(300, jitter_s=0.0, clock_offsets_s=0.0, origin_time_s=2.5, seed=1)
    for event in range(0, 300, 37):
        for station in range(4):
            distance = math.dist(places[event], stations[station])
            delay = times_s[event, 2 * station + 1] - times_s[event, 2 * station]
            assert math.isclose(distance, 17.5 * delay, rel_tol=1e-9)
            assert math.isclose(times_s[event, 2 * station], 2.5 + distance / 7, rel_tol=1e-12)


def test_turning_the_map_permutes_the_stations():
    """The stations form a square: a quarter turn of the source moves its times to the next station."""
    places = earthquakes.epicentres(50, seed=2)
    turned = np.column_stack([-places[:, 1], places[:, 0]])
    times = earthquakes.arrival_times(places, clock_offsets_s=0.0).reshape(50, 4, 2)
    turned_times = earthquakes.arrival_times(turned, clock_offsets_s=0.0).reshape(50, 4, 2)
    # (x, y) -> (-y, x) moves upper left to lower left, upper right to upper left, ...
    assert np.allclose(turned_times[:, [2, 0, 3, 1]], times)


def test_an_independent_fit_finds_the_source():
    times_s, places, stations = make_earthquakes(20, jitter_s=0.0, clock_offsets_s=0.0, origin_time_s=3.0, seed=3)

    def residuals(parameters, times):
        distance = np.hypot(*(stations - parameters[:2]).T)
        return np.concatenate([parameters[2] + distance / 7, parameters[2] + distance / 5]) - times

    for times, place in zip(times_s, places, strict=True):
        ordered = np.concatenate([times[0::2], times[1::2]])
        starts = [(x, y, 0.0) for x in (-20, 20) for y in (-20, 20)]
        fits = [least_squares(residuals, start, args=(ordered,), xtol=1e-15) for start in starts]
        best = min(fits, key=lambda fit: fit.cost)
        assert math.dist(best.x[:2], place) < 0.01 and abs(best.x[2] - 3.0) < 1e-3


def test_reading_errors_have_the_asked_size_and_clocks_are_the_same_every_year():
    times_s, places, _ = make_earthquakes(20_000, jitter_s=0.05, seed=4)
    errors = times_s - earthquakes.arrival_times(places)
    n = errors.size
    assert abs(errors.std() - 0.05) < 5 * 0.05 / math.sqrt(2 * n)
    assert np.abs(errors.mean(0)).max() < 5 * 0.05 / math.sqrt(len(errors))
    assert np.abs(np.corrcoef(errors.T) - np.eye(8)).max() < 5 / math.sqrt(len(errors))


def test_sources_stay_on_the_map_around_the_border():
    places = earthquakes.epicentres(20_000, scatter_km=3.0, seed=5)
    assert np.abs(places).max() < 45
    scatter = places[:, 0] - earthquakes.border(places[:, 1])
    assert abs(scatter.std() - 3.0) < 5 * 3.0 / math.sqrt(2 * 20_000)


def test_wrong_shapes_are_named():
    with pytest.raises(ValueError, match=r"epicentres_km must have the shape \(n, 2\)"):
        earthquakes.arrival_times([1.0, 2.0])
    with pytest.raises(ValueError, match="one a channel"):
        make_earthquakes(3, clock_offsets_s=[0.1, 0.2])


def test_magnitudes_have_the_slope_of_gutenberg_and_richter():
    found = earthquakes.magnitudes(100_000, smallest=2.0, largest=20.0, slope=0.9, seed=6)
    # Maximum-likelihood slope of K. Aki (1965), with its error b / sqrt(n).
    slope = math.log10(math.e) / (found.mean() - 2.0)
    assert abs(slope - 0.9) < 5 * 0.9 / math.sqrt(100_000)
    cut = earthquakes.magnitudes(100_000, smallest=2.0, largest=3.0, seed=7)
    assert cut.min() >= 2 and cut.max() <= 3
    expected = (1 - 10**-0.5) / (1 - 10**-1)
    assert abs((cut < 2.5).mean() - expected) < 5 * math.sqrt(expected * (1 - expected) / 100_000)


def test_amplitudes_grow_with_magnitude_and_fall_with_distance():
    near, far, strong = earthquakes.amplitudes(
        [[0.0, 12.0], [0.0, 84.85], [0.0, 12.0]], [4.0, 4.0, 6.0], stations_km=[[0.0, 0.0]]
    )
    assert math.isclose(near[0], 10 * 10 / 13) and math.isclose(strong[1], 100 * near[1])
    assert math.isclose(near[0] / far[0], math.hypot(84.85, 5) / 13) and math.isclose(near[1], 3 * near[0])


def test_seismic_records_are_what_single_precision_cannot_hold():
    records = make_seismic_records(2000, seed=8)
    assert records.times_s.shape == records.amplitudes.shape == (2000, 50, 2)
    delay = records.times_s[..., 1] - records.times_s[..., 0]
    distance = np.linalg.norm(records.epicentres_km[:, None] - records.stations_km, axis=2)
    assert abs((17.5 * delay - distance).std() - 17.5 * 0.01 * math.sqrt(2)) < 0.01
    assert records.times_s.min() > 1.42e9 and records.times_s.max() < 1.61e9
    spacing = np.spacing(np.float32(records.times_s.max()))
    assert spacing == 128 and np.abs(delay).max() < spacing
    assert np.median(records.amplitudes) < 1
    assert make_seismic_records(20_000, n_stations=10, seed=10).amplitudes.max() == 1000  # saturated
    assert np.array_equal(records.stations_km, make_seismic_records(3, seed=9).stations_km)
