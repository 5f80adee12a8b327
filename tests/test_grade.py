"""A whole class: nothing is graded twice, nothing is lost, and honest scores are those of plain nbgrader."""

import csv
import errno
import functools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import classes
import dask
import pytest

from autograder import build, demo
from autograder.commands import grade as command
from autograder.engine import assemble, pool, preprocessor, run, version
from autograder.engine.run import grade_class
from autograder.engine.store import journal
from autograder.engine.store.course import open_course
from autograder.engine.store.journal import Journal, latest_records
from autograder.engine.store.records import Record
from autograder.engine.tasks import CODE, Step, Task
from autograder.errors import CourseError

ENVIRONMENT = os.environ | {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONPATH": str(Path(__file__).parent),
}


def records(course):
    return {record.student: record for record in latest_records(open_course(course), classes.NAME)}


def grade(folder, **options):
    options = {"workers": 1, "grader": classes.FakeGrader} | options
    return grade_class(open_course(folder), classes.NAME, **options)


def hand_in_all(folder, students, answers=classes.RIGHT_ANSWERS):
    made = json.dumps(classes.answered(folder, answers))
    for number, student in enumerate(students):
        # Every submission is another one
        classes.hand_in(folder, student, made.replace("return 2 * x", f"return 2 * x  # {number}"))


# --- again and again ------------------------------------------------------------------------------------------------


def test_nothing_new_is_nothing_done(course):
    hand_in_all(course, ["ada", "alan"])
    assert grade(course).graded == ["ada", "alan"]
    before = {path: path.stat().st_mtime_ns for path in course.rglob("*") if path.is_file()}
    summary = grade(course, grader=None)
    assert summary.unchanged == 2 and summary.complete and not summary.graded
    after = {path: path.stat().st_mtime_ns for path in course.rglob("*") if path.is_file()}
    assert {path.name for path in before if before[path] != after.get(path)} <= {
        "lock"
    } and before.keys() == after.keys()


def test_only_what_changed_is_graded(course):
    hand_in_all(course, ["ada", "alan", "grace"])
    grade(course)
    classes.hand_in(course, "alan", classes.answered(course, classes.HALF))
    assert grade(course).graded == ["alan"]
    assert grade(course, students=["grace"], regrade=True).graded == ["grace"]
    assert grade(course, students=["grace"]).unchanged == 1
    assert len((course / "records" / f"{classes.NAME}.jsonl").read_text().splitlines()) == 5
    assert set(records(course)) == {"ada", "alan", "grace"}


def test_other_checks_or_another_assignment_mean_grading_again(course, monkeypatch):
    hand_in_all(course, ["ada"])
    grade(course)
    monkeypatch.setattr(run, "checks_version", lambda: "newer")
    assert grade(course).graded == ["ada"]
    (course / "source" / classes.NAME / "data.txt").write_text("4 5 6\n")
    assert grade(course).graded == ["ada"] and grade(course).unchanged == 1


def test_what_was_thrown_away_is_made_again(course):
    hand_in_all(course, ["ada"])
    grade(course)
    folder = course / "autograded" / "ada" / classes.NAME
    shutil.rmtree(folder)
    summary = grade(course, grader=None)
    assert summary.written == ["ada"] and (folder / f"{classes.NAME}.ipynb").exists()
    # Somebody grades it with plain nbgrader's tools, then wants these grades again
    (course / "records" / f"{classes.NAME}.written").unlink()
    assert grade(course, grader=None).written == ["ada"]


