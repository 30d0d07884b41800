"""The student's process by itself: cells as in a notebook, and answers to the checker's questions."""

import itertools
import json
import os
import select
import socket

import pytest

from autograder import session, student_process
from autograder.channel import Channel, Conversation, NotPlain, RemoteError, decode, encode
from autograder.warm_server import WarmServer

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system with fork")


@pytest.fixture(scope="module")
def server():
    with WarmServer("plain", preload=session.PRELOAD) as running:
        yield running


class Process:
    """A student's process with both of its connections in the hands of the test."""

    def __init__(self, server):
        control, their_control = socket.socketpair()
        channel, their_channel = socket.socketpair()
        self.control = Channel(control)
        self.text, their_text = os.pipe()
        passed = {
            "control": their_control.detach(),
            "channel": their_channel.detach(),
            "stdout": their_text,
            "stderr": os.dup(their_text),
        }
        self.process = server.fork("autograder.student_process:main", {"seed": 3}, descriptors=passed)
        for descriptor in passed.values():
            os.close(descriptor)
        self.conversation = Conversation(
            Channel(channel), self.perform, export=self.export, resolve=lambda kind, content: (kind, content)
        )
        self.numbers = itertools.count(1)
        assert decode(self.control.receive(seconds=120)) == ["ready"]

    def perform(self, operation, arguments, seconds):
        assert operation == "call"
        return 2 * arguments[1][0]

    def export(self, value):
        return "reference", {"number": 7, "class": "function"}

    def run(self, source, seconds=60.0, shown=True):
        """Run one cell; return its outputs and what the process says of it."""
        number, outputs = next(self.numbers), []
        self.control.send(encode(["run", number, source, seconds, shown]))
        while True:
            message = decode(self.control.receive(seconds=120))
            if message[0] == "done":
                assert message[1] == number
                return outputs, message[2:]
            outputs.append(json.loads(message[1]) if message[0] == "output" else message[0])

    def ask(self, *question):
        return self.conversation.ask(*question, seconds=60.0)

    def end(self):
        self.control.close()
        self.conversation.channel.close()
        self.process.wait(60)
        self.process.close()
        os.close(self.text)


@pytest.fixture
def process(server):
    running = Process(server)
    yield running
    running.end()


def texts(outputs, name="stdout"):
    return "".join(output["text"] for output in outputs if output.get("name") == name)


def test_text_and_rich_outputs_keep_their_order(process):
    outputs, (good, error, cpu_s) = process.run(
        "import sys\nfrom IPython.display import HTML, display\n"
        "print('one')\nprint('two', file=sys.stderr)\ndisplay(HTML('<b>three</b>'))\nprint('four')\n5"
    )
    parts = [(output.get("name"), output.get("text") or output["data"]["text/plain"]) for output in outputs]
    joined = itertools.groupby(parts, key=lambda part: part[0] or part)
    assert ["".join(text for _, text in group) for _, group in joined] == [
        "one\n",
        "two\n",
        "<IPython.core.display.HTML object>",
        "four\n",
        "5",
    ]
    assert outputs[-1]["output_type"] == "execute_result"
    assert (good, error) == (True, "")
    assert cpu_s >= 0


def test_pictures_travel_as_jupyter_stores_them(process):
    outputs, _ = process.run("from IPython.display import Image, display\ndisplay(Image(b'\\x89PNG', format='png'))")
    assert outputs[0]["data"]["image/png"] == "iVBORw=="


def test_errors_have_class_text_and_traceback_and_cost_no_other_cell(process):
    outputs, (good, error, _) = process.run("before = 1\n1 / 0")
    assert (outputs[0]["ename"], outputs[0]["evalue"]) == ("ZeroDivisionError", "division by zero")
    assert any("1 / 0" in line for line in outputs[0]["traceback"])
    assert (good, error) == (False, "ZeroDivisionError")
    for source in ("exit()", "import sys; sys.exit(3)", "raise KeyboardInterrupt", "x =", "input()"):
        assert process.run(source)[1][0] is False
    assert process.run("before")[0][0]["data"]["text/plain"] == "1"


def test_what_compiled_code_writes_comes_through_the_pipe(process):
    process.run("import os\nos.write(1, b'below'); os.write(2, b' too'); os.system('echo and a shell')")
    found = b""
    while b"shell\n" not in found:
        assert select.select([process.text], [], [], 60)[0]
        found += os.read(process.text, 1000)
    assert found == b"below tooand a shell\n"


def test_a_cell_is_interrupted_at_its_limit(process):
    outputs, (good, error, _) = process.run(
        "try:\n    while True:\n        pass\nfinally:\n    print('cleared')", seconds=5.0
    )
    assert (good, error) == (False, "KeyboardInterrupt")
    assert texts(outputs) == "cleared\n"
    assert process.run("1 + 1")[1][0] is True


def test_text_is_cut_in_the_cell_and_in_the_notebook(process):
    outputs, _ = process.run("for _ in range(10): print('x' * 99_999)")
    assert student_process.CELL_TEXT < len(texts(outputs)) < student_process.CELL_TEXT + 200
    assert "[cut:" in texts(outputs)
    total = len(texts(outputs)) + sum(len(texts(process.run("print('y' * 200_000)")[0])) for _ in range(15))
    assert total < student_process.NOTEBOOK_TEXT + 5_000


