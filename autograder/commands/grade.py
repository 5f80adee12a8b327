"""`dlcourse grade`: the class in one command."""

import contextlib
import json as json_
import signal
import sys
import threading
from dataclasses import asdict

from ..engine.store.course import open_course
from ..engine.store.records import WITHOUT_SANDBOX
from ..engine.tasks import Settings
from ..errors import CourseError
from . import console, fail

NO_SANDBOX = (
    "--isolation process: no sandbox. The students' code runs with your rights, your files and your network, and every grade "
    "says so."
)


def main(
    assignment,
    course=".",
    students=(),
    scheduler=None,
    workers=None,
    db=None,
    timeout=30.0,
    memory=2048,
    isolation="bwrap",
    figures=False,
    regrade=False,
    json=False,
    environment=None,
):
    """Grade a class and say what came of it; returns the exit status: 0 all graded, 1 something is open, 2 a wrong call."""
    wrong = _wrong(timeout, memory, isolation, workers, scheduler)
    if wrong:
        return fail(wrong)
    from ..engine.run import grade_class
    from ..errors import GradebookError

    if isolation == "process":
        console(stderr=True).print(NO_SANDBOX, style="bold red", markup=False, soft_wrap=True)
    settings = Settings.with_timeout(
        timeout, isolation=isolation, memory=memory, figures=figures, environment=environment or ""
    )
    try:
        place = open_course(course, db)
        with stopped_by_signals() as heard, _Show() as show:
            told = heard(show.event)
            summary = grade_class(
                place, assignment, list(students), settings, workers, scheduler, regrade, on_event=told
            )
    except CourseError as error:
        return fail(error)
    except GradebookError as error:
        return fail(error, status=1)
    except KeyboardInterrupt:
        print("Stopped. What is graded is safe; run the same command again to continue.", file=sys.stderr)
        return 1
    # A student's name, or a folder's, may hold what this terminal cannot write
    with contextlib.suppress(AttributeError):
        sys.stdout.reconfigure(errors="backslashreplace")
    if json:
        print(json_.dumps(_plain(summary), ensure_ascii=False, indent=1))
    else:
        _print(summary)
    return 0 if summary.complete else 1


@contextlib.contextmanager
def stopped_by_signals():
    """SIGTERM and SIGHUP end the block as Ctrl-C does, so that it tidies up; a second one ends the process.

    Gives what makes of a function another one that ends the block, too: Python only prints an exception that was raised
    while an object was deleted or memory was collected, and the signal would be lost. Of this one nothing is printed.
    """
    before, came, interrupt, print_it = {}, [], KeyboardInterrupt(), sys.unraisablehook

    def stop(number, frame):
        came.append(number)
        for one, handler in before.items():
            signal.signal(one, handler)
        raise interrupt

    def heard(function):
        def call(*args):
            if came:
                raise interrupt
            return function(*args)

        return call

    def print_others(unraisable):
        if unraisable.exc_value is not interrupt:
            print_it(unraisable)

    names = ("SIGINT", "SIGTERM", "SIGHUP") if threading.current_thread() is threading.main_thread() else ()
    for number in (getattr(signal, name) for name in names if hasattr(signal, name)):
        # nohup has SIGHUP ignored on purpose
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            before[number] = signal.signal(number, stop)
    if before:
        sys.unraisablehook = print_others
    try:
        yield heard
    finally:
        if before:
            sys.unraisablehook = print_it
        for number, handler in before.items():
            signal.signal(number, handler)


def wrong_limits(timeout, memory, isolation):
    """What is wrong with the limits of the students' code, "" where nothing is."""
    if isolation not in ("bwrap", "process"):
        return f"--isolation: expected bwrap or process, got {isolation!r}"
    if timeout <= 0:
        return f"--timeout: expected seconds above 0, got {timeout:g}"
    if memory < 256:
        return f"--memory: expected at least 256 MB (NumPy and Matplotlib alone take 200), got {memory}"
    return ""


