"""The regular files of a folder that somebody else has filled: within limits, and no link followed."""

from __future__ import annotations

import contextlib
import errno
import fnmatch
import itertools
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..sandbox.protocol import clean

MB = 1_000_000
NOTEBOOK_BYTES = 20 * MB
FILE_BYTES = 20 * MB
TOTAL_BYTES = 50 * MB
FILES = 200
DEPTH = 8
ENTRIES = 10_000
# Decides about a late penalty, so nothing that lies beside it may crowd it out
TIMESTAMP = "timestamp.txt"
TIMESTAMP_BYTES = 10_000


def is_notebook(name: str) -> bool:
    """Whether this is a notebook's file on top of the folder."""
    return name.endswith(".ipynb") and "/" not in name


def counts(name: str) -> bool:
    """Whether points depend on this file, so that it must not be missing in silence."""
    return name == TIMESTAMP or is_notebook(name)


@dataclass
class Folder:
    files: dict = field(default_factory=dict)
    broken: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)
    problem: str = ""
    size: int = 0
    seen: int = 0


def read_folder(folder: Path, ignore: Iterable[str], links: bool = False) -> Folder:
    """The regular files under a folder; with `links` (the course's own folders) links are followed."""
    found = Folder()
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (0 if links else os.O_NOFOLLOW)
    try:
        handle = os.open(folder, flags)
    except OSError as error:
        found.problem = f"its folder cannot be opened ({error.strerror})"
        return found
    try:
        _walk(handle, "", found, ignore, links)
    except OSError as error:
        found.problem = f"its folder cannot be read ({error.strerror})"
    return found


def read_own_folder(folder: Path) -> dict[str, bytes]:
    """{relative name: content} of the regular files under a folder of the user's own, within the limits of a submission.

    Without hidden files, notebooks and what follows links; on every system.
    """
    found = Folder()
    folders = [Path(folder)]
    for inner in folders:
        try:
            paths = sorted(inner.iterdir())
        except OSError:
            continue
        for path in paths:
            if path.is_symlink() or path.name.startswith(".") or path.suffix in (".ipynb", ".pyc"):
                continue
            found.seen += 1
            if found.seen > FILES:
                return found.files
            if path.is_dir():
                if len(path.relative_to(folder).parts) < DEPTH and path.name != "__pycache__":
                    folders.append(path)
            elif path.is_file():
                with contextlib.suppress(OSError), path.open("rb") as file:
                    _read_file(file, os.fstat(file.fileno()), path.relative_to(folder).as_posix(), found)
    return found.files


def _walk(handle, prefix, found, ignore, links):
    """Read what is in an open folder; closes it."""
    try:
        for name in _names(handle):
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in ignore):
                continue
            found.seen += 1
            if found.seen > FILES:
                found.notes.append(f"more than {FILES} files were handed in; the rest was left out")
                return
            path = prefix + name
            if clean(name) != name or "\n" in name or "\t" in name:
                found.notes.append(f"the file {path!r} was left out: its name is not plain text")
                continue
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | (0 if links else os.O_NOFOLLOW)
            try:
                inner = os.open(name, flags, dir_fd=handle)
            except OSError as error:
                _left_out(found, path, "a link or nothing that can be read" if not links else error.strerror)
                continue
            kind = os.fstat(inner)
            if stat.S_ISDIR(kind.st_mode):
                if prefix.count("/") + 1 >= DEPTH:
                    os.close(inner)
                    _left_out(found, path, f"deeper than {DEPTH} folders")
                else:
                    if counts(path):
                        _left_out(found, path, "it is a folder")
                    _walk_inside(inner, path, found, ignore, links)
                continue
            with os.fdopen(inner, "rb") as file:
                _read_file(file, kind, path, found)
    finally:
        os.close(handle)


def _names(handle):
    """What lies in an open folder; first what counts: nothing that lies beside it can use up the room."""
    with os.scandir(handle) as entries:
        names = [entry.name for entry in itertools.islice(entries, ENTRIES + 1)]
    if len(names) > ENTRIES:
        raise OSError(errno.E2BIG, f"it holds more than {ENTRIES} files")
    return sorted(names, key=lambda name: (name != TIMESTAMP, not name.endswith(".ipynb"), name))


def _walk_inside(handle, path, found, ignore, links):
    try:
        _walk(handle, path + "/", found, ignore, links)
    except OSError as error:
        _left_out(found, path, f"cannot be read ({error.strerror})")


def _read_file(file, kind, path, found):
    if not stat.S_ISREG(kind.st_mode):
        return _left_out(found, path, "no regular file")
    limit = TIMESTAMP_BYTES if path == TIMESTAMP else NOTEBOOK_BYTES if is_notebook(path) else FILE_BYTES
    if kind.st_size > limit:
        return _left_out(
            found, path, f"larger than {limit // MB} MB" if limit >= MB else f"larger than {limit // 1000} kB"
        )
    if found.size + kind.st_size > TOTAL_BYTES:
        return _left_out(found, path, f"the submission is larger than {TOTAL_BYTES // MB} MB")
    try:
        data = file.read(limit)
    except OSError as error:
        return _left_out(found, path, f"cannot be read ({error.strerror})")
    found.size += len(data)
    found.files[path] = data
    return None


def _left_out(found, path, why):
    if counts(path):
        found.broken[path] = why
    found.notes.append(f"the file {path} was left out: {why}")
