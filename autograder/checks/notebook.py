"""What a notebook calls: `check` an answer, get a failing `case`, read the `solution` of what is right."""

from __future__ import annotations

import copy
import difflib
import inspect
import os
import re
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import progress
from . import cells, show
from .drivers import run_case
from .evaluation import (
    MISSING,
    PUBLIC_SEED,
    Result,
    ask,
    evaluate,
    exercise_seed,
    grading_seed,
    judge,
    unusable,
)
from .exercise import HUNT, exercises_of, get_exercise
from .follow import course_functions, earlier_uses, follows_from
from .limits import TooSlow
from .place import place_of
from .result import cases_that_pass
from .solution import assigned, shown_code

if TYPE_CHECKING:
    from .drivers import Case
    from .exercise import Exercise

# Failed tries before the next hint is offered; seconds before a check says that it is still running
TRIES, PATIENCE = 5, 1.0
_right_here: set[Any] = set()


class CheckFailed(AssertionError):
    """The answer is not right yet; what is wrong was shown above."""

    def _render_traceback_(self):
        return [f"CheckFailed: {self}"]


class CheckInterrupted(KeyboardInterrupt):
    """The student has interrupted a check."""

    def _render_traceback_(self):
        return [f"KeyboardInterrupt: {self}"]


def check(name: str, *functions: Any, hidden: bool = False) -> Any:
    """Judge an answer in a notebook: show what is right or wrong, and raise `CheckFailed` if it is wrong.

    Where the answer is data, ``check("activations.hunt_softmax")`` takes it from the notebook's variable of that name.

    With ``hidden=True`` (the line that students' notebooks do not have) the cases take their numbers from the course's
    secret. While nbgrader grades, nothing is raised and that call returns the points, a float, as the cell's value.
    """
    exercise = get_exercise(name)
    if not functions and exercise.data:
        space = sys._getframe(1).f_globals
        functions = tuple(space.get(one, MISSING) for one in exercise.answer_names)
    if os.environ.get("NBGRADER_EXECUTION") == "autograde":
        return _graded(name, functions, hidden)
    try:
        view = _judged(exercise, functions, keep=not hidden and cells.shell() is not None)
    except KeyboardInterrupt:
        raise CheckInterrupted(f"the check of {name} was stopped; nothing was counted") from None
    show.display(view)
    if not view.result.passed:
        raise CheckFailed("see the message above" if view.result.attempted else f"{name} is not attempted yet")
    return None


def _graded(name, functions, hidden):
    def judged(name, functions):
        seed = exercise_seed(grading_seed(), name) if hidden else PUBLIC_SEED
        return evaluate(name, *functions, seed=seed, hidden=hidden, withhold=True), None

    result, _ = _once_more(get_exercise(name), functions, judged(name, functions), judged)
    # A hunt has no other numbers
    hidden_numbers = hidden and get_exercise(name).kind != HUNT
    shown = _with_place(_without_numbers(result) if hidden_numbers else result, functions)
    show.display(show.View(shown))
    return float(result.points) if hidden else None


def _with_place(result, functions):
    """The result, with where a wrong answer without a name goes wrong in the visible cases."""
    if not result.attempted or result.passed or result.mistake or result.follows or not result.rows:
        return result
    if get_exercise(result.name).assess is not None:
        return result
    found = place_of(result.name, functions, PUBLIC_SEED)
    return replace(result, message="\n".join(filter(None, [result.message, found.text])))


def _once_more(exercise, functions, first, judged):
    """The better one of (result, what was asked): `first`, and with the course's functions where earlier exercises fail.

    judged : (exercise's name, functions) -> (result, what was asked).
    """
    if first[0].passed or not first[0].rows:
        return first
    causes = [name for name, own in earlier_uses(exercise, functions).items() if not judged(name, own)[0].passed]
    if not causes:
        return first
    with course_functions(functions, [get_exercise(name) for name in causes]):
        second = judged(exercise.name, functions)
    if second[0].score <= first[0].score:
        return first
    return follows_from(second[0], causes), second[1]


def _without_numbers(result):
    """The result as a student may see it: which hidden cases fail, not on which numbers."""
    failed = list(dict.fromkeys(row.case for row in result.rows if not row.passed))
    text = (
        f"Graded with other numbers: {cases_that_pass(result.rows)}; {result.points:g} of {result.max_points:g} points."
    )
    if result.follows:
        text += f"\nFollows from {', '.join(result.follows)}: judged with the course's version in its place."
    if failed:
        text += f"\nFails: {', '.join(f'“{name}”' for name in failed)}."
    return replace(result, message=text)


