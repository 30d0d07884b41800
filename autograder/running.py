"""``course run``: execute chapters, two at a time, and say what each one cost."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import CourseError
from autograder.notebook_building import build_notebook

#: Kernels of a batch run make no widgets, keep TensorFlow's start-up lines out of the outputs, and share the cores.
KERNEL_ENVIRONMENT = {
    "COURSE_FRONT_END": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_NUM_INTRAOP_THREADS": "2",
    "TF_NUM_INTEROP_THREADS": "1",
    "PYTHONWARNINGS": "ignore::DeprecationWarning",
}


@dataclass(frozen=True)
class RunResult:
    """What one notebook did: ``ok``, wall ``seconds``, ``peak_megabytes`` of its kernel, and the failure if any."""

    name: str
    ok: bool
    seconds: float
    peak_megabytes: float
    executed_copy: Path
    cell: int | None = None
    source: str = ""
    error: str = ""
    traceback: str = ""


def find_notebooks(folder: Path, chapters: list[str]) -> list[Path]:
    """Return the sources (``.md``) of the chapters asked for, all of them if none is named.

    Parameters
    ----------
    folder : pathlib.Path
        The folder with the sources.
    chapters : list of str
        Numbers (``8``, ``08``), slugs (``08_convolutional_networks``) or file names.

    Returns
    -------
    list of pathlib.Path
        In the order asked for, without repetition.

    Raises
    ------
    CourseError
        If a chapter is unknown; the message lists the known ones and the nearest guess.
    """
    sources = {source.stem: source for source in sorted(folder.glob("*.md"))}
    if not chapters:
        return list(sources.values())
    chosen = []
    for chapter in chapters:
        stem = re.sub(r"\.(md|ipynb)$", "", Path(chapter).name)
        matches = [name for name in sources if name == stem]
        if not matches and stem.isdigit():
            matches = [name for name in sources if name.startswith(f"{int(stem):02d}_")]
        if not matches:
            guess = difflib.get_close_matches(stem, sources, n=1, cutoff=0.4)
            hint = f": did you mean {guess[0]}?" if guess else "."
            raise CourseError(f"Unknown chapter {chapter!r}{hint} Known: {', '.join(sources)}.")
        if sources[matches[0]] not in chosen:
            chosen.append(sources[matches[0]])
    return chosen


def run_notebooks(
    repository: Path,
    chapters: list[str] = (),
    *,
    jobs: int = 2,
    parameters: dict | None = None,
    output_folder: Path | None = None,
    timeout_seconds: float = 1200.0,
    on_finished=None,
) -> list[RunResult]:
    """Execute chapters with papermill, `jobs` at a time.

    Each notebook is built from its ``.md`` first, so that what runs is what was edited. Interrupting with Ctrl-C ends
    the running kernels and keeps the executed copies of those that had finished. Where two or more notebooks use
    Keras, it is imported once and their kernels are forked from there (`autograder.warm_kernel`).

    Parameters
    ----------
    repository : pathlib.Path
        Root of the checkout.
    chapters : list of str
        As in `find_notebooks`; empty for all.
    jobs : int
        How many run at the same time.
    parameters : dict, optional
        Values for the cells tagged ``parameters``.
    output_folder : pathlib.Path, optional
        Where executed copies go; ``_build/executed`` of the repository when not given.
    timeout_seconds : float
        Wall time after which a notebook is ended and counted as failed.
    on_finished : callable, optional
        Called with each `RunResult` as soon as it is there.

    Returns
    -------
    list of RunResult
        In the order of the chapters.

    Raises
    ------
    CourseError
        If a chapter is unknown, its source cannot be built, or `jobs` is below 1.
    """
    if jobs < 1:
        raise CourseError(f"--jobs must be at least 1, not {jobs}.")
    sources = find_notebooks(repository / "notebooks", list(chapters))
    output_folder = output_folder or repository / "_build" / "executed"
    built_folder = output_folder / ".built"
    built_folder.mkdir(parents=True, exist_ok=True)
    waiting = []
    for source in sources:
        built = built_folder / f"{source.stem}.ipynb"
        built.write_text(build_notebook(source), encoding="utf-8")
        waiting.append((source, built))

    results: dict[str, RunResult] = {}
    running: list[_Worker] = []
    kernels = contextlib.ExitStack()
    try:
        environment = kernels.enter_context(_warm_kernels([source for source, _ in waiting]))
        while waiting or running:
            while waiting and len(running) < jobs:
                source, built = waiting.pop(0)
                running.append(_Worker(source, built, output_folder, parameters or {}, environment))
            time.sleep(0.1)
            for worker in list(running):
                result = worker.poll(timeout_seconds)
                if result is not None:
                    running.remove(worker)
                    results[result.name] = result
                    if on_finished:
                        on_finished(result)
    finally:
        for worker in running:
            worker.end()
        kernels.close()
    return [results[source.stem] for source in sources]


@contextlib.contextmanager
def _warm_kernels(sources: list[Path]):
    """Give the environment in which workers find a warm server; an empty one where none would pay."""
    n_keras = sum(bool(re.search(r"\b(keras|tensorflow)\b", source.read_text(encoding="utf-8"))) for source in sources)
    # One notebook imports it once in any case. Elsewhere than on Linux a fork after the import is not safe.
    if n_keras < 2 or sys.platform != "linux":
        yield {}
        return
    from autograder.warm_kernel import announcement
    from autograder.warm_server import WarmServer

    home = {"HOME": os.environ["HOME"]} if "HOME" in os.environ else {}
    with WarmServer("tensorflow", environment=KERNEL_ENVIRONMENT | home) as server:
        # The notebooks' own kernel, python3, is forked: their copies do not name another one.
        yield {"JUPYTER_DEFAULT_PROVISIONER_NAME": "course-warm", **announcement(server)}


def parse_parameters(assignments: list[str]) -> dict:
    """Return name -> value of ``NAME=VALUE`` strings; values are read as JSON where they can be, else as text.

    Raises
    ------
    CourseError
        If one has no ``=`` or its name is no Python name.

    Examples
    --------
    >>> parse_parameters(["SEED=3", "LEARNING_RATE=1e-3", "NAME=ising"])
    {'SEED': 3, 'LEARNING_RATE': 0.001, 'NAME': 'ising'}
    """
    parameters = {}
    for assignment in assignments:
        name, separator, value = assignment.partition("=")
        if not separator or not name.isidentifier():
            raise CourseError(f"--parameter wants NAME=VALUE, not {assignment!r}, for example --parameter SEED=3.")
        try:
            parameters[name] = json.loads(value)
        except ValueError:
            parameters[name] = value
    return parameters


class _Worker:
    """One notebook in a process (and process group) of its own."""

    def __init__(self, source: Path, built: Path, output_folder: Path, parameters: dict, environment: dict[str, str]):
        self.name = source.stem
        self.executed_copy = output_folder / f"{source.stem}.ipynb"
        self._report = built.with_suffix(".json")
        self._report.unlink(missing_ok=True)
        self._log = built.with_suffix(".log")
        job = {
            "source": str(built),
            "target": str(self.executed_copy),
            "working_folder": str(source.parent),
            "parameters": parameters,
            "report": str(self._report),
        }
        self._started = time.monotonic()
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "autograder.notebook_execution", json.dumps(job)],
                env=os.environ | KERNEL_ENVIRONMENT | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A group of its own: the kernel must end with its runner, also on Ctrl-C.
                start_new_session=True,
            )

    def poll(self, timeout_seconds: float) -> RunResult | None:
        seconds = time.monotonic() - self._started
        if self._process.poll() is None:
            if seconds < timeout_seconds:
                return None
            self.end()
            return self._failed(seconds, f"Timeout: still running after {timeout_seconds:.0f} s.")
        try:
            outcome = json.loads(self._report.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            tail = self._log.read_text(errors="replace").strip().splitlines()[-1:]
            reason = tail[0] if tail else "no output"
            return self._failed(seconds, f"The runner ended with status {self._process.returncode}: {reason}")
        return RunResult(name=self.name, executed_copy=self.executed_copy, **outcome)

    def _failed(self, seconds: float, error: str) -> RunResult:
        return RunResult(self.name, False, seconds, float("nan"), self.executed_copy, error=error)

    def end(self) -> None:
        """End the runner and its kernel, which jupyter_client starts in a session of its own."""
        import psutil

        try:
            family = psutil.Process(self._process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            family = []
        self._process.kill()
        for process in family:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        self._process.wait()


def print_report(results: list[RunResult], console) -> None:
    """Print one row a notebook, then each failing cell with its error."""
    from rich.table import Table

    table = Table(title="Executed notebooks")
    for heading, justify in (
        ("notebook", "left"),
        ("status", "left"),
        ("time / s", "right"),
        ("peak memory / MB", "right"),
    ):
        table.add_column(heading, justify=justify)
    for result in results:
        status = "[green]ok[/]" if result.ok else "[red]failed[/]"
        peak = "-" if result.peak_megabytes != result.peak_megabytes else f"{result.peak_megabytes:.0f}"
        table.add_row(result.name, status, f"{result.seconds:.1f}", peak)
    console.print(table)
    for result in results:
        if result.ok:
            continue
        where = f", cell {result.cell}" if result.cell else ""
        console.rule(f"[red]{result.name}{where}", align="left")
        if result.source:
            console.print(result.source, markup=False, highlight=False)
            console.print()
        console.print(result.error, markup=False, style="red")
        if result.traceback:
            console.print("\n".join(result.traceback.splitlines()[-25:]), markup=False, highlight=False)
