"""Which cell of the assignment each submitted cell is: by its grade_id, its id or its text; else by names and place.

What was found by guess is graded, and a person is told: files lose their marks in other editors, in merges, in copies.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from .assignment import Master, MasterCell
from .notebook import SubmittedCell

# Characters of a cell that are compared to see whether it is a course cell, changed
ALIKE = 2_000
# Cells among which a changed course cell is looked for, and how many are compared in a whole notebook
NEAREST = 20
COMPARED = 100
ENOUGH = 0.6


@dataclass
class Matches:
    """Where the submitted cells belong.

    taken : {place of a marked course cell: the student's}. changed : {place of an unmarked one: the student's version}.
    own : {place: the student's own cells that follow it}, -1 for those above all. copies : {place: further cells of one}.
    notes : what the instructor should know; flags : those that may cost or give points.
    """

    taken: dict[int, SubmittedCell] = field(default_factory=dict)
    changed: dict[int, SubmittedCell] = field(default_factory=dict)
    own: dict[int, list[SubmittedCell]] = field(default_factory=dict)
    copies: dict[int, list[SubmittedCell]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)


def match(master: Master, submitted: Sequence[SubmittedCell]) -> Matches:
    """Find the place of every submitted cell."""
    marked = {cell.grade_id: place for place, cell in enumerate(master.cells) if cell.grade_id}
    free, found, anchor = _Unmarked(master), Matches(), -1
    lost = _Lost(master, {cell.grade_id for cell in submitted})
    for cell in submitted:
        place = marked.get(cell.grade_id)
        if place is not None and place in found.taken:
            found.copies.setdefault(place, []).append(cell)
            continue
        if place is None:
            place = lost.find(cell)
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
    _guess(master, lost, free, found)
    for place in found.copies:
        _join(master.cells[place], place, found)
    _find_alike(master, free, found)
    return found


def _take_changed(found: Matches, original: MasterCell, place: int, cell: SubmittedCell) -> None:
    """Keep the student's version of an unmarked course cell, if it is another one."""
    if (original.source, original.cell_type) != (cell.source, cell.cell_type):
        found.changed[place] = cell
        if cell.cell_type == "code":
            found.notes.append(_ran_twice(place))


# --- cells that have lost their mark ----------------------------------------------------------------------------------


class _Lost:
    """The marked course cells of which a submission has no grade_id: found by id, or by the text that was handed out."""

    def __init__(self, master: Master, present: set[str]) -> None:
        self.places = {
            place: cell for place, cell in enumerate(master.cells) if cell.grade_id and cell.grade_id not in present
        }
        self.ids = {cell.id: place for place, cell in self.places.items() if cell.id}
        self.sources: dict[tuple[str, str], list[int]] = {}
        for place, cell in self.places.items():
            self.sources.setdefault((cell.cell_type, cell.released.strip()), []).append(place)

    def find(self, cell: SubmittedCell) -> int | None:
        if self.places:
            alike = self.sources.get((cell.cell_type, cell.source.strip()), ())
            for place in (self.ids.get(cell.id or ""), *alike):
                if place in self.places:
                    del self.places[place]
                    return place
        return None


def _guess(master: Master, lost: _Lost, free: _Unmarked, found: Matches) -> None:
    """Find lost answers among the student's own cells: by the names that they define, or by where they stand."""
    todo = [place for place, cell in lost.places.items() if cell.solution] if any(found.own.values()) else []
    by_name: list[str] = []
    by_place: list[str] = []
    for place in todo:
        original = master.cells[place]
        names = defined_names(original.released) or _asked_below(master, place)
        alike = [cell for cell in _all_own(found) if cell.cell_type == "code" and names & defined_names(cell.source)]
        if original.cell_type == "code" and alike:
            _take_guess(found, place, alike)
            by_name.append(original.grade_id)
    # All of them before the first is taken, which would be a border to the next
    waiting = {place: _between(master, lost, free, found, place) for place in todo if place not in found.taken}
    for place, there in waiting.items():
        if there:
            _take_guess(found, place, there)
            by_place.append(master.cells[place].grade_id)
    for found_so, how in (
        (by_name, "by what is defined there"),
        (by_place, f"by {'its' if len(by_place) == 1 else 'their'} place"),
    ):
        if found_so:
            one = len(found_so) == 1
            found.flags.append(
                f"{'cell' if one else 'cells'} {', '.join(found_so)} {'has' if one else 'have'} lost nbgrader's mark; "
                f"found {how}"
            )


def _asked_below(master, place):
    """The names that the next check asks for: a variable stands nowhere in the cell that waits for it."""
    return next((set(cell.calls[1]) for cell in master.cells[place:] if cell.calls), set())


def _all_own(found):
    return [cell for _, cells in sorted(found.own.items()) for cell in cells]


def _between(master, lost, free, found, place):
    """The student's own cells of this type that stand where this course cell would."""
    matched = {*found.taken, *free.found}
    anchor = max((other for other in matched if other < place), default=-1)
    end = min((other for other in matched if other > place), default=len(master.cells))
    kind = master.cells[place].cell_type
    there = [cell for cell in found.own.get(anchor, ()) if cell.cell_type == kind]
    rivals = [
        other
        for other, cell in lost.places.items()
        if anchor < other < end and other not in found.taken and cell.solution and cell.cell_type == kind
    ]
    if len(rivals) == 1:
        return there
    return [there[rivals.index(place)]] if len(there) == len(rivals) else []


def _take_guess(found, place, cells):
    for anchor in found.own:
        found.own[anchor] = [cell for cell in found.own[anchor] if not any(cell is one for one in cells)]
    found.taken[place], *rest = cells
    if rest:
        found.copies[place] = rest


_DEFINED = re.compile(r"^(?:async[ ]+)?(?:def|class)[ ]+(\w+)", re.M)
_ASSIGNED = re.compile(r"^(\w+)[ ]*(?::[^=\n]+)?=(?!=)", re.M)


def defined_names(source: str) -> set[str]:
    """The functions and classes of a cell; where it has none, the names that it assigns to."""
    return set(_DEFINED.findall(source)) or set(_ASSIGNED.findall(source))


# --- an answer in several cells ---------------------------------------------------------------------------------------


def _join(original: MasterCell, place: int, found: Matches) -> None:
    """Put the cells that carry the mark of one course cell together."""
    name = original.grade_id
    if not original.solution:
        found.notes.append(f"cell {name} stands twice; the course's version was used")
        return
    first, *rest = found.taken[place], *found.copies[place]
    parts = [part for part in (first, *rest) if part.source.strip()]
    written = list(dict.fromkeys(part.source for part in parts if part.source.strip() != original.released.strip()))
    if not written:
        found.flags.append(f"cell {name} stands {_times(1 + len(rest))}, always as it was handed out")
        return
    if len(written) == 1:
        source, how = written[0], "the one that is written on was graded"
    elif original.cell_type == "code" and _rival(written):
        finished = [one for one in written if "NotImplementedError" not in one] or written
        source, how = finished[-1], "the last one was graded"
    else:
        source, how = "\n".join(written), "its parts were joined in their order"
    found.taken[place] = replace(first, source=source)
    found.flags.append(f"cell {name} stands {_times(1 + len(rest))}; {how}")


def _rival(sources: Iterable[str]) -> bool:
    """Whether several of these texts define the same thing: then they are versions, not parts."""
    return max(Counter(name for source in sources for name in defined_names(source)).values(), default=0) > 1


def _times(count):
    return "twice" if count == 2 else f"{count} times"


# --- cells without marks ----------------------------------------------------------------------------------------------


def _find_alike(master: Master, free: _Unmarked, found: Matches) -> None:
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
