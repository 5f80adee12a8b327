"""Exercises on statistics, in the assignment's order."""

from autograder.checks.exercise import in_order

EXERCISES = in_order(__name__, "variance", "quantile", "covariance", "least_squares", "bootstrap_interval")
