"""The rows of the speed table: the same work done by this package and by PyTorch eager, and what bounds both.

Every row is a function `rng -> Row`. Both sides run forward and backward (and the update, where the row says so) in
float32 on the same values, and return what they computed, so that the table only ever compares equal results.
"""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, pairwise
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from benchmarks import micrograd
from dlcourse import (
    attention,
    convolution,
    dropout,
    graph,
    kernels,
    layers,
    losses,
    normalization,
    optimizers,
    recurrent,
)
from dlcourse.training import Network, Trainer


@dataclass
class Row:
    """One line of the table.

    name, goal : what is done; time ÷ PyTorch's, at the most.
    measured : which function of this package: what a user calls, or the twin in `kernels` that `training` calls.
    ours, theirs : the two sides; each returns arrays to compare.
    plain : the formula functions, where a twin is measured.
    floor : the parts of the work that no implementation can leave out, by what they are; measured beside the sides.
    check : how far the two sides' results may differ, relative to the largest; None where they draw random numbers.
    left : of a row that is hard to win, what ours spends above its floor.
    """

    name: str
    goal: float
    measured: str
    ours: Callable[[], Any]
    theirs: Callable[[], Any]
    floor: dict[str, Callable[[], Any]]
    check: float | None = 1e-4
    plain: Callable[[], Any] | None = None
    left: str = ""


def sides(module, op, run):
    """What to measure of an op pair: its twin, where there is one, and the formula functions themselves."""
    pair = [getattr(module, f"{op}_{way}") for way in ("forward", "backward")]
    twin = [getattr(kernels, f"{op}_{way}", None) for way in ("forward", "backward")]
    if None in twin:
        return {"measured": f"{module.__name__.split('.')[-1]}.{op}_*", "ours": lambda: run(*pair)}
    return {"measured": f"kernels.{op}_*", "ours": lambda: run(*twin), "plain": lambda: run(*pair)}


def normal(rng, *shape):
    return rng.standard_normal(shape, dtype=np.float32)


def leaf(x):
    return torch.tensor(x, requires_grad=True)


def products(*shapes):
    """A function that multiplies an (m, k) by a (k, n) matrix for each (m, k, n): the row's products, nothing else.

    (count, m, k, n) : so many of them in one call.
    """
    operands = {
        (*count, m, k, n): [np.ones((*count, *sizes), np.float32) for sizes in ((m, k), (k, n), (m, n))]
        for *count, m, k, n in shapes
    }
    pairs = [operands[shape] for shape in shapes]

    def run():
        for a, b, out in pairs:
            # An inner length of 1 is an outer product, which matmul takes seven times as long for
            (np.multiply if a.shape[-1] == 1 else np.matmul)(a, b, out=out)

    return run


def copies(*arrays):
    """A function that copies each array once: what it costs to read and to write them."""
    pairs = [(x, np.empty_like(x)) for x in arrays]

    def run():
        for x, out in pairs:
            np.copyto(out, x)

    return run


def in_cache(function, count, block=32_768):
    """NumPy's elementwise `function` of so many numbers, without the way to memory: the same block again and again."""
    x, out = np.linspace(-5.0, 5.0, min(count, block), dtype=np.float32), np.empty(min(count, block), np.float32)

    def run():
        for _ in range(round(count / len(x))):
            function(x, out=out)

    return run


def linear_products(sizes, N):
    """The products of a step of a multilayer perceptron; the input needs no gradient."""
    shapes = []
    for index, (d, k) in enumerate(pairwise(sizes)):
        shapes += [(N, d, k), (d, N, k)] + ([(N, k, d)] if index else [])
    return products(*shapes)


