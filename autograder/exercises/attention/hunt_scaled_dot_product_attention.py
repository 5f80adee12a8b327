"""Queries, keys, values and a mask that tell attention from its known mistakes."""

from ...checks.hunts import hunt
from . import scaled_dot_product_attention

HIDDEN = "a `mask` by which a query sees some keys and not the others"
NONE = "a `mask` by which a query sees no key at all"
UNLIKE = "queries that are not the keys, with an upstream gradient whose entries differ"

EXERCISE = hunt(scaled_dot_product_attention.EXERCISE,
    best={"Q": [[1, 0, 2], [0, 1, -1], [800, 0, 0]], "K": [[1, 2, 0], [0, 1, 1], [-1, 0, 2], [2, 1, 1]],
        "V": [[1, 2], [0, -1], [3, 1], [-2, 0.5]],
        "mask": [[True, False, True, True], [False, False, False, False], [True, True, False, True]],
        "dY": [[1, -2], [0.5, 3], [2, 1]]},
    naive={"Q": [[1, 0], [0, 1]], "K": [[1, 0], [0, 1]], "V": [[1, 0], [0, 1]], "dY": [[1, 1], [1, 1]]},
    shows={
        "weights_times_keys": "values that are not the keys",
        "softmax_over_queries": "another number of queries than of keys, some of which a `mask` hides",
        "mask_after_softmax": HIDDEN,
        "mask_polarity": HIDDEN,
        "mask_multiplied": HIDDEN,
        "mask_added": HIDDEN,
        "fully_masked_nan": NONE,
        "masked_row_averages": NONE,
        "large_negative_added": NONE,
        "mask_ignored": HIDDEN,
        "no_max_shift": "a score so large that exp overflows, such as 1000",
        "scale_missing_backward": UNLIKE,
        "softmax_sum_over_queries": UNLIKE,
        "weights_not_transposed": "another number of queries than of keys",
        "scores_not_transposed": UNLIKE,
        "queries_and_keys_exchanged": UNLIKE},
    points=2, why="On small square inputs without a mask two thirds of the wrong attentions look right.",
    hints=("Another number of queries than of keys, other sizes of keys than of values.",
           "One query with an ordinary mask, one that sees nothing, one with huge scores."))  # fmt: skip
