"""The exchange of a class on disk: what is released, who handed in what and when, and what students may read back.

Pure functions on the folder of a class. Everything lies below ``CLASS/exchange/``, which only the exchange service and
the instructor may enter::

    released/EXERCISE.json                       title, deadline, extensions, attempts (`Released`)
    submissions/EXERCISE/STUDENT/NNNN/           one attempt: EXERCISE.ipynb and receipt.json (`Receipt`)
    feedback/EXERCISE/STUDENT/NNNN/              mark.json, and feedback.html where a page may be read
    fetched/EXERCISE/STUDENT.json                when the student first fetched it
    incoming/                                    what is being written; never read

Submissions are only ever added. An attempt is written below ``incoming/``, flushed to the disk, and renamed: it is
there as a whole or not at all, and no second one can take its number. The name of the student and the time are given
by the caller, which is the exchange service (owner: the hub's user; time: its clock) and never the upload.

Names come from outside, so there is one rule for all of them (`check_name`), and nothing of an upload ever becomes part
of a path.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import errno
import fcntl
import hashlib
import json
import math
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autograder.errors import CourseError

#: Largest notebook, in bytes.
SIZE_LIMIT = 20_000_000
#: No student has a reason for more, and each may take `SIZE_LIMIT` of the disk.
MOST_ATTEMPTS = 100
#: So much stays free on the disk, in bytes: the gradebook must still be writable when students hand in without end.
FREE_SPACE_RESERVE = 200_000_000

#: What students may read before their deadline has passed.
FEEDBACK_DEGREES = ("none", "mark", "visible tests", "full")
#: Which attempt gives the mark.
COUNTING = ("last", "best")

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_NUMBER = re.compile(r"[0-9]{4,}")


class Refused(CourseError):
    """A submission or a request that the exchange does not take.

    Attributes
    ----------
    kind : str
        ``"name"``, ``"not released"``, ``"no attempt"``, ``"too large"``, ``"unreadable"``, ``"no attempts left"``,
        ``"too early"`` or ``"disk full"``.
    next_possible : datetime.datetime or None
        When the same request would be taken; only if `kind` is ``"too early"``.
    """

    def __init__(self, kind: str, message: str, next_possible: datetime.datetime | None = None):
        super().__init__(message)
        self.kind = kind
        self.next_possible = next_possible


@dataclass(frozen=True)
class Released:
    """What students may fetch and hand in, and by when.

    Attributes
    ----------
    exercise, title : str
    released : datetime.datetime
        When it was first released. All times here know their zone, and are in UTC on the disk.
    due : datetime.datetime or None
        The deadline; None if there is none.
    extensions : dict of str to datetime.datetime
        Student -> that student's own deadline.
    attempts : int or None
        How often a student may hand in; None: `MOST_ATTEMPTS` times.
    pause_s : float
        Seconds between two attempts of a student.
    feedback_before_deadline : str
        One of `FEEDBACK_DEGREES`.
    counts : str
        One of `COUNTING`.
    """

    exercise: str
    title: str
    released: datetime.datetime
    due: datetime.datetime | None = None
    extensions: dict[str, datetime.datetime] = field(default_factory=dict)
    attempts: int | None = None
    pause_s: float = 0.0
    feedback_before_deadline: str = "visible tests"
    counts: str = "last"

    def due_of(self, student: str) -> datetime.datetime | None:
        """The deadline of one student."""
        return self.extensions.get(student, self.due)

    def is_late(self, receipt: Receipt) -> bool:
        """Whether an attempt came after its student's deadline, as it is now."""
        due = self.due_of(receipt.student)
        return due is not None and receipt.received > due

    @property
    def most_attempts(self) -> int:
        """How often a student may hand in."""
        return MOST_ATTEMPTS if self.attempts is None else self.attempts


@dataclass(frozen=True)
class Receipt:
    """What the exchange confirms: who handed in what, and when.

    Attributes
    ----------
    student, exercise : str
    attempt : int
        From 1.
    received : datetime.datetime
        By the clock of the service.
    sha256 : str
        Of the notebook's bytes.
    size : int
        In bytes.
    """

    student: str
    exercise: str
    attempt: int
    received: datetime.datetime
    sha256: str
    size: int


