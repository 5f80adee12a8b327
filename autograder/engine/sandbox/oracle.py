"""A process of the supervisor's that computes functions of the course for the sandbox, which does not have them.

    python -m autograder.engine.sandbox.oracle MEMORY ADDRESS

The arguments come from students' code: a call may ask for a billion epochs, so it runs where it can be stopped.
"""

from __future__ import annotations

import signal
import sys
import warnings
from collections import OrderedDict
from functools import lru_cache
from typing import Any

import numpy as np

from ...checks import drivers, evaluation, registry
from ...checks.exercise import get_exercise
from ...checks.withheld import doors
from ...errors import EngineFault
from . import link
from .helper import Helper, requests
from .protocol import Channel, Closed, Silence, TooLarge, course_tuple, decode, encode

# Values that are kept, and how long a call and its value may be: at most 64 MB in all, whatever students' code asks
KEPT, KEPT_BYTES = 4096, 16_384
_SIGKILL = getattr(signal, "SIGKILL", 0)


class Oracle(Helper):
    module, work = "oracle", "computes the course's functions"

    def __init__(self, memory):
        super().__init__(memory)
        # A class asks the same again and again: every right loop passes through the same weights
        self.known: OrderedDict[tuple, tuple] = OrderedDict()

    def ask(self, name: str, exercise: str | None, tree: Any, body: bytes, deadline: float | None) -> tuple:
        """(header, buffers) for the child: the value of a call, its error, or that it is withheld; `Silence` after the deadline.

        exercise : the name of the one that is judged now, whose reference may not be called; None for a cell.
        """
        call = name, exercise, repr(tree), bytes(body)
        if call in self.known:
            self.known.move_to_end(call)
            header, answer = self.known[call]
            return header, [answer]
        header, answer = self._asked({"name": name, "exercise": exercise, "value": tree}, body, deadline)
        if "value" in header and len(call[2]) + len(body) + len(answer) <= KEPT_BYTES:
            self.known[call] = header, answer
            if len(self.known) > KEPT:
                self.known.popitem(last=False)
        return header, [answer]

    def answer(
        self, exercise: str, seed: int, case: int, number: int, tree: Any, body: bytes, deadline: float | None
    ) -> tuple:
        """(header, buffers) for the child: what a case answers to a question; number : of the questions before it."""
        asked = {"question": [exercise, seed, case, number], "name": exercise, "value": tree}
        header, answer = self._asked(asked, body, deadline)
        return header, [answer]

    def _asked(self, request, body, deadline):
        self.ready()
        try:
            self.channel.send(request, [body], deadline)
            return self.channel.receive(deadline)
        except Silence:
            self.close()
            raise
        except Closed:
            if self._ended() == -_SIGKILL:
                # Nobody but the machine does that: where memory runs out inside, it says so or aborts
                raise EngineFault(f"the process that {self.work} was killed from outside") from None
            return {"error": ["MemoryError", f"{request['name']} ran out of memory"]}, b""


@registry.kept
@lru_cache(16)
def _questions(exercise, seed):
    """What the cases of an exercise answer."""
    return [case.ask for case in get_exercise(exercise).cases(np.random.default_rng(seed))]


def _answered(asked, tree, body):
    exercise, seed, case, number = asked
    ask = _questions(exercise, seed)[case]
    if ask is None:
        raise drivers.Withheld
    function, *known = ask
    question, _ = decode(tree, body, {"n": course_tuple})
    return function(number, *known, *question)


def _called(header, tree, body):
    """The value of a function of the course, for arguments that come from students' code."""
    own = get_exercise(header["exercise"]).functions if header["exercise"] else ()
    function = _function(header["name"])
    if function in own or (header["exercise"] and header["name"] in doors(header["exercise"])):
        raise drivers.Withheld
    args, kwargs = decode(tree, body, {"n": course_tuple})
    with evaluation.withheld_functions(own):
        return function(*args, **kwargs)


def _function(name):
    """A function of the course, "neurons.preactivation", or one of an exercise's, "graph.accumulate/1"."""
    exercise, slash, place = name.partition("/")
    return get_exercise(exercise).functions[int(place)] if slash else drivers.resolve(drivers.Named(name))


def main(memory: int, address: str) -> None:
    channel = Channel(link.join(address))
    for header, body in requests(channel, memory):
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                if "question" in header:
                    value = _answered(header["question"], header["value"], body)
                else:
                    value = _called(header, header["value"], body)
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
