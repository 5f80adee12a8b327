"""Exercises on normalization, in the assignment's order."""

from ...checks.exercise import in_order

EXERCISES = in_order(
    __name__,
    "batchnorm_init",
    "batch_statistics",
    "normalize",
    "running_statistics",
    "batchnorm",
    "fold_batchnorm",
    "layernorm",
    "hunt_layernorm",
    "rmsnorm",
    "project",
)
