"""Answers that take all there is of something: processes, memory, disk, names, output."""

from . import Attack
from .assignment import ANSWERS

ONE = ("preactivation",)
RIGHT = ANSWERS["preactivation"]


def flood(slug, what, source, **more):
    """In the cell, before a right function."""
    return Attack(slug, what, {"preactivation": f"{source}\n{RIGHT}"}, **more)


def inside(slug, what, body, **more):
    """In the function, before the right result."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    source = f"import os, sys\ndef preactivation(X, w, b):\n{lines}\n    return X @ w + b\n"
    return Attack(slug, what, {"preactivation": source}, **more)


FORKS = """
import os, time
while True:
    if os.fork() == 0: time.sleep(60)
"""
FORK_BOMB = """
import os
while True:
    try: os.fork()
    except OSError: pass
"""
THREADS = """
import threading, time
while True: threading.Thread(target=time.sleep, args=(60,)).start()
"""
MEMORY = """
kept = []
while True: kept.append(np.ones(1 << 22))
"""
SMALL_PIECES = """
kept = []
while True: kept.append(bytearray(1 << 16))
"""
DISK = """
with open("big", "wb") as file:
    for _ in range(2000): file.write(bytes(1 << 20))
"""
TMPFS = """
import os
for folder in ("/tmp", "/dev/shm", "/var/tmp", "/run", "."):
    try:
        for i in range(20):
            with open(os.path.join(folder, f"big{i}"), "wb") as file:
                for _ in range(50): file.write(bytes(1 << 20))
    except OSError: pass
"""
INODES = """
for i in range(200_000):
    open(f"small{i}", "w").close()
"""
OPEN_FILES = """
kept = [open("/dev/null") for _ in range(1_000_000)]
"""
SOCKET_BUFFERS = """
import socket
kept = []
try:
    while len(kept) < 5_000:
        a, b = socket.socketpair()
        a.setblocking(False)
        kept += [a, b]
        try:
            while True: a.send(bytes(1 << 16))
        except BlockingIOError: pass
except OSError: pass
"""
PRINTS = """
for _ in range(300): print("x" * 1_000_000)
"""
PRINTS_FOREVER = """
while True: print("all work and no play")
"""
DISPLAYS = """
from IPython.display import HTML, display
for i in range(2_000): display(HTML(f"<b>{i}</b>"))
"""
FIGURES = """
import matplotlib.pyplot as plt
import warnings
warnings.simplefilter("ignore")
for i in range(200): plt.figure(figsize=(1, 1))
"""
HUGE_FIGURE = """
import matplotlib.pyplot as plt
plt.figure(figsize=(600, 600), dpi=100)
plt.plot([0, 1])
plt.show()
"""

ATTACKS = [
    flood("forks", "starts processes without end", FORKS, loses=ONE, verdict="wrong", says="stopped with "),
    flood(
        "fork_bomb",
        "a fork bomb",
        FORK_BOMB,
        loses=ONE,
        verdict=("out of time", "crashed", "wrong"),
        # Whether the cell's own process can still answer when its time is over is a race with its copies
        says=("the student's code was stopped", "The cell that defines preactivation"),
    ),
    flood(
        "threads",
        "starts threads without end",
        THREADS,
        loses=ONE,
        verdict="wrong",
        says="stopped with ",
    ),
    flood(
        "memory",
        "arrays without end",
        MEMORY,
        loses=ONE,
        verdict="out of memory",
        says="The cell that defines preactivation",
    ),
    inside(
        "memory_in_call",
        "memory without end in a function",
        SMALL_PIECES,
        loses=ONE,
        verdict="out of memory",
        says="MemoryError",
    ),
    inside(
        "huge_result",
        "returns an array of 80 GB",
        "return np.ones(10**10)",
        loses=ONE,
        verdict="out of memory",
        says="MemoryError",
    ),
    inside(
        "large_result",
        "returns an array of 400 MB",
        "return np.zeros(50_000_000)",
        loses=ONE,
        verdict="out of memory",
        says="MemoryError",
    ),
    flood("disk", "writes a file of 2 GB", DISK, loses=ONE, verdict="wrong", says="stopped with "),
    flood("temporary_files", "fills every folder for temporary files", TMPFS),
    flood("inodes", "200,000 empty files", INODES, loses=ONE, verdict="wrong", says="stopped with "),
    flood(
        "open_files",
        "opens a million files",
        OPEN_FILES,
        loses=ONE,
        verdict="wrong",
        says="stopped with ",
    ),
    flood("socket_buffers", "fills the buffers of thousands of sockets", SOCKET_BUFFERS),
    flood("prints", "prints 300 MB", PRINTS),
    flood(
        "prints_forever",
        "prints without end",
        PRINTS_FOREVER,
        loses=ONE,
        verdict="out of time",
        says="Is there an infinite loop?",
    ),
    flood(
        "prints_errors", "prints 100 MB as errors", "import sys\nfor _ in range(100): sys.stderr.write('x' * 1_000_000)"
    ),
    inside(
        "prints_in_call",
        "prints 100 MB in every call",
        "for _ in range(100): print('x' * 1_000_000)",
        says="Your function prints",
    ),
    inside(
        "writes_in_call",
        "writes 100 MB to the standard files in every call",
        "for _ in range(100): os.write(1, b'x' * 1_000_000)",
    ),
    flood("displays", "shows 2,000 outputs", DISPLAYS),
    flood(
        "huge_repr",
        "an object whose text has 300 MB",
        "class Huge:\n    def __repr__(self): return 'x' * 300_000_000\nHuge()",
    ),
    inside("huge_error", "an error whose text has 10 MB", "raise ValueError('x' * 10_000_000)", loses=ONE),
    inside(
        "long_traceback",
        "an error of 900 frames",
        "def down(n): return down(n - 1) if n else 1 / 0\ndown(900)",
        loses=ONE,
    ),
    inside(
        "warns",
        "5,000 warnings",
        "import warnings\nfor i in range(5_000): warnings.warn(f'warning {i}', RuntimeWarning)",
    ),
    flood("figures", "200 open figures", FIGURES),
    flood("huge_figure", "a figure of 60,000 by 60,000 points", HUGE_FIGURE),
]
