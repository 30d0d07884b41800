"""Marks as tables: what a spreadsheet makes of them, what a platform reads, and that nothing is lost or invented."""

import csv
import datetime
import io
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbgrader.api import Gradebook

from autograder import export
from autograder.errors import CourseError

EXERCISE = "ex01_1"


@pytest.fixture(scope="module")
def gradebook():
    """Ada complete and late, ben waiting, cleo without a submission, 007 with a hostile name, 00042 marked by hand."""
    with Gradebook("sqlite:///:memory:") as book:
        book.add_assignment(EXERCISE, duedate=datetime.datetime(2026, 11, 2, 12))
        book.add_notebook(EXERCISE, EXERCISE)
        book.add_grade_cell("mean-test", EXERCISE, EXERCISE, max_score=3, cell_type="code")
        book.add_grade_cell("median-answer", EXERCISE, EXERCISE, max_score=4, cell_type="markdown")
        book.add_solution_cell("median-answer", EXERCISE, EXERCISE)
        book.add_task_cell("sketch-task", EXERCISE, EXERCISE, max_score=5, cell_type="markdown")
        people = {
            "ada": ("Lovelace", "Ada", "ada@example.org"),
            "ben": ("Meyer-Ötken", "Ben", None),
            "cleo": (None, None, None),
            "007": ('=HYPERLINK("http://example.org","click")', "\t+1", "@sum"),
            "00042": ("Smith", 'Jo "J" ;=1+1', "a,b@example.org"),
        }
        for student, (last, first, email) in people.items():
            book.add_student(student, last_name=last, first_name=first, email=email, lms_user_id=f"000{student}")
            if student == "cleo":
                continue
            submission = book.add_submission(EXERCISE, student, timestamp=datetime.datetime(2026, 11, 2, 14))
            for grade in submission.notebooks[0].grades:
                if grade.name == "mean-test":
                    grade.auto_score, grade.needs_manual_grade = 2.5, False
                elif student == "ben" and grade.name == "sketch-task":
                    grade.needs_manual_grade = True
                else:
                    grade.manual_score, grade.needs_manual_grade = 1.25, False
            for comment in submission.notebooks[0].comments:
                comment.auto_comment = "No response."
                if comment.name == "median-answer":
                    comment.manual_comment = "=look(again)\nplease"
            if student == "ada":
                submission.notebooks[0].late_submission_penalty = 0.5
        book.db.commit()
        yield book


def table(made):
    """Read it back as a platform does."""
    return list(csv.DictReader(io.StringIO(made.text.removeprefix("\ufeff"), newline="")))


def by_student(made, column):
    return {row[column].strip(): row for row in table(made)}


def test_marks_are_those_of_the_gradebook(gradebook):
    rows = {row.student: row for row in export.rows_of(gradebook)}
    for submission in gradebook.find_assignment(EXERCISE).submissions:
        row = rows[submission.student.id]
        assert row.automatic + row.manual == submission.score
        assert row.points == max(0.0, submission.score - submission.late_submission_penalty)
        assert row.maximum == submission.max_score == 12
    assert {student: row.status for student, row in rows.items()} == {
        "ada": "complete",
        "ben": "waits for a person",
        "cleo": "not submitted",
        "007": "complete",
        "00042": "complete",
    }
    assert rows["ada"].points == 2.5 + 1.25 + 1.25 - 0.5
    assert rows["ben"].waiting == 5


def test_an_open_mark_is_empty_and_named_in_every_format(gradebook):
    for form, column, name in (
        ("csv", "points", "student_id"),
        ("canvas", EXERCISE, "SIS Login ID"),
        ("moodle", EXERCISE, "Username"),
    ):
        made = export.export(export.rows_of(gradebook), form)
        rows = by_student(made, name)
        marks = {student: rows[student][column] for student in ("ada", "ben", "cleo", "007", "00042")}
        assert marks == {"ada": "4.5", "ben": "", "cleo": "", "007": "5", "00042": "5"}
        assert made.open == {"waits for a person": (f"ben ({EXERCISE})",), "not submitted": (f"cleo ({EXERCISE})",)}
    assert by_student(made, "Username")["ben"][f"{EXERCISE} feedback"].startswith("waits for a person: 5 of 12 points")


