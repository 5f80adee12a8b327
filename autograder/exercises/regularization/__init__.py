"""Exercises on regularization, in the assignment's order: the parts of the data, the L2 penalty, dropout in both forms."""

from ...checks.exercise import in_order

EXERCISES = in_order(
    __name__,
    "split",
    "l2_penalty",
    "hunt_l2_penalty",
    "l2_grad",
    "penalised_loss",
    "keep_mask",
    "masked",
    "dropout",
    "classic_dropout",
    "project",
)
