"""What several exercises on normalization have in common: data, and the mistakes made in more than one layer.

The shared slips fit every solution that writes its line the same way.
"""

from ...checks.exercise import Mistake, slip

# --- data -----------------------------------------------------------------------------------------------------------


def batch(rng, *shape):
    """A batch of which every feature has another mean and another spread."""
    D = shape[-1]
    return rng.standard_normal(shape) * rng.uniform(0.5, 2.0, D) + rng.uniform(-1.0, 1.0, D)


def affine(rng, D):
    """γ and β, none near the 1 and the 0 at which they would go unnoticed."""
    return rng.uniform(1.5, 3.0, D) * rng.choice([-1.0, 1.0], D), rng.uniform(0.5, 1.5, D)


def running(rng, D):
    """Running statistics that are not those of a batch."""
    return rng.uniform(0.5, 1.5, D), rng.uniform(0.5, 3.0, D)


def with_constant_feature(X):
    """The batch, with a feature that never varies; 2 is exact, and so is its mean."""
    X = X.copy()
    X[..., 0] = 2.0
    return X


# --- hints ----------------------------------------------------------------------------------------------------------

OUTSIDE = "You add ε to the standard deviation. It belongs to the variance, under the root: √(σ² + ε)."
NO_ROOT = "You divide by the variance. The result has variance 1/σ², not 1: what is missing?"
AFFINE = "The result is normalised, but γ or β, or both, have no effect. The network must be able to choose the scale and the shift."
BATCH_AXIS = "These are the statistics of each example, over its features: layer norm. Batch norm takes those of each feature, over the examples."
PER_PIXEL = "On images you average over the examples alone, so every pixel has its own statistics. A channel has one μ and one σ² for all its pixels."
NO_KEEPDIMS = "The mean over an axis loses that axis, and what is left is lined up with the *last* one: an error, or, where the array is square, a wrong answer without a complaint. `keepdims=True` keeps the axis."
MUTATES_INPUT = (
    "`-=`, `*=` and their like write into the caller's array, which is still needed there. Make a new one: `X - …`."
)

# --- the root -------------------------------------------------------------------------------------------------------

ROOT = [
    Mistake("eps_outside_sqrt", slip("np.sqrt(sigma2 + eps)", "(np.sqrt(sigma2) + eps)"), OUTSIDE, convention=True),
    Mistake("divided_by_variance", slip("np.sqrt(sigma2 + eps)", "(sigma2 + eps)"), NO_ROOT),
    Mistake("eps_forgotten", slip("np.sqrt(sigma2 + eps)", "np.sqrt(sigma2)"),
        "Where nothing varies, σ is 0, and 0/0 is NaN. That is what ε is for."),
    Mistake("eps_fixed", slip("np.sqrt(sigma2 + eps)", "np.sqrt(sigma2 + θ)", values=(1e-5, 1e-8)),
        "`eps` is an argument: it may differ from the default.",
        also=[slip("np.sqrt(sigma2 + eps)", "(np.sqrt(sigma2) + θ)", values=(1e-5, 1e-8))]),
    Mistake("not_centred", slip("(X - mu) /", "X /"), "The mean is not subtracted."),
]  # fmt: skip

# --- running averages -----------------------------------------------------------------------------------------------

NEW_MEAN, NEW_VAR = "(1 - momentum) * mean + momentum * mu", "(1 - momentum) * var + momentum * m / (m - 1) * sigma2"
RUNNING = [
    Mistake("running_not_updated", slip(NEW_MEAN, "mean", NEW_VAR, "var"),
        "The running statistics come back unchanged. How will evaluation know what the training data looked like?"),
    Mistake("running_variance_biased", slip("momentum * m / (m - 1) * sigma2", "momentum * sigma2"),
        "The running variance takes the *unbiased* variance of the batch, with the factor m/(m − 1), as in the paper "
        "and in PyTorch (E33). Many courses leave it out.", convention=True),
    Mistake("momentum_swapped",
        slip(NEW_MEAN, "momentum * mean + (1 - momentum) * mu",
             NEW_VAR, "momentum * var + (1 - momentum) * m / (m - 1) * sigma2"),
        "m and 1 − m are exchanged: here `momentum` is the weight of the *new* batch, so with 0.1 nine tenths of the "
        "old value stay. Other libraries mean the old value's weight.", convention=True),
]  # fmt: skip

