r"""Backpropagation: the chain rule, layer by layer, from the loss back to every weight.

A multilayer perceptron alternates linear maps and activations. With `A[0] = X` and
layers `l = 1 … L`

.. math::
    Z[l] = A[l−1] W[l] + b[l]
    A[l] = g(Z[l])
    U = Z[L]

and the error `δ[l] = ∂J/∂Z[l]` travels from the output `δ[L] = dU` back:

.. math::
    δ[l] = (δ[l+1] W[l+1]ᵀ) ⊙ g′(Z[l])
    dW[l] = A[l−1]ᵀ δ[l]
    db[l] = δ[l]ᵀ 1

Examples are rows here, as in notes 000 and 002. Notes 001 and 003 keep them in
columns, `Z = WA + b u` with `W` and everything else transposed (E42):
`columns_from_rows` and `rows_from_columns` convert the weights. Parameters are a
list of pairs (W, b), W (D, H) and b (H,), the first layer first.
"""

from itertools import pairwise
from typing import Any, NamedTuple

from ._array import array_namespace
from ._checks import check_choice, check_integer, check_number, check_rng, check_shapes
from .activations import ACTIVATIONS
from .datasets import minibatches
from .initializers import INITIALIZERS, zeros
from .layers import LinearCache, linear_backward, linear_forward
from .losses import softmax_cross_entropy, softmax_cross_entropy_grad
from .regularization import l2_grad, l2_penalty

__all__ = [
    "MLPCache",
    "columns_from_rows",
    "minibatches",
    "mlp_backward",
    "mlp_forward",
    "mlp_init",
    "mlp_loss",
    "rows_from_columns",
    "two_layer_backward",
    "two_layer_forward",
]


def __dir__():
    return __all__


class MLPCache(NamedTuple):
    """What `mlp_backward` needs: each layer's input A and weights W, the hidden layers'
    preactivations Z.
    """

    A: list[Any]
    W: list[Any]
    Z: list[Any]
    activation: str


def mlp_init(sizes, rng, initializer="he_uniform"):
    """Parameters of a multilayer perceptron: random weights, biases of zero.

    Parameters
    ----------
    sizes : [D, H, …, K], the number of inputs, of neurons in each hidden layer, of
        outputs.
    rng : numpy.random.Generator or seed.
    initializer : name of the weights' initializer in `initializers.INITIALIZERS`.

    Returns
    -------
    list of (W, b), W (D, H), b (H,), one pair for each layer.

    Raises
    ------
    ValueError : fewer than two sizes, one below 1, or an unknown initializer.

    Examples
    --------
    >>> params = mlp_init([4, 8, 3], np.random.default_rng(0))
    >>> [(W.shape, b.shape) for W, b in params]
    [((4, 8), (8,)), ((8, 3), (3,))]
    """
    if not isinstance(sizes, list | tuple) or len(sizes) < 2:
        raise ValueError(f"sizes: expected a list [D, …, K] of at least two sizes, got {sizes!r}")
    sizes = [check_integer(f"sizes[{i}]", n) for i, n in enumerate(sizes)]
    weights = INITIALIZERS[check_choice("initializer", initializer, INITIALIZERS)]
    rng = check_rng(rng)
    return [(weights((n_in, n_out), rng), zeros(n_out)) for n_in, n_out in pairwise(sizes)]


def mlp_forward(X, params, activation="relu"):
    """Forward pass.

    `Z[l] = A[l−1] W[l] + b[l]`, `A[l] = g(Z[l])`; the last layer stays linear.

    Parameters
    ----------
    X : (N, D) array, examples as rows.
    params : list of (W, b), as from `mlp_init`.
    activation : g of the hidden layers, a name in `activations.ACTIVATIONS`.

    Returns
    -------
    U : (N, K) array, the last layer's preactivations (logits, where a softmax follows).
    cache : MLPCache for `mlp_backward`; it refers to X and to the weights.

    Raises
    ------
    ValueError : a layer does not fit the one before it, there is no layer or no
        example, an unknown activation.

    Notes
    -----
    Source: notes 000, 001, 003 (14)–(20); Goodfellow, Bengio, Courville, Deep Learning
    (2016), algorithm 6.3.

    Examples
    --------
    >>> params = [
    ...     (np.array([[1.0, -1.0]]), np.zeros(2)),
    ...     (np.array([[2.0], [3.0]]), np.ones(1)),
    ... ]
    >>> U, cache = mlp_forward(np.array([[5.0], [-5.0]]), params)
    >>> U
    array([[11.],
           [16.]])
    """
    X, params = _check_params(X, params)
    g, _ = ACTIVATIONS[check_choice("activation", activation, ACTIVATIONS)]
    A, Z = [X], []
    for W, b in params[:-1]:
        Z.append(linear_forward(A[-1], W, b)[0])
        A.append(g(Z[-1]))
    U, _ = linear_forward(A[-1], *params[-1])
    return U, MLPCache(A, [W for W, _ in params], Z, activation)


