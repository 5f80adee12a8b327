"""Where everybody stands, on the screen and for a script, and what an export says before its grades are final."""

import datetime
import json

import classes
import pytest
from test_cli import dlcourse

from autograder.engine.run import grade_class
from autograder.engine.store import gradebook
from autograder.engine.store.course import open_course

pytest.importorskip("nbgrader")
LATE = "2026-11-20 10:05:00 UTC"


@pytest.fixture
def held(course):
    """ada and alan are graded, alan late; bob hands in again; eve is not graded, mallory cannot be; grace does nothing."""
    from nbgrader.api import Gradebook

    with gradebook.alembic_on_path(), Gradebook(open_course(course).db_url) as book:
        book.update_or_create_assignment(classes.NAME, duedate=datetime.datetime(2026, 11, 18, 8))
        book.add_student("grace", first_name="Grace", last_name="Hopper")
        book.add_student("ada", first_name="Ada", last_name="Lovelace")
    nothing_written = {key: value for key, value in classes.RIGHT_ANSWERS.items() if key != "why"}
    classes.hand_in(course, "ada", classes.answered(course, classes.RIGHT_ANSWERS), "2026-11-17 10:00:00 UTC")
    classes.hand_in(course, "alan", classes.answered(course, nothing_written), LATE)
    classes.hand_in(course, "bob", classes.answered(course, nothing_written))
    assert grade_class(open_course(course), classes.NAME, workers=1, grader=classes.FakeGrader).complete
    classes.hand_in(course, "bob", classes.answered(course, classes.RIGHT_ANSWERS))
    classes.hand_in(course, "eve", classes.answered(course, classes.RIGHT_ANSWERS), "2026-11-17 10:00:00 CST")
    (course / "submitted" / " mallory" / classes.NAME).mkdir(parents=True)
    return course


def test_status_says_where_everybody_stands(held):
    status, out, err = dlcourse("status", classes.NAME, "--course", held)
    assert (status, err) == (0, "")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in out.splitlines() if line.startswith("|")]
    assert rows[1:] == [
        ["ada", "Ada Lovelace", "graded", "2026-11-17 10:00", "", "5", "2 answers to read"],
        ["alan", "", "graded", "2026-11-20 10:05", "2 days 2 h", "5", "1 answer to read"],
        ["bob", "", "handed in again since", "", "", "5", "1 answer to read"],
        ["eve", "", "not graded", "", "", "", ""],
        ["grace", "Grace Hopper", "nothing handed in", "", "", "", ""],
    ]
    assert out.splitlines()[-2:] == [
        "refused: the folder ' mallory': nbgrader strips spaces at the ends of a name",
        "small, due 2026-11-18 08:00 UTC: 5 students, 4 handed in (1 late), 2 graded, 3 waiting for a person, 1 without "
        "a submission",
    ]


def test_an_extension_moves_what_is_late(held):
    from nbgrader.api import Gradebook

    with Gradebook(open_course(held).db_url) as book:
        book.grant_extension(classes.NAME, "alan", days=3)
    found = json.loads(dlcourse("status", classes.NAME, "--course", held, "--json")[1])
    assert {one["student"]: one["late"] for one in found["students"] if one["late"]} == {}
    assert {key: found[key] for key in ("students", "handed_in", "late", "graded", "nothing_handed_in")} == {
        "students": found["students"],
        "handed_in": 4,
        "late": 0,
        "graded": 2,
        "nothing_handed_in": 1,
    }


def test_an_export_says_whose_points_may_still_change(held):
    status, out, err = dlcourse("export", classes.NAME, "--course", held, "--to", "-")
    assert status == 0
    assert err.splitlines() == [
        "small: 3 students wait for a person (why: dlcourse status small), so the points may change: ada, alan, bob",
        "small: 1 student has no grade yet; run dlcourse grade small: eve",
        "small: 1 student has handed in again since; run dlcourse grade small: bob",
        "small: 1 student has handed in nothing: grace",
    ]
    assert [line.split(",")[3] for line in out.splitlines()[1:]] == ["alan", "bob", "grace", "ada"]
