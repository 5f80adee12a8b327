"""Optimizers: one step and long runs against torch.optim, and against the same rule on single numbers."""

import math
import re
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.optimize
from common import Operation, flatten, map_arrays
from hypothesis import given
from hypothesis import strategies as st

from autograder import evaluate
from dlcourse import _tree, optimizers
from dlcourse.optimizers import AdadeltaState, AdamState, MomentumState, SgdState, SquareState

NAMES = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamw"]

TESTED_BELOW = [
    *(f"optimizers.{name}_init" for name in NAMES),
    "optimizers.lbfgs",
    "optimizers.line_search",
    "optimizers.step_decay",
    "optimizers.cosine",
    "optimizers.warmup_cosine",
    "_tree.is_leaf",
    "_tree.zip_leaves",
    "_tree.rebuild",
    "_tree.zeros_like",
]


class Layer(NamedTuple):
    W: Any
    b: Any


def tree(draw):
    """Every kind of nesting at once, with an array of no axes among the leaves."""
    return {
        "first": Layer(draw((3, 2)), draw((2,))),
        "rest": [(draw((2, 2)), draw(())), {"scale": draw((4,))}],
    }


def one_array(draw):
    return draw((3, 4))


def inputs_of_step(state, form=tree, **options):
    """rng -> arguments of a step in the middle of a run: the state is not that of the start."""

    def inputs(rng):
        def normal():
            return form(lambda shape: np.asarray(rng.standard_normal(shape)))

        def positive():
            return form(lambda shape: np.asarray(rng.uniform(0.1, 2.0, shape)))

        w, dw = normal(), normal()
        return {"w": w, "dw": dw, "state": state(normal, positive), **options}

    return inputs


STATES = {
    "sgd": lambda normal, positive: SgdState(),
    "momentum": lambda normal, positive: MomentumState(normal()),
    "nesterov": lambda normal, positive: MomentumState(normal()),
    "adagrad": lambda normal, positive: SquareState(positive()),
    "rmsprop": lambda normal, positive: SquareState(positive()),
    "adadelta": lambda normal, positive: AdadeltaState(positive(), positive()),
    "adam": lambda normal, positive: AdamState(3, normal(), positive()),
    "adamw": lambda normal, positive: AdamState(3, normal(), positive()),
}


def refill(structure, leaves):
    """The tree with its arrays replaced, in order."""
    remaining = iter(leaves)

    def walk(x):
        if isinstance(x, dict):
            return {key: walk(y) for key, y in x.items()}
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            return type(x)(*map(walk, x))
        return type(x)(map(walk, x)) if isinstance(x, tuple | list) else next(remaining)

    return walk(structure)


def torch_optimizer(torch, name, parameters, options):
    """torch.optim's optimizer of that name, with its words for our options."""
    classes = {"adagrad": "Adagrad", "rmsprop": "RMSprop", "adadelta": "Adadelta", "adam": "Adam", "adamw": "AdamW"}
    words = {"alpha" if name == "rmsprop" and key == "rho" else key: x for key, x in options.items()}
    if "beta1" in words:
        words["betas"] = (words.pop("beta1"), words.pop("beta2"))
    if name == "nesterov":
        words["nesterov"] = True
    return getattr(torch.optim, classes.get(name, "SGD"))(parameters, **words)


# our fields of the state in torch's words; torch keeps the learning rate outside the velocity
WORDS = {
    "sgd": (),
    "momentum": ("momentum_buffer",),
    "nesterov": ("momentum_buffer",),
    "adagrad": ("sum",),
    "rmsprop": ("square_avg",),
    "adadelta": ("square_avg", "acc_delta"),
    "adam": ("exp_avg", "exp_avg_sq"),
    "adamw": ("exp_avg", "exp_avg_sq"),
}


def torch_step(name):
    """An oracle: torch.optim, given the state, takes one step."""

    def oracle(torch, w, dw, state, **options):
        parameters = [torch.nn.Parameter(x.clone()) for x in flatten(w).values()]
        optimizer = torch_optimizer(torch, name, parameters, options)
        unit = options["lr"] if WORDS[name] == ("momentum_buffer",) else 1.0
        fields = [list(flatten(tree).values()) for tree in state if not isinstance(tree, int)]
        for i, (p, g) in enumerate(zip(parameters, flatten(dw).values(), strict=True)):
            p.grad = g.clone()
            if fields:
                kept = {word: field[i] / unit for word, field in zip(WORDS[name], fields, strict=True)}
                optimizer.state[p] = {"step": torch.tensor(float(getattr(state, "t", 1))), **kept}
        optimizer.step()
        trees = [refill(w, [optimizer.state[p][word] * unit for p in parameters]) for word in WORDS[name]]
        time = [state.t + 1] if hasattr(state, "t") else []
        return refill(w, [p.detach() for p in parameters]), type(state)(*time, *trees)

    return oracle


def nesterov_oracle(torch, w, dw, state, lr, momentum):
    """torch's parameter is the look-ahead point w − γv."""

    def moved(w, v, share):
        return refill(w, [p + share * x for p, x in zip(flatten(w).values(), flatten(v).values(), strict=True)])

    ahead, state = torch_step("nesterov")(torch, moved(w, state.v, -momentum), dw, state, lr=lr, momentum=momentum)
    return moved(ahead, state.v, momentum), state


ORACLES = {name: torch_step(name) for name in NAMES} | {"nesterov": nesterov_oracle}

OPTIONS = {
    "sgd": {"lr": 0.1},
    "momentum": {"lr": 0.1, "momentum": 0.8, "dampening": 0.3},
    "nesterov": {"lr": 0.1, "momentum": 0.8},
    "adagrad": {"lr": 0.1, "eps": 0.05},
    "rmsprop": {"lr": 0.1, "rho": 0.7, "eps": 0.05},
    "adadelta": {"lr": 0.5, "rho": 0.7, "eps": 0.05},
    "adam": {"lr": 0.1, "beta1": 0.8, "beta2": 0.9, "eps": 0.05},
    "adamw": {"lr": 0.1, "beta1": 0.8, "beta2": 0.9, "eps": 0.05, "weight_decay": 0.3},
}

