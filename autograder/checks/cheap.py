"""Answers without content: constants, an argument handed back, the right shape filled with something.

What they pass by luck must be worth nothing. They are made from the exercise itself: the reference is called for the form
of its answer alone, every number in it is exchanged.
"""

from __future__ import annotations

import copy
import functools
import pickle
import types
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from .exercise import returned_names

if TYPE_CHECKING:
    from .exercise import Exercise

CONSTANTS = (0.0, 1.0, 0.5, -1.0, 0, 1, 2, True, False, None, np.inf, "")


def cheap_answers(exercise: Exercise, fills: dict[str, Callable] | None = None) -> Iterator[tuple]:
    """(what it does, its functions, what must be taken off) for every answer without content.

    Of several functions the last is also handed in after right ones; what those pass by themselves is then taken off: the
    same with a last function that raises.
    """
    functions = tuple(map(_remembered, exercise.functions)) if exercise.scales else exercise.functions
    *first, last = functions
    for what, make in _makers(FILLS if fills is None else fills):
        yield what, tuple(map(make, functions)), None
        if first:
            yield f"{what} at last", (*first, make(last)), (*first, _nothing)


def _remembered(function):
    """The function, which trains something for a while, with what it has returned for the same arguments."""
    known: dict[bytes, object] = {}

    @functools.wraps(function)
    def answer(*args, **kwargs):
        key = pickle.dumps((args, kwargs))
        if key not in known:
            known[key] = function(*args, **kwargs)
        return copy.deepcopy(known[key])

    return answer


def _nothing(*args, **kwargs):
    raise NotImplementedError


def _makers(fills):
    for value in CONSTANTS:
        yield f"{value!r}", lambda f, value=value: lambda *args, **kwargs: value
    yield "an empty list", lambda f: lambda *args, **kwargs: []
    yield "an empty array", lambda f: lambda *args, **kwargs: np.zeros(0)
    for i in range(6):
        yield f"argument {i + 1}", lambda f, i=i: lambda *args, **kwargs: _argument(args, i)
    yield "the last argument", lambda f: lambda *args, **kwargs: _argument(args, -1)
    yield "the first argument, with a cache", lambda f: lambda *args, **kwargs: (_argument(args, 0), args)
    yield "the arguments", lambda f: lambda *args, **kwargs: args
    yield "range", lambda f: lambda *args, **kwargs: list(range(_length(args)))
    yield "range backwards", lambda f: lambda *args, **kwargs: list(range(_length(args)))[::-1]
    yield "range as an array", lambda f: lambda *args, **kwargs: np.arange(_length(args))
    for name, fill in fills.items():
        yield name, lambda f, fill=fill: _filled(f, fill)
    for i in range(4):
        yield f"same shape, number {i + 1}", lambda f, i=i: _filled(f, _same_shape(i))
    for i in range(3):
        yield f"size of argument {i + 1}", lambda f, i=i: lambda *args, **kwargs: len(_argument(args, i))
        yield f"mean of argument {i + 1}", lambda f, i=i: lambda *args, **kwargs: float(np.mean(_argument(args, i)))


def _argument(args, i):
    return args[i].copy() if isinstance(args[i], np.ndarray) else args[i]


def _length(args):
    return args[0] if isinstance(args[0], int) else len(args[0])


def _mean(x, given):
    arrays = [a for a in given if a.size > 1 and a.dtype.kind == "f"]
    return np.full_like(x, np.mean(arrays[0]) if arrays else 0)


def _repeated(x, given):
    return np.resize(given[0], x.shape).astype(x.dtype) if given and given[0].size > 1 else np.zeros_like(x)


FILLS: dict[str, Callable] = {
    "zeros": lambda x, given: np.zeros_like(x),
    "ones": lambda x, given: np.ones_like(x),
    "minus ones": lambda x, given: np.full_like(x, -1),
    "halves": lambda x, given: np.full_like(x, 0.5),
    "one over the number of columns": lambda x, given: np.full_like(x, 1 / x.shape[-1] if x.ndim else 1),
    "uniform numbers": lambda x, given: np.random.default_rng(0).random(x.shape).astype(x.dtype),
    "normal numbers": lambda x, given: np.random.default_rng(0).standard_normal(x.shape).astype(x.dtype),
    "0, 1, 2, …": lambda x, given: np.arange(x.size).reshape(x.shape).astype(x.dtype),
    "the identity": lambda x, given: (
        np.broadcast_to(np.eye(*x.shape[-2:]), x.shape).astype(x.dtype) if x.ndim > 1 else x * 0
    ),
    "the input's mean": _mean,
    "the input, cut or repeated": _repeated,
}


