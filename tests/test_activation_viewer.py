"""What a unit says, and that the outlined pixels are all that it can see."""

import keras
import numpy as np
import pytest
from test_kernel_backed import BrandNew, network, request

from course_lib.explorables import ActivationViewer


def test_the_maps_are_the_outputs_of_the_layer():
    model, inputs, labels = network()
    viewer = ActivationViewer(model, inputs, labels, layer="last_maps", example=5, channel=2, row=1, column=2)
    expected = keras.Model(model.inputs[0], model.get_layer("last_maps").output)(inputs[5:6])[0]
    content = viewer.answer()
    np.testing.assert_allclose(np.moveaxis(content["maps"], 0, -1), expected, atol=1e-5)
    np.testing.assert_allclose(content["map"], expected[..., 2], atol=1e-5)
    assert content["activation"] == pytest.approx(float(expected[1, 2, 2]), abs=1e-5)
    assert content["silent"] == int((np.asarray(expected).max(axis=(0, 1)) <= 0).sum())


@pytest.mark.parametrize("position", [(0, 0), (1, 2), (3, 2)])
def test_the_outline_holds_all_that_matters_and_no_more(position):
    model, inputs, _ = network()
    viewer = ActivationViewer(model, inputs, layer="last_maps", channel=1, row=position[0], column=position[1])
    row, column, height, width = viewer.answer()["window"]
    part = keras.Model(model.inputs[0], model.get_layer("last_maps").output)

    def reaction(touched):
        """Largest change of the unit over all inputs when the touched pixels get brighter or darker."""
        stack = [inputs, *(inputs + sign * 30 * touched[..., None] for sign in (-1, 1))]
        units = np.asarray(part(np.concatenate(stack).astype(np.float32)))[(slice(None), *position, 1)].reshape(3, -1)
        return np.abs(units[1:] - units[0]).max()

    inside = np.zeros((12, 10), dtype=bool)
    inside[row : row + height, column : column + width] = True
    assert reaction(~inside) == pytest.approx(0, abs=1e-5)
    for line in (row, row + height - 1):
        assert reaction(inside & (np.arange(12)[:, None] == line)) > 0.1
    for line in (column, column + width - 1):
        assert reaction(inside & (np.arange(10) == line)) > 0.1


def test_a_subclassed_model_is_outlined_by_what_moves_the_unit():
    keras.utils.set_random_seed(2)
    model, inputs = BrandNew(), np.random.default_rng(0).normal(size=(3, 8, 8, 1)).astype(np.float32)
    model(inputs)
    content = ActivationViewer(model, inputs, layer="maps").answer()
    state = ActivationViewer(model, inputs, layer="maps").state
    # It opens at the strongest unit, which no ReLU switches off: its filter of 3 x 3 is all that it sees.
    assert content["window"] == [state["row"], state["column"], 3, 3]
    assert content["activation"] == pytest.approx(content["maps"].max())
    whole = ActivationViewer(model, inputs, layer="classes").answer()
    assert whole["window"] == [0, 0, 8, 8]


def test_a_silent_unit_has_no_outline_where_only_gradients_tell():
    model = BrandNew()
    model(np.zeros((1, 8, 8, 1)))
    model.maps.bias.assign(np.full(4, -1e3))
    message, _ = request(ActivationViewer(model, np.ones((1, 8, 8, 1)), layer="maps"), {})
    assert message["content"]["window"] is None
    assert "does not react to any pixel" in message["content"]["summary"]


def test_other_layers_bring_map_and_pixel_within_their_size():
    model, inputs, _ = network()
    viewer = ActivationViewer(model, inputs, layer=model.layers[0].name, channel=5, row=11, column=9)
    state = request(viewer, {"layer": "last_maps"})[0]["state"]
    assert [state[name] for name in ("channel", "row", "column")] == [4, 3, 2]
    state = request(viewer, {"layer": model.layers[-1].name})[0]["state"]
    assert [state[name] for name in ("channel", "row", "column")] == [2, 0, 0]


def test_the_outline_stands_in_the_static_figure():
    model, inputs, _ = network()
    viewer = ActivationViewer(model, inputs, layer="last_maps", row=1, column=1)
    row, column, height, width = viewer.answer()["window"]
    corners = [(s.y0, s.x0, s.y1, s.x1) for s in viewer.static_figure().layout.shapes]
    assert (row - 0.5, column - 0.5, row + height - 0.5, column + width - 0.5) in corners
