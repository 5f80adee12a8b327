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
    """One part of one case. Of a hidden one the student may see the name and whether it passed."""

    case: str
    part: str
    passed: bool
    weight: float
    hidden: bool
    problem: str = ""


@dataclass(frozen=True)
class Result:
    """What an answer is worth and what is wrong with it.

    passed : every case is right. score : share of the cases that are, by weight, 0…1. points : score × max_points.
    mistake : the slug of the recognised mistake, or None. attempted : False for an untouched stub.
    """

    name: str
    passed: bool
    score: float
    max_points: float
    mistake: str | None
    message: str
    rows: tuple
    attempted: bool = True

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
    mistakes: Sequence[Mistake] = (),
    attempted: bool = True,
) -> Result:
    """The `Result` of an answer.

    Parameters
    ----------
    rows : a `CaseRow` for every part of every case; empty where nothing could be asked.
    note : a last line, or why there was no attempt. mistakes : the known ones that the answer makes.
    """
    score = _score(rows)
    passed = bool(rows) and all(row.passed for row in rows)
    lines = [_heading(exercise, rows, score, passed, attempted)]
    if attempted and not passed:
        lines += [*map(_mistake, mistakes), *_failing_cases([row for row in rows if not row.passed])]
    return Result(
        exercise.name,
        passed,
        score,
        exercise.points,
        mistakes[0].slug if mistakes else None,
        "\n".join(line for line in [*lines, note] if line),
        tuple(rows),
        attempted,
    )


def _score(rows):
    total = sum(row.weight for row in rows)
    return sum(row.weight for row in rows if row.passed) / total if rows else 0.0


def _heading(exercise, rows, score, passed, attempted):
    points = f"{exercise.points:g} point{'s' * (exercise.points != 1)}"
    if not attempted:
        return f"○ {exercise.name}: 0 of {points}."
    if passed:
        return f"✓ {exercise.name}: right, {points}."
    done, earned = sum(row.passed for row in rows), round(score * exercise.points, 2)
    return f"✗ {exercise.name}: not right yet; {done} of {len(rows)} cases pass ({earned:g} of {points})."


def _mistake(mistake):
    head = (
        "This is another convention than the one asked for" if mistake.convention else "This looks like a known mistake"
    )
    return f"{head} ({mistake.slug.replace('_', ' ')}). {mistake.hint}"


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
