"""What runs in the sandbox: one warm process, and a fresh child of it for every submission.

    python -m autograder.engine.sandbox.inside FD            the zygote
    python -m autograder.engine.sandbox.inside --alone ADDRESS    one child of nobody, where processes do not fork

The warm process (the zygote) has imported what notebooks use and does nothing but fork. For each submission it forks an
attendant, which puts a child behind its walls, waits for it and ends it when the supervisor says so or has gone. The child
runs the cells and calls the student's functions on the cases that it is sent. It knows no expected value, no check and no
other submission.
"""

from __future__ import annotations

import base64
import builtins
import contextlib
import functools
import gc
import importlib
import io
import numbers
import os
import random
import re
import select
import signal
import socket
import sys
import time
import types
from pkgutil import iter_modules
from typing import Any

import numpy as np

from ...checks import drivers, trace
from ...checks.uses import names_used
from . import calls, link, walls
from .meter import Meter
from .protocol import QUESTION, Channel, Closed, TooLarge, course_tuple, decode, encode

OUTPUTS = 100
USED = 2000
SHOWN = 4 * 2**20


# A cell of several lines that has none of these is Python, or it is wrong: IPython leaves it as it is
_SIGNS = re.compile(r"[%!?]|^\s*([,;/>]|\.\.\.|In \[)|\A\s", re.MULTILINE)


# --- the zygote -----------------------------------------------------------------------------------------------------


def main(fd: int) -> None:
    control = Channel(socket.socket(fileno=fd), trusted=True)
    config, _ = control.receive()
    if config["uid"] is not None:
        walls.become(config["uid"])
    os.chdir("/tmp" if config["walls"] else config["folder"])
    shell = warm_up(config["plots"], config["topics"])
    load_ahead(shell)
    signal.signal(signal.SIGCHLD, collect)
    gc.collect()
    gc.freeze()
    control.send({"ready": True})
    while True:
        # A child's status and its work, and the entrance to its control group where there is one
        word, fds, _, _ = socket.recv_fds(control.sock, 1, 3)
        if not word:
            break
        if os.fork() == 0:
            control.close()
            status, work = (Channel(socket.socket(fileno=fd), trusted=True) for fd in fds[:2])
            try:
                attend(status, work, shell, config, fds[2:])
            finally:
                os._exit(0)
        for fd in fds:
            os.close(fd)


def collect(*signal_and_frame: Any) -> None:
    """Collect the attendants that have ended; each has told the supervisor itself how its child ended.

    Were they left to the kernel (SIG_IGN), their processor time would be counted nowhere.
    """
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def warm_up(plots: bool, topics: list[str]) -> Any:
    """Import what notebooks use, and make the shell that every child inherits."""
    import dlcourse

    for slug in dlcourse.TOPICS:
        importlib.import_module(f"dlcourse.{slug}")
    if any(hasattr(getattr(dlcourse, topic, None), "gelu") for topic in topics):
        # What the error function loads when it is first asked; it takes as long as all the rest
        importlib.import_module("scipy.special")
    # OpenBLAS takes its work space at the first large product. Where an answer has used up the memory by then, it ends the
    # process or tries for ever, and the honest functions beside that answer are lost
    large = np.ones((200, 200))
    np.matmul(large, large)
    shell = make_shell()
    if plots:
        import matplotlib.pyplot  # noqa: F401

        shell.run_line_magic("matplotlib", "inline")
    return shell


def load_ahead(shell: Any) -> None:
    """Load what every child would load at its first cell, its first error and its first case."""
    package: Any = importlib.import_module("autograder.drivers")
    for module in (
        "autograder.withheld",
        *(f"{package.__name__}.{one.name}" for one in iter_modules(package.__path__)),
    ):
        importlib.import_module(module)
    for source in ("pass", "raise NotImplementedError"):
        shell.run_cell(source, store_history=False)
    shell.error = None


