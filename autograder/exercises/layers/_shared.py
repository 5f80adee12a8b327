"""What several exercises on layers and losses have in common: cases, hints, and the mistakes with reductions and softmax."""

import numpy as np

from ...checks.exercise import Case, Mistake, by_columns, enlarged, slip

# --- cases ----------------------------------------------------------------------------------------------------------

WHOLE = np.array([[1, -2], [0, 3], [2, 2], [-1, 1]])
FRACTIONS = np.array([[0.5, 0.25], [-0.75, 1.5], [2.5, -0.5], [0.25, 0.75]])


def two_arrays(rng, *shape, dtype=float):
    """Outputs and targets, in either order."""
    return rng.standard_normal(shape).astype(dtype), rng.standard_normal(shape).astype(dtype)


def squared_error_cases(rng):
    return [
        Case("five examples, three outputs", two_arrays(rng, 5, 3)),
        Case("the mean over five examples", two_arrays(rng, 5, 3), {"reduction": "mean"}),
        enlarged(Case("one example", two_arrays(rng, 1, 4)), 0, 1),
        Case("float32", two_arrays(rng, 4, 2, dtype=np.float32), {"reduction": "sum"}),
        Case("one output, shape (N,)", two_arrays(rng, 6)),
        Case("integer predictions", (WHOLE, FRACTIONS)),
        Case("the mean with three axes", two_arrays(rng, 2, 3, 4), {"reduction": "mean"}, hidden=True),
    ]


def mean_squared_cases(rng):
    """The same without a `reduction`."""
    return [
        by_columns(Case("five examples, three outputs", two_arrays(rng, 5, 3))),
        enlarged(Case("one example", two_arrays(rng, 1, 4)), 0, 1),
        Case("float32", two_arrays(rng, 4, 2, dtype=np.float32)),
        Case("one output, shape (N,)", two_arrays(rng, 6)),
        Case("integer predictions", (WHOLE, FRACTIONS)),
        Case("three axes", two_arrays(rng, 2, 3, 4), hidden=True),
    ]


def probability_cases(rng, relative=False):
    """Probabilities and targets of a sigmoid output; certain ones, whose logarithm is infinite, by themselves."""

    def pair(*shape, dtype=float):
        d = rng.integers(0, 2, shape)
        d.flat[:2] = [0, 1]
        return rng.uniform(0.1, 0.9, shape).astype(dtype), d.astype(dtype)

    def certain(p, dtype=float, targets=float):
        """Certain and right, certain and wrong, and something between the two."""
        d = np.array([[p, 1.0], [1 - p, 0.0], [1.0, 1 - p]])
        return np.array([[p, 0.25], [p, 0.75], [0.5, p]], dtype), d.astype(targets)

    # A difference from 1 near ε has the digits of 1
    far = {"relative": relative, "sum_length": 32}
    return [
        by_columns(Case("five examples, three outputs", pair(5, 3))),
        Case("the sum over five examples", pair(5, 3), {"reduction": "sum"}),
        Case("one example", pair(1, 4)),
        Case("float32", pair(4, 2, dtype=np.float32)),
        Case("one output, shape (N,)", pair(6)),
        Case("targets between 0 and 1", (rng.uniform(0.1, 0.9, (3, 3)), rng.uniform(0.1, 0.9, (3, 3)))),
        Case("probabilities of 0", certain(0.0), **far),
        Case("probabilities of 1", certain(1.0), **far),
        Case("probabilities of 0, float32, whole targets", certain(0.0, np.float32, int), **far),
        Case("the sum with seven examples", pair(7, 2), {"reduction": "sum"}, hidden=True),
    ]


def class_probability_cases(rng):
    """Probabilities of K classes and labels."""

    def case(name, N, K, dtype=float, **options):
        p = rng.uniform(0.1, 1.0, (N, K))
        p = (p / p.sum(axis=1, keepdims=True)).astype(dtype)
        return Case(name, (p, _labels(rng, N, K)), **options)

    def impossible(dtype):
        return np.array([[0.0, 0.75, 0.25], [0.5, 0.5, 0.0], [0.25, 0.0, 0.75]], dtype), np.array([0, 1, 1])

    return [
        by_columns(case("five examples, three classes", 5, 3)),
        case("the sum over five examples", 5, 3, kwargs={"reduction": "sum"}),
        case("one example", 1, 4),
        case("float32", 4, 2, np.float32),
        case("as many examples as classes", 4, 4),
        Case("a class of probability 0", impossible(float)),
        Case("a class of probability 0, float32", impossible(np.float32)),
        case("the sum over seven examples", 7, 2, kwargs={"reduction": "sum"}, hidden=True),
    ]