BAD_STEP = [
    ({"lr": -0.1}, r"lr: expected a number in \[0, inf\), got -0.1"),
    ({"lr": "fast"}, r"lr: expected a number"),
    ({"state": None}, r"state: expected a NamedTuple with the fields \(.*\), got None"),
    ({"dw": lambda dw: [dw]}, "dw: expected"),
]


def clip_oracle(torch, grads, max_norm):
    leaves = [torch.nn.Parameter(torch.zeros_like(g)) for g in flatten(grads).values()]
    for p, g in zip(leaves, flatten(grads).values(), strict=True):
        p.grad = g.clone()
    norm = torch.nn.utils.clip_grad_norm_(leaves, max_norm)
    # torch divides by the norm + 10⁻⁶
    scale = (norm + 1e-6) / norm if norm + 1e-6 > max_norm else 1.0
    return refill(grads, [scale * p.grad for p in leaves]), norm


def clip_value_oracle(torch, grads, limit):
    return refill(grads, [torch.clamp(g, -limit, limit) for g in flatten(grads).values()])


def gradients(form):
    return lambda rng: {"grads": form(lambda shape: np.asarray(rng.standard_normal(shape)))}


OPERATIONS = [
    *(
        Operation(
            f"optimizers.{name}_step",
            "plain",
            inputs_of_step(STATES[name], one_array if name in ("sgd", "adam") else tree, **OPTIONS[name]),
            oracle=ORACLES[name],
            bad=BAD_STEP
            + [
                ({share: 1.0}, rf"{share}: expected a number in \[0, 1\), got 1")
                for share in ("momentum", "rho", "beta1", "beta2")
                if share in OPTIONS[name]
            ],
        )
        for name in NAMES
    ),
    Operation(
        "optimizers.nesterov_lookahead",
        "plain",
        lambda rng: {
            "w": rng.standard_normal(3),
            "state": MomentumState(rng.standard_normal(3)),
            "momentum": 0.7,
        },
        oracle=lambda torch, w, state, momentum: torch.add(w, state.v, alpha=-momentum),
        bad=[({"state": SgdState()}, r"state: expected a NamedTuple with the fields \(v\)")],
    ),
    Operation(
        "optimizers.clip_grad_norm",
        "plain",
        lambda rng: gradients(tree)(rng) | {"max_norm": 1.5},
        oracle=clip_oracle,
        bad=[
            ({"max_norm": 0.0}, r"max_norm: expected a number in \(0, inf\]"),
            ({"grads": []}, "grads: expected at le"),
        ],
    ),
    Operation(
        "optimizers.clip_grad_value",
        "plain",
        lambda rng: gradients(tree)(rng) | {"limit": 0.5},
        oracle=clip_value_oracle,
        bad=[({"limit": -1.0}, r"limit: expected a number in \(0, inf\]")],
    ),
]


# ---- many steps ----


def varying(rng, steps, shape):
    """Gradients of changing size and sign, with zeros among them."""
    g = rng.standard_normal((steps, *shape)) * 10.0 ** rng.uniform(-3, 2, shape)
    return g * (rng.random((steps, *shape)) > 0.1)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "nesterov"])
def test_two_hundred_steps_are_torchs(name, dtype):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(5)
    options = {key: x for key, x in OPTIONS[name].items() if key != "dampening"}
    w = rng.standard_normal((3, 2)).astype(dtype)
    p = torch.nn.Parameter(torch.tensor(w.copy()))
    optimizer = torch_optimizer(torch, name, [p], options)
    init, step = getattr(optimizers, f"{name}_init"), getattr(optimizers, f"{name}_step")
    state = init(w)
    for g in varying(rng, 200, w.shape).astype(dtype):
        w, state = step(w, g, state, **options)
        p.grad = torch.tensor(g)
        optimizer.step()
        expected = p.detach().numpy()
        error = np.max(np.abs(w - expected)) / np.max(np.abs(expected))
        assert error < (1e-10 if dtype == np.float64 else 1e-5), f"{name}: {error:.1e}"
    assert w.dtype == dtype and all(x.dtype == dtype for x in state if not isinstance(x, int))


def test_two_hundred_nesterov_steps_are_torchs_at_the_lookahead():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(6)
    A, w = np.diag([1.0, 30.0, 5.0]), rng.standard_normal(3)
    theta = torch.nn.Parameter(torch.tensor(w.copy()))
    optimizer = torch.optim.SGD([theta], lr=0.01, momentum=0.9, nesterov=True)
    state = optimizers.nesterov_init(w)
    for b in rng.standard_normal((200, 3)):
        lookahead = optimizers.nesterov_lookahead(w, state, 0.9)
        np.testing.assert_allclose(lookahead, theta.detach().numpy(), rtol=0, atol=1e-12)
        w, state = optimizers.nesterov_step(w, A @ lookahead + b, state, lr=0.01, momentum=0.9)
        theta.grad = torch.tensor(A @ theta.detach().numpy() + b)
        optimizer.step()