def attend(status: Channel, work: Channel, shell: Any, config: dict, entrance: list[int]) -> Any:
    """Start the child, watch what it uses, refuse what it may not, and say how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    limits, _ = status.receive()
    walls.die_with_parent()
    told, tell = socket.socketpair()
    try:
        if config["walls"]:
            walls.own_namespaces()
        walls.adopt()
        child = os.fork()
    except OSError as error:
        status.send({"fault": f"no namespaces for a child: {error}"})
        return
    if child == 0:
        status.close()
        told.close()
        try:
            enter(entrance)
            live(work, shell, config, limits, tell)
        finally:
            os._exit(0)
    for fd in entrance:
        os.close(fd)
    work.close()
    tell.close()
    watch = Watch(status, told, child, limits)
    try:
        why = watch.wait()
    except OSError as error:
        why, watch.fault = "fault", f"what a child holds cannot be measured: {error}"
    if not config["walls"]:
        # Without its own namespace the child's process group is the best there is
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    _, code, usage = os.wait4(child, 0)
    # Of Linux in kB, of macOS in bytes
    memory = usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    said: dict[str, Any] = {"ended": why or os.waitstatus_to_exitcode(code)}
    if why == "fault":
        said["fault"] = watch.fault
    with contextlib.suppress(Closed):
        status.send(
            said
            | {
                "cpu": max(usage.ru_utime + usage.ru_stime, watch.meter.cpu if watch.meter else 0.0),
                "memory": max(memory, watch.meter.peak if watch.meter else 0.0),
                "measured": watch.meter is not None,
                "refused": watch.refused,
            }
        )


class Watch:
    """An attendant's view of its child: how it ends, what it uses, which system calls it is refused.

    refused : {name of the call: how often}, None where the kernel does not tell.
    """

    def __init__(self, status, told, child, limits):
        self.status, self.told, self.child, self.limits = status, told, child, limits
        self.meter = Meter(child) if sys.platform == "linux" else None
        self.refused: dict[str, int] | None = None
        self.fault = ""

    def wait(self) -> str:
        """Wait for the child's end, the supervisor's word, or too much: "memory", "time", "told", or "" where it ended itself."""
        pidfd = os.pidfd_open(self.child) if hasattr(os, "pidfd_open") else None
        listener = None
        # Of a moment of its life, the first: a child may be over before it is measured
        next_look = time.monotonic() + 0.02
        while True:
            watched = [fd for fd in (self.status, pidfd, self.told, listener) if fd is not None]
            ready, _, _ = select.select(watched, [], [], max(0.0, min(0.1, next_look - time.monotonic())))
            if pidfd in ready or (
                pidfd is None and os.waitid(os.P_PID, self.child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            ):
                return ""
            if self.status in ready:
                return "told"
            if self.told in ready:
                listener = self._listen()
            elif listener is not None and listener in ready:
                name = calls.refuse_next(listener)
                if name is not None and self.refused is not None:
                    self.refused[name] = self.refused.get(name, 0) + 1
            if self.meter is not None and time.monotonic() >= next_look:
                self.meter.look(self.limits["memory"])
                if self.meter.held > self.limits["memory"]:
                    return "memory"
                if self.meter.cpu > self.limits["cpu"] + 5:
                    return "time"
                next_look = time.monotonic() + self.meter.pause

    def _listen(self):
        """The file on which refused calls are told, once the child has its filter."""
        _, fds, _, _ = socket.recv_fds(self.told, 1, 1)
        self.told.close()
        self.told = None
        if fds:
            self.refused = {}
            return fds[0]
        return None


def enter(entrance: list[int]) -> None:
    """Go into the control group that the supervisor has made; it looks whether that was possible."""
    for fd in entrance:
        with contextlib.suppress(OSError):
            os.write(fd, b"0")


# --- the child ------------------------------------------------------------------------------------------------------


def live(work: Channel, shell: Any, config: dict, limits: dict, tell: socket.socket) -> Any:
    """Behind its walls, run cells and answer cases until the supervisor has no more."""
    walls.die_with_parent()
    # A signal to "my group" must not reach the zygote, which is of the same user
    os.setsid()
    if config["walls"]:
        walls.own_files(limits["disk"])
        home = "/tmp/work"
    else:
        home = os.path.join(config["folder"], f"work-{os.getpid()}")
    move_in(home)
    first, second = sorted((work.fileno(), tell.fileno()))
    os.closerange(3, first)
    os.closerange(first + 1, second)
    os.closerange(second + 1, 1024)
    take_files(work, home)
    walls.limit(limits["memory"], limits["disk"], limits["processes"], limits["cpu"])
    listener = walls.lock() if config["walls"] else None
    socket.send_fds(tell, [b"."], [] if listener is None else [listener])
    tell.close()
    if listener is not None:
        os.close(listener)
    serve(work, shell, home)


def alone(address: str) -> None:
    """One child without zygote, fork and walls, with the rights of the user whose notebook it runs."""
    work = Channel(link.join(address), trusted=True)
    config, _ = work.receive()
    limits = config["limits"]
    shell = warm_up(config["plots"], config["topics"])
    home = config["home"]
    move_in(home)
    take_files(work, home)
    walls.limit(limits["memory"], limits["disk"], 0, limits["cpu"])
    serve(work, shell, home)


def move_in(home: Any) -> None:
    """Work in a new folder, and read and print nowhere."""
    os.mkdir(home)
    os.chdir(home)
    os.environ["HOME"] = home
    # A breakpoint that was left in waits for nobody
    os.environ["PYTHONBREAKPOINT"] = "0"
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)


def take_files(work: Channel, home: Any) -> None:
    """Write the files that lie beside the notebook."""
    header, body = work.receive()
    for name, start, size in header["files"]:
        os.makedirs(os.path.dirname(os.path.join(home, name)), exist_ok=True)
        with open(os.path.join(home, name), "wb") as file:
            file.write(body[start : start + size])


def serve(work: Channel, shell: Any, home: Any) -> None:
    """Answer the supervisor's requests until it has no more."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - students use the old functions too
    # A helper module beside the notebook is found, but none in the place of a known one
    sys.path.append(home)
    work.send({"ready": True})
    withheld: Any = importlib.import_module("autograder.withheld")
    me, apart = os.getpid(), None
    answer = {"cell": run_cell, "functions": find_functions, "case": run_one_case, "traced": run_traced, "done": done}
    places: dict[int, dict] = {}
    while True:
        try:
            header, body = work.receive()
        except Closed:
            return
        withheld.call = _caller(work, header["id"])
        # The names as they stand at the place of a check that is asked later
        places |= {place: dict(shell.user_ns) for place in header.get("places", ())}
        try:
            if header.get("apart") and hasattr(os, "fork"):
                # What this check teaches an answer must not reach the next check of the same exercise
                copy = os.fork()
                if copy:
                    if os.waitpid(copy, 0)[1]:
                        os._exit(1)
                    continue
                apart = me = os.getpid()
            if header.get("place") in places:
                shell.user_ns.clear()
                shell.user_ns.update(places[header["place"]])
            reply, buffers = answer[header["do"]](shell, work, header, body)
        except TooLarge:
            reply, buffers = {"too_large": True}, ()
        except MemoryError:
            reply, buffers = {"no_memory": True}, ()
        if os.getpid() != me:
            # A copy that a cell has forked: one process answers, the copy ends with the cell
            os._exit(0)
        try:
            work.send(reply | {"id": header["id"]}, buffers)
        except TooLarge:
            work.send({"too_large": True, "id": header["id"]})
        if header["do"] == "done" and me == apart:
            os._exit(0)


