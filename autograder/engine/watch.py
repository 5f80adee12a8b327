"""Grading on submission: what is new in the submitted folder waits in a queue and is graded, one student at a time.

What is graded already is known from the journal, so a watch that is stopped, or killed, begins where it ended.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CourseError, GradebookError
from .ingest.folder import ENTRIES
from .pool import default_grader
from .run import Summary, grade_class
from .tasks import Settings

if TYPE_CHECKING:
    from .store.course import Course

# Of one assignment at a time, before the watch looks again who else has come
BATCH = 20
# Seconds until a run that could not go on is tried again: another run is grading, the disk is full
RETRY = 60.0

# What a folder looks like from outside: names, sizes, times
Look = tuple[tuple[str, int, int], ...]
# An assignment, and a student
Whose = tuple[str, str]


@dataclass
class Waiting:
    """A submission in the queue. since : when it was first seen. look : what it looked like then. settled : and still does."""

    since: float
    look: Look
    settled: bool = False


class Arrivals:
    """What has arrived in a course and waits to be graded.

    with Arrivals(course, ["neurons"], settings) as arrivals:
        arrivals.look()
        for summary in arrivals.grade(): ...

    assignments : those that are watched, all that are released where none is named. pause : seconds that lie at least between
    two gradings of the same student's work, so that nobody who hands in every minute holds up the others.
    clock : of the pauses. grader : makes a Grader from settings; it is kept warm.
    """

    def __init__(
        self,
        course: Course,
        assignments: Iterable[str] = (),
        settings: Settings | None = None,
        pause: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        grader: Callable[[Settings], Any] = default_grader,
    ) -> None:
        self.course, self.settings, self.pause, self.clock = course, settings or Settings(), pause, clock
        self.named = [course.find_assignment(name) for name in assignments]
        self.queue: dict[Whose, Waiting] = {}
        self._done: dict[Whose, Look] = {}
        self._not_before: dict[Whose, float] = {}
        self._make = grader
        self._warm: dict[Settings, Any] = {}

    def __enter__(self) -> Arrivals:
        self._stack = contextlib.ExitStack()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @property
    def assignments(self) -> list[str]:
        return self.named or self.course.assignments()

    def look(self) -> None:
        """Put what has come or changed into the queue. It is graded when it looks the same at the next look: a copy may be under way."""
        now, there = self.clock(), set()
        for assignment in self.assignments:
            for student in self.course.students(assignment)[0]:
                key = assignment, student
                there.add(key)
                seen = _look(self.course.folder("submitted", student, assignment))
                waiting = self.queue.get(key)
                if waiting is not None:
                    waiting.settled, waiting.look = waiting.look == seen, seen
                elif self._done.get(key) != seen:
                    self.queue[key] = Waiting(now, seen)
        for key in self.queue.keys() - there:
            del self.queue[key]

    def grade(self) -> Iterator[Summary]:
        """Grade what may be graded now, the longest waiting first; yields a `Summary` for each assignment.

        What a student's work makes fail is for a person and not tried again until it changes.
        """
        now = self.clock()
        ready = [key for key, one in self.queue.items() if one.settled and self._not_before.get(key, now) <= now]
        ready.sort(key=lambda key: self.queue[key].since)
        for assignment, keys in itertools.groupby(sorted(ready[:BATCH], key=lambda key: key[0]), lambda key: key[0]):
            yield self._grade(assignment, [student for _, student in keys])

    def _grade(self, assignment, students):
        try:
            summary = grade_class(self.course, assignment, students, self.settings, workers=1, grader=self._kept_warm)
        except (CourseError, GradebookError) as error:
            summary = Summary(assignment, problem=str(error))
        now = self.clock()
        for student in students:
            key = assignment, student
            if summary.problem:
                self._not_before[key] = now + RETRY
            else:
                self._done[key] = self.queue.pop(key).look
                self._not_before[key] = now + self.pause if student in summary.graded else now
        return summary

    def _kept_warm(self, settings):
        """The one grader of this watch; a run that ends does not end it."""
        if settings not in self._warm:
            self._warm[settings] = self._stack.enter_context(self._make(settings))
        return contextlib.nullcontext(self._warm[settings])


def _look(folder: Path) -> Look:
    """What lies in a folder that a student has filled; nothing is opened and no link followed."""
    found, folders = [], [str(folder)]
    for place in folders:
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    kind = entry.stat(follow_symlinks=False)
                    found.append((entry.path, kind.st_size, kind.st_mtime_ns))
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    if len(found) > ENTRIES:
                        return tuple(found)
        except OSError:
            continue
    return tuple(sorted(found))
