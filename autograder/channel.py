"""Plain data and questions between two processes that do not trust each other.

The checker (which holds the tests) and the student's process (which holds the answers) share one socket. What
crosses it is a frame: eight bytes of length, then one value in the code of this module. Values are plain data only:
the receiver builds each of them from bytes itself, so that a value can be wrong but never pretend to be of another
kind, and never brings code along. There is no pickle, no evaluation, and no name that the receiver would import.

What is not plain stays where it is; the other side gets a reference to it (see `Conversation`) and asks.

Every size is capped before memory is taken: bytes a message and in all, depth of nesting, number of items, digits of
an integer. Honest code never reaches the caps, because the sender refuses first, with a message for the student.
Whatever the receiver refuses is therefore a `ChannelError`: the other side does not play by the rules.
"""

from __future__ import annotations

import collections
import contextlib
import keyword
import select
import socket
import struct
import time
from dataclasses import dataclass

import numpy as np


class ChannelError(Exception):
    """What came over the channel is no honest message."""


class ChannelClosed(Exception):
    """The other side is gone."""


class ChannelTimeout(Exception):
    """Nothing complete came within the time that was given."""


class NotPlain(TypeError):
    """A value cannot cross the channel; the text says why, for the student."""


@dataclass(frozen=True)
class Caps:
    """Largest sizes that one side accepts and sends.

    Attributes
    ----------
    message_bytes, total_bytes : int
        Of one message, and of all that one side sends.
    depth : int
        Containers in containers.
    items : int
        Values in one message (the numbers of an array are not counted).
    integer_bytes : int
        Of one integer.
    """

    message_bytes: int = 256 * 2**20
    total_bytes: int = 4 * 2**30
    depth: int = 32
    items: int = 2_000_000
    integer_bytes: int = 1024


CAPS = Caps()

_LENGTH = struct.Struct("<Q")
_COUNT = struct.Struct("<I")
_FLOAT = struct.Struct("<d")
_COMPLEX = struct.Struct("<dd")
_TIME_UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns")
_CODES = ("|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16")
#: The kinds of numbers that arrays may hold; no objects, no structures, no strings (these travel as lists).
_DTYPES = {code: np.dtype(code) for code in _CODES} | {
    f"<{kind}8[{unit}]": np.dtype(f"<{kind}8[{unit}]") for kind in "Mm" for unit in _TIME_UNITS
}
_MOST_DIMENSIONS = 32
#: Lists of numbers of one exact type longer than this are packed as an array.
_PACKED_LENGTH = 32
_PACKED = {float: "<f8", int: "<i8", bool: "|b1"}


def encode(value, export=None, caps: Caps = CAPS) -> bytes:
    """Return the bytes of a plain value.

    Parameters
    ----------
    value : object
        None, bool, int, float, complex, str, bytes, list, tuple, named tuple, dict, set, frozenset, numpy arrays and
        scalars of numbers, truth values, strings or times, in each other. Subclasses travel as the plain value they
        are based on, read by the methods of the base class.
    export : callable, optional
        Called as ``export(value)`` for anything else; returns a kind (str) and plain content that the receiver's
        `resolve` understands. Without it such values are refused.
    caps : Caps

    Raises
    ------
    NotPlain
        If a value cannot travel; the text says why.

    Examples
    --------
    >>> decode(encode({"spins": [1, -1], "shape": (2, 3)}))
    {'spins': [1, -1], 'shape': (2, 3)}
    >>> encode(print)
    Traceback (most recent call last):
    autograder.channel.NotPlain: a value of the type builtin_function_or_method is no plain data
    """
    writer = _Writer(export, caps)
    writer.write(value, 0)
    return b"".join(writer.parts)


def decode(data, resolve=None, caps: Caps = CAPS):
    """Build the value that `encode` wrote.

    Parameters
    ----------
    data : bytes-like
    resolve : callable, optional
        Called as ``resolve(kind, content)`` for what the sender exported; without it such values are refused.
    caps : Caps

    Returns
    -------
    object
        Built from exact built-in types and numpy's own arrays only. Arrays are fresh and writable.

    Raises
    ------
    ChannelError
        If the bytes are anything but one complete value within the caps. No other exception comes out of any bytes,
        unless `resolve` raises it.
    """
    reader = _Reader(memoryview(data), resolve, caps)
    value = reader.read(0)
    if reader.position != len(reader.data):
        raise ChannelError(f"{len(reader.data) - reader.position} bytes follow the value")
    return value


