"""Attacks from inside the sandbox, at every level this machine has, as root and as an ordinary user.

The attacks are in `isolation_attacks.py`. Each test would notice if its attack succeeded: the server that is to be out
of reach really listens, the file really could be read by anybody, and so on (see `test_without_isolation_...`).
"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from autograder import isolation
from autograder.errors import CourseError
from autograder.isolation import Level, Limits, Report, available, choose
from autograder.warm_server import WarmServer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="isolation is a part of Linux")

ROOT = Path(__file__).resolve().parents[1]
#: Set in the runs that this file starts of itself, as another user.
ANOTHER_USER = "COURSE_TEST_ANOTHER_USER"
LEVELS = list(available().by_level) if sys.platform == "linux" else []
if ANOTHER_USER in os.environ and os.geteuid() == 0:
    LEVELS = LEVELS[1:]  # root has been through the first in the run that started this one
#: Where files outside are out of reach.
STRONG = [level for level in LEVELS if level is not Level.LIMITS]
LOOSE = Limits(cpu_s=60, wall_s=120, memory_mb=1500)


@pytest.fixture(scope="module")
def server():
    os.environ["COURSE_TEST_SECRET"] = "hunter2"
    with WarmServer("plain", preload=("isolation_attacks",), search_path=[Path(__file__).parent]) as server:
        yield server
    del os.environ["COURSE_TEST_SECRET"]


@pytest.fixture
def attack(server):
    """Run an attack; return what it told (None if nothing) and the process, which has ended."""

    def run(name, level, *, limits=LOOSE, folder=None, **options):
        reader, writer = os.pipe()
        try:
            process = server.fork(
                "isolation_attacks:run",
                {"attack": name, "options": options},
                descriptors={"out": writer},
                level=level,
                limits=limits,
                folder=folder,
            )
        finally:
            os.close(writer)
        with process, os.fdopen(reader) as told:
            # The end of file comes when nothing of the tree lives any more: the descriptor is inherited.
            text = told.read()
            process.wait(120)
        return json.loads(text) if text else None, process

    return run


@pytest.fixture
def open_folder(tmp_path):
    """A folder that everybody may enter and write, however private pytest's own is."""
    folder = Path("/tmp") / f"course-test-{os.getpid()}-{tmp_path.name}"
    folder.mkdir()
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def secret(open_folder):
    path = open_folder / "gradebook.db"
    path.write_text("a secret that everybody may read and write")
    path.chmod(0o666)
    return path


@pytest.fixture
def listeners(open_folder):
    """Servers on TCP, UDP, IPv6, a path and an abstract name; `heard` says whether anybody came."""
    heard, sockets = [], []
    tcp = socket.create_server(("127.0.0.1", 0))
    port = tcp.getsockname()[1]
    sockets.append(tcp)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", port))
    sockets.append(udp)
    if socket.has_ipv6:
        with contextlib.suppress(OSError):
            sockets.append(socket.create_server(("::1", port), family=socket.AF_INET6))
    path, abstract = str(open_folder / "service"), f"course-test-{port}"
    for name in (path, "\0" + abstract):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(name)
        listener.listen(5)
        sockets.append(listener)
    os.chmod(path, 0o777)
    stop = threading.Event()

    def listen():
        while not stop.is_set():
            for one in sockets:
                one.settimeout(0.01)
                with contextlib.suppress(OSError):
                    if one.type == socket.SOCK_DGRAM:
                        one.recv(10)
                    else:
                        one.accept()[0].close()
                    heard.append(one.family)

    thread = threading.Thread(target=listen)
    thread.start()
    yield {"port": port, "paths": [path], "abstract": abstract}, heard
    stop.set()
    thread.join()
    for one in sockets:
        one.close()


@pytest.fixture
def victim():
    """A process of the user who grades."""
    process = subprocess.Popen(["sleep", "3600"], env={"GRADEBOOK": "secret"}, start_new_session=True)
    yield process
    process.kill()
    process.wait()


def refused(outcome):
    """The attempts that went through."""
    return [name for name, result in outcome.items() if result == "done"]


