"""Two gradients that tell the relative error from its known mistakes."""

from ...checks.hunts import hunt
from . import relative_error

EXERCISE = hunt(relative_error.EXERCISE,
    best={"a": [-1e-9, 0, 2], "b": [3e-9, 0, 2.5]},
    naive={"a": [1], "b": [2]},
    shows={
        "mean_for_max": "two entries or more, with different errors",
        "norms": "two entries of very different sizes, the smaller one with the larger relative error",
        "sum_without_sizes": "opposite signs in the worst entry",
        "zero_by_zero": "an entry that is 0 in both",
        "floor_too_large": "a worst entry that is tiny in both, such as 1e-9"},
    points=1, why="A gradient check is only as good as the number that it looks at.",
    hints=("The worst entry decides: put there what has to be seen.",
           "Think of signs, of zeros, and of entries as small as real gradients."))  # fmt: skip
