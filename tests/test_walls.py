"""The walls that hold a whole box: memory, processor time, system calls, control groups."""

import dataclasses
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import honest_work
import pytest

from autograder.engine.grader import Grader
from autograder.engine.sandbox import calls, groups, sandbox
from autograder.engine.sandbox.meter import Meter
from autograder.engine.tasks import CODE, Settings, Step, Task

needs_walls = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap (bwrap) is not installed")
linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's /proc")
SETTINGS = Settings(timeout=30.0, total=90.0, memory=1024, processes=20)


def cells(*sources):
    return Task(
        "ada", "hw", "hw", tuple(Step(CODE, source, i, student=True) for i, source in enumerate(sources)), seed=1
    )


@pytest.fixture(scope="module")
def grader():
    with Grader(SETTINGS) as grader:
        yield grader


def text(result):
    return "".join(str(output.get("text") or output.get("evalue")) for output in result.outputs)


# --- memory ---------------------------------------------------------------------------------------------------------

HOLD = "import os, threading, time\ndef hold():\n    block = b'x' * (90 << 20)\n    time.sleep(20)\n    os._exit(0)\n"
# {how memory is held beyond one process: the cell}
TOO_MUCH = {
    "children": HOLD + "for _ in range(16):\n    if os.fork() == 0:\n        hold()\ntime.sleep(20)",
    "grandchildren whose parents have ended": (
        HOLD
        + "for _ in range(16):\n    if os.fork() == 0:\n        if os.fork() == 0:\n            hold()\n        os._exit(0)\n"
        "    os.wait()\ntime.sleep(20)"
    ),
    "children of threads": (
        HOLD.replace("90 << 20", "220 << 20")
        + "def start():\n    if os.fork() == 0:\n        hold()\n    time.sleep(20)\nthreading.stack_size(65536)\n"
        "for _ in range(6):\n    threading.Thread(target=start).start()\ntime.sleep(20)"
    ),
    "a child that leaves session and group": (
        HOLD + "for _ in range(16):\n    if os.fork() == 0:\n        os.setsid()\n        hold()\ntime.sleep(20)"
    ),
    "sockets": (
        "import os, socket, time\nfor _ in range(18):\n    if os.fork() == 0:\n        kept = []\n        try:\n"
        "            while True:\n                kept += socket.socketpair()\n        except OSError:\n            time.sleep(20)\n"
        "time.sleep(20)"
    ),
}


@needs_walls
@linux
@pytest.mark.slow
@pytest.mark.parametrize("how", TOO_MUCH)
def test_the_memory_of_a_whole_box_is_limited(grader, how):
    result = grader.grade(cells(TOO_MUCH[how], "print('next')"))
    assert result.results[0].error == "memory", (how, text(result.results[0]))
    assert result.memory_mb > SETTINGS.memory
    assert text(result.results[1]) == "next\n"


# {memory that belongs to no process: (the cell, the call that is refused)}
NOBODYS = {
    "shared memory without a file": ("import mmap\nmmap.mmap(-1, 1 << 20)", "mmap"),
    "a file in memory": ("import os\nos.memfd_create('x')", "memfd_create"),
    "a System V segment": ("import ctypes\nlibc.shmget(0, 1 << 20, 0o1600)", "shmget"),
    "System V semaphores": ("libc.semget(0, 100, 0o1600)", "semget"),
    "a System V queue": ("libc.msgget(0, 0o1600)", "msgget"),
    "huge pages": ("libc.mmap(0, 1 << 21, 3, 0x40022, -1, 0)", "mmap"),
    "pages that a pipe keeps": ("libc.vmsplice(0, 0, 0, 0)", "vmsplice"),
    "a large pipe": ("import os, fcntl\nfcntl.fcntl(os.pipe()[0], 1031, 1 << 20)", "fcntl"),
    "a large socket": ("import socket\nsocket.socketpair()[0].setsockopt(1, 7, 1 << 20)", "setsockopt"),
}
LIBC = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"


