"""A fork server that has imported what every notebook imports, so that a process with TensorFlow is there at once.

Importing TensorFlow costs five to ten seconds of CPU time; a fork of a process that has done it costs some
milliseconds and shares its memory. The server imports and does nothing else. It never runs a TensorFlow operation,
because a child forked after one hangs in its first fit: before each fork it compares its number of threads with the
one it had after the imports, refuses when they differ, and is then replaced by a fresh one.

Its children inherit its memory, so it holds no secret: no test, no name of a student, no address of a database. It
starts with an environment made from an allow-list. It listens on a socket in a folder that only its user can enter,
and answers its own user only, and nobody whom it forked.

Nothing outlives the owner: the server ends when the owner's pipe closes, the forked processes end with the connection
that asked for them, with the server, or with their namespace.
"""

from __future__ import annotations

import array
import contextlib
import gc
import importlib
import json
import os
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from dataclasses import asdict, dataclass, field
from pathlib import Path

from autograder import isolation
from autograder.errors import CourseError
from autograder.isolation import Level, Limits

#: What each profile has imported. IPython and ipykernel make a forked kernel as quick as a forked TensorFlow.
PROFILES = {
    "plain": ("numpy.random", "IPython.core.interactiveshell", "ipykernel.kernelapp", "course_lib.front_end"),
    "tensorflow": (
        *("numpy.random", "tensorflow", "keras", "IPython.core.interactiveshell", "ipykernel.kernelapp"),
        "course_lib.front_end",
    ),
}

#: Taken over from the owner's environment; everything else stays behind.
KEPT_VARIABLES = ("PATH", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_NUMERIC", "TZ", "LD_LIBRARY_PATH", "TMPDIR")

#: Two threads at most, as everywhere in the course; no graphics card, which a fork could not share.
SERVER_ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_NUM_INTRAOP_THREADS": "2",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "2",
    "OPENBLAS_NUM_THREADS": "2",
    "CUDA_VISIBLE_DEVICES": "-1",
    # Each arena of the allocator reserves 64 MB of address space, which the memory limit counts.
    "MALLOC_ARENA_MAX": "4",
}

#: Read when TensorFlow and Keras are imported: a forked process cannot change them any more. Problem sets that set
#: one of them in their first cell need a server of their own.
FROZEN_VARIABLES = ("TF_ENABLE_ONEDNN_OPTS", "KERAS_BACKEND", "KERAS_HOME", "TF_USE_LEGACY_KERAS")

#: How often the server looks at what the trees of its children use.
WATCH_SECONDS = 0.1

#: A server that has not imported its modules by then is given up; a busy machine may need a minute.
START_SECONDS = 300.0

#: A request is larger only by mistake: send what is large through a descriptor.
LARGEST_REQUEST_BYTES = 16_000_000


