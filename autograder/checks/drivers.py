"""How an answer is called: the only part of the checks that runs beside a student's code.

A driver takes the student's functions (or variables) and one case, and yields ``(part, value)`` for each part of the answer that is
judged by itself; a third value names what the part has changed that is not among the case's inputs. What is expected is
not known here: the judge runs the same driver over the reference elsewhere.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import importlib
import inspect
import io
import linecache
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .limits import TooSlow as TooSlow
from .limits import installed
from .limits import time_limit as time_limit

PRINTED = 100_000


@dataclass(frozen=True)
class Case:
    """One call that tells right from wrong.

    name : what is special about it, in a few words ("one example", "logits of ±1000").
    args, kwargs : the call's arguments: arrays, numbers, strings, None, and nested tuples, lists and dicts of them; `Rng`
        and `Named` stand for what is not data.
    dout : for a pair, the upstream gradient that the backward function gets.
    extra : what a driver of the exercise's own needs besides; with "order": "F" every array lies in memory column by column.
    weight : its share in the score.
    hidden : kept for grading; the student sees its name only.
    sum_length : the longest sum behind one entry of the answer, for the bound of its rounding error (None: the
        largest input).
    tolerance : relative error allowed instead of that bound (for measured statistics).
    relative : each entry is compared with its own size, not with the largest entry of its array (tails).
    held : what a `Scale` needs and the answer never sees: held-out examples, labels. It does not go beside student code.
    ask : a function and what it knows, in a tuple, for an answer that may ask questions: it is called where the answer is
        judged, with the number of questions before, what it knows and the question; what it knows does not go beside
        student code.
        A driver finds in `ask` what asks, see `with_questions`.
    """

    name: str
    args: tuple = ()
    kwargs: dict = field(default_factory=dict)
    dout: Any = None
    extra: dict = field(default_factory=dict)
    weight: float = 1.0
    hidden: bool = False
    sum_length: int | None = None
    tolerance: float | None = None
    relative: bool = False
    held: Any = None
    ask: Any = None


@dataclass(frozen=True)
class Rng:
    """Stands for ``numpy.random.default_rng(seed)`` among a case's arguments."""

    seed: int


@dataclass(frozen=True)
class Named:
    """Stands for a function or class of the course, "module.name", among a case's arguments."""

    name: str


@dataclass
class Outcome:
    """What came of one part: a value, or the error that stopped it; and what happened on the way.

    where, operation : the answer's own line that an error came from, and what stood there: "@", "[]", "reshape()".
    changed : names of the inputs that this part has changed. rounded : those differ by no more than rounding.
    """

    part: str
    value: Any = None
    error: BaseException | None = None
    where: str = ""
    operation: str = ""
    changed: tuple = ()
    rounded: bool = False
    printed: str = ""
    warned: str = ""


class Withheld(Exception):
    """The answer called the very function that it is asked to write."""


def plain(functions: Sequence[Callable], case: Case) -> Iterator[tuple]:
    """One function, called once."""
    (function,) = functions
    yield "", function(*case.args, **case.kwargs)


def pair(functions: Sequence[Callable], case: Case) -> Iterator[tuple]:
    """A forward and its backward: the backward gets the answer's own cache."""
    forward, backward = functions
    result = forward(*case.args, **case.kwargs)
    if not isinstance(result, tuple) or len(result) < 2:
        raise WrongAnswer(
            f"the forward function returns the output and the cache, `out, cache`; yours returned {kind(result)}"
        )
    *out, cache = result
    yield "forward", out[0] if len(out) == 1 else tuple(out)
    yield "backward", backward(case.dout, cache)


def pair_of_many(functions: Sequence[Callable], case: Case) -> Iterator[tuple]:
    """As `pair`, for a backward with several upstream gradients: `case.dout` is a tuple of them, `case.extra` its options."""
    forward, backward = functions
    return pair((forward, lambda dout, cache: backward(*dout, cache, **case.extra)), case)