# --- The tests themselves: without isolation the attacks succeed


def test_without_isolation_the_attacks_succeed(attack, secret, listeners, victim):
    addresses, heard = listeners
    outcome, _ = attack("reach_out", None, **addresses)
    assert {"tcp", "udp", "abstract", "unix 0"} <= set(refused(outcome))
    wait_until(lambda: {socket.AF_INET, socket.AF_UNIX} <= set(heard))
    found, _ = attack("read_files", None, paths=[str(secret)], launcher=os.getpid())
    assert len(found) >= 3
    outcome, _ = attack("reach_processes", None, victim=victim.pid, launcher=victim.pid)
    assert {"kill", "environment", "descriptors"} <= set(refused(outcome))
    assert victim.wait(30) == -signal.SIGKILL
    outcome, _ = attack("change_files", None, path=str(secret), place=str(secret.parent))
    assert {"write", "truncate", "remove", "new"} <= set(refused(outcome))
    assert attack("look_at_itself", None)[0]["uid"] == os.getuid()


# --- What can be reached


@pytest.mark.parametrize("level", LEVELS)
def test_no_connection_leaves_the_sandbox(attack, level, listeners, server):
    addresses, heard = listeners
    addresses["paths"] = [*addresses["paths"], server.address]
    outcome, _ = attack("reach_out", level, **addresses)
    # With namespaces, its own loopback device takes a datagram that nobody there waits for.
    assert refused(outcome) == (["udp"] if level is Level.NAMESPACES else []) and heard == []


@pytest.mark.parametrize("level", STRONG)
def test_files_outside_cannot_be_read(attack, level, secret, server):
    hidden = [*(ROOT / "autograder" / "assignments").glob("*.md"), Path(__file__), ROOT / "pyproject.toml", secret]
    paths = [str(path) for path in hidden] + ["/etc/shadow", "/etc/hostname", str(Path.home() / ".bashrc")]
    assert all(path.is_file() for path in hidden)
    found, _ = attack("read_files", level, paths=paths, launcher=server.pid)
    assert found == {}


@pytest.mark.parametrize("level", STRONG)
def test_files_outside_cannot_be_changed(attack, level, secret):
    before, text = secret.stat(), secret.read_text()
    outcome, _ = attack("change_files", level, path=str(secret), place=str(secret.parent))
    after = secret.stat()
    assert secret.read_text() == text and os.listdir(secret.parent) == [secret.name]
    assert (after.st_mode, after.st_uid, after.st_mtime_ns) == (before.st_mode, before.st_uid, before.st_mtime_ns)
    assert os.listxattr(secret) == []
    assert set(refused(outcome)) <= {"mode", "owner", "time", "attribute"}


@pytest.mark.parametrize("level", LEVELS)
def test_the_system_and_the_interpreter_cannot_be_changed(attack, level):
    if level is Level.LIMITS and os.geteuid() != 0:
        pytest.skip("with limits alone an ordinary user writes what it may write")
    outcome, _ = attack("write_system", level)
    # A checkout below /tmp: namespaces give a /tmp of their own, and what is written there nobody else ever sees.
    unseen = {
        place
        for place in refused(outcome)
        if level is Level.NAMESPACES and Path(place).is_relative_to("/tmp") and not Path(place, "forged").exists()
    }
    assert set(refused(outcome)) == unseen


@pytest.mark.parametrize("level", STRONG)
def test_what_may_be_read_cannot_be_changed_whoever_owns_it(server, level, open_folder):
    """The owner of an environment is often the one who grades."""
    data = open_folder / "data.csv"
    data.write_text("1,2")
    data.chmod(0o666)
    reader, writer = os.pipe()
    with server.fork(
        "isolation_attacks:run",
        {"attack": "change_files", "options": {"path": str(data), "place": str(open_folder)}},
        descriptors={"out": writer},
        level=level,
        readable=(open_folder,),
    ) as process:
        os.close(writer)
        with os.fdopen(reader) as told:
            outcome = json.loads(told.read())
        assert process.wait(60) == 0
    assert data.read_text() == "1,2" and os.listdir(open_folder) == ["data.csv"]
    assert data.stat().st_mode & 0o777 == 0o666 and os.listxattr(data) == []
    assert set(refused(outcome)) <= {"mode", "owner", "time", "attribute"}


