"""A term: released, graded, changed, graded again. What changes is noticed and said, what a person has done stays."""

import datetime
import shutil

import classes
import pytest
from nbgrader.api import Gradebook
from test_grade import grade

from autograder.commands import grade as command
from autograder.engine.store.course import open_course
from autograder.engine.store.gradebook_reader import read_grades
from autograder.reports.report import make_report
from autograder.reports.status import make_status

LATE = "2026-11-03 12:30:00 UTC"


@pytest.fixture
def gradebook(course):
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as opened:
        yield opened


def hand_in(course, student, answers, when=""):
    classes.hand_in(course, student, classes.answered(course, answers), when)


def points(course):
    return {one.student: one.points for one in read_grades(open_course(course), classes.NAME)}


def said(capsys, summary):
    command._print(summary)
    return capsys.readouterr().out.splitlines()


def test_a_better_version_is_a_line_with_the_points_before_and_after(course, capsys):
    hand_in(course, "ada", classes.RIGHT_ANSWERS)
    hand_in(course, "alan", classes.HALF)
    assert grade(course).changed == {}
    before = points(course)
    hand_in(course, "alan", classes.RIGHT_ANSWERS)
    summary = grade(course)
    now = points(course)
    assert summary.changed == {"alan": (before["alan"], now["alan"])}
    assert now["alan"] == now["ada"] > before["alan"]
    lines = said(capsys, summary)
    assert lines[0].startswith("small: 1 graded, 1 changed, 1 had nothing new, in ")
    assert f"changed: alan: {before['alan']:g} before, {now['alan']:g} now" in lines


def test_a_new_due_date_is_noticed_without_grading_again(course, gradebook):
    with (course / "nbgrader_config.py").open("a") as file:
        file.write("\nc.LateSubmissionPlugin.penalty_method = 'zero'\n")
    hand_in(course, "ada", classes.RIGHT_ANSWERS, LATE)
    grade(course)
    whole = points(course)["ada"]
    for due, expected in ((datetime.datetime(2026, 11, 1), 0.0), (datetime.datetime(2026, 11, 30), whole)):
        gradebook.update_or_create_assignment(classes.NAME, duedate=due)
        summary = grade(course, grader=None)
        assert (summary.graded, summary.written) == ([], ["ada"])
        assert points(course)["ada"] == expected
        assert summary.changed == {"ada": (whole - expected, expected)}
        assert grade(course, grader=None).unchanged == 1


def test_another_late_policy_is_noticed(course, gradebook):
    gradebook.update_or_create_assignment(classes.NAME, duedate=datetime.datetime(2026, 11, 1))
    hand_in(course, "ada", classes.RIGHT_ANSWERS, LATE)
    grade(course)
    whole = points(course)["ada"]
    with (course / "nbgrader_config.py").open("a") as file:
        file.write("\nc.LateSubmissionPlugin.penalty_method = 'zero'\n")
    assert grade(course, grader=None).changed == {"ada": (whole, 0.0)}


def test_other_points_of_a_cell_are_noticed(course, gradebook):
    hand_in(course, "ada", classes.RIGHT_ANSWERS)
    grade(course)
    before = points(course)["ada"]
    gradebook.update_or_create_grade_cell("double-test", classes.NAME, classes.NAME, max_score=5, cell_type="code")
    summary = grade(course)
    assert (summary.graded, summary.changed) == (["ada"], {"ada": (before, before + 2)})


def test_points_given_by_hand_stay_and_a_better_score_below_them_is_said(course, gradebook, capsys):
    hand_in(course, "ada", classes.RIGHT_ANSWERS | {"double": "def double(x):\n    return x"})
    assert grade(course).hiding == []
    given = gradebook.find_grade("double-test", classes.NAME, classes.NAME, "ada")
    given.manual_score = 1.0
    gradebook.db.commit()
    before = points(course)["ada"]
    hand_in(course, "ada", classes.RIGHT_ANSWERS)
    summary = grade(course)
    assert summary.hiding == [("ada", "double-test", 1.0, 3.0)]
    assert (points(course)["ada"], summary.changed) == (before, {})
    assert (
        "given by hand: ada: 1 points for double-test stay, the machine now gives 3; clear them in formgrader if these are right"
    ) in said(capsys, summary)


def test_a_removed_student_stays_removed_until_a_person_adds_them(course, gradebook, capsys):
    for student in ("ada", "alan", "grace"):
        hand_in(course, student, classes.RIGHT_ANSWERS)
    grade(course)
    gradebook.remove_student("alan")
    hand_in(course, "alan", classes.HALF)
    summary = grade(course, grader=None)
    assert (summary.removed, summary.unchanged) == (["alan"], 2)
    assert sorted(points(course)) == ["ada", "grace"]
    status = make_status(course, classes.NAME)
    assert [(one.student, one.state) for one in status.students] == [
        ("ada", "graded"),
        ("alan", "removed from the gradebook"),
        ("grace", "graded"),
    ]
    assert (status.counts["students"], status.counts["handed_in"], status.counts["graded"]) == (2, 2, 2)
    report = make_report(course, classes.NAME)
    assert [one.student for one in report.submissions] == ["ada", "grace"]
    assert report.left_open == {"alan": "removed from the gradebook, so left out of this report"}
    assert (
        "removed: alan was removed from the gradebook, so nothing is graded; to have them back: nbgrader db student add alan"
    ) in said(capsys, summary)
    gradebook.add_student("alan")
    assert grade(course).graded == ["alan"]
    assert sorted(points(course)) == ["ada", "alan", "grace"]


def test_a_lost_gradebook_is_written_again_even_where_that_is_cut_short(course, tmp_path_factory):
    empty = tmp_path_factory.mktemp("empty") / "gradebook.db"
    shutil.copy(course / "gradebook.db", empty)
    for student in ("ada", "alan", "grace"):
        hand_in(course, student, classes.RIGHT_ANSWERS)
    grade(course)
    shutil.copy(empty, course / "gradebook.db")
    # As after a run that was killed: one is written, the others are not removed for that
    assert grade(course, students=["grace"], grader=None).written == ["grace"]
    summary = grade(course, grader=None)
    assert (summary.written, summary.removed, summary.unchanged) == (["ada", "alan"], [], 1)