def test_a_cell_that_is_only_repeated_shows_nothing(process):
    outputs, (good, _, _) = process.run("print('again')\nagain = 3\nagain", shown=False)
    assert (outputs, good) == ([], True)
    assert process.ask("name", "again") == 3


def test_cleared_output_is_taken_back(process):
    outputs, _ = process.run("from IPython.display import clear_output\nprint('old')\nclear_output()\nprint('new')")
    assert texts(outputs[outputs.index("clear") + 1 :] if "clear" in outputs else outputs) == "new\n"


def test_a_second_run_draws_the_same_numbers(server):
    source = "import random\nimport numpy as np\nprint(random.random(), np.random.random())"
    seen = []
    for _ in range(2):
        running = Process(server)
        seen.append(texts(running.run(source)[0]))
        running.end()
    assert seen[0] == seen[1]


def test_names_are_those_of_the_notebook_and_no_others(process):
    process.run("value = 3\n_private = 4\nIn = 5")
    assert process.ask("name", "value") == 3
    assert process.ask("name", "In") == 5
    for name in ("missing", "_private", "get_ipython", "exit", "Out", "__name__", "print"):
        with pytest.raises(RemoteError) as caught:
            process.ask("name", name)
        assert caught.value.class_name == "NameError"


def test_questions_about_objects(process):
    process.run(
        "class Body:\n    mass = 2.0\n    def __len__(self): return 3\n    def __getitem__(self, k): return 2 * k\n"
        "    def __float__(self): return 1.5\nbody = Body()\n"
        "def apply(f, x): return f(x)\ndef count():\n    yield from range(5)"
    )
    kind, content = process.ask("name", "body")
    assert (kind, content["class"], content["callable"]) == ("reference", "Body", False)

    class Yours:
        """Stands for the student's own object when it is handed back."""

    numbers = {"body": content["number"], "apply": process.ask("name", "apply")[1]["number"]}
    numbers["count"] = process.ask("name", "count")[1]["number"]
    current = {"name": "body"}
    process.conversation.export = lambda value: (
        ("yours", numbers[current["name"]]) if isinstance(value, Yours) else process.export(value)
    )
    body = Yours()
    assert process.ask("get", body, "mass") == 2.0
    assert process.ask("item", body, 4) == 8
    assert [process.ask("convert", body, name) for name in ("len", "float", "bool")] == [3, 1.5, True]
    for question in (("get", body, "__class__"), ("get", body, "_hidden"), ("get", body, "charge")):
        with pytest.raises(RemoteError) as caught:
            process.ask(*question)
        assert caught.value.class_name == "AttributeError"
    current["name"] = "apply"
    assert process.ask("call", body, [len, 21], {}) == 42  # the function of the test is called back
    current["name"] = "count"
    iterator = process.ask("call", body, [], {})[1]["number"]
    numbers["iterator"], current["name"] = iterator, "iterator"
    numbers["parts"] = process.ask("iterate", body)[1]["number"]
    current["name"] = "parts"
    assert process.ask("next", body, 3) == [0, 1, 2]
    assert process.ask("next", body, 3) == [3, 4]


def test_exceptions_say_their_nearest_builtin_class_and_where(process):
    process.run(
        "class Own(ValueError): pass\nclass Other(Exception): pass\nclass Mute(Exception):\n"
        "    def __str__(self): raise TypeError\n"
        "def f(kind):\n    raise {'own': Own, 'other': Other, 'mute': Mute}[kind]('text')"
    )
    number = process.ask("name", "f")[1]["number"]
    process.conversation.export = lambda value: ("yours", number)
    for kind, expected in [
        ("own", ("ValueError", "text")),
        ("other", ("Other", "text")),
        ("mute", ("Mute", "(its text cannot be read)")),
    ]:
        with pytest.raises(RemoteError) as caught:
            process.ask("call", object(), [kind], {})
        assert (caught.value.class_name, caught.value.text) == expected
        assert "in f, line 6" in caught.value.where


def test_a_question_is_interrupted_at_its_limit_and_the_next_one_is_answered(process):
    process.run("value = 4\ndef f():\n    while True: pass")
    number = process.ask("name", "f")[1]["number"]
    process.conversation.export = lambda value: ("yours", number)
    with pytest.raises(RemoteError) as caught:
        process.conversation.ask("call", object(), [], {}, seconds=0.3)
    assert caught.value.class_name == "KeyboardInterrupt"
    assert process.ask("name", "value") == 4


def test_a_module_stays_where_it_is(process):
    process.run("import math")
    with pytest.raises(RemoteError) as caught:
        process.ask("name", "math")
    assert "a test imports what it uses itself" in caught.value.text
    assert issubclass(NotPlain, TypeError)


def test_it_ends_with_its_control_channel(server):
    running = Process(server)
    running.run("import threading, time\nthreading.Thread(target=lambda: time.sleep(1000)).start()")
    running.control.close()
    assert running.process.wait(60) == 0
    running.end()
