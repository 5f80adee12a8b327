"""The supervisor's side of the walls: what the sandbox holds, how it is started, how a child of it is asked and ended.

With bubblewrap the zygote sees: a Python and the C library, read-only; the packages of the environment that runs here, or
of the one that is named; the kit of the assignment (the course's package with the asked-for functions withheld, and the
part of the checks that calls answers); nothing else: no home, no network, no exercises. Each child then gets
its own namespaces and empty file systems (`walls`).
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import inspect
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import textwrap
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import dlcourse

from ...checks import drivers
from ...checks.exercise import get_exercise
from ...checks.notebook import visible_cases
from ...checks.withheld import doors
from ...errors import EngineFault, NoSandbox
from ..scratch import Scratch
from . import calls, groups, link
from .environment import Environment, find_environment
from .link import START_SECONDS
from .protocol import Channel, Closed, ProtocolError, Silence, encode

if TYPE_CHECKING:
    from ..tasks import Settings

NOBODY = 65534
# The child is the first process of its namespace: the kernel lets none of these through from inside (pid_namespaces(7)).
# The attendant says itself when it has sent one
FROM_OUTSIDE = {getattr(signal, name, 0) for name in ("SIGKILL", "SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT")}
# Where packages stand that are installed from elsewhere
LINKED = "/site/linked"
SHORT_OF_MEMORY = "is the machine short of memory? See its kernel's log, and give fewer workers"
# Beside the shared libraries
SYSTEM = (
    *(
        "/usr/lib/locale",
        "/usr/share/locale/locale.alias",
        "/usr/share/zoneinfo",
        "/usr/share/fonts",
        "/usr/share/fontconfig",
    ),
    *("/etc/ld.so.cache", "/etc/fonts", "/etc/localtime", "/etc/alternatives"),
)
# What the lines with `!` of honest notebooks call
COMMANDS = (  # noqa: SIM905
    "sh bash env ls cat head tail wc echo pwd date cp mv rm mkdir touch grep sed sort uniq cut tr find uname which sleep true false"
).split()
INSTALL = (
    "install bubblewrap (Debian and Ubuntu: apt install bubblewrap; Fedora: dnf install bubblewrap) on Linux with user "
    "namespaces switched on, or choose the weaker mode by hand: --isolation process (every grade will say so)"
)


# --- the kit --------------------------------------------------------------------------------------------------------


def write_kit(folder: Path, names: Collection[str]) -> None:
    """Write what the sandbox knows of the course for these exercises: no reference, no check, no expected value."""
    folder = Path(folder)
    package = folder / "autograder"
    for inner in ("checks", "engine", "engine/sandbox", "drivers"):
        (package / inner).mkdir(parents=True)
        (package / inner / "__init__.py").touch()
    (package / "__init__.py").write_text(_STUB, encoding="utf-8")
    (package / "withheld.py").write_text(_WITHHELD, encoding="utf-8")
    _write_cases(package, names)
    here = Path(__file__).resolve().parents[2]
    for name in (
        "checks/drivers.py",
        "checks/limits.py",
        "checks/trace.py",
        "checks/uses.py",
        *(f"engine/sandbox/{name}.py" for name in ("calls", "inside", "link", "meter", "protocol", "walls")),
    ):
        _copy_compiled(here / name, package / name)
    shutil.copy(here / "engine/sandbox/calls.txt", package / "engine/sandbox/calls.txt")
    own: dict[str, dict[str, Any]] = {}
    for name in names:
        driver = get_exercise(name).driver
        if driver.__module__ != drivers.__name__:
            own.setdefault(get_exercise(name).slug, {})[driver.__name__] = driver
    for slug, functions in own.items():
        sources = "\n\n".join(inspect.getsource(function) for function in functions.values())
        (package / "drivers" / f"{slug}.py").write_text(_DRIVERS + sources, encoding="utf-8")
    _write_course(folder / "dlcourse", withheld_names(names))


def _write_cases(package, names):
    """The inputs of the visible cases, for cells that ask for them; none that is more than plain data."""
    index: dict[str, Any] = {}
    body = b""
    for name in names:
        for case, values in visible_cases(get_exercise(name)).items():
            tree, buffers = encode(_by_seeds(values))
            if _is_plain(tree):
                made = b"".join(buffers)
                index.setdefault(name, {})[case] = [tree, len(body), len(made)]
                body += made
    (package / "cases.json").write_text(json.dumps(index), encoding="utf-8")
    (package / "cases.bin").write_bytes(body)


def _by_seeds(value):
    """The inputs of a case with `Rng` for every generator among them, which is new."""
    if isinstance(value, np.random.Generator):
        seeds: Any = value.bit_generator.seed_seq
        return drivers.Rng(seeds.entropy)
    return tuple(map(_by_seeds, value)) if type(value) is tuple else value


def _is_plain(tree):
    """Whether an encoded value holds nothing that only its name is left of."""
    return not isinstance(tree, list) or (tree[:1] != ["o"] and all(map(_is_plain, tree)))


def withheld_names(names: Iterable[str]) -> set[str]:
    """{"module.function"} of the course that answer these exercises, or give the answer away in one call."""
    found: set[str] = set()
    for name in names:
        found |= doors(name)
        exercise = get_exercise(name)
        for function in (*exercise.functions, *exercise.solutions):
            package, _, module = function.__module__.rpartition(".")
            if package == "dlcourse":
                found.add(f"{module}.{function.__name__}")
    return found


def _write_course(target, withheld):
    source = Path(dlcourse.__file__).parent
    for path in (*source.glob("*.py"), *source.glob("kernels/*.py"), *source.glob("networks/*.py")):
        module = ".".join(path.relative_to(source).with_suffix("").parts)
        asked = {name.removeprefix(f"{module}."): name for name in withheld if name.startswith(f"{module}.")}
        if path.parent.name == "kernels":
            # They write into their arguments, which no call elsewhere can; a fast twin names its formula first
            asked = dict.fromkeys([*asked, *_twins_of(path, withheld)], "")
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if asked:
            copy.write_text(_without(path.read_text(encoding="utf-8"), asked), encoding="utf-8")
        else:
            _copy_compiled(path, copy)
    shutil.copytree(source / "data", target / "data")


def course_source(module: str, exercise: str) -> str:
    """The text of a module of the course without what answers this exercise."""
    path = Path(dlcourse.__file__).parent / f"{module.replace('.', '/')}.py"
    asked = [name.removeprefix(f"{module}.") for name in withheld_names([exercise]) if name.startswith(f"{module}.")]
    return _without(path.read_text(encoding="utf-8"), dict.fromkeys(asked, ""))


def _copy_compiled(path, copy):
    """The module and its bytecode, which is good for as long as the file has the same time: the sandbox writes none."""
    shutil.copy2(path, copy)
    compiled = Path(importlib.util.cache_from_source(str(path)))
    if compiled.is_file():
        target = Path(importlib.util.cache_from_source(str(copy)))
        target.parent.mkdir(exist_ok=True)
        shutil.copy(compiled, target)


def _twins_of(path, withheld):
    """The functions of a file of kernels that compute one of the withheld formulas."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            formula = re.match(r"`([\w.]+)`", ast.get_docstring(node) or "")
            if formula and (formula[1] in withheld or f"{formula[1]}_grad" in withheld):
                yield node.name


