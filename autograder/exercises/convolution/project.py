"""A project: letters anywhere on the page, within a budget of parameters."""

import numpy as np

from dlcourse.convolution import conv2d_forward, global_avgpool_forward

from ...checks.exercise import Case, Exercise, Mistake, Rng, Scale, WrongAnswer, numbers, several, slip
from .._projects import alphabet, cheats, shuffled_labels, written

# --- reference ------------------------------------------------------------------------------------------------------


def project(X, labels, K, rng):
    """A small convolutional network for letters that stand anywhere on the page.

    It computes conv2d (stride 1, no padding), ReLU, global average pooling, and a
    linear layer.

    Parameters
    ----------
    X : (N, 12, 12, 1) array, pages. labels : (N,) integers 0…K−1. K : number of
        letters. rng : numpy.random.Generator, for what you draw.

    Returns
    -------
    W : (k, k, 1, F) array and b : (F,) array, the kernels. V : (F, K) array and
        c : (K,) array, the linear layer. All together at most 600 numbers.
    """
    # Bars in eight directions, each once for thin and once for thick strokes
    y, x = np.mgrid[-2:3, -2:3]
    angle = np.pi * np.arange(8) / 8
    bars = np.exp(-2.0 * (x[..., None] * np.sin(angle) - y[..., None] * np.cos(angle)) ** 2)
    bars = bars - bars.mean(axis=(0, 1))
    bars = bars / np.sqrt(np.sum(bars**2, axis=(0, 1)))
    F = 16
    W, b = np.concatenate([bars, bars], axis=2)[:, :, None], np.repeat([-0.3, -1.0], 8)
    U, _ = conv2d_forward(X, W, b)
    Z, _ = global_avgpool_forward(np.maximum(U, 0))
    mean, size = Z.mean(axis=0), Z.std(axis=0) + 1e-6
    S, D = (Z - mean) / size, np.eye(K)[labels]
    V, c = np.zeros((F, K)), np.zeros(K)
    for _ in range(120):
        P = np.exp(S @ V + c)
        E = (P / P.sum(axis=1, keepdims=True) - D) / len(X)
        V, c = V - 0.5 * (S.T @ E + 0.003 * V), c - 0.5 * E.sum(axis=0)
    V = V / size[:, None]
    return W, b, V, c - mean @ V


# --- cases ----------------------------------------------------------------------------------------------------------


def distinct_letters(rng, K):
    """K letters of two strokes, with the same length of ink; by chance two might look alike, so their directions differ."""
    letters, seen = [], []
    while len(letters) < K:
        (letter,) = alphabet(rng, 1, strokes=2)
        along = (letter[:, 1] - letter[:, 0]) @ [1.0, 1.0j]
        length = np.abs(along)
        letter = 0.55 * (letter - letter.mean(axis=(0, 1))) / length.sum()
        # A stroke has no sense: the angle counts twice, and four times for a cross
        turns = np.array([np.sum(length * (along / length) ** n) for n in (2, 4)]) / length.sum()
        if np.abs(letter).max() < 0.27 and all(np.linalg.norm(turns - one) > 0.6 for one in seen):
            letters.append(0.5 + letter)
            seen.append(turns)
    return np.stack(letters)


def cases(rng):
    def case(name, K, N, hidden=False):
        letters = distinct_letters(rng, K)

        def pages(count):
            labels = shuffled_labels(rng, count, K)
            return written(rng, letters, labels, size=12, jitter=0.02, shift=0.22, noise=0.1)[..., None], labels

        X, labels = pages(N)
        return Case(name, (X, labels, K, Rng(int(rng.integers(2**31)))), held=pages(200), hidden=hidden)

    return [
        case("4 letters", 4, 80),
        case("5 letters", 5, 100),
        case("4 other letters", 4, 80, hidden=True),
        case("5 other letters", 5, 100, hidden=True),
    ]


def accuracy(value, case):
    W, b, V, c = several(value, ("W", "b", "V", "c"))
    (X, labels), K = case.held, case.args[2]
    W = numbers(W, "W", (None, None, 1, None))
    k, l, _, F = W.shape
    b, V, c = numbers(b, "b", (F,)), numbers(V, "V", (F, K)), numbers(c, "c", (K,))
    if W.size + b.size + V.size + c.size > 600:
        raise WrongAnswer(f"expected at most 600 numbers, got {W.size + b.size + V.size + c.size}")
    if not (1 <= k <= 12 and 1 <= l <= 12):
        raise WrongAnswer(f"expected kernels of 1 to 12 pixels, got {k} × {l}")
    windows = np.lib.stride_tricks.sliding_window_view(X[..., 0], (k, l), axis=(1, 2))
    U = np.einsum("nyxij,ijf->nyxf", windows, W[:, :, 0], optimize=True) + b
    return np.mean(np.argmax(np.maximum(U, 0).mean(axis=(1, 2)) @ V + c, axis=1) == labels)


