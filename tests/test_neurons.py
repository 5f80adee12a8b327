"""Neurons: losses and gradients against PyTorch, Rosenblatt's rule and the two descents against what they promise."""

from itertools import chain

import numpy as np
import pytest
from common import Operation
from hypothesis import given
from hypothesis import strategies as st

from dlcourse import neurons

TESTED_BELOW = ["neurons.perceptron_fit", "neurons.gd_fit", "neurons.sgd_fit"]


def data(rng, targets):
    N, D = rng.integers(2, 7, size=2)
    X = rng.standard_normal((N, D))
    named = {
        "signs": {"y": rng.choice([-1, 1], size=N)},
        "real": {"d": rng.standard_normal(N)},
        "classes": {"d": rng.integers(0, 2, size=N)},
        "none": {},
    }[targets]
    return {"X": X, **named, "w": rng.standard_normal(D), "b": np.asarray(rng.standard_normal())}


def with_targets(targets):
    return lambda rng: data(rng, targets)


def u_of(X, w, b):
    return X @ w + b


SHORT_W = [
    ({"w": lambda w: w[:-1]}, r"w: expected shape \(D,\) with D = \d as in X"),
    ({"b": lambda b: b[None]}, "b: expected a single number"),
]
COLUMN_D = [({"d": lambda d: d[:, None]}, r"d: expected shape \(N,\)")]
COLUMN_Y = [
    ({"y": lambda y: y[:, None]}, r"y: expected shape \(N,\)"),
    ({"y": lambda y: (y + 1) // 2}, "y: expected targets −1 or"),
]


def criterion_oracle(torch, X, y, w, b):
    margin = y * u_of(X, w, b)
    return -(margin * (margin <= 0)).sum()


def _loss(name, targets, oracle, bad):
    return Operation(
        f"neurons.{name}_loss",
        "loss",
        with_targets(targets),
        wrt=("w", "b"),
        gradient=getattr(neurons, f"{name}_grad"),
        oracle=oracle,
        bad=bad,
    )


OPERATIONS = [
    Operation(
        "neurons.preactivation", "plain", with_targets("none"), oracle=lambda torch, X, w, b: u_of(X, w, b), bad=SHORT_W
    ),
    Operation(
        "neurons.perceptron_predict",
        "plain",
        with_targets("none"),
        oracle=lambda torch, X, w, b: torch.where(u_of(X, w, b) >= 0, 1, -1),
        bad=SHORT_W,
    ),
    Operation(
        "neurons.perceptron_criterion",
        "loss",
        with_targets("signs"),
        wrt=("w", "b"),
        oracle=criterion_oracle,
        bad=SHORT_W + COLUMN_Y,
    ),
    Operation(
        "neurons.signed_distance",
        "plain",
        with_targets("none"),
        oracle=lambda torch, X, w, b: u_of(X, w, b) / torch.linalg.norm(w),
        bad=[*SHORT_W, ({"w": lambda w: 0 * w}, "w: expected at least one weight that is not 0")],
    ),
    _loss(
        "linear_neuron", "real", lambda torch, X, d, w, b: 0.5 * ((d - u_of(X, w, b)) ** 2).sum(), SHORT_W + COLUMN_D
    ),
    _loss(
        "sigmoid_neuron",
        "classes",
        lambda torch, X, d, w, b: 0.5 * ((d - torch.sigmoid(u_of(X, w, b))) ** 2).sum(),
        SHORT_W + COLUMN_D,
    ),
    _loss(
        "logistic_neuron",
        "classes",
        lambda torch, X, d, w, b: torch.nn.functional.binary_cross_entropy_with_logits(
            u_of(X, w, b), d.to(w.dtype), reduction="sum"
        ),
        [*SHORT_W, *COLUMN_D, ({"d": lambda d: d - 1}, "d: expected targets from 0 to 1, got -1")],
    ),
    Operation(
        "neurons.logistic_neuron_predict",
        "plain",
        with_targets("none"),
        oracle=lambda torch, X, w, b: (torch.sigmoid(u_of(X, w, b)) > 0.5).to(torch.int64),
        bad=SHORT_W,
    ),
]


def separable(rng, N=40):
    """Two classes with a gap around a random line, as floats and signs."""
    X = rng.standard_normal((N, 2))
    w, b = np.array([1.5, -0.7]), 0.3
    margin = X @ w + b
    X += 0.3 * np.sign(margin)[:, None] * w / np.linalg.norm(w)
    return X, np.where(margin >= 0, 1, -1)


def test_the_boundary_belongs_to_the_positive_class_and_counts_as_a_mistake():
    X, w = np.zeros((1, 2)), np.ones(2)
    assert neurons.perceptron_predict(X, w, 0.0).tolist() == [1]
    assert neurons.logistic_neuron_predict(X, w, 0.0).tolist() == [0]
    # y u = 0 is misclassified by the criterion's convention, and so moves the rule even where predict is right
    assert neurons.perceptron_fit(X, np.array([1]), w, 0.0, epochs=1)[2] == [1]


@given(st.integers(0, 2**32 - 1))
def test_perceptron_separates_what_can_be_separated(seed):
    rng = np.random.default_rng(seed)
    X, y = separable(rng)
    w, b, mistakes = neurons.perceptron_fit(X, y, np.zeros(2), 0.0, epochs=10_000)
    assert mistakes[-1] == 0 and all(m > 0 for m in mistakes[:-1])
    assert np.all(neurons.perceptron_predict(X, w, b) == y)
    # Novikoff: at most (R / γ)² mistakes, in the space with the bias as a further input of 1
    Z = np.column_stack([X, np.ones(len(X))])
    ideal = np.array([1.5, -0.7, 0.3])
    gamma = np.min(y * (Z @ ideal)) / np.linalg.norm(ideal)
    assert sum(mistakes) <= (np.max(np.linalg.norm(Z, axis=1)) / gamma) ** 2


def test_perceptron_fit_goes_example_by_example_in_order():
    X, y = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]), np.array([1, -1, -1])
    w, b, mistakes = neurons.perceptron_fit(X, y, np.zeros(2), 0.0, lr=0.5, epochs=2)
    # by hand: +½(1,0), then −½(0,2), then −½·(1,1) never (u = −½+…): worked out below in plain Python
    hand_w, hand_b, hand = [0.0, 0.0], 0.0, []
    for _ in range(2):
        hand.append(0)
        for x, t in zip(X.tolist(), y.tolist(), strict=True):
            if t * (x[0] * hand_w[0] + x[1] * hand_w[1] + hand_b) <= 0:
                hand_w = [hand_w[0] + 0.5 * t * x[0], hand_w[1] + 0.5 * t * x[1]]
                hand_b += 0.5 * t
                hand[-1] += 1
    assert w.tolist() == hand_w and b == hand_b and mistakes == hand