class ForkedProcess:
    """A process (with all that it started) which the server forked for us. It ends when this object is closed.

    Attributes
    ----------
    pid : int
        The process, as numbered outside its isolation.
    level : Level or None
        The isolation that it runs behind.
    """

    def __init__(self, connection: socket.socket, reply: dict, rest: bytes, level: Level | None):
        self.pid: int = reply["pid"]
        self.level = level
        self._connection = connection
        self._received = rest
        self._ended: dict | None = None
        self._usage = (0.0, 0.0)
        self._n_answers = 0
        self._lock = threading.RLock()

    @property
    def returncode(self) -> int | None:
        """Exit status as of `subprocess.Popen` (minus the signal), as far as known: `poll` looks for it."""
        return None if self._ended is None else self._ended["returncode"]

    @property
    def ended_by(self) -> str:
        """What ended it: "" (itself, or not ended yet), ``cpu``, ``memory``, ``wall``, ``server`` or ``signal N``.

        ``server``: the server ended, and with it whatever it had forked, which says nothing about the process.
        ``signal 9`` after `kill`, ``signal 11`` after a segmentation fault. ``memory`` means that the tree grew
        beyond its limit; a single request that was refused raises MemoryError in the process instead.
        """
        return "" if self._ended is None else self._ended["ended_by"]

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        with self._lock:
            self._receive(0.0)
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status once the whole tree is gone.

        Raises
        ------
        TimeoutError
            If it still runs after `timeout` seconds.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError(f"process {self.pid} still runs after {timeout:g} s")
            # Short waits: another thread may want the lock, to kill.
            with selectors.DefaultSelector() as selector, contextlib.suppress(ValueError, OSError):
                selector.register(self._connection, selectors.EVENT_READ)
                selector.select(min(left, 1.0) if left is not None else 1.0)
        return self.returncode

    def kill(self) -> None:
        """End the whole tree; `wait` returns when it is gone. Nothing happens if it has ended."""
        self._send({"kill": True})

    def send_signal(self, number: int) -> None:
        """Send a signal to the process group of the process itself. Nothing happens if it has ended."""
        self._send({"signal": int(number)})

    def usage(self) -> tuple[float, float]:
        """Return CPU seconds of the tree and peak memory in megabytes of its largest process.

        The memory is what is resident, what it shares with the server included.
        """
        with self._lock:
            if self.poll() is None:
                before = self._n_answers
                self._send({"usage": True})
                until = time.monotonic() + 10
                while self._ended is None and self._n_answers == before and time.monotonic() < until:
                    self._receive(0.1)
            return self._usage

    def fileno(self) -> int:
        """A descriptor that becomes readable when there is news (for select)."""
        return self._connection.fileno()

    def close(self) -> None:
        """Let go of the process; it is killed if it still runs."""
        with self._lock:
            if self._ended is None:
                self._ended = {"returncode": -signal.SIGKILL, "ended_by": f"signal {int(signal.SIGKILL)}"}
            self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.kill()
        with contextlib.suppress(TimeoutError):
            self.wait(30)
        self.close()

    def _send(self, request: dict) -> None:
        with self._lock:
            if self._ended is None:
                with contextlib.suppress(OSError):
                    self._connection.sendall(json.dumps(request).encode() + b"\n")

    def _receive(self, seconds: float) -> None:
        while self._ended is None:
            while b"\n" in self._received:
                line, self._received = self._received.split(b"\n", 1)
                news = json.loads(line)
                self._usage = tuple(news["usage"])
                self._n_answers += 1
                seconds = 0.0  # this is what was waited for
                if "returncode" in news:
                    self._ended = news
                    return
            self._connection.settimeout(seconds)
            try:
                more = self._connection.recv(65536)
            except (BlockingIOError, TimeoutError):
                return
            except OSError:
                more = b""
            finally:
                with contextlib.suppress(OSError):
                    self._connection.settimeout(30)
            if not more:
                # The server is gone, and the kernel has ended with it whatever it had forked.
                self._ended = {"returncode": -signal.SIGKILL, "ended_by": "server"}
            self._received += more


class ServerGone(CourseError):
    """Nobody answers at the address, or not to the end."""


class ServerRefused(CourseError):
    """The server has more threads than after its imports: what it forked might hang."""


def request_fork(
    address: str,
    entry: str,
    arguments: dict,
    *,
    descriptors: dict[str, int] | None = None,
    folder: Path | str | None = None,
    level: Level | None = None,
    limits: Limits | None = None,
    environment: dict[str, str] | None = None,
    readable: tuple = (),
    writable: tuple = (),
) -> ForkedProcess:
    """Ask the server at `address` for a process; `WarmServer.fork` is the usual way and explains the parameters.

    Raises
    ------
    ServerRefused
        If the server must not fork any more.
    ServerGone
        If there is no server.
    CourseError
        If the isolation failed.
    """
    descriptors = descriptors or {}
    request = {
        "entry": entry,
        "arguments": arguments,
        "descriptors": list(descriptors),
        "folder": None if folder is None else os.fspath(Path(folder).absolute()),
        "level": level,
        "limits": None if limits is None else asdict(limits),
        "environment": environment or {},
        "readable": [os.fspath(Path(path).absolute()) for path in readable],
        "writable": [os.fspath(Path(path).absolute()) for path in writable],
    }
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(START_SECONDS)
    try:
        try:
            connection.connect(address)
            text = json.dumps(request).encode() + b"\n"
            if len(text) > LARGEST_REQUEST_BYTES:
                raise CourseError(f"The arguments of {entry} are {len(text)} bytes: send them through a descriptor.")
            first = connection.sendmsg(
                [text],
                [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors.values()))] if descriptors else [],
            )
            if first < len(text):
                connection.sendall(text[first:])
            # Else not even nothing may be sent: the server may have answered and hung up.
            received = b""
            while b"\n" not in received:
                more = connection.recv(65536)
                if not more:
                    raise ConnectionError("it closed the connection")
                received += more
        except OSError as error:
            raise ServerGone(f"The warm server at {address} does not answer ({error}).") from error
        line, rest = received.split(b"\n", 1)
        reply = json.loads(line)
        if "refused" in reply:
            raise ServerRefused(reply["refused"])
        if "error" in reply:
            raise CourseError(reply["error"])
        return ForkedProcess(connection, reply, rest, level)
    except BaseException:
        connection.close()
        raise


