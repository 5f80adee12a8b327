"""A process of the supervisor's that judges answers: what came out of the sandbox is first looked at here, where it can be stopped.

    python -m autograder.engine.sandbox.judge MEMORY ADDRESS

The supervisor hands on the bytes of each case as they came and never rebuilds a value itself. Arrays far larger than the
expected ones lose their contents on the way. Arithmetic with what is left has a limit of memory and of processor time.
"""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import json
import re
import signal
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from ...checks import drivers, place
from ...checks.evaluation import expected_values, judge
from ...checks.exercise import Exercise, get_exercise
from ...checks.result import CaseRow, Result
from ...checks.trace import Run, Site, Statement, Untraceable, plain
from ...errors import EngineFault
from . import link
from .helper import START_SECONDS, Helper, requests
from .protocol import BODY_LIMIT, Channel, Closed, ProtocolError, Silence, decode, encode, without_large

try:
    import resource
except ImportError:
    # Windows
    resource = None  # type: ignore[assignment]

MEMORY = 2048
# Of processor time for one exercise; a machine that is busy meanwhile makes nobody's answer wrong
SECONDS = 20
PATIENCE_SECONDS = 600.0
# How much more than the expected values an answer may take: another precision, digits as text, a list for an array
TIMES, MORE = 8, 2**20
# Why a case has no values: how its child died, or this
STOPPED = "judging"
# The most that a child may tell of the values on an answer's way
TRACED_BYTES = 2**24
# Judgements that are kept for answers with the same values
KEPT = 2000
# Characters of an error's text that a message repeats
SAID = 300
_SIGXCPU = getattr(signal, "SIGXCPU", 0)


@dataclass(frozen=True)
class Frame:
    """What came of one case: the number of the case, its outcomes and values as JSON, the bytes of the arrays.

    died : how the child died instead, as in `Died`, or STOPPED where the answer cannot be judged.
    """

    number: int
    text: bytes = b""
    body: bytes = b""
    died: str = ""


@dataclass(frozen=True)
class Judgement:
    """The result for an exercise; `broken`, where it is not "", says what in the child's replies could not be read."""

    result: Result
    broken: str = ""


def _digest(frames):
    whole = hashlib.blake2b()
    for one in frames:
        whole.update(repr((one.number, len(one.text), len(one.body), one.died)).encode())
        whole.update(one.text)
        whole.update(one.body)
    return whole.digest()


def frame(number: int, header: dict, body: Any, limit: int) -> Frame:
    """The frame of a child's reply to a case, for which `limit` bytes are much."""
    text = json.dumps([header.get("outcomes"), header.get("values")]).encode()
    if len(text) > limit:
        return Frame(number, died="output")
    if len(body) > limit:
        try:
            values, body = without_large(header.get("values"), body, limit)
        except ProtocolError:
            return Frame(number, died="crash")
        text = json.dumps([header.get("outcomes"), values]).encode()
        if len(body) > limit:
            return Frame(number, died="output")
    return Frame(number, text, bytes(body))


class _Stopped(Exception):
    """These answers used up the judge's memory or time."""


