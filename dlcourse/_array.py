"""Array backends: the only code that knows NumPy from CuPy from a strict stand-in.

A formula asks `array_namespace` once for the functions that fit its array, then
reads the same on every backend.
"""

import array_api_compat
import numpy as np


def array_namespace(x):
    """The array-API functions of `x`'s backend (NumPy, CuPy, array-api-strict)."""
    # NumPy first: almost every call, and the general look-up costs more than a small formula. NumPy itself has the array
    # API's functions since 2.1; the layer above it would load half of NumPy's test tools
    return np if isinstance(x, np.ndarray | np.generic) else array_api_compat.array_namespace(x)


def is_array(x):
    """Whether `x` is an array of some backend (a list or a Python number is not)."""
    return type(x) is np.ndarray or array_api_compat.is_array_api_obj(x)


def to_numpy(x):
    """A NumPy array with the values of `x`, from whichever backend."""
    if array_api_compat.is_cupy_array(x):
        return x.get()
    return np.asarray(x)


def from_numpy(values, like):
    """The NumPy array `values` on the backend and device of `like`: how random numbers,
    drawn on the host, get there.
    """
    if type(like) is np.ndarray:
        return values
    xp = array_namespace(like)
    return xp.asarray(values, device=array_api_compat.device(like))


def at_labels(labels, K):
    """(N, K) booleans, True in each row at its label alone."""
    xp = array_namespace(labels)
    # int64 for both: a short integer type may not reach K
    return xp.astype(labels, xp.int64)[:, None] == xp.arange(K)


def rows(x):
    """`x` (..., D) as the rows (M, D) of one matrix: one product for all examples and
    steps.
    """
    return array_namespace(x).reshape(x, (-1, x.shape[-1]))


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
    # Most topics need nothing of SciPy
    from scipy import special

    return from_numpy(special.erf(to_numpy(x)), like=x)
