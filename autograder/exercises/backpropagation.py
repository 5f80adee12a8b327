"""Exercises of the backpropagation topic, gradient checking among them."""

from itertools import pairwise

import numpy as np

from dlcourse import backpropagation, gradient_checking
from dlcourse.activations import ACTIVATIONS
from dlcourse.backpropagation import mlp_backward, mlp_forward, two_layer_backward, two_layer_forward
from dlcourse.gradient_checking import numerical_grad
from dlcourse.layers import sigmoid_layer_delta
from dlcourse.losses import softmax_cross_entropy, softmax_cross_entropy_grad

from ..checks.drivers import WrongAnswer, kind
from ..checks.exercise import Case, Exercise, Mistake

# --- references that the package has no function for ----------------------------------------------------------------


def numerical_grad_stochastic(f, x, seed, eps=1e-5):
    r"""Central differences of a function that draws random numbers, such as a network with dropout.

    Parameters
    ----------
    f : function ``f(x, rng)`` of an array and a `numpy.random.Generator` that returns a number.
    x : array of any shape, the point; it comes back unchanged.
    seed : every single evaluation of f gets a new ``np.random.default_rng(seed)``, so that all see the same numbers.
    eps : ε.

    Returns
    -------
    g : array of the shape of x.
    """
    return numerical_grad(lambda x: f(x, np.random.default_rng(seed)), x, eps)


def sgd_epoch(X, D, W, b, V, c, lr, batch_size):
    r"""One epoch of stochastic gradient descent for the two-layer network with sigmoid outputs.

    Parameters
    ----------
    X : (N, D) array, examples as rows.
    D : (N, K) array, targets between 0 and 1.
    W, b, V, c : (D, H), (H,), (H, K), (K,) arrays, the parameters; they stay as they are.
    lr : learning rate.
    batch_size : examples in a minibatch; the minibatches are taken in the order of X, the last one may be smaller.

    Returns
    -------
    W, b, V, c : new arrays, after one step for each minibatch.

    Notes
    -----
    The loss of a minibatch of n examples is the mean over these n of :math:`\frac12 \lVert d - f(u) \rVert^2`, f the sigmoid.
    """
    for start in range(0, len(X), batch_size):
        x, d = X[start : start + batch_size], D[start : start + batch_size]
        U, cache = two_layer_forward(x, W, b, V, c)
        dW, db, dV, dc = two_layer_backward(sigmoid_layer_delta(d, U) / len(x), cache)
        W, b, V, c = W - lr * dW, b - lr * db, V - lr * dV, c - lr * dc
    return W, b, V, c


# --- the orientation ------------------------------------------------------------------------------------------------


def _params(rng, *sizes, dtype=float):
    """Weights for layers of these sizes; the biases are no zeros, so that none can be left out unnoticed."""
    return [
        (
            (rng.standard_normal((n_in, n_out)) / np.sqrt(n_in)).astype(dtype),
            rng.uniform(0.2, 0.8, n_out).astype(dtype),
        )
        for n_in, n_out in pairwise(sizes)
    ]


def _columns_cases(rng):
    return [
        Case("two layers", (_params(rng, 3, 4, 2),)),
        Case("as many neurons as inputs", (_params(rng, 3, 3),)),
        Case("one neuron", (_params(rng, 4, 1),)),
        Case("float32", (_params(rng, 2, 3, dtype=np.float32),)),
        Case("four layers", (_params(rng, 2, 5, 4, 3, 1),), hidden=True),
    ]


def _columns_bias_flat(params):
    return [(W.T, b) for W, b in params]


def _columns_not_transposed(params):
    return [(W, b[:, None]) for W, b in params]


def _columns_reshaped(params):
    return [(W.reshape(W.shape[::-1]), b[:, None]) for W, b in params]


def _columns_bias_row(params):
    return [(W.T, b[None, :]) for W, b in params]


def _columns_reversed(params):
    return [(W.T, b[:, None]) for W, b in reversed(params)]


def _columns_copied(params):
    return [(W.T.copy(), b.reshape(-1, 1).copy()) for W, b in params]


def _columns_loop(params):
    made = []
    for W, b in params:
        made.append([[[float(W[i, j]) for i in range(len(W))] for j in range(len(b))], [[float(x)] for x in b]])
    return made


# --- the two-layer network ------------------------------------------------------------------------------------------


def _two_layer_cases(rng):
    def case(name, N, D, H, K, dtype=float, g=None, **options):
        (W, b), (V, c) = _params(rng, D, H, K, dtype=dtype)
        X, dU = rng.standard_normal((N, D)).astype(dtype), rng.standard_normal((N, K)).astype(dtype)
        return Case(name, (X, W, b, V, c), {"g": g} if g else {}, dout=dU, **options)

    return [
        case("five examples", 5, 3, 4, 2),
        case("tanh", 4, 2, 5, 3, g="tanh"),
        case("one example", 1, 3, 2, 4),
        case("as many examples as inputs, neurons and outputs", 3, 3, 3, 3),
        case("float32", 6, 2, 3, 2, dtype=np.float32),
        case("softplus", 7, 4, 3, 2, g="softplus", hidden=True),
    ]


def _two_layer_forward(X, W, b, V, c, g="sigmoid"):
    f, _ = ACTIVATIONS[g]
    Z = X @ W + b
    H = f(Z)
    return H @ V + c, (X, Z, H, V, g)


def _two_layer_backward(dU, cache):
    X, Z, H, V, g = cache
    _, f_grad = ACTIVATIONS[g]
    dZ = (dU @ V.T) * f_grad(Z)
    return X.T @ dZ, dZ.sum(axis=0), H.T @ dU, dU.sum(axis=0)


def _two_layer_kept(X, W, b, V, c, g="sigmoid"):
    f, f_grad = ACTIVATIONS[g]
    Z = X @ W + b
    H = f(Z)
    return H @ V + c, (X, W, V, Z, H, f_grad)


def _two_layer_with(rule):
    """A backward pass rule(dU, dH, X, W, V, Z, H, f_grad) -> dW, db, dV, dc."""

    def two_layer_backward(dU, cache):
        X, W, V, Z, H, f_grad = cache
        return rule(dU, X, W, V, Z, H, f_grad)

    return _two_layer_kept, two_layer_backward


def _gradients(X, dZ, H, dU):
    return X.T @ dZ, dZ.sum(axis=0), H.T @ dU, dU.sum(axis=0)


def _two_layer_at_activation(dU, X, W, V, Z, H, f_grad):
    return _gradients(X, dU @ V.T * f_grad(H), H, dU)


def _two_layer_no_derivative(dU, X, W, V, Z, H, f_grad):
    return _gradients(X, dU @ V.T, H, dU)


def _two_layer_no_bias(dU, X, W, V, Z, H, f_grad):
    dZ = dU @ V.T * f_grad(Z)
    return X.T @ dZ, np.zeros(W.shape[1]), H.T @ dU, np.zeros(V.shape[1])


def _two_layer_bias_early(dU, X, W, V, Z, H, f_grad):
    dH = dU @ V.T
    return X.T @ (dH * f_grad(Z)), dH.sum(axis=0), H.T @ dU, dU.sum(axis=0)


def _two_layer_dot(dU, X, W, V, Z, H, f_grad):
    return _gradients(X, (dU @ V.T) @ f_grad(Z).T, H, dU)


def _two_layer_input(dU, X, W, V, Z, H, f_grad):
    return _gradients(X, dU @ V.T * f_grad(Z), X, dU)


def _two_layer_own_weights(dU, X, W, V, Z, H, f_grad):
    return _gradients(X, dU @ W.T * f_grad(Z), H, dU)


def _two_layer_no_transpose(dU, X, W, V, Z, H, f_grad):
    return _gradients(X, dU @ V * f_grad(Z), H, dU)


def _two_layer_bias_kept(dU, X, W, V, Z, H, f_grad):
    dZ = dU @ V.T * f_grad(Z)
    return X.T @ dZ, dZ, H.T @ dU, dU


def _two_layer_mean(dU, X, W, V, Z, H, f_grad):
    return tuple(x / len(X) for x in _gradients(X, dU @ V.T * f_grad(Z), H, dU))


def _two_layer_sigmoid(dU, X, W, V, Z, H, f_grad):
    return _gradients(X, dU @ V.T * H * (1 - H), H, dU)


def _two_layer_linear_forward(X, W, b, V, c, g="sigmoid"):
    Z = X @ W + b
    return Z @ V + c, (X, W, V, Z, ACTIVATIONS[g][0](Z), ACTIVATIONS[g][1])


def _two_layer_output_activated(X, W, b, V, c, g="sigmoid"):
    U, cache = _two_layer_kept(X, W, b, V, c, g)
    return ACTIVATIONS[g][0](U), cache


_two_layer_right_backward = _two_layer_with(
    lambda dU, X, W, V, Z, H, f_grad: _gradients(X, dU @ V.T * f_grad(Z), H, dU)
)[1]


