"""What supervisor and child say to each other: exact frames, values rebuilt under limits, and a message for everything else."""

import json
import socket
import struct
import sys
import threading
import time
from collections import namedtuple
from types import SimpleNamespace

import numpy as np
import pytest

from autograder.checks.drivers import Named, Rng
from autograder.engine.sandbox import protocol
from dlcourse import optimizers


class Sneaky:
    def __reduce__(self):
        raise AssertionError("must not be asked")


class Number(int):
    pass


Pair = namedtuple("Pair", "a b")
STATE = optimizers.MomentumState(np.array([1.0]))
LONG_NAME = type("N" * 70, (), {})

# {what: (value, its tree, its bytes)}
ENCODED = {
    "None": (None, None, b""),
    "True": (True, True, b""),
    "a text": ("Grüße", ["s", "Grüße"], b""),
    "half a surrogate pair": ("a\ud800", ["s", "a?"], b""),
    "a whole number": (-255, ["i", "-0xff"], b""),
    "a number of more digits than may be sent": (1 << protocol.BITS, ["o", "int"], b""),
    "a float": (0.5, ["f", "0x1.0000000000000p-1"], b""),
    "a complex number": (0.5 - 1j, ["c", "0x1.0000000000000p-1", "-0x1.0000000000000p+0"], b""),
    "an array": (np.array([[1, 2]], np.int8), ["a", "|i1", [1, 2], 0], b"\1\2"),
    "an array of the other byte order": (np.array([1], ">i2"), ["a", "<i2", [1], 0], b"\1\0"),
    "an array of objects": (np.array([Sneaky()]), ["o", "ndarray"], b""),
    "a NumPy number": (np.int8(3), ["g", "|i1", [], 0], b"\3"),
    "a date": (np.datetime64("2026-01-01"), ["o", "datetime64"], b""),
    "two arrays in a tuple": (
        (np.array([1], np.int8), np.array([2], np.int8)),
        ["t", [["a", "|i1", [1], 0], ["a", "|i1", [1], 1]]],
        b"\1\2",
    ),
    "a list": ([None, 1], ["l", [None, ["i", "0x1"]]], b""),
    "a dict": ({"a": None, 1: True}, ["d", [[["s", "a"], None], [["i", "0x1"], True]]], b""),
    "a tuple with names": (Pair(1, 2), ["t", [["i", "0x1"], ["i", "0x2"]]], b""),
    "a state of the course": (
        STATE,
        ["n", "optimizers.MomentumState", [["a", "<f8", [1], 0]]],
        np.array([1.0]).tobytes(),
    ),
    "a generator of random numbers": (Rng(7), ["rng", 7], b""),
    "a function of the course": (Named("losses.mse"), ["named", "losses.mse"], b""),
    "an object": (Sneaky(), ["o", "Sneaky"], b""),
    "an object with a long name": (LONG_NAME(), ["o", "N" * 60], b""),
    "a number of another class": (Number(3), ["o", "Number"], b""),
}


@pytest.mark.parametrize("case", ENCODED)
def test_the_tree_and_the_bytes(case):
    value, tree, body = ENCODED[case]
    got, buffers = protocol.encode(value)
    assert (got, b"".join(buffers)) == (tree, body)


def test_a_tuple_of_the_course_keeps_only_what_it_says_of_its_class():
    class Liar(tuple):
        __module__ = "dlcourse.optimizers"
        __slots__ = ()

        def __iter__(self):
            raise AssertionError("must not be asked")

    # Without fields it is a tuple; a module whose name is not text is not looked at
    assert protocol.encode(Liar((1,)))[0] == ["t", [["i", "0x1"]]]
    assert protocol.encode(type("Odd", (tuple,), {"__module__": 3, "_fields": ()})())[0] == ["t", []]
    assert protocol.encode(type("Other", (tuple,), {"__module__": "x.dlcourse.", "_fields": ()})())[0] == ["t", []]


def test_lists_and_dicts_are_read_past_their_own_methods():
    class List(list):
        def __iter__(self):
            raise AssertionError("must not be asked")

    class Dict(dict):
        def items(self):
            raise AssertionError("must not be asked")

    assert protocol.encode(List([None]))[0] == ["l", [None]]
    assert protocol.encode(Dict({"a": None}))[0] == ["d", [[["s", "a"], None]]]


