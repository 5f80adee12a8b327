"""What is asked of every operation of the course: proven, portable, well behaved."""

import importlib
import inspect
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from common import (
    GOLDEN,
    Library,
    assert_close,
    assert_trains_as_numpy,
    cast,
    flatten,
    map_arrays,
    numerical_gradients,
    operations,
    run,
    run_torch,
    summands,
)

import dlcourse
from dlcourse._array import array_namespace, is_array, to_numpy
from dlcourse.training import Network

ALL = operations()
over_operations = pytest.mark.parametrize("op", ALL, ids=lambda op: op.name)
with_gradient = pytest.mark.parametrize("op", [op for op in ALL if op.kind != "plain"], ids=lambda op: op.name)
over_pairs = pytest.mark.parametrize("op", [op for op in ALL if op.kind == "pair"], ids=lambda op: op.name)
with_oracle = pytest.mark.parametrize("op", [op for op in ALL if op.oracle], ids=lambda op: op.name)


def inputs_of(op, seed=0, dtype=np.float64):
    return cast(op.inputs(np.random.default_rng(seed)), dtype)


@pytest.mark.parametrize("dtype, allowed", [("float64", "4.44e-15"), ("float32", "2.38e-06")])
def test_a_true_zero_may_carry_the_rounding_of_its_summands_and_no_more(dtype, allowed):
    zero, summed = {"dW": np.zeros(2, dtype)}, {"X": np.array([-5.0, np.inf, 1.0]), "labels": np.array([900])}
    rounding = np.finfo(dtype).eps * np.array([0, 4 * 5], dtype)
    assert_close({"dW": rounding}, zero, 1e-11, "attention", summed)
    with pytest.raises(AssertionError) as caught:
        assert_close({"dW": 2 * rounding}, zero, 1e-11, "attention", summed)
    assert str(caught.value) == f"attention: dW differs by {2 * rounding[1]:.2e}, allowed {allowed}"


def test_beside_larger_entries_the_tolerance_is_what_is_allowed():
    with pytest.raises(AssertionError) as caught:
        assert_close({"Y": np.array([8.0, 1e-9])}, {"Y": np.array([8.0, 0.0])}, 1e-11, "linear", [np.ones(3)])
    assert str(caught.value) == "linear: Y differs by 1.00e-09, allowed 8.00e-11"


@with_gradient
def test_gradient_equals_central_differences(op):
    inputs = inputs_of(op)
    analytic = run(op, inputs)
    for path, numeric in numerical_gradients(op, inputs).items():
        error = np.max(np.abs(analytic[path] - numeric)) / max(np.max(np.abs(numeric)), 1e-3)
        assert error < 1e-7, f"{op.name}: {path} differs from central differences by {error:.1e}"


@with_oracle
def test_equals_stored_values_of_pytorch(op):
    """The golden files hold PyTorch's results on fixed inputs, so the proof runs where torch is not installed."""
    path = GOLDEN / f"{op.name}.npz"
    assert path.exists(), f"{path.name} is missing: run `python tests/make_golden.py {op.name}`"
    with np.load(path) as stored:
        expected = {key.removeprefix("result:"): stored[key] for key in stored if key.startswith("result:")}
        inputs = inputs_of(op)
        for name, x in flatten(inputs).items():
            if is_array(x):
                np.testing.assert_array_equal(x, stored[f"input:{name}"], err_msg="the inputs changed: make it again")
    assert_close(run(op, inputs), expected, op.tolerance[0], op.name, summands(inputs, expected))


@with_oracle
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
def test_equals_pytorch_on_random_shapes(op, dtype):
    torch = pytest.importorskip("torch", reason="PyTorch, the live oracle, is not installed")
    for seed in range(1, 6):
        inputs = inputs_of(op, seed, dtype)
        expected = run_torch(op, inputs, torch, seed)
        tolerance, summed = op.tolerance[dtype == np.float32], summands(inputs, expected, seed)
        assert_close(run(op, inputs, seed), expected, tolerance, f"{op.name}, seed {seed}", summed)


@over_operations
def test_dtype_is_kept(op):
    for dtype in (np.float64, np.float32):
        for path, x in run(op, inputs_of(op, dtype=dtype)).items():
            if is_array(x) and to_numpy(x).dtype.kind == "f":
                assert x.dtype == dtype, f"{op.name}: {path} is {x.dtype} for {np.dtype(dtype)} inputs"


