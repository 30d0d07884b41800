"""Become another user before anything else happens, and make sure that this user can reach the interpreter.

``python -m autograder.other_user NUMBER COMMAND...`` runs a command under a user number that needs no account.

Interpreters and checkouts often lie in root's home, which nobody else may enter. `open_the_way` shows them, and
nothing else of it, in a private view of the file system: the closed folder itself stays as it is for everybody else.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from autograder.errors import CourseError

_CLONE_NEWNS, _MS_BIND, _MS_REC, _MS_PRIVATE, _MNT_DETACH = 0x20000, 0x1000, 0x4000, 0x40000, 2
_PR_SET_NO_NEW_PRIVS = 38
_libc = ctypes.CDLL(None, use_errno=True)

#: The user number without rights that Linux knows as "nobody"; the trial runs as it.
NOBODY = 65534


def call(name: str, *arguments) -> None:
    """Call a function of the C library; raise the `OSError` that it reports."""
    if getattr(_libc, name)(*arguments):
        raise OSError(ctypes.get_errno(), f"{os.strerror(ctypes.get_errno())}: {name}{arguments}")


def first_closed(path: Path) -> Path | None:
    """Return the outermost folder on the way to `path` that others may not enter, None if there is none."""
    return next((folder for folder in [*reversed(path.parents), path] if not folder.stat().st_mode & 1), None)


def open_the_way(paths: list[Path]) -> None:
    """Give this process and its children a view in which everybody reaches `paths`. Needs root.

    Each closed folder on the way is covered by an empty one, in which only the paths stand.

    Raises
    ------
    OSError
        If the kernel does not let this process mount, as in most containers.
    """
    closed = {path: first_closed(path) for path in paths}
    closed = {path: folder for path, folder in closed.items() if folder is not None}
    call("unshare", _CLONE_NEWNS)
    call("mount", b"none", b"/", None, _MS_REC | _MS_PRIVATE, None)
    kept = {path: tempfile.mkdtemp(prefix="way-") for path in closed}
    for path, place in kept.items():
        call("mount", bytes(path), place.encode(), None, _MS_BIND | _MS_REC, None)
    for folder in set(closed.values()):
        call("mount", b"tmpfs", bytes(folder), b"tmpfs", 0, b"mode=755")
    for path, place in kept.items():
        path.mkdir(parents=True, exist_ok=True)
        call("mount", place.encode(), bytes(path), None, _MS_BIND | _MS_REC, None)
        call("umount2", place.encode(), _MNT_DETACH)
        os.rmdir(place)


def open_the_way_if_closed(paths: list[Path]) -> None:
    """Make sure that a user without rights can run this interpreter and enter `paths`, or say why not. Needs root.

    Raises
    ------
    CourseError
        If it cannot, and the way cannot be opened either.
    """
    if _reaches(NOBODY, paths):
        return
    with contextlib.suppress(OSError):
        open_the_way(paths)
        if _reaches(NOBODY, paths):
            return
    closed = sorted({str(folder) for path in paths if (folder := first_closed(path))}) or [str(paths[0])]
    raise CourseError(
        f"Students' servers run under users of their own, but only root may enter {', '.join(closed)}, where this "
        f"environment lies, and this machine does not let the hub show it to them: install Python and the course in a "
        f"folder that everybody may read, such as /opt, or start the hub as an ordinary user (a demonstration only)."
    )


def _reaches(user: int, paths: list[Path]) -> bool:
    check = "import os, sys; sys.exit(not all(os.access(path, os.X_OK) for path in sys.argv[1:]))"
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", check, *map(str, paths)],
            user=user,
            group=user,
            extra_groups=[],
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return False
    return done.returncode == 0


def become(user: int, group: int, groups: list[int]) -> None:
    """Change this process into another user for good: nothing it starts gains rights again, not even by sudo."""
    call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    os.setgroups(groups)
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    # What it writes in a shared folder, such as /tmp, is for itself only.
    os.umask(0o077)


if __name__ == "__main__":
    number, *command = sys.argv[1:]
    become(int(number), int(number), [])
    os.execv(command[0], command)
