"""``course hub``: a class on one machine, with JupyterHub.

A hub is a folder::

    hub.toml             settings, for the instructor to change
    class/               the class (`autograder.classroom`), with the exchange's store
    homes/NAME/          what belongs to a user; JupyterLab shows homes/NAME/course
    notebooks.git/       the chapters, from where every student's copy is pulled
    hub/                 secrets, the hub's database, the numbers of users

``deploy/jupyterhub_config.py`` turns the settings into those of JupyterHub.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from string import Template

from autograder.errors import CourseError

SETTINGS = "hub.toml"
#: Names the folder of the hub to ``deploy/jupyterhub_config.py``.
FOLDER_VARIABLE = "COURSE_HUB"
USERS = ("native", "system")

_SETTINGS_TEXT = Template("""\
# Settings of this hub, read at each start ('course hub start').

# Who comes in. "native": students sign up with a password, an instructor approves them (page "Authorize Users").
# "system": who has an account on this machine comes in with its password.
users = $users
# Who releases, grades and sees the submissions of all.
instructors = $instructors
# nbgrader's name of the class; the same as in class/nbgrader_config.py.
class_id = $class_id

# Where browsers find the hub. For others than this machine put a web server with HTTPS before it,
# or see docs/class_on_one_machine.md.
address = "127.0.0.1"
port = $port
# Ports of the hub's own parts, for this machine only: hub, proxy, exchange.
internal_ports = $internal_ports

