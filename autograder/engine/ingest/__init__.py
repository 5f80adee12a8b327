"""From what a student handed in to the steps that are run.

The master is the released notebook with its locked cells as the gradebook has them, hidden tests included. Of a submission
only the sources count: those of the solution cells, found by their grade_id, and those of the student's own cells.
Everything else that a file may claim (points, types, tags, outputs, kernel, order) is the master's.

A submission that cannot be read is a result with its problem said, never an exception: one broken file does not stop the class.
"""

import ast
import contextlib
import fnmatch
import hashlib
import json
import os
import stat
from dataclasses import dataclass, field

from ..store.course import CourseError
from ..tasks import ASSERTS, CODE, EXERCISE, TEXT, Step, Task

MB = 1_000_000
NOTEBOOK_BYTES = 20 * MB
FILE_BYTES = 20 * MB
TOTAL_BYTES = 50 * MB
FILES = 200
DEPTH = 8
CELLS = 2_000
SOURCE_CHARACTERS = 1 * MB
# Of brackets and commas: small objects are where a small file becomes much memory
BRACKETS = 400_000
COMMAS = 2_000_000
# Characters of a cell that are compared to see whether it is a course cell, changed
ALIKE = 2_000


# --- the assignment -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MasterCell:
    """One cell of the assignment: as released, but for `source`, which has the hidden tests.

    marks : its nbgrader metadata with the gradebook's checksum, None for a cell that nbgrader does not mark.
    calls : of a cell that only calls `check`, what `Step.calls` is.
    """

    cell_type: str
    source: str
    released: str
    metadata: dict
    id: str | None = None
    marks: dict | None = None
    calls: tuple[str, tuple[str, ...]] | None = None

    @property
    def grade_id(self):
        return self.marks["grade_id"] if self.marks else ""

    @property
    def grade(self):
        return bool(self.marks and self.marks.get("grade"))

    @property
    def solution(self):
        return bool(self.marks and self.marks.get("solution"))

    @property
    def task(self):
        return bool(self.marks and self.marks.get("task"))

    @property
    def by_hand(self):
        """Whether a person gives the points."""
        return self.task or (self.grade and self.solution)

    @property
    def points(self):
        return float(self.marks.get("points", 0) or 0) if self.grade or self.task else 0.0


@dataclass(frozen=True)
class Master:
    """One notebook of an assignment. metadata : of the notebook. minor : of its notebook format 4."""

    name: str
    cells: tuple[MasterCell, ...]
    metadata: dict
    minor: int


@dataclass(frozen=True)
class Assignment:
    """What is graded against. files : {relative name: content} of the course's own files beside the notebooks.

    version : hash of all of it, hidden tests included.
    """

    name: str
    notebooks: tuple[Master, ...]
    files: dict
    version: str

    @property
    def max_points(self):
        return sum(cell.points for notebook in self.notebooks for cell in notebook.cells)


@dataclass(frozen=True)
class SourceCell:
    """A marked cell as the gradebook keeps it."""

    source: str
    checksum: str | None
    cell_type: str
    locked: bool
    points: float | None


def load_assignment(course, name, saved):
    """The assignment as it is graded.

    Parameters
    ----------
    course : Course. name : of the assignment.
    saved : {notebook: {grade_id: SourceCell}} from the gradebook (`gradebook.saved_cells`).
    """
    folder = course.folder("release", ".", name)
    digest = hashlib.sha256()
    notebooks = []
    for title in sorted(saved):
        path = folder / f"{title}.ipynb"
        if not path.exists():
            raise CourseError(f"{path} is missing; release the assignment again: dlcourse release {name}")
        data = path.read_bytes()
        digest.update(hashlib.sha256(data).digest())
        digest.update(repr(sorted(saved[title].items())).encode())
        notebooks.append(_master(title, data, saved[title]))
    if not notebooks:
        raise CourseError(f"the gradebook has no notebooks of {name!r}; release it: dlcourse release {name}")
    # Files in source/ win over those in release/, as they do when nbgrader autogrades; the text that an assignment is
    # built from is none of them
    files = {}
    for step in ("release", "source"):
        beside = _read_folder(course.folder(step, ".", name), course.ignore, links=True)
        if beside.notes:
            raise CourseError(f"{step}/{name}: {beside.notes[0]}; files beside an assignment go into every sandbox")
        own_text = {f"{title}.md" for title in (name, *saved)}
        files |= {
            key: value for key, value in beside.files.items() if not key.endswith(".ipynb") and key not in own_text
        }
    for key in course.students_keep(name):
        files.pop(key, None)
    for key in sorted(files):
        digest.update(repr(key).encode() + hashlib.sha256(files[key]).digest())
    return Assignment(name, tuple(notebooks), files, digest.hexdigest())


