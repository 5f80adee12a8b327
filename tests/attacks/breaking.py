"""Cells and functions that end, hang or break what runs them; the other answers keep their points."""

from . import Attack
from .assignment import ANSWERS
from .cheating import BROKEN, WRONG

ONE = ("preactivation",)
RIGHT = ANSWERS["preactivation"]


def cell(slug, what, source, **more):
    """In the cell, before a right function."""
    return Attack(slug, what, {"preactivation": f"{source}\n{RIGHT}"}, **{"loses": ONE} | more)


def function(slug, what, body, before="", **more):
    """In the function, as its whole body."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    return Attack(
        slug, what, {"preactivation": f"{before}\ndef preactivation(X, w, b):\n{lines}\n"}, **{"loses": ONE} | more
    )


SEGFAULT = "import ctypes\nctypes.string_at(0)"
SWALLOW = """
while True:
    try:
        while True: pass
    except BaseException: pass
"""
MASKED = """
import signal, time
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
signal.setitimer(signal.ITIMER_REAL, 0)
while True: time.sleep(1)
"""
EVIL_ERROR = """
import time
class Evil(Exception):
    def __str__(self):
        while True: time.sleep(1)
    __repr__ = __str__
    @property
    def __traceback__(self): raise SystemExit
raise Evil
"""
EXITS_IN_STR = """
import os
class Evil(Exception):
    def __str__(self): os._exit(3)
    __repr__ = __str__
raise Evil
"""
NO_BUILTINS = """
import builtins
for name in ("print", "len", "isinstance", "open", "type", "getattr", "repr", "str", "list", "dict", "range", "super", "__build_class__", "Exception", "BaseException"):
    if hasattr(builtins, name): delattr(builtins, name)
"""
PATCHED_BUILTINS = """
import builtins
def broken(*a, **k): raise SystemExit
builtins.__import__ = builtins.__build_class__ = builtins.isinstance = builtins.len = builtins.compile = builtins.exec = broken
"""
TRACE = """
import sys, threading
def trace(frame, event, arg): raise RuntimeError("traced")
threading.settrace(trace); sys.settrace(trace); sys.setprofile(trace)
"""
NO_MODULES = """
import sys
for name in list(sys.modules): sys.modules[name] = None
"""
NO_OUTPUT = """
import os, sys
for fd in (0, 1, 2):
    try: os.close(fd)
    except OSError: pass
sys.stdout = sys.stderr = sys.stdin = sys.__stdout__ = sys.__stderr__ = None
"""
NO_FOLDER = """
import os, shutil
os.makedirs("gone", exist_ok=True); os.chdir("gone"); os.rmdir("../gone")
"""
DESTRUCTOR = """
import os
class Last:
    def __del__(self): os._exit(5)
