"""Run a command as another user, in a private view of the file system in which that user can reach what it needs.

    python tests/as_user.py UID [--cover-proc] [--no-mounting] COMMAND...

Needs root. Interpreters and checkouts often lie in root's home, which nobody else may enter. Here they are shown
through an empty folder put over it; only this command sees that.
"""

import ctypes
import os
import sys
import tempfile
from pathlib import Path

CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000
libc = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    if getattr(libc, name)(*arguments):
        raise OSError(ctypes.get_errno(), f"{os.strerror(ctypes.get_errno())}: {name}{arguments}")


def first_closed(path: Path) -> Path | None:
    """The outermost folder on the way that others may not enter."""
    return next((folder for folder in [*reversed(path.parents), path] if not folder.stat().st_mode & 1), None)


def open_the_way(paths: list[Path]) -> None:
    call("unshare", CLONE_NEWNS)
    call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    closed = {path: first_closed(path) for path in paths}
    closed = {path: folder for path, folder in closed.items() if folder is not None}
    kept = {path: tempfile.mkdtemp(prefix="way-") for path in closed}
    for path, place in kept.items():
        call("mount", bytes(path), place.encode(), None, MS_BIND | MS_REC, None)
    for folder in set(closed.values()):
        call("mount", b"tmpfs", bytes(folder), b"tmpfs", 0, b"mode=755")
    for path, place in kept.items():
        path.mkdir(parents=True, exist_ok=True)
        call("mount", place.encode(), bytes(path), None, MS_BIND | MS_REC, None)
        call("umount2", place.encode(), 2)
        os.rmdir(place)


if __name__ == "__main__":
    uid, *command = sys.argv[1:]
    uid = int(uid)
    open_the_way([Path(sys.base_prefix), Path(sys.prefix), Path(__file__).resolve().parents[1]])
    if command[0] == "--cover-proc":
        # As in many containers: the kernel then gives an ordinary user no fresh /proc.
        call("mount", b"tmpfs", b"/proc/scsi" if os.path.isdir("/proc/scsi") else b"/proc/sys", b"tmpfs", 0, None)
        del command[0]
    if command[0] == "--no-mounting":
        # As root in most containers.
        call("prctl", 24, 21, 0, 0, 0)  # PR_CAPBSET_DROP, CAP_SYS_ADMIN
        del command[0]
    if uid:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    os.execv(command[0], command)