class WarmServer:
    """A fork server and its end: a context manager around one server process.

    Parameters
    ----------
    profile : str
        What it imports: ``tensorflow`` or ``plain`` (no TensorFlow).
    environment : dict of str to str, optional
        Added to the server's environment before it imports; for `FROZEN_VARIABLES`.
    preload : tuple of str
        Further modules to import. They may define things; they must not run TensorFlow or start threads.
    search_path : tuple of path
        Folders to put before Python's own path.

    Attributes
    ----------
    address : str
        The path of its socket; `request_fork` takes it.
    profile : str
    environment : dict of str to str

    Examples
    --------
    >>> with WarmServer("plain") as server:
    ...     with server.fork("builtins:print", {"text": "written to /dev/null"}) as process:
    ...         process.wait(60)
    0
    """

    def __init__(self, profile: str = "tensorflow", *, environment=None, preload=(), search_path=()):
        if profile not in PROFILES:
            raise CourseError(f"The profile must be one of {', '.join(PROFILES)}, not {profile!r}.")
        if not hasattr(os, "fork"):
            raise CourseError("A warm server needs a system with fork (Linux, macOS, or Windows with WSL).")
        self.profile = profile
        self.environment = dict(environment or {})
        self._preload = tuple(preload)
        self._search_path = [os.fspath(Path(path).absolute()) for path in search_path]
        self._process: subprocess.Popen | None = None
        self._folder: Path | None = None
        self._lifeline = -1
        self._lock = threading.Lock()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.close()

    @property
    def imports(self) -> tuple:
        """What its processes have at their start; equal ones can stand in for each other."""
        return self.profile, self.environment, self._preload, self._search_path

    @property
    def address(self) -> str:
        self.start()
        return str(self._folder / "socket" / "fork")

    @property
    def pid(self) -> int:
        """The server process."""
        self.start()
        return self._process.pid

    def start(self, *, survive_exec: bool = False) -> None:
        """Start the server unless it runs. Returns at once: the first fork waits for the imports.

        `survive_exec` keeps it through an ``exec`` of this process (by its process number it stays the owner).
        """
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return
            self._end()
            self._folder = _make_folder()
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            lifeline, self._lifeline = os.pipe()
            try:
                # Bound here, so that whoever asks may ask at once.
                listener.bind(str(self._folder / "socket" / "fork"))
                listener.listen(128)
                configuration = {
                    "modules": [*PROFILES[self.profile], *self._preload],
                    "search_path": self._search_path,
                    "folder": str(self._folder),
                    "owner": os.getpid(),
                    "lifeline": lifeline,
                    "listener": listener.fileno(),
                }
                kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
                with (self._folder / "log").open("wb") as log:
                    self._process = subprocess.Popen(
                        [
                            *(sys.executable, "-P", "-c"),
                            "from autograder.warm_server import _serve; _serve()",
                            json.dumps(configuration),
                        ],
                        env=kept | SERVER_ENVIRONMENT | {"HOME": str(self._folder / "home")} | self.environment,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        pass_fds=(lifeline, listener.fileno()),
                        # Ctrl-C in the terminal is for its owner, which then ends it.
                        start_new_session=True,
                        cwd="/",
                    )
            except BaseException:
                self._end()
                raise
            finally:
                os.close(lifeline)
                listener.close()
            os.set_inheritable(self._lifeline, survive_exec)

    def fork(
        self,
        entry: str,
        arguments: dict,
        *,
        descriptors: dict[str, int] | None = None,
        folder: Path | None = None,
        level: Level | None = None,
        limits: Limits | None = None,
        environment: dict[str, str] | None = None,
        readable: tuple = (),
        writable: tuple = (),
    ) -> ForkedProcess:
        """Fork a process that calls ``entry`` behind its isolation.

        Parameters
        ----------
        entry : str
            ``module:function``, called in the child as ``function(arguments, descriptors)``. Its return ends the
            process with status 0, an exception with 1.
        arguments : dict
            Plain JSON data.
        descriptors : dict of str to int
            Open descriptors of ours to pass on; the function gets the same names with their numbers in the child.
            ``stdout`` and ``stderr`` take their usual places. Everything else that was open is closed there; standard
            input, and output where it is not passed, are ``/dev/null``.
        folder : pathlib.Path, optional
            The working folder is a copy of it (with a `level`), or it itself.
        level : Level, optional
            The isolation; none if not given.
        limits : Limits, optional
            Default ones with a level, none without.
        environment : dict of str to str, optional
            With a level: added to the server's, which has nothing of its owner's but `KEPT_VARIABLES`. Without: the
            whole environment, the server's if not given.
        readable, writable : tuple of path
            Further paths that the process may see (a data folder), or write (for sockets).

        Returns
        -------
        ForkedProcess

        Raises
        ------
        CourseError
            If the server cannot be started, or a step of the isolation fails.
        """
        options = {
            "descriptors": descriptors,
            "folder": folder,
            "level": level,
            "limits": limits,
            "environment": environment,
            "readable": readable,
            "writable": writable,
        }
        self.start()
        try:
            return request_fork(self.address, entry, arguments, **options)
        except ServerRefused:
            # Never fork what might hang: import anew, which costs what every process cost without a server.
            self.close()
            self.start()
            return request_fork(self.address, entry, arguments, **options)
        except ServerGone as error:
            # Its socket closes a moment before it is gone.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(30)
            if self._process.poll() is None:
                raise
            log = (self._folder / "log").read_text(errors="replace").strip().splitlines()
            raise CourseError(
                f"The warm server ended (status {self._process.returncode}): {''.join(log[-1:]) or error}"
            ) from error

    def close(self) -> None:
        """End the server and everything that it forked."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        if self._process is not None:
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _make_folder() -> Path:
    """A folder for the socket, the log and the homes, short enough for the name of a socket."""
    folder = tempfile.mkdtemp(prefix="course-warm-")
    if len(folder) > 60:
        os.rmdir(folder)
        folder = tempfile.mkdtemp(prefix="course-warm-", dir="/tmp")
    folder = Path(folder)
    # An unprivileged user must pass through to the home that is made for it; the socket is behind a closed door.
    folder.chmod(0o711)
    for name in ("socket", "home"):
        (folder / name).mkdir(mode=0o700)
    return folder


# ---------------------------------------------------------------------------------------------------------------------
# The server process
# ---------------------------------------------------------------------------------------------------------------------


@dataclass
class _Client:
    """A connection: first a request, later wishes about the process that it got."""

    connection: socket.socket
    received: bytes = b""
    descriptors: list[int] = field(default_factory=list)
    tree: _Tree | None = None


@dataclass
class _Tree:
    """A forked process and what it started."""

    launched: isolation.Launched
    limits: Limits | None
    client: _Client
    started: float = field(default_factory=time.monotonic)
    #: Why we ended it: cpu, memory, wall, server or "".
    reason: str = ""
    #: Of the last look.
    cpu_s: float = 0.0
    peak_mb: float = 0.0
    growth_mb: float = 0.0
    address_space_mb: float = 0.0


def _serve() -> None:
    configuration = json.loads(sys.argv[1])
    try:
        _Server(configuration).run()
    finally:
        # A living owner reads the log first and removes the folder itself.
        if os.getppid() != configuration["owner"] or sys.exc_info()[0] is None:
            shutil.rmtree(configuration["folder"], ignore_errors=True)


class _Guard:
    """A process of its own that ends the sessions of the forked processes should the server be killed.

    What the server forks dies with it by order of the kernel, but not what those processes started. With namespaces
    the end of their init ends all; at the other levels only somebody who is still there can do it. The guard reads
    from a pipe which sessions there are; the end of the pipe is the end of the server.
    """

    def __init__(self):
        reader, self._writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                self._stand_by(reader)
                status = 0
            finally:
                os._exit(status)
        os.close(reader)

    @staticmethod
    def _stand_by(reader: int) -> None:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        isolation.close_all_but({reader})
        sessions: set[int] = set()
        with os.fdopen(reader) as orders:
            for order in orders:
                (sessions.add if order[0] == "+" else sessions.discard)(int(order[1:]))
        for session in sessions:
            _end_session(session)

    def watch(self, session: int) -> None:
        """Remember a session."""
        self._order("+", session)

    def forget(self, session: int) -> None:
        """It has ended."""
        self._order("-", session)

    def _order(self, sign: str, session: int) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self._writer, f"{sign}{session}\n".encode())

    def dismiss(self) -> None:
        """Let it end; whatever is still remembered is ended by it."""
        os.close(self._writer)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


class _Server:
    def __init__(self, configuration: dict):
        self.owner = configuration["owner"]
        self.folder = Path(configuration["folder"])
        self.lifeline = configuration["lifeline"]
        self.listener = socket.socket(fileno=configuration["listener"])
        self.listener.setblocking(False)
        self.trees: dict[int, _Tree] = {}
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        # What is orphaned below us comes to us, so that none of it escapes.
        isolation.become_subreaper()
        sys.path[:0] = configuration["search_path"]
        for module in configuration["modules"]:
            importlib.import_module(module)
        sys.argv = [""]
        # Objects of the imports are never freed; moving them out of the collector's sight keeps their pages shared.
        gc.collect()
        gc.freeze()
        # OpenBLAS ends its idle thread before a fork: after this one, the number of threads stays.
        if (child := os.fork()) == 0:
            os._exit(0)
        os.waitpid(child, 0)
        self.n_threads = _n_threads()
        self.guard = _Guard()
        self.selector = selectors.DefaultSelector()
        self.wake, wake_writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else _pipe()
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
        for source, action in ((self.listener, self._accept), (self.wake, self._reap), (self.lifeline, None)):
            self.selector.register(source, selectors.EVENT_READ, action)

    def run(self) -> None:
        try:
            # The pipe tells at once that the owner is gone; its copies in other children of the owner could hide it.
            while os.getppid() == self.owner:
                watched = any(tree.limits for tree in self.trees.values())
                for key, _ in self.selector.select(WATCH_SECONDS if watched else 1.0):
                    if key.data is None:
                        return
                    if isinstance(key.data, _Client):
                        self._hear(key.data)
                    else:
                        key.data()
                if watched:
                    for tree in list(self.trees.values()):
                        self._watch(tree)
        finally:
            for tree in list(self.trees.values()):
                tree.reason = tree.reason or "server"
                self._kill(tree)
            until = time.monotonic() + 10
            while self.trees and time.monotonic() < until:
                self.selector.select(0.1)
                self._reap()
            self.guard.dismiss()

    # Talking

    def _accept(self) -> None:
        connection, _ = self.listener.accept()
        if not _may_ask(connection):
            connection.close()
            return
        connection.setblocking(False)
        self.selector.register(connection, selectors.EVENT_READ, _Client(connection))

    def _hear(self, client: _Client) -> None:
        try:
            more, descriptors, _, _ = socket.recv_fds(client.connection, 65536, 64)
        except BlockingIOError:
            return
        except OSError:
            more, descriptors = b"", []
        client.descriptors += descriptors
        client.received += more
        if not more or len(client.received) > LARGEST_REQUEST_BYTES:
            self._forget(client)
            return
        while b"\n" in client.received:
            line, client.received = client.received.split(b"\n", 1)
            try:
                self._answer(client, json.loads(line))
            except Exception as error:
                # A broken request must not end those that others have running.
                traceback.print_exc()
                self._tell(client, {"error": f"The request was not understood ({type(error).__name__}: {error})."})
                self._forget(client)
                return

    def _answer(self, client: _Client, request: dict) -> None:
        if client.tree is None:
            self._fork(client, request)
        elif "kill" in request:
            self._kill(client.tree)
        elif "signal" in request:
            self._signal(client.tree, request["signal"])
        elif "usage" in request:
            self._look(client.tree)
            self._tell(client, {"usage": [client.tree.cpu_s, client.tree.peak_mb]})

    def _tell(self, client: _Client, message: dict) -> None:
        # Whoever has hung up meanwhile misses it.
        with contextlib.suppress(OSError):
            client.connection.settimeout(5)
            client.connection.sendall(json.dumps(message).encode() + b"\n")
            client.connection.setblocking(False)

    def _forget(self, client: _Client) -> None:
        """The connection is gone: so is the process."""
        if client.connection.fileno() < 0:
            return
        for descriptor in client.descriptors:
            os.close(descriptor)
        client.descriptors = []
        self.selector.unregister(client.connection)
        client.connection.close()
        if client.tree is not None:
            self._kill(client.tree)

    # Forking

    def _fork(self, client: _Client, request: dict) -> None:
        names = request["descriptors"]
        if _n_threads() != self.n_threads:
            self._tell(
                client,
                {
                    "refused": f"The warm server has {_n_threads()} threads instead of {self.n_threads}: "
                    "a process forked from it could hang."
                },
            )
            self._forget(client)
            return
        passed = dict(zip(names, client.descriptors, strict=True))
        level = None if request["level"] is None else Level(request["level"])
        limits = None if request["limits"] is None else Limits(**request["limits"])
        if level is not None:
            limits = limits or Limits()
        environment = request["environment"]
        if level is not None or not environment:
            environment = dict(os.environ) | environment
        try:
            launched = isolation.launch(
                lambda: _run_entry(request["entry"], request["arguments"], passed),
                level=level,
                folder=request["folder"],
                limits=limits,
                readable=tuple(request["readable"]),
                writable=tuple(request["writable"]),
                scratch=self.folder,
                environment=environment,
            )
        except (OSError, CourseError) as error:
            self._tell(client, {"error": f"No process could be started for {request['entry']}: {error}"})
            self._forget(client)
            return
        for descriptor in client.descriptors:
            os.close(descriptor)
        client.descriptors = []
        client.tree = _Tree(launched, limits, client)
        self.trees[launched.root_pid] = client.tree
        if launched.report is None and level is not None:
            self.guard.watch(launched.root_pid)
        self._tell(client, {"pid": launched.pid})

    # Watching and ending

    def _look(self, tree: _Tree) -> None:
        """Take the CPU seconds and the memory of the whole tree from /proc."""
        pids = _descendants(tree.launched.root_pid)
        if not pids:
            return
        tree.cpu_s = max(tree.cpu_s, sum(map(_cpu_s, pids)))
        memory = [_memory_mb(pid) for pid in pids]
        tree.address_space_mb = max(one.get("VmSize", 0.0) for one in memory)
        tree.peak_mb = max(tree.peak_mb, *(one.get("VmHWM", 0.0) for one in memory))
        tree.growth_mb = sum(one.get(name, 0.0) for one in memory for name in ("RssAnon", "RssShmem", "VmSwap"))
        if tree.limits and tree.growth_mb > tree.limits.memory_mb:
            # Counted so, each process has all that it shares with us; counting shares costs more and is seldom needed.
            tree.growth_mb = sum(map(_share_mb, pids))

    def _watch(self, tree: _Tree) -> None:
        if tree.limits is None or tree.reason:
            return
        self._look(tree)
        if tree.growth_mb > tree.limits.memory_mb:
            tree.reason = "memory"
        elif tree.cpu_s > tree.limits.cpu_s + 0.5:
            tree.reason = "cpu"  # a little later than the kernel ends a single process that used it all
        elif time.monotonic() - tree.started > tree.limits.wall_s:
            tree.reason = "wall"
        if tree.reason:
            self._kill(tree)

    def _kill(self, tree: _Tree) -> None:
        # Whoever ends with the init of its namespace is waited for by nobody, and leaves no numbers behind.
        self._look(tree)
        # We are its parent and have not reaped it, so the number is still its own.
        with contextlib.suppress(ProcessLookupError):
            os.kill(tree.launched.root_pid, signal.SIGKILL)

    def _signal(self, tree: _Tree, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(os.getpgid(tree.launched.pid), number)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self.wake, 4096):
                pass
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            tree = self.trees.pop(pid, None)
            if tree is not None:
                self._bury(tree, status, usage)

    def _bury(self, tree: _Tree, status: int, usage) -> None:
        """The process is gone: end what it left behind, tell its owner, clear up."""
        launched = tree.launched
        if launched.report is not None:
            # The init's own status says nothing; it wrote that of the process, unless it was killed.
            launched.report.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                status = int(launched.report.recv(100) or status)
            launched.report.close()
        elif launched.level is not None:
            _end_session(launched.root_pid)
            self.guard.forget(launched.root_pid)
        if launched.scratch is not None:
            shutil.rmtree(launched.scratch, ignore_errors=True)
        cpu_s = usage.ru_utime + usage.ru_stime
        peak_mb = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
        returncode = os.waitstatus_to_exitcode(status)
        self._tell(
            tree.client,
            {
                "returncode": returncode,
                "ended_by": _cause(tree, returncode, cpu_s),
                "usage": [max(cpu_s, tree.cpu_s), max(peak_mb, tree.peak_mb)],
            },
        )


def _cause(tree: _Tree, returncode: int, cpu_s: float) -> str:
    if tree.reason:
        return tree.reason
    if returncode >= 0:
        return ""
    number = -returncode
    if tree.limits is not None and tree.launched.level is not None:
        if number == signal.SIGXCPU or (number == signal.SIGKILL and cpu_s >= tree.limits.cpu_s):
            return "cpu"
        # A C++ library that was refused memory aborts; then the last look saw the address space nearly full.
        full = 0.8 * tree.limits.memory_mb
        if number in (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS) and tree.growth_mb > full:
            return "memory"
    return f"signal {number}"


def _run_entry(entry: str, arguments: dict, descriptors: dict[str, int]) -> None:
    """In the forked child, behind its isolation: keep what was passed, forget the rest, and go."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(descriptors.get(name, nowhere), number)
    isolation.close_all_but({number for name, number in descriptors.items() if name not in ("stdout", "stderr")})
    if "numpy" in sys.modules:
        # Python's own generator starts anew in a fork, numpy's global one does not: all would draw the same numbers.
        sys.modules["numpy"].random.seed()
    module, _, function = entry.partition(":")
    getattr(importlib.import_module(module), function)(
        arguments, {name: {"stdout": 1, "stderr": 2}.get(name, number) for name, number in descriptors.items()}
    )


