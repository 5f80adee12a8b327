"""A process of the supervisor's that computes functions of the course for the sandbox, which does not have them.

    python -m autograder.engine.sandbox.oracle MEMORY ADDRESS

The arguments come from students' code: a call may ask for a billion epochs, so it runs where it can be stopped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import numpy as np

from ...checks import drivers
from ...checks.exercise import get_exercise
from ...errors import EngineFault
from . import link, walls
from .protocol import Channel, Closed, ProtocolError, Silence, TooLarge, course_tuple, decode, encode

START_SECONDS = 60.0
_NOT_STARTED = "the process that computes the course's functions did not start"
# Values that are kept, and how long a call and its value may be: at most 64 MB in all, whatever students' code asks
KEPT, KEPT_BYTES = 4096, 16_384


class Oracle:
    """`start` it early and wait with `ready`; it starts again by itself after a call that was stopped."""

    def __init__(self, memory):
        self.memory, self.waiting = memory, False
        self.process: Any = None
        self.loaded: set[str] = set()
        self.channel: Any = None
        # A class asks the same again and again: every right loop passes through the same weights
        self.known: OrderedDict[tuple, tuple] = OrderedDict()

    def ask(self, name: str, exercise: str | None, tree: Any, body: bytes, deadline: float | None) -> tuple:
        """(header, buffers) for the child: the value of a call, its error, or that it is withheld; `Silence` after the deadline.

        exercise : the name of the one that is judged now, whose reference may not be called; None for a cell.
        """
        call = name, exercise, repr(tree), body
        if call in self.known:
            self.known.move_to_end(call)
            header, answer = self.known[call]
            return header, [answer]
        self.ready()
        try:
            self.channel.send({"name": name, "exercise": exercise, "value": tree}, [body], deadline)
            header, answer = self.channel.receive(deadline)
        except Silence:
            self.close()
            raise
        except Closed:
            self.close()
            return {"error": ["MemoryError", f"{name} ran out of memory"]}, ()
        if "value" in header and len(call[2]) + len(body) + len(answer) <= KEPT_BYTES:
            self.known[call] = header, answer
            if len(self.known) > KEPT:
                self.known.popitem(last=False)
        return header, [answer]

    def start(self) -> None:
        """Start the process if it does not run, without waiting for it."""
        if self.process is not None and self.process.poll() is None:
            return
        self.close()
        environment = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        try:
            self.process, ours = link.start(
                [sys.executable, "-m", "autograder.engine.sandbox.oracle", str(self.memory)],
                os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except TimeoutError:
            raise EngineFault(f"{_NOT_STARTED} (it ended)") from None
        self.channel, self.waiting = Channel(ours), True
        self.loaded = set()

    def ready(self, names: Iterable[str] = ()) -> None:
        """Start the process if it does not run, and wait until it answers and knows these exercises.

        To load a topic takes a while, and that must not be a student's time.
        """
        self.start()
        unknown = sorted(set(names) - self.loaded)
        try:
            if self.waiting:
                self.channel.receive(time.monotonic() + START_SECONDS)
                self.waiting = False
            if unknown:
                self.channel.send({"load": unknown}, (), time.monotonic() + START_SECONDS)
                self.channel.receive(time.monotonic() + START_SECONDS)
                self.loaded.update(unknown)
        except (Closed, Silence, ProtocolError) as error:
            self.close()
            raise EngineFault(f"{_NOT_STARTED} ({type(error).__name__})") from None

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.channel.close()
            self.process = None


def main(memory: int, address: str) -> None:
    channel = Channel(link.join(address))
    from ...checks.evaluation import withheld_functions

    walls.limit(memory, disk=1, processes=0, cpu=10**6)
    channel.send({"ready": True})
    while True:
        try:
            header, body = channel.receive()
        except Closed:
            return
        if "load" in header:
            for name in header["load"]:
                get_exercise(name)
            channel.send({"ready": True})
            continue
        try:
            own = get_exercise(header["exercise"]).functions if header["exercise"] else ()
            function = drivers.resolve(drivers.Named(header["name"]))
            if function in own:
                raise drivers.Withheld
            args, kwargs = decode(header["value"], body, {"n": course_tuple})
            with withheld_functions(own), warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                value = function(*args, **kwargs)
            tree, buffers = encode(value)
            channel.send({"value": tree}, buffers)
        except drivers.Withheld:
            channel.send({"withheld": True})
        except TooLarge:
            channel.send({"error": ["MemoryError", "the value is too large"]})
        except Exception as error:
            channel.send({"error": [type(error).__name__, str(error)[:2000]]})


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
