"""The one writer of a class: results of the grading engine into nbgrader's folders and gradebook.

Workers hand results back as plain data and never see the gradebook; one process writes them, each submission in one
transaction. Writing the same result twice changes nothing, so that a run that was interrupted anywhere writes again
what it is not sure of.

What is written is what ``nbgrader autograde`` writes: the executed notebook and the data files in
``autograded/STUDENT/EXERCISE/``, automatic scores, marks that a person still has to give, "No response." at answers
that were not touched, and the penalty for lateness by the class's own plug-in. Scores and comments given by hand
stay; as nbgrader does, a person who graded an earlier answer is asked to look again.
"""

from __future__ import annotations

import contextlib
import datetime
import shutil
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.errors import CourseError
from autograder.repair import Collected, collect
from autograder.results import Repair, SubmissionResult

#: Seconds that the writer waits for a formgrader that keeps an SQLite gradebook locked.
_LOCK_PATIENCE_S = 60


@dataclass(frozen=True)
class Assignment:
    """An exercise as the class's gradebook knows it.

    Attributes
    ----------
    name : str
    notebook_name : str
        Without ``.ipynb``.
    notebook : nbformat.NotebookNode
        What submissions are compared with and graded by: stubs where the solutions were, tests with their hidden part.
    files : dict of str to bytes
        The author's data files; as in nbgrader they replace handed-in ones of the same name.
    all_notebooks : tuple of str
        The names of all notebooks of the assignment.
    """

    name: str
    notebook_name: str
    notebook: object
    files: dict[str, bytes]
    all_notebooks: tuple[str, ...] = ()