@over_operations
def test_inputs_stay_untouched(op):
    inputs = inputs_of(op)
    before = map_arrays(np.copy, inputs)
    results = run(op, inputs)
    for (name, x), y in zip(flatten(inputs).items(), flatten(before).values(), strict=True):
        if is_array(x):
            np.testing.assert_array_equal(x, y, err_msg=f"{op.name} changed {name}")
            for path, result in results.items():
                if isinstance(result, np.ndarray):
                    assert not np.shares_memory(result, x), f"{op.name}: {path} is a view of the input {name}"


@pytest.fixture
def strict(monkeypatch):
    """array-api-strict with its second device, whose arrays meet no others and that NumPy does not read: as on a GPU."""
    strict = pytest.importorskip("array_api_strict")
    kind = type(strict.asarray(0))

    def on_host(x):
        return to_numpy(x.to_device(strict.Device("CPU_DEVICE")) if isinstance(x, kind) else x)

    for name, module in list(sys.modules.items()):
        if name.startswith("dlcourse.") and hasattr(module, "to_numpy"):
            monkeypatch.setattr(module, "to_numpy", on_host)
    return strict


@over_operations
def test_strict_array_api_on_a_device_equals_numpy(op, strict):
    """array-api-strict has nothing but the standard: what runs on it runs on a GPU; and what is on a device stays there."""
    if op.strict is not True:
        pytest.skip(op.strict)
    device = strict.Device("device1")
    on_device = run(op, map_arrays(lambda x: strict.asarray(np.asarray(x), device=device), inputs_of(op)))
    inputs = inputs_of(op)
    expected = run(op, inputs)
    for path, x in on_device.items():
        if is_array(expected[path]) and np.ndim(expected[path]):
            assert array_namespace(x) is strict, f"{op.name}: {path} left the backend"
            assert x.device == device, f"{op.name}: {path} left the device"
    # The two differ in the order of their sums only
    assert_close(on_device, expected, 1e-12, op.name, summands(inputs, expected))


def test_a_network_trains_on_a_device_as_on_the_host(strict, tmp_path):
    device = strict.Device("device1")
    assert_trains_as_numpy(Library(type(strict.asarray(0)), lambda x: strict.asarray(x, device=device)), tmp_path)


IMAGES, SEQUENCES, ROWS, SYMBOLS = (4, 8, 8, 2), (4, 5, 6), (4, 6), (4, 5)
NETWORKS = [
    ([("conv2d", 2, 3, 3, {"padding": 1}), ("batchnorm", 3), ("maxpool2d", 2), ("avgpool2d", 2), ("flatten",)], IMAGES),
    ([("residual_block", 2), ("inception_block", 2, 2, 2, 2, 2, 2, 2), ("global_avgpool",)], IMAGES),
    ([("rnn", 6, 4), ("lstm", 4, 5), ("gru", 5, 4), ("last",)], SEQUENCES),
    ([("self_attention", 6, 6, {"causal": True}), ("layernorm", 6), ("rmsnorm", 6)], SEQUENCES),
    ([("glu_layer", 6, 5), ("dropout", 0.3), ("residual", [("linear", 5, 5), ("tanh",)])], ROWS),
    ([("embedding", 7, 6), ("positions", 6), ("attention", 6, 6, 2), ("transformer_block", 6, 2)], SYMBOLS),
]


@pytest.mark.parametrize("layers, shape", NETWORKS)
def test_layers_stay_on_a_device_and_give_what_they_give_on_the_host(layers, shape, strict):
    device = strict.Device("device1")
    rng = np.random.default_rng(0)
    X = rng.integers(0, 7, shape) if shape == SYMBOLS else rng.standard_normal(shape)
    gradients = []
    for place in (np.asarray, lambda x: strict.asarray(x, device=device)):
        net = Network(layers, rng=1, like=place(np.zeros(1)))
        U = net.forward(place(X), train=True, rng=0)
        net.backward(place(np.random.default_rng(2).standard_normal(U.shape)))
        gradients.append(net.dw)
    assert gradients[1].device == device
    on_host = gradients[1].to_device(strict.Device("CPU_DEVICE"))
    np.testing.assert_allclose(np.asarray(on_host), gradients[0], rtol=1e-9, atol=1e-11)


