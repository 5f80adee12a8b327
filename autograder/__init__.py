"""Assignments for dlcourse: exercises, their checks, and grading.

A notebook needs one name: ``from autograder import check``.
"""

from .compare import compare
from .evaluation import CheckFailed, Result, check, evaluate
from .exercise import Case, Exercise, Mistake, exercises_of, get_exercise

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
]
