"""Exercises of the regularization topic: the L2 penalty, its gradient, dropout in both conventions."""

import math
from itertools import pairwise

import numpy as np

from dlcourse import dropout, regularization

from ..checks.drivers import WrongAnswer, kind
from ..checks.exercise import Case, Exercise, Mistake, Rng

# --- references that the course does not have as functions of their own -----------------------------------------------


def penalised_loss(J, grads, params, lam):
    r"""A network's loss and gradients with the L2 penalty, :math:`J + \frac\lambda2 \sum_l \lVert W^{(l)} \rVert_F^2`.

    Parameters
    ----------
    J : a number, the loss on the data alone.
    grads : list of (dW, db), its gradients, one pair for each layer.
    params : list of (W, b), the parameters, in the same order.
    lam : λ, at least 0.

    Returns
    -------
    J : a number, penalty included.
    grads : list of (dW, db), the gradients of that.
    """
    J = J + 0.5 * lam * sum(np.sum(W * W) for W, b in params)
    return J, [(dW + lam * W, db) for (dW, db), (W, b) in zip(grads, params, strict=True)]


def keep_mask(shape, p, rng):
    r"""A dropout mask: False where an entry is dropped, with probability p, each entry by itself.

    Parameters
    ----------
    shape : tuple of integers.
    p : probability of dropping, in [0, 1).
    rng : numpy.random.Generator.

    Returns
    -------
    M : boolean array of that shape, True where the entry is *kept*.
    """
    return rng.random(shape) >= p


def masked_forward(X, M, p):
    r"""Inverted dropout with a given mask, :math:`Y = M \odot X / (1 - p)`.

    Parameters
    ----------
    X : (...) array.
    M : boolean array of the same shape, True where an entry is kept.
    p : probability of dropping with which M was drawn, in [0, 1).

    Returns
    -------
    Y : (...) array.
    cache : whatever `masked_backward` needs.
    """
    return np.where(M, X, 0.0) / (1.0 - p), (M, p)


def masked_backward(dY, cache):
    r"""Gradient of `masked_forward` with respect to X.

    Parameters
    ----------
    dY : (...) array, gradient with respect to Y.
    cache : from `masked_forward`.

    Returns
    -------
    dX : (...) array.
    """
    M, p = cache
    return np.where(M, dY, 0.0) / (1.0 - p)


def classic_forward(X, keep, M, train=True):
    r"""Classic dropout: :math:`Y = M \odot X` in training, :math:`Y = qX` in evaluation, q the probability of *keeping*.

    Parameters
    ----------
    X : (...) array.
    keep : q, the probability of keeping an entry, in (0, 1].
    M : boolean array of the same shape, True where an entry is kept; not used in evaluation, and may be None there.
    train : whether to drop.

    Returns
    -------
    Y : (...) array.
    cache : whatever `classic_backward` needs.
    """
    scale = M if train else keep
    return scale * X, scale


def classic_backward(dY, cache):
    r"""Gradient of `classic_forward` with respect to X, in the mode in which that ran.

    Parameters
    ----------
    dY : (...) array, gradient with respect to Y.
    cache : from `classic_forward`.

    Returns
    -------
    dX : (...) array.
    """
    scale = cache
    return scale * dY


# --- drivers and what they measure ----------------------------------------------------------------------------------


def mask_driver(functions, case):
    """Three masks: two in a row from one generator, and one from a new generator with the first one's seed."""
    (draw,) = functions
    shape, p, rng = case.args
    masks = [draw(shape, p, rng), draw(shape, p, rng), draw(shape, p, case.more["again"])]
    for M in masks:
        if np.shape(M) != tuple(shape) or np.asarray(M).dtype.kind not in "biuf":
            raise WrongAnswer(f"the mask is an array of shape {tuple(shape)}; yours is {kind(M)}")
    yield "", [np.array(M) for M in masks]


def dropout_driver(functions, case):
    """Forward three times (twice from one generator, once from a new one with the same seed), then back through the first."""
    forward, backward = functions
    X, p, rng = case.args

    def run(X, rng):
        result = forward(X, p, rng, **case.kwargs)
        if not isinstance(result, tuple) or len(result) != 2:
            raise WrongAnswer(
                f"the forward function returns the output and the cache, `Y, cache`; yours returned {kind(result)}"
            )
        Y, cache = result
        if np.shape(Y) != X.shape or np.asarray(Y).dtype.kind not in "biuf":
            raise WrongAnswer(f"the output has the shape of X, {X.shape}; yours is {kind(Y)}")
        return np.array(Y), cache

    # An answer that changes its X shall fail for that alone
    untouched = X.copy()
    Y, cache = run(X, rng)
    second, again = run(untouched.copy(), rng)[0], run(untouched, case.more["again"])[0]
    yield "forward", {"Y": Y, "second": second, "again": again}
    dX = backward(case.dout, cache)
    if np.shape(dX) != X.shape or np.asarray(dX).dtype.kind not in "biuf":
        raise WrongAnswer(f"the gradient has the shape of X, {X.shape}; yours is {kind(dX)}")
    yield "backward", {"Y": Y, "dX": np.array(dX)}


def _share(flags, draws, *candidates):
    """The share of True among the flags; the first candidate within eight standard errors of it, if there is one.

    So any two samples of one probability give one number, and nothing depends on what was drawn.
    """
    share = float(np.mean(flags))
    if share in (0.0, 1.0):
        return share
    near = (q for q in candidates if abs(share - q) <= 8 * np.sqrt(q * (1 - q) / draws) + 1e-12)
    return next(near, share)