def logit_cases(rng):
    """Logits and targets of a sigmoid output."""

    def pair(*shape, dtype=float):
        d = rng.integers(0, 2, shape)
        d.flat[:2] = [0, 1]
        return rng.standard_normal(shape).astype(dtype), d.astype(dtype)

    saturated = np.array([[1000.0, -1000.0], [-1000.0, 1000.0], [5000.0, -5000.0]])
    wrong = np.array([[0.0, 1.0], [0.0, 0.0], [0.0, 1.0]])
    return [
        Case("five examples, three outputs", pair(5, 3)),
        Case("the sum over five examples", pair(5, 3), {"reduction": "sum"}),
        Case("one example", pair(1, 4)),
        Case("float32", pair(4, 2, dtype=np.float32)),
        Case("one output, shape (N,)", pair(6)),
        Case("targets between 0 and 1", (rng.standard_normal((3, 3)), rng.uniform(0.1, 0.9, (3, 3)))),
        Case("u = ±1000 and beyond", (saturated, wrong)),
        Case("u = ±40", (np.array([[40.0, -40.0], [-40.0, 40.0]]), np.array([[0.0, 1.0], [0.0, 0.0]]))),
        Case("integer logits", (WHOLE, np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 1.0]]))),
        Case("the sum with seven examples", pair(7, 2), {"reduction": "sum"}, hidden=True),
    ]


def _labels(rng, N, K):
    """Labels of which at least two differ, so that no single column is right for all examples."""
    labels = rng.integers(0, K, N)
    labels[:2] = [K - 1, 0][:N]
    return labels


def class_cases(rng, arguments=lambda z, labels: (z, labels)):
    """Logits and labels; `arguments` puts them into the call's order."""
    large = np.array(
        [[1000.0, 0.0, -1000.0], [-1000.0, 990.0, 1000.0], [3.0, 1000.0, 1000.0], [-5000.0, -5001.0, -8000.0]]
    )
    unlikely = np.array([[0.0, -5000.0, -2000.0], [-800.0, 0.0, -1.0]])

    def case(name, N, K, dtype=float, scale=1.0, **options):
        z = (scale * rng.standard_normal((N, K))).astype(dtype)
        return Case(name, arguments(z, _labels(rng, N, K)), **options)

    return [
        case("five examples, three classes", 5, 3),
        case("one example", 1, 4),
        case("float32", 4, 2, np.float32),
        case("as many examples as classes", 4, 4),
        # sum_length: exp(z − log Σ eᶻ) is right, too, and carries the rounding of a number of size 1000
        Case("logits of ±1000, the likely class", arguments(large, np.array([0, 2, 1, 1])), sum_length=1000),
        Case("a class of probability 0", arguments(unlikely, np.array([1, 0])), sum_length=1000),
        Case("integer logits", arguments(WHOLE, np.array([1, 0, 0, 1]))),
        case("seven examples", 7, 2, scale=3.0, hidden=True),
    ]


def entropy_cases(rng):
    """As `class_cases`, with both reductions and with probabilities for labels."""

    def soft(N, K):
        D = rng.uniform(0.1, 1.0, (N, K))
        return rng.standard_normal((N, K)), D / D.sum(axis=1, keepdims=True)

    cases = class_cases(rng)
    z, labels = rng.standard_normal((5, 3)), _labels(rng, 5, 3)
    cases.insert(1, Case("the sum over five examples", (z, labels), {"reduction": "sum"}))
    return [
        *cases,
        Case("probabilities for labels", soft(4, 3)),
        Case("probabilities for labels, the sum", soft(3, 3), {"reduction": "sum"}, hidden=True),
    ]


# --- hints ----------------------------------------------------------------------------------------------------------

