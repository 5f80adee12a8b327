"""The walls around a child: namespaces, mounts, limits, system calls. Runs inside the sandbox, before any student's code.

Everything here is the kernel's, called through ctypes; see namespaces(7), user_namespaces(7), capabilities(7), seccomp(2),
setrlimit(2). Each child has its own user, pid, mount, ipc, network and host-name namespaces, so it sees no other submission,
and one signal to its first process ends everything that it has started.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import struct
from typing import Any

from . import calls

try:
    import resource
except ImportError:
    # Windows: there a notebook runs without walls and limits
    resource = None  # type: ignore[assignment]

_libc: Any = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None

_CLONE_NEWNS, _CLONE_NEWCGROUP, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
_CLONE_NEWUSER, _CLONE_NEWPID, _CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
_NAMESPACES = _CLONE_NEWUSER | _CLONE_NEWPID | _CLONE_NEWIPC | _CLONE_NEWNET | _CLONE_NEWUTS | _CLONE_NEWCGROUP
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 2, 4, 8, 1 << 12, 1 << 14, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 4, 24, 36, 38


def _call(name, *args):
    if getattr(_libc, name)(*args) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def become(uid: int) -> None:
    """Give up root for good: as another user no file of the machine's owner can be read and the process limit counts."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    # A process that changed its user owns its own /proc entry again, which the user's mapping is written to
    _call("prctl", _PR_SET_DUMPABLE, 1, 0, 0, 0)


def own_namespaces() -> None:
    """Put the calling process's next child into its own namespaces, but for the mounts.

    Those it takes by itself (`own_files`): the caller keeps its view of /proc, to see what the child holds.
    """
    uid, gid = os.getuid(), os.getgid()
    _call("unshare", _NAMESPACES)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def own_files(megabytes: int) -> None:
    """Empty, limited file systems where anything may be written, and no view of processes."""
    _call("unshare", _CLONE_NEWNS)
    _call("mount", None, b"/", None, _MS_REC | _MS_PRIVATE, None)
    flags = _MS_NOSUID | _MS_NODEV
    _call("mount", b"tmpfs", b"/tmp", b"tmpfs", flags, f"size={megabytes}m,nr_inodes=4096,mode=0700".encode())
    _call("mount", b"tmpfs", b"/dev/shm", b"tmpfs", flags | _MS_NOEXEC, b"size=8m,nr_inodes=64,mode=0700")
    # To map /dev/zero, shared, makes memory that belongs to no file; /dev/full reads the same and cannot be mapped
    _call("mount", b"/dev/full", b"/dev/zero", None, _MS_BIND, None)
    _call("mount", b"tmpfs", b"/proc", b"tmpfs", flags | _MS_NOEXEC | _MS_RDONLY, b"size=4k,nr_inodes=2")


def die_with_parent() -> None:
    if platform.system() == "Linux":
        _call("prctl", _PR_SET_PDEATHSIG, 9, 0, 0, 0)


def adopt(them: bool = True) -> None:
    """Become the parent of every descendant whose own parent ends, so that none is out of sight; `False`: no longer."""
    if platform.system() == "Linux":
        _call("prctl", _PR_SET_CHILD_SUBREAPER, int(them), 0, 0, 0)


def limit(memory: int, disk: int, processes: int, cpu: int) -> None:
    """The kernel's limits: megabytes of address space, of one file; processes and threads; seconds of processor time."""

    def put(name, soft, hard=None):
        if resource is None:
            return
        # macOS lacks some of them, or refuses to lower others
        with contextlib.suppress(AttributeError, ValueError, OSError):
            which = getattr(resource, name)
            most = resource.getrlimit(which)[1]
            wanted = hard or soft
            bound = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
            resource.setrlimit(which, (min(soft, bound), bound))

    put("RLIMIT_AS", memory * 2**20)
    put("RLIMIT_FSIZE", disk * 2**20)
    put("RLIMIT_CORE", 0)
    put("RLIMIT_NOFILE", 128)
    put("RLIMIT_CPU", int(cpu) + 1, int(cpu) + 5)
    put("RLIMIT_MSGQUEUE", 0)
    put("RLIMIT_MEMLOCK", 0)
    if processes:
        put("RLIMIT_NPROC", processes)


def lock() -> int | None:
    """No capabilities, no new ones, and no system call that is not on the list; the file where refused ones are told."""
    for capability in range(64):
        # The last ones do not exist on older kernels
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    header, data = struct.pack("Ii", 0x20080522, 0), struct.pack("IIIIII", *[0] * 6)
    _call("capset", ctypes.c_char_p(header), ctypes.c_char_p(data))
    _call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return calls.install()
