"""The problem sets: where their sources are, what tasks they hold, and their nbgrader source notebooks.

A problem set is one edited file ``exNN_M_slug.md`` (MyST Markdown with nbgrader metadata, solutions, hidden
tests and mark schemes). Everything else is built from it.

Grade ids follow one rule, which is all that ties cells together: the part before the first hyphen names the
task. ``prepare-answer`` is an answer cell of the task ``prepare``, ``prepare-test-labels`` one of its tests.
"""

from __future__ import annotations

import difflib
import os
import pathlib
import re
from dataclasses import dataclass

from autograder.errors import CourseError

#: A private folder of problem sets, used instead of the bundled ones when this variable is set.
ENVIRONMENT_VARIABLE = "COURSE_ASSIGNMENTS_DIR"

_BUNDLED = pathlib.Path(__file__).parent / "assignments"
_FILE_NAME = re.compile(r"(ex(\d\d)_(\d+))_[a-z0-9_]+\.md")
_ASKED = re.compile(r"(?:ex)?0*(\d+)[._](\d+)")


class ProblemSetNotFound(CourseError):
    """No problem set has the name that was asked for."""


class BrokenProblemSet(CourseError):
    """The file of a problem set breaks a rule that nbgrader or the course relies on."""


@dataclass(frozen=True)
class ProblemSet:
    """One problem set.

    Attributes
    ----------
    name : str
        Short name, also the nbgrader assignment, for example ``"ex08_1"``.
    slug : str
        Name of the file without its ending, also the name of the notebook.
    path : pathlib.Path
        The edited MyST Markdown file.
    title : str
        Its first heading.
    """

    name: str
    slug: str
    path: pathlib.Path
    title: str


@dataclass(frozen=True)
class Task:
    """One task of a problem set.

    Attributes
    ----------
    name : str
        What stands before the first hyphen in the grade ids of its cells.
    answer_cells : tuple of str
        Grade ids of the cells in which the student writes.
    test_cells : tuple of str
        Grade ids of the automatic tests, in order; empty for a manual task.
    points : float
        Most points that the task can give.
    manual : bool
        Whether a person grades it.
    """

    name: str
    answer_cells: tuple[str, ...]
    test_cells: tuple[str, ...]
    points: float
    manual: bool


def assignments_folder() -> pathlib.Path:
    """Return the folder that the problem sets are read from.

    Returns
    -------
    pathlib.Path
        ``COURSE_ASSIGNMENTS_DIR`` when it is set, else the folder inside this package.

    Raises
    ------
    ProblemSetNotFound
        If the variable names something that is not a folder.

    Examples
    --------
    >>> assignments_folder().name
    'assignments'
    """
    private = os.environ.get(ENVIRONMENT_VARIABLE)
    if not private:
        return _BUNDLED
    folder = pathlib.Path(private).expanduser()
    if not folder.is_dir():
        raise ProblemSetNotFound(
            f"{ENVIRONMENT_VARIABLE} must name a folder with problem sets, but {private!r} is none: "
            f"correct it, or unset it to use the bundled ones."
        )
    return folder


