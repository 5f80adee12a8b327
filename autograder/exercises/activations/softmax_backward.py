"""Softmax's backward pass, without a Jacobian."""

import numpy as np

from dlcourse import activations

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import AXIS_FIXED, NO_AXIS, NO_KEEPDIMS

# --- solution ---------------------------------------------------------------------------------------------------------


def softmax_backward(dp, p, axis=-1):
    return p * (dp - np.sum(dp * p, axis=axis, keepdims=True))


# --- cases ------------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, shape, hidden=False, **options):
        p = activations.softmax(rng.standard_normal(shape), **options)
        return Case(name, (rng.standard_normal(shape), p), options, hidden=hidden)

    certain = np.array([[1.0, 0.0, 0.0], [0.25, 0.5, 0.25]])
    return [
        case("four examples, three classes", (4, 3)),
        enlarged(case("one example", (1, 5)), 0),
        case("one example, shape (K,)", (4,)),
        case("three axes, the classes along the first one", (3, 4, 2), axis=0),
        case("as many examples as classes", (3, 3)),
        in_float32(case("", (2, 5), axis=1)),
        Case("a certain prediction", (np.array([[2.0, -1.0, 3.0], [0.5, -2.0, 4.0]]), certain)),
        case("three axes, the classes along the middle one", (2, 4, 3), axis=1, hidden=True),
    ]


# --- mistakes ---------------------------------------------------------------------------------------------------------

SUM = "np.sum(dp * p, axis=axis, keepdims=True)"
GRADIENT = f"p * (dp - {SUM})"

MISTAKES = [
    Mistake("off_diagonal_ignored", slip(GRADIENT, "dp * p * (1 - p)"),
        "p(1 − p) is the Jacobian's diagonal alone. Raising one logit lowers all the *other* probabilities: their "
        "upstream gradients count, too."),
    Mistake("jacobian_for_vjp", slip(GRADIENT, "p * (1 - p)"),
        "Your answer does not contain the upstream gradient dp: a backward pass multiplies it with the derivatives."),
    Mistake("wrong_axis", slip("axis=axis", "axis=0"),
        "The sum runs over the examples. It belongs along `axis`, over the classes of one example."),
    Mistake("axis_fixed", slip("axis=axis", "axis=-1"), AXIS_FIXED),
    Mistake("no_axis", slip(SUM, "np.sum(dp * p)"), NO_AXIS),
    Mistake("keepdims_missing", slip(", keepdims=True", ""), NO_KEEPDIMS),
    Mistake("softmax_twice", slip("return ", "p = activations.softmax(p, axis)\n    return "),
        "p is softmax's *output* already: do not send it through softmax again."),
    Mistake("sum_not_weighted", slip("np.sum(dp * p", "np.sum(dp"),
        "What is taken off is the mean of dp *under p*: each entry counts with its probability."),
    Mistake("mean_for_sum", slip("np.sum", "np.mean"), "The weights p sum to 1 already: no further division."),
    Mistake("factor_missing", slip("p * (dp", "(dp"), "The factor p before the bracket is missing."),
    Mistake("plus_for_minus", slip("dp - np", "dp + np"), "The sign of the second term: dz must sum to 0."),
    Mistake("loss_gradient", slip(GRADIENT, "p - dp"),
        "p minus target is softmax *and* cross-entropy together. Here dp may come from anywhere."),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def with_jacobian(dp, p, axis=-1):
    q, d = np.moveaxis(p, axis, -1), np.moveaxis(dp, axis, -1)
    jacobian = q[..., :, None] * (np.eye(q.shape[-1]) - q[..., None, :])
    return np.moveaxis(np.einsum("...kj,...j->...k", jacobian, d), -1, axis)


def expanded(dp, p, axis=-1):
    flow = np.multiply(dp, p)
    flow -= p * flow.sum(axis=axis, keepdims=True)
    return flow


EXERCISE = Exercise("activations.softmax_backward", activations.softmax_backward, cases, MISTAKES,
    variants=[with_jacobian, expanded], solution=softmax_backward, points=2,
    why="Attention's backward pass goes through it, where no cross-entropy cancels the Jacobian.",
    hints=("∂p_k/∂z_j = p_k(1(k = j) − p_j). Sum over k what flows in: Σ_k dp_k ∂p_k/∂z_j.",
           "The 1(k = j) picks one term; the other is a sum that is the same for every j.",
           "You need not build the Jacobian: one product, one sum with keepdims, one difference, one "
           "product."))  # fmt: skip
