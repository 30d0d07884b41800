"""Grade a class: workers that stay alive, a journal, and one writer, so that nothing is lost and nobody waits.

::

    run (this process)          reads submissions, keeps the journal, is the only one that writes records and gradebook
      |  bytes of a submission  ->
      |  <- one record, as JSON
    workers                     each repairs and grades one submission after the other (`Grader`); processes of this
      |                         machine, or of others through dask: they get bytes and need no shared folder
      |  forks                  ->
    warm server                 one a run: it has TensorFlow loaded, and holds nothing else

Each result is stored in three steps: the record ``grading/EXERCISE/STUDENT.json`` (a whole file or none), a line in
``grading/EXERCISE/journal.jsonl``, and the gradebook, followed by another line. Wherever a run ends (Ctrl-C, kill -9, a
full disk), the next one finds what is there: a submission with a record is not graded again, one without a line about
the gradebook is written into it again, which changes nothing if it was there.

What did not change is skipped. Unchanged means: the same SHA-256 over the handed-in bytes, the author's notebook and
files, the limits, the installed packages, and the engine itself.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import functools
import hashlib
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing import connection
from pathlib import Path

from autograder import isolation, repair, session
from autograder.errors import CourseError
from autograder.gradebook_writer import Assignment, GradebookWriter, manual_points
from autograder.isolation import Level, Limits
from autograder.repair import Collected, Unreadable
from autograder.results import Receipt, Repair, Status, SubmissionResult
from autograder.session import Times
from autograder.warm_server import FROZEN_VARIABLES, ServerGone, ServerRefused, WarmServer, request_fork

#: Modules that decide about marks; a change of one of them grades everything again.
_ENGINE = (
    *("repair", "session", "checker", "student_process", "channel", "model_transport"),
    *("isolation", "warm_server", "results", "grading_run"),
)
#: A submission is tried once more if its worker died: the reason may have been the machine.
_MOST_TRIES = 2
#: Beyond the wall limit of a submission, for starting, repairing and checking; then its worker is given up.
_GRACE_S = 300.0
#: Tests that ended so say nothing about the answer: ``--regrade failed`` tries them again.
_UNSURE = {Status.TIMEOUT, Status.MEMORY, Status.KILLED, Status.NOT_RUN, Status.TAMPERED}
_LOG_LENGTH = 20_000
#: An idle worker has so long to end.
_FAREWELL_S = 20.0

#: What is in a record when grading itself failed; it is tried again by the next run.
NOT_GRADED = "not graded"


@dataclass(frozen=True)
class Exercise:
    """What a worker must know to grade an exercise: plain data.

    Attributes
    ----------
    name : str
    file_name : str
        Of the notebook.
    notebook : str
        The author's notebook as it is graded (JSON): stubs, tests with their hidden part.
    level : str
        Level of isolation.
    limits, times : dict
        Fields of `autograder.isolation.Limits` and of `autograder.session.Times`.
    """

    name: str
    file_name: str
    notebook: str
    level: str
    limits: dict
    times: dict

    @classmethod
    def of(cls, assignment: Assignment, *, level: Level, limits: Limits, times: Times) -> Exercise:
        """Make it from what the gradebook knows."""
        import nbformat

        return cls(
            name=assignment.name,
            file_name=f"{assignment.notebook_name}.ipynb",
            notebook=nbformat.writes(assignment.notebook),
            level=str(level),
            limits=dataclasses.asdict(limits),
            times=dataclasses.asdict(times),
        )


@dataclass(frozen=True)
class Submission:
    """One student's bytes, on their way to a worker."""

    student: str
    collected: Collected
    fingerprint: str

    def to_messages(self, **more) -> Iterator[bytes]:
        """Yield a head in JSON, with `more` in it, then each file: no pickle, and no copy of it all."""
        content = {"notebooks": self.collected.notebooks, "files": self.collected.files}
        head = {
            **more,
            "student": self.student,
            "fingerprint": self.fingerprint,
            "repairs": [dataclasses.asdict(one) for one in self.collected.repairs],
            **{kind: list(files) for kind, files in content.items()},
        }
        yield json.dumps(head).encode()
        for files in content.values():
            yield from files.values()

    @classmethod
    def from_messages(cls, receive: Callable[[], bytes]) -> tuple[Submission, dict]:
        """Read what `to_messages` yields; return the submission and the whole head."""
        head = json.loads(receive())
        notebooks = {name: receive() for name in head["notebooks"]}
        files = {name: receive() for name in head["files"]}
        repairs = tuple(Repair(**one) for one in head["repairs"])
        return cls(head["student"], Collected(notebooks, files, repairs), head["fingerprint"]), head


