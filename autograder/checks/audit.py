"""The grader graded: every known mistake must be rejected and named, every right variant must pass.

Each exercise also gets the answers that no check may be fooled by: nothing, None, a text, another arity, an exception,
an endless recursion, the reference itself behind a wrapper, the right answer for one fixed input, inputs changed; and the
answers without content (`cheap.py`), which must earn next to nothing.
"""

from __future__ import annotations

import functools
import itertools
import json
import sys
import textwrap
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

import dlcourse

from ..errors import CourseError
from . import registry
from .cheap import MORE, cheap_answers
from .drivers import run_case
from .evaluation import PUBLIC_SEED, evaluate, expected_values, gained, passed_without_content
from .exercise import exercises_of, get_exercise
from .threads import one_thread

if TYPE_CHECKING:
    from .exercise import Exercise


def first_seeds(count: int) -> tuple[int, ...]:
    """The public seed, then 1, 2, …"""
    return (PUBLIC_SEED, *range(1, count))


SEEDS = first_seeds(3)

# The largest share of the points that an answer without content may earn, or one that goes round a project's task; and one
# that does a project's task in part
CHEAP = 0.2
LAZY = 0.7


@dataclass
class Row:
    """What became of one exercise."""

    name: str
    mistakes: int = 0
    rejected: int = 0
    named: int = 0
    variants: int = 0
    variants_passed: int = 0
    cheapest: float = 0.0
    seconds: float = 0.0
    complaints: list = field(default_factory=list)
    # Of an exercise that is not a formula: (what is answered, points, points at least, points at most)
    trials: list = field(default_factory=list)
    # Of an answer on a scale {mistake: (its kind, the largest share that it earns)}, and the smallest of the reference
    shares: dict = field(default_factory=dict)
    reference: float = 1.0


def _not_attempted(*args, **kwargs):
    raise NotImplementedError()


def _none(*args, **kwargs):
    return None


def _text(*args, **kwargs):
    return "the answer"


def _raises(*args, **kwargs):
    raise ZeroDivisionError("division by zero")


def _endless(*args, **kwargs):
    return _endless(*args, **kwargs)


# What is handed in for every function of the exercise, and what its message must say
NONSENSE = {
    "nothing": (_not_attempted, "Not attempted"),
    "None": (_none, "None"),
    "a text": (_text, "text"),
    "another arity": (lambda: 0.0, "names and order of the arguments"),
    "an exception": (_raises, "ZeroDivisionError"),
    "an endless recursion": (_endless, "itself without end"),
}


def _wrapped(function):
    def answer(*args, **kwargs):
        return function(*args, **kwargs)

    return answer


def _prints(function):
    def answer(*args, **kwargs):
        print("here I am")
        return function(*args, **kwargs)

    return answer


def _changes_inputs(function):
    def answer(*args, **kwargs):
        result = function(*args, **kwargs)
        for x in args:
            if isinstance(x, np.ndarray) and x.size and x.dtype.kind == "f":
                x += 1.0
        return result

    return answer


def _squeezed(function):
    """The function, with its arrays robbed of their axes of length 1; a cache is nobody's business."""

    def squeeze(x):
        if isinstance(x, np.ndarray):
            return np.squeeze(x)
        return type(x)(map(squeeze, x)) if type(x) in (tuple, list) else x

    def answer(*args, **kwargs):
        result = function(*args, **kwargs)
        if function.__name__.endswith("_forward") and isinstance(result, tuple):
            return (*map(squeeze, result[:-1]), result[-1])
        return squeeze(result)

    return answer


def _returns_matrices(exercise):
    _, expected = expected_values(exercise.name, PUBLIC_SEED)
    values = [x for parts in expected for part in parts for x in (part if isinstance(part, tuple) else [part])]
    return (
        exercise.measure is None
        and not exercise.scales
        and any(isinstance(x, np.ndarray) and x.ndim > 1 for x in values)
    )


def _replayed(exercise):
    """Functions that answer every call with what is right for the exercise's first case."""
    case = exercise.cases(np.random.default_rng(PUBLIC_SEED))[0]
    recorded = []
    recorders = []
    for function in exercise.functions:
        values: list[Any] = []
        recorded.append(values)

        def recorder(*args, _function=function, _values=values, **kwargs):
            _values.append(_function(*args, **kwargs))
            return _values[-1]

        recorders.append(recorder)
    run_case(exercise.driver, tuple(recorders), case, exercise.parts)

    def player(values):
        return lambda *args, **kwargs: values[-1] if values else None

    return [player(values) for values in recorded]


