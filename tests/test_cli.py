"""The ``course`` command: the whole path of a class, and one clear line for every mistake."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograder import classroom as classroom_module
from autograder import cli
from autograder.classroom import Mark

TOY = Path(__file__).parent / "toy_assignments"


@pytest.fixture(autouse=True)
def toy_problem_sets(monkeypatch):
    monkeypatch.setenv("COURSE_ASSIGNMENTS_DIR", str(TOY))
    # rich asks for the width of the terminal, which a test has not.
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def course(monkeypatch, capsys):
    """Run the command in this process and return status, output and error text."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["course", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        output, errors = capsys.readouterr()
        # sys.exit(text) prints the text only when the interpreter ends.
        if isinstance(ended.value.code, str):
            return 1, output, errors + ended.value.code
        return ended.value.code or 0, output, errors

    return run


def test_help_answers_at_once_and_imports_nothing_heavy():
    program = (
        "import sys, time, contextlib\n"
        "from autograder import cli\n"
        "sys.argv = ['course', '--help']\n"
        "with contextlib.suppress(SystemExit):\n"
        "    cli.main()\n"
        "heavy = {'nbgrader', 'tensorflow', 'keras', 'plotly', 'jupytext'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert time.process_time() < 1, time.process_time()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for command in ("class", "release", "grade", "feedback", "report", "export", "check"):
        assert f"  {command} " in done.stdout


def test_a_class_from_the_beginning_to_the_feedback(course, tmp_path):
    folder = tmp_path / "winter"
    status, output, _ = course("class", "new", folder, "--name", "Winter")
    assert (status, str(folder) in output) == (0, True)

    status, output, errors = course("grade", folder, "ex01_1")
    assert status == 1 and "course release" in errors

    status, output, _ = course("release", folder, "1.1")
    student_version = folder / "release" / "ex01_1" / "ex01_1.ipynb"
    assert status == 0 and str(student_version) in output and student_version.is_file()

    status, _, errors = course("grade", folder, "ex01_1")
    assert status == 1 and "No submissions of ex01_1" in errors

    for student, step in (("ada", "source"), ("bob", "release")):
        shutil.copytree(folder / step / "ex01_1", folder / "submitted" / student / "ex01_1")
    status, output, errors = course("grade", folder, "ex01_1")
    assert (status, errors) == (0, "")
    assert {line[4:] for line in output.splitlines() if line.startswith(("1/2", "2/2"))} == {"ada", "bob"}
    assert "Isolation: " in output
    rows = {line.split("│")[1].strip(): line for line in output.splitlines() if line.startswith("│")}
    assert "5 of 5" in rows["ada"] and "0 of 5" in rows["bob"] and "graded" in rows["ada"]

    # One that cannot be graded: the others stay, the exit status says it.
    (folder / "submitted" / "eve" / "ex01_1").mkdir(parents=True)
    (folder / "submitted" / "eve" / "ex01_1" / "ex01_1.ipynb").write_text("[]")
    status, output, errors = course("grade", folder, "ex01_1")
    assert status == 1 and errors.startswith("course: 1 of 3 could not be graded and have 0 points (eve)")
    assert output.count("unchanged") == 2 and "eve: " in output
    status, _, errors = course("grade", folder, "ex01_1", "--student", "zoe")
    assert status == 1 and "there are those of ada, bob, eve" in errors

    status, output, errors = course("feedback", folder, "ex01_1")
    pages = [Path(line) for line in output.splitlines()]
    assert [page.parent.parent.name for page in pages] == ["ada", "bob", "eve"] and all(
        page.is_file() for page in pages
    )
    assert status == 0 and errors == ""

    status, output, errors = course("report", folder, "ex01_1", "--quick", "--html", tmp_path / "report.html")
    assert (status, errors) == (0, "") and "mean-test" in output and "Isolation: " in output and "unreadable" in output
    assert "<svg" in (tmp_path / "report.html").read_text()
    for command in (("report", folder, "ex01_1", "--student", "bob"), ("grade", folder, "ex01_1", "--explain", "bob")):
        status, output, errors = course(*command)
        assert (status, errors) == (0, "") and "mean-test: 0 of 3" in output and "fraction-test: 0 of 2" in output

    status, output, errors = course("export", folder, "--format", "canvas")
    assert (status, errors) == (0, "") and "waits for a person: ada (ex01_1)" in output
    table = (folder / "marks-canvas.csv").read_text()
    assert '"SIS Login ID"' in table and '"ada"' in table

    status, _, errors = course("release", folder, "ex01_1")
    assert status == 1 and "--force" in errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["release", "CLASS", "ex09_9"], ["No exercise 'ex09_9'", "ex01_1 (Means and fractions)"]),
        (["release", "CLASS", "ex01_11"], ["Did you mean ex01_1?"]),
        (["grade", "CLASS", "ex01_11"], ["Did you mean ex01_1?"]),
        (["feedback", "CLASS", "ex01_1"], ["not released in this class", "course release"]),
        (["release", "NOTHING", "ex01_1"], ["is not a class", "course class new"]),
        (["grade", "NOTHING", "ex01_1"], ["is not a class", "course class new"]),
        (["feedback", "NOTHING", "ex01_1"], ["is not a class", "course class new"]),
        (["report", "CLASS", "ex01_1"], ["has not been graded", "course grade"]),
        (["export", "CLASS", "--format", "excel"], ["No format 'excel'", "csv, canvas or moodle"]),
        (["class", "new", "CLASS"], ["is a class already"]),
        (["class", "new", "FULL"], ["needs a new or empty folder"]),
        (["check", "ex01_11"], ["Did you mean ex01_1?"]),
        (["check"], ["course check --all"]),
        (["check", "ex01_1", "--all"], ["course check --all"]),
    ],
)
def test_a_mistake_is_one_line_with_the_way_out(course, tmp_path, arguments, words):
    places = {name: tmp_path / name.lower() for name in ("CLASS", "FULL", "NOTHING")}
    for name in ("CLASS", "FULL"):
        places[name].mkdir()
    (places["CLASS"] / "nbgrader_config.py").write_text("c = get_config()\n")
    (places["FULL"] / "thesis.tex").write_text("years of work")
    before = sorted(path for path in tmp_path.rglob("*"))
    status, output, errors = course(*(places.get(argument, argument) for argument in arguments))
    assert status == 1 and output == ""
    assert errors.startswith("course: ") and len(errors.strip().splitlines()) == 1
    for word in words:
        assert word in errors
    assert sorted(path for path in tmp_path.rglob("*")) == before


