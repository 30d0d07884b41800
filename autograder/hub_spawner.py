"""Start each user's server under a number of its own, in a folder of its own, with limits.

What is kept apart, and how: files by their owner (home folders with mode 0700), processes and their memory by the
user number, kernels by sockets in a private folder instead of ports of the machine, which everybody on it could
listen to. What is not: the network, and what the machine shows to everybody (see ``docs/class_on_one_machine.md``).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import resource
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil
from jupyterhub.spawner import LocalProcessSpawner
from traitlets import Bool, Float, Integer, Set, Unicode

from autograder.hub_users import UserNumbers
from autograder.lab import QUIET_TENSORFLOW
from autograder.other_user import become
from autograder.single_user import CLASS_VARIABLE, COURSE_VARIABLE

#: The services of a class, which start and end with the hub.
SERVICES = ("exchange", "watch", "idle-culler")

#: Processes and threads of one user: TensorFlow takes some twenty a kernel.
MOST_PROCESSES = 400

#: How the folders in /tmp begin that hold the sockets of servers.
_PRIVATE = "course-server-"

#: How much of a busy machine all users together get, against one process outside; it would else be as much as that.
_WEIGHT = 10

#: A tenth of a second, in microseconds: the period in which the system hands out CPU time.
_CPU_PERIOD_US = 100_000


@dataclass(frozen=True)
class Identity:
    """The user and group numbers and further groups of a server, and its home."""

    user: int
    group: int
    groups: tuple[int, ...]
    home: Path


class ControlGroups:
    """Limits of memory, CPU and processes for all processes of a user together, by the kernel's control groups.

    Parameters
    ----------
    name : str
        Of this hub's group.
    root : pathlib.Path
        Where the system has them.

    Attributes
    ----------
    missing : str
        Why they cannot be used here, empty if they can.
    """

    def __init__(self, name: str, root: Path = Path("/sys/fs/cgroup")):
        self.name = name
        self.root = root
        self.version = 2 if (root / "cgroup.controllers").is_file() else 1
        self.missing = ""
        try:
            if self.version == 2:
                for folder in (root, root / name):
                    folder.mkdir(exist_ok=True)
                    (folder / "cgroup.subtree_control").write_text("+memory +cpu +pids")
                (root / name / "cpu.weight").write_text(str(100 * _WEIGHT))
            else:
                for controller in ("memory", "cpu", "pids"):
                    (root / controller / name).mkdir(exist_ok=True)
                (root / "cpu" / name / "cpu.shares").write_text(str(1024 * _WEIGHT))
        except OSError as error:
            self.missing = f"{error.filename or root}: {error.strerror}"

    def open(self, user: str, *, memory_mb: int, cpus: float, processes: int = MOST_PROCESSES) -> list[Path]:
        """Make the group of a user and return the files that a process writes its number into to join it."""
        if self.version == 2:
            group = self.root / self.name / user
            group.mkdir(exist_ok=True)
            (group / "memory.max").write_text(str(memory_mb * 1_000_000))
            (group / "cpu.max").write_text(f"{round(cpus * _CPU_PERIOD_US)} {_CPU_PERIOD_US}")
            (group / "pids.max").write_text(str(processes))
            # Without swap a student's notebook ends instead of making the machine slow for all. Not everywhere there.
            with contextlib.suppress(OSError):
                (group / "memory.swap.max").write_text("0")
            return [group / "cgroup.procs"]
        limits = {
            "memory": {"memory.limit_in_bytes": memory_mb * 1_000_000},
            "cpu": {"cpu.cfs_period_us": _CPU_PERIOD_US, "cpu.cfs_quota_us": round(cpus * _CPU_PERIOD_US)},
            "pids": {"pids.max": processes},
        }
        for controller, files in limits.items():
            group = self.root / controller / self.name / user
            group.mkdir(exist_ok=True)
            for file, value in files.items():
                (group / file).write_text(str(value))
        return [self.root / controller / self.name / user / "cgroup.procs" for controller in limits]

    def close(self, user: str) -> None:
        """Delete the group of a user. One in which something still runs stays."""
        for folder in self._folders():
            with contextlib.suppress(OSError):
                (folder / user).rmdir()

    def close_all(self) -> None:
        """Delete the groups of all users and that of the hub."""
        for folder in self._folders():
            with contextlib.suppress(OSError):
                for group in folder.iterdir():
                    if group.is_dir():
                        group.rmdir()
                folder.rmdir()

    def _folders(self) -> list[Path]:
        return [self.root / self.name] if self.version == 2 else [*self.root.glob(f"*/{self.name}")]


class CourseSpawner(LocalProcessSpawner):
    """Each student's server under its own number; `class_folder` belongs to the class's number, as do instructors'."""

    hub_folder = Unicode(help="The folder of the hub.").tag(config=True)
    settings_folder = Unicode(help="The servers' settings: everybody, student, instructor.").tag(config=True)
    class_id = Unicode(help="nbgrader's name of the class.").tag(config=True)
    exchange_url = Unicode(help="Where the exchange service listens.").tag(config=True)
    instructors = Set(help="Users who work on the class itself.").tag(config=True)
    system_users = Bool(False, help="Students are users of this system, at home in their own folders.").tag(config=True)
    memory_mb = Integer(3000, help="Megabytes of all processes of a user together.").tag(config=True)
    cpus = Float(2.0, help="Processors of all processes of a user together.").tag(config=True)

    _private = Unicode(help="Folder in /tmp for sockets of this server, whose names must be short.")

    # -- who ----------------------------------------------------------------------------------------------

    @property
    def is_instructor(self) -> bool:
        return self.user.name in self.instructors

    def identity(self) -> Identity:
        """Return the numbers under which this user's server runs, and where it is at home.

        Started by an ordinary user, the hub can only be that user, and so are all servers.
        """
        home = Path(self.hub_folder) / "homes" / self.user.name
        if os.geteuid() != 0:
            return Identity(os.geteuid(), os.getegid(), (), home)
        numbers = user_numbers(self.hub_folder)
        if self.is_instructor:
            return Identity(numbers.of_class(), numbers.of_class(), (), home)
        if self.system_users:
            entry = pwd.getpwnam(self.user.name)
            if entry.pw_uid == 0:
                raise PermissionError("root's files are not shown in a browser: log in as another user.")
            groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
            return Identity(entry.pw_uid, entry.pw_gid, groups, Path(entry.pw_dir))
        number = numbers.number(self.user.name)
        return Identity(number, number, (), home)

    # -- what JupyterHub asks -----------------------------------------------------------------------------

    def user_env(self, env):
        """The environment of the server; little comes from the hub's own."""
        identity = self.identity()
        folders = [Path(self.settings_folder) / ("instructor" if self.is_instructor else "student")]
        folders.append(Path(self.settings_folder) / "everybody")
        env |= QUIET_TENSORFLOW | {
            "USER": self.user.name,
            "HOME": str(identity.home),
            "SHELL": shutil.which("bash") or "/bin/sh",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "JUPYTER_CONFIG_PATH": os.pathsep.join(map(str, folders)),
            "JUPYTER_RUNTIME_DIR": self._private,
            "JUPYTERHUB_ROOT_DIR": str(identity.home / "course"),
            "COURSE_GIT_CONFIG": str(Path(self.settings_folder) / "gitconfig"),
            "COURSE_NAME": self.class_id,
            "COURSE_EXCHANGE_URL": self.exchange_url,
            COURSE_VARIABLE: str(Path(self.hub_folder) / "notebooks.git"),
            "MALLOC_ARENA_MAX": "4",
        }
        if self.is_instructor:
            env[CLASS_VARIABLE] = str(Path(self.hub_folder) / "class")
        return env

    async def start(self):
        self._make_folders(self.identity())
        return await super().start()

    def _make_folders(self, identity):
        homes = Path(self.hub_folder) / "homes"
        if identity.home.parent == homes:
            # The folder above belongs to the hub: nobody else can have put a link here.
            identity.home.mkdir(mode=0o700, exist_ok=True)
            os.chown(identity.home, identity.user, identity.group)
        if not self._private:
            self._private = tempfile.mkdtemp(prefix=_PRIVATE, dir="/tmp")
            os.chown(self._private, identity.user, identity.group)

    def make_preexec_fn(self, name):
        """Return what the new process does before it becomes the server: limits, then another user."""
        identity, as_root = self.identity(), os.geteuid() == 0
        groups = control_groups(self.hub_folder) if as_root else None
        joined = []
        if groups is not None and not groups.missing:
            joined = groups.open(name, memory_mb=self.memory_mb, cpus=self.cpus)

        def before():
            for file in joined:
                file.write_text(str(os.getpid()))
            if not joined:
                # Each process by itself: the next best thing.
                bytes_ = self.memory_mb * 1_000_000
                resource.setrlimit(resource.RLIMIT_DATA, (bytes_, bytes_))
                os.nice(5)
            if as_root:
                if not self.is_instructor:
                    resource.setrlimit(resource.RLIMIT_NPROC, (MOST_PROCESSES, MOST_PROCESSES))
                become(identity.user, identity.group, list(identity.groups))
            os.umask(0o077)
            os.chdir(identity.home)

        return before

    async def stop(self, now=False):
        identity = self.identity()
        await super().stop(now)
        if os.geteuid() == 0 and not self.is_instructor and not self.system_users:
            # The number is this student's alone, so all that is left under it is what the server left behind.
            end_processes_of(identity.user)
        control_groups(self.hub_folder).close(self.user.name)
        self._forget_private()

    def _forget_private(self):
        if self._private:
            shutil.rmtree(self._private, ignore_errors=True)
            self._private = ""

    # The hub remembers these over its own restart, while the servers go on.

    def load_state(self, state):
        super().load_state(state)
        self._private = state.get("private", "")

    def get_state(self):
        return super().get_state() | ({"private": self._private} if self._private else {})

    def clear_state(self):
        super().clear_state()
        self._forget_private()

    def move_certs(self, paths):
        raise NotImplementedError("Everything is on one machine, behind the loopback interface.")