def test_buffers_may_stand_behind_others():
    assert protocol.encode(np.int8(1), start=5)[0] == ["g", "|i1", [], 5]


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -(2**70),
        0.1,
        float("inf"),
        1 - 2j,
        "Grüße",
        (1, [2.5, None], {"a": (), 3: "x"}),
        np.float32(1.5),
        np.arange(6.0).reshape(2, 3).T,
        np.zeros((0, 3), dtype=np.int8),
        np.array(True),
        np.array([np.nan, -0.0]),
        (np.array([1.0]), np.array([2.0, 3.0])),
    ],
)
def test_plain_data_comes_back_as_it_was(value):
    back = round_trip(value)
    assert type(back) is type(value)
    if isinstance(value, np.ndarray | np.generic):
        assert back.dtype == value.dtype and back.shape == value.shape
        assert back.tobytes() == np.ascontiguousarray(value).tobytes()
    else:
        assert str(back) == str(value)


def round_trip(value):
    tree, buffers = protocol.encode(value)
    return protocol.decode(tree, b"".join(buffers))


def test_what_is_no_plain_data_comes_back_as_an_empty_object_of_that_name():
    assert type(round_trip(Sneaky())).__name__ == "Sneaky"
    assert type(round_trip(np.array([Sneaky()], dtype=object))).__name__ == "ndarray"
    assert type(round_trip(x for x in ())).__name__ == "generator"


@pytest.mark.parametrize(
    ("name", "clean"), [("a_1-é!", "a_1é"), ("", "object"), ("<>", "object"), ("x" * 50, "x" * 40)]
)
def test_the_name_of_an_object_is_cleaned(name, clean):
    value = protocol.opaque(name)
    assert type(value).__name__ == clean and type(value).__mro__ == (type(value), object)


def test_what_a_tag_stands_for_is_the_callers_to_say():
    special = {"rng": lambda seed: ("rng", seed), "named": lambda name: ("named", name), "n": protocol.course_tuple}
    assert protocol.decode(["t", [["rng", 3], ["named", "x"]]], b"", special) == (("rng", 3), ("named", "x"))
    back = protocol.decode(["n", "optimizers.MomentumState", [None]], b"", special)
    assert type(back) is optimizers.MomentumState and tuple(back) == (None,)
    # Without a word for it a tuple with names is a plain one
    assert type(protocol.decode(["n", "optimizers.MomentumState", [None]], b"")) is tuple
    assert type(protocol.decode(["n", "optimizers.MomentumState", [None]], b"", {"rng": None})) is tuple


@pytest.mark.parametrize("name", ["optimizers.sgd_step", "optimizers.nothing", "os.PathLike", "MomentumState", "x", ""])
def test_only_tuples_of_the_course_are_made(name):
    with pytest.raises(protocol.ProtocolError) as refused:
        protocol.course_tuple(name)
    assert str(refused.value) == "expected a NamedTuple of the course"


def test_a_tuple_of_a_module_in_a_package(monkeypatch):
    plain = type("Plain", (tuple,), {})
    inside = SimpleNamespace(
        Pair=Pair, Plain=plain, Fake=SimpleNamespace(_fields=()), Class=type("C", (), {"_fields": ()})
    )
    monkeypatch.setitem(sys.modules, "dlcourse.a.b", inside)
    assert protocol.course_tuple("a.b.Pair") is Pair
    for name in ("Plain", "Fake", "Class"):
        with pytest.raises(protocol.ProtocolError):
            protocol.course_tuple(f"a.b.{name}")


