"""A class: one semester's run of the course in a folder of its own, driven through nbgrader's Python interface.

The folder is an ordinary nbgrader course (``source/ release/ submitted/ autograded/ feedback/``, ``gradebook.db``,
``nbgrader_config.py``), so that nbgrader's own commands and the formgrader work in it unchanged. What this module
adds to it: problem sets come from `autograder.problem_sets`, a release is tried out and searched for solutions
before anything of the class changes, and submissions are graded by the course's own engine.

Files of our own lie in ``grading/EXERCISE/``: ``STUDENT.json`` is the record of one submission, ``journal.jsonl`` says
what was done, so that an interrupted run goes on and nothing is graded twice (see `autograder.grading_run`).

nbgrader is imported only where it is used: its import alone costs four seconds.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import logging
import os
import re
import shutil
import tempfile
import unicodedata
import warnings
from dataclasses import dataclass
from pathlib import Path
from string import Template

from autograder.errors import CourseError

CONFIGURATION = "nbgrader_config.py"
GRADEBOOK = "gradebook.db"
STEPS = ("source", "release", "submitted", "autograded", "feedback")

_CONFIGURATION_TEXT = Template('''\
"""Settings of this class, read by nbgrader, the formgrader and the course command. Change them as you like."""

import os

from nbgrader.preprocessors import GetGrades

from autograder.drop_in import GradingEngine
from autograder.feedback import FeedbackExporter
from autograder.preprocessors import HideHiddenTests, put_environment_first_on_path

put_environment_first_on_path()
c = get_config()

# The folder may be moved: nothing in it names its own place.
c.CourseDirectory.root = os.path.dirname(os.path.abspath(__file__))
c.CourseDirectory.course_id = $course_id
# A problem set's .md holds its solutions: it never belongs into source/, and would not be released from there.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "*.md"]

# What the student finds where the solution was.
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\\nraise NotImplementedError()"}
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"

# Submissions run shut in, and are marked by tests outside of their process; enabled = False is stock nbgrader.
c.Autograde.exporter_class = GradingEngine
c.GradingEngine.enabled = True
# Seconds of one cell or test, of a whole notebook, of its computing; megabytes of its memory.
c.GradingEngine.cell_seconds = 120
c.GradingEngine.notebook_seconds = 600
c.GradingEngine.cpu_seconds = 300
c.GradingEngine.memory_mb = 3000

# Without HideHiddenTests the students read the hidden tests and the mark schemes in their feedback.
c.GenerateFeedback.preprocessors = [GetGrades, HideHiddenTests]
# Pages without scripts: nbgrader's own would run in your browser whatever a student's notebook holds.
c.GenerateFeedback.exporter_class = FeedbackExporter
''')

_README_TEXT = Template("""\
# $name

This folder is one class of the course, and an ordinary nbgrader course. `course release . ex08_1` writes the student
version of a problem set into `release/`; what the students hand in goes to `submitted/STUDENT/ex08_1/ex08_1.ipynb`;
`course grade . ex08_1` runs and marks it (again: only what is new), and `course feedback . ex08_1` writes one page
for each student into `feedback/`. Late penalties, time limits and the texts of the stubs are set in
`nbgrader_config.py`; marks are in `gradebook.db`, which is worth a backup.

