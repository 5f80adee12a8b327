"""Exercises on initializers, in the assignment's order."""

from ...checks.exercise import in_order

EXERCISES = in_order(
    __name__,
    "calculate_gain",
    "fans",
    "hunt_fans",
    "by_inputs",
    "xavier",
    "he",
    "orthogonal",
    "project",
)
