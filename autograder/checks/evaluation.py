"""Judging an answer: every case, every part, and the name of the mistake.

`evaluate` tells and never raises for a wrong answer; what a notebook calls is `check`, in `notebook.py`.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import registry
from .cheap import cheap_answers
from .compare import Difference, compare, equal
from .drivers import Outcome, Withheld, WrongAnswer, kind, run_case
from .exercise import Mistake, get_exercise
from .families import distance, fitted
from .limits import TooSlow, time_limit
from .recognition import Seen, Way, recognise
from .result import CaseRow, Explanation, Result, result_of
from .structure import other_structure
from .threads import one_thread
from .withheld import door_functions

if TYPE_CHECKING:
    from .drivers import Case
    from .exercise import Exercise

PUBLIC_SEED = 20260901
SECONDS = 30.0
# A known mistake may be an endless loop, for each case
SECONDS_OF_A_MISTAKE = 5.0
# For a mistake whose number is sought, on one case
SECONDS_TO_FIT = 0.2


def evaluate(
    name: str,
    *functions: Callable,
    seed: int = PUBLIC_SEED,
    hidden: bool = True,
    seconds: float = SECONDS,
    withhold: bool | None = None,
    explain: bool = True,
) -> Result:
    """Judge an answer.

    Parameters
    ----------
    name : the exercise, "neurons.preactivation".
    *functions : the answer, in the exercise's order (a pair: forward, backward).
    seed : chooses the numbers in the cases. hidden : whether the cases kept for grading are asked too.
    seconds : time for the whole answer.
    withhold : whether the reference itself may not be called; default: yes, unless the answer is the reference or one
        of the exercise's own mistakes or variants.
    explain : whether a wrong answer is compared with the known mistakes, which takes most of the time.

    Returns
    -------
    Result; a wrong answer, one that raises, prints or never ends is a result, not an error.
    """
    exercise = get_exercise(name)
    wrong = unusable(exercise, functions)
    if wrong:
        return result_of(exercise, [], wrong, attempted=False)
    cases, expected, got = ask(exercise, functions, seed, hidden, seconds, withhold)
    return judge(exercise, cases, expected, got, seed, explain)


def ask(
    exercise: Exercise,
    functions: Sequence[Callable],
    seed: int = PUBLIC_SEED,
    hidden: bool = True,
    seconds: float = SECONDS,
    withhold: bool | None = None,
    started: Callable | None = None,
) -> tuple:
    """What `judge` needs: the cases, the expected values and the answer's outcomes.

    started : called with the number of a case and of all of them, before each.
    """
    cases, expected = expected_values(exercise.name, seed)
    seconds = min(seconds, exercise.seconds or seconds)
    chosen = [i for i, case in enumerate(cases) if hidden or not case.hidden]
    if withhold is None:
        withhold = not _is_own(exercise, functions)
    got = []
    held = (*exercise.functions, *door_functions(exercise.name)) if withhold else ()
    with one_thread(), withheld_functions(held):
        # After an answer has used up its time once, every further case gets little
        left = seconds
        for number, i in enumerate(chosen, 1):
            if started is not None:
                started(number, len(chosen))
            outcomes = timed(exercise, functions, cases[i], left)
            if any(isinstance(outcome.error, TooSlow) for outcome in outcomes):
                left = min(left, 1.0)
            got.append(outcomes)
    return [cases[i] for i in chosen], [expected[i] for i in chosen], got


@one_thread()
def judge(
    exercise: Exercise, cases: Sequence[Case], expected: Any, got: Any, seed: int = PUBLIC_SEED, explain: bool = True
) -> Result:
    """The result for the outcomes `got` (a list of `Outcome` objects for each case) against the expected values.

    explain : whether the known mistakes are looked for; the points do not depend on it.
    """
    flat = [outcome for outcomes in got for outcome in outcomes]
    if exercise.assess is not None:
        return exercise.assess(exercise, cases, got)
    if flat and all(isinstance(outcome.error, NotImplementedError) for outcome in flat):
        text = "Not attempted yet: replace the line `raise NotImplementedError()` with your code, run its cell, then this one."
    elif flat and exercise.planted and _as_given(exercise, cases, flat):
        text = "Not attempted yet: the functions are as they were given. Mend them, and let `places` say which lines were wrong."
    else:
        text = ""
    if text:
        rows = [_row(case, part, text, scales=exercise.scales) for case in cases for part in exercise.parts]
        return result_of(exercise, rows, text, attempted=False)
    rows = []
    seen: list[list[Seen]] = [[] for _ in exercise.parts]
    # A recursion that ends in other cases is not endless in this one
    ends = any(outcome.error is None for outcome in flat)
    for case, wanted, outcomes in zip(cases, expected, got, strict=True):
        for part, (outcome, value) in enumerate(zip(outcomes, wanted, strict=True)):
            wrong = _wrong(exercise, case, outcome, value)
            seen[part].append(_seen(exercise, case, outcome, value, wrong))
            text = " ".join(filter(None, [wrong, _changes(outcome, bool(wrong))]))
            if ends:
                text = text.replace(ENDLESS, TOO_DEEP)
            rows.append(_row(case, outcome.part, text, _credit(exercise, case, outcome, wrong), exercise.scales))
    if all(row.passed for row in rows):
        return result_of(exercise, rows, "\n".join(filter(None, [_lines_come_later(exercise, cases), _notes(flat)])))
    # What answers without content pass matters only to one that passes something
    passed = any(row.passed or row.credit for row in rows)
    empty = [passed for _, passed in passed_without_content(exercise.name, seed)] if passed else ()
    found = _explanations(exercise, cases, seen, seed) if explain else ()
    return result_of(exercise, rows, _notes(flat), found, empty=empty)


def _as_given(exercise, cases, flat):
    """Whether every outcome of a repair is that of the functions as they were given."""
    for case, outcome in zip(cases, flat, strict=True):
        if exercise.released is not None:
            one = exercise.released.given[case.name]
        else:
            (one,) = timed(exercise, exercise.planted_functions, case, 2.0)
        if one.error is not None or outcome.error is not None:
            if type(one.error) is not type(outcome.error):
                return False
        elif not equal(outcome.value, one.value, case.sum_length or 256, case.tolerance, case.relative):
            return False
    return True


def _lines_come_later(exercise, cases):
    """What a check at home does not know of a repair, as a sentence; "" if nothing."""
    if not exercise.planted or any(case.hidden for case in cases):
        return ""
    return "Whether `places` names the right lines is judged in grading only: look at each of them once more."


def problem(exercise: Exercise, case: Case, outcome: Outcome, value: Any) -> str:
    """What is wrong with one part of one case, as a sentence; "" if nothing is."""
    wrong = _wrong(exercise, case, outcome, value)
    return " ".join(filter(None, [wrong, _changes(outcome, bool(wrong))]))


def _wrong(exercise, case, outcome, value):
    """What is wrong with a value or an error, as a sentence; "" if nothing is."""
    if outcome.error is not None:
        return _error_text(exercise, outcome)
    if outcome.part in exercise.scales:
        return exercise.scales[outcome.part].judged(outcome.value, case)[1]
    got, wanted, text = _measured(exercise, case, outcome.value, value)
    if text:
        return text
    names = exercise.value_names(outcome.part)
    # `expected_values` has filled in the length
    length: int = case.sum_length  # type: ignore[assignment]
    reduction = exercise.reduction(case)
    difference = compare(got, wanted, length, case.tolerance, case.relative, _batch(case), names, reduction)
    return "" if difference is None else str(difference)


def is_wrong(exercise: Exercise, case: Case, outcome: Outcome, value: Any, measured: Any = None) -> bool:
    """Whether a value or an error is wrong: whether `_wrong` has something to say. measured : the value's, where it is known."""
    if outcome.error is not None:
        return True
    if outcome.part in exercise.scales:
        return exercise.scales[outcome.part].judged(outcome.value, case)[0] < 1.0
    got, wanted, text = _measured(exercise, case, outcome.value, value, measured)
    # `expected_values` has filled in the length
    length: int = case.sum_length  # type: ignore[assignment]
    return bool(text) or not equal(got, wanted, length, case.tolerance, case.relative)