@needs_walls
@linux
@pytest.mark.parametrize("what", NOBODYS)
def test_memory_of_nobody_is_refused_and_counted(grader, what):
    source, call = NOBODYS[what]
    result = grader.grade(
        cells(
            f"{LIBC}try:\n    {source.replace(chr(10), chr(10) + '    ')}\n    print(ctypes.get_errno())\nexcept OSError as error:\n    print(error.errno)"
        )
    )
    assert text(result.results[0]) == "1\n"
    assert result.refused_calls == {call: 1}


@needs_walls
def test_the_zero_device_cannot_be_mapped(grader):
    source = "import mmap, os\nfd = os.open('/dev/zero', os.O_RDWR)\nprint(os.read(fd, 3))\nmmap.mmap(fd, 4096)"
    result = grader.grade(cells(source))
    assert text(result.results[0]) == "b'\\x00\\x00\\x00'\n[Errno 19] No such device"


@needs_walls
def test_the_peak_is_that_of_the_whole_box(grader):
    one = grader.grade(cells("import numpy as np\nx = np.ones(20 << 20)"))
    assert 160 < one.memory_mb < 320
    # All three at once, however slow the machine
    source = (
        "import os, signal, time\nhere, told = os.pipe()\nothers = []\nfor _ in range(3):\n    others.append(os.fork())\n"
        "    if others[-1] == 0:\n        x = b'x' * (100 << 20)\n        os.write(told, b'.')\n        time.sleep(60)\n"
        "        os._exit(0)\nfor _ in others:\n    os.read(here, 1)\ntime.sleep(2)\n"
        "for pid in others:\n    os.kill(pid, signal.SIGKILL)\n    os.waitpid(pid, 0)\n"
    )
    several = grader.grade(cells(source))
    assert 300 < several.memory_mb < 560
    assert one.limited_by in ("processes", "control group") and one.limited_by == several.limited_by


@needs_walls
def test_pages_that_copies_share_count_once(grader):
    source = "import os, time\nx = b'x' * (300 << 20)\nfor _ in range(8):\n    if os.fork() == 0:\n        time.sleep(1)\n        os._exit(0)\nfor _ in range(8):\n    os.wait()\nprint('done')"
    result = grader.grade(cells(source))
    assert text(result.results[0]) == "done\n" and result.memory_mb < 600


@needs_walls
@pytest.mark.slow
def test_the_processor_time_of_a_whole_box_is_limited():
    with Grader(dataclasses.replace(SETTINGS, timeout=60.0, total=3.0)) as grader:
        many = "import os, time\nfor _ in range(4):\n    if os.fork() == 0:\n        while True: pass\ntime.sleep(50)"
        zygote = grader.warm(())
        child = zygote.child(dataclasses.replace(SETTINGS, total=3.0), {})
        with pytest.raises(sandbox.Died) as died:
            child.ask(
                {"do": "cell", "source": many, "seconds": 60.0, "output": 10, "figures": False, "quiet": False},
                (),
                60.0,
            )
        assert died.value.why == "time" and child.close().cpu > 3.0


@linux
def test_a_limit_that_cannot_be_measured_is_a_fault(monkeypatch):
    monkeypatch.setattr(os, "getpid", lambda: 10**7)
    with pytest.raises(FileNotFoundError):
        Meter(1)


# --- system calls ---------------------------------------------------------------------------------------------------


def answer(program, machine, number, arguments=()):
    """What a filter says to a call: the kernel's machine for classic BPF, as far as the filter uses it."""
    data = struct.pack("iIQ6Q", number, calls._MACHINES[machine][1], 0, *[*arguments, *[0] * 6][:6])
    accumulator, at = 0, 0
    while True:
        code, true, false, k = struct.unpack_from("HBBI", program, 8 * at)
        at += 1
        if code == 0x06:
            return k
        if code == 0x20:
            (accumulator,) = struct.unpack_from("I", data, k)
        elif code == 0x54:
            accumulator &= k
        else:
            holds = {0x15: accumulator == k, 0x35: accumulator >= k, 0x45: bool(accumulator & k)}[code]
            at += true if holds else false


