"""What one submission, or the machine, can do at any step: that submission stays open with a reason, the class goes on."""

import base64
import contextlib
import dataclasses
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import classes
import pytest
import records
from attacks import hostile

from autograder.commands import grade as command
from autograder.engine import assemble, ingest, run, scratch
from autograder.engine.grader import SHOWN, Grader, clean, clean_error, limited
from autograder.engine.ingest import notebook, parse
from autograder.engine.ingest.match import NEAREST, _most_alike
from autograder.engine.run import grade_class
from autograder.engine.store import gradebook
from autograder.engine.store.course import open_course
from autograder.engine.store.journal import Journal, latest_records, left_open
from autograder.engine.tasks import CODE, EXERCISE, TEXT, Settings, Step, Task
from autograder.errors import EngineFault
from autograder.reports import feedback, report

ENVIRONMENT = os.environ | {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONPATH": str(Path(__file__).parent),
}
ROOT = Path(__file__).resolve().parents[1]
STUDENTS = ("ada", "eve", "zoe")


def grade(folder, **options):
    options = {"workers": 1, "grader": classes.FakeGrader} | options
    return grade_class(open_course(folder), classes.NAME, **options)


@pytest.fixture
def three(course):
    for student in STUDENTS:
        classes.hand_in(course, student, classes.answered(course, classes.RIGHT_ANSWERS))
    return course


# --- every step that a submission goes through ----------------------------------------------------------------------

# Where its files, its cells, its results or its record reach code: what is raised there is said of it alone
STEPS = {
    "ingest.read_submission": (ingest, "read_submission", "reading it"),
    "ingest.fit": (ingest, "fit", "reading it"),
    "ingest.rebuild_submission": (ingest, "rebuild_submission", "reading it"),
    "ingest.make_tasks": (ingest, "make_tasks", "reading it"),
    "the grader": (classes.FakeGrader, "grade", "the grader failed"),
    "assemble.record_of": (assemble, "record_of", "keeping its results"),
    "assemble.assemble": (assemble, "assemble", "keeping its results"),
    "assemble.stage": (assemble, "stage", "keeping its results"),
    "Journal.append": (Journal, "append", "keeping its results"),
    "Writer.write": (gradebook.Writer, "write", "keeping its results"),
    "assemble.publish": (assemble, "publish", "keeping its results"),
    "Journal.mark_written": (Journal, "mark_written", "keeping its results"),
}
ERRORS = (
    ValueError("bad\nvalue"),
    RecursionError("deep"),
    PermissionError(13, "no"),
    MemoryError(),
    UnicodeError("\udcff"),
)


def test_every_step_stands_in_the_table():
    """What `run` calls of the rooms that see a submission's files, cells and results."""
    import ast
    import inspect

    called = set()
    for node in ast.walk(ast.parse(inspect.getsource(run))):
        if isinstance(node, ast.ImportFrom) and node.module == "assemble":
            called |= {f"assemble.{alias.name}" for alias in node.names}
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            called.add(f"{node.func.value.id}.{node.func.attr}")
    called = {name for name in called if name.split(".")[0] in ("ingest", "assemble")}
    # Of the course and not of a submission; and what a run does with what an earlier one has left, which has its own test
    assert called - STEPS.keys() == {
        "ingest.load_assignment",
        "ingest.not_handed_in",
        "assemble.has_key",
        "assemble.staged_folder",
    }


def is_of(student, arguments):
    """Whether a call is about this student."""
    found = [getattr(one, "student", one) for one in arguments]
    return student in found


def breaking(monkeypatch, place, name, student, error, after=0):
    """Make a function raise for one student, after so many calls for it."""
    real, calls = getattr(place, name), []

    def broken(*args, **kwargs):
        if is_of(student, args):
            calls.append(args)
            if len(calls) > after:
                raise error
        return real(*args, **kwargs)

    monkeypatch.setattr(place, name, broken)


