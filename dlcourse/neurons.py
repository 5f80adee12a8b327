"""Neurons: one unit, three rules for learning.

Every neuron computes the preactivation `u = Xw + b`, one number for each example.
Output and loss differ:

- Rosenblatt's perceptron takes the sign of u and moves only for a mistake;
- the linear neuron takes u itself and pays half the squared error;
- the continuous perceptron (sigmoid neuron) takes `f(u)` and pays half the squared
  error;
- the logistic neuron takes `f(u)` as a probability and pays its negative
  log-likelihood.

Losses and gradients are sums over the batch, as in the notes. Letters: X (N, D)
examples as rows, w (D,) weights, b bias, u (N,) preactivations, d (N,) targets, y
outputs, f the sigmoid.
"""

from ._array import array_namespace
from ._checks import check_callable, check_integer, check_number, check_rng, check_shapes, check_values
from .activations import sigmoid, sigmoid_grad, softplus
from .datasets import minibatches

__all__ = [
    "gd_fit",
    "linear_neuron_grad",
    "linear_neuron_loss",
    "logistic_neuron_grad",
    "logistic_neuron_loss",
    "logistic_neuron_predict",
    "perceptron_criterion",
    "perceptron_criterion_grad",
    "perceptron_fit",
    "perceptron_predict",
    "preactivation",
    "sgd_fit",
    "sigmoid_neuron_grad",
    "sigmoid_neuron_loss",
    "signed_distance",
]


def __dir__():
    return __all__


def preactivation(X, w, b):
    """Preactivation of a neuron: `u = Xw + b`.

    Parameters
    ----------
    X : (N, D) array, examples as rows.
    w : (D,) array, weights.
    b : number, bias.

    Returns
    -------
    (N,) array u.

    Raises
    ------
    ValueError : X has no example, or w does not have one weight for each column of X.

    Notes
    -----
    Source: notes 000, 003 (14).

    Examples
    --------
    >>> preactivation(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, -1.0]), 0.5)
    array([-0.5, -0.5])
    """
    X, w, b = check_shapes("N D, D, ()", X=X, w=w, b=b)
    return X @ w + b


def perceptron_predict(X, w, b):
    """Output of the perceptron: `y = sign(u)`, where u = 0 counts as +1.

    Parameters
    ----------
    X, w, b : as for `preactivation`.

    Returns
    -------
    (N,) integer array of −1 and +1.

    Examples
    --------
    >>> perceptron_predict(np.array([[1.0], [0.0], [-2.0]]), np.array([1.0]), 0.0)
    array([ 1,  1, -1])
    """
    u = preactivation(X, w, b)
    xp = array_namespace(u)
    return 2 * xp.astype(u >= 0.0, xp.int64) - 1


def perceptron_criterion(X, y, w, b):
    """Perceptron criterion.

    `J = −Σ_(p: y_p u_p ≤ 0) y_p u_p`, over the misclassified examples only.

    Parameters
    ----------
    X, w, b : as for `preactivation`.
    y : (N,) array, targets −1 and +1.

    Returns
    -------
    J, a number; 0 when nothing is misclassified.

    Raises
    ------
    ValueError : a target is neither −1 nor +1, or the shapes do not match.

    Notes
    -----
    The notes sum over all examples (003 (1), E21): then J has no minimum.
    Source: Bishop, Pattern Recognition and Machine Learning (2006), section 4.1.7.

    Examples
    --------
    >>> X, y = np.array([[1.0], [2.0]]), np.array([1, -1])
    >>> float(perceptron_criterion(X, y, np.array([1.0]), 0.0))
    2.0
    """
    X, y, w, b = check_shapes("N D, ~N, D, ()", X=X, y=y, w=w, b=b)
    check_values("y", y, (y == 1.0) | (y == -1.0), "targets −1 or +1")
    margin = y * preactivation(X, w, b)
    xp = array_namespace(margin)
    return -xp.sum(xp.where(margin <= 0.0, margin, 0.0))


def perceptron_criterion_grad(X, y, w, b):
    """Gradient of the perceptron criterion: `∇_w J = −Σ y_p x_p`, `∂J/∂b = −Σ y_p`.

    Both sums run over the misclassified examples, `y_p u_p ≤ 0`.

    Parameters
    ----------
    X, y, w, b : as for `perceptron_criterion`.

    Returns
    -------
    dw : (D,) array. db : number.

    Examples
    --------
    >>> X, y = np.array([[1.0], [2.0]]), np.array([1, -1])
    >>> dw, db = perceptron_criterion_grad(X, y, np.array([1.0]), 0.0)
    >>> dw, float(db)
    (array([2.]), 1.0)
    """
    X, y, w, b = check_shapes("N D, ~N, D, ()", X=X, y=y, w=w, b=b)
    check_values("y", y, (y == 1.0) | (y == -1.0), "targets −1 or +1")
    margin = y * preactivation(X, w, b)
    xp = array_namespace(margin)
    missed = xp.where(margin <= 0.0, y, 0.0)
    return -(xp.matrix_transpose(X) @ missed), -xp.sum(missed)


