"""A Keras callback whose curves move while ``fit`` runs, and which leaves a static figure."""

from __future__ import annotations

import asyncio
import math
import sys
import time
import uuid

import keras

from course_lib import style
from course_lib.front_end import has_front_end
from course_lib.training.controls import Controls
from course_lib.training.figure import curves_figure
from course_lib.training.monitor import UPDATES_PER_SECOND, Monitor, Pace, view_class
from course_lib.training.record import TrainingRecord


class LiveTraining(keras.callbacks.Callback):
    """Draw loss and metrics while a network trains.

    With a front end the curves of training and validation move while ``fit`` runs: every batch for the
    training loss, every epoch for the rest. When ``fit`` ends, however it ends, a static figure takes the
    place of the live view. Without a front end no widget is made: one line an epoch is printed, and the same
    figure is left. Two ways to use it::

        model.fit(x, y, epochs=20, verbose=0, callbacks=[live])  # curves
        await live.fit(model, x, y, epochs=20)  # curves and controls: pause, step, stop, learning rate

    Parameters
    ----------
    title : str
        Stands above the curves.
    units : dict of str to str, optional
        Unit of a metric, for its axis: ``{"mae": "eV"}``.
    measures : dict of str to callable, optional
        What physics asks for: name -> function of the model that returns a number, called after every epoch.
        It becomes a curve like any other, here and in the history of ``fit``. A name that begins with
        ``val_`` is drawn as measured on validation data::

            LiveTraining(measures={"val_resolution": lambda model: np.std(model.predict(x, verbose=0) - y)},
                         units={"resolution": "EeV"})
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
        measures=None,
        updates_per_second=UPDATES_PER_SECOND,
        stop_at_nan=True,
        clock=time.perf_counter,
    ):
        super().__init__()
        self.title = title
        self.units = dict(units or {})
        self.measures = dict(measures or {})
        for name, measure in self.measures.items():
            if not callable(measure):
                raise TypeError(f"measures[{name!r}] must be a function of the model, not {measure!r}.")
        self.stop_at_nan = stop_at_nan
        self._rate = updates_per_second
        self._clock = clock
        Pace(rate=updates_per_second)  # a wrong rate is reported here, not in the middle of a fit
        self.record = TrainingRecord(title=title, units=units)
        self._monitor = None
        self._pace = None
        self._display_id = None
        self._running = False
        self._controls = None
        self._pages = set()

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

    async def fit(self, model, *arguments, **options):
        """Train in a worker thread, so that the controls of the view act while the network trains.

        The cell stays busy until the training ends, so that "Run All Cells" keeps its order. After a reload of
        the page the view comes back. Without a front end nobody could touch the controls; there this is
        ``model.fit``.

        Parameters
        ----------
        model : keras.Model
            Compiled model. Nobody else should use it until the training ends.
        *arguments, **options
            As for ``model.fit``; ``verbose`` is 0 by default, and this callback is added.

        Returns
        -------
        keras.callbacks.History
            What ``model.fit`` returns.

        Raises
        ------
        RuntimeError
            If this monitor is already showing a training.
        Exception
            Whatever ``model.fit`` raises; the history up to there is kept.

        Examples
        --------
        In a notebook cell::

            live = LiveTraining(title="cosmic rays")
            history = await live.fit(model, traces, energies, validation_split=0.1, epochs=30)
        """
        if self._controls is not None:
            raise RuntimeError("this LiveTraining shows a training that still runs: make a second one.")
        options = {"verbose": 0, **options}
        callbacks = [each for each in _listed(options.pop("callbacks", None)) if each is not self]
        options["callbacks"] = [*callbacks, self]
        if not has_front_end():
            return model.fit(*arguments, **options)
        self._finish("interrupted")
        self._controls = Controls()
        self._outcome = "stopped"
        worker = asyncio.ensure_future(asyncio.to_thread(model.fit, *arguments, **options))
        try:
            while not worker.done():
                await asyncio.wait({worker}, timeout=1 / UPDATES_PER_SECOND)
                if self._running and self._monitor is None:
                    self._open_monitor()
                elif self._running and self._monitor.pace.due():
                    self._monitor.update(self._state())
            if worker.exception() is not None:
                self._outcome = f"stopped by {type(worker.exception()).__name__}"
            return worker.result()
        except (asyncio.CancelledError, KeyboardInterrupt):
            self._outcome = "interrupted"
            raise
        finally:
            # No thread stays behind: the worker ends with its present batch.
            self._controls.request("stop")
            while not worker.done():
                await asyncio.wait({worker}, timeout=1)
            self._finish(self._outcome)
            self._controls = None

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
        self._phase = "training"
        self._pages = set()
        self._running = True
        if self._controls is not None:  # `fit` opens, updates and closes the view, in the thread of the cell
            return
        shell = _shell()
        if shell is not None:
            shell.events.register("post_run_cell", self._after_cell)
        if has_front_end():
            self._open_monitor()
            self._pace = self._monitor.pace

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch_index = epoch
        self._epoch_begun = self._clock()
        self._phase = "training"
        self.record.begin_epoch(epoch)

    def on_train_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is not None:  # a model with a train_step of its own may report anything
            self.record.add_batch(batch, loss)
            if loss - loss != 0.0 and self.stop_at_nan:  # NaN or infinity, without the cost of a function call
                self.model.stop_training = True
        if self._first_batch_ended is None:
            self._first_batch_ended = self._clock()
        if self._pace is not None and self._pace.due():
            self._monitor.update(self._state())
        if self._controls is not None:
            self._obey()

    def on_test_begin(self, logs=None):
        if self._running:
            self._phase = "validation"
            if self._pace is not None and self._pace.due():
                self._monitor.update(self._state())

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        for name, measure in self.measures.items():
            # Into Keras' own dictionary: its history and callbacks after this one see them too.
            logs[name] = float(measure(self.model))
        duration = self._clock() - self._epoch_begun
        self._epoch_durations.append(duration)
        self.record.add_epoch(epoch, logs)
        self._phase = "training"
        if self._pace is not None and self._pace.due():
            self._monitor.update(self._state())
        if not has_front_end():
            print(self.record.epoch_line(duration), flush=True)

    def on_train_end(self, logs=None):
        planned = self.record.epochs
        if self._controls is not None and self._controls.stopped:
            outcome = "stopped by hand"
        elif self.record.first_bad_batch is not None and self.stop_at_nan:
            outcome = "stopped"
        elif planned and self.record.epoch_numbers and self.record.epoch_numbers[-1] < planned:
            outcome = "stopped early"
        else:
            outcome = "finished"
        if self._controls is not None:
            # An interrupted cell stops its worker, but that was not the hand of the student.
            self._outcome = self._outcome if self._outcome == "interrupted" else outcome
        else:
            self._finish(outcome)

    def _obey(self):
        """Do between two batches what the controls ask for; runs in the worker thread."""
        controls = self._controls
        waited_s = controls.wait_for_turn()
        # A pause is no training time: it counts neither for the rate nor for the time left.
        self._epoch_begun += waited_s
        self._first_batch_ended += waited_s
        learning_rate = controls.take_learning_rate()
        if learning_rate is not None:
            self.model.optimizer.learning_rate = learning_rate
        if controls.stopped:
            self.model.stop_training = True

    # --- the view ---------------------------------------------------------------------------------------

    def _open_monitor(self):
        from IPython.display import display

        setup = {"run": uuid.uuid4().hex, "title": self.title, "units": self.units}
        if self._controls is not None:
            setup["controls"] = True
            setup["learningRate"] = self._learning_rate()
        view = view_class()(setup=setup)
        if self._controls is not None:
            view.on_msg(self._take_message)
        self._monitor = Monitor(self.record, view, Pace(clock=self._clock, rate=self._rate))
        self._display_id = uuid.uuid4().hex
        display(view, display_id=self._display_id)
        self._monitor.update(self._state())

    def _take_message(self, view, message, buffers):
        """Act on a message of the view; runs in the thread of the cell, also while a worker trains."""
        if self._controls is None or self._monitor is None:
            return
        if message.get("kind") == "hello":
            self._pages.add(message.get("page"))
            self._monitor.send_everything(self._state())
            return
        # A page of another version may ask for anything; the training goes on.
        try:
            self._controls.request(message.get("action"), message.get("value"))
        except ValueError as error:
            print(f"{self.title}: {error}")
        self._monitor.update(self._state())

    def _learning_rate(self):
        """Return the learning rate, or None where a schedule rules it."""
        requested = None if self._controls is None else self._controls.learning_rate  # the worker may take it now
        if requested is not None:
            return requested
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is None or isinstance(
            getattr(optimizer, "_learning_rate", None), keras.optimizers.schedules.LearningRateSchedule
        ):
            return None
        return float(optimizer.learning_rate)

    def _state(self):
        """Return the small facts beside the curves, as JSON."""
        record = self.record
        best, finding = record.best_index, record.verdict
        n_before = record.epoch_ends[-1] if record.epoch_ends else 0
        state = {
            "phase": self._phase,
            "epoch": self._epoch_index + 1,
            "firstEpoch": record.epoch_numbers[0] if record.epoch_numbers else self._epoch_index + 1,
            "epochs": record.epochs,
            "batch": record.n_batches - n_before,
            "steps": record.steps,
            "secondsLeft": self._seconds_left(),
            "samplesPerSecond": self._samples_per_second(),
            "bestBatch": None if best is None else record.epoch_ends[best],
            "bestName": record.judged_by,
            "finding": None,
            "summary": record.progress(),
            "outcome": record.outcome,
        }
        if finding is not None:
            since = record.epoch_numbers.index(finding.epoch) if finding.epoch in record.epoch_numbers else None
            batch = n_before if since is None else record.epoch_ends[since]
            state["finding"] = {"kind": finding.kind, "words": finding.words, "batch": batch}
        if self._controls is not None:
            state["paused"] = self._controls.paused
            state["learningRate"] = self._learning_rate()
        return state

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

    def _samples_per_second(self):
        # Keras tells callbacks no batch size; its loss metric has counted the samples of this epoch.
        if self._phase != "training" or self._first_batch_ended is None:
            return None
        metrics = self.model.metrics
        count = getattr(metrics[0], "count", None) if metrics else None
        seconds = self._clock() - self._epoch_begun
        rate = float(count) / seconds if count is not None and seconds > 0 else 0.0
        return rate if math.isfinite(rate) and rate > 0 else None

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
            if self._controls is None:
                shell.events.unregister("post_run_cell", self._after_cell)
            self._leave_figure()
        elif outcome != "finished":
            print(f"{self.title}: {self.record.summary()}", flush=True)
        if self._monitor is not None and len(self._pages) > 1:
            # A page that was loaded again does not know the place of the output any more: its view has to stay.
            self._monitor.send_everything(self._state())
        elif self._monitor is not None:
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


def _listed(callbacks):
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
