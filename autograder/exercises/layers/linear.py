"""The linear layer and its three gradients."""

import numpy as np

from dlcourse import layers

from ...checks.exercise import Case, Exercise, Mistake, enlarged, slip
from ._shared import INTEGER

# --- solution -------------------------------------------------------------------------------------------------------


def linear_forward(X, W, b):
    return X @ W + b, (X, W)


def linear_backward(dU, cache):
    X, W = cache
    dX = dU @ W.T
    dW = X.T @ dU
    db = dU.sum(axis=0)
    return dX, dW, db


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, N, D, K, dtype=float, **options):
        arrays = (rng.standard_normal(shape).astype(dtype) for shape in ((N, D), (D, K), (K,), (N, K)))
        *args, dout = arrays
        return Case(name, tuple(args), dout=dout, **options)

    whole = np.array([[1, -2, 3], [0, 2, -1], [4, 1, 1], [-3, 0, 2]])
    fractions = np.array([[0.25, -0.5], [1.5, 0.75], [-0.125, 2.25]]), np.array([0.5, -0.25])
    return [
        case("five examples, three inputs, two neurons", 5, 3, 2),
        enlarged(case("one example", 1, 4, 3), 0),
        case("float32", 4, 2, 3, np.float32),
        case("as many examples as inputs and neurons", 3, 3, 3),
        Case("integer examples", (whole, *fractions), dout=rng.standard_normal((4, 2))),
        case("one neuron", 6, 2, 1, hidden=True),
        case("one input", 4, 1, 3),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("bias_forgotten", slip(" + b", ""),
        "Part of U = XW + b is missing: with all inputs 0 your layer answers 0."),
    Mistake("bias_subtracted", slip("+ b", "- b"), "Look at the sign of the bias."),
    Mistake("weights_transposed", slip("X @ W", "X @ W.T"),
        "W is (D, K) already, inputs by neurons. Write the shapes of X and W side by side: which axes have to meet?"),
    Mistake("elementwise_for_dot", slip("X @ W", "X * W"),
        "`*` multiplies entry by entry. Each neuron needs the sum of inputs times weights: a matrix product."),
    Mistake("bias_before_product", slip("X @ W + b", "X @ (W + b)"),
        "The bias is added once to each neuron's sum, not to every weight."),
    Mistake("integer_buffer",
        slip("return X @ W + b,",
             "U = np.zeros((len(X), W.shape[1]), dtype=X.dtype)\n    U[:] = X @ W + b\n    return U,"),
        INTEGER),
    Mistake("missing_transpose", slip("X.T", "X"),
        "dW has the shape of W, (D, K), and the sum runs over the N examples: which axis of X has to stand where?"),
    Mistake("weights_not_transposed", slip("W.T", "W"),
        "dX goes from K neurons back to D inputs, against the direction of the forward pass: how must W stand for "
        "that?"),
    Mistake("gradient_transposed", slip("X.T @ dU", "dU.T @ X"),
        "dW should have the shape of W, so that W − α dW can be formed. Yours is its transpose."),
    Mistake("bias_not_summed", slip("dU.sum(axis=0)", "dU"),
        "All examples share one bias for each neuron, so their gradients add up: db has shape (K,)."),
    Mistake("bias_over_neurons", slip("axis=0", "axis=1"),
        "db is summed over the wrong axis: it has one number for each neuron, a sum over the examples."),
    Mistake("bias_gradient_of_ones", slip("dU.sum(axis=0)", "np.ones_like(dU).sum(axis=0)"),
        "∂U/∂b is 1, but db still takes the upstream gradient: what flows into each neuron is dU."),
    Mistake("upstream_ignored", slip("    dX =", "    dU = np.ones_like(dU)\n    dX ="),
        "These are the layer's local derivatives. The chain rule multiplies each of them with dU, which your function "
        "does not use."),
    Mistake("gradients_out_of_order", slip("return dX, dW, db", "return dW, db, dX"),
        "The gradients come in the order of the forward's arguments: X, W, b."),
    Mistake("mean_for_sum", slip("X.T @ dU", "X.T @ dU / len(dU)", "sum", "mean"),
        "You divide by N. A layer does not know how the loss was averaged: that factor is in dU already, and here "
        "everything is summed.", convention=True),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def einsum_forward(X, W, b):
    return np.einsum("nd,dk->nk", X, W) + b, {"inputs": X.copy(), "weights": W.copy()}


def einsum_backward(dU, cache):
    dX = np.einsum("nk,dk->nd", dU, cache["weights"])
    return dX, np.einsum("nd,nk->dk", cache["inputs"], dU), np.einsum("nk->k", dU)


def loop_forward(X, W, b):
    return [[sum(x * w for x, w in zip(row, W.T[k], strict=True)) + b[k] for k in range(len(b))] for row in X], (X, W)


def loop_backward(dU, cache):
    X, W = cache
    dX, dW, db = np.zeros(X.shape), np.zeros(W.shape), np.zeros(W.shape[1])
    for n, (x, du) in enumerate(zip(X, dU, strict=True)):
        dX[n] = W @ du
        dW += np.outer(x, du)
        db += du
    return dX, dW, db


def augmented_forward(X, W, b):
    Z, V = np.column_stack([X, np.ones(len(X))]), np.vstack([W, b])
    return Z @ V, (Z, V)


def augmented_backward(dU, cache):
    Z, V = cache
    dV = np.matmul(Z.T, dU)
    return np.dot(dU, V.T)[:, :-1], dV[:-1], dV[-1]


EXERCISE = Exercise("layers.linear", (layers.linear_forward, layers.linear_backward), cases, MISTAKES,
    variants=[(einsum_forward, einsum_backward),
              (loop_forward, loop_backward),
              (augmented_forward, augmented_backward)], solution=(linear_forward, linear_backward), points=3,
    why="Every layer of this course, convolution and attention included, is this product with another way of filling "
        "X.",
    hints=("Write the shapes under the letters: U (N, K), X (N, D), W (D, K), b (K,).",
           "Keep in the cache what the backward pass needs: look at its formulas, two arrays do.",
           "Each gradient has the shape of its array, and only one order and transposition of the two factors gives "
           "it.",
           "b was copied to every example on the way forward; on the way back its gradients are added "
           "up."))  # fmt: skip
