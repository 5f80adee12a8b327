"""Exercises of the layers topic, with the losses."""

import numpy as np

from dlcourse import layers, losses

from ..checks.exercise import Case, Exercise, Mistake

# --- what the answers below have in common --------------------------------------------------------------------------


def _f(u):
    """The sigmoid, of either sign without overflow."""
    e = np.exp(-np.abs(u))
    return np.where(u >= 0, 1.0, e) / (1.0 + e)


def _softplus(u):
    return np.maximum(u, 0) + np.log1p(np.exp(-np.abs(u)))


def _softmax(z, axis=1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _log_softmax(z, axis=1):
    shifted = z - z.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def _softmax_unshifted(z):
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


def _indicator(labels, K):
    """The indicator matrix of labels (N,); probabilities (N, K) as they are."""
    return labels if labels.ndim == 2 else (labels[:, None] == np.arange(K)).astype(float)


def _as_asked(x, reduction):
    return len(x) if reduction == "mean" else 1


def _never(x, reduction):
    return 1


def _always(x, reduction):
    return len(x)


def _by_entries(x, reduction):
    return x.size if reduction == "mean" else 1


# --- linear layer ---------------------------------------------------------------------------------------------------


def _linear_cases(rng):
    def case(name, N, D, K, dtype=float, **options):
        arrays = (rng.standard_normal(shape).astype(dtype) for shape in ((N, D), (D, K), (K,), (N, K)))
        *args, dout = arrays
        return Case(name, tuple(args), dout=dout, **options)

    whole = np.array([[1, -2, 3], [0, 2, -1], [4, 1, 1], [-3, 0, 2]])
    fractions = np.array([[0.25, -0.5], [1.5, 0.75], [-0.125, 2.25]]), np.array([0.5, -0.25])
    return [
        case("five examples, three inputs, two neurons", 5, 3, 2),
        case("one example", 1, 4, 3),
        case("float32", 4, 2, 3, np.float32),
        case("as many examples as inputs and neurons", 3, 3, 3),
        Case("integer examples", (whole, *fractions), dout=rng.standard_normal((4, 2))),
        case("one neuron", 6, 2, 1, hidden=True),
    ]


def _linear_forward(X, W, b):
    return X @ W + b, (X, W)


def _linear_backward(dU, cache):
    X, W = cache
    return dU @ W.T, X.T @ dU, dU.sum(axis=0)


def _forward_no_bias(X, W, b):
    return X @ W, (X, W)


def _forward_bias_subtracted(X, W, b):
    return X @ W - b, (X, W)


def _forward_transposed(X, W, b):
    return X @ W.T + b, (X, W)


def _forward_elementwise(X, W, b):
    return X * W + b, (X, W)


def _forward_integer(X, W, b):
    U = np.zeros((len(X), W.shape[1]), dtype=X.dtype)
    U[:] = X @ W + b
    return U, (X, W)


def _forward_bias_before(X, W, b):
    return X @ (W + b), (X, W)


def _backward_no_transpose(dU, cache):
    X, W = cache
    return dU @ W.T, X @ dU, dU.sum(axis=0)


def _backward_weights_not_transposed(dU, cache):
    X, W = cache
    return dU @ W, X.T @ dU, dU.sum(axis=0)


def _backward_dW_transposed(dU, cache):
    X, W = cache
    return dU @ W.T, dU.T @ X, dU.sum(axis=0)


def _backward_bias_kept(dU, cache):
    X, W = cache
    return dU @ W.T, X.T @ dU, dU


def _backward_bias_over_neurons(dU, cache):
    X, W = cache
    return dU @ W.T, X.T @ dU, dU.sum(axis=1)


def _backward_bias_ones(dU, cache):
    X, W = cache
    return dU @ W.T, X.T @ dU, np.full(dU.shape[1], float(len(dU)))


def _backward_mean(dU, cache):
    X, W = cache
    return dU @ W.T, X.T @ dU / len(dU), dU.mean(axis=0)


def _backward_order(dU, cache):
    X, W = cache
    return X.T @ dU, dU.sum(axis=0), dU @ W.T


def _backward_no_upstream(dU, cache):
    X, W = cache
    ones = np.ones_like(dU)
    return ones @ W.T, X.T @ ones, ones.sum(axis=0)


def _linear_einsum_forward(X, W, b):
    return np.einsum("nd,dk->nk", X, W) + b, {"inputs": X.copy(), "weights": W.copy()}


def _linear_einsum_backward(dU, cache):
    dX = np.einsum("nk,dk->nd", dU, cache["weights"])
    return dX, np.einsum("nd,nk->dk", cache["inputs"], dU), np.einsum("nk->k", dU)


def _linear_loop_forward(X, W, b):
    return [[sum(x * w for x, w in zip(row, W.T[k], strict=True)) + b[k] for k in range(len(b))] for row in X], (X, W)


def _linear_loop_backward(dU, cache):
    X, W = cache
    dX, dW, db = np.zeros(X.shape), np.zeros(W.shape), np.zeros(W.shape[1])
    for n, (x, du) in enumerate(zip(X, dU, strict=True)):
        dX[n] = W @ du
        dW += np.outer(x, du)
        db += du
    return dX, dW, db


def _linear_augmented_forward(X, W, b):
    Z, V = np.column_stack([X, np.ones(len(X))]), np.vstack([W, b])
    return Z @ V, (Z, V)


def _linear_augmented_backward(dU, cache):
    Z, V = cache
    dV = np.matmul(Z.T, dU)
    return np.dot(dU, V.T)[:, :-1], dV[:-1], dV[-1]


# --- half the squared error -----------------------------------------------------------------------------------------


def _real_pair(rng, *shape, dtype=float):
    return rng.standard_normal(shape).astype(dtype), rng.standard_normal(shape).astype(dtype)


_WHOLE = np.array([[1, -2], [0, 3], [2, 2], [-1, 1]])
_FRACTIONS = np.array([[0.5, 0.25], [-0.75, 1.5], [2.5, -0.5], [0.25, 0.75]])


def _half_cases(rng):
    return [
        Case("five examples, three outputs", _real_pair(rng, 5, 3)),
        Case("the mean over five examples", _real_pair(rng, 5, 3), {"reduction": "mean"}),
        Case("one example", _real_pair(rng, 1, 4)),
        Case("float32", _real_pair(rng, 4, 2, dtype=np.float32), {"reduction": "sum"}),
        Case("one output, shape (N,)", _real_pair(rng, 6)),
        Case("integer predictions", (_WHOLE, _FRACTIONS)),
        Case("the mean with three axes", _real_pair(rng, 2, 3, 4), {"reduction": "mean"}, hidden=True),
    ]


def _column_if_vector(D):
    return D[:, None] if D.ndim == 1 else D


def _half_with(terms, divisor=_as_asked):
    """Half the squared error with one thing changed."""

    def half_squared_error(Y, D, reduction="sum"):
        return terms(Y, D) / divisor(Y, reduction)

    return half_squared_error


_half_no_half = _half_with(lambda Y, D: np.sum((D - Y) ** 2))
_half_sum = _half_with(lambda Y, D: 0.5 * np.sum((D - Y) ** 2), _never)
_half_mean = _half_with(lambda Y, D: 0.5 * np.sum((D - Y) ** 2), _always)
_half_entries = _half_with(lambda Y, D: 0.5 * np.sum((D - Y) ** 2), _by_entries)
_half_absolute = _half_with(lambda Y, D: 0.5 * np.sum(np.abs(D - Y)))
_half_square_of_sum = _half_with(lambda Y, D: 0.5 * np.sum(D - Y) ** 2)
_half_root = _half_with(lambda Y, D: 0.5 * np.sqrt(np.sum((D - Y) ** 2)))
_half_kept = _half_with(lambda Y, D: 0.5 * np.sum((D - Y) ** 2, axis=-1))
_half_outer = _half_with(lambda Y, D: 0.5 * np.sum((_column_if_vector(D) - Y) ** 2))


def _half_dot(Y, D, reduction="sum"):
    r = np.ravel(np.asarray(Y, dtype=float) - D)
    J = np.dot(r, r) / 2
    return J / Y.shape[0] if reduction == "mean" else J


def _half_loop(Y, D, reduction="sum"):
    J = 0.0
    for y, d in zip(Y, D, strict=True):
        J += float(np.square(y - d).sum())
    return J / (2 * len(Y)) if reduction == "mean" else J / 2


_half_grad_ascent = _half_with(lambda Y, D: D - Y)
_half_grad_twice = _half_with(lambda Y, D: 2 * (Y - D))
_half_grad_halved = _half_with(lambda Y, D: 0.5 * (Y - D))
_half_grad_sum = _half_with(lambda Y, D: Y - D, _never)
_half_grad_mean = _half_with(lambda Y, D: Y - D, _always)
_half_grad_entries = _half_with(lambda Y, D: Y - D, _by_entries)
_half_grad_summed = _half_with(lambda Y, D: np.sum(Y - D, axis=0))
_half_grad_outer = _half_with(lambda Y, D: Y - _column_if_vector(D))
_half_grad_square = _half_with(lambda Y, D: 0.5 * (D - Y) ** 2)


def _half_grad_integer(Y, D, reduction="sum"):
    dY = np.empty_like(Y)
    dY[...] = (Y - D) / _as_asked(Y, reduction)
    return dY


def _half_grad_loop(Y, D, reduction="sum"):
    factor = 1 / len(Y) if reduction == "mean" else 1.0
    return [factor * (y - d) for y, d in zip(Y, D, strict=True)]


def _half_grad_in_place(Y, D, reduction="sum"):
    dY = np.array(Y, dtype=float)
    dY -= D
    if reduction == "mean":
        dY /= dY.shape[0]
    return dY


# --- the gradients at the preactivations ----------------------------------------------------------------------------


def _delta_cases(rng):
    """Targets first, as the notes write it."""
    return [
        Case("five examples, three outputs", _real_pair(rng, 5, 3)),
        Case("one example", _real_pair(rng, 1, 4)),
        Case("float32", _real_pair(rng, 4, 2, dtype=np.float32)),
        Case("integer outputs", (_FRACTIONS, _WHOLE)),
        Case("as many examples as outputs", _real_pair(rng, 3, 3), hidden=True),
    ]


def _delta_with(delta):
    def layer_delta(D, U):
        return delta(D, U)

    return layer_delta


_linear_delta_ascent = _delta_with(lambda D, Y: D - Y)
_linear_delta_twice = _delta_with(lambda D, Y: -2 * (D - Y))
_linear_delta_mean = _delta_with(lambda D, Y: -(D - Y) / len(D))
_linear_delta_spurious = _delta_with(lambda D, Y: -(D - Y) * Y * (1 - Y))
_linear_delta_absolute = _delta_with(lambda D, Y: np.abs(D - Y))
_linear_delta_square = _delta_with(lambda D, Y: 0.5 * (D - Y) ** 2)
_linear_delta_summed = _delta_with(lambda D, Y: -(D - Y).sum(axis=0))
_linear_delta_minus_target_only = _delta_with(lambda D, Y: -D - Y)


def _linear_delta_integer(D, Y):
    delta = np.zeros_like(Y)
    delta[:] = Y - D
    return delta


def _linear_delta_subtract(D, Y):
    return np.subtract(Y, D)


def _linear_delta_list(D, Y):
    return [[float(y) - float(d) for y, d in zip(*rows, strict=True)] for rows in zip(Y, D, strict=True)]


def _sigmoid_delta_cases(rng):
    def classes(N, K):
        D = rng.integers(0, 2, (N, K)).astype(float)
        D[0, :2] = 0.0, 1.0
        return D

    return [
        Case("five examples, three outputs", (classes(5, 3), rng.standard_normal((5, 3)))),
        Case("one example", (classes(1, 4), rng.standard_normal((1, 4)))),
        Case("float32", (classes(4, 2).astype(np.float32), rng.standard_normal((4, 2)).astype(np.float32))),
        Case("targets between 0 and 1", (rng.uniform(0.1, 0.9, (3, 3)), rng.standard_normal((3, 3)))),
        # An entry near 0 beside them: y(1 − y) is a right formula, although it has no digits left at 30
        Case("u = ±30", (np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[30.0, 30.0], [-30.0, 0.5]]))),
        Case("integer preactivations", (np.abs(_FRACTIONS) / 4, _WHOLE)),
        Case("seven examples", (classes(7, 2), 3 * rng.standard_normal((7, 2))), hidden=True),
    ]


