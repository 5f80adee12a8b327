"""Exercises of the initializers topic; random weights are judged by their statistics, whatever numbers were drawn."""

import numpy as np

from dlcourse import initializers
from dlcourse.initializers import fans

from ..checks.drivers import WrongAnswer, kind
from ..checks.exercise import Case, Exercise, Mistake

# --- how random weights are judged ----------------------------------------------------------------------------------

# All cases have n ≥ 60,000 weights. Two independent samples differ in their means by √(2/n) = 0.0058 standard deviations,
# in their standard deviations by at most √(1/n) = 0.0041, in the share within one standard deviation by 0.004 of it: these
# are the standard errors, and 0.05 is more than eight times the largest. Every mistake is off by 0.1 or more.
_TOLERANCE = 0.05


def draw_driver(functions, case):
    """Draws weights, and says whether `rng` decides them: the same generator again, then another one."""
    (initialize,) = functions
    (shape,) = case.args
    seed = case.more["seed"]

    def draw(seed):
        W = initialize(shape, np.random.default_rng(seed), **case.kwargs)
        array = np.asarray(W) if isinstance(W, np.ndarray | list | tuple) else None
        if array is None or array.dtype.kind not in "iuf":
            raise WrongAnswer(f"the function returns an array of the shape {shape}; yours returned {kind(W)}")
        return array

    many = case.more.get("draws")
    if many:
        rng = np.random.default_rng(seed)
        first = np.array([initialize(shape, rng, **case.kwargs) for _ in range(many)])
    else:
        first = draw(seed)
    again, other = draw(seed), draw(seed + 1)
    told = "decided by rng"
    if np.array_equal(again, other):
        told = "the same whatever rng is"
    elif not np.array_equal(again, draw(seed)):
        told = "not decided by rng"
    yield "", (first, told)


def _normal_measure(value, case):
    W, told = value
    flat = W.ravel().astype(float)
    different = len(np.unique(flat[:5000])) / min(5000, flat.size)
    # The statistics of few different numbers are chance
    mean, std = (flat.mean(), flat.std()) if different > 0.5 else (np.nan, np.nan)
    return {
        "shape": list(W.shape),
        "share of different weights": different,
        # One array, so that the mean is measured by the standard deviation
        "mean and standard deviation": np.array([mean, std]),
        "share within one standard deviation": float(np.mean(np.abs(flat - mean) <= std)),
        "random numbers": told,
    }


def _uniform_measure(value, case):
    return _normal_measure(value, case) | {"largest absolute weight": float(np.abs(value[0]).max())}


def _draw_cases(rng, gain=False):
    def case(name, *shape, **options):
        kwargs = {"gain": options.pop("gain")} if "gain" in options else {}
        seed = int(rng.integers(1_000_000))
        return Case(name, (shape,), kwargs, more={"seed": seed}, tolerance=_TOLERANCE, **options)

    cases = [
        case("300 inputs, 200 neurons", 300, 200),
        case("200 inputs, 300 neurons", 200, 300),
        case("filters of 3 by 3", 3, 3, 40, 170),
        case("filters of 5 by 5", 5, 5, 30, 90, hidden=True),
    ]
    if gain:
        cases.insert(2, case("gain 5/3", 250, 400, gain=5.0 / 3.0))
    return cases


# --- gain and fans --------------------------------------------------------------------------------------------------


def _gain_cases(rng):
    return [
        Case("linear", ("linear",), weight=0.5),
        Case("tanh", ("tanh",)),
        Case("ReLU", ("relu",)),
        Case("leaky ReLU, slope 0.2", ("leaky_relu",), {"slope": 0.2}),
        Case("leaky ReLU, the default slope", ("leaky_relu",)),
        Case("leaky ReLU, slope 1", ("leaky_relu", 1.0)),
        Case("leaky ReLU, slope 0", ("leaky_relu", 0.0)),
        Case("ReLU takes no notice of slope", ("relu", 0.5)),
        Case("sigmoid", ("sigmoid",), weight=0.5),
        Case("identity", ("identity",), weight=0.5, hidden=True),
        Case("leaky ReLU, another slope", ("leaky_relu", float(rng.uniform(0.3, 0.6))), hidden=True),
    ]


def _gain_with(leaky=lambda slope: np.sqrt(2.0 / (1.0 + slope**2)), **changed):
    known = {"linear": 1.0, "identity": 1.0, "sigmoid": 1.0, "tanh": 5.0 / 3.0, "relu": np.sqrt(2.0)} | changed

    def calculate_gain(activation, slope=0.01):
        return leaky(slope) if activation == "leaky_relu" else known[activation]

    return calculate_gain


