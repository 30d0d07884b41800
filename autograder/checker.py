"""The process that evaluates test cells; it never runs a line of the student's code.

Tests are ordinary Python. A name that they neither define nor import, and that is no built-in, is looked up in two
places: first among what the author's own given cells say (an import, a function, a constant), then in the student's
process, through `autograder.channel`. Plain values and Keras models come over by value; everything else is a `Handle`,
which asks the student's process whenever it is used, and can be wrong, but cannot compare itself with anything: all
comparisons are made here, between plain values.

The worker sends the tests through a pipe that the student's process does not have, and takes the receipts from it.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import inspect
import io
import linecache
import math
import numbers
import os
import random
import signal
import socket
import sys
import time
import traceback
import types
from dataclasses import dataclass, field

import numpy as np

from autograder import model_transport
from autograder.channel import (
    Channel,
    ChannelClosed,
    ChannelError,
    ChannelTimeout,
    Conversation,
    NotPlain,
    RemoteError,
    decode,
    encode,
)
from autograder.results import Status

#: Longest message for the student and for staff, and longest output of a test, in characters.
MESSAGE_LENGTH, STAFF_LENGTH, OUTPUT_LENGTH = 2_000, 20_000, 20_000
#: How much later than the student's process the checker looks at the clock, so that it gets an answer in most cases.
_POLITE_S = 2.0
_BEGIN, _END = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"


class StudentError(Exception):
    """The student's code raised an exception that has no built-in class."""


class Abandoned(BaseException):
    """A test cannot go on. No exception of Python's, so that no test takes it for the error it waits for."""

    def __init__(self, status: Status, text: str):
        super().__init__(text)
        self.status, self.text = status, text


@dataclass(frozen=True)
class Test:
    """One test cell as the worker hands it over.

    Attributes
    ----------
    grade_id, source : str
    points : float
        Most points.
    given : dict of str to str
        Statements of the author's cells that bind a name for this test: imports, functions, constants.
    superseded : tuple of str
        Names that cells since the last test bind anew: what earlier tests called so is forgotten.
    private : tuple of str
        Names that earlier tests bind. They never come from the student, also when that test broke off before it bound
        them: its helpers would otherwise be the student's to define.
    """

    grade_id: str
    source: str
    points: float
    given: dict[str, str] = field(default_factory=dict)
    superseded: tuple[str, ...] = ()
    private: tuple[str, ...] = ()


