"""An image that tells max pooling from its known mistakes."""

from ...checks.hunts import hunt
from . import maxpool2d

STRIDE = "more than one window, at a stride other than 1"
NEGATIVE = "a window whose entries are all negative"
TIE = "a window in which the largest number stands more than once"
PADDED = "a padding other than 0"

EXERCISE = hunt(maxpool2d.EXERCISE,
    best={"X": [[[[0, -4], [1, -4], [0, -3], [-6, 0], [-5, -3]], [[-5, 1], [-4, -2], [-6, -3], [-5, -4], [-5, 0]]]],
        "size": 3, "stride": 2, "padding": 1, "dY": [[[[4, 3], [3, 1], [3, 1]]]]},
    naive={"X": [[[[1], [2]], [[3], [4]]]], "size": 2, "dY": [[[[1]]]]},
    shows={
        "stride_omitted": STRIDE,
        "stride_ignored": STRIDE,
        "padded_with_zeros": "a padding, and a window at the edge whose entries are all negative",
        "zero_to_begin_with": NEGATIVE,
        "partial_windows": "an image in which the last window does not end at the edge",
        "square_image": "an image with more windows along one side than along the other",
        "height_width_swapped": "an image with more windows along one side than along the other",
        "largest_magnitude": "a window in which the number farthest from 0 is negative",
        "over_channels": "two channels or more",
        "pool_overlap_assigned": "windows that overlap, and a pixel that wins several of them",
        "pool_tie_duplicated": TIE,
        "tie_shared": TIE,
        "tie_to_the_last": TIE,
        "tie_by_columns": "a window in which the largest number stands twice, the second time lower and further left",
        "upstream_missing": "an upstream gradient other than 1",
        "padding_not_removed": PADDED,
        "cropped_from_corner": PADDED},
    beyond={
        "stride_default_one": "it shows only where `stride` is left out, and then no windows overlap",
        "padding_hard_coded":
            "its paddings are 0, 1, k // 2 and (k - 1) // 2: up to windows of 7 × 7 one of them is right"},
    points=2,
    why="Ties, edges and overlaps are where pooling goes wrong, and random images have few of them.",
    hints=("Small whole numbers, most of them negative, give ties and windows without a positive entry.",
           "Windows of 3 at a stride of 2 overlap, and leave an edge over where the sizes are right for it.",
           "Height and width of different sizes, two channels, a padding."))  # fmt: skip
