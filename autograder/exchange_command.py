"""``course publish`` and ``course extend``: what students may hand in, how often, and by when."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.errors import CourseError

ClassFolder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the class.")]
Exercise = Annotated[str, typer.Argument(metavar="EXERCISE", help="Such as ex08_1 or 8.1.")]


def publish(
    folder: ClassFolder,
    exercise: Exercise,
    due: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Such as 2026-12-01 or '2026-12-01 18:00'; none: no deadline.")
    ] = None,
    attempts: Annotated[int | None, typer.Option(help="How often a student may hand in.")] = None,
    pause: Annotated[float | None, typer.Option(metavar="SECONDS", help="Between two attempts of a student.")] = None,
    feedback: Annotated[
        str | None, typer.Option(metavar="none|mark|'visible tests'|full", help="What is read before the deadline.")
    ] = None,
    counts: Annotated[str | None, typer.Option(metavar="last|best", help="Which attempt gives the mark.")] = None,
) -> None:
    """Let students fetch and hand in a released exercise through the hub. Again: change what is given."""
    from autograder import exchange_store as store

    given = {"attempts": attempts, "pause_s": pause, "feedback_before_deadline": feedback, "counts": counts}
    given = {name: value for name, value in given.items() if value is not None}
    if due is not None:
        given["due"] = None if due == "none" else store.parse_time(due)
    settings = store.release(_class(folder), _name(folder, exercise), **given)
    deadline = f"until {store.time_text(settings.due)}" if settings.due else "without a deadline"
    times = f"{settings.attempts} times" if settings.attempts else "as often as they like"
    typer.echo(f"{settings.exercise}: students may hand it in {deadline}, {times}.")


def extend(
    folder: ClassFolder,
    exercise: Exercise,
    student: Annotated[str, typer.Argument(metavar="STUDENT", help="Name at the hub.")],
    when: Annotated[str, typer.Argument(metavar="WHEN", help="Such as 2026-12-08; none: the deadline of all others.")],
) -> None:
    """Give one student a later deadline, or take it back."""
    from autograder import exchange_store as store

    later = None if when == "none" else store.parse_time(when)
    due = store.extend(_class(folder), _name(folder, exercise), student, later)
    typer.echo(f"{student}: the deadline is {store.time_text(due) if due else 'none'} now.")


def _class(folder: Path) -> Path:
    folder = folder.expanduser().resolve()
    if not (folder / "nbgrader_config.py").is_file():
        raise CourseError(f"{folder} is not a class (it has no nbgrader_config.py): name the folder of one.")
    return folder


def _name(folder: Path, exercise: str) -> str:
    """The exercise as the class calls it."""
    from autograder.exchange_store import is_name

    if is_name(exercise) and (folder.expanduser() / "release" / exercise).is_dir():
        return exercise
    from autograder import problem_sets

    return problem_sets.find(exercise).name