def perceptron(name, goal, sizes, N, optimizer, lr):
    def row(rng):
        specs, modules = [], []
        for index, (d, k) in enumerate(pairwise(sizes)):
            specs += [("relu",)] * (index > 0) + [("linear", d, k)]
            modules += [torch.nn.ReLU()] * (index > 0) + [torch.nn.Linear(d, k)]
        net, model = Network(specs, rng=rng, dtype="float32"), torch.nn.Sequential(*modules)
        for place, params in zip(range(0, len(specs), 2), net.params.values(), strict=True):
            model[place].weight.data = torch.tensor(params["W"].T.copy())
            model[place].bias.data = torch.tensor(params["b"].copy())
        trainer = Trainer(net, optimizer, lr=lr)
        kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[optimizer]
        update = kind(model.parameters(), lr=lr)
        # Always new examples with labels drawn at random: one batch again and again is soon learned by heart, and then
        # gradients and moments are denormal numbers, which a processor handles a hundred times more slowly
        count = 8192 // N
        X, y = normal(rng, count, N, sizes[0]), rng.integers(0, sizes[-1], (count, N))
        tX, ty = torch.tensor(X), torch.tensor(y)
        our_batches, their_batches = cycle(zip(X, y, strict=True)), cycle(zip(tX, ty, strict=True))

        def theirs():
            update.zero_grad()
            x, d = next(their_batches)
            J = F.cross_entropy(model(x), d)
            J.backward()
            update.step()
            return J.item()

        return Row(
            name,
            goal,
            measured="training.Trainer.step",
            ours=lambda: trainer.step(*next(our_batches)),
            theirs=theirs,
            floor={"products": linear_products(sizes, N)},
            check=5e-2,
        )

    return row


def softmax_cross_entropy(rng):
    Z, labels = normal(rng, 4096, 1000), rng.integers(0, 1000, 4096)
    tZ, ty = leaf(Z), torch.tensor(labels)

    def theirs():
        tZ.grad = None
        J = F.cross_entropy(tZ, ty)
        J.backward()
        return J.detach(), tZ.grad

    return Row(
        "softmax cross-entropy 4096×1000",
        0.90,
        measured="kernels.softmax_cross_entropy_with_grad",
        ours=lambda: kernels.softmax_cross_entropy_with_grad(Z, labels),
        plain=lambda: (losses.softmax_cross_entropy(Z, labels), losses.softmax_cross_entropy_grad(Z, labels)),
        theirs=theirs,
        floor={"one copy": copies(Z)},
    )


def batchnorm(rng):
    X, dY = normal(rng, 256, 1024), normal(rng, 256, 1024)
    gamma, beta, state = normalization.batchnorm_init(1024)
    gamma, beta = gamma.astype("float32"), beta.astype("float32")
    layer = torch.nn.BatchNorm1d(1024)
    tX, tdY = leaf(X), torch.tensor(dY)

    def run(forward, backward):
        Y, cache, _ = forward(X, gamma, beta, state)
        return Y, *backward(dY, cache)

    def theirs():
        tX.grad = layer.weight.grad = layer.bias.grad = None
        Y = layer(tX)
        Y.backward(tdY)
        return Y.detach(), tX.grad, layer.weight.grad, layer.bias.grad

    how = sides(normalization, "batchnorm", run)
    return Row("batch norm 256×1024", 1.25, theirs=theirs, floor={"two copies": copies(X, dY)}, **how)


