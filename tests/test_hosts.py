"""Grading on several hosts: network namespaces stand for machines, with TLS between them.

The instructor's machine, the scheduler's and three workers' are joined by a bridge in a namespace between them. One worker is
cut off in the middle and joined again later, one is slow. Nothing may be lost, and nothing graded twice.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import classes
import environments
import pytest
import test_example_course as example

from autograder.checks import registry
from autograder.commands.release import release
from autograder.engine.store.course import open_course
from autograder.engine.store.journal import latest_records, records_folder

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow
ENVIRONMENT = os.environ | {
    "PYTHONPATH": os.pathsep.join([str(Path(classes.__file__).parent), *filter(None, sys.path)]),
    "PYTHONWARNINGS": "ignore",
    # A host that falls silent is given up after this long (Dask takes no less); 30 s where nobody says otherwise
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "12s",
}
GRADE = """
import json, sys, classes
from autograder.engine.run import grade_class
from autograder.engine.store.course import open_course
def tell(event, *details):
    print(json.dumps([event, *map(str, details[:1])]), flush=True)
made = grade_class(open_course(sys.argv[1]), classes.NAME, scheduler=sys.argv[2], grader=classes.Unhurried, on_event=tell)
print(json.dumps(["end", sorted(made.graded), made.failed, made.problem]), flush=True)
"""

# Of another course, without a grader that takes its time; the summary of everyone and what became of the run
GRADE_OWN = """
import json, sys
from autograder.engine.run import grade_class
from autograder.engine.store.course import open_course
made = grade_class(open_course(sys.argv[1]), sys.argv[2], scheduler=sys.argv[3])
print(json.dumps([sorted(made.graded), made.failed, made.problem]), flush=True)
"""
# The course's folder is hidden from a process, as if it stood on another machine's disk
HIDDEN = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"']


def ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")


class Hosts:
    """Namespaces 10.77.0.1, .2, … on one bridge; `run` starts a process on one of them."""

    def __init__(self, names, folder):
        self.folder, self.mark, self.made, self.processes = folder, f"dl{os.getpid() % 100_000}", [], []
        self.hub = self.space("hub")
        ip("-n", self.hub, "link", "add", "bridge", "type", "bridge")
        ip("-n", self.hub, "link", "set", "bridge", "up")
        self.addresses = {}
        for number, name in enumerate(names, 1):
            space, wire = self.space(name), f"{self.mark}w{number}"
            ip("link", "add", wire, "netns", self.hub, "type", "veth", "peer", "name", "eth0", "netns", space)
            ip("-n", self.hub, "link", "set", wire, "master", "bridge", "up")
            ip("-n", space, "link", "set", "lo", "up")
            ip("-n", space, "address", "add", f"10.77.0.{number}/24", "dev", "eth0")
            ip("-n", space, "link", "set", "eth0", "up")
            self.addresses[name] = f"10.77.0.{number}"

    def space(self, name):
        ip("netns", "add", f"{self.mark}-{name}")
        self.made.append(f"{self.mark}-{name}")
        return self.made[-1]

    def run(self, name, *command, **options):
        command = ["ip", "netns", "exec", f"{self.mark}-{name}", *map(str, command)]
        self.processes.append(subprocess.Popen(command, cwd=self.folder, start_new_session=True, **options))
        return self.processes[-1]

    def join(self, name, joined):
        """Plug a host's cable in or out."""
        wire = f"{self.mark}w{list(self.addresses).index(name) + 1}"
        ip("-n", self.hub, "link", "set", wire, "up" if joined else "down")

    def close(self):
        for process in reversed(self.processes):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for space in self.made:
            subprocess.run(["ip", "netns", "delete", space], check=False)


@pytest.fixture
def hosts(tmp_path):
    if os.name != "posix" or not shutil.which("ip") or os.geteuid() != 0:
        pytest.skip("network namespaces need root and iproute2")
    found = Hosts.__new__(Hosts)
    try:
        found.__init__(("teacher", "scheduler", "cut", "slow", "well"), tmp_path)
    except OSError as error:
        if getattr(found, "made", None):
            found.close()
        pytest.skip(f"this machine makes no network namespaces: {error}")
    yield found
    found.close()


@pytest.fixture
def certificates(tmp_path):
    from distributed.security import Security

    pytest.importorskip("cryptography")
    made = Security.temporary()
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_text(made.tls_ca_file)
    key.write_text(made.tls_client_key)
    tls = {"CA_FILE": certificate}
    for role in ("CLIENT", "SCHEDULER", "WORKER"):
        tls |= {f"{role}__CERT": certificate, f"{role}__KEY": key}
    return {f"DASK_DISTRIBUTED__COMM__TLS__{name}": str(path) for name, path in tls.items()}