def mlp_backward(dU, cache):
    """Backward pass: `δ[l] = (δ[l+1] (W[l+1])ᵀ) ⊙ g′(Z[l])`, from `δ[L] = dU`.

    Parameters
    ----------
    dU : (N, K) array, `∇_U J`.
    cache : from `mlp_forward`.

    Returns
    -------
    list of (dW, db), in the order and shapes of `params`.

    Raises
    ------
    ValueError : dU does not have the shape of U.

    Notes
    -----
    g′ is taken at the preactivation Z, the weights are those of the forward pass, and
    the sums run over the batch: a mean over the examples comes in with dU. Notes 002
    leave the weights out of `h̄ = W[2]ᵀ z̄₂` (E15), and 001 write the A of another
    layer in the biases' gradient (E13).
    Source: notes 000, 001, 003 (33)–(35); Rumelhart, Hinton, Williams (Nature 323,
    1986).

    Examples
    --------
    >>> params = [
    ...     (np.array([[1.0, -1.0]]), np.zeros(2)),
    ...     (np.array([[2.0], [3.0]]), np.ones(1)),
    ... ]
    >>> U, cache = mlp_forward(np.array([[5.0], [-5.0]]), params)
    >>> (dW, db), (dV, dc) = mlp_backward(np.ones((2, 1)), cache)
    >>> dW.tolist(), db.tolist(), dV.tolist(), dc.tolist()
    ([[10.0, -15.0]], [2.0, 3.0], [[5.0], [5.0]], [2.0])
    """
    A, W, Z, activation = cache
    _, g_grad = ACTIVATIONS[activation]
    delta, grads = dU, []
    for l in reversed(range(len(W))):
        dA, dW, db = linear_backward(delta, LinearCache(A[l], W[l]))
        grads.append((dW, db))
        if l > 0:
            delta = dA * g_grad(Z[l - 1])
    return grads[::-1]


def mlp_loss(X, labels, params, activation="relu", weight_decay=0.0):
    """Loss of a classifier and its gradients: `J = 1/N Σ_p J_p + λ/2 Σ_l ‖W[l]‖²`.

    `J_p` is the cross-entropy of the softmax of `u_p`.

    Parameters
    ----------
    X : (N, D) array, examples as rows.
    labels : (N,) integer array of classes 0…K−1, or (N, K) array of probabilities.
    params : list of (W, b), as from `mlp_init`.
    activation : g of the hidden layers.
    weight_decay : λ, at least 0; the biases are not penalised.

    Returns
    -------
    J : a number.
    grads : list of (dW, db), `λ W` included.

    Raises
    ------
    ValueError : shapes or labels do not fit, an unknown activation, λ negative.

    Notes
    -----
    The sum is divided by N once, in `∇_U J = (softmax(U) − K)/N`: predictions minus
    targets (E17).
    Source: notes 002, 003 (36).

    Examples
    --------
    >>> params = [(np.zeros((2, 3)), np.zeros(3))]
    >>> J, grads = mlp_loss(np.array([[1.0, 2.0]]), np.array([0]), params)
    >>> round(float(J), 6), np.round(grads[0][1], 6)
    (1.098612, array([-0.666667,  0.333333,  0.333333]))
    """
    check_number("weight_decay", weight_decay, low=0.0, include_high=False)
    U, cache = mlp_forward(X, params, activation)
    J = softmax_cross_entropy(U, labels)
    grads = mlp_backward(softmax_cross_entropy_grad(U, labels), cache)
    if weight_decay:
        J = J + l2_penalty(cache.W, weight_decay)
        grads = [(dW + l2_grad(W, weight_decay), db) for (dW, db), W in zip(grads, cache.W, strict=True)]
    return J, grads


def two_layer_forward(X, W, b, V, c, g="sigmoid"):
    """Two-layer network: `Z = XW + b`, `H = g(Z)`, `U = HV + c`.

    Parameters
    ----------
    X : (N, D) array, examples as rows.
    W, b : (D, H) and (H,) arrays, the hidden layer.
    V, c : (H, K) and (K,) arrays, the output layer.
    g : the hidden layer's activation, a name in `activations.ACTIVATIONS`.

    Returns
    -------
    U : (N, K) array, the output's preactivations.
    cache : for `two_layer_backward`.

    Raises
    ------
    ValueError : the shapes do not match, X is empty, or the activation is unknown.

    Notes
    -----
    `mlp_forward` with one hidden layer, in the letters of notes 000.

    Examples
    --------
    >>> X, W, V = np.array([[2.0]]), np.array([[0.0, 0.0]]), np.array([[1.0], [3.0]])
    >>> U, cache = two_layer_forward(X, W, np.zeros(2), V, np.zeros(1))
    >>> U
    array([[2.]])
    """
    X, W, b, V, c = check_shapes("N D, D H, H, H K, K", X=X, W=W, b=b, V=V, c=c)
    return mlp_forward(X, [(W, b), (V, c)], check_choice("g", g, ACTIVATIONS))


