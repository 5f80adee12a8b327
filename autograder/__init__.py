"""Assignments for dlcourse: exercises, their checks, and grading.

A notebook needs two names: ``from autograder import case, check``.
"""

from .checks.compare import compare
from .checks.evaluation import Result, evaluate
from .checks.exercise import Case, Exercise, Mistake, exercises_of, get_exercise, slip
from .checks.notebook import CheckFailed, case, check, solution
from .drill import practice

__all__ = [
    "Case",
    "CheckFailed",
    "Exercise",
    "Mistake",
    "Result",
    "case",
    "check",
    "compare",
    "evaluate",
    "exercises_of",
    "get_exercise",
    "practice",
    "slip",
    "solution",
]
