"""Trees of arrays: one array, or any nesting of dicts, lists, tuples and NamedTuples with arrays at the leaves.

An optimizer walks the leaves of several trees side by side (`zip_leaves`), one parameter with its gradient and its
state at a time, and puts the results back into the first tree's form (`rebuild`).
"""

from numbers import Real

from ._array import array_namespace, is_array
from ._checks import as_floating


def is_leaf(tree):
    """Whether `tree` is an array: also a number, or a list of numbers of one or more dimensions."""
    return not isinstance(tree, dict | tuple | list) or (isinstance(tree, list) and bool(tree) and _is_numbers(tree))


def zip_leaves(**trees):
    """[(a, b, …), …]: the leaves at the same place of every tree, as floating arrays.

    The first tree decides: the others have its form, its shapes, and take its dtypes. A Python number (or a list of
    them) at one of its leaves takes the dtype of the first array beside it.

    Raises
    ------
    ValueError : a tree's form or a leaf's shape differs from the first one's, or there is no leaf at all.
    TypeError : a leaf is not an array of numbers.

    Examples
    --------
    >>> zip_leaves(w={"b": 1, "W": [2, 3]}, dw={"W": [0, 1], "b": 4})
    [(array(1.), array(4.)), (array([2., 3.]), array([0., 1.]))]
    """
    rows = list(_walk(tuple(trees), tuple(trees.values()), (), next(iter(trees.values()))))
    if not rows:
        raise ValueError(f"{next(iter(trees))}: expected at least one array, got {next(iter(trees.values()))!r}")
    return rows


def rebuild(tree, rows):
    """Trees of the form of `tree`, one for each column of `rows`; a single tree where the rows are plain leaves.

    Examples
    --------
    >>> rebuild({"b": 0, "W": [0, 0]}, [(1, 10), (2, 20)])
    ({'b': 1, 'W': 2}, {'b': 10, 'W': 20})
    """
    if not isinstance(rows[0], tuple):
        return _fill(tree, iter(rows))
    return tuple(_fill(tree, iter(column)) for column in zip(*rows, strict=True))


def zeros_like(tree, name="w"):
    """A tree of zeros of the form of `tree`."""
    return rebuild(tree, [array_namespace(x).zeros_like(x) for (x,) in zip_leaves(**{name: tree})])


def named_leaves(tree, prefix=""):
    """(path, array) for each array of nested dicts, the path's names joined by dots.

    Examples
    --------
    >>> list(named_leaves({"linear_0": {"W": 1, "b": 2}}))
    [('linear_0.W', 1), ('linear_0.b', 2)]
    """
    for key, x in tree.items():
        if isinstance(x, dict):
            yield from named_leaves(x, f"{prefix}{key}.")
        else:
            yield prefix + key, x


def nest(leaves):
    """The nested dicts that `named_leaves` took apart.

    Examples
    --------
    >>> nest([("linear_0.W", 1), ("linear_0.b", 2)])
    {'linear_0': {'W': 1, 'b': 2}}
    """
    tree = {}
    for path, x in leaves:
        *above, last = path.split(".")
        branch = tree
        for key in above:
            branch = branch.setdefault(key, {})
        branch[last] = x
    return tree


def _is_numbers(x):
    # A backend's own numbers are the leaves without axes that a step gave back
    return all(map(_is_numbers, x)) if isinstance(x, list) else isinstance(x, Real) and not hasattr(x, "dtype")


def _keys(tree):
    return list(tree) if isinstance(tree, dict) else range(len(tree))


def _first_dtype(tree):
    """The dtype of the first floating array of the tree, or None."""
    if is_leaf(tree):
        floating = is_array(tree) and array_namespace(tree).isdtype(tree.dtype, "real floating")
        return tree.dtype if floating else None
    found = (_first_dtype(tree[key]) for key in _keys(tree))
    return next((dtype for dtype in found if dtype is not None), None)


def _walk(names, trees, path, root):
    if is_leaf(trees[0]):
        yield _leaves(names, trees, path, root)
        return
    keys = _keys(trees[0])
    for name, tree in zip(names[1:], trees[1:], strict=True):
        alike = isinstance(tree, dict) == isinstance(trees[0], dict) and isinstance(tree, dict | list | tuple)
        if not alike or len(tree) != len(keys) or (isinstance(tree, dict) and tree.keys() != trees[0].keys()):
            place = _place(name, path)
            raise ValueError(f"{place}: expected {_form(trees[0])} as in {names[0]}, got {_form(tree)}")
    for key in keys:
        yield from _walk(names, [tree[key] for tree in trees], (*path, key), root)


def _leaves(names, trees, path, root):
    """The arrays at one place, all of the first one's shape and dtype; a Python number takes that of an array in `root`."""
    first, *others = (as_floating(x, _place(name, path)) for name, x in zip(names, trees, strict=True))
    if not is_array(trees[0]):
        first = array_namespace(first).astype(first, _first_dtype(root) or first.dtype)
    row = [first]
    for name, x in zip(names[1:], others, strict=True):
        if x.shape != first.shape:
            shapes = f"expected shape {tuple(first.shape)} as in {names[0]}, got {tuple(x.shape)}"
            raise ValueError(f"{_place(name, path)}: {shapes}")
        row.append(x if x.dtype == first.dtype else array_namespace(x).astype(x, first.dtype))
    return tuple(row)


def _place(name, path):
    return name + "".join(f"[{key!r}]" for key in path)


def _form(tree):
    if isinstance(tree, dict):
        return f"a dict with the keys {', '.join(map(repr, tree))}" if tree else "an empty dict"
    if isinstance(tree, list | tuple):
        return f"a {'list' if isinstance(tree, list) else 'tuple'} of {len(tree)}"
    return f"a {type(tree).__name__}"


def _fill(tree, leaves):
    if is_leaf(tree):
        return next(leaves)
    if isinstance(tree, dict):
        return {key: _fill(x, leaves) for key, x in tree.items()}
    if hasattr(tree, "_fields"):
        return type(tree)(*(_fill(x, leaves) for x in tree))
    filled = [_fill(x, leaves) for x in tree]
    return filled if isinstance(tree, list) else tuple(filled)