Written answers are marked in nbgrader's formgrader: run `jupyter lab` in this folder and choose Nbgrader, then
Formgrader. `nbgrader autograde ex08_1`, `nbgrader export` and all its other commands work here too and give the same
marks. `source/` holds solutions and hidden tests, so give students `release/` only, and keep this folder private.
""")


@dataclass(frozen=True)
class Mark:
    """What grading one submission gave.

    Attributes
    ----------
    student : str
    points, maximum : float
        Automatic points, and the most there can be.
    waiting : float
        Points that a person still has to decide about.
    status : str
        ``"graded"``, ``"unchanged"`` (graded earlier) or ``"not graded"`` (0 points; `notes` say why).
    notes : tuple of str
        What the instructor should know: repaired cells, time limits, dead kernels, reasons.
    seconds : float
        Wall time of this grading; of the earlier one when unchanged.
    """

    student: str
    points: float
    maximum: float
    waiting: float
    status: str
    notes: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Feedback:
    """The feedback pages of one student, or the reason why there are none."""

    student: str
    pages: tuple[Path, ...]
    reason: str = ""


def new_class(folder: str | os.PathLike, name: str | None = None) -> Classroom:
    """Make a class in a new or empty folder.

    Parameters
    ----------
    folder : path
        Its parents are made when missing.
    name : str, optional
        Title of the class; the folder's name if not given.

    Returns
    -------
    Classroom

    Raises
    ------
    CourseError
        If the folder holds anything already; nothing is touched then.
    """
    folder = Path(folder).expanduser().resolve()
    if folder.is_dir() and not any(folder.iterdir()):
        pass
    elif (folder / CONFIGURATION).is_file():
        raise CourseError(f"{folder} is a class already: use it, or choose another folder.")
    elif folder.exists():
        raise CourseError(f"A new class needs a new or empty folder, but {folder} exists: choose another one.")
    name = name or folder.name
    course_id = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-") or "class"

    from autograder.preprocessors import put_environment_first_on_path

    put_environment_first_on_path()
    for step in STEPS:
        (folder / step).mkdir(parents=True)
    (folder / CONFIGURATION).write_text(_CONFIGURATION_TEXT.substitute(course_id=repr(course_id)), encoding="utf-8")
    (folder / "README.md").write_text(_README_TEXT.substitute(name=name), encoding="utf-8")
    classroom = Classroom(folder)
    with classroom.gradebook():
        pass  # opening it makes its tables
    return classroom


@contextlib.contextmanager
def server_ahead(folder: str | os.PathLike, exercise: str):
    """Start the warm server that grading will need, before anything slow is imported here.

    It imports TensorFlow while this process imports nbgrader: together they take as long as the longer one.

    Parameters
    ----------
    folder : path
        Of the class.
    exercise : str

    Yields
    ------
    autograder.warm_server.WarmServer or None
        None if nothing seems to be left to grade. What is wrong with the folder or the exercise is said by those who
        need them, not here.
    """
    import nbformat

    from autograder.grading_run import warm_server_for

    folder = Path(folder).expanduser()
    server = None
    with contextlib.suppress(Exception):
        name = exercise
        if not (folder / "release" / name).is_dir():
            from autograder import problem_sets

            name = problem_sets.find(exercise).name
        students = [path.parent.name for path in (folder / "submitted").glob(f"*/{name}")]
        new = [one for one in students if not (folder / "grading" / name / f"{one}.json").is_file()]
        released = folder / "release" / name / f"{name}.ipynb"
        if new and released.is_file():
            server = warm_server_for(nbformat.read(released, as_version=4))
            server.start()
    try:
        yield server
    finally:
        if server is not None:
            server.close()


class Classroom:
    """A class that exists.

    Parameters
    ----------
    folder : path
        Made by `new_class`, or any nbgrader course with an ``nbgrader_config.py``.

    Raises
    ------
    CourseError
        If it is no class, or its configuration cannot be read.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(folder).expanduser().resolve()
        if not (self.folder / CONFIGURATION).is_file():
            raise CourseError(
                f"{folder} is not a class (it has no {CONFIGURATION}): name the folder of one, "
                f"or make it with 'course class new {folder}'."
            )
        from traitlets.config import PyFileConfigLoader

        try:
            self._configuration = PyFileConfigLoader(CONFIGURATION, path=str(self.folder)).load_config()
        except Exception as error:  # the file is a program that the instructor may edit
            raise CourseError(
                f"{self.folder / CONFIGURATION} cannot be read ({type(error).__name__}: {error}): correct it."
            ) from error

    # -- release ------------------------------------------------------------------------------------------

    def release(self, exercise: str, *, force: bool = False) -> Path:
        """Build the source of a problem set and its student version.

        Everything is done and searched in a throw-away class first; a problem set that cannot be released changes
        nothing here.

        Parameters
        ----------
        exercise : str
            Any spelling that `autograder.problem_sets.find` knows.
        force : bool
            Release although submissions exist, or although the source notebook was edited by hand.

        Returns
        -------
        pathlib.Path
            The student version.

        Raises
        ------
        CourseError
            If there are submissions (without `force`), the notebook breaks a rule of nbgrader, or a line of a
            solution, hidden test or mark scheme would stand in the student version.
        """
        import nbformat

        from autograder import problem_sets
        from autograder.gate import find_leaks

        problem_set = problem_sets.find(exercise)
        name = problem_set.name
        source = self.folder / "source" / name / f"{name}.ipynb"
        release = self.folder / "release" / name / f"{name}.ipynb"
        record = self.folder / "grading" / name / ".release.json"
        students = self._all_students_of(name)
        if students and not force:
            raise CourseError(
                f"{name} has submissions of {len(students)} student{'s' * (len(students) > 1)} ({students[0]} ...): "
                f"they worked on the released version, and other tests or points would change their marks. "
                f"Use --force if that is what you want, then grade again."
            )
        built = json.loads(record.read_text())["source_sha256"] if record.is_file() else None
        if source.is_file() and not force and built and _sha256(source) != built:
            raise CourseError(
                f"{source} was edited since it was built: move the changes into {problem_set.path.name}, "
                f"or lose them with --force."
            )
        with tempfile.TemporaryDirectory() as trial_folder:
            trial = Path(trial_folder).resolve()
            trial_source = trial / "source" / name / f"{name}.ipynb"
            problem_sets.build_source(problem_set, trial_source)
            if (self.folder / GRADEBOOK).is_file():
                # nbgrader refuses changes of cells that have submissions; a new gradebook would not know them.
                shutil.copyfile(self.folder / GRADEBOOK, trial / GRADEBOOK)
            self._generate_assignment(name, root=trial)
            leaks = find_leaks(
                nbformat.read(trial_source, as_version=4),
                nbformat.read(trial / "release" / name / f"{name}.ipynb", as_version=4),
            )
            if leaks:
                more = f" (and {len(leaks) - 1} more)" if len(leaks) > 1 else ""
                raise CourseError(
                    f"{name} was not released, because students would see what only you may: {leaks[0]}{more}. "
                    f"Correct {problem_set.path.name}."
                )
            with _restored_on_failure(source.parent, release.parent):
                source.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(trial_source, source)
                self._generate_assignment(name, root=self.folder)
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps({"source_sha256": _sha256(source)}) + "\n", encoding="utf-8")
        return release

    def _generate_assignment(self, name: str, *, root: Path) -> None:
        from nbgrader.converters import GenerateAssignment

        log = io.StringIO()
        try:
            with self._converter(GenerateAssignment, name, log, root=root) as converter:
                converter.start()
        except Exception as error:
            reason = _last_error(log.getvalue()) or str(error)
            if "there are submissions" in reason:
                reason += ". Make a new class for the changed problem set."
            raise CourseError(f"nbgrader could not release {name}: {reason}") from error

    # -- grading ------------------------------------------------------------------------------------------

    def submissions(self, exercise: str, student: str | None = None) -> list[str]:
        """Return the students who handed something in, sorted.

        Parameters
        ----------
        exercise : str
        student : str, optional
            Only this one.

        Raises
        ------
        CourseError
            If the exercise is not released here, nobody (or not this student) handed it in, or a student's folder has
            a name with a line break or another control character, which nbgrader and gradebooks cannot hold.
        """
        name = self._released(exercise)
        place = self.folder / "submitted"
        students = self._students_with_folder(name)
        for one in students if student is None else [student]:
            if any(unicodedata.category(character) in {"Cc", "Cs"} for character in one):
                raise CourseError(
                    f"The folder {one!r} in {place} has a control character in its name, which can be no student's "
                    f"name: rename it."
                )
        if student is None:
            if not students:
                raise CourseError(
                    f"No submissions of {name}: put each student's notebook at {place}/STUDENT/{name}/{name}.ipynb."
                )
            return students
        if student not in students:
            known = f"; there are those of {_listing(students)}" if students else ""
            raise CourseError(
                f"No submission of {name} by {student!r}{known}. Put it at {place}/{student}/{name}/{name}.ipynb."
            )
        return [student]

    def grade(self, exercise: str, student: str, *, regrade: bool = False) -> Mark:
        """Grade one submission; whatever it holds, there is a mark.

        Parameters
        ----------
        exercise, student : str
        regrade : bool
            Grade again although neither the submission nor the tests changed.

        Returns
        -------
        Mark
        """
        marks = self.grade_all(exercise, [student], jobs=1, regrade="all" if regrade else "changed")
        return marks[0]

    def isolation(self, *, allow_weaker: bool = False) -> tuple[str, tuple[str, ...]]:
        """Return how submissions are shut in here: the level, and what is in force at it, a line each.

        Raises
        ------
        CourseError
            If this machine cannot give the level that the configuration asks for, without `allow_weaker`.
        """
        from autograder import isolation
        from autograder.drop_in import GradingEngine

        settings = GradingEngine(config=self._configuration).exercise_settings(allow_weaker=allow_weaker)
        return str(settings["level"]), tuple(isolation.available().by_level[settings["level"]])

    def grade_all(
        self,
        exercise: str,
        students: list[str] | None = None,
        *,
        jobs: int | None = None,
        regrade: str = "changed",
        allow_weaker: bool = False,
        scheduler: str | None = None,
        db_url: str | None = None,
        server=None,
        on_change=None,
    ) -> list[Mark]:
        """Grade submissions, several at a time; see `autograder.grading_run` for what is safe when.

        Parameters
        ----------
        exercise : str
        students : list of str, optional
            Everybody who handed something in, if not given.
        jobs : int, optional
            How many at a time; one a core if not given.
        regrade : str
            ``changed`` (what is new or changed), ``failed`` (also what did not end), ``all``.
        allow_weaker : bool
            Take a weaker isolation than that of the configuration where the machine cannot give it.
        scheduler : str, optional
            Address of a dask scheduler, whose workers grade instead of this machine.
        db_url : str, optional
            Another gradebook than that of the class.
        server : autograder.warm_server.WarmServer, optional
            From `server_ahead`.
        on_change : callable, optional
            Called with an `autograder.grading_run.Progress` whenever something happened.

        Returns
        -------
        list of Mark
            In the order of `students`; fewer if interrupted with Ctrl-C, those that are graded.

        Raises
        ------
        CourseError
            If nothing is released or handed in, another run is grading, the isolation is not to be had, or gradebook
            or disk cannot be written.
        """
        from autograder.drop_in import GradingEngine
        from autograder.grading_run import DaskWorkers, Exercise, GradingRun, OwnProcesses, scratch_folder

        name = self._released(exercise)
        for student in students or [None]:
            found = self.submissions(name, student)
        students = students or found
        if regrade not in {"all", "changed", "failed"}:
            raise CourseError(f"--regrade must be all, changed or failed, not {regrade!r}.")
        jobs = jobs if jobs is not None else os.cpu_count() or 1
        if jobs < 1:
            raise CourseError(f"--jobs must be at least 1, not {jobs}.")
        records = self.folder / "grading" / name
        settings = GradingEngine(config=self._configuration).exercise_settings(allow_weaker=allow_weaker)
        with self.writer(db_url=db_url) as writer:
            assignment = writer.assignment(name)
            task = Exercise.of(assignment, **settings)

            @contextlib.contextmanager
            def workers():
                # Called by the run once it holds the journal's lock: no other run uses the folder then.
                with contextlib.ExitStack() as stack:
                    if scheduler:
                        yield stack.enter_context(DaskWorkers(task, scheduler))
                    else:
                        scratch = stack.enter_context(scratch_folder(records))
                        yield stack.enter_context(OwnProcesses(task, jobs, scratch=scratch, server=server))

            run = GradingRun(writer, assignment, records, task, workers, on_change=on_change)
            # Interrupted: what is graded stays, and the caller sees by the number of marks that some are missing.
            with contextlib.suppress(KeyboardInterrupt):
                run.grade(students, regrade=regrade)
            # Of those that were not graded again, too: an extension may have been given since.
            writer.apply_deadlines(name)
            waiting = writer.waiting(assignment)
            return [
                _mark(run.graded[student], waiting.get(student, 0.0)) for student in students if student in run.graded
            ]

    def apply_deadlines(self) -> None:
        """Bring deadlines and extensions of the exchange, if there is one, into the gradebook: penalties follow.

        Raises
        ------
        CourseError
            If the gradebook cannot be written, or the exchange's settings are damaged.
        """
        from autograder import exchange_store

        released = exchange_store.list_released(self.folder)
        if released:
            with self.writer() as writer:
                for one in released:
                    writer.apply_deadlines(one.exercise)

    def writer(self, *, db_url: str | None = None):
        """Return the `autograder.gradebook_writer.GradebookWriter` of this class, a context manager.

        Parameters
        ----------
        db_url : str, optional
            Another gradebook than that of the class.

        Raises
        ------
        CourseError
            If the gradebook cannot be used.
        """
        from autograder.gradebook_writer import GradebookWriter

        return GradebookWriter(self._course(self.folder), self._configuration, db_url=db_url)

    # -- feedback -----------------------------------------------------------------------------------------

    def feedback(self, exercise: str, student: str, *, show_hidden_tests: bool = False) -> Feedback:
        """Write the feedback pages of one student.

        Parameters
        ----------
        exercise, student : str
        show_hidden_tests : bool
            Leave hidden tests and mark schemes in.

        Returns
        -------
        Feedback
        """
        from nbgrader.converters import GenerateFeedback
        from traitlets.config import Config

        from autograder.feedback import FeedbackExporter, page_without_notebook
        from autograder.preprocessors import HideHiddenTests

        name = self._released(exercise)
        autograded = self.folder / "autograded" / student / name
        if not autograded.is_dir():
            page = page_without_notebook(self, name, student)
            if page is not None:
                return Feedback(student, (page,))
            return Feedback(student, (), "not graded yet: run 'course grade' first")

        class FeedbackOfOne(GenerateFeedback):
            def init_notebooks(self):
                # nbgrader takes a student's name for a pattern of file names, and strips spaces from it.
                notebooks = sorted(str(path) for path in autograded.glob("*.ipynb"))
                if not notebooks:
                    raise CourseError(f"There is no notebook in {autograded}.")
                self.notebooks, self.assignments = [], {str(autograded): notebooks}

        log = io.StringIO()
        try:
            with self._converter(FeedbackOfOne, name, log) as converter:
                # Also in a class whose configuration is nbgrader's own. The exporter hides what is to be hidden.
                converter.exporter_class = FeedbackExporter
                converter.preprocessors = [step for step in converter.preprocessors if step is not HideHiddenTests]
                converter.update_config(Config({"FeedbackExporter": {"show_hidden_tests": show_hidden_tests}}))
                converter.start()
        except Exception as error:
            return Feedback(student, (), _reason(log.getvalue(), error))
        return Feedback(student, tuple(sorted((self.folder / "feedback" / student / name).glob("*.html"))))

    # -- what the above share -----------------------------------------------------------------------------

    @contextlib.contextmanager
    def gradebook(self):
        """Open the class's gradebook (nbgrader's ``Gradebook``) and close it again.

        Raises
        ------
        CourseError
            If the file is no gradebook, or another program keeps it locked.
        """
        import sqlalchemy
        from nbgrader.api import Gradebook

        course = self._course(self.folder)
        try:
            with _without_warnings(), Gradebook(course.db_url, course.course_id) as gradebook:
                yield gradebook
        except sqlalchemy.exc.DBAPIError as error:
            raise CourseError(
                f"The gradebook {course.db_url} cannot be used ({error.orig}): close other programs that use it, "
                f"or restore it from a backup."
            ) from error

    def _course(self, root: Path, **options):
        from nbgrader.coursedir import CourseDirectory

        course = CourseDirectory(config=self._configuration, **options)
        course.root = str(root)
        if root != self.folder:
            course.db_url = f"sqlite:///{root / GRADEBOOK}"
        return course

    @contextlib.contextmanager
    def _converter(self, converter_class, name, log, *, root: Path | None = None):
        """Yield one of nbgrader's converters, which logs into `log`; undo what it does to the process."""
        handler = logging.StreamHandler(log)
        handler.setFormatter(logging.Formatter("[%(levelname)s] %(message)s"))
        logger = logging.Logger("nbgrader", level=logging.INFO)  # not in the tree of loggers: the terminal stays ours
        logger.addHandler(handler)
        course = self._course(root or self.folder, assignment_id=name)
        converter = converter_class(coursedir=course, config=self._configuration, log=logger)
        converter.force = True
        working_folder = os.getcwd()
        try:
            with _without_warnings():
                yield converter
        finally:
            os.chdir(working_folder)
            os.environ.pop("NBGRADER_EXECUTION", None)  # nbgrader leaves it behind after an error

    def _released(self, exercise: str) -> str:
        """The name of an exercise that is released in this class."""
        name = exercise
        if not (self.folder / "release" / name).is_dir():
            from autograder import problem_sets

            name = problem_sets.find(exercise).name
        if not (self.folder / "release" / name).is_dir():
            raise CourseError(f"{name} is not released in this class: run 'course release {self.folder} {name}' first.")
        return name

    def _students_with_folder(self, name: str) -> list[str]:
        place = self.folder / "submitted"
        return sorted(
            path.parent.name
            for path in place.glob(f"*/{name}")
            if path.is_dir() and not path.parent.name.startswith(".")
        )

    def _all_students_of(self, name: str) -> list[str]:
        from nbgrader.api import MissingEntry

        students = set(self._students_with_folder(name))
        with self.gradebook() as gradebook, contextlib.suppress(MissingEntry):
            students |= {submission.student.id for submission in gradebook.find_assignment(name).submissions}
        return sorted(students)


