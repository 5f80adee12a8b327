"""What several exercises on attention have in common: masks, weights, and hints for the same mistake."""

import math

import numpy as np

# --- data -----------------------------------------------------------------------------------------------------------


def lower(T):
    """The causal mask."""
    return np.arange(T)[:, None] >= np.arange(T)


def heads_args(rng, N, T, D, E):
    """X, Wq, Wk, Wv and Wo of multi-head attention."""
    weights = [rng.standard_normal((D, E)) / math.sqrt(D) for _ in range(3)]
    return rng.standard_normal((N, T, D)), *weights, rng.standard_normal((E, D)) / math.sqrt(E)


# --- what the layers around attention leave to its own exercise -------------------------------------------------------

# Mistakes that show too little behind projections, and those of attention's own backward pass
NARROW = ("softmax_missing", "mask_added", "scale_multiplied", "masked_row_averages", "large_negative_added")
CORE_ONLY = (
    "no_max_shift",
    "softmax_sum_over_queries",
    "weights_not_transposed",
    "scores_not_transposed",
    "queries_and_keys_exchanged",
)

# --- hints ----------------------------------------------------------------------------------------------------------

REUSED = "The queries go through the keys' weights. Each of the three has its own matrix."
QUERIES_FOR_KEYS = (
    "The keys are the queries over again: every position would like itself best. Each of the three has its own matrix."
)
SCALE = "The scores are dot products of d_k entries, the columns of one head's keys. They are divided by the root of that number: not by the number itself, and not by the root of the model's width."
KEYS_PATH = "X is used three times. What comes back through the keys is missing in dX."
OVERWRITTEN = "dX has the values' share only. X is used three times: what do its three gradients do?"
MEAN = "You divide by the number of examples. If the loss is a mean, that factor is in dY already; the backward pass only adds up."
