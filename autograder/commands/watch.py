"""`dlcourse watch`: grading on submission, from the exchange or the submitted folder, to the feedback page if you like."""

import os
import sys
import time
import warnings
from pathlib import Path

from ..engine.store.course import open_course
from ..engine.store.records import WITHOUT_SANDBOX
from ..engine.tasks import Settings
from ..engine.watch import Arrivals
from ..errors import AutograderError, CourseError
from . import fail
from .grade import shown, stopped_by_signals, wrong_limits
from .release import nbgrader_api


def main(
    assignments,
    course=".",
    every=5.0,
    pause=60.0,
    timeout=30.0,
    memory=2048,
    isolation="bwrap",
    feedback=False,
    once=False,
):
    """Grade what arrives until it is stopped; returns the exit status: 0 stopped or (once) all graded, 1 something is open."""
    wrong = wrong_limits(timeout, memory, isolation)
    if not wrong and min(every, pause) < 0:
        wrong = f"--every and --pause: expected seconds, got {min(every, pause):g}"
    if wrong:
        return fail(wrong)
    try:
        place = open_course(course)
        settings = Settings.with_timeout(timeout, isolation=isolation, memory=memory)
        with stopped_by_signals() as heard, Arrivals(place, assignments, settings, 0.0 if once else pause) as watch:
            return _Loop(place, watch, every, feedback, heard(time.sleep)).run(once)
    except CourseError as error:
        return fail(error)
    except KeyboardInterrupt:
        _say("Stopped. What is graded is safe; the next watch begins where this one ended.")
        return 0


class _Loop:
    def __init__(self, course, watch, every, feedback, sleep):
        self.course, self.watch, self.every, self.feedback, self.sleep = course, watch, every, feedback, sleep
        self.exchange = _Exchange(course)
        self.told, self.open = {}, False

    def run(self, once):
        _say(f"watching {', '.join(self.watch.assignments) or 'for the first release'} in {self.course.root}")
        while True:
            for assignment in self.watch.assignments:
                for line in self.exchange.collect(assignment, settled=once):
                    self._once(line, f"{assignment}: {line}")
            self.watch.look()
            if once:
                self.watch.look()
            for summary in self.watch.grade():
                self._show(summary)
            if once and (not self.watch.queue or self.open):
                return 1 if self.open else 0
            if not once:
                self.sleep(self.every)

    def _show(self, summary):
        self.open = self.open or not summary.complete
        for student, sentence in summary.needs_review:
            if not sentence.startswith(WITHOUT_SANDBOX):
                _say(f"{summary.assignment}: {student}: {sentence}")
        for student, (points, of, waits) in summary.scores.items():
            to_read = ", with answers to read" if waits else ""
            _say(f"{summary.assignment}: {student}: {points:g} of {of:g} points{to_read}")
        for student, why in {} if summary.problem else summary.failed.items():
            _say(f"{summary.assignment}: {student} stays open: {why}")
        self._once(summary.assignment, summary.problem)
        if self.feedback:
            for student in [*summary.graded, *summary.written]:
                self._hand_back(summary.assignment, student)

    def _hand_back(self, assignment, student):
        from ..reports.feedback import write_feedback

        try:
            write_feedback(self.course.root, assignment, [student])
            self.exchange.release_feedback(assignment, student)
        except (AutograderError, OSError) as error:
            _say(f"{assignment}: no feedback for {student}: {error}")

    def _once(self, what, line):
        """Say something that would otherwise be said at every look."""
        if line and self.told.get(what) != line:
            _say(line)
        self.told[what] = line


class _Exchange:
    """nbgrader's exchange, where the course has one."""

    def __init__(self, course):
        self.course, self.seen, self.taken = course, {}, {}
        with nbgrader_api(course.root) as api:
            self.inbound = Path(api.exchange_root) / course.course_id / "inbound" if course.course_id else None

    def collect(self, assignment, settled=False):
        """Let nbgrader collect what has come since the last time; yields what a person should know.

        settled : take what is there at once; otherwise what looks the same at two looks, as a copy may be under way.
        """
        if self.inbound is None or not self.inbound.is_dir():
            return
        now = {}
        for entry in os.scandir(self.inbound):
            # nbgrader's names: student+assignment+time, and the student's may hold a +
            if f"+{assignment}+" in entry.name:
                now[entry.name] = entry.stat(follow_symlinks=False).st_mtime_ns
        before, self.seen[assignment] = self.seen.get(assignment), now
        if now == self.taken.get(assignment, {}) or (before != now and not settled):
            return
        with nbgrader_api(self.course.root) as api:
            result = api.collect(assignment, update=True)
        log = result.get("log") or result.get("error") or ""
        if result["success"]:
            self.taken[assignment] = now
        else:
            yield f"nbgrader could not collect: {' '.join(log.split())[-300:]}"
        yield from (" ".join(line.split()) for line in log.splitlines() if "claims to be submitted" in line)

    def release_feedback(self, assignment, student):
        if self.inbound is None or not self.inbound.parent.is_dir():
            return
        with nbgrader_api(self.course.root) as api, warnings.catch_warnings():
            # traitlets', at a slip of the pen in nbgrader's call
            warnings.simplefilter("ignore", DeprecationWarning)
            result = api.release_feedback(assignment, student)
        if not result["success"]:
            raise CourseError(f"nbgrader could not release it: {' '.join((result.get('log') or '').split())[-300:]}")


def _say(line):
    print(f"{time.strftime('%H:%M:%S')} {shown(line)}", file=sys.stdout, flush=True)