@pytest.mark.parametrize("level", LEVELS)
def test_no_other_process_can_be_seen_or_touched(attack, level, victim, server):
    outcome, _ = attack("reach_processes", level, victim=victim.pid, launcher=server.pid)
    assert victim.poll() is None
    went_through = set(refused(outcome))
    if level is Level.LIMITS and os.geteuid() != 0:
        went_through -= {"environment", "descriptors", "memory file", "launcher's memory"}  # said so in the report
    assert went_through == set()
    assert Path(f"/proc/{victim.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "SI", "it was stopped"


@pytest.mark.parametrize("level", STRONG)
def test_a_signal_to_everybody_reaches_only_the_sender(attack, level, victim, server):
    told, process = attack("kill_all", level)
    assert victim.poll() is None
    assert attack("exit_with", level, status=3)[1].returncode == 3  # the server lives, too
    assert told == "alive" or process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("level", LEVELS)
def test_it_starts_with_nothing_but_its_folder(attack, level, open_folder, secret):
    folder = open_folder / "submission"
    (folder / "data").mkdir(parents=True)
    (folder / "problem.ipynb").write_text("{}")
    (folder / "data" / "spectrum.csv").write_text("1,2")
    (folder / "sneaky.csv").symlink_to(secret)
    os.mkfifo(folder / "pipe")
    seen, _ = attack("look_at_itself", level, folder=folder)
    assert seen["files"] == ["data", "problem.ipynb"]
    variables = " ".join([*seen["environment"], *seen["environment"].values(), *seen["first environment"]])
    assert "hunter2" not in variables and "COURSE_TEST" not in variables and str(open_folder) not in variables
    assert set(seen["environment"]) <= {
        *("PATH", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_NUMERIC", "TZ", "LD_LIBRARY_PATH", "HOME", "TMPDIR"),
        *("PWD", "USER", "LOGNAME", "KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL", "TF_NUM_INTRAOP_THREADS"),
        *("TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "CUDA_VISIBLE_DEVICES"),
        "MALLOC_ARENA_MAX",
    }
    # 0, 1, 2, the one that was passed, and the one that lists them.
    assert len(seen["descriptors"]) == 5 and seen["descriptors"][:3] == [0, 1, 2]
    assert seen["input"].startswith("EOFError")
    assert seen["no new privileges"] == "1" and seen["seccomp"] == "2"
    assert {int(value, 16) for name, value in seen["capabilities"].items() if name != "CapBnd"} == {0}
    assert seen["uid"] != 0 and (os.geteuid() != 0 or seen["groups"] == [])
    assert seen["processes"] == "not to be listed" or level is not Level.LANDLOCK
    if level is Level.NAMESPACES:
        assert seen["processes"] == [1, 2] and seen["home"] == ["work"] and seen["shared memory"] == "done"
    if level is not Level.LIMITS and os.geteuid() == 0:
        assert int(seen["capabilities"]["CapBnd"], 16) == 0


@pytest.mark.parametrize("level", LEVELS)
def test_what_it_writes_does_not_reach_the_folder(attack, level, open_folder):
    folder = open_folder / "submission"
    folder.mkdir()
    (folder / "answer.txt").write_text("before")
    told, _ = attack("fill_disk", level, folder=folder, file_megabytes=1, n_files=2)
    assert told == {"megabytes": 2, "reason": "done"}
    assert os.listdir(folder) == ["answer.txt"]


@pytest.mark.parametrize("level", LEVELS)
def test_no_privilege_can_be_gained(attack, level):
    outcome, _ = attack("gain_privileges", level)
    assert refused(outcome) == []


def test_nothing_of_the_sandbox_shows_in_our_own_mounts(attack):
    before = Path("/proc/self/mountinfo").read_text()
    for level in LEVELS:
        attack("exit_with", level, status=0)
    assert Path("/proc/self/mountinfo").read_text() == before


@pytest.mark.parametrize("level", LEVELS)
def test_root_outside_is_never_its_user(server, level):
    with server.fork("isolation_attacks:run", {"attack": "burn", "options": {}}, level=level, limits=LOOSE) as process:
        (uids,) = re.findall(r"^Uid:\t(.*)$", Path(f"/proc/{process.pid}/status").read_text(), re.M)
    assert "0" not in uids.split()
    if os.geteuid() == 0:
        assert int(uids.split()[0]) >= isolation.FIRST_UNPRIVILEGED_ID


@pytest.mark.parametrize("place", ["/tmp", "/home", "/dev/shm", "/var/tmp"])
def test_what_may_be_read_may_lie_where_the_sandbox_has_its_own_places(server, place, open_folder):
    """A checkout in somebody's home, an environment in /tmp."""
    if not os.access(place, os.W_OK):
        pytest.skip(f"{place} may not be written here")
    folder = Path(place) / f"course-test-{os.getpid()}-readable"
    folder.mkdir()
    try:
        (folder / "data.csv").write_text("1,2")
        folder.chmod(0o755)
        for level in LEVELS:
            reader, writer = os.pipe()
            options = {"paths": [str(folder / "data.csv")], "launcher": 1}
            with server.fork(
                "isolation_attacks:run",
                {"attack": "read_files", "options": options},
                descriptors={"out": writer},
                level=level,
                readable=(folder,),
            ) as process:
                os.close(writer)
                with os.fdopen(reader) as told:
                    assert json.loads(told.read())[str(folder / "data.csv")] == "1,2"
                assert process.wait(60) == 0
        assert (folder / "data.csv").read_text() == "1,2" and os.listdir(folder) == ["data.csv"]
    finally:
        shutil.rmtree(folder)


# --- How much may be used


@pytest.mark.parametrize("level", LEVELS)
def test_processes_and_threads_are_limited(attack, level):
    limits = Limits(n_processes=20, cpu_s=60, wall_s=120)
    for bomb in ("fork_bomb", "thread_bomb"):
        told, _ = attack(bomb, level, limits=limits)
        assert 5 <= told <= 20


@pytest.mark.parametrize("level", LEVELS)
def test_too_much_memory_is_refused_or_ends_the_tree(attack, level):
    limits = Limits(memory_mb=400, cpu_s=60, wall_s=120)
    told, process = attack("ask_for_too_much", level, limits=limits, gigabytes=100)
    assert "MemoryError" in told and process.returncode == 0
    told, process = attack("grow", level, limits=limits)
    assert process.ended_by == "memory" or 250 <= told <= 400
    told, process = attack("grow_in_children", level, limits=limits, n_children=5, megabytes=150)
    assert told is None and process.ended_by == "memory"
    told, _ = attack("grow_beside", level)
    assert refused(told) == []


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("burn", ["burn"] if ANOTHER_USER in os.environ else ["burn_defiantly", "burn_in_children"])
def test_cpu_time_is_limited(attack, level, burn):
    told, process = attack(burn, level, limits=Limits(cpu_s=1, wall_s=300))
    assert told is None and process.ended_by == "cpu"
    assert process.usage()[0] > 0.5


@pytest.mark.parametrize("level", LEVELS)
def test_wall_time_is_limited_even_if_the_owner_forgets_it(attack, level):
    _, process = attack("leave_behind_and_stay", level, limits=Limits(wall_s=0.5))
    assert process.ended_by == "wall"


@pytest.mark.parametrize("level", LEVELS)
def test_files_are_limited(attack, level):
    limits = Limits(file_size_mb=5, disk_mb=12, cpu_s=60, wall_s=120)
    told, _ = attack("fill_disk", level, limits=limits, file_megabytes=20, n_files=1)
    assert told == {"megabytes": 5, "reason": "File too large"}
    if level is Level.NAMESPACES:
        told, _ = attack("fill_disk", level, limits=limits, file_megabytes=4, n_files=100)
        assert told["megabytes"] <= 12 and told["reason"] == "No space left on device"
        told, _ = attack("fill_inodes", level, limits=limits, n_files=100_000)
        assert told["reason"] == "No space left on device"


def test_a_folder_that_is_too_large_is_refused_before_anything_runs(attack, open_folder):
    (open_folder / "large").write_bytes(bytes(3_000_000))
    with pytest.raises(CourseError, match="holds more than 2 MB"):
        attack("exit_with", LEVELS[0], folder=open_folder, limits=Limits(disk_mb=2), status=0)


# --- How it ends


@pytest.mark.parametrize("level", LEVELS)
def test_the_way_it_ended_is_told(attack, level):
    assert attack("exit_with", level, status=7)[1].returncode == 7
    assert attack("crash", level)[1].ended_by == "signal 11"
    process = attack("die", level, number=signal.SIGKILL)[1]
    assert (process.returncode, process.ended_by) == (-9, "signal 9")


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_of_the_tree_lives_on(attack, level):
    # `attack` returns only when the last process that inherited the descriptor is gone.
    told, process = attack("leave_behind", level)
    assert told == "left" and process.returncode == 0


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("attack", ["leave_behind_and_stay", "relay_and_stay"])
def test_kill_ends_the_whole_tree(server, level, attack):
    reader, writer = os.pipe()
    process = server.fork(
        "isolation_attacks:run",
        {"attack": attack, "options": {}},
        descriptors={"out": writer},
        level=level,
        limits=LOOSE,
    )
    os.close(writer)
    time.sleep(0.1)  # give it the time to do what it wants to do; nothing depends on it
    process.kill()
    assert process.wait(60) == -signal.SIGKILL and process.ended_by == "signal 9"
    with os.fdopen(reader, "rb") as told:
        assert told.read() == b""
    process.kill()  # once more is no error
    process.close()


OWNER = """
import json, os, sys, time
from autograder.isolation import Level, Limits
from autograder.warm_server import WarmServer
server = WarmServer("plain", preload=("isolation_attacks",), search_path=[sys.argv[1]])
request = {"attack": "leave_behind_and_stay", "options": {}}
process = server.fork("isolation_attacks:run", request, descriptors={"out": int(sys.argv[2])}, level=Level(sys.argv[3]),
                      limits=Limits())
os.close(int(sys.argv[2]))
print(json.dumps([server.pid, process.pid, str(server._folder)]), flush=True)
time.sleep(3600)
"""


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("killed", ["owner", "server"])
def test_nothing_is_left_when_owner_or_server_is_killed(level, killed):
    reader, writer = os.pipe()
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(Path(__file__).parent), str(writer), level],
        stdout=subprocess.PIPE,
        pass_fds=(writer,),
        text=True,
    )
    os.close(writer)
    try:
        server_pid, pid, folder = json.loads(owner.stdout.readline())
        os.kill(owner.pid if killed == "owner" else server_pid, signal.SIGKILL)
        if killed == "owner":
            owner.wait()
        with os.fdopen(reader, "rb") as told:
            assert told.read() == b""  # comes with the end of the last process of the tree
        if killed == "owner":
            wait_until(lambda: not Path(folder).exists() and not Path(f"/proc/{server_pid}").exists())
        else:
            # The owner would have removed it; the test kills it, too.
            shutil.rmtree(folder)
        wait_until(lambda: not Path(f"/proc/{pid}").exists())
    finally:
        owner.kill()
        owner.wait()
        owner.stdout.close()


def wait_until(condition, seconds=120):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.02)


