"""Exercises on optimizers, in the assignment's order."""

from ...checks.exercise import in_order

EXERCISES = in_order(
    __name__,
    "sgd_step",
    "momentum_step",
    "nesterov",
    "adagrad_step",
    "rmsprop_step",
    "adadelta_step",
    "adam_step",
    "hunt_adam_step",
    "adamw_step",
    "clip_grad_norm",
    "clip_grad_value",
    "step_decay",
    "warmup_cosine",
    "lbfgs_direction",
    "line_search",
    "project",
)