@dataclass(frozen=True)
class Feedback:
    """What a student may read about one attempt.

    Attributes
    ----------
    attempt : int
    mark : dict
        As given to `put_feedback`; at least ``points`` and ``maximum``.
    page : pathlib.Path or None
        The page, or None where only the mark may be read.
    page_sha256 : str or None
        Of the page's bytes.
    """

    attempt: int
    mark: dict
    page: Path | None
    page_sha256: str | None


@dataclass(frozen=True)
class StudentState:
    """Where one student stands with one exercise.

    Attributes
    ----------
    released : Released
    student : str
    due : datetime.datetime or None
        This student's deadline.
    fetched : datetime.datetime or None
        When the student first fetched it.
    receipts : tuple of Receipt
        All attempts, in order.
    feedback : dict of int to Feedback
        Attempt -> what may be read about it.
    late : frozenset of int
        Attempts after the deadline.
    attempts_left : int
    next_possible : datetime.datetime or None
        The earliest time of the next attempt; None if it is possible now or never.
    counting : Receipt or None
        The attempt that gives the mark, as far as it is known.
    """

    released: Released
    student: str
    due: datetime.datetime | None
    fetched: datetime.datetime | None
    receipts: tuple[Receipt, ...]
    feedback: dict[int, Feedback]
    late: frozenset[int]
    attempts_left: int
    next_possible: datetime.datetime | None
    counting: Receipt | None

    @property
    def word(self) -> str:
        """One of ``open``, ``fetched``, ``submitted``, ``graded``: how far the student has come.

        ``graded`` means that the latest attempt has a mark.
        """
        if self.receipts:
            return "graded" if self.receipts[-1].attempt in self.feedback else "submitted"
        return "fetched" if self.fetched else "open"

    @property
    def mark(self) -> dict | None:
        """The mark that counts so far, or None while there is none."""
        if self.counting is None or self.counting.attempt not in self.feedback:
            return None
        return self.feedback[self.counting.attempt].mark


# -- names and times --------------------------------------------------------------------------------------------------


def is_name(text) -> bool:
    """Whether a text may be the name of a student or an exercise, and so of a folder.

    Examples
    --------
    >>> [is_name(text) for text in ("ada", "ex08_1", "../ada", "", "Ada", "a/b", ".ssh", "a..b")]
    [True, True, False, False, False, False, False, True]
    """
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def check_name(text, what: str = "student") -> str:
    """Return a name, or raise.

    Parameters
    ----------
    text : str
    what : str
        ``student`` or ``exercise``, for the message.

    Raises
    ------
    Refused
        If it is not 1 to 64 of a-z, 0-9, dot, dash and underscore, the first one a letter or digit.
    """
    if not is_name(text):
        raise Refused(
            "name",
            f"{str(text)[:80]!r} is no name of {'an' if what == 'exercise' else 'a'} {what}: it must be 1 to 64 of "
            f"a-z, 0-9, '.', '-' and '_', the first one a letter or a digit.",
        )
    return text


def now() -> datetime.datetime:
    """The time, by this machine's clock, in UTC."""
    return datetime.datetime.now(datetime.UTC)


def parse_time(text: str) -> datetime.datetime:
    """Read a point in time as people write it.

    Parameters
    ----------
    text : str
        Such as ``2026-12-01 18:00`` (in this machine's zone), ``2026-12-01T18:00+01:00``, or ``2026-12-01``, which
        means the end of that day.

    Returns
    -------
    datetime.datetime
        With a zone.

    Raises
    ------
    CourseError
        If it is none of these.

    Examples
    --------
    >>> parse_time("2026-12-01T18:00+01:00").astimezone(datetime.UTC).isoformat()
    '2026-12-01T17:00:00+00:00'
    >>> parse_time("2026-12-01").strftime("%H:%M:%S")
    '23:59:59'
    """
    text = text.strip()
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            text += " 23:59:59"
        # astimezone() takes a time without a zone for local, and fails for years that no calendar here knows.
        return datetime.datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError) as error:
        raise CourseError(
            f"{text[:40]!r} is no time: write it like 2026-12-01, 2026-12-01 18:00 or 2026-12-01T18:00+01:00."
        ) from error


