"""What the supervisor and the child in the sandbox say to each other.

A frame is eight bytes (the lengths of the header and of the body, big-endian), a JSON header, and the body: the raw bytes of
the arrays, one after the other. There is no pickle: a value is rebuilt from its dtype, shape and bytes, under limits, and
nothing that comes out of the sandbox can run.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import struct
import sys
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from ...checks.drivers import Named, Rng

HEADER_LIMIT = 8 * 2**20
BODY_LIMIT = 128 * 2**20
DEPTH = 16
NODES = 200_000
TEXT = 20_000
DTYPES = {
    np.dtype(kind).str
    for kind in ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16", np.longdouble)
}
_LENGTHS = struct.Struct(">II")
# Windows knows neither this flag nor poll: there the socket's own timeout has to do
_DONTWAIT = getattr(socket, "MSG_DONTWAIT", None)


class ProtocolError(Exception):
    """What came is not a frame, or more than a frame may hold."""


class TooLarge(ProtocolError):
    """What came, or was to be sent, is more than a frame may hold."""


class Silence(Exception):
    """Nothing came in time."""


class Closed(Exception):
    """The other side has gone."""


def encode(value: Any, start: int = 0) -> tuple[Any, list[bytes]]:  # noqa: C901 (a branch for each type)
    """(JSON tree, buffers) of a value; an object that is not plain data becomes its type's name.

    start : bytes that stand before these buffers in the body.
    """
    buffers, size, nodes = [], start, 0

    def put(array):
        nonlocal size
        size += array.nbytes
        if size > BODY_LIMIT:
            raise TooLarge(f"expected at most {BODY_LIMIT // 2**20} MB of arrays, got more")
        buffers.append(array.tobytes())
        return [array.dtype.str, list(array.shape), size - array.nbytes]

    def walk(x, depth):  # noqa: C901
        nonlocal nodes
        nodes += 1
        if depth > DEPTH or nodes > NODES:
            raise TooLarge(f"expected nested values at most {DEPTH} deep and {NODES} in number, got more")
        # Exact types: a subclass may say anything about itself
        kind = type(x)
        if x is None or kind is bool:
            return x
        if kind is str:
            return ["s", x[:TEXT].encode("utf-8", "replace").decode()]
        if kind is int:
            return ["i", hex(x)] if x.bit_length() < 4 * TEXT else ["o", "int"]
        if kind is float:
            return ["f", x.hex()]
        if kind is complex:
            return ["c", x.real.hex(), x.imag.hex()]
        if isinstance(x, np.ndarray):
            x = np.asarray(x)
            if not x.dtype.isnative:
                x = x.astype(x.dtype.newbyteorder("="))
            return ["a", *put(x)] if x.dtype.str in DTYPES else ["o", "ndarray"]
        if isinstance(x, np.generic):
            array = np.asarray(x)
            return ["g", *put(array)] if array.dtype.str in DTYPES else ["o", kind.__name__]
        home = getattr(kind, "__module__", None)
        if isinstance(x, tuple) and type(home) is str and home.startswith("dlcourse.") and hasattr(kind, "_fields"):
            name = f"{home.removeprefix('dlcourse.')}.{kind.__name__}"
            return ["n", name, [walk(y, depth + 1) for y in tuple.__iter__(x)]]
        if isinstance(x, tuple):
            return ["t", [walk(y, depth + 1) for y in tuple.__iter__(x)]]
        if isinstance(x, list):
            return ["l", [walk(y, depth + 1) for y in list.__iter__(x)]]
        if isinstance(x, dict):
            return ["d", [[walk(k, depth + 1), walk(y, depth + 1)] for k, y in dict.items(x)]]
        if kind is Rng:
            return ["rng", x.seed]
        if kind is Named:
            return ["named", x.name]
        return ["o", str(kind.__name__)[:60]]

    return walk(value, 0), buffers


def decode(tree: Any, body: Any, special: dict | None = None) -> Any:  # noqa: C901 (a branch for each tag)
    """The value of a tree and its body.

    special : maps "rng" and "named" to what makes them of their argument, "n" to the class of the course with that name.
    """
    nodes, room = 0, len(body)

    def array(dtype, shape, start):
        nonlocal room
        if dtype not in DTYPES or not isinstance(shape, list) or len(shape) > 32:
            raise ProtocolError("expected a known dtype and a shape")
        if not all(type(n) is int and 0 <= n <= BODY_LIMIT for n in [*shape, start]):
            raise ProtocolError("expected sizes that are whole numbers")
        kind, count = np.dtype(dtype), 1
        for n in shape:
            count *= n
        if start + count * kind.itemsize > len(body):
            raise ProtocolError("expected as many bytes as dtype and shape say")
        # Each byte belongs to one array: a hundred thousand views of the same megabyte would fill the machine
        room -= count * kind.itemsize
        if room < 0:
            raise TooLarge("expected arrays that take at most the bytes of the body, got more")
        return np.frombuffer(body, kind, count, start).reshape(shape).copy()

    def walk(x, depth):  # noqa: C901
        nonlocal nodes
        nodes += 1
        if depth > DEPTH or nodes > NODES:
            raise TooLarge("expected a smaller value")
        if x is None or type(x) is bool:
            return x
        if not isinstance(x, list) or not x:
            raise ProtocolError("expected a tagged value")
        tag, *rest = x
        if tag in ("s", "i", "f", "o", "rng", "named", "t", "l", "d") and len(rest) == 1:
            (it,) = rest
            if tag == "s" and type(it) is str:
                return it[:TEXT]
            if tag == "i" and type(it) is str and len(it) <= TEXT + 3:
                return int(it, 16)
            if tag == "f" and type(it) is str:
                return float.fromhex(it)
            if tag in ("t", "l") and isinstance(it, list):
                return (tuple if tag == "t" else list)(walk(y, depth + 1) for y in it)
            if tag == "d" and isinstance(it, list):
                return {walk(k, depth + 1): walk(y, depth + 1) for k, y in it}
            if tag == "o" and type(it) is str:
                return opaque(it)
            if special and tag in special:
                return special[tag](it)
        elif tag == "n" and len(rest) == 2 and isinstance(rest[1], list):
            values = [walk(y, depth + 1) for y in rest[1]]
            return special["n"](rest[0])(*values) if special and "n" in special else tuple(values)
        elif tag == "c" and len(rest) == 2:
            return complex(*map(float.fromhex, rest))
        elif tag in ("a", "g") and len(rest) == 3:
            value = array(*rest)
            return value if tag == "a" else value[()]
        raise ProtocolError("expected a tagged value")

    try:
        return walk(tree, 0)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ProtocolError(f"expected a value, got something that is none ({type(error).__name__})") from None


def opaque(name: str) -> Any:
    """An object without contents, of a type with that name: what is left of an answer that is not plain data."""
    clean = "".join(c for c in name if c.isalnum() or c == "_")[:40] or "object"
    return type(clean, (), {})()


def course_tuple(name: str) -> Any:
    """The NamedTuple of the course with that name, "optimizers.AdamState"."""
    module, _, kind = str(name).rpartition(".")
    found = getattr(sys.modules.get(f"dlcourse.{module}"), kind, None)
    if not (isinstance(found, type) and issubclass(found, tuple) and hasattr(found, "_fields")):
        raise ProtocolError("expected a NamedTuple of the course")
    return found


class Channel:
    """Frames over one end of a socket pair."""

    def __init__(self, sock):
        self.sock = sock
        sock.setblocking(True)

    def fileno(self) -> int:
        return self.sock.fileno()

    def send(self, header: dict, buffers: Iterable[bytes] = (), deadline: float | None = None) -> None:
        """Send a frame; with a deadline (of `time.monotonic`) raise `Silence` where the other side does not take it."""
        head, body = json.dumps(header).encode(), b"".join(buffers)
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
    ) -> tuple[dict, bytes]:
        """(header, body) of the next frame; `Silence` after the deadline, `Closed` at the end."""
        if deadline is not None and time.monotonic() >= deadline:
            raise Silence
        head_size, body_size = _LENGTHS.unpack(self._exactly(_LENGTHS.size, deadline))
        if head_size > header_limit or body_size > body_limit:
            raise TooLarge(f"expected a frame of at most {header_limit} and {body_limit} bytes")
        data = self._exactly(head_size + body_size, deadline)
        head, body = data[:head_size], data[head_size:]
        try:
            header = json.loads(head)
        except (ValueError, RecursionError):
            raise ProtocolError("expected a JSON header") from None
        if not isinstance(header, dict):
            raise ProtocolError("expected a JSON object")
        return header, body

    def _exactly(self, size, deadline):
        pieces = []
        while size:
            piece = self._now(self.sock.recv, min(size, 2**20), "POLLIN", deadline)
            if not piece:
                raise Closed
            pieces.append(piece)
            size -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

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
