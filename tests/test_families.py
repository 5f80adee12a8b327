"""Mistakes that hold a number: whichever it is, the mistake is found and named."""

import numpy as np
import pytest

from autograder.checks import families
from autograder.checks.evaluation import evaluate
from autograder.checks.solution import slip


@pytest.mark.parametrize("number", [1e-15, 3e-8, 0.9, 0.25, 6.0, 88.0, 123.0, 709.0, 1e4])
def test_a_number_of_few_digits_is_found(number):
    assert families.fitted(lambda guess: abs(guess - number) / number) == number


def test_the_nearest_number_where_none_fits_and_none_where_nothing_can_be_compared():
    assert families.fitted(lambda guess: abs(guess - 1.23456)) == 1.23
    assert families.fitted(lambda guess: np.inf) is None
    # Where any number does, the first
    assert families.fitted(lambda guess: 0.0) == 1e-20
    assert families.fitted(lambda guess: 0.0, near=(3e-8, 250.0)) == 1e-8


def test_the_search_ends_in_time():
    asked = []
    assert families.fitted(lambda guess: asked.append(guess) or 1.0, seconds=-1.0) is None
    assert asked == []


@pytest.mark.parametrize(
    ("got", "made", "far"),
    [
        (np.array([1.0, 4.0]), np.array([1.0, 3.0]), 0.25),
        ((np.array([1.0]), {"a": 2.0}), (np.array([1.0]), {"a": 1.0}), 0.5),
        (np.array([np.nan, np.inf, 2.0]), np.array([np.nan, np.inf, 2.0]), 0.0),
        (np.array([np.inf, 2.0]), np.array([1.0, 2.0]), 1e300 / 2.0),
        ("yes", "yes", 0.0),
        ("yes", "no", np.inf),
        (np.ones(2), np.ones(3), np.inf),
        ({"a": 1.0}, {"b": 1.0}, np.inf),
        ((1.0, 2.0), (1.0,), np.inf),
        (object(), 1.0, np.inf),
        ((), (), np.inf),
    ],
)
def test_how_far_two_values_are_from_each_other(got, made, far):
    assert families.distance(got, made) == pytest.approx(far)


@pytest.mark.parametrize("number", [3e-9, 4e-13])
def test_any_number_of_a_mistake_is_named(number):
    def softmax_cross_entropy(Z, D, reduction="mean"):
        P = np.exp(Z - Z.max(axis=1, keepdims=True))
        P /= P.sum(axis=1, keepdims=True)
        log_p = np.log(np.clip(P, number, 1.0))
        picked = log_p[np.arange(len(D)), D] if np.ndim(D) == 1 else (D * log_p).sum(axis=1)
        return -picked.mean() if reduction == "mean" else -picked.sum()

    assert evaluate("losses.softmax_cross_entropy", softmax_cross_entropy).mistake == "probability_clipped"


@pytest.mark.parametrize("limit", [20, 77.5])
def test_any_limit_is_named(limit):
    assert evaluate("activations.relu", lambda x: np.minimum(np.maximum(x, 0), limit)).mistake == "clipped_above"


def test_the_number_of_one_case_has_to_hold_on_the_others():
    def fixed(*slopes):
        return lambda x, slope=0.01: np.where(x > 0, x, slopes[np.ndim(x) % len(slopes)] * x)

    assert evaluate("activations.leaky_relu", fixed(0.07)).mistake == "slope_fixed"
    assert evaluate("activations.leaky_relu", fixed(0.07, 0.05)).mistake is None


@pytest.mark.parametrize("number", [1.0, 0.0])
def test_an_answer_that_is_the_same_everywhere_has_no_number(number):
    assert evaluate("metrics.perplexity", lambda logits, labels: number).mistake is None
    assert evaluate("activations.relu", lambda x: np.full(x.shape, number)).mistake is None


def test_the_number_stands_for_theta_and_only_there():
    made = slip("eps", "θ", values=(1e-5, 0.5))
    assert [way.applied("x + eps") for way in made.ways] == ["x + 1e-05", "x + 0.5"]
    assert slip("a", "b").ways == [slip("a", "b")]
    for texts, values in ((("a", "θ"), ()), (("a", "b"), (1.0,)), (("θ", "b"), (1.0,))):
        with pytest.raises(TypeError, match="expected θ in a new text and some `values` for it, or neither"):
            slip(*texts, values=values)


@pytest.mark.parametrize("kept", [0.5, 0.75])
def test_a_share_that_is_always_the_same_is_named_however_it_is_drawn(kept):
    def keep_mask(shape, p, rng):
        return rng.binomial(1, kept, size=shape)

    assert evaluate("dropout.keep_mask", keep_mask).mistake == "p_fixed"


@pytest.mark.slow
def test_a_dropout_with_its_own_share_is_named():
    def dropout_forward(X, p, rng, train=True):
        scale = (rng.uniform(size=X.shape) < 0.75) / 0.75 if train else np.ones(X.shape)
        return scale * X, scale

    def dropout_backward(dY, scale):
        return scale * dY

    assert evaluate("dropout.dropout", dropout_forward, dropout_backward).mistake == "p_fixed"
