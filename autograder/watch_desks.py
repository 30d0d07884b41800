"""Where a watch grades: a desk for each exercise that has something in work, and its warm server, which outlives it.

A desk is a grading run of `autograder.grading_run` whose students come one by one. It holds the lock of the exercise's
journal only while something is in work, so that ``course grade`` can be used beside a watch.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from pathlib import Path

from autograder.classroom import Classroom
from autograder.errors import CourseError
from autograder.grading_run import Exercise, Graded, GradingRun, Journal, Outcome, OwnProcesses

#: Warm servers that are kept: they hold half a gigabyte each where an exercise needs TensorFlow.
_MOST_WARM = 2
#: A warm server that nobody needed for so long is ended.
_WARM_S = 1800.0


class Occupied(CourseError):
    """Nobody can be graded at this exercise for now; later they can."""


class Desk(GradingRun):
    """The grading run of one exercise, open for what comes."""

    def __init__(self, *arguments, workers: OwnProcesses, journal: Journal, release: tuple):
        super().__init__(*arguments, lambda: contextlib.nullcontext(workers))
        self.workers, self.journal, self.release = workers, journal, release
        self.resources = contextlib.ExitStack()
        self._tries: dict[str, int] = {}

    def begin(self, student: str) -> Graded | None:
        """Give what lies in the student's folder to a worker; or return its result, if there is one already."""
        self.graded.pop(student, None)
        self._grade([student], self.journal, "changed")
        return self.graded.get(student)

    def _distribute(self, students, workers, journal):
        for student in students:
            self._tries[student] = 1
            workers.submit(self._read(student))

    def end(self, outcome: Outcome) -> bool:
        """Keep what came back. False if it was a fault and is tried once more."""
        student = outcome.student
        if outcome.fault and self._tries.pop(student) < 2:
            self._tries[student] = 2
            self.workers.submit(self._read(student), alone=True)
            return False
        self._keep(self.journal, self._result(outcome), self._read(student).collected)
        return True


@dataclass
class _Warm:
    """Workers with the warm server of an exercise."""

    exercise: Exercise
    workers: OwnProcesses
    used: float = field(default_factory=time.monotonic)


class Desks:
    """All desks of a class.

    Parameters
    ----------
    classroom : autograder.classroom.Classroom
    settings : dict
        Level, limits and times, of `autograder.drop_in.GradingEngine.exercise_settings`.
    jobs : int
        How many submissions of an exercise are graded at a time.
    scratch : pathlib.Path
        For the workers' temporary files.
    """

    def __init__(self, classroom: Classroom, settings: dict, *, jobs: int, scratch: Path):
        self._classroom, self._settings, self._jobs, self._scratch = classroom, settings, jobs, scratch
        self._open: dict[str, Desk] = {}
        self._warm: dict[str, _Warm] = {}

    def at(self, exercise: str, *, busy: bool) -> Desk:
        """Return the desk of an exercise, opened where it is not.

        Parameters
        ----------
        exercise : str
        busy : bool
            Whether something is in work there.

        Raises
        ------
        Occupied
            While another run grades the exercise, or it was released anew and something of before is in work.
        CourseError
            If it is not released here, or cannot be graded.
        """
        release = self._release(exercise)
        desk = self._open.get(exercise)
        if desk is not None and desk.release == release:
            return desk
        if desk is not None and busy:
            raise Occupied(f"{exercise} was released anew: what is in work is graded by the old tests, and then again")
        if desk is not None:
            self._close(exercise)
        self._classroom._released(exercise)
        records = self._classroom.folder / "grading" / exercise
        with contextlib.ExitStack() as stack:
            writer = stack.enter_context(self._classroom.writer())
            assignment = writer.assignment(exercise)
            task = Exercise.of(assignment, **self._settings)
            try:
                journal = stack.enter_context(Journal(records / "journal.jsonl"))
            except CourseError as error:
                raise Occupied(str(error)) from None
            workers = self._workers(task)
            desk = Desk(writer, assignment, records, task, workers=workers, journal=journal, release=release)
            desk.resources = stack.pop_all()
        self._open[exercise] = desk
        return desk

    def wait(self, timeout_s: float) -> list[tuple[Desk, str, Outcome]]:
        """Return what came back, with desk and exercise, after `timeout_s` at the latest; at once if nothing is out."""
        busy = [(name, desk) for name, desk in self._open.items() if desk.workers.n_running]
        found = []
        for name, desk in busy:
            for outcome in desk.workers.wait(timeout_s / len(busy)):
                self._warm[name].used = time.monotonic()
                found.append((desk, name, outcome))
        return found

    def close_unused(self, wanted: set[str]) -> None:
        """Let others at every exercise but the wanted ones, and end warm servers that nobody needed for long."""
        for exercise in self._open.keys() - wanted:
            self._close(exercise)
        for name in sorted(self._warm.keys() - self._open.keys(), key=lambda name: self._warm[name].used):
            if len(self._warm) > _MOST_WARM or time.monotonic() - self._warm[name].used > _WARM_S:
                self._warm.pop(name).workers.close()

    def close(self) -> None:
        """End everything, whatever is in work."""
        for exercise in list(self._open):
            self._close(exercise)
        for warm in self._warm.values():
            warm.workers.close()
        self._warm = {}

    def _close(self, exercise: str) -> None:
        self._open.pop(exercise).resources.close()

    def _release(self, exercise: str) -> tuple:
        """Changes when the exercise is released anew."""
        places = [self._classroom.folder / step / exercise / f"{exercise}.ipynb" for step in ("source", "release")]
        return tuple(path.stat().st_mtime_ns if path.is_file() else 0 for path in places)

    def _workers(self, task: Exercise) -> OwnProcesses:
        warm = self._warm.get(task.name)
        if warm is None or warm.exercise != task:
            if warm is not None:
                warm.workers.close()
            warm = self._warm[task.name] = _Warm(task, OwnProcesses(task, self._jobs, scratch=self._scratch))
        warm.used = time.monotonic()
        return warm.workers