class Judge(Helper):
    """Judges the answers to one exercise after the other; see `Helper`."""

    module, work = "judge", "judges answers"

    def __init__(self, memory=MEMORY):
        super().__init__(memory)
        self.known: dict[tuple, list[int]] = {}
        self.judged: OrderedDict[tuple, Judgement] = OrderedDict()

    def limits(self, name: str, seed: int) -> list[int]:
        """For each case of an exercise, how many bytes of an answer are much; the expected values are computed with it."""
        if (name, seed) not in self.known:
            self.ready([name])
            self.known[name, seed] = self.told({"name": name, "seed": seed, "limits": True})["limits"]
        return self.known[name, seed]

    def judge(
        self, name: str, seed: int, frames: Sequence[Frame], at_home: bool = False, again: bool = False
    ) -> Judgement:
        """The `Judgement` on an answer; raises `EngineFault` where the machine failed.

        at_home : the numbers of the cases are public, so what the answer says about them may be repeated.
        again : the answer has seen the hidden cases before, so nothing that it says is repeated.
        """
        # Right answers of a class differ in their words, seldom in a bit of their values
        key = (name, seed, at_home, again, _digest(frames))
        if key in self.judged:
            self.judged.move_to_end(key)
        else:
            self.judged[key] = self._judge(name, seed, frames, at_home, again)
            if len(self.judged) > KEPT:
                self.judged.popitem(last=False)
        return self.judged[key]

    def _judge(self, name, seed, frames, at_home, again):
        with contextlib.suppress(_Stopped):
            return self._ask(name, seed, frames, at_home, again)
        judged = []
        for one in frames:
            try:
                self._ask(name, seed, [one], at_home, again)
                judged.append(one)
            except _Stopped:
                judged.append(Frame(one.number, died=STOPPED))
        try:
            return self._ask(name, seed, judged, at_home, again)
        except _Stopped:
            raise EngineFault(f"the answers to {name} cannot be judged together") from None

    def know(self, name: str, seed: int) -> None:
        """Have the process compute what `place` compares an answer with, before the answer's time begins."""
        self.ready([name])
        self.told({"evidence": name, "seed": seed})

    def place(self, name: str, seed: int, seconds: float, ask: Callable, source: str, at_home: bool = False) -> str:
        """Where a wrong answer goes wrong, as a sentence for its message; "" where nothing is found in so many seconds.

        ask : (number of a case, JSON tree of the exchanged values or None, bytes) -> the child's (header, body).
        source : what the student wrote: the message has no name or text that does not stand there.
        """
        deadline = time.monotonic() + START_SECONDS
        request = {"place": name, "seed": seed, "seconds": seconds, "source": source, "at_home": at_home}
        try:
            self.channel.send(request, (), deadline)
            while True:
                header, body = self.channel.receive(deadline)
                if "text" in header:
                    return header["text"]
                try:
                    reply, answered = ask(header["case"], header["given"], body)
                except BaseException:
                    # The process waits for an answer that will not come
                    self.close()
                    raise
                runs = reply.get("runs") if len(answered) <= TRACED_BYTES else None
                self.channel.send({"runs": runs}, [answered], deadline)
        except (Closed, Silence, ProtocolError):
            self.close()
            return ""

    def _ask(self, name, seed, frames, at_home, again):
        request = {
            "name": name,
            "seed": seed,
            "at_home": at_home,
            "again": again,
            "frames": [[one.number, len(one.text), len(one.body), one.died] for one in frames],
        }
        pieces = [piece for one in frames for piece in (one.text, one.body)]
        for left in (1, 0):
            self.ready([name])
            try:
                self.channel.send(request, pieces, time.monotonic() + START_SECONDS)
                header, _ = self.channel.receive(time.monotonic() + PATIENCE_SECONDS)
                break
            except (Closed, Silence):
                ended = self._ended()
                if ended == -_SIGXCPU:
                    raise _Stopped from None
                if not left:
                    raise EngineFault(f"the process that {self.work} ended twice (status {ended})") from None
        if "stopped" in header:
            raise _Stopped
        return Judgement(_result(header["result"]), header["broken"])


def _result(fields):
    """The `Result` of what JSON has made of it."""
    whole: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    return Result(**(whole | {"rows": tuple(CaseRow(**row) for row in fields["rows"])}))


# --- in the process ---------------------------------------------------------------------------------------------------


def limits_of(name: str, seed: int) -> list[int]:
    """As `Judge.limits`."""
    expected = expected_values(name, seed)[1]
    most = BODY_LIMIT // max(1, len(expected)) // 2
    return [min(most, TIMES * _size(values) + MORE) for values in expected]


def _size(values):
    tree, buffers = encode(values)
    return len(json.dumps(tree)) + sum(map(len, buffers))


def judged(name: str, seed: int, frames: Sequence[Frame], at_home: bool = False, again: bool = False) -> Judgement:
    """The `Judgement` on frames, computed in this process."""
    exercise, (cases, expected) = get_exercise(name), expected_values(name, seed)
    got, broken = [], ""
    for one in frames:
        outcomes = died_outcomes(exercise, "crash" if broken else one.died)
        if not broken and not one.died:
            try:
                outcomes = _outcomes(exercise, one)
            except (ProtocolError, KeyError, TypeError, ValueError) as error:
                broken, outcomes = str(error) or type(error).__name__, died_outcomes(exercise, "crash")
        hidden = again or cases[one.number].hidden
        got.append(outcomes if at_home else [guarded(outcome, hidden) for outcome in outcomes])
    numbers = [one.number for one in frames]
    result = _judged(exercise, [cases[i] for i in numbers], [expected[i] for i in numbers], got, seed)
    if not at_home and exercise.assess is None:
        result = _without_texts(result, got, again)
    return Judgement(result, broken)


