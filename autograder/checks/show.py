"""A result as a student sees it: as text anywhere, as HTML in a notebook, in light and dark themes."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .cells import shell
from .compare import as_array, called, compare, error_bound
from .relations import differs, number

if TYPE_CHECKING:
    from .drivers import Case
    from .exercise import Exercise

# Entries of a result that are shown one by one; of a larger one the worst few
SMALL, WORST = 12, 5


@dataclass(frozen=True)
class Table:
    """Numbers side by side. wrong : for each row, whether it is wrong."""

    title: str
    columns: tuple
    rows: tuple
    wrong: tuple


@dataclass(frozen=True)
class View:
    """All that a check shows.

    result : the `Result`. table : yours and expected on the failing case. call : the line that gives that case. hint : offered after many tries.
    solution : code to compare with, of a right answer only. standing : the points so far and what comes next.
    """

    result: Any
    table: Table | None = None
    call: str = ""
    hint: str = ""
    solution: str = ""
    standing: str = ""


def display(view: View) -> None:
    """HTML where a notebook shows it, text anywhere else."""
    running = shell()
    if running is not None and hasattr(running, "kernel"):
        from IPython.display import display

        display({"text/plain": as_text(view), "text/html": as_html(view)}, raw=True)
    else:
        print(as_text(view))


# --- yours, expected, difference ------------------------------------------------------------------------------------


def table(case: Case, got: Any, expected: Any, names: Sequence[str] = ()) -> Table | None:
    """The `Table` of the first value in `got` that differs from the expected one; None where a table tells nothing.

    names : what the values of an expected tuple are called, in order.
    """
    for path, mine, wanted in _leaves(got, expected, names=names):
        # `expected_values` has filled in the length
        if compare(mine, wanted, case.sum_length, case.tolerance, case.relative) is not None:  # type: ignore[arg-type]
            title = f"Case “{case.name}”{', ' + path if path else ''}"
            array, wanted = as_array(mine), as_array(wanted)
            if array is None or wanted is None:
                return None
            if array.shape != wanted.shape:
                return _two_shapes(title, array, wanted)
            return _entries(title, array, wanted, case)
    return None


def _leaves(got, expected, path="", names=()):
    """(its name, got, expected) of every number, array or word in two values, as far as they are built alike."""
    if isinstance(expected, dict) and isinstance(got, dict) and got.keys() == expected.keys():
        for key in expected:
            yield from _leaves(got[key], expected[key], f"{path}[{key!r}]" if path else str(key))
    elif isinstance(expected, list) and as_array(expected) is not None:
        yield path, got, expected
    elif isinstance(expected, tuple | list) and isinstance(got, tuple | list) and len(got) == len(expected):
        for name, mine, wanted in zip(called(expected, names), got, expected, strict=True):
            yield from _leaves(mine, wanted, ", ".join(filter(None, [path, name if len(expected) > 1 else ""])))
    elif not isinstance(expected, dict | tuple):
        yield path, got, expected


def _two_shapes(title, got, expected):
    rows = [
        (name, str(array.shape), np.array2string(array, precision=4, separator=", ") if array.size <= SMALL else "…")
        for name, array in (("yours", got), ("expected", expected))
    ]
    return Table(title, ("", "shape", "values"), tuple(rows), (True, False))


def _entries(title, got, expected, case):
    wrong = differs(got, expected, error_bound(expected, case.sum_length, case.tolerance), case.relative)
    if not wrong.any():
        return None
    indices = list(np.ndindex(expected.shape))
    if expected.size > SMALL:
        indices = _worst(got, expected, wrong)
        title += f", shape {expected.shape}: {int(wrong.sum())} of {expected.size} entries differ, the worst are"
    rows = [
        (_index(index), number(got[index]), number(expected[index]), _gap(got[index], expected[index]))
        for index in indices
    ]
    return Table(
        title, ("index", "yours", "expected", "difference"), tuple(rows), tuple(bool(wrong[i]) for i in indices)
    )


def _worst(got, expected, wrong):
    with np.errstate(all="ignore"):
        gap = np.where(wrong, np.abs(got.astype(complex) - expected), -1.0)
    gap = np.where(np.isnan(gap), np.inf, gap)
    order = np.argsort(-gap, axis=None, kind="stable")[: min(WORST, int(wrong.sum()))]
    return [tuple(int(i) for i in np.unravel_index(place, gap.shape)) for place in order]


def _index(index):
    return "" if not index else str(index[0]) if len(index) == 1 else str(index)


def _gap(got, expected):
    if expected.dtype.kind == "b" or not (np.isfinite(got) and np.isfinite(expected)):
        return ""
    return number(got.item() - expected.item())


# --- text -----------------------------------------------------------------------------------------------------------


def as_text(view: View) -> str:
    """The view as lines of text, for a terminal."""
    lines = [str(view.result)]
    if view.table:
        lines.append(_text_table(view.table))
    if view.call:
        lines.append("\n    ".join(["Get this case:", *view.call.splitlines()]))
    if view.hint:
        lines.append(view.hint)
    if view.solution:
        lines.append(f'Compare with ours: from autograder import solution; solution("{view.result.name}")')
    if view.standing:
        lines.append(view.standing)
    return "\n".join(lines)


def _text_table(made):
    rows = [made.columns, *made.rows]
    # Values of several lines stand in their own column, one below the other
    cells = [[cell.replace("\n", "") for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(made.columns))]
    signs = ["", *("✗" if wrong else "" for wrong in made.wrong)]
    lines = [
        "    " + "  ".join([*(cell.rjust(width) for cell, width in zip(row, widths, strict=True)), sign]).rstrip()
        for row, sign in zip(cells, signs, strict=True)
    ]
    return "\n".join([f"{made.title}:", *lines])


# --- HTML -----------------------------------------------------------------------------------------------------------

# Colours that are read on white and on black; everything else is the theme's own
_RIGHT, _WRONG, _OPEN = "#2da44e", "#e5534b", "#8b949e"
_FAINT = "rgba(127,127,127,.14)"


def marked(text: str) -> str:
    """The text as HTML, escaped, with `code` and *stress* as what they mean."""
    escaped = html.escape(text)
    escaped = re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped)
    return re.sub(r"(?<![\w*])\*(\w[^*<>]*\w)\*(?![\w*])", r"<em>\1</em>", escaped)


def as_html(view: View) -> str:
    """The view as HTML: a heading with a sign, the message, the table, what can be unfolded."""
    result = view.result
    color, sign = (_RIGHT, "✓") if result.passed else (_WRONG, "✗") if result.attempted else (_OPEN, "○")
    first, _, rest = result.message.partition("\n")
    parts = [
        f'<div style="font-size:1.1em;font-weight:600"><span style="color:{color};margin-right:.4em">{sign}</span>'
        f"{marked(first.removeprefix(sign).strip())}</div>"
    ]
    parts += [
        f'<div style="margin-top:.4em;white-space:pre-wrap">{marked(line)}</div>' for line in rest.split("\n") if line
    ]
    if view.table:
        parts.append(_html_table(view.table))
    if view.call:
        parts.append(f'<div style="margin-top:.4em">Get this case:</div>{_code(view.call)}')
    if view.hint:
        head, _, body = view.hint.partition(": ")
        parts.append(_unfolds(f"Open {head[0].lower()}{head[1:]}", f"<div>{marked(body)}</div>"))
    if view.solution:
        parts.append(
            _unfolds(
                "Compare with ours",
                f"<div>One way to write it; yours is right and may look different.</div>{_code(view.solution)}",
            )
        )
    if view.standing:
        parts.append(f'<div style="margin-top:.5em;opacity:.8">{marked(view.standing)}</div>')
    return (
        f'<div role="status" style="border-left:4px solid {color};padding:.3em 0 .3em .9em;margin:.3em 0;max-width:60em;'
        f'line-height:1.45">{"".join(parts)}</div>'
    )


def _unfolds(summary, body):
    return (
        f'<details style="margin-top:.5em"><summary style="cursor:pointer;font-weight:600">{marked(summary)}</summary>'
        f'<div style="margin:.3em 0 0 1em">{body}</div></details>'
    )


def _code(code):
    return (
        f'<pre style="margin:.3em 0;padding:.4em .7em;border-radius:4px;overflow-x:auto;background:{_FAINT};'
        f'color:inherit">{html.escape(code)}</pre>'
    )


def _html_table(made):
    cell = "padding:.15em .8em;text-align:right;white-space:pre;border:0"
    head = "".join(f'<th scope="col" style="{cell};font-weight:600">{name}</th>' for name in (*made.columns, ""))
    rows = ""
    for row, wrong in zip(made.rows, made.wrong, strict=True):
        sign = f'<td style="{cell};color:{_WRONG}">{"✗" if wrong else ""}</td>'
        values = "".join(f'<td style="{cell}">{html.escape(value)}</td>' for value in row)
        rows += f'<tr style="background:{_FAINT if wrong else "transparent"}">{values}{sign}</tr>'
    title = f'<div style="margin-top:.6em">{marked(made.title)}:</div>'
    return (
        f'{title}<table style="border-collapse:collapse;margin:.4em 0;font-variant-numeric:tabular-nums;font-size:.95em">'
        f'<thead><tr style="border-bottom:1px solid {_OPEN}">{head}</tr></thead><tbody>{rows}</tbody></table>'
    )


def call_line(names: Sequence[str], exercise: Exercise, case: Case) -> str:
    """`X, w = case("neurons.preactivation", "five examples")`."""
    given = f"case({json.dumps(exercise)}, {json.dumps(case, ensure_ascii=False)})"
    return f"{', '.join(names)} = {given}" if names else given
