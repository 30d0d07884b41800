"""Memory and CPU of one user of a hub: what docs/class_on_kubernetes.md computes the size of a cluster from.

    python bench/bench_memory_per_user.py [--servers N] [--simulated N] [--chapter NAME ...] [--exercise NAME]

Measured are the processes that run in the pods of a cluster, here on one machine:

* hub and proxy: just started, with N users known, with N servers running. Those servers are simulated: one answering
  process stands for all, so that only the hub's and the proxy's own cost is seen;
* the single-user server, real ones, idle;
* kernels: a plain notebook, whole chapters at their peak, and the same in warm kernels, which is the peer;
* the grading of an exercise, one and two submissions at a time.

PSS is memory in which a page shared by n processes counts 1/n: the sum over all processes is what they really take.
RSS counts it fully in each. What PSS leaves out of a process (libraries that others have loaded as well) costs a node
once, not once a user; a pod that is alone on its node pays it fully, so that RSS is the number for a limit.
"""

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from rich.console import Console
from rich.table import Table

from autograder.repository import find_repository
from autograder.running import KERNEL_ENVIRONMENT

PLAIN = """
import numpy as np
import plotly.graph_objects as go
from course_lib import style
style.use()
angle = np.linspace(0, 20, 10_000)
go.Figure(go.Scatter(x=angle, y=np.sin(angle)))
"""
HUB_CONFIGURATION = """
import os, sys
from jupyterhub.spawner import SimpleLocalProcessSpawner
c = get_config()


class Simulated(SimpleLocalProcessSpawner):
    '''Users called simulated-N have one server together, which does nothing but answer.'''

    @property
    def is_simulated(self):
        return self.user.name.startswith("simulated-")

    async def start(self):
        return ("127.0.0.1", {answering_port}) if self.is_simulated else await super().start()

    async def poll(self):
        return (None if self.server else 0) if self.is_simulated else await super().poll()

    async def stop(self, now=False):
        if not self.is_simulated:
            await super().stop(now)


c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.ConfigurableHTTPProxy.command = {proxy}
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = Simulated
c.Simulated.home_dir_template = os.path.join(os.getcwd(), "homes", "{{username}}")
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root", "--LabApp.news_url=None"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 300
c.JupyterHub.concurrent_spawn_limit = 20
c.JupyterHub.services = [{{"name": "bench", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [{{"name": "bench", "services": ["bench"], "scopes": ["admin:users", "admin:servers"]}}]
"""
_MEGABYTE = 1e6


@dataclass(frozen=True)
class Memory:
    """Megabytes of some processes together; `cpu_s` are the seconds that they have computed."""

    pss: float
    rss: float
    cpu_s: float = 0.0

    @classmethod
    def of(cls, processes) -> "Memory":
        pss = rss = cpu = 0.0
        for process in processes:
            with contextlib.suppress(psutil.Error, OSError):
                fields = {"Pss": 0, "Rss": 0}
                for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()[1:]:
                    name, value = line.split(":")
                    fields[name] = int(value.split()[0]) * 1024 / _MEGABYTE
                pss, rss = pss + fields["Pss"], rss + fields["Rss"]
                cpu += sum(process.cpu_times()[:2])
        return cls(pss, rss, cpu)


