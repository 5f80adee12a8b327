"""What lies in the folder that a student handed in."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .folder import Folder, is_notebook, read_folder

if TYPE_CHECKING:
    from ..store.course import Course


@dataclass(frozen=True)
class Submission:
    """What lies in the folder that a student handed in.

    notebooks : {name: content} of the .ipynb files on top. files : {relative name: content} of all others.
    timestamp : of `timestamp.txt`. digest : hash of everything. problem : why it cannot be read at all.
    broken : {notebook name: why it was not read}. notes : what was left out.
    """

    student: str
    notebooks: dict
    files: dict
    digest: str
    timestamp: str | None = None
    broken: dict = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problem: str = ""


def read_submission(course: Course, student: str, assignment: str) -> Submission:
    """What a student handed in, within limits; nothing but regular files is opened, and no link is followed."""
    folder = course.folder("submitted", student, assignment)
    if folder.parent.is_symlink():
        found = Folder(problem="the student's folder is a link")
    else:
        found = read_folder(folder, course.ignore)
    notebooks = {name[: -len(".ipynb")]: data for name, data in found.files.items() if is_notebook(name)}
    files = {name: data for name, data in found.files.items() if not name.endswith(".ipynb")}
    broken = {name[: -len(".ipynb")]: why for name, why in found.broken.items() if is_notebook(name)}
    timestamp = None
    if "timestamp.txt" in files:
        with contextlib.suppress(UnicodeDecodeError):
            timestamp = files["timestamp.txt"].decode("utf-8").strip() or None
    digest = hashlib.sha256()
    for name, data in sorted(found.files.items()):
        digest.update(f"{name!r} {len(data)}\n".encode())
        digest.update(data)
    digest.update(repr((sorted(found.broken.items()), found.notes, found.problem)).encode())
    return Submission(
        student, notebooks, files, digest.hexdigest(), timestamp, broken, tuple(found.notes), found.problem
    )
