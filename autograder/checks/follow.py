"""Errors that follow from an earlier exercise: an answer that calls a wrong function of the student's is judged once more,
with the course's function in the place of the wrong one.
"""

from __future__ import annotations

import contextlib
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from .exercise import Exercise, exercises_of
from .result import Result
from .uses import names_used


def earlier_uses(exercise: Exercise, functions: Sequence[Callable]) -> dict[str, tuple]:
    """{earlier exercise of the topic: the student's functions for it} of those that an answer calls, itself or through others."""
    if exercise.released is not None:
        # There is no function of the course to put in the place of the student's
        return {}
    space: dict[str, Any] = next(
        (function.__globals__ for function in functions if isinstance(function, types.FunctionType)), {}
    )
    names = names_used(functions, space)
    found: dict[str, tuple] = {}
    for name, other in exercises_of(exercise.slug).items():
        if name == exercise.name:
            return found
        own = tuple(space.get(one) for one in other.function_names)
        written = all(isinstance(one, types.FunctionType) for one in own)
        # The course's own function, imported, cannot be what is wrong
        used = names is None or not names.isdisjoint(other.function_names)
        if written and used and not set(own) & set(other.functions):
            found[name] = own
    return found


@contextlib.contextmanager
def course_functions(functions: Sequence[Callable], exercises: Sequence[Exercise]) -> Iterator[None]:
    """In the block the answer's names for these exercises stand for the course's functions."""
    space: Any = next(function.__globals__ for function in functions if isinstance(function, types.FunctionType))
    instead = {function.__name__: function for exercise in exercises for function in exercise.functions}
    before = {name: space[name] for name in instead}
    space.update(instead)
    try:
        yield
    finally:
        space.update(before)


def follows_from(result: Result, causes: Sequence[str]) -> Result:
    """The result of an answer that was judged with the course's functions for these earlier exercises, and says so."""
    names = " and ".join([", ".join(causes[:-1]), causes[-1]] if causes[1:] else causes)
    note = (
        f"Follows from {names}, which {'are' if causes[1:] else 'is'} not right yet: your answer calls it, so here it was judged "
        "with the course's version in its place."
    )
    heading, *rest = result.message.split("\n")
    return replace(result, message="\n".join([heading, note, *rest]), follows=tuple(causes))
