"""What several exercises on graphs have in common: the gates' cases and hints, and graphs whose numbers run in no order."""

import numpy as np

from ...checks.exercise import Case, enlarged

# --- gates ----------------------------------------------------------------------------------------------------------


def _inputs(rng, n):
    """n inputs far from 0, from 1 and from each other, both signs among them."""
    sizes = rng.permutation(np.linspace(1.2, 2.6, n)) + rng.uniform(0.0, 0.05, n)
    return sizes * np.where(np.arange(n) % 2 == 0, 1.0, -1.0)


def gate_cases(rng, zeros=1.0, ties=1.0):
    """What the gates of many inputs share: several inputs, one, zeros, ties, float32; what a gate is about weighs more."""
    return [
        enlarged(Case("five inputs", (_inputs(rng, 5),), dout=-1.5), 0),
        Case("one input", (np.array([-3.0]),), dout=2.5),
        Case("an input of 0", (np.array([2.0, 0.0, -3.0, 5.0]),), dout=0.5, weight=zeros),
        Case("two inputs of 0", (np.array([0.0, 4.0, 0.0]),), dout=3.0, weight=0.5),
        Case("equal inputs", (np.array([-1.0, 3.0, 3.0, 3.0, 2.0]),), dout=-6.0, weight=ties),
        Case("float32", (_inputs(rng, 4).astype(np.float32),), dout=0.25),
        Case("eight inputs", (_inputs(rng, 8),), dout=-0.75, hidden=True),
    ]


def scalar_cases(rng, far=None):
    """What the gates of one input share; 0 and 1 are where x, z and their squares could be taken for each other."""
    cases = [
        Case("x = 0.7", (0.7,), dout=1.0),
        Case("x = −1.6, a negative flow", (-1.6,), dout=-2.5),
        Case("x = 0", (0.0,), dout=3.0),
        enlarged(Case("x = 2.2", (float(rng.uniform(2.1, 2.3)),), dout=0.5)),
        Case("another x", (float(rng.uniform(-2.9, -2.7)),), dout=-0.3, hidden=True),
    ]
    if far is not None:
        cases.insert(4, Case(f"x = {far:g}", (far,), dout=2.0, weight=0.5))
    return cases


FLOW = "This is the gate's local derivative alone. What arrives from above, dz, goes into every flow: the chain rule multiplies."
AT_OUTPUT = (
    "You take the derivative at z, so the gate is applied twice. z = f(x) is all you need: write f′(x) in terms of z."
)

# --- graphs ---------------------------------------------------------------------------------------------------------

# Numbered at random: a walk by number does not find the order
DIAMOND = [(2,), (), (1,), (0, 4), (2, 1)]
# Node 4 is used by 0 (twice), by 5 and by 2; a walk that follows whatever it meets comes to it too early
TANGLE = [(4, 4), (0, 5), (4, 3), (), (6,), (2, 3), (), (1, 0), (6, 3)]


def layered_graph(rng, layers=5, width=3):
    """(parents, result): each node made from two of the layer before and one of the layer before that, numbers shuffled."""
    parents = [() for _ in range(2 * width)]
    for layer in range(2, layers):
        for i in range(width):
            near, far = (layer - 1) * width, (layer - 2) * width
            parents.append((near + i, near + (i + 1) % width, far + int(rng.integers(width))))
    parents.append(tuple(range(len(parents) - width, len(parents))))
    names = rng.permutation(len(parents))
    renamed = [()] * len(parents)
    for node, inputs in enumerate(parents):
        renamed[names[node]] = tuple(int(names[i]) for i in inputs)
    return renamed, int(names[-1])
