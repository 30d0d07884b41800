"""The grading engine inside nbgrader: ``nbgrader autograde`` and the formgrader's button use it.

Three lines in the ``nbgrader_config.py`` of any nbgrader course switch it on::

    from autograder.drop_in import GradingEngine
    c = get_config()
    c.Autograde.exporter_class = GradingEngine

and ``c.GradingEngine.enabled = False`` (or ``nbgrader autograde ps1 --GradingEngine.enabled=False``) switches it off.

nbgrader converts each submission twice, to sanitize and to autograde it, and reads the file itself each time, before
any of its preprocessors is asked. The class that reads is the exporter; replacing the preprocessors alone would leave
a damaged file without a mark. The engine does its work in the first turn; in the second it gives the same notebook
again. nbgrader keeps what it is good at: folders, late penalties, manual grading, feedback, export.
"""

from __future__ import annotations

import contextlib
import weakref
from pathlib import Path

from nbconvert.exporters import NotebookExporter
from traitlets import Bool, Enum, Float, Integer

from autograder.errors import CourseError
from autograder.gradebook_writer import GradebookWriter
from autograder.isolation import Level, Limits, choose
from autograder.session import Times


class GradingEngine(NotebookExporter):
    """Runs and marks submissions in the engine; ``c.Autograde.exporter_class`` names it.

    Its settings hold for ``course grade`` as well.
    """

    enabled = Bool(True, help="False: as stock nbgrader, with its preprocessors.").tag(config=True)
    isolation = Enum([str(level) for level in Level], "namespaces", help="How they are shut in.").tag(config=True)
    allow_weaker = Bool(False, help="Take a weaker isolation where the wanted one is not to be had.").tag(config=True)
    cell_seconds = Float(120.0, help="Wall seconds of one cell, and of one test.").tag(config=True)
    notebook_seconds = Float(600.0, help="Wall seconds of a whole notebook.").tag(config=True)
    cpu_seconds = Integer(300, help="CPU seconds of a whole notebook.").tag(config=True)
    memory_mb = Integer(3000, help="Megabytes that a notebook may use beyond its imports.").tag(config=True)
    disk_mb = Integer(500, help="Megabytes that it may write.").tag(config=True)

    def exercise_settings(self, *, allow_weaker: bool = False) -> dict:
        """Return level, limits and times, as `autograder.grading_run.Exercise.of` takes them.

        Raises
        ------
        CourseError
            If this machine cannot give the isolation, and nobody said that a weaker one will do.
        """
        return {
            "level": choose(Level(self.isolation), allow_weaker=allow_weaker or self.allow_weaker),
            "limits": Limits(
                memory_mb=self.memory_mb, cpu_s=self.cpu_seconds, wall_s=self.notebook_seconds, disk_mb=self.disk_mb
            ),
            "times": Times(cell_s=self.cell_seconds, test_s=self.cell_seconds),
        }

    def from_filename(self, filename, resources=None, **options):
        """Grade in nbgrader's first turn, hand over the result in both."""
        names = (resources or {}).get("nbgrader")
        if not self.enabled or names is None:
            return super().from_filename(filename, resources, **options)
        resources = self._init_resources(resources)
        if self.parent._sanitizing:
            self._executed = self._grade(names["assignment"], names["student"], names["notebook"])
        return self._executed, resources

    def _grade(self, assignment_name: str, student: str, notebook_name: str) -> str:
        from autograder.grading_run import GradingRun, read_record

        course = self.parent.coursedir
        with _ScoresOnly(course, self.config) as writer:
            assignment = writer.assignment(assignment_name, notebook_name)
            records = Path(course.root) / "grading" / assignment_name
            if writer.n_notebooks(assignment_name) > 1:
                records /= notebook_name
            exercise, workers = self._kept_workers(assignment)
            run = GradingRun(writer, assignment, records, exercise, lambda: contextlib.nullcontext(workers))
            graded = run.grade([student], regrade="all")[student]
            for note in graded.notes:
                self.log.warning("%s: %s", student, note)
            result = read_record(records / f"{student}.json")
            if result is None or not result.notebook:
                # nbgrader then removes the folder, says this sentence, and goes on with the next student.
                raise CourseError(f"{student} has 0 points in {notebook_name}: {graded.notes[0]}")
            writer.leave_only(assignment, student)
            return result.notebook

    def _kept_workers(self, assignment):
        """The worker of this notebook, with its imports, for all students of one call of nbgrader.

        nbgrader turns to the next student after all notebooks of one, so each notebook keeps its own.
        """
        from autograder.grading_run import Exercise, OwnProcesses

        exercise = Exercise.of(assignment, **self.exercise_settings())
        kept = self.__dict__.setdefault("_kept", {})
        known, workers = kept.get(exercise.file_name, (None, None))
        if known != exercise:
            if workers is not None:
                workers.close()
            workers = OwnProcesses(exercise, 1)
            kept[exercise.file_name] = exercise, workers
            weakref.finalize(self, workers.close)
        return exercise, workers


class _ScoresOnly(GradebookWriter):
    """Leaves the folder ``autograded`` to nbgrader, which writes it itself."""

    def has_folder(self, assignment, student):
        return True

    def _write_folder(self, assignment, result, files):
        pass

    def leave_only(self, assignment, student) -> None:
        """Remove what nbgrader copied through links, or beyond the limits."""
        taken = self.collect(assignment, student).files.keys() | assignment.files.keys()
        folder = self._path(self._course.autograded_directory, student, assignment.name)
        for path in sorted(folder.rglob("*")):
            if not path.is_dir() and path.suffix != ".ipynb" and path.relative_to(folder).as_posix() not in taken:
                path.unlink()