class GradebookWriter:
    """The gradebook and the folders of one class.

    Parameters
    ----------
    course : nbgrader.coursedir.CourseDirectory
    configuration : traitlets.config.Config
        Of the class.
    db_url : str, optional
        Another gradebook than that of the class, such as ``postgresql+psycopg://user@host/name``. Where it does not
        know the class's students and assignment yet, they are copied into it.

    Raises
    ------
    CourseError
        If the gradebook cannot be used.
    """

    def __init__(self, course, configuration, *, db_url: str | None = None):
        self._course = course
        self._configuration = configuration
        self._own_url = _patient(course.db_url)
        self.url = _patient(db_url or course.db_url)
        with _named_database_errors(self.url):
            self._gradebook = self._open(self.url)

    def _open(self, url: str):
        import sqlalchemy
        from nbgrader.api import Gradebook

        try:
            with _without_warnings():
                return Gradebook(url, self._course.course_id)
        except (sqlalchemy.exc.ArgumentError, ModuleNotFoundError) as error:
            raise CourseError(
                f"--db must be the address of a database such as postgresql+psycopg://user@host/name, and {url!r} "
                f"cannot be opened ({error}); for PostgreSQL, install the course with its extra 'postgresql'."
            ) from error

    def __enter__(self) -> GradebookWriter:
        return self

    def __exit__(self, *_) -> None:
        self._gradebook.close()

    @property
    def identity(self) -> str:
        """The gradebook's address without a password, to tell which one a result was written into."""
        import sqlalchemy

        return sqlalchemy.engine.make_url(self.url).set(query={}).render_as_string(hide_password=True)

    # -- the assignment ---------------------------------------------------------------------------------------

    def n_notebooks(self, name: str) -> int:
        """Return how many notebooks an assignment holds."""
        with _named_database_errors(self.url):
            return len(self._gradebook.find_assignment(name).notebooks)

    def assignment(self, name: str, notebook_name: str | None = None) -> Assignment:
        """Return an exercise with its tests, as nbgrader restores them: from the gradebook.

        Parameters
        ----------
        name : str
        notebook_name : str, optional
            One of its notebooks; the only one if not given.

        Raises
        ------
        CourseError
            If it was never released, or holds more than one notebook and none is named.
        """
        import nbformat
        from nbgrader.api import MissingEntry

        with _named_database_errors(self.url):
            try:
                assignment = self._gradebook.find_assignment(name)
            except MissingEntry:
                self._copy_assignment(name)
                assignment = self._gradebook.find_assignment(name)
            notebooks = {notebook.name: notebook for notebook in assignment.notebooks}
            names = [notebook_name] if notebook_name else list(notebooks)
            if len(names) != 1 or names[0] not in notebooks:
                raise CourseError(
                    f"{name} holds {len(notebooks)} notebooks, and 'course grade' takes assignments of one: use "
                    f"'nbgrader autograde {name}', which the engine serves too (three lines in nbgrader_config.py)."
                )
            texts = {cell.name: cell for cell in notebooks[names[0]].source_cells}
        base = self._path(self._course.release_directory, ".", name) / f"{names[0]}.ipynb"
        if not base.is_file():
            # A class whose release folder was cleared can still be graded.
            base = self._path(self._course.source_directory, ".", name) / f"{names[0]}.ipynb"
        if not base.is_file():
            raise CourseError(f"Neither release/ nor source/ holds {name}/{names[0]}.ipynb: release {name} again.")
        notebook = nbformat.read(base, as_version=4)
        for cell in notebook.cells:
            original = texts.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
            if original is not None:
                cell.source = original.source
                cell.metadata.nbgrader["checksum"] = original.checksum
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        return Assignment(name, names[0], notebook, self._author_files(name), tuple(notebooks))

    def _author_files(self, name: str) -> dict[str, bytes]:
        from nbgrader.utils import find_all_files

        folder = self._path(self._course.source_directory, ".", name)
        left_out = self._configuration.get("Autograde", {}).get("exclude_overwriting", {}).get(name, [])
        paths = find_all_files(str(folder), [*self._course.ignore, "*.ipynb"])
        files = {Path(path).relative_to(folder).as_posix(): Path(path) for path in paths}
        return {name: path.read_bytes() for name, path in sorted(files.items()) if name not in left_out}

    def _copy_assignment(self, name: str) -> None:
        """Bring what the class's own gradebook knows about an exercise into another one."""
        from nbgrader.api import MissingEntry

        with contextlib.closing(self._open(self._own_url)) as own:
            try:
                original = own.find_assignment(name)
            except MissingEntry:
                raise CourseError(
                    f"The gradebook does not know {name}: release it first, with 'course release' or "
                    f"'nbgrader generate_assignment'."
                ) from None
            target = self._gradebook
            for student in own.students:
                target.update_or_create_student(
                    student.id, first_name=student.first_name, last_name=student.last_name, email=student.email
                )
            target.add_assignment(name, duedate=original.duedate)
            for notebook in original.notebooks:
                target.add_notebook(notebook.name, name, kernelspec=notebook.kernelspec)
                for cells, add, keys in (
                    (notebook.grade_cells, target.add_grade_cell, ("max_score", "cell_type")),
                    (notebook.solution_cells, target.add_solution_cell, ()),
                    (notebook.task_cells, target.add_task_cell, ("max_score", "cell_type")),
                    (notebook.source_cells, target.add_source_cell, ("cell_type", "locked", "source", "checksum")),
                ):
                    for cell in cells:
                        add(cell.name, notebook.name, name, **{key: getattr(cell, key) for key in keys})

    # -- submissions ------------------------------------------------------------------------------------------

    def collect(self, assignment: Assignment, student: str) -> Collected:
        """Read what one student handed in.

        Raises
        ------
        OSError
            If the folder cannot be read; a link in its place is one.
        """
        folder = self._path(self._course.submitted_directory, student, assignment.name)
        wanted = f"{assignment.notebook_name}.ipynb"
        collected = collect(folder, wanted, others=[f"{name}.ipynb" for name in assignment.all_notebooks])
        return _without_clashes(collected, {wanted, *assignment.files})

    def present(self, assignment: Assignment) -> set[str]:
        """Return the students whose submission is in the gradebook."""
        from nbgrader.api import SubmittedAssignment

        with self._reading(assignment) as (session, row):
            found = session.query(SubmittedAssignment.student_id).filter_by(assignment_id=row.id)
            return {student for (student,) in found}

    def has_folder(self, assignment: Assignment, student: str) -> bool:
        """Whether ``autograded/STUDENT/EXERCISE`` is there."""
        return self._path(self._course.autograded_directory, student, assignment.name).is_dir()

    def write(self, assignment: Assignment, result: SubmissionResult, files: dict[str, bytes]) -> None:
        """Write one result into the folder ``autograded`` and the gradebook.

        Parameters
        ----------
        assignment : Assignment
        result : autograder.results.SubmissionResult
            Without a notebook it is one that could not be run: 0 points, and no work for a person.
        files : dict of str to bytes
            The student's data files; ``timestamp.txt`` says when they were handed in.

        Raises
        ------
        CourseError
            If the gradebook cannot be written; it is unchanged then.
        OSError
            If the folder cannot be written, for example because the disk is full.
        """
        import nbformat

        notebook = nbformat.reads(result.notebook, as_version=4) if result.notebook else None
        self._write_folder(assignment, result, files)
        with _named_database_errors(self.url), _without_warnings(), self._transaction() as session:
            submission = self._submission(session, assignment.name, result.student, files.get("timestamp.txt"))
            rows = next(one for one in submission.notebooks if one.name == assignment.notebook_name)
            _write_scores(rows, result, notebook)
            _write_comments(rows, notebook)
            session.flush()
            session.expire_all()
            self._write_penalty(submission, rows)

    @contextlib.contextmanager
    def _transaction(self):
        session = self._gradebook.db()
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            # The session would keep every row of a class of hundreds in memory.
            session.expunge_all()

    def _submission(self, session, name: str, student_id: str, timestamp: bytes | None):
        """The submission with all its rows; nbgrader's own method would commit it before it is complete."""
        from nbgrader.api import Comment, Grade, MissingEntry, Student, SubmittedAssignment, SubmittedNotebook

        student = session.get(Student, student_id)
        if student is None:
            if not self._configuration.get("Autograde", {}).get("create_student", True):
                raise CourseError(
                    f"The gradebook does not know the student {student_id!r}, and Autograde.create_student is False: "
                    f"add the student with 'nbgrader db student add {student_id}'."
                )
            student = Student(id=student_id)
            session.add(student)
        try:
            submission = self._gradebook.find_submission(name, student_id)
        except MissingEntry:
            submission = SubmittedAssignment(assignment=self._gradebook.find_assignment(name), student=student)
            for notebook in submission.assignment.notebooks:
                rows = SubmittedNotebook(notebook=notebook, assignment=submission)
                for cell in (*notebook.grade_cells, *notebook.task_cells):
                    Grade(cell_id=cell.id, cell=cell, notebook=rows)
                for cell in (*notebook.solution_cells, *notebook.task_cells):
                    Comment(cell_id=cell.id, cell=cell, notebook=rows)
            session.add(submission)
            session.flush()
        when = _read_timestamp(timestamp)
        if when is not None:
            submission.timestamp = when
        self._set_deadline(submission)
        return submission

    def apply_deadlines(self, name: str) -> list[str]:
        """Bring deadline and extensions of the exchange into the gradebook, and reckon the penalties anew.

        Parameters
        ----------
        name : str
            Of the exercise.

        Returns
        -------
        list of str
            The students for whom something changed, sorted.

        Raises
        ------
        CourseError
            If the gradebook cannot be written (it is unchanged then), or the exchange's settings are damaged.
        """
        from nbgrader.api import MissingEntry, SubmittedAssignment

        with _named_database_errors(self.url), _without_warnings(), self._transaction() as session:
            changed = []
            try:
                row = self._gradebook.find_assignment(name)
            except MissingEntry:
                return changed
            for submission in session.query(SubmittedAssignment).filter_by(assignment_id=row.id):
                before = submission.duedate
                self._set_deadline(submission)
                if submission.duedate != before:
                    changed.append(submission.student_id)
                    for rows in submission.notebooks:
                        self._write_penalty(submission, rows)
            return sorted(changed)

    def _set_deadline(self, submission) -> None:
        """Deadline and extension as students see them in the exchange; without an exchange the gradebook's own stay.

        nbgrader's penalties, its formgrader and our export all ask the gradebook: it is the place for extensions.
        """
        from autograder.exchange_store import Refused, released

        try:
            settings = released(self._course.root, submission.assignment.name)
        except Refused:
            return
        if settings.due is None:
            return
        own = settings.extensions.get(submission.student_id)
        submission.assignment.duedate = settings.due.astimezone(datetime.UTC).replace(tzinfo=None)
        submission.extension = own - settings.due if own is not None else None

    def _write_penalty(self, submission, rows) -> None:
        """As nbgrader's AssignLatePenalties, with the plug-in that the class's configuration names."""
        from nbgrader.preprocessors import AssignLatePenalties

        rows.late_submission_penalty = None
        if submission.total_seconds_late > 0:
            step = AssignLatePenalties(config=self._configuration)
            step.init_plugin()
            penalty = step.plugin_inst.late_submission_penalty(
                submission.student.id, rows.score, submission.total_seconds_late
            )
            if penalty is not None:
                rows.late_submission_penalty = step._check_late_penalty(rows, penalty)

    def _write_folder(self, assignment: Assignment, result: SubmissionResult, files: dict[str, bytes]) -> None:
        """Replace ``autograded/STUDENT/EXERCISE`` as a whole: never is half of one submission and half of another."""
        target = self._path(self._course.autograded_directory, result.student, assignment.name)
        if not result.notebook:
            shutil.rmtree(target, ignore_errors=True)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        permissions = 0o664 if self._course.groupshared else 0o444
        # Always of the same name: what a run that was killed leaves behind is gone with the next.
        building = target.with_name(f".{assignment.name}.new")
        shutil.rmtree(building, ignore_errors=True)
        try:
            new = building / "new"
            content = {**files, **assignment.files, f"{assignment.notebook_name}.ipynb": result.notebook.encode()}
            for name, data in content.items():
                path = new / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                path.chmod(permissions)
            if self._course.groupshared:
                for place in (new, *(path for path in new.rglob("*") if path.is_dir())):
                    place.chmod(0o2770)
            if target.exists():
                target.rename(building / "old")
            new.rename(target)
        finally:
            shutil.rmtree(building, ignore_errors=True)

    def waiting(self, assignment: Assignment) -> dict[str, float]:
        """Return the points that a person still has to decide about, by student; who is not named has none."""
        from nbgrader.api import Grade, SubmittedAssignment, SubmittedNotebook

        found: dict[str, float] = {}
        with self._reading(assignment) as (session, row):
            cells = [cell for notebook in row.notebooks for cell in (*notebook.grade_cells, *notebook.task_cells)]
            points = {cell.id: float(cell.max_score) for cell in cells}
            open_grades = (
                session.query(SubmittedAssignment.student_id, Grade.cell_id)
                .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
                .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
                .filter(SubmittedAssignment.assignment_id == row.id, Grade.needs_manual_grade)
                .filter(Grade.manual_score.is_(None), Grade.auto_score.is_(None))
            )
            for student, cell_id in open_grades:
                found[student] = found.get(student, 0.0) + points[cell_id]
        return found

    @contextlib.contextmanager
    def _reading(self, assignment: Assignment):
        with _named_database_errors(self.url):
            session = self._gradebook.db()
            try:
                yield session, self._gradebook.find_assignment(assignment.name)
            finally:
                session.rollback()
                session.expunge_all()

    def _path(self, step: str, student: str, name: str) -> Path:
        return Path(self._course.format_path(step, student, name))