def test_a_wrong_use_is_told_from_a_mistake(course):
    assert course("grade")[0] == 2
    assert course("no-such-command")[0] == 2


def test_a_folder_that_may_not_be_written_is_one_line(course, tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", str(tmp_path / "class"))

    monkeypatch.setattr(classroom_module, "new_class", refuse)
    status, _, errors = course("class", "new", tmp_path / "class")
    assert status == 1 and errors.startswith("course: ") and "may not be written" in errors


def test_names_of_students_are_shown_not_obeyed(capsys):
    from rich.console import Console

    marks = [Mark("[red]x[/red]", 1.0, 2.0, 0.0, "graded", ("[bold]",), 0.1)]
    cli.print_marks(marks, Console(width=120))
    output = capsys.readouterr().out
    assert "[red]x[/red]" in output and "[bold]" in output


@pytest.mark.slow
def test_check_puts_a_problem_set_through_the_gate(course, tmp_path, monkeypatch):
    status, output, _ = course("check", "ex01_1")
    assert status == 0 and "passed" in output and "always_two" in output
    sets = shutil.copytree(TOY, tmp_path / "sets")
    mutant = sets / "tests" / "mutants" / "ex01_1" / "always_two.py"
    mutant.write_text(mutant.read_text().replace("return 2", "return sum(numbers) / len(numbers)"))
    monkeypatch.setenv("COURSE_ASSIGNMENTS_DIR", str(sets))
    status, output, errors = course("check", "--all")
    assert status == 1 and "ex01_1 may not be released as it is" in errors and "survives" in output


def test_the_progress_line_says_how_fast_how_long_and_who():
    from autograder.grading_run import Progress

    progress = Progress(total=12, started=1000.0)
    assert cli.describe_progress(progress, 1000.0) == ""
    progress.done, progress.running, progress.slowest = 3, {"eve": 1050.0, "bob": 1010.0}, ("ada", 41.2)
    # The rate follows the clock: 3 in a minute, 9 to go.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: 1060.0)
        words = cli.describe_progress(progress, 1060.0)
    assert words == "3.0 a minute, 3:00 left; bob for 50 s; slowest ada with 41 s"


def test_the_bar_shows_names_as_they_are(tmp_path):
    from rich.console import Console

    from autograder.grading_run import Progress

    class Class:
        def grade_all(self, exercise, students, *, on_change):
            on_change(Progress(total=2, done=1, latest="[red]x[/red]", slowest=("[red]x[/red]", 2.0)))
            return []

    console = Console(force_terminal=True, width=160, record=True)
    assert cli.grade_all(Class(), "ex01_1", ["a", "b"], console) == []
    assert "slowest [red]x[/red] with 2 s" in console.export_text()
