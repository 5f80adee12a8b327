"""Hunts: the student writes an input, as data, and it has to tell the right implementation from the known wrong ones.

The mistakes are those of an exercise that stands in the registry already, judged on this one input by the comparison that
judges answers. Nothing of the student's runs: the input is plain data, read within limits, and it counts only where the
reference takes it and every right variant agrees with it.
"""

from __future__ import annotations

import functools
import inspect
import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from .compare import equal
from .drivers import Case, Outcome, data, kind, pair
from .evaluation import PUBLIC_SEED, is_wrong, timed, with_length
from .exercise import HUNT, Exercise, Trial
from .notebook import arguments_of
from .result import CaseRow, Result
from .structure import entries

# Of an input: entries in all, the size of a number, characters of a text, seconds for one implementation
ENTRIES, LARGEST, LETTERS, SECONDS = 1000, 1000.0, 40, 2.0
CASE = "your input"


@dataclass(frozen=True, eq=False)
class Hunted:
    """The exercise whose mistakes are hunted, and what is known of inputs for it.

    naive : an input that anyone writes first; what it reveals earns nothing.
    shows : {mistake: what an input has that reveals it}, for the mistakes that the naive input leaves hidden; a noun with what
        belongs to it, that fits behind "It shows on".
    beyond : {mistake: why no single admissible input reveals it}; these do not count.
    convert : {argument: function of its plain value}, where an argument is something else than an array or a number.
    make : {argument: value} -> `Case`, where the driver wants more than the arguments of the (forward) function.
    integers : arguments that are arrays of whole numbers, or of True and False; None: as the exercise's cases have them.
    """

    exercise: Exercise
    naive: dict[str, Any]
    shows: Mapping[str, str]
    beyond: Mapping[str, str] = field(default_factory=dict)
    convert: Mapping[str, Callable] = field(default_factory=dict)
    make: Callable | None = None
    integers: Sequence[str] | None = None

    @cached_property
    def whole(self) -> set[str]:
        """The arguments that some case of the exercise gives as an array of whole numbers, or of True and False."""
        if self.integers is not None:
            return set(self.integers)
        return {
            argument
            for case in self.exercise.cases(np.random.default_rng(PUBLIC_SEED))
            for argument, value in arguments_of(self.exercise, case)
            if isinstance(value, np.ndarray) and value.dtype.kind in "iub"
        }

    @property
    def mistakes(self) -> list:
        return [one for one in self.exercise.mistakes if one.slug not in self.beyond]


class Refused(Exception):
    """An input that cannot be used, with the reason in a sentence."""


def hunt(
    exercise: Exercise,
    best: dict[str, Any] | None,
    naive: dict[str, Any],
    shows: Mapping[str, str],
    beyond: Mapping[str, str] | None = None,
    convert: Mapping[str, Callable] | None = None,
    make: Callable | None = None,
    integers: Sequence[str] | None = None,
    **about: Any,
) -> Exercise:
    """The exercise "module.hunt_function" on the known mistakes of another one.

    Parameters
    ----------
    best : the best input known, {argument: value} of lists and numbers; it is the solution that a teacher sees. None at the
        student's, who does not get it.
    naive, shows, beyond, convert, make, integers : as in `Hunted`.
    about : points, minutes, why and hints, as in `Exercise`.
    """
    hunted = Hunted(exercise, naive, shows, beyond or {}, convert or {}, make, integers)
    strange = {*shows, *hunted.beyond} - {one.slug for one in exercise.mistakes}
    if strange:
        raise ValueError(f"a hunt names {', '.join(sorted(strange))}, no mistake of {exercise.name}")
    module, _, function = exercise.name.rpartition(".")
    return Exercise(
        f"{module}.hunt_{function}",
        best,
        _one_case,
        driver=data,
        kind=HUNT,
        data=(f"hunt_{function}",),
        told=_told(hunted, f"hunt_{function}"),
        assess=functools.partial(assess, hunted),
        scale=functools.partial(scale, hunted),
        trials=functools.partial(trials, hunted, best),
        **about,
    )


