"""The code that a teacher shows: a reference's signature and docstring, a solution's body in NumPy's words.

A mistake is mostly a *slip* of that code: the same lines with a few characters exchanged.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import pprint
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from dlcourse.lesson import plain_code


def solution_parts(function: Callable, solution: Callable | None = None) -> tuple:
    """(head, body) of a reference: its signature with a short docstring, and its code in NumPy's words without the checks.

    The docstring is what a student needs beside the exercise (`short_docstring`). The code is that of `solution` where that is given: a right variant of the exercise.
    """
    head, body = _head_and_body(function)
    return head, body if solution is None else _head_and_body(solution)[1]


def _head_and_body(function):
    source = inspect.getsource(function)
    lines = source.splitlines()
    tree: Any = ast.parse(source).body[0]
    documented = ast.get_docstring(tree) is not None
    head = "\n".join(lines[: tree.body[0].lineno - 1])
    if documented:
        head = "\n".join([head, *_as_source(short_docstring(function))])
    return head, "\n".join(plain_code(function).splitlines()[tree.body[0].lineno - 1 :]).strip("\n")


# A gradient is what these exercises ask for
GRADIENTS = ("_grad", "_backward", "_delta")
_KEPT_SECTIONS = ("Parameters", "Returns", "Yields")
_FORMULA = re.compile(r":? *`[^`]*(?:[=←]|\+=)[^`]*`")


def short_docstring(function: Callable) -> str:
    """What a function does, its arguments with their shapes, what it returns, and the conventions it keeps.

    Notes, sources, errors and examples are left out; a gradient's formulas, too: they are the answer.
    """
    head, *sections = re.split(r"\n\n(?=\w+\n-{3,}\n)", inspect.getdoc(function) or "")
    if function.__name__.endswith(GRADIENTS):
        head = _without_formulas(head)
    return "\n\n".join([head, *(text for text in sections if text.split("\n")[0] in _KEPT_SECTIONS)])


def _without_formulas(text):
    """The paragraphs up to the first one that holds a formula; of the summary, what stands before its formula."""
    summary, *more = text.split("\n\n")
    found = _FORMULA.search(summary)
    kept = [summary[: found.start()].rstrip(",. ") + "." if found else summary]
    for paragraph in more:
        if _FORMULA.search(paragraph) or ".. math::" in paragraph or paragraph.endswith(":"):
            break
        kept.append(paragraph)
    return "\n\n".join(kept)


def _as_source(text):
    """The lines of a docstring in a function's body."""
    first, *rest = textwrap.indent(text, "    ").split("\n")
    opening = '    r"""' if "\\" in text else '    """'
    return [opening + first.strip() + '"""'] if not rest else [opening + first.strip(), *rest, '    """']


@cache
def shown_code(function: Callable) -> str:
    """The code of a function as the instructor's notebook shows it: no docstring, no checks, `np.` for `xp.`."""
    return plain_code(function)


def assigned(name: str, value: Any) -> str:
    """The code that gives a variable a value of numbers, texts, lists and dicts."""
    written = pprint.pformat(value, width=100, sort_dicts=False)
    if "\n" in written and isinstance(value, dict):
        # One key on a line, in from the brackets
        lines = textwrap.indent(textwrap.dedent(f" {written[1:-1]}"), "    ")
        return f"{name} = {{\n{lines},\n}}"
    return f"{name} = {written}"


# --- slips ----------------------------------------------------------------------------------------------------------


# Stands in a slip's new text for a number that may be any
THETA = "θ"