REFUSED = 0x00050001
# {(call, its arguments): whether it is allowed}
ARGUMENTS = {
    ("socket", (1, 1)): True,
    ("socket", (2, 1)): True,
    ("socket", (16, 3)): False,
    ("socket", (40, 1)): False,
    ("socketpair", (1, 1)): True,
    ("socketpair", (30, 1)): False,
    ("prctl", (15,)): True,
    ("prctl", (1,)): False,
    ("prctl", (4,)): False,
    ("ioctl", (0, 0x5401)): True,
    ("ioctl", (0, 0x5412)): False,
    ("mmap", (0, 4096, 3, 0x22)): True,
    ("mmap", (0, 4096, 3, 0x01)): True,
    ("mmap", (0, 4096, 3, 0x21)): False,
    ("mmap", (0, 4096, 3, 0x40022)): False,
    ("fcntl", (0, 3)): True,
    ("fcntl", (0, 1031)): False,
    ("setsockopt", (0, 1, 9)): True,
    ("setsockopt", (0, 1, 7)): False,
    ("clone", (0x01200011,)): True,
    ("clone", (0x10000000,)): False,
    ("clone", (0x00020011,)): False,
}


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_is_the_list(machine):
    program = calls.program(machine, REFUSED)
    column = calls._MACHINES[machine][0]
    special = {name for name, _ in ARGUMENTS} | {"clone3"}
    known = {}
    for row in calls.read_table():
        number = row[column]
        if number is not None:
            known[row[0]] = number
            if row[0] not in special:
                assert answer(program, machine, number) == (calls._ALLOW if row[3] else REFUSED), row[0]
    for (name, arguments), allowed in ARGUMENTS.items():
        assert answer(program, machine, known[name], arguments) == (calls._ALLOW if allowed else REFUSED), (
            name,
            arguments,
        )
    assert answer(program, machine, known["clone3"]) == 0x00050000 | 38
    # Calls that no table knows yet
    assert answer(program, machine, 700) == REFUSED
    other = {"x86_64": "aarch64", "aarch64": "x86_64"}[machine]
    assert answer(program, other, known["read"]) == calls._KILL
    if machine == "x86_64":
        assert answer(program, machine, 0x40000000 | known["read"]) == 0x00050000 | 38
    assert len(program) // 8 < 4096


def test_what_breaks_out_is_not_on_the_list():
    allowed = {row[0] for row in calls.read_table() if row[3]}
    never = (  # noqa: SIM905
        "ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp mount umount2 pivot_root chroot move_mount "
        "open_tree fsopen fsconfig fsmount fspick mount_setattr unshare setns keyctl add_key request_key bpf perf_event_open "
        "userfaultfd io_uring_setup io_uring_enter io_uring_register kexec_load kexec_file_load init_module finit_module "
        "delete_module open_by_handle_at name_to_handle_at quotactl swapon swapoff reboot acct settimeofday clock_settime "
        "adjtimex clock_adjtime syslog fanotify_init seccomp memfd_create memfd_secret shmget shmat semget msgget splice tee "
        "vmsplice setuid setresuid setgroups capset personality iopl ioperm modify_ldt mknod mknodat sethostname"
    ).split()
    assert allowed.isdisjoint(never)


def test_the_numbers_are_the_kernels():
    import syscalls

    if not all(Path("/usr/include", header).exists() for header in syscalls.HEADERS.values()) or not shutil.which("cc"):
        pytest.skip("needs a C compiler and the kernel's headers of x86_64 (apt install linux-libc-dev gcc)")
    first, second = (syscalls.numbers(header) for header in syscalls.HEADERS.values())
    for name, x86_64, aarch64, _ in calls.read_table():
        # Newer headers know more
        assert first.get(name, x86_64) == x86_64 and second.get(name, aarch64) == aarch64, name


@needs_walls
@linux
def test_a_refused_call_is_an_error_and_is_counted(grader):
    source = (
        LIBC
        + "import os\nprint([libc.ptrace(0, 0, 0, 0), ctypes.get_errno()])\nfor _ in range(3):\n    libc.syscall({'x86_64': 250, 'aarch64': 219}[os.uname().machine])\n_ = libc.syscall(9999)"
    )
    result = grader.grade(cells(source))
    assert text(result.results[0]) == "[-1, 1]\n" and result.restarts == 0
    assert result.refused_calls == {"ptrace": 1, "keyctl": 3, "9999": 1}