def _draw(kept, second, again, p):
    """What can be told of a mask without knowing what was drawn: an example is a row here, whatever its shape."""
    sides = kept.reshape(len(kept), -1), kept.reshape(len(kept), -1).T
    rows, columns = (len({row.tobytes() for row in np.ascontiguousarray(side)}) for side in sides)
    own = rows / len(sides[0]), columns / len(sides[1])
    # Where rows or columns are copies of each other, far less was drawn than there are entries
    draws = kept.size if own[0] == 1.0 and (own[1] == 1.0 or len(kept) == 1) else rows * columns
    likely = (1.0 - p, p, 0.5, 1.0, 0.0, p * p, (1.0 - p) ** 2, 0.5 * math.erfc(p / math.sqrt(2.0)))
    return {
        "share of the entries that are kept": _share(kept, draws, *likely),
        "examples are kept in part": _yes(any(0.0 < row.mean() < 1.0 for row in sides[0])),
        "every example has a mask of its own": _yes(own[0] == 1.0),
        "every unit has a mask of its own": _yes(own[1] == 1.0),
        "the next call draws another mask": _yes((kept != second).any()),
        "a generator with the same seed gives the same mask": _yes((kept == again).all()),
    }


def _yes(flag):
    return "yes" if flag else "no"


def mask_statistics(value, case):
    first, second, again = (np.asarray(M) != 0 for M in value)
    return _draw(first, second, again, case.args[1])


def _scale(y, x):
    """The factor between two arrays where y is not 0, and whether it is one and the same for all entries."""
    there = y != 0
    if not there.any():
        return 0.0, _yes(True)
    ratio = y[there].astype(float) / x[there]
    middle = float(np.median(ratio))
    return middle, _yes(np.all(np.abs(ratio - middle) <= 1e-5 * abs(middle)))


def dropout_statistics(value, case):
    X, p = case.args[:2]
    if "second" in value:
        scale, alike = _scale(value["Y"], X)
        return {
            **_draw(value["Y"] != 0, value["second"] != 0, value["again"] != 0, p),
            "factor of the kept entries": scale,
            "all kept entries have the same factor": alike,
        }
    scale, alike = _scale(value["dX"], case.dout)
    agree = (value["Y"] != 0) == (value["dX"] != 0)
    return {
        "share of the entries whose gradient passes where, and only where, they did": _share(
            agree, agree.size, 1.0, 1.0 - p, p, p * p + (1.0 - p) ** 2
        ),
        "factor of the gradient": scale,
        "all gradients have the same factor": alike,
    }


# --- the penalty ----------------------------------------------------------------------------------------------------


def _penalty_cases(rng):
    def layers(*shapes):
        return [rng.standard_normal(shape) for shape in shapes]

    return [
        Case("three layers", (layers((4, 3), (3, 5), (5, 2)), 0.3)),
        Case("one layer", (layers((2, 4)), 1.5)),
        Case("whole numbers", ([np.array([[1.0, -2.0], [0.0, 2.0]]), np.array([[-3.0, 1.0]])], 0.1)),
        Case("λ = 0", (layers((3, 2), (2, 2)), 0.0)),
        Case("float32", ([W.astype(np.float32) for W in layers((3, 4), (4, 2))], 0.5)),
        Case("two square layers", (layers((3, 3), (3, 3)), 0.7), hidden=True),
    ]


def _penalty_with(measure=lambda W: np.sum(W * W), factor=0.5, which=slice(None)):
    def l2_penalty(weights, lam):
        return factor * lam * sum(measure(W) for W in weights[which])

    return l2_penalty


def _penalty_one_norm(weights, lam):
    return 0.5 * lam * np.sqrt(sum(np.sum(W * W) for W in weights))


def _penalty_square_of_sum(weights, lam):
    return 0.5 * lam * sum(np.sum(W) for W in weights) ** 2


def _penalty_plain(weights, lam):
    return 0.5 * lam * sum(np.sum(W**2) for W in weights)


def _penalty_flat(weights, lam):
    w = np.concatenate([W.ravel() for W in weights])
    return float(lam / 2 * (w @ w))


def _penalty_trace(weights, lam):
    return sum(lam * np.trace(W.T @ W) for W in weights) / 2


def _penalty_loop(weights, lam):
    J = 0.0
    for W in weights:
        for row in W:
            for w in row:
                J += lam * float(w) ** 2 / 2
    return J


def _grad_cases(rng):
    return [
        Case("four by three", (rng.standard_normal((4, 3)), 0.3)),
        Case("λ = 2", (np.array([[1.0, -2.0, 0.0], [0.5, 4.0, -1.0]]), 2.0)),
        Case("square", (rng.standard_normal((3, 3)), 0.05)),
        Case("λ = 0", (rng.standard_normal((2, 5)), 0.0)),
        Case("float32", (rng.standard_normal((3, 2)).astype(np.float32), 0.7)),
        Case("a filter with four axes", (rng.standard_normal((2, 3, 4, 5)), 1.3), hidden=True),
    ]


def _l2_with(gradient):
    def l2_grad(W, lam):
        return gradient(W, lam)

    return l2_grad


def _l2_in_place(W, lam):
    W *= lam
    return W


def _l2_multiply(W, lam):
    return np.multiply(lam, W)


def _l2_own_copy(W, lam):
    dW = W.copy()
    dW *= lam
    return dW


def _l2_list(W, lam):
    return [[lam * w for w in row] for row in W]


_HALF_PENALTY = "Twice what is asked: the ½ is missing. It is there so that the gradient is λW, without a 2."
_SIGN = "The penalty is *added* to the loss: large weights cost something. With a minus they would pay."


