"""What the reader sees of a training: a live view while it runs, a static figure when it ends."""

from __future__ import annotations

import asyncio
import sys
import time
import uuid

from course_lib import style
from course_lib.front_end import has_front_end
from course_lib.training.monitor import UPDATES_PER_SECOND, Monitor, Pace, view_class


class Show:
    """One training on the stage, from its begin to its end, however it ends.

    Without `controls` the thread that trains calls `update_if_due` now and then. With them it calls `obey`
    between two batches, and `accompany` draws and listens in the thread of the cell meanwhile.

    Parameters
    ----------
    title : str
        Stands above the curves.
    members : list of Member
        The models that train.
    figures : callable
        Returns the static figures of what is shown: the first takes the place of the view, others follow.
    units : dict of str to str
        Unit of a quantity, for its axis.
    earlier : list of EarlierRun
        Trainings that are over; the caller may append to it.
    controls : Controls, optional
        What the reader may ask for.
    rate : float
        Updates a second.
    clock : callable
        Time in seconds.
    """

    def __init__(self, title, members, *, figures, units, earlier, rate, clock, controls=None):
        self.title = title
        self.members = members
        self.phase = "training"
        self.running = True
        self.outcome = "stopped"
        self._figures = figures
        self._units = units
        self._earlier = earlier
        self._controls = controls
        self._rate = rate
        self._clock = clock
        self._monitor = None
        self._display_id = None
        self._pages = set()
        if controls is not None:  # `accompany` opens the view, in the thread of the cell
            return
        shell = _shell()
        if shell is not None:
            shell.events.register("post_run_cell", self._after_cell)
        if has_front_end():
            self._open()

    @property
    def lead(self):
        """The member that is furthest: its epoch and time left stand above the curves."""
        return max(self.members, key=lambda member: (member.stopwatch.epoch_index, member.record.n_batches))

    def update_if_due(self):
        """Send what is new to the view, if there is one and the time has come."""
        if self._monitor is not None and self._controls is None and self._monitor.pace.due():
            self._update()

    def obey(self):
        """Do what the controls ask for, between two batches; wait while they say so.

        Returns
        -------
        bool
            Whether to stop.
        """
        controls = self._controls
        if controls is None:
            return False
        turn = False
        while not turn:
            waited_s, turn = controls.wait_for_turn()
            inspect = controls.take_inspection()
            for member in self.members:
                member.stopwatch.add_pause(waited_s)
                if inspect:
                    self._inspect(member)
        learning_rate = controls.take_learning_rate()
        if learning_rate is not None:
            for member in self.members:
                member.set_learning_rate(learning_rate, as_factor=len(self.members) > 1)
        return controls.stopped

    def _inspect(self, member):
        try:
            member.inspect()
        except Exception as error:  # the reader was curious; a model that cannot be asked must not lose its training
            print(f"{self.title}: the layers cannot be looked into: {error}")

    def conclude(self, outcome):
        """Note how the training ended; tells whether it did by itself and was not cut off with its cell."""
        if self.outcome == "interrupted":
            return False
        self.outcome = outcome
        return True

    async def accompany(self, function, *arguments, **options):
        """Run a function in a worker thread; draw and listen until it ends.

        Returns
        -------
        object
            What the function returns.
        """
        worker = asyncio.ensure_future(asyncio.to_thread(function, *arguments, **options))
        try:
            while not worker.done():
                await asyncio.wait({worker}, timeout=1 / UPDATES_PER_SECOND)
                if self._monitor is None:
                    if self.members:
                        self._open()
                elif self._monitor.pace.due():
                    self._update()
            if worker.exception() is not None:
                self.outcome = f"stopped by {type(worker.exception()).__name__}"
            return worker.result()
        except (asyncio.CancelledError, KeyboardInterrupt):
            self.outcome = "interrupted"
            raise
        finally:
            # No thread stays behind: the worker ends with its present batch.
            self._controls.request("stop")
            while not worker.done():
                await asyncio.wait({worker}, timeout=1)
            self.finish(self.outcome)

    def finish(self, outcome):
        """Replace the live view by the static figure, once."""
        if not self.running:
            return
        self.running = False
        for member in self.members:
            if member.record.outcome == "running":
                member.record.outcome = outcome
        shell = _shell()
        if shell is not None:
            if self._controls is None:
                shell.events.unregister("post_run_cell", self._after_cell)
            if self.members:
                self._leave_figures()
        elif self.members and outcome != "finished":
            print(f"{self.title}: {self._words()}", flush=True)
        if self._monitor is not None and len(self._pages) > 1:
            # A page that was loaded again does not know the place of the output any more: its view has to stay.
            self._monitor.send_everything(self._state)
        elif self._monitor is not None:
            self._monitor.close()
        self._monitor = None

    # --- the view ---------------------------------------------------------------------------------------

    def _open(self):
        from IPython.display import display

        setup = {"run": uuid.uuid4().hex, "title": self.title, "units": self._units}
        if self._controls is not None:
            setup["controls"] = True
            setup["inspect"] = any(member.can_be_inspected for member in self.members)
            setup["learningRate"] = self._learning_rate()
            setup["rateIsFactor"] = len(self.members) > 1
        view = view_class()(setup=setup)
        if self._controls is not None:
            view.on_msg(self._take_message)
        # With controls the thread of the cell draws, which has nothing else to do. Another clock counts everything.
        draws_itself = self._controls is None and self._clock is time.perf_counter
        work_clock = time.thread_time if draws_itself else None
        pace = Pace(clock=self._clock, work_clock=work_clock, rate=self._rate)
        self._monitor = Monitor([member.record for member in self.members], view, pace, self._earlier)
        self._display_id = uuid.uuid4().hex
        display(view, display_id=self._display_id)
        self._update()

    def _update(self):
        records = [member.record for member in self.members]
        if [id(record) for record in records] != [id(record) for record in self._monitor.records]:
            self._monitor.show(records, self._earlier)  # the next of several trainings in one view
        self._monitor.update(self._state)

    def _take_message(self, view, message, buffers):
        """Act on a message of the view; runs in the thread of the cell, also while a worker trains."""
        if self._monitor is None:
            return
        if message.get("kind") == "hello":
            self._pages.add(message.get("page"))
            self._monitor.send_everything(self._state)
            return
        # A page of another version may ask for anything; the training goes on.
        try:
            self._controls.request(message.get("action"), message.get("value"))
        except ValueError as error:
            print(f"{self.title}: {error}")
        self._update()

    def _learning_rate(self):
        """Return what the slider shows: the learning rate, or for several models the factor on each one's own."""
        rates = [member.learning_rate for member in self.members]
        requested = self._controls.learning_rate  # the worker may take it now
        if all(rate is None for rate in rates):
            return None
        if len(rates) > 1:
            return self._controls.last_learning_rate or 1.0
        return rates[0] if requested is None else requested

    def _state(self):
        """Return the small facts beside the curves, as JSON."""
        member = self.lead
        record, stopwatch = member.record, member.stopwatch
        n_before = record.epoch_ends[-1] if record.epoch_ends else 0
        running = self.phase == "training"
        state = {
            "phase": self.phase,
            "epoch": stopwatch.epoch_index + 1,
            "firstEpoch": record.epoch_numbers[0] if record.epoch_numbers else stopwatch.epoch_index + 1,
            "epochs": record.epochs,
            "batch": max(0, record.n_batches - n_before),
            "steps": _steps(record),
            "secondsLeft": stopwatch.seconds_left(),
            "samplesPerSecond": stopwatch.samples_per_second(member.n_samples) if running else None,
            "summary": self._progress(),
            "outcome": "running" if self.running else record.outcome,
            "models": [_facts(member) for member in self.members],
            "earlier": [run.name for run in self._earlier],
        }
        if self._controls is not None:
            state["paused"] = self._controls.paused
            state["learningRate"] = self._learning_rate()
        return state

    def _progress(self):
        return " ".join(_named(member, member.record.progress()) for member in self.members)

    def _words(self):
        return " ".join(_named(member, member.record.summary()) for member in self.members)

    # --- the end ----------------------------------------------------------------------------------------

    def _after_cell(self, result):
        """Close what a training that raised left open; IPython calls this after every cell."""
        error = result.error_in_exec
        if isinstance(error, KeyboardInterrupt):
            self.finish("interrupted")
        else:
            self.finish("stopped" if error is None else f"stopped by {type(error).__name__}")

    def _leave_figures(self):
        from IPython.display import display

        style.use()
        # The bundle, not the figure: plotly figures display themselves and ignore display_id.
        first, *others = [figure._repr_mimebundle_() for figure in self._figures()]
        first = {"text/plain": f"{self.title}: {self._words()}", **first}
        if self._display_id is None:
            display(first, raw=True)
        else:
            display(first, raw=True, display_id=self._display_id, update=True)
        for figure in others:
            display({"text/plain": f"{self.title}: the layers", **figure}, raw=True)


def _named(member, sentence):
    return f"{member.name}: {sentence}" if member.name else sentence


def _facts(member):
    """Return the facts of one model as JSON."""
    record = member.record
    best, finding = record.best_index, record.verdict
    facts = {
        "name": member.name,
        "steps": _steps(record),
        "bestBatch": None if best is None else record.epoch_ends[best],
        "bestName": record.judged_by,
        "finding": None,
        "layers": [_plain(layer) for layer in record.inspections[-1].layers] if record.inspections else None,
    }
    if finding is not None:
        facts["finding"] = {"kind": finding.kind, "words": finding.words, "batch": record.position_of(finding)}
    return facts


def _steps(record):
    """Return the batches of an epoch; a loop that reports none has epochs only."""
    return record.steps or (1 if record.epoch_numbers and not record.n_batches else None)


def _plain(layer):
    """Return a `LayerState` as JSON, which knows no NaN."""
    odd = {key: "not finite" for key, value in vars(layer).items() if isinstance(value, float) and value - value != 0}
    return vars(layer) | odd


def _shell():
    """Return the running IPython shell, or None in plain Python."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None
