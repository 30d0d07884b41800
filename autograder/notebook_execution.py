"""Execute one notebook in this process's child kernel and report as JSON: the worker behind ``course run``.

A process of its own for each notebook, because papermill changes the working folder of its process and because
the operating system then tells the exact peak memory of the kernel.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from pathlib import Path

#: The terminal colour codes of a traceback are kept out of the report.
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def execute(source: Path, target: Path, working_folder: Path, parameters: dict) -> dict:
    """Execute `source` with papermill into `target`.

    Parameters
    ----------
    source, target : pathlib.Path
        The notebook to run and where its executed copy goes (also when a cell fails).
    working_folder : pathlib.Path
        Where relative paths of the notebook start.
    parameters : dict
        Values for the cell tagged ``parameters``.

    Returns
    -------
    dict
        ``ok`` (bool), ``seconds``, ``peak_megabytes`` of the kernel process, and for a failure ``cell`` (1-based
        index), ``source``, ``error``, ``traceback``.
    """
    import papermill

    start = time.monotonic()
    report = {"ok": True}
    try:
        papermill.execute_notebook(
            str(source),
            str(target),
            parameters=parameters,
            cwd=str(working_folder),
            progress_bar=False,
            # papermill would otherwise write the whole notebook twice for each cell.
            request_save_on_cell_execute=False,
            autosave_cell_every=0,
        )
    except papermill.PapermillExecutionError as failure:
        report = {
            "ok": False,
            "cell": failure.cell_index + 1,
            "source": failure.source,
            "error": _ANSI.sub("", f"{failure.ename}: {failure.evalue}"),
            "traceback": _ANSI.sub("", "\n".join(failure.traceback)),
        }
    except Exception as failure:  # a dead kernel, a missing kernelspec, a full disk
        report = {
            "ok": False,
            "cell": None,
            "source": "",
            "error": f"{type(failure).__name__}: {failure}",
            "traceback": "",
        }
    report["seconds"] = time.monotonic() - start
    # A started kernel is the only child; macOS counts bytes, Linux kibibytes.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    report["peak_megabytes"] = peak / (1e6 if sys.platform == "darwin" else 1024)
    # A forked one is a child of the warm server, which knows.
    warm = sys.modules.get("autograder.warm_kernel")
    if warm is not None:
        report["peak_megabytes"] = max(report["peak_megabytes"], warm.peak_megabytes())
    return report


if __name__ == "__main__":
    job = json.loads(sys.argv[1])
    outcome = execute(Path(job["source"]), Path(job["target"]), Path(job["working_folder"]), job["parameters"])
    Path(job["report"]).write_text(json.dumps(outcome), encoding="utf-8")
