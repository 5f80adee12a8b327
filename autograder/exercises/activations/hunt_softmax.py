"""Logits that tell the softmax from its known mistakes."""

from ...checks.hunts import hunt
from . import softmax

OVER = "more than one example, with the classes along another axis than the first"

EXERCISE = hunt(softmax.EXERCISE,
    best={"z": [[[1000, 0, 2], [1, 3, -1]], [[-1000, 1, 0], [4, 2, 5]]], "axis": 1},
    naive={"z": [1, 2, 3]},
    shows={
        "no_max_shift": "logits so large that exp overflows, such as 1000",
        "one_shift_for_all": "one example with logits near 1000 and another one all of whose logits are near 0",
        "wrong_axis": OVER,
        "axis_fixed": "an `axis` that is not the last one",
        "no_axis": "more than one example",
        "keepdims_missing": OVER},
    points=2,
    why="A program that is wrong on one input in a thousand passes most tests. You write the one that it does not "
        "pass.",
    hints=("Size, number of examples, number of axes, `axis`, whole numbers: change one at a time and look at what "
           "escapes.",
           "Three axes with the classes along the middle one tell both ends apart."))  # fmt: skip