def _without(text, names):
    """The module's text without the bodies of the functions in {function or Class.method: "module.function"}.

    A function calls back instead; a method, or one whose name there is "", is refused.
    """
    lines, out = text.splitlines(), []
    kept: int | None = 0
    for node, name, indent in _functions(ast.parse(text)):
        if name in names:
            documented = ast.get_docstring(node) is not None
            instead = _call_back(node, "" if indent else names[name])
            node.body = [*node.body[:documented], *ast.parse(instead).body]
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            out += [*lines[kept : first - 1], *textwrap.indent(ast.unparse(node), indent).splitlines()]
            kept = node.end_lineno
    return "\n".join([*out, *lines[kept:]]) + "\n"


def _functions(tree):
    """(node, name, indentation) of the functions of a module and of the methods of its classes, in their order."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node, node.name, ""
        elif isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    yield method, f"{node.name}.{method.name}", " " * method.col_offset


def _call_back(node, name):
    if not name:
        return "from autograder.checks.drivers import Withheld\nraise Withheld"
    given = node.args
    positional = [argument.arg for argument in given.posonlyargs + given.args]
    positional += [f"*{given.vararg.arg}"] if given.vararg else []
    named = [f"{argument.arg}={argument.arg}" for argument in given.kwonlyargs]
    named += [f"**{given.kwarg.arg}"] if given.kwarg else []
    return (
        "from autograder import withheld\n"
        f"return withheld.call({name!r}, [{', '.join(positional)}], dict({', '.join(named)}))"
    )


_STUB = '''"""Stands for the checks while an assignment is graded: the verdicts are made elsewhere, from other numbers."""


import json
from pathlib import Path


def check(name, *functions, hidden=False):
    """Nothing: the cell's check is made outside."""


