"""Forked kernels behave like started ones: jupyter_client's own LocalProvisioner is the oracle."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager

from autograder import warm_kernel
from autograder.errors import CourseError
from autograder.isolation import available
from autograder.warm_kernel import ANNOUNCEMENT, WarmProvisioner, announcement
from autograder.warm_server import WarmServer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")


@pytest.fixture(scope="module")
def plain_server():
    with WarmServer("plain") as server:
        yield server


@pytest.fixture(autouse=True)
def announced(plain_server, monkeypatch):
    """All kernels here are forked from one server without TensorFlow."""
    for name, value in announcement(plain_server).items():
        monkeypatch.setenv(name, value)


class Session:
    """A kernel and its client; `run` gives what a cell printed and how it ended."""

    def __init__(self, **options):
        self.manager = AsyncKernelManager(**options)

    async def __aenter__(self):
        await self.manager.start_kernel()
        await self.connect()
        return self

    async def connect(self):
        self.client = self.manager.client()
        self.client.start_channels()
        await self.client.wait_for_ready(timeout=300)

    async def __aexit__(self, *error):
        self.client.stop_channels()
        if self.manager.has_kernel:
            await self.manager.shutdown_kernel(now=True)

    async def run(self, source, started=None):
        """`started` is set with the first output."""
        printed = []

        def keep(message):
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])
                if started is not None:
                    started.set()

        reply = await self.client.execute_interactive(source, output_hook=keep, timeout=300, allow_stdin=False)
        content = reply["content"]
        return "".join(printed).strip(), content["status"] if content["status"] == "ok" else content["ename"]

    async def interrupt_a_loop(self):
        started = asyncio.Event()
        loop = "import time\nprint('in the loop', flush=True)\nwhile True: time.sleep(0.01)"
        task = asyncio.create_task(self.run(loop, started))
        await started.wait()
        await self.manager.interrupt_kernel()
        return (await task)[1]


async def until(condition, seconds=300):
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)


async def life_of_a_kernel(kernel_name, folder):
    """Everything that a client can do to a kernel; return what it saw, without numbers that differ by chance."""
    seen = {}
    manager = AsyncKernelManager(kernel_name=kernel_name)
    await manager.start_kernel(cwd=str(folder))
    session = Session.__new__(Session)
    session.manager = manager
    await session.connect()
    provisioner = manager.provisioner
    seen["alive"] = await provisioner.poll(), provisioner.has_process, await manager.is_alive()
    seen["state"] = await session.run("kept = 1; print(kept)")
    printed, status = await session.run(
        "import os, sys; print(os.getcwd(), __name__, os.environ.get('COURSE_TEST_KERNEL'), sys.path[0] == '')"
    )
    seen["surroundings"] = printed, status
    seen["error"] = await session.run("1 / 0")
    seen["subprocess"] = await session.run("!echo from a shell")
    seen["input"] = (await session.run("input()"))[1]
    printed, _ = await session.run("print(os.getpid())")
    seen["pid is that of the kernel"] = int(printed) == provisioner.pid
    # Interrupt
    seen["interrupt"] = await session.interrupt_a_loop()
    # Restart
    before = provisioner.pid
    session.client.stop_channels()
    await manager.restart_kernel(now=True)
    await session.connect()
    seen["restarted"] = provisioner.pid != before, (await session.run("kept"))[1]
    # Death, and a restart after it
    session.client.execute("import os; os._exit(3)")
    await until(lambda: dead(manager))
    seen["death"] = await provisioner.poll(), await manager.is_alive()
    session.client.stop_channels()
    await manager.restart_kernel(now=True)
    await session.connect()
    seen["after death"] = await session.run("print('again')")
    # Killed by the system
    os.kill(provisioner.pid, signal.SIGKILL)
    await until(lambda: dead(manager))
    seen["killed"] = await provisioner.poll()
    await provisioner.send_signal(signal.SIGINT) if kernel_name == "course-warm" else None
    session.client.stop_channels()
    await manager.restart_kernel(now=True)
    await session.connect()
    # A polite end
    session.client.stop_channels()
    await manager.shutdown_kernel()
    seen["end"] = provisioner.has_process, await provisioner.poll(), manager.has_kernel
    return seen


async def dead(manager):
    return await manager.provisioner.poll() is not None


def test_a_forked_kernel_lives_and_dies_like_a_started_one(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_TEST_KERNEL", "seen")
    started = asyncio.run(life_of_a_kernel("python3", tmp_path))
    forked = asyncio.run(life_of_a_kernel("course-warm", tmp_path))
    assert forked == started
    assert started["interrupt"] == "KeyboardInterrupt" and started["death"] == (3, False) and started["killed"] == -9


def test_killed_at_once(tmp_path):
    async def play():
        async with Session(kernel_name="course-warm") as session:
            pid = session.manager.provisioner.pid
            await session.manager.provisioner.kill()
            assert await session.manager.provisioner.wait() == -signal.SIGKILL
            assert not session.manager.provisioner.has_process
            await until(lambda: gone(pid))

    asyncio.run(play())


async def gone(pid):
    return not Path(f"/proc/{pid}").exists()


def notebook(*cells):
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return book


ASK = "import os; print(open(f'/proc/{os.getppid()}/cmdline').read().count('import _serve'))"


@pytest.mark.parametrize("how", ["kernel name", "default provisioner"])
def test_papermill_and_nbclient_use_it_unmodified(how, tmp_path, monkeypatch):
    """Both in processes of their own, as people call them."""
    source, target = tmp_path / "book.ipynb", tmp_path / "out.ipynb"
    nbformat.write(notebook(ASK), source)
    name = "course-warm" if how == "kernel name" else "python3"
    if how == "default provisioner":
        monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "course-warm")
    for command in (
        ["papermill", "--no-progress-bar", "-k", name, str(source), str(target)],
        ["jupyter_client.nbclient", str(source), str(target), name],
    ):
        if command[0] == "papermill":
            call = [sys.executable, "-m", *command]
        else:
            code = (
                "import sys, nbformat, nbclient; book = nbformat.read(sys.argv[1], 4);"
                "nbclient.NotebookClient(book, kernel_name=sys.argv[3]).execute(); nbformat.write(book, sys.argv[2])"
            )
            call = [sys.executable, "-c", code, *command[1:]]
        done = subprocess.run(call, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr[-3000:]
        executed = nbformat.read(target, 4)
        assert executed.cells[-1].outputs[0].text == "1\n", "the kernel's parent is no warm server"
        target.unlink()


def test_what_cannot_be_forked_starts_cold_with_one_note(tmp_path, monkeypatch, caplog):
    async def play(**options):
        async with Session(**options) as session:
            return await session.run(ASK)

    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    with caplog.at_level("WARNING"):
        assert asyncio.run(play(kernel_name="course-warm")) == ("0", "ok")
    notes = [record.getMessage() for record in caplog.records if "starts cold" in record.getMessage()]
    assert len(notes) == 1 and "'TF_ENABLE_ONEDNN_OPTS': '0'" in notes[0]
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    # Another interpreter's kernel keeps its interpreter.
    folder = tmp_path / "kernels" / "other"
    folder.mkdir(parents=True)
    other = tmp_path / "python"
    other.symlink_to(sys.executable)
    shell = tmp_path / "other-python"
    shell.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    shell.chmod(0o755)
    specification = {
        "argv": [str(shell), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Other",
        "language": "python",
        "metadata": {"kernel_provisioner": {"provisioner_name": "course-warm"}},
    }
    (folder / "kernel.json").write_text(json.dumps(specification))
    specs = KernelSpecManager(kernel_dirs=[str(tmp_path / "kernels")])
    assert asyncio.run(play(kernel_name="other", kernel_spec_manager=specs)) == ("0", "ok")
    # A server that is gone is no reason to stop.
    announced = json.loads(os.environ[ANNOUNCEMENT]) | {"address": str(tmp_path / "nobody")}
    monkeypatch.setenv(ANNOUNCEMENT, json.dumps(announced))
    assert asyncio.run(play(kernel_name="course-warm")) == ("0", "ok")


def isolated(tmp_path, level):
    """A kernelspec manager with one kernel: the warm one, isolated."""
    specification = json.loads((Path(warm_kernel.__file__).parent / "kernelspec" / "kernel.json").read_text())
    specification["metadata"]["kernel_provisioner"]["config"] = {"profile": "plain", "isolation": level}
    folder = tmp_path / "kernels" / "isolated"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(specification))
    return KernelSpecManager(kernel_dirs=[str(tmp_path / "kernels")])


@pytest.mark.parametrize("level", [str(level) for level in (available().by_level if sys.platform == "linux" else ())])
def test_an_isolated_kernel_has_no_network_and_no_files_but_talks(level, tmp_path, monkeypatch):
    work = tmp_path / "work"
    work.mkdir()
    (work / "data.txt").write_text("42")
    (tmp_path / "secret.txt").write_text("hunter2")
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")

    async def play():
        session = Session(kernel_name="isolated", kernel_spec_manager=isolated(tmp_path, level))
        await session.manager.start_kernel(cwd=str(work))
        await session.connect()
        sockets = Path(session.manager.ip).parent
        try:
            assert session.manager.transport == "ipc"
            assert await session.run("print(open('data.txt').read())") == ("42", "ok")
            assert await session.run("import os; print('hunter2' in str(os.environ))") == ("False", "ok")
            assert (await session.run(f"open({str(tmp_path / 'secret.txt')!r})"))[1] in (
                *("FileNotFoundError", "PermissionError"),
            )
            assert (await session.run("import socket; socket.create_connection(('192.0.2.1', 9), 5)"))[1] == "OSError"
            assert await session.interrupt_a_loop() == "KeyboardInterrupt"
            session.client.stop_channels()
            await session.manager.restart_kernel(now=True)
            await session.connect()
            assert await session.run("print('again')") == ("again", "ok")
        finally:
            session.client.stop_channels()
            await session.manager.shutdown_kernel(now=True)
        assert not sockets.exists()

    asyncio.run(play())


def test_an_isolated_kernel_is_never_started_cold(tmp_path, monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")

    async def play():
        manager = AsyncKernelManager(kernel_name="isolated", kernel_spec_manager=isolated(tmp_path, "namespaces"))
        with pytest.raises(CourseError, match="TF_ENABLE_ONEDNN_OPTS"):
            await manager.start_kernel()

    asyncio.run(play())


def test_the_kernel_is_installed_and_its_settings_are_checked():
    try:
        spec = KernelSpecManager().get_kernel_spec("course-warm")
    except NoSuchKernel:
        pytest.fail("the kernel course-warm is not installed: pip install --no-deps --no-build-isolation -e .")
    assert spec.display_name == "Course (warm)"
    assert spec.metadata["kernel_provisioner"]["provisioner_name"] == "course-warm"
    committed = json.loads((Path(warm_kernel.__file__).parent / "kernelspec" / "kernel.json").read_text())
    assert spec.argv[1:] == committed["argv"][1:] and spec.metadata == committed["metadata"]
    with pytest.raises(Exception, match="isolation"):
        WarmProvisioner(isolation="docker")
    with pytest.raises(CourseError, match="profile must be one of"):
        WarmProvisioner(profile="torch")._address({})


def test_peak_memory_of_ended_kernels_is_known():
    async def play():
        async with Session(kernel_name="course-warm") as session:
            await session.run("block = bytearray(300_000_000)")

    asyncio.run(play())
    assert 300 < warm_kernel.peak_megabytes() < 3000
