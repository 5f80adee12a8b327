"""How a wrong array relates to the right one, where a simple relation tells more than the numbers: a sign, a factor, an axis.

Each relation is a function of a `Pair` that returns a sentence, or "" where it does not hold. Every sentence is true of the
whole array within the rounding of a right answer; what may be behind it stands as a question.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .structure import far_larger

# Relations hold to six digits: an answer with another rounding on top is still "twice as large"
DIGITS = 1e-6


@dataclass(frozen=True)
class Pair:
    """A student's array beside the expected one.

    bound : relative error that a right answer may have. batch : number of examples, None where there are none.
    reduction : "mean" or "sum" over the examples, "" where that is not known.
    """

    got: np.ndarray
    expected: np.ndarray
    bound: float = DIGITS
    batch: int | None = None
    reduction: str = ""

    def equal(self, got: Any, expected: Any = None, relative: bool = False) -> bool:
        """Whether an array made from the student's equals the expected one, loosely."""
        expected = self.expected if expected is None else expected
        return not differs(got, expected, max(self.bound, DIGITS), relative).any()

    @property
    def ratio(self) -> Any:
        """The factor r with got = r · expected, 0 where there is none."""
        a, e = self.got.astype(float).ravel(), self.expected.astype(float).ravel()
        ratio = float(a @ e / (e @ e))
        return ratio if np.isfinite(ratio) and self.equal(a, ratio * e) else 0.0


def differs(got: Any, expected: Any, bound: float, relative: bool) -> Any:
    """Where the arrays differ by more than the bound; NaN and infinities must stand at the same places."""
    a, e = got.astype(complex if got.dtype.kind == "c" else float), expected.astype(float)
    if expected.dtype.kind in "iub":
        return ~(a == e)
    finite = np.isfinite(e)
    scale = np.abs(e) if relative else np.max(np.abs(e), initial=0.0, where=finite)
    with np.errstate(invalid="ignore", over="ignore"):
        close = np.abs(a - e) <= bound * scale
    same = (a == e) | (np.isnan(a.real) & np.isnan(e))
    return np.where(finite, ~(close | same), ~same)


def number(x: Any) -> str:
    """A number short enough to read and long enough to see the difference."""
    if isinstance(x, np.bool_ | bool):
        return str(bool(x))
    if np.iscomplexobj(x):
        return f"{complex(x):.6g}"
    return str(int(x)) if float(x).is_integer() and abs(float(x)) < 1e6 else f"{float(x):.6g}"


# --- another shape --------------------------------------------------------------------------------------------------


def turned(pair: Pair) -> str:
    if pair.got.ndim >= 2 and pair.got.shape == pair.expected.shape[::-1]:
        return "It is transposed."
    return ""


def axis_of_one(pair: Pair) -> str:
    got, expected = pair.got, pair.expected
    if not got.size or got.ndim <= expected.ndim:
        return ""
    if tuple(n for n in got.shape if n != 1) != tuple(n for n in expected.shape if n != 1):
        return ""
    if not pair.equal(got.reshape(expected.shape)):
        return ""
    many = got.ndim - expected.ndim
    return (
        f"The numbers are right, with {'an axis' if many == 1 else f'{many} axes'} of length 1 too many: "
        "is there a `keepdims=True`, or a slice where an index is meant?"
    )


def not_reduced(pair: Pair) -> str:
    if pair.got.ndim != pair.expected.ndim + 1 or not pair.got.size:
        return ""
    for axis in range(pair.got.ndim):
        if pair.got.shape[:axis] + pair.got.shape[axis + 1 :] == pair.expected.shape:
            if pair.equal(pair.got.sum(axis=axis)):
                return f"Its sum over axis {axis} is what is asked."
            if pair.equal(pair.got.mean(axis=axis)):
                return f"Its mean over axis {axis} is what is asked."
    return ""


def other_shape(pair: Pair) -> str:
    if pair.got.size == pair.expected.size > 0 and pair.equal(pair.got.reshape(pair.expected.shape)):
        return "The numbers are right, the shape is not."
    return ""


def outer(pair: Pair) -> str:
    if pair.expected.ndim == 1 and pair.got.shape == 2 * pair.expected.shape:
        return "A column and a row were broadcast against each other."
    return ""


