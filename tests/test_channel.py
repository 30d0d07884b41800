"""The channel: plain data comes over as it is, and whatever else is written to the socket does no harm."""

import collections
import contextlib
import enum
import socket
import struct
import threading

import hypothesis.extra.numpy as numpy_strategies
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.channel import (
    Caps,
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

KEYS = st.one_of(st.text(max_size=8), st.integers(), st.booleans(), st.none(), st.binary(max_size=4))
DTYPES = st.sampled_from("?bBhHiIlLqQefdFD")
PLAIN = st.recursive(
    st.one_of(
        KEYS,
        st.floats(),
        st.complex_numbers(),
        numpy_strategies.arrays(DTYPES, numpy_strategies.array_shapes(min_dims=0, min_side=0, max_side=4)),
        numpy_strategies.arrays(st.sampled_from(["U3", "S2"]), numpy_strategies.array_shapes(max_side=3)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.dictionaries(KEYS, inner, max_size=5),
        st.sets(KEYS, max_size=5),
        st.frozensets(KEYS, max_size=3),
    ),
    max_leaves=12,
)


def same(first, second):
    """Equal, of exactly the same type in every part, NaN included."""
    if type(first) is not type(second):
        return False
    if isinstance(first, np.ndarray) and first.dtype.kind in "US":  # the width of the longest text is enough
        return first.dtype.kind == second.dtype.kind and first.tolist() == second.tolist()
    if isinstance(first, np.ndarray):
        return first.dtype == second.dtype and first.shape == second.shape and first.tobytes() == second.tobytes()
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, dict):
        return list(first) == list(second) and all(same(first[key], second[key]) for key in first)
    if isinstance(first, (float, complex)):
        return repr(first) == repr(second)
    return first == second


@settings(max_examples=150, deadline=None)
@given(PLAIN)
def test_plain_data_comes_back_with_exactly_its_types(value):
    assert same(decode(encode(value)), value)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_a_channel_error(data):
    with contextlib.suppress(ChannelError):
        decode(data)


@settings(max_examples=300, deadline=None)
@given(PLAIN, st.data())
def test_damaged_messages_give_a_value_or_a_channel_error(value, data):
    message = bytearray(encode(value))
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ChannelError):
        decode(message)


def test_long_lists_of_numbers_are_packed_without_a_trace():
    for value in ([0.5] * 1000, list(range(-500, 500)), [True, False] * 500, tuple(range(1000)), [2**70] * 100):
        assert same(decode(encode(value)), value)
    assert len(encode([0.5] * 1000)) < 8200
    mixed = [1, True, 1.0] * 50
    assert same(decode(encode(mixed)), mixed)


class Liar(float):
    """Claims to equal everything, in every way that Python knows."""

    def __eq__(self, other):
        return True

    def __lt__(self, other):
        return True

    def __float__(self):
        return 4.0

    def __rsub__(self, other):
        return 0.0

    __hash__ = float.__hash__
    __array__ = __reduce__ = __reduce_ex__ = None
    __class__ = int


class LyingText(str):
    def __eq__(self, other):
        return True

    def encode(self, *arguments):
        return b"right"

    __hash__ = str.__hash__


class LyingDict(dict):
    def items(self):
        return {"n10": 3}.items()

    def __iter__(self):
        return iter(["n10"])


class LyingList(list):
    def __iter__(self):
        return iter([1, 2, 3])

    def __len__(self):
        return 3


class LyingArray(np.ndarray):
    def __array_finalize__(self, other):
        self.lie = True

    def __eq__(self, other):
        return np.ones(self.shape, dtype=bool)

    def tobytes(self, order="C"):
        return bytes(self.nbytes)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Liar(1.5), 1.5),
        (type("Number", (int,), {"__int__": lambda self: 7, "__index__": lambda self: 7})(3), 3),
        (LyingText("wrong"), "wrong"),
        (LyingDict(n10=1), {"n10": 1}),
        (LyingList([9]), [9]),
        (collections.defaultdict(int, a=1), {"a": 1}),
        (collections.OrderedDict(b=2), {"b": 2}),
        (np.arange(3.0).view(LyingArray), np.arange(3.0)),
        (bytearray(b"ab"), b"ab"),
        (np.array([1.5], dtype=">f4"), np.array([1.5], dtype="<f4")),
        (np.longdouble(0.5), np.float64(0.5)),
    ],
)
def test_subclasses_travel_as_the_plain_value_below_them(value, plain):
    assert same(decode(encode(value)), plain)


