"""Find the browser that tests and screenshots use, or say how to get one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from autograder.errors import CourseError

#: Names under which the packagers of Linux distributions and Google install it.
COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MACOS_APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def find_browser() -> str | None:
    """Return the path of an installed Chrome or Chromium, else of Playwright's own, else None.

    ``COURSE_BROWSER`` names one explicitly.
    """
    named = os.environ.get("COURSE_BROWSER")
    if named:
        return named if Path(named).is_file() else None
    for command in COMMANDS:
        path = shutil.which(command)
        if path:
            return path
    for application in MACOS_APPLICATIONS:
        if Path(application).is_file():
            return application
    return _playwright_browser()


def _playwright_browser() -> str | None:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def install_browser() -> str:
    """Return the path of a browser, installing one if there is none.

    Debian's ``chromium`` when run as root on a machine with apt, otherwise Playwright's own build for this user.

    Raises
    ------
    CourseError
        If neither way gives a browser; the message carries the command that failed.
    """
    found = find_browser()
    if found:
        return found
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        commands = [
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
        ]
    else:
        commands = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    for command in commands:
        print("+ " + " ".join(command), flush=True)
        done = subprocess.run(command, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
        if done.returncode:
            raise CourseError(
                f"No browser for the tests: '{' '.join(command)}' failed with status {done.returncode}. "
                "Install Chrome or Chromium, or set COURSE_BROWSER to its path."
            )
    found = find_browser()
    if not found:
        raise CourseError("A browser was installed but is not found: set COURSE_BROWSER to its path.")
    return found


if __name__ == "__main__":
    try:
        print(install_browser())
    except CourseError as error:
        sys.exit(str(error))
