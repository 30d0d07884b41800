"""Repair of handed-in notebooks: what editors and hurried students do to them costs nothing, and no bytes do harm."""

import copy
import json
import os
import random
from pathlib import Path

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder import gate, problem_sets, repair
from autograder.repair import Repaired, Unreadable

TOY = Path(__file__).parent / "toy_assignments"
MEAN = "def mean(numbers):\n    return sum(numbers) / len(numbers)"
FRACTION = "def fraction():\n    return 1.0"
MEDIAN = "One wild value moves the mean anywhere, and the median hardly."


@pytest.fixture(scope="module")
def author():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_ASSIGNMENTS_DIR", str(TOY))
        source = gate.source_notebook(problem_sets.find("1.1"))
    return gate.graded_notebook(source)


@pytest.fixture(scope="module")
def answered(author):
    """A plain dictionary: the release with right answers, as a student saves it."""
    notebook = json.loads(json.dumps(author))
    for cell in notebook["cells"]:
        cell["source"] = repair.visible_source(nbformat.from_dict(cell))
        name = grade_id(cell)
        cell["source"] = {"mean-answer": MEAN, "fraction-answer": FRACTION, "median-answer": MEDIAN}.get(
            name, cell["source"]
        )
    return notebook


@pytest.fixture
def handed_in(answered):
    return copy.deepcopy(answered)


def grade_id(cell):
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


def place(notebook, name):
    return next(k for k, cell in enumerate(notebook["cells"]) if grade_id(cell) == name)


def code(source, **keys):
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None, **keys}


def repaired(author, content):
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    result = repair.repair(author, content)
    assert isinstance(result, Repaired), result
    check_form(author, result.notebook)
    return result


def check_form(author, notebook):
    """Whatever was handed in: valid, the author's cells once and in order, tests and metadata untouched."""
    nbformat.validate(notebook)
    nbformat.writes(notebook).encode()
    ids = [cell["id"] for cell in author.cells]
    assert [cell.id for cell in notebook.cells if cell.id in ids] == ids
    by_id = {cell.id: cell for cell in notebook.cells}
    assert len(by_id) == len(notebook.cells)
    for cell in author.cells:
        one = by_id[cell.id]
        assert one.metadata == cell.metadata
        assert one.cell_type == cell.cell_type or not grade_id(cell)
        if grade_id(cell) and not cell.metadata.nbgrader.solution:
            assert one.source == repair.visible_source(cell)
    for cell in notebook.cells:
        assert cell.id in ids or "nbgrader" not in cell.metadata
        assert not cell.get("outputs")


def answers(result):
    return {grade_id(cell): cell.source for cell in result.notebook.cells if grade_id(cell).endswith("answer")}


RIGHT = {"mean-answer": MEAN, "fraction-answer": FRACTION, "median-answer": MEDIAN}


def kinds(result):
    return [one.kind for one in result.repairs]


# -- what students and editors do --------------------------------------------------------------------------------


def test_a_notebook_as_released_needs_no_repair(author, handed_in):
    result = repaired(author, handed_in)
    assert result.repairs == ()
    assert answers(result) == RIGHT
    assert [cell.id for cell in result.notebook.cells] == [cell.id for cell in author.cells]
    assert "HIDDEN" not in nbformat.writes(result.notebook) and "3.875" not in nbformat.writes(result.notebook)


def test_a_deleted_test_is_put_back_and_a_deleted_answer_is_the_stub(author, handed_in):
    for name in ("mean-test", "fraction-answer"):
        del handed_in["cells"][place(handed_in, name)]
    result = repaired(author, handed_in)
    assert [(one.kind, one.grade_id) for one in result.repairs] == [
        ("restored", "mean-test"),
        ("restored", "fraction-answer"),
    ]
    assert answers(result)["fraction-answer"] == author.cells[place(author, "fraction-answer")].source
    assert "return 1.0" not in nbformat.writes(result.notebook), "the author's solution must never stand in"


