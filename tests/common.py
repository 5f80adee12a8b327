"""The registry of operations, and what is asked of every one of them.

A test module `test_<slug>.py` lists its topic's operations in `OPERATIONS`; `test_common.py` runs the checks below on
all of them with NumPy, `test_backends.py` with other libraries, `test_gpu.py` on a GPU. An operation says how to make its inputs and, in PyTorch's words, what
it computes; gradients, types, backends and bad input are then checked by the same code for everything.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import array_api_compat
import numpy as np
import pytest
from hypothesis import settings

import dlcourse
from dlcourse.training import Network, fit

GOLDEN = Path(__file__).parent / "golden"


@dataclass(frozen=True)
class Operation:
    """One public function, or a function and its gradient.

    name : "topic_module.function"; a pair is named without `_forward`, an elementwise f and a loss without `_grad`.
    kind : "elementwise" (f, f_grad), "pair" (op_forward, op_backward), "loss" (loss, loss_grad) or "plain" (no gradient).
    inputs : rng -> dict of the call's arguments by name, in the call's order; arrays in float64, shapes drawn from rng.
    wrt : the arguments that the gradient function returns gradients for, in its order.
    oracle : (torch, **inputs as tensors) -> the forward's output(s); gradients come from autograd. None: see `oracle_why`.
    oracle_why : where the independent proof stands if there is no oracle here.
    gradient : the gradient function, where it is not called as `kind` says.
    bad : [(changes, match)]: with the arguments `changes` the call raises ValueError or TypeError that matches.
    empty : whether an array without entries is allowed.
    tolerance : relative error against the oracle in (float64, float32).
    strict : whether it runs on array-api-strict and CuPy (a reason if not).
    cache : where the cache stands among a pair's outputs.
    """

    name: str
    kind: str
    inputs: Callable[[np.random.Generator], dict[str, Any]]
    wrt: Sequence[str] = ()
    oracle: Callable | None = None
    oracle_why: str = ""
    gradient: Callable | None = None
    bad: Sequence[tuple[dict[str, Any], str]] = field(default_factory=list)
    empty: bool = False
    tolerance: tuple[float, float] = (1e-10, 1e-5)
    strict: bool | str = True
    cache: int = -1

    @property
    def module(self):
        return importlib.import_module(f"dlcourse.{self.name.split('.')[0]}")

    @property
    def forward(self):
        return getattr(self.module, self.name.split(".")[1] + ("_forward" if self.kind == "pair" else ""))

    @property
    def backward(self):
        return self.gradient or getattr(
            self.module, self.name.split(".")[1] + ("_backward" if self.kind == "pair" else "_grad")
        )


def fewer(examples):
    """Settings of a property test that takes long: so many where the profile has 100."""
    return settings(max_examples=settings.default.max_examples * examples // 100)


def operations():
    """Every operation of every topic, in course order of the modules' names."""
    found = []
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        if "OPERATIONS" in path.read_text():
            found += getattr(importlib.import_module(path.stem), "OPERATIONS", [])
    return found


def flatten(tree, prefix=""):
    """{path: array} of the arrays and numbers in nested tuples, lists and dicts."""
    if isinstance(tree, dict):
        items = tree.items()
    elif isinstance(tree, tuple | list):
        names = getattr(tree, "_fields", range(len(tree)))
        items = zip(names, tree, strict=True)
    else:
        return {prefix or "out": tree}
    return {
        path: leaf for key, x in items for path, leaf in flatten(x, f"{prefix}.{key}" if prefix else str(key)).items()
    }


def map_arrays(function, tree):
    """The tree with `function` applied to its arrays; everything else as it is."""
    if isinstance(tree, dict):
        return {key: map_arrays(function, x) for key, x in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(map_arrays(function, x) for x in tree))
    if isinstance(tree, tuple | list):
        return type(tree)(map_arrays(function, x) for x in tree)
    return function(tree) if dlcourse._array.is_array(tree) else tree


def cast(inputs, dtype):
    """The inputs with their floating arrays in another precision."""
    return map_arrays(lambda x: x.astype(dtype) if x.dtype.kind == "f" else x, inputs)