def hunted_by(exercise: Exercise) -> Hunted:
    """What a hunt knows of the exercise whose mistakes it hunts."""
    # `hunt` has made it a partial
    return exercise.assess.args[0]  # type: ignore[union-attr]


def _one_case(rng):
    return [Case(CASE)]


# --- the input ------------------------------------------------------------------------------------------------------


def argument_names(hunted: Hunted) -> dict[str, bool]:
    """{what an input may hold: whether it must}: the arguments of the function, of a pair also the upstream gradient."""
    if hunted.make is not None:
        return {
            name: one.default is inspect.Parameter.empty
            for name, one in inspect.signature(hunted.make).parameters.items()
        }
    functions = hunted.exercise.functions
    names = {
        name: one.default is inspect.Parameter.empty for name, one in inspect.signature(functions[0]).parameters.items()
    }
    if hunted.exercise.driver is pair:
        names |= {next(iter(inspect.signature(functions[1]).parameters)): True}
    return names


def _told(hunted, name):
    names = argument_names(hunted)
    must = ", ".join(f'"{one}": …' for one, needed in names.items() if needed)
    may = ", ".join(f'"{one}"' for one, needed in names.items() if not needed)
    text = f"The input: {name} = {{{must}}}, lists or arrays" + (f"; it may also hold {may}." if may else ".")
    return textwrap.fill(text, 100)


def read(hunted: Hunted, value: Any) -> Case:
    """The case of an input; raises `Refused` where it is none."""
    names = argument_names(hunted)
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise Refused(f"Expected a dict, {{{_keys(names)}}}, got {kind(value)}.")
    missing = [name for name, needed in names.items() if needed and name not in value]
    unknown = [name for name in value if name not in names]
    if missing or unknown:
        text = f"{_listed(missing)} {'is' if len(missing) == 1 else 'are'} missing" if missing else ""
        more = f"{_listed(unknown[:5])} {'is' if len(unknown) == 1 else 'are'} not among its keys" if unknown else ""
        raise Refused(f"Expected a dict, {{{_keys(names)}}}: {' and '.join(filter(None, [text, more]))}.")
    room = [ENTRIES]
    given = {name: _plain(name, one, room, name in hunted.convert) for name, one in value.items()}
    for name, one in given.items():
        if name in hunted.convert:
            try:
                given[name] = hunted.convert[name](one)
            except (TypeError, ValueError, IndexError, AttributeError):
                raise Refused(f"`{name}` has another form than the function takes: {kind(one)}.") from None
        elif name not in hunted.whole and isinstance(one, np.ndarray) and one.dtype.kind in "iu":
            given[name] = one.astype(float)
    return _call(hunted.exercise, given) if hunted.make is None else hunted.make(**given)


def _keys(names):
    return ", ".join(f'"{name}": …' for name, needed in names.items() if needed)


def _listed(names):
    return ", ".join(f'"{name[:LETTERS]}"' for name in names)


def _call(exercise, given):
    """The case that calls the function with these arguments, in the order of its signature."""
    signature, dout = inspect.signature(exercise.functions[0]), None
    if exercise.driver is pair:
        upstream = next(iter(inspect.signature(exercise.functions[1]).parameters))
        dout = given.pop(upstream)
    bound = signature.bind(**given)
    return Case(CASE, bound.args, bound.kwargs, dout=dout)