# -- what a worker does -------------------------------------------------------------------------------------------


class Grader:
    """Grades submissions of one exercise, one after the other; holds a warm server.

    Parameters
    ----------
    exercise : Exercise
    server : optional
        One that others use as well (`autograder.warm_server.WarmServer`, or anything with its ``fork``); its own if not
        given.
    """

    def __init__(self, exercise: Exercise, *, server=None):
        import nbformat

        self._exercise = exercise
        self._author = nbformat.reads(exercise.notebook, as_version=4)
        self._plan = session.Plan.of(self._author, exercise.name)
        self._server = server or warm_server_for(self._author)

    def __enter__(self) -> Grader:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """End the warm server."""
        self._server.close()

    def grade(self, submission: Submission) -> SubmissionResult:
        """Repair, run and mark one submission.

        Parameters
        ----------
        submission : Submission

        Returns
        -------
        SubmissionResult
            Also for what cannot be read. An exception is a fault of the engine or of the machine.
        """
        collected, student = submission.collected, submission.student
        chosen = repair.choose(self._author, collected, self._exercise.file_name)
        if isinstance(chosen, Unreadable):
            return self._without_notebook(submission, chosen)
        content, renamed = chosen
        repaired = repair.repair(self._author, content)
        if isinstance(repaired, Unreadable):
            return self._without_notebook(submission, repaired)
        with tempfile.TemporaryDirectory(prefix="course-grade-") as folder:
            for name, data in collected.files.items():
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            result = session.grade(
                self._plan,
                repaired.notebook,
                student=student,
                repairs=(*collected.repairs, *renamed, *repaired.repairs),
                server=self._server,
                level=Level(self._exercise.level),
                limits=Limits(**self._exercise.limits),
                data_folder=Path(folder),
                fingerprint=submission.fingerprint,
                times=session.Times(**self._exercise.times),
            )
        details = isolation.available().by_level.get(Level(self._exercise.level), ())
        return dataclasses.replace(result, waiting=manual_points(repaired.notebook), isolation_details=tuple(details))

    def _without_notebook(self, submission: Submission, why: Unreadable) -> SubmissionResult:
        return _nothing(
            self._exercise.name,
            self._author,
            submission,
            reason=why.reason,
            explanation=why.explanation,
            repairs=submission.collected.repairs,
        )


def _nothing(exercise: str, author, submission: Submission, **fields) -> SubmissionResult:
    """A result with 0 points in every test."""
    receipts = []
    for cell in author.cells:
        grading = cell.metadata.get("nbgrader", {})
        if grading.get("grade") and not grading.get("solution") and cell.cell_type == "code":
            message = fields["explanation"]
            receipts.append(Receipt(grading["grade_id"], Status.NOT_RUN, 0.0, float(grading["points"]), message))
    fields = {"fingerprint": submission.fingerprint, **fields}
    return SubmissionResult(submission.student, exercise, tuple(receipts), **fields)


def server_profile(notebook) -> tuple[str, dict[str, str]]:
    """Return the profile of a warm server for an author's notebook, and what must be set before its imports.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Returns
    -------
    profile : str
        ``tensorflow`` where a code cell speaks of TensorFlow or Keras, else ``plain``: a student who imports it all
        the same waits for the import.
    environment : dict of str to str
        Variables that the notebook sets itself, which is too late in a forked process.

    Examples
    --------
    >>> from nbformat.v4 import new_code_cell, new_notebook
    >>> source = 'import os\\nos.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"\\nimport keras'
    >>> server_profile(new_notebook(cells=[new_code_cell(source)]))
    ('tensorflow', {'TF_ENABLE_ONEDNN_OPTS': '0'})
    """
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    names = "|".join(FROZEN_VARIABLES)
    set_ones = re.findall(rf"""["']({names})["']\s*(?:\]\s*=|,)\s*["']([^"']*)["']""", code)
    profile = "tensorflow" if re.search(r"\b(?:tensorflow|keras)\b", code) else "plain"
    return profile, dict(set_ones)


