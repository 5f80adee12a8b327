"""Which system calls honest notebooks make: `python -m tests.syscalls` writes the sandbox's list of allowed ones again.

    python -m tests.syscalls                 traces `tests/honest_work.py` with strace, adds what it finds, prints the news
    python -m tests.syscalls PATH …          with packages from there besides (pandas and the like)

It needs Linux, strace and the kernel's headers (Debian: strace, linux-libc-dev). A call stays on the list once it is there: other
machines, kernels and C libraries make other ones for the same work.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from autograder.engine.sandbox.calls import TABLE, read_table

MARK = "/the-walls-stand"
HEADERS = {"x86_64": "x86_64-linux-gnu/asm/unistd_64.h", "aarch64": "asm-generic/unistd.h"}
WANTED = ("RENAMEAT", "NEW_STAT", "SET_GET_RLIMIT", "SYS_CLONE3", "MEMFD_SECRET")
# The older calls of x86_64, and what does the same work on a machine that lacks them
MODERN = {
    "open": "openat",
    "stat": "newfstatat",
    "lstat": "newfstatat",
    "access": "faccessat",
    "poll": "ppoll",
    "select": "pselect6",
    "fork": "clone",
    "vfork": "clone",
    "pipe": "pipe2",
    "dup2": "dup3",
    "epoll_create": "epoll_create1",
    "epoll_wait": "epoll_pwait",
    "unlink": "unlinkat",
    "rmdir": "unlinkat",
    "mkdir": "mkdirat",
    "rename": "renameat2",
    "link": "linkat",
    "symlink": "symlinkat",
    "readlink": "readlinkat",
    "chmod": "fchmodat",
    "chown": "fchownat",
    "lchown": "fchownat",
    "utime": "utimensat",
    "utimes": "utimensat",
    "getdents": "getdents64",
    "alarm": "setitimer",
    "pause": "ppoll",
    "time": "clock_gettime",
    "getpgrp": "getpgid",
    "mknod": "mknodat",
    "eventfd": "eventfd2",
    "arch_prctl": None,
}
# What other C libraries, kernels and versions of Python call for the same work, and what only goes wrong elsewhere
ELSEWHERE = (  # noqa: SIM905 - a list of them would take a page
    "alarm copy_file_range dup eventfd eventfd2 fallocate fchdir fchmod fgetxattr flock fork getcpu getdents getgroups getresgid "
    "getresuid lstat mlock munlock open pause pipe pread64 pwrite64 readv renameat sched_rr_get_interval select setpgid shutdown "
    "stat timer_create timer_delete timer_getoverrun timer_gettime timer_settime writev "
    "accept4 clock_getres clock_nanosleep close_range dup3 epoll_pwait epoll_pwait2 exit exit_group faccessat faccessat2 "
    "fchmodat fchmodat2 fchownat fdatasync fsync fstat fstatfs futex futex_waitv getegid geteuid getgid getpgid getpriority "
    "getrandom getrlimit getsid gettid gettimeofday getuid madvise membarrier mincore nanosleep newfstatat pidfd_open "
    "pidfd_send_signal poll ppoll preadv preadv2 pwritev pwritev2 prlimit64 pselect6 readahead renameat renameat2 "
    "restart_syscall riscv_hwprobe rseq rt_sigpending rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait "
    "rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_get_priority_max "
    "sched_get_priority_min sched_setaffinity sched_yield set_robust_list set_tid_address setpriority sigaltstack statfs "
    "statx sync_file_range syncfs tgkill times tkill truncate umask uname utimensat wait4 waitid"
).split()
# Never, whatever a trace shows: a file's pages kept in a pipe, memory that no process owns
NEVER = {"splice", "tee", "vmsplice", "memfd_create", "shmget", "shmat", "semget", "msgget", "ptrace", "seccomp", "bpf"}


def traced(paths):
    """The names of the calls that the honest work makes once it is behind its walls."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        search = os.pathsep.join([str(Path.cwd()), str(Path.cwd() / "tests"), *paths])
        environment = os.environ | {"PYTHONPATH": search, "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}
        command = ["strace", "-f", "-qq", "-o", str(log), sys.executable, "-m", "honest_work", MARK]
        subprocess.run(command, env=environment, check=True)
        found, begun = set(), False
        with log.open(errors="replace") as lines:
            for line in lines:
                begun = begun or MARK in line
                call = re.match(r"\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed)", line)
                if begun and call:
                    found.add(call[1])
    return found


def numbers(header):
    """{name: number} of a header of the kernel."""
    # What arm64's own header asks of the general one
    program = "".join(f"#define __ARCH_WANT_{word}\n" for word in WANTED) + f'#include "/usr/include/{header}"\n'
    text = subprocess.run(["cc", "-E", "-dM", "-"], input=program, capture_output=True, text=True, check=True).stdout
    defined = dict(re.findall(r"#define (\w+) (\w+)$", text, re.M))
    found = {}
    for name, value in defined.items():
        while value in defined:
            value = defined[value]
        if name.startswith("__NR_") and value.isdigit():
            found[name.removeprefix("__NR_")] = int(value)
    return {name: number for name, number in found.items() if name not in ("syscalls", "arch_specific_syscall")}


def main(paths):
    first, second = (numbers(header) for header in HEADERS.values())
    before = {name for name, _, _, allowed in read_table() if allowed}
    found = traced(paths)
    wanted = before | found | set(ELSEWHERE)
    wanted |= {MODERN[name] for name in wanted if MODERN.get(name)}
    wanted -= NEVER
    known = sorted(first.keys() | second.keys())
    lines = [
        "# name, number on x86_64, on aarch64, + where a notebook may make it; written by `python -m tests.syscalls`"
    ]
    for name in known:
        mark = " +" if name in wanted else ""
        lines.append(f"{name} {first.get(name, '-')} {second.get(name, '-')}{mark}")
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("new:", " ".join(sorted(wanted - before)) or "none")
    print("on the list, not seen this time:", " ".join(sorted(before - found)) or "none")


if __name__ == "__main__":
    main(sys.argv[1:])