def _master(name, data, saved):
    notebook = json.loads(data.decode("utf-8"))
    cells, seen = [], set()
    for cell in notebook["cells"]:
        source = _text(cell["source"])
        metadata = {key: value for key, value in cell["metadata"].items() if key != "nbgrader"}
        marks = cell["metadata"].get("nbgrader")
        if not (marks and (marks.get("grade") or marks.get("solution") or marks.get("locked") or marks.get("task"))):
            cells.append(MasterCell(cell["cell_type"], source, source, metadata, cell.get("id")))
            continue
        grade_id = marks["grade_id"]
        if grade_id not in saved or grade_id in seen:
            raise CourseError(
                f"cell {grade_id!r} of {name}.ipynb is {'there twice' if grade_id in seen else 'not in the gradebook'}; "
                "release the assignment again"
            )
        seen.add(grade_id)
        kept = saved[grade_id]
        marks = marks | {"checksum": kept.checksum, "cell_type": kept.cell_type}
        if kept.points is not None:
            marks["points"] = kept.points
        restored = kept.source if kept.locked else source
        calls = None
        if kept.cell_type == "code" and marks.get("grade") and not marks.get("solution"):
            calls = _calls(restored, grade_id, name)
        cells.append(MasterCell(kept.cell_type, restored, source, metadata, cell.get("id"), marks, calls))
    missing = {grade_id for grade_id, cell in saved.items() if cell.points is not None} - seen
    if missing:
        raise CourseError(f"{name}.ipynb lacks the graded cell {sorted(missing)[0]!r}; release the assignment again")
    return Master(name, tuple(cells), notebook.get("metadata", {}), notebook.get("nbformat_minor", 0))


def _calls(source, grade_id, notebook):
    """`Step.calls` of a cell that does nothing but call `check` on one exercise; None for any other cell."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return None
    found = [_call(statement) for statement in body]
    if not found or None in found:
        return None
    if len(set(found)) > 1:
        raise CourseError(f"cell {grade_id!r} of {notebook}.ipynb checks several exercises: give each one its own cell")
    from ...checks.exercise import get_exercise

    name, functions = found[0]
    try:
        wanted = get_exercise(name).function_names
    except ValueError as error:
        raise CourseError(f"cell {grade_id!r} of {notebook}.ipynb: {error}") from None
    if len(wanted) != len(functions):
        raise CourseError(
            f"cell {grade_id!r} of {notebook}.ipynb: {name} is answered by {len(wanted)} functions "
            f"({', '.join(wanted)}), got {len(functions)}"
        )
    return found[0]


def _call(statement):
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "check" and call.args):
        return None
    first, *rest = call.args
    if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
        return None
    if not all(isinstance(argument, ast.Name) for argument in rest):
        return None
    if not all(keyword.arg == "hidden" and isinstance(keyword.value, ast.Constant) for keyword in call.keywords):
        return None
    return first.value, tuple(argument.id for argument in rest)


# --- the submission -------------------------------------------------------------------------------------------------


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


def read_submission(course, student, assignment):
    """What a student handed in, within limits; nothing but regular files is opened, and no link is followed."""
    folder = course.folder("submitted", student, assignment)
    if folder.parent.is_symlink():
        found = _Folder(problem="the student's folder is a link")
    else:
        found = _read_folder(folder, course.ignore)
    notebooks = {name[: -len(".ipynb")]: data for name, data in found.files.items() if _is_notebook(name)}
    files = {name: data for name, data in found.files.items() if not name.endswith(".ipynb")}
    broken = {name[: -len(".ipynb")]: why for name, why in found.broken.items() if _is_notebook(name)}
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


def _is_notebook(name):
    return name.endswith(".ipynb") and "/" not in name


@dataclass
class _Folder:
    files: dict = field(default_factory=dict)
    broken: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)
    problem: str = ""
    size: int = 0
    seen: int = 0


def _read_folder(folder, ignore, links=False):
    """The regular files under a folder; with `links` (the course's own folders) links are followed."""
    found = _Folder()
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (0 if links else os.O_NOFOLLOW)
    try:
        handle = os.open(folder, flags)
    except OSError as error:
        found.problem = f"its folder cannot be opened ({error.strerror})"
        return found
    _walk(handle, "", found, ignore, links)
    return found


def _walk(handle, prefix, found, ignore, links):
    """Read what is in an open folder; closes it."""
    try:
        # Notebooks first: nothing that lies beside them can use up the room
        names = sorted(os.listdir(handle), key=lambda name: (not name.endswith(".ipynb"), name))
        for name in names:
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in ignore):
                continue
            found.seen += 1
            if found.seen > FILES:
                found.notes.append(f"more than {FILES} files were handed in; the rest was left out")
                return
            path = prefix + name
            if any(ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF for c in name):
                found.notes.append(f"the file {path!r} was left out: its name is no plain text")
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
                    _walk(inner, path + "/", found, ignore, links)
                continue
            with os.fdopen(inner, "rb") as file:
                _read_file(file, kind, path, found)
    finally:
        os.close(handle)


