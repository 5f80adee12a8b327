"""What a student has reached, kept across restarts in one plain JSON file that holds no personal data.

The file is `.dlcourse-progress.json` in the personal folder that `dlcourse start` made (found upwards from the current
folder by its marker), or in the current folder where there is none: beside the notebook, whose kernel runs there.

    progress = record(None, "neurons.preactivation", points=1.0, max_points=1.0, passed=True)
    progress.exercises["neurons.preactivation"].failed_tries
    progress.points("neurons")

Nothing here counts for a grade: grading never reads the file, and nothing sends it anywhere. It works the same on every
system.

The minutes that an exercise took are measured from check to check, up to its first right answer: the time since the check
before it, of whatever exercise, or since the kernel began. A longer silence than `BREAK` is a break and counts nothing.
"""

import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from .checks.exercise import TOPIC_OF

__all__ = ["FILE", "MARKER", "Progress", "Standing", "load", "mark_lesson", "record", "where"]

FILE = ".dlcourse-progress.json"
# What `dlcourse start` lays out carries this manifest
MARKER = ".dlcourse.json"
_FORMAT = 1
# Seconds without a check after which nobody knows whether the student was still at it
BREAK = 30 * 60
# Of a notebook's kernel: its first check ends a time, too
_begun = time.time() if "ipykernel.kernelapp" in sys.modules else 0.0


@dataclass(frozen=True)
class Standing:
    """What one exercise has come to.

    assignment : its assignment. points : the best so far. max_points : what it is worth. passed : whether it was right once.
    failed_tries : checks that failed since it was last right. minutes : what it took until it was right for the first time.
    """

    assignment: str
    points: float
    max_points: float
    passed: bool
    failed_tries: int
    minutes: float = 0.0


@dataclass(frozen=True)
class Progress:
    """Everything that is kept.

    path : the file. exercises : {name: `Standing`}, in the order of their first check. lessons : slugs that the student
    ticked. problem : a sentence for the student where the file could not be read or written, said once; else "".
    checked : when the last check was, in seconds since 1970; 0 for never.
    """

    path: Path
    exercises: dict = field(default_factory=dict)
    lessons: tuple = ()
    problem: str = ""
    checked: float = 0.0

    def minutes(self, assignment):
        """Minutes so far in one assignment, those of its exercises."""
        return sum(one.minutes for one in self.exercises.values() if one.assignment == assignment)

    def points(self, assignment):
        """Points so far in one assignment; exercises never checked count 0."""
        return round(sum(one.points for one in self.exercises.values() if one.assignment == assignment), 2)


def where(folder=None):
    """The progress file that belongs to `folder` (default: the current one); it may not exist yet."""
    folder = Path.cwd() if folder is None else Path(folder).resolve()
    home = next((place for place in (folder, *folder.parents) if (place / MARKER).is_file()), folder)
    return home / FILE


def load(folder=None):
    """What is kept for `folder` (default: the current one).

    Returns
    -------
    Progress; empty where nothing is kept. A damaged file is moved aside (`.dlcourse-progress.damaged.json`), and
    `problem` says so.
    """
    path = where(folder)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Progress(path)
    except (OSError, UnicodeDecodeError) as error:
        return _damaged(path, error)
    try:
        return _read(path, json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return _damaged(path, error)


def record(assignment, exercise, points, max_points, passed, folder=None):
    """Keep the outcome of one check: the best points, whether it was ever right, and the failed tries since then.

    Parameters
    ----------
    assignment : its name; None takes the exercise's topic ("layers" for "losses.cross_entropy").
    exercise : the exercise's name. points, max_points : what the answer earned, and could. passed : all cases are right.
    folder : where the notebook is; default the current folder.

    Returns
    -------
    Progress after the check. Never raises because of the file: `problem` says what is wrong with it.
    """
    progress = load(folder)
    before = progress.exercises.get(exercise)
    module = exercise.partition(".")[0]
    best = max(float(points), before.points if before else 0.0)
    now, taken = time.time(), before.minutes if before else 0.0
    silence = now - max(progress.checked, _begun)
    if 0 < silence <= BREAK and not (before is not None and before.passed):
        taken += silence / 60
    standing = Standing(
        assignment or TOPIC_OF.get(module, module),
        # An exercise may be worth less after an update of the course
        round(min(best, float(max_points)), 2),
        float(max_points),
        bool(passed) or (before is not None and before.passed),
        0 if passed else (before.failed_tries if before else 0) + 1,
        round(taken, 1),
    )
    return _save(replace(progress, exercises=progress.exercises | {exercise: standing}, checked=float(round(now))))


def mark_lesson(slug, done=True, folder=None):
    """Tick a lesson, or take the tick back; returns the Progress after it."""
    progress = load(folder)
    others = tuple(one for one in progress.lessons if one != slug)
    return _save(replace(progress, lessons=(*others, slug) if done else others))


def _read(path, data):
    """The Progress of parsed JSON; ValueError, TypeError, KeyError or AttributeError if it is something else."""
    if data["format"] != _FORMAT:
        raise ValueError(f"format {data['format']!r}, expected {_FORMAT}")
    exercises = {}
    for name, values in data["exercises"].items():
        exercises[name] = Standing(
            str(values["assignment"]),
            float(values["points"]),
            float(values["max_points"]),
            bool(values["passed"]),
            int(values["failed_tries"]),
            # A file from before they were measured
            float(values.get("minutes", 0.0)),
        )
    lessons = tuple(str(slug) for slug in data["lessons"])
    return Progress(path, exercises, lessons, checked=float(data.get("checked", 0.0)))


def _damaged(path, error):
    aside = path.with_name(FILE.replace(".json", ".damaged.json"))
    try:
        os.replace(path, aside)
    except OSError:
        return Progress(path, problem=_once(f"Your progress in {path} cannot be read ({error})."))
    return Progress(
        path,
        problem=f"The file of your progress was damaged; it is kept as {aside.name}, and counting starts again. "
        "Your answers are not touched: run the checks again.",
    )


def _save(progress):
    """Write in one step, so that neither a crash nor a full disk leaves half a file."""
    data = {
        "format": _FORMAT,
        "exercises": {name: asdict(standing) for name, standing in progress.exercises.items()},
        "lessons": list(progress.lessons),
        "checked": progress.checked,
    }
    try:
        write_whole(progress.path, (json.dumps(data, indent=1) + "\n").encode())
    except OSError as error:
        said = _once(f"Your progress cannot be kept in {progress.path} ({error.strerror}); the check is not affected.")
        return replace(progress, problem=progress.problem or said)
    return progress


def write_whole(path, data):
    """Replace the file `path` by these bytes, all of them or nothing; raises OSError."""
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        _replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _replace(source, target, tries=5):
    """os.replace; Windows refuses while another program reads the target, which takes a moment."""
    for left in reversed(range(tries)):
        try:
            return os.replace(source, target)
        except PermissionError:
            if not left or os.name != "nt":
                raise
            time.sleep(0.05)


_said = set()


def _once(sentence):
    """The sentence the first time in this process, "" after that."""
    if sentence in _said:
        return ""
    _said.add(sentence)
    return sentence
