"""`dlcourse check`: what a student can know before handing in."""

import re
import sys

from .. import offline
from ..checks.result import ALSO
from ..engine.store.records import NOT_ATTEMPTED, RIGHT
from ..errors import EngineFault, NoNotebook, NoSandbox
from ..reports import pages
from . import console, fail, table
from .grade import shown


def main(notebook, timeout=30.0, json=False, yes=False):
    """Check a notebook and say what came of it; returns the exit status: 0 all right, 1 something is not, 2 a wrong call."""
    if timeout <= 0:
        return fail(f"--timeout: expected seconds above 0, got {timeout:g}")
    try:
        try:
            outcome = offline.check_notebook(notebook, timeout)
        except NoSandbox as missing:
            if not (yes or _agreed(missing)):
                return 2
            outcome = offline.check_notebook(notebook, timeout, isolation="fresh")
    except NoNotebook as error:
        return fail(error)
    except EngineFault as fault:
        return fail(f"the notebook could not be run: {fault}", 1)
    if json:
        print(outcome.to_json())
    else:
        _print(outcome)
    return 0 if outcome.passed else 1


def _agreed(missing):
    """Whether the user lets the notebook run without a sandbox; where nobody can be asked, the way to say so."""
    words = f"no sandbox here, so the notebook's code runs with your rights ({missing.reason})"
    if not sys.stdin.isatty():
        fail(f"{words}. If you trust the notebook, add --yes")
        return False
    print(f"There is {words}. Check only a notebook that you trust.", file=sys.stderr)
    print("Run it? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _print(outcome):
    from rich.text import Text

    out = console()

    def say(text=""):
        out.print(text, markup=False, soft_wrap=True)

    columns = "exercise", "result", "points", "what to look at"
    rows = table(out, shown(outcome.notebook), *columns, numbers=("points",))
    signs = {RIGHT: ("✓", "green"), NOT_ATTEMPTED: ("○", "dim")}
    for one in outcome.checks:
        sign, colour = signs.get(one.verdict, ("✗", "red"))
        rows.add_row(
            one.exercise,
            Text(f"{sign} {one.verdict}", style=colour),
            f"{pages.number(one.points)} of {pages.number(one.max_points)}",
            _look_at(one),
        )
    out.print(rows)
    # What is lost or stopped early explains much of what follows
    for note in outcome.notes:
        say(f"note: {shown(note)}")
    for one in outcome.errors:
        say(f"{_place(one)} stopped: {shown(one.error)}")
    for message, others in _messages(outcome.checks):
        say()
        say("\n".join(map(shown, message.split("\n"))))
        if others:
            say(f"The same in {', '.join(others)}.")
    say()
    say(_summary(outcome))


def _look_at(one):
    if one.verdict == NOT_ATTEMPTED:
        missing = re.search(r"There is no function (\w+)", one.message)
        return f"no function {missing[1]}" if missing else ""
    if "\nThe cell that defines " in one.message:
        return "its cell was stopped"
    return (one.mistake or "").replace("_", " ")


def _place(error):
    """The cells of an error, and how the first one begins."""
    line = shown(error.line if len(error.line) <= 60 else error.line[:59] + "…")
    if not error.cells:
        return f"a cell of the course (`{line}`)"
    numbers = ", ".join(map(str, error.cells[:5])) + (" and others" if len(error.cells) > 5 else "")
    return f"code cell{'s' * (len(error.cells) > 1)} {numbers} (`{line}`)"


def _messages(checks):
    """[(message, exercises where the same is wrong)] of the checks that failed; the same trouble is said once."""
    found = {}
    for one in checks:
        if one.verdict in (RIGHT, NOT_ATTEMPTED):
            continue
        # Names, numbers of lines and of cases differ; what is wrong does not
        rest = one.message.split("\n")[1:] or [one.message.partition(": ")[2]]
        key = tuple(re.sub(r" \(line \d+: .*\)|“[^”]*”", "", line) for line in rest if not line.startswith(ALSO))
        found.setdefault(key, []).append(one)
    return [(first.message, [one.exercise for one in others]) for first, *others in found.values()]


def _summary(outcome):
    words = (
        f"{pages.number(outcome.points)} of {pages.number(outcome.max_points)} points on the cases that you can see; "
    )
    words += "grading uses other numbers and a few more cases."
    if outcome.by_hand:
        words += f" {pages.plural(outcome.by_hand, 'written answer')} will be read by a person."
    if outcome.unwritten:
        words += f" Not written yet: {', '.join(map(shown, outcome.unwritten))}."
    if outcome.missing:
        verb = "is" if len(outcome.missing) == 1 else "are"
        words += (
            f" {pages.plural(len(outcome.missing), 'answer')} of {outcome.assignment} {verb} missing from the file."
        )
    return words
