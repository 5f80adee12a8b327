"""Exercises of the neurons topic."""

import numpy as np

from dlcourse import neurons

from ..checks.drivers import Named, Rng, WrongAnswer, kind
from ..checks.exercise import Case, Exercise, Mistake

# --- data -----------------------------------------------------------------------------------------------------------


def _examples(rng, N=5, D=3):
    """X, w, b of different sizes, so that no transposition goes unnoticed."""
    return rng.standard_normal((N, D)), rng.standard_normal(D), float(rng.standard_normal())


def _three(rng, targets, far=None):
    """The cases that most exercises share: a batch, one example, float32, and examples far from the boundary."""
    X, w, b = _examples(rng)
    cases = [Case("five examples", (X, *targets(rng, 5), w, b))]
    X, w, b = _examples(rng, N=1, D=4)
    cases.append(Case("one example", (X, *targets(rng, 1), w, b)))
    X, w, b = _examples(rng, N=4, D=2)
    single = [t.astype(np.float32) if t.dtype.kind == "f" else t for t in targets(rng, 4)]
    cases.append(Case("float32", (X.astype(np.float32), *single, w.astype(np.float32), b)))
    X, w, b = _examples(rng, N=3, D=3)
    cases.append(Case("as many examples as inputs", (X, *targets(rng, 3), w, b)))
    X, w, b = _examples(rng, N=7, D=2)
    cases.append(Case("integer examples", (rng.integers(-3, 4, (7, 2)), *targets(rng, 7), w, b), hidden=True))
    if far:
        cases.append(Case(f"u = ±{far:g}", (np.array([[far], [-far], [far / 2]]), *targets(rng, 3), np.ones(1), 0.0)))
    return cases


def _nothing(rng, N):
    return ()


def _real(rng, N):
    return (rng.standard_normal(N),)


def _classes(rng, N):
    d = rng.integers(0, 2, N)
    d[:2] = [0, 1][:N]
    return (d,)


def _signs(rng, N):
    """Targets −1 and +1 with both present."""
    return (2 * _classes(rng, N)[0] - 1,)


def _f(u):
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-u))


# --- preactivation --------------------------------------------------------------------------------------------------


def _preactivation_elementwise(X, w, b):
    return X * w + b


def _preactivation_no_bias(X, w, b):
    return X @ w


def _preactivation_bias_per_input(X, w, b):
    return (X + b) @ w


def _preactivation_column(X, w, b):
    return X @ w[:, None] + b


def _preactivation_subtracts_bias(X, w, b):
    return X @ w - b


def _preactivation_loop(X, w, b):
    return [sum(x * weight for x, weight in zip(row, w, strict=True)) + b for row in X]


def _preactivation_einsum(X, w, b):
    return np.einsum("nd,d->n", X, w) + b


# --- the perceptron -------------------------------------------------------------------------------------------------


def _boundary_cases(rng):
    """Predictions: a batch, and examples exactly on the boundary."""
    X, w, b = _examples(rng, N=9)
    on = np.array([[1.0, 1.0], [2.0, -2.0], [0.0, 0.0], [0.125, 0.25], [-0.125, -0.25]])
    return [
        Case("nine examples", (X, w, b)),
        Case("examples on the boundary and near it", (on, np.array([1.0, 1.0]), 0.0)),
        Case("one example", (X[:1], -w, -b)),
        Case("u = ±1000", (np.array([[1000.0], [-1000.0]]), np.ones(1), 0.0), hidden=True),
    ]


def _predict_numpy_sign(X, w, b):
    return np.sign(X @ w + b).astype(int)


def _predict_zero_one(X, w, b):
    return (X @ w + b >= 0).astype(int)


def _predict_boolean(X, w, b):
    return X @ w + b >= 0


def _predict_inverted(X, w, b):
    return np.where(X @ w + b >= 0, -1, 1)


def _predict_loop(X, w, b):
    return [1 if row @ w + b >= 0 else -1 for row in X]


def _predict_where(X, w, b):
    return np.where(np.dot(X, w) < -b, -1, 1)


def _distance_cases(rng):
    X, w, b = _examples(rng, N=6)
    return [
        Case("six examples", (X, w, b)),
        Case("weights of length 5", (np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([3.0, 4.0]), -5.0)),
        Case("float32", (X.astype(np.float32), w.astype(np.float32), b)),
        Case("one example", (X[:1], 10 * w, b), hidden=True),
    ]


def _distance_not_normalised(X, w, b):
    return X @ w + b


def _distance_squared_norm(X, w, b):
    return (X @ w + b) / (w @ w)


def _distance_unsigned(X, w, b):
    return np.abs(X @ w + b) / np.sqrt(w @ w)


def _distance_bias_outside(X, w, b):
    return X @ w / np.linalg.norm(w) + b


def _distance_l1(X, w, b):
    return (X @ w + b) / np.abs(w).sum()


def _distance_unit_vector(X, w, b):
    length = np.linalg.norm(w)
    return X @ (w / length) + b / length


def _distance_loop(X, w, b):
    return [float((row @ w + b) / np.sum(w**2) ** 0.5) for row in X]


def _criterion_cases(rng):
    def mixed(rng, N):
        return _signs(rng, N)

    cases = _three(rng, mixed)
    w = np.array([1.0, -2.0])
    X = np.array([[2.0, 0.5], [-1.0, 1.0], [0.0, 3.0], [4.0, 1.0]])
    y = np.where(X @ w >= 0, 1, -1)
    flipped = y * np.array([1, -1, 1, -1])
    cases.append(Case("half of them misclassified", (X, flipped, w, 0.0)))
    boundary = (np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]]), np.array([1, -1, 1]), np.array([0.0, 1.0]), 0.0)
    cases.append(Case("two examples on the boundary", boundary))
    return cases


def _criterion_all(X, y, w, b):
    return -np.sum(y * (X @ w + b))


def _criterion_sign(X, y, w, b):
    m = y * (X @ w + b)
    return np.sum(m[m <= 0])


def _criterion_mean(X, y, w, b):
    m = y * (X @ w + b)
    return -np.sum(m[m <= 0]) / len(y)


def _criterion_counts(X, y, w, b):
    return float(np.sum(y * (X @ w + b) <= 0))


def _criterion_right_ones(X, y, w, b):
    m = y * (X @ w + b)
    return -np.sum(m[m > 0])


