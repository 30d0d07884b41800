"""What happened in one training: the truth behind every curve, independent of Keras and of any display."""

from __future__ import annotations

import math
import threading
from array import array

from course_lib.training.verdict import verdict

#: Name of the curve that holds the training loss of single batches.
BATCH_LOSS = "batch loss"


def quantity(name):
    """Return the quantity behind a name of Keras' logs, without the mark of the validation data.

    Examples
    --------
    >>> quantity("val_loss"), quantity("loss")
    ('loss', 'loss')
    """
    return name.removeprefix("val_")


def label(name):
    """Return a name of Keras' logs as words for an axis.

    Examples
    --------
    >>> label("mean_absolute_error")
    'mean absolute error'
    """
    return name.replace("_", " ")


class TrainingRecord:
    """Curves of one training: one value an epoch for every metric, and the loss of every batch.

    Parameters
    ----------
    title : str
        Names the training in the monitor and in the figure.
    epochs : int, optional
        Number of epochs planned.
    steps : int, optional
        Batches in an epoch; None while unknown (a generator in its first epoch).
    units : dict of str to str, optional
        Unit of a quantity, for its axis: ``{"mae": "eV"}``.

    Attributes
    ----------
    history : dict of str to list of float
        One value an epoch, named as in Keras' logs (``loss``, ``val_loss``, ...).
    epoch_numbers : list of int
        Number of each completed epoch, counted from 1.
    epoch_ends : list of int
        Batches seen when each epoch ended.
    batch_numbers : array of int
        Batches seen at each value of `batch_losses`, counted from 1.
    batch_losses : array of float
        Training loss of single batches (see `add_batch`).
    first_bad_batch : tuple of (int, int) or None
        Epoch and batch, counted from 1, at which the loss first was not a finite number.
    first_bad_position : int or None
        Batches seen by then.
    inspections : list of Inspection
        What was found when layers were looked into (`course_lib.training.Inspection`).
    outcome : str
        ``"running"``, ``"finished"``, or what ended it: ``"interrupted"``, ``"stopped by ValueError"``.

    Examples
    --------
    >>> record = TrainingRecord(title="demonstration", epochs=2, steps=2)
    >>> record.add_batch(0, 4.0)
    >>> record.add_batch(1, 3.0)  # Keras reports the mean since the epoch began ...
    >>> list(record.batch_losses)  # ... so the second batch alone had 2
    [4.0, 2.0]
    """

    def __init__(self, *, title="training", epochs=None, steps=None, units=None):
        self.title = title
        self.epochs = epochs
        self.steps = steps
        self.units = dict(units or {})
        self.history = {}
        self.epoch_numbers = []
        self.epoch_ends = []
        self.batch_numbers = array("q")
        self.batch_losses = array("d")
        self.first_bad_batch = None
        self.first_bad_position = None
        self.inspections = []
        self.outcome = "running"
        #: Held while an epoch is added: a view that reads in another thread must not see half of one.
        self.changing = threading.Lock()
        self._verdict = None
        self._epoch_number = 1
        self._epoch_start = 0
        self._batches_before = 0
        self._mean_before = 0.0

    def begin_epoch(self, epoch=None):
        """Forget the running mean of the epoch before.

        Parameters
        ----------
        epoch : int, optional
            Number of the epoch, counted from 0; by default the next one.
        """
        self._epoch_number = len(self.epoch_numbers) + 1 if epoch is None else epoch + 1
        self._epoch_start = self.n_batches
        self._batches_before = 0
        self._mean_before = 0.0

    @property
    def n_batches(self):
        """Batches seen so far."""
        return self.batch_numbers[-1] if self.batch_numbers else 0

    def add_batch(self, batch, mean_loss):
        """Append the loss of a batch.

        Keras hands over the mean since the epoch began, which hides what single batches do; the difference of
        two such means gives the batch back. With ``steps_per_execution`` above one it is the mean of the
        batches in between.

        Parameters
        ----------
        batch : int
            Number of the batch in its epoch, counted from 0.
        mean_loss : float
            Mean loss since the epoch began.
        """
        batches = batch + 1
        new = batches - self._batches_before
        if new < 1:  # a loop that did not announce its epoch
            self.begin_epoch()
            new = batches
        loss = self._mean_before + (mean_loss - self._mean_before) * batches / new
        self._mean_before = mean_loss
        self._append(loss, batches)

    def add_batch_loss(self, loss):
        """Append the loss of the next batch, where a loop of one's own knows it alone.

        Parameters
        ----------
        loss : float
            Mean loss of this batch.

        Examples
        --------
        >>> record = TrainingRecord()
        >>> record.add_batch_loss(4.0)
        >>> record.add_batch_loss(2.0)
        >>> list(record.batch_losses), record.n_batches
        ([4.0, 2.0], 2)
        """
        self._append(loss, self._batches_before + 1)

    def _append(self, loss, batches):
        self._batches_before = batches
        if not math.isfinite(loss) and self.first_bad_batch is None:
            self.first_bad_batch = (self._epoch_number, batches)
            self.first_bad_position = self._epoch_start + batches
        self.batch_losses.append(loss)
        # A reader in another thread takes as many losses as there are numbers: the number comes last.
        self.batch_numbers.append(self._epoch_start + batches)

    def add_epoch(self, epoch, logs):
        """Append the values at the end of an epoch.

        Parameters
        ----------
        epoch : int
            Number of the epoch, counted from 0.
        logs : dict of str to float
            Values by name.
        """
        with self.changing:
            self.epoch_numbers.append(epoch + 1)
            # A loop without batches still has an axis: one step an epoch.
            self.epoch_ends.append(self.n_batches or len(self.epoch_numbers))
            for name, value in logs.items():
                self.history.setdefault(name, []).append(value)
        if self.steps is None and self.n_batches:
            self.steps = self.n_batches - self._epoch_start
        if self.first_bad_batch is None and not math.isfinite(logs.get("loss", 0.0)):
            self.first_bad_batch = (epoch + 1, self._batches_before)
            self.first_bad_position = self.epoch_ends[-1]

    @property
    def quantities(self):
        """Names of the quantities shown, the loss first: one panel each."""
        names = [quantity(name) for name in self.history]
        if self.batch_losses:
            names.insert(0, "loss")
        return sorted(dict.fromkeys(names), key=lambda name: name != "loss")

    @property
    def judged_by(self):
        """Name of the loss that decides which epoch is best: ``val_loss`` where there is one."""
        return "val_loss" if "val_loss" in self.history else "loss"

    @property
    def best_index(self):
        """Index of the epoch with the smallest finite loss (see `judged_by`), or None."""
        values = self.history.get(self.judged_by, [])
        finite = [index for index, value in enumerate(values) if math.isfinite(value)]
        return min(finite, key=values.__getitem__, default=None)

    @property
    def best_epoch(self):
        """Number of the best epoch, counted from 1, or None."""
        index = self.best_index
        return None if index is None else self.epoch_numbers[index]

    @property
    def verdict(self):
        """What the curves say (`course_lib.training.Finding`), or None."""
        # Asked for at every update, but new only after an epoch.
        with self.changing:
            state = (len(self.epoch_numbers), self.first_bad_batch, self.outcome)
            if self._verdict is None or self._verdict[0] != state:
                self._verdict = (state, verdict(self))
            return self._verdict[1]

    def position_of(self, finding):
        """Return the batches seen when what a `Finding` says began to hold."""
        if finding.kind == "not a number":
            return self.first_bad_position
        if finding.kind == "not learning":
            return 0
        since = self.epoch_numbers.index(finding.epoch) if finding.epoch in self.epoch_numbers else -1
        return self.epoch_ends[since] if self.epoch_ends else 0

    def axis_label(self, name):
        """Return the words for the axis of a quantity, with its unit if it has one."""
        unit = self.units.get(name)
        return f"{label(name)} / {unit}" if unit else label(name)

    def summary(self):
        """Return a few sentences: how far, how good, how it ended, and what the curves say.

        Examples
        --------
        >>> record = TrainingRecord()
        >>> for epoch, loss in enumerate([0.7, 0.9, 3.0, 50.0]):
        ...     record.add_epoch(epoch, {"loss": loss})
        >>> record.summary()
        'After 4 epochs. Best epoch 1: ... The training loss runs away since epoch 1: try a smaller learning rate.'
        """
        finding = self.verdict
        return self.progress() if finding is None else f"{self.progress()} {finding.words}"

    def progress(self):
        """Return how far, how good, and how it ended.

        Examples
        --------
        >>> record = TrainingRecord(epochs=1)
        >>> record.add_epoch(0, {"loss": 0.25})
        >>> record.outcome = "finished"
        >>> record.progress()
        'Finished after 1 of 1 epoch. Best epoch 1: training loss 0.25.'
        """
        planned = f" of {self.epochs}" if self.epochs else ""
        n_epochs = len(self.epoch_numbers)
        how = "" if self.outcome == "running" else f"{self.outcome} "
        words = f"{how}after {n_epochs}{planned} epoch{'' if (self.epochs or n_epochs) == 1 else 's'}."
        words = words[0].upper() + words[1:]
        if self.best_epoch is not None:
            whose = "validation" if self.judged_by == "val_loss" else "training"
            words += f" Best epoch {self.best_epoch}: {whose} loss {self.history[self.judged_by][self.best_index]:.4g}"
            if self.judged_by == "val_loss" and len(self.history.get("loss", [])) > self.best_index:
                words += f", training loss {self.history['loss'][self.best_index]:.4g}"
            words += "."
        return words

    def epoch_line(self, seconds):
        """Return the last epoch as one line of text.

        Parameters
        ----------
        seconds : float
            Time that the epoch took.
        """
        values = "  ".join(f"{label(name)} {entries[-1]:.4g}" for name, entries in self.history.items())
        planned = f" of {self.epochs}" if self.epochs else ""
        number = f"{self.epoch_numbers[-1]:>{len(str(self.epochs or ''))}}"
        return f"{self.title}: epoch {number}{planned}  {seconds:.1f} s  {values}"