def _read_file(file, kind, path, found):
    if not stat.S_ISREG(kind.st_mode):
        return _left_out(found, path, "no regular file")
    limit = NOTEBOOK_BYTES if _is_notebook(path) else FILE_BYTES
    if kind.st_size > limit:
        return _left_out(found, path, f"larger than {limit // MB} MB")
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
    if _is_notebook(path):
        found.broken[path] = why
    found.notes.append(f"the file {path} was left out: {why}")


# --- one notebook ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """A cell of the notebook as it is graded: the master's, or the student's own (`master` is None)."""

    cell_type: str
    source: str
    master: MasterCell | None = None
    student: bool = False
    by_hand: bool = False


@dataclass(frozen=True)
class Rebuilt:
    """A notebook ready to be run: the master's cells with the student's sources, the student's own cells between them.

    sources, own_cells, notes, problem : as in `NotebookRecord`. person : why a person should look.
    handed_in : False where the submission simply lacks this notebook.
    """

    master: Master
    cells: tuple[Cell, ...]
    sources: dict = field(default_factory=dict)
    own_cells: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    person: tuple[str, ...] = ()
    problem: str = ""
    handed_in: bool = True

    @property
    def steps(self):
        """One step for each cell, in order."""
        return tuple(_step(cell, place) for place, cell in enumerate(self.cells))


def _step(cell, place):
    master = cell.master
    if master is None:
        return Step(CODE if cell.cell_type == "code" else TEXT, cell.source, place, student=True, by_hand=cell.by_hand)
    kind, calls = TEXT, None
    if cell.cell_type == "code":
        kind = CODE
        if master.grade and not master.solution:
            kind, calls = (EXERCISE, master.calls) if master.calls else (ASSERTS, None)
    return Step(kind, cell.source, place, cell.student, master.grade_id, master.points, calls, by_hand=master.by_hand)


def rebuild(master, data, why=""):
    """The notebook as it is graded, from the bytes that were handed in; None: there are none (`why` says why)."""
    if data is None:
        return _unanswered(master, why or "it was not handed in", handed_in=bool(why))
    cells, problem = parse(data)
    if problem:
        return _unanswered(master, problem)
    return rebuild_cells(master, cells)


def _unanswered(master, problem, handed_in=True):
    cells = tuple(Cell(cell.cell_type, cell.source, cell, by_hand=cell.by_hand) for cell in master.cells)
    person = (f"{master.name}.ipynb was not graded: {problem}",)
    return Rebuilt(master, cells, notes=person, person=person, problem=problem, handed_in=handed_in)


