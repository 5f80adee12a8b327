"""Work on long vectors by several threads, which NumPy's functions allow: they hold nothing that the others wait for."""

import os
import sys
from collections import deque
from contextlib import suppress
from contextvars import copy_context
from functools import cache

# Below so many pieces the threads' own time shows
MANY = 4


def _asked_for():
    """How many threads OMP_NUM_THREADS asks for, as it does of matrix products and of PyTorch; without it one."""
    if sys.platform == "emscripten":
        return 1
    # "8,2": eight, and two in each for what is nested
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return max(1, int(asked)) if asked.isdecimal() else 1


THREADS = _asked_for()


def share(work, pieces):
    """`work(some of the pieces)` in each of `THREADS` threads, this one among them; where one fails, so does this.

    What `work` gets is an iterator: the next piece goes to whichever thread is free first. It returns nothing.
    """
    if THREADS == 1:
        work(pieces)
        return
    left = deque(pieces)
    if len(left) < MANY:
        work(left)
        return
    others = []
    # Where no further thread is to be had, those that are there do the work
    with suppress(RuntimeError):
        for _ in range(THREADS - 1):
            others.append(_pool().submit(copy_context().run, work, _taken(left)))
    try:
        work(_taken(left))
    finally:
        # Where this thread was interrupted the others end, too: they write into the caller's arrays
        left.clear()
        for other in others:
            other.exception()
    for other in others:
        other.result()


def _taken(left):
    while True:
        try:
            piece = left.popleft()
        except IndexError:
            return
        yield piece


@cache
def _pool():
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(THREADS - 1, "dlcourse")


# A forked process has none of the threads that its pool would wait for
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)