def time_text(when: datetime.datetime, *, seconds: bool = False) -> str:
    """Return a time as people read it, in this machine's zone, such as ``Tue 1 Dec 2026, 18:00 CET``.

    Examples
    --------
    >>> when = datetime.datetime(2026, 12, 1, 18).astimezone()
    >>> time_text(when).removesuffix(when.tzname())
    'Tue 1 Dec 2026, 18:00 '
    """
    local = when.astimezone()
    clock = "%H:%M:%S" if seconds else "%H:%M"
    return f"{local:%a} {local.day} {local:%b %Y}, {local:{clock}} {local.tzname()}"


def duration_text(seconds: float) -> str:
    """Return a duration as people read it.

    Examples
    --------
    >>> [duration_text(seconds) for seconds in (2.5, 90, 600, 5400, 172_800)]
    ['2.5 s', '90 s', '10 min', '90 min', '48 h']
    """
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length and seconds % (length / 2) == 0:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"


def _to_json(when: datetime.datetime | None) -> str | None:
    return when.astimezone(datetime.UTC).isoformat() if when is not None else None


def _from_json(text: str | None) -> datetime.datetime | None:
    return datetime.datetime.fromisoformat(text) if text is not None else None


# -- release ----------------------------------------------------------------------------------------------------------


def exchange_folder(class_folder: str | os.PathLike) -> Path:
    """Return ``CLASS/exchange``, made where it is missing; nobody but its owner may enter."""
    folder = Path(class_folder) / "exchange"
    if not folder.is_dir():
        folder.mkdir(mode=0o700, exist_ok=True)
        _give_to_owner(folder)
    return folder


def release_notebook(class_folder: str | os.PathLike, exercise: str) -> Path:
    """Return the path of the student version of an exercise (``CLASS/release/EXERCISE/EXERCISE.ipynb``)."""
    check_name(exercise, "exercise")
    return Path(class_folder) / "release" / exercise / f"{exercise}.ipynb"


def release(class_folder: str | os.PathLike, exercise: str, **settings) -> Released:
    """Let students fetch and hand in an exercise, or change how.

    Parameters
    ----------
    class_folder : path
    exercise : str
        Its student version must lie in ``CLASS/release/``.
    **settings
        ``title``, ``due``, ``attempts``, ``pause_s``, ``feedback_before_deadline``, ``counts`` as in `Released`.
        What is not given stays as it was; extensions always stay.

    Returns
    -------
    Released

    Raises
    ------
    CourseError
        If there is no student version, or a setting has a value that it cannot have.
    """
    notebook = release_notebook(class_folder, exercise)
    if not notebook.is_file():
        raise CourseError(
            f"{exercise} has no student version in {notebook.parent}: run 'course release {class_folder} {exercise}' "
            f"first."
        )
    with _locked(exchange_folder(class_folder) / "released"):
        try:
            earlier = released(class_folder, exercise)
        except Refused:
            earlier = Released(exercise, _title(notebook) or exercise, now())
        changed = _checked(dataclasses.replace(earlier, **settings))
        _write_released(class_folder, changed)
    return changed


def released(class_folder: str | os.PathLike, exercise: str) -> Released:
    """Return the settings of a released exercise.

    Raises
    ------
    Refused
        ``"not released"`` if it is not.
    CourseError
        If the file with its settings was damaged.
    """
    check_name(exercise, "exercise")
    path = Path(class_folder) / "exchange" / "released" / f"{exercise}.json"
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return _checked(
            Released(
                exercise=exercise,
                title=stored["title"],
                released=_from_json(stored["released"]),
                due=_from_json(stored["due"]),
                extensions={student: _from_json(due) for student, due in stored["extensions"].items()},
                attempts=stored["attempts"],
                pause_s=stored["pause_s"],
                feedback_before_deadline=stored["feedback_before_deadline"],
                counts=stored["counts"],
            )
        )
    except FileNotFoundError:
        raise Refused("not released", f"{exercise} is not released.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CourseError(
            f"{path} cannot be read ({type(error).__name__}: {error}): correct it, or delete it and release again."
        ) from error


def list_released(class_folder: str | os.PathLike) -> list[Released]:
    """Return all released exercises, by name."""
    folder = Path(class_folder) / "exchange" / "released"
    return [released(class_folder, path.stem) for path in sorted(folder.glob("*.json")) if is_name(path.stem)]


