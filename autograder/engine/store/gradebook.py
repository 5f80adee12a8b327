"""The one writer of the gradebook: nbgrader's own database, one transaction for each submission.

What is written is what nbgrader's `SaveAutoGrades` and `AssignLatePenalties` write, through one connection and without a
notebook in between. Scores given by a person, comments and extra credit are never touched.
Reading what an assignment is and what is already written goes without nbgrader, whose import takes 2 s.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ...errors import CourseError, EntryRefused, GradebookError
from .course import hide_password
from .records import FOR_A_PERSON, NOT_ATTEMPTED

if TYPE_CHECKING:
    from ..ingest.assignment import Assignment, MasterCell
    from .course import Course
    from .records import Record


_CELLS = """
select notebook.name, source_cell.name, source_cell.source, source_cell.checksum, source_cell.cell_type,
       source_cell.locked, coalesce(grade_cells.max_score, task_cells.max_score)
from source_cell
join notebook on notebook.id = source_cell.notebook_id
join assignment on assignment.id = notebook.assignment_id
left join base_cell on base_cell.notebook_id = notebook.id and base_cell.name = source_cell.name
    and base_cell.type in ('GradeCell', 'TaskCell')
left join grade_cells on grade_cells.id = base_cell.id
left join task_cells on task_cells.id = base_cell.id
where assignment.name = :assignment
"""
_NOTEBOOKS = """
select notebook.name from notebook join assignment on assignment.id = notebook.assignment_id
where assignment.name = :assignment
"""
_STUDENTS = """
select submitted_assignment.student_id from submitted_assignment
join assignment on assignment.id = submitted_assignment.assignment_id where assignment.name = :assignment
"""


@dataclass(frozen=True)
class SourceCell:
    """A marked cell as the gradebook keeps it."""

    source: str
    checksum: str | None
    cell_type: str
    locked: bool
    points: float | None


@contextlib.contextmanager
def reading(db_url: str, or_none: bool = False) -> Iterator[Any]:
    """A connection for a few queries.

    or_none : give None where there is no gradebook yet, or nothing in it; otherwise that is an error.
    """
    import sqlalchemy

    try:
        url = sqlalchemy.make_url(db_url)
        if url.get_backend_name() == "sqlite" and url.database and not os.path.exists(url.database):
            if or_none:
                yield None
                return
            raise CourseError(f"there is no gradebook at {url.database} yet; release an assignment first")
        engine = sqlalchemy.create_engine(url)
        try:
            with engine.connect() as connection:
                empty = or_none and not sqlalchemy.inspect(connection).has_table("submitted_assignment")
                yield None if empty else connection
        finally:
            engine.dispose()
    except (sqlalchemy.exc.SQLAlchemyError, ModuleNotFoundError) as error:
        raise GradebookError(explain(error, db_url)) from error


def explain(error: Exception, db_url: str) -> str:
    """A database's error as one sentence with what to try."""
    text = " ".join(str(getattr(error, "orig", None) or error).split())
    where = hide_password(db_url)
    if "locked" in text:
        return f"the gradebook {where} is locked by another program; close it and run again"
    if isinstance(error, ModuleNotFoundError):
        return f"no driver for {where}: install {error.name} (for PostgreSQL: psycopg[binary])"
    if "no such table" in text or "UndefinedTable" in type(getattr(error, "orig", None)).__name__:
        return f"the gradebook {where} has no tables yet; release an assignment first"
    if "readonly" in text or "read-only" in text:
        return f"the gradebook {where} may not be written by this user ({text})"
    if "full" in text:
        return f"there is no space left for the gradebook {where} ({text}); free some space and run again"
    return f"the gradebook {where} cannot be used: {text[:300]}"


