"""Every operation of the registry on a GPU beside NumPy: `python -m benchmarks.gpu` writes `gpu.md` beside this file.

Through CuPy and through PyTorch on cuda, whichever finds a GPU. For each operation: the largest difference from NumPy's
results, relative to the largest entry (float64 and float32), on the registry's small inputs; and for the operations in
`large` the times of forward and backward on inputs that are worth a GPU. Where neither finds one, it says what it looked for
and writes nothing.
"""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "gpu.md"
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]


@dataclass(frozen=True)
class Place:
    """Where the operations run: through which library (`common.Library`), on which machine, and how its end is waited for."""

    name: str
    library: Any
    machine: str
    wait: Callable[[], object]


def places():
    """(the places with a GPU, why the others have none)."""
    import pytest
    from common import library

    found, missing = [], []
    for name, make in (("cupy", _cupy), ("torch", _torch)):
        try:
            found.append(make(library(name, "cuda")))
        except pytest.skip.Exception as reason:
            missing.append(str(reason))
    return found, missing


def _cupy(library):
    import cupy

    name = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)["name"].decode()
    return Place("CuPy", library, f"CuPy {cupy.__version__} on {name}", cupy.cuda.get_current_stream().synchronize)


def _torch(library):
    import torch

    name = torch.cuda.get_device_name()
    return Place("PyTorch", library, f"PyTorch {torch.__version__} on {name}", torch.cuda.synchronize)


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def large():
    """{operation: its inputs, in float32, large enough that the time is not that of starting the kernels}."""
    labels = np.random.default_rng(1).integers(0, 1000, 4096)
    W = [normal(512, 512) / np.float32(512**0.5) for _ in range(4)]
    return {
        "activations.sigmoid": {"x": normal(10_000_000)},
        "activations.gelu": {"x": normal(10_000_000)},
        "layers.linear": {"X": normal(4096, 2048), "W": normal(2048, 2048), "b": normal(2048)},
        "losses.softmax_cross_entropy": {"logits": normal(4096, 1000), "labels": labels},
        "normalization.layernorm": {"X": normal(8192, 1024), "gamma": normal(1024), "beta": normal(1024)},
        "convolution.conv2d": {"X": normal(64, 56, 56, 64), "W": normal(3, 3, 64, 64), "b": normal(64), "padding": 1},
        "convolution.maxpool2d": {"X": normal(64, 112, 112, 64), "size": 2},
        "recurrent.lstm": {
            "X": normal(64, 64, 256),
            "h0": normal(64, 256),
            "c0": normal(64, 256),
            "Wx": normal(256, 1024) / np.float32(16),
            "Wh": normal(256, 1024) / np.float32(16),
            "b": normal(1024),
        },
        "attention.multi_head_attention": {
            "X": normal(16, 256, 512),
            **dict(zip(("Wq", "Wk", "Wv", "Wo"), W, strict=True)),
            "heads": 8,
        },
    }


def forward_and_backward(op, inputs):
    """A call of both, with an upstream gradient that is there already."""
    from common import upstream

    if op.kind == "loss":
        return lambda: (op.forward(**inputs), op.backward(**inputs))
    out = op.forward(**inputs)
    dout = upstream(out[0] if op.kind == "pair" else out)
    if op.kind == "pair":
        return lambda: op.backward(dout, op.forward(**inputs)[op.cache])
    return lambda: (op.forward(**inputs), op.backward(**inputs) * dout)


def median_time(function, wait, seconds=2.0):
    function()
    wait()
    samples, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(samples) < 3:
        start = time.perf_counter()
        function()
        wait()
        samples.append(time.perf_counter() - start)
    return statistics.median(samples)


def difference(op, place, dtype):
    """The largest difference from NumPy's results, relative to the largest entry of each."""
    from common import cast, run

    from dlcourse._array import to_numpy

    inputs = cast(op.inputs(np.random.default_rng(0)), dtype)
    expected, actual = run(op, inputs), run(op, place.library.tree(inputs))
    return max((_relative(to_numpy(actual[path]), x) for path, x in expected.items()), default=0.0)


def _relative(a, b):
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return float(np.max(np.abs(a - b), initial=0.0, where=a != b) / max(np.max(np.abs(b), initial=0.0), 1e-30))


def table(found, registry, sizes, seconds=2.0):
    """The table's lines, and {dtype: the largest difference}; found : places. sizes : {operation: large inputs}."""
    from common import flatten
    from test_gpu import TOLERANCE

    worst = dict.fromkeys(TOLERANCE, 0.0)
    heads = [f"{place.name}, {dtype}" for place in found for dtype in TOLERANCE]
    heads += ["NumPy, ms", *(f"{place.name}, ms" for place in found), "faster by"]
    lines = [f"| operation | {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)} --- |"]
    for op in registry:
        if op.strict is not True:
            lines.append(f"| {op.name} |{' |' * (len(heads) - 1)} not run: {op.strict} |")
            continue
        cells = []
        for place in found:
            for dtype, tolerance in TOLERANCE.items():
                error = difference(op, place, dtype)
                worst[dtype] = max(worst[dtype], error)
                cells.append(f"{error:.0e}" + ("" if error <= tolerance else " ✗"))
        times = [""] * (len(found) + 2)
        if op.name in sizes:
            inputs = sizes[op.name]
            host = median_time(forward_and_backward(op, inputs), lambda: None, seconds)
            there = [
                median_time(forward_and_backward(op, place.library.tree(inputs)), place.wait, seconds)
                for place in found
            ]
            shapes = ", ".join("×".join(map(str, x.shape)) for x in flatten(inputs).values() if np.ndim(x))
            faster = ", ".join(f"{host / one:.0f} ×" for one in there)
            times = [f"{1e3 * host:.1f}", *(f"{1e3 * one:.2f}" for one in there), f"{faster} ({shapes})"]
        lines.append(f"| {op.name} | {' | '.join([*cells, *times])} |")
    return lines, worst


def main():
    from common import operations
    from test_gpu import TOLERANCE

    found, missing = places()
    if not found:
        print(f"benchmarks.gpu: looked for a GPU through CuPy and PyTorch: {'; '.join(missing)}. Nothing is written.")
        return
    rows, worst = table(found, operations(), large())
    lines = [
        "# The references on a GPU",
        "",
        f"Machine: {'; '.join(place.machine for place in found)}; NumPy {np.__version__} on the host.",
        *(f"Not measured: {reason}." for reason in missing),
        "",
        "Largest difference from NumPy on the registry's inputs, relative to the largest entry of each result, forward and",
        f"backward: {worst['float64']:.0e} in float64 (allowed {TOLERANCE['float64']:.0e}), {worst['float32']:.0e} in float32",
        f"(allowed {TOLERANCE['float32']:.0e}). Times: forward and backward on large float32 inputs that are on the device",
        "already, medians, in milliseconds.",
        "",
        *rows,
        "",
        "Made by `python -m benchmarks.gpu`.",
    ]
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