_sigmoid_delta_no_derivative = _delta_with(lambda D, U: -(D - _f(U)))
_sigmoid_delta_ascent = _delta_with(lambda D, U: (D - _f(U)) * _f(U) * _f(-U))
_sigmoid_delta_at_output = _delta_with(lambda D, U: -(D - _f(U)) * _f(_f(U)) * _f(-_f(U)))
_sigmoid_delta_of_input = _delta_with(lambda D, U: -(D - _f(U)) * U * (1 - U))
_sigmoid_delta_twice = _delta_with(lambda D, U: -2 * (D - _f(U)) * _f(U) * _f(-U))
_sigmoid_delta_mean = _delta_with(lambda D, U: -(D - _f(U)) * _f(U) * _f(-U) / len(D))
_sigmoid_delta_linear = _delta_with(lambda D, U: -(D - U) * _f(U) * _f(-U))
_sigmoid_delta_tanh = _delta_with(lambda D, U: -(D - _f(U)) * (1 - _f(U) ** 2))
_sigmoid_delta_swapped = _delta_with(lambda D, U: -(U - _f(D)) * _f(D) * _f(-D))


def _sigmoid_delta_integer(D, U):
    delta = np.zeros_like(U)
    delta[:] = -(D - _f(U)) * _f(U) * _f(-U)
    return delta


def _sigmoid_delta_outputs(D, U):
    Y = 1 / (1 + np.exp(-np.asarray(U)))
    return (Y - D) * (Y - Y**2)


def _sigmoid_delta_tanh_form(D, U):
    t = np.tanh(U / 2)
    return 0.25 * (0.5 + 0.5 * t - D) * (1 - t * t)


# --- binary cross-entropy -------------------------------------------------------------------------------------------