def steps(functions: Sequence[Callable], case: Case) -> Iterator[tuple]:
    """An optimizer: `case.extra` has init, the name of the course's function that makes the state, and the gradients.

    Yields the weights and the state after every step, by name; the state that a step returns goes into the next one. With
    them the parts of a given state that the step has changed: it belongs to the caller, like any other input.
    """
    (step,) = functions
    w = case.args[0]
    state = resolve(Named(case.extra["init"]))(w)
    kept, fields = type(state).__name__, state._fields
    trail: dict[str, Any] = {}
    changed: dict[str, None] = {}
    for number, dw in enumerate(case.extra["gradients"], 1):
        before = frozen(tuple(state))
        result = step(w, dw, state, **case.kwargs)
        if not isinstance(result, tuple) or len(result) != 2 or type(result).__name__ == kept:
            raise WrongAnswer(f"a step returns `w, state`; yours returned {kind(result)}")
        after = zip(fields, before, state, strict=True)
        changed |= {f"state.{name}": None for name, old, new in after if not _same(old, frozen(new))}
        w, state = result
        if not isinstance(state, tuple) or len(state) != len(fields):
            wanted = f"{kept}({', '.join(fields)})"
            raise WrongAnswer(f"the second value that a step returns is the state, {wanted}; yours is {kind(state)}")
        trail[f"w after step {number}"] = frozen(w)
        trail |= {f"{name} after step {number}": frozen(x) for name, x in zip(fields, state, strict=True)}
    yield "", trail, tuple(changed)


def data(answers: Sequence, case: Case) -> Iterator[tuple]:
    """A variable that the answer assigns: its value, and nothing of the answer is called."""
    yield "", answers[0]


def fit_and_predict(functions: Sequence[Callable], case: Case) -> Iterator[tuple]:
    """A project of two functions: what the first has learnt, and what the second makes of it for each of `case.extra["inputs"]`."""
    fit, predict = functions
    learnt = fit(*case.args, **case.kwargs)
    yield "", [predict(learnt, X) for X in case.extra["inputs"]]


def with_questions(functions: Sequence[Callable], case: Case) -> Iterator[tuple]:
    """One function whose first argument is a function, too: what it is asked is answered by `case.ask`."""
    (function,) = functions
    yield "", function(case.ask, *case.args, **case.kwargs)


def each_value(functions: Sequence[Callable], case: Case) -> Iterator[tuple]:
    """One function that returns several values, which are judged one by one: `case.extra` has the names of the "parts"."""
    (function,) = functions
    value, names = function(*case.args, **case.kwargs), case.extra["parts"]
    if not isinstance(value, tuple) or len(value) != len(names):
        raise WrongAnswer(f"the function returns {len(names)} values, {', '.join(names)}; yours returned {kind(value)}")
    yield from zip(names, value, strict=True)


def mended(functions: Sequence[Callable], case: Case) -> Iterator[tuple]:
    """A repair: `case.extra` says by "which" of the mended functions is called, and "outputs" {name: place} which of its values
    count.

    Of the last function, `places`, it says by "bug" (function, number) which line number is asked; without it, how many
    there are for each function.
    """
    *mended, places = functions
    which = case.extra["which"]
    if which < len(mended):
        value = mended[which](*case.args)
        outputs = case.extra.get("outputs")
        if outputs and not (isinstance(value, tuple) and len(value) > max(outputs.values())):
            raise WrongAnswer(
                f"the function returns several values, as you were given it; yours returned {kind(value)}"
            )
        if outputs:
            value = {name: value[place] for name, place in outputs.items()}
        yield "", next(iter(value.values())) if outputs and len(outputs) == 1 else value
        return
    lists = places()
    wanted = case.extra["counts"]
    if not isinstance(lists, tuple | list) or len(lists) != len(wanted):
        raise WrongAnswer(f"`places` returns {len(wanted)} lists of line numbers; yours returned {kind(lists)}")
    for given, count in zip(lists, wanted, strict=True):
        if not isinstance(given, tuple | list) or any(type(number) is not int for number in given):
            raise WrongAnswer(f"`places` returns lists of line numbers, such as [3]; one of yours is {kind(given)}")
        if len(set(given)) != count:
            raise WrongAnswer(
                f"`places` returns lists of {' and '.join(map(str, wanted))} different line numbers; one of yours has {len(given)}"
            )
    bug = case.extra.get("bug")
    yield "", [len(given) for given in lists] if bug is None else sorted(lists[bug[0]])[bug[1]]


class WrongAnswer(Exception):
    """An answer that cannot be used any further, with the reason in the student's words."""