@pytest.mark.parametrize("step", STEPS)
def test_what_one_submission_raises_at_a_step_stops_nobody_else(three, step, monkeypatch):
    place, name, said = STEPS[step]
    number = list(STEPS).index(step)
    error = ERRORS[number % len(ERRORS)]
    # The first reading is the one for the key
    breaking(monkeypatch, place, name, "eve", error, after=1 if name == "read_submission" else 0)
    events = []
    summary = grade(three, on_event=lambda *event: events.append(event[:2]))
    assert set(summary.failed) == {"eve"} and not summary.problem and not summary.complete
    assert said in summary.failed["eve"] and type(error).__name__ in summary.failed["eve"]
    assert {student for student, _ in classes.grades(three)[0]} >= {"ada", "zoe"}
    assert events[0][0] == "begin" and {student for _, student in events[1:]} == set(STUDENTS)
    assert left_open(open_course(three), classes.NAME) == summary.failed
    made = report.make_report(three, classes.NAME)
    assert made.left_open == summary.failed
    assert "eve" in report.to_page(made) and json.loads(report.to_json(made))["left_open"] == summary.failed
    monkeypatch.undo()
    again = grade(three)
    assert again.complete and {student for student, _ in classes.grades(three)[0]} == set(STUDENTS)
    assert left_open(open_course(three), classes.NAME) == {}


def _raise(error):
    raise error


def test_a_step_that_takes_too_long_is_given_up(three, monkeypatch):
    real = ingest.rebuild_submission

    def slow(assignment, submission):
        if submission.student == "eve":
            while True:
                time.sleep(0.01)
        return real(assignment, submission)

    monkeypatch.setattr(run, "STEP_SECONDS", 0.5)
    monkeypatch.setattr(ingest, "rebuild_submission", slow)
    summary = grade(three)
    assert summary.failed == {"eve": "reading it took longer than 0.5 s: a person has to look at it"}
    assert sorted(summary.graded) == ["ada", "zoe"]


def test_what_an_earlier_run_left_is_finished_one_by_one(three, monkeypatch):
    grade(three)
    (three / "records" / f"{classes.NAME}.written").unlink()
    breaking(monkeypatch, assemble, "has_key", "eve", ValueError("odd"))
    monkeypatch.setattr(
        assemble, "publish", lambda course, student, name: _raise(OSError(5, "input")) if student == "eve" else None
    )
    summary = grade(three, grader=None)
    assert set(summary.failed) == {"eve"} and sorted(summary.written) == ["ada", "zoe"]


@pytest.mark.parametrize("kind", ["DataError", "IntegrityError"])
def test_a_record_that_the_database_refuses_is_the_only_one(three, kind, monkeypatch):
    import sqlalchemy

    error = getattr(sqlalchemy.exc, kind)("insert", {}, ValueError("no such character in this database"))
    breaking(monkeypatch, gradebook.Writer, "_write", "eve", error)
    summary = grade(three)
    assert summary.failed == {"eve": "graded, but not in the gradebook: no such character in this database"}
    assert {student for student, _ in classes.grades(three)[0]} == {"ada", "zoe"}
    monkeypatch.undo()
    assert grade(three, grader=None).written == ["eve"]


def test_the_command_ends_with_1_and_a_list(three, monkeypatch, capsys):
    real = run.grade_class
    monkeypatch.setattr(run, "grade_class", lambda *a, **k: real(*a, **k, grader=classes.FakeGrader))
    breaking(monkeypatch, assemble, "stage", "eve", ValueError("odd"))
    # `stage` gets the submission second
    assert command.main(classes.NAME, str(three), workers=1) == 1
    said = "the engine failed while keeping its results (ValueError: odd): a person has to look at it"
    out, err = capsys.readouterr()
    assert f"open: eve: {said}\n" in out and f"eve: {said}\n" in err and "small: 2 graded, 1 open, in " in out


def test_one_page_that_cannot_be_made_stops_no_other(three, monkeypatch, capsys):
    from autograder.commands import results

    grade(three)
    breaking(monkeypatch, feedback, "feedback_page", "eve", ValueError("odd"))
    assert results.feedback(classes.NAME, str(three)) == 1
    out, err = capsys.readouterr()
    assert "2 pages" in out
    assert err == "error: no page for eve: ValueError: odd\n"
    written = sorted(path.parts[-3] for path in (three / "feedback").rglob("*.html"))
    assert written == ["ada", "zoe"]


