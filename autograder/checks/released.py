"""Exercises as students get them: without solutions. What the solution gives on the visible cases is data, and so is what
each known mistake gives there. A hunt alone needs code, that of the exercise whose mistakes it hunts (`carried`).

A release writes `<assignment>.checks.json` beside the notebook. With it `check` and `dlcourse check` judge an answer, name
its mistake and show its hint as they do for this package's own exercises. What needs the code of the solution is left out:
the place of an unnamed error, a mistake's free number, the repeated judgement of what follows from an earlier error.
"""

from __future__ import annotations

import base64
import builtins
import collections
import inspect
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import BuildError, CourseError
from . import drivers, effort, registry
from .carried import Carrier, unpacked
from .drivers import Case, Named, Outcome, Rng
from .evaluation import PUBLIC_SEED, evaluate, expected_values, known_way, passed_without_content, timed
from .exercise import HUNT, Exercise, Mistake, get_exercise
from .hunts import hunt, hunted_by
from .notebook import arguments_of
from .recognition import Seen
from .scale import Scale, numbers, several
from .solution import solution_parts

FORMAT = 3
_CASE = ("name", "args", "kwargs", "dout", "extra", "weight", "sum_length", "tolerance", "relative", "held")
_PLAIN = ("name", "points", "minutes", "why", "parts", "together", "seconds", "planted")
_SCALE = ("measured", "zero", "full")
# Not `where`: a line of a wrong answer is one of the solution, but for the slip
_OUTCOME = ("operation", "rounded")


@dataclass(frozen=True)
class Released:
    """What stands for the solution of an exercise, for the visible cases with their public numbers.

    expected : for each case the value of each part. ways : for each mistake and each way of making it, for each part what it
        gives case by case. empty : as `passed_without_content`. arguments : {case: as `arguments_of`}. given : {case: what
        the functions of a repair give as they were planted}.
    """

    cases: list[Case]
    expected: list[list]
    ways: list[list[list[list[Seen]]]]
    empty: list[tuple[str, set]]
    arguments: dict[str, list]
    given: dict[str, Outcome] = field(default_factory=dict)


# --- written --------------------------------------------------------------------------------------------------------


def released_data(names: Iterable[str], notebooks: dict[str, str]) -> bytes:
    """The file of a released assignment.

    names : its exercises. notebooks : {name: text of the released notebook}, by which `dlcourse check` knows a copy.
    """
    topics: dict[str, list] = {}
    for name in names:
        exercise = get_exercise(name)
        topics.setdefault(exercise.slug, []).append(_described(exercise))
    made = json.dumps({"format": FORMAT, "topics": topics, "notebooks": notebooks}).encode()
    references = {name: get_exercise(name).answers for name in names}
    with registry.using(registry.released_sources(made)):
        for name, answers in references.items():
            _tried(name, answers)
    return made


def shown_with(names: Iterable[str]) -> list[str]:
    """The exercises whose code goes to students with these: those that a hunt is about."""
    asked = map(get_exercise, names)
    return list(dict.fromkeys(hunted_by(one).exercise.name for one in asked if one.kind == HUNT))


def _tried(name, answers):
    """Raise where the data does not stand for the exercise."""
    try:
        result = evaluate(name, *answers, hidden=False, withhold=False)
    # Whatever the code of a driver raises without its module
    except Exception as error:
        raise BuildError(f"{name} cannot go to students: {type(error).__name__}: {error}") from error
    if not result.passed:
        raise BuildError(f"{name} cannot go to students: its own reference fails there. {result.message}")


