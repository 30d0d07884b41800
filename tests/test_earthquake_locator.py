"""Figures 2.2 and 2.3: delays, circles, clock offsets, and the JavaScript twin."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import EarthquakeLocator
from course_lib.explorables.earthquake_locator import N_STEPS, arrivals, circle_radii, distances
from course_lib.simulators import earthquakes


def test_the_delay_is_linear_in_the_distance_17_5_km_for_a_second():
    radii_km = circle_radii([[0.0, 1.0], [3.0, 5.0]], 7.0, 5.0)
    np.testing.assert_allclose(radii_km, [17.5, 35.0])


def test_the_delay_does_not_know_when_the_quake_happened():
    early, late = (EarthquakeLocator(origin_time=time_s).radii_km() for time_s in (0, 5))
    np.testing.assert_allclose(early, late)


def test_with_natures_speeds_the_circles_meet_and_only_their_difference_of_slowness_counts():
    for x, y in [(0, 0), (-40, 33), (12.5, -8)]:
        right = EarthquakeLocator(x=x, y=y, v_p=7, v_s=5, step=N_STEPS)
        assert right.miss_km() == pytest.approx(0, abs=1e-9)
        np.testing.assert_allclose(right.radii_km(), distances(x, y))
    # 1/v_s - 1/v_p = 2/35 as well: circles alone cannot tell the speeds, the lines can.
    assert EarthquakeLocator(v_p=10, v_s=70 / 11, step=N_STEPS).miss_km() == pytest.approx(0, abs=1e-6)
    assert EarthquakeLocator(v_p=6, v_s=4, step=N_STEPS).miss_km() > 3


def test_clock_offsets_let_the_circles_miss_by_17_5_km_a_second():
    located = EarthquakeLocator(v_p=7, v_s=5, offsets=True, step=N_STEPS)
    p_offsets, s_offsets = earthquakes.CLOCK_OFFSETS_S.reshape(4, 2).T
    expected_km = 17.5 * (s_offsets - p_offsets)
    np.testing.assert_allclose(located.radii_km() - distances(16, 22), expected_km)
    assert located.miss_km() == pytest.approx(np.sqrt(np.mean(expected_km**2)))


def test_a_circle_appears_when_its_station_has_heard_the_slower_wave():
    arrivals_s = arrivals(16, 22)
    for step in (0, 10, 20, 30, N_STEPS):
        heard = EarthquakeLocator(step=step).heard()
        assert heard.tolist() == (arrivals_s[:, 1] <= step / 4).tolist()
    assert EarthquakeLocator(step=0).miss_km() is None
    # The animation is long enough for the farthest corner.
    assert arrivals(45, 45).max() < N_STEPS / 4
    assert EarthquakeLocator(step=N_STEPS, n_stations=2).heard().tolist() == [True, True, False, False]


def test_the_assumed_s_wave_stays_slower():
    assert EarthquakeLocator(v_p=4, v_s=8).state["v_s"] == 3.5


def test_both_languages_locate_alike():
    anywhere = lambda generator: float(np.round(generator.uniform(-45, 45), 1))  # noqa: E731
    states = javascript.random_states(EarthquakeLocator, 60, seed=3, x=anywhere, y=anywhere)
    states = [EarthquakeLocator(**state).state for state in states]
    results = javascript.call(EarthquakeLocator, [("located", state) for state in states])
    for state, theirs in zip(states, results, strict=True):
        ours = EarthquakeLocator(**state)
        np.testing.assert_allclose(theirs["radii"], ours.radii_km(), atol=1e-9)
        assert theirs["heard"] == ours.heard().tolist()
        assert theirs["miss"] == (None if ours.miss_km() is None else pytest.approx(ours.miss_km(), abs=1e-9))
