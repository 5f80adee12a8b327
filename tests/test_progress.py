"""What a student has reached: best points kept, failed tries counted, a damaged or closed file never in the way."""

import json
import os
import subprocess
import sys
import time

import pytest

from autograder import progress


def test_best_points_are_kept_and_failed_tries_counted(tmp_path):
    progress.record(None, "neurons.gd_fit", 1.0, 2.0, False, tmp_path)
    progress.record(None, "neurons.gd_fit", 0.5, 2.0, False, tmp_path)
    kept = progress.load(tmp_path).exercises["neurons.gd_fit"]
    assert kept == progress.Standing("neurons", 1.0, 2.0, False, 2)
    progress.record(None, "neurons.gd_fit", 2.0, 2.0, True, tmp_path)
    after = progress.record("neurons", "neurons.gd_fit", 0.0, 2.0, False, tmp_path)
    assert after.exercises["neurons.gd_fit"] == progress.Standing("neurons", 2.0, 2.0, True, 1)
    # A module may belong to another topic's assignment
    progress.record(None, "losses.cross_entropy", 1.5, 3.0, False, tmp_path)
    both = progress.load(tmp_path)
    assert (both.points("neurons"), both.points("layers"), both.points("graph")) == (2.0, 1.5, 0)
    assert both == progress.load(tmp_path) and both.problem == ""


def test_an_exercise_that_is_worth_less_after_an_update_gives_no_more_than_that(tmp_path):
    progress.record(None, "a.b", 2.0, 2.0, True, tmp_path)
    assert progress.record(None, "a.b", 0.0, 1.0, False, tmp_path).points("a") == 1.0


def test_the_file_lies_in_the_personal_folder_or_beside_the_notebook(tmp_path, monkeypatch):
    inner = tmp_path / "assignments" / "neurons"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert progress.where() == inner / ".dlcourse-progress.json"
    (tmp_path / progress.MARKER).write_text("{}")
    assert progress.where() == tmp_path / ".dlcourse-progress.json"
    progress.record(None, "neurons.gd_fit", 1, 2, False)
    progress.mark_lesson("neurons")
    assert os.listdir(inner) == [] and sorted(os.listdir(tmp_path)) == [
        ".dlcourse-progress.json",
        ".dlcourse.json",
        "assignments",
    ]
    # Plain, and nothing of the person or the machine
    told = json.loads((tmp_path / progress.FILE).read_text())
    assert abs(told.pop("checked") - time.time()) < 3600
    assert told == {
        "format": 1,
        "exercises": {
            "neurons.gd_fit": {
                "assignment": "neurons",
                "points": 1.0,
                "max_points": 2.0,
                "passed": False,
                "failed_tries": 1,
                "minutes": 0.0,
            }
        },
        "lessons": ["neurons"],
    }


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set, in a kernel that begins."""

    class Clock:
        now = 1e6

        def time(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr(progress, "_begun", 1e6)
    return clock


def test_the_minutes_run_from_check_to_check_until_an_answer_is_right(tmp_path, clock):
    def check(seconds, exercise, passed):
        clock.now += seconds
        return progress.record(None, exercise, 1.0 * passed, 1.0, passed, tmp_path)

    check(120, "neurons.gd_fit", False)
    check(60, "neurons.gd_fit", True)
    # A right answer takes no more time, and what follows is another one's
    check(300, "neurons.gd_fit", True)
    check(180, "neurons.sgd_fit", False)
    # Over half an hour nobody knows
    check(progress.BREAK + 1, "neurons.sgd_fit", False)
    kept = check(90, "neurons.sgd_fit", True)
    assert [one.minutes for one in kept.exercises.values()] == [3.0, 4.5]
    assert progress.load(tmp_path) == kept and kept.minutes("neurons") == 7.5 and kept.minutes("layers") == 0
    # The next day another kernel begins, long after the last check
    clock.now += 80_000
    progress._begun = clock.now
    assert check(60, "neurons.preactivation", True).exercises["neurons.preactivation"].minutes == 1.0


def test_outside_a_kernel_the_first_check_ends_no_time(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(progress, "_begun", 0.0)
    assert progress.record(None, "a.b", 1, 1, True, tmp_path).exercises["a.b"].minutes == 0.0


def test_a_file_from_before_the_minutes_is_read(tmp_path):
    old = {"assignment": "a", "points": 1.0, "max_points": 2.0, "passed": False, "failed_tries": 3}
    (tmp_path / progress.FILE).write_text(json.dumps({"format": 1, "exercises": {"a.b": old}, "lessons": []}))
    kept = progress.load(tmp_path)
    assert kept.exercises["a.b"] == progress.Standing("a", 1.0, 2.0, False, 3, 0.0) and kept.checked == 0.0


def test_a_lesson_is_ticked_once_and_the_tick_taken_back(tmp_path):
    progress.mark_lesson("neurons", folder=tmp_path)
    progress.mark_lesson("layers", folder=tmp_path)
    assert progress.mark_lesson("neurons", folder=tmp_path).lessons == ("layers", "neurons")
    assert progress.mark_lesson("layers", done=False, folder=tmp_path).lessons == ("neurons",)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"format": 2, "exercises": {}, "lessons": []}', b'{"format": 1}']
    + [b'{"format": 1, "exercises": {"a.b": 3}, "lessons": []}', b'{"format": 1, "exercises": [], "lessons": null}'],
)
def test_a_damaged_file_is_moved_aside_and_said_once(tmp_path, text):
    path = tmp_path / progress.FILE
    path.write_bytes(text)
    after = progress.record(None, "neurons.gd_fit", 2.0, 2.0, True, tmp_path)
    assert after.problem == (
        "The file of your progress was damaged; it is kept as .dlcourse-progress.damaged.json, and counting starts again. "
        "Your answers are not touched: run the checks again."
    )
    assert (tmp_path / ".dlcourse-progress.damaged.json").read_bytes() == text
    assert progress.load(tmp_path).problem == "" and progress.load(tmp_path).points("neurons") == 2.0


def test_a_folder_that_cannot_be_written_is_said_once_and_stops_nothing(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(progress.tempfile, "mkstemp", refuse)
    first = progress.record(None, "neurons.gd_fit", 2.0, 2.0, True, tmp_path)
    assert first.points("neurons") == 2.0
    assert first.problem == (
        f"Your progress cannot be kept in {tmp_path / progress.FILE} (Permission denied); the check is not affected."
    )
    assert progress.record(None, "neurons.gd_fit", 2.0, 2.0, True, tmp_path).problem == ""
    assert os.listdir(tmp_path) == []


def test_a_crash_between_writing_and_replacing_keeps_the_old_file(tmp_path, monkeypatch):
    progress.record(None, "neurons.gd_fit", 1.0, 2.0, False, tmp_path)
    before = (tmp_path / progress.FILE).read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(progress.os, "replace", full)
    assert "No space left on device" in progress.record(None, "neurons.gd_fit", 2.0, 2.0, True, tmp_path).problem
    assert (tmp_path / progress.FILE).read_bytes() == before and os.listdir(tmp_path) == [progress.FILE]


def test_it_runs_without_what_windows_does_not_have(tmp_path):
    code = (
        "import sys\nfor name in ('fcntl', 'resource', 'pwd', 'grp'): sys.modules[name] = None\n"
        f"from autograder import progress\nprint(progress.record(None, 'a.b', 1, 2, False, {str(tmp_path)!r}).points('a'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout == "1.0\n", done.stderr
