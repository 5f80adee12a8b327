"""A project: a cell that samples a signal and holds it."""

import numpy as np

from dlcourse.recurrent import gru_backward, gru_forward

from ...checks.exercise import Case, Exercise, Mistake, Rng, Scale, WrongAnswer, numbers, several, slip
from .._projects import CONSTANT, MEMORISED

# --- reference ------------------------------------------------------------------------------------------------------


def project(X, D, rng):
    """A GRU that samples a signal when it is told to, and holds it until the next time.

    Its prediction is ``gru_forward(X, 0, Wx, Wh, bx, bh)[0] @ V + c``, without
    `reset_after`.

    Parameters
    ----------
    X : (N, T, 2) array, N sequences of T steps: a signal, and a switch that says when;
        which is which, and what the switch means, is for you to see. D : (N, T) array,
        what is to be held at each step. rng : numpy.random.Generator, for what you
        draw.

    Returns
    -------
    Wx : (2, 3H) array. Wh : (H, 3H) array. bx, bh : (3H,) arrays. V : (H,) array.
    c : number. H at most 16.
    """
    # A switch has two values only; the target changes where it samples
    switch = int(np.argmin([len(np.unique(X[..., i])) for i in range(2)]))
    sampled = np.abs(D - X[..., 1 - switch]) < 1e-9
    on = X[..., switch][sampled].mean() > X[..., switch].mean()
    low, high = X[..., switch].min(), X[..., switch].max()
    # z is almost 1 where the switch samples, almost 0 elsewhere; small numbers pass tanh as they are
    Wx, Wh, bx, bh = np.zeros((2, 3)), np.zeros((1, 3)), np.zeros(3), np.zeros(3)
    slope = 20.0 / (high - low) * (1.0 if on else -1.0)
    Wx[switch, 1], bx[1] = slope, -slope * (low + high) / 2
    Wx[1 - switch, 2] = 0.1
    params = [Wx, Wh, bx, bh, np.array([10.0]), 0.0]
    # A few steps of training take off what is left of the curve of tanh
    for _ in range(10):
        H, cache = gru_forward(X, np.zeros((len(X), 1)), *params[:4])
        E = (H @ params[4] + params[5] - D) / D.size
        dV, dc = np.einsum("nt,nth->h", E, H), E.sum()
        _, _, dWx, *_ = gru_backward(E[..., None] * params[4], cache)
        params[4], params[5] = params[4] - 0.5 * dV, params[5] - 0.5 * dc
        params[0] = params[0] - 0.001 * dWx
    return tuple(params)


# --- cases ----------------------------------------------------------------------------------------------------------


def sequences(rng, N, T, switch, sign):
    """(X, D): a signal that wanders, a switch of two values, and what was sampled last."""
    signal = rng.uniform(-1.0, 1.0, (N, T))
    on = rng.random((N, T)) < 0.25
    on[:, 0] = True
    D = signal.copy()
    for t in range(1, T):
        D[:, t] = np.where(on[:, t], signal[:, t], D[:, t - 1])
    levels = np.where(on, sign, -sign).astype(float)
    X = np.stack([levels, signal] if switch == 0 else [signal, levels], axis=-1)
    return X, D


def cases(rng):
    def case(name, switch, sign, hidden=False):
        X, D = sequences(rng, 40, 12, switch, sign)
        held = sequences(rng, 60, 30, switch, sign)
        return Case(name, (X, D, Rng(int(rng.integers(2**31)))), held=held, hidden=hidden)

    return [
        case("the switch behind the signal", 1, 1),
        case("the switch before the signal", 0, 1),
        case("a switch that samples when it is low", 1, -1, hidden=True),
        case("before the signal, and low", 0, -1, hidden=True),
    ]


def error(value, case):
    """Mean squared error on sequences more than twice as long."""
    Wx, Wh, bx, bh, V, c = several(value, ("Wx", "Wh", "bx", "bh", "V", "c"))
    X, D = case.held
    V = numbers(V, "V", (None,))
    H = len(V)
    if not 1 <= H <= 16:
        raise WrongAnswer(f"expected a state of 1 to 16 numbers, got {H}")
    shapes = {"Wx": (2, 3 * H), "Wh": (H, 3 * H), "bx": (3 * H,), "bh": (3 * H,)}
    given = [numbers(x, name, shape) for x, (name, shape) in zip((Wx, Wh, bx, bh), shapes.items(), strict=True)]
    states, _ = gru_forward(X, np.zeros((len(X), H)), *given)
    return np.mean((states @ V + numbers(c, "c", ()) - D) ** 2)


# --- mistakes -------------------------------------------------------------------------------------------------------


