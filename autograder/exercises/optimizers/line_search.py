"""A line search: how far to go along a direction that is given."""

import math

import numpy as np

from dlcourse import optimizers

from ...checks.drivers import WrongAnswer, kind
from ...checks.exercise import Case, Exercise, Mistake, slip

# --- solution -------------------------------------------------------------------------------------------------------


def line_search(loss_and_grad, w, p, alpha=1.0, c1=1e-4, c2=0.9, max_iter=30):
    J, g = loss_and_grad(w)
    slope = np.sum(g * p)
    low, high, found = 0.0, math.inf, (0.0, J, g)
    for _ in range(max_iter):
        J_new, g_new = loss_and_grad(w + alpha * p)
        slope_new = np.sum(g_new * p)
        falls = J_new <= J + c1 * alpha * slope
        if not (falls and slope_new <= -c2 * slope):
            high = alpha
        else:
            found = alpha, J_new, g_new
            if slope_new >= c2 * slope:
                break
            low = alpha
        alpha = 0.5 * (low + high) if high < math.inf else 2.0 * low
    return found


# --- cases ----------------------------------------------------------------------------------------------------------


def search_driver(functions, case):
    """Searches along a direction on one of the functions below, which return the loss and its gradient."""
    (search,) = functions
    name, w, p = case.args

    def bowl(w):
        curvature = np.arange(1, w.size + 1).reshape(w.shape)
        return float(np.sum(0.5 * curvature * w**2)), curvature * w

    def wave(w):
        return float(np.sum(w**2 + 3 * np.sin(3 * w))), 2 * w + 9 * np.cos(3 * w)

    def rosenbrock(w):
        x, y = w
        return 100 * (y - x * x) ** 2 + (1 - x) ** 2, np.array(
            [-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x)]
        )

    def barrier(w):
        """Defined between −1 and 1 only; beyond it is not a number."""
        with np.errstate(all="ignore"):
            return float(np.sum(-np.log(1 - w) - np.log(1 + w) - w)), 1 / (1 - w) - 1 / (1 + w) - 1

    def climb(w):
        """Falls at first, then rises like an exponential."""
        return float(np.sum(np.exp(w) - 5 * w)), np.exp(w) - 5

    def wells(w):
        """Two valleys, at −2 and 2, and a flat hill between them."""
        return float(np.sum((w * w - 4) ** 2 / 4)), w * (w * w - 4)

    def cliff(w):
        return float(np.sum((w - 2.5) ** 2)), np.where(w < 2, 2 * (w - 2.5), np.nan)

    known = {
        "wells": wells,
        "cliff": cliff,
        "bowl": bowl,
        "wave": wave,
        "Rosenbrock": rosenbrock,
        "barrier": barrier,
        "climb": climb,
    }
    result = search(known[name], w, p, **case.kwargs)
    if not isinstance(result, tuple | list) or len(result) != 3:
        raise WrongAnswer(f"`line_search` returns `alpha, loss, dw`; yours returned {kind(result)}")
    alpha, loss, dw = result
    yield "", {"alpha": alpha, "loss": loss, "dw": dw}


