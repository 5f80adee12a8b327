"""Which global names an answer uses: by its own code, and by that of what it calls. Runs where the answer is."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterable
from typing import Any

# Code with one of these may use a name that stands nowhere in it
_ANY_NAME = {
    *("eval", "exec", "globals", "locals", "vars", "getattr", "attrgetter", "modules"),
    *("get_ipython", "import_module", "__import__", "__main__"),
}
# To follow more would take a student's time
_MOST = 10_000


def names_used(functions: Iterable[Any], space: dict[str, Any]) -> set[str] | None:
    """Names that the code of these functions uses, and that of the notebook's functions that it calls; None for "any".

    Followed are functions, in closures, defaults, wrappers, classes, objects and containers too. "Any" is also what too
    many values to follow give: it costs a student nothing.

    functions : the answer. space : the notebook's global names.
    """
    home = space.get("__name__")
    names: set[str] = set()
    # By identity, and kept: an object that is gone may leave its number to another one
    seen: dict[int, Any] = {}
    todo: list[Any] = [*functions]
    while todo:
        value = todo.pop()
        if id(value) in seen:
            continue
        seen[id(value)] = value
        if len(seen) > _MOST:
            return None
        if isinstance(value, types.FunctionType):
            todo += _held(value)
            if value.__globals__ is space:
                used = _names_in(value.__code__)
                if used & _ANY_NAME:
                    return None
                todo += [space[name] for name in used - names if name in space]
                names |= used
        elif isinstance(value, type):
            if value.__module__ == home:
                todo += [*vars(value).values(), *value.__mro__]
        else:
            todo += _parts(value, home)
    return names


def _names_in(code):
    """The names in a piece of code and in those within it: of globals, and of attributes."""
    codes = [code]
    for one in codes:
        codes += [inner for inner in one.co_consts if isinstance(inner, types.CodeType)]
    return {name for one in codes for name in one.co_names}


def _held(function):
    """What a function has brought with it."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            # Not bound yet
            continue
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield from vars(function).values()


def _parts(value, home):
    """What may hold a function of the notebook."""
    if isinstance(value, functools.partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, staticmethod | classmethod | types.MethodType):
        return [value.__func__, getattr(value, "__self__", None)]
    if isinstance(value, property):
        return [value.fget, value.fset]
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if isinstance(value, types.ModuleType):
        return []
    held = getattr(value, "__dict__", None)
    parts = list(held.values()) if isinstance(held, dict) else []
    # What `functools.cache` makes has its function here; `np.vectorize` keeps it among its attributes
    return [*parts, *([type(value)] if type(value).__module__ == home else [])]
