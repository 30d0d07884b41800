"""Grading one submission: right answers keep their marks, wrong ones lose them, and no code of a student forges one.

Each hostile notebook asserts the safe behaviour for its class of attack: every test has a receipt, what was earned
before stays, what is independent is still graded, and nothing is left running.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.utils import determine_grade

from autograder import isolation, session
from autograder.isolation import Level, Limits
from autograder.results import Receipt, Status, SubmissionResult
from autograder.session import Plan, Times
from autograder.warm_server import WarmServer

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system with fork")

#: Tests that must stop something wait this long only; others have the default times.
SHORT = Times(cell_s=4.0, test_s=6.0, grace_s=4.0)


def answer(task, source):
    grading = {"grade": False, "solution": True, "locked": False, "grade_id": f"{task}-answer"}
    return new_code_cell(source, metadata={"nbgrader": grading})


def given(grade_id, source):
    grading = {"grade": False, "solution": False, "locked": True, "grade_id": grade_id}
    return new_code_cell(source, metadata={"nbgrader": grading})


def check(task, source, points=2):
    grading = {"grade": True, "solution": False, "locked": True, "grade_id": f"{task}-test", "points": points}
    return new_code_cell(source, metadata={"nbgrader": grading})


HIDDEN = "### BEGIN HIDDEN TESTS\n{}\n### END HIDDEN TESTS"

#: Three independent tasks: the second one is attacked, the first and the third show what an attack may not touch.
MEAN = "def mean(numbers):\n    return sum(numbers) / len(numbers)"
FRACTION = "fraction = 0.5"
DOUBLE = "def double(number):\n    return 2 * number"
MEAN_TEST = "import random\nassert mean([1, 2, 3]) == 2, 'the mean of 1, 2, 3 is 2'\n" + HIDDEN.format(
    "values = [random.random() for _ in range(5)]\nassert abs(mean(values) - sum(values) / 5) < 1e-9, 'other numbers'"
)
FRACTION_TEST = "4 * fraction"
DOUBLE_TEST = "assert double(4) == 8, f'twice 4 is 8, not {double(4)}'"


def notebook(mean=MEAN, fraction=FRACTION, double=DOUBLE):
    return new_notebook(
        cells=[
            given("setup", "import math\nLIMIT = 3\n\ndef is_even(n):\n    return n % 2 == 0"),
            answer("mean", mean),
            check("mean", MEAN_TEST, 3),
            answer("fraction", fraction),
            check("fraction", FRACTION_TEST, 2),
            answer("double", double),
            check("double", DOUBLE_TEST, 1),
        ]
    )


@pytest.fixture(scope="module")
def server():
    with WarmServer("plain", preload=session.PRELOAD) as running:
        yield running


@pytest.fixture(scope="module")
def level():
    return isolation.available().level


@pytest.fixture
def grade(server, level):
    def run(submission, author=None, **options):
        options = {"level": level, "limits": Limits(), **options}
        plan = Plan.of(author or notebook(), "ex01_1")
        result = session.grade(plan, submission, student="ada", server=server, **options)
        # Whatever happens: one receipt for each test, and a record that can be stored.
        assert [receipt.grade_id for receipt in result.receipts] == list(plan.tests)
        assert SubmissionResult.from_json(result.to_json()) == result
        nbformat.validate(nbformat.reads(result.notebook, as_version=4))
        return result

    return run


def receipts(result):
    return {receipt.grade_id.removesuffix("-test"): receipt for receipt in result.receipts}


def points(result):
    return [receipt.points for receipt in result.receipts]


def outputs(result, number):
    return json.loads(result.notebook)["cells"][number]["outputs"]


def text_of(result):
    """All that a student gets to see of a result."""
    words = [receipt.message for receipt in result.receipts]
    for cell in json.loads(result.notebook)["cells"]:
        words += [json.dumps(output) for output in cell.get("outputs", [])]
    return "\n".join(words)


def one(grade, source, test, before="", points=2, **options):
    """Grade a notebook with one task; return its receipt."""
    cells = [given("setup", before)] if before else []
    author = new_notebook(cells=[*cells, answer("task", ""), check("task", test, points)])
    submission = new_notebook(cells=[*cells, answer("task", source), check("task", "")])
    return grade(submission, author, **options).receipts[0]


# Honest notebooks.


def test_a_right_notebook_gets_all_points(grade):
    result = grade(notebook(fraction="print('half')\nfraction = 0.5"))
    assert points(result) == [3, 2, 1]
    assert {receipt.status for receipt in result.receipts} == {Status.PASS}
    assert (result.reason, result.exercise, result.student) == ("", "ex01_1", "ada")
    assert outputs(result, 3) == [{"output_type": "stream", "name": "stdout", "text": ["half\n"]}]
    assert result.cpu_s > 0
    assert result.checker_cpu_s > 0
    assert result.peak_memory_mb > 10


def test_wrong_and_missing_answers_say_what_is_wrong(grade):
    result = grade(notebook(mean="def mean(numbers):\n    return 0", fraction="fraction = 0.3", double=""))
    seen = receipts(result)
    assert (seen["mean"].status, seen["mean"].message) == (Status.FAIL, "the mean of 1, 2, 3 is 2")
    assert (seen["fraction"].status, seen["fraction"].points) == (Status.PARTIAL, 1.2)
    assert (seen["double"].status, seen["double"].message) == (
        Status.ERROR,
        "`double` is not defined in your notebook.",
    )


def test_the_executed_notebook_gives_nbgrader_the_same_points(grade):
    for submission in (notebook(), notebook(mean="", fraction="fraction = 0.125"), notebook(fraction="fraction = 0")):
        result = grade(submission)
        cells = [cell for cell in nbformat.reads(result.notebook, as_version=4).cells if "points" in str(cell.metadata)]
        assert [determine_grade(cell)[0] for cell in cells] == points(result)
        assert "BEGIN HIDDEN TESTS" in cells[0].source


def test_manual_points_wait(server, level):
    task = {"grade": False, "solution": False, "locked": True, "task": True, "grade_id": "sketch", "points": 4}
    essay = {"grade": True, "solution": True, "locked": False, "grade_id": "essay", "points": 3}
    cells = [
        new_markdown_cell("Draw", metadata={"nbgrader": task}),
        new_markdown_cell("", metadata={"nbgrader": essay}),
    ]
    assert Plan.of(new_notebook(cells=cells)).waiting == 7


def test_cells_run_as_in_a_notebook(grade):
    source = (
        "import asyncio\nawait asyncio.sleep(0)\n%timeit -n1 -r1 pass\n"
        "!echo from a shell\nimport os\nos.write(1, b'from below\\n')\n"
        "from IPython.display import HTML, display\ndisplay(HTML('<b>bold</b>'))\n"
        "import plotly.graph_objects as go\ngo.Figure()"
    )
    shown = outputs(grade(notebook(mean=source + "\n")), 1)
    text = "".join("".join(output["text"]) for output in shown if output["output_type"] == "stream")
    assert "loop" in text
    assert "from a shell" in text
    assert "from below" in text
    rich = [output["data"] for output in shown if "data" in output]
    assert rich[0]["text/html"] == ["<b>bold</b>"]
    assert "application/vnd.plotly.v1+json" in rich[1]


def test_the_student_finds_the_data_files(grade, tmp_path):
    (tmp_path / "heights.txt").write_text("1 2 3")
    source = "numbers = [int(word) for word in open('heights.txt').read().split()]\nopen('heights.txt', 'w').write('')"
    receipt = one(grade, source, "assert numbers == [1, 2, 3]", data_folder=tmp_path)
    assert receipt.status is Status.PASS
    assert (tmp_path / "heights.txt").read_text() == "1 2 3"


def test_tests_missing_in_the_submission_are_made_in_their_places(grade):
    submission = notebook()
    submission.cells = [cell for cell in submission.cells if "test" not in str(cell.metadata)]
    submission.cells.insert(2, new_code_cell("def mean(numbers):\n    return 2"))  # the student's own, after the answer
    result = grade(submission)
    assert points(result) == [0, 2, 1]
    order = [
        cell["metadata"].get("nbgrader", {}).get("grade_id", "own") for cell in json.loads(result.notebook)["cells"]
    ]
    assert order[:4] == ["setup", "mean-answer", "own", "mean-test"]


def test_an_own_cell_after_the_test_does_not_change_it(grade):
    submission = notebook()
    submission.cells.insert(3, new_code_cell("def mean(numbers):\n    return 2"))
    assert points(grade(submission)) == [3, 2, 1]


# Where names come from.


def test_given_imports_functions_and_constants_are_not_the_students_to_change(grade):
    test = "assert math.isclose(value, LIMIT), 'value'\nassert is_even(value - 1), 'even'"
    before = "import math\nLIMIT = 3\n\ndef is_even(n):\n    return n % 2 == 0"
    assert one(grade, "value = 3", test, before).status is Status.PASS
    forged = "value = 4\nmath.isclose = lambda *a, **b: True\nLIMIT = 4\nis_even = lambda n: True\nmath = None"
    assert one(grade, forged, test, before).message == "value"


def test_builtins_and_modules_of_tests_are_their_own(grade):
    forged = (
        "import builtins, statistics, numpy as np\n"
        "value = 7\nfloat = abs = len = sum = isinstance = lambda *a: 0\nbuiltins.abs = abs\n"
        "np.testing.assert_allclose = np.allclose = lambda *a, **b: True\nstatistics.mean = lambda values: 4\n"
    )
    for test in (
        "assert abs(float(value) - 4) < 1e-6",
        "import numpy as np\nnp.testing.assert_allclose(value, 4)",
        "import numpy\nassert numpy.allclose(value, 4)",
        "import statistics\nassert statistics.mean([value]) == 4",
    ):
        assert one(grade, forged, test).status is Status.FAIL


def test_a_module_is_no_answer(grade):
    receipt = one(
        grade, "import types\nnp = types.ModuleType('np')\nnp.close = lambda *a: True", "assert np.close(1, 2)"
    )
    assert receipt.points == 0
    assert "a test imports what it uses itself" in receipt.message


def test_helpers_of_tests_stay_among_the_tests(grade):
    author = new_notebook(
        cells=[
            answer("first", ""),
            check("first", "assert first == 1\nexpected = 4\n\ndef helper(n):\n    return n == expected"),
            answer("second", ""),
            check("second", "assert helper(second), 'second'"),
            check("third", "assert second == expected, 'third'"),
        ]
    )
    submission = new_notebook(
        cells=[
            answer("first", "first = 2; helper = lambda n: True; expected = 5"),
            answer("second", "second = 5; helper = lambda n: True; expected = 5"),
        ]
    )
    # The first test breaks off before it defines its helpers: the student's must not take their places.
    result = grade(submission, author)
    assert points(result) == [0, 0, 0]
    # A function is there all the same; a value of the broken test is not.
    submission.cells[0].source = submission.cells[1].source = "first = 1; second = 4; helper = expected = None"
    assert points(grade(submission, author)) == [2, 2, 2]


def test_a_name_used_by_an_earlier_test_is_the_students_where_a_later_task_asks_for_it(grade):
    author = new_notebook(
        cells=[
            answer("first", "first = 1"),
            check("first", "result = first\nassert result == 1"),
            answer("second", "result = 2"),
            check("second", "assert result == 2"),
        ]
    )
    submission = new_notebook(cells=[answer("first", "first = 1"), answer("second", "result = 2")])
    assert points(grade(submission, author)) == [2, 2]


# Values, functions, objects.


ORDINARY = {
    "a numpy scalar": (
        "import numpy as np\nvalue = np.float32(0.5)",
        "import numpy as np\nassert type(value) is np.float32",
    ),
    "nested containers": (
        "value = {'a': [1, (2, 3)], 'b': {4}}",
        "assert value == {'a': [1, (2, 3)], 'b': {4}}",
    ),
    "a function": (
        "f = lambda x, power=2: x**power",
        "assert f(3) == 9 and f(2, power=3) == 8",
    ),
    "an exception": (
        "def f(x):\n    if x < 0:\n        raise ValueError('negative')",
        "try:\n    f(-1)\nexcept ValueError as e:\n    assert str(e) == 'negative'\nelse:\n    assert False",
    ),
    "a function as an argument": (
        "def area(f, a, b, n=1000):\n    h = (b - a) / n\n    return h * sum(f(a + (k + 0.5) * h) for k in range(n))",
        "assert abs(area(lambda x: 3 * x**2, 0, 2) - 8) < 1e-4",
    ),
    "a generator": (
        "def f():\n    yield 1\n    yield 2",
        "assert list(f()) == [1, 2] and next(iter(f())) == 1",
    ),
    "an endless iterator": (
        "import itertools\nf = itertools.count",
        "assert [n for n, _ in zip(f(), range(5))] == list(range(5))",
    ),
    "a class": (
        "class Body:\n    mass = 2.0\n    def energy(self, speed):\n        return self.mass * speed**2 / 2\n"
        "body = Body()",
        "assert body.energy(3) == 9 and body.mass == 2 and type(body).__name__ == 'Body'\n"
        "assert isinstance(body, Body) and not hasattr(body, 'charge')",
    ),
    "operators": (
        "class Vector:\n    def __init__(self, x, y):\n        self.x, self.y = x, y\n"
        "    def __add__(self, other):\n        return Vector(self.x + other.x, self.y + other.y)\n"
        "    def __abs__(self):\n        return (self.x**2 + self.y**2) ** 0.5",
        "v = Vector(1, 2) + Vector(2, 2)\nassert (v.x, v.y) == (3, 4) and abs(v) == 5",
    ),
    "inspection": (
        "def f(x, *, y: int = 3):\n    'Doc.'\n    return x + y",
        "import inspect\nassert list(inspect.signature(f).parameters) == ['x', 'y']\n"
        "assert 'return x + y' in inspect.getsource(f) and f.__name__ == 'f' and f.__doc__ == 'Doc.'",
    ),
    "a random generator": (
        "import numpy as np\ndef draw(n, generator):\n    return np.random.default_rng(generator).normal(size=n)",
        "import numpy as np\ng = np.random.default_rng(3)\n"
        "assert np.allclose(draw(4, g), np.random.default_rng(3).normal(size=4))\n"
        "assert not np.allclose(draw(4, g), draw(4, g))",
    ),
    "an object of the test": (
        "def total(body):\n    return body.mass * body.speed() + len(body.parts)",
        "class Body:\n    mass = 2.0\n    parts = [1, 2]\n    def speed(self):\n        return 3.0\n"
        "assert total(Body()) == 8",
    ),
    "a named tuple": (
        "from collections import namedtuple\nFit = namedtuple('Fit', 'slope error')\nfit = Fit(2.0, 0.1)",
        "assert fit.slope == 2 and fit == (2.0, 0.1)",
    ),
    "an argument changed in place": (
        "def change(values):\n    values[0] = 9\n    return values",
        "import numpy as np\nvalues = np.zeros(2)\nassert change(values)[0] == 9 and values[0] == 0",
    ),
    "functions in containers": (
        "def outer():\n    def inner(x):\n        return 2 * x\n    return inner, [inner]",
        "f, (g,) = outer()\nassert f(g(1)) == 4",
    ),
    "a kind of numbers": (
        "import numpy as np\ndef zeros(n, dtype):\n    return np.zeros(n, dtype)",
        "import numpy as np\nassert zeros(3, np.int16).dtype == np.int16 and zeros(2, float).tolist() == [0, 0]",
    ),
}


@pytest.mark.parametrize("what", ORDINARY)
def test_ordinary_tests_work_through_the_channel(grade, what):
    receipt = one(grade, *ORDINARY[what])
    assert (receipt.status, receipt.message) == (Status.PASS, "")


#: Says yes to every question, and equals everything.
YES = (
    "class Yes:\n"
    "    def __init__(self, *a): pass\n"
    "    def __eq__(self, other): return True\n"
    "    __ne__ = lambda self, other: False\n"
    "    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = lambda self, other: True\n"
    "    __sub__ = __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = lambda self, other: Yes()\n"
    "    __abs__ = __neg__ = lambda self: Yes()\n"
    "    __bool__ = lambda self: True\n"
    "    __hash__ = lambda self: hash(4)\n"
    "    __array_priority__ = 1000\n"
    "    __array_interface__ = {'data': (0, False), 'shape': (1,), 'typestr': '<f8', 'version': 3}\n"
    "    __array_ufunc__ = lambda self, *a, **b: True\n"
    "    __array_function__ = lambda self, *a, **b: True\n"
    "    __class__ = float\n"
    "    __instancecheck__ = lambda self, other: True\n"
    "    def __reduce__(self):\n        import os\n        return os._exit, (0,)\n"
    "value = Yes()\n"
)


@pytest.mark.parametrize(
    "test",
    [
        "assert value == 4",
        "assert 4 == value",
        "assert not (value != 4)",
        "assert value - 4 == 0",
        "assert abs(value - 4.0) < 1e-6",
        "assert abs(4.0 - value) < 1e-6",
        "assert value < 5",
        "assert 3 < value",
        "assert value in [4]",
        "assert value in {4}",
        "assert [value] == [4]",
        "assert {'x': value} == {'x': 4}",
        "assert 4 in value",
        "import math\nassert math.isclose(value, 4)",
        "import numpy as np\nassert np.isclose(value, 4)",
        "import numpy as np\nassert np.array_equal(np.asarray(value), [4])",
        "import numpy as np\nassert (np.array([4.0]) == value).all()",
        "import numpy as np\nnp.testing.assert_allclose(value, 4)",
        "import numpy as np\nassert np.abs(np.subtract(value, 4.0)) < 1e-6",
        "assert isinstance(value, float)",
        "import copy\ncopy.deepcopy(value)",
        "import pickle\npickle.dumps(value)",
        "2 * value",
        "value",
        "[value]",
    ],
)
def test_an_object_that_equals_everything_earns_nothing(grade, test):
    receipt = one(grade, YES, test)
    assert receipt.points == 0
    assert receipt.status in {Status.FAIL, Status.ERROR}


def test_numbers_in_disguise_are_taken_at_their_plain_value(grade):
    source = (
        "class Number(float):\n    __eq__ = __lt__ = lambda self, other: True\n"
        "    __rsub__ = __sub__ = lambda *a: 0.0\n"
        "    __hash__ = float.__hash__\n    __float__ = lambda self: 4.0\nvalue = Number(7)"
    )
    assert one(grade, source, "assert value == 4").status is Status.FAIL
    assert one(grade, source, "assert abs(value - 4) < 1e-6").status is Status.FAIL
    assert one(grade, source, "assert type(value) is float and value == 7").status is Status.PASS


def test_an_exception_cannot_end_a_loop_of_the_test_early(grade):
    # Inside all(map(...)) a StopIteration reads as "no more values", and all() of nothing is true.
    source = "def is_prime(n):\n    raise StopIteration"
    test = "assert all(map(is_prime, [2, 3, 5])) and not any(map(is_prime, [4, 6]))"
    for error in ("StopIteration", "StopAsyncIteration", "GeneratorExit", "KeyboardInterrupt", "SystemExit"):
        receipt = one(grade, source.replace("StopIteration", error), test)
        assert receipt.points == 0
        assert receipt.status in {Status.ERROR, Status.TIMEOUT}


def test_what_ends_a_conversation_is_no_error_that_a_test_waits_for(grade):
    test = "try:\n    f(-1)\nexcept:\n    pass\nelse:\n    assert False, 'f must refuse'"
    assert one(grade, "def f(x):\n    raise ValueError", test).status is Status.PASS
    assert one(grade, "def f(x):\n    import os; os._exit(0)", test).status is Status.KILLED
    receipt = one(grade, "def f(x):\n    while True: pass", test, times=SHORT)
    assert (receipt.status, receipt.points) == (Status.TIMEOUT, 0)


# Scores (rows 1-3 of the catalogue of hostile submissions).


@pytest.mark.parametrize(
    ("fraction", "expected", "status", "words"),
    [
        ("float('nan')", 0, Status.FAIL, "nonfinite-score"),
        ("float('inf')", 0, Status.FAIL, "nonfinite-score"),
        ("-1e9", 0, Status.FAIL, "outside"),
        ("1e9", 2, Status.PASS, "outside"),
        ("0.25", 1, Status.PARTIAL, ""),
        ("__import__('numpy').float64(0.25)", 1, Status.PARTIAL, ""),
        ("__import__('numpy').array(0.25)", 1, Status.PARTIAL, ""),
        ("__import__('numpy').array([0.5])", 0, Status.ERROR, "no number"),
        ("'a'", 0, Status.ERROR, "no number"),
        ("[1]", 0, Status.ERROR, "no number"),
        ("1j", 0, Status.ERROR, "no number"),
        ("None", 0, Status.ERROR, ""),
    ],
)
def test_scores_are_finite_and_within_the_points(grade, fraction, expected, status, words):
    receipt = one(grade, f"fraction = {fraction}", FRACTION_TEST)
    assert (receipt.points, receipt.status) == (expected, status)
    assert words in receipt.staff_message


def test_the_last_line_of_a_test_counts_if_it_is_false(grade):
    assert one(grade, "value = 3", "value == 3").points == 2
    assert one(grade, "value = 4", "value == 3").status is Status.FAIL
    assert one(grade, "value = 4", "assert value\n'well done'").points == 2


# Forgery in the student's own process (rows 5, 8-12, 46, 50).


@pytest.mark.parametrize(
    "attack",
    [
        "get_ipython().input_transformers_cleanup.append(lambda lines: ['pass\\n'])",
        "get_ipython().run_cell = lambda *a, **b: None",
        "get_ipython().showtraceback = None",
        "import random, time\nrandom.seed = random.random = lambda *a: 0.5\ntime.time = time.monotonic = lambda: 0",
        "import builtins\nbuiltins.AssertionError = builtins.Exception = ValueError\nbuiltins.__build_class__ = None",
        "import sys\nsys.settrace(lambda *a: None)\nsys.modules['autograder.checker'].Checker.run = lambda *a: {}",
        "import socket, struct, json, numpy\njson.dumps = lambda *a, **b: '{}'\nstruct.unpack = struct.pack = None\n"
        "numpy.ascontiguousarray = numpy.asarray = lambda *a, **b: numpy.full(3, 2.0)",
    ],
)
def test_patching_the_own_process_earns_nothing(grade, attack):
    result = grade(notebook(mean=attack + "\ndef mean(numbers):\n    return 2"))
    assert receipts(result)["mean"].points == 0
    assert sum(points(result)) <= 3


def test_hard_coded_answers_meet_numbers_that_they_do_not_know(grade):
    receipt = receipts(grade(notebook(mean="mean = lambda numbers: 2")))["mean"]
    assert (receipt.status, receipt.message) == (Status.FAIL, "other numbers")


def test_tests_are_neither_in_the_files_nor_in_the_memory_of_the_notebook(grade):
    # The mark is put together here, so that the cell that looks for it does not contain it.
    search = (
        "import os, re, gc\n"
        "print('files', [os.path.join(f, n) for f, _, names in os.walk('.') for n in names])\n"
        "pattern = re.compile(b'quark' + b'-[0-9]{6}')\n"
        "found = set()\n"
        "for line in open('/proc/self/maps'):\n"
        "    span, rights = line.split()[:2]\n"
        "    if not rights.startswith('r') or '[v' in line:\n"
        "        continue\n"
        "    start, end = (int(part, 16) for part in span.split('-'))\n"
        "    try:\n"
        "        with open('/proc/self/mem', 'rb') as memory:\n"
        "            memory.seek(start)\n"
        "            while start < end:\n"
        "                block = memory.read(min(1 << 24, end - start))\n"
        "                found |= set(pattern.findall(block))\n"
        "                start += len(block)\n"
        "                if not block: break\n"
        "    except (OSError, ValueError, OverflowError):\n"
        "        pass\n"
        "print('memory', found)\n"
        "print('processes', sorted(int(n) for n in os.listdir('/proc') if n.isdigit()))\n"
        "first = lambda: 1\n"
    )
    author = new_notebook(
        cells=[
            answer("first", ""),
            check("first", "assert first() == 1\n" + HIDDEN.format("assert first() != 'quark-918273'")),
            answer("second", ""),
            check("second", HIDDEN.format("assert second == 1, 'quark-' + str(100 * 1000)")),
        ]
    )
    # Twice on one server: the second process must not find what went through before it was forked.
    for _ in range(2):
        result = grade(new_notebook(cells=[answer("first", search), answer("second", search + "second = 2")]), author)
        seen = "".join("".join(output.get("text", "")) for output in [*outputs(result, 0), *outputs(result, 2)])
        assert seen.count("memory set()") == 2
        assert seen.count("files []") == 2
        assert receipts(result)["first"].status is Status.PASS
        if result.isolation == Level.NAMESPACES:
            assert max(len(line) for line in seen.splitlines() if line.startswith("processes")) < 60


def test_hidden_tests_do_not_come_back_through_messages_and_outputs(grade):
    hidden = HIDDEN.format(
        "secret = 918273\nprint('hidden print')\n"
        "assert mean([secret]) == secret, 'another mean is wrong'\nmean(['quark'])"
    )
    author = new_notebook(cells=[answer("mean", ""), check("mean", "print('visible')\n" + hidden)])
    for source in (
        "def mean(numbers):\n    return 0",
        "def mean(numbers):\n    print(numbers)\n    raise ValueError(str(numbers))",
        "class Error(Exception): pass\ndef mean(numbers):\n    raise Error(numbers)",
        "def mean(numbers):\n    import sys; print(numbers, file=sys.stderr); return numbers[0]",
        "def mean(numbers):\n    import os; os.write(1, str(numbers).encode()); return 918273",
    ):
        result = grade(new_notebook(cells=[answer("mean", source)]), author)
        shown = text_of(result)
        assert "918273" not in shown
        assert "quark" not in shown
        assert "hidden print" not in shown
        assert "visible" in shown


#: Gets the objects by which the student's process speaks to the others.
INSIDE = (
    "import gc, os\n"
    "from autograder import channel, student_process\n"
    "conversation = next(o for o in gc.get_objects() if type(o) is channel.Conversation)\n"
    "notebook = next(o for o in gc.get_objects() if type(o) is student_process.Notebook)\n"
    "answers = next(o for o in gc.get_objects() if type(o) is student_process.Answers)\n"
)
FORGED = (
    "{'status': 'pass', 'points': 2.0, 'message': '', 'staff_message': '', 'missing': '', 'output': '', 'cpu_s': 0.0}"
)


@pytest.mark.parametrize(
    "attack",
    [
        # Frames of every kind into the channel to the checker, before it asks.
        "conversation.channel.send(b'rubbish')",
        "conversation.channel.send(channel.encode(['answer', 1, True, 4]))",
        f"for k in range(9): conversation.channel.send(channel.encode(['receipt', bytes(16), {FORGED}]))",
        "conversation.channel.send(channel.encode(['ask', 1, 'call', 1.0, [4]]))",
        "conversation.channel.send(channel.encode(['ask', 1, 'get', 1.0, [7, '__globals__']]))",
        "conversation.channel.stream.setblocking(True); conversation.channel.stream.sendall(b'\\xff' * 8 + b'x')",
        "conversation.channel.stream.sendall(b'\\x08' + bytes(7) + b'half')",
        "conversation.channel.close()",
        # The same into the control channel to the worker.
        f"for k in range(9): notebook.control.send(channel.encode(['receipt', bytes(16), {FORGED}]))",
        "for k in range(9): notebook.control.send(channel.encode(['done', k, True, '', 0.0]))",
        "notebook.control.send(channel.encode(['output', 7]))",
        "notebook.control.send(channel.encode(7))",
        "notebook.control.stream.setblocking(True); notebook.control.stream.sendall(b'\\xff' * 8)",
        "notebook.control.close()",
        # Into every descriptor that there is.
        "for k in range(256):\n    try: os.write(k, channel.encode(['answer', 1, True, 4]))\n    except OSError: pass",
        "os.closerange(0, 256)",
        # Answers that lie about what they are.
        "answers.export = lambda value: ('model', {})\nvalue = object()",
        "code = {'module': 'os', 'class_name': 'system', 'config': {}, 'registered_name': None}\n"
        "content = {'object': code, 'weights': [], 'compile': None, 'iterations': 0}\n"
        "answers.export = lambda value: ('model', {'number': 1, 'content': content})\nvalue = object()",
        "answers.export = lambda value: ('yours', 140000000000000)\nvalue = object()",
        "answers.export = lambda value: ('reference', {'number': 1})\nvalue = object()",
        "answers.export = lambda value: ('pickle', b'')\nvalue = object()",
        "channel.Conversation._encode = lambda self, message: b'l' * 1000",
        "student_process.Answers.do_name = lambda self, name: (_ for _ in ()).throw(SystemExit)",
    ],
)
def test_forged_messages_earn_nothing_and_stop_nobody(grade, attack):
    author = notebook()
    author.cells[3], author.cells[4] = answer("fraction", ""), check("fraction", "assert value == 4")
    submission = notebook(fraction=INSIDE + attack)
    submission.cells[4] = check("fraction", "")
    result = grade(submission, author, times=Times(test_s=8.0, cell_s=8.0, grace_s=3.0))
    assert receipts(result)["mean"].points == 3
    assert receipts(result)["fraction"].points == 0
    assert receipts(result)["fraction"].status is not Status.PASS


def test_a_broken_message_is_called_tampering(grade):
    for attack in ("conversation.channel.send(b'rubbish')", "notebook.control.send(channel.encode(7))"):
        result = grade(notebook(fraction=INSIDE + attack))
        assert Status.TAMPERED in {receipt.status for receipt in result.receipts} or result.reason
        assert points(result)[1:] == [0, 0]


def test_a_broken_message_during_a_test_is_tampering_with_that_test(grade):
    author = notebook()
    author.cells[3], author.cells[4] = answer("fraction", ""), check("fraction", "assert value() == 4")
    forging = "def value():\n    notebook.control.send(channel.encode(7))\n    import time\n    time.sleep(600)"
    submission = notebook(fraction=INSIDE + forging)
    submission.cells[4] = check("fraction", "")
    result = grade(submission, author)
    assert [receipt.status for receipt in result.receipts[:2]] == [Status.PASS, Status.TAMPERED]
    assert "broke its connection in the test fraction" in receipts(result)["fraction"].message
    assert {receipt.status for receipt in result.receipts[2:]} == {Status.NOT_RUN} and result.reason == "kernel died"


def test_messages_hold_no_sequences_for_the_terminal(grade):
    author = new_notebook(cells=[answer("text", ""), check("text", "assert text() == 4, text()")])
    for source in (
        "def text():\n    return '\\x1b[2Jred\\x07'",
        "def text():\n    raise ValueError('\\x1b]0;title\\x07red')",
    ):
        receipt = receipts(grade(new_notebook(cells=[answer("text", source)]), author))["text"]
        assert receipt.points == 0 and "red" in receipt.message + receipt.staff_message
        assert not {"\x1b", "\x07"} & set(receipt.message + receipt.staff_message)


def test_functions_of_a_test_give_nothing_but_their_results(grade):
    source = INSIDE + (
        "def spy(function, body):\n"
        "    found = []\n"
        "    for name in ('__globals__', '__code__', '__closure__', '__self__', '__func__', '__dict__', '__class__',\n"
        "                 'module', '_private', 'numbers'):\n"
        "        for target in (function, body):\n"
        "            try: found.append(answers.ask('get', target, name))\n"
        "            except Exception as error: pass\n"
        "    return found\n"
    )
    test = (
        "import os\nsecret = 918273\n\n"
        "class Body:\n    _private = 918273\n    module = os\n    numbers = [1, 2]\n"
        "    def method(self):\n        return secret\n\n"
        "assert spy(lambda: secret, Body()) == [[1, 2]]"
    )
    assert one(grade, source, test).status is Status.PASS


@pytest.mark.parametrize(
    "value",
    [
        "value = [None] * 3_000_000",
        "value = []\nfor _ in range(500): value = [value]",
        "value = []\nvalue.append(value)",
        "value = 10 ** 10_000",
        "import numpy as np\nvalue = np.zeros(300 * 2**20, dtype='u1')",
        "import numpy as np\nvalue = np.array([None, 4])",
        "value = 'x' * (300 * 2**20)",
        "class Endless:\n    def __iter__(self):\n        return iter(int, 1)\nvalue = Endless()",
        "class Long:\n    def __len__(self):\n        return 2**62\nvalue = Long()",
        "class Deep:\n    def __getattr__(self, name):\n        return Deep()\nvalue = Deep()",
    ],
)
def test_gigantic_answers_cost_their_own_test_only(grade, value):
    author = new_notebook(
        cells=[
            answer("task", ""),
            check("task", "assert len(value) == 1 and value[0] == 4 or sum(value) == 4, 'no'"),
            answer("double", DOUBLE),
            check("double", DOUBLE_TEST, 1),
        ]
    )
    submission = new_notebook(cells=[answer("task", value), answer("double", DOUBLE)])
    assert points(grade(submission, author, times=SHORT)) == [0, 1]


# Notebooks that do not end, or end too early (rows 17-22, 24, 26-27).


def test_an_endless_cell_is_interrupted_and_the_rest_is_graded(grade):
    result = grade(notebook(fraction="fraction = 0.25\nwhile True: pass"), times=SHORT)
    assert points(result) == [3, 1, 1]
    assert outputs(result, 3)[0]["ename"] == "KeyboardInterrupt"
    result = grade(notebook(fraction="while True: pass\nfraction = 0.5"), times=SHORT)
    assert points(result) == [3, 0, 1]
    assert receipts(result)["fraction"].status is Status.TIMEOUT
    assert "Cell 4 took too long" in receipts(result)["fraction"].message


STUBBORN = "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass"
SWALLOWING = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"


def test_a_cell_that_ignores_interrupts_is_ended_and_left_out(grade):
    # Deaf, and writing all the time: neither may keep the worker from looking at the clock.
    deaf = STUBBORN.replace("pass", "os.write(1, b'text')").replace("import signal", "import os, signal")
    result = grade(notebook(fraction=deaf + "\nfraction = 0.5"), times=SHORT)
    assert points(result) == [3, 0, 1]
    assert receipts(result)["fraction"].status is Status.TIMEOUT
    assert result.reason == "timeout"
    assert points(grade(notebook(fraction=SWALLOWING + "\nfraction = 0.5"), times=SHORT)) == [3, 0, 1]


def test_a_function_that_ignores_interrupts_costs_its_own_test(grade):
    hanging = "def mean(numbers):\n    " + STUBBORN.replace("\n", "\n    ")
    result = grade(notebook(mean=hanging), times=SHORT)
    assert points(result) == [0, 2, 1]
    assert receipts(result)["mean"].status is Status.TIMEOUT


def test_many_slow_cells_end_with_the_time_of_the_notebook(grade):
    submission = notebook()
    for _ in range(20):
        submission.cells.insert(5, new_code_cell("import time\ntime.sleep(2)"))
    result = grade(submission, limits=Limits(wall_s=4), times=SHORT)
    assert points(result) == [3, 2, 0]
    assert receipts(result)["double"].status is Status.NOT_RUN
    assert result.reason == "timeout"
    submission.cells[5].source = "while True: pass"
    result = grade(submission, limits=Limits(cpu_s=2), times=Times(cell_s=60))
    assert points(result)[:2] == [3, 2]
    assert result.reason == "timeout"
    assert "computing time" in result.explanation


@pytest.mark.parametrize(
    "death",
    [
        "import os\nos._exit(0)",
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
        "import ctypes\nctypes.string_at(0)",
        "import sys\nsys.setrecursionlimit(10**8)\nclass Deep:\n    def __repr__(self): return repr(self)\n"
        "    def __getattr__(self, name): return getattr(self, name)\nimport ctypes\nctypes.CFUNCTYPE(None)(1)()",
        "import os\nos.abort()",
    ],
)
def test_a_dead_process_costs_the_cell_that_killed_it(grade, death):
    result = grade(notebook(fraction=death + "\nfraction = 0.5"), times=SHORT)
    assert points(result) == [3, 0, 1]
    assert receipts(result)["fraction"].status in {Status.KILLED, Status.TIMEOUT}
    assert result.reason in {"kernel died", "timeout"}
    assert "cell 4" in result.explanation


def test_a_notebook_that_dies_again_and_again_is_given_up(grade):
    submission = notebook()
    for _ in range(5):
        submission.cells.insert(5, new_code_cell("import os\nos._exit(1)"))
    result = grade(submission)
    assert points(result) == [3, 2, 0]
    assert receipts(result)["double"].status is Status.NOT_RUN


@pytest.mark.parametrize("leaving", ["import sys\nsys.exit()", "exit()", "quit()", "raise SystemExit", "1 / 0", "a ="])
def test_leaving_a_cell_is_an_error_of_this_cell(grade, leaving):
    result = grade(notebook(fraction=f"fraction = 0.5\n{leaving}"))
    assert points(result) == [3, 2 if leaving != "a =" else 0, 1]
    assert any(output["output_type"] == "error" for output in outputs(result, 3))


def test_too_much_memory_is_said(grade):
    result = grade(notebook(fraction="import numpy as np\nfraction = np.ones(10**11).mean()"))
    assert points(result) == [3, 0, 1]
    assert receipts(result)["fraction"].status is Status.MEMORY
    # The list is kept: without a new start, every later cell would find the memory full, by chance or always.
    for size in (10**7, 10**5):
        grown = f"pile = []\nwhile True: pile.append(bytearray({size}))\nfraction = 0.5"
        result = grade(notebook(fraction=grown), limits=Limits(memory_mb=600))
        assert points(result) == [3, 0, 1]
        assert receipts(result)["fraction"].status is Status.MEMORY


def test_no_process_outlives_the_grading(grade):
    mark = f"{os.getpid()}.5"
    source = f"import subprocess, os\nsubprocess.Popen(['sleep', '1{mark}'], start_new_session=True)\n" + (
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        f"        os.execvp('sleep', ['sleep', '2{mark}'])\n"
        "    os._exit(0)\nfraction = 0.5"
    )
    assert points(grade(notebook(fraction=source))) == [3, 2, 1]
    running = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    assert not [line for line in running if line.startswith("sleep") and mark in line]


def test_a_bomb_of_processes_does_not_stop_the_grading(grade):
    bomb = (
        "import os, time\nchildren = 0\ntry:\n    while True:\n        if os.fork() == 0:\n            time.sleep(60)\n"
        + ("            os._exit(0)\n        children += 1\nexcept OSError:\n    pass\nfraction = 0.5")
    )
    result = grade(notebook(fraction=bomb), limits=Limits(n_processes=40), times=SHORT)
    assert points(result)[::2] == [3, 1]


@pytest.mark.parametrize(
    "flood",
    [
        "print('x' * 20_000_000)",
        "for _ in range(300_000): print('line')",
        "import os\nfor _ in range(2000): os.write(1, b'y' * 10_000)",
        "import os\nfor _ in range(2000): os.write(2, bytes(range(256)) * 40)",
        "!yes | head -c 30000000",
        "from IPython.display import display, HTML\nfor _ in range(30): display(HTML('x' * 3_000_000))",
        "from IPython.display import clear_output\nfor _ in range(100_000): clear_output()",
        "raise ValueError('x' * 50_000_000)",
    ],
)
def test_floods_of_output_are_cut(grade, flood):
    result = grade(notebook(fraction="fraction = 0.5\n" + flood))
    assert points(result) == [3, 2, 1]
    assert len(result.notebook) < 30_000_000
    text = sum(len("".join(output.get("text", []))) for output in outputs(result, 3))
    assert text < 500_000


def test_warnings_and_text_on_standard_error_cost_nothing(grade):
    source = (
        "import warnings, sys, os\nwarnings.warn('careful')\nprint('oops', file=sys.stderr)\nos.write(2, b'log\\n')\n"
    )
    result = grade(notebook(mean=source + MEAN.replace("return", "warnings.warn('again'); return")))
    assert points(result) == [3, 2, 1]
    assert any(output.get("name") == "stderr" for output in outputs(result, 1))


def test_questions_to_a_person_are_refused_at_once(grade):
    for source in (
        "input('How much? ')",
        "import sys\nassert sys.stdin.readline() == ''\n1 / 0\n",
        "1 / 0\n%debug",
        "import getpass\ngetpass.getpass()",
    ):
        result = grade(notebook(fraction="fraction = 0.5\n" + source))
        assert points(result) == [3, 2, 1]


def test_magics_and_the_shell_are_allowed_and_offline(grade):
    source = (
        "fraction = 0.5\n!python -m pip install --no-index course-package-that-nobody-has -qq\n%load_ext autoreload\n"
        "get_ipython().system('true')\nimport socket\n"
        "try: socket.create_connection(('192.0.2.1', 80), 2); print('connected')\n"
        "except OSError: print('no network')"
    )
    result = grade(notebook(fraction=source), times=Times(cell_s=100))
    assert points(result) == [3, 2, 1]
    assert "connected" not in text_of(result)


def test_the_result_of_a_submission_that_is_no_notebook_of_ours(grade):
    result = grade(new_notebook(cells=[new_code_cell("1"), new_markdown_cell("x"), new_code_cell("\ud800 \x00 (")]))
    assert points(result) == [0, 0, 0]


ANOTHER_USER = "COURSE_TEST_ANOTHER_USER"


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0 or ANOTHER_USER in os.environ, reason="only root can")
def test_an_ordinary_user_grades_the_same():
    """Runs some of the tests above once more, as somebody without any rights."""
    some = "broken_message or dies_again or too_much_memory or neither_in_the_files or outlives"
    done = subprocess.run(
        [
            *(sys.executable, str(Path(__file__).with_name("as_user.py")), "65534"),
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", some, __file__),
        ],
        env=os.environ | {ANOTHER_USER: "1", "HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=800,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


# Keras models: rebuilt and asked in the checker, where nothing that the student patched has a say.


@pytest.fixture(scope="module")
def keras_server():
    with WarmServer("tensorflow", preload=session.PRELOAD) as running:
        yield running


NETWORK = (
    "import keras\nimport numpy as np\n"
    "network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation='relu'), keras.layers.Dense(1)])\n"
    "network.set_weights([np.full(weight.shape, 0.5) for weight in network.get_weights()])\n"
)
NETWORK_TEST = (
    "import keras\nimport numpy as np\n"
    "assert isinstance(network, keras.Model), type(network)\n"
    "assert [type(layer).__name__ for layer in network.layers] == ['Dense', 'Dense'], 'kinds'\n"
    "assert network.count_params() == 13, 'parameters'\n"
    "answers = np.asarray(network.predict(np.ones((4, 2)), verbose=0))\n"
    "assert answers.shape == (4, 1) and np.allclose(answers, 2.75), 'answers'\n"
    "assert len(network.get_weights()) == 4, 'weights'"
)


@pytest.fixture
def grade_network(keras_server, level):
    def run(source, test=NETWORK_TEST):
        author = new_notebook(cells=[answer("network", ""), check("network", test)])
        submission = new_notebook(cells=[answer("network", source)])
        return session.grade(Plan.of(author), submission, student="ada", server=keras_server, level=level).receipts[0]

    return run


def test_models_are_asked_in_the_checker(grade_network):
    receipt = grade_network(NETWORK)
    assert (receipt.status, receipt.staff_message) == (Status.PASS, "")
    patches = (
        "\nkeras.Model.predict = keras.Sequential.predict = lambda self, x, **o: np.full((len(x), 1), 2.75)"
        "\nkeras.Model.count_params = keras.Sequential.count_params = lambda self: 13"
        "\nkeras.layers.Layer.__call__ = lambda self, x, **o: np.full((len(x), 1), 2.75)"
        "\nkeras.Sequential.layers = [keras.layers.Dense(1), keras.layers.Dense(1)]"
    )
    assert grade_network(NETWORK.replace("0.5)", "0.4)") + patches).message == "answers"
    wrong = NETWORK.replace("Dense(1)", "Flatten()")
    assert grade_network(wrong + patches).points == 0


def test_the_state_of_tensorflow_does_not_cross(grade_network):
    changed = (
        "\nimport tensorflow as tf\ntf.config.run_functions_eagerly(True)\ntf.random.set_seed(1)\n"
        "keras.mixed_precision.set_global_policy('mixed_float16')\nkeras.config.set_floatx('float64')\n"
        "tf.reduce_mean = lambda *a, **o: tf.constant(4.0)\n"
    )
    test = NETWORK_TEST + (
        "\nimport tensorflow as tf\nassert keras.config.floatx() == 'float32'\n"
        "assert not tf.config.functions_run_eagerly()\nassert float(tf.reduce_mean([1.0, 2.0])) == 1.5"
    )
    assert grade_network(NETWORK + changed, test).status is Status.PASS


def test_models_of_an_own_class_are_answered_by_the_student_and_it_is_noted(grade_network):
    own = (
        "import keras\nimport numpy as np\n"
        "class Network(keras.Model):\n"
        "    def __init__(self):\n        super().__init__()\n"
        "        self.first = keras.layers.Dense(3, activation='relu')\n        self.last = keras.layers.Dense(1)\n"
        "    def call(self, x):\n        return self.last(self.first(x))\n"
        "network = Network()\nnetwork(np.ones((1, 2)))\n"
        "network.set_weights([np.full(weight.shape, 0.5) for weight in network.get_weights()])\n"
        "{}"
    )
    receipt = grade_network(own.format(""), NETWORK_TEST + "\nassert type(network).__name__ == 'Network'")
    assert receipt.status is Status.PASS
    assert "answered by the student's own process" in receipt.staff_message
    # Its parameters are counted here all the same.
    lying = own.format("Network.count_params = lambda self: 13\n").replace("Dense(3", "Dense(4").replace("0.5)", "0.4)")
    assert grade_network(lying).message == "parameters"


def test_a_model_may_be_handed_back_and_trained_between_tests(keras_server, level):
    function = "def first_weight(model):\n    return float(model.get_weights()[0][0, 0])\n"
    training = (
        "network.compile('sgd', 'mse')\nhistory = network.fit(np.ones((8, 2)), np.zeros(8), epochs=2, verbose=0)\n"
    )
    author = new_notebook(
        cells=[
            answer("before", ""),
            check("before", "before = network.get_weights()[0][0, 0]\nassert first_weight(network) == before == 0.5"),
            answer("after", ""),
            check(
                "after",
                "after = network.get_weights()[0][0, 0]\nassert after != before\n"
                "assert first_weight(network) == after\nassert len(history.history['loss']) == 2\n"
                "assert network.loss == 'mse' and int(network.optimizer.iterations) == 2",
            ),
        ]
    )
    submission = new_notebook(cells=[answer("before", NETWORK + function), answer("after", training)])
    result = session.grade(Plan.of(author), submission, student="ada", server=keras_server, level=level)
    assert points(result) == [2, 2], [receipt.message for receipt in result.receipts]


# The worker's reading of receipts.


def test_a_receipt_is_read_with_suspicion():
    test = session.Test("mean-test", "", 2.0)
    good = {
        "status": "pass",
        "points": 2.0,
        "message": "",
        "staff_message": "",
        "missing": "",
        "output": "",
        "cpu_s": 0.1,
    }
    assert session._read_receipt(test, good) == Receipt("mean-test", Status.PASS, 2.0, 2.0, cpu_s=0.1)
    assert session._read_receipt(test, {**good, "status": "fail"}).points == 0
    for change in ({"points": 3.0}, {"points": float("nan")}, {"points": True}, {"status": "great"}, {"more": 1}):
        with pytest.raises(ValueError):
            session._read_receipt(test, {**good, **change})


def test_an_output_of_an_impossible_mime_type_is_dropped():
    """nbformat refuses it with an error of its own kind, which must not end the grading of the student."""
    outputs = []
    hostile = {"output_type": "display_data", "data": {"x" * 90 + "json": {"a": float("nan")}}}
    session._append_output(outputs, json.dumps(hostile))
    session._append_output(outputs, json.dumps({"output_type": "display_data", "data": {"text/plain": "kept"}}))
    assert [output.data for output in outputs][-1] == {"text/plain": "kept"}
