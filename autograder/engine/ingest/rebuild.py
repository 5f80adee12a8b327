"""The notebook as it is graded: the master's cells with the student's sources in them, the student's own cells between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..tasks import ASSERTS, CODE, EXERCISE, TEXT, Step, Task
from .assignment import Master, MasterCell
from .imports import module_of, modules_in
from .match import match
from .notebook import how_read, parse

if TYPE_CHECKING:
    from .assignment import Assignment
    from .notebook import SubmittedCell
    from .submission import Submission


# Notebooks of other names that are looked into
OTHERS = 5
# The share of an assignment's marked cells that makes a file of another name this assignment
ENOUGH = 0.5


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
    locked_missing : grade_ids of the course's locked cells that the file lacks.
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
    locked_missing: tuple[str, ...] = ()

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
    made = rebuild_cells(master, cells)
    read = how_read(data)
    if read:
        told = f"{master.name}.ipynb {read}"
        made = replace(made, notes=(told, *made.notes), needs_review=(told, *made.needs_review))
    return made


def _unanswered(master, problem, handed_in=True):
    cells = tuple(Cell(cell.cell_type, cell.source, cell, by_hand=cell.by_hand) for cell in master.cells)
    needs_review = (f"{master.name}.ipynb was not graded: {problem}",)
    return Rebuilt(master, cells, notes=needs_review, needs_review=needs_review, problem=problem, handed_in=handed_in)


def rebuild_cells(master: Master, submitted: Sequence[SubmittedCell]) -> Rebuilt:
    """The master's cells in the master's order, with the student's sources and own cells (see the module's head)."""
    found = match(master, submitted)
    made = _Assembly()
    for extra in found.own.get(-1, ()):
        made.add_own(extra)
    task = ""
    for place, original in enumerate(master.cells):
        made.add_course(original, found.taken.get(place))
        # What a task asks for stands in the student's own cells below it
        task = made.answered_below(original, found.taken.get(place)) if original.marks else task
        for extra in (*filter(None, [found.changed.get(place)]), *found.own.get(place, ())):
            made.add_own(extra, task)
    for task, texts in made.below.items():
        made.sources[task] = "\n\n".join(filter(None, [made.sources.get(task), *texts]))
    for original in master.cells:
        if original.solution and not original.task and made.below.get(original.grade_id):
            found.flags.append(
                f"cell {original.grade_id} is as it was handed out, and the student's own cells stand below it: "
                "a person is asked"
            )
    flags = tuple(dict.fromkeys(found.flags + made.flags))
    notes = tuple(dict.fromkeys([*found.notes, *made.notes, *flags]))
    lost = tuple(
        cell.grade_id
        for place, cell in enumerate(master.cells)
        if cell.grade_id and not cell.solution and place not in found.taken
    )
    cells, own_cells = tuple(made.cells), tuple(made.own_cells)
    return Rebuilt(master, cells, made.sources, own_cells, notes, flags, locked_missing=lost)


class _Assembly:
    """The notebook as it is put together, cell by cell."""

    def __init__(self) -> None:
        self.cells: list[Cell] = []
        self.sources: dict[str, str] = {}
        self.below: dict[str, list[str]] = {}
        self.own_cells: list[str] = []
        self.notes: list[str] = []
        self.flags: list[str] = []

    def answered_below(self, original: MasterCell, answer: SubmittedCell | None) -> str:
        """The grade_id of a cell whose answer the student's own cells below may be: a task, a question left as it was."""
        untouched = answer is not None and answer.source.strip() == original.released.strip()
        return original.grade_id if original.task or (original.by_hand and untouched) else ""

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
            self.flags.append(f"cell {original.grade_id} is missing; it counts as not attempted")
        elif answer is not None and answer.source.strip() not in (original.released.strip(), original.source.strip()):
            self.notes.append(f"the locked cell {original.grade_id} was changed; the course's version was used")
        self.cells.append(Cell(original.cell_type, original.source, original, False, original.by_hand))


def rebuild_submission(assignment: Assignment, submission: Submission) -> list[Rebuilt]:
    """Every notebook of the assignment, as this student answered it."""
    others = sorted(set(submission.notebooks) - {master.name for master in assignment.notebooks})
    renamed = {} if submission.problem else _renamed(assignment, submission, others)
    made = []
    for master in assignment.notebooks:
        why = submission.problem or submission.broken.get(master.name, "")
        if not why and others and master.name not in submission.notebooks:
            why = f"it was not handed in under this name; there is {', '.join(f'{name}.ipynb' for name in others[:3])}"
        names = renamed.get(master.name, [])
        if master.name in submission.notebooks or len(names) != 1:
            one = rebuild(master, submission.notebooks.get(master.name), why)
            told = tuple(f"{name}.ipynb holds this assignment too; {master.name}.ipynb was graded" for name in names)
            told = told if master.name in submission.notebooks else ()
        else:
            one = rebuild(master, submission.notebooks[names[0]])
            told = (f"{master.name}.ipynb was handed in as {names[0]}.ipynb",)
        made.append(replace(one, notes=(*told, *one.notes), needs_review=(*told, *one.needs_review)))
    return made


def _renamed(assignment, submission, others):
    """{notebook of the assignment: notebooks of another name that hold at least half of its answer cells}."""
    found: dict[str, list[str]] = {}
    for name in others[:OTHERS]:
        cells, _ = parse(submission.notebooks[name])
        known = {cell.grade_id for cell in cells} | {cell.id for cell in cells}
        shares = {master.name: _share(master, known) for master in assignment.notebooks}
        best = max(shares.values())
        nearest = [title for title, share in shares.items() if share == best]
        if best >= ENOUGH and len(nearest) == 1:
            found.setdefault(nearest[0], []).append(name)
    return found


def _share(master, known):
    """The share of a notebook's marked cells of which the grade_id or the id is known."""
    marks = [{cell.grade_id, cell.id or cell.grade_id} for cell in master.cells if cell.grade_id]
    return sum(bool(mark & known) for mark in marks) / len(marks) if marks else 0.0


def make_tasks(assignment: Assignment, submission: Submission, rebuilt: Iterable[Rebuilt], seed: int) -> list[Task]:
    """A task for each notebook that was handed in and can be read."""
    # The course's own files win over what a student put in their place
    files = submission.files | assignment.files
    own = modules_in(files)
    imports = tuple(statement for statement in assignment.imports if module_of(statement) not in own)
    return [
        Task(submission.student, assignment.name, notebook.master.name, notebook.steps, seed, files, imports=imports)
        for notebook in rebuilt
        if not notebook.problem
    ]
