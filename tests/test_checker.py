"""The checker: where names come from, what a test gives, and what a student's process can make it do."""

import contextlib
import inspect
import socket
import threading

import numpy as np
import pytest

from autograder import checker
from autograder.channel import Channel, ChannelClosed, ChannelTimeout, decode, encode
from autograder.checker import Checker, Handle, Link, StudentError, Test, hidden_lines
from autograder.results import Status

Test.__test__ = False  # pytest takes it for a class of tests


def evaluate(source, points=2.0, evaluator=None, seconds=30.0, **more):
    return (evaluator or Checker()).run(Test("task-test", source, points, **more), seconds)


class Student:
    """The other end of the channel, in a thread: answers each operation as the test wants."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []
        self.ours, theirs = socket.socketpair()
        self.channel = Channel(theirs)
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        with contextlib.suppress(ChannelClosed, ChannelTimeout):
            while True:
                _, number, operation, _, arguments = decode(
                    self.channel.receive(seconds=60), lambda kind, content: content
                )
                self.asked.append((operation, arguments))
                answer = self.answers.get(operation, ("NameError", f"name {arguments!r} is not defined", ""))
                answer = answer(arguments) if callable(answer) else answer
                good = not (type(answer) is tuple and len(answer) == 3 and type(answer[0]) is str)
                self.channel.send(encode(["answer", number, good, answer], lambda value: (value.kind, value.content)))

    def checker(self):
        evaluator = Checker()
        evaluator.connect(self.ours.detach())
        return evaluator


class Exported:
    def __init__(self, kind, content):
        self.kind, self.content = kind, content


def reference(number=1, name="Body", is_callable=True, kinds=(), note=""):
    content = {"number": number, "class": name, "callable": is_callable, "kinds": list(kinds), "note": note}
    return Exported("reference", content)


def test_a_test_passes_fails_and_errs():
    assert evaluate("assert 1 + 1 == 2")["status"] == "pass"
    failed = evaluate("assert 1 + 1 == 3, 'one and one is two'")
    assert (failed["status"], failed["points"], failed["message"]) == ("fail", 0.0, "one and one is two")
    assert "assert 1 + 1 == 3" in failed["staff_message"]
    assert evaluate("1 / 0")["message"] == "ZeroDivisionError: division by zero (in the line: 1 / 0)"
    assert evaluate("assert 1 == 2")["message"] == "Not fulfilled (in the line: assert 1 == 2)"
    assert evaluate("raise SystemExit")["status"] == "error"
    assert evaluate("assert (")["status"] == "error"
    assert evaluate("")["status"] == "pass"
    assert evaluate("[0] * 10**12")["status"] == "memory"


def test_hidden_parts_speak_through_their_messages_only():
    hidden = "print('shown')\n### BEGIN HIDDEN TESTS\nprint('not shown')\n{}\n### END HIDDEN TESTS"
    for line, status, message in [
        ("assert 1 == 2, 'what is wanted'", "fail", "what is wanted"),
        ("assert 1 == 2", "fail", "A further test of this task is not fulfilled."),
        ("{}['secret']", "error", "A further test of this task could not use your answer (KeyError)."),
    ]:
        result = evaluate(hidden.format(line))
        assert (result["status"], result["message"], result["output"]) == (status, message, "shown\n")
        assert line in result["staff_message"]


def test_a_statement_with_a_hidden_line_is_hidden_as_a_whole():
    source = "for n in (1, 2):\n    ### BEGIN HIDDEN TESTS\n    assert n == 1\n    ### END HIDDEN TESTS\n    pass"
    assert hidden_lines(source) == {2, 3, 4}
    assert "assert" not in evaluate(source)["message"]


def test_an_unclosed_hidden_region_hides_the_rest():
    assert hidden_lines("a\n### BEGIN HIDDEN TESTS\nb\nc") == {2, 3, 4}


def test_names_come_from_the_test_then_from_builtins_then_from_the_author_then_from_the_student():
    student = Student(name=lambda arguments: f"student's {arguments[0]}")
    evaluator = student.checker()
    given = {
        "limit": "limit = 3",
        "half": "def half(n):\n    return n / limit",
        "max": "def max(*n):\n    return 'own'",
    }
    assert evaluate("own = 1\nassert own == 1 and len([1]) == 1", evaluator=evaluator)["status"] == "pass"
    assert student.asked == []
    result = evaluate("assert half(6) == 2 and max(1, 2) == 'own'", evaluator=evaluator, given=given)
    assert result["status"] == "pass", result
    assert student.asked == []
    assert (
        evaluate('def inner():\n    return answer\nassert inner() == "student\'s answer"', evaluator=evaluator)[
            "points"
        ]
        == 2
    )
    assert student.asked == [("name", ["answer"])]
    assert evaluate("own", evaluator=evaluator)["status"] == "partial"  # the first test's
    assert evaluate("assert own != 1", evaluator=evaluator, superseded=("own",))["status"] == "pass"


def test_a_score_of_none_gives_points_only_where_the_test_itself_calls():
    student = Student(name=reference(), call=lambda _: None, get=lambda _: None, convert=lambda _: "text")
    evaluator = student.checker()
    for last_line, points in [
        ("import numpy as np\nnp.testing.assert_allclose(1, 1)", 2.0),
        ("print(value)", 2.0),
        ("value()", 0.0),
        ("value.score()", 0.0),
        ("value.score", 0.0),
        ("None if value is not None else 1", 0.0),
    ]:
        assert evaluate(last_line, evaluator=evaluator)["points"] == points, last_line


def test_private_names_are_never_the_students():
    student = Student(name=lambda arguments: 4)
    result = evaluate("assert helper == 4", evaluator=student.checker(), private=("helper",))
    assert (result["status"], student.asked) == ("error", [])


def test_a_value_is_fetched_once_a_test_and_anew_for_the_next():
    values = iter([[1], [2]])
    student = Student(name=lambda arguments: next(values))
    evaluator = student.checker()
    assert evaluate("value.append(5)\nassert value == [1, 5]", evaluator=evaluator)["status"] == "pass"
    assert evaluate("assert value == [2]", evaluator=evaluator)["status"] == "pass"


def test_a_missing_name_is_told():
    result = evaluate(
        "assert energy == 2", evaluator=Student(name=("NameError", "name 'energy' is not defined", "")).checker()
    )
    assert (result["status"], result["missing"]) == ("error", "energy")
    assert result["message"] == "`energy` is not defined in your notebook."


@pytest.mark.parametrize(
    "answer",
    [
        Exported("yours", 12345),
        Exported("yours", "os"),
        Exported("reference", {"number": 1}),
        Exported("reference", {**reference().content, "number": "1"}),
        Exported("reference", {**reference().content, "kinds": ["os"]}),
        Exported("reference", {**reference().content, "more": 1}),
        Exported("model", {"number": 1, "content": {}}),
        Exported("model", 7),
        Exported("generator", [1]),
        Exported("eval", "1"),
    ],
)
def test_references_that_are_none_are_tampering(answer):
    result = evaluate("value", evaluator=Student(name=answer).checker())
    assert (result["status"], result["points"]) == ("tampered", 0.0)


@pytest.mark.parametrize(
    ("operation", "answer", "test"),
    [
        ("convert", "4", "float(value)"),
        ("convert", True, "int(value)"),
        ("convert", -1, "len(value)"),
        ("convert", [1.0], "import numpy\nnumpy.asarray(value)"),
        ("convert", 4, "str(value)"),
        ("next", 7, "[part for part in value]"),
        ("next", [1] * 50, "next(iter(value))"),
        ("isinstance", 1, "isinstance(value, value)"),
    ],
)
def test_answers_of_another_type_are_tampering(operation, answer, test):
    student = Student(name=reference(), iterate=lambda arguments: reference(2), **{operation: answer})
    assert evaluate(test, evaluator=student.checker())["status"] == "tampered"


def test_handles_ask_and_are_named_like_the_students_class():
    student = Student(
        name=reference(name="Body"),
        get=lambda arguments: {"mass": 2.0}.get(arguments[1], ("AttributeError", "no", "")),
        call=lambda arguments: sum(arguments[1]),
        item=lambda arguments: arguments[1] * 2,
        convert=lambda arguments: {"float": 1.5, "len": 3, "str": "text", "array": np.arange(3)}[arguments[1]],
    )
    result = evaluate(
        "import numpy as np\n"
        "assert type(value).__name__ == 'Body' and value.mass == 2 and not hasattr(value, 'charge')\n"
        "assert value(1, 2) == 3 and value[4] == 8 and float(value) == 1.5\n"
        "assert len(value) == 3 and f'{value}' == 'text'\n"
        "assert np.asarray(value, dtype=float).tolist() == [0, 1, 2] and value is not None and value != None\n"
        "assert not hasattr(value, '_private') and not hasattr(value, '__array_interface__')\n",
        evaluator=student.checker(),
    )
    assert result["status"] == "pass", result


def test_a_class_name_is_a_name_only():
    student = Student(name=reference(name="Body'); import os #"))
    assert evaluate("assert type(value).__name__ == 'object'", evaluator=student.checker())["status"] == "pass"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ValueError", ValueError),
        ("ZeroDivisionError", ZeroDivisionError),
        ("AssertionError", AssertionError),
        ("StopIteration", StudentError),
        ("StopAsyncIteration", StudentError),
        ("GeneratorExit", StudentError),
        ("SystemExit", StudentError),
        ("BaseException", StudentError),
        ("UnicodeDecodeError", StudentError),
        ("ExceptionGroup", StudentError),
        ("OwnError", StudentError),
        ("print", StudentError),
    ],
)
def test_exceptions_are_built_from_a_fixed_table(name, expected):
    link = Link()
    student = Student(call=(name, "the text", ""))
    link.connect(Channel(student.ours))
    with pytest.raises(expected) as caught:
        link.ask("call", None)
    assert type(caught.value) is expected


def test_an_assertion_of_the_student_is_not_the_tests():
    result = evaluate("f()", evaluator=Student(name=reference(), call=("AssertionError", "ha", "line 3")).checker())
    assert (result["status"], result["message"]) == ("error", "Your code raised AssertionError: ha (line 3)")


def test_time_that_is_over_is_no_exception_that_a_test_can_wait_for(monkeypatch):
    monkeypatch.setattr(checker, "_POLITE_S", 0.0)
    result = evaluate("try:\n    while True: pass\nexcept BaseException:\n    pass", seconds=0.3)
    assert (result["status"], result["points"]) == ("timeout", 0.0)


def test_a_conversation_that_ended_stays_ended():
    student = Student(name=Exported("eval", "1"))
    evaluator = student.checker()
    assert evaluate("try:\n    value\nexcept BaseException:\n    pass", evaluator=evaluator)["status"] == "tampered"
    assert evaluate("other", evaluator=evaluator)["status"] == "tampered"
    evaluator.connect(Student(name=4).ours.detach())
    assert evaluate("assert other == 4", evaluator=evaluator)["status"] == "pass"


def test_without_a_process_a_test_is_killed():
    assert evaluate("value")["status"] == "killed"


# What the student's process may ask for.


def test_only_handed_out_things_can_be_asked_for_and_only_openly():
    link = Link()

    class Body:
        mass = 2.0
        module = np

        def speed(self):
            return 3.0

    def function():
        return Body

    body = Body()
    assert link.export(body)[0] == link.export(function)[0] == "reference"
    assert link.perform("get", [body, "mass"], 1.0) == 2.0
    speed = link.perform("get", [body, "speed"], 1.0)
    link.export(speed)
    assert link.perform("call", [speed, [], {}], 1.0) == 3.0
    for target, name in [
        (body, "module"),
        (body, "__class__"),
        (body, "_x"),
        (function, "__globals__"),
        (function, "x"),
    ]:
        with pytest.raises((AttributeError, TypeError)):
            link.perform("get", [target, name], 1.0)
    for arguments in (
        ["get", [np, "load"]],
        ["call", [print, ["x"], {}]],
        ["eval", [body]],
        ["call", [function, 1, 2]],
    ):
        with pytest.raises(checker.ChannelError):
            link.perform(*arguments, 1.0)


def test_modules_and_classes_are_not_handed_over():
    link = Link()
    for value in (np, socket.socket, type):
        with pytest.raises(TypeError, match="cannot hand over"):
            link.export(value)


def test_exceptions_of_a_tests_function_do_not_quote_the_test():
    assert checker._describe(ValueError("expected 918273")) == ("ValueError", "", "")


def test_a_generator_that_was_handed_over_goes_on_with_other_numbers():
    link, generator = Link(), np.random.default_rng(3)
    state = generator.bit_generator.state["state"]["state"]
    kind, content = link.export(generator)
    assert (kind, content[0]) == ("generator", state)
    known = np.random.default_rng(3).random(1000)
    assert not np.isin(generator.random(1000), known).any()


def test_inspect_finds_the_students_source(monkeypatch):
    link = Link()
    link.connect(Channel(Student(source="def f(): ...").ours))
    monkeypatch.setattr(inspect, "getsource", inspect.getsource)
    checker._make_inspect_ask(link)
    assert inspect.getsource(link.handle(reference().content)) == "def f(): ..."
    assert "def encode" in inspect.getsource(encode)


def test_handles_cannot_be_changed_compared_or_copied():
    link = Link()
    handle, other = (link.handle(reference(number).content) for number in (1, 2))
    assert handle == link.handle(reference(1).content)
    for action in (
        lambda: handle == 4,
        lambda: handle == other,
        lambda: handle < 4,
        lambda: handle - 4,
        lambda: 4 * handle,
        lambda: setattr(handle, "mass", 3),
        lambda: __import__("copy").copy(handle),
    ):
        with pytest.raises((TypeError, AttributeError)):
            action()
    assert isinstance(handle, Handle)


def test_status_words_are_those_of_the_records():
    for source in ("assert True", "assert False", "1 / 0"):
        assert Status(evaluate(source)["status"])