def _without_clashes(collected: Collected, reserved: set[str]) -> Collected:
    """Leave out files of a student that cannot lie beside the notebook and the author's files: a folder called so."""
    clashing = [
        path
        for path in collected.files
        if any(path.startswith(f"{name}/") or name.startswith(f"{path}/") for name in reserved)
    ]
    if not clashing:
        return collected
    why = "a file of the exercise has its name or that of its folder"
    left_out = [Repair("removed", "", f"The file {path} was left out: {why}.") for path in clashing[:20]]
    files = {path: content for path, content in collected.files.items() if path not in clashing}
    return replace(collected, files=files, repairs=(*collected.repairs, *left_out))


def _write_scores(rows, result: SubmissionResult, notebook) -> None:
    points = {receipt.grade_id: receipt.points for receipt in result.receipts}
    touched = touched_answers(notebook) if notebook is not None else {}
    tasks = {cell.name for cell in rows.notebook.task_cells}
    answers = {cell.name for cell in rows.notebook.solution_cells}
    for grade in rows.grades:
        if notebook is None:
            grade.auto_score = 0.0
        elif grade.name in tasks or (grade.name in answers and touched.get(grade.name, False)):
            grade.auto_score = None
        else:
            # An answer that was not touched, and a test without a receipt, are worth nothing.
            grade.auto_score = points.get(grade.name, 0.0) if grade.name not in answers else 0.0
        grade.needs_manual_grade = grade.auto_score is None or (grade.manual_score is not None and notebook is not None)


