"""Exercises on initializers, in the assignment's order."""

from ...checks.exercise import in_order

EXERCISES = in_order(
    __name__,
    "calculate_gain",
    "fans",
    "uniform_fan_in",
    "xavier_uniform",
    "xavier_normal",
    "he_uniform",
    "he_normal",
    "scaled_normal",
    "orthogonal",
)