def _mark(graded, waiting: float) -> Mark:
    status = "unchanged" if graded.unchanged else "graded"
    return Mark(
        student=graded.student,
        points=graded.points,
        maximum=graded.maximum,
        waiting=waiting,
        status=status if graded.has_notebook else "not graded",
        notes=graded.notes,
        seconds=graded.wall_s,
    )


@contextlib.contextmanager
def _without_warnings():
    """nbgrader's use of SQLAlchemy and copied cells give warnings that no instructor can act on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _restored_on_failure(*folders: Path):
    """nbgrader deletes the earlier release before it makes the new one; if that fails, bring the earlier one back."""
    with tempfile.TemporaryDirectory() as keep:
        for number, folder in enumerate(folders):
            if folder.is_dir():
                shutil.copytree(folder, Path(keep) / str(number))
        try:
            yield
        except BaseException:
            for number, folder in enumerate(folders):
                shutil.rmtree(folder, ignore_errors=True)
                if (Path(keep) / str(number)).is_dir():
                    shutil.copytree(Path(keep) / str(number), folder)
            raise


def _reason(log: str, error: Exception) -> str:
    """Say in one line why nbgrader gave a submission up."""
    last = _last_error(log) or f"{type(error).__name__}: {error}"
    if "NotJSONError" in last or "JSONDecodeError" in last or "Notebook does not appear to be JSON" in last:
        return "the notebook is not readable (its JSON is broken); ask for a new copy"
    return last


def _last_error(log: str) -> str:
    """Return the last line of the last traceback in a log of nbgrader, the one that names the error."""
    found = re.findall(r"^([A-Za-z_][\w.]*(?:Error|Exception|Invalid)\w*(?::.*)?)$", log, flags=re.MULTILINE)
    return found[-1].strip()[:300] if found else ""


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _listing(names) -> str:
    """Join names, the first five of them."""
    names = list(names)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
