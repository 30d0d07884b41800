"""Figure 4.1 against Keras' own count of parameters, and its JavaScript twin."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import ObjectiveChooser
from course_lib.explorables.objective_chooser import TASKS, shapes


@pytest.mark.parametrize(("n_inputs", "n_hidden", "n_outputs"), [(1, 1, 1), (3, 4, 2), (8, 5, 7)])
def test_shapes_and_parameters_are_those_of_keras(n_inputs, n_hidden, n_outputs):
    keras = pytest.importorskip("keras")
    network = keras.Sequential(
        [keras.Input((n_inputs,)), keras.layers.Dense(n_hidden, activation="tanh"), keras.layers.Dense(n_outputs)]
    )
    ours = shapes(n_inputs, n_hidden, n_outputs)
    assert ours.n_parameters == network.count_params()
    # Keras stores its weights transposed: inputs first.
    theirs = [tuple(array.shape) for array in network.get_weights()]
    assert theirs == [ours.first_weights[::-1], ours.first_biases, ours.last_weights[::-1], ours.last_biases]


def test_losses_are_names_that_keras_knows():
    keras = pytest.importorskip("keras")
    for task in TASKS.values():
        assert callable(keras.losses.get(task.keras))


def test_the_outputs_follow_the_task():
    shown = ObjectiveChooser(task="classes", n_outputs=6)
    shown.state = {"task": "yes_no"}
    assert shown.state["n_outputs"] == 1
    shown.state = {"task": "vector"}
    assert shown.state["n_outputs"] == 2


def test_both_languages_count_alike():
    states = [ObjectiveChooser(**state).state for state in javascript.random_states(ObjectiveChooser, 30, seed=3)]
    results = javascript.call(ObjectiveChooser, [("networkShapes", state) for state in states])
    for state, theirs in zip(states, results, strict=True):
        ours = ObjectiveChooser(**state).shapes()
        assert [theirs[name] for name in ("firstWeights", "firstBiases", "lastWeights", "lastBiases")] == [
            list(shape) for shape in ours[:4]
        ]
        assert theirs["count"] == ours.n_parameters


def test_the_static_figure_has_a_link_for_every_weight():
    figure = ObjectiveChooser(n_inputs=5, n_hidden=3, n_outputs=2).static_figure()
    n_links = sum(np.sum([x is None for x in trace.x]) for trace in figure.data[:2])
    assert n_links == 5 * 3 + 3 * 2