# --- Choosing a level


def test_the_report_says_what_is_in_force():
    report = available()
    assert report.level is LEVELS[0] or ANOTHER_USER in os.environ
    text = "\n".join(report.details)
    for word in ("files:", "processes:", "network:", "user:", "system calls:", "limits:"):
        assert word in text
    assert set(report.missing) | set(report.by_level) == set(Level)


def test_what_the_kernel_can_do_is_offered():
    """A level that lost its hold would silently not be offered, and all tests above would pass without it."""
    report = available()
    if isolation.landlock_version() and isolation.pyseccomp is not None:
        assert Level.LANDLOCK in report.by_level or "cannot enter" in report.missing[Level.LANDLOCK]
    command = ["unshare", "--user", "--map-root-user", "--mount", "--net", "--pid", "--fork", "true"]
    if shutil.which("unshare") and subprocess.run(command, capture_output=True).returncode == 0:
        assert Level.NAMESPACES in report.by_level


def test_a_weaker_level_is_never_taken_silently(monkeypatch):
    weak = Report(Level.LIMITS, ("limits",), {Level.NAMESPACES: "no unshare"}, {Level.LIMITS: ("limits",)})
    monkeypatch.setattr(isolation, "available", lambda: weak)
    with pytest.raises(CourseError, match=r"namespaces is not to be had.*no unshare.*limits; --allow-weaker"):
        choose()
    assert choose(allow_weaker=True) is Level.LIMITS
    assert choose(Level.LIMITS) is Level.LIMITS


