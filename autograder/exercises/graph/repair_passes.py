"""A repair: two backward passes, written node by node, with planted bugs."""

import numpy as np

from ...checks.exercise import Exercise, Mistake, mended, slip
from .._repairs import LOOK, repair_cases

# --- reference ------------------------------------------------------------------------------------------------------


def one_neuron(x, w, b, d):
    """Loss of a sigmoid neuron on one example, and its gradients; one line is wrong.

    The loss is half the squared error.

    Parameters
    ----------
    x, w : (D,) arrays, the example and the weights. b, d : numbers, the bias and the
        target.

    Returns
    -------
    loss : number. dw, dx : (D,) arrays. db : number.
    """
    u = np.sum(w * x) + b
    y = 1 / (1 + np.exp(-u))
    loss = (y - d) ** 2 / 2
    dy = y - d
    du = dy * y * (1 - y)
    dw = du * x
    dx = du * w
    return loss, dw, dx, du


def two_paths(x, y, z):
    """The result of a small graph, and its gradients; three lines are wrong.

    The graph: q = xy, r = q + z, s = qr, t = tanh s, L = tz.

    Parameters
    ----------
    x, y, z : numbers.

    Returns
    -------
    L, dx, dy, dz : numbers.
    """
    q = x * y
    r = q + z
    s = q * r
    t = np.tanh(s)
    L = t * z
    dt = z
    dz = t
    ds = dt * (1 - t**2)
    dq = ds * r
    dr = ds * q
    dq = dq + dr
    dx = dq * y
    dy = dq * x
    dz = dz + dr
    return L, dx, dy, dz


def places():
    """The numbers of the wrong lines, as they stand behind the lines.

    Returns
    -------
    one, three : a list with the number in `one_neuron`, and a list with the three
        numbers in `two_paths`.
    """
    return [6], [11, 12, 14]


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def neuron(D):
        return rng.uniform(0.5, 1.5, D), rng.uniform(-0.5, 0.5, D), float(rng.uniform(0.1, 0.4)), 1.0

    def large_neuron(D):
        x, w, b, d = neuron(D)
        return x * 1e5, w / 1e5, b, d * 1e5

    def numbers():
        return tuple(float(x) for x in rng.uniform(0.4, 1.1, 3) * rng.choice([-1, 1], 3))

    def large_numbers(q, z):
        """xy = q with a large x: L and the flows to x and y are large beside a small q, the one to z where q is nearly −z."""
        x = float(rng.uniform(5000, 9000))
        return x, q / x, z

    return repair_cases(
        [
            ("three inputs", neuron(3), False),
            ("one input", neuron(1), False),
            ("five inputs", neuron(5), True),
            ("large numbers", large_neuron(3), True),
        ],
        [
            ("three numbers", numbers(), False),
            ("others", numbers(), False),
            ("kept numbers", numbers(), True),
            ("large numbers", large_numbers(1e-4, 5000.0), True),
            ("large flows", large_numbers(-63.99, 64.0), True),
        ],
        {"dx": 1, "dy": 2, "dz": 3},
        {"L": 0},
    )


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("bug_left_in_one_neuron", slip("dw = du * x", "dw = dy * x"),
        f"A line of `one_neuron` is still wrong. {LOOK}"),
    Mistake("bug_seen_in_dx_and_dy", slip("dq = dq + dr", "dq = dr"),
        f"In `two_paths` dx and dy are still wrong, in the same way. {LOOK} Which node lies on the way to both?"),
    Mistake("bug_seen_in_dz", slip("dz = dz + dr", "dz = dr"),
        f"In `two_paths` dz is still wrong. {LOOK} On how many ways does z reach L?"),
    Mistake("bug_seen_in_dx", slip("dx = dq * y", "dx = dq * x"),
        f"In `two_paths` dx is still wrong, and dy is not wrong in the same way. {LOOK}"),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def neuron_in_one_go(x, w, b, d):
    y = 0.5 * (1 + np.tanh(0.5 * (x @ w + b)))
    slope = (y - d) * (y - y * y)
    return 0.5 * (d - y) ** 2, slope * x, slope * w, slope


def paths_by_formula(x, y, z):
    q = x * y
    t = np.tanh(q * (q + z))
    slope = z * (1 - t * t)
    return t * z, slope * (2 * q + z) * y, slope * (2 * q + z) * x, t + slope * q


def backwards():
    return [6], [14, 12, 11]


def neuron_with_lists(x, w, b, d):
    u = b + sum(float(a) * float(c) for a, c in zip(x, w, strict=True))
    y = 1 / (1 + np.exp(-u))
    du = (y - d) * y * (1 - y)
    return (y - d) ** 2 / 2, [du * a for a in x], [du * c for c in w], du


def paths_added_up(x, y, z):
    q, flows = x * y, {}
    r = q + z
    t = np.tanh(q * r)
    ds = z / np.cosh(q * r) ** 2
    flows["q"] = [ds * r, ds * q]
    flows["z"] = [t, ds * q]
    return t * z, sum(flows["q"]) * y, sum(flows["q"]) * x, sum(flows["z"])


EXERCISE = Exercise("graph.repair_passes", (one_neuron, two_paths, places), cases, MISTAKES,
    variants=[(neuron_in_one_go, paths_by_formula, backwards), (neuron_with_lists, paths_added_up, backwards)],
    driver=mended, points=4,
    planted=("bug_left_in_one_neuron", "bug_seen_in_dx_and_dy", "bug_seen_in_dz", "bug_seen_in_dx"),
    why="A wrong gradient raises no error: the network learns, only worse. What finds it is a check by differences.",
    hints=("Write a few lines that move one input at a time and compare; `numerical_grad` of the next topic does that.",
           "A gradient that is right in one place clears everything before it on the way back.",
           "A node that is used twice receives two flows."))  # fmt: skip
