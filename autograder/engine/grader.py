"""The supervisor of one submission: runs its cells in the sandbox, asks its functions case by case, judges outside.

What the child says is an answer, never a verdict: for an exercise it returns the values of the student's own functions, and
a separate process compares them with the reference's (`judge`). Only cells of plain asserts are believed, and marked so.
"""

from __future__ import annotations

import base64
import binascii
import functools
import itertools
import re
import struct
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from ..checks import drivers, registry
from ..checks.evaluation import PUBLIC_SEED, exercise_seed
from ..checks.exercise import get_exercise
from ..checks.follow import follows_from
from ..errors import EngineFault, MissingPackage, NoSandbox
from .ingest.imports import module_of, modules_in
from .remarks import remarks
from .sandbox.environment import find_environment
from .sandbox.judge import Frame, Judge, frame
from .sandbox.oracle import Oracle
from .sandbox.protocol import QUESTION, ProtocolError, course_tuple, decode, encode
from .sandbox.sandbox import Died, Fresh, Zygote, course_source, open_sandbox, withheld_names
from .store.records import (
    CRASHED,
    FOR_A_PERSON,
    NOT_ATTEMPTED,
    OUT_OF_MEMORY,
    OUT_OF_TIME,
    PARTLY,
    RIGHT,
    TOO_MUCH_OUTPUT,
    WRONG,
    Verdict,
)
from .tasks import ASSERTS, CODE, EXERCISE, TEXT, Settings, StepResult, Task, TaskResult

GRACE = 2.0
# Of a notebook's time, for its cells; the checks have the rest
CELLS_SHARE = 2 / 3
# For the search for the place of an error: for one exercise, and for all of a notebook
PLACE_SECONDS, PLACES_SECONDS = 1.0, 5.0
RESTARTS = 6
IMPORT_SECONDS = 60.0
# Modules that one notebook may name for which it is looked whether they are there
LOOKED_FOR = 10
# What brings a module of another name
PACKAGES = {
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}
ZYGOTES = 4
# A cell that draws names one of these
PLOTTING = ("matplotlib", "pyplot", "plt", "pylab")
_BY_DEATH = {"time": OUT_OF_TIME, "memory": OUT_OF_MEMORY, "output": TOO_MUCH_OUTPUT, "crash": CRASHED}
_WORDS = {
    "time": "was stopped: it took too long. Is there an infinite loop?",
    "memory": "was stopped: it used too much memory. Is an array much larger than the data?",
    "output": "was stopped: it printed or returned far too much.",
    "crash": "ended the whole Python process.",
}
# Bytes of all that a notebook shows, pixels of one picture: a small file may unfold to gigabytes where it is shown
SHOWN = 20_000_000
PIXELS = 40_000_000
TRACEBACK = 100_000
OUTPUTS = 200
# Of the code where a cell has stopped
SHOWN_LINES = 8
ROUNDING = 1e-9
LARGEST_SHOWN = 10**100
# Signature, length and name of the first chunk, which holds width and height (PNG specification, 11.2.1)
_PNG = struct.Struct(">8s I 4s II")
_PNG_BEGINS = b"\x89PNG\r\n\x1a\n", 13, b"IHDR"


