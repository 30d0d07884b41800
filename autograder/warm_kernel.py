"""Jupyter kernels that are forked from a warm server instead of started: TensorFlow is there in a fraction of a second.

A provisioner of `jupyter_client`, named ``course-warm``; nbclient, papermill, nbgrader and JupyterLab use it without
knowing, through the kernel "Course (warm)" or, for every Python kernel of a process, through
``JUPYTER_DEFAULT_PROVISIONER_NAME=course-warm``. Whatever cannot be forked (another interpreter, an environment that
TensorFlow reads while it is imported, a system other than Linux) starts as it always did, with one warning that says
why.

With ``isolation`` set the kernel runs in the sandbox: on a copy of its folder, with no network, talking to its client
over unix sockets. Nothing is then started cold, because a cold kernel would not be isolated.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path

from jupyter_client.provisioning import LocalProvisioner
from traitlets import Enum, Unicode

from autograder.errors import CourseError
from autograder.isolation import Level
from autograder.warm_server import FROZEN_VARIABLES, PROFILES, WarmServer, request_fork

#: Announces a running server to the processes below: JSON with its address, profile and frozen variables.
ANNOUNCEMENT = "COURSE_WARM_SERVER"

#: What holds if a frozen variable is not set.
_USUAL = {"KERAS_BACKEND": "tensorflow"}

_own_servers: dict[tuple, WarmServer] = {}
_own_servers_lock = threading.Lock()
_peak_megabytes = 0.0


def announcement(server: WarmServer) -> dict[str, str]:
    """Return the environment variable by which kernels of other processes find this server.

    Examples
    --------
    >>> with WarmServer("plain") as server:
    ...     list(announcement(server))
    ['COURSE_WARM_SERVER']
    """
    frozen = _frozen(server.environment)
    return {ANNOUNCEMENT: json.dumps({"address": server.address, "profile": server.profile, "frozen": frozen})}


def peak_megabytes() -> float:
    """Largest resident memory of the warm kernels of this process that have ended, 0 if there was none.

    A forked kernel is no child of the process that runs the notebook, so the system's own count misses it.
    """
    return _peak_megabytes


class WarmProvisioner(LocalProvisioner):
    """Forks the kernel; in everything else a `jupyter_client.provisioning.LocalProvisioner`."""

    isolation = Enum(
        ["", *map(str, Level)],
        default_value="",
        config=True,
        help="The isolation level of the kernel, none if empty. With one, it talks over unix sockets.",
    )
    profile = Unicode("tensorflow", config=True, help=f"What the server has imported: one of {', '.join(PROFILES)}.")

    _sockets: str | None = None

    async def pre_launch(self, **kwargs):
        if self.isolation and self.parent is not None:
            # There is no network in the sandbox. Short, because a socket's name may have 107 characters.
            if self._sockets is None:
                self._sockets = tempfile.mkdtemp(prefix="course-kernel-", dir="/tmp")
                os.chmod(self._sockets, 0o700)
            self.parent.transport = "ipc"
            self.parent.ip = os.path.join(self._sockets, "socket")
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd, **kwargs):
        environment = dict(kwargs.get("env") or os.environ)
        try:
            arguments = _arguments_of_kernel(cmd)
            # In a thread: the first fork waits for the server's imports, and JupyterLab serves others meanwhile.
            forked = await asyncio.to_thread(self._fork, arguments, environment, kwargs)
        except CourseError as error:
            if self.isolation:
                raise
            self.log.warning("The kernel starts cold: %s", error)
            return await super().launch_kernel(cmd, **kwargs)
        self.process = _WarmProcess(forked)
        self.pid = forked.pid
        # Signals go through the server, which is the parent: the number cannot meanwhile belong to somebody else.
        self.pgid = None
        self.cwd = kwargs.get("cwd", os.getcwd())
        return self.connection_info

    def _fork(self, arguments, environment, kwargs):
        descriptors = {}
        for name, usual in (("stdout", 1), ("stderr", 2)):
            given = kwargs.get(name)
            descriptors[name] = given if isinstance(given, int) and given >= 0 else usual
        inherited = {name: value for name, value in environment.items() if name != ANNOUNCEMENT}
        options = {
            "descriptors": descriptors,
            "folder": kwargs.get("cwd") or os.getcwd(),
            "environment": inherited,
        }
        task = {"argv": arguments, "connection": None}
        if self.isolation:
            # The connection file lies where the sandbox does not reach. Nothing of our environment goes in.
            task["connection"] = self.parent.get_connection_info()
            task["connection"]["key"] = task["connection"]["key"].decode()
            options |= {
                "level": Level(self.isolation),
                "folder": kwargs.get("cwd"),
                "environment": {},
                "writable": (self._sockets,),
            }
        return request_fork(self._address(environment), "autograder.warm_kernel:run_kernel", task, **options)

    def _address(self, environment: dict[str, str]) -> str:
        """The server that was announced, if it fits, or one of our own."""
        if self.profile not in PROFILES:
            raise CourseError(f"The profile must be one of {', '.join(PROFILES)}, not {self.profile!r}.")
        wanted = _frozen(environment)
        if ANNOUNCEMENT in environment:
            announced = json.loads(environment[ANNOUNCEMENT])
            if announced["frozen"] != wanted:
                raise CourseError(f"the warm server has {announced['frozen']}, this kernel wants {wanted}")
            return announced["address"]
        with _own_servers_lock:
            key = (self.profile, *wanted.items())
            if key not in _own_servers:
                home = {"HOME": environment["HOME"]} if "HOME" in environment and not self.isolation else {}
                _own_servers[key] = WarmServer(self.profile, environment=wanted | home)
                atexit.register(_own_servers[key].close)
            return _own_servers[key].address

    async def kill(self, restart: bool = False) -> None:
        if isinstance(self.process, _WarmProcess):
            self.process.kill()
        else:
            await super().kill(restart=restart)

    async def cleanup(self, restart: bool = False) -> None:
        if self._sockets is not None and not restart:
            shutil.rmtree(self._sockets, ignore_errors=True)
            self._sockets = None
        await super().cleanup(restart=restart)


class _WarmProcess:
    """A forked kernel with the face of `subprocess.Popen`, as far as `LocalProvisioner` looks at it."""

    stdin = stdout = stderr = None

    def __init__(self, forked):
        self._forked = forked
        self.pid = forked.pid

    @property
    def returncode(self) -> int | None:
        return self._forked.returncode

    def poll(self) -> int | None:
        return self._forked.poll()

    def wait(self, timeout: float | None = None) -> int:
        global _peak_megabytes
        status = self._forked.wait(timeout)
        _peak_megabytes = max(_peak_megabytes, self._forked.usage()[1])
        self._forked.close()
        return status

    def send_signal(self, number: int) -> None:
        self._forked.send_signal(number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self._forked.kill()


def _frozen(environment: dict[str, str]) -> dict[str, str]:
    frozen = {name: environment.get(name, _USUAL.get(name)) for name in FROZEN_VARIABLES}
    return {name: value for name, value in frozen.items() if value is not None}


def _arguments_of_kernel(command: list[str]) -> list[str]:
    """What follows ``python -m ipykernel_launcher``; a CourseError if it is another kind of kernel."""
    if sys.platform != "linux":
        raise CourseError(
            f"forking after an import of TensorFlow is known to be safe on Linux only, not on {sys.platform}"
        )
    own = {sys.executable, os.path.realpath(sys.executable)}
    if os.path.realpath(command[0]) not in own or command[1:3] != ["-m", "ipykernel_launcher"]:
        raise CourseError(f"{' '.join(command[:3])} is no ipykernel of this interpreter ({sys.executable})")
    return command[3:]


def run_kernel(arguments: dict, descriptors: dict[str, int]) -> None:
    """In the forked process: be an IPython kernel until the client shuts it down."""
    from ipykernel.kernelapp import IPKernelApp

    if arguments["connection"] is not None:
        path = Path(os.environ["TMPDIR"], "kernel.json")
        path.write_text(json.dumps(arguments["connection"]))
        argv = list(arguments["argv"])
        argv[argv.index("-f") + 1] = str(path)
    else:
        argv = arguments["argv"]
    # An interpreter that starts would have read these.
    sys.path[:0] = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.argv = ["ipykernel_launcher", *argv]
    try:
        # 1 stands for a parent that need not be watched: the server sees to our end.
        IPKernelApp.launch_instance(argv, parent_handle=1)
    finally:
        # The forked child ends without the interpreter's own end: what was registered must run all the same.
        atexit._run_exitfuncs()
