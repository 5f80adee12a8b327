"""Batch norm, forward and backward, in training and in evaluation."""

import numpy as np

from dlcourse import normalization
from dlcourse.normalization import BatchNormState

from ...checks.drivers import Named, WrongAnswer, kind, resolve
from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import (
    BACKWARD,
    BATCH_AXIS,
    FORWARD,
    MUTATES_INPUT,
    NEW_MEAN,
    NEW_VAR,
    PER_PIXEL,
    RUNNING,
    WORKS_IN_PLACE,
    affine,
    batch,
    running,
    with_constant_feature,
)

# --- solution -------------------------------------------------------------------------------------------------------


def batchnorm_forward(X, gamma, beta, state, train=True, momentum=0.1, eps=1e-5):
    rows = tuple(range(X.ndim - 1))
    m = X.size // X.shape[-1]
    mean, var = state
    mu, sigma2 = X.mean(axis=rows), X.var(axis=rows)
    if train:
        mean = (1 - momentum) * mean + momentum * mu
        var = (1 - momentum) * var + momentum * m / (m - 1) * sigma2
    else:
        mu, sigma2 = state
    s = np.sqrt(sigma2 + eps)
    x_hat = (X - mu) / s
    return gamma * x_hat + beta, (x_hat, gamma, s, train), BatchNormState(mean, var)


def batchnorm_backward(dY, cache):
    x_hat, gamma, s, train = cache
    rows = tuple(range(dY.ndim - 1))
    dgamma, dbeta = (dY * x_hat).sum(axis=rows), dY.sum(axis=rows)
    if not train:
        return gamma / s * dY, dgamma, dbeta
    dx_hat = gamma * dY
    along_mean = dx_hat.mean(axis=rows)
    along_variance = x_hat * (dx_hat * x_hat).mean(axis=rows)
    return (dx_hat - along_mean - along_variance) / s, dgamma, dbeta


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, *shape, change=lambda X: X, hidden=False, **kwargs):
        states = {"state": running(rng, shape[-1]), "state in evaluation": running(rng, shape[-1])}
        args = change(batch(rng, *shape)), *affine(rng, shape[-1])
        return Case(name, args, kwargs, dout=rng.standard_normal(shape) + 0.5, extra=states, hidden=hidden)

    return [
        case("six examples, three features", 6, 3),
        case("two images of 3 × 4 pixels", 2, 3, 4, 5),
        case("one image", 1, 3, 4, 2),
        enlarged(case("as many examples as features", 5, 5), 0, 1, 2),
        case("momentum 0.25, ε = 0.1", 7, 2, momentum=0.25, eps=0.1),
        case("a feature that never varies", 8, 3, change=with_constant_feature),
        case("one feature", 4, 1, eps=0.5),
        in_float32(case("", 6, 4)),
        case("nine examples, momentum 0.6", 9, 2, momentum=0.6, eps=1e-3, hidden=True),
    ]


PARTS = (
    "output in training",
    "running statistics",
    "output in evaluation",
    "statistics after evaluation",
    "gradients in training",
    "gradients in evaluation",
)


def batchnorm_driver(functions, case):
    """A pass in training and one in evaluation, each from its state of the case, then both ways back."""
    forward, backward = functions
    make = resolve(Named("normalization.BatchNormState"))

    def run(state, train):
        result = forward(*case.args, make(*state), **({} if train else {"train": False}), **case.kwargs)
        if not isinstance(result, tuple) or len(result) != 3:
            raise WrongAnswer(
                f"the forward function returns `Y, cache, state`, the state as BatchNormState(mean, var); yours returned {kind(result)}"
            )
        Y, cache, state = result
        if not isinstance(state, tuple | list) or len(state) != 2:
            raise WrongAnswer(f"the state is BatchNormState(mean, var), the third value; yours is {kind(state)}")
        return Y, cache, dict(zip(("mean", "var"), state, strict=True))

    Y, cache, state = run(case.extra["state"], True)
    yield "output in training", Y
    yield "running statistics", state
    Y, kept, state = run(case.extra["state in evaluation"], False)
    yield "output in evaluation", Y
    yield "statistics after evaluation", state
    yield "gradients in training", backward(case.dout, cache)
    yield "gradients in evaluation", backward(case.dout, kept)


# --- mistakes -------------------------------------------------------------------------------------------------------


def along(how):
    """μ and σ² along other axes, forward and backward."""
    return slip("mu, sigma2 = X.mean(axis=rows), X.var(axis=rows)", f"mu, sigma2 = X.mean({how}), X.var({how})",
                "dx_hat.mean(axis=rows)", f"dx_hat.mean({how})",
                "(dx_hat * x_hat).mean(axis=rows)", f"(dx_hat * x_hat).mean({how})")  # fmt: skip