def test_a_level_whose_promise_does_not_hold_is_not_offered(monkeypatch):
    """If the allow-list let everything through, the trial must notice."""
    held = {"read inside": "", "write inside": "", "fresh /proc": ""}
    safe = dict.fromkeys(
        ("read outside", "write outside", "network", "look at its launcher", "signal its launcher"), "no"
    )
    assert isolation._judge(Level.NAMESPACES, held | safe, 1000)
    for name in safe:
        with pytest.raises(OSError, match=f"not kept in the trial .{name}"):
            isolation._judge(Level.NAMESPACES, held | safe | {name: ""}, 1000)
    with pytest.raises(OSError, match="still root"):
        isolation._judge(Level.NAMESPACES, held | safe, 0)


def test_limits_must_be_positive():
    with pytest.raises(CourseError, match="memory_mb must be positive, not 0"):
        Limits(memory_mb=0)


def test_what_may_be_read_never_holds_an_assignment():
    paths = isolation.readable_paths()
    hidden = ROOT / "autograder" / "assignments"
    assert not any(path == hidden or path in hidden.parents or hidden in path.parents for path in paths)
    assert any(path.name == "datasets" for path in paths)
    assert all(path.exists() or path.is_symlink() for path in paths)


def test_without_libseccomp_landlock_is_not_offered(monkeypatch):
    """It would leave the network open, and the report of the other levels says what is missing."""
    monkeypatch.setattr(isolation, "pyseccomp", None)
    with pytest.raises(OSError, match="libseccomp is not installed"):
        isolation._restrict_system_calls(Level.LANDLOCK, 7, alone=True)
    held = {"read inside": "", "write inside": "", "fresh /proc": ""}
    safe = dict.fromkeys(
        ("read outside", "write outside", "network", "look at its launcher", "signal its launcher"), "no"
    )
    assert "system calls: none: libseccomp" in "\n".join(isolation._judge(Level.NAMESPACES, held | safe, 1000))