_gain_one_over = _gain_with(lambda slope: np.sqrt(1.0 / (1.0 + slope**2)))
_gain_not_squared = _gain_with(lambda slope: np.sqrt(2.0 / (1.0 + slope)))
_gain_no_root = _gain_with(lambda slope: 2.0 / (1.0 + slope**2), relu=2.0)
_gain_square_outside = _gain_with(lambda slope: np.sqrt(2.0 / (1.0 + slope) ** 2))
_gain_tanh_one = _gain_with(tanh=1.0)
_gain_relu_one = _gain_with(relu=1.0)
_gain_slope_fixed = _gain_with(lambda slope: np.sqrt(2.0 / (1.0 + 0.01**2)))


def _gain_relu_leaks(activation, slope=0.01):
    if activation in ("relu", "leaky_relu"):
        return np.sqrt(2.0 / (1.0 + slope**2))
    return _gain_with()(activation)


def _gain_table(activation, slope=0.01):
    gains = {"linear": 1.0, "identity": 1.0, "sigmoid": 1.0, "tanh": 5.0 / 3.0, "relu": np.sqrt(2.0)}
    gains["leaky_relu"] = np.sqrt(2.0 / (1.0 + slope**2))
    return gains[activation]


def _gain_by_moments(activation, slope=0.01):
    """From the second moment that a symmetric input keeps."""
    if activation in ("relu", "leaky_relu"):
        below = slope if activation == "leaky_relu" else 0.0
        return (0.5 * 1.0 + 0.5 * below * below) ** -0.5
    return 5 / 3 if activation == "tanh" else 1


def _fans_cases(rng):
    return [
        Case("a linear layer", ((784, 10),)),
        Case("filters of 3 by 3", ((3, 3, 16, 32),)),
        Case("filters that are not square", ((2, 5, 4, 3),)),
        Case("one by one", ((1, 1, 8, 6),), weight=0.5),
        Case("one neuron", ((12, 1),), weight=0.5),
        Case("one channel", ((5, 4, 1, 6),), hidden=True),
    ]


def _fans_field_ignored(shape):
    return shape[-2], shape[-1]


def _fans_first_two(shape):
    return shape[0], shape[1]


def _fans_swapped(shape):
    field = int(np.prod(shape[:-2]))
    return field * shape[-1], field * shape[-2]


def _fans_in_only(shape):
    return int(np.prod(shape[:-1])), shape[-1]


def _fans_channels_first(shape):
    field = int(np.prod(shape[2:]))
    return field * shape[1], field * shape[0]


def _fans_everything(shape):
    return int(np.prod(shape)), int(np.prod(shape))


def _fans_field_height(shape):
    field = shape[0] if len(shape) == 4 else 1
    return field * shape[-2], field * shape[-1]


def _fans_field_sum(shape):
    field = sum(shape[:-2]) or 1
    return field * shape[-2], field * shape[-1]


def _fans_plain(shape):
    *field, n_in, n_out = shape
    for size in field:
        n_in, n_out = n_in * size, n_out * size
    return n_in, n_out