@one_thread()
def audit(exercise: Exercise, seeds: Sequence[int] = SEEDS) -> Row:
    """The `Row` of one exercise; a complaint is a sentence."""
    return _judged(exercise, seeds) if exercise.assess is None else _tried(exercise)


def _judged(exercise, seeds):
    """The `Row` of a formula."""
    row = Row(exercise.name, mistakes=len(exercise.mistakes), variants=len(exercise.variant_functions))
    complain = row.complaints.append
    rejected, named, passed = set(), set(), set()
    for index, seed in enumerate(seeds):
        result = evaluate(exercise.name, *exercise.functions, seed=seed)
        row.reference = min(row.reference, result.score)
        if not result.passed:
            complain(f"the reference fails with seed {seed}")
        for mistake in exercise.mistakes:
            results = [evaluate(exercise.name, *functions, seed=seed) for functions in mistake.ways]
            _note_shares(row, exercise, mistake, results)
            if index == 0:
                rejected.add(mistake.slug)
                named.add(mistake.slug)
            for result in results:
                if result.passed:
                    rejected.discard(mistake.slug)
                    complain(f"{mistake.slug} is accepted with seed {seed}")
                if result.mistake != mistake.slug:
                    named.discard(mistake.slug)
                    if not result.passed:
                        complain(f"{mistake.slug} is taken for {result.mistake} with seed {seed}")
        for number, functions in enumerate(exercise.variant_functions):
            result = evaluate(exercise.name, *functions, seed=seed, withhold=True, explain=False)
            if result.passed and index == 0:
                passed.add(number)
            if not result.passed:
                passed.discard(number)
                complain(f"the right variant {functions[0].__name__} is rejected with seed {seed}: {result.message}")
        for what, share in _without_content(exercise, seed, more=index == 0):
            row.cheapest = max(row.cheapest, share)
            if share > CHEAP:
                complain(f"an answer without content ({what}) earns {share:.0%} with seed {seed}")
    row.complaints += _earned_too_much(row)
    row.complaints += _planted_elsewhere(exercise)
    row.complaints += _vacuous(exercise, seeds[0])
    row.rejected, row.named, row.variants_passed = len(rejected), len(named), len(passed)
    begun = time.perf_counter()
    evaluate(exercise.name, *exercise.functions)
    row.seconds = time.perf_counter() - begun
    row.complaints += _fooled(exercise)
    row.complaints += _denied(exercise)
    return row


def _tried(exercise):
    """The `Row` of an exercise that is not a formula: what each of its trials earns."""
    row = Row(exercise.name)
    for trial in exercise.trials():
        begun = time.perf_counter()
        result = evaluate(exercise.name, *trial.answers, withhold=True)
        row.seconds = max(row.seconds, time.perf_counter() - begun)
        least, most = (round(share * exercise.points, 2) for share in (trial.least, trial.most))
        row.trials.append((trial.what, result.points, least, most))
        if not least <= result.points <= most:
            row.complaints.append(
                f"{trial.what} earns {result.points:g} points, expected {least:g} to {most:g}: {result.message}"
            )
        if trial.most <= CHEAP:
            row.cheapest = max(row.cheapest, result.score)
    return row


def _note_shares(row, exercise, mistake, results):
    if exercise.scales:
        most = row.shares.get(mistake.slug, ("", 0.0))[1]
        row.shares[mistake.slug] = mistake.kind, max([most, *(result.score for result in results)])


def _earned_too_much(row):
    """The ways of not doing a project that earn too much, as sentences."""
    limits = {"cheat": CHEAP, "lazy": LAZY}
    for slug, (kind, share) in row.shares.items():
        if share > limits.get(kind, 1.0):
            yield f"{slug} ({kind}) earns {share:.0%}"


def _planted_elsewhere(exercise):
    """Whether the reference of a repair names other lines than those that differ, as a sentence."""
    if exercise.planted and exercise.planted_lines != exercise.functions[-1]():
        yield f"the lines of the planted mistakes are {exercise.planted_lines}, not {exercise.functions[-1]()}"


# How many other mistakes each one with a claim is put together with
OTHERS = 4