def kind(value: Any) -> str:
    """What a value is, in a few words."""
    if value is None:
        return "None (is a `return` missing?)"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    return f"{'an' if type(value).__name__[0].lower() in 'aeiou' else 'a'} {type(value).__name__}"


def resolve(value: Any, order: Any = "C") -> Any:
    """A case's argument as the call gets it: fresh copies of arrays in this order, `Rng` and `Named` as what they stand for."""
    if isinstance(value, np.ndarray):
        return value.copy(order)
    if isinstance(value, Rng):
        return np.random.default_rng(value.seed)
    if isinstance(value, Named):
        module, name = value.name.rsplit(".", 1)
        return getattr(importlib.import_module(f"dlcourse.{module}"), name)
    if isinstance(value, dict):
        return {key: resolve(x, order) for key, x in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(resolve(x, order) for x in value))
    if isinstance(value, tuple | list):
        return type(value)(resolve(x, order) for x in value)
    return value


def ready(case: Case) -> Case:
    """The case as a call gets it: `resolve` of all that it holds."""
    order = case.extra.get("order", "C")
    parts = (resolve(part, order) for part in (case.args, case.kwargs, case.dout, case.extra))
    ask = Questions(*case.ask).ask if isinstance(case.ask, tuple) else case.ask
    return replace(Case(case.name, *parts), ask=ask)


class Questions:
    """What answers the questions of one call, and counts them."""

    def __init__(self, function: Callable, *known: Any):
        self.function, self.known, self.number = function, known, 0

    def ask(self, *question: Any) -> Any:
        """The answer to one more question."""
        self.number += 1
        return self.function(self.number - 1, *self.known, *question)


def run_case(driver: Callable, functions: Sequence[Callable], case: Case, parts: Sequence) -> list[Outcome]:
    """The outcome of each part of the answer on one case; an answer's error is an outcome, never raised."""
    inputs = ready(case)
    watched = _Watched(case, inputs, functions)
    outcomes, printed, caught = [], Printed(), []
    try:
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            warnings.catch_warnings(record=True) as caught,
            # An exponential may round to 0, in a right answer too
            np.errstate(all="warn", under="ignore"),
            _nobody_types(),
        ):
            warnings.simplefilter("always")
            produced = driver(watched.functions, inputs)
            for part in parts:
                try:
                    named, value, *more = next(produced)
                    outcomes.append(Outcome(named, frozen(value), changed=more[0] if more else ()))
                except StopIteration:
                    outcomes.append(Outcome(part, error=WrongAnswer("there is no answer for this part")))
                except KeyboardInterrupt:
                    raise
                except BaseException as error:  # an answer may also exit
                    outcomes.append(Outcome(part, None, error, *_where(error)))
                    break
                finally:
                    if outcomes:
                        changed, outcomes[-1].rounded = watched.changed()
                        outcomes[-1].changed += changed
    finally:
        # An answer that raised in the first part never reached the others
        last = outcomes[-1] if outcomes else Outcome("")
        for part in parts[len(outcomes) :]:
            outcomes.append(Outcome(part, None, last.error, last.where, last.operation))
    for outcome in outcomes:
        outcome.printed = printed.getvalue()[:2000]
        outcome.warned = "; ".join(
            dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, RuntimeWarning))
        )[:500]
    return outcomes


class _Watched:
    """The inputs of a case while an answer runs: which of them each part changes, and what its functions call them."""

    def __init__(self, case, inputs, functions):
        self.before, self.after = _inputs(case), _inputs(inputs)
        self.found, self.calls = set(), []
        self.functions = tuple(self._heard(function) if callable(function) else function for function in functions)

    def _heard(self, function):
        def call(*args, **kwargs):
            if not any(function is other for other, *_ in self.calls):
                self.calls.append((function, args, kwargs))
            return function(*args, **kwargs)

        return call

    def changed(self):
        """(names, whether by rounding only) of the inputs that changed since the last question."""
        fresh = [key for key, x in self.before.items() if key not in self.found and not _same(x, self.after[key])]
        self.found.update(fresh)
        rounded = bool(fresh) and all(_nearly(self.before[key], self.after[key]) for key in fresh)
        return tuple(dict.fromkeys(self._called(key) for key in fresh)), rounded

    def _called(self, key):
        """The name that the answer's own functions give to an input."""
        for function, args, kwargs in self.calls:
            try:
                given = inspect.signature(function).bind(*args, **kwargs).arguments
            except (TypeError, ValueError):
                continue
            after = self.after[key]
            for name, value in given.items():
                if value is after or (isinstance(after, list) and any(value is one for one in after)):
                    return name
        kind, place = key
        if kind in ("args", "dout") and self.calls:
            names = _names(self.calls[0 if kind == "args" else -1][0])
            return names[place] if place < len(names) else str(place)
        return str(place)