def scalar_run(name, w, gradients, **o):
    """The catalogue's rule on one number, in plain Python: w after each step, and the state at the end."""
    v = r = u = m = 0.0
    path = []
    for t, g in enumerate(gradients, start=1):
        if name == "sgd":
            w -= o["lr"] * g
        elif name in ("momentum", "nesterov"):
            v = o["momentum"] * v + o["lr"] * (1 - o.get("dampening", 0.0)) * g
            w -= v
        elif name == "adagrad":
            r += g**2
            w -= o["lr"] * g / (math.sqrt(r) + o["eps"])
        elif name == "rmsprop":
            r = o["rho"] * r + (1 - o["rho"]) * g**2
            w -= o["lr"] * g / (math.sqrt(r) + o["eps"])
        elif name == "adadelta":
            r = o["rho"] * r + (1 - o["rho"]) * g**2
            delta = math.sqrt(u + o["eps"]) / math.sqrt(r + o["eps"]) * g
            u = o["rho"] * u + (1 - o["rho"]) * delta**2
            w -= o["lr"] * delta
        else:
            w *= 1 - o["lr"] * o.get("weight_decay", 0.0)
            m = o["beta1"] * m + (1 - o["beta1"]) * g
            v = o["beta2"] * v + (1 - o["beta2"]) * g**2
            m_hat, v_hat = m / (1 - o["beta1"] ** t), v / (1 - o["beta2"] ** t)
            w -= o["lr"] * m_hat / (math.sqrt(v_hat) + o["eps"])
        path.append(w)
    kept = {"sgd": (), "momentum": (v,), "nesterov": (v,), "adagrad": (r,), "rmsprop": (r,), "adadelta": (r, u)}
    return path, kept.get(name, (len(gradients), m, v))


@pytest.mark.parametrize("name", NAMES)
def test_the_rule_on_single_numbers(name):
    """With a large ε, so that its place shows, and dampening, where torch differs in the first step."""
    rng = np.random.default_rng(7)
    w, gradients = rng.standard_normal(5), varying(rng, 50, (5,))
    state, path = getattr(optimizers, f"{name}_init")(w), []
    start = w
    for g in gradients:
        w, state = getattr(optimizers, f"{name}_step")(w, g, state, **OPTIONS[name])
        path.append(w)
    for i in range(5):
        expected, kept = scalar_run(name, start[i], gradients[:, i], **OPTIONS[name])
        np.testing.assert_allclose([w[i] for w in path], expected, rtol=1e-11)
        np.testing.assert_allclose([x if isinstance(x, int) else x[i] for x in state], kept, rtol=1e-11)


