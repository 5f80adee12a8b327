"""An epoch of softmax regression: a layer, a loss, its gradient, and the step."""

import numpy as np

from dlcourse import training
from dlcourse.activations import softmax
from dlcourse.layers import one_hot
from dlcourse.losses import softmax_cross_entropy

from ...checks.exercise import Case, Exercise, Mistake, in_float32, slip

# --- solution -------------------------------------------------------------------------------------------------------


def softmax_regression_epoch(X, labels, W, b, lr, batch_size):
    total = 0.0
    for start in range(0, len(X), batch_size):
        x, d = X[start : start + batch_size], labels[start : start + batch_size]
        U = x @ W + b
        total += softmax_cross_entropy(U, d, reduction="sum")
        dU = (softmax(U) - one_hot(d, len(b), dtype=U.dtype)) / len(x)
        W = W - lr * x.T @ dU
        b = b - lr * dU.sum(axis=0)
    return W, b, total / len(X)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, N, D, K, lr, batch_size, size=1.0, hidden=False):
        X, b = size * rng.standard_normal((N, D)), size * 0.5 * rng.standard_normal(K)
        W = 0.5 * rng.standard_normal((D, K))
        return Case(name, (X, rng.integers(0, K, N), W, b, lr, batch_size), sum_length=20 * N * D, hidden=hidden)

    return [
        case("11 examples in batches of 4", 11, 3, 4, 0.5, 4),
        case("one input, batches that come out even", 8, 1, 3, 0.3, 4),
        case("one batch of everything, large logits", 6, 4, 3, 0.7, 6, size=1e4),
        case("one example at a time", 5, 3, 2, 0.2, 1),
        case("a batch larger than the data", 4, 3, 5, 0.4, 10),
        in_float32(case("", 9, 3, 4, 0.5, 4)),
        case("7 examples in batches of 3", 7, 5, 3, 0.6, 3, hidden=True),
        case("one example", 1, 3, 4, 0.5, 2),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

LOSS = 'total += softmax_cross_entropy(U, d, reduction="sum")'
STEP = "b = b - lr * dU.sum(axis=0)"

MISTAKES = [
    Mistake("ascent", slip("- lr", "+ lr", everywhere=True),
        "The loss grows from batch to batch: the step goes up the slope."),
    Mistake("last_batch_dropped", slip("range(0, len(X), batch_size)", "range(0, len(X) - batch_size + 1, batch_size)"),
        "Examples at the end are never seen: the last, smaller minibatch is kept."),
    Mistake("batch_not_averaged", slip(" / len(x)", ""),
        "The loss of a minibatch is a mean, so its gradient is divided by the number of its examples."),
    Mistake("divided_by_batch_size", slip("/ len(x)", "/ batch_size"),
        "The last minibatch is smaller than `batch_size`: divide by the number of examples that it has."),
    Mistake("bias_never_updated", slip(f"        {STEP}\n", ""), "The weights learn, the bias stays where it began."),
    Mistake("stale_weights", slip("total = 0.0", "total, W0, b0 = 0.0, W, b", "x @ W + b", "x @ W0 + b0"),
        "Every minibatch is computed with the weights of the epoch's beginning. Each should see what the one before it "
        "left."),
    Mistake("whole_batch", slip("X[start : start + batch_size], labels[start : start + batch_size]", "X, labels"),
        "Every step uses all examples. It should see its minibatch alone."),
    Mistake("loss_after_step",
        slip(f"        {LOSS}\n", "", STEP, f"{STEP}\n        {LOSS}".replace("(U,", "(x @ W + b,")),
        "The loss is taken after the step. It belongs to the weights that the minibatch met."),
    Mistake("last_loss_only", slip(LOSS, "total = softmax_cross_entropy(U, d)", "total / len(X)", "total"),
        "You return the loss of the last minibatch. The mean over all examples of the epoch is asked."),
    Mistake("mean_of_batch_means",
        slip(LOSS, "total += softmax_cross_entropy(U, d)", "total / len(X)", "total / np.ceil(len(X) / batch_size)"),
        "The mean of the minibatches' means gives the examples of a small last batch too much weight: weigh each by "
        "its size."),
    Mistake("loss_not_averaged", slip("total / len(X)", "total"),
        "You return the sum of all examples' losses; their mean is asked."),
    Mistake("mutates_parameters", slip("W = W - lr", "W -= lr", "b = b - lr", "b -= lr"),
        "The caller's W and b are changed. Write `W = W - …`, which makes a new array."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def log_softmax(u):
    u = u - u.max(axis=-1, keepdims=True)
    return u - np.log(np.exp(u).sum(axis=-1, keepdims=True))


def loop(X, labels, W, b, lr, batch_size):
    total, W, b = 0.0, np.array(W), np.array(b)
    for start in range(0, len(X), batch_size):
        rows = range(start, min(start + batch_size, len(X)))
        dW, db = np.zeros_like(W), np.zeros_like(b)
        for n in rows:
            log_p = log_softmax(X[n] @ W + b)
            total -= log_p[labels[n]]
            delta = np.exp(log_p) - (np.arange(len(b)) == labels[n])
            dW += np.outer(X[n], delta) / len(rows)
            db += delta / len(rows)
        W, b = W - lr * dW, b - lr * db
    return W, b, total / len(X)


def split(X, labels, W, b, lr, batch_size):
    edges = np.arange(batch_size, len(X), batch_size)
    charged = []
    for x, d in zip(np.split(X, edges), np.split(labels, edges), strict=True):
        log_p = log_softmax(x @ W + b)
        K = np.eye(len(b), dtype=x.dtype)[d]
        charged += list(-np.sum(K * log_p, axis=1))
        E = (np.exp(log_p) - K) / len(x)
        W, b = W - lr * np.einsum("nd,nk->dk", x, E), b - lr * E.sum(0)
    return W, b, np.mean(charged)


EXERCISE = Exercise("training.softmax_regression_epoch", training.softmax_regression_epoch, cases, MISTAKES,
    variants=[loop, split], solution=softmax_regression_epoch, points=4,
    why="Everything of the course in a dozen lines: a layer, a loss, its gradient, and the step.",
    hints=("Walk through the examples in slices of `batch_size`, in the order given.",
           "For each: logits, loss, then dU = (softmax(U) − one-hot) / examples of this minibatch.",
           "dW = Xᵀ dU and db = the sum of dU over the examples, both of this minibatch.",
           "Add up the examples' losses, and divide by N at the end."))  # fmt: skip
