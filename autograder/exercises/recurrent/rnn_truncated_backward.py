"""Backpropagation through time that goes back a limited number of steps."""

import numpy as np

from dlcourse import recurrent

from ...checks.drivers import Named, resolve
from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import THROUGH_TIME, sequence

# --- solution ---------------------------------------------------------------------------------------------------------


def rnn_truncated_backward(dH, cache, steps, every=None):
    X, states, Wx, Wh = cache
    every = steps if every is None else every
    dX, dWx, dWh, db = np.zeros_like(X), np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(Wh[0])
    dh0, T = np.zeros_like(states[0]), X.shape[1]
    for begin in range(0, T, every):
        end = min(begin + every, T)
        dh = np.zeros_like(states[0])
        for t in reversed(range(max(end - steps, 0), end)):
            asked = dH[:, t] if t >= begin else 0
            delta = (asked + dh) * (1 - states[t + 1] ** 2)
            dX[:, t] += delta @ Wx.T
            dWx += X[:, t].T @ delta
            dWh += states[t].T @ delta
            db += delta.sum(axis=0)
            dh = delta @ Wh.T
        if t == 0:
            dh0 += dh
    return dX, dh0, dWx, dWh, db


# --- cases ------------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, N, T, D, H, hidden=False, **options):
        X, h, Wx, Wh, b = sequence(rng, N, T, D, H)
        states = [h]
        for t in range(T):
            states.append(np.tanh(X[:, t] @ Wx + states[-1] @ Wh + b))
        return Case(name, (rng.standard_normal((N, T, H)), X, states, Wx, Wh), options, hidden=hidden)

    return [
        case("pieces of three in seven steps", 3, 7, 2, 5, steps=3),
        case("two steps back, after every step", 2, 5, 3, 4, steps=2, every=1),
        case("four steps back, after every second", 2, 8, 2, 3, steps=4, every=2),
        enlarged(case("one sequence", 1, 6, 3, 2, steps=4, every=3), 0),
        case("as many sequences as steps, inputs and units", 3, 3, 3, 3, steps=1),
        case("further back than there are steps", 2, 5, 3, 2, steps=9, every=2),
        case("one step", 2, 1, 3, 4, steps=2),
        case("one input, one unit", 4, 5, 1, 1, steps=3, every=2),
        in_float32(case("", 2, 6, 4, 2, steps=3, every=2)),
        case("a longer sequence", 2, 11, 2, 3, steps=5, every=3, hidden=True),
    ]


def truncated_driver(functions, case):
    """The backward pass on what the course's forward pass keeps."""
    (backward,) = functions
    dH, *kept = case.args
    yield "gradients", backward(dH, resolve(Named("recurrent.RNNCache"))(*kept), **case.kwargs)


# --- mistakes ---------------------------------------------------------------------------------------------------------

WINDOW = "range(max(end - steps, 0), end)"
ASKED = "dH[:, t] if t >= begin else 0"
PASSES = "    for begin in range(0, T, every):\n"
FRESH = "        dh = np.zeros_like(states[0])\n"
SLOPE = "(1 - states[t + 1] ** 2)"