def _criterion_outer(X, y, w, b):
    m = y[:, None] * (X @ w + b)
    return -np.sum(m[m <= 0])


def _criterion_maximum(X, y, w, b):
    return np.maximum(0, -y * (X @ w + b)).sum()


def _criterion_loop(X, y, w, b):
    J = 0.0
    for x, t in zip(X, y, strict=True):
        u = x @ w + b
        if t * u <= 0:
            J -= t * u
    return J


def _criterion_grad_all(X, y, w, b):
    return -X.T @ y, -np.sum(y)


def _criterion_grad_sign(X, y, w, b):
    missed = y * (X @ w + b) <= 0
    return X[missed].T @ y[missed], np.sum(y[missed])


def _criterion_grad_strict(X, y, w, b):
    missed = y * (X @ w + b) < 0
    return -X[missed].T @ y[missed], -np.sum(y[missed])


def _criterion_grad_mean(X, y, w, b):
    missed = y * (X @ w + b) <= 0
    return -X[missed].T @ y[missed] / len(y), -np.sum(y[missed]) / len(y)


def _criterion_grad_bias_kept(X, y, w, b):
    missed = y * (X @ w + b) <= 0
    return -X[missed].T @ y[missed], -y * missed


def _criterion_grad_no_target(X, y, w, b):
    missed = y * (X @ w + b) <= 0
    return -X[missed].sum(axis=0), -float(missed.sum())


def _criterion_grad_mask(X, y, w, b):
    t = np.where(y * (X @ w + b) <= 0, y, 0)
    return -np.einsum("n,nd->d", t, X), -t.sum()


def _criterion_grad_loop(X, y, w, b):
    dw, db = np.zeros(X.shape[1]), 0.0
    for x, t in zip(X, y, strict=True):
        if t * (x @ w + b) <= 0:
            dw -= t * x
            db -= t
    return dw, db


def _fit_cases(rng):
    centre = np.array([1.5, -1.0])
    y = np.array([1, -1, 1, -1, -1, 1, 1, -1])
    X = y[:, None] * centre + 0.6 * rng.standard_normal((8, 2))
    xor = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([-1, 1, 1, -1])
    start = 0.5 * rng.standard_normal(2)
    # Powers of two for rates and inputs: nothing is rounded, so no tie at u = 0 depends on the order of a sum
    grid = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0], [-1.0, 0.5], [2.0, -1.0]])
    return [
        Case("separable, from zero", (X, y, np.zeros(2), 0.0)),
        Case("separable, another rate", (X, y, start, 0.25), {"lr": 0.125}),
        Case("never separable: exclusive or", (*xor, np.zeros(2), 0.0), {"epochs": 6}),
        Case("an example on the boundary", (grid, np.array([1, -1, -1, -1, 1]), np.zeros(2), 0.0), {"lr": 0.5}),
        Case("nothing to learn", (X, y, 10 * centre, 0.0), {"epochs": 3}),
        Case("two epochs only", (grid, np.array([1, 1, -1, 1, -1]), np.zeros(2), 0.0), {"epochs": 2}, hidden=True),
    ]


def _fit_with(step, misses=lambda t, u: t * u <= 0, stops=True, batch=False):
    """Rosenblatt's rule with one thing changed: what the mistakes below have in common."""

    def perceptron_fit(X, y, w, b, lr=1.0, epochs=100):
        w, mistakes = np.array(w, dtype=float), []
        for _ in range(epochs):
            count, held_w, held_b = 0, w, b
            for x, t in zip(X, y, strict=True):
                u = x @ (held_w if batch else w) + (held_b if batch else b)
                if misses(t, u):
                    count += 1
                    w, b = step(w, b, lr, t, x)
            mistakes.append(count)
            if stops and count == 0:
                break
        return w, b, mistakes

    return perceptron_fit


def _right_step(w, b, lr, t, x):
    return w + lr * t * x, b + lr * t


_fit_fixed_step = _fit_with(lambda w, b, lr, t, x: (w + lr * x, b + lr))
_fit_ones = _fit_with(lambda w, b, lr, t, x: (w + lr * t * np.ones_like(x), b + lr * t))
_fit_all = _fit_with(_right_step, misses=lambda t, u: True)
_fit_minus = _fit_with(lambda w, b, lr, t, x: (w - lr * t * x, b - lr * t))
_fit_no_bias = _fit_with(lambda w, b, lr, t, x: (w + lr * t * x, b))
_fit_strict = _fit_with(_right_step, misses=lambda t, u: t * u < 0)
_fit_endless = _fit_with(_right_step, stops=False)
_fit_batch = _fit_with(_right_step, batch=True)
_fit_no_rate = _fit_with(lambda w, b, lr, t, x: (w + t * x, b + t))


def _fit_without_last_zero(X, y, w, b, lr=1.0, epochs=100):
    w, b, mistakes = _fit_with(_right_step)(X, y, w, b, lr, epochs)
    return w, b, [count for count in mistakes if count]


def _fit_plain(X, y, w, b, lr=1.0, epochs=100):
    w = w.copy()
    mistakes = []
    for _ in range(epochs):
        wrong = 0
        for p in range(len(X)):
            u = float(np.sum(X[p] * w) + b)
            if (u > 0) != (y[p] > 0) or u == 0:
                w += lr * y[p] * X[p]
                b += lr * y[p]
                wrong += 1
        mistakes.append(wrong)
        if not wrong:
            break
    return w, b, mistakes


def _fit_augmented(X, y, w, b, lr=1.0, epochs=100):
    Z, v, mistakes = np.column_stack([X, np.ones(len(X))]), np.append(w, b), []
    while len(mistakes) < epochs and 0 not in mistakes:
        mistakes.append(0)
        for z, t in zip(Z, y, strict=True):
            if t * np.dot(z, v) <= 0:
                v = v + lr * t * z
                mistakes[-1] += 1
    return v[:-1], v[-1], mistakes


# --- the linear neuron ----------------------------------------------------------------------------------------------


def _linear_loss_no_half(X, d, w, b):
    return np.sum((d - X @ w - b) ** 2)


def _linear_loss_mean(X, d, w, b):
    return 0.5 * np.mean((d - X @ w - b) ** 2)


def _linear_loss_not_squared(X, d, w, b):
    return 0.5 * np.sum(np.abs(d - X @ w - b))


def _linear_loss_outer(X, d, w, b):
    return 0.5 * np.sum((d[:, None] - (X @ w + b)) ** 2)


