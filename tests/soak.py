"""A class of which many are hostile, graded the whole way: journal, gradebook, pages, report, exports.

    python -m tests.soak            a thousand submissions, a hundred of them hostile, with two workers; about ten minutes
    python -m tests.soak 200        other sizes; a tenth of them is hostile

It fails where an honest score differs from that of the same answers alone, where the main process grows above 400 MB, or where
anything is left: temporary files, processes, shared memory.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from attacks import hostile
from attacks.assignment import ASSIGNMENT, hand_in, make_course, released_notebook
from attacks.observe import make_scene, system_v

from autograder.engine.run import grade_class
from autograder.engine.store.course import open_course
from autograder.engine.store.gradebook_reader import read_marks
from autograder.engine.tasks import Settings

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = Settings(timeout=4.0, total=60.0, memory=1024, disk=64)
MEMORY_MB = 400
WRONG = "def average(values):\n    return 0"
HALF = "def linear_neuron_grad(X, d, w, b):\n    e = X @ w + b - d\n    return X.T @ e, e.mean()"
# What honest students hand in: right, with a mistake, unfinished
HONEST = ({}, {"average": WRONG}, {"gradient": HALF}, {"preactivation": "def preactivation(X, w, b):\n    pass"})


def found_scores(course):
    """{student: points} in the gradebook, whichever database it is."""
    return {student: marks.points for student, marks in read_marks(open_course(course), ASSIGNMENT).items()}


def make(folder, honest, attacks, config=""):
    """The class as it is handed in, and what its honest answers are worth alone."""
    course = make_course(folder / "course", config)
    hostile.course_files(course)
    for number in range(honest):
        hand_in(course, f"honest{number:04}", HONEST[number % len(HONEST)])
    scene, released = make_scene(folder, course, 9), released_notebook(course)
    for attack in attacks:
        attack.write(scene, released)
    return course, [f"honest{number:04}" for number in range(honest)]


def state():
    """What a run may leave: files in this process's folder for temporary ones, named objects of the corpus, processes."""
    import psutil

    return {
        "temporary files": set(os.listdir(tempfile.gettempdir())),
        "shared memory": {*system_v(), *(name for name in os.listdir("/dev/shm") if "hostile" in name)},
        "elsewhere": {name for folder in ("/tmp", "/var/tmp") for name in os.listdir(folder) if "left-hostile" in name},
        "processes": {process.pid for process in psutil.Process().children(recursive=True)},
    }


def grade(course, workers=2, command=(sys.executable,)):
    """Grade it in another process: {what the summary says}, {"seconds", "memory" of that process in MB, "left"}."""
    before, begun = state(), time.perf_counter()
    environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    words = [*command, "-m", "tests.soak", "--grade", str(course), str(workers)]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    known = {"seconds": time.perf_counter() - begun, "memory": summary.pop("memory"), "said": done.stderr}
    end = time.monotonic() + 20
    while (left := differences(before)) and time.monotonic() < end:
        time.sleep(0.2)
    return summary, known | {"left": left}


def grade_here(course, workers):
    """What `grade` starts."""
    summary = grade_class(open_course(course), ASSIGNMENT, settings=SETTINGS, workers=workers)
    # Not ru_maxrss: a process begins with the one of who started it
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    memory = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(
        json.dumps(vars(summary) | {"verdicts": dict(summary.verdicts), "complete": summary.complete, "memory": memory})
    )


def differences(before):
    now = state()
    return {key: sorted(map(str, now[key] - before[key])) for key in now if now[key] - before[key]}


def alone(folder, config=""):
    """Points of each of the `HONEST` answers in a class that has nobody else."""
    course, students = make(folder, len(HONEST), (), config)
    summary, _ = grade(course, workers=1)
    assert summary["complete"], summary
    found = found_scores(course)
    return [found[student] for student in students]


def outcome(course, students, attacks, wanted, graded, memory=MEMORY_MB):
    """What came of a graded class; {} for each kind of trouble that it does not have."""
    summary, known = graded
    found = found_scores(course)
    expected = {student: wanted[number % len(HONEST)] for number, student in enumerate(students)}
    hostile_scores = {attack.folder: attack.score for attack in attacks if attack.expected_verdicts}
    refused = {attack.folder for attack in attacks if not attack.expected_verdicts}
    return {
        "honest scores": {one: found.get(one) for one, score in expected.items() if found.get(one) != score},
        "hostile scores": {
            one: (found.get(one), score) for one, score in hostile_scores.items() if found.get(one) != score
        },
        "open": summary["failed"],
        "refused": {one: summary["refused"].get(one) for one in refused ^ set(summary["refused"])},
        "problem": {"": summary["problem"]} if summary["problem"] else {},
        "said": {"": known["said"]} if known["said"] else {},
        "memory of the main process, MB": {"": known["memory"]} if known["memory"] > memory else {},
        "left": known["left"],
    }


def remove(folder):
    """Remove what a class has handed in, whatever its rights."""
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            if not os.path.islink(os.path.join(parent, name)):
                os.chmod(os.path.join(parent, name), 0o700)
    shutil.rmtree(folder, ignore_errors=True)


def main(size=1000):
    count = size // 10
    attacks = [hostile.HOSTILE[number * len(hostile.HOSTILE) // count] for number in range(count)]
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    try:
        (folder / "temporary").mkdir()
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder / "temporary")
        (folder / "alone").mkdir()
        wanted = alone(folder / "alone")
        course, students = make(folder, size - count, attacks)
        graded = grade(course)
        seconds, memory = graded[1]["seconds"], graded[1]["memory"]
        found = {key: value for key, value in outcome(course, students, attacks, wanted, graded).items() if value}
        print(f"{size} submissions, {count} of them hostile, in {seconds:.0f} s; main process at most {memory:.0f} MB")
        print(json.dumps(found, indent=1) if found else "nothing else differs, nothing is left")
        return int(bool(found))
    finally:
        remove(folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--grade"]:
        grade_here(sys.argv[2], int(sys.argv[3]))
    else:
        sys.exit(main(*map(int, sys.argv[1:])))
