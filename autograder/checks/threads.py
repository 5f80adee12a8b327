"""One thread of BLAS while an answer is judged.

The matrices of a check are small, and threads that wait for each other spin: two checks on one machine with two cores, each
with two threads, take a hundred times as long as one after the other, and a right answer is then stopped as an endless loop.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator
from typing import Any

_controller: Any = None
# The browser runs on one thread, and without the `course` extra the package needs only NumPy and SciPy
with contextlib.suppress(ImportError):
    _controller = importlib.import_module("threadpoolctl").ThreadpoolController

_found: tuple[int, Any] = (0, None)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """A context, or a decorator, in whose block BLAS uses one thread; what was set before is set again after it."""
    global _found
    if _controller is None:
        yield
        return
    # To look for the libraries takes longer than many a check; a new one comes with a new module
    if _found[0] != len(sys.modules):
        _found = (len(sys.modules), _controller())
    with _found[1].limit(limits=1, user_api="blas"):
        yield
