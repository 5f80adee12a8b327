"""Layer norm: the same formula along the last axis."""

import numpy as np

from dlcourse import normalization

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import BACKWARD, FORWARD, NO_KEEPDIMS, WORKS_IN_PLACE, affine, batch

# --- solution -------------------------------------------------------------------------------------------------------


def layernorm_forward(X, gamma, beta, eps=1e-5):
    mu, sigma2 = X.mean(axis=-1, keepdims=True), X.var(axis=-1, keepdims=True)
    s = np.sqrt(sigma2 + eps)
    x_hat = (X - mu) / s
    return gamma * x_hat + beta, (x_hat, gamma, s)


def layernorm_backward(dY, cache):
    x_hat, gamma, s = cache
    rows = tuple(range(dY.ndim - 1))
    dgamma, dbeta = (dY * x_hat).sum(axis=rows), dY.sum(axis=rows)
    dx_hat = gamma * dY
    along_mean = dx_hat.mean(axis=-1, keepdims=True)
    along_variance = x_hat * (dx_hat * x_hat).mean(axis=-1, keepdims=True)
    return (dx_hat - along_mean - along_variance) / s, dgamma, dbeta


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, *shape, hidden=False, **kwargs):
        args = batch(rng, *shape), *affine(rng, shape[-1])
        return Case(name, args, kwargs, dout=rng.standard_normal(shape) + 0.5, hidden=hidden)

    still = case("a row that never varies", 4, 8)
    still.args[0][1] = 2.0
    return [
        case("three rows of five features", 3, 5),
        case("one row", 1, 6),
        case("two sequences of three steps", 2, 3, 5),
        case("images", 2, 3, 4, 5),
        enlarged(case("as many rows as features", 5, 5), 0, 1, 2),
        case("ε = 0.1", 4, 6, eps=0.1),
        still,
        # x̂ is 0 whatever x is
        case("one feature", 4, 1),
        in_float32(case("", 3, 6)),
        case("seven rows", 7, 6, eps=1e-3, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------


def along(axes):
    """Other axes than the last, forward and backward; `axes` is in terms of the number of axes."""
    forward, backward = axes.format("X.ndim"), axes.format("dY.ndim")
    return slip("X.mean(axis=-1", f"X.mean(axis={forward}",
                "X.var(axis=-1", f"X.var(axis={forward}",
                "dx_hat.mean(axis=-1", f"dx_hat.mean(axis={backward}",
                "(dx_hat * x_hat).mean(axis=-1", f"(dx_hat * x_hat).mean(axis={backward}")  # fmt: skip


MISTAKES = [
    *BACKWARD,
    *FORWARD,
    Mistake("unbiased_variance", slip("X.var(axis=-1, keepdims=True)", "X.var(axis=-1, keepdims=True, ddof=1)"),
        "You divide by D − 1. The variance that normalises is the biased one: divide by the number of features."),
    Mistake("unbiased_deviation_plus_eps",
        slip("np.sqrt(sigma2 + eps)", "X.std(axis=-1, keepdims=True, ddof=1) + eps"),
        "You divide by D − 1 and add ε to the deviation, as the Annotated Transformer does. Here the variance has 1/D, "
        "and ε is added to it, under the root.", convention=True),
    WORKS_IN_PLACE,
    Mistake("wrong_axis", along("tuple(range({} - 1))"),
        "You average over the wrong axes. Layer norm looks at the last axis alone: every row is normalised by itself, "
        "whatever else is in the batch.", also=[along("0")]),
    Mistake("keepdims_missing",
        slip("X.mean(axis=-1, keepdims=True)", "X.mean(axis=-1)", "X.var(axis=-1, keepdims=True)", "X.var(axis=-1)"),
        NO_KEEPDIMS,
        also=[slip("dx_hat.mean(axis=-1, keepdims=True)", "dx_hat.mean(axis=-1)",
                   "(dx_hat * x_hat).mean(axis=-1, keepdims=True)", "(dx_hat * x_hat).mean(axis=-1)"),
              slip("X.mean(axis=-1, keepdims=True)", "X.mean(axis=-1)"),
              slip("X.var(axis=-1, keepdims=True)", "X.var(axis=-1)"),
              slip("dx_hat.mean(axis=-1, keepdims=True)", "dx_hat.mean(axis=-1)"),
              slip("(dx_hat * x_hat).mean(axis=-1, keepdims=True)", "(dx_hat * x_hat).mean(axis=-1)")]),
    Mistake("whole_example", along("tuple(range(1, {}))"),
        "You normalise every example as a whole, over all its positions and channels, as some libraries do for images. "
        "Here it is the last axis alone: each pixel, each time step by itself.", convention=True),
    Mistake("gamma_pulled_out", slip("dx_hat = gamma * dY", "dx_hat = dY", "return (dx_hat", "return gamma * (dx_hat"),
        "That is batch norm's formula. There γ is one number for the whole group and may stand in front. Here every "
        "member of the group has its own γ: multiply it with dY *before* the means."),
    Mistake("gradient_of_batchnorm",
        slip("dx_hat.mean(axis=-1, keepdims=True)", "dx_hat.mean(axis=rows)",
             "(dx_hat * x_hat).mean(axis=-1, keepdims=True)", "(dx_hat * x_hat).mean(axis=rows)"),
        "The means in dX run over the rows, as in batch norm. The group here is the row: average over the same axis as "
        "in the forward pass."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def by_row_forward(X, gamma, beta, eps=1e-5):
    D = X.shape[-1]
    Y, kept = [], []
    for x in X.reshape(-1, D):
        mu = sum(x) / D
        s = (sum((x - mu) ** 2) / D + eps) ** 0.5
        kept.append(((x - mu) / s, s))
        Y.append(gamma * (x - mu) / s + beta)
    return np.reshape(Y, X.shape), (kept, gamma)


def by_row_backward(dY, cache):
    kept, gamma = cache
    D = len(gamma)
    dX, dgamma, dbeta = [], np.zeros(D), np.zeros(D)
    for d, (x_hat, s) in zip(dY.reshape(-1, D), kept, strict=True):
        # The Jacobian of one row, as a matrix
        J = (np.eye(D) - 1 / D - np.outer(x_hat, x_hat) / D) / s
        dX.append(J @ (gamma * d))
        dgamma += d * x_hat
        dbeta += d
    return np.reshape(dX, dY.shape), dgamma, dbeta


def einsum_forward(X, gamma, beta, eps=1e-5):
    D = X.shape[-1]
    centred = X - np.einsum("...d->...", X)[..., None] / D
    r = (np.einsum("...d,...d->...", centred, centred) / D + eps) ** -0.5
    return centred * r[..., None] * gamma + beta, {"x_hat": centred * r[..., None], "r": r, "gamma": gamma.copy()}


def einsum_backward(dY, cache):
    x_hat, r, gamma = cache["x_hat"], cache["r"], cache["gamma"]
    D = len(gamma)
    inner = np.einsum("...d,...d,d->...", dY, x_hat, gamma) / D
    dX = dY * gamma
    dX -= (dY @ gamma)[..., None] / D
    dX -= x_hat * inner[..., None]
    dX *= r[..., None]
    rows, hats = dY.reshape(-1, D), x_hat.reshape(-1, D)
    return dX, np.einsum("nd,nd->d", rows, hats), np.einsum("nd->d", rows)


EXERCISE = Exercise("normalization.layernorm", (normalization.layernorm_forward, normalization.layernorm_backward),
    cases, MISTAKES, variants=[(by_row_forward, by_row_backward), (einsum_forward, einsum_backward)],
    solution=(layernorm_forward, layernorm_backward), points=4,
    why="The same formula along another axis, and no difference between training and evaluation is left: that is why "
        "transformers use it.",
    hints=("Forward: mean and variance over the last axis, with `keepdims=True` so that they fit against X again.",
           "Backward: first dx̂ = γ·dY. Then dx̂, minus its mean over the row, minus x̂ times the mean of dx̂·x̂ over "
           "the row; all of it divided by s.",
           "dγ and dβ have the shape (D,): sum over all axes but the last."))  # fmt: skip