def test_of_copies_the_one_that_the_student_wrote_in_counts(author, handed_in):
    stub = copy.deepcopy(author.cells[place(author, "mean-answer")])
    handed_in["cells"].append(json.loads(json.dumps(stub)))
    handed_in["cells"].insert(0, copy.deepcopy(handed_in["cells"][place(handed_in, "mean-test")]))
    result = repaired(author, handed_in)
    assert answers(result) == RIGHT
    assert sorted(kinds(result)) == ["deduplicated", "deduplicated"]
    assert len(result.notebook.cells) == len(author.cells), "an untouched copy must not overwrite the answer"


def test_of_two_tries_the_last_counts_and_the_first_runs_before_it(author, handed_in):
    where = place(handed_in, "mean-answer")
    first = copy.deepcopy(handed_in["cells"][where]) | {"source": MEAN.replace("len", "1 + len")}
    handed_in["cells"].insert(where, first)
    result = repaired(author, handed_in)
    assert answers(result) == RIGHT and kinds(result) == ["deduplicated"]
    sources = [cell.source for cell in result.notebook.cells]
    assert sources.index(first["source"]) < sources.index(MEAN)


@pytest.mark.parametrize("keeps_metadata", [True, False])
@pytest.mark.parametrize("line", [1, 2])
def test_an_answer_cut_in_two_is_joined(author, handed_in, line, keeps_metadata):
    answer = "total_weight = 3\n" + MEAN
    where = place(handed_in, "mean-answer")
    lines = answer.split("\n")
    halves = ["\n".join(lines[:line]), "\n".join(lines[line:])]
    second = copy.deepcopy(handed_in["cells"][where]) | {"source": halves[1], "id": "another"}
    second["metadata"] = second["metadata"] if keeps_metadata else {}
    handed_in["cells"][where]["source"] = halves[0]
    handed_in["cells"].insert(where + 1, second)
    result = repaired(author, handed_in)
    if line == 1 and not keeps_metadata:
        # Two whole cells of which one is a cell of the student's own: they run one after the other all the same.
        assert "\n".join(cell.source for cell in result.notebook.cells).count(MEAN) == 1
        return
    assert answers(result)["mean-answer"] == answer
    assert kinds(result) == ["rejoined"]


def test_moved_cells_are_put_back(author, handed_in):
    test = handed_in["cells"].pop(place(handed_in, "fraction-test"))
    handed_in["cells"].insert(1, test)
    result = repaired(author, handed_in)
    assert [(one.kind, one.grade_id) for one in result.repairs] == [("reordered", "fraction-test")]


@pytest.mark.parametrize("name", ["mean-answer", "median-answer", "mean-test"])
def test_a_retyped_cell_is_read_as_what_it_was(author, handed_in, name):
    cell = handed_in["cells"][place(handed_in, name)]
    source, other = cell["source"], "markdown" if cell["cell_type"] == "code" else "code"
    cell.clear()
    cell.update(cell_type=other, source=source, metadata={"nbgrader": {"grade_id": name}})
    result = repaired(author, handed_in)
    assert answers(result) == RIGHT
    assert [(one.kind, one.grade_id) for one in result.repairs] == [("retyped", name)]


def test_changed_tests_and_points_are_the_authors_again(author, handed_in):
    cell = handed_in["cells"][place(handed_in, "mean-test")]
    cell["source"] = "'I passed'"
    cell["metadata"]["nbgrader"] |= {"points": 1000, "locked": False, "solution": True}
    result = repaired(author, handed_in)
    assert [(one.kind, one.grade_id) for one in result.repairs] == [("restored", "mean-test")]


@pytest.mark.parametrize("ids", ["kept", "dropped", "in metadata"])
def test_without_any_metadata_the_answers_are_found(author, handed_in, ids):
    for cell in handed_in["cells"]:
        cell_id = cell.pop("id")
        cell["metadata"] = {"id": cell_id} if ids == "in metadata" else {}
        if ids == "kept":
            cell["id"] = cell_id
    handed_in["metadata"] = {"colab": {"provenance": []}, "kernelspec": {"name": "julia-1.9", "display_name": "J"}}
    result = repaired(author, handed_in)
    assert answers(result) == RIGHT
    assert kinds(result) == ["rematched"]
    assert result.notebook.metadata.kernelspec == author.metadata.kernelspec
    assert len(result.notebook.cells) == len(author.cells)


