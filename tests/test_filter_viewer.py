"""The filters as they are stored, and which waves they let through."""

import keras
import numpy as np
import pytest
from test_kernel_backed import network, request

from course_lib.explorables import FilterViewer
from course_lib.explorables.filter_viewer import RESPONSE_SIZE, frequency_response


def test_the_weights_are_those_of_the_layer():
    model = network()[0]
    viewer = FilterViewer(model, layer="last_maps", filter=3, input_channel=4)
    kernel = np.asarray(model.get_layer("last_maps").kernel)
    content = viewer.answer()
    np.testing.assert_array_equal(content["chosen"], kernel[:, :, 4, 3])
    np.testing.assert_array_equal(np.moveaxis(content["filters"], 0, -1), kernel[:, :, 4])
    np.testing.assert_array_equal(np.moveaxis(content["channels"], 0, -1), kernel[:, :, :, 3])
    assert content["colours"]["high"] == pytest.approx(np.abs(kernel).max())
    assert content["bias"] == pytest.approx(float(model.get_layer("last_maps").bias[3]))
    assert content["sum"] == pytest.approx(kernel[:, :, 4, 3].sum(), abs=1e-6)


def test_an_answer_shows_the_weights_of_now():
    model = keras.Sequential([keras.layers.Input((5, 5, 1)), keras.layers.Conv2D(1, 2, use_bias=False)])
    viewer = FilterViewer(model)
    model.layers[0].kernel.assign(np.full((2, 2, 1, 1), 7.0))
    content = viewer.answer()
    assert content["sum"] == 28 and content["bias"] is None


def test_moving_to_a_smaller_layer_keeps_filter_and_channel_within_it():
    viewer = FilterViewer(network()[0], layer="last_maps", filter=4, input_channel=5)
    first = next(iter(viewer.setup()["layers"]))
    assert viewer.setup()["layers"][first] == [6, 3, 3, 2]
    state = request(viewer, {"layer": first})[0]["state"]
    assert (state["filter"], state["input_channel"]) == (4, 1)


def test_large_layers_are_shown_page_by_page():
    model = keras.Sequential([keras.layers.Input((5, 5, 1)), keras.layers.Conv2D(130, 2)])
    content = FilterViewer(model, filter=129).answer()
    assert content["first"] == 128 and len(content["filters"]) == 2


def test_the_frequency_response_is_the_amplitude_of_filtered_waves():
    kernel = np.random.default_rng(1).normal(size=(3, 2))
    response = frequency_response(kernel)
    rows, columns = np.mgrid[:40, :40]
    for down, right in [(0, 0), (3, 0), (-2, 5), (8, -8)]:
        wave = np.exp(2j * np.pi * (down * rows + right * columns) / RESPONSE_SIZE)
        filtered = sum(kernel[i, j] * wave[5 + i : 20 + i, 5 + j : 20 + j] for i in range(3) for j in range(2))
        middle = RESPONSE_SIZE // 2
        np.testing.assert_allclose(np.abs(filtered), response[middle + down, middle + right], rtol=1e-5, atol=1e-5)


def test_models_without_filters_are_told():
    dense = keras.Sequential([keras.layers.Input((5,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="needs a model with a Conv2D layer; this one has Dense"):
        FilterViewer(dense)
    with pytest.raises(ValueError, match="'maps' has no weights yet: call the model once"):
        FilterViewer(keras.Sequential([keras.layers.Conv2D(2, 3, name="maps")]))
    with pytest.raises(ValueError, match=r"layer must be one of .*; seen: 'nowhere'"):
        FilterViewer(network()[0], layer="nowhere")
