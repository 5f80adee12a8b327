"""Recurrent networks: against PyTorch's own cells and loops, and against what a state that is handed over promises."""

from dataclasses import replace

import numpy as np
import pytest
from common import Operation, assert_close, cast, fewer, numerical_gradients, run, run_torch, summands, upstream
from hypothesis import given
from hypothesis import strategies as st

from dlcourse import recurrent
from dlcourse.gradient_checking import complex_step_grad

# Its first argument pair is (dh, dc), so the registry's call with one gradient goes through `lstm_cell_gradient`
TESTED_BELOW = ["recurrent.lstm_cell_backward"]

GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def data(rng, kind, steps=True):
    """The arguments of the sequence functions (X, h0, …) or of the cells (x, h, …)."""
    N, T, D, H = rng.integers(2, 5, size=4)
    x, h, c = ("X", "h0", "c0") if steps else ("x", "h", "c")
    G = GATES[kind] * H
    inputs = {x: rng.standard_normal((N, T, D) if steps else (N, D)), h: rng.standard_normal((N, H))}
    if kind == "lstm":
        inputs[c] = rng.standard_normal((N, H))
    inputs |= {"Wx": rng.standard_normal((D, G)), "Wh": rng.standard_normal((H, G))}
    return inputs | {name: rng.standard_normal(G) for name in (("bx", "bh") if kind == "gru" else ("b",))}


def rnn_inputs(rng):
    return data(rng, "rnn")


def lstm_inputs(rng):
    return data(rng, "lstm")


def lstm_cell_inputs(rng):
    return data(rng, "lstm", steps=False)


def gru_inputs(rng):
    return data(rng, "gru") | {"reset_after": bool(rng.integers(2))}


def gru_cell_inputs(rng):
    # the other form than `gru_inputs` has from the same seed, so that the golden files hold both
    return data(rng, "gru", steps=False) | {"reset_after": not rng.integers(2)}


def for_torch(torch, *weights, signs=None, order=None):
    """Our packed weights as PyTorch's: transposed, blocks reordered, some with the other sign."""
    packed = []
    for W in weights:
        blocks = torch.chunk(W, len(order), dim=-1) if order else [W]
        blocks = [sign * blocks[k] for sign, k in zip(signs or [1] * len(blocks), order or [0], strict=True)]
        packed.append(torch.cat(blocks, dim=-1).mT if W.ndim == 2 else torch.cat(blocks))
    return packed


def rnn_oracle(torch, X, h0, Wx, Wh, b):
    weights = for_torch(torch, Wx, Wh, b, 0 * b)
    H, _ = torch.rnn_tanh(X, h0[None], weights, True, 1, 0.0, False, False, True)
    return H


def lstm_oracle(torch, X, h0, c0, Wx, Wh, b):
    # PyTorch's order is i, f, g, o as well; its second bias is redundant
    weights = for_torch(torch, Wx, Wh, b, 0 * b)
    H, hT, cT = torch.lstm(X, (h0[None], c0[None]), weights, True, 1, 0.0, False, False, True)
    return H, (hT[0], cT[0])


def lstm_cell_oracle(torch, x, h, c, Wx, Wh, b):
    return torch.lstm_cell(x, (h, c), *for_torch(torch, Wx, Wh, b, 0 * b))


def gru_oracle(torch, X, h0, Wx, Wh, bx, bh, reset_after):
    if reset_after:
        # PyTorch's z is the share of the old state: σ(−u) = 1 − σ(u)
        weights = for_torch(torch, Wx, Wh, bx, bh, order=(0, 1, 2), signs=(1, -1, 1))
        H, _ = torch.gru(X, h0[None], weights, True, 1, 0.0, False, False, True)
        return H
    h, H = h0, []
    for x in X.unbind(1):
        h = gru_cell_oracle(torch, x, h, Wx, Wh, bx, bh, reset_after)
        H.append(h)
    return torch.stack(H, dim=1)


