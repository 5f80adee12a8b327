"""The notebook as it is graded: the master's cells with the student's sources in them, the student's own cells between."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..tasks import ASSERTS, CODE, EXERCISE, TEXT, Step, Task
from .assignment import Master, MasterCell
from .notebook import parse

if TYPE_CHECKING:
    from .assignment import Assignment
    from .notebook import SubmittedCell
    from .submission import Submission


# Characters of a cell that are compared to see whether it is a course cell, changed
ALIKE = 2_000
# Cells among which a changed course cell is looked for, and how many are compared in a whole notebook
NEAREST = 20
COMPARED = 100
ENOUGH = 0.6


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

    sources, own_cells, notes, problem : as in `NotebookRecord`. needs_review : why a person should look.
    handed_in : False where the submission simply lacks this notebook.
    """

    master: Master
    cells: tuple[Cell, ...]
    sources: dict = field(default_factory=dict)
    own_cells: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    needs_review: tuple[str, ...] = ()
    problem: str = ""
    handed_in: bool = True

    @property
    def steps(self) -> tuple[Step, ...]:
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


def rebuild(master: Master, data: bytes | None, why: str = "") -> Rebuilt:
    """The notebook as it is graded, from the bytes that were handed in; None: there are none (`why` says why)."""
    if data is None:
        return _unanswered(master, why or "it was not handed in", handed_in=bool(why))
    cells, problem = parse(data)
    if problem:
        return _unanswered(master, problem)
    return rebuild_cells(master, cells)


def _unanswered(master, problem, handed_in=True):
    cells = tuple(Cell(cell.cell_type, cell.source, cell, by_hand=cell.by_hand) for cell in master.cells)
    needs_review = (f"{master.name}.ipynb was not graded: {problem}",)
    return Rebuilt(master, cells, notes=needs_review, needs_review=needs_review, problem=problem, handed_in=handed_in)


def rebuild_cells(master: Master, submitted: Sequence[SubmittedCell]) -> Rebuilt:
    """The master's cells in the master's order, with the student's sources and own cells (see the module's head)."""
    found = _match(master, submitted)
    made = _Assembly()
    for extra in found.own.get(-1, ()):
        made.add_own(extra)
    task = ""
    for place, original in enumerate(master.cells):
        made.add_course(original, found.taken.get(place))
        # What a task asks for stands in the student's own cells below it
        task = original.grade_id if original.task else ("" if original.marks else task)
        for extra in (*filter(None, [found.changed.get(place)]), *found.own.get(place, ())):
            made.add_own(extra, task)
    for task, texts in made.below.items():
        made.sources[task] = "\n\n".join(filter(None, [made.sources.get(task), *texts]))
    notes = tuple(dict.fromkeys(found.notes + made.notes))
    return Rebuilt(master, tuple(made.cells), made.sources, tuple(made.own_cells), notes)


