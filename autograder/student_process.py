"""The process that runs a student's notebook: cells in, outputs out, and answers to the checker's questions.

It is forked from the warm server into the sandbox and holds no test. Whatever it sends is judged by the processes
outside; nothing here protects anybody, it only gives honest code what a notebook gives: magics, top-level ``await``,
rich output, text of compiled code, a time limit for each cell, and an end that costs no other cell.
"""

from __future__ import annotations

import base64
import contextlib
import gc
import inspect
import io
import itertools
import json
import mmap
import operator
import os
import random
import select
import signal
import sys
import time
import traceback
import types

import numpy as np

from autograder import model_transport
from autograder.channel import Channel, ChannelClosed, Conversation, NotPlain, RemoteError, decode, encode

#: Characters of text that one cell and one notebook may print; what comes later is dropped with a note.
CELL_TEXT, NOTEBOOK_TEXT = 100_000, 1_000_000
#: Characters of one rich output (a figure) and of all in the notebook.
OUTPUT_SIZE, NOTEBOOK_OUTPUT_SIZE = 4_000_000, 20_000_000
#: Text is sent when so much of it waits, or after so long: a line at a time is slow, and what waits dies with a crash.
_WAITING_TEXT, _WAITING_S = 4096, 0.05
#: Instead of "MemoryError", when the notebook goes on holding what filled its memory: no later cell could do anything.
NO_ROOM = "MemoryError, and no room"
#: Parts of an iterator that are sent at once, at most.
_MOST_PARTS = 1000
#: Special names that the checker may ask an object for; all others that begin with an underscore are private.
_SPECIAL_NAMES = {"__name__", "__qualname__", "__doc__"}


def main(arguments: dict, descriptors: dict[str, int]) -> None:
    """Serve until the worker closes the control channel; the entry point for the warm server.

    Parameters
    ----------
    arguments : dict
        ``seed`` (int) for numpy's global generator; ``spare_mb`` (int, 64), megabytes that a notebook needs to go on
        after a cell ran out of memory.
    descriptors : dict
        ``control`` and ``channel`` are sockets to the worker and to the checker. What compiled code and child
        processes write goes to the worker through the usual descriptors 1 and 2.
    """
    control = Channel.of_descriptor(descriptors["control"])
    channel = Channel.of_descriptor(descriptors["channel"])
    # Code that forgot to set a seed gives the same numbers whenever it is graded.
    random.seed(arguments["seed"])
    np.random.seed(arguments["seed"])  # noqa: NPY002 - the generator that students' code uses
    os.environ["COURSE_FRONT_END"] = "0"  # no widgets: nobody will look at them
    os.environ["PLOTLY_RENDERER"] = "plotly_mimetype"
    notebook = Notebook(control, arguments.get("spare_mb", 64))
    answers = Answers(notebook.shell)
    conversation = Conversation(
        channel, answers.perform, export=answers.export, resolve=answers.resolve, describe=answers.describe
    )
    answers.conversation = conversation
    control.send(encode(["ready"]))
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(channel, select.POLLIN)
    with contextlib.suppress(ChannelClosed):
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if channel.fileno() in ready:
                try:
                    conversation.answer_next(seconds=60.0)
                except Exception:  # the checker is gone, or a message was broken: cells may still run
                    poll.unregister(channel)
            elif control.fileno() in ready:
                message = decode(control.receive(seconds=60.0))
                if message[0] == "run":
                    control.send(encode(["done", message[1], *notebook.run(*message[2:])]))
    # Threads of TensorFlow and of the student do not end by themselves.
    os._exit(0)


