"""What the reader gets to see: live widgets or static figures, and no start-up lines of libraries."""

from __future__ import annotations

import contextlib
import importlib
import os

#: Set to 0 or 1 to override the detection (the course's own runners set 0).
ENVIRONMENT_VARIABLE = "COURSE_FRONT_END"


def has_front_end() -> bool:
    """Tell whether widgets made now will be shown by a browser.

    papermill, nbconvert, nbclient, nbgrader and plain Python have nobody to show widgets to; there the course
    leaves static figures only, and no widget state swells the saved notebook.

    Returns
    -------
    bool
        ``COURSE_FRONT_END`` (``0`` or ``1``) when set; otherwise whether the running cell came from a client
        that can answer questions on standard input. Interactive front ends say so in every execute request,
        nbclient and everything built on it says the opposite.

    Raises
    ------
    ValueError
        If ``COURSE_FRONT_END`` is neither ``0`` nor ``1``.

    Examples
    --------
    >>> from course_lib.front_end import has_front_end
    >>> has_front_end()  # a doctest runs in plain Python
    False
    """
    override = os.environ.get(ENVIRONMENT_VARIABLE, "")
    if override:
        if override not in {"0", "1"}:
            raise ValueError(
                f"{ENVIRONMENT_VARIABLE} must be 0 (no widgets) or 1 (widgets), not {override!r}: unset it to detect."
            )
        return override == "1"
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    kernel = getattr(get_ipython(), "kernel", None)
    return bool(getattr(kernel, "_allow_stdin", False))


@contextlib.contextmanager
def _standard_error_closed():
    """What compiled code writes to file descriptor 2 meanwhile is lost; Python's own errors still get through."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def load_quietly(*names: str) -> None:
    """Import modules without the log lines that TensorFlow writes to standard error when it starts.

    ``TF_CPP_MIN_LOG_LEVEL`` comes too late for some of them, and switching off what they announce (oneDNN) would make
    training half as fast again. An exception of an import is raised as usual.

    Parameters
    ----------
    *names : str
        Modules, imported in this order. For keras a first operation is run, since TensorFlow's devices speak up only
        then.

    Examples
    --------
    >>> from course_lib.front_end import load_quietly
    >>> load_quietly("json", "keras")
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _standard_error_closed():
        for name in names:
            module = importlib.import_module(name)
            if name == "keras":
                module.ops.ones(1)
