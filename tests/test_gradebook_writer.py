"""What the one writer puts into nbgrader's gradebook and folders, with nbgrader's own steps as the reference."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.preprocessors import AssignLatePenalties, SaveAutoGrades

from autograder.classroom import Classroom, new_class
from autograder.errors import CourseError
from autograder.gradebook_writer import GradebookWriter, manual_points
from autograder.results import Receipt, Status, SubmissionResult

TOY = Path(__file__).parent / "toy_assignments"
EXERCISE = "ex01_1"
TABLES = ("student", "assignment", "submitted_assignment", "submitted_notebook", "grade", "comment")


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_ASSIGNMENTS_DIR", str(TOY))
        classroom = new_class(tmp_path_factory.mktemp("class"))
        classroom.release(EXERCISE)
    return classroom


@pytest.fixture
def classroom(template, tmp_path):
    return Classroom(shutil.copytree(template.folder, tmp_path / "class"))


@contextlib.contextmanager
def writer_of(classroom, **options):
    course = classroom._course(classroom.folder)
    with GradebookWriter(course, classroom._configuration, **options) as writer:
        yield writer


def executed(assignment, *, wrong=(), median="My answer."):
    notebook = nbformat.from_dict(json.loads(json.dumps(assignment.notebook)))
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if grade_id in wrong:
            cell.outputs = [nbformat.v4.new_output("error", ename="AssertionError", evalue="no", traceback=[])]
        if grade_id == "median-answer" and median:
            cell.source = median
        if grade_id == "mean-answer":
            cell.source = "def mean(numbers): ..."
    return notebook


def result_of(assignment, student="ada", *, wrong=(), **options):
    receipts = [
        Receipt(grade_id, Status.FAIL if grade_id in wrong else Status.PASS, 0.0 if grade_id in wrong else most, most)
        for grade_id, most in (("mean-test", 3.0), ("fraction-test", 2.0))
    ]
    notebook = executed(assignment, wrong=wrong, **options)
    return SubmissionResult(student, EXERCISE, tuple(receipts), notebook=nbformat.writes(notebook))


def rows(gradebook):
    """Every score, mark for a person, comment and penalty, by names instead of random ids."""
    found = {}
    for submission in gradebook.find_assignment(EXERCISE).submissions:
        for notebook in submission.notebooks:
            about = [submission.timestamp, notebook.late_submission_penalty, submission.score, notebook.failed_tests]
            grades = {
                grade.name: (grade.auto_score, grade.manual_score, grade.needs_manual_grade, grade.max_score)
                for grade in notebook.grades
            }
            comments = {one.name: (one.auto_comment, one.manual_comment) for one in notebook.comments}
            found[submission.student.id] = (about, grades, comments, submission.needs_manual_grade)
    return found


def by_stock_nbgrader(classroom, db_url, student, notebook, timestamp=None):
    with Gradebook(db_url) as gradebook:
        gradebook.update_or_create_student(student)
        gradebook.update_or_create_submission(EXERCISE, student, **({"timestamp": timestamp} if timestamp else {}))
    names = {"student": student, "assignment": EXERCISE, "notebook": EXERCISE, "db_url": db_url}
    for step in (SaveAutoGrades, AssignLatePenalties):
        step(config=classroom._configuration).preprocess(notebook, {"nbgrader": names})


@pytest.mark.parametrize(
    ("wrong", "median", "graded_by_hand", "late"),
    [
        ((), "My answer.", False, None),
        (("mean-test",), None, True, None),
        (("mean-test", "fraction-test"), "My answer.", True, "zero"),
        (("fraction-test",), None, False, "zero"),
    ],
)
def test_the_rows_are_those_of_nbgrader(classroom, tmp_path, wrong, median, graded_by_hand, late):
    if late:
        with (classroom.folder / "nbgrader_config.py").open("a") as file:
            file.write("c.LateSubmissionPlugin.penalty_method = 'zero'\n")
        classroom = Classroom(classroom.folder)
    timestamp = "2026-11-26 10:00:00 UTC" if late else None
    with classroom.gradebook() as gradebook:
        gradebook.update_or_create_assignment(EXERCISE, duedate="2026-11-25 10:00:00 UTC")
    reference = f"sqlite:///{tmp_path}/reference.db"
    shutil.copy(classroom.folder / "gradebook.db", tmp_path / "reference.db")
    files = {"timestamp.txt": timestamp.encode()} if timestamp else {}
    for turn in range(2):
        with writer_of(classroom) as writer:
            assignment = writer.assignment(EXERCISE)
            writer.write(assignment, result_of(assignment, wrong=wrong, median=median), files)
        notebook = executed(assignment, wrong=wrong, median=median)
        by_stock_nbgrader(classroom, reference, "ada", notebook, timestamp)
        with classroom.gradebook() as ours, Gradebook(reference) as theirs:
            assert rows(ours) == rows(theirs)
            if graded_by_hand and turn == 0:
                for gradebook in (ours, theirs):
                    grade = gradebook.find_grade("mean-test", EXERCISE, EXERCISE, "ada")
                    grade.manual_score, grade.needs_manual_grade = 1.0, False
                    comment = gradebook.find_comment("mean-answer", EXERCISE, EXERCISE, "ada")
                    comment.manual_comment = "Nice"
                    gradebook.db.commit()


def test_writing_again_changes_nothing(classroom):
    with writer_of(classroom) as writer:
        assignment = writer.assignment(EXERCISE)
        for student in ("ada", "bob"):
            writer.write(assignment, result_of(assignment, student), {"numbers.csv": b"1"})
    with classroom.gradebook() as gradebook:
        before = rows(gradebook)
    folder = classroom.folder / "autograded"
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with writer_of(classroom) as writer:
        writer.write(assignment, result_of(assignment, "ada"), {"numbers.csv": b"1"})
    with classroom.gradebook() as gradebook:
        assert rows(gradebook) == before
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == files


def test_folders_hold_the_notebook_and_the_files_and_the_authors_win(classroom):
    (classroom.folder / "source" / EXERCISE / "data").mkdir()
    (classroom.folder / "source" / EXERCISE / "data" / "numbers.csv").write_text("the author's")
    with writer_of(classroom) as writer:
        assignment = writer.assignment(EXERCISE)
        files = {"data/numbers.csv": b"the student's", "own/deep/notes.txt": b"x", "timestamp.txt": b"no date at all"}
        writer.write(assignment, result_of(assignment), files)
        place = classroom.folder / "autograded" / "ada" / EXERCISE
        assert (place / "data" / "numbers.csv").read_text() == "the author's"
        assert (place / "own" / "deep" / "notes.txt").read_text() == "x"
        assert "another mean is wrong" in (place / f"{EXERCISE}.ipynb").read_text()
        assert all(path.stat().st_mode & 0o777 == 0o444 for path in place.rglob("*") if path.is_file())
        writer.write(assignment, result_of(assignment), {})
        assert not (place / "own").exists()
        assert [path.name for path in place.parent.iterdir()] == [EXERCISE]


def test_what_could_not_be_run_has_no_points_and_is_no_work_for_a_person(classroom):
    with writer_of(classroom) as writer:
        assignment = writer.assignment(EXERCISE)
        writer.write(assignment, result_of(assignment), {})
        writer.write(assignment, result_of(assignment, "bob"), {})
        assert writer.waiting(assignment) == {"ada": 9.0, "bob": 9.0}
        writer.write(assignment, SubmissionResult("ada", EXERCISE, reason="unreadable"), {})
        assert writer.waiting(assignment) == {"bob": 9.0}
        assert writer.present(assignment) == {"ada", "bob"}
        assert not writer.has_folder(assignment, "ada") and writer.has_folder(assignment, "bob")
    with classroom.gradebook() as gradebook:
        assert gradebook.find_submission(EXERCISE, "ada").score == 0
        assert not gradebook.find_submission(EXERCISE, "ada").needs_manual_grade


def test_no_receipt_is_no_points(classroom):
    with writer_of(classroom) as writer:
        assignment = writer.assignment(EXERCISE)
        writer.write(assignment, result_of(assignment), {})
        notebook = nbformat.writes(executed(assignment))
        writer.write(assignment, SubmissionResult("ada", EXERCISE, notebook=notebook), {})
    with classroom.gradebook() as gradebook:
        assert gradebook.find_submission(EXERCISE, "ada").score == 0


def test_an_interruption_in_the_middle_leaves_no_half_submission(classroom, monkeypatch):
    with writer_of(classroom) as writer:
        assignment = writer.assignment(EXERCISE)

        def interrupt(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(writer, "_write_penalty", interrupt)
        with pytest.raises(KeyboardInterrupt):
            writer.write(assignment, result_of(assignment), {})
        assert writer.present(assignment) == set()
    with classroom.gradebook() as gradebook:
        assert rows(gradebook) == {} and gradebook.students == []


def test_points_for_a_person_are_those_that_the_gradebook_waits_for(template):
    with writer_of(template) as writer:
        assignment = writer.assignment(EXERCISE)
    assert manual_points(executed(assignment)) == 9
    assert manual_points(executed(assignment, median=None)) == 5


def test_memory_does_not_keep_the_rows(classroom):
    with writer_of(classroom) as writer:
        assignment = writer.assignment(EXERCISE)
        for number in range(5):
            writer.write(assignment, result_of(assignment, f"student-{number}"), {})
            assert len(writer._gradebook.db().identity_map) == 0


def test_mistakes_are_named(classroom):
    with writer_of(classroom) as writer, pytest.raises(CourseError, match=r"does not know ex01_2.*course release"):
        writer.assignment("ex01_2")
    with pytest.raises(CourseError, match=r"--db must be.*nonsense"):
        writer_of(classroom, db_url="nonsense").__enter__()
    with (classroom.folder / "nbgrader_config.py").open("a") as file:
        file.write("c.Autograde.create_student = False\n")
    with writer_of(Classroom(classroom.folder)) as writer:
        assignment = writer.assignment(EXERCISE)
        with pytest.raises(CourseError, match="nbgrader db student add ada"):
            writer.write(assignment, result_of(assignment), {})


# -- PostgreSQL ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def postgresql():
    """The address of a PostgreSQL server of our own, on a socket in a folder of its own."""
    from autograder.postgresql import find_server_programs

    programs = find_server_programs()
    if programs is None:
        assert not os.environ.get("COURSE_REQUIRE_BROWSER"), "continuous integration installs PostgreSQL: make test"
        pytest.skip("no PostgreSQL server is installed here")
    # The path of a socket may have about 100 characters.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    user = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    if user:
        os.chown(folder, 65534, 65534)  # the server refuses to run as root
    options = {"cwd": folder, "check": True, "capture_output": True, "text": True, **user}
    data = folder / "data"
    subprocess.run([programs / "initdb", "-D", data, "-U", "course", "--auth=trust", "--no-sync"], **options)
    settings = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    log = folder / "server.log"
    start = [programs / "pg_ctl", "-D", data, "-l", log, "-w", "-t", "120", "-o", settings, "start"]
    # Not captured: the pipes would stay open as long as the server runs.
    subprocess.run(start, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **user)
    try:
        yield f"postgresql+psycopg://course@/postgres?host={folder}"
    finally:
        subprocess.run([programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], **options)
        shutil.rmtree(folder)


def test_a_postgresql_gradebook_holds_the_same(classroom, postgresql):
    with classroom.gradebook() as gradebook:
        gradebook.update_or_create_student("eve", first_name="Eve", last_name="Ünal", email="eve@example.org")
    files = {"timestamp.txt": b"2026-11-26 10:00:00 UTC"}
    for options in ({}, {"db_url": postgresql}):
        with writer_of(classroom, **options) as writer:
            assignment = writer.assignment(EXERCISE)
            for turn in range(2):
                writer.write(assignment, result_of(assignment, "ada", wrong=("mean-test",) * turn), files)
                writer.write(assignment, result_of(assignment, "bob"), {})
            waiting = writer.waiting(assignment)
            assert waiting == {"ada": 9.0, "bob": 9.0}
            assert "?" not in writer.identity
    with classroom.gradebook() as ours, Gradebook(postgresql) as theirs:
        assert rows(ours) == rows(theirs) != {}
        assert theirs.find_student("eve").last_name == "Ünal"
        assert theirs.find_assignment(EXERCISE).max_score == ours.find_assignment(EXERCISE).max_score == 14
    # A class whose own configuration names the server works without --db, formgrader included.
    with (classroom.folder / "nbgrader_config.py").open("a") as file:
        file.write(f"c.CourseDirectory.db_url = {postgresql!r}\n")
    with writer_of(Classroom(classroom.folder)) as writer:
        assert writer.present(writer.assignment(EXERCISE)) == {"ada", "bob"}