UPHILL = "Following this downhill makes the loss grow. If an output is larger than its target, which way should it be pushed, and which sign has the gradient then?"
SUM_ASKED = "The delta rules of the notes belong to a loss *summed* over the batch: nothing is divided by N here."
OUTER = "Look at the case of shape (N,): (N, 1) against (N,) gives (N, N), every target against every output."
INTEGER = "[Right for decimal inputs.] The case with integers fails because your result is kept in an array that took its dtype from the input: what dtype does `zeros_like` or `empty_like` choose then?"
SHIFT = "exp(1000) is infinite, and infinity divided by itself is NaN. Softmax does not change when the same number is taken off all logits of a row: which one keeps exp in bounds?"
WRONG_AXIS = "Your probabilities sum to 1 over the *examples*, down each column. The classes of one example, a row, compete with each other."
NO_KEEPDIMS = "The sum or the largest along an axis loses that axis, and what is left is lined up with the *last* one: an error, or, where the array is square, a wrong answer without a complaint. `keepdims=True` keeps the axis."
NO_AXIS = "Your probabilities sum to 1 over the whole matrix. Each row should sum to 1: `axis` and `keepdims` of the sum decide that."
TWICE = "Softmax (or sigmoid) is applied twice, which flattens the probabilities. The arguments are logits, and one pass through it is enough."
LABEL_ONLY = "Only the label's column moves. Softmax couples the classes: raising one logit lowers all the others' probabilities, so every column has a gradient."
EVERY_ROW = "`a[:, labels]` takes the columns of *all* labels in *every* row. You want one entry from each row, so the rows need an index, too."
SPURIOUS_CLASS = "The factor f(1 − f) does not belong here: the derivative of softmax has already cancelled against that of the logarithm. Work it out once for a single example."
CLIPPED_ELSEWHERE = "You keep p from 0 by another number. Here p is clipped to [ε, 1 − ε], and ε is the precision of its dtype, `np.finfo(p.dtype).eps`."
CLIPPED_BELOW = "[Right while no probability is 1.] Your p is kept away from 0, but 1 − p may be 0, too: where p is 1."
LOG_OF_ZERO = (
    "Where a probability is 0 or 1 you get NaN or an infinity. Clip p to [ε, 1 − ε] before anything else is computed."
)
LOGARITHM_BASE = "Your logarithm has another base; here it is the natural one."
ROUNDED = "Labels may come as probabilities (N, K): every class counts with its share, not only the largest."


# --- mistakes -------------------------------------------------------------------------------------------------------


def outer_product(result, targets):
    """A column of targets against a row of predictions, where both have one axis."""
    column = f"    {targets} = {targets}[:, None] if {targets}.ndim == 1 else {targets}\n"
    return Mistake("outer_product_target", slip(f"    {result} = ", f"{column}    {result} = "), OUTER)


def integer_buffer(answer, like):
    """The answer, stored in an array with the dtype of an input."""
    stored = f"out = np.zeros_like({like})\n    out[...] = {answer}\n    return out"
    return Mistake("integer_buffer", slip(f"return {answer}", stored), INTEGER)


def reduced(result, examples):
    """The line that every loss with a `reduction` returns."""
    return f'{result} / len({examples}) if reduction == "mean" else {result}'


def reduction_mistakes(result, examples):
    answer = reduced(result, examples)
    return [
        Mistake("sum_for_mean", slip(answer, result),
            'Your answer is the sum whatever `reduction` says. For "mean" the sum is divided by N, the number of '
            "examples.", convention=True),
        Mistake("mean_for_sum", slip(answer, f"{result} / len({examples})"),
            'Your answer is divided by N whatever `reduction` says. For "sum" nothing is divided.', convention=True),
        Mistake("mean_over_entries", slip(f"len({examples})", f"{examples}.size"),
            '"mean" here divides by N, the number of examples alone: the outputs of one example are summed, not '
            "averaged.", convention=True),
    ]  # fmt: skip


def softmax_mistakes(z):
    """Wrong probabilities where the solution has softmax(z, axis=1)."""
    softmax = f"softmax({z}, axis=1)"

    def written_out(largest, total):
        shifted = f"{z} - np.max({z}, {largest})"
        return slip(softmax, f"np.exp({shifted}) / np.sum(np.exp({shifted}), {total})")

    kept, lost = "axis=1, keepdims=True", "axis=1"
    return [
        Mistake("no_max_shift", slip(softmax, f"np.exp({z}) / np.sum(np.exp({z}), axis=1, keepdims=True)"), SHIFT),
        Mistake("wrong_axis", slip(softmax, f"softmax({z}, axis=0)"), WRONG_AXIS),
        Mistake("no_axis", slip(softmax, f"np.exp({z} - np.max({z})) / np.sum(np.exp({z} - np.max({z})))"), NO_AXIS),
        Mistake("softmax_twice", slip(softmax, f"softmax({softmax}, axis=1)"), TWICE),
        Mistake("keepdims_missing", written_out(kept, lost), NO_KEEPDIMS,
            also=[written_out(lost, lost), written_out(lost, kept)]),
    ]  # fmt: skip