# --- The same as another user

USERS = {"ordinary user": 65534, "root whose files others may read": 0}


as_root_once = pytest.mark.skipif(
    os.geteuid() != 0 or ANOTHER_USER in os.environ, reason="only root becomes another user"
)


def as_user(*arguments):
    return [sys.executable, str(Path(__file__).with_name("as_user.py")), *arguments]


@as_root_once
@pytest.mark.parametrize(
    ("arguments", "line"),
    [(("0", "--no-mounting"), "user: 19"), (("65534", "--cover-proc"), "/proc: empty"), (("65534",), "user: 65534")],
)
def test_containers_that_withhold_something_still_get_namespaces(arguments, line):
    """Root that may not mount, and a /proc of which a part is covered: usual in containers."""
    command = as_user(*arguments, sys.executable, "-P", "-m", "autograder.isolation")
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert any(detail.startswith(line) for detail in json.loads(done.stdout)["held"]["namespaces"])


@as_root_once
@pytest.mark.parametrize("user", USERS)
def test_the_same_attacks_fail_as(user):
    """Runs this file once more: levels that root cannot have here, and everything as an ordinary user."""
    done = subprocess.run(
        [
            *as_user(str(USERS[user])),
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__),
        ],
        env=os.environ | {ANOTHER_USER: "1", "HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=800,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
