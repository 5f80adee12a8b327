"""A gradient check: a derived gradient against central differences, with a verdict."""

import numpy as np

from dlcourse import gradient_checking
from dlcourse.gradient_checking import GradientReport, numerical_grad

from ...checks.drivers import WrongAnswer, kind
from ...checks.exercise import Case, Exercise, Mistake, slip

# --- solution -------------------------------------------------------------------------------------------------------


def check_grad(f, grad, x, eps=1e-5, tolerance=None):
    tolerance = 1e-6 if tolerance is None else tolerance
    numeric = numerical_grad(f, x, eps)
    analytic = grad(x)
    noise = 100 * np.finfo(float).eps * abs(f(x)) / eps
    sizes = np.maximum(np.abs(analytic) + np.abs(numeric), noise / tolerance)
    errors = np.abs(analytic - numeric) / sizes
    index = np.unravel_index(np.argmax(errors), x.shape)
    error = errors[index]
    return GradientReport(index, x[index], analytic[index], numeric[index], error, tolerance, error <= tolerance)


# --- cases ----------------------------------------------------------------------------------------------------------


def check_driver(functions, case):
    """Checks a gradient with a planted error, or a right one; there only the verdict is settled, the rest is noise."""
    (check,) = functions
    planted, x = case.args
    # Slopes of both signs, and a value below 0
    k = (np.arange(1, x.size + 1) * np.where(np.arange(x.size) % 2, 1.0, -1.0)).reshape(x.shape)

    def f(x):
        return np.sum(k * np.asarray(x) ** 3) - 40.0

    def grad(x):
        g = 3.0 * k * np.asarray(x) ** 2
        place = tuple(n - 1 for n in x.shape)
        if planted == "one entry":
            g[place] *= 1.01
        elif planted == "one sign":
            g[place] *= -1.0
        elif planted == "one small entry":
            g[(0,) * x.ndim] *= 1.5
        elif planted == "two entries":
            g[(0,) * x.ndim] *= 1.5
            g[place] *= 1.1
        elif planted == "all by half":
            g *= 0.5
        elif planted == "a millionth":
            g[place] *= 1.00002
        return g

    before = x.copy()
    report = check(f, grad, x, **case.kwargs)
    if not isinstance(report, tuple) or len(report) != 7:
        raise WrongAnswer(f"`check_grad` returns a GradientReport of seven values; yours returned {kind(report)}")
    index, point, analytic, numeric, error, tolerance, ok = report
    if not isinstance(ok, bool | np.bool_):
        raise WrongAnswer(f"`ok`, the last value of the report, is True or False; yours is {kind(ok)}")
    told = {"ok": "passed" if ok else "failed", "x afterwards": np.array(x - before), "tolerance": float(tolerance)}
    if case.extra["wrong"]:
        if not isinstance(index, tuple | list) or len(index) != x.ndim:
            raise WrongAnswer(
                f"`index`, the first value of the report, has a whole number for each axis of x; yours is {kind(index)}"
            )
        told["index"] = [int(i) for i in index]
        told |= {"point": point, "analytic": analytic, "numeric": numeric, "error": error}
    yield "", told


