"""The live view of a record: sends what is new to the browser, as seldom as the eye allows."""

from __future__ import annotations

import functools
import re
import time
from pathlib import Path

from course_lib import style
from course_lib.training.figure import thinned
from course_lib.training.record import BATCH_LOSS

FOLDER = Path(__file__).parent

#: The eye sees ten updates a second as motion; more only costs.
UPDATES_PER_SECOND = 10
#: Share of the training's time that updates may take; busy machines get fewer updates instead of slower trainings.
TIME_SHARE = 0.01
#: A message never holds more points of one curve than this ...
MOST_NEW_POINTS = 400
#: ... and a complete view never more than this.
MOST_POINTS = 2000
#: An earlier training is a thin line behind the others.
MOST_EARLIER_POINTS = 200
#: The view, in the order of its parts.
SCRIPTS = ("curves.js", "drawing.js", "live_training.js")


class Pace:
    """Says when the next update is due: `rate` a second at most, and `share` of the time at most.

    Parameters
    ----------
    clock : callable
        Returns the time in seconds.
    cost_clock : callable
        Returns the seconds of work done so far; the work of other processes must not count.
    work_clock : callable, optional
        Returns the seconds of the training that the share is taken of; `clock`, if not given. A training thread that
        draws itself gives its own computing time: where it mostly waits for others, little is left to take.
    rate : float
        Updates a second.
    share : float
        Largest part of the time that the updates themselves may take.

    Examples
    --------
    >>> now = [0.0]
    >>> pace = Pace(clock=lambda: now[0], cost_clock=lambda: 0.0, rate=10)
    >>> with pace:
    ...     pass
    >>> now[0] = 0.05
    >>> pace.due()
    False
    >>> now[0] = 0.11
    >>> pace.due()
    True
    """

    def __init__(
        self,
        *,
        clock=time.perf_counter,
        cost_clock=time.thread_time,
        work_clock=None,
        rate=UPDATES_PER_SECOND,
        share=TIME_SHARE,
    ):
        if not rate > 0:
            raise ValueError(f"updates_per_second must be above 0, not {rate!r}: 10 is the default, 1 is calm.")
        self.clock = clock
        self._cost_clock = cost_clock
        # More than ten a second would only cost.
        self._shortest = 1 / min(rate, UPDATES_PER_SECOND)
        self._share = share
        self._work_clock = work_clock or clock
        self._next, self._next_work = clock(), self._work_clock()

    def due(self):
        """Tell whether an update may be made now."""
        return self.clock() >= self._next and self._work_clock() >= self._next_work

    def __enter__(self):
        self._cost_before = self._cost_clock()
        self._start, self._start_of_work = self.clock(), self._work_clock()
        return self

    def __exit__(self, *exception):
        cost = self._cost_clock() - self._cost_before
        self._next = self._start + self._shortest
        # One very slow update must not freeze the picture.
        self._next_work = self._start_of_work + min(cost / self._share, 2.0)


def pack(curves):
    """Pack curves for the wire.

    Parameters
    ----------
    curves : list of (int, str, array_like, array_like)
        Which run, name, positions and values of each curve; positions and values have the same length.

    Returns
    -------
    names : list of [int, str, int]
        Run, name and number of points of each curve.
    payload : bytes
        Little-endian float32: for each curve its positions, then its values.

    Examples
    --------
    >>> names, payload = pack([(0, "loss", [1, 2], [0.5, 0.25])])
    >>> names, len(payload)
    ([[0, 'loss', 2]], 16)
    """
    import numpy as np

    names = [[run, name, len(values)] for run, name, _, values in curves]
    parts = [np.asarray(part, dtype="<f4") for *_, positions, values in curves for part in (positions, values)]
    return names, b"".join(part.tobytes() for part in parts)