def test_perceptron_stops_after_the_epochs_on_xor():
    X, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([-1, 1, 1, -1])
    _, _, mistakes = neurons.perceptron_fit(X, y, np.zeros(2), 0.0, epochs=50)
    assert len(mistakes) == 50 and mistakes[-1] > 0


@pytest.mark.parametrize("fit", ["gd", "sgd"])
def test_the_linear_neuron_finds_the_least_squares_solution(fit):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((30, 3))
    d = X @ np.array([1.0, -2.0, 0.5]) + 0.7
    start = (np.zeros(3), 0.0)
    if fit == "gd":
        w, b = neurons.gd_fit(neurons.linear_neuron_grad, X, d, *start, lr=0.01, epochs=2000)
    else:
        w, b = neurons.sgd_fit(neurons.linear_neuron_grad, X, d, *start, lr=0.05, epochs=200, rng=rng)
    np.testing.assert_allclose([*w, b], [1.0, -2.0, 0.5, 0.7], rtol=1e-9)


def test_sgd_with_the_whole_batch_is_gd():
    rng = np.random.default_rng(4)
    X, d = rng.standard_normal((7, 2)), rng.integers(0, 2, 7)
    gd = neurons.gd_fit(neurons.logistic_neuron_grad, X, d, np.zeros(2), 0.0, lr=0.1, epochs=5)
    sgd = neurons.sgd_fit(neurons.logistic_neuron_grad, X, d, np.zeros(2), 0.0, 0.1, 5, rng, batch_size=7)
    np.testing.assert_allclose(gd[0], sgd[0], rtol=1e-12)


