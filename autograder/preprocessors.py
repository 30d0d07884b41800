"""The few steps of nbgrader that a class of this course replaces; ``nbgrader_config.py`` of the class names them.

Stock nbgrader 0.9 treats some submissions in ways that are unfair to the student or stop the whole run:

- any text on stderr, a warning or a log line of TensorFlow, gives 0 points for the test cell;
- a partial score that is NaN or negative gives full marks, and so does ``np.float64(0.5)`` (its text is no
  number for ``float``); a score above the maximum makes the submission fail;
- a cell that was copied together with its metadata stops the run for everybody;
- a test cell that was deleted leaves the points undecided for ever;
- a kernel that dies takes the marks of the cells before it along.

Because the configuration names these classes, ``course grade``, ``nbgrader autograde`` and the formgrader give the
same marks.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import math
import os
import re
import sys
import tempfile
import time

import nbformat
from nbgrader import utils
from nbgrader.preprocessors import ClearHiddenTests, Execute, NbGraderPreprocessor, SaveAutoGrades
from traitlets import Integer, default

#: What happened to one submission, in words for the instructor; `autograder.classroom` listens here.
notes = logging.getLogger("autograder.notes")

#: Kernels that grade make no widgets, print no start-up lines of TensorFlow, and leave the other cores alone.
KERNEL_ENVIRONMENT = {
    "COURSE_FRONT_END": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "OMP_NUM_THREADS": "2",
    "TF_NUM_INTRAOP_THREADS": "2",
    "TF_NUM_INTEROP_THREADS": "2",
    # Otherwise the debugger of ipykernel writes a warning about frozen modules into the instructor's terminal.
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}

_NUMPY_SCALAR = re.compile(r"np\.(?:float|int|uint)\d+\((.*)\)")
_ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def put_environment_first_on_path() -> None:
    """Make the programs beside this Python findable: nbgrader starts ``alembic`` by its bare name."""
    programs = os.path.dirname(sys.executable)
    folders = os.environ.get("PATH", "").split(os.pathsep)
    if folders[0] != programs:
        os.environ["PATH"] = os.pathsep.join([programs, *folders])


@contextlib.contextmanager
def kernel_environment():
    """Set `KERNEL_ENVIRONMENT` for the kernels started inside, and put the old values back."""
    before = {name: os.environ.get(name) for name in KERNEL_ENVIRONMENT}
    os.environ.update(KERNEL_ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def automatic_points(cell) -> tuple[float | None, str]:
    """Return the points of an executed graded cell.

    The rule of `autograder.gate.score`, read from the cell's outputs: text on stderr never counts; a test cell
    that ends without an error has full marks, unless the value of its last line is a number, which then is the
    score: cut to 0 ... maximum, and 0 when it is not finite.

    Parameters
    ----------
    cell : nbformat.NotebookNode
        A cell with nbgrader metadata, after its execution.

    Returns
    -------
    points : float or None
        None when a person has to grade the cell.
    note : str
        Why the points differ from what the test cell said; usually empty.

    Examples
    --------
    >>> from nbformat.v4 import new_code_cell, new_output
    >>> def tested(*outputs):
    ...     grading = {"grade": True, "solution": False, "grade_id": "mean-test", "points": 3}
    ...     return automatic_points(new_code_cell(metadata={"nbgrader": grading}, outputs=list(outputs)))
    >>> tested(new_output("stream", name="stderr", text="a warning"))
    (3.0, '')
    >>> tested(new_output("execute_result", data={"text/plain": "np.float64(1.5)"}))
    (1.5, '')
    >>> tested(new_output("execute_result", data={"text/plain": "nan"}))
    (0.0, 'mean-test: the score nan is not finite and counts 0')
    """
    if utils.is_solution(cell) or cell.cell_type != "code":
        return utils.determine_grade(cell)[0], ""
    maximum = float(cell.metadata.nbgrader["points"])
    grade_id = cell.metadata.nbgrader["grade_id"]
    if any(output.output_type == "error" for output in cell.outputs):
        return 0.0, ""
    results = [output for output in cell.outputs if output.output_type == "execute_result"]
    if not results:
        return maximum, ""
    text = str(results[-1].data.get("text/plain", "")).strip()
    number = _NUMPY_SCALAR.fullmatch(text)
    try:
        score = float(number[1] if number else text)
    except ValueError:
        return maximum, ""
    if not math.isfinite(score):
        return 0.0, f"{grade_id}: the score {score} is not finite and counts 0"
    if not 0 <= score <= maximum:
        within = min(max(score, 0.0), maximum)
        return within, f"{grade_id}: the score {score:g} lies outside 0 ... {maximum:g} and counts {within:g}"
    return score, ""


class RepairCells(NbGraderPreprocessor):
    """Give each graded cell its nbgrader metadata back, once, and bring deleted tests back.

    The released notebook says what belongs there. This runs before nbgrader's OverwriteCells, which then restores
    the text of the tests, hidden ones included, from the gradebook.
    """

    def preprocess(self, nb, resources):
        released = self._released(resources["nbgrader"])
        if released is None:
            return nb, resources
        expected = {cell.metadata.nbgrader.grade_id: cell for cell in released.cells if _is_ours(cell)}
        claims = {grade_id: [] for grade_id in expected}
        name_of_id = {cell.get("id"): grade_id for grade_id, cell in expected.items()}
        for cell in nb.cells:
            grading = cell.metadata.pop("nbgrader", None)
            grade_id = grading.get("grade_id") if isinstance(grading, dict) else name_of_id.get(cell.get("id"))
            if isinstance(grade_id, str) and grade_id in claims:
                claims[grade_id].append(cell)
        for grade_id, cells in claims.items():
            original = expected[grade_id]
            if utils.is_solution(original):
                # Of two copies of an answer, the one that the student wrote in is meant.
                cells = [cell for cell in cells if cell.source != original.source] or cells
            if len(claims[grade_id]) > 1:
                notes.warning("cell %s is there %d times; the last counts", grade_id, len(claims[grade_id]))
            if cells:
                cells[-1].metadata["nbgrader"] = copy.deepcopy(original.metadata.nbgrader)
        self._restore_missing(nb, expected)
        return nb, resources

    def _released(self, names):
        course = self.parent.parent.coursedir
        folder = course.format_path(course.release_directory, ".", names["assignment"])
        path = os.path.join(folder, names["notebook"] + ".ipynb")
        # A class whose release folder was cleared can still be graded, only without repairs.
        return nbformat.read(path, as_version=4) if os.path.exists(path) else None

    def _restore_missing(self, nb, expected):
        position = -1
        for grade_id, original in expected.items():
            found = [k for k, cell in enumerate(nb.cells) if _grade_id(cell) == grade_id]
            if found:
                position = max(position, found[0])
            elif utils.is_grade(original) or utils.is_task(original):
                notes.warning("cell %s was missing and is put back", grade_id)
                position += 1
                nb.cells.insert(position, copy.deepcopy(original))
            elif utils.is_solution(original):
                notes.warning("the answer cell %s is missing", grade_id)


def _grade_id(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _is_ours(cell) -> bool:
    return _grade_id(cell) is not None and (
        utils.is_grade(cell) or utils.is_solution(cell) or utils.is_locked(cell) or utils.is_task(cell)
    )


class ExecuteToTheEnd(Execute):
    """Run a notebook so that each cell ends with a result: what cannot run any more gets an error, not full marks.

    nbgrader reads a test cell without outputs as passed, therefore a kernel that died must leave its mark in all
    the cells after it.
    """

    notebook_timeout = Integer(600, help="Seconds that a whole notebook may take.").tag(config=True)

    @default("shutdown_kernel")
    def _no_farewell(self):
        return "immediate"

    @default("timeout_func")
    def _limit_cells_by_the_rest(self):
        # At least a second, because nbclient reads 0 as "no limit".
        return lambda cell: max(1, math.ceil(min(self.timeout or math.inf, self._deadline - time.monotonic())))

    def preprocess(self, nb, resources, km=None):
        self._deadline = time.monotonic() + self.notebook_timeout
        self._stopped = ""
        # What the kernel process itself says (a crash, a missing library) goes into the log, not into the terminal.
        with kernel_environment(), tempfile.TemporaryFile() as self._kernel_output:
            nb, resources = super().preprocess(nb, resources, km)
            if self._stopped:
                self._kernel_output.seek(0)
                self.log.error("The kernel said: %s", self._kernel_output.read(10_000).decode(errors="replace"))
        return nb, resources

    def setup_kernel(self, **options):
        return super().setup_kernel(stdout=self._kernel_output, stderr=self._kernel_output, **options)

    def preprocess_cell(self, cell, resources, index):
        if cell.cell_type != "code":
            return cell, resources
        if not self._stopped and time.monotonic() > self._deadline:
            self._stop(f"the notebook ran longer than {self.notebook_timeout} s and was stopped at cell {index + 1}")
        if not self._stopped:
            try:
                cell, resources = super().preprocess_cell(cell, resources, index)
            except Exception as error:  # DeadKernelError, CellTimeoutError; whatever it is, the cell has not ended
                what = "the kernel died" if "died" in str(error) else "the kernel answered no more"
                self._stop(f"{what} in cell {index + 1}")
            else:
                if any(output.get("ename") == "CellTimeoutError" for output in cell.outputs):
                    notes.warning("cell %d ran longer than its time limit and was stopped", index + 1)
        if self._stopped:
            cell.outputs = [
                *cell.get("outputs", []),
                nbformat.v4.new_output(
                    "error",
                    ename="NotRun",
                    evalue=self._stopped,
                    traceback=[f"This cell did not end: {self._stopped}."],
                ),
            ]
        return cell, resources

    def _stop(self, reason: str) -> None:
        self._stopped = reason
        notes.warning("%s", reason)


class SaveFinitePoints(SaveAutoGrades):
    """Write the points of `automatic_points` into the gradebook."""

    def _add_score(self, cell, resources):
        points, note = automatic_points(cell)
        if note:
            notes.warning("%s", note)
        self._save(cell, points)

    def preprocess_cell(self, cell, resources, cell_index):
        if utils.is_task(cell):
            # An earlier, unreadable submission may have closed it with 0.
            self._save(cell, None)
        return super().preprocess_cell(cell, resources, cell_index)

    def _save(self, cell, points) -> None:
        grade = self.gradebook.find_grade(
            cell.metadata.nbgrader["grade_id"], self.notebook_id, self.assignment_id, self.student_id
        )
        grade.auto_score = points
        # As nbgrader does: a person who has graded the earlier answer is asked to look again.
        grade.needs_manual_grade = grade.manual_score is not None or points is None
        self.gradebook.db.commit()


class HideHiddenTests(ClearHiddenTests):
    """Keep hidden tests and mark schemes out of the feedback: also out of the tracebacks, which quote them."""

    secret_regions = (("BEGIN HIDDEN TESTS", "END HIDDEN TESTS"), ("BEGIN MARK SCHEME", "END MARK SCHEME"))

    def preprocess_cell(self, cell, resources, cell_index):
        if utils.is_solution(cell) or not (utils.is_grade(cell) or utils.is_task(cell)):
            return cell, resources  # the student's own; markers in there mean nothing
        before = cell.source.splitlines()
        for begin, end in self.secret_regions:
            self.begin_test_delimeter, self.end_test_delimeter = begin, end
            self._remove_hidden_test_region(cell)
        hidden = {line.strip() for line in before} - {line.strip() for line in cell.source.splitlines()}
        for output in cell.get("outputs", []):
            if output.output_type == "error" and hidden:
                quoted = _ANSI_COLOUR.sub("", "\n".join(output.traceback))
                if any(line and line in quoted for line in hidden):
                    output.traceback = [f"{output.ename}: {output.evalue}"]
        return cell, resources