def main(arguments: dict, descriptors: dict[str, int]) -> None:
    """Serve until the worker closes the control channel; the entry point for the warm server."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    control = Channel.of_descriptor(descriptors["control"])
    checker = Checker()
    sys.modules["__main__"] = checker.module
    _make_inspect_ask(checker.link)
    control.send(encode(["ready"]))
    with contextlib.suppress(ChannelClosed):
        while True:
            message = decode(control.receive(seconds=math.inf))
            if message[0] == "seed":
                random.seed(message[1])
                np.random.seed(message[1])  # noqa: NPY002 - the generator that tests may use without a seed
            elif message[0] == "connect":
                checker.connect(_take_descriptor(control))
            elif message[0] == "disconnect":
                checker.disconnect()
            elif message[0] == "test":
                _, nonce, test, seconds = message
                receipt = checker.run(Test(**test), seconds)
                control.send(encode(["receipt", nonce, receipt]))
    os._exit(0)  # threads of TensorFlow do not end by themselves


def _take_descriptor(control: Channel) -> int:
    control.stream.setblocking(True)
    _, descriptors, _, _ = socket.recv_fds(control.stream, 1, 1)
    control.stream.setblocking(False)
    return descriptors[0]


# What the tests see of the student's process.


class Handle:
    """Something in the student's process. Its class is named like the student's."""

    __slots__ = ("_link", "_number")

    def __init__(self, link, number):
        object.__setattr__(self, "_link", link)
        object.__setattr__(self, "_number", number)

    def __getattr__(self, name):
        if name.startswith("_") and name not in {"__name__", "__qualname__"}:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return self._link.ask("get", self, name)

    def __setattr__(self, name, value):
        raise AttributeError(f"a test cannot change {name!r} of an object of the student")

    @property
    def __signature__(self):
        parameters = []
        for name, kind, has_default, default in self._link.ask("signature", self):
            default = default if has_default else inspect.Parameter.empty
            parameters.append(inspect.Parameter(name, inspect._ParameterKind(kind), default=default))
        return inspect.Signature(parameters)

    def __getitem__(self, key):
        return self._link.ask("item", self, key)

    def __len__(self):
        return self._link.number("len", self, int)

    def __iter__(self):
        iterator, n = self._link.ask("iterate", self), 1
        while True:
            parts = self._link.ask("next", iterator, n)
            if type(parts) is not list or len(parts) > n:
                raise self._link.violation("parts of an iterator that were not asked for")
            yield from parts
            if len(parts) < n:
                return
            n = min(2 * n, 1000)

    # Python would otherwise look for a value by comparing in the student's process.
    def __contains__(self, value):
        return any(value is part or value == part for part in self)

    def __bool__(self):
        return self._link.number("bool", self, bool)

    def __float__(self):
        return self._link.number("float", self, float)

    def __int__(self):
        return self._link.number("int", self, int)

    def __complex__(self):
        return self._link.number("complex", self, complex)

    def __index__(self):
        return self._link.number("index", self, int)

    def __str__(self):
        return self._link.number("str", self, str)

    def __repr__(self):
        return self._link.number("repr", self, str)

    def __format__(self, specification):
        return format(str(self), specification)

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self._link.number("array", self, np.ndarray), dtype=dtype)

    # Comparing is the test's business: an object of the student must not say whether it is right.
    def __eq__(self, other):
        if isinstance(other, Handle):
            if self._number == other._number:
                return True
        elif other is None:
            return False
        raise TypeError(
            f"an object of the type {type(self).__name__} cannot be compared: return plain numbers, strings or arrays"
        )

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return hash(self._number)

    def __instancecheck__(self, value):
        return isinstance(value, Handle) and self._link.number("isinstance", value, bool, self)

    def __subclasscheck__(self, kind):
        return isinstance(kind, Handle) and self._link.number("issubclass", kind, bool, self)

    def __reduce_ex__(self, protocol):
        raise TypeError(f"an object of the type {type(self).__name__} cannot be copied")


def _add_operators():
    """Arithmetic between two objects of the student (vectors of an own class, say).

    With a plain number on one side it is refused: ``abs(value - 4.0) < 1e-6`` must subtract here, not there.
    """

    def binary(name):
        def operate(self, other):
            if not isinstance(other, Handle):
                return NotImplemented
            return self._link.ask("operate", name, self, other)

        return operate

    def unary(name):
        return lambda self: self._link.ask("operate", name, self)

    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
        setattr(Handle, f"__{name}__", binary(name))
    for name in ("neg", "abs"):
        setattr(Handle, f"__{name}__", unary(name))


_add_operators()


class _Callable(Handle):
    __slots__ = ()

    def __call__(self, *arguments, **named):
        return self._link.ask("call", self, list(arguments), named)


class _Model(_Callable):
    """A Keras model that cannot travel: what it says comes from the student's process, but numbers are counted here."""

    __slots__ = ()

    def count_params(self):
        weights = self._link.ask("weights", self)
        if type(weights) is not list or any(type(array) is not np.ndarray for array in weights):
            raise self._link.violation("weights that are no arrays")
        return model_transport.count_parameters(weights)

    def evaluate(self, *arguments, **named):
        # It would get the right answers, and say itself how well it knew them.
        raise StudentError(f"{type(self).__name__} is a class of its own: it can be asked to predict, not to evaluate")


