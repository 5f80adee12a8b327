"""Every operation of the registry on a GPU, through CuPy and through PyTorch, against NumPy; skips with the reason elsewhere."""

import pytest
from common import assert_equals_numpy, assert_trains_as_numpy, library, operations

# The two sides differ in the order of their sums and in the last digits of exp, tanh and erf
TOLERANCE = {"float64": 1e-10, "float32": 2e-5}


@pytest.fixture(scope="module", params=["cupy", "torch"])
def gpu(request):
    return library(request.param, "cuda")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("op", operations(), ids=lambda op: op.name)
def test_gpu_equals_numpy(op, dtype, gpu):
    if op.strict is not True:
        pytest.skip(op.strict)
    assert_equals_numpy(op, gpu, TOLERANCE[dtype], dtype)


def test_a_network_trains_on_the_gpu_as_on_the_host(gpu, tmp_path):
    assert_trains_as_numpy(gpu, tmp_path)
