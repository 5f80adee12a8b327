"""Where a wrong answer goes wrong: what is right so far, and the place from which on it is not.

A value that a right answer has, too, is right. The place is found by exchange (angelic debugging; Chandra, Torlak, Barman,
Bodík, "Angelic debugging", ICSE 2011): the first expression of the answer for which another value, one that the solution or
a variant has on its way, makes everything right in every case that is looked at. Only visible cases are looked at.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from . import registry
from .compare import equal
from .evaluation import expected_values, withheld_functions
from .exercise import get_exercise
from .limits import TooSlow, time_limit
from .relations import number
from .threads import one_thread
from .trace import Run, Site, Statement, Traced, Untraceable, of_a_student, plain, plain_defaults, quiet

if TYPE_CHECKING:
    from .drivers import Case
    from .exercise import Exercise

SECONDS = 1.0
# How many cases must agree, where there are so many; values that are tried at once; names that are called right
CASES, AT_ONCE, NAMED = 4, 16, 4
# Values that say nothing: any answer has them
EVERYWHERE = (0.0, 1.0, -1.0, 2.0, 0.5)

Values = list[np.ndarray]


@dataclass(frozen=True)
class Place:
    """What is known about where an answer goes wrong.

    text : the message, "" where nothing is known. line, function : the statement that the message names, or in which an
    error arose; 0 and "" without one.
    """

    text: str = ""
    line: int = 0
    function: str = ""


class Runner(Protocol):
    """Runs the answer, here or in a sandbox; the cases are given by their number."""

    statements: list[Statement]
    sites: list[Site]
    defaults: list[tuple[int, dict[str, Any]]]

    def trace(self, case: int) -> Run: ...

    def exchanged(self, case: int, given: Sequence[dict[int, Values]]) -> list[Run]: ...


class Here:
    """Runs the answer in this process."""

    def __init__(self, exercise: Exercise, functions: Sequence[Callable], cases: Sequence[Case], withhold: bool = True):
        self.driver, self.cases = exercise.driver, cases
        self.withheld = exercise.functions if withhold else ()
        traced = Traced(functions, of_a_student)
        self.traced, self.statements, self.sites = traced, traced.statements, traced.sites
        self.defaults = traced.defaults

    def trace(self, case: int) -> Run:
        with withheld_functions(self.withheld):
            return self.traced.run(self.driver, self.cases[case])

    def exchanged(self, case: int, given: Sequence[dict[int, Values]]) -> list[Run]:
        with withheld_functions(self.withheld):
            return [self.traced.run(self.driver, self.cases[case], one) for one in given]


@one_thread()
def place_of(name: str, functions: Sequence[Callable], seed: int, seconds: float = SECONDS) -> Place:
    """The place in functions of this process; nothing where they have no source or the time is over."""
    exercise = get_exercise(name)
    if exercise.released is not None or exercise.scales:
        return Place()
    known = evidence(name, seed)
    try:
        with quiet(), time_limit(2 * seconds):
            runner = Here(exercise, functions, expected_values(name, seed)[0])
            return find(exercise, runner, known, seed, seconds) or Place()
    except (Untraceable, TooSlow, MemoryError):
        return Place()


def find(
    exercise: Exercise,
    runner: Runner,
    known: Sequence[dict],
    seed: int,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Place | None:
    """What the runner's answer tells about its place; None for one that is right in every visible case.

    known : the `evidence`, for each case.
    """
    cases, expected = expected_values(exercise.name, seed)
    with np.errstate(all="ignore"):
        return _PlaceSearch(exercise, runner, cases, expected, known, seconds, clock).place()


# --- what right answers have on their way ---------------------------------------------------------------------------


@registry.kept
@cache
def evidence(name: str, seed: int, without: tuple = ()) -> list[dict]:
    """For each case {key: values} of the solution and the variants; nothing for hidden cases.

    without : right answers that do not count, for the audit. A key is the same in every case.
    """
    exercise = get_exercise(name)
    cases, expected = expected_values(name, seed)
    found: list[dict] = [{} for _ in cases]
    for functions in answers(exercise):
        if functions not in without:
            for values, more in zip(found, _values_of(name, seed, functions), strict=True):
                values |= more
    for case, values, wanted in zip(cases, found, expected, strict=True):
        if not case.hidden:
            values |= _expected(wanted)
    return _each_once(found)


def answers(exercise: Exercise) -> list[tuple]:
    """The right answers of an exercise: the solution, the reference and the variants, each once."""
    return list(dict.fromkeys([exercise.solutions, exercise.functions, *exercise.variant_functions]))


@registry.kept
@cache
def _values_of(name, seed, functions):
    """For each case {(function, site): values} of one right answer."""
    exercise = get_exercise(name)
    cases, _ = expected_values(name, seed)
    found: list[dict] = [{} for _ in cases]
    with quiet(), contextlib.suppress(Untraceable):
        traced = Traced(functions, _of_the_course)
        for case, values in zip(cases, found, strict=True):
            if not case.hidden:
                with contextlib.suppress(Untraceable):
                    events = traced.run(exercise.driver, case).events
                    values |= {(functions[0], site): made for site, made in _by_site(events).items()}
    return found


def _of_the_course(function):
    ours = function.__module__.startswith("dlcourse.") or registry.holds_exercises(function.__module__)
    return ours and not function.__name__.startswith(("check_", "array_namespace", "as_floating"))


def _by_site(events):
    found: dict[int, Values] = {}
    for site, value in events:
        found.setdefault(site, []).append(value)
    return found


def _arrays(value, path=()) -> Iterator[tuple]:
    """(path, array) of a value and of all that it holds."""
    array = plain(value)
    if array is not None:
        yield path, array
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, tuple | list) else ()
    for key, part in items:
        yield from _arrays(part, (*path, key))


def _expected(wanted):
    """{key: values} of what is returned; what is returned step by step also as the values of all steps, in order."""
    found = {("expected", *path): [value] for path, value in _arrays(wanted)}
    steps: dict[tuple, Values] = {}
    for path, (value,) in found.items():
        steps.setdefault(
            tuple(re.sub(r"\d+$", "", str(part)) for part in path if not isinstance(part, int)), []
        ).append(value)
    return found | {("steps", *path): values for path, values in steps.items() if len(values) > 1}


def _each_once(found):
    """Without keys whose values another key has in every case."""
    seen: dict[tuple, Any] = {}
    for key in dict.fromkeys(key for values in found for key in values):
        said = tuple(
            (tuple(value.shape for value in values.get(key, ())), _rounded(values.get(key, ()))) for values in found
        )
        seen.setdefault(said, key)
    kept = set(seen.values())
    return [{key: made for key, made in values.items() if key in kept} for values in found]


# --- one array in the place of another ------------------------------------------------------------------------------


def fits(values: Values, own: Values) -> Iterator[tuple[Any, Values]]:
    """(how, arrays of the shapes of `own`) for each way to put a right answer's values in the place of an answer's own.

    A value for each pass of a loop fits one array that holds them all along an axis, and the reverse.
    """
    many, shape = len(own), own[0].shape
    if len({value.shape for value in (*values, *own)}) == 1 and len(values) == many:
        yield "same", values
        if many > 1:
            yield "reversed", values[::-1]
        if len(shape) == 2 and shape[0] == shape[1] > 1:
            yield "transposed", [value.T for value in values]
        return
    if len({value.shape for value in own}) > 1 or len({value.shape for value in values}) > 1:
        if [value.shape for value in values] == [value.shape for value in own]:
            yield "same", values
        return
    inner, size = values[0].shape, many * own[0].size
    if len(values) * values[0].size == size:
        if len(values) == many:
            if len(shape) == 2 and inner == shape[::-1]:
                yield "transposed", [value.T for value in values]
            else:
                yield "reshaped", [value.reshape(shape) for value in values]
        else:
            yield from _along_axes(values, many, shape)
    if many == 1 and len(values) > 1 and inner == shape:
        yield "last", values[-1:]


def other_shapes(values: Values, own: Values) -> Iterator[tuple[Any, Values]]:
    """As `fits`, for values of another shape than the answer's own."""
    if len(values) == len(own) and any(a.shape != b.shape for a, b in zip(values, own, strict=True)):
        yield "other", values


