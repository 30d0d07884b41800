"""The author's gate: it passes the bundled problem sets, and it can fail."""

import json
from dataclasses import replace

import psutil
import pytest

from autograder import gate, problem_sets
from autograder.errors import CourseError

TOY = """---
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

# Two small functions

{hint}

{answer_double}
{test_double}
{answer_root}
{test_root}
"""

ANSWER_DOUBLE = """
def double(number):
    ### BEGIN SOLUTION
    twice_the_number = number + number
    return twice_the_number
    ### END SOLUTION
"""
TEST_DOUBLE = """
assert double(2) == 4, f"double(2) is 4, not {double(2)}"
### BEGIN HIDDEN TESTS
assert double(0.25) == 0.5, "double must work for fractions"
### END HIDDEN TESTS
"""
ANSWER_ROOT = """
def root(number):
    ### BEGIN SOLUTION
    square_root = number**0.5
    return square_root
    ### END SOLUTION
"""
TEST_ROOT = """
assert root(9) == 3, f"root(9) is 3, not {root(9)}"
### BEGIN HIDDEN TESTS
assert abs(root(2) - 1.41421356) < 1e-6
### END HIDDEN TESTS
"""
WRONG_DOUBLE = "def double(number):\n    return number**2\n"


def cell(grade_id, source, **keys):
    metadata = {"grade": False, "locked": False, "schema_version": 3, "solution": False, "task": False}
    metadata |= {"grade_id": grade_id, **keys}
    lines = "\n".join(f"  {key}: {json.dumps(value)}" for key, value in sorted(metadata.items()))
    return f"```{{code-cell}} ipython3\n---\nnbgrader:\n{lines}\n---\n{source.strip()}\n```\n"


class Toy:
    """A problem set with two tasks in a folder of its own; each part can be replaced by a broken one."""

    def __init__(self, folder):
        self.folder = folder
        self.write()
        self.mutant("squares", WRONG_DOUBLE)

    def write(self, *, hint="", answer_double=ANSWER_DOUBLE, test_double=TEST_DOUBLE, test_root=TEST_ROOT):
        tested = {"grade": True, "locked": True, "points": 2}
        text = TOY.format(
            hint=hint,
            answer_double=cell("double-answer", answer_double, solution=True),
            test_double=cell("double-test", test_double, **tested),
            answer_root=cell("root-answer", ANSWER_ROOT, solution=True),
            test_root=cell("root-test", test_root, **tested),
        )
        (self.folder / "ex01_1_toy.md").write_text(text)

    def mutant(self, name, answer, *, task="double", loses="all", also="", grade_id="double-answer"):
        also = f"may also lose: {also}\n" if also else ""
        self.variant("mutants", name, f"exercise: ex01_1\ntask: {task}\nloses: {loses}\n{also}", answer, grade_id)

    def variant(self, kind, name, header, answer, grade_id="double-answer"):
        path = self.folder / "tests" / kind / "ex01_1" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'"""{header}\nA reason in words.\n"""\n\n# %% grade_id: {grade_id}\n{answer}\n')

    def check(self, **options):
        return gate.check("1.1", **options)

    def run(self, name, **options):
        """The run of one mutant or alternate, and its violations."""
        return next(run for run in self.check(**options).runs if run.name == name)