def _credit(exercise, case, outcome, wrong):
    """The share of its weight that a part of a case earns although something is wrong with it."""
    kept = CREDIT_IN_PLACE if outcome.changed else 1.0
    if outcome.part not in exercise.scales:
        return 0.0 if wrong else kept
    return 0.0 if outcome.error is not None else kept * exercise.scales[outcome.part].judged(outcome.value, case)[0]


def _measured(exercise, case, got, wanted, measured=None):
    """(what is compared of the answer, of the expected value, why it cannot be, as a sentence)."""
    if exercise.measure is None:
        return got, wanted, ""
    text = other_structure(got, wanted)
    if text:
        return got, wanted, text[0].upper() + text[1:]
    wanted = exercise.measure(wanted, case) if measured is None else measured
    try:
        return exercise.measure(got, case), wanted, ""
    except Exception as error:
        text = f"Your answer could not be measured ({type(error).__name__}: {error}); it returned {kind(got)}."
        return got, wanted, text


def _seen(exercise, case, outcome, value, wrong):
    """What recognition needs to know of a part of a case: of several values also which of them are wrong."""
    got, single = outcome.value, exercise.measure is None and outcome.error is None
    if not (wrong and single and _same_keys(got, value)):
        return Seen(outcome, bool(wrong))
    # `expected_values` has filled in the length
    length: int = case.sum_length  # type: ignore[assignment]
    inside = {key: not equal(got[key], value[key], length, case.tolerance, case.relative) for key in _keys(value)}
    return Seen(outcome, True, inside)


