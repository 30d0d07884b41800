"""The author's gate: proves that a problem set marks right answers right and wrong answers wrong.

Every problem set must hold, before any student sees it:

- its own solution gets all automatic points, within the CPU budget of one submission;
- the untouched release gets none;
- every mutant (a wrong answer that students really write) loses points of the task it gets wrong, and only there;
- every alternate (a right answer written differently) keeps all of them;
- no line of a solution, a hidden test or a mark scheme stands in the release.

A mutant or an alternate is a Python file: a docstring that says what it is, then the replacements of answer
cells, each below a line ``# %% grade_id: <id>``; answer cells that it does not name keep the author's solution::

    '''exercise: ex08_1
    task: accuracy
    loses: all
    may also lose: comparison

    Averages the predicted probability: a sure network then looks like a right one.
    '''
    # %% grade_id: accuracy-answer
    def accuracy_vs_T(...): ...

``loses: all`` asks that nothing is left of the task's points, ``loses: part`` that some are gone. Tasks that build
on a wrong answer may suffer: ``may also lose`` names them. An alternate has the line ``exercise`` only.

Everything goes through `autograder.grading_run.Grader`, as submissions do: what is proven here is what grades.
Warnings and other output never cost marks.

A variant runs as far as its change reaches (`autograder.influence`): tests that cannot see the change count as in the
solution. Before a violation is reported, the whole variant is run. ``full=True`` runs everything at once.

Run ``python -m autograder.gate ex08_1`` for a table; the exit status is 1 when anything is violated.
"""

from __future__ import annotations

import ast
import concurrent.futures
import copy
import functools
import json
import os
import pathlib
import re
import sys
import tempfile
from dataclasses import asdict, dataclass, field, replace

from autograder import influence, problem_sets
from autograder.errors import CourseError
from autograder.problem_sets import ProblemSet, Task
from autograder.repository import find_repository

#: CPU seconds that the solution of one submission may cost, its tests included.
CPU_BUDGET_S = 30.0
#: Wall seconds after which a notebook is stopped, busy machine or not.
WALL_LIMIT_S = 600.0
#: Notebooks that run at the same time.
PARALLEL = 2