def warm_server_for(notebook) -> WarmServer:
    """Return a warm server for an author's notebook; it starts when it is first asked.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    """
    profile, environment = server_profile(notebook)
    return WarmServer(profile, environment=environment, preload=server_preload(notebook))


def server_preload(notebook) -> tuple[str, ...]:
    """Return the modules that a warm server for an author's notebook imports beside those of its profile.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Examples
    --------
    >>> from nbformat.v4 import new_code_cell, new_notebook
    >>> "autograder.warm_ising" in server_preload(new_notebook(cells=[new_code_cell("load_ising()")]))
    True
    """
    simulates = any("ising" in cell.source for cell in notebook.cells if cell.cell_type == "code")
    return (*session.PRELOAD, *(["autograder.warm_ising"] if simulates else []))


class _ServerOfRun:
    """The warm server of the run, as its workers see it."""

    address = ""

    def fork(self, entry, arguments, **options):
        return request_fork(self.address, entry, arguments, **options)


def work(descriptor: int) -> None:
    """What a worker process runs: read submissions from a pipe, write records into it, until it closes."""
    _end_with_parent()
    pipe = connection.Connection(descriptor)
    exercise = Exercise(**json.loads(pipe.recv_bytes()))
    server = _ServerOfRun()
    grader = Grader(exercise, server=server)
    while True:
        try:
            submission, head = Submission.from_messages(pipe.recv_bytes)
        except EOFError:
            return
        server.address = head["server"]
        try:
            if server.address:
                record = grader.grade(submission)
            else:
                with Grader(exercise) as alone:
                    record = alone.grade(submission)
            answer = {"record": record.to_json()}
        except (ServerGone, ServerRefused):
            answer = {"fault": traceback.format_exc(), "server lost": True}
        except Exception:  # whatever it is, the next submission can be graded
            answer = {"fault": traceback.format_exc()}
        pipe.send_bytes(json.dumps(answer).encode())


def _end_with_parent() -> None:
    """On Linux: die when the run dies, also by kill -9, instead of finishing for nobody."""
    if sys.platform == "linux":
        import ctypes
        import signal

        set_death_signal = 1
        ctypes.CDLL(None, use_errno=True).prctl(set_death_signal, signal.SIGKILL)


# -- where workers are --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What came back for one submission: a record as JSON, or what went wrong."""

    student: str
    record: str = ""
    fault: str = ""


class OwnProcesses:
    """Workers of this machine, and the warm server that they share.

    Parameters
    ----------
    exercise : Exercise
    jobs : int
        How many.
    scratch : pathlib.Path, optional
        Their folder for temporary files; the system's if not given.
    server : autograder.warm_server.WarmServer, optional
        One that has been started already; it ends with the workers.
    """

    def __init__(self, exercise: Exercise, jobs: int, *, scratch: Path | None = None, server: WarmServer | None = None):
        import nbformat

        self._exercise = exercise
        self._author = nbformat.reads(exercise.notebook, as_version=4)
        self._scratch = scratch
        self._server = warm_server_for(self._author)
        if server is not None and server.imports == self._server.imports:
            self._server = server
        elif server is not None:
            # It was started for the student version, and hidden tests want another one.
            server.close()
        #: Servers that must not fork any more, while something that they forked still runs.
        self._retired: list[WarmServer] = []
        self.capacity = jobs
        self._deadline_s = exercise.limits["wall_s"] + _GRACE_S
        self._idle: list[_WorkerProcess] = []
        self._busy: dict[str, _WorkerProcess] = {}

    def __enter__(self) -> OwnProcesses:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """End all workers, whatever they do, and their server."""
        for worker in self._busy.values():
            worker.kill()
        for worker in self._idle:
            worker.end()
        self._idle, self._busy = [], {}
        for server in (*self._retired, self._server):
            server.close()
        self._retired = []

    @property
    def n_running(self) -> int:
        """How many submissions are being graded."""
        return len(self._busy)

    def submit(self, submission: Submission, *, alone: bool = False) -> None:
        """Give a submission to a worker; at most `capacity` at a time.

        `alone`: on a warm server of its own, where no other submission can do anything to it.
        """
        worker = self._idle.pop() if self._idle else _WorkerProcess(self._exercise, self._scratch)
        self._busy[submission.student] = worker
        worker.send(submission, None if alone else self._server)

    def wait(self, timeout_s: float) -> list[Outcome]:
        """Return what is done, after `timeout_s` at the latest."""
        by_pipe = {worker.pipe: student for student, worker in self._busy.items()}
        outcomes = []
        for pipe in connection.wait(list(by_pipe), timeout=timeout_s):
            student = by_pipe[pipe]
            worker = self._busy.pop(student)
            try:
                answer = json.loads(pipe.recv_bytes())
            except (EOFError, OSError, ValueError):
                outcomes.append(Outcome(student, fault=f"The worker process died. {worker.kill()}"))
                continue
            self._idle.append(worker)
            if answer.get("server lost"):
                self._replace_server(worker)
            outcomes.append(Outcome(student, answer.get("record", ""), answer.get("fault", "")))
        for student, worker in list(self._busy.items()):
            if time.monotonic() - worker.since > self._deadline_s:
                del self._busy[student]
                fault = f"The worker gave no answer in {self._deadline_s:.0f} s. {worker.kill()}"
                outcomes.append(Outcome(student, fault=fault))
        self._close_unused()
        return outcomes

    def _replace_server(self, worker: _WorkerProcess) -> None:
        """Take another server if this worker lost the one that the next submission would get, too."""
        # One that died has started anew, at another address. One that answers refuses to fork, or hangs.
        if worker.server is self._server and worker.address == self._server.address:
            self._retired.append(self._server)
            self._server = warm_server_for(self._author)

    def _close_unused(self) -> None:
        used = [worker.server for worker in self._busy.values()]
        for server in [one for one in self._retired if one not in used]:
            server.close()
            self._retired.remove(server)


