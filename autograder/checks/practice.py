"""Questions to practise with: an exercise on numbers so small that the answer is worked out by hand and typed.

The right answer is the reference's, a typed one is compared as answers are, and a wrong one is named where it is what a known
mistake gives on the same numbers.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .compare import compare, equal
from .drivers import Case, kind
from .evaluation import timed
from .exercise import Exercise, Mistake, get_exercise
from .notebook import arguments_of
from .result import Explanation
from .solution import short_docstring

# Of a typed number the error allowed, for those who round; tries for numbers that ask something
TYPED, TRIES, SECONDS = 0.005, 50, 1.0
# Of an answer: its largest number, the characters of a typed one, and the mistakes that are named at most
LARGEST, LETTERS, NAMES = 1000, 500, 2


@dataclass(frozen=True)
class Question:
    """What can be asked of an exercise, with ever other numbers.

    exercise : its name. draw : rng -> `Case`, of a few small numbers.
    asked : what to ask for, one of them at a time: "" (all that a plain function returns), the name of one of its values,
        "forward" of a pair or the name of a value of its backward, "w after step 2" of an optimizer.
    """

    exercise: str
    draw: Callable[[np.random.Generator], Case]
    asked: Sequence[str] = ("",)


@dataclass(frozen=True)
class Variant:
    """A question with its numbers.

    given : [(name, value)]. asked : as in `Question`. expected : the right answer.
    """

    exercise: Exercise
    case: Case
    given: list[tuple[str, Any]]
    asked: str
    expected: Any

    @property
    def text(self) -> str:
        """What the student reads."""
        function = self.exercise.functions[0 if self.asked in ("", "forward") else -1]
        first = short_docstring(function).partition("\n\n")[0]
        lines = [
            f"{self.exercise.name}. {' '.join(first.split())}",
            *(f"{name} = {shown(x)}" for name, x in self.given),
        ]
        names = self.exercise.value_names(self.exercise.parts[0])
        if not self.asked and isinstance(self.expected, tuple) and len(names) == len(self.expected):
            return "\n".join([*lines, f"What are {' and '.join(names)}? Type a list."])
        wanted = {"": "the result", "forward": "the output"}.get(self.asked, self.asked)
        return "\n".join([*lines, f"What is {wanted}?"])


@dataclass(frozen=True)
class Reply:
    """What is said to a typed answer. understood : whether it could be read at all. mistakes : the slugs of those named."""

    right: bool
    text: str
    understood: bool = True
    mistakes: tuple[str, ...] = ()


def question(exercise: str, draw: Callable[[np.random.Generator], tuple], *asked: str, **fields: Any) -> Question:
    """A question whose `draw` gives the arguments, with `dout` for a pair behind them; `fields` are others of the case.

    A field may be a function of the generator.
    """

    def case(rng):
        made = {name: value(rng) if callable(value) else value for name, value in fields.items()}
        return Case("practice", draw(rng), **made)

    return Question(exercise, case, asked or ("",))


def whole(rng: np.random.Generator, *shape: int, low: int = -3, high: int = 4) -> Any:
    """Whole numbers as decimals: an array of a shape, a number without one."""
    made = rng.integers(low, high, shape).astype(float)
    return made if shape else float(made)


def draw(asked: Question, rng: np.random.Generator) -> Variant:
    """A variant whose answer is finite, small and not nothing."""
    exercise = get_exercise(asked.exercise)
    for left in reversed(range(TRIES)):
        case, wanted = asked.draw(rng), str(rng.choice(asked.asked))
        expected = _value(exercise, exercise.functions, case, wanted)
        if not left or _asks_something(expected):
            break
    return Variant(exercise, case, _given(exercise, case, wanted), wanted, expected)


def _asks_something(value):
    array = np.asarray(value, dtype=float)
    return np.isfinite(array).all() and np.abs(array).max(initial=0.0) <= LARGEST and array.any()


class _Nothing(Exception):
    """An implementation that gives no such value."""


def _value(exercise, functions, case, asked):
    """What functions give for what is asked; raises `_Nothing` where they raise or give something else."""
    outcomes = timed(exercise, functions, case, SECONDS)
    outcome = outcomes[0] if asked in ("", "forward") else outcomes[-1]
    if outcome.error is not None:
        raise _Nothing
    names = exercise.value_names(outcome.part)
    if asked in ("", "forward") or names == (asked,):
        return _squeezed(outcome.value)
    try:
        return _squeezed(outcome.value[names.index(asked) if asked in names else asked])
    except (TypeError, KeyError, IndexError, ValueError):
        raise _Nothing from None


def _squeezed(value):
    """The value; images and sequences without their axes of length 1, which nobody wants to type."""
    return np.squeeze(value) if isinstance(value, np.ndarray) and value.ndim > 2 else value


def _given(exercise, case, asked):
    """[(name, value)] of what the student is told; for what a forward gives nothing of the way back."""
    if "gradients" in case.extra:
        steps = [(f"dw in step {i}", dw) for i, dw in enumerate(case.extra["gradients"], 1)]
        return [("w", case.args[0]), *steps, *case.kwargs.items()]
    given = arguments_of(exercise, case)
    if asked == "forward":
        count = len(case.args) + len(case.kwargs)
        return given[:count]
    return given


# --- typed answers --------------------------------------------------------------------------------------------------


def reply(variant: Variant, text: str) -> Reply:
    """What is said to a typed answer; parameters: the variant and the text."""
    try:
        typed = parse(text)
    except ValueError as error:
        return Reply(False, str(error), understood=False)
    expected = variant.expected
    if isinstance(expected, tuple):
        typed = list(typed) if isinstance(typed, np.ndarray) else typed
    elif np.asarray(expected).dtype.kind == "b":
        typed = _as_flags(typed)
    difference = compare(typed, expected, tolerance=TYPED)
    if difference is None:
        return Reply(True, "Right.")
    named = _mistakes(variant, typed)
    lines = ["Not right."]
    for mistake in named:
        words = "is another convention than the one asked for" if mistake.convention else "looks like a known mistake"
        hint = Explanation(mistake, alone=False).hint
        lines.append(f"This {words} ({mistake.slug.replace('_', ' ')}). {hint}")
    if not named:
        lines.append(_place(variant, typed, str(difference)))
    return Reply(False, "\n".join(filter(None, lines)), mistakes=tuple(one.slug for one in named))


def _place(variant, typed, text):
    """Where an unnamed answer is wrong, without the right numbers: its shape, or how many entries are right."""
    got, wanted = np.asarray(typed), np.asarray(variant.expected)
    if got.shape != wanted.shape:
        return text[:1].upper() + text[1:]
    right = (
        int(np.sum(np.abs(got - wanted) <= TYPED * np.max(np.abs(wanted))))
        if wanted.dtype.kind != "b"
        else int(np.sum(got == wanted))
    )
    return f"{right} of {wanted.size} entries are right." if wanted.size > 1 else ""


def _as_flags(typed):
    array = np.asarray(typed)
    return array.astype(bool) if array.dtype.kind in "if" and np.isin(array, (0, 1)).all() else typed


def _mistakes(variant: Variant, typed: Any) -> list[Mistake]:
    """The known mistakes that give the typed answer, where they are not more than a few."""
    found = []
    for mistake in variant.exercise.mistakes:
        for functions in mistake.ways:
            try:
                made = _value(variant.exercise, functions, variant.case, variant.asked)
            except _Nothing:
                continue
            if _equal(typed, made) and not _equal(made, variant.expected):
                found.append(mistake)
                break
    return found if len(found) <= NAMES else []


def _equal(typed, value):
    try:
        return equal(typed, value, tolerance=TYPED)
    except (TypeError, ValueError):
        return False


_HOW = "Type a number or a list, such as 3, -0.5, 1/3 or [[1, 2], [3, 4]]."
_SIGNS: dict[type, Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def parse(text: str) -> Any:
    """A typed number, or lists of numbers, as a number or an array; raises ValueError with what can be typed."""
    text = text.strip().replace("−", "-")
    if not text or len(text) > LETTERS:
        raise ValueError(_HOW)
    try:
        value = _read(ast.parse(text, mode="eval").body)
        made = np.array(value)
    except (SyntaxError, ValueError, ZeroDivisionError, OverflowError, RecursionError, MemoryError):
        raise ValueError(f"That cannot be read. {_HOW}") from None
    return value if made.ndim == 0 else made


def _read(node):
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        return [_read(one) for one in node.elts]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_number(_read(node.operand))
    if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
        return _SIGNS[type(node.op)](_number(_read(node.left)), _number(_read(node.right)))
    raise ValueError


def _number(value):
    if isinstance(value, list):
        raise ValueError
    return value


def shown(value: Any) -> str:
    """Numbers as a student would type them, to four digits."""
    if isinstance(value, str | bool) or value is None:
        return repr(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, np.ndarray):
        return shown(_squeezed(value).tolist())
    if isinstance(value, int | float | np.number):
        # No minus before a zero
        return f"{value + 0.0:.4g}"
    return kind(value)
