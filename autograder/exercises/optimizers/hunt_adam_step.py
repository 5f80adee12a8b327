"""Weights and gradients that tell Adam from its known mistakes."""

import numpy as np

from ...checks.exercise import Case
from ...checks.hunts import hunt
from . import adam_step

STEPS, SIZE = "two steps or more", "gradients of another size than 1"


def case(w, gradients, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    options = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps}
    return Case("your input", (w,), options, extra={"init": "optimizers.adam_init", "gradients": gradients})


def as_arrays(gradients):
    return [np.asarray(dw, dtype=float) for dw in gradients]


EXERCISE = hunt(adam_step.EXERCISE,
    best={"w": [1, -1, 2], "gradients": [[0, 1, -2], [0, -3, 0.5], [0, 0.25, 4]], "lr": 0.5, "beta1": 0.7,
        "beta2": 0.9, "eps": 0.05},
    naive={"w": [1], "gradients": [[1]]},
    shows={
        "correction_base": STEPS,
        "t_frozen": STEPS,
        "root_forgotten": SIZE,
        "eps_fixed": "an `eps` that is not one of the usual ones, and large enough to be seen",
        "moment_not_accumulated": STEPS,
        "velocity_recreated": STEPS,
        "square_forgotten": SIZE},
    convert={"gradients": as_arrays},
    make=case,
    points=2, why="In its first step, with a gradient of 1, many a wrong Adam is right.",
    hints=("Several steps, with gradients that change.", "Options other than the defaults."))  # fmt: skip