def dropout_with_mask(rng):
    X, dY = normal(rng, 1024, 1024), normal(rng, 1024, 1024)
    tX, tdY = leaf(X), torch.tensor(dY)
    draws = np.random.default_rng(0)

    def run(forward, backward):
        Y, cache = forward(X, 0.3, draws)
        return Y, backward(dY, cache)

    def theirs():
        tX.grad = None
        Y = F.dropout(tX, 0.3)
        Y.backward(tdY)
        return Y.detach(), tX.grad

    how = sides(dropout, "dropout", run)
    return Row(
        "dropout 1024×1024 with its mask",
        0.30,
        theirs=theirs,
        floor={
            "two copies": copies(X, dY),
            "random bits": lambda: draws.integers(0, 2**64 - 1, size=X.size // 4, endpoint=True, dtype="uint64"),
        },
        check=None,
        left="The rest: comparing the bits with p, looking for those that p falls between, and over X and over dY a pass each "
        "that makes numbers of the mask, multiplies, and scales.",
        **how,
    )


def elementwise(f, goal, torch_f, words="", also=None, left=""):
    def row(rng):
        x, dy = 3 * normal(rng, 1_000_000), normal(rng, 1_000_000)
        tx, tdy = leaf(x), torch.tensor(dy)

        def run(forward, backward):
            y, cache = forward(x, f)
            return y, backward(dy, cache)

        def theirs():
            tx.grad = None
            y = torch_f(tx)
            y.backward(tdy)
            return y.detach(), tx.grad

        how = sides(layers, "activation", run)
        floor = {"two copies": copies(x, dy)} | ({also.__name__: in_cache(also, x.size)} if also else {})
        return Row(f"{f} on 1e6{words}", goal, theirs=theirs, floor=floor, left=left, **how)

    return row


def adam(rng):
    w, dw = normal(rng, 1_000_000), normal(rng, 1_000_000)
    state = kernels.adam_init(w)
    v, other = w.copy(), optimizers.adam_init(w)
    parameter = leaf(w.copy())
    parameter.grad = torch.tensor(dw)
    optimizer = torch.optim.Adam([parameter])

    def ours():
        nonlocal state
        state = kernels.adam_update(w, dw, state)
        return w

    def plain():
        nonlocal v, other
        v, other = optimizers.adam_step(v, dw, other)
        return v

    def theirs():
        optimizer.step()
        return parameter.detach()

    floor = copies(w, dw, w)
    name = "Adam step, 1e6 parameters"
    return Row(name, 0.80, "kernels.adam_update", ours, theirs, floor={"three copies": floor}, check=1e-2, plain=plain)


def conv2d(rng):
    X, W, b, dY = normal(rng, 32, 28, 28, 16), normal(rng, 3, 3, 16, 32), normal(rng, 32), normal(rng, 32, 28, 28, 32)
    tX, tW, tb = leaf(X.transpose(0, 3, 1, 2).copy()), leaf(W.transpose(3, 2, 0, 1).copy()), leaf(b)
    tdY = torch.tensor(dY.transpose(0, 3, 1, 2).copy())

    def run(forward, backward):
        Y, cache = forward(X, W, b, padding=1)
        return Y, *backward(dY, cache)

    def theirs():
        tX.grad = tW.grad = tb.grad = None
        Y = F.conv2d(tX, tW, tb, padding=1)
        Y.backward(tdY)
        return (
            Y.detach().permute(0, 2, 3, 1),
            tX.grad.permute(0, 2, 3, 1),
            tW.grad.permute(2, 3, 1, 0),
            tb.grad,
        )

    # for each image and row of the kernel: Y, dW, dX, in halves, which are small enough for BLAS's fastest kernels
    floor = products(*[(2, 392, 48, 32), (2, 48, 392, 32), (2, 392, 96, 16)] * 96)
    how = sides(convolution, "conv2d", run)
    left = (
        "The rest: laying out the runs of neighbours of X, twice, and of dY; adding up the kernel's rows; the biases."
    )
    return Row("conv2d 3×3, 32×28×28×16→32", 1.25, theirs=theirs, floor={"products": floor}, left=left, **how)


def maxpool(rng):
    X, dY = normal(rng, 32, 28, 28, 32), normal(rng, 32, 14, 14, 32)
    tX, tdY = leaf(X.transpose(0, 3, 1, 2).copy()), torch.tensor(dY.transpose(0, 3, 1, 2).copy())

    def run(forward, backward):
        Y, cache = forward(X, 2)
        dX = backward(dY, cache)
        return Y, dX[0] if isinstance(dX, tuple) else dX

    def theirs():
        tX.grad = None
        Y = F.max_pool2d(tX, 2)
        Y.backward(tdY)
        return Y.detach().permute(0, 2, 3, 1), tX.grad.permute(0, 2, 3, 1)

    how = sides(convolution, "maxpool2d", run)
    floor = {"copies of X and dY": copies(X, dY)}
    left = (
        "The rest: forward a maximum of every two rows and one of every two columns, backward at each of the four places of a "
        "window a comparison, a mask, a product and a copy; on every other pixel, runs of 32 numbers, NumPy spends half of the "
        "time between them."
    )
    return Row("max pool 2×2, 32×28×28×32", 0.55, theirs=theirs, floor=floor, left=left, **how)


def recurrence(kind, goal):
    gates = {"lstm": 4, "gru": 3}[kind]

    def row(rng):
        T, B, D, H = 64, 32, 128, 128
        X, dH, zeros = normal(rng, B, T, D), normal(rng, B, T, H), np.zeros((B, H), np.float32)
        Wx, Wh, bx, bh = (
            0.1 * normal(rng, *shape) for shape in ((D, gates * H), (H, gates * H), (gates * H,), (gates * H,))
        )
        layer = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](D, H, batch_first=True)
        # PyTorch's z in a GRU is the share of the old state, here that of the new one: σ(−u) = 1 − σ(u)
        sign = np.ones((gates * H, 1), np.float32)
        if kind == "gru":
            sign[H : 2 * H] = -1.0
        layer.weight_ih_l0.data, layer.weight_hh_l0.data = (torch.tensor(W.T * sign) for W in (Wx, Wh))
        layer.bias_ih_l0.data, layer.bias_hh_l0.data = (torch.tensor(b * sign[:, 0]) for b in (bx, bh))
        tX, tdH = leaf(X), torch.tensor(dH)

        def lstm(forward, backward):
            out, _, cache = forward(X, zeros, zeros, Wx, Wh, bx + bh)
            dX, _, _, dWx, dWh, _ = backward(dH, cache)
            return out, dX, dWx.T, dWh.T

        def gru(forward, backward):
            out, cache = forward(X, zeros, Wx, Wh, bx, bh, reset_after=True)
            dX, _, dWx, dWh, _, _ = backward(dH, cache)
            return out, dX, dWx.T * sign, dWh.T * sign

        def theirs():
            layer.zero_grad()
            tX.grad = None
            out = layer(tX)[0]
            out.backward(tdH)
            return out.detach(), tX.grad, layer.weight_ih_l0.grad, layer.weight_hh_l0.grad

        # gate by gate, small enough in a step for BLAS's fastest kernels: all inputs, their gradient, the weights' two; the steps
        every = [(gates, B * T, D, H), (gates, B * T, H, D), (gates, D, B * T, H), (gates, H, B * T, H)]
        floor = {"products": products(*every, *[(gates, B, H, H)] * (2 * T))}
        left = ""
        if kind == "lstm":
            floor["tanh"] = in_cache(np.tanh, T * B * (gates + 1) * H, block=B * gates * H)
            left = (
                "The rest: some thirty calls in each of the 64 steps, forward and backward together, on 4,096 to 16,384 "
                "numbers, 1 to 3 µs each, where PyTorch has one loop for all gates."
            )
        what = "LSTM" if kind == "lstm" else "GRU (reset after)"
        how = sides(recurrent, kind, {"lstm": lstm, "gru": gru}[kind])
        return Row(f"{what} T64 B32 D128 H128", goal, theirs=theirs, floor=floor, left=left, **how)

    return row


