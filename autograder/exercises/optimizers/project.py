"""A project: the lowest point of a long valley, with a budget of gradients."""

import numpy as np

from dlcourse.optimizers import momentum_init, momentum_step

from ...checks.exercise import Case, Exercise, Mistake, Scale, WrongAnswer, numbers, slip, with_questions
from .._projects import CONSTANT, MEMORISED

# --- reference ------------------------------------------------------------------------------------------------------


def project(grad, w, budget):
    """The lowest point that you can reach in a long valley with so many gradients.

    Parameters
    ----------
    grad : called as ``grad(w)``, returns the loss's gradient at w, (D,). One call more
        than `budget` is an error.
    w : (D,) array, where to begin. budget : number of calls.

    Returns
    -------
    w : (D,) array.
    """
    # How steep the steepest direction is: the gradient's change over a small step, from one direction to the next
    g, v, h = grad(w), np.ones(len(w)), 1e-3
    for _ in range(12):
        v = v / np.sqrt(v @ v)
        change = (grad(w + h * v) - g) / h
        steepest, v = np.sqrt(change @ change), change
    state = momentum_init(w)
    for _ in range(budget - 13):
        w, state = momentum_step(w, grad(w), state, lr=1.0 / steepest, momentum=0.85)
    return w


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, D, budget, hidden=False):
        Q, _ = np.linalg.qr(rng.standard_normal((D, D)))
        # Nobody knows how steep it is: a learning rate that suits one valley is far off in another
        slopes = 10.0 ** rng.uniform(-2, 2) * np.geomspace(1.0, 200.0, D)
        A, lowest = (Q * slopes) @ Q.T, 3.0 * rng.standard_normal(D)
        start = lowest + 3.0 * rng.standard_normal(D)
        ask = gradient, A, lowest, budget
        return Case(name, (start, budget), held=(A, lowest), ask=ask, hidden=hidden)

    return [
        case("20 weights, 120 gradients", 20, 120),
        case("30 weights, 140 gradients", 30, 140),
        case("20 other weights, 120 gradients", 20, 120, hidden=True),
        case("40 weights, 140 gradients", 40, 140, hidden=True),
    ]


def gradient(number, A, lowest, budget, w):
    """What `grad` gives. The valley stays with the judge: beside the search it could be read, and the budget reset."""
    if number >= budget:
        raise WrongAnswer(f"your search asks for more than the {budget} gradients that it has")
    return A @ (numbers(w, "w", (len(lowest),)) - lowest)


def depth(value, case):
    """How many powers of ten the loss has fallen."""
    A, lowest = case.held
    first, last = case.args[0] - lowest, numbers(value, "w", (len(lowest),)) - lowest
    return -np.log10(max(last @ A @ last / (first @ A @ first), 1e-30))


# --- mistakes -------------------------------------------------------------------------------------------------------


def plain_descent(grad, w, budget):
    w, lr = w.copy(), None
    for _ in range(budget):
        g = grad(w)
        lr = 0.1 / np.sqrt(g @ g) if lr is None else lr
        w = w - lr * g
    return w


def too_many(grad, w, budget):
    w = w.copy()
    for _ in range(20 * budget):
        w = w - 1e-3 * grad(w)
    return w


def stays(grad, w, budget):
    return np.zeros(len(w))


def of_another_valley(grad, w, budget):
    return np.random.default_rng(0).standard_normal(len(w))


def optimum_read(grad, w, budget):
    """Looks for the valley where a function keeps what it knows."""
    kept = [cell.cell_contents for cell in grad.__closure__ or ()]
    kept += [*(grad.__defaults__ or ()), *vars(grad).values()]
    found = [x for x in kept if isinstance(x, np.ndarray) and x.shape == w.shape]
    return found[-1] if found else np.sort(w)


MISTAKES = [
    Mistake("plain_descent", plain_descent,
        "You go down with one small step size for all directions: across the valley it must be small, and along it "
        "you hardly "
        "move. What keeps its speed along a valley?", kind="lazy"),
    Mistake("no_momentum", slip("momentum=0.85", "momentum=0.0"),
        "The step fits the steepest direction, and along the valley nothing gathers speed.", kind="lazy"),
    Mistake("ascent", slip("grad(w), state", "-grad(w), state"), "You climb. Which way is down?"),
    Mistake("budget_exceeded", too_many,
        "You ask for more gradients than the budget allows. Count them, also those with which you try something out.",
        kind="cheat"),
    Mistake("optimum_read", optimum_read,
        "Your search looks for the lowest point behind `grad`. It is not there: gradients are computed where your code "
        "does not run. Ask `grad`, and go down.",
        kind="cheat"),
    Mistake("constant_answer", stays, CONSTANT, kind="cheat"),
    Mistake("memorised_answer", of_another_valley, MEMORISED, kind="cheat"),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def conjugate(grad, w, budget):
    """Conjugate gradients: the product with the curvature is a difference of gradients."""
    w = w.copy()
    r = -grad(w)
    p = r.copy()
    zero = grad(np.zeros(len(w)))
    for _ in range(min(budget - 2, 60)):
        if r @ r == 0:
            break
        Ap = grad(p) - zero
        a = (r @ r) / (p @ Ap)
        w, old = w + a * p, r
        r = r - a * Ap
        p = r + (r @ r) / (old @ old) * p
    return w


def newton(grad, w, budget):
    """One gradient for each direction tells the whole curvature."""
    zero = grad(np.zeros(len(w)))
    A = np.stack([grad(e) - zero for e in np.eye(len(w))], axis=1)
    return np.linalg.solve(A, -zero)


EXERCISE = Exercise("optimizers.project", project, cases, MISTAKES, variants=[conjugate, newton], driver=with_questions,
    points=6,
    seconds=10.0,
    scales={"": Scale("number of powers of ten by which the loss fell", 3.5, 5.0, depth)},
    why="The race of the lesson, in earnest: unknown steepness, a fixed budget, and only your own optimizers.",
    hints=("Spend a few gradients to find out how steep it is: (grad(w + h v) − grad(w))/h for some direction v.",
           "The step of the steepest direction limits the learning rate: about 1/steepness.",
           "Momentum near 0.8 to 0.9 gathers speed along the valley, where the slope is small and always the same."))  # fmt: skip
