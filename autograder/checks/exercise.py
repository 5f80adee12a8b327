"""What an exercise is: a reference, cases that tell right from wrong, and the mistakes that students make.

The exercises of a topic stand in ``autograder/exercises/<slug>/``, one in each file; the package lists them in the order in
which the assignment asks them. A course folder and installed packages may bring others (`registry`).
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

import dlcourse

from ..errors import CourseError
from . import registry
from .drivers import (
    Case,
    Named,
    Rng,
    WrongAnswer,
    each_value,
    fit_and_predict,
    mended,
    pair,
    pair_of_many,
    plain,
    steps,
    with_questions,
)
from .scale import Scale, numbers, several
from .solution import Slip, Solution, shown_code, slip, slip_in

__all__ = [
    "Case",
    "Exercise",
    "Mistake",
    "Named",
    "Rng",
    "Scale",
    "Trial",
    "WrongAnswer",
    "each_value",
    "enlarged",
    "exercises_of",
    "fit_and_predict",
    "get_exercise",
    "in_float32",
    "in_order",
    "mended",
    "numbers",
    "of_a_part",
    "pair",
    "pair_of_many",
    "plain",
    "several",
    "slip",
    "slip_in",
    "steps",
    "with_questions",
]

# Modules that are part of another topic
TOPIC_OF = {
    "losses": "layers",
    "gradient_checking": "backpropagation",
    "datasets": "regularization",
    "dropout": "regularization",
    "architectures": "convolution",
    "metrics": "training",
}


@dataclass(frozen=True)
class Mistake:
    """A wrong implementation that students really write.

    slug : its name in the field's words ("missing_transpose").
    function : what is exchanged in the exercise's shown solution, ``slip("/ size**2", "/ size")``; for a true rewrite, the
        wrong function itself (for a pair, a tuple of both functions, one of them usually right).
    hint : one or two sentences to the student: what to look at, without giving the line away. A first sentence in brackets
        says what is right, "[The output is right.] …"; it is shown only where this mistake is all that is wrong.
    convention : a legitimate variant that this exercise does not ask for; the hint then says which one is asked.
    also : other implementations with the same mistake and other values (γ unused, β unused), each like `function`.
    kind : of a project's, "lazy" for one that works in part and "cheat" for one that goes round the task.
    """

    slug: str
    function: Any
    hint: str
    convention: bool = False
    also: Sequence[Any] = ()
    kind: str = ""
    # Filled in by the exercise: the slip behind each way, None for a rewrite; for slips with a number what makes the functions
    slips: Sequence[Any] = ()
    families: Sequence[Callable] = ()

    @property
    def functions(self) -> tuple:
        return self.function if isinstance(self.function, tuple) else (self.function,)

    @property
    def ways(self) -> list[tuple]:
        """The functions of every implementation, `functions` first."""
        return [self.functions, *(other if isinstance(other, tuple) else (other,) for other in self.also)]


@dataclass(frozen=True)
class Trial:
    """An answer whose worth is known, for the audit of an exercise that is not a formula.

    what : in a few words, "a naive input". answers : one for each of `Exercise.answer_names`.
    least, most : the share of the points that it has to earn at least and may earn at most.
    """

    what: str
    answers: tuple
    least: float
    most: float


# What is asked: a formula is judged case by case, the other kinds by their own `assess`
FORMULA, HUNT = "formula", "hunt"


@dataclass(frozen=True)
class Exercise:
    """One thing to implement.

    name : the catalogue's name, "neurons.preactivation"; a pair goes without the suffix, "normalization.batchnorm".
    reference : the function, or (forward, backward).
    cases : cases(rng) -> list of `Case`; the same cases with other numbers for another rng.
    mistakes, variants : wrong and right implementations; the checks must reject and name the ones and pass the others.
        A `solution` is a variant without being listed.
    points : what it is worth, 0 for one that nobody has to do. minutes : what it takes where its author has timed a class; None counts it (`effort.minutes`).
    why : one sentence on why it matters.
    hints : two to four, each says a little more; the student opens them one by one.
    driver : how it is called (`plain`, `pair`, `steps` or the exercise's own, see `drivers.py`).
    parts : the parts that the driver yields, in order; each earns its share.
    together : whether the parts are properties of one value, of which a case must have all to count.
    measure : (value, case) -> what is compared instead of the value itself: statistics of a random answer. Only an answer
        with the structure of the expected one is measured: the same shapes, keys and lengths.
    solution : the function, or (forward, backward), whose code the instructor's notebook shows, where the reference hands
        its work to another function.
    released : of a released exercise, what stands for the solution: expected values and the mistakes' outcomes.
    kind : what is asked, FORMULA or another one. data : names of the variables that the answer assigns; their right values
        stand in `reference`, before its functions. told : what the cell of such a variable says above it.
    assess : (exercise, cases, outcomes of each case) -> `Result`, where an answer is not compared with the reference's.
    scale : () -> how such an exercise gives its points, in a sentence or two for the text above the answer.
    trials : () -> the `Trial` objects that the audit of such an exercise makes.
    scales : {part: `Scale`} of the parts that earn by a figure, not by equality with the reference.
    seconds : time for each case, where it is less than the course's.
    planted : slugs of the mistakes that the student's cell begins with, all of them together: a repair. The last function
        is then `places`, which returns the line numbers, for each of the others a list.
    """

    name: str
    reference: Any
    cases: Callable
    mistakes: Sequence[Mistake] = ()
    variants: Sequence[Any] = ()
    points: float = 1
    minutes: int | None = None
    why: str = ""
    hints: Sequence[str] = ()
    driver: Callable = plain
    parts: Sequence[str] = ("",)
    together: bool = False
    measure: Callable | None = None
    solution: Any = None
    released: Any = None
    kind: str = FORMULA
    data: Sequence[str] = ()
    told: str = ""
    assess: Callable | None = None
    scale: Callable[[], str] = str
    trials: Callable[[], Sequence[Trial]] = tuple
    scales: Mapping[str, Scale] = field(default_factory=dict)
    seconds: float | None = None
    planted: Sequence[str] = ()
    # Filled in by the registry for exercises from outside this package
    topic: str = field(default="", init=False, compare=False)

    def __post_init__(self):
        if isinstance(self.reference, tuple) and self.driver is plain:
            object.__setattr__(self, "driver", pair)
            object.__setattr__(self, "parts", ("forward", "backward"))
        if np.intp != np.int64:
            object.__setattr__(self, "cases", _with_places(self.cases))
        object.__setattr__(self, "mistakes", tuple(self._with_slips(mistake) for mistake in self.mistakes))

    def _with_slips(self, mistake):
        """The mistake with functions in the place of its slips."""

        def made(way):
            return self._solution.slipped(way, mistake.slug) if isinstance(way, Slip) else way

        given = (mistake.function, *mistake.also)
        first, *also = (one for way in given for one in (way.ways if isinstance(way, Slip) else [way]))
        families = {replace(way, value=None): None for way in given if isinstance(way, Slip) and way.values}
        return replace(
            mistake,
            function=made(first),
            also=tuple(map(made, also)),
            slips=tuple(way if isinstance(way, Slip) else None for way in (first, *also)),
            families=tuple(self._solution.family(way, mistake.slug) for way in families),
        )

    @cached_property
    def _solution(self):
        return Solution(self.name, self.solutions)

    @cached_property
    def planted_functions(self) -> tuple:
        """The solution's functions with every planted mistake in them."""
        slips = [mistake.slips[0] for mistake in self.mistakes if mistake.slug in self.planted]
        *given, _ = self._solution.slipped(Slip(tuple(pair for one in slips for pair in one.pairs)), "planted")
        return (*given, _not_written)

    @property
    def planted_lines(self) -> tuple[list[int], ...]:
        """For each function but `places` the numbers of the planted lines, counted from the first below the docstring."""
        made = []
        for right, wrong in zip(self.solutions[:-1], self.planted_functions[:-1], strict=True):
            pairs = zip(shown_code(right).splitlines()[1:], shown_code(wrong).splitlines()[1:], strict=True)
            made.append([number for number, (a, b) in enumerate(pairs, 1) if a != b])
        return tuple(made)

    def difference(self, mistake: Mistake) -> list[str]:
        """How each way of making a mistake differs from the shown solution, as lines of a diff; "" for a rewrite."""
        return ["" if slip is None else _diff(*self._solution.before_and_after(slip)) for slip in mistake.slips]

    @property
    def answers(self) -> tuple:
        """The reference as a tuple: values of `data`, then functions."""
        return self.reference if isinstance(self.reference, tuple) else (self.reference,)

    @property
    def answer_names(self) -> tuple[str, ...]:
        """What the answer defines, in the order of `answers`."""
        return (*self.data, *self.function_names)

    @property
    def functions(self) -> tuple:
        """The reference's functions, as a tuple."""
        return self.answers[len(self.data) :]

    @property
    def function_names(self) -> tuple[str, ...]:
        return tuple(function.__name__ for function in self.functions)

    def value_names(self, part: str) -> tuple[str, ...]:
        """What the values of a part are called, from the reference's docstring: ("dw", "db"); empty where it does not say."""
        if self.measure is not None or (part == "" and self.driver is not plain):
            return ()
        if part == "forward":
            # The cache is the student's to design
            return returned_names(self.functions[0])[:-1]
        return returned_names(self.functions[-1]) if part.startswith(("backward", "gradients")) or not part else ()

    def reduction(self, case: Case) -> str:
        """ "mean" or "sum", whichever is taken over the examples of a case; "" where neither the case nor the docstring tells."""
        asked = [x for x in (*case.args, *case.kwargs.values()) if isinstance(x, str) and x in ("mean", "sum")]
        return asked[0] if asked else self._usual_reduction

    @cached_property
    def _usual_reduction(self):
        for function in self.functions:
            option = inspect.signature(function).parameters.get("reduction")
            if option is not None and option.default in ("mean", "sum"):
                return option.default
        # A gradient's docstring names the loss, whose own one says what is taken
        losses = [
            function.__globals__.get(function.__name__.replace("_grad", ending))
            for function in self.functions
            for ending in ("", "_loss")
        ]
        text = " ".join(" ".join((inspect.getdoc(one) or "").split()) for one in (*self.functions, *losses) if one)
        if re.search(r"\b(sums? (run )?over|summed over) (the |all )?(batch|examples)", text):
            return "sum"
        return "mean" if "1/N" in text or re.search(r"\bmean [\w-]+ (of its|over all N) examples", text) else ""

    @property
    def solutions(self) -> tuple:
        """The functions whose code answers the exercise, one for each of the reference's."""
        if self.solution is None:
            return self.functions
        return self.solution if isinstance(self.solution, tuple) else (self.solution,)

    @property
    def slug(self) -> str:
        """The topic it belongs to."""
        return self.topic or TOPIC_OF.get(_module(self.name), _module(self.name))

    @property
    def grade_id(self) -> str:
        return self.name.replace(".", "-")

    @property
    def variant_functions(self) -> list[tuple]:
        """The functions of every right implementation: those of `solution` where it is given, then the variants'."""
        given = self.variants if self.solution is None else (self.solution, *self.variants)
        return [variant if isinstance(variant, tuple) else (variant,) for variant in given]


@registry.kept
@cache
def exercises_of(slug: str) -> dict[str, Exercise]:
    """{name: exercise} of one topic, in the assignment's order; a course's own topic comes before ours of that name."""
    own = registry.load(slug)
    if own is not None:
        return _own_exercises(slug, own)
    if slug not in dlcourse.TOPICS:
        known = (*registry.topics(), *dlcourse.TOPICS)
        raise ValueError(f"unknown topic {slug!r}; the topics are {', '.join(known)}")
    try:
        module = importlib.import_module(f"autograder.exercises.{slug}")
    except ModuleNotFoundError as error:
        if error.name != f"autograder.exercises.{slug}":
            raise
        return {}
    found = {exercise.name: exercise for exercise in module.EXERCISES}
    if len(found) != len(module.EXERCISES):
        raise ValueError(f"autograder/exercises/{slug} has two exercises of one name")
    return found


def _own_exercises(topic, module):
    """{name: exercise} of a topic from outside this package."""
    given = module if isinstance(module, list | tuple) else getattr(module, "EXERCISES", None)
    if given is None:
        given = [module.EXERCISE] if hasattr(module, "EXERCISE") else None
    if given is None:
        raise CourseError(
            f"the exercises of {topic!r}: expected a list EXERCISES (or one EXERCISE) in {registry.FOLDER}/{topic}.py or "
            f"{registry.FOLDER}/{topic}/__init__.py"
        )
    found: dict[str, Exercise] = {}
    for one in given:
        if not isinstance(one, Exercise):
            raise CourseError(f"the exercises of {topic!r}: expected `Exercise` objects, got {one!r}")
        if not re.fullmatch(rf"{re.escape(topic)}\.[A-Za-z]\w*", one.name):
            raise CourseError(f"the exercises of {topic!r}: expected a name like '{topic}.mean', got {one.name!r}")
        if one.name in found:
            raise CourseError(f"the exercises of {topic!r}: two have the name {one.name!r}")
        object.__setattr__(one, "topic", topic)
        found[one.name] = one
    return found


def _with_places(cases):
    """The cases with whole numbers of the type in which NumPy counts places.

    Where Python is of 32 bits, as in a browser, `np.take`, `np.add.at` and `np.bincount` refuse those of 64, which generators
    draw: a right answer would fail there.
    """

    def as_places(x):
        if isinstance(x, dict):
            return {key: as_places(value) for key, value in x.items()}
        if type(x) in (tuple, list):
            return type(x)(map(as_places, x))
        return x.astype(np.intp) if isinstance(x, np.ndarray) and x.dtype == np.int64 else x

    def made(rng):
        fields = ("args", "kwargs", "dout", "extra")
        return [replace(case, **{name: as_places(getattr(case, name)) for name in fields}) for case in cases(rng)]

    return made


def _not_written(*args, **kwargs):
    raise NotImplementedError()


def _module(name):
    return name.split(".")[0]


@cache
def returned_names(function: Callable) -> tuple[str, ...]:
    """The names in the section "Returns" of a docstring: of ``dW, db : …``, of ``dw : … db : …`` and of ``(dX, dW), …``."""
    section = re.search(r"^Returns\n-+\n(.*?)(?=\n\n|\Z)", inspect.getdoc(function) or "", re.S | re.M)
    text = section[1] if section else ""
    tuple_of_all = re.match(r"\((\w+(?:, \w+)+)\),", text)
    if tuple_of_all:
        return tuple(tuple_of_all[1].split(", "))
    names = re.findall(r"(?:^|(?<=\. ))(\(\w+(?:, \w+)*\)|\w+(?:, \w+)*) :", text, re.M)
    return tuple(name for group in names for name in ([group] if group.startswith("(") else group.split(", ")))


def _diff(before, after):
    """The changed lines only, "- " what the solution has and "+ " what the mistake has, without common indentation."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))
    # Two lines name the files, and one before each change says where it stands
    changed = [line for line in lines[2:] if not line.startswith("@@")]
    code = textwrap.dedent("\n".join(line[1:] for line in changed)).split("\n")
    return "\n".join(f"{line[0]} {text}".rstrip() for line, text in zip(changed, code, strict=True))


def of_a_part(part: Exercise, but: Iterable[str] = ()) -> list[Mistake]:
    """The mistakes of another exercise, whose functions this one calls, made in that exercise's solution; except some."""
    made = []
    for mistake in part.mistakes:
        if mistake.slug in but:
            continue
        if None in mistake.slips:
            raise ValueError(f"{part.name}: {mistake.slug} is a rewrite, which has no slip to make; leave it out")
        first, *also = (slip_in(part.solutions, way) for way in mistake.slips)
        made.append(replace(mistake, function=first, also=tuple(also), slips=()))
    return made


def in_float32(case: Case, name: str = "float32") -> Case:
    """The same case in single precision."""

    def cast(x):
        if isinstance(x, dict):
            return {key: cast(value) for key, value in x.items()}
        if type(x) in (tuple, list):
            return type(x)(map(cast, x))
        return x.astype(np.float32) if isinstance(x, np.ndarray) and x.dtype == np.float64 else x

    return replace(case, name=name, args=cast(case.args), dout=cast(case.dout), extra=cast(case.extra))


# Beyond every limit that students clip at, also where a drawn number is small
ENLARGED = 1e5


def enlarged(case: Case, *places: int, small: Sequence[int] = ()) -> Case:
    """The same case with a large upstream gradient and large arguments at these places: no answer may clip them.

    small : places of arguments that are made smaller by as much, so that products with large ones are what they were.
    """

    def large(x, size=ENLARGED):
        return type(x)(large(one, size) for one in x) if isinstance(x, tuple | list) else size * x

    sizes = dict.fromkeys(places, ENLARGED) | dict.fromkeys(small, 1 / ENLARGED)
    args = tuple(large(x, sizes[i]) if i in sizes else x for i, x in enumerate(case.args))
    dout = None if case.dout is None else large(case.dout)
    return replace(case, name=f"{case.name}, large numbers", args=args, dout=dout)


def by_columns(case: Case) -> Case:
    """The same case with arrays that lie in memory column by column, as a transpose does: `reshape` and `ravel` copy them."""
    return replace(case, name=f"{case.name}, stored by columns", extra=case.extra | {"order": "F"})


def in_order(package: str, *names: str) -> list[Exercise]:
    """The exercises of a topic's package, one from each module, in the assignment's order."""
    return [importlib.import_module(f"{package}.{name}").EXERCISE for name in names]


def get_exercise(name: str) -> Exercise:
    """The exercise "module.function"; an unknown name raises with the nearest one."""
    if not isinstance(name, str):
        raise TypeError(f"expected the exercise's name, such as 'neurons.preactivation', got {name!r}")
    module = _module(name)
    slug = module if module in registry.topics() else TOPIC_OF.get(module, module)
    if slug not in (*registry.topics(), *dlcourse.TOPICS) and not registry.current().files:
        # A notebook on its own: what its folder knows
        registry.use(registry.find_sources(Path.cwd()))
        slug = module if module in registry.topics() else slug
    own = registry.topics()
    known = exercises_of(slug) if slug in (*own, *dlcourse.TOPICS) else {}
    if name in known:
        return known[name]
    every = list(known) or [other for topic in (*own, *dlcourse.TOPICS) for other in exercises_of(topic)]
    near = difflib.get_close_matches(name, every, n=1, cutoff=0.4)
    raise ValueError(f"there is no exercise {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
