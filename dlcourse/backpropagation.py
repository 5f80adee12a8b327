"""Backpropagation: the chain rule, layer by layer, from the loss back to every weight."""

from ._array import array_namespace, from_numpy, to_numpy
from ._checks import check_integer, check_rng


def minibatches(X, y, batch_size, rng):
    r"""One epoch of minibatches in a fresh random order.

    Parameters
    ----------
    X : (N, ...) array, the examples along the first axis.
    y : (N, ...) array, their targets.
    batch_size : examples in a minibatch, at least 1; the last one is smaller where N is no multiple of it.
    rng : numpy.random.Generator, draws the order.

    Yields
    ------
    (X_batch, y_batch), every example exactly once.

    Raises
    ------
    ValueError : X and y differ in length, there is no example, or `batch_size` is below 1.

    Examples
    --------
    >>> X = np.arange(5.0)[:, None]
    >>> [len(y_batch) for _, y_batch in minibatches(X, np.arange(5), 2, np.random.default_rng(0))]
    [2, 2, 1]
    """
    batch_size = check_integer("batch_size", batch_size)
    check_rng(rng)
    X, y = _as_array(X), _as_array(y)
    N = X.shape[0] if X.ndim else 0
    if N == 0:
        raise ValueError(f"X: expected at least one example along the first axis, got shape {tuple(X.shape)}")
    if y.ndim == 0 or y.shape[0] != N:
        raise ValueError(f"y: expected {N} targets, one for each example in X, got shape {tuple(y.shape)}")
    return _batches(X, y, batch_size, rng.permutation(N))


def _as_array(x):
    return to_numpy(x) if isinstance(x, list | tuple) else x


def _batches(X, y, batch_size, order):
    xp = array_namespace(X)
    for start in range(0, len(order), batch_size):
        chosen = from_numpy(order[start : start + batch_size], like=X)
        yield xp.take(X, chosen, axis=0), xp.take(y, chosen, axis=0)
