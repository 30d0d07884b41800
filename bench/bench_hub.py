"""How long a class waits when all of it comes at the same moment: forty students open their servers and the course map.

    python bench/bench_hub.py [--students N]

A real hub with its real proxy on the loopback interface, in a temporary folder. A student's time runs from the request
for a server to the last byte of the course map, as the browser's first page reads it. The peer in the same run is one
student who comes alone, on the then idle machine. Bounded: at most 60 students, 20 minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

MOST_STUDENTS = 60
LIMIT_S = 1200.0


@dataclass
class Result:
    """Seconds until the course map was there, and why it was not, by student."""

    seconds: dict[str, float] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def ask(address: str, token: str, path: str, method: str = "GET") -> tuple[int, bytes]:
    request = urllib.request.Request(address + path, method=method, headers={"Authorization": f"token {token}"})
    try:
        with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def come_at_once(address: str, token: str, names: list[str]) -> Result:
    """Let students open their servers and the course map at the same moment.

    Parameters
    ----------
    address : str
        Of the hub, without a slash at the end.
    token : str
        May add users, start servers and read from them.
    names : list of str
    """
    if len(names) > MOST_STUDENTS:
        raise ValueError(f"at most {MOST_STUDENTS} students, not {len(names)}")
    result, ready = Result(), threading.Barrier(len(names))

    def come(name):
        try:
            ask(address, token, f"/hub/api/users/{name}", "POST")
            ready.wait()
            start = time.monotonic()
            status, body = ask(address, token, f"/hub/api/users/{name}/server", "POST")
            if status not in {201, 202}:
                raise RuntimeError(f"no server: {status} {body[:200]!r}")
            while not json.loads(ask(address, token, f"/hub/api/users/{name}")[1])["servers"].get("", {}).get("ready"):
                if time.monotonic() - start > LIMIT_S:
                    raise RuntimeError(f"the server did not start in {LIMIT_S:.0f} s")
                time.sleep(1.0)
            for path in ("lab/tree/notebooks/index.ipynb", "api/contents/notebooks/index.ipynb"):
                status, body = ask(address, token, f"/user/{name}/{path}")
                if status != 200:
                    raise RuntimeError(f"{path}: {status} {body[:200]!r}")
            if b"Deep learning" not in body:
                raise RuntimeError("that is not the course map")
            result.seconds[name] = time.monotonic() - start
        except (RuntimeError, OSError, ValueError, KeyError) as error:
            result.failed[name] = str(error)

    threads = [threading.Thread(target=come, args=[name]) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return result


def leave(address: str, token: str, names: list[str]) -> None:
    """Stop the servers of students."""
    stops = [
        threading.Thread(target=ask, args=[address, token, f"/hub/api/users/{name}/server", "DELETE"]) for name in names
    ]
    for stop in stops:
        stop.start()
    for stop in stops:
        stop.join()
    deadline = time.monotonic() + LIMIT_S
    while any(json.loads(ask(address, token, f"/hub/api/users/{name}")[1])["servers"] for name in names):
        if time.monotonic() > deadline:
            raise RuntimeError(f"servers did not stop in {LIMIT_S:.0f} s")
        time.sleep(1.0)


def main() -> None:
    from rich.console import Console
    from rich.table import Table

    from autograder import hub
    from autograder.hub_spawner import end_hub

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--students", type=int, default=40)
    n_students = min(parser.parse_args().students, MOST_STUDENTS)
    token = os.urandom(16).hex()
    with tempfile.TemporaryDirectory(prefix="course-bench-hub-", dir="/tmp") as place:
        os.chmod(place, 0o711)
        folder = Path(place) / "h"
        ports = [hub.free_port() for _ in range(4)]
        hub.make_demo(folder, ports)
        (folder / "jupyterhub_config.py").write_text(
            f'c.JupyterHub.services.append({{"name": "bench", "api_token": "{token}"}})\n'
            'c.JupyterHub.load_roles.append({"name": "bench", "services": ["bench"], '
            '"scopes": ["admin:users", "admin:servers", "access:servers"]})\n'
        )
        log = folder / "hub" / "hub.log"
        command = [sys.executable, "-m", "autograder.cli", "hub", "start", str(folder)]
        with log.open("w") as file:
            process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            address = f"http://127.0.0.1:{ports[0]}"
            hub.wait_until_up(process, address, log)
            together = come_at_once(address, token, [f"student{number}" for number in range(n_students)])
            leave(address, token, list(together.seconds))
            alone = come_at_once(address, token, ["alone"])
            leave(address, token, list(alone.seconds))
        finally:
            hub.end(process, hub.HubFolder(folder))
            end_hub(str(folder))
    table = Table(title=f"From the request for a server to the course map, {os.cpu_count()} processors")
    for heading in ("", "students", "median / s", "last / s", "failed", "seconds a student"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, result in (("all at once", together), ("alone", alone)):
        times = sorted(result.seconds.values())
        table.add_row(
            name,
            str(len(times)),
            f"{statistics.median(times):.1f}" if times else "",
            f"{times[-1]:.1f}" if times else "",
            str(len(result.failed)),
            f"{times[-1] / len(times):.2f}" if times else "",
        )
    Console().print(table)
    if together.seconds and alone.seconds:
        ratio = max(together.seconds.values()) / len(together.seconds) / max(alone.seconds.values())
        print(f"Ratio of the seconds a student, all at once / alone: {ratio:.2f}")
    for name, reason in (together.failed | alone.failed).items():
        print(f"{name}: {reason}")


if __name__ == "__main__":
    main()