NO_VALUE = "expected a tagged value"
KNOWN = "expected a known dtype and a shape"
WHOLE = "expected sizes that are whole numbers"
BYTES = "expected as many bytes as dtype and shape say"
ROOM = "expected arrays that take at most the bytes of the body, got more"
# [(a tree beside eight bytes, what is wrong)]
LIES = [
    (["a", "<f8", [2], 0], BYTES),
    (["a", "<f8", [1], 1], BYTES),
    (["a", "|O", [1], 0], KNOWN),
    (["a", "<f8", "x", 0], NO_VALUE),
    (["a", "<f8", [1] * 33, 0], KNOWN),
    (["a", "<f8", [-1], 0], WHOLE),
    (["a", "<f8", [1], -8], WHOLE),
    (["a", "<f8", [True], 0], WHOLE),
    (["a", "<f8", [1.0], 0], WHOLE),
    (["a", "<f8", [protocol.BODY_LIMIT + 1], 0], WHOLE),
    (["a", "<f8", [0, protocol.BODY_LIMIT], protocol.BODY_LIMIT], BYTES),
    (["a", "<f8", [2**20, 2**20, 2**20], 0], BYTES),
    (["t", [["a", "<f8", [1], 0], ["a", "|i1", [1], 0]]], ROOM),
    (["s", 1], NO_VALUE),
    (["s", "a", "b"], NO_VALUE),
    (["i", 5], NO_VALUE),
    (["i", "0" * (protocol.BITS // 4 + 4)], NO_VALUE),
    (["f", 0.5], NO_VALUE),
    (["o", 1], NO_VALUE),
    (["t", 5], NO_VALUE),
    (["l", "ab"], NO_VALUE),
    (["d", {}], NO_VALUE),
    (["n", "x"], NO_VALUE),
    (["n", "x", "y"], NO_VALUE),
    (["c", "0x1"], NO_VALUE),
    (["g", "<f8", []], NO_VALUE),
    (["rng", 1], NO_VALUE),
    (["named", 1], NO_VALUE),
    (["a", "<f8", [1], True], WHOLE),
    (["h", "<f8"], NO_VALUE),
    (["h", "|O", [1]], KNOWN),
    (["h", "<f8", [-1]], WHOLE),
    (["h", "<f8", [protocol.BODY_LIMIT // 8 + 1]], BYTES),
    ([["a"], 1], NO_VALUE),
    (["unknown", 1], NO_VALUE),
    ([], NO_VALUE),
    (7, NO_VALUE),
    ("x", NO_VALUE),
    ({"a": 1}, NO_VALUE),
    (["i", "zz"], "expected a value, got something that is none (ValueError)"),
    (["d", [[["l", []], None]]], "expected a value, got something that is none (TypeError)"),
    (["f", "0x1p99999"], "expected a value, got something that is none (OverflowError)"),
]


@pytest.mark.parametrize(("tree", "message"), LIES, ids=str)
def test_a_tree_that_lies_is_refused(tree, message):
    with pytest.raises(protocol.ProtocolError) as refused:
        protocol.decode(tree, b"\0" * 8)
    assert str(refused.value) == message and isinstance(refused.value, protocol.TooLarge) == (message == ROOM)


def test_what_is_just_allowed_is_read():
    for number in (2**protocol.BITS - 1, 1 - 2**protocol.BITS):
        assert round_trip(number) == number and len(str(number)) < 1_300
    assert protocol.decode(["a", "<f8", [1] * 32, 0], b"\0" * 8).shape == (1,) * 32
    assert protocol.decode(["a", "<f8", [0, protocol.BODY_LIMIT], 8], b"\0" * 8).shape == (0, protocol.BODY_LIMIT)
    both = protocol.decode(["t", [["a", "<i4", [1], 0], ["g", "<i4", [], 4]]], b"\1\0\0\0\2\0\0\0")
    assert both[0].tolist() == [1] and both[1] == 2 and both[0].flags.writeable
    assert protocol.decode(["s", "x" * 30_000], b"") == "x" * protocol.TEXT == round_trip("x" * 30_000)


# --- what may be shown ------------------------------------------------------------------------------------------------

# [(what came, what is left)]
TEXTS = [
    ("plain", "plain"),
    ("two\nlines\tand a tab", "two\nlines\tand a tab"),
    ("Größe σ(x) ≤ 1, 数, 😀", "Größe σ(x) ≤ 1, 数, 😀"),
    ("10 %\r20 %\r\n", "10 %\n20 %\n"),
    ("\x1b[31mred\x1b[0m", "red"),
    ("\x1b[2J\x1b]0;title\x07", "\ufffd[2J\ufffd]0;title\ufffd"),
    ("a\x00b\x08c\x7fd\x85e\x9be", "a\ufffdb\ufffdc\ufffdd\ufffde\ufffde"),
    ("half \ud800 and \udfff", "half \ufffd and \ufffd"),
    ("a\u202eb\u2066c\u200fd\u061ce", "a\ufffdb\ufffdc\ufffdd\ufffde"),
    ("\u2028\u2029\ufdd0\ufffe\uffff", "\ufffd" * 5),
]


@pytest.mark.parametrize(("text", "left"), TEXTS, ids=range(len(TEXTS)))
def test_text_is_cleaned_at_the_border(ends, text, left):
    assert protocol.clean(text) == left
    # What is clean stays as it is, and can be written
    assert protocol.clean(left) == left and left.encode().decode() == left
    channel, theirs = ends
    sent = {"where": text, text: [{"deep": [text, 1, None]}]}
    protocol.Channel(theirs).send(sent)
    assert channel.receive()[0] == {"where": left, left: [{"deep": [left, 1, None]}]}
    # A notebook's own source must reach its child as it is
    channel.send(sent)
    assert protocol.Channel(theirs, trusted=True).receive()[0] == sent
    assert protocol.decode(["d", [[["s", text], ["s", text]]]], b"") == {left: left}


@pytest.mark.parametrize("raw", [b'{"a": "\x7f"}', b'{"a": "\xc2\x85"}', b'{"a": "\xe2\x80\xae"}', b'{"\\u0000": "a"}'])
def test_text_that_is_not_escaped_is_cleaned_too(ends, raw):
    channel, theirs = ends
    theirs.sendall(frame(raw))
    ((key, value),) = channel.receive()[0].items()
    assert (key, value) in [("a", "\ufffd"), ("\ufffd", "a")]


def brackets(opening, closing, count):
    """A header whose brackets stand `count` deep, with many that stand beside them."""
    inner = json.dumps(["]", '[\\"['] * 150)
    return (opening * (count - 1) + inner + closing * (count - 1)).encode()


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a": ', "}"), ('{"a": [', "]}")])
def test_brackets_inside_each_other_are_counted(ends, opening, closing):
    channel, theirs = ends
    each = opening.count("[") + opening.count("{")
    # The header's own bracket and the innermost list
    room = (protocol.NESTED - 2) // each
    theirs.sendall(frame(b'{"value": ' + brackets(opening, closing, room + 1) + b"}"))
    came = channel.receive()[0]
    channel.send(came)
    assert protocol.Channel(theirs, trusted=True).receive()[0] == came
    theirs.sendall(frame(b'{"value": ' + brackets(opening, closing, room + 2) + b"}"))
    with pytest.raises(protocol.ProtocolError) as caught:
        channel.receive()
    words = f"expected a header with {protocol.NESTED} brackets inside each other or fewer, got more"
    assert str(caught.value) == words
    with pytest.raises(protocol.TooLarge) as caught:
        channel.send({"value": json.loads(brackets(opening, closing, room + 2))})
    assert str(caught.value) == words


def test_what_python_cannot_write_is_too_large(ends):
    with pytest.raises(protocol.TooLarge) as caught:
        ends[0].send({"value": nested(100_000)})
    assert str(caught.value).startswith(f"expected a header with {protocol.NESTED} brackets")


# --- what is more than any answer has ---------------------------------------------------------------------------------


def test_keys_are_limited():
    # Multiples of this prime have the same hash: each key would be compared with all others
    prime = 2**61 - 1
    many = {prime * number: None for number in range(1, protocol.KEYS + 1)}
    assert round_trip(many) == many
    half = dict.fromkeys(range(protocol.KEYS // 2 + 1))
    pairs = [[["i", hex(number)], None] for number in half]
    words = f"expected at most {protocol.KEYS} keys, got more"
    for refuse in (lambda: protocol.encode([half, half]), lambda: protocol.decode(["l", [["d", pairs]] * 2], b"")):
        with pytest.raises(protocol.TooLarge) as refused:
            refuse()
        assert str(refused.value) == words


def test_types_without_contents_are_few():
    many = protocol.decode(["l", [["o", f"T{number}"] for number in range(500)]], b"")
    names = [type(one).__name__ for one in many]
    assert names == [f"T{number}" for number in range(protocol.NAMES)] + ["object"] * (500 - protocol.NAMES)
    assert type(many[-1]) is type(many[-2]) is type(protocol.opaque("object"))


def test_of_large_arrays_shape_and_dtype_are_left():
    value = {"a": np.arange(4.0), "b": [np.ones((1000, 3), np.int8), np.float32(2.5)], "c": "text"}
    tree, buffers = protocol.encode(value)
    body = b"".join(buffers)
    assert protocol.without_large(tree, body, 3000) == (tree, body)
    tree, body = protocol.without_large(tree, body, 2999)
    assert len(body) == 4 * 8 + 4
    left = protocol.decode(tree, body)
    assert left["a"].tolist() == [0.0, 1.0, 2.0, 3.0] and left["b"][1] == np.float32(2.5) and left["c"] == "text"
    large = left["b"][0]
    assert (large.shape, large.dtype, large.strides) == ((1000, 3), np.int8, (0, 0))


@pytest.mark.parametrize(
    "tree", [["a", "<f8", [2], 0], ["a", "|O", [1], 0], ["a", 1, 2, 3], ["a"], 7, ["a", "<f8", [1], -8]]
)
def test_a_tree_that_lies_of_its_arrays_is_left_to_the_reader(tree):
    assert protocol.without_large(tree, b"\0" * 8, 100) == (tree, b"")
    with pytest.raises(protocol.ProtocolError):
        protocol.decode(tree, b"")


def test_arrays_that_share_their_bytes_are_refused():
    with pytest.raises(protocol.TooLarge) as caught:
        protocol.without_large(["l", [["a", "|i1", [8], 0]] * 2], b"\0" * 8, 100)
    assert str(caught.value) == "expected arrays that take at most the bytes of the body, got more"
    with pytest.raises(protocol.ProtocolError) as caught:
        protocol.without_large(nested(100_000), b"", 1)
    assert str(caught.value) == "expected a value, got something that is none (RecursionError)"


MOST = protocol.BODY_LIMIT


@pytest.mark.parametrize(
    ("dtype", "shape", "found"),
    [
        ("|i1", [MOST], MOST),
        ("<f8", [MOST // 8], MOST // 8),
        ("<f8", [2, MOST // 16], MOST // 8),
        ("<f8", [], 1),
        ("<f8", [3, 0], 0),
        ("|i1", [1] * 32, 1),
        ("|i1", [1] * 33, "expected a known dtype and a shape"),
        ("<M8[s]", [1], "expected a known dtype and a shape"),
        ("|i1", [MOST + 1], "expected sizes that are whole numbers"),
        ("|i1", [-1], "expected sizes that are whole numbers"),
        ("|i1", [True], "expected sizes that are whole numbers"),
        ("|i1", [1.0], "expected sizes that are whole numbers"),
        ("<f8", [MOST // 8 + 1], "expected as many bytes as dtype and shape say"),
        ("|i1", [MOST, 2], "expected as many bytes as dtype and shape say"),
    ],
)
def test_an_array_that_there_can_be(dtype, shape, found):
    if isinstance(found, int):
        assert protocol._array_type(dtype, shape) == (np.dtype(dtype), found)
        return
    with pytest.raises(protocol.ProtocolError) as caught:
        protocol._array_type(dtype, shape)
    assert str(caught.value) == found


class Nameless(type):
    @property
    def __module__(cls):
        raise AttributeError("a class that hides where it comes from")


def test_a_tuple_whose_class_hides_its_module_is_a_plain_one():
    assert protocol.encode(Nameless("Odd", (tuple,), {"_fields": ()})((1,)))[0] == ["t", [["i", "0x1"]]]


def nested(depth):
    value = None
    for _ in range(depth):
        value = [value]
    return value


def tree_of(value):
    return None if value is None else ["l", [tree_of(x) for x in value]]


def test_nesting_is_limited():
    for deep in (nested(protocol.DEPTH), {"a": nested(protocol.DEPTH - 1)}, (nested(protocol.DEPTH - 1),)):
        assert round_trip(deep) == deep
    inner = nested(protocol.DEPTH - 1)
    assert tuple(protocol.decode(["n", "x", [tree_of(inner)]], b"")) == (inner,)
    assert protocol.encode(optimizers.MomentumState(inner))[0][2] == [tree_of(inner)]
    key = ()
    for _ in range(protocol.DEPTH - 1):
        key = (key,)
    assert round_trip({key: 1}) == {key: 1}
    words = f"expected nested values at most {protocol.DEPTH} deep and {protocol.NODES} in number, got more"
    inner = nested(protocol.DEPTH)
    for deep in ([inner], (inner,), {1: inner}, Pair(inner, 1), optimizers.MomentumState(inner)):
        with pytest.raises(protocol.TooLarge) as refused:
            protocol.encode(deep)
        assert str(refused.value) == words
    inner = tree_of(inner)
    for tree in (["l", [inner]], ["t", [inner]], ["d", [[None, inner]]], ["d", [[inner, None]]], ["n", "x", [inner]]):
        with pytest.raises(protocol.TooLarge) as refused:
            protocol.decode(tree, b"")
        assert str(refused.value) == "expected a smaller value"
    with pytest.raises(protocol.TooLarge):
        protocol.encode({(key,): 1})


def test_the_number_of_values_is_limited(monkeypatch):
    monkeypatch.setattr(protocol, "NODES", 5)
    assert round_trip([1, 2, 3, 4]) == [1, 2, 3, 4]
    with pytest.raises(protocol.TooLarge):
        protocol.encode([1, 2, 3, 4, 5])
    with pytest.raises(protocol.TooLarge):
        protocol.decode(["l", [None] * 5], b"")


def test_the_bytes_of_the_arrays_are_limited(monkeypatch):
    monkeypatch.setattr(protocol, "BODY_LIMIT", 3 * 2**20)
    large = np.zeros(2**20, np.int8)
    assert len(protocol.encode((large, large, large))[1]) == 3
    with pytest.raises(protocol.TooLarge) as refused:
        protocol.encode((large, large), start=2**20 + 1)
    assert str(refused.value) == "expected at most 3 MB of arrays, got more"


# --- frames -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield protocol.Channel(ours), theirs


def frame(head, body=b""):
    return struct.pack(">II", len(head), len(body)) + head + body


def test_a_frame_is_two_lengths_a_header_and_the_bytes(ends):
    channel, theirs = ends
    channel.send({"a": 1}, [b"xy", b"z"])
    assert theirs.recv(100) == frame(b'{"a": 1}', b"xyz")
    channel.send({}, deadline=time.monotonic() + 5)
    assert theirs.recv(100) == frame(b"{}")
    assert channel.fileno() == channel.sock.fileno()


@pytest.mark.parametrize("deadline", [None, 5])
def test_a_frame_comes_in_pieces(ends, deadline):
    channel, theirs = ends
    whole = frame(b'{"b": 2}', b"body" * 10)

    def pieces():
        for i in range(0, len(whole), 7):
            theirs.sendall(whole[i : i + 7])
            time.sleep(0.001)

    sender = threading.Thread(target=pieces)
    sender.start()
    assert channel.receive(None if deadline is None else time.monotonic() + deadline) == ({"b": 2}, b"body" * 10)
    sender.join()


@pytest.mark.parametrize("deadline", [None, 20])
def test_a_frame_larger_than_the_sockets_buffer(ends, deadline):
    channel, theirs = ends
    body, found = np.arange(10**6, dtype=np.int32).tobytes(), []
    reader = threading.Thread(target=lambda: found.append(protocol.Channel(theirs).receive()))
    reader.start()
    channel.send({"n": 1}, [body], None if deadline is None else time.monotonic() + deadline)
    reader.join()
    assert found == [({"n": 1}, body)]


@pytest.mark.parametrize("data", [b"{", b"\xff", b"[" * 100_000])
def test_a_header_that_is_no_json(ends, data):
    channel, theirs = ends
    theirs.sendall(frame(data))
    with pytest.raises(protocol.ProtocolError) as refused:
        channel.receive()
    assert str(refused.value) == "expected a JSON header"


def test_a_header_that_is_no_object(ends):
    channel, theirs = ends
    theirs.sendall(frame(b"[]"))
    with pytest.raises(protocol.ProtocolError) as refused:
        channel.receive()
    assert str(refused.value) == "expected a JSON object"


@pytest.mark.parametrize(("head", "body"), [(11, 0), (0, 21)])
def test_a_frame_over_the_limits_is_refused_before_it_is_read(ends, head, body):
    channel, theirs = ends
    theirs.sendall(struct.pack(">II", head, body))
    with pytest.raises(protocol.TooLarge) as refused:
        channel.receive(header_limit=10, body_limit=20)
    assert str(refused.value) == "expected a frame of at most 10 and 20 bytes"


def test_a_frame_at_the_limits_is_read(ends):
    channel, theirs = ends
    theirs.sendall(frame(b'{"a":    1}'[:11], b"x" * 20))
    assert channel.receive(header_limit=11, body_limit=20) == ({"a": 1}, b"x" * 20)


def test_the_limits_without_a_word_are_the_protocols(ends):
    channel, theirs = ends
    for head, body in ((protocol.HEADER_LIMIT + 1, 0), (0, protocol.BODY_LIMIT + 1)):
        theirs.sendall(struct.pack(">II", head, body))
        with pytest.raises(protocol.TooLarge):
            channel.receive()


def test_a_frame_too_large_to_send_is_not_begun(ends, monkeypatch):
    channel, theirs = ends
    monkeypatch.setattr(protocol, "HEADER_LIMIT", 2**21)
    monkeypatch.setattr(protocol, "BODY_LIMIT", 5)
    text = "x" * (2**21 - len(json.dumps({"a": ""})))
    reader = threading.Thread(target=lambda: protocol.Channel(theirs).receive(header_limit=2**22))
    reader.start()
    channel.send({"a": text}, [b"12345"])
    reader.join()
    with pytest.raises(protocol.TooLarge) as refused:
        channel.send({"a": text + "xxx"})
    assert str(refused.value) == "expected at most 2 MB of text, got 2 MB"
    with pytest.raises(protocol.TooLarge):
        channel.send({}, [b"123456"])
    theirs.setblocking(False)
    with pytest.raises(BlockingIOError):
        theirs.recv(1)


def test_silence_and_the_end(ends):
    channel, theirs = ends
    with pytest.raises(protocol.Silence):
        channel.receive(time.monotonic() + 0.05)
    # What came after the deadline is not read
    theirs.sendall(frame(b"{}"))
    with pytest.raises(protocol.Silence):
        channel.receive(time.monotonic() - 1)
    assert channel.receive(time.monotonic() + 5) == ({}, b"")
    theirs.sendall(frame(b"{}")[:-1])
    with pytest.raises(protocol.Silence):
        channel.receive(time.monotonic() + 0.05)
    theirs.close()
    for deadline in (time.monotonic() + 5, None):
        with pytest.raises(protocol.Closed):
            channel.receive(deadline)
        with pytest.raises(protocol.Closed):
            channel.send({}, deadline=deadline)


def test_one_who_does_not_read_is_not_waited_for(ends):
    channel, _ = ends
    with pytest.raises(protocol.Silence):
        channel.send({}, [b"x" * 10**7], time.monotonic() + 0.05)


def test_a_closed_channel(ends):
    channel, theirs = ends
    channel.close()
    assert channel.sock.fileno() == -1 and theirs.recv(1) == b""
    with pytest.raises(protocol.Closed):
        channel.receive(time.monotonic() + 5)


def test_a_socket_that_does_not_block_is_made_to():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        protocol.Channel(ours)
        assert ours.getblocking()


# Where there is neither MSG_DONTWAIT nor poll the socket's own timeout has to do
def test_without_poll_the_same(ends, monkeypatch):
    monkeypatch.setattr(protocol, "_DONTWAIT", None)
    channel, theirs = ends
    theirs.sendall(frame(b'{"a": 1}', b"xyz"))
    assert channel.receive(time.monotonic() + 5) == ({"a": 1}, b"xyz")
    channel.send({}, [b"z"], time.monotonic() + 5)
    assert theirs.recv(100) == frame(b"{}", b"z")
    with pytest.raises(protocol.Silence):
        channel.receive(time.monotonic() + 0.05)
    assert channel.sock.gettimeout() is None
    theirs.sendall(b"x")
    assert channel._within(channel.sock.recv, 1, time.monotonic() + 0.9) == b"x"
    with pytest.raises(protocol.Silence):
        channel._within(channel.sock.recv, 1, time.monotonic() - 1)
    theirs.close()
    with pytest.raises(protocol.Closed):
        channel.receive(time.monotonic() + 5)