#: Exceptions of the student's code that tests may wait for. StopIteration is none of them: raised inside
#: ``all(map(function, values))`` it would end the loop early, and make it true.
_RAISABLE = {
    kind.__name__: kind
    for kind in vars(builtins).values()
    if isinstance(kind, type)
    and issubclass(kind, Exception)
    and not issubclass(kind, (StopIteration, StopAsyncIteration, Warning, ExceptionGroup))
    and kind is not Exception
}


class Link:
    """The conversation with the student's process, seen from the tests."""

    #: Wall time after which the current test is over.
    deadline = math.inf
    #: Seconds for one answer.
    patience_s = 120.0

    def __init__(self):
        self.conversation: Conversation | None = None
        self.models = model_transport.Rebuilder()
        #: Models that were rebuilt here, by identity: the model itself keeps the identity from being used again.
        self.rebuilt: dict[int, tuple[object, int]] = {}
        self.handed_out: dict[int, object] = {}
        self.classes: dict[tuple, type] = {}
        #: What ended the conversation, and what ended the current test.
        self.ended: Abandoned | None = None
        self.abandoned: Abandoned | None = None
        self.notes: list[str] = []
        self.names: dict[str, object] = {}

    def connect(self, channel: Channel) -> None:
        self.conversation = Conversation(
            channel, self.perform, export=self.export, resolve=self.resolve, describe=_describe
        )
        self.models = model_transport.Rebuilder()
        self.rebuilt, self.handed_out, self.names, self.ended = {}, {}, {}, None

    def ask(self, operation, *arguments):
        if self.ended is not None:
            self.abandoned = self.ended
            raise self.ended
        if self.conversation is None:
            raise self.end(Status.KILLED, "the process of the notebook is gone")
        seconds = min(self.patience_s, max(self.deadline - time.monotonic(), 0.1))
        try:
            return self.conversation.ask(operation, *arguments, seconds=seconds)
        except RemoteError as error:
            raise self.error_of(error) from None
        except ChannelError as error:
            raise self.violation(str(error)) from None
        except ChannelTimeout:
            raise self.end(Status.TIMEOUT, f"Your code did not answer within {seconds:.0f} s.") from None
        except ChannelClosed:
            raise self.end(Status.KILLED, "The process of your notebook ended while the test used it.") from None

    def number(self, name, target, kind, *arguments):
        """Ask for a value of one exact type."""
        operation, further = ("convert", (name,)) if not arguments else (name, arguments)
        value = self.ask(operation, target, *further)
        if type(value) is not kind or (name == "len" and value < 0):
            raise self.violation(f"{name} gave a {type(value).__name__}")
        return value

    def fetch(self, name):
        """The student's value of a name, one and the same for the whole test cell."""
        if name not in self.names:
            self.names[name] = self.ask("name", name)
        return self.names[name]

    def end(self, status: Status, text: str) -> Abandoned:
        self.ended = self.abandoned = Abandoned(status, text)
        return self.ended

    def violation(self, text: str) -> Abandoned:
        return self.end(Status.TAMPERED, f"The process of your notebook sent something that is no answer: {text}.")

    def error_of(self, error: RemoteError) -> BaseException:
        if error.class_name == "KeyboardInterrupt":
            # Not the end of the conversation: the answer came, and later tests may ask for other things.
            self.abandoned = Abandoned(Status.TIMEOUT, f"Your code was stopped: {error.text or 'it ran too long'}.")
            return self.abandoned
        if error.class_name == "NotPlain":
            exception = StudentError(error.text)
        else:
            kind = _RAISABLE.get(error.class_name)
            try:
                exception = kind(error.text) if kind else StudentError(f"{error.class_name}: {error.text}")
            except TypeError:  # UnicodeDecodeError wants more than a text
                exception = StudentError(f"{error.class_name}: {error.text}")
        exception.place_in_notebook = error.where
        return exception

    # What crosses the channel.

    def export(self, value):
        if isinstance(value, Handle):
            return "yours", value._number
        if id(value) in self.rebuilt:
            return "yours", self.rebuilt[id(value)][1]
        known = model_transport.export_value(value)
        if known is not None:
            if known[0] == "generator":
                # The student draws from a copy; here the test goes on with numbers that the copy does not give.
                value.bit_generator.state = value.bit_generator.jumped().state
            return known
        if isinstance(value, (types.ModuleType, type)) and not _is_test_class(value):
            raise NotPlain(f"a test cannot hand over {value.__name__}")
        number = id(value)
        self.handed_out[number] = value
        if model_transport.is_model(value):
            with contextlib.suppress(model_transport.NotTransportable):
                return "model", {"number": number, "content": model_transport.describe(value)}
        return "reference", {"number": number, "class": type(value).__name__}

    def resolve(self, kind, content):
        if kind == "yours":
            if type(content) is not int or content not in self.handed_out:
                raise ChannelError("a reference to something that was not handed out")
            return self.handed_out[content]
        if kind == "model":
            if type(content) is not dict or set(content) != {"number", "content"} or type(content["number"]) is not int:
                raise ChannelError("a model is incomplete")
            model = self.models.rebuild(content["number"], content["content"])
            self.rebuilt[id(model)] = (model, content["number"])
            return model
        if kind == "reference":
            return self.handle(content)
        return model_transport.resolve_value(kind, content)

    def handle(self, content):
        kinds = {"number": int, "class": str, "callable": bool, "kinds": list, "note": str}
        if type(content) is not dict or {key: type(value) for key, value in content.items()} != kinds:
            raise ChannelError("a reference is incomplete")
        if any(kind not in {"keras.Model", "keras.layers.Layer"} for kind in content["kinds"]):
            raise ChannelError("a reference to something of an unknown kind")
        name = content["class"] if content["class"].isidentifier() and len(content["class"]) < 200 else "object"
        key = (name, content["callable"], *content["kinds"])
        if key not in self.classes:
            self.classes[key] = _handle_class(*key)
        if content["note"]:
            self.note(f"{name} is answered by the student's own process: {content['note'][:300]}")
        return self.classes[key](self, content["number"])

    def note(self, text):
        if text not in self.notes and len(self.notes) < 20:
            self.notes.append(text)

    # What the student's code may ask of functions and objects that a test handed over.

    def perform(self, operation, arguments, seconds):
        if operation not in {"call", "get", "item", "len", "list"} or not arguments:
            raise ChannelError(f"the operation {operation!r} does not exist")
        target = arguments[0]
        if not any(target is value for value in self.handed_out.values()):
            raise ChannelError("a question about something that was not handed out")
        if operation == "call" and len(arguments) == 3 and type(arguments[1]) is list and type(arguments[2]) is dict:
            if any(type(name) is not str for name in arguments[2]):
                raise ChannelError("arguments without a name")
            return target(*arguments[1], **arguments[2])
        if operation == "get" and len(arguments) == 2 and type(arguments[1]) is str:
            return self.public_attribute(target, arguments[1])
        if operation == "item" and len(arguments) == 2:
            return target[arguments[1]]
        if operation == "len" and len(arguments) == 1:
            return len(target)
        if operation == "list" and len(arguments) == 1:
            return list(target)
        raise ChannelError(f"the operation {operation!r} is incomplete")

    def public_attribute(self, target, name):
        # Functions have no public attributes; of objects only methods and plain values are given away, since through
        # anything else (a module, a frame, a class) one could reach the tests.
        if name.startswith("_") or isinstance(target, (types.FunctionType, types.MethodType, types.BuiltinMethodType)):
            raise AttributeError(name)
        value = getattr(target, name)
        if not isinstance(value, (types.MethodType, types.BuiltinMethodType)):
            encode(value)
        return value


