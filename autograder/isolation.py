"""Isolation of one process tree without Docker: what a student's code can reach, and how much it may use.

Three levels, strongest first:

``namespaces``
    The process sees a file system that holds the interpreter, the course library, the data sets and its own folder, and
    nothing else; its own process numbers, an empty network, no privileges. The kernel ends the whole tree at once.
``landlock``
    The same file system as everybody's, but only an allow-list of it can be opened; no connections of any kind.
``limits``
    Limits on memory, time, processes and files only. Files of the user who grades can be read.

At every level there are resource limits, a clean environment, a home of its own, no standard input, and, when root
starts it, an unprivileged user that no other process has. The process works on a copy of the folder that it is given,
so nothing that it writes remains. `docs/isolation.md` says what is promised and what is not.

The order of things in the child is the point of this module, so `launch` and `enter` read from top to bottom.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import json
import os
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from autograder.errors import CourseError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
try:
    import pyseccomp
except (ImportError, RuntimeError):  # RuntimeError: the package is there, the system's libseccomp is not
    pyseccomp = None

LINUX = sys.platform == "linux"

#: What the process sees as its user, home and working folder at the level of namespaces.
INSIDE_ID = 1000
HOME = "/home/student"
WORK_FOLDER = "/home/student/work"

#: Users of sandboxed processes that root starts: one for each process, far from every real user and from the ranges
#: that containers and systemd take (https://systemd.io/UIDS-GIDS).
FIRST_UNPRIVILEGED_ID = 1_900_000_000

#: A child that does not come up in this time is given up.
SET_UP_SECONDS = 60.0

_MEGABYTE = 1_000_000


class Level(StrEnum):
    """How strongly a process is shut in, strongest first."""

    NAMESPACES = "namespaces"
    LANDLOCK = "landlock"
    LIMITS = "limits"


@dataclass(frozen=True)
class Limits:
    """What one sandboxed process tree may use.

    Attributes
    ----------
    memory_mb : int
        Megabytes that the tree may add to what its server had loaded. A single request beyond it is refused
        (``MemoryError``); a tree that grows beyond it is ended.
    cpu_s : int
        CPU seconds of the tree.
    wall_s : float
        Seconds. The owner watches the clock; the server ends what its owner forgot.
    n_processes : int
        Processes and threads at one time.
    file_size_mb, disk_mb : int
        Largest file, and everything that is written together (at the level of namespaces).
    open_files : int
        Descriptors of one process.

    Examples
    --------
    >>> Limits(cpu_s=30).memory_mb
    3000
    """

    memory_mb: int = 3000
    cpu_s: int = 300
    wall_s: float = 600.0
    n_processes: int = 64
    file_size_mb: int = 200
    disk_mb: int = 500
    open_files: int = 256

    def __post_init__(self):
        for name, value in vars(self).items():
            if not value > 0:
                raise CourseError(f"The limit {name} must be positive, not {value!r}.")


@dataclass(frozen=True)
class Report:
    """What this machine can do.

    Attributes
    ----------
    level : Level
        The strongest level that held when it was tried.
    details : tuple of str
        What is in force at that level and what is not, a line each.
    missing : dict of Level to str
        Why each stronger level is not to be had.
    """

    level: Level
    details: tuple[str, ...]
    missing: dict[Level, str] = field(default_factory=dict)
    #: The same details for each level that held.
    by_level: dict[Level, tuple[str, ...]] = field(default_factory=dict)


class IsolationError(OSError):
    """The isolation could not be set up; the message says which step failed."""


@functools.cache
def available() -> Report:
    """Try each level in a throw-away process and report what held.

    A level counts only if its promises were kept in the trial: a file outside could not be read, nothing outside could
    be written, no other process was visible, nothing could be reached over the network.

    Returns
    -------
    Report

    Raises
    ------
    CourseError
        On a system without ``fork``.

    Examples
    --------
    >>> report = available()
    >>> report.level in set(Level) and len(report.details) > 3
    True
    """
    if not hasattr(os, "fork"):
        raise CourseError("Grading needs a system with fork (Linux, macOS, or Windows with WSL), which this is not.")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "autograder.isolation"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=5 * SET_UP_SECONDS,
        env={name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "HOME") if name in os.environ},
    )
    try:
        tried = json.loads(done.stdout)
    except ValueError:
        raise CourseError(f"The isolation could not be tried out: {done.stderr.strip()[-300:]}") from None
    held = {Level(name): tuple(lines) for name, lines in tried["held"].items()}
    missing = {Level(name): reason for name, reason in tried["missing"].items()}
    if not held:
        raise CourseError(f"Not even limits can be set here: {missing[Level.LIMITS]}")
    level = next(level for level in Level if level in held)
    return Report(level, held[level], missing, held)


def choose(asked: Level | None = None, *, allow_weaker: bool = False) -> Level:
    """Return the level to use: the one asked for, never silently a weaker one.

    Parameters
    ----------
    asked : Level, optional
        The strongest level if not given.
    allow_weaker : bool
        Take what there is instead of refusing.

    Raises
    ------
    CourseError
        If the level asked for is not to be had; the message says why, and names ``--allow-weaker``.

    Examples
    --------
    >>> choose(available().level) is available().level
    True
    """
    asked = Level(asked or Level.NAMESPACES)
    report = available()
    if asked in report.by_level:
        return asked
    if allow_weaker:
        return report.level
    raise CourseError(
        f"The isolation level {asked} is not to be had on this machine: {report.missing[asked]}. "
        f"The strongest one here is {report.level}; --allow-weaker takes it."
    )


# ---------------------------------------------------------------------------------------------------------------------
# What may be read
# ---------------------------------------------------------------------------------------------------------------------

_SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SYSTEM_FILES = (
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/sys/devices/system/cpu",
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
# Not the whole prefix: somebody's environment may have been made in a folder that holds other things as well.
_PARTS_OF_A_PREFIX = ("bin", "lib", "lib64", "libexec", "include", "share", "etc", "ssl", "pyvenv.cfg")


@functools.cache
def readable_paths(extra: tuple = ()) -> tuple[Path, ...]:
    """Return what a sandboxed process may read: the system, the interpreter, the course library, the data sets.

    Not in it: assignments with their solutions, tests, class folders, homes.

    Parameters
    ----------
    extra : tuple of path
        Folders or files that may be read besides, such as a data folder.

    Returns
    -------
    tuple of pathlib.Path
        Existing, absolute.
    """
    paths = [*_SYSTEM_FOLDERS, *_SYSTEM_FILES]
    for prefix in dict.fromkeys((sys.base_prefix, sys.base_exec_prefix, sys.prefix, sys.exec_prefix)):
        paths += [os.path.join(prefix, part) for part in _PARTS_OF_A_PREFIX]
    # Packages that pip put into the user's home, where the environment lets them in.
    paths += [entry for entry in sys.path if entry.endswith(("/site-packages", "/dist-packages"))]
    import course_lib

    here = Path(__file__).resolve().parent
    library = Path(course_lib.__file__).resolve().parent
    paths += [library, library.parent / "datasets", here, *extra]
    # Solutions and hidden tests lie beside the code of the grader.
    hidden = here / "assignments"
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        for kept in _without(path.absolute(), hidden):
            if os.path.lexists(kept):
                found[kept] = None
    # A folder covers what is below it, unless a link leads elsewhere.
    return tuple(path for path in found if not any(parent in found for parent in path.parents))


def _without(path: Path, hidden: Path) -> list[Path]:
    """The path, or if it holds what is hidden, all it holds but that."""
    if path.resolve() == hidden or hidden in path.resolve().parents:
        return []
    if path.resolve() not in hidden.parents:
        return [path]
    return [kept for child in sorted(path.iterdir()) for kept in _without(child, hidden)]


# ---------------------------------------------------------------------------------------------------------------------
# Launching
# ---------------------------------------------------------------------------------------------------------------------


@dataclass
class Launched:
    """A process that runs behind its isolation.

    Attributes
    ----------
    pid : int
        The process that runs the body, as its parent numbers it.
    root_pid : int
        Our child: the init of its process namespace, elsewhere the process itself. It is what we wait for and kill.
    level : Level or None
    uid : int
        The user it has outside.
    report : socket.socket
        The init tells the wait status of the process here; closed elsewhere.
    scratch : pathlib.Path or None
        A folder to remove when the tree is gone.
    """

    pid: int
    root_pid: int
    level: Level | None
    uid: int
    report: socket.socket | None
    scratch: Path | None


def launch(body, *, level, folder=None, limits=None, readable=(), writable=(), scratch=None, environment=None):
    """Fork a process, shut it in, and run `body` in it.

    The caller must be the subreaper of its descendants (`become_subreaper`), because the process that makes the
    namespaces steps aside and leaves its child, the init of the new process namespace, to the caller.

    Parameters
    ----------
    body : callable
        Called without arguments behind the isolation, with the environment and the working folder in place.
    level : Level or None
        None forks without any isolation: same user, same files, `folder` itself as working folder; limits hold only if
        they are given.
    folder : pathlib.Path, optional
        Its regular files are copied into the working folder; links and devices are left out.
    limits : Limits, optional
        The default ones if not given.
    readable, writable : iterable of pathlib.Path
        Further paths to see, at the same place. Writable ones are for sockets; a user of its own gets to own them.
    scratch : pathlib.Path, optional
        A folder that the process may enter; its home is made in there, except with namespaces. The system's
        temporary folder if not given.
    environment : dict of str to str, optional
        The whole environment; HOME, TMPDIR, USER and PWD are added.

    Returns
    -------
    Launched

    Raises
    ------
    IsolationError
        If a step fails; nothing is left running.
    """
    if level is not None:
        limits = limits or Limits()
        readable_paths(tuple(readable))  # found once here, inherited by every child
    if level in (Level.LANDLOCK, Level.LIMITS):
        scratch = Path(tempfile.mkdtemp(prefix="sandbox-", dir=scratch))
        # Others may pass through, not look: the user of the process owns what is below.
        scratch.chmod(0o711)
    else:
        scratch = None
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET if LINUX else socket.SOCK_STREAM)
    if LINUX:
        # The kernel then says who sent each message, with numbers that are valid here.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    ours.settimeout(SET_UP_SECONDS)
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        _run_child(body, parent, ours, theirs, level, folder, limits, readable, writable, scratch, environment or {})
    theirs.close()
    root_pid = child
    try:
        if level is Level.NAMESPACES:
            # The child makes the namespaces, forks the init and ends; only then does the init become our child.
            os.waitpid(child, 0)
            root_pid = 0
            # If it failed, its message says why, and nobody hears us.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                ours.send(b"go")
            root_pid = _message(ours, b"armed")[0]
            ours.send(b"live")
        pid, uid = _message(ours, b"ready")
    except BaseException as error:
        ours.close()
        # Without us the init finds its channel closed and ends by itself; we wait for whichever is our child.
        if root_pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(root_pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(root_pid, 0)
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)
        if isinstance(error, OSError) and not isinstance(error, IsolationError):
            raise IsolationError(f"the isolation {level} broke off: {error}") from error
        raise
    if level is not Level.NAMESPACES:
        ours.close()
        ours = None
    return Launched(pid or child, root_pid, level, uid, ours, scratch)


def _message(channel, expected: bytes) -> tuple[int, int]:
    """Wait for a message of the child; return the process and the user that sent it."""
    try:
        text, extra = _receive(channel)
    except ConnectionResetError:
        # It ended without reading what we wrote; what it wrote before is still to come.
        text, extra = _receive(channel)
    pid, uid, _ = struct.unpack("3i", extra[0][2]) if extra else (0, os.getuid(), 0)
    if text != expected:
        raise IsolationError(text.decode(errors="replace") or "the child ended while its isolation was set up")
    return pid, uid


def _receive(channel) -> tuple[bytes, list]:
    if not LINUX:
        return channel.recv(4000), []
    text, extra, _, _ = channel.recvmsg(4000, socket.CMSG_SPACE(struct.calcsize("3i")))
    return text, extra


def _run_child(body, parent, ours, theirs, level, folder, limits, readable, writable, scratch, environment):
    """The forked child: never returns."""
    status = 1
    try:
        ours.close()
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGXCPU):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        if level is None:
            if limits is not None:
                _set_limits(limits, _inherited_bytes(), counts_alone=False)
            if LINUX:
                _die_with(parent)
            if folder is not None:
                os.chdir(folder)
        else:
            environment = environment | enter(
                level,
                folder=folder,
                limits=limits,
                readable=readable,
                writable=writable,
                scratch=scratch,
                parent=parent,
                report=theirs,
            )
        os.environ.clear()
        os.environ.update(environment)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        theirs.send(b"ready")
        theirs.close()
        theirs = None
        body()
        status = 0
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException as error:
        if theirs is None:
            import traceback

            traceback.print_exc()
        else:
            with contextlib.suppress(OSError):
                theirs.send(f"{type(error).__name__}: {error}".encode()[:3000])
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        # The parent's exit handlers and buffers are not ours.
        os._exit(status & 0xFF)


def enter(level, *, folder, limits, readable=(), writable=(), scratch=None, parent=0, report=None):
    """Shut this process in, for good. For a freshly forked child with a single thread; `launch` is the usual way.

    Parameters
    ----------
    level : Level
    folder, limits, readable, writable, scratch
        As for `launch`.
    parent : int
        The process with which this one must end (Linux).
    report : socket.socket, optional
        Where `launch` listens.

    Returns
    -------
    dict of str to str
        HOME, TMPDIR, USER, LOGNAME and PWD to put into the environment.

    Raises
    ------
    IsolationError
        If a step fails. The process is then half shut in and must end.
    """
    if level is Level.NAMESPACES:
        return _enter_namespaces(folder, limits, readable, writable, report)
    home = Path(scratch) / "home"
    work, temporary = home / "work", Path(scratch) / "tmp"
    for path in (home, work, temporary):
        path.mkdir()
    _copy_in(folder, work, limits)
    # A user of its own, when root starts it, shares neither signals nor counts with any other process.
    alone = _is_root()
    uid = _unprivileged_id() if alone else os.getuid()
    if alone:
        _own_all((home, temporary, *writable), uid)
    rules = None
    if level is Level.LANDLOCK:
        rules = _Landlock([*readable_paths(tuple(readable))], [home, temporary, *writable])
    _set_limits(limits, _inherited_bytes(), counts_alone=alone)
    if LINUX:
        _drop_privileges(uid)
        _open_own_entries()
        if parent:
            _die_with(parent)
    try:
        os.chdir(work)
        os.listdir(os.path.dirname(os.__file__))
    except OSError as error:
        raise IsolationError(
            f"the unprivileged user {uid} cannot enter {error.filename}: keep the interpreter and temporary files "
            "where everybody may read, or grade as an ordinary user"
        ) from error
    if rules:
        rules.enforce()
    if LINUX:
        _restrict_system_calls(level, rules.abi if rules else 0, alone=alone)
    return _surroundings(str(home), str(temporary), str(work))


def _surroundings(home: str, temporary: str, work: str) -> dict[str, str]:
    os.umask(0o022)
    return {"HOME": home, "TMPDIR": temporary, "PWD": work, "USER": "student", "LOGNAME": "student"}


# ---------------------------------------------------------------------------------------------------------------------
# Namespaces
# ---------------------------------------------------------------------------------------------------------------------

_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
_CLONE_NEWUSER, _CLONE_NEWPID, _CLONE_NEWNET, _CLONE_NEWCGROUP = 0x10000000, 0x20000000, 0x40000000, 0x02000000
_NAMESPACE_FLAGS = (
    *(_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC, _CLONE_NEWUSER, _CLONE_NEWPID, _CLONE_NEWNET, _CLONE_NEWCGROUP),
)
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x2, 0x4, 0x8, 0x1000, 0x4000, 0x40000
_MOUNT_ATTR_RDONLY, _MOUNT_ATTR_NOSUID, _MOUNT_ATTR_NODEV, _MOUNT_ATTR_NOEXEC = 0x1, 0x2, 0x4, 0x8
_AT_FDCWD, _AT_RECURSIVE, _MNT_DETACH = -100, 0x8000, 2
_SYS_MOUNT_SETATTR = 442  # the same number on every architecture

_libc = ctypes.CDLL(None, use_errno=True) if LINUX else None


def _call(name: str, *arguments) -> int:
    """Call a function of the C library that returns -1 and an error number."""
    result = getattr(_libc, name)(*arguments)
    if result == -1:
        number = ctypes.get_errno()
        shown = ", ".join(str(argument) for argument in arguments if isinstance(argument, (bytes, int)))
        raise IsolationError(number, f"{os.strerror(number)}: {name}({shown})")
    return result


def _enter_namespaces(folder, limits, readable, writable, report) -> dict[str, str]:
    if not LINUX:
        raise IsolationError("namespaces are a part of Linux")
    names = _CLONE_NEWNS | _CLONE_NEWPID | _CLONE_NEWNET | _CLONE_NEWIPC | _CLONE_NEWUTS | _CLONE_NEWCGROUP
    paths, inherited_bytes = readable_paths(tuple(readable)), _inherited_bytes()
    uid, counts_alone = os.getuid(), False
    if _is_root():
        uid, counts_alone = _unprivileged_id(), True
        try:
            _call("unshare", names)
        except IsolationError:
            # Root without the right to mount, as in most containers: give root up first and go the ordinary way.
            _own_all(writable, uid)
            _become(uid)
            _open_own_entries()
            _unshare_as_ordinary_user(names)
        else:
            _own_all(writable, uid)
    else:
        _unshare_as_ordinary_user(names)
        counts_alone = _counts_processes_by_namespace()
    init = os.fork()
    if init:
        os._exit(0)
    # From here on we are process 1. If we end, the kernel ends every process of the namespace.
    _call("sethostname", b"course", 6)
    _bring_loopback_up()
    _build_root(paths, folder, writable, limits, uid if os.getuid() == 0 else None)
    _set_limits(limits, inherited_bytes, counts_alone=counts_alone)
    _drop_privileges(uid)
    if report is not None:
        _survive_only_with_our_owner(report)
    _restrict_system_calls(Level.NAMESPACES, 0, alone=True)
    student = os.fork()
    if student:
        _be_init(student, report)
    os.setsid()
    # Only now: the init stays closed to it.
    _open_own_entries()
    os.chdir(WORK_FOLDER)
    return _surroundings(HOME, "/tmp", WORK_FOLDER)


def _unshare_as_ordinary_user(names: int) -> None:
    uid, gid = os.geteuid(), os.getegid()
    _call("unshare", _CLONE_NEWUSER | names)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{INSIDE_ID} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{INSIDE_ID} {gid} 1")


def _counts_processes_by_namespace() -> bool:
    """Since Linux 5.14 processes are counted for each user namespace, before that for the user outside."""
    major, minor = (int("".join(filter(str.isdigit, part))) for part in os.uname().release.split(".")[:2])
    return (major, minor) >= (5, 14)


def _bring_loopback_up() -> None:
    """Let the process talk to itself (kernels and Dask do); its loopback device belongs to its own network."""
    request = struct.pack("16sh14x", b"lo", 1)  # struct ifreq with IFF_UP
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, 0x8914, request)  # SIOCSIFFLAGS


def _survive_only_with_our_owner(report) -> None:
    """Have the kernel end us when our owner ends, without a moment in which it could end unnoticed.

    The owner says "go" once the process between us is gone. Its answer "live" to our "armed" shows that it was there
    after the kernel had been told.
    """
    report.settimeout(SET_UP_SECONDS)
    if report.recv(10) != b"go":
        os._exit(1)
    _call("prctl", 1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    report.send(b"armed")
    if report.recv(10) != b"live":
        os._exit(1)


def _be_init(student: int, report) -> None:
    """Process 1: reap what is orphaned; when the student's process ends, tell how, and end everything with it."""
    close_all_but({report.fileno()} if report is not None else set())
    while True:
        pid, status = os.wait()
        if pid == student:
            if report is not None:
                with contextlib.suppress(OSError):
                    report.send(str(status).encode())
            os._exit(0)


