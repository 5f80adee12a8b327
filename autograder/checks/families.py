"""Mistakes that hold a number, which may be any: an ε, a limit, a base. Which one an answer has is found on one case."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

# What students write has few digits: the first are tried over all magnitudes, the second and third near the best
_MAGNITUDES = range(-20, 7)
_FIRST = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0)
# Of processor time: a busy machine takes no name away
SECONDS = 0.5


def fitted(distance: Callable[[float], float], seconds: float = SECONDS, near: Sequence[float] = ()) -> float | None:
    """The number of at most three digits with the smallest distance to an answer; None where no distance is finite.

    distance : 0 where the mistake with this number gives what the answer gives. near : numbers whose magnitudes come first.
    """
    until = time.process_time() + seconds
    known: dict[float, float] = {}

    def best(numbers):
        for number in numbers:
            if number not in known and time.process_time() < until:
                known[number] = distance(number)
            if known.get(number) == 0.0:
                return number
        return min(known, key=lambda number: known[number], default=None)

    def searched(powers):
        found = best([float(f"{first}e{power}") for power in powers for first in _FIRST])
        for digits in (1, 2):
            if found is not None and known[found] > 0.0 and np.isfinite(known[found]):
                power = int(np.floor(np.log10(found)))
                step, wide = 10.0 ** (power - digits), 10 if digits == 1 else 9
                # 0.25 before 0.23, where a statistic takes either
                steps = sorted(range(-wide, wide + 1), key=lambda i: i % 5 != 0)
                found = best([float(f"{found + i * step:.{digits}e}") for i in steps if found + i * step > 0])
        return found

    found = searched(sorted({int(np.floor(np.log10(number))) for number in near}))
    if found is None or known[found] > 0.0:
        found = searched(_MAGNITUDES)
    return found if found is not None and np.isfinite(known[found]) else None


def distance(got: Any, made: Any) -> float:
    """How far two values are from each other, relative to the largest entry of each array; inf where their forms differ."""
    pairs = list(_pairs(got, made))
    if not pairs or any(pair is None for pair in pairs):
        return np.inf
    return max(map(_gap, pairs))


def _pairs(got, made):
    if isinstance(got, dict) and isinstance(made, dict) and got.keys() == made.keys():
        for key in got:
            yield from _pairs(got[key], made[key])
    elif isinstance(got, tuple | list) and isinstance(made, tuple | list) and len(got) == len(made):
        for one, other in zip(got, made, strict=True):
            yield from _pairs(one, other)
    elif got is None or isinstance(got, str):
        yield (np.zeros(1), np.zeros(1)) if type(got) is type(made) and got == made else None
    else:
        try:
            arrays = np.asarray(got, dtype=float), np.asarray(made, dtype=float)
        except (TypeError, ValueError):
            arrays = np.zeros(0), np.zeros(1)
        yield arrays if arrays[0].shape == arrays[1].shape else None


def _gap(pair):
    got, made = pair
    with np.errstate(all="ignore"):
        same = (got == made) | (np.isnan(got) & np.isnan(made))
        if same.all():
            return 0.0
        gap = np.abs(got - made)[~same]
        scale = np.max(np.abs(got), initial=0.0, where=np.isfinite(got)) or 1.0
    # One infinity more or less is far away, but not so far that nothing can be compared
    return float(np.minimum(np.max(np.nan_to_num(gap, nan=1e300, posinf=1e300)), 1e300) / max(scale, 1e-8))