def _is_test_class(value) -> bool:
    return isinstance(value, type) and value.__module__ == "__main__"


def _describe(error):
    # The text could quote a hidden test; the student's code gets the class only.
    return type(error).__name__, "", ""


def _handle_class(name, is_callable, *kinds):
    base = _Model if "keras.Model" in kinds else _Callable if is_callable else Handle
    content = {"__slots__": (), "__doc__": property(lambda self: self._link.ask("get", self, "__doc__"))}
    if kinds:
        import keras

        # isinstance(network, keras.Model) is true for a model of the student's own class as well.
        parent = keras.Model if kinds[0] == "keras.Model" else keras.layers.Layer
        pretended = type(name, (parent,), {})
        content["__class__"] = property(lambda self: pretended)
    return type(name, (base,), content)


# Evaluation.


class _Names(dict):
    """The built-ins of the tests, and behind them the names that come from somewhere else."""

    def __init__(self, find):
        super().__init__(vars(builtins))
        self._find = find

    def __missing__(self, name):
        return self._find(name)


@dataclass
class _Part:
    """Consecutive statements of a test cell that are all visible or all hidden."""

    statements: list[ast.stmt]
    hidden: bool


class Checker:
    """Evaluates test cells, one after the other, in one namespace."""

    def __init__(self):
        self.link = Link()
        self.test: Test | None = None
        # A module of its own, as the notebook is one for the student: classes and dataclasses look it up.
        self.module = types.ModuleType("__main__")
        self.namespace = vars(self.module)
        self.namespace["__builtins__"] = _Names(self.find)

    def connect(self, descriptor: int) -> None:
        self.link.connect(Channel.of_descriptor(descriptor))

    def disconnect(self) -> None:
        if self.link.conversation is not None:
            self.link.conversation.channel.close()
        self.link.conversation = None

    def find(self, name: str):
        """Find a name that the tests neither define nor import, and that is no built-in."""
        statement = self.test.given.get(name)
        if statement is not None:
            exec(compile(statement, f"<given {name}>", "exec"), self.namespace)
            if name in self.namespace:
                return self.namespace[name]
        if name.startswith("__"):
            raise KeyError(name)
        if name in self.test.private:
            raise NameError(f"an earlier test broke off before it defined {name!r}")
        return self.link.fetch(name)

    def run(self, test: Test, seconds: float) -> dict:
        """Evaluate one test cell.

        Parameters
        ----------
        test : Test
        seconds : float
            Wall time that it may take.

        Returns
        -------
        dict
            ``status``, ``points``, ``message``, ``staff_message``, ``missing`` (a name that the notebook does not
            define, or ""), ``output``, ``cpu_s``.
        """
        link = self.link
        link.names, link.notes, link.deadline, link.abandoned = {}, [], time.monotonic() + seconds, None
        for name in test.superseded:
            self.namespace.pop(name, None)
        self.test = test
        for name in test.given.keys() & vars(builtins).keys():
            self.find(name)
        start = time.process_time()
        outcome = _Outcome(test)
        output = _Output()
        try:
            parts = _parts(test)
            quiet = contextlib.redirect_stderr(io.StringIO())
            with contextlib.redirect_stdout(output), quiet, _alarm(seconds + _POLITE_S, link):
                for part in parts:
                    output.hidden = outcome.hidden = part.hidden
                    outcome.value = self._execute(part, test)
            outcome.names_of_student = frozenset(link.names)
            outcome.judge_value()
        except BaseException as error:  # SystemExit too: a test must not end the grading
            outcome.judge_error(error)
        if link.abandoned is not None and link.abandoned.status is not outcome.status:
            # A bare except in the test caught what ended it; there is no honest result.
            outcome.judge_error(link.abandoned)
        staff = "\n".join([outcome.staff_message, *link.notes]).strip()
        return {
            "status": outcome.status.value,
            "points": outcome.points,
            "message": outcome.message[:MESSAGE_LENGTH],
            "staff_message": staff[-STAFF_LENGTH:],
            "missing": outcome.missing,
            "output": output.text(),
            "cpu_s": time.process_time() - start,
        }

    def _execute(self, part, test):
        """Run statements; give the value of the last one if it is an expression."""
        name = _file_name(test)
        statements, last = part.statements, None
        if isinstance(statements[-1], ast.Expr):
            statements, last = statements[:-1], statements[-1]
        exec(compile(ast.Module(statements, []), name, "exec"), self.namespace)
        if last is None:
            return None
        return eval(compile(ast.Expression(last.value), name, "eval"), self.namespace)