MISTAKES = [
    Mistake("not_truncated", slip(WINDOW, "range(end)"),
        "Every pass goes back to the first step. `steps` says how many steps it may go back at most, the last one "
        "included."),
    Mistake("gradient_handed_over",
        slip(PASSES, f"{FRESH[4:]}{PASSES.replace('range(0, T, every)', 'reversed(range(0, T, every))')}", FRESH, ""),
        "The gradient goes on into the piece before: that is the whole backpropagation through time. Each pass begins "
        "with dh = 0."),
    Mistake("gradient_not_reset", slip(PASSES, f"{FRESH[4:]}{PASSES}", FRESH, ""),
        "A pass begins with the `dh` in which the pass before it ended, which belongs to an earlier step. Each begins "
        "with dh = 0."),
    Mistake("losses_again", slip(ASKED, "dH[:, t]"),
        "A pass also takes up what the loss asks of earlier steps. That went back in their own passes already, so it "
        "counts twice: only the last `every` steps add their `dH[:, t]`."),
    Mistake("last_loss_only", slip(ASKED, "dH[:, t] if t == end - 1 else 0"),
        "A pass takes up only what the loss asks of its last step. All `every` steps since the pass before add their "
        "`dH[:, t]`."),
    Mistake("last_piece_forgotten", slip("range(0, T, every)", "range(0, T - every + 1, every)"),
        "Where `every` does not divide T the last steps have no pass. What is left over gets one, too."),
    Mistake("one_step_too_far", slip("end - steps", "end - steps - 1"),
        "A pass goes back one step too far: with `steps` = 1 only the step itself has a gradient."),
    Mistake("one_step_too_few", slip("end - steps", "end - steps + 1"),
        "A pass ends one step too early: with `steps` = 1 the step itself still has a gradient."),
    Mistake("counted_from_the_piece", slip("end - steps", "begin - steps"),
        "You count the steps back from the beginning of the piece. They are counted from its end, where the pass "
        "begins."),
    Mistake("every_ignored", slip("steps if every is None else every", "steps"),
        "`every` is not used: it says after how many steps the next pass begins."),
    Mistake("pieces_only", slip(WINDOW, "range(begin, end)"),
        "Each pass ends at the beginning of its piece. It may go back `steps` steps, beyond the piece where `steps` is "
        "larger than `every`, or the piece is the shorter last one.", also=[slip("end - steps", "end - every")]),
    Mistake("arguments_swapped",
        slip("dX, dWx, dWh, db = np", "steps, every = every, steps\n    dX, dWx, dWh, db = np"),
        "`steps` and `every` have changed their places: `steps` is how far back, `every` how often."),
    Mistake("weights_overwritten", slip("dWx +=", "dWx =", "dWh +=", "dWh =", "db +=", "db ="),
        "Your weights' gradients are those of one step alone: the others were written over. The same weights work at "
        "every step, so what do their gradients do?"),
    Mistake("passes_overwritten", slip("dX[:, t] +=", "dX[:, t] ="),
        "Where two passes meet the same step, dX holds the second one's share only. The shares add up."),
    Mistake("off_by_one_state", slip("states[t].T", "states[t + 1].T"), THROUGH_TIME["off_by_one_state"]),
    Mistake("upstream_state_dropped", slip("(asked + dh)", "(asked + 0 * dh)"), THROUGH_TIME["upstream_state_dropped"]),
    Mistake("derivative_missing", slip(f" * {SLOPE}", ""),
        "The gradient passes the tanh on its way from h to u. Where is its slope?"),
    Mistake("activation_for_derivative", slip(SLOPE, "states[t + 1]"),
        "Going back through tanh needs its slope at that step. You multiply with its value, the state itself."),
    Mistake("missing_transpose", slip("delta @ Wh.T", "delta @ Wh"),
        "Forward, the state is multiplied with `Wh` from the right. What multiplies δ to give the gradient of that "
        "state?"),
    Mistake("initial_state_of_every_pass", slip("        if t == 0:\n            dh0 += dh\n", "        dh0 += dh\n"),
        "[All right but `dh0`.] Only a pass that reaches the first step says something about `h0`. Others end at a "
        "later state, where they are cut off."),
    Mistake("initial_state_overwritten", slip("dh0 += dh", "dh0 = dh"),
        "[All right but `dh0`.] Several passes may reach the first step. What they say about `h0` adds up."),
    Mistake("initial_state_cut_off", slip("            dh0 += dh\n", "            pass\n"),
        "[All right but `dh0`.] A pass that reaches the first step goes on to `h0`, the state before it."),
    Mistake("mean_over_passes",
        slip("return dX, dh0, dWx, dWh, db",
             "n = -(-T // every)\n    return dX / n, dh0 / n, dWx / n, dWh / n, db / n"),
        "You take the mean over the passes. Their gradients add up, as those of the steps do.", convention=True),
    Mistake("mutates_gradient", slip(f"asked = {ASKED}\n", f"asked = {ASKED}\n            asked += dh\n",
                                     "(asked + dh)", "asked"),
        THROUGH_TIME["mutates_gradient"]),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def loss_by_loss(dH, cache, steps, every=None):
    """Each step's loss goes back alone, as far as the pass that takes it up."""
    X, h, Wx, Wh = cache
    T = X.shape[1]
    every = every or steps
    D = np.zeros(dH.shape)
    for k in range(T):
        end = min((k // every + 1) * every, T)
        d = dH[:, k]
        for t in range(k, max(end - steps, 0) - 1, -1):
            d = d * (1 - h[t + 1]) * (1 + h[t + 1])
            D[:, t] += d
            d = np.einsum("nk,jk->nj", d, Wh)
    return (
        np.einsum("ntk,jk->ntj", D, Wx),
        np.einsum("nk,jk->nj", D[:, 0], Wh),
        np.einsum("ntd,ntk->dk", X, D),
        np.einsum("tnj,ntk->jk", h[:-1], D),
        np.einsum("ntk->k", D),
    )


def by_windows(dH, cache, steps, every=None):
    """What a pass takes up, as a masked copy of dH; then backpropagation through the last steps."""
    total = None
    T, every = dH.shape[1], steps if every is None else every
    for end in [*range(every, T, every), T]:
        begin, first = (end - 1) // every * every, max(0, end - steps)
        window = dH[:, first:end].copy()
        window[:, : begin - first] = 0.0
        one = one_pass(window, cache.X[:, first:end], cache.h[first : end + 1], cache.Wx, cache.Wh)
        dX = np.zeros_like(cache.X)
        dX[:, first:end] = one[0]
        found = [dX, one[1] if first == 0 else np.zeros_like(one[1]), *one[2:]]
        total = found if total is None else [a + b for a, b in zip(total, found, strict=True)]
    return total


def one_pass(dH, X, states, Wx, Wh):
    back, deltas = 0.0, []
    for t in range(len(states) - 2, -1, -1):
        u = (dH[:, t] + back) * (1.0 - np.square(states[t + 1]))
        deltas.insert(0, u)
        back = u @ Wh.T
    U = np.stack(deltas, axis=1)
    H = np.stack(states[:-1], axis=1)
    axes = ((0, 1), (0, 1))
    return U @ Wx.T, back, np.tensordot(X, U, axes), np.tensordot(H, U, axes), U.sum(axis=(0, 1))


EXERCISE = Exercise("recurrent.rnn_truncated_backward", recurrent.rnn_truncated_backward, cases, MISTAKES,
    variants=[loss_by_loss, by_windows], solution=rnn_truncated_backward, points=0,
    why="A book is too long to go back through. Cut, the gradient is another one: know which.",
    hints=("Two loops: over the ends of the pieces, and in each one from the end backwards, `steps` steps or as far as "
           "the sequence goes.",
           "The inner loop is that of your `rnn_backward`. Only steps since the pass before add their `dH[:, t]`; the "
           "ones before them just hand on.",
           "Every pass begins with dh = 0, and all passes add to the same five gradients; `dh0` gets something only "
           "from passes that reach the first step."),
    driver=truncated_driver, parts=("gradients",))  # fmt: skip