def perceptron_fit(X, y, w, b, lr=1.0, epochs=100):
    """Rosenblatt's rule: for each misclassified example in turn, `w ← w + α y_p x_p`,
    `b ← b + α y_p`.

    Parameters
    ----------
    X, y, w, b : as for `perceptron_criterion`; w and b are where the search begins.
    lr : learning rate α, positive.
    epochs : maximum number of passes over the examples.

    Returns
    -------
    w : (D,) array. b : number.
    mistakes : list of the mistakes made in each epoch; the last is 0 where an epoch
        without a mistake ended the search.

    Notes
    -----
    A mistake is `y_p u_p ≤ 0`. The notes' (4) and (5) have the sign of the step wrong
    (E22). For separable data the number of mistakes is bounded (Novikoff 1962);
    otherwise the search ends with `epochs`.
    Source: Rosenblatt, The perceptron (Psychological Review 65, 1958).

    Examples
    --------
    >>> X, y = np.array([[2.0], [-1.0]]), np.array([1, -1])
    >>> w, b, mistakes = perceptron_fit(X, y, np.array([0.0]), 0.0)
    >>> w, float(b), mistakes
    (array([2.]), 1.0, [1, 0])
    """
    X, y, w, b = check_shapes("N D, ~N, D, ()", X=X, y=y, w=w, b=b)
    lr = check_number("lr", lr, low=0.0, include_low=False)
    check_integer("epochs", epochs, minimum=0)
    xp = array_namespace(X)
    check_values("y", y, (y == 1.0) | (y == -1.0), "targets −1 or +1")
    w, b, mistakes = xp.asarray(w, copy=True), xp.asarray(b, dtype=w.dtype, copy=True), []
    for _ in range(epochs):
        mistakes.append(0)
        for p in range(X.shape[0]):
            if y[p] * (xp.sum(X[p, :] * w) + b) <= 0.0:
                w = w + lr * y[p] * X[p, :]
                b = b + lr * y[p]
                mistakes[-1] += 1
        if mistakes[-1] == 0:
            break
    return w, b, mistakes


def signed_distance(X, w, b):
    """Signed distance of each example to the hyperplane `wᵀ x + b = 0`,
    `d = (Xw + b) / ‖w‖`.

    Parameters
    ----------
    X, w, b : as for `preactivation`.

    Returns
    -------
    (N,) array in the units of X, positive on the side that w points to.

    Raises
    ------
    ValueError : w is all zeros and defines no hyperplane.

    Notes
    -----
    Source: notes 003, the projection onto the hyperplane.

    Examples
    --------
    >>> signed_distance(np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([3.0, 4.0]), -5.0)
    array([ 4., -1.])
    """
    u = preactivation(X, w, b)
    w = check_shapes("D", w=w)
    xp = array_namespace(u)
    norm = xp.linalg.vector_norm(w)
    if norm == 0.0:
        raise ValueError("w: expected at least one weight that is not 0 (all zeros describe no hyperplane)")
    return u / norm


def linear_neuron_loss(X, d, w, b):
    """Half the squared error of the linear neuron: `J = ½ Σ_p (d_p − u_p)²`.

    Parameters
    ----------
    X, w, b : as for `preactivation`.
    d : (N,) array, targets.

    Returns
    -------
    J, a number: the sum over the batch.

    Notes
    -----
    Source: notes 000.

    Examples
    --------
    >>> X, d, w = np.array([[1.0], [2.0]]), np.array([0.0, 0.0]), np.array([2.0])
    >>> float(linear_neuron_loss(X, d, w, 0.0))
    10.0
    """
    X, d, w, b = check_shapes("N D, ~N, D, ()", X=X, d=d, w=w, b=b)
    u = preactivation(X, w, b)
    xp = array_namespace(u)
    return 0.5 * xp.sum((d - u) ** 2)


