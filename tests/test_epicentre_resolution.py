"""Figures 7.2 and 7.3: the eight times of the book's table, and the errors of the place against their theory."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import EpicentreResolution
from course_lib.explorables.epicentre_resolution import _reading_errors, locate, measure
from course_lib.simulators import earthquakes

STATIONS = earthquakes.STATIONS_KM

#: Rows of table 7.1 of the book: x, y in km, then tp1 ts1 ... ts4 in s.
TABLE = [
    [-15.5, -34.6, 6.52, 9.00, 7.25, 10.32, 3.39, 4.98, 5.06, 7.06],
    [3.8, -7.7, 3.31, 4.51, 2.59, 3.79, 1.79, 2.75, 0.95, 1.30],
    [-0.2, 29.1, 3.17, 4.31, 3.00, 4.37, 5.54, 8.00, 5.77, 8.06],
    [-16.4, -25.4, 5.23, 7.21, 6.22, 8.87, 2.17, 3.27, 4.37, 6.09],
]


@pytest.mark.parametrize("row", TABLE)
def test_the_times_are_those_of_the_table_and_lead_back_to_the_place(row):
    shown = EpicentreResolution(source_km=row[:2], jitter_s=0)
    np.testing.assert_allclose(shown.measure().times_s[0], row[2:], atol=0.02)
    # Printed to 0.01 s, the times fix the place to about 0.1 km.
    np.testing.assert_allclose(locate([row[2:]], STATIONS, earthquakes.CLOCK_OFFSETS_S)[0], row[:2], atol=0.3)


def test_without_reading_errors_the_place_is_exact_wherever_the_stations_stand():
    generator = np.random.default_rng(1)
    for _ in range(20):
        source, stations = generator.uniform(-40, 40, 2), generator.uniform(-40, 40, (4, 2))
        assert measure(source, stations, jitter_s=0).mean_km < 1e-9


def test_the_spread_is_that_of_error_propagation():
    source, jitter_s = np.array([-8.0, 25.0]), 0.001
    # Numerical slopes of the place with respect to each time.
    times_s = earthquakes.arrival_times(source[None])
    step = 1e-5
    slopes = np.array(
        [
            (locate(times_s + change, STATIONS, earthquakes.CLOCK_OFFSETS_S)[0] - source) / step
            for change in step * np.eye(8)
        ]
    )
    expected_km = jitter_s * np.sqrt((slopes**2).sum())
    seen_km = np.sqrt(2) * measure(source, STATIONS, jitter_s=jitter_s).sigma_km
    # 200 repetitions: the root mean square is known to 5 %.
    assert seen_km == pytest.approx(expected_km, rel=0.2)


def test_reading_errors_are_normal():
    errors = _reading_errors()
    assert errors.shape == (200, 8)
    assert abs(errors.mean()) < 0.1 and errors.std() == pytest.approx(1, abs=0.08)
    assert np.abs(np.corrcoef(errors.T) - np.eye(8)).max() < 0.3


def test_mean_is_not_sigma_and_far_away_is_worse():
    near = EpicentreResolution().measure()
    assert 1.1 < near.mean_km / near.sigma_km < np.sqrt(np.pi / 2) + 0.05
    assert EpicentreResolution(source_km=[-8, 40]).measure().mean_km > 1.4 * near.mean_km
    # Offsets of up to 0.2 s that nobody knows are hundreds of metres.
    assert EpicentreResolution(clocks_known=False, jitter_s=0).measure().mean_km > 0.3


def test_stations_on_one_line_are_told():
    shown = EpicentreResolution(stations_km=[[-15, 5], [-5, 5], [5, 5], [15, 5]])
    assert np.isnan(shown.measure().mean_km)
    assert "cannot tell its two sides apart" in shown.summary()
    assert javascript.call(EpicentreResolution, [("default.summary", shown.state)]) == [shown.summary()]


def test_both_languages_measure_the_same():
    states = javascript.random_states(
        EpicentreResolution,
        30,
        seed=3,
        source_km=lambda generator: generator.uniform(-45, 45, 2),
        stations_km=lambda generator: generator.uniform(-45, 45, (4, 2)),
    )
    results = javascript.call(EpicentreResolution, [("measure", state) for state in states])
    for state, theirs in zip(states, results, strict=True):
        ours = EpicentreResolution(**state).measure()
        np.testing.assert_allclose(theirs["estimates"], ours.estimates_km, atol=1e-6)
        seen = [theirs[name] for name in ("sigma", "mean", "median")]
        np.testing.assert_allclose(seen, [ours.sigma_km, ours.mean_km, ours.median_km], atol=1e-6)
