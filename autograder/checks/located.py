"""The places that wrong answers are told, graded: on single-edit mutants of right answers, whose line is known.

A mutant's own original is left out of what its values are compared with; the other variants of the exercise stay.
"""

from __future__ import annotations

import ast
import itertools
import json
import random
import sys
import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import CourseError
from .audit import selected
from .evaluation import PUBLIC_SEED, expected_values
from .limits import TooSlow, time_limit
from .mutants import Mutant, compiled, mutants, source
from .place import SECONDS, Here, Place, answers, evidence, find
from .trace import Untraceable, quiet, targets_of

if TYPE_CHECKING:
    from .exercise import Exercise

# Of all mutants that a check rejects; see docs/authors.md
RIGHT, WRONG = 0.60, 0.05


@dataclass
class Located:
    """How many mutants of a topic or exercise were told their place rightly, wrongly or not at all."""

    name: str
    slug: str
    right: int = 0
    wrong: int = 0
    silent: int = 0

    @property
    def mutants(self) -> int:
        return self.right + self.wrong + self.silent

    def __str__(self):
        n = max(self.mutants, 1)
        return f"{self.name:16} {self.mutants:6} mutants: right {self.right / n:4.0%}, wrong {self.wrong / n:5.1%}, silent {self.silent / n:4.0%}"

    @property
    def holds(self) -> bool:
        return self.right >= RIGHT * self.mutants and self.wrong <= WRONG * self.mutants


def bases(exercise: Exercise) -> list[tuple[tuple, tuple]]:
    """[(a right answer, the answers that do not count as evidence for it)], each as it stands and in more, smaller steps.

    The solution and the reference mostly compute the same values, so neither counts for the other.
    """
    shown = tuple(dict.fromkeys([exercise.solutions, exercise.functions]))
    found = []
    for functions in answers(exercise):
        without = shown if functions in shown else (functions,)
        found.append((functions, without))
        if not any(function.__closure__ for function in functions):
            found.append((in_steps(functions), without))
    return found


def sample(exercise: Exercise, seed: int = 0) -> Iterator[tuple]:
    """(a right answer, what does not count, its mutant) of every base, in an order by chance."""
    found = [(functions, without, mutant) for functions, without in bases(exercise) for mutant in mutants(functions)]
    random.Random(f"{exercise.name} {seed}").shuffle(found)
    yield from found


class _InSteps(ast.NodeTransformer):
    """One operation in each statement, with a variable for each value, and other names for the variables."""

    def __init__(self, renamed):
        self.renamed, self.made, self.count = renamed, [], 0

    def visit_FunctionDef(self, node):
        arguments = {one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)}
        self.renamed = {
            one.id: f"my_{one.id}"
            for one in ast.walk(node)
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store) and one.id not in arguments
        }
        node.body = self.block(node.body)
        return node

    def block(self, body):
        done = []
        for statement in body:
            self.made = []
            if isinstance(statement, ast.Assign | ast.AugAssign | ast.Return) and statement.value is not None:
                statement.value = self.parts(statement.value)
            for name in ("body", "orelse"):
                if isinstance(getattr(statement, name, None), list):
                    made = self.made
                    setattr(statement, name, self.block(getattr(statement, name)))
                    self.made = made
            done += [*self.made, statement]
        return done

    def parts(self, node):
        """The expression with a variable in the place of every operation within it."""
        for name, value in ast.iter_fields(node):
            if isinstance(node, ast.Tuple | ast.BinOp | ast.UnaryOp) or (isinstance(node, ast.Call) and name != "func"):
                if isinstance(value, list):
                    value[:] = [self.named(one) if isinstance(one, ast.expr) else one for one in value]
                elif isinstance(value, ast.expr):
                    setattr(node, name, self.named(value))
        return node

    def named(self, node):
        if not isinstance(node, ast.BinOp | ast.Call):
            return self.parts(node)
        value = self.parts(node)
        self.count += 1
        self.made.append(ast.Assign([ast.Name(f"step{self.count}", ast.Store())], value))
        return ast.Name(f"step{self.count}", ast.Load())


class _Renamed(ast.NodeTransformer):
    def __init__(self, names):
        self.names = names

    def visit_Name(self, node):
        node.id = self.names.get(node.id, node.id)
        return node


def in_steps(functions: tuple) -> tuple:
    """The functions as a student may write them: the same values in many small steps, under other names."""
    tree = ast.parse(source(functions))
    for function in tree.body:
        steps = _InSteps({})
        steps.visit(function)
        _Renamed(steps.renamed).visit(function)
    return compiled(ast.unparse(ast.fix_missing_locations(tree)) + "\n", functions)