@contextlib.contextmanager
def alembic_on_path() -> Iterator[None]:
    """nbgrader makes its database by calling `alembic`: look for it beside the Python that runs."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = str(Path(sys.executable).parent) + os.pathsep + before
    try:
        yield
    finally:
        os.environ["PATH"] = before


def saved_cells(db_url: str, assignment: str) -> dict[str, dict[str, SourceCell]]:
    """{notebook: {grade_id: SourceCell}} of an assignment."""
    from sqlalchemy import text

    with reading(db_url) as connection:
        values = {"assignment": assignment}
        saved: dict[str, dict[str, SourceCell]] = {name: {} for (name,) in connection.execute(text(_NOTEBOOKS), values)}
        for notebook, name, source, checksum, cell_type, locked, points in connection.execute(text(_CELLS), values):
            saved[notebook][name] = SourceCell(
                source or "", checksum, cell_type, bool(locked), None if points is None else float(points)
            )
    return saved


def students(db_url: str) -> set[str]:
    """Who is in the gradebook, with work or without."""
    from sqlalchemy import text

    with reading(db_url) as connection:
        return {name for (name,) in connection.execute(text("select id from student"))}


def late_terms(course: Course, assignment: str) -> str:
    """What a late hand-in costs depends on this: the due date in the gradebook, and the course's rule."""
    from sqlalchemy import text

    with reading(course.db_url) as connection:
        query = text("select duedate from assignment where name = :assignment")
        due = [str(row[0] or "") for row in connection.execute(query, {"assignment": assignment})]
    plugin = str(course.config.get("AssignLatePenalties", {}).get("plugin_class", ""))
    named = plugin.rpartition(".")[2]
    rule = {name: dict(section) for name, section in course.config.items() if "Late" in name or name == named}
    # A rule of the course's own is a module in its folder
    file = course.root / f"{plugin.partition('.')[0] or '.'}.py"
    code = file.read_bytes() if file.is_file() else b""
    return hashlib.sha256(repr((due, sorted(rule.items(), key=str))).encode() + code).hexdigest()[:16]


def graded_students(db_url: str, assignment: str) -> set[str]:
    """Who has a submission of this assignment in the gradebook."""
    from sqlalchemy import text

    with reading(db_url) as connection:
        return {name for (name,) in connection.execute(text(_STUDENTS), {"assignment": assignment})}


@dataclass(frozen=True)
class Written:
    """What came of writing a record. before, after : a student's points in the gradebook; None where there were none.

    hiding : {grade_id: (points given by hand, better points of the machine)}.
    """

    before: float | None
    after: float
    hiding: dict[str, tuple[float, float]]


def load_ahead() -> None:
    """Import what `Writer` needs; what is wrong with it `Writer` says."""
    with contextlib.suppress(Exception):
        importlib.import_module("nbgrader.api")