class _WorkerProcess:
    """One process, in a session of its own: Ctrl-C in the terminal is for the run, which then ends it."""

    #: The server of its last submission and the address that it had; None and "" if it has one of its own.
    server: WarmServer | None = None
    address = ""

    def __init__(self, exercise: Exercise, scratch: Path | None):
        self.pipe, theirs = connection.Pipe()
        self.since = time.monotonic()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by kill()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", f"from autograder.grading_run import work; work({theirs.fileno()})"],
                pass_fds=(theirs.fileno(),),
                env=os.environ | ({"TMPDIR": str(scratch)} if scratch else {}),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
            )
        with contextlib.suppress(OSError):  # a process that died at once is noticed by wait()
            self.pipe.send_bytes(json.dumps(dataclasses.asdict(exercise)).encode())

    def send(self, submission: Submission, server: WarmServer | None) -> None:
        self.since = time.monotonic()
        # Asking for the address starts a server, also in place of one that died.
        self.server, self.address = server, "" if server is None else server.address
        with contextlib.suppress(OSError):
            for message in submission.to_messages(server=self.address):
                self.pipe.send_bytes(message)

    def end(self) -> None:
        """Let it come to its end; it has nothing to do."""
        self.pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_FAREWELL_S)
        self.kill()

    def kill(self) -> str:
        """End it; return the last that it said."""
        self._process.kill()
        self._process.wait()
        self.pipe.close()
        with self._log:
            self._log.seek(max(0, os.fstat(self._log.fileno()).st_size - 2000))
            return self._log.read().decode(errors="replace").strip()