def gru_cell_oracle(torch, x, h, Wx, Wh, bx, bh, reset_after):
    if reset_after:
        return torch.gru_cell(x, h, *for_torch(torch, Wx, Wh, bx, bh, order=(0, 1, 2), signs=(1, -1, 1)))
    (Wr, Wz, Wn), (Ur, Uz, Un) = Wx.chunk(3, dim=1), Wh.chunk(3, dim=1)
    (br, bz, bn), (cr, cz, cn) = bx.chunk(3), bh.chunk(3)
    linear = torch.nn.functional.linear
    r = torch.sigmoid(linear(x, Wr.T, br) + linear(h, Ur.T, cr))
    z = torch.sigmoid(linear(x, Wz.T, bz) + linear(h, Uz.T, cz))
    n = torch.tanh(linear(x, Wn.T, bn) + linear(r * h, Un.T, cn))
    return torch.lerp(h, n, z)


def truncated_inputs(rng):
    # without a bias, which the cache does not hold and the oracle needs
    inputs = data(rng, "rnn")
    H, cache = recurrent.rnn_forward(**inputs | {"b": 0.0 * inputs["b"]})
    steps = int(rng.integers(1, 4))
    return {
        "dH": rng.standard_normal(H.shape),
        "cache": cache,
        "steps": steps,
        "every": int(rng.integers(1, steps + 1)),
    }


def truncated_oracle(torch, dH, cache, steps, every):
    """Every pass by autograd, from a state that has been cut off."""
    X, (h0, *states), Wx, Wh = cache
    X, h0, Wx, Wh = (x.clone().requires_grad_() for x in (X, h0, Wx, Wh))
    b, J = torch.zeros_like(Wh[0], requires_grad=True), 0.0
    for begin in range(0, X.shape[1], every):
        end = min(begin + every, X.shape[1])
        first = max(end - steps, 0)
        h = states[first - 1] if first else h0
        for t in range(first, end):
            h = torch.tanh(X[:, t] @ Wx + h @ Wh + b)
            if t >= begin:
                J = J + torch.sum(dH[:, t] * h)
    return torch.autograd.grad(J, (X, h0, Wx, Wh, b))


def lstm_cell_gradient(dh, cache):
    return recurrent.lstm_cell_backward(dh, 0.0 * cache.gates.c, cache)


def wrong_weights(x, h, G):
    """The shapes that do not fit, for inputs x, states h and G gates side by side."""
    several = f"{G}H" if G > 1 else "H"
    return [
        ({x: lambda X: X[..., :-1]}, r"Wx: expected shape \(D, .*\) with D = \d"),
        ({x: lambda X: X[0]}, rf"{x}: expected shape \(N, "),
        ({h: lambda h: h[:-1]}, rf"{h}: expected shape \(N, H\) with N = \d as in {x}"),
        ({h: lambda h: h[0]}, rf"{h}: expected shape \(N, H\)"),
        ({"Wx": lambda W: W[:, :-1]}, rf"Wx: expected shape \(D, {several}\) with D = \d as in {x}, H = \d as in {h}"),
        ({"Wh": lambda W: W.T[:-1]}, rf"Wh: expected shape \(H, {several}\) with H = \d as in {h}"),
    ]


BIAS = [({"b": lambda b: b[:1]}, r"b: expected shape \(\d?H,\)"), ({"b": 0.0}, r"b: expected shape \(\d?H,\)")]
GRU_BIAS = [({name: lambda b: b[:-1]}, rf"{name}: expected shape \(3H,\)") for name in ("bx", "bh")]
NO_STEPS = [({"X": lambda X: X[:, :0]}, r"X: expected shape \(N, T, D\) with at least one entry along each axis")]
SHORT_C = [({"c0": lambda c: c[:, :-1]}, r"c0: expected shape \(N, H\)")]

