r"""Layers: K neurons side by side, their backward pass, and the gradients at their
preactivations.

A layer of K neurons keeps its weights as the columns of W and computes
`U = XW + b`, one row for each example. The gradient `∇_U J` of the loss at the
preactivations is all that learning needs to know about the loss and the output's
activation; the weights' gradients follow from it in the same way for every layer:

.. math::
    ∇_W J = Xᵀ ∇_U J
    ∇_b J = (∇_U J)ᵀ 1
    ∇_X J = (∇_U J) Wᵀ

- linear outputs with half the squared error: `∇_U J = −(D − Y)`, and Y = U;
- sigmoid outputs with half the squared error: `∇_U J = −(D − f(U)) · f′(U)`;
- a softmax output with cross-entropy: `∇_U J = −(K − f(U))`.

All three belong to losses *summed* over the batch. Letters: X (N, D) inputs, W (D,
K) weights, b (K,) biases, U (N, K) preactivations, Y = f(U) outputs, D (N, K)
targets; K also names the indicator matrix of the labels, as in the notes.
"""

from typing import Any, NamedTuple

from . import activations
from ._array import array_namespace, at_labels, minus_indicator
from ._checks import as_floating, check_choice, check_gradient, check_integer, check_labels, check_shapes

__all__ = [
    "ActivationCache",
    "LinearCache",
    "activation_backward",
    "activation_forward",
    "linear_backward",
    "linear_delta",
    "linear_forward",
    "one_hot",
    "sigmoid_layer_delta",
    "softmax_layer_delta",
    "softmax_layer_predict",
]


def __dir__():
    return __all__


class LinearCache(NamedTuple):
    """What `linear_backward` needs: the inputs and the weights."""

    X: Any
    W: Any


def linear_forward(X, W, b):
    """Linear layer: `U = XW + b`.

    Parameters
    ----------
    X : (N, D) array, examples as rows.
    W : (D, K) array, one column of weights for each of K neurons.
    b : (K,) array, biases.

    Returns
    -------
    U : (N, K) array, preactivations.
    cache : for `linear_backward`; it refers to X and W.

    Raises
    ------
    ValueError : the shapes do not fit, or X has no example.

    Notes
    -----
    Source: notes 000.
    Fast twin: `kernels.layers.linear_forward`.

    Examples
    --------
    >>> W = np.array([[1.0, 0.0, 3.0], [0.0, 1.0, 4.0]])
    >>> U, cache = linear_forward(np.array([[1.0, 2.0]]), W, np.ones(3))
    >>> U
    array([[ 2.,  3., 12.]])
    """
    X, W, b = check_shapes("N D, D K, K", X=X, W=W, b=b)
    return X @ W + b, LinearCache(X, W)


def linear_backward(dU, cache):
    """Backward pass of the linear layer: `dX = dU Wᵀ`, `dW = Xᵀ dU`, `db = dUᵀ 1`.

    Parameters
    ----------
    dU : (N, K) array, `∇_U J`.
    cache : from `linear_forward`.

    Returns
    -------
    dX : (N, D) array. dW : (D, K) array. db : (K,) array, summed over the examples.

    Raises
    ------
    ValueError : dU does not have the shape of U.

    Notes
    -----
    Source: notes 000; Goodfellow, Bengio, Courville, Deep Learning (2016), section
    6.5.6.
    Fast twin: `kernels.layers.linear_backward`.

    Examples
    --------
    >>> U, cache = linear_forward(
    ...     np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0], [-1.0]]), np.zeros(1)
    ... )
    >>> dX, dW, db = linear_backward(np.array([[1.0], [10.0]]), cache)
    >>> dX.tolist(), dW.tolist(), db.tolist()
    ([[1.0, -1.0], [10.0, -10.0]], [[31.0], [42.0]], [11.0])
    """
    X, W = cache
    _, _, dU = check_shapes("N D, D K, N K", X=X, W=W, dU=dU)
    xp = array_namespace(dU)
    dX = dU @ xp.matrix_transpose(W)
    dW = xp.matrix_transpose(X) @ dU
    db = xp.sum(dU, axis=0)
    return dX, dW, db