def test_one_record_that_cannot_be_read_is_named_in_the_report(three, monkeypatch):
    grade(three)
    breaking(monkeypatch, report, "add", "eve", ValueError("odd"))
    made = report.make_report(three, classes.NAME)
    assert [one.student for one in made.submissions] == ["ada", "zoe"]
    assert made.left_open == {"eve": "its record cannot be read (ValueError: odd)"}


# --- the journal ----------------------------------------------------------------------------------------------------


def test_records_of_another_version_are_named_and_graded_again(three, capsys):
    from autograder.commands import results

    grade(three)
    path = three / "records" / f"{classes.NAME}.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[0]["format"] = 1
    # As a version with another field wrote it
    lines[1]["notebooks"][0]["verdicts"][0]["colour"] = "red"
    del lines[2]["notebooks"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    why = "graded by another version of dlcourse; run dlcourse grade again"
    assert list(latest_records(open_course(three), classes.NAME)) == []
    assert left_open(open_course(three), classes.NAME) == dict.fromkeys(STUDENTS, why)
    assert results.report(classes.NAME, str(three)) == 2
    assert (
        "3 submissions are graded by another version of dlcourse; run: dlcourse grade small" in capsys.readouterr().err
    )
    assert sorted(grade(three).graded) == sorted(STUDENTS)
    assert left_open(open_course(three), classes.NAME) == {}


def test_only_who_was_looked_at_is_taken_from_the_list(three, monkeypatch):
    breaking(monkeypatch, assemble, "stage", "eve", ValueError("odd"))
    breaking(monkeypatch, Journal, "append", "zoe", ValueError("odd"))
    assert set(grade(three).failed) == {"eve", "zoe"}
    monkeypatch.undo()
    grade(three, students=["zoe"])
    assert set(left_open(open_course(three), classes.NAME)) == {"eve"}


@pytest.mark.parametrize("shared", [False, True])
def test_only_who_may_reads_what_is_kept(three, shared):
    if shared:
        with (three / "nbgrader_config.py").open("a") as file:
            file.write("\nc.CourseDirectory.groupshared = True\n")
    grade(three)
    report.make_report(three, classes.NAME)
    folders = [three / "records", three / "autograded" / "ada" / classes.NAME]
    files = [path for folder in folders for path in folder.iterdir()]
    assert {path.name for path in files} >= {"lock", f"{classes.NAME}.jsonl", f"{classes.NAME}.written", "data.txt"}
    assert {oct(path.stat().st_mode & 0o7777) for path in folders} == {"0o2770" if shared else "0o700"}
    assert {oct(path.stat().st_mode & 0o7777) for path in files} == {"0o660" if shared else "0o600"}


# --- files that do not fit ------------------------------------------------------------------------------------------


def collide(folder, notebook):
    """Files where the course has folders, and the other way round; both below a folder named like the notebook."""
    (folder / "data.txt").mkdir()
    (folder / "data.txt" / "mine.txt").write_text("1")
    (folder / "pictures").write_text("a file")
    if notebook:
        (folder / f"{classes.NAME}.ipynb").unlink()
        (folder / f"{classes.NAME}.ipynb").mkdir()
        (folder / f"{classes.NAME}.ipynb" / "x.csv").write_text("1")


@pytest.mark.parametrize("notebook", [False, True])
def test_a_file_where_the_course_has_a_folder_and_the_other_way_round(three, notebook):
    (three / "source" / classes.NAME / "pictures").mkdir()
    (three / "source" / classes.NAME / "pictures" / "cell.svg").write_text("<svg/>")
    collide(three / "submitted" / "eve" / classes.NAME, notebook)
    summary = grade(three)
    assert summary.complete and sorted(summary.graded) == sorted(STUDENTS)
    record = {one.student: one for one in latest_records(open_course(three), classes.NAME)}["eve"]
    notes = list(record.notebooks[0].notes)
    assert "the file data.txt/mine.txt was left out: the course has a file data.txt in the place of its folder" in notes
    assert "the file pictures was left out: the course has a folder of this name" in notes
    place = three / "autograded" / "eve" / classes.NAME
    assert (place / "data.txt").read_text() == "1 2 3\n" and (place / "pictures" / "cell.svg").is_file()
    if notebook:
        assert record.points == 0 and summary.needs_review == [
            ("eve", "small.ipynb was not graded: it is a folder"),
        ]


def test_what_is_no_folder_is_refused_and_said(three):
    (three / "submitted" / "file").mkdir()
    (three / "submitted" / "file" / classes.NAME).write_text("my answers")
    (three / "submitted" / "ring").mkdir()
    (three / "submitted" / "ring" / classes.NAME).symlink_to(classes.NAME)
    (three / "submitted" / "gone").mkdir()
    (three / "submitted" / "gone" / classes.NAME).symlink_to("nowhere")
    (three / "submitted" / "list.csv").write_text("ada, eve")
    summary = grade(three)
    assert sorted(summary.graded) == sorted(STUDENTS) and not summary.complete
    assert summary.refused == {
        "file": "what was handed in is not a folder",
        "gone": "what was handed in cannot be opened (No such file or directory)",
        "ring": "what was handed in cannot be opened (Too many levels of symbolic links)",
    }


def test_nothing_crowds_out_the_time(three):
    folder = three / "submitted" / "eve" / classes.NAME
    for number in range(250):
        (folder / f"a{number:03}.txt").touch()
    (folder / "timestamp.txt").write_text("2026-11-21 12:00:00 UTC")
    grade(three)
    assert classes.grades(three)[2]["eve"][1].startswith("2026-11-21 12:00:00")


def test_a_folder_with_too_many_files_is_for_a_person(three, monkeypatch):
    from autograder.engine.ingest import folder

    monkeypatch.setattr(folder, "ENTRIES", 20)
    for number in range(20):
        (three / "submitted" / "eve" / classes.NAME / f"{number}.txt").touch()
    inner = three / "submitted" / "zoe" / classes.NAME / "inner"
    inner.mkdir()
    for number in range(21):
        (inner / f"{number}.txt").touch()
    summary = grade(three)
    assert summary.needs_review == [
        ("eve", "small.ipynb was not graded: its folder cannot be read (it holds more than 20 files)")
    ]
    record = {one.student: one for one in latest_records(open_course(three), classes.NAME)}["zoe"]
    assert record.notebooks[0].notes == ("the file inner was left out: cannot be read (it holds more than 20 files)",)


# --- sizes ----------------------------------------------------------------------------------------------------------


def test_what_a_cell_shows_is_bounded():
    shown = [{"output_type": "display_data", "data": {"text/plain": "x" * 199_000}, "metadata": {}}] * 38
    assert limited(clean(shown), 200_000, SHOWN) == (shown[:1], True)
    assert limited(shown[:1], 200_000, 100_000) == ([], True)
    printed = {"output_type": "stream", "name": "stdout", "text": "x" * 300}
    assert limited([printed, *shown[:1]], 199_200, SHOWN) == ([printed], True)
    assert limited([printed], 200, SHOWN) == ([printed | {"text": "x" * 200}], True)
    assert limited([printed] * 300, 10**9, SHOWN) == ([printed] * 200, True)
    assert limited([printed], 300, 300) == ([printed], False)


def test_a_picture_that_unfolds_to_gigabytes_is_not_handed_on():
    def kept(*size):
        picture = base64.b64encode(hostile.png(*size)).decode()
        return bool(clean([{"output_type": "display_data", "data": {"image/png": picture}}]))

    assert kept(1, 1) and kept(8_000, 5_000)
    assert not kept(40_000, 40_000) and not kept(8_001, 5_000) and not kept(0, 1) and not kept(2**32 - 1, 2**32 - 1)
    late = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(50)).decode()
    assert clean([{"output_type": "display_data", "data": {"image/png": late}}]) == []