def _inputs(case):
    """{(where it stands, place): value} of everything that an answer is given."""
    dout = () if case.dout is None else case.dout if isinstance(case.dout, tuple) else (case.dout,)
    return {
        (kind, place): value
        for kind, values in (("args", case.args), ("kwargs", case.kwargs), ("dout", dout), ("extra", case.extra))
        for place, value in (values.items() if isinstance(values, dict) else enumerate(values))
    }


@contextlib.contextmanager
def _nobody_types():
    """In the block `input` is refused: during a check nobody sees its question, and it would wait without end."""

    def refused(*prompt):
        raise WrongAnswer(
            "your code calls `input()` (or `breakpoint()`), and nobody can type during a check: take the values from the "
            "function's arguments"
        )

    before, builtins.input = builtins.input, refused
    try:
        yield
    finally:
        builtins.input = before


class Printed(io.StringIO):
    """What an answer prints, up to a limit: one that prints without end must not fill the memory."""

    def write(self, text: str) -> int:
        if self.tell() < PRINTED:
            super().write(text[:PRINTED])
        return len(text)


def frozen(value: Any) -> Any:
    """The value as it is now: later calls of the answer cannot change it any more."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {key: frozen(x) for key, x in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return tuple(frozen(x) for x in value)
    if isinstance(value, tuple | list):
        return type(value)(frozen(x) for x in value) if type(value) in (tuple, list) else [frozen(x) for x in value]
    return value


def _names(function):
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


def _same(a, b):
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, tuple | list):
        return isinstance(b, tuple | list) and len(a) == len(b) and all(map(_same, a, b))
    return True


def _nearly(a, b):
    """Whether an array, or each of several, is what it was but for rounding."""
    if isinstance(a, np.ndarray):
        floating = isinstance(b, np.ndarray) and a.shape == b.shape and a.dtype == b.dtype and a.dtype.kind == "f"
        return floating and np.allclose(a, b, rtol=64 * np.finfo(a.dtype).eps, atol=64 * np.finfo(a.dtype).eps)
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(_nearly(a[key], b[key]) for key in a)
    if isinstance(a, tuple | list):
        return isinstance(b, tuple | list) and len(a) == len(b) and all(map(_nearly, a, b))
    return True


def _where(error):
    """(line, operation) of the answer's own code on the way to the error: ("line 3: return X @ w", "@")."""
    for frame in reversed(traceback.extract_tb(error.__traceback__, limit=-50)):
        if not installed(frame.filename) and frame.line:
            return f"line {frame.lineno}: {frame.line.strip()}", _operation(frame)
    return "", ""


# Functions of NumPy that an operator stands for
_OPERATORS = {"dot": "@", "matmul": "@", "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**"}
_SIGNS = {"Add": "+", "Sub": "-", "Mult": "*", "Div": "/", "FloorDiv": "//", "Pow": "**", "MatMult": "@", "Mod": "%"}


def _operation(frame):
    """What a traceback's columns point to: an operator, "[]" for an index, or the name of a function that is called."""
    # A column counts bytes of the line as it stands in the file
    line = linecache.getline(frame.filename, frame.lineno).encode()
    if frame.colno is None or frame.end_lineno != frame.lineno:
        return ""
    try:
        (statement,) = ast.parse(line[frame.colno : frame.end_colno].decode().strip()).body
    except (SyntaxError, ValueError):
        return ""
    node = getattr(statement, "value", None)
    if isinstance(statement, ast.AugAssign):
        node = statement
    if isinstance(node, ast.BinOp | ast.AugAssign):
        return _SIGNS.get(type(node.op).__name__, "")
    if isinstance(node, ast.Subscript):
        return "[]"
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        return _OPERATORS.get(name, f"{name}()")
    return ""