def test_the_version_of_the_checks_is_of_all_that_decides():
    found = {pattern: list(version.PACKAGES.glob(pattern)) for pattern in version.CHECKS}
    assert all(found.values()), found
    assert len(version.checks_version()) == 64
    counted = {path for paths in found.values() for path in paths}
    code = (
        "import sys, autograder.engine.grader, autograder.engine.sandbox.inside\n"
        "for name, module in sorted(sys.modules.items()):\n"
        "    if name.split('.')[0] in ('autograder', 'dlcourse') and module.__file__:\n"
        "        print(name, module.__file__, sep='|')"
    )
    lines = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    loaded = dict(line.split("|") for line in lines.stdout.splitlines())
    assert "autograder.engine.sandbox.oracle" in loaded
    # Names and forms only, nothing of which gives a point
    forms = {f"autograder{name}" for name in ("", ".engine", ".engine.store", ".errors", ".progress")}
    forms |= {"autograder.engine.store.records", "autograder.engine.scratch", "autograder.drill"}
    assert {name for name, path in loaded.items() if Path(path) not in counted} == forms


# --- faults ---------------------------------------------------------------------------------------------------------


def test_a_fault_of_the_machine_is_no_grade(course):
    hand_in_all(course, ["ada", "grace"])
    classes.hand_in(course, "alan", classes.answered(course, classes.RIGHT_ANSWERS | {"double": "# engine_fault"}))
    summary = grade(course)
    assert summary.graded == ["ada", "grace"] and summary.failed == {"alan": "the machine failed"}
    assert not summary.complete and "alan" not in {student for student, _ in classes.grades(course)[0]}
    hand_in_all(course, ["alan"])
    assert grade(course).graded == ["alan"]


def test_a_half_written_line_is_dropped(course):
    hand_in_all(course, ["ada", "alan"])
    grade(course)
    path = course / "records" / f"{classes.NAME}.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:100])
    assert set(records(course)) == {json.loads(lines[0])["student"]}
    assert grade(course).graded == [json.loads(lines[1])["student"]]
    assert all(json.loads(line)["format"] for line in path.read_text().splitlines())


def test_a_foreign_line_is_passed_over(course):
    hand_in_all(course, ["ada"])
    grade(course)
    path = course / "records" / f"{classes.NAME}.jsonl"
    path.write_text('{"format": 99, "student": "ada"}\n[1]\nnonsense\n')
    assert grade(course).graded == ["ada"]


def test_two_runs_of_one_course_do_not_mix(course):
    hand_in_all(course, ["ada"])
    place = open_course(course)
    with Journal(place, classes.NAME), pytest.raises(CourseError, match=f"another run .*process {os.getpid()}"):
        grade(course)
    assert grade(course).graded == ["ada"]


def test_a_full_disk_is_said_and_loses_nothing(course, monkeypatch):
    hand_in_all(course, ["ada", "alan", "grace"])
    sync, calls = os.fsync, []

    def full(handle):
        calls.append(handle)
        if len(calls) > 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(handle)

    for module in (journal, assemble):
        monkeypatch.setattr(module.os, "fsync", full)
    summary = grade(course)
    assert "the disk is full" in summary.problem and set(summary.failed) == {"alan", "grace"}
    monkeypatch.undo()
    summary = grade(course)
    assert summary.complete and len(summary.graded) + len(summary.written) == 2
    assert len({student for student, _ in classes.grades(course)[0]}) == 3
    assert not list(course.rglob(".*.graded"))


def test_a_grader_that_makes_no_sense_stops_nobody_else(course):
    class Silent(classes.FakeGrader):
        def grade(self, task):
            result = super().grade(task)
            return type(result)(result.results[:3]) if task.student == "alan" else result

    hand_in_all(course, ["ada", "alan", "grace"])
    summary = grade(course, grader=Silent)
    assert summary.graded == ["ada", "grace"] and "the engine failed" in summary.failed["alan"]


def test_without_a_sandbox_nothing_is_graded(course):
    from autograder.errors import NoSandbox

    class Nowhere(classes.FakeGrader):
        def __enter__(self):
            raise NoSandbox("install bubblewrap")

    hand_in_all(course, ["ada", "alan"])
    summary = grade(course, grader=Nowhere)
    assert summary.problem == "install bubblewrap" and set(summary.failed) == {"ada", "alan"}
    assert not records(course)