class Grader:
    """Grades tasks one after the other; keeps the sandbox of an assignment warm between them.

    Use it as a context manager, or call `close`. One for each process: it is not for threads.
    """

    def __init__(self, settings=None):
        self.settings = settings or Settings()
        self.zygotes = {}
        # {statement: the error that it ends with where no student's code runs, "" for none}
        self.imported: dict[str, str] = {}
        self.oracle, self.judge = Oracle(self.settings.memory), Judge()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self) -> None:
        """End every sandbox."""
        self.oracle.close()
        self.judge.close()
        while self.zygotes:
            self.zygotes.popitem()[1].close()

    def warm(self, names: Iterable[str], plots: bool = False) -> Zygote | Fresh:
        """The sandbox for these exercises, with Matplotlib or without, started if it does not run."""
        key = (tuple(sorted(names)), plots)
        zygote = self.zygotes.pop(key, None)
        if zygote is None or not zygote.alive():
            if zygote is not None:
                zygote.close()
            self.oracle.start()
            self.judge.start()
            zygote = open_sandbox(key[0], self.settings.isolation, plots, self.settings.environment)
        self.zygotes[key] = zygote
        self.oracle.ready(key[0])
        self.judge.ready(key[0])
        while len(self.zygotes) > ZYGOTES:
            self.zygotes.pop(next(iter(self.zygotes))).close()
        return zygote

    def grade(self, task: Task) -> TaskResult:
        """The `TaskResult` of one notebook; raises `EngineFault` where the machine failed and nothing may be graded."""
        try:
            return self._grade(task)
        except NoSandbox:
            raise
        except EngineFault:
            # What cannot be proved to be the student's doing is the machine's: once more, in a new sandbox
            return self._grade(task)

    def _grade(self, task):
        names = {step.calls[0] for step in task.steps if step.calls}
        plots = any(word in step.source for step in task.steps if step.kind != TEXT for word in PLOTTING)
        try:
            zygote = self.warm(names, plots)
            absent = functools.partial(self._fails_to_import, zygote)
            self._check_imports(task.imports, absent)
            withheld = withheld_names(names)
            return _NotebookRun(task, self.settings, zygote, self.oracle, self.judge, withheld, absent).result()
        except EngineFault:
            # Whatever was wrong with the sandbox, the next submission gets a new one
            zygote = self.zygotes.pop((tuple(sorted(names)), plots), None)
            if zygote is not None:
                zygote.close()
            raise

    def missing_packages(self, imports: Iterable[str]) -> dict[str, str]:
        """{statement: the error} of those that fail where no student's code runs."""
        zygote = self.warm(())
        tried = {statement: self._fails_to_import(zygote, statement) for statement in imports}
        return {statement: error for statement, error in tried.items() if error}

    def _check_imports(self, imports, fails):
        """Stop where the assignment's own code imports what is not there: no answer is at fault."""
        for statement in imports:
            error = fails(statement)
            if error:
                name = module_of(statement)
                python = find_environment(self.settings.environment).python
                raise MissingPackage(
                    f"the assignment's own `{statement}` fails where it is graded ({error}), so it stops here",
                    f"install {PACKAGES.get(name, name)} ({python} -m pip install {PACKAGES.get(name, name)}), or name an "
                    f"environment that has it (--environment PATH); if students hand in {name}.py, list it in "
                    "c.Autograde.exclude_overwriting",
                )

    def _fails_to_import(self, zygote, statement):
        """The error that a statement ends with in a sandbox without any student's code, "" where it works."""
        if statement not in self.imported:
            self.imported[statement] = ""
            seconds = max(IMPORT_SECONDS, self.settings.timeout)
            asked = {
                "do": "cell",
                "source": statement,
                "seconds": seconds,
                "output": 0,
                "figures": False,
                "quiet": True,
            }
            child = zygote.child(self.settings, {})
            try:
                header, _ = child.ask(asked, seconds=seconds + GRACE)
                error = clean_error(header.get("error"))
                if error:
                    self.imported[statement] = _line(f"{error['ename']}: {error['evalue']}", 300)
            except Died as died:
                self.imported[statement] = died.how or died.why
            finally:
                child.close()
        return self.imported[statement]


