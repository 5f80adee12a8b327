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

try:
    import resource
except ImportError:
    # Windows: there a notebook runs without walls and limits
    resource = None  # type: ignore[assignment]

_libc: Any = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None

_CLONE_NEWNS, _CLONE_NEWCGROUP, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
_CLONE_NEWUSER, _CLONE_NEWPID, _CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
_NAMESPACES = (
    _CLONE_NEWUSER | _CLONE_NEWNS | _CLONE_NEWPID | _CLONE_NEWIPC | _CLONE_NEWNET | _CLONE_NEWUTS | _CLONE_NEWCGROUP
)
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REC, _MS_PRIVATE = 1, 2, 4, 8, 1 << 14, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 24, 22, 38
_SECCOMP_MODE_FILTER = 2
_EPERM, _ENOSYS = 1, 38

# x86_64, aarch64 (the kernel's own tables); what a notebook has no use for and a break-out might
_SYSCALLS = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "unshare": (272, 97),
    "setns": (308, 268),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "quotactl": (179, 60),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "acct": (163, 89),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "syslog": (103, 116),
    "fanotify_init": (300, 262),
    "seccomp": (317, 277),
}
_PRCTL, _CLONE, _CLONE3, _SOCKET = (157, 167), (56, 220), (435, 435), (41, 198)
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


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
    """Put the calling process's next child into its own namespaces."""
    uid, gid = os.getuid(), os.getgid()
    _call("unshare", _NAMESPACES)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def own_files(megabytes: int) -> None:
    """Empty, limited file systems where anything may be written, and no view of processes."""
    _call("mount", None, b"/", None, _MS_REC | _MS_PRIVATE, None)
    flags = _MS_NOSUID | _MS_NODEV
    _call("mount", b"tmpfs", b"/tmp", b"tmpfs", flags, f"size={megabytes}m,nr_inodes=4096,mode=0700".encode())
    _call("mount", b"tmpfs", b"/dev/shm", b"tmpfs", flags | _MS_NOEXEC, b"size=8m,nr_inodes=64,mode=0700")
    _call("mount", b"tmpfs", b"/proc", b"tmpfs", flags | _MS_NOEXEC | _MS_RDONLY, b"size=4k,nr_inodes=2")


def die_with_parent() -> None:
    if platform.system() == "Linux":
        _call("prctl", _PR_SET_PDEATHSIG, 9, 0, 0, 0)


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


def lock() -> None:
    """No capabilities, no new ones, and no system call that a notebook has no use for."""
    for capability in range(64):
        # The last ones do not exist on older kernels
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    header, data = struct.pack("Ii", 0x20080522, 0), struct.pack("IIIIII", *[0] * 6)
    _call("capset", ctypes.c_char_p(header), ctypes.c_char_p(data))
    _call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    code = _filter()
    kept = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(kept))
    _call("prctl", _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.c_char_p(program), 0, 0)


def can_filter() -> bool:
    """Whether the system calls of this machine are known here."""
    return platform.machine() in _MACHINES


def _filter():
    """The filter as the kernel's instructions (classic BPF over `struct seccomp_data`)."""
    column, audit = _MACHINES[platform.machine()]
    load, equal, at_least, some_bits, give = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, kill = 0x7FFF0000, 0x80000000

    def refuse(error):
        return 0x00050000 | error

    def op(code, k, true=0, false=0):
        return struct.pack("HBBI", code, true, false, k)

    def argument(number, word=0):
        return 16 + 8 * number + 4 * word

    program = [op(load, 4), op(equal, audit, 1, 0), op(give, kill), op(load, 0)]
    if column == 0:
        # The x32 numbers would go round the list
        program += [op(at_least, 0x40000000, 0, 1), op(give, refuse(_ENOSYS))]
    for numbers in _SYSCALLS.values():
        program += [op(equal, numbers[column], 0, 1), op(give, refuse(_EPERM))]
    # Without clone3 the C library falls back on clone, whose flags a filter can read
    program += [op(equal, _CLONE3[column], 0, 1), op(give, refuse(_ENOSYS))]
    program += [
        op(equal, _CLONE[column], 0, 3),
        op(load, argument(0)),
        op(some_bits, _NAMESPACES, 0, 1),
        op(give, refuse(_EPERM)),
        op(load, 0),
    ]
    # Sockets of the child's own empty network only: other families reach the kernel or the machine's host
    program += [
        op(equal, _SOCKET[column], 0, 5),
        op(load, argument(0)),
        op(equal, 1, 3, 0),
        op(equal, 2, 2, 0),
        op(equal, 10, 1, 0),
        op(give, refuse(_EPERM)),
        op(load, 0),
    ]
    # The signal at the parent's death and the secure bits stay as they are
    program += [
        op(equal, _PRCTL[column], 0, 3),
        op(load, argument(0)),
        op(equal, _PR_SET_PDEATHSIG, 0, 1),
        op(give, refuse(_EPERM)),
    ]
    return b"".join([*program, op(give, allow)])
