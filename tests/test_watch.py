"""Grading on submission: a queue, its limits, nothing twice, a clean stop, the exchange."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import classes
import pytest
from test_cli import dlcourse

from autograder.commands import watch as command
from autograder.engine import watch
from autograder.engine.run import grade_class
from autograder.engine.store.course import open_course
from autograder.engine.store.journal import Journal, latest_records
from autograder.engine.tasks import Settings
from autograder.engine.watch import RETRY, Arrivals
from autograder.errors import EngineFault

pytest.importorskip("nbgrader")


class Counted(classes.FakeGrader):
    """Counts how many graders were started, and what they graded."""

    started, graded = 0, ()

    def __enter__(self):
        type(self).started += 1
        return self

    def grade(self, task):
        type(self).graded += (task.student,)
        return super().grade(task)


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def watching(course, monkeypatch):
    """(the course, a watch on it that counts, its clock)."""
    monkeypatch.setattr(Counted, "started", 0)
    monkeypatch.setattr(Counted, "graded", ())
    clock = Clock()
    with Arrivals(open_course(course), [classes.NAME], Settings(), 60.0, clock, Counted) as made:
        yield course, made, clock


def hand_in(course, student, words=""):
    answers = classes.RIGHT_ANSWERS | {"why": f"Because. {words}"}
    return classes.hand_in(course, student, classes.answered(course, answers))


def look_twice(made):
    made.look()
    made.look()


def students(summaries):
    return [summary.graded for summary in summaries]


def test_what_arrives_is_graded_once_and_the_longest_waiting_first(watching):
    course, made, clock = watching
    hand_in(course, "zoe")
    made.look()
    clock.now = 1.0
    hand_in(course, "ada")
    made.look()
    # zoe's folder looked the same twice; a copy of ada's may be under way
    assert students(made.grade()) == [["zoe"]] and [student for _, student in made.queue] == ["ada"]
    made.look()
    assert students(made.grade()) == [["ada"]]
    look_twice(made)
    assert students(made.grade()) == [] and made.queue == {}
    assert (Counted.started, Counted.graded) == (1, ("zoe", "ada"))


def test_a_copy_under_way_is_waited_for(watching):
    course, made, _ = watching
    folder = hand_in(course, "ada")
    made.look()
    for size in (1, 2):
        (folder / "data.bin").write_bytes(bytes(size))
        made.look()
        assert students(made.grade()) == []
    made.look()
    assert students(made.grade()) == [["ada"]]


def test_nobody_holds_up_the_others(watching):
    course, made, clock = watching
    hand_in(course, "eager")
    look_twice(made)
    assert students(made.grade()) == [["eager"]]
    hand_in(course, "eager", "again")
    hand_in(course, "patient")
    clock.now = 59.0
    look_twice(made)
    assert students(made.grade()) == [["patient"]]
    clock.now = 60.0
    assert students(made.grade()) == [["eager"]]
    assert Counted.graded == ("eager", "patient", "eager")


def test_at_most_a_batch_before_the_next_look(watching, monkeypatch):
    course, made, _ = watching
    monkeypatch.setattr(watch, "BATCH", 2)
    for student in ("a", "b", "c"):
        hand_in(course, student)
    look_twice(made)
    assert students(made.grade()) == [["a", "b"]] and students(made.grade()) == [["c"]]


def test_what_is_graded_already_is_not_graded_again(watching):
    course, made, _ = watching
    hand_in(course, "ada")
    assert grade_class(open_course(course), classes.NAME, workers=1, grader=classes.FakeGrader).graded == ["ada"]
    look_twice(made)
    (summary,) = made.grade()
    assert (summary.graded, summary.unchanged, made.queue) == ([], 1, {}) and Counted.graded == ()


def test_another_run_is_waited_for(watching):
    course, made, clock = watching
    hand_in(course, "ada")
    look_twice(made)
    with Journal(open_course(course), classes.NAME):
        (summary,) = made.grade()
    assert summary.problem.startswith("another run is grading this course (process ")
    assert students(made.grade()) == []
    clock.now = RETRY
    assert students(made.grade()) == [["ada"]]


def test_what_a_submission_makes_fail_is_not_tried_until_it_changes(watching):
    course, made, clock = watching
    classes.hand_in(course, "eve", classes.answered(course, {"double": "engine_fault"}))
    look_twice(made)
    (summary,) = made.grade()
    assert summary.failed == {"eve": str(EngineFault("the machine failed"))}
    clock.now = 1000.0
    look_twice(made)
    assert list(made.grade()) == []
    hand_in(course, "eve")
    look_twice(made)
    assert students(made.grade()) == [["eve"]]


def test_what_is_taken_back_leaves_the_queue(watching):
    course, made, _ = watching
    hand_in(course, "ada")
    made.look()
    shutil.rmtree(course / "submitted" / "ada")
    made.look()
    assert made.queue == {} and list(made.grade()) == []


# --- the command ------------------------------------------------------------------------------------------------------


def inbound(course, student, moment, words="", claimed=None):
    """Lay a submission into the exchange as nbgrader's `submit` does."""
    folder = course / "exchange" / "dlcourse" / "inbound" / f"{claimed or student}+{classes.NAME}+{moment} UTC+secret"
    shutil.copytree(hand_in(course, student, words), folder)
    shutil.rmtree(course / "submitted")
    (folder / "timestamp.txt").write_text(f"{moment} UTC")
    (folder / "submission_secret.txt").write_text("a secret")
    return folder


