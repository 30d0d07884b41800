"""Maps side by side: the library's numbers, their sums, one scale for equal units."""

import keras
import numpy as np
import pytest
from test_introspection_attribution import dense
from test_kernel_backed import BrandNew, network, request

from course_lib import introspection
from course_lib.explorables import AttributionViewer
from course_lib.explorables.attribution_methods import METHODS, Method, chosen_methods

EVERY = list(METHODS)


def tiles_of(content):
    return {tile["name"]: tile for tile in content["tiles"]}


def scores_by_hand(model, inputs):
    """Scores before the softmax, from the weights of the last layer."""
    before = keras.Model(model.inputs[0], model.layers[-2].output)(inputs)
    kernel, bias = model.layers[-1].get_weights()
    return np.asarray(before) @ kernel + bias


def test_every_method_shows_its_own_map_and_the_sum_of_it():
    model, inputs, labels = network()
    viewer = AttributionViewer(model, inputs, labels, methods=EVERY, example=3, target=1, baseline=0.2)
    content = viewer.complete_answer()
    tiles = tiles_of(content)
    expected = {
        "saliency": introspection.saliency(model, inputs[3:4], 1),
        "SmoothGrad": introspection.smoothgrad(model, inputs[3:4], 1),
        "input x gradient": introspection.input_x_gradient(model, inputs[3:4], 1),
        "integrated gradients": introspection.integrated_gradients(model, inputs[3:4], 1, baseline=0.2),
        "LRP": introspection.lrp(model, inputs[3:4], 1),
        "LRP gamma": introspection.lrp(model, inputs[3:4], 1, rule="gamma"),
        "Grad-CAM": introspection.grad_cam(model, inputs[3:4], 1, relu=False),
        "class activation map": introspection.class_activation_map(model, inputs[3:4], 1),
    }
    for name, attribution in expected.items():
        np.testing.assert_allclose(tiles[name]["map"], attribution[0].sum(axis=-1), atol=1e-5)
        assert tiles[name]["sum"] == pytest.approx(attribution.sum(), abs=1e-3)
    score, nothing = scores_by_hand(model, np.concatenate([inputs[3:4], np.full_like(inputs[:1], 0.2)]))[:, 1]
    assert content["score"] == pytest.approx(score, abs=1e-4)
    for name in ("integrated gradients", "Shapley values"):
        assert tiles[name]["should_be"] == pytest.approx(score - nothing, abs=1e-4)
        assert tiles[name]["sum"] == pytest.approx(score - nothing, rel=0.05, abs=0.02)
    assert tiles["LRP"]["should_be"] == pytest.approx(score, abs=1e-4)
    assert tiles["saliency"]["should_be"] is None and tiles["occlusion"]["should_be"] is None


def test_one_method_an_answer_and_a_new_subject_starts_anew():
    model, inputs, _ = network()
    viewer = AttributionViewer(model, inputs, methods=["saliency", "input x gradient", "LRP"])

    def ready(state):
        content = request(viewer, state)[0]["content"]
        return sum("map" in tile for tile in content["tiles"]), content["more"]

    assert [ready({}), ready({})] == [(1, True), (2, True)]
    assert ready({"example": 6}) == (1, True)
    assert [ready({}), ready({}), ready({})] == [(2, True), (3, False), (3, False)]
    # The colour scale changes no map.
    assert ready({"scale": "own"}) == (3, False)


def test_more_points_on_the_path_bring_the_sum_where_it_should_be():
    model = dense(activation="tanh")
    viewer = AttributionViewer(model, np.full((1, 5), 2.0), methods=["integrated gradients", "saliency"])
    errors = []
    for n_steps in (1, 5, 100):
        viewer.state = {"n_steps": n_steps}
        tile = viewer.complete_answer()["tiles"][0]
        errors.append(abs(tile["sum"] - tile["should_be"]))
    assert errors[2] < 1e-3 < errors[0]
    assert "within 1 % of their sum rule: integrated gradients" in viewer.summary()