def multi_head_attention(rng):
    B, h, T, d = 8, 8, 128, 64
    D = h * d
    X, dY = normal(rng, B, T, D), normal(rng, B, T, D)
    W = [normal(rng, D, D) / np.float32(D**0.5) for _ in range(4)]
    mask = np.tri(T, dtype=bool)
    tX, tdY, tW = leaf(X), torch.tensor(dY), [leaf(w) for w in W]

    def run(forward, backward):
        Y, cache = forward(X, *W, h, mask)
        return Y, *backward(dY, cache)

    def theirs():
        tX.grad = None
        for w in tW:
            w.grad = None
        Q, K, V = ((tX @ w).view(B, T, h, d).transpose(1, 2) for w in tW[:3])
        Y = F.scaled_dot_product_attention(Q, K, V, is_causal=True)
        Y = Y.transpose(1, 2).reshape(B, T, D) @ tW[3]
        Y.backward(tdY)
        return Y.detach(), tX.grad, *(w.grad for w in tW)

    floor = products(*[(B * T, D, D)] * 8, *[(D, B * T, D)] * 4, *[(T, d, T)] * (2 * B * h), *[(T, T, d)] * (4 * B * h))
    how = sides(attention, "multi_head_attention", run)
    name = "multi-head attention B8 h8 T128 d64, causal"
    return Row(name, 1.2, theirs=theirs, floor={"products": floor}, **how)


