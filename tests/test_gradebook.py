"""The gradebook holds what plain nbgrader would have written, on SQLite and on PostgreSQL, and what people gave stays."""

import shutil
from pathlib import Path

import classes
import pytest

from autograder.engine.run import grade_class
from autograder.engine.store import gradebook
from autograder.engine.store.course import open_course

LATE = "\nfrom nbgrader.plugins import LateSubmissionPlugin\nc.LateSubmissionPlugin.penalty_method = 'zero'\n"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def place(request, course, released_course):
    """The small course on each kind of database."""
    if request.param == "sqlite":
        return course
    url = request.getfixturevalue("postgres")()
    with (course / "nbgrader_config.py").open("a") as file:
        file.write(f"\nc.CourseDirectory.db_url = {url!r}\nc.NbGrader.db_url = {url!r}\n")
    # Releasing is what puts the assignment into the database
    import nbformat

    from autograder import demo

    shutil.rmtree(course / "release")
    nbformat.write(classes.notebook(), course / "source" / classes.NAME / f"{classes.NAME}.ipynb")
    with gradebook.alembic_on_path(), demo.nbgrader_api(course) as api:
        assert api.generate_assignment(classes.NAME, force=True, create=True)["success"]
    return course


def grade(place, **options):
    options.setdefault("workers", 1)
    return grade_class(open_course(place), classes.NAME, grader=classes.FakeGrader, **options)


def test_scores_comments_and_what_waits(place):
    classes.hand_in(place, "ada", classes.answered(place, classes.RIGHT_ANSWERS))
    classes.hand_in(place, "alan", classes.answered(place, classes.HALF), "2026-11-21 12:00:00 UTC")
    classes.hand_in(place, "untouched", classes.released(place))
    summary = grade(place)
    assert summary.complete and len(summary.graded) == 3
    scores, comments, penalties = classes.grades(place)
    assert scores["ada", "neurons-preactivation-check"] == (1.0, None, None, False)
    assert scores["ada", "double-test"] == (3.0, None, None, False)
    assert scores["ada", "why"] == (None, None, None, True) and scores["ada", "draw"] == (None, None, None, True)
    assert scores["alan", "neurons-perceptron_predict-check"][0] == 0.0
    assert scores["untouched", "why"] == (0.0, None, None, False)
    assert scores["untouched", "double-test"] == (0.0, None, None, False)
    assert comments["untouched", "double"] == ("No response.", None)
    assert comments["ada", "double"] == (None, None) and comments["ada", "draw"] == (None, None)
    assert penalties["alan"] == (None, "2026-11-21 12:00:00") or penalties["alan"][1].startswith("2026-11-21 12:00:00")


def test_what_a_person_gave_stays(place):
    from nbgrader.api import Gradebook

    classes.hand_in(place, "ada", classes.answered(place, classes.HALF))
    grade(place)
    with Gradebook(open_course(place).db_url, "dlcourse") as book:
        written = book.find_grade("why", classes.NAME, classes.NAME, "ada")
        written.manual_score, written.extra_credit, written.needs_manual_grade = 1.5, 0.25, False
        checked = book.find_grade("neurons-perceptron_predict-check", classes.NAME, classes.NAME, "ada")
        checked.manual_score = 0.5
        drawn = book.find_grade("draw", classes.NAME, classes.NAME, "ada")
        drawn.manual_score, drawn.needs_manual_grade = 1.0, False
        book.find_comment("why", classes.NAME, classes.NAME, "ada").manual_comment = "well said"
        book.db.commit()
    classes.hand_in(place, "ada", classes.answered(place, classes.RIGHT_ANSWERS))
    assert grade(place).graded == ["ada"]
    scores, comments, _ = classes.grades(place)
    assert scores["ada", "why"] == (None, 1.5, 0.25, True)
    # As nbgrader has it: the person's score counts, and asks to be looked at again
    assert scores["ada", "neurons-perceptron_predict-check"] == (1.0, 0.5, None, True)
    assert scores["ada", "draw"] == (None, 1.0, None, False)
    assert comments["ada", "why"] == (None, "well said")
    with Gradebook(open_course(place).db_url, "dlcourse") as book:
        assert book.find_submission(classes.NAME, "ada").score == 1 + 0.5 + 3 + 1.75 + 1