class _NotebookRun:
    """One notebook on its way through the sandbox.

    First every cell runs and shows what it shows, then the checks are asked, each with the names as they stood at its place,
    and the child is thrown away: what a check tells an answer cannot reach anything that is shown.
    """

    def __init__(self, task, settings, zygote, oracle, judge, withheld, absent=lambda statement: ""):
        self.task, self.settings, self.zygote, self.absent = task, settings, zygote, absent
        self.oracle, self.judge, self.withheld = oracle, judge, withheld
        self.begun = time.monotonic()
        self.child: Any = None
        self.deaths, self.left_out = 0, set()
        # How far the cells have run, and the places whose names the child has still to keep
        self.reach, self.places = 0, []
        # The asked functions of the course that cells have called
        self.borrowed: dict[str, bool] = {}
        self.in_students_cell = False
        asked = [step.calls[0] for step in task.steps if step.kind == EXERCISE]
        self.twice = {name for name in asked if asked.count(name) > 1}
        self.until = self.begun + (CELLS_SHARE if asked else 1.0) * settings.total
        self.asked = self.cpu = self.memory = 0.0
        self.limited_by = ""
        self.refused: Counter[str] = Counter()
        self.room = SHOWN
        self.needs_review = []
        # Exercises that were not right, with the names of their functions; what the child may call in the place of those now
        self.failed: dict[str, Any] = {}
        self.lent: set[str] = set()
        self.places_left = PLACES_SECONDS
        # {step: how the cell was stopped}, and modules that the student's code wants and that are not there
        self.stopped: dict[int, Any] = {}
        self.lacking: dict[str, None] = {}
        self.looked_for: set[str] = set()

    def result(self):
        self.needs_review += remarks(self.task.steps)
        steps = self.task.steps
        results: list[Any] = [None] * len(steps)
        try:
            for self.reach, step in enumerate(steps):
                if step.kind == EXERCISE:
                    self.places.append(self.reach)
                else:
                    results[self.reach] = self._step(self.reach, step)
            self.reach, self.until = len(steps), self.begun + self.settings.total
            if self.borrowed:
                # A table made of the asked function's values is empty where the answer is checked
                names = ", ".join(f"dlcourse.{name}" for name, students in self.borrowed.items() if students)
                if names:
                    self.needs_review.append(
                        f"the student's cells call {names}, from which an answer follows: the checks run with those values left out"
                    )
                self._end()
            for number, step in enumerate(steps):
                if step.kind == EXERCISE:
                    results[number] = self._step(number, step)
        finally:
            self._end()
        if self.lacking and not self.task.at_home:
            names = ", ".join(self.lacking)
            self.needs_review.append(
                f"the code imports {names}, which is neither in the environment of the grader nor handed in: "
                "what this cost waits for a person; with the package installed, grade again with --regrade"
            )
            results = [self._for_a_person(result) for result in results]
        whole = time.monotonic() - self.begun
        return TaskResult(
            tuple(results),
            tuple(dict.fromkeys(self.needs_review)),
            self.asked,
            self.cpu,
            self.memory,
            max(0.0, whole - self.asked),
            self.deaths,
            self.limited_by,
            dict(self.refused),
        )

    def _step(self, number, step):
        if step.kind == TEXT or (step.kind == CODE and not step.source.strip()):
            return StepResult(verdict=_for_a_person(step) if step.points or step.by_hand else None)
        died = self._ready()
        begun = time.monotonic()
        if died is None:
            try:
                if step.kind == EXERCISE:
                    return self._exercise(number, step)
                return self._cell(number, step)
            except Died as death:
                died = death
                self._fell(number, step, death)
        return self._dead(step, died, time.monotonic() - begun)

    # --- the child ---

    def _ready(self):
        """Have a child that has run everything up to here; the `Died` where no further child can be started."""
        if self.child is not None:
            return None
        while True:
            if self.deaths > RESTARTS:
                return Died("crash", "it had ended too often before", begun=False)
            if time.monotonic() > self.until:
                return Died("time", "the time for the whole notebook was used up before", begun=False)
            self.child, self.places = self.zygote.child(self.settings, self.task.files), []
            earlier = None
            try:
                for earlier in range(self.reach):
                    step = self.task.steps[earlier]
                    if step.kind == EXERCISE:
                        self.places.append(earlier)
                    elif step.kind == CODE and earlier not in self.left_out:
                        self._run(step, quiet=True)
                return None
            except Died as death:
                self._fell(earlier, self.task.steps[earlier], death)

    def _fell(self, number, step, died):
        """The child has ended in this step: do not run it again."""
        self._end()
        self.deaths += 1
        if step.kind == CODE:
            self.left_out.add(number)
            self.stopped[number] = _BY_DEATH[died.why], _WORDS[died.why]

    def _end(self):
        if self.child is not None:
            used, self.child = self.child.close(), None
            self.cpu, self.memory = self.cpu + used.cpu, max(self.memory, used.memory)
            self.limited_by = self.limited_by or used.limited_by
            self.refused.update(used.refused or {})

    def _ask(self, request, seconds, buffers=(), exercise=None, answers=None):
        left = self.until - time.monotonic()
        if left <= 0:
            raise Died("time", "the time for the whole notebook was used up")
        begun = time.monotonic()
        if self.places:
            request, self.places = request | {"places": self.places}, []
        try:
            seconds = min(seconds, left) + GRACE
            calls = functools.partial(self._call_back, exercise, begun + seconds, answers=answers)
            header, body = self.child.ask(request, buffers, seconds, calls)
        finally:
            self.asked += time.monotonic() - begun
        if header.get("too_large"):
            raise Died("output", "too large")
        return header, body

    def _call_back(self, exercise, deadline, name, tree, body, answers=None):
        """What a withheld function of the course gives; refused to the exercise that asks for it, as `check` does at home.

        answers : of the case that is asked now, to its questions.
        """
        if name == QUESTION and answers is not None:
            return answers(tree, body, deadline)
        if name not in self.withheld and name not in self.lent:
            raise ProtocolError("a call to a function that is not withheld")
        header, buffers = self.oracle.ask(name, None if exercise is None else exercise.name, tree, body, deadline)
        if exercise is None and not self.task.at_home:
            if self.reach < len(self.task.steps):
                self.borrowed[name] = self.borrowed.get(name, False) or self.in_students_cell
            elif "value" in header:
                value, body = encode(_emptied(decode(header["value"], b"".join(buffers), {"n": course_tuple})))
                return {"value": value}, body
        return header, buffers

    # --- cells ---

    def _run(self, step, quiet=False):
        settings, self.in_students_cell = self.settings, step.student
        header, _ = self._ask(
            {
                "do": "cell",
                "source": step.source,
                "seconds": settings.timeout,
                "output": settings.output,
                "figures": (settings.figures or step.by_hand) and not quiet,
                "quiet": quiet,
            },
            seconds=settings.timeout,
        )
        if not header.get("no_memory") and not (isinstance(header.get("outputs"), list) and "value" in header):
            raise Died("crash", "a reply of another form")
        return header

    def _cell(self, number, step):
        begun = time.monotonic()
        header = self._run(step)
        seconds = time.monotonic() - begun
        outputs, cut = limited(clean(header.get("outputs")), self.settings.output, self.room)
        error = clean_error(header.get("error"))
        self.room -= sum(map(_size, [*outputs, error or {}]))
        if error is not None and self.room < 0:
            error |= {"traceback": []}
        if cut or header.get("cut") is True:
            outputs.append(_stream("… (the rest of the output was cut off)\n"))
        if error is not None:
            outputs.append(error)
        if header.get("no_memory"):
            error = {"ename": "MemoryError", "evalue": "", "traceback": []}
        verdict = None
        if error is not None:
            self._note_error(number, step, error)
        if step.kind == ASSERTS:
            verdict = self._of_asserts(number, step, error, header, seconds)
        elif step.points or step.by_hand:
            verdict = _for_a_person(step)
        return StepResult(tuple(outputs), "" if error is None else error["ename"], seconds, verdict)

    def _note_error(self, number, step, error):
        """Keep how a cell was stopped, for the checks of what it defines, and the module that it did not find."""
        if step.kind == CODE and error["ename"] != "NotImplementedError":
            kind = {"MemoryError": OUT_OF_MEMORY, "TooSlow": OUT_OF_TIME}.get(error["ename"], WRONG)
            self.stopped.setdefault(number, (kind, _told(error)))
        if error["ename"] == "ModuleNotFoundError":
            self._look_for(error["evalue"])

    def _look_for(self, text):
        """Keep the name of a module that was not found, if it is neither in the environment nor handed in."""
        named = re.match(r"No module named '(\w+)", text)
        if named and len(self.looked_for) < LOOKED_FOR and named[1] not in self.looked_for:
            self.looked_for.add(named[1])
            if named[1] not in modules_in(self.task.files) and self.absent(f"import {named[1]}"):
                self.lacking[named[1]] = None

    def _of_asserts(self, number, step, error, header, seconds):
        value, odd = header.get("value"), _line(header.get("odd"), 100)
        verdict = _of_asserts(step, error, value, odd, seconds)
        said = ""
        if error is None and verdict.points is None:
            said = f"its value is {odd}, which is not a number of points: a person decides"
        elif error is None and _is_number(value) and not _is_near(value, verdict.points):
            said = f"its code gave {_in_words(value)} of {step.points:g} points; {verdict.points:g} count"
        if said:
            self.needs_review.append(f"cell {step.grade_id}: {said}")
            verdict = replace(verdict, message=f"The check: {said}.")
        name = re.match(r"name '(\w+)' is not defined", error["evalue"]) if error else None
        if name and error["ename"] == "NameError":
            kind, text = self._why_undefined([name[1]], number)
            if text:
                verdict = replace(verdict, verdict=kind, message=f"{verdict.message}\n{text}")
        return verdict

    def _why_undefined(self, names, number):
        """(verdict, text) where a cell that should define one of these names was stopped, ("", "") where none was."""
        for place in sorted(self.stopped, reverse=True):
            source = self.task.steps[place].source
            if place < number and any(_defines(name, source) for name in names):
                kind, how = self.stopped[place]
                return kind, f"The cell that defines {' and '.join(names)} {how}"
        return "", ""

    def _for_a_person(self, result):
        """The result; where the code lacks a module, what it has lost waits for a person: nobody knows what it would earn."""
        verdict = result.verdict
        if verdict is None or verdict.points is None or verdict.verdict in (RIGHT, NOT_ATTEMPTED):
            return result
        lacking = f"The code imports {', '.join(self.lacking)}, not there where it was graded: a person decides."
        message = "\n".join(filter(None, [*verdict.message.split("\n"), lacking]))
        waits = replace(verdict, how="person", points=None, verdict=FOR_A_PERSON, message=message)
        return replace(result, verdict=waits)

    def _dead(self, step, died, seconds):
        outputs: tuple[Any, ...] = (_stream(f"This cell {_WORDS[died.why]}\n"),)
        verdict = None
        if step.kind in (EXERCISE, ASSERTS):
            message = f"The check could not finish: your code {_WORDS[died.why]}"
            if not died.begun:
                message = f"Not checked: {died.how}."
            verdict = Verdict(
                step.grade_id,
                "outside" if step.kind == EXERCISE else "in-process",
                step.points,
                0.0,
                _BY_DEATH[died.why],
                message,
                exercise=step.calls[0] if step.calls else None,
                seconds=seconds,
            )
            outputs = ()
        elif step.points or step.by_hand:
            verdict = _for_a_person(step)
        self.needs_review.append(
            f"cell {step.grade_id or step.cell + 1}: the student's code {_WORDS[died.why].split(':')[0]}"
        )
        return StepResult(outputs, died.why, seconds, verdict)

    # --- exercises ---

    def _exercise(self, number, step):
        begun = time.monotonic()
        name, functions = step.calls
        exercise = get_exercise(name)
        request = {"do": "functions", "names": list(functions), "place": number, "apart": name in self.twice}
        header, _ = self._ask(request, seconds=self.settings.timeout)
        found = header.get("found")
        if not isinstance(found, list) or [len(row) if isinstance(row, list) else 0 for row in found] != [3] * len(
            functions
        ):
            raise Died("crash", "a reply of another form")
        text = _unusable(functions, found, len(exercise.data))
        if text:
            self._remember(exercise, functions)
            kind, why = self._why_undefined(functions, number)
            message = f"✗ {name}: no answer is left.\n{why}" if why else f"○ {name}: not attempted.\n{text}"
            verdict = Verdict(step.grade_id, "outside", step.points, 0.0, kind or NOT_ATTEMPTED, message, name)
            return StepResult(verdict=verdict, seconds=time.monotonic() - begun)
        seed = PUBLIC_SEED if self.task.at_home else exercise_seed(self.task.seed, name)
        frames, errors, died = self._frames(exercise, functions, seed)
        judgement = self.judge.judge(name, seed, frames, self.task.at_home)
        causes = (
            self._causes(name, header.get("used"))
            if died is None and not judgement.broken and not judgement.result.passed
            else {}
        )
        if causes:
            # In a copy, as for a check that is asked twice: what is lent to this answer must not reach another one
            self._ask(request | {"apart": True}, seconds=self.settings.timeout)
            frames, *then = self._frames(exercise, functions, seed, causes)
            if self.child is not None:
                self._ask({"do": "done"}, seconds=self.settings.timeout)
            second = self.judge.judge(name, seed, frames, self.task.at_home, again=True)
            if second.result.score > judgement.result.score:
                judgement, (errors, died) = replace(second, result=follows_from(second.result, list(causes))), then
        if not judgement.result.passed:
            self._remember(exercise, functions)
        unnamed = judgement.result.attempted and not (judgement.result.mistake or judgement.result.follows)
        if (
            unnamed
            and not judgement.result.passed
            and not judgement.broken
            and died is None
            and "TooSlow" not in errors
        ):
            text = self._place(exercise, functions, seed)
            message = "\n".join(filter(None, [judgement.result.message, text]))
            judgement = replace(judgement, result=replace(judgement.result, message=message))
        if name in self.twice and self.child is not None:
            self._ask({"do": "done"}, seconds=self.settings.timeout)
        if judgement.broken and died is None:
            died = Died("crash", judgement.broken)
            self._end()
            self.deaths += 1
        return StepResult(verdict=_of_result(step, name, judgement.result, died, errors, time.monotonic() - begun))

    def _remember(self, exercise, functions):
        """Keep that an exercise is not right, if later answers may call its functions."""
        if not exercise.data:
            self.failed[exercise.name] = functions

    def _place(self, exercise, functions, seed):
        """Where an answer goes wrong that makes no known mistake, as a sentence; "" where nothing is found in time."""
        formula = exercise.assess is None and not exercise.scales
        if self.places_left <= 0 or exercise.released is not None or not formula:
            return ""
        try:
            self.judge.know(exercise.name, seed)
        except EngineFault:
            # The verdict stands without it
            return ""
        begun = time.monotonic()
        seconds = min(PLACE_SECONDS, self.places_left)
        ask = functools.partial(self._traced, exercise, functions, seed, begun + seconds)
        try:
            return self.judge.place(exercise.name, seed, seconds, ask, self._written(), self.task.at_home)
        except Died:
            # Nothing of this counts against the answer
            self._end()
            self.places_left = 0.0
            return ""
        finally:
            self.places_left -= time.monotonic() - begun

    def _traced(self, exercise, functions, seed, until, case, given, body):
        """The child's reply where it is asked for the values on the way of a visible case; given : values to exchange."""
        hidden, tree, buffers = _encoded_cases(exercise.name, seed)[case]
        if hidden:
            raise ProtocolError("a hidden case is not looked into")
        left = max(0.1, until - time.monotonic())
        request = {"do": "traced", "driver": _driver(exercise), "names": list(functions), "case": tree, "seconds": left}
        if given is not None:
            # Their arrays stand behind the case's
            request, buffers = request | {"given": given}, [*buffers, body]
        return self._ask(request, left, buffers, exercise, self._answers(exercise, seed, case))

    def _causes(self, name, used):
        """{earlier exercise that failed: the names of its functions} of those that the answer calls, as far as can be seen.

        used : names that the child has found in the answer's code; anything but a list stands for all that is written.
        """
        if get_exercise(name).released is not None:
            return {}
        called = _called(self._written())
        if isinstance(used, list):
            called = called.intersection(one for one in used if isinstance(one, str))
        return {
            other: functions
            for other, functions in self.failed.items()
            if other != name and not called.isdisjoint(functions)
        }

    def _written(self):
        """The code that the student wrote."""
        return "\n".join(step.source for step in self.task.steps if step.kind == CODE and step.student)

    def _frames(self, exercise, functions, seed, instead=None):
        """(frames of the cases, types of errors, the `Died` that ended them).

        instead : {exercise: names of the student's functions} that stand for the course's meanwhile.
        """
        frames, errors, died = [], set(), None
        seconds = min(self.settings.timeout, exercise.seconds or self.settings.timeout)
        self.lent = {f"{name}/{place}" for name, names in (instead or {}).items() for place in range(len(names))}
        limits, cases = self.judge.limits(exercise.name, seed), _encoded_cases(exercise.name, seed)
        # The visible ones first: what an answer says in them may be repeated, and it must not have seen the others
        for number in sorted(range(len(cases)), key=lambda number: cases[number][0]):
            hidden, tree, buffers = cases[number]
            if self.task.at_home and hidden:
                continue
            if died is None:
                try:
                    answers = self._answers(exercise, seed, number)
                    header, body = self._case(exercise, functions, tree, buffers, seconds, instead, answers)
                    frames.append(frame(number, header, body, limits[number]))
                    errors |= _error_names(header)
                    self._look_into(header)
                except Died as death:
                    died = death
                    self._end()
                    self.deaths += 1
            if died is not None:
                frames.append(Frame(number, died=died.why))
            if "TooSlow" in errors:
                # After an answer has used up its time once, every further case gets little
                seconds = min(seconds, 1.0)
        self.lent = set()
        return sorted(frames, key=lambda one: one.number), errors, died

    def _look_into(self, header):
        for row in header["outcomes"]:
            error = row.get("error")
            if isinstance(error, list) and error[:1] == ["ModuleNotFoundError"] and isinstance(error[-1], str):
                self._look_for(error[-1])

    def _answers(self, exercise, seed, number):
        """What answers the questions of a case and counts them, beyond the reach of who asks."""
        count = itertools.count()
        return lambda tree, body, deadline: self.oracle.answer(
            exercise.name, seed, number, next(count), tree, body, deadline
        )

    def _case(self, exercise, functions, tree, buffers, seconds, instead=None, answers=None):
        request = {
            "do": "case",
            "driver": _driver(exercise),
            "names": list(functions),
            "parts": list(exercise.parts),
            "case": tree,
            "seconds": seconds,
        }
        if instead:
            lent = [(name, other, place) for other, names in instead.items() for place, name in enumerate(names)]
            request["instead"] = [[name, f"{other}/{place}"] for name, other, place in lent]
            request["homes"] = {f"{other}/{place}": _home(other, place, exercise.name) for _, other, place in lent}
        header, body = self._ask(request, seconds, buffers, exercise, answers)
        if header.get("no_memory"):
            error = {"where": "", "changed": [], "printed": "", "warned": "", "error": ["MemoryError", ""]}
            header = {"outcomes": [error] * len(exercise.parts), "values": [None] * len(exercise.parts)}
        rows = header.get("outcomes")
        if not isinstance(rows, list) or [type(row) for row in rows] != [dict] * len(exercise.parts):
            raise Died("crash", "a reply of another form")
        return header, body