_MARKERS = (
    ("solution", "BEGIN SOLUTION", "END SOLUTION"),
    ("hidden test", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"),
    ("mark scheme", "BEGIN MARK SCHEME", "END MARK SCHEME"),
)
# A line that looks like a marker: one that nbgrader did not understand would let its region through.
_MARKER_LIKE = re.compile(r"^\s*[#=]{2,}\s*(BEGIN|END)\b", re.IGNORECASE)
# Shorter lines ("else:", "return total") say nothing about an answer.
_TELLING_LENGTH = 24
_BLOCK = re.compile(r"^# %% grade_id: *(\S+) *$", re.MULTILINE)
_MESSAGE_LIMIT = 600


class GateError(CourseError):
    """The gate cannot run: a file beside the problem set breaks its format."""


@dataclass(frozen=True)
class Variant:
    """A mutant or an alternate, as read from its file.

    Attributes
    ----------
    name : str
        Name of the file without its ending.
    answers : dict
        Replacement source of answer cells, by grade id.
    task : str or None
        The task that a mutant gets wrong; None for an alternate.
    loses : str or None
        ``"all"`` or ``"part"`` of the task's points; None for an alternate.
    may_also_lose : tuple of str
        Tasks that build on the wrong answer.
    """

    name: str
    answers: dict[str, str]
    task: str | None = None
    loses: str | None = None
    may_also_lose: tuple[str, ...] = ()


@dataclass
class Result:
    """Outcome of one test cell: ``status`` is a value of `autograder.results.Status`.

    ``made`` is False if it was taken over from the solution, because the test cannot see what is different.
    """

    grade_id: str
    task: str
    status: str
    points: float
    max_points: float
    message: str = ""
    made: bool = True


@dataclass
class Run:
    """One executed notebook: ``kind`` is solution, untouched, mutant or alternate."""

    name: str
    kind: str
    results: list[Result] = field(default_factory=list)
    cpu_s: float = 0.0
    wall_s: float = 0.0
    peak_memory_mb: float = 0.0
    violations: list[str] = field(default_factory=list)

    @property
    def points(self) -> float:
        return sum(result.points for result in self.results)

    @property
    def max_points(self) -> float:
        return sum(result.max_points for result in self.results)

    def task_points(self, task: str) -> tuple[float, float]:
        """Points reached and reachable in one task."""
        mine = [result for result in self.results if result.task == task]
        return sum(result.points for result in mine), sum(result.max_points for result in mine)


@dataclass
class GateReport:
    """What the gate found for one problem set."""

    exercise: str
    runs: list[Run]
    leaks: list[str]
    violations: list[str]

    @property
    def passed(self) -> bool:
        return not self.violations


def check(
    exercise: str,
    *,
    tests_folder: str | os.PathLike | None = None,
    cpu_budget_s: float = CPU_BUDGET_S,
    wall_limit_s: float = WALL_LIMIT_S,
    full: bool = False,
    on_run=None,
) -> GateReport:
    """Put one problem set through the gate.

    Parameters
    ----------
    exercise : str
        Name of the exercise, in any spelling that `autograder.problem_sets.find` knows.
    tests_folder : path, optional
        Holds ``mutants/<exercise>/*.py`` and ``alternates/<exercise>/*.py``. Default: ``tests`` of the
        repository, or of the folder ``COURSE_ASSIGNMENTS_DIR`` when that is set.
    cpu_budget_s : float
        CPU seconds that the solution may cost, its tests included; the import of TensorFlow is not.
    wall_limit_s : float
        Wall seconds after which one notebook is stopped; its tests that have not reported get nothing.
    full : bool
        Whether to run every variant from top to bottom, instead of as far as its change reaches.
    on_run : callable, optional
        Called with each finished `Run`, for a progress display.

    Returns
    -------
    GateReport
        ``report.passed`` is False and ``report.violations`` says why if any rule is broken.

    Raises
    ------
    ProblemSetNotFound
        If there is no such exercise.
    BrokenProblemSet
        If its file breaks a rule of grade ids or points.
    GateError
        If a mutant or an alternate breaks its format.

    Notes
    -----
    Ctrl-C stops the running notebooks and comes through as KeyboardInterrupt.
    """
    problem_set = problem_sets.find(exercise)
    task_list = problem_sets.tasks(problem_set)
    source = source_notebook(problem_set)
    release = release_notebook(source)
    folder = pathlib.Path(tests_folder) if tests_folder else _default_tests_folder()
    mutants = read_variants(folder / "mutants" / problem_set.name, problem_set, task_list, mutants=True)
    alternates = read_variants(folder / "alternates" / problem_set.name, problem_set, task_list, mutants=False)

    solution = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in source.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    jobs = [_Job("solution", "solution", solution), _Job("untouched release", "untouched", {})]
    for kind, variants in (("alternate", alternates), ("mutant", mutants)):
        for one in variants:
            cells = None if full else _cells_to_run(source, one, task_list)
            jobs.append(_Job(one.name, kind, solution | one.answers, cells, one if kind == "mutant" else None))
    notebooks = _Notebooks(problem_set.name, graded_notebook(source), release, task_list)
    _grade_all(jobs, jobs[0], notebooks, wall_limit_s, on_run)
    for job in jobs:
        job.run.violations = _judge(job.run, task_list, job.mutant, cpu_budget_s, wall_limit_s)
    # A part of a notebook may mislead: what is reported is what happens to the whole.
    again = [job for job in jobs if job.cells is not None and job.run.violations]
    for job in again:
        job.cells = None
    _grade_all(again, jobs[0], notebooks, wall_limit_s, on_run)
    for job in again:
        job.run.violations = _judge(job.run, task_list, job.mutant, cpu_budget_s, wall_limit_s)

    runs = [job.run for job in jobs]
    leaks = find_leaks(source, release)
    violations = [f"release: {leak}" for leak in leaks]
    violations += [f"{run.kind} {run.name}: {violation}" for run in runs for violation in run.violations]
    if not mutants:
        violations.append(f"no mutant in {folder / 'mutants' / problem_set.name}: nothing shows that a test can fail")
    return GateReport(problem_set.name, runs, leaks, violations)


def _cells_to_run(source, variant, task_list):
    """Places of the cells that show what a variant changes; None for the whole notebook."""
    own_tests = tuple(grade_id for task in task_list if task.name == variant.task for grade_id in task.test_cells)
    cells = influence.cells_to_run(source.cells, variant.answers, also=own_tests)
    n_code = sum(cell.cell_type == "code" for cell in source.cells)
    return None if len(cells) == n_code else frozenset(cells)


def read_variants(
    folder: pathlib.Path, problem_set: ProblemSet, task_list: list[Task], *, mutants: bool
) -> list[Variant]:
    """Read the mutants or the alternates of a problem set.

    Parameters
    ----------
    folder : pathlib.Path
        Where they are; it may be missing.
    problem_set : ProblemSet
    task_list : list of Task
        The tasks of the problem set.
    mutants : bool
        Whether these are mutants, which name the task that they get wrong.

    Returns
    -------
    list of Variant
        In the order of the file names.

    Raises
    ------
    GateError
        If a file breaks the format, or names an exercise, a task or an answer cell that does not exist.
    """
    return [_read_variant(path, problem_set, task_list, mutants) for path in sorted(folder.glob("*.py"))]


def _read_variant(path, problem_set, task_list, is_mutant):
    text = path.read_text(encoding="utf-8")
    head, *blocks = _BLOCK.split(text)
    try:
        docstring = ast.get_docstring(ast.parse(head)) or ""
    except SyntaxError as error:
        raise GateError(f"{path.name}: what stands before the first cell must be a docstring ({error}).") from None
    header, _, reason = docstring.partition("\n\n")
    fields = dict(re.findall(r"^([a-z ]+): *(.+?) *$", header, re.MULTILINE))
    wanted = {"exercise", "task", "loses"} if is_mutant else {"exercise"}
    allowed = wanted | ({"may also lose"} if is_mutant else set())
    if not wanted <= fields.keys() <= allowed or not reason.strip():
        raise GateError(
            f"{path.name}: the docstring must give {', '.join(sorted(wanted))} (one 'key: value' a line), an empty "
            f"line, and the reason in words; it gives {', '.join(sorted(fields)) or 'none'}."
        )
    if fields["exercise"] != problem_set.name:
        raise GateError(f"{path.name}: belongs to {fields['exercise']!r} but stands with {problem_set.name!r}.")
    automatic = {task.name for task in task_list if not task.manual}
    also = tuple(name.strip() for name in fields.get("may also lose", "").split(",") if name.strip())
    for name in {fields["task"], *also} if is_mutant else ():
        if name not in automatic:
            raise GateError(f"{path.name}: no automatic task {name!r}; there are {', '.join(sorted(automatic))}.")
    if is_mutant and fields["loses"] not in {"all", "part"}:
        raise GateError(f"{path.name}: 'loses' must be all or part, not {fields['loses']!r}.")
    answers = dict(zip(blocks[::2], (body.strip("\n") for body in blocks[1::2]), strict=True))
    known = {grade_id for task in task_list for grade_id in task.answer_cells}
    if not answers or not answers.keys() <= known:
        wrong = ", ".join(sorted(answers.keys() - known)) or "no cell at all"
        raise GateError(
            f"{path.name}: replaces {wrong}; the answer cells are {', '.join(sorted(known))}. A cell begins with a "
            f"line '# %% grade_id: <id>'."
        )
    return Variant(path.stem, answers, fields.get("task"), fields.get("loses"), also)


def release_notebook(source):
    """Build what students get, by nbgrader's own preprocessors.

    Parameters
    ----------
    source : NotebookNode
        The author's notebook.

    Returns
    -------
    NotebookNode
        Without solutions, hidden tests and mark schemes. Only the step that writes the gradebook is left out.
    """
    return _preprocessed(source, _release_steps())


def graded_notebook(source):
    """Build what submissions are compared with: stubs where the solutions were, tests with their hidden part.

    Parameters
    ----------
    source : NotebookNode
        The author's notebook.

    Returns
    -------
    NotebookNode
        With the checksums by which nbgrader knows an answer that was not touched.
    """
    from nbgrader.preprocessors import SaveCells

    steps = _release_steps()
    # What comes after the gradebook is written takes the hidden tests away.
    return _preprocessed(source, steps[: steps.index(SaveCells)])


def _release_steps():
    from nbgrader.converters import GenerateAssignment

    return GenerateAssignment().preprocessors


def _preprocessed(source, steps):
    from nbgrader.preprocessors import SaveCells

    notebook, resources = copy.deepcopy(source), {}
    for preprocessor in steps:
        if preprocessor is not SaveCells:
            notebook, resources = preprocessor().preprocess(notebook, resources)
    return notebook


def find_leaks(source, release) -> list[str]:
    """Look for private lines in the release.

    Parameters
    ----------
    source, release : NotebookNode
        The author's notebook and what is made of it.

    Returns
    -------
    list of str
        One sentence a leak: telling lines of a solution anywhere in the release, of hidden tests or mark schemes
        unless the author also shows them openly, markers that nbgrader did not understand, and code that no
        longer compiles because a removed region left nothing behind.
    """
    private, public = _split_private(source)
    leaks = []
    for cell in release.cells:
        where = cell.metadata.get("nbgrader", {}).get("grade_id") or "an ungraded cell"
        for line in cell.source.splitlines():
            stripped = line.strip()
            if _MARKER_LIKE.match(line):
                leaks.append(f"{where} still has the marker {stripped!r}; check its spelling and its partner")
            for secret, kind in private.items():
                if secret in stripped and (kind == "solution" or secret not in public):
                    leaks.append(f"{where} shows the {kind} line {secret!r}")
        if cell.get("outputs"):
            leaks.append(f"{where} has outputs")
        if cell.cell_type == "code":
            try:
                compile(cell.source, where, "exec")
            except SyntaxError as error:
                leaks.append(f"{where} is no Python once the private regions are gone (line {error.lineno})")
    return leaks


def _split_private(source):
    private: dict[str, str] = {}
    public: set[str] = set()
    for cell in source.cells:
        lines = cell.source.splitlines()
        has_region = any("BEGIN SOLUTION" in line for line in lines)
        # nbgrader replaces a solution cell without markers as a whole.
        whole = cell.metadata.get("nbgrader", {}).get("solution") and not has_region
        region = None
        for line in lines:
            begins = next((kind for kind, begin, _ in _MARKERS if begin in line), None)
            if begins or any(end in line for _, _, end in _MARKERS):
                region = begins
                continue
            stripped = line.strip()
            kind = region or ("solution" if whole else None)
            if kind is None:
                public.add(stripped)
            elif len(stripped) >= _TELLING_LENGTH and not stripped.startswith(("import ", "from ")):
                private.setdefault(stripped, kind)
    return private, public


def print_report(report: GateReport, console=None) -> None:
    """Print a report as a table, followed by what was violated.

    Parameters
    ----------
    report : GateReport
    console : rich.console.Console, optional
        Where to print; the terminal by default.
    """
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = console or Console()
    table = Table(title=f"Gate of {report.exercise}", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("lost")
    table.add_column("tests", justify="right", no_wrap=True)
    table.add_column("CPU s", justify="right", no_wrap=True)
    table.add_column("MB", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for kind in dict.fromkeys(run.kind for run in report.runs):
        table.add_section()
        table.add_row(f"[bold]{kind}[/bold]")
        for run in (run for run in report.runs if run.kind == kind):
            table.add_row(
                f"  {escape(run.name)}",
                f"{run.points:g}/{run.max_points:g}",
                escape(_lost(run)),
                f"{sum(result.made for result in run.results)}/{len(run.results)}",
                f"{run.cpu_s:.1f}",
                f"{run.peak_memory_mb:.0f}",
                "[red]violated[/red]" if run.violations else "[green]ok[/green]",
            )
    console.print(table)
    if not all(result.made for run in report.runs for result in run.results):
        console.print("Tests that cannot see the change count as in the solution; --full makes them all.", style="dim")
    for violation in report.violations:
        console.print(f"[red]- {escape(violation)}[/red]")
    verdict = "[green]passed[/green]" if report.passed else f"[red]{len(report.violations)} violations[/red]"
    console.print(f"{report.exercise}: {verdict}")


def _lost(run):
    """Points lost in each task, in words."""
    losses = []
    for task in dict.fromkeys(result.task for result in run.results):
        reached, reachable = run.task_points(task)
        if reached < reachable:
            losses.append(f"{task} -{reachable - reached:g}")
    return ", ".join(losses) or "nothing"


def _judge(run, task_list, mutant, cpu_budget_s, wall_limit_s):
    found = []
    automatic = [task for task in task_list if not task.manual]
    if run.kind in {"solution", "alternate"}:
        found += [
            f"{result.grade_id} gives {result.points:g} of {result.max_points:g} ({result.status}): {result.message}"
            for result in run.results
            if result.points < result.max_points
        ]
        # An alternate may train longer: what a submission should cost is shown by the solution.
        if run.kind == "solution" and run.cpu_s > cpu_budget_s:
            found.append(
                f"costs {run.cpu_s:.1f} CPU seconds, the budget is {cpu_budget_s:g}: train on less, or test less"
            )
        return found
    if any(result.status == "timeout" for result in run.results):
        found.append(f"was stopped after {wall_limit_s:g} s: an answer must be wrong, not endless")
    if run.kind == "untouched":
        found += [
            f"{result.grade_id} gives {result.points:g} of {result.max_points:g} points for no answer"
            for result in run.results
            if result.points > 0
        ]
        return found
    for task in automatic:
        reached, reachable = run.task_points(task.name)
        if task.name == mutant.task:
            if reached >= reachable:
                found.append(f"survives: task {task.name} keeps {reached:g} of {reachable:g}")
            elif mutant.loses == "all" and reached > 0:
                found.append(f"task {task.name} must lose all, but keeps {reached:g} of {reachable:g}")
        elif task.name not in mutant.may_also_lose and reached < reachable:
            spoilt = next(
                result for result in run.results if result.task == task.name and result.points < result.max_points
            )
            found.append(
                f"also loses {reachable - reached:g} of task {task.name}, which it got right "
                f"({spoilt.grade_id}, {spoilt.status}: {spoilt.message})"
            )
    return found


def source_notebook(problem_set: ProblemSet):
    """Return the author's notebook of a problem set (NotebookNode), solutions and hidden tests included."""
    import nbformat

    with tempfile.TemporaryDirectory() as folder:
        path = problem_sets.build_source(problem_set, pathlib.Path(folder) / f"{problem_set.slug}.ipynb")
        return nbformat.read(path, as_version=4)


def _default_tests_folder():
    if os.environ.get(problem_sets.ENVIRONMENT_VARIABLE):
        return problem_sets.assignments_folder() / "tests"
    return find_repository() / "tests"


@dataclass
class _Job:
    """A notebook to grade: answers in the cells at these places, or in all of them."""

    name: str
    kind: str
    answers: dict[str, str]
    cells: frozenset[int] | None = None
    mutant: Variant | None = None
    run: Run = None


class _Notebooks:
    """The author's notebook and the release, whole or some of their cells."""

    def __init__(self, exercise, author, release, task_list):
        self.exercise, self.author, self.release = exercise, author, release
        self.task_of = {grade_id: task.name for task in task_list for grade_id in task.test_cells}
        if [cell.id for cell in author.cells] != [cell.id for cell in release.cells]:
            raise GateError(f"{exercise}: the release has other cells than the source; no cell may be made of markers.")

    @staticmethod
    def part(notebook, cells):
        """The notebook with its text, and its code at these places only."""
        if cells is None:
            return notebook
        part = copy.copy(notebook)
        part.cells = [cell for place, cell in enumerate(notebook.cells) if cell.cell_type != "code" or place in cells]
        return part

    def submission(self, job):
        """What a student with these answers hands in."""
        from autograder.grading_run import Submission
        from autograder.repair import Collected

        notebook = copy.deepcopy(self.part(self.release, job.cells))
        for cell in notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = job.answers.get(grade_id, cell.source)
        content = json.dumps(notebook).encode()
        return Submission(f"{job.kind} {job.name}", Collected({f"{self.exercise}.ipynb": content}), "")


def _grade_all(jobs, solution, notebooks, wall_limit_s, on_run):
    """Grade each job and make its run. Threads are enough: the work is done in forked processes."""
    from autograder.grading_run import server_preload, server_profile

    if not jobs:
        return
    profile, environment = server_profile(notebooks.author)
    server = _server(profile, tuple(environment.items()), server_preload(notebooks.author))
    graders = {cells: _grader(notebooks, cells, wall_limit_s, server) for cells in {job.cells for job in jobs}}
    # The longest first, so that both workers end at the same time; the others take over from the solution.
    order = sorted(jobs, key=lambda job: (job is not solution, job.cells is not None, -len(job.cells or ())))
    waiting = []
    pool = concurrent.futures.ThreadPoolExecutor(PARALLEL)
    try:
        running = {pool.submit(graders[job.cells].grade, notebooks.submission(job)): job for job in order}
        for done in concurrent.futures.as_completed(running):
            running[done].run = _run_of(running[done], done.result(), notebooks)
            waiting.append(running[done])
            if solution.run is None:
                continue
            for job in waiting:
                _take_over(job.run, solution.run)
                if on_run is not None:
                    on_run(job.run)
            waiting.clear()
    except BaseException:
        server.end()
        _server.cache_clear()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _grader(notebooks, cells, wall_limit_s, server):
    import nbformat

    from autograder import isolation, session
    from autograder.grading_run import Exercise, Grader

    times = session.Times(cell_s=wall_limit_s, test_s=wall_limit_s)
    task = Exercise(
        name=notebooks.exercise,
        file_name=f"{notebooks.exercise}.ipynb",
        notebook=nbformat.writes(notebooks.part(notebooks.author, cells)),
        # The author's own code runs here: a machine without namespaces can prove it, too.
        level=str(isolation.choose(allow_weaker=True)),
        limits=asdict(isolation.Limits(wall_s=wall_limit_s)),
        times=asdict(times),
    )
    return Grader(task, server=server)


def _run_of(job, result, notebooks):
    results = [
        Result(one.grade_id, notebooks.task_of[one.grade_id], str(one.status), one.points, one.maximum, one.message)
        for one in result.receipts
    ]
    cpu_s = result.cpu_s + result.checker_cpu_s
    return Run(job.name, job.kind, results, cpu_s, result.wall_s, result.peak_memory_mb)


def _take_over(run, solution):
    """Tests that a run left out count as in the solution."""
    made = {result.grade_id: result for result in run.results}
    run.results = [made.get(one.grade_id) or replace(one, made=False) for one in solution.results]


@functools.cache
def _server(profile, environment, preload):
    """One server for all that is checked: it costs seconds of CPU time, and ends with this process."""
    from autograder.warm_server import WarmServer

    class SharedServer(WarmServer):
        ended = False

        def start(self, **options):
            # A submission whose process is lost asks for another one, and would run on after Ctrl-C.
            if self.ended:
                raise CourseError("The check was interrupted.")
            super().start(**options)

        def end(self):
            self.ended = True
            self.close()

    return SharedServer(profile, environment=dict(environment), preload=preload)


def main(arguments: list[str] | None = None) -> int:
    """Run the gate from the command line; return the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or set(arguments) & {"-h", "--help"}:
        print("usage: python -m autograder.gate EXERCISE [EXERCISE ...]      for example ex08_1")
        return 0 if arguments else 2
    passed = True
    for exercise in arguments:
        try:
            report = check(exercise, on_run=_print_progress)
        except CourseError as error:
            print(error, file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print("\nStopped; nothing is left running.", file=sys.stderr)
            return 130
        print_report(report)
        passed &= report.passed
    return 0 if passed else 1


def _print_progress(run):
    print(f"{run.kind:10} {run.name:40} {run.points:g}/{run.max_points:g} in {run.wall_s:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
