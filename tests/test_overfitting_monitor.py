"""Figures 5.3 and 5.4: the network against Keras, early stopping by brute force, the twin."""

import javascript
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.explorables import OverfittingMonitor
from course_lib.explorables.overfitting_monitor import N_EPOCHS, stopping_epoch, train


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(1, 6))
def test_early_stopping_by_brute_force(losses, patience):
    stopped, best = stopping_epoch(losses, patience)
    assert best == losses.index(min(losses[: stopped + 1]))
    # Before the end no window of `patience` epochs went by without a new best value, unless it is the last one.
    for epoch in range(stopped):
        first_best = losses.index(min(losses[: epoch + 1]))
        assert epoch - first_best < patience
    assert stopped == len(losses) - 1 or stopped - best == patience


def test_the_opening_state_overfits_in_loss_and_hardly_in_accuracy():
    for seed in (0, 1, 4, 6, 7):
        curves = train(0.1, 16, seed)
        best = int(np.argmin(curves.validation_loss))
        assert 10 < best < 200
        assert curves.validation_loss[-1] > 1.2 * curves.validation_loss[best]
        assert abs(curves.validation_accuracy[-1] - curves.validation_accuracy[best]) < 0.06
        assert curves.training_loss[-1] < 0.8 * curves.training_loss[best]


def test_too_little_patience_stops_on_the_plateau():
    hasty, patient = OverfittingMonitor(patience=2), OverfittingMonitor(patience=40)
    loss = hasty.curves().validation_loss
    assert loss[hasty.stop()[1]] > 0.65  # next to ln 2, the value of a coin
    assert loss[patient.stop()[1]] < 0.5
    assert patient.stop()[1] == np.argmin(loss)


def test_the_training_agrees_with_keras():
    """One epoch of the same network in Keras, from the same weights and in the same order."""
    keras = pytest.importorskip("keras")
    from course_lib.explorables import overfitting_monitor as monitor
    from course_lib.explorables.playground.data import normal, uniform

    n_training, nodes, seed = monitor.N_TRAINING, 4, 5
    count = n_training + monitor.N_VALIDATION
    points = 4 * np.column_stack([uniform(seed, 0, count), uniform(seed, 1, count)]) - 2
    target = ((points[:, 0] * points[:, 1] > 0) != (uniform(seed, 2, count) < 0.2)).astype("float32")
    network = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(nodes, activation="tanh"), keras.layers.Dense(1, activation="sigmoid")]
    )
    first = monitor.INITIAL_SCALE * normal(seed, 16, 3 * nodes).reshape(3, nodes)
    last = normal(seed, 18, nodes + 1) / np.sqrt(nodes)
    network.set_weights([first[:2], first[2], last[:-1, None], last[-1:]])
    network.compile(keras.optimizers.SGD(monitor.LEARNING_RATE), "binary_crossentropy", metrics=["accuracy"])
    curves = train(0.2, nodes, seed)
    for epoch in range(3):
        loss, accuracy = network.evaluate(points[n_training:], target[n_training:], verbose=0)
        assert loss == pytest.approx(curves.validation_loss[epoch], abs=2e-5)
        assert accuracy == pytest.approx(curves.validation_accuracy[epoch], abs=0.004)
        network.fit(
            points[:n_training], target[:n_training], batch_size=monitor.BATCH_SIZE, epochs=1, shuffle=False, verbose=0
        )


def test_both_languages_train_alike():
    settings = [(0.1, 16, 1), (0.3, 16, 2), (0.0, 4, 9)]
    states = [OverfittingMonitor(label_noise=a, n_hidden=b, seed=c).state for a, b, c in settings]
    results = javascript.call(OverfittingMonitor, [("train", state) for state in states])
    for setting, theirs in zip(settings, results, strict=True):
        ours = train(*setting)
        np.testing.assert_allclose(theirs["loss"]["training"], ours.training_loss, atol=1e-5)
        np.testing.assert_allclose(theirs["loss"]["validation"], ours.validation_loss, atol=1e-5)
        np.testing.assert_allclose(theirs["accuracy"]["validation"], ours.validation_accuracy, atol=1e-9)
        assert len(ours.training_loss) == N_EPOCHS + 1
