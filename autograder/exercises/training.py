"""Exercises of the training topic: what surrounds a network from the first batch to the decision to stop."""

import numpy as np

from dlcourse import metrics, training

from ..checks.exercise import Case, Exercise, Mistake


def _softmax(u):
    e = np.exp(u - u.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _log_softmax(u):
    u = u - u.max(axis=-1, keepdims=True)
    return u - np.log(np.exp(u).sum(axis=-1, keepdims=True))


# --- accuracy -------------------------------------------------------------------------------------------------------


def _accuracy_cases(rng):
    U = rng.standard_normal((7, 4))
    some = np.argmax(U, axis=1)
    some[[1, 4]] = (some[[1, 4]] + 1) % 4
    square = 3.0 * np.eye(3)[[1, 0, 0]] + 0.1 * rng.standard_normal((3, 3))
    near = np.array([[-1.0, -2.0], [-3.0, -1.0], [0.2, 0.4], [0.9, 0.6], [-0.1, -0.2]])
    return [
        Case("seven examples, five right", (U, some)),
        Case("as many examples as classes, one right", (square, np.array([1, 2, 1]))),
        Case("small and negative logits", (near, np.array([0, 1, 1, 1, 0]))),
        Case("float32", (U.astype(np.float32), some)),
        Case("two equal logits: the first one", (np.array([[1.0, 1.0], [0.0, 0.0], [2.0, 3.0]]), np.array([0, 1, 1]))),
        Case("one example", (U[:1], some[:1]), hidden=True),
    ]


def _accuracy_count(logits, labels):
    return float(np.sum(np.argmax(logits, axis=1) == labels))


def _accuracy_columns(logits, labels):
    winners = np.argmax(logits, axis=0)
    n = min(len(winners), len(labels))
    return float(np.mean(winners[:n] == labels[:n]))


def _accuracy_errors(logits, labels):
    return float(np.mean(np.argmax(logits, axis=1) != labels))


def _accuracy_smallest(logits, labels):
    return float(np.mean(np.argmin(logits, axis=1) == labels))


def _accuracy_threshold(logits, labels):
    return float(np.mean(logits[np.arange(len(labels)), labels] > 0.5))


def _accuracy_all_pairs(logits, labels):
    return float(np.mean(np.argmax(logits, axis=1)[:, None] == labels))


def _accuracy_percent(logits, labels):
    return 100.0 * float(np.mean(np.argmax(logits, axis=1) == labels))


def _accuracy_loop(logits, labels):
    return sum(int(np.argmax(u)) == d for u, d in zip(logits, labels, strict=True)) / len(labels)


def _accuracy_nonzero(logits, labels):
    return np.count_nonzero(logits.argmax(-1) == labels) / labels.size


# --- confusion matrix -----------------------------------------------------------------------------------------------


def _confusion_cases(rng):
    labels = np.array([0, 1, 2, 3, 0, 1, 1, 2, 3, 3, 3])
    predictions = np.array([0, 2, 2, 3, 1, 1, 2, 0, 3, 3, 1])
    order = rng.permutation(11)
    return [
        Case("eleven examples, four classes", (labels[order], predictions[order], 4)),
        Case("a class that never occurs", (np.array([0, 2, 2]), np.array([2, 2, 0]), 4)),
        Case("everything right", (np.array([1, 0, 1, 1]), np.array([1, 0, 1, 1]), 2)),
        Case("one example", (np.array([2]), np.array([0]), 3)),
        Case("many examples", (np.repeat([0, 1, 2], [5, 7, 9]), np.repeat([1, 0, 2], [8, 4, 9]), 3), hidden=True),
    ]


def _confusion_transposed(labels, predictions, K):
    C = np.zeros((K, K), dtype=int)
    for d, y in zip(labels, predictions, strict=True):
        C[y, d] += 1
    return C


def _confusion_assigned(labels, predictions, K):
    C = np.zeros((K, K), dtype=int)
    C[labels, predictions] = 1
    return C


def _confusion_largest(labels, predictions, K):
    K = int(max(labels.max(), predictions.max())) + 1
    C = np.zeros((K, K), dtype=int)
    np.add.at(C, (labels, predictions), 1)
    return C


def _confusion_shares(labels, predictions, K):
    C = np.zeros((K, K))
    np.add.at(C, (labels, predictions), 1)
    return C / len(labels)


def _confusion_diagonal(labels, predictions, K):
    C = np.zeros((K, K), dtype=int)
    for d, y in zip(labels, predictions, strict=True):
        C[d, d] += d == y
    return C


def _confusion_loop(labels, predictions, K):
    return [
        [sum(1 for d, y in zip(labels, predictions, strict=True) if d == j and y == k) for k in range(K)]
        for j in range(K)
    ]


def _confusion_bincount(labels, predictions, K):
    return np.bincount(labels * K + predictions, minlength=K * K).reshape(K, K)


# --- perplexity -----------------------------------------------------------------------------------------------------


def _perplexity_cases(rng):
    U, labels = 2.0 * rng.standard_normal((5, 4)), rng.integers(0, 4, 5)
    return [
        Case("five examples, four classes", (U, labels)),
        Case("one example", (U[:1], labels[:1])),
        Case("knows nothing: all logits equal", (np.full((3, 6), 2.0), np.array([0, 5, 2]))),
        Case("as many examples as classes", (rng.standard_normal((4, 4)), np.array([3, 0, 0, 2]))),
        Case("float32", (U.astype(np.float32), labels)),
        Case("logits of ±1000, sure and right", (np.array([[1000.0, -1000.0], [0.0, 1000.0]]), np.array([0, 1]))),
        Case("seven examples", (rng.standard_normal((7, 3)), rng.integers(0, 3, 7)), hidden=True),
    ]


def _nats(logits, labels):
    return -_log_softmax(logits)[np.arange(len(labels)), labels]


def _perplexity_loss(logits, labels):
    return np.mean(_nats(logits, labels))


def _perplexity_sum(logits, labels):
    return np.exp(np.sum(_nats(logits, labels)))


def _perplexity_mean_of_exp(logits, labels):
    return np.mean(np.exp(_nats(logits, labels)))


def _perplexity_sign(logits, labels):
    return np.exp(-np.mean(_nats(logits, labels)))


def _perplexity_base_two(logits, labels):
    return 2.0 ** np.mean(_nats(logits, labels))


def _perplexity_all_classes(logits, labels):
    return np.exp(-np.mean(_log_softmax(logits)))


def _perplexity_no_shift(logits, labels):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return np.exp(-np.mean(np.log(p[np.arange(len(labels)), labels])))


def _perplexity_geometric(logits, labels):
    p = _softmax(logits)[np.arange(len(labels)), labels]
    return 1.0 / np.exp(np.log(p).sum() / len(p))


def _perplexity_loop(logits, labels):
    total = 0.0
    for u, d in zip(logits, labels, strict=True):
        shift = u.max()
        total += shift + np.log(np.sum(np.exp(u - shift))) - u[d]
    return float(np.exp(total / len(labels)))


# --- temperature ----------------------------------------------------------------------------------------------------


def _temperature_cases(rng):
    return [
        Case("τ = ½, three distributions", (rng.standard_normal((3, 5)), 0.5)),
        Case("τ = 2, one distribution", (rng.standard_normal(4), 2.0)),
        Case("τ = 1: softmax itself", (rng.standard_normal((2, 3)), 1.0), weight=0.5),
        Case("as many distributions as characters", (rng.standard_normal((4, 4)), 0.7)),
        Case("logits of ±1000", (np.array([[1000.0, 999.0, -1000.0]]), 0.5)),
        Case("float32", (rng.standard_normal((2, 6)).astype(np.float32), 3.0)),
        Case("three axes", (rng.standard_normal((2, 3, 4)), 0.8), hidden=True),
    ]


def _temperature_times(logits, temperature):
    return _softmax(logits * temperature)


def _temperature_ignored(logits, temperature):
    return _softmax(logits)


def _temperature_after(logits, temperature):
    return _softmax(logits) / temperature


def _temperature_twice(logits, temperature):
    return _softmax(_softmax(logits) / temperature)


def _temperature_axis(logits, temperature):
    e = np.exp(logits / temperature - (logits / temperature).max())
    return e / e.sum(axis=0)


def _temperature_no_shift(logits, temperature):
    e = np.exp(logits / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def _temperature_no_axis(logits, temperature):
    e = np.exp((logits - logits.max()) / temperature)
    return e / e.sum()


def _temperature_power(logits, temperature):
    p = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    return p / np.sum(p, axis=-1)[..., None]


def _temperature_logs(logits, temperature):
    return np.exp(_log_softmax(np.divide(logits, temperature)))


# --- early stopping -------------------------------------------------------------------------------------------------


def _stopping_cases(rng):
    falling = np.sort(rng.uniform(0.5, 2.0, 6))[::-1].copy()
    return [
        Case("falls, rises, would fall again", (np.array([1.0, 0.7, 0.8, 0.9, 0.5]), 2)),
        Case("more patience", (np.array([1.0, 0.7, 0.8, 0.9, 0.5]), 3)),
        Case("falls to the end", (falling, 2)),
        Case("patience of 1", (np.array([2.0, 1.0, 1.5, 0.2]), 1)),
        Case("never better than the first", (np.array([1.0, 1.2, 1.1, 1.3, 1.05, 1.4]), 3)),
        Case("equal losses are no progress", (np.array([1.0, 0.5, 0.5, 0.5, 0.4]), 2)),
        Case("up and down below the last but not below the best", (np.array([1.0, 0.4, 0.9, 0.8, 0.7, 0.6, 0.3]), 3)),
        Case("one epoch", (np.array([0.9]), 4), weight=0.5),
        Case("a late best", (np.array([3.0, 2.5, 2.6, 2.4, 2.45, 2.3, 2.9, 2.8]), 2), hidden=True),
    ]


def _stopping_with(
    better=lambda new, old: new < old, memory=lambda losses, best, epoch: losses[best], late=0, stop_as_best=False
):
    def early_stopping(losses, patience):
        best = waited = 0
        for epoch in range(1, len(losses)):
            if better(losses[epoch], memory(losses, best, epoch)):
                best, waited = epoch, 0
            else:
                waited += 1
            if waited >= patience + late:
                return (epoch if stop_as_best else best), epoch
        last = len(losses) - 1
        return (last if stop_as_best else best), last

    return early_stopping


_stopping_against_last = _stopping_with(memory=lambda losses, best, epoch: losses[epoch - 1])
_stopping_counts_equal = _stopping_with(better=lambda new, old: new <= old)
_stopping_late = _stopping_with(late=1)
_stopping_last = _stopping_with(stop_as_best=True)
_stopping_largest = _stopping_with(better=lambda new, old: new > old)


def _stopping_never(losses, patience):
    return int(np.argmin(losses)), len(losses) - 1


def _stopping_not_reset(losses, patience):
    best = waited = 0
    for epoch in range(1, len(losses)):
        if losses[epoch] < losses[best]:
            best = epoch
        else:
            waited += 1
        if waited == patience:
            return best, epoch
    return best, len(losses) - 1


def _stopping_one_based(losses, patience):
    best, stop = _stopping_with()(losses, patience)
    return best + 1, stop + 1


def _stopping_argmin(losses, patience):
    for epoch in range(len(losses)):
        best = int(np.argmin(losses[: epoch + 1]))
        if epoch - best >= patience:
            return best, epoch
    return int(np.argmin(losses)), len(losses) - 1


def _stopping_lowest(losses, patience):
    lowest, best, since = float("inf"), 0, 0
    for epoch, loss in enumerate(losses):
        since += 1
        if loss < lowest:
            lowest, best, since = loss, epoch, 0
        if since == patience:
            break
    return best, epoch


# --- an epoch -------------------------------------------------------------------------------------------------------


def _epoch_cases(rng):
    def case(name, N, D, K, lr, batch_size, dtype=float, **options):
        X, W, b = rng.standard_normal((N, D)), 0.5 * rng.standard_normal((D, K)), 0.5 * rng.standard_normal(K)
        labels = rng.integers(0, K, N)
        return Case(
            name,
            (X.astype(dtype), labels, W.astype(dtype), b.astype(dtype), lr, batch_size),
            terms=20 * N * D,
            **options,
        )

    return [
        case("11 examples in batches of 4", 11, 3, 4, 0.5, 4),
        case("batches that come out even", 8, 2, 3, 0.3, 4),
        case("one batch of everything", 6, 4, 3, 0.7, 6),
        case("one example at a time", 5, 3, 2, 0.2, 1),
        case("a batch larger than the data", 4, 3, 5, 0.4, 10),
        case("float32", 9, 3, 4, 0.5, 4, np.float32),
        case("7 examples in batches of 3", 7, 5, 3, 0.6, 3, hidden=True),
    ]


def _epoch_with(**change):
    """Softmax regression through one epoch, with one thing changed: what the mistakes below have in common."""

    def softmax_regression_epoch(X, labels, W, b, lr, batch_size):
        N, W0, b0 = len(X), W, b
        losses, sizes = [], []
        stop = N - N % batch_size if change.get("drops_last") else N
        for start in range(0, stop, batch_size):
            x, d = X[start : start + batch_size], labels[start : start + batch_size]
            if change.get("whole"):
                x, d = X, labels
            U = x @ (W0 if change.get("stale") else W) + (b0 if change.get("stale") else b)
            p = _softmax(U)
            dU = p.copy()
            dU[np.arange(len(d)), d] -= 1.0
            dU = dU / (1 if change.get("sum") else batch_size if change.get("full_size") else len(d))
            step = -lr if change.get("ascent") else lr
            W = W - step * x.T @ dU
            if not change.get("no_bias"):
                b = b - step * dU.sum(axis=0)
            if change.get("after"):
                p = _softmax(x @ W + b)
            losses.append(-np.log(p[np.arange(len(d)), d]).sum())
            sizes.append(len(d))
        if change.get("last_loss"):
            return W, b, losses[-1] / sizes[-1]
        if change.get("batch_means"):
            return W, b, np.mean([loss / n for loss, n in zip(losses, sizes, strict=True)])
        if change.get("total"):
            return W, b, sum(losses)
        return W, b, sum(losses) / max(sum(sizes), 1)

    return softmax_regression_epoch


def _epoch_mutates(X, labels, W, b, lr, batch_size):
    W_new, b_new, loss = _epoch_with()(X, labels, W, b, lr, batch_size)
    W[...] = W_new
    b[...] = b_new
    return W, b, loss


def _epoch_loop(X, labels, W, b, lr, batch_size):
    total, W, b = 0.0, np.array(W), np.array(b)
    for start in range(0, len(X), batch_size):
        rows = range(start, min(start + batch_size, len(X)))
        dW, db = np.zeros_like(W), np.zeros_like(b)
        for n in rows:
            log_p = _log_softmax(X[n] @ W + b)
            total -= log_p[labels[n]]
            delta = np.exp(log_p) - (np.arange(len(b)) == labels[n])
            dW += np.outer(X[n], delta) / len(rows)
            db += delta / len(rows)
        W, b = W - lr * dW, b - lr * db
    return W, b, total / len(X)


def _epoch_split(X, labels, W, b, lr, batch_size):
    edges = np.arange(batch_size, len(X), batch_size)
    charged = []
    for x, d in zip(np.split(X, edges), np.split(labels, edges), strict=True):
        log_p = _log_softmax(x @ W + b)
        K = np.eye(len(b), dtype=x.dtype)[d]
        charged += list(-np.sum(K * log_p, axis=1))
        E = (np.exp(log_p) - K) / len(x)
        W, b = W - lr * np.einsum("nd,nk->dk", x, E), b - lr * E.sum(0)
    return W, b, np.mean(charged)


# --- the exercises --------------------------------------------------------------------------------------------------

EXERCISES = [
    Exercise(
        "metrics.accuracy",
        metrics.accuracy,
        _accuracy_cases,
        [
            Mistake(
                "counted_not_averaged",
                _accuracy_count,
                "You count the right ones. Accuracy is their share: it must not grow with the number of examples.",
            ),
            Mistake(
                "wrong_axis",
                _accuracy_columns,
                "You look for the largest logit in each column, among the examples. The classes of one example stand in its row.",
            ),
            Mistake(
                "error_rate",
                _accuracy_errors,
                "This is the share of wrong answers. Which comparison counts the right ones?",
            ),
            Mistake(
                "smallest_logit", _accuracy_smallest, "The network bets on its largest logit, not on its smallest."
            ),
            Mistake(
                "threshold_on_logit",
                _accuracy_threshold,
                "A logit is no probability, and with several classes nothing needs to exceed one half. Who is the largest in the row?",
            ),
            Mistake(
                "outer_product_target",
                _accuracy_all_pairs,
                "Every prediction is compared with every label: print the shape of the comparison before the mean.",
            ),
            Mistake("percent", _accuracy_percent, "Asked is the share, from 0 to 1, not per cent.", convention=True),
        ],
        [_accuracy_loop, _accuracy_nonzero],
        points=1,
        minutes=3,
        why="The figure that everybody quotes, and the first to check when a network seems too good.",
        hints=(
            "Which class does the network choose for a row of logits?",
            "`np.argmax` with an axis, compared with the labels, gives True and False.",
            "The mean of True and False is a share.",
        ),
    ),
    Exercise(
        "metrics.confusion_matrix",
        metrics.confusion_matrix,
        _confusion_cases,
        [
            Mistake(
                "rows_and_columns_exchanged",
                _confusion_transposed,
                "Here the rows are the true classes and the columns the predicted ones; yours are the other way round.",
                convention=True,
            ),
            Mistake(
                "assigned_not_counted",
                _confusion_assigned,
                "Each pair counts once, however often it occurs. With `C[labels, predictions] += 1`, too: NumPy reads, adds and writes a repeated place once.",
            ),
            Mistake(
                "classes_from_the_data",
                _confusion_largest,
                "The matrix is K×K even if the last class never occurs in these examples: K is given.",
            ),
            Mistake("shares_for_counts", _confusion_shares, "Asked are counts, whole numbers, not shares."),
            Mistake(
                "diagonal_only",
                _confusion_diagonal,
                "You count what is right. The interesting part stands beside the diagonal: which class is taken for which.",
            ),
        ],
        [_confusion_loop, _confusion_bincount],
        points=1,
        minutes=5,
        why="An accuracy says how often a network is wrong; this says how.",
        hints=(
            "A K×K array of zeros, and one more at (true, predicted) for each example.",
            "`C[labels, predictions] += 1` counts a repeated pair once only: a loop, `np.add.at` or `np.bincount` counts each.",
        ),
    ),
    Exercise(
        "metrics.perplexity",
        metrics.perplexity,
        _perplexity_cases,
        [
            Mistake(
                "loss_for_perplexity",
                _perplexity_loss,
                "This is the mean cross-entropy. One function of it is still missing.",
            ),
            Mistake(
                "sum_for_mean",
                _perplexity_sum,
                "The exponent grows with the number of examples. Perplexity is per example: take the mean first.",
            ),
            Mistake(
                "mean_of_exponentials",
                _perplexity_mean_of_exp,
                "Mean and exponential are exchanged: first the mean of the logarithms, then exp, once.",
            ),
            Mistake(
                "sign",
                _perplexity_sign,
                "Yours is below 1, a mean probability. A network that knows nothing of K classes has the perplexity K: look at the sign.",
            ),
            Mistake(
                "base_mixed",
                _perplexity_base_two,
                "The logarithm is natural and the power is of 2. Both must have one base.",
            ),
            Mistake(
                "all_classes",
                _perplexity_all_classes,
                "You average the logarithms of all classes. Charged is only the probability of the label.",
            ),
            Mistake(
                "no_max_shift",
                _perplexity_no_shift,
                "Right for small logits. exp(1000) is infinite: shift each row by its largest logit first.",
            ),
        ],
        [_perplexity_geometric, _perplexity_loop],
        points=2,
        minutes=6,
        why="A loss of 2.3 nats says little; “it hesitates among ten characters” says the same and can be imagined.",
        hints=(
            "Perplexity is exp of the mean cross-entropy.",
            "`softmax_cross_entropy` from the course is safe for large logits.",
            "With all logits equal the answer is K.",
        ),
    ),
    Exercise(
        "metrics.temperature_softmax",
        metrics.temperature_softmax,
        _temperature_cases,
        [
            Mistake(
                "multiplied",
                _temperature_times,
                "Your high temperature makes the network surer, not bolder: the logits are divided by it.",
            ),
            Mistake(
                "temperature_ignored",
                _temperature_ignored,
                "Right for a temperature of 1 only: it does not occur in your answer.",
            ),
            Mistake(
                "after_softmax",
                _temperature_after,
                "The temperature belongs to the logits. Divided afterwards, the probabilities no longer sum to 1.",
            ),
            Mistake(
                "softmax_twice",
                _temperature_twice,
                "Softmax is applied to probabilities. It takes logits: scale those, then softmax once.",
            ),
            Mistake(
                "no_max_shift",
                _temperature_no_shift,
                "exp(2000) is infinite. Softmax does not change when a row is shifted: which shift keeps exp in bounds?",
            ),
            Mistake(
                "wrong_axis",
                _temperature_axis,
                "The probabilities of one distribution stand along the last axis; yours sum to 1 along the first.",
            ),
            Mistake(
                "no_axis",
                _temperature_no_axis,
                "All entries together sum to 1. Each distribution, along the last axis, has a sum of its own.",
            ),
        ],
        [_temperature_power, _temperature_logs],
        points=1,
        minutes=4,
        why="One number between a parrot and a babbler.",
        hints=(
            "What becomes of the logits when the temperature is very high?",
            "Divide first, then softmax along the last axis.",
        ),
    ),
    Exercise(
        "metrics.early_stopping",
        metrics.early_stopping,
        _stopping_cases,
        [
            Mistake(
                "compared_with_last",
                _stopping_against_last,
                "You compare each loss with the one before. What counts is the best so far: small ups and downs above it are no progress.",
            ),
            Mistake(
                "equal_is_progress",
                _stopping_counts_equal,
                "A loss that equals the best is no new best: only a lower one starts the waiting anew.",
            ),
            Mistake(
                "one_epoch_late",
                _stopping_late,
                "You wait one epoch longer than the patience. After `patience` epochs without a new best training stops.",
            ),
            Mistake(
                "last_weights_kept",
                _stopping_last,
                "You return the epoch at which training stopped as the best. Worth keeping is the one with the lowest loss.",
            ),
            Mistake("largest_loss", _stopping_largest, "A better epoch has a *lower* loss."),
            Mistake(
                "looks_into_the_future",
                _stopping_never,
                "You look at all losses at once. While training, later epochs are not known: stop when the patience is used up, even if a lower loss would come.",
            ),
            Mistake(
                "waiting_not_reset",
                _stopping_not_reset,
                "Each new best starts the waiting anew; yours adds up bad epochs from before it.",
            ),
            Mistake(
                "counted_from_one",
                _stopping_one_based,
                "Epochs are counted from 0, as the positions in the list.",
                convention=True,
            ),
        ],
        [_stopping_argmin, _stopping_lowest],
        points=2,
        minutes=10,
        why="The cheapest regularization there is: not training on.",
        hints=(
            "Keep the position of the best loss so far.",
            "After each epoch: how many epochs ago was the best?",
            "Return both positions; if the losses run out first, the last one is where training stopped.",
        ),
    ),
    Exercise(
        "training.softmax_regression_epoch",
        training.softmax_regression_epoch,
        _epoch_cases,
        [
            Mistake(
                "ascent", _epoch_with(ascent=True), "The loss grows from batch to batch: the step goes up the slope."
            ),
            Mistake(
                "last_batch_dropped",
                _epoch_with(drops_last=True),
                "Examples at the end are never seen: the last, smaller minibatch is kept.",
            ),
            Mistake(
                "batch_not_averaged",
                _epoch_with(sum=True),
                "The loss of a minibatch is a mean, so its gradient is divided by the number of its examples.",
            ),
            Mistake(
                "divided_by_batch_size",
                _epoch_with(full_size=True),
                "The last minibatch is smaller than `batch_size`: divide by the number of examples that it has.",
            ),
            Mistake(
                "bias_never_updated", _epoch_with(no_bias=True), "The weights learn, the bias stays where it began."
            ),
            Mistake(
                "stale_weights",
                _epoch_with(stale=True),
                "Every minibatch is computed with the weights of the epoch's beginning. Each should see what the one before it left.",
            ),
            Mistake(
                "whole_batch",
                _epoch_with(whole=True),
                "Every step uses all examples. It should see its minibatch alone.",
            ),
            Mistake(
                "loss_after_step",
                _epoch_with(after=True),
                "The loss is taken after the step. It belongs to the weights that the minibatch met.",
            ),
            Mistake(
                "last_loss_only",
                _epoch_with(last_loss=True),
                "You return the loss of the last minibatch. Asked is the mean over all examples of the epoch.",
            ),
            Mistake(
                "mean_of_batch_means",
                _epoch_with(batch_means=True),
                "The mean of the minibatches' means gives the examples of a small last batch too much weight: weigh each by its size.",
            ),
            Mistake(
                "loss_not_averaged",
                _epoch_with(total=True),
                "You return the sum of all examples' losses; asked is their mean.",
            ),
            Mistake(
                "mutates_parameters",
                _epoch_mutates,
                "The caller's W and b are changed. Write `W = W - …`, which makes a new array.",
            ),
        ],
        [_epoch_loop, _epoch_split],
        points=4,
        minutes=20,
        why="Everything of the course in a dozen lines: a layer, a loss, its gradient, and the step.",
        hints=(
            "Walk through the examples in slices of `batch_size`, in the order given.",
            "For each: logits, loss, then dU = (softmax(U) − one-hot) / examples of this minibatch.",
            "dW = Xᵀ dU and db = the sum of dU over the examples, both of this minibatch.",
            "Add up the examples' losses, and divide by N at the end.",
        ),
    ),
]
