"""Exercises of the normalization topic.

Each family below is one implementation that goes wrong in one place, named by the mistake's slug; without a name it is
right, and stands among the variants.
"""

import numpy as np

from dlcourse import normalization
from dlcourse.normalization import BatchNormState

from ..checks.drivers import Named, WrongAnswer, kind, resolve
from ..checks.exercise import Case, Exercise, Mistake

# --- what is asked besides the catalogue ----------------------------------------------------------------------------


def batch_statistics(X):
    r"""Mean and variance of each feature over the m rows of a batch, :math:`\sigma^2 = \frac1m \sum_i (x_i - \mu)^2`.

    Parameters
    ----------
    X : (N, D) or (N, H, W, C) array; the m rows are all positions along all axes but the last.

    Returns
    -------
    mu, sigma2 : (D,) arrays (images: (C,)), the mean μ and the biased variance σ².
    """
    rows = tuple(range(X.ndim - 1))
    mu = X.mean(axis=rows)
    return mu, ((X - mu) ** 2).mean(axis=rows)


def normalize(X, mu, sigma2, eps=1e-5):
    r"""Each feature with mean 0 and variance 1, :math:`\hat x = (x - \mu)/\sqrt{\sigma^2 + \epsilon}`.

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


def running_statistics(mean, var, X, momentum=0.1):
    r"""The running averages after one more batch, :math:`\mu_{run} \leftarrow (1 - a)\mu_{run} + a\mu`, and the variance alike.

    Parameters
    ----------
    mean, var : (D,) arrays, the running statistics so far.
    X : (N, D) or (N, H, W, C) array, the new batch.
    momentum : a, the weight of the new batch.

    Returns
    -------
    mean, var : (D,) arrays. The variance that goes into `var` is the unbiased one, :math:`\frac{m}{m-1}\sigma^2`.
    """
    mu, sigma2 = batch_statistics(X)
    m = X.size // X.shape[-1]
    return (1 - momentum) * mean + momentum * mu, (1 - momentum) * var + momentum * m / (m - 1) * sigma2


def fold_batchnorm(W, b, gamma, beta, mean, var, eps=1e-5):
    r"""A linear layer that does what a linear layer and a batch norm in evaluation behind it do.

    Parameters
    ----------
    W : (D, K) array. b : (K,) array.
    gamma, beta : (K,) arrays γ and β.
    mean, var : (K,) arrays, the running statistics of the batch norm.
    eps : ε.

    Returns
    -------
    W, b : (D, K) and (K,) arrays; with them X W + b is what the two layers give, for every X.
    """
    scale = gamma / np.sqrt(var + eps)
    return W * scale, (b - mean) * scale + beta


# --- data -----------------------------------------------------------------------------------------------------------


def _batch(rng, *shape):
    """A batch of which every feature has another mean and another spread."""
    D = shape[-1]
    return rng.standard_normal(shape) * rng.uniform(0.5, 2.0, D) + rng.uniform(-1.0, 1.0, D)


def _affine(rng, D):
    """γ and β, none near the 1 and the 0 at which they would go unnoticed."""
    return rng.uniform(1.5, 3.0, D) * rng.choice([-1.0, 1.0], D), rng.uniform(0.5, 1.5, D)


def _running(rng, D):
    """Running statistics that are not those of a batch."""
    return rng.uniform(0.5, 1.5, D), rng.uniform(0.5, 3.0, D)


def _with_constant_feature(X):
    """The batch, with a feature that never varies; 2 is exact, and so is its mean."""
    X = X.copy()
    X[..., 0] = 2.0
    return X


def _single(x):
    """Arrays in float32."""
    if isinstance(x, dict):
        return {key: _single(value) for key, value in x.items()}
    if isinstance(x, tuple):
        return tuple(_single(value) for value in x)
    return x.astype(np.float32) if isinstance(x, np.ndarray) else x


# --- where it begins ------------------------------------------------------------------------------------------------


def _init_cases(rng):
    return [Case("three features", (3,)), Case("one feature", (1,)), Case("seven features", (7,), hidden=True)]


def _init_with(gamma=np.ones, beta=np.zeros, mean=np.zeros, var=np.ones, shape=lambda D: D):
    def batchnorm_init(D):
        return gamma(shape(D)), beta(shape(D)), BatchNormState(mean(shape(D)), var(shape(D)))

    return batchnorm_init


_init_gamma_zero = _init_with(gamma=np.zeros)
_init_beta_one = _init_with(beta=np.ones)
_init_variance_zero = _init_with(var=np.zeros)
_init_mean_one = _init_with(mean=np.ones)
_init_rows = _init_with(shape=lambda D: (1, D))
_init_scalars = _init_with(shape=lambda D: ())
_init_alike = _init_with(beta=np.ones, mean=np.ones)


def _init_swapped(D):
    return np.ones(D), np.zeros(D), BatchNormState(np.ones(D), np.zeros(D))


def _init_shown(D):
    return np.ones(D), np.zeros(D), BatchNormState(np.zeros(D), np.ones(D))


def _init_lists(D):
    return [1.0] * D, [0.0] * D, BatchNormState([0.0] * D, [1.0] * D)


def _init_plain_tuple(D):
    zeros = np.zeros(D)
    return zeros + 1, zeros, (zeros.copy(), np.full(D, 1.0))


# --- statistics of a batch ------------------------------------------------------------------------------------------


def _statistics_cases(rng):
    return [
        Case("six examples, three features", (_batch(rng, 6, 3),)),
        Case("two images of 3 × 4 pixels", (_batch(rng, 2, 3, 4, 5),)),
        Case("as many examples as features", (_batch(rng, 4, 4),)),
        Case("one example", (_batch(rng, 1, 3),)),
        Case("a feature that never varies", (_with_constant_feature(_batch(rng, 5, 2)),)),
        Case("float32", (_batch(rng, 5, 2).astype(np.float32),)),
        Case("one image", (_batch(rng, 1, 2, 5, 3),), hidden=True),
    ]


def _statistics_with(axes=lambda X: tuple(range(X.ndim - 1)), spread=lambda X, mu, rows: np.mean((X - mu) ** 2, rows)):
    def batch_statistics(X):
        rows = axes(X)
        mu = X.mean(axis=rows, keepdims=True)
        return np.squeeze(mu, rows), np.squeeze(np.asarray(spread(X, mu, rows)))

    return batch_statistics


def _spread_unbiased(X, mu, rows):
    m = np.prod([X.shape[axis] for axis in rows])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.sum((X - mu) ** 2, rows) / np.asarray(m - 1, dtype=float)


_statistics_unbiased = _statistics_with(spread=_spread_unbiased)
_statistics_deviation = _statistics_with(spread=lambda X, mu, rows: np.sqrt(np.mean((X - mu) ** 2, rows)))
_statistics_absolute = _statistics_with(spread=lambda X, mu, rows: np.mean(np.abs(X - mu), rows))
_statistics_not_centred = _statistics_with(spread=lambda X, mu, rows: np.mean(X**2, rows))
_statistics_sum = _statistics_with(spread=lambda X, mu, rows: np.sum((X - mu) ** 2, rows))
_statistics_square_of_mean = _statistics_with(spread=lambda X, mu, rows: np.mean(X - mu, rows) ** 2)


def _statistics_wrong_axis(X):
    return X.mean(axis=-1), X.var(axis=-1)


def _statistics_axis_one(X):
    return X.mean(axis=1), X.var(axis=1)


def _statistics_no_axis(X):
    return X.mean(), X.var()


def _statistics_per_pixel(X):
    return X.mean(axis=0), X.var(axis=0)


def _statistics_kept(X):
    rows = tuple(range(X.ndim - 1))
    return X.mean(axis=rows, keepdims=True), X.var(axis=rows, keepdims=True)


def _statistics_by_examples(X):
    rows = tuple(range(X.ndim - 1))
    mu = X.sum(axis=rows) / len(X)
    return mu, ((X - mu) ** 2).sum(axis=rows) / len(X)


def _statistics_flat(X):
    rows = X.reshape(-1, X.shape[-1])
    return rows.mean(0), rows.var(0)


def _statistics_loop(X):
    columns = [np.ravel(X[..., j]) for j in range(X.shape[-1])]
    means = [sum(column) / len(column) for column in columns]
    return means, [sum((x - mu) ** 2 for x in c) / len(c) for c, mu in zip(columns, means, strict=True)]


def _statistics_einsum(X):
    rows = X.reshape(-1, X.shape[-1])
    mu = np.einsum("nd->d", rows) / len(rows)
    centred = rows - mu
    return mu, np.einsum("nd,nd->d", centred, centred) / len(rows)


# --- normalising ----------------------------------------------------------------------------------------------------


def _normalize_cases(rng):
    def case(name, *shape, **kwargs):
        hidden = kwargs.pop("hidden", False)
        return Case(name, (_batch(rng, *shape), *_running(rng, shape[-1])), kwargs, hidden=hidden)

    X, mu, sigma2 = case("", 4, 3).args
    still = Case("a feature that never varies", (np.full((4, 2), 2.0), np.array([2.0, 1.0]), np.array([0.0, 0.5])))
    return [
        case("six examples, three features", 6, 3),
        case("ε = 0.1", 3, 4, eps=0.1),
        case("images", 2, 3, 4, 5),
        case("one example", 1, 3),
        still,
        Case("float32", _single((X, mu, sigma2))),
        case("as many examples as features", 4, 4, eps=0.01, hidden=True),
    ]


def _normalize_with(root, centre=lambda X, mu: X - mu):
    def normalize(X, mu, sigma2, eps=1e-5):
        return centre(X, mu) / root(sigma2, eps)

    return normalize


def _root(sigma2, eps):
    return np.sqrt(sigma2 + eps)


_normalize_outside = _normalize_with(lambda sigma2, eps: np.sqrt(sigma2) + eps)
_normalize_by_variance = _normalize_with(lambda sigma2, eps: sigma2 + eps)
_normalize_no_eps = _normalize_with(lambda sigma2, eps: np.sqrt(sigma2))
_normalize_fixed_eps = _normalize_with(lambda sigma2, eps: np.sqrt(sigma2 + 1e-5))
_normalize_eps_squared = _normalize_with(lambda sigma2, eps: np.sqrt(sigma2 + eps**2))
_normalize_not_centred = _normalize_with(_root, centre=lambda X, mu: X)
_normalize_sign = _normalize_with(_root, centre=lambda X, mu: mu - X)
_normalize_multiplied = _normalize_with(lambda sigma2, eps: 1 / np.sqrt(sigma2 + eps))


def _normalize_own_statistics(X, mu, sigma2, eps=1e-5):
    rows = tuple(range(X.ndim - 1))
    return (X - X.mean(axis=rows)) / np.sqrt(X.var(axis=rows) + eps)


def _normalize_in_place(X, mu, sigma2, eps=1e-5):
    X -= mu
    X /= np.sqrt(sigma2 + eps)
    return X


def _normalize_affine_map(X, mu, sigma2, eps=1e-5):
    scale = (sigma2 + eps) ** -0.5
    return X * scale - mu * scale


def _normalize_loop(X, mu, sigma2, eps=1e-5):
    x_hat = np.array(X)
    for j in range(len(mu)):
        x_hat[..., j] -= mu[j]
        x_hat[..., j] /= float(sigma2[j] + eps) ** 0.5
    return x_hat


# --- running averages -----------------------------------------------------------------------------------------------


def _running_cases(rng):
    def case(name, *shape, **kwargs):
        hidden = kwargs.pop("hidden", False)
        return Case(name, (*_running(rng, shape[-1]), _batch(rng, *shape)), kwargs, hidden=hidden)

    args = case("", 5, 2).args
    return [
        case("six examples, three features", 6, 3),
        case("momentum 0.25", 4, 3, momentum=0.25),
        case("two images of 3 × 4 pixels", 2, 3, 4, 5),
        case("as many examples as features", 4, 4),
        case("two examples", 2, 3, momentum=0.75),
        Case("float32", _single(args)),
        case("one image, the new batch alone", 1, 3, 2, 4, momentum=1.0, hidden=True),
    ]


def _running_with(wrong=""):
    def running_statistics(mean, var, X, momentum=0.1):
        if wrong == "running_not_updated":
            return mean.copy(), var.copy()
        a = 1 - momentum if wrong == "momentum_swapped" else momentum
        rows = tuple(range(X.ndim - 1))
        m = np.prod(X.shape[:-1])
        if wrong == "wrong_axis":
            rows, m = -1, X.shape[-1]
        if wrong == "per_pixel_statistics":
            rows, m = 0, len(X)
        mu, sigma2 = X.mean(axis=rows), X.var(axis=rows)
        if wrong == "pixels_not_counted":
            m = len(X)
        with np.errstate(divide="ignore", invalid="ignore"):
            unbiased = sigma2 * m / np.asarray(m - 1, dtype=float)
        if wrong == "running_variance_biased":
            unbiased = sigma2
        if wrong == "factor_turned_over":
            unbiased = sigma2 * (m - 1) / m
        if wrong == "standard_deviation_kept":
            unbiased = np.sqrt(unbiased)
        if wrong == "old_value_not_scaled":
            return mean + a * mu, var + a * unbiased
        if wrong == "new_value_not_scaled":
            return (1 - a) * mean + mu, (1 - a) * var + unbiased
        if wrong == "old_value_forgotten":
            return mu, unbiased
        if wrong == "variance_not_updated":
            return (1 - a) * mean + a * mu, var.copy()
        if wrong == "default_momentum":
            a = 0.1
        if wrong == "mutates_input":
            mean *= 1 - a
            mean += a * mu
            var *= 1 - a
            var += a * unbiased
            return mean, var
        return (1 - a) * mean + a * mu, (1 - a) * var + a * unbiased

    return running_statistics


def _running_steps(mean, var, X, momentum=0.1):
    rows = X.reshape(-1, X.shape[-1])
    return mean + momentum * (rows.mean(0) - mean), var - momentum * (var - np.var(rows, axis=0, ddof=1))


def _running_loop(mean, var, X, momentum=0.1):
    out_mean, out_var = [], []
    for j in range(len(mean)):
        column = X[..., j].ravel()
        centre = column.sum() / column.size
        spread = ((column - centre) ** 2).sum() / (column.size - 1)
        out_mean.append(float((1 - momentum) * mean[j] + momentum * centre))
        out_var.append(float((1 - momentum) * var[j] + momentum * spread))
    return out_mean, out_var


# --- batch norm -----------------------------------------------------------------------------------------------------


def batchnorm_driver(functions, case):
    """A pass in training and one in evaluation, each from a state of its own, then both ways back."""
    forward, backward = functions
    make = resolve(Named("normalization.BatchNormState"))

    def run(state, train):
        result = forward(*case.args, make(*state), train=train, **case.kwargs)
        if not isinstance(result, tuple) or len(result) != 3:
            raise WrongAnswer(
                f"the forward function returns `Y, cache, state`, the state as BatchNormState(mean, var); yours returned {kind(result)}"
            )
        Y, cache, state = result
        if not isinstance(state, tuple | list) or len(state) != 2:
            raise WrongAnswer(f"the state is BatchNormState(mean, var), the third value; yours is {kind(state)}")
        return Y, cache, dict(zip(("mean", "var"), state, strict=True))

    Y, cache, state = run(case.more["state"], True)
    yield "output in training", Y
    yield "running statistics", state
    Y, kept, state = run(case.more["state in evaluation"], False)
    yield "output in evaluation", Y
    yield "statistics after evaluation", state
    yield "gradients in training", backward(case.dout, cache)
    yield "gradients in evaluation", backward(case.dout, kept)


BATCHNORM_PARTS = (
    "output in training",
    "running statistics",
    "output in evaluation",
    "statistics after evaluation",
    "gradients in training",
    "gradients in evaluation",
)


def _batchnorm_case(rng, name, *shape, change=lambda X: X, hidden=False, **kwargs):
    D = shape[-1]
    states = {"state": _running(rng, D), "state in evaluation": _running(rng, D)}
    args = change(_batch(rng, *shape)), *_affine(rng, D)
    return Case(name, args, kwargs, dout=rng.standard_normal(shape) + 0.5, more=states, hidden=hidden)


def _batchnorm_cases(rng):
    cases = [
        _batchnorm_case(rng, "six examples, three features", 6, 3),
        _batchnorm_case(rng, "two images of 3 × 4 pixels", 2, 3, 4, 5),
        _batchnorm_case(rng, "one image", 1, 3, 4, 2),
        _batchnorm_case(rng, "as many examples as features", 5, 5),
        _batchnorm_case(rng, "momentum 0.25, ε = 0.1", 7, 2, momentum=0.25, eps=0.1),
        _batchnorm_case(rng, "a feature that never varies", 8, 3, change=_with_constant_feature),
    ]
    plain = _batchnorm_case(rng, "", 6, 4)
    cases.append(Case("float32", _single(plain.args), dout=_single(plain.dout), more=_single(plain.more)))
    cases.append(_batchnorm_case(rng, "nine examples, momentum 0.6", 9, 2, momentum=0.6, eps=1e-3, hidden=True))
    return cases


def _batchnorm(wrong="", axes=None, keep=True):
    def batchnorm_forward(X, gamma, beta, state, train=True, momentum=0.1, eps=1e-5):
        rows = tuple(range(X.ndim - 1))
        m = X.size // X.shape[-1]
        mean, var = state
        over = rows
        if wrong == "wrong_axis":
            over = axes
        if wrong == "per_pixel_statistics":
            over = 0
        mu, sigma2 = X.mean(axis=over, keepdims=keep), X.var(axis=over, keepdims=keep)
        if wrong == "unbiased_variance":
            sigma2 = sigma2 * m / (m - 1)
        if not train and wrong == "batch_statistics_at_test":
            train = True
            state = BatchNormState(mean.copy(), var.copy())
        elif train or wrong == "evaluation_updates_statistics":
            state = _batchnorm_new_state(X, mean, var, momentum, wrong)
        if wrong == "running_statistics_in_training" or not train:
            mu, sigma2 = mean, var
        if wrong == "mutates_input":
            X -= mu
            x_hat = X
        else:
            x_hat = X if wrong == "not_centred" else X - mu
        s = np.sqrt(sigma2 + eps)
        if wrong == "eps_outside_sqrt":
            s = np.sqrt(sigma2) + eps
        elif wrong == "eps_forgotten":
            s = np.sqrt(sigma2)
        elif wrong == "eps_fixed":
            s = np.sqrt(sigma2 + 1e-5)
        elif wrong == "divided_by_variance":
            s = sigma2 + eps
        x_hat = x_hat / s
        used = np.ones_like(gamma) if wrong in ("affine_ignored", "gamma_ignored") else gamma
        shift = 0.0 if wrong in ("affine_ignored", "beta_ignored") else beta
        Y = used + x_hat * beta if wrong == "affine_swapped" else used * x_hat + shift
        return Y, (X, x_hat, used, s, train, over), state

    def batchnorm_backward(dY, cache):
        X, x_hat, gamma, s, train, over = cache
        rows = tuple(range(dY.ndim - 1))
        m = dY.size // dY.shape[-1]
        dgamma, dbeta = (dY * x_hat).sum(axis=rows), dY.sum(axis=rows)
        if not train and wrong != "evaluation_gradient_as_in_training":
            dX = gamma / s * dY
        else:
            dx_hat = dY if wrong == "gamma_missing_in_dx" else gamma * dY
            if wrong == "wrong_axis":
                along_mean = dx_hat.mean(axis=over, keepdims=True)
                along_variance = x_hat * (dx_hat * x_hat).mean(axis=over, keepdims=True)
            else:
                count = len(dY) if wrong == "pixels_not_counted" else m
                along_mean = dx_hat.sum(axis=rows) / count
                along_variance = x_hat * (dx_hat * x_hat).sum(axis=rows) / count
            if wrong == "means_as_sums":
                along_mean, along_variance = along_mean * m, along_variance * m
            dX = dx_hat
            if wrong not in ("dx_without_mean_path", "statistics_as_constants"):
                dX = dX - along_mean
            if wrong not in ("dx_without_variance_path", "statistics_as_constants"):
                dX = dX + along_variance if wrong == "variance_path_sign" else dX - along_variance
            dX = dX if wrong == "deviation_missing_in_dx" else dX / s
        if wrong == "dgamma_from_input":
            dgamma = (dY * X).sum(axis=rows)
        if wrong == "dgamma_without_input":
            dgamma = dbeta.copy()
        if wrong == "parameter_gradients_not_summed":
            dgamma, dbeta = dY * x_hat, dY.copy()
        if wrong == "summed_over_batch_only":
            dgamma, dbeta = (dY * x_hat).sum(axis=0), dY.sum(axis=0)
        if wrong == "mean_for_sum":
            dgamma, dbeta = dgamma / m, dbeta / m
        if wrong == "gradients_swapped":
            dgamma, dbeta = dbeta, dgamma
        return dX, dgamma, dbeta

    return batchnorm_forward, batchnorm_backward


def _batchnorm_new_state(X, mean, var, momentum, wrong):
    """The state after a batch, with what can go wrong there."""
    rows = tuple(range(X.ndim - 1))
    m = X.size // X.shape[-1]
    mu, sigma2 = X.mean(axis=rows), X.var(axis=rows)
    a = 1 - momentum if wrong == "momentum_swapped" else momentum
    spread = sigma2 if wrong == "running_variance_biased" else sigma2 * m / (m - 1)
    if wrong == "running_not_updated":
        return BatchNormState(mean.copy(), var.copy())
    if wrong == "running_deviation":
        spread = np.sqrt(spread)
    if wrong == "running_overwritten":
        return BatchNormState(mu, spread)
    if wrong == "running_variance_not_updated":
        return BatchNormState((1 - a) * mean + a * mu, var.copy())
    if wrong == "mutates_state":
        mean *= 1 - a
        mean += a * mu
        var *= 1 - a
        var += a * spread
        return BatchNormState(mean, var)
    return BatchNormState((1 - a) * mean + a * mu, (1 - a) * var + a * spread)


def _batchnorm_shown_forward(X, gamma, beta, state, train=True, momentum=0.1, eps=1e-5):
    if train:
        mu, sigma2 = batch_statistics(X)
        state = BatchNormState(*running_statistics(state.mean, state.var, X, momentum))
    else:
        mu, sigma2 = state
    x_hat = normalize(X, mu, sigma2, eps)
    return gamma * x_hat + beta, (x_hat, gamma, np.sqrt(sigma2 + eps), train), state


def _batchnorm_shown_backward(dY, cache):
    x_hat, gamma, s, train = cache
    rows = tuple(range(dY.ndim - 1))
    m = dY.size // dY.shape[-1]
    dgamma, dbeta = (dY * x_hat).sum(axis=rows), dY.sum(axis=rows)
    if train:
        dX = gamma / s * (dY - dbeta / m - x_hat * dgamma / m)
    else:
        dX = gamma / s * dY
    return dX, dgamma, dbeta


def _batchnorm_stepwise_forward(X, gamma, beta, state, train=True, momentum=0.1, eps=1e-5):
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


def _batchnorm_stepwise_backward(dY, cache):
    d, centred, v = dY.reshape(cache["centred"].shape), cache["centred"], cache["v"]
    m = len(d)
    dx_hat = d * cache["gamma"]
    dX = dx_hat * v**-0.5
    if cache["train"]:
        dvar = np.sum(dx_hat * centred, axis=0) * -0.5 * v**-1.5
        dmu = -np.sum(dx_hat, axis=0) * v**-0.5 - 2 * dvar * centred.mean(axis=0)
        dX = dX + dvar * 2 * centred / m + dmu / m
    return dX.reshape(dY.shape), np.einsum("nd,nd->d", d, centred) * v**-0.5, np.einsum("nd->d", d)


def _batchnorm_by_feature_forward(X, gamma, beta, state, train=True, momentum=0.1, eps=1e-5):
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


def _batchnorm_by_feature_backward(dY, cache):
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


# --- folding --------------------------------------------------------------------------------------------------------


def _fold_cases(rng):
    def case(name, D, K, hidden=False, **kwargs):
        W, b = rng.standard_normal((D, K)), rng.uniform(0.5, 1.5, K)
        return Case(name, (W, b, *_affine(rng, K), *_running(rng, K)), kwargs, hidden=hidden)

    return [
        case("three inputs, four outputs", 3, 4),
        case("ε = 0.1", 4, 2, eps=0.1),
        case("as many inputs as outputs", 3, 3),
        case("one input", 1, 2),
        Case("float32", _single(case("", 2, 3).args)),
        case("one output", 5, 1, eps=0.01, hidden=True),
    ]


def _fold_with(wrong=""):
    def fold_batchnorm(W, b, gamma, beta, mean, var, eps=1e-5):
        s = np.sqrt(var + eps)
        if wrong == "eps_outside_sqrt":
            s = np.sqrt(var) + eps
        if wrong == "divided_by_variance":
            s = var + eps
        if wrong == "eps_forgotten":
            s = np.sqrt(var)
        scale = 1 / s if wrong in ("affine_ignored", "gamma_ignored") else gamma / s
        shift = np.zeros_like(beta) if wrong in ("affine_ignored", "beta_ignored") else beta
        folded = W * scale
        if wrong == "rows_scaled":
            folded = W * scale[:, None]
        if wrong == "weights_not_scaled":
            folded = W.copy()
        if wrong == "bias_not_scaled":
            return folded, b - mean * scale + shift
        if wrong == "mean_not_scaled":
            return folded, b * scale - mean + shift
        if wrong == "bias_forgotten":
            return folded, shift - mean * scale
        if wrong == "mean_forgotten":
            return folded, b * scale + shift
        if wrong == "mean_added":
            return folded, (b + mean) * scale + shift
        if wrong == "shift_scaled":
            return folded, (b - mean + shift) * scale
        return folded, (b - mean) * scale + shift

    return fold_batchnorm


def _fold_by_output(W, b, gamma, beta, mean, var, eps=1e-5):
    columns, biases = [], []
    for k in range(W.shape[1]):
        factor = gamma[k] / (var[k] + eps) ** 0.5
        columns.append(factor * W[:, k])
        biases.append(beta[k] + factor * (b[k] - mean[k]))
    return np.stack(columns, axis=1), biases


def _fold_matrix(W, b, gamma, beta, mean, var, eps=1e-5):
    scale = np.diag(gamma * (var + eps) ** -0.5)
    return W @ scale, b @ scale - mean @ scale + beta


def _fold_probed(W, b, gamma, beta, mean, var, eps=1e-5):
    """What the two layers do to zero is the bias, what they do to each unit vector the weights."""

    def both(X):
        return gamma * (X @ W + b - mean) / np.sqrt(var + eps) + beta

    bias = both(np.zeros(len(W)))
    return both(np.eye(len(W))) - bias, bias


# --- layer norm -----------------------------------------------------------------------------------------------------


def _layernorm_cases(rng):
    def case(name, *shape, change=lambda X: X, hidden=False, **kwargs):
        args = change(_batch(rng, *shape)), *_affine(rng, shape[-1])
        return Case(name, args, kwargs, dout=rng.standard_normal(shape) + 0.5, hidden=hidden)

    def still(X):
        X[1] = 2.0
        return X

    single = case("", 3, 6)
    return [
        case("three rows of five features", 3, 5),
        case("one row", 1, 6),
        case("two sequences of three steps", 2, 3, 5),
        case("images", 2, 3, 4, 5),
        case("as many rows as features", 5, 5),
        case("ε = 0.1", 4, 6, eps=0.1),
        case("a row that never varies", 4, 8, change=still),
        Case("float32", _single(single.args), dout=_single(single.dout)),
        case("seven rows", 7, 6, eps=1e-3, hidden=True),
    ]


def _layernorm(wrong="", axes=None):
    def layernorm_forward(X, gamma, beta, eps=1e-5):
        over = -1
        if wrong == "wrong_axis":
            over = axes(X)
        if wrong == "whole_example":
            over = tuple(range(1, X.ndim))
        mu, sigma2 = X.mean(axis=over, keepdims=True), X.var(axis=over, keepdims=True)
        if wrong == "unbiased_variance":
            sigma2 = sigma2 * X.shape[-1] / (X.shape[-1] - 1)
        if wrong == "mutates_input":
            X -= mu
            x_hat = X
        else:
            x_hat = X if wrong == "not_centred" else X - mu
        s = np.sqrt(sigma2 + eps)
        if wrong == "eps_outside_sqrt":
            s = np.sqrt(sigma2) + eps
        elif wrong == "eps_forgotten":
            s = np.sqrt(sigma2)
        elif wrong == "eps_fixed":
            s = np.sqrt(sigma2 + 1e-5)
        elif wrong == "divided_by_variance":
            s = sigma2 + eps
        x_hat = x_hat / s
        used = np.ones_like(gamma) if wrong in ("affine_ignored", "gamma_ignored") else gamma
        shift = 0.0 if wrong in ("affine_ignored", "beta_ignored") else beta
        Y = used + x_hat * beta if wrong == "affine_swapped" else used * x_hat + shift
        return Y, (X, x_hat, used, s, over)

    def layernorm_backward(dY, cache):
        X, x_hat, gamma, s, over = cache
        rows = tuple(range(dY.ndim - 1))
        D = dY.shape[-1]
        dgamma, dbeta = (dY * x_hat).sum(axis=rows), dY.sum(axis=rows)
        dx_hat = dY if wrong in ("gamma_pulled_out", "gamma_missing_in_dx") else gamma * dY
        along_mean = dx_hat.mean(axis=over, keepdims=True)
        along_variance = x_hat * (dx_hat * x_hat).mean(axis=over, keepdims=True)
        if wrong == "means_as_sums":
            along_mean, along_variance = along_mean * D, along_variance * D
        if wrong == "gradient_of_batchnorm":
            along_mean = dx_hat.mean(axis=rows)
            along_variance = x_hat * (dx_hat * x_hat).mean(axis=rows)
        dX = dx_hat
        if wrong not in ("dx_without_mean_path", "statistics_as_constants"):
            dX = dX - along_mean
        if wrong not in ("dx_without_variance_path", "statistics_as_constants"):
            dX = dX + along_variance if wrong == "variance_path_sign" else dX - along_variance
        dX = dX if wrong == "deviation_missing_in_dx" else dX / s
        if wrong == "gamma_pulled_out":
            dX = gamma * dX
        if wrong == "dgamma_from_input":
            dgamma = (dY * X).sum(axis=rows)
        if wrong == "dgamma_without_input":
            dgamma = dbeta.copy()
        if wrong == "parameter_gradients_not_summed":
            dgamma, dbeta = dY * x_hat, dY.copy()
        if wrong == "summed_over_batch_only":
            dgamma, dbeta = (dY * x_hat).sum(axis=0), dY.sum(axis=0)
        if wrong == "mean_for_sum":
            m = dY.size // D
            dgamma, dbeta = dgamma / m, dbeta / m
        if wrong == "gradients_swapped":
            dgamma, dbeta = dbeta, dgamma
        return dX, dgamma, dbeta

    return layernorm_forward, layernorm_backward


def _layernorm_shown_forward(X, gamma, beta, eps=1e-5):
    mu = X.mean(axis=-1, keepdims=True)
    s = np.sqrt(X.var(axis=-1, keepdims=True) + eps)
    x_hat = (X - mu) / s
    return gamma * x_hat + beta, (x_hat, gamma, s)


def _layernorm_shown_backward(dY, cache):
    x_hat, gamma, s = cache
    rows = tuple(range(dY.ndim - 1))
    dx_hat = gamma * dY
    along_mean = dx_hat.mean(axis=-1, keepdims=True)
    along_variance = x_hat * (dx_hat * x_hat).mean(axis=-1, keepdims=True)
    return (dx_hat - along_mean - along_variance) / s, (dY * x_hat).sum(axis=rows), dY.sum(axis=rows)


def _layernorm_by_row_forward(X, gamma, beta, eps=1e-5):
    D = X.shape[-1]
    Y, kept = [], []
    for x in X.reshape(-1, D):
        mu = sum(x) / D
        s = (sum((x - mu) ** 2) / D + eps) ** 0.5
        kept.append(((x - mu) / s, s))
        Y.append(gamma * (x - mu) / s + beta)
    return np.reshape(Y, X.shape), (kept, gamma)


def _layernorm_by_row_backward(dY, cache):
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


def _layernorm_einsum_forward(X, gamma, beta, eps=1e-5):
    D = X.shape[-1]
    centred = X - np.einsum("...d->...", X)[..., None] / D
    r = (np.einsum("...d,...d->...", centred, centred) / D + eps) ** -0.5
    return centred * r[..., None] * gamma + beta, {"x_hat": centred * r[..., None], "r": r, "gamma": gamma.copy()}


def _layernorm_einsum_backward(dY, cache):
    x_hat, r, gamma = cache["x_hat"], cache["r"], cache["gamma"]
    D = len(gamma)
    inner = np.einsum("...d,...d,d->...", dY, x_hat, gamma) / D
    dX = dY * gamma
    dX -= (dY @ gamma)[..., None] / D
    dX -= x_hat * inner[..., None]
    dX *= r[..., None]
    rows, hats = dY.reshape(-1, D), x_hat.reshape(-1, D)
    return dX, np.einsum("nd,nd->d", rows, hats), np.einsum("nd->d", rows)


# --- the exercises --------------------------------------------------------------------------------------------------

_UNBIASED = "You divide by m − 1. For normalising, this course takes the biased variance, ÷ m; only what is kept for evaluation takes the other (E33)."
_UNBIASED_ROW = "You divide by D − 1. The variance that normalises is the biased one: divide by the number of features."
_OUTSIDE = "You add ε to the standard deviation. It belongs to the variance, under the root: √(σ² + ε)."
_NO_ROOT = "You divide by the variance. The result has variance 1/σ², not 1: what is missing?"
_NO_EPS = "Where nothing varies, σ is 0, and 0/0 is NaN. That is what ε is for."
_FIXED_EPS = "`eps` is an argument: it need not be the default."
_BIASED = "The running variance takes the *unbiased* variance of the batch, with the factor m/(m − 1), as in the paper and in PyTorch (E33). Many courses leave it out."
_MOMENTUM = "m and 1 − m are exchanged: here `momentum` is the weight of the *new* batch, so with 0.1 nine tenths of the old value stay. Other libraries mean the old value's weight."
_NOT_UPDATED = (
    "The running statistics come back as they went in. How will evaluation know what the training data looked like?"
)
_PER_PIXEL = "On images you average over the examples alone, so every pixel has statistics of its own. A channel has one μ and one σ² for all its pixels."
_BATCH_AXIS = "These are the statistics of each example, over its features: layer norm. Batch norm takes those of each feature, over the examples."
_LAYER_AXIS = "You average over the wrong axes. Layer norm looks at the last axis alone: every row is normalised by itself, whatever else is in the batch."
_AFFINE = "The result is normalised, but γ and β (or one of them) do nothing. The network must be able to choose its own scale and shift."
_MEAN_PATH = "Your dX lacks one of three paths: μ depends on every x of the group. A constant added to all of dY in a group must not change dX."
_VARIANCE_PATH = "Your dX lacks one of three paths: σ² depends on every x of the group as well. Its term in dX is the one with x̂ in it."
_CONSTANTS = (
    "You treat μ and σ² as constants. They were computed from this very X, so x reaches the output by two more paths."
)
_AS_SUMS = "Both corrections in dX are means over the group; you subtract whole sums."
_PATH_SIGN = "The path through the variance has the wrong sign: two of the three paths are subtracted."
_GAMMA_DX = "dX does not know γ. In the forward pass x̂ is multiplied by it, so dY is too, on its way back."
_NO_S = "dX is not divided by s = √(σ² + ε): if the forward pass shrinks x, the backward pass shrinks its gradient."
_DGAMMA_X = "dγ multiplies dY with what γ was multiplied with. That was x̂, not X."
_DGAMMA_ALONE = "dγ is the same as your dβ. What does γ stand next to in y = γ x̂ + β?"
_NOT_SUMMED = "γ and β are one number per feature, used by every row: their gradients are summed over all rows."
_BATCH_ONLY = "You sum dγ and dβ over the first axis alone. Each must come out with the shape (D,): which axes remain to be summed?"
_MEAN_FOR_SUM = "dγ and dβ are sums over the rows. If the loss is a mean, that factor is in dY already."
_SWAPPED = "dγ and dβ come in the wrong order: `dX, dgamma, dbeta`."
_AFFINE_SWAPPED = "γ and β have exchanged their places: which one multiplies?"
_NOT_CENTRED = "The mean was never subtracted."
_MUTATES_INPUT = (
    "`-=`, `*=` and their like write into the caller's array, which is still needed there. Make a new one: `X - …`."
)

_FORWARD = {
    "unbiased_variance": _UNBIASED,
    "eps_outside_sqrt": _OUTSIDE,
    "divided_by_variance": _NO_ROOT,
    "eps_forgotten": _NO_EPS,
    "eps_fixed": _FIXED_EPS,
    "not_centred": _NOT_CENTRED,
    "affine_ignored": _AFFINE,
    "affine_swapped": _AFFINE_SWAPPED,
    "mutates_input": _MUTATES_INPUT,
}
_BACKWARD = {
    "dx_without_mean_path": _MEAN_PATH,
    "dx_without_variance_path": _VARIANCE_PATH,
    "statistics_as_constants": _CONSTANTS,
    "means_as_sums": _AS_SUMS,
    "variance_path_sign": _PATH_SIGN,
    "gamma_missing_in_dx": _GAMMA_DX,
    "deviation_missing_in_dx": _NO_S,
    "dgamma_from_input": _DGAMMA_X,
    "dgamma_without_input": _DGAMMA_ALONE,
    "parameter_gradients_not_summed": _NOT_SUMMED,
    "summed_over_batch_only": _BATCH_ONLY,
    "mean_for_sum": _MEAN_FOR_SUM,
    "gradients_swapped": _SWAPPED,
}
_CONVENTIONS = {"running_variance_biased", "momentum_swapped", "whole_example"}


def _mistakes(family, *tables, **ways):
    """The family's mistakes, one for each entry of the tables; `ways` are functions that stand in for some or add to them."""
    return [
        Mistake(
            slug,
            ways[slug][0] if slug in ways else family(slug),
            hint,
            convention=slug in _CONVENTIONS,
            also=ways[slug][1:] if slug in ways else (),
        )
        for table in tables
        for slug, hint in table.items()
    ]