def _linear_loss_square_of_sum(X, d, w, b):
    return 0.5 * np.sum(d - X @ w - b) ** 2


def _linear_loss_dot(X, d, w, b):
    r = X @ w + b - d
    return np.dot(r, r) / 2


def _linear_loss_loop(X, d, w, b):
    return sum((t - (x @ w + b)) ** 2 for x, t in zip(X, d, strict=True)) / 2


def _grad_with(delta, name):
    """A gradient Xᵀ·delta, 1ᵀ·delta for another delta(d, u)."""

    def grad(X, d, w, b):
        e = delta(d, X @ w + b)
        return X.T @ e, np.sum(e)

    grad.__name__ = name
    return grad


_linear_grad_ascent = _grad_with(lambda d, u: d - u, "linear_neuron_grad")
_linear_grad_twice = _grad_with(lambda d, u: -2 * (d - u), "linear_neuron_grad")
_linear_grad_mean = _grad_with(lambda d, u: -(d - u) / len(d), "linear_neuron_grad")


def _linear_grad_no_transpose(X, d, w, b):
    e = -(d - X @ w - b)
    return X @ e, np.sum(e)


def _linear_grad_bias_kept(X, d, w, b):
    e = -(d - X @ w - b)
    return X.T @ e, e


def _linear_grad_outer(X, d, w, b):
    e = -(d[:, None] - (X @ w + b))
    return (X.T @ e).sum(axis=1), e.sum()


def _linear_grad_elementwise(X, d, w, b):
    e = -(d - X @ w - b)
    return X * e[:, None], np.sum(e)


def _linear_grad_loop(X, d, w, b):
    dw, db = np.zeros(X.shape[1]), 0.0
    for x, t in zip(X, d, strict=True):
        e = x @ w + b - t
        dw += e * x
        db += e
    return dw, db


def _linear_grad_row(X, d, w, b):
    e = X @ w + b - d
    return e @ X, e.sum()


# --- the sigmoid neuron ---------------------------------------------------------------------------------------------


def _sigmoid_loss_linear(X, d, w, b):
    return 0.5 * np.sum((d - X @ w - b) ** 2)


def _sigmoid_loss_no_half(X, d, w, b):
    return np.sum((d - _f(X @ w + b)) ** 2)


def _sigmoid_loss_mean(X, d, w, b):
    return 0.5 * np.mean((d - _f(X @ w + b)) ** 2)


def _sigmoid_loss_thresholded(X, d, w, b):
    return 0.5 * np.sum((d - (_f(X @ w + b) > 0.5)) ** 2)


def _sigmoid_loss_tanh(X, d, w, b):
    y = 0.5 * (1 + np.tanh(0.5 * (X @ w + b)))
    return 0.5 * np.dot(d - y, d - y)


def _sigmoid_loss_loop(X, d, w, b):
    return sum(0.5 * (t - _f(x @ w + b)) ** 2 for x, t in zip(X, d, strict=True))


_sigmoid_grad_no_derivative = _grad_with(lambda d, u: -(d - _f(u)), "sigmoid_neuron_grad")
_sigmoid_grad_ascent = _grad_with(lambda d, u: (d - _f(u)) * _f(u) * (1 - _f(u)), "sigmoid_neuron_grad")
_sigmoid_grad_at_output = _grad_with(lambda d, u: -(d - _f(u)) * _f(_f(u)) * (1 - _f(_f(u))), "sigmoid_neuron_grad")
_sigmoid_grad_of_u = _grad_with(lambda d, u: -(d - _f(u)) * u * (1 - u), "sigmoid_neuron_grad")
_sigmoid_grad_mean = _grad_with(lambda d, u: -(d - _f(u)) * _f(u) * (1 - _f(u)) / len(d), "sigmoid_neuron_grad")
_sigmoid_grad_tanh = _grad_with(lambda d, u: -(d - _f(u)) * (1 - _f(u) ** 2), "sigmoid_neuron_grad")


def _sigmoid_grad_no_transpose(X, d, w, b):
    y = _f(X @ w + b)
    e = -(d - y) * y * (1 - y)
    return X @ e, np.sum(e)


def _sigmoid_grad_bias_kept(X, d, w, b):
    y = _f(X @ w + b)
    e = -(d - y) * y * (1 - y)
    return X.T @ e, e


def _sigmoid_grad_output_form(X, d, w, b):
    y = _f(X @ w + b)
    e = (y - d) * (y - y * y)
    return np.einsum("nd,n->d", X, e), e.sum()


def _sigmoid_grad_loop(X, d, w, b):
    dw, db = np.zeros(X.shape[1]), 0.0
    for x, t in zip(X, d, strict=True):
        y = _f(x @ w + b)
        dw = dw - (t - y) * y * (1 - y) * x
        db = db - (t - y) * y * (1 - y)
    return dw, db


# --- the logistic neuron --------------------------------------------------------------------------------------------


def _logistic_loss_naive(X, d, w, b):
    y = _f(X @ w + b)
    return -np.sum(d * np.log(y) + (1 - d) * np.log(1 - y))


def _logistic_loss_sign(X, d, w, b):
    u = X @ w + b
    return -np.sum(d * np.logaddexp(0, -u) + (1 - d) * np.logaddexp(0, u))


def _logistic_loss_mean(X, d, w, b):
    u = X @ w + b
    return np.mean(d * np.logaddexp(0, -u) + (1 - d) * np.logaddexp(0, u))


def _logistic_loss_half(X, d, w, b):
    u = X @ w + b
    return np.sum(d * np.logaddexp(0, -u))


def _logistic_loss_clipped(X, d, w, b):
    y = np.clip(_f(X @ w + b), 1e-7, 1 - 1e-7)
    return -np.sum(d * np.log(y) + (1 - d) * np.log(1 - y))


def _logistic_loss_swapped(X, d, w, b):
    u = X @ w + b
    return np.sum(d * np.logaddexp(0, u) + (1 - d) * np.logaddexp(0, -u))


def _logistic_loss_logaddexp(X, d, w, b):
    u = X @ w + b
    return np.sum(np.logaddexp(0, np.where(d == 1, -u, u)))


def _logistic_loss_maximum(X, d, w, b):
    u = X @ w + b
    return float(np.sum(np.maximum(u, 0) - d * u + np.log1p(np.exp(-np.abs(u)))))