class DaskWorkers:
    """Workers of a dask cluster, on any number of machines.

    They need the course installed as here, and nothing else: bytes go there, records come back.

    Parameters
    ----------
    exercise : Exercise
    address : str
        Of the scheduler, such as ``tcp://10.0.0.1:8786``.

    Raises
    ------
    CourseError
        If nobody answers there, or there are no workers.
    """

    def __init__(self, exercise: Exercise, address: str):
        from distributed import Client

        try:
            self._client = Client(address, timeout="20s", set_as_default=False)
            self._client.wait_for_workers(1, timeout=60)
        except (OSError, ValueError) as error:  # TimeoutError is an OSError
            raise CourseError(
                f"No dask workers answer at {address!r} ({error}): start 'dask scheduler' and 'dask worker', and give "
                f"--scheduler the address that the scheduler prints, such as tcp://10.0.0.1:8786."
            ) from error
        self._exercise = dataclasses.asdict(exercise)
        self._done: queue.SimpleQueue = queue.SimpleQueue()
        self._running: dict[str, object] = {}

    def __enter__(self) -> DaskWorkers:
        return self

    def __exit__(self, *_) -> None:
        with contextlib.suppress(Exception):  # a cluster that is gone has no graders to close
            self._client.cancel(list(self._running.values()), force=True)
            self._client.run(_close_graders)
        self._client.close(timeout=10)

    @property
    def capacity(self) -> int:
        """One submission a thread; machines may come and go."""
        return max(1, sum(self._client.nthreads().values()))

    @property
    def n_running(self) -> int:
        """How many submissions are being graded."""
        return len(self._running)

    def submit(self, submission: Submission, *, alone: bool = False) -> None:
        """Give a submission to the cluster; each thread there has a server of its own anyway."""
        messages = list(submission.to_messages())
        # Never from a cache: that the same bytes were graded before is for the journal to know.
        future = self._client.submit(_grade_on_dask, self._exercise, messages, pure=False)
        self._running[submission.student] = future
        future.add_done_callback(functools.partial(self._note, submission.student))

    def _note(self, student: str, future) -> None:
        self._done.put((student, future))

    def wait(self, timeout_s: float) -> list[Outcome]:
        """Return what is done, after `timeout_s` at the latest."""
        outcomes = []
        with contextlib.suppress(queue.Empty):
            while True:
                student, future = self._done.get(timeout=0 if outcomes else timeout_s)
                if self._running.get(student) is not future:
                    continue
                del self._running[student]
                if future.status == "finished":
                    outcomes.append(Outcome(student, **future.result()))
                else:
                    fault = "cancelled" if future.status == "cancelled" else f"{future.exception()!r}"
                    outcomes.append(Outcome(student, fault=f"The worker did not come back: {fault}"))
        return outcomes


_graders = threading.local()
_all_graders: list[Grader] = []


def _grade_on_dask(exercise: dict, messages: list[bytes]) -> dict:
    """Runs in a worker of the cluster; each of its threads keeps a grader until the exercise changes."""
    if getattr(_graders, "exercise", None) != exercise:
        if getattr(_graders, "grader", None) is not None:
            _graders.grader.close()
        _graders.grader, _graders.exercise = Grader(Exercise(**exercise)), exercise
        _all_graders.append(_graders.grader)
    submission, _ = Submission.from_messages(iter(messages).__next__)
    try:
        return {"record": _graders.grader.grade(submission).to_json()}
    except Exception:
        return {"fault": traceback.format_exc()}


def _close_graders() -> None:
    # Their servers start again by themselves when another run comes.
    for grader in _all_graders:
        grader.close()


@contextlib.contextmanager
def scratch_folder(records: Path) -> Iterator[Path]:
    """Make a folder for temporary files of a run; what an earlier run of the same exercise left there is removed.

    Parameters
    ----------
    records : pathlib.Path
        The folder ``grading/EXERCISE``, which gives it its name. It does not lie there: sockets need short paths.
    """
    digest = hashlib.sha256(os.fsencode(records.resolve())).hexdigest()[:12]
    path = Path(tempfile.gettempdir()) / f"course-grading-{os.getuid()}-{digest}"
    shutil.rmtree(path, ignore_errors=True)
    try:
        path.mkdir(0o700)
    except FileExistsError:  # somebody else's, or a link: never use that
        path = Path(tempfile.mkdtemp(prefix="course-grading-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


# -- journal and records ------------------------------------------------------------------------------------------


class Journal:
    """What was done, line by line, on disk before anything else happens. Only one run can hold it.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    CourseError
        If another run is grading the same exercise.
    """

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab+", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise CourseError(
                f"Another run is grading this exercise (it holds {path}): wait for it, or end it first."
            ) from None
        self._file.seek(0)
        content = self._file.read()
        #: A run that was killed may have left half a line; it counts as never written.
        self._torn = not content.endswith(b"\n") and bool(content)
        self.entries = [entry for line in content.split(b"\n") if (entry := _read_entry(line)) is not None]

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_) -> None:
        self._file.close()

    def append(self, **entry) -> None:
        """Write a line; when this returns it survives a power cut."""
        line = json.dumps(entry, ensure_ascii=False).encode() + b"\n"
        torn, self._torn = self._torn, True
        if os.write(self._file.fileno(), b"\n" * torn + line) < torn + len(line):
            raise OSError(28, "No space left on device", self._file.name)
        os.fsync(self._file.fileno())
        self._torn = False
        self.entries.append(entry)