def test_comments_are_those_that_people_wrote(gradebook):
    assert {row.comments for row in export.rows_of(gradebook) if row.status != "not submitted"} == {
        "=look(again)\nplease"
    }


def test_canvas_finds_its_five_columns_and_the_most_points(gradebook):
    made = export.export(export.rows_of(gradebook), "canvas")
    first, *rest = table(made)
    assert list(first) == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", EXERCISE]
    assert first["Student"] == "    Points Possible" and first[EXERCISE] == "12"
    ada = next(row for row in rest if row["SIS Login ID"] == "ada")
    assert (ada["Student"], ada["ID"]) == ("Lovelace, Ada", "000ada")


@pytest.mark.parametrize("form", export.FORMATS)
def test_identifiers_keep_their_zeros_and_lines_end_as_the_standard_asks(gradebook, form):
    made = export.export(export.rows_of(gradebook), form)
    assert '"00042"' in made.text and '"007"' in made.text
    lines = made.text.removeprefix("\ufeff").split("\r\n")
    assert lines.pop() == "" and len(lines) == made.n_rows + 1
    assert not any("\n" in line or "\r" in line for line in lines)
    assert len({len(row) for row in csv.reader(lines)}) == 1


def cells_as_a_careless_spreadsheet_cuts_them(text):
    """Whatever separator and quoting a spreadsheet believes in: pieces that may become a cell of their own."""
    pieces = [text]
    for sign in '\r\n\t;,|"':
        pieces = [part for piece in pieces for part in piece.split(sign)]
    return pieces


def looks_like_a_formula(text):
    shown = unicodedata.normalize("NFKC", text).lstrip()
    return shown[:1] in {"=", "+", "-", "@"} and not shown.lstrip("+-").replace(".", "", 1).isdigit()


@pytest.mark.parametrize("form", export.FORMATS)
def test_no_cell_is_a_formula_for_any_reader(gradebook, form):
    made = export.export(export.rows_of(gradebook), form)
    for row in csv.reader(io.StringIO(made.text, newline="")):
        for cell in row:
            assert not any(looks_like_a_formula(piece) for piece in cells_as_a_careless_spreadsheet_cuts_them(cell)), (
                cell
            )
    assert any("HYPERLINK" in text for text in made.changed)


@settings(deadline=None)
@given(
    st.text(
        alphabet=st.sampled_from("=+-@＝＋－＠﹦;,|\"' \t\r\nab01\u3000\u00a0\u200b\u200d\u2800\ufeff\x00\u202e"),
        max_size=30,
    )
)
def test_neutral_leaves_no_formula_and_does_nothing_twice(text):
    once = export.neutral(text)
    assert not any(looks_like_a_formula(piece) for piece in cells_as_a_careless_spreadsheet_cuts_them(once) if piece)
    assert export.neutral(once) == once
    assert "\n" not in once and "\r" not in once and "\t" not in once


@settings(deadline=None)
@given(st.text(alphabet=st.characters(categories=["L", "Nd"]), min_size=1, max_size=20))
def test_ordinary_names_and_numbers_stay_as_they_are(text):
    # Full-width digits and letters too: only signs that begin formulas are narrowed.
    assert export.neutral(text) == text


def test_mistakes_are_named_with_the_way_out(gradebook, tmp_path):
    with pytest.raises(CourseError, match=r"No exercise 'ex09_9'.*ex01_1"):
        export.rows_of(gradebook, ["ex09_9"])
    with pytest.raises(CourseError, match=r"No format 'xls': choose csv, canvas or moodle"):
        export.export([], "xls")
    with pytest.raises(CourseError, match=r"No format 'xls'"):
        export.write(None, "xls", tmp_path / "marks.csv")