def _described(exercise):
    if exercise.kind == HUNT:
        return _described_hunt(exercise)
    if exercise.assess is not None:
        raise BuildError(
            f"{exercise.name} cannot go to students: a {exercise.kind} is judged by code that stays with you, so it is for the "
            "exercises of this package"
        )
    cases, expected = expected_values(exercise.name, PUBLIC_SEED)
    visible = [number for number, case in enumerate(cases) if not case.hidden]
    names = tuple(cases[number].name for number in visible)
    if not visible:
        raise BuildError(
            f"{exercise.name} cannot go to students: every case is hidden, so their check has nothing to ask"
        )
    known = set(names)
    mistakes = []
    for index, mistake in enumerate(exercise.mistakes):
        ways = [known_way(exercise.name, index, way, PUBLIC_SEED, names) for way in range(len(mistake.ways))]
        made = [
            [[[_outcome(one.outcome), one.wrong, _plain(dict(one.inside))] for one in part] for part in way.seen]
            for way in ways
        ]
        mistakes.append({"slug": mistake.slug, "hint": mistake.hint, "convention": mistake.convention, "ways": made})
    empty = [
        [what, sorted([case, part] for case, part in passed if case in known)]
        for what, passed in passed_without_content(exercise.name, PUBLIC_SEED)
    ]
    return {
        **{one: getattr(exercise, one) for one in _PLAIN},
        "minutes": effort.minutes(exercise),
        "hints": list(exercise.hints),
        "heads": [solution_parts(function)[0] for function in exercise.functions],
        "driver": _code(exercise.driver, exercise.name, "driver"),
        "measure": exercise.measure and _code(exercise.measure, exercise.name, "measure"),
        "scales": [
            [part, {one: getattr(scale, one) for one in _SCALE}, _code(scale.figure, exercise.name, "figure")]
            for part, scale in exercise.scales.items()
        ],
        "cases": [
            {one: _plain(getattr(cases[number], one)) for one in _CASE} | {"ask": _asked(exercise, cases[number])}
            for number in visible
        ],
        "given": {
            cases[number].name: _outcome(_as_planted(exercise, cases[number])) for number in visible if exercise.planted
        },
        "arguments": [_plain(arguments_of(exercise, cases[number])) for number in visible],
        "expected": [_plain(expected[number]) for number in visible],
        "mistakes": mistakes,
        "empty": empty,
    }


def _described_hunt(exercise):
    about, carrier = hunted_by(exercise), Carrier(_plain)
    hunted = about.exercise
    try:
        told = {
            "name": hunted.name,
            "parts": list(hunted.parts),
            "functions": [carrier.add(one) for one in hunted.functions],
            "variants": [[carrier.add(one) for one in way] for way in hunted.variant_functions],
            "mistakes": [
                [one.slug, one.hint, [[carrier.add(function) for function in way] for way in one.ways]]
                for one in hunted.mistakes
            ],
            "convert": {name: carrier.add(one) for name, one in about.convert.items()},
            "make": None if about.make is None else carrier.add(about.make),
        }
    except BuildError as error:
        raise BuildError(f"{exercise.name} cannot go to students: {error}") from None
    return {
        "kind": exercise.kind,
        **{one: getattr(exercise, one) for one in ("name", "points", "why")},
        "minutes": effort.minutes(exercise),
        "hints": list(exercise.hints),
        "hunted": told,
        "driver": _code(hunted.driver, exercise.name, "driver"),
        "measure": hunted.measure and _code(hunted.measure, exercise.name, "measure"),
        "naive": _plain(about.naive),
        "shows": dict(about.shows),
        "beyond": dict(about.beyond),
        "integers": sorted(about.whole),
        "code": carrier.packed,
    }


def _as_planted(exercise, case):
    return timed(exercise, exercise.planted_functions, case, 2.0)[0]


def _asked(exercise, case):
    if case.ask is None:
        return None
    return _questions(exercise.name, *case.ask)


def _questions(name, function, *known):
    return [_code(function, name, "function that answers questions"), [_plain(one) for one in known]]


def _code(function, name, what):
    """A driver of ours by its name, any other function with its source."""
    if function.__module__ == drivers.__name__:
        return {"name": function.__name__}
    if not inspect.isfunction(function) or function.__name__ == "<lambda>":
        raise BuildError(f"{name}: the {what} goes to students as code, so it has to be a function with `def`")
    return {"name": function.__name__, "source": inspect.getsource(function)}


