"""Metrics: the quality of a trained network on examples that it has not seen.

- accuracy, the share of right classes; the confusion matrix, which classes are
  taken for which;
- perplexity, `e^J` of the mean cross-entropy J: among how many equally likely
  characters the network hesitates;
- early stopping, when the loss on examples kept aside has stopped falling;
- temperature, how boldly the next character is drawn from the logits.
"""

from ._array import array_namespace
from ._checks import check_integer, check_labels, check_number, check_shapes
from .activations import softmax
from .layers import one_hot
from .losses import softmax_cross_entropy

__all__ = [
    "accuracy",
    "confusion_matrix",
    "early_stopping",
    "perplexity",
    "temperature_softmax",
]


def __dir__():
    return __all__


def accuracy(logits, labels):
    """Share of the examples whose largest logit is their label's.

    `1/N Σ_n 1(argmax_k u_nk = d_n)`.

    Parameters
    ----------
    logits : (N, K) array, logits or probabilities.
    labels : (N,) integers 0…K−1.

    Returns
    -------
    number in [0, 1].

    Notes
    -----
    Among equally large logits the first one counts.

    Examples
    --------
    >>> float(accuracy(np.array([[0.0, 2.0], [3.0, 1.0]]), np.array([1, 1])))
    0.5
    """
    logits = check_shapes("N K", logits=logits)
    labels = check_labels(labels, logits.shape[1], logits.shape[0])
    xp = array_namespace(logits)
    right = xp.argmax(logits, axis=1) == labels
    return xp.mean(xp.astype(right, logits.dtype))


def confusion_matrix(labels, predictions, K):
    """How often each class is taken for which: `C_jk = #{n : d_n = j`, `y_n = k}`.

    Parameters
    ----------
    labels : (N,) integers 0…K−1, the true classes.
    predictions : (N,) integers 0…K−1.
    K : number of classes.

    Returns
    -------
    (K, K) integer array; a row for each true class, a column for each predicted one.
    The diagonal is what is right.

    Examples
    --------
    >>> confusion_matrix(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2]), 3)
    array([[1, 1, 0],
           [0, 1, 0],
           [0, 0, 1]])
    """
    K = check_integer("K", K)
    labels = check_labels(labels, K)
    predictions = check_labels(predictions, K, labels.shape[0], name="predictions")
    xp = array_namespace(labels)
    counts = xp.matrix_transpose(one_hot(labels, K)) @ one_hot(predictions, K)
    return xp.astype(counts, xp.int64)


def perplexity(logits, labels):
    """Perplexity: `exp(−1/N Σ_n log p_n[d_n])`, p the softmax of the logits.

    Parameters
    ----------
    logits : (N, K) array.
    labels : (N,) integers 0…K−1.

    Returns
    -------
    number, at least 1; K for a network that knows nothing.

    Examples
    --------
    >>> round(float(perplexity(np.zeros((3, 5)), np.array([0, 1, 4]))), 12)
    5.0
    """
    J = softmax_cross_entropy(logits, labels)
    return array_namespace(J).exp(J)


def early_stopping(losses, patience):
    """When to stop, and which epoch to keep, by the losses on examples that were kept
    aside.

    Parameters
    ----------
    losses : sequence of numbers, one for each epoch.
    patience : epochs in a row without a new lowest loss after which training stops, at
        least 1.

    Returns
    -------
    best : the epoch (from 0) with the lowest loss so far, the first of equals.
    stop : the epoch after which training stops: `patience` epochs after the best, or
        the last one.

    Examples
    --------
    >>> early_stopping([1.0, 0.7, 0.8, 0.9, 0.5], patience=2)
    (1, 3)
    """
    losses = check_shapes("E", losses=losses)
    patience = check_integer("patience", patience)
    best = 0
    for epoch in range(losses.shape[0]):
        if losses[epoch] < losses[best]:
            best = epoch
        if epoch - best == patience:
            return best, epoch
    return best, losses.shape[0] - 1


def temperature_softmax(logits, temperature):
    """Probabilities at a temperature: `p = softmax(u / τ)`.

    Parameters
    ----------
    logits : (..., K) array.
    temperature : `τ > 0`; below 1 the likely gets likelier, above 1 the rare gets its
        chance.

    Returns
    -------
    (..., K) array.

    Examples
    --------
    >>> temperature_softmax(np.array([0.0, np.log(3.0)]), 1.0)
    array([0.25, 0.75])
    >>> temperature_softmax(np.array([0.0, np.log(3.0)]), 0.5)
    array([0.1, 0.9])
    """
    logits = check_shapes("... K", logits=logits)
    temperature = check_number("temperature", temperature, low=0.0, include_low=False, include_high=False)
    return softmax(logits / temperature)
