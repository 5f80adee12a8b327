"""RMS norm: layer norm without the mean."""

import numpy as np

from dlcourse import normalization

from ...checks.exercise import Case, Exercise, Mistake, by_columns, enlarged, in_float32, slip
from ._shared import NO_KEEPDIMS, affine, batch

# --- solution -------------------------------------------------------------------------------------------------------


def rmsnorm_forward(X, gamma, eps=1e-5):
    s = np.sqrt((X**2).mean(axis=-1, keepdims=True) + eps)
    x_hat = X / s
    return gamma * x_hat, (x_hat, gamma, s)


def rmsnorm_backward(dY, cache):
    x_hat, gamma, s = cache
    rows = tuple(range(dY.ndim - 1))
    dgamma = (dY * x_hat).sum(axis=rows)
    dx_hat = gamma * dY
    along_size = x_hat * (dx_hat * x_hat).mean(axis=-1, keepdims=True)
    return (dx_hat - along_size) / s, dgamma


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, *shape, hidden=False, **kwargs):
        gamma, _ = affine(rng, shape[-1])
        return Case(name, (batch(rng, *shape), gamma), kwargs, dout=rng.standard_normal(shape) + 0.5, hidden=hidden)

    zeros = case("a row of zeros", 4, 3)
    zeros.args[0][1] = 0.0
    return [
        case("three rows of five features", 3, 5),
        case("one row", 1, 6),
        by_columns(case("two sequences of three steps", 2, 3, 5)),
        case("images", 2, 3, 4, 5),
        enlarged(case("as many rows as features", 5, 5), 0, 1),
        case("ε = 0.1", 4, 6, eps=0.1),
        zeros,
        case("one feature", 4, 1, eps=0.5),
        in_float32(case("", 3, 6)),
        case("seven rows", 7, 6, eps=1e-3, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

ROOT = "np.sqrt((X**2).mean(axis=-1, keepdims=True) + eps)"
MEAN = "(X**2).mean(axis=-1, keepdims=True)"


def along(axes):
    """Other axes than the last, forward and backward; `axes` is in terms of the number of axes."""
    return slip("(X**2).mean(axis=-1", f"(X**2).mean(axis={axes.format('X.ndim')}",
                "(dx_hat * x_hat).mean(axis=-1", f"(dx_hat * x_hat).mean(axis={axes.format('dY.ndim')}")  # fmt: skip


MISTAKES = [
    Mistake("mean_subtracted",
        slip("    s = np", "    X = X - X.mean(axis=-1, keepdims=True)\n    s = np",
             "(dx_hat - along_size)", "(dx_hat - dx_hat.mean(axis=-1, keepdims=True) - along_size)"),
        "That is layer norm. RMS norm subtracts no mean, neither forward nor on the way back.", convention=True,
        also=[slip("    s = np", "    X = X - X.mean(axis=-1, keepdims=True)\n    s = np")]),
    Mistake("deviation_for_size", slip(MEAN, "X.var(axis=-1, keepdims=True)"),
        "You divide by the standard deviation, which is taken around the mean. RMS norm takes the mean of the squares "
        "as they are."),
    Mistake("eps_outside_sqrt", slip(ROOT, f"(np.sqrt({MEAN}) + eps)"),
        "You add ε to the root. It belongs under it, beside the mean of the squares.", convention=True),
    Mistake("eps_forgotten", slip(f"{MEAN} + eps", MEAN),
        "In a row of zeros the size is 0, and 0/0 is NaN. That is what ε is for."),
    Mistake("eps_fixed", slip("+ eps)", "+ θ)", values=(1e-5, 1e-6, 1e-8)),
        "`eps` is an argument: it may differ from the default."),
    Mistake("no_root", slip(ROOT, f"({MEAN} + eps)"),
        "You divide by the mean square. Whose square is it? A root is missing."),
    Mistake("sum_for_mean", slip("(X**2).mean(", "(X**2).sum(", "(dx_hat * x_hat).mean(", "(dx_hat * x_hat).sum("),
        "You divide by the row's length, the root of the *sum* of the squares. Asked for is the root of their mean: "
        "the D is missing.", also=[slip("(X**2).mean(", "(X**2).sum(")]),
    Mistake("mean_of_sizes", slip(MEAN, "np.abs(X).mean(axis=-1, keepdims=True) ** 2"),
        "You take the mean of the absolute values. The squares are averaged first, then comes the root."),
    Mistake("square_of_mean", slip(MEAN, "X.mean(axis=-1, keepdims=True) ** 2"),
        "You square the mean. Entries of opposite sign cancel in it: square each entry first."),
    Mistake("wrong_axis", along("tuple(range({} - 1))"),
        "The mean of the squares is taken over the wrong axes. Each row is normalised by itself, over the last axis.",
        also=[along("0")]),
    Mistake("whole_example", along("tuple(range(1, {}))"),
        "You normalise each example as a whole. The mean of the squares runs over the last axis alone: each pixel, "
        "each time step by itself.", convention=True),
    Mistake("keepdims_missing", slip(MEAN, "(X**2).mean(axis=-1)"), NO_KEEPDIMS,
        also=[slip("(dx_hat * x_hat).mean(axis=-1, keepdims=True)", "(dx_hat * x_hat).mean(axis=-1)")]),
    Mistake("scaled_by_one_plus_gamma", slip("gamma * x_hat, (x_hat, gamma", "(1 + gamma) * x_hat, (x_hat, 1 + gamma"),
        "You scale by 1 + γ, as Gemma's code does, where γ begins at 0. Here γ itself is the factor.", convention=True),
    Mistake("dx_without_size_path", slip(" - along_size", ""),
        "You treat s as a constant. It was computed from this very row, so x reaches the output by one more path. A "
        "row that becomes longer does not change Y: what must dX be along x?"),
    Mistake("size_path_sign", slip("- along_size", "+ along_size"),
        "The path through s has the wrong sign: where x grows, s grows, and x̂ becomes smaller."),
    Mistake("size_path_summed", slip("(dx_hat * x_hat).mean(", "(dx_hat * x_hat).sum("),
        "[The output is right.] The correction in dX is a mean over the row, since s holds a mean; you subtract a "
        "sum."),
    Mistake("mean_path_added",
        slip("(dx_hat - along_size)", "(dx_hat - dx_hat.mean(axis=-1, keepdims=True) - along_size)"),
        "[The output is right.] dX has layer norm's path through the mean, and here there is no mean."),
    Mistake("gamma_missing_in_dx", slip("dx_hat = gamma * dY", "dx_hat = dY"),
        "dX does not contain γ. The forward pass multiplies x̂ by it, so the backward pass multiplies dY by it."),
    Mistake("gamma_pulled_out", slip("dx_hat = gamma * dY", "dx_hat = dY", "return (dx_hat", "return gamma * (dx_hat"),
        "[The output is right.] Each member of the row has its own γ: multiply it with dY *before* the mean, not "
        "afterwards."),
    Mistake("size_missing_in_dx", slip("(dx_hat - along_size) / s", "dx_hat - along_size"),
        "[The output is right.] dX is not divided by s: if the forward pass shrinks x, the backward pass shrinks its "
        "gradient."),
    Mistake("projected_on_input",
        slip("(x_hat, gamma, s)", "(X, x_hat, gamma, s)",
             "    x_hat, gamma, s =", "    X, x_hat, gamma, s =",
             "along_size = x_hat * (dx_hat * x_hat)", "along_size = X * (dx_hat * X)"),
        "[The output is right.] The correction in dX is built with X. It is x̂, twice: that is where the powers of s "
        "have gone."),
    Mistake("dgamma_from_input",
        slip("(x_hat, gamma, s)", "(X, x_hat, gamma, s)",
             "    x_hat, gamma, s =", "    X, x_hat, gamma, s =",
             "(dY * x_hat).sum", "(dY * X).sum"),
        "dγ multiplies dY with what γ is multiplied with. That is x̂, not X."),
    Mistake("parameter_gradients_not_summed", slip("(dY * x_hat).sum(axis=rows)", "dY * x_hat"),
        "γ is one number per feature, used by every row: its gradient is summed over all rows."),
    Mistake("summed_over_batch_only", slip("(dY * x_hat).sum(axis=rows)", "(dY * x_hat).sum(axis=0)"),
        "You sum dγ over the first axis alone. It must come out with the shape (D,): which axes remain to be summed?"),
    Mistake("mean_for_sum", slip("(dY * x_hat).sum(axis=rows)", "(dY * x_hat).mean(axis=rows)"),
        "dγ is a sum over the rows. If the loss is a mean, that factor is in dY already.", convention=True),
    Mistake("gradients_swapped",
        slip("return (dx_hat - along_size) / s, dgamma", "return dgamma, (dx_hat - along_size) / s"),
        "The two gradients come in the wrong order: `dX, dgamma`."),
    Mistake("gamma_ignored", slip("gamma * x_hat, (x_hat, gamma", "x_hat, (x_hat, np.ones_like(gamma)"),
        "The result is normalised, but γ has no effect: the network must be able to choose the scale of each feature.",
        also=[slip("gamma * x_hat,", "x_hat.copy(),")]),
    Mistake("mutates_input", slip("x_hat = X / s", "X /= s\n    x_hat = X"),
        "`/=` writes into the caller's array, which is still needed there. Make a new one: `X / s`."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def by_row_forward(X, gamma, eps=1e-5):
    D = X.shape[-1]
    Y, kept = [], []
    for x in X.reshape(-1, D):
        r = (sum(x * x) / D + eps) ** -0.5
        kept.append((x, r))
        Y.append(gamma * x * r)
    return np.reshape(Y, X.shape), (kept, gamma)


def by_row_backward(dY, cache):
    kept, gamma = cache
    D = len(gamma)
    dX, dgamma = [], np.zeros(D)
    for d, (x, r) in zip(dY.reshape(-1, D), kept, strict=True):
        # The Jacobian of one row, as a matrix
        J = r * np.eye(D) - r**3 * np.outer(x, x) / D
        dX.append(J @ (gamma * d))
        dgamma += d * x * r
    return np.reshape(dX, dY.shape), dgamma


def einsum_forward(X, gamma, eps=1e-5):
    r = 1 / np.sqrt(np.einsum("...d,...d->...", X, X) / X.shape[-1] + eps)
    return np.einsum("...d,...,d->...d", X, r, gamma), {"X": X.copy(), "r": r, "gamma": gamma.copy()}


def einsum_backward(dY, cache):
    X, r, gamma = cache["X"], cache["r"][..., None], cache["gamma"]
    weighted = dY * gamma
    inner = np.einsum("...d,...d->...", weighted, X)[..., None] / X.shape[-1]
    dgamma = np.einsum("nd,nd->d", dY.reshape(-1, len(gamma)), (X * r).reshape(-1, len(gamma)))
    return r * weighted - r**3 * inner * X, dgamma


EXERCISE = Exercise("normalization.rmsnorm", (normalization.rmsnorm_forward, normalization.rmsnorm_backward), cases,
    MISTAKES, variants=[(by_row_forward, by_row_backward), (einsum_forward, einsum_backward)],
    solution=(rmsnorm_forward, rmsnorm_backward), points=0,
    why="Most large language models normalise like this: one path and one parameter less than layer norm.",
    hints=("Forward: square, mean over the last axis with `keepdims=True`, ε, root. Then divide, and scale with γ.",
           "Backward: first dx̂ = γ·dY. Of layer norm's three paths one is missing here; which?",
           "From dx̂ take away x̂ times the mean of dx̂·x̂ over the row; divide by s. dγ is the sum of dY·x̂ over all "
           "rows."))  # fmt: skip