def make_shell() -> Any:
    """IPython's shell without a kernel: it keeps what cells show instead of sending it."""
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class Publisher(DisplayPublisher):
        # `source`, which IPython no longer uses, is among `more`
        def publish(self, data, metadata=None, *, transient=None, update=False, **more):  # type: ignore[override]
            shell.shown.add({"output_type": "display_data", "data": data})

        def clear_output(self, wait=False):
            shell.shown.clear()

    class Hook(DisplayHook):
        def start_displayhook(self):
            pass

        def write_output_prompt(self):
            pass

        def write_format_data(self, format_dict, md_dict=None):
            shell.shown.add({"output_type": "execute_result", "data": format_dict})

        def finish_displayhook(self):
            pass

    class Shell(InteractiveShell):
        shown: Any = None
        error: dict[str, Any] | None = None

        def _showtraceback(self, etype, evalue, stb):
            self.error = {"ename": etype.__name__, "evalue": _text(evalue), "traceback": [str(line) for line in stb]}

        def ask_exit(self):
            pass

        def transform_cell(self, raw_cell):
            # To look for the shell's signs takes as long as to run most cells
            if _SIGNS.search(raw_cell) or self.input_transformers_post or len(raw_cell.splitlines()) < 2:
                return super().transform_cell(raw_cell)
            return raw_cell if raw_cell.endswith("\n") else raw_cell + "\n"

        def enable_gui(self, gui=None):
            pass

        def _tee(self, channel):
            # IPython would keep a second copy of everything that is printed, without a limit
            return contextlib.nullcontext()

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.xmode = "Context"
    config.InteractiveShell.ast_node_interactivity = "last_expr"
    shell = Shell(config=config, displayhook_class=Hook, display_pub_class=Publisher)
    # traitlets declares the attribute as that of each class alone
    InteractiveShell._instance = Shell._instance = shell  # type: ignore[assignment]
    shell.shown = Shown(0)
    return shell


