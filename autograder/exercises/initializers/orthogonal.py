"""Random weights with orthonormal columns, or rows."""

import numpy as np

from dlcourse import initializers

from ...checks.exercise import Case, Exercise, Mistake, slip
from ._shared import draw_driver

# --- solution -------------------------------------------------------------------------------------------------------


def orthogonal(shape, rng, gain=1.0):
    rows, columns = int(np.prod(shape[:-1])), shape[-1]
    A = rng.standard_normal((max(rows, columns), min(rows, columns)))
    Q, R = np.linalg.qr(A)
    Q = Q * np.sign(np.diag(R))
    return gain * (Q if rows >= columns else Q.T).reshape(shape)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, *shape, hidden=False, **kwargs):
        extra = {"seed": int(rng.integers(1_000_000))}
        return Case(name, (shape,), kwargs, extra=extra, sum_length=256, hidden=hidden)

    seed = int(rng.integers(1_000_000))
    return [
        case("more inputs than neurons", 5, 3),
        case("more neurons than inputs", 3, 5),
        case("as many inputs as neurons", 4, 4),
        case("gain 5/3", 6, 4, gain=5.0 / 3.0),
        case("filters of 3 by 2", 3, 2, 4, 5),
        case("filters with more outputs", 1, 2, 2, 7, gain=2.0, hidden=True),
        # The mean of 1500 entries of variance 1/3 has the standard error 0.0149, the difference of two such 0.021: 0.18 is more
        # than eight times that, and signs that are left as QR makes them bring 0.5
        Case("1500 of them on average", ((3, 3),), extra={"seed": seed, "draws": 1500}, tolerance=0.18),
    ]


def measure(value, case):
    W, told = value
    if case.extra.get("draws"):
        # The 1 only sets the scale that the averages are measured by
        average = np.mean(W, axis=0)
        return {"shape": list(average.shape), "average weights, and 1": np.append(average.ravel(), 1.0)}
    (shape,) = case.args
    flat = W.reshape(-1, W.shape[-1])
    high = np.prod(shape[:-1]) >= shape[-1]
    product = {"WᵀW": flat.T @ flat} if high else {"WWᵀ": flat @ flat.T}
    return {"shape": list(W.shape)} | product | {"random numbers": told}


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("signs_kept", slip("    Q = Q * np.sign(np.diag(R))\n", ""),
        "Each matrix is orthogonal, but not every rotation is equally likely: the QR routine follows its own rule for "
        "the signs, and on average the weights are not 0. R's diagonal knows the signs."),
    Mistake("gain_ignored", slip("gain * (", "("), "The argument `gain` is not used: it multiplies the whole matrix."),
    Mistake("gain_squared", slip("gain * (", "gain**2 * ("),
        "WᵀW is to be gain² times the identity; yours is gain⁴. The matrix itself is multiplied by gain, once."),
    Mistake("not_orthogonal", slip("Q * np.sign(np.diag(R))", "A / np.sqrt(len(A))"),
        "These are scaled normal numbers: orthogonal on average only. Decompose the matrix, A = QR, and keep Q."),
    Mistake("normalised_only", slip("Q * np.sign(np.diag(R))", "A / np.linalg.norm(A, axis=0)"),
        "The columns have length 1, but they are not at right angles to each other."),
    Mistake("constant_weights", slip("Q * np.sign(np.diag(R))", "np.eye(*A.shape)"),
        "The identity is orthogonal, but always the same: nothing random is in it. Begin with a matrix of normal "
        "numbers."),
    Mistake("wide_not_turned",
        slip("(max(rows, columns), min(rows, columns))", "(rows, columns)",
             "(Q if rows >= columns else Q.T).reshape(shape)", "Q"),
        "Where there are more columns than rows, Q is smaller than the matrix that is asked. Decompose the high matrix "
        "and transpose. And give the result the shape that was asked."),
    Mistake("first_axis_as_rows", slip("int(np.prod(shape[:-1])), shape[-1]", "shape[0], int(np.prod(shape[1:]))"),
        "Filters are filled as a matrix with kh·kw·c_in rows and c_out columns: one column for each neuron. You keep "
        "the first axis alone as rows."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def polar(shape, rng, gain=1.0):
    """Both factors of the singular value decomposition, with all singular values 1."""
    U, _, V = np.linalg.svd(rng.standard_normal((int(np.prod(shape[:-1])), shape[-1])), full_matrices=False)
    return gain * (U @ V).reshape(shape)


def gram_schmidt(shape, rng, gain=1.0):
    rows, columns = int(np.prod(shape[:-1])), shape[-1]
    made = []
    for v in rng.standard_normal((min(rows, columns), max(rows, columns))):
        # Twice: the first round leaves a rest where v is nearly a sum of the others
        for q in made * 2:
            v = v - (q @ v) * q
        made.append(v / np.sqrt(v @ v))
    Q = np.array(made)
    return gain * (Q.T if rows >= columns else Q).reshape(shape)


EXERCISE = Exercise("initializers.orthogonal", initializers.orthogonal, cases, MISTAKES, variants=[polar, gram_schmidt],
    solution=orthogonal, points=2,
    why="A matrix that keeps every length exactly: signals pass a hundred linear layers unchanged.",
    hints=("`Q, R = np.linalg.qr(A)` of a matrix A of normal numbers; Q has orthonormal columns.",
           "Is the matrix wider than high? Then decompose the other way round and transpose.",
           "Multiply each column of Q by the sign of its entry on R's diagonal."),
    driver=draw_driver, measure=measure)  # fmt: skip
