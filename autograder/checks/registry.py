"""Exercises from outside this package: those of a course folder, of a released assignment, of installed packages.

A course's files are kept as bytes and imported from memory, as the package ``course_exercises``: what was read is what runs,
what the version counts, and what travels to the processes and machines that judge. An installed package names a module of
exercises by the entry point ``dlcourse.exercises``; the entry's name is the topic.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import json
import linecache
import os
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import CourseError

PACKAGE = "course_exercises"
GROUP = "dlcourse.exercises"
# In a course directory; beside a released notebook
FOLDER, RELEASED, RELEASED_NOTEBOOKS = "exercises", ".checks.json", "_released"
MOST_FILES, MOST_BYTES = 1000, 50_000_000
_LOADER = b"from autograder.checks.released import exercises_of_topic\n\nEXERCISES = exercises_of_topic(__name__)\n"


@dataclass(frozen=True)
class Sources:
    """Files that define exercises, {path in the folder: content}; `topic.py` or `topic/…` for each topic."""

    files: dict[str, bytes] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """Another one for other files; "" for none."""
        made = hashlib.sha256()
        for name in sorted(self.files):
            made.update(repr(name).encode() + hashlib.sha256(self.files[name]).digest())
        return made.hexdigest() if self.files else ""

    @cached_property
    def topics(self) -> tuple[str, ...]:
        """Names of the modules that hold exercises, in alphabetical order."""
        tops = {name.partition("/")[0] for name in self.files if name.endswith(".py")}
        names = {top.removesuffix(".py") for top in tops}
        return tuple(sorted(name for name in names if name.isidentifier() and not name.startswith("_")))


def read_sources(folder: Path) -> Sources:
    """The files below a folder, hidden and compiled ones left out; none where there is no such folder."""
    files: dict[str, bytes] = {}
    left = MOST_BYTES
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") or part == "__pycache__" for part in parts) or not path.is_file():
            continue
        try:
            data = path.read_bytes()
        except OSError as error:
            raise CourseError(f"{path} cannot be read ({error.strerror})") from None
        left -= len(data)
        files["/".join(parts)] = data
        if left < 0 or len(files) > MOST_FILES:
            raise CourseError(
                f"{folder} holds more than {MOST_FILES} files or {MOST_BYTES // 10**6} MB: it is for the modules of your "
                "exercises and small data; move the rest elsewhere"
            )
    return Sources(files)


def released_sources(data: bytes, where: str = "") -> Sources:
    """What a file of a released assignment holds (`checks.released`): its topics, and its notebooks as they were released."""
    try:
        told = json.loads(data)
        files = {f"{RELEASED_NOTEBOOKS}/{name}.ipynb": text.encode() for name, text in told["notebooks"].items()}
        for topic, exercises in told["topics"].items():
            described = {"format": told["format"], "exercises": exercises}
            files |= {f"{topic}.py": _LOADER, f"{topic}.json": json.dumps(described).encode()}
        return Sources(files)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CourseError(
            f"{where or 'the file of checks'} cannot be read: fetch the assignment again, and copy this file from it"
        ) from None


def find_sources(folder: Path) -> Sources:
    """The exercises for a notebook in this folder: of the course directory that it lies in, else of the files beside it."""
    for place in (folder, *folder.parents):
        if (place / "nbgrader_config.py").is_file() and (place / FOLDER).is_dir():
            return read_sources(place / FOLDER)
    found: dict[str, bytes] = {}
    for path in sorted(folder.glob(f"*{RELEASED}")):
        found |= released_sources(path.read_bytes(), path.name).files
    return Sources(found)


# --- the ones in use ------------------------------------------------------------------------------------------------


_current = Sources()
_kept: list[Any] = []


def kept(cached: Any) -> Any:
    """Above `functools.cache`, on what follows from exercises: forgotten when others come into use."""
    _kept.append(cached)
    return cached


def current() -> Sources:
    """The files whose exercises are known in this process, beside those of installed packages."""
    return _current


def use(sources: Sources) -> None:
    """Have the exercises of these files, and of no others, known in this process."""
    global _current
    if sources.digest == _current.digest:
        return
    _current = sources
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]
    for cached in _kept:
        cached.cache_clear()


@contextlib.contextmanager
def using(sources: Sources) -> Iterator[None]:
    """In the block the exercises of these files are known."""
    before = _current
    use(sources)
    try:
        yield
    finally:
        use(before)


@functools.cache
def installed() -> dict[str, importlib.metadata.EntryPoint]:
    """{topic: entry point} of the packages installed here."""
    return {one.name: one for one in importlib.metadata.entry_points(group=GROUP)}


def topics() -> tuple[str, ...]:
    """The topics from outside this package; those of the course folder come first."""
    return tuple(dict.fromkeys((*_current.topics, *sorted(installed()))))


def version() -> str:
    """Another one for other exercises from outside this package; "" where there are none."""
    made = hashlib.sha256(_current.digest.encode())
    for name, entry in sorted(installed().items()):
        made.update(repr((name, entry.value)).encode())
        for place in installed_places(entry):
            made.update(read_sources(place).digest.encode() if place.is_dir() else place.read_bytes())
    return made.hexdigest() if topics() else ""


def installed_places(entry: importlib.metadata.EntryPoint) -> list[Path]:
    """The folders of an installed package of exercises, or the file of its one module."""
    found = importlib.util.find_spec(entry.module.partition(".")[0])
    if found is None:
        return []
    return [Path(place) for place in found.submodule_search_locations or [found.origin or ""] if place]


def holds_exercises(module: str) -> bool:
    """Whether a module's functions are the teacher's: of this package's exercises, or of one from outside."""
    tops = (PACKAGE, *(entry.module.partition(".")[0] for entry in installed().values()))
    return module.startswith("autograder.exercises.") or module.partition(".")[0] in tops


