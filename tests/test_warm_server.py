"""The warm server: what it forks works, is fresh, and ends; what might hang is not forked."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autograder.errors import CourseError
from autograder.isolation import Limits, available
from autograder.warm_server import ServerRefused, WarmServer, request_fork

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")

HERE = Path(__file__).parent
ENTRIES = {"preload": ("warm_server_entries",), "search_path": [HERE]}


@pytest.fixture(scope="module")
def server():
    with WarmServer("plain", **ENTRIES) as server:
        yield server


def call(server, entry, arguments=None, **options):
    """Fork, wait for the end; return what was told and the process."""
    reader, writer = os.pipe()
    process = server.fork(
        f"warm_server_entries:{entry}",
        arguments or {},
        descriptors={"out": writer, **options.pop("pass", {})},
        **options,
    )
    os.close(writer)
    with process, os.fdopen(reader) as told:
        text = told.read()
        process.wait(300)
    return json.loads(text) if text else None, process


def wait_until(condition, seconds=120):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.01)


def test_a_forked_process_gets_what_was_passed_and_nothing_else(server, tmp_path):
    with (tmp_path / "output").open("w") as output:
        seen, process = call(
            server,
            "echo",
            {"text": "α" * 300_000},
            **{"pass": {"stdout": output.fileno()}},
            environment={"ONLY": "this"},
            folder=tmp_path,
        )
    assert process.returncode == 0 and process.ended_by == ""
    assert seen["arguments"] == {"text": "α" * 300_000}
    assert seen["names"] == ["out", "stdout"] and seen["environment"] == {"ONLY": "this"}
    assert seen["folder"] == str(tmp_path) and seen["session"]
    # 0, 1, 2, the passed one, and the one that lists them.
    assert len(seen["descriptors"]) == 5
    assert (tmp_path / "output").read_text() == "to standard output\n"


def test_the_environment_of_the_owner_stays_outside(monkeypatch):
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    with WarmServer("plain", environment={"TF_ENABLE_ONEDNN_OPTS": "0"}, **ENTRIES) as server:
        environment = call(server, "echo")[0]["environment"]
        assert "hunter2" not in json.dumps(environment)
        assert environment["TF_ENABLE_ONEDNN_OPTS"] == "0" and environment["OMP_NUM_THREADS"] == "2"
        assert environment["HOME"] != os.environ.get("HOME")
        # Nor can it be read in the server itself, whose memory every child has.
        assert b"hunter2" not in Path(f"/proc/{server.pid}/environ").read_bytes()


def test_every_process_draws_its_own_random_numbers(server):
    draws = [call(server, "draw")[0] for _ in range(4)]
    for column in zip(*draws, strict=True):
        assert len(set(column)) == 4


def test_a_failure_is_an_exit_status_with_its_reason_on_standard_error(server, tmp_path):
    with (tmp_path / "errors").open("w") as errors:
        _, process = call(server, "fail", **{"pass": {"stderr": errors.fileno()}})
    assert process.returncode == 1 and "RuntimeError: as planned" in (tmp_path / "errors").read_text()
    assert call(server, "no_such_function")[1].returncode == 1


def test_poll_wait_kill_and_signals(server):
    reader, writer = os.pipe()
    process = server.fork("warm_server_entries:wait_for_signal", {}, descriptors={"out": writer})
    os.close(writer)
    with os.fdopen(reader) as told:
        assert json.loads(told.read()) == "ready"
    assert process.poll() is None and process.returncode is None
    with pytest.raises(TimeoutError, match=r"still runs after 0\.01 s"):
        process.wait(0.01)
    cpu_s, peak_mb = process.usage()
    assert 0 <= cpu_s < 60 and 10 < peak_mb < 2000
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == -signal.SIGTERM and process.ended_by == "signal 15"
    process.send_signal(signal.SIGTERM)  # to nobody
    process.kill()
    assert process.poll() == -signal.SIGTERM
    process.close()
    assert process.poll() == -signal.SIGTERM


def test_memory_and_computing_time_of_what_was_killed_are_known(server, tmp_path):
    for level in (None, *available().by_level):
        reader, writer = os.pipe()
        arguments = {"megabytes": 150, "cpu_s": 0.3}
        process = server.fork(
            "warm_server_entries:grow_and_wait", arguments, descriptors={"out": writer}, folder=tmp_path, level=level
        )
        os.close(writer)
        with os.fdopen(reader) as told:
            own_cpu_s = json.loads(told.read())
        process.kill()
        process.wait(60)
        cpu_s, peak_mb = process.usage()
        # The system counts in hundredths of a second, and the memory of the server comes on top.
        assert cpu_s > own_cpu_s - 0.05 and 150 < peak_mb < 1000, level
        process.close()


def test_a_process_ends_with_the_connection_that_asked_for_it(server):
    process = server.fork("warm_server_entries:wait_for_signal", {}, descriptors={"out": 1})
    pid = process.pid
    process.close()
    wait_until(lambda: not Path(f"/proc/{pid}").exists())


def test_nobody_whom_it_forked_may_ask_it(server):
    answer, process = call(server, "ask_the_server", {"address": server.address})
    assert answer == "" and process.returncode == 0


def test_a_server_with_more_threads_is_replaced_before_it_forks(tmp_path):
    told = tmp_path / "signal"
    with WarmServer(
        "plain",
        preload=("warm_server_entries", "warm_server_late_thread"),
        search_path=[HERE],
        environment={"COURSE_TEST_SIGNAL": str(told)},
    ) as server:
        assert call(server, "echo")[1].returncode == 0
        first = server.pid
        told.touch()
        wait_until(told.with_suffix(".done").exists)
        with pytest.raises(ServerRefused, match=r"threads instead of .* could hang"):
            request_fork(server.address, "builtins:print", {})
        assert server.pid == first
        assert call(server, "echo")[1].returncode == 0
        assert server.pid != first and not Path(f"/proc/{first}").exists()


def test_a_server_that_cannot_start_says_why():
    server = WarmServer("plain", preload=("no_such_module",))
    with server, pytest.raises(CourseError, match=r"warm server ended .*No module named 'no_such_module'"):
        server.fork("builtins:print", {})
    with pytest.raises(CourseError, match="profile must be one of plain, tensorflow, not 'torch'"):
        WarmServer("torch")
    with pytest.raises(CourseError, match="does not answer"):
        request_fork("/nowhere/socket", "builtins:print", {})


def test_a_broken_request_harms_nobody_else(server):
    for nonsense in (b"{\n", b"[]\n", b'{"entry": 1}\n', b"\xff\xfe\n", b""):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(server.address)
            connection.sendall(nonsense)
    assert call(server, "echo")[1].returncode == 0


def test_it_outlives_the_thread_that_started_it():
    server = WarmServer("plain", **ENTRIES)
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    with server:
        pid = server.pid
        assert call(server, "echo")[1].returncode == 0
        time.sleep(0.1)
        assert call(server, "echo")[1].returncode == 0 and server.pid == pid
        folder = Path(server.address).parents[1]
        assert folder.stat().st_mode & 0o777 == 0o711 and (folder / "socket").stat().st_mode & 0o777 == 0o700
    assert not folder.exists() and not Path(f"/proc/{pid}").exists()


STARTER = """
import json, os
from autograder.warm_server import WarmServer
server = WarmServer("plain")
server.start(survive_exec=True)
print(json.dumps([server.pid, server.address]), flush=True)
os.execv("/bin/sleep", ["sleep", "3600"])
"""


def test_it_survives_an_exec_of_its_owner_and_ends_with_it():
    """As JupyterLab takes the place of `course lab`."""
    owner = subprocess.Popen([sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True)
    try:
        pid, address = json.loads(owner.stdout.readline())
        wait_until(lambda: Path(f"/proc/{owner.pid}/comm").read_text() == "sleep\n")
        with request_fork(address, "builtins:print", {}) as process:
            assert process.wait(120) == 0
    finally:
        owner.kill()
        owner.wait()
        owner.stdout.close()
    wait_until(lambda: not Path(f"/proc/{pid}").exists() and not Path(address).parents[1].exists())


def test_several_threads_fork_at_the_same_time(server):
    outcomes = []
    threads = [threading.Thread(target=lambda: outcomes.append(call(server, "draw")[0])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({json.dumps(outcome) for outcome in outcomes}) == 8


def test_limits_hold_without_isolation_if_they_are_given(server):
    _, process = call(server, "wait_for_signal", limits=Limits(wall_s=0.3))
    assert process.ended_by == "wall"


@pytest.mark.slow
def test_twenty_forks_train_a_network_each():
    level = available().level
    with WarmServer("tensorflow", **ENTRIES) as server, ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda n: call(server, "fit", level=level if n % 2 else None), range(20)))
        assert [process.returncode for _, process in outcomes] == [0] * 20
        # Seeded: the same in each process, behind the isolation and without it.
        losses = [loss for loss, _ in outcomes]
        assert losses[0][0] > 0 and all(loss == pytest.approx(losses[0], rel=1e-5) for loss in losses)
