"""The store of the exchange: nothing is lost, doubled, mixed up or half written, and no name becomes a path."""

import contextlib
import dataclasses
import datetime
import errno
import hashlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder import exchange_store as store
from autograder.errors import CourseError

EXERCISE = "ex01_1"
START = datetime.datetime(2026, 11, 2, 12, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)
DAY = datetime.timedelta(days=1)


def notebook(text="1 + 1"):
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# Means and fractions", "id": "a"},
        {"cell_type": "code", "metadata": {}, "source": text, "id": "b", "outputs": [], "execution_count": None},
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


@pytest.fixture
def class_folder(tmp_path):
    path = tmp_path / "class" / "release" / EXERCISE / f"{EXERCISE}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(notebook("raise NotImplementedError()"))
    store.release(tmp_path / "class", EXERCISE)
    return tmp_path / "class"


def tree(folder):
    """All files but the locks, which hold nothing."""
    paths = (path for path in Path(folder).rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


# -- release and deadlines --------------------------------------------------------------------------------------------


def test_release_takes_its_title_from_the_notebook_and_keeps_what_is_not_given(class_folder):
    assert store.released(class_folder, EXERCISE).title == "Means and fractions"
    store.release(class_folder, EXERCISE, due=START, attempts=3)
    store.extend(class_folder, EXERCISE, "ada", START + DAY)
    again = store.release(class_folder, EXERCISE, pause_s=60, counts="best")
    assert (again.due, again.attempts, again.pause_s, again.counts) == (START, 3, 60, "best")
    assert again.extensions == {"ada": START + DAY}
    assert store.list_released(class_folder) == [again]
    assert store.release(class_folder, EXERCISE, due=None).due is None


@pytest.mark.parametrize(
    "setting",
    [
        {"attempts": 0},
        {"attempts": True},
        {"attempts": 1000},
        {"pause_s": -1},
        {"pause_s": float("nan")},
        {"counts": "first"},
        {"feedback_before_deadline": "all"},
        {"title": ""},
        {"due": START.replace(tzinfo=None)},
        {"due": "2026-12-01"},
    ],
)
def test_a_setting_that_cannot_be_is_named_and_nothing_changes(class_folder, setting):
    before = tree(class_folder)
    with pytest.raises(CourseError, match=rf"{EXERCISE}: {next(iter(setting))} must be"):
        store.release(class_folder, EXERCISE, **setting)
    assert tree(class_folder) == before


def test_what_has_no_student_version_is_not_released(class_folder):
    with pytest.raises(CourseError, match="no student version"):
        store.release(class_folder, "ex09_9")
    with pytest.raises(store.Refused, match="ex09_9 is not released"):
        store.released(class_folder, "ex09_9")


def test_a_damaged_settings_file_is_one_clear_error(class_folder):
    path = class_folder / "exchange" / "released" / f"{EXERCISE}.json"
    for damage in ("{", "[]", "{}", path.read_text().replace("null", '"soon"')):
        path.write_text(damage)
        with pytest.raises(CourseError, match=f"{EXERCISE}"):
            store.released(class_folder, EXERCISE)


def test_an_extension_moves_the_deadline_of_one_student_and_can_be_taken_back(class_folder):
    with pytest.raises(CourseError, match="no deadline"):
        store.extend(class_folder, EXERCISE, "ada", START)
    store.release(class_folder, EXERCISE, due=START)
    with pytest.raises(CourseError, match="must be later"):
        store.extend(class_folder, EXERCISE, "ada", START)
    assert store.extend(class_folder, EXERCISE, "ada", START + DAY) == START + DAY
    first = {
        student: store.receive(class_folder, EXERCISE, student, notebook(), when=START + MINUTE)
        for student in ("ada", "emmy")
    }
    late = {name: store.student_state(class_folder, EXERCISE, name).late for name in first}
    assert late == {"ada": set(), "emmy": {1}}
    assert store.extend(class_folder, EXERCISE, "ada", None) == START
    assert store.student_state(class_folder, EXERCISE, "ada").late == {1}


def test_extensions_given_at_the_same_moment_are_all_kept(class_folder):
    store.release(class_folder, EXERCISE, due=START)
    names = [f"student{number}" for number in range(12)]
    in_threads([lambda name=name: store.extend(class_folder, EXERCISE, name, START + DAY) for name in names])
    assert sorted(store.released(class_folder, EXERCISE).extensions) == sorted(names)


def test_times_are_read_as_people_write_them():
    assert store.parse_time("2026-12-01T18:00+01:00") == datetime.datetime(2026, 12, 1, 17, tzinfo=datetime.UTC)
    local = store.parse_time(" 2026-12-01 18:00 ")
    assert local.tzinfo is not None and (local.hour, local.minute) == (18, 0)
    assert store.parse_time("2026-12-01").strftime("%H:%M:%S") == "23:59:59"
    for text in ("", "soon", "2026-13-01", "12/01/2026", "0001-01-01", "9999-12-31", "1" * 1000):
        with contextlib.suppress(CourseError):
            assert store.parse_time(text).tzinfo is not None


# -- submissions ------------------------------------------------------------------------------------------------------


def test_an_attempt_is_stored_as_it_came_with_a_receipt(class_folder):
    content = notebook("answer = 42")
    receipt = store.receive(class_folder, EXERCISE, "ada", content, when=START)
    assert receipt == store.Receipt("ada", EXERCISE, 1, START, hashlib.sha256(content).hexdigest(), len(content))
    assert store.attempts(class_folder, EXERCISE, "ada") == [receipt]
    assert store.submitted_notebook(class_folder, EXERCISE, "ada", 1).read_bytes() == content
    assert store.students(class_folder, EXERCISE) == ["ada"]
    assert os.stat(class_folder / "exchange").st_mode & 0o077 == 0


def test_the_same_notebook_again_uses_no_attempt_and_the_one_before_does(class_folder):
    store.release(class_folder, EXERCISE, attempts=3, pause_s=60)
    first = store.receive(class_folder, EXERCISE, "ada", notebook("a"), when=START)
    assert store.receive(class_folder, EXERCISE, "ada", notebook("a"), when=START + MINUTE / 2) == first
    store.receive(class_folder, EXERCISE, "ada", notebook("b"), when=START + MINUTE)
    assert store.receive(class_folder, EXERCISE, "ada", notebook("a"), when=START + 2 * MINUTE).attempt == 3
    # All attempts are used, and the last one is confirmed all the same.
    assert store.receive(class_folder, EXERCISE, "ada", notebook("a"), when=START + 2 * MINUTE).attempt == 3


def test_attempts_and_pause_are_kept_to_and_the_message_says_when(class_folder):
    store.release(class_folder, EXERCISE, attempts=2, pause_s=60)
    store.receive(class_folder, EXERCISE, "ada", notebook("a"), when=START)
    with pytest.raises(store.Refused) as refused:
        store.receive(class_folder, EXERCISE, "ada", notebook("b"), when=START + MINUTE / 2)
    assert (refused.value.kind, refused.value.next_possible) == ("too early", START + MINUTE)
    assert store.time_text(START + MINUTE, seconds=True) in str(refused.value)
    store.receive(class_folder, EXERCISE, "ada", notebook("b"), when=START + MINUTE)
    before = tree(class_folder)
    with pytest.raises(store.Refused, match="All 2 attempts") as refused:
        store.receive(class_folder, EXERCISE, "ada", notebook("c"), when=START + DAY)
    assert refused.value.kind == "no attempts left"
    assert tree(class_folder) == before
    # Another student's attempts are that student's own.
    assert store.receive(class_folder, EXERCISE, "emmy", notebook("c"), when=START).attempt == 1


def in_threads(tasks):
    """Run all at once; return what they returned or raised."""
    barrier, results = threading.Barrier(len(tasks)), [None] * len(tasks)

    def work(position):
        barrier.wait()
        try:
            results[position] = tasks[position]()
        except Exception as error:
            results[position] = error

    threads = [threading.Thread(target=work, args=(position,)) for position in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_uploads_of_one_student_at_the_same_moment_are_attempts_in_order_and_none_is_lost(class_folder):
    contents = [notebook(f"answer = {number}") for number in range(8)]
    receipts = in_threads(
        [lambda content=content: store.receive(class_folder, EXERCISE, "ada", content) for content in contents]
    )
    assert sorted(receipt.attempt for receipt in receipts) == list(range(1, 9))
    stored = store.attempts(class_folder, EXERCISE, "ada")
    assert [one.received for one in stored] == sorted(one.received for one in stored)
    for content, receipt in zip(contents, receipts, strict=True):
        assert store.submitted_notebook(class_folder, EXERCISE, "ada", receipt.attempt).read_bytes() == content


def test_of_many_uploads_at_the_same_moment_only_as_many_as_allowed_are_taken(class_folder):
    store.release(class_folder, EXERCISE, attempts=3)
    contents = [notebook(f"answer = {number}") for number in range(8)]
    results = in_threads(
        [lambda content=content: store.receive(class_folder, EXERCISE, "ada", content) for content in contents]
    )
    refused = [one for one in results if isinstance(one, store.Refused)]
    assert len(refused) == 5 and {one.kind for one in refused} == {"no attempts left"}
    assert len(store.attempts(class_folder, EXERCISE, "ada")) == 3


def test_an_upload_that_began_earlier_but_waited_does_not_turn_time_back(class_folder):
    store.receive(class_folder, EXERCISE, "ada", notebook("a"), when=START)
    second = store.receive(class_folder, EXERCISE, "ada", notebook("b"), when=START - MINUTE)
    assert (second.attempt, second.received) == (2, START)


@pytest.mark.parametrize("failing", [1, 2, 3, 4])
def test_a_full_disk_is_said_and_leaves_no_half_file(class_folder, monkeypatch, failing):
    store.receive(class_folder, EXERCISE, "ada", notebook("a"))
    before, flush, calls = tree(class_folder), os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == failing:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(store.Refused, match="disk of the course is full") as refused:
            store.receive(class_folder, EXERCISE, "ada", notebook("b"))
    assert refused.value.kind == "disk full"
    # The fourth flush comes after the rename: the attempt is there as a whole, and handing in again confirms it.
    if failing < 4:
        assert tree(class_folder) == before
    assert not list((class_folder / "exchange" / "incoming").iterdir())
    assert store.receive(class_folder, EXERCISE, "ada", notebook("b")).attempt == 2


def test_the_last_of_the_disk_is_kept_for_the_gradebook(class_folder, monkeypatch):
    monkeypatch.setattr(store, "FREE_SPACE_RESERVE", 10**18)
    with pytest.raises(store.Refused, match="disk of the course is full"):
        store.receive(class_folder, EXERCISE, "ada", notebook())
    assert store.attempts(class_folder, EXERCISE, "ada") == []


def test_killed_at_any_flush_an_attempt_is_there_as_a_whole_or_not_at_all(class_folder):
    # The real thing: processes that die by kill -9 at the n-th flush to the disk. (Forked from one, to import once.)
    program = (
        "import os, sys\n"
        "from autograder import exchange_store as store\n"
        "store.check_notebook(b'{\"cells\": []}')\n"
        "for kill_at in map(int, sys.argv[2:]):\n"
        "    child = os.fork()\n"
        "    if child:\n"
        "        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9\n"
        "        print(len(store.attempts(sys.argv[1], 'ex01_1', 'ada')))\n"
        "        continue\n"
        "    flush, calls = os.fsync, []\n"
        "    def fsync(descriptor):\n"
        "        calls.append(descriptor)\n"
        "        if len(calls) == kill_at:\n"
        "            os.kill(os.getpid(), 9)\n"
        "        flush(descriptor)\n"
        "    os.fsync = fsync\n"
        "    for n in range(2):\n"
        "        store.receive(sys.argv[1], 'ex01_1', 'ada', b'{\"cells\": [], \"metadata\": {\"n\": %d}}' % n)\n"
    )
    # An attempt takes four flushes: two files, their folder, the folder of the student.
    kills = ["1", "2", "3", "4", "1", "2", "3"]
    run = subprocess.run(
        [sys.executable, "-c", program, class_folder, *kills], check=True, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout.split() == ["0", "0", "0", "1", "1", "1", "1"]
    [receipt] = store.attempts(class_folder, EXERCISE, "ada")
    content = store.submitted_notebook(class_folder, EXERCISE, "ada", 1).read_bytes()
    assert hashlib.sha256(content).hexdigest() == receipt.sha256
    assert store.receive(class_folder, EXERCISE, "ada", b'{"cells": [], "metadata": {"n": 1}}').attempt == 2
    # Half-written drafts lie aside; a service that starts removes those that nobody can be writing any more.
    drafts = list((class_folder / "exchange" / "incoming").iterdir())
    assert len(drafts) == 6
    store.clear_incoming(class_folder)
    assert len(list((class_folder / "exchange" / "incoming").iterdir())) == 6
    store.clear_incoming(class_folder, older_than_s=0)
    assert not list((class_folder / "exchange" / "incoming").iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root works on a class of somebody else")
def test_what_root_makes_belongs_to_the_owner_of_the_class(class_folder):
    owner = 54_321
    for path in (class_folder, *class_folder.rglob("*")):
        os.chown(path, owner, owner)
    store.release(class_folder, EXERCISE, due=START)
    store.extend(class_folder, EXERCISE, "ada", START + DAY)
    store.note_fetched(class_folder, EXERCISE, "ada")
    store.receive(class_folder, EXERCISE, "ada", notebook())
    store.put_feedback(class_folder, EXERCISE, "ada", 1, mark={"points": 1, "maximum": 2}, page="<p>good</p>")
    assert {(os.lstat(path).st_uid, os.lstat(path).st_gid) for path in class_folder.rglob("*")} == {(owner, owner)}


# -- names and notebooks from outside ---------------------------------------------------------------------------------

NAMES = [
    "",
    ".",
    "..",
    "../ada",
    "/etc",
    "ada/..",
    "a\0b",
    "Ada",
    "ada ",
    "ä",
    "a" * 65,
    "-rf",
    ".lock",
    "~",
    "*",
    "a\n",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_none_reaches_no_path(class_folder, name):
    before = tree(class_folder.parent)
    for action in (
        lambda: store.receive(class_folder, EXERCISE, name, notebook()),
        lambda: store.receive(class_folder, name, "ada", notebook()),
        lambda: store.release(class_folder, name),
        lambda: store.extend(class_folder, EXERCISE, name, START),
        lambda: store.note_fetched(class_folder, name, "ada"),
        lambda: store.note_fetched(class_folder, EXERCISE, name),
        lambda: store.put_feedback(class_folder, EXERCISE, name, 1, mark={"points": 1, "maximum": 1}),
        lambda: store.student_state(class_folder, EXERCISE, name),
        lambda: store.submitted_notebook(class_folder, EXERCISE, name, 1),
    ):
        with pytest.raises(store.Refused, match="is no name") as refused:
            action()
        assert refused.value.kind == "name"
    assert tree(class_folder.parent) == before


@given(st.text(max_size=70))
def test_every_accepted_name_is_one_plain_folder_name(name):
    if store.is_name(name):
        assert Path(name).name == name and name.isascii() and name == name.lower() and not name.startswith((".", "-"))
        assert "\n" not in name and os.sep not in name


@pytest.mark.parametrize(
    ("content", "kind", "word"),
    [
        (b"", "unreadable", "empty file"),
        (b"\x00\xff\xfe\x01", "unreadable", "notebook"),
        (b'{"cells": [', "unreadable", "damaged"),
        (b"[]", "unreadable", "no notebook"),
        (b'{"cells": 3}', "unreadable", "no cells"),
        (b'{"cells": [], "n": ' + b"9" * 10_000 + b"}", "unreadable", "number"),
        (b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "unreadable", "nested too deeply"),
        (b'{"cells": [], "deep": ' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"}", "unreadable", "nested too deeply"),
        (b'{"cells": [' + b"[]," * 4_000_001 + b"[]]}", "unreadable", "lists"),
        (b'{"cells": [' + b"{}," * 3_000 + b"{}]}", "unreadable", "3001 cells"),
        (b'{"cells": []}' + b" " * store.SIZE_LIMIT, "too large", "20.0 MB"),
        (b"PK\x03\x04 not a notebook but an archive", "unreadable", "notebook"),
    ],
)
def test_what_is_no_notebook_is_refused_with_the_reason(class_folder, content, kind, word):
    with pytest.raises(store.Refused, match=word) as refused:
        store.receive(class_folder, EXERCISE, "ada", content)
    assert refused.value.kind == kind
    assert store.attempts(class_folder, EXERCISE, "ada") == []


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
CELLS = st.lists(
    st.fixed_dictionaries({}, optional={"cell_type": VALUES, "source": VALUES, "metadata": VALUES, "id": VALUES})
    | VALUES,
    max_size=4,
)
NOTEBOOKS = st.builds(
    lambda cells, rest: json.dumps({**rest, "cells": cells}).encode(),
    CELLS,
    st.dictionaries(st.sampled_from(["metadata", "nbformat", "nbformat_minor", "worksheets"]), VALUES),
)


@settings(max_examples=150)
@given(st.binary(max_size=200) | NOTEBOOKS | VALUES.map(lambda value: json.dumps(value).encode()))
def test_whatever_the_bytes_are_the_answer_is_yes_or_a_reason(content):
    with contextlib.suppress(store.Refused):
        store.check_notebook(content)


# -- feedback and state -----------------------------------------------------------------------------------------------


def test_feedback_belongs_to_an_attempt_and_is_replaced_as_a_whole(class_folder):
    with pytest.raises(CourseError, match="no attempt 1"):
        store.put_feedback(class_folder, EXERCISE, "ada", 1, mark={"points": 1, "maximum": 2})
    store.receive(class_folder, EXERCISE, "ada", notebook())
    assert store.read_feedback(class_folder, EXERCISE, "ada", 1) is None
    for bad in ({}, {"points": "1", "maximum": 2}, {"points": float("nan"), "maximum": 2}, {"points": 1}):
        with pytest.raises(CourseError, match="needs a number"):
            store.put_feedback(class_folder, EXERCISE, "ada", 1, mark=bad)
    store.put_feedback(class_folder, EXERCISE, "ada", 1, mark={"points": 1, "maximum": 2}, page="<p>ö</p>")
    read = store.read_feedback(class_folder, EXERCISE, "ada", 1)
    assert read.mark == {"points": 1, "maximum": 2, "waiting": 0} and read.page.read_text() == "<p>ö</p>"
    store.put_feedback(class_folder, EXERCISE, "ada", 1, mark={"points": 2, "maximum": 2, "by": "lise"})
    read = store.read_feedback(class_folder, EXERCISE, "ada", 1)
    assert read.mark["by"] == "lise" and read.page is None


def test_the_state_follows_a_student_from_open_to_graded(class_folder):
    def state(**options):
        return store.student_state(class_folder, EXERCISE, "ada", **options)

    store.release(class_folder, EXERCISE, due=START, attempts=2, pause_s=60)
    assert (state().word, state().attempts_left, state().next_possible, state().mark) == ("open", 2, None, None)
    store.note_fetched(class_folder, EXERCISE, "ada")
    first = state().fetched
    store.note_fetched(class_folder, EXERCISE, "ada")
    assert state().word == "fetched" and state().fetched == first
    store.receive(class_folder, EXERCISE, "ada", notebook("a"), when=START)
    assert state(when=START).next_possible == START + MINUTE and state(when=START + MINUTE).next_possible is None
    assert (state().word, state().attempts_left, state().late) == ("submitted", 1, set())
    store.put_feedback(class_folder, EXERCISE, "ada", 1, mark={"points": 5, "maximum": 5})
    assert state().word == "graded" and state().mark["points"] == 5
    store.receive(class_folder, EXERCISE, "ada", notebook("b"), when=START + MINUTE)
    # The last attempt counts and has no mark yet.
    assert (state().word, state().mark, state().late, state().next_possible) == ("submitted", None, {2}, None)
    store.put_feedback(class_folder, EXERCISE, "ada", 2, mark={"points": 3, "maximum": 5})
    assert state().mark["points"] == 3 and state().attempts_left == 0


def test_which_attempt_counts_is_the_classes_choice(class_folder):
    store.release(class_folder, EXERCISE, counts="best")
    for text, points in (("a", 2), ("b", 4), ("c", 4), ("d", 1)):
        attempt = store.receive(class_folder, EXERCISE, "ada", notebook(text)).attempt
        store.put_feedback(class_folder, EXERCISE, "ada", attempt, mark={"points": points, "maximum": 5})
    assert store.student_state(class_folder, EXERCISE, "ada").counting.attempt == 3
    store.release(class_folder, EXERCISE, counts="last")
    assert store.student_state(class_folder, EXERCISE, "ada").counting.attempt == 4


def test_a_damaged_receipt_is_one_clear_error(class_folder):
    receipt = store.receive(class_folder, EXERCISE, "ada", notebook())
    path = class_folder / "exchange" / "submissions" / EXERCISE / "ada" / "0001" / "receipt.json"
    stored = json.loads(path.read_text())
    assert stored == dataclasses.asdict(receipt) | {"received": receipt.received.isoformat()}
    for damage in ("", "[]", json.dumps(stored | {"extra": 1}), json.dumps(stored | {"received": "soon"})):
        path.write_text(damage)
        with pytest.raises(CourseError, match=r"receipt\.json cannot be read"):
            store.attempts(class_folder, EXERCISE, "ada")


# -- course publish and course extend ---------------------------------------------------------------------------------


def test_the_commands_set_deadline_and_extension_and_say_what_holds(class_folder, monkeypatch, capsys):
    from autograder import cli

    def course(*arguments):
        monkeypatch.setattr(sys, "argv", ["course", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return f"{capsys.readouterr().out}{ended.value.code or ''}"

    assert "is not a class" in course("publish", class_folder, EXERCISE)
    (class_folder / "nbgrader_config.py").write_text("")
    said = course("publish", class_folder, EXERCISE, "--due", "2030-05-01T12:00+00:00", "--attempts", 3, "--pause", 60)
    due = store.released(class_folder, EXERCISE).due
    assert due == datetime.datetime(2030, 5, 1, 12, tzinfo=datetime.UTC)
    assert store.time_text(due) in said and "3 times" in said
    assert "counts must be one of last, best" in course("publish", class_folder, EXERCISE, "--counts", "worst")
    said = course("extend", class_folder, EXERCISE, "ada", "2030-05-02T12:00+00:00")
    assert store.released(class_folder, EXERCISE).due_of("ada") == due + DAY
    assert said == f"ada: the deadline is {store.time_text(due + DAY)} now.\n"
    assert "must be later" in course("extend", class_folder, EXERCISE, "ada", "2030-04-01")
    assert "is no time" in course("extend", class_folder, EXERCISE, "ada", "later")
    assert "is no name" in course("extend", class_folder, EXERCISE, "../ada", "2030-06-01")
    assert store.time_text(due) in course("extend", class_folder, EXERCISE, "ada", "none")
    settings = store.released(class_folder, EXERCISE)
    assert (settings.extensions, settings.attempts, settings.pause_s) == ({}, 3, 60)
    assert "without a deadline" in course("publish", class_folder, EXERCISE, "--due", "none")