def _read_entry(line: bytes) -> dict | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and isinstance(entry.get("student"), str) else None


def write_whole(path: Path, text: str) -> None:
    """Write a file so that at any moment there is the old one or the new one, never a part.

    Parameters
    ----------
    path : pathlib.Path
        In an existing folder.
    text : str

    Raises
    ------
    OSError
        For example if the disk is full; nothing is left behind then.
    """
    # Always of the same name: what a run that was killed leaves behind is overwritten by the next.
    new = path.with_name(f".{path.name}.new")
    try:
        with new.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def read_record(path: Path) -> SubmissionResult | None:
    """Return a record, None if there is none or it is damaged.

    Parameters
    ----------
    path : pathlib.Path
        ``grading/EXERCISE/STUDENT.json``.
    """
    try:
        return SubmissionResult.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


# -- the run ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Graded:
    """What is known about one student's result without reading the whole record.

    Attributes
    ----------
    student, fingerprint : str
    points, maximum : float
    reason : str
        As in `SubmissionResult`.
    unsure : bool
        Whether a test ended in a way that says nothing about the answer (time, memory, a dead process).
    notes : tuple of str
        Reason and repairs in words.
    has_notebook : bool
    wall_s, cpu_s, peak_memory_mb : float
    unchanged : bool
        Whether it is from an earlier run.
    """

    student: str
    fingerprint: str
    points: float
    maximum: float
    reason: str
    unsure: bool
    notes: tuple[str, ...]
    has_notebook: bool
    wall_s: float
    cpu_s: float
    peak_memory_mb: float
    unchanged: bool = False

    @classmethod
    def of(cls, result: SubmissionResult) -> Graded:
        """Take it from a record."""
        notes = [result.explanation or result.reason] if result.reason else []
        if not result.reason:
            unsure = [receipt for receipt in result.receipts if receipt.status in _UNSURE]
            notes += [f"{receipt.grade_id}: {receipt.status}, {receipt.message[:200]}" for receipt in unsure[:3]]
        notes += [one.words for one in result.repairs]
        return cls(
            student=result.student,
            fingerprint=result.fingerprint,
            points=result.points,
            maximum=result.maximum,
            reason=result.reason,
            unsure=any(receipt.status in _UNSURE for receipt in result.receipts),
            notes=tuple(notes),
            has_notebook=bool(result.notebook),
            wall_s=result.wall_s,
            cpu_s=result.cpu_s,
            peak_memory_mb=result.peak_memory_mb,
        )

    @classmethod
    def from_entry(cls, entry: dict) -> Graded | None:
        """Read it from a line of the journal."""
        try:
            known = {field.name: entry[field.name] for field in dataclasses.fields(cls) if field.name != "unchanged"}
        except KeyError:
            return None
        return cls(**{**known, "notes": tuple(known["notes"])}, unchanged=True)


@dataclass
class Progress:
    """How far a run is: numbers for a display.

    Attributes
    ----------
    total, done, skipped : int
        Submissions to grade, graded ones among them, and unchanged ones besides.
    running : dict of str to float
        Students whose submission is being graded, and since when (`time.monotonic`).
    slowest : tuple of str and float
        The student whose submission took longest so far, and its wall seconds.
    latest : str
        The student whose submission was graded last.
    started : float
        When the run began (`time.monotonic`).
    """

    total: int = 0
    done: int = 0
    skipped: int = 0
    running: dict[str, float] = field(default_factory=dict)
    slowest: tuple[str, float] = ("", 0.0)
    latest: str = ""
    started: float = field(default_factory=time.monotonic)

    @property
    def rate_per_minute(self) -> float:
        """Submissions a minute so far; 0 before the first."""
        return 60 * self.done / max(time.monotonic() - self.started, 1e-9)

    @property
    def left_s(self) -> float | None:
        """Seconds that the rest will take at this rate; None before the first is done."""
        return 60 * (self.total - self.done) / self.rate_per_minute if self.done else None


