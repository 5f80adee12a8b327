"""Answers that earn by a figure: how well a trained thing does on data that the answer has never seen.

The figure is computed where the held-out data is, and never beside a student's code: what comes out of there is
predictions or parameters, as data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .compare import as_array
from .drivers import WrongAnswer, kind

if TYPE_CHECKING:
    from .drivers import Case


@dataclass(frozen=True)
class Scale:
    """What a figure earns: nothing up to `zero`, everything from `full` on, in between its share.

    measured : what the figure is, "accuracy on letters that your function has not seen".
    zero, full : the two ends, which students are told; full < zero where less is better.
    figure : (value, case) -> the number; a value that cannot be measured raises `WrongAnswer` with the reason.
    """

    measured: str
    zero: float
    full: float
    figure: Callable[[Any, Case], float]

    def share(self, figure: float) -> float:
        """The share of the points, 0…1; 0 for what is not finite."""
        if not np.isfinite(figure):
            return 0.0
        return float(np.clip((figure - self.zero) / (self.full - self.zero), 0.0, 1.0))

    def judged(self, value: Any, case: Case) -> tuple[float, str]:
        """(share, what keeps it from everything as a sentence; "" if nothing does)."""
        try:
            with np.errstate(all="ignore"):
                figure = float(self.figure(value, case))
        except WrongAnswer as error:
            text = str(error)
            return 0.0, f"{text[0].upper()}{text[1:]}."
        except MemoryError:
            raise
        # Whatever an answer holds, it is the answer that cannot be measured
        except Exception as error:
            return 0.0, f"Your answer could not be measured ({type(error).__name__}); it returned {kind(value)}."
        share = self.share(figure)
        text = f"The {self.measured} is {figure:.3g}; {self.zero:g} earns nothing, {self.full:g} everything."
        return share, "" if share == 1.0 else text

    def __str__(self):
        if self.full < self.zero:
            ends = f"{self.zero:g} and more earns nothing, {self.full:g} and less everything"
        else:
            ends = f"{self.zero:g} and less earns nothing, {self.full:g} and more everything"
        return f"{self.measured}: {ends}, what lies between its share"


def numbers(value: Any, name: str, shape: Sequence[int | None]) -> np.ndarray:
    """The value as an array of numbers of this shape (None: any length), or `WrongAnswer`: to be called before any arithmetic."""
    array = as_array(value)
    if array is None or array.dtype.kind not in "fiub":
        raise WrongAnswer(f"expected {name}, an array of numbers, got {kind(value)}")
    if array.ndim != len(shape) or any(b is not None and a != b for a, b in zip(array.shape, shape, strict=True)):
        wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ("," if len(shape) == 1 else "") + ")"
        raise WrongAnswer(f"expected {name} of shape {wanted}, got shape {array.shape}")
    return array.astype(float)


def several(value: Any, names: Sequence[str]) -> Sequence[Any]:
    """The value as a tuple of so many, or `WrongAnswer`."""
    if not isinstance(value, tuple | list) or len(value) != len(names):
        raise WrongAnswer(f"expected {len(names)} values, {', '.join(names)}, got {kind(value)}")
    return value
