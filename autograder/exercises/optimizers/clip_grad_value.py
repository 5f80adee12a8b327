"""Clipping entry by entry, which bounds every number and turns the direction."""

import numpy as np

from dlcourse import optimizers

from ...checks.exercise import Case, Exercise, Mistake, by_columns, enlarged, slip

# --- solution -------------------------------------------------------------------------------------------------------


def clip_grad_value(grads, limit):
    return [np.clip(g, -limit, limit) for g in grads]


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def mixed(*shape):
        """Numbers on both sides of −1 and of 1, and between them."""
        sizes = np.linspace(0.2, 3.0, int(np.prod(shape))) + rng.uniform(0.0, 0.05, int(np.prod(shape)))
        signs = np.where(np.arange(sizes.size) % 2, -1.0, 1.0)
        return (sizes * signs).reshape(shape)

    beyond = [np.array([2.0, -5.0, 0.5, -0.25]), np.array([[-0.75, 4.0]])]
    return [
        by_columns(Case("three arrays, bound 1", ([mixed(3, 2), mixed(4), mixed(2, 2)], 1.0))),
        Case("another bound, 0.625", ([mixed(5), mixed(1, 3)], 0.625)),
        enlarged(Case("far beyond the bound", ([mixed(2, 3), mixed(3)], 1.5)), 0),
        Case("one array, some entries on the bound", ([np.array([1.0, -1.0, 2.0, -3.0, 0.25])], 1.0)),
        Case("all below: nothing changes", ([mixed(4), mixed(2, 2)], 5.0), weight=0.5),
        Case("float32", ([g.astype(np.float32) for g in beyond], 0.375)),
        Case("large and small", ([1000.0 * mixed(3), 0.001 * mixed(2, 2), mixed(4)], 2.0), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

VALUE = "np.clip(g, -limit, limit)"

MISTAKES = [
    Mistake("one_sided", slip(VALUE, "np.minimum(g, limit)"),
        "Large negative entries go through. The bound holds on both sides, −c and c.",
        also=[slip(VALUE, "np.maximum(g, -limit)")]),
    Mistake("clip_by_norm", slip(VALUE, "g * min(1.0, limit / np.sqrt(sum(np.sum(h**2) for h in grads)))"),
        "You bound the norm, as in the exercise before. Here each entry is bounded by itself.",
        also=[slip(VALUE, "g * min(1.0, limit / np.sqrt(np.sum(g**2)))")]),
    Mistake("scaled_by_largest", slip(VALUE, "g * min(1.0, limit / np.max(np.abs(g)))"),
        "The whole array is shortened until its largest entry fits. Entries below the bound should stay as they are."),
    Mistake("sign_lost", slip(VALUE, "np.where(np.abs(g) > limit, limit, g)"),
        "Negative entries beyond the bound come back positive: uphill becomes downhill. Their bound is −c.",
        also=[slip(VALUE, "np.minimum(np.abs(g), limit)")]),
    Mistake("zeroed_above_bound", slip(VALUE, "np.where(np.abs(g) > limit, 0.0, g)"),
        "Entries that are too large are thrown away. They are to be set to the bound."),
    Mistake("signs_only", slip(VALUE, "limit * np.sign(g)"),
        "Every entry has the size of the bound. Those below it should stay as they are."),
    Mistake("squashed", slip(VALUE, "limit * np.tanh(g / limit)"),
        "A smooth function bends the small entries, too. Between −c and c nothing should change."),
    Mistake("bound_of_one", slip("-limit, limit", "-θ, θ", values=(1.0, 5.0)),
        "Your bound is the same in every case. It is an argument."),
    Mistake("joined", slip("[np.clip(g, -limit, limit) for g in grads]",
        "[np.clip(np.concatenate([g.ravel() for g in grads]), -limit, limit)]"),
        "The arrays have become one. Return a list with as many arrays as came, each in its shape."),
    Mistake("mutates_gradient",
        slip("    return [np.clip(g, -limit, limit) for g in grads]",
             "    for g in grads:\n        np.clip(g, -limit, limit, out=g)\n    return grads"),
        "`out=g` writes into the caller's arrays. Fill a new list with new arrays."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def two_bounds(grads, limit):
    return tuple(np.minimum(np.maximum(g, -limit), limit) for g in grads)


def assigned(grads, limit):
    made = [np.array(g) for g in grads]
    for g in made:
        g[g > limit] = limit
        g[g < -limit] = -limit
    return made


EXERCISE = Exercise("optimizers.clip_grad_value", optimizers.clip_grad_value, cases, MISTAKES,
    variants=[two_bounds, assigned], solution=clip_grad_value, points=1,
    why="The other kind of clipping: simpler, without a norm over all layers, and no longer downhill by the straight "
        "way.",
    hints=("Each entry by itself: at least −c, at most c.",
           "`np.clip` does that to an array; the list has several."))  # fmt: skip