def _logit_cases(rng):
    def pair(*shape, dtype=float):
        d = rng.integers(0, 2, shape)
        d.flat[:2] = [0, 1]
        return rng.standard_normal(shape).astype(dtype), d.astype(dtype)

    saturated = np.array([[1000.0, -1000.0], [-1000.0, 1000.0], [500.0, -500.0]])
    wrong = np.array([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    return [
        Case("five examples, three outputs", pair(5, 3)),
        Case("the sum over five examples", pair(5, 3), {"reduction": "sum"}),
        Case("one example", pair(1, 4)),
        Case("float32", pair(4, 2, dtype=np.float32)),
        Case("one output, shape (N,)", pair(6)),
        Case("targets between 0 and 1", (rng.standard_normal((3, 3)), rng.uniform(0.1, 0.9, (3, 3)))),
        Case("u = ±1000", (saturated, wrong)),
        Case("u = ±40", (np.array([[40.0, -40.0], [-40.0, 40.0]]), np.array([[0.0, 1.0], [0.0, 0.0]]))),
        Case("integer logits", (_WHOLE, np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 1.0]]))),
        Case("the sum with seven examples", pair(7, 2), {"reduction": "sum"}, hidden=True),
    ]


def _logits_with(terms, divisor=_as_asked):
    """A loss of logits, or its gradient, with one thing changed."""

    def loss(u, d, reduction="mean"):
        return terms(u, d) / divisor(u, reduction)

    return loss


def _bce_terms(u, d):
    return np.sum(d * _softplus(-u) + (1 - d) * _softplus(u))


def _bce_naive_terms(u, d):
    y = _f(u)
    return -np.sum(d * np.log(y) + (1 - d) * np.log(1 - y))


def _bce_clipped_terms(u, d):
    y = np.clip(_f(u), 1e-7, 1 - 1e-7)
    return -np.sum(d * np.log(y) + (1 - d) * np.log(1 - y))


def _bce_outer_terms(u, d):
    return _bce_terms(u, _column_if_vector(d))


_bce_log_of_zero = _logits_with(_bce_naive_terms)
_bce_clipped = _logits_with(_bce_clipped_terms)
_bce_sign = _logits_with(lambda u, d: -_bce_terms(u, d))
_bce_swapped = _logits_with(lambda u, d: _bce_terms(-u, d))
_bce_half = _logits_with(lambda u, d: np.sum(d * _softplus(-u)))
_bce_sum = _logits_with(_bce_terms, _never)
_bce_mean = _logits_with(_bce_terms, _always)
_bce_entries = _logits_with(_bce_terms, _by_entries)
_bce_outer = _logits_with(_bce_outer_terms)
_bce_twice = _logits_with(lambda u, d: _bce_terms(_f(u), d))
_bce_thresholded = _logits_with(lambda u, d: np.sum(np.where(d > 0.5, _softplus(-u), _softplus(u))))
_bce_overflow = _logits_with(lambda u, d: np.sum(d * np.log(1 + np.exp(-u)) + (1 - d) * np.log(1 + np.exp(u))))


def _bce_logaddexp(u, d, reduction="mean"):
    J = np.sum(np.logaddexp(0, u) - d * u)
    return J / u.shape[0] if reduction == "mean" else J


def _bce_loop(u, d, reduction="mean"):
    J = 0.0
    for value, target in zip(np.ravel(u), np.ravel(d), strict=True):
        J += max(value, 0.0) - value * target + np.log1p(np.exp(-abs(value)))
    return float(J / len(u)) if reduction == "mean" else float(J)


_bce_grad_ascent = _logits_with(lambda u, d: d - _f(u))
_bce_grad_spurious = _logits_with(lambda u, d: (_f(u) - d) * _f(u) * _f(-u))
_bce_grad_linear = _logits_with(lambda u, d: u - d)
_bce_grad_sum = _logits_with(lambda u, d: _f(u) - d, _never)
_bce_grad_mean = _logits_with(lambda u, d: _f(u) - d, _always)
_bce_grad_entries = _logits_with(lambda u, d: _f(u) - d, _by_entries)
_bce_grad_thresholded = _logits_with(lambda u, d: (u > 0) - d)
_bce_grad_outer = _logits_with(lambda u, d: _f(u) - _column_if_vector(d))
_bce_grad_twice = _logits_with(lambda u, d: _f(_f(u)) - d)


def _bce_grad_chain_terms(u, d):
    y = _f(u)
    return ((1 - d) / (1 - y) - d / y) * y * (1 - y)


def _bce_grad_by_p_terms(u, d):
    y = np.clip(_f(u), 1e-12, 1 - 1e-12)
    return (1 - d) / (1 - y) - d / y


_bce_grad_chain = _logits_with(_bce_grad_chain_terms)
_bce_grad_by_p = _logits_with(_bce_grad_by_p_terms)


def _bce_grad_integer(u, d, reduction="mean"):
    du = np.zeros_like(u)
    du[...] = (_f(u) - d) / _as_asked(u, reduction)
    return du


def _bce_grad_tanh_form(u, d, reduction="mean"):
    du = 0.5 * np.tanh(0.5 * u)
    du += 0.5
    du -= d
    return du / len(du) if reduction == "mean" else du


def _bce_grad_branches(u, d, reduction="mean"):
    e = np.exp(-np.abs(u))
    y = np.where(u < 0, e / (1 + e), 1 / (1 + e))
    return np.true_divide(y - d, {"mean": u.shape[0], "sum": 1}[reduction])


# --- classes --------------------------------------------------------------------------------------------------------


def _one_hot_cases(rng):
    return [
        Case("five examples, four classes", (np.array([2, 0, 3, 3, 1]), 4)),
        Case("a class that does not occur", (np.array([1, 0, 1]), 5)),
        Case("one example", (np.array([1]), 3)),
        Case("as many examples as classes", (np.array([1, 2, 0]), 3)),
        Case("True and False", (np.array([1, 0, 2, 2]), 3), {"dtype": "bool"}, weight=0.5),
        Case("many examples", (np.append([9, 0], rng.integers(0, 9, 30)), 11), hidden=True),
    ]


def _one_hot_transposed(labels, K, dtype=None):
    return np.eye(K, dtype=dtype or float)[:, labels]


def _one_hot_largest_label(labels, K, dtype=None):
    return np.eye(labels.max() + 1, dtype=dtype or float)[labels]


def _one_hot_from_one(labels, K, dtype=None):
    return np.eye(K, dtype=dtype or float)[labels - 1]


def _one_hot_every_row(labels, K, dtype=None):
    out = np.zeros((len(labels), K), dtype=dtype)
    out[:, labels] = 1
    return out


def _one_hot_label_values(labels, K, dtype=None):
    out = np.zeros((len(labels), K), dtype=dtype)
    out[np.arange(len(labels)), labels] = labels
    return out


def _one_hot_complement(labels, K, dtype=None):
    return (labels[:, None] != np.arange(K)).astype(dtype or float)


def _one_hot_dtype_ignored(labels, K, dtype=None):
    return np.eye(K)[labels]


def _one_hot_loop(labels, K, dtype=None):
    out = np.zeros((len(labels), K), dtype=dtype)
    for n, label in enumerate(labels):
        out[n, label] = 1
    return out


def _one_hot_fancy(labels, K, dtype=None):
    out = np.zeros((len(labels), K), dtype=dtype or np.float64)
    out[range(len(labels)), labels] = 1
    return out