def parse(data):
    """(cells of a submitted notebook, ""), or ((), why it cannot be read). A cell: type, source, grade_id, id."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        return (), "the file is empty"
    if len(data) > NOTEBOOK_BYTES:
        return (), f"it is larger than {NOTEBOOK_BYTES // MB} MB"
    if data.count(b"[") + data.count(b"{") > BRACKETS or data.count(b",") > COMMAS:
        return (), "it holds too many small pieces for a notebook"
    try:
        notebook = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        return (), f"it is not UTF-8 (byte {error.start})"
    except RecursionError:
        return (), "it is nested too deeply"
    except ValueError as error:
        return (), f"it is no JSON ({_short(error)})"
    if not isinstance(notebook, dict):
        return (), "it is JSON but no notebook"
    version = notebook.get("nbformat")
    if version == 3:
        notebook, problem = _upgraded(notebook)
        if problem:
            return (), problem
    elif version != 4 or isinstance(version, bool):
        return (), f"expected notebook format 4, got {_short(repr(version))}"
    raw = notebook.get("cells")
    if not isinstance(raw, list):
        return (), "it has no list of cells"
    if len(raw) > CELLS:
        return (), f"it has {len(raw)} cells; at most {CELLS} are read"
    cells = [_submitted(cell) for cell in raw]
    if None in cells:
        return (), f"its cell {cells.index(None) + 1} is no cell of a notebook"
    if sum(len(cell.source) for cell in cells) > SOURCE_CHARACTERS:
        return (), f"its cells hold more than {SOURCE_CHARACTERS // MB} million characters"
    return tuple(cells), ""


def _upgraded(notebook):
    import warnings

    import nbformat

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # `reads` and not `convert`: an old file may hold its sources as lines
            return dict(nbformat.reads(json.dumps(notebook), as_version=4)), ""
    # Whatever a made-up file does to the converter, it is a file that cannot be read
    except Exception as error:
        return None, f"it has notebook format 3 and cannot be brought up to date ({type(error).__name__})"


@dataclass(frozen=True)
class _Submitted:
    cell_type: str
    source: str
    grade_id: str
    id: str | None


def _submitted(cell):
    if not isinstance(cell, dict) or not isinstance(cell.get("cell_type"), str):
        return None
    source = _text(cell.get("source", ""))
    if source is None:
        return None
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = marks.get("grade_id") if isinstance(marks, dict) else None
    own = cell.get("id")
    kind = cell["cell_type"] if cell["cell_type"] in ("code", "markdown", "raw") else "raw"
    return _Submitted(
        kind, source, grade_id if isinstance(grade_id, str) else "", own if isinstance(own, str) else None
    )


def _text(source):
    """A cell's source, a string or a list of strings, as text that can be written; None if it is neither."""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        return None
    # Half of a surrogate pair can be written in JSON, but not in a file
    return source.encode("utf-8", "replace").decode("utf-8")


def _short(value):
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "…"