def _same_keys(got, value):
    several = isinstance(value, tuple | dict) and isinstance(got, dict if isinstance(value, dict) else tuple | list)
    return several and len(value) > 1 and list(_keys(got)) == list(_keys(value))


def _keys(value):
    return value if isinstance(value, dict) else range(len(value))


def _changes(outcome, wrong):
    """What a part does to its inputs, as a sentence; "" if nothing. wrong : whether its value is."""
    if not outcome.changed or outcome.error is not None:
        return ""
    inputs = ", ".join(outcome.changed)
    if wrong:
        return f"Your function also changes its input {inputs}."
    if outcome.rounded:
        return (
            f"The values are right, but your function leaves its input {inputs} changed in the last digits: to add a number and "
            "to subtract it again does not give back the old one. Store the old number, and put it back."
        )
    return (
        f"The values are right, but your function changes its input {inputs}: the caller still needs that array. Work on a "
        "copy, or make a new array."
    )


# What an answer with right values that changes its inputs earns: a quarter is lost
CREDIT_IN_PLACE = 0.75
IN_PLACE = Mistake(
    "changes_its_input",
    (),
    "Your function writes into an array that it was given: `x += …`, `x[…] = …` and `x *= …` do, `x = x + …` makes a new one.",
)

NOT_RESTORED = Mistake(
    "not_restored",
    (),
    "Your function moves an entry of its input and moves it back by the same amount: rounding stays behind.",
)


def _explanations(exercise, cases, seen, seed):
    """The known mistakes of an answer, and the one that every exercise has: an input that is changed."""
    names = tuple(case.name for case in cases)
    ways = [
        functools.partial(known_way, exercise.name, index, way, seed, names)
        for index, mistake in enumerate(exercise.mistakes)
        for way in range(len(mistake.ways))
    ]
    found = recognise(exercise, cases, seen, ways, functools.partial(_fitted, exercise, cases, seen, seed, names))
    in_place = [
        name
        for name, part in zip(exercise.parts, seen, strict=True)
        if any(one.outcome.changed and one.outcome.error is None for one in part)
        and not any((name in one.parts or not one.parts) and one.in_place for one in found)
    ]
    if in_place:
        changed = [one for part in seen for one in part if one.outcome.changed]
        rounded = all(one.outcome.rounded for one in [one for one in changed if not one.wrong] or changed)
        mistake = NOT_RESTORED if rounded else IN_PLACE
        found.append(Explanation(mistake, tuple(in_place) if len(exercise.parts) > 1 else ()))
    return found


# Of a variable that the notebook does not have
MISSING = object()
NOT_ATTEMPTED_DATA = (
    "Not attempted yet: replace the line `raise NotImplementedError()` with your value, run its cell, then this one."
)


def unusable(exercise: Exercise, functions: Sequence[Any]) -> str:
    """Why this answer cannot be asked anything at all, as a sentence; "" if it can."""
    names = exercise.answer_names
    if len(functions) != len(names):
        what = "value" if exercise.data else "function"
        return f"Expected {len(names)} {what}{'s' * (len(names) > 1)}, {', '.join(names)}; got {len(functions)}."
    if any(one is MISSING for one in functions):
        return NOT_ATTEMPTED_DATA
    for function, name in zip(functions[len(exercise.data) :], exercise.function_names, strict=True):
        if not callable(function):
            return f"Expected the function {name} itself (without parentheses), got {kind(function)}."
    return ""