class Monitor:
    """Keeps one live view up to date with one or several records.

    Parameters
    ----------
    records : list of TrainingRecord
        What is shown: runs 0, 1, ... on the wire. They may grow in another thread.
    view : object
        Has ``send(message, buffers=[...])`` and ``close()``: an anywidget.
    pace : Pace
        When updates are due.
    earlier : list of EarlierRun
        Trainings behind them: runs -1, -2, ... on the wire, at whole epochs instead of batches.
    """

    def __init__(self, records, view, pace, earlier=()):
        self.view = view
        self.pace = pace
        self._begun = pace.clock()
        # A view that missed a message, because it was still loading, is mended by complete ones: after one
        # second, then two, four ... so their cost vanishes.
        self._next_complete = 1.0
        self.show(records, earlier)

    def show(self, records, earlier=()):
        """Show other records from now on."""
        self.records = list(records)
        self.earlier = list(earlier)
        self._sent = {}

    def update(self, state):
        """Send what is new.

        Parameters
        ----------
        state : callable
            Returns a dict of JSON-able small facts: progress, best epoch, summary. Its cost counts as that of the
            update.
        """
        with self.pace:
            age = self.pace.clock() - self._begun
            if age >= self._next_complete:
                self._next_complete = 2 * age
                self._sent = {}
            complete = not self._sent
            curves = self._earlier_points() if complete else []
            for run, record in enumerate(self.records):
                curves += self._new_points(run, record, MOST_POINTS if complete else MOST_NEW_POINTS)
            names, payload = pack(curves)
            self.view.send(
                {"kind": "curves", "complete": complete, "curves": names, "state": state()}, buffers=[payload]
            )

    def send_everything(self, state):
        """Send the complete curves, for a page that was loaded again."""
        self._sent = {}
        self.update(state)

    def _new_points(self, run, record, most):
        # The numbers come last into the record, which may grow meanwhile.
        lengths = {BATCH_LOSS: len(record.batch_numbers)}
        with record.changing:
            lengths |= {name: len(values) for name, values in record.history.items()}
            ends = list(record.epoch_ends)
        curves = []
        for name, length in lengths.items():
            start = self._sent.get((run, name), 0)
            if length > start:
                if name == BATCH_LOSS:
                    positions, values = record.batch_numbers[start:length], record.batch_losses[start:length]
                else:
                    # A metric that appeared late belongs to the last epochs.
                    late = max(0, len(ends) - length)
                    positions, values = ends[late + start : late + length], record.history[name][start:length]
                curves.append((run, name, *thinned(positions, values, most)))
            self._sent[run, name] = length
        return curves

    def _earlier_points(self):
        curves = []
        for number, earlier in enumerate(self.earlier, 1):
            for name in earlier.history:
                curves.append((-number, name, *thinned(*earlier.points(name), MOST_EARLIER_POINTS)))
        return curves

    def close(self):
        """Remove the view; its record stays."""
        self.view.close()


@functools.cache
def script():
    """Return the JavaScript module of the view: its parts in one, without indentation and whole-line comments."""
    text = "".join((FOLDER / name).read_text("utf-8") for name in SCRIPTS)
    return re.sub(r"(?m)^\s*(//.*|/\*\*.*\*/)?\n|^[ \t]+", "", text)


@functools.cache
def stylesheet():
    """Return the style sheet of the view, with the colours of the course as CSS variables."""
    palette = "".join(f"  --course-{name.replace('_', '-')}: {colour};\n" for name, colour in style.PALETTE.items())
    for index, colour in enumerate(style.SEQUENCE):
        palette += f"  --ct-model-{index}: color-mix(in srgb, {colour} 82%, var(--ct-ink));\n"
    return f".course-training {{\n{palette}}}\n" + (FOLDER / "live_training.css").read_text("utf-8")


@functools.cache
def view_class():
    """Return the widget class, made on first use: without a front end anywidget is never imported."""
    import anywidget
    import traitlets

    class LiveTrainingView(anywidget.AnyWidget):
        _esm = script()
        _css = stylesheet()
        setup = traitlets.Dict().tag(sync=True)

    return LiveTrainingView