def withdraw(class_folder: str | os.PathLike, exercise: str) -> None:
    """Take back the release of an exercise that nobody has handed in yet.

    Raises
    ------
    CourseError
        If it is not released, or has submissions.
    """
    with _locked(exchange_folder(class_folder) / "released"):
        released(class_folder, exercise)
        having = students(class_folder, exercise)
        if having:
            raise CourseError(
                f"{exercise} has submissions of {len(having)} student{'s' * (len(having) > 1)}, so it stays released."
            )
        (Path(class_folder) / "exchange" / "released" / f"{exercise}.json").unlink()


def extend(
    class_folder: str | os.PathLike, exercise: str, student: str, due: datetime.datetime | None
) -> datetime.datetime | None:
    """Give one student a later deadline, or take it back.

    Parameters
    ----------
    class_folder : path
    exercise, student : str
    due : datetime.datetime or None
        The student's own deadline; None for that of all others.

    Returns
    -------
    datetime.datetime or None
        The deadline that holds for the student now.

    Raises
    ------
    CourseError
        If the exercise is not released, has no deadline, or the new one is not later than that of all others.
    """
    check_name(student)
    with _locked(exchange_folder(class_folder) / "released"):
        earlier = released(class_folder, exercise)
        extensions = {name: when for name, when in earlier.extensions.items() if name != student}
        if due is not None:
            if earlier.due is None:
                raise CourseError(f"{exercise} has no deadline, so there is nothing to extend.")
            if due <= earlier.due:
                raise CourseError(
                    f"The deadline of {exercise} is {time_text(earlier.due)}; an extension must be later than that, "
                    f"and {time_text(due)} is not."
                )
            extensions[student] = due
        changed = _checked(dataclasses.replace(earlier, extensions=extensions))
        _write_released(class_folder, changed)
    return changed.due_of(student)


def _checked(settings: Released) -> Released:
    """The same settings, if each has a value that it can have."""

    def demand(condition, name, rule):
        if not condition:
            raise CourseError(f"{settings.exercise}: {name} must be {rule}, not {getattr(settings, name)!r}.")

    def is_time(value):
        return isinstance(value, datetime.datetime) and value.tzinfo is not None

    attempts, pause_s = settings.attempts, settings.pause_s
    demand(isinstance(settings.title, str) and 0 < len(settings.title) <= 200, "title", "a text of 1 to 200 characters")
    demand(is_time(settings.released), "released", "a time with a zone")
    demand(settings.due is None or is_time(settings.due), "due", "a time with a zone, or None")
    demand(
        all(is_name(student) and is_time(due) for student, due in settings.extensions.items()),
        "extensions",
        "students with times",
    )
    demand(
        attempts is None or (type(attempts) is int and 1 <= attempts <= MOST_ATTEMPTS),
        "attempts",
        f"a whole number from 1 to {MOST_ATTEMPTS}, or None",
    )
    demand(
        type(pause_s) in {int, float} and math.isfinite(pause_s) and 0 <= pause_s <= 1e7,
        "pause_s",
        "seconds from 0 to 1e7",
    )
    demand(
        settings.feedback_before_deadline in FEEDBACK_DEGREES,
        "feedback_before_deadline",
        f"one of {', '.join(FEEDBACK_DEGREES)}",
    )
    demand(settings.counts in COUNTING, "counts", f"one of {', '.join(COUNTING)}")
    return settings


def _write_released(class_folder, settings: Released) -> None:
    stored = dataclasses.asdict(settings)
    del stored["exercise"]
    stored["released"], stored["due"] = _to_json(settings.released), _to_json(settings.due)
    stored["extensions"] = {student: _to_json(due) for student, due in sorted(settings.extensions.items())}
    path = Path(class_folder) / "exchange" / "released" / f"{settings.exercise}.json"
    _replace(path, _json(stored))


