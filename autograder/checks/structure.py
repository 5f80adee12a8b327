"""What an answer is made of, looked at before anything is computed with it: a wrong size costs no arithmetic."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .drivers import kind

# Where an answer has more entries than this many times the expected ones, and is not small, nothing is made of it
TIMES, SMALL = 64, 10_000


def entries(value: Any) -> float:
    """How many numbers stand in nested lists and arrays; infinitely many where anything else stands among them."""
    if isinstance(value, np.ndarray):
        return value.size if value.dtype.kind in "biufc" else math.inf
    if isinstance(value, tuple | list):
        return sum(map(entries, value))
    return 1 if isinstance(value, bool | int | float | complex | np.number | np.bool_) else math.inf


def far_larger(value: Any, expected: Any) -> bool:
    """Whether a value has so many more entries than the expected array that no relation between the two can matter."""
    return entries(value) > max(SMALL, TIMES * np.size(expected))


def other_structure(got: Any, expected: Any, at: str = "") -> str:
    """Where a value is made of other things than the expected one, in a sentence; "" where it is not."""
    if isinstance(expected, np.ndarray):
        wanted = f"an array of shape {expected.shape}"
        if not isinstance(got, np.ndarray) or got.shape != expected.shape:
            return f"{at}expected {wanted}, got {kind(got)}."
        return "" if got.dtype.kind in "biuf" else f"{at}expected {wanted} of real numbers, got dtype {got.dtype}."
    if isinstance(expected, dict):
        if not isinstance(got, dict) or got.keys() != expected.keys():
            return f"{at}expected a dict with the keys {', '.join(map(str, expected))}, got {kind(got)}."
        pairs = [(got[key], expected[key], f"{at}{key}: ") for key in expected]
    elif isinstance(expected, tuple | list):
        if not isinstance(got, tuple | list) or len(got) != len(expected):
            return f"{at}expected {kind(expected)}, got {kind(got)}."
        pairs = [(x, y, at) for x, y in zip(got, expected, strict=True)]
    else:
        same = entries(got) == 1 and np.ndim(got) == 0 if entries(expected) == 1 else type(got) is type(expected)
        return "" if same else f"{at}expected {kind(expected)}, got {kind(got)}."
    return next(filter(None, (other_structure(*pair) for pair in pairs)), "")
