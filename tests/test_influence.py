"""Names of cells: compared with Python itself, which runs whole notebooks and parts of them."""

import builtins

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.influence import Names, Unreadable, cells_to_run


def answer(name, source):
    return new_code_cell(source, metadata={"nbgrader": {"grade_id": name, "grade": False, "solution": True}})


def check(name, source):
    return new_code_cell(source, metadata={"nbgrader": {"grade_id": name, "grade": True, "solution": False}})


def kept(cells, answers, **options):
    """The kept cells by grade id, or by position where they have none."""
    places = cells_to_run(cells, answers, **options)
    return [cells[place].metadata.get("nbgrader", {}).get("grade_id", place) for place in sorted(places)]


@pytest.mark.parametrize(
    ("source", "used", "bound"),
    [
        ("import numpy as np\nx = np.ones(n)", {"n"}, {"np", "x"}),
        ("x = x + 1", {"x"}, {"x"}),
        ("x = 1\nx = x + 1", set(), {"x"}),
        ("for i in rows:\n    total = i", {"rows"}, {"i", "total"}),
        ("def f(a, b=width):\n    c = a\n    return c + d", {"width", "d"}, {"f"}),
        ("def f():\n    global count\n    count = 1", set(), {"f", "count"}),
        ("squares = [i * scale for i in rows if i]", {"scale", "rows"}, {"squares"}),
        ("table = {k: v for k, v in pairs}", {"pairs"}, {"table"}),
        ("class A(Base):\n    size = 3\n    def f(self): return size2", {"Base", "size2"}, {"A"}),
        ("f = lambda a: a * gain", {"gain"}, {"f"}),
        ("x += y", {"x", "y"}, {"x"}),
        ("a, (b, *c) = values", {"values"}, {"a", "b", "c"}),
        ("x[i] = y", {"x", "i", "y"}, set()),
        ("if (n := len(rows)) > 1: print(n)", {"len", "rows", "print"}, {"n"}),
        ("with open(path) as file: text = file.read()", {"open", "path"}, {"file", "text"}),
        ("import a.b.c\nfrom d import e as f", set(), {"a", "f"}),
        ("f'{value:{width}}'", {"value", "width"}, set()),
        ("def f():\n    def g(): return h\n    return g", {"h"}, {"f"}),
        ("try:\n    a\nexcept KeyError as error:\n    b = error", {"a", "KeyError", "error"}, {"b"}),
    ],
)
def test_names_used_and_bound(source, used, bound):
    names = Names.of(source)
    assert names.used == used and names.bound == bound


def test_what_is_changed_in_place():
    assert Names.of("x[0] = 1\ny.rate = 2\nz.layers[0].fit(a)\nw += 1").changed == {"x", "y", "z", "w"}
    assert Names.of("def f(a):\n    a.sort()\n    b.sort()").changed == {"b"}
    assert Names.of("total = data.sum() + data[0].mean()\nhistory = model.fit(data)").changed == {"model"}
    assert Names.of("def f(a):\n    return a + 1\ndef g(a):\n    a.sort()\ndef h(a):\n    a[0] = 1").gentle == {"f"}
    # Of two versions, what either of them does.
    assert Names.of("def f(a):\n    return a", "def f(a):\n    a.sort()").gentle == set()


@pytest.mark.parametrize("source", ["x = (", "%run other.py", "eval('x')", "globals()['x'] = 1", "from a import *"])
def test_code_that_hides_its_names_is_unreadable_and_nothing_is_left_out(source):
    with pytest.raises(Unreadable):
        Names.of(source)
    cells = [answer("a", "x = 1"), answer("b", "y = 1"), check("c", "assert x"), new_code_cell(source)]
    assert cells_to_run(cells, {"a": "x = 2"}) == {0, 1, 2, 3}


NOTEBOOK = [
    new_code_cell("import numpy as np\nSEED = 3"),
    new_markdown_cell("text"),
    new_code_cell("data = np.arange(5)\nfirst = data[:2]"),
    answer("mean", "def mean(x):\n    return sum(x) / len(x)"),
    check("mean-test", "assert mean([1, 2]) == 1.5"),
    answer("model", "model = [SEED]\nmodel.append(data.sum())"),
    check("model-test", "assert model == [3, 10]"),
    answer("figure", "picture = mean(data)"),
    answer("compare", "result = model[1] / first[1]"),
    check("compare-test", "half = result / 2\nassert half == 5"),
    check("last-test", "assert half > 1"),
]


