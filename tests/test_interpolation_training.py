"""Figure 2.4: the training against finite differences and Keras' Adam rule, its numbers, and the JavaScript twin."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import InterpolationTraining
from course_lib.explorables import interpolation_training as module
from course_lib.explorables.interpolation_training import data_points, parameter_count, train
from course_lib.simulators import interpolation


def test_the_objective_falls_as_in_the_figure():
    """From about 10 to about 0.1 within 800 epochs, after a few hundred of them it is small."""
    run = train()
    assert 5 < run.losses[0] < 50
    assert 0.02 < run.losses[-1] < 0.2
    assert run.losses[50] > 1.5 > run.losses[300]
    assert parameter_count(30, 3) == 1951


def test_another_seed_takes_another_path_to_a_similar_end():
    one, other = train(0), train(1)
    assert abs(one.losses[0] - other.losses[0]) > 0.1
    assert np.abs(one.predictions[4] - other.predictions[4]).max() > 0.5
    assert max(one.losses[-1], other.losses[-1]) < 0.3


def test_a_single_node_cannot_do_it():
    assert train(width=1, depth=1).losses[-1] > 1.5


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_first_step_of_adam_goes_against_the_sign_of_the_gradient(activation, monkeypatch):
    """At its first step Adam moves every parameter by the learning rate; finite differences give the signs."""
    monkeypatch.setattr(module, "N_EPOCHS", 1)
    width, depth, n_points, seed = 3, 2, 12, 5
    weights, biases = module._initial_parameters(seed, width, depth, activation)
    x, y = data_points(n_points)

    def loss(parameters):
        layers = x / module.INPUT_SCALE
        for number in range(depth + 1):
            layers = layers @ parameters[number] + parameters[depth + 1 + number]
            if number < depth:
                layers = np.tanh(layers) if activation == "tanh" else np.maximum(layers, 0)
        return np.mean((layers - y) ** 2)

    parameters = [values.copy() for values in weights + biases]
    start, moved = loss(parameters), [values.copy() for values in parameters]
    for values, target in zip(parameters, moved, strict=True):
        for place in np.ndindex(values.shape):
            kept = values[place]
            values[place] = kept + 1e-6
            above = loss(parameters)
            values[place] = kept - 1e-6
            slope = (above - loss(parameters)) / 2e-6
            values[place] = kept
            target[place] -= module.LEARNING_RATE * np.sign(slope) * (abs(slope) > 1e-8)
    run = train.__wrapped__(seed, width=width, depth=depth, n_points=n_points, activation=activation)
    assert run.losses[0] == pytest.approx(start, rel=1e-12)
    assert run.losses[1] == pytest.approx(loss(moved), rel=1e-5)


def test_the_data_are_the_curve_with_a_little_noise():
    x, y = data_points(120)
    residual = (y - interpolation.function(x))[:, 0]
    assert residual.std() == pytest.approx(module.NOISE, rel=0.3)
    assert abs(residual.mean()) < 0.06
    np.testing.assert_allclose(np.diff(x[:, 0]), 20 / 119)


@pytest.mark.parametrize(("width", "depth", "expected"), [(1, 1, 4), (5, 1, 16), (5, 2, 46)])
def test_parameters_are_counted_by_hand(width, depth, expected):
    assert parameter_count(width, depth) == expected
    weights, biases = module._initial_parameters(0, width, depth, "relu")
    assert sum(values.size for values in weights + biases) == expected


def test_both_languages_train_the_same_network():
    settings = [{}, {"width": 5, "depth": 4, "activation": "relu", "n_points": 30, "seed": 2}]
    explorables = [InterpolationTraining(**changes) for changes in settings]
    results = javascript.call(InterpolationTraining, [("history", explorable.state) for explorable in explorables])
    for explorable, theirs in zip(explorables, results, strict=True):
        ours = explorable.training()
        np.testing.assert_allclose(theirs["points"], np.hstack([ours.x, ours.y]), atol=1e-12)
        # Rounding grows along the path; early it is nothing, at the end it must still be invisible.
        np.testing.assert_allclose(theirs["losses"][:50], ours.losses[:50], rtol=1e-9)
        np.testing.assert_allclose(theirs["losses"], ours.losses, rtol=1e-2)
        np.testing.assert_allclose(theirs["predictions"], ours.predictions, atol=2e-2)


def test_the_static_figure_shows_the_four_predictions_and_the_epoch():
    figure = InterpolationTraining(width=4, depth=1, snapshot=2).static_figure()
    assert [trace.name for trace in figure.data[1:5]] == ["50 epochs", "100 epochs", "200 epochs", "800 epochs"]
    assert figure.layout.shapes[0].x0 == 100
    with pytest.raises(ValueError, match="width must be a whole number from 1 to 60"):
        InterpolationTraining(width=61)
