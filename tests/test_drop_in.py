"""The engine in a plain nbgrader course: three lines switch it on, one flag switches it off."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from autograder.drop_in import GradingEngine
from autograder.gradebook_writer import GradebookWriter
from autograder.grading_run import read_record

LINES = """
from autograder.drop_in import GradingEngine
c = get_config()
c.Autograde.exporter_class = GradingEngine
"""


def nbgrader(folder, *arguments, expect=0):
    """Run an nbgrader command in a course; the environment is as from a desktop icon, but for the programs."""
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == expect, done.stderr
    return done.stderr


def problem(name):
    """A notebook with one answer and one test of two points, the second half of it hidden."""
    keys = {"schema_version": 3, "task": False}
    answer = keys | {"grade": False, "grade_id": f"{name}-answer", "locked": False, "solution": True}
    test = keys | {"grade": True, "grade_id": f"{name}-test", "locked": True, "points": 2, "solution": False}
    cells = [
        new_code_cell("### BEGIN SOLUTION\nvalue = 2\n### END SOLUTION", metadata={"nbgrader": answer}),
        new_code_cell(
            "assert value > 0\n### BEGIN HIDDEN TESTS\nassert value == 2\n### END HIDDEN TESTS",
            metadata={"nbgrader": test},
        ),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """An nbgrader course that has never heard of us: two notebooks in one assignment."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "nbgrader_config.py").write_text(LINES)
    (folder / "source" / "ps1").mkdir(parents=True)
    for name in ("first", "second"):
        nbformat.write(problem(name), folder / "source" / "ps1" / f"{name}.ipynb")
    nbgrader(folder, "generate_assignment", "ps1")
    return folder


def hand_in(course, student, first="value = 2", second="value = 2"):
    place = course / "submitted" / student / "ps1"
    shutil.copytree(course / "release" / "ps1", place)
    for name, answer in (("first", first), ("second", second)):
        path = place / f"{name}.ipynb"
        content = json.loads(path.read_text())
        content["cells"][0]["source"] = answer
        path.write_text(json.dumps(content))
    return place


def scores(course):
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        return {
            submission.student.id: {notebook.name: notebook.score for notebook in submission.notebooks}
            for submission in gradebook.find_assignment("ps1").submissions
        }


def test_three_lines_grade_what_stock_nbgrader_does_not(course, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("hunter2")
    hand_in(course, "ada")
    # A line on stderr while a test runs costs everything in stock nbgrader.
    loud = (
        "import sys\n"
        "class Loud(int):\n"
        "    def __gt__(self, other):\n"
        "        print('a log line', file=sys.stderr)\n"
        "        return True\n"
        "value = Loud(2)"
    )
    hand_in(course, "bob", first=loud, second="value = 1")
    place = hand_in(course, "cleo")
    (place / "data.txt").symlink_to(secret)
    (place / "own.txt").write_text("mine")
    copied = json.loads((place / "first.ipynb").read_text())
    copied["cells"].append(copied["cells"][1])
    (place / "first.ipynb").write_text(json.dumps(copied))
    (hand_in(course, "dan") / "second.ipynb").write_text('{"cells": [')

    said = nbgrader(course, "autograde", "ps1", expect=1)
    assert "dan has 0 points in second: The notebook is damaged" in said
    assert scores(course) == {
        "ada": {"first": 2, "second": 2},
        "bob": {"first": 2, "second": 0},
        "cleo": {"first": 2, "second": 2},
        "dan": {"first": 2, "second": 0},
    }
    graded = course / "autograded" / "cleo" / "ps1"
    assert (graded / "own.txt").read_text() == "mine" and not (graded / "data.txt").exists()
    files = [path for path in (course / "autograded").rglob("*") if path.is_file()]
    assert not any(b"hunter2" in path.read_bytes() for path in files)
    record = read_record(course / "grading" / "ps1" / "second" / "bob.json")
    assert [(one.grade_id, one.points) for one in record.receipts] == [("second-test", 0)]

    # One flag, and it is stock nbgrader: the line on stderr costs the points again.
    nbgrader(course, "autograde", "ps1", "--student=bob", "--force", "--GradingEngine.enabled=False")
    assert scores(course)["bob"] == {"first": 0, "second": 0}
    nbgrader(course, "generate_feedback", "ps1", "--student=ada")
    assert (course / "feedback" / "ada" / "ps1" / "first.html").is_file()


def test_each_notebook_of_an_assignment_keeps_its_workers(course):
    """nbgrader goes from notebook to notebook and only then to the next student."""
    engine = GradingEngine(allow_weaker=True)
    with GradebookWriter(CourseDirectory(root=str(course)), {}) as writer:
        first, second = (writer.assignment("ps1", name) for name in ("first", "second"))
    kept = [engine._kept_workers(assignment)[1] for assignment in (first, second, first, second)]
    assert kept[:2] == kept[2:] and kept[0] is not kept[1]
    engine.memory_mb += 1
    assert engine._kept_workers(first)[1] is not kept[0], "other settings are another exercise"
