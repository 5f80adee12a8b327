"""What lies in the folder that a student handed in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ...checks.registry import RELEASED
from .folder import MB, TIMESTAMP, TOTAL_BYTES, Folder, is_notebook, read_folder

if TYPE_CHECKING:
    from ..store.course import Course
    from .assignment import Assignment


@dataclass(frozen=True)
class Submission:
    """What lies in the folder that a student handed in.

    notebooks : {name: content} of the .ipynb files on top. files : {relative name: content} of all others.
    timestamp : text of `timestamp.txt`, None where there is none; timezone : whose short names it may hold. digest : hash of everything. problem : why it cannot be read at all.
    broken : {notebook name: why it was not read}. notes : what was left out.
    """

    student: str
    notebooks: dict
    files: dict
    digest: str
    timestamp: str | None = None
    timezone: str = "UTC"
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
    files = {name: data for name, data in found.files.items() if not name.endswith((".ipynb", RELEASED))}
    broken = {name[: -len(".ipynb")]: why for name, why in found.broken.items() if is_notebook(name)}
    timestamp = None
    if TIMESTAMP in files or TIMESTAMP in found.broken:
        # A file that is there must not pass for none, even where it cannot be decoded
        timestamp = files.get(TIMESTAMP, b"?").decode("utf-8", "replace").strip()
    digest = hashlib.sha256()
    for name, data in sorted(found.files.items()):
        digest.update(f"{name!r} {len(data)}\n".encode())
        digest.update(data)
    digest.update(repr((sorted(found.broken.items()), found.notes, found.problem)).encode())
    return Submission(
        student,
        notebooks,
        files,
        digest.hexdigest(),
        timestamp,
        course.timezone,
        broken,
        tuple(found.notes),
        found.problem,
    )


def fit(submission: Submission, assignment: Assignment) -> Submission:
    """The submission without files that cannot lie beside the course's own: where one has a file the other has a folder."""
    taken = {*assignment.files, *(f"{master.name}.ipynb" for master in assignment.notebooks)}
    folders = {str(parent) for name in taken for parent in PurePosixPath(name).parents}
    room = TOTAL_BYTES - sum(len(data) for data in assignment.files.values())
    files, notes = {}, []
    for name, data in submission.files.items():
        above = next((str(parent) for parent in PurePosixPath(name).parents if str(parent) in taken), "")
        if above:
            notes.append(f"the file {name} was left out: the course has a file {above} in the place of its folder")
        elif name in folders:
            notes.append(f"the file {name} was left out: the course has a folder of this name")
        elif name not in taken and len(data) > room:
            notes.append(
                f"the file {name} was left out: with the course's files it is more than {TOTAL_BYTES // MB} MB"
            )
        else:
            room -= 0 if name in taken else len(data)
            files[name] = data
    return replace(submission, files=files, notes=(*submission.notes, *notes)) if notes else submission
