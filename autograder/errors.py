"""The errors that people are told, as one tree; each message says what happened, where, and what to try.

    AutograderError
    ├── CourseError        the course directory, an assignment or a name cannot be used as it is
    │   └── OtherLanguage  its notebooks are not Python's
    ├── GradebookError     the database cannot be reached or written; nothing is lost
    │   └── EntryRefused   it refuses what one record holds; the others may pass
    ├── BuildError         a text source cannot be built
    ├── WorkspaceError     a folder to work in cannot be laid out
    ├── NoNotebook         there is nothing to check
    └── EngineFault        the machine failed, not the student: nothing may be graded from it
        ├── NoSandbox      the walls cannot be built on this machine
        │   └── MissingPackage  the assignment imports what the environment of the students' code lacks
        ├── PoolLost       no worker is left to grade
        └── Stopped        the run cannot go on; what is graded so far is safe

What happens beside a student's code has signals that no person reads: `checks.drivers` (a call that takes too long, an
answer that cannot be used) and `engine.sandbox.protocol` (a frame that makes no sense, a side that is silent).
"""


class AutograderError(Exception):
    """What a person is told in one sentence; the command line prints it without a traceback."""


class CourseError(AutograderError):
    """The course cannot be used as it is; the message says what to change."""


class OtherLanguage(CourseError):
    """The assignment's notebooks are not Python's; the message says how they are graded."""


class GradebookError(AutograderError):
    """The database cannot be reached or written; nothing is lost, the message says what to do."""


class EntryRefused(GradebookError):
    """The database works, and refuses what one record holds."""


class BuildError(AutograderError):
    """A source that cannot be built, with the file and what to change."""


class WorkspaceError(AutograderError):
    """A folder to work in cannot be laid out there; the message says what to change."""


class NoNotebook(AutograderError):
    """There is nothing to check; the message says why."""


class EngineFault(AutograderError):
    """The machine failed, not the student: nothing may be graded from it, and the submission stays open."""


class NoSandbox(EngineFault):
    """The walls cannot be built here: `reason`, and what to do about it."""

    def __init__(self, reason, remedy=""):
        super().__init__(reason, remedy)
        self.reason, self.remedy = reason, remedy

    def __str__(self):
        return f"{self.reason}: {self.remedy}" if self.remedy else self.reason


class MissingPackage(NoSandbox):
    """The assignment itself imports what the environment of the students' code lacks: nobody's answer is at fault."""


class PoolLost(EngineFault):
    """No worker is left to grade; what is graded is safe, and the next run goes on from there."""


class Stopped(EngineFault):
    """The run cannot go on; what is graded so far is safe."""