def one_hot(labels, K, dtype=None):
    """Indicator matrix of the labels: `K_pk = 1(k = d_p)`.

    Parameters
    ----------
    labels : (N,) integer array, the class 0…K−1 of each example.
    K : number of classes.
    dtype : type of the entries; float64 if not given.

    Returns
    -------
    (N, K) array of 0 and 1 with a single 1 in each row: the matrix K of the notes.

    Raises
    ------
    ValueError : a label lies outside 0…K−1, labels are missing, or K is below 1.
    TypeError : the labels are not whole numbers.

    Notes
    -----
    Source: notes 000.

    Examples
    --------
    >>> one_hot([2, 0], K=3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    labels = check_labels(labels, check_integer("K", K))
    xp = array_namespace(labels)
    return xp.astype(at_labels(labels, K), xp.float64 if dtype is None else dtype)


def linear_delta(D, Y):
    """Gradient at the preactivations of linear outputs.

    `∇_U J = −(D − Y)`, for `J = ½ Σ (D − Y)²`.

    Parameters
    ----------
    D : (N, K) array, targets.
    Y : (N, K) array, outputs, Y = U.

    Returns
    -------
    (N, K) array `∇_U J`, for a sum over the batch.

    Raises
    ------
    ValueError : D and Y differ in shape, or have no example.

    Notes
    -----
    The same difference belongs to sigmoid outputs with binary cross-entropy, but not to
    sigmoid outputs with the squared error, which keep the factor f′(U):
    `sigmoid_layer_delta` (E05).
    Source: notes 000; Bishop, Pattern Recognition and Machine Learning (2006), section
    5.2.

    Examples
    --------
    >>> linear_delta([[1.0, 0.0]], [[0.5, 2.0]])
    array([[-0.5,  2. ]])
    """
    Y, D = check_shapes("N K, ~N K", Y=Y, D=D)
    return -(D - Y)


def sigmoid_layer_delta(D, U):
    """Gradient at the preactivations of sigmoid outputs: `∇_U J = −(D − f(U)) · f′(U)`.

    The loss is `J = ½ Σ (D − f(U))²`, f the sigmoid.

    Parameters
    ----------
    D : (N, K) array, targets.
    U : (N, K) array, preactivations.

    Returns
    -------
    (N, K) array `∇_U J`, for a sum over the batch.

    Raises
    ------
    ValueError : D and U differ in shape, or have no example.

    Notes
    -----
    Source: notes 000 (there a layer of perceptrons, E06), 003 (26).

    Examples
    --------
    >>> sigmoid_layer_delta([[1.0, 0.0]], [[0.0, 0.0]])
    array([[-0.125,  0.125]])
    """
    U, D = check_shapes("N K, ~N K", U=U, D=D)
    return -(D - activations.sigmoid(U)) * activations.sigmoid_grad(U)


def softmax_layer_delta(labels, U):
    """Gradient at the preactivations of a softmax output.

    `∇_U J = −(K − f(U))`, K the indicator matrix.

    The loss is the cross-entropy `J = −Σ_p log f(u_p)[d_p]`, f the softmax.

    Parameters
    ----------
    labels : (N,) integer array, the class 0…K−1 of each example.
    U : (N, K) array, preactivations (logits).

    Returns
    -------
    (N, K) array `∇_U J`, for a sum over the batch; each row sums to 0.

    Raises
    ------
    ValueError : the labels do not match U, or U is empty.

    Notes
    -----
    The minus belongs to it; the notes' two-layer network leaves it out in one place
    (E04).
    Source: notes 000; Bishop, Pattern Recognition and Machine Learning (2006), (4.109).

    Examples
    --------
    >>> softmax_layer_delta([0], [[0.0, 0.0]])
    array([[-0.5,  0.5]])
    """
    U = check_shapes("N K", U=U)
    N, K = U.shape
    labels = check_labels(labels, K, N)
    return minus_indicator(activations.softmax(U, axis=1), labels)


def softmax_layer_predict(X, W, b):
    """Decision of a softmax layer: the likeliest class, `y_p = argmax_k f(u_p)_k`.

    Parameters
    ----------
    X, W, b : as for `linear_forward`.

    Returns
    -------
    (N,) integer array, the class 0…K−1 of each example.

    Raises
    ------
    ValueError : the shapes do not fit, or X has no example.

    Notes
    -----
    Softmax keeps the order, so the largest logit decides and no exponential is needed.
    Of equal logits the first class wins. Source: notes 000.

    Examples
    --------
    >>> W = np.array([[1.0, 0.0, -1.0]])
    >>> softmax_layer_predict(np.array([[2.0], [-2.0], [0.0]]), W, np.zeros(3))
    array([0, 2, 0])
    """
    X, W, b = check_shapes("N D, D K, K", X=X, W=W, b=b)
    xp = array_namespace(X)
    return xp.argmax(X @ W + b, axis=1)


class ActivationCache(NamedTuple):
    """What `activation_backward` needs: the input, the activation's name and its options."""

    X: Any
    name: str
    options: dict


def activation_forward(X, name, **options):
    """Activation as a layer: `Y = f(X)`.

    Parameters
    ----------
    X : (...) array, preactivations.
    name : one of the names in `activations.ACTIVATIONS`.
    **options : passed on to f, such as `slope` for "leaky_relu" or `beta` for "swish".

    Returns
    -------
    Y : (...) array.
    cache : for `activation_backward`; it refers to X.

    Raises
    ------
    ValueError : the activation is unknown.
    TypeError : the activation has no such option.

    Notes
    -----
    Fast twin: `kernels.activations.activation_forward`.

    Examples
    --------
    >>> Y, cache = activation_forward(np.array([[-2.0, 3.0]]), "leaky_relu", slope=0.5)
    >>> Y
    array([[-1.,  3.]])
    """
    X = as_floating(X, "X")
    f, _ = activations.ACTIVATIONS[check_choice("name", name, activations.ACTIVATIONS)]
    return f(X, **options), ActivationCache(X, name, options)


def activation_backward(dY, cache):
    """Backward pass of an activation: `dX = dY ⊙ f′(X)`.

    Parameters
    ----------
    dY : (...) array, ∂J/∂Y.
    cache : from `activation_forward`.

    Returns
    -------
    dX : (...) array, ∂J/∂X.

    Raises
    ------
    ValueError : dY does not have the shape of Y.

    Notes
    -----
    f′ is taken at the input X, not at the output Y. Source: notes 003 (26), (33).
    Fast twin: `kernels.activations.activation_backward`.

    Examples
    --------
    >>> Y, cache = activation_forward(np.array([[-2.0, 3.0]]), "relu")
    >>> activation_backward(np.array([[10.0, 10.0]]), cache)
    array([[ 0., 10.]])
    """
    X, name, options = cache
    dY = check_gradient("dY", dY, X)
    _, f_grad = activations.ACTIVATIONS[name]
    return dY * f_grad(X, **options)
