"""A network of any number of layers, forward and backward."""

import numpy as np

from dlcourse import backpropagation
from dlcourse.activations import ACTIVATIONS

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import AT_ACTIVATION, BIAS_EARLY, BIAS_KEPT, DOT, MEAN, NO_BIAS, NO_DERIVATIVE, parameters

# --- solution -------------------------------------------------------------------------------------------------------


def mlp_forward(X, params, activation="relu"):
    g, _ = ACTIVATIONS[activation]
    A, Z = [X], []
    for W, b in params[:-1]:
        Z.append(A[-1] @ W + b)
        A.append(g(Z[-1]))
    W, b = params[-1]
    return A[-1] @ W + b, (A, Z, params, activation)


def mlp_backward(dU, cache):
    A, Z, params, activation = cache
    _, g_grad = ACTIVATIONS[activation]
    delta, grads = dU, []
    for l in reversed(range(len(params))):
        grads.insert(0, (A[l].T @ delta, delta.sum(axis=0)))
        if l > 0:
            dA = delta @ params[l][0].T
            delta = dA * g_grad(Z[l - 1])
    return grads


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, N, sizes, hidden=False, weight=1.0, **kwargs):
        X, dU = rng.standard_normal((N, sizes[0])), rng.standard_normal((N, sizes[-1]))
        return Case(name, (X, parameters(rng, *sizes)), kwargs, dout=dU, hidden=hidden, weight=weight)

    return [
        case("two hidden layers", 6, (3, 4, 5, 2), activation="tanh"),
        case("ReLU, the default", 4, (3, 5, 4, 2)),
        case("one hidden neuron", 5, (2, 1, 4), activation="sigmoid"),
        enlarged(case("no hidden layer", 4, (3, 2), weight=0.5, activation="tanh"), 0),
        enlarged(case("one example", 1, (3, 2, 4, 3), activation="tanh")),
        case("all sizes equal", 3, (3, 3, 3, 3), activation="tanh"),
        in_float32(case("", 4, (2, 3, 4, 2), activation="tanh")),
        case("five layers", 5, (4, 3, 5, 2, 4, 3), activation="softplus", hidden=True),
        case("one input, one output", 4, (1, 3, 2, 1), activation="tanh"),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("derivative_at_activation", slip("g_grad(Z[l - 1])", "g_grad(A[l])"), AT_ACTIVATION),
    Mistake("bias_never_updated", slip("delta.sum(axis=0)", "np.zeros(delta.shape[1])"), NO_BIAS),
    Mistake("bias_from_activation_grad",
        slip("delta, grads = dU, []", "delta, dA, grads = dU, dU, []", "delta.sum", "dA.sum"),
        BIAS_EARLY),
    Mistake("dot_for_elementwise", slip("dA * g_grad(Z[l - 1])", "dA @ g_grad(Z[l - 1]).T"), DOT),
    Mistake("activation_derivative_missing", slip("dA * g_grad(Z[l - 1])", "dA"), NO_DERIVATIVE),
    Mistake("input_for_previous_activation", slip("A[l].T", "A[0].T"),
        "Every layer's gradient is made from X. A layer's own input is the activation of the layer before; only the "
        "first one sees X."),
    Mistake("wrong_layer_weights", slip("params[l][0].T", "params[l - 1][0].T"),
        "The error at layer l comes through the weights that lead *out* of it, W[l+1]. You send it through the weights "
        "that lead into it."),
    Mistake("preactivation_of_another_layer", slip("Z[l - 1]", "Z[l - 2]"),
        "The slope belongs to the layer at which the error arrives; you take it one layer off."),
    Mistake("output_derivative_applied",
        slip("delta, grads = dU, []", "delta, grads = dU * g_grad(A[-1] @ params[-1][0] + params[-1][1]), []"),
        "dU is already the gradient at the last preactivation; the last layer has no activation whose slope could be "
        "missing."),
    Mistake("bias_not_summed", slip("delta.sum(axis=0)", "delta"), BIAS_KEPT),
    Mistake("mean_for_sum", slip("delta, grads = dU, []", "delta, grads = dU / len(dU), []"), MEAN, convention=True),
    Mistake("order_reversed", slip("grads.insert(0, (A", "grads.append((A"),
        "The gradients come as they were found, the last layer first. They are asked in the order of `params`."),
    Mistake("first_layer_missing", slip("range(len(params))", "range(1, len(params))"),
        "The first layer has no gradient. The loop ends one step too early: no layer comes before it, but it has "
        "weights."),
    Mistake("output_activated", slip("return A[-1] @ W + b", "return g(A[-1] @ W + b)"),
        "The last layer stays linear; you apply the activation to it, too."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def recursive_forward(X, params, activation="relu"):
    (W, b), rest = params[0], params[1:]
    Z = X @ W + b
    if not rest:
        return Z, [(X, W, None)]
    g, g_grad = ACTIVATIONS[activation]
    U, layers = recursive_forward(g(Z), rest, activation)
    return U, [(X, W, g_grad(Z)), *layers]


def recursive_backward(dU, cache):
    grads, back = [], dU
    for X, W, slope in cache[::-1]:
        delta = back if slope is None else back * slope
        grads.append((np.einsum("nd,nk->dk", X, delta), np.einsum("nk->k", delta)))
        back = delta @ W.T
    return tuple(grads[::-1])


EXERCISE = Exercise("backpropagation.mlp", (backpropagation.mlp_forward, backpropagation.mlp_backward), cases, MISTAKES,
    variants=[(recursive_forward, recursive_backward)], solution=(mlp_forward, mlp_backward), points=4,
    why="One loop down, one loop up: a network of any depth.",
    hints=("Forward: keep every layer's input in a list and every hidden preactivation in another.",
           "Backward: begin with δ = dU at the last layer and go down with `reversed(range(len(params)))`.",
           "At each layer two things: its own dW and db from δ, then δ for the layer below, if there is one.",
           "Count with a finger which W, which Z and which A belong to layer l, with lists that begin at "
           "0."))  # fmt: skip
