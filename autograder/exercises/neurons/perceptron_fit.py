"""Rosenblatt's learning rule: example by example, move for a mistake only."""

import numpy as np

from dlcourse import neurons

from ...checks.exercise import Case, Exercise, Mistake, enlarged, slip


def cases(rng):
    centre = np.array([1.5, -1.0])
    y = np.array([1, -1, 1, -1, -1, 1, 1, -1])
    X = y[:, None] * centre + 0.6 * rng.standard_normal((8, 2))
    xor = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([-1, 1, 1, -1])
    start = 0.5 * rng.standard_normal(2)
    # Powers of two for rates and inputs: nothing is rounded, so no tie at u = 0 depends on the order of a sum
    grid = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0], [-1.0, 0.5], [2.0, -1.0]])
    return [
        enlarged(Case("separable, from zero", (X, y, np.zeros(2), 0.0)), 0),
        Case("separable, another rate", (X, y, start, 0.25), {"lr": 0.125}),
        Case("never separable: exclusive or", (*xor, np.zeros(2), 0.0), {"lr": 0.5}),
        Case("an example on the boundary", (grid, np.array([1, -1, -1, -1, 1]), np.zeros(2), 0.0), {"lr": 0.5}),
        Case("nothing to learn", (X, y, 10 * centre, 0.0), {"epochs": 3}, hidden=True),
        Case("two epochs only", (grid, np.array([1, 1, -1, 1, -1]), np.zeros(2), 0.0), {"lr": 0.25, "epochs": 2}),
    ]


MISTAKES = [
    Mistake("fixed_step_update", slip("lr * y[p] * X", "lr * X", "lr * y[p]", "lr"),
        "The step is the same for both classes. A mistake on the negative class must push the line the other way: the "
        "target belongs into the step."),
    Mistake("step_without_input", slip("lr * y[p] * X[p, :]", "lr * y[p]"),
        "Every weight moves by the same amount. Each should move in proportion to its own input."),
    Mistake("updates_on_all", slip("if y[p] * (np.sum(X[p, :] * w) + b) <= 0.0:", "if True:"),
        "Examples that are right move the line, too, so it never comes to rest. When does Rosenblatt's rule move?"),
    Mistake("ascent", slip("w + lr", "w - lr", "b + lr", "b - lr"),
        "The step goes away from the misclassified example (the notes' (4) and (5) have this sign wrong, E22)."),
    Mistake("bias_never_updated", slip("                b = b + lr * y[p]\n", ""),
        "The weights learn, the bias does not: the line only turns about where it started."),
    Mistake("bias_without_rate", slip("b = b + lr * y[p]", "b = b + y[p]"),
        "The bias moves by y. The learning rate belongs into its step as into the weights'."),
    Mistake("boundary_left_out", slip("<= 0.0", "< 0.0"),
        "An example on the line, y·u = 0, is a mistake here. With weights of zero all of them are.", convention=True),
    Mistake("never_stops", slip("        if mistakes[-1] == 0:\n            break\n", ""),
        "Stop after the first epoch without a mistake: nothing changes any more."),
    Mistake("batch_update",
        slip("        mistakes.append(0)\n", "        mistakes.append(0)\n        v, c = w, b\n",
             "* w) + b", "* v) + c"),
        "Your mistakes are found with the weights from the beginning of the epoch. The rule goes example by example: "
        "each sees the weights that the one before it left."),
    Mistake("learning_rate_ignored", slip("lr * ", "", everywhere=True),
        "Your answer does not depend on `lr`, as if it were 1."),
    Mistake("last_zero_missing", slip("return w, b, mistakes", "return w, b, [count for count in mistakes if count]"),
        "[The weights are right.] The list of mistakes has one entry for every epoch, the last one, 0, included."),
]  # fmt: skip


def in_place_on_a_copy(X, y, w, b, lr=1.0, epochs=100):
    w = w.copy()
    mistakes = []
    for _ in range(epochs):
        wrong = 0
        for p in range(len(X)):
            u = float(np.sum(X[p] * w) + b)
            if (u > 0) != (y[p] > 0) or u == 0:
                w += lr * y[p] * X[p]
                b += lr * y[p]
                wrong += 1
        mistakes.append(wrong)
        if not wrong:
            break
    return w, b, mistakes


def augmented(X, y, w, b, lr=1.0, epochs=100):
    Z, v, mistakes = np.column_stack([X, np.ones(len(X))]), np.append(w, b), []
    while len(mistakes) < epochs and 0 not in mistakes:
        mistakes.append(0)
        for z, t in zip(Z, y, strict=True):
            if t * np.dot(z, v) <= 0:
                v = v + lr * t * z
                mistakes[-1] += 1
    return v[:-1], v[-1], mistakes


EXERCISE = Exercise("neurons.perceptron_fit", neurons.perceptron_fit, cases, MISTAKES,
    variants=[in_place_on_a_copy, augmented], points=3,
    why="The first learning algorithm with a proof that it ends.",
    hints=("Two loops: epochs outside, examples in their order inside.",
           "Inside: if y·u ≤ 0, count a mistake and move w and b at once.",
           "After each epoch append its count; leave when it is 0. Never change the caller's w: make a new "
           "array."))  # fmt: skip
