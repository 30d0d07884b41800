"""``course doctor``: what is installed, what is missing, and how to mend it."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker

from autograder.errors import CourseError
from autograder.repository import find_repository

SUPPORTED_PYTHONS = ((3, 11), (3, 13))


@dataclass(frozen=True)
class Finding:
    """One thing looked at: its state (``ok``, ``warning``, ``missing``), what was seen, and the remedy."""

    name: str
    state: str
    seen: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Look at everything the course needs and return the findings, the basic things first.

    Returns
    -------
    list of Finding
        ``missing`` stops the course or its tests; ``warning`` takes something away (a browser, say).
    """
    findings = [_python()]
    try:
        repository = find_repository()
    except CourseError as error:
        findings.append(Finding("checkout", "warning", "not found", str(error)))
        repository = None
    else:
        findings.append(Finding("checkout", "ok", str(repository)))
        findings.append(_lock(repository))
        findings.append(_notebooks(repository))
    findings += [_path(), _ising(), _browser(), _cores_and_memory(), _loopback(), _isolation()]
    return findings


def _python() -> Finding:
    seen = ".".join(map(str, sys.version_info[:3]))
    low, high = SUPPORTED_PYTHONS
    if low <= sys.version_info[:2] <= high:
        return Finding("Python", "ok", seen)
    return Finding("Python", "missing", seen, "Install Python 3.11, 3.12 or 3.13 and run 'make lab' with it.")


def read_lock(lock: Path) -> dict[str, str]:
    """Return name -> version of the packages that the lock asks for on this platform.

    Raises
    ------
    CourseError
        If the lock does not exist.
    """
    if not lock.is_file():
        raise CourseError(
            f"{lock} is missing: restore it with 'git checkout {lock.name}', or make it with 'make lock'."
        )
    wanted = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)\s*(?:;\s*([^\\]+))?", line)
        if match and (not match[3] or Marker(match[3].strip()).evaluate()):
            wanted[match[1]] = match[2]
    return wanted


def _lock(repository: Path) -> Finding:
    try:
        wanted = read_lock(repository / "requirements.lock")
    except CourseError as error:
        return Finding("packages", "missing", "no requirements.lock", str(error))
    wrong = []
    for name, version in wanted.items():
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{name} is not installed")
            continue
        if installed != version:
            wrong.append(f"{name} {installed} instead of {version}")
    if not wrong:
        return Finding("packages", "ok", f"all {len(wanted)} of requirements.lock")
    shown = ", ".join(wrong[:4]) + (f" and {len(wrong) - 4} more" if len(wrong) > 4 else "")
    return Finding("packages", "missing", shown, "Run 'make environment'.")


def _notebooks(repository: Path) -> Finding:
    from autograder.notebook_building import REBUILD_COMMAND, build_all

    try:
        results = build_all(repository / "notebooks", check=True)
    except CourseError as error:
        return Finding("notebooks", "missing", "cannot be built", str(error))
    stale = [result.target.name for result in results if result.was_stale]
    if stale:
        return Finding("notebooks", "warning", f"stale: {', '.join(stale)}", f"Run '{REBUILD_COMMAND}'.")
    return Finding("notebooks", "ok", f"{len(results)} up to date")


def _path() -> Finding:
    # nbgrader calls alembic by its bare name.
    folder = str(Path(sys.executable).parent)
    if shutil.which("alembic"):
        return Finding("alembic on PATH", "ok", shutil.which("alembic"))
    return Finding(
        "alembic on PATH",
        "warning",
        "not found",
        f"The course's own commands add it; for plain nbgrader: export PATH={folder}:$PATH",
    )


def _ising() -> Finding:
    from course_lib import data

    try:
        configurations = data.load_ising().configurations
    except Exception as error:  # whatever is wrong with the file, the doctor goes on with the next finding
        return Finding("Ising data", "missing", str(error), "Restore it with 'git checkout datasets/ising'.")
    return Finding("Ising data", "ok", f"{len(configurations)} configurations")


def _browser() -> Finding:
    from autograder.browser import find_browser

    path = find_browser()
    if path:
        return Finding("browser for tests", "ok", path)
    return Finding("browser for tests", "warning", "no Chrome or Chromium", "Run 'python -m autograder.browser'.")


def _cores_and_memory() -> Finding:
    import psutil

    cores, gibibytes = os.cpu_count() or 1, psutil.virtual_memory().total / 2**30
    seen = f"{cores} cores, {gibibytes:.1f} GiB"
    if cores >= 2 and gibibytes >= 1.9:
        return Finding("machine", "ok", seen)
    return Finding("machine", "warning", seen, "Chapters are made for 2 cores and 2 GiB: expect them to take longer.")


def _loopback() -> Finding:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", 0))
        except OSError as error:
            return Finding("loopback network", "missing", str(error), "JupyterLab needs to listen on 127.0.0.1.")
    return Finding("loopback network", "ok", "127.0.0.1")


def _isolation() -> Finding:
    from autograder.isolation import Level, available

    try:
        found = available()
    except CourseError as error:
        return Finding("isolation of graded code", "warning", "none", str(error))
    if found.level is Level.NAMESPACES:
        return Finding("isolation of graded code", "ok", found.level)
    reasons = "; ".join(f"{level}: {reason}" for level, reason in found.missing.items())
    return Finding("isolation of graded code", "warning", found.level, f"{reasons}. See docs/isolation.md.")


def report(console) -> bool:
    """Print the findings as a table; return whether nothing is missing."""
    from rich.table import Table

    findings = examine()
    table = Table(title="course doctor")
    for heading in ("what", "state", "seen", "how to mend it"):
        table.add_column(heading, overflow="fold")
    colours = {"ok": "green", "warning": "yellow", "missing": "red"}
    for finding in findings:
        colour = colours[finding.state]
        table.add_row(finding.name, f"[{colour}]{finding.state}[/]", finding.seen, finding.remedy)
    console.print(table)
    return all(finding.state != "missing" for finding in findings)