class GradingRun:
    """One call of ``course grade``.

    Parameters
    ----------
    writer : GradebookWriter
    assignment : Assignment
    records : pathlib.Path
        The folder ``grading/EXERCISE``.
    exercise : Exercise
    workers : callable
        Makes the workers, a context manager such as `OwnProcesses`; not called if there is nothing to grade.
    on_change : callable, optional
        Called with a `Progress` whenever something happened, and twice a second.
    """

    def __init__(
        self,
        writer: GradebookWriter,
        assignment: Assignment,
        records: Path,
        exercise: Exercise,
        workers: Callable[[], OwnProcesses | DaskWorkers],
        *,
        on_change: Callable[[Progress], None] | None = None,
    ):
        self._writer = writer
        self._assignment = assignment
        self._records = records
        self._exercise = exercise
        self._workers = workers
        self._on_change = on_change or (lambda progress: None)
        self._common = _common_fingerprint(exercise, assignment.files)
        self.progress = Progress()
        #: Results by student, in the order in which they came; complete also when the run was interrupted.
        self.graded: dict[str, Graded] = {}

    def grade(self, students: list[str], *, regrade: str = "changed") -> dict[str, Graded]:
        """Grade these students; whatever they handed in, each has a result.

        Parameters
        ----------
        students : list of str
        regrade : str
            ``changed``: what is new or changed; ``failed``: also what could not be graded or did not end;
            ``all``: everything.

        Returns
        -------
        dict of str to Graded

        Raises
        ------
        CourseError
            If another run is grading the exercise, or gradebook or disk cannot be written. What is graded stays.
        """
        try:
            with Journal(self._records / "journal.jsonl") as journal:
                self._grade(students, journal, regrade)
        except OSError as error:
            raise CourseError(
                f"{error.filename or self._records} cannot be written ({error.strerror}): mend that, for example free "
                f"space; {len(self.graded)} results are safe, and the same command goes on with the others."
            ) from error
        return self.graded

    def _grade(self, students: list[str], journal: Journal, regrade: str) -> None:
        graded, written = _state(journal.entries, self._writer.identity)
        present = self._writer.present(self._assignment)
        waiting: list[tuple[str, int]] = []
        self.progress = Progress()
        for student in students:
            submission = self._read(student)
            known = self._known(student, submission.fingerprint, graded.get(student))
            again = regrade == "all" or (regrade == "failed" and known and (known.reason or known.unsure))
            if known is None or known.reason == NOT_GRADED or again:
                waiting.append((student, _size(submission.collected)))
                continue
            complete = student in present and self._writer.has_folder(self._assignment, student) == known.has_notebook
            if written.get(student) != known.fingerprint or not complete:
                result = read_record(self._path(student))
                if result is None or result.fingerprint != known.fingerprint:
                    waiting.append((student, _size(submission.collected)))
                    continue
                if student not in graded or graded[student].fingerprint != known.fingerprint:
                    journal.append(event="graded", **dataclasses.asdict(known))
                self._write(journal, result, submission.collected)
            self.graded[student] = known
            self.progress.skipped += 1
        if not waiting:
            return
        self.progress.total = len(waiting)
        self._on_change(self.progress)
        with self._workers() as workers:
            self._distribute(_longest_first(waiting, graded), workers, journal)

    def _distribute(self, students: list[str], workers: OwnProcesses | DaskWorkers, journal: Journal) -> None:
        tries: dict[str, int] = {}
        while students or workers.n_running:
            while students and workers.n_running < workers.capacity:
                student = students.pop(0)
                submission = self._read(student)
                tries[student] = tries.get(student, 0) + 1
                self.progress.running[student] = time.monotonic()
                self._on_change(self.progress)
                # After a fault alone: it may have been a neighbour's, and must not be a neighbour's again.
                workers.submit(submission, alone=tries[student] > 1)
            for outcome in workers.wait(0.5):
                student = outcome.student
                since = self.progress.running.pop(student)
                if outcome.fault and tries[student] < _MOST_TRIES:
                    students.insert(0, student)
                    continue
                self._keep(journal, self._result(outcome), self._read(student).collected)
                self.progress.done += 1
                self.progress.latest = student
                took = time.monotonic() - since
                self.progress.slowest = max(self.progress.slowest, (student, took), key=lambda one: one[1])
            self._on_change(self.progress)

    def _result(self, outcome: Outcome) -> SubmissionResult:
        if not outcome.fault:
            return SubmissionResult.from_json(outcome.record)
        # Without a fingerprint, so that the next run tries again.
        return _nothing(
            self._exercise.name,
            self._assignment.notebook,
            Submission(outcome.student, Collected({}), ""),
            reason=NOT_GRADED,
            explanation="The grading of your submission failed, which says nothing about it; it will be tried again.",
            log=outcome.fault[-_LOG_LENGTH:],
        )

    def _keep(self, journal: Journal, result: SubmissionResult, collected: Collected) -> None:
        write_whole(self._path(result.student), result.to_json())
        graded = Graded.of(result)
        journal.append(event="graded", **dataclasses.asdict(graded))
        self._write(journal, result, collected)
        self.graded[result.student] = graded

    def _write(self, journal: Journal, result: SubmissionResult, collected: Collected) -> None:
        self._writer.write(self._assignment, result, collected.files)
        journal.append(
            event="in gradebook",
            student=result.student,
            fingerprint=result.fingerprint,
            gradebook=self._writer.identity,
        )

    def _read(self, student: str) -> Submission:
        try:
            collected = self._writer.collect(self._assignment, student)
        except OSError as error:
            words = f"The folder of the submission cannot be read ({error.strerror}); links are not followed."
            collected = Collected({}, {}, (Repair("removed", "", words),))
        fingerprint = _fingerprint(self._common, collected)
        files = {**collected.files, **self._assignment.files}
        return Submission(student, dataclasses.replace(collected, files=files), fingerprint)

    def _known(self, student: str, fingerprint: str, entry: Graded | None) -> Graded | None:
        """The earlier result for the same bytes, if there is one."""
        path = self._path(student)
        if entry is not None and entry.fingerprint == fingerprint and path.is_file():
            return entry
        # Killed between the record and its line in the journal: graded all the same.
        result = read_record(path)
        if result is None or result.fingerprint != fingerprint:
            return None
        return dataclasses.replace(Graded.of(result), unchanged=True)

    def _path(self, student: str) -> Path:
        return self._records / f"{student}.json"


