"""Gradients of several passes: they add up until they are cleared."""

import numpy as np

from ...checks.drivers import WrongAnswer, kind
from ...checks.exercise import Case, Exercise, Mistake, enlarged, slip
from .backward import backward, graphs

# --- reference ------------------------------------------------------------------------------------------------------


def zero_grad(grads):
    """Gradients of zero, ready for the next pass.

    Parameters
    ----------
    grads : (nodes,) array, the gradients so far; it stays as it is.

    Returns
    -------
    (nodes,) array.
    """
    return np.zeros_like(grads)


def accumulate(grads, order, parents, local):
    """Gradients of several passes, added up: what calling `backward` again does to the
    gradients that are there already.

    Parameters
    ----------
    grads : (nodes,) array, what earlier passes left; it stays as it is.
    order, parents, local : as in `backward`.

    Returns
    -------
    (nodes,) array: after two passes over one graph, starting from zeros, twice the
    gradient at *every* node.
    """
    return grads + backward(order, parents, local)


# --- cases ----------------------------------------------------------------------------------------------------------


def passes_driver(functions, case):
    """Calls one pass on top of earlier gradients, another on top of that, and one after the gradients were cleared."""
    clear, add = functions
    earlier, order, parents, local = case.args
    first = add(earlier, order, parents, local)
    yield "one pass more", first
    size = (len(parents),)
    if np.shape(first) != size:
        raise WrongAnswer(f"the gradients are an array of shape {size}; yours are {kind(first)}")
    second = add(np.array(first, dtype=float), order, parents, local)
    yield "two passes more", second
    cleared = clear(np.array(second, dtype=float))
    if np.shape(cleared) != size:
        raise WrongAnswer(f"zero_grad returns an array of shape {size}; yours returned {kind(cleared)}")
    yield "after zero_grad", add(np.array(cleared, dtype=float), order, parents, local)


def cases(rng):
    first, *others = (
        Case(name, (rng.uniform(0.5, 1.5, len(parents)), order, parents, local), hidden=hidden, sum_length=256)
        for name, order, parents, local, hidden in graphs(rng)
    )
    return [enlarged(first, 0), *others]


# --- mistakes -------------------------------------------------------------------------------------------------------

SUM = "grads + backward(order, parents, local)"
PASS = """\
    for node in order:
        for parent, slope in zip(parents[node], local[node], strict=True):
            grads[parent] += grads[node] * slope
    return grads"""

MISTAKES = [
    Mistake("stale_grads", slip(f"    return {SUM}", f"    grads = grads.copy()\n    grads[order[0]] += 1.0\n{PASS}"),
        "The new pass sends the old gradients along once more: flows begin where the last pass ended. Let this pass "
        "start from zeros, and add the old gradients at the end."),
    Mistake("stale_grads_below",
        slip(f"    return {SUM}", f"    grads = grads.copy()\n    grads[order[0]] = 1.0\n{PASS}"),
        "The result starts at 1 again, but the nodes below still hold the old gradients and pass them on. Every flow "
        "of a new pass begins at zero."),
    Mistake("earlier_lost", slip("grads + backward", "backward"),
        "The gradients of the earlier passes are gone. Accumulating means: old plus new."),
    Mistake("mutates_gradients", slip(f"return {SUM}", "grads += backward(order, parents, local)\n    return grads"),
        "`grads += …` writes into the caller's array. Make a new one: `grads + …`."),
    Mistake("inputs_only",
        slip(f"return {SUM}",
             "new = backward(order, parents, local)\n    return new + grads * [not inputs for inputs in parents]"),
        "Only the inputs keep their earlier gradients, as in PyTorch, where the nodes in between keep none. Here every "
        "node accumulates.", convention=True),
    Mistake("averaged", slip(SUM, f"0.5 * ({SUM})"),
        "You take the mean of old and new. Passes add up; where a mean is wanted, it is divided afterwards."),
    Mistake("not_zeroed", slip("np.zeros_like(grads)", "grads"),
        "[`accumulate` is right.] `zero_grad` hands the old gradients back, so nothing is cleared."),
    Mistake("one_node_not_zeroed", slip("np.zeros_like(grads)", "np.append(np.zeros_like(grads[:-1]), grads[-1])"),
        "[`accumulate` is right.] `zero_grad` leaves one node as it was. All are cleared, inputs and result too."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def python_zeros(grads):
    return [0.0 for _ in grads]


def python_accumulate(grads, order, parents, local):
    flow = {order[0]: 1.0}
    for node in order:
        for parent, slope in zip(parents[node], local[node], strict=True):
            flow[parent] = flow.get(parent, 0.0) + flow[node] * slope
    return [float(old) + flow.get(node, 0.0) for node, old in enumerate(grads)]


def times_zero(grads):
    return 0.0 * grads


def total_added(grads, order, parents, local):
    total = np.zeros_like(grads)
    total[order[0]] = 1.0
    for node in order:
        for parent, slope in zip(parents[node], local[node], strict=True):
            total[parent] += total[node] * slope
    return grads + total


EXERCISE = Exercise("graph.accumulate", (zero_grad, accumulate), cases, MISTAKES,
    variants=[(python_zeros, python_accumulate), (times_zero, total_added)], points=2,
    why="Forgotten zeroing is the commonest slip in training loops: the network then steps along all gradients it has "
        "ever seen.",
    hints=("`backward` from above gives the gradients of one pass, from zeros. Use it.",
           "What was there before comes in at the end, once.",
           "`np.zeros_like` makes zeros of the same shape."),
    driver=passes_driver, parts=("one pass more", "two passes more", "after zero_grad"))  # fmt: skip
