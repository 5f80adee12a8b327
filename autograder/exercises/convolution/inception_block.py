"""The inception block: four branches of different reach side by side."""

import numpy as np

from dlcourse import convolution
from dlcourse.activations import relu, relu_grad
from dlcourse.convolution import conv2d_backward, conv2d_forward, maxpool2d_backward, maxpool2d_forward

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import MEAN

# --- solution -------------------------------------------------------------------------------------------------------


def inception_block_forward(X, params):
    def conv_relu(X, name):
        W = params["W" + name]
        Z, cache = conv2d_forward(X, W, params["b" + name], padding=(len(W) - 1) // 2)
        caches[name] = cache, Z
        return relu(Z)

    caches = {}
    P, pool = maxpool2d_forward(X, 3, stride=1, padding=1)
    Y1 = conv_relu(X, "1")
    Y3 = conv_relu(conv_relu(X, "3r"), "3")
    Y5 = conv_relu(conv_relu(X, "5r"), "5")
    Yp = conv_relu(P, "p")
    return np.concatenate([Y1, Y3, Y5, Yp], axis=-1), (caches, pool)


def inception_block_backward(dY, cache):
    def back(dA, name):
        conv, Z = caches[name]
        dX, grads["W" + name], grads["b" + name] = conv2d_backward(dA * relu_grad(Z), conv)
        return dX

    (caches, pool), grads = cache, {}
    channels = [caches[name][1].shape[3] for name in ("1", "3", "5")]
    dY1, dY3, dY5, dYp = np.split(dY, np.cumsum(channels), axis=-1)
    dX = back(dY1, "1")
    dX = dX + back(back(dY3, "3"), "3r")
    dX = dX + back(back(dY5, "5"), "5r")
    dX = dX + maxpool2d_backward(back(dYp, "p"), pool)
    return dX, grads


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, images, widths, hidden=False, X=None, zeros=False):
        """images (N, H, W, C), widths c1, c3r, c3, c5r, c5, cp."""
        C, (c1, c3r, c3, c5r, c5, cp) = images[-1], widths
        shapes = {
            "1": (1, C, c1),
            "3r": (1, C, c3r),
            "3": (3, c3r, c3),
            "5r": (1, C, c5r),
            "5": (5, c5r, c5),
            "p": (1, C, cp),
        }
        params = {}
        for key, (k, before, after) in shapes.items():
            params["W" + key] = rng.standard_normal((k, k, before, after)) / np.sqrt(k * k * before / 2)
            params["b" + key] = 0.5 * rng.standard_normal(after)
        if zeros:
            params = {key: np.zeros_like(p) for key, p in params.items()}
        X = rng.standard_normal(images) if X is None else X
        return Case(name, (X, params), dout=rng.standard_normal((*images[:3], c1 + c3 + c5 + cp)) + 0.5, hidden=hidden)

    return [
        case("two images of 4 × 3 pixels, two channels", (2, 4, 3, 2), (1, 2, 3, 4, 2, 5)),
        enlarged(case("one image", (1, 3, 5, 3), (4, 3, 2, 1, 3, 1)), 0),
        case("everything three", (3, 3, 3, 3), (3, 3, 3, 3, 3, 3)),
        case("one row of pixels, one channel", (2, 1, 4, 1), (2, 1, 1, 2, 4, 3)),
        case("preactivations of exactly 0, one column", (1, 2, 1, 2), (2, 1, 3, 2, 1, 2), zeros=True),
        in_float32(case("", (2, 3, 4, 2), (2, 3, 4, 2, 1, 3))),
        case("images of 5 × 6 pixels", (2, 5, 6, 2), (3, 2, 4, 2, 3, 1), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

PADDING = "(len(W) - 1) // 2"
POOL = "maxpool2d_forward(X, 3, stride=1, padding=1)"
CUT = "np.split(dY, np.cumsum(channels), axis=-1)"

MISTAKES = [
    Mistake("relu_missing", slip("return relu(Z)", "return Z", "dA * relu_grad(Z)", "dA"),
        "Behind each of the six convolutions stands a ReLU.",
        also=[slip("return relu(Z)", "return Z")]),
    Mistake("relu_missing_after_reduction",
        slip("return relu(Z)", 'return Z if name.endswith("r") else relu(Z)',
             "dA * relu_grad(Z)", 'dA * (1 if name.endswith("r") else relu_grad(Z))'),
        "Behind the 1 × 1 convolutions in front of the large kernels the ReLU is missing: without it two linear maps "
        "in a row are one."),
    Mistake("derivative_missing", slip("dA * relu_grad(Z)", "dA"),
        "Each ReLU lets the gradient through only where its Z was positive."),
    Mistake("derivative_missing_inside",
        slip("dA * relu_grad(Z)", 'dA * (1 if name.endswith("r") else relu_grad(Z))'),
        "[The output is right.] On the way back the ReLUs behind the reducing 1 × 1 convolutions are passed over."),
    Mistake("relu_one_at_zero", slip("relu_grad(Z)", "(Z >= 0)"),
        "At exactly 0 the slope of ReLU is taken as 0 (E27); yours is 1 there.", convention=True),
    Mistake("padding_hard_coded", slip(PADDING, "len(W) // 3"),
        "The branch of 5 × 5 comes out smaller than the others, or moved. Each kernel has the padding that keeps the "
        "image's size: none, 1 and 2.", also=[slip(PADDING, "1"), slip(PADDING, "0")]),
    Mistake("pooling_shrinks", slip(POOL, "maxpool2d_forward(X, 3, padding=1)"),
        "The pooling takes every third pixel. In this block all branches keep the image's size: stride 1."),
    Mistake("average_pooling",
        slip(POOL, "np.mean([np.roll(X, (i, j), (1, 2)) for i in (-1, 0, 1) for j in (-1, 0, 1)], axis=0), "
                   "maxpool2d_forward(X, 3, stride=1, padding=1)[1]"),
        "The fourth branch takes the largest entry of each window, not the mean."),
    Mistake("pooling_missing", slip('conv_relu(P, "p")', 'conv_relu(X, "p")',
                                    'maxpool2d_backward(back(dYp, "p"), pool)', 'back(dYp, "p")'),
        "The fourth branch begins with a max pooling of 3 × 3, then comes its 1 × 1 convolution.",
        also=[slip('conv_relu(P, "p")', 'conv_relu(X, "p")')]),
    Mistake("pooling_behind_the_projection",
        slip('conv_relu(P, "p")', 'maxpool2d_forward(conv_relu(X, "p"), 3, stride=1, padding=1)[0]'),
        "In the fourth branch the pooling comes first, and the 1 × 1 convolution behind it."),
    Mistake("pooling_skipped_backward", slip('maxpool2d_backward(back(dYp, "p"), pool)', 'back(dYp, "p")'),
        "[The output is right.] On the way back the fourth branch passes its pooling, too: the gradient goes to the "
        "largest entry of each window."),
    Mistake("branches_in_another_order",
        slip("[Y1, Y3, Y5, Yp]", "[Y1, Y5, Y3, Yp]",
             '("1", "3", "5")', '("1", "5", "3")', "dY1, dY3, dY5, dYp", "dY1, dY5, dY3, dYp"),
        "The branches are joined in the order 1 × 1, 3 × 3, 5 × 5, pooling.",
        also=[slip("[Y1, Y3, Y5, Yp]", "[Yp, Y1, Y3, Y5]",
                   '("1", "3", "5")', '("p", "1", "3")', "dY1, dY3, dY5, dYp", "dYp, dY1, dY3, dY5"),
              slip("[Y1, Y3, Y5, Yp]", "[Y1, Y5, Y3, Yp]")]),
    Mistake("cut_in_another_order", slip("dY1, dY3, dY5, dYp", "dYp, dY1, dY3, dY5"),
        "[The output is right.] dY is cut into other pieces than were joined, or they go to other branches."),
    Mistake("cut_into_equal_parts", slip(CUT, "np.array_split(dY, 4, axis=-1)"),
        "[The output is right.] dY is cut into four equal parts. The branches have different numbers of channels."),
    Mistake("joined_along_the_rows", slip("Yp], axis=-1)", "Yp], axis=1)"),
        "The branches are joined along the rows of the image. They lie side by side along the channels, the last "
        "axis."),
    Mistake("branches_added",
        slip("np.concatenate([Y1, Y3, Y5, Yp], axis=-1)", "sum(Y[..., :1] for Y in (Y1, Y3, Y5, Yp))"),
        "The branches are added. They are joined: each keeps its channels."),
    Mistake("reduction_of_another_branch",
        slip('conv_relu(conv_relu(X, "3r"), "3")', 'conv_relu(conv_relu(X, "5r"), "3")'),
        "The branch of 3 × 3 has its own 1 × 1 convolution in front, W3r."),
    Mistake("branch_gradient_dropped",
        slip('    dX = dX + maxpool2d_backward(back(dYp, "p"), pool)\n', '    back(dYp, "p")\n'),
        "X went into four branches: dX is the sum of what comes back from all four. One of them is missing.",
        also=[slip('dX = dX + back(back(dY3, "3"), "3r")', 'back(back(dY3, "3"), "3r")'),
              slip('dX = dX + back(back(dY5, "5"), "5r")', 'back(back(dY5, "5"), "5r")')]),
    Mistake("last_branch_only", slip('dX = dX + back(back(dY3, "3"), "3r")', 'dX = back(back(dY3, "3"), "3r")',
                                     'dX = dX + back(back(dY5, "5"), "5r")', 'dX = back(back(dY5, "5"), "5r")',
                                     "dX = dX + maxpool", "dX = maxpool"),
        "[The output is right.] dX is overwritten by each branch; what comes back from the four adds up."),
    Mistake("branches_averaged", slip("return dX, grads", "return dX / 4, grads"),
        "[The output is right.] dX is the mean of the branches' gradients. They add up."),
    Mistake("tuple_for_dict", slip("return dX, grads", "return dX, tuple(grads.values())"),
        "The parameters came as a dict: their gradients go back as one, `dX, dparams`, with the same keys."),
    Mistake("mean_for_sum", slip("return dX, grads", "return dX, {key: g / len(dY) for key, g in grads.items()}"),
        MEAN),
    Mistake("mutates_gradient", slip("conv, Z = caches[name]", "conv, Z = caches[name]\n        dA *= relu_grad(Z)",
                                     "dA * relu_grad(Z)", "dA"),
        "`*=` writes into the caller's array, and pieces of dY are still dY. Make a new one: `dA * …`."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def written_out_forward(X, params):
    """Every branch on its own lines; the outputs tell where a ReLU was open."""
    kept = {}
    Z, kept["1"] = conv2d_forward(X, params["W1"], params["b1"])
    Y1 = np.maximum(Z, 0)
    Z, kept["3r"] = conv2d_forward(X, params["W3r"], params["b3r"])
    A3 = np.maximum(Z, 0)
    Z, kept["3"] = conv2d_forward(A3, params["W3"], params["b3"], 1, 1)
    Y3 = np.maximum(Z, 0)
    Z, kept["5r"] = conv2d_forward(X, params["W5r"], params["b5r"])
    A5 = np.maximum(Z, 0)
    Z, kept["5"] = conv2d_forward(A5, params["W5"], params["b5"], 1, 2)
    Y5 = np.maximum(Z, 0)
    P, kept["pool"] = maxpool2d_forward(X, 3, 1, 1)
    Z, kept["p"] = conv2d_forward(P, params["Wp"], params["bp"])
    ends = np.cumsum([A.shape[3] for A in (Y1, Y3, Y5)])
    Y = np.empty((*X.shape[:3], ends[-1] + Z.shape[3]))
    for A, start in zip((Y1, Y3, Y5, np.maximum(Z, 0)), (0, *ends), strict=True):
        Y[..., start : start + A.shape[3]] = A
    kept |= {"A3": A3, "A5": A5, "Y": Y, "ends": ends}
    return kept["Y"].copy(), kept


def written_out_backward(dY, cache):
    open_ = np.where(cache["Y"] > 0, dY, 0.0)
    first, second, third = cache["ends"]
    dX1, dW1, db1 = conv2d_backward(open_[..., :first], cache["1"])
    dA3, dW3, db3 = conv2d_backward(open_[..., first:second], cache["3"])
    dX3, dW3r, db3r = conv2d_backward(dA3 * (cache["A3"] > 0), cache["3r"])
    dA5, dW5, db5 = conv2d_backward(open_[..., second:third], cache["5"])
    dX5, dW5r, db5r = conv2d_backward(dA5 * (cache["A5"] > 0), cache["5r"])
    dP, dWp, dbp = conv2d_backward(open_[..., third:], cache["p"])
    dX = np.sum([maxpool2d_backward(dP, cache["pool"]), dX5, dX3, dX1], axis=0)
    weights = {"W1": dW1, "W3": dW3, "W3r": dW3r, "W5": dW5, "W5r": dW5r, "Wp": dWp}
    return dX, weights | {"b1": db1, "b3": db3, "b3r": db3r, "b5": db5, "b5r": db5r, "bp": dbp}


EXERCISE = Exercise("convolution.inception_block",
    (convolution.inception_block_forward, convolution.inception_block_backward), cases, MISTAKES,
    variants=[(written_out_forward, written_out_backward)],
    solution=(inception_block_forward, inception_block_backward), points=0,
    why="Where one input goes several ways, the gradients of the ways add up: here four at once.",
    hints=("Forward: six times the same two lines, your `conv2d_forward` with padding (k − 1)/2, then relu. Keep each "
           "cache and each Z under its name.",
           "Join with `np.concatenate(…, axis=-1)`; backward cut dY at the same places with `np.split`.",
           "Each branch goes back as it came: its ReLU's mask, `conv2d_backward`, and once more where there are two. "
           "The fourth ends in `maxpool2d_backward`.",
           "dX is the sum of what the four branches send back."))  # fmt: skip
