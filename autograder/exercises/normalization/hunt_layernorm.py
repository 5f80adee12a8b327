"""A batch that tells layer norm from its known mistakes."""

from ...checks.hunts import hunt
from . import layernorm

ROWS, AXES = "more than one row", "sequences or images: X with three axes or more"

EXERCISE = hunt(layernorm.EXERCISE,
    best={"X": [[[1, 2, 4], [2, 2, 2]], [[0, -3, 1], [5, 1, 0]]], "gamma": [2, -1, 3], "beta": [1, 0.5, -2],
        "dY": [[[1, -2, 0.5], [2, 1, -1]], [[0, 3, 1], [-1, 2, 4]]], "eps": 0.1},
    naive={"X": [[1, 2, 3]], "gamma": [1, 1, 1], "beta": [0, 0, 0], "dY": [[1, 0, 0]]},
    shows={
        "gamma_missing_in_dx": "a γ other than 1",
        "summed_over_batch_only": AXES,
        "mean_for_sum": ROWS,
        "eps_fixed": "an `eps` that is not one of the usual ones, such as 0.1",
        "affine_ignored": "a γ other than 1 and a β other than 0",
        "keepdims_missing": ROWS,
        "whole_example": AXES,
        "gamma_pulled_out": "a γ whose entries differ"},
    points=2, why="γ = 1, β = 0 and a single row hide what a layer does wrong with them.",
    hints=("Several rows, and a γ of which no two entries are alike.",
           "Sequences, (N, T, D), tell the last axis from the others."))  # fmt: skip