DEFAULTS = {
    "sgd": {"lr": 0.01},
    "momentum": {"lr": 0.01, "momentum": 0.9, "dampening": 0.0},
    "nesterov": {"lr": 0.01, "momentum": 0.9},
    "adagrad": {"lr": 0.01, "eps": 1e-8},
    "rmsprop": {"lr": 0.001, "rho": 0.9, "eps": 1e-8},
    "adadelta": {"lr": 1.0, "rho": 0.95, "eps": 1e-6},
    "adam": {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
    "adamw": {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.01},
}


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_the_papers(name):
    w, g = np.array([0.7]), np.array([-1.3])
    w, _ = getattr(optimizers, f"{name}_step")(w, g, getattr(optimizers, f"{name}_init")(w))
    np.testing.assert_allclose(w, scalar_run(name, 0.7, [-1.3], **DEFAULTS[name])[0], rtol=1e-14)


def test_adam_moves_by_the_learning_rate_from_the_first_step():
    """E01, E11: 20 steps of gradient 1 with α = 0.001 move w by −0.02; uncorrected or wrongly corrected far less."""
    w = np.array([0.0])
    state = optimizers.adam_init(w)
    for t in range(1, 21):
        w, state = optimizers.adam_step(w, np.array([1.0]), state, lr=0.001)
        assert state.t == t and type(state.t) is int
    np.testing.assert_allclose(w, [-0.02], rtol=1e-6)
    np.testing.assert_allclose(state.m, [1 - 0.9**20], rtol=1e-12)


def test_adagrads_first_step_is_the_learning_rate():
    """E34: the sum includes the current gradient."""
    w, _ = optimizers.adagrad_step(np.array([1.0]), np.array([1.0]), optimizers.adagrad_init(np.ones(1)), lr=0.01)
    np.testing.assert_allclose(w, [0.99], rtol=1e-9)


def test_adamw_is_not_adam_with_a_penalty():
    w = np.array([2.0, -4.0])
    decayed, _ = optimizers.adamw_step(w, np.zeros(2), optimizers.adamw_init(w), lr=0.1, weight_decay=0.5)
    np.testing.assert_allclose(decayed, 0.95 * w, rtol=1e-15)
    penalised, _ = optimizers.adam_step(w, 0.5 * w, optimizers.adam_init(w), lr=0.1)
    np.testing.assert_allclose(penalised, w - 0.1 * np.sign(w), rtol=1e-7)
    plain, _ = optimizers.adam_step(w, w, optimizers.adam_init(w))
    same, _ = optimizers.adamw_step(w, w, optimizers.adamw_init(w), weight_decay=0.0)
    np.testing.assert_array_equal(plain, same)


# ---- trees and states ----

FIELDS = {
    "sgd": (),
    "momentum": ("v",),
    "nesterov": ("v",),
    "adagrad": ("r",),
    "rmsprop": ("r",),
    "adadelta": ("r", "u"),
    "adam": ("t", "m", "v"),
    "adamw": ("t", "m", "v"),
}


def form_of(x):
    if isinstance(x, dict):
        return {key: form_of(y) for key, y in x.items()}
    if isinstance(x, tuple | list):
        return (type(x), [form_of(y) for y in x])
    return (np.shape(x), np.asarray(x).dtype)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_state_has_the_fields_and_the_tree_of_w(name, dtype):
    rng = np.random.default_rng(8)
    w = tree(lambda shape: np.asarray(rng.standard_normal(shape)).astype(dtype))
    init, step = getattr(optimizers, f"{name}_init"), getattr(optimizers, f"{name}_step")
    state = init(w)
    assert state._fields == FIELDS[name]
    for field, x in state._asdict().items():
        if field == "t":
            assert x == 0 and type(x) is int
        else:
            assert form_of(x) == form_of(w)
            assert all(not np.any(leaf) for leaf in flatten(x).values())
    # a gradient in another precision does not change that of the parameters
    dw = map_arrays(lambda x: np.asarray(x, dtype=np.float64), w)
    new, state = step(w, dw, state)
    new, state = step(new, dw, state)
    assert form_of(new) == form_of(w)
    assert all(form_of(x) == form_of(w) for field, x in state._asdict().items() if field != "t")


@pytest.mark.parametrize("name", NAMES)
def test_a_tree_steps_leaf_by_leaf(name):
    rng = np.random.default_rng(9)
    init, step = getattr(optimizers, f"{name}_init"), getattr(optimizers, f"{name}_step")
    w = tree(lambda shape: rng.standard_normal(shape))
    leaves, states = list(flatten(w).values()), [init(x) for x in flatten(w).values()]
    state = init(w)
    for _ in range(3):
        dw = map_arrays(lambda x: rng.standard_normal(x.shape), map_arrays(np.asarray, w))
        w, state = step(w, dw, state)
        for i, g in enumerate(flatten(dw).values()):
            leaves[i], states[i] = step(leaves[i], g, states[i])
    for ours, alone in zip(flatten(w).values(), leaves, strict=True):
        np.testing.assert_array_equal(ours, alone)


@pytest.mark.parametrize("name", NAMES)
def test_the_state_passed_in_stays_and_can_step_twice(name):
    w, g = np.array([1.0, 2.0]), np.array([0.5, -0.5])
    init, step = getattr(optimizers, f"{name}_init"), getattr(optimizers, f"{name}_step")
    _, state = step(w, g, init(w))
    before = map_arrays(np.copy, state)
    first, second = step(w, g, state), step(w, g, state)
    for x, y in zip(flatten(first).values(), flatten(second).values(), strict=True):
        np.testing.assert_array_equal(x, y)
    for x, y in zip(flatten(state).values(), flatten(before).values(), strict=True):
        np.testing.assert_array_equal(x, y)


def test_numbers_lists_and_integers_are_welcome():
    w, _ = optimizers.sgd_step([1, 2], [1, 1], optimizers.sgd_init([1, 2]), lr=0.5)
    assert isinstance(w, np.ndarray) and w.tolist() == [0.5, 1.5]
    w, _ = optimizers.sgd_step([[1, 2], [3, 4]], np.ones((2, 2)), SgdState(), lr=1.0)
    assert w.tolist() == [[0.0, 1.0], [2.0, 3.0]]
    # a neuron: weights and a bias
    w, _ = optimizers.momentum_step(
        (np.ones(2), 0.5), (np.ones(2), 1.0), optimizers.momentum_init((np.ones(2), 0.5)), lr=0.5
    )
    assert type(w) is tuple and w[0].tolist() == [0.5, 0.5] and w[1] == 0.0
    assert optimizers.adam_init(np.array([1, 2])).m.dtype == np.float64


def test_an_option_in_double_precision_does_not_decide_the_dtype():
    w = np.ones(2, dtype=np.float32)
    for name in NAMES:
        options = {key: np.float64(x) for key, x in OPTIONS[name].items()}
        new, _ = getattr(optimizers, f"{name}_step")(w, w, getattr(optimizers, f"{name}_init")(w), **options)
        assert new.dtype == np.float32, name


def test_what_does_not_fit_is_named():
    w = {"W": [np.ones((2, 3))], "b": np.ones(3)}
    state = optimizers.adam_init(w)
    cases = [
        ({"W": [np.ones((2, 3))]}, r"dw: expected a dict with the keys 'W', 'b' as in w, got a dict with the keys 'W'"),
        ({"W": np.ones((2, 3)), "b": np.ones(3)}, r"dw\['W'\]: expected a list of 1 as in w, got a ndarray"),
        (
            {"W": [np.ones((3, 2))], "b": np.ones(3)},
            r"dw\['W'\]\[0\]: expected shape \(2, 3\) as in w, got \(3, 2\)",
        ),
        ({"W": [np.ones((2, 3))], "b": "no"}, r"dw\['b'\]: expected an array of numbers, got str"),
        ({"W": [np.ones((2, 3))], "b": np.ones((3, 1))}, r"dw\['b'\]: expected shape \(3,\)"),
    ]
    for dw, message in cases:
        with pytest.raises((ValueError, TypeError), match=message):
            optimizers.adam_step(w, dw, state)
    with pytest.raises(ValueError, match="m: expected a dict with the keys"):
        optimizers.adam_step(w, w, optimizers.adam_init(w["b"]))
    with pytest.raises(TypeError, match=r"state: expected a NamedTuple with the fields \(t, m, v\), got SgdState"):
        optimizers.adam_step(w, w, SgdState())
    with pytest.raises(ValueError, match=r"w: expected at least one array, got \{\}"):
        optimizers.sgd_init({})
    with pytest.raises(ValueError, match=r"weight_decay: expected a number in \[0, inf\), got -1"):
        optimizers.adamw_step(w, w, state, weight_decay=-1)
    with pytest.raises(ValueError, match="t: expected a whole number of at least 0, got -1"):
        optimizers.adam_step(w, w, state._replace(t=-1))


# {share of an optimizer: the interval it lies in}
SHARES = {
    ("momentum", "momentum"): "[0, 1)",
    ("momentum", "dampening"): "[0, 1]",
    ("nesterov", "momentum"): "[0, 1)",
    ("rmsprop", "rho"): "[0, 1)",
    ("adadelta", "rho"): "[0, 1)",
    ("adam", "beta1"): "[0, 1)",
    ("adamw", "beta2"): "[0, 1)",
}


@pytest.mark.parametrize(("name", "share"), SHARES)
def test_a_share_is_less_than_one(name, share):
    w, interval = np.ones(2), SHARES[name, share]
    init, step = getattr(optimizers, f"{name}_init"), getattr(optimizers, f"{name}_step")
    for bad in (1.5, -0.5) if interval.endswith("]") else (1.0, 1.5, -0.5):
        with pytest.raises(
            ValueError, match=f"^{re.escape(f'{share}: expected a number in {interval}, got {bad:g}')}$"
        ):
            step(w, w, init(w), **{share: bad})
    if interval.endswith("]"):
        assert step(w, w, init(w), **{share: 1.0})[0].tolist() == [1.0, 1.0]


def test_the_look_ahead_is_where_the_velocity_leads():
    w, state = {"W": np.array([1.0, 2.0])}, MomentumState({"W": np.array([0.5, -1.0])})
    assert optimizers.nesterov_lookahead(w, state, momentum=0.5)["W"].tolist() == [0.75, 2.5]
    np.testing.assert_allclose(optimizers.nesterov_lookahead(w, state)["W"], [0.55, 2.9], rtol=1e-15)
    assert w["W"].tolist() == [1.0, 2.0]
    with pytest.raises(TypeError, match=r"^state: expected a NamedTuple with the fields \(v\), got SgdState\(\)$"):
        optimizers.nesterov_lookahead(w, SgdState())
    with pytest.raises(ValueError, match=r"^momentum: expected a number in \[0, 1\), got 1$"):
        optimizers.nesterov_lookahead(w, state, momentum=1.0)
    with pytest.raises(ValueError, match=r"v: expected a dict with the keys 'W' as in w, got a dict with the keys 'V'"):
        optimizers.nesterov_lookahead(w, MomentumState({"V": np.ones(2)}))


def test_tree_helpers():
    assert _tree.is_leaf([[1, 2], [3, 4.0]]) and not _tree.is_leaf([]) and not _tree.is_leaf((1, 2))
    assert not _tree.is_leaf([np.ones(2)]) and not _tree.is_leaf(Layer(1, 2))
    zeros = _tree.zeros_like({"a": [np.ones(2, dtype=np.float32), ()]})
    assert zeros["a"][0].tolist() == [0, 0] and zeros["a"][0].dtype == np.float32 and zeros["a"][1] == ()


# ---- clipping ----


@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3))
def test_clipping_bounds_the_norm_and_keeps_the_direction(seed, max_norm):
    rng = np.random.default_rng(seed)
    grads = tree(lambda shape: np.asarray(rng.standard_normal(shape)))
    flat = np.concatenate([np.ravel(x) for x in flatten(grads).values()])
    clipped, norm = optimizers.clip_grad_norm(grads, max_norm)
    flat_clipped = np.concatenate([np.ravel(x) for x in flatten(clipped).values()])
    np.testing.assert_allclose(norm, np.linalg.norm(flat), rtol=1e-14)
    if norm <= max_norm:
        np.testing.assert_array_equal(flat_clipped, flat)
    else:
        np.testing.assert_allclose(np.linalg.norm(flat_clipped), max_norm, rtol=1e-14)
        np.testing.assert_allclose(flat_clipped, flat * (max_norm / norm), rtol=1e-13)


