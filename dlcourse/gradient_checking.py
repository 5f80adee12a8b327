"""Gradient checking: is the gradient that was derived the gradient of the function
that was written?

The derivative with respect to one entry `x_i`, all others fixed, is compared with

- central differences, `(f(x + ε e_i) − f(x − ε e_i))/(2ε)`, for any f; the error is
  `O(ε²)` from the truncated series plus `O(u|f|/ε)` from rounding (u = 2⁻⁵³), least
  near `ε = 10⁻⁵`;
- the complex step, `Im f(x + iε e_i)/ε`, for an analytic f; nothing is subtracted,
  so ε can be tiny and the result is exact to rounding.

f must not draw new random numbers between two evaluations: fix the mask of a
dropout first. At a kink, such as 0 for ReLU, central differences give the mean of
the two one-sided slopes, which is not a derivative.
Source: notes 003, whose `ε ≈ 1^(−3)` and "4 digits" stand for 10⁻³ and for a
relative error (E24).
"""

import math
from itertools import product
from typing import NamedTuple

from ._array import array_namespace
from ._checks import as_floating, check_callable, check_number

__all__ = [
    "GradientReport",
    "check_grad",
    "complex_step_grad",
    "numerical_grad",
    "relative_error",
]


def __dir__():
    return __all__


def numerical_grad(f, x, eps=1e-5):
    """Central differences: `g_i = (f(x + ε e_i) − f(x − ε e_i))/(2ε)`.

    Parameters
    ----------
    f : function of an array like x that returns a number.
    x : array of any shape, the point. An array of float64 is changed in place, one
        entry at a time, and comes back unchanged, even where f raises; so f may also
        read it from elsewhere, as a network reads its weights.
    eps : ε, positive, in the units of x.

    Returns
    -------
    g : array of the shape and dtype of x.

    Raises
    ------
    TypeError : f is not a function, or x not an array of real numbers.
    ValueError : f does not return a single number.

    Notes
    -----
    f sees x in float64: differences in float32 would keep two digits at best.
    Source: notes 003; Nocedal, Wright, Numerical Optimization (2006), section 8.1.

    Examples
    --------
    >>> g = numerical_grad(lambda x: np.sum(x**2), np.array([1.0, -3.0]))
    >>> np.round(g, 6)
    array([ 2., -6.])
    """
    f = check_callable("f", f, "f(x) -> number")
    x = _check_real(x)
    eps = check_number("eps", eps, low=0.0, include_low=False, include_high=False)
    xp = array_namespace(x)
    before = xp.astype(x, xp.float64, copy=True)
    point = x if x.dtype == xp.float64 and _writeable(x) else xp.astype(x, xp.float64, copy=True)
    g = xp.zeros_like(before)
    try:
        for index in _indices(x):
            point[index] = before[index] + eps
            above = _number(f(point))
            point[index] = before[index] - eps
            below = _number(f(point))
            point[index] = before[index]
            g[index] = (above - below) / (2.0 * eps)
    finally:
        point[...] = before  # every entry, should f itself have written to it
    return xp.astype(g, x.dtype)


def complex_step_grad(f, x, eps=1e-20):
    r"""Complex step: `g_i = Im f(x + iε e_i)/ε`, exact to rounding where f is analytic.

    Parameters
    ----------
    f : function of a complex array like x that returns a number, made of analytic
        operations only: sums, products, exp, log, tanh; no \|x\|, no comparison of
        complex numbers, no conjugate.
    x : array of any shape, the point.
    eps : ε, positive.

    Returns
    -------
    g : array of the shape and dtype of x.

    Raises
    ------
    TypeError : f returns a real number (it drops the imaginary part on its way), or is
        no function.
    ValueError : f does not return a single number.

    Notes
    -----
    `f(x + iε) = f(x) + iε f′(x) + O(ε²)`. f sees complex numbers of 2 × 64 bits.
    Source: Squire, Trapp, Using complex variables to estimate derivatives of real
    functions (SIAM Review 40, 1998).

    Examples
    --------
    >>> x = np.array([0.5, 2.0])
    >>> g = complex_step_grad(lambda x: np.sum(np.exp(x)), x)
    >>> bool(np.max(np.abs(g / np.exp(x) - 1.0)) < 1e-15)
    True
    """
    f = check_callable("f", f, "f(x) -> number")
    x = _check_real(x)
    eps = check_number("eps", eps, low=0.0, include_low=False, include_high=False)
    xp = array_namespace(x)
    z = xp.astype(x, xp.complex128)
    g = xp.zeros_like(xp.astype(x, xp.float64))
    for index in _indices(x):
        at = z[index]
        z[index] = at + 1j * eps
        g[index] = _number(f(z), "complex floating").imag / eps
        z[index] = at
    return xp.astype(g, x.dtype)


def relative_error(a, b):
    """Largest relative difference: `max_i |a_i − b_i| / max(|a_i| + |b_i|, tiny)`.

    Parameters
    ----------
    a, b : (...) arrays of one shape.

    Returns
    -------
    float from 0 (equal) to 1 (one is 0 or has the other sign); inf where only one of
    them is finite, or one is NaN.

    Raises
    ------
    ValueError : the shapes differ.

    Notes
    -----
    `tiny`, the smallest normal number, only makes 0 against 0 no error; 10⁻³⁰⁰ against
    0 is one.

    Examples
    --------
    >>> relative_error([1.0, 0.0], [3.0, 0.0])
    0.5
    """
    a, b = as_floating(a, "a"), as_floating(b, "b")
    if a.shape != b.shape:
        raise ValueError(f"b: expected the shape of a, {tuple(a.shape)}, got {tuple(b.shape)}")
    xp = array_namespace(a)
    errors = _relative_errors(a, b, float(xp.finfo(a.dtype).smallest_normal))
    return float(xp.max(errors)) if math.prod(a.shape) else 0.0


