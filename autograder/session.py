"""Grade one submission: two processes, one record.

The worker (this module) forks the student's process, which gets the cells but no test, and the checker, which gets
the tests but never runs the student's code, and leads them through the notebook in the author's order. It believes the
student's process nothing: outputs are cut, and points come from the checker's receipts alone, each of which carries
the nonce of its test. Whatever ends either process, what was marked before stays, every test gets a receipt with a
reason, and at the end nothing is left running.

`docs/grading_design.md` has the picture.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import hashlib
import json
import math
import os
import secrets
import select
import socket
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil

from autograder.channel import Caps, Channel, ChannelClosed, ChannelError, ChannelTimeout, decode, encode
from autograder.checker import MESSAGE_LENGTH, STAFF_LENGTH, Test
from autograder.isolation import Level, Limits
from autograder.results import Receipt, Repair, Status, SubmissionResult
from autograder.sanitising import printable
from autograder.student_process import CELL_TEXT, NO_ROOM, NOTEBOOK_TEXT, OUTPUT_SIZE
from autograder.warm_server import ServerGone

#: What the student's process may send about one notebook; its own limits on outputs lie far below.
_CONTROL_CAPS = Caps(message_bytes=32 * 2**20, total_bytes=128 * 2**20)
#: How often the notebook's process is started again after it was ended.
_MOST_REVIVALS = 2
_LOG_LENGTH = 20_000

#: Modules for a warm server to import beforehand, beside those of its profile: both ends of this module, and what
#: graded notebooks import. Nothing of it starts a thread. nbformat is what plotly needs to show its first figure, two
#: seconds of computing time; plotly's own renderers must not be here, since they look at the environment when they are
#: imported, and would take the server for a terminal.
PRELOAD = (
    *("autograder.student_process", "autograder.checker"),
    *("plotly.graph_objects", "plotly.subplots", "nbformat", "nbformat.validator"),
)


@dataclass(frozen=True)
class Times:
    """Wall seconds that parts of a notebook may take; `autograder.isolation.Limits` has the CPU seconds and the whole.

    Attributes
    ----------
    cell_s : float
        One cell. Then it is interrupted, and goes on after it is an error of this cell.
    test_s : float
        One test, with all that it asks of the student's process.
    grace_s : float
        How long an interrupted cell or test may take to stop before its process is ended.
    start_s : float
        Until both processes are ready.
    """

    cell_s: float = 120.0
    test_s: float = 120.0
    grace_s: float = 10.0
    start_s: float = 120.0


@dataclass(frozen=True)
class Plan:
    """Everything that grading needs from the author, made once an exercise.

    Attributes
    ----------
    exercise : str
    notebook : nbformat.NotebookNode
        The author's notebook, hidden tests included.
    tests : dict of str to Test
        The automatic tests by grade id, in order.
    waiting : float
        Points that a person gives.
    seed : int
        For the tests' global random generators. It follows from the tests, hidden ones included: repeatable, and not
        to be foreseen by those who do not know them.
    """

    exercise: str
    notebook: nbformat.NotebookNode = field(repr=False)
    tests: dict[str, Test] = field(repr=False)
    waiting: float
    seed: int

    @classmethod
    def of(cls, notebook: nbformat.NotebookNode, exercise: str = "") -> Plan:
        """Make the plan of an author's notebook.

        Parameters
        ----------
        notebook : nbformat.NotebookNode
            With solutions or without, with hidden tests.
        exercise : str
            Its name in the records.

        Examples
        --------
        >>> from nbformat.v4 import new_code_cell, new_notebook
        >>> test = {"grade_id": "mean-test", "grade": True, "solution": False, "locked": True, "points": 2}
        >>> cells = [new_code_cell("import math"), new_code_cell("assert mean == 2", metadata={"nbgrader": test})]
        >>> Plan.of(new_notebook(cells=cells)).tests["mean-test"].given
        {'math': 'import math'}
        """
        names = _Names()
        tests: dict[str, Test] = {}
        waiting = 0.0
        digest = hashlib.sha256()
        for cell in notebook.cells:
            grading = _grading(cell)
            if _is_test(cell):
                tests[grading["grade_id"]] = Test(
                    grade_id=grading["grade_id"],
                    source=cell.source,
                    points=float(grading["points"]),
                    given=dict(names.given),
                    superseded=tuple(sorted(names.superseded)),
                    private=tuple(sorted(names.private)),
                )
                digest.update(cell.source.encode("utf-8", "surrogatepass"))
                names.add_test(cell.source)
            else:
                if grading.get("task") or grading.get("grade"):
                    waiting += float(grading.get("points", 0))
                if cell.cell_type == "code":
                    names.add_cell(cell.source, trusted=bool(grading.get("locked")) and not grading.get("solution"))
        seed = int.from_bytes(digest.digest()[:4], "little")
        return cls(exercise, notebook, tests, waiting, seed)


def _grading(cell) -> dict:
    return cell.metadata.get("nbgrader") or {}


def _is_test(cell) -> bool:
    grading = _grading(cell)
    return cell.cell_type == "code" and bool(grading.get("grade")) and not grading.get("solution")


class _Names:
    """Where each name comes from that a test may use, read from the author's notebook from top to bottom.

    The last cell that binds a name decides, as it does when the notebook runs. An import is repeated in the checker;
    so are functions, classes and constants of cells that students cannot change. What tests bind stays among the
    tests. Every other name is the student's.
    """

    def __init__(self):
        self.given: dict[str, str] = {}
        self.superseded: set[str] = set()
        self.private: set[str] = set()

    def add_cell(self, source: str, *, trusted: bool) -> None:
        for name, statement in _bindings(source, definitions=trusted):
            self.superseded.add(name)
            self.private.discard(name)
            self._bind(name, statement)

    def add_test(self, source: str) -> None:
        self.superseded = set()
        for name, statement in _bindings(source, definitions=True):
            self.private.add(name)
            self._bind(name, statement)

    def _bind(self, name, statement):
        self.given.pop(name, None)
        if statement:
            self.given[name] = statement


def _bindings(source: str, *, definitions: bool) -> list[tuple[str, str]]:
    """Names that a cell binds at its top level, in order, with the statement that can be repeated elsewhere or ""."""
    lines = [line if not line.lstrip().startswith(("%", "!")) else "" for line in source.split("\n")]
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:  # the gate tells the author; here nothing is known about the cell
        return []
    found = []
    for statement in tree.body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            for alias in statement.names:
                if alias.name == "*":
                    continue
                alone = copy.copy(statement)
                alone.names = [alias]
                name = alias.asname or (alias.name if isinstance(alone, ast.ImportFrom) else alias.name.split(".")[0])
                found.append((name, ast.unparse(alone)))
        elif isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.append((statement.name, ast.unparse(statement) if definitions else ""))
        else:
            constant = definitions and isinstance(statement, ast.Assign) and _is_constant(statement.value)
            found += [(name, ast.unparse(statement) if constant else "") for name in _stored_names(statement)]
    return found


def _is_constant(expression) -> bool:
    kinds = (ast.Constant, ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop, ast.Tuple, ast.List, ast.Dict, ast.Load)
    return all(isinstance(node, kinds) for node in ast.walk(expression))


def _stored_names(statement) -> list[str]:
    names, waiting = [], [statement]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.append(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names += [(alias.asname or alias.name).split(".")[0] for alias in node.names if alias.name != "*"]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append(node.id)
        elif not isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            waiting += ast.iter_child_nodes(node)
    return names


def grade(
    plan: Plan,
    submission: nbformat.NotebookNode,
    *,
    student: str,
    repairs: tuple[Repair, ...] = (),
    server,
    level: Level | None = None,
    limits: Limits | None = None,
    data_folder: Path | None = None,
    fingerprint: str = "",
    times: Times | None = None,
) -> SubmissionResult:
    """Run one submission and mark it.

    Parameters
    ----------
    plan : Plan
    submission : nbformat.NotebookNode
        The repaired notebook: the author's cells in the author's order, the student's answers in them and the
        student's own cells between. Cells with the grade ids of tests only say where the tests stand.
    student : str
    repairs : tuple of Repair
        Passed on into the record.
    server : autograder.warm_server.WarmServer
        Forks both processes.
    level, limits
        Isolation of each of the two; see `autograder.isolation`.
    data_folder : pathlib.Path, optional
        The student's further files; cells find a copy of them in their working folder.
    fingerprint : str
        Passed on into the record.
    times : Times, optional

    Returns
    -------
    SubmissionResult
        With a receipt for every test of the plan, whatever happened. The student's code can raise nothing here.

    Raises
    ------
    ServerGone, ServerRefused
        If the warm server was lost on the way: what its processes had not done yet is nobody's fault.
    """
    session = _Session(plan, submission, student, server, level, limits or Limits(), data_folder, times or Times())
    start = time.monotonic()
    try:
        session.run()
    finally:
        session.close()
    if session.server_lost:
        raise ServerGone("The warm server ended while the notebook ran, and its processes with it.")
    report = getattr(server, "isolation", None)
    return SubmissionResult(
        student=student,
        exercise=plan.exercise,
        receipts=tuple(session.receipts.values()),
        repairs=tuple(repairs),
        waiting=plan.waiting,
        reason=session.reason,
        explanation=session.explanation,
        isolation="" if level is None else str(level),
        isolation_details=tuple(report.details) if report is not None else (),
        cpu_s=session.cpu_s,
        checker_cpu_s=session.checker_cpu_s,
        wall_s=time.monotonic() - start,
        peak_memory_mb=session.peak_memory_mb,
        notebook=nbformat.writes(session.notebook, version=nbformat.NO_CONVERT),
        log="\n".join(session.log)[-_LOG_LENGTH:],
        fingerprint=fingerprint,
    )


@dataclass(frozen=True)
class _Failure:
    """A cell that did not run to its end for a reason that later tests should name."""

    index: int
    status: Status
    words: str
    names: frozenset[str]


class _ProcessEnded(Exception):
    """The student's process is gone, and why; `final` if there is nothing left to start it again with."""

    def __init__(self, status: Status, words: str, *, final: bool = False):
        super().__init__(words)
        self.status, self.words, self.final = status, words, final