def cases(rng):
    def case(name, planted, *shape, wrong=True, hidden=False, **options):
        # What is compared has a noise near 1e-10; at equal sizes of all terms no entry's own error comes near another's
        x = rng.uniform(0.8, 1.2, shape) * np.where(np.arange(np.prod(shape)).reshape(shape) % 2, -1.0, 1.0)
        return Case(name, (planted, x), options, extra={"wrong": wrong}, tolerance=1e-6, hidden=hidden)

    tiny = rng.uniform(0.8, 1.2, 4)
    tiny[0] = 1e-2
    flat = rng.uniform(0.8, 1.2, (2, 2))
    flat[0, 1] = 0.0
    return [
        case("a right gradient", "nothing", 5, wrong=False),
        case("one entry 1 % too large", "one entry", 4),
        case("one sign", "one sign", 2, 3),
        Case("one small entry half as large again", ("one small entry", tiny), extra={"wrong": True}, tolerance=1e-4),
        Case("a right gradient, 0 in one entry", ("nothing", flat), extra={"wrong": False}, tolerance=1e-6),
        case("ε = 0.01: right, but for the truncated series", "nothing", 3, eps=1e-2),
        case("a tolerance of one half", "all by half", 4, wrong=False, tolerance=0.5),
        case("off by 2·10⁻⁵", "a millionth", 3, tolerance=1e-7),
        case("off by 2·10⁻⁵, tolerated", "a millionth", 3, wrong=False, tolerance=1e-3),
        case("two wrong entries, the first one more", "two entries", 5),
        case("one entry", "one sign", 1),
        case("three axes", "one sign", 2, 1, 3, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

SIZES = "np.maximum(np.abs(analytic) + np.abs(numeric), noise / tolerance)"
ERRORS = "np.abs(analytic - numeric) / sizes"

MISTAKES = [
    Mistake("absolute_error", slip(ERRORS, "np.abs(analytic - numeric)"),
        "You compare differences without their size: a small entry may be half wrong and pass, and a right one with "
        "large numbers fail. Divide by |a| + |n|."),
    Mistake("signed", slip("np.abs(analytic - numeric)", "(analytic - numeric)"),
        "An analytic value that is too *small* passes: differences below 0 count as none. Take the absolute value."),
    Mistake("sizes_without_signs", slip("np.abs(analytic) + np.abs(numeric)", "np.abs(analytic + numeric)"),
        "|a + n| is small where the two have opposite signs. Take the sizes first, then add."),
    Mistake("divided_by_the_larger", slip("np.abs(analytic) + np.abs(numeric)",
        "np.maximum(np.abs(analytic), np.abs(numeric))"),
        "You divide by the larger of the two sizes, as others do. Here it is their sum, as in `relative_error`.",
        convention=True),
    Mistake("noise_forgotten", slip(SIZES, "np.maximum(np.abs(analytic) + np.abs(numeric), np.finfo(float).tiny)"),
        "Where the gradient is 0 the differences are noise, and noise against 0 is an error of 1: a right gradient "
        "fails. The divisor must not be below noise / tolerance, so that noise alone comes out as the tolerance.",
        also=[slip("noise / tolerance", "noise")]),
    Mistake("mean_for_max", slip("error = errors[index]", "error = np.mean(errors)"),
        "You average the errors. One wrong entry among thousands must not disappear: the largest decides."),
    Mistake("best_entry", slip("np.argmax", "np.argmin"),
        "The report shows the entry where the two agree *best*. It is to show the worst one."),
    Mistake("index_flat", slip("np.unravel_index(np.argmax(errors), x.shape)", "(int(np.argmax(errors)),)",
        "errors[index]", "errors.flat[index[0]]", "x[index]", "x.flat[index[0]]",
        "analytic[index]", "analytic.flat[index[0]]", "numeric[index]", "numeric.flat[index[0]]"),
        "`np.argmax` counts through the whole array. `np.unravel_index(…, x.shape)` makes a place in x of it, with one "
        "number for each axis."),
    Mistake("verdict_turned", slip("error <= tolerance", "error > tolerance"),
        "The verdict is the wrong way round: `ok` is true where the error is at most the tolerance."),
    Mistake("tolerance_ignored", slip("1e-6 if tolerance is None else tolerance", "1e-6"),
        "The tolerance is always 10⁻⁶. Where one is given, take that."),
    Mistake("eps_ignored", slip("numerical_grad(f, x, eps)", "numerical_grad(f, x)"),
        "The step of the differences is always 10⁻⁵. Hand `eps` on."),
    Mistake("one_sided",
        slip("numerical_grad(f, x, eps)",
             "np.array([(f(x + eps * e.reshape(x.shape)) - f(x)) / eps for e in np.eye(x.size)]).reshape(x.shape)"),
        "This is a forward difference, whose own error is larger than the tolerance: right gradients fail. Your "
        "`numerical_grad` from above evaluates on both sides."),
    Mistake("values_swapped", slip("analytic[index], numeric[index]", "numeric[index], analytic[index]"),
        "[The verdict is right.] In the report the analytic value comes before the numeric one."),
    Mistake("mutates_parameters", slip("    analytic = ", "    x -= 0.1 * numeric\n    analytic = "),
        "x is moved before the gradient is taken there, and the caller's array with it. Both gradients belong to one "
        "point."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def loop(f, grad, x, eps=1e-5, tolerance=None):
    if tolerance is None:
        tolerance = 1e-6
    g, worst, floor = grad(x), (), 100 * 2.0**-52 * abs(f(x)) / (eps * tolerance)
    for index in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[index] = eps
        n = (f(x + step) - f(x - step)) / (2 * eps)
        error = abs(g[index] - n) / max(abs(g[index]) + abs(n), floor)
        if not worst or error > worst[4]:
            worst = (index, x[index], g[index], n, error, tolerance, bool(error <= tolerance))
    return worst


EXERCISE = Exercise("gradient_checking.check_grad", gradient_checking.check_grad, cases, MISTAKES, variants=[loop],
    solution=check_grad, points=3,
    why="The tool for every gradient that you will ever derive by hand: it says not only whether, but where.",
    hints=("Your `numerical_grad(f, x, eps)` gives one of the two gradients, `grad(x)` the other.",
           "Errors as in `relative_error`, but keep all of them; the divisor is at least noise / tolerance.",
           "`np.argmax` of the errors counts through the whole array; `np.unravel_index` turns that into a place.",
           "The report's values, in order: index, point, analytic, numeric, error, tolerance, ok."),
    driver=check_driver)  # fmt: skip
