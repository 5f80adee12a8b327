"""Inputs that tell the product gate from its known mistakes."""

from ...checks.hunts import hunt
from . import prod

EXERCISE = hunt(prod.EXERCISE,
    best={"xs": [2, 0, -3, 5], "dz": 0.5},
    naive={"xs": [1, 2], "dz": 1},
    shows={
        "product_by_division": "an input of 0",
        "flow_forgotten": "a flow `dz` other than 1",
        "sum_of_others": "three inputs or more",
        "one_other_only": "three inputs or more"},
    points=1, why="A test is worth what it finds: where right and wrong agree it finds nothing.",
    hints=("The notes divide z by x_i. On which input does that fail?",
           "With two inputs “all the others” and “one other” are the same."))  # fmt: skip
