"""The ``course`` command. Each command is a thin wrapper; what it does lives in the module that it imports.

The imports stand inside the commands, so that ``course --help`` answers at once.
"""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from autograder import data_command, exchange_command, hub_command
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
app.add_typer(hub_command.app, name="hub")
app.command("publish")(exchange_command.publish)
app.command("extend")(exchange_command.extend)

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
    jobs: Annotated[int | None, typer.Option(help="How many at a time; one a core if not given.")] = None,
    regrade: Annotated[
        str, typer.Option(metavar="all|changed|failed", help="changed: new or changed; failed: also what did not end.")
    ] = "changed",
    allow_weaker: Annotated[
        bool, typer.Option("--allow-weaker", help="Take a weaker isolation if the machine has no better one.")
    ] = False,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Grade on the workers of a dask scheduler.")
    ] = None,
    db: Annotated[str | None, typer.Option(metavar="URL", help="Another gradebook, such as PostgreSQL.")] = None,
    explain: Annotated[
        str | None, typer.Option(metavar="STUDENT", help="Grade nothing; say why each mark was given.")
    ] = None,
) -> None:
    """Run and mark the submissions. Exits with 1 if some could not be graded; what is done stays done."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    from autograder.classroom import Classroom, server_ahead

    if explain is not None:
        from autograder.reports import explain as explanation

        typer.echo(explanation(Classroom(folder).folder, exercise, explain))
        return
    console = Console()
    with contextlib.nullcontext() if scheduler else server_ahead(folder, exercise) as server:
        classroom = Classroom(folder)
        students = classroom.submissions(exercise, student)
        level, details = classroom.isolation(allow_weaker=allow_weaker)
        console.print(Text(f"Isolation: {level}", style="dim"))
        # The first line of the details names the level once more.
        for line in details[1:]:
            console.print(Padding(Text(line, style="dim"), (0, 0, 0, 2)))
        options = {"jobs": jobs, "allow_weaker": allow_weaker, "scheduler": scheduler, "db_url": db, "server": server}
        marks = grade_all(classroom, exercise, students, console, regrade=regrade, **options)
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
            f"{classroom.folder / 'grading'} holds the records."
        )


@app.command()
def watch(
    folder: ClassFolder,
    jobs: Annotated[int, typer.Option(help="How many at a time.")] = 1,
    poll: Annotated[float, typer.Option(metavar="SECONDS", help="From one look for new submissions to the next.")] = 2,
    once: Annotated[bool, typer.Option("--once", help="Take what is there, and end.")] = False,
    allow_weaker: Annotated[
        bool, typer.Option("--allow-weaker", help="Take a weaker isolation if the machine has no better one.")
    ] = False,
) -> None:
    """Grade each submission when it arrives, and return what feedback the class allows. Ctrl-C ends it."""
    from rich.console import Console

    from autograder.watch_command import watch_class

    watch_class(folder, Console(), jobs=jobs, poll_s=poll, once=once, allow_weaker=allow_weaker)


def grade_all(classroom, exercise: str, students: list[str], console, **options) -> list:
    """Grade with a live line: how many, how fast, how long still, who is in work, who took longest.

    Parameters
    ----------
    classroom : autograder.classroom.Classroom
    exercise : str
    students : list of str
    console : rich.console.Console
    **options
        Of `autograder.classroom.Classroom.grade_all`.

    Returns
    -------
    list of autograder.classroom.Mark
        Shorter than `students` if interrupted (Ctrl-C).
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.text import Text

    from autograder.sanitising import one_line

    bar = Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
        console=console,
        transient=True,
    )
    shown = bar.add_task("", total=len(students))
    announced = 0

    def show(progress):
        nonlocal announced
        if progress.done > announced:
            announced = progress.done
            if not console.is_terminal:
                # A bar is nothing for a log file.
                console.print(Text(f"{progress.done}/{progress.total} {one_line(progress.latest)}"))
        words = one_line(describe_progress(progress, time.monotonic()))
        bar.update(shown, total=progress.total, completed=progress.done, description=words)

    with bar:
        return classroom.grade_all(exercise, students, on_change=show, **options)


def describe_progress(progress, now: float) -> str:
    """Return the words beside the bar.

    Parameters
    ----------
    progress : autograder.grading_run.Progress
    now : float
        In the time of `time.monotonic`.
    """
    parts = []
    if progress.left_s is not None:
        left = round(progress.left_s)
        parts.append(f"{progress.rate_per_minute:.1f} a minute, {left // 60}:{left % 60:02d} left")
    if progress.running:
        student, since = min(progress.running.items(), key=lambda item: item[1])
        parts.append(f"{student} for {now - since:.0f} s")
    if progress.slowest[0]:
        parts.append("slowest {} with {:.0f} s".format(*progress.slowest))
    return "; ".join(parts)


