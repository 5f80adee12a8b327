"""What the commands of the command line do; `cli` only names them."""

import contextlib
import sys


def console(stderr=False):
    """A console with colours in a terminal only; elsewhere wide enough that no line is cut."""
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=160, no_color=True)


def table(out, title, *columns, numbers=()):
    """A table of these columns; plain text where it is piped. numbers : columns set flush right."""
    from rich.box import ASCII2, ROUNDED
    from rich.table import Table

    made = Table(title=title, title_justify="left", box=ROUNDED if out.is_terminal else ASCII2)
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left")
    return made


@contextlib.contextmanager
def counter(what):
    """Yields a function to call after every step: a counter on stderr in a terminal, nothing elsewhere."""
    from rich.progress import Progress, SpinnerColumn, TextColumn

    columns = SpinnerColumn(), TextColumn("{task.description} {task.completed:g}")
    with Progress(*columns, console=console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda *done: bar.advance(task)


def fail(error, status=2):
    """Say what is wrong on stderr; returns the exit status."""
    print(f"error: {error}", file=sys.stderr)
    return status
