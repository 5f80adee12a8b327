"""From the archives of learning platforms to nbgrader's folders: whose file it is, which attempt, and what could not be told.

    Canvas      lovelaceada_LATE_1234_56789_neurons-1.ipynb
    Moodle      Ada Lovelace_1234_assignsubmission_file/neurons.ipynb, or both joined by an underscore
    Blackboard  Neurons_ada_attempt_2026-10-12-18-00-00_neurons.ipynb
    a folder    ada/neurons.ipynb, Ada Lovelace/neurons/neurons.ipynb, neurons_ada.ipynb

Sources: canvas-lms, lib/content_zipper.rb; Moodle, mod/assign/locallib.php (download_submissions); Blackboard Help,
"Download assignments"; each tried on the names in tests/test_collect.py.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import CourseError
from .archive import Member, file_problem, inside, members
from .folder import FILES, MB, TIMESTAMP, TOTAL_BYTES, is_notebook

if TYPE_CHECKING:
    from ..store.course import Course
    from .roster import Roster

_CANVAS = re.compile(
    r"(?P<name>[^/]+?)_(?:(?P<late>late)_)?(?P<id>\d+)_(?:\d+|text|link|question_\d+_\d+)_(?P<file>[^/]+)", re.I
)
_MOODLE = re.compile(r"(?P<name>[^/]+?)_(?P<id>\d+)_assignsubmission_[a-z]+(?:_?/|_)(?P<file>.+)", re.I)
_BLACKBOARD = re.compile(
    r"(?P<name>[^/]+)_attempt_(?P<day>\d{4}-\d\d-\d\d)-(?P<time>\d\d-\d\d-\d\d)(?:_(?P<file>[^/]+)|\.txt)", re.I
)
# What platforms, browsers and people put behind or before the name of a file that is there already
_AGAIN = re.compile(r"(?:-(\d+)| ?\((\d+)\)|[ _](\d+)|-Copy(\d+))$", re.I)
_COPY_OF = re.compile(r"^(?:copy of|kopie von|copie de) ", re.I)


@dataclass(frozen=True)
class Reading:
    """One way to read a name in an archive.

    hints : whose it may be, the most telling first. number : the platform's own for the student. file : its name in the
        submission. copy : which of several of this name. late : whether the platform says so. time : of the attempt.
    """

    hints: tuple[str, ...]
    file: str
    number: str = ""
    copy: int = 0
    late: bool = False
    time: str = ""


@dataclass
class Collected:
    """What came of the archives. students : {id: its files}. unmapped : [(archive, name, why)]. notes : [(id, what is worth knowing)].

    late : ids that the platform marks as late, without a time. unchanged : how many had nothing new. missing : ids without a file.
    """

    assignment: str
    students: dict[str, list[str]] = field(default_factory=dict)
    unmapped: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    unchanged: int = 0
    missing: list[str] = field(default_factory=list)


def readings(name: str, notebooks: Sequence[str]) -> list[Reading]:
    """How the name of an archive's file can be read, the likeliest first; none for what only the platform has added."""
    base = name.rpartition("/")[2]
    canvas, moodle, blackboard = _CANVAS.fullmatch(base), _MOODLE.search(name), _BLACKBOARD.fullmatch(base)
    if blackboard and not blackboard["file"]:
        return []
    found = []
    if moodle:
        found.append(Reading((moodle["name"],), moodle["file"], moodle["id"]))
    if blackboard:
        # The assignment's name comes first and may hold underscores, and so may the user's
        words = blackboard["name"].split("_")
        hints = tuple("_".join(words[start:]) for start in range(1, len(words)))
        time = f"{blackboard['day']} {blackboard['time'].replace('-', ':')}"
        found.append(Reading(hints, blackboard["file"], time=time))
    if canvas:
        found.append(Reading((canvas["name"],), canvas["file"], canvas["id"], late=bool(canvas["late"])))
    folders = tuple(name.split("/")[:-1])
    return [*found, *_around_a_notebook(base, folders, notebooks), Reading((*folders, base.rpartition(".")[0]), base)]


