"""The residual block: two convolutions, and a way around them."""

import numpy as np

from dlcourse import convolution
from dlcourse.activations import relu, relu_grad
from dlcourse.convolution import conv2d_backward, conv2d_forward

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import MEAN

# --- solution -------------------------------------------------------------------------------------------------------


def residual_block_forward(X, params):
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    Z, first = conv2d_forward(X, W1, b1, padding=(len(W1) - 1) // 2)
    F, second = conv2d_forward(relu(Z), W2, b2, padding=(len(W2) - 1) // 2)
    S = X + F
    return relu(S), (first, second, Z, S)


def residual_block_backward(dY, cache):
    first, second, Z, S = cache
    delta = dY * relu_grad(S)
    dA, dW2, db2 = conv2d_backward(delta, second)
    dX, dW1, db1 = conv2d_backward(dA * relu_grad(Z), first)
    return delta + dX, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, images, inside, k=3, l=3, hidden=False, zeros=(), X=None):
        """images (N, H, W, C), `inside` channels between the kernels of k × k and l × l."""
        C = images[-1]
        params = {
            "W1": rng.standard_normal((k, k, C, inside)) / np.sqrt(k * k * C / 2),
            "b1": 0.5 * rng.standard_normal(inside),
            "W2": rng.standard_normal((l, l, inside, C)) / np.sqrt(l * l * inside / 2),
            "b2": 0.5 * rng.standard_normal(C),
        }
        params |= {key: np.zeros_like(params[key]) for key in zeros}
        X = rng.standard_normal(images) if X is None else X
        return Case(name, (X, params), dout=rng.standard_normal(images) + 0.5, hidden=hidden)

    on_the_kink = np.array([[[0.0, 1.0], [2.0, 0.0], [-1.0, 3.0]], [[0.0, 0.0], [1.0, -2.0], [0.0, 4.0]]])[None]
    return [
        case("two images of 4 × 3 pixels, two channels", (2, 4, 3, 2), 3),
        enlarged(case("one image", (1, 5, 4, 3), 2), 0),
        case("kernels of 5 × 5, then of one pixel", (2, 3, 4, 2), 3, k=5, l=1),
        case("kernels of one pixel, then of 5 × 5", (2, 4, 3, 3), 2, k=1, l=5),
        case("everything three", (3, 3, 3, 3), 3),
        # With W1, b1 and b2 zero every Z is 0 and the sum is X: both ReLUs stand on their kink
        case("preactivations of exactly 0", (1, 2, 3, 2), 3, X=on_the_kink, zeros=("W1", "b1", "b2")),
        in_float32(case("", (2, 4, 4, 2), 3)),
        case("more channels inside", (2, 3, 5, 2), 5, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

GRADIENTS = '{"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}'
PADDING_1, PADDING_2 = "(len(W1) - 1) // 2", "(len(W2) - 1) // 2"

MISTAKES = [
    Mistake("outer_derivative_missing", slip("dY * relu_grad(S)", "dY"),
        "The last ReLU lets the gradient through only where the sum was positive."),
    Mistake("inner_derivative_missing", slip("dA * relu_grad(Z)", "dA"),
        "The inner ReLU lets the gradient through only where Z was positive."),
    Mistake("relu_before_addition",
        slip("S = X + F\n    return relu(S)", "S = F\n    return X + relu(F)", "return delta + dX", "return dY + dX"),
        "You activate the branch before it is added. The last ReLU stands *behind* the addition: the branch must be "
        "able to take something away from X.",
        also=[slip("X + F", "X + relu(F)",
                   "(first, second, Z, S)", "(first, second, Z, F, S)",
                   "first, second, Z, S = cache", "first, second, Z, F, S = cache",
                   "conv2d_backward(delta, second)", "conv2d_backward(delta * relu_grad(F), second)")]),
    Mistake("padding_hard_coded", slip(PADDING_1, "1", PADDING_2, "1"),
        "A fixed padding keeps the image's size for one kernel only, 1 for 3 × 3. Which one keeps it for k × k? Work "
        "it out for each of the two.", also=[slip(PADDING_1, "0", PADDING_2, "0")]),
    Mistake("one_padding_for_both", slip(PADDING_2, PADDING_1),
        "The two kernels may differ in size: each has its own padding."),
    Mistake("skip_forgotten", slip("X + F", "F", "delta + dX", "dX"),
        "X is not added: these are two convolutions, one after the other."),
    Mistake("skip_subtracted", slip("X + F", "F - X", "delta + dX", "dX - delta"),
        "X is subtracted where it should be added."),
    Mistake("skip_activated",
        slip("X + F", "relu(X) + F",
             "(first, second, Z, S)", "(X, first, second, Z, S)",
             "first, second, Z, S = cache", "X, first, second, Z, S = cache",
             "delta + dX", "delta * relu_grad(X) + dX"),
        "X goes into the sum as it is, negative entries and all."),
    Mistake("skip_from_first_convolution", slip("X + F", "relu(Z) + F"),
        "The skip begins at the block's input X, not behind the first convolution."),
    Mistake("last_relu_missing", slip("return relu(S)", "return S", "dY * relu_grad(S)", "dY"),
        "The ReLU behind the addition is missing."),
    Mistake("inner_relu_missing", slip("relu(Z), W2", "Z, W2", "dA * relu_grad(Z)", "dA"),
        "The ReLU between the convolutions is missing: two linear maps in a row are one."),
    Mistake("input_before_activation",
        slip("S = X + F", f"_, second = conv2d_forward(Z, W2, b2, padding={PADDING_2})\n    S = X + F"),
        "The second convolution got relu(Z). dW2 must be computed with that, not with Z."),
    Mistake("skip_gradient_dropped", slip("delta + dX", "dX"),
        "dX comes through the convolutions alone. X also went straight to the sum: add what comes back that way. It is "
        "the point of the whole block."),
    Mistake("branch_gradient_dropped", slip("delta + dX", "delta"),
        "dX comes along the skip alone. X also went through the convolutions."),
    Mistake("skip_gradient_past_relu", slip("delta + dX", "dY + dX"),
        "What goes back along the skip is dY itself. The skip ends *before* the last ReLU, so that comes first on the "
        "way back."),
    Mistake("paths_multiplied", slip("delta + dX", "delta * dX"),
        "X reaches the sum on two paths: what comes back along them is added."),
    Mistake("relu_one_at_zero", slip("relu_grad(S)", "(S >= 0)", "relu_grad(Z)", "(Z >= 0)"),
        "At exactly 0 the slope of ReLU is taken as 0 (E27); yours is 1 there.", convention=True),
    Mistake("mean_for_sum",
        slip(GRADIENTS, '{"W1": dW1 / len(dY), "b1": db1 / len(dY), "W2": dW2 / len(dY), "b2": db2 / len(dY)}'),
        MEAN),
    Mistake("tuple_for_dict", slip(GRADIENTS, "dW1, db1, dW2, db2"),
        "The parameters came as a dict: their gradients go back as one, `dX, dparams`, with the same keys."),
    Mistake("parameters_swapped", slip(GRADIENTS, '{"W1": dW2, "b1": db2, "W2": dW1, "b2": db1}'),
        "The gradients of the two convolutions have changed places."),
    Mistake("mutates_gradient", slip("delta = dY * relu_grad(S)", "dY *= relu_grad(S)\n    delta = dY"),
        "`dY *= …` writes into the caller's array. Make a new one: `dY * …`."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def masks_forward(X, params):
    """The masks of the two ReLUs from their outputs, the cache a dict."""
    kept = {}
    Z, kept["first"] = conv2d_forward(X, params["W1"], params["b1"], padding=params["W1"].shape[0] // 2)
    kept["A"] = Z * (Z > 0)
    F, kept["second"] = conv2d_forward(kept["A"], params["W2"], params["b2"], padding=params["W2"].shape[0] // 2)
    kept["Y"] = np.where(X + F > 0, X + F, 0.0)
    return kept["Y"], kept


def masks_backward(dY, cache):
    grads = {}
    dX = np.where(cache["Y"] > 0, dY, 0.0)
    dA, grads["W2"], grads["b2"] = conv2d_backward(dX, cache["second"])
    dA[cache["A"] <= 0] = 0.0
    through, grads["W1"], grads["b1"] = conv2d_backward(dA, cache["first"])
    dX += through
    return dX, grads


EXERCISE = Exercise("convolution.residual_block",
    (convolution.residual_block_forward, convolution.residual_block_backward), cases, MISTAKES,
    variants=[(masks_forward, masks_backward)], solution=(residual_block_forward, residual_block_backward), points=4,
    minutes=20,
    why="One addition, and networks of a hundred layers could be trained: the gradient has a way around every block.",
    hints=("Forward: your `conv2d_forward` twice, with relu between; then X + F, then relu. Keep both caches, Z and "
           "the sum.",
           "Backward: δ = dY where the sum was positive, else 0. δ goes two ways: into the branch and straight to dX.",
           "The branch: `conv2d_backward`, then the inner ReLU's mask, then `conv2d_backward` again."))  # fmt: skip
