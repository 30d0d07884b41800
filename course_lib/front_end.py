"""Whether somebody is looking: decides between a live widget and a static figure."""

from __future__ import annotations

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
