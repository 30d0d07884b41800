"""The ``course`` command. Each command is a thin wrapper; what it does lives in the module that it imports.

The imports stand inside the commands, so that ``course --help`` answers at once.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from autograder import data_command
from autograder.errors import CourseError

app = typer.Typer(
    name="course",
    help="Run the course: its chapters, its problem sets and its classes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
classes = typer.Typer(help="Make a class.", no_args_is_help=True)
app.add_typer(classes, name="class")
app.add_typer(data_command.app, name="data")

ClassFolder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the class.")]
Exercise = Annotated[str, typer.Argument(metavar="EXERCISE", help="Such as ex08_1 or 8.1.")]


@classes.command("new")
def new_class(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    name: Annotated[str | None, typer.Option(help="Title of the class; the folder's name if not given.")] = None,
) -> None:
    """Make a class: an nbgrader course in a folder of its own."""
    from autograder.classroom import new_class

    classroom = new_class(folder, name)
    typer.echo(f"Made the class {classroom.folder}. Next: course release {folder} ex08_1")


@app.command()
def release(
    folder: ClassFolder,
    exercise: Exercise,
    force: Annotated[bool, typer.Option("--force", help="Although there are submissions or hand-made edits.")] = False,
) -> None:
    """Build a problem set's source notebook and its student version."""
    from autograder.classroom import Classroom

    student_version = Classroom(folder).release(exercise, force=force)
    typer.echo(f"Student version: {student_version}")


@app.command()
def grade(
    folder: ClassFolder,
    exercise: Exercise,
    student: Annotated[str | None, typer.Option(help="Only this student.")] = None,
    regrade: Annotated[bool, typer.Option("--regrade", help="Also what was graded and did not change.")] = False,
) -> None:
    """Run and mark the submissions, one after the other. Exits with 1 if some could not be graded."""
    from rich.console import Console

    from autograder.classroom import Classroom

    console = Console()
    classroom = Classroom(folder)
    students = classroom.submissions(exercise, student)
    marks = grade_all(classroom, exercise, students, console, regrade=regrade)
    print_marks(marks, console, title=exercise)
    if len(marks) < len(students):
        raise CourseError(
            f"Interrupted: {len(marks)} of {len(students)} are graded and stay so; "
            f"the same command goes on with the others."
        )
    failed = [mark.student for mark in marks if mark.status == "not graded"]
    if failed:
        raise CourseError(
            f"{len(failed)} of {len(marks)} could not be graded and have 0 points ({', '.join(failed[:5])}"
            f"{' ...' if len(failed) > 5 else ''}): the table says why, "
            f"{classroom.folder / 'grading'} holds the logs."
        )


def grade_all(classroom, exercise: str, students: list[str], console, *, regrade: bool = False) -> list:
    """Grade one student after the other with a bar: how many, how fast, how long still.

    Parameters
    ----------
    classroom : autograder.classroom.Classroom
    exercise : str
    students : list of str
    console : rich.console.Console
    regrade : bool

    Returns
    -------
    list of autograder.classroom.Mark
        Shorter than `students` if interrupted (Ctrl-C).
    """
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[pace]}"),
    ]
    marks = []
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=len(students), pace="")
        start = time.monotonic()
        for done, student in enumerate(students, start=1):
            if console.is_terminal:
                progress.update(bar, description=escape(student))
            else:
                # A bar is nothing for a log file.
                console.print(f"{done}/{len(students)} {escape(student)}")
            try:
                marks.append(classroom.grade(exercise, student, regrade=regrade))
            except KeyboardInterrupt:
                break
            each = (time.monotonic() - start) / done
            left = round(each * (len(students) - done))
            pace = f"{60 / max(each, 1e-3):.1f} a minute, {left // 60}:{left % 60:02d} left"
            progress.update(bar, advance=1, pace=pace)
    return marks


def print_marks(marks, console, *, title: str = "") -> None:
    """Print one row for each `autograder.classroom.Mark`, and below what the instructor should know."""
    from rich.table import Table
    from rich.text import Text

    if not marks:
        return
    table = Table(title=title, title_justify="left")
    table.add_column("student", overflow="fold")
    table.add_column("automatic points", justify="right")
    table.add_column("for a person", justify="right")
    table.add_column("status")
    table.add_column("seconds", justify="right")
    remarks = []
    for mark in marks:
        colour = {"not graded": "red", "unchanged": "dim"}.get(mark.status, "green")
        table.add_row(
            # Names and notes come from students: Text shows them as they are, markup would be obeyed.
            Text(mark.student),
            f"{mark.points:g} of {mark.maximum:g}",
            f"{mark.waiting:g}" if mark.waiting else "",
            Text(mark.status, style=colour),
            f"{mark.seconds:.1f}",
        )
        remarks += [Text.assemble((mark.student, "bold"), ": ", "; ".join(mark.notes))] if mark.notes else []
    console.print(table)
    for remark in remarks:
        console.print(remark)