def _fans_divided(shape):
    size = int(np.prod(shape))
    return [size // shape[-1], size // shape[-2]]


# --- normal and uniform weights -------------------------------------------------------------------------------------


def _normal_with(deviation, read=fans):
    """Normal weights of another standard deviation(n_in, n_out, gain); `read` finds the fans in the shape."""

    def initialize(shape, rng, gain=1.0):
        n_in, n_out = read(shape)
        return rng.normal(0.0, deviation(n_in, n_out, gain), size=shape)

    return initialize


def _uniform_with(bound, read=fans, low=None):
    """Uniform weights up to another bound(n_in, n_out, gain), from another low(n_in, n_out, gain)."""

    def initialize(shape, rng, gain=1.0):
        n_in, n_out = read(shape)
        below = -bound(n_in, n_out, gain) if low is None else low(n_in, n_out, gain)
        return rng.uniform(below, bound(n_in, n_out, gain), size=shape)

    return initialize


def _zero(n_in, n_out, gain):
    return 0.0


def _constant_with(value):
    def initialize(shape, rng, gain=1.0):
        return np.full(shape, value(*fans(shape), gain))

    return initialize


def _copied_with(deviation):
    """One neuron's weights for all neurons."""

    def initialize(shape, rng, gain=1.0):
        n_in, n_out = fans(shape)
        one = rng.normal(0.0, deviation(n_in, n_out, gain), size=(*shape[:-1], 1))
        return np.broadcast_to(one, shape).copy()

    return initialize


def _seeded_with(deviation):
    def initialize(shape, rng, gain=1.0):
        return np.random.default_rng(0).normal(0.0, deviation(*fans(shape), gain), size=shape)

    return initialize


def _global_with(bound):
    def initialize(shape, rng, gain=1.0):
        a = bound(*fans(shape), gain)
        return np.random.uniform(-a, a, size=shape)  # noqa: NPY002, the mistake itself

    return initialize


# The scales, each once; the mistakes below combine them with what goes wrong
def _fan_in_scale(n_in, n_out, gain):
    return 1.0 / np.sqrt(n_in)


def _fan_out_scale(n_in, n_out, gain):
    return 1.0 / np.sqrt(n_out)


def _xavier_scale(n_in, n_out, gain):
    return gain * np.sqrt(2.0 / (n_in + n_out))


def _xavier_bound(n_in, n_out, gain):
    return gain * np.sqrt(6.0 / (n_in + n_out))


def _he_scale(n_in, n_out, gain):
    return np.sqrt(2.0 / n_in)


def _he_bound(n_in, n_out, gain):
    return np.sqrt(6.0 / n_in)


def _scaled_scale(n_in, n_out, gain):
    return gain / np.sqrt(n_in)


def _uniform_fan_in_plain(shape, rng):
    fan_in, _ = fans(shape)
    bound = 1.0 / np.sqrt(fan_in)
    return rng.uniform(-bound, bound, size=shape)


def _uniform_fan_in_stretched(shape, rng):
    return (2.0 * rng.random(shape) - 1.0) * int(np.prod(shape[:-1])) ** -0.5


def _uniform_fan_in_rows(shape, rng):
    fan_in, _ = fans(shape)
    rows = [rng.uniform(-1, 1, shape[-1]) for _ in range(int(np.prod(shape)) // shape[-1])]
    return np.array(rows).reshape(shape) / np.sqrt(fan_in)


def _xavier_uniform_plain(shape, rng, gain=1.0):
    fan_in, fan_out = fans(shape)
    bound = gain * np.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-bound, bound, size=shape)


def _xavier_uniform_from_deviation(shape, rng, gain=1.0):
    """A uniform distribution up to a has the standard deviation a/√3."""
    std = gain * (2 / sum(fans(shape))) ** 0.5
    return rng.uniform(-1.0, 1.0, shape) * (3**0.5 * std)


def _xavier_normal_plain(shape, rng, gain=1.0):
    fan_in, fan_out = fans(shape)
    return rng.normal(0.0, gain * np.sqrt(2.0 / (fan_in + fan_out)), size=shape)


def _xavier_normal_mean_fan(shape, rng, gain=1.0):
    return gain / np.sqrt(np.mean(fans(shape))) * rng.standard_normal(shape)


def _he_uniform_plain(shape, rng):
    fan_in, _ = fans(shape)
    bound = np.sqrt(6.0 / fan_in)
    return rng.uniform(-bound, bound, size=shape)


def _he_uniform_list(shape, rng):
    bound = (6 / fans(shape)[0]) ** 0.5
    return (bound - 2 * bound * rng.random(shape)).tolist()


def _he_normal_plain(shape, rng):
    fan_in, _ = fans(shape)
    return rng.normal(0.0, np.sqrt(2.0 / fan_in), size=shape)


def _he_normal_box_muller(shape, rng):
    """Normal numbers from uniform ones."""
    u, v = 1.0 - rng.random(shape), rng.random(shape)
    return np.sqrt(-2.0 * np.log(u)) * np.cos(2.0 * np.pi * v) * np.sqrt(2.0 / np.prod(shape[:-1]))


def _he_normal_single(shape, rng):
    return rng.standard_normal(shape, dtype=np.float32) * (2.0 / fans(shape)[0]) ** 0.5


def _scaled_normal_plain(shape, rng, gain=1.0):
    fan_in, _ = fans(shape)
    return rng.normal(0.0, gain / np.sqrt(fan_in), size=shape)


def _scaled_normal_of_variance(shape, rng, gain=1.0):
    variance = gain**2 / fans(shape)[0]
    return variance**0.5 * rng.standard_normal(size=shape)


# --- orthogonal weights ---------------------------------------------------------------------------------------------


def _orthogonal_cases(rng):
    def case(name, *shape, gain=None, **options):
        kwargs = {} if gain is None else {"gain": gain}
        more = {"seed": int(rng.integers(1_000_000))} | options.pop("more", {})
        return Case(name, (shape,), kwargs, more=more, **({"terms": 256} | options))

    return [
        case("more inputs than neurons", 5, 3),
        case("more neurons than inputs", 3, 5),
        case("as many inputs as neurons", 4, 4),
        case("gain 5/3", 6, 4, gain=5.0 / 3.0),
        case("filters of 3 by 2", 3, 2, 4, 5),
        case("filters with more outputs", 1, 2, 2, 7, gain=2.0, hidden=True),
        # The mean of 1500 entries of variance 1/3 has the standard error 0.0149, the difference of two such 0.021: 0.18 is more
        # than eight times that, and signs that are left as QR makes them bring 0.5
        case("1500 of them on average", 3, 3, more={"draws": 1500}, tolerance=0.18, terms=None),
    ]


def _orthogonal_measure(value, case):
    W, told = value
    if case.more.get("draws"):
        # The 1 only sets the scale that the averages are measured by
        average = np.mean(W, axis=0)
        return {"shape": list(average.shape), "average weights, and 1": np.append(average.ravel(), 1.0)}
    (shape,) = case.args
    flat = W.reshape(-1, W.shape[-1])
    high = np.prod(shape[:-1]) >= shape[-1]
    product = {"WᵀW": flat.T @ flat} if high else {"WWᵀ": flat @ flat.T}
    return {"shape": list(W.shape)} | product | {"random numbers": told}


def _orthogonal_with(finish, power=1.0):
    """Q of a QR decomposition, finished another way, times gain to some power."""

    def orthogonal(shape, rng, gain=1.0):
        rows, columns = int(np.prod(shape[:-1])), shape[-1]
        Q = finish(*np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns)))))
        return gain**power * (Q if rows >= columns else Q.T).reshape(shape)

    return orthogonal