def linear_neuron_grad(X, d, w, b):
    """Gradient of `linear_neuron_loss`: `∇_w J = −Xᵀ(d − u)`, `∂J/∂b = −1ᵀ(d − u)`.

    Parameters
    ----------
    X, d, w, b : as for `linear_neuron_loss`.

    Returns
    -------
    dw : (D,) array. db : number.

    Examples
    --------
    >>> X, d, w = np.array([[1.0], [2.0]]), np.array([0.0, 0.0]), np.array([2.0])
    >>> dw, db = linear_neuron_grad(X, d, w, 0.0)
    >>> dw, float(db)
    (array([10.]), 6.0)
    """
    X, d, w, b = check_shapes("N D, ~N, D, ()", X=X, d=d, w=w, b=b)
    u = preactivation(X, w, b)
    xp = array_namespace(u)
    return -(xp.matrix_transpose(X) @ (d - u)), -xp.sum(d - u)


def sigmoid_neuron_loss(X, d, w, b):
    """Half the squared error of the continuous perceptron.

    `J = ½ Σ_p (d_p − f(u_p))²`, f the sigmoid.

    Parameters
    ----------
    X, w, b : as for `preactivation`.
    d : (N,) array, targets, usually 0 and 1.

    Returns
    -------
    J, a number: the sum over the batch.

    Notes
    -----
    The notes call this unit a perceptron (000); Rosenblatt's is `perceptron_predict`
    (E06).

    Examples
    --------
    >>> X, d, w = np.array([[0.0]]), np.array([1.0]), np.array([2.0])
    >>> float(sigmoid_neuron_loss(X, d, w, 0.0))
    0.125
    """
    X, d, w, b = check_shapes("N D, ~N, D, ()", X=X, d=d, w=w, b=b)
    y = sigmoid(preactivation(X, w, b))
    xp = array_namespace(y)
    return 0.5 * xp.sum((d - y) ** 2)


def sigmoid_neuron_grad(X, d, w, b):
    """Gradient of `sigmoid_neuron_loss`.

    `∇_w J = −Xᵀ((d − y) · f′(u))`, `∂J/∂b = −1ᵀ((d − y) · f′(u))`.

    Parameters
    ----------
    X, d, w, b : as for `sigmoid_neuron_loss`.

    Returns
    -------
    dw : (D,) array. db : number.

    Examples
    --------
    >>> X, d, w = np.array([[1.0]]), np.array([1.0]), np.array([0.0])
    >>> dw, db = sigmoid_neuron_grad(X, d, w, 0.0)
    >>> dw, float(db)
    (array([-0.125]), -0.125)
    """
    X, d, w, b = check_shapes("N D, ~N, D, ()", X=X, d=d, w=w, b=b)
    u = preactivation(X, w, b)
    xp = array_namespace(u)
    delta = (d - sigmoid(u)) * sigmoid_grad(u)
    return -(xp.matrix_transpose(X) @ delta), -xp.sum(delta)


def logistic_neuron_loss(X, d, w, b):
    """Negative log-likelihood of the logistic neuron.

    `J = −Σ (d log f(u) + (1 − d) log(1 − f(u)))`.

    Parameters
    ----------
    X, w, b : as for `preactivation`.
    d : (N,) array, targets in [0, 1].

    Returns
    -------
    J, a number: the sum over the batch.

    Raises
    ------
    ValueError : a target lies outside [0, 1] (−1 and +1 are the perceptron's), or the
        shapes do not match.

    Notes
    -----
    `−log f(u) = softplus(−u)` and `−log(1 − f(u)) = softplus(u)`: computed from u, no
    logarithm ever sees a 0. Notes 001 leave the minus out, which makes it the
    likelihood (E08).
    Source: notes 000; Bishop (2006), section 4.3.2.

    Examples
    --------
    >>> X, d, w = np.array([[1000.0]]), np.array([0.0]), np.array([1.0])
    >>> float(logistic_neuron_loss(X, d, w, 0.0))
    1000.0
    """
    X, d, w, b = check_shapes("N D, ~N, D, ()", X=X, d=d, w=w, b=b)
    check_values("d", d, (d >= 0.0) & (d <= 1.0), "targets from 0 to 1")
    u = preactivation(X, w, b)
    xp = array_namespace(u)
    return xp.sum(d * softplus(-u) + (1.0 - d) * softplus(u))


