"""Functions of a teacher's file as data: their source, and what it names, so that they run where the file is not.

A hunt tries an input on wrong implementations, and nobody knows the input before. So they go to students as code, packed
so that nobody reads a solution by accident; that keeps nothing secret.
"""

from __future__ import annotations

import ast
import base64
import functools
import importlib
import inspect
import json
import sys
import textwrap
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import BuildError
from . import registry


class Carrier:
    """Collects functions; `packed` is what goes along. value : writes plain data as JSON, raising BuildError for other."""

    def __init__(self, value: Callable):
        self.value = value
        self.entries: list[dict[str, Any]] = []
        self.places: dict[int, int] = {}

    def add(self, function: Any) -> int:
        """The number under which a function, or a class, goes along with what it names."""
        if id(function) in self.places:
            return self.places[id(function)]
        name = getattr(function, "__name__", str(function))
        written = inspect.isfunction(function) or inspect.isclass(function)
        if not written or name == "<lambda>" or getattr(function, "__closure__", None):
            raise BuildError(f"{name} goes to students as code, so it has to be a function with `def`, by itself")
        source = textwrap.dedent(inspect.getsource(function))
        entry: dict[str, Any] = {"name": name, "source": source, "names": {}}
        self.places[id(function)] = len(self.entries)
        self.entries.append(entry)
        known = function.__globals__ if inspect.isfunction(function) else vars(sys.modules[function.__module__])
        used = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
        if inspect.isfunction(function):
            # Not its own variables, which may have a name of the file
            used &= _globals_of(function.__code__)
        entry["names"] = {one: self._named(name, one, known[one]) for one in sorted(used & set(known) - {name})}
        return self.places[id(function)]

    def _named(self, function, name, value):
        if inspect.ismodule(value):
            if not registry.holds_exercises(value.__name__):
                return {"module": value.__name__}
            raise BuildError(
                f"{function} goes to students as code and uses the module {name}: import what it needs of it"
            )
        if inspect.isfunction(value) or inspect.isclass(value):
            # A slip's helpers belong to no module
            if registry.holds_exercises(value.__module__) or value.__module__ not in sys.modules:
                return {"carried": self.add(value)}
            return {"object": [value.__module__, value.__qualname__]}
        if isinstance(value, np.ufunc) or inspect.isbuiltin(value):
            return {"object": [getattr(value, "__module__", None) or "numpy", value.__name__]}
        try:
            return {"value": self.value(value)}
        except BuildError:
            raise BuildError(
                f"{function} goes to students as code and uses {name}, which cannot go along: write it inside the function"
            ) from None

    @property
    def packed(self) -> str:
        return base64.b64encode(zlib.compress(json.dumps(self.entries).encode())).decode()


def _globals_of(code):
    """The names that code, and code inside it, takes from its file."""
    inside = (one for one in code.co_consts if inspect.iscode(one))
    return set(code.co_names).union(*map(_globals_of, inside))


def unpacked(packed: str, value: Callable, where: str) -> list[Any]:
    """The functions and classes of `packed`, in the order of their numbers. value : reads plain data. where : for tracebacks."""
    entries = json.loads(zlib.decompress(base64.b64decode(packed)))
    made: list[Any] = [None] * len(entries)
    # What a function names was added after it, so the last ones come first; those that name each other find it below
    spaces = []
    for number, entry in reversed(list(enumerate(entries))):
        filename = f"<released {where}/{number}>"
        registry.remember(filename, entry["source"])
        space = {name: _read(told, made, value) for name, told in entry["names"].items()}
        space |= {"__name__": "released"}
        exec(compile(entry["source"], filename, "exec"), space)
        made[number] = space[entry["name"]]
        spaces.append((space, entry))
    for space, entry in spaces:
        space |= {name: _read(told, made, value) for name, told in entry["names"].items() if "carried" in told}
    return made


def _read(told, made, value):
    ((kind, one),) = told.items()
    if kind == "module":
        return importlib.import_module(one)
    if kind == "object":
        return functools.reduce(getattr, one[1].split("."), importlib.import_module(one[0]))
    return made[one] if kind == "carried" else value(one)