def _may_ask(connection: socket.socket) -> bool:
    """Only our own user, and nobody whom we forked: a weakly isolated process may be our own user."""
    if sys.platform != "linux":
        return True  # the folder of the socket is closed to others
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _ = struct.unpack("3i", credentials)
    if uid not in (os.geteuid(), 0):
        return False
    while pid > 1:
        pid = _parent(pid)
        if pid == os.getpid():
            return False
    return True


def _pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    return reader, writer


# ---------------------------------------------------------------------------------------------------------------------
# Looking at processes (Linux; elsewhere nothing is seen)
# ---------------------------------------------------------------------------------------------------------------------


def _n_threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on; the second may hold anything. Empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return []


def _parent(pid: int) -> int:
    return int((_stat(pid) or ["", "0"])[1])


def _cpu_s(pid: int) -> float:
    """Own CPU seconds, and those of children that it has reaped."""
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _memory_mb(pid: int) -> dict[str, float]:
    """The sizes in /proc/PID/status in megabytes, by their names there."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    except OSError:
        return {}
    return {line.partition(":")[0]: int(line.split()[1]) * 1024 / 1e6 for line in lines if line.endswith(" kB")}


def _share_mb(pid: int) -> float:
    """Memory without what lies in files, each page divided among those who share it."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    names = ("Pss_Anon", "Pss_Shmem", "SwapPss")
    return sum(int(line.split()[1]) for line in lines if line.partition(":")[0] in names) * 1024 / 1e6


def _descendants(pid: int) -> list[int]:
    """The process and all below it."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        try:
            threads = os.listdir(f"/proc/{one}/task")
        except OSError:
            continue
        for thread in threads:
            with contextlib.suppress(OSError):
                waiting += map(int, Path(f"/proc/{one}/task/{thread}/children").read_text().split())
    return found


def _end_session(session: int) -> None:
    """Kill what the leader of a session left behind. Behind isolation nobody can leave its session or its group."""
    # The group in one stroke: who forks and ends again and again would be missed by any walk through /proc.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGKILL)
    # Without libseccomp the group can be left.
    for _ in range(100):
        left = []
        for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
            if name.isdigit() and int(name) != os.getpid():
                fields = _stat(int(name))
                if fields and fields[3] == str(session) and fields[0] not in "ZX":
                    left.append(int(name))
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
