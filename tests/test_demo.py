"""The class that ``make demo`` plays."""

import shutil
from pathlib import Path

import pytest
from rich.console import Console

from autograder import demo
from autograder.classroom import Mark
from autograder.errors import CourseError

TOY = Path(__file__).parent / "toy_assignments"


def test_three_students_get_what_they_must(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_ASSIGNMENTS_DIR", str(TOY))
    console = Console(width=200, record=True)
    folder = tmp_path / "class"
    assert demo.play(folder, "ex01_1", console=console)
    output = console.export_text()
    for words in ("5 of 5", "2 of 5", "0 of 5", "jupyter lab", str(folder / "feedback" / "ada-right")):
        assert words in output


def test_a_mark_that_differs_is_named():
    marks = [
        Mark("ada-right", 5.0, 5.0, 9.0, "graded", (), 1.0),
        Mark("ben-partly", 2.0, 5.0, 9.0, "graded", (), 1.0),
        Mark("cleo-untouched", 0.0, 5.0, 0.0, "graded", (), 1.0),
    ]
    assert demo.unexpected(marks, 3.0) == []
    assert demo.unexpected(marks, 2.0) == ["ben-partly has 2 points (graded) instead of 3"]
    assert demo.unexpected(marks[:2], 3.0) == ["cleo-untouched was not graded"]
    not_run = [*marks[:2], Mark("cleo-untouched", 0.0, 5.0, 0.0, "not graded", ("why",), 1.0)]
    assert demo.unexpected(not_run, 3.0) == ["cleo-untouched has 0 points (not graded) instead of 0"]


def test_a_problem_set_without_a_fitting_mutant_cannot_be_played(tmp_path, monkeypatch):
    sets = shutil.copytree(TOY, tmp_path / "sets")
    mutant = sets / "tests" / "mutants" / "ex01_1" / "always_two.py"
    mutant.write_text(mutant.read_text().replace("loses: all", "loses: part"))
    monkeypatch.setenv("COURSE_ASSIGNMENTS_DIR", str(sets))
    (tmp_path / "class").mkdir()
    with pytest.raises(CourseError, match="needs a mutant of ex01_1"):
        demo.play(tmp_path / "class", "ex01_1")


@pytest.mark.slow
def test_the_demonstration_itself(tmp_path):
    assert demo.play(tmp_path / "class", console=Console(width=200))