class _Process:
    """A forked process with its control channel."""

    def __init__(self, server, entry, arguments, *, sockets, pipes=(), folder, level, limits, environment):
        ours, theirs = socket.socketpair()
        self.control = Channel(ours, _CONTROL_CAPS)
        self.pipes: dict[str, int] = {}
        passed = {"control": theirs.detach(), **{name: given.detach() for name, given in sockets.items()}}
        for name in pipes:
            self.pipes[name], passed[name] = os.pipe()
            os.set_blocking(self.pipes[name], False)
        try:
            self.process = server.fork(
                entry,
                arguments,
                descriptors=passed,
                folder=folder,
                level=level,
                limits=limits,
                environment=environment,
            )
        except BaseException:
            self._close()
            raise
        finally:
            for descriptor in passed.values():
                os.close(descriptor)

    def send(self, *message) -> None:
        self.control.send(encode(list(message)))

    def cpu_s(self) -> float:
        """CPU seconds of the process itself so far; read here, since the server may be busy with a fork."""
        try:
            times = psutil.Process(self.process.pid).cpu_times()
        except psutil.Error:  # it has just ended
            return 0.0
        return times.user + times.system

    def close(self) -> tuple[float, float]:
        """End the whole tree; return CPU seconds and peak memory in megabytes."""
        try:
            self.process.kill()
            with contextlib.suppress(TimeoutError):
                self.process.wait(60.0)
            return self.process.usage()
        finally:
            self.process.close()
            self._close()

    def _close(self):
        self.control.close()
        for descriptor in self.pipes.values():
            os.close(descriptor)
        self.pipes = {}


