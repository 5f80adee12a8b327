"""Exports: nbgrader's, Canvas's and Moodle's files, quoted, and safe to open in a spreadsheet."""

import csv
import datetime
import io
import warnings

import pytest

from autograder.engine.store import gradebook
from autograder.engine.store.course import open_course
from autograder.errors import CourseError
from autograder.reports import export

api = pytest.importorskip("nbgrader.api")


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def course(request, tmp_path_factory):
    """A gradebook of two assignments and four students with awkward names, on each kind of database."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "release").mkdir()
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{folder / 'gradebook.db'}" if sqlite else request.getfixturevalue("postgres")()
    (folder / "nbgrader_config.py").write_text(f"c = get_config()\nc.CourseDirectory.db_url = {url!r}\n")
    with gradebook.alembic_on_path(), api.Gradebook(url) as book:
        book.add_student(
            "ada", first_name="Ada", last_name="King, Countess of Lovelace", email="ada@x.org", lms_user_id="17"
        )
        book.add_student("bob", first_name='Bob "the Builder"', last_name="Ünal")
        book.add_student("=1+1", first_name="@SUM(A1:A9)", last_name="-2", email="+x")
        book.add_student("late")
        for name in ("layers", "neurons"):
            book.add_assignment(name, duedate=datetime.datetime(2026, 11, 1))
            book.add_notebook("nb", name)
            book.add_grade_cell("check", "nb", name, max_score=3, cell_type="code")
            book.add_task_cell("task", "nb", name, max_score=2, cell_type="markdown")
        for student, automatic, manual in (
            ("ada", 3.0, 1.5),
            ("bob", 1.25, None),
            ("=1+1", 0.0, None),
            ("late", 2.0, None),
        ):
            with warnings.catch_warnings():
                # SQLAlchemy's, at what nbgrader does there
                warnings.simplefilter("ignore")
                submission = book.add_submission("neurons", student)
            submission.timestamp = datetime.datetime(2026, 10, 31, 12)
            notebook = submission.notebooks[0]
            notebook.late_submission_penalty = 5.0 if student == "late" else None
            for grade in notebook.grades:
                if grade.name == "check":
                    grade.auto_score = automatic
                else:
                    grade.manual_score = manual
        book.db.commit()
    return folder


def rows(text):
    return list(csv.reader(io.StringIO(text)))


def test_nbgraders_file_is_what_nbgrader_writes_but_quoted(course, tmp_path):
    from nbgrader.plugins import CsvExportPlugin

    plugin = CsvExportPlugin()
    plugin.to = str(tmp_path / "theirs.csv")
    with api.Gradebook(open_course(course).db_url) as book:
        plugin.export(book)
    theirs = (tmp_path / "theirs.csv").read_text(encoding="utf-8").splitlines()
    ours = rows(export.export(course))
    assert len(ours) == len(theirs) == 9
    assert ours[0] == theirs[0].split(",")
    for mine, line in zip(ours, theirs, strict=True):
        assert len(mine) == 11
        # nbgrader does not quote, so only joined by commas are the two alike
        assert ",".join(cell[1:] if cell.startswith("'") else cell for cell in mine) == line
    assert ["ada", "King, Countess of Lovelace"] in [row[3:5] for row in ours]


def test_canvas(course):
    header, possible, *students = rows(export.export(course, "neurons", "canvas"))
    assert header == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "neurons"]
    assert possible == ["    Points Possible", "", "", "", "", "5"]
    assert ["King, Countess of Lovelace, Ada", "17", "", "ada", "", "4.5"] in students
    assert ['Ünal, Bob "the Builder"', "", "", "bob", "", "1.25"] in students
    # A late hand-in cannot cost more than there is
    assert ["late", "", "", "late", "", "0"] in students


def test_moodle(course):
    header, *students = rows(export.export(course, None, "moodle"))
    assert header == ["Username", "ID number", "First name", "Last name", "Email address", "layers", "neurons"]
    # Nothing handed in means an empty grade, not 0
    assert ["ada", "17", "Ada", "King, Countess of Lovelace", "ada@x.org", "-", "4.5"] in students
    assert ["'=1+1", "'=1+1", "'@SUM(A1:A9)", "'-2", "'+x", "-", "0"] in students


@pytest.mark.parametrize("kind", export.FORMATS)
def test_nothing_in_a_file_is_a_formula(course, kind):
    for row in rows(export.export(course, None, kind)):
        assert not [cell for cell in row if cell.startswith(("=", "+", "@", "-")) and cell != "-"], row


def test_the_file_has_its_place_and_its_lines(course, tmp_path):
    path = export.write_export(course, "neurons", "canvas")
    assert path == course / "grades-canvas.csv"
    assert path.read_bytes().count(b"\r\n") == 6
    assert (
        export.write_export(course, None, "nbgrader", tmp_path / "x.csv").read_text(encoding="utf-8").count("neurons")
        == 4
    )


def test_what_is_wrong_is_said(course, tmp_path):
    with pytest.raises(CourseError, match="there is no format 'excel'; the formats are nbgrader, canvas, moodle"):
        export.export(course, None, "excel")
    with pytest.raises(CourseError, match="the gradebook knows no assignment 'nerons'"):
        export.export(course, "nerons")
    (tmp_path / "release").mkdir()
    with pytest.raises(CourseError, match="nothing is graded yet"):
        export.export(tmp_path)