def _denied(exercise):
    """The hints that call something right which is not, where a pair has two mistakes, as sentences."""
    found: list[str] = []
    if len(exercise.functions) != 2:
        return found
    for mistake in exercise.mistakes:
        claim = mistake.hint[1:].partition("]")[0] if mistake.hint.startswith("[") else ""
        others = [one for one in exercise.mistakes if claim and one is not mistake][:OTHERS]
        alone = _passed(evaluate(exercise.name, *mistake.functions)) if claim else []
        for other, place in itertools.product(others, (0, 1)):
            pair = (mistake, other) if place == 0 else (other, mistake)
            result = evaluate(exercise.name, *(one.functions[i] for i, one in enumerate(pair)))
            said = f"({mistake.slug.replace('_', ' ')}). {claim}" in result.message
            if said and _passed(result) != alone:
                found.append(f"{claim!r} is said although {' and '.join(one.slug for one in pair)} are made")
    return found


def _passed(result):
    return [(row.case, row.part) for row in result.rows if row.passed]


def _vacuous(exercise, seed):
    """Parts that say nothing by themselves, as sentences."""
    cases = [case.name for case in exercise.cases(np.random.default_rng(seed))]
    for what, passed in passed_without_content(exercise.name, seed):
        for part in exercise.parts:
            if not exercise.together and all((case, part) in passed for case in cases):
                yield f"an answer without content ({what}) passes “{part}” of every case; ask for the parts `together`"


def _without_content(exercise, seed, more):
    """(what it does, the share that it earns) for answers without content; more : also for such as scoring does not know.

    Of several that pass the same only the first is scored: the points follow from what is passed. But on a scale, where the
    share of each value counts.
    """
    known = dict(passed_without_content(exercise.name, seed))
    answers = [
        (*answer, known.get(answer[0]))
        for answer in cheap_answers(exercise)
        if answer[0] in known or (more and exercise.scales)
    ]
    if exercise.planted:
        answers.append(("what was given", exercise.planted_functions, None, None))
    if more:
        for what, functions, right in cheap_answers(exercise, MORE):
            passed = None if exercise.scales else gained(exercise, functions, right, seed)
            if passed != set():
                answers.append((what, functions, right, passed))
    score = functools.cache(functools.partial(evaluate, exercise.name, seed=seed, withhold=False, explain=False))
    scored = set()
    for what, functions, right, passed in answers:
        if passed is not None:
            same = right is None, frozenset(passed)
            if same in scored:
                continue
            scored.add(same)
        result = score(*functions)
        given = score(*right).score if right else 0.0
        # One that passes everything is the answer
        if not result.passed:
            yield what, result.score - given


def _fooled(exercise):
    """What is wrong with how nonsense, cheating and bad manners are answered, as sentences."""
    found = []
    for what, (answer, words) in NONSENSE.items():
        result = evaluate(exercise.name, *[answer] * len(exercise.functions))
        if result.passed or result.score:
            found.append(f"{what} scores {result.score:g}")
        if words not in result.message:
            found.append(f"{what} is answered without {words!r}: {result.message}")
    result = evaluate(exercise.name, *map(_wrapped, exercise.functions))
    if result.score or "the course's own version" not in result.message:
        found.append(f"calling the reference scores {result.score:g}: {result.message}")
    if evaluate(exercise.name, *_replayed(exercise), explain=False).passed:
        found.append("the right answer for one fixed input passes")
    printed = evaluate(exercise.name, *map(_prints, exercise.functions), withhold=False)
    if not printed.passed or "prints" not in printed.message:
        found.append(f"a right answer that prints: {printed.message}")
    changed = evaluate(exercise.name, *map(_changes_inputs, exercise.functions), withhold=False, explain=False)
    takes_arrays = any(
        isinstance(x, np.ndarray) and x.size and x.dtype.kind == "f"
        for case in exercise.cases(np.random.default_rng(PUBLIC_SEED))
        for x in case.args
    )
    if takes_arrays and changed.passed:
        found.append("a function that changes its inputs passes")
    squeezed = evaluate(exercise.name, *map(_squeezed, exercise.functions), withhold=False, explain=False)
    if _returns_matrices(exercise) and squeezed.passed:
        found.append("no case has an axis of length 1 in its answer: one that squeezes its arrays passes")
    return found


def totals(rows: Sequence[Row]) -> dict[str, int]:
    """The figures over all rows."""
    return {
        "exercises": len(rows),
        "mistakes": sum(row.mistakes for row in rows),
        "rejected": sum(row.rejected for row in rows),
        "named": sum(row.named for row in rows),
        "variants": sum(row.variants for row in rows),
        "variants_passed": sum(row.variants_passed for row in rows),
    }


