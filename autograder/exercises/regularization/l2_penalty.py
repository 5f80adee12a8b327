"""The L2 penalty: half λ times the sum of all squared weights."""

import numpy as np

from dlcourse import regularization

from ...checks.exercise import Case, Exercise, Mistake, in_float32, slip
from ._shared import SIGN

# --- solution -------------------------------------------------------------------------------------------------------


def l2_penalty(weights, lam):
    return 0.5 * lam * sum(np.sum(W**2) for W in weights)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def layers(*shapes):
        return [rng.standard_normal(shape) for shape in shapes]

    return [
        Case("three layers", (layers((4, 3), (3, 5), (5, 2)), 0.3)),
        Case("one layer", (layers((2, 4)), 1.5)),
        Case("whole numbers", ([np.array([[1.0, -2.0], [0.0, 2.0]]), np.array([[-3.0, 1.0]])], 0.1)),
        Case("λ = 0", (layers((3, 2), (2, 2)), 0.0)),
        in_float32(Case("", (layers((3, 4), (4, 2)), 0.5))),
        Case("two square layers", (layers((3, 3), (3, 3)), 0.7), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("half_missing", slip("0.5 * ", ""),
        "Twice what is asked: the ½ is missing. It is there so that the gradient is λW, without a 2."),
    Mistake("penalty_subtracted", slip("0.5", "-0.5"), SIGN),
    Mistake("norm_not_squared", slip("np.sum(W**2)", "np.sqrt(np.sum(W**2))"),
        "You add up the norms. The penalty has their squares: no root."),
    Mistake("one_norm_not_squared",
        slip("sum(np.sum(W**2) for W in weights)", "np.sqrt(sum(np.sum(W**2) for W in weights))"),
        "You take the root of the whole sum. The norms are squared: no root."),
    Mistake("absolute_for_square", slip("W**2", "np.abs(W)"),
        "You add up absolute values, which is the L1 penalty. L2 has squares."),
    Mistake("mean_for_sum", slip("np.sum(W**2)", "np.mean(W)"),
        "You take the mean of the weights themselves. Asked for is the sum of their squares."),
    Mistake("mean_of_squares", slip("np.sum", "np.mean"),
        "The mean of the squares is taken, so that large layers pay no more than small ones. Here it is the sum.",
        convention=True),
    Mistake("square_of_sum", slip("sum(np.sum(W**2) for W in weights)", "sum(np.sum(W) for W in weights) ** 2"),
        "Square first, then sum: otherwise weights of opposite sign cancel."),
    Mistake("first_layer_only", slip("in weights", "in weights[:1]"),
        "Only the first layer pays. Sum over all arrays in the list."),
    Mistake("matrix_product_for_square", slip("W**2", "W @ W.T"),
        "W Wᵀ multiplies rows with other rows, too. The Frobenius norm squares each entry by itself."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def flat(weights, lam):
    w = np.concatenate([W.ravel() for W in weights])
    return float(lam / 2 * (w @ w))


def trace(weights, lam):
    return sum(lam * np.trace(W.T @ W) for W in weights) / 2


def loop(weights, lam):
    J = 0.0
    for W in weights:
        for row in W:
            for w in row:
                J += lam * float(w) ** 2 / 2
    return J


EXERCISE = Exercise("regularization.l2_penalty", regularization.l2_penalty, cases, MISTAKES,
    variants=[flat, trace, loop], solution=l2_penalty, points=1,
    why="The oldest remedy against weights that grow in order to fit noise.",
    hints=("For one array: the sum of the squares of all its entries.",
           "Add up over the list, then multiply by λ/2."))  # fmt: skip
