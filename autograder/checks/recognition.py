"""Which known mistakes an answer makes, told by what it gives on the cases.

A mistake is named for evidence only: values that are wrong in the mistake's way, or an error with the same message in the
same operation. Where the answer is right the mistake must be right, too.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .compare import equal, error_bound
from .drivers import WrongAnswer
from .limits import TooSlow
from .result import Explanation

if TYPE_CHECKING:
    from .drivers import Case, Outcome
    from .exercise import Exercise, Mistake

# How a mistake's outcome is to the answer's on one case: the mistake does not show there; both fail alike, with evidence
# or without (two errors of one type); or it shows, and the answer does something else
ABSENT, SAME, WEAK, OTHER = "absent", "same", "weak", "other"
# Many mistakes end in these, so they are not evidence for one
_OF_ANY_MISTAKE = (TooSlow, MemoryError)


@dataclass(frozen=True)
class Seen:
    """One part of one case.

    wrong : its value or its error is, whatever it does to its inputs. inside : of several values {index or key: whether it
    is wrong}, where the whole is wrong.
    """

    outcome: Outcome
    wrong: bool
    inside: Mapping[Any, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Way:
    """One way of making a mistake. seen : for each part what it gives, case by case."""

    mistake: Mistake
    seen: Sequence[Sequence[Seen]]


def recognise(
    exercise: Exercise,
    cases: Sequence[Case],
    got: Sequence[Sequence[Seen]],
    ways: Sequence[Callable[[], Way]],
    fitted: Callable[[Mistake, int, int], list[Way]],
) -> list[Explanation]:
    """The known mistakes of an answer.

    Parameters
    ----------
    got : for each part what the answer gives, case by case.
    ways : each makes one `Way`; called only as far as needed.
    fitted : (mistake, part, case) -> the ways of a mistake that holds a number, with the one that brings it nearest to the
        answer there.
    """
    search = _Search(exercise, cases, got, ways, fitted)
    named: list[_Found] = []
    for part, seen in enumerate(got):
        if any(one.wrong for one in seen):
            for way in search.explained(part, _known(named)):
                _add(named, way, part)
        elif any(one.outcome.changed for one in seen):
            way = search.alone(part, _known(named))
            if way is not None:
                _add(named, way, part)
    named = [one for one in named if search.consistent(one, named)]
    return [_explanation(exercise, one, search) for one in named]


@dataclass
class _Found:
    """A mistake, and the way of making it that shows in each part: {part: way}."""

    mistake: Mistake
    ways: dict[int, Way]


def _add(named, way, part):
    for one in named:
        if one.mistake.slug == way.mistake.slug:
            one.ways[part] = way
            return
    named.append(_Found(way.mistake, {part: way}))


def _known(named):
    return [way for one in named for way in one.ways.values()]


class _Search:
    def __init__(self, exercise, cases, got, ways, fitted):
        self.exercise, self.cases, self.got = exercise, cases, got
        self.makers, self.made, self.fitted = ways, {}, fitted
        self.rows: dict[Any, Any] = {}

    def way(self, index):
        if index not in self.made:
            self.made[index] = self.makers[index]()
        return self.made[index]

    def row(self, way, part):
        """How a way is to the answer in each case of a part."""
        key = id(way), part
        if key not in self.rows:
            # The way is kept beside its row, so that no other one gets its id
            self.rows[key] = (
                way,
                [
                    likeness(self.exercise, case, got, made)
                    for case, got, made in zip(self.cases, self.got[part], way.seen[part], strict=True)
                ],
            )
        return self.rows[key][1]

    def alone(self, part, already, more=()):
        """The one way that explains a whole part; one that explains another part already comes first.

        After an error in the first part all that follow look alike.
        """
        known = {way.mistake.slug for way in already}
        for way in itertools.chain(already, map(self.way, range(len(self.makers))), more):
            row = self.row(way, part)
            evident = SAME in row or (WEAK in row and way.mistake.slug in known)
            if evident and self._agrees(way, part):
                return way
        return None

    def _fits(self, like, got):
        return like in (SAME, WEAK) if got.wrong else like != OTHER

    def explained(self, part, already):
        """The ways that explain what is wrong in a part: one, one beside an exception, or two; none where that is not all."""
        way = self.alone(part, already)
        if way is not None:
            return [way]
        more = [way for mistake in self.exercise.mistakes if mistake.families for way in self._fitted(mistake, part)]
        way = self.alone(part, already, more)
        if way is not None:
            return [way]
        candidates = [way for way in [*already, *map(self.way, range(len(self.makers))), *more] if self._may(way, part)]
        return (
            self._beside_an_exception(part, candidates)
            or self._two(part, candidates)
            or self._of_two_values(part, [*already, *map(self.way, range(len(self.makers))), *more])
        )

    def _fitted(self, mistake, part):
        """The ways of a mistake that may hold any number, fitted to a case that tells which."""
        known = [self.row(way, part) for way in map(self.way, range(len(self.makers))) if way.mistake is mistake]
        valued = [i for i, one in enumerate(self.got[part]) if one.wrong and one.outcome.error is None]
        # Where a given number explains the case any number may
        telling = [i for i in valued if not any(row[i] == SAME for row in known)] or valued
        # Some number makes a constant of most formulas: 1 as a base, 0 as a limit
        constant = _constant([self.got[part][i].outcome.value for i in valued])
        return self.fitted(mistake, part, telling[0]) if telling and not constant else []

    def _may(self, way, part):
        """Whether a way is right wherever the answer is, and explains some of the rest."""
        row = self.row(way, part)
        return SAME in row and all(got.wrong or like != OTHER for like, got in zip(row, self.got[part], strict=True))

    def _beside_an_exception(self, part, candidates):
        raised = {_error_key(one.outcome) for one in self.got[part] if one.wrong and one.outcome.error is not None}
        for way in candidates:
            rest = [
                got
                for like, got in zip(self.row(way, part), self.got[part], strict=True)
                if got.wrong and like not in (SAME, WEAK)
            ]
            valued = any(
                like == SAME and got.outcome.error is None
                for like, got in zip(self.row(way, part), self.got[part], strict=True)
            )
            if valued and len(raised) == 1 and all(got.outcome.error is not None for got in rest):
                return [way]
        return []

    def _two(self, part, candidates):
        for first, second in itertools.combinations(candidates, 2):
            rows = self.row(first, part), self.row(second, part)
            if first.mistake.slug != second.mistake.slug and self._cover(part, *rows):
                return [first, second]
        return []

    def _of_two_values(self, part, candidates):
        """Two ways that explain different ones of the values that a part returns."""
        wrong = [one for one in self.got[part] if one.wrong]
        # A training of more steps in one case than in another returns other values there
        if not all(one.inside and one.inside.keys() == wrong[0].inside.keys() for one in wrong):
            return []
        values = [value for value in wrong[0].inside if any(one.inside[value] for one in wrong)]
        explained: dict[Any, list[Way]] = {}
        for way in candidates:
            rows = {value: self._row_of(way, part, value) for value in values}
            # Where it shows, the answer is as it is, or another mistake stands there
            where = tuple(value for value in values if SAME in rows[value] and OTHER not in rows[value])
            if where and all(OTHER not in rows[value] for value in values):
                explained.setdefault(where, []).append(way)
        for one, other in itertools.combinations(explained, 2):
            if {*one, *other} == set(values) and not {*one} & {*other}:
                first, second = explained[one][0], explained[other][0]
                if first.mistake.slug != second.mistake.slug:
                    return [first, second]
        return []

    def _row_of(self, way, part, value):
        """As `row`, of one of several values."""
        return [
            _likeness_of(self.exercise, case, got, made, value)
            for case, got, made in zip(self.cases, self.got[part], way.seen[part], strict=True)
        ]

    def _cover(self, part, first, second):
        """Whether two ways explain each wrong case of a part, one of them alone where both would show differently."""
        alone = [False, False]
        for a, b, got in zip(first, second, self.got[part], strict=True):
            if not got.wrong:
                continue
            explains = [like in (SAME, WEAK) for like in (a, b)]
            if not any(explains):
                return False
            hidden = got.outcome.error is not None
            if not all(explains):
                other = b if explains[0] else a
                if other == OTHER and not hidden:
                    return False
                alone[explains.index(True)] |= (a if explains[0] else b) == SAME
        return all(alone)

    def consistent(self, found, named):
        """Whether a mistake that shows in words or statistics only has no part against it.

        An empty answer, too, has no order that is wrong: there the other parts tell that it is another mistake.
        """
        if not any(self._by_statistics(way, part) for part, way in found.ways.items()):
            return True
        explained = {part for one in named for part in one.ways}
        ways = found.ways.values()
        return all(part in explained or any(self._agrees(way, part) for way in ways) for part in range(len(self.got)))

    def _agrees(self, way, part):
        """Whether all of a part is as the way has it."""
        return all(self._fits(like, got) for like, got in zip(self.row(way, part), self.got[part], strict=True))

    def _by_statistics(self, way, part):
        """Whether all that a way and the answer have in common is a statistic or a word."""
        same = [
            got.outcome
            for like, got in zip(self.row(way, part), self.got[part], strict=True)
            if like == SAME and got.wrong
        ]
        return bool(same) and all(
            outcome.error is None and (self.exercise.measure is not None or isinstance(outcome.value, str))
            for outcome in same
        )

    def all_that_is_wrong(self, ways):
        """Whether each part is as one of the ways has it."""
        return all(
            any(self._agrees(way, part) and not self._changes_more(way, part) for way in ways)
            for part in range(len(self.got))
        )

    def _changes_more(self, way, part):
        return any(
            got.outcome.changed and not made.outcome.changed
            for got, made in zip(self.got[part], way.seen[part], strict=True)
        )


def _constant(values):
    """Whether several numbers are all the same one."""
    try:
        numbers = np.concatenate([np.ravel(np.asarray(value, dtype=float)) for value in values])
    except (TypeError, ValueError):
        return False
    return numbers.size > 1 and bool((numbers == numbers[0]).all())


def _explanation(exercise, found, search):
    parts = tuple(exercise.parts[part] for part in found.ways) if len(exercise.parts) > 1 else ()
    in_place = any(one.outcome.changed for part, way in found.ways.items() for one in way.seen[part])
    return Explanation(found.mistake, parts, search.all_that_is_wrong(found.ways.values()), in_place)


# --- alike ----------------------------------------------------------------------------------------------------------


def likeness(exercise: Exercise, case: Case, got: Seen, made: Seen) -> str:
    """`ABSENT`, `SAME`, `WEAK` or `OTHER`: how a mistake's outcome is to the answer's on one case."""
    changed = set(got.outcome.changed), set(made.outcome.changed)
    if not got.wrong:
        if made.wrong or (made.outcome.changed and changed[0] != changed[1]):
            return OTHER
        return SAME if made.outcome.changed else ABSENT
    if made.outcome.changed and not got.outcome.changed:
        return OTHER
    if not made.wrong:
        return ABSENT
    if (got.outcome.error is None) != (made.outcome.error is None):
        return OTHER
    if got.outcome.error is not None:
        if type(got.outcome.error) is not type(made.outcome.error):
            return OTHER
        alike = _error_key(got.outcome) == _error_key(made.outcome)
        return SAME if alike and not isinstance(got.outcome.error, _OF_ANY_MISTAKE) else WEAK
    return SAME if _values_alike(exercise, case, got.outcome.value, made.outcome.value) else OTHER


def _likeness_of(exercise, case, got, made, value):
    """As `likeness`, of one of several values."""
    if (
        made.outcome.error is not None
        or (made.wrong and value not in made.inside)
        or set(made.outcome.changed) - set(got.outcome.changed)
    ):
        return OTHER
    wrong = [one.wrong and one.inside[value] for one in (got, made)]
    if not wrong[0]:
        return OTHER if wrong[1] else ABSENT
    if not wrong[1]:
        return ABSENT
    return SAME if _values_alike(exercise, case, got.outcome.value[value], made.outcome.value[value]) else OTHER


def _error_key(outcome):
    """What two errors have in common that come from the same mistake: the message, and the operation that it arose in."""
    error = outcome.error
    if isinstance(error, WrongAnswer):
        return WrongAnswer, str(error), ""
    if isinstance(error, (*_OF_ANY_MISTAKE, RecursionError)):
        # The words depend on the clock, or on where the last of a thousand calls stood
        return type(error), "", ""
    # Addresses and the names of an answer's own functions differ from one answer to the next
    return type(error), re.sub(r"0x[0-9a-f]+|\w+(?=\(\))", "", str(error)), outcome.operation


def _values_alike(exercise, case, got, made):
    if exercise.measure is not None:
        if not _same_form(got, made):
            return False
        try:
            got, made = (exercise.measure(value, case) for value in (got, made))
        except Exception:
            return False
    try:
        return equal(got, made, case.sum_length, _tolerance(case), case.relative)
    except Exception:
        return False


def _same_form(got, made):
    """Whether two values have the same shapes: the statistics of nothing may be those of anything."""
    if isinstance(got, dict):
        return isinstance(made, dict) and got.keys() == made.keys() and all(_same_form(got[k], made[k]) for k in got)
    if isinstance(got, tuple | list):
        both = isinstance(made, tuple | list) and len(got) == len(made)
        return both and all(map(_same_form, got, made))
    return np.shape(got) == np.shape(made)


def _tolerance(case):
    """With float32 among the arguments that one's bound: two answers differ by its rounding, whatever they return."""
    arrays = [x for x in (*case.args, *case.kwargs.values()) if isinstance(x, np.ndarray)]
    if case.tolerance is None and any(x.dtype == np.float32 for x in arrays):
        return error_bound(np.zeros(0, dtype=np.float32), case.sum_length)
    return case.tolerance