def test_named_tuples_keep_their_fields():
    fit = collections.namedtuple("Fit", "slope error")(2.0, 0.1)
    back = decode(encode([fit]))[0]
    assert (back.slope, back.error, type(back).__name__, back) == (2.0, 0.1, "Fit", (2.0, 0.1))


def test_what_is_not_plain_is_refused_with_a_reason():
    loop = []
    loop.append(loop)
    for value, words in [
        (print, "no plain data"),
        (np.array([1, None]), "rows of different lengths"),
        (loop, "nested"),
        (2 ** (8 * 2000), "integer"),
        (enum.Enum("Phase", "HOT COLD").HOT, "no plain data"),
        ({(): {object(): 1}}, "no plain data"),
        ({frozenset([enum.Enum("Phase", "HOT COLD").HOT]): 1}, "no plain data"),
    ]:
        with pytest.raises(NotPlain, match=words):
            encode(value)
    with pytest.raises(NotPlain, match="larger than"):
        encode(b"x" * 2_000_000, caps=Caps(message_bytes=1_000_000))


def test_what_is_not_plain_can_be_exported_and_resolved():
    message = encode([print, 1], lambda value: ("reference", {"number": 7}))
    assert decode(message, lambda kind, content: (kind, content["number"])) == [("reference", 7), 1]
    with pytest.raises(ChannelError, match="a reference where plain data"):
        decode(message)


def shape_of(*sizes):
    return bytes([len(sizes)]) + b"".join(struct.pack("<Q", n) for n in sizes)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"l\xff\xff\xff\xff",  # four thousand million parts, none of them there
        b"l\x01\x00\x00\x00" * 200 + b"N",  # nested two hundred levels deep
        b"s\xff\xff\xff\x7fabc",
        b"i\x00\x00",
        b"i\xff\xff" + b"\x01" * 65535,
        b"NN",
        b"d\x01\x00\x00\x00l\x00\x00\x00\x00N",  # a list as a key
        b"x" + encode("reference") + encode(1),
        b"a\x03<f8" + shape_of(2**62, 4) + b"\0" * 8,
        b"a\x03<f8" + shape_of(0, 2**63),
        b"a\x03<f8" + shape_of(*[1] * 60) + b"\0" * 8,
        b"a\x02|O" + shape_of(1) + b"\0" * 8,  # an array of objects would be an array of addresses
        b"a\x02|V" + shape_of(1) + b"\0" * 8,
        b"pl" + encode({}),
        b"g" + encode(np.arange(3)),
        b"n" + encode("Fit") + encode(("_fields",)) + encode((1,)),
        b"n" + encode("Fit") + encode(("x; import os",)) + encode((1,)),
        b"n" + encode("Fit") + encode(("x", "y")) + encode((1,)),
        b"AU" + shape_of(3) + encode(["a"]),
        b"c\x00",
    ],
)
def test_hostile_bytes_are_refused_at_once(data):
    with pytest.raises(ChannelError):
        decode(data)


def test_truth_values_come_as_0_and_1_only():
    # numpy believes the byte 255 of a boolean array and counts it as such in a sum.
    message = bytearray(encode(np.array([True, False])))
    message[-2:] = b"\xff\x02"
    values = decode(message)
    assert values.sum() == 2
    assert values.tobytes() == b"\x01\x01"


def test_caps_count_all_that_was_received():
    ours, theirs = (Channel(end, Caps(message_bytes=100, total_bytes=250)) for end in socket.socketpair())
    for _ in range(2):
        theirs.send(b"x" * 100)
        assert ours.receive(seconds=10) == b"x" * 100
    theirs.send(b"x" * 100)
    with pytest.raises(ChannelError, match="too large"):
        ours.receive(seconds=10)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (struct.pack("<Q", 2**63) + b"x", ChannelError),  # a lying length costs no memory
        (struct.pack("<Q", 5) + b"ab", ChannelClosed),
        (b"\x01\x02", ChannelClosed),
    ],
)
def test_broken_frames_end_at_once(data, error):
    ours, theirs = socket.socketpair()
    theirs.sendall(data)
    theirs.close()
    with pytest.raises(error):
        Channel(ours).receive(seconds=30)


def test_half_a_frame_ends_with_the_time():
    ours, theirs = socket.socketpair()
    theirs.sendall(struct.pack("<Q", 5) + b"ab")
    with pytest.raises(ChannelTimeout):
        Channel(ours).receive(seconds=0.2)
    theirs.close()


