"""What the projects have in common: data that nobody has seen before, and the ways of going round a task.

A known data set would be no test: its labels can be looked up. So every case draws its own, letters of an alphabet that was
invented a moment before among them, and what a student has at home is other data than what is graded.
"""

import functools

import numpy as np

from ..checks.exercise import Mistake

# --- data -----------------------------------------------------------------------------------------------------------


def alphabet(rng, K, strokes=3, fewest=None):
    """K letters that nobody has seen: for each the ends of its strokes, (K, strokes, 2, 2), in the unit square.

    fewest : some letters have fewer strokes, at least so many; their last one stands there several times.
    """
    letters = rng.uniform(0.12, 0.88, (K, strokes, 2, 2))
    counts = rng.permutation(np.resize(np.arange(strokes if fewest is None else fewest, strokes + 1), K))
    return np.stack(
        [one[np.minimum(np.arange(strokes), count - 1)] for one, count in zip(letters, counts, strict=True)]
    )


def written(rng, letters, labels, size=8, jitter=0.05, shift=0.0, noise=0.15):
    """Letters by hand on size × size pixels, (N, size, size): ink from 0 to 1, and noise of that deviation.

    jitter : how far the end of a stroke is off. shift : how far a letter is moved at most, to any side.
    """
    ends = letters[labels] + jitter * rng.standard_normal((len(labels), *letters.shape[1:]))
    ends = (ends + shift * rng.uniform(-1.0, 1.0, (len(labels), 1, 1, 2)))[:, :, None]
    first, along = ends[..., 0, :], ends[..., 1, :] - ends[..., 0, :]
    pixel = (np.arange(size) + 0.5) / size
    pixels = np.stack(np.meshgrid(pixel, pixel, indexing="ij"), axis=-1).reshape(-1, 2)
    place = np.sum((pixels - first) * along, axis=-1) / np.sum(along**2, axis=-1)
    nearest = first + np.clip(place, 0.0, 1.0)[..., None] * along
    away = np.linalg.norm(pixels - nearest, axis=-1)
    ink = np.exp(-((away / 0.09) ** 2)).max(axis=1).reshape(len(labels), size, size)
    return ink + noise * rng.standard_normal(ink.shape)


def shuffled_labels(rng, N, K):
    """N labels, each as often as N allows."""
    return rng.permutation(np.arange(N) % K)


# --- ways round the task ----------------------------------------------------------------------------------------------

CONSTANT = (
    "Your function returns the same for whatever it is given. Each case has its own data, and grading has others again."
)
MEMORISED = (
    "What you return was learnt from the data that you have at home. Grading has other data: learn from the arguments."
)
TEST_PART = (
    "What you return was learnt from the held-out part of the data at home. That part is other data in grading, and it never "
    "reaches your function: learn from the arguments."
)
LABELS_READ = (
    "Your function looks for the held-out labels behind its arguments. They are not there: they never come to where your code "
    "runs. Learn from the labels that you are given."
)


def cheats(project, cases, constant=None, test_part=None, without_labels=None, others=()):
    """Mistakes that each project has, by what a cheat would do.

    project : the reference's first function. cases : the exercise's. constant : a function that returns the same always.
    test_part : case -> the arguments with the held-out examples in the place of those to learn from. without_labels : the
    arguments -> the arguments with labels that were made up, which is what is left where none are found. others : what is
    handed in for the exercise's further functions.
    """

    # Stands for the public numbers: in grading, too, the cases have others than those at home
    @functools.cache
    def home(number):
        return cases(np.random.default_rng(0))[number]

    def memorised(*args):
        return project(*_own_generators(home(0).args))

    def of_the_test_part(*args):
        return project(*_own_generators(test_part(home(1))))

    def labels_read(*args):
        found = [x.base for x in args if isinstance(x, np.ndarray) and x.base is not None]
        return project(*(found or without_labels(*args)))

    made = [("memorised_answer", memorised, MEMORISED)]
    if constant is not None:
        made.append(("constant_answer", constant, CONSTANT))
    if test_part is not None:
        made.append(("trained_on_the_test_part", of_the_test_part, TEST_PART))
    if without_labels is not None:
        made.append(("labels_read", labels_read, LABELS_READ))
    return [Mistake(slug, (function, *others), hint, kind="cheat") for slug, function, hint in made]


def _own_generators(args):
    return [np.random.default_rng(0) if type(x).__name__ == "Rng" else x for x in args]