def opposite(values: Values, own: Values) -> Iterator[tuple[Any, Values]]:
    """Of a condition."""
    if all(value.shape == () for value in own):
        yield "opposite", [~value for value in own]


def _as(values: Values, own: Values, how: Any) -> list[Values]:
    """The values made fit in the same way; in each way, where the case's sizes leave another one only."""
    if how == "opposite":
        return [made for _, made in opposite(values, own)]
    if how == "other":
        return [values]
    ways = dict(fits(values, own))
    return [ways[how]] if how in ways else list(ways.values())


def _along_axes(values, many, shape):
    core = values[0] if len(values) == 1 else np.array(values)
    for axis in range(core.ndim):
        for backwards in (False, True):
            whole = core if not backwards else np.flip(core, axis if len(values) == 1 else 0)
            moved = np.moveaxis(whole, axis, 0) if len(values) == 1 else np.moveaxis(whole, 0, axis)
            if many == 1:
                yield (axis, backwards), [moved.reshape(shape)]
            else:
                yield (axis, backwards), list(moved.reshape(many, *shape))


def _close(a: np.ndarray, b: np.ndarray) -> bool:
    if a.shape != b.shape:
        return False
    if a.dtype.kind in "iub" and b.dtype.kind in "iub":
        return bool(np.array_equal(a, b))
    x, y = a.astype(float), b.astype(float)
    digits = 1e-5 if np.float32 in (a.dtype, b.dtype) else 1e-9
    scale = np.abs(y).max()
    if np.isfinite(scale):
        return bool(np.abs(x - y).max() <= digits * scale)
    return bool(np.allclose(x, y, rtol=digits, atol=0.0, equal_nan=True))


