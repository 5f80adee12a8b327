"""A project: a head of attention that reads a sequence backwards."""

import numpy as np

from dlcourse.attention import self_attention_forward

from ...checks.exercise import Case, Exercise, Mistake, Rng, Scale, WrongAnswer, numbers, several, slip
from .._projects import CONSTANT, MEMORISED

# --- reference ------------------------------------------------------------------------------------------------------


def project(E, P, rng):
    """One head of attention that gives back a sequence from its end to its beginning.

    Position t of a sequence gets the row ``E[token] + P[t]``. Its answer is row t of
    ``self_attention_forward(X, Wq, Wk, Wv)``, which should hold a score for each token:
    the largest at the token that stands at position T − 1 − t.

    Parameters
    ----------
    E : (K, D) array, a row for each token. P : (T, D) array, a row for each position.
    rng : numpy.random.Generator, for what you draw.

    Returns
    -------
    Wq, Wk : (D, d) arrays, d at most 64. Wv : (D, K) array.
    """
    # From a row to its token and to its position, each as one-hot numbers
    T, K = len(P), len(E)
    read = np.linalg.pinv(np.concatenate([E, P]))
    token, position = read[:, :K], read[:, K:]
    X = E[rng.integers(0, K, T)] + P
    Wq, Wk, Wv = position[:, ::-1], position, token
    for sharp in (1.0, 10.0, 100.0):
        # Of sharp weights each answer is nearly one-hot
        Y, _ = self_attention_forward(X, sharp * Wq, Wk, Wv)
        if Y.max(axis=-1).min() > 0.9:
            break
    return sharp * Wq, Wk, Wv


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, K, T, D, hidden=False):
        E, P = rng.standard_normal((K, D)), rng.standard_normal((T, D))
        held = rng.integers(0, K, (40, T))
        return Case(name, (E, P, Rng(int(rng.integers(2**31)))), held=held, hidden=hidden)

    return [
        case("8 positions, 5 tokens", 5, 8, 24),
        case("12 positions, 4 tokens", 4, 12, 30),
        case("10 positions, 6 tokens", 6, 10, 28, hidden=True),
        case("16 positions, 5 tokens", 5, 16, 32, hidden=True),
    ]


def read_backwards(value, case):
    Wq, Wk, Wv = several(value, ("Wq", "Wk", "Wv"))
    (E, P, _), tokens = case.args, case.held
    D, K = E.shape[1], len(E)
    Wq, Wk, Wv = numbers(Wq, "Wq", (D, None)), numbers(Wk, "Wk", (D, None)), numbers(Wv, "Wv", (D, K))
    if Wq.shape != Wk.shape or not 1 <= Wq.shape[1] <= 64:
        raise WrongAnswer(f"expected Wq and Wk of one shape with 1 to 64 columns, got {Wq.shape} and {Wk.shape}")
    Y, _ = self_attention_forward(E[tokens] + P, Wq, Wk, Wv)
    return np.mean(np.argmax(Y, axis=-1) == tokens[:, ::-1])


# --- mistakes -------------------------------------------------------------------------------------------------------


def same_place(E, P, rng):
    """Each position looks at itself."""
    read = np.linalg.pinv(np.concatenate([E, P]))
    return 100.0 * read[:, len(E) :], read[:, len(E) :], read[:, : len(E)]


def nothing_to_see(E, P, rng):
    D = E.shape[1]
    return np.zeros((D, 4)), np.zeros((D, 4)), np.zeros((D, len(E)))


def of_other_embeddings(E, P, rng):
    made = np.random.default_rng(0)
    return tuple(made.standard_normal((E.shape[1], n)) for n in (8, 8, len(E)))


MISTAKES = [
    Mistake("soft_weights", slip("(1.0, 10.0, 100.0)", "(1.0,)"),
        "Each position takes a bit of every other one: the scores are too close together. Look at the attention's "
        "weights, and "
        "make the largest of a row nearly 1.", kind="lazy"),
    Mistake("same_order", same_place,
        "Each position looks at itself, so the sequence comes back as it was. The query of t has to meet the key of "
        "T − 1 − t."),
    Mistake("shifted_by_one",
        slip("position[:, ::-1], position, token",
             "np.roll(position[:, ::-1], 1, axis=1), position, token"),
        "Each position looks beside the right one: t and T − 1 − t add up to T − 1."),
    Mistake("constant_answer", nothing_to_see, CONSTANT, kind="cheat"),
    Mistake("memorised_answer", of_other_embeddings, MEMORISED, kind="cheat"),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def by_rotation(E, P, rng):
    """One matrix turns the position's own part around; the keys are the parts as they are."""
    both = np.concatenate([P, E])
    read = np.linalg.lstsq(both, np.eye(len(both)), rcond=None)[0]
    T = len(P)
    return 60.0 * read[:, :T][:, np.arange(T)[::-1]], read[:, :T], read[:, T:]


def by_regression(E, P, rng):
    """Learnt from rows: least squares from examples to their position and token."""
    K, T = len(E), len(P)
    tokens, places = rng.integers(0, K, 600), rng.integers(0, T, 600)
    X = E[tokens] + P[places]
    G = np.linalg.solve(X.T @ X + 1e-6 * np.eye(X.shape[1]), X.T)
    return 80.0 * G @ np.eye(T)[T - 1 - places], G @ np.eye(T)[places], G @ (np.eye(K)[tokens])


EXERCISE = Exercise("attention.project", project, cases, MISTAKES, variants=[by_rotation, by_regression], points=6,
    seconds=10.0,
    scales={"": Scale("share of the tokens that come back in their places", 0.5, 0.98, read_backwards)},
    why="Attention looks at places. If you can make it look where you want, you know what queries and keys are.",
    hints=("What would you do if X were [one-hot token | one-hot position]? Write down Wq, Wk and Wv for that.",
           "A matrix that takes every row of E and P to its own one-hot numbers: solve for it, E and P are known.",
           "Scores are divided by √d and go through a softmax: make Wq larger until the weights are sharp."))  # fmt: skip