def _one_hot_lists(labels, K, dtype=None):
    one, zero = (True, False) if dtype else (1.0, 0.0)
    return [[one if k == label else zero for k in range(K)] for label in labels]


def _labels(rng, N, K):
    """Labels of which at least two differ, so that no column is everybody's."""
    labels = rng.integers(0, K, N)
    labels[:2] = [K - 1, 0][:N]
    return labels


_LARGE = np.array([[1000.0, 0.0, -1000.0], [-1000.0, 990.0, 1000.0], [3.0, 1000.0, 1000.0], [-2.0, -1.0, -1000.0]])
_UNLIKELY = np.array([[0.0, -1000.0, -2000.0], [-800.0, 0.0, -1.0]])


def _class_cases(rng, arguments):
    """Logits and labels; `arguments` puts them into the call's order."""

    def case(name, N, K, dtype=float, scale=1.0, **options):
        z = (scale * rng.standard_normal((N, K))).astype(dtype)
        return Case(name, arguments(z, _labels(rng, N, K)), **options)

    return [
        case("five examples, three classes", 5, 3),
        case("one example", 1, 4),
        case("float32", 4, 2, np.float32),
        case("as many examples as classes", 4, 4),
        # terms: exp(z − log Σ eᶻ) is right, too, and carries the rounding of a number of size 1000
        Case("logits of ±1000, the likely class", arguments(_LARGE, np.array([0, 2, 1, 1])), terms=1000),
        Case("a class of probability 0", arguments(_UNLIKELY, np.array([1, 0])), terms=1000),
        Case("integer logits", arguments(_WHOLE, np.array([1, 0, 0, 1]))),
        case("seven examples", 7, 2, scale=3.0, hidden=True),
    ]


def _delta_of(gradient):
    """A softmax layer's delta from gradient(logits, indicator)."""

    def softmax_layer_delta(labels, U):
        return gradient(U, _indicator(labels, U.shape[1]))

    return softmax_layer_delta


_softmax_delta_ascent = _delta_of(lambda U, K: K - _softmax(U))
_softmax_delta_unshifted = _delta_of(lambda U, K: _softmax_unshifted(U) - K)
_softmax_delta_wrong_axis = _delta_of(lambda U, K: _softmax(U, axis=0) - K)
_softmax_delta_no_axis = _delta_of(lambda U, K: _softmax(U, axis=None) - K)
_softmax_delta_twice = _delta_of(lambda U, K: _softmax(_softmax(U)) - K)
_softmax_delta_mean = _delta_of(lambda U, K: (_softmax(U) - K) / len(U))
_softmax_delta_spurious = _delta_of(lambda U, K: (_softmax(U) - K) * _softmax(U) * (1 - _softmax(U)))
_softmax_delta_no_indicator = _delta_of(lambda U, K: _softmax(U))
_softmax_delta_label_only = _delta_of(lambda U, K: K * (_softmax(U) - 1))
_softmax_delta_sigmoid = _delta_of(lambda U, K: _f(U) - K)


def _softmax_delta_labels(labels, U):
    return _softmax(U) - labels[:, None]


def _softmax_delta_every_row(labels, U):
    delta = _softmax(U)
    delta[:, labels] -= 1
    return delta


def _softmax_delta_integer(labels, U):
    delta = np.zeros_like(U)
    delta[:] = _softmax(U) - _indicator(labels, U.shape[1])
    return delta


def _softmax_delta_minus_one(labels, U):
    delta = np.exp(U - np.max(U, axis=-1)[:, None])
    delta /= np.sum(delta, axis=-1)[:, None]
    delta[np.arange(len(labels)), labels] -= 1
    return delta


def _softmax_delta_loop(labels, U):
    rows = []
    for label, u in zip(labels, U, strict=True):
        e = np.exp(u - max(u))
        row = e / e.sum()
        row[label] = row[label] - 1
        rows.append(row)
    return rows


def _entropy_cases(rng):
    def soft(N, K, **options):
        D = rng.uniform(0.1, 1.0, (N, K))
        return (rng.standard_normal((N, K)), D / D.sum(axis=1, keepdims=True)), options

    cases = _class_cases(rng, lambda z, labels: (z, labels))
    z, labels = rng.standard_normal((5, 3)), _labels(rng, 5, 3)
    cases.insert(1, Case("the sum over five examples", (z, labels), {"reduction": "sum"}))
    args, _ = soft(4, 3)
    cases.append(Case("probabilities for labels", args))
    args, _ = soft(3, 3)
    cases.append(Case("probabilities for labels, the sum", args, {"reduction": "sum"}, hidden=True))
    return cases


def _entropy_with(log_p, divisor=_as_asked, sign=-1):
    """Cross-entropy from another logarithm of the probabilities."""

    def softmax_cross_entropy(logits, labels, reduction="mean"):
        D, logs = _indicator(labels, logits.shape[1]), log_p(logits)
        # Where D is 0 nothing is charged, whatever the logarithm is
        return sign * np.sum(np.where(D == 0, 0.0, D * logs)) / divisor(logits, reduction)

    return softmax_cross_entropy


def _log_sum_exp_unshifted(z):
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


_entropy_sign = _entropy_with(_log_softmax, sign=1)
_entropy_sum = _entropy_with(_log_softmax, _never)
_entropy_mean = _entropy_with(_log_softmax, _always)
_entropy_entries = _entropy_with(_log_softmax, _by_entries)
_entropy_unshifted = _entropy_with(lambda z: np.log(_softmax_unshifted(z)))
_entropy_lse_unshifted = _entropy_with(_log_sum_exp_unshifted)
_entropy_log_of_zero = _entropy_with(lambda z: np.log(_softmax(z)))
_entropy_clipped = _entropy_with(lambda z: np.log(np.clip(_softmax(z), 1e-12, 1.0)))
_entropy_wrong_axis = _entropy_with(lambda z: _log_softmax(z, axis=0))
_entropy_no_axis = _entropy_with(lambda z: _log_softmax(z, axis=None))
_entropy_twice = _entropy_with(lambda z: _log_softmax(_softmax(z)))
_entropy_no_log = _entropy_with(_softmax)
_entropy_log2 = _entropy_with(lambda z: _log_softmax(z) / np.log(2.0))


def _log_softmax_integer(z):
    logs = np.zeros_like(z)
    logs[:] = _log_softmax(z)
    return logs


_entropy_integer = _entropy_with(_log_softmax_integer)


def _entropy_every_row(logits, labels, reduction="mean"):
    logs = _log_softmax(logits)
    picked = logs[:, labels] if labels.ndim == 1 else labels * logs
    return -np.sum(picked) / _as_asked(logits, reduction)


def _entropy_rounded(logits, labels, reduction="mean"):
    if labels.ndim == 2:
        labels = labels.argmax(axis=1)
    return -np.sum(_log_softmax(logits)[np.arange(len(labels)), labels]) / _as_asked(logits, reduction)


def _entropy_gather(logits, labels, reduction="mean"):
    m = logits.max(axis=1)
    total = m + np.log(np.exp(logits - m[:, None]).sum(axis=1))
    if np.ndim(labels) == 1:
        each = total - logits[np.arange(len(labels)), labels]
    else:
        each = total - np.einsum("nk,nk->n", labels, logits)
    return each.mean() if reduction == "mean" else each.sum()


