"""What a person should know of an answer's text: that it calls the course's own functions, that it carries a table."""

from __future__ import annotations

import ast
import functools
import warnings
from collections.abc import Iterator, Sequence

from ..checks.exercise import get_exercise
from .tasks import EXERCISE, TEXT, Step

# More numbers than any shown solution has, and more than a long docstring
NUMBERS, CHARACTERS = 60, 1500


def remarks(steps: Sequence[Step]) -> list[str]:
    """One sentence for each student's cell that calls what its exercise's solution does not, or is full of numbers."""
    usual = {
        name
        for step in steps
        if step.kind == EXERCISE and step.calls
        for function in get_exercise(step.calls[0]).solutions
        for name in function.__code__.co_names
    }
    known: dict[str, str] = {}
    found = []
    for step in steps:
        if step.kind == TEXT:
            continue
        if not step.student:
            known |= _imported_by_the_course(step.source)
            continue
        if not _may_be_remarkable(step.source, known):
            continue
        nodes = _nodes(step.source)
        known |= _imported(nodes)
        where = f"cell {step.grade_id or step.cell + 1}"
        called = dict.fromkeys(name for name in _called(nodes, known) if name.rsplit(".", 1)[1] not in usual)
        if called:
            found.append(f"{where}: the answer calls {', '.join(called)}")
        carried = _carried(nodes)
        if carried:
            found.append(f"{where}: the answer carries a table ({carried})")
    return found


def _may_be_remarkable(source, known):
    """Whether a cell is worth parsing."""
    return (
        "dlcourse" in source
        or any(name in source for name in known)
        or len(source) > CHARACTERS
        or sum(map(str.isdigit, source)) > NUMBERS
    )


@functools.lru_cache(1024)
def _imported_by_the_course(source) -> dict[str, str]:
    """As `_imported`: its cells are the same in every submission."""
    return _imported(_nodes(source))


def _nodes(source) -> list[ast.AST]:
    """Every node of a cell; none of one that cannot be read."""
    # Lines for the shell and magics are not Python; the rest of the cell is
    lines = ["pass" if line.lstrip()[:1] in ("!", "%") else line for line in source.splitlines()]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return list(ast.walk(ast.parse("\n".join(lines))))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _imported(nodes) -> dict[str, str]:
    """{name in the notebook: what it is in the course}."""
    found = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "dlcourse":
                    found[alias.asname or "dlcourse"] = alias.name if alias.asname else "dlcourse"
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "dlcourse":
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _called(nodes, known) -> Iterator[str]:
    """The functions of the course that are named anywhere but in an import."""
    for node in nodes:
        parts = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in known:
            name = ".".join([known[node.id], *reversed(parts)])
            if name.count(".") >= 2:
                yield name


def _carried(nodes):
    """The table that a cell carries, in words; "" where it carries none."""
    constants = [node.value for node in nodes if isinstance(node, ast.Constant)]
    numbers = sum(isinstance(value, int | float | complex) and not isinstance(value, bool) for value in constants)
    longest = max((len(value) for value in constants if isinstance(value, str | bytes)), default=0)
    if numbers > NUMBERS:
        return f"{numbers} numbers"
    return f"a text of {longest} characters" if longest > CHARACTERS else ""
