"""The files of an archive that strangers have filled: a zip or a folder, within limits; nothing is unpacked by its own names.

A name in an archive only says whose file it is and what it is called. Where it is written is decided by the one who collects.
"""

from __future__ import annotations

import errno
import io
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import CourseError
from ..sandbox.protocol import clean
from .folder import DEPTH, FILE_BYTES, MB

# Members of an archive: a class of a thousand with fifty files each
MEMBERS = 50_000
_ENCRYPTED = 0x1
_UTF8 = 0x800
# Noise of the systems that made the archive
_NOISE = ("__MACOSX", ".DS_Store", "Thumbs.db", ".ipynb_checkpoints", "__pycache__")


@dataclass(frozen=True)
class Member:
    """One file: the archive's path and its own, "/" between its parts, and how to read it; problem : why it cannot be."""

    archive: str
    name: str
    read: Callable[[], bytes]
    problem: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.name.split("/"))


def members(path: Path) -> Iterator[Member]:
    """The files of a zip or a folder, sorted by name; raises `CourseError` where it is neither."""
    if path.is_dir():
        found = _of_folder(path)
    elif path.is_file() and zipfile.is_zipfile(path):
        found = _of_zip(path, path)
    else:
        raise CourseError(
            f"{path} is {'neither a zip nor a folder' if path.exists() else 'not there'}; expected what the learning "
            "platform gives to download"
        )
    yield from sorted(
        (one for one in found if not set(one.parts) & set(_NOISE) and not one.parts[-1].startswith("._")),
        key=lambda one: one.name,
    )


def inside(member: Member) -> list[Member]:
    """The files of a zip that lies in an archive, without the one folder that holds them all; raises `CourseError`."""
    found = [one for one in _of_zip(io.BytesIO(member.read()), member.name) if not set(one.parts) & set(_NOISE)]
    tops = {one.parts[0] if len(one.parts) > 1 else "" for one in found}
    if len(tops) != 1 or tops == {""}:
        return found
    return [replace(one, name="/".join(one.parts[1:])) for one in found]


def _of_zip(source, called):
    try:
        archive = zipfile.ZipFile(source)
        entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise CourseError(f"{called} cannot be read: {error}") from error
    if len(entries) > MEMBERS:
        raise CourseError(f"{called} holds {len(entries)} files; expected at most {MEMBERS}")
    for entry in entries:
        if not entry.is_dir():
            name = _decoded(entry)
            yield Member(str(called), name, _reader(archive, entry), _zip_problem(entry, name))


def _decoded(entry):
    """The name, with "/" as Windows' programs do not always write it, and as UTF-8 where macOS does not say that it is."""
    name = entry.filename
    if not entry.flag_bits & _UTF8:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = entry.filename
    return name.replace("\\", "/")


def _zip_problem(entry, name):
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "a link"
    if entry.flag_bits & _ENCRYPTED:
        return "encrypted"
    if entry.file_size > FILE_BYTES:
        return _too_large()
    return file_problem(name)


def _too_large():
    return f"larger than {FILE_BYTES // MB} MB"


def file_problem(name: str) -> str:
    """Why no file may be written under this name, "" where one may."""
    parts = name.split("/")
    if name.startswith("/") or {".", ".."} & set(parts) or parts[0].endswith(":"):
        return "its name leads out of the archive"
    if clean(name) != name or any(c in name for c in "\n\t"):
        return "its name is not plain text"
    if len(parts) > DEPTH + 2 or any(not part or len(part.encode()) > 200 for part in parts):
        return "its name is too long, or too deep"
    return ""


# zipfile's own for a wrong sum, a method it does not know or a password; the others are the methods'
_DAMAGE = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, zlib.error, lzma.LZMAError)


def _reader(archive, entry):
    def read():
        # Never more than the limit, whatever the header promises: a bomb is a small file with a large promise, or none
        try:
            with archive.open(entry) as file:
                data = file.read(FILE_BYTES + 1)
        except _DAMAGE as error:
            raise OSError(errno.EIO, f"damaged in the archive: {error}") from error
        if len(data) > FILE_BYTES:
            raise OSError(errno.EFBIG, _too_large())
        return data

    return read


def _of_folder(folder):
    count = 0
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            count += 1
            if count > MEMBERS:
                raise CourseError(f"{folder} holds more than {MEMBERS} files")
            path = Path(place) / name
            inner = path.relative_to(folder).as_posix()
            yield Member(str(folder), inner, _file_reader(path), _file_problem(path, inner))


def _file_problem(path, name):
    try:
        kind = path.lstat()
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if not stat.S_ISREG(kind.st_mode):
        return "a link, or no regular file"
    return _too_large() if kind.st_size > FILE_BYTES else file_problem(name)


def _file_reader(path):
    def read():
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            data = file.read(FILE_BYTES + 1)
        if len(data) > FILE_BYTES:
            raise OSError(errno.EFBIG, _too_large())
        return data

    return read
