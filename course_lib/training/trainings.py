"""What one monitor remembers of its trainings, and how it puts the next one on the stage."""

from __future__ import annotations

import contextlib
import time

import keras

from course_lib.front_end import has_front_end
from course_lib.training.earlier import earlier_run
from course_lib.training.figure import curves_figure, spread_figure
from course_lib.training.layer_curves import layers_figure
from course_lib.training.member import Member
from course_lib.training.monitor import UPDATES_PER_SECOND, Pace
from course_lib.training.record import TrainingRecord
from course_lib.training.run import Run, TrainingStopped
from course_lib.training.show import Show

#: Lines of more trainings than these would hide each other.
MOST_EARLIER_RUNS = 12


class Trainings:
    """The last training of a monitor with the ones before it, and their static figures.

    `course_lib.training.LiveTraining` adds the ways to train; its docstring explains the parameters.
    """

    #: Whether a loss that is not a finite number ends a training.
    stop_at_nan = True

    def __init__(
        self,
        title="Training",
        *,
        units=None,
        earlier=None,
        inspect=None,
        rate=UPDATES_PER_SECOND,
        clock=time.perf_counter,
    ):
        super().__init__()
        self.title = title
        self.units = dict(units or {})
        if inspect is not None and not (isinstance(inspect, tuple | list) and len(inspect) == 2):
            raise TypeError("inspect must be one batch, (inputs, targets): for example (x[:256], y[:256]).")
        self._inspect = inspect
        self._rate = rate
        self._clock = clock
        Pace(rate=rate)  # a wrong rate is reported here, not in the middle of a fit
        self.records = {"": TrainingRecord(title=title, units=units)}
        self._earlier = [earlier_run(name, training) for name, training in (earlier or {}).items()]
        self._n_trainings = 0
        self._show = None
        #: Whether the stage outlives a single `fit`: who opened it closes it.
        self._held = False
        self._repeating = False
        self._controls = None
        self._probe = None

    @property
    def record(self):
        """The record of the last training; of several models, that of the first."""
        return next(iter(self.records.values()))

    @property
    def history(self):
        """One value an epoch for each name in Keras' logs, of the last training."""
        if "" in self.records:
            return self.record.history
        return {name: record.history for name, record in self.records.items()}

    @property
    def earlier(self):
        """The trainings drawn behind the last one (`EarlierRun`), the oldest first."""
        return list(self._earlier)

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
        return curves_figure(self.records, log_scale=log_scale, earlier=self._earlier)

    def spread_figure(self, *, log_scale=False):
        """Return the mean and the spread (one standard deviation) of the last training and those before it.

        Parameters
        ----------
        log_scale : bool
            Whether the values stand on a logarithmic axis.

        Returns
        -------
        plotly.graph_objects.Figure
            One panel a quantity; the single trainings as thin lines.
        """
        runs = [*self._earlier, earlier_run(f"run {self._n_trainings}", self.record)]
        return spread_figure(runs, title=self.title, units=self.units, log_scale=log_scale)

    def layers_figure(self):
        """Return what was seen in the layers: norms of gradients and weights, size of updates, dead units.

        Returns
        -------
        plotly.graph_objects.Figure
            One panel a quantity, one curve a layer.

        Raises
        ------
        ValueError
            If nobody looked into the layers of the last training.
        """
        return layers_figure(self.records)

    # --- the stage --------------------------------------------------------------------------------------

    def _make_member(self, record, *, name="", model=None):
        probe = self._inspect or self._probe
        every_epoch = self._inspect is not None
        return Member(record, self._clock, name=name, model=model, probe=probe, every_epoch=every_epoch)

    def _make_show(self, members, controls=None):
        return Show(
            self.title,
            members,
            figures=self._figures,
            units=self.units,
            earlier=self._earlier,
            controls=controls,
            rate=self._rate,
            clock=self._clock,
        )

    def _figures(self):
        """Return what is left when a training ends."""
        figures = [self.spread_figure() if self._repeating and self._earlier else self.figure()]
        if any(record.inspections for record in self.records.values()):
            figures.append(self.layers_figure())
        return figures

    @contextlib.contextmanager
    def _hold(self, controls, *, repeating=False):
        """Keep one stage for all that Keras reports inside."""
        if self._show is not None:
            self._show.finish("interrupted")
        self._controls, self._held, self._repeating = controls, True, repeating
        self._show = self._make_show([], controls)
        try:
            yield
        except KeyboardInterrupt:
            self._show.outcome = "interrupted"
            raise
        except BaseException as error:
            self._show.outcome = f"stopped by {type(error).__name__}"
            raise
        finally:
            self._show.finish(self._show.outcome)
            self._controls, self._held, self._repeating, self._probe = None, False, False, None

    def _open_run(self, models, epochs, steps, *, controls):
        if self._show is not None:
            self._show.finish("interrupted")
        named = _named_models(models)
        self._remember_the_last()
        self._n_trainings += 1
        members = []
        for name, model in named.items():
            its_steps = steps.get(name) if isinstance(steps, dict) else steps
            title = f"{self.title}, {name}" if name else self.title
            record = TrainingRecord(title=title, epochs=epochs, steps=its_steps, units=self.units)
            members.append(self._make_member(record, name=name, model=model))
        self._probe = None
        self.records = {member.name: member.record for member in members}
        self._show = self._make_show(members, controls)
        return Run(self._show, members, stop_at_nan=self.stop_at_nan, tell_epoch=self._tell_epoch)

    def _work(self, function, run):
        """Train in the worker thread and note how it ended."""
        try:
            result = function(run)
        except TrainingStopped:
            self._show.conclude("stopped by hand" if self._controls.stopped else "stopped")
            return None
        self._show.conclude(self._how_it_ended())
        return result

    def _remember_the_last(self):
        """Let the last training of one model become a line behind the next."""
        if "" in self.records and self.record.epoch_numbers:
            self._earlier.append(earlier_run(f"run {self._n_trainings}", self.record))
            del self._earlier[:-MOST_EARLIER_RUNS]

    def _refuse_a_second(self):
        if self._controls is not None or self._held:
            raise RuntimeError("this LiveTraining shows a training that still runs: make a second one.")

    def _how_it_ended(self):
        # Of several models, one that dropped out is told in its own record.
        record = next((each for each in self.records.values() if each.first_bad_batch is None), self.record)
        if self._controls is not None and self._controls.stopped:
            return "stopped by hand"
        if record.first_bad_batch is not None and self.stop_at_nan:
            return "stopped"
        if record.epochs and record.epoch_numbers and record.epoch_numbers[-1] < record.epochs:
            return "stopped early"
        return "finished"

    def _tell_epoch(self, record, seconds):
        if not has_front_end():
            print(record.epoch_line(seconds), flush=True)


def _named_models(models):
    """Return the models of a loop by name, whatever form they were given in."""
    if models is None or hasattr(models, "learning_rate") or isinstance(models, keras.layers.Layer):
        return {"": models}
    named = models if isinstance(models, dict) else dict.fromkeys(models)
    if not named or isinstance(models, str) or not all(isinstance(name, str) and name for name in named):
        raise ValueError(
            f"models must name what trains, like {{'generator': model_a, 'critic': model_b}}, not {models!r}."
        )
    return dict(named)