class _Writer:
    def __init__(self, export, caps):
        self.export, self.caps = export, caps
        self.parts: list = []
        self.items = self.size = 0

    def put(self, *parts):
        for part in parts:
            self.size += len(part)
            self.parts.append(part)
        if self.size > self.caps.message_bytes:
            raise NotPlain(f"the value is larger than {self.caps.message_bytes / 2**20:.0f} MB and cannot be checked")

    def write(self, value, depth):
        self.items += 1
        if depth > self.caps.depth:
            raise NotPlain(f"the value is nested more than {self.caps.depth} levels deep")
        if self.items > self.caps.items:
            raise NotPlain(f"the value has more than {self.caps.items} parts; use an array")
        if value is None:
            self.put(b"N")
        elif value is True or value is False:
            self.put(b"T" if value else b"F")
        else:
            kind = type(value)
            method = _WRITERS.get(kind)
            if method is not None and not (kind in _KEYED and not all(map(_is_key, value))):
                method(self, value, depth)
            else:
                self.write_other(value, kind, depth)

    def write_other(self, value, kind, depth):
        mro = kind.__mro__  # not isinstance, which would ask the value what it claims to be
        if np.ndarray in mro:
            return self.write_array(np.ndarray.view(value, np.ndarray), depth)
        if np.generic in mro:
            return self.write_scalar(value, depth)
        if tuple in mro and _is_named_tuple(kind):
            self.put(b"n")
            self.write_str(str.__str__(kind.__name__), depth)
            self.write_tuple(tuple(kind._fields), depth + 1)
            return self.write_tuple(tuple.__getitem__(value, slice(None)), depth + 1)
        for base, plain in _PLAIN_OF_SUBCLASS.items():
            if base in mro and not _is_enumeration(kind):
                value_of_base = plain(value)
                if base in _KEYED and not all(map(_is_key, value_of_base)):
                    break
                return _WRITERS[base](self, value_of_base, depth)
        if self.export is None:
            raise NotPlain(f"a value of the type {kind.__name__} is no plain data")
        name, content = self.export(value)
        self.put(b"x")
        self.write_str(name, depth)
        self.write(content, depth + 1)

    def write_int(self, value, depth):
        n_bytes = value.bit_length() // 8 + 1
        if n_bytes > self.caps.integer_bytes:
            raise NotPlain(f"an integer has more than {self.caps.integer_bytes} bytes")
        self.put(b"i", n_bytes.to_bytes(2, "little"), value.to_bytes(n_bytes, "little", signed=True))

    def write_float(self, value, depth):
        self.put(b"f", _FLOAT.pack(value))

    def write_complex(self, value, depth):
        self.put(b"c", _COMPLEX.pack(value.real, value.imag))

    def write_str(self, value, depth):
        # surrogatepass: file names and broken text of a student are text too.
        content = value.encode("utf-8", "surrogatepass")
        self.put(b"s", self.count(len(content)), content)

    def write_bytes(self, value, depth):
        self.put(b"b", self.count(len(value)), bytes(value))

    def write_list(self, value, depth):
        self.write_sequence(b"l", value, depth)

    def write_tuple(self, value, depth):
        self.write_sequence(b"t", value, depth)

    def write_set(self, value, depth):
        self.write_sequence(b"S", list(value), depth)

    def write_frozenset(self, value, depth):
        self.write_sequence(b"Z", list(value), depth)

    def write_sequence(self, tag, value, depth):
        packed = _packable(value) if tag in (b"l", b"t") else None
        if packed is not None:
            self.put(b"p", tag)
            return self.write_array(packed, depth)
        self.put(tag, self.count(len(value)))
        for item in value:
            self.write(item, depth + 1)

    def write_dict(self, value, depth):
        self.put(b"d", self.count(len(value)))
        for key, item in value.items():
            self.write(key, depth + 1)
            self.write(item, depth + 1)

    def write_array(self, value, depth):
        if value.dtype.kind in "US":
            self.put(b"A", value.dtype.kind.encode(), self.shape(value.shape))
            return self.write_list(value.ravel().tolist(), depth + 1)
        code = value.dtype.newbyteorder("<").str
        if code not in _DTYPES:
            replacement = _NEAREST_DTYPE.get(value.dtype.name)
            if replacement is None:
                raise NotPlain(
                    f"an array of the type {value.dtype} is no plain data; rows of different lengths make such arrays"
                )
            value, code = value.astype(replacement), replacement
        if value.nbytes > self.caps.message_bytes:
            raise NotPlain(f"an array of {value.nbytes / 2**20:.0f} MB is too large to be checked")
        content = np.ascontiguousarray(value, dtype=_DTYPES[code])
        self.put(b"a", bytes([len(code)]), code.encode(), self.shape(value.shape), content.tobytes())

    def write_scalar(self, value, depth):
        self.put(b"g")
        self.write_array(np.asarray(value), depth)

    def shape(self, shape):
        return bytes([len(shape)]) + b"".join(_LENGTH.pack(n) for n in shape)

    def count(self, n):
        if n >= 2**32:
            raise NotPlain(f"a value has {n} parts; that is too large to be checked")
        return _COUNT.pack(n)


