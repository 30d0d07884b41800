"""A seed of one's own: data that differ from student to student and stay the same while grading."""

from __future__ import annotations

import getpass
import hashlib
import os

#: Where the name is looked for, best first. COURSE_STUDENT is for the grader, which runs as somebody else.
_NAME_VARIABLES = ("COURSE_STUDENT", "JUPYTERHUB_USER", "NB_USER")


def student_name():
    """Name of the student at work.

    Returns
    -------
    str
        The first of the environment variables ``COURSE_STUDENT``, ``JUPYTERHUB_USER`` and ``NB_USER`` that is
        set, else the login name, else ``"student"``.

    Examples
    --------
    >>> from course_lib.data import student_name
    >>> isinstance(student_name(), str)
    True
    """
    for variable in _NAME_VARIABLES:
        name = os.environ.get(variable, "").strip()
        if name:
            return name
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no login name, as in some containers
        return "student"


def student_seed(name=None):
    """Seed derived from the name of the student.

    The same name gives the same seed on every machine and in every year, so that a grader repeats exactly what
    the student saw: it sets ``COURSE_STUDENT`` to the name of the submission's folder. Upper and lower case
    count as the same name. A self-learner gets the seed of the login name.

    Parameters
    ----------
    name : str, optional
        Name of the student; the student at work (`student_name`) unless given.

    Returns
    -------
    int
        0 <= seed < 2**31, for any ``seed=`` argument of the course.

    Raises
    ------
    ValueError
        For an empty name.

    Examples
    --------
    >>> from course_lib.data import student_seed
    >>> student_seed("noether") == student_seed(" Noether ")
    True
    >>> student_seed("noether") == student_seed("curie")
    False
    """
    name = student_name() if name is None else name
    normalised = str(name).strip().casefold()
    if not normalised:
        raise ValueError(f"a student's name must not be empty, got {name!r}: give the name or leave it out")
    digest = hashlib.sha256(f"deep-learning-for-physics:{normalised}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