def logistic_neuron_grad(X, d, w, b):
    """Gradient of `logistic_neuron_loss`.

    `∇_w J = −Xᵀ(d − f(u))`, `∂J/∂b = −1ᵀ(d − f(u))`.

    Parameters
    ----------
    X, d, w, b : as for `logistic_neuron_loss`.

    Returns
    -------
    dw : (D,) array. db : number.

    Notes
    -----
    The factor f′(u) of the continuous perceptron is gone: it cancels against the
    derivative of the logarithm.

    Examples
    --------
    >>> X, d, w = np.array([[1.0]]), np.array([1.0]), np.array([0.0])
    >>> dw, db = logistic_neuron_grad(X, d, w, 0.0)
    >>> dw, float(db)
    (array([-0.5]), -0.5)
    """
    X, d, w, b = check_shapes("N D, ~N, D, ()", X=X, d=d, w=w, b=b)
    check_values("d", d, (d >= 0.0) & (d <= 1.0), "targets from 0 to 1")
    u = preactivation(X, w, b)
    xp = array_namespace(u)
    delta = d - sigmoid(u)
    return -(xp.matrix_transpose(X) @ delta), -xp.sum(delta)


def logistic_neuron_predict(X, w, b):
    """Class of each example: `y = 1(f(u) > 0.5)`.

    Parameters
    ----------
    X, w, b : as for `preactivation`.

    Returns
    -------
    (N,) integer array of 0 and 1.

    Examples
    --------
    >>> logistic_neuron_predict(np.array([[-1.0], [0.0], [1.0]]), np.array([1.0]), 0.0)
    array([0, 0, 1])
    """
    u = preactivation(X, w, b)
    xp = array_namespace(u)
    return xp.astype(sigmoid(u) > 0.5, xp.int64)


def gd_fit(grad, X, d, w, b, lr, epochs):
    """Gradient descent on the full batch: `w ← w − α ∇_w J`, `b ← b − α ∂J/∂b`.

    Parameters
    ----------
    grad : one of the `*_neuron_grad` above, called as ``grad(X, d, w, b) -> (dw, db)``.
    X, d, w, b : as for that gradient; w and b are where the descent begins.
    lr : learning rate α, positive; gradients are sums over the batch, so its best value
        falls with N.
    epochs : number of steps.

    Returns
    -------
    w : (D,) array. b : number.

    Examples
    --------
    >>> X, d, w = np.array([[1.0], [2.0]]), np.array([2.0, 4.0]), np.array([0.0])
    >>> w, b = gd_fit(linear_neuron_grad, X, d, w, 0.0, lr=0.1, epochs=2000)
    >>> bool(abs(w[0] - 2.0) < 1e-6 and abs(b) < 1e-6)
    True
    """
    check_callable("grad", grad, "grad(X, d, w, b) -> (dw, db)")
    X, d, w, b = check_shapes("N D, ~N, D, ()", X=X, d=d, w=w, b=b)
    lr = check_number("lr", lr, low=0.0, include_low=False)
    epochs = check_integer("epochs", epochs, minimum=0)
    xp = array_namespace(w)
    w, b = xp.asarray(w, copy=True), xp.asarray(b, dtype=w.dtype, copy=True)
    for _ in range(epochs):
        dw, db = grad(X, d, w, b)
        w, b = w - lr * dw, b - lr * db
    return w, b


def sgd_fit(grad, X, d, w, b, lr, epochs, rng, batch_size=1):
    """Stochastic gradient descent: the step of `gd_fit` after every minibatch, in a new
    random order each epoch.

    Parameters
    ----------
    grad, X, d, w, b, lr : as for `gd_fit`.
    epochs : passes over the examples.
    rng : numpy.random.Generator or seed, draws the order.
    batch_size : examples in a minibatch; the last, smaller one is kept.

    Returns
    -------
    w : (D,) array. b : number.

    Examples
    --------
    >>> X, d, w = np.array([[1.0], [2.0]]), np.array([2.0, 4.0]), np.array([0.0])
    >>> w, b = sgd_fit(linear_neuron_grad, X, d, w, 0.0, lr=0.1, epochs=2000, rng=0)
    >>> bool(abs(w[0] - 2.0) < 1e-6 and abs(b) < 1e-6)
    True
    """
    check_callable("grad", grad, "grad(X, d, w, b) -> (dw, db)")
    X, d, w, b = check_shapes("N D, ~N, D, ()", X=X, d=d, w=w, b=b)
    lr = check_number("lr", lr, low=0.0, include_low=False)
    epochs = check_integer("epochs", epochs, minimum=0)
    batch_size = check_integer("batch_size", batch_size)
    rng = check_rng(rng)
    xp = array_namespace(w)
    w, b = xp.asarray(w, copy=True), xp.asarray(b, dtype=w.dtype, copy=True)
    for _ in range(epochs):
        for X_batch, d_batch in minibatches(X, d, batch_size, rng):
            dw, db = grad(X_batch, d_batch, w, b)
            w, b = w - lr * dw, b - lr * db
    return w, b