@registry.kept
@cache
def passed_without_content(name: str, seed: int) -> list[tuple[str, set]]:
    """(what it does, the (case, part) that it passes) for every answer without content that passes anything."""
    exercise = get_exercise(name)
    if exercise.released is not None:
        return exercise.released.empty
    if exercise.scales:
        # The scale begins above them
        return []
    cheap = [*cheap_answers(exercise)]
    if exercise.planted:
        cheap.append(("what was given", exercise.planted_functions, None))
    answers = ((what, gained(exercise, functions, right, seed)) for what, functions, right in cheap)
    return [(what, passed) for what, passed in answers if passed]


def gained(exercise: Exercise, functions: tuple, right: tuple | None, seed: int) -> set[tuple[str, str]]:
    """The (case, part) that an answer passes and the right functions in it do not pass without it."""
    passed = _passed(exercise.name, functions, seed)
    if not right:
        return passed
    # The same right functions stand before many answers without content
    known = _known(exercise.name, seed).passed
    if right not in known:
        known[right] = _passed(exercise.name, right, seed)
    return passed - known[right]


def _passed(name, functions, seed):
    exercise, passed = get_exercise(name), set()
    for case, wanted, measured in zip(*expected_values(name, seed), _known(name, seed).measured, strict=True):
        outcomes = timed(exercise, functions, case, 2.0)
        for outcome, value, known in zip(outcomes, wanted, measured, strict=True):
            if not is_wrong(exercise, case, outcome, value, known):
                passed.add((case.name, outcome.part))
    return passed


class _Known(NamedTuple):
    """What many answers to one exercise are asked with: the expected values, what is measured of each (None where values are
    compared as they are), and what right functions pass."""

    expected: list
    measured: list
    passed: dict


_last: list[_Known] = []


def _known(name, seed):
    """What is known of the exercise that was asked last: where the expected values are other ones, nothing yet."""
    cases, expected = expected_values(name, seed)
    if not _last or _last[0].expected is not expected:
        measure = get_exercise(name).measure
        measured = [
            [None if measure is None or value is None else measure(value, case) for value in wanted]
            for case, wanted in zip(cases, expected, strict=True)
        ]
        _last[:] = [_Known(expected, measured, {})]
    return _last[0]


def timed(exercise: Exercise, functions: Sequence[Callable], case: Case, seconds: float) -> list[Outcome]:
    """The outcomes of one case within so many seconds."""
    try:
        with time_limit(seconds):
            return run_case(exercise.driver, functions, case, exercise.parts)
    except TooSlow as error:
        return [Outcome(part, error=error) for part in exercise.parts]


@registry.kept
@cache
def expected_values(name: str, seed: int) -> tuple[list[Case], list[list]]:
    """The cases of an exercise for a seed, and the reference's values for every part of each."""
    exercise = get_exercise(name)
    if exercise.released is not None:
        return exercise.released.cases, exercise.released.expected
    cases, expected = [], []
    for case in exercise.cases(np.random.default_rng(seed)):
        outcomes = run_case(exercise.driver, exercise.answers, case, exercise.parts)
        for outcome in outcomes:
            if outcome.error is not None:
                raise RuntimeError(f"the reference of {name} fails on its own case {case.name!r}") from outcome.error
        expected.append([outcome.value for outcome in outcomes])
        cases.append(with_length(exercise, case, expected[-1]))
    return cases, expected


def with_length(exercise: Exercise, case: Case, expected: list) -> Case:
    """The case with the length of its sums, by which the error of rounding is bounded."""
    length = case.sum_length or max(_sum_length(case), _conditioning(exercise, case, expected))
    return replace(case, sum_length=length)


# A larger change is a jump, at a tie or a kink
LARGEST_CONDITIONING = 10_000


def _conditioning(exercise, case, expected):
    """How many units of rounding a right answer may be off by: those that single precision costs the reference.

    Where sums cancel or a sigmoid saturates, what is left has lost digits, other ones in another order of the operations.
    """
    if case.tolerance is not None or case.relative or exercise.measure is not None or exercise.scales:
        return 1
    rng, errors = np.random.default_rng(0), [1.0]
    for _ in range(3):
        for value, outcome in zip(expected, _rounded_outcomes(exercise, case, rng), strict=True):
            if outcome.error is None:
                errors += _rounding_errors(value, outcome.value)
    units = int(np.ceil(max(error for error in errors if error <= LARGEST_CONDITIONING)))
    return min([units, *map(_half_of_the_digits, _dtypes(expected))])


