"""How an answer is judged: equal to the reference within the error of rounding, or where and how it differs."""

import math
from dataclasses import dataclass

import numpy as np

from .drivers import kind


@dataclass(frozen=True)
class Difference:
    """The first thing that differs: a sentence for the student, and the relation if there is a telling one."""

    text: str
    relation: str = ""

    def __str__(self):
        return self.text + (f" {self.relation}" if self.relation else "")


def error_bound(expected, terms, tolerance=None):
    """The relative error that a right answer may have, from the precision of the expected values.

    A sum of n terms in any order has a relative error of at most n·eps / (1 − n·eps) (Higham, Accuracy and Stability of
    Numerical Algorithms, section 4.2); eight times that leaves room for a few operations in a row.
    """
    if tolerance is not None:
        return tolerance
    eps = np.finfo(expected.dtype).eps if expected.dtype.kind == "f" else np.finfo(float).eps
    bound = 8 * max(terms, 16) * float(eps)
    return bound / (1 - bound) if bound < 0.1 else 0.1


def compare(got, expected, terms=16, tolerance=None, relative=False, batch=None):
    """None if `got` equals `expected` within the bound, else the `Difference`.

    got, expected : numbers, arrays, None, strings, or nested tuples, lists and dicts of them.
    terms, tolerance, relative : as in `Case`.
    batch : number of examples, to recognise a sum where the mean was asked.
    """
    return _compare(got, expected, "", terms, tolerance, relative, batch)


def _compare(got, expected, path, terms, tolerance, relative, batch):
    at = f"{path}: " if path else ""
    if expected is None or isinstance(expected, str | bool):
        same = got is None if expected is None else isinstance(got, type(expected) | np.generic) and got == expected
        return None if same else Difference(f"{at}expected {expected!r}, got {kind(got)}.")
    if isinstance(expected, dict):
        if not isinstance(got, dict) or got.keys() != expected.keys():
            found = f"the keys {', '.join(map(str, got))}" if isinstance(got, dict) else kind(got)
            return Difference(f"{at}expected a dict with the keys {', '.join(map(str, expected))}, got {found}.")
        pairs = [(got[key], expected[key], f"{path}[{key!r}]" if path else str(key)) for key in expected]
    elif isinstance(expected, tuple | list) and not _is_number_list(expected):
        if not isinstance(got, tuple | list) or len(got) != len(expected):
            return Difference(f"{at}expected {len(expected)} values, got {kind(got)}.")
        words = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
        names = [f"{words[i]} value" if i < len(words) else f"value {i + 1}" for i in range(len(expected))]
        pairs = [(g, e, f"{path}, {name}" if path else name) for g, e, name in zip(got, expected, names, strict=True)]
        if len(expected) == 1:
            pairs = [(got[0], expected[0], path)]
    else:
        return _compare_arrays(got, np.asarray(expected), at, terms, tolerance, relative, batch)
    for g, e, where in pairs:
        difference = _compare(g, e, where, terms, tolerance, relative, batch)
        if difference is not None:
            return difference
    return None


def _is_number_list(value):
    return isinstance(value, list) and len(value) > 0 and all(isinstance(x, int | float | np.number) for x in value)


def as_array(value):
    """The value as a numeric array, or None if it is none; objects that only claim to be equal never are."""
    if isinstance(value, np.ndarray | np.generic | int | float | complex | list | tuple) and not isinstance(value, str):
        try:
            array = np.asarray(value)
        except (ValueError, TypeError, OverflowError):
            return None
        return array if array.dtype.kind in "biufc" else None
    return None


def _compare_arrays(got, expected, at, terms, tolerance, relative, batch):
    array = as_array(got)
    wanted = "a number" if expected.ndim == 0 else f"an array of shape {expected.shape}"
    if array is None:
        return Difference(f"{at}expected {wanted}, got {kind(got)}.")
    if array.shape != expected.shape:
        return Difference(
            f"{at}expected {'shape ' + str(expected.shape) if expected.ndim else wanted}, got shape {array.shape}.",
            _shape_relation(array, expected),
        )
    if expected.size == 0:
        return None
    if expected.dtype.kind == "b" and array.dtype.kind != "b":
        return Difference(f"{at}expected True and False (dtype bool), got dtype {array.dtype}.")
    if expected.dtype.kind in "iu" and array.dtype.kind == "b":
        return Difference(
            f"{at}expected whole numbers, got True and False (dtype bool).", "`.astype(int)` turns them into 1 and 0."
        )
    bound = error_bound(expected, terms, tolerance)
    wrong = _wrong(array, expected, bound, relative)
    if not wrong.any():
        return None
    if array.dtype.kind in "iub" and expected.dtype.kind == "f":
        return Difference(
            f"{at}expected decimal numbers ({expected.dtype}), got dtype {array.dtype}: the fractions are lost."
        )
    worst = _worst(array, expected, wrong)
    return Difference(at + worst if at else worst[0].upper() + worst[1:], _relation(array, expected, bound, batch))