def _file_name(test):
    return f"<test {test.grade_id}>"


def _parts(test: Test) -> list[_Part]:
    name = _file_name(test)
    # Tracebacks for staff read the source from here.
    linecache.cache[name] = (len(test.source), None, test.source.splitlines(keepends=True), name)
    hidden = hidden_lines(test.source)
    parts: list[_Part] = []
    for statement in ast.parse(test.source, name).body:
        first = min([statement.lineno, *(item.lineno for item in getattr(statement, "decorator_list", []))])
        is_hidden = not hidden.isdisjoint(range(first, statement.end_lineno + 1))
        if not parts or parts[-1].hidden is not is_hidden:
            parts.append(_Part([], is_hidden))
        parts[-1].statements.append(statement)
    return parts


def hidden_lines(source: str) -> set[int]:
    """Numbers of the lines that students do not see, the markers included.

    Examples
    --------
    >>> sorted(hidden_lines("a\\n### BEGIN HIDDEN TESTS\\nb\\n### END HIDDEN TESTS\\nc"))
    [2, 3, 4]
    """
    hidden, inside = set(), False
    for number, line in enumerate(source.split("\n"), start=1):
        inside = inside or _BEGIN in line
        if inside:
            hidden.add(number)
        inside = inside and _END not in line
    return hidden