def _title(notebook: Path) -> str:
    """The first heading of a notebook."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    except (ValueError, KeyError, TypeError):
        return ""
    headings = (re.search(r"^# +(.+)$", text, flags=re.MULTILINE) for text in texts)
    return next((found.group(1).strip()[:200] for found in headings if found), "")


# -- submissions ------------------------------------------------------------------------------------------------------


def receive(
    class_folder: str | os.PathLike,
    exercise: str,
    student: str,
    content: bytes,
    *,
    when: datetime.datetime | None = None,
) -> Receipt:
    """Store one attempt.

    Whoever hands in the same bytes as in the last attempt gets the receipt of that one, and no attempt is used. Late
    attempts are stored, too (`Released.is_late`).

    Parameters
    ----------
    class_folder : path
    exercise, student : str
    content : bytes
        The notebook.
    when : datetime.datetime, optional
        When the upload began; now, if not given.

    Returns
    -------
    Receipt

    Raises
    ------
    Refused
        If it is not released, too large, no notebook, one attempt too many or too early, or the disk is full. Nothing
        is stored then.
    """
    check_name(student)
    settings = released(class_folder, exercise)
    check_notebook(content)
    sha256 = hashlib.sha256(content).hexdigest()
    place = exchange_folder(class_folder) / "submissions" / exercise / student
    try:
        # One lock for each student and exercise: two uploads at one moment become two attempts, one after the other.
        with _locked(place):
            when = when or now()
            earlier = attempts(class_folder, exercise, student)
            if earlier and earlier[-1].sha256 == sha256:
                return earlier[-1]
            if earlier:
                # An upload that began earlier may have waited for this lock: times rise with the numbers all the same.
                when = max(when, earlier[-1].received)
            _demand_attempt(settings, earlier, when)
            number = earlier[-1].attempt + 1 if earlier else 1
            receipt = Receipt(student, exercise, number, when, sha256, len(content))
            stored = dataclasses.asdict(receipt) | {"received": _to_json(when)}
            files = {f"{exercise}.ipynb": content, "receipt.json": _json(stored)}
            _add(class_folder, place / f"{number:04d}", files)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise _disk_full() from error
    return receipt


def check_size(size: int) -> None:
    """Raise a `Refused` if a notebook of so many bytes is too large."""
    if size > SIZE_LIMIT:
        raise Refused(
            "too large",
            f"The notebook has {size / 1e6:.1f} MB; {SIZE_LIMIT / 1e6:.0f} MB are the most. Clear its outputs (in "
            f"JupyterLab: Kernel, Restart Kernel and Clear Outputs), save it, and hand it in again.",
        )


def check_notebook(content: bytes) -> None:
    """Raise a `Refused` if these bytes are no notebook that the course could read, or more than `SIZE_LIMIT`.

    What the grading engine can put right (other versions of the format, a byte-order mark, cells of odd kinds) is no
    reason to refuse a submission, so this asks the engine's own reader, which looks at size, brackets and depth first.

    Examples
    --------
    >>> check_notebook(b'{"cells": []}')
    >>> check_notebook(b'{"cells": [')
    Traceback (most recent call last):
        ...
    autograder.exchange_store.Refused: The notebook is damaged: ...
    """
    import nbformat

    from autograder.repair import Unreadable, repair

    check_size(len(content))
    read = repair(nbformat.v4.new_notebook(), content)
    if isinstance(read, Unreadable):
        raise Refused("unreadable", read.explanation)


def _demand_attempt(settings: Released, earlier: list[Receipt], when: datetime.datetime) -> None:
    left, next_possible = _allowance(settings, earlier, when)
    if not left:
        raise Refused(
            "no attempts left",
            f"All {settings.most_attempts} attempts of {settings.exercise} are used; the last one was received on "
            f"{time_text(earlier[-1].received)} and stays. Ask your instructor if you need another.",
        )
    if next_possible:
        raise Refused(
            "too early",
            f"The next attempt of {settings.exercise} is possible from {time_text(next_possible, seconds=True)}: "
            f"{duration_text(settings.pause_s)} must pass between two. Attempt {earlier[-1].attempt} is stored.",
            next_possible,
        )


def _allowance(settings: Released, earlier, when) -> tuple[int, datetime.datetime | None]:
    """How many attempts are left, and when the next is possible if not now."""
    left = max(0, settings.most_attempts - len(earlier))
    if not left or not earlier:
        return left, None
    next_possible = earlier[-1].received + datetime.timedelta(seconds=settings.pause_s)
    return left, next_possible if next_possible > when else None


def students(class_folder: str | os.PathLike, exercise: str) -> list[str]:
    """Return the students who handed an exercise in, sorted."""
    check_name(exercise, "exercise")
    folder = Path(class_folder) / "exchange" / "submissions" / exercise
    return sorted(path.parent.name for path in folder.glob("*/0001") if is_name(path.parent.name))


def attempts(class_folder: str | os.PathLike, exercise: str, student: str) -> list[Receipt]:
    """Return the receipts of all attempts of a student, in order."""
    folder = _student_folder(class_folder, "submissions", exercise, student)
    try:
        numbers = sorted(int(name) for name in os.listdir(folder) if _NUMBER.fullmatch(name))
    except FileNotFoundError:
        return []
    return [receipt(class_folder, exercise, student, number) for number in numbers]


def receipt(class_folder: str | os.PathLike, exercise: str, student: str, attempt: int) -> Receipt:
    """Return the receipt of one attempt.

    Raises
    ------
    Refused
        ``"no attempt"`` if there is no such attempt.
    CourseError
        If its receipt was damaged.
    """
    path = _student_folder(class_folder, "submissions", exercise, student) / f"{attempt:04d}" / "receipt.json"
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return Receipt(**stored | {"received": _from_json(stored["received"])})
    except FileNotFoundError:
        raise Refused("no attempt", f"{student} has no attempt {attempt} of {exercise}.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise CourseError(f"{path} cannot be read ({error}): bring it back from a backup.") from error


def submitted_notebook(class_folder: str | os.PathLike, exercise: str, student: str, attempt: int) -> Path:
    """Return the path of the notebook of one attempt."""
    folder = _student_folder(class_folder, "submissions", exercise, student)
    return folder / f"{attempt:04d}" / f"{exercise}.ipynb"


# -- what students read -----------------------------------------------------------------------------------------------


def note_fetched(class_folder: str | os.PathLike, exercise: str, student: str) -> None:
    """Remember that a student fetched an exercise; the first time counts."""
    check_name(student)
    check_name(exercise, "exercise")
    path = exchange_folder(class_folder) / "fetched" / exercise / f"{student}.json"
    if not path.is_file():
        _replace(path, _json({"fetched": _to_json(now())}))


def put_feedback(
    class_folder: str | os.PathLike,
    exercise: str,
    student: str,
    attempt: int,
    *,
    mark: dict,
    page: str | None = None,
) -> None:
    """Let a student read a mark, and a page if given. Writing it again replaces both.

    Parameters
    ----------
    class_folder : path
    exercise, student : str
    attempt : int
    mark : dict
        Written as JSON. ``points`` and ``maximum`` are numbers; ``waiting`` (points that a person still decides about)
        is 0 if not given. What else it holds is kept.
    page : str, optional
        The feedback page (HTML). Served without scripts.

    Raises
    ------
    CourseError
        If there is no such attempt, or the mark has no numbers.
    """
    receipt(class_folder, exercise, student, attempt)
    for name in ("points", "maximum"):
        if type(mark.get(name)) not in {int, float} or not math.isfinite(mark[name]):
            raise CourseError(f"The mark of {student} in {exercise} needs a number of {name}, not {mark.get(name)!r}.")
    folder = _student_folder(class_folder, "feedback", exercise, student) / f"{attempt:04d}"
    stored = {"mark": {"waiting": 0} | mark, "page_sha256": None}
    # The page first: whoever is told of it finds it.
    if page is not None:
        stored["page_sha256"] = hashlib.sha256(page.encode()).hexdigest()
        _replace(folder / "feedback.html", page.encode())
    _replace(folder / "mark.json", _json(stored))
    if page is None:
        (folder / "feedback.html").unlink(missing_ok=True)


def read_feedback(class_folder: str | os.PathLike, exercise: str, student: str, attempt: int) -> Feedback | None:
    """Return what a student may read about an attempt, or None while there is nothing."""
    folder = _student_folder(class_folder, "feedback", exercise, student) / f"{attempt:04d}"
    try:
        stored = json.loads((folder / "mark.json").read_text(encoding="utf-8"))
        mark, page_sha256 = stored["mark"], stored["page_sha256"]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise CourseError(f"{folder / 'mark.json'} cannot be read ({error}): grade the submission again.") from error
    return Feedback(attempt, mark, folder / "feedback.html" if page_sha256 else None, page_sha256)


def student_state(
    class_folder: str | os.PathLike,
    exercise: str,
    student: str,
    *,
    when: datetime.datetime | None = None,
) -> StudentState:
    """Return where a student stands with an exercise.

    Parameters
    ----------
    class_folder : path
    exercise, student : str
    when : datetime.datetime, optional
        The time to judge by; now, if not given.

    Raises
    ------
    Refused
        If the exercise is not released.
    """
    settings = released(class_folder, exercise)
    receipts = attempts(class_folder, exercise, student)
    found = {one.attempt: read_feedback(class_folder, exercise, student, one.attempt) for one in receipts}
    feedback = {attempt: read for attempt, read in found.items() if read is not None}
    left, next_possible = _allowance(settings, receipts, when or now())
    fetched = Path(class_folder) / "exchange" / "fetched" / exercise / f"{student}.json"
    return StudentState(
        released=settings,
        student=student,
        due=settings.due_of(student),
        fetched=_from_json(json.loads(fetched.read_text())["fetched"]) if fetched.is_file() else None,
        receipts=tuple(receipts),
        feedback=feedback,
        late=frozenset(one.attempt for one in receipts if settings.is_late(one)),
        attempts_left=left,
        next_possible=next_possible,
        counting=_counting(settings, receipts, feedback),
    )


def _counting(settings: Released, receipts, feedback) -> Receipt | None:
    if not receipts:
        return None
    marked = [one for one in receipts if one.attempt in feedback]
    if settings.counts == "last" or not marked:
        return receipts[-1]
    # Of equal ones the later: it is what the student wanted to say last.
    return max(marked, key=lambda one: (feedback[one.attempt].mark["points"], one.attempt))


# -- the disk ---------------------------------------------------------------------------------------------------------


def _student_folder(class_folder, kind: str, exercise: str, student: str) -> Path:
    return Path(class_folder) / "exchange" / kind / check_name(exercise, "exercise") / check_name(student)


def _json(content: dict) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which is made where it is missing. The kernel gives it back if this process dies."""
    _make_folder(folder)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _give_to_owner(folder / ".lock")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _add(class_folder, target: Path, files: dict[str, bytes]) -> None:
    """Make a new folder with these files, as a whole or not at all."""
    free = shutil.disk_usage(class_folder).free
    if free - sum(map(len, files.values())) < FREE_SPACE_RESERVE:
        raise _disk_full()
    incoming = exchange_folder(class_folder) / "incoming"
    _make_folder(incoming)
    draft = Path(tempfile.mkdtemp(dir=incoming))
    try:
        _give_to_owner(draft)
        for name, content in files.items():
            _write_through(draft / name, content)
        _flush_folder(draft)
        # Fails if the target exists and is not empty: what was handed in is never replaced.
        os.rename(draft, target)
        _flush_folder(target.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _replace(target: Path, content: bytes) -> None:
    """Write a file in place of an earlier one; readers see the one or the other."""
    _make_folder(target.parent)
    # Beside its target and not below incoming/: the watch service writes, too, and the exchange service clears that.
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        _write_through(draft, content)
        os.replace(draft, target)
        _flush_folder(target.parent)
    finally:
        draft.unlink(missing_ok=True)


def _write_through(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _give_to_owner(path)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _give_to_owner(folder)


def _give_to_owner(path: Path) -> None:
    """Under root: give what is new to whom the folder around it belongs.

    A hub's services run as the owner of the class, and must be able to change what an administrator's command made.
    """
    if os.geteuid() == 0:
        around = os.stat(path.parent)
        os.chown(path, around.st_uid, around.st_gid, follow_symlinks=False)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def clear_incoming(class_folder: str | os.PathLike, *, older_than_s: float = 3600.0) -> None:
    """Remove uploads that a killed service left half written.

    Parameters
    ----------
    class_folder : path
    older_than_s : float
        Younger ones stay: they may be those of a service that is just ending.
    """
    newest = now().timestamp() - older_than_s
    for draft in (Path(class_folder) / "exchange" / "incoming").glob("*"):
        if draft.stat().st_mtime <= newest:
            shutil.rmtree(draft, ignore_errors=True)


def _disk_full() -> Refused:
    return Refused(
        "disk full",
        "The disk of the course is full, and your submission was not stored. Keep your notebook, tell your instructor, "
        "and hand in again later.",
    )