class Shown(io.TextIOBase):
    """What a cell has printed and shown, in order, up to a limit; in the place of `sys.stdout`, of which code asks more."""

    encoding, errors, mode, name = "utf-8", "backslashreplace", "w", "<stdout>"

    def __init__(self, limit):
        super().__init__()
        self.buffer = _Bytes(self)
        self.limit, self.items, self.size, self.cut = limit, [], 0, False

    def add(self, output: Any) -> None:
        data = {}
        for mime, value in output["data"].items():
            if isinstance(value, bytes):
                value = base64.b64encode(value).decode()
            if mime in ("text/plain", "image/png") and isinstance(value, str):
                data[mime] = value if mime == "image/png" and len(value) < SHOWN else value[: self.limit]
        if data and len(self.items) < OUTPUTS:
            self.items.append({"output_type": output["output_type"], "data": data})
        else:
            self.cut = True

    def write(self, text: str) -> int:
        text = str(text)
        keep = text[: max(0, self.limit - self.size)]
        self.size += len(keep)
        self.cut |= len(keep) < len(text)
        if keep and self.items and self.items[-1]["output_type"] == "stream":
            self.items[-1]["text"].append(keep)
        elif keep and len(self.items) < OUTPUTS:
            self.items.append({"output_type": "stream", "text": [keep]})
        return len(text)

    def writable(self) -> bool:
        return True

    def clear(self) -> None:
        self.items = []

    def outputs(self) -> list:
        return [
            item | {"text": "".join(item["text"])} if item["output_type"] == "stream" else item for item in self.items
        ]


class _Bytes(io.RawIOBase):
    """What `sys.stdout.buffer` is: bytes that are text."""

    def __init__(self, shown):
        super().__init__()
        self.shown = shown

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.shown.write(bytes(data).decode("utf-8", "backslashreplace"))
        return len(data)