@dataclass(frozen=True)
class Slip:
    """Wrong code, as what is exchanged in the shown solution; `slip` makes one.

    helpers : functions that the solution calls, in whose code the texts are exchanged instead; see `slip_in`.
    callers : functions between the helpers and the solution: these call the helpers, the solution calls these.
    values : where the new text holds θ, some of the numbers that may stand for it; value : the one that does.
    """

    pairs: tuple
    everywhere: bool = False
    helpers: tuple = ()
    callers: tuple = ()
    values: tuple = ()
    value: float | None = None

    @property
    def ways(self) -> list[Slip]:
        """The slip with each of its values, or itself where it has none."""
        return [replace(self, value=value) for value in self.values] if self.value is None and self.values else [self]

    def applied(self, code: str) -> str:
        """The code with the slip in it. Each text must stand there exactly once, or an error names it."""
        for old, new in self.pairs:
            times = code.count(old)
            if not times or (times > 1 and not self.everywhere):
                raise ValueError(f"slip: expected {old!r} once in the solution, found it {times} times in\n{code}")
            if old == new:
                raise ValueError(f"slip: {old!r} is exchanged for itself")
            code = code.replace(old, new if self.value is None else new.replace(THETA, repr(self.value)))
        return code


def slip(old: str, new: str, *more: str, everywhere: bool = False, values: Sequence[float] = ()) -> Slip:
    """A mistake that exchanges text of the shown solution: `old` for `new`, and so on for further pairs.

    Each text must stand in the solution exactly once (with both functions of a pair read as one text), in the order in
    which the pairs are applied; `everywhere=True` exchanges every occurrence, at least one. Where the pairs do not fit
    on one line, each has its own. Where the new text holds θ, a number, the mistake may have any (an ε, a limit, a base);
    `values` are those that the audit tries.
    """
    texts = (old, new, *more)
    if len(texts) % 2:
        raise TypeError(f"slip: expected pairs of old and new text, got {len(texts)} texts")
    if any(THETA in text for text in texts[1::2]) != bool(values):
        raise TypeError(f"slip: expected {THETA} in a new text and some `values` for it, or neither")
    return Slip(tuple(zip(texts[::2], texts[1::2], strict=True)), everywhere, values=tuple(values))


def slip_in(functions: Sequence[Callable], slip: Slip) -> Slip:
    """The slip in the code of functions that the solution calls by name, as a cell's slip in a network of such cells.

    A slip that stands in helpers already stays there; `functions` are then what calls them.
    """
    if slip.helpers:
        return replace(slip, callers=(*slip.callers, *functions))
    return replace(slip, helpers=tuple(functions))


class Solution:
    """The shown code of an exercise's solution functions, from which its slips are made."""

    def __init__(self, name, functions):
        self.name = name
        self.functions = tuple(functions)
        self.code = _one_text(self.functions)

    def before_and_after(self, slip: Slip) -> tuple[str, str]:
        """The code that a slip changes, without and with it: the solution's, or that of its helpers."""
        code = _one_text(slip.helpers) if slip.helpers else self.code
        return code, slip.applied(code)

    def slipped(self, slip: Slip, slug: str) -> tuple:
        """The solution's functions with a slip in them, or in a helper that they call."""
        return self.family(slip, slug)(slip.value)

    def family(self, slip: Slip, slug: str) -> Callable[[float | None], tuple]:
        """A function that makes the solution's functions with a slip in them for any value of its number."""
        _, code = self.before_and_after(slip)
        if slip.helpers:
            code = "\n\n\n".join([code, *map(shown_code, slip.callers), self.code])
        names: dict[str, Any] = {"np": np}
        for function in (*slip.helpers, *slip.callers, *self.functions):
            names |= function.__globals__
        names |= {"np": np, "__name__": f"{self.name}.{slug}"}
        # Tracebacks and `inspect` find the changed lines
        file = f"<slip {self.name} {slug} {hash((slip.pairs, slip.value)) & 0xFFFFFFFF:x}>"
        linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
        compiled = compile(code, file, "exec")

        def made(value):
            space = names | {THETA: value}
            exec(compiled, space)
            return tuple(space[function.__name__] for function in self.functions)

        # A function carries the numbers that it may hold, beside its one argument
        made.values = slip.values  # type: ignore[attr-defined]
        return made


def _one_text(functions):
    return "\n\n\n".join(map(shown_code, functions))