@needs_walls
@pytest.mark.slow
@pytest.mark.parametrize("work", honest_work.WORK, ids=lambda work: work.__name__)
def test_honest_work_is_not_refused(work):
    """What the list was made from runs behind the walls, and nothing of it is refused."""
    files = {"honest_work.py": Path(honest_work.__file__).read_bytes()}
    source = f"import honest_work\ntry:\n    honest_work.{work.__name__}()\nexcept ImportError as error:\n    print('missing', error.name)"
    task = dataclasses.replace(cells(source), files=files)
    with Grader(dataclasses.replace(SETTINGS, memory=4096, processes=64, timeout=120.0, total=300.0)) as grader:
        result = grader.grade(task)
    assert result.results[0].error == "", text(result.results[0])
    assert result.refused_calls == {}
    missing = re.search(r"missing (\S+)", text(result.results[0]))
    if missing:
        pytest.skip(f"{missing[1]} is not installed")


# --- control groups -------------------------------------------------------------------------------------------------


def test_the_home_of_groups_is_the_nearest_that_hands_on_what_is_needed(tmp_path):
    inner = tmp_path / "user.slice" / "app.slice" / "shell.scope"
    inner.mkdir(parents=True)
    for place, given in ((inner, ""), (inner.parent, "memory pids"), (inner.parent.parent, "cpu memory pids")):
        (place / "cgroup.subtree_control").write_text(given)
        (place / "cgroup.procs").write_text("")
    assert groups._within(tmp_path, "user.slice/app.slice/shell.scope") == inner.parent
    (inner.parent / "cgroup.subtree_control").write_text("memory")
    assert groups._within(tmp_path, "user.slice/app.slice/shell.scope") == inner.parent.parent
    (inner.parent.parent / "cgroup.subtree_control").write_text("")
    assert groups._within(tmp_path, "user.slice/app.slice/shell.scope") is None


class _Files(groups.Group):
    """A group of plain files in the place of the kernel's."""

    def __init__(self, folder, settings):
        mkdir = Path.mkdir

        def made(path, *args, **kwargs):
            mkdir(path, *args, **kwargs)
            for name in ("memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cpu.max", "cgroup.procs"):
                (path / name).touch()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Path, "mkdir", made)
            super().__init__(folder, settings)