def test_retyped_by_hand_into_new_cells_the_answers_are_found(author, answered):
    """Everything typed anew: no ids, the tests left out, some cells of one's own."""
    cells = [new_markdown_cell("My work"), new_code_cell("import math")]
    cells += [new_code_cell("debug = True"), new_code_cell(MEAN), new_code_cell(FRACTION), new_code_cell("mean([1])")]
    for cell in cells:
        del cell["id"]
    notebook = new_notebook(cells=cells)
    result = repaired(author, notebook)
    assert {name: answers(result)[name] for name in ("mean-answer", "fraction-answer")} == {
        name: RIGHT[name] for name in ("mean-answer", "fraction-answer")
    }
    sources = [cell.source for cell in result.notebook.cells]
    assert "debug = True" in sources and "mean([1])" in sources


def test_own_cells_stay_where_they_were(author, handed_in):
    where = place(handed_in, "mean-answer")
    handed_in["cells"].insert(where, code("import statistics"))
    handed_in["cells"].insert(0, code("first = 1"))
    handed_in["cells"].append(code("last = 1"))
    result = repaired(author, handed_in)
    assert result.repairs == ()
    sources = [cell.source for cell in result.notebook.cells]
    assert sources[0] == "first = 1" and sources[-1] == "last = 1"
    assert sources.index("import statistics") == sources.index(MEAN) - 1


def test_what_a_student_changes_in_an_unlocked_cell_counts(author, handed_in):
    where = next(k for k, cell in enumerate(handed_in["cells"]) if cell["source"] == "import math")
    handed_in["cells"][where]["source"] = "import math\nimport cmath"
    assert "import math\nimport cmath" in [cell.source for cell in repaired(author, handed_in).notebook.cells]
    del handed_in["cells"][where]
    assert "import math" in [cell.source for cell in repaired(author, handed_in).notebook.cells]


def test_pictures_pasted_into_a_written_answer_stay(author, handed_in):
    cell = handed_in["cells"][place(handed_in, "median-answer")]
    cell["source"] = "![sketch](attachment:sketch.png)"
    cell["attachments"] = {"sketch.png": {"image/png": "iVBORw0KGgo="}, "x": {"text/html": "<script>"}, "y": 3}
    kept = repaired(author, handed_in).notebook
    assert kept.cells[place(kept, "median-answer")].attachments == {"sketch.png": {"image/png": "iVBORw0KGgo="}}


def test_a_name_of_another_answer_in_a_copied_cell_does_not_lose_it(author, handed_in):
    """A student copies the cell of the first answer to have a start for the second, and deletes the empty second."""
    where = place(handed_in, "fraction-answer")
    handed_in["cells"][where] = copy.deepcopy(handed_in["cells"][place(handed_in, "mean-answer")])
    handed_in["cells"][where]["source"] = FRACTION
    assert {k: v for k, v in answers(repaired(author, handed_in)).items() if k != "median-answer"} == {
        "mean-answer": MEAN,
        "fraction-answer": FRACTION,
    }


def test_every_repair_is_said_in_words(author, handed_in):
    random.Random(1).shuffle(handed_in["cells"])
    del handed_in["cells"][0]
    for one in repaired(author, handed_in).repairs:
        assert one.words.endswith(".") and len(one.words) > 20 and one.grade_id in one.words


# -- what is no notebook -----------------------------------------------------------------------------------------