def _wrong(timeout, memory, isolation, workers, scheduler):
    wrong = wrong_limits(timeout, memory, isolation)
    if wrong:
        return wrong
    if workers is not None and workers < 1:
        return f"--workers: expected 1 or more, got {workers}"
    if workers is not None and scheduler is not None:
        return "--workers is for this machine; with --scheduler the workers are those that joined it"
    return ""


class _Show:
    """Progress on stderr: a bar with the time left in a terminal, plain lines elsewhere."""

    def __enter__(self):
        self.console = console(stderr=True)
        self.bar, self.total, self.done = None, 0, 0
        return self

    def __exit__(self, *error):
        if self.bar is not None:
            self.bar.stop()

    def event(self, event, *details):
        if event == "begin":
            self._begin(*details)
            return
        student, record, problem = details
        self.done += 1
        for sentence in [problem] if problem else record.needs_review:
            # Of the whole class, so it is said once, by the command
            if not sentence.startswith(WITHOUT_SANDBOX):
                self._line(f"{shown(student)}: {shown(sentence)}")
        if self.bar is not None:
            self.bar.advance(self.task)
        elif self.done % max(1, self.total // 10) == 0 or self.done == self.total:
            self._line(f"{self.done} of {self.total}")

    def _begin(self, total):
        # A second run, without the sandbox that the first one wanted
        if self.bar is not None:
            self.bar.stop()
        self.total, self.done = total, 0
        if total and self.console.is_terminal:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self.bar = Progress(
                TextColumn("grading"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("left"),
                console=self.console,
                transient=True,
            )
            self.bar.start()
            self.task = self.bar.add_task("", total=total)
        elif total:
            self._line(f"grading {total}")

    def _line(self, text):
        self.console.print(text, markup=False, soft_wrap=True)


def shown(text):
    """Text of a student's for a terminal: no control characters, so nothing can move the cursor or fake a line."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _plain(summary):
    """The summary for a script."""
    data = asdict(summary)
    data["verdicts"] = dict(summary.verdicts)
    data["complete"] = summary.complete
    data["scores"] = {
        student: {"points": points, "of": of, "waits_for_a_person": waits}
        for student, (points, of, waits) in summary.scores.items()
    }
    return data


def _print(summary):
    scores = summary.scores.values()
    parts = [f"{len(summary.graded)} graded"]
    if summary.written:
        parts.append(f"{len(summary.written)} written that an earlier run had graded")
    if summary.changed:
        parts.append(f"{len(summary.changed)} changed")
    if summary.unchanged:
        parts.append(f"{summary.unchanged} had nothing new")
    if summary.failed:
        parts.append(f"{len(summary.failed)} open")
    print(f"{summary.assignment}: {', '.join(parts)}, in {summary.seconds:.1f} s")
    if scores:
        mean = sum(points for points, _, _ in scores) / len(scores)
        waiting = sum(waits for _, _, waits in scores)
        print(f"mean {mean:.2f} of {summary.max_points:g} points", end="")
        print(f"; {waiting} with written answers that wait for a person" if waiting else "")
    _print_changes(summary)
    for folder, why in summary.refused.items():
        print(f"refused: the folder {shown(ascii(folder))}: {why}")
    if summary.failed and not summary.problem:
        for student, why in summary.failed.items():
            print(f"open: {shown(student)}: {shown(why)}")
    if summary.problem:
        fail(shown(summary.problem))
        if summary.failed:
            print(f"{len(summary.failed)} not graded yet; run the same command again to continue", file=sys.stderr)


def _print_changes(summary):
    """What is other in the gradebook than before, and what stays as a person has left it: a line for each."""
    for student, (before, after) in summary.changed.items():
        print(f"changed: {shown(student)}: {before:g} before, {after:g} now")
    for student, cell, by_hand, machine in summary.hiding:
        print(
            f"given by hand: {shown(student)}: {by_hand:g} points for {shown(cell)} stay, the machine now gives {machine:g}; "
            "clear them in formgrader if these are right"
        )
    for student in summary.removed:
        print(
            f"removed: {shown(student)} was removed from the gradebook, so nothing is graded; to have them back: "
            f"nbgrader db student add {shown(student)}"
        )