OPERATIONS = [
    Operation(
        "recurrent.rnn",
        "pair",
        rnn_inputs,
        wrt=("X", "h0", "Wx", "Wh", "b"),
        oracle=rnn_oracle,
        bad=wrong_weights("X", "h0", 1) + BIAS + NO_STEPS,
    ),
    Operation(
        "recurrent.rnn_truncated_backward",
        "plain",
        truncated_inputs,
        oracle=truncated_oracle,
        bad=[
            ({"dH": lambda dH: dH[:, 1:]}, r"dH: expected the output's shape \(\d, \d, \d\), got "),
            ({"steps": 0}, "steps: expected a whole number of at least 1, got 0"),
            ({"every": 0}, "every: expected a whole number of at least 1, got 0"),
            ({"steps": 2, "every": 3}, "every: expected at most steps = 2, got 3"),
        ],
    ),
    Operation(
        "recurrent.lstm_cell",
        "pair",
        lstm_cell_inputs,
        wrt=("x", "h", "c", "Wx", "Wh", "b"),
        oracle=lstm_cell_oracle,
        gradient=lstm_cell_gradient,
        bad=wrong_weights("x", "h", 4) + BIAS,
    ),
    Operation(
        "recurrent.lstm",
        "pair",
        lstm_inputs,
        wrt=("X", "h0", "c0", "Wx", "Wh", "b"),
        oracle=lstm_oracle,
        bad=wrong_weights("X", "h0", 4) + BIAS + NO_STEPS + SHORT_C,
    ),
    Operation(
        "recurrent.gru_cell",
        "pair",
        gru_cell_inputs,
        wrt=("x", "h", "Wx", "Wh", "bx", "bh"),
        oracle=gru_cell_oracle,
        bad=wrong_weights("x", "h", 3) + GRU_BIAS,
    ),
    Operation(
        "recurrent.gru",
        "pair",
        gru_inputs,
        wrt=("X", "h0", "Wx", "Wh", "bx", "bh"),
        oracle=gru_oracle,
        bad=wrong_weights("X", "h0", 3) + GRU_BIAS + NO_STEPS,
    ),
]

SEQUENCES = {
    "rnn": (rnn_inputs, recurrent.rnn_forward, recurrent.rnn_backward),
    "lstm": (lstm_inputs, recurrent.lstm_forward, recurrent.lstm_backward),
    "gru": (gru_inputs, recurrent.gru_forward, recurrent.gru_backward),
}
over_sequences = pytest.mark.parametrize("kind", SEQUENCES)


def gradients_by_name(kind, gradients):
    operation = next(op for op in OPERATIONS if op.name == f"recurrent.{kind}")
    return dict(zip(operation.wrt, gradients, strict=True))


@pytest.mark.parametrize("reset_after", [False, True])
@pytest.mark.parametrize("name", ["gru_cell", "gru"])
def test_both_forms_of_the_gru_equal_pytorch_and_central_differences(name, reset_after):
    torch = pytest.importorskip("torch", reason="PyTorch, the live oracle, is not installed")
    operation = next(op for op in OPERATIONS if op.name == f"recurrent.{name}")
    operation = replace(operation, inputs=lambda rng: data(rng, "gru", name == "gru") | {"reset_after": reset_after})
    for seed in range(5):
        for dtype in (np.float64, np.float32):
            inputs = cast(operation.inputs(np.random.default_rng(seed)), dtype)
            expected = run_torch(operation, inputs, torch, seed)
            tolerance, summed = operation.tolerance[dtype == np.float32], summands(inputs, expected, seed)
            assert_close(run(operation, inputs, seed), expected, tolerance, name, summed)
    inputs = operation.inputs(np.random.default_rng(5))
    analytic = run(operation, inputs)
    numeric = numerical_gradients(operation, inputs)
    assert_close({path: analytic[path] for path in numeric}, numeric, 1e-8, name, summands(inputs, analytic))


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "gru_cell"])
def test_gradients_equal_the_complex_step(name):
    """No subtraction, so no rounding: agrees to the last digits, where central differences stop at eight."""
    operation = next(op for op in OPERATIONS if op.name == f"recurrent.{name}")
    inputs = operation.inputs(np.random.default_rng(7))
    H, *_, cache = operation.forward(**inputs)
    dH = upstream(H)
    for argument, gradient in zip(operation.wrt, operation.backward(dH, cache), strict=True):
        numeric = complex_step_grad(
            lambda x, a=argument: np.sum(dH * operation.forward(**inputs | {a: x})[0]), inputs[argument]
        )
        np.testing.assert_allclose(gradient, numeric, rtol=0, atol=1e-13 * np.max(np.abs(numeric)))


