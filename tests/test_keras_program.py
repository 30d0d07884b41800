"""Figure 1.5 against Keras itself, and its JavaScript twin."""

import os

import javascript
import numpy as np
import pytest

from course_lib.explorables import KerasProgram
from course_lib.explorables import keras_program as model

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def test_the_figure_has_17_parameters():
    assert model.parameter_count(4) == (2 * 4 + 4) + (4 + 1) == 17
    assert [sum(array.size for array in model.start_parameters(n, 0)) for n in range(1, 9)] == [
        model.parameter_count(n) for n in range(1, 9)
    ]


def test_signal_is_what_lies_in_the_circle_and_half_of_the_area():
    for test in (False, True):
        observables, labels = model.events(test)
        assert np.abs(observables).max() <= model.EDGE
        np.testing.assert_array_equal(labels, np.hypot(*observables.T) < model.RADIUS)
        assert abs(labels.mean() - np.pi * 1.2**2 / 9) < 4 * 0.5 / np.sqrt(model.N_EVENTS)
    assert not np.array_equal(*(model.events(test)[0] for test in (False, True)))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_five_epochs_are_those_of_keras(optimizer):
    keras = pytest.importorskip("keras")
    activation, loss = ("relu", "mse") if optimizer == "sgd" else ("tanh", "binary_crossentropy")
    network = keras.Sequential()
    network.add(keras.Input((2,)))
    network.add(keras.layers.Dense(4, activation=activation))
    network.add(keras.layers.Dense(1, activation="sigmoid"))
    network.set_weights(model.start_parameters(4, 3))
    kinds = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}
    network.compile(kinds[optimizer](0.1), loss, metrics=["accuracy"])
    observables, labels = model.events()
    network.fit(observables, labels, batch_size=model.BATCH_SIZE, epochs=5, shuffle=False, verbose=0)
    program = KerasProgram(activation=activation, loss=loss, optimizer=optimizer, learning_rate=0.1, seed=3, epoch=5)
    for theirs, ours in zip(network.get_weights(), program.history()[5], strict=True):
        np.testing.assert_allclose(theirs, ours, atol=2e-4)
    assert network.evaluate(*model.events(True), verbose=0) == pytest.approx(program.evaluate(), abs=1e-3)


def test_what_there_is_to_discover():
    """Default SGD hardly moves in 200 epochs, a good choice learns the circle, a linear network cannot."""

    def accuracies(**choices):
        return [KerasProgram(epoch=200, seed=seed, **choices).evaluate()[1] for seed in range(4)]

    assert max(accuracies()) < 0.6
    assert min(accuracies(activation="tanh", optimizer="adam", learning_rate=0.1)) > 0.88
    linear = [accuracies(activation="linear", optimizer=o, learning_rate=0.1) for o in model.OPTIMIZERS]
    assert np.max(linear) < 0.6


def test_both_languages_train_alike():
    states = javascript.random_states(KerasProgram, 24, seed=9)
    results = javascript.call(KerasProgram, [("evaluate", state, True) for state in states])
    for state, theirs in zip(states, results, strict=True):
        loss, accuracy = KerasProgram(**state).evaluate()
        assert theirs["loss"] == pytest.approx(loss, rel=1e-5, abs=1e-7)
        assert theirs["accuracy"] == accuracy


def test_the_static_figure_shows_all_epochs_and_events():
    figure = KerasProgram(epoch=20, optimizer="adam", learning_rate=0.1).static_figure()
    assert len(figure.data[0].y) == 201
    assert figure.data[0].y[0] > figure.data[0].y[-1]
    assert sum(len(trace.x) for trace in figure.data[2:]) == model.N_EVENTS