def test_a_traceback_is_bounded():
    made = clean_error({"ename": "E", "evalue": "", "traceback": ["x" * 20_000] * 40})
    assert len(made["traceback"]) == 5


def test_outputs_of_an_old_notebook_cost_nothing():
    cell = {"cell_type": "code", "input": "x = 1", "outputs": [{"output_type": "stream"}] * 5, "prompt_number": 3}
    assert notebook._light(cell) == {"cell_type": "code", "input": "x = 1", "metadata": {}, "outputs": []}
    sheets = [{"cells": [cell, {"cell_type": "heading", "level": 2, "source": "Title", "metadata": None}]}]
    cells, problem = parse(json.dumps({"nbformat": 3, "nbformat_minor": 0, "worksheets": sheets}).encode())
    assert problem == "" and [(one.cell_type, one.source) for one in cells] == [
        ("code", "x = 1"),
        ("markdown", "## Title"),
    ]
    many = json.dumps({"nbformat": 3, "worksheets": [{"cells": [cell | {"outputs": []}] * 2_001}]}).encode()
    assert parse(many) == ((), "it has more than 2000 cells")


def test_changed_cells_are_looked_for_within_bounds():
    compared = itertools.count()
    original = classes_cell("import numpy as np\n" * 50)
    own = [notebook.SubmittedCell("code", original.source[::-1], "", None) for _ in range(300)]
    assert _most_alike(original, own, compared) is None
    assert next(compared) == NEAREST
    for _ in range(20):
        _most_alike(original, own, compared)
    same = [notebook.SubmittedCell("code", original.source, "", None)]
    assert _most_alike(original, same, compared) is None
    assert _most_alike(original, same, itertools.count()) is same[0]


