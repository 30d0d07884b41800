"""Points of a plane: components against eigenvectors, neighbours against all distances, t-SNE in two steps."""

import numpy as np
import pytest
from test_kernel_backed import network, request

from course_lib import introspection
from course_lib.explorables import EmbeddingViewer
from course_lib.explorables.embedding_viewer import N_NEIGHBOURS, nearest_neighbours, principal_components

SEED = 6


def clusters(n=60):
    """Three clusters in the inputs of the network: far apart, so that every arrangement must keep them."""
    generator = np.random.default_rng(SEED)
    labels = np.arange(n) % 3
    centres = 6 * generator.normal(size=(3, 12, 10, 2))
    return (centres[labels] + generator.normal(size=(n, 12, 10, 2))).astype(np.float32), labels


def test_principal_components_are_those_of_the_covariance():
    features = np.random.default_rng(1).normal(size=(40, 6)) * [5, 3, 1, 1, 1, 1]
    points, explained = principal_components(features)
    centred = features - features.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    assert explained == pytest.approx(values[-2:].sum() / values.sum())
    for axis in (0, 1):
        expected = centred @ vectors[:, -1 - axis]
        np.testing.assert_allclose(np.abs(points[:, axis]), np.abs(expected), atol=1e-8)


@pytest.mark.parametrize("features", [np.ones((12, 4)), np.arange(12.0)[:, None]])
def test_flat_features_still_give_points(features):
    points, _ = principal_components(features)
    assert points.shape == (12, 2) and np.isfinite(points).all()


def test_neighbours_are_the_nearest_of_all_others():
    points = np.random.default_rng(2).normal(size=(30, 3))
    distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    expected = np.argsort(distance, axis=1)[:, :N_NEIGHBOURS]
    np.testing.assert_array_equal(nearest_neighbours(points), expected)


def test_features_are_the_means_of_the_maps():
    model, inputs, labels = network()
    viewer = EmbeddingViewer(model, inputs, labels, layer="last_maps")
    expected = introspection.activations(model, inputs, "last_maps").mean(axis=(1, 2))
    np.testing.assert_allclose(viewer.features("last_maps"), expected, atol=1e-6)
    np.testing.assert_array_equal(viewer.features("input"), inputs.reshape(len(inputs), -1))
    # In front of the dense layer with the softmax.
    assert EmbeddingViewer(model, inputs).state["layer"] == model.layers[-2].name


def test_clusters_far_apart_keep_to_themselves_in_both_arrangements():
    inputs, labels = clusters()
    viewer = EmbeddingViewer(network()[0], inputs, labels, layer="input", perplexity=10)
    for method in ("PCA", "t-SNE"):
        viewer.state = {"method": method}
        content = viewer.complete_answer()
        assert content["method"] == method and content["same"] == 1.0
        in_plane = nearest_neighbours(content["points"])
        assert (labels[in_plane] == labels[:, None]).all()
        in_layer = nearest_neighbours(viewer.features("input"))
        shared = [len(set(a) & set(b)) for a, b in zip(in_layer, in_plane, strict=True)]
        assert content["kept"] == pytest.approx(np.mean(shared) / N_NEIGHBOURS)


def test_the_slow_arrangement_is_announced_by_the_quick_one():
    inputs, labels = clusters(30)
    viewer = EmbeddingViewer(network()[0], inputs, labels, layer="input", method="t-SNE", perplexity=5)
    first, _ = request(viewer, {})
    second, _ = request(viewer, {})
    assert (first["content"]["method"], first["content"]["more"]) == ("PCA", True)
    assert (second["content"]["method"], second["content"]["more"]) == ("t-SNE", False)
    # Pointing at another input computes nothing anew, and equal seeds give equal pictures.
    points = viewer.answer()["points"]
    viewer.state = {"point": 4}
    assert viewer.answer()["points"] is points
    again = EmbeddingViewer(network()[0], inputs, labels, layer="input", method="t-SNE", perplexity=5)
    np.testing.assert_array_equal(again.complete_answer()["points"], points)


def test_a_point_shows_its_input_and_its_neighbours():
    inputs, labels = clusters()
    viewer = EmbeddingViewer(network()[0], inputs, labels, n_points=20, layer="input", point=7)
    assert len(viewer.indices) == 20 and viewer.indices[0] == 0 and viewer.indices[-1] == 59
    content = viewer.answer()
    assert content["index"] == viewer.indices[7]
    shown = inputs[viewer.indices[[7, *content["neighbours"]]]]
    np.testing.assert_allclose(content["pictures"], shown.mean(axis=-1), atol=1e-6)


def test_without_labels_nothing_is_said_about_classes():
    content = EmbeddingViewer(*network()[:2]).answer()
    assert content["same"] is None and "in truth" not in content["summary"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n_points": 5}, "n_points must be from 10 to 1000; seen: 5"),
        ({"layer": "nowhere"}, "layer must be one of 'input', .*; seen: 'nowhere'"),
        ({"perplexity": 7}, "perplexity must be one of 5, 10, 20, 30, 50; seen: 7"),
    ],
)
def test_what_does_not_fit_is_told(arguments, words):
    with pytest.raises(ValueError, match=words):
        EmbeddingViewer(*network(), **arguments)


def test_few_inputs_are_refused():
    model, inputs, _ = network()
    with pytest.raises(ValueError, match="needs at least 10 inputs, not 3"):
        EmbeddingViewer(model, inputs[:3])
