"""A whole class: what is open is graded by many workers, journalled, and written to the gradebook by this one process.

    submissions -> tasks -> workers -> journal -> autograded folder, waiting -> gradebook -> folder in its place

Each arrow can be cut at any moment (kill -9, a full disk, a locked database) and the next run goes on from what is on the
disk: what is journalled is not graded again, what is in the gradebook is not written again.

Whatever one submission does at one of these steps, it is that submission which stays open, with the reason, for a person;
the next one goes on (`_ClassRun.alone`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..checks.limits import TooSlow, time_limit
from ..errors import CourseError, EngineFault, EntryRefused, GradebookError, NoSandbox, PoolLost, Stopped
from . import ingest
from .pool import Cluster, InProcess, default_grader, described
from .scratch import remove_stale
from .store import gradebook
from .store.course import name_problem
from .store.journal import Journal, removed_students
from .tasks import Settings
from .version import checks_version

if TYPE_CHECKING:
    from .store.course import Course


NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
# What no submission causes: the run ends, or the gradebook is tried again later
OF_ALL = (CourseError, GradebookError, NoSandbox, PoolLost, Stopped)
# Seconds that one submission may take at each step in this process. Sizes are limited, so the largest takes two or three;
# the rest is for a machine that has much else to do
STEP_SECONDS = 300.0
NOT_WRITTEN = "graded, but not in the gradebook yet"


@dataclass
class Summary:
    """What a run did.

    graded : students graded now. written : those whose grades, known from an earlier run, were written now.
    unchanged : how many had nothing new. failed : {student: why it stays open}. refused : {folder: why}.
    changed : {student: (points before, points now)} in the gradebook. hiding : [(student, grade_id, points by hand, better
        points of the machine)]. removed : students whom a person has removed from the gradebook; they stay removed.
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
    changed: dict = field(default_factory=dict)
    hiding: list = field(default_factory=list)
    removed: list = field(default_factory=list)
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
    remove_stale()
    with Journal(course, run.assignment.name) as run.journal:
        open_ = run.find_open(students, regrade)
        run.tell("begin", len(open_) + len(run.pending) + len(run.summary.failed))
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
        run.note_open(students)
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
        self.course, self.on_event = course, on_event
        self.settings = replace(settings, environment=settings.environment or course.environment)
        self.early: list[tuple[Any, ...]] | None = []
        name = course.find_assignment(assignment)
        self.assignment = ingest.load_assignment(course, name, gradebook.saved_cells(course.db_url, name))
        self.summary = Summary(name, self.assignment.max_points)
        self.pending, self.waiting, self.database_problem, self.writer = [], {}, "", None
        self.terms = ""

    def tell(self, event, *details):
        """Pass on what happens; what goes wrong before the run begins is told when it has begun."""
        if event == "begin":
            self.on_event(event, *details)
            early, self.early = self.early or [], None
            for student, why in early:
                self.on_event("done", student, None, why)
        elif self.early is None:
            self.on_event(event, *details)
        else:
            self.early.append((details[0], details[2]))

    def alone(self, student, step, work, *arguments):
        """Do one step for one submission: whatever goes wrong is said of it, and the class goes on."""
        try:
            with time_limit(STEP_SECONDS):
                return work(*arguments)
        except TooSlow:
            self._leave_open(student, f"{step} took longer than {STEP_SECONDS:g} s: a person has to look at it")
        except OF_ALL:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in NO_ROOM:
                raise
            why = f"the engine failed while {step} ({described(error)}): a person has to look at it"
            self._leave_open(student, why)
        return None

    def _leave_open(self, student, why):
        self.waiting.pop(student, None)
        self.summary.failed[student] = why
        self.tell("done", student, None, why)

    def note_open(self, students):
        """Keep what stays open, and why, where the report finds it."""
        with contextlib.suppress(OSError):
            self.journal.note_open(self.summary.failed | self.summary.refused, students)

    def find_open(self, students, regrade):
        """Names of the submissions that are open; notes those that only need writing."""
        good, self.summary.refused = self.course.students(self.assignment.name)
        if students:
            unknown = sorted(set(students) - set(good))
            if unknown:
                raise CourseError(self._unknown(unknown[0], good))
            good, self.summary.refused = sorted(set(students)), {}
        folders = [self.course.folder("submitted", student, self.assignment.name) for student in good]
        imports = ingest.not_handed_in(self.assignment.imports, folders)
        self.assignment = replace(self.assignment, imports=imports)
        known = gradebook.graded_students(self.course.db_url, self.assignment.name)
        self.terms = gradebook.late_terms(self.course, self.assignment.name)
        removed = self._removed(known)
        if not students:
            self.summary.removed = [student for student in good if student in removed]
            good = [student for student in good if student not in removed]
        open_ = []
        for student in good:
            key = self.alone(student, "reading it", self._key_of, student)
            folder = self.course.folder("autograded", student, self.assignment.name)
            if key is None:
                continue
            if regrade or self.journal.keys.get(student) != key:
                open_.append(student)
            elif self._stands(student, key, known) and os.path.isdir(folder):
                self.summary.unchanged += 1
            else:
                self.pending.append((student, key))
        self.summary.total = len(good)
        return open_

    def _stands(self, student, key, known):
        """Whether the gradebook has this record, with the late penalty of the present terms."""
        journal = self.journal
        return journal.written.get(student) == key and journal.terms.get(student) == self.terms and student in known

    def _removed(self, known):
        """Whom a person has removed from the gradebook."""
        written = self.journal.written
        if written and not known.intersection(written):
            # All of them gone: that is another gradebook, or a lost one
            self.journal.forget_written()
            return set()
        return removed_students(self.course, self.assignment.name, written)

    def _key_of(self, student):
        return self._key(ingest.read_submission(self.course, student, self.assignment.name))

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
        for student, key in self.pending:
            self._open_gradebook()
            self.alone(student, "writing its grades", self._finish, student, key)

    def _finish(self, student, key):
        from .assemble import has_key, staged_folder

        names = [master.name for master in self.assignment.notebooks]
        staged = staged_folder(self.course, student, self.assignment.name)
        folder = self.course.folder("autograded", student, self.assignment.name)
        record = self.journal.record(student)
        if not (has_key(staged, names, key) or has_key(folder, names, key)):
            self._stage_again(record)
        if self._write(record):
            self.summary.written.append(student)
        self.tell("done", student, record, self.summary.failed.get(student, ""))

    def _stage_again(self, record):
        """The autograded folder is gone: the grades are known, only what the cells had shown is not."""
        from .assemble import assemble, stage

        submission = self._read(record.student)
        rebuilt = ingest.rebuild_submission(self.assignment, submission)
        stage(
            self.course,
            submission,
            self.assignment,
            {made.master.name: assemble(made, None, record, record.key) for made in rebuilt},
        )

    def _read(self, student):
        submission = ingest.read_submission(self.course, student, self.assignment.name)
        return ingest.fit(submission, self.assignment)

    def grade(self, students, pool):
        """Grade the open submissions; at most as many are in memory as the pool has room for."""
        # While the workers start; the imports alone take a second
        threading.Thread(target=gradebook.load_ahead, daemon=True).start()
        with pool:
            for student, results in pool.map(self._jobs(students)):
                if isinstance(results, EngineFault):
                    self._leave_open(student, str(results))
                else:
                    self._take_alone(student, results)

    def _jobs(self, students):
        for student in students:
            tasks = self.alone(student, "reading it", self._tasks, student)
            if tasks:
                yield student, tasks
            elif tasks is not None:
                self._take_alone(student, [])

    def _tasks(self, student):
        submission = self._read(student)
        rebuilt = ingest.rebuild_submission(self.assignment, submission)
        self.waiting[student] = submission, rebuilt
        return ingest.make_tasks(self.assignment, submission, rebuilt, self.course.seed)

    def _take_alone(self, student, results):
        self._open_gradebook()
        self.alone(student, "keeping its results", self._take, student, results)

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
        summary = self.summary
        summary.graded.append(student)
        summary.needs_review += [(student, sentence) for sentence in record.needs_review]
        summary.verdicts.update(verdict.verdict for verdict in record.verdicts)
        waits = any(verdict.points is None for verdict in record.verdicts)
        summary.scores[student] = (round(record.points, 6), record.max_points, waits)
        summary.cpu_seconds += record.cpu_seconds
        summary.student_seconds += record.seconds
        summary.overhead += record.overhead
        self._write(record)
        self.tell("done", student, record, summary.failed.get(student, ""))

    def _write(self, record, again=False):
        """Gradebook first, then the folder: a folder in its place means that the grades are there. Whether both are."""
        from .assemble import publish

        self._open_gradebook()
        if self.writer is None or (self.database_problem and not again):
            self.summary.failed[record.student] = NOT_WRITTEN
            return False
        try:
            written = self.writer.write(record, self.assignment)
        except EntryRefused as error:
            self.summary.failed[record.student] = f"graded, but not in the gradebook: {error}"
            return False
        except GradebookError as error:
            self.database_problem = str(error)
            self.summary.failed[record.student] = NOT_WRITTEN
            return False
        publish(self.course, record.student, self.assignment.name)
        self.journal.mark_written(record.student, record.key, self.terms)
        if written.before is not None and abs(written.after - written.before) > 1e-6:
            self.summary.changed[record.student] = round(written.before, 6), round(written.after, 6)
        self.summary.hiding += [(record.student, cell, *points) for cell, points in written.hiding.items()]
        self.summary.failed.pop(record.student, None)
        return True

    def _open_gradebook(self):
        """Once, and in nobody's time: the imports alone may take a minute on a busy machine."""
        if self.writer is None and not self.database_problem:
            try:
                self.writer = self.stack.enter_context(gradebook.Writer(self.course))
            except GradebookError as error:
                self.database_problem = str(error)

    def write_rest(self):
        """One more try for what the gradebook did not take."""
        if not self.database_problem:
            return
        self.database_problem = ""
        for student in [name for name in self.summary.failed if name in self.journal.keys]:
            if self.summary.failed[student] == NOT_WRITTEN and not self.database_problem:
                self.alone(student, "writing its grades", self._write_later, student)
        if self.database_problem:
            raise Stopped(f"{self.database_problem}. Nothing is lost: the next run writes what is graded")

    def _write_later(self, student):
        self._write(self.journal.record(student), again=True)
