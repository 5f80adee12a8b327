"""What an assignment's own code imports: where such a package is missing, no answer is at fault."""

from __future__ import annotations

import ast
import os
import sys
import warnings
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

# They are always there
KNOWN = {*sys.stdlib_module_names, "autograder", "dlcourse", "numpy", "scipy", "IPython", "__main__"}


def plain_python(source: str) -> str:
    """A cell without its lines for the shell and its magics; nothing of a cell of another language."""
    lines = source.splitlines()
    first = next((line.strip() for line in lines if line.strip()), "")
    if first.startswith("%%") and first.split()[0] not in ("%%time", "%%timeit", "%%capture", "%%prun"):
        return ""
    return "\n".join("pass" if line.strip()[:1] in ("!", "%") else line for line in lines)


def find_imports(source: str) -> list[str]:
    """The statements that import something whenever this code runs: not those of an attempt, a condition or a function."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(plain_python(source)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found = []
    for node in body:
        if isinstance(node, ast.Import):
            found += [f"import {alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [f"from {node.module} import {alias.name}" for alias in node.names]
    return [statement for statement in found if module_of(statement) not in KNOWN]


def module_of(statement: str) -> str:
    """The top of the package that a statement imports: "import a.b" and "from a.b import c" give "a"."""
    return statement.split()[1].partition(".")[0]


def imports_of(sources: Iterable[str], files: Mapping[str, bytes], students_keep: Collection[str]) -> tuple[str, ...]:
    """What the course's cells import, and the modules of the course that they import; nothing that a student hands in."""
    found: dict[str, None] = {}
    todo = list(sources)
    while todo:
        for statement in find_imports(todo.pop()):
            name = module_of(statement)
            if f"{name}.py" in files and statement not in found:
                todo.append(files[f"{name}.py"].decode("utf-8", "replace"))
            found[statement] = None
    own = modules_in((*files, *students_keep))
    return tuple(sorted(statement for statement in found if module_of(statement) not in own))


def modules_in(files: Iterable[str]) -> set[str]:
    """The names that files and folders beside a notebook give to modules."""
    return {name.partition("/")[0].removesuffix(".py") for name in files}


def not_handed_in(imports: Iterable[str], folders: Collection[Path]) -> tuple[str, ...]:
    """The imports but for modules that somebody of the class has handed in: those are answers."""
    return tuple(
        statement
        for statement in imports
        if not any(
            os.path.isfile(folder / f"{module_of(statement)}.py") or os.path.isdir(folder / module_of(statement))
            for folder in folders
        )
    )