def _outcome(outcome):
    error = outcome.error
    return {
        "value": None if error is not None else _plain(outcome.value, lost=True),
        "error": None if error is None else [type(error).__name__, str(error)[:1000]],
        "changed": list(outcome.changed),
        **{one: getattr(outcome, one) for one in _OUTCOME},
    }


def _plain(value, lost=False):
    """A value as JSON. lost : what is none of the known kinds is kept by its type's name alone."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufcUS":
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"array" if isinstance(value, np.ndarray) else "number": [value.dtype.str, list(value.shape), data]}
    if value is None or isinstance(value, bool | str | int | float):
        return value
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, Rng):
        return {"rng": value.seed}
    if isinstance(value, Named):
        return {"named": value.name}
    if isinstance(value, np.random.Generator):
        return {"generator": value.bit_generator.state}
    if isinstance(getattr(value, "__self__", None), drivers.Questions):
        return {"questions": _questions("a case", value.__self__.function, *value.__self__.known)}
    if inspect.isfunction(value) and value.__module__.startswith("dlcourse."):
        return {"function": f"{value.__module__.removeprefix('dlcourse.')}.{value.__name__}"}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {"fields": [type(value).__name__, list(value._fields), [_plain(x, lost) for x in value]]}
    if isinstance(value, tuple):
        return {"tuple": [_plain(x, lost) for x in value]}
    if isinstance(value, list):
        return [_plain(x, lost) for x in value]
    if isinstance(value, dict):
        return {"dict": [[_plain(key, lost), _plain(x, lost)] for key, x in value.items()]}
    if lost:
        return {"other": type(value).__name__}
    raise BuildError(f"a case holds {drivers.kind(value)}, which cannot be written as data for students")


# --- read -----------------------------------------------------------------------------------------------------------


def exercises_of_topic(module: str) -> list[Exercise]:
    """The exercises of the released topic whose module this is (`registry.released_sources`)."""
    topic = module.rpartition(".")[2]
    described = json.loads(registry.data(f"{topic}.json"))
    if described["format"] != FORMAT:
        raise CourseError(
            f"the checks of {topic!r} were written by another version of dlcourse: install the one that your course names"
        )
    return [_exercise(one) for one in described["exercises"]]


def _exercise(told):
    return _hunt(told) if told.get("kind") == HUNT else _formula(told)


def _hunt(told):
    about = told["hunted"]
    code = unpacked(told["code"], _value, told["name"])

    def of(numbers):
        return tuple(code[number] for number in numbers)

    functions = of(about["functions"])
    hunted = Exercise(
        about["name"],
        functions if len(functions) > 1 else functions[0],
        lambda rng: [],
        [Mistake(slug, of(ways[0]), hint, also=tuple(map(of, ways[1:]))) for slug, hint, ways in about["mistakes"]],
        variants=list(map(of, about["variants"])),
        driver=_function(told["driver"], told["name"]),
        parts=tuple(about["parts"]),
        measure=told["measure"] and _function(told["measure"], told["name"]),
    )
    made = hunt(
        hunted,
        None,
        _value(told["naive"]),
        told["shows"],
        told["beyond"],
        {name: code[number] for name, number in about["convert"].items()},
        None if about["make"] is None else code[about["make"]],
        told["integers"],
        **{one: told[one] for one in ("points", "minutes", "why")},
        hints=tuple(told["hints"]),
    )
    (case,) = made.cases(None)
    # The best input is the teacher's to show
    return replace(made, released=Released([case], [[None]], [], [], {case.name: []}))


def _formula(told):
    functions = tuple(_stub(head, told["name"], number) for number, head in enumerate(told["heads"]))
    cases = [_case(one, told["name"]) for one in told["cases"]]
    arguments = [[tuple(pair) for pair in _value(one)] for one in told["arguments"]]
    released = Released(
        cases,
        [_value(one) for one in told["expected"]],
        [[[[_seen(one) for one in part] for part in way] for way in one["ways"]] for one in told["mistakes"]],
        [(what, {(case, part) for case, part in passed}) for what, passed in told["empty"]],
        {case.name: given for case, given in zip(cases, arguments, strict=True)},
        {name: _outcome_of(one) for name, one in told["given"].items()},
    )
    mistakes = [
        Mistake(one["slug"], (), one["hint"], one["convention"], also=((),) * (len(one["ways"]) - 1))
        for one in told["mistakes"]
    ]
    return Exercise(
        **{one: told[one] for one in _PLAIN} | {"parts": tuple(told["parts"])},
        reference=functions if len(functions) > 1 else functions[0],
        cases=lambda rng: cases,
        mistakes=mistakes,
        hints=tuple(told["hints"]),
        driver=_function(told["driver"], told["name"]),
        measure=told["measure"] and _function(told["measure"], told["name"]),
        scales={part: Scale(**ends, figure=_function(figure, told["name"])) for part, ends, figure in told["scales"]},
        released=released,
    )


def _case(told, name):
    ask = told["ask"] and _answering(told["ask"], name)
    return Case(**{one: _value(value) for one, value in told.items() if one != "ask"}, ask=ask)


def _answering(told, name="a case"):
    function, known = told
    return _function(function, name), *map(_value, known)


def _stub(head, name, number):
    """A function with the signature and the docstring of the reference, and nothing in it."""
    return _compiled(f"{head}\n    raise NotImplementedError()\n", f"<released {name}/{number}>", {})


def _function(told, name) -> Callable:
    if "source" not in told:
        return getattr(drivers, told["name"])
    names = vars(drivers) | {one.__name__: one for one in (numbers, several)}
    return _compiled(told["source"], f"<released {told['name']} of {name}>", names)


def _compiled(source, filename, names):
    registry.remember(filename, source)
    space = {**names, "np": np, "__name__": "released"}
    before = set(space)
    exec(compile(source, filename, "exec"), space)
    return next(value for key, value in space.items() if key not in before and inspect.isfunction(value))


def _seen(told):
    outcome, wrong, inside = told
    return Seen(_outcome_of(outcome), wrong, _value(inside))


def _outcome_of(told):
    made = Outcome("", changed=tuple(told["changed"]), **{one: told[one] for one in _OUTCOME})
    if told["error"] is None:
        made.value = _value(told["value"])
    else:
        made.error = _error(*told["error"])
    return made


def _error(name, text):
    kind = getattr(builtins, name, None) or getattr(drivers, name, None) or getattr(np.linalg, name, None)
    try:
        return kind(text) if isinstance(kind, type) and issubclass(kind, BaseException) else Exception(text)
    # UnicodeDecodeError and its like take more than a text
    except TypeError:
        return Exception(text)


def _value(tree):
    """The value that `_plain` has written."""
    if isinstance(tree, list):
        return [_value(x) for x in tree]
    if not isinstance(tree, dict):
        return tree
    ((kind, told),) = tree.items()
    return _READ[kind](told)


def _array(told):
    dtype, shape, data = told
    return np.frombuffer(base64.b64decode(data), np.dtype(dtype)).reshape(shape).copy()


def _generator(state):
    made = np.random.Generator(getattr(np.random, state["bit_generator"])())
    made.bit_generator.state = state
    return made


def _with_fields(told):
    name, fields, values = told
    return collections.namedtuple(name, fields)(*map(_value, values))


_READ: dict[str, Callable] = {
    "array": _array,
    "number": lambda told: _array(told)[()],
    "complex": lambda told: complex(*told),
    "rng": Rng,
    "named": Named,
    "generator": _generator,
    "function": lambda told: drivers.resolve(Named(told)),
    "questions": lambda told: drivers.Questions(*_answering(told)).ask,
    "fields": _with_fields,
    "tuple": lambda told: tuple(map(_value, told)),
    "dict": lambda told: {_value(key): _value(x) for key, x in told},
    "other": lambda told: type(told, (), {})(),
}
