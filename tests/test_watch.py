"""Grade on submit: nothing lost, nothing graded twice, nobody sees too much too early, nothing stops it."""

import contextlib
import csv
import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import watch_driver
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder import exchange_store, export, results, watch_desks
from autograder.classroom import Classroom, new_class
from autograder.early_feedback import WITHHELD, without_hidden_messages
from autograder.errors import CourseError
from autograder.exchange_store import Receipt, Released
from autograder.grading_run import Journal
from autograder.watch import Attempt, Watch, counting_attempt, refusal

TOY = Path(__file__).parent / "toy_assignments"
EXERCISE = "ex01_1"
PATIENCE_S = 300
HOUR = datetime.timedelta(hours=1)
NOON = datetime.datetime(2026, 11, 2, 12, tzinfo=datetime.UTC)
RIGHT = {"mean-answer": "def mean(numbers):\n    return sum(numbers) / len(numbers)"}
FRACTION = {"fraction-answer": "def fraction():\n    return 1.0"}

#: Takes half of the points of what came late.
LATE_PLUGIN = """
from nbgrader.plugins import LateSubmissionPlugin
class Half(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return score / 2
c.AssignLatePenalties.plugin_class = Half
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_ASSIGNMENTS_DIR", str(TOY))
        classroom = new_class(tmp_path_factory.mktemp("class"))
        classroom.release(EXERCISE)
    with (classroom.folder / "nbgrader_config.py").open("a") as file:
        file.write(LATE_PLUGIN)
    return classroom


@pytest.fixture
def clock(monkeypatch):
    """The time of the exchange, which a test may set."""
    times = {"now": NOON}
    monkeypatch.setattr(exchange_store, "now", lambda: times["now"])
    return times


class Class:
    """A class, its exchange, and watches over it with workers that grade at once."""

    def __init__(self, folder, log):
        self.folder, self.log = folder, log

    @property
    def classroom(self):
        return Classroom(self.folder)

    def release(self, **settings):
        exchange_store.release(self.folder, EXERCISE, **settings)

    def notebook(self, number=0, mean=3, fraction=2, answers=()):
        content = json.loads((self.folder / "release" / EXERCISE / f"{EXERCISE}.ipynb").read_text())
        content["metadata"] |= {"number": number, "mean": mean, "fraction": fraction}
        for cell in content["cells"]:
            grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
            cell["source"] = dict(answers).get(grade_id, cell["source"])
        return json.dumps(content).encode()

    def submit(self, student, when=NOON, **notebook):
        number = len(exchange_store.attempts(self.folder, EXERCISE, student)) + 1
        content = self.notebook(number=number, **notebook)
        return exchange_store.receive(self.folder, EXERCISE, student, content, when=when)

    def watch(self, **options):
        """Watch once; return what was said."""
        said = []
        with Watch(self.classroom, allow_weaker=True, on_graded=said.append, **options) as one:
            one.run(once=True)
        return said

    @property
    def graded(self):
        return self.log.read_text().splitlines() if self.log.is_file() else []

    def feedback(self, student, attempt=1):
        return exchange_store.read_feedback(self.folder, EXERCISE, student, attempt)

    def page(self, student, attempt=1):
        return self.feedback(student, attempt).page.read_text()

    def rows(self):
        with self.classroom.gradebook() as gradebook:
            return {
                submission.student.id: (
                    submission.timestamp,
                    submission.notebooks[0].late_submission_penalty,
                    sorted((grade.name, grade.auto_score) for grade in submission.notebooks[0].grades),
                )
                for submission in gradebook.find_assignment(EXERCISE).submissions
            }

    def points(self):
        return {student: sum(score or 0 for _, score in row[2]) for student, row in self.rows().items()}

    def entries(self, event):
        with Journal(self.folder / "grading" / "watch.jsonl") as journal:
            return [(one["student"], one["attempt"]) for one in journal.entries if one["event"] == event]


@pytest.fixture
def small(template, tmp_path, monkeypatch):
    one = Class(Path(shutil.copytree(template.folder, tmp_path / "class")), tmp_path / "graded")
    monkeypatch.setattr(watch_desks, "OwnProcesses", watch_driver.Workers)
    monkeypatch.setattr(watch_driver.Workers, "log", one.log)
    monkeypatch.setattr(watch_driver.Workers, "faults", {})
    return one


# -- rules ----------------------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(
    gaps_s=st.lists(st.integers(0, 100), min_size=1, max_size=6),
    most=st.integers(1, 4),
    pause_s=st.sampled_from([0, 30, 60]),
)
def test_the_watch_refuses_nothing_that_the_exchange_took(tmp_path_factory, gaps_s, most, pause_s):
    folder = tmp_path_factory.mktemp("exchange")
    (folder / "release" / EXERCISE).mkdir(parents=True)
    (folder / "release" / EXERCISE / f"{EXERCISE}.ipynb").write_text('{"cells": []}')
    released = exchange_store.release(folder, EXERCISE, attempts=most, pause_s=pause_s)
    when = NOON
    for number, gap_s in enumerate(gaps_s):
        when += datetime.timedelta(seconds=gap_s)
        content = json.dumps({"cells": [], "metadata": {"number": number}}).encode()
        with contextlib.suppress(exchange_store.Refused):
            exchange_store.receive(folder, EXERCISE, "ada", content, when=when)
    receipts = exchange_store.attempts(folder, EXERCISE, "ada")
    assert [refusal(released, receipts, one.attempt) for one in receipts] == [""] * len(receipts)


def test_the_watch_holds_to_limit_and_pause():
    receipts = [Receipt("ada", EXERCISE, n, NOON + n * datetime.timedelta(seconds=60), "", 0) for n in (1, 2, 3)]
    released = Released(EXERCISE, "Means", NOON, attempts=2)
    assert [bool(refusal(released, receipts, n)) for n in (1, 2, 3)] == [False, False, True]
    slow = Released(EXERCISE, "Means", NOON, pause_s=61)
    assert [bool(refusal(slow, receipts, n)) for n in (1, 2, 3)] == [False, True, True]
    assert "60 s after the one before, and 61 s must pass" in refusal(slow, receipts, 2)


@given(st.dictionaries(st.integers(1, 9), st.sampled_from([0.0, 1.5, 3.0]), min_size=1))
def test_last_is_last_and_nothing_is_better_than_best(points):
    assert counting_attempt("last", points) == sorted(points)[-1]
    best = counting_attempt("best", points)
    assert all(points[best] > points[one] or (points[best] == points[one] and best >= one) for one in points)


# -- what a student sees before the deadline ------------------------------------------------------------------------


HIDDEN_CELL = "assert a == 1\n### BEGIN HIDDEN TESTS\nassert a == 2, 'secret'\n### END HIDDEN TESTS\nassert a == 3"


def receipt_in(traceback, status=results.Status.FAIL, message="secret"):
    grading = {"grade": True, "solution": False, "grade_id": "a-test", "points": 3, "locked": True, "task": False}
    error = {"output_type": "error", "ename": "AssertionError", "evalue": "secret", "traceback": ["secret"]}
    cell = {
        "cell_type": "code",
        "id": "a",
        "metadata": {"nbgrader": grading},
        "source": HIDDEN_CELL,
        "outputs": [error],
        "execution_count": 1,
    }
    notebook = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    points = 1.0 if status is results.Status.PARTIAL else 0.0
    receipt = results.Receipt("a-test", status, points, 3.0, message, traceback)
    shown = without_hidden_messages(
        results.SubmissionResult("ada", EXERCISE, (receipt,), notebook=notebook, log="secret")
    )
    assert shown.log == ""
    said = shown.receipts[0].message
    outputs = json.loads(shown.notebook)["cells"][0]["outputs"]
    assert bool(outputs) == (said == message), "page and table say the same"
    return said


def frames(*lines, first="Traceback (most recent call last):"):
    return "\n".join([first, *(f'  File "<test a-test>", line {line}, in <module>' for line in lines), "Error: x"])


def test_a_message_is_shown_only_if_every_line_behind_it_is_visible():
    assert receipt_in(frames(1)) == "secret"
    assert receipt_in(frames(5)) == "secret"
    assert receipt_in(frames(3)) == WITHHELD
    assert receipt_in(frames(1, 3)) == WITHHELD, "a visible function that a hidden line called"
    assert receipt_in("") == WITHHELD
    assert receipt_in(frames()) == WITHHELD, "no line is known"
    assert receipt_in(frames(1, first="...")) == WITHHELD, "a traceback that was cut"
    # A student's exception may look like a traceback; the line that raised it stands before.
    assert receipt_in(frames(3) + '\n  File "<test a-test>", line 1, in <module>') == WITHHELD
    assert receipt_in("", results.Status.TIMEOUT, "It took too long.") == "It took too long."
    assert receipt_in("", results.Status.PARTIAL, "1 of 3 points for this test.") == "1 of 3 points for this test."


def test_degrees_grow_and_the_deadline_of_each_student_opens_everything(small, clock):
    small.release(due=NOON + HOUR, feedback_before_deadline="none")
    exchange_store.extend(small.folder, EXERCISE, "emmy", NOON + 3 * HOUR)
    for student in ("ada", "emmy"):
        small.submit(student, mean=1)
    said = small.watch()
    assert sum("points in" in line for line in said) == 2
    assert small.feedback("ada") is None and small.points() == {"ada": 3, "emmy": 3}

    small.release(feedback_before_deadline="mark")
    small.watch()
    mark = small.feedback("ada").mark
    assert (mark["points"], mark["maximum"], mark["degree"]) == (3, 14, "mark") and "questions" not in mark
    assert small.feedback("ada").page is None

    small.release(feedback_before_deadline="visible tests")
    small.watch()
    assert {one["question"]: one["points"] for one in small.feedback("ada").mark["questions"]} == {
        "mean-test": 1,
        "fraction-test": 2,
        "median-answer": 0,
        "sketch-task": 0,
    }
    assert "Messages of tests that you do not see come after the deadline" in small.page("ada")

    clock["now"] = NOON + 2 * HOUR
    small.watch()
    assert small.feedback("ada").mark["degree"] == "full" and "do not see" not in small.page("ada")
    assert small.feedback("emmy").mark["degree"] == "visible tests", "an extension holds for feedback as well"
    # Nothing is taken back, and what is published is not published again.
    small.release(feedback_before_deadline="none")
    small.watch()
    assert small.feedback("emmy").mark["degree"] == "visible tests"
    assert small.entries("published").count(("ada", 1)) == 3
    assert sorted(small.graded) == ["ada 1", "emmy 1"]


# -- what counts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("counts", "expected"), [("last", (3, 1)), ("best", (2, 5))])
def test_the_attempt_that_counts_is_in_folders_and_gradebook(small, clock, counts, expected):
    small.release(due=NOON + 9 * HOUR, counts=counts)
    for number, mean in enumerate((1, 3, 0, 9)):
        if mean < 9:
            small.submit("ada", when=NOON + number * HOUR, mean=mean, fraction=2 if mean else 1)
    small.submit("emmy", mean=2)
    small.watch(jobs=2)
    number, points = expected
    assert sorted(small.graded) == ["ada 1", "ada 2", "ada 3", "emmy 1"], "bringing one back is no grading"
    assert small.points() == {"ada": points, "emmy": 4}
    assert small.rows()["ada"][0] == (NOON + (number - 1) * HOUR).replace(tzinfo=None)
    for step in ("submitted", "autograded"):
        held = json.loads((small.folder / step / "ada" / EXERCISE / f"{EXERCISE}.ipynb").read_text())
        assert held["metadata"]["number"] == number
    state = exchange_store.student_state(small.folder, EXERCISE, "ada", when=clock["now"])
    assert state.counting.attempt == number and state.mark["points"] == points
    assert [small.feedback("ada", n).mark["points"] for n in (1, 2, 3)] == [3, 5, 1]
    # Another rule brings another attempt, and nothing is graded for it; 'course grade' finds everything done.
    small.release(counts={"last": "best", "best": "last"}[counts])
    small.watch()
    assert small.points() == {"ada": 6 - points, "emmy": 4} and len(small.graded) == 4
    marks = small.classroom.grade_all(EXERCISE, allow_weaker=True)
    assert {mark.status for mark in marks} == {"unchanged"}


def test_a_late_attempt_pays_and_an_extension_given_afterwards_pays_back(small, clock):
    small.release(due=NOON, counts="best")
    small.submit("ada", when=NOON - HOUR, mean=1, fraction=1)
    small.submit("ada", when=NOON + HOUR, mean=3, fraction=0)
    small.submit("emmy", when=NOON + HOUR)
    small.submit("lise", when=NOON + HOUR)
    exchange_store.extend(small.folder, EXERCISE, "lise", NOON + 2 * HOUR)
    clock["now"] = NOON + 3 * HOUR
    small.watch()
    rows = small.rows()
    assert {student: row[1] or 0 for student, row in rows.items()} == {"ada": 0, "emmy": 2.5, "lise": 0}
    assert rows["ada"][0] == (NOON - HOUR).replace(tzinfo=None), "2 points in time are better than half of 3"
    assert small.feedback("ada", 2).mark["points"] == 1.5
    assert "because it came late" in small.page("emmy")
    # nbgrader's own reckoning sees deadline and extension, which are the exchange's.
    with small.classroom.gradebook() as gradebook:
        late = {one.student.id: one.total_seconds_late for one in gradebook.find_assignment(EXERCISE).submissions}
    assert late == {"ada": 0, "emmy": 3600, "lise": 0}

    exchange_store.extend(small.folder, EXERCISE, "emmy", NOON + 2 * HOUR)
    export.write(small.classroom, "csv", small.folder / "marks.csv")
    with (small.folder / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        marks = {row["student_id"]: (row["points"], row["late_penalty"], row["due"]) for row in csv.DictReader(file)}
    assert marks["emmy"][1:] == ("0", "2026-11-02 14:00:00"), "also without a watch"
    assert marks["ada"][2] == "2026-11-02 12:00:00"
    small.watch()
    assert not small.rows()["emmy"][1] and small.feedback("emmy").mark["points"] == 5
    assert "because it came late" not in small.page("emmy")
    # In time, the second attempt is the better one.
    exchange_store.extend(small.folder, EXERCISE, "ada", NOON + 2 * HOUR)
    assert "ex01_1 ada attempt 2 counts now" in small.watch()
    assert small.rows()["ada"][:2] == ((NOON + HOUR).replace(tzinfo=None), None)
    assert small.feedback("ada", 2).mark["points"] == 3 and small.watch() == []
    assert len(small.graded) == 4, "none of this is graded again"


def test_what_is_over_the_limit_is_told_and_not_graded(small, clock):
    for hour in range(3):
        small.release()
        small.submit("ada", when=NOON + hour * HOUR)
    small.release(attempts=2)
    assert any("Attempt 3 was not graded: 2 is the most" in line for line in small.watch())
    assert small.graded == ["ada 1", "ada 2"] and small.entries("refused") == [("ada", 3)]
    assert "Attempt 3 was not graded" in small.page("ada", 3) and small.feedback("ada", 3).mark["points"] == 0
    small.release(attempts=3)
    assert not any("ada" in line for line in small.watch()), "what was told stays"


# -- nothing stops it -----------------------------------------------------------------------------------------------


def test_killed_behind_every_step_it_ends_as_if_undisturbed(small, tmp_path):
    small.release(due=NOON + HOUR, counts="best", attempts=3)
    for student in ("ada", "emmy"):
        for number, mean in enumerate((2, 3, 1)):
            small.submit(student, when=NOON + number * datetime.timedelta(minutes=1), mean=mean)
    paper = small.folder / "submitted" / "paper" / EXERCISE
    paper.mkdir(parents=True)
    (paper / f"{EXERCISE}.ipynb").write_bytes(small.notebook())
    undisturbed = Class(Path(shutil.copytree(small.folder, tmp_path / "undisturbed")), tmp_path / "graded.undisturbed")
    kills = watch_driver.run_and_kill(undisturbed.folder, small.folder, small.log)
    assert kills > 10, "each kind of step was the last one once"
    assert sorted(small.graded) == sorted(undisturbed.graded) and len(small.graded) == 7
    assert small.rows() == undisturbed.rows()
    assert set(small.points().values()) == {5}
    assert sorted(small.entries("graded")) == sorted(undisturbed.entries("graded"))
    files = [
        sorted(str(path.relative_to(one.folder)) for path in one.folder.rglob("*") if "incoming" not in path.parts)
        for one in (small, undisturbed)
    ]
    assert files[0] == files[1]
    for path in sorted((small.folder / "exchange" / "feedback").rglob("*.*")):
        assert path.read_bytes() == (undisturbed.folder / path.relative_to(small.folder)).read_bytes(), path


def test_one_bad_thing_stops_nothing(small, monkeypatch):
    small.release()
    for student in ("ada", "emmy", "lise", "mary"):
        small.submit(student)
    monkeypatch.setattr(watch_driver.Workers, "faults", {"ada": 1, "emmy": 99})
    receipt = small.folder / "exchange" / "submissions" / EXERCISE / "lise" / "0001" / "receipt.json"
    whole = receipt.read_text()
    receipt.write_text(whole[:20])
    notebook = receipt.parent.parent.parent / "mary" / "0001" / f"{EXERCISE}.ipynb"
    notebook.write_bytes(notebook.read_bytes() + b" ")
    with Watch(small.classroom, allow_weaker=True, jobs=2) as one:
        one.run(once=True)
        assert one.failed == 2 and one.status.graded == 1
    assert small.graded == ["ada 1"], "a worker that dies once costs nothing"
    status = json.loads((small.folder / "exchange" / "watch.json").read_text())
    assert status["alive"] is False and status["graded"] == 1 and status["waiting"] == 2 and status["error"]
    assert small.feedback("emmy") is None, "it will be tried again"
    # Mended, the next watch takes them.
    receipt.write_text(whole)
    notebook.write_bytes(notebook.read_bytes()[:-1])
    monkeypatch.setattr(watch_driver.Workers, "faults", {})
    small.watch()
    assert sorted(small.graded) == ["ada 1", "emmy 1", "lise 1", "mary 1"]
    assert small.points() == dict.fromkeys(("ada", "emmy", "lise", "mary"), 5)


def test_a_second_watch_is_refused_and_another_run_is_waited_for(small):
    small.release()
    small.submit("ada")
    with (
        Watch(small.classroom, allow_weaker=True),
        pytest.raises(CourseError, match="Another watch looks after this class"),
    ):
        small.watch()
    records = small.folder / "grading" / EXERCISE
    with Watch(small.classroom, allow_weaker=True) as one:
        other = Journal(records / "journal.jsonl")
        one._look(settled=True)
        one._begin_waiting()
        assert "Another run is grading" in one.status.error and one._ready() == [Attempt(EXERCISE, "ada", 1)]
        other.__exit__()
        one.run(once=True)
    assert small.graded == ["ada 1"]
    with Journal(records / "journal.jsonl"):
        pass  # nothing in work: others may grade


def test_after_a_signal_the_present_attempt_is_finished_and_no_other_begun(small):
    small.release()
    for student in ("ada", "emmy", "lise"):
        small.submit(student)

    def stop(line):
        one.stopping = True

    with Watch(small.classroom, allow_weaker=True, on_graded=stop) as one:
        one.run()
    assert small.graded == ["ada 1"] and small.feedback("ada").mark["points"] == 5
    small.watch()
    assert small.graded == ["ada 1", "emmy 1", "lise 1"]


def test_folders_without_an_exchange_are_graded_when_they_rest(small):
    place = small.folder / "submitted" / "paper" / EXERCISE
    place.mkdir(parents=True)
    (place / f"{EXERCISE}.ipynb").write_bytes(small.notebook(number=1, mean=1))
    with Watch(small.classroom, allow_weaker=True) as one:
        one._look(settled=False)
        assert one._ready() == [], "it may still be copied"
        (place / "data.csv").write_text("1")
        one._look(settled=False)
        assert one._ready() == []
        one._look(settled=False)
        assert one._ready() == [Attempt(EXERCISE, "paper", 0)]
        one.run(once=True)
    page = small.folder / "feedback" / "paper" / EXERCISE / f"{EXERCISE}.html"
    assert "3 of 14" in page.read_text() and small.points() == {"paper": 3}
    assert small.watch() == [], "known"
    (place / f"{EXERCISE}.ipynb").write_bytes(small.notebook(number=2, mean=2))
    small.watch()
    assert small.graded == ["paper 1", "paper 2"] and "4 of 14" in page.read_text()


def test_a_broken_class_is_one_clear_error(small, tmp_path):
    with pytest.raises(CourseError, match="is not a class"):
        Classroom(tmp_path / "nowhere")
    with pytest.raises(CourseError, match="--jobs must be at least 1, not 0"):
        Watch(small.classroom, jobs=0)
    with Watch(small.classroom, allow_weaker=True) as one, pytest.raises(CourseError, match="--poll must be"):
        one.run(poll_s=0)
    (small.folder / "gradebook.db").write_bytes(b"no database" * 1000)
    with pytest.raises(CourseError, match=r"gradebook .* cannot be used"):
        small.watch()


# -- the command, with the real engine ------------------------------------------------------------------------------


def start_command(folder, log):
    environment = os.environ | {"COURSE_ASSIGNMENTS_DIR": str(TOY)}
    command = [sys.executable, "-m", "autograder.cli", "watch", str(folder), "--poll", "0.2", "--allow-weaker"]
    return subprocess.Popen(command, stdout=log, stderr=log, env=environment)


def wait_until(condition, process, log):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def has_begun(folder):
    """Whether a watch grades something, or has graded it already."""
    path = folder / "exchange" / "watch.json"
    status = json.loads(path.read_text()) if path.is_file() else {"grading": [], "graded": 0}
    return status["grading"] or status["graded"]


def test_the_command_grades_survives_kill_9_and_ends_at_sigterm(template, tmp_path):
    one = Class(Path(shutil.copytree(template.folder, tmp_path / "class")), tmp_path / "unused")
    one.release(due=exchange_store.now() + 9 * HOUR)
    slow = {"mean-answer": "import time\ntime.sleep(3)\n" + RIGHT["mean-answer"]}
    constant = {"mean-answer": "def mean(numbers):\n    return 2"}
    when = exchange_store.now() - HOUR
    one.submit("ada", when=when, answers=slow | FRACTION)
    one.submit("emmy", when=when + HOUR / 2, answers=constant | FRACTION)
    log = tmp_path / "log"
    with log.open("w") as file:
        process = start_command(one.folder, file)
        wait_until(lambda: has_begun(one.folder), process, log)
        process.kill()
        process.wait()
        process = start_command(one.folder, file)
        try:
            wait_until(lambda: one.feedback("ada") and one.feedback("emmy"), process, log)
            # It arrives while the watch lives.
            one.submit("ada", when=when + HOUR / 2, answers={"mean-answer": "def mean(n):\n    return 1"} | FRACTION)
            wait_until(lambda: one.feedback("ada", 2), process, log)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=PATIENCE_S) == 0, log.read_text()
        finally:
            process.kill()
            process.wait()
    assert sorted(one.entries("graded")) == [("ada", 1), ("ada", 2), ("emmy", 1)]
    assert "Ended: " in log.read_text()
    assert json.loads((one.folder / "exchange" / "watch.json").read_text())["alive"] is False
    assert one.points() == {"ada": 2, "emmy": 2} and one.feedback("ada").mark["points"] == 5
    # The visible test of emmy's answer is right, the hidden one is not; the one of ada's second attempt is wrong.
    assert WITHHELD in one.page("emmy") and "another mean" not in one.page("emmy")
    assert "the mean of 1, 2, 3 is 2" in one.page("ada", 2) and WITHHELD not in one.page("ada", 2)
    for page in (one.page("emmy"), one.page("ada", 1), one.page("ada", 2)):
        assert "3.875" not in page and "isclose" not in page and "HIDDEN" not in page
