"""What the supervisor and the child in the sandbox say to each other.

A frame is eight bytes (the lengths of the header and of the body, big-endian), a JSON header, and the body: the raw bytes of
the arrays, one after the other. There is no pickle: a value is rebuilt from its dtype, shape and bytes, under limits, and
nothing that comes out of the sandbox can run.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import select
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from ...checks.drivers import Named, Rng

HEADER_LIMIT = 8 * 2**20
BODY_LIMIT = 128 * 2**20
DEPTH = 16
NODES = 200_000
# Brackets of a header inside each other: at most three for each level of a value. Far deeper ones can be
# read, and then not be written, compared or copied any more: every step of that takes some of Python's stack
NESTED = 200
# In the place of a function's name: a question of the case that is asked now
QUESTION = "?"
# Keys of all dicts together (chosen integers collide, and each then meets all others), names of types, bits of a number
KEYS = 2_000
NAMES = 64
BITS = 4_096
TEXT = 20_000
DTYPES = {
    np.dtype(kind).str
    for kind in ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16", np.longdouble)
}
_LENGTHS = struct.Struct(">II")
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
# Windows knows neither this flag nor poll: there the socket's own timeout has to do
_DONTWAIT = getattr(socket, "MSG_DONTWAIT", None)
_COLOURS = re.compile("\x1b\\[[0-9;]*m")
# All that moves a terminal's cursor, turns the direction of reading, or cannot be written as UTF-8
_UNCLEAN = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u061b\u061d-\u200d\u2010-\u2027\u202f-\u2065\u206a-\ud7ff"
    "\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]"
)


class ProtocolError(Exception):
    """What came is not a frame, or more than a frame may hold."""


class TooLarge(ProtocolError):
    """What came, or was to be sent, is more than a frame may hold."""


class Silence(Exception):
    """Nothing came in time."""


class Closed(Exception):
    """The other side has gone."""


def clean(text: str) -> str:
    """Text that may stand in a message, a page and a file: without colours, and with \ufffd for the rest."""
    if text.isascii() and text.isprintable():
        return text
    plain = _COLOURS.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _UNCLEAN.sub("\ufffd", plain)


def cleaned(value: Any) -> Any:
    """Parsed JSON with every string in it clean, keys included."""
    if type(value) is str:
        return clean(value)
    if type(value) is list:
        return [cleaned(x) for x in value]
    if type(value) is dict:
        return {clean(key): cleaned(x) for key, x in value.items()}
    return value


def encode(value: Any, start: int = 0) -> tuple[Any, list[bytes]]:
    """(JSON tree, buffers) of a value; an object that is not plain data becomes its type's name.

    start : bytes that stand before these buffers in the body.
    """
    encoder = _Encoder(start)
    return encoder.walk(value, 0), encoder.buffers


class _Encoder:
    def __init__(self, start):
        self.buffers, self.size, self.nodes, self.keys = [], start, 0, 0

    def walk(self, x, depth):
        self.nodes += 1
        if depth > DEPTH or self.nodes > NODES:
            raise TooLarge(f"expected nested values at most {DEPTH} deep and {NODES} in number, got more")
        # Exact types: a subclass may say anything about itself
        kind = type(x)
        if x is None or kind is bool:
            return x
        if kind in _SCALARS:
            return _SCALARS[kind](x)
        if isinstance(x, np.ndarray | np.generic):
            return self.array(x)
        if isinstance(x, tuple | list | dict):
            return self.many(x, depth)
        return ["o", str(kind.__name__)[:60]]

    def array(self, x):
        array = np.asarray(x)
        if not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
        if array.dtype.str not in DTYPES:
            return ["o", "ndarray" if isinstance(x, np.ndarray) else type(x).__name__]
        start = self.size
        self.size += array.nbytes
        if self.size > BODY_LIMIT:
            raise TooLarge(f"expected at most {BODY_LIMIT // 2**20} MB of arrays, got more")
        self.buffers.append(array.tobytes())
        return ["a" if isinstance(x, np.ndarray) else "g", array.dtype.str, list(array.shape), start]

    def many(self, x, depth):
        if isinstance(x, dict):
            self.keys += dict.__len__(x)
            if self.keys > KEYS:
                raise TooLarge(f"expected at most {KEYS} keys, got more")
            return ["d", [[self.walk(k, depth + 1), self.walk(y, depth + 1)] for k, y in dict.items(x)]]
        if isinstance(x, list):
            return ["l", [self.walk(y, depth + 1) for y in list.__iter__(x)]]
        values = [self.walk(y, depth + 1) for y in tuple.__iter__(x)]
        home = getattr(type(x), "__module__", None)
        if type(home) is str and home.startswith("dlcourse.") and hasattr(type(x), "_fields"):
            return ["n", f"{home.removeprefix('dlcourse.')}.{type(x).__name__}", values]
        return ["t", values]


_SCALARS: dict[type, Callable] = {
    str: lambda x: ["s", x[:TEXT].encode("utf-8", "replace").decode()],
    int: lambda x: ["i", hex(x)] if x.bit_length() <= BITS else ["o", "int"],
    float: lambda x: ["f", x.hex()],
    complex: lambda x: ["c", x.real.hex(), x.imag.hex()],
    Rng: lambda x: ["rng", x.seed],
    Named: lambda x: ["named", x.name],
}


def decode(tree: Any, body: Any, special: dict | None = None) -> Any:
    """The value of a tree and its body.

    special : maps "rng" and "named" to what makes them of their argument, "n" to the class of the course with that name.
    """
    try:
        return _Decoder(body, special or {}).walk(tree, 0)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ProtocolError(f"expected a value, got something that is none ({type(error).__name__})") from None


class _Decoder:
    """Each method that a tag names gets what stands behind the tag, and the depth."""

    def __init__(self, body, special):
        self.body, self.special = body, special
        self.nodes = self.keys = 0
        self.room, self.names = len(body), set()

    def walk(self, x, depth):
        self.nodes += 1
        if depth > DEPTH or self.nodes > NODES:
            raise TooLarge("expected a smaller value")
        if x is None or type(x) is bool:
            return x
        if not isinstance(x, list) or not x or type(x[0]) is not str or x[0] not in _TAGS:
            raise ProtocolError("expected a tagged value")
        read, kinds = _TAGS[x[0]]
        rest = x[1:]
        if len(rest) != len(kinds) or not all(map(isinstance, rest, kinds)):
            raise ProtocolError("expected a tagged value")
        return read(self, depth, *rest)

    def text(self, depth, it):
        return clean(it[:TEXT])

    def whole(self, depth, it):
        if len(it) > BITS // 4 + 3:
            raise ProtocolError("expected a tagged value")
        return int(it, 16)

    def real(self, depth, it):
        return float.fromhex(it)

    def as_complex(self, depth, real, imaginary):
        return complex(float.fromhex(real), float.fromhex(imaginary))

    def as_tuple(self, depth, it):
        return tuple(self.walk(y, depth + 1) for y in it)

    def as_list(self, depth, it):
        return [self.walk(y, depth + 1) for y in it]

    def as_dict(self, depth, it):
        self.keys += len(it)
        if self.keys > KEYS:
            raise TooLarge(f"expected at most {KEYS} keys, got more")
        return {self.walk(k, depth + 1): self.walk(y, depth + 1) for k, y in it}

    def named_tuple(self, depth, name, it):
        values = [self.walk(y, depth + 1) for y in it]
        return self.special["n"](name)(*values) if "n" in self.special else tuple(values)

    def as_object(self, depth, name):
        if len(self.names) < NAMES:
            self.names.add(name)
        return opaque(name if name in self.names else "object")

    def rng(self, depth, it):
        return self._special("rng", it)

    def named(self, depth, it):
        return self._special("named", it)

    def _special(self, tag, it):
        if tag not in self.special:
            raise ProtocolError("expected a tagged value")
        return self.special[tag](it)

    def array(self, depth, dtype, shape, start):
        kind, count = _array_type(dtype, shape)
        if type(start) is not int or start < 0:
            raise ProtocolError("expected sizes that are whole numbers")
        if start + count * kind.itemsize > len(self.body):
            raise ProtocolError("expected as many bytes as dtype and shape say")
        # Each byte belongs to one array: a hundred thousand views of the same megabyte would fill the machine
        self.room -= count * kind.itemsize
        if self.room < 0:
            raise TooLarge("expected arrays that take at most the bytes of the body, got more")
        return np.frombuffer(self.body, kind, count, start).reshape(shape).copy()

    def number(self, depth, dtype, shape, start):
        return self.array(depth, dtype, shape, start)[()]

    def hollow(self, depth, dtype, shape):
        kind, _ = _array_type(dtype, shape)
        return np.broadcast_to(np.zeros((), kind), shape)


def _array_type(dtype, shape):
    """(dtype, number of entries) that a tag says, if there can be such an array."""
    if dtype not in DTYPES or len(shape) > 32:
        raise ProtocolError("expected a known dtype and a shape")
    if not all(type(n) is int and 0 <= n <= BODY_LIMIT for n in shape):
        raise ProtocolError("expected sizes that are whole numbers")
    kind, count = np.dtype(dtype), math.prod(shape)
    if count * kind.itemsize > BODY_LIMIT:
        raise ProtocolError("expected as many bytes as dtype and shape say")
    return kind, count


# {tag: (what reads it, the types of what stands behind it)}
_TAGS: dict[str, tuple[Callable, tuple]] = {
    "s": (_Decoder.text, (str,)),
    "i": (_Decoder.whole, (str,)),
    "f": (_Decoder.real, (str,)),
    "c": (_Decoder.as_complex, (str, str)),
    "t": (_Decoder.as_tuple, (list,)),
    "l": (_Decoder.as_list, (list,)),
    "d": (_Decoder.as_dict, (list,)),
    "n": (_Decoder.named_tuple, (str, list)),
    "o": (_Decoder.as_object, (str,)),
    "rng": (_Decoder.rng, (object,)),
    "named": (_Decoder.named, (object,)),
    "a": (_Decoder.array, (str, list, int)),
    "g": (_Decoder.number, (str, list, int)),
    "h": (_Decoder.hollow, (str, list)),
}


def without_large(tree: Any, body: Any, limit: int) -> tuple[Any, bytes]:
    """The tree and the bytes without the contents of arrays over `limit` bytes: of those dtype and shape stay (tag "h").

    Shape and dtype are all that is ever said of such an array. What lies about its bytes stays, for `decode` to refuse.
    """
    kept: list[Any] = []
    size = 0

    def walk(x):
        nonlocal size
        if not isinstance(x, list):
            return x
        length = _length_of_array(x, len(body))
        if length is None:
            return [walk(y) for y in x]
        if length > limit:
            return ["h", x[1], x[2]]
        kept.append(body[x[3] : x[3] + length])
        size += length
        if size > len(body):
            raise TooLarge("expected arrays that take at most the bytes of the body, got more")
        return [*x[:3], size - length]

    try:
        return walk(tree), b"".join(kept)
    except RecursionError:
        raise ProtocolError("expected a value, got something that is none (RecursionError)") from None


def _length_of_array(x, most):
    """Bytes of the array that a tree says, None where it is something else, or not within the body of so many bytes."""
    if len(x) != 4 or x[0] not in ("a", "g") or not all(map(isinstance, x[1:], (str, list, int))):
        return None
    try:
        kind, count = _array_type(x[1], x[2])
    except ProtocolError:
        return None
    return count * kind.itemsize if 0 <= x[3] <= most - count * kind.itemsize else None


@lru_cache(256)
def _opaque_type(name):
    return type(name, (), {})


def opaque(name: str) -> Any:
    """An object without contents, of a type with that name: what is left of an answer that is not plain data."""
    return _opaque_type("".join(c for c in name[:200] if c.isalnum() or c == "_")[:40] or "object")()


def course_tuple(name: str) -> Any:
    """The NamedTuple of the course with that name, "optimizers.AdamState"."""
    module, _, kind = str(name).rpartition(".")
    found = getattr(sys.modules.get(f"dlcourse.{module}"), kind, None)
    if not (isinstance(found, type) and issubclass(found, tuple) and hasattr(found, "_fields")):
        raise ProtocolError("expected a NamedTuple of the course")
    return found


TOO_DEEP = f"expected a header with {NESTED} brackets inside each other or fewer, got more"


def _check_nesting(head):
    """Refuse a JSON text with too many brackets inside each other."""
    if head.count(b"[") + head.count(b"{") <= NESTED:
        return
    text = np.frombuffer(_STRINGS.sub(b"", head), np.uint8)
    # Of [ and { as of ] and } one bit differs
    opened, closed = (text | 32) == ord("{"), (text | 32) == ord("}")
    if np.max(np.cumsum(opened.astype(np.int32) - closed, dtype=np.int32), initial=0) > NESTED:
        raise TooLarge(TOO_DEEP)


class Channel:
    """Frames over one end of a socket pair.

    trusted : the other side is the supervisor, whose text is a notebook's own and stays as it is; any other is cleaned.
    """

    def __init__(self, sock, trusted=False):
        self.sock, self.trusted = sock, trusted
        sock.setblocking(True)

    def fileno(self) -> int:
        return self.sock.fileno()

    def send(self, header: dict, buffers: Iterable[bytes] = (), deadline: float | None = None) -> None:
        """Send a frame; with a deadline (of `time.monotonic`) raise `Silence` where the other side does not take it."""
        try:
            head, body = json.dumps(header).encode(), b"".join(buffers)
        except RecursionError:
            raise TooLarge(TOO_DEEP) from None
        _check_nesting(head)
        if len(head) > HEADER_LIMIT or len(body) > BODY_LIMIT:
            raise TooLarge(f"expected at most {HEADER_LIMIT // 2**20} MB of text, got {len(head) // 2**20} MB")
        data = memoryview(_LENGTHS.pack(len(head), len(body)) + head + body)
        if deadline is None:
            try:
                self.sock.sendall(data)
            except OSError:
                raise Closed from None
            return
        while data:
            data = data[self._now(self.sock.send, data[: 2**16], "POLLOUT", deadline) :]

    def receive(
        self, deadline: float | None = None, header_limit: int = HEADER_LIMIT, body_limit: int = BODY_LIMIT
    ) -> tuple[dict, memoryview]:
        """(header, body) of the next frame; `Silence` after the deadline, `Closed` at the end."""
        if deadline is not None and time.monotonic() >= deadline:
            raise Silence
        head_size, body_size = _LENGTHS.unpack(self._exactly(_LENGTHS.size, deadline))
        if head_size > header_limit or body_size > body_limit:
            raise TooLarge(f"expected a frame of at most {header_limit} and {body_limit} bytes")
        # In one piece: most frames come whole
        whole = self._exactly(head_size + body_size, deadline)
        head, body = bytes(memoryview(whole)[:head_size]), memoryview(whole)[head_size:]
        try:
            header = json.loads(head)
            # JSON writes what is not plain text with a backslash
            if not self.trusted and (b"\\" in head or b"\x7f" in head or not head.isascii()):
                header = cleaned(header)
        except (ValueError, RecursionError):
            raise ProtocolError("expected a JSON header") from None
        _check_nesting(head)
        if not isinstance(header, dict):
            raise ProtocolError("expected a JSON object")
        return header, body

    def _exactly(self, size, deadline):
        # In place: a large answer is in memory once, and what is announced and never sent takes none
        data = bytearray(size)
        left = memoryview(data)
        while left:
            got = self._now(self._read, left[: 2**20], "POLLIN", deadline)
            if not got:
                raise Closed
            left = left[got:]
        return data

    def _read(self, view, flags=0):
        return self.sock.recv_into(view, 0, flags)

    def _now(self, call, argument, event, deadline):
        """`call(argument)` as soon as the socket is ready for it; `Silence` after the deadline."""
        try:
            if deadline is None:
                return call(argument)
            if _DONTWAIT is None:
                return self._within(call, argument, deadline)
            while True:
                # Most of a frame is there at once: to ask first would double the calls
                with contextlib.suppress(BlockingIOError):
                    return call(argument, _DONTWAIT)
                left = deadline - time.monotonic()
                poll = select.poll()
                poll.register(self.sock, getattr(select, event))
                if left <= 0 or not poll.poll(left * 1000):
                    raise Silence
        except OSError:
            raise Closed from None

    def _within(self, call, argument, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise Silence
        self.sock.settimeout(left)
        try:
            return call(argument)
        except TimeoutError:
            raise Silence from None
        finally:
            self.sock.settimeout(None)

    def close(self) -> None:
        self.sock.close()