def test_clipping_at_the_edges():
    zeros, norm = optimizers.clip_grad_norm([np.zeros(3)], 1.0)
    assert norm == 0.0 and zeros[0].tolist() == [0.0, 0.0, 0.0]
    huge, norm = optimizers.clip_grad_norm(np.full(4, 1e30, dtype=np.float32), 1.0)
    assert norm == np.float32(2e30) and norm.dtype == huge.dtype == np.float32
    np.testing.assert_allclose(huge, 0.5, rtol=1e-6)
    _, norm = optimizers.clip_grad_norm(np.array([3e-200, 4e-200]), 1.0)
    assert norm == pytest.approx(5e-200, rel=1e-14)
    for bad in (np.inf, np.nan):
        grads, norm = optimizers.clip_grad_norm(np.array([1.0, bad]), 1.0)
        np.testing.assert_array_equal(grads, [1.0, bad])
        assert not np.isfinite(norm)
    g = np.array([3.0, 4.0])
    measured, norm = optimizers.clip_grad_norm(g, np.inf)
    assert norm == 5.0 and measured.tolist() == [3.0, 4.0] and not np.shares_memory(measured, g)
    assert optimizers.clip_grad_norm((np.ones(0), g), 10.0)[1] == 5.0


@pytest.mark.parametrize("clip", [optimizers.clip_grad_norm, optimizers.clip_grad_value])
@pytest.mark.parametrize("bound", [0, -1.5])
def test_a_bound_is_positive(clip, bound):
    name = "max_norm" if clip is optimizers.clip_grad_norm else "limit"
    with pytest.raises(ValueError, match=rf"^{name}: expected a number in \(0, inf\], got {bound}$"):
        clip(np.ones(2), bound)


def test_every_entry_is_clipped_by_itself():
    grads = {"W": np.array([[-3.0, 0.25], [0.5, 7.0]]), "b": [np.array([-0.5, np.inf])]}
    clipped = optimizers.clip_grad_value(grads, 0.5)
    assert clipped["W"].tolist() == [[-0.5, 0.25], [0.5, 0.5]] and clipped["b"][0].tolist() == [-0.5, 0.5]
    assert grads["W"][0, 0] == -3.0


# ---- schedules ----


def test_schedules_by_hand():
    assert [optimizers.step_decay(t, 1.0, 0.1, 3) for t in range(4)] == [1.0, 1.0, 1.0, pytest.approx(0.1)]
    assert optimizers.step_decay(25, 0.8) == pytest.approx(0.2)
    assert optimizers.cosine(0, 0.3, 10, 0.1) == pytest.approx(0.3)
    assert optimizers.cosine(5, 0.3, 10, 0.1) == pytest.approx(0.2)
    assert optimizers.cosine(10, 0.3, 10, 0.1) == optimizers.cosine(99, 0.3, 10, 0.1) == 0.1
    assert [optimizers.warmup_cosine(t, 0.4, 12, 4, 0.1) for t in (0, 1, 4, 8, 12)] == pytest.approx(
        [0.0, 0.1, 0.4, 0.25, 0.1]
    )
    assert optimizers.warmup_cosine(3, 0.4, 12, 0) == optimizers.cosine(3, 0.4, 12)
    assert optimizers.step_decay(9, 0.8) == 0.8 and optimizers.step_decay(10, 0.8) == 0.4
    assert optimizers.warmup_cosine(0, 0.4, 12, 0) == 0.4 and optimizers.warmup_cosine(0.25, 0.5, 0.75, 0.5) == 0.25
    for rate in (optimizers.step_decay(3, 1), optimizers.cosine(3, 1, 7), optimizers.warmup_cosine(1, 1, 7, 2)):
        assert type(rate) is float