def test_late_submissions_lose_what_the_plugin_says(place):
    from nbgrader.api import Gradebook

    with (place / "nbgrader_config.py").open("a") as file:
        file.write(LATE)
    with Gradebook(open_course(place).db_url, "dlcourse") as book:
        book.update_or_create_assignment(classes.NAME, duedate="2026-11-20 12:00:00 UTC")
    answers = classes.answered(place, classes.RIGHT_ANSWERS)
    for student, time in (
        ("late", "2026-11-20 12:00:01 UTC"),
        ("early", "2026-11-20 11:00:00 UTC"),
        ("bad", "soon"),
        ("none", ""),
    ):
        classes.hand_in(place, student, answers, time)
    assert [student for student, why in grade(place).needs_review if "timestamp.txt" in why] == ["bad"]
    penalties = classes.grades(place)[2]
    assert penalties["late"][0] == 5.0 and penalties["early"][0] is None and penalties["none"] == (None, "None")


def test_a_missing_and_a_broken_notebook_count_nothing(place):
    classes.hand_in(place, "missing", "x", name="readme").joinpath("readme.ipynb").rename(
        place / "submitted" / "missing" / classes.NAME / "readme.txt"
    )
    classes.hand_in(place, "broken", "{")
    summary = grade(place)
    assert summary.complete and {student for student, _ in summary.needs_review} == {"missing", "broken"}
    scores = classes.grades(place)[0]
    assert all(scores["missing", cell] == (0.0, None, None, False) for _, cell in scores)
    assert all(scores["broken", cell] == (0.0, None, None, True) for _, cell in scores)
    folder = place / "autograded" / "broken" / classes.NAME
    assert "Not graded" in (folder / f"{classes.NAME}.ipynb").read_text()


def test_names_that_hurt_are_only_names(place):
    names = ["<script>alert(1)</script>".replace("/", "∕"), "'; drop table student; --", "李 四", "a+b@example.com"]
    for name in names:
        classes.hand_in(place, name, classes.answered(place, classes.RIGHT_ANSWERS))
    (place / "submitted" / "line\nbreak" / classes.NAME).mkdir(parents=True)
    summary = grade(place)
    assert summary.graded == sorted(names) and list(summary.refused) == ["line\nbreak"] and not summary.complete
    assert {student for student, _ in classes.grades(place)[0]} == set(names)


def test_half_a_submission_is_never_written(place, monkeypatch):
    classes.hand_in(place, "ada", classes.answered(place, classes.RIGHT_ANSWERS))
    monkeypatch.setattr(gradebook.Writer, "_comments", lambda *_: (_ for _ in ()).throw(gradebook_error()))
    summary = grade(place)
    assert not summary.complete and summary.failed == {"ada": "graded, but not in the gradebook yet"}
    assert "Nothing is lost" in summary.problem and classes.grades(place) == ({}, {}, {})
    monkeypatch.undo()
    summary = grade(place)
    assert summary.written == ["ada"] and not summary.graded and summary.complete
    assert classes.grades(place)[0]["ada", "double-test"][0] == 3.0


def gradebook_error():
    from sqlalchemy.exc import OperationalError

    return OperationalError("insert", {}, Exception("database is locked"))


def test_nbgraders_own_tools_read_what_is_written(place):
    """Its feedback and its exporter, on what it would have made itself."""
    from autograder import demo

    classes.hand_in(place, "ada", classes.answered(place, classes.HALF))
    grade(place)
    folder = place / "autograded" / "ada" / classes.NAME
    assert sorted(path.name for path in folder.iterdir()) == ["data.txt", f"{classes.NAME}.ipynb"]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        0o600
    } and folder.stat().st_mode & 0o777 == 0o700
    with demo.nbgrader_api(place) as api:
        assert api.generate_feedback(classes.NAME, "ada", force=True)["success"]
        assert api.get_autograded_students(classes.NAME) == {"ada"}
        (row,) = [row for row in api.get_submissions(classes.NAME) if row["student"] == "ada"]
        assert (row["score"], row["max_score"], row["needs_manual_grade"]) == (4.0, 8.0, True)
    page = (place / "feedback" / "ada" / classes.NAME / f"{classes.NAME}.html").read_text()
    assert "Score: 4.0 / 8.0" in page