def _judged(exercise, cases, expected, got, seed):
    try:
        return judge(exercise, cases, expected, got, seed)
    except MemoryError:
        raise
    except Exception as error:
        # Whatever a child may send, it is its own answer that fails and not the grader
        text = f"your function returned something that cannot be compared with numbers ({type(error).__name__})"
        broken = [[drivers.Outcome(part, error=_Ended(text)) for part in exercise.parts] for _ in cases]
        return judge(exercise, cases, expected, broken, seed)


# A number long enough to be one of a case's
_NUMBER = re.compile(r"\d[\d._eE+-]{4,}")


def guarded(outcome: drivers.Outcome, hidden: bool) -> drivers.Outcome:
    """The outcome with what the answer said in its own words: nothing of a hidden case, no long numbers of the others.

    The numbers of a class are the same for everyone: what leaves with one submission comes back with another.
    """
    if type(outcome.error) is drivers.TooSlow:
        # Whatever else it says was chosen by the answer
        outcome = replace(outcome, error=drivers.TooSlow("stopped because it took too long"))
    if hidden:
        return replace(outcome, where="", printed="", warned="")
    where, printed, warned = (_NUMBER.sub("…", text) for text in (outcome.where, outcome.printed, outcome.warned))
    return replace(outcome, where=where, printed=printed, warned=warned)


def _without_texts(result, got, again):
    """The result with what its errors said, guarded in the same way; the judge has read them, the student need not."""
    message, rows = result.message, []
    outcomes = [outcome for outcomes in got for outcome in outcomes]
    for row, outcome in zip(result.rows, outcomes, strict=True):
        error = outcome.error
        if error is not None and type(error) not in _OURS:
            text, name = str(error), type(error).__name__
            known = hasattr(builtins, name) or name in _KNOWN
            problem = f"Your code raised {name if known else 'an error'}."
            if not (row.hidden or again):
                problem = row.problem.replace(text, _NUMBER.sub("…", text[:SAID])) if text else row.problem
                problem = problem if known else problem.replace(name, re.sub(r"[\d_]+", "_", name))
            if again or not row.hidden:
                message = message.replace(row.problem, problem)
            row = replace(row, problem=problem)
        rows.append(row)
    return replace(result, message=message, rows=tuple(rows))


def _outcomes(exercise, one):
    rows, trees = json.loads(one.text)
    return [outcome(part, row, tree, one.body) for part, row, tree in zip(exercise.parts, rows, trees, strict=True)]


def outcome(part: str, row: Any, tree: Any, body: Any) -> drivers.Outcome:
    """The outcome of one part, as the child told it."""
    made = drivers.Outcome(
        part,
        where=_line(row["where"], 300),
        operation=_line(row.get("operation"), 100),
        changed=tuple(_line(name, 60) for name in row["changed"][:10]),
        rounded=row.get("rounded") is True,
        printed=_text(row["printed"], 2000),
        warned=_line(row["warned"], 500),
    )
    if row["error"] is None:
        made.value = decode(tree, body)
    else:
        name, text = row["error"]
        made.error = _error(_line(name, 60), _text(text, 1000))
    return made


_KNOWN = {
    kind.__name__: kind for kind in (drivers.TooSlow, drivers.WrongAnswer, drivers.Withheld, np.linalg.LinAlgError)
}


class _Ended(drivers.WrongAnswer):
    """Said here, and not by the child."""


# Errors whose texts are the course's own
_OURS = (drivers.TooSlow, drivers.Withheld, _Ended)


@lru_cache(256)
def _error_type(name):
    known = _KNOWN.get(name) or getattr(builtins, name, None)
    if isinstance(known, type) and issubclass(known, BaseException):
        return known
    return type("".join(c for c in name if c.isalnum() or c == "_") or "Error", (Exception,), {})


def _error(name, text):
    """The exception that the child told of: of a known type, with its text and nothing else."""
    try:
        return _error_type(name)(text)
    except Exception:
        return _error_type("Error")(f"{name}: {text}")


def _text(value, limit):
    return value[:limit] if isinstance(value, str) else ""


def _line(value, limit):
    return " ".join(_text(value, limit).split())


def died_outcomes(exercise: Exercise, why: str) -> list[drivers.Outcome]:
    """The outcomes of a case in which the child died; `why` as in `Frame`."""
    error = {
        "time": drivers.TooSlow("stopped because it took too long"),
        "memory": MemoryError("more memory than allowed"),
        "output": _Ended("your function returned or printed far more than any right answer"),
        STOPPED: _Ended("your function returned something that takes too long to compare with numbers"),
    }.get(why, _Ended("your code ended the whole Python process, or answered in its place"))
    return [drivers.Outcome(part, error=error) for part in exercise.parts]


