"""What is known of a class, on disk: an append-only journal of records that survives the run that writes it.

    records/<assignment>.jsonl      one `Record.to_json()` on each line; the last line of a student counts
    records/<assignment>.written    [student, key, terms] on each line: that record stands in the gradebook, with the late
                                    penalty by these terms; ["", ""] where the gradebook was lost: nothing above counts
    records/<assignment>.open.json  {student: why} of what the last run left open
    records/lock                    held by the run that grades this course

Each line reaches the disk before the next step is taken. A run that was killed may leave half a line at the end: it is
recognised and dropped, and the submission is graded again.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ...errors import CourseError
from . import gradebook
from .records import record_from_json

if TYPE_CHECKING:
    from .course import Course
    from .records import Key, Record


OLDER = "graded by another version of dlcourse"


def records_folder(course: Course) -> Path:
    return course.root / "records"


def latest_records(course: Course, assignment: str) -> Iterator[Record]:
    """Yield each student's last `Record`, one at a time: a class of a thousand is never in memory at once.

    Reads while another run writes.
    """
    path = records_folder(course) / f"{assignment}.jsonl"
    if not path.exists():
        return
    with path.open("rb") as file:
        places, _, _ = _places(file)
        for student in sorted(places):
            file.seek(places[student])
            yield record_from_json(file.readline())


def left_open(course: Course, assignment: str) -> dict[str, str]:
    """{student: why} of the submissions without a record: the last run could not grade them, or another version did."""
    found = _left_open(records_folder(course) / f"{assignment}.open.json")
    path = records_folder(course) / f"{assignment}.jsonl"
    if path.exists():
        with path.open("rb") as file:
            found |= dict.fromkeys(_places(file)[2], f"{OLDER}; run dlcourse grade again")
    return found


def removed_students(course: Course, assignment: str, written: Collection[str] | None = None) -> set[str]:
    """Whom a person has removed from the gradebook: once written, and no longer in it although others are.

    written : who was written, read from the journal where it is not known.
    """
    if written is None:
        path = records_folder(course) / f"{assignment}.written"
        written = _written(path.read_bytes().splitlines())[0] if path.exists() else ()
    known = gradebook.graded_students(course.db_url, assignment) if written else set()
    return set(written) - known - gradebook.students(course.db_url) if known.intersection(written) else set()


def _written(lines):
    """({student: key} of those that the gradebook has, {student: what the late penalty there depends on})."""
    written: dict[str, Key] = {}
    terms: dict[str, str] = {}
    for line in lines:
        with contextlib.suppress(ValueError, TypeError):
            student, key, *more = json.loads(line)
            if not student:
                written.clear()
                continue
            written[student] = tuple(key)
            terms[student] = more[0] if more else ""
    return written, terms


def _left_open(path):
    try:
        return {_writable(student): _writable(why) for student, why in json.loads(path.read_bytes()).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _writable(text):
    """As it can be written: the name of a folder may be no UTF-8."""
    return str(text).encode("utf-8", "backslashreplace").decode()


def _places(file):
    """({student: where the last record begins}, {student: its key}, who has only records of another version).

    The file is read from where it stands.
    """
    places, keys, older, place = {}, {}, set(), 0
    for line in file:
        # A killed run leaves half a line
        if line.endswith(b"\n"):
            try:
                record = record_from_json(line)
                places[record.student], keys[record.student] = place, record.key
            except (ValueError, KeyError, TypeError, AttributeError):
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    older.add(str(json.loads(line)["student"]))
        place += len(line)
    return places, keys, older - places.keys()


class Journal:
    """The journal of one assignment, open for one run.

    keys : {student: key} of the last record of each. written : {student: key} of those that the gradebook has. terms :
    {student: what the late penalty there depends on}.
    """

    def __init__(self, course: Course, assignment: str) -> None:
        self.course, self.folder = course, records_folder(course)
        self.path = self.folder / f"{assignment}.jsonl"
        self.written_path = self.folder / f"{assignment}.written"
        self.places: dict[str, int] = {}
        self.keys: dict[str, Key] = {}
        self.written: dict[str, Key] = {}
        self.terms: dict[str, str] = {}

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(exist_ok=True)
            self.course.keep_private(self.folder)
            self.lock = (self.folder / "lock").open("a+")
            self.course.keep_private(self.folder / "lock")
        except OSError as error:
            raise CourseError(
                f"{self.folder} cannot be written ({error.strerror}): the journal belongs there"
            ) from error
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.lock.seek(0)
            holder = self.lock.read(20).strip()
            self.lock.close()
            raise CourseError(
                f"another run is grading this course{f' (process {holder})' if holder else ''}; wait for it or stop it first"
            ) from None
        self.lock.truncate(0)
        self.lock.write(str(os.getpid()))
        self.lock.flush()
        self.file, self.written_file = _open_whole(self.path), _open_whole(self.written_path)
        for path in (self.path, self.written_path):
            self.course.keep_private(path)
        self._read()
        return self

    def __exit__(self, *exc: object) -> None:
        self.file.close()
        self.written_file.close()
        self.lock.close()

    def _read(self):
        self.places, self.keys, _ = _places(_buffered(self.file))
        self.written, self.terms = _written(_buffered(self.written_file))

    def record(self, student: str) -> Record:
        """The last record of a student."""
        self.file.seek(self.places[student])
        return record_from_json(next(_buffered(self.file)).decode("utf-8"))

    def append(self, record: Record) -> None:
        """Add a record; when this returns it is on the disk."""
        self.places[record.student] = _append(self.file, record.to_json())
        self.keys[record.student] = record.key

    def note_open(self, why: dict[str, str], students: Iterable[str] | None = None) -> None:
        """Keep why these stay open; students : the only ones that were looked at, where not all were."""
        path = self.folder / f"{self.path.stem}.open.json"
        before = _left_open(path) if students else {}
        kept = {student: text for student, text in before.items() if student not in set(students or ())}
        kept |= {_writable(student): text for student, text in why.items()}
        if kept:
            draft = path.with_suffix(".part")
            draft.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
            self.course.keep_private(draft)
            draft.replace(path)
        else:
            path.unlink(missing_ok=True)

    def mark_written(self, student: str, key: Key, terms: str = "") -> None:
        """Note that the gradebook has the record with this key, and what its late penalty depends on."""
        _append(self.written_file, json.dumps([student, list(key), terms], ensure_ascii=False))
        self.written[student], self.terms[student] = key, terms

    def forget_written(self) -> None:
        """Note that the gradebook was lost: nothing stands in it."""
        _append(self.written_file, json.dumps(["", ""]))
        self.written.clear()


def _buffered(file):
    """The lines from where the unbuffered file stands; it stays open."""
    reader = io.BufferedReader(io.FileIO(file.fileno(), closefd=False))
    yield from reader
    reader.detach()


def _open_whole(path):
    """The file, open for reading and appending without a buffer, without the half line that a killed run may have left at its end."""
    file = path.open("a+b", buffering=0)
    end = file.seek(0, os.SEEK_END)
    keep = end
    while keep:
        start = max(0, keep - 65536)
        file.seek(start)
        newline = file.read(keep - start).rfind(b"\n")
        if newline >= 0:
            keep = start + newline + 1
            break
        keep = start
    if keep < end:
        file.truncate(keep)
    file.seek(0)
    return file


def _append(file, text):
    """Write a line to the disk, all of it or nothing; returns where it begins."""
    place, data = file.seek(0, os.SEEK_END), text.encode("utf-8") + b"\n"
    try:
        while data:
            data = data[file.write(data) :]
        os.fsync(file.fileno())
    except BaseException:
        # A full disk, or a limit of time, may have left half of the line
        with contextlib.suppress(OSError):
            file.truncate(place)
        raise
    return place
