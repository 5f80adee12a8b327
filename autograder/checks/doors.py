"""Which functions of the course give an answer away: in one call, with the arguments or the values put in another order.

    python -m autograder.checks.doors        derives `doors.json` again: for each exercise the functions that are withheld with it

Each public and private function of `dlcourse` is tried as the answer of each exercise, through thin adapters: the arguments by
name, in another order, with a neutral value for what is missing, as a sequence of one step; the values as they are, transposed,
scaled, taken from 1, times an argument or with a multiple of one added. Whatever
gives the expected values on every call that the reference gets is a door. A test derives the table again for every function
that has changed.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import itertools
import json
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

import dlcourse

from .drivers import Withheld, resolve, run_case
from .evaluation import withheld_functions
from .exercise import exercises_of, get_exercise
from .limits import TooSlow, time_limit
from .withheld import TABLE, WHOLE

CALLS = 3
SECONDS = 3.0
ORDERS = 24
# What takes two operations and no more, or one argument twice
BY_HAND = {
    "optimizers.adamw_step": {"optimizers.adam_step"},
    "attention.self_attention": {"attention.cross_attention_forward", "attention.cross_attention_backward"},
}
SUM = "plus a multiple of an argument"
# What a parameter gets that the exercise has no argument for
NEUTRAL = ("=0", "=1", "=zeros", "=name", "=state")
# What only draws, keeps data, checks input, or puts together what it calls
PASSED_OVER = ("explorers", "drawing", "datasets", "_graph_svg", "_checks", "_tree", "_array", "networks")


# Their answers are a product or another order of the arguments, which much gives: only relatives in the same module count
PLAIN = (
    "backpropagation.columns_from_rows",
    "dropout.masked",
    "dropout.dropout",
    "regularization.classic_dropout",
)


@functools.cache
def functions() -> dict[str, Callable]:
    """{"module.name": function} of everything in the course that computes, private functions too."""
    found: dict[str, Callable] = {}
    root = Path(dlcourse.__file__).parent
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if parts[0] in PASSED_OVER or parts[-1] in ("__init__", "_shared"):
            continue
        module = importlib.import_module(".".join(["dlcourse", *parts]))
        for name, value in vars(module).items():
            if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("__"):
                found[".".join([*parts, name])] = value
    # Its scratch is memory that nobody has written, with whatever was there before
    del found["kernels.optimizers.adam_init"]
    return found


def fingerprint(function: Callable) -> str:
    """A hash of a function's source: another one is tried again."""
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:12]


def derive(names: Iterable[str] | None = None, tried: dict[str, Callable] | None = None) -> dict[str, list[str]]:
    """{exercise: the functions that give it away}, of all exercises and all functions or of some."""
    found = {}
    every = [name for topic in dlcourse.TOPICS for name in exercises_of(topic) if topic not in WHOLE]
    # What earns by a figure has no answer that one call could give
    every = [name for name in every if not get_exercise(name).scales]
    for name in every if names is None else names:
        exercise = get_exercise(name)
        wanted = _calls(exercise)
        own = {*exercise.functions, *exercise.solutions}
        given = []
        with withheld_functions(exercise.functions), np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for short, function in (functions() if tried is None else tried).items():
                if name in PLAIN and function.__module__ != exercise.functions[0].__module__:
                    continue
                if function not in own and _within_time(function, wanted, name.split(".")[1].removesuffix("_grad")):
                    given.append(short)
        given = [short for short in given if not _is_needed(functions().get(short) or (tried or {})[short], exercise)]
        if given:
            found[name] = sorted(given)
    return found