def _build_root(paths, folder, writable, limits, owner) -> None:
    """Make a file system of what may be seen, and forget the old one."""
    _call("mount", b"none", b"/", None, _MS_REC | _MS_PRIVATE, None)
    _mount_tmpfs("/tmp", "mode=755,size=8m,nr_inodes=20000")
    os.mkdir("/tmp/old")
    _call("pivot_root", b"/tmp", b"/tmp/old")
    os.chdir("/")
    os.mkdir("/etc")
    for name in ("passwd", "group"):
        identity = owner if owner is not None else INSIDE_ID
        line = f"student:x:{identity}:{identity}" + ("::/home/student:/bin/sh\n" if name == "passwd" else ":\n")
        Path("/etc", name).write_text(line)
    # Before what may be read, which may lie below (a checkout in somebody's /home, an environment in /tmp).
    _make_writable_places(folder, limits, owner)
    for path in paths:
        _show(path, _MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV)
    for path in _DEVICES:
        _show(Path(path), _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NOEXEC)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(target, f"/dev/{name}")
    os.mkdir("/proc")
    try:
        _call("mount", b"proc", b"/proc", b"proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, None)
    except IsolationError:
        # Inside many containers a part of /proc is covered, and the kernel then gives nobody a fresh one.
        for name in ("cpuinfo", "meminfo", "stat"):
            Path("/proc", name).write_bytes(Path("/old/proc", name).read_bytes())
    for path in writable:
        _show(Path(path), _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV | _MOUNT_ATTR_NOEXEC)
    _call("umount2", b"/old", _MNT_DETACH)
    os.rmdir("/old")
    _restrict_mount("/", _MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV, recursive=False)


def _make_writable_places(folder, limits, owner) -> None:
    """Home, /tmp and shared memory, all in one bounded piece of memory, and the copy of the folder in it."""
    os.mkdir("/bounded")
    _mount_tmpfs("/bounded", f"mode=755,size={limits.disk_mb * _MEGABYTE},nr_inodes={50 * limits.disk_mb}")
    for name, shown in (("home", HOME), ("tmp", "/tmp"), ("shm", "/dev/shm")):
        os.mkdir(f"/bounded/{name}")
        os.makedirs(shown)
        _call("mount", f"/bounded/{name}".encode(), shown.encode(), None, _MS_BIND, None)
    os.mkdir(WORK_FOLDER)
    if folder is not None:
        _copy_in(folder, Path(WORK_FOLDER), limits, below="/old")
    if owner is not None:
        _own_all((HOME, "/tmp", "/dev/shm"), owner)
    # The three places stay; the whole has no name any more.
    _call("umount2", b"/bounded", _MNT_DETACH)
    os.rmdir("/bounded")


def _mount_tmpfs(path: str, options: str) -> None:
    _call("mount", b"tmpfs", path.encode(), b"tmpfs", _MS_NOSUID | _MS_NODEV, options.encode())


def _show(path: Path, attributes: int) -> None:
    """Bind what the old root holds at `path` to the same place, with everything mounted below it."""
    source = Path("/old") / path.relative_to("/")
    if not os.path.lexists(source):
        return
    if os.path.lexists(path):
        if not path.is_dir() or source.is_symlink():
            return
    elif source.is_symlink():
        os.makedirs(path.parent, exist_ok=True)
        os.symlink(os.readlink(source), path)
        target = Path(os.path.normpath(path.parent / os.readlink(source)))
        # A link leads nowhere unless its target is shown as well (/etc/localtime, an interpreter's prefix).
        if target != path:
            _show(target, attributes)
        return
    elif source.is_dir():
        os.makedirs(path)
    else:
        os.makedirs(path.parent, exist_ok=True)
        path.touch()
    _call("mount", os.fsencode(source), os.fsencode(path), None, _MS_BIND | _MS_REC, None)
    _restrict_mount(os.fspath(path), attributes, recursive=True)


def _restrict_mount(path: str, attributes: int, *, recursive: bool) -> None:
    # Linux 5.12 and later; remounting each mount below by its own name is not done.
    structure = struct.pack("4Q", attributes, 0, 0, 0)
    buffer = ctypes.create_string_buffer(structure, len(structure))
    _call(
        "syscall",
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        os.fsencode(path),
        ctypes.c_uint(_AT_RECURSIVE if recursive else 0),
        buffer,
        ctypes.c_size_t(len(structure)),
    )


# ---------------------------------------------------------------------------------------------------------------------
# Landlock
# ---------------------------------------------------------------------------------------------------------------------

_SYS_LANDLOCK_CREATE, _SYS_LANDLOCK_ADD, _SYS_LANDLOCK_RESTRICT = 444, 445, 446  # on every architecture
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE, _IOCTL_DEV = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14, 1 << 15
_FOR_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV


class _Landlock:
    """An allow-list of files, made before privileges go and enforced after."""

    def __init__(self, readable, writable):
        self.abi = landlock_version()
        if not self.abi:
            raise IsolationError("this kernel has no Landlock, or it is not switched on")
        # Rights were added one by one: 2 moving between folders, 3 cutting files, 5 device controls.
        self.rights = (1 << (13 + (self.abi >= 2) + (self.abi >= 3) + (self.abi >= 5))) - 1
        attribute = struct.pack("Q", self.rights)
        if self.abi >= 4:
            attribute += struct.pack("Q", 3)  # TCP: neither bind nor connect
        if self.abi >= 6:
            attribute += struct.pack("Q", 3)  # abstract sockets and signals stay within
        self.ruleset = self._syscall(_SYS_LANDLOCK_CREATE, attribute, ctypes.c_size_t(len(attribute)), 0)
        os.set_inheritable(self.ruleset, False)
        for path in readable:
            self._allow(path, _EXECUTE | _READ_FILE | _READ_DIR)
        # Python lists a package's folder before it imports from it; names may be seen, contents not.
        self._allow(Path(__file__).resolve().parent, _READ_DIR)
        for path in writable:
            self._allow(path, self.rights)
        for path in _DEVICES:
            self._allow(path, _READ_FILE | _WRITE_FILE | _IOCTL_DEV)
        for path in ("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat"):
            self._allow(path, _READ_FILE | _READ_DIR)

    def _syscall(self, number, *arguments):
        return _call("syscall", ctypes.c_long(number), *arguments)

    def _allow(self, path, rights: int) -> None:
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            return  # not there, or not for us anyway
        try:
            if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                rights &= _FOR_FILES
            rule = struct.pack("=Qi", rights & self.rights, descriptor)
            self._syscall(_SYS_LANDLOCK_ADD, self.ruleset, 1, rule, 0)
        finally:
            os.close(descriptor)

    def enforce(self) -> None:
        self._syscall(_SYS_LANDLOCK_RESTRICT, self.ruleset, 0)
        os.close(self.ruleset)


def landlock_version() -> int:
    """Return the version of the kernel's Landlock interface, 0 without it.

    Examples
    --------
    >>> landlock_version() >= 0
    True
    """
    if not LINUX:
        return 0
    return max(0, _libc.syscall(ctypes.c_long(_SYS_LANDLOCK_CREATE), None, ctypes.c_size_t(0), 1))


# ---------------------------------------------------------------------------------------------------------------------
# Privileges, system calls, limits
# ---------------------------------------------------------------------------------------------------------------------


def _is_root() -> bool:
    return os.geteuid() == 0


def _unprivileged_id() -> int:
    """A user for this process alone; in a container that has fewer users, the nobody of old."""
    wanted = FIRST_UNPRIVILEGED_ID + os.getpid()
    if LINUX:
        for line in Path("/proc/self/uid_map").read_text().splitlines():
            first, _, count = map(int, line.split())
            if first <= wanted < first + count:
                return wanted
    return 65534


def _own(path, uid: int) -> None:
    """Give a folder that we made, and all in it, to the user; links are not followed."""
    os.chown(path, uid, uid, follow_symlinks=False)
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(os.path.join(folder, name), uid, uid, follow_symlinks=False)


def _own_all(paths, uid: int) -> None:
    for path in paths:
        _own(path, uid)


def _become(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def _drop_privileges(uid: int) -> None:
    """No capability, none to be had again, and the user `uid` where we still are root."""
    for capability in range(64):
        if _libc.prctl(24, capability, 0, 0, 0):  # PR_CAPBSET_DROP, until there are no more or we may not
            break
    if _is_root():
        _become(uid)
    header = struct.pack("Ii", 0x20080522, 0)  # version 3, this thread
    _call("capset", header, struct.pack("6I", 0, 0, 0, 0, 0, 0))
    _libc.prctl(47, 4, 0, 0, 0)  # PR_CAP_AMBIENT_CLEAR_ALL
    _call("prctl", 38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS


def _open_own_entries() -> None:
    """Let the process read its own entries in /proc, which a change of user had closed."""
    _call("prctl", 4, 1, 0, 0, 0)  # PR_SET_DUMPABLE


def _die_with(parent: int) -> None:
    """Have the kernel end us when our parent ends."""
    _call("prctl", 1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)


def become_subreaper() -> None:
    """Have the kernel give orphaned descendants to this process instead of to init."""
    if LINUX:
        _call("prctl", 36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


# fmt: off
#: Calls that reach into other processes, the kernel or the machine, or (last line) hold memory that no limit counts.
REFUSED_SYSTEM_CALLS = (
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "kcmp", "pidfd_getfd",
    "mount", "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "open_tree_attr", "fsopen",
    "fsconfig", "fsmount", "fspick", "mount_setattr", "unshare", "setns", "name_to_handle_at", "open_by_handle_at",
    "bpf", "perf_event_open", "keyctl", "add_key", "request_key", "userfaultfd", "fanotify_init", "io_uring_setup",
    "io_uring_enter", "io_uring_register", "init_module", "finit_module", "delete_module", "kexec_load",
    "kexec_file_load", "reboot", "swapon", "swapoff", "acct", "quotactl", "quotactl_fd", "syslog", "settimeofday",
    "clock_settime", "adjtimex", "clock_adjtime", "stime", "sethostname", "setdomainname", "iopl", "ioperm",
    "modify_ldt", "personality", "vhangup", "lookup_dcookie", "nfsservctl", "_sysctl", "uselib",
    "migrate_pages", "move_pages", "mbind", "set_mempolicy", "set_mempolicy_home_node",
    "shmget", "shmat", "msgget", "semget", "mq_open", "memfd_create", "memfd_secret",
)
#: Where the file system is everybody's, these would reach files that cannot be opened. They say yes and do nothing, so
#: that `shutil.copy` and the like go on.
_PRETENDED_SYSTEM_CALLS = (
    "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchown", "fchownat", "utime", "utimes",
    "futimesat", "utimensat", "setxattr", "lsetxattr", "fsetxattr", "setxattrat", "removexattr", "lremovexattr",
    "fremovexattr", "removexattrat", "file_setattr",
)
# fmt: on


def _restrict_system_calls(level: Level, landlock_abi: int, *, alone: bool) -> None:
    """Refuse what no exercise needs. `alone`: no process that we could name has our user, so signals reach none."""
    if pyseccomp is None:
        if level is Level.LANDLOCK:
            raise IsolationError("libseccomp is not installed, and Landlock alone does not cover the network")
        return
    arg, equal = pyseccomp.Arg, pyseccomp.EQ
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)

    def refuse(name, *arguments, error=errno.EPERM):
        # Some names are unknown to this libseccomp or to this architecture.
        with contextlib.suppress(OSError):
            rules.add_rule(pyseccomp.ERRNO(error), name, *arguments)

    for name in REFUSED_SYSTEM_CALLS:
        refuse(name, error=errno.ENOSYS if name == "memfd_create" else errno.EPERM)
    # The flags of clone3 cannot be seen by a filter; told that it does not exist, the C library takes clone.
    refuse("clone3", error=errno.ENOSYS)
    for flag in _NAMESPACE_FLAGS:
        refuse("clone", arg(0, pyseccomp.MASKED_EQ, flag, flag))
    # Another process's limits.
    refuse("prlimit64", arg(0, pyseccomp.NE, 0))
    # Sockets of other families: some (vsock) leave the machine past every network namespace.
    unix, inet, inet6, netlink = 1, 2, 10, 16
    allowed = {unix, inet, inet6} if level is Level.NAMESPACES else {unix}
    for family in set(range(netlink)) - allowed:
        refuse("socket", arg(0, equal, family), error=errno.EAFNOSUPPORT)
    # The list of network devices: on this error ZeroMQ goes on without it, on others it ends the process.
    refuse("socket", arg(0, equal, netlink), error=errno.EINVAL)
    refuse("socket", arg(0, pyseccomp.GT, netlink), error=errno.EAFNOSUPPORT)
    if level is not Level.NAMESPACES:
        # Sockets of other programs lie in the file system (Docker, the desktop, our own server).
        refuse("connect")
        refuse("socket", arg(0, equal, unix), arg(1, pyseccomp.MASKED_EQ, 0xF, socket.SOCK_DGRAM))
        # The parent's death must reach us.
        refuse("prctl", arg(0, equal, 1))
        for name in _PRETENDED_SYSTEM_CALLS:
            refuse(name, error=0)
        # Whoever stays in the session and in its only process group can be found, and ended in one stroke.
        refuse("setsid", error=0)
        refuse("setpgid", error=0)
        if landlock_abi < 3:
            refuse("truncate")
        if landlock_abi < 6 and not alone:
            for name in ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"):
                refuse(name, arg(0, pyseccomp.NE, os.getpid()))
            for name in ("tkill", "pidfd_open", "pidfd_send_signal"):
                refuse(name)
        if not alone:
            for name in ("setpriority", "ioprio_set", "sched_setscheduler", "sched_setparam", "sched_setattr"):
                refuse(name)
    rules.load()


def _inherited_bytes() -> int:
    """Address space that came with the fork. Read while /proc is still that of the system."""
    if not LINUX:
        return 0
    with contextlib.suppress(OSError):
        # Should the machine run out of memory, the kernel ends this process and not the one that grades.
        Path("/proc/self/oom_score_adj").write_text("1000")
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _set_limits(limits: Limits, inherited_bytes: int, *, counts_alone: bool) -> None:
    """Limits of the kernel, for each process; what the tree uses together is watched by the server.

    `counts_alone` says that no process outside counts into the number of ours.
    """
    import resource

    n_processes = limits.n_processes + (0 if counts_alone else _threads_of_user())
    memory_bytes = limits.memory_mb * _MEGABYTE + inherited_bytes
    for name, soft, hard in (
        ("AS", memory_bytes, memory_bytes),
        # The signal of the soft limit can be caught, that of the hard one cannot.
        ("CPU", limits.cpu_s, limits.cpu_s + 2),
        ("NPROC", n_processes, n_processes),
        ("FSIZE", limits.file_size_mb * _MEGABYTE, limits.file_size_mb * _MEGABYTE),
        ("NOFILE", limits.open_files, limits.open_files),
        ("CORE", 0, 0),
        ("STACK", 8 << 20, 64 << 20),
        ("MSGQUEUE", 0, 0),
        ("RTPRIO", 0, 0),
    ):
        number = getattr(resource, f"RLIMIT_{name}", None)
        if number is None:
            continue
        ceiling = resource.getrlimit(number)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        try:
            resource.setrlimit(number, (soft, hard))
        except (OSError, ValueError):
            if LINUX:
                raise


def _threads_of_user() -> int:
    """Processes and threads that the user has already: the kernel counts them all together."""
    count = 0
    for entry in os.scandir("/proc") if LINUX else ():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if entry.stat().st_uid == os.getuid():
                    count += len(os.listdir(f"/proc/{entry.name}/task"))
    return count


def _copy_in(folder, target: Path, limits: Limits, below: str = "/") -> None:
    """Copy regular files and folders; a link or a device in a submission leads nowhere."""
    if folder is None:
        return
    room = limits.disk_mb * _MEGABYTE
    waiting = [(Path(below, Path(folder).absolute().relative_to("/")), target)]
    n_entries = 0
    while waiting:
        source, destination = waiting.pop()
        for entry in os.scandir(source):
            n_entries += 1
            path = destination / entry.name
            if entry.is_dir(follow_symlinks=False):
                path.mkdir()
                waiting.append((Path(entry.path), path))
                continue
            if not entry.is_file(follow_symlinks=False):
                continue
            descriptor = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as original:
                status = os.fstat(descriptor)
                room -= status.st_size
                if not stat.S_ISREG(status.st_mode):
                    continue
                if room < 0 or n_entries > 10_000:
                    raise IsolationError(f"{folder} holds more than {limits.disk_mb} MB or 10000 files")
                with path.open("xb") as copy:
                    shutil.copyfileobj(original, copy)


def close_all_but(kept: set[int]) -> None:
    """Close every descriptor but these and 0, 1, 2. Without asking /proc, which the sandbox may lack."""
    first = 3
    for number in sorted(kept - {0, 1, 2}):
        os.closerange(first, number)
        first = number + 1
    os.closerange(first, 1 << 20 if LINUX else os.sysconf("SC_OPEN_MAX"))


# ---------------------------------------------------------------------------------------------------------------------
# The trial: python -m autograder.isolation
# ---------------------------------------------------------------------------------------------------------------------


def _try(level: Level) -> list[str]:
    """Launch a process at this level that tries to get out; return what is in force, a line each.

    Raises
    ------
    IsolationError
        If the level is not to be had, or a promise did not hold.
    """
    with tempfile.TemporaryDirectory(prefix="course-trial-") as name:
        folder, submission = Path(name), Path(name, "submission")
        outside = folder / "outside.txt"
        outside.write_text("secret")
        submission.mkdir()
        (submission / "answer.txt").write_text("42")
        # Nothing but the isolation stands between the process and these files.
        for path, mode in ((folder, 0o777), (outside, 0o666), (submission, 0o777)):
            path.chmod(mode)
        launcher = os.getpid()
        reader, writer = os.pipe()

        def body():
            os.write(writer, json.dumps(_look_around(outside, launcher)).encode())

        launched = launch(body, level=level, folder=submission, scratch=folder)
        os.close(writer)
        with os.fdopen(reader, "rb") as answers:
            text = answers.read()
        os.waitpid(launched.root_pid, 0)
    if not text:
        raise IsolationError("the process of the trial died")
    return _judge(level, json.loads(text), launched.uid)


def _look_around(outside: Path, launcher: int) -> dict[str, str]:
    """In the process of the trial: what happens on an attempt, "" for success."""
    seen = {}

    def attempt(name, function):
        try:
            function()
            seen[name] = ""
        except OSError as error:
            seen[name] = error.strerror or str(error)

    def connect():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: nobody's address; connecting sends nothing

    attempt("read inside", Path("answer.txt").read_text)
    attempt("write inside", lambda: Path("new.txt").write_text("x"))
    attempt("read outside", outside.read_text)
    attempt("write outside", lambda: outside.with_name("new.txt").write_text("x"))
    attempt("network", connect)
    attempt("look at its launcher", lambda: os.listdir(f"/proc/{launcher}/fd"))
    attempt("signal its launcher", lambda: os.kill(launcher, 0))
    attempt("fresh /proc", lambda: os.listdir("/proc/self"))
    return seen


def _judge(level: Level, seen: dict[str, str], uid: int) -> list[str]:
    """Compare what was seen in the trial with what the level promises."""
    for name in ("read inside", "write inside"):
        if seen[name]:
            raise IsolationError(f"the process could not {name} its folder: {seen[name]}")
    if level is not Level.LIMITS:
        for name in ("read outside", "write outside", "network", "look at its launcher", "signal its launcher"):
            if not seen[name]:
                raise IsolationError(f"a promise was not kept in the trial ({name})")
    if uid == 0:
        raise IsolationError("the process was still root")
    watched = Path("/proc/self/task", str(os.getpid()), "children").exists()
    filters = f"{len(REFUSED_SYSTEM_CALLS)} system calls refused" if pyseccomp else "none: libseccomp is not installed"
    lines = {
        Level.NAMESPACES: [
            "files: interpreter, course library, data sets (read only), a copy of its own folder; nothing else exists",
            "processes: numbers of its own, ended together by the kernel",
            "network: none" if pyseccomp else "network: none, but sockets of virtual machines (vsock) are not refused",
            "written files: in memory, their sum limited",
            *(["/proc: empty, as the system covers a part of it"] if seen["fresh /proc"] else []),
        ],
        Level.LANDLOCK: [
            f"files: allow-list (Landlock {landlock_version()}): interpreter, course library, data sets, a copy of its "
            "folder; names, sizes and owners of other files can still be asked for",
            "processes: others can be neither listed, read nor signalled; which numbers exist can be asked",
            "network: no connection of any kind",
            "written files: each limited, not their sum",
        ],
        Level.LIMITS: [
            "files: NOT isolated: everything that its user may read can be read",
            "processes: visible" + ("" if pyseccomp else ", and those of the same user can be ended"),
            "network: " + ("no connection of any kind" if pyseccomp else "NOT isolated"),
            "written files: each limited, not their sum",
        ],
    }[level]
    return [
        f"level: {level}",
        *lines,
        f"user: {uid}, without privileges"
        + (", not shared with any other process" if uid >= FIRST_UNPRIVILEGED_ID else ""),
        f"system calls: {filters}",
        "limits: memory, CPU and wall time, processes, file size, open files"
        + ("" if watched else "; memory and CPU of each process only, not of the tree"),
    ]


def _try_all() -> dict:
    become_subreaper()
    tried = {"held": {}, "missing": {}}
    for level in Level:
        try:
            tried["held"][level] = _try(level)
        except OSError as error:
            tried["missing"][level] = str(error)
    return tried


if __name__ == "__main__":
    print(json.dumps(_try_all()))