_logistic_grad_ascent = _grad_with(lambda d, u: d - _f(u), "logistic_neuron_grad")
_logistic_grad_derivative = _grad_with(lambda d, u: -(d - _f(u)) * _f(u) * (1 - _f(u)), "logistic_neuron_grad")
_logistic_grad_linear = _grad_with(lambda d, u: -(d - u), "logistic_neuron_grad")
_logistic_grad_mean = _grad_with(lambda d, u: -(d - _f(u)) / len(d), "logistic_neuron_grad")
_logistic_grad_thresholded = _grad_with(lambda d, u: -(d - (u > 0)), "logistic_neuron_grad")


def _logistic_grad_no_transpose(X, d, w, b):
    e = -(d - _f(X @ w + b))
    return X @ e, np.sum(e)


def _logistic_grad_bias_kept(X, d, w, b):
    e = -(d - _f(X @ w + b))
    return X.T @ e, e


def _logistic_grad_loop(X, d, w, b):
    dw, db = [0.0] * X.shape[1], 0.0
    for x, t in zip(X, d, strict=True):
        e = _f(x @ w + b) - t
        dw = [g + e * value for g, value in zip(dw, x, strict=True)]
        db += e
    return dw, db


def _logistic_grad_tanh(X, d, w, b):
    e = 0.5 * np.tanh(0.5 * (X @ w + b)) + 0.5 - d
    return e @ X, e.sum()


def _logistic_predict_probability(X, w, b):
    return _f(X @ w + b)


def _logistic_predict_at_least(X, w, b):
    return (X @ w + b >= 0).astype(int)


def _logistic_predict_half_of_u(X, w, b):
    return (X @ w + b > 0.5).astype(int)


def _logistic_predict_signs(X, w, b):
    return np.where(X @ w + b > 0, 1, -1)


def _logistic_predict_of_u(X, w, b):
    return np.where(X @ w + b > 0, 1, 0)


def _logistic_predict_loop(X, w, b):
    return [int(_f(row @ w + b) > 0.5) for row in X]


# --- descent --------------------------------------------------------------------------------------------------------


def _gd_cases(rng):
    X, w, b = _examples(rng, N=6)
    d = rng.standard_normal(6)
    classes = _classes(rng, 6)[0]
    linear, logistic = Named("neurons.linear_neuron_grad"), Named("neurons.logistic_neuron_grad")
    return [
        Case("one step", (linear, X, d, w, b, 0.05, 1)),
        Case("five steps of a linear neuron", (linear, X, d, w, b, 0.02, 5)),
        Case("five steps of a logistic neuron", (logistic, X, classes, w, b, 0.3, 5)),
        Case("no step at all", (linear, X, d, w, b, 0.1, 0), weight=0.5),
        Case("forty steps", (logistic, X, classes, 0 * w, 0.0, 0.1, 40), hidden=True),
    ]


def _gd_with(step):
    def gd_fit(grad, X, d, w, b, lr, epochs):
        w = w.copy()
        for _ in range(epochs):
            w, b = step(grad, X, d, w, b, lr)
        return w, b

    return gd_fit


def _gd_step(grad, X, d, w, b, lr):
    dw, db = grad(X, d, w, b)
    return w - lr * dw, b - lr * db


def _gd_step_ascent(grad, X, d, w, b, lr):
    dw, db = grad(X, d, w, b)
    return w + lr * dw, b + lr * db


def _gd_step_bias_later(grad, X, d, w, b, lr):
    w = w - lr * grad(X, d, w, b)[0]
    return w, b - lr * grad(X, d, w, b)[1]


def _gd_step_no_bias(grad, X, d, w, b, lr):
    return w - lr * grad(X, d, w, b)[0], b


def _gd_step_mean(grad, X, d, w, b, lr):
    dw, db = grad(X, d, w, b)
    return w - lr * dw / len(d), b - lr * db / len(d)


def _gd_stale(grad, X, d, w, b, lr, epochs):
    dw, db = grad(X, d, w, b)
    return w - epochs * lr * dw, b - epochs * lr * db


def _gd_in_place(grad, X, d, w, b, lr, epochs):
    for _ in range(epochs):
        dw, db = grad(X, d, w, b)
        w -= lr * dw
        b -= lr * db
    return w, b


def _gd_recursive(grad, X, d, w, b, lr, epochs):
    return (w.copy(), b) if epochs == 0 else _gd_recursive(grad, X, d, *_gd_step(grad, X, d, w, b, lr), lr, epochs - 1)


def _gd_own_copy(grad, X, d, w, b, lr, epochs):
    w = np.array(w)
    for _ in range(epochs):
        dw, db = grad(X, d, w, b)
        w -= np.multiply(lr, dw)
        b = b - lr * db
    return w, b