def _far(got: Any, wanted: Any) -> bool:
    """Whether numbers are surely not equal: a quick look before the comparison that counts."""
    if isinstance(wanted, tuple | list) and isinstance(got, tuple | list) and len(got) == len(wanted):
        return any(map(_far, got, wanted))
    if isinstance(wanted, dict) and isinstance(got, dict):
        return any(_far(got[key], wanted[key]) for key in wanted if key in got)
    if not isinstance(got, np.ndarray) or not isinstance(wanted, np.ndarray) or got.shape != wanted.shape:
        return False
    if got.dtype.kind not in "fiu" or wanted.dtype.kind != "f" or not got.size:
        return False
    return bool(np.abs(got - wanted).max() > 0.01 * np.abs(wanted).max())


def _all_close(some: Values, others: Values) -> bool:
    return len(some) == len(others) and all(map(_close, some, others))


def _says_nothing(value: np.ndarray) -> bool:
    """Whether any answer may have this value: a size, a count, the numbers from 0 on, zeros."""
    if value.dtype.kind in "iu" and value.size == 1:
        return True
    if value.dtype.kind in "iu" and np.array_equal(value.ravel(), np.arange(value.size)):
        return True
    first = value.flat[0]
    return bool((value == first).all()) and float(first) in EVERYWHERE


def _counts(value: np.ndarray) -> bool:
    """Whether a value is a few whole numbers, as axes and shapes are."""
    return value.dtype.kind in "iu" and value.size <= 4


def _is_one_of(value: np.ndarray, arrays: Sequence[np.ndarray]) -> bool:
    return any(_close(value, array) for array in arrays)


# --- the search -----------------------------------------------------------------------------------------------------