@contextlib.contextmanager
def time_limit(seconds: float, message: str):
    """Raise KeyboardInterrupt with this message in the main thread when the time is over."""

    def ring(number, frame):
        raise KeyboardInterrupt(message)

    signal.signal(signal.SIGALRM, ring)
    # Again and again, for a loop that swallows one; the worker ends what survives them all.
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.01), 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class Notebook:
    """An IPython shell whose outputs go to the worker.

    Parameters
    ----------
    control : Channel
        Takes ``["output", text]`` with the JSON of an nbformat output, and ``["clear"]``.
    spare_mb : int
        Megabytes that must be left after a cell ran out of memory.
    """

    def __init__(self, control: Channel, spare_mb: int = 0):
        self.control = control
        self.spare_mb = spare_mb
        self.text_left = self.notebook_text_left = NOTEBOOK_TEXT
        self.size_left = NOTEBOOK_OUTPUT_SIZE
        self.waiting: list[tuple[str, str]] = []
        self.last_sent = 0.0
        self.shows_something = False
        self.shell = _make_shell(self)
        sys.stdout, sys.stderr = _Stream(self, "stdout"), _Stream(self, "stderr")

    def run(self, source: str, seconds: float, shown: bool) -> list:
        """Run one cell; return whether it ended without an error, the class of the error, and CPU seconds."""
        self.text_left = min(CELL_TEXT, self.notebook_text_left) if shown else 0
        self.shown, self.shows_something = shown, False
        before = time.process_time()
        error = result = None
        try:
            with time_limit(seconds, f"the cell ran longer than its limit of {seconds:.0f} s and was stopped"):
                result = self.shell.run_cell(source, store_history=True)
            error = result.error_before_exec or result.error_in_exec
        except BaseException as broken:  # the student's code changed the shell, or the alarm rang outside the cell
            error = broken
            self.output(output_type="error", ename=type(broken).__name__, evalue=str(broken), traceback=[])
        for stream in (sys.__stdout__, sys.__stderr__):
            with contextlib.suppress(Exception):
                stream.flush()
        self.flush()
        self.text_left = 0
        name = "" if error is None else type(error).__name__
        if isinstance(error, MemoryError):
            del error, result  # the traceback holds the frames, and they what they were about to make
            name = NO_ROOM if not self.has_room() else "MemoryError"
        return [name == "", name, time.process_time() - before]

    def has_room(self) -> bool:
        """Whether there is memory left to go on with, after what nobody needs any more was given back."""
        for name in ("last_type", "last_value", "last_traceback", "last_exc"):
            if hasattr(sys, name):
                delattr(sys, name)
        gc.collect()
        try:
            mmap.mmap(-1, max(1, self.spare_mb) * 1_000_000).close()
        except (OSError, MemoryError):
            return False
        return True

    def write(self, stream: str, text: str) -> None:
        """Send text, until the cell or the notebook has printed enough."""
        if self.text_left <= 0:
            return
        kept = text[: self.text_left]
        self.text_left -= len(kept)
        self.notebook_text_left -= len(kept)
        if self.text_left <= 0:
            kept += f"\n[cut: a cell may print {CELL_TEXT} characters, a notebook {NOTEBOOK_TEXT}]\n"
        self.waiting.append((stream, kept))
        if sum(len(text) for _, text in self.waiting) > _WAITING_TEXT or time.monotonic() - self.last_sent > _WAITING_S:
            self.flush()

    def flush(self) -> None:
        """Send the text that waits."""
        waiting, self.waiting = self.waiting, []
        for stream, parts in itertools.groupby(waiting, key=operator.itemgetter(0)):
            self._send(output_type="stream", name=stream, text="".join(text for _, text in parts))
        self.last_sent = time.monotonic()

    def output(self, **content) -> None:
        """Send one output, after the text that came before it."""
        self.flush()
        self._send(**content)

    def clear(self) -> None:
        """Take back the outputs of this cell."""
        self.waiting = []
        if self.shows_something:
            self.control.send(encode(["clear"]))
            self.shows_something = False

    def _send(self, **content):
        if not self.shown:
            return
        text = json.dumps(content, default=repr)
        if len(text) > min(OUTPUT_SIZE, self.size_left):
            note = f"[cut: an output of {len(text) / 1e6:.1f} MB is too large to be kept]\n"
            text = json.dumps({"output_type": "stream", "name": "stderr", "text": note})
        self.size_left -= len(text)
        self.control.send(encode(["output", text]))
        self.shows_something = True

    shown = False


class _Stream(io.TextIOBase):
    """``sys.stdout`` and ``sys.stderr`` of the cells."""

    encoding = "utf-8"

    def __init__(self, notebook, name):
        self._notebook, self._name = notebook, name

    def writable(self):
        return True

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._notebook.write(self._name, text)
        return len(text)

    def fileno(self):
        return 1 if self._name == "stdout" else 2