def classes_cell(source):
    return ingest.MasterCell("code", source, source, {})


def test_a_record_is_bounded(course):
    made = classes.answered(course, classes.RIGHT_ANSWERS)
    for _ in range(9):
        made["cells"].append({"cell_type": "code", "metadata": {}, "source": "#" + "x" * 100_000, "outputs": []})
    # Below the task, so they are its answer too
    classes.hand_in(course, "ada", made)
    grade(course)
    (record,) = latest_records(open_course(course), classes.NAME)
    (one,) = record.notebooks
    assert sum(map(len, one.sources.values())) + sum(map(len, one.own_cells)) <= assemble.SOURCES + len(one.own_cells)
    assert "its cells are too long for the record, which keeps their beginning" in one.notes


# --- an exercise that is checked twice ------------------------------------------------------------------------------

TWICE = """def preactivation(X, w, b):
    global calls
    calls = globals().get("calls", 0) + 1
    return X @ w + b if calls <= {most} else 0 * (X @ w)"""


def checked_twice(first, second):
    call = ("neurons.preactivation", ("preactivation",))
    steps = (
        Step(CODE, "import numpy as np", 0),
        Step(CODE, first, 1, student=True),
        Step(EXERCISE, "", 2, grade_id="a", points=1.0, calls=call),
        Step(CODE, second, 3, student=True),
        Step(EXERCISE, "", 4, grade_id="b", points=2.0, calls=call),
    )
    return Task("eve", "hw", "hw", steps, seed=1)


@pytest.mark.slow
def test_the_second_check_of_an_exercise_is_judged_like_the_first(grader):
    right, wrong = classes.RIGHT_ANSWERS["neurons-preactivation"], "def preactivation(X, w, b):\n    return 0 * b"
    for first, second, words in (
        (right, "", ("right", "right")),
        (wrong, right, ("wrong", "right")),
        (right, wrong, ("right", "wrong")),
        ("x = 1", right, ("not attempted", "right")),
        # Whatever the first check has taught it, it knows nothing of it at the second
        (TWICE.format(most=40), "", ("right", "right")),
    ):
        results = grader.grade(checked_twice(first, second)).results
        assert (results[2].verdict.verdict, results[4].verdict.verdict) == words, first
        assert results[4].verdict.max_points == 2.0


def test_reports_count_each_check_by_itself():
    made = records.record("ada", {"neurons.preactivation": "untouched"})
    (one,) = made.notebooks
    first = next(verdict for verdict in one.verdicts if verdict.exercise == "neurons.preactivation")
    again = dataclasses.replace(first, grade_id="again", points=first.max_points, verdict="right")
    both = dataclasses.replace(made, notebooks=(dataclasses.replace(one, verdicts=(*one.verdicts, again)),))
    found = report.Report("neurons")
    report.add(found, both)
    tallies = found.exercises
    assert (tallies["neurons.preactivation"].untouched, tallies["neurons.preactivation"].right) == (1, 0)
    assert (tallies["neurons.preactivation (again)"].untouched, tallies["neurons.preactivation (again)"].right) == (
        0,
        1,
    )


