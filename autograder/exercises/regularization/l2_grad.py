"""The gradient of the L2 penalty."""

import numpy as np

from dlcourse import regularization

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import MUTATES

# --- solution -------------------------------------------------------------------------------------------------------


def l2_grad(W, lam):
    return lam * W


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    return [
        Case("four by three", (rng.standard_normal((4, 3)), 0.3)),
        Case("λ = 2", (np.array([[1.0, -2.0, 0.0], [0.5, 4.0, -1.0]]), 2.0)),
        enlarged(Case("square", (rng.standard_normal((3, 3)), 0.05)), 0),
        Case("λ = 0", (rng.standard_normal((1, 5)), 0.0)),
        in_float32(Case("", (rng.standard_normal((3, 2)), 0.7))),
        Case("a filter with four axes", (rng.standard_normal((2, 3, 4, 5)), 1.3), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("half_missing", slip("lam * W", "2 * lam * W"),
        "Twice what is asked: the 2 from the square cancels against the ½ of the penalty."),
    Mistake("half_kept", slip("lam * W", "0.5 * lam * W"),
        "Half of what is asked: the derivative of a square brings a 2, which cancels the ½."),
    Mistake("penalty_subtracted", slip("lam * W", "-lam * W"),
        "The sign: this is the direction in which the weights will be moved. The gradient points the other way, to "
        "where the penalty grows."),
    Mistake("absolute_for_square", slip("lam * W", "lam * np.sign(W)"),
        "This is the gradient of the L1 penalty, the same pull on all weights. With L2 large weights are pulled "
        "harder."),
    Mistake("penalty_for_gradient", slip("lam * W", "0.5 * lam * np.sum(W * W)"),
        "This is the penalty. Its gradient has one number for each weight."),
    Mistake("square_not_derived", slip("lam * W", "0.5 * lam * W * W"),
        "These are the summands of the penalty. What is the derivative of w² with respect to w?"),
    Mistake("shrunk_weights", slip("lam * W", "W - lam * W"),
        "You have taken the step already. Asked for is the gradient alone."),
    Mistake("norm_not_squared", slip("lam * W", "lam * W / np.sqrt(np.sum(W * W))"),
        "This is the gradient of the norm. The penalty has its square, so nothing is divided."),
    Mistake("mutates_input", slip("return lam * W", "W *= lam\n    return W"), MUTATES),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def own_copy(W, lam):
    dW = W.copy()
    dW *= lam
    return dW


def nested_list(W, lam):
    return [[lam * w for w in row] for row in W]


EXERCISE = Exercise("regularization.l2_grad", regularization.l2_grad, cases, MISTAKES, variants=[own_copy, nested_list],
    solution=l2_grad, points=1,
    why="A pull towards 0, the harder the farther: subtracted from W it shrinks every weight by the same factor.",
    hints=("Derive ½λw² with respect to one weight w.",
           "The answer has the shape of W."))  # fmt: skip
