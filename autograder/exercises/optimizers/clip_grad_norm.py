"""Clipping: one factor shortens all gradients to a bound on their common norm."""

import math

import numpy as np

from dlcourse import optimizers

from ...checks.exercise import Case, Exercise, Mistake, slip

# --- solution -------------------------------------------------------------------------------------------------------


def clip_grad_norm(grads, max_norm):
    norm = np.sqrt(sum(np.sum(g**2) for g in grads))
    scale = max_norm / norm if norm > max_norm else 1.0
    return [scale * g for g in grads], norm


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def of_norm(size, *shapes):
        grads = [rng.standard_normal(shape) for shape in shapes]
        norm = math.sqrt(sum(float(np.sum(g * g)) for g in grads))
        return [g * (size / norm) for g in grads]

    uneven = [np.array([[3.0, 0.0], [0.0, 0.0], [0.0, 0.0]]), np.array([0.0, -4.0])]
    return [
        Case("norm 7 of three arrays, bound 2", (of_norm(7.0, (3, 2), (2,), (4,)), 2.0)),
        Case("norm 0.5, bound 2: below", (of_norm(0.5, (2, 3), (3,)), 2.0)),
        Case("norm 5 of 3 and 4, bound 3.5", (uneven, 3.5)),
        Case("norm 5, bound 5: on it", ([np.array([3.0]), np.array([4.0])], 5.0)),
        Case("one array", (of_norm(10.0, (5,)), 1.0)),
        Case("all zero", ([np.zeros((2, 2)), np.zeros(3)], 1.0)),
        Case("float32", ([g.astype(np.float32) for g in of_norm(6.0, (3,), (2, 2))], 0.5)),
        Case("large and small", ([1000.0 * g for g in of_norm(3.0, (4, 2))] + of_norm(0.1, (2,)), 1.5), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

NORM = "np.sqrt(sum(np.sum(g**2) for g in grads))"

MISTAKES = [
    Mistake("clip_per_parameter", slip("scale * g", "g * max_norm / max(np.sqrt(np.sum(g**2)), max_norm)"),
        "Each array is clipped by its own norm, so some are shortened and others are not: the direction changes. There "
        "is one norm, over all arrays together."),
    Mistake("clip_elementwise", slip("scale * g", "np.clip(g, -max_norm, max_norm)"),
        "Every entry is cut off by itself, which turns the gradient into another direction. Here one factor shortens "
        "all of it."),
    Mistake("clip_always", slip(" if norm > max_norm else 1.0", ""),
        "Short gradients are made longer: you scale even where the norm is below the bound (the notes slip here, E19). "
        "Clipping leaves them alone."),
    Mistake("root_forgotten", slip(NORM, "sum(np.sum(g**2) for g in grads)"),
        "This is the square of the norm: where is the root?"),
    Mistake("sum_of_norms", slip(NORM, "sum(np.sqrt(np.sum(g**2)) for g in grads)"),
        "You add up the norms of the arrays. Add up their squares and take one root: as if all entries were in one "
        "vector."),
    Mistake("largest_entry", slip(NORM, "max(np.max(np.abs(g)) for g in grads)"),
        "The largest entry is not the norm. Asked for is the Euclidean one, the root of the sum of squares."),
    Mistake("sum_of_absolutes", slip(NORM, "sum(np.sum(np.abs(g)) for g in grads)"),
        "You add up absolute values. The Euclidean norm is the root of the sum of squares."),
    Mistake("norm_after_clipping", slip("grads], norm", "grads], min(norm, max_norm)"),
        "[The gradients are right.] The norm that is asked for is the one before clipping: it is what tells you that "
        "something explodes."),
    Mistake("zeroed_above_bound", slip("max_norm / norm", "0.0"),
        "Gradients that are too long are thrown away. They are to be shortened to the bound."),
    Mistake("unit_norm", slip("max_norm / norm", "1.0 / norm"),
        "What is too long gets norm 1. It is to get the norm `max_norm`."),
    Mistake("eps_in_norm",
        slip("max_norm / norm if norm > max_norm else 1.0", "min(1.0, max_norm / (norm + θ))", values=(1e-6, 1e-8)),
        "PyTorch adds 10⁻⁶ to the norm before dividing. Here nothing is added: where the norm is above the bound it is "
        "not 0.", convention=True),
    Mistake("mutates_gradient",
        slip("return [scale * g for g in grads],", "for g in grads:\n        g *= scale\n    return grads,"),
        "`g *= …` writes into the caller's arrays. Fill a new list with new arrays."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def flat(grads, max_norm):
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in grads]))
    if norm <= max_norm:
        return [g.copy() for g in grads], norm
    return tuple(g / norm * max_norm for g in grads), float(norm)


def hypot(grads, max_norm):
    norm = math.hypot(*[float(x) for g in grads for x in g.flat])
    return [np.array(g) * (max_norm / max(norm, max_norm)) for g in grads], norm


EXERCISE = Exercise("optimizers.clip_grad_norm", optimizers.clip_grad_norm, cases, MISTAKES, variants=[flat, hypot],
    solution=clip_grad_norm, points=2,
    why="One exploding gradient can undo hours of training; this line is in every training loop of a recurrent "
        "network.",
    hints=("One number first: the root of the sum of all squares, over all arrays.",
           "One factor for all arrays: 1, or the bound over the norm.",
           "Return a list of new arrays, and the norm as it was before."))  # fmt: skip