def _make_shell(notebook):
    # The warm server has imported IPython; elsewhere it costs half a second, which the import of this module saves.
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class Publisher(DisplayPublisher):
        def publish(self, data, metadata=None, *, transient=None, update=False, **other):
            if not update:  # what is shown already stays as it is
                notebook.output(output_type="display_data", data=_storable(data), metadata={})

        def clear_output(self, wait=False):
            notebook.clear()

    class Hook(DisplayHook):
        def write_output_prompt(self):
            pass

        def write_format_data(self, format_dict, md_dict=None):
            notebook.output(
                output_type="execute_result",
                execution_count=self.shell.execution_count,
                data=_storable(format_dict),
                metadata={},
            )

        def finish_displayhook(self):
            self._is_active = False

    class Shell(InteractiveShell):
        displayhook_class, display_pub_class = Hook, Publisher
        # Through a pseudo-terminal, as IPython does it by default, there is no way out of the sandbox.
        system = InteractiveShell.system_raw

        def _showtraceback(self, etype, evalue, stb):
            notebook.output(output_type="error", ename=etype.__name__, evalue=str(evalue)[:4000], traceback=list(stb))

        def ask_exit(self):
            raise SystemExit("exit() ends a cell here, not the notebook")

        def init_history(self):
            super().init_history()
            self.history_manager.enabled = False

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.banner1 = ""
    shell = Shell.instance(config=config)
    import builtins

    def refuse_to_ask(prompt=""):
        raise RuntimeError("input() has nobody to ask while a notebook is graded")

    builtins.input = refuse_to_ask
    return shell


def _storable(data):
    """A mime bundle as JSON: bytes of pictures in base64, as Jupyter does."""
    return {
        kind: base64.b64encode(content).decode() if isinstance(content, bytes) else content
        for kind, content in data.items()
        if isinstance(kind, str)
    }


class CheckerObject:
    """A function or an object that a test handed over; its public methods can be called, and nothing else."""

    def __init__(self, answers, number: int, class_name: str):
        self._answers, self._number, self._class_name = answers, number, class_name

    def __call__(self, *arguments, **named):
        return self._answers.ask("call", self, list(arguments), named)

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return self._answers.ask("get", self, name)

    def __getitem__(self, key):
        return self._answers.ask("item", self, key)

    def __len__(self):
        return self._answers.ask("len", self)

    def __iter__(self):
        return iter(self._answers.ask("list", self))

    def __repr__(self):
        return f"<{self._class_name} of the test>"


class _StudentException(Exception):
    """Carries what the student's code raised through `Conversation`, also if it is no Exception."""

    def __init__(self, error: BaseException):
        super().__init__()
        self.error = error


