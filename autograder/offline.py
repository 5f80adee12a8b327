"""A student's own notebook judged on the student's own machine, by the engine that grades it.

The notebook is put together as it is graded: the released cells with the student's answers in them. It runs in the same
sandbox, and asks of each exercise the cases that the notebook's own check asks. Where no sandbox can be built the same runs
in a separate process (`isolation="fresh"`), with the user's own rights.
"""

import contextlib
import difflib
import json
import re
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from . import places
from .checks import registry
from .checks.evaluation import evaluate
from .checks.exercise import get_exercise
from .engine import ingest
from .engine.grader import Grader
from .engine.store.records import RIGHT, WRONG
from .engine.tasks import CODE, EXERCISE, Settings, Step, Task
from .errors import NoNotebook

RELEASED = places.find().course / "release"
CALL = re.compile(r"^[ \t]*check\(\s*[\"']([\w.]+)[\"']", re.M)


@dataclass
class Check:
    """One check of the notebook. exercise : its name; of a cell of asserts, the cell's. message : as the notebook shows it."""

    exercise: str
    verdict: str
    points: float
    max_points: float
    message: str
    mistake: str | None = None
    hint: str = ""


@dataclass
class CellError:
    """An error that stopped cells. cells : their numbers among the notebook's code cells. line : the first one's first line."""

    cells: list
    line: str
    error: str


@dataclass
class CheckedNotebook:
    """What became of a notebook.

    assignment : the released one that it was compared with; "" where it is none of the course's.
    errors : `CellError` objects. notes : where the file is not what grading goes by, a sentence each.
    missing : ids of the answers that the file has lost. by_hand : written answers that a person will read.
    unwritten : ids of those that are as they were released.
    """

    notebook: str
    assignment: str = ""
    checks: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    missing: list = field(default_factory=list)
    by_hand: int = 0
    unwritten: list = field(default_factory=list)

    @property
    def passed(self):
        return bool(self.checks) and not self.missing and all(one.verdict == RIGHT for one in self.checks)

    @property
    def points(self):
        return sum(one.points for one in self.checks)

    @property
    def max_points(self):
        return sum(one.max_points for one in self.checks)

    def to_json(self):
        data = asdict(self) | {"passed": self.passed, "points": self.points, "max_points": self.max_points}
        return json.dumps(data, ensure_ascii=False, indent=1)


def check_notebook(path, seconds=Settings.timeout, total=None, isolation="bwrap", released=None, grader=None):
    """Run a notebook as grading does and return its `CheckedNotebook`; the file is not changed.

    Parameters
    ----------
    path : the notebook.
    seconds : for one cell or one check. total : for the whole notebook; what grading gives it if it is left out.
    isolation : "bwrap", or "fresh": with the user's own rights.
    released : the assignment as it was released, a path; by default the course's that this notebook is a copy of.
    grader : one that is kept warm for several notebooks; its settings then count.

    Raises `NoNotebook` where there is nothing to check, `NoSandbox` where the sandbox cannot be built.
    """
    path = Path(path)
    data = _read(path)
    cells, problem = ingest.parse(data)
    if problem:
        raise NoNotebook(
            f"{path} is not a notebook that can be read: {problem}. Open it in JupyterLab, save it and try again"
        )
    own = registry.find_sources(path.resolve().parent)
    if own.files:
        registry.use(own)
    master = _master(path, cells, released)
    outcome = CheckedNotebook(path.name)
    steps = _steps_of_any(path, cells, outcome) if master is None else _steps_of(master, data, outcome)
    task = Task("", outcome.assignment, path.stem, steps, 0, ingest.read_own_folder(path.parent), at_home=True)
    if grader is None:
        settings = Settings.with_timeout(seconds, isolation=isolation)
        settings = settings if total is None else replace(settings, total=total)
        with Grader(settings) as grader:
            result = grader.grade(task)
    else:
        result = grader.grade(task)
    for step, came in zip(steps, result.results, strict=True):
        verdict = came.verdict
        if verdict is not None and verdict.points is not None:
            outcome.checks.append(
                Check(
                    verdict.exercise or verdict.grade_id,
                    verdict.verdict,
                    verdict.points,
                    step.points,
                    verdict.message,
                    verdict.mistake,
                    verdict.hint,
                )
            )
    outcome.errors = _errors(steps, result.results, cells)
    return outcome


# --- the file -------------------------------------------------------------------------------------------------------


def _read(path):
    if path.is_dir():
        raise NoNotebook(f"{path} is a folder; name the notebook in it")
    if not path.exists():
        near = _nearest(path)
        raise NoNotebook(f"there is no file {path}" + (f"; did you mean {near}?" if near else ""))
    if not path.is_file():
        raise NoNotebook(f"{path} is not a regular file")
    try:
        with path.open("rb") as file:
            # One byte more than is read of a notebook: what comes is then refused for its size
            return file.read(ingest.NOTEBOOK_BYTES + 1)
    except OSError as error:
        raise NoNotebook(f"{path} cannot be read ({error.strerror})") from None


def _nearest(path):
    folder = path.parent if path.parent.is_dir() else Path()
    names = {other.name: other for other in folder.glob("*.ipynb")}
    found = difflib.get_close_matches(path.name, names, n=1, cutoff=0.4)
    return names[found[0]] if found else None


# --- what was released ----------------------------------------------------------------------------------------------


