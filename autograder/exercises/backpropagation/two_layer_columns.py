"""The notes' two-layer network with examples in columns, forward and backward."""

import numpy as np

from dlcourse.activations import sigmoid, sigmoid_grad

from ...checks.exercise import Case, Exercise, Mistake, by_columns, enlarged, in_float32, slip
from ._shared import BIAS_KEPT, DOT, MEAN, NO_BIAS, NO_DERIVATIVE

# --- reference ------------------------------------------------------------------------------------------------------


def two_layer_columns_forward(X, W1, b1, W2, b2):
    """A two-layer network whose examples are columns, with σ in its hidden layer.

    `A = σ(W1 X + b1)`, `U = W2 A + b2`.

    Parameters
    ----------
    X : (D, N) array, one example in each column.
    W1 : (H, D) array. b1 : (H, 1) array.
    W2 : (K, H) array. b2 : (K, 1) array.

    Returns
    -------
    U : (K, N) array.
    cache : whatever `two_layer_columns_backward` needs.
    """
    A = sigmoid(W1 @ X + b1)
    return W2 @ A + b2, (X, A, W2)


def two_layer_columns_backward(dU, cache):
    """Gradients of the network's parameters, summed over the examples.

    Parameters
    ----------
    dU : (K, N) array `∂J/∂U`.
    cache : from `two_layer_columns_forward`.

    Returns
    -------
    dW1 : (H, D) array. db1 : (H, 1) array. dW2 : (K, H) array. db2 : (K, 1) array.
    """
    X, A, W2 = cache
    delta = W2.T @ dU * A * (1 - A)
    db1 = np.sum(delta, axis=1, keepdims=True)
    db2 = np.sum(dU, axis=1, keepdims=True)
    return delta @ X.T, db1, dU @ A.T, db2


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, N, D, H, K, **options):
        X, W1, W2 = (rng.standard_normal(shape) for shape in ((D, N), (H, D), (K, H)))
        b1, b2 = rng.uniform(0.2, 0.8, (H, 1)), rng.uniform(0.2, 0.8, (K, 1))
        args = (X, W1 / np.sqrt(D), b1, W2 / np.sqrt(H), b2)
        return Case(name, args, dout=rng.standard_normal((K, N)), **options)

    return [
        case("the sizes of the notes: 3 examples, 4 features, 2 hidden units, 1 output", 3, 4, 2, 1),
        by_columns(case("five examples, two outputs", 5, 3, 4, 2)),
        enlarged(case("one example", 1, 3, 2, 4), 0, 3, small=(1,)),
        case("all sizes equal", 3, 3, 3, 3),
        in_float32(case("", 6, 2, 3, 2)),
        case("one hidden unit", 4, 2, 1, 3),
        case("seven examples", 7, 4, 5, 2, hidden=True),
        case("one input", 4, 1, 3, 2),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

DELTA = "W2.T @ dU * A * (1 - A)"
DB1, DB2 = "np.sum(delta, axis=1, keepdims=True)", "np.sum(dU, axis=1, keepdims=True)"

MISTAKES = [
    Mistake("gradient_transposed", slip("delta @ X.T", "X @ delta.T", "dU @ A.T", "A @ dU.T"),
        "dW1 and dW2 come out transposed, as they stand with examples in rows. Here W has a row for each neuron, and "
        "so has its gradient."),
    Mistake("bias_over_neurons", slip("axis=1", "axis=0", everywhere=True),
        "The examples are columns here, so the sum over them runs along axis 1. You sum over the neurons."),
    Mistake("bias_flat", slip(", keepdims=True", "", everywhere=True),
        "The bias gradients have lost their second axis, (H,) for (H, 1). W − α dW would still work, b − α db would "
        "quietly become a square: `keepdims=True` keeps the axis."),
    Mistake("bias_not_summed", slip(DB1, "delta", DB2, "dU"), BIAS_KEPT.replace("a row", "a column")),
    Mistake("bias_never_updated", slip(DB1, "np.zeros((len(A), 1))", DB2, "np.zeros((len(dU), 1))"), NO_BIAS),
    Mistake("bias_from_inputs", slip(DB1, "delta @ X.T"),
        "db1 is δ times the layer's inputs, as notes 001 write beside it (E13); that is dW1. The bias is multiplied by "
        "1 in each example: δ is summed."),
    Mistake("bias_before_derivative", slip(DB1, "np.sum(W2.T @ dU, axis=1, keepdims=True)"),
        "db1 is summed before the factor A(1 − A). The bias enters before the sigmoid, so its gradient comes from δ, "
        "after that factor."),
    Mistake("identity_for_ones", slip("(1 - A)", "(np.eye(*A.shape) - A)"),
        "The 1 in A(1 − A) is a 1 in *every* place. Notes 001 write I, the identity, which has ones on the diagonal "
        "only (E12)."),
    Mistake("activation_derivative_missing", slip(" * A * (1 - A)", ""), NO_DERIVATIVE),
    Mistake("derivative_at_activation", slip("A * (1 - A)", "sigmoid_grad(A)"),
        "The sigmoid's slope is taken at A, so the sigmoid is applied twice. A is its output: the slope is A(1 − A)."),
    Mistake("dot_for_elementwise", slip(DELTA, "(W2.T @ dU) @ (A * (1 - A)).T"), DOT),
    Mistake("weights_not_transposed", slip("W2.T @ dU", "W2 @ dU"),
        "W2 leads from H units to K outputs; the way back is its transpose. The shapes tell, unless all are equal."),
    Mistake("wrong_layer_weights", slip("(X, A, W2)", "(X, A, W1)"),
        "The error goes back from U to A, and it was W2 that led from A to U. You send it through W1."),
    Mistake("input_for_previous_activation", slip("dU @ A.T", "dU @ X.T"),
        "dW2 is made from X. What W2 was multiplied by in the forward pass is A."),
    Mistake("mean_for_sum", slip("= cache", "= cache\n    dU = dU / dU.shape[1]"), MEAN, convention=True),
    Mistake("output_activated", slip("return W2 @ A + b2", "return sigmoid(W2 @ A + b2)"),
        "U stays as it is: in this network the output has no activation."),
    Mistake("activation_forgotten", slip("sigmoid(W1 @ X + b1)", "(W1 @ X + b1)"),
        "The hidden layer has no activation: two linear maps in a row are one."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def through_rows_forward(X, W1, b1, W2, b2):
    """As with rows, transposed at the doors."""
    H = sigmoid(X.T @ W1.T + b1.T)
    return (H @ W2.T + b2.T).T, (X.T, H, W2)


def through_rows_backward(dU, cache):
    rows, H, W2 = cache
    dZ = dU.T @ W2 * (H - H**2)
    ones = np.ones((len(rows), 1))
    return (rows.T @ dZ).T, dZ.T @ ones, (H.T @ dU.T).T, dU @ ones


def loop_forward(X, W1, b1, W2, b2):
    columns = [W2 @ sigmoid(W1 @ x[:, None] + b1) + b2 for x in X.T]
    return np.hstack(columns), {"X": X, "W1": W1, "b1": b1, "W2": W2}


def loop_backward(dU, cache):
    X, W1, b1, W2 = (cache[name] for name in ("X", "W1", "b1", "W2"))
    dW1, db1, dW2, db2 = np.zeros(W1.shape), np.zeros(b1.shape), np.zeros(W2.shape), np.zeros((len(W2), 1))
    for x, du in zip(X.T[:, :, None], dU.T[:, :, None], strict=True):
        z = W1 @ x + b1
        dz = W2.T @ du * sigmoid_grad(z)
        dW1 += dz @ x.T
        db1 += dz
        dW2 += du @ sigmoid(z).T
        db2 += du
    return [dW1, db1, dW2, db2]


EXERCISE = Exercise("backpropagation.two_layer_columns", (two_layer_columns_forward, two_layer_columns_backward), cases,
    MISTAKES, variants=[(through_rows_forward, through_rows_backward), (loop_forward, loop_backward)], points=0,
    why="The form in which notes 001 and most papers write a network: every product turns round, every sum changes its "
        "axis.",
    hints=("Write the shapes under the letters: X (D, N), W1 (H, D), A (H, N), W2 (K, H), dU (K, N).",
           "δ = ∂J/∂Z has the shape of A: dU back through W2, then entry by entry the sigmoid's slope.",
           "Each weights' gradient is δ times (what came in)ᵀ, in the shape of its W; each bias' gradient is δ summed "
           "over the columns."))  # fmt: skip