def _plain(name, value, room, nested):
    """A value of an input as numbers, texts and arrays, `nested` also lists of them; raises `Refused` for anything else.

    room : a list of how many numbers there may still be.
    """
    if value is None or isinstance(value, bool | np.bool_):
        return value if value is None else bool(value)
    if isinstance(value, str):
        if len(value) > LETTERS:
            raise Refused(f"`{name}` holds a text of {len(value)} characters.")
        return value
    array = _array(value)
    if array is None and nested and isinstance(value, list | tuple):
        return [_plain(name, one, room, nested) for one in value[:ENTRIES]]
    expected = "expected numbers, or lists or an array of them"
    if array is None:
        got = "lists of different lengths" if _uneven(value) else kind(value)
        raise Refused(f"`{name}`: {expected}, got {got}.")
    if array.dtype.str[1:] not in ("f8", "f4", "i8", "i4", "b1"):
        raise Refused(f"`{name}`: {expected} of dtype float64, float32, int64 or bool, got dtype {array.dtype}.")
    room[0] -= array.size
    if room[0] < 0:
        raise Refused(f"It holds more than {ENTRIES} numbers: a few dozen are enough.")
    if not np.isfinite(array).all():
        raise Refused(f"`{name}` holds NaN or infinity: every number has to be finite.")
    if (np.abs(array.astype(float)) > LARGEST).any():
        raise Refused(f"`{name}` holds a number beyond ±{LARGEST:g}.")
    return array if array.ndim else array.item()


