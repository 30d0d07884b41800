"""Figure 8.3: output size and touched pixels by brute force, pooling against printed numbers, the JavaScript twin."""

import itertools

import javascript
import numpy as np
import pytest

from course_lib.explorables import ConvolutionOperations
from course_lib.explorables.convolution_operations import dropped_lines, touch_counts

GEOMETRIES = [
    {"size": n, "kernel_size": k, "padding": p, "stride": s, "dilation": d}
    for n, k, p, s, d in itertools.product((5, 7, 8, 12), (1, 2, 3, 5), (0, 1, 3), (1, 2, 4), (1, 2, 3))
    if d * (k - 1) < n + 2 * p
]


def positions(size, kernel_size, padding, stride, dilation):
    """Every place of the filter along one axis: push it on until it no longer fits."""
    places, start = [], 0
    while start + dilation * (kernel_size - 1) < size + 2 * padding:
        places.append([start + dilation * point for point in range(kernel_size)])
        start += stride
    return places


@pytest.mark.parametrize("geometry", GEOMETRIES[::7])
def test_touched_pixels_by_brute_force(geometry):
    places = positions(**geometry)
    side = geometry["size"] + 2 * geometry["padding"]
    expected = np.zeros((side, side), dtype=int)
    for rows, columns in itertools.product(places, places):
        expected[np.ix_(rows, columns)] += 1
    assert np.array_equal(touch_counts(**geometry), expected)
    assert ConvolutionOperations(**geometry).output_size() == len(places)
    assert dropped_lines(**geometry) == side - 1 - places[-1][-1]


def test_the_geometries_of_the_figure():
    assert ConvolutionOperations(size=7, kernel_size=3, stride=2).output_size() == 3
    assert ConvolutionOperations(size=7, kernel_size=3, stride=1, dilation=2).output_size() == 3
    assert ConvolutionOperations(size=7, kernel_size=3, stride=1, padding=1).output_size() == 7
    assert dropped_lines(8, 3, stride=2) == 1


def test_the_dilation_is_lowered_until_the_filter_fits():
    operations = ConvolutionOperations(size=5, kernel_size=5, dilation=3)
    assert operations.state["dilation"] == 1
    operations.state = {"kernel_size": 2, "dilation": 3}
    assert operations.state["dilation"] == 3


def test_pooling_gives_the_printed_numbers():
    operations = ConvolutionOperations(mode="pooling")
    assert operations.pooled().tolist() == [[5, 9], [4, 2]]
    operations.state = {"pooling": "average"}
    assert operations.pooled().tolist() == [[3, 3.5], [2.5, 1]]
    operations.state = {"pool_size": 4, "pooling": "max"}
    assert operations.pooled().tolist() == [[9]]


def test_global_pooling_does_not_feel_a_cyclic_shift():
    for shift in range(4):
        changes = ConvolutionOperations(pool_size=4, shift=shift).changes()
        assert changes["max"] == 0
        assert changes["average"] == pytest.approx(0)


def test_a_shift_changes_max_pooling_less_than_a_stride():
    assert ConvolutionOperations(shift=1).changes() == {"max": 0.75, "average": 0.375, "stride": 2.0}
    # Not only of the printed picture: on average over random ones.
    generator = np.random.default_rng(7)
    gains = []
    for _ in range(300):
        changes = ConvolutionOperations(image=generator.normal(size=(4, 4)), shift=1).changes()
        gains.append(changes["stride"] - changes["max"])
    assert np.mean(gains) > 5 * np.std(gains) / np.sqrt(len(gains))


def test_both_languages_compute_the_same():
    states = javascript.random_states(
        ConvolutionOperations,
        60,
        seed=6,
        image=lambda generator: np.round(5 * generator.normal(size=(4, 4)), 1),
        size=lambda generator: int(generator.integers(5, 13)),
        kernel_size=lambda generator: int(generator.integers(1, 6)),
        stride=lambda generator: int(generator.integers(1, 5)),
    )
    every = [ConvolutionOperations(**state) for state in states]
    names = ("outputSize", "touchCounts", "droppedLines", "changes")
    calls = [(name, operations.state) for operations in every for name in names]
    results = iter(javascript.call(ConvolutionOperations, calls))
    for operations in every:
        geometry = {name: operations.state[name] for name in ("size", "kernel_size", "padding", "stride", "dilation")}
        assert next(results) == operations.output_size()
        assert np.array_equal(next(results), touch_counts(**geometry))
        assert next(results) == dropped_lines(**geometry)
        assert next(results) == pytest.approx(operations.changes())


def test_the_static_figure_of_each_page():
    counts, output = ConvolutionOperations(size=8).static_figure().data
    assert np.array_equal(np.array(counts.z), touch_counts(8, 3, stride=2))
    assert np.array(output.z).shape == (3, 3)
    picture, largest, average, strided = ConvolutionOperations(mode="pooling", shift=1).static_figure().data
    assert np.array(picture.z)[:, 0].tolist() == [0, 3, 2, 2]
    assert np.array(largest.z).tolist() == [[3, 9], [4, 3]]
    assert np.array(average.z).tolist() == [[2.25, 4.25], [2.5, 1]]
    assert np.array(strided.z).tolist() == [[0, 1], [2, 1]]


@pytest.mark.parametrize(("field", "value"), [("size", 4), ("stride", 0), ("mode", "both"), ("pool_size", 3)])
def test_bad_input_names_the_field(field, value):
    with pytest.raises(ValueError, match=f"ConvolutionOperations: {field} must be"):
        ConvolutionOperations(**{field: value})
