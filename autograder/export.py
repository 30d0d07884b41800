"""Write the marks of a class as a table for a spreadsheet or a learning platform.

The numbers are those of the gradebook: automatic points, points given by hand, and what being late costs. A mark that
is not complete (a person has to decide, nothing was handed in or graded) is left empty and listed in `Export.open`: an
empty cell changes nothing in a learning platform, and a 0 would be taken for a mark.

A table may be opened in a spreadsheet, which runs what looks like a formula, and names and comments come from other
people: `neutral` takes the formula away. Identifiers stay texts, so that no leading zero is lost.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import CourseError
from autograder.pages import points
from autograder.sanitising import one_line

#: csv: everything, one row for each student and exercise. canvas, moodle: what these platforms import.
FORMATS = ("csv", "canvas", "moodle")

_CSV_COLUMNS = (
    "exercise",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "status",
    "points",
    "maximum",
    "automatic_points",
    "manual_points",
    "late_penalty",
    "waiting_points",
    "submitted",
    "due",
    "comments",
)
# At the start of a text or behind what a spreadsheet may take for the end of a cell.
_FORMULA = re.compile(r"""(^|[;,|"])(\s*)([=+\-@])""")


@dataclass(frozen=True)
class Row:
    """The mark of one student in one exercise.

    Attributes
    ----------
    exercise, student, last_name, first_name, email, lms_id : str
    status : str
        ``complete``, ``waits for a person``, ``not graded`` or ``not submitted``.
    automatic, manual, late_penalty, waiting, maximum : float
        Points.
    submitted, due : str
        Times in ISO form, or empty.
    comments : str
    """

    exercise: str
    student: str
    last_name: str
    first_name: str
    email: str
    lms_id: str
    status: str
    automatic: float
    manual: float
    late_penalty: float
    waiting: float
    maximum: float
    submitted: str
    due: str
    comments: str

    @property
    def points(self) -> float:
        """Points decided so far, less what being late costs; never below 0."""
        return max(0.0, self.automatic + self.manual - self.late_penalty)


@dataclass(frozen=True)
class Export:
    """A table as text, and what the person who asked for it should know.

    Attributes
    ----------
    text : str
    n_rows : int
        Without the row of headings.
    open : dict
        Status to the students (with their exercise) whose mark is left empty for this reason.
    changed : tuple of str
        Texts that looked like a formula.
    """

    text: str
    n_rows: int
    open: dict[str, tuple[str, ...]]
    changed: tuple[str, ...]


def neutral(text: str) -> str:
    """Return text that no spreadsheet takes for a formula.

    An apostrophe is put before ``= + - @``, also in full width, at the start of a text and behind signs that may end
    a cell; control characters and line breaks become spaces.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> neutral("=1+1"), neutral("  @SUM(A1)"), neutral("＝cmd"), neutral('x";-2')
    ("'=1+1", "'@SUM(A1)", "'=cmd", 'x";\\'-2')
    >>> neutral("Anne-Marie O'Neill"), neutral("00123")
    ("Anne-Marie O'Neill", '00123')
    """
    text = one_line(str(text), limit=2000)
    # Spreadsheets read the wide forms of East Asian fonts as the narrow ones.
    text = "".join(unicodedata.normalize("NFKC", sign) if sign in "＝＋－＠﹦﹢﹣﹫，；＂" else sign for sign in text)
    text = text.lstrip("\u200c\u200d\u00ad\u2800 ")
    return _FORMULA.sub(r"\1\2'\3", text)


def rows_of(gradebook, exercises: list[str] | None = None) -> list[Row]:
    """Read the marks of a class.

    Parameters
    ----------
    gradebook : nbgrader.api.Gradebook
        Open.
    exercises : list of str, optional
        Only these.

    Returns
    -------
    list of Row
        One for each student and exercise, in the order of exercises, then of students.

    Raises
    ------
    CourseError
        If an exercise is not in the gradebook.
    """
    known = {assignment.name: assignment for assignment in gradebook.assignments}
    for name in exercises or []:
        if name not in known:
            listing = ", ".join(sorted(known)) or "none"
            raise CourseError(f"No exercise {name!r} in the gradebook; there are {listing}: name one of them.")
    students = sorted(gradebook.students, key=lambda student: student.id)
    found = []
    for name in exercises or sorted(known):
        assignment = known[name]
        submissions = {submission.student.id: submission for submission in assignment.submissions}
        found += [_row(assignment, student, submissions.get(student.id)) for student in students]
    return found


def _row(assignment, student, submission) -> Row:
    automatic = manual = waiting = 0.0
    comments = []
    status = "not submitted"
    if submission is not None:
        status = "complete"
        for notebook in submission.notebooks:
            by_hand = {cell.name for cell in (*notebook.notebook.solution_cells, *notebook.notebook.task_cells)}
            for grade in notebook.grades:
                extra = float(grade.extra_credit or 0.0)
                if grade.name in by_hand and grade.needs_manual_grade and grade.manual_score is None:
                    waiting += float(grade.max_score or 0.0)
                elif grade.manual_score is not None:
                    manual += float(grade.manual_score) + extra
                elif grade.auto_score is not None:
                    automatic += float(grade.auto_score) + extra
                elif grade.max_score:
                    # Neither a test nor a person has said anything yet.
                    status = "not graded"
            # What people wrote; nbgrader's own "No response." stands at each empty answer.
            comments += [comment.manual_comment for comment in notebook.comments if comment.manual_comment]
        if waiting and status == "complete":
            status = "waits for a person"
    penalty = float(submission.late_submission_penalty or 0.0) if submission is not None else 0.0
    due = assignment.duedate if submission is None else submission.duedate  # the latter with the student's extension
    return Row(
        assignment.name,
        student.id,
        student.last_name or "",
        student.first_name or "",
        student.email or "",
        str(student.lms_user_id or ""),
        status,
        automatic,
        manual,
        penalty,
        waiting,
        float(assignment.max_score or 0.0),
        submission.timestamp.isoformat(sep=" ") if submission is not None and submission.timestamp else "",
        due.isoformat(sep=" ") if due else "",
        "; ".join(comments),
    )


def export(rows: list[Row], form: str) -> Export:
    """Return the marks as comma-separated text (RFC 4180).

    Parameters
    ----------
    rows : list of Row
        From `rows_of`.
    form : str
        One of `FORMATS`.

    Returns
    -------
    Export
        ``text`` begins with a byte-order mark in the format csv, by which spreadsheets know UTF-8.

    Raises
    ------
    CourseError
        If there is no such format.

    Examples
    --------
    >>> row = Row("ex01_1", "0042", "=Lovelace", "Ada", "", "", "complete", 5.0, 0.0, 0.5, 0.0, 14.0, "", "", "")
    >>> print(export([row], "canvas").text)
    "Student","ID","SIS User ID","SIS Login ID","Section","ex01_1"
    "    Points Possible","","","","","14"
    "'=Lovelace, Ada","","","0042","","4.5"
    """
    if form not in FORMATS:
        raise CourseError(f"No format {form!r}: choose {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.")
    table = {"csv": _plain, "canvas": _canvas, "moodle": _moodle}[form](rows)
    changed: list[str] = []
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for cells in table:
        safe = [cell if isinstance(cell, _Own) else neutral(cell) for cell in cells]
        changed += [
            one_line(cell)
            for cell, new in zip(cells, safe, strict=True)
            if new.replace("'", "") != cell.replace("'", "")
        ]
        changed += [one_line(cell) for cell, new in zip(cells, safe, strict=True) if new.count("'") > cell.count("'")]
        writer.writerow(safe)
    text = ("\ufeff" if form == "csv" else "") + written.getvalue()
    still_open: dict[str, list[str]] = {}
    for row in rows:
        if row.status != "complete":
            still_open.setdefault(row.status, []).append(f"{row.student} ({row.exercise})")
    listed = {status: tuple(students) for status, students in still_open.items()}
    return Export(text, len(table) - 1, listed, tuple(dict.fromkeys(changed)))


class _Own(str):
    """A text that this module wrote: numbers (also negative ones) and headings."""

    __slots__ = ()


def _mark(row: Row) -> _Own:
    return _Own(points(row.points) if row.status == "complete" else "")


def _plain(rows):
    table = [[_Own(name) for name in _CSV_COLUMNS]]
    for row in rows:
        table.append(
            [
                row.exercise,
                row.student,
                row.last_name,
                row.first_name,
                row.email,
                _Own(row.status),
                _mark(row),
                _Own(points(row.maximum)),
                _Own(points(row.automatic)),
                _Own(points(row.manual)),
                _Own(points(row.late_penalty)),
                _Own(points(row.waiting)),
                _Own(row.submitted),
                _Own(row.due),
                row.comments,
            ]
        )
    return table


def _by_student(rows):
    exercises = list(dict.fromkeys(row.exercise for row in rows))
    students: dict[str, dict[str, Row]] = {}
    for row in rows:
        students.setdefault(row.student, {})[row.exercise] = row
    return exercises, students


def _canvas(rows):
    """Five columns that Canvas asks for, one for each exercise, and a row with the most points there are.

    Canvas leaves a mark as it is where a cell is empty.
    """
    exercises, students = _by_student(rows)
    heads = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    most = {row.exercise: points(row.maximum) for row in rows}
    table = [
        [*map(_Own, heads), *exercises],
        # Four spaces: this is how Canvas writes and recognises the row.
        [_Own("    Points Possible"), *[_Own("")] * 4, *[_Own(most[name]) for name in exercises]],
    ]
    for student, marks in students.items():
        one = next(iter(marks.values()))
        name = ", ".join(part for part in (one.last_name, one.first_name) if part) or student
        table.append(
            [name, one.lms_id, _Own(""), student, _Own(""), *[_mark(marks[exercise]) for exercise in exercises]]
        )
    return table


def _moodle(rows):
    """Columns by which Moodle can recognise a student, then points and a remark for each exercise."""
    exercises, students = _by_student(rows)
    heads = ["Username", "ID number", "First name", "Last name", "Email address"]
    table = [[*map(_Own, heads), *[title for name in exercises for title in (name, f"{name} feedback")]]]
    for student, marks in students.items():
        one = next(iter(marks.values()))
        cells = [student, one.lms_id, one.first_name, one.last_name, one.email]
        for exercise in exercises:
            row = marks[exercise]
            remark = "" if row.status == "complete" else row.status
            if row.waiting:
                remark += f": {points(row.waiting)} of {points(row.maximum)} points"
            cells += [_mark(row), "; ".join(part for part in (remark, row.comments) if part)]
        table.append(cells)
    return table


def write(classroom, form: str, target: Path, exercises: list[str] | None = None) -> Export:
    """Export a class into a file.

    Parameters
    ----------
    classroom : autograder.classroom.Classroom
    form : str
        One of `FORMATS`.
    target : pathlib.Path
        An existing file is replaced.
    exercises : list of str, optional
        Only these.

    Returns
    -------
    Export

    Raises
    ------
    CourseError
        If the format or an exercise is unknown, nobody is in the gradebook, or the file cannot be written.
    """
    if form not in FORMATS:
        raise CourseError(f"No format {form!r}: choose {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.")
    classroom.apply_deadlines()
    with classroom.gradebook() as gradebook:
        rows = rows_of(gradebook, exercises)
    if not rows:
        raise CourseError(
            "Nothing to export: the gradebook has no exercise or no student yet. "
            "Run 'course release', then 'course grade'."
        )
    made = export(rows, form)
    try:
        # Not in text mode, which would turn the line ends of RFC 4180 into the system's.
        target.write_bytes(made.text.encode("utf-8"))
    except OSError as error:
        raise CourseError(f"{target} cannot be written ({error.strerror}): choose another file with --out.") from error
    return made
