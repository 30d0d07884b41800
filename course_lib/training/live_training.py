"""A Keras callback whose curves move while ``fit`` runs, and which leaves a static figure."""

from __future__ import annotations

import math
import sys
import time
import uuid

import keras

from course_lib import style
from course_lib.front_end import has_front_end
from course_lib.training.figure import curves_figure
from course_lib.training.monitor import UPDATES_PER_SECOND, Monitor, Pace, view_class
from course_lib.training.record import TrainingRecord


class LiveTraining(keras.callbacks.Callback):
    """Draw loss and metrics while a network trains.

    With a front end the curves of training and validation move while ``fit`` runs: every batch for the
    training loss, every epoch for the rest. When ``fit`` ends, however it ends, a static figure takes the
    place of the live view. Without a front end no widget is made: one line an epoch is printed, and the same
    figure is left.

    Parameters
    ----------
    title : str
        Stands above the curves.
    units : dict of str to str, optional
        Unit of a metric, for its axis: ``{"mae": "eV"}``.
    updates_per_second : float
        How often the picture may change; ten at most. Updates also never take more than one percent of the
        training's time.
    stop_at_nan : bool
        Whether to end the training once the loss is not a finite number: the weights are lost then, and
        further epochs only cost time.
    clock : callable
        Time in seconds; tests replace it.

    Attributes
    ----------
    history : dict of str to list of float
        One value an epoch for each name in Keras' logs, as in ``model.fit(...).history``.
    record : TrainingRecord
        All that is known about the last training, single batches included.

    Notes
    -----
    The training loss of an epoch is the mean over its batches, while the weights change; the validation loss
    belongs to the weights at its end. In the first epochs the training loss can therefore be the larger one.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from course_lib.training import LiveTraining
    >>> keras.utils.set_random_seed(1)
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> live = LiveTraining(title="straight line")
    >>> x = np.linspace(0, 1, 8)[:, None]
    >>> _ = model.fit(x, 2 * x, epochs=2, verbose=0, callbacks=[live])
    straight line: epoch 1 of 2 ... s  loss ...
    straight line: epoch 2 of 2 ... s  loss ...
    >>> len(live.history["loss"])
    2
    """

    def __init__(
        self,
        title="Training",
        *,
        units=None,
        updates_per_second=UPDATES_PER_SECOND,
        stop_at_nan=True,
        clock=time.perf_counter,
    ):
        super().__init__()
        self.title = title
        self.units = dict(units or {})
        self.stop_at_nan = stop_at_nan
        self._rate = updates_per_second
        self._clock = clock
        Pace(rate=updates_per_second)  # a wrong rate is reported here, not in the middle of a fit
        self.record = TrainingRecord(title=title, units=units)
        self._monitor = None
        self._pace = None
        self._display_id = None
        self._running = False

    @property
    def history(self):
        """One value an epoch for each name in Keras' logs, of the last training."""
        return self.record.history

    def figure(self, *, log_scale=False):
        """Return the static figure of the last training.

        Parameters
        ----------
        log_scale : bool
            Whether the values stand on a logarithmic axis.

        Returns
        -------
        plotly.graph_objects.Figure
            One panel a quantity, training and validation paired.
        """
        return curves_figure(self.record, log_scale=log_scale)

    # --- called by Keras --------------------------------------------------------------------------------

    def on_train_begin(self, logs=None):
        # A training that ended with an error outside of a notebook was never closed.
        self._finish("interrupted")
        self.record = TrainingRecord(
            title=self.title, epochs=self.params.get("epochs"), steps=self.params.get("steps"), units=self.units
        )
        self._epoch_index = 0
        self._epoch_durations = []
        self._epoch_begun = self._clock()
        self._first_batch_ended = None
        self._samples_per_second = None
        self._running = True
        shell = _shell()
        if shell is not None:
            shell.events.register("post_run_cell", self._after_cell)
        if has_front_end():
            self._open_monitor()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch_index = epoch
        self._epoch_begun = self._clock()
        self.record.begin_epoch()

    def on_train_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is None:  # a model with a train_step of its own may report anything
            return
        self.record.add_batch(batch, loss)
        if loss - loss != 0.0 and self.stop_at_nan:  # NaN or infinity, without the cost of a function call
            self.model.stop_training = True
        if self._first_batch_ended is None:
            self._first_batch_ended = self._clock()
        if self._pace is not None and self._pace.due():
            self._measure_samples_per_second(batch)
            self._monitor.update(self._state("training"))

    def on_test_begin(self, logs=None):
        if self._running and self._monitor is not None and self._pace.due():
            self._monitor.update(self._state("validation"))

    def on_epoch_end(self, epoch, logs=None):
        duration = self._clock() - self._epoch_begun
        self._epoch_durations.append(duration)
        self.record.add_epoch(epoch, logs or {})
        if self._monitor is None:
            print(self.record.epoch_line(duration), flush=True)
        elif self._pace.due():
            self._monitor.update(self._state("training"))

    def on_train_end(self, logs=None):
        planned = self.record.epochs
        if self.record.first_bad_batch is not None and self.stop_at_nan:
            outcome = "stopped"
        elif planned and self.record.epoch_numbers and self.record.epoch_numbers[-1] < planned:
            outcome = "stopped early"
        else:
            outcome = "finished"
        self._finish(outcome)

    # --- the view ---------------------------------------------------------------------------------------

    def _open_monitor(self):
        from IPython.display import display

        view = view_class()(setup={"run": uuid.uuid4().hex, "title": self.title, "units": self.units})
        self._pace = Pace(clock=self._clock, rate=self._rate)
        self._monitor = Monitor(self.record, view, self._pace)
        self._display_id = uuid.uuid4().hex
        display(view, display_id=self._display_id)
        self._monitor.update(self._state("training"))

    def _state(self, phase):
        """Return the small facts beside the curves, as JSON."""
        record = self.record
        best = record.best_index
        seconds_left = self._seconds_left()
        batch = record.n_batches - (record.epoch_ends[-1] if record.epoch_ends else 0)
        return {
            "phase": phase,
            "epoch": self._epoch_index + 1,
            "firstEpoch": record.epoch_numbers[0] if record.epoch_numbers else self._epoch_index + 1,
            "epochs": record.epochs,
            "batch": batch,
            "steps": record.steps,
            "secondsLeft": seconds_left,
            "samplesPerSecond": self._samples_per_second,
            "bestEpoch": record.best_epoch,
            "bestBatch": None if best is None else record.epoch_ends[best],
            "bestName": record.judged_by,
            "summary": record.summary(),
        }

    def _seconds_left(self):
        record, now = self.record, self._clock()
        if not record.epochs:
            return None
        epochs_left = record.epochs - self._epoch_index
        if self._epoch_durations:
            # The first epoch also builds the graph, so it counts only while it is the only one.
            recent = self._epoch_durations[1:][-5:] or self._epoch_durations
            typical = sum(recent) / len(recent)
            just_ended = len(self._epoch_durations) > 0 and len(record.epoch_numbers) == self._epoch_index + 1
            within = typical if just_ended else min(now - self._epoch_begun, typical)
            return max(0.0, typical * epochs_left - within)
        if record.steps and record.n_batches > 1:
            seconds_per_batch = (now - self._first_batch_ended) / (record.n_batches - 1)
            return seconds_per_batch * (record.steps * epochs_left - record.n_batches)
        return None

    def _measure_samples_per_second(self, batch):
        # Keras tells callbacks no batch size; its loss metric has counted the samples of this epoch.
        metrics = self.model.metrics
        count = getattr(metrics[0], "count", None) if metrics else None
        seconds = self._clock() - self._epoch_begun
        if count is not None and seconds > 0:
            rate = float(count) / seconds
            self._samples_per_second = rate if math.isfinite(rate) else None

    # --- the end ----------------------------------------------------------------------------------------

    def _after_cell(self, result):
        """Close what a ``fit`` that raised left open; IPython calls this after every cell."""
        error = result.error_in_exec
        if isinstance(error, KeyboardInterrupt):
            self._finish("interrupted")
        else:
            self._finish("stopped" if error is None else f"stopped by {type(error).__name__}")

    def _finish(self, outcome):
        """Replace the live view by the static figure, once."""
        if not self._running:
            return
        self._running = False
        self.record.outcome = outcome
        shell = _shell()
        if shell is not None:
            shell.events.unregister("post_run_cell", self._after_cell)
            self._leave_figure()
        elif outcome != "finished":
            print(f"{self.title}: {self.record.summary()}", flush=True)
        if self._monitor is not None:
            self._monitor.close()
        self._monitor = self._pace = self._display_id = None

    def _leave_figure(self):
        from IPython.display import display

        style.use()
        # The bundle, not the figure: plotly figures display themselves and ignore display_id.
        bundle = {"text/plain": f"{self.title}: {self.record.summary()}", **self.figure()._repr_mimebundle_()}
        if self._display_id is None:
            display(bundle, raw=True)
        else:
            display(bundle, raw=True, display_id=self._display_id, update=True)


def _shell():
    """Return the running IPython shell, or None in plain Python."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None
