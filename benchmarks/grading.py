"""How fast a class is graded, beside plain `nbgrader autograde`: `python -m benchmarks.grading` writes `grading.md`.

python -m benchmarks.grading                    everything, about twenty minutes
python -m benchmarks.grading throughput         one part, printed only: throughput, growth, workers, assignments, walls

BENCH_CLASS sets the size of the class in the first part (100).

Every measured run is a separate process, and the sides take turns: the class by the engine, half of it by plain nbgrader,
the class by the engine, the other half, the class by the engine; the engine's figures are those of its median run. Wall
time is the clock's, start-up included; processor time counts all processes of a run.
"""

import contextlib
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from autograder.engine.sandbox import walls as kernel

SLUG = "neurons"
RESULTS = Path(__file__).parent / "grading.md"
# Pairs of runs for the cost of each wall
TURNS = 3
# A cell of the student's own that computes for about half a second, for the part on workers
WORK = "import numpy as np\n_x = np.random.default_rng(0).random((160, 160))\nfor _ in range(3600):\n    _x = np.tanh(_x @ _x.T / 160)"


def make_course(folder, slug=SLUG):
    """A course with one released assignment."""
    from autograder import build

    folder.mkdir(parents=True)
    shutil.copy(build.COURSE / "nbgrader_config.py", folder)
    # The numbers of the cases come from it: every copy of this course must ask for the same ones
    (folder / "course_secret").write_text("benchmark")
    build.write_instructor_notebook(slug, folder)
    build.generate(folder, [slug])


def make_class(folder, size, work=False):
    """A course with `size` submissions: those of `answers`, over and over."""
    import nbformat
    from nbformat.v4 import new_code_cell

    make_course(folder)
    notebooks = answers(folder)
    for number in range(size):
        notebook = nbformat.from_dict(notebooks[number % len(notebooks)])
        if work:
            notebook.cells.insert(2, new_code_cell(WORK, id="work"))
        target = folder / "submitted" / f"student{number:04d}" / SLUG
        target.mkdir(parents=True)
        nbformat.write(notebook, target / f"{SLUG}.ipynb")
    return folder


def answers(folder):
    """What a class hands in: right answers in other words, known mistakes, cells left out, and the course's own solution."""
    import nbformat

    from autograder import demo

    # Without the demonstration's special cases: a loop that never ends would only measure the limit of time
    special = {*demo.CLASS, "stephen"} - {"ada"}
    changes = [what for student, what in demo.class_of(SLUG, 30).items() if student not in special]
    released, solutions = folder / "release" / SLUG / f"{SLUG}.ipynb", demo.solutions(SLUG)
    return [demo.answer(nbformat.read(released, as_version=4), solutions, what) for what in changes]