def load(topic: str) -> ModuleType | list | None:
    """The module of a topic from outside this package, or the list that an entry point names; None where there is none.

    Raises `CourseError` where it cannot be imported, with the place in it.
    """
    try:
        if topic in _current.topics:
            return importlib.import_module(f"{PACKAGE}.{topic}")
        return installed()[topic].load() if topic in installed() else None
    except CourseError:
        raise
    except Exception as error:
        raise CourseError(f"the exercises of {topic!r} cannot be imported: {_said(error)}") from error


def _said(error):
    """An error of a teacher's module in one line, with the place in that module."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename.strip('<>')}, line {error.lineno}: {error.msg}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith(f"<{FOLDER}/") or "site-packages" in frame.filename
    ]
    return f"{frames[-1].filename.strip('<>')}, line {frames[-1].lineno}: {text}" if frames else text


def data(name: str) -> bytes:
    """One of the files in use."""
    return _current.files[name]


# --- imported from memory -------------------------------------------------------------------------------------------


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        top, _, rest = name.partition(".")
        if top != PACKAGE:
            return None
        inner = rest.replace(".", "/")
        for file in (f"{inner}/__init__.py" if inner else "__init__.py", f"{inner}.py"):
            if file in _current.files:
                return self._spec(name, file)
        # A folder without __init__.py, and the top one
        if not inner or any(file.startswith(f"{inner}/") for file in _current.files):
            return self._spec(name, f"{inner}/__init__.py" if inner else "__init__.py")
        return None

    def _spec(self, name, file):
        loader = _Loader(file)
        made = importlib.machinery.ModuleSpec(
            name, loader, origin=loader.get_filename(name), is_package=file.endswith("__init__.py")
        )
        made.has_location = True
        return made


class _Loader(importlib.abc.SourceLoader):
    """Of one module; `pkgutil.get_data(__package__, "table.csv")` gives what lies beside it."""

    def __init__(self, file):
        self.file = file

    def get_filename(self, fullname: str) -> str:
        return f"<{FOLDER}/{self.file}>"

    def get_data(self, path: str | bytes) -> bytes:
        name = os.fsdecode(path).replace(os.sep, "/").replace("<", "").replace(">", "").removeprefix(f"{FOLDER}/")
        if name in _current.files:
            return _current.files[name]
        if name.endswith("__init__.py"):
            return b""
        raise OSError(f"there is no {FOLDER}/{name}")

    def exec_module(self, module: ModuleType) -> None:
        remember(self.get_filename(module.__name__), self.get_data(self.file).decode("utf-8", "replace"))
        super().exec_module(module)


def remember(filename: str, text: str) -> None:
    """Have tracebacks and `inspect` find the lines of code that stands in no file."""
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)


sys.meta_path.append(_Finder())
