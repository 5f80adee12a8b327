"""A student's own notebook judged on the student's own machine: the visible cases, with the hints that grading gives.

The notebook runs in a process of its own (``python -m autograder.offline NOTEBOOK RESULTS``), which writes a line of JSON
for every check as soon as it is known: a loop that never ends or a crash costs only what comes after it.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .engine.store.records import CRASHED, NOT_ATTEMPTED, OUT_OF_TIME, PARTLY, RIGHT, WRONG
from .engine.tasks import Settings

CALL = re.compile(r"^[ \t]*check\(\s*[\"']([\w.]+)[\"']", re.M)


class NoNotebook(Exception):
    """There is nothing to check; the message says why."""


@dataclass
class Check:
    """One check of the notebook. message : as the notebook shows it."""

    exercise: str
    verdict: str
    points: float
    max_points: float
    message: str
    mistake: str | None = None
    hint: str = ""


@dataclass
class Outcome:
    """What became of a notebook. errors : [(number of the code cell, what it raised)]. by_hand : written answers."""

    notebook: str
    checks: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    by_hand: int = 0
    problem: str = ""

    @property
    def passed(self):
        return bool(self.checks) and all(one.verdict == RIGHT for one in self.checks) and not self.problem

    @property
    def points(self):
        return sum(one.points for one in self.checks)

    @property
    def max_points(self):
        return sum(one.max_points for one in self.checks)

    def to_json(self):
        data = asdict(self) | {"passed": self.passed, "points": self.points, "max_points": self.max_points}
        return json.dumps(data, ensure_ascii=False, indent=1)


def read(path):
    """The notebook at `path`, as nbformat 4."""
    import nbformat

    path = Path(path)
    if path.is_dir():
        raise NoNotebook(f"{path} is a folder; name the notebook in it")
    if not path.exists():
        near = _nearest(path)
        raise NoNotebook(f"there is no file {path}" + (f"; did you mean {near}?" if near else ""))
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:
        raise NoNotebook(
            f"{path} is no notebook that can be read ({str(error).splitlines()[0][:100]}); open it in JupyterLab, save it, try again"
        ) from error


def _nearest(path):
    import difflib

    folder = path.parent if path.parent.is_dir() else Path()
    names = {other.name: other for other in folder.glob("*.ipynb")}
    found = difflib.get_close_matches(path.name, names, n=1, cutoff=0.4)
    return names[found[0]] if found else None


def check_notebook(path, seconds=Settings.timeout, total=None):
    """Run a notebook in a process of its own and return the `Outcome` of its checks.

    seconds : for one cell or one check. total : for the whole notebook; what grading gives it if it is left out.
    """
    from .checks.exercise import get_exercise

    total = Settings.with_timeout(seconds).total if total is None else total
    path = Path(path)
    notebook = read(path)
    expected = [name for cell in notebook.cells if cell.cell_type == "code" for name in CALL.findall(cell.source)]
    if not expected:
        raise NoNotebook(f"{path.name} holds no check(…); expected one of the course's assignments")
    outcome = Outcome(path.name, by_hand=sum(_by_hand(cell) for cell in notebook.cells))
    # Figures are drawn nowhere, and one thread is quickest on small matrices
    environment = os.environ | {
        "MPLBACKEND": "agg",
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    }
    with tempfile.TemporaryDirectory() as scratch:
        results = Path(scratch) / "results"
        results.touch()
        # IPython keeps its history where it may
        environment["IPYTHONDIR"] = str(Path(scratch) / "ipython")
        command = [sys.executable, "-m", "autograder.offline", str(path.resolve()), str(results), str(seconds)]
        here = str(Path(__file__).resolve().parent.parent)
        environment["PYTHONPATH"] = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
        try:
            done = subprocess.run(
                command,
                cwd=path.resolve().parent,
                env=environment,
                timeout=total,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            left, why = CRASHED, f"the notebook's process ended by itself (status {done.returncode})"
        except subprocess.TimeoutExpired:
            left, why = OUT_OF_TIME, f"the notebook was stopped after {total:g} seconds"
        finished = False
        for line in results.read_text(encoding="utf-8").splitlines():
            kind, data = json.loads(line)
            if kind == "check":
                outcome.checks.append(Check(**data))
            elif kind == "error":
                outcome.errors.append(tuple(data))
            else:
                finished = True
    if not finished:
        outcome.problem = why
    got = {one.exercise for one in outcome.checks}
    for name in dict.fromkeys(expected):
        if name in got:
            continue
        try:
            points = float(get_exercise(name).points)
        except ValueError:
            points = 0.0
        if finished:
            verdict, message = WRONG, _never_reached(outcome)
        else:
            verdict, message = left, f"Not reached: {why}. Is there a loop that never ends before this check?"
        outcome.checks.append(Check(name, verdict, 0.0, points, message))
    order = {name: place for place, name in enumerate(dict.fromkeys(expected))}
    outcome.checks.sort(key=lambda one: order.get(one.exercise, len(order)))
    return outcome


def _by_hand(cell):
    marks = cell.metadata.get("nbgrader", {})
    return bool(marks.get("task") or (marks.get("grade") and marks.get("solution")))


def _never_reached(outcome):
    first = f" The first error is in code cell {outcome.errors[0][0]}: {outcome.errors[0][1]}" if outcome.errors else ""
    return f"The check could not be called: an earlier cell did not define the function.{first}"


# --- in the notebook's own process ----------------------------------------------------------------------------------


def _run(path, results, seconds):
    import nbformat
    from IPython.core.interactiveshell import InteractiveShell

    import autograder

    from .checks import evaluation
    from .checks.drivers import time_limit

    file = open(results, "a", encoding="utf-8")  # noqa: SIM115

    def write(kind, data):
        file.write(json.dumps([kind, data], ensure_ascii=False) + "\n")
        file.flush()

    def check(name, *functions, hidden=False):
        result = evaluation.evaluate(name, *functions, hidden=False, seconds=seconds, withhold=True)
        write("check", asdict(_checked(result)))

    autograder.check = evaluation.check = check
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False
    number = 0
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        number += 1
        with time_limit(seconds * max(1, len(CALL.findall(cell.source)))):
            done = shell.run_cell(cell.source, store_history=True)
        error = done.error_before_exec or done.error_in_exec
        if error is not None:
            # IPython's name for the cell tells a student nothing
            text = re.sub(r"<ipython-input-[^>]*>, ", "", str(error))
            write("error", [number, f"{type(error).__name__}: {text}"])
    write("end", None)
    file.close()
    # Threads and exit handlers of the notebook have no say any more
    os._exit(0)


def _checked(result):
    from .checks.exercise import get_exercise

    verdict = PARTLY if result.points else WRONG
    if result.passed or not result.attempted:
        verdict = RIGHT if result.passed else NOT_ATTEMPTED
    if any("stopped after" in row.problem for row in result.rows):
        verdict = OUT_OF_TIME
    hints = {mistake.slug: mistake.hint for mistake in get_exercise(result.name).mistakes}
    return Check(
        result.name,
        verdict,
        float(result.points),
        float(result.max_points),
        result.message,
        result.mistake,
        hints.get(result.mistake, ""),
    )


if __name__ == "__main__":
    _run(sys.argv[1], sys.argv[2], float(sys.argv[3]))