def _two_layer_einsum_forward(X, W, b, V, c, g="sigmoid"):
    f, f_grad = ACTIVATIONS[g]
    Z = np.einsum("nd,dh->nh", X, W) + b
    return np.einsum("nh,hk->nk", f(Z), V) + c, {"X": X, "H": f(Z), "slope": f_grad(Z), "V": V}


def _two_layer_einsum_backward(dU, cache):
    dZ = np.einsum("nk,hk,nh->nh", dU, cache["V"], cache["slope"])
    return [np.einsum("nd,nh->dh", cache["X"], dZ), dZ.sum(0), np.einsum("nh,nk->hk", cache["H"], dU), dU.sum(0)]


def _two_layer_loop_forward(X, W, b, V, c, g="sigmoid"):
    f, f_grad = ACTIVATIONS[g]
    return np.array([f(x @ W + b) @ V + c for x in X]), (X, W, b, V, f, f_grad)


def _two_layer_loop_backward(dU, cache):
    X, W, b, V, f, f_grad = cache
    dW, db, dV, dc = np.zeros_like(W), np.zeros_like(b), np.zeros_like(V), np.zeros(V.shape[1])
    for x, du in zip(X, dU, strict=True):
        z = x @ W + b
        dz = V @ du * f_grad(z)
        dW += np.outer(x, dz)
        db += dz
        dV += np.outer(f(z), du)
        dc += du
    return dW, db, dV, dc


# --- gradient checking ----------------------------------------------------------------------------------------------


def _relative_cases(rng):
    a = rng.uniform(1.0, 3.0, 5)
    b = a * (1.0 + np.array([1e-3, -2e-3, 5e-3, 1e-4, -3e-3]))
    c = rng.uniform(1.0, 2.0, (2, 3))
    return [
        Case("gradients that nearly agree", (a, b)),
        Case("tiny gradients", (1e-9 * np.array([1.0, 2.0, -4.0]), 1e-9 * np.array([1.0, 3.0, -4.5]))),
        Case("0 against 0", (np.array([0.0, 1.0, 0.0]), np.array([0.0, 1.5, 0.0]))),
        Case("opposite signs", (np.array([2.0, -1.0]), np.array([2.0, 3.0]))),
        Case("one smaller, one larger", (np.array([1.0, 10.0]), np.array([4.0, 9.0]))),
        Case("matrices", (c, -0.5 * c)),
        Case("huge beside small", (np.array([1e8, 1.0]), np.array([1e8 + 1.0, 1.25])), hidden=True),
    ]


def _tiny():
    return np.finfo(float).tiny


def _relative_absolute(a, b):
    return float(np.max(np.abs(a - b)))


def _relative_mean(a, b):
    return float(np.mean(np.abs(a - b) / np.maximum(np.abs(a) + np.abs(b), _tiny())))


def _relative_larger(a, b):
    return float(np.max(np.abs(a - b) / np.maximum(np.maximum(np.abs(a), np.abs(b)), _tiny())))


def _relative_norms(a, b):
    return float(np.linalg.norm(a - b) / (np.linalg.norm(a) + np.linalg.norm(b)))


def _relative_one(a, b):
    return float(np.max(np.abs(a - b) / np.maximum(np.abs(a), _tiny())))


def _relative_signed(a, b):
    return float(np.max((a - b) / np.maximum(np.abs(a) + np.abs(b), _tiny())))


def _relative_sum(a, b):
    return float(np.max(np.abs(a - b) / np.maximum(np.abs(a + b), _tiny())))


def _relative_no_floor(a, b):
    with np.errstate(all="ignore"):
        return float(np.max(np.abs(a - b) / (np.abs(a) + np.abs(b))))


def _relative_large_floor(a, b):
    return float(np.max(np.abs(a - b) / np.maximum(np.abs(a) + np.abs(b), 1e-8)))


def _relative_kept(a, b):
    return np.abs(a - b) / np.maximum(np.abs(a) + np.abs(b), _tiny())


def _relative_plain(a, b):
    errors = np.abs(a - b) / np.maximum(np.abs(a) + np.abs(b), np.finfo(float).tiny)
    return np.max(errors)


def _relative_loop(a, b):
    worst = 0.0
    for x, y in zip(np.ravel(a), np.ravel(b), strict=True):
        if x != y:
            worst = max(worst, abs(x - y) / (abs(x) + abs(y)))
    return worst


def differentiate_driver(functions, case):
    """Calls for the gradient of one of the functions below, which are fit for real and for complex arrays."""
    (differentiate,) = functions

    def weighed(x, power):
        return np.sum(np.arange(1, x.size + 1) * x.ravel() ** power)

    known = {
        "squares": lambda x: weighed(x, 2),
        "cubes": lambda x: weighed(x, 3),
        "exponentials": lambda x: np.sum(np.exp(0.5 * x)) + weighed(x, 1),
        "products": lambda x: np.sum(np.sin(x.ravel()) * np.roll(x.ravel(), 1)),
        "softplus of a sum": lambda x: np.log(1.0 + np.exp(weighed(x, 1) / x.size)),
    }
    name, x = case.args
    yield "", differentiate(known[name], x, **case.kwargs)


def _difference_cases(rng):
    # Rounding noise of u|f|/ε, near 1e-10 of the gradient, depends on how the answer orders its sums: allow a hundred times
    # that. One-sided differences are off by ε f″/2, at least 1e-6 of it.
    def case(name, f, x, tolerance=1e-8, eps=None, **options):
        return Case(name, (f, x), {} if eps is None else {"eps": eps}, tolerance=tolerance, **options)

    return [
        case("a vector", "exponentials", rng.uniform(0.5, 1.5, 4)),
        case("a matrix", "products", rng.uniform(0.5, 1.5, (2, 3))),
        # Here the truncated series shows: x³ has the central difference 3x² + ε²
        case("ε = 0.1", "cubes", rng.uniform(0.5, 1.5, 3), eps=0.1),
        case("whole numbers", "squares", np.array([1, -2, 3])),
        # The result may be rounded to float32, no more
        case("float32", "exponentials", rng.uniform(0.5, 1.5, 3).astype(np.float32), tolerance=1e-6),
        case("one entry", "softplus of a sum", np.array([0.25])),
        case("three axes", "products", rng.uniform(0.5, 1.5, (2, 1, 3)), hidden=True),
    ]


def _differences_with(quotient, prepare=lambda x: np.array(x, dtype=float), finish=lambda g: g):
    """Differences entry by entry, with quotient(f, x, index, eps) in place of the central one."""

    def numerical_grad(f, x, eps=1e-5):
        point = prepare(x)
        g = np.zeros(point.shape)
        for index in np.ndindex(point.shape):
            g[index] = quotient(f, point, index, eps)
        return finish(g)

    return numerical_grad


def _moved(x, index, step):
    z = x.copy()
    z[index] += step
    return z


def _central(f, x, index, eps):
    return (f(_moved(x, index, eps)) - f(_moved(x, index, -eps))) / (2 * eps)


_grad_one_sided = _differences_with(lambda f, x, i, eps: (f(_moved(x, i, eps)) - f(x)) / eps)
_grad_tiny_step = _differences_with(lambda f, x, i, eps: _central(f, x, i, eps * 1e-9))
_grad_fixed_step = _differences_with(lambda f, x, i, eps: _central(f, x, i, 1e-5))
_grad_not_halved = _differences_with(lambda f, x, i, eps: 2 * _central(f, x, i, eps))
_grad_sign = _differences_with(lambda f, x, i, eps: -_central(f, x, i, eps))
_grad_all_at_once = _differences_with(lambda f, x, i, eps: (f(x + eps) - f(x - eps)) / (2 * eps))
_grad_flat = _differences_with(_central, finish=np.ravel)


def _grad_in_type(f, x, eps=1e-5):
    g = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[index] = x[index] + eps
        below[index] = x[index] - eps
        g[index] = (f(above) - f(below)) / (2 * eps)
    return g


def _grad_not_restored(f, x, eps=1e-5):
    g = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        x[index] += eps
        above = f(x)
        x[index] -= 2 * eps
        below = f(x)
        g[index] = (above - below) / (2 * eps)
    return g


def _grad_plain(f, x, eps=1e-5):
    x = np.array(x, dtype=float)
    g = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        before = x[index]
        x[index] = before + eps
        above = f(x)
        x[index] = before - eps
        below = f(x)
        x[index] = before
        g[index] = (above - below) / (2 * eps)
    return g


def _grad_directions(f, x, eps=1e-5):
    moves = eps * np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([(f(x + e) - f(x - e)) / eps / 2 for e in moves]).reshape(x.shape)


# --- functions that draw random numbers -----------------------------------------------------------------------------


