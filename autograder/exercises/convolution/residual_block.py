"""The residual block: two convolutions, and a way around them."""

import numpy as np

from dlcourse import convolution
from dlcourse.activations import relu, relu_grad
from dlcourse.convolution import conv2d_backward, conv2d_forward

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import MEAN

# --- solution -------------------------------------------------------------------------------------------------------


def residual_block_forward(X, params, stride=1):
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    Z, first = conv2d_forward(X, W1, b1, stride=stride, padding=(len(W1) - 1) // 2)
    F, second = conv2d_forward(relu(Z), W2, b2, padding=(len(W2) - 1) // 2)
    shortcut, projection = X, None
    if "W0" in params:
        shortcut, projection = conv2d_forward(X, params["W0"], params["b0"], stride=stride)
    S = shortcut + F
    return relu(S), (first, second, projection, Z, S)


def residual_block_backward(dY, cache):
    first, second, projection, Z, S = cache
    delta = dY * relu_grad(S)
    dA, dW2, db2 = conv2d_backward(delta, second)
    dX, dW1, db1 = conv2d_backward(dA * relu_grad(Z), first)
    grads = {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
    skip = delta
    if projection is not None:
        skip, grads["W0"], grads["b0"] = conv2d_backward(delta, projection)
    return skip + dX, grads


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, images, inside, k=3, l=3, out=None, stride=1, hidden=False, zeros=(), X=None):
        """images (N, H, W, C), `inside` channels between kernels of k × k and l × l; `out`: a projection to so many."""
        N, height, width, C = images
        K = C if out is None else out
        params = {
            "W1": rng.standard_normal((k, k, C, inside)) / np.sqrt(k * k * C / 2),
            "b1": 0.5 * rng.standard_normal(inside),
            "W2": rng.standard_normal((l, l, inside, K)) / np.sqrt(l * l * inside / 2),
            "b2": 0.5 * rng.standard_normal(K),
        }
        if out is not None:
            params |= {"W0": rng.standard_normal((1, 1, C, K)) / np.sqrt(C), "b0": 0.5 * rng.standard_normal(K)}
        params |= {key: np.zeros_like(params[key]) for key in zeros}
        X = rng.standard_normal(images) if X is None else X
        dout = rng.standard_normal((N, -(-height // stride), -(-width // stride), K)) + 0.5
        return Case(name, (X, params), {"stride": stride} if stride > 1 else {}, dout=dout, hidden=hidden)

    on_the_kink = np.array([[[0.0, 1.0], [2.0, 0.0], [-1.0, 3.0]], [[0.0, 0.0], [1.0, -2.0], [0.0, 4.0]]])[None]
    return [
        case("two images of 4 × 3 pixels, two channels", (2, 4, 3, 2), 3),
        enlarged(case("one image", (1, 5, 4, 3), 2), 0),
        case("kernels of 5 × 5, then of one pixel", (2, 3, 4, 2), 3, k=5, l=1),
        case("kernels of one pixel, then of 5 × 5", (2, 4, 3, 1), 1, k=1, l=5),
        case("everything three", (3, 3, 3, 3), 3),
        # With W1, b1 and b2 zero every Z is 0 and the sum is X: both ReLUs stand on their kink
        case("preactivations of exactly 0", (1, 2, 3, 2), 3, X=on_the_kink, zeros=("W1", "b1", "b2")),
        in_float32(case("", (2, 4, 4, 2), 3)),
        case("one pixel", (3, 1, 1, 2), 3),
        case("a projection to five channels", (2, 4, 3, 2), 3, out=5),
        case("a projection with stride 2", (2, 5, 4, 3), 2, out=4, stride=2),
        enlarged(case("a projection, everything three", (3, 3, 3, 3), 3, out=3), 0),
        case("stride 2 down to one pixel", (3, 2, 2, 2), 3, out=1, stride=2),
        case("more channels inside", (2, 3, 5, 2), 5, hidden=True),
        case("a projection with stride 3, kernels of 5 × 5 and one pixel", (2, 5, 7, 2), 4, 5, 1, 3, 3, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

GRADIENTS = '{"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}'
PADDING_1, PADDING_2 = "(len(W1) - 1) // 2", "(len(W2) - 1) // 2"

SECOND = f"conv2d_forward(relu(Z), W2, b2, padding={PADDING_2})"
PAST_RELU = ("skip = delta", "skip = dY", "conv2d_backward(delta, projection)", "conv2d_backward(dY, projection)")

MISTAKES = [
    Mistake("outer_derivative_missing", slip("dY * relu_grad(S)", "dY"),
        "The last ReLU lets the gradient through only where the sum was positive."),
    Mistake("inner_derivative_missing", slip("dA * relu_grad(Z)", "dA"),
        "The inner ReLU lets the gradient through only where Z was positive."),
    Mistake("relu_before_addition",
        slip("S = shortcut + F\n    return relu(S)", "S = F\n    return shortcut + relu(F)", *PAST_RELU),
        "You activate the branch before it is added. The last ReLU stands *behind* the addition: the branch must be "
        "able to take something away from X.",
        also=[slip("shortcut + F", "shortcut + relu(F)",
                   "(first, second, projection, Z, S)", "(first, second, projection, Z, F, S)",
                   "first, second, projection, Z, S = cache", "first, second, projection, Z, F, S = cache",
                   "conv2d_backward(delta, second)", "conv2d_backward(delta * relu_grad(F), second)")]),
    Mistake("padding_hard_coded", slip(PADDING_1, "1", PADDING_2, "1"),
        "A fixed padding keeps the image's size for one kernel only, 1 for 3 × 3. Which one keeps it for k × k? Work "
        "it out for each of the two.", also=[slip(PADDING_1, "0", PADDING_2, "0")]),
    Mistake("one_padding_for_both", slip(PADDING_2, PADDING_1),
        "The two kernels may differ in size: each has its own padding."),
    Mistake("skip_forgotten", slip("shortcut + F", "F", "skip + dX", "dX"),
        "X is not added: these are two convolutions, one after the other."),
    Mistake("skip_subtracted", slip("shortcut + F", "F - shortcut", "skip + dX", "dX - skip",
                                    "return dX - skip, grads",
                                    "return dX - skip, grads | {key: -grads[key] for key in ('W0', 'b0') if key in "
                                    "grads}"),
        "X is subtracted where it should be added."),
    Mistake("skip_activated",
        slip("shortcut + F", "relu(shortcut) + F",
             "(first, second, projection, Z, S)", "(shortcut, first, second, projection, Z, S)",
             "first, second, projection, Z, S = cache", "shortcut, first, second, projection, Z, S = cache",
             "skip = delta", "skip = delta * relu_grad(shortcut)",
             "conv2d_backward(delta, projection)", "conv2d_backward(skip, projection)"),
        "What goes along the shortcut is activated. It goes into the sum as it is, negative entries and all."),
    Mistake("skip_from_first_convolution", slip("shortcut + F", "relu(Z) + F"),
        "The skip begins at the block's input X, not behind the first convolution."),
    Mistake("last_relu_missing", slip("return relu(S)", "return S", "dY * relu_grad(S)", "dY"),
        "The ReLU behind the addition is missing."),
    Mistake("inner_relu_missing", slip("relu(Z), W2", "Z, W2", "dA * relu_grad(Z)", "dA"),
        "The ReLU between the convolutions is missing: two linear maps in a row are one."),
    Mistake("input_before_activation",
        slip("S = shortcut + F", f"_, second = {SECOND.replace('relu(Z)', 'Z')}\n    S = shortcut + F"),
        "The second convolution got relu(Z). dW2 must be computed with that, not with Z."),
    Mistake("skip_gradient_dropped", slip("skip + dX", "dX"),
        "dX comes through the convolutions alone. X also went straight to the sum: add what comes back that way. It is "
        "the point of the whole block."),
    Mistake("branch_gradient_dropped", slip("skip + dX", "skip"),
        "dX comes along the skip alone. X also went through the convolutions."),
    Mistake("skip_gradient_past_relu", slip(*PAST_RELU),
        "What goes back along the skip is dY itself. The skip ends *before* the last ReLU, so that comes first on the "
        "way back."),
    Mistake("paths_multiplied", slip("skip + dX", "skip * dX"),
        "X reaches the sum on two paths: what comes back along them is added."),
    Mistake("relu_one_at_zero", slip("relu_grad(S)", "(S >= 0)", "relu_grad(Z)", "(Z >= 0)"),
        "At exactly 0 the slope of ReLU is taken as 0 (E27); yours is 1 there.", convention=True),
    Mistake("projection_ignored", slip('if "W0" in params:', "if False:"),
        "`W0` and `b0` are not used. Where they are in `params` the shortcut is a convolution, and its output goes "
        "into the sum in the place of X."),
    Mistake("projection_bias_forgotten", slip('params["b0"], stride', '0 * params["b0"], stride'),
        "The projection is a convolution with a bias, `b0`."),
    Mistake("projection_without_stride", slip('params["b0"], stride=stride', 'params["b0"]'),
        "The projection does not move by `stride`, so its output is larger than the branch's."),
    Mistake("stride_ignored", slip("b1, stride=stride", "b1", 'params["b0"], stride=stride', 'params["b0"]'),
        "`stride` is never used: the image keeps its size."),
    Mistake("stride_in_the_second", slip("b1, stride=stride", "b1", "W2, b2,", "W2, b2, stride=stride,"),
        "The stride is in the second convolution. It belongs to the first, which then has fewer places to compute.",
        convention=True),
    Mistake("stride_in_both", slip("W2, b2,", "W2, b2, stride=stride,"),
        "Both convolutions move by `stride`, and the image shrinks twice. The stride belongs to the first one only."),
    Mistake("projection_not_on_the_way_back",
        slip('skip, grads["W0"], grads["b0"] = conv2d', '_, grads["W0"], grads["b0"] = conv2d'),
        "With a projection δ does not reach X as it is: on its way it passes that convolution backwards."),
    Mistake("projection_gradients_missing", slip('skip, grads["W0"], grads["b0"] = conv2d', "skip, _, _ = conv2d"),
        "The gradients of W0 and b0 are missing. What has been used in the forward pass has a gradient."),
    Mistake("mean_for_sum",
        slip("return skip + dX, grads", "return skip + dX, {key: g / len(dY) for key, g in grads.items()}"),
        MEAN),
    Mistake("tuple_for_dict", slip("return skip + dX, grads", "return skip + dX, tuple(grads.values())"),
        "The parameters came as a dict: their gradients go back as one, `dX, dparams`, with the same keys."),
    Mistake("parameters_swapped", slip(GRADIENTS, '{"W1": dW2, "b1": db2, "W2": dW1, "b2": db1}'),
        "The gradients of the two convolutions have changed places."),
    Mistake("mutates_gradient", slip("delta = dY * relu_grad(S)", "dY *= relu_grad(S)\n    delta = dY"),
        "`dY *= …` writes into the caller's array. Make a new one: `dY * …`."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def masks_forward(X, params, stride=1):
    """The masks of the two ReLUs from their outputs, the cache a dict."""
    kept = {}
    Z, kept["1"] = conv2d_forward(X, params["W1"], params["b1"], stride, params["W1"].shape[0] // 2)
    kept["A"] = Z * (Z > 0)
    S, kept["2"] = conv2d_forward(kept["A"], params["W2"], params["b2"], padding=params["W2"].shape[0] // 2)
    if params.get("W0") is None:
        S = S + X
    else:
        # A convolution with kernels of one pixel is a linear layer on the channels of every stride-th pixel
        kept["seen"], kept["W"], kept["shape"] = X[:, ::stride, ::stride], params["W0"][0, 0], (X.shape, stride)
        S = S + kept["seen"] @ kept["W"] + params["b0"]
    kept["Y"] = np.where(S > 0, S, 0.0)
    return kept["Y"], kept


def masks_backward(dY, cache):
    grads = {}
    delta = np.where(cache["Y"] > 0, dY, 0.0)
    dA, grads["W2"], grads["b2"] = conv2d_backward(delta, cache["2"])
    dA[cache["A"] <= 0] = 0.0
    dX, grads["W1"], grads["b1"] = conv2d_backward(dA, cache["1"])
    if "W" not in cache:
        return dX + delta, grads
    shape, stride = cache["shape"]
    through = np.zeros(shape)
    through[:, ::stride, ::stride] = delta @ cache["W"].T
    grads["W0"] = np.einsum("nyxc,nyxk->ck", cache["seen"], delta)[None, None]
    grads["b0"] = delta.sum(axis=(0, 1, 2))
    return dX + through, grads


EXERCISE = Exercise("convolution.residual_block",
    (convolution.residual_block_forward, convolution.residual_block_backward), cases, MISTAKES,
    variants=[(masks_forward, masks_backward)], solution=(residual_block_forward, residual_block_backward), points=0,
    why="One addition, and networks of a hundred layers could be trained: the gradient has a way around every block.",
    hints=("Forward: your `conv2d_forward` twice, with relu between; then X + F, then relu. Keep both caches, Z and "
           "the sum.",
           "With `W0` in `params` the shortcut is one more `conv2d_forward` of X, with the same stride as the first "
           "convolution. Keep its cache, too, or None.",
           "Backward: δ = dY where the sum was positive, else 0. δ goes two ways: into the branch, and straight to dX "
           "or through the projection.",
           "The branch: `conv2d_backward`, then the inner ReLU's mask, then `conv2d_backward` again."))  # fmt: skip