def _network_cases(rng):
    def case(name, sizes, lam, hidden=False, dtype=float):
        def arrays():
            return [
                (rng.standard_normal((n, m)).astype(dtype), rng.standard_normal(m).astype(dtype))
                for n, m in pairwise(sizes)
            ]

        return Case(name, (float(rng.uniform(0.5, 2.0)), arrays(), arrays(), lam), hidden=hidden)

    return [
        case("two layers", (4, 3, 2), 0.3),
        case("one layer", (3, 5), 1.2),
        case("three layers", (2, 4, 3, 5), 0.05),
        case("λ = 0", (3, 2), 0.0),
        case("float32", (3, 2, 4), 0.4, dtype=np.float32),
        case("four layers of one width", (3, 3, 3, 3, 3), 0.8, hidden=True),
    ]


def _network_with(
    penalty=lambda W, b: 0.5 * np.sum(W * W),
    weights=lambda dW, W, lam: dW + lam * W,
    biases=lambda db, b, lam: db,
    sign=1.0,
    which=slice(None),
):
    """The penalised loss with another penalty per layer, other gradients, another sign or fewer layers."""

    def penalised_loss(J, grads, params, lam):
        J = J + sign * lam * sum(penalty(W, b) for W, b in params[which])
        return J, [
            (weights(dW, W, sign * lam), biases(db, b, lam)) for (dW, db), (W, b) in zip(grads, params, strict=True)
        ]

    return penalised_loss


def _network_loss_only(J, grads, params, lam):
    return J + 0.5 * lam * sum(np.sum(W * W) for W, b in params), grads


def _network_gradient_only(J, grads, params, lam):
    return J, [(dW + lam * W, db) for (dW, db), (W, b) in zip(grads, params, strict=True)]


def _network_last_layer(J, grads, params, lam):
    for (dW, db), (W, _) in zip(grads, params, strict=True):
        loss, pair = J + 0.5 * lam * np.sum(W * W), (dW + lam * W, db)
    return loss, [*grads[:-1], pair]


def _network_in_place(J, grads, params, lam):
    for (dW, _), (W, _) in zip(grads, params, strict=True):
        J = J + 0.5 * lam * np.sum(W * W)
        dW += lam * W
    return J, grads


def _network_loop(J, grads, params, lam):
    new = []
    for i, (W, _) in enumerate(params):
        J += lam / 2 * np.sum(np.square(W))
        new.append([grads[i][0] + lam * W, grads[i][1]])
    return J, new


def _network_flat(J, grads, params, lam):
    w = np.concatenate([W.ravel() for W, _ in params])
    W, _ = zip(*params, strict=True)
    dW, db = zip(*grads, strict=True)
    return float(J + lam * np.dot(w, w) / 2), list(
        zip([g + x * lam for g, x in zip(dW, W, strict=True)], db, strict=True)
    )


# --- the mask -------------------------------------------------------------------------------------------------------


def _mask_cases(rng):
    def case(name, shape, p, hidden=False):
        seed = int(rng.integers(2**31))
        return Case(name, (shape, p, Rng(seed)), more={"again": Rng(seed)}, hidden=hidden)

    return [
        case("p = 0.2", (200, 150), 0.2),
        case("p = 0.7", (150, 200), 0.7),
        case("p = 0: nothing is dropped", (20, 30), 0.0),
        case("one example", (1, 20000), 0.35),
        case("images", (200, 8, 8, 3), 0.4, hidden=True),
    ]


def _mask_with(keeps):
    def keep_mask(shape, p, rng):
        return keeps(shape, p, rng)

    return keep_mask


def _one_for_all(shape, p, rng):
    return np.broadcast_to(rng.random(shape[1:]) >= p, shape).copy()


def _whole_rows(shape, p, rng):
    kept = rng.random((shape[0], *[1] * (len(shape) - 1))) >= p
    return np.broadcast_to(kept, shape).copy()


def _mask_uniform(shape, p, rng):
    return rng.uniform(size=shape) < 1 - p


def _mask_binomial(shape, p, rng):
    return rng.binomial(1, 1 - p, size=shape)


def _mask_choice(shape, p, rng):
    return rng.choice([True, False], size=shape, p=[1 - p, p])


def _mask_rows(shape, p, rng):
    n = int(np.prod(shape[:-1]))
    return np.array([rng.random(shape[-1]) >= p for _ in range(n)]).reshape(shape)


# --- dropout with a given mask --------------------------------------------------------------------------------------


def _masked_cases(rng):
    def case(name, shape, p, dtype=float, M=None, hidden=False):
        if M is None:
            # Exactly one third dropped, whatever the seed: no mask keeps or drops everything by chance
            n = int(np.prod(shape))
            M = rng.permutation(n).reshape(shape) >= (n + 2) // 3
        X, dY = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
        return Case(name, (X, M, p), dout=dY, hidden=hidden)

    relu = np.array([[0.0, 2.0, 0.0], [1.5, 0.0, 3.0]])
    kept = np.array([[True, True, False], [False, True, True]])
    return [
        case("four examples, p = 0.2", (4, 3), 0.2),
        case("one example, p = 0.5", (1, 6), 0.5),
        case("as many examples as units, p = 0.75", (3, 3), 0.75),
        case("p = 0: all kept", (2, 4), 0.0, M=np.ones((2, 4), dtype=bool)),
        case("float32", (3, 5), 0.3, dtype=np.float32),
        Case("inputs that are 0, as after a ReLU", (relu, kept, 0.25), dout=rng.standard_normal((2, 3))),
        case("images", (2, 3, 3, 2), 0.4, hidden=True),
    ]