# --- the machine ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def grader():
    try:
        with Grader(Settings(timeout=20.0)) as made:
            # Before any submission: what a killed one leaves needs a moment to end
            made.idle = len(family(made.warm(()).process.pid))
            yield made
    except EngineFault as fault:
        pytest.skip(str(fault))


def family(pid):
    """The living descendants of a process, [(pid, parent's pid)]."""
    import psutil

    found = []
    for child in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append((child.pid, child.ppid()))
    return found


def line(pid, parents):
    """A process and those that it comes from, the oldest first."""
    found = []
    while pid in parents:
        found.insert(0, pid)
        pid = parents[pid]
    return found


class Killer(threading.Thread):
    """Kills the child of a sleeping submission, or what watches over it, from outside: once, or every time."""

    def __init__(self, grader, whom, times):
        super().__init__(daemon=True)
        self.grader, self.whom, self.left, self.done = grader, whom, times, threading.Event()

    def run(self):
        seen = set()
        while self.left and not self.done.wait(0.05):
            for zygote in list(self.grader.zygotes.values()):
                # bwrap's first process in the namespace, the zygote; then an attendant and its child
                parents = dict(family(zygote.process.pid))
                chain = max((line(pid, parents) for pid in parents if pid not in seen), key=len, default=[])
                if len(chain) < self.grader.idle + 2:
                    continue
                time.sleep(0.3)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(chain[-1 if self.whom == "child" else -2], signal.SIGKILL)
                    seen.add(chain[-1])
                    self.left -= 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.done.set()
        self.join()


SLEEPS = Task(
    "eve", "hw", "hw", (Step(CODE, "import time\ntime.sleep(1.5)\nprint('done')", 0), Step(TEXT, "", 1)), seed=1
)


@pytest.mark.slow
@pytest.mark.parametrize("whom", ["child", "attendant"])
def test_what_is_killed_from_outside_is_tried_again(grader, whom):
    grader.warm(())
    with Killer(grader, whom, times=1) as killer:
        result = grader.grade(SLEEPS)
    assert killer.left == 0
    assert result.results[0].outputs[0]["text"] == "done\n" and not result.needs_review


@pytest.mark.slow
def test_what_is_killed_each_time_is_no_grade(grader):
    grader.warm(())
    # Never so fast that it ends before it is killed
    task = dataclasses.replace(SLEEPS, steps=(Step(CODE, "import time\ntime.sleep(15)", 0), *SLEEPS.steps[1:]))
    with (
        Killer(grader, "child", times=9) as killer,
        pytest.raises(EngineFault, match=r"ended from outside .SIGKILL"),
    ):
        grader.grade(task)
    assert killer.left < 9


@pytest.mark.slow
def test_an_answer_that_kills_itself_without_walls_is_for_a_person():
    source = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    task = Task("eve", "hw", "hw", (Step(CODE, source, 0),), seed=1)
    with (
        Grader(Settings(isolation="process")) as weak,
        pytest.raises(EngineFault, match=r"ended from outside .SIGKILL"),
    ):
        weak.grade(task)


# --- what a run leaves ----------------------------------------------------------------------------------------------