def with_twins(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """The table with the fast kernels of the same names: one that works in place, or on halved numbers, no adapter fits."""
    made = {}
    for name in (name for topic in dlcourse.TOPICS for name in exercises_of(topic)):
        exercise = get_exercise(name)
        bare = {_bare(function.__name__) for function in exercise.functions}
        twins = {one for one in functions() if one.startswith("kernels.") and _bare(one.rsplit(".", 1)[1]) in bare}
        twins = {one for one in twins if not _is_needed(functions()[one], exercise)}
        given = {*found.get(name, ()), *twins, *BY_HAND.get(name, ())}
        if given:
            made[name] = sorted(given)
    return made


def _bare(name):
    return re.sub("_(forward|backward|step|update|grad)$", "", name)


def _within_time(function, wanted, name):
    try:
        with time_limit(SECONDS):
            return any(_gives(function, calls, name) for calls in wanted)
    except TooSlow:
        return False


def _is_needed(function, exercise):
    """Whether the solution or a right variant calls the function itself: then it is meant to be called."""
    cases = exercise.cases(np.random.default_rng(1))[:CALLS]
    with withheld_functions([function]):
        for answer in (exercise.solutions, *exercise.variant_functions):
            if function in answer:
                continue
            for case in cases:
                outcomes = run_case(exercise.driver, answer, case, exercise.parts)
                if any(isinstance(outcome.error, Withheld) for outcome in outcomes):
                    return True
    return False


def _calls(exercise):
    """For each function of the answer: [(its arguments by name, what it must give)] of a few calls by the driver."""
    recorded: list[list] = [[] for _ in exercise.functions]

    def spy(number, function):
        names = list(inspect.signature(function).parameters)

        def called(*args, **kwargs):
            before = resolve((args, kwargs))
            value = function(*args, **kwargs)
            inputs = dict(zip(names, before[0], strict=False)) | before[1]
            # A forward's cache is nobody's answer
            given = value[:-1] if len(exercise.functions) > 1 and number == 0 else value
            recorded[number].append((inputs, resolve(given)))
            return value

        return functools.wraps(function)(called)

    spies = tuple(spy(number, function) for number, function in enumerate(exercise.functions))
    for case in exercise.cases(np.random.default_rng(1)):
        before = [len(calls) for calls in recorded]
        run_case(exercise.driver, spies, case, exercise.parts)
        # Of several steps the first: there the state is what its initialiser makes
        for calls, many in zip(recorded, before, strict=True):
            del calls[many + 1 :]
    return [_telling(calls) for calls in recorded]


def _telling(calls):
    """The calls that say most: those with the most numbers in their values, empty ones left out."""
    told = [(inputs, list(_leaves(value))) for inputs, value in calls]
    # Counters say nothing, and of a state all follows from the weights
    told = [(inputs, [leaf for leaf in leaves if leaf.ndim or leaf.dtype.kind == "f"]) for inputs, leaves in told]
    told = [(inputs, leaves[:1] if "state" in inputs else leaves) for inputs, leaves in told]
    told = [(inputs, leaves) for inputs, leaves in told if any(leaf.size for leaf in leaves)]
    told.sort(key=lambda call: -sum(leaf.size for leaf in call[1]))
    return told[:CALLS]


def _gives(function, calls, name):
    """Whether one adapter makes most of these calls give what is expected."""
    if len(calls) < min(CALLS, 2):
        return False
    for adapter in _adapters(function, calls[0][0]):
        # The first may be special: two that fail are enough
        given = [_ways_of(function, adapter, call, name) for call in calls[:2]]
        if any(given):
            given += [_ways_of(function, adapter, call, name) for call in calls[2:]]
            ways = [way for found in given for way in found]
            if any(2 * ways.count(way) > len(calls) for way in ways):
                return True
    return False


def _adapters(function, inputs) -> Iterator[dict]:
    """{parameter: the argument that it gets, or a neutral value} in every way that is tried."""
    parameters = list(inspect.signature(function).parameters.values())
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = [p.name for p in plain if p.default is p.empty]
    flat = _named(inputs)
    by_name = {p.name: p.name for p in plain if p.name in flat}
    rest = [name for name in flat if name not in by_name.values()][:4]
    open_ = [name for name in needed if name not in by_name]
    choices = [dict(zip((p.name for p in plain), inputs, strict=False))]
    if len(open_) <= 2:
        for order in itertools.product([*rest, *NEUTRAL], repeat=len(open_)):
            choices.append(by_name | dict(zip(open_, order, strict=True)))
    if "state" in needed:
        choices += [choice | {"state": "=state"} for choice in choices if choice.get("state") == "state"]
    if len(needed) <= 4 and len(by_name) < len(needed):
        for order in itertools.islice(itertools.permutations(list(flat)[:4], len(needed)), ORDERS):
            choices.append(dict(zip(needed, order, strict=True)))
    seen = set()
    for choice in choices:
        key = tuple(sorted(choice.items()))
        if key not in seen and set(needed) <= choice.keys():
            seen.add(key)
            yield choice


def _named(inputs):
    """The arguments by name, the parts of tuples and dicts among them by theirs."""
    found = {}
    for name, value in inputs.items():
        found[name] = value
        if isinstance(value, dict):
            found |= {str(key): part for key, part in value.items()}
        elif isinstance(value, tuple):
            fields = getattr(value, "_fields", [f"{name}{i}" for i in range(len(value))])
            found |= {key: part for key, part in zip(fields, value, strict=True) if key not in found}
    return found


def _first_state(function, like):
    """What the initialiser beside a step makes: adam_update with adam_init."""
    init = getattr(sys.modules[function.__module__], function.__name__.split("_")[0] + "_init", None)
    try:
        return None if init is None else init(like)
    except Withheld:
        return None


def _ways_of(function: Callable, choice: dict, call: tuple, name: str = "") -> set:
    """In which ways the function's values hold what is expected; empty where they do not."""
    inputs, wanted = call
    flat = _named(inputs)
    # A case may give what another leaves to the default
    choice = {key: key for key in inspect.signature(function).parameters if key in flat} | choice
    given = [np.squeeze(x) for x in flat.values() if isinstance(x, np.ndarray) and x.dtype.kind in "fiub"]
    given = [x.astype(float) if x.dtype.kind in "iub" else x for x in given]
    like = next((x for x in flat.values() if isinstance(x, np.ndarray)), np.zeros(()))
    special = {"=0": 0.0, "=1": 1, "=zeros": np.zeros_like(like), "=name": name, "=state": None}
    found: set[tuple] = set()
    parameters = list(inspect.signature(function).parameters)
    for form in ("plain", "a step", "flat"):
        try:
            arguments = {key: resolve(special[x] if x in special else flat[x]) for key, x in choice.items()}
            arguments |= {key: _first_state(function, like) for key, x in choice.items() if x == "=state"}
        except (KeyError, TypeError):
            return found
        arrays = [key for key in parameters if isinstance(arguments.get(key), np.ndarray)]
        if form == "a step":
            # A step of a sequence is the sequence of one step
            first = next((key for key in arrays if arguments[key].ndim == 2), None)
            if first is None:
                continue
            arguments[first] = arguments[first][:, None]
        elif form == "flat":
            if all(arguments[key].ndim == 1 for key in arrays):
                continue
            arguments |= {key: arguments[key].ravel() for key in arrays}
            arguments |= {key: _first_state(function, like.ravel()) for key, x in choice.items() if x == "=state"}
        try:
            value = function(**arguments)
        except TooSlow:
            raise
        except Exception:
            continue
        # What a function writes into its arguments is a value, too
        changed = [x for x in arguments.values() if isinstance(x, np.ndarray)]
        leaves = [np.squeeze(x) for x in [*_leaves(value), *changed]]
        if form == "flat":
            wanted, given = [y.ravel() for y in wanted], [x.ravel() for x in given]
        leaves = [x for x in leaves if not any(_same(x, y) for y in given)]
        found |= {(form, way) for way in _ways(leaves, wanted, given)}
    return found


def _ways(leaves, wanted, given):
    """The forms in which every expected value that is not an argument stands among the leaves."""
    wanted = [y for y in map(np.squeeze, wanted) if y.size and not any(_same(y, x) for x in given)]
    if not wanted or not leaves:
        return set()
    for y in wanted:
        # What follows from an argument alone in one operation needs no function: then only the value itself tells
        exact = any(form != SUM for x in given for form in _forms(x, y, given))
        if not any(form == "as it is" or not exact for x in leaves for form in _forms(x, y, given)):
            return set()
    return {"one operation at most"}


def _forms(x, y, given):
    """The ways from a function's value to the expected one that take one operation."""
    if x.shape != y.shape and x.shape != y.shape[::-1]:
        return
    if _same(x, y):
        yield "as it is"
    if x.dtype.kind == "b" or y.dtype.kind == "b":
        return
    if x.ndim == 2 and _same(x.T, y):
        yield "transposed"
    if x.shape != y.shape or y.size < 2:
        return
    if _same(1 - x, y):
        yield "one minus"
    with np.errstate(all="ignore"):
        largest = np.unravel_index(np.argmax(np.abs(x)), x.shape)
        if x[largest] and _same(x * (y[largest] / x[largest]), y):
            yield "scaled"
        for g in given:
            if g.shape == y.shape:
                if _same(x * g, y):
                    yield "times an argument"
                at = np.unravel_index(np.argmax(np.abs(g)), g.shape)
                if g[at] and y.size > 3 and _same(x + g * ((y - x)[at] / g[at]), y):
                    yield SUM


def _same(x, y):
    if x.shape != y.shape or x.dtype.kind not in "fiub" or not x.size or (x.dtype.kind == "b") != (y.dtype.kind == "b"):
        return False
    # One number or none says little: 0 and 1 come about everywhere
    if np.all((y == 0) | (y == 1)) and y.size < 4:
        return False
    with np.errstate(all="ignore"):
        return bool(np.allclose(x, y, rtol=1e-4, atol=1e-7, equal_nan=True))


def _leaves(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        for x in value:
            yield from _leaves(x)
    elif isinstance(value, np.ndarray | np.generic | int | float):
        x = np.asarray(value)
        if x.dtype.kind in "fiub":
            yield x


def main(names: list[str]) -> None:
    found = derive(names or None)
    if names:
        print(json.dumps(found, indent=1))
        return
    found = with_twins(found)
    tried = {name: fingerprint(function) for name, function in sorted(functions().items())}
    TABLE.write_text(json.dumps({"doors": found, "tried": tried}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
