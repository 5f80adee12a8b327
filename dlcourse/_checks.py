"""Input checks: one line at the head of a formula, one clear sentence when it fails.

Shapes are written with the notes' letters: ``check_shapes("N D, D", X=X, w=w)`` says that `X` has one row for each of
N examples and that `w` has as many entries as `X` has columns.
"""

import reprlib
from functools import cache
from numbers import Integral, Real

import numpy as np

from ._array import array_namespace, is_array, to_numpy


def as_floating(x, name="x"):
    """`x` as a floating (or complex) array: lists and integers become float64, arrays of floats stay as they are."""
    if not is_array(x):
        if isinstance(x, str | bytes) or not isinstance(x, Real | complex | list | tuple):
            raise TypeError(f"{name}: expected an array of numbers, got {type(x).__name__}")
        x = np.asarray(from_list(name, x))
    elif isinstance(x, np.generic):
        x = np.asarray(x)
    xp = array_namespace(x)
    try:
        if xp.isdtype(x.dtype, ("real floating", "complex floating")):
            return x
        numeric = xp.isdtype(x.dtype, ("bool", "integral"))
    except TypeError:
        numeric = False
    if not numeric:
        raise TypeError(f"{name}: expected an array of numbers, got dtype {x.dtype}")
    return xp.astype(x, xp.float64)


@cache
def _parse(spec):
    """("N 4H, ~N, ...") -> for each array (cast to the first one's dtype?, any leading axes?, ((factor, letter), …), text)."""
    parsed = []
    for text in spec.split(","):
        words = text.split()
        cast = words[0].startswith("~") or words == ["()"]
        words[0] = words[0].removeprefix("~")
        leading = words[0] == "..."
        dims = []
        for word in words[leading:]:
            if word == "()":
                continue
            digits = len(word) - len(word.lstrip("0123456789"))
            dims.append((int(word[:digits] or 1), word[digits:]))
        shown = ", ".join(words).replace("()", "")
        parsed.append((cast, leading, tuple(dims), f"({shown},)" if len(words) == 1 and shown else f"({shown})"))
    return tuple(parsed)


def check_shapes(spec, /, **arrays):
    """The arrays, as floating arrays, if their shapes fit `spec`; otherwise an error that names the one that does not.

    Parameters
    ----------
    spec : one group of axes for each array, separated by commas. A letter stands for the same size wherever it occurs,
        `4H` for four times H, a number for itself, `...` for any leading axes, `()` for a single number.
        A group that begins with `~` (targets), and a single number, take the first array's dtype and never decide it.
    **arrays : the arrays under the names that the caller's user knows.

    Returns
    -------
    A tuple of arrays in the same order; the array itself where there is only one.

    Raises
    ------
    ValueError : a shape does not fit, or an axis named by a letter has no entries.
    TypeError : not an array of numbers.

    Examples
    --------
    >>> X, w = check_shapes("N D, D", X=[[1, 2], [3, 4]], w=np.ones(2))
    >>> X.dtype
    dtype('float64')
    >>> check_shapes("N D, D", X=X, w=np.ones(3))
    Traceback (most recent call last):
    ...
    ValueError: w: expected shape (D,) with D = 2 as in X, got (3,)
    """
    sizes, checked = {}, []
    for (cast, leading, dims, _), (name, x) in zip(_parse(spec), arrays.items(), strict=True):
        if type(x) is not np.ndarray or x.dtype.kind not in "fc":
            if not dims and not leading and type(x) is float:
                checked.append(x)  # a Python number follows any dtype by itself
                continue
            x = as_floating(x, name)
        shape = x.shape
        if leading:
            split = len(shape) - len(dims)
            if split < 0 or sizes.setdefault("...", shape[:split]) != shape[:split]:
                raise ValueError(_shape_message(spec, arrays, name, shape))
            shape = shape[split:]
        elif len(shape) != len(dims):
            raise ValueError(_shape_message(spec, arrays, name, shape))
        for (factor, letter), n in zip(dims, shape, strict=True):
            if not letter:
                fits = n == factor
            elif letter in sizes:
                fits = sizes[letter] * factor == n
            else:
                sizes[letter] = n // factor
                fits = n > 0 and n % factor == 0
            if not fits:
                raise ValueError(_shape_message(spec, arrays, name, x.shape))
        if cast and checked and x.dtype != checked[0].dtype:
            xp = array_namespace(x)
            # a complex step keeps its imaginary part
            x = x if xp.isdtype(x.dtype, "complex floating") else xp.astype(x, checked[0].dtype)
        checked.append(x)
    return checked[0] if len(checked) == 1 else tuple(checked)