@pytest.mark.parametrize(
    ("changes", "left_out"),
    [
        # A function that leaves its arguments alone reaches its own test and the cell that calls it.
        (
            {"mean": "def mean(x):\n    return 2"},
            ["model", "model-test", "compare", "compare-test", "last-test"],
        ),
        # One that does not may have changed the data for all that come later and use them.
        ({"mean": "def mean(x):\n    x.sort()\n    return 2"}, []),
        # The cell hands the data to a function, so the picture of the data may be another one.
        ({"model": "model = [SEED, 12]"}, ["mean-test"]),
        # What a test defines for a later one comes with it, and so does what makes the model.
        ({"compare": "result = 8"}, ["mean", "mean-test", "model-test", "figure"]),
        ({}, ["mean", "mean-test", "model", "model-test", "figure", "compare", "compare-test", "last-test"]),
    ],
)
def test_a_change_reaches_what_uses_it_and_that_needs_its_makers(changes, left_out):
    names = [cell.metadata.nbgrader.grade_id for cell in NOTEBOOK if "nbgrader" in cell.metadata]
    assert [name for name in names if name not in kept(NOTEBOOK, changes)] == left_out


def test_a_function_defined_before_the_change_reaches_it_when_it_is_called():
    cells = [
        new_code_cell("def ask(x):\n    return network(x)"),
        answer("network", "def network(x):\n    return x"),
        check("ask-test", "assert ask(1) == 1"),
        check("other-test", "assert True"),
    ]
    assert cells_to_run(cells, {"network": "def network(x):\n    return 0"}) == {0, 1, 2}


def test_views_of_one_array_count_as_one_and_shuffling_in_place_is_a_change():
    cells = [
        new_code_cell("import numpy as np"),
        new_code_cell("data = np.arange(9)\nhalf = data[:4]"),
        answer("order", "np.random.shuffle(half)"),
        check("data-test", "assert data[0] == 3"),
        check("other-test", "assert True"),
    ]
    assert cells_to_run(cells, {"order": "half[:] = half[::-1]"}) == {0, 1, 2, 3}
    # The unchanged shuffle is needed by whoever looks at the data.
    cells.append(answer("late", "def late(): return 1"))
    cells.append(check("late-test", "assert late() + data[0] == 4"))
    assert cells_to_run(cells, {"late": "def late(): return 2"}) == {0, 1, 2, 5, 6}


def test_tests_that_are_asked_for_are_made_in_any_case():
    assert "model-test" in kept(NOTEBOOK, {"compare": "result = 1"}, also=("model-test",))


NAMES = ("a", "b", "c", "d")
STATEMENTS = st.one_of(
    st.builds("{} = {} + {}".format, *[st.sampled_from(NAMES)] * 3),
    st.builds("{} = [{}]".format, st.sampled_from(NAMES), st.integers(0, 9)),
    st.builds("{}.append({})".format, st.sampled_from(NAMES), st.integers(0, 9)),
    st.builds("{}[0] = {}".format, st.sampled_from(NAMES), st.integers(0, 9)),
    st.builds("change({})".format, st.sampled_from(NAMES)),
    st.builds("for {} in [[1], [2]]: {} = {} + {}".format, *[st.sampled_from(NAMES)] * 4),
    st.builds("def change(x, y={}): x.append(len({}))".format, *[st.sampled_from(NAMES)] * 2),
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(STATEMENTS, min_size=1, max_size=2).map("\n".join), min_size=2, max_size=7),
    st.lists(STATEMENTS, min_size=1, max_size=2).map("\n".join),
    st.data(),
)
def test_parts_of_notebooks_show_what_the_whole_shows(sources, other, data):
    """What is left out comes out as in the solution, and what is kept comes out as in the whole variant."""
    cells = [new_code_cell("a, b, c, d = [1], [2], [3], [4]\ndef change(x): x.append(0)")]
    for number, source in enumerate(sources):
        cells.append(answer(f"answer-{number}", source))
        shown = data.draw(st.sampled_from(NAMES))
        cells.append(check(f"test-{number}", f"seen = repr({shown})"))
    variant = {f"answer-{data.draw(st.integers(0, len(sources) - 1))}": other}

    def run(answers, places):
        space, seen = {"__builtins__": builtins}, {}
        for place, cell in enumerate(cells):
            if place not in places:
                continue
            grading = cell.metadata.get("nbgrader", {})
            try:
                exec(answers.get(grading.get("grade_id"), cell.source), space)
            except (RecursionError, MemoryError):
                raise
            except Exception as error:
                space["seen"] = type(error).__name__
            if grading.get("grade"):
                seen[place] = space.pop("seen", None)
        return seen

    everything = set(range(len(cells)))
    solution, whole = run({}, everything), run(variant, everything)
    part = run(variant, cells_to_run(cells, variant))
    assert solution | part == whole