def run_cell(shell: Any, work: Channel, header: dict, body: Any) -> tuple:
    """Run one cell; what it shows, the error that ended it, and the number that it leaves as its value."""
    shell.shown, shell.error = Shown(header["output"]), None
    _figures(header["figures"])
    result = None
    try:
        with (
            contextlib.redirect_stdout(shell.shown),
            contextlib.redirect_stderr(shell.shown),
            drivers.time_limit(header["seconds"]),
        ):
            result = shell.run_cell(header["source"], store_history=True)
    except BaseException as error:  # the alarm may ring outside the cell's own code
        shell.error = shell.error or {"ename": type(error).__name__, "evalue": _text(error), "traceback": []}
    silent = getattr(result, "error_before_exec", None) or getattr(result, "error_in_exec", None)
    if shell.error is None and silent is not None:
        # A cell can keep IPython from showing errors, but not from having them
        shell.error = {"ename": type(silent).__name__, "evalue": _text(silent), "traceback": []}
    if header["quiet"]:
        shell.shown.clear()
    problem = shell.error
    if problem is not None:
        limit = header["output"]
        problem = {
            "ename": problem["ename"][:200],
            "evalue": problem["evalue"][:2000],
            "traceback": [line[:limit] for line in problem["traceback"]][-40:],
        }
    return {
        "outputs": shell.shown.outputs(),
        "cut": shell.shown.cut,
        "error": problem,
        **_points(getattr(result, "result", None)),
    }, ()


def _points(value):
    """The cell's value as points: a number of whatever type; `odd` : in words, what is nearly one but not one number."""
    if value is None or value is True:
        return {"value": None}
    try:
        number = float(value) if _is_number(value) else None
        if number is None or number != number:
            odd = number is not None or _is_nearly_a_number(value)
            return {"value": None, "odd": _odd(value) if odd else ""}
        return {"value": number}
    except Exception:
        return {"value": None, "odd": _odd(value)}


def _is_number(value):
    if isinstance(value, bool | np.bool_):
        return False
    return isinstance(value, numbers.Number) or (
        not isinstance(value, str | bytes) and np.shape(value) == () and hasattr(value, "__float__")
    )


def _is_nearly_a_number(value):
    if isinstance(value, str):
        return bool(re.fullmatch(r"\s*[-+]?[0-9.]+\s*", value))
    if isinstance(value, bool | np.bool_):
        return not value
    return isinstance(value, np.ndarray) and value.dtype.kind in "iufcb"


def _odd(value):
    return f"{' '.join(repr(value).split())[:60]} ({drivers.kind(value)})"[:100]


def _figures(on):
    if "matplotlib" in sys.modules:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats(*(["png"] if on else []))


def find_functions(shell: Any, work: Channel, header: dict, body: Any) -> tuple:
    """What stands under each name: whether it can be called, in words what it is; and the names that they use."""
    found, values = [], [shell.user_ns.get(name) for name in header["names"]]
    for name, value in zip(header["names"], values, strict=True):
        found.append([name in shell.user_ns, callable(value), drivers.kind(value)[:200]])
    try:
        used = names_used(values, shell.user_ns)
    except Exception:
        # Any class may be a student's, with attributes that raise
        used = None
    # No list stands for every name; an answer of honest length uses far fewer
    return {"found": found, "used": sorted(used) if used is not None and len(used) <= USED else None}, ()


def run_one_case(shell: Any, work: Channel, header: dict, body: Any) -> tuple:
    """Call the answer on one case; what came of each part, as plain data."""
    driver, functions, case = _asked(shell, header, body)
    parts = header["parts"]
    lent = {name: _lent(target, header["homes"].get(target)) for name, target in header.get("instead", ())}
    kept = {name: shell.user_ns[name] for name in lent if name in shell.user_ns}
    shell.user_ns.update(lent)
    try:
        with drivers.time_limit(header["seconds"]):
            outcomes = drivers.run_case(driver, functions, case, parts)
    except BaseException as stopped:
        outcomes = [drivers.Outcome(part, error=stopped) for part in parts]
    finally:
        for name in lent:
            shell.user_ns.pop(name, None)
        shell.user_ns.update(kept)
    rows, trees, buffers, offset = [], [], [], 0
    for outcome in outcomes:
        tree: Any = []
        if outcome.error is None:
            tree, made = encode(outcome.value, start=offset)
            offset += sum(map(len, made))
            buffers += made
        trees.append(tree)
        error = outcome.error
        rows.append(
            {
                "error": None if error is None else [type(error).__name__[:100], _text(error)[:2000]],
                "where": outcome.where[:500],
                "operation": outcome.operation[:100],
                "changed": [str(name)[:100] for name in outcome.changed],
                "rounded": outcome.rounded,
                "printed": outcome.printed,
                "warned": outcome.warned,
            }
        )
    return {"outcomes": rows, "values": trees}, buffers