def test_the_weaker_mode_stands_on_every_record(course):
    from autograder.engine.tasks import Settings

    hand_in_all(course, ["ada"])
    grade(course, settings=Settings(isolation="process"))
    record = records(course)["ada"]
    assert record.isolation == "process" and "without a sandbox" in record.needs_review[0]


def test_grading_without_a_sandbox_is_said_once_and_in_red(course, capsys, monkeypatch):
    from autograder.commands import grade as command

    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    hand_in_all(course, ["ada", "alan"])
    assert command.main("small", course, workers=1, isolation="process") == 0
    out, said = capsys.readouterr()
    red = re.findall(r"\x1b\[1;31m(.*?)\x1b\[0m", said, re.S)
    assert "".join(red) == command.NO_SANDBOX and (out + said).count("isolation process") == 1


def test_without_bubblewrap_nothing_is_graded_in_the_weaker_mode(course, capsys, monkeypatch):
    from autograder.commands import grade as command
    from autograder.engine.sandbox import sandbox

    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    hand_in_all(course, ["ada"])
    assert command.main("small", course, workers=1) == 1
    assert "bubblewrap (the command bwrap) was not found" in capsys.readouterr().err and not records(course)


# --- the record -----------------------------------------------------------------------------------------------------


def test_a_record_says_everything(course):
    notebook = classes.answered(course, classes.HALF)
    notebook["cells"].insert(2, {"cell_type": "code", "metadata": {}, "source": "mine = 1", "outputs": []})
    classes.hand_in(course, "ada", notebook, "2026-11-21 12:00:00 UTC")
    grade(course)
    record = records(course)["ada"]
    assert isinstance(record, Record) and (record.points, record.max_points) == (4.0, 8.0)
    (notebook,) = record.notebooks
    assert notebook.sources == classes.HALF and notebook.own_cells == ("mine = 1",)
    found = {verdict.grade_id: (verdict.how, verdict.points, verdict.answers) for verdict in record.verdicts}
    assert found == {
        "neurons-preactivation-check": ("outside", 1.0, ("neurons-preactivation",)),
        "neurons-perceptron_predict-check": ("outside", 0.0, ("neurons-perceptron_predict",)),
        "double-test": ("in-process", 3.0, ("double",)),
        "why": ("person", None, ("why",)),
        "draw": ("person", None, ()),
    }
    assert record.submitted == "2026-11-21T12:00:00+00:00" and len(record.key) == 3 and record.graded


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def fake(monkeypatch):
    """The command with the quick grader."""
    real = run.grade_class
    monkeypatch.setattr(run, "grade_class", lambda *a, **k: real(*a, **k, grader=classes.FakeGrader))


def test_the_command_prints_a_summary_and_who_needs_a_person(course, fake, capsys):
    hand_in_all(course, ["ada", "alan"])
    classes.hand_in(course, "ev\u202el", b"{")
    assert command.main(classes.NAME, str(course), workers=1) == 0
    out, err = capsys.readouterr()
    assert out.startswith("small: 3 graded, in ") and "wait for a person" in out
    assert "ev\\u202el: small.ipynb was not graded: it is not JSON" in err and "3 of 3" in err
    assert command.main(classes.NAME, str(course), workers=1, json=True) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["unchanged"] == 3 and data["complete"] is True


def test_the_commands_exit_status(course, fake, capsys):
    assert command.main("smal", str(course)) == 2 and "did you mean 'small'" in capsys.readouterr().err
    hand_in_all(course, ["ada"])
    assert command.main(classes.NAME, str(course), ["adda"]) == 2 and "'ada'" in capsys.readouterr().err
    assert command.main(classes.NAME, str(course), ["../ada"]) == 2 and "one folder name" in capsys.readouterr().err
    assert command.main(classes.NAME, str(course / "nowhere")) == 2 and "--course" in capsys.readouterr().err
    for wrong in (
        {"isolation": "none"},
        {"timeout": 0},
        {"memory": 1},
        {"workers": 0},
        {"workers": 2, "scheduler": "x"},
    ):
        assert command.main(classes.NAME, str(course), **wrong) == 2 and "error: --" in capsys.readouterr().err
    classes.hand_in(course, "ada", classes.answered(course, classes.RIGHT_ANSWERS | {"double": "# engine_fault"}))
    assert command.main(classes.NAME, str(course), workers=1) == 1
    assert "open: ada: the machine failed" in capsys.readouterr().out
    (course / "gradebook.db").write_bytes(b"no database")
    assert command.main(classes.NAME, str(course), workers=1) == 1 and "cannot be used" in capsys.readouterr().err