class _Session:
    def __init__(self, plan, submission, student, server, level, limits, data_folder, times):
        self.plan, self.server, self.level, self.limits, self.times = plan, server, level, limits, times
        self.notebook = _assemble(plan, submission)
        self.receipts: dict[str, Receipt] = {}
        self.failures: list[_Failure] = []
        self.skipped: set[int] = set()
        self.revivals = 0
        self.tampered = self.used_up = False
        self.reason = self.explanation = ""
        self.log: list[str] = []
        self.cpu_s = self.checker_cpu_s = self.peak_memory_mb = 0.0
        self.server_lost = False
        self.deadline = time.monotonic() + limits.wall_s
        self.seed = int.from_bytes(hashlib.sha256(f"{plan.exercise} {student}".encode()).digest()[:4], "little")
        self.student: _Process | None = None
        self.checker: _Process | None = None
        self.checker_lost = ""
        self.outputs: list | None = None
        self.text_left = NOTEBOOK_TEXT
        self._folders = [tempfile.TemporaryDirectory(prefix="course-grading-") for _ in range(2)]
        self._student_folder = data_folder or Path(self._folders[0].name)
        self._checker_folder = Path(self._folders[1].name)

    # The whole notebook.

    def run(self) -> None:
        self.start_checker()
        self.start_student()
        for index, cell in enumerate(self.notebook.cells):
            if _is_test(cell):
                self.test(index, cell)
            elif cell.cell_type == "code" and cell.source.strip():
                self.run_cell(index, cell)

    def close(self) -> None:
        for process, is_checker in ((self.student, False), (self.checker, True)):
            if process is not None:
                self._end(process, is_checker)
        self.student = self.checker = None
        for folder in self._folders:
            folder.cleanup()
        for grade_id, test in self.plan.tests.items():
            if grade_id not in self.receipts:  # no way leads here; a missing receipt would lose a student's test
                self.receipts[grade_id] = Receipt(grade_id, Status.NOT_RUN, 0.0, test.points, "The test was not made.")

    def _end(self, process, is_checker):
        cpu_s, peak_memory_mb = process.close()
        self.server_lost = self.server_lost or process.process.ended_by == "server"
        if is_checker:
            self.checker_cpu_s += cpu_s
        else:
            self.cpu_s += cpu_s
            self.peak_memory_mb = max(self.peak_memory_mb, peak_memory_mb)

    # Processes.

    def start_checker(self) -> None:
        self.checker = _Process(
            self.server,
            "autograder.checker:main",
            {},
            sockets={},
            folder=self._checker_folder,
            level=self.level,
            limits=self.limits,
            environment={"COURSE_FRONT_END": "0"},
        )
        # Nothing about the tests goes through the server: its memory is inherited by students' processes.
        self.checker.send("seed", self.plan.seed)

    def start_student(self) -> None:
        ours, theirs = socket.socketpair()
        remaining_cpu_s = max(1, math.ceil(self.limits.cpu_s - self.cpu_s))
        limits = Limits(**{**vars(self.limits), "cpu_s": remaining_cpu_s})
        self.student = _Process(
            self.server,
            "autograder.student_process:main",
            {"seed": self.seed, "spare_mb": self.limits.memory_mb // 8},
            sockets={"channel": theirs},
            pipes=("stdout", "stderr"),
            folder=self._student_folder,
            level=self.level,
            limits=limits,
            environment={"COURSE_FRONT_END": "0", "PLOTLY_RENDERER": "plotly_mimetype"},
        )
        try:
            self.checker.send("connect")
            # The byte carries the checker's end of the channel; the worker keeps no copy of it.
            self.checker.control.stream.setblocking(True)
            socket.send_fds(self.checker.control.stream, [b"c"], [ours.fileno()])
            self.checker.control.stream.setblocking(False)
        except (ChannelClosed, OSError):
            self.checker_lost = "its process could not be started"
        ours.close()
        self.wait_for(self.student, "ready", time.monotonic() + self.times.start_s)

    def revive(self) -> bool:
        """Start the notebook again without the cells that ended it; False if that is not possible any more."""
        while self.student is None:
            if self.tampered or self.used_up or self.revivals >= _MOST_REVIVALS or self.budget() <= 1.0:
                return False
            self.revivals += 1
            try:
                self.start_student()
                for index in range(self.position):
                    cell = self.notebook.cells[index]
                    if _is_test(cell) or cell.cell_type != "code" or index in self.skipped:
                        continue
                    self.current = index
                    self.execute(cell, shown=False)
            except _ProcessEnded as ended:
                self.lose_student(ended, self.current)
        return True

    def lose_student(self, ended: _ProcessEnded, index: int | None) -> None:
        """The student's process is over; a cell that ended it is not run again."""
        if self.student is not None:
            process, self.student = self.student, None
            self._end(process, False)
        self.log.append(ended.words)
        self.used_up = self.used_up or ended.final
        if self.tampered:
            self.reason, self.explanation = "kernel died", ended.words
        else:
            named = {Status.TIMEOUT: "timeout", Status.MEMORY: "memory"}.get(ended.status, "kernel died")
            self.reason, self.explanation = named, ended.words
        if index is not None:
            self.skipped.add(index)
            source = self.notebook.cells[index].source
            names = frozenset(name for name, _ in _bindings(source, definitions=False))
            self.failures.append(_Failure(index, ended.status, ended.words, names))

    def budget(self) -> float:
        """Wall seconds that are left, 0 if the CPU seconds are used up."""
        return max(0.0, self.deadline - time.monotonic()) if self.cpu_s < self.limits.cpu_s else 0.0

    # Cells.

    def run_cell(self, index, cell) -> None:
        self.position = index
        cell.outputs = self.outputs = []
        if self.student is None and not self.revive():
            words = f"This cell was not run: {self.explanation or 'the time for the notebook was over'}"
            cell.outputs.append(_error_output("NotRun", words))
            return
        cell.outputs = self.outputs = []
        self.current = index
        try:
            error = self.execute(cell, shown=True)
            if error == NO_ROOM:
                # Start again without the cell: what it holds would take the points of all that come later.
                raise _ProcessEnded(
                    Status.MEMORY, f"The notebook needed more memory than there is, in cell {index + 1}."
                )
        except _ProcessEnded as ended:
            cell.outputs.append(_error_output("ProcessEnded", ended.words))
            self.lose_student(ended, index)
        else:
            status = {"KeyboardInterrupt": Status.TIMEOUT, "MemoryError": Status.MEMORY}.get(error)
            if status is not None:
                names = frozenset(name for name, _ in _bindings(cell.source, definitions=False))
                what = "took too long" if status is Status.TIMEOUT else "needed more memory than there is"
                self.failures.append(_Failure(index, status, f"Cell {index + 1} {what} and was stopped.", names))
            if self.outputs:
                cell.execution_count = next(
                    (item.execution_count for item in self.outputs if item.output_type == "execute_result"), None
                )
        finally:
            self.outputs = None

    def execute(self, cell, *, shown: bool) -> str:
        """Run one cell in the student's process; return the class of its error."""
        number = self.current + 1
        seconds = min(self.times.cell_s, self.budget())
        if seconds <= 0:
            raise _ProcessEnded(Status.TIMEOUT, f"The time for the notebook was over before cell {number}.")
        try:
            self.student.send("run", number, cell.source, seconds, shown)
        except (ChannelClosed, ChannelTimeout):
            raise self.cause(f"in cell {number}") from None
        message = self.wait_for(
            self.student, "done", time.monotonic() + seconds + self.times.grace_s, f"in cell {number}", cell_s=seconds
        )
        if [type(part) for part in message[1:]] != [int, bool, str, float] or message[1] != number:
            raise self.tampering(f"in cell {number}")
        self.drain_pipes()
        return message[3][:200]

    # Tests.

    def test(self, index, cell) -> None:
        self.position = index
        grade_id = _grading(cell)["grade_id"]
        test = self.plan.tests[grade_id]
        self.outputs = None
        if self.student is None and not self.revive():
            words = f"The test was not made: {self.explanation or 'the time for the notebook was over'}"
            receipt = Receipt(grade_id, Status.NOT_RUN, 0.0, test.points, words)
        elif self.checker_lost:
            receipt = Receipt(
                grade_id, Status.NOT_RUN, 0.0, test.points, f"The test was not made: {self.checker_lost}."
            )
        else:
            receipt = self.make_test(test, cell)
        self.receipts[grade_id] = receipt
        cell.outputs = [*self.test_output, *_test_outputs(receipt, cell)]
        self.test_output = []

    test_output: list = []  # noqa: RUF012 - replaced, never changed

    def make_test(self, test: Test, cell) -> Receipt:
        nonce = secrets.token_bytes(16)
        seconds = min(self.times.test_s, max(self.budget(), 1.0))
        before = self.student.cpu_s()
        try:
            self.checker.send("test", nonce, vars(test), seconds)
            until = time.monotonic() + seconds + self.times.grace_s
            message = self.wait_for(self.checker, "receipt", until, f"in the test {test.grade_id}")
            content = message[2] if len(message) == 3 and message[1] == nonce else None
            receipt = _read_receipt(test, content)
        except (_ProcessEnded, ChannelClosed, ValueError) as error:
            # What one test has defined, a later one may rely on: a new checker could not know it, and would have to
            # ask the student's process for it.
            if self.tampered and self.student is not None:
                self.lose_student(error, None)
                return Receipt(test.grade_id, Status.TAMPERED, 0.0, test.points, error.words)
            status = error.status if isinstance(error, _ProcessEnded) else Status.ERROR
            self.checker_lost = f"an earlier test, {test.grade_id}, could not be brought to its end"
            self.log.append(f"{test.grade_id}: the checker was lost: {error}")
            words = "The test could not be brought to its end with your answer."
            return Receipt(test.grade_id, status, 0.0, test.points, words, f"the checker was lost: {error}")
        if content["output"]:
            self.test_output = [nbformat.v4.new_output("stream", name="stdout", text=content["output"])]
        if receipt.status is Status.KILLED:
            receipt = self.explain_death(receipt)
        elif receipt.status is Status.TAMPERED:
            self.tampered = True
            self.lose_student(_ProcessEnded(Status.TAMPERED, receipt.message), None)
        elif receipt.status is Status.TIMEOUT and not self.answers():
            words = f"It did not come back from the test {test.grade_id} and was ended."
            self.lose_student(_ProcessEnded(Status.TIMEOUT, words), None)
        elif content["missing"]:
            receipt = self.explain_missing(receipt, content["missing"])
        after = self.student.cpu_s() if self.student is not None else before
        return _with(receipt, cpu_s=receipt.cpu_s + max(0.0, after - before))

    def explain_death(self, receipt):
        ended = self.cause(f"in the test {receipt.grade_id}")
        self.lose_student(ended, None)
        return _with(receipt, status=ended.status, message=ended.words)

    def explain_missing(self, receipt, name):
        """A name is missing because the cell that binds it did not get to its end: say so."""
        failure = next((item for item in reversed(self.failures) if name in item.names), None)
        if failure is None:
            return receipt
        return _with(receipt, status=failure.status, message=f"{receipt.message} {failure.words}")

    def answers(self) -> bool:
        """Whether the student's process is back at its post after a test that took too long."""
        try:
            self.student.send("run", 0, "", self.times.grace_s, False)
            self.wait_for(self.student, "done", time.monotonic() + self.times.grace_s)
        except (_ProcessEnded, ChannelClosed, ChannelTimeout):
            return False
        return True

    # Waiting.

    def wait_for(self, process, kind, deadline, where="while it started", cell_s=None):
        """Wait for one message, and take in meanwhile what the student's process says."""
        while True:
            poll = select.poll()
            # A student's process that has hung up stays in place, without a descriptor, until its cause is known.
            channels = {
                one.control.fileno(): one for one in {process, self.student} if one and one.control.fileno() >= 0
            }
            if process is self.student and process not in channels.values():
                raise self.cause(where)
            pipes = {descriptor: name for name, descriptor in self.student.pipes.items()} if self.student else {}
            for descriptor in (*channels, *pipes):
                poll.register(descriptor, select.POLLIN)
            left = deadline - time.monotonic()
            ready = [descriptor for descriptor, _ in poll.poll(max(0.0, min(left, 60.0)) * 1000)]
            # An answer that is there counts, but no flood of text that never ends.
            if left <= 0 and process.control.fileno() not in ready:
                if process is self.student:
                    limit = "the time limit" if cell_s is None else f"the limit of {cell_s:.0f} s"
                    raise _ProcessEnded(
                        Status.TIMEOUT,
                        f"The notebook was stopped {where}: it ran longer than {limit} and did not stop.",
                    )
                raise _ProcessEnded(Status.TIMEOUT, "the test did not stop at its time limit")
            for descriptor in ready:
                if descriptor in pipes:
                    self.take_text(pipes[descriptor], descriptor)
                    continue
                channel = channels[descriptor]
                message = self.take_message(channel, where)
                if message is None:
                    if process is not channel:
                        continue  # the student's process died while a test runs: the checker will notice and tell
                    raise self.cause(where) if channel is self.student else ChannelClosed("the checker is gone")
                if channel is process and message[0] == kind:
                    return message
                if channel is self.student:
                    self.take_output(message, where)

    def take_message(self, process, where):
        try:
            message = decode(process.control.receive(seconds=60.0), caps=_CONTROL_CAPS)
            if type(message) is not list or not message or type(message[0]) is not str:
                raise ChannelError("no message")
            return message
        except ChannelClosed:
            if process is self.student:
                self.student.control.close()
            return None
        except (ChannelError, ChannelTimeout):
            raise self.tampering(where) from None

    def tampering(self, where):
        self.tampered = True
        return _ProcessEnded(Status.TAMPERED, f"The process of the notebook broke its connection {where}.")

    def cause(self, where) -> _ProcessEnded:
        """Why the student's process ended."""
        process = self.student.process
        try:
            process.wait(self.times.grace_s)
        except TimeoutError:
            return _ProcessEnded(Status.KILLED, f"The process of the notebook broke its connection {where}.")
        ended_by = process.ended_by
        if ended_by == "server":
            raise ServerGone(f"The warm server ended while the notebook ran, {where}.")
        if ended_by == "memory":
            return _ProcessEnded(Status.MEMORY, f"The notebook needed more memory than there is, {where}.")
        if ended_by == "wall":
            return _ProcessEnded(
                Status.TIMEOUT, f"The notebook ran longer than its {self.limits.wall_s:.0f} s, {where}.", final=True
            )
        if ended_by == "cpu":
            return _ProcessEnded(
                Status.TIMEOUT,
                f"The notebook used up its {self.limits.cpu_s} s of computing time, {where}.",
                final=True,
            )
        how = f" ({ended_by})" if ended_by else ""
        return _ProcessEnded(Status.KILLED, f"The process of the notebook died {where}{how}.")

    def take_output(self, message, where):
        if message[0] == "clear":
            if self.outputs is not None:
                self.outputs.clear()
            return
        if message[0] != "output" or len(message) != 2 or type(message[1]) is not str:
            raise self.tampering(where)
        if self.outputs is not None:
            _append_output(self.outputs, message[1])

    def take_text(self, name, descriptor):
        try:
            data = os.read(descriptor, 65536)
        except BlockingIOError:
            return
        if not data:
            os.close(descriptor)
            del self.student.pipes[name]
        elif self.outputs is not None and self.text_left > 0:
            text = data.decode("utf-8", "replace")[: min(self.text_left, CELL_TEXT)]
            self.text_left -= len(text)
            _append_text(self.outputs, name, text)

    def drain_pipes(self):
        for name, descriptor in list(self.student.pipes.items()):
            self.take_text(name, descriptor)

    position = current = 0


def _with(receipt: Receipt, **changes) -> Receipt:
    return Receipt(**{**vars(receipt), **changes})


def _read_receipt(test: Test, content) -> Receipt:
    """The receipt that the checker sent.

    The checker runs trusted code, but reads what the student's process sends: its receipts are looked at, too.
    """
    wanted = {
        "status": str,
        "points": float,
        "message": str,
        "staff_message": str,
        "missing": str,
        "output": str,
        "cpu_s": float,
    }
    if type(content) is not dict or {key: type(value) for key, value in content.items()} != wanted:
        raise ValueError("a receipt without its nonce, or incomplete")
    points = content["points"] if content["status"] in (Status.PASS, Status.PARTIAL) else 0.0
    return Receipt(
        grade_id=test.grade_id,
        status=Status(content["status"]),
        points=points,
        maximum=test.points,
        # Texts of students are quoted in them, and are read in terminals, too.
        message=printable(content["message"], limit=MESSAGE_LENGTH),
        staff_message=printable(content["staff_message"], limit=STAFF_LENGTH),
        cpu_s=content["cpu_s"],
    )


# The executed notebook.


def _assemble(plan: Plan, submission) -> nbformat.NotebookNode:
    """The submission with the author's tests in their places, without outputs."""
    notebook = nbformat.v4.new_notebook(metadata=copy.deepcopy(submission.metadata))
    author = {_grading(cell).get("grade_id"): cell for cell in plan.notebook.cells if _grading(cell).get("grade_id")}
    placed = set()
    for cell in submission.cells:
        grade_id = _grading(cell).get("grade_id")
        if grade_id in plan.tests:
            if grade_id not in placed:
                notebook.cells.append(_fresh(author[grade_id]))
                placed.add(grade_id)
            continue
        if _is_test(cell):
            continue  # claims to be a test, and is none of the author's
        original = author.get(grade_id)
        locked = original is not None and _grading(original).get("locked") and not _grading(original).get("solution")
        notebook.cells.append(_fresh(original if locked else cell))
    _insert_missing_tests(plan, notebook, placed)
    return notebook


def _insert_missing_tests(plan, notebook, placed):
    keys = [_key(cell) for cell in plan.notebook.cells]
    for number, cell in enumerate(plan.notebook.cells):
        grade_id = _grading(cell).get("grade_id")
        if grade_id not in plan.tests or grade_id in placed:
            continue
        # Before the next of the author's cells: what the student added after the answer belongs to the answer.
        later = set(keys[number + 1 :])
        position = next((k for k, there in enumerate(notebook.cells) if _key(there) in later), len(notebook.cells))
        notebook.cells.insert(position, _fresh(cell))
        placed.add(grade_id)


def _key(cell):
    return _grading(cell).get("grade_id") or cell.get("id")


def _fresh(cell):
    cell = copy.deepcopy(cell)
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
    return cell


def _append_output(outputs: list, text: str) -> None:
    """Add one output that the student's process describes; what is no output is dropped."""
    try:
        content = json.loads(text)
        kind = content["output_type"]
        if kind == "stream" and content["name"] in ("stdout", "stderr"):
            _append_text(outputs, content["name"], str(content["text"])[: CELL_TEXT + 200])
        elif kind == "error":
            lines = [str(line)[:20_000] for line in content["traceback"]][:200]
            name, value = str(content["ename"])[:200], str(content["evalue"])[:4000]
            outputs.append(nbformat.v4.new_output("error", ename=name, evalue=value, traceback=lines))
        elif kind in ("display_data", "execute_result") and type(content["data"]) is dict:
            data = {
                str(mime)[:100]: value
                for mime, value in content["data"].items()
                if type(value) is str or str(mime).endswith("json")
            }
            output = nbformat.v4.new_output(kind, data=data)
            if kind == "execute_result":
                output.execution_count = int(content["execution_count"])
            if len(text) <= OUTPUT_SIZE and len(outputs) < 1000:
                outputs.append(output)
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError, nbformat.ValidationError):
        return


def _append_text(outputs: list, name: str, text: str) -> None:
    if outputs and outputs[-1].output_type == "stream" and outputs[-1].name == name:
        outputs[-1].text = (outputs[-1].text + text)[: CELL_TEXT + 400]
    elif len(outputs) < 1000:
        outputs.append(nbformat.v4.new_output("stream", name=name, text=text))


def _error_output(name: str, words: str):
    return nbformat.v4.new_output("error", ename=name, evalue=words, traceback=[words])


def _test_outputs(receipt: Receipt, cell) -> list:
    """Outputs of a test cell that show its result, and from which nbgrader's own rule reads the same points."""
    points = f"{receipt.points:g} of {receipt.maximum:g} points"
    if receipt.status is Status.PASS:
        return [nbformat.v4.new_output("display_data", data={"text/plain": f"passed: {points}"})]
    if receipt.status is Status.PARTIAL:
        shown = nbformat.v4.new_output("display_data", data={"text/plain": receipt.message})
        number = nbformat.v4.new_output("execute_result", data={"text/plain": repr(receipt.points)}, execution_count=1)
        return [shown, number]
    name = "AssertionError" if receipt.status is Status.FAIL else str(receipt.status)
    return [_error_output(name, receipt.message)]
