"""Where the course's own files are: chapters, problem sets, built things."""

from __future__ import annotations

import os
from pathlib import Path

from autograder.errors import CourseError

#: Names the checkout when the command is called from elsewhere and the package is not installed editable.
ENVIRONMENT_VARIABLE = "COURSE_ROOT"


def find_repository(start: Path | None = None) -> Path:
    """Return the root of the course's checkout.

    Parameters
    ----------
    start : pathlib.Path, optional
        Where to begin looking; the current folder when not given.

    Returns
    -------
    pathlib.Path
        ``COURSE_ROOT`` if set; else the nearest folder at or above `start` that is a checkout; else the checkout
        that this package was installed from in editable mode.

    Raises
    ------
    CourseError
        If none of these is a checkout (a folder with ``jupytext.toml`` and ``notebooks/``).
    """
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        root = Path(named).expanduser().resolve()
        if not _is_checkout(root):
            raise CourseError(
                f"{ENVIRONMENT_VARIABLE}={named} is not a checkout of the course: unset it or correct it."
            )
        return root
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents, Path(__file__).resolve().parent.parent):
        if _is_checkout(folder):
            return folder
    raise CourseError(
        f"No checkout of the course at or above {start}: change into it, or set {ENVIRONMENT_VARIABLE} to its path."
    )


def _is_checkout(folder: Path) -> bool:
    return (folder / "jupytext.toml").is_file() and (folder / "notebooks").is_dir()
