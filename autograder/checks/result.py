"""What an answer is worth, and the words for it: the heading, the mistakes, the case that is shown, the others by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .exercise import Exercise, Mistake

# The (case, part) that an answer passes
Passed = set[tuple[str, str]]

# How the lines begin that name the other failing cases; a page that shows every case leaves them out
ALSO = "Also failing"


@dataclass(frozen=True)
class CaseRow:
    """One part of one case. Of a hidden one the student may see the name and whether it passed.

    credit : the share of its weight that it earns although it fails: its values are right, and an input is changed; or it
        earns by a scale (scaled).
    """

    case: str
    part: str
    passed: bool
    weight: float
    hidden: bool
    problem: str = ""
    credit: float = 0.0
    scaled: bool = False


@dataclass(frozen=True)
class Explanation:
    """A mistake that an answer makes.

    parts : where it shows; empty where the exercise has only one. alone : it is all that is wrong, so that what its hint
        calls right is so. in_place : it is (also) that an input is changed.
    """

    mistake: Mistake
    parts: tuple[str, ...] = ()
    alone: bool = True
    in_place: bool = False

    @property
    def hint(self) -> str:
        claim, bracket, rest = self.mistake.hint.partition("] ")
        if not bracket or not claim.startswith("["):
            return self.mistake.hint
        return f"{claim[1:]} {rest}" if self.alone else rest


@dataclass(frozen=True)
class Result:
    """What an answer is worth and what is wrong with it.

    passed : every case is right. score : share of the cases that are, by weight, 0…1. points : score × max_points.
    mistake, hint : slug and hint of the recognised mistake, of several the first. attempted : False for an untouched stub.
    follows : earlier exercises that failed, and whose functions were the course's in this one.
    """

    name: str
    passed: bool
    score: float
    max_points: float
    mistake: str | None
    message: str
    rows: tuple
    attempted: bool = True
    hint: str = ""
    follows: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        return round(self.score * self.max_points, 2)

    def __str__(self):
        return self.message

    def _repr_html_(self):
        from .show import View, as_html

        return as_html(View(self))


def result_of(
    exercise: Exercise,
    rows: Sequence[CaseRow],
    note: str = "",
    mistakes: Sequence[Explanation] = (),
    attempted: bool = True,
    empty: Sequence[Passed] = (),
) -> Result:
    """The `Result` of an answer.

    Parameters
    ----------
    rows : a `CaseRow` for every part of every case; empty where nothing could be asked.
    note : a last line, or why there was no attempt. mistakes : the known ones that the answer makes; errors come before
        conventions. empty : what each answer without content passes.
    """
    passed = bool(rows) and all(row.passed for row in rows)
    score = 1.0 if passed else _score(exercise, rows, empty)
    another = not passed and _by_another_convention(rows, mistakes)
    if another:
        score = max(score, CONVENTION)
    mistakes = sorted(mistakes, key=lambda found: found.mistake.convention)
    lines = [_heading(exercise, rows, score, passed, attempted)]
    if attempted and not passed:
        if not another:
            lines.append(_why_less(exercise, rows, score, empty))
        lines += [*map(_mistake, mistakes), *_failing_cases(rows)]
    return Result(
        exercise.name,
        passed,
        score,
        exercise.points,
        mistakes[0].mistake.slug if mistakes else None,
        "\n".join(line for line in [*lines, note] if line),
        tuple(rows),
        attempted,
        mistakes[0].hint if mistakes else "",
    )


# What an answer earns at least that is right by another convention than the one asked for
CONVENTION = 2 / 3


def _by_another_convention(rows, mistakes):
    """Whether nothing is wrong but a convention."""
    explained = {part for found in mistakes for part in found.parts or {row.part for row in rows}}
    return (
        bool(mistakes)
        and all(found.mistake.convention for found in mistakes)
        and all(row.passed or row.part in explained for row in rows)
    )


def _score(exercise, rows, empty):
    """The share of the cases that are right, in each part counted from what an answer without content passes.

    Where the parts are properties of one value (`exercise.together`) a case counts only with all of them.
    """
    credit = {(row.case, row.part): 1.0 if row.passed else row.credit for row in rows}
    right = {key for key, share in credit.items() if share}
    earned = weights = 0.0
    for items in _items(exercise, rows):
        total, passed = _weight(items), _weight(items, right)
        free = max((_weight(items, other) for other in empty), default=0.0)
        weights += total
        if passed > free:
            # What is lost for changing an input is lost of what was earned
            kept = sum(weight * min(credit[key] for key in keys) for weight, keys in items if keys <= right) / passed
            earned += total * (passed - free) / (total - free) * kept
    return earned / weights if weights else 0.0


def _items(exercise, rows):
    """For each part that is scored by itself what counts in it: (weight, which parts of which cases must pass)."""
    if exercise.together and rows:
        cases = {row.case: row.weight for row in rows}
        return [[(weight, {(case, part) for part in exercise.parts}) for case, weight in cases.items()]]
    parts = dict.fromkeys(row.part for row in rows)
    return [[(row.weight, {(row.case, row.part)}) for row in rows if row.part == part] for part in parts]


def _weight(items, passed=None):
    return sum(weight for weight, needed in items if passed is None or needed <= passed)


def _why_less(exercise, rows, score, empty):
    """Why an answer earns less than the share of its cases, as sentences; "" where it does not."""
    weights = sum(row.weight for row in rows)
    if not rows or score > sum(row.weight * (1.0 if row.passed else row.credit) for row in rows) / weights - 1e-9:
        return ""
    lines = []
    if exercise.together:
        lines.append(f"A case counts when all of it is right: {', '.join(exercise.parts)}.")
    if any(_weight(items, other) for items in _items(exercise, rows) for other in empty):
        lines.append(
            "Points begin above what an answer without content passes, such as zeros or the input handed back."
        )
    return " ".join(lines)


def _heading(exercise, rows, score, passed, attempted):
    if not exercise.points:
        state = "○" if not attempted else "✓" if passed else "✗"
        said = "not attempted" if not attempted else "right" if passed else f"not right yet; {cases_that_pass(rows)}"
        return f"{state} {exercise.name}: {said} (optional, no points)."
    points = f"{exercise.points:g} point{'s' * (exercise.points != 1)}"
    if not attempted:
        return f"○ {exercise.name}: 0 of {points}."
    if passed:
        return f"✓ {exercise.name}: right, {points}."
    if any(row.scaled for row in rows):
        return f"✗ {exercise.name}: {round(score * exercise.points, 2):g} of {points} so far; {cases_that_pass(rows)}."
    return f"✗ {exercise.name}: not right yet; {cases_that_pass(rows)} ({round(score * exercise.points, 2):g} of {points})."


def cases_that_pass(rows: Sequence[CaseRow]) -> str:
    """How many cases pass, in words, and how many would but for an input that is changed."""
    done, nearly, all_of_them = sum(row.passed for row in rows), sum(row.credit > 0 for row in rows), len(rows)
    if any(row.scaled for row in rows):
        return f"{done} of {all_of_them} cases at the top of the scale"
    if nearly == all_of_them > 0:
        return "the values of every case are right, and a changed input costs a quarter"
    more = f", {nearly} more but for a changed input, which costs a quarter of each" if nearly else ""
    return f"{done} of {all_of_them} cases pass{more}"


def _mistake(found):
    words = "is another convention than the one asked for" if found.mistake.convention else "looks like a known mistake"
    where = ", ".join(found.parts)
    head = f"{where[0].upper()}{where[1:]}: this {words}" if where else f"This {words}"
    return f"{head} ({found.mistake.slug.replace('_', ' ')}). {found.hint}"


def _failing_cases(rows):
    """The first visible case with its problem, then the names of the others; of hidden ones nothing but the name."""
    failed = [row for row in rows if not row.passed]
    visible = [row for row in failed if not row.hidden]
    # Each figure of a scale is worth knowing
    shown = max(1, sum(row.scaled for row in visible))
    lines = [f"Case {_title(row)}: {row.problem}" for row in visible[:shown]]
    hidden = dict.fromkeys(row.case for row in failed if row.hidden)
    if hidden:
        lines.append(f"{ALSO} (revealed at grading): {', '.join(hidden)}.")
    others = _by_parts(visible[shown:], len({row.part for row in rows}))
    if others:
        lines.append(f"{ALSO}: {others}.")
    return lines


def _by_parts(failed, count):
    """The names of failing cases, those that fail in the same parts together; parts are named unless all of them fail."""
    parts: dict[str, list[str]] = {}
    for row in failed:
        parts.setdefault(row.case, []).append(row.part)
    groups: dict[str, list[str]] = {}
    for case in list(parts)[:6]:
        where = f"{listed(parts[case])} of " if len(parts[case]) < count else ""
        groups.setdefault(where, []).append(f"“{case}”")
    text = "; ".join(where + ", ".join(cases) for where, cases in groups.items())
    return f"{text} and others" if len(parts) > 6 else text


def listed(words: Sequence[str]) -> str:
    """ "a, b and c"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _title(row):
    return f"“{row.case}”{', ' + row.part if row.part else ''}"
