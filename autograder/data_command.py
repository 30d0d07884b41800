"""``course data``: which data sets exist, where their files are, fetching and verifying them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from course_lib.data import _resolution

app = typer.Typer(
    help="The data sets of the course: list, download, verify, and where they are kept.",
    no_args_is_help=True,
)


def dataset_names():
    """Every folder of ``datasets/`` with a card, in alphabetical order."""
    return sorted(card.parent.name for card in _resolution.datasets_folder().glob("*/card.md"))


def title_of(dataset):
    """First heading of the card."""
    card = _resolution.datasets_folder() / dataset / "card.md"
    for line in card.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            return line[2:].strip()
    return ""


def state_of(dataset):
    """One phrase: computed on the spot, bundled, where the real files are, or that they are still to be fetched."""
    entries = _resolution.files_of(dataset)
    if not entries:
        return "computed"
    places = []
    for entry in entries:
        found = [(label, path) for label, path in _resolution.local_candidates(entry) if path.is_file()]
        if not found:
            return "not downloaded"
        places.append(found[0][0])
    return ", ".join(dict.fromkeys(places))


@app.command("list")
def list_datasets():
    """Every data set, with the place of its files."""
    names = dataset_names()
    width = max((len(name) for name in names), default=0)
    for name in names:
        typer.echo(f"{name:<{width}}  {state_of(name):<15}  {title_of(name)}")


@app.command()
def fetch(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Data sets; if none, all that have public files below a gigabyte."),
    ] = None,
):
    """Download and verify the public files, so that the course then works without network."""
    downloadable = list(dict.fromkeys(e.dataset for e in _resolution.registry().values() if e.url))
    for name in names or []:
        if name not in dataset_names() and name not in downloadable:
            raise typer.BadParameter(f"{name!r} is no data set of the course; `course data list` shows all.")
    failed = 0
    for name in names or downloadable:
        if name not in downloadable:
            typer.echo(f"{name}: nothing to download (computed or bundled)")
            continue
        for entry in _resolution.files_of(name):
            if entry.n_bytes is not None and not names:
                typer.echo(f"{entry.key}: {entry.n_bytes / 1e9:.1f} GB, fetched only by `course data fetch {name}`")
                continue
            try:
                typer.echo(f"{entry.key}: ok, {_resolution.resolve(entry.key)}")
            except _resolution.DataUnavailable as error:
                failed += 1
                typer.secho(f"{entry.key}: FAILED, {error}", fg="red", err=True)
    if failed:
        raise typer.Exit(1)


@app.command()
def verify():
    """Compare every file on this machine with its registered SHA-256; exit status 1 if one differs."""
    n_checked = n_damaged = 0
    for entry in _resolution.registry().values():
        present = [path for _, path in _resolution.local_candidates(entry) if path.is_file()]
        if entry.url is None and not present:
            n_damaged += 1
            typer.secho(f"{entry.key}: MISSING, install the course again", fg="red", err=True)
        for path in present:
            n_checked += 1
            if _resolution.is_intact(entry, path):
                typer.echo(f"{entry.key}: ok, {path}")
            else:
                n_damaged += 1
                typer.secho(f"{entry.key}: DAMAGED, delete {path} and fetch again", fg="red", err=True)
    typer.echo(f"{n_checked} files checked, {n_damaged} not as registered")
    if n_damaged:
        raise typer.Exit(1)


@app.command()
def path(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Data sets; the folders if none.")
    ] = None,
):
    """Where files are looked for: the folders in their order, or the files of some data sets."""
    if not names:
        administrator = _resolution.administrator_folder()
        typer.echo(f"COURSE_DATA_DIR  {administrator if administrator else '(not set)'}")
        typer.echo(f"cache            {_resolution.cache_folder()}")
        typer.echo(f"bundled          {_resolution.datasets_folder()}")
        return
    for name in names:
        if name not in dataset_names():
            raise typer.BadParameter(f"{name!r} is no data set of the course; `course data list` shows all.")
        for entry in _resolution.files_of(name):
            for _, candidate in _resolution.local_candidates(entry):
                typer.echo(f"{Path(candidate)}{'' if candidate.is_file() else '  (absent)'}")
