"""Array backends: the only code that knows NumPy from CuPy from a strict stand-in.

A formula asks `array_namespace` once for the functions that fit its array, then
reads the same on every backend.
"""

import math
import sys

import array_api_compat
import numpy as np


def array_namespace(x):
    """The array-API functions of `x`'s backend (NumPy, CuPy, array-api-strict)."""
    # NumPy first: almost every call, and the general look-up costs more than a small formula. NumPy itself has the array
    # API's functions since 2.0; the layer above it would load half of NumPy's test tools
    return np if isinstance(x, np.ndarray | np.generic) else array_api_compat.array_namespace(x)


def is_array(x):
    """Whether `x` is an array of some backend (a list or a Python number is not)."""
    return type(x) is np.ndarray or array_api_compat.is_array_api_obj(x)


def as_indices(x):
    """Whole numbers as NumPy counts places: where Python is of 32 bits, as in a browser,
    `take` and `add.at` refuse the 64 that generators draw. Other backends take any.
    """
    return x.astype(np.intp, copy=False) if type(x) is np.ndarray else x


def positive(x):
    """1 where x > 0, else 0, in the type of `x`."""
    xp = array_namespace(x)
    # For a single number NumPy compares to a scalar, while astype of NumPy 2.0 wants an array
    one = xp.astype(xp.asarray(x > 0.0), x.dtype)
    return one if one.shape else one[()]


def to_numpy(x):
    """A NumPy array with the values of `x`, from whichever backend and device."""
    if array_api_compat.is_cupy_array(x):
        return x.get()
    return np.asarray(x.cpu() if array_api_compat.is_torch_array(x) else x)


def device(x):
    """Where `x` is, for new arrays that meet it there."""
    return "cpu" if isinstance(x, np.ndarray | np.generic) else array_api_compat.device(x)


def from_numpy(values, like):
    """The NumPy array `values` on the backend and device of `like`: how random numbers,
    drawn on the host, get there.
    """
    if type(like) is np.ndarray:
        return values
    xp = array_namespace(like)
    return xp.asarray(values, device=device(like))


def at_labels(labels, K):
    """(N, K) booleans, True in each row at its label alone."""
    xp = array_namespace(labels)
    # int64 for both: a short integer type may not reach K
    return xp.astype(labels, xp.int64)[:, None] == xp.arange(K, device=device(labels))


def at_label(x, labels):
    """x[n, labels[n]] for each row n, (N, 1)."""
    xp = array_namespace(x)
    if hasattr(xp, "take_along_axis"):
        return xp.take_along_axis(x, labels[:, None], axis=1)
    # Dask has no such function
    chosen = xp.where(at_labels(labels, x.shape[1]), x, xp.asarray(0.0, dtype=x.dtype))
    return xp.sum(chosen, axis=1)[:, None]


def minus_indicator(x, labels):
    """`x` (N, K) less the indicator matrix of the labels: written over `x` where the
    backend can; only for one that the caller itself made.
    """
    if type(x) is np.ndarray:
        x[np.arange(len(x)), labels] -= 1.0
        return x
    return x - array_namespace(x).astype(at_labels(labels, x.shape[1]), x.dtype)


def rows(x):
    """`x` (..., D) as the rows (M, D) of one matrix: one product for all examples and
    steps.
    """
    return array_namespace(x).reshape(x, (-1, x.shape[-1]))


def size(x):
    """How many entries an array has."""
    return math.prod(x.shape)


def put(x, index, values):
    """`x` with `values` at `index`: written into `x` where the backend can, else a new
    array; only for one that the caller itself made.
    """
    if type(x) is not np.ndarray and array_api_compat.is_jax_array(x):
        return x.at[index].set(values)
    x[index] = values
    return x


def put_sum(x, index, values):
    """As `put`, with `values` added to what stands at `index`."""
    if type(x) is not np.ndarray and array_api_compat.is_jax_array(x):
        return x.at[index].add(values)
    x[index] += values
    return x


def in_place(function, x, *args):
    """`function(x, *args)` written over `x` where the backend can; only for a temporary
    that the caller itself made.
    """
    # type, not isinstance: NumPy's arithmetic turns arrays without axes into scalars, which nothing can be written over
    if type(x) is np.ndarray or array_api_compat.is_cupy_array(x):
        return function(x, *args, out=x)
    return function(x, *args)


def erf(x):
    """The error function: `2/√π ∫₀^x e^(−t²) dt`, which the array API lacks."""
    if array_api_compat.is_cupy_array(x):
        from cupyx.scipy.special import erf as erf_on_gpu

        return erf_on_gpu(x)
    if array_api_compat.is_torch_array(x):
        return sys.modules["torch"].erf(x)
    if array_api_compat.is_jax_array(x):
        from jax.scipy.special import erf as erf_of_jax

        return erf_of_jax(x)
    return from_numpy(_erf(to_numpy(x)), like=x)


def _erf(x):
    """Of a NumPy array. SciPy, which few topics need, is loaded when it is first asked; in
    a browser it is not there, and the standard library's function stands in, entry by entry.
    """
    try:
        from scipy import special
    except ImportError:
        values = np.asarray([math.erf(value) for value in x.ravel().tolist()])
        return values.reshape(x.shape).astype(x.dtype if x.dtype.kind == "f" else float)
    return special.erf(x)