@pytest.mark.slow
# nbgrader leaves a timestamp.txt open
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_once_collects_grades_and_hands_back(course, monkeypatch):
    monkeypatch.setattr(command, "Arrivals", lambda *given: Arrivals(*given, grader=classes.FakeGrader))
    for name in ("inbound", "feedback"):
        (course / "exchange" / "dlcourse" / name).mkdir(parents=True)
    inbound(course, "ada", "2026-11-20 10:00:00.000000")
    options = ["watch", classes.NAME, "--course", course, "--once", "--feedback"]
    status, out, err = dlcourse(*options)
    lines = [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in out.splitlines()]
    # nbgrader compares the student's name with the file's owner
    assert lines[0] == f"watching small in {course}" and "ada but is owned by" in lines[1]
    assert (status, err, lines[2:]) == (0, "", ["small: ada: 5 of 8 points, with answers to read"])
    (record,) = latest_records(open_course(course), classes.NAME)
    assert record.submitted == "2026-11-20T10:00:00+00:00"
    (page,) = (course / "exchange" / "dlcourse" / "feedback").rglob("*.html")
    assert "Feedback for ada" in page.read_text(encoding="utf-8")
    assert len(dlcourse(*options)[1].splitlines()) <= 2, "nothing twice"


def test_wrong_calls(course):
    why = "error: --every and --pause: expected seconds, got -1\n"
    assert dlcourse("watch", "--course", course, "--every", "-1") == (2, "", why)
    status, _, err = dlcourse("watch", "smal", "--course", course)
    assert (status, err) == (2, "error: there is no assignment 'smal'; did you mean 'small'?\n")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly(course, number):
    script = (
        "import sys, classes; from autograder.commands import watch; from autograder.engine.watch import Arrivals; "
        "watch.Arrivals = lambda *given: Arrivals(*given, grader=classes.Unhurried); "
        "sys.exit(watch.main(['small'], sys.argv[1], every=0.1))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    for student in ("ada", "alan", "bob"):
        hand_in(course, student)
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(course)], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert "watching small" in process.stdout.readline()
    end = time.monotonic() + 60
    while not list(latest_records(open_course(course), classes.NAME)) and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    stopped = "Stopped. What is graded is safe; the next watch begins where this one ended."
    assert out.splitlines()[-1].endswith(stopped)
    before = {record.student for record in latest_records(open_course(course), classes.NAME)}
    summary = grade_class(open_course(course), classes.NAME, workers=1, grader=classes.FakeGrader)
    assert summary.complete and not before & set(summary.graded) and len(before | set(summary.graded)) == 3
