"""The gradient at the preactivations of a sigmoid output with half the squared error."""

import numpy as np

from dlcourse import layers
from dlcourse.activations import sigmoid, sigmoid_grad

from ...checks.exercise import Case, Exercise, Mistake, slip
from ._shared import FRACTIONS, SUM_ASKED, UPHILL, WHOLE, integer_buffer

# --- solution -------------------------------------------------------------------------------------------------------


def sigmoid_layer_delta(D, U):
    Y = sigmoid(U)
    return -(D - Y) * sigmoid_grad(U)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def classes(N, K):
        D = rng.integers(0, 2, (N, K)).astype(float)
        D[0, :2] = 0.0, 1.0
        return D

    return [
        Case("five examples, three outputs", (classes(5, 3), rng.standard_normal((5, 3)))),
        Case("one example", (classes(1, 4), rng.standard_normal((1, 4)))),
        Case("float32", (classes(4, 2).astype(np.float32), rng.standard_normal((4, 2)).astype(np.float32))),
        Case("targets between 0 and 1", (rng.uniform(0.1, 0.9, (3, 3)), rng.standard_normal((3, 3)))),
        # An entry near 0 beside them: y(1 − y) is a right formula, although it has no digits left at 30
        Case("u = ±30", (np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[30.0, 30.0], [-30.0, 0.5]]))),
        Case("integer preactivations", (np.abs(FRACTIONS) / 4, WHOLE)),
        Case("seven examples", (classes(7, 2), 3 * rng.standard_normal((7, 2))), hidden=True),
        Case("one output", (rng.uniform(0.1, 0.9, (4, 1)), rng.standard_normal((4, 1)))),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("missing_activation_derivative", slip(" * sigmoid_grad(U)", ""),
        "Between J and U stands the sigmoid, and its slope belongs into the chain rule. (With cross-entropy for the "
        "loss it would cancel; with the squared error it stays, E05.)"),
    Mistake("derivative_at_output", slip("sigmoid_grad(U)", "sigmoid_grad(Y)"),
        "The slope is taken at f(U), after the sigmoid. It belongs at U. If you call `sigmoid_grad`, look at what it "
        "expects."),
    Mistake("input_for_output", slip("sigmoid_grad(U)", "U * (1 - U)"),
        "f′ = f(1 − f) with f(U) in it. You put U itself there."),
    Mistake("ascent", slip("-(D - Y)", "(D - Y)"), UPHILL),
    Mistake("wrong_factor", slip("-(D - Y)", "-2 * (D - Y)"),
        "Twice what is asked: the ½ of the loss takes care of the 2."),
    Mistake("mean_for_sum", slip("sigmoid_grad(U)", "sigmoid_grad(U) / len(U)"), SUM_ASKED, convention=True),
    Mistake("activation_forgotten", slip("D - Y", "D - U"),
        "The target is compared with the output f(U), not with the preactivation."),
    Mistake("tanh_derivative", slip("sigmoid_grad(U)", "(1 - Y**2)"),
        "1 − y² is the slope of tanh. The sigmoid's is another."),
    Mistake("arguments_swapped", slip("(D, U)", "(U, D)"),
        "The targets come first in this call, the preactivations second: the sigmoid went over the targets."),
    integer_buffer("-(D - Y) * sigmoid_grad(U)", "U"),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def outputs(D, U):
    Y = 1 / (1 + np.exp(-np.asarray(U)))
    return (Y - D) * (Y - Y**2)


def tanh_form(D, U):
    t = np.tanh(U / 2)
    return 0.25 * (0.5 + 0.5 * t - D) * (1 - t * t)


EXERCISE = Exercise("layers.sigmoid_layer_delta", layers.sigmoid_layer_delta, cases, MISTAKES,
    variants=[outputs, tanh_form], solution=sigmoid_layer_delta, points=1,
    why="The factor f′(U) is nearly 0 where a neuron is far off: here vanishing gradients begin.",
    hints=("Chain rule: ∂J/∂U = ∂J/∂Y · ∂Y/∂U.",
           "The first factor is that of the linear layer, with Y = f(U).",
           "The second is f(U)(1 − f(U)); or `sigmoid_grad`, which takes U."))  # fmt: skip
