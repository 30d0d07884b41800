"""What grading one submission gives: one record a student, plain data all through.

The record is the only thing that leaves a grading worker. It is written as JSON to the class's
``grading/EXERCISE/STUDENT.json``; the gradebook, feedback, reports and exports are made from it.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """How one test ended."""

    PASS = "pass"
    PARTIAL = "partial"
    #: The answer is wrong: an assertion of the test did not hold.
    FAIL = "fail"
    #: The answer cannot be judged: a missing name, an exception of the student's code, a wrong kind of value.
    ERROR = "error"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    #: The student's process died (a crash, a signal, `os._exit`) before the test could be made.
    KILLED = "killed"
    NOT_RUN = "not run"
    #: What came back was no honest answer: a broken message, a value that pretends to be another kind.
    TAMPERED = "tampered"


def _make_storable(record) -> None:
    """Replace half letters (surrogates) in its texts, which a student can print and no file in UTF-8 can hold."""
    for name, value in vars(record).items():
        if type(value) is str and not value.isascii():
            object.__setattr__(record, name, value.encode("utf-8", "replace").decode())


@dataclass(frozen=True)
class Receipt:
    """The outcome of one test cell, made by the checker; without a receipt there are no points.

    Attributes
    ----------
    grade_id : str
        The test cell.
    status : Status
    points, maximum : float
        Finite, and 0 <= points <= maximum.
    message : str
        For the student: what was expected, what was seen. No line of a hidden test.
    staff_message : str
        For the instructor: the traceback, hidden tests included.
    cpu_s : float
        CPU seconds that the test cost, in the checker and in the student's process.
    """

    grade_id: str
    status: Status
    points: float
    maximum: float
    message: str = ""
    staff_message: str = ""
    cpu_s: float = 0.0

    def __post_init__(self):
        _make_storable(self)
        if not (math.isfinite(self.points) and 0 <= self.points <= self.maximum):
            raise ValueError(f"{self.grade_id}: points must lie in 0 ... {self.maximum:g}, not {self.points!r}.")


@dataclass(frozen=True)
class Repair:
    """One thing that was put right before the notebook ran, in plain words for the student.

    ``kind`` is one of: restored, deduplicated, rejoined, reordered, retyped, rematched, renamed, removed.
    """

    kind: str
    grade_id: str
    words: str

    def __post_init__(self):
        _make_storable(self)


@dataclass(frozen=True)
class SubmissionResult:
    """Everything that grading one submission gave.

    Attributes
    ----------
    student, exercise : str
    receipts : tuple of Receipt
        One for each automatically graded test cell of the author's notebook, in its order.
    repairs : tuple of Repair
    waiting : float
        Points that a person still has to decide about.
    reason : str
        Why the submission as a whole could not be run or did not end ("" if it did): ``unreadable``, ``too large``,
        ``no notebook``, ``timeout``, ``memory``, ``kernel died``; then `explanation` says it in words.
    explanation : str
    isolation : str
        The level in force, for example ``namespaces``, ``landlock``, ``limits``.
    isolation_details : tuple of str
        What is in force and what is not, a line each.
    cpu_s, checker_cpu_s, wall_s : float
        CPU seconds of the student's process, CPU seconds of the checker, wall seconds of the whole.
    peak_memory_mb : float
        Largest resident memory of the student's process.
    notebook : str
        The executed notebook as JSON, with outputs, canonical order and nbgrader metadata; "" if there is none.
    log : str
        What the processes said besides, cut to a reasonable size.
    fingerprint : str
        SHA-256 over submission, problem set, lock and engine version: unchanged means nothing to grade again.
    """

    student: str
    exercise: str
    receipts: tuple[Receipt, ...] = ()
    repairs: tuple[Repair, ...] = ()
    waiting: float = 0.0
    reason: str = ""
    explanation: str = ""
    isolation: str = ""
    isolation_details: tuple[str, ...] = ()
    cpu_s: float = 0.0
    checker_cpu_s: float = 0.0
    wall_s: float = 0.0
    peak_memory_mb: float = 0.0
    notebook: str = field(default="", repr=False)
    log: str = field(default="", repr=False)
    fingerprint: str = ""

    def __post_init__(self):
        _make_storable(self)

    @property
    def points(self) -> float:
        """Automatic points reached."""
        return sum(receipt.points for receipt in self.receipts)

    @property
    def maximum(self) -> float:
        """Automatic points there are."""
        return sum(receipt.maximum for receipt in self.receipts)

    def to_json(self) -> str:
        """Return the record as JSON text.

        Examples
        --------
        >>> result = SubmissionResult("ada", "ex08_1", receipts=(Receipt("mean-test", Status.PASS, 3.0, 3.0),))
        >>> SubmissionResult.from_json(result.to_json()) == result
        True
        """
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> SubmissionResult:
        """Read what `to_json` wrote; other content is a ValueError."""
        try:
            content = json.loads(text)
            content["receipts"] = tuple(
                Receipt(**{**receipt, "status": Status(receipt["status"])}) for receipt in content["receipts"]
            )
            content["repairs"] = tuple(Repair(**repair) for repair in content["repairs"])
            content["isolation_details"] = tuple(content["isolation_details"])
            return cls(**content)
        except (KeyError, TypeError) as error:
            raise ValueError(f"this is no grading record ({type(error).__name__}: {error}).") from error
