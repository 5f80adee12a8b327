"""Every operation of the registry on a GPU beside NumPy: `python -m benchmarks.gpu` writes `gpu.md` beside this file.

For each operation: the largest difference from NumPy's results, relative to the largest entry (float64 and float32), on
the registry's small inputs; and for the operations in `LARGE` the times of forward and backward on inputs that are
worth a GPU. Without CuPy or without a GPU it says so and ends with status 1; nothing is written then.
"""

import statistics
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "gpu.md"
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]


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


def median_time(function, synchronize, seconds=2.0):
    function()
    synchronize()
    samples, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(samples) < 3:
        start = time.perf_counter()
        function()
        synchronize()
        samples.append(time.perf_counter() - start)
    return statistics.median(samples)


def main():
    from common import cast, flatten, operations, run
    from test_gpu import REASON, TOLERANCE, on_gpu

    from dlcourse._array import to_numpy

    if REASON:
        sys.exit(f"benchmarks.gpu: {REASON}; nothing is written")
    import cupy

    synchronize = cupy.cuda.get_current_stream().synchronize
    device = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)
    sizes, registry = large(), operations()
    rows, worst = [], dict.fromkeys(TOLERANCE, 0.0)
    for op in registry:
        if op.strict is not True:
            rows.append(f"| {op.name} | | | | | not run: {op.strict} |")
            continue
        errors = []
        for dtype, tolerance in TOLERANCE.items():
            inputs = cast(op.inputs(np.random.default_rng(0)), dtype)
            expected, actual = run(op, inputs), run(op, on_gpu(inputs))
            error = max((difference(to_numpy(actual[path]), x) for path, x in expected.items()), default=0.0)
            worst[dtype] = max(worst[dtype], error)
            errors.append(f"{error:.0e}" + ("" if error <= tolerance else " ✗"))
        times = ["", "", ""]
        if op.name in sizes:
            inputs = sizes[op.name]
            moved = on_gpu(inputs)
            host = median_time(lambda op=op, inputs=inputs: run(op, inputs), lambda: None)
            gpu = median_time(lambda op=op, moved=moved: run(op, moved), synchronize)
            shapes = ", ".join("×".join(map(str, x.shape)) for x in flatten(inputs).values() if np.ndim(x))
            times = [f"{1e3 * host:.1f}", f"{1e3 * gpu:.2f}", f"{host / gpu:.0f} × ({shapes})"]
        rows.append(f"| {op.name} | {' | '.join(errors)} | {' | '.join(times)} |")
    lines = [
        "# The references on a GPU",
        "",
        f"Machine: {device['name'].decode()}, CuPy {cupy.__version__}, NumPy {np.__version__} on the host.",
        "",
        "Largest difference from NumPy on the registry's inputs, relative to the largest entry of each result, forward and",
        f"backward: {worst['float64']:.0e} in float64 (allowed {TOLERANCE['float64']:.0e}), {worst['float32']:.0e} in float32",
        f"(allowed {TOLERANCE['float32']:.0e}). Times: forward and backward on large float32 inputs (the upstream gradient's",
        "transfer included), medians, in milliseconds.",
        "",
        "| operation | float64 | float32 | NumPy, ms | GPU, ms | faster by |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
        *rows,
        "",
        "Made by `python -m benchmarks.gpu`.",
    ]
    RESULTS.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def difference(a, b):
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return float(np.max(np.abs(a - b), initial=0.0, where=a != b) / max(np.max(np.abs(b), initial=0.0), 1e-30))


if __name__ == "__main__":
    main()