def _master(path, cells, released):
    """The released notebook that these cells are a copy of; None where they are none of the course's assignments."""
    if released is not None:
        return ingest.load_released(Path(released).stem, Path(released).read_bytes())
    known = {cell.grade_id for cell in cells} | {cell.id for cell in cells}
    asked = {name for cell in cells for name in CALL.findall(cell.source)}
    best, found = (0, False), None
    for name, data in _released():
        master = ingest.load_released(name, data)
        marked = [cell for cell in master.cells if cell.grade_id]
        shared = len(known & ({cell.grade_id for cell in marked} | {cell.id for cell in marked}))
        if not shared and path.stem == master.name:
            # Without ids and marks the name of the file is what is left
            shared = len(asked & {cell.calls[0] for cell in marked if cell.calls}) > 1
        # Notebooks of one assignment may ask the same exercise: between equals the name decides
        if shared and (shared, path.stem == master.name) > best:
            best, found = (shared, path.stem == master.name), master
    return found


def _released():
    """(name, content) of the released notebooks: those that came with the assignment, and the course's."""
    for name, data in registry.current().files.items():
        if name.startswith(f"{registry.RELEASED_NOTEBOOKS}/"):
            yield Path(name).stem, data
    for file in sorted(RELEASED.glob("*/*.ipynb")):
        yield file.stem, file.read_bytes()


def _steps_of(master, data, outcome):
    """The assignment's cells with the student's answers, as they are graded; notes what the file has lost."""
    made = ingest.rebuild(master, data)
    outcome.assignment = master.name
    outcome.missing = [cell.grade_id for cell in master.cells if cell.solution and cell.grade_id not in made.sources]
    outcome.notes += [note.replace("the student's", "your") for note in made.notes]
    outcome.notes += [
        f"the cell {name} is missing; grading puts the course's own in its place" for name in made.locked_missing
    ]
    if Path(outcome.notebook).stem != master.name:
        outcome.notes.append(f"grading looks for {master.name}.ipynb: hand it in under this name")
    for cell in made.cells:
        if cell.master is not None and cell.master.by_hand:
            released = cell.master.released if cell.master.solution else ""
            if made.sources.get(cell.master.grade_id, "").strip() == released.strip():
                outcome.unwritten.append(cell.master.grade_id)
            else:
                outcome.by_hand += 1
    return made.steps


def _steps_of_any(path, cells, outcome):
    """The cells of a notebook that was not released, each followed by the checks that it calls."""
    steps, last = [], {}
    for place, cell in enumerate(cells):
        if cell.cell_type != "code":
            continue
        steps.append(Step(CODE, cell.source, place, student=True))
        calls = ingest.find_calls(cell.source)
        calls += [(name, None) for name in CALL.findall(cell.source) if name not in dict(calls)]
        for name, functions in calls:
            step = _exercise_step(name, functions, place, outcome)
            if step is not None:
                steps.append(step)
                last[name] = step
    if not last and not outcome.checks:
        raise NoNotebook(f"{path.name} holds no check(…); expected one of the course's assignments")
    # An exercise that is checked several times counts once, as it is at the end
    return tuple(step for step in steps if step.kind != EXERCISE or last[step.calls[0]] is step)


def _exercise_step(name, functions, place, outcome):
    """The step that judges one call of `check`; None where the call cannot be judged, which the outcome then says."""
    try:
        exercise = get_exercise(name)
    except ValueError as error:
        outcome.checks.append(Check(name, WRONG, 0.0, 0.0, f"✗ {name}: {error}"))
        return None
    names = exercise.answer_names if functions is None or (exercise.data and not functions) else functions
    if len(names) != len(exercise.answer_names):
        result = evaluate(name, *names)
        outcome.checks.append(Check(name, WRONG, 0.0, float(exercise.points), result.message))
        return None
    return Step(EXERCISE, "", place, grade_id=name, points=float(exercise.points), calls=(name, tuple(names)))


# --- what stopped ---------------------------------------------------------------------------------------------------


def _errors(steps, results, cells):
    """The errors of the cells, equal ones together, each with the numbers of its cells in the student's file."""
    sources = [cell.source for cell in cells if cell.cell_type == "code" and cell.source.strip()]
    seen, found = Counter(), {}
    for step, came in zip(steps, results, strict=True):
        if step.kind != CODE or not step.source.strip():
            continue
        places = [number for number, source in enumerate(sources, 1) if source == step.source]
        number = places[min(seen[step.source], len(places) - 1)] if places else None
        seen[step.source] += 1
        # A cell that calls a function that is not written yet needs no mention
        if not came.error or came.error == "NotImplementedError":
            continue
        text = _error_text(came)
        one = found.setdefault(text, CellError([], step.source.strip().split("\n")[0], text))
        if number is not None:
            one.cells.append(number)
    return list(found.values())


def _error_text(came):
    for output in came.outputs:
        if output["output_type"] == "error":
            # IPython's name for the cell tells a student nothing
            text = re.sub(r"\((?:<[^>]*>|[^\s()]+\.py), (?=line )", "(", output["evalue"])
            return f"{output['ename']}: {text}".rstrip(": ")
    with contextlib.suppress(IndexError, KeyError):
        return came.outputs[-1]["text"].strip().removeprefix("This cell ").rstrip(".")
    return came.error