def _write_comments(rows, notebook) -> None:
    touched = touched_answers(notebook) if notebook is not None else {}
    answers = {cell.name for cell in rows.notebook.solution_cells}
    for comment in rows.comments:
        untouched = comment.name in answers and not touched.get(comment.name, False)
        comment.auto_comment = "No response." if untouched else None


def touched_answers(notebook) -> dict[str, bool]:
    """Return for each answer cell, by grade id, whether the student wrote anything (nbgrader's checksum tells).

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        With the metadata of the author's notebook.
    """
    from nbgrader.utils import compute_checksum, is_solution

    return {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.get("checksum") != compute_checksum(cell)
        for cell in notebook.cells
        if is_solution(cell)
    }


def manual_points(notebook) -> float:
    """Return the points about which a person has to decide: answers that were touched, and tasks.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        With the metadata of the author's notebook.
    """
    from nbgrader.utils import is_grade, is_solution, is_task

    touched = touched_answers(notebook)
    return sum(
        float(cell.metadata.nbgrader.points)
        for cell in notebook.cells
        if is_task(cell) or (is_grade(cell) and is_solution(cell) and touched[cell.metadata.nbgrader.grade_id])
    )


def _read_timestamp(content: bytes | None):
    """When it was handed in, in UTC; a file that a student damaged counts as none."""
    from nbgrader.utils import parse_utc

    if content is None:
        return None
    try:
        return parse_utc(content[:100].decode().strip())
    except (ValueError, OverflowError, TypeError, AttributeError):
        return None


def _patient(url: str) -> str:
    """SQLite gives up after five seconds if a formgrader is writing; that is too early for a run of hours."""
    if url.startswith("sqlite:///") and "?" not in url:
        return f"{url}?timeout={_LOCK_PATIENCE_S}"
    return url


@contextlib.contextmanager
def _named_database_errors(url: str):
    import sqlalchemy

    try:
        yield
    except sqlalchemy.exc.DBAPIError as error:
        shown = sqlalchemy.engine.make_url(url).set(query={}).render_as_string(hide_password=True)
        raise CourseError(
            f"The gradebook {shown} cannot be used ({str(error.orig).strip()}): close other programs that use it, free "
            f"space on its disk, or restore it from a backup."
        ) from error


@contextlib.contextmanager
def _without_warnings():
    """nbgrader's use of SQLAlchemy gives warnings that no instructor can act on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
