"""Losses that tell early stopping from its known mistakes."""

from ...checks.hunts import hunt
from . import early_stopping

USED_UP = "a patience that is used up before the last epoch"

EXERCISE = hunt(early_stopping.EXERCISE,
    best={"losses": [1, 0.8, 0.9, 0.5, 0.7, 0.6, 0.5, 0.4], "patience": 3},
    naive={"losses": [3, 2, 1], "patience": 1},
    shows={
        "compared_with_last": "a loss below the one before it and not below the best, while the patience runs",
        "equal_is_progress": "a loss that equals the best one, while the patience runs",
        "one_epoch_late": USED_UP,
        "last_weights_kept": "a training that does not end with its best epoch",
        "looks_into_the_future": f"{USED_UP}, with a lower loss still to come",
        "waiting_not_reset": "epochs without progress both before and after a new best"},
    points=1,
    why="A rule about a whole course of training shows its faults only where everything happens in one.",
    hints=("The losses must go up and down, and come back to the best without passing it.",
           "Let the patience be used up while a lower loss is still to come."))  # fmt: skip
