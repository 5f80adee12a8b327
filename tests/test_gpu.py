"""Every operation of the registry on a GPU, through CuPy and through PyTorch, against NumPy; skips with the reason elsewhere."""

import dataclasses
import importlib
import re

import numpy as np
import pytest
from common import assert_equals_numpy, assert_trains_as_numpy, library, operations

from autograder import build

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


@pytest.fixture
def benchmark(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(build.ROOT)
    module = importlib.import_module("benchmarks.gpu")
    monkeypatch.setattr(module, "RESULTS", tmp_path / "gpu.md")
    return module


def test_without_a_gpu_the_benchmark_says_what_it_looked_for(benchmark, capsys):
    found, missing = benchmark.places()
    if found:
        pytest.skip("there is a GPU")
    benchmark.main()
    assert len(missing) == 2 and capsys.readouterr().out == (
        f"benchmarks.gpu: looked for a GPU through CuPy and PyTorch: {missing[0]}; {missing[1]}. Nothing is written.\n"
    )
    assert not benchmark.RESULTS.exists()


@pytest.mark.filterwarnings("ignore:torch.asarray")
def test_the_benchmark_measures_every_library_that_has_a_gpu(benchmark, monkeypatch, capsys):
    """PyTorch on the CPU stands in for both."""
    stands_in = library("torch")
    places = [benchmark.Place(name, stands_in, f"{name} on a machine", lambda: None) for name in ("CuPy", "PyTorch")]
    chosen = ("activations.sigmoid", "convolution.conv2d", "losses.softmax_cross_entropy")
    registry = [op for op in operations() if op.name in chosen]
    sizes = {op.name: op.inputs(np.random.default_rng(1)) for op in registry}
    lines, worst = benchmark.table(
        places, [*registry, dataclasses.replace(registry[0], strict="of NumPy alone")], sizes, seconds=0.0
    )
    assert lines[0] == (
        "| operation | CuPy, float64 | CuPy, float32 | PyTorch, float64 | PyTorch, float32 | NumPy, ms | CuPy, ms | PyTorch, ms "
        "| faster by |"
    )
    assert [line.split(" | ")[0] for line in lines[2:]] == [
        *(f"| {op.name}" for op in registry),
        "| activations.sigmoid",
    ]
    for line in lines[2:5]:
        assert re.fullmatch(r"\| \S+ \|( [0-9]e[-+]\d\d \|){4}( [\d.]+ \|){3} \d+ ×, \d+ × \(.+\) \|", line), line
    assert lines[5].endswith("| not run: of NumPy alone |")
    assert {dtype: error <= TOLERANCE[dtype] for dtype, error in worst.items()} == {"float64": True, "float32": True}
    monkeypatch.setattr(benchmark, "places", lambda: (places[:1], ["PyTorch finds no GPU"]))
    monkeypatch.setattr(benchmark, "table", lambda *arguments: (lines, worst))
    benchmark.main()
    written = benchmark.RESULTS.read_text(encoding="utf-8")
    assert capsys.readouterr().out == written
    assert written.splitlines()[2:4] == [
        f"Machine: CuPy on a machine; NumPy {np.__version__} on the host.",
        "Not measured: PyTorch finds no GPU.",
    ]