# --- γ and β, forward and backward ----------------------------------------------------------------------------------

FORWARD = [
    *ROOT,
    Mistake("affine_ignored", slip("gamma * x_hat + beta, (x_hat, gamma", "x_hat, (x_hat, np.ones_like(gamma)"),
        AFFINE,
        also=[slip("gamma * x_hat + beta, (x_hat, gamma", "x_hat + beta, (x_hat, np.ones_like(gamma)"),
              slip("gamma * x_hat + beta", "gamma * x_hat")]),
    Mistake("affine_swapped", slip("gamma * x_hat + beta", "gamma + x_hat * beta"),
        "γ and β have exchanged their places: which one multiplies?"),
]  # fmt: skip

BACKWARD = [
    Mistake("dx_without_mean_path", slip(" - along_mean", ""),
        "Your dX lacks one of three paths: μ depends on every x of the group. A constant added to all of dY in a group "
        "must not change dX."),
    Mistake("dx_without_variance_path", slip(" - along_variance", ""),
        "Your dX lacks one of three paths: σ² depends on every x of the group as well. Its term in dX is the one with "
        "x̂ in it."),
    Mistake("statistics_as_constants", slip(" - along_mean - along_variance", ""),
        "You treat μ and σ² as constants. They were computed from this very X, so x reaches the output by two more "
        "paths."),
    Mistake("means_as_sums", slip("dx_hat.mean", "dx_hat.sum", "(dx_hat * x_hat).mean", "(dx_hat * x_hat).sum"),
        "Both corrections in dX are means over the group; you subtract sums."),
    Mistake("variance_path_sign", slip("- along_variance", "+ along_variance"),
        "The path through the variance has the wrong sign: two of the three paths are subtracted."),
    Mistake("gamma_missing_in_dx", slip("dx_hat = gamma * dY", "dx_hat = dY"),
        "dX does not contain γ. The forward pass multiplies x̂ by it, so the backward pass multiplies dY by it."),
    Mistake("deviation_missing_in_dx",
        slip("(dx_hat - along_mean - along_variance) / s", "dx_hat - along_mean - along_variance"),
        "dX is not divided by s = √(σ² + ε): if the forward pass shrinks x, the backward pass shrinks its gradient."),
    Mistake("dgamma_from_input",
        slip("beta, (x_hat, gamma", "beta, (X, x_hat, gamma",
             "\n    x_hat, gamma, s", "\n    X, x_hat, gamma, s",
             "(dY * x_hat)", "(dY * X)"),
        "dγ multiplies dY with what γ is multiplied with. That is x̂, not X."),
    Mistake("dgamma_without_input", slip("(dY * x_hat).sum(axis=rows), ", "dY.sum(axis=rows), "),
        "dγ is the same as your dβ. What does γ stand next to in y = γ x̂ + β?"),
    Mistake("parameter_gradients_not_summed",
        slip("(dY * x_hat).sum(axis=rows), dY.sum(axis=rows)", "dY * x_hat, dY.copy()"),
        "γ and β are one number per feature, used by every row: their gradients are summed over all rows."),
    Mistake("summed_over_batch_only",
        slip("(dY * x_hat).sum(axis=rows), dY.sum(axis=rows)", "(dY * x_hat).sum(axis=0), dY.sum(axis=0)"),
        "You sum dγ and dβ over the first axis alone. Each must come out with the shape (D,): which axes remain to be "
        "summed?"),
    Mistake("mean_for_sum",
        slip("(dY * x_hat).sum(axis=rows), dY.sum(axis=rows)", "(dY * x_hat).mean(axis=rows), dY.mean(axis=rows)"),
        "dγ and dβ are sums over the rows. If the loss is a mean, that factor is in dY already."),
    Mistake("gradients_swapped", slip("dgamma, dbeta = (dY", "dbeta, dgamma = (dY"),
        "dγ and dβ come in the wrong order: `dX, dgamma, dbeta`."),
]  # fmt: skip
WORKS_IN_PLACE = Mistake("mutates_input", slip("x_hat = (X - mu) / s", "X -= mu\n    x_hat = X / s"), MUTATES_INPUT)