_WRITERS = {
    int: _Writer.write_int,
    float: _Writer.write_float,
    str: _Writer.write_str,
    list: _Writer.write_list,
    tuple: _Writer.write_tuple,
    dict: _Writer.write_dict,
    np.ndarray: _Writer.write_array,
    complex: _Writer.write_complex,
    bytes: _Writer.write_bytes,
    bytearray: _Writer.write_bytes,
    set: _Writer.write_set,
    frozenset: _Writer.write_frozenset,
}
# How to read a value of a subclass without asking the subclass.
_PLAIN_OF_SUBCLASS = {
    float: float.__pos__,
    int: int.__pos__,
    complex: complex.__pos__,
    str: str.__str__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
    list: lambda value: list.__getitem__(value, slice(None)),
    tuple: lambda value: tuple.__getitem__(value, slice(None)),
    dict: lambda value: dict(dict.items(value)),
    set: lambda value: set(set.__iter__(value)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
}
# Containers whose parts are compared with each other; with other keys than these they stay where they are.
_KEYED = (dict, set, frozenset)
_KEYS = (str, int, float, bool, bytes, complex)
_NEAREST_DTYPE = {
    "bfloat16": "<f4",
    "longdouble": "<f8",
    "float128": "<f8",
    "clongdouble": "<c16",
    "complex256": "<c16",
}


def _is_named_tuple(kind):
    fields = getattr(kind, "_fields", None)
    return type(fields) is tuple and all(type(name) is str for name in fields)


def _is_enumeration(kind):
    return any(base.__name__ in {"Enum", "ReprEnum"} and base.__module__ == "enum" for base in kind.__mro__)


def _is_key(value):
    """Whether a value may be a key: references may not, because to compare them the receiver would have to ask."""
    kind = type(value)
    if kind in (tuple, frozenset):
        return all(map(_is_key, value))
    return value is None or kind in _KEYS or np.generic in kind.__mro__


def _packable(sequence):
    if len(sequence) <= _PACKED_LENGTH:
        return None
    code = _PACKED.get(type(sequence[0]))
    if code is None or set(map(type, sequence)) != {type(sequence[0])}:
        return None
    try:
        return np.array(sequence, dtype=code)
    except OverflowError:  # integers beyond 64 bits travel one by one
        return None


class _Reader:
    def __init__(self, data, resolve, caps):
        self.data, self.resolve, self.caps = data, resolve, caps
        self.position = self.items = 0

    def take(self, n):
        if n > len(self.data) - self.position:
            raise ChannelError("a message ends in the middle of a value")
        start, self.position = self.position, self.position + n
        return self.data[start : self.position]

    def count(self):
        n = _COUNT.unpack(self.take(4))[0]
        self.items += n
        # Each part has at least one byte: a lying count is found before anything is built.
        if self.items > self.caps.items or n > len(self.data) - self.position:
            raise ChannelError("a message claims more parts than it may have")
        return n

    def read(self, depth):
        if depth > self.caps.depth:
            raise ChannelError("a message is nested too deeply")
        tag = bytes(self.take(1))
        method = _READERS.get(tag)
        if method is None:
            raise ChannelError(f"no value begins with {tag!r}")
        return method(self, depth)

    def read_int(self, depth):
        n_bytes = int.from_bytes(self.take(2), "little")
        if not 0 < n_bytes <= self.caps.integer_bytes:
            raise ChannelError("an integer has too many digits")
        return int.from_bytes(self.take(n_bytes), "little", signed=True)

    def read_float(self, depth):
        return _FLOAT.unpack(self.take(8))[0]

    def read_complex(self, depth):
        return complex(*_COMPLEX.unpack(self.take(16)))

    def read_str(self, depth):
        n = _COUNT.unpack(self.take(4))[0]
        try:
            return str(self.take(n), "utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise ChannelError("a text is not valid") from None

    def read_bytes(self, depth):
        return bytes(self.take(_COUNT.unpack(self.take(4))[0]))

    def read_list(self, depth):
        return [self.read(depth + 1) for _ in range(self.count())]

    def read_tuple(self, depth):
        return tuple(self.read_list(depth))

    def read_set(self, depth):
        return {self.read_key(depth + 1) for _ in range(self.count())}

    def read_frozenset(self, depth):
        return frozenset(self.read_set(depth))

    def read_dict(self, depth):
        content = {}
        for _ in range(self.count()):
            key = self.read_key(depth + 1)
            content[key] = self.read(depth + 1)
        return content

    def read_key(self, depth):
        key = self.read(depth)
        if not _is_key(key):
            raise ChannelError(f"a {type(key).__name__} cannot be a key")
        return key

    def read_named_tuple(self, depth):
        name, fields, values = self.read(depth), self.read(depth + 1), self.read(depth + 1)
        if type(fields) is not tuple or type(values) is not tuple or len(fields) != len(values):
            raise ChannelError("a named tuple is incomplete")
        if len(fields) > 1000 or len(set(map(repr, fields))) != len(fields):
            raise ChannelError("a named tuple has doubtful fields")
        for word in (name, *fields):
            if type(word) is not str or not word.isidentifier() or keyword.iskeyword(word) or word.startswith("_"):
                raise ChannelError("a named tuple has doubtful names")
        return collections.namedtuple(name, fields)(*values)

    def read_packed(self, depth):
        tag = bytes(self.take(1))
        array = self.read(depth)
        if tag not in (b"l", b"t") or type(array) is not np.ndarray or array.ndim != 1:
            raise ChannelError("a packed list holds no numbers")
        if array.dtype.str not in _PACKED.values():
            raise ChannelError("a packed list holds another kind of numbers")
        self.items += len(array)
        if self.items > self.caps.items:
            raise ChannelError("a message claims more parts than it may have")
        return array.tolist() if tag == b"l" else tuple(array.tolist())

    def read_shape(self):
        n_dimensions = self.take(1)[0]
        if n_dimensions > _MOST_DIMENSIONS:
            raise ChannelError("an array has too many dimensions")
        shape = tuple(_LENGTH.unpack(self.take(8))[0] for _ in range(n_dimensions))
        n_values = 1
        for n in shape:
            n_values *= n
        # The first bound also holds for arrays without a single value: (0, 10**18) is a trap for whoever sums it up.
        if max(shape, default=0) > 2**40 or n_values > self.caps.message_bytes:
            raise ChannelError("an array claims an impossible shape")
        return shape, n_values

    def read_array(self, depth):
        dtype = _DTYPES.get(str(self.take(self.take(1)[0]), "latin-1"))
        if dtype is None:
            raise ChannelError("an array holds no kind of numbers")
        shape, n_values = self.read_shape()
        content = self.take(n_values * dtype.itemsize)
        if dtype.kind == "b":
            # A truth value of 2 would count twice in a sum: only 0 and 1 come through.
            return (np.frombuffer(content, dtype=np.uint8) != 0).reshape(shape)
        try:
            return np.frombuffer(content, dtype=dtype).reshape(shape).copy()
        except ValueError as error:
            raise ChannelError(f"an array has an impossible shape ({error})") from None

    def read_text_array(self, depth):
        kind = bytes(self.take(1))
        shape, n_values = self.read_shape()
        values = self.read(depth + 1)
        wanted = {b"U": str, b"S": bytes}.get(kind)
        if wanted is None or type(values) is not list or len(values) != n_values:
            raise ChannelError("an array of text is incomplete")
        longest = max((len(value) for value in values if type(value) is wanted), default=0)
        if any(type(value) is not wanted for value in values) or longest * n_values * 4 > self.caps.message_bytes:
            raise ChannelError("an array of text holds something else, or too much")
        try:
            return np.array(values, dtype=f"{kind.decode()}{max(longest, 1)}").reshape(shape)
        except (ValueError, UnicodeError) as error:
            raise ChannelError(f"an array of text is not valid ({error})") from None

    def read_scalar(self, depth):
        array = self.read(depth)
        if type(array) is not np.ndarray or array.ndim != 0:
            raise ChannelError("a single number is an array")
        return array[()]

    def read_exported(self, depth):
        name, content = self.read(depth), self.read(depth + 1)
        if type(name) is not str or self.resolve is None:
            raise ChannelError("a reference where plain data must stand")
        return self.resolve(name, content)


_READERS = {
    b"N": lambda reader, depth: None,
    b"T": lambda reader, depth: True,
    b"F": lambda reader, depth: False,
    b"i": _Reader.read_int,
    b"f": _Reader.read_float,
    b"c": _Reader.read_complex,
    b"s": _Reader.read_str,
    b"b": _Reader.read_bytes,
    b"l": _Reader.read_list,
    b"t": _Reader.read_tuple,
    b"S": _Reader.read_set,
    b"Z": _Reader.read_frozenset,
    b"d": _Reader.read_dict,
    b"n": _Reader.read_named_tuple,
    b"p": _Reader.read_packed,
    b"a": _Reader.read_array,
    b"A": _Reader.read_text_array,
    b"g": _Reader.read_scalar,
    b"x": _Reader.read_exported,
}


class Channel:
    """Whole messages over a stream socket.

    Parameters
    ----------
    stream : socket.socket
        A connected stream socket; the channel owns it.
    caps : Caps
        The total is counted for what is received.
    """

    def __init__(self, stream: socket.socket, caps: Caps = CAPS):
        self.stream, self.caps = stream, caps
        self.received_bytes = 0
        # Waiting is done by poll(), which a signal may interrupt and no leftover of a socket's own buffer can confuse.
        stream.setblocking(False)

    @classmethod
    def of_descriptor(cls, descriptor: int, caps: Caps = CAPS) -> Channel:
        """Take over a socket's file descriptor."""
        return cls(socket.socket(fileno=descriptor), caps)

    def fileno(self) -> int:
        return self.stream.fileno()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.stream.close()

    def send(self, data: bytes, *, seconds: float = 60.0) -> None:
        """Send one message.

        Raises
        ------
        ChannelClosed
            If the other side is gone.
        ChannelTimeout
            If it does not read.
        """
        deadline = time.monotonic() + seconds
        view = memoryview(_LENGTH.pack(len(data)) + data)
        while view:
            try:
                view = view[self.stream.send(view) :]
            except (BlockingIOError, InterruptedError):
                self._wait(select.POLLOUT, deadline)
            except OSError:
                raise ChannelClosed("the other process is gone") from None

    def receive(self, *, seconds: float) -> bytearray:
        """Return the next message.

        Raises
        ------
        ChannelClosed
            If the other side is gone.
        ChannelTimeout
            If no whole message came in time.
        ChannelError
            If the message is larger than the caps allow.
        """
        deadline = time.monotonic() + seconds
        length = _LENGTH.unpack(self._read(_LENGTH.size, deadline))[0]
        self.received_bytes += length
        if length > self.caps.message_bytes or self.received_bytes > self.caps.total_bytes:
            raise ChannelError(f"a message of {length} bytes is too large")
        return self._read(length, deadline)

    def _read(self, n, deadline):
        data = bytearray(n)
        view = memoryview(data)
        while view:
            try:
                n_read = self.stream.recv_into(view)
            except (BlockingIOError, InterruptedError):
                self._wait(select.POLLIN, deadline)
                continue
            except OSError:
                n_read = 0
            if n_read == 0:
                raise ChannelClosed("the other process is gone")
            view = view[n_read:]
        return data

    def _wait(self, events, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise ChannelTimeout("the other process does not answer")
        poll = select.poll()
        poll.register(self.stream, events)
        poll.poll(min(left, 60.0) * 1000)


#: Exceptions of this many nested calls to and fro end the conversation.
_MOST_NESTED = 20
#: Seconds that an answer may be late: the other side watches the time itself, so that most late answers are polite.
GRACE_S = 5.0
_MOST_TEXT = 4000


class RemoteError(Exception):
    """The other side answered with an exception: its nearest built-in class, its text, and where it was raised."""

    def __init__(self, class_name: str, text: str, where: str):
        super().__init__(class_name, text, where)
        self.class_name, self.text, self.where = class_name, text, where


class Conversation:
    """Questions and answers between two processes, either of which may ask while the other one waits.

    Parameters
    ----------
    channel : Channel
    perform : callable
        ``perform(operation, arguments)`` answers the other side's questions: its result travels back, and so does
        the class name and the text of an exception.
    export, resolve : callable
        See `encode` and `decode`.
    describe : callable, optional
        ``describe(exception)`` gives class name, text and place of an exception; strings only.

    Notes
    -----
    Each question has a number and is answered by that number, once; anything else ends the conversation as a
    `ChannelError`. A question that was not answered in time ends it too, so that no late answer can be taken for the
    answer to another question. After its end every question raises what ended it.
    """

    def __init__(self, channel: Channel, perform, *, export=None, resolve=None, describe=None):
        self.channel, self.perform = channel, perform
        self.export, self.resolve = export, resolve
        self.describe = describe or (lambda error: (type(error).__name__, str(error), ""))
        self.ended: Exception | None = None
        self._number = 0
        self._nested = 0

    def ask(self, operation: str, *arguments, seconds: float):
        """Ask the other side and return its answer.

        Raises
        ------
        RemoteError
            If the answer is an exception.
        NotPlain
            If an argument cannot travel.
        ChannelError, ChannelClosed, ChannelTimeout
            If there is no honest answer in time; the conversation is over.
        """
        if self.ended is not None:
            raise self.ended
        self._number += 1
        number = self._number
        question = self._encode(["ask", number, operation, float(seconds), list(arguments)])
        deadline = time.monotonic() + seconds + GRACE_S
        try:
            self.channel.send(question, seconds=seconds)
            while True:
                message = self._receive(deadline)
                if message[0] == "ask":
                    self._answer(message)
                elif message[:2] == ["answer", number]:
                    break
                else:
                    raise ChannelError("an answer to a question that was not asked")
        except (ChannelError, ChannelClosed, ChannelTimeout) as error:
            self.ended = error
            raise
        except BaseException:
            # An alarm in the middle of a message: what comes next cannot be told apart any more.
            self.ended = ChannelTimeout("the time of the test was over while it waited for an answer")
            raise
        good, content = message[2:]
        if good:
            return content
        raise RemoteError(*content)

    def answer_next(self, *, seconds: float) -> None:
        """Wait for one question and answer it."""
        try:
            message = self._receive(time.monotonic() + seconds)
            if message[0] != "ask":
                raise ChannelError("an answer where a question must stand")
            self._answer(message)
        except (ChannelError, ChannelClosed, ChannelTimeout) as error:
            self.ended = error
            raise

    def _receive(self, deadline):
        data = self.channel.receive(seconds=deadline - time.monotonic())
        message = decode(data, self.resolve, self.channel.caps)
        if type(message) is not list or len(message) < 2 or type(message[1]) is not int:
            raise ChannelError("a message is neither question nor answer")
        if message[0] == "ask" and [type(part) for part in message[2:]] == [str, float, list]:
            return message
        if message[0] == "answer" and len(message) == 4 and type(message[2]) is bool:
            content = message[3]
            error = type(content) is tuple and [type(part) for part in content] == [str, str, str]
            if message[2] or error:
                return message
        raise ChannelError("a message is neither question nor answer")

    def _answer(self, message):
        _, number, operation, seconds, arguments = message
        self._nested += 1
        if self._nested > _MOST_NESTED:
            raise ChannelError("questions within questions without end")
        try:
            try:
                answer = self._encode(["answer", number, True, self.perform(operation, arguments, seconds)])
            except (ChannelError, ChannelClosed, ChannelTimeout):
                raise
            except Exception as error:
                answer = self._encode(["answer", number, False, self._description(error)])
            self.channel.send(answer)
        finally:
            self._nested -= 1

    def _description(self, error):
        return tuple(str(part)[:_MOST_TEXT] for part in self.describe(error))

    def _encode(self, message):
        return encode(message, self.export, self.channel.caps)