def _judged(exercise, functions, keep):
    """The `View` of an answer. keep : whether it counts for the student's progress."""
    versions = cells.watch()
    stale = versions and versions.not_run(exercise.answer_names)
    if stale:
        text = f"✗ {exercise.name}: {stale}"
        return show.View(Result(exercise.name, False, 0.0, exercise.points, None, text, ()))
    if unusable(exercise, functions):
        result = evaluate(exercise.name, *functions)
        standing = _progress(exercise, result)[0] if keep and not result.attempted else ""
        return show.View(result, standing=standing)
    with _Waiting(exercise.name) as waiting:

        def judged(name, functions):
            one = get_exercise(name)
            started = waiting.started if one is exercise else None
            asked = ask(one, functions, hidden=False, withhold=True, started=started)
            return judge(one, *asked), asked

        result, asked = _once_more(exercise, functions, judged(exercise.name, functions), judged)
        slow = any(isinstance(outcome.error, TooSlow) for outcomes in asked[2] for outcome in outcomes)
        if not slow:
            result = _with_place(result, functions)
    table, call = None, ""
    if result.attempted and not result.passed and exercise.assess is None:
        table, call = _failing(exercise, result, *asked)
    if result.passed:
        _right_here.add(exercise.name)
    standing, hint = _progress(exercise, result) if keep else ("", "")
    return show.View(result, table, call, hint, _solution(exercise) if result.passed else "", standing)


def _failing(exercise, result, cases, expected, got):
    """(table, line) of the case that the message is about."""
    rows = iter(result.rows)
    for case, wanted, outcomes in zip(cases, expected, got, strict=True):
        for outcome, value in zip(outcomes, wanted, strict=True):
            if next(rows).passed:
                continue
            names = [name for name, _ in arguments_of(exercise, case)]
            line = show.call_line(names, exercise.name, case.name)
            running = cells.shell()
            if running is not None and "case" not in running.user_ns:
                line = f"from autograder import case\n{line}"
            return _table(exercise, case, outcome, value), line
    return None, ""


def _table(exercise, case, outcome, wanted):
    if outcome.error is not None or outcome.part in exercise.scales:
        return None
    got = outcome.value
    if exercise.measure is not None:
        try:
            got, wanted = exercise.measure(got, case), exercise.measure(wanted, case)
        except Exception:
            return None
    return show.table(case, got, wanted, exercise.value_names(outcome.part))


# --- the failing case -----------------------------------------------------------------------------------------------


def case(exercise: str, name: str) -> Any:
    """The inputs of one case, to run by hand.

    Parameters
    ----------
    exercise : its name, "neurons.preactivation". name : the case's, as the check shows it, "five examples".

    Returns
    -------
    The arguments of the function's first call, in the order of its signature, then what a backward function gets besides
    the cache; one value alone where there is but one. Fresh copies: change them as you like.

    Raises
    ------
    ValueError for a name that there is not, and for a case that is kept for grading.
    """
    asked = get_exercise(exercise)
    cases = {one.name: one for one in asked.cases(np.random.default_rng(PUBLIC_SEED))}
    visible = [one.name for one in cases.values() if not one.hidden]
    if name not in visible:
        known = f"the cases that you can get are {', '.join(f'“{one}”' for one in visible)}"
        if name in cases:
            raise ValueError(f"the case “{name}” of {exercise} is kept for grading; {known}")
        near = difflib.get_close_matches(str(name), visible, n=1, cutoff=0.4)
        raise ValueError(f"{exercise} has no case {name!r}; " + (f"did you mean “{near[0]}”?" if near else known))
    return _values(asked, cases[name])


def visible_cases(exercise: Exercise) -> dict[str, Any]:
    """{name of a case: what `case` gives for it}."""
    cases = exercise.cases(np.random.default_rng(PUBLIC_SEED))
    return {one.name: _values(exercise, one) for one in cases if not one.hidden}


def _values(exercise, case):
    values = [value for _, value in arguments_of(exercise, case)]
    return values[0] if len(values) == 1 else tuple(values)