def stochastic_driver(functions, case):
    """Calls for the gradient of a function with dropout, which notes the numbers that each evaluation draws."""
    (differentiate,) = functions
    _, x, seed = case.args
    drawn, wanted = [], np.random.default_rng(seed).random(x.shape)

    def f(x, rng):
        if not isinstance(rng, np.random.Generator):
            raise WrongAnswer(f"f is called as f(x, rng), with a numpy.random.Generator; it was given {kind(rng)}")
        drawn.append(rng.random(x.shape))
        return np.sum(np.where(drawn[-1] < 0.5, 0.0, np.exp(x)) * (1.0 + drawn[-1])) + np.sum(x**3)

    g = differentiate(f, x, seed, **case.kwargs)
    if not drawn:
        raise WrongAnswer(f"f is never evaluated; your function returned {kind(g)}")
    told = "drawn anew"
    if all(np.array_equal(numbers, drawn[0]) for numbers in drawn):
        told = "those of the seed" if np.array_equal(drawn[0], wanted) else "not those of the seed"
    elif all(map(np.array_equal, drawn[::2], drawn[1::2])):
        told = "others for every entry of x"
    yield "random numbers", told
    yield "gradient", g


def _stochastic_cases(rng):
    return [
        Case("a vector", ("dropout", rng.uniform(0.5, 1.5, 6), 7), tolerance=1e-8),
        Case("a matrix, another seed", ("dropout", rng.uniform(0.5, 1.5, (2, 3)), 20), tolerance=1e-8),
        Case("ε = 0.1", ("dropout", rng.uniform(0.5, 1.5, 5), 3), {"eps": 0.1}, tolerance=1e-8),
        Case("twelve entries", ("dropout", rng.uniform(0.5, 1.5, (3, 4)), 11), tolerance=1e-8, hidden=True),
    ]


def _stochastic_with(draws):
    """Central differences where draws(seed, entry) -> (generator above, generator below)."""

    def numerical_grad_stochastic(f, x, seed, eps=1e-5):
        g, draw = np.zeros(x.shape), draws(seed)
        for entry, index in enumerate(np.ndindex(x.shape)):
            above, below = draw(entry)
            g[index] = (f(_moved(x, index, eps), above()) - f(_moved(x, index, -eps), below())) / (2 * eps)
        return g

    return numerical_grad_stochastic


def _shared(seed):
    rng = np.random.default_rng(seed)
    return lambda entry: (lambda: rng, lambda: rng)


def _fixed(seed):
    def fresh():
        return np.random.default_rng(0)

    return lambda entry: (fresh, fresh)


def _per_entry(seed):
    def draw(entry):
        def fresh():
            return np.random.default_rng(seed + entry)

        return fresh, fresh

    return draw


def _seeded(seed):
    def fresh():
        return np.random.default_rng(seed)

    return lambda entry: (fresh, fresh)


_stochastic_shared = _stochastic_with(_shared)
_stochastic_seed_ignored = _stochastic_with(_fixed)
_stochastic_per_entry = _stochastic_with(_per_entry)
_stochastic_inline = _stochastic_with(_seeded)


def _stochastic_one_sided(f, x, seed, eps=1e-5):
    at = f(x, np.random.default_rng(seed))
    g = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        g[index] = (f(_moved(x, index, eps), np.random.default_rng(seed)) - at) / eps
    return g


def _stochastic_rewound(f, x, seed, eps=1e-5):
    rng = np.random.default_rng(seed)
    begin = rng.bit_generator.state

    def again(z):
        rng.bit_generator.state = begin
        return f(z, rng)

    return _grad_plain(again, x, eps)


# --- the complex step -----------------------------------------------------------------------------------------------


def _complex_cases(rng):
    def case(name, f, x, eps=None, **options):
        return Case(name, (f, x), {} if eps is None else {"eps": eps}, terms=64, **options)

    return [
        case("a vector", "exponentials", rng.uniform(0.5, 1.5, 4)),
        case("a matrix", "products", rng.uniform(0.5, 1.5, (2, 3))),
        # x³ has the complex step 3x² − ε²
        case("ε = 0.1", "cubes", rng.uniform(0.5, 1.5, 3), eps=0.1),
        case("whole numbers", "squares", np.array([1, -2, 3])),
        case("one entry", "softplus of a sum", np.array([0.25])),
        case("three axes", "products", rng.uniform(0.5, 1.5, (2, 1, 3)), hidden=True),
    ]


def _complex_with(read, prepare=lambda x: np.array(x, dtype=complex), finish=lambda g: g):
    """Read(f, z, index, eps) is the derivative with respect to one entry."""

    def complex_step_grad(f, x, eps=1e-20):
        g = np.zeros(x.shape)
        for index in np.ndindex(x.shape):
            g[index] = read(f, prepare(x), index, eps)
        return finish(g)

    return complex_step_grad


_step_real_part = _complex_with(lambda f, z, i, eps: f(_moved(z, i, 1j * eps)).real / eps)
_step_not_divided = _complex_with(lambda f, z, i, eps: f(_moved(z, i, 1j * eps)).imag)
_step_sign = _complex_with(lambda f, z, i, eps: f(_moved(z, i, -1j * eps)).imag / eps)
_step_real_move = _complex_with(lambda f, z, i, eps: ((f(_moved(z, i, eps)) - f(z)) / eps).real)
_step_all_at_once = _complex_with(lambda f, z, i, eps: f(z + 1j * eps).imag / eps)
_step_fixed = _complex_with(lambda f, z, i, eps: f(_moved(z, i, 1e-20j)).imag / 1e-20)
_step_flat = _complex_with(lambda f, z, i, eps: f(_moved(z, i, 1j * eps)).imag / eps, finish=np.ravel)
_step_halved = _complex_with(lambda f, z, i, eps: f(_moved(z, i, 1j * eps)).imag / (2 * eps))
_step_single = _complex_with(
    lambda f, z, i, eps: f(_moved(z, i, 1j * eps)).imag / eps, prepare=lambda x: x.astype(np.complex64)
)


def _step_not_restored(f, x, eps=1e-20):
    z, g = np.array(x, dtype=complex), np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        z[index] += 1j * eps
        g[index] = f(z).imag / eps
    return g


def _step_plain(f, x, eps=1e-20):
    z = np.array(x, dtype=complex)
    g = np.zeros(z.shape)
    for index in np.ndindex(z.shape):
        z[index] += 1j * eps
        g[index] = f(z).imag / eps
        z[index] = x[index]
    return g


def _step_directions(f, x, eps=1e-20):
    moves = 1j * eps * np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([np.imag(f(x + e)) / eps for e in moves]).reshape(x.shape)


# --- any number of layers -------------------------------------------------------------------------------------------


def _mlp_cases(rng):
    def case(name, N, sizes, dtype=float, activation="tanh", **options):
        X, dU = rng.standard_normal((N, sizes[0])).astype(dtype), rng.standard_normal((N, sizes[-1])).astype(dtype)
        return Case(name, (X, _params(rng, *sizes, dtype=dtype)), {"activation": activation}, dout=dU, **options)

    X, dU = rng.standard_normal((4, 3)), rng.standard_normal((4, 2))
    return [
        case("two hidden layers", 6, (3, 4, 5, 2)),
        Case("ReLU, the default", (X, _params(rng, 3, 5, 4, 2)), dout=dU),
        case("one hidden layer", 5, (2, 3, 4), activation="sigmoid"),
        case("no hidden layer", 4, (3, 2), weight=0.5),
        case("one example", 1, (3, 2, 4, 3)),
        case("all sizes equal", 3, (3, 3, 3, 3)),
        case("float32", 4, (2, 3, 4, 2), dtype=np.float32),
        case("five layers", 5, (4, 3, 5, 2, 4, 3), activation="softplus", hidden=True),
    ]


def _mlp_forward(X, params, activation="relu"):
    g, _ = ACTIVATIONS[activation]
    A, Z = [X], []
    for W, b in params[:-1]:
        Z.append(A[-1] @ W + b)
        A.append(g(Z[-1]))
    W, b = params[-1]
    return A[-1] @ W + b, (A, Z, params, activation)


def _mlp_backward(dU, cache):
    A, Z, params, activation = cache
    _, g_grad = ACTIVATIONS[activation]
    delta, grads = dU, []
    for l in reversed(range(len(params))):
        grads.insert(0, (A[l].T @ delta, delta.sum(axis=0)))
        if l > 0:
            delta = (delta @ params[l][0].T) * g_grad(Z[l - 1])
    return grads


def _mlp_with(
    back=lambda delta, l, A, Z, W, g_grad: delta @ W[l].T * g_grad(Z[l - 1]),
    grads_of=lambda delta, l, A, came: (A[l].T @ delta, delta.sum(axis=0)),
    begin=lambda dU, U, g_grad: dU,
    finish=lambda grads: grads,
):
    """The backward pass with one thing changed."""

    def forward(X, params, activation="relu"):
        U, (A, Z, params, activation) = _mlp_forward(X, params, activation)
        return U, (U, A, Z, [W for W, _ in params], activation)

    def mlp_backward(dU, cache):
        U, A, Z, W, activation = cache
        g_grad = ACTIVATIONS[activation][1]
        delta = came = begin(dU, U, g_grad)
        grads = []
        for l in reversed(range(len(W))):
            grads.insert(0, grads_of(delta, l, A, came))
            if l > 0:
                came = delta @ W[l].T if delta.shape[1] == W[l].shape[1] else delta
                delta = back(delta, l, A, Z, W, g_grad)
        return finish(grads)

    return forward, mlp_backward