def test_a_group_has_the_limits_of_the_box(tmp_path):
    group = _Files(tmp_path, Settings(memory=512, processes=8))
    found = {path.name: path.read_text() for path in group.folder.iterdir()}
    assert found == {
        "memory.max": str(512 * 2**20),
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "pids.max": "8",
        "cpu.max": "100000 100000",
        "cgroup.procs": "",
    }
    assert not group.entered()
    os.write(group.entrance, b"7\n")
    assert group.entered()
    (group.folder / "memory.peak").write_text(str(100 * 2**20))
    (group.folder / "memory.events").write_text("max 3\noom 1\noom_kill 2\n")
    (group.folder / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 2000000\n")
    assert group.used() == {"memory": 100.0, "cpu": 2.5, "killed": 2.0}


@needs_walls
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root makes control groups here")
def test_a_child_enters_its_group_and_the_group_is_removed(monkeypatch):
    mounts = re.findall(r"^\S+ (\S+) cgroup2 ", Path("/proc/self/mounts").read_text(), re.M)
    if not mounts or not os.access(mounts[0], os.W_OK):
        pytest.skip("no control groups of version 2")
    # Where the kernel has given the controllers to version 1, a group without them is still a group
    monkeypatch.setattr(groups, "home", lambda: Path(mounts[0]))
    try:
        groups.Group(Path(mounts[0]), SETTINGS).close()
    except OSError as error:
        pytest.skip(f"no group can be made: {error}")
    with Grader(SETTINGS) as grader:
        zygote = grader.warm(())
        child = zygote.child(SETTINGS, {})
        folder = child.group.folder
        assert folder.exists() and child.group.entered()
        used = child.close()
        assert used.limited_by == "control group" and used.cpu > 0 and not folder.exists()


@needs_walls
@pytest.mark.skipif(sys.platform != "linux" or groups.home() is None, reason="no control groups of version 2 for us")
def test_the_kernel_ends_a_box_at_the_limit_of_its_group(monkeypatch):
    """It lets no process of the box past the limit, so the attendant never measures more."""
    found, used = [], groups.Group.used
    monkeypatch.setattr(groups.Group, "used", lambda self: found.append(used(self)) or dict(found[-1]))
    with Grader(SETTINGS) as grader:
        result = grader.grade(cells(TOO_MUCH["children"], "print('next')"))
    assert result.results[0].error == "memory" and result.limited_by == "control group"
    assert any(one.get("killed") for one in found) and text(result.results[1]) == "next\n"


# --- another user ---------------------------------------------------------------------------------------------------


@needs_walls
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root becomes somebody else")
def test_the_walls_stand_for_a_user_who_is_not_root(tmp_path):
    """In a view of this machine where that user can read the Python that runs here."""
    if shutil.which("setpriv") is None or shutil.which("unshare") is None:
        pytest.skip("needs setpriv and unshare (util-linux)")
    here = Path(__file__).parent
    program = (
        "import os, sys\n"
        f"sys.path[:0] = [{str(here.parent)!r}, {str(here)!r}]\n"
        "import test_walls as t\n"
        "with t.Grader(t.SETTINGS) as grader:\n"
        "    made = grader.grade(t.cells(t.TOO_MUCH['children'], t.LIBC + 'libc.ptrace(0, 0, 0, 0)'))\n"
        "print(os.geteuid(), made.results[0].error, made.refused_calls, made.limited_by)\n"
    )
    python, prefix, aside = (
        shlex.quote(path) for path in (sys.executable, os.path.realpath(sys.base_prefix), str(tmp_path))
    )
    opened = ""
    # A home that is closed to others, as root's is
    closed = os.path.expanduser("~root")
    if os.path.realpath(sys.base_prefix).startswith(f"{closed}/"):
        opened = (
            f"mount --bind {prefix} {aside} && mount -t tmpfs -o mode=755 tmpfs {closed} && "
            f"mkdir -p {prefix} && mount --move {aside} {prefix} && "
        )
    user = "setpriv --reuid=64321 --regid=64321 --clear-groups"
    command = f'{opened}cd / && exec {user} env HOME=/tmp TMPDIR=/tmp {python} -c "$0"'
    done = subprocess.run(["unshare", "-m", "sh", "-c", command, program], capture_output=True, text=True, timeout=120)
    if "Permission denied" in done.stderr and "pyvenv" in done.stderr:
        pytest.skip("that user cannot read this environment")
    assert done.stdout == "64321 memory {'ptrace': 1} processes\n", done.stderr[-2000:]


# --- the page -------------------------------------------------------------------------------------------------------


@needs_walls
def test_the_sandbox_holds_what_python_needs_of_the_system(grader):
    source = (
        "import os, shutil, ssl, sqlite3, ctypes, zoneinfo\n"
        "print(sorted(set(os.listdir('/usr')) - {'bin', 'lib', 'lib32', 'lib64', 'local', 'share'}))\n"
        "print([name for name in ('gcc', 'perl', 'python3', 'apt', 'sudo', 'mount', 'ssh', 'bwrap') if shutil.which(name, path='/usr/bin:/bin:/usr/sbin')])\n"
        "print(os.system('echo hi > said'), open('said').read(), os.access('/usr/bin', os.W_OK))"
    )
    result = grader.grade(cells(source))
    assert text(result.results[0]) == "[]\n[]\n0 hi\n False\n"


def test_the_page_promises_what_tests_hold():
    """Each row of the page names a test that exists."""
    import ast

    here = Path(__file__).parent
    page = (here.parent / "docs" / "instructors" / "sandbox.md").read_text(encoding="utf-8")
    part = page.split("## What it promises")[1].split("\n## ")[0]
    rows = [
        line for line in part.splitlines() if line.startswith("|") and "---" not in line and "| held by |" not in line
    ]
    assert len(rows) > 20
    for row in rows:
        found = re.search(r"\| `(test_\w+\.py)::(test_\w+)` \|$", row)
        assert found, row
        tree = ast.parse((here / found[1]).read_text(encoding="utf-8"))
        assert found[2] in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, row
