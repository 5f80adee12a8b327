"""`dlcourse check`: what a student can know before handing in."""

from .. import offline
from ..engine.store.records import NOT_ATTEMPTED, RIGHT
from ..reports import pages
from . import console, fail, table
from .grade import shown


def main(notebook, timeout=30.0, json=False):
    """Check a notebook and say what came of it; returns the exit status: 0 all right, 1 something is not, 2 a wrong call."""
    if timeout <= 0:
        return fail(f"--timeout: expected seconds above 0, got {timeout:g}")
    try:
        outcome = offline.check_notebook(notebook, timeout)
    except offline.NoNotebook as error:
        return fail(error)
    if json:
        print(outcome.to_json())
    else:
        _print(outcome)
    return 0 if outcome.passed else 1


def _print(outcome):
    from rich.text import Text

    out = console()
    columns = "exercise", "result", "points", "what to look at"
    rows = table(out, shown(outcome.notebook), *columns, numbers=("points",))
    signs = {RIGHT: ("✓", "green"), NOT_ATTEMPTED: ("○", "dim")}
    for one in outcome.checks:
        sign, colour = signs.get(one.verdict, ("✗", "red"))
        rows.add_row(
            one.exercise,
            Text(f"{sign} {one.verdict}", style=colour),
            f"{pages.number(one.points)} of {pages.number(one.max_points)}",
            (one.mistake or "").replace("_", " "),
        )
    out.print(rows)
    # What stopped early explains much of what follows
    for number, error in outcome.errors:
        out.print(f"code cell {number} stopped with {shown(error)}", markup=False, soft_wrap=True)
    for one in outcome.checks:
        if one.verdict not in (RIGHT, NOT_ATTEMPTED):
            out.print()
            out.print("\n".join(map(shown, one.message.split("\n"))), markup=False, soft_wrap=True)
    if outcome.problem:
        out.print(f"\n{outcome.problem}", markup=False)
    words = (
        f"{pages.number(outcome.points)} of {pages.number(outcome.max_points)} points on the cases that you can see; "
    )
    words += "grading asks the same of other numbers, and a few cases more."
    if outcome.by_hand:
        words += f" {pages.plural(outcome.by_hand, 'written answer')} will be read by a person."
    out.print(f"\n{words}", soft_wrap=True)
