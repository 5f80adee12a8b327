"""Losses: one number for the error of the predictions, and its gradient with respect
to them.

Each ``loss`` stands beside ``loss_grad``, the gradient with respect to its first
argument. With N examples:

- half the squared error `½ Σ (D − Y)²`, the linear output's;
- the mean squared error `1/(NK) Σ (Y − D)²`;
- binary cross-entropy `−Σ (d log p + (1 − d) log(1 − p))`, the sigmoid output's,
  from p or from the logits u;
- cross-entropy `−Σ log p[d]`, the softmax output's, from p or from the logits.

The factor differs from book to book, and with it the meaning of a learning rate:
``reduction="sum"`` adds up over the batch, ``reduction="mean"`` divides that sum by
N, the number of examples (E41). The forms that take logits are exact where a
probability has already rounded to 0 or 1; those that take probabilities have to
clip them.
"""

import math

from . import layers
from ._array import array_namespace, at_label, at_labels, in_place, is_array
from ._checks import as_floating, check_choice, check_labels, check_number, check_shapes, check_values
from .activations import log_softmax, sigmoid, softmax, softplus

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_grad",
    "binary_cross_entropy_with_logits",
    "binary_cross_entropy_with_logits_grad",
    "cross_entropy",
    "cross_entropy_grad",
    "half_squared_error",
    "half_squared_error_grad",
    "mean_squared_error",
    "mean_squared_error_grad",
    "negative_log_likelihood_gaussian",
    "softmax_cross_entropy",
    "softmax_cross_entropy_grad",
]


def __dir__():
    return __all__


def half_squared_error(Y, D, reduction="sum"):
    """Half the squared error: `J = ½ Σ_p ‖d_p − y_p‖²`.

    Parameters
    ----------
    Y : (N, ...) array, predictions.
    D : (N, ...) array, targets.
    reduction : "sum" over everything, or "mean": that sum divided by N.

    Returns
    -------
    J, a number.

    Raises
    ------
    ValueError : Y and D differ in shape or are empty, or the reduction is unknown.

    Notes
    -----
    The ½ cancels against the derivative's 2. Source: notes 000, 003 (25).

    Examples
    --------
    >>> float(half_squared_error([[1.0, 2.0]], [[0.0, 4.0]]))
    2.5
    """
    Y, D = _examples(Y=Y, D=D)
    xp = array_namespace(Y)
    return 0.5 * xp.sum((D - Y) ** 2) / _divisor(Y, reduction)


def half_squared_error_grad(Y, D, reduction="sum"):
    """Gradient of `half_squared_error`: `∂J/∂Y = −(D − Y)`, divided by N for "mean".

    Parameters
    ----------
    Y, D, reduction : as for `half_squared_error`.

    Returns
    -------
    (N, ...) array.

    Examples
    --------
    >>> half_squared_error_grad([[1.0, 2.0]], [[0.0, 4.0]])
    array([[ 1., -2.]])
    """
    Y, D = _examples(Y=Y, D=D)
    return -(D - Y) / _divisor(Y, reduction)


def mean_squared_error(Y, D):
    """Mean squared error: `J = 1/(NK) Σ (Y − D)²`: the mean over all entries.

    Parameters
    ----------
    Y : (N, ...) array, predictions.
    D : (N, ...) array, targets.

    Returns
    -------
    J, a number.

    Raises
    ------
    ValueError : Y and D differ in shape, or are empty.

    Notes
    -----
    No ½, and the outputs are averaged over as well as the examples. Source: notes 001,
    003.

    Examples
    --------
    >>> float(mean_squared_error([[1.0, 2.0]], [[0.0, 4.0]]))
    2.5
    """
    Y, D = _examples(Y=Y, D=D)
    xp = array_namespace(Y)
    return xp.sum((Y - D) ** 2) / _size(Y)


def mean_squared_error_grad(Y, D):
    """Gradient of `mean_squared_error`: `∂J/∂Y = 2/(NK) (Y − D)`.

    Parameters
    ----------
    Y, D : as for `mean_squared_error`.

    Returns
    -------
    (N, ...) array.

    Notes
    -----
    Source: notes 001: the 2/3 of the worked example with three outputs.

    Examples
    --------
    >>> mean_squared_error_grad([[1.0, 2.0]], [[0.0, 4.0]])
    array([[ 1., -2.]])
    """
    Y, D = _examples(Y=Y, D=D)
    return 2.0 * (Y - D) / _size(Y)


