"""Run a command as another user, in a private view of the file system in which that user can reach what it needs.

    python tests/as_user.py UID [--cover-proc] [--no-mounting] COMMAND...

Needs root. Interpreters and checkouts often lie in root's home, which nobody else may enter. Here they are shown
through an empty folder put over it; only this command sees that.
"""

import os
import sys
from pathlib import Path

from autograder.other_user import call, open_the_way

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
