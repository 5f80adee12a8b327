"""How an answer is judged: equal to the reference within the error of rounding, or where and how it differs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .drivers import kind
from .relations import Pair, differs, number, relation
from .structure import entries, far_larger

PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


@dataclass(frozen=True)
class Difference:
    """The first thing that differs: a sentence for the student, and the relation if there is a telling one."""

    text: str
    relation: str = ""

    def __str__(self):
        return self.text + (f" {self.relation}" if self.relation else "")


@dataclass(frozen=True)
class Rules:
    """What counts as equal: `sum_length`, `tolerance` and `relative` as in `Case`; `batch`, `reduction` as in `compare`.

    said : whether the difference is put into words, which takes much longer than to find it.
    """

    sum_length: int = 1
    tolerance: float | None = None
    relative: bool = False
    batch: int | None = None
    reduction: str = ""
    said: bool = True


# What is not put into words
_SOME = Difference("The values differ.")


def error_bound(expected: Any, sum_length: int, tolerance: float | None = None) -> float:
    """The relative error that a right answer may have, from the precision of the expected values.

    A sum of n terms in any order has a relative error of at most n·eps / (1 − n·eps) (Higham, Accuracy and Stability of
    Numerical Algorithms, section 4.2); eight times that leaves room for a few operations in a row.
    """
    if tolerance is not None:
        return tolerance
    eps = np.finfo(expected.dtype).eps if expected.dtype.kind == "f" else np.finfo(float).eps
    bound = 8 * max(sum_length, 16) * float(eps)
    return bound / (1 - bound) if bound < 0.1 else 0.1


def compare(
    got: Any,
    expected: Any,
    sum_length: int = 1,
    tolerance: float | None = None,
    relative: bool = False,
    batch: int | None = None,
    names: Sequence[str] = (),
    reduction: str = "",
) -> Difference | None:
    """None if `got` equals `expected` within the bound, else the `Difference`.

    Parameters
    ----------
    got, expected : numbers, arrays, None, strings, or nested tuples, lists and dicts of them.
    sum_length, tolerance, relative : as in `Case`.
    batch : number of examples, to recognise a missing or a second division by it.
    names : what the values of an expected tuple are called, in order.
    reduction : "mean" or "sum", what is taken over the examples; "" where that is not known.
    """
    return _compare(got, expected, Rules(sum_length, tolerance, relative, batch, reduction), names=names)


def equal(got: Any, expected: Any, sum_length: int = 1, tolerance: float | None = None, relative: bool = False) -> bool:
    """Whether `compare` finds no difference; much faster where there is one, for nothing has to be said of it."""
    return _compare(got, expected, Rules(sum_length, tolerance, relative, said=False)) is None


def _compare(got, expected, rules, path="", names=()):
    at = f"{path}: " if path else ""
    if expected is None or isinstance(expected, str | bool):
        same = isinstance(got, type(expected) | np.generic) and got == expected
        if not same and isinstance(expected, str) and type(got) is str:
            return Difference(f"{at}expected “{expected}”, got “{got[:100]}”.")
        return None if same else Difference(f"{at}expected {expected!r}, got {kind(got)}.")
    if isinstance(expected, dict):
        return _compare_dicts(got, expected, path, at, rules)
    if isinstance(expected, tuple | list) and not _is_number_list(expected):
        return _compare_values(got, expected, path, at, rules, names)
    return _compare_arrays(got, np.asarray(expected), at, rules)


def _compare_dicts(got, expected, path, at, rules):
    keys = ", ".join(map(str, expected))
    if not isinstance(got, dict):
        return Difference(f"{at}expected a dict with the keys {keys}, got {kind(got)}.")
    missing = [str(key) for key in expected if key not in got]
    extra = [str(key)[:40] for key in got if key not in expected]
    if missing:
        have = "the key" if len(missing) == 1 else "the keys"
        verb = "is" if len(missing) == 1 else "are"
        return Difference(f"{at}{have} {', '.join(missing)} {verb} missing; expected a dict with the keys {keys}.")
    if extra:
        return Difference(f"{at}expected a dict with the keys {keys}; yours also has {', '.join(extra[:5])}.")
    pairs = ((got[key], expected[key], f"{path}[{key!r}]" if path else str(key)) for key in expected)
    return _first_difference(pairs, rules)


def _compare_values(got, expected, path, at, rules, names):
    wanted = "one value" if len(expected) == 1 else f"{len(expected)} values"
    if len(names) == len(expected):
        wanted += f", {', '.join(names)}"
    if not isinstance(got, tuple | list) or len(got) != len(expected):
        return Difference(f"{at}expected {wanted}, got {kind(got)}.")
    if len(expected) == 1:
        return _compare(got[0], expected[0], rules, path)
    pairs = [
        (g, e, f"{path}, {name}" if path else name)
        for name, g, e in zip(called(expected, names), got, expected, strict=True)
    ]
    difference = _first_difference(pairs, rules)
    if difference is None or not rules.said or not _reordered(got, expected, rules):
        return difference
    order = f"the order is {', '.join(names)}" if len(names) == len(expected) else "see the text for the order"
    return Difference(f"{at}the values are right, their order is not: {order}.")


def called(values: Any, names: Sequence[str] = ()) -> Sequence[str]:
    """What each of several values is called in a message: its name if there are as many names, else its place."""
    return names if len(names) == len(values) else [_place(i) for i in range(len(values))]


def _place(index):
    return f"{PLACES[index]} value" if index < len(PLACES) else f"value {index + 1}"


def _reordered(got, expected, rules):
    """Whether each value stands among the expected ones, at another place."""
    left, rules = list(expected), replace(rules, said=False)
    for value in got:
        place = next((i for i, wanted in enumerate(left) if _compare(value, wanted, rules) is None), None)
        if place is None:
            return False
        del left[place]
    return True


def _first_difference(pairs, rules):
    for got, expected, path in pairs:
        difference = _compare(got, expected, rules, path)
        if difference is not None:
            return difference
    return None


def _is_number_list(value):
    return isinstance(value, list) and all(isinstance(x, int | float | np.number) for x in value)


def as_array(value: Any) -> Any:
    """The value as a numeric array, or None if it is none; objects that only claim to be equal never are."""
    if isinstance(value, list | tuple) and entries(value) == math.inf:
        # Beside a long text every number would take as much room as the text
        return None
    if isinstance(value, np.ndarray | np.generic | int | float | complex | list | tuple) and not isinstance(value, str):
        try:
            array = np.asarray(value)
        except (ValueError, TypeError, OverflowError):
            return None
        return array if array.dtype.kind in "biufc" else None
    return None


def _compare_arrays(got, expected, at, rules):
    array = None if isinstance(got, list | tuple) and far_larger(got, expected) else as_array(got)
    wanted = "a number" if expected.ndim == 0 else f"an array of shape {expected.shape}"
    if array is None:
        return Difference(f"{at}expected {wanted}, got {kind(got)}.")
    bound = error_bound(expected, rules.sum_length, rules.tolerance)
    pair = Pair(array, expected, bound, rules.batch, rules.reduction)
    if array.shape != expected.shape and not rules.said:
        return _SOME
    if array.shape != expected.shape:
        wanted = f"shape {expected.shape}" if expected.ndim else wanted
        return Difference(f"{at}expected {wanted}, got shape {array.shape}.", relation(pair))
    if expected.size == 0:
        return None
    text = _other_kind(array, expected)
    if text:
        return Difference(at + text)
    wrong = differs(array, expected, bound, rules.relative)
    if not wrong.any():
        return None
    if not rules.said:
        return _SOME
    if _truncated(array, expected):
        return Difference(
            f"{at}expected decimal numbers ({expected.dtype}), got dtype {array.dtype}: the fractions are lost."
        )
    worst = _worst(array, expected, wrong)
    # Behind a name "the value" is one word too many
    return Difference(at + worst.removeprefix("the value: ") if at else worst[0].upper() + worst[1:], relation(pair))


def _other_kind(array, expected):
    """What is wrong with the dtype alone, as a sentence; "" if nothing is."""
    if expected.dtype.kind == "b" and array.dtype.kind != "b":
        return f"expected True and False (dtype bool), got dtype {array.dtype}."
    if expected.dtype.kind in "iu" and array.dtype.kind == "b":
        return "expected whole numbers, got True and False (dtype bool). `.astype(int)` turns them into 1 and 0."
    if expected.dtype.kind == "f" and array.dtype.kind == "b":
        return (
            f"expected numbers ({expected.dtype}), got True and False (dtype bool), which cannot be subtracted. "
            "`.astype(float)` turns them into 1 and 0."
        )
    return ""


def _truncated(array, expected):
    """Whether whole numbers stand where fractions are asked, and nothing else is wrong."""
    rounded = (whole(expected) for whole in (np.trunc, np.floor, np.rint, np.ceil))
    return array.dtype.kind in "iu" and any(np.array_equal(array, one) for one in rounded)


def _worst(array, expected, wrong):
    """The entry with the largest difference, in words."""
    with np.errstate(invalid="ignore", over="ignore"):
        gap = np.where(wrong, np.abs(array.astype(complex) - expected), -1.0)
    index = tuple(int(i) for i in np.unravel_index(np.argmax(gap), gap.shape))
    g, e = array[index], expected[index]
    place = f"at index {index if len(index) > 1 else index[0]}" if index else "the value:"
    text = f"{place} expected {number(e)}, got {number(g)}"
    if expected.dtype.kind == "f" and np.isfinite(g) and np.isfinite(e):
        with np.errstate(over="ignore"):
            text += f" (difference {number(g - e)})"
    return text + _count(int(wrong.sum()), expected.size) + "."


def _count(wrong, size):
    if size == 1:
        return ""
    if wrong == 1:
        return "; the other entry is right" if size == 2 else f"; the other {size - 1} entries are right"
    return f"; all {size} entries differ" if wrong == size else f"; {wrong} of {size} entries differ"