def start_scheduler(hosts, **options):
    """A scheduler on its host, for TLS only; its address."""
    host = f"tls://{hosts.addresses['scheduler']}"
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard"]
    hosts.run("scheduler", *dask, "--host", host, "--port", "8786", **options)
    return f"{host}:8786"


def start_worker(hosts, name, address, *before, **options):
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard"]
    worker += ["--local-directory", hosts.folder / name, "--host", f"tls://{hosts.addresses[name]}"]
    hosts.run(name, *before, *worker, **options)


def slowed(process, stop):
    """Let a process have a fifth of the time."""
    while not stop.wait(0.2):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGSTOP)
            stop.wait(0.8)
            os.killpg(process.pid, signal.SIGCONT)


def test_a_host_is_cut_off_and_one_is_slow_and_nothing_is_lost_or_graded_twice(hosts, certificates, tmp_path):
    course = classes.make_course(tmp_path / "course")
    students = [f"student{number:02}" for number in range(40)]
    made = json.dumps(classes.answered(course, classes.RIGHT_ANSWERS))
    for student in students:
        classes.hand_in(course, student, made)
    with (tmp_path / "log").open("w") as log:
        options = {"env": ENVIRONMENT | certificates, "stdout": log, "stderr": log}
        address = start_scheduler(hosts, **options)
        for name in ("cut", "slow", "well"):
            start_worker(hosts, name, address, **options)
        slow, stop = hosts.processes[2], threading.Event()
        # Without this machine's interfaces the scheduler can be reached from the namespaces only
        teacher = hosts.run(
            "teacher", sys.executable, "-c", GRADE, course, address,
            env=ENVIRONMENT | certificates, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        thread = threading.Thread(target=slowed, args=(slow, stop), daemon=True)
        done, end, cut = [], None, 0.0
        try:
            for line in teacher.stdout:
                event, *more = json.loads(line)
                if event == "begin":
                    thread.start()
                elif event == "done":
                    done.append(more[0])
                    if len(done) == 8:
                        hosts.join("cut", False)
                        cut = time.monotonic()
                    elif len(done) == 30:
                        hosts.join("cut", True)
                else:
                    end = more
        finally:
            stop.set()
            teacher.stdout.close()
        teacher.wait(60)
    said = (tmp_path / "log").read_text()[-3000:]
    assert cut and end == [students, {}, ""], (end, said)
    # Each is told, journalled and in the gradebook once
    assert Counter(done) == Counter(students)
    lines = (records_folder(open_course(course)) / f"{classes.NAME}.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["student"] for line in lines) == students
    scores, _, _ = classes.grades(course)
    assert sorted({student for student, _ in scores}) == students


def test_a_courses_own_exercises_and_its_environment_work_on_a_host_without_the_course(hosts, certificates, tmp_path):
    if not shutil.which("bwrap"):
        pytest.skip("bubblewrap (bwrap) is not installed")
    course, slug = tmp_path / "course", example.SLUG
    shutil.copytree(example.EXAMPLE, course, ignore=shutil.ignore_patterns("release", "exchange", "gradebook.db"))
    other = environments.make(tmp_path / "other one")
    with (course / "nbgrader_config.py").open("a") as config:
        config.write(f"c.DlcourseGrader.environment = {str(other)!r}\n")
    with registry.using(registry.read_sources(course / "exercises")):
        release(course, slug, exchange=False)
        right = example.solutions(course)
        variance = right["statistics-variance"]
        there = {"statistics-variance": f"    import only_there\n    assert only_there.value == 7\n{variance}"}
        # pytest is in the environment of the workers, not in the one that the course names
        here = {"statistics-variance": f"    import pytest\n{variance}"}
        for student, bodies in {"ada": right | there, "bob": right | example.WRONG, "cyd": right | here}.items():
            example.hand_in(course / "submitted" / student / slug, example.answered(course, bodies))
    with (tmp_path / "log").open("w") as log:
        options = {"env": ENVIRONMENT | certificates, "stdout": log, "stderr": log}
        address = start_scheduler(hosts, **options)
        start_worker(hosts, "well", address, *HIDDEN, course, **options)
        teacher = hosts.run(
            "teacher", sys.executable, "-c", GRADE_OWN, course, slug, address,
            env=ENVIRONMENT | certificates, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        printed, _ = teacher.communicate(timeout=200)
    said = (tmp_path / "log").read_text()[-3000:]
    assert printed and json.loads(printed) == [["ada", "bob", "cyd"], {}, ""], said
    records = {record.student: record for record in latest_records(open_course(course), slug)}
    assert [records[student].points for student in ("ada", "cyd")] == [12.0, 10.0]
    mistakes = {verdict.exercise: verdict.mistake for verdict in records["bob"].verdicts if verdict.mistake}
    assert mistakes == {"statistics.variance": "ddof_ignored", "statistics.bootstrap_interval": "mean_over_resamples"}
    assert "pytest" in " ".join(records["cyd"].needs_review)
