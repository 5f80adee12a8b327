"""Each feature with mean 0 and variance 1."""

import numpy as np

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import MUTATES_INPUT, ROOT, batch, running

# --- solution -------------------------------------------------------------------------------------------------------


def normalize(X, mu, sigma2, eps=1e-5):
    """Each feature with mean 0 and variance 1: `x̂ = (x − μ)/√(σ² + ε)`.

    Parameters
    ----------
    X : (N, D) or (N, H, W, C) array.
    mu, sigma2 : (D,) arrays μ and σ².
    eps : ε.

    Returns
    -------
    array of the shape of X.
    """
    return (X - mu) / np.sqrt(sigma2 + eps)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, *shape, hidden=False, **kwargs):
        return Case(name, (batch(rng, *shape), *running(rng, shape[-1])), kwargs, hidden=hidden)

    return [
        case("six examples, three features", 6, 3),
        case("ε = 0.1", 3, 4, eps=0.1),
        case("images", 2, 3, 4, 5),
        enlarged(case("one example", 1, 3), 0),
        Case("a feature that never varies", (np.full((4, 2), 2.0), np.array([2.0, 1.0]), np.array([0.0, 0.5]))),
        in_float32(case("", 4, 3)),
        case("one feature", 5, 1, eps=0.2),
        case("as many examples as features", 4, 4, eps=0.01, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    *ROOT,
    Mistake("eps_squared", slip("+ eps", "+ eps**2"), "ε is added to σ² as it is, not squared."),
    Mistake("sign", slip("X - mu", "mu - X"), "What lies above the mean should come out positive."),
    Mistake("multiplied", slip("(X - mu) /", "(X - mu) *"),
        "You multiply by the standard deviation: the spread grows where it should become 1."),
    Mistake("own_statistics",
        slip("return",
             "rows = tuple(range(X.ndim - 1))\n    mu, sigma2 = X.mean(axis=rows), X.var(axis=rows)\n    return"),
        "μ and σ² are given. In evaluation they are not those of X, so they must not be computed here."),
    Mistake("mutates_input", slip("return (X - mu)", "X -= mu\n    return X"), MUTATES_INPUT),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def affine_map(X, mu, sigma2, eps=1e-5):
    scale = (sigma2 + eps) ** -0.5
    return X * scale - mu * scale


def loop(X, mu, sigma2, eps=1e-5):
    x_hat = np.array(X)
    for j in range(len(mu)):
        x_hat[..., j] -= mu[j]
        x_hat[..., j] /= float(sigma2[j] + eps) ** 0.5
    return x_hat


EXERCISE = Exercise("normalization.normalize", normalize, cases, MISTAKES, variants=[affine_map, loop], points=1,
    why="One line that every normalisation shares; the place of ε in it decides whether two libraries agree.",
    hints=("Subtract, then divide; (D,) against (N, D) is broadcast along the last axis by itself.",
           "ε stands under the root, beside σ²."))  # fmt: skip