# Limits of one user, all processes together where the system allows.
memory_mb = 3000
cpus = 2.0
# A server that nobody uses is stopped after so many minutes; nothing that was saved is lost.
idle_minutes = 60
# Students' servers go on while the hub is restarted.
keep_servers = $keep_servers
# Submissions are graded as they arrive ('course watch').
grade_on_submit = true
""")


@dataclass(frozen=True)
class Settings:
    """What ``hub.toml`` says; its comments explain each."""

    users: str
    instructors: tuple[str, ...]
    class_id: str
    address: str = "127.0.0.1"
    port: int = 8000
    internal_ports: tuple[int, int, int] = (8081, 8001, 8082)
    memory_mb: int = 3000
    cpus: float = 2.0
    idle_minutes: int = 60
    keep_servers: bool = True
    grade_on_submit: bool = True


class HubFolder:
    """The folder of a hub that exists.

    Parameters
    ----------
    folder : path
        Made by `init`.

    Raises
    ------
    CourseError
        If it is none, or a setting is wrong.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(folder).expanduser().resolve()
        path = self.folder / SETTINGS
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise CourseError(
                f"{folder} is no hub (it has no {SETTINGS}): name the folder of one, or make it with "
                f"'course hub init {folder}'."
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise CourseError(f"{path} cannot be read ({error}): correct it.") from error
        self.settings = _settings(path, values)

    @property
    def class_folder(self) -> Path:
        return self.folder / "class"

    @property
    def private(self) -> Path:
        """What only the hub may read."""
        return self.folder / "hub"

    @property
    def notebooks(self) -> Path:
        return self.folder / "notebooks.git"

    def secret(self, name: str) -> str:
        """Return a secret of this hub; it is made at the first call and stays."""
        from autograder.hub_users import write_private

        path = self.private / name
        if not path.is_file():
            write_private(path, secrets.token_hex(32))
        return path.read_text()

    @property
    def services_home(self) -> Path:
        """Home of the class's services. No user has this name."""
        return self.folder / "homes" / ".services"


def _settings(path: Path, values: dict) -> Settings:
    """Check what the instructor wrote: the rule, the value seen, the way out."""

    def wrong(name, rule):
        return CourseError(f"{path}: {name} must be {rule}, not {values.get(name)!r}: correct it.")

    known = {field.name for field in fields(Settings)}
    if unknown := sorted(values.keys() - known):
        raise CourseError(f"{path}: there is no setting {unknown[0]}; the settings are {', '.join(sorted(known))}.")
    if values.get("users") not in USERS:
        raise wrong("users", " or ".join(map(repr, USERS)))
    from autograder.hub_users import USER_NAME

    names = values.get("instructors")
    if not isinstance(names, list) or not names or not all(re.match(USER_NAME, str(name)) for name in names):
        raise wrong("instructors", "a list of at least one user's name (small letters, digits and . _ -)")
    ports = values.get("internal_ports", list(Settings.internal_ports))
    if not (isinstance(ports, list) and len(set(ports)) == 3 and all(_is_port(port) for port in ports)):
        raise wrong("internal_ports", "three different ports (1 to 65535)")
    if not _is_port(values.get("port", Settings.port)) or values.get("port") in ports:
        raise wrong("port", "a port (1 to 65535) other than the internal ones")
    for name, least in (("memory_mb", 200), ("cpus", 0.1), ("idle_minutes", 1)):
        value = values.get(name, least)
        if not isinstance(value, int | float) or isinstance(value, bool) or value < least:
            raise wrong(name, f"a number of at least {least}")
    for name, usual in (("address", "127.0.0.1"), ("class_id", None)):
        if not isinstance(values.get(name, usual), str):
            raise wrong(name, f"a text such as {usual or 'winter'!r}")
    for name in ("keep_servers", "grade_on_submit"):
        if not isinstance(values.get(name, True), bool):
            raise wrong(name, "true or false")
    return Settings(**values | {"instructors": tuple(names), "internal_ports": tuple(ports)})


def _is_port(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535


def init(
    folder: str | os.PathLike,
    instructors: list[str],
    *,
    users: str = "native",
    name: str | None = None,
    port: int = 8000,
    internal_ports: tuple[int, int, int] = Settings.internal_ports,
    keep_servers: bool = True,
) -> dict[str, str]:
    """Make a hub with its class in a new or empty folder.

    Parameters
    ----------
    folder : path
    instructors : list of str
        Their user names.
    users : {"native", "system"}
    name : str, optional
        Title of the class; the folder's name if not given.
    port : int
        Where browsers find it.
    internal_ports : tuple of int
        Of hub, proxy and exchange.
    keep_servers : bool
        Whether students' servers go on while the hub is restarted.

    Returns
    -------
    dict of str to str
        The first password of each instructor; empty for users of the system.

    Raises
    ------
    CourseError
        If the folder holds anything already, or a name or port cannot be one; nothing is made then.
    """
    from traitlets.config import PyFileConfigLoader

    from autograder.classroom import CONFIGURATION, new_class
    from autograder.hub_users import FIRST_PASSWORDS, write_private

    folder = Path(folder).expanduser().resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CourseError(f"A new hub needs a new or empty folder, but {folder} exists: choose another one.")
    values = {
        "users": users,
        "instructors": instructors,
        "port": port,
        "internal_ports": list(internal_ports),
        "keep_servers": keep_servers,
    }
    _settings(folder / SETTINGS, values | {"class_id": ""})
    folder.mkdir(parents=True, exist_ok=True)
    # Everybody's server walks through to its own home; nobody can look around.
    folder.chmod(0o711)
    for part, mode in (("hub", 0o700), ("homes", 0o711)):
        (folder / part).mkdir()
        (folder / part).chmod(mode)
    classroom = new_class(folder / "class", name or folder.name)
    classroom.folder.chmod(0o700)
    # Read now, while the file is still as we wrote it: later it is a program of the instructors, and the hub is root.
    values["class_id"] = str(
        PyFileConfigLoader(CONFIGURATION, str(classroom.folder)).load_config()["CourseDirectory"]["course_id"]
    )
    text = _SETTINGS_TEXT.substitute({key: json.dumps(value) for key, value in values.items()})
    (folder / SETTINGS).write_text(text, encoding="utf-8")
    if users == "system":
        return {}
    passwords = {instructor: _password() for instructor in instructors}
    write_private(folder / "hub" / FIRST_PASSWORDS, json.dumps(passwords))
    return passwords


def _password() -> str:
    return secrets.token_urlsafe(9)


def set_password(folder: str | os.PathLike, user: str) -> str:
    """Give a user a new password, which holds from the next start of the hub on.

    Raises
    ------
    CourseError
        If the hub takes the passwords of the system, or it is no user's name.
    """
    from autograder.hub_users import FIRST_PASSWORDS, USER_NAME, write_private

    hub = HubFolder(folder)
    if hub.settings.users == "system":
        raise CourseError(f"Users of {hub.folder} have the passwords of this system: change it with 'passwd {user}'.")
    if not re.match(USER_NAME, user):
        raise CourseError(f"A user's name has small letters, digits and . _ - only, not {user!r}: correct it.")
    path = hub.private / FIRST_PASSWORDS
    passwords = json.loads(path.read_text()) if path.is_file() else {}
    passwords[user] = _password()
    write_private(path, json.dumps(passwords))
    return passwords[user]


def publish_notebooks(repository: Path, target: Path) -> bool:
    """Bring the repository that students pull from up to date with the checkout's notebooks.

    It holds the built notebooks and what lies beside them, not their sources: with problem sets come solutions, and
    those are no part of it.

    Parameters
    ----------
    repository : pathlib.Path
        The checkout of the course.
    target : pathlib.Path
        The bare repository; made when missing.

    Returns
    -------
    bool
        Whether there was anything new.

    Raises
    ------
    CourseError
        If git is missing or fails.
    """
    from autograder.single_user import BRANCH

    with tempfile.TemporaryDirectory() as place:
        tree = Path(place) / "notebooks"
        shutil.copytree(
            repository / "notebooks", tree, ignore=shutil.ignore_patterns("*.md", ".ipynb_checkpoints", "__pycache__")
        )
        # What JupyterLab leaves beside a notebook is no change of the student's.
        (tree / ".gitignore").write_text(".ipynb_checkpoints/\n__pycache__/\n")
        # Two notebooks are never merged line by line: git keeps the student's, `autograder.single_user` adds the new.
        (tree / ".gitattributes").write_text("* -merge\n")

        def git(*arguments):
            # The instructor's own settings of git (signing, hooks) have no say here.
            environment = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
            command = ["git", "--git-dir", str(target), "--work-tree", str(tree)]
            command += ["-c", "user.name=The course", "-c", "user.email=course@localhost"]
            return subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=True)

        try:
            if not target.is_dir():
                git("init", "--quiet", f"--initial-branch={BRANCH}")
                git("config", "core.bare", "true")
                target.chmod(0o755)
            git("add", "--all", ".")
            changed = bool(git("status", "--porcelain").stdout.strip())
            if changed:
                git("commit", "--quiet", "--message", "The course's notebooks")
        except FileNotFoundError as error:
            raise CourseError("Students' notebooks are pulled with git, which is not installed: install it.") from error
        except subprocess.CalledProcessError as error:
            said = (error.stderr or error.stdout).strip()
            raise CourseError(
                f"{target} could not be brought up to date ({said}): delete it, it is made anew."
            ) from error
    return changed


def prepare(hub: HubFolder) -> list[str]:
    """Do what a hub needs before each start, and return what the instructor should know, a line each.

    Raises
    ------
    CourseError
        If the hub cannot start: wrong user, closed folders, a port in use, no proxy.
    """
    from autograder.hub_proxy import install
    from autograder.hub_spawner import limits_in_force, user_numbers
    from autograder.other_user import open_the_way_if_closed
    from autograder.repository import find_repository

    settings, repository = hub.settings, find_repository()
    as_root = os.geteuid() == 0
    if settings.users == "system" and not as_root:
        raise CourseError(
            f"{hub.folder / SETTINGS} says users = 'system', and only root can start servers of other users: "
            f"start the hub as root, or choose users = 'native'."
        )
    for port in (settings.port, *settings.internal_ports):
        if free_port(port) != port:
            raise CourseError(
                f"Port {port} is in use by another program: end it, or set other ports in {hub.folder / SETTINGS}."
            )
    said = []
    install()
    hub.services_home.mkdir(mode=0o700, exist_ok=True)
    if as_root:
        open_the_way_if_closed([Path(sys.base_prefix), Path(sys.prefix), repository, hub.folder])
        # What root did in the class since then (course release) belongs to the class, too.
        of_class = user_numbers(str(hub.folder)).of_class()
        give_away(hub.class_folder, of_class)
        give_away(hub.services_home, of_class)
        who = "accounts of their own" if settings.users == "system" else "user numbers of their own"
        said.append(f"Kept apart: students' servers run under {who}, in folders that only they may enter.")
    else:
        said.append(
            "NOT kept apart: the hub was not started by root, so all servers run as you, and each student can read and "
            "change the files of all, the class and its marks included. This is for a demonstration only."
        )
    said.append(limits_in_force(str(hub.folder), memory_mb=settings.memory_mb, cpus=settings.cpus))
    if publish_notebooks(repository, hub.notebooks):
        said.append("New versions of notebooks: students get them when their servers start.")
    return said


def give_away(folder: Path, owner: int) -> None:
    """Give a folder and all in it to a user number; links are not followed."""
    os.chown(folder, owner, owner, follow_symlinks=False)
    for _, folders, files, descriptor in os.fwalk(folder, follow_symlinks=False):
        for name in (*folders, *files):
            if os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_uid != owner:
                os.chown(name, owner, owner, dir_fd=descriptor, follow_symlinks=False)


def hub_command(hub: HubFolder) -> tuple[list[str], dict[str, str]]:
    """Return the command line of JupyterHub and its environment."""
    from autograder.repository import find_repository

    configuration = find_repository() / "deploy" / "jupyterhub_config.py"
    folder = str(Path(sys.executable).parent)
    environment = os.environ | {
        FOLDER_VARIABLE: str(hub.folder),
        "PATH": folder + os.pathsep + os.environ.get("PATH", os.defpath),
    }
    return [sys.executable, "-m", "jupyterhub", "-f", str(configuration)], environment


def start(folder: str | os.PathLike, *, say=print) -> None:
    """Replace this process by the hub, so that Ctrl-C and a service manager reach it directly."""
    from autograder.hub_spawner import end_services

    hub = HubFolder(folder)
    _lock(hub)
    # If the last hub was killed, its services and proxy hold the ports. They have no work of their own.
    end_services(str(hub.folder))
    for line in prepare(hub):
        say(line)
    say(f"The hub: http://{hub.settings.address}:{hub.settings.port}")
    command, environment = hub_command(hub)
    os.chdir(hub.private)
    os.umask(0o022)
    heed_interrupts()
    sys.stdout.flush()
    os.execve(command[0], command, environment)


def heed_interrupts() -> None:
    """Let Ctrl-C end this process and those that it starts.

    A shell lets what it starts in the background ignore interrupts, and the hub ends its servers and services by them.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _lock(hub: HubFolder) -> None:
    """Take the lock of this hub; the kernel gives it back when this process, then JupyterHub, ends."""
    import fcntl

    try:
        descriptor = os.open(hub.private / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except PermissionError as error:
        raise CourseError(f"{hub.private} belongs to another user: start the hub as the user who made it.") from error
    except BlockingIOError as error:
        raise CourseError(f"The hub {hub.folder} runs already: end it first, or go to its address.") from error
    os.set_inheritable(descriptor, True)


#: Who takes part in the demonstration.
DEMO_STUDENTS, DEMO_INSTRUCTOR = ("ada", "emmy"), "lise"


def make_demo(folder: Path, ports: list[int]) -> dict[str, str]:
    """Make the hub of the demonstration in an empty folder and return the password of each user."""
    from autograder.hub_users import FIRST_PASSWORDS, write_private

    init(
        folder,
        [DEMO_INSTRUCTOR],
        name="Demonstration",
        port=ports[0],
        internal_ports=tuple(ports[1:4]),
        keep_servers=False,
    )
    passwords = {name: _password() for name in (*DEMO_STUDENTS, DEMO_INSTRUCTOR)}
    write_private(folder / "hub" / FIRST_PASSWORDS, json.dumps(passwords))
    return passwords


def demo(port: int | None = None, *, say=print) -> None:
    """Run a class with two students and an instructor on this machine until Ctrl-C, and leave nothing behind.

    Parameters
    ----------
    port : int, optional
        A port that must be free; 8000 or, if that is not, any.
    """
    from autograder import exchange_store
    from autograder.classroom import Classroom

    with tempfile.TemporaryDirectory(prefix="course-hub-") as place:
        os.chmod(place, 0o711)
        folder = Path(place) / "demo"
        passwords = make_demo(folder, [port or free_port(8000), *(free_port() for _ in range(3))])
        hub = HubFolder(folder)
        exercise = Classroom(hub.class_folder).release("ex01_1").parent.name
        exchange_store.release(hub.class_folder, exercise, attempts=5)
        for line in prepare(hub):
            say(line)
        command, environment = hub_command(hub)
        heed_interrupts()
        log_path = hub.private / "hub.log"
        with log_path.open("w") as log:
            process = subprocess.Popen(
                command, env=environment, cwd=hub.private, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            address = f"http://{hub.settings.address}:{hub.settings.port}"
            wait_until_up(process, address, log_path)
            say(f"\nThe hub is at {address}. Log in as")
            for name, password in passwords.items():
                say(f"  {name:5} {password}  ({'instructor' if name == DEMO_INSTRUCTOR else 'student'})")
            say("Ctrl-C ends it and deletes everything.")
            process.wait()
            raise CourseError(f"The hub ended by itself:\n{log_path.read_text()[-2000:]}")
        except KeyboardInterrupt:
            say("\nEnding the hub and all servers ...")
        finally:
            end(process, hub)


def wait_until_up(process: subprocess.Popen, address: str, log_path: Path, *, limit_s: float = 120.0) -> None:
    """Wait until the hub answers.

    Raises
    ------
    CourseError
        If it ends before, or does not answer within the limit; with the end of its log.
    """
    import time
    import urllib.error
    import urllib.request

    deadline = time.monotonic() + limit_s
    while True:
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
            urllib.request.urlopen(f"{address}/hub/health", timeout=10),
        ):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise CourseError(f"The hub did not start:\n{log_path.read_text()[-2000:]}")
        time.sleep(0.2)


def end(process: subprocess.Popen, hub: HubFolder) -> None:
    """End a hub with all servers and its proxy; whatever does not end is killed."""
    from autograder.hub_spawner import end_hub

    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    end_hub(str(hub.folder))


def free_port(wanted: int = 0) -> int:
    """Return `wanted` if nobody listens there on the loopback interface, else a port that is free."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return probe.getsockname()[1]
    raise CourseError("No port of the loopback interface is free: end other programs.")
