"""Every operation of the registry on a GPU, through CuPy, against NumPy; skipped with the reason where there is none."""

import numpy as np
import pytest
from common import assert_close, cast, flatten, map_arrays, operations, run, summands

from dlcourse._array import array_namespace, is_array, to_numpy
from dlcourse.training import Network, fit

# The two backends differ in the order of their sums and in the last digits of exp, tanh and erf
TOLERANCE = {"float64": 1e-10, "float32": 2e-5}


def missing():
    """Why there is no GPU here; an empty string where there is one."""
    try:
        import cupy
    except ImportError as error:
        return f"CuPy is not installed ({error})"
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:
        return f"CuPy finds no GPU ({error})"
    return "" if count else "CuPy finds no GPU"


REASON = missing()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)


def on_gpu(tree):
    import cupy

    return map_arrays(lambda x: cupy.asarray(x), tree)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("op", operations(), ids=lambda op: op.name)
def test_gpu_equals_numpy(op, dtype):
    import cupy

    if op.strict is not True:
        pytest.skip(op.strict)
    inputs = cast(op.inputs(np.random.default_rng(0)), dtype)
    expected = run(op, inputs)
    actual = run(op, on_gpu(inputs))
    for path, x in actual.items():
        if is_array(expected[path]) and np.ndim(to_numpy(x)):
            assert isinstance(x, cupy.ndarray), f"{op.name}: {path} left the GPU"
            assert x.dtype == expected[path].dtype
    assert_close(actual, expected, TOLERANCE[dtype], op.name, summands(inputs, expected))


def test_a_network_trains_on_the_gpu_as_on_the_host():
    import cupy

    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((96, 6)), rng.integers(0, 3, 96)
    specs = [("linear", 6, 16), ("batchnorm", 16), ("gelu",), ("dropout", 0.2), ("linear", 16, 3)]
    host, device = (Network(specs, rng=np.random.default_rng(1), like=like) for like in (None, cupy.zeros(1)))
    histories = []
    for net, examples, labels in ((host, X, y), (device, cupy.asarray(X), cupy.asarray(y))):
        histories.append(
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
        )
    assert array_namespace(device.w) is array_namespace(cupy.zeros(1))
    np.testing.assert_allclose(to_numpy(device.w), host.w, rtol=1e-6, atol=1e-9)
    for name, values in histories[0].items():
        np.testing.assert_allclose(histories[1][name], values, rtol=1e-6)


def test_a_network_is_saved_on_the_gpu_and_loaded_on_the_host(tmp_path):
    import cupy

    specs = [("conv2d", 1, 2, 3, {"padding": 1}), ("batchnorm", 2), ("relu",), ("flatten",), ("linear", 32, 3)]
    device = Network(specs, rng=np.random.default_rng(0), like=cupy.zeros(1))
    X = np.random.default_rng(1).standard_normal((5, 4, 4, 1))
    device.forward(cupy.asarray(X), train=True)
    device.save(tmp_path / "net.npz")
    host = Network(specs, rng=np.random.default_rng(2)).load(tmp_path / "net.npz")
    np.testing.assert_allclose(host.forward(X), to_numpy(device.forward(cupy.asarray(X))), rtol=1e-10)
    assert all(isinstance(x, cupy.ndarray) for x in flatten(device.params).values())