def run(op, inputs, seed=0):
    """{"out": …, "d<argument>": …}: the forward's outputs and, for a random upstream gradient, all gradients.

    The cache of a pair is left out of the outputs. The upstream gradient is drawn from `seed`, in the output's dtype.
    """
    out = op.forward(**inputs)
    if op.kind == "pair":
        out = list(out)
        cache = out.pop(op.cache)
        out = out[0] if len(out) == 1 else tuple(out)
        main = out[0] if isinstance(out, tuple) else out
        gradients = op.backward(upstream(main, seed), cache)
    elif op.kind == "elementwise":
        arguments = dict(inputs)
        gradients = op.backward(**arguments) * upstream(out, seed)
    elif op.kind == "loss":
        gradients = op.backward(**inputs)
    else:
        return flatten(out)
    if len(op.wrt) == 1 and not (isinstance(gradients, tuple) and len(gradients) == 1):
        gradients = (gradients,)
    results = flatten(out)
    for name, gradient in zip(op.wrt, gradients, strict=True):
        results |= flatten(gradient, "d" + name)
    return results


def upstream(out, seed=0):
    """A random gradient of the shape, dtype and backend of `out`."""
    host = np.random.default_rng(seed + 1000).standard_normal(tuple(out.shape))
    xp = dlcourse._array.array_namespace(out)
    return xp.astype(dlcourse._array.from_numpy(np.asarray(host), like=out), out.dtype)


def run_torch(op, inputs, torch, seed=0):
    """The same dictionary from PyTorch: the oracle's outputs and autograd's gradients."""
    tensors = map_arrays(lambda x: torch.tensor(np.asarray(x)), inputs)
    leaves = {name: flatten(tensors[name], "d" + name) for name in op.wrt}
    for tree in leaves.values():
        for path, x in tree.items():
            if not isinstance(x, torch.Tensor):
                raise TypeError(f"{op.name}: {path} must be an array to be differentiated")
            x.requires_grad_()
    out = op.oracle(torch, **tensors)
    main = out[0] if isinstance(out, tuple) else out
    if op.wrt:
        host = np.random.default_rng(seed + 1000).standard_normal(tuple(main.shape))
        dout = torch.ones_like(main) if op.kind == "loss" else torch.tensor(host).to(main.dtype)
        main.backward(dout)
    results = {path: x.detach().numpy() if isinstance(x, torch.Tensor) else x for path, x in flatten(out).items()}
    for tree in leaves.values():
        results |= {path: (torch.zeros_like(x) if x.grad is None else x.grad).numpy() for path, x in tree.items()}
    return results


def summands(inputs, results, seed=0):
    """What the results of `run` are sums of: its inputs and its upstream gradient."""
    return [inputs, upstream(np.asarray(dlcourse._array.to_numpy(next(iter(results.values())))), seed)]


def largest(x):
    """The largest finite magnitude in an array of floating numbers; 0 in any other."""
    x = np.asarray(x)
    return float(np.max(np.abs(x[np.isfinite(x)]), initial=0.0)) if x.dtype.kind == "f" else 0.0


def assert_close(actual, expected, tolerance, what, summed):
    """Every entry within `tolerance` of the largest magnitude in its array; same keys, same shapes.

    Where the entries are sums that cancel, to 0 at worst, what is left is the rounding of the summands: a few units in
    the last place of the largest number in `summed` pass whatever the size of the result.
    """
    assert actual.keys() == expected.keys(), f"{what}: {sorted(actual)} against {sorted(expected)}"
    size = max((largest(x) for x in flatten(summed).values() if dlcourse._array.is_array(x)), default=0.0)
    for path in expected:
        a, e = dlcourse._array.to_numpy(actual[path]), np.asarray(expected[path])
        assert a.shape == e.shape, f"{what}: {path} has shape {a.shape}, expected {e.shape}"
        if not e.size:
            continue
        rounding = 4 * np.finfo(a.dtype).eps * size if a.dtype.kind == "f" else 0.0
        error = np.max(np.abs(a - e), initial=0.0, where=~(a == e))
        allowed = max(tolerance * largest(e), rounding)
        assert error <= allowed, f"{what}: {path} differs by {error:.2e}, allowed {allowed:.2e}"


