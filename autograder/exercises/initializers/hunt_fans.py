"""A shape that tells the fans from their known mistakes."""

from ...checks.hunts import hunt
from . import fans


def as_shape(sizes):
    return tuple(int(size) for size in sizes)


EXERCISE = hunt(fans.EXERCISE,
    best={"shape": [2, 5, 4, 3]},
    naive={"shape": [3, 2]},
    shows={
        "field_ignored": "a filter, four sizes, larger than one pixel",
        "first_two_axes": "a filter, four sizes",
        "field_on_one_side": "a filter, four sizes, larger than one pixel",
        "width_ignored": "a filter, four sizes, wider than one pixel",
        "field_added": "a filter whose height and width have another sum than product"},
    convert={"shape": as_shape},
    points=1, why="Sizes that happen to be equal hide which of them was meant.",
    hints=("A linear layer has no field.", "Four sizes, no two alike."))  # fmt: skip