# --- the same shape -------------------------------------------------------------------------------------------------


def few_digits(pair: Pair) -> str:
    if pair.bound >= DIGITS or pair.expected.dtype.kind != "f" or not pair.equal(pair.got, relative=True):
        return ""
    return "It agrees to six digits, not to the last ones: a constant with too few, or digits lost on the way?"


def transposed(pair: Pair) -> str:
    if pair.got.ndim == 2 and pair.got.shape[0] == pair.got.shape[1] and pair.equal(pair.got.T):
        return "It is transposed."
    return ""


def not_a_number(pair: Pair) -> str:
    if np.isnan(pair.expected).any():
        return ""
    count = int(np.isnan(pair.got).sum())
    if not count or pair.got.size == 1:
        return ""
    if count == pair.got.size:
        return "All entries are NaN."
    return "One entry is NaN." if count == 1 else f"{count} entries are NaN."


def zero_everywhere(pair: Pair) -> str:
    return "Yours is zero everywhere." if pair.got.size > 1 and not pair.got.any() else ""


# {what is asked over the examples: (what a division too many, what one too few may come from)}
_DIVISIONS = {
    "mean": (
        "the mean is asked; is it divided by their number twice?",
        "the mean over them is asked; is the division missing?",
    ),
    "sum": ("a mean where the sum is asked?", "the sum is asked; is each of them added more than once?"),
    "": ("is it divided by their number once too often?", "is a division by their number missing?"),
}


def factor(pair: Pair) -> str:
    ratio = pair.ratio
    if ratio == 0.0:
        return ""
    known = [(1.0, ""), (2.0, "twice as large"), (0.5, "half as large")]
    if pair.batch:
        n = pair.batch
        often, seldom = _DIVISIONS[pair.reduction]
        known += [
            (float(n), f"{n} times as large, with {n} examples: {seldom}"),
            (1.0 / n, f"1/{n} of what is expected, with {n} examples: {often}"),
        ]
    for size, words in known:
        if abs(abs(ratio) - size) <= DIGITS * size:
            return _in_words(words, ratio < 0)
    if pair.got.size == 1:
        return ""
    return f"Yours is {number(ratio)} times what is expected, everywhere."


def _in_words(words, negative):
    if not words:
        return "Yours has the opposite sign." if negative else ""
    if negative:
        head, mark, tail = words.partition(":")
        words = f"{head}, and has the opposite sign{mark}{tail}"
    return f"Yours is {words}" + ("" if words.endswith("?") else ".")


def shifted(pair: Pair) -> str:
    if pair.got.size < 2:
        return ""
    shift = float(np.mean(pair.got - pair.expected))
    if abs(shift) <= 1e-9 or not pair.equal(pair.got - shift):
        return ""
    return f"Yours is {'larger' if shift > 0 else 'smaller'} by {number(abs(shift))} everywhere."


def signs_only(pair: Pair) -> str:
    # Booleans have no sign
    same = pair.got.size < 2 or (np.sign(pair.got.astype(float)) == np.sign(pair.expected)).all()
    return "" if same or not pair.equal(np.abs(pair.got), np.abs(pair.expected)) else "Only signs differ."


Relations = tuple[Callable[[Pair], str], ...]

OF_SHAPES: Relations = (turned, axis_of_one, not_reduced, other_shape, outer)
OF_ANY_NUMBERS: Relations = (few_digits, transposed, not_a_number)
OF_FINITE_NUMBERS: Relations = (zero_everywhere, factor, shifted, signs_only)


def relation(pair: Pair) -> str:
    """The first relation that holds, as a sentence; "" where none does."""
    if pair.got.shape != pair.expected.shape:
        if far_larger(pair.got, pair.expected):
            return ""
        relations = OF_SHAPES
    elif pair.expected.dtype.kind == "f" and pair.got.dtype.kind != "c" and pair.expected.any() and _finite(pair):
        relations = OF_ANY_NUMBERS + OF_FINITE_NUMBERS
    else:
        relations = OF_ANY_NUMBERS
    # Differences and products of a student's numbers may overflow
    with np.errstate(all="ignore"):
        return next(filter(None, (holds(pair) for holds in relations)), "")


def _finite(pair):
    return bool(np.isfinite(pair.got).all() and np.isfinite(pair.expected).all())
