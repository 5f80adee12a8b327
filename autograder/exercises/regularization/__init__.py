"""Exercises on regularization, in the assignment's order: the L2 penalty, its gradient, dropout in both conventions."""

from ...checks.exercise import in_order

EXERCISES = in_order(
    __name__, "l2_penalty", "hunt_l2_penalty", "l2_grad", "penalised_loss", "keep_mask", "masked", "dropout", "classic"
)