def _shape_message(spec, arrays, name, shape):
    """The sentence for a shape that does not fit, with the sizes that the arrays before it have fixed."""
    known = {}
    for (_, leading, dims, _), (other, x) in zip(_parse(spec), arrays.items(), strict=True):
        if other == name:
            break
        other_shape = np.shape(x) if not is_array(x) else x.shape
        split = len(other_shape) - len(dims)
        if leading:
            known.setdefault("...", (other_shape[:split], other))
        for (factor, letter), n in zip(dims, other_shape[split:], strict=True):
            known.setdefault(letter, (n // factor, other))
    _, leading, dims, shown = _parse(spec)[list(arrays).index(name)]
    letters = (["..."] if leading else []) + [letter for _, letter in dims]
    sizes = [
        f"{letter} = {known[letter][0]} as in {known[letter][1]}"
        for letter in dict.fromkeys(letters)
        if letter in known
    ]
    expected = "a single number" if not letters else f"shape {shown}"
    if 0 in tuple(shape) and len(shape) >= len(dims):
        expected += " with at least one entry along each axis"
    elif sizes:
        expected += " with " + ", ".join(sizes)
    return f"{name}: expected {expected}, got {tuple(shape)}"


def check_gradient(name, gradient, like):
    """The upstream gradient as a floating array, if it has the shape of the output `like` (the array, or its shape)."""
    gradient = as_floating(gradient, name)
    shape = tuple(getattr(like, "shape", like))
    if gradient.shape != shape:
        raise ValueError(f"{name}: expected the output's shape {shape}, got {tuple(gradient.shape)}")
    return gradient


def from_list(name, x):
    """The array of a list or tuple, whose rows must be of one length; anything else as it is."""
    if not isinstance(x, list | tuple):
        return x
    try:
        return np.asarray(x)
    except ValueError:
        raise ValueError(
            f"{name}: expected an array of numbers, got a nested list with rows of unequal length"
        ) from None


def check_labels(labels, K, N=None, name="labels"):
    """Class labels as an integer array (N,), if they are N whole numbers in 0…K−1."""
    if not is_array(labels):
        labels = np.asarray(from_list(name, labels))
    xp = array_namespace(labels)
    shape = tuple(labels.shape)
    if len(shape) != 1 or shape[0] == 0 or (N is not None and shape[0] != N):
        raise ValueError(
            f"{name}: expected shape ({'N' if N is None else N},), one label for each example, got {shape}"
        )
    if (labels.dtype.kind not in "iu") if type(labels) is np.ndarray else not xp.isdtype(labels.dtype, "integral"):
        raise TypeError(f"{name}: expected whole numbers 0…{K - 1}, got dtype {labels.dtype}")
    low, high = int(xp.min(labels)), int(xp.max(labels))
    if low < 0 or high >= K:
        raise ValueError(f"{name}: expected labels 0…{K - 1}, got {low if low < 0 else high}")
    return labels


def check_values(name, x, allowed, what):
    """Raise unless the condition `allowed` holds everywhere in the array `x`; `what` says in words what was expected."""
    xp = array_namespace(allowed)
    if not bool(xp.all(allowed)):
        offending = to_numpy(x)[~to_numpy(allowed)]
        raise ValueError(f"{name}: expected {what}, got {offending.flat[0]:g}")


def check_choice(name, value, choices):
    """`value`, if it is one of `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name}: expected one of {', '.join(map(repr, choices))}; got {value!r}")
    return value


def check_integer(name, value, minimum=1):
    """`value` as an int, if it is a whole number of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name}: expected a whole number of at least {minimum}, got {value!r}")
    if value < minimum:
        raise ValueError(f"{name}: expected a whole number of at least {minimum}, got {value}")
    return int(value)


def check_number(name, value, low=-np.inf, high=np.inf, include_low=True, include_high=True):
    """`value` as a Python float, if it is a real number in the interval; the brackets say which ends belong to it.

    A Python float follows the precision of the arrays that it meets; a NumPy one would decide it.
    """
    interval = f"{'[' if include_low else '('}{low:g}, {high:g}{']' if include_high else ')'}"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}: expected a number in {interval}, got {value!r}")
    if not (low <= value if include_low else low < value) or not (value <= high if include_high else value < high):
        raise ValueError(f"{name}: expected a number in {interval}, got {value:g}")
    return float(value)


def check_rng(rng):
    """`rng` as a NumPy random generator: the generator itself, or a new one from a whole number as its seed."""
    if isinstance(rng, np.random.Generator):
        return rng
    if isinstance(rng, bool) or not isinstance(rng, Integral):
        raise TypeError(f"rng: expected a numpy.random.Generator, or a whole number as the seed of one, got {rng!r}")
    return np.random.default_rng(check_integer("rng", rng, minimum=0))


def check_callable(name, value, call):
    """`value`, if it is a function; `call` shows how it is called and what it returns."""
    if not callable(value):
        raise TypeError(f"{name}: expected a function {call}, got {reprlib.repr(value)}")
    return value


def check_state(state, kind, name="state"):
    """`state`, if it is a NamedTuple with the fields of the class `kind`, as the `*_init` function makes it."""
    if getattr(state, "_fields", None) != kind._fields:
        raise TypeError(f"{name}: expected a NamedTuple with the fields ({', '.join(kind._fields)}), got {state!r}")
    return state