def _forward_with(output):
    def masked_forward(X, M, p):
        return output(X, M, p), (M, p)

    return masked_forward


def _backward_with(gradient):
    def masked_backward(dY, cache):
        M, p = cache
        return gradient(dY, M, p)

    return masked_backward


def _masked_rule(x, M, p):
    return M * x / (1 - p)


_masked_right = _forward_with(_masked_rule), _backward_with(_masked_rule)


def _both(rule):
    """The same slip on the way there and back, as it happens to those who copy the line."""
    return _forward_with(rule), _backward_with(rule)


def _from_output(X, M, p):
    Y = M * X / (1 - p)
    return Y, (Y, p)


def _from_output_back(dY, cache):
    Y, p = cache
    return (Y != 0) * dY / (1 - p)


def _forward_in_place(X, M, p):
    X *= M
    X /= 1 - p
    return X, (M, p)


def _scale_forward(X, M, p):
    scale = np.where(M, 1 / (1 - p), 0.0)
    return X * scale, scale


def _scale_backward(dY, cache):
    return cache * dY


def _copy_forward(X, M, p):
    Y = X / (1 - p)
    Y[~M] = 0
    return Y, (M, p)


def _copy_backward(dY, cache):
    M, p = cache
    dX = np.zeros_like(dY)
    dX[M] = dY[M] / (1 - p)
    return dX


# --- dropout --------------------------------------------------------------------------------------------------------


def _dropout_cases(rng):
    def case(name, shape, p, hidden=False, dtype=float, tolerance=None, generator=True, **options):
        seed = int(rng.integers(2**31))
        # No entry of X or dY is 0, so that a 0 in the answer tells what was dropped
        X, dY = (rng.uniform(0.5, 2.0, shape) * rng.choice([-1.0, 1.0], shape) for _ in range(2))
        made = Rng(seed) if generator else None
        return Case(
            name,
            (X.astype(dtype), p, made),
            options,
            dout=dY.astype(dtype),
            more={"again": made},
            hidden=hidden,
            tolerance=tolerance,
        )

    return [
        case("training, p = 0.2", (200, 150), 0.2),
        case("training, p = 0.7", (120, 250), 0.7),
        case("evaluation", (20, 30), 0.3, train=False),
        case("evaluation without a generator", (5, 4), 0.6, train=False, generator=False),
        case("training, p = 0", (6, 5), 0.0),
        # The factor is a quotient of two rounded float32 numbers
        case("training, float32", (150, 160), 0.4, dtype=np.float32, tolerance=1e-5, train=True),
        case("training, images", (150, 8, 8, 3), 0.35, hidden=True),
    ]


def _dropout_with(
    mask=lambda shape, p, rng: rng.random(shape) >= p,
    apply=_masked_rule,
    back=None,
    evaluate=lambda X, p: X.copy(),
    evaluate_back=lambda dY, p: dY.copy(),
    at_test=False,
):
    """Both functions of dropout with one thing changed; `at_test` lets the mask work in evaluation, too."""

    def dropout_forward(X, p, rng, train=True):
        if train or (at_test and rng is not None):
            M = mask(X.shape, p, rng)
            return apply(X, M, p), (M, p)
        return evaluate(X, p), (None, p)

    def dropout_backward(dY, cache):
        M, p = cache
        if M is None:
            return evaluate_back(dY, p)
        return (back or apply)(dY, M, p)

    return dropout_forward, dropout_backward


def _redraws():
    """The backward function draws, from the generator that it finds in the cache."""

    def dropout_forward(X, p, rng, train=True):
        if not train:
            return X.copy(), None
        return (rng.random(X.shape) >= p) * X / (1 - p), (p, rng)

    def dropout_backward(dY, cache):
        if cache is None:
            return dY.copy()
        p, rng = cache
        return (rng.random(dY.shape) >= p) * dY / (1 - p)

    return dropout_forward, dropout_backward


def _dropout_in_place(X, p, rng, train=True):
    if not train:
        return X.copy(), (None, p)
    M = rng.random(X.shape) >= p
    X *= M
    X /= 1 - p
    return X, (M, p)


def _dropout_own_generator(shape, p, rng):
    return np.random.default_rng(0).random(shape) >= p


def _dropout_global_generator(shape, p, rng):
    return np.random.random(shape) >= p  # noqa: NPY002 (it is the mistake)


def _dropout_plain(X, p, rng, train=True):
    if not train:
        return X.copy(), (None, p)
    M = rng.random(X.shape) >= p
    return M * X / (1 - p), (M, p)


def _dropout_plain_back(dY, cache):
    M, p = cache
    return dY.copy() if M is None else M * dY / (1 - p)


def _dropout_scale(X, p, rng, train=True):
    scale = rng.binomial(1, 1 - p, X.shape) / (1 - p) if train else np.ones(X.shape)
    return X * scale, scale


def _dropout_scale_back(dY, cache):
    return np.multiply(dY, cache)


def _dropout_rows(X, p, rng, train=True):
    Y, dropped = np.array(X), np.zeros(X.shape, dtype=bool)
    factor = 1.0
    if train:
        dropped = np.stack([rng.random(row.shape) < p for row in X])
        factor = 1 / (1 - p)
        Y[dropped] = 0.0
        Y *= factor
    return Y, {"dropped": dropped, "factor": factor}


def _dropout_rows_back(dY, cache):
    dX = dY * cache["factor"]
    dX[cache["dropped"]] = 0.0
    return dX


# --- classic dropout ------------------------------------------------------------------------------------------------


