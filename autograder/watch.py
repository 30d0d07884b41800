"""Grade on submit: what students hand in is graded within a minute, and they read what they may before the deadline.

::

    exchange/submissions  --- look --->  waiting  --- a free worker --->  grading  --- finish --->  exchange/feedback
    submitted (no exchange)                          one of a student        |
                                                     at a time               v
                                              submitted/, records, journal and gradebook, as 'course grade' keeps them

Attempts are graded in the order of their arrival, each by the engine of `autograder.grading_run` with the warm server
of its exercise, which stays alive between them. ``submitted/STUDENT/EXERCISE`` and the gradebook hold the attempt that
counts: the last, or, where the class says so, the best. The record of every attempt is kept in
``grading/EXERCISE/attempts/STUDENT/NNNN.json``.

What is done stands in ``grading/watch.jsonl``, whose lock keeps a second watch away. An attempt is done when its line
is written, and everything before that line can be repeated: the same bytes find the record of their grading, the
gradebook takes the same marks again, and feedback is written over itself. So a watch that was killed anywhere goes on
with the next, grades nothing twice and forgets nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import hashlib
import json
import os
import shutil
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from autograder import early_feedback, exchange_store
from autograder.classroom import Classroom
from autograder.errors import CourseError
from autograder.exchange_store import Receipt, Refused, Released
from autograder.feedback import Marks, marks_in_gradebook, notice_page
from autograder.grading_run import NOT_GRADED, Journal, read_record, scratch_folder, write_whole
from autograder.results import SubmissionResult
from autograder.watch_desks import Desk, Desks, Occupied

#: What could not be graded, because the machine or the engine failed, is tried again after so many seconds.
_AGAIN_S = 600.0
#: ``exchange/watch.json`` is written at every change, and at least so often: who reads it sees whether we live.
_SIGN_OF_LIFE_S = 15.0
#: A folder that changed within so many seconds may change again without another time of change.
_TICK_S = 2.0
#: Files of a handed-in folder that are looked at for changes.
_MOST_FILES = 2_000


@dataclass(frozen=True)
class Attempt:
    """What is graded: one submission of one student.

    Attributes
    ----------
    exercise, student : str
    number : int
        As in the exchange, from 1; 0 is what lies in ``submitted/`` where the student uses no exchange.
    """

    exercise: str
    student: str
    number: int

    def __str__(self):
        return f"{self.exercise} {self.student}" + (f" attempt {self.number}" if self.number else "")


@dataclass
class Status:
    """What the watch is doing: for the terminal and for ``exchange/watch.json``.

    Attributes
    ----------
    alive_since : datetime.datetime
    waiting : int
        Attempts that wait.
    grading : tuple of Attempt
    graded : int
        Attempts since the start.
    last : str
        The last one that was graded, in words.
    last_graded : datetime.datetime or None
    error : str
        The last thing that went wrong, in words.
    """

    alive_since: datetime.datetime = field(default_factory=exchange_store.now)
    waiting: int = 0
    grading: tuple[Attempt, ...] = ()
    graded: int = 0
    last: str = ""
    last_graded: datetime.datetime | None = None
    error: str = ""


def refusal(settings: Released, receipts: list[Receipt], number: int) -> str:
    """Say why an attempt is not graded; "" if it is.

    The exchange refuses the same ones when they arrive; here the rule holds for what came before the limit was lowered.

    Parameters
    ----------
    settings : autograder.exchange_store.Released
    receipts : list of autograder.exchange_store.Receipt
        All attempts of the student, in order.
    number : int
        The attempt.

    Examples
    --------
    >>> from datetime import datetime, timedelta, UTC
    >>> noon = datetime(2026, 11, 2, 12, tzinfo=UTC)
    >>> receipts = [Receipt("ada", "ex01_1", n, noon + n * timedelta(seconds=60), "", 0) for n in (1, 2)]
    >>> refusal(Released("ex01_1", "Means", noon, attempts=1), receipts, 2)
    'Attempt 2 was not graded: 1 is the most for this exercise.'
    >>> refusal(Released("ex01_1", "Means", noon, pause_s=60), receipts, 2)
    ''
    """
    place = next(place for place, one in enumerate(receipts) if one.attempt == number)
    if place >= settings.most_attempts:
        return f"Attempt {number} was not graded: {settings.most_attempts} is the most for this exercise."
    if place:
        passed_s = (receipts[place].received - receipts[place - 1].received).total_seconds()
        if passed_s < settings.pause_s:
            return (
                f"Attempt {number} was not graded: it came {passed_s:.0f} s after the one before, and "
                f"{settings.pause_s:g} s must pass between two. Hand it in again."
            )
    return ""


def counting_attempt(counts: str, points: dict[int, float]) -> int:
    """Return the attempt that gives the mark.

    Parameters
    ----------
    counts : str
        One of `autograder.exchange_store.COUNTING`.
    points : dict of int to float
        Attempt -> its points, less what being late costs.

    Examples
    --------
    >>> counting_attempt("last", {1: 5.0, 2: 3.0}), counting_attempt("best", {1: 5.0, 2: 3.0, 3: 5.0})
    (2, 3)
    """
    if counts == "last":
        return max(points)
    # Of equal ones the later: it is what the student wanted to say last.
    return max(points, key=lambda number: (points[number], number))


@dataclass
class _Job:
    """An attempt in work; `entry` is its line in the journal once an earlier one, which counts, is brought back."""

    attempt: Attempt
    since: float
    entry: dict | None = None


class Watch:
    """Looks after one class; a context manager, inside of which nobody else can.

    Parameters
    ----------
    classroom : autograder.classroom.Classroom
    jobs : int
        How many attempts are graded at a time.
    allow_weaker : bool
        As for ``course grade``.
    on_graded : callable, optional
        Called with a line about each attempt that is done.

    Raises
    ------
    CourseError
        When entered: if another watch looks after this class, its gradebook or folders cannot be used, or the
        isolation is not to be had.
    """

    def __init__(
        self,
        classroom: Classroom,
        *,
        jobs: int = 1,
        allow_weaker: bool = False,
        on_graded: Callable[[str], None] | None = None,
    ):
        if jobs < 1:
            raise CourseError(f"--jobs must be at least 1, not {jobs}.")
        self._classroom, self._folder, self._jobs = classroom, classroom.folder, jobs
        self._allow_weaker = allow_weaker
        self._on_graded = on_graded or (lambda line: None)
        #: Set by a signal: the present attempts are graded to their end, and no new one is begun.
        self.stopping = False
        self.status = Status()
        #: How often an attempt was set aside.
        self.failed = 0
        self._waiting: list[Attempt] = []
        self._in_work: dict[tuple[str, str], _Job] = {}
        self._aside: dict[Attempt, float] = {}
        self._receipts: dict[tuple[str, str], list[Receipt]] = {}
        #: What was seen of a student's folder when it was last looked at.
        self._looked: dict[tuple[str, str], object] = {}
        self._moving: dict[tuple[str, str], object] = {}
        self._settings_read: dict[str, tuple[object, Released]] = {}
        #: Exercises whose rules changed: another attempt may count now.
        self._to_choose: set[str] = set()
        self._resources = contextlib.ExitStack()
        self._written: tuple[float, object] = (0.0, None)

    def __enter__(self) -> Watch:
        from autograder.drop_in import GradingEngine

        with contextlib.ExitStack() as stack:
            self._journal = stack.enter_context(self._locked_journal())
            engine = GradingEngine(config=self._classroom._configuration)
            settings = engine.exercise_settings(allow_weaker=self._allow_weaker)
            with self._classroom.writer():
                pass  # a gradebook that cannot be used is told now, not with each attempt
            try:
                exchange_store.exchange_folder(self._folder)
                scratch = stack.enter_context(scratch_folder(self._folder / "grading" / "watch"))
            except OSError as error:
                raise CourseError(f"{error.filename} cannot be made ({error.strerror}): mend that first.") from error
            self._read_journal()
            self._desks = Desks(self._classroom, settings, jobs=self._jobs, scratch=scratch)
            stack.callback(self._desks.close)
            self._resources = stack.pop_all()
        return self

    def __exit__(self, *_) -> None:
        with self._resources, contextlib.suppress(OSError):
            self._write_status(ended=True)

    def _locked_journal(self) -> Journal:
        path = self._folder / "grading" / "watch.jsonl"
        try:
            return Journal(path)
        except CourseError:
            raise CourseError(
                f"Another watch looks after this class (it holds {path}): leave it to that one, or end it first."
            ) from None
        except OSError as error:
            raise CourseError(f"{path} cannot be written ({error.strerror}): mend that first.") from error

    def _read_journal(self) -> None:
        #: What is done, (exercise, student) -> attempt -> the line that says so; and how much of each can be read.
        self._done: dict[tuple[str, str], dict[int, dict]] = {}
        self._degrees: dict[Attempt, str] = {}
        #: (exercise, student) -> the attempt that gives the mark.
        self._counting: dict[tuple[str, str], int] = {}
        #: The student's deadline when feedback was published, and attempts for which it is another one now.
        self._told_due: dict[Attempt, str | None] = {}
        self._stale: set[Attempt] = set()
        for entry in self._journal.entries:
            with contextlib.suppress(KeyError):
                attempt = Attempt(entry["exercise"], entry["student"], entry["attempt"])
                if entry["event"] == "published":
                    self._degrees[attempt], self._told_due[attempt] = entry["degree"], entry["due"]
                elif entry["event"] == "counts":
                    self._counting[attempt.exercise, attempt.student] = attempt.number
                elif entry["event"] in {"graded", "refused"}:
                    self._note_done(attempt, entry)
        # The journal would keep every line in memory a second time.
        self._journal.entries.clear()

    def _note_done(self, attempt: Attempt, entry: dict) -> None:
        self._done.setdefault((attempt.exercise, attempt.student), {})[attempt.number] = entry
        self._degrees[attempt] = "full" if entry["event"] == "refused" else "none"
        if entry["event"] == "graded":
            self._counting[attempt.exercise, attempt.student] = entry["counting"]

    def _is_done(self, attempt: Attempt) -> bool:
        return attempt.number in self._done.get((attempt.exercise, attempt.student), {})

    def _write_line(self, event: str, attempt: Attempt, **more) -> dict:
        entry = {
            "event": event,
            "exercise": attempt.exercise,
            "student": attempt.student,
            "attempt": attempt.number,
            "time": exchange_store.now().isoformat(),
            **more,
        }
        self._journal.append(**entry)
        self._journal.entries.clear()
        return entry

    def run(self, *, poll_s: float = 2.0, once: bool = False) -> None:
        """Look, grade and publish until `stopping` is set.

        Parameters
        ----------
        poll_s : float
            Seconds from one look to the next.
        once : bool
            Take what is there now, and come back when it is done. `failed` then counts what could not be.
        """
        if not poll_s > 0:
            raise CourseError(f"--poll must be a number of seconds above 0, not {poll_s:g}.")
        next_look = 0.0
        while True:
            if not self.stopping and time.monotonic() >= next_look and not (once and next_look):
                self._look(settled=once)
                self._publish_more()
                next_look = time.monotonic() + poll_s
            if not self.stopping:
                self._begin_waiting()
            self._take_outcomes()
            self._desks.close_unused({name for name, _ in self._in_work} | {one.exercise for one in self._ready()})
            self._note_status()
            if not self._in_work:
                if self.stopping or (once and not self._ready()):
                    return
                # In short pieces, so that a signal is heard.
                time.sleep(min(0.25, max(0.0, next_look - time.monotonic())))

    # -- what is new ----------------------------------------------------------------------------------------------

    def _look(self, *, settled: bool) -> None:
        try:
            # Extensions and deadlines are followed also where nothing waits.
            for path in sorted((self._folder / "exchange" / "released").glob("*.json")):
                try:
                    if exchange_store.is_name(path.stem):
                        self._settings(path.stem)
                except CourseError as error:
                    self._tell(str(error))
            self._look_into_exchange()
            self._choose_anew()
            self._look_into_folders(settled)
        except OSError as error:
            self._tell(f"{error.filename} cannot be read ({error.strerror})")

    def _look_into_exchange(self) -> None:
        found = []
        for exercise in _folders(self._folder / "exchange" / "submissions"):
            for student in _folders(Path(exercise.path)):
                key = (exercise.name, student.name)
                if not all(map(exchange_store.is_name, key)):
                    continue
                changed_ns = student.stat().st_mtime_ns
                if self._looked.get(key) == changed_ns:
                    continue
                try:
                    receipts = exchange_store.attempts(self._folder, *key)
                except CourseError as error:
                    self._tell(str(error))
                    continue
                self._receipts[key] = receipts
                if time.time_ns() - changed_ns > _TICK_S * 1e9:
                    self._looked[key] = changed_ns
                found += [(one.received, Attempt(*key, one.attempt)) for one in receipts]
        waiting = set(self._waiting)
        new = [one for one in found if one[1] not in waiting and not self._is_done(one[1])]
        self._waiting += [attempt for _, attempt in sorted(new, key=lambda one: (one[0], one[1].number))]

    def _choose_anew(self) -> None:
        """Let another attempt be brought where the rules changed and it is the one that counts now."""
        changed, self._to_choose = self._to_choose, set()
        for exercise, student in [key for key in self._done if key[0] in changed]:
            attempt = Attempt(exercise, student, self._counting.get((exercise, student), 0))
            if attempt.number:
                with self._setting_aside(attempt):
                    chosen = dataclasses.replace(attempt, number=self._choose(attempt, {}))
                    if chosen not in (attempt, *self._waiting):
                        self._waiting.insert(0, chosen)

    def _look_into_folders(self, settled: bool) -> None:
        released = {one.name for one in _folders(self._folder / "release")}
        for student in _folders(self._folder / "submitted"):
            for exercise in _folders(Path(student.path)):
                key = (exercise.name, student.name)
                if exercise.name not in released or self._receipts.get(key) or key in self._in_work:
                    continue
                if any(unicodedata.category(character) in {"Cc", "Cs"} for character in student.name):
                    self._tell(f"The folder {student.name!r} has a control character in its name: rename it")
                    continue
                seen = _signature(Path(exercise.path))
                attempt = Attempt(*key, 0)
                if self._looked.get(key) == seen or attempt in self._waiting:
                    continue
                # What is still being copied is left for the next look.
                if settled or self._moving.get(key) == seen:
                    self._looked[key] = seen
                    self._waiting.append(attempt)
                self._moving[key] = seen

    # -- grading --------------------------------------------------------------------------------------------------

    def _ready(self) -> list[Attempt]:
        """Attempts that could begin now: one of a student in an exercise, in their order, and none set aside."""
        now = time.monotonic()
        taken, ready = set(self._in_work), []
        for attempt in self._waiting:
            key = (attempt.exercise, attempt.student)
            if key not in taken and self._aside.get(attempt, 0.0) <= now:
                ready.append(attempt)
            # A later attempt does not wait for one that was set aside.
            if self._aside.get(attempt, 0.0) <= now:
                taken.add(key)
        return ready

    def _begin_waiting(self) -> None:
        blocked = set()
        for attempt in self._ready():
            if len(self._in_work) >= self._jobs:
                return
            if attempt.exercise in blocked:
                continue
            with self._setting_aside(attempt):
                try:
                    self._begin(attempt)
                except Occupied as error:
                    blocked.add(attempt.exercise)
                    self._tell(str(error))

    def _begin(self, attempt: Attempt) -> None:
        key = (attempt.exercise, attempt.student)
        if attempt.number and not self._is_done(attempt):
            words = refusal(self._settings(attempt.exercise), self._receipts[key], attempt.number)
            if words:
                self._refuse(attempt, words)
                return
        desk = self._desks.at(attempt.exercise, busy=any(name == attempt.exercise for name, _ in self._in_work))
        if attempt.number:
            self._bring(attempt)
        job = self._in_work[key] = _Job(attempt, time.monotonic())
        self._go_on(desk, job)

    def _go_on(self, desk: Desk, job: _Job) -> None:
        if desk.begin(job.attempt.student) is not None:
            self._finish(desk, job)

    def _take_outcomes(self) -> None:
        for desk, exercise, outcome in self._desks.wait(0.25):
            job = self._in_work.get((exercise, outcome.student))
            if job is None:
                continue  # it was set aside meanwhile
            with self._setting_aside(job.attempt):
                if desk.end(outcome):
                    self._finish(desk, job)

    def _finish(self, desk: Desk, job: _Job) -> None:
        """A record is there: decide what counts, bring that back if it is another attempt, and say that it is done."""
        attempt = job.attempt
        record = read_record(self._record_path(attempt.exercise, attempt.student))
        if record is None or record.fingerprint != desk.graded[attempt.student].fingerprint:
            raise CourseError("its record was changed by somebody else meanwhile")
        if record.reason == NOT_GRADED:
            raise CourseError(f"the engine failed twice: {record.log.strip().rpartition(chr(10))[2]}")
        if not attempt.number and self._is_done(attempt):
            done = self._done[attempt.exercise, attempt.student][0]
            if done["fingerprint"] == record.fingerprint:
                self._forget(attempt)  # known from an earlier watch
                return
        if attempt.number and self._is_done(attempt):
            self._keep_record(attempt, record)
            self._write_line("counts", attempt)
            self._counting[attempt.exercise, attempt.student] = attempt.number
            self._stale.add(attempt)
            self._forget(attempt)
            self._on_graded(f"{attempt} counts now")
            return
        if job.entry is None:
            counts = self._settings(attempt.exercise).counts
            job.entry = {"points": record.points, "counts": counts, "counting": attempt.number}
            job.entry["fingerprint"] = record.fingerprint
            if attempt.number:
                self._keep_record(attempt, record)
                number = self._choose(attempt, {attempt.number: record.points})
                if number != attempt.number:
                    job.entry["counting"] = number
                    self._bring(dataclasses.replace(attempt, number=number))
                    self._go_on(desk, job)
                    return
        elif attempt.number:
            self._keep_record(dataclasses.replace(attempt, number=job.entry["counting"]), record)
        self._note_done(attempt, self._write_line("graded", attempt, **job.entry))
        self._forget(attempt)
        self.status.graded += 1
        self.status.last = f"{attempt}: {job.entry['points']:g} points in {time.monotonic() - job.since:.1f} s"
        self.status.last_graded = exchange_store.now()
        self._on_graded(self.status.last)
        self._publish(attempt)

    def _refuse(self, attempt: Attempt, words: str) -> None:
        page = notice_page(words, student=attempt.student, exercise=attempt.exercise)
        mark = {"points": 0, "maximum": 0, "refused": words}
        exchange_store.put_feedback(
            self._folder, attempt.exercise, attempt.student, attempt.number, mark=mark, page=page
        )
        self._note_done(attempt, self._write_line("refused", attempt, reason=words))
        self._forget(attempt)
        self._on_graded(f"{attempt.exercise} {attempt.student}: {words}")

    def _forget(self, attempt: Attempt) -> None:
        """It is done: neither waiting nor in work."""
        if attempt in self._waiting:
            self._waiting.remove(attempt)
        self._aside.pop(attempt, None)
        job = self._in_work.get((attempt.exercise, attempt.student))
        if job is not None and job.attempt == attempt:
            del self._in_work[attempt.exercise, attempt.student]

    @contextlib.contextmanager
    def _setting_aside(self, attempt: Attempt):
        """Whatever goes wrong with one attempt is told, and the others go on; it is tried again later."""
        try:
            yield
        except Exception as error:
            self._in_work.pop((attempt.exercise, attempt.student), None)
            if self._is_done(attempt) and attempt not in self._waiting:
                words = f"{attempt} is graded, and its feedback waits"
            else:
                words = f"{attempt} waits for another try"
                self._aside[attempt] = time.monotonic() + _AGAIN_S
                self.failed += 1
            self._tell(f"{words} ({error if isinstance(error, CourseError) else repr(error)})")

    def _tell(self, words: str) -> None:
        if words != self.status.error:
            self.status.error = words
            self._on_graded(f"Error: {words}")

    # -- settings, folders and records ------------------------------------------------------------------------------

    def _settings(self, exercise: str) -> Released:
        """What the exchange says about an exercise; without an exchange only the gradebook knows a deadline."""
        path = self._folder / "exchange" / "released" / f"{exercise}.json"
        try:
            changed = path.stat().st_mtime_ns
        except FileNotFoundError:
            changed = None
        known = self._settings_read.get(exercise)
        if known is None or known[0] != changed:
            try:
                settings = exchange_store.released(self._folder, exercise)
            except Refused:
                settings = Released(exercise, exercise, exchange_store.now(), due=self._due_in_gradebook(exercise))
            else:
                self._apply_deadlines(settings)
                self._to_choose.add(exercise)
            self._settings_read[exercise] = known = (changed, settings)
        return known[1]

    def _due_in_gradebook(self, exercise: str) -> datetime.datetime | None:
        from nbgrader.api import MissingEntry

        with self._classroom.gradebook() as gradebook, contextlib.suppress(MissingEntry):
            due = gradebook.find_assignment(exercise).duedate
            return due.replace(tzinfo=datetime.UTC) if due is not None else None
        return None

    def _apply_deadlines(self, settings: Released) -> None:
        """Penalties follow the exchange's deadlines, and pages on which another one stands are written anew."""
        with self._classroom.writer() as writer:
            writer.apply_deadlines(settings.exercise)
        for attempt, due in self._told_due.items():
            if attempt.exercise == settings.exercise and due != _due_text(settings, attempt.student):
                self._stale.add(attempt)

    def _bring(self, attempt: Attempt) -> None:
        """Make ``submitted/STUDENT/EXERCISE`` hold an attempt of the exchange, and have its record ready, if any.

        In this order: a record never lies beside another submission as if it were graded.
        """
        exercise, student = attempt.exercise, attempt.student
        files = self._files(attempt)
        target = self._folder / "submitted" / student / exercise
        if not _holds(target, files):
            _replace_folder(target, files)
        with contextlib.suppress(FileNotFoundError):
            text = self._attempt_path(attempt).read_text(encoding="utf-8")
            self._record_path(exercise, student).parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._record_path(exercise, student), text)

    def _receipt(self, attempt: Attempt) -> Receipt | None:
        receipts = self._receipts.get((attempt.exercise, attempt.student), [])
        return next((one for one in receipts if one.attempt == attempt.number), None)

    def _files(self, attempt: Attempt) -> dict[str, bytes]:
        """What ``submitted/STUDENT/EXERCISE`` holds for an attempt of the exchange: with nbgrader's time of arrival."""
        exercise, student = attempt.exercise, attempt.student
        receipt = self._receipt(attempt)
        notebook = exchange_store.submitted_notebook(self._folder, exercise, student, attempt.number).read_bytes()
        if hashlib.sha256(notebook).hexdigest() != receipt.sha256:
            raise CourseError("its notebook is not what was received: bring exchange/submissions back from a backup")
        received = receipt.received.astimezone(datetime.UTC)
        # To the letter what 'nbgrader collect' writes through the exchange: the same submission, the same bytes.
        return {f"{exercise}.ipynb": notebook, "timestamp.txt": f"{received:%Y-%m-%d %H:%M:%S.%f} UTC".encode()}

    def _record_path(self, exercise: str, student: str) -> Path:
        return self._folder / "grading" / exercise / f"{student}.json"

    def _attempt_path(self, attempt: Attempt) -> Path:
        return self._folder / "grading" / attempt.exercise / "attempts" / attempt.student / f"{attempt.number:04d}.json"

    def _keep_record(self, attempt: Attempt, record: SubmissionResult) -> None:
        path = self._attempt_path(attempt)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, record.to_json())

    def _choose(self, attempt: Attempt, new: dict[int, float]) -> int:
        """Which attempt of the same student counts, of those that are graded and a new one with its points."""
        done = self._done.get((attempt.exercise, attempt.student), {})
        points = {number: entry["points"] for number, entry in done.items() if number and entry["event"] == "graded"}
        left = {
            number: reached - self._penalty(dataclasses.replace(attempt, number=number), reached)
            for number, reached in (points | new).items()
        }
        return counting_attempt(self._settings(attempt.exercise).counts, left)

    def _penalty(self, attempt: Attempt, points: float) -> float:
        """What being late costs an attempt, whether or not it is in the gradebook: by the class's own plug-in."""
        due, receipt = self._settings(attempt.exercise).due_of(attempt.student), self._receipt(attempt)
        if due is None or receipt is None or receipt.received <= due:
            return 0.0
        from nbgrader.preprocessors import AssignLatePenalties

        step = AssignLatePenalties(config=self._classroom._configuration)
        step.init_plugin()
        late_s = (receipt.received - due).total_seconds()
        penalty = step.plugin_inst.late_submission_penalty(attempt.student, points, late_s)
        return min(max(penalty or 0.0, 0.0), points)

    def _marks_in_gradebook(self, attempt: Attempt) -> Marks:
        with self._classroom.gradebook() as gradebook:
            # The engine takes exercises of one notebook.
            (notebook,) = gradebook.find_assignment(attempt.exercise).notebooks
            return marks_in_gradebook(gradebook, notebook.name, attempt.exercise, attempt.student)

    # -- feedback -------------------------------------------------------------------------------------------------

    def _publish_more(self) -> None:
        """Show what may be read now and could not be before: a deadline has passed, or the class allows more."""
        for attempt, degree in list(self._degrees.items()):
            if degree != "full" or attempt in self._stale:
                with self._setting_aside(attempt):
                    self._publish(attempt)

    def _publish(self, attempt: Attempt) -> None:
        settings = self._settings(attempt.exercise)
        degree = early_feedback.degree_now(settings, attempt.student, exchange_store.now())
        if not early_feedback.shows_more(degree, self._degrees[attempt]):
            if attempt not in self._stale:
                return
            degree = self._degrees[attempt]  # what was shown is not taken back
        key = (attempt.exercise, attempt.student)
        if key in self._in_work:
            return  # its folders are about to change; the next look comes back to it
        if self._is_in_gradebook(attempt):
            record = read_record(self._record_path(*key))
            marks = self._marks_in_gradebook(attempt)
        else:
            record = read_record(self._attempt_path(attempt))
            marks = record and early_feedback.marks_of(record, self._penalty(attempt, record.points))
        if record is None:
            raise CourseError(f"the record of {attempt} is lost: run 'course grade' and 'course feedback'")
        note = early_feedback.note_about(settings, self._receipt(attempt), degree, attempt.student)
        page = early_feedback.page_of(record, marks, degree, note)
        mark = early_feedback.mark_of(marks, degree)
        if attempt.number:
            exchange_store.put_feedback(self._folder, *key, attempt.number, mark=mark, page=page)
        else:
            place = self._folder / "feedback" / attempt.student / attempt.exercise
            place.mkdir(parents=True, exist_ok=True)
            if page is not None:
                write_whole(place / f"{attempt.exercise}.html", page)
            write_whole(place / "mark.json", json.dumps(mark, indent=1, allow_nan=False) + "\n")
        due = _due_text(settings, attempt.student)
        self._write_line("published", attempt, degree=degree, due=due)
        self._degrees[attempt], self._told_due[attempt] = degree, due
        self._stale.discard(attempt)

    def _is_in_gradebook(self, attempt: Attempt) -> bool:
        """Whether folders and gradebook hold this attempt, and not a later one that is still undecided."""
        if not attempt.number:
            return True
        key = (attempt.exercise, attempt.student)
        if self._counting.get(key) != attempt.number:
            return False
        return _holds(self._folder / "submitted" / attempt.student / attempt.exercise, self._files(attempt))

    # -- how it is going --------------------------------------------------------------------------------------------

    def _note_status(self) -> None:
        self.status.waiting = len(self._waiting) - len(self._in_work)
        self.status.grading = tuple(job.attempt for job in self._in_work.values())
        now, content = time.monotonic(), repr(self.status)
        if content != self._written[1] or now - self._written[0] > _SIGN_OF_LIFE_S:
            try:
                self._write_status()
            except OSError as error:
                self._tell(f"exchange/watch.json cannot be written ({error.strerror})")
            self._written = (now, content)

    def _write_status(self, *, ended: bool = False) -> None:
        status = self.status
        content = {
            "alive": not ended,
            "alive_since": status.alive_since.isoformat(),
            "seen": exchange_store.now().isoformat(),
            "waiting": status.waiting,
            "grading": [dataclasses.asdict(one) for one in status.grading],
            "graded": status.graded,
            "last": status.last,
            "last_graded": status.last_graded.isoformat() if status.last_graded else None,
            "error": status.error,
        }
        path = exchange_store.exchange_folder(self._folder) / "watch.json"
        write_whole(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _due_text(settings: Released, student: str) -> str | None:
    due = settings.due_of(student)
    return due.isoformat() if due is not None else None


def _folders(place: Path) -> list[os.DirEntry]:
    """The folders in a folder, without links and hidden ones, by name; none if it is not there."""
    try:
        with os.scandir(place) as entries:
            found = [one for one in entries if not one.name.startswith(".") and one.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda one: one.name)


def _signature(folder: Path) -> tuple:
    """Changes when a file in a folder changes."""
    found = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            with contextlib.suppress(FileNotFoundError):
                status = os.lstat(os.path.join(place, name))
                found.append((place, name, status.st_mtime_ns, status.st_size))
            if len(found) >= _MOST_FILES:
                return tuple(found)
    return tuple(found)


def _holds(folder: Path, files: dict[str, bytes]) -> bool:
    """Whether a folder holds exactly these files."""
    try:
        return {one.name for one in folder.iterdir()} == files.keys() and all(
            (folder / name).read_bytes() == content for name, content in files.items()
        )
    except OSError:
        return False


def _replace_folder(target: Path, files: dict[str, bytes]) -> None:
    """Put a folder with these files in place of an earlier one; a kill between leaves none, never a mixture."""
    target.parent.mkdir(parents=True, exist_ok=True)
    building = target.with_name(f".{target.name}.new")
    shutil.rmtree(building, ignore_errors=True)
    try:
        (building / "new").mkdir(parents=True)
        for name, content in files.items():
            (building / "new" / name).write_bytes(content)
        if target.is_symlink():
            target.unlink()
        elif target.exists():
            target.rename(building / "old")
        (building / "new").rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
