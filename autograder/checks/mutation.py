"""Whether the cases tell every single-edit mutant of a right answer from the right answer.

An accepted mutant is a missing case, or equivalent: no input that the exercise allows tells it from the original, or only
by rounding. Those stand in ``equivalent_mutants.toml`` with a reason each.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing
import random
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import dlcourse

from ..errors import CourseError
from . import registry
from .audit import selected
from .drivers import run_case
from .evaluation import expected_values, problem
from .exercise import get_exercise
from .limits import TooSlow, time_limit
from .mutants import Mutant, clipped, mutants

if TYPE_CHECKING:
    from .exercise import Exercise

EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
# Far above what a right answer takes for a case
SECONDS = 5.0
# After that long without a word a process is stuck in compiled code
SILENCE = 30.0
MEMORY = 4 * 2**30
LARGE = 10_000.0
DONE, ALIVE = "done", "alive"


@dataclass(frozen=True)
class Found:
    """An accepted mutant: without its functions, so that it can be sent."""

    exercise: str
    line: int
    kind: str
    statement: str
    before: str
    after: str

    def __str__(self):
        return f"{self.exercise}, {self.kind}: {self.before!r} → {self.after!r} in {self.statement!r}"


@dataclass(frozen=True)
class Equivalent:
    """Mutants that no case can reject, and why. All but the reason are patterns, in which … stands for any text."""

    exercise: str
    reason: str
    kind: str = "…"
    statement: str = "…"
    before: str = "…"
    after: str = "…"

    def matches(self, found: Found) -> bool:
        fields = "exercise", "kind", "statement", "before", "after"
        return all(_matches(getattr(self, name), getattr(found, name)) for name in fields)


def _matches(pattern, text):
    return re.fullmatch(".*".join(map(re.escape, pattern.split("…"))), text, re.S) is not None


def load_equivalent(path: Path = EQUIVALENT) -> list[Equivalent]:
    """The table of ``equivalent_mutants.toml``."""
    return [Equivalent(**entry) for entry in tomllib.loads(path.read_text(encoding="utf-8"))["equivalent"]]


@dataclass
class Tally:
    """What became of the mutants of one exercise."""

    mutants: int = 0
    accepted: list[Found] = field(default_factory=list)


def answers(exercise: Exercise) -> list[tuple]:
    """The right answers of which mutants are made: the solution and the variants."""
    return list(dict.fromkeys([exercise.solutions, *exercise.variant_functions]))


def passes(exercise: Exercise, functions: Sequence[Callable], seed: int, seconds: float = SECONDS) -> bool:
    """Whether an answer is accepted; as `evaluate`, but done at the first wrong part, and without a word on it."""
    cases, expected = expected_values(exercise.name, seed)
    for case, wanted in zip(cases, expected, strict=True):
        try:
            with time_limit(seconds):
                outcomes = run_case(exercise.driver, functions, case, exercise.parts)
        except TooSlow:
            return False
        for outcome, value in zip(outcomes, wanted, strict=True):
            if outcome.error is not None or problem(exercise, case, outcome, value):
                return False
    return True


def tells(exercise: Exercise, functions: Sequence[Callable], seed: int) -> bool:
    """Whether some case would notice these functions, which clip a value, if one of its arrays were 10 000 times as large."""
    cases, _ = expected_values(exercise.name, seed)
    return any(_differ(exercise, functions, large) for case in cases for large in _enlarged(case))


def _enlarged(case):
    for i, x in enumerate(case.args):
        if _is_floating(x):
            yield replace(case, args=(*case.args[:i], LARGE * x, *case.args[i + 1 :]))
    if _is_floating(case.dout):
        yield replace(case, dout=LARGE * case.dout)
    elif isinstance(case.dout, tuple):
        yield replace(case, dout=tuple(LARGE * x if _is_floating(x) else x for x in case.dout))


def _is_floating(x):
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def _differ(exercise, functions, case):
    try:
        with time_limit(SECONDS):
            right, clipped = (
                run_case(exercise.driver, answer, case, exercise.parts) for answer in (exercise.functions, functions)
            )
    except TooSlow:
        return False
    if any(outcome.error is not None for outcome in right):
        return False
    return any(
        answer.error is not None or problem(exercise, case, answer, outcome.value)
        for outcome, answer in zip(right, clipped, strict=True)
    )


def run(names: Sequence[str], seeds: Sequence[int], sample: int | None = None) -> Iterator[tuple[str, Tally]]:
    """(name, tally) of each exercise in turn; sample: how many of its mutants, all by default.

    The mutants run in a process with a limit on its memory; one that no signal stops ends with the process, and the next
    process goes on behind it.
    """
    context = multiprocessing.get_context("spawn")
    left, tally = list(names), Tally()
    while left:
        here, there = context.Pipe(duplex=False)
        process = context.Process(
            target=_work, args=(there, left, tuple(seeds), sample, tally.mutants, registry.current()), daemon=True
        )
        process.start()
        there.close()
        for word in _words(here):
            if word == DONE:
                yield left.pop(0), tally
                tally = Tally()
            elif word != ALIVE:
                tally.mutants += 1
                tally.accepted += [] if word is None else [word]
        process.kill()
        process.join()
        if left:
            # The mutant at which it got stuck or died
            tally.mutants += 1


def _words(connection):
    with contextlib.suppress(EOFError):
        while connection.poll(SILENCE):
            yield connection.recv()


def _work(connection, names, seeds, sample, skipped, sources):
    _limit_memory()
    registry.use(sources)
    numpy: Any = np
    # Reads the docstring of what is exchanged
    importlib.import_module("numpy.ma")
    numpy.empty, numpy.empty_like = _nothing, _nothing_like
    for name in names:
        exercise = get_exercise(name)
        chosen = []
        for mutant in every(exercise):
            chosen.append(mutant)
            connection.send(ALIVE)
        if sample is not None and sample < len(chosen):
            chosen = random.Random(name).sample(chosen, sample)
        for mutant in chosen[skipped:]:
            connection.send(_found(exercise, mutant) if accepted(exercise, mutant, seeds) else None)
        connection.send(DONE)
        skipped = 0
    connection.close()


def _nothing(shape, dtype=float, **options):
    """As `numpy.empty`, without the numbers of an earlier answer that may stand there."""
    return _nothing_like(np.zeros(shape, dtype))


def _nothing_like(a, dtype=None, **options):
    array = np.zeros_like(a, dtype)
    array.fill(np.nan if array.dtype.kind in "fc" else 77)
    return array


def every(exercise: Exercise) -> Iterator[Mutant]:
    """The mutants of the solution and of every variant; of the solution also the clipped ones.

    None of what earns by a figure: there a changed answer may be as good.
    """
    if exercise.scales:
        return
    for functions in answers(exercise):
        yield from mutants(functions)
    yield from clipped(exercise.solutions)


def accepted(exercise: Exercise, mutant: Mutant, seeds: Sequence[int]) -> bool:
    """Whether a mutant passes with any seed: a class has one, and each has to decide. A clipped one counts where larger
    numbers would tell."""
    try:
        functions = mutant.functions
    except Exception:  # an edit in a default
        return False
    if not any(passes(exercise, functions, seed) for seed in seeds):
        return False
    return mutant.kind != "clip" or tells(exercise, functions, seeds[0])


def _found(exercise, mutant):
    return Found(exercise.name, mutant.line, mutant.kind, mutant.statement, mutant.before, mutant.after)


def _limit_memory():
    with contextlib.suppress(ImportError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def main(names: Iterable[str], seeds: Sequence[int], sample: int | None = None, as_json: bool = False) -> int:
    """Try the mutants of topics or exercises, print a line for each topic, then the accepted ones; returns the exit status.

    0 where every accepted mutant is in the table of equivalent ones and no entry there is stale, 1 otherwise, 2 for an
    unknown name.
    """
    try:
        chosen = selected(names)
    except (ValueError, CourseError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    table = load_equivalent()
    rows: dict[str, Counter] = {}
    missing, used, covered = 0, set(), [exercise.name for exercise in chosen]
    for name, tally in run(covered, seeds, sample):
        print(f"{name}: {tally.mutants} mutants", file=sys.stderr)
        row = rows.setdefault(get_exercise(name).slug, Counter())
        row["mutants"] += tally.mutants
        for found in tally.accepted:
            matching = [entry for entry in table if entry.matches(found)]
            used.update(matching)
            row["equivalent" if matching else "accepted"] += 1
            if not matching:
                missing += 1
                print(f"accepted: {found}", file=sys.stderr)
    stale = [] if sample else [entry for entry in table if entry not in used and _covers(covered, entry)]
    _report(rows, stale, as_json)
    return int(bool(missing or stale))


def _covers(names, entry):
    """Whether every exercise that an entry may be about was tried."""
    return all(
        exercise.name in names for exercise in selected(dlcourse.TOPICS) if _matches(entry.exercise, exercise.name)
    )


def _report(rows, stale, as_json):
    if as_json:
        totals: Counter = Counter()
        for row in rows.values():
            totals.update(row)
        print(json.dumps({name: totals[name] for name in ("mutants", "equivalent", "accepted")}))
    else:
        print("| topic | mutants | rejected | equivalent | accepted |\n| --- | ---: | ---: | ---: | ---: |")
        for slug, row in rows.items():
            rejected = row["mutants"] - row["equivalent"] - row["accepted"]
            print(f"| {slug} | {row['mutants']} | {rejected} | {row['equivalent']} | {row['accepted']} |")
    for entry in stale:
        print(f"stale: no accepted mutant is this one; remove it from {EQUIVALENT.name}: {entry}", file=sys.stderr)