def test_the_two_forms_of_the_gru_differ_only_in_the_candidate():
    inputs = data(np.random.default_rng(0), "gru")
    before, _ = recurrent.gru_forward(**inputs)
    after, _ = recurrent.gru_forward(**inputs, reset_after=True)
    assert np.max(np.abs(before - after)) > 0.01
    # with an open reset gate, r = 1, they are the same
    H = inputs["h0"].shape[1]
    inputs["bx"][:H] = 1000.0
    before, _ = recurrent.gru_forward(**inputs)
    after, _ = recurrent.gru_forward(**inputs, reset_after=True)
    np.testing.assert_allclose(before, after, rtol=0, atol=1e-14)


def test_nothing_truncated_is_the_whole_gradient_and_pieces_are_pieces():
    inputs = rnn_inputs(np.random.default_rng(8))
    X = inputs["X"] = np.random.default_rng(9).standard_normal((len(inputs["X"]), 9, inputs["X"].shape[2]))
    H, cache = recurrent.rnn_forward(**inputs)
    dH = upstream(H)
    whole = recurrent.rnn_backward(dH, cache)
    for steps in (9, 11):
        for one, other in zip(recurrent.rnn_truncated_backward(dH, cache, steps, 9), whole, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-13)
    # each step's loss back to the beginning: the same sums in another order
    for one, other in zip(recurrent.rnn_truncated_backward(dH, cache, 9, 1), whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)

    # by default pieces, each beginning with the state of the one before
    dX, dh0, *shared = recurrent.rnn_truncated_backward(dH, cache, 3)
    pieces, h = [], inputs["h0"]
    for cut in (slice(0, 3), slice(3, 6), slice(6, 9)):
        H_piece, cache_piece = recurrent.rnn_forward(**inputs | {"X": X[:, cut], "h0": h})
        pieces.append(recurrent.rnn_backward(dH[:, cut], cache_piece))
        h = H_piece[:, -1]
    np.testing.assert_allclose(dX, np.concatenate([piece[0] for piece in pieces], axis=1), rtol=0, atol=1e-13)
    np.testing.assert_allclose(dh0, pieces[0][1], rtol=0, atol=1e-13)
    for total, *shares in zip(shared, *(piece[2:] for piece in pieces), strict=True):
        np.testing.assert_allclose(total, sum(shares), rtol=0, atol=1e-13)
    assert all(np.max(np.abs(a - b)) > 1e-3 for a, b in zip(shared, whole[2:], strict=True))


def test_the_lstm_cells_memory_gradient_equals_pytorch():
    torch = pytest.importorskip("torch", reason="PyTorch, the live oracle, is not installed")
    for seed in range(5):
        rng = np.random.default_rng(seed)
        inputs = lstm_cell_inputs(rng)
        h, _, cache = recurrent.lstm_cell_forward(**inputs)
        dh, dc = rng.standard_normal((2, *h.shape))
        tensors = {name: torch.tensor(x, requires_grad=True) for name, x in inputs.items()}
        torch.autograd.backward(lstm_cell_oracle(torch, **tensors), (torch.tensor(dh), torch.tensor(dc)))
        for gradient, x in zip(recurrent.lstm_cell_backward(dh, dc, cache), tensors.values(), strict=True):
            np.testing.assert_allclose(gradient, x.grad.numpy(), rtol=0, atol=1e-12)


def test_the_lstm_cells_memory_gradient_equals_central_differences():
    rng = np.random.default_rng(0)
    inputs = lstm_cell_inputs(rng)
    h, c, cache = recurrent.lstm_cell_forward(**inputs)
    dh, dc = rng.standard_normal((2, *h.shape))
    for name, gradient in zip(inputs, recurrent.lstm_cell_backward(dh, dc, cache), strict=True):
        direction, eps, values = rng.standard_normal(gradient.shape), 1e-6, []
        for step in (eps, -eps):
            h, c, _ = recurrent.lstm_cell_forward(**inputs | {name: inputs[name] + step * direction})
            values.append(np.sum(dh * h) + np.sum(dc * c))
        assert np.sum(gradient * direction) == pytest.approx((values[0] - values[1]) / (2 * eps), rel=1e-8, abs=1e-8)


