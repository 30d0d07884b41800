"""Watches with workers that grade at once, and processes that are killed behind a chosen step of their work."""

import json
import multiprocessing
import os
import signal

import nbformat

from autograder import grading_run, watch, watch_desks
from autograder.classroom import Classroom
from autograder.gradebook_writer import GradebookWriter
from autograder.grading_run import Outcome
from autograder.results import Receipt, Status, SubmissionResult

#: Importing nbgrader costs seconds; the test of kills starts a dozen watches.
PRELOADED = ["nbgrader.api", "nbgrader.coursedir", "nbgrader.preprocessors", "autograder.drop_in", __name__]


class Workers:
    """In place of `OwnProcesses`: the notebook's metadata say what it is worth, and how often its worker dies.

    What was graded is noted, a line each, in the file `log`, which also a killed process leaves behind.
    """

    log = None
    faults: dict = {}  # noqa: RUF012 - replaced by tests

    def __init__(self, exercise, jobs, *, scratch=None, server=None):
        self.exercise, self.capacity, self.waiting = exercise, jobs, []

    def close(self):
        pass

    @property
    def n_running(self):
        return len(self.waiting)

    def submit(self, submission, *, alone=False):
        assert len(self.waiting) < self.capacity
        self.waiting.append(submission)

    def wait(self, timeout_s):
        if not self.waiting:
            return []
        submission = self.waiting.pop(0)
        content = json.loads(submission.collected.notebooks[f"{self.exercise.name}.ipynb"])
        metadata = content["metadata"]
        if self.faults.get(submission.student, 0) > 0:
            self.faults[submission.student] -= 1
            return [Outcome(submission.student, fault="it died")]
        with open(self.log, "a") as file:
            file.write(f"{submission.student} {metadata['number']}\n")
        receipts = (
            Receipt("mean-test", Status.PASS, float(metadata["mean"]), 3.0),
            Receipt("fraction-test", Status.PASS, float(metadata["fraction"]), 2.0),
        )
        notebook = nbformat.reads(self.exercise.notebook, as_version=4)
        notebook.metadata["number"] = metadata["number"]
        result = SubmissionResult(
            submission.student,
            self.exercise.name,
            receipts,
            notebook=nbformat.writes(notebook),
            wall_s=1.0,
            fingerprint=submission.fingerprint,
        )
        return [Outcome(submission.student, record=result.to_json())]


def run_and_kill(undisturbed, folder, log):
    """Watch one class undisturbed; then another, again and again, killed behind its 1st, 2nd ... lasting change.

    Parameters
    ----------
    undisturbed, folder : path
        Equal classes.
    log : path
        Names of files for what is graded: ``log`` and, for the undisturbed class, ``log.undisturbed``.

    Returns
    -------
    int
        How often the second class's watch was killed before one came to its end.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run_and_kill, args=(str(undisturbed), str(folder), str(log), sender))
    process.start()
    sender.close()
    try:
        return receiver.recv()
    finally:
        process.join()


def _run_and_kill(undisturbed, folder, log, sender):
    # First, so that the processes that are forked from here have imported and compiled everything.
    _run(undisturbed, f"{log}.undisturbed", 0)
    kills = 0
    while True:
        child = os.fork()
        if not child:
            _run(folder, log, kills + 1)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code == 0:
            break
        assert code == -signal.SIGKILL, code
        kills += 1
    sender.send(kills)


def _run(folder, log, step):
    left = step

    def killing(original):
        def changed(*arguments, **options):
            nonlocal left
            result = original(*arguments, **options)
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return changed

    for owner, name in (
        (os, "replace"),
        (os, "rename"),
        (grading_run.Journal, "append"),
        (GradebookWriter, "write"),
    ):
        setattr(owner, name, killing(getattr(owner, name)))
    Workers.log, watch_desks.OwnProcesses = log, Workers
    with watch.Watch(Classroom(folder), jobs=2, allow_weaker=True) as one:
        one.run(once=True)
