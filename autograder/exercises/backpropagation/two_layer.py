"""The two-layer network, forward and backward."""

import numpy as np

from dlcourse import backpropagation
from dlcourse.activations import ACTIVATIONS

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import AT_ACTIVATION, BIAS_EARLY, BIAS_KEPT, DOT, MEAN, NO_BIAS, NO_DERIVATIVE, parameters

# --- solution -------------------------------------------------------------------------------------------------------


def two_layer_forward(X, W, b, V, c, g="sigmoid"):
    f, _ = ACTIVATIONS[g]
    Z = X @ W + b
    H = f(Z)
    return H @ V + c, (X, Z, H, V, g)


def two_layer_backward(dU, cache):
    X, Z, H, V, g = cache
    _, f_grad = ACTIVATIONS[g]
    dH = dU @ V.T
    dZ = dH * f_grad(Z)
    return X.T @ dZ, dZ.sum(axis=0), H.T @ dU, dU.sum(axis=0)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, N, D, H, K, hidden=False, **kwargs):
        (W, b), (V, c) = parameters(rng, D, H, K)
        X, dU = rng.standard_normal((N, D)), rng.standard_normal((N, K))
        return Case(name, (X, W, b, V, c), kwargs, dout=dU, hidden=hidden)

    return [
        case("five examples", 5, 3, 4, 2),
        case("tanh, one output", 4, 2, 5, 1, g="tanh"),
        enlarged(case("one example", 1, 3, 2, 4), 0, 3, small=(1,)),
        case("as many examples as inputs, neurons and outputs", 3, 3, 3, 3),
        in_float32(case("", 6, 2, 3, 2)),
        case("softplus", 7, 4, 3, 2, g="softplus", hidden=True),
        case("one input, one neuron inside", 4, 1, 1, 3),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("derivative_at_activation", slip("f_grad(Z)", "f_grad(H)"), AT_ACTIVATION),
    Mistake("bias_never_updated",
        slip("dZ.sum(axis=0)", "np.zeros(H.shape[1])", "dU.sum(axis=0)", "np.zeros(V.shape[1])"),
        NO_BIAS),
    Mistake("bias_from_activation_grad", slip("dZ.sum", "dH.sum"), BIAS_EARLY),
    Mistake("dot_for_elementwise", slip("dH * f_grad(Z)", "dH @ f_grad(Z).T"), DOT),
    Mistake("activation_derivative_missing", slip("dH * f_grad(Z)", "dH"), NO_DERIVATIVE),
    Mistake("input_for_previous_activation", slip("H.T @ dU", "X.T @ dU"),
        "dV is made from X. What V was multiplied by in the forward pass is H."),
    Mistake("wrong_layer_weights", slip("(X, Z, H, V, g)", "(X, Z, H, W, g)"),
        "The error goes back from U to H, and it was V that led from H to U. You send it through W."),
    Mistake("missing_transpose", slip("dU @ V.T", "dU @ V"),
        "V leads from H to U; the way back, from (N, K) to (N, H), is its transpose. The shapes tell."),
    Mistake("bias_not_summed", slip(".sum(axis=0)", "", everywhere=True), BIAS_KEPT),
    Mistake("sigmoid_hard_coded", slip("f_grad(Z)", "(H * (1 - H))"),
        "H(1 − H) is the slope of the sigmoid alone. `g` may be another activation: take its derivative from "
        "ACTIVATIONS."),
    Mistake("mean_for_sum", slip("g = cache", "g = cache\n    dU = dU / len(dU)"), MEAN, convention=True),
    Mistake("activation_forgotten", slip("return H @ V", "return Z @ V"),
        "The hidden layer's activation is missing in the output: U comes from H, not from Z."),
    Mistake("output_activated", slip("return H @ V + c", "return f(H @ V + c)"),
        "U is a preactivation: what follows the last layer does not belong to this function."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def einsum_forward(X, W, b, V, c, g="sigmoid"):
    f, f_grad = ACTIVATIONS[g]
    Z = np.einsum("nd,dh->nh", X, W) + b
    return np.einsum("nh,hk->nk", f(Z), V) + c, {"X": X, "H": f(Z), "slope": f_grad(Z), "V": V}


def einsum_backward(dU, cache):
    dZ = np.einsum("nk,hk,nh->nh", dU, cache["V"], cache["slope"])
    return [np.einsum("nd,nh->dh", cache["X"], dZ), dZ.sum(0), np.einsum("nh,nk->hk", cache["H"], dU), dU.sum(0)]


def loop_forward(X, W, b, V, c, g="sigmoid"):
    f, f_grad = ACTIVATIONS[g]
    return np.array([f(x @ W + b) @ V + c for x in X]), (X, W, b, V, f, f_grad)


def loop_backward(dU, cache):
    X, W, b, V, f, f_grad = cache
    dW, db, dV, dc = np.zeros_like(W), np.zeros_like(b), np.zeros_like(V), np.zeros(V.shape[1])
    for x, du in zip(X, dU, strict=True):
        z = x @ W + b
        dz = V @ du * f_grad(z)
        dW += np.outer(x, dz)
        db += dz
        dV += np.outer(f(z), du)
        dc += du
    return dW, db, dV, dc


EXERCISE = Exercise("backpropagation.two_layer",
    (backpropagation.two_layer_forward, backpropagation.two_layer_backward), cases, MISTAKES,
    variants=[(einsum_forward, einsum_backward), (loop_forward, loop_backward)],
    solution=(two_layer_forward, two_layer_backward), points=4,
    why="Everything that deeper networks do, they do here for the first time: an error passes through weights and an "
        "activation.",
    hints=("`f, f_grad = ACTIVATIONS[g]` gives the activation and its derivative, both functions of Z.",
           "Write the shapes of dU, V, Z, X and H in a margin; each gradient has the shape of what it belongs to.",
           "First the error at Z: dU back through V, then entry by entry times the slope at Z. All else follows from "
           "it and dU.",
           "Each weights' gradient is (what came in)ᵀ times (the error at what came out)."))  # fmt: skip