@pytest.mark.slow
def test_a_hundred_with_nothing_new_take_less_than_three_seconds(course):
    hand_in_all(course, [f"student{number:03}" for number in range(100)])
    assert len(grade(course).graded) == 100
    begun = os.times()
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "grade", classes.NAME, "--course", str(course)],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=60,
    )
    ended = os.times()
    assert "100 had nothing new" in done.stdout, done.stdout + done.stderr
    # Processor time: what else the machine does should not matter
    assert ended.children_user + ended.children_system - begun.children_user - begun.children_system < 3.0
    assert "nbgrader" not in done.stderr


# --- many workers ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_workers_grade_the_same(course):
    hand_in_all(course, ["ada", "alan", "grace", "john"])
    classes.hand_in(course, "eve", classes.answered(course, classes.RIGHT_ANSWERS | {"double": "# engine_fault"}))
    summary = grade(course, workers=2)
    assert sorted(summary.graded) == ["ada", "alan", "grace", "john"] and summary.failed == {
        "eve": "the machine failed"
    }
    assert set(summary.scores.values()) == {(5.0, 8.0, True)}


@pytest.mark.slow
def test_a_worker_that_dies_takes_nobody_with_it(course, tmp_path):
    hand_in_all(course, ["ada", "alan"])
    once = classes.RIGHT_ANSWERS | {"why": f"worker_dies {tmp_path / 'died'}"}
    classes.hand_in(course, "grace", classes.answered(course, once))
    classes.hand_in(course, "eve", classes.answered(course, classes.RIGHT_ANSWERS | {"why": "worker_dies /always"}))
    summary = grade(course, workers=2)
    assert sorted(summary.graded) == ["ada", "alan", "grace"], (summary.failed, summary.problem)
    assert (tmp_path / "died").exists()
    assert summary.failed == {"eve": "every worker that tried it died"} and not summary.problem