def _entropy_loop(logits, labels, reduction="mean"):
    J = 0.0
    for z, label in zip(logits, labels, strict=True):
        log_p = z - np.logaddexp.reduce(z)
        J -= float(log_p @ label) if np.ndim(label) else float(log_p[label])
    return J / len(logits) if reduction == "mean" else J


def _entropy_grad_with(gradient, divisor=_as_asked):
    """Its gradient from another gradient(logits, indicator)."""

    def softmax_cross_entropy_grad(logits, labels, reduction="mean"):
        return gradient(logits, _indicator(labels, logits.shape[1])) / divisor(logits, reduction)

    return softmax_cross_entropy_grad


_entropy_grad_ascent = _entropy_grad_with(lambda z, D: D - _softmax(z))
_entropy_grad_sum = _entropy_grad_with(lambda z, D: _softmax(z) - D, _never)
_entropy_grad_mean = _entropy_grad_with(lambda z, D: _softmax(z) - D, _always)
_entropy_grad_entries = _entropy_grad_with(lambda z, D: _softmax(z) - D, _by_entries)
_entropy_grad_unshifted = _entropy_grad_with(lambda z, D: _softmax_unshifted(z) - D)
_entropy_grad_wrong_axis = _entropy_grad_with(lambda z, D: _softmax(z, axis=0) - D)
_entropy_grad_no_axis = _entropy_grad_with(lambda z, D: _softmax(z, axis=None) - D)
_entropy_grad_twice = _entropy_grad_with(lambda z, D: _softmax(_softmax(z)) - D)
_entropy_grad_spurious = _entropy_grad_with(lambda z, D: (_softmax(z) - D) * _softmax(z) * (1 - _softmax(z)))
_entropy_grad_by_p = _entropy_grad_with(lambda z, D: -D / np.maximum(_softmax(z), 1e-12))
_entropy_grad_label_only = _entropy_grad_with(lambda z, D: D * (_softmax(z) - 1))


def _entropy_grad_integer(logits, labels, reduction="mean"):
    dz = np.zeros_like(logits)
    dz[:] = (_softmax(logits) - _indicator(labels, logits.shape[1])) / _as_asked(logits, reduction)
    return dz


def _entropy_grad_rounded(logits, labels, reduction="mean"):
    if labels.ndim == 2:
        labels = labels.argmax(axis=1)
    return (_softmax(logits) - _indicator(labels, logits.shape[1])) / _as_asked(logits, reduction)


def _entropy_grad_minus_one(logits, labels, reduction="mean"):
    z = np.array(logits, dtype=float)
    z -= z.max(axis=1, keepdims=True)
    dz = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    if labels.ndim == 1:
        dz[np.arange(len(dz)), labels] -= 1
    else:
        dz -= labels
    if reduction == "mean":
        dz /= len(dz)
    return dz


def _entropy_grad_loop(logits, labels, reduction="mean"):
    rows = []
    for z, label in zip(logits, labels, strict=True):
        p = np.exp(z - np.logaddexp.reduce(z))
        target = label if np.ndim(label) else [float(k == label) for k in range(len(z))]
        rows.append((p - target) / (len(logits) if reduction == "mean" else 1))
    return np.array(rows)


# --- the exercises --------------------------------------------------------------------------------------------------

_ASCENT = "Following this downhill makes the loss grow. If an output is larger than its target, which way should it be pushed, and which sign has the gradient then?"
_ALWAYS_SUM = (
    'Your answer is the sum whatever `reduction` says. For "mean" the sum is divided by N, the number of examples.'
)
_ALWAYS_MEAN = 'Your answer is divided by N whatever `reduction` says. For "sum" nothing is divided.'
_ENTRIES = (
    '"mean" here divides by N, the number of examples alone: the outputs of one example are summed, not averaged.'
)
_SUM_ASKED = "The delta rules of the notes belong to a loss *summed* over the batch: nothing is divided by N here."
_OUTER = "Look at the case of shape (N,): an array of shape (N, 1) against one of shape (N,) gives (N, N), every target against every output."
_INTEGER = "Right for decimal inputs. The case with integers fails because your result is kept in an array that took its dtype from the input: what dtype does `zeros_like` or `empty_like` choose then?"
_SHIFT = "exp(1000) is infinite, and infinity divided by itself is NaN. Softmax does not change when the same number is taken off all logits of a row: which one keeps exp in bounds?"
_WRONG_AXIS = "Your probabilities sum to 1 over the *examples*, down each column. The classes of one example, a row, compete with each other."
_NO_AXIS = "Your probabilities sum to 1 over the whole matrix. Each example, a row, has its own sum of 1: `axis` and `keepdims` of the sum decide that."
_TWICE = "Softmax (or sigmoid) is applied twice, which flattens the probabilities. The arguments are logits, and one pass through it is enough."
_LABEL_ONLY = "Only the label's column moves. Softmax couples the classes: raising one logit lowers all the others' probabilities, so every column has a gradient."
_EVERY_ROW = "`a[:, labels]` takes the columns of *all* labels in *every* row. You want one entry from each row, so the rows need an index, too."
_SPURIOUS_CLASS = "The factor f(1 − f) does not belong here: the derivative of softmax has already cancelled against that of the logarithm. Work it out once for a single example."
_ROUNDED = "Labels may come as probabilities (N, K): every class counts with its share, not only the largest."