def test_the_notebook_says_the_same_as_the_gradebook(course):
    import nbformat
    from nbgrader.nbgraderformat import MetadataValidator
    from nbgrader.utils import determine_grade, is_grade

    answers = classes.RIGHT_ANSWERS | {"double": "import sys\ndef double(x):\n    print('hm')\n    return 2 * x"}
    classes.hand_in(course, "ada", classes.answered(course, answers))
    grade(course)
    notebook = nbformat.read(course / "autograded" / "ada" / classes.NAME / f"{classes.NAME}.ipynb", as_version=4)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    scores = classes.grades(course)[0]
    found = {cell.metadata.nbgrader.grade_id: determine_grade(cell)[0] for cell in notebook.cells if is_grade(cell)}
    assert found == {cell: score[0] for (_, cell), score in scores.items() if cell != "draw"}
    streams = [
        output for cell in notebook.cells for output in cell.get("outputs", []) if output.output_type == "stream"
    ]
    assert streams and {stream.name for stream in streams} == {"stdout"}


ADDRESSES = {
    "sqlite:////nowhere/at/all.db": "no gradebook at",
    "postgresql+psycopg://teacher:geheim@127.0.0.1:1/x": "cannot be used",
    "nonsense": "cannot be used",
    "mysql+nothing://x": "cannot be used",
}


@pytest.mark.parametrize("url", ADDRESSES)
def test_a_database_that_cannot_be_reached_says_so_without_its_password(url):
    with pytest.raises(Exception, match=ADDRESSES[url]) as caught:
        gradebook.saved_cells(url, "small")
    assert type(caught.value).__name__ in ("GradebookError", "CourseError") and "geheim" not in str(caught.value)


def test_a_locked_gradebook_loses_nothing(course):
    import sqlite3

    classes.hand_in(course, "ada", classes.answered(course, classes.RIGHT_ANSWERS))
    config = Path(course / "nbgrader_config.py")
    # Wait a moment instead of SQLite's five seconds
    config.write_text(
        config.read_text() + "\nc.CourseDirectory.db_url = f'sqlite:///{course}/gradebook.db?timeout=0.1'\n"
    )
    with sqlite3.connect(course / "gradebook.db", isolation_level=None) as other:
        other.execute("begin immediate")
        summary = grade(course)
        other.execute("rollback")
    other.close()
    assert "locked by another program" in summary.problem and not summary.complete
    summary = grade(course)
    assert summary.written == ["ada"] and summary.complete and not summary.graded
    assert classes.grades(course)[0]["ada", "double-test"][0] == 3.0


HOSTILE = {
    "<script>alert(1)</script>": "<script>alert",
    "<img src=x onerror=alert(2)>": "onerror=",
    "<svg onload=alert(3)></svg>": "<svg onload",
    "[here](javascript:alert(4))": 'href="javascript:',
    "<iframe src='https://example.com'></iframe>": "<iframe src=",
    "<div style='position:fixed' id='hijack'>x</div>": 'id="hijack"',
    "![seen](https://example.com/pixel.png)": 'src="https://example.com',
}


@pytest.fixture
def eve(course):
    """A graded submission that is full of HTML."""
    notebook = classes.answered(course, classes.RIGHT_ANSWERS | {"why": "\n\n".join(HOSTILE) + "\n\n$a<b$, **bold**"})
    notebook["cells"].insert(3, {"cell_type": "markdown", "metadata": {}, "source": "\n\n".join(HOSTILE)})
    classes.hand_in(course, "eve", notebook)
    grade(course)
    return course


def harmless(page):
    assert "<strong>bold</strong>" in page and "$a&lt;b$" in page
    for source, trace in HOSTILE.items():
        assert trace not in page, source


def test_what_a_student_writes_runs_nothing_in_feedback(eve):
    from autograder import demo

    with demo.nbgrader_api(eve) as api:
        assert api.generate_feedback(classes.NAME, "eve", force=True)["success"]
    harmless((eve / "feedback" / "eve" / classes.NAME / f"{classes.NAME}.html").read_text())


def test_what_a_student_writes_runs_nothing_in_formgrader(eve):
    from nbconvert.exporters import HTMLExporter
    from nbgrader.server_extensions.formgrader.handlers import template_path
    from traitlets.config import Config

    config = Config(open_course(eve).config)
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [template_path]
    words = ("notebook_id", "base_url", "submission_id", "last_name", "first_name", "notebook_path", "student")
    resources = dict.fromkeys(words, "x") | {"index": 0, "total": 1, "assignment_id": "x"}
    path = eve / "autograded" / "eve" / classes.NAME / f"{classes.NAME}.ipynb"
    page, _ = HTMLExporter(config=config).from_filename(str(path), resources=resources)
    harmless(page)