def test_each_worker_has_a_core_where_there_are_as_many(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {5, 2}, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", lambda pid, cores: None, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert [pool.Cluster(workers=number)._cores() for number in (None, 1, 2, 3)] == [[2, 5], (), [2, 5], ()]
    assert pool.Cluster(workers=2, address="tls://there:1")._cores() == ()


@pytest.mark.slow
def test_results_that_die_with_their_worker_are_computed_again():
    """Between the end of a job and the reading of its result its worker may die, with what it holds."""
    task = Task("ada", "hw", "hw", (Step(CODE, "x = 1", 0),), seed=1)
    with pool.Cluster(workers=1, grader=classes.FakeGrader, version=version.checks_version()) as cluster:
        # Dask gives a worker up that takes longer than this to start again
        assert dask.config.get("distributed.deploy.lost-worker-timeout") == pool.LOST_WORKER
        outcomes = cluster.map((name, [task]) for name in ("ada", "alan", "grace"))
        found = [next(outcomes)]
        states = cluster.client.futures.values()
        assert classes.eventually(lambda: {state.status for state in states} == {"finished"})
        (pid,) = cluster.client.run(os.getpid).values()
        os.kill(pid, signal.SIGKILL)
        assert classes.eventually(lambda: {state.status for state in states} != {"finished"})
        found += outcomes
    assert sorted(name for name, _ in found) == ["ada", "alan", "grace"]
    assert [type(results) for _, results in found] == 3 * [list]


class Elsewhere:
    """A scheduler and workers as separate processes."""

    def __init__(self, folder, workers=2, tls=()):
        self.folder, self.tls, self.scheme = folder, list(tls), "tls" if tls else "tcp"
        self.address_file = folder / "scheduler.json"
        self.processes = [self.start("scheduler", "--host", f"{self.scheme}://127.0.0.1", "--port", "0")]
        deadline = time.monotonic() + 60
        while not self.address_file.exists() or not self.address_file.read_text():
            assert time.monotonic() < deadline and self.processes[0].poll() is None, self.log()
            time.sleep(0.1)
        self.address = json.loads(self.address_file.read_text())["address"]
        for number in range(workers):
            self.processes.append(self.worker(number))

    def worker(self, number):
        return self.start(
            "worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard",
            "--local-directory", str(self.folder / f"worker{number}"), "--host", f"{self.scheme}://127.0.0.1",
        )  # fmt: skip

    def start(self, kind, *arguments):
        options = ["--scheduler-file", str(self.address_file), "--no-dashboard"] if kind == "scheduler" else []
        with (self.folder / "log").open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_" + kind, *arguments, *options, *self.tls],
                env=ENVIRONMENT, stdout=log, stderr=log, cwd=self.folder,
            )  # fmt: skip

    def log(self):
        return (self.folder / "log").read_text()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_scheduler_elsewhere_and_a_worker_killed_in_the_middle(course, tmp_path):
    students = [f"student{number:02}" for number in range(20)]
    hand_in_all(course, students)
    with Elsewhere(tmp_path) as cluster:
        done = []

        def tell(event, *details):
            if event == "done":
                done.append(details[0])
                if len(done) == 5:
                    cluster.processes[1].kill()

        summary = grade(course, workers=None, scheduler=cluster.address, on_event=tell)
        assert summary.complete, (summary.problem, summary.failed, cluster.log()[-3000:])
        assert sorted(summary.graded) == students
        # No worker left: what is not graded stays open and is said
        cluster.processes[2].kill()
        hand_in_all(course, ["late"])
        patience, pool.PATIENCE_SECONDS, poll, pool.POLL_SECONDS = pool.PATIENCE_SECONDS, 2.0, pool.POLL_SECONDS, 1.0
        try:
            summary = grade(course, workers=None, scheduler=cluster.address)
        finally:
            pool.PATIENCE_SECONDS, pool.POLL_SECONDS = patience, poll
        assert "no worker" in summary.problem and summary.failed == {"late": "not graded yet"}
        address = cluster.address
    summary = grade(course, workers=None, scheduler=address)
    assert "cannot be reached" in summary.problem
    assert grade(course).graded == ["late"]


