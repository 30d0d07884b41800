"""Problem sets: finding them, their tasks, their source notebooks, and the rules every test cell keeps."""

import ast
import builtins
import json
import re

import jupytext
import nbformat
import pytest
from jupytext.config import load_jupytext_configuration_file

from autograder import problem_sets
from autograder.errors import CourseError
from autograder.problem_sets import BrokenProblemSet, ProblemSetNotFound
from autograder.repository import find_repository

BUNDLED = problem_sets.all_problem_sets()

HEADER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
    format_version: 0.13
kernelspec:
  display_name: Python 3 (ipykernel)
  language: python
  name: python3
---

"""


def code_cell(grade_id, source, **keys):
    """A code cell in MyST Markdown with nbgrader metadata."""
    metadata = {"grade": False, "locked": False, "schema_version": 3, "solution": False, "task": False}
    metadata |= {"grade_id": grade_id, **keys}
    lines = "\n".join(f"  {key}: {json.dumps(value)}" for key, value in sorted(metadata.items()))
    return f"```{{code-cell}} ipython3\n---\nnbgrader:\n{lines}\n---\n{source}\n```\n\n"


ANSWER = code_cell("sum-answer", "total = 1", solution=True)
TEST = code_cell("sum-test", "assert total == 1", grade=True, points=2, locked=True)


@pytest.fixture
def private_folder(tmp_path, monkeypatch):
    monkeypatch.setenv(problem_sets.ENVIRONMENT_VARIABLE, str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("spelling", ["ex08_1", "8.1", "08_1", "08.1", " 8_1 ", "ex08_1_magnetic_phases_cnn"])
def test_every_usual_spelling_finds_the_exercise(spelling):
    assert problem_sets.find(spelling).name == "ex08_1"


@pytest.mark.parametrize("problem_set", BUNDLED, ids=lambda item: item.name)
def test_the_file_name_of_a_problem_set_finds_it(problem_set):
    assert problem_sets.find(problem_set.path.name) == problem_set
    assert problem_set.title and not problem_set.title.startswith("#")


@pytest.mark.parametrize(
    ("wrong", "guess"), [("ex08_11", "ex08_1"), ("8.2", "ex08_1"), ("magnetic_phases_cnn", "ex08_1")]
)
def test_an_unknown_exercise_is_answered_with_the_known_ones_and_a_guess(wrong, guess):
    with pytest.raises(ProblemSetNotFound) as caught:
        problem_sets.find(wrong)
    message = str(caught.value)
    assert wrong in message and f"Did you mean {guess}?" in message
    assert all(item.name in message for item in BUNDLED)


def test_number_8_1_is_not_8_10(private_folder):
    for name in ("ex08_1_first", "ex08_10_tenth"):
        (private_folder / f"{name}.md").write_text(HEADER + "# Title\n")
    assert problem_sets.find("8.1").slug == "ex08_1_first"
    assert problem_sets.find("8.10").slug == "ex08_10_tenth"
    assert [item.name for item in problem_sets.all_problem_sets()] == ["ex08_1", "ex08_10"]


def test_a_private_folder_replaces_the_bundled_problem_sets(private_folder):
    (private_folder / "ex01_2_sums.md").write_text(HEADER + "# Sums\n\n" + ANSWER + TEST)
    assert [(item.name, item.title) for item in problem_sets.all_problem_sets()] == [("ex01_2", "Sums")]
    (task,) = problem_sets.tasks(problem_sets.find("1.2"))
    assert task == problem_sets.Task("sum", ("sum-answer",), ("sum-test",), 2.0, False)


def test_a_private_folder_that_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv(problem_sets.ENVIRONMENT_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(ProblemSetNotFound, match=problem_sets.ENVIRONMENT_VARIABLE):
        problem_sets.all_problem_sets()


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("# T\n\n" + ANSWER + TEST + TEST, "stands twice"),
        ("# T\n\n" + code_cell("plot", "", grade=True, task=True, points=2), "count twice; set 'grade: false'"),
        ("# T\n\n" + ANSWER, "nothing gives points"),
        ("# T\n\n" + TEST, "belong to no answer cell"),
        (
            "# T\n\n" + ANSWER + TEST + code_cell("sum-plot", "1", grade=True, points=1, solution=True),
            "automatic and manual points",
        ),
    ],
    ids=["grade id twice", "task graded", "answer without test", "test without answer", "mixed task"],
)
def test_a_broken_problem_set_is_refused_before_anything_is_written(private_folder, body, rule):
    (private_folder / "ex01_1_broken.md").write_text(HEADER + body)
    target = private_folder / "source" / "broken.ipynb"
    with pytest.raises(BrokenProblemSet, match=rule):
        problem_sets.build_source(problem_sets.find("1.1"), target)
    assert not target.parent.exists()


@pytest.mark.parametrize(
    ("names", "rule"),
    [(["ex1_1_short.md"], "exNN_M_slug"), (["ex01_1_a.md", "ex01_1_b.md"], "both claim ex01_1")],
)
def test_file_names_that_break_the_rule_are_named(private_folder, names, rule):
    for name in names:
        (private_folder / name).write_text(HEADER + "# T\n")
    with pytest.raises(BrokenProblemSet, match=rule):
        problem_sets.all_problem_sets()


def test_a_missing_heading_is_named(private_folder):
    (private_folder / "ex01_1_no_heading.md").write_text(HEADER + "text only\n")
    with pytest.raises(BrokenProblemSet, match="first heading"):
        problem_sets.all_problem_sets()


def test_the_source_must_be_called_ipynb(tmp_path):
    with pytest.raises(CourseError, match=r"\.ipynb"):
        problem_sets.build_source(BUNDLED[0], tmp_path / "source.md")


@pytest.mark.parametrize("problem_set", BUNDLED, ids=lambda item: item.name)
def test_the_source_notebook_is_valid_and_the_same_bytes_every_time(problem_set, tmp_path):
    first = problem_sets.build_source(problem_set, tmp_path / "a" / "one.ipynb")
    second = problem_sets.build_source(problem_set, tmp_path / "b" / "two.ipynb")
    assert first.read_bytes() == second.read_bytes()
    notebook = nbformat.read(first, as_version=4)
    nbformat.validate(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))
    assert not any(cell.get("outputs") for cell in notebook.cells)
    graded = {cell.metadata.nbgrader.grade_id for cell in notebook.cells if "nbgrader" in cell.metadata}
    assert {grade_id for task in problem_sets.tasks(problem_set) for grade_id in task.test_cells} <= graded


@pytest.mark.parametrize("problem_set", BUNDLED, ids=lambda item: item.name)
def test_the_edited_file_survives_a_save_from_jupyter_byte_for_byte(problem_set):
    text = problem_set.path.read_text(encoding="utf-8")
    configuration = load_jupytext_configuration_file(str(find_repository() / "jupytext.toml"))
    notebook = jupytext.reads(text, fmt="md:myst")
    assert jupytext.writes(notebook, fmt="md:myst", config=configuration) == text


@pytest.mark.parametrize("problem_set", BUNDLED, ids=lambda item: item.name)
def test_the_points_announced_to_students_are_the_points_of_the_tasks(problem_set):
    rows = re.findall(r"^\| .+ \| (\d+) \| by (tests|a person) \|$", problem_set.path.read_text(), re.MULTILINE)
    announced = [(float(points), who == "a person") for points, who in rows]
    assert announced == [(task.points, task.manual) for task in problem_sets.tasks(problem_set)]


@pytest.mark.parametrize("problem_set", BUNDLED, ids=lambda item: item.name)
def test_every_automatic_task_has_visible_and_hidden_tests_and_every_manual_one_a_mark_scheme(problem_set):
    cells = {
        cell.metadata["nbgrader"]["grade_id"]: cell
        for cell in jupytext.read(problem_set.path, fmt="md:myst").cells
        if "nbgrader" in cell.metadata
    }
    for task in problem_sets.tasks(problem_set):
        sources = [cells[grade_id].source for grade_id in task.test_cells]
        if task.manual:
            asked = [
                c.source for i, c in cells.items() if i.split("-")[0] == task.name and c.metadata["nbgrader"]["task"]
            ]
            assert any("=== BEGIN MARK SCHEME ===" in source for source in asked), task.name
            continue
        assert any("### BEGIN HIDDEN TESTS" in source for source in sources), task.name
        assert all("assert" in source.split("### BEGIN HIDDEN TESTS")[0] for source in sources), task.name


@pytest.mark.parametrize("problem_set", BUNDLED, ids=lambda item: item.name)
def test_test_cells_use_only_names_that_the_task_asked_for(problem_set):
    cells = jupytext.read(problem_set.path, fmt="md:myst").cells
    grading = [cell.metadata.get("nbgrader", {}) for cell in cells]
    asked = ""
    for cell, keys in zip(cells, grading, strict=True):
        if keys.get("solution") and cell.cell_type == "code":
            asked += re.sub(r"### BEGIN SOLUTION.*?### END SOLUTION", "", cell.source, flags=re.DOTALL)
    asked_names = set(re.findall(r"[A-Za-z_]\w*", asked))
    for cell, keys in zip(cells, grading, strict=True):
        if not keys.get("grade") or cell.cell_type != "code":
            continue
        names = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)]
        own = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.alias):
                own.add((node.asname or node.name).split(".")[0])
            elif isinstance(node, ast.FunctionDef):
                own.add(node.name)
            elif isinstance(node, ast.arg):  # of functions and of lambdas
                own.add(node.arg)
        used = {node.id for node in names if isinstance(node.ctx, ast.Load)}
        assert used - own - set(dir(builtins)) <= asked_names, keys["grade_id"]


@pytest.mark.parametrize("problem_set", BUNDLED, ids=lambda item: item.name)
def test_hints_are_closed_and_opened_one_by_one(problem_set):
    hints = 0
    for cell in jupytext.read(problem_set.path).cells:
        tags = re.findall(r"<(/?details|summary)([^>]*)>", cell.source) if cell.cell_type == "markdown" else []
        hints += len(tags) // 3
        # One after the other, never one inside another, and none that is open from the beginning.
        assert tags == [("details", ""), ("summary", ""), ("/details", "")] * (len(tags) // 3)
        for body in re.findall(r"</summary>(.*?)</details>", cell.source, flags=re.DOTALL):
            # JupyterLab takes the inside for Markdown only between empty lines.
            assert body.startswith("\n\n") and body.endswith("\n\n") and body.strip()
    assert hints