_mlp_at_activation = _mlp_with(lambda delta, l, A, Z, W, g_grad: delta @ W[l].T * g_grad(A[l]))
_mlp_no_derivative = _mlp_with(lambda delta, l, A, Z, W, g_grad: delta @ W[l].T)
_mlp_dot = _mlp_with(lambda delta, l, A, Z, W, g_grad: (delta @ W[l].T) @ g_grad(Z[l - 1]).T)
_mlp_own_weights = _mlp_with(lambda delta, l, A, Z, W, g_grad: delta @ W[l - 1].T * g_grad(Z[l - 1]))
_mlp_layer_off = _mlp_with(lambda delta, l, A, Z, W, g_grad: delta @ W[l].T * g_grad(Z[l - 2]))
_mlp_no_bias = _mlp_with(grads_of=lambda delta, l, A, came: (A[l].T @ delta, np.zeros(delta.shape[1])))
_mlp_bias_early = _mlp_with(grads_of=lambda delta, l, A, came: (A[l].T @ delta, came.sum(axis=0)))
_mlp_bias_kept = _mlp_with(grads_of=lambda delta, l, A, came: (A[l].T @ delta, delta))
_mlp_input = _mlp_with(grads_of=lambda delta, l, A, came: (A[0].T @ delta, delta.sum(axis=0)))
_mlp_mean = _mlp_with(grads_of=lambda delta, l, A, came: (A[l].T @ delta / len(delta), delta.mean(axis=0)))
_mlp_output_derivative = _mlp_with(begin=lambda dU, U, g_grad: dU * g_grad(U))
_mlp_reversed = _mlp_with(finish=lambda grads: grads[::-1])
_mlp_first_missing = _mlp_with(finish=lambda grads: grads[1:])


def _mlp_output_activated(X, params, activation="relu"):
    U, cache = _mlp_forward(X, params, activation)
    return ACTIVATIONS[activation][0](U), cache


def _mlp_recursive_forward(X, params, activation="relu"):
    (W, b), rest = params[0], params[1:]
    Z = X @ W + b
    if not rest:
        return Z, [(X, W, None)]
    g, g_grad = ACTIVATIONS[activation]
    U, layers = _mlp_recursive_forward(g(Z), rest, activation)
    return U, [(X, W, g_grad(Z)), *layers]


def _mlp_recursive_backward(dU, cache):
    grads, back = [], dU
    for X, W, slope in cache[::-1]:
        delta = back if slope is None else back * slope
        grads.append((np.einsum("nd,nk->dk", X, delta), np.einsum("nk->k", delta)))
        back = delta @ W.T
    return tuple(grads[::-1])


# --- the loss -------------------------------------------------------------------------------------------------------


def _labels(rng, N, K):
    labels = rng.integers(0, K, N)
    labels[: min(N, K)] = np.arange(K)[:N]
    return labels


def _loss_cases(rng):
    def case(name, N, sizes, dtype=float, weight_decay=0.0, activation="tanh", soft=False, **options):
        X, K = rng.standard_normal((N, sizes[0])).astype(dtype), sizes[-1]
        labels = rng.dirichlet(np.ones(K), N) if soft else _labels(rng, N, K)
        kwargs = {"activation": activation} | ({"weight_decay": weight_decay} if weight_decay else {})
        return Case(name, (X, labels, _params(rng, *sizes, dtype=dtype)), kwargs, **options)

    far = np.array([[1000.0, 0.0], [0.0, 1000.0], [-1000.0, 0.0]])
    plain = (rng.standard_normal((4, 3)), _labels(rng, 4, 2), _params(rng, 3, 5, 2))
    return [
        case("six examples", 6, (3, 4, 5)),
        Case("ReLU, the default", plain),
        case("weight decay", 5, (2, 4, 3), weight_decay=0.3),
        case("one example with weight decay", 1, (3, 2, 4), weight_decay=0.5, activation="sigmoid"),
        Case("logits of ±1000", (far, np.array([1, 1, 0]), [(np.eye(2), np.zeros(2))])),
        case("labels as probabilities", 4, (3, 4, 2), soft=True),
        case("float32", 4, (3, 4, 3), dtype=np.float32, weight_decay=0.1),
        case("three layers, weight decay", 7, (3, 4, 5, 3), weight_decay=0.2, hidden=True),
    ]


def _log_softmax(U):
    shifted = U - U.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _targets(labels, U):
    return np.eye(U.shape[1])[labels] if np.ndim(labels) == 1 else labels


def _loss_with(
    losses=lambda U, K: -np.sum(K * _log_softmax(U)) / len(U),
    delta=lambda U, K: (np.exp(_log_softmax(U)) - K) / len(U),
    penalty=lambda params, lam: 0.5 * lam * sum(np.sum(W**2) for W, _ in params),
    decay=lambda dW, db, W, b, lam: (dW + lam * W, db),
    fixed=None,
):
    """The loss with one thing changed."""

    def mlp_loss(X, labels, params, activation="relu", weight_decay=0.0):
        U, cache = _mlp_forward(X, params, fixed or activation)
        # Probabilities and the indicator are float64: back to the type of the network
        K = _targets(labels, U).astype(U.dtype)
        J = losses(U, K) + penalty(params, weight_decay)
        grads = _mlp_backward(delta(U, K), cache)
        pairs = zip(grads, params, strict=True)
        return J, [decay(dW, db, W, b, weight_decay) for (dW, db), (W, b) in pairs]

    return mlp_loss


def _naive_softmax(U):
    with np.errstate(all="ignore"):
        return np.exp(U) / np.exp(U).sum(axis=1, keepdims=True)


def _naive_loss(U, K):
    with np.errstate(all="ignore"):
        return -np.sum(K * np.log(_naive_softmax(U))) / len(U)


def _log_of_softmax(U, K):
    with np.errstate(all="ignore"):
        return -np.sum(K * np.log(np.exp(_log_softmax(U)))) / len(U)


_loss_not_averaged = _loss_with(delta=lambda U, K: np.exp(_log_softmax(U)) - K)
_loss_averaged_twice = _loss_with(delta=lambda U, K: (np.exp(_log_softmax(U)) - K) / len(U) ** 2)
_loss_sums = _loss_with(lambda U, K: -np.sum(K * _log_softmax(U)), lambda U, K: np.exp(_log_softmax(U)) - K)
_loss_targets_first = _loss_with(delta=lambda U, K: (K - np.exp(_log_softmax(U))) / len(U))
_loss_half_missing = _loss_with(penalty=lambda params, lam: lam * sum(np.sum(W**2) for W, _ in params))
_loss_no_penalty = _loss_with(penalty=lambda params, lam: 0.0)
_loss_no_decay = _loss_with(decay=lambda dW, db, W, b, lam: (dW, db))
_loss_decay_subtracted = _loss_with(decay=lambda dW, db, W, b, lam: (dW - lam * W, db))
_loss_bias_decayed = _loss_with(
    penalty=lambda params, lam: 0.5 * lam * sum(np.sum(W**2) + np.sum(b**2) for W, b in params),
    decay=lambda dW, db, W, b, lam: (dW + lam * W, db + lam * b),
)
_loss_activation_ignored = _loss_with(fixed="relu")
_loss_overflow = _loss_with(_naive_loss, lambda U, K: (_naive_softmax(U) - K) / len(U))
_loss_log_of_zero = _loss_with(_log_of_softmax)
_loss_norm_not_squared = _loss_with(penalty=lambda params, lam: 0.5 * lam * sum(np.linalg.norm(W) for W, _ in params))
_loss_by_hand = _loss_with()


def _loss_composed(X, labels, params, activation="relu", weight_decay=0.0):
    U, cache = mlp_forward(X, params, activation)
    J = softmax_cross_entropy(U, labels) + 0.5 * weight_decay * sum(np.sum(W**2) for W, _ in params)
    grads = mlp_backward(softmax_cross_entropy_grad(U, labels), cache)
    return J, [(dW + weight_decay * W, db) for (dW, db), (W, _) in zip(grads, params, strict=True)]


def _loss_loop(X, labels, params, activation="relu", weight_decay=0.0):
    N, J, grads = len(X), 0.0, [[np.zeros_like(W), np.zeros_like(b)] for W, b in params]
    for p in range(N):
        u, cache = _mlp_forward(X[p : p + 1], params, activation)
        k = _targets(labels[p : p + 1], u).astype(u.dtype)
        m = u.max()
        J += float(np.sum(k * (m + np.log(np.exp(u - m).sum()) - u))) / N
        e = np.exp(u - m)
        for total, (dW, db) in zip(grads, _mlp_backward((e / e.sum() - k) / N, cache), strict=True):
            total[0] += dW
            total[1] += db
    for total, (W, _) in zip(grads, params, strict=True):
        J += 0.5 * weight_decay * float(np.vdot(W, W))
        total[0] += weight_decay * W
    return J, grads


# --- minibatches ----------------------------------------------------------------------------------------------------


