"""The matrix against scikit-learn, the images behind a cell, and their maps."""

import keras
import numpy as np
import pytest
from sklearn.metrics import confusion_matrix
from test_kernel_backed import network, request

from course_lib import introspection
from course_lib.explorables import ConfusionExplorer
from course_lib.explorables.confusion_explorer import PAGE


def points_model(weights, *, activation="softmax"):
    """A linear classifier with given weights, for points of a plane."""
    weights = np.asarray(weights, dtype=np.float32)
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(weights.shape[1], activation=activation)])
    model.set_weights([weights, np.zeros(weights.shape[1])])
    return model


@pytest.fixture(scope="module")
def explorer():
    return ConfusionExplorer(*network(), class_names=["up", "down", "strange"])


def test_the_matrix_and_the_accuracy_are_those_of_the_predictions(explorer):
    model, inputs, labels = network()
    predictions = model.predict(inputs, verbose=0).argmax(axis=1)
    np.testing.assert_array_equal(explorer.counts, confusion_matrix(labels, predictions, labels=range(3)))
    accuracy = (labels == predictions).mean()
    assert explorer.accuracy == pytest.approx(accuracy)
    assert explorer.accuracy_error == pytest.approx(np.sqrt(accuracy * (1 - accuracy) / len(labels)))
    state = explorer.state
    assert state["truth"] != state["predicted"]
    mistakes = explorer.counts[~np.eye(3, dtype=bool)]
    assert explorer.counts[state["truth"], state["predicted"]] == mistakes.max()


def test_each_cell_holds_its_inputs_the_surest_answer_first(explorer):
    model, inputs, labels = network()
    probabilities = model.predict(inputs, verbose=0)
    seen = []
    for truth in range(3):
        for predicted in range(3):
            content = request(explorer, {"truth": truth, "predicted": predicted, "page": 0})[0]["content"]
            chosen = content["indices"]
            assert len(chosen) == content["count"] == explorer.counts[truth, predicted]
            assert (labels[chosen] == truth).all() and (probabilities[chosen].argmax(axis=1) == predicted).all()
            np.testing.assert_allclose(content["probabilities"], probabilities[chosen, predicted], atol=1e-5)
            assert content["probabilities"] == sorted(content["probabilities"], reverse=True)
            seen += chosen
    assert sorted(seen) == list(range(len(labels)))


def test_an_empty_cell_is_told_without_maps():
    explorer = ConfusionExplorer(points_model(np.eye(2)), [[1.0, 0.0], [0.0, 1.0]], [0, 1], truth=0, predicted=1)
    content = explorer.answer()
    assert content["count"] == 0 and content["maps"].shape[0] == 0
    assert content["summary"].startswith("0 of 1 inputs of class 0 (0.0 %) are taken for 1")


def test_pages_show_every_input_once():
    n = 2 * PAGE + 3
    explorer = ConfusionExplorer(points_model(np.eye(2)), np.full((n, 2), [2.0, 1.0]), np.ones(n, dtype=int))
    pages = [request(explorer, {"page": page})[0]["content"]["indices"] for page in range(3)]
    assert [len(page) for page in pages] == [PAGE, PAGE, 3]
    assert sorted(index for page in pages for index in page) == list(range(n))
    # A page that the next cell does not have becomes its last one.
    assert request(explorer, {"page": 2, "truth": 0})[0]["state"]["page"] == 0


@pytest.mark.parametrize("explain", ["predicted", "truth", "difference"])
def test_the_maps_speak_for_what_was_asked(explain):
    model, inputs, labels = network()
    explorer = ConfusionExplorer(model, inputs, labels, explain=explain, methods=["input x gradient"])
    state, content = explorer.state, explorer.answer()
    shown = inputs[content["indices"]]
    speak = {
        name: introspection.input_x_gradient(model, shown, state[field])
        for name, field in (("predicted", "predicted"), ("truth", "truth"))
    }
    speak["difference"] = speak["predicted"] - speak["truth"]
    np.testing.assert_allclose(content["maps"], speak[explain].sum(axis=-1), atol=1e-5)


def test_right_answers_are_compared_with_the_runner_up():
    weights = np.array([[1.0, 0.5, 0.0], [0.0, 0.5, 0.8]])
    inputs = [[3.0, 1.0], [3.0, 2.9]]  # scores 3, 2, 0.8 and 3, 2.95, 2.32
    explorer = ConfusionExplorer(points_model(weights), inputs, [0, 0], explain="difference", truth=0, predicted=0)
    content = explorer.answer()
    # Against class 1 in both: the weights (1, 0) minus (0.5, 0.5), times the inputs.
    expected = [np.array(inputs[index]) * [0.5, -0.5] for index in content["indices"]]
    np.testing.assert_allclose(content["maps"][:, 0], expected, atol=1e-5)
    assert content["explained"] == "for 0 against the runner-up"


def test_a_single_output_decides_between_two_classes():
    model = points_model([[1.0], [-1.0]], activation="sigmoid")
    explorer = ConfusionExplorer(model, [[2.0, 0.0], [0.0, 2.0], [0.0, 3.0]], [1, 0, 1], class_names=["no", "yes"])
    np.testing.assert_array_equal(explorer.counts, [[1, 0], [1, 1]])
    content = explorer.answer()  # opens with the mistake: yes taken for no
    assert content["indices"] == [2]
    assert content["probabilities"][0] == pytest.approx(1 - 1 / (1 + np.exp(3)), abs=1e-5)
    # What speaks for "no" is positive: 3 in the second feature, which lowers the output.
    np.testing.assert_allclose(content["maps"][0], [[0, 3]], atol=1e-5)


def test_the_method_that_fails_is_told_and_the_images_stay():
    model = points_model(np.eye(2))
    explorer = ConfusionExplorer(model, [[1.0, 0.0], [2.0, 0.5]], [0, 1], method="Grad-CAM")
    content = explorer.answer()
    assert len(content["pictures"]) == 1 and content["maps"].shape[0] == 0
    assert (
        "no two-dimensional convolution" in content["problem"] and content["problem"].rstrip(".") in content["summary"]
    )


def test_the_static_matrix_carries_all_counts(explorer):
    figure = explorer.static_figure()
    np.testing.assert_array_equal(figure.data[0].text, explorer.counts)
    np.testing.assert_allclose(np.asarray(figure.data[0].z).sum(axis=1), 100, rtol=1e-5)


def test_labels_are_needed_and_classes_bounded():
    model, inputs, _ = network()
    with pytest.raises(ValueError, match="ConfusionExplorer needs labels"):
        ConfusionExplorer(model, inputs, None)
    many = points_model(np.zeros((2, 40)))
    with pytest.raises(ValueError, match="at most 30 classes, but the model has 40 outputs"):
        ConfusionExplorer(many, [[1.0, 2.0]], [3])