def cases(rng):
    def at(name, w, p, hidden=False, **options):
        # Losses are sums of products, and the bisection's lengths are exact
        return Case(name, (name.split(",")[0], np.array(w), np.array(p)), options, hidden=hidden, sum_length=1000)

    start = rng.uniform(1.0, 1.2, 3)
    return [
        at("bowl, far too long a first step", start, -64.0 * np.array([1.0, 2.0, 3.0]) * start),
        at("bowl, far too short a first step", start, -0.01 * start),
        at("bowl, the first step is right", start, -0.4 * start),
        at("wave, several valleys", [2.0 + rng.uniform(0.0, 0.01)], [-1.0], alpha=2.75, c2=0.1),
        at("Rosenbrock, from the usual start", [-1.2, 1.0], [215.6, 88.0], c2=0.5),
        at("barrier, beyond it the loss is not a number", [0.0], [3.0], c2=0.01),
        at("climb, strict conditions", [0.0], [1.0], alpha=0.25, c1=0.04, c2=0.05),
        at("climb, c1 decides", [0.0], [1.0], alpha=1.875, c1=0.55),
        at("climb, a short step that is right", [0.0], [1.0], alpha=0.25, c1=0.3, c2=0.95),
        at("bowl, a fall that is too small", [1.0], [-1.0], alpha=1.9999, c2=0.99999),
        at("bowl, a fall that is just enough", [1.0], [-1.0], alpha=1.99, c2=0.999),
        at("climb, from a very short step", [0.0], [1.0], alpha=2.0**-40),
        at("cliff, beyond it the slope is not a number", [1.3], [1.0]),
        at("wells, steeper further on", [0.1], [1.0], c1=0.7, c2=0.8),
        at("bowl, three rounds only", start, -1000.0 * start, max_iter=3),
        at("climb, three rounds from a short step", [0.0], [1.0], alpha=0.01, c2=0.01, max_iter=3),
        at("climb, a matrix", [[0.0, 0.5], [1.0, -0.5]], [[4.0, 3.4], [2.3, 4.4]], alpha=3.0, c2=0.3),
        at("wave, in two dimensions", [1.2, -0.4], [1.0, -0.5], alpha=0.75, c1=0.01, c2=0.2, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

CURVED = "slope_new <= -c2 * slope"
STOP = "            if slope_new >= c2 * slope:\n                break\n"
NEXT = "0.5 * (low + high) if high < math.inf else 2.0 * low"

MISTAKES = [
    Mistake("ascent", slip("w + alpha * p", "w - alpha * p"),
        "p points downhill already. The point is w + αp."),
    Mistake("any_decrease", slip("J + c1 * alpha * slope", "J"),
        "You accept any step that lowers the loss, however little. The fall must be at least a share c₁ of what the "
        "slope promises."),
    Mistake("armijo_only",
        slip(f"{STOP}            low = alpha\n", "            break\n", f"falls and {CURVED}", "falls"),
        "You stop at the first step that falls enough. The slope there must be small, too, or a step may be far too "
        "short."),
    Mistake("weak_curvature", slip(f"falls and {CURVED}", "falls"),
        "A slope that is steep *uphill* is accepted (the weak condition, as some programs have it). Here its size is "
        "bounded on both sides: such a step is too far.", convention=True),
    Mistake("too_short_accepted", slip(STOP, "            break\n"),
        "A point that still goes down steeply is accepted. It is too near: go on, with α as the new lower bound."),
    Mistake("only_halved", slip(NEXT, "0.5 * alpha"),
        "You only ever halve. From a step that is too *short* the search has to go further: twice as far while no "
        "upper bound is known, then to the middle."),
    Mistake("bound_forgotten", slip("            low = alpha\n", "", "2.0 * low", "2.0 * alpha"),
        "Between the largest length that was too near and the smallest that was too far take the middle. Your search "
        "forgets one of the two and comes back to lengths that it has tried.",
        also=[slip(NEXT, "0.5 * alpha if high == alpha else 2.0 * alpha")]),
    Mistake("constants_swapped",
        slip("c1 * alpha", "c2 * alpha", "-c2 * slope", "-c1 * slope", ">= c2 * slope", ">= c1 * slope"),
        "c₁ and c₂ have changed places: the small one belongs to the fall of the loss, the large one to the slope."),
    Mistake("step_missing", slip("c1 * alpha * slope", "c1 * slope"),
        "The promised fall grows with the length of the step: c₁ times α times the slope."),
    Mistake("slope_at_the_new_point", slip("c1 * alpha * slope", "c1 * alpha * slope_new"),
        "The promise is made by the slope where you *start*; you take it where you arrive."),
    Mistake("gradient_for_slope",
        slip("np.sum(g * p)", "-np.sum(g * g)", "np.sum(g_new * p)", "-np.sum(g_new * g_new)"),
        "You take ‖g‖² for the slope. Along p it is gᵀp, which is −‖g‖² only where p is −g."),
    Mistake("slope_in_size", slip("np.sum(g * p)", "abs(np.sum(g * p))"),
        "The slope at the start is negative: p goes downhill. Without its sign the loss is allowed to rise."),
    Mistake("not_a_number_accepted", slip("J_new <= J + c1 * alpha * slope", "not J_new > J + c1 * alpha * slope",
        f"falls and {CURVED}", "falls and not slope_new > -c2 * slope"),
        "Where the loss is not a number every comparison is False, and your test takes that for good. Write it so that "
        "only a comparison that holds lets a step through."),
    Mistake("moves_while_searching", slip("loss_and_grad(w + alpha * p)", "loss_and_grad(w := w + alpha * p)"),
        "w moves in every round, so that the lengths add up. Every trial starts from the same w."),
    Mistake("last_trial_returned", slip("return found", "return alpha, J_new, g_new"),
        "[Right where both conditions are met in time.] Where they are not you return the last trial. Return the last "
        "one that fell enough and was not too far."),
    Mistake("start_values_returned", slip("found = alpha, J_new, g_new", "found = alpha, J, g"),
        "[The length is right.] Loss and gradient are those of the start. Asked are those where the step ends."),
    Mistake("c1_fixed", slip("c1 * alpha", "θ * alpha", values=(1e-4, 0.1)),
        "Your c₁ is the same in every case. It is an argument."),
    Mistake("c2_fixed", slip("-c2 * slope", "-θ * slope", ">= c2 * slope", ">= θ * slope", values=(0.9, 0.1)),
        "Your c₂ is the same in every case. It is an argument."),
    Mistake("first_step_ignored", slip("    J, g = loss_and_grad(w)", "    alpha = 1.0\n    J, g = loss_and_grad(w)"),
        "The search always begins with α = 1. It begins with the `alpha` that is given."),
    Mistake("rounds_ignored", slip("range(max_iter)", "range(30)"),
        "There are 30 rounds in every case. Their number is an argument, `max_iter`."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def labelled(loss_and_grad, w, p, alpha=1.0, c1=1e-4, c2=0.9, max_iter=30):
    """Each trial is too far, too near, or right."""
    J, g = loss_and_grad(w)
    start = float(np.vdot(g, p))

    def trial(length):
        loss, dw = loss_and_grad(w + length * p)
        there = float(np.vdot(dw, p))
        if math.isnan(loss) or loss > J + c1 * length * start or math.isnan(there) or there > c2 * abs(start):
            return "far", None
        return ("near" if there < -c2 * abs(start) else "right"), (length, loss, dw)

    near, far, best = 0.0, None, (0.0, J, g)
    for _ in range(max_iter):
        where, kept = trial(alpha)
        best = kept or best
        if where == "right":
            return best
        if where == "far":
            far = alpha
        else:
            near = alpha
        alpha = 2 * near if far is None else (near + far) / 2
    return best


def recursive(loss_and_grad, w, p, alpha=1.0, c1=1e-4, c2=0.9, max_iter=30):
    J, g = loss_and_grad(w)
    slope = np.dot(np.ravel(g), np.ravel(p))

    def search(length, low, high, found, rounds):
        if rounds == 0:
            return found
        loss, dw = loss_and_grad(w + np.multiply(length, p))
        there = np.dot(np.ravel(dw), np.ravel(p))
        if loss <= J + c1 * length * slope and there <= c2 * -slope:
            found = [length, loss, dw]
            if abs(there) <= c2 * abs(slope):
                return found
            low = length
        else:
            high = length
        return search(2 * low if np.isinf(high) else low + (high - low) / 2, low, high, found, rounds - 1)

    return search(alpha, 0.0, np.inf, [0.0, J, g], max_iter)


EXERCISE = Exercise("optimizers.line_search", optimizers.line_search, cases, MISTAKES, variants=[labelled, recursive],
    solution=line_search, points=3,
    why="It is what spares L-BFGS a learning rate: the step's length is found by trial in each iteration.",
    hints=("The slope along p is a number: gᵀp at the start, negative; g_newᵀp at a trial.",
           "Each round is one of three: too far, too near, or right. Write the test for “too far” as `not (…)`, so "
           "that NaN fails it.",
           "Too far moves `high`, too near moves `low`; the next trial is the middle, or 2·low while `high` is ∞.",
           "Keep the last trial that was not too far, with its loss and gradient."),
    driver=search_driver)  # fmt: skip
