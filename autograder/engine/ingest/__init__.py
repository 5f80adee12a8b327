"""From what a student handed in to the steps that are run.

The master is the released notebook with its locked cells as the gradebook has them, hidden tests included. Of a submission
only the sources count: those of the solution cells, found by their grade_id, and those of the student's own cells.
Everything else that a file may claim (points, types, tags, outputs, kernel, order) is the master's.

A submission that cannot be read is a result with its problem said, never an exception: one broken file does not stop the class.
"""

from .assignment import Assignment, Master, MasterCell, find_calls, load_assignment, load_released
from .folder import NOTEBOOK_BYTES, read_own_folder
from .imports import module_of, not_handed_in
from .notebook import parse
from .rebuild import Cell, Rebuilt, make_tasks, rebuild, rebuild_submission
from .submission import Submission, fit, read_submission
from .timestamp import read_time

__all__ = [
    "NOTEBOOK_BYTES",
    "Assignment",
    "Cell",
    "Master",
    "MasterCell",
    "Rebuilt",
    "Submission",
    "find_calls",
    "fit",
    "load_assignment",
    "load_released",
    "make_tasks",
    "module_of",
    "not_handed_in",
    "parse",
    "read_own_folder",
    "read_submission",
    "read_time",
    "rebuild",
    "rebuild_submission",
]