MISTAKES = [
    *BACKWARD,
    *FORWARD,
    Mistake("unbiased_variance",
        slip("X.var(axis=rows)", "X.var(axis=rows, ddof=1)", "momentum * m / (m - 1) * sigma2", "momentum * sigma2"),
        "You divide by m − 1. For normalising, this course takes the biased variance, ÷ m; only what is kept for "
        "evaluation takes the other (E33)."),
    Mistake("mutates_input", WORKS_IN_PLACE.function,
        MUTATES_INPUT,
        also=[slip(f"mean = {NEW_MEAN}", "mean *= 1 - momentum\n        mean += momentum * mu",
                   f"var = {NEW_VAR}", "var *= 1 - momentum\n        var += momentum * m / (m - 1) * sigma2")]),
    Mistake("wrong_axis", along("axis=-1, keepdims=True"),
        BATCH_AXIS, also=[along("axis=1, keepdims=True"), along("axis=-1"), along("axis=1")]),
    Mistake("per_pixel_statistics", along("axis=0"), PER_PIXEL),
    Mistake("running_statistics_in_training", slip("    else:\n        mu, sigma2 = state", "    mu, sigma2 = state"),
        "In training the statistics are those of the batch itself. The running ones are kept for evaluation."),
    Mistake("batch_statistics_at_test", slip("    else:\n        mu, sigma2 = state\n", ""),
        "With `train=False` you normalise with the batch's own statistics: an example's answer would depend on its "
        "neighbours. Take the running ones."),
    *RUNNING,
    Mistake("running_overwritten", slip(NEW_MEAN, "mu", NEW_VAR, "m / (m - 1) * sigma2"),
        "The state holds this batch's statistics alone. A running average also remembers the old ones."),
    Mistake("running_deviation", slip("m / (m - 1) * sigma2", "np.sqrt(m / (m - 1) * sigma2)"),
        "The state holds the variance, without the root."),
    Mistake("running_variance_not_updated", slip(NEW_VAR, "var"),
        "The running mean moves, the running variance does not."),
    Mistake("evaluation_updates_statistics",
        slip("    if train:\n        mean", "    mean",
             "        var = ", "    var = ",
             "    else:", "    if not train:"),
        "With `train=False` the state comes back unchanged: evaluating must not teach the network anything."),
    Mistake("pixels_not_counted",
        slip("dx_hat.mean(axis=rows)", "dx_hat.sum(axis=rows) / len(dY)",
             "(dx_hat * x_hat).mean(axis=rows)", "(dx_hat * x_hat).sum(axis=rows) / len(dY)"),
        "On images the means in dX run over all N·H·W positions; you divide by N."),
    Mistake("evaluation_gradient_as_in_training",
        slip("    if not train:\n        return gamma / s * dY, dgamma, dbeta\n", ""),
        "After a pass with `train=False` the statistics are constants: nothing flows through them. Keep in the cache "
        "which kind of pass it was."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def stepwise_forward(X, gamma, beta, state, train=True, momentum=0.1, eps=1e-5):
    rows = X.reshape(-1, X.shape[-1])
    mean, var = state.mean, state.var
    if train:
        mu, sigma2 = rows.mean(0), np.var(rows, axis=0)
        new = mean + momentum * (mu - mean), var + momentum * (np.var(rows, axis=0, ddof=1) - var)
    else:
        mu, sigma2, new = mean, var, (mean.copy(), var.copy())
    centred = rows - mu
    out = centred * (sigma2 + eps) ** -0.5 * gamma + beta
    return out.reshape(X.shape), {"centred": centred, "v": sigma2 + eps, "gamma": gamma.copy(), "train": train}, new


def stepwise_backward(dY, cache):
    d, centred, v = dY.reshape(cache["centred"].shape), cache["centred"], cache["v"]
    m = len(d)
    dx_hat = d * cache["gamma"]
    dX = dx_hat * v**-0.5
    if cache["train"]:
        dvar = np.sum(dx_hat * centred, axis=0) * -0.5 * v**-1.5
        dmu = -np.sum(dx_hat, axis=0) * v**-0.5 - 2 * dvar * centred.mean(axis=0)
        dX = dX + dvar * 2 * centred / m + dmu / m
    return dX.reshape(dY.shape), np.einsum("nd,nd->d", d, centred) * v**-0.5, np.einsum("nd->d", d)


def by_feature_forward(X, gamma, beta, state, train=True, momentum=0.1, eps=1e-5):
    Y, x_hat, s = np.empty_like(X), np.empty_like(X), np.empty(len(gamma))
    mean, var = list(state[0]), list(state[1])
    for j in range(len(gamma)):
        x = X[..., j]
        mu, sigma2 = (x.mean(), x.var()) if train else (mean[j], var[j])
        s[j] = np.sqrt(sigma2 + eps)
        x_hat[..., j] = (x - mu) / s[j]
        Y[..., j] = gamma[j] * x_hat[..., j] + beta[j]
        if train:
            mean[j] = (1 - momentum) * mean[j] + momentum * mu
            var[j] = (1 - momentum) * var[j] + momentum * sigma2 * x.size / (x.size - 1)
    return Y, (x_hat, gamma, s, train), [mean, var]


def by_feature_backward(dY, cache):
    x_hat, gamma, s, train = cache
    dX, dgamma, dbeta = np.array(dY), [], []
    for j in range(len(gamma)):
        d, x = dY[..., j], x_hat[..., j]
        dgamma.append(float((d * x).sum()))
        dbeta.append(float(d.sum()))
        if train:
            dX[..., j] -= d.mean() + x * (d * x).mean()
        dX[..., j] *= gamma[j] / s[j]
    return dX, dgamma, dbeta


EXERCISE = Exercise("normalization.batchnorm", (normalization.batchnorm_forward, normalization.batchnorm_backward),
    cases, MISTAKES, variants=[(stepwise_forward, stepwise_backward), (by_feature_forward, by_feature_backward)],
    solution=(batchnorm_forward, batchnorm_backward), points=6,
    why="Training and evaluation compute different things here: most networks that fail only when deployed fail at "
        "this layer.",
    hints=("Forward: your three functions from above do all of it; γ and β come last. In evaluation the state takes "
           "the place of the batch's statistics.",
           "Keep x̂, γ, s = √(σ² + ε) and `train` in the cache: the backward pass needs nothing else.",
           "dγ and dβ are sums over all rows, as for the weights and biases of a linear layer; they look the same in "
           "both modes.",
           "dX in training: dY, minus its mean over the rows, minus x̂ times the mean of dY·x̂; all of it times γ/s. "
           "In evaluation the two means fall away."),
    driver=batchnorm_driver, parts=PARTS)  # fmt: skip
