"""Figure 8.5 against the numbers of the text, Keras layers, and its JavaScript twin."""

import os

import javascript
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.explorables import BandedMatrix
from course_lib.explorables import banded_matrix as model

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SIZES = [(5, 3, 1), (5, 5, 0), (8, 1, 2), (3, 7, 3)]


def test_the_counts_of_the_text():
    assert BandedMatrix().free_parameters() == (3, 15, 35)
    assert BandedMatrix().matrix().shape == (5, 7)


@given(st.integers(3, 12), st.integers(1, 7), st.integers(0, 3), st.sampled_from(model.STAGES))
def test_the_matrix_has_as_many_free_numbers_as_counted(length, kernel_size, padding, stage):
    kernel_size = min(kernel_size, length + 2 * padding)
    matrix = model.weight_matrix(stage, "pulse shape", length, kernel_size, padding)
    counted = model.free_parameters(length, kernel_size, padding)[model.STAGES.index(stage)]
    assert len(np.unique(matrix[matrix != 0])) == counted


@pytest.mark.parametrize(("length", "kernel_size", "padding"), SIZES)
def test_counts_are_those_of_keras_layers(length, kernel_size, padding):
    layers = pytest.importorskip("keras").layers
    counts = model.free_parameters(length, kernel_size, padding)
    padded = length + 2 * padding
    tied = layers.Conv1D(1, kernel_size, use_bias=False)
    tied.build((None, padded, 1))
    dense = layers.Dense(padded - kernel_size + 1, use_bias=False)
    dense.build((None, padded))
    assert (counts.convolution, counts.dense) == (tied.count_params(), dense.count_params())
    assert counts.locally_connected == kernel_size * (padded - kernel_size + 1)


@pytest.mark.parametrize("name", ["difference", "average", "pulse shape"])
@pytest.mark.parametrize(("length", "kernel_size", "padding"), SIZES)
def test_the_tied_matrix_is_a_correlation(name, length, kernel_size, padding):
    trace = model.padded_trace(length, padding, 1)
    matrix = model.weight_matrix("convolution", name, length, kernel_size, padding)
    expected = np.correlate(trace, model.filter_weights(name, kernel_size), "valid")
    np.testing.assert_allclose(matrix @ trace, expected, atol=1e-12)


def test_each_stage_contains_the_one_before():
    tied, local, dense = (model.weight_matrix(stage, "average", 6, 3, 1) for stage in model.STAGES)
    band = tied != 0
    assert (local[~band] == 0).all()
    np.testing.assert_array_equal(local[band], dense[band])
    assert (dense[~band] != 0).all()


def test_only_tied_weights_carry_a_shift_through():
    for stage in model.STAGES:
        explorable = BandedMatrix(length=10, stage=stage, pulse=3)
        before, after = explorable.matrix() @ explorable.trace(), None
        explorable.state = {"pulse": 4}
        after = explorable.matrix() @ explorable.trace()
        largest = np.abs(after[1:] - before[:-1]).max()
        assert largest == pytest.approx(model.shift_error(explorable.matrix(), model.padded_trace(10, 1, 3)))
        assert (largest < 1e-12) == (stage == "convolution")
        assert ("moves the output unchanged" in explorable.summary()) == (stage == "convolution")


def test_the_challenge_has_one_solution():
    solutions = [
        length for length in range(3, 13) if model.free_parameters(length, 3, 1).dense == model.TARGET_PARAMETERS
    ]
    assert solutions == [10]


def test_javascript_computes_the_same():
    states = [BandedMatrix(**state).state for state in javascript.random_states(BandedMatrix, 60, seed=5)]
    calls = []
    for state in states:
        calls += [("freeParameters", state), ("weightMatrix", state), ("paddedTrace", state)]
    results = iter(javascript.call(BandedMatrix, calls))
    for state in states:
        explorable = BandedMatrix(**state)
        assert tuple(next(results)) == explorable.free_parameters()
        np.testing.assert_allclose(next(results), explorable.matrix(), atol=1e-12)
        np.testing.assert_array_equal(next(results), explorable.trace())


def test_fields_that_contradict_each_other_are_brought_in_line():
    state = BandedMatrix(length=3, padding=0, kernel_size=7, pulse=9, row=9).state
    assert (state["kernel_size"], state["pulse"], state["row"]) == (3, 2, 0)


def test_static_figure_multiplies():
    explorable = BandedMatrix(stage="locally connected", row=2)
    weights, trace, output = (np.array(panel.z, dtype=float) for panel in explorable.static_figure().data)
    np.testing.assert_allclose(weights @ trace, output, atol=0.05)
