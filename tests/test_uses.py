"""Which names an answer uses, itself or through what it calls."""

import pytest

from autograder.checks.uses import names_used

ANSWERS = """
import functools
import numpy as np

def first(x):
    return x

def second(x):
    return [first(v) for v in x]

def other(x):
    return unknown(x)

def timed(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper

class Layer:
    scale = 2
    helper = second
    def __call__(self, x):
        return other(x)
    @property
    def size(self):
        return first(3)
    @staticmethod
    def still(x):
        return second(x)
    @classmethod
    def made(cls):
        return second(cls)

class Deeper(Layer):
    pass

layer = Layer()
table = {"f": second, "rows": list(range(1000))}
class Holder:
    pass
holder = Holder()
holder.kept = first
"""


def space(code):
    names = {"__name__": "__main__"}
    exec(f"{ANSWERS}\n{code}", names)
    return names


@pytest.mark.parametrize(
    ("code", "used"),
    [
        ("def f(x): return x + 1", set()),
        ("def f(x): return second(x)", {"second", "first"}),
        ("f = lambda x: second(x)", {"second", "first"}),
        ("def f(x): return np.sum(x)", {"np", "sum"}),
        ("@timed\ndef f(x): return second(x)", {"second", "first"}),
        ("f = functools.partial(second, 3)", {"first"}),
        ("f = np.vectorize(second)", {"first"}),
        ("@functools.cache\ndef f(x): return second(x)", {"second", "first"}),
        ("def f(x, g=second): return g(x)", {"first"}),
        ("def f(x, *, g=second): return g(x)", {"first"}),
        ("f = layer", {"first", "second", "other", "unknown"}),
        ("f = layer.__call__", {"first", "second", "other", "unknown"}),
        ("f = Deeper.made", {"first", "second", "other", "unknown"}),
        ("f = Deeper", {"first", "second", "other", "unknown"}),
        ("def f(x): return table['f'](x)", {"table", "first"}),
        ("def f(x): return holder.kept(x)", {"holder", "kept"}),
        ("def f(x):\n    def inner(y): return second(y)\n    return inner(x)", {"second", "first"}),
        ("def f(x): return f(x - 1)", {"f"}),
        ("def f(x): return not_there(x)", {"not_there"}),
        ("f = np.sum", set()),
        ("f = 3", set()),
    ],
)
def test_names_are_followed_through_whatever_holds_a_function(code, used):
    names = space(code)
    assert names_used([names["f"]], names) == used


@pytest.mark.parametrize(
    "code", ["eval('second')(x)", "globals()['second'](x)", "exec('second(x)')", "vars()['x']", "getattr(np, x)"]
)
def test_code_that_may_name_anything_uses_any_name(code):
    names = space(f"def f(x): return {code}\ndef g(x): return f(x)")
    assert names_used([names["g"]], names) is None


def test_what_is_not_bound_yet_is_passed_over():
    def outer():
        def inner():
            return later

        found = names_used([inner], globals())
        later = 3
        return found

    assert outer() == set()


def test_too_many_values_to_follow_stand_for_any_name():
    names = space(
        "few, many = [second, *range(9000)], [second, *range(11000)]\ndef f(x): return few\ndef g(x): return many"
    )
    assert names_used([names["f"]], names) == {"few", "first"} and names_used([names["g"]], names) is None