def test_sgd_sees_every_example_once_an_epoch():
    seen = []

    def grad(X, d, w, b):
        seen.append(X[:, 0].tolist())
        return 0 * w, 0.0

    X = np.arange(7.0)[:, None]
    neurons.sgd_fit(grad, X, X[:, 0], np.zeros(1), 0.0, 0.1, 2, np.random.default_rng(0), batch_size=3)
    assert [len(batch) for batch in seen] == [3, 3, 1] * 2
    first, second = list(chain(*seen[:3])), list(chain(*seen[3:]))
    assert sorted(first) == sorted(second) == X[:, 0].tolist() and first != second


@pytest.mark.parametrize("fit", [neurons.gd_fit, neurons.sgd_fit, neurons.perceptron_fit])
def test_fits_leave_their_start_alone_and_refuse_nonsense(fit):
    X, y, w = np.array([[1.0], [-2.0]]), np.array([1.0, -1.0]), np.array([-0.5])
    arguments = [X, y, w, 0.0] if fit is neurons.perceptron_fit else [neurons.linear_neuron_grad, X, y, w, 0.0]
    extra = {"rng": np.random.default_rng(0)} if fit is neurons.sgd_fit else {}
    fitted, *_ = fit(*arguments, lr=0.1, epochs=3, **extra)
    assert w.tolist() == [-0.5] and fitted is not w
    with pytest.raises(ValueError, match=r"lr: expected a number in \(0, inf\]"):
        fit(*arguments, lr=0.0, epochs=3, **extra)
    with pytest.raises(TypeError, match="epochs: expected a whole number"):
        fit(*arguments, lr=0.1, epochs=2.5, **extra)
    if extra:
        with pytest.raises(TypeError, match=r"rng: expected a numpy\.random.Generator"):
            fit(*arguments, lr=0.1, epochs=3, rng="0")


def test_logistic_loss_is_exact_far_from_the_boundary():
    X, w = np.array([[1000.0], [-1000.0], [1000.0]]), np.ones(1)
    assert neurons.logistic_neuron_loss(X, np.array([1, 0, 0]), w, 0.0) == 1000.0
    # −log f(40) = log(1 + e⁻⁴⁰), lost when it is computed as log of a probability
    assert neurons.logistic_neuron_loss(np.array([[40.0]]), np.array([1]), w, 0.0) == pytest.approx(
        np.exp(-40.0), rel=1e-12, abs=0.0
    )


def test_lists_and_integers_are_welcome():
    assert neurons.preactivation([[1, 2], [3, 4]], [1, -1], 0).dtype == np.float64
    dw, db = neurons.logistic_neuron_grad([[1, 2], [3, 4]], [0, 1], [0, 0], 0)
    assert dw.tolist() == [-1.0, -1.0] and db == 0.0


def test_the_bias_that_comes_back_is_nobody_elses():
    X, d, w, b = np.array([[1.0, 2.0]]), np.array([1.0]), np.ones(2), np.array(0.5)
    rng = np.random.default_rng(0)
    fitted = neurons.perceptron_fit(X, d, w, b)[:2]
    for found in (
        fitted,
        neurons.gd_fit(neurons.linear_neuron_grad, X, d, w, b, 0.1, 0),
        neurons.sgd_fit(neurons.linear_neuron_grad, X, d, w, b, 0.1, 0, rng),
    ):
        assert not np.shares_memory(found[0], w) and not np.shares_memory(found[1], b)


def test_no_epochs_are_no_reason_to_check_nothing():
    X, d, w = np.array([[1.0, 2.0]]), np.array([1.0]), np.ones(2)
    with pytest.raises(TypeError, match="rng"):
        neurons.sgd_fit(neurons.linear_neuron_grad, X, d, w, 0.0, 0.1, 0, None)
    with pytest.raises(ValueError, match="batch_size"):
        neurons.sgd_fit(neurons.linear_neuron_grad, X, d, w, 0.0, 0.1, 0, np.random.default_rng(0), batch_size=0)
