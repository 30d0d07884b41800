"""Find the programs of a PostgreSQL server for the test of gradebooks on one, or install them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from autograder.errors import CourseError

#: Where packagers put initdb and pg_ctl; Debian keeps them off PATH, one folder a version.
FOLDERS = ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt", "/usr/local/opt")


def find_server_programs() -> Path | None:
    """Return the folder that holds ``initdb`` and ``pg_ctl``, or None."""
    on_path = shutil.which("initdb")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    for folder in FOLDERS:
        candidates += [*sorted(Path(folder).glob("*/bin"), reverse=True), Path(folder) / "bin"]
    return next((one for one in candidates if (one / "initdb").is_file() and (one / "pg_ctl").is_file()), None)


def install() -> Path | None:
    """Return the folder of the programs, installing them when run as root on a machine with apt; else None.

    Raises
    ------
    CourseError
        If the installation fails; the message carries the command.
    """
    found = find_server_programs()
    if found or not (hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")):
        return found
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "postgresql"],
    ):
        print("+ " + " ".join(command), flush=True)
        if subprocess.run(command, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}).returncode:
            raise CourseError(f"No PostgreSQL for the tests: '{' '.join(command)}' failed.")
    return find_server_programs()


if __name__ == "__main__":
    try:
        print(install() or "No PostgreSQL server: its tests are skipped.")
    except CourseError as error:
        sys.exit(str(error))