def test_equal_units_share_a_symmetric_scale():
    model, inputs, _ = network()
    viewer = AttributionViewer(model, inputs, methods=["saliency", "SmoothGrad", "input x gradient", "LRP gamma"])
    tiles = tiles_of(viewer.complete_answer())
    for pair in (["saliency", "SmoothGrad"], ["input x gradient", "LRP gamma"]):
        limit = max(np.abs(tiles[name]["map"]).max() for name in pair)
        for name in pair:
            assert tiles[name]["colours"] == {"kind": "diverging", "low": -limit, "high": limit}
    viewer.state = {"scale": "own"}
    for tile in viewer.complete_answer()["tiles"]:
        assert tile["colours"]["high"] == pytest.approx(np.abs(tile["map"]).max())


def test_the_predicted_class_is_explained_unless_another_is_chosen():
    model, inputs, _ = network()
    predicted = scores_by_hand(model, inputs).argmax(axis=1)
    viewer = AttributionViewer(model, inputs, methods=["saliency"])
    for example in (0, 5, 9):
        viewer.state = {"example": example}
        assert viewer.answer()["target"] == predicted[example]
    viewer.state = {"target": 2}
    content = viewer.complete_answer()
    assert content["target"] == 2
    np.testing.assert_allclose(
        content["tiles"][0]["map"], introspection.saliency(model, inputs[9:10], 2)[0].sum(axis=-1), atol=1e-6
    )


def test_what_a_method_cannot_do_is_said_in_its_place():
    model = BrandNew()
    inputs = np.ones((1, 8, 8, 1), dtype=np.float32)
    model(inputs)
    tiles = tiles_of(AttributionViewer(model, inputs).complete_answer())
    assert "has no graph of layers" in tiles["LRP"]["problem"] and "map" not in tiles["LRP"]
    assert "map" in tiles["saliency"] and "map" in tiles["Grad-CAM"]


def test_own_methods_stand_beside_those_of_the_library():
    model, inputs, _ = network()
    own = {"brightness": lambda model, values, target: values * 2, "library": METHODS["saliency"]}
    tiles = AttributionViewer(model, inputs, methods=own).complete_answer()["tiles"]
    assert [tile["name"] for tile in tiles] == ["brightness", "library"]
    np.testing.assert_allclose(tiles[0]["map"], 2 * inputs[0].sum(axis=-1), rtol=1e-5)


def test_a_single_output_is_explained_whatever_it_decides():
    layers = keras.layers
    model = keras.Sequential([layers.Input((4,)), layers.Dense(1, activation="sigmoid", use_bias=False)])
    model.layers[0].kernel.assign([[1.0], [-2.0], [0.5], [0.0]])
    content = AttributionViewer(model, [[1.0, 1.0, 1.0, 1.0]], methods=["input x gradient"]).complete_answer()
    assert content["target"] == 0 and content["score"] == pytest.approx(-0.5)
    np.testing.assert_allclose(content["tiles"][0]["map"], [[1, -2, 0.5, 0]], atol=1e-6)
    assert content["summary"].startswith("Input 0 is taken for 0;")


def test_methods_that_do_not_exist_are_told():
    with pytest.raises(ValueError, match=r"AttributionViewer: methods must be some of saliency, .*; seen: 'magic'"):
        AttributionViewer(*network(), methods=["saliency", "magic"])
    with pytest.raises(ValueError, match=r"methods\['mine'\] must be a function"):
        AttributionViewer(*network(), methods={"mine": 3})
    with pytest.raises(ValueError, match="seen: none"):
        chosen_methods("Viewer", [], ())
    assert chosen_methods("Viewer", {"a": METHODS["LRP"]}, ()) == {"a": METHODS["LRP"]}
    assert isinstance(chosen_methods("Viewer", "LRP", ())["LRP"], Method)
    with pytest.raises(ValueError, match=r"baseline of shape \(3,\) does not fit"):
        AttributionViewer(*network(), baseline=[1.0, 2.0, 3.0])