def _around_a_notebook(base, folders, notebooks):
    """ "neurons_ada.ipynb", "Ada Lovelace - neurons (1).ipynb": whose it is stands beside the notebook's name."""
    stem, _, suffix = base.rpartition(".")
    plain, copy = _plain_stem(stem)
    for notebook in sorted(notebooks, key=len, reverse=True) if suffix == "ipynb" else ():
        for text, number in ((stem, 0), (plain, copy)):
            rest = re.fullmatch(rf"(.*?)[-_ ]*{re.escape(notebook)}[-_ ]*(.*)", text, re.I)
            if rest and any(rest.groups()):
                hints = tuple(part for part in rest.groups() if part)
                yield Reading((*folders, *hints), f"{notebook}.ipynb", copy=number)


def _plain_stem(stem):
    """(The name without what says that it is another copy, which copy it is)."""
    found = _AGAIN.search(stem)
    number = int(next(filter(None, found.groups()))) if found else 0
    return _COPY_OF.sub("", stem[: found.start()] if found else stem), number


def own_name(file: str, known: Sequence[str]) -> tuple[str, int]:
    """(The file's name as the assignment has it, which copy it is): "neurons-1.ipynb" is neurons.ipynb."""
    folder, _, base = file.rpartition("/")
    stem, dot, suffix = base.rpartition(".")
    if file in known or not dot:
        return file, 0
    whole = {_alike(one): one for one in known}
    same = whole.get(_alike(file))
    if same:
        return same, 0
    plain, number = _plain_stem(stem)
    above = f"{folder}/" if folder else ""
    same = whole.get(_alike(f"{above}{plain}.{suffix}"))
    return (same, number) if same else (file, 0)


def _alike(text):
    return re.sub(r"[^\w/]+|_", " ", text).strip().casefold()


def collect(
    course: Course,
    archives: Sequence[Path],
    roster: Roster,
    assignment: str | None = None,
    dry_run: bool = False,
) -> Collected:
    """Put what the archives hold where `dlcourse grade` finds it, a folder for each student.

    assignment : its name, None to tell it from the notebooks' names. dry_run : say what would be done, and write nothing.
    Raises `CourseError` where an archive cannot be read, or where it is open which assignment it is.
    """
    found = [member for archive in archives for member in members(Path(archive))]
    known = {name: _files(course, name) for name in course.assignments()}
    name = course.find_assignment(assignment) if assignment else _assignment(found, known)
    notebooks = [file[: -len(".ipynb")] for file in known[name] if is_notebook(file)]
    made = Collected(name)
    whose: dict[str, list[tuple[Member, Reading]]] = {}
    for member in found:
        read = readings(member.name, notebooks)
        answers = [(named, *_whose(named, roster, name)) for named in read]
        mapped = [(student, named) for named, student, _ in answers if student]
        for student, named in mapped[:1]:
            whose.setdefault(student, []).append((member, _below(member, named, student, roster, name)))
        if answers and not mapped:
            made.unmapped.append((member.archive, member.name, answers[0][2]))
    for student, files in sorted(whose.items()):
        _collect_one(course, student, files, known[name], made, dry_run)
    made.missing = sorted(set(roster.people) - set(made.students))
    return made


def _whose(named, roster, assignment):
    return roster.find([hint for hint in named.hints if hint.casefold() != assignment.casefold()], named.number)


def _files(course, assignment):
    """The names of an assignment's released files."""
    folder = course.folder("release", ".", assignment)
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _assignment(found, known):
    meant = {
        name
        for name, files in known.items()
        for member in found
        if member.name.endswith(".ipynb")
        for named in readings(member.name, [file[: -len(".ipynb")] for file in files if is_notebook(file)])
        if own_name(named.file.rpartition("/")[2], files)[0] in files
    }
    if len(meant) == 1:
        return meant.pop()
    if not meant and len(known) == 1:
        return next(iter(known))
    if meant:
        raise CourseError(f"the archive holds notebooks of {', '.join(sorted(meant))}: choose one with --assignment")
    names = ", ".join(sorted(known)) or "an assignment that is released"
    raise CourseError(
        f"no notebook in the archive has the name of one of {names}: name the assignment with --assignment"
    )


