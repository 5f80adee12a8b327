"""A linear layer and the batch norm behind it, folded into one linear layer."""

import numpy as np

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import AFFINE, NO_ROOT, OUTSIDE, affine, running

# --- solution -------------------------------------------------------------------------------------------------------


def fold_batchnorm(W, b, gamma, beta, mean, var, eps=1e-5):
    """A linear layer that does what a linear layer and a batch norm in evaluation behind
    it do.

    Parameters
    ----------
    W : (D, K) array. b : (K,) array.
    gamma, beta : (K,) arrays γ and β.
    mean, var : (K,) arrays, the running statistics of the batch norm.
    eps : ε.

    Returns
    -------
    W, b : (D, K) and (K,) arrays; with them X W + b is what the two layers give, for
        every X.
    """
    scale = gamma / np.sqrt(var + eps)
    return W * scale, (b - mean) * scale + beta


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, D, K, hidden=False, **kwargs):
        W, b = rng.standard_normal((D, K)), rng.uniform(0.5, 1.5, K)
        return Case(name, (W, b, *affine(rng, K), *running(rng, K)), kwargs, hidden=hidden)

    return [
        case("three inputs, four outputs", 3, 4),
        case("ε = 0.1", 4, 2, eps=0.1),
        enlarged(case("as many inputs as outputs", 3, 3), 0, 1),
        case("one input", 1, 2),
        in_float32(case("", 2, 3)),
        case("one output", 5, 1, eps=0.01, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("eps_outside_sqrt", slip("np.sqrt(var + eps)", "(np.sqrt(var) + eps)"), OUTSIDE, convention=True),
    Mistake("divided_by_variance", slip("np.sqrt(var + eps)", "(var + eps)"), NO_ROOT),
    Mistake("eps_forgotten", slip("var + eps", "var"),
        "`eps` is not used. The folded layer should do exactly what the two layers do, and batch norm adds ε under the "
        "root."),
    Mistake("affine_ignored", slip("scale = gamma", "scale = 1", " + beta", ""),
        AFFINE, also=[slip("scale = gamma", "scale = 1"), slip(" + beta", "")]),
    Mistake("rows_scaled", slip("W * scale", "W * scale[:, None]"),
        "Each *output* has its own scale, so each column of W (D, K). You scale the rows, which belong to the inputs."),
    Mistake("weights_not_scaled", slip("W * scale", "W.copy()"),
        "W comes back unchanged. Write γ(XW + b − μ)/s + β as X times something plus something."),
    Mistake("bias_not_scaled", slip("(b - mean) * scale", "b - mean * scale"),
        "The old bias goes through the normalisation like everything else that comes out of the linear layer: it is "
        "scaled, too."),
    Mistake("mean_not_scaled", slip("(b - mean) * scale", "b * scale - mean"),
        "The mean is subtracted *before* the division, so it is scaled like the bias."),
    Mistake("bias_forgotten", slip("(b - mean) * scale", "-mean * scale"),
        "The old bias is lost. It reaches the batch norm together with XW."),
    Mistake("mean_forgotten", slip("(b - mean)", "b"), "The running mean is not subtracted."),
    Mistake("mean_added", slip("b - mean", "b + mean"), "The mean has the wrong sign."),
    Mistake("shift_scaled", slip("(b - mean) * scale + beta", "(b - mean + beta) * scale"),
        "β is added *after* the scaling: it is not scaled."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def by_output(W, b, gamma, beta, mean, var, eps=1e-5):
    columns, biases = [], []
    for k in range(W.shape[1]):
        factor = gamma[k] / (var[k] + eps) ** 0.5
        columns.append(factor * W[:, k])
        biases.append(beta[k] + factor * (b[k] - mean[k]))
    return np.stack(columns, axis=1), biases


def matrix(W, b, gamma, beta, mean, var, eps=1e-5):
    scale = np.diag(gamma * (var + eps) ** -0.5)
    return W @ scale, b @ scale - mean @ scale + beta


def probed(W, b, gamma, beta, mean, var, eps=1e-5):
    """What the two layers do to zero is the bias, what they do to each unit vector the weights."""

    def both(X):
        return gamma * (X @ W + b - mean) / np.sqrt(var + eps) + beta

    bias = both(np.zeros(len(W)))
    return both(np.eye(len(W))) - bias, bias


EXERCISE = Exercise("normalization.fold_batchnorm", fold_batchnorm, cases, MISTAKES,
    variants=[by_output, matrix, probed], points=2,
    why="In evaluation batch norm is one scale and one shift per feature, so the layer before it can do the work: "
        "deployed networks have no batch norm left.",
    hints=("Put u = XW + b into γ(u − μ)/s + β and sort: what multiplies X, what does not?",
           "γ/s is one number for each output, a whole column of W."))  # fmt: skip
