"""Submissions that are meant to stop the grading of a whole class, or to write to the terminal of who grades.

What one submission may earn, read and use is tested in `test_session.py`; here a class is graded in which most are
hostile, and whoever is honest must get the marks.
"""

import io
import json
import os
import sys
from pathlib import Path

import pytest
from rich.console import Console

from autograder import checker, cli
from autograder.classroom import Mark, new_class
from autograder.gradebook_writer import _without_clashes
from autograder.repair import Collected, collect
from autograder.results import Receipt, Repair, Status, SubmissionResult

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system with fork")

MEAN = "def mean(numbers):\n    return sum(numbers) / len(numbers)\n"
#: What is no letter of its own; Python holds it, UTF-8 does not.
HALF_LETTER = "\\udfff"
ESCAPE = "\x1b[2J\x1b]0;title\x07"


def hand_in(classroom, student, mean=MEAN, name="ex01_1.ipynb"):
    """Put a notebook into a class; return the student's folder."""
    content = json.loads((classroom.folder / "release/ex01_1/ex01_1.ipynb").read_text())
    answers = {"mean-answer": mean, "fraction-answer": "def fraction():\n    return 1.0"}
    for cell in content["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        cell["source"] = answers.get(grade_id, cell["source"])
    folder = classroom.folder / "submitted" / student / "ex01_1"
    folder.mkdir(parents=True)
    (folder / name).write_text(json.dumps(content))
    return folder


def test_no_submission_stops_the_grading_of_the_others(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_ASSIGNMENTS_DIR", str(Path(__file__).parent / "toy_assignments"))
    classroom = new_class(tmp_path / "class", "Toy")
    classroom.release("ex01_1")
    hand_in(classroom, "prints", MEAN + f"print('{HALF_LETTER}')")
    hand_in(classroom, "interrupts", f"def mean(numbers):\n    raise KeyboardInterrupt('{HALF_LETTER}')")
    folder = hand_in(classroom, "folder", name="ex01_1 (1).ipynb")
    (folder / "ex01_1.ipynb").mkdir()
    (folder / "ex01_1.ipynb" / "data.txt").write_text("1")
    (folder / "timestamp.txt").write_text("9999-12-31 23:59:59 -1400")
    if sys.platform == "linux":  # elsewhere no file can be called so
        folder = os.fsencode(hand_in(classroom, "bytes")) + b"/\xff"
        os.mkdir(folder)
        Path(os.fsdecode(folder), "data.txt").write_text("1")
    hand_in(classroom, "zz-honest")
    students = classroom.submissions("ex01_1")
    marks = {mark.student: mark for mark in classroom.grade_all("ex01_1", students, jobs=1)}
    assert list(marks) == students
    assert {mark.status for mark in marks.values()} == {"graded"}
    expected = {student: 2.0 if student == "interrupts" else 5.0 for student in students}
    assert {student: mark.points for student, mark in marks.items()} == expected


def test_texts_of_students_can_be_stored():
    text = "half a letter: \udfff, whole ones: \u00e9 \U0001f600"
    receipt = Receipt("mean-test", Status.FAIL, 0.0, 3.0, message=text, staff_message=text)
    result = SubmissionResult("ada", "ex01_1", (receipt,), (Repair("renamed", "", text),), notebook=text, log=text)
    stored = result.to_json().encode("utf-8")
    assert SubmissionResult.from_json(stored.decode()) == result
    assert result.receipts[0].message == "half a letter: ?, whole ones: \u00e9 \U0001f600"


@pytest.mark.parametrize("name", [b"\xff", b"two\nlines", b"\x1b[2J", "\u202etxt".encode()])
def test_folders_with_names_that_do_something_are_left_out(tmp_path, name):
    folder = os.fsencode(tmp_path) + b"/" + name
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("this file system has no such names")
    Path(os.fsdecode(folder), "data.txt").write_text("1")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "data.txt").write_text("1")
    collected = collect(tmp_path, "ex01_1.ipynb")
    assert set(collected.files) == {"kept/data.txt"}
    assert collected.repairs[0].words.isprintable()


def test_a_folder_cannot_take_the_place_of_a_file_of_the_exercise():
    files = {"a.csv/x": b"", "ex.ipynb/y/z": b"", "tables": b"", "tables2/t.csv": b"", "b.csv": b""}
    kept = _without_clashes(Collected({}, files), {"ex.ipynb", "a.csv", "tables/t.csv", "b.csv"})
    assert set(kept.files) == {"tables2/t.csv", "b.csv"}
    assert len(kept.repairs) == 3


def test_nothing_of_a_student_reaches_the_terminal_as_a_command():
    mark = Mark(f"ada{ESCAPE}", 1.0, 3.0, 0.0, "graded", (f"mean-test: timeout, {ESCAPE}", "[red]\u202e"), 0.1)
    shown = io.StringIO()
    cli.print_marks([mark], Console(file=shown, width=200))
    text = shown.getvalue()
    assert "ada" in text
    assert "mean-test: timeout" in text
    assert "[red]" in text
    assert not {"\x1b", "\x07", "\u202e"} & set(text)


@pytest.mark.parametrize(
    ("source", "status"),
    [("score", Status.ERROR), ("scores[0]", Status.ERROR), ("compare(score)", Status.PASS)],
)
def test_nothing_is_no_score(source, status):
    outcome = checker._Outcome(checker.Test("task-test", source, 2.0))
    outcome.judge_value()  # the value of the last line is None
    assert outcome.status is status


def test_a_model_of_an_own_class_does_not_judge_itself():
    with pytest.raises(checker.StudentError, match="not to evaluate"):
        checker._Model(None, 1).evaluate([[1.0]], [1.0])