def solution(name):
    """Nothing: it is shown to those whose answer is right, in their own notebook."""


def case(exercise, name):
    """The inputs of a visible case, as in a student's notebook."""
    from numpy.random import default_rng

    from .engine.sandbox.protocol import course_tuple, decode

    here = Path(__file__).parent
    found = json.loads((here / "cases.json").read_text(encoding="utf-8")).get(exercise, {}).get(name)
    if found is None:
        raise LookupError(f"the case {name!r} of {exercise} is not there while an assignment is graded")
    tree, start, size = found
    body = (here / "cases.bin").read_bytes()[start : start + size]
    return decode(tree, body, {"n": course_tuple, "rng": default_rng})
'''

_WITHHELD = '''"""The functions of the course that this assignment asks for are not here: the grader may compute them, or refuse."""

from .checks.drivers import Withheld


def call(name, args, kwargs):
    """The value of the course's function, computed elsewhere; replaced while a cell or a case runs."""
    raise Withheld
'''

_DRIVERS = '''"""How some exercises are called."""

import numpy as np

from autograder.checks.drivers import *
from autograder.checks.drivers import Named, WrongAnswer, kind, resolve, steps


'''


# --- what the sandbox sees ------------------------------------------------------------------------------------------


def system_binds() -> list[str]:
    """What Python needs of the system: shared libraries, languages, time zones, fonts, and the commands of a `!` line."""
    shown: list[str] = []
    for path in ("/lib", "/lib64", "/lib32", "/bin"):
        if os.path.islink(path):
            shown += ["--symlink", os.readlink(path), path]
    several = sysconfig.get_config_var("MULTIARCH")
    for folder in ("/lib", "/usr/lib", "/usr/local/lib"):
        # Debian's folder for one kind of processor; elsewhere the libraries stand in lib64, and lib is Python's and others'
        if several and os.path.isdir(f"{folder}/{several}") and not os.path.islink(folder):
            shown += ["--ro-bind", f"{folder}/{several}", f"{folder}/{several}"]
    for path in ("/lib64", "/lib32", "/usr/lib64", "/usr/lib32"):
        if os.path.isdir(path) and not os.path.islink(path):
            shown += ["--ro-bind", path, path]
    for path in SYSTEM:
        if os.path.exists(path):
            shown += ["--ro-bind", path, path]
    for name in COMMANDS:
        path = f"/usr/bin/{name}"
        if os.path.exists(path):
            # Of a link what it leads to: its target stands in no folder that is here
            shown += ["--ro-bind", os.path.realpath(path), path]
        elif os.path.exists(f"/bin/{name}") and not os.path.islink("/bin"):
            shown += ["--ro-bind", os.path.realpath(f"/bin/{name}"), f"/bin/{name}"]
    return shown


def bubblewrap(kit: Path, fd: int, environment: Environment) -> list[str]:
    """The command that starts the zygote behind bubblewrap."""
    prefix, version = environment.base, environment.name
    command = ["bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if os.geteuid() == 0:
        # Mounts made by root may lie under a home that only root can enter; the zygote then gives root up for good
        command += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        command += ["--unshare-user"]
    command += ["--hostname", "sandbox", "--new-session", "--clearenv", "--perms", "1777", "--tmpfs", "/tmp"]
    # A folder that is made on the way to another is closed to other users
    for path in (
        "/site",
        LINKED,
        "/etc",
        "/usr",
        "/usr/bin",
        "/usr/lib",
        "/usr/share",
        "/usr/share/locale",
        "/usr/local",
        "/usr/local/lib",
    ):
        command += ["--perms", "0755", "--dir", path]
    command += system_binds()
    home = "/usr" if prefix == "/usr" else "/py"
    if home == "/py":
        command += ["--ro-bind", prefix, "/py"]
    else:
        for path in (f"/usr/bin/{version}", f"/usr/lib/{version}", f"/usr/lib64/{version}"):
            command += ["--ro-bind-try", path, path]
    # Packages beside the standard library may be those of another environment
    hidden = {
        f"{prefix}/lib/{version}/site-packages",
        f"{prefix}/lib/{version}/dist-packages",
        f"{prefix}/lib/python3/dist-packages",
        "/usr/lib/python3/dist-packages",
        f"/usr/local/lib/{version}/dist-packages",
        f"/usr/local/lib/{version}/site-packages",
    }
    for path in sorted(hidden):
        if os.path.isdir(path):
            inside = path.replace(prefix, home, 1) if path.startswith(prefix + "/") else path
            command += ["--tmpfs", inside]
    sites = package_binds(environment)
    command += [*sites, "--ro-bind", str(kit), "/kit", "--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
    places = [f"/site/{number}" for number in range(len(environment.folders))]
    variables = _environment(f"{home}/bin:/usr/bin:/bin", "/tmp", ":".join(["/kit", *places, LINKED]))
    if home == "/py":
        variables |= {"PYTHONHOME": "/py", "LD_LIBRARY_PATH": "/py/lib"}
    for name, value in variables.items():
        command += ["--setenv", name, value]
    command += ["--chdir", "/kit", "--remount-ro", "/"]
    return [
        *command,
        f"{home}/bin/{version}",
        "-B",
        "-s",
        "-S",
        "-P",
        "-m",
        "autograder.engine.sandbox.inside",
        str(fd),
    ]


def package_binds(environment: Environment) -> list[str]:
    """Every package of the environment, without what holds solutions."""
    shown: list[str] = []
    for number, folder in enumerate(environment.folders):
        shown += ["--ro-bind", folder, f"/site/{number}"]
        for path in environment.withheld:
            if path.startswith(folder + os.sep):
                place = f"/site/{number}{path.removeprefix(folder)}"
                shown += ["--tmpfs", place] if os.path.isdir(path) else ["--ro-bind", os.devnull, place]
    for name, path in environment.linked.items():
        shown += ["--ro-bind", path, f"{LINKED}/{name}"]
    return shown


def _environment(path, home, python_path):
    return {
        "PATH": path,
        "HOME": home,
        "LANG": "C.UTF-8",
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": f"{home}/matplotlib",
        "IPYTHONDIR": f"{home}/ipython",
        "PYTHONPATH": python_path,
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        # A course's own test cells may ask whether nbgrader is grading
        "NBGRADER_EXECUTION": "autograde",
        "JPY_PARENT_PID": "0",
    }


# --- zygote and child -----------------------------------------------------------------------------------------------


def open_sandbox(
    names: Collection[str], isolation: str = "bwrap", plots: bool = True, environment: str = ""
) -> Zygote | Fresh:
    """What gives children for one set of exercises: a warm `Zygote`, or a `Fresh` one where nothing is forked."""
    return Fresh(names, plots) if isolation == "fresh" else Zygote(names, isolation, plots, environment)


def _new_kit(folder, names):
    kit = folder / "kit"
    kit.mkdir()
    write_kit(kit, names)
    return kit


def _warm(names, plots):
    """What a child should not have to load: packages for plots, those that the exercises' topics call."""
    return {"plots": plots, "topics": sorted({get_exercise(name).slug for name in names})}


def _python_path(kit, environment):
    return os.pathsep.join([str(kit), *environment.folders])


class Zygote:
    """One warm process behind the walls, for one set of exercises; `child()` gives a fresh fork of it.

    plots : import Matplotlib as well, which takes as long as all the rest. environment : as in `Settings`.
    """

    def __init__(self, names, isolation="bwrap", plots=True, environment=""):
        self.isolation, self.warm = isolation, _warm(names, plots)
        self.walled = isolation == "bwrap"
        if isolation not in ("bwrap", "process"):
            raise ValueError(f"expected isolation 'bwrap' or 'process', got {isolation!r}")
        if not hasattr(os, "fork"):
            raise NoSandbox("expected Linux or macOS, where processes fork", "on Windows grade in WSL")
        if self.walled and shutil.which("bwrap") is None:
            raise NoSandbox("bubblewrap (the command bwrap) was not found", INSTALL)
        if self.walled and not calls.can_filter():
            raise NoSandbox(
                f"expected a processor whose system calls are known here (x86_64, aarch64), got {os.uname().machine}"
            )
        self.environment = find_environment(environment)
        self.scratch = Scratch()
        self.folder = self.scratch.path
        try:
            # Another user than the owner reads the kit
            self.folder.chmod(0o755)
            self._start(_new_kit(self.folder, names))
        except BaseException:
            self.close()
            raise

    def _start(self, kit):
        groups.remove_stale()
        ours, theirs = socket.socketpair()
        self.control = Channel(ours)
        scratch = self.folder / "scratch"
        scratch.mkdir(mode=0o700)
        if self.walled:
            command, environment = bubblewrap(kit, theirs.fileno(), self.environment), {}
        else:
            path = _python_path(kit, self.environment)
            environment = _environment(os.environ.get("PATH", ""), str(scratch), path)
            command = [
                self.environment.python,
                "-B",
                "-s",
                "-P",
                "-m",
                "autograder.engine.sandbox.inside",
                str(theirs.fileno()),
            ]
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        try:
            self.process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                env=environment | ({"PATH": os.environ.get("PATH", "")} if self.walled else {}),
                cwd=kit,
                stdin=subprocess.DEVNULL,
                stdout=self.log,
                stderr=self.log,
                start_new_session=True,
            )
        finally:
            theirs.close()
        uid = NOBODY if self.walled and os.geteuid() == 0 else None
        deadline = time.monotonic() + START_SECONDS
        try:
            self.control.send(self.warm | {"uid": uid, "walls": self.walled, "folder": str(scratch)})
            self.control.receive(deadline)
        except (Closed, Silence, ProtocolError) as error:
            said = self._said()
            if self.walled and ("bwrap:" in said or "namespace" in said):
                raise NoSandbox(
                    f"the sandbox could not be built here ({said.strip().splitlines()[-1]})", INSTALL
                ) from None
            raise EngineFault(f"the sandbox did not start ({type(error).__name__}): {said.strip()[-500:]}") from None

    def _said(self):
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(2)
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def child(self, settings: Settings, files: dict) -> Child:
        """A fresh child with these files in its folder."""
        return Child(self, settings, files)

    def alive(self) -> bool:
        return self.process.poll() is None

    def close(self) -> None:
        """End the zygote and every child of it, and remove its files."""
        if hasattr(self, "process"):
            self.control.close()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
            self.log.close()
        elif hasattr(self, "control"):
            self.control.close()
        self.scratch.close()


class Fresh:
    """Gives children that are separate processes: no walls and no forks, so it works on every system.

    The code runs with the user's own rights, so this is for a user's own notebook, never for a class.
    """

    walled = False

    def __init__(self, names, plots=True):
        self.warm = _warm(names, plots)
        self.scratch = Scratch()
        self.folder = self.scratch.path
        try:
            self.kit = _new_kit(self.folder, names)
        except BaseException:
            self.close()
            raise

    def child(self, settings: Settings, files: dict) -> Child:
        """A fresh child with these files in its folder."""
        return FreshChild(self, settings, files)

    def alive(self) -> bool:
        return True

    def close(self) -> None:
        self.scratch.close()


class Died(Exception):
    """The child has ended, or was ended: `why` is "time", "memory", "output" or "crash", `how` what is known besides.

    begun : whether the step that ends with this has begun, or no child was left to run it.
    """

    def __init__(self, why, how="", begun=True):
        self.why, self.how, self.begun = why, how, begun
        super().__init__(f"{why} {how}")


class Used(NamedTuple):
    """What a child has used: processor seconds, peak MB; what measured it ("control group", "processes", "" for nothing).

    refused : {system call: how often it was refused}, None where that is not counted.
    """

    cpu: float = 0.0
    memory: float = 0.0
    limited_by: str = ""
    refused: dict[str, int] | None = None


def _group(settings):
    """A control group for the next child, None where this machine has none for us."""
    folder = groups.home()
    if folder is None:
        return None
    try:
        return groups.Group(folder, settings)
    except OSError:
        return None


class Child:
    """One fork of the zygote with one submission in it."""

    def __init__(self, zygote, settings, files):
        self.settings, self.number, self.usage = settings, 0, None
        self.group = _group(settings) if zygote.walled else None
        status, status_there = socket.socketpair()
        work, work_there = socket.socketpair()
        self.status, self.work = Channel(status), Channel(work)
        try:
            given = [status_there.fileno(), work_there.fileno()]
            given += [] if self.group is None else [self.group.entrance]
            try:
                socket.send_fds(zygote.control.sock, [b"."], given)
            except OSError:
                raise EngineFault(f"the sandbox has gone: {zygote._said().strip()[-500:]}") from None
            finally:
                status_there.close()
                work_there.close()
            self.status.send(
                {
                    "memory": settings.memory,
                    "disk": settings.disk,
                    "processes": settings.processes if zygote.walled else 0,
                    "cpu": settings.total,
                }
            )
            try:
                self._hand_over(files)
            except (Closed, Silence, ProtocolError):
                raise EngineFault(f"a child did not start: {self._fault(zygote)}") from None
            if self.group is not None and not self.group.entered():
                # A group that nobody can enter holds nothing; what /proc tells is then the measure
                self.group.close()
                self.group = None
        except BaseException:
            self.close()
            raise

    def _hand_over(self, files):
        """Give the child its files, and wait until it is ready."""
        places, start = [], 0
        for name, content in files.items():
            places.append([name, start, len(content)])
            start += len(content)
        deadline = time.monotonic() + START_SECONDS
        self.work.send({"files": places}, list(files.values()), deadline)
        self.work.receive(deadline)

    def _fault(self, zygote):
        try:
            header, _ = self.status.receive(time.monotonic() + 5)
            return header.get("fault") or str(header)
        except (Closed, Silence, ProtocolError):
            return zygote._said().strip()[-500:] or "no reason is known"

    def ask(
        self, request: dict, buffers: Iterable[bytes] = (), seconds: float = 0.0, calls: Callable | None = None
    ) -> Any:
        """The reply to one request; `Died` where the child ends, keeps silent for so many seconds, or sends nonsense.

        calls : answers what the child asks back: calls(name, tree, body) -> (header, buffers).
        """
        # What an answer wrote in advance cannot know the number
        self.number = int.from_bytes(os.urandom(6), "big")
        deadline = time.monotonic() + seconds
        try:
            self.work.send(request | {"id": self.number}, buffers, deadline)
            while True:
                header, body = self.work.receive(deadline)
                if header.get("id") != self.number:
                    raise ProtocolError("a reply to another request")
                if "call" not in header:
                    return header, body
                if calls is None:
                    raise ProtocolError("a call that this case does not have")
                answer, answered = calls(header["call"], header.get("value"), body)
                self.work.send(answer, answered, deadline)
        except Silence:
            raise Died("time", "no answer in time") from None
        except Closed:
            raise self._ended() from None
        except ProtocolError as error:
            raise Died("output" if "most" in str(error) else "crash", str(error)) from None

    def _ended(self):
        """Why the child has ended: a `Died` where that is the student's doing, an `EngineFault` where nothing proves it."""
        self._finish(10)
        if self.usage is None:
            return EngineFault(f"what watches the student's code was ended from outside; {SHORT_OF_MEMORY}")
        how = self.usage.get("ended")
        if how == "memory":
            return Died("memory", f"more than {self.settings.memory} MB")
        if how == "time":
            return Died("time", "too much processor time")
        if how == "fault":
            return EngineFault(self.usage.get("fault", ""))
        if isinstance(how, int) and how < 0:
            if -how == signal.SIGXCPU or (-how == signal.SIGKILL and self.usage.get("cpu", 0.0) > self.settings.total):
                return Died("time", "too much processor time")
            name = signal.Signals(-how).name if -how in set(signal.Signals) else f"signal {-how}"
            if -how in FROM_OUTSIDE and self.settings.isolation != "fresh":
                return EngineFault(f"the student's code was ended from outside ({name}); {SHORT_OF_MEMORY}")
            return Died("crash", f"ended by {name}")
        return Died("crash", f"ended with status {how}" if isinstance(how, int) else "ended")

    def _finish(self, seconds):
        if self.usage is None:
            with contextlib.suppress(Closed, Silence, ProtocolError):
                self.usage, _ = self.status.receive(time.monotonic() + seconds)
                if self.group is not None:
                    used = self.group.used()
                    if used.pop("killed", 0) and self.usage["ended"] != "told":
                        self.usage["ended"] = "memory"
                    self.usage |= used

    def close(self) -> Used:
        """End the child and everything that it has started; what it used."""
        self.work.close()
        with contextlib.suppress(Closed):
            self.status.send({"end": True})
        self._finish(10)
        self.status.close()
        usage = self.usage or {}
        limited_by = "control group" if self.group is not None else "processes" if usage.get("measured") else ""
        if self.group is not None:
            self.group.close()
            self.group = None
        return Used(usage.get("cpu", 0.0), usage.get("memory", 0.0), limited_by, usage.get("refused"))


class FreshChild(Child):
    """A process started from nothing with one notebook in it."""

    def __init__(self, fresh, settings, files):
        self.settings, self.number, self.usage = settings, 0, None
        scratch = Path(tempfile.mkdtemp(dir=fresh.folder))
        environment = _environment(
            os.environ.get("PATH", ""), str(scratch), _python_path(fresh.kit, find_environment())
        )
        # Without these Windows opens no socket
        environment |= {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
        inside = [*("-B", "-s", "-P"), "-m", "autograder.engine.sandbox.inside", "--alone"]
        nothing = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        try:
            self.process, sock = link.start([sys.executable, *inside], environment, cwd=fresh.kit, **nothing)
        except TimeoutError as error:
            raise EngineFault(f"a child did not start: {error}") from None
        self.work = Channel(sock)
        limits = {"memory": settings.memory, "disk": settings.disk, "cpu": settings.total}
        try:
            self.work.send(fresh.warm | {"limits": limits, "home": str(scratch / "work")})
            self._hand_over(files)
        except (Closed, Silence, ProtocolError):
            self.close()
            usage: dict[str, Any] = self.usage or {}
            raise EngineFault(f"a child did not start: it ended with status {usage.get('ended')}") from None
        except BaseException:
            self.close()
            raise

    def _finish(self, seconds):
        if self.usage is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
            self.usage = {"ended": self.process.poll()}

    def close(self) -> Used:
        """End the child and everything that it has started; what it used is not known."""
        self.work.close()
        link.end(self.process)
        self._finish(10)
        return Used()