EXERCISES = [
    Exercise(
        "layers.linear",
        (layers.linear_forward, layers.linear_backward),
        _linear_cases,
        [
            Mistake(
                "bias_forgotten",
                (_forward_no_bias, _linear_backward),
                "Something of U = XW + b is missing: with all inputs 0 your layer answers 0.",
            ),
            Mistake("bias_subtracted", (_forward_bias_subtracted, _linear_backward), "Look at the sign of the bias."),
            Mistake(
                "weights_transposed",
                (_forward_transposed, _linear_backward),
                "W is (D, K) already, inputs by neurons. Write the shapes of X and W side by side: which axes have to meet?",
            ),
            Mistake(
                "elementwise_for_dot",
                (_forward_elementwise, _linear_backward),
                "`*` multiplies entry by entry. Each neuron needs the sum of inputs times weights: a matrix product.",
            ),
            Mistake(
                "bias_before_product",
                (_forward_bias_before, _linear_backward),
                "The bias is added once to each neuron's sum, not to every weight.",
            ),
            Mistake("integer_buffer", (_forward_integer, _linear_backward), _INTEGER),
            Mistake(
                "missing_transpose",
                (_linear_forward, _backward_no_transpose),
                "dW has the shape of W, (D, K), and the sum runs over the N examples: which axis of X has to stand where?",
            ),
            Mistake(
                "weights_not_transposed",
                (_linear_forward, _backward_weights_not_transposed),
                "dX goes from K neurons back to D inputs, against the direction of the forward pass: how must W stand for that?",
            ),
            Mistake(
                "gradient_transposed",
                (_linear_forward, _backward_dW_transposed),
                "dW should have the shape of W, so that W − α dW can be formed. Yours is its transpose.",
            ),
            Mistake(
                "bias_not_summed",
                (_linear_forward, _backward_bias_kept),
                "All examples share one bias for each neuron, so their gradients add up: db has shape (K,).",
            ),
            Mistake(
                "bias_over_neurons",
                (_linear_forward, _backward_bias_over_neurons),
                "db is summed over the wrong axis: one number for each neuron, a sum over the examples.",
            ),
            Mistake(
                "bias_gradient_of_ones",
                (_linear_forward, _backward_bias_ones),
                "∂U/∂b is 1, but db still takes the upstream gradient: what flows into each neuron is dU.",
            ),
            Mistake(
                "upstream_ignored",
                (_linear_forward, _backward_no_upstream),
                "These are the layer's own derivatives. The chain rule multiplies each of them with dU, which your function does not use.",
            ),
            Mistake(
                "gradients_out_of_order",
                (_linear_forward, _backward_order),
                "The gradients come in the order of the forward's arguments: X, W, b.",
            ),
            Mistake(
                "mean_for_sum",
                (_linear_forward, _backward_mean),
                "You divide by N. A layer does not know how the loss was averaged: that factor is in dU already, and here everything is summed.",
                convention=True,
            ),
        ],
        [
            (_linear_einsum_forward, _linear_einsum_backward),
            (_linear_loop_forward, _linear_loop_backward),
            (_linear_augmented_forward, _linear_augmented_backward),
        ],
        points=3,
        minutes=12,
        why="Every layer of this course, convolution and attention included, is this product with another way of filling X.",
        hints=(
            "Write the shapes under the letters: U (N, K), X (N, D), W (D, K), b (K,).",
            "Keep in the cache what the backward pass needs: look at its formulas, two arrays do.",
            "Each gradient has the shape of its own array, and only one order and transposition of the two factors gives it.",
            "b was copied to every example on the way forward; on the way back its gradients are added up.",
        ),
    ),
    Exercise(
        "losses.half_squared_error",
        losses.half_squared_error,
        _half_cases,
        [
            Mistake(
                "wrong_factor",
                _half_no_half,
                "Twice what is asked: the ½ is missing, which makes the gradient come out without a 2.",
            ),
            Mistake("sum_for_mean", _half_sum, _ALWAYS_SUM, convention=True),
            Mistake("mean_for_sum", _half_mean, _ALWAYS_MEAN, convention=True),
            Mistake("mean_over_entries", _half_entries, _ENTRIES, convention=True),
            Mistake("absolute_for_square", _half_absolute, "The differences are squared here, not made positive."),
            Mistake(
                "square_of_sum",
                _half_square_of_sum,
                "Square first, then sum: otherwise errors of opposite sign cancel.",
            ),
            Mistake(
                "root_taken",
                _half_root,
                "‖d − y‖² is the *squared* length: after squaring and summing no root is taken.",
            ),
            Mistake(
                "not_summed",
                _half_kept,
                "A loss is one number for the whole batch; you keep one for each example.",
            ),
            Mistake("outer_product_target", _half_outer, _OUTER),
        ],
        [_half_dot, _half_loop],
        points=1,
        minutes=4,
        why="The loss of a linear output, and the place to meet `reduction`: its factor changes what a learning rate means.",
        hints=(
            "The difference, squared, summed over everything, halved.",
            "The number of examples is `len(Y)`, whatever the other axes are.",
        ),
    ),
    Exercise(
        "losses.half_squared_error_grad",
        losses.half_squared_error_grad,
        _half_cases,
        [
            Mistake("ascent", _half_grad_ascent, _ASCENT),
            Mistake(
                "wrong_factor",
                _half_grad_twice,
                "Twice what is asked. Which factor does the loss have in front, and what does the derivative of the square do to it?",
            ),
            Mistake(
                "half_kept",
                _half_grad_halved,
                "Half of what is asked: the ½ of the loss cancels against the 2 that the square brings down.",
            ),
            Mistake("integer_buffer", _half_grad_integer, _INTEGER),
            Mistake("sum_for_mean", _half_grad_sum, _ALWAYS_SUM, convention=True),
            Mistake("mean_for_sum", _half_grad_mean, _ALWAYS_MEAN, convention=True),
            Mistake("mean_over_entries", _half_grad_entries, _ENTRIES, convention=True),
            Mistake(
                "summed_over_examples",
                _half_grad_summed,
                "Every prediction has its own derivative, so the gradient has the shape of Y: nothing is summed.",
            ),
            Mistake("outer_product_target", _half_grad_outer, _OUTER),
            Mistake(
                "loss_for_gradient",
                _half_grad_square,
                "This is each entry's loss. Asked is its derivative: what becomes of the square?",
            ),
        ],
        [_half_grad_loop, _half_grad_in_place],
        points=1,
        minutes=3,
        why="It must carry exactly the loss's factor, or a gradient check fails and the learning rate is silently another.",
        hints=(
            "Differentiate ½(d − y)² by y for a single entry.",
            "Whatever divides the loss divides its gradient.",
        ),
    ),
    Exercise(
        "layers.linear_delta",
        layers.linear_delta,
        _delta_cases,
        [
            Mistake("ascent", _linear_delta_ascent, _ASCENT + " (The targets D come first in the call.)"),
            Mistake(
                "wrong_factor",
                _linear_delta_twice,
                "Twice what is asked: the loss is ½ Σ (D − Y)², and the ½ takes care of the 2.",
            ),
            Mistake("mean_for_sum", _linear_delta_mean, _SUM_ASKED, convention=True),
            Mistake(
                "spurious_derivative",
                _linear_delta_spurious,
                "Y(1 − Y) is the slope of a sigmoid. A linear output has Y = U: what is its slope?",
            ),
            Mistake("integer_buffer", _linear_delta_integer, _INTEGER),
            Mistake(
                "sign_lost",
                _linear_delta_absolute,
                "The gradient says in which direction each output is wrong; the absolute value forgets it.",
            ),
            Mistake(
                "loss_for_gradient",
                _linear_delta_square,
                "This is each entry's loss, ½(D − Y)². Asked is its derivative by Y.",
            ),
            Mistake(
                "summed_over_examples",
                _linear_delta_summed,
                "∇_U J has one row for each example; the sum over them comes later, in dW and db.",
            ),
            Mistake(
                "minus_misplaced",
                _linear_delta_minus_target_only,
                "The minus stands before the whole bracket: −(D − Y) is not −D − Y.",
            ),
        ],
        [_linear_delta_subtract, _linear_delta_list],
        points=1,
        minutes=2,
        why="All that a linear layer needs to know about its loss; with `linear_backward` behind it, it learns.",
        hints=(
            "Y = U for linear outputs.",
            "Mind the order of the arguments: the target comes first, as in the notes.",
        ),
    ),
    Exercise(
        "layers.sigmoid_layer_delta",
        layers.sigmoid_layer_delta,
        _sigmoid_delta_cases,
        [
            Mistake(
                "missing_activation_derivative",
                _sigmoid_delta_no_derivative,
                "Between J and U stands the sigmoid, and its slope belongs into the chain rule. (With cross-entropy for the loss it would cancel; with the squared error it stays, E05.)",
            ),
            Mistake(
                "derivative_at_output",
                _sigmoid_delta_at_output,
                "The slope is taken at f(U), after the sigmoid. It belongs at U. If you call `sigmoid_grad`, look at what it expects.",
            ),
            Mistake(
                "input_for_output",
                _sigmoid_delta_of_input,
                "f′ = f(1 − f) with f(U) in it. You put U itself there.",
            ),
            Mistake("ascent", _sigmoid_delta_ascent, _ASCENT),
            Mistake(
                "wrong_factor",
                _sigmoid_delta_twice,
                "Twice what is asked: the ½ of the loss takes care of the 2.",
            ),
            Mistake("mean_for_sum", _sigmoid_delta_mean, _SUM_ASKED, convention=True),
            Mistake(
                "activation_forgotten",
                _sigmoid_delta_linear,
                "The target is compared with the output f(U), not with the preactivation.",
            ),
            Mistake("tanh_derivative", _sigmoid_delta_tanh, "1 − y² is the slope of tanh. The sigmoid's is another."),
            Mistake(
                "arguments_swapped",
                _sigmoid_delta_swapped,
                "The targets come first in this call, the preactivations second: the sigmoid went over the targets.",
            ),
            Mistake("integer_buffer", _sigmoid_delta_integer, _INTEGER),
        ],
        [_sigmoid_delta_outputs, _sigmoid_delta_tanh_form],
        points=1,
        minutes=4,
        why="The factor f′(U) is nearly 0 where a neuron is far off: here vanishing gradients begin.",
        hints=(
            "Chain rule: ∂J/∂U = ∂J/∂Y · ∂Y/∂U.",
            "The first factor is that of the linear layer, with Y = f(U).",
            "The second is f(U)(1 − f(U)); or `sigmoid_grad`, which takes U.",
        ),
    ),
    Exercise(
        "losses.binary_cross_entropy_with_logits",
        losses.binary_cross_entropy_with_logits,
        _logit_cases,
        [
            Mistake(
                "log_of_zero",
                _bce_log_of_zero,
                "Right for small u. At u = 1000 the sigmoid rounds to 1 and log(1 − 1) is −∞. Write −log f(u) as a function of u, without the probability in between.",
            ),
            Mistake(
                "overflow",
                _bce_overflow,
                "The idea is right, but exp(1000) overflows. log(1 + e^u) can be written so that exp only ever sees a negative number; `softplus` does.",
            ),
            Mistake(
                "probability_clipped",
                _bce_clipped,
                "Clipping hides how wrong the neuron is: at u = 1000 the loss is 1000, not log(10⁷) ≈ 16. Work with u, not with the probability.",
            ),
            Mistake(
                "cost_sign",
                _bce_sign,
                "This is the log-likelihood, which is to be large. The loss is its negative (notes 001 slip here, E08).",
            ),
            Mistake(
                "terms_swapped",
                _bce_swapped,
                "The output is charged for being right: which of the two terms belongs to d = 1?",
            ),
            Mistake(
                "negative_class_ignored",
                _bce_half,
                "Outputs with d = 0 are charged nothing: the second term is missing.",
            ),
            Mistake("sum_for_mean", _bce_sum, _ALWAYS_SUM, convention=True),
            Mistake("mean_for_sum", _bce_mean, _ALWAYS_MEAN, convention=True),
            Mistake("mean_over_entries", _bce_entries, _ENTRIES, convention=True),
            Mistake("outer_product_target", _bce_outer, _OUTER),
            Mistake(
                "sigmoid_twice",
                _bce_twice,
                _TWICE,
            ),
            Mistake(
                "targets_rounded",
                _bce_thresholded,
                "Targets may lie between 0 and 1: both terms count, each with its share, rather than one of them.",
            ),
        ],
        [_bce_logaddexp, _bce_loop],
        points=2,
        minutes=8,
        why="Computed from logits it survives any input; computed from a probability it turns into NaN in the middle of a training.",
        hints=(
            "−log σ(u) = log(1 + e^(−u)), and −log(1 − σ(u)) = log(1 + e^u).",
            "`softplus(u)` from the course is log(1 + e^u) without overflow.",
            "Weigh the two with d and 1 − d, sum everything, then look at `reduction`.",
        ),
    ),
    Exercise(
        "losses.binary_cross_entropy_with_logits_grad",
        losses.binary_cross_entropy_with_logits_grad,
        _logit_cases,
        [
            Mistake("ascent", _bce_grad_ascent, _ASCENT),
            Mistake(
                "spurious_derivative",
                _bce_grad_spurious,
                "The factor f′(u) belongs to the squared error. Here it cancels against the derivative of the logarithm: work it out once on paper.",
            ),
            Mistake(
                "log_of_zero",
                _bce_grad_chain,
                "The chain rule is right, but at u = ±1000 it divides 0 by 0: the sigmoid has rounded to 0 or 1. Multiply it out on paper first; hardly anything is left.",
            ),
            Mistake(
                "gradient_by_probability",
                _bce_grad_by_p,
                "This is ∂J/∂p, the gradient at the probability. One more link of the chain leads to the logit u.",
            ),
            Mistake(
                "activation_forgotten",
                _bce_grad_linear,
                "The target is compared with the probability σ(u), not with the logit.",
            ),
            Mistake(
                "thresholded",
                _bce_grad_thresholded,
                "The gradient needs the probability σ(u), not the decided class.",
            ),
            Mistake("sum_for_mean", _bce_grad_sum, _ALWAYS_SUM, convention=True),
            Mistake("mean_for_sum", _bce_grad_mean, _ALWAYS_MEAN, convention=True),
            Mistake("mean_over_entries", _bce_grad_entries, _ENTRIES, convention=True),
            Mistake("integer_buffer", _bce_grad_integer, _INTEGER),
            Mistake("outer_product_target", _bce_grad_outer, _OUTER),
            Mistake("sigmoid_twice", _bce_grad_twice, _TWICE),
        ],
        [_bce_grad_tanh_form, _bce_grad_branches],
        points=1,
        minutes=5,
        why="Output minus target again: sigmoid and cross-entropy are made for each other.",
        hints=(
            "Differentiate d·log(1 + e^(−u)) + (1 − d)·log(1 + e^u) by u.",
            "The derivative of log(1 + e^u) is σ(u), and 1 − σ(u) = σ(−u).",
        ),
    ),
    Exercise(
        "layers.one_hot",
        layers.one_hot,
        _one_hot_cases,
        [
            Mistake(
                "transposed",
                _one_hot_transposed,
                "Examples are rows: (N, K), each row with a single 1. Yours has the classes as rows.",
            ),
            Mistake(
                "classes_from_labels",
                _one_hot_largest_label,
                "The number of columns is K, as given, not what the largest label of this batch suggests: a class may be missing in a batch.",
            ),
            Mistake(
                "labels_from_one",
                _one_hot_from_one,
                "Classes are counted from 0: label 0 belongs in the first column. (An index of −1 is the last one, without a complaint.)",
            ),
            Mistake("every_row", _one_hot_every_row, _EVERY_ROW),
            Mistake(
                "label_as_entry",
                _one_hot_label_values,
                "The 1 says *which* class it is by its place. You wrote the label's number there.",
            ),
            Mistake("complement", _one_hot_complement, "Zeros and ones are exchanged."),
            Mistake(
                "dtype_ignored",
                _one_hot_dtype_ignored,
                "All right but for the type: entries are float64 unless `dtype` asks for something else.",
            ),
        ],
        [_one_hot_loop, _one_hot_fancy, _one_hot_lists],
        points=1,
        minutes=4,
        why="It turns a class, which has no size and no order, into numbers that can be subtracted.",
        hints=(
            "Compare each label with each of 0, 1, …, K − 1.",
            "Labels as a column, classes as a row: broadcasting makes the (N, K) table.",
            "Or: rows of an identity matrix.",
        ),
    ),
    Exercise(
        "layers.softmax_layer_delta",
        layers.softmax_layer_delta,
        lambda rng: _class_cases(rng, lambda z, labels: (labels, z)),
        [
            Mistake(
                "ascent",
                _softmax_delta_ascent,
                "The sign: the notes' two-layer network leaves the minus out in one place (E04). The logit of the right class should *grow* in a step against the gradient.",
            ),
            Mistake("no_max_shift", _softmax_delta_unshifted, _SHIFT),
            Mistake("wrong_axis", _softmax_delta_wrong_axis, _WRONG_AXIS),
            Mistake("no_axis", _softmax_delta_no_axis, _NO_AXIS),
            Mistake("softmax_twice", _softmax_delta_twice, _TWICE),
            Mistake("integer_buffer", _softmax_delta_integer, _INTEGER),
            Mistake("mean_for_sum", _softmax_delta_mean, _SUM_ASKED, convention=True),
            Mistake("spurious_derivative", _softmax_delta_spurious, _SPURIOUS_CLASS),
            Mistake(
                "indicator_forgotten",
                _softmax_delta_no_indicator,
                "These are the probabilities. Where do the labels come in?",
            ),
            Mistake("label_column_only", _softmax_delta_label_only, _LABEL_ONLY),
            Mistake(
                "labels_for_indicator",
                _softmax_delta_labels,
                "The labels' numbers are subtracted from every column. Class 3 is not three times class 1: the indicator matrix is what goes there.",
            ),
            Mistake("every_row", _softmax_delta_every_row, _EVERY_ROW),
            Mistake(
                "sigmoid_for_softmax",
                _softmax_delta_sigmoid,
                "Each class is squashed by itself. Softmax makes the K probabilities of an example sum to 1.",
            ),
        ],
        [_softmax_delta_minus_one, _softmax_delta_loop],
        points=2,
        minutes=6,
        why="Probabilities minus truth: the output layer of nearly every classifier learns from this one line.",
        hints=(
            "Softmax over the classes, row by row.",
            "The indicator matrix of the labels is your `one_hot`.",
            "Every row of the answer sums to 0: try it.",
        ),
    ),
    Exercise(
        "losses.softmax_cross_entropy",
        losses.softmax_cross_entropy,
        _entropy_cases,
        [
            Mistake("no_max_shift", _entropy_unshifted, _SHIFT),
            Mistake(
                "log_sum_exp_overflow",
                _entropy_lse_unshifted,
                "The logarithm is in the right place, but its sum of exponentials overflows at 1000. Take the row's largest logit out of the sum first, and add it again after the logarithm.",
            ),
            Mistake(
                "log_of_zero",
                _entropy_log_of_zero,
                "A probability below 1e−308 rounds to 0, and its logarithm is −∞. Let the logarithm and the exponential cancel on paper before anything is computed: log p = z − log Σ eᶻ.",
            ),
            Mistake(
                "probability_clipped",
                _entropy_clipped,
                "Clipping hides how wrong the prediction is: a class 1000 below the best costs 1000. Work with the logits, not with the probability.",
            ),
            Mistake("wrong_axis", _entropy_wrong_axis, _WRONG_AXIS),
            Mistake("no_axis", _entropy_no_axis, _NO_AXIS),
            Mistake("softmax_twice", _entropy_twice, _TWICE),
            Mistake("integer_buffer", _entropy_integer, _INTEGER),
            Mistake(
                "cost_sign",
                _entropy_sign,
                "This is the log-likelihood, which is to be large. The loss is its negative: never below 0.",
            ),
            Mistake("sum_for_mean", _entropy_sum, _ALWAYS_SUM, convention=True),
            Mistake("mean_for_sum", _entropy_mean, _ALWAYS_MEAN, convention=True),
            Mistake("mean_over_entries", _entropy_entries, _ENTRIES, convention=True),
            Mistake("every_row", _entropy_every_row, _EVERY_ROW),
            Mistake("soft_labels_rounded", _entropy_rounded, _ROUNDED),
            Mistake(
                "logarithm_forgotten",
                _entropy_no_log,
                "You sum probabilities. The loss charges minus the *logarithm* of each.",
            ),
            Mistake(
                "logarithm_base",
                _entropy_log2,
                "Bits instead of nats: the logarithm here is the natural one.",
                convention=True,
            ),
        ],
        [_entropy_gather, _entropy_loop],
        points=3,
        minutes=12,
        why="The loss of classifiers and language models alike; half of all NaNs in training come from writing it carelessly.",
        hints=(
            "log p = z − log Σ eᶻ: no probability is needed.",
            "With m the largest logit of a row, log Σ eᶻ = m + log Σ e^(z − m).",
            "Labels (N,): pick one entry of log p from each row, with `np.arange(N)` for the rows. Labels (N, K): weigh log p with them.",
            "`labels.ndim` tells which of the two came.",
        ),
    ),
    Exercise(
        "losses.softmax_cross_entropy_grad",
        losses.softmax_cross_entropy_grad,
        _entropy_cases,
        [
            Mistake("ascent", _entropy_grad_ascent, _ASCENT),
            Mistake("no_max_shift", _entropy_grad_unshifted, _SHIFT),
            Mistake("wrong_axis", _entropy_grad_wrong_axis, _WRONG_AXIS),
            Mistake("no_axis", _entropy_grad_no_axis, _NO_AXIS),
            Mistake("softmax_twice", _entropy_grad_twice, _TWICE),
            Mistake("integer_buffer", _entropy_grad_integer, _INTEGER),
            Mistake("sum_for_mean", _entropy_grad_sum, _ALWAYS_SUM, convention=True),
            Mistake("mean_for_sum", _entropy_grad_mean, _ALWAYS_MEAN, convention=True),
            Mistake("mean_over_entries", _entropy_grad_entries, _ENTRIES, convention=True),
            Mistake("spurious_derivative", _entropy_grad_spurious, _SPURIOUS_CLASS),
            Mistake(
                "gradient_by_probability",
                _entropy_grad_by_p,
                "This is ∂J/∂p, the gradient at the probabilities. The way back to the logits goes through softmax, too.",
            ),
            Mistake("label_column_only", _entropy_grad_label_only, _LABEL_ONLY),
            Mistake("soft_labels_rounded", _entropy_grad_rounded, _ROUNDED),
        ],
        [_entropy_grad_minus_one, _entropy_grad_loop],
        points=2,
        minutes=6,
        why="The same line as the softmax layer's delta, with the factor of the reduction: one formula, two names in the books.",
        hints=(
            "For labels (N,) and a sum you have written it already.",
            "For probabilities (N, K) they take the place of the indicator matrix.",
            "Whatever divides the loss divides its gradient.",
        ),
    ),
]