class Answers:
    """Answers the checker's questions about the notebook.

    Parameters
    ----------
    shell : InteractiveShell
        Its namespace is what the checker sees.
    """

    conversation: Conversation
    #: Seconds that a function of a test may take when the student's code calls it.
    patience_s = 60.0

    def __init__(self, shell):
        self.shell = shell
        self.objects: dict[int, object] = {}
        self.numbers: dict[int, int] = {}
        self.models = model_transport.Rebuilder()
        self._depth = 0

    def ask(self, operation, target, *arguments):
        try:
            return self.conversation.ask(operation, target, *arguments, seconds=self.patience_s)
        except RemoteError as error:
            raise RuntimeError(f"the function of the test raised {error.class_name}") from None

    # What crosses the channel.

    def number_of(self, value) -> int:
        """The number under which the checker can ask for an object; the object stays alive with it."""
        number = self.numbers.get(id(value))
        if number is None:
            number = len(self.objects) + 1
            self.objects[number], self.numbers[id(value)] = value, number
        return number

    def export(self, value):
        if type(value) is CheckerObject:
            return "yours", value._number
        if isinstance(value, types.ModuleType):
            raise NotPlain(f"{value.__name__} is a module; a test imports what it uses itself")
        known = model_transport.export_value(value)
        if known is not None:
            return known
        kinds, note = _kinds(value), ""
        if kinds:
            try:
                return "model", {"number": self.number_of(value), "content": model_transport.describe(value)}
            except model_transport.NotTransportable as reason:
                note = str(reason)
        return "reference", {
            "number": self.number_of(value),
            "class": type(value).__name__,
            "callable": callable(value),
            "kinds": kinds,
            "note": note,
        }

    def resolve(self, kind, content):
        if kind == "yours":
            return self.objects[content]
        if kind == "reference":
            return CheckerObject(self, content["number"], content["class"])
        if kind == "model":
            return self.models.rebuild(content["number"], content["content"])
        return model_transport.resolve_value(kind, content)

    def describe(self, error):
        """Nearest built-in class, text and place of an exception, for the student to read."""
        if not isinstance(error, _StudentException):
            return type(error).__name__, str(error), ""
        error = error.error
        builtin = next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins")
        name = builtin.__name__ if builtin not in (Exception, BaseException) else type(error).__name__
        try:
            text = str(error)
        except Exception:
            text = "(its text cannot be read)"
        return name, text, _place(error)

    # Questions.

    def perform(self, operation, arguments, seconds):
        method = getattr(self, f"do_{operation}")
        self._depth += 1
        limit = (
            time_limit(seconds, f"the test waited longer than {seconds:.0f} s for your code")
            if self._depth == 1
            else contextlib.nullcontext()
        )
        try:
            with limit:
                return method(*arguments)
        except (ChannelClosed, NotPlain):
            raise
        except BaseException as error:
            raise _StudentException(error) from None
        finally:
            self._depth -= 1

    def do_name(self, name):
        shell = self.shell
        hidden = shell.user_ns_hidden
        if name.startswith("_") or name not in shell.user_ns or hidden.get(name, self) is shell.user_ns[name]:
            raise NameError(f"name '{name}' is not defined")
        return shell.user_ns[name]

    def do_get(self, target, name):
        if name.startswith("_") and name not in _SPECIAL_NAMES:
            raise AttributeError(name)
        return getattr(target, name)

    def do_has(self, target, name):
        return hasattr(target, name)

    def do_call(self, target, arguments, named):
        return target(*arguments, **named)

    def do_item(self, target, key):
        return target[key]

    def do_iterate(self, target):
        return Iterator(target)

    def do_next(self, iterator, n):
        return list(itertools.islice(iterator.items, min(n, _MOST_PARTS)))

    def do_convert(self, target, name):
        return _CONVERSIONS[name](target)

    def do_operate(self, name, *operands):
        return getattr(operator, name)(*operands)

    def do_isinstance(self, target, kind):
        return isinstance(target, kind)

    def do_issubclass(self, target, kind):
        return issubclass(target, kind)

    def do_signature(self, target):
        return [
            (
                parameter.name,
                int(parameter.kind),
                parameter.default is not inspect.Parameter.empty,
                _plain_or_text(parameter.default),
            )
            for parameter in inspect.signature(target).parameters.values()
        ]

    def do_source(self, target):
        return inspect.getsource(target)

    def do_weights(self, model):
        return [np.asarray(weight) for weight in model.weights]

    def do_cpu(self):
        return time.process_time()


class Iterator:
    """An iterator by reference: the checker takes its parts in small portions."""

    def __init__(self, target):
        self.items = iter(target)


_CONVERSIONS = {
    "bool": bool,
    "int": int,
    "index": operator.index,
    "float": float,
    "complex": complex,
    "len": len,
    "str": str,
    "repr": repr,
    "array": np.asarray,
}


def _kinds(value) -> list[str]:
    """Public base classes that a test may ask for by isinstance."""
    keras = sys.modules.get("keras")
    if keras is None or keras.layers.Layer not in type(value).__mro__:
        return []
    return ["keras.Model"] if keras.Model in type(value).__mro__ else ["keras.layers.Layer"]


def _plain_or_text(value):
    if value is inspect.Parameter.empty:
        return None
    try:
        encode(value)
    except NotPlain:
        return repr(value)[:200]
    return value


def _place(error) -> str:
    """Where the student's own cells raised an exception, in one line."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if "ipykernel" in frame.filename or frame.filename.startswith("<ipython-input"):
            return f"in {frame.name}, line {frame.lineno}: {frame.line}"[:300]
    return ""