"""
RECURSION = """
import sys
sys.setrecursionlimit(10**9)
def down(x): return [down(y) for y in (x,)]
down(0)
"""

ATTACKS = [
    cell(
        "exit",
        "`sys.exit()`",
        "import sys\nsys.exit(0)",
        loses=ONE,
        verdict="wrong",
        says="stopped with ",
    ),
    cell("quit", "`quit()` and `exit()`", "quit()\nexit()", loses={}),
    cell(
        "hard_exit",
        "`os._exit(0)` in a cell",
        "import os\nos._exit(0)",
        verdict="crashed",
        says="ended the whole Python process",
    ),
    function(
        "hard_exit_in_call",
        "`os._exit(0)` in a function",
        "import os\nos._exit(0)",
        verdict="crashed",
        says="ended the whole Python process",
    ),
    cell("abort", "aborts", "import os\nos.abort()", verdict="crashed", says="ended the whole Python process"),
    cell(
        "segfault",
        "a segmentation fault in a cell",
        SEGFAULT,
        verdict="crashed",
        says="ended the whole Python process",
    ),
    function(
        "segfault_in_call",
        "a segmentation fault in a function",
        SEGFAULT,
        verdict="crashed",
        says="ended the whole Python process",
    ),
    function("interrupt", "raises KeyboardInterrupt", "raise KeyboardInterrupt", says="KeyboardInterrupt"),
    function(
        "base_exception", "raises an exception that is not an Exception", "class Gone(BaseException): pass\nraise Gone"
    ),
    function(
        "generator_exit",
        "raises GeneratorExit and StopIteration",
        "raise GeneratorExit if len(X) % 2 else StopIteration",
    ),
    cell("syntax", "a line that is not finished", "x = (", verdict="wrong", says="stopped with "),
    cell(
        "name_error",
        "an error before the function",
        "undefined_name",
        verdict="wrong",
        says="stopped with ",
    ),
    cell("null_byte", "a null character in the code", "x = '\x00'", verdict="wrong", says="stopped with "),
    cell("another_language", "a cell of another language", "%%javascript\nalert(1)", verdict="not attempted"),
    cell(
        "shell",
        "shell commands",
        "!echo overwritten > @SAFE@/untouched; kill -9 $PPID\n%cd /\n%env NBGRADER_EXECUTION=no\n%reset -f\nimport numpy as np",
        loses={},
        says="",
    ),
    cell(
        "bash_cell",
        "a cell of bash",
        "%%bash\nsleep 0.1; kill -9 $PPID; echo overwritten > @SAFE@/untouched",
        verdict="wrong",
    ),
    cell("reset", "deletes every name", "%reset -f\n", loses=()),
    cell(
        "endless",
        "an endless loop in a cell",
        "while True: pass",
        verdict="out of time",
        says="Is there an infinite loop?",
    ),
    function(
        "endless_in_call",
        "an endless loop in a function",
        "while True: pass",
        verdict="out of time",
        says="Is there an infinite loop?",
    ),
    function(
        "endless_swallowing",
        "an endless loop that catches everything",
        SWALLOW,
        verdict="out of time",
        says="Is there an infinite loop?",
    ),
    cell("sleeps", "sleeps", "import time\ntime.sleep(3600)", verdict="out of time", says="Is there an infinite loop?"),
    cell(
        "masked_signals",
        "masks and ignores every signal, then sleeps",
        MASKED,
        verdict="out of time",
        says="the student's code was stopped",
    ),
    cell("stops_itself", "stops itself", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", loses={}),
    cell(
        "slow_number",
        "a power of 10¹⁰ digits",
        "10 ** 10 ** 10",
        verdict="out of time",
        says="Is there an infinite loop?",
    ),
    cell(
        "slow_pattern",
        "a regular expression that takes forever",
        "import re\nre.match(r'(a*)*b', 'a' * 60)",
        verdict="out of time",
        says="Is there an infinite loop?",
    ),
    function("recursion", "calls itself without end", "return preactivation(X, w, b)", says="calls itself without end"),
    cell(
        "deep_recursion",
        "a recursion that overflows the C stack",
        RECURSION,
        verdict=("out of time", "crashed"),
        says=("the student's code was stopped", "the student's code ended the whole Python process"),
    ),
    function("waits_for_input", "waits for the keyboard", "return float(input('u = '))", says="calls `input()`"),
    cell("debugger", "a breakpoint that was left in", "breakpoint()", loses={}),
    function("endless_error", "an error whose text takes forever", EVIL_ERROR),
    function(
        "exits_in_error",
        "an error whose text ends the process",
        EXITS_IN_STR,
        verdict="crashed",
        says="ended the whole Python process",
    ),
    cell("no_builtins", "deletes Python's built-in names", NO_BUILTINS, verdict="crashed"),
    cell("patched_builtins", "replaces Python's built-in functions", PATCHED_BUILTINS, verdict="crashed"),
    cell("traced", "a trace function that raises", TRACE, verdict="wrong"),
    cell(
        "no_modules",
        "removes every module",
        NO_MODULES,
        loses=("preactivation", "gradient", "layer", "average"),
        verdict="wrong",
        worth=7,
        limit=BROKEN,
    ),
    cell("no_output", "closes the standard files", NO_OUTPUT, loses={}),
    cell("no_folder", "deletes the folder that it works in", NO_FOLDER, loses={}),
    function(
        "destructor",
        "returns an object whose destructor ends the process",
        "return Last()",
        DESTRUCTOR,
        verdict="crashed",
        says="ended the whole Python process",
    ),
    Attack(
        "coroutine",
        "an async function",
        {"preactivation": "async def preactivation(X, w, b):\n    return X @ w + b"},
        loses=ONE,
    ),
    cell(
        "top_level_await",
        "`await` in a cell, which notebooks allow",
        "import asyncio\nawait asyncio.sleep(0)",
        loses={},
    ),
    Attack(
        "huge_integer",
        "returns an integer of a million digits",
        {"preactivation": "def preactivation(X, w, b):\n    return 1 << 4_000_000"},
        loses=ONE,
    ),
    Attack(
        "wrong_signature",
        "another signature",
        {"preactivation": "def preactivation(X):\n    return X"},
        loses=ONE,
        says="Keep the given names and order of the arguments",
    ),
    Attack("wrong_again", "an answer that is only wrong", {"preactivation": WRONG}, loses=ONE),
    Attack(
        "crash_in_own_cell",
        "the process ends in an added cell",
        own=(("gradient", "import os\nos._exit(1)"),),
        says="ended the whole Python process",
    ),
    Attack(
        "endless_own_cell", "an endless loop in an added cell", own=(("gradient", "while True: pass"),), endless=True
    ),
    Attack(
        "exit_in_asserts",
        "ends the process while the plain asserts run",
        {"average": "import os\ndef average(values):\n    os._exit(0)"},
        loses=("average",),
        verdict="crashed",
        says="ended the whole Python process",
    ),
    Attack(
        "endless_in_asserts",
        "an endless loop while the plain asserts run",
        {"average": "def average(values):\n    while True: pass"},
        loses=("average",),
        verdict="out of time",
    ),
]