def _emptied(value):
    """The same value with every number gone: NaN, or 0 where there is none."""
    if isinstance(value, np.ndarray | np.generic):
        return np.full_like(value, np.nan if value.dtype.kind in "fc" else 0)
    if isinstance(value, float | complex):
        return float("nan")
    if isinstance(value, int):
        return 0
    if isinstance(value, dict):
        return {key: _emptied(x) for key, x in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(_emptied, value))
    return type(value)(map(_emptied, value)) if isinstance(value, tuple | list) else value


@registry.kept
@functools.lru_cache(256)
def _encoded_cases(name, seed):
    """[(whether it is hidden, tree, buffers)] of what an answer is called with; the whole class is asked the same."""
    cases = get_exercise(name).cases(np.random.default_rng(seed))
    return [(case.hidden, *encode((case.args, case.kwargs, case.dout, case.extra))) for case in cases]


@registry.kept
@functools.lru_cache(64)
def _home(name, place, asked):
    """(module, its text, name) of a function of the course that answers an exercise; the text without what answers `asked`."""
    function = get_exercise(name).functions[place]
    package, _, module = function.__module__.partition(".")
    return module, course_source(module, asked) if package == "dlcourse" else "", function.__name__


def _driver(exercise):
    """[module, name] of the exercise's driver, as the sandbox finds it."""
    driver = exercise.driver
    return ["drivers" if driver.__module__ == drivers.__name__ else exercise.slug, driver.__name__]


