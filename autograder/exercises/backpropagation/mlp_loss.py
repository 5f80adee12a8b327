"""The loss of a network and all its gradients, weight decay included."""

import numpy as np

from dlcourse import backpropagation
from dlcourse.backpropagation import mlp_backward, mlp_forward
from dlcourse.losses import softmax_cross_entropy, softmax_cross_entropy_grad

from ...checks.exercise import Case, Exercise, Mistake, in_float32, of_a_part, slip
from . import mlp
from ._shared import parameters

# --- solution -------------------------------------------------------------------------------------------------------


def mlp_loss(X, labels, params, activation="relu", weight_decay=0.0):
    U, cache = mlp_forward(X, params, activation)
    J = softmax_cross_entropy(U, labels) + 0.5 * weight_decay * sum(np.sum(W**2) for W, b in params)
    grads = mlp_backward(softmax_cross_entropy_grad(U, labels), cache)
    return J, [(dW + weight_decay * W, db) for (dW, db), (W, b) in zip(grads, params, strict=True)]


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def classes(N, K):
        labels = rng.integers(0, K, N)
        labels[: min(N, K)] = np.arange(K)[:N]
        return labels

    def case(name, N, sizes, labels=None, hidden=False, **kwargs):
        labels = classes(N, sizes[-1]) if labels is None else labels
        return Case(name, (rng.standard_normal((N, sizes[0])), labels, parameters(rng, *sizes)), kwargs, hidden=hidden)

    far = np.array([[5000.0, 0.0], [0.0, 1000.0], [-1000.0, 0.0]])
    return [
        case("six examples", 6, (3, 4, 5), activation="tanh"),
        case("ReLU, the default", 4, (3, 5, 2)),
        case("weight decay, one hidden neuron", 5, (2, 1, 3), activation="tanh", weight_decay=0.3),
        case("one example with weight decay", 1, (3, 2, 4), activation="sigmoid", weight_decay=0.5),
        Case("logits of ±1000 and beyond", (far, np.array([1, 1, 0]), [(np.eye(2), np.zeros(2))])),
        case("labels as probabilities", 4, (3, 4, 5), labels=rng.dirichlet(np.ones(5), 4), activation="tanh"),
        in_float32(case("", 4, (3, 4, 3), activation="tanh", weight_decay=0.1)),
        case("three layers, weight decay", 7, (3, 4, 5, 3), activation="tanh", weight_decay=0.2, hidden=True),
        case("one input", 5, (1, 3, 2), activation="tanh"),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

LOSS, GRADIENT = "softmax_cross_entropy(U, labels)", "softmax_cross_entropy_grad(U, labels)"
TARGETS = "K = (np.eye(U.shape[1])[labels] if labels.ndim == 1 else labels).astype(U.dtype)"
PROBABILITY = "p = np.exp(U - U.max(axis=1, keepdims=True))\n    p = p / p.sum(axis=1, keepdims=True)"
CROSS_ENTROPY = "-np.sum(K * np.log(p)) / len(U)"

MISTAKES = [
    Mistake("batch_not_averaged", slip(GRADIENT, 'softmax_cross_entropy_grad(U, labels, reduction="sum")'),
        "J is a mean over the examples, its gradients are sums: they are N times too large. The 1/N belongs to both."),
    Mistake("batch_averaged_twice", slip(GRADIENT, f"{GRADIENT} / len(X)"),
        "The gradients are divided by N twice. `softmax_cross_entropy_grad` takes the mean already, and `mlp_backward` "
        "only sums."),
    Mistake("sum_for_mean", slip("(U, labels)", '(U, labels, reduction="sum")', everywhere=True),
        "Loss and gradients are sums over the examples; here both are means.", convention=True),
    Mistake("targets_minus_predictions", slip(GRADIENT, f"-{GRADIENT}"),
        "The data's part of the gradients has the opposite sign: ∇_U J is predictions minus targets (E17 in the "
        "notes)."),
    Mistake("half_missing", slip("0.5 * weight_decay", "weight_decay"),
        "Penalty and gradient do not belong together: λW is the gradient of (λ/2)‖W‖²."),
    Mistake("penalty_missing", slip(" + 0.5 * weight_decay * sum(np.sum(W**2) for W, b in params)", ""),
        "The gradients decay the weights, but J does not say so."),
    Mistake("decay_missing", slip("dW + weight_decay * W", "dW"), "J holds the penalty, the gradients do not."),
    Mistake("penalty_subtracted", slip("dW + weight_decay", "dW - weight_decay"),
        "The penalty's gradient is subtracted: the weights would grow."),
    Mistake("bias_decayed",
        slip("np.sum(W**2)", "np.sum(W**2) + np.sum(b**2)",
             "weight_decay * W, db", "weight_decay * W, db + weight_decay * b"),
        "The biases are penalised, too. Only the weights are: a bias moves the boundary, it does not bend it."),
    Mistake("norm_not_squared", slip("np.sum(W**2)", "np.linalg.norm(W)"),
        "The penalty is made from the norm itself; it is the *square* of the norm, the sum of all squared weights."),
    Mistake("activation_ignored", slip("params, activation)\n", "params)\n"),
        "The network runs with ReLU whatever is asked: pass `activation` on."),
    Mistake("no_max_shift",
        slip("    J = ", f"    {TARGETS}\n    p = np.exp(U) / np.exp(U).sum(axis=1, keepdims=True)\n    J = ",
             LOSS, CROSS_ENTROPY,
             GRADIENT, "(p - K) / len(U)"),
        "e^1000 overflows. `softmax_cross_entropy` and its gradient, imported above, shift the logits first."),
    Mistake("probability_clipped",
        slip("    J = ", f"    {TARGETS}\n    {PROBABILITY}\n    J = ", LOSS, CROSS_ENTROPY.replace("(p)", "(p + θ)"),
             values=(1e-12, 1e-7, 1e-15, 1e-8)),
        "A small number added to the probability, or a clipped one, hides how wrong the prediction is: a class 1000 "
        "below the best costs 1000. `softmax_cross_entropy`, imported above, works from the logits.",
        also=[slip("    J = ", f"    {TARGETS}\n    {PROBABILITY}\n    J = ",
                   LOSS, CROSS_ENTROPY.replace("(p)", "(np.clip(p, θ, 1.0))"), values=(1e-12, 1e-7, 1e-15))]),
    Mistake("log_of_zero",
        slip("    J = ",
             f"    {TARGETS}\n    p = np.exp(U - U.max(axis=1, keepdims=True))\n    p = p / p.sum(axis=1, "
             "keepdims=True)\n    J = ",
             LOSS, CROSS_ENTROPY),
        "The probability rounds to 0, and its logarithm is −∞. `softmax_cross_entropy`, imported above, works from the "
        "logits."),
    *of_a_part(mlp.EXERCISE, but=("mean_for_sum",)),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def by_hand(X, labels, params, activation="relu", weight_decay=0.0):
    U, cache = mlp_forward(X, params, activation)
    K = (np.eye(U.shape[1])[labels] if labels.ndim == 1 else labels).astype(U.dtype)
    U = U - U.max(axis=1, keepdims=True)
    log_p = U - np.log(np.exp(U).sum(axis=1, keepdims=True))
    grads = mlp_backward((np.exp(log_p) - K) / len(X), cache)
    J = -np.sum(K * log_p) / len(X)
    for l, (W, _) in enumerate(params):
        J = J + weight_decay / 2 * np.vdot(W, W)
        grads[l] = (grads[l][0] + weight_decay * W, grads[l][1])
    return J, grads


def loop(X, labels, params, activation="relu", weight_decay=0.0):
    N, J, grads = len(X), 0.0, [[np.zeros_like(W), np.zeros_like(b)] for W, b in params]
    for p in range(N):
        u, cache = mlp_forward(X[p : p + 1], params, activation)
        J += float(softmax_cross_entropy(u, labels[p : p + 1])) / N
        du = softmax_cross_entropy_grad(u, labels[p : p + 1]) / N
        for total, (dW, db) in zip(grads, mlp_backward(du, cache), strict=True):
            total[0] += dW
            total[1] += db
    for total, (W, _) in zip(grads, params, strict=True):
        J += 0.5 * weight_decay * float(np.sum(W * W))
        total[0] += weight_decay * W
    return J, grads


EXERCISE = Exercise("backpropagation.mlp_loss", backpropagation.mlp_loss, cases, MISTAKES, variants=[by_hand, loop],
    solution=mlp_loss, points=2,
    why="This is the function that every optimizer in the course calls: a loss and all its gradients.",
    hints=("Forward, loss, gradient at U, backward: four calls.",
           "`softmax_cross_entropy(U, labels)` is a mean over the examples, and so is its `_grad`.",
           "λW is added to each dW; the db stay as they are."))  # fmt: skip
