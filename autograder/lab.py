"""``course lab``: JupyterLab on the course map."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from autograder.errors import CourseError

#: TensorFlow's start-up lines would fill the first cell's output in red.
QUIET_TENSORFLOW = {"TF_CPP_MIN_LOG_LEVEL": "3"}


def check_port(port: int) -> None:
    """Raise a `CourseError` if somebody listens on this loopback port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise CourseError(
                f"Port {port} cannot be used ({error}): choose another with 'course lab --port N', "
                "or none to let JupyterLab find a free one."
            ) from error


def lab_command(repository: Path, *, port: int | None = None, open_browser: bool = True) -> list[str]:
    """Return the command line that starts JupyterLab on ``notebooks/index.ipynb``.

    Parameters
    ----------
    repository : pathlib.Path
        Root of the checkout; JupyterLab's files start here.
    port : int, optional
        A port that must be free; JupyterLab looks for a free one from 8888 when not given.
    open_browser : bool
        Whether JupyterLab opens the user's browser.

    Raises
    ------
    CourseError
        If the port is in use or the course map has not been built.
    """
    if not (repository / "notebooks" / "index.ipynb").is_file():
        raise CourseError(f"{repository / 'notebooks' / 'index.ipynb'} is missing: run 'make notebooks'.")
    command = [
        *(sys.executable, "-m", "jupyterlab"),
        f"--ServerApp.root_dir={repository}",
        "--LabApp.default_url=/lab/tree/notebooks/index.ipynb",
        # A news pop-up would ask the network for something that the course does not need.
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]
    if port is not None:
        check_port(port)
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if not open_browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # In a container everybody is root; JupyterLab would refuse.
        command.append("--allow-root")
    return command


def start(repository: Path, *, port: int | None = None, open_browser: bool = True) -> None:
    """Replace this process by JupyterLab, so that Ctrl-C reaches it directly.

    While it runs, the kernel "Course (warm)" has a server that has imported TensorFlow, which ends with JupyterLab.
    """
    command = lab_command(repository, port=port, open_browser=open_browser)
    folder = str(Path(sys.executable).parent)
    environment = os.environ | QUIET_TENSORFLOW | {"PATH": folder + os.pathsep + os.environ.get("PATH", "")}
    os.execve(command[0], command, environment | _warm_server())


def _warm_server() -> dict[str, str]:
    """Start the server of the warm kernel; return how it is found. Elsewhere than on Linux that kernel starts cold."""
    if sys.platform != "linux":
        return {}
    from autograder.warm_kernel import announcement
    from autograder.warm_server import WarmServer

    home = {"HOME": os.environ["HOME"]} if "HOME" in os.environ else {}
    server = WarmServer("tensorflow", environment=QUIET_TENSORFLOW | home)
    # It imports while JupyterLab starts. By its process number this process stays its owner.
    server.start(survive_exec=True)
    return announcement(server)
