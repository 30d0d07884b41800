"""Figure 2.1: shapes, the harmless permutation, and the JavaScript twin."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import DataTypes
from course_lib.explorables.data_types import ENSEMBLE, KINDS, neighbour_likeness, node_sum, permutation, simulate

every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
def test_the_vector_holds_every_number_of_the_array_once(kind):
    for amount in (1, 4, 10):
        values, shape = simulate(kind, amount)
        assert len(values) == np.prod(shape)
        shown = DataTypes(kind=kind, amount=amount, permuted=True).vector()
        assert sorted(shown) == sorted(values)
    assert sum(int(np.prod(part)) for part in ENSEMBLE.values()) == len(simulate("ensemble", 1).values)


@every_kind
def test_a_node_with_permuted_weights_notices_nothing(kind):
    values = simulate(kind, 6).values
    assert node_sum(values, permutation(len(values))) == pytest.approx(node_sum(values, range(len(values))), abs=1e-9)


@pytest.mark.parametrize("kind", ["sequence", "camera", "film"])
def test_neighbours_are_alike_until_they_are_permuted(kind):
    values = simulate(kind, 5).values
    assert neighbour_likeness(values) > 0.4
    assert abs(neighbour_likeness(values[permutation(len(values))])) < 0.2


def test_a_permutation_is_one_and_moves_things():
    for n in (5, 40, 144, 250):
        order = permutation(n)
        assert sorted(order) == list(range(n))
        assert np.mean(np.array(order) == np.arange(n)) < 0.3


def test_the_pulse_rises_at_two_nanoseconds_and_is_as_high_as_asked():
    values, times_ns = simulate("sequence", 10).values, np.linspace(0, 10, 40)
    assert np.abs(values[times_ns < 2]).max() <= 0.3
    assert values.max() == pytest.approx(20, abs=0.5)  # rise time 1.2 ns: highest at 3.2 ns
    assert times_ns[values.argmax()] == pytest.approx(3.2, abs=0.4)


def test_the_shower_points_where_the_slider_says():
    for amount in (2, 5, 8):
        light = simulate("camera", amount).values.reshape(12, 12)
        row, column = np.mgrid[:12, :12]
        place = np.stack([column + 0.5 * (row % 2), row * np.sqrt(0.75)]).reshape(2, -1)
        axis = np.linalg.eigh(np.cov(place, aweights=np.where(light > 2, light, 0).ravel()))[1][:, -1]
        expected = np.array([np.cos(np.pi * amount / 10), np.sin(np.pi * amount / 10)])
        assert abs(axis @ expected) > 0.98


def test_the_ensemble_keeps_the_travel_times_of_both_waves():
    values = simulate("ensemble", 4).values
    stations, times_s = values[:8].reshape(4, 2), values[8:16].reshape(4, 2)
    distances_km = np.linalg.norm(stations - [16, 6], axis=1)
    np.testing.assert_allclose(times_s, distances_km[:, None] / [7, 5])


def test_both_languages_measure_the_same():
    cases = [(kind, amount) for kind in KINDS for amount in (1, 3, 10)]
    vectors = [simulate(*case).values.tolist() for case in cases]
    calls = [("simulate", *case) for case in cases]
    calls += [("permutation", len(values)) for values in vectors]
    calls += [("nodeSum", values, permutation(len(values))) for values in vectors]
    calls += [("neighbourLikeness", values) for values in vectors]
    theirs = javascript.call(DataTypes, calls)
    n = len(cases)
    for at, (case, values) in enumerate(zip(cases, vectors, strict=True)):
        np.testing.assert_allclose(theirs[at]["values"], values, atol=1e-12)
        assert tuple(theirs[at]["shape"]) == simulate(*case).shape
        assert theirs[n + at] == permutation(len(values))
        assert theirs[2 * n + at] == pytest.approx(node_sum(values, permutation(len(values))), abs=1e-9)
        assert theirs[3 * n + at] == pytest.approx(neighbour_likeness(values), abs=1e-9)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match=r"kind must be one of events, sequence, .* not 'sound'"):
        simulate("sound", 3)