def _wrong(array, expected, bound, relative):
    """Where the arrays differ by more than the bound; NaN and infinities must stand at the same places."""
    a, e = array.astype(complex if array.dtype.kind == "c" else float), expected.astype(float)
    if expected.dtype.kind in "iub":
        return ~(a == e)
    finite = np.isfinite(e)
    if relative:
        scale = np.abs(e)
    else:
        scale = np.max(np.abs(e), initial=0.0, where=finite)
        scale = scale if scale > 0.0 else np.finfo(float).tiny
    with np.errstate(invalid="ignore", over="ignore"):
        close = np.abs(a - e) <= bound * scale
    same = (a == e) | (np.isnan(a.real) & np.isnan(e))
    return np.where(finite, ~(close | same), ~same)


def _worst(array, expected, wrong):
    """The entry with the largest difference, in words."""
    with np.errstate(invalid="ignore", over="ignore"):
        gap = np.where(wrong, np.abs(array.astype(complex) - expected), -1.0)
    gap = np.where(np.isnan(gap), np.inf, gap)
    index = tuple(int(i) for i in np.unravel_index(np.argmax(gap), gap.shape))
    g, e = array[index], expected[index]
    place = f"at index {index if len(index) > 1 else index[0]}" if index else "the value:"
    text = f"{place} expected {number(e)}, got {number(g)}"
    if expected.dtype.kind == "f" and np.isfinite(g) and np.isfinite(e):
        text += f" (difference {number(g - e)})"
    count = int(wrong.sum())
    if expected.size > 1:
        text += (
            f"; {'all' if count == expected.size else count} of {expected.size} entries differ"
            if count > 1
            else f"; the other {expected.size - 1} entries are right"
        )
    return text + "."


def number(x):
    """A number short enough to read and long enough to see the difference."""
    if isinstance(x, np.bool_ | bool):
        return str(bool(x))
    if np.iscomplexobj(x):
        return f"{complex(x):.6g}"
    return str(int(x)) if float(x).is_integer() and abs(float(x)) < 1e6 else f"{float(x):.6g}"


def _shape_relation(array, expected):
    if array.ndim >= 2 and array.shape == expected.shape[::-1]:
        return "It is transposed."
    if array.ndim == expected.ndim + 1:
        for axis in range(array.ndim):
            if array.shape[:axis] + array.shape[axis + 1 :] == expected.shape:
                summed = array.sum(axis=axis)
                if not _wrong(summed, expected, 1e-6, False).any():
                    return f"Its sum over axis {axis} is what is asked."
                if not _wrong(array.mean(axis=axis), expected, 1e-6, False).any():
                    return f"Its mean over axis {axis} is what is asked."
    if (
        array.size == expected.size
        and array.size
        and not _wrong(array.reshape(expected.shape), expected, 1e-6, False).any()
    ):
        return "The numbers are right, the shape is not."
    if array.ndim == 2 and expected.ndim == 1 and array.shape[0] == array.shape[1] == expected.shape[0]:
        return "A column and a row were broadcast against each other."
    return ""


def _relation(array, expected, bound, batch):
    """A simple relation between the two, if there is one: a sign, a factor, a transposition."""
    loose = max(bound, 1e-6)
    if bound < 1e-6 and expected.dtype.kind == "f" and not _wrong(array, expected, 1e-6, True).any():
        return "It agrees to six digits, not to the last ones: a constant with too few, or digits lost on the way?"
    if array.ndim == 2 and array.shape[0] == array.shape[1] > 1 and not _wrong(array.T, expected, loose, False).any():
        return "It is transposed."
    if expected.dtype.kind != "f" or not (np.isfinite(array).all() and np.isfinite(expected).all()):
        if expected.dtype.kind == "f" and np.isnan(array).any() and not np.isnan(expected).any():
            return f"{int(np.isnan(array).sum())} entries are NaN."
        return ""
    a, e = array.astype(float).ravel(), expected.astype(float).ravel()
    if not np.any(e):
        return ""
    if not np.any(a):
        return "Yours is zero everywhere."
    with np.errstate(all="ignore"):
        ratio = float(a @ e / (e @ e))
        if not math.isfinite(ratio) or ratio == 0.0 or _wrong(a, ratio * e, loose, False).any():
            shift = float(np.mean(a - e))
            if a.size > 1 and abs(shift) > 1e-9 and not _wrong(a - shift, e, loose, False).any():
                return (
                    f"Yours is larger by {number(shift)} everywhere."
                    if shift > 0
                    else f"Yours is smaller by {number(-shift)} everywhere."
                )
            if a.size > 1 and not _wrong(np.abs(a), np.abs(e), loose, False).any():
                return "Only signs differ."
            return ""
    if a.size == 1 and batch is None:
        batch = 0
    named = [
        (-1.0, "Yours has the opposite sign."),
        (2.0, "Yours is twice as large."),
        (0.5, "Yours is half as large."),
    ]
    if batch and batch > 1:
        named += [
            (float(batch), f"Yours is {batch} times as large, the number of examples: a sum where the mean is asked?"),
            (1.0 / batch, f"Yours is 1/{batch} of it, one over the number of examples: a mean where the sum is asked?"),
        ]
    for factor, text in named:
        if abs(ratio - factor) <= 1e-6 * abs(factor):
            return text
    telling = a.size > 1 and abs(ratio - 1.0) > 1e-6
    return f"Yours is {number(ratio)} times what is expected, everywhere." if telling else ""
