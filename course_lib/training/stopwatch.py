"""How fast a training goes and how long it will take, from the times of its epochs and batches."""

from __future__ import annotations


class Stopwatch:
    """Times of one training.

    Parameters
    ----------
    record : TrainingRecord
        Says how many epochs and batches there are and how many were seen.
    clock : callable
        Time in seconds.

    Attributes
    ----------
    epoch_index : int
        Epoch that runs, counted from 0.

    Examples
    --------
    >>> from course_lib.training import TrainingRecord
    >>> now = [0.0]
    >>> stopwatch = Stopwatch(TrainingRecord(epochs=3), lambda: now[0])
    >>> stopwatch.begin_epoch(0)
    >>> now[0] = 4.0
    >>> stopwatch.end_epoch(), stopwatch.seconds_left()
    (4.0, 8.0)
    """

    def __init__(self, record, clock):
        self.record = record
        self.epoch_index = 0
        self._clock = clock
        self._begun = clock()
        self._durations = []
        self._first_batch_ended = None
        self._ended = False

    def begin_epoch(self, epoch):
        """Note that an epoch (counted from 0) begins."""
        self.epoch_index, self._begun, self._ended = epoch, self._clock(), False

    def end_batch(self):
        """Note that a batch ended."""
        if self._first_batch_ended is None:
            self._first_batch_ended = self._clock()

    def end_epoch(self):
        """Note that the epoch ended; return its seconds."""
        duration = self._clock() - self._begun
        self._durations.append(duration)
        self._ended = True
        return duration

    def add_pause(self, seconds):
        """Forget a time of standing still: it counts neither for the rate nor for the time left."""
        self._begun += seconds
        if self._first_batch_ended is not None:
            self._first_batch_ended += seconds

    def seconds_left(self):
        """Return the seconds until the last planned epoch ends, or None while nothing is known."""
        record, now = self.record, self._clock()
        if not record.epochs:
            return None
        epochs_left = record.epochs - self.epoch_index
        if self._durations:
            # The first epoch also builds the graph, so it counts only while it is the only one.
            recent = self._durations[1:][-5:] or self._durations
            typical = sum(recent) / len(recent)
            within = typical if self._ended else min(now - self._begun, typical)
            return max(0.0, typical * epochs_left - within)
        if record.steps and record.n_batches > 1:
            seconds_per_batch = (now - self._first_batch_ended) / (record.n_batches - 1)
            return max(0.0, seconds_per_batch * (record.steps * epochs_left - record.n_batches))
        return None

    def samples_per_second(self, n_samples):
        """Return the rate, given the samples seen in this epoch; None while it says nothing."""
        seconds = self._clock() - self._begun
        if self._first_batch_ended is None or not n_samples or seconds <= 0:
            return None
        return n_samples / seconds