def minibatches_driver(functions, case):
    """Calls for two epochs and for the first one again, and says what any random order has in common."""
    (batches,) = functions
    X, y, batch_size = case.args

    def epoch(rng):
        made = batches(X, y, batch_size, rng)
        if isinstance(made, str) or not hasattr(made, "__iter__"):
            raise WrongAnswer(f"the function yields pairs `X_batch, y_batch`; yours returned {kind(made)}")
        pairs = []
        for item in made:
            if not isinstance(item, tuple | list) or len(item) != 2:
                raise WrongAnswer(f"each minibatch is a pair `X_batch, y_batch`; yours is {kind(item)}")
            pairs.append((np.array(item[0]), np.array(item[1])))
            if len(pairs) > 2 * len(X):
                raise WrongAnswer(f"there are {len(X)} examples, and you yield more than {2 * len(X)} minibatches")
        return pairs

    def order(pairs):
        """The examples by number: y holds the numbers."""
        return np.concatenate([t for _, t in pairs]) if pairs else np.array([])

    rng = np.random.default_rng(case.more["seed"])
    first, second = epoch(rng), epoch(rng)
    again = epoch(np.random.default_rng(case.more["seed"]))
    yield "sizes", {"examples in each minibatch": [len(x) for x, _ in first]}

    seen = order(first)
    counts = np.bincount(seen.astype(int), minlength=len(y))
    together = all(x.shape == (len(t), *X.shape[1:]) and np.array_equal(x, X[t.astype(int)]) for x, t in first)
    twice, never = (counts > 1).any(), (counts == 0).any()
    if not together:
        told = "targets of other examples"
    elif twice and never:
        told = "some twice, some never"
    else:
        told = "some twice" if twice else "some never" if never else "each once"
    yield "every example once", told

    told = "a new one in every epoch, drawn by rng"
    # With few examples any order may come by chance
    if len(y) > 30 and together:
        neighbours = all(np.array_equal(np.sort(t), np.arange(t.min(), t.max() + 1)) for _, t in first)
        if np.array_equal(seen, np.sort(seen)):
            told = "that of X"
        elif neighbours and batch_size > 1:
            told = "blocks of neighbours"
        elif not np.array_equal(seen, order(again)):
            told = "not decided by rng"
        elif np.array_equal(seen, order(second)):
            told = "the same in the second epoch"
    yield "order", told


def _minibatch_cases(rng):
    def case(name, N, batch_size, seed, **options):
        X = rng.standard_normal((N, 3))
        return Case(name, (X, np.arange(N), batch_size), more={"seed": seed}, **options)

    images = rng.standard_normal((40, 2, 2, 1))
    return [
        case("53 examples by 8", 53, 8, 1),
        case("48 examples by 8", 48, 8, 2),
        case("one at a time", 40, 1, 3),
        case("fewer examples than a minibatch holds", 5, 8, 4),
        Case("images", (images, np.arange(40), 16), more={"seed": 5}),
        case("61 examples by 7", 61, 7, 6, hidden=True),
    ]


def _batches_of(order, X, y, batch_size):
    return [(X[order[i : i + batch_size]], y[order[i : i + batch_size]]) for i in range(0, len(order), batch_size)]


def _batches_never_shuffled(X, y, batch_size, rng):
    return _batches_of(np.arange(len(X)), X, y, batch_size)


def _batches_last_dropped(X, y, batch_size, rng):
    return [pair for pair in _batches_of(rng.permutation(len(X)), X, y, batch_size) if len(pair[1]) == batch_size]


def _batches_with_replacement(X, y, batch_size, rng):
    return _batches_of(rng.integers(0, len(X), len(X)), X, y, batch_size)


def _batches_targets_apart(X, y, batch_size, rng):
    order = rng.permutation(len(X))
    starts = range(0, len(X), batch_size)
    return [(X[order[i : i + batch_size]], y[i : i + batch_size]) for i in starts]


def _batches_seeded_inside(X, y, batch_size, rng):
    return _batches_of(np.random.default_rng(0).permutation(len(X)), X, y, batch_size)


def _batches_global(X, y, batch_size, rng):
    return _batches_of(np.random.permutation(len(X)), X, y, batch_size)  # noqa: NPY002, the mistake itself


def _batches_shuffled_in_place(X, y, batch_size, rng):
    order = rng.permutation(len(X))
    X[:], y[:] = X[order], y[order]
    return [(X[i : i + batch_size].copy(), y[i : i + batch_size].copy()) for i in range(0, len(X), batch_size)]


def _batches_counted(X, y, batch_size, rng):
    order = rng.permutation(len(X))
    return [(X[part], y[part]) for part in np.array_split(order, batch_size)]