def sgd_driver(functions, case):
    """Calls the descent with a gradient that notes which examples each minibatch holds.

    The order is free, so what is judged is what no order changes: how large the batches are, that an epoch holds every
    example once, and that a second epoch has another order; and the steps, by a gradient that is worked out afterwards
    from the very batches that came.
    """
    (fit,) = functions
    batches = []

    def grad(X, d, w, b):
        batches.append((np.array(X), np.array(d), np.array(w, dtype=float), float(b)))
        e = X @ w + b - d
        return X.T @ e, e.sum()

    X, d, w, b, lr, epochs = case.args
    fitted = fit(grad, X, d, w, b, lr, epochs, case.more["rng"], **case.kwargs)
    if not isinstance(fitted, tuple) or len(fitted) != 2:
        raise WrongAnswer(f"the function returns `w, b`; yours returned {kind(fitted)}")
    sizes = [len(batch[0]) for batch in batches]
    yield "batches", sizes
    per_epoch = max(len(batches) // max(epochs, 1), 1)
    seen = [
        np.concatenate([x[:, 0] for x, *_ in batches[i : i + per_epoch]]) for i in range(0, len(batches), per_epoch)
    ]
    targets = [
        np.concatenate([t for _, t, *_ in batches[i : i + per_epoch]]) for i in range(0, len(batches), per_epoch)
    ]
    # The targets are the first column, so a pair that was torn apart shows
    together = all(np.array_equal(x, t) for x, t in zip(seen, targets, strict=True))
    shuffled = any(not np.array_equal(a, X[:, 0]) for a in seen)
    anew = len(seen) < 2 or any(not np.array_equal(seen[0], a) for a in seen[1:])
    yield "every example once", [*[np.sort(a) for a in seen], float(together), float(shuffled), float(anew)]
    trail_w, trail_b = np.array(w, dtype=float), b
    steps_right = []
    for x, t, at_w, at_b in batches:
        steps_right.append(float(np.allclose(at_w, trail_w, rtol=1e-9) and np.isclose(at_b, trail_b, rtol=1e-9)))
        e = x @ trail_w + trail_b - t
        trail_w, trail_b = trail_w - lr * (x.T @ e), trail_b - lr * e.sum()
    ends = np.allclose(fitted[0], trail_w, rtol=1e-9) and np.isclose(fitted[1], trail_b, rtol=1e-9)
    yield "steps", [float(all(steps_right)), float(ends)]


def _sgd_cases(rng):
    def case(name, N, epochs, batch_size, **options):
        X = rng.standard_normal((N, 3))
        start = (X, X[:, 0].copy(), rng.standard_normal(3), 0.3, 0.01, epochs)
        return Case(name, start, {"batch_size": batch_size}, more={"rng": Rng(int(rng.integers(2**31)))}, **options)

    return [
        case("batches of 5 from 23 examples, 3 epochs", 23, 3, 5),
        case("one example at a time, 2 epochs", 19, 2, 1),
        case("two batches that come out even, 4 epochs", 20, 4, 10),
        case("batches of 7 from 30 examples, 2 epochs", 30, 2, 7, hidden=True),
    ]


def _sgd_with(order, last=True, step=_gd_step, whole=False):
    def sgd_fit(grad, X, d, w, b, lr, epochs, rng, batch_size=1):
        w, held = w.copy(), None
        for epoch in range(epochs):
            held = order(rng, len(X), held, epoch)
            stop = len(X) if last else len(X) - len(X) % batch_size
            for start in range(0, stop, batch_size):
                chosen = held[start : start + batch_size]
                w, b = step(grad, X if whole else X[chosen], d if whole else d[chosen], w, b, lr)
        return w, b

    return sgd_fit


def _anew(rng, N, held, epoch):
    return rng.permutation(N)


_sgd_never_shuffled = _sgd_with(lambda rng, N, held, epoch: np.arange(N))
_sgd_shuffled_once = _sgd_with(lambda rng, N, held, epoch: rng.permutation(N) if held is None else held)
_sgd_drops_last = _sgd_with(_anew, last=False)
_sgd_with_replacement = _sgd_with(lambda rng, N, held, epoch: rng.integers(0, N, N))
_sgd_whole_batch = _sgd_with(_anew, whole=True)
_sgd_ascent = _sgd_with(_anew, step=_gd_step_ascent)
_sgd_mean = _sgd_with(_anew, step=_gd_step_mean)


def _sgd_targets_not_shuffled(grad, X, d, w, b, lr, epochs, rng, batch_size=1):
    for _ in range(epochs):
        shuffled = rng.permutation(X)
        for start in range(0, len(X), batch_size):
            dw, db = grad(shuffled[start : start + batch_size], d[start : start + batch_size], w, b)
            w, b = w - lr * dw, b - lr * db
    return w, b


def _sgd_split(grad, X, d, w, b, lr, epochs, rng, batch_size=1):
    for _ in range(epochs):
        order = rng.permutation(len(X))
        for chosen in np.split(order, range(batch_size, len(X), batch_size)):
            dw, db = grad(X[chosen], d[chosen], w, b)
            w, b = w - lr * dw, b - lr * db
    return w, b


def _sgd_shuffle_in_place(grad, X, d, w, b, lr, epochs, rng, batch_size=1):
    order, w = list(range(len(X))), np.array(w)
    for _ in range(epochs):
        rng.shuffle(order)
        i = 0
        while i < len(X):
            dw, db = grad(X[order[i : i + batch_size]], d[order[i : i + batch_size]], w, b)
            w -= lr * dw
            b = b - lr * db
            i += batch_size
    return w, b


# --- the exercises --------------------------------------------------------------------------------------------------

_TRANSPOSE = "The gradient has one entry for each weight, so the sum runs over the examples: which axis of X is that, and which side of the product?"
_MEAN = "This exercise asks for the sum over the batch, as the notes write it. The mean is 1/N of it: right elsewhere, not here."
_BIAS_KEPT = "The bias is one number and every example pulls at it: its gradient is the sum over all of them."
_ASCENT = "Following this gradient downhill makes the loss grow. Look at the sign: which way does the loss change when u grows?"
_OUTER = "Print the shapes before the subtraction: an array of shape (N, 1) against one of shape (N,) gives (N, N), every target with every output."

EXERCISES = [
    Exercise(
        "neurons.preactivation",
        neurons.preactivation,
        lambda rng: _three(rng, _nothing),
        [
            Mistake(
                "elementwise_for_dot",
                _preactivation_elementwise,
                "`*` multiplies entry by entry and leaves one number for every input. Each example needs the *sum* of its products: one number.",
            ),
            Mistake(
                "bias_dropped",
                _preactivation_no_bias,
                "Something of the formula is missing: the line that your neuron draws always goes through the origin.",
            ),
            Mistake(
                "bias_before_product",
                _preactivation_bias_per_input,
                "The bias is added to u, once for each example, not to every input.",
            ),
            Mistake("bias_subtracted", _preactivation_subtracts_bias, "Look at the sign of the bias."),
            Mistake(
                "column_for_vector",
                _preactivation_column,
                "The numbers are right but stand in a column, (N, 1). With targets of shape (N,) that column will later be broadcast to N×N.",
            ),
        ],
        [_preactivation_loop, _preactivation_einsum],
        points=1,
        minutes=3,
        why="Every unit of every network in this course begins with this line.",
        hints=(
            "What shape has X, what shape has w, and what shape should u have?",
            "Each example's u is the dot product of its row with w, plus b.",
            "NumPy's operator for products of matrices and vectors is `@`.",
        ),
    ),
    Exercise(
        "neurons.perceptron_predict",
        neurons.perceptron_predict,
        _boundary_cases,
        [
            Mistake(
                "zero_class",
                _predict_numpy_sign,
                "`np.sign` knows three values. On the boundary, u = 0, this course says +1.",
            ),
            Mistake(
                "classes_zero_one",
                _predict_zero_one,
                "The perceptron's classes are −1 and +1; 0 and 1 are the logistic neuron's.",
                convention=True,
            ),
            Mistake(
                "boolean_classes",
                _predict_boolean,
                "True and False are not the numbers −1 and +1 that the learning rule multiplies with.",
            ),
            Mistake("classes_swapped", _predict_inverted, "The side that w points to is the positive one."),
        ],
        [_predict_loop, _predict_where],
        points=1,
        minutes=3,
        why="A threshold on a weighted sum was the first artificial neuron that learned, in 1958.",
        hints=("Compute u first.", "Where is u at least 0? `np.where` picks between two values."),
    ),
    Exercise(
        "neurons.signed_distance",
        neurons.signed_distance,
        _distance_cases,
        [
            Mistake(
                "norm_missing",
                _distance_not_normalised,
                "u grows with the length of w although the line stays where it is. A distance must not.",
            ),
            Mistake(
                "squared_norm",
                _distance_squared_norm,
                "Check the units: doubling w must leave the distance alone. Divide by the length of w, not by its square.",
            ),
            Mistake(
                "sign_lost",
                _distance_unsigned,
                "The signed distance is negative on the other side of the line; the absolute value forgets the side.",
            ),
            Mistake(
                "bias_not_scaled",
                _distance_bias_outside,
                "The bias belongs to u: it is divided by the length of w, too.",
            ),
            Mistake("manhattan_norm", _distance_l1, "The length of w is the square root of the sum of its squares."),
        ],
        [_distance_unit_vector, _distance_loop],
        points=1,
        minutes=4,
        why="The distance to the boundary is what the perceptron's criterion and, later, the margin of a classifier measure.",
        hints=(
            "Where on the line is the point nearest to x?",
            "Go along w/‖w‖: how many steps of length 1?",
            "`np.linalg.norm` is the length.",
        ),
    ),
    Exercise(
        "neurons.perceptron_criterion",
        neurons.perceptron_criterion,
        _criterion_cases,
        [
            Mistake(
                "sums_over_all",
                _criterion_all,
                "Only misclassified examples are charged. With all of them J can fall for ever: scale w up and see.",
            ),
            Mistake(
                "cost_sign",
                _criterion_sign,
                "A misclassified example has y·u ≤ 0. What is charged for it should not be negative.",
            ),
            Mistake("mean_for_sum", _criterion_mean, _MEAN, convention=True),
            Mistake(
                "counts_mistakes",
                _criterion_counts,
                "The number of mistakes has no slope to follow. The criterion charges each mistake by how far off it is.",
            ),
            Mistake(
                "sums_over_correct",
                _criterion_right_ones,
                "You sum over the examples that are right. Which sign has y·u for a mistake?",
            ),
            Mistake("outer_product_target", _criterion_outer, _OUTER),
        ],
        [_criterion_maximum, _criterion_loop],
        points=2,
        minutes=6,
        why="Counting mistakes gives no direction; this loss has a slope wherever there is a mistake.",
        hints=(
            "Compute the margins y·u.",
            "An example is misclassified where its margin is at most 0.",
            "Sum those margins only, and mind the sign.",
        ),
    ),
    Exercise(
        "neurons.perceptron_criterion_grad",
        neurons.perceptron_criterion_grad,
        _criterion_cases,
        [
            Mistake(
                "sums_over_all",
                _criterion_grad_all,
                "Correctly classified examples are not charged, so they have no gradient either (the notes slip here, E21).",
            ),
            Mistake("ascent", _criterion_grad_sign, _ASCENT),
            Mistake(
                "boundary_left_out",
                _criterion_grad_strict,
                "An example with y·u = 0 counts as misclassified: otherwise weights of zero would never begin to learn.",
                convention=True,
            ),
            Mistake("mean_for_sum", _criterion_grad_mean, _MEAN, convention=True),
            Mistake("bias_not_summed", _criterion_grad_bias_kept, _BIAS_KEPT),
            Mistake(
                "target_dropped",
                _criterion_grad_no_target,
                "Each misclassified x is weighted with its target y: two mistakes on opposite sides pull in opposite directions.",
            ),
        ],
        [_criterion_grad_mask, _criterion_grad_loop],
        points=2,
        minutes=8,
        why="Rosenblatt's rule is a step against this gradient, one example at a time.",
        hints=(
            "J is linear in w for a fixed set of mistakes: what is the derivative of −y(w·x + b)?",
            "Make an array that is y where an example is misclassified and 0 elsewhere.",
            "Then the sum over the examples is one matrix product.",
        ),
    ),
    Exercise(
        "neurons.perceptron_fit",
        neurons.perceptron_fit,
        _fit_cases,
        [
            Mistake(
                "fixed_step_update",
                _fit_fixed_step,
                "The step is the same for both classes. A mistake on the negative class must push the line the other way: the target belongs into the step.",
            ),
            Mistake(
                "step_without_input",
                _fit_ones,
                "Every weight moves by the same amount. Each should move in proportion to its own input.",
            ),
            Mistake(
                "updates_on_all",
                _fit_all,
                "Examples that are right move the line, too, so it never comes to rest. When does Rosenblatt's rule move?",
            ),
            Mistake(
                "ascent",
                _fit_minus,
                "The step goes away from the misclassified example (the notes' (4) and (5) have this sign wrong, E22).",
            ),
            Mistake(
                "bias_never_updated",
                _fit_no_bias,
                "The weights learn, the bias does not: the line only turns about where it started.",
            ),
            Mistake(
                "boundary_left_out",
                _fit_strict,
                "An example on the line, y·u = 0, is a mistake here. With weights of zero all of them are.",
                convention=True,
            ),
            Mistake(
                "never_stops", _fit_endless, "Stop after the first epoch without a mistake: nothing changes any more."
            ),
            Mistake(
                "batch_update",
                _fit_batch,
                "Your mistakes are found with the weights of the epoch's beginning. The rule goes example by example: each sees the weights that the one before it left.",
            ),
            Mistake("learning_rate_ignored", _fit_no_rate, "The answer is right for lr = 1 only."),
            Mistake(
                "last_zero_missing",
                _fit_without_last_zero,
                "The weights are right. The list of mistakes has one entry for every epoch, the last one, 0, included.",
            ),
        ],
        [_fit_plain, _fit_augmented],
        points=3,
        minutes=15,
        why="The first learning algorithm with a proof that it ends.",
        hints=(
            "Two loops: epochs outside, examples in their order inside.",
            "Inside: if y·u ≤ 0, count a mistake and move w and b at once.",
            "After each epoch append its count; leave when it is 0. Never change the caller's w: make a new array.",
        ),
    ),
    Exercise(
        "neurons.linear_neuron_loss",
        neurons.linear_neuron_loss,
        lambda rng: _three(rng, _real),
        [
            Mistake(
                "wrong_factor",
                _linear_loss_no_half,
                "Twice what is asked: the notes' ½, which makes the gradient come out without a 2.",
            ),
            Mistake("mean_for_sum", _linear_loss_mean, _MEAN, convention=True),
            Mistake(
                "absolute_for_square",
                _linear_loss_not_squared,
                "The errors are squared, not their absolute values taken.",
            ),
            Mistake("outer_product_target", _linear_loss_outer, _OUTER),
            Mistake(
                "square_of_sum",
                _linear_loss_square_of_sum,
                "Square first, then sum: otherwise errors of opposite sign cancel.",
            ),
        ],
        [_linear_loss_dot, _linear_loss_loop],
        points=1,
        minutes=3,
        why="Least squares: the oldest loss, and the yardstick for all others.",
        hints=("Compute u, then d − u.", "Square each difference, sum them, and halve the sum."),
    ),
    Exercise(
        "neurons.linear_neuron_grad",
        neurons.linear_neuron_grad,
        lambda rng: _three(rng, _real),
        [
            Mistake("missing_transpose", _linear_grad_no_transpose, _TRANSPOSE),
            Mistake("ascent", _linear_grad_ascent, _ASCENT),
            Mistake(
                "wrong_factor", _linear_grad_twice, "Twice what is asked: the 2 from the square cancels against the ½."
            ),
            Mistake("mean_for_sum", _linear_grad_mean, _MEAN, convention=True),
            Mistake("bias_not_summed", _linear_grad_bias_kept, _BIAS_KEPT),
            Mistake("outer_product_target", _linear_grad_outer, _OUTER),
            Mistake(
                "elementwise_for_dot",
                _linear_grad_elementwise,
                "Each row of your answer is one example's pull on the weights. Together they pull with their sum.",
            ),
        ],
        [_linear_grad_loop, _linear_grad_row],
        points=2,
        minutes=6,
        why="Error times input: every gradient of a weight in this course has this form.",
        hints=(
            "For one example: ∂J/∂w = −(d − u) x.",
            "Sum over the examples: a product of Xᵀ with the errors.",
            "For the bias the input is always 1.",
        ),
    ),
    Exercise(
        "neurons.sigmoid_neuron_loss",
        neurons.sigmoid_neuron_loss,
        lambda rng: _three(rng, _classes, far=30.0),
        [
            Mistake(
                "activation_forgotten",
                _sigmoid_loss_linear,
                "The neuron's output is f(u), not u: put the sigmoid between them.",
            ),
            Mistake("wrong_factor", _sigmoid_loss_no_half, "Twice what is asked: the ½ is missing."),
            Mistake("mean_for_sum", _sigmoid_loss_mean, _MEAN, convention=True),
            Mistake(
                "thresholded",
                _sigmoid_loss_thresholded,
                "The loss compares d with f(u) itself. After the threshold there is no slope left to learn from.",
            ),
        ],
        [_sigmoid_loss_tanh, _sigmoid_loss_loop],
        points=1,
        minutes=3,
        why="A smooth threshold lets the error flow back through it.",
        hints=("y = f(u), with `sigmoid` from the course.", "Then as for the linear neuron, with y in place of u."),
    ),
    Exercise(
        "neurons.sigmoid_neuron_grad",
        neurons.sigmoid_neuron_grad,
        lambda rng: _three(rng, _classes, far=5.0),
        [
            Mistake(
                "missing_activation_derivative",
                _sigmoid_grad_no_derivative,
                "The error passes the sigmoid on its way back: the chain rule multiplies with its slope.",
            ),
            Mistake("ascent", _sigmoid_grad_ascent, _ASCENT),
            Mistake(
                "derivative_at_output",
                _sigmoid_grad_at_output,
                "The slope of the sigmoid is taken at its input u. You put in its output y: f applied twice.",
            ),
            Mistake(
                "derivative_of_preactivation", _sigmoid_grad_of_u, "f′ = f(1 − f), with f(u) in it. You used u itself."
            ),
            Mistake("tanh_derivative", _sigmoid_grad_tanh, "1 − y² is the slope of tanh. The sigmoid's is another."),
            Mistake("missing_transpose", _sigmoid_grad_no_transpose, _TRANSPOSE),
            Mistake("bias_not_summed", _sigmoid_grad_bias_kept, _BIAS_KEPT),
            Mistake("mean_for_sum", _sigmoid_grad_mean, _MEAN, convention=True),
        ],
        [_sigmoid_grad_output_form, _sigmoid_grad_loop],
        points=2,
        minutes=8,
        why="Here the chain rule enters, and with it the trouble of a neuron that is far off: f′(u) is nearly 0 there.",
        hints=(
            "Start from the linear neuron's gradient.",
            "What does ∂y/∂u add? f′(u) = f(u)(1 − f(u)).",
            "Collect (d − y)·f′(u) in one array, then use it twice.",
        ),
    ),
    Exercise(
        "neurons.logistic_neuron_loss",
        neurons.logistic_neuron_loss,
        lambda rng: _three(rng, _classes, far=1000.0),
        [
            Mistake(
                "log_of_zero",
                _logistic_loss_naive,
                "Right for small u. At u = 1000 the sigmoid rounds to 1 and log(1 − 1) is −∞. Write −log f(u) as log(1 + e^(−u)), without the probability in between.",
            ),
            Mistake(
                "cost_sign",
                _logistic_loss_sign,
                "This is the log-likelihood, which is to be large. The loss is its negative (the notes slip here, E08).",
            ),
            Mistake("mean_for_sum", _logistic_loss_mean, _MEAN, convention=True),
            Mistake(
                "negative_class_ignored",
                _logistic_loss_half,
                "Examples with d = 0 are charged nothing: the second term is missing.",
            ),
            Mistake(
                "probability_clipped",
                _logistic_loss_clipped,
                "Clipping hides how wrong the neuron is: at u = 1000 the loss is 1000, not log(10⁷) ≈ 16. Work with u, not with the probability.",
            ),
            Mistake(
                "terms_swapped",
                _logistic_loss_swapped,
                "The neuron is charged for being right: which term belongs to d = 1?",
            ),
        ],
        [_logistic_loss_logaddexp, _logistic_loss_maximum],
        points=2,
        minutes=8,
        why="Computed from u it survives any input; computed from a probability it turns into infinities in the middle of a training.",
        hints=(
            "−log f(u) = log(1 + e^(−u)) and −log(1 − f(u)) = log(1 + e^u).",
            "`softplus(u)` from the course is log(1 + e^u) without overflow.",
            "Each example takes one of the two terms, chosen by d.",
        ),
    ),
    Exercise(
        "neurons.logistic_neuron_grad",
        neurons.logistic_neuron_grad,
        lambda rng: _three(rng, _classes, far=1000.0),
        [
            Mistake("ascent", _logistic_grad_ascent, _ASCENT),
            Mistake(
                "spurious_derivative",
                _logistic_grad_derivative,
                "The factor f′(u) belongs to the squared error. Here it cancels against the derivative of the logarithm: work it out once on paper.",
            ),
            Mistake("activation_forgotten", _logistic_grad_linear, "The neuron's output is f(u), not u."),
            Mistake(
                "thresholded",
                _logistic_grad_thresholded,
                "The gradient needs the probability f(u), not the decided class.",
            ),
            Mistake("missing_transpose", _logistic_grad_no_transpose, _TRANSPOSE),
            Mistake("bias_not_summed", _logistic_grad_bias_kept, _BIAS_KEPT),
            Mistake("mean_for_sum", _logistic_grad_mean, _MEAN, convention=True),
        ],
        [_logistic_grad_loop, _logistic_grad_tanh],
        points=2,
        minutes=6,
        why="The same form as the linear neuron's: target minus output, times input. That is no accident, and softmax will do it again.",
        hints=(
            "Work out ∂J/∂u for one example first.",
            "f′ cancels: what remains is f(u) − d.",
            "Then as for the linear neuron.",
        ),
    ),
    Exercise(
        "neurons.logistic_neuron_predict",
        neurons.logistic_neuron_predict,
        _boundary_cases,
        [
            Mistake(
                "probability_for_class",
                _logistic_predict_probability,
                "This is the probability f(u). The class is 1 where it exceeds one half, else 0.",
            ),
            Mistake(
                "boundary_included",
                _logistic_predict_at_least,
                "At f(u) = 0.5 exactly the notes say 0: the comparison is strict.",
                convention=True,
            ),
            Mistake(
                "threshold_on_preactivation",
                _logistic_predict_half_of_u,
                "You compare u with 0.5; it is f(u) that is compared with 0.5. Which u has f(u) = 0.5?",
            ),
            Mistake(
                "classes_minus_one_one",
                _logistic_predict_signs,
                "The logistic neuron's classes are 0 and 1; −1 and +1 are the perceptron's.",
                convention=True,
            ),
        ],
        [_logistic_predict_of_u, _logistic_predict_loop],
        points=1,
        minutes=2,
        why="From a probability to a decision.",
        hints=("f(u) > 0.5 gives True and False.", "`.astype(int)` makes 1 and 0 of them."),
    ),
    Exercise(
        "neurons.gd_fit",
        neurons.gd_fit,
        _gd_cases,
        [
            Mistake(
                "ascent",
                _gd_with(_gd_step_ascent),
                "The step goes up the slope: the gradient points to where the loss grows.",
            ),
            Mistake(
                "bias_after_weights",
                _gd_with(_gd_step_bias_later),
                "The bias is moved with the gradient at the new weights. Both steps use the gradient at the same point: compute it once.",
            ),
            Mistake("bias_never_updated", _gd_with(_gd_step_no_bias), "The weights move, the bias does not."),
            Mistake(
                "mean_for_sum",
                _gd_with(_gd_step_mean),
                "The gradient is used as it comes, a sum over the batch; you divide it by N.",
                convention=True,
            ),
            Mistake(
                "gradient_never_renewed",
                _gd_stale,
                "The gradient changes when the weights do: compute it anew in every step.",
            ),
            Mistake(
                "mutates_parameters",
                _gd_in_place,
                "`w -= …` changes the array of whoever called you. Write `w = w - …`, which makes a new one.",
            ),
        ],
        [_gd_recursive, _gd_own_copy],
        points=2,
        minutes=6,
        why="The loop that trains everything in this course.",
        hints=(
            "In each epoch: ask `grad(X, d, w, b)` once, then step.",
            "w − lr·dw makes a new array; w -= lr·dw changes the caller's.",
        ),
    ),
    Exercise(
        "neurons.sgd_fit",
        neurons.sgd_fit,
        _sgd_cases,
        [
            Mistake(
                "never_shuffled",
                _sgd_never_shuffled,
                "The examples come in the same order in every epoch. Draw an order from `rng`.",
            ),
            Mistake(
                "shuffled_once",
                _sgd_shuffled_once,
                "The order is drawn once for all epochs: draw a new one at the beginning of each.",
            ),
            Mistake(
                "last_batch_dropped",
                _sgd_drops_last,
                "Where N is no multiple of the batch size some examples are never seen. The last, smaller batch is kept.",
            ),
            Mistake(
                "drawn_with_replacement",
                _sgd_with_replacement,
                "Some examples come twice in an epoch and others not at all: permute, do not draw with replacement.",
            ),
            Mistake(
                "whole_batch",
                _sgd_whole_batch,
                "The gradient is taken over all examples at every step. It should see the minibatch alone.",
            ),
            Mistake(
                "targets_not_shuffled",
                _sgd_targets_not_shuffled,
                "X is shuffled, d is not: every example gets another one's target. Use one order for both.",
            ),
            Mistake("ascent", _sgd_ascent, "The step goes up the slope: the gradient points to where the loss grows."),
            Mistake(
                "mean_for_sum",
                _sgd_mean,
                "The gradient is used as it comes, a sum over the minibatch; you divide it by its size.",
                convention=True,
            ),
        ],
        [_sgd_split, _sgd_shuffle_in_place],
        points=3,
        minutes=12,
        why="Many rough steps beat few exact ones: this is why networks can be trained on more data than fits into memory.",
        hints=(
            "One permutation of 0…N−1 per epoch, from `rng.permutation`.",
            "Walk through it in slices of `batch_size`; a slice past the end is simply shorter.",
            "Take the same positions from X and from d.",
        ),
        driver=sgd_driver,
        parts=("batches", "every example once", "steps"),
    ),
]
