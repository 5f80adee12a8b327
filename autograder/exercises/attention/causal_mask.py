"""The causal mask: who may attend to what."""

import numpy as np

from dlcourse import attention

from ...checks.exercise import Case, Exercise, Mistake, slip

# --- solution ---------------------------------------------------------------------------------------------------------


def causal_mask(T):
    return np.tril(np.ones((T, T), dtype=bool))


# --- cases ------------------------------------------------------------------------------------------------------------


def cases(rng):
    return [Case("four steps", (4,)), Case("one step", (1,)), Case("seven steps", (7,), hidden=True)]


# --- mistakes ---------------------------------------------------------------------------------------------------------

MASK = "np.tril(np.ones((T, T), dtype=bool))"

MISTAKES = [
    Mistake("mask_polarity", slip(MASK, "np.triu(np.ones((T, T), dtype=bool), k=1)"),
        "You marked what is forbidden. True means that the query (row) may attend to the key (column)."),
    Mistake("future_for_past", slip("tril", "triu"),
        "Your queries see the future and not the past. Rows are queries, columns are keys: which half is it?"),
    Mistake("self_excluded", slip("dtype=bool))", "dtype=bool), k=-1)"),
        "A position may look at itself: the diagonal is True."),
    Mistake("numbers_for_booleans", slip(", dtype=bool", ""),
        "The right half, but as numbers. A mask is boolean: `dtype=bool`, or a comparison."),
    Mistake("additive_mask", slip(MASK, f"np.where({MASK}, 0.0, -np.inf)"),
        "A mask of 0 and −∞, to be added to the scores, is what some libraries take. Here it is True and False.",
        convention=True),
    Mistake("one_row", slip(MASK, "np.ones(T, dtype=bool)"),
        "A mask has a row for each query and a column for each key."),
    Mistake("only_one_step_back", slip(MASK, f"np.triu({MASK}, k=-1)"),
        "Each of your queries sees itself and the position before. It may see all positions before it."),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def as_list(T):
    return [[key <= query for key in range(T)] for query in range(T)]


def row_by_row(T):
    mask = np.zeros((T, T), dtype=bool)
    for t in range(T):
        mask[t, : t + 1] = True
    return mask


EXERCISE = Exercise("attention.causal_mask", attention.causal_mask, cases, MISTAKES, variants=[as_list, row_by_row],
    solution=causal_mask, points=1,
    why="With it, all steps of a sequence are trained at once, and none can copy the answer from its future.",
    hints=("Row t, column s: True where s ≤ t.",
           "Compare a column of positions with a row of positions, or ask `np.tril`."))  # fmt: skip