def _batches_filled_up(X, y, batch_size, rng):
    order = rng.permutation(len(X))
    padded = np.resize(order, -(-len(X) // batch_size) * batch_size)
    return _batches_of(padded, X, y, batch_size)


def _batches_of_neighbours(X, y, batch_size, rng):
    starts = rng.permutation(np.arange(0, len(X), batch_size))
    # The smaller one stays at the end
    starts = sorted(starts, key=lambda start: start + batch_size > len(X))
    return [(X[i : i + batch_size], y[i : i + batch_size]) for i in starts]


def _minibatches_generator(X, y, batch_size, rng):
    order = rng.permutation(len(X))
    for start in range(0, len(X), batch_size):
        chosen = order[start : start + batch_size]
        yield X[chosen], y[chosen]


def _minibatches_sorted_by_key(X, y, batch_size, rng):
    order = np.argsort(rng.random(len(X)))
    return [[X[part], y[part]] for part in np.split(order, range(batch_size, len(X), batch_size)) if len(part)]


def _minibatches_popped(X, y, batch_size, rng):
    left = list(range(len(X)))
    while left:
        chosen = [left.pop(int(rng.integers(len(left)))) for _ in range(min(batch_size, len(left)))]
        yield np.stack([X[i] for i in chosen]), np.array([y[i] for i in chosen])


# --- one epoch ------------------------------------------------------------------------------------------------------


def _epoch_cases(rng):
    def case(name, N, D, H, K, lr, batch_size, dtype=float, **options):
        (W, b), (V, c) = _params(rng, D, H, K, dtype=dtype)
        X = rng.uniform(0.5, 1.5, (N, D)).astype(dtype)
        targets = (rng.integers(0, 2, (N, K)) * 0.8 + 0.1).astype(dtype)
        return Case(name, (X, targets, W, b, V, c, lr, batch_size), **options)

    return [
        case("one step", 4, 3, 5, 2, 4.0, 4),
        case("three steps", 6, 2, 4, 3, 5.0, 2),
        case("a smaller minibatch at the end", 7, 3, 4, 2, 3.0, 3),
        case("one example at a time", 4, 2, 3, 1, 2.0, 1),
        case("all sizes equal", 3, 3, 3, 3, 6.0, 3),
        case("float32", 5, 2, 3, 2, 3.0, 2, dtype=np.float32),
        case("larger than the data", 5, 3, 4, 2, 3.0, 8, weight=0.5),
        case("five steps", 14, 3, 4, 2, 4.0, 3, hidden=True),
    ]


def _s(u):
    return 1.0 / (1.0 + np.exp(-u))


def _epoch_gradients(x, d, W, b, V, c, n, new_V=None):
    H = _s(x @ W + b)
    Y = _s(H @ V + c)
    dU = -(d - Y) * Y * (1 - Y) / n
    dZ = dU @ (V if new_V is None else new_V(H, dU)).T * H * (1 - H)
    return x.T @ dZ, dZ.sum(axis=0), H.T @ dU, dU.sum(axis=0)


def _epoch_with(step):
    """An epoch whose every minibatch does step(x, d, W, b, V, c, lr, batch_size) -> W, b, V, c."""

    def sgd_epoch(X, D, W, b, V, c, lr, batch_size):
        for start in range(0, len(X), batch_size):
            x, d = X[start : start + batch_size], D[start : start + batch_size]
            W, b, V, c = step(x, d, W, b, V, c, lr, batch_size)
        return W, b, V, c

    return sgd_epoch


def _moved_by(lr, parameters, gradients):
    return tuple(p - lr * g for p, g in zip(parameters, gradients, strict=True))


def _epoch_step(x, d, W, b, V, c, lr, batch_size):
    return _moved_by(lr, (W, b, V, c), _epoch_gradients(x, d, W, b, V, c, len(x)))


def _epoch_updated_first(x, d, W, b, V, c, lr, batch_size):
    moved = _epoch_gradients(x, d, W, b, V, c, len(x), new_V=lambda H, dU: V - lr * H.T @ dU)
    return _moved_by(lr, (W, b, V, c), moved)


def _epoch_bias_still(x, d, W, b, V, c, lr, batch_size):
    W2, _, V2, _ = _epoch_step(x, d, W, b, V, c, lr, batch_size)
    return W2, b, V2, c


def _epoch_from_delta(delta, hidden=lambda H: H * (1 - H), bias=lambda dH, dZ: dZ):
    def step(x, d, W, b, V, c, lr, batch_size):
        H = _s(x @ W + b)
        dU = delta(d, _s(H @ V + c), H @ V + c) / len(x)
        dH = dU @ V.T
        dZ = dH * hidden(H)
        return _moved_by(lr, (W, b, V, c), (x.T @ dZ, bias(dH, dZ).sum(axis=0), H.T @ dU, dU.sum(axis=0)))

    return step


def _right_delta(d, Y, U):
    return -(d - Y) * Y * (1 - Y)


_epoch_updated_before = _epoch_with(_epoch_updated_first)
_epoch_no_bias = _epoch_with(_epoch_bias_still)
_epoch_no_output_derivative = _epoch_with(_epoch_from_delta(lambda d, Y, U: -(d - Y)))
_epoch_output_linear = _epoch_with(_epoch_from_delta(lambda d, Y, U: -(d - U)))
_epoch_at_activation = _epoch_with(_epoch_from_delta(_right_delta, hidden=lambda H: _s(H) * (1 - _s(H))))
_epoch_bias_early = _epoch_with(_epoch_from_delta(_right_delta, bias=lambda dH, dZ: dH))
_epoch_ascends = _epoch_with(_epoch_from_delta(lambda d, Y, U: (d - Y) * Y * (1 - Y)))
_epoch_not_averaged = _epoch_with(
    lambda x, d, W, b, V, c, lr, size: _moved_by(lr, (W, b, V, c), _epoch_gradients(x, d, W, b, V, c, 1))
)
_epoch_by_batch_size = _epoch_with(
    lambda x, d, W, b, V, c, lr, size: _moved_by(lr, (W, b, V, c), _epoch_gradients(x, d, W, b, V, c, size))
)
_epoch_averaged_twice = _epoch_with(
    lambda x, d, W, b, V, c, lr, size: _moved_by(lr, (W, b, V, c), _epoch_gradients(x, d, W, b, V, c, len(x) ** 2))
)


def _epoch_mutates(X, D, W, b, V, c, lr, batch_size):
    for start in range(0, len(X), batch_size):
        x, d = X[start : start + batch_size], D[start : start + batch_size]
        gradients = _epoch_gradients(x, d, W, b, V, c, len(x))
        for parameter, gradient in zip((W, b, V, c), gradients, strict=True):
            parameter -= lr * gradient
    return W, b, V, c


def _epoch_last_dropped(X, D, W, b, V, c, lr, batch_size):
    whole = len(X) // batch_size * batch_size
    return _epoch_with(_epoch_step)(X[:whole], D[:whole], W, b, V, c, lr, batch_size)


def _epoch_frozen(X, D, W, b, V, c, lr, batch_size):
    new = (W, b, V, c)
    for start in range(0, len(X), batch_size):
        x, d = X[start : start + batch_size], D[start : start + batch_size]
        new = _moved_by(lr, new, _epoch_gradients(x, d, W, b, V, c, len(x)))
    return new


def _epoch_whole_batch(X, D, W, b, V, c, lr, batch_size):
    for _ in range(0, len(X), batch_size):
        W, b, V, c = _epoch_step(X, D, W, b, V, c, lr, batch_size)
    return W, b, V, c


_epoch_by_hand = _epoch_with(_epoch_step)


def _epoch_own_copies(X, D, W, b, V, c, lr, batch_size):
    W, b, V, c = W.copy(), b.copy(), V.copy(), c.copy()
    for start in range(0, len(X), batch_size):
        stop = min(start + batch_size, len(X))
        H = 0.5 + 0.5 * np.tanh(0.5 * (X[start:stop] @ W + b))
        Y = 0.5 + 0.5 * np.tanh(0.5 * (H @ V + c))
        dU = (Y - D[start:stop]) * (Y - Y * Y) * (lr / (stop - start))
        dZ = np.einsum("nk,hk->nh", dU, V) * (H - H * H)
        W -= np.einsum("nd,nh->dh", X[start:stop], dZ)
        b -= dZ.sum(0)
        V -= np.einsum("nh,nk->hk", H, dU)
        c -= dU.sum(0)
    return [W, b, V, c]


# --- the exercises --------------------------------------------------------------------------------------------------

_AT_ACTIVATION = (
    "g′ is taken at the activation. It belongs to the preactivation Z, where g itself was applied: which of the two did "
    "you put in?"
)
_NO_BIAS = "The biases' gradients are zero, so the biases would never learn. A bias adds the same to every example of its neuron."
_BIAS_EARLY = "The bias gradient is summed before the factor g′(Z). The bias enters before the activation, so its gradient comes from δ, after that factor."
_DOT = "A matrix product stands where the notes write ⊙. g′(Z) multiplies entry by entry: each neuron of each example has its own slope."
_BIAS_KEPT = "The bias gradient has a row for every example. The bias is one for all of them: sum over the examples."
_NO_DERIVATIVE = (
    "The error goes back through the weights, but not through the activation: its slope is missing as a factor."
)
_MEAN = "You divide by the number of examples. Here gradients are sums; a mean comes in with dU."
_ALL_AT_ONCE = "All entries are moved together, so every entry gets the sum of the slopes. Move one entry at a time and leave the others where they are."
_FLAT = "The numbers are right, but in a row. The gradient has the shape of x; `np.ndindex(x.shape)` goes through the places of an array of any shape."

EXERCISES = [
    Exercise(
        "backpropagation.columns_from_rows",
        backpropagation.columns_from_rows,
        _columns_cases,
        [
            Mistake(
                "bias_not_column",
                _columns_bias_flat,
                "b is still a flat array. Added to WA, whose columns are examples, it would be laid along the examples; as a column (K, 1) it goes along the neurons.",
            ),
            Mistake(
                "bias_as_row",
                _columns_bias_row,
                "b is a row (1, K). With examples as columns every column gets the same biases, so b stands upright.",
            ),
            Mistake(
                "not_transposed", _columns_not_transposed, "W is as it was. In Z = WA one *row* belongs to a neuron."
            ),
            Mistake(
                "reshaped",
                _columns_reshaped,
                "`reshape` keeps the order of the numbers and only breaks the rows elsewhere. Rows are to become columns.",
            ),
            Mistake(
                "layers_reversed",
                _columns_reversed,
                "The layers stay in their order; only each W and b changes its form.",
            ),
        ],
        [_columns_copied, _columns_loop],
        points=1,
        minutes=4,
        why="Half of the notes keep examples in columns; who can convert can read them all.",
        hints=(
            "A list comprehension over the pairs (W, b).",
            "`W.T` turns rows into columns; `b[:, None]` is a column.",
        ),
        solution=_columns_copied,
    ),
    Exercise(
        "backpropagation.two_layer",
        (backpropagation.two_layer_forward, backpropagation.two_layer_backward),
        _two_layer_cases,
        [
            Mistake("derivative_at_activation", _two_layer_with(_two_layer_at_activation), _AT_ACTIVATION),
            Mistake("bias_never_updated", _two_layer_with(_two_layer_no_bias), _NO_BIAS),
            Mistake("bias_from_activation_grad", _two_layer_with(_two_layer_bias_early), _BIAS_EARLY),
            Mistake("dot_for_elementwise", _two_layer_with(_two_layer_dot), _DOT),
            Mistake("activation_derivative_missing", _two_layer_with(_two_layer_no_derivative), _NO_DERIVATIVE),
            Mistake(
                "input_for_previous_activation",
                _two_layer_with(_two_layer_input),
                "dV is made from X. What V was multiplied by in the forward pass is H.",
            ),
            Mistake(
                "wrong_layer_weights",
                _two_layer_with(_two_layer_own_weights),
                "The error goes back from U to H, and it was V that led from H to U. You send it through W.",
            ),
            Mistake(
                "missing_transpose",
                _two_layer_with(_two_layer_no_transpose),
                "V leads from H to U; the way back, from (N, K) to (N, H), is its transpose. The shapes tell.",
            ),
            Mistake("bias_not_summed", _two_layer_with(_two_layer_bias_kept), _BIAS_KEPT),
            Mistake(
                "sigmoid_hard_coded",
                _two_layer_with(_two_layer_sigmoid),
                "H(1 − H) is the slope of the sigmoid alone. `g` may be another activation: take its derivative from ACTIVATIONS.",
            ),
            Mistake("mean_for_sum", _two_layer_with(_two_layer_mean), _MEAN, convention=True),
            Mistake(
                "activation_forgotten",
                (_two_layer_linear_forward, _two_layer_right_backward),
                "The hidden layer's activation is missing in the output: U comes from H, not from Z.",
            ),
            Mistake(
                "output_activated",
                (_two_layer_output_activated, _two_layer_right_backward),
                "U is a preactivation: whatever follows the last layer is no part of this function.",
            ),
        ],
        [
            (_two_layer_forward, _two_layer_backward),
            (_two_layer_einsum_forward, _two_layer_einsum_backward),
            (_two_layer_loop_forward, _two_layer_loop_backward),
        ],
        points=4,
        minutes=25,
        why="Everything that deeper networks do, they do here for the first time: an error passes through weights and an activation.",
        hints=(
            "`f, f_grad = ACTIVATIONS[g]` gives the activation and its derivative, both functions of Z.",
            "Write the shapes of dU, V, Z, X and H in a margin; each gradient has the shape of what it belongs to.",
            "First the error at Z: dU back through V, then entry by entry times the slope at Z. All else follows from it and dU.",
            "Each weights' gradient is (what came in)ᵀ times (the error at what came out).",
        ),
        solution=(_two_layer_forward, _two_layer_backward),
    ),
    Exercise(
        "gradient_checking.relative_error",
        gradient_checking.relative_error,
        _relative_cases,
        [
            Mistake(
                "absolute_error",
                _relative_absolute,
                "This is the absolute difference. 0.001 is nothing beside 1000 and everything beside 0.001: divide by the size of the two.",
            ),
            Mistake(
                "mean_for_max",
                _relative_mean,
                "You average over the entries. One wrong entry among thousands must not disappear: take the largest error.",
            ),
            Mistake(
                "divided_by_the_larger",
                _relative_larger,
                "You divide by the larger of |a| and |b|, as others do. Here it is their sum.",
                convention=True,
            ),
            Mistake(
                "norms",
                _relative_norms,
                "You compare the norms of whole arrays, as others do. Here every entry is compared for itself, and the worst one counts.",
                convention=True,
            ),
            Mistake(
                "divided_by_one",
                _relative_one,
                "You divide by |a| alone, so that relative_error(a, b) and relative_error(b, a) differ. Here it is |a| + |b|.",
                convention=True,
            ),
            Mistake(
                "signed", _relative_signed, "Differences below zero count as small. Take their absolute value first."
            ),
            Mistake(
                "sum_without_sizes",
                _relative_sum,
                "|a + b| is small where a and b have opposite signs, and the error grows without bound. Take the sizes first, then add.",
            ),
            Mistake(
                "zero_by_zero",
                _relative_no_floor,
                "0 against 0 is 0/0, which is NaN. Two zeros agree: keep the divisor from being 0.",
            ),
            Mistake(
                "floor_too_large",
                _relative_large_floor,
                "The number that keeps the divisor from 0 is as large as real gradients, and hides what is wrong with them. The smallest normal number is enough.",
            ),
            Mistake("not_reduced", _relative_kept, "One number is asked: the largest of the errors."),
        ],
        [_relative_plain, _relative_loop],
        points=1,
        minutes=6,
        why="It tells whether two gradients are the same, whatever their units.",
        hints=(
            "One error for each entry, then the largest of them.",
            "Divide by |a| + |b|. Where may that be 0, and what should come out there?",
            "`np.maximum(…, np.finfo(float).tiny)` keeps a divisor above 0.",
        ),
        solution=_relative_plain,
    ),
    Exercise(
        "gradient_checking.numerical_grad",
        gradient_checking.numerical_grad,
        _difference_cases,
        [
            Mistake(
                "one_sided",
                _grad_one_sided,
                "This is a forward difference: its error shrinks with ε only. Evaluate on both sides of x, and it shrinks with ε².",
            ),
            Mistake(
                "step_too_small",
                _grad_tiny_step,
                "With so small a step both values agree in nearly all digits, and their difference is rounding noise. Take the ε that is given.",
            ),
            Mistake(
                "mutates_parameters",
                _grad_not_restored,
                "After each entry x is left displaced: the next entries are evaluated elsewhere, and whoever called you gets other weights back. Restore the entry, exactly.",
            ),
            Mistake(
                "integer_or_single_point",
                _grad_in_type,
                "x is displaced in its own type. An array of whole numbers swallows the step, one of float32 most of it. Make a float64 copy first.",
            ),
            Mistake("eps_ignored", _grad_fixed_step, "The step is always 10⁻⁵. Use the argument `eps`."),
            Mistake(
                "distance_not_doubled",
                _grad_not_halved,
                "Between x + ε and x − ε lies twice ε.",
            ),
            Mistake("sign", _grad_sign, "The two values are subtracted the wrong way round."),
            Mistake("all_entries_at_once", _grad_all_at_once, _ALL_AT_ONCE),
            Mistake("shape_lost", _grad_flat, _FLAT),
        ],
        [_grad_plain, _grad_directions],
        points=2,
        minutes=12,
        why="It needs no calculus, and so it can check yours.",
        hints=(
            "`for index in np.ndindex(x.shape)` goes through all places, whatever the shape.",
            "Work on a float64 copy: `np.array(x, dtype=float)`.",
            "Keep the entry, set it to x + ε, evaluate, set it to x − ε, evaluate, put it back.",
        ),
        driver=differentiate_driver,
        solution=_grad_plain,
    ),
    Exercise(
        "gradient_checking.numerical_grad_stochastic",
        numerical_grad_stochastic,
        _stochastic_cases,
        [
            Mistake(
                "random_forward",
                _stochastic_shared,
                "One generator serves all evaluations, so each draws another mask, and you subtract the values of two different functions. Every evaluation needs a new generator with the same seed.",
            ),
            Mistake(
                "seed_ignored",
                _stochastic_seed_ignored,
                "The numbers are the same in every evaluation, but not those of `seed`.",
            ),
            Mistake(
                "mask_per_entry",
                _stochastic_per_entry,
                "Each entry of x has random numbers of its own: this is a gradient of as many functions as x has entries. One seed for all.",
            ),
            Mistake(
                "one_sided",
                _stochastic_one_sided,
                "The random numbers are right, the difference is a forward one. Evaluate on both sides of x.",
            ),
        ],
        [_stochastic_inline, _stochastic_rewound],
        points=1,
        minutes=5,
        why="Forgetting this makes a right gradient look wrong, by an amount that grows as ε shrinks.",
        hints=(
            "What must be the same in both evaluations for their difference to mean anything?",
            "Your `numerical_grad` takes a function of x alone. Make one from f.",
            "The generator is made inside that function, not outside.",
        ),
        driver=stochastic_driver,
        parts=("random numbers", "gradient"),
    ),
    Exercise(
        "gradient_checking.complex_step_grad",
        gradient_checking.complex_step_grad,
        _complex_cases,
        [
            Mistake(
                "real_part",
                _step_real_part,
                "You read the real part, which is f(x) itself. The derivative came into the imaginary part.",
            ),
            Mistake("not_divided", _step_not_divided, "This is ε times the derivative."),
            Mistake("sign", _step_sign, "The step is taken along −i, which changes the sign."),
            Mistake(
                "real_step",
                _step_real_move,
                "The step of 10⁻²⁰ is added to the real part, where it is lost at once: 1 + 10⁻²⁰ is 1. Step along i.",
            ),
            Mistake("all_entries_at_once", _step_all_at_once, _ALL_AT_ONCE),
            Mistake(
                "not_restored",
                _step_not_restored,
                "The steps of earlier entries are still there, and their slopes come in as well. Take each step back.",
            ),
            Mistake("eps_ignored", _step_fixed, "The step is always 10⁻²⁰. Use the argument `eps`."),
            Mistake(
                "distance_doubled",
                _step_halved,
                "2ε belongs to the central difference. Here one evaluation is enough, and the step is ε.",
            ),
            Mistake(
                "single_precision",
                _step_single,
                "Right to seven digits: complex64 holds two float32. Python's `complex` is 2 × 64 bits.",
            ),
            Mistake("shape_lost", _step_flat, _FLAT),
        ],
        [_step_plain, _step_directions],
        points=2,
        minutes=8,
        why="Nothing is subtracted, so nothing cancels: a derivative to the last digit from a function that you can only call.",
        hints=(
            "`np.array(x, dtype=complex)`, and `1j` is i.",
            "One evaluation for each entry; its `.imag` holds ε times the derivative.",
            "The loop is the one of `numerical_grad`.",
        ),
        driver=differentiate_driver,
        solution=_step_plain,
    ),
    Exercise(
        "backpropagation.mlp",
        (backpropagation.mlp_forward, backpropagation.mlp_backward),
        _mlp_cases,
        [
            Mistake("derivative_at_activation", _mlp_at_activation, _AT_ACTIVATION),
            Mistake("bias_never_updated", _mlp_no_bias, _NO_BIAS),
            Mistake("bias_from_activation_grad", _mlp_bias_early, _BIAS_EARLY),
            Mistake("dot_for_elementwise", _mlp_dot, _DOT),
            Mistake("activation_derivative_missing", _mlp_no_derivative, _NO_DERIVATIVE),
            Mistake(
                "input_for_previous_activation",
                _mlp_input,
                "Every layer's gradient is made from X. A layer's own input is the activation of the layer before; only the first one sees X.",
            ),
            Mistake(
                "wrong_layer_weights",
                _mlp_own_weights,
                "The error at layer l comes through the weights that lead *out* of it, W[l+1]. You send it through the weights that lead into it.",
            ),
            Mistake(
                "preactivation_of_another_layer",
                _mlp_layer_off,
                "The slope belongs to the layer at which the error arrives; you take it one layer off.",
            ),
            Mistake(
                "output_derivative_applied",
                _mlp_output_derivative,
                "dU is already the gradient at the last preactivation; the last layer has no activation whose slope could be missing.",
            ),
            Mistake("bias_not_summed", _mlp_bias_kept, _BIAS_KEPT),
            Mistake("mean_for_sum", _mlp_mean, _MEAN, convention=True),
            Mistake(
                "order_reversed",
                _mlp_reversed,
                "The gradients come as they were found, the last layer first. They are asked in the order of `params`.",
            ),
            Mistake(
                "first_layer_missing",
                _mlp_first_missing,
                "The first layer has no gradient. The loop ends one step too early: it has no layer before it, but weights it has.",
            ),
            Mistake(
                "output_activated",
                (_mlp_output_activated, _mlp_backward),
                "The last layer stays linear; you apply the activation to it, too.",
            ),
        ],
        [(_mlp_forward, _mlp_backward), (_mlp_recursive_forward, _mlp_recursive_backward)],
        points=4,
        minutes=25,
        why="One loop down, one loop up: a network of any depth.",
        hints=(
            "Forward: keep every layer's input in a list and every hidden preactivation in another.",
            "Backward: begin with δ = dU at the last layer and go down with `reversed(range(len(params)))`.",
            "At each layer two things: its own dW and db from δ, then δ for the layer below, if there is one.",
            "Count with a finger which W, which Z and which A belong to layer l, with lists that begin at 0.",
        ),
        solution=(_mlp_forward, _mlp_backward),
    ),
    Exercise(
        "backpropagation.mlp_loss",
        backpropagation.mlp_loss,
        _loss_cases,
        [
            Mistake(
                "batch_not_averaged",
                _loss_not_averaged,
                "J is a mean over the examples, its gradients are sums: they are N times too large. The 1/N belongs to both.",
            ),
            Mistake(
                "batch_averaged_twice",
                _loss_averaged_twice,
                "The gradients are divided by N twice. `softmax_cross_entropy_grad` takes the mean already, and `mlp_backward` only sums.",
            ),
            Mistake(
                "sum_for_mean",
                _loss_sums,
                "Loss and gradients are sums over the examples; here both are means.",
                convention=True,
            ),
            Mistake(
                "targets_minus_predictions",
                _loss_targets_first,
                "The data's part of the gradients has the opposite sign: ∇_U J is predictions minus targets (E17 in the notes).",
            ),
            Mistake(
                "half_missing",
                _loss_half_missing,
                "Penalty and gradient do not belong together: λW is the gradient of (λ/2)‖W‖².",
            ),
            Mistake("penalty_missing", _loss_no_penalty, "The gradients decay the weights, but J does not say so."),
            Mistake("decay_missing", _loss_no_decay, "J holds the penalty, the gradients do not."),
            Mistake(
                "penalty_subtracted",
                _loss_decay_subtracted,
                "The penalty's gradient is subtracted: the weights would grow.",
            ),
            Mistake(
                "bias_decayed",
                _loss_bias_decayed,
                "The biases are penalised, too. Only the weights are: a bias moves the boundary, it does not bend it.",
            ),
            Mistake(
                "norm_not_squared",
                _loss_norm_not_squared,
                "The penalty is made from the norm itself; it is the *square* of the norm, the sum of all squared weights.",
            ),
            Mistake(
                "activation_ignored",
                _loss_activation_ignored,
                "The network runs with ReLU whatever is asked: pass `activation` on.",
            ),
            Mistake(
                "no_max_shift",
                _loss_overflow,
                "e^1000 overflows. `softmax_cross_entropy` and its gradient, imported above, shift the logits first.",
            ),
            Mistake(
                "log_of_zero",
                _loss_log_of_zero,
                "The probability rounds to 0, and its logarithm is −∞. `softmax_cross_entropy`, imported above, works from the logits.",
            ),
        ],
        [_loss_composed, _loss_by_hand, _loss_loop],
        points=2,
        minutes=12,
        why="This is the function that every optimizer in the course calls: a loss and all its gradients.",
        hints=(
            "Forward, loss, gradient at U, backward: four calls.",
            "`softmax_cross_entropy(U, labels)` is a mean over the examples, and so is its `_grad`.",
            "λW is added to each dW; the db stay as they are.",
        ),
        solution=_loss_composed,
    ),
    Exercise(
        "backpropagation.minibatches",
        backpropagation.minibatches,
        _minibatch_cases,
        [
            Mistake(
                "never_shuffled",
                _batches_never_shuffled,
                "The examples come in the order of X. Draw an order from `rng` first.",
            ),
            Mistake(
                "last_batch_dropped",
                _batches_last_dropped,
                "Where N is no multiple of the batch size some examples are never seen. The last, smaller minibatch is kept.",
            ),
            Mistake(
                "drawn_with_replacement",
                _batches_with_replacement,
                "Some examples come twice, others not at all: permute, do not draw with replacement.",
            ),
            Mistake(
                "targets_not_shuffled",
                _batches_targets_apart,
                "X is shuffled, y is not, or otherwise: examples get each other's targets. Use one order for both.",
            ),
            Mistake(
                "seeded_inside",
                _batches_seeded_inside,
                "You make a generator of your own, and so every epoch has the same order. Draw from the `rng` that is given.",
            ),
            Mistake(
                "global_random",
                _batches_global,
                "The order comes from NumPy's global generator: the same `rng` gives another order each time, and no run can be repeated.",
            ),
            Mistake(
                "shuffled_in_place",
                _batches_shuffled_in_place,
                "The caller's X and y are shuffled. Shuffle the numbers 0…N−1 and index with them.",
            ),
            Mistake(
                "count_for_size",
                _batches_counted,
                "`batch_size` is the number of examples in a minibatch, not the number of minibatches.",
            ),
            Mistake(
                "last_batch_filled_up",
                _batches_filled_up,
                "The last minibatch is filled up with examples that have been there already. It may be smaller.",
            ),
            Mistake(
                "only_batches_shuffled",
                _batches_of_neighbours,
                "The minibatches come in random order, but each holds neighbours of X. Where X is sorted by class every minibatch then holds a single class: shuffle the examples.",
            ),
        ],
        [_minibatches_generator, _minibatches_sorted_by_key, _minibatches_popped],
        points=2,
        minutes=8,
        why="A few lines that every training loop has, and where a slip makes training worse without any error.",
        hints=(
            "`rng.permutation(len(X))` is an order of all examples.",
            "Walk through it in slices of `batch_size`; a slice past the end is simply shorter.",
            "A function with `yield` in it hands out one pair after the other; a list of pairs is right, too.",
        ),
        driver=minibatches_driver,
        parts=("sizes", "every example once", "order"),
        solution=_minibatches_generator,
    ),
    Exercise(
        "backpropagation.sgd_epoch",
        sgd_epoch,
        _epoch_cases,
        [
            Mistake(
                "updated_before_propagating",
                _epoch_updated_before,
                "The error goes back through V after V was moved. All gradients belong to one point: compute them all, then move.",
            ),
            Mistake("bias_never_updated", _epoch_no_bias, "The weights move, the biases stay."),
            Mistake(
                "output_derivative_omitted",
                _epoch_no_output_derivative,
                "−(D − Y) belongs to linear outputs, or to sigmoid outputs with cross-entropy (E05). With the squared error the output's slope f′(U) is a factor of the error.",
            ),
            Mistake(
                "output_not_activated",
                _epoch_output_linear,
                "The targets are compared with U. The outputs are f(U).",
            ),
            Mistake("derivative_at_activation", _epoch_at_activation, _AT_ACTIVATION),
            Mistake("bias_from_activation_grad", _epoch_bias_early, _BIAS_EARLY),
            Mistake(
                "batch_not_averaged",
                _epoch_not_averaged,
                "The gradients are sums over the minibatch; the loss is a mean, so they are too large by the size of the minibatch.",
            ),
            Mistake(
                "batch_averaged_twice",
                _epoch_averaged_twice,
                "The gradients are divided by the size of the minibatch twice.",
            ),
            Mistake(
                "averaged_over_batch_size",
                _epoch_by_batch_size,
                "You divide by `batch_size`. The last minibatch may hold fewer examples: divide by how many there are.",
            ),
            Mistake(
                "ascent", _epoch_ascends, "The steps go up the slope: a sign is turned, in the error or in the step."
            ),
            Mistake(
                "mutates_parameters",
                _epoch_mutates,
                "`W -= …` changes the caller's array. `W = W - …` makes a new one.",
            ),
            Mistake(
                "last_batch_dropped",
                _epoch_last_dropped,
                "The last, smaller minibatch is left out. `range(0, N, batch_size)` includes its beginning.",
            ),
            Mistake(
                "gradients_of_the_start",
                _epoch_frozen,
                "Every minibatch's gradient is taken at the weights the epoch began with. Use the weights that the last step left.",
            ),
            Mistake(
                "whole_batch",
                _epoch_whole_batch,
                "The number of steps is right, but each sees all examples. It should see its minibatch alone.",
            ),
        ],
        [_epoch_by_hand, _epoch_own_copies],
        points=3,
        minutes=15,
        why="The notes' algorithm from beginning to end: forward, backward, step, next minibatch.",
        hints=(
            "`two_layer_forward` and `two_layer_backward` are yours already; g is the sigmoid.",
            "`sigmoid_layer_delta(D, U)` is the gradient at U for a *sum* over the examples. What makes a mean of it?",
            "Compute all four gradients before you move any of the four parameters.",
        ),
    ),
]