def _made_from_the_input(change):
    def fill(x, given):
        """The first array among the arguments, changed, where it then has the shape of the value."""
        made = change(given[0]) if given and given[0].size else np.zeros(0)
        return made.astype(x.dtype) if made.shape == x.shape else np.zeros_like(x)

    return fill


# What scoring does not know of: the audit shows that it earns nothing either
MORE: dict[str, Callable] = {
    "twos": lambda x, given: np.full_like(x, 2),
    "quarters": lambda x, given: np.full_like(x, 0.25),
    "NaN": lambda x, given: np.full_like(x, np.nan) if x.dtype.kind == "f" else np.zeros_like(x),
    "0, 1, 0, 1, …": lambda x, given: (np.arange(x.size) % 2).reshape(x.shape).astype(x.dtype),
    "1, 2, 3, …": lambda x, given: (np.arange(x.size) + 1).reshape(x.shape).astype(x.dtype),
    "1, 0, 0, …": lambda x, given: (np.arange(x.size) == 0).reshape(x.shape).astype(x.dtype),
    "random zeros and ones": lambda x, given: np.random.default_rng(1).integers(0, 2, x.shape).astype(x.dtype),
    "the input's sign": _made_from_the_input(np.sign),
    "the input's sizes": _made_from_the_input(np.abs),
    "the negative input": _made_from_the_input(np.negative),
    "the input sorted": _made_from_the_input(np.sort),
    "the input backwards": _made_from_the_input(lambda a: a[..., ::-1]),
    "the input transposed": _made_from_the_input(np.transpose),
    "twice the input": _made_from_the_input(lambda a: 2 * a),
    "the input's smallest": lambda x, given: np.full_like(x, given[0].min()) if given and given[0].size > 1 else x * 0,
    "the input's last": lambda x, given: np.full_like(x, given[0].flat[-1]) if given and given[0].size > 1 else x * 0,
}


def _same_shape(i):
    def fill(x, given):
        """The i-th argument that has the shape of the value."""
        fitting = [a for a in given if a.shape == x.shape]
        return fitting[min(i, len(fitting) - 1)].copy() if fitting else np.zeros_like(x)

    return fill


def _filled(function, fill):
    """The function with each number of its answer exchanged; the cache of a forward stays."""
    names = returned_names(function)

    def answer(*args, **kwargs):
        result = function(*map(_shadow, args), **kwargs)
        given = list(_arrays((*args, *kwargs.values())))
        if isinstance(result, types.GeneratorType):
            result = list(result)
        if "cache" not in names or type(result) is not tuple:
            return _exchanged(result, given, fill)
        kept = names.index("cache") if len(names) == len(result) else len(result) - 1
        return tuple(x if i == kept else _exchanged(x, given, fill) for i, x in enumerate(result))

    return answer


def _shadow(value):
    """An argument that is a function, with copies of what it notes: a driver that watches it shall see no call."""
    if not isinstance(value, types.FunctionType) or value.__closure__ is None:
        return value
    cells = tuple(types.CellType(copy.deepcopy(cell.cell_contents)) for cell in value.__closure__)
    return types.FunctionType(value.__code__, value.__globals__, closure=cells)


def _exchanged(value, given, fill):
    if isinstance(value, dict):
        return {key: _exchanged(x, given, fill) for key, x in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_exchanged(x, given, fill) for x in value))
    if isinstance(value, list) and all(isinstance(x, int | float) for x in value):
        return fill(np.asarray(value), given).tolist()
    if isinstance(value, tuple | list):
        return type(value)(_exchanged(x, given, fill) for x in value)
    if isinstance(value, bool | int | float | np.generic):
        return fill(np.asarray(value), given)[()].item()
    return fill(value, given) if isinstance(value, np.ndarray) else value


def _arrays(values) -> Iterator[np.ndarray]:
    """The arrays among arguments, at any depth, and the numbers among them."""
    for x in values:
        if isinstance(x, np.ndarray):
            yield x
        elif isinstance(x, int | float):
            yield np.asarray(x)
        elif isinstance(x, dict):
            yield from _deeper(x.values())
        elif isinstance(x, tuple | list):
            yield from _deeper(x)


def _deeper(values):
    return (x for x in _arrays(values) if x.ndim)
