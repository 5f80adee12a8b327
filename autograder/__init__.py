"""Assignments for dlcourse: exercises, their checks, and grading.

A notebook needs one name: ``from autograder import check``.
"""

from .checks.compare import compare
from .checks.evaluation import CheckFailed, Result, check, evaluate
from .checks.exercise import Case, Exercise, Mistake, exercises_of, get_exercise, slip

__all__ = [
    "Case",
    "CheckFailed",
    "Exercise",
    "Mistake",
    "Result",
    "check",
    "compare",
    "evaluate",
    "exercises_of",
    "get_exercise",
    "slip",
]