def _rounded_outcomes(exercise, case, rng):
    """What the reference gives on a case in single precision, each number moved by a unit of rounding."""

    def outcomes(rng):
        inputs = {field: _in_single(getattr(case, field), rng) for field in ("args", "kwargs", "dout", "extra")}
        return run_case(exercise.driver, exercise.functions, replace(case, **inputs), exercise.parts)

    found = outcomes(rng)
    # A probability of 1 must not become larger
    return outcomes(_Down) if any(outcome.error is not None for outcome in found) else found


class _Down:
    """In the place of a generator: every number becomes smaller."""

    @staticmethod
    def choice(signs, shape):
        return np.full(shape, min(signs))


def _half_of_the_digits(dtype):
    """The units of rounding that a right answer may be off by however ill-conditioned a case is; `error_bound` takes 8 of each."""
    eps = float(np.finfo(dtype).eps)
    return int(np.sqrt(eps) / (8 * eps))


def _dtypes(value):
    """The floating-point types among expected values."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return {dtype for x in value for dtype in _dtypes(x)}
    dtype = np.asarray(value).dtype
    return {dtype} if dtype.kind == "f" else set()


def _in_single(value, rng):
    """The value with its floating-point arrays in float32, each entry moved by one unit of rounding, up or down."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return (value * (1 + np.finfo(np.float32).eps * rng.choice([-1, 1], value.shape))).astype(np.float32)
    if isinstance(value, dict):
        return {key: _in_single(x, rng) for key, x in value.items()}
    if type(value) in (tuple, list):
        return type(value)(_in_single(x, rng) for x in value)
    return value


def _rounding_errors(exact, rounded):
    """The largest error of each array, in units of float32 rounding of its largest entry; NaN where one is not finite."""
    if isinstance(exact, dict):
        exact, rounded = list(exact.values()), list(rounded.values())
    if isinstance(exact, tuple | list):
        # A loop that ends at another step gives another number of values: a jump, too
        pairs = zip(exact, rounded, strict=True) if len(exact) == len(rounded) else ()
        return [error for x, y in pairs for error in _rounding_errors(x, y)]
    x = np.asarray(exact)
    if x.dtype.kind != "f" or not x.size:
        return []
    with np.errstate(all="ignore"):
        return [float(np.max(np.abs(rounded - x)) / (np.max(np.abs(x)) * np.finfo(np.float32).eps))]


@registry.kept
@cache
def known_way(name: str, index: int, way: int, seed: int, case_names: tuple[str, ...]) -> Way:
    """What one way of making a known mistake makes of the cases."""
    exercise = get_exercise(name)
    if exercise.released is not None:
        return Way(exercise.mistakes[index], exercise.released.ways[index][way])
    return _way_of(exercise, exercise.mistakes[index], exercise.mistakes[index].ways[way], seed, case_names)


def _way_of(exercise, mistake, functions, seed, case_names):
    seen: list[list[Seen]] = [[] for _ in exercise.parts]
    for case, wanted in zip(*expected_values(exercise.name, seed), strict=True):
        if case.name in case_names:
            outcomes = timed(exercise, functions, case, SECONDS_OF_A_MISTAKE)
            for part, (outcome, value) in enumerate(zip(outcomes, wanted, strict=True)):
                seen[part].append(_seen(exercise, case, outcome, value, is_wrong(exercise, case, outcome, value)))
    return Way(mistake, seen)


def _fitted(exercise, cases, seen, seed, names, mistake, part, number):
    """The ways of a mistake that holds a number, with the one that brings it nearest to the answer's part of a case."""
    case, got = cases[number], seen[part][number].outcome.value
    if exercise.measure is not None:
        got = exercise.measure(got, case)
    made = [
        (
            family,
            fitted(functools.partial(_distance, exercise, family, case, part, got), near=getattr(family, "values", ())),
        )
        for family in mistake.families
    ]
    return [_way_of(exercise, mistake, family(value), seed, names) for family, value in made if value is not None]


def _distance(exercise, family, case, part, got, value):
    outcome = timed(exercise, family(value), case, SECONDS_TO_FIT)[part]
    if outcome.error is not None:
        return np.inf
    made = outcome.value if exercise.measure is None else exercise.measure(outcome.value, case)
    return distance(got, made)


def _is_own(exercise, functions):
    own = [
        exercise.functions,
        *exercise.variant_functions,
        *(way for mistake in exercise.mistakes for way in mistake.ways),
    ]
    return any(len(functions) == len(group) and all(map(lambda a, b: a is b, functions, group)) for group in own)