@given(st.integers(1, 200), st.data())
def test_cosine_falls_from_lr_to_lr_min(total, data):
    rates = [optimizers.cosine(t, 1.0, total, 0.25) for t in range(total + 1)]
    assert rates[0] == 1.0 and rates[-1] == 0.25 and all(a >= b for a, b in pairwise(rates))
    t = data.draw(st.integers(0, total))
    assert rates[t] + rates[total - t] == pytest.approx(1.25)


def test_cosine_is_torchs():
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20, eta_min=0.01)
    for t in range(21):
        assert optimizers.cosine(t, 0.3, 20, 0.01) == pytest.approx(schedule.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        schedule.step()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: optimizers.step_decay(-1, 0.1), r"step: expected a number in \[0, inf\), got -1"),
        (lambda: optimizers.step_decay(1, 0.1, every=0), "every: expected a whole number of at least 1, got 0"),
        (lambda: optimizers.step_decay(1, 0.1, factor=0.0), r"factor: expected a number in \(0, inf\]"),
        (lambda: optimizers.cosine(1, -0.1, 10), r"lr: expected a number in \[0, inf\)"),
        (lambda: optimizers.cosine(1, 0.1, 0), r"total: expected a number in \(0, inf\)"),
        (lambda: optimizers.warmup_cosine(1, 0.1, 10, 10), r"warmup: expected a number in \[0, 10\), got 10"),
        (lambda: optimizers.warmup_cosine("a", 0.1, 10, 2), "step: expected a number"),
        (lambda: optimizers.cosine(1, 0.1, math.inf), r"total: expected a number in \(0, inf\), got inf$"),
        (lambda: optimizers.cosine(1, 0.1, 10, -1), r"^lr_min: expected a number in \[0, inf\), got -1$"),
        (lambda: optimizers.cosine(1, 0.1, 10, math.inf), r"^lr_min: expected a number in \[0, inf\), got inf$"),
        (lambda: optimizers.warmup_cosine(1, 0.1, 0, 0), r"^total: expected a number in \(0, inf\), got 0$"),
        (lambda: optimizers.warmup_cosine(1, 0.1, -1, 0), r"^total: expected a number in \(0, inf\), got -1$"),
        (lambda: optimizers.warmup_cosine(1, 0.1, math.inf, 0), r"^total: expected a number in \(0, inf\), got inf$"),
    ],
)
def test_schedules_refuse_nonsense(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


# ---- L-BFGS ----


def rosenbrock(w):
    return scipy.optimize.rosen(w), scipy.optimize.rosen_der(w)


def counted(f):
    def g(w):
        g.calls += 1
        return f(w)

    g.calls = 0
    return g


@pytest.mark.parametrize("D", [2, 10, 30])
def test_lbfgs_on_rosenbrock_as_well_as_scipy(D):
    start = np.tile([-1.2, 1.0], D // 2)
    f = counted(rosenbrock)
    w, losses = optimizers.lbfgs(f, start, max_iter=500)
    scipys = scipy.optimize.minimize(rosenbrock, start, jac=True, method="L-BFGS-B", options={"gtol": 1e-10, "ftol": 0})
    np.testing.assert_allclose(w, 1.0, atol=1e-6)
    np.testing.assert_allclose(w, scipys.x, atol=1e-6)
    assert losses[0] == rosenbrock(start)[0] and losses[-1] == rosenbrock(w)[0]
    assert all(later <= before for before, later in pairwise(losses))
    assert all(type(J) is float for J in losses)
    assert f.calls <= 1.5 * scipys.nfev + 10


def test_lbfgs_stops_after_max_iter():
    w, losses = optimizers.lbfgs(rosenbrock, np.array([-1.2, 1.0]), max_iter=7)
    assert len(losses) == 8 and losses[-1] == rosenbrock(w)[0]
    start = np.array([-1.2, 1.0])
    w, losses = optimizers.lbfgs(rosenbrock, start, max_iter=0)
    assert w.tolist() == start.tolist() and len(losses) == 1 and not np.shares_memory(w, start)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 12))
def test_lbfgs_never_rises_and_solves_a_quadratic(seed, D, history):
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal((D, D)))[0]
    A, b = Q @ np.diag(10.0 ** rng.uniform(-1, 2, D)) @ Q.T, rng.standard_normal(D)

    def bowl(w):
        return 0.5 * w @ A @ w - b @ w, A @ w - b

    w, losses = optimizers.lbfgs(bowl, 10.0 * rng.standard_normal(D), history=history, max_iter=1000)
    assert all(later <= before for before, later in pairwise(losses))
    assert losses[-1] == bowl(w)[0]
    np.testing.assert_allclose(A @ w, b, atol=1e-5)


def test_the_two_loops_are_the_matrix_formula():
    """H from the pairs by the BFGS update as a matrix (Nocedal, Wright (7.16)), against the recursion."""
    rng = np.random.default_rng(10)
    A = np.diag([1.0, 4.0, 9.0, 2.0])
    pairs = [(s, A @ s) for s in rng.standard_normal((3, 4))]
    s, y = pairs[-1]
    H = (s @ y) / (y @ y) * np.eye(4)
    for s, y in pairs:
        V = np.eye(4) - np.outer(y, s) / (y @ s)
        H = V.T @ H @ V + np.outer(s, s) / (y @ s)
    g = rng.standard_normal(4)
    np.testing.assert_allclose(optimizers._two_loop(g, pairs), H @ g, rtol=1e-12)


def searched(profile, alpha=1.0, **conditions):
    """The steps that the line search tries, and the loss it ends with; `profile` gives the loss and slope at a step.

    The search begins with the loss 0 and the slope −2.
    """
    tried = []

    def along(w):
        tried.append(float(w[0]))
        J, slope = profile(tried[-1])
        return J, np.array([slope])

    zero = np.zeros(1)
    found = optimizers._line_search(along, zero, zero, 0.0, np.array([-2.0]), np.ones(1), alpha, **conditions)
    return tried, found and found[1]