def _error_names(header):
    """The types of the errors that a reply tells of; `judge` refuses a reply that has none of the form."""
    try:
        return {str(row["error"][0]) for row in header["outcomes"] if row["error"]}
    except (KeyError, TypeError, IndexError):
        return set()


@functools.lru_cache(4)
def _called(source):
    """The names that stand in code other than to define them."""
    return frozenset(re.findall(r"(?<!\bdef )\b[^\W\d]\w*", source))


def _unusable(names, found, data=0):
    """What is wrong with the answer that the check asks for, as a sentence; "" if nothing is. data : how many of the names are those of values."""
    for number, (name, (defined, can_be_called, kind)) in enumerate(zip(names, found, strict=True)):
        if defined is not True:
            what = "variable" if number < data else "function"
            return f"There is no {what} {name}: its cell is missing, empty, or stopped with an error."
        if can_be_called is not True and number >= data:
            return f"Expected the function {name} itself, got {_line(str(kind), 100)}."
    return ""


# --- verdicts -------------------------------------------------------------------------------------------------------


def _of_result(step, name, result, died, errors, seconds):
    if result.passed:
        verdict = RIGHT
    elif not result.attempted:
        verdict = NOT_ATTEMPTED
    elif died is not None:
        verdict = _BY_DEATH[died.why]
    elif "TooSlow" in errors:
        verdict = OUT_OF_TIME
    elif "MemoryError" in errors:
        verdict = OUT_OF_MEMORY
    else:
        # An optional exercise has no points
        verdict = PARTLY if (result.points if result.max_points else result.score) > 0 else WRONG
    return Verdict(
        step.grade_id,
        "outside",
        step.points,
        round(result.score * step.points, 2),
        verdict,
        result.message,
        exercise=name,
        mistake=result.mistake,
        hint=result.hint,
        rows=result.rows,
        seconds=seconds,
    )


