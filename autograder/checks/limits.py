"""A limit on the time that student code takes, on every system.

Three ways, by what the system has (`way`): a signal; where there is none (Windows, other threads than the first) a thread
that watches; where there are no threads either (the browser) a look at the clock at every line.

Needs the standard library only: it also runs in the sandbox, beside student code.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import signal
import sys
import sysconfig
import threading
import time
from functools import cache
from types import FrameType
from typing import Any

# Seconds until code that has caught `TooSlow` gets it again
AGAIN = 0.1
# The numbers that sys.monitoring leaves to programs like this one; a limit within another takes the second
TOOLS = (4, 3)
# Python 3.11 has none
MONITORING: Any = getattr(sys, "monitoring", None)
_seconds: dict[int, float] = {}
_hook = threading.RLock()


class TooSlow(BaseException):
    """The call took longer than it may; not an Exception, so that an answer's own `except Exception` lets it through."""

    def __init__(self, *args):
        # The interpreter makes it without a word in a watched thread
        super().__init__(*(args or (f"stopped after {_seconds.get(threading.get_ident(), 0):g} seconds",)))


def time_limit(seconds: float) -> Any:
    """A context that raises `TooSlow` in its block after so many seconds; without limit for 0 or None.

    Code that catches it (``except BaseException: pass`` in an endless loop) gets it again every 0.1 s, and from the third
    time on at every line that it runs. What cannot be stopped: one call of compiled code that never returns to Python;
    outside the first thread and on Windows also one that only waits, ``time.sleep(1e9)``; and, where neither signals nor
    `sys.monitoring` are there (Windows or the browser with Python 3.11), code that catches it every time.
    """
    if not seconds:
        return contextlib.nullcontext()
    alarm, main = hasattr(signal, "setitimer"), threading.current_thread() is threading.main_thread()
    # To try a thread takes a while, in every child of the sandbox
    return WAYS[way(alarm, main, (alarm and main) or threads_work())](seconds)


def way(alarm: bool, main_thread: bool, threads: bool) -> str:
    """How a limit is kept: "alarm", "watchdog" or "trace".

    alarm : the system has ``signal.setitimer``. main_thread : the limit is for the first thread, the only one that gets
    signals. threads : new threads can be started and raise in another one.
    """
    if alarm and main_thread:
        return "alarm"
    return "watchdog" if threads else "trace"


@cache
def threads_work() -> bool:
    """Whether this Python can start threads; in the browser it cannot."""
    if importlib.util.find_spec("_ctypes") is None:
        return False
    thread = threading.Thread(target=int)
    try:
        thread.start()
    except RuntimeError:
        return False
    thread.join()
    return True


class _Limit:
    """What the three ways share: the block's frame, and what to do with code that catches `TooSlow`."""

    def __init__(self, seconds):
        self.seconds = seconds

    def start(self):
        """Begin to watch the time."""
        raise NotImplementedError

    def stop(self):
        """Watch it no longer."""
        raise NotImplementedError

    def __enter__(self):
        self.frame: FrameType | None = sys._getframe(1)
        self.thread, self.rings = threading.get_ident(), 0
        self.lines = _Lines(self)
        with _hook:
            if not _seconds:
                _Unheard.begin()
            self.outer = _seconds.get(self.thread)
            _seconds[self.thread] = self.seconds
        self.start()

    def __exit__(self, *error):
        self.lines.stop()
        # No `TooSlow` of this limit comes after it
        self.stop()
        with _hook:
            if self.outer is None:
                _seconds.pop(self.thread, None)
            else:
                _seconds[self.thread] = self.outer
            if not _seconds:
                _Unheard.end()
        # A frame keeps all that its block has used
        self.frame = None

    def insist(self):
        """Count one more `TooSlow`; after two that were caught, raise at every line."""
        self.rings += 1
        if self.rings > 2:
            self.lines.start()


class _Unheard:
    """Does not print the `TooSlow` that Python can only print: raised while an object is deleted or memory collected.

    It may come there in code that is not the answer's, and the next one comes soon enough.
    """

    before: Any = None

    @classmethod
    def begin(cls):
        # What an answer has kept and set again after its limit is this one, and would call itself
        if sys.unraisablehook != cls.print_others:
            cls.before, sys.unraisablehook = sys.unraisablehook, cls.print_others

    @classmethod
    def end(cls):
        # An answer may have set another one
        if sys.unraisablehook == cls.print_others:
            sys.unraisablehook = cls.before

    @classmethod
    def print_others(cls, unraisable):
        if not issubclass(unraisable.exc_type, TooSlow):
            cls.before(unraisable)


class Alarm(_Limit):
    """A signal interrupts the first thread, even where it waits."""

    def start(self) -> None:
        self.before = signal.signal(signal.SIGALRM, self.ring)
        self.since = time.monotonic()
        self.left, self.interval = signal.setitimer(signal.ITIMER_REAL, self.seconds, AGAIN)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.before or signal.SIG_DFL)
        if self.left:
            # The limit around this one goes on
            left = max(self.left - (time.monotonic() - self.since), 0.001)
            signal.setitimer(signal.ITIMER_REAL, left, self.interval)

    def ring(self, signum: int, frame: FrameType | None) -> None:
        inside = _in_block(frame, self.frame)
        if inside is None:
            self.stop()
        elif inside or not (self.rings or _is_own(frame)):
            self.insist()
            raise TooSlow