# {what: (loss and slope at a step, first step, conditions, steps tried, loss found)}
SEARCHES = {
    "both met at the limit": (lambda t: (-t, 1.0), 1.0, {"c1": 0.5, "c2": 0.5}, [1.0], -1.0),
    "flat enough at the limit": (lambda t: (-2.0 * t, -1.0), 1.0, {"c1": 0.5, "c2": 0.5}, [1.0], -2.0),
    "less steep than the limit": (lambda t: (-2.0 * t, -0.5), 1.0, {"c1": 0.5, "c2": 0.5}, [1.0], -2.0),
    "rises, but less than it fell": (lambda t: (-2.0 * t, 0.5), 1.0, {"c1": 0.5, "c2": 0.5}, [1.0], -2.0),
    "higher than before": (lambda t: (0.25 if t > 0.5 else -1.0, 0.0), 1.0, {}, [1.0, 0.5], -1.0),
    "does not fall enough": (lambda t: (-2e-5 if t > 0.5 else -1.0, 0.0), 1.0, {}, [1.0, 0.5], -1.0),
    "rises nearly as fast": (lambda t: (-1.0, 1.9 if t > 0.5 else 0.0), 1.0, {}, [1.0, 0.5], -1.0),
    "still steep": (lambda t: (-2.0 * t, -2.0 if t < 0.9 else 0.0), 0.25, {}, [0.25, 0.5, 1.0], -2.0),
    "between": (lambda t: (9.0 if t > 0.9 else -2.0 * t, -2.0 if t < 0.7 else 0.0), 0.5, {}, [0.5, 1.0, 0.75], -1.5),
}


@pytest.mark.parametrize("case", SEARCHES)
def test_the_line_search_takes_the_first_step_that_meets_both_conditions(case):
    profile, alpha, conditions, steps, loss = SEARCHES[case]
    assert searched(profile, alpha, **conditions) == (steps, loss)


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_a_found_length_meets_both_wolfe_conditions(seed, D):
    rng = np.random.default_rng(seed)
    curvature, centre = 10.0 ** rng.uniform(-2, 2, D), rng.standard_normal(D)

    def ripples(w):
        return float(np.sum(curvature * (w - centre) ** 2 - np.cos(w))), 2 * curvature * (w - centre) + np.sin(w)

    w = centre + 3.0 * rng.standard_normal(D)
    c1, c2 = sorted(rng.uniform(0.01, 0.5, 2))
    J, g = ripples(w)
    alpha, loss, dw = optimizers.line_search(
        ripples, w, -g, alpha=10.0 ** rng.uniform(-4, 2), c1=c1, c2=c2, max_iter=80
    )
    assert alpha > 0.0 and loss == ripples(w - alpha * g)[0]
    np.testing.assert_array_equal(dw, ripples(w - alpha * g)[1])
    assert loss <= J - c1 * alpha * g @ g and abs(dw @ g) <= c2 * g @ g


def test_a_line_search_keeps_the_tree_and_says_when_nothing_was_found():
    w = {"W": np.ones((2, 2), dtype=np.float32), "b": [np.array(2.0)]}

    def loss_and_grad(w):
        return np.sum(w["W"] ** 2) + float(w["b"][0]) ** 2, map_arrays(lambda x: 2 * x, w)

    alpha, loss, dw = optimizers.line_search(loss_and_grad, w, map_arrays(lambda x: -2 * x, w))
    assert (alpha, loss) == (0.5, 0.0) and form_of(dw) == form_of(w)
    # Downhill by its word only
    alpha, loss, dw = optimizers.line_search(lambda w: (-np.sum(w), np.ones(2)), np.ones(2), -np.ones(2), max_iter=4)
    assert (alpha, loss, dw.tolist()) == (0.0, -2.0, [1.0, 1.0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"p": np.ones(2)}, r"^p: expected a direction along which the loss falls, gᵀp < 0, got gᵀp = 4$"),
        ({"p": np.ones(3)}, r"^p: expected shape \(2,\) as in w, got \(3,\)"),
        ({"alpha": 0.0}, "^alpha: expected a number"),
        ({"c1": 0.95}, "^c1: expected a number"),
        ({"c2": 1.0}, "^c2: expected a number"),
        ({"max_iter": 0}, "^max_iter: expected a whole number of at least 1"),
        ({"loss_and_grad": lambda w: (math.nan, w)}, "^w: expected a point with a finite loss, got nan$"),
    ],
)
def test_a_line_search_names_bad_input(changes, message):
    def bowl(w):
        return float(w @ w), 2.0 * w

    with pytest.raises(ValueError, match=message):
        optimizers.line_search(**({"loss_and_grad": bowl, "w": np.ones(2), "p": -np.ones(2)} | changes))


def test_vectors_become_the_leaves_again():
    tree = {"a": np.ones(2, dtype=np.float32), "b": [np.ones((1, 2)), np.ones(())], "c": np.ones(3)}
    x = np.arange(8.0)
    made = optimizers._unflat(tree, x)
    assert form_of(made) == form_of(tree)
    assert [leaf.ravel().tolist() for leaf in flatten(made).values()] == [[0, 1], [2, 3], [4], [5, 6, 7]]
    assert not any(np.shares_memory(leaf, x) for leaf in flatten(made).values())
    np.testing.assert_array_equal(optimizers._flat(list(flatten(made).values())), x)


def test_lbfgs_without_options():
    """Ten pairs are remembered; where the loss falls for ever it ends after a hundred iterations."""
    with pytest.MonkeyPatch.context() as patch:
        lengths, two_loop = [], optimizers._two_loop
        patch.setattr(optimizers, "_two_loop", lambda g, pairs: lengths.append(len(pairs)) or two_loop(g, pairs))
        optimizers.lbfgs(rosenbrock, np.tile([-1.2, 1.0], 10))
    assert max(lengths) == 10 and len(lengths) > 20
    _, losses = optimizers.lbfgs(lambda w: (-w[0], np.array([-1.0])), np.zeros(1))
    assert len(losses) == 101


