"""What is known of a graded submission, as plain data: the journal holds it, reports and feedback are made from it."""

import json
from dataclasses import dataclass, field

from ...checks.result import CaseRow

FORMAT = 2

# Hashes of the submission, the assignment and the checks
Key = tuple[str, str, str]

RIGHT = "right"
PARTLY = "partly right"
WRONG = "wrong"
NOT_ATTEMPTED = "not attempted"
CRASHED = "crashed"
OUT_OF_TIME = "out of time"
OUT_OF_MEMORY = "out of memory"
TOO_MUCH_OUTPUT = "too much output"
FOR_A_PERSON = "for a person"
# How the remark of a run without a sandbox begins: no student causes it
WITHOUT_SANDBOX = "graded without a sandbox"
VERDICTS = (RIGHT, PARTLY, WRONG, NOT_ATTEMPTED, CRASHED, OUT_OF_TIME, OUT_OF_MEMORY, TOO_MUCH_OUTPUT, FOR_A_PERSON)


@dataclass(frozen=True)
class Verdict:
    """One graded cell.

    grade_id : the cell. exercise : the name of the exercise, None for a cell of plain asserts, a written answer or a task.
    how : "outside" (compared by the supervisor), "in-process" (the cell's own asserts ran beside the student's code) or
        "person" (a written answer or a task).
    points : what it earned; None where a person decides. verdict : one of `VERDICTS`.
    message : for the student; several lines, plain text with `code` and *stress* as `Result.message` has them; nothing of
        a hidden case but its name.
    mistake, hint : slug and hint of the recognised mistake.
    answers : grade_ids of the solution cells that this check judges, in order.
    seconds : wall time of the check itself.
    """

    grade_id: str
    how: str
    max_points: float
    points: float | None
    verdict: str
    message: str = ""
    exercise: str | None = None
    mistake: str | None = None
    hint: str = ""
    rows: tuple[CaseRow, ...] = ()
    answers: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class NotebookRecord:
    """One notebook of a submission.

    name : without the suffix. sources : {grade_id: the student's source} of every solution cell that was found, and of
        every task what the student wrote below it.
    own_cells : sources of the student's own code cells. notes : what the instructor should know ("cell softmax stands
        twice; the first was graded"). problem : why the notebook could not be read at all, "" if it could.
    """

    name: str
    verdicts: tuple[Verdict, ...] = ()
    sources: dict = field(default_factory=dict)
    own_cells: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Record:
    """One graded submission.

    key : hashes of the submission, the assignment and the checks; the same key need not be graded again.
    isolation : "bwrap", or "process" for the weaker mode. needs_review : why a person should look, one sentence each.
    seconds, cpu_seconds, memory_mb : of the student's code (wall, processor, peak resident).
    overhead : wall seconds of everything else. restarts : children started beyond the first.
    limited_by : what held memory and processor time: "control group" (the kernel's, of the whole box), "processes" (the sum
        over all its processes, looked at again and again), "" for nothing. refused_calls : {system call: how often}.
    graded : ISO time, UTC. submitted : ISO time, or None where the submission has no timestamp.
    """

    student: str
    assignment: str
    key: tuple[str, str, str]
    notebooks: tuple[NotebookRecord, ...]
    isolation: str = "bwrap"
    needs_review: tuple[str, ...] = ()
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_mb: float = 0.0
    overhead: float = 0.0
    restarts: int = 0
    graded: str = ""
    submitted: str | None = None
    limited_by: str = ""
    refused_calls: dict[str, int] = field(default_factory=dict)

    @property
    def verdicts(self) -> list[Verdict]:
        return [verdict for notebook in self.notebooks for verdict in notebook.verdicts]

    @property
    def points(self) -> float:
        """What the machine has given so far; written answers count nothing until a person has read them."""
        return sum(verdict.points or 0.0 for verdict in self.verdicts)

    @property
    def max_points(self) -> float:
        return sum(verdict.max_points for verdict in self.verdicts)

    def to_json(self) -> str:
        """One line of JSON."""
        # Not dataclasses.asdict: its copies of everything take ten times as long
        return json.dumps({"format": FORMAT} | vars(self), ensure_ascii=False, default=vars)


def record_from_json(line: str | bytes) -> Record:
    """The record of one line that `Record.to_json` wrote."""
    data = json.loads(line)
    if data.pop("format", None) != FORMAT:
        raise ValueError(f"expected a record of format {FORMAT}; it was written by another version of the engine")
    data["key"], data["needs_review"] = tuple(data["key"]), tuple(data["needs_review"])
    data["notebooks"] = tuple(_notebook(notebook) for notebook in data["notebooks"])
    return Record(**data)


def _notebook(data):
    verdicts = tuple(
        Verdict(
            **verdict | {"rows": tuple(CaseRow(**row) for row in verdict["rows"]), "answers": tuple(verdict["answers"])}
        )
        for verdict in data["verdicts"]
    )
    return NotebookRecord(
        **data | {"verdicts": verdicts, "own_cells": tuple(data["own_cells"]), "notes": tuple(data["notes"])}
    )
