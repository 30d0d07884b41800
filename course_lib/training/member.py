"""One model in a training: its record, its times, its learning rate, and a look into its layers."""

from __future__ import annotations

import math

import keras

from course_lib.training.inspection import Inspector
from course_lib.training.stopwatch import Stopwatch


class Member:
    """What belongs to one of the models that train together; most trainings have one.

    Parameters
    ----------
    record : TrainingRecord
        Its curves.
    clock : callable
        Time in seconds.
    name : str
        Names it among others; empty where there is only one.
    model : keras.Model, keras.optimizers.Optimizer or None
        What the controls act on.
    probe : tuple of (inputs, targets), optional
        One batch on which layers are looked into.
    every_epoch : bool
        Whether they are at the end of every epoch, not only when asked for.
    """

    def __init__(self, record, clock, *, name="", model=None, probe=None, every_epoch=False):
        self.name = name
        self.record = record
        self.stopwatch = Stopwatch(record, clock)
        self.optimizer = getattr(model, "optimizer", model)
        #: Samples seen in this epoch, where a loop counts them itself.
        self.counted_samples = 0
        self._model = model
        self._inspector = Inspector(model, probe) if isinstance(model, keras.layers.Layer) else None
        self._every_epoch = every_epoch and self._inspector is not None
        self._incomplete = False
        self._first_rate = self.learning_rate

    @property
    def can_be_inspected(self):
        """Whether there is a model to look into."""
        return self._inspector is not None

    @property
    def n_samples(self):
        """Samples seen in this epoch, or 0 where nobody knows."""
        if self.counted_samples:
            return self.counted_samples
        # Keras tells callbacks no batch size; its loss metric has counted the samples of this epoch.
        metrics = getattr(self._model, "metrics", None)
        count = float(getattr(metrics[0], "count", 0)) if metrics else 0.0
        return count if math.isfinite(count) else 0

    @property
    def learning_rate(self):
        """The learning rate, or None where there is none or a schedule rules it."""
        optimizer = self.optimizer
        schedule = keras.optimizers.schedules.LearningRateSchedule
        if not hasattr(optimizer, "learning_rate") or isinstance(getattr(optimizer, "_learning_rate", None), schedule):
            return None
        return float(optimizer.learning_rate)

    def set_learning_rate(self, value, *, as_factor=False):
        """Set the learning rate, or with `as_factor` a multiple of the one that the training began with."""
        if self._first_rate is not None:
            self.optimizer.learning_rate = value * self._first_rate if as_factor else value

    def begin_epoch(self, epoch):
        """Note that an epoch (counted from 0) begins."""
        self.counted_samples = 0
        self.stopwatch.begin_epoch(epoch)
        self.record.begin_epoch(epoch)
        if self._every_epoch and self.record.steps == 1:
            self._inspector.remember_weights()

    def end_batch(self, batch):
        """Note that a batch (counted from 0 in its epoch) ended and its loss is in the record."""
        self.stopwatch.end_batch()
        if self._incomplete:
            self._incomplete = False
            self.record.inspections[-1] = self._inspector.with_update(self.record.inspections[-1])
        if self._every_epoch and batch + 2 == self.record.steps:
            self._inspector.remember_weights()

    def end_epoch(self, epoch, logs):
        """Append the values of an epoch; return its seconds."""
        seconds = self.stopwatch.end_epoch()
        self.record.add_epoch(epoch, logs)
        if self._every_epoch:
            inspection = self._inspector.inspect(self.record.n_batches, float(epoch + 1))
            # Weights kept by a look just before belong to the batch to come.
            self.record.inspections.append(inspection if self._incomplete else self._inspector.with_update(inspection))
        return seconds

    def inspect(self):
        """Look into the layers now, between two batches; the next batch completes it with its update."""
        if self._inspector is None:
            return
        record = self.record
        in_epoch = record.n_batches - (record.epoch_ends[-1] if record.epoch_ends else 0)
        epoch = self.stopwatch.epoch_index + (min(1.0, in_epoch / record.steps) if record.steps else 0.0)
        record.inspections.append(self._inspector.inspect(record.n_batches, epoch))
        self._inspector.remember_weights()
        self._incomplete = True