@pytest.fixture
def toy(tmp_path, monkeypatch):
    monkeypatch.setenv(problem_sets.ENVIRONMENT_VARIABLE, str(tmp_path))
    return Toy(tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("exercise", [item.name for item in problem_sets.all_problem_sets()])
def test_bundled_problem_sets_pass(exercise):
    report = gate.check(exercise)
    gate.print_report(report)
    assert report.passed, "\n".join(report.violations)
    kinds = [run.kind for run in report.runs]
    # As many wrong answers as the syllabus lists, which is at least seven; two ways to be right at the least.
    assert kinds.count("alternate") >= 2 and kinds.count("mutant") >= 7


def test_a_healthy_problem_set_passes(toy):
    toy.variant("alternates", "doubled_by_factor", "exercise: ex01_1\n", "def double(number): return 2 * number")
    report = toy.check()
    assert report.passed, report.violations
    points = {run.name: run.points for run in report.runs}
    assert points == {"solution": 4, "untouched release": 0, "squares": 2, "doubled_by_factor": 4}
    assert gate.main(["ex01_1"]) == 0


def test_a_variant_runs_as_far_as_its_change_reaches(toy):
    made, whole = toy.run("squares"), toy.run("squares", full=True)
    assert {result.grade_id for result in made.results if result.made} == {"double-test"}
    assert all(result.made for result in whole.results)
    assert [replace(result, made=True) for result in made.results] == whole.results


def test_a_violation_in_a_part_is_confirmed_by_the_whole(toy, monkeypatch):
    toy.write(test_root="half = double(4) / 8\n" + TEST_ROOT)
    toy.mutant("power", "def root(number):\n    return number", task="root", grade_id="root-answer")
    assert toy.check().passed
    # As if the names had not told that this test needs the other answer, so that it fails for a wrong reason.
    toy.variant("alternates", "power", "exercise: ex01_1\n", "def root(number): return number**.5", "root-answer")
    monkeypatch.setattr(gate.influence, "cells_to_run", lambda cells, answers, also: {3, 4})
    report = toy.check()
    run = next(run for run in report.runs if run.kind == "alternate")
    assert run.violations == [] and all(result.made for result in run.results)


@pytest.mark.parametrize(
    "hint",
    ["Add it to itself: twice_the_number = number + number", "    twice_the_number = number + number"],
    ids=["inside a sentence", "as a line"],
)
def test_a_solution_shown_in_a_hint_is_caught(toy, hint):
    toy.write(hint=hint)
    report = toy.check()
    assert not report.passed
    assert any("twice_the_number" in leak for leak in report.leaks)


def test_a_misspelt_marker_is_caught(toy):
    toy.write(test_double=TEST_DOUBLE.replace("BEGIN HIDDEN TESTS", "BEGIN HIDDEN TEST"))
    assert any("BEGIN HIDDEN TEST" in leak for leak in toy.check().leaks)


def test_a_release_that_is_no_python_any_more_is_caught(toy):
    toy.write(test_root="if True:\n    ### BEGIN HIDDEN TESTS\n    assert root(4) == 2\n    ### END HIDDEN TESTS")
    assert any("no Python" in leak for leak in toy.check().leaks)


def test_a_surviving_mutant_is_caught(toy):
    toy.mutant("right_after_all", "def double(number): return 2 * number")
    report = toy.check()
    assert [text for text in report.violations if "right_after_all" in text and "survives" in text]
    assert gate.main(["ex01_1"]) == 1


def test_a_mutant_that_keeps_part_of_what_it_must_lose_is_caught(toy):
    toy.write(test_double="1.5 if double(2) == 4 and double(3) == 6 else (0.5 if double(2) == 4 else 0)")
    # Two to the power of two is twice two: the square passes the first half of this test.
    assert any("must lose all, but keeps 0.5" in text for text in toy.run("squares").violations)


def test_a_mutant_that_spoils_another_task_is_caught_unless_it_says_so(toy):
    spoiling = WRONG_DOUBLE + "def root(number): return number\n"
    toy.write(test_root=TEST_ROOT.replace("root(9) == 3", "root(9) == 3 and double(3) == 6"))
    toy.mutant("spoiling", spoiling)
    toy.mutant("says_so", spoiling, also="root")
    report = toy.check()
    by_name = {run.name: run.violations for run in report.runs}
    assert any("task root" in text for text in by_name["spoiling"])
    assert by_name["says_so"] == []


def test_a_solution_that_fails_is_caught(toy):
    toy.write(test_root="assert root(9) == 4, 'a wrong test'")
    report = toy.check()
    assert any("solution" in text and "a wrong test" in text for text in report.violations)


def test_points_for_no_answer_are_caught(toy):
    toy.write(test_root="assert True")
    assert any("for no answer" in text for text in toy.run("untouched release").violations)


def test_a_failing_alternate_is_caught(toy):
    toy.variant("alternates", "rounded", "exercise: ex01_1\n", "def double(number): return int(2 * number)")
    assert any("fractions" in text for text in toy.run("rounded").violations)


def test_an_over_budget_cell_is_caught(toy):
    cheap = toy.check().runs[0].cpu_s
    burn = "import time\nstart = time.process_time()\nwhile time.process_time() - start < 1:\n    pass\n"
    toy.write(test_double=burn + TEST_DOUBLE)
    report = toy.check(cpu_budget_s=cheap + 0.5)
    assert any("CPU seconds" in text for text in report.violations)
    assert toy.check(cpu_budget_s=cheap + 10).passed


def test_an_endless_answer_is_stopped_and_keeps_earlier_marks(toy):
    toy.mutant("endless", "def root(number):\n    while True: pass", task="root", grade_id="root-answer")
    run = toy.run("endless", wall_limit_s=15, full=True)
    assert run.task_points("double") == (2, 2)
    assert [result.status for result in run.results if result.task == "root"] == ["timeout"]
    assert any("stopped" in text for text in run.violations)


def test_a_dying_process_keeps_earlier_marks(toy):
    toy.mutant("dying", "import os\ndef root(number): os._exit(0)", task="root", grade_id="root-answer")
    run = toy.run("dying")
    assert run.task_points("double") == (2, 2)
    assert [result.status for result in run.results if result.task == "root"] == ["killed"]


def test_system_exit_in_an_answer_ends_its_cell_only(toy):
    toy.mutant("leaving", "import sys\nsys.exit()")
    run = toy.run("leaving")
    assert run.violations == []
    assert run.task_points("root") == (2, 2)


def test_stderr_costs_nothing_and_nan_is_worth_nothing(toy):
    toy.write(test_double="import sys, warnings\nwarnings.warn('x')\nprint('y', file=sys.stderr)\n" + TEST_DOUBLE)
    assert toy.check().passed
    toy.write(test_double="float('nan')")
    result = next(result for result in toy.run("solution").results if result.grade_id == "double-test")
    assert (result.points, result.status) == (0, "fail")


def test_no_mutants_at_all_is_a_violation(toy):
    (toy.folder / "tests" / "mutants" / "ex01_1" / "squares.py").unlink()
    assert any("nothing shows that a test can fail" in text for text in toy.check().violations)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (("# %% grade_id: double-answer", "# %% grade_id: triple-answer"), "triple-answer"),
        (("exercise: ex01_1", "exercise: ex08_1"), "ex08_1"),
        (("task: double", "task: triple"), "no automatic task 'triple'"),
        (("loses: all", "loses: much"), "all or part"),
        (("A reason in words.", ""), "reason"),
        (("# %% grade_id: double-answer", ""), "a line"),
        (("loses: all\n", ""), "loses"),
    ],
)
def test_a_mutant_that_breaks_the_format_is_refused_with_the_rule(toy, change, rule):
    path = toy.folder / "tests" / "mutants" / "ex01_1" / "squares.py"
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(CourseError, match=rule) as caught:
        toy.check()
    assert "squares.py" in str(caught.value) or "docstring" in str(caught.value)
    assert gate.main(["ex01_1"]) == 2


def test_an_interrupt_leaves_nothing_running(toy):
    toy.mutant("endless", "while True: pass", grade_id="double-answer")

    def interrupt(run):
        raise KeyboardInterrupt

    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(KeyboardInterrupt):
        toy.check(on_run=interrupt)
    left = set(psutil.Process().children(recursive=True)) - before
    assert psutil.wait_procs(left, timeout=120)[1] == []


def test_an_unknown_exercise_gives_one_line_and_status_2(toy, capsys):
    assert gate.main(["9.9"]) == 2
    assert "9.9" in capsys.readouterr().err
    assert gate.main([]) == 2