def _is_near(value, points):
    """Within rounding; a whole number may be too large for a float."""
    return points - ROUNDING <= value <= points + ROUNDING


def _in_words(value):
    return f"{value:g}" if -LARGEST_SHOWN < value < LARGEST_SHOWN else "a number of more than 100 digits"


def _of_asserts(step, error, value, odd, seconds):
    """An error earns nothing, a number is the points, a value that is nearly one (`odd`) waits, all else earns everything."""
    if error is None and odd:
        return Verdict(step.grade_id, "person", step.points, None, FOR_A_PERSON, seconds=seconds)
    if error is not None:
        verdict = {"NotImplementedError": NOT_ATTEMPTED, "MemoryError": OUT_OF_MEMORY, "TooSlow": OUT_OF_TIME}.get(
            error["ename"], WRONG
        )
        points, message = 0.0, _text(f"{error['ename']}: {error['evalue']}".rstrip(": "), 2000)
    else:
        points = min(max(value, 0.0), step.points) if _is_number(value) else step.points
        verdict = RIGHT if points == step.points else PARTLY if points else WRONG
        message = ""
    return Verdict(step.grade_id, "in-process", step.points, float(points), verdict, message, seconds=seconds)


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _defines(name, source):
    return re.search(rf"^\s*(?:def|class)\s+{re.escape(name)}\b|^{re.escape(name)}\s*=", source, re.M) is not None