class Watchdog(_Limit):
    """A second thread raises in the one that runs the block, at its next step in Python."""

    def start(self) -> None:
        self.over = threading.Event()
        self.watcher = threading.Thread(target=self.watch, name="time limit", daemon=True)
        self.watcher.start()

    def stop(self) -> None:
        self.over.set()
        # One that is on its way is raised while this waits, not later
        self.watcher.join()

    def watch(self) -> None:
        wait = self.seconds
        while not self.over.wait(wait):
            wait = AGAIN
            inside = _in_block(sys._current_frames().get(self.thread), self.frame)
            if inside is None:
                return
            if inside:
                self.insist()
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.thread), ctypes.py_object(TooSlow))


class Trace(_Limit):
    """Every line of the block looks at the clock."""

    def start(self) -> None:
        self.lines.start(time.monotonic() + self.seconds)

    def stop(self) -> None:
        pass


WAYS = {"alarm": Alarm, "watchdog": Watchdog, "trace": Trace}


class _Lines:
    """Raises `TooSlow` at every line of student code in the block, from a moment on."""

    def __init__(self, limit):
        self.limit, self.since, self.on, self.tool = limit, 0.0, False, None

    def start(self, since=0.0):
        self.since = since
        if self.on and self.tool is not None:
            return
        self.tool = MONITORING and next((tool for tool in TOOLS if MONITORING.get_tool(tool) is None), None)
        if self.tool is None:
            self.trace()
            return
        self.on, self.events = True, MONITORING.events
        MONITORING.use_tool_id(self.tool, "dlcourse time limit")
        for event in (self.events.LINE, self.events.JUMP, self.events.PY_START):
            MONITORING.register_callback(self.tool, event, self.at_line)
        # Until the time is over loops and calls are enough, and cheaper than every line
        MONITORING.set_events(self.tool, self.events.JUMP | (self.events.PY_START if since else self.events.LINE))

    def stop(self):
        if not self.on:
            return
        self.on = False
        if self.tool is None:
            sys.settrace(self.before)
        else:
            MONITORING.set_events(self.tool, 0)
            MONITORING.free_tool_id(self.tool)

    def at_line(self, code, *place):
        if not _is_answers(code):
            # Never asked again at this place; what an answer does with it is seen in the answer's own code
            return MONITORING.DISABLE
        if time.monotonic() < self.since or threading.get_ident() != self.limit.thread:
            return None
        frame = sys._getframe(1)
        if _in_block(frame, self.limit.frame) is None:
            self.stop()
        elif self.reaches(frame):
            # A loop on one line only jumps
            MONITORING.set_events(self.tool, self.events.LINE | self.events.JUMP)
            raise TooSlow

    def reaches(self, frame):
        # Not the block's frame itself: leaving the block is a line, too
        return frame is not self.limit.frame and _of_answer(frame)

    # Python 3.11: a trace function, which ends with the first error that it raises, and works in its own thread only

    def trace(self):
        if threading.get_ident() != self.limit.thread:
            return
        if not self.on:
            self.on, self.before = True, sys.gettrace()
        # Another line each time, so that one comes outside the `try`
        self.skip = max(self.limit.rings - 3, 0)
        frame: Any = sys._getframe(1)
        while frame is not None and frame is not self.limit.frame:
            if self.reaches(frame):
                frame.f_trace = self.at_event
            frame = frame.f_back
        sys.settrace(self.at_event)

    def at_event(self, frame, event, argument):
        if not self.reaches(frame):
            return None
        # `while True: pass` is one instruction, and no new line
        frame.f_trace_opcodes = True
        if event in ("line", "opcode") and time.monotonic() >= self.since:
            self.skip -= 1
            if self.skip < 0 and _in_block(frame, self.limit.frame):
                raise TooSlow
        return self.at_event


# --- whose code runs ------------------------------------------------------------------------------------------------


def _in_block(frame, block):
    """Whether student code runs between the block's frame and `frame`, the innermost; None where the block is over.

    Not while it waits for an answer of the engine: half an answer would be taken for the next one.
    """
    if frame is not None and _is_own(frame):
        return False
    found = talks = False
    while frame is not None:
        found = found or _of_answer(frame)
        if frame is block:
            return found and not talks
        talks = talks or frame.f_code.co_filename.startswith(_ENGINE)
        frame = frame.f_back
    return None


def _is_own(frame):
    return frame.f_code.co_filename == __file__


def _of_answer(frame):
    return _is_answers(frame.f_code)


def _is_answers(code):
    name = code.co_filename
    return not installed(name) or name.startswith(_EXERCISES)


def installed(filename: str) -> bool:
    """Whether a code's file is not an answer's: the course's packages, Python, or what is installed beside NumPy."""
    return filename.startswith("<frozen ") or (filename.startswith(_INSTALLED) and not filename.startswith(_COURSE))


_PACKAGES = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_NUMPY = importlib.util.find_spec("numpy")
# Folders, not words in a path: a clone may be named like a package
_INSTALLED = tuple(
    os.path.join(folder, "")
    for folder in (
        os.path.join(_PACKAGES, "autograder"),
        os.path.join(_PACKAGES, "dlcourse"),
        os.path.dirname(os.path.abspath(os.__file__)),
        # In a browser an archive, which its modules' `__file__` does not always name
        os.path.dirname(contextlib.suppress.__init__.__code__.co_filename),
        *([os.path.dirname(os.path.dirname(os.path.abspath(_NUMPY.origin)))] if _NUMPY and _NUMPY.origin else []),
        *filter(None, (sysconfig.get_path(name) for name in ("purelib", "platlib"))),
    )
)
# In a clone the assignments, and what a student writes beside them, lie inside the package
_COURSE = os.path.join(_PACKAGES, "autograder", "course", "")
_ENGINE = os.path.join(_PACKAGES, "autograder", "engine", "")
# The exercises' own wrong answers are stopped like a student's
_EXERCISES = os.path.join(_PACKAGES, "autograder", "exercises", "")