DEEP = b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    ("content", "reason", "words"),
    [
        (b"", "unreadable", "an empty file"),
        (b" \n\n", "unreadable", "an empty file"),
        (b'{"cells": [', "unreadable", "damaged: its JSON ends or breaks in line 1"),
        (b"def mean(x):\n    return 1\n", "unreadable", "damaged"),
        (b"\x89PNG\r\n\x1a\n", "unreadable", "not a text file"),
        (b"[]", "unreadable", "no notebook"),
        (b"{}", "unreadable", "has no cells"),
        (b'{"cells": {"cell_type": "code"}}', "unreadable", "has no cells"),
        (DEEP, "unreadable", "nested too deeply"),
        (b'{"cells": [], "x": ' + b'{"a":' * 300 + b"1" + b"}" * 301, "unreadable", "nested too deeply"),
        (b'{"cells": [], "x": ' + b"9" * 10_000 + b"}", "unreadable", "a number that cannot be read"),
        (b'{"cells": [' + b",".join([b"{}"] * 3000) + b"]}", "too large", "3000 cells"),
        (b" " * 50_000_001, "too large", "Clear its outputs"),
        (b"[" * 5_000_000, "too large", "lists"),
        (b'{"cells": [{"cell_type": "code", "source": "' + b"x" * 10_000_001 + b'"}]}', "too large", "10 million"),
    ],
    ids=lambda value: str(value[:20]) if isinstance(value, bytes) else None,
)
def test_what_cannot_be_read_comes_with_the_reason(author, content, reason, words):
    result = repair.repair(author, content)
    assert isinstance(result, Unreadable)
    assert result.reason == reason and words in result.explanation


def test_formats_of_other_times_and_systems_are_read(author, handed_in):
    text = json.dumps(handed_in, ensure_ascii=False)
    for content in (text.encode("utf-8-sig"), text.encode("utf-16"), text.encode("utf-16-le"), text.encode("utf-32")):
        assert answers(repaired(author, content)) == RIGHT
    old = nbformat.convert(nbformat.from_dict(handed_in), 3)
    assert answers(repaired(author, nbformat.writes(old, version=3).encode())) == RIGHT
    for cell in handed_in["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r\n").splitlines(keepends=True)
    assert answers(repaired(author, handed_in)) == RIGHT


def test_letters_that_no_database_can_store_are_replaced(author, handed_in):
    handed_in["cells"][place(handed_in, "median-answer")]["source"] = "a\x00b\ud800c"
    assert answers(repaired(author, handed_in))["median-answer"] == "a\ufffdb\ufffdc"


def test_thousands_of_cells_and_long_ones_are_read_in_seconds(author, handed_in):
    claim = handed_in["cells"][place(handed_in, "mean-answer")]
    handed_in["cells"] = [claim | {"source": f"x{k} = {k}\n" + "y, = z\n" * 300} for k in range(1900)]
    result = repaired(author, handed_in)
    # All that is asserted about time is that the suite's own limit is not reached.
    assert len(result.notebook.cells) >= 1900


# -- fuzz --------------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


def paths(content, path=()):
    yield path
    if isinstance(content, dict | list):
        for key, item in content.items() if isinstance(content, dict) else enumerate(content):
            yield from paths(item, (*path, key))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_change_of_the_json_does_harm(author, answered, data):
    notebook = copy.deepcopy(answered)
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from(list(paths(notebook))))
        if not path:
            continue
        parent = notebook
        for key in path[:-1]:
            parent = parent[key]
        match data.draw(st.sampled_from(["replace", "delete", "copy"])):
            case "replace":
                parent[path[-1]] = data.draw(JSON)
            case "delete":
                del parent[path[-1]]
            case "copy" if isinstance(parent, list):
                parent.insert(data.draw(st.integers(0, len(parent))), copy.deepcopy(parent[path[-1]]))
    result = repair.repair(author, json.dumps(notebook).encode())
    if isinstance(result, Repaired):
        check_form(author, result.notebook)
    else:
        assert not isinstance(notebook.get("cells") if isinstance(notebook, dict) else None, list)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_do_harm(author, content):
    result = repair.repair(author, content)
    if isinstance(result, Repaired):
        check_form(author, result.notebook)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_to_the_bytes_does_harm(author, answered, data):
    content = bytearray(json.dumps(answered).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        content[start : start + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=10))
    result = repair.repair(author, bytes(content))
    if isinstance(result, Repaired):
        check_form(author, result.notebook)