# --- mistakes -------------------------------------------------------------------------------------------------------


def ink_alone(X, labels, K, rng):
    """One kernel of one pixel: only how much ink there is."""
    ink = np.maximum(X, 0).mean(axis=(1, 2, 3))
    means = np.array([ink[labels == k].mean() for k in range(K)])
    return np.ones((1, 1, 1, 1)), np.zeros(1), 200 * means[None], -100 * means**2


def of_the_first_letter(X, labels, K, rng):
    return np.zeros((1, 1, 1, 1)), np.zeros(1), np.zeros((1, K)), (np.arange(K) == 0).astype(float)


def whole_pages(X, labels, K, rng):
    """A kernel as large as the page for each letter, the mean page."""
    M = np.stack([X[labels == k, ..., 0].mean(axis=0) for k in range(K)], axis=-1)[:, :, None]
    return M, np.zeros(K), np.eye(K), -0.5 * np.sum(M**2, axis=(0, 1, 2))


def on_the_test_part(case):
    return *case.held, *case.args[2:]


def made_up(X, labels, K, rng):
    return X, np.arange(len(X)) % K, K, rng


MISTAKES = [
    Mistake("amount_of_ink", ink_alone,
        "You look at the amount of ink alone. Letters differ in the directions of their strokes: a kernel of 3 × 3 "
        "pixels sees "
        "a direction.", kind="lazy"),
    Mistake("over_the_budget", whole_pages,
        "Kernels as large as the page are a fully connected layer: over the budget, and a letter that moves is "
        "another picture."),
    Mistake("size_not_put_back", slip("V = V / size[:, None]", "V = V"),
        "The linear layer was trained on channels of mean 0 and size 1. What do its weights become for the channels "
        "as they are?"),
    *cheats(project, cases, of_the_first_letter, on_the_test_part, made_up),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def edges(X, labels, K, rng):
    """Kernels by hand: bars in eight directions, dark on light and light on dark, and least squares on top."""
    y, x = np.mgrid[-2:3, -2:3]
    made = []
    for angle in np.pi * np.arange(8) / 8:
        across = x * np.sin(angle) - y * np.cos(angle)
        bar = np.exp(-(across**2) / 0.5) * (x**2 + y**2 <= 6)
        made.append((bar - bar.mean()) / np.linalg.norm(bar - bar.mean()))
    W = np.stack(made * 2, axis=-1)[:, :, None]
    b = np.repeat([-0.3, -1.0], 8)
    windows = np.lib.stride_tricks.sliding_window_view(X[..., 0], (5, 5), axis=(1, 2))
    Z = np.maximum(np.einsum("nyxij,ijf->nyxf", windows, W[:, :, 0]) + b, 0).mean(axis=(1, 2))
    A = np.column_stack([Z, 0.05 * np.ones(len(Z))])
    V = np.linalg.solve(A.T @ A + 1e-3 * np.eye(17), A.T @ (np.eye(K)[labels] - 1 / K))
    return W, b, V[:-1], 0.05 * V[-1]


def whitened(X, labels, K, rng):
    """Patches of the pages themselves as kernels."""
    patches = [
        X[n, y : y + 4, x : x + 4, 0] for n, y, x in zip(*rng.integers(0, (len(X), 9, 9), (200, 3)).T, strict=True)
    ]
    patches = sorted(patches, key=np.std)[-24:]
    W = np.stack([(p - p.mean()) / np.linalg.norm(p - p.mean()) for p in patches], axis=-1)[:, :, None]
    b = np.full(W.shape[-1], -0.6)
    windows = np.lib.stride_tricks.sliding_window_view(X[..., 0], (4, 4), axis=(1, 2))
    Z = np.maximum(np.einsum("nyxij,ijf->nyxf", windows, W[:, :, 0]) + b, 0).mean(axis=(1, 2))
    mean = Z.mean(axis=0)
    S = Z - mean
    V = np.linalg.solve(S.T @ S + 2e-4 * len(S) * np.eye(S.shape[1]), S.T @ (np.eye(K)[labels] - 1 / K))
    return W, b, V, -mean @ V


EXERCISE = Exercise("convolution.project", project, cases, MISTAKES, variants=[edges, whitened], points=6,
    seconds=10.0,
    scales={"": Scale("accuracy on pages that your function has not seen", 0.55, 0.68, accuracy)},
    why="The letter moves, the kernels do not care: a few hundred numbers do what a layer of thousands cannot.",
    hints=("A first network needs no training of the kernels: bars in several directions, their mean taken off. "
           "Train the linear layer.",
           "Behind `global_avgpool_forward` there are F numbers for each page: softmax regression on those.",
           "Channels are small numbers: train on channels of mean 0 and size 1, and put the weights back at the end."))  # fmt: skip