def _withheld_call(*args, **kwargs):
    from autograder.checks.drivers import Withheld

    raise Withheld


@contextlib.contextmanager
def withheld_functions(functions: Sequence[Callable]) -> Iterator[None]:
    """Within the block the reference functions raise, under whichever name they are known."""
    plain = [function for function in functions if inspect.isfunction(function)]
    before = [(function, function.__code__, function.__defaults__, function.__kwdefaults__) for function in plain]
    try:
        for function in plain:
            function.__code__ = _withheld_call.__code__
        yield
    finally:
        for function, code, defaults, kwdefaults in before:
            function.__code__, function.__defaults__, function.__kwdefaults__ = code, defaults, kwdefaults


ENDLESS = "Your function calls itself without end"
TOO_DEEP = (
    "Your function calls itself, and this case needs more calls inside each other than Python allows (about 1,000). Work through "
    "a loop, with a list of what is still to be done"
)


def _error_text(exercise, outcome):
    error, where = outcome.error, f" ({outcome.where})" if outcome.where else ""
    if isinstance(error, WrongAnswer):
        return str(error)[0].upper() + str(error)[1:] + "."
    if isinstance(error, Withheld):
        return (
            f"Your code calls the course's own version of this function{where}. Write it with NumPy, from the formula."
        )
    if isinstance(error, TooSlow):
        return f"Your code was {error}. Is there an infinite loop?"
    if isinstance(error, RecursionError):
        return f"{ENDLESS}{where}."
    if isinstance(error, NotImplementedError):
        return "This part is not written yet."
    text = str(error).strip()
    if isinstance(error, TypeError) and not outcome.where and _called(text) in (*exercise.function_names, "<lambda>"):
        return f"The call failed: {text}. Keep the given names and order of the arguments."
    if "dtype('int64') to dtype('int32')" in text:
        return f"{text}{where}: in a browser NumPy counts places with 32 bits. Put `.astype(np.intp)` behind the array of places."
    return f"Your code raised {type(error).__name__}: {text}{where}."


def _called(text):
    """The function whose arguments a TypeError is about: "f() missing 1 required positional argument: 'x'"."""
    found = re.match(r"(?:\S+\.)?([\w<>]+)\(\) .*\bargument", text)
    return found[1] if found else ""


def _row(case, part, problem, credit=0.0, scales=()):
    credit = credit if problem else 0.0
    return CaseRow(case.name, part, not problem, case.weight, case.hidden, problem, credit, part in scales)


def _notes(outcomes):
    """What is worth a word without being a mistake: prints and warnings."""
    notes = []
    warned = next((outcome.warned for outcome in outcomes if outcome.warned), "")
    if warned:
        notes.append(f"NumPy warned on the way: {warned}.")
    printed = next((outcome.printed.strip() for outcome in outcomes if outcome.printed.strip()), "")
    if printed:
        notes.append(
            f"Your function prints ({printed.splitlines()[0][:60]!r} …); remove that when you are done looking."
        )
    return "\n".join(notes)


def _sizes(value):
    if isinstance(value, np.ndarray):
        yield value.size
    elif isinstance(value, dict):
        for x in value.values():
            yield from _sizes(x)
    elif isinstance(value, tuple | list):
        for x in value:
            yield from _sizes(x)


def _sum_length(case):
    return max(_sizes((case.args, case.kwargs, case.extra)), default=16)


def _batch(case):
    first = next((x for x in case.args if isinstance(x, np.ndarray) and x.ndim), None)
    return None if first is None else first.shape[0]


def grading_seed(secret: Any = None) -> int:
    """The seed of a course's hidden cases: from its secret, so that no student can compute their answers at home.

    One for the whole class: a wrong answer may pass a case by luck, and the same answer must earn the same points.
    """
    secret = os.environ.get("DLCOURSE_SECRET", "") if secret is None else secret
    return int.from_bytes(hashlib.sha256(secret.encode()).digest()[:8], "big")


def exercise_seed(seed: int, name: str) -> int:
    """The seed of one exercise's cases: nothing that one exercise is sent tells what another one will be."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big")


__all__ = [
    "CaseRow",
    "Difference",
    "Result",
    "Withheld",
    "ask",
    "evaluate",
    "exercise_seed",
    "grading_seed",
    "judge",
    "unusable",
]
