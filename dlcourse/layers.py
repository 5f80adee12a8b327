r"""Layers: K neurons side by side, their backward pass, and the gradients at their preactivations.

A layer of K neurons keeps its weights as the columns of W and computes :math:`U = XW + b`, one row for each example. The
gradient :math:`\nabla_U J` of the loss at the preactivations is all that learning needs to know about the loss and the
output's activation; the weights' gradients follow from it in the same way for every layer:

.. math:: \nabla_W J = X^\top \nabla_U J, \qquad \nabla_b J = (\nabla_U J)^\top \mathbf 1, \qquad \nabla_X J = (\nabla_U J)\, W^\top

- linear outputs with half the squared error: :math:`\nabla_U J = -(D - Y)`, and Y = U;
- sigmoid outputs with half the squared error: :math:`\nabla_U J = -(D - f(U)) \cdot f'(U)`;
- a softmax output with cross-entropy: :math:`\nabla_U J = -(K - f(U))`.

All three belong to losses *summed* over the batch. Letters: X (N, D) inputs, W (D, K) weights, b (K,) biases, U (N, K)
preactivations, Y = f(U) outputs, D (N, K) targets; K also names the indicator matrix of the labels, as in the notes.
"""

from typing import Any, NamedTuple

from ._array import array_namespace
from ._checks import check_shapes


class LinearCache(NamedTuple):
    """What `linear_backward` needs: the inputs and the weights."""

    X: Any
    W: Any


def linear_forward(X, W, b):
    r"""Linear layer, :math:`U = XW + b`.

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

    Examples
    --------
    >>> U, cache = linear_forward(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0, 3.0], [0.0, 1.0, 4.0]]), np.ones(3))
    >>> U
    array([[ 2.,  3., 12.]])
    """
    X, W, b = check_shapes("N D, D K, K", X=X, W=W, b=b)
    return X @ W + b, LinearCache(X, W)


def linear_backward(dU, cache):
    r"""Backward pass of the linear layer, :math:`dX = dU\,W^\top`, :math:`dW = X^\top dU`, :math:`db = dU^\top \mathbf 1`.

    Parameters
    ----------
    dU : (N, K) array, :math:`\nabla_U J`.
    cache : from `linear_forward`.

    Returns
    -------
    dX : (N, D) array. dW : (D, K) array. db : (K,) array, summed over the examples.

    Raises
    ------
    ValueError : dU does not have the shape of U.

    Notes
    -----
    Source: notes 000; Goodfellow, Bengio, Courville, Deep Learning (2016), section 6.5.6.

    Examples
    --------
    >>> U, cache = linear_forward(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0], [-1.0]]), np.zeros(1))
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