def negative_log_likelihood_gaussian(Y, D, sigma=1.0):
    """Negative log-likelihood of targets with Gaussian noise.

    `J = Σ ½((D − Y)/σ)² + log σ + ½ log 2π`, over all entries.

    Parameters
    ----------
    Y : (N, ...) array, predictions: the means.
    D : (N, ...) array, targets.
    sigma : standard deviation of the noise, the same for every entry.

    Returns
    -------
    J, a number (nats).

    Raises
    ------
    ValueError : Y and D differ in shape or are empty, or sigma is not positive.

    Notes
    -----
    Why the error is squared: for a fixed σ it is 1/σ² times `half_squared_error`, and a
    constant, so its minima are the same. A density may exceed 1: it may be negative.
    Source: Bishop, Pattern Recognition and Machine Learning (2006), section 3.1.1.

    Examples
    --------
    >>> round(float(negative_log_likelihood_gaussian([[1.0, 2.0]], [[0.0, 4.0]])), 6)
    4.337877
    """
    Y, D = _examples(Y=Y, D=D)
    check_number("sigma", sigma, 0.0, include_low=False)
    xp = array_namespace(Y)
    return xp.sum(0.5 * ((D - Y) / sigma) ** 2 + math.log(sigma) + 0.5 * math.log(2.0 * math.pi))


def binary_cross_entropy(p, d, reduction="mean"):
    """Binary cross-entropy of probabilities: `J = −Σ (d log p + (1 − d) log(1 − p))`.

    Parameters
    ----------
    p : (N,) or (N, K) array, probabilities of the class 1.
    d : array of the same shape, targets from 0 to 1.
    reduction : "mean": the sum over the K outputs, divided by N; or "sum".

    Returns
    -------
    J, a number.

    Raises
    ------
    ValueError : p or d has an entry outside [0, 1], they differ in shape, there is no
        example, or no such reduction.

    Notes
    -----
    p is clipped to [ε, 1 − ε], ε the precision of its dtype, so that p = 0 costs about
    36 (float64), not infinity. Where the logits are at hand,
    `binary_cross_entropy_with_logits` needs no clipping. Notes 001 leave the minus out,
    which makes it the likelihood (E08).
    Source: notes 000, 001, 004; Bishop, Pattern Recognition and Machine Learning
    (2006), (5.21) and (5.22).

    Examples
    --------
    >>> round(float(binary_cross_entropy([0.5, 0.75], [0, 1])), 6)
    0.490415
    """
    p, d = _examples(p=p, d=d)
    p = _clipped(p)
    check_values("d", d, (d >= 0.0) & (d <= 1.0), "targets from 0 to 1")
    xp = array_namespace(p)
    return -xp.sum(d * xp.log(p) + (1.0 - d) * xp.log1p(-p)) / _divisor(p, reduction)


def binary_cross_entropy_grad(p, d, reduction="mean"):
    """Gradient of `binary_cross_entropy`.

    `∂J/∂p = −d/p + (1 − d)/(1 − p)`, divided by N for "mean".

    Parameters
    ----------
    p, d, reduction : as for `binary_cross_entropy`.

    Returns
    -------
    Array of the shape of p.

    Notes
    -----
    At the clipped p: large, but finite, at p = 0 and p = 1.

    Examples
    --------
    >>> binary_cross_entropy_grad([0.5, 0.25], [0, 1], reduction="sum")
    array([ 2., -4.])
    """
    p, d = _examples(p=p, d=d)
    p = _clipped(p)
    check_values("d", d, (d >= 0.0) & (d <= 1.0), "targets from 0 to 1")
    return ((1.0 - d) / (1.0 - p) - d / p) / _divisor(p, reduction)


