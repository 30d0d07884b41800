"""A run loses nothing: killed, out of space, with dying workers and hostile submissions among honest ones."""

import contextlib
import copy
import dataclasses
import errno
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import grading_run_driver
import nbformat
import psutil
import pytest

from autograder import grading_run
from autograder.classroom import Classroom, new_class
from autograder.drop_in import GradingEngine
from autograder.errors import CourseError
from autograder.gradebook_writer import GradebookWriter
from autograder.grading_run import (
    DaskWorkers,
    Exercise,
    Graded,
    GradingRun,
    Journal,
    Outcome,
    OwnProcesses,
    Submission,
    read_record,
    server_preload,
    server_profile,
    warm_server_for,
    write_whole,
)
from autograder.repair import Collected
from autograder.results import Receipt, Repair, Status, SubmissionResult
from autograder.warm_server import WarmServer

TOY = Path(__file__).parent / "toy_assignments"
EXERCISE = "ex01_1"
PATIENCE_S = 300


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


def released(classroom, step="release"):
    return json.loads((classroom.folder / step / EXERCISE / f"{EXERCISE}.ipynb").read_text())


def cell(content, grade_id):
    return next(c for c in content["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)


def answered(classroom, mean="def mean(numbers):\n    return sum(numbers) / len(numbers)", fraction="fraction = float"):
    content = released(classroom)
    cell(content, "mean-answer")["source"] = mean
    cell(content, "fraction-answer")["source"] = fraction
    return content


def hand_in(classroom, student, content):
    place = classroom.folder / "submitted" / student / EXERCISE
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{EXERCISE}.ipynb").write_text(content if isinstance(content, str) else json.dumps(content))


def rows(classroom):
    with classroom.gradebook() as gradebook:
        return {
            submission.student.id: sorted(
                (grade.name, grade.auto_score, grade.manual_score, grade.needs_manual_grade)
                for grade in submission.notebooks[0].grades
            )
            for submission in gradebook.find_assignment(EXERCISE).submissions
        }


# -- the run, with workers that do at once what the test says -------------------------------------------------------


class Workers:
    """Answers with right results; `faults` says how often a student's worker dies."""

    def __init__(self, assignment, faults=None, capacity=2):
        self.assignment, self.faults, self.capacity = assignment, dict(faults or {}), capacity
        self.waiting, self.seen = [], []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    @property
    def n_running(self):
        return len(self.waiting)

    def submit(self, submission, *, alone=False):
        assert len(self.waiting) < self.capacity
        assert alone == (submission.student in self.seen), "the second try is alone, the first is not"
        self.waiting.append(submission)
        self.seen.append(submission.student)

    def wait(self, timeout_s):
        submission = self.waiting.pop(0)
        if self.faults.get(submission.student, 0) > 0:
            self.faults[submission.student] -= 1
            return [Outcome(submission.student, fault="it died")]
        return [Outcome(submission.student, record=self.result(submission).to_json())]

    def result(self, submission):
        receipts = (Receipt("mean-test", Status.PASS, 3.0, 3.0), Receipt("fraction-test", Status.PASS, 2.0, 2.0))
        if "hang" in submission.student:
            receipts = (Receipt("mean-test", Status.TIMEOUT, 0.0, 3.0, "It took too long."), receipts[1])
        notebook = nbformat.writes(self.assignment.notebook)
        return SubmissionResult(
            submission.student, EXERCISE, receipts, notebook=notebook, wall_s=1.0, fingerprint=submission.fingerprint
        )


class Class:
    """A class with students a, b, c ... and a run over it, one call a line."""

    def __init__(self, classroom, students):
        self.classroom, self.students = classroom, list(students)
        for number, student in enumerate(self.students):
            hand_in(classroom, student, answered(classroom) | {"metadata": {"filler": "x" * number * 10}})
        self.records = classroom.folder / "grading" / EXERCISE

    def grade(self, regrade="changed", db_url=None, limits=None, **options):
        settings = GradingEngine(config=self.classroom._configuration).exercise_settings(allow_weaker=True)
        if limits:
            settings["limits"] = dataclasses.replace(settings["limits"], **limits)
        with GradebookWriter(self.classroom._course(self.classroom.folder), {}, db_url=db_url) as writer:
            assignment = writer.assignment(EXERCISE)
            self.workers = Workers(assignment, **options)
            exercise = Exercise.of(assignment, **settings)
            self.run = GradingRun(writer, assignment, self.records, exercise, lambda: self.workers)
            return self.run.grade(self.students, regrade=regrade)

    def entries(self, event="graded"):
        with Journal(self.records / "journal.jsonl") as journal:
            return [entry["student"] for entry in journal.entries if entry["event"] == event]


@pytest.fixture
def small(classroom):
    return Class(classroom, "abcd")


def test_everybody_is_graded_once_and_what_did_not_change_is_skipped(small):
    graded = small.grade()
    assert {student: one.points for student, one in graded.items()} == dict.fromkeys("abcd", 5.0)
    assert small.workers.seen == list("dcba"), "the largest first, while nothing is known"
    assert all(one.unchanged for one in small.grade().values()) and small.workers.seen == []
    hand_in(small.classroom, "b", answered(small.classroom, mean="mean = sum"))
    assert [student for student, one in small.grade().items() if not one.unchanged] == ["b"]
    assert sorted(small.entries()) == ["a", "b", "b", "c", "d"]
    small.grade(regrade="all")
    assert sorted(small.workers.seen) == list("abcd")


def test_other_limits_tests_files_or_engine_grade_again(small, monkeypatch):
    small.grade()
    small.grade(limits={"cpu_s": 17})
    assert sorted(small.workers.seen) == list("abcd")
    (small.classroom.folder / "source" / EXERCISE / "data.csv").write_text("1")
    small.grade(limits={"cpu_s": 17})
    assert sorted(small.workers.seen) == list("abcd")
    (small.classroom.folder / "submitted" / "c" / EXERCISE / "own.csv").write_text("1")
    small.grade(limits={"cpu_s": 17})
    assert small.workers.seen == ["c"]
    monkeypatch.setattr(grading_run, "_packages", lambda: b"other packages")
    small.grade(limits={"cpu_s": 17})
    assert sorted(small.workers.seen) == list("abcd")


def test_a_worker_that_dies_once_costs_nothing_and_twice_one_submission(small):
    graded = small.grade(faults={"b": 1, "c": 99})
    assert small.workers.seen.count("b") == 2 and small.workers.seen.count("c") == 2
    assert {student: one.points for student, one in graded.items()} == {"a": 5, "b": 5, "c": 0, "d": 5}
    record = read_record(small.records / "c.json")
    assert record.reason == "not graded" and record.log == "it died" and record.maximum == 5
    assert rows(small.classroom).keys() == set("abcd")
    # It says nothing about the answer: the next run tries again without being asked.
    assert small.grade()["c"].points == 5 and small.workers.seen == [
        "c",
    ]


def test_regrade_failed_takes_what_did_not_end(classroom):
    small = Class(classroom, ["a", "b", "hang"])
    small.grade()
    small.grade()
    assert small.workers.seen == []
    small.grade(regrade="failed")
    assert small.workers.seen == ["hang"]


def test_the_longest_goes_first_when_it_is_known(small, monkeypatch):
    monkeypatch.setattr(Workers, "result", _with_wall_times({"a": 3.0, "b": 50.0, "c": 1.0, "d": 7.0}))
    small.grade()
    small.grade(regrade="all")
    assert small.workers.seen == list("bdac")
    assert small.run.progress.done == small.run.progress.total == 4 and not small.run.progress.running


def _with_wall_times(wall_s):
    original = Workers.result
    return lambda self, submission: dataclasses.replace(original(self, submission), wall_s=wall_s[submission.student])


@pytest.mark.parametrize("moment", range(1, 13))
def test_a_full_disk_stops_the_run_and_loses_nothing(small, monkeypatch, moment):
    """The moment-th fsync fails, which is where a full disk shows."""
    calls = 0
    fsync = os.fsync

    def full(descriptor):
        nonlocal calls
        calls += 1
        if calls >= moment:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(grading_run.os, "fsync", full)
        with pytest.raises(CourseError, match=r"No space left on device.*the same command goes on"):
            small.grade()
    done = set(rows(small.classroom))
    whole = {"journal.jsonl", ".release.json", *(f"{student}.json" for student in "abcd")}
    assert set(os.listdir(small.records)) <= whole
    small.grade()
    assert set(small.workers.seen).isdisjoint(done), "what is in the gradebook is not graded again"
    assert {student: one.points for student, one in small.run.graded.items()} == dict.fromkeys("abcd", 5.0)
    assert rows(small.classroom).keys() == set("abcd")


def test_a_torn_line_counts_as_never_written(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.append(event="graded", student="a")
    with path.open("ab") as file:
        file.write(b'{"event": "graded", "stud')
    for expected in (["a"], ["a", "b"]):
        with Journal(path) as journal:
            assert [entry["student"] for entry in journal.entries] == expected
            journal.append(event="graded", student="b")
    with Journal(path) as journal:
        assert [entry["student"] for entry in journal.entries] == ["a", "b", "b"]


def test_a_partial_write_is_torn_too(tmp_path, monkeypatch):
    with Journal(tmp_path / "journal.jsonl") as journal:
        write = os.write
        with monkeypatch.context() as patch:
            patch.setattr(grading_run.os, "write", lambda descriptor, data: write(descriptor, data[:7]))
            with pytest.raises(OSError, match="No space"):
                journal.append(event="graded", student="a")
        journal.append(event="graded", student="b")
    with Journal(tmp_path / "journal.jsonl") as journal:
        assert [entry["student"] for entry in journal.entries] == ["b"]


def test_two_runs_do_not_mix(small):
    small.grade()
    with Journal(small.records / "journal.jsonl"), pytest.raises(CourseError, match="Another run is grading"):
        small.grade()


def test_killed_between_record_and_journal_it_is_not_graded_again(small):
    small.grade()
    lines = (small.records / "journal.jsonl").read_text().splitlines(keepends=True)
    (small.records / "journal.jsonl").write_text("".join(lines[:3]) + lines[3][:20])
    small.grade()
    assert small.workers.seen == []
    assert sorted(small.entries()) == list("abcd") and sorted(small.entries("in gradebook")) == list("abcd")


def test_a_lost_gradebook_or_folder_is_written_again_without_grading(small, tmp_path):
    small.grade()
    before = rows(small.classroom)
    with small.classroom.gradebook() as gradebook:
        gradebook.remove_submission(EXERCISE, "a")
    shutil.rmtree(small.classroom.folder / "autograded" / "b")
    small.grade()
    assert small.workers.seen == [] and rows(small.classroom) == before
    assert (small.classroom.folder / "autograded" / "b" / EXERCISE / f"{EXERCISE}.ipynb").is_file()
    # Another gradebook gets everything, without grading.
    small.grade(db_url=f"sqlite:///{tmp_path}/other.db")
    assert small.workers.seen == []
    with GradebookWriter(
        small.classroom._course(small.classroom.folder), {}, db_url=f"sqlite:///{tmp_path}/other.db"
    ) as writer:
        assert writer.present(writer.assignment(EXERCISE)) == set("abcd")


def test_a_damaged_record_is_graded_again(small):
    small.grade()
    (small.records / "a.json").unlink()
    (small.records / "journal.jsonl").unlink()
    (small.records / "b.json").write_text('{"student": "b"')
    small.grade()
    assert sorted(small.workers.seen) == ["a", "b"]


def test_ctrl_c_keeps_what_is_graded(small, monkeypatch):
    wait = Workers.wait

    def interrupt(self, timeout_s):
        if len(self.seen) > 3:
            raise KeyboardInterrupt
        return wait(self, timeout_s)

    monkeypatch.setattr(Workers, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        small.grade()
    assert set(small.run.graded) == set(rows(small.classroom)) == set("dc")
    monkeypatch.setattr(Workers, "wait", wait)
    small.grade()
    assert sorted(small.workers.seen) == ["a", "b"]


def test_a_link_in_place_of_the_folder_is_not_followed(small):
    folder = small.classroom.folder / "submitted"
    (folder / "eve").mkdir()
    (folder / "eve" / EXERCISE).symlink_to(folder / "a" / EXERCISE)
    small.students.append("eve")
    small.grade()
    collected = small.run._read("eve").collected
    assert collected.notebooks == {} and "links are not followed" in collected.repairs[0].words


def test_no_process_of_ours_compiles_a_grammar_of_web_addresses():
    """Importing jsonschema does so where the packages of its formats are installed: a second for each process."""
    code = "import autograder.grading_run, sys; print({'jsonschema', 'lark'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "{'jsonschema'}\n"


def test_a_submission_crosses_the_pipe_unchanged():
    files = {"data/numbers.csv": b"\x00\xff" * 10, "empty": b""}
    repairs = (Repair("renamed", "", "Ünal's words."),)
    submission = Submission("[a-z]* ü", Collected({"x.ipynb": b"{}", "y.ipynb": b""}, files, repairs), "abc")
    messages = list(submission.to_messages(server="there"))
    received, head = Submission.from_messages(iter(messages).__next__)
    assert received == submission and head["server"] == "there"


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    path = tmp_path / "ada.json"
    write_whole(path, "old")
    with monkeypatch.context() as patch:
        patch.setattr(grading_run.os, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
        with pytest.raises(OSError, match="full"):
            write_whole(path, "new")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_an_entry_of_the_journal_says_what_the_record_says():
    receipts = (Receipt("mean-test", Status.MEMORY, 0.0, 3.0, "Too much memory."),)
    result = SubmissionResult("ada", EXERCISE, receipts, (Repair("renamed", "", "Renamed."),), fingerprint="f")
    graded = Graded.of(result)
    assert graded.notes == ("mean-test: memory, Too much memory.", "Renamed.")
    entry = json.loads(json.dumps(dataclasses.asdict(graded)))
    assert Graded.from_entry(entry) == dataclasses.replace(graded, unchanged=True)
    assert Graded.from_entry({"student": "ada"}) is None


# -- the real engine ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def real_exercise(classroom):
    settings = GradingEngine(config=classroom._configuration).exercise_settings(allow_weaker=True)
    with GradebookWriter(classroom._course(classroom.folder), classroom._configuration) as writer:
        assignment = writer.assignment(EXERCISE)
        yield assignment, Exercise.of(assignment, **settings)


def submission(student, content):
    return Submission(student, Collected({f"{EXERCISE}.ipynb": json.dumps(content).encode()}), "f")


def outcomes_of(workers, n):
    found = []
    deadline = time.monotonic() + PATIENCE_S
    while len(found) < n and time.monotonic() < deadline:
        found += workers.wait(1.0)
    return {one.student: one for one in found}


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


#: Gives its process another name while the last test asks it, and does not come back.
STUCK = """
def fraction():
    import ctypes, time
    ctypes.CDLL(None).prctl(15, b"in last test", 0, 0, 0)
    time.sleep(1000)
"""


def in_last_test(server):
    """Processes of a server in which `STUCK` is asked."""
    return [one for one in server.children(recursive=True) if one.name() == "in last test"]


def test_a_killed_worker_or_server_is_told_and_replaced_and_nothing_of_it_is_left(classroom):
    stuck = answered(classroom, fraction=STUCK)
    with real_exercise(classroom) as (_, exercise), OwnProcesses(exercise, 2) as workers:
        workers.submit(submission("worker", stuck))
        server = psutil.Process(workers._server.pid)
        wait_until(lambda: in_last_test(server))
        sandboxed = in_last_test(server)
        psutil.Process(workers._busy["worker"]._process.pid).kill()
        assert outcomes_of(workers, 1)["worker"].fault.startswith("The worker process died.")
        assert psutil.wait_procs(sandboxed, timeout=PATIENCE_S)[1] == []

        # With the server all that it had forked is gone. No test may look failed or killed for that.
        for student in ("left", "right"):
            workers.submit(submission(student, stuck))
        wait_until(lambda: len(in_last_test(server)) == 2)
        sandboxed = in_last_test(server)
        server.kill()
        outcomes = outcomes_of(workers, 2)
        assert psutil.wait_procs(sandboxed, timeout=PATIENCE_S)[1] == []
        assert all("The warm server ended" in one.fault and not one.record for one in outcomes.values())
        # The next ones have another, and a second try one of its own.
        for student, alone in (("next", False), ("left", True)):
            workers.submit(submission(student, answered(classroom)), alone=alone)
        for outcome in outcomes_of(workers, 2).values():
            record = SubmissionResult.from_json(outcome.record)
            assert record.points == 5 - 2 and record.waiting == 5
        assert workers._server.pid != server.pid and workers._retired == []


def test_a_server_that_must_not_fork_any_more_is_replaced_and_what_it_forked_goes_on(classroom, tmp_path):
    signal = tmp_path / "signal"
    with real_exercise(classroom) as (assignment, exercise), OwnProcesses(exercise, 2) as workers:
        profile, environment = server_profile(assignment.notebook)
        workers._server = refusing = WarmServer(
            profile,
            environment=environment | {"COURSE_TEST_SIGNAL": str(signal)},
            preload=(*server_preload(assignment.notebook), "warm_server_late_thread"),
            search_path=(Path(__file__).parent,),
        )
        server = psutil.Process(refusing.pid)
        workers.submit(submission("stuck", answered(classroom, fraction=STUCK)))
        wait_until(lambda: in_last_test(server))
        signal.touch()
        wait_until(signal.with_suffix(".done").exists)
        workers.submit(submission("refused", answered(classroom)))
        assert "threads instead of" in outcomes_of(workers, 1)["refused"].fault
        workers.submit(submission("next", answered(classroom)))
        assert SubmissionResult.from_json(outcomes_of(workers, 1)["next"].record).points == 5 - 2
        assert workers._retired == [refusing] and in_last_test(server)
        # Nobody needs it any more: it ends, and does not wait for the end of the run.
        psutil.Process(workers._busy["stuck"]._process.pid).kill()
        assert "worker process died" in outcomes_of(workers, 1)["stuck"].fault
        assert workers._retired == [] and not server.is_running()


def test_a_server_that_was_started_ahead_is_used_if_it_is_the_right_one(classroom):
    with real_exercise(classroom) as (assignment, exercise):
        right, wrong = warm_server_for(assignment.notebook), WarmServer("tensorflow")
        with OwnProcesses(exercise, 1, server=right) as workers:
            assert workers._server is right
        with OwnProcesses(exercise, 1, server=wrong) as workers:
            assert workers._server is not wrong and workers._server.imports == right.imports


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_marks(classroom):
    from distributed import LocalCluster

    contents = {
        "right": answered(classroom, fraction="def fraction():\n    return 1.0"),
        "wrong": answered(classroom, mean="mean = max"),
        "loop": answered(classroom, fraction="import os\nos._exit(3)"),
    }
    cluster = LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None)
    with (
        cluster,
        real_exercise(classroom) as (_, exercise),
        DaskWorkers(exercise, cluster.scheduler_address) as workers,
    ):
        assert workers.capacity == 1
        found = {}
        for student, content in contents.items():
            workers.submit(submission(student, content))
            found |= outcomes_of(workers, 1)
    results = {student: SubmissionResult.from_json(one.record) for student, one in found.items()}
    assert {student: [one.points for one in result.receipts] for student, result in results.items()} == {
        "right": [3, 2],
        "wrong": [0, 0],
        "loop": [3, 0],
    }
    assert results["loop"].reason == "kernel died"
    with pytest.raises(CourseError, match=r"No dask workers answer at 'tcp://127.0.0.1:1'.*--scheduler"):
        DaskWorkers(exercise, "tcp://127.0.0.1:1")


#: What an answer is worth, whatever is done to the notebook around it.
ANSWERS = {
    ("def mean(numbers):\n    return sum(numbers) / len(numbers)", 3),
    ("def mean(numbers):\n    return 2", 0),
    ("import statistics\nmean = statistics.fmean", 3),
    ("import os\nos._exit(3)", 0),
}
FRACTIONS = {("def fraction():\n    return 1.0", 2), ("def fraction():\n    return 0.25", 0.5), ("fraction = max", 0)}


def noisy(content, generator):
    """The same answers in a notebook that went through other hands."""
    content = copy.deepcopy(content)
    for _ in range(generator.randrange(3)):
        match generator.randrange(5):
            case 0:
                generator.shuffle(content["cells"])
            case 1:
                for one in content["cells"]:
                    one["metadata"] = {}
            case 2:
                content["cells"].insert(generator.randrange(5), copy.deepcopy(content["cells"][2]))
            case 3:
                own = {"cell_type": "code", "metadata": {}, "source": f"own = {generator.random()}", "outputs": []}
                content["cells"].insert(generator.randrange(len(content["cells"])), own | {"execution_count": None})
            case 4:
                names = [one["metadata"].get("nbgrader", {}).get("grade_id", "") for one in content["cells"]]
                pairs = zip(names, content["cells"], strict=True)
                content["cells"] = [one for name, one in pairs if not name.endswith("test")]
    return content


def a_class_of_sixty(classroom):
    """Fill a class; return the points that each student must get."""
    generator = random.Random(20)
    expected = {}
    for number in range(58):
        mean, points = generator.choice(sorted(ANSWERS))
        fraction, more = generator.choice(sorted(FRACTIONS))
        student = f"student-{number:02}"
        hand_in(classroom, student, noisy(answered(classroom, mean, fraction), generator))
        expected[student] = points + more
    hand_in(classroom, "unreadable", '{"cells": [')
    hand_in(classroom, "untouched", released(classroom))
    return expected | {"unreadable": 0, "untouched": 0}


@pytest.mark.slow
def test_killed_ten_times_the_gradebook_is_that_of_an_undisturbed_run(classroom, tmp_path):
    expected = a_class_of_sixty(classroom)
    undisturbed = Classroom(shutil.copytree(classroom.folder, tmp_path / "undisturbed"))
    marks = undisturbed.grade_all(EXERCISE, jobs=2)
    assert {mark.student: mark.points for mark in marks} == expected

    generator = random.Random(4)
    journal = classroom.folder / "grading" / EXERCISE / "journal.jsonl"
    kills = 0
    while kills < 10:
        lines = journal.read_bytes().count(b"\n") if journal.is_file() else 0
        until = lines + generator.randrange(10)
        run = grading_run_driver.start(classroom.folder, EXERCISE, generator.choice((1, 2)))
        deadline = time.monotonic() + PATIENCE_S
        while run.is_alive() and not (journal.is_file() and journal.read_bytes().count(b"\n") >= until):
            assert time.monotonic() < deadline
            time.sleep(generator.random() / 100)
        assert run.is_alive(), "ten kills must come before the end of the class"
        family = psutil.Process(run.pid).children(recursive=True)
        run.kill()
        run.join()
        kills += 1
        assert psutil.wait_procs(family, timeout=PATIENCE_S)[1] == [], "workers must not outlive the run"
    marks = classroom.grade_all(EXERCISE, jobs=2)
    assert {mark.student: mark.points for mark in marks} == expected
    assert rows(classroom) == rows(undisturbed)
    with Journal(journal) as again:
        graded = [entry["student"] for entry in again.entries if entry["event"] == "graded"]
    assert sorted(graded) == sorted(expected), "each submission has been graded once"
    folders = [
        sorted(path.relative_to(one.folder) for path in (one.folder / "autograded").rglob("*"))
        for one in (classroom, undisturbed)
    ]
    assert folders[0] == folders[1]
    assert sorted(os.listdir(journal.parent)) == sorted(os.listdir(undisturbed.folder / "grading" / EXERCISE))