def _told(error):
    """How an error has stopped a cell: its words, and the lines of the cell around the place."""
    text = f"stopped with {error['ename']}: {_line(error['evalue'], 500)}".rstrip(": ")
    if error["ename"] == "TooSlow":
        text = _WORDS["time"]
    blocks = [block for block in error["traceback"] if block.lstrip().startswith("Cell In")]
    lines = blocks[-1].rstrip().splitlines()[1:] if blocks else []
    return "\n".join([text, *(line[:120] for line in lines[:SHOWN_LINES])])


def _for_a_person(step):
    return Verdict(step.grade_id, "person", step.points, None, FOR_A_PERSON)


# --- what may be shown ----------------------------------------------------------------------------------------------


def clean(outputs: Any) -> list[dict]:
    """The outputs that a child sent, as the notebook format has them: text and pictures, nothing that a browser would run."""
    found = []
    for output in outputs if isinstance(outputs, list) else ():
        if not isinstance(output, dict):
            continue
        if output.get("output_type") == "stream":
            found.append(_stream(_text(output.get("text"), 10**6)))
        elif output.get("output_type") in ("display_data", "execute_result"):
            data, given = {}, output.get("data")
            given = given if isinstance(given, dict) else {}
            if isinstance(given.get("text/plain"), str):
                data["text/plain"] = _text(given["text/plain"], 10**6)
            picture = given.get("image/png")
            if isinstance(picture, str):
                try:
                    raw = base64.b64decode(picture, validate=False)
                except (binascii.Error, ValueError):
                    raw = b""
                if _can_be_shown(raw):
                    data["image/png"] = base64.b64encode(raw).decode()
            if data:
                # As display_data: the number that a graded cell leaves is the verdict's, not the student's
                found.append({"output_type": "display_data", "data": data, "metadata": {}})
    return found


