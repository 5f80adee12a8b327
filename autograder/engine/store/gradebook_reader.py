"""What nbgrader's gradebook knows, read and never written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...errors import CourseError
from .gradebook import reading

if TYPE_CHECKING:
    from .course import Course


@dataclass(frozen=True)
class Mark:
    """One cell of one student in the gradebook.

    automatic, manual : points of the machine and of a person, who has the last word; None where there are none.
    extra : extra credit. waiting : whether a person still has to look. comment : the person's words.
    """

    automatic: float | None = None
    manual: float | None = None
    extra: float = 0.0
    waiting: bool = False
    comment: str = ""

    @property
    def points(self) -> float | None:
        return (self.automatic or 0.0 if self.manual is None else self.manual) + self.extra


@dataclass
class Marks:
    """A student's submission in the gradebook: cells by (notebook, grade_id), what a late hand-in costs by notebook."""

    cells: dict = field(default_factory=dict)
    penalties: dict = field(default_factory=dict)

    @property
    def points(self) -> float:
        return max(0.0, sum(mark.points for mark in self.cells.values()) - sum(self.penalties.values()))


def read_marks(course: Course, assignment: str) -> dict[str, Marks]:
    """{student: `Marks`} of an assignment; empty where nothing is in the gradebook yet."""
    from nbgrader import api
    from sqlalchemy import select

    found: dict[str, Marks] = {}
    with reading(course.db_url, or_none=True) as connection:
        if connection is None:
            return found

        def rows(*columns, cell=None):
            query = (
                select(api.SubmittedAssignment.student_id, api.Notebook.name, *columns)
                .select_from(api.SubmittedNotebook)
                .join(api.SubmittedAssignment, api.SubmittedNotebook.assignment_id == api.SubmittedAssignment.id)
                .join(api.Assignment, api.SubmittedAssignment.assignment_id == api.Assignment.id)
                .join(api.Notebook, api.SubmittedNotebook.notebook_id == api.Notebook.id)
                .where(api.Assignment.name == assignment)
            )
            if cell is not None:
                query = query.join(cell, cell.notebook_id == api.SubmittedNotebook.id)
                query = query.join(api.BaseCell.__table__, api.BaseCell.__table__.c.id == cell.cell_id)
            return connection.execute(query)

        name = api.BaseCell.__table__.c.name
        comments = {}
        # nbgrader's automatic comment ("No response.") is not a person's comment
        for student, notebook, grade_id, words in rows(name, api.Comment.manual_comment, cell=api.Comment):
            comments[student, notebook, grade_id] = words or ""
        for student, notebook, penalty in rows(api.SubmittedNotebook.late_submission_penalty):
            found.setdefault(student, Marks()).penalties[notebook] = penalty or 0.0
        for student, notebook, grade_id, automatic, manual, extra, waiting in rows(
            name,
            *(api.Grade.auto_score, api.Grade.manual_score, api.Grade.extra_credit, api.Grade.needs_manual_grade),
            cell=api.Grade,
        ):
            comment = comments.pop((student, notebook, grade_id), "")
            found[student].cells[notebook, grade_id] = Mark(automatic, manual, extra or 0.0, bool(waiting), comment)
        # A comment may stand at a solution cell, which earns nothing itself
        for (student, notebook, grade_id), comment in comments.items():
            if comment:
                found[student].cells[notebook, grade_id] = Mark(comment=comment)
    return found


@dataclass(frozen=True)
class Person:
    """A student as the gradebook knows them; lms_id : how the learning platform calls them."""

    student: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_id: str = ""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


def read_people(course: Course) -> dict[str, Person]:
    """{student: `Person`} of everyone in the gradebook."""
    from nbgrader import api
    from sqlalchemy import select

    with reading(course.db_url, or_none=True) as connection:
        rows = connection.execute(select(api.Student.__table__)).all() if connection is not None else ()
        return {
            row.id: Person(
                row.id,
                *(row.first_name or "", row.last_name or "", row.email or ""),
                getattr(row, "lms_user_id", None) or "",
            )
            for row in rows
        }


def read_due(course: Course, assignment: str) -> tuple[datetime | None, dict[str, datetime]]:
    """(When an assignment is due, {student: when, of those with an extension}); None where it may come at any time."""
    from nbgrader import api
    from sqlalchemy import select

    with reading(course.db_url, or_none=True) as connection:
        if connection is None:
            return None, {}
        due = connection.execute(select(api.Assignment.duedate).where(api.Assignment.name == assignment)).scalar()
        if due is None:
            return None, {}
        # nbgrader keeps UTC without saying so
        due = due.replace(tzinfo=UTC)
        rows = connection.execute(
            select(api.SubmittedAssignment.student_id, api.SubmittedAssignment.extension)
            .join(api.Assignment, api.SubmittedAssignment.assignment_id == api.Assignment.id)
            .where(api.Assignment.name == assignment)
        )
        return due, {student: due + extension for student, extension in rows if extension}


@dataclass(frozen=True)
class Grade:
    """One student's line in an export."""

    assignment: str
    student: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_id: str = ""
    due: str = ""
    handed_in: str | None = None
    raw: float = 0.0
    penalty: float = 0.0
    maximum: float = 0.0

    @property
    def points(self) -> float:
        return max(0.0, self.raw - self.penalty)


def read_grades(course: Course, assignment: str | None = None) -> list[Grade]:
    """Every student's `Grade` for one assignment or for all, in nbgrader's order; none handed in counts 0.

    `handed_in` is None where the student has no submission, "" where it has no time.
    """
    from nbgrader import api
    from sqlalchemy import func, select

    with reading(course.db_url, or_none=True) as connection:
        if connection is None:
            raise CourseError(
                f"nothing is graded yet in {course.root}; run: dlcourse grade {assignment or 'ASSIGNMENT'}"
            )
        assignments = [
            (row.id, row.name, str(row.duedate or ""))
            for row in connection.execute(select(api.Assignment.__table__).order_by(api.Assignment.name))
            if assignment in (None, row.name)
        ]
        if not assignments:
            raise CourseError(f"the gradebook knows no assignment {assignment!r}; run: dlcourse grade {assignment}")
        students = connection.execute(select(api.Student.__table__).order_by("last_name", "first_name", "id")).all()
        found = []
        for key, name, due in assignments:
            maximum = sum(
                connection.execute(
                    select(func.coalesce(func.sum(kind.max_score), 0.0))
                    .select_from(kind.__table__)
                    .join(api.BaseCell.__table__, api.BaseCell.__table__.c.id == kind.__table__.c.id)
                    .join(api.Notebook.__table__, api.BaseCell.__table__.c.notebook_id == api.Notebook.id)
                    .where(api.Notebook.assignment_id == key)
                ).scalar()
                for kind in (api.GradeCell, api.TaskCell)
            )
            marks = read_marks(course, name)
            times = dict(
                connection.execute(
                    select(api.SubmittedAssignment.student_id, api.SubmittedAssignment.timestamp).where(
                        api.SubmittedAssignment.assignment_id == key
                    )
                ).all()
            )
            for student in students:
                mark = marks.get(student.id, Marks())
                found.append(
                    Grade(
                        name,
                        student.id,
                        student.first_name or "",
                        student.last_name or "",
                        student.email or "",
                        getattr(student, "lms_user_id", None) or "",
                        due,
                        str(times[student.id] or "") if student.id in times else None,
                        sum((cell.points for cell in mark.cells.values()), 0.0),
                        sum(mark.penalties.values(), 0.0),
                        maximum,
                    )
                )
    return found
