"""Inputs, activations and attributions as pictures; what is said about inputs and labels that do not fit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from test_kernel_backed import network

from course_lib.explorables import ActivationViewer, AttributionViewer, network_viewer

SHAPES = st.one_of(
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 4)),
    st.tuples(st.integers(1, 20), st.integers(1, 4)),
    st.tuples(st.integers(1, 20)),
)
VALUES = st.floats(-100, 100, width=32)


@settings(deadline=None)
@given(SHAPES.flatmap(lambda shape: arrays.arrays(np.float32, shape, elements=VALUES)))
def test_maps_and_pictures_keep_what_they_should(value):
    drawn = network_viewer.as_map(value)
    assert drawn.ndim == 2
    np.testing.assert_allclose(drawn.sum(dtype=np.float64), value.sum(dtype=np.float64), atol=1e-2)
    picture = network_viewer.as_picture(value, {"kind": "diverging"})
    assert picture.shape == drawn.shape
    stack = network_viewer.as_maps(value)
    assert stack.ndim == 3 and len(stack) == value.shape[-1]
    np.testing.assert_array_equal(stack[-1].ravel(), value[..., -1].ravel())


@pytest.mark.parametrize(
    ("inputs", "kind", "low", "high"),
    [
        (np.full((2, 4, 4, 3), 0.5), "colours", 0, 0.5),
        (np.where(np.eye(4)[None, ..., None] > 0, 1.0, -1.0), "spins", -1, 1),
        (np.array([[-0.5, 2.0]]), "diverging", -2, 2),
        (np.array([[0.0, 3.0]]), "intensity", 0, 3),
    ],
)
def test_inputs_choose_their_colours(inputs, kind, low, high):
    assert network_viewer.input_colours(inputs) == {"kind": kind, "low": low, "high": high}


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 9))
def test_a_mosaic_holds_each_picture_once_with_gaps_between(count, rows, columns):
    stack = np.arange(count * rows * columns, dtype=np.float32).reshape(count, rows, columns)
    array, n_shown = network_viewer.mosaic(stack)
    kept = np.sort(array[np.isfinite(array)])
    np.testing.assert_array_equal(kept, np.arange(n_shown * rows * columns))


def test_colour_images_stay_colour_images():
    image = np.random.default_rng(0).uniform(size=(1, 5, 4, 3))
    colours = network_viewer.input_colours(image)
    picture = network_viewer.Picture(
        network_viewer.as_picture(image[0], colours), "sky", colours, boxes=((1, 2, 3, 2),)
    )
    figure = network_viewer.figure_of_pictures([picture], title="t", summary="s")
    np.testing.assert_array_equal(np.asarray(figure.data[0].z), np.uint8(255 * image[0] / image.max()))
    box = figure.layout.shapes[0]
    assert (box.x0, box.x1, box.y0, box.y1) == (1.5, 3.5, 0.5, 3.5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"inputs": np.zeros((3, 12, 10))}, r"Inputs must have the shape \(n, 12, 10, 2\)"),
        ({"inputs": np.zeros((0, 12, 10, 2))}, r"needs at least one input"),
        ({"inputs": np.full((1, 12, 10, 2), np.nan)}, r"is nan"),
        ({"labels": [0, 1]}, r"labels must be one whole number for each of the 14 inputs"),
        ({"labels": np.eye(14)[:, :3]}, r"take labels.argmax\(axis=1\)"),
        ({"labels": np.full(14, 3)}, r"labels must lie between 0 and 2, but hold 3..3"),
        ({"class_names": ["a", "b"]}, r"class_names must name 3 classes"),
        ({"layer": "nowhere"}, r"layer must be one of .*'last_maps'.*; seen: 'nowhere'"),
        ({"example": 14}, r"example must be a whole number from 0 to 13; seen: 14"),
    ],
)
def test_what_does_not_fit_is_told(change, words):
    model, inputs, labels = network()
    arguments = {"inputs": inputs, "labels": labels} | change
    with pytest.raises(ValueError, match=words):
        ActivationViewer(model, **arguments)


def test_softmax_inside_a_subclassed_model_is_found_at_once():
    import keras

    class Hidden(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(3)

        def call(self, values):
            return keras.ops.softmax(self.dense(values))

    model = Hidden()
    model(np.zeros((1, 4), dtype=np.float32))
    with pytest.raises(ValueError, match="still applies a softmax"):
        AttributionViewer(model, np.ones((2, 4)))