def _signs_out(Q, R):
    return Q * np.sign(np.diag(R))


_orthogonal_signs_kept = _orthogonal_with(lambda Q, R: Q)
_orthogonal_no_gain = _orthogonal_with(_signs_out, power=0.0)
_orthogonal_gain_squared = _orthogonal_with(_signs_out, power=2.0)
_orthogonal_plain_numbers = _orthogonal_with(lambda Q, R: Q @ R / np.sqrt(len(Q)))
_orthogonal_normalised = _orthogonal_with(lambda Q, R: Q @ R / np.linalg.norm(Q @ R, axis=0))
_orthogonal_identity = _orthogonal_with(lambda Q, R: np.eye(*Q.shape))


def _orthogonal_never_wide(shape, rng, gain=1.0):
    rows, columns = int(np.prod(shape[:-1])), shape[-1]
    Q, R = np.linalg.qr(rng.standard_normal((rows, columns)))
    return gain * (Q * np.sign(np.diag(R)))


def _orthogonal_first_axis(shape, rng, gain=1.0):
    rows, columns = shape[0], int(np.prod(shape[1:]))
    Q = _signs_out(*np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns)))))
    return gain * (Q if rows >= columns else Q.T).reshape(shape)


def _orthogonal_plain(shape, rng, gain=1.0):
    rows, columns = int(np.prod(shape[:-1])), shape[-1]
    A = rng.standard_normal((max(rows, columns), min(rows, columns)))
    Q, R = np.linalg.qr(A)
    Q = Q * np.sign(np.diag(R))
    return gain * (Q if rows >= columns else Q.T).reshape(shape)


def _orthogonal_polar(shape, rng, gain=1.0):
    """Both factors of the singular value decomposition, with all singular values 1."""
    U, _, V = np.linalg.svd(rng.standard_normal((int(np.prod(shape[:-1])), shape[-1])), full_matrices=False)
    return gain * (U @ V).reshape(shape)


def _orthogonal_gram_schmidt(shape, rng, gain=1.0):
    rows, columns = int(np.prod(shape[:-1])), shape[-1]
    made = []
    for v in rng.standard_normal((min(rows, columns), max(rows, columns))):
        # Twice: the first round leaves a rest where v is nearly a sum of the others
        for q in made * 2:
            v = v - (q @ v) * q
        made.append(v / np.sqrt(v @ v))
    Q = np.array(made)
    return gain * (Q.T if rows >= columns else Q).reshape(shape)


# --- the exercises --------------------------------------------------------------------------------------------------

_FIELD = "Filters have the shape (kh, kw, c_in, c_out), and you read n_in and n_out off the first two axes. `fans(shape)` knows both kinds of shape."
_CONSTANT = "All weights are equal. Neurons that begin equal get equal gradients and stay equal for ever: the numbers must be random."
_VARIANCE = "`rng.normal` takes the standard deviation, and you give it the variance. Which of the two does the formula's letter s stand for?"
_SQRT3 = "√3 too wide: √6 belongs to the bound of a uniform distribution, whose standard deviation is that bound divided by √3. Here the standard deviation itself is asked."
_BRACKETS = "6/n_in + n_out and 6/(n_in + n_out) are two different things: Python divides first."
_UNIFORM = "The scale is right, but the distribution is uniform. It is to be normal."
_NORMAL = "The numbers are normal, with what should be the bound as their standard deviation. A uniform distribution has no weights beyond its bound."
_ROOT = "The square root is missing: the bound is far too small."
_STD_FOR_BOUND = "The weights are √3 too narrow: √(2/…) is the standard deviation. A uniform distribution of that deviation reaches √3 times as far."
_FAN_OUT = "You take n_out, the number of neurons, where n_in is asked: how many numbers does one neuron add up?"
_ASYMMETRIC = "The lower and the upper bound differ in size, so that the weights' mean is not 0 (the notes slip here, E20). The same bound at both ends."