def _array(value):
    """The value as an array of numbers of whatever type, None where it is none."""
    if not isinstance(value, np.ndarray | np.generic | int | float | list | tuple):
        return None
    try:
        array = np.array(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return array if array.dtype.kind in "biuf" else None


def _uneven(value):
    """Whether these are lists of numbers whose lengths make no array."""
    if not isinstance(value, list | tuple) or entries(value) == math.inf:
        return False
    try:
        np.array(value)
    except ValueError:
        return True
    return False


# --- what it reveals ------------------------------------------------------------------------------------------------


def revealed(hunted: Hunted, value: Any) -> dict[str, bool]:
    """{mistake: whether an input reveals it, in every way of making it}; raises `Refused` for one that cannot be used."""
    exercise, case = hunted.exercise, read(hunted, value)
    outcomes = timed(exercise, exercise.functions, case, SECONDS)
    for outcome in outcomes:
        if outcome.error is not None:
            said = " ".join(str(outcome.error).split())[:300]
            take = "does not take" if len(exercise.functions) == 1 else "do not take"
            raise Refused(f"The course's own {_called(exercise)} {take} it: {said}")
    expected = [outcome.value for outcome in outcomes]
    if not _finite(expected):
        raise Refused("The right answer to it is not finite, so nothing can be compared with it.")
    # What is left of numbers of size 1000 carries their rounding, as in an exercise's own cases of such a size
    case = with_length(exercise, case, expected)
    case = replace(case, sum_length=max(case.sum_length or 1, math.ceil(_largest(case))))
    # A value that is 0 but for rounding, or that overflows: right implementations differ there, so it tells nothing
    differ = functools.partial(_different, exercise, case, expected)
    dull = {place for functions in exercise.variant_functions for place in differ(functions)}
    if dull >= {(part, key) for part, value in enumerate(expected) for key in _values(value)}:
        raise Refused(
            "Right implementations differ on it by more than rounding, so nothing can be told of wrong ones: an overflow, "
            "or digits that cancel. Take other numbers."
        )
    return {mistake.slug: all(differ(functions) - dull for functions in mistake.ways) for mistake in hunted.mistakes}


def _called(exercise):
    return " and ".join(f"`{name}`" for name in exercise.function_names)


# Of a part that is not several values: an array, an error, an input that was changed
WHOLE = None


def _different(exercise, case, expected, functions):
    """{(part, key)} of the values in which these functions give something else."""
    found = set()
    for part, (outcome, wanted) in enumerate(zip(timed(exercise, functions, case, SECONDS), expected, strict=True)):
        got, values = _values(outcome.value), _values(wanted)
        if outcome.error is not None or outcome.changed:
            found.add((part, WHOLE))
        elif len(values) > 1 and got.keys() == values.keys():
            rules = case.sum_length, case.tolerance, case.relative
            found |= {(part, key) for key, value in values.items() if not equal(got[key], value, *rules)}
        elif is_wrong(exercise, case, outcome, wanted):
            found.add((part, WHOLE))
    return found


def _values(value):
    """{key: value} of several values, of any other one {WHOLE: it}."""
    if isinstance(value, tuple | list) and len(value) > 1:
        return dict(enumerate(value))
    return value if isinstance(value, dict) and len(value) > 1 else {WHOLE: value}


def _largest(value):
    """The size of the largest number in a case or in what it holds."""
    if isinstance(value, Case):
        value = (value.args, value.kwargs, value.dout, value.extra)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return max(map(_largest, value), default=0.0)
    numbers = value is not None and not isinstance(value, str) and np.size(value)
    return float(np.max(np.abs(np.asarray(value, dtype=float)))) if numbers else 0.0


def _finite(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return all(map(_finite, value))
    array = np.asarray(value)
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


@functools.cache
def _naive(hunted):
    """What the naive input reveals, as `revealed` tells it."""
    return revealed(hunted, hunted.naive)


def assess(hunted: Hunted, exercise: Exercise, cases: Sequence[Case], got: Sequence[Sequence[Outcome]]) -> Result:
    """The `Result` of an input: a row for each known mistake, which passes where the mistake is revealed."""
    ((outcome,),) = got
    try:
        if outcome.error is not None:
            raise Refused(
                "It cannot be taken from the notebook as data: it is far too large, or its cell ended the process."
            )
        found = revealed(hunted, outcome.value)
    except Refused as refused:
        heading = f"✗ {exercise.name}: this input cannot be used (0 of {_points(exercise.points)})."
        return Result(exercise.name, False, 0.0, exercise.points, None, f"{heading}\n{refused}", ())
    free = sum(_naive(hunted).values())
    number = sum(found.values())
    rows = tuple(
        CaseRow(slug.replace("_", " "), "", shown, 1.0, False, "" if shown else _shows(hunted, slug))
        for slug, shown in found.items()
    )
    if number == len(found):
        text = f"✓ {exercise.name}: right, {_points(exercise.points)}.\nAll {number} known mistakes are revealed."
        return Result(exercise.name, True, 1.0, exercise.points, None, text, rows)
    score = max(0, number - free) / (len(found) - free)
    lines = [
        f"✗ {exercise.name}: {number} of {len(found)} known mistakes revealed "
        f"({round(score * exercise.points, 2):g} of {_points(exercise.points)}).",
        f"Points begin above the {free} that {written(hunted.naive)} reveals.",
        *(f"Escapes: {row.case}. {row.problem}" for row in rows if not row.passed),
    ]
    return Result(exercise.name, False, score, exercise.points, None, "\n".join(lines), rows)


def _points(points):
    return f"{points:g} point{'s' * (points != 1)}"


def _shows(hunted, slug):
    """What kind of input reveals a mistake, as a sentence."""
    on = written(hunted.naive) if _naive(hunted)[slug] else hunted.shows.get(slug)
    return f"It shows on {on}." if on else "Look for an input on which it shows."


def written(value: dict[str, Any]) -> str:
    """An input in one line, as a student would write it."""
    return repr(value).replace("'", '"')


def scale(hunted: Hunted) -> str:
    """How points are given, for the text above the answer."""
    free, number = sum(_naive(hunted).values()), len(hunted.mistakes)
    return (
        f"Your input is tried on {number} known mistakes of `{hunted.exercise.name}`. One counts as revealed where it "
        "gives another answer than the right implementation, an error, or a changed input. "
        f"`{written(hunted.naive)}` reveals {free} and earns nothing; each further one earns "
        f"1/{number - free} of the points. Numbers are finite and within ±{LARGEST:g}."
    )


def trials(hunted: Hunted, best: dict[str, Any] | None) -> list[Trial]:
    """The answers of the audit."""
    return [
        Trial("the best known input", (best,), 1.0, 1.0),
        Trial(f"a naive input, {written(hunted.naive)}", (hunted.naive,), 0.0, 0.0),
        Trial("an empty input, {}", ({},), 0.0, 0.0),
    ]