SCRIPT = """
import sys, classes
from autograder.commands.grade import stopped_by_signals
from autograder.engine.store.course import open_course
from autograder.engine.run import grade_class

if __name__ == "__main__":
    try:
        with stopped_by_signals() as heard:
            grade_class(open_course(sys.argv[1]), classes.NAME, workers=2, grader=classes.FakeGrader,
                        on_event=heard(lambda *a: print(*a[:2], flush=True)))
    except KeyboardInterrupt:
        print("stopped")
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL], ids=lambda n: n.name)
def test_a_stopped_run_leaves_nothing(course, tmp_path, number):
    slow = classes.RIGHT_ANSWERS | {"double": "import time\ntime.sleep(0.3)\n" + classes.RIGHT_ANSWERS["double"]}
    for student in range(30):
        classes.hand_in(course, f"student{student}", classes.answered(course, slow))
    (tmp_path / "script.py").write_text(SCRIPT)
    place = tmp_path / "temporary"
    place.mkdir()
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py"), str(course)],
        env=ENVIRONMENT | {"TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # The tests themselves may run under nohup
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    assert process.stdout.readline() == "begin 30\n" and process.stdout.readline().startswith("done")
    others = family(process.pid)
    # Ctrl-C in a terminal reaches the workers too
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    out, err = process.communicate(timeout=60)
    end = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid, _ in others) and time.monotonic() < end:
        time.sleep(0.1)
    if number != signal.SIGKILL:
        assert (out.splitlines()[-1], err) == ("stopped", "")
    else:
        assert [path.name[:9] for path in place.iterdir()] == ["dlcourse-"]
        before, tempfile.tempdir = tempfile.tempdir, str(place)
        try:
            scratch.remove_stale()
        finally:
            tempfile.tempdir = before
    assert list(place.iterdir()) == []
    assert not any(Path(f"/proc/{pid}").exists() for pid, _ in others)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_signal_that_python_would_only_print_stops_at_the_next_event(monkeypatch, number):
    """And nothing is printed; what else goes wrong while an object is deleted is."""
    printed, told = [], []
    monkeypatch.setattr(sys, "unraisablehook", hook := lambda args: printed.append(args.exc_type))

    class Deleted:
        def __del__(self):
            signal.raise_signal(number)

    class Broken:
        def __del__(self):
            raise KeyError

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), command.stopped_by_signals() as heard:
            tell = heard(told.append)
            tell("begin")
            Broken()
            Deleted()
            tell("done")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler and sys.unraisablehook is hook
    finally:
        signal.signal(signal.SIGINT, before)
    assert (told, printed) == (["begin"], [KeyError])


def test_only_folders_that_nobody_uses_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with scratch.Scratch() as used:
        dead, foreign, plain = (tmp_path / f"dlcourse-{name}" for name in ("dead", "foreign", "plain"))
        for folder in (dead, plain):
            folder.mkdir()
        (dead / scratch.LOCK).touch()
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / scratch.LOCK).touch()
        foreign.symlink_to(tmp_path / "elsewhere")
        # In another process, as a lock is not against oneself
        code = "import sys, tempfile; tempfile.tempdir = sys.argv[1]; from autograder.engine import scratch; scratch.remove_stale()"
        subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, env=ENVIRONMENT)
        assert used.exists() and plain.exists() and (tmp_path / "elsewhere" / scratch.LOCK).exists()
        assert not dead.exists()
    assert not used.exists()


def test_a_stopped_gate_leaves_nothing(tmp_path):
    if subprocess.run(["git", "rev-parse"], cwd=ROOT, capture_output=True).returncode:
        pytest.skip("not a clone")
    stubs, place = tmp_path / "stubs", tmp_path / "temporary"
    stubs.mkdir()
    place.mkdir()
    # The first step that takes long never ends, and writes until it is killed; nothing is installed
    (stubs / "make").write_text(
        '#!/bin/sh\ntrap "" TERM\nwhile :; do touch "$0.alive"; mkdir -p late; sleep 0.1; done\n'
    )
    (stubs / "apt-get").write_text("#!/bin/sh\n")
    for stub in stubs.iterdir():
        stub.chmod(0o755)
    environment = ENVIRONMENT | {"TMPDIR": str(place), "PATH": f"{stubs}{os.pathsep}{os.environ['PATH']}"}
    process = subprocess.Popen(
        [ROOT / ".ci" / "run"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    seen = ""
    while "=== install" not in seen:
        line = process.stdout.readline()
        assert line, seen
        seen += line
    end = time.monotonic() + 60
    while not (stubs / "make.alive").exists() and time.monotonic() < end:
        time.sleep(0.05)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143 and list(place.iterdir()) == []
    (stubs / "make.alive").unlink()
    time.sleep(0.5)
    assert not (stubs / "make.alive").exists()
