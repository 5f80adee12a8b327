"""Which version of a function the kernel holds: a cell that fails leaves the one before it behind.

IPython tells before and after each cell; a function that a failed cell was to define and did not is remembered until a
cell defines it again.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .limits import installed

_DEFINES = re.compile(r"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|^(\w+)[ \t]*=(?!=)", re.M)


@dataclass(frozen=True)
class NotRun:
    """A function whose last version is not in the kernel, and the error that kept it out."""

    name: str
    error: str

    def __str__(self):
        return (
            f"your last version of `{self.name}` did not run: {self.error}. The kernel still holds the version before it. "
            "Fix that cell, run it, then run this check again."
        )


class Versions:
    """Follows the cells that run in a namespace. failed : {name: error} of functions whose last version did not run."""

    def __init__(self, namespace):
        self.namespace, self.failed, self._before = namespace, {}, {}

    def before(self, info: Any) -> None:
        names = {first or second for first, second in _DEFINES.findall(info.raw_cell or "")}
        self._before = {name: self.namespace.get(name) for name in names}

    def after(self, result: Any) -> None:
        error = result.error_before_exec or result.error_in_exec
        for name, value in self._before.items():
            if self.namespace.get(name) is not value:
                self.failed.pop(name, None)
            elif error is not None:
                self.failed[name] = _in_words(error, result.info.raw_cell)
        self._before = {}

    def not_run(self, names: Iterable[str]) -> NotRun | None:
        """The first of these functions whose last version did not run, or None."""
        return next((NotRun(name, self.failed[name]) for name in names if name in self.failed), None)


def _in_words(error, source):
    """ "SyntaxError in line 3: '(' was never closed"."""
    if isinstance(error, SyntaxError):
        if error.msg == "incomplete input":
            # IPython asks whether more lines may follow; without that question Python says what is missing
            try:
                compile(source, "cell", "exec")
            except SyntaxError as clearer:
                error = clearer
        line, text = error.lineno, error.msg
    else:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not installed(frame.filename)]
        line, text = (frames[0].lineno if frames else None), str(error)
    where = f" in line {line}" if line else ""
    return f"{type(error).__name__}{where}" + (f": {text.splitlines()[0]}" if text else "")


def shell() -> Any:
    """IPython's shell if this runs in one, else None."""
    found = sys.modules.get("IPython")
    return found.get_ipython() if found is not None else None


_watched = None


def watch() -> Versions | None:
    """The `Versions` of the running shell, followed from the first call on; None outside of IPython."""
    global _watched
    running = shell()
    if running is None:
        return None
    if _watched is None or _watched.namespace is not running.user_ns:
        _watched = Versions(running.user_ns)
        running.events.register("pre_run_cell", _watched.before)
        running.events.register("post_run_cell", _watched.after)
    return _watched