def _asked(shell, header, body):
    """(driver, functions, case) of a request."""
    module, name = header["driver"]
    driver = getattr(drivers if module == "drivers" else importlib.import_module(f"autograder.drivers.{module}"), name)
    args, kwargs, dout, extra = decode(header["case"], body, {"rng": drivers.Rng, "named": drivers.Named})
    functions = tuple(shell.user_ns.get(name) for name in header["names"])
    return driver, functions, drivers.Case("", args, kwargs, dout, extra, ask=_question)


_traced: dict[tuple, trace.Traced] = {}


def run_traced(shell: Any, work: Channel, header: dict, body: Any) -> tuple:
    """Call the answer on one case with the values of its expressions noted, or once for each set of exchanged values."""
    driver, functions, case = _asked(shell, header, body)
    given = decode(header["given"], body) if "given" in header else [None]
    try:
        with trace.quiet(), drivers.time_limit(header["seconds"]):
            if functions not in _traced:
                _traced[functions] = trace.Traced(functions, trace.of_a_student)
            traced = _traced[functions]
            runs = [traced.run(driver, case, one) for one in given]
    except BaseException as stopped:
        return {"untraceable": type(stopped).__name__[:100]}, ()
    made: list[Any] = [[run.events, None if run.error else run.values, run.line] for run in runs]
    if "given" not in header:
        made += [traced.statements, traced.sites, traced.defaults]
    tree, buffers = encode(made)
    return {"runs": tree}, buffers


def _lent(target, home):
    """The course's function for an earlier exercise, "neurons.preactivation/0", as the supervisor computes it.

    home : (module, its text, name) of the function; no text for one that stands nowhere in the course.
    """
    withheld: Any = importlib.import_module("autograder.withheld")
    module, text, name = home

    def function(*args, **kwargs):
        if text and any(map(callable, (*args, *kwargs.values()))):
            # A function cannot be sent: what is called with one runs here
            return getattr(_module(module, text), name)(*args, **kwargs)
        return withheld.call(target, list(args), kwargs)

    return function


@functools.cache
def _module(name, text):
    """A module of the course, made of its text."""
    made = types.ModuleType(f"dlcourse.{name}")
    made.__package__ = made.__name__.rpartition(".")[0]
    exec(compile(text, f"dlcourse/{name.replace('.', '/')}.py", "exec"), made.__dict__)
    return made


def _question(*question):
    """What the supervisor answers to a question of a case that has some."""
    withheld: Any = importlib.import_module("autograder.withheld")
    return withheld.call(QUESTION, list(question), {})


def done(shell: Any, work: Channel, header: dict, body: Any) -> tuple:
    """The end of a check that was asked apart."""
    return {}, ()


def _caller(work, number):
    """What a withheld function of the course does instead: ask the supervisor, who may refuse."""

    def call(name, args, kwargs):
        tree, buffers = encode((args, kwargs))
        with _no_alarm():
            work.send({"call": name, "value": tree, "id": number}, buffers)
            header, body = work.receive()
        if header.get("withheld"):
            raise drivers.Withheld
        if "error" in header:
            raise _error(*header["error"])
        return decode(header["value"], body, {"n": course_tuple})

    return call


@contextlib.contextmanager
def _no_alarm():
    """The alarm waits for the whole answer: what is left of one would be taken for the next request."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _error(name, text):
    kind = drivers.WrongAnswer if name == "WrongAnswer" else getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        return kind(text)
    return RuntimeError(f"{name}: {text}")


def _text(error):
    try:
        return str(error)
    except BaseException:
        return ""


if __name__ == "__main__":
    sys.path[:] = [path for path in sys.path if path]
    if sys.argv[1] == "--alone":
        alone(sys.argv[2])
    else:
        main(int(sys.argv[1]))
