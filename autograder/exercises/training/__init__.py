"""Exercises on training, in the assignment's order: what surrounds a network from the first batch to the decision to stop."""

from ...checks.exercise import in_order

EXERCISES = in_order(
    __name__,
    "accuracy",
    "confusion_matrix",
    "perplexity",
    "temperature_softmax",
    "early_stopping",
    "hunt_early_stopping",
    "softmax_regression_epoch",
    "generate",
    "project",
)
