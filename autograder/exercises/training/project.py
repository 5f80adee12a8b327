"""A project: a language model for a language that nobody has read before."""

import numpy as np

from dlcourse.training import softmax_regression_epoch

from ...checks.exercise import Case, Exercise, Mistake, Rng, Scale, numbers, several, slip
from .._projects import cheats

# --- reference ------------------------------------------------------------------------------------------------------


def project(text, K, rng):
    """A language model that sees the last two letters: softmax regression on both.

    For the letters a, b before it the next one has the logits
    ``W[a] + W[K + b] + c``: b the last letter, a the one before.

    Parameters
    ----------
    text : (N,) integers 0…K−1, the letters of an unknown language in their order.
    K : number of letters. rng : numpy.random.Generator, for what you draw.

    Returns
    -------
    W : (2K, K) array. c : (K,) array.
    """
    X = np.concatenate([np.eye(K)[text[:-2]], np.eye(K)[text[1:-1]]], axis=1)
    labels, kept = text[2:], len(text) // 5
    W, c, best = np.zeros((2 * K, K)), np.zeros(K), (np.inf, None, None)
    for _ in range(15):
        order = kept + rng.permutation(len(X) - kept)
        W, c, _ = softmax_regression_epoch(X[order], labels[order], W, c, 0.8, 50)
        # What was kept aside tells when the training text begins to be learnt by heart
        U = X[:kept] @ W + c
        loss = np.mean(np.log(np.sum(np.exp(U), axis=1)) - U[np.arange(kept), labels[:kept]])
        if loss < best[0]:
            best = loss, W, c
    return best[1], best[2]


# --- cases ----------------------------------------------------------------------------------------------------------


def written_text(rng, logits, length):
    """A text of a language, letter by letter: logits[a, b] of the next letter after a and b."""
    K = len(logits)
    edges = np.cumsum(np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True), axis=-1)
    draws, text = rng.random(length), [0, 1]
    for x in draws:
        text.append(min(int(np.searchsorted(edges[text[-2], text[-1]], x)), K - 1))
    return np.array(text[2:])


def cases(rng):
    def case(name, K, N, hidden=False):
        # Both letters count, the last one more
        logits = 1.6 * rng.standard_normal((1, K, K)) + 1.2 * rng.standard_normal((K, 1, K))
        best = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        text, held = written_text(rng, logits, N), written_text(rng, logits, 2000)
        least = -np.mean(best[held[:-2], held[1:-1], held[2:]])
        return Case(name, (text, K, Rng(int(rng.integers(2**31)))), held=(held, least), hidden=hidden)

    return [
        case("8 letters", 8, 1200),
        case("10 letters", 10, 1500),
        case("8 other letters", 8, 1200, hidden=True),
        case("12 letters", 12, 1800, hidden=True),
    ]


def bits_above_the_least(value, case):
    """Bits per letter on other text, above those of the language itself."""
    (text, least), K = case.held, case.args[1]
    W, c = several(value, ("W", "c"))
    W, c = numbers(W, "W", (2 * K, K)), numbers(c, "c", (K,))
    U = W[text[:-2]] + W[K + text[1:-1]] + c
    U = U - U.max(axis=1, keepdims=True)
    nats = np.mean(np.log(np.exp(U).sum(axis=1)) - U[np.arange(len(U)), text[2:]])
    return (nats - least) / np.log(2)


# --- mistakes -------------------------------------------------------------------------------------------------------


def frequencies(text, K, rng):
    """How often each letter is, whatever stands before it."""
    return np.zeros((2 * K, K)), np.log(np.bincount(text, minlength=K) + 1.0)


def no_idea(text, K, rng):
    return np.zeros((2 * K, K)), np.zeros(K)


def on_the_test_part(case):
    return case.held[0], *case.args[1:]


def made_up(text, K, rng):
    return np.arange(len(text)) * 7 % K, K, rng


MISTAKES = [
    Mistake("letters_alone", frequencies,
        "Your model knows how often each letter is, and not what stands before. Two letters tell much more.",
        kind="lazy"),
    Mistake("last_letter_only", slip("np.eye(K)[text[:-2]], ", "0 * np.eye(K)[text[:-2]], "),
        "Only the last letter counts in your model. The one before it tells something, too.", kind="lazy"),
    Mistake("ascent", slip("W, c, 0.8, 50)", "W, c, 0.8, 50)\n        W, c = -W, -c"),
        "The loss grows. Which way is down?"),
    Mistake("order_of_the_letters",
        slip("np.eye(K)[text[:-2]], np.eye(K)[text[1:-1]]",
             "np.eye(K)[text[1:-1]], np.eye(K)[text[:-2]]"),
        "The first half of W belongs to the letter before the last one, the second half to the last: yours are "
        "exchanged."),
    *cheats(project, cases, no_idea, on_the_test_part, made_up),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def whole_batch(text, K, rng):
    """Full batches with momentum, and a little penalty for every weight."""
    a, b, d = text[:-2], text[1:-1], text[2:]
    X = np.zeros((len(d), 2 * K))
    X[np.arange(len(d)), a] = X[np.arange(len(d)), K + b] = 1
    W, c, v, s = np.zeros((2 * K, K)), np.zeros(K), 0.0, 0.0
    for _ in range(80):
        P = np.exp(X @ W + c)
        E = (P / P.sum(axis=1, keepdims=True) - np.eye(K)[d]) / len(d)
        v, s = 0.9 * v - 0.8 * (X.T @ E + 2e-3 * W), 0.9 * s - 0.8 * E.sum(axis=0)
        W, c = W + v, c + s
    return W, c


def with_a_fixed_end(text, K, rng):
    """Ten epochs in the order of the text, no more."""
    X = np.concatenate([np.eye(K)[text[:-2]], np.eye(K)[text[1:-1]]], axis=1)
    W, c = np.zeros((2 * K, K)), np.zeros(K)
    for epoch in range(10):
        for start in range(0, len(X), 40):
            x, d = X[start : start + 40], text[2:][start : start + 40]
            U = x @ W + c
            P = np.exp(U - U.max(axis=1, keepdims=True))
            E = (P / P.sum(axis=1, keepdims=True) - np.eye(K)[d]) / len(x)
            W, c = W - 1.0 / (1 + 0.1 * epoch) * (x.T @ E), c - 0.5 * E.sum(axis=0)
    return W, c


EXERCISE = Exercise("training.project", project, cases, MISTAKES, variants=[whole_batch, with_a_fixed_end], points=6,
    seconds=10.0,
    scales={"": Scale("loss on other text in bits per letter, above that of the language itself", 0.6, 0.2,
                      bits_above_the_least)},
    why="A language model in one layer: what it is worth is counted in bits, on text that it has not read.",
    hints=("The examples: two one-hot letters side by side, 2K numbers; the label is the letter after them.",
           "Then `softmax_regression_epoch` again and again. Shuffle the examples before every epoch.",
           "Keep a fifth of the text aside, and take the weights of the epoch that did best on it."))  # fmt: skip
