"""A training loop that a student writes by hand, made visible: one model or several."""

from __future__ import annotations

import math


class TrainingStopped(Exception):
    """Ends a hand-written loop where the reader pressed stop or the loss is lost; `LiveTraining` catches it."""


class ModelRun:
    """One model in a hand-written loop: takes the values of its batches.

    Attributes
    ----------
    record : TrainingRecord
        Its curves.
    lost : bool
        Whether its loss was not a finite number once.
    over : bool
        Whether it takes no part any more.
    """

    def __init__(self, run, member):
        self._run = run
        self._member = member
        self._sums = {}
        self._weights = {}
        self._n_batches = 0
        self.record = member.record
        self.lost = False
        self.over = False

    def batch(self, *, samples=None, **values):
        """Report one batch; waits here while the training is paused.

        Parameters
        ----------
        samples : int, optional
            Size of the batch: the mean over an epoch weighs batches with it, and the view tells the rate.
        **values : float or scalar tensor
            ``loss`` is drawn batch by batch; every value enters the mean of its epoch.

        Raises
        ------
        TrainingStopped
            If the reader pressed stop, or the loss is not a finite number; `LiveTraining` catches it.
        TypeError
            If a value is not one number.
        """
        numbers = {name: _number(name, value) for name, value in values.items()}
        for name, number in numbers.items():
            self._sums[name] = self._sums.get(name, 0.0) + number * (samples or 1)
            self._weights[name] = self._weights.get(name, 0) + (samples or 1)
        if "loss" in numbers:
            self.record.add_batch_loss(numbers["loss"])
        self._member.counted_samples += samples or 0
        self._member.end_batch(self._n_batches)
        self._n_batches += 1
        self.lost = self.lost or not math.isfinite(numbers.get("loss", 0.0))
        self._run.after_batch(lost=self.lost)

    def begin_epoch(self, epoch):
        self._sums, self._weights, self._n_batches = {}, {}, 0
        self._member.begin_epoch(epoch)

    def end_epoch(self, epoch, values):
        logs = {name: total / self._weights[name] for name, total in self._sums.items()}
        logs |= {name: _number(name, value) for name, value in values.items()}
        # What was not measured this time leaves a gap in its curve, not a shift.
        logs |= dict.fromkeys(set(self.record.history) - set(logs), math.nan)
        return self._member.end_epoch(epoch, logs)


class Run:
    """A hand-written loop on the stage, as `LiveTraining.run` and `LiveTraining.loop` hand it over.

    Attributes
    ----------
    models : dict of str to ModelRun
        The models by name; a single one has the name ``""``.
    stop_at_nan : bool
        Whether a loss that is not a finite number ends it.
    """

    def __init__(self, show, members, *, stop_at_nan, tell_epoch):
        self.models = {member.name: ModelRun(self, member) for member in members}
        self._show = show
        self.stop_at_nan = stop_at_nan
        self._tell_epoch = tell_epoch
        self._epoch = 0
        self._in_round = False
        for model in self.models.values():
            model.begin_epoch(0)

    def __getitem__(self, name):
        if name not in self.models:
            known = ", ".join(map(repr, self.models))
            raise KeyError(f"this training has no model {name!r}: choose one of {known}.")
        return self.models[name]

    def batch(self, *, samples=None, **values):
        """Report one batch of a training of one model: see `ModelRun.batch`."""
        self._single("batch").batch(samples=samples, **values)

    def epoch(self, **values):
        """Report the end of an epoch.

        Parameters
        ----------
        **values : float, or dict of str to float where several models train
            What was measured at its end, for example ``val_loss``; values of several models by the model's name.
            What the batches reported is averaged by itself.
        """
        if "" in self.models:
            values = {"": values}
        for name, model_values in values.items():
            if not isinstance(model_values, dict):
                raise TypeError(
                    f"of several models, tell whose {name!r} it is: run.epoch({next(iter(self.models))}={{...}})."
                )
            self[name]  # an unknown model is reported before anything is counted
        for name, model in self.models.items():
            if not model.over:
                self._tell_epoch(model.record, model.end_epoch(self._epoch, values.get(name, {})))
            if model.lost and self.stop_at_nan and not model.over:
                model.over, model.record.outcome = True, "stopped"
        self._epoch += 1
        for model in self.models.values():
            model.begin_epoch(self._epoch)
        self._show.update_if_due()

    def round(self, batches):
        """Report one batch of several models as one step: pause and step act between rounds.

        Parameters
        ----------
        batches : dict of str to dict
            Values by the model's name, as for `ModelRun.batch`.
        """
        self._in_round = True
        try:
            for name, values in batches.items():
                self[name].batch(**values)
        finally:
            self._in_round = False
        self.after_batch(lost=all(model.lost for model in self.models.values()))

    def after_batch(self, *, lost):
        if self._in_round:
            return
        self._show.update_if_due()
        if self._show.obey() or (lost and self.stop_at_nan):
            raise TrainingStopped

    def _single(self, what):
        if "" not in self.models:
            name = next(iter(self.models))
            raise TypeError(f"of several models, tell whose {what} it is: run[{name!r}].{what}(loss=...).")
        return self.models[""]


def _number(name, value):
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        shape = getattr(value, "shape", None)
        seen = f"an array of shape {tuple(shape)}: take its mean" if shape is not None else f"{value!r}"
        raise TypeError(f"{name} must be one number, not {seen}.") from error