def _affine_ways(family):
    return [family("affine_ignored"), family("gamma_ignored"), family("beta_ignored")]


EXERCISES = [
    Exercise(
        "normalization.batchnorm_init",
        normalization.batchnorm_init,
        _init_cases,
        [
            Mistake(
                "gamma_zero",
                _init_gamma_zero,
                "With γ = 0 every output is β, whatever comes in, and nothing flows back. What must γ be, so that the layer does nothing but normalise?",
            ),
            Mistake("beta_one", _init_beta_one, "The shift β begins at the value that shifts nothing."),
            Mistake(
                "variance_zero",
                _init_variance_zero,
                "A running variance of 0 would blow up whatever is evaluated before the first training step: begin with the variance that changes nothing.",
            ),
            Mistake("mean_one", _init_mean_one, "The running mean begins at 0: subtracting it changes nothing."),
            Mistake(
                "all_ones",
                _init_alike,
                "Only what multiplies or divides begins at 1. What is added or subtracted begins elsewhere.",
            ),
            Mistake("state_swapped", _init_swapped, "The state is (mean, var), in this order."),
            Mistake(
                "row_matrices",
                _init_rows,
                "The notes write 1 × D. Here all four are vectors of shape (D,), with one axis.",
                convention=True,
            ),
            Mistake("one_number", _init_scalars, "Every feature has its own: four arrays with D entries each."),
        ],
        [_init_shown, _init_lists, _init_plain_tuple],
        points=1,
        minutes=3,
        why="A layer that at first does nothing but normalise.",
        hints=(
            "Four vectors of D numbers: two of them ones, two of them zeros.",
            "What scales begins at 1, what shifts at 0. `BatchNormState(mean, var)` holds the last two.",
        ),
        solution=_init_shown,
    ),
    Exercise(
        "normalization.batch_statistics",
        batch_statistics,
        _statistics_cases,
        [
            Mistake("unbiased_variance", _statistics_unbiased, _UNBIASED),
            Mistake("wrong_axis", _statistics_wrong_axis, _BATCH_AXIS, also=(_statistics_axis_one,)),
            Mistake("per_pixel_statistics", _statistics_per_pixel, _PER_PIXEL),
            Mistake(
                "no_axis",
                _statistics_no_axis,
                "One mean for everything: each feature has its own mean and variance.",
            ),
            Mistake(
                "pixels_not_counted",
                _statistics_by_examples,
                "On images you divide by the number of examples. How many numbers of one channel did you add up?",
            ),
            Mistake(
                "axes_kept",
                _statistics_kept,
                "The numbers are right, but the averaged axes are still there with length 1: the result has the shape (D,).",
            ),
            Mistake("standard_deviation", _statistics_deviation, "The second value is σ². You took the root already."),
            Mistake(
                "absolute_deviation",
                _statistics_absolute,
                "The variance is the mean of the *squared* distances from the mean.",
            ),
            Mistake(
                "not_centred", _statistics_not_centred, "The mean of x² is the variance only where the mean of x is 0."
            ),
            Mistake("sum_for_mean", _statistics_sum, "The squares are summed, but not divided by their number."),
            Mistake(
                "square_of_mean",
                _statistics_square_of_mean,
                "The distances from the mean cancel when they are averaged. Square each of them first.",
            ),
        ],
        [_statistics_flat, _statistics_loop, _statistics_einsum],
        points=2,
        minutes=6,
        why="Which numbers are averaged with which is all the difference between the normalisations.",
        hints=(
            "(N, D): average over axis 0. Images: over axes 0, 1 and 2 at once; `axis=` takes a tuple.",
            "`tuple(range(X.ndim - 1))` names all axes but the last, for both shapes.",
            "The variance is the mean of the squared distances from the mean; `np.var` divides by m unless told otherwise.",
        ),
    ),
    Exercise(
        "normalization.normalize",
        normalize,
        _normalize_cases,
        [
            Mistake("eps_outside_sqrt", _normalize_outside, _OUTSIDE),
            Mistake("divided_by_variance", _normalize_by_variance, _NO_ROOT),
            Mistake("eps_forgotten", _normalize_no_eps, _NO_EPS),
            Mistake("eps_fixed", _normalize_fixed_eps, _FIXED_EPS),
            Mistake("eps_squared", _normalize_eps_squared, "ε is added to σ² as it is, not squared."),
            Mistake("not_centred", _normalize_not_centred, _NOT_CENTRED),
            Mistake("sign", _normalize_sign, "What lies above the mean should come out positive."),
            Mistake(
                "multiplied",
                _normalize_multiplied,
                "You multiply by the standard deviation: the spread grows where it should become 1.",
            ),
            Mistake(
                "own_statistics",
                _normalize_own_statistics,
                "μ and σ² are given. In evaluation they are not those of X, so they must not be computed anew here.",
            ),
            Mistake("mutates_input", _normalize_in_place, _MUTATES_INPUT),
        ],
        [_normalize_affine_map, _normalize_loop],
        points=1,
        minutes=3,
        why="One line that every normalisation shares; the place of ε in it decides whether two libraries agree.",
        hints=(
            "Subtract, then divide; (D,) against (N, D) is broadcast along the last axis by itself.",
            "ε stands under the root, beside σ².",
        ),
    ),
    Exercise(
        "normalization.running_statistics",
        running_statistics,
        _running_cases,
        _mistakes(
            _running_with,
            {
                "running_not_updated": _NOT_UPDATED,
                "running_variance_biased": _BIASED,
                "momentum_swapped": _MOMENTUM,
                "wrong_axis": _BATCH_AXIS,
                "per_pixel_statistics": _PER_PIXEL,
                "pixels_not_counted": "On images m is not the number of images: how many numbers of one channel are there?",
                "factor_turned_over": "The unbiased variance is the larger of the two. Turn the factor over.",
                "standard_deviation_kept": "It is the variance that is averaged and kept, without the root.",
                "old_value_not_scaled": "The old value stays whole and the new one is added: the average grows with every batch. The two weights must sum to 1.",
                "new_value_not_scaled": "The new batch counts whole, besides most of the old value. The two weights must sum to 1.",
                "old_value_forgotten": "These are the new batch's own statistics. A running average also remembers the old ones.",
                "variance_not_updated": "The mean moves, the variance does not.",
                "default_momentum": "`momentum` is an argument: it need not be 0.1.",
                "mutates_input": _MUTATES_INPUT,
            },
        ),
        [_running_steps, _running_loop, _running_with()],
        points=2,
        minutes=7,
        why="In evaluation there may be one example and no batch: what training saw must be remembered.",
        hints=(
            "Your `batch_statistics` gives μ and σ² of the batch.",
            "m is how many numbers of one feature X holds: `X.size // X.shape[-1]`.",
            "(1 − a) times the old value plus a times the new one; for the variance the new one is m/(m − 1)·σ².",
        ),
    ),
    Exercise(
        "normalization.batchnorm",
        (normalization.batchnorm_forward, normalization.batchnorm_backward),
        _batchnorm_cases,
        _mistakes(
            _batchnorm,
            _BACKWARD,
            _FORWARD,
            {
                "wrong_axis": _BATCH_AXIS,
                "per_pixel_statistics": _PER_PIXEL,
                "running_statistics_in_training": "In training the statistics are those of the batch itself. The running ones are kept for evaluation.",
                "batch_statistics_at_test": "With `train=False` you normalise with the batch's own statistics: an example's answer would depend on its neighbours. Take the running ones.",
                "running_not_updated": _NOT_UPDATED,
                "running_variance_biased": _BIASED,
                "momentum_swapped": _MOMENTUM,
                "running_overwritten": "The state holds this batch's statistics alone. A running average also remembers the old ones.",
                "running_deviation": "The state holds the variance, without the root.",
                "running_variance_not_updated": "The running mean moves, the running variance does not.",
                "evaluation_updates_statistics": "With `train=False` the state comes back as it went in: evaluating must not teach the network anything.",
            },
            {
                "pixels_not_counted": "On images the means in dX run over all N·H·W positions; you divide by N.",
                "evaluation_gradient_as_in_training": "After a pass with `train=False` the statistics are constants: nothing flows through them. Keep in the cache which kind of pass it was.",
            },
            affine_ignored=_affine_ways(_batchnorm),
            wrong_axis=[_batchnorm("wrong_axis", axis, keep) for keep in (True, False) for axis in (-1, 1)],
            mutates_input=[_batchnorm("mutates_input"), _batchnorm("mutates_state")],
        ),
        [
            (_batchnorm_shown_forward, _batchnorm_shown_backward),
            (_batchnorm_stepwise_forward, _batchnorm_stepwise_backward),
            (_batchnorm_by_feature_forward, _batchnorm_by_feature_backward),
            _batchnorm(),
        ],
        points=6,
        minutes=35,
        why="Training and evaluation compute different things here: most networks that fail only when deployed fail at this layer.",
        hints=(
            "Forward: your three functions from above do all of it; γ and β come last. In evaluation the state takes the place of the batch's statistics.",
            "Keep x̂, γ, s = √(σ² + ε) and `train` in the cache: the backward pass needs nothing else.",
            "dγ and dβ are sums over all rows, as for the weights and biases of a linear layer; they look the same in both modes.",
            "dX in training: dY, minus its mean over the rows, minus x̂ times the mean of dY·x̂; all of it times γ/s. In evaluation the two means fall away.",
        ),
        driver=batchnorm_driver,
        parts=BATCHNORM_PARTS,
        solution=(_batchnorm_shown_forward, _batchnorm_shown_backward),
    ),
    Exercise(
        "normalization.fold_batchnorm",
        fold_batchnorm,
        _fold_cases,
        _mistakes(
            _fold_with,
            {
                "eps_outside_sqrt": _OUTSIDE,
                "divided_by_variance": _NO_ROOT,
                "eps_forgotten": "`eps` is not used. The folded layer should do exactly what the two layers do, and batch norm adds ε under the root.",
                "affine_ignored": _AFFINE,
                "rows_scaled": "Each *output* has its own scale, so each column of W (D, K). You scale the rows, which belong to the inputs.",
                "weights_not_scaled": "W comes back as it was. Write γ(XW + b − μ)/s + β as X times something plus something.",
                "bias_not_scaled": "The old bias goes through the normalisation like everything else that comes out of the linear layer: it is scaled, too.",
                "mean_not_scaled": "The mean is subtracted *before* the division, so it is scaled like the bias.",
                "bias_forgotten": "The old bias is lost. It reaches the batch norm together with XW.",
                "mean_forgotten": "The running mean is not subtracted.",
                "mean_added": "The mean has the wrong sign.",
                "shift_scaled": "β is added *after* the scaling: it stays as it is.",
            },
            affine_ignored=_affine_ways(_fold_with),
        ),
        [_fold_by_output, _fold_matrix, _fold_probed],
        points=2,
        minutes=8,
        why="In evaluation batch norm is one scale and one shift per feature, so the layer before it can do the work: deployed networks have no batch norm left.",
        hints=(
            "Put u = XW + b into γ(u − μ)/s + β and sort: what multiplies X, what does not?",
            "γ/s is one number for each output, a whole column of W.",
        ),
    ),
    Exercise(
        "normalization.layernorm",
        (normalization.layernorm_forward, normalization.layernorm_backward),
        _layernorm_cases,
        _mistakes(
            _layernorm,
            _BACKWARD,
            _FORWARD | {"unbiased_variance": _UNBIASED_ROW},
            {
                "wrong_axis": _LAYER_AXIS,
                "whole_example": "You normalise every example as a whole, over all its positions and channels, as some libraries do for images. Here it is the last axis alone: each pixel, each time step by itself.",
            },
            {
                "gamma_pulled_out": "That is batch norm's formula. There γ is one number for the whole group and may stand in front. Here every member of the group has a γ of its own: multiply it with dY *before* the means.",
                "gradient_of_batchnorm": "The means in dX run over the rows, as in batch norm. The group here is the row: average over the same axis as in the forward pass.",
            },
            affine_ignored=_affine_ways(_layernorm),
            wrong_axis=[
                _layernorm("wrong_axis", lambda X: tuple(range(X.ndim - 1))),
                _layernorm("wrong_axis", lambda X: 0),
            ],
        ),
        [
            (_layernorm_shown_forward, _layernorm_shown_backward),
            (_layernorm_by_row_forward, _layernorm_by_row_backward),
            (_layernorm_einsum_forward, _layernorm_einsum_backward),
            _layernorm(),
        ],
        points=4,
        minutes=20,
        why="The same formula along another axis, and no difference between training and evaluation is left: that is why transformers use it.",
        hints=(
            "Forward: mean and variance over the last axis, with `keepdims=True` so that they fit against X again.",
            "Backward: first dx̂ = γ·dY. Then dx̂, minus its mean over the row, minus x̂ times the mean of dx̂·x̂ over the row; all of it divided by s.",
            "dγ and dβ have the shape (D,): sum over all axes but the last.",
        ),
        solution=(_layernorm_shown_forward, _layernorm_shown_backward),
    ),
]