def tree(pid: int) -> list[psutil.Process]:
    """A process and all below it."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


class Watched:
    """Samples memory until the block ends; ``peak`` holds the largest PSS and RSS that were seen."""

    def __init__(self, find_processes, every_s=0.25):
        self._find, self._every_s, self._end = find_processes, every_s, threading.Event()
        self.peak = Memory(0, 0)
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def _sample(self):
        while not self._end.is_set():
            now = Memory.of(self._find())
            self.peak = Memory(*(max(a, b) for a, b in zip(vars(self.peak).values(), vars(now).values(), strict=True)))
            self._end.wait(self._every_s)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._end.set()
        self._thread.join()


class Report:
    """Rows of the table, printed as they come, because a run takes minutes."""

    def __init__(self):
        self.rows = []

    def add(self, what: str, memory: Memory, cpu: str = "", remark: str = ""):
        self.rows.append((what, f"{memory.pss:.0f}", f"{memory.rss:.0f}", cpu, remark))
        print(f"... {what}: PSS {memory.pss:.0f} MB, RSS {memory.rss:.0f} MB {cpu} {remark}", flush=True)

    def print(self):
        table = Table(title="Memory and CPU")
        for heading in ("", "PSS / MB", "RSS / MB", "CPU / s", ""):
            table.add_column(heading, justify="right" if "/" in heading else "left")
        for row in self.rows:
            table.add_row(*row)
        Console(width=130).print(table)


# -- hub, proxy, single-user servers ---------------------------------------------------------------------------


class _Answer(BaseHTTPRequestHandler):
    """What the hub asks a new server: are you up, and of which version?"""

    def do_GET(self):
        import jupyterhub

        self.send_response(200)
        self.send_header("X-JupyterHub-Version", jupyterhub.__version__)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments):
        pass


def free_ports(n_ports: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n_ports)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Hub:
    """JupyterHub with its proxy on loopback, in a folder of its own."""

    def __init__(self, folder: Path):
        from autograder import hub_proxy

        hub_proxy.install()
        self.folder, self.token = folder, secrets.token_hex(16)
        self.port, hub_port, proxy_port = free_ports(3)
        self._answering = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
        threading.Thread(target=self._answering.serve_forever, daemon=True).start()
        configuration = HUB_CONFIGURATION.format(
            port=self.port,
            hub_port=hub_port,
            proxy_port=proxy_port,
            proxy=hub_proxy.command(),
            token=self.token,
            answering_port=self._answering.server_port,
        )
        (folder / "jupyterhub_config.py").write_text(configuration)

    def __enter__(self):
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        with (self.folder / "hub.log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", "jupyterhub_config.py"],
                cwd=self.folder,
                env=os.environ | {"PATH": path},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self.wait(lambda: self.request("GET", "/users?limit=1") is not None)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            for process in tree(self.process.pid):
                process.kill()
        self._answering.shutdown()

    def wait(self, holds, seconds=300):
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                if holds():
                    return
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"The hub did not do it:\n{(self.folder / 'hub.log').read_text()[-3000:]}")
            time.sleep(0.5)

    def request(self, method, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/hub/api{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=120) as response:
            return json.loads(response.read() or b"{}")

    @property
    def own(self) -> tuple[list, list]:
        """The hub's process and the proxy's."""
        proxies = [one for one in psutil.Process(self.process.pid).children() if "proxy" in " ".join(one.cmdline())]
        return [psutil.Process(self.process.pid)], proxies

    def servers(self) -> list[psutil.Process]:
        children = psutil.Process(self.process.pid).children()
        return [one for one in children if "jupyterhub.singleuser" in " ".join(one.cmdline())]

    def start_servers(self, names):
        for name in names:
            # Not more at a time than the hub takes.
            self.wait(lambda: self._n_pending() < 15)
            self.request("POST", f"/users/{name}/server")
        self.wait(lambda: self._n_pending() == 0)

    def _n_pending(self):
        users = self.request("GET", "/users?state=active&limit=5000") or []
        return sum(bool(user.get("pending")) for user in users)


def measure_hub(report: Report, n_servers: int, n_simulated: int):
    with tempfile.TemporaryDirectory() as place, Hub(Path(place)) as hub:
        time.sleep(5)

        def both(when, remark=""):
            for who, processes in zip(("hub", "proxy"), hub.own, strict=True):
                memory = Memory.of(processes)
                report.add(f"{who}, {when}", memory, f"{memory.cpu_s:.1f}", remark)

        both("just started")
        names = [f"simulated-{number}" for number in range(n_simulated)]
        for first in range(0, n_simulated, 100):
            hub.request("POST", "/users", {"usernames": names[first : first + 100]})
        both(f"{n_simulated} users known")
        before = [Memory.of(processes) for processes in hub.own]
        hub.start_servers(names)
        after = [Memory.of(processes) for processes in hub.own]
        both(f"{n_simulated} servers running")
        for who, one, other in zip(("hub", "proxy"), before, after, strict=True):
            print(f"    {who}: {(other.cpu_s - one.cpu_s) / n_simulated * 1000:.0f} CPU-ms a start", flush=True)
        time.sleep(30)
        for who, other, last in zip(("hub", "proxy"), after, map(Memory.of, hub.own), strict=True):
            print(
                f"    {who}: {(last.cpu_s - other.cpu_s) * 2:.1f} CPU-s a minute while nobody does anything", flush=True
            )

        real = [f"real-{number}" for number in range(n_servers)]
        hub.request("POST", "/users", {"usernames": real})
        hub.start_servers(real)
        time.sleep(20)
        started = [Memory.of(tree(server.pid)) for server in hub.servers()]
        time.sleep(60)
        idle = [Memory.of(tree(server.pid)) for server in hub.servers()]
        mean = Memory(*(sum(values) / n_servers for values in zip(*(vars(one).values() for one in idle), strict=True)))
        a_minute = mean.cpu_s - sum(one.cpu_s for one in started) / n_servers
        report.add(
            f"single-user server, idle (mean of {n_servers})",
            mean,
            f"{mean.cpu_s:.1f}",
            f"{a_minute:.2f} CPU-s a minute",
        )


# -- kernels -----------------------------------------------------------------------------------------------------


def run_in_kernel(notebook, folder: Path, kernel_name: str, also=()) -> tuple[Memory, Memory, float]:
    """Run a notebook; return memory after it, its peak, and the kernel's CPU seconds.

    `also` are process numbers that belong to the pod: those of a warm server.
    """

    async def run():
        client = NotebookClient(
            notebook, kernel_name=kernel_name, timeout=900, resources={"metadata": {"path": folder}}
        )
        async with client.async_setup_kernel(env=os.environ | KERNEL_ENVIRONMENT):
            pid = client.km.provisioner.pid

            def processes():
                return {one.pid: one for root in (pid, *also) for one in tree(root)}.values()

            with Watched(processes) as watched:
                for index, cell in enumerate(notebook.cells):
                    await client.async_execute_cell(cell, index)
            return Memory.of(processes()), watched.peak, Memory.of(tree(pid)).cpu_s

    return asyncio.run(run())


def plain_notebook():
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(PLAIN)])


def measure_kernels(report: Report, chapters: list[str]):
    from autograder.warm_kernel import announcement
    from autograder.warm_server import WarmServer

    folder = find_repository() / "notebooks"
    after, _, cpu = run_in_kernel(plain_notebook(), folder, "python3")
    report.add("kernel, plain notebook", after, f"{cpu:.1f}")
    for name in chapters:
        _, peak, cpu = run_in_kernel(nbformat.read(folder / f"{name}.ipynb", 4), folder, "python3")
        report.add(f"kernel, {name}, peak", peak, f"{cpu:.0f}")
    with WarmServer("tensorflow", environment=KERNEL_ENVIRONMENT | {"HOME": os.environ["HOME"]}) as server:
        with server.fork("builtins:print", {}) as process:
            process.wait(600)
        memory = Memory.of(tree(server.pid))
        report.add("warm server alone", memory, f"{memory.cpu_s:.1f}", "TensorFlow imported, no kernel")
        os.environ |= announcement(server)
        try:
            after, _, cpu = run_in_kernel(plain_notebook(), folder, "course-warm", [server.pid])
            report.add("warm server and kernel, plain notebook", after, f"{cpu:.1f}")
            for name in chapters:
                notebook = nbformat.read(folder / f"{name}.ipynb", 4)
                _, peak, cpu = run_in_kernel(notebook, folder, "course-warm", [server.pid])
                report.add(f"warm server and kernel, {name}, peak", peak, f"{cpu:.0f}")
        finally:
            del os.environ[next(iter(announcement(server)))]


# -- grading -----------------------------------------------------------------------------------------------------


def measure_grading(report: Report, exercise: str):
    from autograder.classroom import new_class
    from autograder.demo import solutions

    peaks = {}
    with tempfile.TemporaryDirectory() as place:
        for jobs in (1, 2):
            classroom = new_class(Path(place) / f"class-{jobs}")
            released = classroom.release(exercise)
            right = solutions(json.loads((classroom.folder / "source" / exercise / released.name).read_text()))
            submission = json.loads(released.read_text())
            for cell in submission["cells"]:
                cell["source"] = right.get(cell["metadata"].get("nbgrader", {}).get("grade_id"), cell["source"])
            for number in range(jobs):
                target = classroom.folder / "submitted" / f"student-{number}" / exercise / released.name
                target.parent.mkdir(parents=True)
                target.write_text(json.dumps(submission))
            command = [sys.executable, "-m", "autograder.cli", "grade", str(classroom.folder), exercise]
            process = subprocess.Popen([*command, "--jobs", str(jobs), "--allow-weaker"], stdout=subprocess.PIPE)
            with Watched(lambda process=process: tree(process.pid)) as watched:
                said = process.communicate()[0].decode()
            if process.returncode:
                sys.exit(said)
            peaks[jobs] = watched.peak
            records = (classroom.folder / "grading" / exercise).glob("student-*.json")
            results = [json.loads(record.read_text()) for record in records]
            cpu = sum(one["cpu_s"] + one["checker_cpu_s"] for one in results) / jobs
            report.add(f"grading {exercise}, {jobs} at a time, peak", watched.peak, f"{cpu:.0f}", "CPU of a submission")
    one_more = Memory(peaks[2].pss - peaks[1].pss, peaks[2].rss - peaks[1].rss)
    report.add("  of this each submission at a time", one_more)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--servers", type=int, default=3, help="real single-user servers")
    parser.add_argument("--simulated", type=int, default=300, help="users whose servers only the hub and proxy see")
    parser.add_argument("--chapter", nargs="*", default=["08_convolutional_networks", "introspection_tour"])
    parser.add_argument("--exercise", default="ex08_1")
    parser.add_argument("--only", choices=["hub", "kernels", "grading"], help="one part of the table")
    arguments = parser.parse_args()
    report = Report()
    if arguments.only in (None, "hub"):
        measure_hub(report, arguments.servers, arguments.simulated)
    if arguments.only in (None, "kernels"):
        measure_kernels(report, arguments.chapter)
    if arguments.only in (None, "grading"):
        measure_grading(report, arguments.exercise)
    report.print()


if __name__ == "__main__":
    main()