@given(st.permutations(range(8)))
def test_the_moved_cells_are_the_fewest(order):
    kept = repair._longest_increasing(list(order))
    assert kept == sorted(kept)
    best = [1] * len(order)  # the plain quadratic method
    for k, number in enumerate(order):
        best[k] = 1 + max([best[j] for j in range(k) if order[j] < number], default=0)
    assert len(kept) == max(best)


# -- folders -----------------------------------------------------------------------------------------------------


def test_only_plain_files_are_taken_and_no_link_is_followed(tmp_path, handed_in):
    secret = tmp_path / "secret.txt"
    secret.write_text("hunter2")
    folder = tmp_path / "submitted"
    (folder / "data").mkdir(parents=True)
    (folder / "ex01_1.ipynb").write_text(json.dumps(handed_in))
    (folder / "data" / "numbers.csv").write_text("1,2\n")
    (folder / "timestamp.txt").write_text("2026-11-26 10:00:00 UTC")
    (folder / "password.txt").symlink_to(secret)
    (folder / "above").symlink_to(tmp_path)
    (folder / "data" / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "ex01_1-checkpoint.ipynb").write_text("{}")
    (folder / "ex01_1-Copy1.ipynb").write_text("{}")
    if os.geteuid() == 0:
        os.mknod(folder / "memory", 0o600 | 0o020000, os.makedev(1, 3))
    collected = repair.collect(folder, "ex01_1.ipynb")
    assert list(collected.notebooks) == ["ex01_1.ipynb"]
    assert collected.files == {"data/numbers.csv": b"1,2\n", "timestamp.txt": b"2026-11-26 10:00:00 UTC"}
    said = " ".join(one.words for one in collected.repairs)
    for name in ("password.txt", "above", "data/loop", "pipe", "ex01_1-Copy1.ipynb"):
        assert name in said
    assert "checkpoint" not in said

    (tmp_path / "linked").symlink_to(folder)
    with pytest.raises(OSError):
        repair.collect(tmp_path / "linked", "ex01_1.ipynb")


def test_a_folder_has_its_limits(tmp_path, monkeypatch):
    monkeypatch.setattr(repair, "FILE_LIMIT", 1000)
    monkeypatch.setattr(repair, "FOLDER_LIMIT", 1500)
    monkeypatch.setattr(repair, "FILE_COUNT_LIMIT", 4)
    (tmp_path / "a").write_bytes(b"x" * 1000)
    with (tmp_path / "b").open("wb") as file:
        file.truncate(10**12)  # a sparse terabyte
    (tmp_path / "c").write_bytes(b"x" * 501)
    for name in "defgh":
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / ("1/" * 12)).mkdir(parents=True)
    (tmp_path / ("1/" * 12) / "deep").write_text("x")
    collected = repair.collect(tmp_path, "ex01_1.ipynb")
    assert list(collected.files) == ["a", "d", "e", "f"]
    assert len(collected.repairs) == 4


@pytest.mark.parametrize("name", ["ex01_1 (1).ipynb", "Problem 1.ipynb", "ex01_1-Copy1.ipynb"])
def test_a_renamed_notebook_is_recognised(author, handed_in, name):
    content = json.dumps(handed_in).encode()
    found, repairs = repair.choose(author, repair.Collected({name: content}), "ex01_1.ipynb")
    assert found == content
    assert [one.kind for one in repairs] == ["renamed"] and name in repairs[0].words


def test_among_several_the_one_with_the_authors_cells_is_meant(author, handed_in):
    content = json.dumps(handed_in).encode()
    notebooks = {"ex01_1 notes.ipynb": b'{"cells": []}', "Untitled.ipynb": content, "ex01_1.bak.ipynb": b"{"}
    assert repair.choose(author, repair.Collected(notebooks), "ex01_1.ipynb")[0] == content


def test_a_notebook_of_something_else_is_not_taken(author):
    for notebooks in ({}, {"Untitled.ipynb": b'{"cells": []}'}):
        result = repair.choose(author, repair.Collected(notebooks), "ex01_1.ipynb")
        assert isinstance(result, Unreadable) and result.reason == "no notebook"
        assert "ex01_1.ipynb" in result.explanation