class _PlaceSearch:
    def __init__(self, exercise, runner, cases, expected, known, seconds, clock):
        self.exercise, self.runner, self.clock, self.deadline = exercise, runner, clock, clock() + seconds
        self.cases, self.expected, self.known = cases, expected, known
        visible = [i for i, case in enumerate(cases) if not case.hidden]
        self.runs = {i: runner.trace(i) for i in visible}
        self.wrong = [i for i in visible if not self._right(i, self.runs[i])]
        double = [i for i in self.wrong if "float32" not in cases[i].name] or self.wrong
        # An error shows its line; a number that is wrong does not
        ended = [i for i in double if self.runs[i].error is None]
        first = double if double and self.runs[double[0]].line else ended or double
        self.look = []
        if first:
            others = [i for i in (*first, *visible) if "float32" not in cases[i].name]
            self.look = list(dict.fromkeys([first[0], *others]))[:CASES]
            self.own = {i: self._values(self.runs[i]) for i in self.look}

    def place(self):
        if not self.look:
            return None
        default = self._default()
        if default is not None:
            return default
        first = self.runs[self.look[0]]
        self.order = list(dict.fromkeys(site for site, _ in first.events))
        self.norms = {key: _norm(values) for key, values in self.known[self.look[0]].items()}
        self.kinds: dict[int, str] = {}
        self.first: dict[tuple, int] = {}
        for site in self.order:
            if self.clock() > self.deadline:
                return Place()
            self.kinds[site] = self._kind(site)
        if first.error is not None and first.line:
            statement = self._statement_at(first.line)
            # An error may come long after what is wrong
            if statement is None or len(self._suspects(self.runner.statements.index(statement))) > 1:
                return Place(self._right_so_far())
            return Place(self._right_so_far(), statement.line, statement.function)
        found = self._exchange()
        if found is None:
            return Place(self._right_so_far())
        site, theirs = found
        number = self._made_by(site, theirs)
        if number is None or self._may_be_earlier(site, number) or self._may_be_later(site, theirs, number):
            return Place(self._right_so_far())
        statement = self.runner.statements[number]
        text = f"{self._right_so_far(number)} Look at {self._line(statement)}{self._what(site, theirs)}"
        return Place(text.strip(), statement.line, statement.function)

    def _may_be_later(self, site, theirs, number):
        """Whether a sign or factor may as well be lost at a later product, up to the value that is returned."""
        i, sites = self.look[0], self.runner.sites
        lost = abs(_ratio(self.own[i][site], theirs))
        if not lost:
            return False
        # The returned value itself, unless something is still made of it
        here = [x for other in self.order if sites[other].statement == number for x in self.own[i][other]]
        if self._is_used(number):
            here = []
        for value, right in zip(self.runs[i].values, self.expected[i], strict=False):
            wanted = dict(_arrays(right))
            for path, got in _arrays(value):
                if path not in wanted or _close(got, wanted[path]) or _is_one_of(got, here):
                    continue
                ratio = abs(_ratio([got], [wanted[path]]))
                # Two numbers always have some ratio
                if ratio and (got.size > 1 or abs(ratio - lost) <= 1e-6 * lost):
                    return True
        return False

    def _may_be_earlier(self, site, number):
        """Whether a statement before it may as well be wrong, other than one whose value it is the first to use."""
        suspects = self._suspects(number)
        if len(suspects) > 1 or any(self._copies(one) and not self._uses_first(number, one) for one in suspects):
            return True
        if any(one < number and self._function(one) == self._function(number) for one in self._unread()):
            return False
        return any(self._exchange_at(operand, fits) is not None for operand in self._operands(site, number))

    def _suspects(self, number):
        """The statements with unknown values, or values that they only copy, that a statement's own come from."""
        found: set[int] = set()
        todo = [number]
        while todo:
            for other in self._sources(todo.pop()) - found - {number}:
                found.add(other)
                todo.append(other)
        sites = self.runner.sites
        made = {
            sites[site].statement
            for site in self.order
            if sites[site].role != "name" and self.kinds[site] in ("unknown", "count")
        }
        return {one for one in found if one in made or self._copies(one)}

    def _sources(self, number):
        """The statements from which a statement has the values that it reads, unless right answers have them."""
        sites = self.runner.sites
        found = set()
        for site in self.order:
            one = sites[site]
            if one.statement != number or one.role != "name":
                continue
            setters = self._setters(site)
            if self.kinds[site] in ("unknown", "count"):
                # Through a cache, an argument or what a helper returns
                found |= {*setters, sites[self._first_with(site)].statement}
            else:
                found |= {other for other in setters if self._copies(other)}
        return found

    def _first_with(self, site):
        """The first site with a site's values."""
        if not self.first:
            for other in self.order:
                self.first.setdefault(_rounded(self.own[self.look[0]][other]), other)
        return self.first[_rounded(self.own[self.look[0]][site])]

    def _setters(self, site):
        """The statements that ran and set the variable that is read at a site."""
        sites, statements = self.runner.sites, self.runner.statements
        name, function = sites[site].name, statements[sites[site].statement].function
        ran = {sites[other].statement for other in self.order}
        return {one for one in ran if name in statements[one].names and statements[one].function == function}

    def _copies(self, number):
        """Whether a statement gives a value that it reads another name, and nothing else."""
        sites, statements = self.runner.sites, self.runner.statements
        if statements[number].kind != "Assign":
            return False
        here = [site for site in self.order if sites[site].statement == number and sites[site].role != "after"]
        read = [
            site for site in here if sites[site].role == "name" and sites[site].name not in statements[number].names
        ]
        made = [site for site in here if sites[site].role == "value" and sites[site].name]
        if not made:
            return len(read) == len(here) == len(statements[number].names)
        return any(self._equal_everywhere(one, other) for one in made for other in read)

    def _equal_everywhere(self, one, other):
        return all(_all_close(own[one], own[other]) for own in self.own.values() if own.get(one) and own.get(other))

    def _is_used(self, number):
        """Whether what a statement sets is read by another one that does not return it."""
        statements = self.runner.statements
        return any(
            one.role == "name"
            and one.name in statements[number].names
            and statements[one.statement].function == statements[number].function
            and one.statement > number
            and statements[one.statement].kind != "Return"
            for one in self.runner.sites
        )

    def _uses_first(self, number, maker):
        """Whether a statement is the first to read what another one sets."""
        sites, names = self.runner.sites, self.runner.statements[maker].names
        function = self.runner.statements[maker].function
        reads = (
            sites[site].statement
            for site in self.order
            if sites[site].role == "name"
            and sites[site].name in names
            and sites[site].statement > maker
            and self.runner.statements[sites[site].statement].function == function
        )
        return next(reads, number) == number

    def _operands(self, site, number):
        """The variables that the expression at a site reads, and whose values were made some time before."""
        sites = self.runner.sites
        for operand in range(sites[site].first, site):
            if sites[operand].role != "name" or self.kinds.get(operand, "unknown") == "unknown":
                continue
            makers = self._setters(operand) - {number}
            if makers:
                before = not all(self._uses_first(number, one) and not self._unpacks(one) for one in makers)
            else:
                # An argument, of which another function has made the value
                before = self._function(sites[self._first_with(operand)].statement) != self._function(number)
            if before:
                yield operand

    def _unpacks(self, number):
        """Whether a statement takes a cache or another tuple apart."""
        sites, names = self.runner.sites, self.runner.statements[number].names
        return len(names) > sum(one.statement == number for one in sites)

    def _function(self, number):
        return self.runner.statements[number].function

    def _values(self, run):
        """{site: its values}; of what is changed in place the last one, when it is complete."""
        sites = self.runner.sites
        return {site: made[-1:] if sites[site].role == "after" else made for site, made in _by_site(run.events).items()}

    def _given(self, i, site, made):
        """The exchange of a site's last values: of all of them, where there are as many."""
        passes = sum(one == site for one, _ in self.runs[i].events)
        return {site: [*[None] * (passes - len(made)), *made]}

    def _default(self):
        """The place of a default value that is not the given one, or None."""
        functions = self.exercise.functions
        for function, (line, own) in zip(functions, self.runner.defaults, strict=True):
            given = plain_defaults(function)
            for name, value in own.items():
                if name in given and value != given[name]:
                    where = f"line {line}" + (f" of {function.__name__}" if len(functions) > 1 else "")
                    text = f"Look at {where}: the default of `{name}` is {value!r}; the exercise gives {given[name]!r}."
                    return Place(text, line, function.__name__)
        return None

    # --- whether a run is right ---

    def _right(self, i, run):
        if run.error is not None or len(run.values) != len(self.expected[i]):
            return False
        return all(self._equal(i, got, wanted) for got, wanted in zip(run.values, self.expected[i], strict=True))

    def _equal(self, i, got, wanted):
        case = self.cases[i]
        if _far(got, wanted) and self.exercise.measure is None:
            return False
        try:
            if self.exercise.measure is not None:
                got, wanted = self.exercise.measure(got, case), self.exercise.measure(wanted, case)
            return equal(got, wanted, case.sum_length, case.tolerance, case.relative)
        except Exception:
            return False

    # --- what is known of the answer's own values ---

    def _kind(self, site):
        """ "right", "turned" (transposed or in the reverse order), "nothing" (any answer has it), "count" (as "nothing", of a
        number that no right answer has) or "unknown".
        """
        nothing = all(_says_nothing(value) for i in self.look for value in self.own[i].get(site, ()))
        i = self.look[0]
        own = self.own[i][site]
        if nothing and not self._is_number(site):
            return "nothing"
        size, norm = _norm(own)
        for key, theirs in self.known[i].items():
            their_size, their_norm = self.norms[key]
            same_size = their_size == size and not abs(their_norm - norm) > 1e-5 * norm
            if same_size or (len(own) == 1 < len(theirs) and theirs[-1].shape == own[0].shape):
                for how, made in fits(theirs, own):
                    if _all_close(own, made) and self._also_elsewhere(site, key, how):
                        return "nothing" if nothing else "turned" if how in ("transposed", "reversed") else "right"
        return "count" if nothing else "unknown"

    def _also_elsewhere(self, site, key, how):
        for i in self.look[1:]:
            own, theirs = self.own[i].get(site), self.known[i].get(key)
            if own is None:
                continue
            if theirs is None or not any(_all_close(own, made) for made in _as(theirs, own, how)):
                return False
        return True

    # --- the exchange ---

    def _exchange(self):
        """(site, the values that belong there in the first case) of the place, or None."""
        for sites, fitted in self._passes():
            for site in sites:
                found = self._exchange_at(site, fitted)
                if found is not None:
                    return site, found
                if self.clock() > self.deadline:
                    return None
        return None

    def _passes(self):
        """Sites in the order in which they are looked at, and how values are made fit.

        First those whose own value no right answer has while all that they are made of is right, then others like them;
        then values that are right, but may stand in the wrong place.
        """
        sites, kinds = self.runner.sites, self.kinds
        known = {site for site in self.order if kinds[site] != "unknown"}
        may = [site for site in self.order if sites[site].exchangeable]
        unknown = [site for site in may if kinds[site] == "unknown"]
        made = [site for site in unknown if sites[site].role != "name"]
        edge = [site for site in made if all(part in known for part in range(sites[site].first, site) if part in kinds)]
        right = [site for site in may if kinds[site] in ("right", "turned")]
        nothing = [site for site in may if kinds[site] in ("nothing", "count")]
        yield edge, fits
        yield [site for site in nothing if sites[site].name and self._is_number(site)], fits
        yield edge, other_shapes
        yield [site for site in unknown if site not in edge], fits
        # The last right value is the first that stands where it does not belong
        yield right[::-1], fits
        yield [site for site in nothing[::-1] if sites[site].role == "after" or self._is_returned(site)], fits
        yield [site for site in may if self._is_returned(site)], other_shapes
        yield [site for site in nothing if self._is_condition(site)], opposite

    def _is_number(self, site):
        return all(value.dtype.kind in "iu" and value.size == 1 for value in self.own[self.look[0]][site])

    def _is_returned(self, site):
        return self.runner.statements[self.runner.sites[site].statement].kind == "Return"

    def _is_condition(self, site):
        one = self.runner.statements[self.runner.sites[site].statement]
        return one.kind in ("If", "While") and all(value.dtype == bool for value in self.own[self.look[0]][site])

    def _exchange_at(self, site, fitted):
        i = self.look[0]
        own = self.own[i][site]
        # Values that are the same here may differ in another case
        tried: dict[tuple, tuple[Values, list]] = {}
        for key, theirs in self.known[i].items() if fitted is not opposite else [((), own)]:
            for how, made in fitted(theirs, own):
                tried.setdefault(_rounded(made), (made, []))[1].append((key, how))
        tried.pop(_rounded(own), None)
        given = list(tried.values())
        for start in range(0, len(given), AT_ONCE):
            if self.clock() > self.deadline:
                return None
            some = given[start : start + AT_ONCE]
            runs = self.runner.exchanged(i, [self._given(i, site, made) for made, _ in some])
            for (made, ways), run in zip(some, runs, strict=True):
                plausible = self._right(i, run) and self._may_be(site, made)
                if plausible and any(self._right_elsewhere(site, *way) for way in ways):
                    return made
        return None

    def _may_be(self, site, theirs):
        """Whether a wrong value may be all that is wrong, by what else is known of it and of what follows."""
        own = self.own[self.look[0]][site]
        if self.kinds[site] == "unknown" and not _ratio(own, theirs) and self._is_multiple(site):
            return False
        sites, statements = self.runner.sites, self.runner.statements
        one = sites[site].statement
        # What is computed after it, and read nowhere, was meant to be used
        return not any(
            statements[other].function == statements[one].function
            and (other > one or [value.shape for value in own] != [value.shape for value in theirs])
            for other in self._unread()
        )

    def _is_multiple(self, site):
        """Whether right answers have the value of a site with another sign or factor."""
        return any(
            all(
                key in self.known[i] and _factor(self.own[i][site], self.known[i][key])
                for i in self.look
                if self.own[i].get(site)
            )
            for key in self.known[self.look[0]]
        )

    def _unread(self):
        """The statements that ran and set one variable that is read nowhere."""
        sites, statements = self.runner.sites, self.runner.statements
        read = {(statements[one.statement].function, one.name) for one in sites if one.role == "name"}
        ran = {sites[site].statement for site in self.order}
        return [
            number
            for number in ran
            if statements[number].kind == "Assign"
            and len(statements[number].names) == 1
            and not statements[number].names[0].startswith("_")
            and (statements[number].function, statements[number].names[0]) not in read
        ]

    def _right_elsewhere(self, site, key, how):
        """Whether the exchange makes the other cases right, too, and leaves right those that are."""
        for i in self.look[1:]:
            own, theirs = self.own[i].get(site), self.known[i].get(key)
            if own is not None and how == "opposite":
                theirs = own
            if own is None and i not in self.wrong:
                continue
            if own is None or theirs is None:
                return False
            made = _as(theirs, own, how)
            if i not in self.wrong and any(_all_close(own, one) for one in made):
                continue
            if not any(self._right(i, run) for run in self._runs(i, site, made)):
                return False
        return True

    def _runs(self, i, site, made):
        return self.runner.exchanged(i, [self._given(i, site, one) for one in made])

    def _made_by(self, site, theirs):
        """The statement to look at: where a variable that is returned has a wrong value, the last one that has set it.

        None where that one did not run.
        """
        sites, statements = self.runner.sites, self.runner.statements
        one, i = sites[site], self.look[0]
        here, unknown = one.statement, self.kinds[site] in ("unknown", "turned")
        if one.role != "name" or statements[here].kind != "Return":
            return here
        ran, setters = (
            self._setters(site),
            {
                number
                for number, other in enumerate(statements)
                if one.name in other.names and other.function == statements[here].function
            },
        )
        if ran and max(setters) > max(ran):
            return None
        for other in reversed(self.order[: self.order.index(site)]):
            there = sites[other].statement
            if statements[there].function != statements[here].function or one.name not in statements[there].names:
                continue
            if statements[there].kind == "Expr":
                return there if unknown else here
            if sites[other].name == one.name and sites[other].role in ("value", "after"):
                # A right value is in the wrong place; one of each pass of a loop may lack the others
                given = self._given(i, other, theirs)
                if not unknown and len(given[other]) == 1:
                    return here
                return there if self._right(i, self.runner.exchanged(i, [given])[0]) else here
        return here

    # --- words ---

    def _statement_at(self, line):
        inside = [one for one in self.runner.statements if one.line <= line <= one.end]
        return min(inside, key=lambda one: one.end - one.line, default=None)

    def _line(self, statement):
        return f"line {statement.line}{self._of(statement)}"

    def _of(self, statement):
        several = len({one.function for one in self.runner.statements}) > 1
        return f" of {statement.function}" if several else ""

    def _right_so_far(self, before=None):
        """ "Right so far: mean (line 3), var (line 4)." """
        statements, sites = self.runner.statements, self.runner.sites
        inputs = [array for _, array in _arrays(self._inputs())]
        found: dict[tuple[str, str], int] = {}
        for site in self.order:
            one = sites[site]
            if one.statement == before:
                break
            if one.name and one.role != "name":
                variable = statements[one.statement].function, one.name
                values = self.own[self.look[0]][site]
                found.pop(variable, None)
                right = self.kinds[site] == "right"
                if right and not any(_counts(x) or _is_one_of(x, inputs) for x in values):
                    found[variable] = one.statement
        if not found:
            return ""
        # Those of the function that the place is in, else those of the last one that has some
        wanted = statements[max(found.values()) if before is None else before].function
        if all(function != wanted for function, _ in found):
            wanted = statements[max(found.values())].function
        names = [
            f"{name} (line {statements[number].line})"
            for (function, name), number in found.items()
            if function == wanted
        ]
        head = "A right answer has these values, too" if before is None else "Right so far"
        several = len({one.function for one in statements}) > 1
        return f"{head}{f', in {wanted}' if several else ''}: {', '.join(names[-NAMED:])}."

    def _inputs(self):
        case = self.cases[self.look[0]]
        return case.args, case.kwargs, case.dout, case.extra

    def _what(self, site, theirs):
        one = self.runner.sites[site]
        whole = one.name or one.text
        what = f"`{whole}`" if 0 < len(whole) <= 40 else "a value there"
        return f": {what} {_relation(self.own[self.look[0]][site], theirs)}."


