"""``course hub``: the commands around a class on one machine with JupyterHub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Run a class on one machine with JupyterHub.", no_args_is_help=True)

HubFolder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the hub.")]


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    instructor: Annotated[list[str], typer.Option(help="User name of an instructor; may be given again.")],
    users: Annotated[
        str, typer.Option(metavar="native|system", help="native: students sign up; system: accounts of this machine.")
    ] = "native",
    name: Annotated[str | None, typer.Option(help="Title of the class; the folder's name if not given.")] = None,
    port: Annotated[int, typer.Option(help="Where browsers find it.")] = 8000,
) -> None:
    """Make a hub with its class, for real use."""
    from autograder.hub import SETTINGS, init

    passwords = init(folder, instructor, users=users, name=name, port=port)
    typer.echo(f"Made the hub {folder.expanduser().resolve()}; its settings are in {SETTINGS}.")
    for user, password in passwords.items():
        typer.echo(f"First password of {user}, shown only now: {password}")
    typer.echo(f"Next: course hub start {folder} (as root, so that students are kept apart)")


@app.command()
def start(folder: HubFolder) -> None:
    """Run the hub until Ctrl-C."""
    from autograder.hub import start

    start(folder, say=typer.echo)


@app.command()
def update(folder: HubFolder) -> None:
    """Give the notebooks of this checkout to the students; they get them when their servers start."""
    from autograder.hub import HubFolder, publish_notebooks
    from autograder.repository import find_repository

    changed = publish_notebooks(find_repository(), HubFolder(folder).notebooks)
    typer.echo("Students get the new versions when their servers start." if changed else "Nothing is new.")


@app.command()
def password(
    folder: HubFolder,
    user: Annotated[str, typer.Argument(metavar="USER", help="An instructor or a student.")],
) -> None:
    """Give a user a new password, from the next start of the hub on."""
    from autograder.hub import set_password

    typer.echo(f"Password of {user} from the next start of the hub on: {set_password(folder, user)}")


@app.command()
def demo(
    port: Annotated[int | None, typer.Option(help="A free port; 8000 or any if not given.")] = None,
) -> None:
    """Try it: two students, an instructor and one exercise, on this machine only. Ctrl-C ends and deletes it."""
    from autograder.hub import demo

    demo(port, say=typer.echo)
