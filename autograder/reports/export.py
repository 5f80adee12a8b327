"""Grades for other systems, as CSV files that they import: nbgrader's own, Canvas, Moodle.

Every cell that a spreadsheet would run as a formula is made a text (`report.safe`).
"""

import csv
import io
from pathlib import Path

from ..engine.store.course import open_course
from ..engine.store.gradebook_reader import read_grades
from ..errors import CourseError
from .report import safe

FORMATS = ("nbgrader", "canvas", "moodle")


def nbgrader_rows(grades):
    """nbgrader's own columns (its `CsvExportPlugin`), which does not quote what it writes."""
    yield [
        *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"),
        *("raw_score", "late_submission_penalty", "score", "max_score"),
    ]
    for one in grades:
        yield [
            *(one.assignment, one.due, one.handed_in or "", one.student, one.last_name, one.first_name, one.email),
            *map(str, (one.raw, one.penalty, one.points, one.maximum)),
        ]


def canvas_rows(grades):
    """What Canvas's gradebook imports: five columns that say who, one for each assignment, a row of points possible.

    Canvas finds a student by its own ID (nbgrader's `lms_user_id`), else by the SIS login ID, which is the student's name
    in nbgrader; an assignment by its title, or by "title (id)". No hand-in leaves the cell empty: no grade.
    Source: canvas-lms, lib/gradebook_exporter.rb and lib/gradebook_importer.rb; Instructure, "How do I import grades in
    the Gradebook?".
    """
    names, students = _table(grades)
    yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *names]
    # The importer looks for these two words, and its exporter indents them
    yield ["    Points Possible", "", "", "", "", *(_maximum(grades, name) for name in names)]
    for who, scores in students:
        name = f"{who.last_name}, {who.first_name}".strip(", ") or who.student
        yield [name, who.lms_id, "", who.student, "", *(_points(scores.get(title), "") for title in names)]


def moodle_rows(grades):
    """What Moodle's grade import reads: map "ID number", "Username" or "Email address" to the user, the rest to grades.

    The ID number is nbgrader's `lms_user_id`, else the student's name in nbgrader. "-" is Moodle's word for no grade.
    Source: Moodle documentation, "Grade import", https://docs.moodle.org/405/en/Grade_import; grade/import/csv.
    """
    names, students = _table(grades)
    yield ["Username", "ID number", "First name", "Last name", "Email address", *names]
    for who, scores in students:
        row = [who.student, who.lms_id or who.student, who.first_name, who.last_name, who.email]
        yield [*row, *(_points(scores.get(title), "-") for title in names)]


def _table(grades):
    """(assignments, [(one of the student's grades, {assignment: grade})]) in the given order."""
    names = list(dict.fromkeys(one.assignment for one in grades))
    students = {}
    for one in grades:
        students.setdefault(one.student, (one, {}))[1][one.assignment] = one
    return names, list(students.values())


def _maximum(grades, name):
    return next(one.maximum for one in grades if one.assignment == name)


def _points(grade, missing):
    return missing if grade is None or grade.handed_in is None else grade.points


def export(folder, assignment=None, kind="nbgrader"):
    """The grades of one assignment, or of all where none is given, as the text of a CSV file."""
    if kind not in FORMATS:
        raise CourseError(f"there is no format {kind!r}; the formats are {', '.join(FORMATS)}")
    grades = read_grades(open_course(folder), assignment)
    rows = {"nbgrader": nbgrader_rows, "canvas": canvas_rows, "moodle": moodle_rows}[kind](grades)
    out = io.StringIO()
    csv.writer(out).writerows([safe(value) for value in row] for row in rows)
    return out.getvalue()


def write_export(folder, assignment=None, kind="nbgrader", to=None):
    """Write the file; returns its path, by default ``grades.csv`` or ``grades-<format>.csv`` in the course."""
    text = export(folder, assignment, kind)
    name = "grades.csv" if kind == "nbgrader" else f"grades-{kind}.csv"
    path = Path(to) if to else open_course(folder).root / name
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
    return path