def all_problem_sets() -> list[ProblemSet]:
    """Return every problem set, in the order of chapters and exercises.

    Returns
    -------
    list of ProblemSet

    Raises
    ------
    BrokenProblemSet
        If two files claim the same exercise, or a file has no heading.

    Examples
    --------
    >>> "ex08_1" in [problem_set.name for problem_set in all_problem_sets()]
    True
    """
    found: dict[str, ProblemSet] = {}
    for path in sorted(assignments_folder().glob("ex*.md")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None:
            raise BrokenProblemSet(
                f"{path.name}: a problem set is called exNN_M_slug.md (chapter in two digits, number of the "
                f"exercise, lower-case words joined by _): rename it."
            )
        name = match[1]
        if name in found:
            raise BrokenProblemSet(
                f"{path.name} and {found[name].path.name} both claim {name}: give one another number."
            )
        found[name] = ProblemSet(name=name, slug=path.stem, path=path, title=_title(path))
    return sorted(found.values(), key=lambda problem_set: _number(problem_set.name))


def find(exercise: str) -> ProblemSet:
    """Return the problem set of an exercise.

    Parameters
    ----------
    exercise : str
        Any usual spelling: ``"8.1"``, ``"ex08_1"``, ``"08_1"`` or the whole slug.

    Returns
    -------
    ProblemSet

    Raises
    ------
    ProblemSetNotFound
        If there is none; the message lists the known ones and the nearest guess.

    Examples
    --------
    >>> find("8.1").slug
    'ex08_1_magnetic_phases_cnn'
    >>> find("08_1") == find("ex08_1") == find("ex08_1_magnetic_phases_cnn")
    True
    """
    known = all_problem_sets()
    asked = exercise.strip().removesuffix(".md").removesuffix(".ipynb")
    number = _ASKED.fullmatch(asked)
    for problem_set in known:
        if asked in (problem_set.name, problem_set.slug):
            return problem_set
        if number and _number(problem_set.name) == (int(number[1]), int(number[2])):
            return problem_set
    names = {spelling: item.name for item in known for spelling in (item.name, item.slug, _dotted(item.name))}
    # A low cut-off: whoever mistypes a name is helped more by a far guess than by none.
    guess = difflib.get_close_matches(asked, names, n=1, cutoff=0.4)
    meant = f" Did you mean {names[guess[0]]}?" if guess else ""
    listing = ", ".join(f"{item.name} ({item.title})" for item in known) or "none"
    raise ProblemSetNotFound(f"No exercise {exercise!r}.{meant} Known: {listing}.")


def build_source(problem_set: ProblemSet, target_path: str | os.PathLike) -> pathlib.Path:
    """Write the nbgrader source notebook of a problem set, solutions and hidden tests included.

    The same file gives the same bytes. Only this notebook belongs into nbgrader's ``source/``: the ``.md``
    beside it would be copied into the release with its solutions.

    Parameters
    ----------
    problem_set : ProblemSet
    target_path : path
        The ``.ipynb`` to write; folders are made, an existing file is replaced.

    Returns
    -------
    pathlib.Path
        What was written.

    Raises
    ------
    CourseError
        If the target is not called ``.ipynb``, or the file is no MyST notebook.
    BrokenProblemSet
        If the file breaks a rule (see `tasks`).

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     build_source(find("8.1"), pathlib.Path(folder) / "ex08_1" / "cnn.ipynb").name
    'cnn.ipynb'
    """
    target = pathlib.Path(target_path)
    if target.suffix != ".ipynb":
        raise CourseError(f"The source notebook must end in .ipynb, not {target.suffix!r} ({target.name}).")
    from autograder.notebook_building import build_notebook

    tasks(problem_set)  # refuse to build what could not be graded
    text = build_notebook(problem_set.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return target


def tasks(problem_set: ProblemSet) -> list[Task]:
    """Return the tasks of a problem set in the order in which they stand.

    Parameters
    ----------
    problem_set : ProblemSet

    Returns
    -------
    list of Task

    Raises
    ------
    BrokenProblemSet
        If a grade id stands twice, a task mixes manual and automatic points, an automatic task has no answer
        cell, or a Markdown answer is graded in the cell that holds its question (nbgrader would erase it).

    Examples
    --------
    >>> [task.name for task in tasks(find("8.1")) if task.manual][-1]
    'interpretation'
    """
    answers: dict[str, list[str]] = {}
    tests: dict[str, list[str]] = {}
    points: dict[str, float] = {}
    manual: dict[str, bool] = {}
    seen: set[str] = set()
    for cell in _read(problem_set.path).cells:
        grading = cell.metadata.get("nbgrader")
        if grading is None:
            continue
        grade_id = grading["grade_id"]
        if grade_id in seen:
            raise BrokenProblemSet(f"{problem_set.path.name}: grade id {grade_id!r} stands twice; rename one.")
        seen.add(grade_id)
        # nbgrader's form of a task for a person is task without grade: with both it counts the points twice.
        is_task, solution = grading.get("task", False), grading.get("solution", False)
        if is_task and grading.get("grade", False):
            raise BrokenProblemSet(
                f"{problem_set.path.name}: cell {grade_id!r} is a task and graded too, so that its points would count "
                "twice; set 'grade: false'."
            )
        graded = is_task or grading.get("grade", False)
        by_hand = is_task or (graded and solution)
        if not (graded or solution):
            continue
        name = grade_id.split("-", 1)[0]
        answers.setdefault(name, [])
        tests.setdefault(name, [])
        points.setdefault(name, 0.0)
        if solution:
            answers[name].append(grade_id)
        if graded:
            points[name] += float(grading["points"])
            if manual.setdefault(name, by_hand) != by_hand:
                raise BrokenProblemSet(
                    f"{problem_set.path.name}: task {name!r} has automatic and manual points; split it."
                )
            if not by_hand:
                tests[name].append(grade_id)
    for name in answers:
        if name not in manual:
            raise BrokenProblemSet(
                f"{problem_set.path.name}: nothing gives points for the answer cells of task {name!r}; add a "
                f"test cell whose grade id starts with '{name}-'."
            )
        if not manual[name] and not answers[name]:
            raise BrokenProblemSet(
                f"{problem_set.path.name}: the tests of task {name!r} belong to no answer cell; the part "
                f"of the grade ids before the first hyphen must agree."
            )
    return [Task(name, tuple(answers[name]), tuple(tests[name]), points[name], manual[name]) for name in answers]


def _title(path: pathlib.Path) -> str:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            return line[2:].strip()
    raise BrokenProblemSet(f"{path.name}: the first heading ('# Title') is missing.")


def _number(name: str) -> tuple[int, int]:
    chapter, exercise = name.removeprefix("ex").split("_")
    return int(chapter), int(exercise)


def _dotted(name: str) -> str:
    return "{}.{}".format(*_number(name))


def _read(path: pathlib.Path):
    import jupytext

    return jupytext.read(path, fmt="md:myst")
