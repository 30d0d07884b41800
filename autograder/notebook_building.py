"""Build notebooks from their MyST Markdown sources: same source, same bytes.

The ``.md`` is the only form that a person edits. The ``.ipynb`` of a chapter is committed, because Colab, GitHub,
nbviewer and nbgitpuller open only what is committed; a test rebuilds it and compares.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import CourseError

#: The command that mends a stale notebook; every message about one ends with it.
REBUILD_COMMAND = "make notebooks"


def build_notebook(source: Path) -> str:
    """Return the text of the ``.ipynb`` that belongs to one MyST Markdown source.

    The result depends on the source's text and file name only: cell ids come from the nbgrader ``grade_id`` where
    there is one, otherwise from a hash of the cell's content (with a counter for equal cells), so that an edit in one
    place leaves the ids of all other cells alone. No outputs, no execution counts, no library versions.

    Parameters
    ----------
    source : pathlib.Path
        A MyST Markdown file with the jupytext header of the course.

    Returns
    -------
    str
        JSON text of a valid notebook (nbformat 4.5), ending with a newline.

    Raises
    ------
    CourseError
        If the file does not exist, is no MyST notebook, or gives an invalid notebook.
    """
    import jupytext
    import nbformat

    source = Path(source)
    if not source.is_file():
        raise CourseError(f"Notebook source {source} does not exist: check the path, or restore the file from git.")
    text = source.read_text(encoding="utf-8")
    if not text.startswith("---") or "format_name: myst" not in text.split("\n---", 1)[0]:
        raise CourseError(
            f"{source} has no jupytext header with 'format_name: myst': copy the first lines of another chapter."
        )
    try:
        notebook = jupytext.reads(text, fmt="md:myst")
    except Exception as error:  # jupytext raises many kinds; the author needs the file and the reason
        raise CourseError(f"{source} cannot be read as MyST Markdown ({error}): mend the source.") from error

    # Which tool built the file, and in which version, would change the bytes without changing the content.
    notebook.metadata.pop("jupytext", None)
    notebook.metadata.setdefault("language_info", {"name": "python"})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        cell["id"] = _cell_id(cell, seen)
        if cell.cell_type == "code":
            cell["outputs"], cell["execution_count"] = [], None
    _refuse_duplicate_grade_ids(notebook, source)
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise CourseError(f"{source} gives an invalid notebook ({error.message}): mend the source.") from error
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT) + "\n"


def _cell_id(cell, seen):
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
    if grade_id:
        return grade_id
    digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
    seen[digest] = seen.get(digest, 0) + 1
    return digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def _refuse_duplicate_grade_ids(notebook, source):
    grade_ids = [cell.id for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id")]
    twice = sorted({grade_id for grade_id in grade_ids if grade_ids.count(grade_id) > 1})
    if twice:
        raise CourseError(f"{source} uses the grade_id {', '.join(twice)} more than once: give each cell its own.")


@dataclass(frozen=True)
class BuildResult:
    """What became of one notebook: its source, its target, and whether the target differed from the source."""

    source: Path
    target: Path
    was_stale: bool


def build_all(folder: Path, *, check: bool = False) -> list[BuildResult]:
    """Build the notebook beside every ``.md`` of a folder, or only look which ones are stale.

    Parameters
    ----------
    folder : pathlib.Path
        The folder with the sources (``notebooks/`` of the repository).
    check : bool
        Only compare; write nothing.

    Returns
    -------
    list of BuildResult
        One entry a source, in alphabetical order. A notebook without a source counts as stale too (its ``source``
        does not exist), and is deleted when building.

    Raises
    ------
    CourseError
        If the folder holds no source, or a source cannot be built.
    """
    folder = Path(folder)
    sources = sorted(folder.glob("*.md"))
    if not sources:
        raise CourseError(f"No notebook source (*.md) in {folder}: run this from the repository, or name its folder.")
    # All are built before the first is written, so that one bad source leaves every notebook as it was.
    built = [(source, source.with_suffix(".ipynb"), build_notebook(source)) for source in sources]
    results = []
    for source, target, text in built:
        stale = not target.is_file() or target.read_text(encoding="utf-8") != text
        if stale and not check:
            _write_whole(target, text)
        results.append(BuildResult(source, target, stale))
    orphans = sorted(set(folder.glob("*.ipynb")) - {target for _, target, _ in built})
    for orphan in orphans:
        if not check:
            orphan.unlink()
        results.append(BuildResult(orphan.with_suffix(".md"), orphan, True))
    return results


def _write_whole(target: Path, text: str) -> None:
    """Write under a temporary name first: an interruption leaves the old file, never half of the new one."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