def main(memory: int, address: str) -> None:
    channel = Channel(link.join(address), trusted=True)
    for header, body in requests(channel, memory):
        if "evidence" in header:
            with contextlib.suppress(Exception):
                place.evidence(header["evidence"], header["seed"])
            channel.send({"ready": True})
        elif "place" in header:
            channel.send({"text": _placed(channel, header)})
        elif "limits" in header:
            channel.send({"limits": limits_of(header["name"], header["seed"])})
        else:
            channel.send(_reply(header, memoryview(body)))


def _placed(channel, header):
    """What `Judge.place` returns."""
    name, seed, seconds = header["place"], header["seed"], header["seconds"]
    try:
        known = place.evidence(name, seed)
        with _processor_time(SECONDS):
            runner = Elsewhere(channel, name, seed, header["source"])
            found = place.find(get_exercise(name), runner, known, seed, seconds)
    except Closed:
        raise
    except Exception:
        # Whatever a child may send; it is no more than a message
        return ""
    text = "" if found is None else found.text
    return text if header["at_home"] else _NUMBER.sub("…", text)


class Elsewhere:
    """Runs an answer in the sandbox for `place.find`, through the supervisor.

    Of the right answers nothing goes there but single values of visible cases. What the child says of the answer's text has
    to stand in the answer's text: it knows the hidden cases by now, and could tell of them.
    """

    def __init__(self, channel: Any, name: str, seed: int, source: str):
        self.channel, self.cases = channel, expected_values(name, seed)[0]
        self.source, self.last_line = _letters(source), source.count("\n") + 1
        self.statements: list[Statement] = []
        self.sites: list[Site] = []
        self.defaults: list[tuple[int, dict[str, Any]]] = []

    def trace(self, case: int) -> Run:
        run, statements, sites, defaults = self._ask(case, None, [])
        self.defaults = [
            (self._place(line), {self._own(name, 60): value for name, value in given.items() if self._told(value)})
            for line, given in defaults
        ]
        self.statements = [
            Statement(
                self._place(line),
                self._place(end),
                self._own(function, 60) or "your code",
                tuple(self._own(one, 60) for one in names),
                _line(kind, 20),
            )
            for line, end, function, names, kind in statements
        ]
        self.sites = [
            Site(int(number), _line(role, 10), self._own(name, 60), self._own(text, 100), may is True, int(first))
            for number, role, name, text, may, first in sites
        ]
        return self._run(run)

    def _own(self, text, limit):
        """The text if the student has written it, but for spaces and brackets; else ""."""
        text = _line(text, limit)
        return text if _letters(text) in self.source else ""

    def _told(self, value):
        return value is None or type(value) in (bool, int, float) or bool(self._own(value, SAID))

    def _place(self, line):
        return min(max(int(line), 0), self.last_line)

    def exchanged(self, case: int, given: Sequence[dict[int, list]]) -> list[Run]:
        # Behind the arrays of the case itself
        one = self.cases[case]
        start = sum(map(len, encode((one.args, one.kwargs, one.dout, one.extra))[1]))
        tree, buffers = encode(list(given), start)
        return [self._run(run) for run in self._ask(case, tree, buffers)]

    def _run(self, run):
        events, values, line = run
        noted = [(int(site), plain(value)) for site, value in events]
        noted = [(site, value) for site, value in noted if value is not None and 0 <= site < len(self.sites)]
        return Run(noted, values or [], None if values is not None else Exception(), self._place(line))

    def _ask(self, case, tree, buffers):
        self.channel.send({"case": case, "given": tree}, buffers)
        header, body = self.channel.receive()
        if header["runs"] is None:
            raise Untraceable("the child had nothing to tell")
        return decode(header["runs"], body)


def _letters(text):
    return re.sub(r"\W", "", text)


def _reply(header, body):
    frames, start = [], 0
    for number, *lengths, died in header["frames"]:
        pieces = []
        for length in lengths:
            pieces.append(body[start : start + length])
            start += length
        frames.append(Frame(number, bytes(pieces[0]), pieces[1], died))
    try:
        expected_values(header["name"], header["seed"])
        with _processor_time(SECONDS):
            made = judged(header["name"], header["seed"], frames, header["at_home"], header["again"])
    except MemoryError:
        return {"stopped": True}
    # Not `asdict`, which copies every row
    result = vars(made.result) | {"rows": [vars(row) for row in made.result.rows]}
    return {"result": result, "broken": made.broken}


@contextlib.contextmanager
def _processor_time(seconds):
    """In the block the kernel ends this process after so much more processor time."""
    if resource is None:
        yield
        return
    most = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + seconds, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
