"""Every operation of the registry on other array libraries, against NumPy; and PyTorch's autograd through our own forwards.

PyTorch and JAX on the CPU stand in for a GPU: the functions never ask where an array lives, only for the functions that fit it.
"""

from pathlib import Path

import numpy as np
import pytest
from common import (
    assert_close,
    assert_equals_numpy,
    assert_trains_as_numpy,
    flatten,
    library,
    map_arrays,
    operations,
    run,
    summands,
    upstream,
)

from dlcourse._array import to_numpy

PAGE = Path(__file__).resolve().parent.parent / "docs" / "backends.md"
COLUMNS = "NumPy", "array-api-strict", "PyTorch", "JAX", "Dask"
OPERATIONS_TRIED = [op for op in operations() if op.strict is True]
# JAX compiles every function for every shape
LIBRARIES = ["torch", pytest.param("jax", marks=pytest.mark.slow), pytest.param("dask.array", marks=pytest.mark.slow)]


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("op", OPERATIONS_TRIED, ids=lambda op: op.name)
def test_another_library_equals_numpy(op, name):
    assert_equals_numpy(op, library(name), 1e-10)


def test_a_network_trains_on_pytorch_as_on_numpy(tmp_path):
    assert_trains_as_numpy(library("torch"), tmp_path)


def without_work_in_place(torch):
    """A type of tensors on which `x *= y` makes a new one: autograd needs the old one again."""
    operators = {f"__i{name}__": getattr(torch.Tensor, f"__{name}__") for name in ("add", "sub", "mul", "truediv")}
    return type("Kept", (torch.Tensor,), operators)


def through_autograd(op, inputs, torch):
    """{"d<argument>": …}: what PyTorch's autograd makes of our forward, for the upstream gradient of `common.run`."""
    kept = without_work_in_place(torch)
    tensors = map_arrays(lambda x: torch.tensor(np.asarray(x)).as_subclass(kept), inputs)
    leaves = {name: flatten(tensors[name], "d" + name) for name in op.wrt}
    for tree in leaves.values():
        for x in tree.values():
            x.requires_grad_()
    out = op.forward(**tensors)
    if op.kind == "pair":
        out = next(x for place, x in enumerate(out) if place != op.cache % len(out))
    dout = torch.ones_like(out) if op.kind == "loss" else upstream(out.detach())
    out.backward(dout)
    return {
        path: torch.zeros_like(x) if x.grad is None else x.grad for tree in leaves.values() for path, x in tree.items()
    }


# PyTorch announces another default of `asarray`; the new one is what is wanted here
@pytest.mark.filterwarnings("ignore:torch.asarray")
@pytest.mark.parametrize("op", [op for op in OPERATIONS_TRIED if op.wrt], ids=lambda op: op.name)
def test_our_gradient_is_that_of_our_own_forward(op):
    """The second judge: not another implementation, but the forward that the backward belongs to."""
    torch = pytest.importorskip("torch")
    inputs = op.inputs(np.random.default_rng(0))
    ours = run(op, inputs)
    theirs = {path: to_numpy(x) for path, x in through_autograd(op, inputs, torch).items()}
    assert_close({path: ours[path] for path in theirs}, theirs, 1e-10, op.name, summands(inputs, ours))


def table():
    """The page's table: what the tests of this file and of `test_common.py` show of each operation, a topic after the other."""
    lines = [
        f"| function | {' | '.join(COLUMNS)} | gradient by autograd |",
        f"| --- |{' :-: |' * (len(COLUMNS) + 1)}",
    ]
    reasons = []
    for op in operations():
        runs = op.strict is True
        if not runs:
            reasons.append(f"- `{op.name}` runs on NumPy alone: {op.strict}.")
        judged = ("✓" if runs else "") if op.wrt else "–"
        cells = [f"`{op.name}`", "✓", *(["✓" if runs else ""] * (len(COLUMNS) - 1)), judged]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", *reasons]).rstrip() + "\n"


def test_the_page_says_what_runs_where():
    """After a new operation: `python tests/test_backends.py` writes the table."""
    _, mark, told = PAGE.read_text(encoding="utf-8").partition("<!-- table -->\n\n")
    assert mark and told == table()


if __name__ == "__main__":
    head, mark, _ = PAGE.read_text(encoding="utf-8").partition("<!-- table -->\n\n")
    PAGE.write_text(head + mark + table(), encoding="utf-8")
