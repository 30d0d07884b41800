"""What a student may read about a graded attempt, and how much of it before the deadline.

Whoever may hand in again learns from feedback, and could also learn what the hidden tests compare with. So the author
chooses a degree (`autograder.exchange_store.FEEDBACK_DEGREES`): nothing, the mark, marks and messages of the visible
tests, or everything. After the deadline everything is shown, as ``course feedback`` shows it: also then no hidden test.
"""

from __future__ import annotations

import dataclasses
import re

from autograder.exchange_store import FEEDBACK_DEGREES, Receipt, Released, time_text
from autograder.feedback import Marks, Question, feedback_page
from autograder.results import Status, SubmissionResult

#: In place of what a hidden test says.
WITHHELD = "Something that is asked for is not fulfilled yet, and the visible tests do not say what."

#: With these the engine's own words are the message; a test says something only in the others.
_OWN_WORDS = {Status.TIMEOUT, Status.MEMORY, Status.KILLED, Status.NOT_RUN, Status.TAMPERED, Status.PARTIAL}


def degree_now(settings: Released, student: str, when) -> str:
    """Return how much a student may read now.

    Parameters
    ----------
    settings : autograder.exchange_store.Released
    student : str
    when : datetime.datetime
        With a zone.

    Returns
    -------
    str
        One of `autograder.exchange_store.FEEDBACK_DEGREES`; ``full`` once the student's own deadline has passed.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> settings = Released("ex01_1", "Means", datetime(2026, 11, 1, tzinfo=UTC), due=datetime(2026, 11, 8, tzinfo=UTC))
    >>> [degree_now(settings, "ada", datetime(2026, 11, day, tzinfo=UTC)) for day in (7, 9)]
    ['visible tests', 'full']
    """
    due = settings.due_of(student)
    return "full" if due is not None and when > due else settings.feedback_before_deadline


def shows_more(degree: str, than: str) -> bool:
    """Whether one degree of feedback shows more than another.

    Examples
    --------
    >>> shows_more("full", "visible tests"), shows_more("none", "mark")
    (True, False)
    """
    return FEEDBACK_DEGREES.index(degree) > FEEDBACK_DEGREES.index(than)


def without_hidden_messages(record: SubmissionResult) -> SubmissionResult:
    """Return the record with `WITHHELD` wherever a hidden test might speak.

    A message stays only if it is certain that a visible line said it: the checker's traceback, which is for staff,
    names each line that took part, and none of them is hidden. A traceback that was cut is certain of nothing.

    Parameters
    ----------
    record : SubmissionResult

    Returns
    -------
    SubmissionResult
    """
    import nbformat

    from autograder.checker import hidden_lines

    if not record.notebook:
        return record
    notebook = nbformat.reads(record.notebook, as_version=4)
    receipts = {receipt.grade_id: receipt for receipt in record.receipts}
    for cell in notebook.cells:
        receipt = receipts.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        if receipt is None or cell.cell_type != "code":
            continue
        hidden = hidden_lines(cell.source)
        if not hidden or receipt.status in {*_OWN_WORDS, Status.PASS} or _was_visible(receipt, hidden):
            continue
        receipts[receipt.grade_id] = dataclasses.replace(receipt, message=WITHHELD, staff_message="")
        # What a test prints in its hidden part is never kept; only its error would speak.
        cell.outputs = [output for output in cell.outputs if output.output_type != "error"]
    return dataclasses.replace(
        record,
        receipts=tuple(receipts[receipt.grade_id] for receipt in record.receipts),
        notebook=nbformat.writes(notebook),
        log="",
    )


def _was_visible(receipt, hidden: set[int]) -> bool:
    file = rf'  File "<test {re.escape(receipt.grade_id)}>", line (\d+), in '
    lines = [int(number) for number in re.findall(rf"^{file}", receipt.staff_message, flags=re.MULTILINE)]
    whole = receipt.staff_message.startswith("Traceback (most recent call last):")
    # What a student's exception says stands behind these lines: it can add some, and cannot take one away.
    return whole and bool(lines) and hidden.isdisjoint(lines)


def marks_of(record: SubmissionResult, late_penalty: float = 0.0) -> Marks:
    """Return the marks of an attempt that is not (or no longer) the one in the gradebook.

    Parameters
    ----------
    record : SubmissionResult
    late_penalty : float
        Points.

    Returns
    -------
    Marks
        Answers for a person wait, unless they were not touched: those have 0 points.
    """
    import nbformat
    from nbgrader.utils import is_grade, is_solution, is_task

    from autograder.gradebook_writer import touched_answers

    questions = [Question(one.grade_id, one.points, one.maximum) for one in record.receipts]
    if record.notebook:
        notebook = nbformat.reads(record.notebook, as_version=4)
        touched = touched_answers(notebook)
        for cell in notebook.cells:
            if is_task(cell) or (is_grade(cell) and is_solution(cell)):
                grading = cell.metadata.nbgrader
                waits = touched.get(grading.grade_id, True)
                questions.append(Question(grading.grade_id, 0.0, float(grading.points), waiting=waits, by_hand=True))
    return Marks(tuple(questions), late_penalty)


def mark_of(marks: Marks, degree: str) -> dict:
    """Return the mark as it is stored for the student: points, and from ``visible tests`` on those of each question.

    Examples
    --------
    >>> mark_of(Marks((Question("mean-test", 2.0, 3.0), Question("sketch", 0.0, 5.0, waiting=True))), "mark")
    {'points': 2.0, 'maximum': 8.0, 'waiting': 5.0, 'degree': 'mark'}
    """
    mark = {"points": marks.reached, "maximum": marks.maximum, "waiting": marks.waiting, "degree": degree}
    if marks.late_penalty:
        mark["late_penalty"] = marks.late_penalty
    if shows_more(degree, "mark"):
        mark["questions"] = [
            {"question": one.grade_id, "points": one.points, "maximum": one.maximum, "waiting": one.waiting}
            for one in marks.questions
            if one.maximum or one.points  # others are no more than a comment
        ]
    return mark


def page_of(record: SubmissionResult, marks: Marks, degree: str, note: str) -> str | None:
    """Return the feedback page at a degree; None where only the mark may be read.

    Parameters
    ----------
    record : SubmissionResult
    marks : Marks
    degree : str
    note : str
        As for `autograder.feedback.feedback_page`.
    """
    import nbformat

    from autograder.preprocessors import HideHiddenTests

    if not shows_more(degree, "mark"):
        return None
    shown = record if degree == "full" else without_hidden_messages(record)
    notebook = None
    if shown.notebook:
        notebook, _ = HideHiddenTests().preprocess(nbformat.reads(shown.notebook, as_version=4), {})
    return feedback_page(notebook, marks, shown, student=record.student, exercise=record.exercise, note=note)


def note_about(settings: Released, receipt: Receipt | None, degree: str, student: str) -> str:
    """Return what a student should know before reading the marks, a sentence a line.

    Parameters
    ----------
    settings : autograder.exchange_store.Released
    receipt : autograder.exchange_store.Receipt or None
        None for a notebook that did not come through the exchange.
    degree, student : str
    """
    said = []
    if receipt is not None:
        most = "" if settings.attempts is None else f" of {settings.attempts}"
        said.append(f"Attempt {receipt.attempt}{most}, received {time_text(receipt.received)}.")
        said.append(f"Your {settings.counts} attempt counts.")
    if degree != "full":
        due = settings.due_of(student)
        when = "are not shown." if due is None else f"come after the deadline, {time_text(due)}."
        said.append(f"The points are those of all tests. Messages of tests that you do not see {when}")
    return "\n".join(said)
