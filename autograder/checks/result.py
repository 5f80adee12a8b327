"""What an answer is worth, and the words for it: the heading, the mistakes, the case that is shown, the others by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .exercise import Exercise, Mistake

# How the lines begin that name the other failing cases; a page that shows every case leaves them out
ALSO = "Also failing"


@dataclass(frozen=True)
class CaseRow:
    """One part of one case. Of a hidden one the student may see the name and whether it passed.

    credit : the share of its weight that it earns although it fails.
    """

    case: str
    part: str
    passed: bool
    weight: float
    hidden: bool
    problem: str = ""
    credit: float = 0.0


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
) -> Result:
    """The `Result` of an answer.

    Parameters
    ----------
    rows : a `CaseRow` for every part of every case; empty where nothing could be asked.
    note : a last line, or why there was no attempt. mistakes : the known ones that the answer makes; errors come before
        conventions.
    """
    score = _score(rows)
    passed = bool(rows) and all(row.passed for row in rows)
    mistakes = sorted(mistakes, key=lambda found: found.mistake.convention)
    lines = [_heading(exercise, rows, score, passed, attempted)]
    if attempted and not passed:
        lines += [*map(_mistake, mistakes), *_failing_cases([row for row in rows if not row.passed])]
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


def _score(rows):
    total = sum(row.weight for row in rows)
    return sum(row.weight * (1.0 if row.passed else row.credit) for row in rows) / total if rows else 0.0


def _heading(exercise, rows, score, passed, attempted):
    points = f"{exercise.points:g} point{'s' * (exercise.points != 1)}"
    if not attempted:
        return f"○ {exercise.name}: 0 of {points}."
    if passed:
        return f"✓ {exercise.name}: right, {points}."
    done, earned = sum(row.passed for row in rows), round(score * exercise.points, 2)
    return f"✗ {exercise.name}: not right yet; {done} of {len(rows)} cases pass ({earned:g} of {points})."


def _mistake(found):
    words = "is another convention than the one asked for" if found.mistake.convention else "looks like a known mistake"
    where = ", ".join(found.parts)
    head = f"{where[0].upper()}{where[1:]}: this {words}" if where else f"This {words}"
    return f"{head} ({found.mistake.slug.replace('_', ' ')}). {found.hint}"


def _failing_cases(failed):
    """The first visible case with its problem, then the names of the others; of hidden ones nothing but the name."""
    visible = [row for row in failed if not row.hidden]
    lines = [f"Case {_title(row)}: {row.problem}" for row in visible[:1]]
    hidden = dict.fromkeys(row.case for row in failed if row.hidden)
    if hidden:
        lines.append(f"{ALSO} (revealed at grading): {', '.join(hidden)}.")
    others = list(dict.fromkeys(map(_title, visible[1:])))
    if others:
        lines.append(f"{ALSO}: {', '.join(others[:6])}{' and others' if len(others) > 6 else ''}.")
    return lines


def _title(row):
    return f"“{row.case}”{', ' + row.part if row.part else ''}"
