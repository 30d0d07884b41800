"""Curves of trainings that are over: ghosts behind a new one, and the spread of many."""

from __future__ import annotations

import math
from dataclasses import dataclass

from course_lib.training.record import TrainingRecord


@dataclass(frozen=True)
class EarlierRun:
    """One training that is over, epochs only.

    Parameters
    ----------
    name : str
        What the reader calls it.
    epoch_numbers : list of int
        Counted from 1.
    history : dict of str to list of float
        One value an epoch, named as in Keras' logs.
    """

    name: str
    epoch_numbers: list
    history: dict

    def points(self, name):
        """Return epochs and values of one curve; a metric that appeared late belongs to the last epochs."""
        values = self.history.get(name, [])
        return self.epoch_numbers[len(self.epoch_numbers) - len(values) :], values


def earlier_run(name, training):
    """Return a training that is over, in whatever form it was kept.

    Parameters
    ----------
    name : str
        What the reader calls it.
    training : TrainingRecord, LiveTraining, keras.callbacks.History or dict of str to list of float
        The training.

    Returns
    -------
    EarlierRun

    Raises
    ------
    TypeError
        If it is none of these.

    Examples
    --------
    >>> earlier_run("without dropout", {"loss": [0.7, 0.5], "val_loss": [0.8, 0.6]}).points("val_loss")
    ([1, 2], [0.8, 0.6])
    """
    training = getattr(training, "record", training)
    if isinstance(training, TrainingRecord):
        history = {key: list(values) for key, values in training.history.items()}
        return EarlierRun(name, list(training.epoch_numbers), history)
    history = getattr(training, "history", training)
    if not (isinstance(history, dict) and all(isinstance(values, list | tuple) for values in history.values())):
        raise TypeError(
            f"the earlier training {name!r} must be a history (name -> one value an epoch), as `fit` returns it, "
            f"not {training!r}."
        )
    history = {key: [float(value) for value in values] for key, values in history.items()}
    epochs = [epoch + 1 for epoch in getattr(training, "epoch", [])]  # Keras counts from 0
    longest = max(map(len, history.values()), default=0)
    return EarlierRun(name, epochs if len(epochs) >= longest else list(range(1, longest + 1)), history)


def spread(runs, name):
    """Return mean and standard deviation of a curve over runs, where at least two of them have it.

    Parameters
    ----------
    runs : list of EarlierRun
        Trainings that differ in their seed.
    name : str
        Name of the curve, for example ``"val_loss"``.

    Returns
    -------
    epochs, means, deviations : list
        Mean and standard deviation (with n - 1) at each epoch; values that are not finite do not count.

    Examples
    --------
    >>> runs = [earlier_run(str(k), {"loss": [1.0 + k, 0.5]}) for k in (0, 2)]
    >>> epochs, means, deviations = spread(runs, "loss")
    >>> epochs, means, [round(value, 3) for value in deviations]
    ([1, 2], [2.0, 0.5], [1.414, 0.0])
    """
    at = {}
    for run in runs:
        for epoch, value in zip(*run.points(name), strict=True):
            if math.isfinite(value):
                at.setdefault(epoch, []).append(value)
    epochs = sorted(epoch for epoch, values in at.items() if len(values) > 1)
    means = [sum(at[epoch]) / len(at[epoch]) for epoch in epochs]
    deviations = []
    for epoch, mean in zip(epochs, means, strict=True):
        from_mean = [value - mean for value in at[epoch]]
        # Not ** 2: a run that diverged would raise OverflowError.
        deviations.append(math.sqrt(sum(each * each for each in from_mean) / (len(from_mean) - 1)))
    return epochs, means, deviations