class GradientReport(NamedTuple):
    """What `check_grad` found, at the entry where the two gradients differ most; true
    where the check passed.
    """

    index: tuple
    point: float
    analytic: float
    numeric: float
    error: float
    tolerance: float
    ok: bool

    def __bool__(self):
        return self.ok

    def __str__(self):
        entry = f"x[{', '.join(map(str, self.index))}]" if self.index else "x"
        verdict = "The gradient agrees with central differences" if self.ok else "The gradient is wrong"
        worst = "they differ most" if self.ok else "it is farthest off"
        return (
            f"{verdict}: at {entry} = {self.point:.6g}, where {worst}, the analytic value is {self.analytic:.8g} and the "
            f"numeric one {self.numeric:.8g} (relative error {self.error:.1e}, allowed {self.tolerance:.0e})."
        )

    __repr__ = __str__


def check_grad(f, grad, x, eps=1e-5, tolerance=None):
    """Compare a gradient with central differences, entry by entry.

    Parameters
    ----------
    f : function of an array like x that returns a number.
    grad : function of the same array that returns the gradient of f there, an array of
        the shape of x.
    x : array of any shape, the point; it comes back unchanged.
    eps : ε, positive.
    tolerance : largest relative error allowed; 1e-6, or 1e-3 where x or the gradient is
        float32.

    Returns
    -------
    GradientReport (index, point, analytic, numeric, error, tolerance, ok) of the worst
    entry, which prints as a sentence and is true where the check passed:
    ``assert check_grad(f, grad, x)``.

    Raises
    ------
    ValueError : the gradient has another shape than x, x has no entry, or f does not
        return a single number.

    Notes
    -----
    `error` is the `relative_error` of the entry, except that a difference within the
    rounding noise of the central differences, `100 u |f|/ε`, is always within the
    tolerance: else a gradient of 0 could never pass.

    Examples
    --------
    >>> x = np.array([1.0, 2.0])
    >>> check_grad(lambda x: np.sum(x**2), lambda x: 2 * x, x).ok
    True
    >>> wrong = check_grad(lambda x: np.sum(x**2), lambda x: np.array([2.0, 2.0]), x)
    >>> print(wrong)  # doctest: +ELLIPSIS
    The gradient is wrong: at x[1] = 2, where it is farthest off, the analytic value ...
    """
    grad = check_callable("grad", grad, "grad(x) -> array like x")
    numeric = numerical_grad(f, x, eps)
    x = _check_real(x)
    if not math.prod(x.shape):
        raise ValueError(f"x: expected at least one entry, got shape {tuple(x.shape)}")
    xp = array_namespace(x)
    analytic = as_floating(grad(xp.asarray(x, copy=True)), "grad")
    if analytic.shape != x.shape:
        raise ValueError(f"grad: expected a gradient of the shape of x, {tuple(x.shape)}, got {tuple(analytic.shape)}")
    if tolerance is None:
        tolerance = 1e-6 if x.dtype == analytic.dtype == xp.float64 else 1e-3
    check_number("tolerance", tolerance, low=0.0, include_low=False)
    noise = 100.0 * float(xp.finfo(xp.float64).eps) * abs(_number(f(xp.astype(x, xp.float64)))) / eps
    floor = max(noise / tolerance, float(xp.finfo(xp.float64).smallest_normal))
    errors = xp.reshape(_relative_errors(analytic, numeric, floor), (-1,))
    worst = int(xp.argmax(errors))
    index = list(_indices(x))[worst]
    error = float(errors[worst])
    return GradientReport(
        index, float(x[index]), float(analytic[index]), float(numeric[index]), error, tolerance, error <= tolerance
    )


def _relative_errors(a, b, floor):
    """|a − b| / max(|a| + |b|, floor) of each entry in float64; inf where a or b is not finite, and they differ."""
    xp = array_namespace(a)
    a, b = xp.astype(a, xp.float64), xp.astype(b, xp.float64)
    finite = xp.isfinite(a) & xp.isfinite(b)
    hopeless = ~finite & (a != b)
    # of the halves neither sum nor difference can overflow
    a, b = 0.5 * xp.where(finite, a, 0.0), 0.5 * xp.where(finite, b, 0.0)
    errors = xp.abs(a - b) / xp.maximum(xp.abs(a) + xp.abs(b), 0.5 * floor)
    return xp.where(hopeless, math.inf, errors)


def _indices(x):
    """The index of every entry, in order; () of a single number."""
    return product(*map(range, x.shape))


def _number(y, kind="real floating"):
    """What f returned, as a Python number."""
    y = as_floating(y, "f")
    if math.prod(y.shape) != 1 or y.ndim > 0:
        raise ValueError(f"f: expected a single number from the function, got shape {tuple(y.shape)}")
    if not array_namespace(y).isdtype(y.dtype, kind):
        raise TypeError(f"f: expected a {kind.split()[0]} number from the function, got dtype {y.dtype}")
    return complex(y) if kind.startswith("complex") else float(y)


def _check_real(x):
    x = as_floating(x)
    if not array_namespace(x).isdtype(x.dtype, "real floating"):
        raise TypeError(f"x: expected an array of real numbers, got dtype {x.dtype}")
    return x


def _writeable(x):
    """Whether x can be written to; backends without such a flag have no read-only arrays."""
    return getattr(getattr(x, "flags", None), "writeable", True)