class Writer:
    """The open gradebook.

    with Writer(course) as writer:
        writer.write(record, assignment)
    """

    def __init__(self, course: Course) -> None:
        self.course = course
        self._known: dict[Any, dict[Any, str]] = {}

    def __enter__(self) -> Self:
        from nbgrader.api import Gradebook
        from sqlalchemy.exc import SQLAlchemyError
        from sqlalchemy.orm import Session, scoped_session, sessionmaker

        class OneTransaction(Session):
            """nbgrader's own methods commit after every step; here that waits until the submission is complete."""

            def commit(self):
                pass

            def commit_all(self):
                super().commit()

        try:
            with alembic_on_path():
                self.gradebook = Gradebook(self.course.db_url, self.course.course_id)
        except (SQLAlchemyError, ModuleNotFoundError) as error:
            raise GradebookError(explain(error, self.course.db_url)) from error
        self.gradebook.db.remove()
        self.gradebook.db = scoped_session(
            sessionmaker(class_=OneTransaction, autoflush=False, bind=self.gradebook.engine, future=True)
        )
        return self

    def __exit__(self, *exc: object) -> None:
        self.gradebook.close()

    def write(self, record: Record, assignment: Assignment) -> Written:
        """Write one graded submission; all of it or nothing.

        Parameters
        ----------
        record : Record. assignment : Assignment that it was graded against.
        """
        from nbgrader.api import InvalidEntry, MissingEntry
        from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

        try:
            written = self._write(record, assignment)
            self.gradebook.db().commit_all()
            return written
        except (DataError, IntegrityError, InvalidEntry) as error:
            self.gradebook.db.rollback()
            raise EntryRefused(" ".join(str(getattr(error, "orig", None) or error).split())[:300]) from error
        except SQLAlchemyError as error:
            with contextlib.suppress(SQLAlchemyError):
                self.gradebook.db.rollback()
            raise GradebookError(explain(error, self.course.db_url)) from error
        except MissingEntry as error:
            self.gradebook.db.rollback()
            raise GradebookError(f"{error}; release the assignment again") from error
        finally:
            # Objects of a class of a thousand would all stay alive in the session
            self.gradebook.db.remove()

    def _write(self, record, assignment):
        gradebook = self.gradebook
        gradebook.update_or_create_student(record.student)
        gradebook.db.flush()
        given = {"timestamp": record.submitted} if record.submitted else {}
        # Not flushed before the grades are known: each row is then written once
        submission = gradebook.update_or_create_submission(record.assignment, record.student, **given)
        notebooks = {notebook.name: notebook for notebook in submission.notebooks}
        masters = {master.name: master for master in assignment.notebooks}
        before = _points(submission)
        for graded in record.notebooks:
            notebook = notebooks[graded.name]
            missing = bool(graded.problem) and all(verdict.verdict == NOT_ATTEMPTED for verdict in graded.verdicts)
            self._grades(notebook, graded, masters[graded.name], missing)
            if not missing:
                self._comments(notebook, graded, masters[graded.name])
                gradebook.db.flush()
                notebook.late_submission_penalty = self._penalty(record.student, notebook, submission)
        hiding = {
            verdict.grade_id: (grade.manual_score, verdict.points)
            for graded in record.notebooks
            for verdict, grade in self._pairs(notebooks[graded.name], graded)
            if None not in (grade.manual_score, verdict.points) and verdict.points > grade.manual_score
        }
        return Written(before, _points(submission) or 0.0, hiding)

    def _pairs(self, notebook, graded):
        """(verdict, row of the gradebook) of each graded cell."""
        verdicts = {verdict.grade_id: verdict for verdict in graded.verdicts}
        return [(verdicts[self._names(notebook)[grade.cell_id]], grade) for grade in notebook.grades]

    def _grades(self, notebook, graded, master, missing):
        tasks = {cell.grade_id for cell in master.cells if cell.task}
        for verdict, grade in self._pairs(notebook, graded):
            grade.auto_score = verdict.points
            if verdict.grade_id in tasks and grade.manual_score is not None and not graded.problem:
                # nbgrader leaves a task to the person who has graded it
                continue
            # Nothing was handed in: nothing to grade. Something that cannot be read: a person must see it.
            grade.needs_manual_grade = not missing and (
                grade.manual_score is not None or verdict.points is None or verdict.verdict == FOR_A_PERSON
            )

    def _comments(self, notebook, graded, master):
        unanswered = {
            cell.grade_id
            for cell in master.cells
            if cell.solution and not cell.task and unchanged(cell, graded.sources.get(cell.grade_id, cell.source))
        }
        for comment in notebook.comments:
            name = self._names(notebook)[comment.cell_id]
            comment.auto_comment = "No response." if name in unanswered else None

    def _names(self, notebook):
        """{id: grade_id} of a notebook's cells, asked once for the whole class."""
        from nbgrader.api import BaseCell

        # A new one has the key of its notebook only when it is flushed
        key = notebook.notebook_id or notebook.notebook.id
        if key not in self._known:
            rows = self.gradebook.db.query(BaseCell.id, BaseCell.name).filter_by(notebook_id=key)
            self._known[key] = {row.id: row.name for row in rows}
        return self._known[key]

    @cached_property
    def _late(self):
        from nbgrader.preprocessors import AssignLatePenalties

        late = AssignLatePenalties(config=self.course.config)
        late.init_plugin()
        return late

    def _penalty(self, student, notebook, submission):
        if submission.timestamp is None or submission.assignment.duedate is None:
            return None
        late = submission.total_seconds_late
        if late <= 0:
            return None
        self.gradebook.db.refresh(notebook)
        penalty = self._late.plugin_inst.late_submission_penalty(student, notebook.score, late)
        return None if penalty is None else min(max(penalty, 0), notebook.score)


def _points(submission):
    """What the gradebook counts for a submission, late penalties included; None where nothing is graded."""
    rows = [grade for notebook in submission.notebooks for grade in notebook.grades]
    if all(grade.auto_score is None and grade.manual_score is None for grade in rows):
        return None
    given = sum(
        (grade.auto_score or 0.0 if grade.manual_score is None else grade.manual_score) + (grade.extra_credit or 0.0)
        for grade in rows
    )
    return max(0.0, given - sum(notebook.late_submission_penalty or 0.0 for notebook in submission.notebooks))


def unchanged(cell: MasterCell, source: str) -> bool:
    """Whether a solution cell is as it was released: nbgrader's checksum, by its own function."""
    from nbformat import NotebookNode
    from nbgrader.utils import compute_checksum

    node = NotebookNode(
        cell_type=cell.cell_type, source=source, metadata=NotebookNode(nbgrader=NotebookNode(cell.marks))
    )
    checksum = cell.marks and cell.marks.get("checksum")
    return checksum is not None and checksum == compute_checksum(node)