def no_memory(X, D, rng):
    """The state follows the signal at once, switch or not."""
    Wx, bx = np.zeros((2, 3)), np.zeros(3)
    signal = int(np.argmax([len(np.unique(X[..., i])) for i in range(2)]))
    Wx[signal, 2], bx[1] = 0.1, 20.0
    slope = np.mean(X[..., signal] * D) / np.mean(X[..., signal] ** 2)
    return Wx, np.zeros((1, 3)), bx, np.zeros(3), np.array([10.0 * slope]), 0.0


def one_arrangement(X, D, rng):
    """The switch is the second input, and samples where it is high: as in the first case."""
    Wx, bx = np.zeros((2, 3)), np.zeros(3)
    Wx[1, 1], Wx[0, 2] = 10.0, 0.1
    return Wx, np.zeros((1, 3)), bx, np.zeros(3), np.array([10.0]), 0.0


def silent(X, D, rng):
    return np.zeros((2, 3)), np.zeros((1, 3)), np.zeros(3), np.zeros(3), np.zeros(1), 0.0


def of_a_random_cell(X, D, rng):
    made = np.random.default_rng(0)
    return tuple(made.standard_normal(shape) for shape in ((2, 12), (4, 12), 12, 12, 4, ()))


MISTAKES = [
    Mistake("no_memory", no_memory,
        "Your prediction follows the signal at every step. The update gate z has to stay near 0 until the switch "
        "says so.",
        kind="lazy"),
    Mistake("one_arrangement", one_arrangement,
        "You take the second input for the switch, and high for its meaning. Other data has it the other way: look "
        "at X and D.",
        kind="lazy"),
    Mistake("gate_half_open", slip("slope = 20.0", "slope = 2.0"),
        "The gate is neither open nor closed, so what is held leaks away, and long sequences show it. Make its "
        "weight larger."),
    Mistake("switch_upside_down", slip("1.0 if on else -1.0", "-1.0 if on else 1.0"),
        "It samples when it should hold. z is the share of the new state."),
    Mistake("constant_answer", silent, CONSTANT, kind="cheat"),
    Mistake("memorised_answer", of_a_random_cell, MEMORISED, kind="cheat"),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def by_correlation(X, D, rng):
    """Two units, one for each sign of the signal; the arrangement is found by trying all four."""
    best = (np.inf, None)
    for switch in (0, 1):
        for sign in (1.0, -1.0):
            Wx, bx = np.zeros((2, 6)), np.zeros(6)
            Wx[switch, 2:4] = 12.0 * sign
            Wx[1 - switch, 4:] = 0.05, -0.05
            held = np.zeros(len(X))
            miss = 0.0
            for t in range(X.shape[1]):
                held = np.where(sign * X[:, t, switch] > 0, X[:, t, 1 - switch], held)
                miss += np.sum((held - D[:, t]) ** 2)
            best = (
                min(best, (miss, switch, sign), key=lambda one: one[0]) if best[1] is not None else (miss, switch, sign)
            )
    _, switch, sign = best
    Wx, bx = np.zeros((2, 6)), np.zeros(6)
    Wx[switch, 2:4], Wx[1 - switch, 4:] = 12.0 * sign, (0.05, -0.05)
    return Wx, np.zeros((2, 6)), bx, np.zeros(6), np.array([10.0, -10.0]), 0.0


def by_least_squares(X, D, rng):
    """The gate by hand, the output by least squares."""
    switch = 0 if np.all(np.isin(X[..., 0], (-1.0, 1.0))) else 1
    equal = X[..., 1 - switch] == D
    sign = np.sign(np.mean(X[..., switch] * (2.0 * equal - 1)))
    Wx, bx = np.zeros((2, 3)), np.zeros(3)
    Wx[switch, 1], Wx[1 - switch, 2] = 14.0 * sign, 0.2
    # What a cell with these weights holds is tanh(0.2 x)
    A = np.tanh(0.2 * D.ravel())
    return Wx, np.zeros((1, 3)), bx, np.zeros(3), np.array([A @ D.ravel() / (A @ A)]), 0.0


EXERCISE = Exercise("recurrent.project", project, cases, MISTAKES, variants=[by_correlation, by_least_squares],
    points=6,
    seconds=10.0,
    scales={"": Scale("mean squared error on sequences of 30 steps that your function has not seen", 0.3, 0.05, error)},
    why="A gate that opens on a word and keeps what it saw: with it a cell remembers for as long as you like.",
    hints=("Look at X and D side by side: which input has two values only, and what has D where it is high or low?",
           "z = 1 takes the new, z = 0 keeps the old. Which weight and bias make z near 1 for the one value and near "
           "0 for the other?",
           "Training finds it, too, and so does setting weights by hand. tanh passes small numbers nearly as they are."))  # fmt: skip
