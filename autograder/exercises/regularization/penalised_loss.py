"""The L2 penalty in a network: in the loss and in the gradients of the weights."""

from itertools import pairwise

import numpy as np

from ...checks.exercise import Case, Exercise, Mistake, in_float32, slip
from ._shared import MUTATES, SIGN

# --- solution -------------------------------------------------------------------------------------------------------


def penalised_loss(J, grads, params, lam):
    """A network's loss and gradients with the L2 penalty: `J + λ/2 Σ_l ‖W[l]‖²`.

    Parameters
    ----------
    J : a number, the loss on the data alone.
    grads : list of (dW, db), its gradients, one pair for each layer.
    params : list of (W, b), the parameters, in the same order.
    lam : λ, at least 0.

    Returns
    -------
    J : a number, penalty included.
    grads : list of (dW, db), the gradients of that.
    """
    J = J + 0.5 * lam * sum(np.sum(W * W) for W, b in params)
    return J, [(dW + lam * W, db) for (dW, db), (W, b) in zip(grads, params, strict=True)]


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, sizes, lam, hidden=False):
        def arrays():
            return [(rng.standard_normal((n, m)), rng.standard_normal(m)) for n, m in pairwise(sizes)]

        return Case(name, (float(rng.uniform(0.5, 2.0)), arrays(), arrays(), lam), hidden=hidden)

    return [
        case("two layers", (4, 3, 2), 0.3),
        case("one layer", (3, 5), 1.2),
        case("three layers", (2, 4, 3, 5), 0.05),
        case("λ = 0", (3, 2), 0.0),
        in_float32(case("", (3, 2, 4), 0.4)),
        case("four layers of one width", (3, 3, 3, 3, 3), 0.8, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

BIAS = "The biases are in the penalty. They shift the boundary and do not bend it: only the weights are penalised."

MISTAKES = [
    Mistake("bias_decayed", slip("W * W", "W * W) + np.sum(b * b", "lam * W, db", "lam * W, db + lam * b"), BIAS),
    Mistake("bias_in_penalty", slip("W * W", "W * W) + np.sum(b * b"), f"[The gradients are right.] {BIAS}"),
    Mistake("bias_in_gradient", slip("lam * W, db", "lam * W, db + lam * b"),
        "[The loss is right.] It leaves the biases out, and so must the gradients: the penalty adds nothing to `db`."),
    Mistake("half_missing", slip("0.5 * lam", "lam"),
        "The gradients belong to a penalty with ½, the loss has none: a gradient check would not agree."),
    Mistake("gradient_doubled", slip("dW + lam", "dW + 2 * lam"),
        "The loss has the ½, the gradients have lost it: a gradient check would not agree."),
    Mistake("penalty_subtracted", slip("J + 0.5", "J - 0.5", "dW + lam", "dW - lam"), SIGN),
    Mistake("gradient_subtracted", slip("dW + lam", "dW - lam"),
        "The loss grows with the weights, your gradients say the opposite. Decay comes about because the *step* goes "
        "against the gradient."),
    Mistake("gradient_forgotten", slip("dW + lam * W", "dW"),
        "The loss has its penalty, the gradients have none: nothing would change in training."),
    Mistake("loss_forgotten", slip("    J = J + 0.5 * lam * sum(np.sum(W * W) for W, b in params)\n", ""),
        "[The gradients are right.] The loss that you return is still the old one."),
    Mistake("last_layer_only",
        slip("in params)", "in params[-1:])",
             "[(dW + lam", "grads[:-1] + [(dW + lam",
             "(grads, params", "(grads[-1:], params[-1:]"),
        "Only the last layer is penalised. Does the next turn of a loop overwrite what you computed for a layer?"),
    Mistake("gradient_replaced", slip("dW + lam", "lam"),
        "The gradient of the data is gone. The penalty's is added to it."),
    Mistake("mutates_gradients",
        slip("return J, [(dW + lam * W, db) for (dW, db), (W, b) in zip(grads, params, strict=True)]",
             "for (dW, _), (W, _) in zip(grads, params, strict=True):\n        dW += lam * W\n    return J, grads"),
        MUTATES),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def loop(J, grads, params, lam):
    new = []
    for i, (W, _) in enumerate(params):
        J += lam / 2 * np.sum(np.square(W))
        new.append([grads[i][0] + lam * W, grads[i][1]])
    return J, new


def flat(J, grads, params, lam):
    w = np.concatenate([W.ravel() for W, _ in params])
    W, _ = zip(*params, strict=True)
    dW, db = zip(*grads, strict=True)
    return float(J + lam * np.dot(w, w) / 2), list(
        zip([g + x * lam for g, x in zip(dW, W, strict=True)], db, strict=True)
    )


EXERCISE = Exercise("regularization.penalised_loss", penalised_loss, cases, MISTAKES, variants=[loop, flat], points=2,
    why="Loss and gradient must tell the same story, or a gradient check fails and a training does what nobody asked "
        "for.",
    hints=("`for (dW, db), (W, b) in zip(grads, params)` walks through both lists.",
           "The loss grows by λ/2 times all squared weights; your `l2_penalty` may help.",
           "Each dW gets its λW; each db stays as it is."))  # fmt: skip