def binary_cross_entropy_with_logits(u, d, reduction="mean"):
    """Binary cross-entropy of logits: `J = −Σ (d log σ(u) + (1 − d) log(1 − σ(u)))`.

    Parameters
    ----------
    u : (N,) or (N, K) array, logits: preactivations of sigmoid outputs.
    d : array of the same shape, targets from 0 to 1.
    reduction : "mean": the sum over the K outputs, divided by N; or "sum".

    Returns
    -------
    J, a number.

    Raises
    ------
    ValueError : d has an entry outside [0, 1], the shapes differ, there is no example,
        or no such reduction.

    Notes
    -----
    Computed with `−log σ(u) = softplus(−u)` and `−log(1 − σ(u)) = softplus(u)`: no
    logarithm ever sees a 0. Source: notes 000; Goodfellow, Bengio, Courville, Deep
    Learning (2016), section 6.2.2.2.

    Examples
    --------
    >>> float(binary_cross_entropy_with_logits([1000.0, 1000.0], [0, 1]))
    500.0
    """
    u, d = _examples(u=u, d=d)
    check_values("d", d, (d >= 0.0) & (d <= 1.0), "targets from 0 to 1")
    xp = array_namespace(u)
    return xp.sum(d * softplus(-u) + (1.0 - d) * softplus(u)) / _divisor(u, reduction)


def binary_cross_entropy_with_logits_grad(u, d, reduction="mean"):
    """Gradient of `binary_cross_entropy_with_logits`.

    `∂J/∂u = σ(u) − d`, divided by N for "mean".

    Parameters
    ----------
    u, d, reduction : as for `binary_cross_entropy_with_logits`.

    Returns
    -------
    Array of the shape of u.

    Examples
    --------
    >>> binary_cross_entropy_with_logits_grad([0.0, 0.0], [0, 1])
    array([ 0.25, -0.25])
    """
    u, d = _examples(u=u, d=d)
    check_values("d", d, (d >= 0.0) & (d <= 1.0), "targets from 0 to 1")
    return (sigmoid(u) - d) / _divisor(u, reduction)


def cross_entropy(p, labels, reduction="mean"):
    """Cross-entropy of probabilities.

    `J = −Σ_n log p_n[d_n]`: minus the log-probability of the right class.

    Parameters
    ----------
    p : (N, K) array, probabilities of the K classes.
    labels : (N,) integer array, the class 0…K−1 of each example.
    reduction : "mean" or "sum" over the N examples.

    Returns
    -------
    J, a number.

    Raises
    ------
    ValueError : p has an entry outside [0, 1], the labels do not fit, there is no
        example, or no such reduction.
    TypeError : the labels are not whole numbers.

    Notes
    -----
    p is clipped to [ε, 1 − ε], ε the precision of its dtype. Where the logits are at
    hand, `softmax_cross_entropy` needs no clipping. Source: notes 002, 004; Bishop,
    Pattern Recognition and Machine Learning (2006), (5.24).

    Examples
    --------
    >>> round(float(cross_entropy([[0.5, 0.5], [0.25, 0.75]], [0, 1])), 6)
    0.490415
    """
    p = _clipped(check_shapes("N K", p=p))
    labels = check_labels(labels, p.shape[1], p.shape[0])
    xp = array_namespace(p)
    return -xp.sum(xp.log(at_label(p, labels))) / _divisor(p, reduction)


def cross_entropy_grad(p, labels, reduction="mean"):
    """Gradient of `cross_entropy`.

    `∂J/∂p_nk = −1(k = d_n)/p_nk`, divided by N for "mean".

    Parameters
    ----------
    p, labels, reduction : as for `cross_entropy`.

    Returns
    -------
    (N, K) array; 0 except at the labels.

    Notes
    -----
    At the clipped p: large, but finite, at p = 0.

    Examples
    --------
    >>> cross_entropy_grad([[0.5, 0.5], [0.25, 0.75]], [0, 0], reduction="sum")
    array([[-2.,  0.],
           [-4.,  0.]])
    """
    p = _clipped(check_shapes("N K", p=p))
    N, K = p.shape
    xp = array_namespace(p)
    indicator = at_labels(check_labels(labels, K, N), K)
    return xp.where(indicator, -1.0 / p, 0.0) / _divisor(p, reduction)


