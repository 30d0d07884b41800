"""Starts grading runs in processes that can be killed: forked from a server that has imported nbgrader once."""

import multiprocessing
import os

#: Importing nbgrader costs seconds; the resume test starts a dozen runs.
PRELOADED = ["nbgrader.api", "nbgrader.coursedir", "nbgrader.preprocessors", "autograder.drop_in", __name__]


def start(folder, exercise, jobs):
    """Start ``course grade`` on a class and return the process."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    process = context.Process(target=_run, args=(str(folder), exercise, jobs))
    process.start()
    return process


def _run(folder, exercise, jobs):
    from autograder.classroom import Classroom

    os.setpgid(0, 0)
    Classroom(folder).grade_all(exercise, jobs=jobs)