class _Output(io.TextIOBase):
    """What a test prints; what its hidden part prints is dropped."""

    hidden = False

    def __init__(self):
        self._kept: list[str] = []
        self._left = OUTPUT_LENGTH

    def writable(self):
        return True

    def write(self, text):
        if not self.hidden and self._left > 0:
            self._kept.append(str(text)[: self._left])
            self._left -= len(self._kept[-1])
        return len(text)

    def text(self):
        return "".join(self._kept)


class _Outcome:
    """Status, points and words of one test."""

    def __init__(self, test):
        self.test = test
        self.status, self.points = Status.PASS, float(test.points)
        self.message = self.staff_message = ""
        self.hidden, self.value, self.missing = False, None, ""
        self.names_of_student: frozenset[str] = frozenset()

    def judge_value(self):
        """Full marks, unless the last line of the cell says otherwise."""
        value, most = self.value, float(self.test.points)
        if isinstance(value, (bool, np.bool_)):
            if not value:
                self.fail(Status.FAIL, "The last line of the test is not true.", "the value of the last line is False")
            return
        if not self._ends_in_value():
            return
        if value is None and self._ends_in_call_of_the_test():
            return  # an assertion in the form of a call
        number = _real_number(value)
        if number is None:
            self.fail(
                Status.ERROR,
                "Your answer gives no number where the score of this test is computed.",
                f"the last line gives a {type(value).__name__}, no number; in doubt there are no points "
                "(end a test in an assertion or in a number)",
            )
        elif not math.isfinite(number):
            self.fail(Status.FAIL, f"Your answer gives the score {number}.", f"nonfinite-score: the score is {number}")
        else:
            self.points = min(max(number, 0.0), most)
            if number != self.points:
                self.staff_message = f"the score {number:g} lies outside 0 ... {most:g} and counts {self.points:g}"
            if self.points < most:
                self.status = Status.PARTIAL if self.points > 0 else Status.FAIL
                self.message = f"{self.points:g} of {most:g} points for this test."

    def _ends_in_value(self):
        """Whether the last statement computes something; a bare text is only a remark."""
        last = self._last_statement()
        return isinstance(last, ast.Expr) and not isinstance(last.value, (ast.Constant, ast.JoinedStr))

    def _ends_in_call_of_the_test(self):
        """Whether the last line calls something of the test's own: a student's function that gives None is no score."""
        called = self._last_statement().value
        if not isinstance(called, ast.Call):
            return False
        while isinstance(called, (ast.Call, ast.Attribute, ast.Subscript)):
            called = called.func if isinstance(called, ast.Call) else called.value
        return isinstance(called, ast.Name) and called.id not in self.names_of_student

    def _last_statement(self):
        body = ast.parse(self.test.source).body
        return body[-1] if body else None

    def judge_error(self, error):
        details = "".join(traceback.format_exception(error))
        place = getattr(error, "place_in_notebook", None)
        if isinstance(error, Abandoned):
            self.fail(error.status, error.text, details)
        elif place is not None:
            self.fail(Status.ERROR, self._words_of_student_error(error, place), details)
        elif isinstance(error, AssertionError):
            self.fail(Status.FAIL, str(error) or self._words_without_message(error), details)
        elif isinstance(error, MemoryError):
            self.fail(Status.MEMORY, "The test needed more memory than there is.", details)
        elif self.hidden:
            # Its text may quote what the hidden test compares with.
            self.fail(Status.ERROR, f"A further test of this task could not use your answer ({_name(error)}).", details)
        else:
            self.fail(Status.ERROR, f"{_name(error)}: {error}{self._line_of(error)}", details)

    def _words_of_student_error(self, error, place):
        name = str(error).split("'")[1] if isinstance(error, NameError) and str(error).count("'") == 2 else None
        if name and not place:
            self.missing = name
            return f"`{name}` is not defined in your notebook."
        if self.hidden:
            # The text of an exception could carry the numbers of a hidden test to where they can be read.
            return f"In a further test of this task your code raised {_name(error)}."
        where = f" ({place})" if place else ""
        if isinstance(error, StudentError):
            return f"Your code: {error}{where}"
        return f"Your code raised {_name(error)}{f': {error}' if str(error) else ''}{where}"

    def _words_without_message(self, error):
        return (
            "A further test of this task is not fulfilled." if self.hidden else f"Not fulfilled{self._line_of(error)}"
        )

    def _line_of(self, error):
        name = _file_name(self.test)
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename == name:
                return f" (in the line: {frame.line})"
        return ""

    def fail(self, status, message, staff_message):
        self.status, self.points, self.message, self.staff_message = status, 0.0, message, staff_message


def _name(error):
    return type(error).__name__


def _real_number(value):
    """A score as a float; None if it is no single real number. All types are exact here: nothing of the student's."""
    if isinstance(value, numbers.Real):
        return float(value)
    if type(value) is np.ndarray or model_transport.export_value(value) is not None:
        array = np.asarray(value)
        if array.shape == () and array.dtype.kind in "iuf":
            return float(array)
    return None


@contextlib.contextmanager
def _alarm(seconds, link):
    def ring(number, frame):
        link.abandoned = Abandoned(Status.TIMEOUT, "The test ran longer than its time limit.")
        raise link.abandoned

    handler = signal.signal(signal.SIGALRM, ring)
    timer = signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.01))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, *timer)


def _make_inspect_ask(link):
    """Let tests read the source of the student's functions; inspect would find the one of `Handle`."""
    original = inspect.getsource

    def getsource(target):
        if not isinstance(target, Handle):
            return original(target)
        source = link.ask("source", target)
        if type(source) is not str:
            raise link.violation("source that is no text")
        return source

    inspect.getsource = getsource