def user_numbers(hub_folder: str) -> UserNumbers:
    """Return the numbers of a hub's users."""
    return UserNumbers(Path(hub_folder) / "hub" / "user_numbers.json")


def end_processes_of(*users: int) -> None:
    """Kill all processes of user numbers; those that they start meanwhile, too."""
    _end(lambda process: not set(users).isdisjoint(process.uids()))


def end_hub(hub_folder: str) -> None:
    """Kill what a hub left behind: servers and kernels, services and the proxy."""
    if os.geteuid() == 0:
        end_processes_of(*user_numbers(hub_folder).all())

    def belongs(process):
        values = process.environ().values()
        return any(value == hub_folder or value.startswith(hub_folder + os.sep) for value in values)

    _end(belongs)
    numbers = user_numbers(hub_folder).all()
    # Sockets of servers, and what a killed grading left.
    for folder in Path("/tmp").glob("course-*"):
        with contextlib.suppress(OSError):
            if folder.lstat().st_uid in numbers:
                shutil.rmtree(folder)
    control_groups(hub_folder).close_all()


def end_services(hub_folder: str) -> None:
    """Kill the services and the proxy of a hub that ended without doing so itself; users' servers go on."""
    class_folder = os.path.join(hub_folder, "class")

    def is_service(process):
        values = process.environ()
        if values.get("JUPYTERHUB_SERVICE_NAME") in SERVICES:
            return values.get(CLASS_VARIABLE) == class_folder
        return "CONFIGPROXY_AUTH_TOKEN" in values and values.get("COURSE_HUB") == hub_folder

    _end(is_service)


def _end(is_meant) -> None:
    # A process may start another while the list is read, so it is read until it is empty.
    for _ in range(20):
        left = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE and is_meant(process):
                    process.send_signal(signal.SIGKILL)
                    left.append(process)
        if not left:
            return
        psutil.wait_procs(left, timeout=2)


def control_groups(hub_folder: str) -> ControlGroups:
    """Return the control groups of a hub, whose name no other hub of this machine has."""
    return ControlGroups("course-hub-" + hashlib.sha256(hub_folder.encode()).hexdigest()[:12])


def limits_in_force(hub_folder: str, *, memory_mb: int, cpus: float) -> str:
    """Return one sentence for the instructor: which limits hold for each user on this machine."""
    if os.geteuid() != 0:
        return f"Limits: {memory_mb} MB a process; CPU by lower priority only (not started by root)."
    groups = control_groups(hub_folder)
    if groups.missing:
        return (
            f"Limits: {memory_mb} MB a process and {MOST_PROCESSES} processes a user; CPU by lower priority only "
            f"(no control groups: {groups.missing})."
        )
    return f"Limits: {memory_mb} MB, {cpus:g} processors and {MOST_PROCESSES} processes a user, by control groups."