@pytest.mark.slow
def test_tls_needs_certificates_and_nothing_else(course, tmp_path, monkeypatch):
    from distributed.security import Security

    pytest.importorskip("cryptography")
    made = Security.temporary()
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_text(made.tls_ca_file)
    key.write_text(made.tls_client_key)
    options = ["--tls-ca-file", certificate, "--tls-cert", certificate, "--tls-key", key]
    hand_in_all(course, ["ada", "alan"])
    with Elsewhere(tmp_path, workers=1, tls=map(str, options)) as cluster:
        assert cluster.address.startswith("tls://")
        summary = grade(course, workers=None, scheduler=cluster.address)
        assert "cannot be reached" in summary.problem and "certificates" in summary.problem
        environment = {
            "DASK_DISTRIBUTED__COMM__TLS__CA_FILE": certificate,
            "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT": certificate,
            "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY": key,
        }
        script = (
            "import sys, classes; from autograder.engine.store.course import open_course; "
            "from autograder.engine.run import grade_class; "
            "s = grade_class(open_course(sys.argv[1]), 'small', scheduler=sys.argv[2], grader=classes.FakeGrader); "
            "print(sorted(s.graded), s.problem)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(course), cluster.address],
            env=ENVIRONMENT | {name: str(path) for name, path in environment.items()},
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.stdout.strip() == "['ada', 'alan']", done.stdout + done.stderr + cluster.log()[-2000:]


# --- kill -9 --------------------------------------------------------------------------------------------------------

KILLED = """
import sys, time, classes
from autograder.engine.store.course import open_course
from autograder.engine.run import grade_class
class Slow(classes.FakeGrader):
    def grade(self, task):
        time.sleep(0.01)
        with open(sys.argv[2], "a") as file:
            file.write(task.student + "\\n")
        return super().grade(task)
def begun(event, *details):
    if event == "begin":
        print("begin", flush=True)
summary = grade_class(open_course(sys.argv[1]), "small", workers=1, grader=Slow, on_event=begun)
print(summary.complete, len(summary.graded), len(summary.written), flush=True)
"""


@pytest.mark.slow
def test_killed_ten_times_it_ends_as_if_undisturbed(course, tmp_path):
    students = [f"student{number:02}" for number in range(50)]
    hand_in_all(course, students[:40])
    hand_in_all(course, students[40:], classes.HALF)
    undisturbed = Path(shutil.copytree(course, tmp_path / "undisturbed"))
    grade(undisturbed)
    ran, moments, killed = tmp_path / "ran", random.Random(20261121), 0
    script = [sys.executable, "-c", KILLED, str(course), str(ran)]
    for _ in range(10):
        process = subprocess.Popen(script, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        process.stdout.readline()
        time.sleep(moments.uniform(0.0, 3.0))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        process.communicate()
        time.sleep(0.05)
    done = subprocess.run(script, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert "True" in done.stdout and killed >= 1, done.stdout + done.stderr
    assert classes.grades(course) == classes.grades(undisturbed)
    # A kill costs at most the one that was being graded
    graded = ran.read_text().split()
    assert set(graded) == set(students) and len(graded) <= len(students) + killed
    for student in students:
        names = sorted(path.name for path in (course / "autograded" / student).iterdir())
        assert names == [classes.NAME]


# --- exactly what plain nbgrader gives ------------------------------------------------------------------------------


def nbgrader(folder, *arguments):
    """One of nbgrader's own commands, as a user with an empty home."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    environment = ENVIRONMENT | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


def plain(folder, assignment):
    """Grade with nbgrader's own autograde; returns what is in the gradebook then."""
    with (folder / "nbgrader_config.py").open("a") as file:
        file.write("\nc.Autograde.pop('autograde_preprocessors', None)\n")
    nbgrader(folder, "autograde", assignment)
    return classes.grades(folder)


def needs_bubblewrap():
    from autograder.engine.grader import Grader
    from autograder.errors import EngineFault

    try:
        with Grader() as grader:
            grader.warm(())
    except EngineFault as fault:
        pytest.skip(str(fault))


def honest(slug, folder):
    """A course with one of our assignments, and honest submissions of every kind."""
    import nbformat

    shutil.copytree(build.COURSE, folder, ignore=shutil.ignore_patterns("submitted", "*.db", "source", "release"))
    build.write_instructor_notebook(slug, folder)
    build.generate(folder, [slug])
    right = {
        cell.metadata["nbgrader"]["grade_id"]: cell.source
        for cell in build.instructor_notebook(slug).cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    path = folder / "release" / slug / f"{slug}.ipynb"
    for number, student in enumerate(("right", "mistaken", "half", "untouched", "helper")):
        made = nbformat.read(path, as_version=4)
        for place, cell in enumerate(list(made.cells)):
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            if grade_id in right and student != "untouched" and not (student == "half" and place % 3):
                cell.source = right[grade_id].replace("### BEGIN SOLUTION", "").replace("### END SOLUTION", "")
                if student == "mistaken" and place % 2:
                    cell.source = cell.source.replace("return ", "return 2 * ")
        if student == "helper":
            made.cells.insert(2, nbformat.v4.new_code_cell("import warnings\nhelper = 3\nprint(helper)"))
            made.cells.append(nbformat.v4.new_code_cell("1 / 0"))
        target = folder / "submitted" / student / slug
        target.mkdir(parents=True)
        nbformat.write(made, target / f"{slug}.ipynb")
        if number == 0:
            (target / "timestamp.txt").write_text("2026-11-21 12:00:00 UTC")
    if slug == demo.SLUG:
        # Known mistakes, which pass one case or another by luck: only on the same numbers do they earn the same
        for student, changes in list(demo.class_of(slug).items())[-8:-3]:
            target = folder / "submitted" / student / slug
            target.mkdir(parents=True)
            released = nbformat.read(path, as_version=4)
            nbformat.write(demo.answer(released, demo.solutions(slug), changes), target / f"{slug}.ipynb")
    # Makes the secret, which a copy of the course then has too
    open_course(folder)
    return folder


@pytest.mark.slow
def test_an_assignment_of_ours_scores_as_with_plain_nbgrader(tmp_path):
    needs_bubblewrap()
    slug = "neurons"
    ours = honest(slug, tmp_path / "ours")
    theirs = shutil.copytree(ours, tmp_path / "theirs")
    assert open_course(ours).seed == open_course(theirs).seed
    summary = grade_class(open_course(ours), slug, workers=1)
    assert summary.complete and not summary.needs_review
    assert classes.grades(ours) == plain(theirs, slug)


QUICKSTART = {
    "right": {},
    "prints": {"squares": "def squares(n):\n    print(n)\n    if n < 1:\n        raise ValueError\n    return [i * i for i in range(1, n + 1)]"},
    "wrong": {"squares": "def squares(n):\n    return [i ** 3 for i in range(n)]"},
    "broken": {"sum_of_squares": "def sum_of_squares(n)\n    return 1"},
    "magic": {"sum_of_squares_application": "%time x = sum_of_squares(3)\n!true\nx"},
}  # fmt: skip


@pytest.mark.slow
def test_the_quickstart_course_scores_as_with_plain_nbgrader(tmp_path):
    """Another course: plain asserts, two notebooks, a picture beside them, written answers, a task."""
    import nbformat

    needs_bubblewrap()
    nbgrader(tmp_path, "quickstart", "ours")
    ours = tmp_path / "ours"
    nbgrader(ours, "generate_assignment", "ps1")
    source = nbformat.read(ours / "source" / "ps1" / "problem1.ipynb", as_version=4)
    right = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in source.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    for student, changes in QUICKSTART.items():
        target = ours / "submitted" / student / "ps1"
        shutil.copytree(ours / "release" / "ps1", target)
        made = nbformat.read(target / "problem1.ipynb", as_version=4)
        for cell in made.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            if grade_id in right:
                cell.source = (right | changes)[grade_id]
        (target / "problem1.ipynb").chmod(0o644)
        nbformat.write(made, target / "problem1.ipynb")
    (ours / "submitted" / "magic" / "ps1" / "problem2.ipynb").unlink()
    theirs = shutil.copytree(ours, tmp_path / "theirs")
    for name in ("ours", "theirs"):
        # Both were set up by the same quickstart
        path = tmp_path / name / "nbgrader_config.py"
        path.write_text(path.read_text() + "\nc.Execute.extra_arguments = ['--IPKernelApp.log_level=40']\n")
    summary = grade_class(open_course(ours), "ps1", workers=1)
    assert summary.complete, summary
    mine, wanted = classes.grades(ours), plain(theirs, "ps1")
    assert mine == wanted
    total = {s: sum(score[0] or 0 for (student, _), score in mine[0].items() if student == s) for s in QUICKSTART}
    assert total == {"right": 3.0, "prints": 3.0, "wrong": 0.5, "broken": 2.5, "magic": 3.0}
    folder = ours / "autograded" / "right" / "ps1"
    assert {path.name for path in folder.iterdir()} == {
        path.name for path in (theirs / "autograded" / "right" / "ps1").iterdir()
    }


@pytest.mark.slow
def test_nbgrader_s_autograde_uses_the_engine_in_the_shipped_configuration(course, tmp_path):
    needs_bubblewrap()
    hand_in_all(course, ["ada"])
    hand_in_all(course, ["alan"], classes.HALF)
    skipping = classes.answered(course, classes.HALF)
    for cell in skipping["cells"]:
        cell["metadata"]["tags"] = ["skip-execution"]
    classes.hand_in(course, "eve", skipping)
    theirs = Path(shutil.copytree(course, tmp_path / "theirs"))
    assert grade_class(open_course(course), classes.NAME, workers=1).complete
    nbgrader(theirs, "autograde", classes.NAME)
    found = classes.grades(theirs)
    assert found == classes.grades(course)
    assert found[0]["eve", "neurons-perceptron_predict-check"][0] == 0.0
    # As `dlcourse grade` would have left them: nothing is graded again, and the report has its records
    again = grade_class(open_course(theirs), classes.NAME, workers=1)
    assert (again.complete, again.unchanged, again.graded) == (True, 3, [])
    assert {one.student: (one.key, one.points) for one in records(theirs).values()} == {
        one.student: (one.key, one.points) for one in records(course).values()
    }


# SQLAlchemy's, at what nbgrader does there
@pytest.mark.filterwarnings("ignore:Object of type")
def test_formgraders_button_grades_and_says_why_it_could_not(course, monkeypatch):
    """The button calls nbgrader's API with the configuration of the course."""
    with_fake = functools.partial(grade_class, grader=classes.FakeGrader)
    monkeypatch.setattr(preprocessor, "grade_class", with_fake)
    hand_in_all(course, ["ada"])
    classes.hand_in(course, "eve", classes.answered(course, {"double": "engine_fault"}))
    with demo.nbgrader_api(course) as api:
        pressed = api.autograde(classes.NAME, "ada")
        assert pressed["success"], pressed
        failed = api.autograde(classes.NAME, "eve")
    assert not failed["success"] and "the machine failed" in failed["log"]
    assert list(records(course)) == ["ada"]
    assert grade(course, students=["ada"]).unchanged == 1
    assert classes.grades(course)[0]["ada", "double-test"] == (3.0, None, None, False)


def test_the_export_reads_the_grades(course):
    hand_in_all(course, ["ada"])
    grade(course)
    from nbgrader.plugins import CsvExportPlugin

    with demo.nbgrader_api(course) as api, api.gradebook as book:
        plugin = CsvExportPlugin()
        plugin.to = str(course / "grades.csv")
        plugin.export(book)
    with (course / "grades.csv").open(newline="") as file:
        assert [(row["student_id"], row["score"]) for row in csv.DictReader(file)] == [("ada", "5.0")]


@pytest.mark.slow
def test_a_worker_with_another_version_does_not_grade(course, monkeypatch):
    hand_in_all(course, ["ada", "alan"])
    monkeypatch.setattr(run, "checks_version", lambda: "newer")
    summary = grade(course, workers=2)
    assert "another version" in summary.problem and set(summary.failed) == {"ada", "alan"}


@pytest.mark.slow
def test_a_killed_run_leaves_no_process(course):
    import psutil

    needs_bubblewrap()
    hand_in_all(course, [f"student{number:02}" for number in range(30)], classes.RIGHT_ANSWERS | {"double": SLEEPS})
    script = (
        "import sys; from autograder.engine.store.course import open_course; from autograder.engine.run import grade_class; "
        "grade_class(open_course(sys.argv[1]), 'small', workers=2, on_event=lambda *a: print(*a[:2], flush=True))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(course)], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "begin 30\n" and process.stdout.readline().startswith("done")
    others = psutil.Process(process.pid).children(recursive=True)
    assert any("bwrap" in other.name() for other in others) and len(others) > 4
    process.send_signal(signal.SIGKILL)
    process.communicate()
    gone, left = psutil.wait_procs(others, timeout=60)
    assert not left and len(gone) == len(others)
    assert 1 <= len(records(course)) < 30


SLEEPS = "import time\ntime.sleep(0.5)\ndef double(x):\n    return 2 * x"