def located(
    exercise: Exercise,
    functions: tuple,
    without: tuple,
    mutant: Mutant,
    seconds: float = SECONDS,
    seed: int = PUBLIC_SEED,
) -> tuple[str, Place] | None:
    """("right", "wrong" or "silent", the `Place`) of a mutant; None where the visible cases accept it.

    Right is the statement that was edited, or the one that first uses its wrong value.
    """
    cases, _ = expected_values(exercise.name, seed)
    known = evidence(exercise.name, seed, without)
    try:
        with quiet(), time_limit(30 * seconds):
            runner = Here(exercise, mutant.functions, cases, withhold=False)
            search = find(exercise, runner, known, seed, seconds, time.process_time)
            if search is None:
                return None
            if not search.line:
                return "silent", search
            inside = mutant.line <= search.line <= max(mutant.line, mutant.last_line)
            near = inside or search.line in _first_uses(exercise, functions, mutant, runner, cases)
    except (Untraceable, TooSlow, MemoryError):
        return "silent", Place()
    return "right" if near else "wrong", search


def _first_uses(exercise, functions, mutant, runner, cases):
    """The first lines, case by case, at which a value outside the edited statement differs from the unedited code's."""
    code = source(functions)
    before = Here(exercise, compiled(code, functions), cases, withhold=False)
    moved = len(mutant.code.splitlines()) - len(code.splitlines())
    last = max(mutant.line, mutant.last_line)
    # Where a statement was dropped, its body went with it
    old_last = max(last, mutant.line + mutant.before.count("\n"))
    found = _last_set(mutant, runner) if mutant.kind == "dropped statement" else set()
    for case in (number for number, one in enumerate(cases) if not one.hidden):
        run = runner.trace(case)
        new = _steps(runner, run, mutant.line, last + moved, 0)
        old = _steps(before, before.trace(case), mutant.line, old_last, moved)
        if run.error is not None:
            new.append((_head(runner, run.line), "", b""))
        different = next((pair for pair in itertools.zip_longest(new, old) if pair[0] != pair[1]), ())
        found |= {step[0] for step in different if step is not None}
    return found


def _last_set(mutant, runner):
    """A dropped statement leaves a gap: the statement before it that has set what it would have changed borders on that."""
    after = mutant.code.splitlines()[mutant.line - 1]
    indent = after[: len(after) - len(after.lstrip())]
    before = mutant.before.removeprefix("el") if mutant.before.startswith("elif") else mutant.before
    names = set(targets_of(ast.parse(textwrap.dedent(indent + before))))
    function = next((one.function for one in runner.statements if one.line == mutant.line), "")
    above = [one for one in runner.statements if one.line < mutant.line and one.function == function]
    return {one.line for one in [one for one in above if names & set(one.names)][-1:]}


def _steps(runner, run, first, last, moved):
    """[(line, expression, value)] outside the edited statement."""
    made = []
    for site, value in run.events:
        line = runner.statements[runner.sites[site].statement].line
        if not first <= line <= last:
            made.append((line + moved * (line > last), runner.sites[site].text, value.tobytes()))
    return made


def _head(runner, line):
    """The first line of the statement that a line belongs to."""
    inside = [(one.end - one.line, one.line) for one in runner.statements if one.line <= line <= one.end]
    return min(inside)[1] if inside else line


def table(
    exercises: Iterable[Exercise], count: int | None = None, seed: int = PUBLIC_SEED, order: int = 0
) -> Iterator[Located]:
    """A row for each exercise in turn.

    count : how many rejected mutants of each, all by default. seed : of the cases. order : by which chance they come.
    """
    for exercise in exercises:
        row = Located(exercise.name, exercise.slug)
        for functions, without, mutant in sample(exercise, order):
            told = located(exercise, functions, without, mutant, seed=seed)
            if told is not None:
                setattr(row, told[0], getattr(row, told[0]) + 1)
            if row.mutants == count:
                break
        yield row


def by_topic(rows: Iterable[Located]) -> list[Located]:
    """A row for each topic, and one for all."""
    topics: dict[str, Located] = {}
    every = Located("all", "")
    for row in rows:
        for total in (topics.setdefault(row.slug, Located(row.slug, "")), every):
            total.right += row.right
            total.wrong += row.wrong
            total.silent += row.silent
    return [*topics.values(), every]


def main(
    names: Iterable[str], count: int | None = None, as_json: bool = False, seeds: Sequence[int] = (PUBLIC_SEED,)
) -> int:
    """Grade the places told for mutants of topics or exercises; print, seed by seed, a line for each topic and for all.

    Returns the exit status: 0 where both bounds hold over all with every seed, 1 otherwise, 2 for an unknown name.
    """
    try:
        chosen = selected(names)
    except (ValueError, CourseError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    told = {}
    for order, seed in enumerate(seeds):
        told[seed] = by_topic(table(chosen, count, seed, order))
        if not as_json:
            print(f"seed {seed}", *told[seed], sep="\n", flush=True)
    if as_json:
        lists = {seed: {one.name: [one.right, one.wrong, one.silent] for one in rows} for seed, rows in told.items()}
        print(json.dumps(lists))
    return 0 if all(rows[-1].holds for rows in told.values()) else 1