def _bytes(tree):
    seen = {id(x): x.nbytes for x in flatten(tree).values() if isinstance(x, np.ndarray)}
    return sum(seen.values())


@over_pairs
def test_a_cache_is_of_the_order_of_inputs_and_output(op):
    """What a forward keeps for its backward: never more than a few times what went in and came out."""
    inputs = inputs_of(op)
    out = op.forward(**inputs)
    cache = out[op.cache]
    shown = _bytes(inputs) + _bytes([x for x in out if x is not cache])
    # Twelve: a transformer block keeps the caches of its eight parts
    assert _bytes(cache) <= 12 * shown + 1024, f"{op.name} keeps {_bytes(cache)} bytes for {shown} in and out"


@over_operations
def test_bad_input_is_named(op):
    for name, x in op.inputs(np.random.default_rng(0)).items():
        if isinstance(x, np.ndarray) and x.dtype.kind == "f":
            call_raises(op, {name: np.full(x.shape, "a")}, rf"\b{name}\b.*expected")
            if x.ndim and not op.empty:
                call_raises(op, {name: x[:0]}, r"expected")
    for changes, match in op.bad:
        call_raises(op, changes, match)


def call_raises(op, changes, match):
    inputs = inputs_of(op)
    changes = {name: change(inputs[name]) if inspect.isfunction(change) else change for name, change in changes.items()}
    with pytest.raises((ValueError, TypeError)) as raised:
        op.forward(**(inputs | changes))
    message = str(raised.value)
    assert re.search(match, message), f"{op.name} with bad {', '.join(changes)} says {message!r}, not {match!r}"


@over_pairs
def test_wrong_upstream_gradient_is_named(op):
    out = op.forward(**inputs_of(op))
    wrong = np.zeros(tuple(n + 1 for n in out[0].shape) or (2,))
    with pytest.raises(ValueError, match=r"expected .*, got \("):
        op.backward(wrong, out[op.cache])


def test_every_public_function_is_in_the_registry():
    """A function that no operation lists is a function that none of these tests looks at."""
    covered = {f"{f.__module__}.{f.__name__}" for op in ALL for f in [op.forward]}
    for op in ALL:
        if op.kind != "plain":
            f = op.backward
            covered.add(f"{f.__module__}.{f.__name__}")
    tested_elsewhere = {name for module in modules_of_tests() for name in getattr(module, "TESTED_BELOW", ())}
    missing = []
    for name in formula_modules():
        module = importlib.import_module(f"dlcourse.{name}")
        for attribute, x in vars(module).items():
            full = f"dlcourse.{name}.{attribute}"
            public = inspect.isfunction(x) and x.__module__ == module.__name__ and not attribute.startswith("_")
            if public and full not in covered and full.removeprefix("dlcourse.") not in tested_elsewhere:
                missing.append(full)
    assert not missing, f"in no test module's OPERATIONS or TESTED_BELOW: {', '.join(missing)}"


def test_formula_modules_do_not_name_a_backend():
    for name in formula_modules():
        source = inspect.getsource(importlib.import_module(f"dlcourse.{name}"))
        code = re.sub(r'r?"""[\s\S]*?"""', "", source)
        assert not re.search(r"\bnp\.|\bnumpy\b|\bcupy\b", re.sub(r"(from|import|def) .*|#.*", "", code)), (
            f"dlcourse/{name}.py names a backend; formulas ask array_namespace"
        )


def formula_modules():
    folder = importlib.import_module("dlcourse").__path__[0]
    networks, lessons = {"training"}, {"drawings", "lesson"}
    backends_allowed = {"__init__", "_array", "_checks", "datasets", "kernels"} | networks | lessons
    return sorted(path.stem for path in Path(folder).glob("*.py") if path.stem not in backends_allowed)


def test_topics_have_modules():
    for slug in dlcourse.TOPICS:
        importlib.import_module(f"dlcourse.{slug}")


def modules_of_tests():
    return [
        importlib.import_module(path.stem)
        for path in sorted(Path(__file__).parent.glob("test_*.py"))
        if path.stem != "test_common"
    ]