def _rounded(values):
    """A key that is the same for values that differ by rounding only, nearly always."""
    # What stands in an array before anything is written into it may be as large as a number can be
    with np.errstate(all="ignore"):
        return tuple(np.round(value.astype(float), 9).tobytes() for value in values)


def _norm(values):
    """(how many entries, the root of the sum of their squares)."""
    return sum(value.size for value in values), float(
        np.sqrt(sum(np.sum(np.square(value.astype(float), where=np.isfinite(value))) for value in values))
    )


def _relation(own: Values, theirs: Values) -> str:
    """How the values differ from those that belong there, in words."""
    if all(a.ndim == 2 and a.size > 1 and _close(a.T, b) for a, b in zip(own, theirs, strict=True)):
        return "is transposed"
    if [value.shape for value in own] != [value.shape for value in theirs]:
        return "has another shape than it should have"
    wrong = [number for number, (a, b) in enumerate(zip(own, theirs, strict=True)) if not _close(a, b)]
    if wrong and wrong[0] > 0:
        return "is right in the first pass of the loop, and not in every later one"
    ratio, many = _ratio(own, theirs), sum(value.size for value in own) > 1
    if abs(ratio + 1.0) < 1e-6:
        return "has the wrong sign"
    if abs(ratio - 2.0) < 1e-6:
        return "is twice what it should be"
    if abs(ratio - 0.5) < 1e-6:
        return "is half of what it should be"
    if ratio > 0 and many:
        return f"is {number(ratio)} times what it should be"
    return "is not what it should be"


def _factor(own: Values, theirs: Values) -> float:
    """As `_ratio`, where a factor says something: two numbers always have one, so of them only the sign does."""
    ratio = _ratio(own, theirs)
    return ratio if sum(value.size for value in own) > 2 or abs(ratio + 1) < 1e-9 else 0.0


def _ratio(own: Values, theirs: Values) -> float:
    """The factor r with own = r · theirs, 0 where there is none."""
    if [value.shape for value in own] != [value.shape for value in theirs]:
        return 0.0
    a, b = (np.concatenate([value.ravel().astype(float) for value in values]) for values in (own, theirs))
    ratio = float(a @ b / (b @ b)) if b.any() else 0.0
    return ratio if np.isfinite(ratio) and _close(a, ratio * b) else 0.0