def run(*command, cwd=None):
    """(wall seconds, processor seconds, what it printed) of a command, with one thread for each process.

    bubblewrap does not wait for what it has started, so what nobody has waited for is collected here, and counted.
    """
    environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    # Without compiled bytecode every start of every process would compile half of Jupyter
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PATH"] = str(Path(sys.executable).parent) + os.pathsep + environment.get("PATH", "")
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    kernel.adopt()
    try:
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
        wall = time.perf_counter() - begun
        with contextlib.suppress(ChildProcessError):
            # Not for ever: schedulers and workers of the benchmark's own go on
            for _ in range(200):
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    time.sleep(0.01)
    finally:
        kernel.adopt(False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, done.stdout


def grade(folder, *, workers=2, scheduler=None, students=(), without="", slug=SLUG):
    """Grade a class with the engine in a separate process; wall and processor seconds, and what it reports."""
    options = {"folder": str(folder), "workers": workers, "scheduler": scheduler, "students": list(students)}
    options |= {"without": without, "slug": slug}
    wall, cpu, out = run(sys.executable, "-m", "benchmarks.grading", "--one", json.dumps(options))
    return wall, cpu, json.loads(out.splitlines()[-1])


def one(options):
    """What `grade` starts: grade, and print what the run knows of itself."""
    from autograder.engine.run import grade_class
    from autograder.engine.store.course import open_course

    if options["without"]:
        WALLS[options["without"]]()
    begun, done = time.perf_counter(), []
    summary = grade_class(
        open_course(Path(options["folder"])),
        options["slug"],
        students=options["students"] or None,
        workers=options["workers"],
        scheduler=options["scheduler"],
        on_event=lambda event, *details: done.append(time.perf_counter()) if event == "done" else None,
    )
    if not summary.complete:
        raise SystemExit(f"not complete: {summary.problem} {summary.failed} {summary.refused}")
    print(
        json.dumps(
            {
                "graded": len(summary.graded),
                "seconds": time.perf_counter() - begun,
                # The second half of the results, when everything has started and is warm
                "each": (done[-1] - done[len(done) // 2 - 1]) / (len(done) - len(done) // 2) if len(done) > 1 else 0.0,
                "student_cpu": summary.cpu_seconds,
                "student": summary.student_seconds,
                "overhead": summary.overhead,
                # Linux says kB
                "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def scores(folder):
    """{student: {cell: points}} of a course's gradebook."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        return {
            submission.student.id: {
                grade.name: (grade.auto_score, grade.max_score, grade.needs_manual_grade)
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
            for submission in gradebook.assignment_submissions(SLUG)
        }


def with_plain_nbgrader(folder):
    """Take the engine out of nbgrader's own `autograde`."""
    with (folder / "nbgrader_config.py").open("a") as file:
        file.write("\nc.Autograde.pop('autograde_preprocessors')\n")


def throughput(scratch):
    size = int(os.environ.get("BENCH_CLASS", "100"))
    plain_folder = make_class(scratch / "plain", size)
    with_plain_nbgrader(plain_folder)
    ours_folders = [Path(shutil.copytree(plain_folder, scratch / f"ours{turn}")) for turn in range(3)]
    students = sorted(path.name for path in (plain_folder / "submitted").iterdir())
    nbgrader = [sys.executable, "-m", "nbgrader", "autograde", SLUG, "--create"]
    # Once for nothing: bytecode and the disk's cache are then as on every other day
    for side in ("plain", "ours"):
        folder = make_class(scratch / f"first {side}", 2)
        if side == "plain":
            with_plain_nbgrader(folder)
            run(*nbgrader, cwd=folder)
        else:
            grade(folder)
    wall = cpu = 0.0
    runs = []
    for folder, half in zip(ours_folders, (students[::2], students[1::2], []), strict=True):
        runs.append(grade(folder))
        print(f"the engine: {size} in {runs[-1][0]:.1f} s", file=sys.stderr, flush=True)
        if half:
            only = "--CourseDirectory.student_id_exclude=" + ",".join(sorted(set(students) - set(half)))
            seconds, processor, _ = run(*nbgrader, only, cwd=plain_folder)
            wall, cpu = wall + seconds, cpu + processor
            print(f"plain nbgrader: {len(half)} in {seconds:.0f} s", file=sys.stderr, flush=True)
    ours = sorted(runs, key=lambda one: one[0])[len(runs) // 2]
    wanted = scores(plain_folder)
    found = [scores(folder) for folder in ours_folders]
    same = all(one == wanted for one in found)
    differ = sorted({name for one in found for name in wanted if one.get(name) != wanted[name]})
    known = ours[2]
    return [
        f"## {size} submissions of `{SLUG}`, 2 worker processes",
        "",
        "| | plain `nbgrader autograde` | the engine | ratio |",
        "| --- | --- | --- | --- |",
        f"| wall time, s | {wall:.1f} | {ours[0]:.1f} | **{wall / ours[0]:.1f} ×** (goal ≥ 15) |",
        f"| submissions a second | {size / wall:.2f} | {size / ours[0]:.2f} | |",
        f"| processor time of a submission, start-up shared, s | {cpu / size:.2f} | {ours[1] / size:.3f} (goal ≤ 0.2) | {cpu / ours[1]:.1f} × |",
        f"| of it the students' own code, s | | {known['student_cpu'] / size:.3f} | |",
        "",
        f"Scores of every cell of every student identical: **{'yes' if same else 'NO: ' + ', '.join(differ)}**.",
        f"Overhead of the engine over the students' own computing: {known['overhead'] / size * 1000:.0f} ms of wall time a"
        f" submission in the workers, beside {known['student'] / size * 1000:.0f} ms in which the students' code had the word.",
        "",
    ]


def growth(scratch):
    sizes, rows, each, memories = (10, 100, 1000), [], [], []
    biggest = make_class(scratch / "growth", sizes[-1])
    students = sorted(path.name for path in (biggest / "submitted").iterdir())
    for size in sizes:
        folder = scratch / f"growth{size}"
        shutil.copytree(biggest, folder, ignore=shutil.ignore_patterns("submitted"))
        for student in students[:size]:
            shutil.copytree(biggest / "submitted" / student, folder / "submitted" / student)
        wall, cpu, known = grade(folder)
        again, _, _ = grade(folder)
        each.append(known["each"])
        memories.append(known["memory"])
        print(f"{size} in {wall:.1f} s", file=sys.stderr, flush=True)
        rows.append(
            f"| {size} | {wall:.1f} | {1000 * each[-1]:.0f} | {cpu / size:.3f} | {known['memory']:.0f} | {again:.1f} |",
        )
    return [
        "## Growth of a class, 2 worker processes",
        "",
        "| submissions | wall time, start-up included, s | each of the second half, ms | processor time of each,"
        " start-up shared, s | peak memory of the main process, MB | a run with nothing new, s |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
        *rows,
        "",
        f"From 100 to 1000 submissions the time of each changes by {100 * (each[2] / each[1] - 1):+.0f} % (goal: within 10 %)."
        f" From 10 to 1000 the main process grows by {memories[-1] - memories[0]:.0f} MB (goal: within 100 MB).",
        "",
    ]


def workers(scratch):
    """One worker against two, of the same scheduler in another process, on submissions that compute for half a second."""
    from distributed import Client

    size, walls = 40, {}
    for count in (1, 2):
        folder = make_class(scratch / f"workers{count}", size, work=True)
        file = scratch / f"scheduler{count}.json"
        dask = [sys.executable, "-m", "dask"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        processes = [
            subprocess.Popen(
                [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", file],
                env=environment,
                **quiet,
            )
        ]
        try:
            for _ in range(count):
                worker = [*dask, "worker", "--scheduler-file", file, "--nthreads", "1", "--no-dashboard"]
                processes.append(subprocess.Popen([*worker, "--local-directory", scratch], env=environment, **quiet))
            while not file.exists():
                time.sleep(0.1)
            with Client(scheduler_file=str(file)) as client:
                client.wait_for_workers(count, timeout=120)
                address = client.scheduler.address
            walls[count] = grade(folder, scheduler=address)[2]["each"]
            print(f"{count}: {1000 * walls[count]:.0f} ms each", file=sys.stderr, flush=True)
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in processes:
                process.wait()
    return [
        "## Workers of a scheduler in another process",
        "",
        f"{size} submissions that compute for about half a second each, the second half of them: one worker"
        f" {1000 * walls[1]:.0f} ms each, two workers {1000 * walls[2]:.0f} ms: **{walls[1] / walls[2]:.2f} ×** (goal ≥ 1.8"
        " on 2 cores).",
        "",
    ]


class _Line:
    """In the place of the channel between a judge and its supervisor, where one process is both."""

    def __init__(self, ask):
        self.ask = ask

    def send(self, header, buffers=()):
        self.told = self.ask(header["case"], header["given"], b"".join(buffers))

    def receive(self):
        reply, body = self.told
        return {"runs": reply.get("runs")}, body


def _judge_here():
    from autograder.engine import grader
    from autograder.engine.sandbox import judge

    class Here(judge.Judge):
        def start(self):
            pass

        def ready(self, names=()):
            pass

        def limits(self, name, seed):
            if (name, seed) not in self.known:
                self.known[name, seed] = judge.limits_of(name, seed)
            return self.known[name, seed]

        def _ask(self, name, seed, frames, at_home, again):
            return judge.judged(name, seed, frames, at_home, again)

        def know(self, name, seed):
            judge.place.evidence(name, seed)

        def place(self, name, seed, seconds, ask, source, at_home=False):
            header = {"place": name, "seed": seed, "seconds": seconds, "source": source, "at_home": at_home}
            return judge._placed(_Line(ask), header)

    grader.Judge = Here


def _clean_nothing():
    from autograder.engine.sandbox import protocol

    protocol.cleaned = protocol.clean = lambda value: value


def _bound_nothing():
    from autograder.engine import grader

    exact = grader.frame
    grader.frame = lambda number, header, body, limit: exact(number, header, body, 2**40)


def _look_at_no_structure():
    from autograder.checks import compare, relations

    compare.far_larger = relations.far_larger = lambda value, expected: False
    compare.entries = lambda value: 0


def _in_kit(file, text):
    """Add lines to a file of the sandbox's, which stand for what it has under these names."""
    from autograder.engine.sandbox import sandbox

    exact = sandbox.write_kit

    def written(folder, *args):
        exact(folder, *args)
        with (Path(folder) / "autograder" / "engine" / "sandbox" / file).open("a", encoding="utf-8") as kit:
            kit.write(text)

    sandbox.write_kit = written


def _filter_nothing():
    _in_kit("calls.py", "\n\ndef install():\n    return None\n")


def _measure_nothing():
    _in_kit("meter.py", "\n\nMeter.look = lambda self, limit: None\n")


def _no_namespaces():
    from autograder.engine import tasks

    tasks.Settings.__init__.__defaults__ = ("process", *tasks.Settings.__init__.__defaults__[1:])


# {wall: what takes it away}
WALLS = {
    "namespaces, file systems and filter of the kernel's": _no_namespaces,
    "of them the filter of system calls": _filter_nothing,
    "measuring what a box holds": _measure_nothing,
    "judging in a separate process": _judge_here,
    "cleaning of every string": _clean_nothing,
    "bounds of an answer's bytes": _bound_nothing,
    "structure before arithmetic": _look_at_no_structure,
}


def walls(scratch):
    """The processor time of a submission without each wall: the slope between two sizes of class."""
    few, many = 5, 45
    biggest = make_class(scratch / "walls", many)
    students = sorted(path.name for path in (biggest / "submitted").iterdir())

    def cost(without, turn):
        found = []
        for size in (few, many):
            folder = Path(shutil.copytree(biggest, scratch / f"{without}{turn}{size}"))
            found.append(grade(folder, workers=1, students=students[:size], without=without)[1])
            shutil.rmtree(folder)
        return 1000 * (found[1] - found[0]) / (many - few), 1000 * found[0]

    # Each beside a run with all walls: a machine's speed drifts by more than a wall costs
    differences, starts, whole = {name: [] for name in WALLS}, [], []
    for turn in range(TURNS):
        for name in WALLS:
            (with_it, start), (without, other) = cost("", f"{turn}{name}"), cost(name, turn)
            whole.append(with_it)
            differences[name].append(with_it - without)
            if name == "judging in a separate process":
                starts.append(start - other)
            print(f"{name}: {with_it:.1f} ms, without it {without:.1f} ms", file=sys.stderr, flush=True)
    page, raw = _pages()
    return [
        "## What the walls cost, processor time",
        "",
        f"A submission takes {statistics.median(whole):.0f} ms with all of them; the median of {TURNS} pairs, with and without, and their range.",
        "",
        "| | its cost, ms a submission | range |",
        "| --- | ---: | ---: |",
        *(
            f"| {name} | {statistics.median(each):+.1f} | {min(each):+.1f} to {max(each):+.1f} |"
            for name, each in differences.items()
        ),
        f"| the allow-list of a page of feedback, a page | {page - raw:+.1f} | |",
        "",
        f"The judge's own start is {statistics.median(starts):.0f} ms, once for each worker.",
        "",
    ]


def _pages():
    """Milliseconds of a page of feedback with the allow-list and without."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
    import records

    from autograder.reports import allow_list, feedback

    record = records.record("ada", {"neurons.linear_neuron_grad": "bias_not_summed"})
    exact, found = allow_list.page, {True: [], False: []}
    for turn in range(41):
        for walled in found:
            allow_list.page = exact if walled else lambda text: text
            begun = time.process_time()
            feedback.feedback_page(record, record.notebooks[0])
            # The first one loads the formulas
            found[walled] += [1000 * (time.process_time() - begun)] if turn else []
    allow_list.page = exact
    return [sorted(times)[len(times) // 2] for times in found.values()]


def assignments(scratch):
    """The course's own solution of each assignment, projects and hunts included: what one more submission costs."""
    import nbformat

    import dlcourse
    from autograder import build, demo

    rows = []
    for slug in (slug for slug in dlcourse.TOPICS if slug in build.existing_assignments()):
        folder = scratch / slug
        make_course(folder, slug)
        released = nbformat.read(folder / "release" / slug / f"{slug}.ipynb", as_version=4)
        solved = demo.answer(released, demo.solutions(slug), {})
        costs = []
        # The first run makes bytecode; start-up is in the other two
        for count in (1, 2, 14):
            for number in range(count):
                target = folder / "submitted" / f"student{count}{number}" / slug
                target.mkdir(parents=True)
                nbformat.write(solved, target / f"{slug}.ipynb")
            costs.append(grade(folder, workers=1, slug=slug))
        _, (_, few, first), (_, many, last) = costs
        rows.append((slug, (many - few) / 12, (last["student_cpu"] - first["student_cpu"]) / 12))
        print(f"{slug}: {rows[-1][1]:.2f} s", file=sys.stderr, flush=True)
    return [
        "## Each assignment's own solution",
        "",
        "Processor time of one more submission, and the part of it that the submission's own code takes (goal < 2 s):",
        "",
        "| assignment | all, s | its own code, s |",
        "| --- | ---: | ---: |",
        *(f"| {slug} | {whole:.2f} | {own:.2f} |" for slug, whole, own in rows),
        "",
    ]


PARTS = {
    "throughput": throughput,
    "growth": growth,
    "workers": workers,
    "assignments": assignments,
    "walls": walls,
}


def main(words):
    lines = [
        "# Grading a class",
        "",
        f"`python -m benchmarks.grading`, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}.",
        "",
    ]
    for name, part in PARTS.items():
        if not words or name in words:
            with tempfile.TemporaryDirectory() as scratch:
                found = part(Path(scratch))
            print("\n".join(found), flush=True)
            lines += found
    if not words:
        RESULTS.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(json.loads(sys.argv[2]))
    else:
        sys.exit(main(sys.argv[1:]))
