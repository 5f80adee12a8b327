"""Weights that tell the L2 penalty from its known mistakes."""

import numpy as np

from ...checks.hunts import hunt
from . import l2_penalty

NOT_ONE = "weights whose squares do not sum to 1"


def as_arrays(weights):
    return [np.asarray(W, dtype=float) for W in weights]


EXERCISE = hunt(l2_penalty.EXERCISE,
    best={"weights": [[[1, -2], [3, 1]], [[2], [-1]]], "lam": 0.5},
    naive={"weights": [[[1]]], "lam": 1},
    shows={
        "norm_not_squared": NOT_ONE,
        "one_norm_not_squared": NOT_ONE,
        "absolute_for_square": "a weight other than 0, 1 and −1",
        "mean_for_sum": "several weights that are not all alike",
        "mean_of_squares": "a layer with more than one weight",
        "square_of_sum": "more than one weight that is not 0",
        "first_layer_only": "two layers",
        "matrix_product_for_square": "a layer with more than one row"},
    convert={"weights": as_arrays},
    points=1, why="A weight of 1 is its own square, root and size: it hides every wrong power.",
    hints=("1 is its own square.", "More than one layer, more than one weight in each, both signs."))  # fmt: skip
