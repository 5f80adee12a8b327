"""One epoch of stochastic gradient descent: the notes' algorithm from beginning to end."""

import numpy as np

from dlcourse.activations import sigmoid
from dlcourse.backpropagation import two_layer_backward, two_layer_forward
from dlcourse.layers import sigmoid_layer_delta

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import AT_ACTIVATION, BIAS_EARLY, parameters

# --- solution -------------------------------------------------------------------------------------------------------


def sgd_epoch(X, D, W, b, V, c, lr, batch_size):
    """One epoch of stochastic gradient descent for the two-layer network with sigmoid
    outputs.

    Parameters
    ----------
    X : (N, D) array, examples as rows.
    D : (N, K) array, targets between 0 and 1.
    W, b, V, c : (D, H), (H,), (H, K), (K,) arrays, the parameters; they stay as they
        are.
    lr : learning rate.
    batch_size : examples in a minibatch; the minibatches are taken in the order of X,
        the last one may be smaller.

    Returns
    -------
    W, b, V, c : new arrays, after one step for each minibatch.

    Notes
    -----
    The loss of a minibatch of n examples is the mean over these n of `½ ‖d − f(u)‖²`, f
    the sigmoid.
    """
    for start in range(0, len(X), batch_size):
        x, d = X[start : start + batch_size], D[start : start + batch_size]
        H = sigmoid(x @ W + b)
        dU = sigmoid_layer_delta(d, H @ V + c) / len(x)
        dH = dU @ V.T
        dZ = dH * H * (1 - H)
        W, b = W - lr * x.T @ dZ, b - lr * dZ.sum(axis=0)
        V, c = V - lr * H.T @ dU, c - lr * dU.sum(axis=0)
    return W, b, V, c


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, N, D, H, K, lr, batch_size, hidden=False, weight=1.0):
        (W, b), (V, c) = parameters(rng, D, H, K)
        X, targets = rng.uniform(0.5, 1.5, (N, D)), rng.integers(0, 2, (N, K)) * 0.8 + 0.1
        return Case(name, (X, targets, W, b, V, c, lr, batch_size), hidden=hidden, weight=weight)

    return [
        case("one step", 4, 3, 5, 2, 4.0, 4),
        case("three steps", 6, 2, 4, 3, 5.0, 2),
        case("a smaller minibatch at the end", 7, 3, 4, 2, 3.0, 3),
        case("one example at a time", 4, 2, 3, 1, 2.0, 1),
        case("all sizes equal", 3, 3, 3, 3, 6.0, 3),
        in_float32(case("", 5, 2, 3, 2, 3.0, 2)),
        enlarged(case("larger than the data", 5, 3, 4, 2, 3.0, 8, weight=0.5), 0, small=(2,)),
        case("five steps", 14, 3, 4, 2, 4.0, 3, hidden=True),
        case("one example, one input", 1, 1, 3, 2, 4.0, 2),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

DELTA = "sigmoid_layer_delta(d, H @ V + c)"

MISTAKES = [
    Mistake("updated_before_propagating",
        slip("        dH = ", "        V, c = V - lr * H.T @ dU, c - lr * dU.sum(axis=0)\n        dH = ",
             "dZ.sum(axis=0)\n        V, c = V - lr * H.T @ dU, c - lr * dU.sum(axis=0)\n", "dZ.sum(axis=0)\n"),
        "The error goes back through V after V was moved. All gradients belong to one point: compute them all, then "
        "move."),
    Mistake("bias_never_updated", slip("b - lr * dZ.sum(axis=0)", "b", "c - lr * dU.sum(axis=0)", "c"),
        "The weights move, the biases stay."),
    Mistake("output_derivative_omitted", slip(DELTA, "-(d - sigmoid(H @ V + c))"),
        "−(D − Y) belongs to linear outputs, or to sigmoid outputs with cross-entropy (E05). With the squared error "
        "the output's slope f′(U) is a factor of the error."),
    Mistake("output_not_activated", slip(DELTA, "-(d - (H @ V + c))"),
        "The targets are compared with U. The outputs are f(U)."),
    Mistake("derivative_at_activation", slip("H * (1 - H)", "sigmoid(H) * (1 - sigmoid(H))"), AT_ACTIVATION),
    Mistake("bias_from_activation_grad", slip("dZ.sum", "dH.sum"), BIAS_EARLY),
    Mistake("batch_not_averaged", slip(" / len(x)", ""),
        "The gradients are sums over the minibatch; the loss is a mean, so they are too large by the size of the "
        "minibatch."),
    Mistake("batch_averaged_twice", slip("/ len(x)", "/ len(x) ** 2"),
        "The gradients are divided by the size of the minibatch twice."),
    Mistake("averaged_over_batch_size", slip("/ len(x)", "/ batch_size"),
        "You divide by `batch_size`. The last minibatch may hold fewer examples: divide by how many there are."),
    Mistake("ascent", slip("- lr", "+ lr", everywhere=True),
        "The steps go up the slope: a sign is turned, in the error or in the step."),
    Mistake("mutates_parameters",
        slip("W, b = W - lr * x.T @ dZ, b - lr * dZ.sum(axis=0)",
             "W -= lr * x.T @ dZ\n        b -= lr * dZ.sum(axis=0)",
             "V, c = V - lr * H.T @ dU, c - lr * dU.sum(axis=0)",
             "V -= lr * H.T @ dU\n        c -= lr * dU.sum(axis=0)"),
        "`W -= …` changes the caller's array. `W = W - …` makes a new one."),
    Mistake("last_batch_dropped", slip("range(0, len(X), batch_size)", "range(0, len(X) - batch_size + 1, batch_size)"),
        "The last, smaller minibatch is left out. `range(0, N, batch_size)` includes its beginning."),
    Mistake("gradients_of_the_start",
        slip("    for start", "    W0, b0, V0, c0 = W, b, V, c\n    for start",
             "x @ W + b", "x @ W0 + b0",
             "H @ V + c", "H @ V0 + c0",
             "dU @ V.T", "dU @ V0.T"),
        "Every minibatch's gradient is taken at the weights the epoch began with. Use the weights that the last step "
        "left."),
    Mistake("whole_batch", slip("X[start : start + batch_size], D[start : start + batch_size]", "X, D"),
        "[The number of steps is right.] Each step sees all examples. It should see its minibatch alone."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def composed(X, D, W, b, V, c, lr, batch_size):
    for start in range(0, len(X), batch_size):
        x, d = X[start : start + batch_size], D[start : start + batch_size]
        U, cache = two_layer_forward(x, W, b, V, c)
        dW, db, dV, dc = two_layer_backward(sigmoid_layer_delta(d, U) / len(x), cache)
        W, b, V, c = W - lr * dW, b - lr * db, V - lr * dV, c - lr * dc
    return W, b, V, c


def own_copies(X, D, W, b, V, c, lr, batch_size):
    W, b, V, c = W.copy(), b.copy(), V.copy(), c.copy()
    for start in range(0, len(X), batch_size):
        stop = min(start + batch_size, len(X))
        H = 0.5 + 0.5 * np.tanh(0.5 * (X[start:stop] @ W + b))
        Y = 0.5 + 0.5 * np.tanh(0.5 * (H @ V + c))
        dU = (Y - D[start:stop]) * (Y - Y * Y) * (lr / (stop - start))
        dZ = np.einsum("nk,hk->nh", dU, V) * (H - H * H)
        W -= np.einsum("nd,nh->dh", X[start:stop], dZ)
        b -= dZ.sum(0)
        V -= np.einsum("nh,nk->hk", H, dU)
        c -= dU.sum(0)
    return [W, b, V, c]


EXERCISE = Exercise("backpropagation.sgd_epoch", sgd_epoch, cases, MISTAKES, variants=[composed, own_copies], points=3,
    why="The notes' algorithm from beginning to end: forward, backward, step, next minibatch.",
    hints=("`two_layer_forward` and `two_layer_backward` are yours already; g is the sigmoid.",
           "`sigmoid_layer_delta(D, U)` is the gradient at U for a *sum* over the examples. What makes a mean of it?",
           "Compute all four gradients before you move any of the four parameters."))  # fmt: skip