def numerical_gradients(op, inputs, seed=0, eps=1e-5):
    """{"d<argument>": …}: central differences of Σ dout·out, every entry of every differentiable argument."""

    def objective():
        out = op.forward(**inputs)
        if op.kind == "pair":
            out = out[0]
        return float(np.sum(out if op.kind == "loss" else out * upstream(out, seed)))

    results = {}
    for name in op.wrt:
        for path, x in flatten(inputs[name], "d" + name).items():
            if not isinstance(x, np.ndarray):
                inputs[name] = x = np.asarray(x, dtype=float)
            results[path] = gradient = np.zeros_like(x)
            for index in np.ndindex(x.shape):
                before = x[index]
                x[index] = before + eps
                above = objective()
                x[index] = before - eps
                below = objective()
                x[index] = before
                gradient[index] = (above - below) / (2 * eps)
    return results


class Library:
    """An array library other than NumPy: the type of its arrays, and how one is made of NumPy's, on which device."""

    def __init__(self, kind, make):
        self.kind, self.make = kind, make

    def tree(self, tree):
        """The tree with its arrays as this library's."""
        return map_arrays(lambda x: self.make(np.asarray(x)), tree)


def library(name, device="cpu"):
    """A `Library` by its name; skips with the reason where it, or its GPU, is not there."""
    module = pytest.importorskip(name)
    if name == "torch":
        if device == "cuda" and not module.cuda.is_available():
            pytest.skip("PyTorch finds no GPU")
        return Library(module.Tensor, lambda x: module.tensor(x, device=device))
    if name == "cupy":
        try:
            count = module.cuda.runtime.getDeviceCount()
        except Exception as error:
            pytest.skip(f"CuPy finds no GPU ({error})")
        if not count:
            pytest.skip("CuPy finds no GPU")
        return Library(module.ndarray, module.asarray)
    if name == "dask.array":
        return Library(module.Array, module.from_array)
    module.config.update("jax_enable_x64", True)
    return Library(module.Array, module.numpy.asarray)


def assert_equals_numpy(op, place, tolerance, dtype="float64"):
    """The operation on the library's arrays gives what it gives on NumPy's, in the same types, and stays where it was."""
    inputs = cast(op.inputs(np.random.default_rng(0)), dtype)
    moved = place.tree(inputs)
    device = {array_api_compat.device(x) for x in flatten(moved).values() if dlcourse._array.is_array(x)}
    expected, actual = run(op, inputs), run(op, moved)
    for path, x in actual.items():
        if dlcourse._array.is_array(x) and dlcourse._array.is_array(expected[path]):
            assert isinstance(x, place.kind) and array_api_compat.device(x) in device, (
                f"{op.name}: {path} left the library"
            )
            assert str(x.dtype).removeprefix("torch.") == str(expected[path].dtype), f"{op.name}: {path} is {x.dtype}"
    assert_close(actual, expected, tolerance, op.name, summands(inputs, expected))


def assert_trains_as_numpy(place, folder):
    """A network made, trained, saved and loaded: on the library's arrays, with the host's numbers."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((96, 6)), rng.integers(0, 3, 96)
    specs = [("linear", 6, 16), ("batchnorm", 16), ("gelu",), ("dropout", 0.2), ("linear", 16, 3)]
    host, moved = (Network(specs, rng=np.random.default_rng(1), like=like) for like in (None, place.make(np.zeros(1))))
    histories = [
        fit(
            net,
            examples,
            labels,
            lr=0.01,
            epochs=3,
            rng=np.random.default_rng(2),
            validation=(examples, labels),
            progress=False,
        )
        for net, examples, labels in ((host, X, y), (moved, place.make(X), place.make(y)))
    ]
    assert isinstance(moved.w, place.kind)
    np.testing.assert_allclose(dlcourse._array.to_numpy(moved.w), host.w, rtol=1e-6, atol=1e-9)
    for name, values in histories[0].items():
        np.testing.assert_allclose(histories[1][name], values, rtol=1e-6)
    specs = [("conv2d", 1, 2, 3, {"padding": 1}), ("batchnorm", 2), ("relu",), ("flatten",), ("linear", 32, 3)]
    moved = Network(specs, rng=np.random.default_rng(0), like=place.make(np.zeros(1)))
    X = np.random.default_rng(1).standard_normal((5, 4, 4, 1))
    moved.forward(place.make(X), train=True)
    moved.save(folder / "net.npz")
    host = Network(specs, rng=np.random.default_rng(2)).load(folder / "net.npz")
    there = dlcourse._array.to_numpy(moved.forward(place.make(X)))
    np.testing.assert_allclose(host.forward(X), there, rtol=1e-10)