def transformer_block(rng):
    B, T, D, h = 4, 32, 64, 4
    net = Network([("transformer_block", D, h, {"causal": True})], rng=rng, dtype="float32")
    layer = torch.nn.TransformerEncoderLayer(
        D, h, 4 * D, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    params = net.params["transformer_block_0"]
    packed = np.concatenate([params[name] for name in ("Wq", "Wk", "Wv")], axis=1)
    with torch.no_grad():
        layer.self_attn.in_proj_weight.copy_(torch.tensor(packed.T.copy()))
        layer.self_attn.out_proj.weight.copy_(torch.tensor(params["Wo"].T.copy()))
        layer.linear1.weight.copy_(torch.tensor(params["W1"].T.copy()))
        layer.linear2.weight.copy_(torch.tensor(params["W2"].T.copy()))
        for bias in (
            layer.self_attn.in_proj_bias,
            layer.self_attn.out_proj.bias,
            layer.linear1.bias,
            layer.linear2.bias,
        ):
            bias.zero_()
    trainer, optimizer = Trainer(net, "adam", lr=1e-4), torch.optim.Adam(layer.parameters(), lr=1e-4)
    X, Y = normal(rng, B, T, D), normal(rng, B, T, D)
    tX, tY = torch.tensor(X), torch.tensor(Y)
    mask = torch.nn.Transformer.generate_square_subsequent_mask(T)

    def theirs():
        optimizer.zero_grad()
        J = F.mse_loss(layer(tX, src_mask=mask, is_causal=True), tY)
        J.backward()
        optimizer.step()
        return J.item()

    N = B * T
    floor = products(
        *[(N, D, D)] * 8, *[(D, N, D)] * 4, *[(N, D, 4 * D)] * 2, *[(N, 4 * D, D)] * 2, *[(D, N, 4 * D)] * 2
    )
    return Row(
        "transformer block step B4 T32 D64",
        0.55,
        measured="training.Trainer.step",
        ours=lambda: trainer.step(X, Y),
        theirs=theirs,
        floor={"products": floor},
        check=5e-2,
    )


def scalar_graph(rng):
    """micrograd's demonstration: a perceptron of scalars on a handful of points, about 10,000 nodes."""
    X, y = rng.standard_normal((13, 2)).tolist(), rng.choice([-1.0, 1.0], 13).tolist()
    sizes = [2, 16, 16, 1]
    weights = [(rng.standard_normal((d, k)) / d**0.5).tolist() for d, k in pairwise(sizes)]

    def loss_of(Value):
        values = [[[Value(w) for w in row] for row in W] for W in weights]

        def run():
            for W in values:
                for row in W:
                    for w in row:
                        w.grad = 0.0
            total = Value(0.0)
            for x, target in zip(X, y, strict=True):
                a = [Value(v) for v in x]
                for W in values:
                    out = []
                    for k in range(len(W[0])):
                        u = a[0] * W[0][k]
                        for d in range(1, len(a)):
                            u = u + a[d] * W[d][k]
                        out.append(u.relu() if W is not values[-1] else u)
                    a = out
                error = a[0] - target
                total = total + error * error
            total.backward()
            return total.data, [w.grad for w in values[0][0]]

        return run

    frozen = []

    def collected(run):
        # Closures are garbage in circles. A side pays for its own, and always from the same state of the collector
        def once():
            if not frozen:
                # What is loaded besides is not the graph's: to look through it would take longer than either side
                gc.collect()
                gc.freeze()
                frozen.append(True)
            found = run()
            gc.collect()
            return found

        return once

    ours, theirs = (collected(loss_of(Value)) for Value in (graph.Value, micrograd.Value))
    what = "scalar graph of 10,000 nodes with its garbage, against micrograd's way"
    return Row(what, 0.15, "graph.Value", ours, theirs, floor={}, check=1e-9)


ROWS = [
    perceptron("MLP 784-256-128-10, batch 128, softmax CE, Adam", 0.80, [784, 256, 128, 10], 128, "adam", 1e-3),
    perceptron("MLP 784-64-10, batch 16, Adam", 0.30, [784, 64, 10], 16, "adam", 1e-3),
    perceptron("MLP 784-64-10, batch 1, SGD", 0.45, [784, 64, 10], 1, "sgd", 1e-3),
    softmax_cross_entropy,
    batchnorm,
    dropout_with_mask,
    elementwise(
        "sigmoid",
        1.25,
        torch.sigmoid,
        " (exact in the tails)",
        also=np.exp,
        left="The rest: six more passes, each of which reads and writes the cache, where PyTorch's two loops keep a number in "
        "a register from the exponential to the division, and from y to the product with dY.",
    ),
    elementwise("tanh", 1.1, torch.tanh),
    elementwise("gelu_tanh", 1.0, lambda x: F.gelu(x, approximate="tanh")),
    adam,
    conv2d,
    maxpool,
    recurrence("lstm", 1.25),
    recurrence("gru", 0.85),
    multi_head_attention,
    transformer_block,
    scalar_graph,
]