def _classic_cases(rng):
    cases = []
    for name, shape, keep, train, hidden in [
        ("training, q = 0.8", (4, 3), 0.8, True, False),
        ("evaluation, q = 0.8", (4, 3), 0.8, False, False),
        ("training, one example, q = 0.3", (1, 6), 0.3, True, False),
        ("evaluation, as many examples as units, q = 0.25", (3, 3), 0.25, False, False),
        ("evaluation, images, q = 0.6", (2, 3, 2, 2), 0.6, False, True),
        ("training, images, q = 0.6", (2, 3, 2, 2), 0.6, True, True),
    ]:
        n = int(np.prod(shape))
        M = rng.permutation(n).reshape(shape) >= (n + 2) // 3
        X, dY = rng.standard_normal(shape), rng.standard_normal(shape)
        cases.append(Case(name, (X, keep, M), {"train": train}, dout=dY, hidden=hidden))
    X, dY = (rng.standard_normal((3, 4)).astype(np.float32) for _ in range(2))
    cases.append(Case("evaluation, float32, no mask given", (X, 0.45, None), {"train": False}, dout=dY))
    return cases


def _classic_with(
    training=lambda x, q, M: M * x,
    testing=lambda x, q, M: q * x,
    training_back=None,
    testing_back=None,
):
    def classic_forward(X, keep, M, train=True):
        rule = training if train else testing
        return rule(X, keep, M), (keep, M, train)

    def classic_backward(dY, cache):
        keep, M, train = cache
        rule = (training_back or training) if train else (testing_back or testing)
        return rule(dY, keep, M)

    return classic_forward, classic_backward


def _mask_if_any(x, M):
    return x.copy() if M is None else M * x


def _classic_in_place(X, keep, M, train=True):
    X *= M if train else keep
    return X, (M if train else keep)


def _classic_where(X, keep, M, train=True):
    return (np.where(M, X, 0.0) if train else np.multiply(keep, X)), (M, keep, train)


def _classic_where_back(dY, cache):
    M, keep, train = cache
    return np.where(M, dY, 0.0) if train else dY * keep


def _classic_copy(X, keep, M, train=True):
    Y = X.copy()
    if train:
        Y[~M] = 0.0
        return Y, ~M
    Y *= keep
    return Y, keep


def _classic_copy_back(dY, cache):
    dX = np.array(dY)
    if isinstance(cache, float):
        dX *= cache
    else:
        dX[cache] = 0.0
    return dX


# --- hints that several exercises share -----------------------------------------------------------------------------

_MUTATES = "The numbers are right, but `*=` and `+=` write into the array of whoever called you. Make a new one."
_SWAPPED = (
    "p is taken for the probability of *keeping* (notes 004 write it so, E32). Here p is the probability of dropping."
)
_NOT_RESCALED = "What is kept stays as large as it was, so the sum over a layer shrinks by 1 − p in training and not in evaluation. Inverted dropout makes up for it at once."
_BACK_UNSCALED = "The output is right. On the way back the factor 1/(1 − p) is missing: Y is X times a constant where it is kept, and so is the gradient."
_BACK_UNMASKED = "The output is right. On the way back everything passes: what was dropped had no influence on the loss, so what is its gradient?"
_BACK_TWICE = "The output is right. On the way back the factor stands there twice."
_DIVIDED_BY_P = "You divide by the probability of being dropped. What share of the sum is left, on average?"
_MULTIPLIED = "What is kept gets smaller; it has to get larger, so that the mean over all masks is the whole network's."
_KEPT_SHARE = "You divide by the share that was kept this time. Asked for is the probability, 1 − p, which does not change from mask to mask."
_ONE_FOR_ALL = "All examples share one mask. Each entry of the array is dropped by itself."
_WHOLE_ROWS = "An example is dropped as a whole or not at all. Each entry is dropped by itself."
_OWN_GENERATOR = "The generator is made anew inside your function, with a fixed seed: every call draws the same mask. Draw from the `rng` that you are given."
_GLOBAL_GENERATOR = "NumPy's global generator is used. Draw from `rng`, or nobody can repeat your training."


_BIAS = "The biases are in the penalty. They shift the boundary and do not bend it: only the weights are penalised."

