"""Put a handed-in notebook right before it runs: bytes in, a notebook in the author's order out.

Students delete, copy, cut in two, move and retype cells; Colab and VS Code drop the metadata that nbgrader relies
on; files come back as ``ex08_1 (1).ipynb``. None of that says anything about physics, so none of it costs marks.

The result starts from the author's notebook. Of the submission it takes the answer cells, the student's changes of
unlocked cells, and the student's own cells in between; tests and locked cells are the author's, whatever was handed
in. Cells are matched by grade id, then by cell id, then by their text, then by what they define and where they stand.
Everything that was put right is said in words that are meant for the student.

What is handed in is never trusted: its size is limited before it is parsed, its cells are copied field by field
into new ones, and of a folder only regular files are read, never through a link.
"""

from __future__ import annotations

import ast
import bisect
import copy
import functools
import json
import os
import re
import stat
import warnings
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path

from autograder.results import Repair

#: Largest notebook in bytes; one with many figures in its outputs has a few million.
NOTEBOOK_LIMIT = 50_000_000
#: Most lists and objects in it, counted before parsing: each costs memory far beyond its two brackets.
BRACKET_LIMIT = 4_000_000
#: Deepest nesting of lists and objects; a notebook with plotly figures has about 15.
DEPTH_LIMIT = 100
#: Most cells, and most characters in all of them, pictures in texts included.
CELL_LIMIT, TEXT_LIMIT = 2_000, 10_000_000
#: Largest data file, largest sum of them (bytes), most of them, and how deep their folders may lie.
FILE_LIMIT, FOLDER_LIMIT, FILE_COUNT_LIMIT, FOLDER_DEPTH_LIMIT = 50_000_000, 200_000_000, 500, 8

#: From here on two texts count as the same cell; half of the words of an edited import cell may be new.
_LIKENESS = 0.6
#: Names closer than this belong together: "Problem 1 (1).ipynb" and "Problem 1.ipynb".
_NAME_LIKENESS = 0.7
#: What an answer is compared by; a longer text is no answer to a question of this course.
_COMPARED_CHARACTERS = 8_000
_COMPILED_CHARACTERS = 200_000
_MOST_CANDIDATES = 5
_MOST_PARTS = 10

_REGIONS = (("BEGIN HIDDEN TESTS", "END HIDDEN TESTS"), ("BEGIN MARK SCHEME", "END MARK SCHEME"))
_WORD = re.compile(r"\w+|[^\w\s]")
_DEFINITION = re.compile(r"^(?:async +)?(?:def|class) +(\w+)|^(\w+) *(?::[^=\n]*)?=(?!=)", re.MULTILINE)
_STUB = re.compile(r"^.*(?:YOUR CODE HERE|YOUR ANSWER HERE|raise NotImplementedError).*$", re.MULTILINE)
_MAGIC = re.compile(r"^[ \t]*[%!].*$", re.MULTILINE)
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
_IMAGE_KINDS = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"}


@dataclass(frozen=True)
class Repaired:
    """A notebook that can be run, and what was done to it.

    Attributes
    ----------
    notebook : nbformat.NotebookNode
        All cells of the author's notebook in its order and with its metadata, tests with their visible part only,
        answers as the student gave them, and the student's own cells between. No outputs.
    repairs : tuple of autograder.results.Repair
    """

    notebook: object
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True)
class Unreadable:
    """What was handed in is no notebook: ``reason`` is ``unreadable``, ``too large`` or ``no notebook``."""

    reason: str
    explanation: str


@dataclass(frozen=True)
class Collected:
    """What lies in one student's folder: plain bytes, read once.

    Attributes
    ----------
    notebooks : dict of str to bytes
        The notebook that was asked for; if it is missing, those that may be meant.
    files : dict of str to bytes
        Data files by their path in the folder, with ``/`` between its parts.
    repairs : tuple of autograder.results.Repair
        What was left out.
    """

    notebooks: dict[str, bytes]
    files: dict[str, bytes] = field(default_factory=dict)
    repairs: tuple[Repair, ...] = ()


@dataclass(eq=False)
class _Cell:
    """One handed-in cell, reduced to what counts."""

    position: int
    kind: str
    source: str
    grade_id: str
    cell_id: str
    attachments: dict

    @functools.cached_property
    def text(self) -> str:
        return _normalised(self.source)

    @functools.cached_property
    def words(self) -> Counter:
        return _words(self.source)

    @functools.cached_property
    def names(self) -> set[str]:
        return _defined_names(self.source)