def test_large_arrays_cross_a_socket_whole():
    ours, theirs = (Channel(end) for end in socket.socketpair())
    spins = np.random.default_rng(1).choice(np.array([-1, 1], dtype=np.int8), size=(3000, 32, 32))
    sender = threading.Thread(target=lambda: theirs.send(encode(spins)))
    sender.start()
    assert np.array_equal(decode(ours.receive(seconds=60)), spins)
    sender.join()


# Conversations. The other side is a thread that writes what the test wants.


@pytest.fixture
def both_ends():
    ours, theirs = socket.socketpair()
    yield Channel(ours), Channel(theirs)
    ours.close()
    theirs.close()


def asked(channel, *answers):
    """Read one question and write raw messages; return the thread."""

    def work():
        question = decode(channel.receive(seconds=30))
        for answer in answers:
            channel.send(encode(answer(question[1]) if callable(answer) else answer))

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_questions_go_both_ways_and_into_each_other(both_ends):
    ours, theirs = both_ends

    def perform_there(operation, arguments, seconds):
        (n,) = arguments
        return 1 if n == 0 else n * there.ask("less", n, seconds=30)

    def perform_here(operation, arguments, seconds):
        return here.ask("factorial", arguments[0] - 1, seconds=30)

    here, there = Conversation(ours, perform_here), Conversation(theirs, perform_there)
    thread = threading.Thread(target=lambda: there.answer_next(seconds=30))
    thread.start()
    assert here.ask("factorial", 6, seconds=30) == 720
    thread.join()


def test_exceptions_travel_as_class_and_text(both_ends):
    ours, theirs = both_ends

    def perform(operation, arguments, seconds):
        raise ValueError("n must be positive")

    thread = threading.Thread(target=lambda: Conversation(theirs, perform).answer_next(seconds=30))
    thread.start()
    with pytest.raises(RemoteError) as caught:
        Conversation(ours, None).ask("call", seconds=30)
    thread.join()
    assert (caught.value.class_name, caught.value.text) == ("ValueError", "n must be positive")


@pytest.mark.parametrize(
    "answer",
    [
        lambda number: ["answer", number + 1, True, 4],
        lambda number: ["answer", number - 1, True, 4],
        ["answer", True, True, 4],
        lambda number: ["answer", number, 1, 4],
        lambda number: ["answer", number, True],
        lambda number: ["answer", number, False, "ValueError"],
        lambda number: ["answer", number, False, ("ValueError", "text")],
        lambda number: ["ask", number, "call", 1.0],
        lambda number: ["ask", number, 7, 1.0, []],
        {"answer": 4},
        4,
    ],
)
def test_what_is_no_answer_ends_the_conversation_for_good(both_ends, answer):
    ours, theirs = both_ends
    here = Conversation(ours, None)
    thread = asked(theirs, answer)
    with pytest.raises(ChannelError):
        here.ask("call", seconds=30)
    thread.join()
    theirs.send(encode(["answer", 2, True, "a right answer comes too late"]))
    with pytest.raises(ChannelError):
        here.ask("call", seconds=30)


def test_an_answer_sent_twice_does_not_answer_the_next_question(both_ends):
    ours, theirs = both_ends
    here = Conversation(ours, None)
    thread = asked(theirs, *[lambda number: ["answer", number, True, 4]] * 2)
    assert here.ask("call", seconds=30) == 4
    thread.join()
    with pytest.raises(ChannelError, match="not asked"):
        here.ask("call", seconds=30)


def test_no_late_answer_is_taken_for_the_next_one(both_ends, monkeypatch):
    monkeypatch.setattr("autograder.channel.GRACE_S", 0.0)
    ours, theirs = both_ends
    here = Conversation(ours, None)
    with pytest.raises(ChannelTimeout):
        here.ask("first", seconds=0.2)
    number = decode(theirs.receive(seconds=30))[1]
    theirs.send(encode(["answer", number, True, 4]))
    theirs.send(encode(["answer", number + 1, True, 4]))
    with pytest.raises(ChannelTimeout):
        here.ask("second", seconds=30)


def test_questions_within_questions_end(both_ends):
    ours, theirs = both_ends
    here = Conversation(ours, lambda operation, arguments, seconds: here.ask("again", seconds=30))

    def work():
        for number in range(1, 100):
            theirs.send(encode(["ask", number, "again", 1.0, []]))

    thread = threading.Thread(target=work)
    thread.start()
    with pytest.raises(ChannelError, match="without end"):
        here.ask("call", seconds=30)
    thread.join()