@app.command()
def feedback(
    folder: ClassFolder,
    exercise: Exercise,
    student: Annotated[str | None, typer.Option(help="Only this student.")] = None,
    show_hidden_tests: Annotated[
        bool, typer.Option("--show-hidden-tests", help="Leave hidden tests and mark schemes in the pages.")
    ] = False,
) -> None:
    """Write one feedback page for each student and print where it is."""
    from autograder.classroom import Classroom

    classroom = Classroom(folder)
    students = classroom.submissions(exercise, student)
    without = []
    for one in students:
        made = classroom.feedback(exercise, one, show_hidden_tests=show_hidden_tests)
        for page in made.pages:
            typer.echo(str(page))
        if not made.pages:
            without.append(f"{one} ({made.reason})")
    if without:
        raise CourseError(f"No feedback for {len(without)} of {len(students)}: {'; '.join(without)}")


@app.command()
def check(
    exercise: Annotated[str | None, typer.Argument(metavar="EXERCISE", help="Such as ex08_1 or 8.1.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All problem sets.")] = False,
) -> None:
    """Prove that a problem set marks right answers right and wrong ones wrong, and gives nothing away."""
    if everything == (exercise is not None):
        raise CourseError("Say which problem set to check: course check EXERCISE, or course check --all.")
    from autograder import gate, problem_sets

    names = [one.name for one in problem_sets.all_problem_sets()] if everything else [exercise]
    failed = []
    for name in names:
        report = gate.check(name)
        gate.print_report(report)
        if not report.passed:
            failed.append(name)
    if failed:
        raise CourseError(f"{', '.join(failed)} may not be released as {'they are' if failed[1:] else 'it is'}.")


@app.command()
def lab(
    port: Annotated[int | None, typer.Option(help="A free port; JupyterLab looks for one if not given.")] = None,
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
) -> None:
    """Open JupyterLab on the course map."""
    from autograder.lab import start
    from autograder.repository import find_repository

    start(find_repository(), port=port, open_browser=browser)


@app.command()
def build(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 if a notebook is stale.")] = False,
) -> None:
    """Build the chapters' notebooks from their sources."""
    from autograder.notebook_building import REBUILD_COMMAND, build_all
    from autograder.repository import find_repository

    results = build_all(find_repository() / "notebooks", check=check)
    stale = [result.target.name for result in results if result.was_stale]
    typer.echo(f"{len(results)} notebooks, {len(stale)} {'stale' if check else 'changed'}")
    if check and stale:
        raise CourseError(f"Stale: {', '.join(stale)}. Mend with: {REBUILD_COMMAND}")


@app.command()
def run(
    chapters: Annotated[
        list[str] | None, typer.Argument(metavar="[CHAPTER]...", help="Such as 8; all if none.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="How many at the same time.")] = 2,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="For the parameters cell.")
    ] = None,
) -> None:
    """Execute chapters with papermill and print what each cost. Exits with 1 if a cell fails."""
    from rich.console import Console

    from autograder.repository import find_repository
    from autograder.running import parse_parameters, print_report, run_notebooks

    console, repository = Console(), find_repository()
    results = run_notebooks(
        repository,
        chapters or [],
        jobs=jobs,
        parameters=parse_parameters(parameter or []),
        on_finished=lambda result: console.print(
            f"{result.name}: {'ok' if result.ok else 'failed'} after {result.seconds:.0f} s", highlight=False
        ),
    )
    print_report(results, console)
    console.print(f"Executed copies: {repository / '_build' / 'executed'}", highlight=False, soft_wrap=True)
    if not all(result.ok for result in results):
        raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """Say what is installed, what is missing, and how to mend it. Exits with 1 if something is missing."""
    from rich.console import Console

    from autograder.doctor import report

    if not report(Console()):
        raise typer.Exit(1)


def main() -> None:
    """Entry point of the console script: a mistake of the user's is one line and exit status 1."""
    try:
        app()
    except CourseError as error:
        sys.exit("course: " + " ".join(str(error).split()))
    except PermissionError as error:
        sys.exit(f"course: {error.filename} may not be written or read: choose another folder, or change its owner.")


if __name__ == "__main__":
    main()
