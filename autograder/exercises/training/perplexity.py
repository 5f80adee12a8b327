"""Perplexity: among how many equally likely classes the network hesitates."""

import numpy as np

from dlcourse import metrics

from ...checks.exercise import Case, Exercise, Mistake, in_float32, slip

# --- solution -------------------------------------------------------------------------------------------------------


def perplexity(logits, labels):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    J = -np.mean(log_p[np.arange(len(labels)), labels])
    return np.exp(J)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    U, labels = 2.0 * rng.standard_normal((5, 4)), rng.integers(0, 4, 5)
    return [
        Case("five examples, four classes", (U, labels)),
        Case("one example", (U[:1], labels[:1])),
        Case("knows nothing: all logits equal", (np.full((3, 6), 2.0), np.array([0, 5, 2]))),
        Case(
            "as many examples as classes, very wrong",
            (rng.standard_normal((4, 4)) - 200.0 * np.eye(4)[[3, 0, 0, 2]], np.array([3, 0, 0, 2])),
            # e^J carries the rounding of a J of 200
            sum_length=1000,
        ),
        in_float32(Case("", (U, labels))),
        Case(
            "logits of ±1000, sure and right",
            (np.array([[1000.0, -1000.0], [0.0, 1000.0], [-5000.0, -4000.0]]), np.array([0, 1, 1])),
        ),
        Case("seven examples", (rng.standard_normal((7, 3)), rng.integers(0, 3, 7)), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------


def overflowing_softmax(logits, labels):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return np.exp(-np.mean(np.log(p[np.arange(len(labels)), labels])))


MISTAKES = [
    Mistake("loss_for_perplexity", slip("np.exp(J)", "J"),
        "This is the mean cross-entropy. One function of it is still missing."),
    Mistake("sum_for_mean", slip("np.mean", "np.sum"),
        "The exponent grows with the number of examples. Perplexity is per example: take the mean first."),
    Mistake("mean_of_exponentials", slip("-np.mean(", "-(", "np.exp(J)", "np.mean(np.exp(J))"),
        "Mean and exponential are exchanged: first the mean of the logarithms, then exp, once."),
    Mistake("sign", slip("J = -", "J = "),
        "Yours is below 1, a mean probability. A network that knows nothing of K classes has the perplexity K: look at "
        "the sign."),
    Mistake("base_mixed", slip("np.exp(J)", "θ**J", values=(2.0, 10.0)),
        "The logarithm is natural and the power is of 2. Both must have one base."),
    Mistake("all_classes", slip("log_p[np.arange(len(labels)), labels]", "log_p"),
        "You average the logarithms of all classes. Only the probability of the label counts."),
    Mistake("keepdims_missing", slip(", keepdims=True", "", everywhere=True),
        "The sum or the largest along an axis loses that axis, and what is left is lined up with the *last* one: an "
        "error, or, where the array is square, a wrong answer without a complaint. `keepdims=True` keeps the axis.",
        also=[slip("sum(axis=1, keepdims=True)", "sum(axis=1)"), slip("max(axis=1, keepdims=True)", "max(axis=1)")]),
    Mistake("no_max_shift", slip("logits - logits.max(axis=1, keepdims=True)", "logits"),
        "[Right for small logits.] exp(1000) is infinite: shift each row by its largest logit first.",
        also=[overflowing_softmax]),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def geometric(logits, labels):
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p = (e / e.sum(axis=-1, keepdims=True))[np.arange(len(labels)), labels]
    return 1.0 / np.exp(np.log(p).sum() / len(p))


def loop(logits, labels):
    total = 0.0
    for u, d in zip(logits, labels, strict=True):
        shift = u.max()
        total += shift + np.log(np.sum(np.exp(u - shift))) - u[d]
    return float(np.exp(total / len(labels)))


EXERCISE = Exercise("metrics.perplexity", metrics.perplexity, cases, MISTAKES, variants=[geometric, loop],
    solution=perplexity, points=2,
    why="A loss of 2.3 nats says little; “it hesitates among ten characters” says the same and can be imagined.",
    hints=("Perplexity is exp of the mean cross-entropy.",
           "`softmax_cross_entropy` from the course is safe for large logits.",
           "With all logits equal the answer is K."))  # fmt: skip