def arguments_of(exercise: Exercise, case: Case) -> Any:
    """[(name, value)] as the driver calls the function for the first time, and its backward, whose cache is left out."""
    if exercise.released is not None:
        return copy.deepcopy(exercise.released.arguments[case.name])
    found: dict[str, Any] = {}
    made: list[Any] = []

    def recorded(function):
        seen: list[bool] = []

        def call(*args, **kwargs):
            if not seen:
                seen.append(True)
                given = inspect.signature(function).bind(*args, **kwargs).arguments
                for name, value in given.items():
                    if not any(value is one for one in made):
                        found[name if name not in found else f"{name}_"] = copy.deepcopy(value)
            result = function(*args, **kwargs)
            made.extend(result if isinstance(result, tuple) else ())
            return result

        return call

    run_case(exercise.driver, tuple(map(recorded, exercise.functions)), case, exercise.parts)
    return list(found.items())


# --- what comes with a result ---------------------------------------------------------------------------------------


def solution(name: str) -> Any:
    """Print one way to write an exercise, once your own answer is right."""
    exercise = get_exercise(name)
    if exercise.released is not None:
        print(f"The solution of {name} is your teacher's to show: it did not come with the assignment.")
        return
    kept = progress.load().exercises.get(exercise.name)
    if exercise.name in _right_here or (kept and kept.passed):
        print(_solution(exercise))
    else:
        print(f"The solution of {name} is shown once your answer is right: run its check first.")


def _solution(exercise):
    if exercise.released is not None:
        return ""
    made = [assigned(name, value) for name, value in zip(exercise.data, exercise.answers, strict=False)]
    for function, shown in zip(exercise.functions, exercise.solutions, strict=True):
        code = shown_code(shown)
        # A variant stands under another name in its file
        made.append(re.sub(r"(?<=def )\w+", function.__name__, code, count=1))
    return "\n\n\n".join(made)


def _progress(exercise, result):
    """(a line on the points so far, a hint after many tries); nothing is kept while nbgrader runs the notebook."""
    if "NBGRADER_EXECUTION" in os.environ:
        return "", ""
    if result.attempted:
        kept = progress.record(exercise.slug, exercise.name, result.points, result.max_points, result.passed)
    else:
        kept = progress.load()
    hint = "" if result.passed else _hint(exercise, kept.exercises.get(exercise.name))
    return "\n".join(filter(None, [_points_so_far(exercise.slug, kept), kept.problem])), hint


def _points_so_far(slug, kept):
    """ "9 of 30 points so far; next: exercise 6, neurons.perceptron_fit."."""
    exercises = exercises_of(slug)
    standings = {name: kept.exercises[name] for name in exercises if name in kept.exercises}
    points = f"{sum(one.points for one in standings.values()):g} of {sum(one.points for one in exercises.values()):g} points so far"
    for number, name in enumerate(exercises, 1):
        if not (name in standings and standings[name].passed):
            return f"{points}; next: exercise {number}, {name}."
    return f"{points}; every exercise is right."


def _hint(exercise, standing):
    if standing is None or standing.failed_tries < TRIES or not exercise.hints:
        return ""
    number = min(standing.failed_tries // TRIES, len(exercise.hints))
    return f"Hint {number} of {len(exercise.hints)}: {exercise.hints[number - 1]}"


class _Waiting:
    """Says in a notebook that a check is still running, from the first second on."""

    def __init__(self, name):
        self.name, self.case, self.total, self.shown = name, 0, 0, 0
        self.since = time.monotonic()
        # The check takes the answer's prints away from the usual place
        self.out = sys.stdout
        running = cells.shell()
        self.quiet = running is None or not hasattr(running, "kernel")
        self.timer = threading.Timer(PATIENCE, self.show)
        self.timer.daemon = True

    def __enter__(self):
        if not self.quiet:
            try:
                self.timer.start()
            except RuntimeError:  # a browser has no threads: said between two cases
                self.timer.cancel()
        return self

    def __exit__(self, *error):
        self.timer.cancel()
        if self.shown:
            self.write(f"checked {self.name} ({self.case} of {self.total} cases)", "\n")

    def started(self, case, total):
        self.case, self.total = case, total
        if not self.quiet and time.monotonic() - self.since > PATIENCE:
            self.show()

    def show(self):
        self.write(f"checking {self.name} … ({self.case} of {self.total} cases)")

    def write(self, text, end=""):
        self.out.write("\r" + text.ljust(self.shown) + end)
        self.out.flush()
        self.shown = len(text)


cells.watch()