def softmax_cross_entropy(logits, labels, reduction="mean"):
    """Cross-entropy of logits: `J = Σ_n (log Σ_k e^(z_nk) − z_n[d_n])`.

    Parameters
    ----------
    logits : (N, K) array z.
    labels : (N,) integer array, the class 0…K−1 of each example; or (N, K) array of
        probabilities D, each row summing to 1, for which `J = −Σ_n Σ_k D_nk log p_nk`
        with p the softmax of z.
    reduction : "mean" or "sum" over the N examples.

    Returns
    -------
    J, a number.

    Raises
    ------
    ValueError : the labels do not match, the batch is empty, or the reduction is
        unknown.
    TypeError : labels (N,) that are not whole numbers.

    Notes
    -----
    With the logarithm outside of the sum, as in `log_softmax`, so that the label's
    probability may be as small as it can get.
    Source: notes 000, 002; Goodfellow, Bengio, Courville, Deep Learning (2016), section
    6.2.2.3.
    Fast twin: `kernels.layers.softmax_cross_entropy_with_grad`.

    Examples
    --------
    >>> float(softmax_cross_entropy([[1000.0, 0.0], [1000.0, 0.0]], [0, 1]))
    500.0
    >>> round(float(softmax_cross_entropy([[0.0, 0.0]], [[0.3, 0.7]])), 6)
    0.693147
    """
    logits = check_shapes("N K", logits=logits)
    N, K = logits.shape
    xp = array_namespace(logits)
    if _are_probabilities(labels, N, K):
        log_p = _probabilities(labels, logits) * log_softmax(logits, axis=1)
    else:
        shifted = logits - xp.max(logits, axis=1, keepdims=True)
        log_p = at_label(shifted, check_labels(labels, K, N))
        log_p -= xp.log(xp.sum(in_place(xp.exp, shifted), axis=1, keepdims=True))
    return -xp.sum(log_p) / _divisor(logits, reduction)


def softmax_cross_entropy_grad(logits, labels, reduction="mean"):
    """Gradient of `softmax_cross_entropy`.

    `∂J/∂z = softmax(z) − K`, divided by N for "mean".

    Here K is the indicator matrix of the labels, or the matrix D of probabilities.

    Parameters
    ----------
    logits, labels, reduction : as for `softmax_cross_entropy`.

    Returns
    -------
    (N, K) array; each row sums to 0.

    Notes
    -----
    It is `layers.softmax_layer_delta`, which is for a sum over the batch, with the
    reduction's factor.
    Fast twin: `kernels.layers.softmax_cross_entropy_with_grad`.

    Examples
    --------
    >>> softmax_cross_entropy_grad([[0.0, 0.0], [0.0, 0.0]], [0, 1])
    array([[-0.25,  0.25],
           [ 0.25, -0.25]])
    """
    logits = check_shapes("N K", logits=logits)
    if _are_probabilities(labels, *logits.shape):
        delta = layers.linear_delta(_probabilities(labels, logits), softmax(logits, axis=1))
    else:
        delta = layers.softmax_layer_delta(labels, logits)
    delta /= _divisor(logits, reduction)
    return delta


def _examples(**arrays):
    """Predictions and targets, if they have one shape, and entries; the targets in the predictions' dtype."""
    predictions, targets = check_shapes("..., ~...", **arrays)
    if 0 in predictions.shape:
        name = next(iter(arrays))
        raise ValueError(f"{name}: expected at least one example, got shape {tuple(predictions.shape)}")
    return predictions, targets


def _divisor(x, reduction):
    """The divisor of the sum over the batch: the number of examples (rows) for "mean", 1 for "sum"."""
    mean = check_choice("reduction", reduction, ("mean", "sum")) == "mean"
    return x.shape[0] if mean and x.ndim else 1


def _size(x):
    """The number of entries."""
    return math.prod(x.shape)


def _clipped(p):
    """The probabilities p, kept away from 0 and 1 by the precision of their dtype."""
    check_values("p", p, (p >= 0.0) & (p <= 1.0), "probabilities from 0 to 1")
    xp = array_namespace(p)
    eps = float(xp.finfo(p.dtype).eps)
    return xp.clip(p, eps, 1.0 - eps)


def _are_probabilities(labels, N, K):
    """Whether the labels are probabilities (N, K); otherwise they are one number for each example."""
    shape = tuple((labels if is_array(labels) else as_floating(labels, "labels")).shape)
    if len(shape) != 1 and shape != (N, K):
        raise ValueError(f"labels: expected shape ({N},), whole numbers, or ({N}, {K}), probabilities, got {shape}")
    return len(shape) == 2


def _probabilities(labels, logits):
    """The labels in the dtype of the logits, if each row is a distribution."""
    _, labels = check_shapes("N K, ~N K", logits=logits, labels=labels)
    xp = array_namespace(labels)
    check_values("labels", labels, (labels >= 0.0) & (labels <= 1.0), "probabilities from 0 to 1")
    sums = xp.sum(labels, axis=1)
    check_values("labels", sums, xp.abs(sums - 1.0) <= 1e-3, "rows of probabilities that sum to 1")
    return labels