def test_lbfgs_keeps_tree_and_dtype():
    target = {"W": np.arange(6.0).reshape(2, 3), "b": [np.array(2.0)]}
    w0 = map_arrays(lambda x: np.zeros(x.shape, dtype=np.float32), target)

    def loss_and_grad(w):
        assert form_of(w) == form_of(w0)
        W, b = w["W"] - target["W"], w["b"][0] - target["b"][0]
        return np.sum(W**2) + np.sum(b**4), {"W": 2 * W, "b": [4 * b**3]}

    w, losses = optimizers.lbfgs(loss_and_grad, w0)
    assert form_of(w) == form_of(w0) and losses[0] == 55 + 16
    np.testing.assert_allclose(w["W"], target["W"], atol=1e-3)
    assert losses[-1] < 1e-6 and not np.any(w0["W"])


def test_lbfgs_backs_off_from_where_the_loss_is_not_finite():
    def barrier(w):
        if w[0] <= 0.0:
            return math.inf, np.array([math.nan])
        return 0.1 * w[0] - math.log(w[0]), np.array([0.1 - 1.0 / w[0]])

    w, losses = optimizers.lbfgs(barrier, np.array([1e-3]))
    np.testing.assert_allclose(w, [10.0], rtol=1e-6)
    assert np.all(np.isfinite(losses))
    with pytest.raises(ValueError, match="w0: expected a point with a finite loss, got inf"):
        optimizers.lbfgs(barrier, np.array([-1.0]))


def test_lbfgs_backs_off_from_where_the_gradient_is_not_a_number():
    def cliff(w):
        return (w[0] - 2.5) ** 2, np.array([2.0 * (w[0] - 2.5) if w[0] < 2.0 else math.nan])

    # the first trial step, one long, lands beyond the cliff at 2, and the loss there is lower
    w, losses = optimizers.lbfgs(cliff, np.array([1.3]), max_iter=1)
    assert w[0] < 2.0 and losses == [cliff([1.3])[0], cliff(w)[0]] and losses[1] < losses[0]


def test_lbfgs_remembers_as_much_as_it_is_told(monkeypatch):
    lengths, two_loop = [], optimizers._two_loop

    def watched(g, pairs):
        lengths.append(len(pairs))
        return two_loop(g, pairs)

    monkeypatch.setattr(optimizers, "_two_loop", watched)
    optimizers.lbfgs(rosenbrock, np.array([-1.2, 1.0]), history=3, max_iter=10)
    assert lengths == [0, 1, 2, *[3] * 7]


def test_lbfgs_where_there_is_nothing_to_gain():
    w, losses = optimizers.lbfgs(lambda w: (3.0, np.zeros(2)), np.ones(2))
    assert w.tolist() == [1.0, 1.0] and losses == [3.0]
    # a gradient that points the wrong way: no step lowers the loss
    uphill = counted(lambda w: (np.sum(w**2), -2 * w))
    w, losses = optimizers.lbfgs(uphill, np.ones(2))
    assert w.tolist() == [1.0, 1.0] and losses == [2.0]
    assert uphill.calls == 1 + 30


def test_lbfgs_on_the_strict_backend():
    strict = pytest.importorskip("array_api_strict")

    def bowl(w):
        return strict.sum(w * w), 2.0 * w

    w, losses = optimizers.lbfgs(bowl, strict.asarray([3.0, -2.0]))
    assert losses[0] == 13.0 and losses[-1] < 1e-12 and type(w) is type(strict.asarray(1.0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"history": 0}, "history: expected a whole number of at least 1"),
        ({"max_iter": 1.5}, "max_iter: expected a whole number"),
        ({"w0": "a"}, "w0: expected an array of numbers, got str"),
        (
            {"loss_and_grad": 3},
            r"^loss_and_grad: expected a function loss_and_grad\(w\) -> \(loss, dw\), got 3$",
        ),
        ({"loss_and_grad": lambda w: (0.0, np.ones(3))}, r"dw: expected shape \(2,\) as in w, got \(3,\)"),
    ],
)
def test_lbfgs_names_bad_input(changes, message):
    with pytest.raises((ValueError, TypeError), match=message):
        optimizers.lbfgs(**({"loss_and_grad": rosenbrock, "w0": np.ones(2)} | changes))


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_a_list_of_numbers_without_axes_keeps_its_form(name):
    w, dw = [np.array(1.0), np.array(2.0, dtype=np.float32)], [np.array(1.0), np.array(-1.0)]
    init, step = getattr(optimizers, f"{name}_init"), getattr(optimizers, f"{name}_step")
    state = init(w)
    for _ in range(3):
        w, state = step(w, dw, state, lr=0.1)
        assert isinstance(w, list) and [x.dtype for x in w] == [np.float64, np.float32]
    assert float(w[0]) < 1.0 and float(w[1]) > 2.0


def test_a_step_that_writes_into_its_state_or_gradient_loses_a_quarter():
    def writes_into_state(w, dw, state, lr=0.01, momentum=0.9, dampening=0.0):
        v = state.v
        v *= momentum
        v += lr * (1 - dampening) * dw
        return w - v, state._replace(v=v)

    def writes_into_gradient(w, dw, state, lr=0.01, momentum=0.9, dampening=0.0):
        dw *= lr * (1 - dampening)
        v = state.v * momentum + dw
        return w - v, state._replace(v=v)

    for answer, changed, mistake in (
        (writes_into_state, "state.v", "mutates_state"),
        (writes_into_gradient, "dw", "changes_its_input"),
    ):
        result = evaluate("optimizers.momentum_step", answer)
        assert (result.score, result.mistake) == (0.75, mistake)
        assert f"The values are right, but your function changes its input {changed}: " in result.message