def _below(member, named, student, roster, assignment):
    """The reading, with the folders below the student's own in the file's name."""
    folders = member.parts[:-1]
    if not folders or named.hints[: len(folders)] != folders:
        return named
    own = next((place for place, part in enumerate(folders) if roster.find([part])[0] == student), len(folders) - 1)
    below = [part for part in folders[own + 1 :] if part.casefold() != assignment.casefold()]
    return replace(named, file="/".join([*below, named.file]))


def _collect_one(course, student, files, known, made, dry_run):
    """One student's files, of each name the latest."""
    latest: dict[str, tuple[tuple[str, int], Member, Reading]] = {}
    for member, named in _unpacked(student, files, made):
        file, copy = own_name(named.file, known)
        why = file_problem(file)
        if why:
            made.notes.append((student, f"{member.name} was left out: {why}"))
            continue
        found = (named.time, copy or named.copy), member, named
        if file in latest:
            latest[file] = max(latest[file], found, key=lambda one: one[0])
            made.notes.append((student, f"{file} is there more than once; {latest[file][1].name} was taken"))
        else:
            latest[file] = found
    _rename_the_only_one(student, latest, known, made)
    contents = _read_all(student, latest, made)
    if not contents:
        return
    time = max(named.time for _, _, named in latest.values())
    if time and TIMESTAMP not in contents:
        contents[TIMESTAMP] = f"{time} {course.timezone}\n".encode()
    if any(named.late for _, _, named in latest.values()):
        made.late.append(student)
    made.students[student] = sorted(contents)
    if not dry_run:
        _write(course, student, contents, made)


def _unpacked(student, files, made):
    """The files, and those of a zip among them in its place."""
    for member, named in files:
        if member.problem or not named.file.lower().endswith(".zip"):
            yield member, named
            continue
        try:
            for inner in inside(member):
                yield inner, replace(named, file=inner.name)
        except CourseError as error:
            made.notes.append((student, f"{member.name} was left out: {error}"))
        except OSError as error:
            made.notes.append((student, f"{member.name} was left out: {error.strerror}"))


def _rename_the_only_one(student, latest, known, made):
    """The only notebook that somebody hands in is the only one that was asked for, whatever its name."""
    asked = [file for file in known if is_notebook(file)]
    given = [file for file in latest if is_notebook(file)]
    if len(asked) == len(given) == 1 and asked != given:
        latest[asked[0]] = latest.pop(given[0])
        made.notes.append((student, f"{given[0]} was taken for {asked[0]}"))


def _read_all(student, latest, made):
    contents: dict[str, bytes] = {}
    room = TOTAL_BYTES
    for file, (_, member, _) in sorted(latest.items(), key=lambda one: not is_notebook(one[0])):
        why = member.problem
        if not why and len(contents) >= FILES:
            why = f"more than {FILES} files"
        if not why:
            try:
                data = member.read()
                room -= len(data)
                if room >= 0:
                    contents[file] = data
                else:
                    why, room = f"the submission is larger than {TOTAL_BYTES // MB} MB", room + len(data)
            except OSError as error:
                why = error.strerror or str(error)
        if why:
            made.notes.append((student, f"{member.name} was left out: {why}"))
    return contents


def _write(course, student, contents, made):
    """Put a student's files in their place, whole or not at all."""
    folder = course.folder("submitted", student, made.assignment)
    if folder.is_symlink() or folder.parent.is_symlink():
        raise CourseError(f"{folder} is a link; nothing is collected through it")
    before = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    stays = TIMESTAMP in before and TIMESTAMP not in contents
    if stays:
        contents[TIMESTAMP] = before[TIMESTAMP].read_bytes()
    if before.keys() == contents.keys() and all(before[name].read_bytes() == data for name, data in contents.items()):
        made.unchanged += 1
        return
    if before:
        note = "replaces an earlier hand-in" + (", whose timestamp.txt stays: check it" if stays else "")
        made.notes.append((student, note))
    draft = folder.with_name(f".{folder.name}.collecting")
    shutil.rmtree(draft, ignore_errors=True)
    for name, data in contents.items():
        path = draft / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            made.notes.append((student, f"{name} was left out: there is a file in the place of its folder"))
    for path in (folder.parent, draft, *draft.rglob("*")):
        course.keep_private(path)
    if folder.exists():
        shutil.rmtree(folder)
    draft.rename(folder)