EXERCISES = [
    Exercise(
        "initializers.calculate_gain",
        initializers.calculate_gain,
        _gain_cases,
        [
            Mistake(
                "leaky_without_two",
                _gain_one_over,
                "Slope 0 makes a leaky ReLU a ReLU, whose gain is √2; yours gives 1 (the notes slip here, E02).",
            ),
            Mistake(
                "slope_not_squared",
                _gain_not_squared,
                "The gain keeps the *second* moment, and of negative inputs that is slope² times what it was.",
            ),
            Mistake(
                "square_outside",
                _gain_square_outside,
                "You square the sum 1 + slope. With slope 1 the activation is linear and its gain must be 1.",
            ),
            Mistake(
                "root_forgotten",
                _gain_no_root,
                "These are the squares. A gain multiplies standard deviations, so it is a square root.",
            ),
            Mistake("tanh_without_gain", _gain_tanh_one, "tanh squeezes what passes; its gain is 5/3."),
            Mistake(
                "relu_without_gain", _gain_relu_one, "ReLU drops half of what comes in; its gain makes up for that."
            ),
            Mistake("slope_ignored", _gain_slope_fixed, "The slope is always 0.01. Use the argument."),
            Mistake(
                "relu_takes_slope",
                _gain_relu_leaks,
                "ReLU has no slope for negative inputs: only leaky_relu takes notice of the argument.",
            ),
        ],
        [_gain_table, _gain_by_moments],
        points=1,
        minutes=5,
        why="One number for each activation decides whether twenty layers pass a signal on or swallow it.",
        hints=(
            "A dictionary of name and number does for all but one.",
            "What share of its second moment does a symmetric input keep in a leaky ReLU? The gain squared makes it 1 again.",
        ),
        solution=_gain_table,
    ),
    Exercise(
        "initializers.fans",
        initializers.fans,
        _fans_cases,
        [
            Mistake(
                "field_ignored",
                _fans_field_ignored,
                "Right for a linear layer. A filter's neuron sees kh·kw positions of every input channel: all of them feed it.",
            ),
            Mistake(
                "first_two_axes",
                _fans_first_two,
                "You read the first two axes, which for filters are their height and width.",
            ),
            Mistake("fan_swapped", _fans_swapped, "Inputs and outputs have changed places: fan_in comes first."),
            Mistake(
                "field_on_one_side",
                _fans_in_only,
                "fan_in is right. One input, too, feeds kh·kw positions of every output channel.",
            ),
            Mistake(
                "channels_first",
                _fans_channels_first,
                "You read the shape as (c_out, c_in, kh, kw), PyTorch's order. Here it is (kh, kw, c_in, c_out).",
                convention=True,
            ),
            Mistake("whole_size", _fans_everything, "This is the number of all weights, not of those of one neuron."),
            Mistake("width_ignored", _fans_field_height, "The field is as wide as it is high only where it is square."),
            Mistake("field_added", _fans_field_sum, "A field of 3 by 3 has 9 positions, not 6."),
        ],
        [_fans_plain, _fans_divided],
        points=1,
        minutes=5,
        why="Every initializer below asks how many numbers one neuron adds up.",
        hints=(
            "How many numbers does one neuron of a 3 by 3 filter over 16 channels add up?",
            "The last two entries of the shape are the channels; all before them multiply both.",
        ),
        solution=_fans_plain,
    ),
    Exercise(
        "initializers.uniform_fan_in",
        initializers.uniform_fan_in,
        _draw_cases,
        [
            Mistake("fan_swapped", _uniform_with(_fan_out_scale), _FAN_OUT),
            Mistake(
                "asymmetric_uniform",
                _uniform_with(_fan_out_scale, low=lambda n_in, n_out, gain: -1.0 / np.sqrt(n_in)),
                "The lower and the upper bound differ in size, so that the weights' mean is not 0. The same bound at both ends.",
            ),
            Mistake(
                "only_positive",
                _uniform_with(_fan_in_scale, low=_zero),
                "All weights are positive. The interval begins at minus the bound.",
            ),
            Mistake("root_forgotten", _uniform_with(lambda n_in, n_out, gain: 1.0 / n_in), _ROOT),
            Mistake(
                "bound_times_sqrt3",
                _uniform_with(lambda n_in, n_out, gain: np.sqrt(3.0 / n_in)),
                "√3 too wide: this one keeps the variance. The one that is asked is older, and does not.",
            ),
            Mistake("normal_for_uniform", _normal_with(_fan_in_scale), _NORMAL),
            Mistake("field_ignored", _uniform_with(_fan_in_scale, read=lambda shape: shape[:2]), _FIELD),
            Mistake("constant_weights", _constant_with(_fan_in_scale), _CONSTANT),
            Mistake(
                "global_random",
                _global_with(_fan_in_scale),
                "The weights come from NumPy's global generator: the same `rng` gives other weights each time, and no run can be repeated.",
            ),
        ],
        [_uniform_fan_in_plain, _uniform_fan_in_stretched, _uniform_fan_in_rows],
        points=1,
        minutes=5,
        why="The old standard, which still is the default of many a library, and loses two thirds of the variance in every layer.",
        hints=("`rng.uniform(low, high, size=shape)`.", "The bound is 1/√n_in; `fans(shape)` has n_in."),
        driver=draw_driver,
        measure=_uniform_measure,
        solution=_uniform_fan_in_plain,
    ),
    Exercise(
        "initializers.xavier_uniform",
        initializers.xavier_uniform,
        lambda rng: _draw_cases(rng, gain=True),
        [
            Mistake(
                "missing_brackets",
                _uniform_with(lambda n_in, n_out, gain: gain * np.sqrt(6.0 / n_in + n_out)),
                _BRACKETS,
            ),
            Mistake("std_for_bound", _uniform_with(_xavier_scale), _STD_FOR_BOUND),
            Mistake("root_forgotten", _uniform_with(lambda n_in, n_out, gain: gain * 6.0 / (n_in + n_out)), _ROOT),
            Mistake(
                "asymmetric_uniform",
                _uniform_with(
                    lambda n_in, n_out, gain: gain * np.sqrt(6.0 / n_out),
                    low=lambda n_in, n_out, gain: -gain * np.sqrt(6.0 / n_in),
                ),
                "The lower bound has n_in in it, the upper one n_out, and the weights' mean is not 0. Both bounds have both, added up.",
            ),
            Mistake(
                "only_positive",
                _uniform_with(_xavier_bound, low=_zero),
                "All weights are positive. The interval begins at minus the bound.",
            ),
            Mistake(
                "fan_in_alone",
                _uniform_with(lambda n_in, n_out, gain: gain * np.sqrt(6.0 / n_in)),
                "This is He's bound. Xavier's looks at both directions: n_in + n_out.",
            ),
            Mistake(
                "gain_ignored",
                _uniform_with(lambda n_in, n_out, gain: _xavier_bound(n_in, n_out, 1.0)),
                "The argument `gain` is not used: it multiplies the bound.",
            ),
            Mistake(
                "gain_under_the_root",
                _uniform_with(lambda n_in, n_out, gain: np.sqrt(6.0 * gain / (n_in + n_out))),
                "The gain stands under the root, and so only its root comes out. It multiplies the whole bound.",
            ),
            Mistake("normal_for_uniform", _normal_with(_xavier_bound), _NORMAL),
            Mistake("field_ignored", _uniform_with(_xavier_bound, read=lambda shape: shape[:2]), _FIELD),
            Mistake("constant_weights", _constant_with(_xavier_bound), _CONSTANT),
        ],
        [_xavier_uniform_plain, _xavier_uniform_from_deviation],
        points=1,
        minutes=5,
        why="The compromise between a signal that keeps its size going forward and a gradient that keeps it going back.",
        hints=(
            "Both fans are needed, in brackets.",
            "A uniform distribution on (−a, a) has variance a²/3: that is where the 6 comes from.",
        ),
        driver=draw_driver,
        measure=_uniform_measure,
        solution=_xavier_uniform_plain,
    ),
    Exercise(
        "initializers.xavier_normal",
        initializers.xavier_normal,
        lambda rng: _draw_cases(rng, gain=True),
        [
            Mistake(
                "missing_brackets",
                _normal_with(lambda n_in, n_out, gain: gain * np.sqrt(2.0 / n_in + n_out)),
                "2/n_in + n_out and 2/(n_in + n_out) are two different things: Python divides first.",
            ),
            Mistake(
                "variance_for_std",
                _normal_with(lambda n_in, n_out, gain: gain**2 * 2.0 / (n_in + n_out)),
                "2/(n_in + n_out) is the variance; the notes put it where elsewhere they put the standard deviation (E31). `rng.normal` takes the standard deviation.",
            ),
            Mistake("sqrt3_on_normal", _normal_with(_xavier_bound), _SQRT3),
            Mistake(
                "fan_in_alone",
                _normal_with(lambda n_in, n_out, gain: gain * np.sqrt(2.0 / n_in)),
                "This is He's deviation. Xavier's looks at both directions: n_in + n_out.",
            ),
            Mistake(
                "factor_missing",
                _normal_with(lambda n_in, n_out, gain: gain * np.sqrt(1.0 / (n_in + n_out))),
                "The 2 is missing: it is the *mean* of the two fans that stands below, (n_in + n_out)/2.",
            ),
            Mistake(
                "gain_ignored",
                _normal_with(lambda n_in, n_out, gain: _xavier_scale(n_in, n_out, 1.0)),
                "The argument `gain` is not used: it multiplies the standard deviation.",
            ),
            Mistake(
                "gain_under_the_root",
                _normal_with(lambda n_in, n_out, gain: np.sqrt(2.0 * gain / (n_in + n_out))),
                "The gain stands under the root, and so only its root comes out. It multiplies the standard deviation.",
            ),
            Mistake(
                "uniform_for_normal",
                _uniform_with(_xavier_bound),
                _UNIFORM,
            ),
            Mistake("field_ignored", _normal_with(_xavier_scale, read=lambda shape: shape[:2]), _FIELD),
            Mistake("constant_weights", _constant_with(_xavier_scale), _CONSTANT),
        ],
        [_xavier_normal_plain, _xavier_normal_mean_fan],
        points=1,
        minutes=4,
        why="The same scale with another shape; whoever reads a variance as a deviation loses the signal after two layers.",
        hints=(
            "`rng.normal(0.0, s, size=shape)`, s the standard deviation.",
            "The formula gives s²; what is s?",
        ),
        driver=draw_driver,
        measure=_normal_measure,
        solution=_xavier_normal_plain,
    ),
    Exercise(
        "initializers.he_uniform",
        initializers.he_uniform,
        _draw_cases,
        [
            Mistake("fan_swapped", _uniform_with(lambda n_in, n_out, gain: np.sqrt(6.0 / n_out)), _FAN_OUT),
            Mistake(
                "asymmetric_uniform",
                _uniform_with(
                    lambda n_in, n_out, gain: np.sqrt(6.0 / n_out), low=lambda n_in, n_out, gain: -np.sqrt(6.0 / n_in)
                ),
                _ASYMMETRIC,
            ),
            Mistake("std_for_bound", _uniform_with(_he_scale), _STD_FOR_BOUND),
            Mistake("root_forgotten", _uniform_with(lambda n_in, n_out, gain: 6.0 / n_in), _ROOT),
            Mistake(
                "relu_factor_missing",
                _uniform_with(lambda n_in, n_out, gain: np.sqrt(3.0 / n_in)),
                "The bound is √2 too small: this one is for linear layers. ReLU drops half of the second moment, and a 2 makes up for it.",
            ),
            Mistake(
                "xavier_for_he",
                _uniform_with(_xavier_bound),
                "This is Xavier's bound. He's looks at n_in alone.",
            ),
            Mistake(
                "only_positive",
                _uniform_with(_he_bound, low=_zero),
                "All weights are positive. The interval begins at minus the bound.",
            ),
            Mistake("normal_for_uniform", _normal_with(_he_bound), _NORMAL),
            Mistake("field_ignored", _uniform_with(_he_bound, read=lambda shape: shape[:2]), _FIELD),
            Mistake("constant_weights", _constant_with(_he_bound), _CONSTANT),
        ],
        [_he_uniform_plain, _he_uniform_list],
        points=1,
        minutes=4,
        why="With ReLU half of every signal is lost, and the weights make up for it.",
        hints=("Variance 2/n_in, and a uniform distribution on (−a, a) has a²/3.", "`fans(shape)` has n_in first."),
        driver=draw_driver,
        measure=_uniform_measure,
        solution=_he_uniform_plain,
    ),
    Exercise(
        "initializers.he_normal",
        initializers.he_normal,
        _draw_cases,
        [
            Mistake("fan_swapped", _normal_with(lambda n_in, n_out, gain: np.sqrt(2.0 / n_out)), _FAN_OUT),
            Mistake("variance_for_std", _normal_with(lambda n_in, n_out, gain: 2.0 / n_in), _VARIANCE),
            Mistake("sqrt3_on_normal", _normal_with(_he_bound), _SQRT3),
            Mistake(
                "relu_factor_missing",
                _normal_with(_fan_in_scale),
                "The weights are √2 too small: this deviation is for linear layers. ReLU drops half of the second moment, and a 2 makes up for it.",
            ),
            Mistake(
                "xavier_for_he",
                _normal_with(_xavier_scale),
                "This is Xavier's deviation. He's looks at n_in alone.",
            ),
            Mistake("uniform_for_normal", _uniform_with(_he_bound), _UNIFORM),
            Mistake("field_ignored", _normal_with(_he_scale, read=lambda shape: shape[:2]), _FIELD),
            Mistake(
                "seeded_inside",
                _seeded_with(_he_scale),
                "You make a generator of your own with a fixed seed: every layer of one shape gets the same weights. Draw from the `rng` that is given.",
            ),
            Mistake("constant_weights", _constant_with(_he_scale), _CONSTANT),
            Mistake(
                "one_neuron_for_all",
                _copied_with(_he_scale),
                "Every neuron has the same weights: they get the same gradients and stay the same for ever. Draw all of them.",
            ),
        ],
        [_he_normal_plain, _he_normal_box_muller, _he_normal_single],
        points=1,
        minutes=4,
        why="The initialization that made networks of thirty layers trainable.",
        hints=("√(2/n_in) is the standard deviation.", "`rng.normal(0.0, s, size=shape)`."),
        driver=draw_driver,
        measure=_normal_measure,
        solution=_he_normal_plain,
    ),
    Exercise(
        "initializers.scaled_normal",
        initializers.scaled_normal,
        lambda rng: _draw_cases(rng, gain=True),
        [
            Mistake(
                "gain_over_n",
                _normal_with(lambda n_in, n_out, gain: gain / n_in),
                "The notes' gain/n, taken as the standard deviation (E03), is far too small: five layers of it leave nothing. Under n stands a root.",
            ),
            Mistake(
                "variance_for_std",
                _normal_with(lambda n_in, n_out, gain: gain**2 / n_in),
                "gain²/n_in is the variance. `rng.normal` takes the standard deviation.",
            ),
            Mistake(
                "gain_under_the_root",
                _normal_with(lambda n_in, n_out, gain: np.sqrt(gain / n_in)),
                "The notes' gain/n, taken as the variance (E03). The variance is gain²/n: a gain multiplies the weights themselves.",
            ),
            Mistake("fan_swapped", _normal_with(lambda n_in, n_out, gain: gain / np.sqrt(n_out)), _FAN_OUT),
            Mistake("sqrt3_on_normal", _normal_with(lambda n_in, n_out, gain: gain * np.sqrt(3.0 / n_in)), _SQRT3),
            Mistake(
                "gain_ignored",
                _normal_with(_fan_in_scale),
                "The argument `gain` is not used: it multiplies the standard deviation.",
            ),
            Mistake(
                "relu_factor_added",
                _normal_with(lambda n_in, n_out, gain: gain * np.sqrt(2.0 / n_in)),
                "The weights are √2 too large: a factor for ReLU comes in with `gain`, and only if it is asked.",
            ),
            Mistake(
                "uniform_for_normal",
                _uniform_with(lambda n_in, n_out, gain: gain * np.sqrt(3.0 / n_in)),
                _UNIFORM,
            ),
            Mistake("field_ignored", _normal_with(_scaled_scale, read=lambda shape: shape[:2]), _FIELD),
            Mistake("constant_weights", _constant_with(_scaled_scale), _CONSTANT),
        ],
        [_scaled_normal_plain, _scaled_normal_of_variance],
        points=1,
        minutes=4,
        why="One rule for all activations: what differs between them is the gain.",
        hints=(
            "A sum of n products has n times the variance of one.",
            "Which standard deviation of the weights makes the sum's variance gain² times the input's?",
        ),
        driver=draw_driver,
        measure=_normal_measure,
        solution=_scaled_normal_plain,
    ),
    Exercise(
        "initializers.orthogonal",
        initializers.orthogonal,
        _orthogonal_cases,
        [
            Mistake(
                "signs_kept",
                _orthogonal_signs_kept,
                "Each matrix is orthogonal, but not every rotation is equally likely: the QR routine chooses signs by a rule of its own, and on average the weights are not 0. R's diagonal knows the signs.",
            ),
            Mistake(
                "gain_ignored", _orthogonal_no_gain, "The argument `gain` is not used: it multiplies the whole matrix."
            ),
            Mistake(
                "gain_squared",
                _orthogonal_gain_squared,
                "WᵀW is to be gain² times the identity; yours is gain⁴. The matrix itself is multiplied by gain, once.",
            ),
            Mistake(
                "not_orthogonal",
                _orthogonal_plain_numbers,
                "These are scaled normal numbers: orthogonal on average only. Decompose the matrix, A = QR, and keep Q.",
            ),
            Mistake(
                "normalised_only",
                _orthogonal_normalised,
                "The columns have length 1, but they are not at right angles to each other.",
            ),
            Mistake(
                "constant_weights",
                _orthogonal_identity,
                "The identity is orthogonal, but always the same: nothing random is in it. Begin with a matrix of normal numbers.",
            ),
            Mistake(
                "wide_not_turned",
                _orthogonal_never_wide,
                "Where there are more columns than rows, Q is smaller than the matrix that is asked. Decompose the high matrix and transpose. And give the result the shape that was asked.",
            ),
            Mistake(
                "first_axis_as_rows",
                _orthogonal_first_axis,
                "Filters are filled as a matrix with kh·kw·c_in rows and c_out columns: one column for each neuron. You keep the first axis alone as rows.",
            ),
        ],
        [_orthogonal_plain, _orthogonal_polar, _orthogonal_gram_schmidt],
        points=2,
        minutes=12,
        why="A matrix that keeps every length exactly: signals pass a hundred linear layers unchanged.",
        hints=(
            "`Q, R = np.linalg.qr(A)` of a matrix A of normal numbers; Q has orthonormal columns.",
            "Is the matrix wider than high? Then decompose the other way round and transpose.",
            "Multiply each column of Q by the sign of its entry on R's diagonal.",
        ),
        driver=draw_driver,
        measure=_orthogonal_measure,
        solution=_orthogonal_plain,
    ),
]
