"""A class from release to feedback, on a toy problem set: right and wrong answers, and notebooks that do harm."""

import copy
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from autograder import problem_sets
from autograder.classroom import Classroom, new_class, server_ahead
from autograder.errors import CourseError

TOY = Path(__file__).parent / "toy_assignments"
EXERCISE = "ex01_1"
#: Points that the toy's tests give (mean 3, fraction 2), and that a person gives (median 4, sketch 5).
AUTOMATIC, MEDIAN, SKETCH = 5, 4, 5
#: Long enough for any honest cell on a busy machine, short enough to wait for.
CELL_SECONDS = 5


@pytest.fixture(scope="module", autouse=True)
def toy_problem_sets():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_ASSIGNMENTS_DIR", str(TOY))
        yield


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A class with the toy released; tests that change one take a copy."""
    # The folder exists and is empty; the title holds what a course id must not hold.
    classroom = new_class(tmp_path_factory.mktemp("class"), "Übung / A")
    with (classroom.folder / "nbgrader_config.py").open("a") as file:
        file.write(f"c.GradingEngine.cell_seconds = {CELL_SECONDS}\n")
    classroom = Classroom(classroom.folder)
    classroom.release(EXERCISE)
    return classroom


@pytest.fixture
def classroom(template, tmp_path):
    return Classroom(shutil.copytree(template.folder, tmp_path / "class"))


def notebook(classroom, step="source"):
    return json.loads((classroom.folder / step / EXERCISE / f"{EXERCISE}.ipynb").read_text())


def cell(content, grade_id):
    return next(c for c in content["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)


def solution_with(classroom, **answers):
    """The solution, with other sources for the cells named (``mean_answer`` stands for ``mean-answer``)."""
    content = notebook(classroom)
    for name, source in answers.items():
        cell(content, name.replace("_", "-"))["source"] = source
    return content


def hand_in(classroom, student, content):
    place = classroom.folder / "submitted" / student / EXERCISE
    place.mkdir(parents=True, exist_ok=True)
    if content is not None:
        text = content if isinstance(content, str) else json.dumps(content)
        (place / f"{EXERCISE}.ipynb").write_text(text)


def change_the_toy(tmp_path, monkeypatch, old, new):
    text = (TOY / "ex01_1_toy.md").read_text()
    assert old in text
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "ex01_1_toy.md").write_text(text.replace(old, new))
    monkeypatch.setenv("COURSE_ASSIGNMENTS_DIR", str(tmp_path / "sets"))


def tree(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# -- release ------------------------------------------------------------------------------------------------


def test_release_holds_the_questions_and_the_visible_tests_only(template):
    text = (template.folder / "release" / EXERCISE / f"{EXERCISE}.ipynb").read_text()
    assert "raise NotImplementedError()" in text and "YOUR ANSWER HERE" in text
    assert "the mean of 1, 2, 3 is 2" in text and "Sketch both" in text
    for secret in ("total_of_all", "another mean is wrong", "moves the mean anywhere", "Three points", "BEGIN"):
        assert secret in json.dumps(notebook(template)) and secret not in text
    files = [path.name for path in (template.folder / "source").rglob("*") if path.is_file()]
    assert files == [f"{EXERCISE}.ipynb"]


def test_a_markdown_file_in_source_is_never_released(classroom):
    shutil.copy(TOY / "ex01_1_toy.md", classroom.folder / "source" / EXERCISE)
    classroom.release(EXERCISE)
    assert not list((classroom.folder / "release").rglob("*.md"))


@pytest.mark.parametrize(
    ("marker", "mistake"),
    [
        ("### BEGIN HIDDEN TESTS", "### BEGIN HIDEN TESTS"),
        ("### BEGIN HIDDEN TESTS", "### begin hidden tests"),
        ("### END HIDDEN TESTS", ""),
        ("=== BEGIN MARK SCHEME ===", "=== BEGIN MARKING SCHEME ==="),
        ("# Means and fractions", "# Means and fractions\n\n    return total_of_all / len(numbers)"),
    ],
)
def test_a_release_with_a_secret_is_refused_and_changes_nothing(classroom, tmp_path, monkeypatch, marker, mistake):
    change_the_toy(tmp_path, monkeypatch, marker, mistake)
    before = tree(classroom.folder)
    with pytest.raises(CourseError, match=r"nbgrader could not release|was not released.*ex01_1_toy.md"):
        classroom.release(EXERCISE)
    assert tree(classroom.folder) == before


def test_releasing_again_with_submissions_needs_force_and_keeps_the_old_one_when_it_fails(
    classroom, tmp_path, monkeypatch
):
    hand_in(classroom, "ada", notebook(classroom))
    classroom.grade(EXERCISE, "ada")
    with pytest.raises(CourseError, match=r"submissions of 1 student .ada .*--force"):
        classroom.release(EXERCISE)
    assert classroom.release(EXERCISE, force=True).is_file()

    change_the_toy(tmp_path, monkeypatch, "grade_id: mean-test", "grade_id: mean-other")
    before = {step: tree(classroom.folder / step) for step in ("source", "release")}
    with pytest.raises(CourseError, match=r"Cannot add or remove cells.*Make a new class"):
        classroom.release(EXERCISE, force=True)
    assert {step: tree(classroom.folder / step) for step in ("source", "release")} == before


def test_a_source_notebook_edited_by_hand_is_not_overwritten(classroom):
    source = classroom.folder / "source" / EXERCISE / f"{EXERCISE}.ipynb"
    edited = source.read_text().replace("the mean of 1, 2, 3 is 2", "look again")
    source.write_text(edited)
    with pytest.raises(CourseError, match=r"was edited since it was built.*ex01_1_toy.md"):
        classroom.release(EXERCISE)
    assert source.read_text() == edited
    classroom.release(EXERCISE, force=True)
    assert "look again" not in source.read_text()


# -- grading ------------------------------------------------------------------------------------------------

WAITS = MEDIAN + SKETCH

#: student: automatic points, points for a person, status, a remark
EXPECTED = {
    "right": (5, WAITS, "graded", None),
    "partly": (2, WAITS, "graded", None),
    "untouched": (0, SKETCH, "graded", None),
    "broken_json": (0, 0, "not graded", "is damaged: its JSON ends or breaks in line 1"),
    "empty_file": (0, 0, "not graded", "is an empty file"),
    "no_notebook": (0, 0, "not graded", "No ex01_1.ipynb was handed in"),
    "renamed": (5, WAITS, "graded", r"is called ex01_1 \(1\).ipynb instead of ex01_1.ipynb"),
    "plus+name": (5, WAITS, "graded", None),
    "copied_cells": (5, WAITS, "graded", "mean-answer was there 2 times"),
    "deleted_test": (5, WAITS, "graded", "mean-test was missing and was put back"),
    "no_metadata": (5, WAITS, "graded", "had lost the marks"),
    "own_points": (2, WAITS, "graded", "mean-test had been changed"),
    "endless_loop": (2, WAITS, "graded", None),
    "deaf_loop": (3, WAITS, "graded", None),
    "dead_kernel": (3, WAITS, "graded", "died in cell"),
    "sys_exit": (2, WAITS, "graded", None),
    "nan": (3, WAITS, "graded", None),
    "stderr": (5, WAITS, "graded", None),
    # Rows 13, 14, 49 and 28, 42 of the catalogue: whatever they try, only their own marks are theirs.
    "thief": (3, WAITS, "graded", None),
    "reader": (3, WAITS, "graded", None),
    "filler": (2, WAITS, "graded", None),
    "linked": (3, WAITS, "graded", "numbers.csv was left out: it is a link"),
    # A pattern for nbgrader's own commands, a name for us.
    "[a-z]*": (5, WAITS, "graded", None),
    " blanks ": (5, WAITS, "graded", None),
}


def submissions(classroom):
    solution = notebook(classroom)
    copied = copy.deepcopy(solution)
    copied["cells"].insert(2, copy.deepcopy(cell(copied, "mean-answer")))
    copied["cells"].append(copy.deepcopy(cell(copied, "mean-test")))
    deleted = copy.deepcopy(solution)
    deleted["cells"].remove(cell(deleted, "mean-test"))
    stripped = copy.deepcopy(solution)
    for one in stripped["cells"]:
        one["metadata"] = {}
    own_points = solution_with(classroom, mean_answer="mean = None", mean_test="'I passed'")
    cell(own_points, "mean-test")["metadata"]["nbgrader"] |= {"points": 1000, "locked": False}
    cell(own_points, "fraction-test")["metadata"]["nbgrader"] |= {"points": 1000, "grade": False}

    def fraction(body):
        return solution_with(classroom, fraction_answer=body)

    talkative = (
        "import os, sys, warnings\n"
        "print('front end', os.environ['COURSE_FRONT_END'])\n"
        "print('a log line', file=sys.stderr)\n"
        "def mean(numbers):\n"
        "    print('a log line', file=sys.stderr)\n"
        "    warnings.warn('a warning')\n"
        "    return sum(numbers) / len(numbers)"
    )
    folder = str(classroom.folder)
    theft = (
        "import glob, sqlite3\n"
        f"for place in ({folder!r}, '../../..'):\n"
        "    with sqlite3.connect(place + '/gradebook.db') as database:\n"
        "        database.execute('update grade set auto_score = 99, manual_score = 99')"
    )
    reading = (
        "import glob, pathlib\n"
        f"for place in ({folder!r}, '../../..', '/'):\n"
        "    for step in ('source', 'submitted', 'autograded', 'grading'):\n"
        "        for path in glob.glob(f'{place}/{step}/**/*', recursive=True):\n"
        "            print('FO' + 'UND', path)\n"
        f"pathlib.Path({folder!r}, 'submitted', 'right', 'ex01_1', 'ex01_1.ipynb').write_text('overwritten')"
    )
    filling = (
        "with open('large', 'wb') as file:\n"
        "    for _ in range(10_000):\n"
        "        file.write(bytes(1_000_000))\n"
        "def mean(numbers):\n    return sum(numbers) / len(numbers)"
    )
    return {
        "thief": fraction(theft),
        "reader": fraction(reading),
        "filler": solution_with(classroom, mean_answer=filling),
        "linked": fraction("def fraction():\n    return float(open('numbers.csv').read())"),
        "right": solution,
        "partly": solution_with(classroom, mean_answer="def mean(numbers):\n    return 2"),
        "untouched": notebook(classroom, "release"),
        "broken_json": json.dumps(solution)[:-300],
        "empty_file": "",
        "no_notebook": None,
        "renamed": None,
        "plus+name": solution,
        "copied_cells": copied,
        "deleted_test": deleted,
        "no_metadata": stripped,
        "own_points": own_points,
        "endless_loop": solution_with(classroom, mean_answer="while True:\n    pass"),
        "deaf_loop": fraction("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass"),
        "dead_kernel": fraction("import os\nos._exit(1)"),
        "sys_exit": solution_with(classroom, mean_answer="import sys\nsys.exit()"),
        "nan": fraction("def fraction():\n    return float('nan')"),
        "stderr": solution_with(classroom, mean_answer=talkative + "\n# BEGIN HIDDEN TESTS, says the student"),
        "[a-z]*": solution,
        " blanks ": solution,
    }


@pytest.fixture(scope="module")
def graded(template, tmp_path_factory):
    """A class with the whole bunch, and its marks."""
    folder = tmp_path_factory.mktemp("graded") / "class"
    classroom = Classroom(shutil.copytree(template.folder, folder))
    for student, content in submissions(classroom).items():
        hand_in(classroom, student, content)
    shutil.copy(
        folder / "source" / EXERCISE / f"{EXERCISE}.ipynb",
        folder / "submitted" / "renamed" / EXERCISE / f"{EXERCISE} (1).ipynb",
    )
    (folder / "numbers.csv").write_text("1.0")
    (folder / "submitted" / "linked" / EXERCISE / "numbers.csv").symlink_to(folder / "numbers.csv")
    before = dict(os.environ), os.getcwd(), set(psutil.Process().children(recursive=True))
    marks = {mark.student: mark for mark in classroom.grade_all(EXERCISE, jobs=2)}
    left = [child for child in set(psutil.Process().children(recursive=True)) - before[2] if child.is_running()]
    assert (dict(os.environ), os.getcwd()) == before[:2]
    assert left == []
    return classroom, marks


@pytest.mark.parametrize("student", EXPECTED)
def test_marks(graded, student):
    mark = graded[1][student]
    points, waiting, status, remark = EXPECTED[student]
    assert (mark.points, mark.maximum, mark.waiting, mark.status) == (points, AUTOMATIC, waiting, status)
    said = "; ".join(mark.notes)
    assert re.search(remark, said) if remark else said == ""


def test_nobody_reads_or_changes_what_is_not_theirs(graded):
    classroom, _ = graded
    place = classroom.folder / "autograded" / "reader" / EXERCISE / f"{EXERCISE}.ipynb"
    outputs = [one.get("outputs") for one in json.loads(place.read_text())["cells"]]
    # Put together by the answer when it runs, so that its own source in a traceback is no find.
    assert "FOUND" not in json.dumps(outputs)
    assert "overwritten" not in (classroom.folder / "submitted" / "right" / EXERCISE / f"{EXERCISE}.ipynb").read_text()
    assert not (classroom.folder / "autograded" / "linked" / EXERCISE / "numbers.csv").exists()


def test_everybody_has_a_mark(graded):
    assert set(graded[1]) == set(EXPECTED)


def test_the_gradebook_says_the_same_as_the_marks(graded):
    classroom, marks = graded
    with classroom.gradebook() as gradebook:
        scores = {one.student.id: one.score for one in gradebook.find_assignment(EXERCISE).submissions}
    assert scores == {student: mark.points for student, mark in marks.items()}


def test_kernels_are_told_that_there_is_no_front_end(graded):
    executed = json.loads((graded[0].folder / "autograded" / "stderr" / EXERCISE / "ex01_1.ipynb").read_text())
    printed = json.dumps(cell(executed, "mean-answer")["outputs"])
    assert "front end 0" in printed and "a log line" in printed


def test_the_hidden_tests_decide_not_the_handed_in_ones(graded):
    executed = json.loads((graded[0].folder / "autograded" / "own_points" / EXERCISE / "ex01_1.ipynb").read_text())
    test = "".join(cell(executed, "mean-test")["source"])
    assert "another mean is wrong" in test and "I passed" not in test


def test_what_did_not_change_is_not_graded_again(classroom):
    hand_in(classroom, "ada", notebook(classroom))
    assert classroom.grade(EXERCISE, "ada").status == "graded"
    executed = classroom.folder / "autograded" / "ada" / EXERCISE / f"{EXERCISE}.ipynb"
    written = executed.stat().st_mtime_ns
    again = classroom.grade(EXERCISE, "ada")
    assert (again.status, again.points, executed.stat().st_mtime_ns) == ("unchanged", 5, written)
    assert classroom.grade(EXERCISE, "ada", regrade=True).status == "graded"
    hand_in(classroom, "ada", solution_with(classroom, fraction_answer="def fraction():\n    return 0.5"))
    changed = classroom.grade(EXERCISE, "ada")
    assert (changed.status, changed.points) == ("graded", 4)


def test_marks_given_by_hand_stay_and_an_unreadable_notebook_is_mended_by_a_new_one(classroom):
    hand_in(classroom, "ada", "{")
    assert classroom.grade(EXERCISE, "ada").waiting == 0
    hand_in(classroom, "ada", notebook(classroom))
    assert classroom.grade(EXERCISE, "ada").waiting == WAITS
    with classroom.gradebook() as gradebook:
        grade = gradebook.find_grade("median-answer", EXERCISE, EXERCISE, "ada")
        grade.manual_score, grade.needs_manual_grade = 3, False
        gradebook.db.commit()
    assert classroom.grade(EXERCISE, "ada").waiting == SKETCH
    assert classroom.grade(EXERCISE, "ada", regrade=True).waiting == SKETCH
    with classroom.gradebook() as gradebook:
        assert gradebook.find_submission(EXERCISE, "ada").score == AUTOMATIC + 3


def test_an_interrupted_run_keeps_what_was_graded(classroom):
    hand_in(classroom, "ada", notebook(classroom))
    hand_in(classroom, "bob", solution_with(classroom, mean_answer="import time\ntime.sleep(1000)"))
    with (classroom.folder / "nbgrader_config.py").open("a") as file:
        file.write("c.GradingEngine.cell_seconds = 1000\nc.GradingEngine.notebook_seconds = 1000\n")
    run = subprocess.Popen(
        [sys.executable, "-m", "autograder.cli", "grade", str(classroom.folder), EXERCISE, "--jobs", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A suite that runs in the background of a shell has this signal ignored, and would hand that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    journal = classroom.folder / "grading" / EXERCISE / "journal.jsonl"
    deadline = time.monotonic() + 300
    while not (journal.is_file() and '"in gradebook", "student": "ada"' in journal.read_text()):
        assert time.monotonic() < deadline and run.poll() is None
        time.sleep(0.05)
    processes = psutil.Process(run.pid).children(recursive=True)
    run.send_signal(signal.SIGINT)
    output, errors = run.communicate(timeout=60)
    assert run.returncode == 1
    assert errors.strip().splitlines()[-1].startswith("course: Interrupted: 1 of 2 are graded and stay so")
    assert "5 of 5" in output
    assert psutil.wait_procs(processes, timeout=120)[1] == []
    classroom = Classroom(classroom.folder)
    assert classroom.grade(EXERCISE, "ada").status == "unchanged"
    hand_in(classroom, "bob", notebook(classroom))
    assert classroom.grade(EXERCISE, "bob").points == 5


# -- feedback -----------------------------------------------------------------------------------------------


def test_feedback_holds_marks_and_messages_but_no_hidden_tests(graded):
    classroom, _ = graded
    made = classroom.feedback(EXERCISE, "partly")
    assert [page.parent.parent.name for page in made.pages] == ["partly"]
    text = made.pages[0].read_text()
    # The partly right answer fails in the hidden test: its message is for the student, its lines are not.
    assert "another mean is wrong" in text and "mean of 1, 2, 3" in text
    for secret in ("3.875", "isclose", "Three points for the sample", "HIDDEN"):
        assert secret not in text
    shown = classroom.feedback(EXERCISE, "partly", show_hidden_tests=True).pages[0].read_text()
    assert "3.875" in shown and "Three points for the sample" in shown


def test_markers_in_an_answer_do_not_stop_the_feedback(graded):
    (page,) = graded[0].feedback(EXERCISE, "stderr").pages
    assert "says the student" in page.read_text()


def test_names_that_nbgrader_takes_for_patterns_have_feedback_of_their_own(graded):
    for student in ("[a-z]*", " blanks "):
        (page,) = graded[0].feedback(EXERCISE, student).pages
        assert page.parent.parent.name == student


def test_a_server_is_started_ahead_only_where_something_is_to_be_graded(classroom):
    with server_ahead(classroom.folder, EXERCISE) as server:
        assert server is None
    hand_in(classroom, "ada", notebook(classroom))
    for exercise in ("1.1", EXERCISE):
        with server_ahead(classroom.folder, exercise) as server:
            pid = server.pid
            assert server.profile == "plain" and psutil.pid_exists(pid)
        assert not psutil.pid_exists(pid)
    for folder, exercise in ((classroom.folder / "none", EXERCISE), (classroom.folder, "no such")):
        with server_ahead(folder, exercise) as server:
            assert server is None


def test_a_name_with_a_line_break_is_refused_before_anything_is_graded(classroom):
    hand_in(classroom, "ada", None)
    hand_in(classroom, "a\nb", None)
    for refused in (lambda: classroom.submissions(EXERCISE), lambda: classroom.submissions(EXERCISE, "a\nb")):
        with pytest.raises(CourseError, match=r"'a\\nb' .* control character .* rename it"):
            refused()
    assert classroom.submissions(EXERCISE, "ada") == ["ada"]


def test_who_handed_in_nothing_readable_reads_why(graded):
    (page,) = graded[0].feedback(EXERCISE, "broken_json").pages
    assert "is damaged: its JSON ends or breaks in line 1" in page.read_text()


# -- nbgrader's own commands ----------------------------------------------------------------------------------


def test_plain_nbgrader_commands_work_and_give_the_same_marks(classroom):
    hand_in(classroom, "ada", solution_with(classroom, fraction_answer="def fraction():\n    return float('nan')"))
    hand_in(classroom, "bob", submissions(classroom)["copied_cells"])
    # Neither the environment's programs on PATH nor the course's variables: as from a desktop icon.
    environment = {"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/")}
    for command in (["generate_assignment", EXERCISE, "--force"], ["autograde", EXERCISE]):
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *command],
            cwd=classroom.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
    assert "another mean" not in json.dumps(notebook(classroom, "release"))
    with classroom.gradebook() as gradebook:
        scores = {one.student.id: one.score for one in gradebook.find_assignment(EXERCISE).submissions}
    assert scores == {"ada": 3, "bob": 5}
    assert classroom.grade(EXERCISE, "ada").points == 3


@pytest.mark.slow
def test_the_formgrader_works_in_the_folder(classroom, tmp_path):
    hand_in(classroom, "ada", submissions(classroom)["nan"])
    hand_in(classroom, "bob", notebook(classroom))
    classroom.grade(EXERCISE, "bob")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", "--allow-root", f"--port={port}", "--port-retries=0", "--IdentityProvider.token=secret"]
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "JUPYTER_RUNTIME_DIR": str(tmp_path)}
    with (tmp_path / "server.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter", "lab", *options],
            cwd=classroom.folder,
            env=environment,
            stdout=log,
            stderr=log,
        )

    def ask(path, method="GET"):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/formgrader/{path}", method=method)
        request.add_header("Authorization", "token secret")
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read().decode()

    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                assignments = json.loads(ask("api/assignments"))
                break
            except urllib.error.URLError:
                assert time.monotonic() < deadline and server.poll() is None, (tmp_path / "server.log").read_text()
                time.sleep(0.5)
        assert [(one["name"], one["max_score"]) for one in assignments] == [(EXERCISE, AUTOMATIC + WAITS)]
        assert "manage_assignments.js" in ask("manage_assignments")
        assert json.loads(ask(f"api/submission/{EXERCISE}/ada/autograde", "POST"))["success"]
        rows = {one["student"]: one for one in json.loads(ask(f"api/submissions/{EXERCISE}"))}
        assert {student: row["score"] for student, row in rows.items()} == {"ada": 3, "bob": 5}
        assert all(row["needs_manual_grade"] for row in rows.values())
    finally:
        server.terminate()
        server.wait(timeout=30)


# -- mistakes -----------------------------------------------------------------------------------------------


def test_a_class_is_only_made_in_a_new_or_empty_folder(template, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("")
    for name in ("full", "file"):
        with pytest.raises(CourseError, match="needs a new or empty folder"):
            new_class(tmp_path / name)
    assert tree(tmp_path / "full") == {Path("thesis.tex"): b"years of work"}
    before = tree(template.folder)
    with pytest.raises(CourseError, match="is a class already"):
        new_class(template.folder)
    assert tree(template.folder) == before


def test_a_broken_configuration_or_gradebook_is_named(classroom):
    hand_in(classroom, "ada", notebook(classroom))
    (classroom.folder / "gradebook.db").write_text("not a database at all" * 100)
    with pytest.raises(CourseError, match=r"gradebook.*cannot be used.*backup"):
        classroom.grade(EXERCISE, "ada")
    (classroom.folder / "nbgrader_config.py").write_text("c.Execute.timeout = = 3\n")
    with pytest.raises(CourseError, match=r"nbgrader_config.py cannot be read.*SyntaxError"):
        Classroom(classroom.folder)


def test_what_is_not_there_is_said_with_the_way_out(classroom, tmp_path):
    with pytest.raises(CourseError, match=r"is not a class.*course class new"):
        Classroom(tmp_path)
    with pytest.raises(problem_sets.ProblemSetNotFound, match="Did you mean ex01_1"):
        classroom.release("ex01_2")
    with pytest.raises(CourseError, match=r"No submissions of ex01_1.*submitted/STUDENT/ex01_1"):
        classroom.submissions(EXERCISE)
    hand_in(classroom, "ada", notebook(classroom))
    with pytest.raises(CourseError, match="No submission of ex01_1 by 'eda'; there are those of ada"):
        classroom.submissions(EXERCISE, "eda")
    shutil.rmtree(classroom.folder / "release" / EXERCISE)
    with pytest.raises(CourseError, match="not released in this class: run 'course release"):
        classroom.submissions(EXERCISE)
