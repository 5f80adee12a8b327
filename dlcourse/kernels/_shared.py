"""What several twins share: blocks that stay in the cache, sums as products, rare cases left to the formula."""

import numpy as np

# Elements that are worked on at a time: they and their scratch stay in the second-level cache
BLOCK = 32_768

# Multiplications in a matrix product up to which OpenBLAS has kernels that do not pack their arguments: 20 to 30 % faster
SMALL = 10**6

# The number 1 as an array: `minimum` and `maximum` with a number take four times as long
ONES = {np.dtype(name): np.ones(BLOCK, name) for name in ("float32", "float64")}


def vector_of_ones(n, dtype):
    """n ones, kept: to make them takes as long as a small product with them."""
    return ONES[dtype][:n] if n <= BLOCK else np.ones(n, dtype)


def blocks(*arrays):
    """Matching pieces of the arrays, as flat views; of one that is not contiguous (never an output), of a copy.

    Twice as long as a block, since few arrays are worked on here: fewer calls.
    """
    flat = [x.reshape(-1) for x in arrays]
    if flat[0].size <= 2 * BLOCK:
        yield flat
        return
    for start in range(0, flat[0].size, 2 * BLOCK):
        yield [x[start : start + 2 * BLOCK] for x in flat]


def column_sums(x):
    """Sums over the rows, three times as fast as sum(axis=0)."""
    return vector_of_ones(len(x), x.dtype).dot(x)


def with_formula(results):
    """A formula's output with a cache that says so: rare cases are left to it."""
    *out, cache = results
    return *out, (cache,)


def assign(gradients, out):
    """The gradients, those of parameters also written to `out`."""
    for view, gradient in zip(out or [], gradients[1:], strict=False):
        view[...] = gradient
    return gradients