def two_layer_backward(dU, cache):
    """Backward pass of the two-layer network: `∇_Z J = (∇_U J) Vᵀ ⊙ g′(Z)`.

    Parameters
    ----------
    dU : (N, K) array, `∇_U J`: from `layers.linear_delta`, `sigmoid_layer_delta` or
        `softmax_layer_delta`.
    cache : from `two_layer_forward`.

    Returns
    -------
    dW, db : (D, H) and (H,) arrays.
    dV, dc : (H, K) and (K,) arrays.

    Raises
    ------
    ValueError : dU does not have the shape of U.

    Notes
    -----
    The rule is the same whatever the output; what differs is dU. Of the notes' two, the
    softmax's has a sign missing (000, E04), and `−(D − Y)` belongs to a linear output,
    or to a sigmoid one with cross-entropy (E05).
    Source: notes 000.

    Examples
    --------
    >>> X, W, V = np.array([[2.0]]), np.array([[0.0, 0.0]]), np.array([[1.0], [3.0]])
    >>> U, cache = two_layer_forward(X, W, np.zeros(2), V, np.zeros(1))
    >>> dW, db, dV, dc = two_layer_backward(np.array([[1.0]]), cache)
    >>> dW.tolist(), db.tolist(), dV.tolist(), dc.tolist()
    ([[0.5, 1.5]], [0.25, 0.75], [[0.5], [0.5]], [1.0])
    """
    (dW, db), (dV, dc) = mlp_backward(dU, cache)
    return dW, db, dV, dc


def columns_from_rows(params):
    """Parameters for examples as columns.

    `Z = WA + b u`, from those for rows: W transposed, b (K,) → (K, 1).

    Parameters
    ----------
    params : list of (W, b), W (D, K), b (K,); or their gradients.

    Returns
    -------
    list of (W, b), W (K, D), b (K, 1), new arrays.

    Raises
    ------
    ValueError : W and b of a layer do not fit together.

    Examples
    --------
    >>> [(W, b)] = columns_from_rows([(np.array([[1.0, 2.0]]), np.array([3.0, 4.0]))])
    >>> W.tolist(), b.tolist()
    ([[1.0], [2.0]], [[3.0], [4.0]])
    """
    return [(_transposed(W), _copied(b)[:, None]) for W, b in _check_layers("D K, K", params)]


def rows_from_columns(params):
    """Parameters for examples as rows.

    `Z = AW + b`, from those for columns: W transposed, b (K, 1) → (K,).

    Parameters
    ----------
    params : list of (W, b), W (K, D), b (K, 1); or their gradients.

    Returns
    -------
    list of (W, b), W (D, K), b (K,), new arrays.

    Raises
    ------
    ValueError : W and b of a layer do not fit together.

    Examples
    --------
    >>> [(W, b)] = rows_from_columns(
    ...     [(np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]]))]
    ... )
    >>> W.tolist(), b.tolist()
    ([[1.0, 2.0]], [3.0, 4.0])
    """
    return [(_transposed(W), _copied(b)[:, 0]) for W, b in _check_layers("K D, K 1", params)]


def _check_params(X, params):
    """X and the pairs (W, b) as floating arrays, if each layer's input size is the output size of the layer before."""
    pairs = _pairs(params)
    named = {f"params[{l}] {letter}": x for l, pair in enumerate(pairs) for letter, x in zip("Wb", pair, strict=True)}
    spec = ", ".join(f"S{l} S{l + 1}, S{l + 1}" for l in range(len(pairs)))
    X, *checked = check_shapes(f"N S0, {spec}", X=X, **named)
    return X, list(zip(checked[::2], checked[1::2], strict=True))


def _check_layers(spec, params):
    """The pairs (W, b) as floating arrays, if those of each layer fit together."""
    return [check_shapes(spec, **{f"params[{l}] W": W, f"params[{l}] b": b}) for l, (W, b) in enumerate(_pairs(params))]


def _pairs(params):
    if not isinstance(params, list | tuple) or not params:
        raise ValueError(f"params: expected a list of at least one pair (W, b), got {type(params).__name__} {params!r}")
    for l, pair in enumerate(params):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError(f"params[{l}]: expected a pair (W, b), got {type(pair).__name__}")
    return params


def _copied(x):
    return array_namespace(x).asarray(x, copy=True)


def _transposed(W):
    return _copied(array_namespace(W).matrix_transpose(W))