def _can_be_shown(picture):
    """Whether it begins as a PNG does, of a size that a page can hold."""
    if len(picture) < _PNG.size:
        return False
    *begins, width, height = _PNG.unpack_from(picture)
    return tuple(begins) == _PNG_BEGINS and 0 < width * height <= PIXELS


def limited(outputs: list[dict], text: int, everything: int) -> tuple[list[dict], bool]:
    """(the outputs up to so many characters of text, and of text and pictures; whether something was left out)."""
    kept: list[dict] = []
    cut = False
    for output in outputs:
        room = max(0, min(text, everything))
        if len(output.get("text", "")) > room:
            output, cut = output | {"text": output["text"][:room]}, True
        size = _size(output)
        words = size - len(output.get("data", {}).get("image/png", ""))
        if size <= everything and words <= text and len(kept) < OUTPUTS:
            kept.append(output)
            text, everything = text - words, everything - size
        else:
            cut = True
    return kept, cut


def _size(output):
    """Characters that an output holds."""
    texts = [output.get("text", ""), *output.get("data", {}).values(), output.get("evalue", "")]
    return sum(map(len, texts)) + sum(map(len, output.get("traceback", ())))


def clean_error(error: Any) -> dict | None:
    """The error that ended a cell, as the notebook format has it, or None."""
    if not isinstance(error, dict):
        return None
    lines = error.get("traceback")
    return {
        "output_type": "error",
        "ename": _line(error.get("ename"), 100) or "Error",
        "evalue": _text(error.get("evalue"), 2000),
        "traceback": [_text(line, 20_000) for line in _first(lines)] if isinstance(lines, list) else [],
    }


def _first(lines):
    """The first lines of a traceback, as many as a page should hold."""
    room = TRACEBACK
    for line in lines[:60]:
        room -= len(line) if isinstance(line, str) else 0
        if room < 0:
            return
        yield line


def _stream(text):
    return {"output_type": "stream", "name": "stdout", "text": text}


def _text(value, limit):
    return value[:limit] if isinstance(value, str) else ""


def _line(value, limit):
    return " ".join(_text(value, limit).split())