def print_marks(marks, console, *, title: str = "") -> None:
    """Print one row for each `autograder.classroom.Mark`, and below what the instructor should know."""
    from rich.table import Table
    from rich.text import Text

    from autograder.sanitising import one_line

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
            # Names and notes come from students: rich would obey their markup, the terminal their escape sequences.
            Text(one_line(mark.student)),
            f"{mark.points:g} of {mark.maximum:g}",
            f"{mark.waiting:g}" if mark.waiting else "",
            Text(mark.status, style=colour),
            f"{mark.seconds:.1f}",
        )
        if mark.notes:
            said = one_line("; ".join(mark.notes), limit=2_000)
            remarks.append(Text.assemble((one_line(mark.student), "bold"), ": ", said))
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
    from autograder.sanitising import printable

    classroom = Classroom(folder)
    students = classroom.submissions(exercise, student)
    without = []
    for one in students:
        made = classroom.feedback(exercise, one, show_hidden_tests=show_hidden_tests)
        for page in made.pages:
            typer.echo(printable(str(page), limit=4000))
        if not made.pages:
            without.append(f"{one} ({made.reason})")
    if without:
        raise CourseError(f"No feedback for {len(without)} of {len(students)}: {'; '.join(without)}")


@app.command()
def report(
    folder: ClassFolder,
    exercise: Exercise,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it as one page with plots, too.")] = None,
    student: Annotated[str | None, typer.Option(help="Say why each mark of this student was given.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Do not run the known wrong answers to recognise misunderstandings.")
    ] = False,
) -> None:
    """Say how an exercise went: marks by question, messages, misunderstandings, cost, answers that are alike."""
    from rich.console import Console

    from autograder import reports
    from autograder.classroom import Classroom

    classroom = Classroom(folder)
    if student is not None:
        typer.echo(reports.explain(classroom.folder, exercise, student))
        return
    made = reports.report_of(classroom.folder, exercise, learn_mistakes=not quick, on_wait=typer.echo)
    reports.print_report(made, Console())
    if html is not None:
        from autograder.report_page import html_report

        try:
            html.write_text(html_report(made), encoding="utf-8")
        except OSError as error:
            raise CourseError(f"{html} cannot be written ({error.strerror}): choose another file.") from error
        typer.echo(f"Page: {html}")


@app.command("export")
def export_marks(
    folder: ClassFolder,
    form: Annotated[str, typer.Option("--format", help="csv, canvas or moodle.")] = "csv",
    out: Annotated[
        Path | None, typer.Option(help="The file; marks-FORMAT.csv in the class's folder if not given.")
    ] = None,
    exercise: Annotated[list[str] | None, typer.Option(help="Only this exercise; may be given again.")] = None,
) -> None:
    """Write the marks as a table for a spreadsheet, Canvas or Moodle. Marks that are still open are left empty."""
    from autograder import export
    from autograder.classroom import Classroom
    from autograder.sanitising import one_line

    classroom = Classroom(folder)
    target = out or classroom.folder / f"marks-{form}.csv"
    made = export.write(classroom, form, target, exercise)
    typer.echo(f"{target}: {made.n_rows} rows")
    for status, students in made.open.items():
        more = f" and {len(students) - 5} more" if len(students) > 5 else ""
        typer.echo(one_line(f"Left empty, because {status}: {', '.join(students[:5])}{more}", limit=2000))
    if made.changed:
        typer.echo(
            f"Texts that a spreadsheet would have taken for a formula: {len(made.changed)}; they begin with ' now."
        )


@app.command()
def check(
    exercise: Annotated[str | None, typer.Argument(metavar="EXERCISE", help="Such as ex08_1 or 8.1.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All problem sets.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Run every variant from top to bottom, not only what its change reaches.")
    ] = False,
) -> None:
    """Prove that a problem set marks right answers right and wrong ones wrong, and gives nothing away."""
    if everything == (exercise is not None):
        raise CourseError("Say which problem set to check: course check EXERCISE, or course check --all.")
    from autograder import gate, problem_sets

    names = [one.name for one in problem_sets.all_problem_sets()] if everything else [exercise]
    failed = []
    for name in names:
        report = gate.check(name, full=full)
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
        from autograder.sanitising import one_line

        # It may quote names and texts of students.
        sys.exit("course: " + one_line(str(error), limit=4000))
    except PermissionError as error:
        sys.exit(f"course: {error.filename} may not be written or read: choose another folder, or change its owner.")


if __name__ == "__main__":
    main()