def _state(entries: list[dict], gradebook: str) -> tuple[dict[str, Graded], dict[str, str]]:
    """The last result of each student, and the fingerprint of what this gradebook has of it."""
    graded, written = {}, {}
    for entry in entries:
        if entry.get("event") == "graded":
            known = Graded.from_entry(entry)
            if known is not None:
                graded[known.student] = known
                written.pop(known.student, None)
        elif entry.get("event") == "in gradebook" and entry.get("gradebook") == gradebook:
            written[entry["student"]] = entry.get("fingerprint")
    return graded, written


def _longest_first(waiting: list[tuple[str, int]], graded: dict[str, Graded]) -> list[str]:
    """The ones that took longest before, then the largest: a long one at the end would leave the others idle."""
    return [student for student, _ in sorted(waiting, key=lambda one: (-_took(graded, one[0]), -one[1], one[0]))]


def _took(graded: dict[str, Graded], student: str) -> float:
    # What nobody knows yet goes first, because it may be long.
    return graded[student].wall_s if student in graded else float("inf")


def _size(collected: Collected) -> int:
    return sum(map(len, (*collected.notebooks.values(), *collected.files.values())))


def _common_fingerprint(exercise: Exercise, files: dict[str, bytes]) -> bytes:
    """Of what is the same for all students: exercise, limits, packages, engine."""
    digest = hashlib.sha256(json.dumps(dataclasses.asdict(exercise), sort_keys=True).encode())
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    digest.update(_engine())
    digest.update(_packages())
    return digest.digest()


@functools.cache
def _engine() -> bytes:
    """The engine's own text: a version number would be forgotten."""
    return b"".join(Path(__file__).with_name(f"{name}.py").read_bytes() for name in _ENGINE)


@functools.cache
def _packages() -> bytes:
    """The lock of the checkout; where the course is installed without one, the versions of what is installed."""
    from importlib.metadata import distributions

    lock = Path(__file__).parent.parent / "requirements.lock"
    if lock.is_file():
        return lock.read_bytes()
    return "\n".join(sorted({f"{one.metadata['Name']}=={one.version}" for one in distributions()})).encode()


def _fingerprint(common: bytes, collected: Collected) -> str:
    digest = hashlib.sha256(common)
    for kind, files in (("notebook", collected.notebooks), ("file", collected.files)):
        for name, content in sorted(files.items()):
            digest.update(f"{kind}\0{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    digest.update(json.dumps([one.words for one in collected.repairs]).encode())
    return digest.hexdigest()