EXERCISES = [
    Exercise(
        "regularization.l2_penalty",
        regularization.l2_penalty,
        _penalty_cases,
        [
            Mistake("half_missing", _penalty_with(factor=1.0), _HALF_PENALTY),
            Mistake("penalty_subtracted", _penalty_with(factor=-0.5), _SIGN),
            Mistake(
                "norm_not_squared",
                _penalty_with(lambda W: np.sqrt(np.sum(W * W))),
                "You add up the norms. The penalty has their squares: no root.",
            ),
            Mistake(
                "one_norm_not_squared",
                _penalty_one_norm,
                "You take the root of the whole sum. The norms are squared: no root.",
            ),
            Mistake(
                "absolute_for_square",
                _penalty_with(lambda W: np.sum(np.abs(W))),
                "You add up absolute values, which is the L1 penalty. L2 has squares.",
            ),
            Mistake(
                "mean_for_sum",
                _penalty_with(np.mean),
                "You take the mean of the weights themselves. Asked for is the sum of their squares.",
            ),
            Mistake(
                "mean_of_squares",
                _penalty_with(lambda W: np.mean(W * W)),
                "The mean of the squares is taken, so that large layers pay no more than small ones. Here it is the sum.",
                convention=True,
            ),
            Mistake(
                "square_of_sum",
                _penalty_square_of_sum,
                "Square first, then sum: otherwise weights of opposite sign cancel.",
            ),
            Mistake(
                "first_layer_only",
                _penalty_with(which=slice(1)),
                "Only the first layer pays. Sum over all arrays in the list.",
            ),
            Mistake(
                "matrix_product_for_square",
                _penalty_with(lambda W: np.sum(W @ W.T)),
                "W Wᵀ multiplies rows with other rows, too. The Frobenius norm squares each entry by itself.",
            ),
        ],
        [_penalty_plain, _penalty_flat, _penalty_trace, _penalty_loop],
        points=1,
        minutes=4,
        why="The oldest remedy against weights that grow in order to fit noise.",
        hints=(
            "For one array: the sum of the squares of all its entries.",
            "Add up over the list, then multiply by λ/2.",
        ),
        solution=_penalty_plain,
    ),
    Exercise(
        "regularization.l2_grad",
        regularization.l2_grad,
        _grad_cases,
        [
            Mistake(
                "half_missing",
                _l2_with(lambda W, lam: 2 * lam * W),
                "Twice what is asked: the 2 from the square cancels against the ½ of the penalty.",
            ),
            Mistake(
                "half_kept",
                _l2_with(lambda W, lam: 0.5 * lam * W),
                "Half of what is asked: the derivative of a square brings a 2, which cancels the ½.",
            ),
            Mistake(
                "penalty_subtracted",
                _l2_with(lambda W, lam: -lam * W),
                "The sign: this is the direction in which the weights will be moved. The gradient points the other way, to where the penalty grows.",
            ),
            Mistake(
                "absolute_for_square",
                _l2_with(lambda W, lam: lam * np.sign(W)),
                "This is the gradient of the L1 penalty, the same pull on all weights. With L2 large weights are pulled harder.",
            ),
            Mistake(
                "penalty_for_gradient",
                _l2_with(lambda W, lam: 0.5 * lam * np.sum(W * W)),
                "This is the penalty. Its gradient has one number for each weight.",
            ),
            Mistake(
                "square_not_derived",
                _l2_with(lambda W, lam: 0.5 * lam * W * W),
                "These are the summands of the penalty. What is the derivative of w² with respect to w?",
            ),
            Mistake(
                "shrunk_weights",
                _l2_with(lambda W, lam: W - lam * W),
                "You have taken the step already. Asked for is the gradient alone.",
            ),
            Mistake(
                "norm_not_squared",
                _l2_with(lambda W, lam: lam * W / np.sqrt(np.sum(W * W))),
                "This is the gradient of the norm. The penalty has its square, so nothing is divided.",
            ),
            Mistake("mutates_input", _l2_in_place, _MUTATES),
        ],
        [_l2_multiply, _l2_own_copy, _l2_list],
        points=1,
        minutes=2,
        why="A pull towards 0, the harder the farther: subtracted from W it shrinks every weight by the same factor.",
        hints=("Derive ½λw² with respect to one weight w.", "The answer has the shape of W."),
        solution=_l2_multiply,
    ),
    Exercise(
        "regularization.penalised_loss",
        penalised_loss,
        _network_cases,
        [
            Mistake(
                "bias_decayed",
                _network_with(
                    lambda W, b: 0.5 * (np.sum(W * W) + np.sum(b * b)), biases=lambda db, b, lam: db + lam * b
                ),
                _BIAS,
            ),
            Mistake(
                "bias_in_penalty",
                _network_with(lambda W, b: 0.5 * (np.sum(W * W) + np.sum(b * b))),
                "The gradients are right. " + _BIAS,
            ),
            Mistake(
                "bias_in_gradient",
                _network_with(biases=lambda db, b, lam: db + lam * b),
                "The loss is right, and leaves the biases out. So must the gradients: `db` has no part of the penalty.",
            ),
            Mistake(
                "half_missing",
                _network_with(lambda W, b: np.sum(W * W)),
                "The gradients belong to a penalty with ½, the loss has none: a gradient check would not agree.",
            ),
            Mistake(
                "gradient_doubled",
                _network_with(weights=lambda dW, W, lam: dW + 2 * lam * W),
                "The loss has the ½, the gradients have lost it: a gradient check would not agree.",
            ),
            Mistake("penalty_subtracted", _network_with(sign=-1.0), _SIGN),
            Mistake(
                "gradient_subtracted",
                _network_with(weights=lambda dW, W, lam: dW - lam * W),
                "The loss grows with the weights, your gradients say the opposite. Decay comes about because the *step* goes against the gradient.",
            ),
            Mistake(
                "gradient_forgotten",
                _network_loss_only,
                "The loss has its penalty, the gradients do not know of it: nothing would change in training.",
            ),
            Mistake(
                "loss_forgotten",
                _network_gradient_only,
                "The gradients are right; the loss that you return is still the old one.",
            ),
            Mistake(
                "last_layer_only",
                _network_last_layer,
                "Only the last layer is penalised. What you compute in the loop is overwritten in its next turn.",
            ),
            Mistake(
                "gradient_replaced",
                _network_with(weights=lambda dW, W, lam: lam * W),
                "The gradient of the data is gone. The penalty's is added to it.",
            ),
            Mistake("mutates_gradients", _network_in_place, _MUTATES),
        ],
        [_network_loop, _network_flat],
        points=2,
        minutes=6,
        why="Loss and gradient must tell the same story, or a gradient check fails and a training does what nobody asked for.",
        hints=(
            "`for (dW, db), (W, b) in zip(grads, params)` walks through both lists.",
            "The loss grows by λ/2 times all squared weights; your `l2_penalty` may help.",
            "Each dW gets its λW; each db stays as it is.",
        ),
    ),
    Exercise(
        "dropout.keep_mask",
        keep_mask,
        _mask_cases,
        [
            Mistake(
                "keep_drop_swapped", _mask_with(lambda shape, p, rng: rng.random(shape) < p), _SWAPPED, convention=True
            ),
            Mistake("one_mask_for_all", _mask_with(_one_for_all), _ONE_FOR_ALL),
            Mistake("whole_rows", _mask_with(_whole_rows), _WHOLE_ROWS),
            Mistake("mask_never_changes", _mask_with(_dropout_own_generator), _OWN_GENERATOR),
            Mistake("rng_ignored", _mask_with(_dropout_global_generator), _GLOBAL_GENERATOR),
            Mistake(
                "p_ignored",
                _mask_with(lambda shape, p, rng: rng.random(shape) >= 0.5),
                "Half of the entries are dropped, whatever p is.",
            ),
            Mistake(
                "rounded",
                _mask_with(lambda shape, p, rng: np.rint(rng.random(shape) * (1 - p)).astype(bool)),
                "Rounding compares with one half. Which comparison is true with probability 1 − p?",
            ),
            Mistake(
                "normal_for_uniform",
                _mask_with(lambda shape, p, rng: rng.standard_normal(shape) >= p),
                "Your draws come from a normal distribution: the share above p is not 1 − p. Use a uniform one.",
            ),
            Mistake(
                "drawn_twice",
                _mask_with(lambda shape, p, rng: (rng.random(shape) >= p) & (rng.random(shape) >= p)),
                "Each entry has to survive twice. Draw once.",
            ),
            Mistake(
                "nothing_drawn",
                _mask_with(lambda shape, p, rng: np.indices(shape).sum(axis=0) % 100 >= 100 * p),
                "Nothing is drawn: the same entries are dropped each time.",
            ),
        ],
        [_mask_uniform, _mask_binomial, _mask_choice, _mask_rows],
        points=1,
        minutes=4,
        why="The one random line of dropout; everything else follows from it.",
        hints=(
            "`rng.random(shape)` draws uniformly from [0, 1), one number for each entry.",
            "With which probability is such a number smaller than p?",
        ),
        driver=mask_driver,
        measure=mask_statistics,
    ),
    Exercise(
        "dropout.masked",
        (masked_forward, masked_backward),
        _masked_cases,
        [
            Mistake(
                "mask_polarity",
                _both(lambda x, M, p: ~M * x / (1 - p)),
                "What was to be kept is dropped, and the other way round. Here True means kept.",
                convention=True,
            ),
            Mistake("backward_unscaled", (_masked_right[0], _backward_with(lambda dY, M, p: M * dY)), _BACK_UNSCALED),
            Mistake(
                "backward_unmasked", (_masked_right[0], _backward_with(lambda dY, M, p: dY / (1 - p))), _BACK_UNMASKED
            ),
            Mistake(
                "backward_scaled_twice",
                (_masked_right[0], _backward_with(lambda dY, M, p: M * dY / (1 - p) ** 2)),
                _BACK_TWICE,
            ),
            Mistake(
                "gradient_passed_on",
                (_masked_right[0], _backward_with(lambda dY, M, p: dY.copy())),
                "The output is right. The gradient comes back as it arrived: neither mask nor factor.",
            ),
            Mistake("not_rescaled", _both(lambda x, M, p: M * x), _NOT_RESCALED),
            Mistake("divided_by_p", _both(lambda x, M, p: M * x / np.float64(p)), _DIVIDED_BY_P),
            Mistake("multiplied", _both(lambda x, M, p: M * x * (1 - p)), _MULTIPLIED),
            Mistake("rescaled_by_kept_share", _both(lambda x, M, p: M * x / np.mean(M)), _KEPT_SHARE),
            Mistake(
                "dropped_taken_out",
                _both(lambda x, M, p: x[M] / (1 - p)),
                "The dropped entries are taken out of the array. They stay in their places, as zeros.",
            ),
            Mistake(
                "mask_from_output",
                (_from_output, _from_output_back),
                "On the way back you guess the mask from Y ≠ 0. An input may be 0 and kept: put the mask itself into the cache.",
            ),
            Mistake("mutates_input", (_forward_in_place, _masked_right[1]), _MUTATES),
        ],
        [(_scale_forward, _scale_backward), (_copy_forward, _copy_backward), _masked_right],
        points=2,
        minutes=6,
        why="The division by 1 − p lets evaluation use the network as it is.",
        hints=(
            "True and False multiply as 1 and 0.",
            "The cache holds what the way back needs: the mask, and p.",
            "Y is X times a constant, entry by entry. So dX is dY times the same constants.",
        ),
    ),
    Exercise(
        "dropout.dropout",
        (dropout.dropout_forward, dropout.dropout_backward),
        _dropout_cases,
        [
            Mistake(
                "scaled_at_test",
                _dropout_with(evaluate=lambda X, p: X * (1 - p), evaluate_back=lambda dY, p: dY * (1 - p)),
                "The scaling was done in training, by 1/(1 − p). In evaluation nothing is left to be done.",
            ),
            Mistake(
                "enlarged_at_test",
                _dropout_with(evaluate=lambda X, p: X / (1 - p), evaluate_back=lambda dY, p: dY / (1 - p)),
                "In evaluation nothing is dropped, so there is nothing to make up for: no division there.",
            ),
            Mistake(
                "active_at_test",
                _dropout_with(at_test=True),
                "Entries are dropped in evaluation, too: where does your code look at `train`?",
            ),
            Mistake(
                "keep_drop_swapped",
                _dropout_with(lambda shape, p, rng: rng.random(shape) < p, lambda x, M, p: M * x / p if p else M * x),
                _SWAPPED,
                convention=True,
            ),
            Mistake(
                "mask_swapped",
                _dropout_with(lambda shape, p, rng: rng.random(shape) < p),
                "You keep with probability p and rescale as if you had kept with 1 − p. p is the probability of dropping.",
            ),
            Mistake("backward_unscaled", _dropout_with(back=lambda dY, M, p: M * dY), _BACK_UNSCALED),
            Mistake("backward_unmasked", _dropout_with(back=lambda dY, M, p: dY / (1 - p)), _BACK_UNMASKED),
            Mistake("backward_scaled_twice", _dropout_with(back=lambda dY, M, p: M * dY / (1 - p) ** 2), _BACK_TWICE),
            Mistake(
                "mask_redrawn",
                _redraws(),
                "The output is right, but the way back draws a mask of its own, so gradients reach entries that were dropped. The cache has to carry the mask.",
            ),
            Mistake("not_rescaled", _dropout_with(apply=lambda x, M, p: M * x), _NOT_RESCALED),
            Mistake(
                "multiplied",
                _dropout_with(apply=lambda x, M, p: M * x * (1 - p)),
                _MULTIPLIED,
            ),
            Mistake("rescaled_by_kept_share", _dropout_with(apply=lambda x, M, p: M * x / np.mean(M)), _KEPT_SHARE),
            Mistake("one_mask_for_all", _dropout_with(_one_for_all), _ONE_FOR_ALL),
            Mistake("whole_rows", _dropout_with(_whole_rows), _WHOLE_ROWS),
            Mistake("mask_never_changes", _dropout_with(_dropout_own_generator), _OWN_GENERATOR),
            Mistake("rng_ignored", _dropout_with(_dropout_global_generator), _GLOBAL_GENERATOR),
            Mistake(
                "evaluation_stops_gradient",
                _dropout_with(evaluate_back=lambda dY, p: np.zeros_like(dY)),
                "After an evaluation no gradient comes back. There Y = X: what is dX then?",
            ),
            Mistake("mutates_input", (_dropout_in_place, _dropout_plain_back), _MUTATES),
        ],
        [
            (_dropout_plain, _dropout_plain_back),
            (_dropout_scale, _dropout_scale_back),
            (_dropout_rows, _dropout_rows_back),
        ],
        points=3,
        minutes=8,
        why="Every minibatch trains another thinned network; the whole one, used afterwards, is their average.",
        hints=(
            "Two ways: with `train`, a new mask and the rule from above; without, X as it is, as a copy.",
            "The way back has to know which of the two it was: put the mask, or None, into the cache.",
            "Never draw on the way back.",
        ),
        driver=dropout_driver,
        parts=("forward", "backward"),
        measure=dropout_statistics,
        solution=(_dropout_plain, _dropout_plain_back),
    ),
    Exercise(
        "dropout.classic",
        (classic_forward, classic_backward),
        _classic_cases,
        [
            Mistake(
                "backward_unscaled",
                _classic_with(testing_back=lambda dY, q, M: dY.copy()),
                "The output is right. In evaluation Y = qX: the gradient has that factor, too.",
            ),
            Mistake(
                "backward_unmasked",
                _classic_with(training_back=lambda dY, q, M: dY.copy()),
                _BACK_UNMASKED,
            ),
            Mistake(
                "backward_scaled_in_training",
                _classic_with(training_back=lambda dY, q, M: q * M * dY),
                "The output is right. In training Y = M ⊙ X, without a factor, so the gradient has none either.",
            ),
            Mistake(
                "inverted_for_classic",
                _classic_with(lambda x, q, M: M * x / q, lambda x, q, M: x.copy()),
                "This is inverted dropout, as in the exercise above: scaled in training. The classic form scales in evaluation instead.",
                convention=True,
            ),
            Mistake(
                "scaled_in_training_too",
                _classic_with(lambda x, q, M: M * x / q),
                "Scaled twice: 1/q in training *and* q in evaluation. The classic form does it in evaluation only.",
            ),
            Mistake(
                "not_rescaled",
                _classic_with(testing=lambda x, q, M: x.copy()),
                "In evaluation all entries are there, and the sums are larger than anything the next layer has seen in training. Which factor puts that right?",
            ),
            Mistake(
                "keep_drop_swapped",
                _classic_with(testing=lambda x, q, M: (1 - q) * x),
                "The factor in evaluation is the probability of dropping. Here the argument, `keep`, is already the probability of keeping.",
                convention=True,
            ),
            Mistake(
                "active_at_test",
                _classic_with(testing=lambda x, q, M: _mask_if_any(x, M)),
                "The mask works in evaluation, too. There nothing is dropped, but everything is made smaller.",
            ),
            Mistake(
                "enlarged_at_test",
                _classic_with(testing=lambda x, q, M: x / q),
                "In evaluation the entries get larger; with all of them there, each has to get smaller.",
            ),
            Mistake(
                "mask_polarity",
                _classic_with(lambda x, q, M: ~M * x),
                "What was to be kept is dropped, and the other way round. Here True means kept.",
                convention=True,
            ),
            Mistake("mutates_input", (_classic_in_place, _classic_where_back), _MUTATES),
        ],
        [(_classic_where, _classic_where_back), (_classic_copy, _classic_copy_back)],
        points=2,
        minutes=6,
        why="Papers and notes write either form; whoever mixes the two trains one network and tests another.",
        hints=(
            "In training: the mask alone. In evaluation: q alone.",
            "In both modes Y is X times something. That something is all that the way back needs.",
        ),
    ),
]