def rebuild_cells(master, submitted):
    """The master's cells in the master's order, with the student's sources and own cells (see the module's head)."""
    marked = {cell.grade_id: place for place, cell in enumerate(master.cells) if cell.grade_id}
    free = _Unmarked(master)
    notes, taken, changed, own = [], {}, {}, {}
    anchor = -1
    for cell in submitted:
        place = marked.get(cell.grade_id)
        if place is not None:
            if place in taken:
                notes.append(f"cell {cell.grade_id} stands twice; the first was graded")
                continue
            taken[place] = cell
            anchor = place
            continue
        place = free.find(cell)
        if place is not None:
            anchor = place
            original = master.cells[place]
            if (original.source, original.cell_type) == (cell.source, cell.cell_type):
                continue
            changed[place] = cell
            if cell.cell_type == "code":
                notes.append(_ran_twice(place))
        elif cell.source.strip():
            own.setdefault(anchor, []).append(cell)

    matched = {*taken, *free.found}
    for place in free.unmatched():
        before = max((found for found in matched if found < place), default=-1)
        cell = _most_alike(master.cells[place], own.get(before, ()))
        if cell is not None:
            own[before].remove(cell)
            changed[place] = cell
            notes.append(_ran_twice(place))
    cells, sources, own_cells = [], {}, []

    def add_own(extra, task=""):
        cells.append(
            Cell(extra.cell_type, extra.source, student=True, by_hand=bool(task) and extra.cell_type == "code")
        )
        if task:
            sources[task] = "\n\n".join(filter(None, [sources.get(task), extra.source]))
        if extra.cell_type == "code":
            own_cells.append(extra.source)

    for extra in own.get(-1, ()):
        add_own(extra)
    task = ""
    for place, original in enumerate(master.cells):
        answer = taken.get(place)
        if original.solution and answer is not None:
            if answer.cell_type != original.cell_type:
                notes.append(
                    f"cell {original.grade_id} was made a {answer.cell_type} cell; it is read as {original.cell_type}"
                )
            cells.append(Cell(original.cell_type, answer.source, original, True, original.by_hand))
            sources[original.grade_id] = answer.source
        else:
            if original.solution:
                notes.append(f"cell {original.grade_id} is missing; it counts as not attempted")
            elif answer is not None and answer.source.strip() not in (
                original.released.strip(),
                original.source.strip(),
            ):
                notes.append(f"the locked cell {original.grade_id} was changed; the course's version was used")
            cells.append(Cell(original.cell_type, original.source, original, False, original.by_hand))
        # What a task asks for stands in the student's own cells below it
        task = original.grade_id if original.task else ("" if original.marks else task)
        if place in changed:
            add_own(changed[place], task)
        for extra in own.get(place, ()):
            add_own(extra, task)
    return Rebuilt(master, tuple(cells), sources, tuple(own_cells), tuple(dict.fromkeys(notes)))


def _ran_twice(place):
    return f"the course's cell {place + 1} was changed; it ran first, then the student's version"


def _most_alike(original, own):
    """The student's code cell that is this course cell, changed; None if none is alike."""
    import difflib

    def likeness(cell):
        return difflib.SequenceMatcher(None, original.source[:ALIKE], cell.source[:ALIKE]).ratio()

    alike = [(likeness(cell), -place, cell) for place, cell in enumerate(own[:20]) if cell.cell_type == "code"]
    best = max(alike, default=(0.0, 0, None), key=lambda item: item[:2])
    return best[2] if best[0] >= 0.6 else None


class _Unmarked:
    """Finds the course's unmarked cells in a submission: by id, or by the same source where ids are missing."""

    def __init__(self, master):
        self.found = set()
        self.places = {place: cell for place, cell in enumerate(master.cells) if not cell.grade_id}
        self.ids = {cell.id: place for place, cell in self.places.items() if cell.id}
        self.sources = {}
        for place, cell in self.places.items():
            self.sources.setdefault((cell.cell_type, cell.source), []).append(place)

    def find(self, cell):
        for place in (self.ids.get(cell.id), *self.sources.get((cell.cell_type, cell.source), ())):
            if place is not None and place in self.places:
                del self.places[place]
                self.found.add(place)
                return place
        return None

    def unmatched(self):
        """Places of the course's code cells that were not found: deleted, or changed in a file without ids."""
        return [place for place, cell in self.places.items() if cell.cell_type == "code"]


# --- the task -------------------------------------------------------------------------------------------------------


def rebuild_submission(assignment, submission):
    """Every notebook of the assignment, as this student answered it."""
    others = sorted(set(submission.notebooks) - {master.name for master in assignment.notebooks})
    made = []
    for master in assignment.notebooks:
        why = submission.problem or submission.broken.get(master.name, "")
        if not why and others and master.name not in submission.notebooks:
            why = f"it was not handed in under this name; there is {', '.join(f'{name}.ipynb' for name in others[:3])}"
        made.append(rebuild(master, submission.notebooks.get(master.name), why))
    return made


def make_tasks(assignment, submission, rebuilt, seed):
    """A task for each notebook that was handed in and can be read."""
    # The course's own files win over what a student put in their place
    files = submission.files | assignment.files
    return [
        Task(submission.student, assignment.name, notebook.master.name, notebook.steps, seed, files)
        for notebook in rebuilt
        if not notebook.problem
    ]
