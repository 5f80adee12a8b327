"""A process that the supervisor starts for work that may have to be stopped, and starts again after that.

`oracle` computes functions of the course for students' code, `judge` compares answers: both are given what students chose.
"""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

from ...checks import registry
from ...checks.exercise import get_exercise
from ...errors import EngineFault
from . import link, walls
from .protocol import Channel, Closed, ProtocolError, Silence

START_SECONDS = 60.0


class Helper:
    """`start` it early and wait with `ready`; it starts again by itself after it was stopped.

    module : of this package, whose `main` is given the memory in MB and where `link.join` finds the other end.
    work : what it does, for the message where it does not start.
    """

    module = ""
    work = ""

    def __init__(self, memory):
        self.memory, self.waiting = memory, False
        self.process: Any = None
        self.loaded: set[str] = set()
        self.channel: Any = None

    def start(self) -> None:
        """Start the process if it does not run, without waiting for it."""
        if self.process is not None and self.process.poll() is None:
            return
        self.close()
        environment = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        try:
            self.process, ours = link.start(
                [sys.executable, "-m", f"{__package__}.{self.module}", str(self.memory)],
                os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except TimeoutError:
            raise EngineFault(f"the process that {self.work} did not start (it ended)") from None
        self.channel, self.waiting = Channel(ours), True
        self.loaded = set()

    def ready(self, names: Iterable[str] = ()) -> None:
        """Start the process if it does not run, and wait until it answers and knows these exercises.

        To load a topic takes a while, and that must not be a student's time.
        """
        self.start()
        unknown = sorted(set(names) - self.loaded)
        if self.waiting:
            self.told()
            files = registry.current().files
            if files:
                places = [[name, len(data)] for name, data in files.items()]
                self.told({"sources": places}, list(files.values()))
            self.waiting = False
        if unknown:
            self.told({"load": unknown})
            self.loaded.update(unknown)

    def told(self, request: dict | None = None, buffers: Iterable[bytes] = ()) -> dict:
        """The reply to a request that no student has a part in."""
        deadline = time.monotonic() + START_SECONDS
        try:
            if request is not None:
                self.channel.send(request, buffers, deadline)
            return self.channel.receive(deadline)[0]
        except (Closed, Silence, ProtocolError) as error:
            self.close()
            raise EngineFault(f"the process that {self.work} did not start ({type(error).__name__})") from None

    def _ended(self):
        """With which status the process ended, None where it had to be stopped."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(2)
        status = self.process.poll()
        self.close()
        return status

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.channel.close()
            self.process = None


def requests(channel: Channel, memory: int) -> Iterator[tuple]:
    """In the process itself: each request, (header, body), until the supervisor hangs up; exercises are loaded on the way."""
    walls.limit(memory, disk=1, processes=0, cpu=10**6)
    channel.send({"ready": True})
    while True:
        try:
            header, body = channel.receive()
        except Closed:
            return
        if "sources" in header:
            registry.use(_sources(header["sources"], body))
            channel.send({"ready": True})
        elif "load" in header:
            for name in header["load"]:
                get_exercise(name)
            # What is loaded stays: the collector need not look through it again and again
            gc.freeze()
            channel.send({"ready": True})
        else:
            yield header, body


def _sources(places, body):
    """The teacher's files, of which the supervisor has sent names, lengths and bytes."""
    files, start = {}, 0
    for name, size in places:
        files[name] = bytes(body[start : start + size])
        start += size
    return registry.Sources(files)