def test_the_lstms_last_state_and_memory_have_gradients_of_their_own():
    torch = pytest.importorskip("torch", reason="PyTorch, the live oracle, is not installed")
    rng = np.random.default_rng(0)
    inputs = lstm_inputs(rng)
    H, (hT, _), cache = recurrent.lstm_forward(**inputs)
    dH, (dhT, dcT) = rng.standard_normal(H.shape), rng.standard_normal((2, *hT.shape))
    tensors = {name: torch.tensor(x, requires_grad=True) for name, x in inputs.items()}
    out, last = lstm_oracle(torch, **tensors)
    torch.autograd.backward((out, *last), (torch.tensor(dH), torch.tensor(dhT), torch.tensor(dcT)))
    for gradient, x in zip(recurrent.lstm_backward(dH, cache, dhT, dcT), tensors.values(), strict=True):
        np.testing.assert_allclose(gradient, x.grad.numpy(), rtol=0, atol=1e-11)
    # a gradient of hT is one of H's last step
    dH_with = dH.copy()
    dH_with[:, -1] += dhT
    for one, other in zip(
        recurrent.lstm_backward(dH, cache, dhT), recurrent.lstm_backward(dH_with, cache), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_a_handed_over_gradient_of_the_wrong_shape_is_named():
    H, _, cache = recurrent.lstm_forward(**lstm_inputs(np.random.default_rng(0)))
    for name in ("dhT", "dcT"):
        with pytest.raises(ValueError, match=rf"{name}: expected the output's shape \(\d, \d\), got \(1,\)"):
            recurrent.lstm_backward(H, cache, **{name: np.zeros(1)})
    h, _, cache = recurrent.lstm_cell_forward(**lstm_cell_inputs(np.random.default_rng(0)))
    with pytest.raises(ValueError, match=r"dc: expected the output's shape"):
        recurrent.lstm_cell_backward(h, h[0], cache)


@over_sequences
@fewer(25)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_sequence_in_two_halves_is_the_sequence_whole(kind, seed):
    rng = np.random.default_rng(seed)
    make, forward, backward = SEQUENCES[kind]
    inputs = make(rng)
    X, T = inputs["X"], inputs["X"].shape[1]
    cut = int(rng.integers(1, T))
    H, *last, cache = forward(**inputs)
    dH = rng.standard_normal(H.shape)
    whole = gradients_by_name(kind, backward(dH, cache))

    H1, *state, cache1 = forward(**inputs | {"X": X[:, :cut]})
    handed = {"h0": H1[:, -1]} if kind != "lstm" else dict(zip(("h0", "c0"), state[0], strict=True))
    H2, *last2, cache2 = forward(**inputs | {"X": X[:, cut:]} | handed)
    np.testing.assert_allclose(np.concatenate([H1, H2], axis=1), H, rtol=0, atol=1e-13)
    for one, other in zip(*(([], []) if kind != "lstm" else (last[0], last2[0])), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-13)

    # and the gradient of the state is handed back: ordinary backpropagation, nothing truncated
    second = gradients_by_name(kind, backward(dH[:, cut:], cache2))
    if kind == "lstm":
        first = gradients_by_name(kind, backward(dH[:, :cut], cache1, dhT=second["h0"], dcT=second["c0"]))
    else:
        dH1 = dH[:, :cut].copy()
        dH1[:, -1] += second["h0"]
        first = gradients_by_name(kind, backward(dH1, cache1))
    np.testing.assert_allclose(np.concatenate([first["X"], second["X"]], axis=1), whole["X"], rtol=0, atol=1e-11)
    for name in whole.keys() - {"X"}:
        sum_of_both = first[name] if name in ("h0", "c0") else first[name] + second[name]
        np.testing.assert_allclose(sum_of_both, whole[name], rtol=0, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_a_sequence_is_its_cell_step_by_step(kind):
    inputs = SEQUENCES[kind][0](np.random.default_rng(1))
    H, *_ = SEQUENCES[kind][1](**inputs)
    X, state = inputs.pop("X"), [inputs.pop(name) for name in ("h0", "c0") if name in inputs]
    for t in range(X.shape[1]):
        cell = recurrent.lstm_cell_forward if kind == "lstm" else recurrent.gru_cell_forward
        *state, _ = cell(X[:, t], *state, **inputs)
        np.testing.assert_allclose(state[0], H[:, t], rtol=0, atol=1e-14)


@over_sequences
def test_one_example_and_one_step(kind):
    """N = 1, T = 1, and N = T = D = H = 1, where a sum over the wrong axis or a lost axis would show."""
    make, forward, backward = SEQUENCES[kind]
    inputs = make(np.random.default_rng(2))
    H, *_ = forward(**inputs)
    batch = [inputs | {name: x[:1] for name, x in inputs.items() if name in ("X", "h0", "c0")}]
    batch.append(inputs | {"X": inputs["X"][:, :1]})
    for i, some in enumerate(batch):
        H_some, *_, cache_some = forward(**some)
        np.testing.assert_allclose(H_some, H[:1] if i == 0 else H[:, :1], rtol=0, atol=1e-14)
        gradients = gradients_by_name(kind, backward(np.ones_like(H_some), cache_some))
        assert all(gradients[name].shape == some[name].shape for name in gradients)


@over_sequences
def test_examples_do_not_mix(kind):
    make, forward, backward = SEQUENCES[kind]
    rng = np.random.default_rng(3)
    inputs = make(rng)
    order = rng.permutation(len(inputs["X"]))
    permuted = inputs | {name: x[order] for name, x in inputs.items() if name in ("X", "h0", "c0")}
    H, *_, cache = forward(**inputs)
    H_permuted, *_, cache_permuted = forward(**permuted)
    np.testing.assert_allclose(H_permuted, H[order], rtol=0, atol=1e-14)
    dH = rng.standard_normal(H.shape)
    one, other = (gradients_by_name(kind, g) for g in (backward(dH, cache), backward(dH[order], cache_permuted)))
    for name in one:
        expected = one[name][order] if name in ("X", "h0", "c0") else one[name]
        np.testing.assert_allclose(other[name], expected, rtol=0, atol=1e-12, err_msg=name)


@over_sequences
def test_the_past_does_not_see_the_future(kind):
    make, forward, backward = SEQUENCES[kind]
    inputs = make(np.random.default_rng(4))
    H, *_, cache = forward(**inputs)
    later = inputs["X"].copy()
    later[:, -1] += 10.0
    H_later, *_ = forward(**inputs | {"X": later})
    np.testing.assert_array_equal(H_later[:, :-1], H[:, :-1])
    assert np.max(np.abs(H_later[:, -1] - H[:, -1])) > 1e-3
    # nor does the gradient of the first output reach a later input
    dH = np.zeros_like(H)
    dH[:, 0] = 1.0
    dX, *_ = backward(dH, cache)
    assert np.all(dX[:, 1:] == 0.0) and np.any(dX[:, 0] != 0.0)


@over_sequences
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_saturated_gates_are_silent(kind, dtype):
    make, forward, backward = SEQUENCES[kind]
    for sign in (1.0, -1.0):
        inputs = cast(make(np.random.default_rng(5)), dtype)
        for name in ("b", "bx", "bh"):
            if name in inputs:
                inputs[name] = np.full_like(inputs[name], 1000.0 * sign)
        H, *_, cache = forward(**inputs)
        assert np.all(np.isfinite(H))
        for gradient in backward(np.ones_like(H), cache):
            assert np.all(np.isfinite(gradient)) and gradient.dtype == dtype


def test_each_gate_of_the_lstm_stands_in_its_place():
    """Biases alone: i = 1, f = 0, g = tanh(½), o = 1, and each of them changed in turn."""
    x, h, c, Wx, Wh = np.zeros((1, 2)), np.zeros((1, 1)), np.full((1, 1), 3.0), np.zeros((2, 4)), np.zeros((1, 4))
    big, g = 1000.0, np.tanh(0.5)
    for b, c_expected, o in [
        ([big, -big, 0.5, big], g, 1.0),
        ([-big, -big, 0.5, big], 0.0, 1.0),
        ([big, big, 0.5, big], 3.0 + g, 1.0),
        ([big, -big, -0.5, big], -g, 1.0),
        ([big, -big, 0.5, -big], g, 0.0),
    ]:
        h_new, c_new, _ = recurrent.lstm_cell_forward(x, h, c, Wx, Wh, b)
        assert c_new[0, 0] == pytest.approx(c_expected, rel=1e-15)
        assert h_new[0, 0] == pytest.approx(o * np.tanh(c_expected), rel=1e-15)


def test_each_gate_of_the_gru_stands_in_its_place():
    """Biases alone: z = 0 keeps the state, z = 1 takes n = tanh(c_n + U_n h) where r = 1, tanh(c_n) where r = 0."""
    x, h, Wx, Wh, big = np.zeros((1, 2)), np.full((1, 1), 0.8), np.zeros((2, 3)), np.array([[0.0, 0.0, 2.0]]), 1000.0
    for bx, expected in [
        ([0.0, -big, 0.5], 0.8),
        ([big, big, 0.5], np.tanh(0.5 + 2.0 * 0.8)),
        ([-big, big, 0.5], np.tanh(0.5)),
        ([big, 0.0, 0.5], 0.5 * 0.8 + 0.5 * np.tanh(0.5 + 2.0 * 0.8)),
    ]:
        for reset_after in (False, True):
            h_new, _ = recurrent.gru_cell_forward(x, h, Wx, Wh, bx, np.zeros(3), reset_after)
            assert h_new[0, 0] == pytest.approx(expected, rel=1e-15)
    # the state's bias of the candidate is behind the reset gate in one form only
    bh = np.array([0.0, 0.0, 0.3])
    closed = [recurrent.gru_cell_forward(x, h, Wx, Wh, [-big, big, 0.5], bh, form)[0][0, 0] for form in (False, True)]
    assert closed == pytest.approx([np.tanh(0.8), np.tanh(0.5)], rel=1e-15)


def test_an_open_forget_gate_carries_the_gradient_through_a_hundred_steps():
    """What the LSTM was made for: with f = 1 and i = 0 memory and gradient pass unchanged, a plain RNN's vanish."""
    T, big = 100, 1000.0
    X, zero, c0 = np.zeros((1, T, 1)), np.zeros((1, 1)), np.full((1, 1), 0.7)
    b = np.array([-big, big, 0.0, 0.0])
    _, (_, cT), cache = recurrent.lstm_forward(X, zero, c0, np.zeros((1, 4)), np.ones((1, 4)), b)
    assert cT[0, 0] == 0.7
    _, _, dc0, *_ = recurrent.lstm_backward(np.zeros((1, T, 1)), cache, dcT=np.ones((1, 1)))
    assert dc0[0, 0] == 1.0
    H, cache = recurrent.rnn_forward(X, c0, np.zeros((1, 1)), np.full((1, 1), 0.9), np.zeros(1))
    dH = np.zeros_like(H)
    dH[:, -1] = 1.0
    _, dh0, *_ = recurrent.rnn_backward(dH, cache)
    assert 0.0 < dh0[0, 0] < 0.9**T


@over_sequences
def test_changing_the_output_leaves_the_way_back_alone(kind):
    make, forward, backward = SEQUENCES[kind]
    inputs = make(np.random.default_rng(6))
    H, *state, cache = forward(**inputs)
    dH = np.ones_like(H)
    expected = backward(dH, cache)
    for x in (H, *(state[0] if state else ())):
        x[...] = np.nan
    for gradient, before in zip(backward(dH, cache), expected, strict=True):
        np.testing.assert_array_equal(gradient, before)
    assert np.all(dH == 1.0)


def test_lists_and_integers_are_welcome():
    h, c, cache = recurrent.lstm_cell_forward([[1, 2]], [[0]], [[1]], [[0] * 4] * 2, [[0] * 4], [0] * 4)
    assert c.tolist() == [[0.5]] and c.dtype == np.float64
    assert recurrent.lstm_cell_backward([[1]], [[0]], cache)[0].tolist() == [[0.0, 0.0]]
    h, _ = recurrent.gru_cell_forward([[1, 2]], [[1]], [[0] * 3] * 2, [[0] * 3], [0] * 3, [0] * 3)
    assert h.tolist() == [[0.5]]
