"""A whole class: what is open is graded by many workers, journalled, and written to the gradebook by this one process.

    submissions -> tasks -> workers -> journal -> autograded folder, waiting -> gradebook -> folder in its place

Each arrow can be cut at any moment (kill -9, a full disk, a locked database) and the next run goes on from what is on the
disk: what is journalled is not graded again, what is in the gradebook is not written again.
"""

from __future__ import annotations

import contextlib
import errno
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..errors import CourseError, EngineFault, NoSandbox, PoolLost, Stopped
from . import ingest
from .pool import Cluster, InProcess, default_grader
from .store import gradebook
from .store.course import name_problem
from .store.journal import Journal
from .tasks import Settings
from .version import checks_version

if TYPE_CHECKING:
    from .store.course import Course


NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@dataclass
class Summary:
    """What a run did.

    graded : students graded now. written : those whose grades, known from an earlier run, were written now.
    unchanged : how many had nothing new. failed : {student: why it stays open}. refused : {folder: why}.
    needs_review : [(student, why a person should look)] of this run. scores : {student: (points, of, waits for a person)} of
        this run. problem : what stopped the run. seconds : of the whole run.
    cpu_seconds, student_seconds, overhead : of the students' code, processor and wall, and of everything around it.
    """

    assignment: str
    max_points: float = 0.0
    total: int = 0
    graded: list = field(default_factory=list)
    written: list = field(default_factory=list)
    unchanged: int = 0
    failed: dict = field(default_factory=dict)
    refused: dict = field(default_factory=dict)
    needs_review: list = field(default_factory=list)
    scores: dict = field(default_factory=dict)
    verdicts: Counter = field(default_factory=Counter)
    problem: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    student_seconds: float = 0.0
    overhead: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether every submission is graded and in the gradebook."""
        return not (self.failed or self.refused or self.problem)


def grade_class(
    course: Course,
    assignment: str,
    students: Iterable[str] | None = None,
    settings: Settings | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    regrade: bool = False,
    on_event: Callable[..., object] = lambda event, *details: None,
    grader: Callable[[Settings], Any] = default_grader,
) -> Summary:
    """Grade every submission of an assignment that is not graded yet.

    Parameters
    ----------
    course : Course, from `open_course`. assignment : its name.
    students : only these. regrade : also what is graded already.
    settings : limits of the sandbox. workers : processes of this machine, all its cores by default; 1 grades in this
        process. scheduler : address of a Dask scheduler whose workers grade instead.
    on_event : called with ("begin", how many are open), ("done", student, record or None, why not).
    grader : makes a Grader from settings.

    Returns
    -------
    Summary. Raises `CourseError` where the call itself is wrong, `GradebookError` where the gradebook cannot be read.
    """
    run = _ClassRun(course, assignment, settings or Settings(), on_event)
    begun = time.perf_counter()
    with Journal(course, run.assignment.name) as run.journal:
        open_ = run.find_open(students, regrade)
        on_event("begin", len(open_) + len(run.pending))
        with contextlib.ExitStack() as run.stack:
            try:
                run.finish_earlier()
                if open_:
                    run.grade(open_, _pool(run, len(open_), workers, scheduler, grader))
                run.write_rest()
            except (NoSandbox, PoolLost, Stopped) as error:
                run.summary.problem = str(error)
            except OSError as error:
                if error.errno not in NO_ROOM:
                    raise
                run.summary.problem = f"the disk is full ({error.strerror}: {error.filename or course.root}); free some space and run again"
    if run.summary.problem:
        for student in open_:
            if student not in run.summary.scores:
                run.summary.failed.setdefault(student, "not graded yet")
    run.summary.seconds = time.perf_counter() - begun
    return run.summary


def _pool(run, jobs, workers, scheduler, grader):
    if scheduler is None and (workers == 1 or jobs == 1):
        return InProcess(run.settings, grader)
    exercises = {
        tuple(sorted({cell.calls[0] for cell in master.cells if cell.calls})) for master in run.assignment.notebooks
    }
    return Cluster(run.settings, workers, scheduler, grader, sorted(exercises), checks_version())


class _ClassRun:
    """One run over a class; `journal` and `stack` are open while it lasts."""

    journal: Journal
    stack: contextlib.ExitStack

    def __init__(self, course, assignment, settings, on_event):
        self.course, self.settings, self.on_event = course, settings, on_event
        name = course.find_assignment(assignment)
        self.assignment = ingest.load_assignment(course, name, gradebook.saved_cells(course.db_url, name))
        self.summary = Summary(name, self.assignment.max_points)
        self.pending, self.waiting, self.database_problem, self.writer = [], {}, "", None

    def find_open(self, students, regrade):
        """Names of the submissions that are open; notes those that only need writing."""
        good, self.summary.refused = self.course.students(self.assignment.name)
        if students:
            unknown = sorted(set(students) - set(good))
            if unknown:
                raise CourseError(self._unknown(unknown[0], good))
            good, self.summary.refused = sorted(set(students)), {}
        known = gradebook.graded_students(self.course.db_url, self.assignment.name)
        open_ = []
        for student in good:
            key = self._key(ingest.read_submission(self.course, student, self.assignment.name))
            folder = self.course.folder("autograded", student, self.assignment.name)
            if regrade or self.journal.keys.get(student) != key:
                open_.append(student)
            elif self.journal.written.get(student) == key and student in known and folder.is_dir():
                self.summary.unchanged += 1
            else:
                self.pending.append((student, key))
        self.summary.total = len(good)
        return open_

    def _unknown(self, student, good):
        import difflib

        problem = name_problem(student)
        if problem:
            return f"{student!r} cannot be graded: {problem}"
        near = difflib.get_close_matches(student, good, n=1, cutoff=0.4)
        return f"{student!r} has handed in nothing for {self.assignment.name!r}" + (
            f"; did you mean {near[0]!r}?" if near else ""
        )

    def _key(self, submission):
        return submission.digest, self.assignment.version, checks_version()

    def finish_earlier(self):
        """Write what an earlier run has journalled; grade it again only if its notebook is lost."""
        from .assemble import has_key, staged_folder

        names = [master.name for master in self.assignment.notebooks]
        for student, key in self.pending:
            staged = staged_folder(self.course, student, self.assignment.name)
            folder = self.course.folder("autograded", student, self.assignment.name)
            record = self.journal.record(student)
            if has_key(staged, names, key) or has_key(folder, names, key):
                self._write(record)
            else:
                self._write_again(record)
            self.summary.written.append(student)
            self.on_event("done", student, record, "")

    def _write_again(self, record):
        """The autograded folder is gone: the grades are known, only what the cells had shown is not."""
        from .assemble import assemble, stage

        submission = ingest.read_submission(self.course, record.student, self.assignment.name)
        rebuilt = ingest.rebuild_submission(self.assignment, submission)
        stage(
            self.course,
            submission,
            self.assignment,
            {made.master.name: assemble(made, None, record, record.key) for made in rebuilt},
        )
        self._write(record)

    def grade(self, students, pool):
        """Grade the open submissions; at most as many are in memory as the pool has room for."""
        with pool:
            for student, results in pool.map(self._jobs(students)):
                if isinstance(results, EngineFault):
                    self.waiting.pop(student)
                    self.summary.failed[student] = str(results)
                    self.on_event("done", student, None, str(results))
                else:
                    self._take_safely(student, results)

    def _jobs(self, students):
        for student in students:
            submission = ingest.read_submission(self.course, student, self.assignment.name)
            rebuilt = ingest.rebuild_submission(self.assignment, submission)
            self.waiting[student] = submission, rebuilt
            tasks = ingest.make_tasks(self.assignment, submission, rebuilt, self.course.seed)
            if tasks:
                yield student, tasks
            else:
                self._take_safely(student, [])

    def _take_safely(self, student, results):
        """A result that makes no sense is the engine's fault: that submission stays open, the class goes on."""
        try:
            self._take(student, results)
        except (ValueError, TypeError, KeyError) as error:
            self.waiting.pop(student, None)
            self.summary.failed[student] = f"the engine failed: {type(error).__name__}: {error}"
            self.on_event("done", student, None, self.summary.failed[student])

    def _take(self, student, results):
        """Journal a graded submission and write it to the gradebook."""
        from .assemble import assemble, record_of, stage

        submission, rebuilt = self.waiting.pop(student)
        readable = [made.master.name for made in rebuilt if not made.problem]
        by_name = dict(zip(readable, results, strict=True))
        key = self._key(submission)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        record = record_of(submission, self.assignment, rebuilt, by_name, key, self.settings.isolation, now)
        notebooks = {made.master.name: assemble(made, by_name.get(made.master.name), record, key) for made in rebuilt}
        stage(self.course, submission, self.assignment, notebooks)
        self.journal.append(record)
        self._write(record)
        summary = self.summary
        summary.graded.append(student)
        summary.needs_review += [(student, sentence) for sentence in record.needs_review]
        summary.verdicts.update(verdict.verdict for verdict in record.verdicts)
        waits = any(verdict.points is None for verdict in record.verdicts)
        summary.scores[student] = (round(record.points, 6), record.max_points, waits)
        summary.cpu_seconds += record.cpu_seconds
        summary.student_seconds += record.seconds
        summary.overhead += record.overhead
        self.on_event("done", student, record, "")

    def _write(self, record, again=False):
        """Gradebook first, then the folder: a folder in its place means that the grades are there."""
        from .assemble import publish

        if self.database_problem and not again:
            self.summary.failed[record.student] = "graded, but not in the gradebook yet"
            return
        try:
            if self.writer is None:
                self.writer = self.stack.enter_context(gradebook.Writer(self.course))
            self.writer.write(record, self.assignment)
        except gradebook.GradebookError as error:
            self.database_problem = str(error)
            self.summary.failed[record.student] = "graded, but not in the gradebook yet"
            return
        publish(self.course, record.student, self.assignment.name)
        self.journal.mark_written(record.student, record.key)
        self.summary.failed.pop(record.student, None)

    def write_rest(self):
        """One more try for what the gradebook did not take."""
        if not self.database_problem:
            return
        self.database_problem = ""
        for student in [name for name in self.summary.failed if name in self.journal.keys]:
            if self.summary.failed[student] == "graded, but not in the gradebook yet" and not self.database_problem:
                self._write(self.journal.record(student), again=True)
        if self.database_problem:
            raise Stopped(f"{self.database_problem}. Nothing is lost: the next run writes what is graded")
