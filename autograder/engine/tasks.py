"""What a worker is given to grade, and what it gives back: plain data, so that it travels to any machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from .store.records import Verdict

# Kinds of steps
CODE = "code"
EXERCISE = "exercise"
ASSERTS = "asserts"
TEXT = "text"


@dataclass(frozen=True)
class Step:
    """One cell of the notebook as it is graded.

    kind : CODE, a cell that is run (the course's or the student's); EXERCISE, a graded cell that only calls `check`;
        ASSERTS, any other graded code cell; TEXT, nothing to run.
    source : what runs, or the text. cell : its place in the assembled notebook.
    student : whether the student wrote the source. grade_id : nbgrader's, "" where the cell has none.
    points : what a graded step is worth. calls : of an EXERCISE, its `(name, function names)`.
    by_hand : a person grades what this cell shows, so its figures are drawn.
    """

    kind: str
    source: str
    cell: int
    student: bool = False
    grade_id: str = ""
    points: float = 0.0
    calls: tuple[str, tuple[str, ...]] | None = None
    by_hand: bool = False


@dataclass(frozen=True)
class Task:
    """One notebook of one submission, ready to be graded anywhere.

    steps : in the order in which they run. seed : chooses the numbers of the cases; made from the course's secret,
        so no worker needs the secret itself. files : {relative name: content} of what lies beside it.
    at_home : ask what the notebook's own check asks: the visible cases, with their public numbers.
    imports : statements of the course's own code that must work before anything is graded.
    """

    student: str
    assignment: str
    notebook: str
    steps: tuple[Step, ...]
    seed: int
    files: dict = field(default_factory=dict)
    at_home: bool = False
    imports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """Limits of one submission, and how it is walled in.

    isolation : "bwrap", "process" (a separate process with limits, but with the grader's rights), or "fresh" (the same
        without forks, on every system: for a student's own notebook).
    timeout : seconds for one cell or check. total : seconds for a whole notebook with all its restarts.
    memory : MB of address space for the child. output : bytes that a cell may print or show.
    disk : MB that it may write, processes : how many it may have, threads included.
    figures : draw every figure, not only those that a person grades.
    environment : the Python environment of the student's code, a folder or its Python; "" is the one that runs the grader
        (of a class: the one that the course's configuration names, if it does).
    """

    isolation: str = "bwrap"
    timeout: float = 30.0
    total: float = 300.0
    memory: int = 2048
    output: int = 200_000
    disk: int = 64
    processes: int = 16
    figures: bool = False
    environment: str = ""

    @classmethod
    def with_timeout(cls, timeout: float, **others: Any) -> Self:
        """Settings where a whole notebook may take ten times as long as one cell, and its usual time at least."""
        return cls(timeout=timeout, total=max(cls.total, 10.0 * timeout), **others)


@dataclass(frozen=True)
class StepResult:
    """What came of one step: outputs as the notebook format has them, already cleaned; a graded step has its verdict."""

    outputs: tuple = ()
    error: str = ""
    seconds: float = 0.0
    verdict: Verdict | None = None


@dataclass(frozen=True)
class TaskResult:
    """What came of a task: one result for each step, in order, and what it cost and was refused (as in `Record`)."""

    results: tuple[StepResult, ...]
    needs_review: tuple[str, ...] = ()
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_mb: float = 0.0
    overhead: float = 0.0
    restarts: int = 0
    limited_by: str = ""
    refused_calls: dict[str, int] = field(default_factory=dict)