@dataclass
class _Matches:
    """Where the submitted cells belong.

    taken : {place of a marked course cell: the student's}. changed : {place of an unmarked one: the student's version}.
    own : {place: the student's own cells that follow it}, -1 for those above all.
    """

    taken: dict[int, SubmittedCell] = field(default_factory=dict)
    changed: dict[int, SubmittedCell] = field(default_factory=dict)
    own: dict[int, list[SubmittedCell]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def _match(master: Master, submitted: Sequence[SubmittedCell]) -> _Matches:
    marked = {cell.grade_id: place for place, cell in enumerate(master.cells) if cell.grade_id}
    free, found, anchor = _Unmarked(master), _Matches(), -1
    for cell in submitted:
        place = marked.get(cell.grade_id)
        if place in found.taken:
            found.notes.append(f"cell {cell.grade_id} stands twice; the first was graded")
            continue
        if place is not None:
            found.taken[place] = cell
        else:
            place = free.find(cell)
            if place is not None:
                _take_changed(found, master.cells[place], place, cell)
        if place is not None:
            anchor = place
        elif cell.source.strip():
            found.own.setdefault(anchor, []).append(cell)
    _find_alike(master, free, found)
    return found


def _take_changed(found: _Matches, original: MasterCell, place: int, cell: SubmittedCell) -> None:
    """Keep the student's version of an unmarked course cell, if it is another one."""
    if (original.source, original.cell_type) != (cell.source, cell.cell_type):
        found.changed[place] = cell
        if cell.cell_type == "code":
            found.notes.append(_ran_twice(place))


def _find_alike(master: Master, free: _Unmarked, found: _Matches) -> None:
    """Among the student's own cells, find changed versions of course cells that no id tells."""
    matched = {*found.taken, *free.found}
    compared = itertools.count()
    for place in free.unmatched():
        before = max((other for other in matched if other < place), default=-1)
        alike = _most_alike(master.cells[place], found.own.get(before, ()), compared)
        if alike is not None:
            found.own[before].remove(alike)
            found.changed[place] = alike
            found.notes.append(_ran_twice(place))


class _Assembly:
    """The notebook as it is put together, cell by cell."""

    def __init__(self) -> None:
        self.cells: list[Cell] = []
        self.sources: dict[str, str] = {}
        self.below: dict[str, list[str]] = {}
        self.own_cells: list[str] = []
        self.notes: list[str] = []

    def add_own(self, extra: SubmittedCell, task: str = "") -> None:
        """A cell that the student has added; below a task it belongs to its answer."""
        is_code = extra.cell_type == "code"
        self.cells.append(Cell(extra.cell_type, extra.source, student=True, by_hand=bool(task) and is_code))
        if task:
            self.below.setdefault(task, []).append(extra.source)
        if is_code:
            self.own_cells.append(extra.source)

    def add_course(self, original: MasterCell, answer: SubmittedCell | None) -> None:
        """A cell of the course, with the student's source where it is a solution cell."""
        if original.solution and answer is not None:
            if answer.cell_type != original.cell_type:
                self.notes.append(
                    f"cell {original.grade_id} was made a {answer.cell_type} cell; it is read as {original.cell_type}"
                )
            self.cells.append(Cell(original.cell_type, answer.source, original, True, original.by_hand))
            self.sources[original.grade_id] = answer.source
            return
        if original.solution:
            self.notes.append(f"cell {original.grade_id} is missing; it counts as not attempted")
        elif answer is not None and answer.source.strip() not in (original.released.strip(), original.source.strip()):
            self.notes.append(f"the locked cell {original.grade_id} was changed; the course's version was used")
        self.cells.append(Cell(original.cell_type, original.source, original, False, original.by_hand))


def _ran_twice(place):
    return f"the course's cell {place + 1} was changed; it ran first, then the student's version"


def _most_alike(original, own, compared):
    """The student's code cell that is this course cell, changed; None if none is alike. compared : counts comparisons."""
    import difflib

    def likeness(cell):
        found = difflib.SequenceMatcher(None, original.source[:ALIKE], cell.source[:ALIKE])
        # The exact ratio of made-up texts takes long: only for what shares enough letters, and not without end
        if found.quick_ratio() < ENOUGH or next(compared) >= COMPARED:
            return 0.0
        return found.ratio()

    codes = [cell for cell in own[:NEAREST] if cell.cell_type == "code"]
    likenesses = [likeness(cell) for cell in codes]
    best = max(likenesses, default=0.0)
    return codes[likenesses.index(best)] if best >= ENOUGH else None


class _Unmarked:
    """Finds the course's unmarked cells in a submission: by id, or by the same source where ids are missing."""

    def __init__(self, master: Master) -> None:
        self.found: set[int] = set()
        self.places = {place: cell for place, cell in enumerate(master.cells) if not cell.grade_id}
        self.ids = {cell.id: place for place, cell in self.places.items() if cell.id}
        self.sources: dict[tuple[str, str], list[int]] = {}
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


def rebuild_submission(assignment: Assignment, submission: Submission) -> list[Rebuilt]:
    """Every notebook of the assignment, as this student answered it."""
    others = sorted(set(submission.notebooks) - {master.name for master in assignment.notebooks})
    made = []
    for master in assignment.notebooks:
        why = submission.problem or submission.broken.get(master.name, "")
        if not why and others and master.name not in submission.notebooks:
            why = f"it was not handed in under this name; there is {', '.join(f'{name}.ipynb' for name in others[:3])}"
        made.append(rebuild(master, submission.notebooks.get(master.name), why))
    return made


def make_tasks(assignment: Assignment, submission: Submission, rebuilt: Iterable[Rebuilt], seed: int) -> list[Task]:
    """A task for each notebook that was handed in and can be read."""
    # The course's own files win over what a student put in their place
    files = submission.files | assignment.files
    return [
        Task(submission.student, assignment.name, notebook.master.name, notebook.steps, seed, files)
        for notebook in rebuilt
        if not notebook.problem
    ]
