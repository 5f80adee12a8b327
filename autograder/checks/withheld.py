"""Which functions of the course are withheld while an exercise is judged: its reference, and those that give its answer away.

`doors.json` is derived (`python -m autograder.checks.doors`).
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("doors.json")
# A project trains with the student's own functions
TRAINERS = frozenset({"training.fit", "training.Trainer.step", "training.Trainer._step", "optimizers.lbfgs"})
# A graph of values holds every rule of the topic in its methods: no single call of them is tried
WHOLE = {"graph": "graph"}


@functools.cache
def table() -> dict[str, dict]:
    """{"doors": {exercise: [functions]}, "tried": {function: its fingerprint}}."""
    return json.loads(TABLE.read_text(encoding="utf-8"))


@functools.cache
def doors(name: str) -> frozenset[str]:
    """{"module.function"} of the course from which the answer of an exercise follows in one call, its reference left out."""
    module, _, function = name.partition(".")
    found = frozenset(table()["doors"].get(name, ())) | (TRAINERS if function == "project" else frozenset())
    return found | _everything(WHOLE[module]) if module in WHOLE else found


def door_functions(name: str) -> tuple[Callable, ...]:
    """The functions and methods themselves."""
    return tuple(map(_found, sorted(doors(name))))


def _found(name):
    parts = name.split(".")
    for many in range(len(parts) - 1, 0, -1):
        try:
            value: Any = importlib.import_module(".".join(["dlcourse", *parts[:many]]))
        except ModuleNotFoundError:
            continue
        return functools.reduce(getattr, parts[many:], value)
    raise LookupError(f"the course has no {name}; derive the table again: python -m autograder.checks.doors")


def _everything(module):
    """Every function of a module, and every method but those that make and show an object."""
    found: set[str] = set()
    for name, value in vars(importlib.import_module(f"dlcourse.{module}")).items():
        if inspect.isfunction(value) and value.__module__ == f"dlcourse.{module}" and not name.startswith("__"):
            found.add(f"{module}.{name}")
        elif inspect.isclass(value) and value.__module__ == f"dlcourse.{module}" and not issubclass(value, tuple):
            methods = [key for key, method in vars(value).items() if inspect.isfunction(method)]
            found |= {f"{module}.{name}.{key}" for key in methods if key not in ("__init__", "__repr__")}
    return frozenset(found)