def selected(names: Iterable[str]) -> list[Exercise]:
    """The exercises of topics and exercises given by name, in order; where none is given, all of the course's own, else all of ours."""
    found: dict[str, Exercise] = {}
    # A course with its own exercises is not asked to audit ours
    for name in names or registry.topics() or dlcourse.TOPICS:
        found |= {name: get_exercise(name)} if "." in name else exercises_of(name)
    return list(found.values())


def shown(exercise: Exercise) -> str:
    """Every mistake of an exercise as text: its name, how it likely differs from the shown solution, its hint."""
    lines = [exercise.name]
    for mistake in exercise.mistakes:
        lines += ["", f"  {mistake.slug}" + (" (a convention)" if mistake.convention else "")]
        ways = []
        for difference, functions in zip(exercise.difference(mistake), mistake.ways, strict=True):
            rewritten = ", ".join(function.__name__ for function in functions)
            ways.append(textwrap.indent(difference or f"written differently: {rewritten}", "    "))
        lines.append("\n    or\n".join(ways))
        lines += textwrap.wrap(mistake.hint, 110, initial_indent="    Hint: ", subsequent_indent="    ")
    return "\n".join(lines)


def _of_formulas(rows, seeds):
    from rich.table import Table

    table = Table(title=f"The checks, checked on {seeds} seeds")
    for name in ("exercise", "mistakes", "rejected", "named", "variants", "passed", "cheapest", "seconds"):
        table.add_column(name, justify="left" if name == "exercise" else "right")
    for row in rows:
        values = list(asdict(row).values())[1:6]
        table.add_row(
            row.name,
            *map(str, values),
            f"{row.cheapest:.0%}",
            f"{row.seconds:.3f}",
            style="red" if row.complaints else None,
        )
    total = totals(rows)
    table.add_section()
    table.add_row(
        f"{total['exercises']} exercises",
        *(str(x) for x in list(total.values())[1:]),
        f"{max(row.cheapest for row in rows):.0%}",
        "",
    )
    return table


def _of_trials(rows):
    from rich.table import Table

    table = Table(title="Answers to the other kinds, and what they earn")
    for name in ("exercise", "answer", "points", "at least", "at most"):
        table.add_column(name, justify="left" if name in ("exercise", "answer") else "right")
    for row in rows:
        for number, (what, *points) in enumerate(row.trials):
            name = row.name if number == 0 else ""
            table.add_row(name, what, *(f"{one:g}" for one in points), style="red" if row.complaints else None)
    return table


def _table_of_shares(rows):
    """What the reference of a project earns at least, and at most the known ways of not doing it: lazy, cheats, others."""
    from rich.table import Table

    table = Table(title="What earns by a figure: the points of the reference, and of other answers")
    for name in ("exercise", "points", "answer", "kind", "earns"):
        table.add_column(name, justify="right" if name in ("points", "earns") else "left")
    for row in (row for row in rows if row.shares):
        points = get_exercise(row.name).points
        ordered = sorted(row.shares.items(), key=lambda one: ("lazy", "cheat", "").index(one[1][0]))
        table.add_row(row.name, f"{points:g}", "the reference", "", f"{row.reference * points:.1f}")
        for slug, (kind, share) in ordered:
            table.add_row("", "", slug, kind, f"{share * points:.1f}")
    return table


def main(names: Iterable[str] = (), as_json: bool = False, seeds: Sequence[int] = SEEDS, show: bool = False) -> int:
    """Audit topics or exercises, print the table (the totals as JSON; their mistakes); returns the exit status.

    0 without a complaint, 1 with one, 2 for an unknown name.
    """
    from rich.console import Console

    try:
        chosen = selected(names)
    except (ValueError, CourseError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if show:
        print("\n\n".join(map(shown, chosen)))
        return 0
    note = Console(stderr=True)
    rows = []
    for slug, group in itertools.groupby(chosen, lambda exercise: exercise.slug):
        exercises = list(group)
        note.print(f"{slug}: {len(exercises)} exercise{'s' * (len(exercises) != 1)}")
        rows += [audit(exercise, seeds) for exercise in exercises]
    if as_json:
        print(json.dumps(totals(rows)))
    else:
        formulas, others = ([row for row in rows if bool(row.trials) is tried] for tried in (False, True))
        for table in (
            *([_of_formulas(formulas, len(seeds))] if formulas else []),
            *([_of_trials(others)] if others else []),
        ):
            Console(width=110).print(table)
        if any(row.shares for row in rows):
            Console(width=110).print(_table_of_shares(rows))
    for row in rows:
        for complaint in row.complaints:
            note.print(f"{row.name}: {complaint}", style="red", markup=False)
    return 1 if any(row.complaints for row in rows) else 0
