"""The teacher's own solution, graded as a student's is: what it loses is a fault of the assignment, and nobody's answer."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import MissingPackage, NoSandbox
from . import ingest
from .grader import Grader
from .store import gradebook
from .tasks import Settings

if TYPE_CHECKING:
    from .ingest.assignment import Assignment
    from .ingest.submission import Submission
    from .store.course import Course
    from .store.records import Verdict

ROUNDING = 1e-6


@dataclass(frozen=True)
class SelfTest:
    """What came of the teacher's solution, and of the notebooks as they are handed out.

    points : that a machine gives, of which `lost` the solution does not earn: [(grade_id, points, of, why)].
    given : [(grade_id, points)] that the untouched version earns. said : what a person would be told of the solution.
    missing : notebooks of which no solution is there.
    """

    points: float
    lost: tuple[tuple[str, float, float, str], ...] = ()
    given: tuple[tuple[str, float], ...] = ()
    said: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not (self.lost or self.missing)

    def sentences(self) -> list[str]:
        """What is wrong, a line for each cell; nothing where all is well."""
        found = [f"{name}.ipynb has no solution in source/, so it was not tried" for name in self.missing]
        for grade_id, points, most, why in self.lost:
            found.append(f"the solution earns {points:g} of {most:g} in cell {grade_id}" + (f": {why}" if why else ""))
        found += [
            f"the version without any answer earns {points:g} in cell {grade_id}" for grade_id, points in self.given
        ]
        return [*found, *(f"of the solution a person would be told: {sentence}" for sentence in self.said)]


def self_test(course: Course, assignment: str, settings: Settings | None = None) -> SelfTest:
    """Grade the notebooks of source/ and those of release/ against the assignment as it is released.

    Where there is no sandbox the teacher's own code runs without one. Raises `CourseError` where the assignment cannot be
    graded at all, `MissingPackage` where it imports what is not there.
    """
    loaded = ingest.load_assignment(course, assignment, gradebook.saved_cells(course.db_url, assignment))
    settings = settings or Settings()
    settings = replace(settings, environment=settings.environment or course.environment)
    try:
        return _try(course, loaded, settings)
    except MissingPackage:
        raise
    except NoSandbox:
        # It is the teacher's own code
        return _try(course, loaded, replace(settings, isolation="process" if hasattr(os, "fork") else "fresh"))


def _try(course, assignment, settings):
    solution, handed_out = (_notebooks(course, step, assignment) for step in ("source", "release"))
    with Grader(settings) as grader:
        solved, said = _grade(grader, course, assignment, solution)
        untouched, _ = _grade(grader, course, assignment, handed_out)
    by_machine = [one for one in solved if one.points is not None or one.grade_id in _machines(assignment)]
    lost = [(one.grade_id, one.points or 0.0, one.max_points, _why(one)) for one in by_machine if _loses(one)]
    given = [(one.grade_id, one.points) for one in untouched if one.points is not None and one.points > ROUNDING]
    missing = [master.name for master in assignment.notebooks if master.name not in solution.notebooks]
    return SelfTest(sum(one.max_points for one in by_machine), tuple(lost), tuple(given), said, tuple(missing))


def _notebooks(course: Course, step: str, assignment: Assignment) -> Submission:
    folder = course.folder(step, ".", assignment.name)
    found = {master.name: folder / f"{master.name}.ipynb" for master in assignment.notebooks}
    notebooks = {name: path.read_bytes() for name, path in found.items() if path.is_file()}
    # What a student would hand in beside them
    kept = {name: folder / name for name in course.students_keep(assignment.name)}
    files = {name: path.read_bytes() for name, path in kept.items() if path.is_file()}
    return ingest.Submission("the teacher", notebooks, files, "")


def _grade(grader, course, assignment, submission) -> tuple[list[Verdict], tuple[str, ...]]:
    from .assemble import notebook_record

    rebuilt = [one for one in ingest.rebuild_submission(assignment, submission) if not one.problem]
    verdicts: list[Verdict] = []
    said: list[str] = []
    for made, task in zip(rebuilt, ingest.make_tasks(assignment, submission, rebuilt, course.seed), strict=True):
        result = grader.grade(task)
        verdicts += notebook_record(made, result).verdicts
        said += [*made.needs_review, *result.needs_review]
    return verdicts, tuple(said)


def _machines(assignment):
    """The grade_ids of what a machine judges."""
    cells = (cell for master in assignment.notebooks for cell in master.cells)
    return {cell.grade_id for cell in cells if cell.grade and not cell.by_hand}


def _loses(verdict):
    return verdict.max_points - (verdict.points or 0.0) > ROUNDING


def _why(verdict):
    """The first line of the message that says what went wrong."""
    lines = [line for line in verdict.message.splitlines() if line.strip() and line[0] not in "✓✗○◐"]
    return lines[0].strip()[:300] if lines else ""