# -- from a folder to bytes ---------------------------------------------------------------------------------------


def collect(folder: str | os.PathLike, wanted: str, *, others: Collection[str] = ()) -> Collected:
    """Read one student's folder.

    Parameters
    ----------
    folder : path
        Such as ``submitted/STUDENT/EXERCISE``.
    wanted : str
        Name of the notebook, such as ``ex08_1.ipynb``.
    others : collection of str
        Further notebooks of the assignment, which are graded by themselves.

    Returns
    -------
    Collected
        Without links, devices, hidden files, and what exceeds the limits of this module; what was left out is said.

    Raises
    ------
    OSError
        If the folder itself cannot be read; a link in its place is one.
    """
    notebooks, files, repairs = {}, {}, []
    total = 0

    def leave_out(path, why):
        if len(repairs) < 20:
            repairs.append(Repair("removed", "", f"The file {_printable(path)} was left out: {why}."))

    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        for place, folders, names, descriptor in os.fwalk(".", dir_fd=root, follow_symlinks=False):
            relative = [part for part in place.split("/") if part != "."]
            for name in list(folders):
                if name.startswith(".") or name == "__pycache__":
                    folders.remove(name)
                elif name != _printable(name):
                    folders.remove(name)
                    leave_out("/".join([*relative, name]), "its name cannot be written on every system")
                elif stat.S_ISLNK(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
                    folders.remove(name)
                    leave_out("/".join([*relative, name]), "it is a link, and links are not followed")
            folders.sort()
            if len(relative) >= FOLDER_DEPTH_LIMIT:
                folders.clear()
            for name in sorted(names):
                path = "/".join([*relative, name])
                is_notebook = not relative and name.endswith(".ipynb")
                if name.startswith(".") or (is_notebook and name != wanted and name in others):
                    continue
                if not is_notebook and len(files) >= FILE_COUNT_LIMIT:
                    leave_out(path, f"only {FILE_COUNT_LIMIT} files are taken along")
                    continue
                limit = NOTEBOOK_LIMIT + 1 if is_notebook else min(FILE_LIMIT, FOLDER_LIMIT - total)
                content = _read_regular_file(name, descriptor, limit)
                if isinstance(content, str):
                    leave_out(path, content)
                elif not is_notebook:
                    files[path] = content
                    total += len(content)
                elif name == wanted or len(notebooks) < _MOST_CANDIDATES:
                    notebooks[name] = content
    finally:
        os.close(root)
    if wanted in notebooks:
        for name in notebooks.keys() - {wanted}:
            leave_out(name, f"only {wanted} is graded")
        notebooks = {wanted: notebooks[wanted]}
    return Collected(notebooks, files, tuple(repairs))


def _read_regular_file(name: str, folder_descriptor: int, limit: int) -> bytes | str:
    """The file's bytes, at most `limit` of them, or the reason why it is not taken."""
    if name != _printable(name):
        return "its name cannot be written on every system"
    try:
        # Opening some devices does something, so the kind is looked up before and, against a swap, after.
        if not stat.S_ISREG(os.stat(name, dir_fd=folder_descriptor, follow_symlinks=False).st_mode):
            return "it is a link or a device, and only files are taken"
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=folder_descriptor)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    with open(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            return "it is a link or a device, and only files are taken"
        if status.st_size > limit and not name.endswith(".ipynb"):
            return f"it has {status.st_size / 1e6:.0f} MB, and {limit / 1e6:.0f} MB are left for it"
        return file.read(limit)


def _printable(text: str) -> str:
    """A file name without what a terminal or a page could obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def choose(author, collected: Collected, wanted: str) -> tuple[bytes, tuple[Repair, ...]] | Unreadable:
    """Find the notebook that is meant among those that were handed in.

    Parameters
    ----------
    author : nbformat.NotebookNode
        As in `repair`.
    collected : Collected
    wanted : str
        Name of the notebook.

    Returns
    -------
    content, repairs
        The notebook's bytes and what was put right; or `Unreadable` if none can be meant.
    """
    if wanted in collected.notebooks:
        return collected.notebooks[wanted], ()
    if not collected.notebooks:
        return Unreadable("no notebook", f"No {wanted} was handed in, nor any other notebook.")
    scored = []
    for name, content in collected.notebooks.items():
        cells = _read_cells(content)
        familiar = 0 if isinstance(cells, Unreadable) else _familiar_cells(author, cells)
        scored.append((familiar, SequenceMatcher(None, Path(wanted).stem, Path(name).stem).ratio(), name))
    familiar, likeness, name = max(scored)
    if not familiar and likeness < _NAME_LIKENESS:
        others = ", ".join(_printable(name) for name in sorted(collected.notebooks))
        return Unreadable(
            "no notebook",
            f"No {wanted} was handed in, and no other notebook looks like it ({others}). "
            f"Hand yours in under the name {wanted}.",
        )
    words = f"Your notebook is called {_printable(name)} instead of {wanted}; it was graded under its right name."
    return collected.notebooks[name], (Repair("renamed", "", words),)


def _familiar_cells(author, cells: list[_Cell]) -> int:
    """How many of the author's cells a submission holds, by any sign."""
    grade_ids = {cell.grade_id for cell in cells} - {""}
    cell_ids = {cell.cell_id for cell in cells} - {""}
    texts = {cell.text for cell in cells} - {""}
    return sum(
        _grade_id(cell) in grade_ids or cell.get("id") in cell_ids or _normalised(visible_source(cell)) in texts
        for cell in author.cells
    )


# -- from bytes to cells ------------------------------------------------------------------------------------------


def _read_cells(content: bytes) -> list[_Cell] | Unreadable:
    """The cells of a notebook of any format since 2012, whatever else is in it."""
    if len(content) > NOTEBOOK_LIMIT:
        return Unreadable(
            "too large",
            f"The notebook has more than {NOTEBOOK_LIMIT // 1_000_000} MB. Clear its outputs (in JupyterLab: Kernel, "
            "Restart Kernel and Clear Outputs), save it, and hand it in again.",
        )
    again = "Open it in JupyterLab; if it does not open there, hand in a copy that does."
    if not content.strip(b"\x00\xef\xbb\xbf \t\r\n"):
        return Unreadable("unreadable", f"The notebook is an empty file. {again}")
    if content.count(b"[") + content.count(b"{") > BRACKET_LIMIT:
        return Unreadable("too large", f"The notebook holds more than {BRACKET_LIMIT} lists. {again}")
    try:
        # A byte-order mark, or Windows' UTF-16, is no reason to fail anybody.
        text = content.decode(json.detect_encoding(content))
        parsed = json.loads(text)
    except RecursionError:
        return Unreadable("unreadable", f"The notebook is nested too deeply to be one. {again}")
    except UnicodeDecodeError:
        return Unreadable("unreadable", f"The notebook is not a text file. {again}")
    except json.JSONDecodeError as error:
        return Unreadable(
            "unreadable", f"The notebook is damaged: its JSON ends or breaks in line {error.lineno}. {again}"
        )
    except ValueError:  # an integer of thousands of digits
        return Unreadable("unreadable", f"The notebook holds a number that cannot be read. {again}")
    if not isinstance(parsed, dict):
        return Unreadable("unreadable", f"The file is JSON, but no notebook. {again}")
    if _deeper_than(parsed, DEPTH_LIMIT):
        return Unreadable("unreadable", f"The notebook is nested too deeply to be one. {again}")
    raw = parsed.get("cells")
    if raw is None and isinstance(parsed.get("worksheets"), list):
        # Format 3, before 2015: cells lie in worksheets.
        sheets = [sheet.get("cells") for sheet in parsed["worksheets"] if isinstance(sheet, dict)]
        raw = [cell for cells in sheets if isinstance(cells, list) for cell in cells]
    if not isinstance(raw, list):
        return Unreadable("unreadable", f"The file is JSON, but no notebook: it has no cells. {again}")
    if len(raw) > CELL_LIMIT:
        return Unreadable("too large", f"The notebook has {len(raw)} cells; {CELL_LIMIT} are the most.")
    cells = [_read_cell(position, cell) for position, cell in enumerate(raw) if isinstance(cell, dict)]
    cells = [cell for cell in cells if cell is not None]
    if sum(len(cell.source) for cell in cells) > TEXT_LIMIT:
        return Unreadable("too large", f"The cells hold more than {TEXT_LIMIT // 1_000_000} million characters.")
    return cells


def _deeper_than(content, limit: int) -> bool:
    level = [content]
    for _ in range(limit):
        below = []
        for item in level:
            children = item.values() if isinstance(item, dict) else item
            below += [child for child in children if isinstance(child, dict | list)]
        if not below:
            return False
        level = below
    return True


def _read_cell(position: int, raw: dict) -> _Cell | None:
    kind = raw.get("cell_type")
    source = raw.get("source", raw.get("input", ""))  # format 3 calls it input in code cells
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    if not isinstance(source, str) or not isinstance(kind, str):
        return None
    if kind == "heading":
        level = raw.get("level")
        kind, source = "markdown", "#" * (level if level in range(1, 7) else 1) + " " + source
    metadata = raw.get("metadata")
    grading = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = grading.get("grade_id") if isinstance(grading, dict) else None
    # Colab keeps the cell's id in the metadata.
    cell_id = raw.get("id") or (metadata.get("id") if isinstance(metadata, dict) else None)
    return _Cell(
        position,
        kind if kind in {"code", "markdown"} else "raw",
        _NOT_STORABLE.sub("�", source.replace("\r\n", "\n")),
        grade_id if isinstance(grade_id, str) else "",
        cell_id if isinstance(cell_id, str) else "",
        _read_attachments(raw.get("attachments")),
    )


def _read_attachments(raw) -> dict:
    """Pictures that were pasted into a text; a written answer may rest on them."""
    kept = {}
    for name, bundle in raw.items() if isinstance(raw, dict) else ():
        if isinstance(bundle, dict):
            pictures = {
                kind: "".join(data) if isinstance(data, list) and all(isinstance(x, str) for x in data) else data
                for kind, data in bundle.items()
                if kind in _IMAGE_KINDS
            }
            kept[_NOT_STORABLE.sub("�", name)] = {
                kind: _NOT_STORABLE.sub("�", data) for kind, data in pictures.items() if isinstance(data, str)
            }
    return {name: bundle for name, bundle in kept.items() if bundle}


# -- from cells to the notebook that runs -------------------------------------------------------------------------


def repair(author, submitted: bytes) -> Repaired | Unreadable:
    """Make a notebook that can be run of what a student handed in.

    Parameters
    ----------
    author : nbformat.NotebookNode
        The author's notebook as it is graded: stubs where the solutions were, tests with or without their hidden part.
    submitted : bytes
        The handed-in file.

    Returns
    -------
    Repaired or Unreadable
        Never an exception, whatever the bytes are.

    Examples
    --------
    >>> from nbformat.v4 import new_code_cell, new_notebook, writes
    >>> stub = {"nbgrader": {"grade_id": "mean-answer", "solution": True, "grade": False, "locked": False}}
    >>> author = new_notebook(cells=[new_code_cell("# YOUR CODE HERE", metadata=stub, id="a")])
    >>> copied = new_notebook(cells=[new_code_cell(text, metadata=stub) for text in ("mean = 1", "mean = 2")])
    >>> repaired = repair(author, writes(copied).encode())
    >>> [cell.source for cell in repaired.notebook.cells]
    ['mean = 1', 'mean = 2']
    >>> print(repaired.repairs[0].words)
    The answer cell mean-answer was there 2 times; the last one in which you wrote counts.
    >>> repair(author, b'{"cells": [').reason
    'unreadable'
    """
    cells = _read_cells(submitted)
    if isinstance(cells, Unreadable):
        return cells
    matching = _Matching(author, cells)
    matching.match()
    return matching.result()


def visible_source(cell) -> str:
    """Return a cell's text as students see it: without hidden tests and mark schemes.

    Parameters
    ----------
    cell : nbformat.NotebookNode
        Of the author's notebook.
    """
    if not _is_locked(cell):
        return cell.source  # in an answer such markers mean nothing
    kept, end = [], None
    for line in cell.source.split("\n"):
        if end is not None:
            end = None if end in line else end
            continue
        end = next((end for begin, end in _REGIONS if begin in line), None)
        if end is None:
            kept.append(line)
    return "\n".join(kept)


def _grading(cell) -> dict:
    return cell.metadata.get("nbgrader") or {}


def _grade_id(cell) -> str:
    return _grading(cell).get("grade_id") or ""


def _is_answer(cell) -> bool:
    return bool(_grading(cell).get("solution"))


def _is_locked(cell) -> bool:
    """Whether the author's text counts whatever was handed in (nbgrader's own rule)."""
    grading = _grading(cell)
    return not grading.get("solution") and bool(grading.get("grade") or grading.get("task") or grading.get("locked"))


class _Matching:
    """Who is who: the author's cells (by index) and the handed-in ones."""

    def __init__(self, author, cells: list[_Cell]):
        self.author = author
        self.cells = cells
        self.text = [visible_source(cell) for cell in author.cells]
        #: The handed-in cells that together are one of the author's; more than one if it had been cut.
        self.matched: dict[int, list[_Cell]] = {}
        self.free = list(cells)
        self.repairs: list[Repair] = []
        self.found_again: list[str] = []

    def match(self) -> None:
        self._by_grade_id()
        self._by_cell_id()
        self._by_text()
        self._by_likeness()
        self._by_place()
        self._rejoin_with_neighbours()

    # Each step takes cells out of `free`.

    def _take(self, index: int, cells: list[_Cell]) -> None:
        self.matched[index] = cells
        self.free = [cell for cell in self.free if cell not in cells]

    def _by_grade_id(self) -> None:
        for index, cell in enumerate(self.author.cells):
            grade_id = _grade_id(cell)
            claims = [one for one in self.free if one.grade_id == grade_id] if grade_id else []
            if not claims:
                continue
            if _is_answer(cell):
                self._choose_answer(index, claims)
                continue
            if len(claims) > 1:
                self._say("deduplicated", grade_id, f"The cell {grade_id} was there {len(claims)} times; it runs once.")
            self._take(index, claims[-1:])
            # The other copies of a test or of a locked cell say nothing that is the student's.
            self.free = [one for one in self.free if one not in claims]

    def _choose_answer(self, index: int, claims: list[_Cell]) -> None:
        grade_id = _grade_id(self.author.cells[index])
        written = [one for one in claims if not self._is_stub(index, one)] or claims[-1:]
        groups: list[list[_Cell]] = []
        for one in written:
            if groups and one.position == groups[-1][-1].position + 1 and _belong_together(groups[-1], one):
                groups[-1].append(one)
            else:
                groups.append([one])
        names = _defined_names(self.text[index])
        fitting = [group for group in groups if any(names & one.names for one in group)] or groups
        chosen = fitting[-1]
        if len(chosen) > 1:
            words = f"The answer cell {grade_id} had been cut into {len(chosen)} cells; they were joined again."
            self._say("rejoined", grade_id, words)
        copies = len(claims) - len(chosen) + 1
        if copies > 1:
            words = f"The answer cell {grade_id} was there {copies} times; the last one in which you wrote counts."
            self._say("deduplicated", grade_id, words)
        self._take(index, chosen)
        # Untouched copies would overwrite the answer with the empty one; others stay as cells of the student's own.
        self.free = [one for one in self.free if one not in claims or one in written]

    def _is_stub(self, index: int, cell: _Cell) -> bool:
        return cell.text == _normalised(self.text[index])

    def _open(self) -> list[int]:
        return [index for index in range(len(self.author.cells)) if index not in self.matched]

    def _by_cell_id(self) -> None:
        by_id: dict[str, list[_Cell]] = {}
        for one in self.free:
            by_id.setdefault(one.cell_id, []).append(one)
        for index in self._open():
            claims = by_id.get(self.author.cells[index].get("id") or "\0", [])
            if len(claims) == 1:
                self._take(index, claims)
                self._found_again(index)

    def _by_text(self) -> None:
        places: dict[str, list[_Cell]] = {}
        for one in self.free:
            places.setdefault(one.text, []).append(one)
        for index in self._open():
            claims = places.get(_normalised(self.text[index]), [])
            if claims:
                self._take(index, [claims.pop(0)])
                self._found_again(index)
                if _is_locked(self.author.cells[index]):
                    self.free = [one for one in self.free if one not in claims]

    def _by_likeness(self) -> None:
        """Cells with a text of the author's that was changed a little; stubs are too short to be recognised so."""
        pairs = []
        for index in self._open():
            cell, words = self.author.cells[index], _words(self.text[index])
            if _is_answer(cell):
                continue
            for one in self.free:
                likeness = _likeness(words, one.words) if one.kind == cell.cell_type else 0.0
                if likeness >= _LIKENESS:
                    pairs.append((-likeness, index, one.position, one))
        for _, index, _, one in sorted(pairs):
            if index not in self.matched and one in self.free:
                self._take(index, [one])
                self._found_again(index)

    def _by_place(self) -> None:
        """Answers: the cell that defines what the stub defines, else the one between the right neighbours."""
        for index in self._open():
            cell = self.author.cells[index]
            if not _is_answer(cell):
                continue
            names = _defined_names(self.text[index])
            candidates = [one for one in self.free if names & one.names]
            if not candidates:
                before, after = self._neighbours(index)
                candidates = [one for one in self.free if before < one.position < after and one.text]
                candidates = [one for one in candidates if one.kind == cell.cell_type] or candidates
                words = _words(self.text[index])
                candidates.sort(key=lambda one: (_likeness(words, one.words), one.position))
            if candidates:
                self._take(index, candidates[-1:])
                self._found_again(index)

    def _neighbours(self, index: int) -> tuple[float, float]:
        """Where in the submission the nearest matched cells before and after this one of the author's stand."""
        before = next((self.matched[k][-1].position for k in range(index - 1, -1, -1) if k in self.matched), -1)
        last = len(self.author.cells)
        after = next((self.matched[k][0].position for k in range(index + 1, last) if k in self.matched), float("inf"))
        return before, after

    def _rejoin_with_neighbours(self) -> None:
        """The second half of a cut answer may have lost its metadata: alone it is no Python, together they are."""
        by_position = {one.position: one for one in self.free}
        for index, parts in list(self.matched.items()):
            cell = self.author.cells[index]
            following = by_position.get(parts[-1].position + 1)
            if not _is_answer(cell) or cell.cell_type != "code" or following is None:
                continue
            halves = [_joined(parts), following.source]
            if not all(map(_compiles, halves)) and _compiles("\n".join(halves)):
                self._take(index, [*parts, following])
                grade_id = _grade_id(cell)
                words = f"The answer cell {grade_id} had been cut into {len(parts) + 1} cells; they were joined again."
                self._say("rejoined", grade_id, words)

    def _found_again(self, index: int) -> None:
        grade_id = _grade_id(self.author.cells[index])
        if grade_id:
            self.found_again.append(grade_id)

    def _say(self, kind: str, grade_id: str, words: str) -> None:
        self.repairs.append(Repair(kind, grade_id, words))

    # What comes out.

    def result(self) -> Repaired:
        import nbformat

        notebook = nbformat.v4.new_notebook(metadata=copy.deepcopy(self.author.metadata))
        own = self._own_cells()
        notebook.cells += own[-1]
        for index, cell in enumerate(self.author.cells):
            notebook.cells.append(self._cell(index, cell))
            notebook.cells += own[index]
        self._say_what_moved()
        if self.found_again:
            shown = ", ".join(self.found_again[:6]) + (" ..." if len(self.found_again) > 6 else "")
            words = (
                f"{len(self.found_again)} cells had lost the marks that tie them to their tasks (Colab and VS Code do "
                f"that, and so does retyping a cell); they were recognised by their text and place: {shown}."
            )
            self._say("rematched", "", words)
        return Repaired(notebook, tuple(self.repairs))

    def _own_cells(self) -> dict[int, list]:
        """The student's own cells, each behind the author's cell that it followed (-1: before the first)."""
        own = {index: [] for index in range(-1, len(self.author.cells))}
        index_at = sorted((one.position, index) for index, parts in self.matched.items() for one in parts)
        positions = [position for position, _ in index_at]
        for number, one in enumerate(self.free, start=1):
            before = bisect.bisect(positions, one.position)
            own[index_at[before - 1][1] if before else -1].append(_new_cell(one.kind, one, f"own-{number}", {}))
        return own

    def _cell(self, index: int, cell):
        """One cell of the author's notebook, with the student's text if that counts."""
        grade_id = _grade_id(cell)
        parts = self.matched.get(index)
        metadata = copy.deepcopy(cell.metadata)
        cell_id = cell.get("id") or f"author-{index}"
        if _is_locked(cell):
            if parts is None:
                if grade_id:
                    self._say("restored", grade_id, f"The cell {grade_id} was missing and was put back.")
            elif parts[0].kind != cell.cell_type:
                self._say("retyped", grade_id, f"The cell {grade_id} was no {cell.cell_type} cell any more; now it is.")
            elif parts[0].text not in {_normalised(self.text[index]), _normalised(cell.source)}:
                self._say("restored", grade_id, f"The cell {grade_id} had been changed; the released text was used.")
            return _new_cell(cell.cell_type, _author_cell(cell, self.text[index]), cell_id, metadata)
        if parts is None:
            if _is_answer(cell):
                words = f"The answer cell {grade_id} was missing; its task is graded as not answered."
                self._say("restored", grade_id, words)
            return _new_cell(cell.cell_type, _author_cell(cell, cell.source), cell_id, metadata)
        if not grade_id:  # who turns one of the author's examples into text does not want it to run
            return _new_cell(parts[0].kind, parts, cell_id, metadata)
        if parts[0].kind != cell.cell_type:
            words = f"The answer cell {grade_id} was no {cell.cell_type} cell any more; it was read as one."
            self._say("retyped", grade_id, words)
        return _new_cell(cell.cell_type, parts, cell_id, metadata)

    def _say_what_moved(self) -> None:
        """Name the fewest cells whose move explains the order."""
        graded = {index: parts for index, parts in self.matched.items() if _grade_id(self.author.cells[index])}
        indices = sorted(graded, key=lambda index: graded[index][0].position)
        moved = sorted(set(indices) - set(_longest_increasing(indices)))
        for index in moved:
            grade_id = _grade_id(self.author.cells[index])
            self._say("reordered", grade_id, f"The cell {grade_id} stood elsewhere; it was put back in its place.")


def _author_cell(cell, source: str) -> _Cell:
    return _Cell(-1, cell.cell_type, source, "", "", dict(cell.get("attachments") or {}))


def _new_cell(kind: str, content, cell_id: str, metadata):
    """A clean cell: nothing of the submission gets in but text and pasted pictures."""
    import nbformat

    parts = content if isinstance(content, list) else [content]
    new = {
        "code": nbformat.v4.new_code_cell,
        "markdown": nbformat.v4.new_markdown_cell,
        "raw": nbformat.v4.new_raw_cell,
    }[kind]
    cell = new(_joined(parts), id=cell_id, metadata=metadata)
    attachments = {name: bundle for one in parts for name, bundle in one.attachments.items()}
    if attachments and kind == "markdown":
        cell.attachments = nbformat.from_dict(attachments)
    return cell


def _joined(parts: list[_Cell]) -> str:
    return "\n".join(one.source for one in parts)


def _belong_together(parts: list[_Cell], following: _Cell) -> bool:
    """Whether the next cell goes on where these end, instead of being a second try.

    Two tries name the same things; the halves of one answer do not.
    """
    if following.kind != parts[0].kind or len(parts) >= _MOST_PARTS or any(one.text == following.text for one in parts):
        return False
    if following.kind != "code":
        return all(_likeness(one.words, following.words) < _LIKENESS for one in parts)
    return not any(one.names & following.names for one in parts)


def _normalised(source: str) -> str:
    """Text without what editors change on their own: spaces at the ends of lines, empty lines around."""
    return "\n".join(line.rstrip() for line in source.strip().split("\n"))


def _words(source: str) -> Counter:
    return Counter(_WORD.findall(_STUB.sub("", source[:_COMPARED_CHARACTERS])))


def _likeness(first: Counter, second: Counter) -> float:
    """Share of words that two texts have in common, 0 to 1 (Dice); linear in their length, unlike difflib."""
    shorter, longer = sorted((first.total(), second.total()))
    # Of different lengths they cannot be alike: most pairs end here, so that thousands of cells take no time.
    if not shorter or 2 * shorter / (shorter + longer) < _LIKENESS / 2:
        return 0.0
    return 2 * (first & second).total() / (shorter + longer)


def _defined_names(source: str) -> set[str]:
    """Names that a cell defines at its top level."""
    return {name for groups in _DEFINITION.findall(source[:_COMPILED_CHARACTERS]) for name in groups if name}


def _compiles(source: str) -> bool:
    if len(source) > _COMPILED_CHARACTERS:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape is the student's affair
            ast.parse(_MAGIC.sub("", source))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return True


def _longest_increasing(numbers: list[int]) -> list[int]:
    """A longest increasing part of a sequence of different numbers (patience sorting)."""
    tails: list[int] = []
    tail_at: list[int] = []
    previous: list[int] = []
    for position, number in enumerate(numbers):
        length = bisect.bisect_left(tails, number)
        tails[length : length + 1] = [number]
        tail_at[length : length + 1] = [position]
        previous.append(tail_at[length - 1] if length else -1)
    found, position = [], tail_at[-1] if tail_at else -1
    while position >= 0:
        found.append(numbers[position])
        position = previous[position]
    return found[::-1]
