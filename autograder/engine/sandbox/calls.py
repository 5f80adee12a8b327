"""The system calls that a notebook may make, as a seccomp filter: what is not on the list is refused with EPERM.

`calls.txt` is the list, made by tracing honest work (`python -m tests.syscalls`). Some calls are allowed with some arguments
only. A refused call is told to the attendant, which counts it and answers; where the kernel cannot do that, the kernel
itself refuses and nobody counts. See seccomp(2), seccomp_unotify(2).
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_suffix(".txt")

_libc: Any = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None
_MACHINES = {"x86_64": (1, 0xC000003E), "aarch64": (2, 0xC00000B7)}
_EPERM, _ENOSYS = 1, 38
_ALLOW, _KILL, _ERRNO, _NOTIFY = 0x7FFF0000, 0x80000000, 0x00050000, 0x7FC00000
_SET_MODE_FILTER, _NEW_LISTENER = 1, 1 << 3
_RECEIVE, _ANSWER = 0xC0502100, 0xC0182101
_REQUEST, _REPLY = struct.Struct("QIIiI6QQ"), struct.Struct("QqiI")
# Namespaces of every kind (clone's own flags; the last is time's, which unshare alone takes)
_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000

# {call: (number of the argument, the values that it may have)}; every other value is refused
ONLY = {
    # AF_UNIX, AF_INET, AF_INET6: in the child's own network, which has no way out. Others reach the kernel or the host
    "socket": (0, (1, 2, 10)),
    "socketpair": (0, (1,)),
    # Names of threads and of memory, the capabilities, whether a new program may gain rights: nothing that the walls rest on
    "prctl": (0, (15, 16, 23, 39, 0x53564D41)),
    "ioctl": (
        1,
        (
            # Whether a file is a terminal, how large it is, whom it belongs to; a terminal for one's own commands
            *(0x5401, 0x5402, 0x5403, 0x5404, 0x540E, 0x540F, 0x5410, 0x5413, 0x5414, 0x5441, 0x80045430, 0x40045431),
            # How many bytes wait, whether it blocks, whether a new program keeps it
            *(0x541B, 0x5421, 0x5450, 0x5451),
            # The network's interfaces, for `uuid`
            *(0x8912, 0x8927),
        ),
    ),
}
# {call: (number of the argument, the bits that it may not have together)}
NEVER_TOGETHER = {
    # Shared memory that no file is limited by: pages stay when no process shows them. And huge pages, which nobody counts
    "mmap": (3, (0x01 | 0x20, 0x40000)),
}
# {call: (number of the argument, the values that it may not have)}
NEVER = {
    # F_SETPIPE_SZ: a pipe holds 64 kB and no more
    "fcntl": (1, (1031,)),
    # SO_SNDBUF, SO_SNDBUFFORCE, SO_RCVBUF, SO_RCVBUFFORCE, SO_ATTACH_FILTER, SO_ATTACH_BPF
    "setsockopt": (2, (7, 32, 8, 33, 26, 50)),
}


def read_table() -> list[tuple[str, int | None, int | None, bool]]:
    """[(name, number on x86_64, on aarch64, whether a notebook may make it)]; None where a machine lacks it."""
    if not TABLE.exists():
        return []
    rows = [line.split() for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [(name, *_numbers(first, second), bool(allowed)) for name, first, second, *allowed in rows]


def _numbers(first: str, second: str) -> tuple[int | None, int | None]:
    return None if first == "-" else int(first), None if second == "-" else int(second)


@functools.cache
def names(machine: str) -> dict[int, str]:
    """{number: name} of every call of a machine."""
    column = _MACHINES[machine][0]
    return {number: row[0] for row in read_table() if (number := row[1:3][column - 1]) is not None}


def can_filter() -> bool:
    """Whether the system calls of this machine are known here."""
    return platform.machine() in _MACHINES


def program(machine: str, refuse: int) -> bytes:
    """The filter as the kernel's instructions (classic BPF over `struct seccomp_data`); `refuse` is what a call outside gets."""
    column, audit = _MACHINES[machine]
    numbers = {row[0]: row[column] for row in read_table() if row[column] is not None}
    allowed = [row[0] for row in read_table() if row[3] and row[0] in numbers]
    load, equal, at_least, some_bits, give, mask = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54

    def op(code, k, true=0, false=0):
        return struct.pack("HBBI", code, true, false, k & 0xFFFFFFFF)

    def on_call(name: str, body: Sequence[bytes]) -> list[bytes]:
        """The instructions for one call, to the answer."""
        return [op(equal, numbers[name], 0, len(body)), *body] if name in numbers else []

    def argument(number):
        return op(load, 16 + 8 * number)

    made = [op(load, 4), op(equal, audit, 1, 0), op(give, _KILL), op(load, 0)]
    if machine == "x86_64":
        # The x32 numbers would go round the list
        made += [op(at_least, 0x40000000, 0, 1), op(give, _ERRNO | _ENOSYS)]
    # Without clone3 the C library falls back on clone, whose flags a filter can read
    made += on_call("clone3", [op(give, _ERRNO | _ENOSYS)])
    made += on_call("clone", [argument(0), op(some_bits, _NAMESPACES, 0, 1), op(give, refuse), op(give, _ALLOW)])
    for name, (number, values) in ONLY.items():
        tests = [op(equal, value, len(values) - i, 0) for i, value in enumerate(values)]
        made += on_call(name, [argument(number), *tests, op(give, refuse), op(give, _ALLOW)])
    for name, (number, values) in NEVER.items():
        tests = [op(equal, value, len(values) - i, 0) for i, value in enumerate(values)]
        made += on_call(name, [argument(number), *tests, op(give, _ALLOW), op(give, refuse)])
    for name, (number, groups) in NEVER_TOGETHER.items():
        tests = [
            x for bits in groups for x in (argument(number), op(mask, bits), op(equal, bits, 0, 1), op(give, refuse))
        ]
        made += on_call(name, [*tests, op(give, _ALLOW)])
    special = {"clone", "clone3", *ONLY, *NEVER, *NEVER_TOGETHER}
    for name in allowed:
        if name not in special:
            made += on_call(name, [op(give, _ALLOW)])
    return b"".join([*made, op(give, refuse)])


def install() -> int | None:
    """Put the filter on this process for good; the file on which refused calls are told, None where the kernel has none."""
    machine = platform.machine()
    by_name = {name: number for number, name in names(machine).items()}
    for refuse, flags in ((_NOTIFY, _NEW_LISTENER), (_ERRNO | _EPERM, 0)):
        code = program(machine, refuse)
        kept = ctypes.create_string_buffer(code, len(code))
        header = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(kept))
        listener = _libc.syscall(by_name["seccomp"], _SET_MODE_FILTER, flags, ctypes.c_char_p(header))
        if listener >= 0:
            return listener if flags else None
    error = ctypes.get_errno()
    raise OSError(error, f"seccomp: {os.strerror(error)}")


def refuse_next(listener: int) -> str | None:
    """Answer the next call that is told on the listener with EPERM; its name, or None where the caller has gone."""
    request = ctypes.create_string_buffer(_REQUEST.size)
    if _libc.ioctl(listener, ctypes.c_ulong(_RECEIVE), request) != 0:
        return None
    identity, _, _, number, *_ = _REQUEST.unpack(request.raw)
    reply = ctypes.create_string_buffer(_REPLY.pack(identity, 0, -_EPERM, 0), _REPLY.size)
    _libc.ioctl(listener, ctypes.c_ulong(_ANSWER), reply)
    return names(platform.machine()).get(number, str(number))
