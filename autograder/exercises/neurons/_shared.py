"""What several exercises on neurons have in common: data, targets, and the mistakes of every loss and gradient."""

from dataclasses import replace

import numpy as np

from ...checks.exercise import ENLARGED, Case, Mistake, enlarged, slip

# --- data -----------------------------------------------------------------------------------------------------------


def examples(rng, N=5, D=3):
    """X, w, b of different sizes, so that no transposition goes unnoticed."""
    return rng.standard_normal((N, D)), rng.standard_normal(D), float(rng.standard_normal())


def no_targets(rng, N):
    return ()


def real_targets(rng, N):
    return (rng.standard_normal(N),)


def class_targets(rng, N):
    """Targets 0 and 1, both present."""
    d = rng.integers(0, 2, N)
    d[:2] = [0, 1][:N]
    return (d,)


def sign_targets(rng, N):
    """Targets −1 and +1, both present."""
    return (2 * class_targets(rng, N)[0] - 1,)


def batches(rng, targets, far=None):
    """The cases that most exercises share: a batch, one example, float32, and examples far from the boundary."""
    X, w, b = examples(rng)
    cases = [Case("five examples", (X, *targets(rng, 5), w, b))]
    X, w, b = examples(rng, N=1, D=4)
    cases.append(Case("one example", (X, *targets(rng, 1), w, b)))
    X, w, b = examples(rng, N=4, D=1)
    single = [t.astype(np.float32) if t.dtype.kind == "f" else t for t in targets(rng, 4)]
    cases.append(Case("float32, one input", (X.astype(np.float32), *single, w.astype(np.float32), b)))
    X, w, b = examples(rng, N=3, D=3)
    square = Case("as many examples as inputs", (X, *targets(rng, 3), w, b))
    # Where nothing saturates
    cases.append(square if far else enlarged(square, 0))
    X, w, b = examples(rng, N=7, D=2)
    cases.append(Case("integer examples", (rng.integers(-3, 4, (7, 2)), *targets(rng, 7), w, b), hidden=True))
    if far:
        cases.append(
            Case(
                f"u = ±{far:g}", (1024 * np.array([[far], [-far], [far / 2]]), *targets(rng, 3), np.ones(1) / 1024, 0.0)
            )
        )
        # Most forms of the sigmoid are off by a unit of rounding of 1, also where the value is a thousandth
        cases = [replace(case, sum_length=1000) for case in cases]
    return cases


def boundary_cases(rng):
    """Predictions: a batch, and examples exactly on the boundary."""
    X, w, b = examples(rng, N=9)
    on = np.array([[1.0, 1.0], [2.0, -2.0], [0.0, 0.0], [0.125, 0.25], [-0.125, -0.25]])
    return [
        Case("nine examples", (X, w, b)),
        Case("examples on the boundary and near it", (on, np.array([1.0, 1.0]), 0.0)),
        Case("one example", (X[:1], -w, -b)),
        Case("u = ±1000 and beyond", (np.array([[1000.0], [-1000.0], [5000.0]]), np.ones(1), -2000.0), hidden=True),
    ]


def criterion_cases(rng):
    """For the perceptron criterion: batches, many mistakes, and examples exactly on the boundary."""
    w = np.array([1.0, -2.0])
    X = np.array([[2.0, 0.5], [-1.0, 1.0], [0.0, 3.0], [4.0, 1.0]])
    b = -1.5 * ENLARGED
    flipped = np.where(X @ w - 1.5 >= 0, 1, -1) * np.array([1, -1, 1, -1])
    boundary = (np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]]), np.array([1, -1, 1]), np.array([0.0, 1.0]), 0.0)
    return [
        *batches(rng, sign_targets),
        enlarged(Case("half of them misclassified", (X, flipped, w, b)), 0),
        Case("two examples on the boundary", boundary),
    ]


# --- hints and mistakes ---------------------------------------------------------------------------------------------

MEAN = (
    "This exercise asks for the sum over the batch, as in the notes. The mean is 1/N of it: right elsewhere, not here."
)
BIAS_KEPT = "The bias is one number and every example pulls at it: its gradient is the sum over all of them."
OUTER = "Print the shapes before the subtraction: (N, 1) against (N,) gives (N, N), every target with every output."
UPHILL = "The step goes up the slope: the gradient points to where the loss grows."

MEAN_LOSS = Mistake("mean_for_sum", slip("np.sum", "np.mean"), MEAN, convention=True)

# The gradients are -(Xᵀ @ δ), -sum(δ)
MEAN_GRADIENT = Mistake("mean_for_sum", slip("-(np.", "-1 / len(X) * (np.", "np.sum", "np.mean"), MEAN, convention=True)
ASCENT = Mistake("ascent", slip("-(np.", "(np.", "-np.sum", "np.sum"),
    "Following this gradient downhill makes the loss grow. Look at the sign: which way does the loss change when u "
    "grows?")  # fmt: skip
MISSING_TRANSPOSE = Mistake("missing_transpose", slip("np.matrix_transpose(X)", "X"),
    "The gradient has one entry for each weight, so the sum runs over the examples: which axis of X is that, and on "
    "which side of the product does it stand?")  # fmt: skip
