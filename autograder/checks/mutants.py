"""Single-edit mutants of an exercise's functions: right code with one small change, of the kinds that slips are made of.

The change is made in the text, as a student's hand would make it, at places that the syntax tree gives.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import linecache
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from . import registry
from .solution import shown_code

OPERATORS: dict[type, tuple[str, ...]] = {
    ast.Add: ("-", "*"),
    ast.Sub: ("+",),
    ast.Mult: ("/", "+"),
    ast.Div: ("*",),
    ast.FloorDiv: ("/",),
    ast.Mod: ("//",),
    ast.Pow: ("*",),
    ast.MatMult: ("*",),
    ast.BitAnd: ("|",),
    ast.BitOr: ("&",),
}
SYMBOLS: dict[type, str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
COMPARISONS: dict[type, tuple[str, ...]] = {
    ast.Lt: ("<=", ">"),
    ast.LtE: ("<", ">="),
    ast.Gt: (">=", "<"),
    ast.GtE: (">", "<="),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
}
# What is taken for one another, by name: functions and methods
NAMES = {
    "max": ("min", "sum"),
    "min": ("max",),
    "maximum": ("minimum", "add"),
    "minimum": ("maximum",),
    "amax": ("amin",),
    "amin": ("amax",),
    "sum": ("mean", "max"),
    "mean": ("sum", "median"),
    "std": ("var",),
    "var": ("std",),
    "argmax": ("argmin",),
    "argmin": ("argmax",),
    "prod": ("sum",),
    "cumsum": ("cumprod",),
    "zeros": ("ones",),
    "ones": ("zeros",),
    "zeros_like": ("ones_like", "empty_like"),
    "ones_like": ("zeros_like",),
    "exp": ("expm1", "exp2"),
    "expm1": ("exp",),
    "log": ("log1p", "log2", "log10"),
    "log1p": ("log",),
    "sin": ("cos",),
    "cos": ("sin",),
    "floor": ("ceil",),
    "ceil": ("floor",),
    "any": ("all",),
    "all": ("any",),
    "tril": ("triu",),
    "triu": ("tril",),
    "sqrt": ("square",),
    "random": ("standard_normal",),
    "uniform": ("normal",),
    "normal": ("uniform",),
    "standard_normal": ("random",),
    "logical_and": ("logical_or",),
    "logical_or": ("logical_and",),
    "hstack": ("vstack",),
    "vstack": ("hstack",),
    "append": ("extend",),
}
AXES = ("0", "1", "-1", "None")
SMALL = 1e-3
EPSILONS = ("1e-15", "1e-12", "1e-8", "1e-5")
# The largest of the limits that students clip at: 6 and 20, 50 and 100, 500 to 1000
LIMITS = (20, 100, 1000)
# Calls whose result cannot be their argument: taking them away says nothing
KEPT_CALLS = ("range", "zip", "enumerate", "print", "len", "isinstance")
# Edits that change nothing: two arguments in another order, a minus before zeros, a number that is one already
SYMMETRIC = ("maximum", "minimum", "logaddexp", "add", "multiply", "hypot", "max", "min", "isinstance", "zip", "gcd")
ZEROS = ("zeros", "zeros_like", "empty", "empty_like")
CONVERSIONS = ("float", "asarray", "copy")
# Keywords that guard or copy, and decide no value
GUARDS = ("strict", "copy")


@dataclass(frozen=True)
class Mutant:
    """Functions with one edit.

    line : the edit's line in `code`, which is also the line in tracebacks. kind : what sort of edit it is. statement : the
    text of that line before the edit. before, after : what is exchanged. code : all the source, with the edit.
    last_line : the last line of the statement that the edit stands in (of its head, for a loop or an `if`).
    """

    line: int
    kind: str
    statement: str
    before: str
    after: str
    code: str
    last_line: int = 0
    _original: Sequence[Callable] = field(default=(), repr=False, compare=False)

    @cached_property
    def functions(self) -> tuple:
        """The changed functions, in the order of the given ones; compiled at the first look."""
        return compiled(self.code, self._original)

    def __str__(self):
        return f"line {self.line}, {self.kind}: {self.before!r} → {self.after!r} in {self.statement!r}"


def mutants(functions: Sequence[Callable]) -> Iterator[Mutant]:
    """Every single-edit mutant of functions that answer an exercise, and of the helpers beside them, in their order.

    Not among them: what does not compile, and the same code twice.
    """
    code = source(functions)
    yield from _made(code, _Edits(code).found(), functions)


def clipped(functions: Sequence[Callable]) -> Iterator[Mutant]:
    """The functions with one value clipped: the first argument, a returned value, or what goes into an exponential."""
    code = source(functions)
    yield from _made(code, _Edits(code).clips(), functions)


def _made(code, edits, functions):
    seen = {ast.dump(ast.parse(code))}
    for start, end, after, kind, node in edits:
        data = code.encode()
        before = data[start:end].decode()
        changed = (data[:start] + after.encode() + data[end:]).decode()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                tree = ast.parse(changed)
                compile(tree, "<mutant>", "exec")
        except (SyntaxError, ValueError):
            continue
        dumped = ast.dump(tree)
        if dumped in seen:
            continue
        seen.add(dumped)
        line = data[:start].count(b"\n") + 1
        statement = code.splitlines()[line - 1].strip()
        yield Mutant(line, kind, statement, before, after, changed, _last_line(node), tuple(functions))


def source(functions: Sequence[Callable]) -> str:
    """The code of functions as one text, then the exercise's own helpers that they call."""
    found: dict[str, str] = {}

    def add(function):
        if function.__name__ in found:
            return
        found[function.__name__] = _code(function)
        for helper in _helpers(function):
            add(helper)

    for function in functions:
        add(function)
    return "\n\n\n".join(found.values()) + "\n"


def compiled(code: str, functions: Sequence[Callable]) -> tuple:
    """The functions that `code` defines under the names of `functions`, with what these see; tracebacks show its lines."""
    names: dict[str, Any] = {}
    for function in functions:
        names |= function.__globals__
        names |= inspect.getclosurevars(function).nonlocals
    names |= {"np": np, "__name__": "mutant"}
    file = f"<mutant {hash(code) & 0xFFFFFFFFFFFF:x}>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        exec(compile(code, file, "exec"), names)
    return tuple(names[function.__name__] for function in functions)


def _code(function):
    if inspect.getclosurevars(function).nonlocals:
        return textwrap.dedent(inspect.getsource(function)).strip("\n")
    return shown_code(function)


def _helpers(function):
    """The functions of the exercise's own modules that a function calls by name."""
    known = set(_names_in(function.__code__))
    names = dict.fromkeys(node.id for node in ast.walk(ast.parse(_code(function))) if isinstance(node, ast.Name))
    # Attributes are among the names of the code, local variables among those of the text
    for helper in (function.__globals__.get(name) for name in names if name in known):
        if inspect.isfunction(helper) and registry.holds_exercises(helper.__module__) and not helper.__closure__:
            yield helper


def _names_in(code):
    yield from code.co_names
    for constant in code.co_consts:
        if inspect.iscode(constant):
            yield from _names_in(constant)


def _last_line(statement):
    body = getattr(statement, "body", None)
    return body[0].lineno - 1 if isinstance(body, list) and body else statement.end_lineno


class _Edits:
    """All edits of a text, as (first byte, last byte, new text, kind, statement)."""

    def __init__(self, code):
        self.data = code.encode()
        self.starts = [0, *itertools.accumulate(len(line) for line in self.data.splitlines(keepends=True))]
        self.tree = ast.parse(code)
        self.statement: Any = None

    def found(self):
        for function in self.tree.body:
            if isinstance(function, ast.FunctionDef):
                yield from self.of_defaults(function)
                self.roles = _roles(function)
                for statement in function.body:
                    yield from self.of_statement(statement)

    def clips(self):
        for function in self.tree.body:
            if not isinstance(function, ast.FunctionDef) or not function.args.args:
                continue
            first = function.body[0]
            start, indent = self.at(first)[0], " " * first.col_offset
            argument = function.args.args[0].arg
            for limit in LIMITS:
                yield start, start, f"{argument} = np.clip({argument}, -{limit}, {limit})\n{indent}", "clip", first
            for self.statement in ast.walk(function):
                value = getattr(self.statement, "value", None)
                if isinstance(self.statement, ast.Return) and value is not None:
                    for one in value.elts if isinstance(value, ast.Tuple) else [value]:
                        yield from self.clip(one)
                if isinstance(self.statement, ast.stmt):
                    for node in ast.iter_child_nodes(self.statement):
                        yield from self.clips_in(node)

    def clips_in(self, node):
        """Exponentials in an expression, or in a statement's parts."""
        for call in ast.walk(node) if isinstance(node, ast.expr) else ():
            if isinstance(call, ast.Call) and _called(call) == "exp" and len(call.args) == 1:
                yield from self.clip(call.args[0])

    def clip(self, node):
        for limit in LIMITS:
            yield self.edit(node, f"np.clip({self.text(node)}, -{limit}, {limit})", "clip")

    # --- places -------------------------------------------------------------------------------------------------------

    def at(self, node):
        return self.starts[node.lineno - 1] + node.col_offset, self.starts[node.end_lineno - 1] + node.end_col_offset

    def text(self, node):
        start, end = self.at(node)
        return self.data[start:end].decode()

    def edit(self, node, after, kind):
        return (*self.at(node), after, kind, self.statement)

    def between(self, left, right, old, new, kind):
        """The operator between two operands exchanged."""
        start, end = self.at(left)[1], self.at(right)[0]
        place = self.data.find(old.encode(), start, end)
        # An operator that also stands in another one, as `*` in `**`, was asked for by its node
        return (place, place + len(old), new, kind, self.statement)

    def exchanged(self, a, b, kind):
        """Two neighbours, each in the other's place."""
        middle = self.data[self.at(a)[1] : self.at(b)[0]].decode()
        return self.at(a)[0], self.at(b)[1], self.text(b) + middle + self.text(a), kind, self.statement

    # --- statements ---------------------------------------------------------------------------------------------------

    def of_defaults(self, function):
        self.statement = function
        for default in [*function.args.defaults, *filter(None, function.args.kw_defaults)]:
            for start, end, after, _, statement in self.of_expression(default):
                yield start, end, after, "default", statement

    def of_statement(self, statement):
        self.statement = statement
        if isinstance(statement, ast.FunctionDef):
            yield from self.of_defaults(statement)
        elif not isinstance(statement, ast.Return | ast.Pass):
            yield self.edit(statement, "pass", "dropped statement")
        if isinstance(statement, ast.Raise):
            return
        yield from getattr(self, f"_{type(statement).__name__}", self.nothing)(statement)
        for child in ast.iter_child_nodes(statement):
            if isinstance(child, ast.expr):
                yield from self.of_expression(child)
            elif isinstance(child, ast.withitem):
                yield from self.of_expression(child.context_expr)
        for name in ("body", "orelse", "finalbody"):
            for inner in getattr(statement, name, []):
                yield from self.of_statement(inner)
                self.statement = statement

    def nothing(self, node):
        return ()

    def _Return(self, statement):
        yield from self.order(statement.value)
        yield from self.sign(statement.value)

    def _Assign(self, statement):
        yield from self.sign(statement.value)

    def _AugAssign(self, statement):
        symbol = SYMBOLS[type(statement.op)]
        others = {"+": "-", "-": "+", "*": "/", "/": "*"}
        yield self.between(statement.target, statement.value, f"{symbol}=", "=", "augmented")
        if symbol in others:
            yield self.between(statement.target, statement.value, f"{symbol}=", f"{others[symbol]}=", "augmented")

    def _If(self, statement):
        yield self.edit(statement.test, f"not ({self.text(statement.test)})", "condition")
        yield self.edit(statement.test, "True", "condition")

    def _While(self, statement):
        yield self.edit(statement.test, f"not ({self.text(statement.test)})", "condition")

    def order(self, value):
        """Neighbours of several returned values exchanged."""
        if isinstance(value, ast.Tuple):
            for a, b in itertools.pairwise(value.elts):
                yield self.exchanged(a, b, "order")

    def sign(self, value):
        for one in value.elts if isinstance(value, ast.Tuple) else [value] if value is not None else []:
            kept = isinstance(one, ast.Constant | ast.Tuple | ast.UnaryOp | ast.List | ast.Dict | ast.Compare)
            if not kept and _called(one) not in ZEROS:
                yield self.edit(one, f"-({self.text(one)})", "sign")

    # --- expressions --------------------------------------------------------------------------------------------------

    def of_expression(self, node):
        yield from getattr(self, f"_{type(node).__name__}", self.nothing)(node)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.keyword):
                if child.arg in GUARDS:
                    continue
                yield from self.of_keyword(node, child)
                child = child.value
            elif isinstance(child, ast.comprehension):
                yield from self.of_expression(child.iter)
                for test in child.ifs:
                    yield self.edit(test, f"not ({self.text(test)})", "condition")
                    yield from self.of_expression(test)
                continue
            # What a call names is not exchanged for a variable, nor one of several arrays whose length is asked
            if (
                isinstance(node, ast.Call)
                and isinstance(child, ast.Name)
                and (child is node.func or _called(node) == "len")
            ):
                continue
            if isinstance(child, ast.expr):
                yield from self.of_expression(child)

    def _BinOp(self, node):
        left, right = self.text(node.left), self.text(node.right)
        symbol = SYMBOLS.get(type(node.op))
        if symbol is None:
            return
        for other in OPERATORS[type(node.op)]:
            yield self.between(node.left, node.right, symbol, other, "operator")
        what = "dropped term" if isinstance(node.op, ast.Add | ast.Sub) else "dropped factor"
        yield self.edit(node, self.inside(node, node.left), what)
        yield self.edit(node, ("-" if isinstance(node.op, ast.Sub) else "") + self.inside(node, node.right), what)
        if isinstance(node.op, ast.Sub | ast.Div | ast.MatMult | ast.Pow):
            yield self.edit(node, f"({right}) {symbol} ({left})", "operands")
        if isinstance(node.op, ast.MatMult):
            for operand in (node.left, node.right):
                if isinstance(operand, ast.Name):
                    # An error for a vector, whose `.T` would change nothing
                    yield self.edit(operand, f"np.matrix_transpose({self.text(operand)})", "transpose")
        if isinstance(node.op, ast.Div) and not _is_count(node.right):
            # 1e-15 is below the rounding of a denominator that is not tiny itself; of one that is, 1e-12 is not
            for eps in EPSILONS[1:]:
                yield self.edit(node.right, f"({right} + {eps})", "epsilon")

    def inside(self, node, operand):
        """An operand with the parentheses that the text has around it."""
        (start, end), (first, last) = self.at(node), self.at(operand)
        if operand is node.left:
            opened = self.data[start:first].decode().count("(")
        else:
            opened = self.data[last:end].decode().count(")")
        return "(" * opened + self.text(operand) + ")" * opened

    def _UnaryOp(self, node):
        yield self.edit(node, self.text(node.operand), "sign" if isinstance(node.op, ast.USub) else "condition")

    def _BoolOp(self, node):
        symbol, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for a, b in itertools.pairwise(node.values):
            yield self.between(a, b, symbol, other, "operator")
        for value in node.values:
            yield self.edit(node, self.text(value), "dropped term")

    def _Compare(self, node):
        operands = [node.left, *node.comparators]
        for op, (a, b) in zip(node.ops, itertools.pairwise(operands), strict=True):
            for other in COMPARISONS.get(type(op), ()):
                yield self.between(a, b, SYMBOLS[type(op)], other, "comparison")

    def _IfExp(self, node):
        yield self.edit(node, self.text(node.body), "condition")
        yield self.edit(node, self.text(node.orelse), "condition")

    def _Constant(self, node):
        value = node.value
        if isinstance(value, bool):
            yield self.edit(node, str(not value), "constant")
        elif isinstance(value, int | float):
            for other in _numbers(value):
                yield self.edit(node, other, "constant")

    def _Name(self, node):
        if isinstance(node.ctx, ast.Load):
            for role in self.roles:
                if node.id in role:
                    for other in _taken_for(node.id, role):
                        yield self.edit(node, other, "name")

    def _Attribute(self, node):
        if node.attr in ("T", "mT"):
            yield self.edit(node, self.text(node.value), "transpose")
        for other in NAMES.get(node.attr, ()):
            end = self.at(node)[1]
            yield end - len(node.attr.encode()), end, other, "function", self.statement

    def _Subscript(self, node):
        if not isinstance(node.ctx, ast.Load):
            return
        yield self.edit(node, self.text(node.value), "index")
        indices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        for index in indices:
            if isinstance(index, ast.Name | ast.BinOp):
                for other in (" + 1", " - 1"):
                    yield self.edit(index, self.text(index) + other, "off by one")
            elif isinstance(index, ast.Slice):
                for bound in (index.lower, index.upper):
                    if isinstance(bound, ast.Name | ast.BinOp | ast.Call):
                        for other in (" + 1", " - 1"):
                            yield self.edit(bound, self.text(bound) + other, "off by one")

    def _Call(self, node):
        name = _called(node)
        if isinstance(node.func, ast.Name):
            for other in NAMES.get(name, ()):
                yield self.edit(node.func, other, "function")
        if name == "range" and node.args:
            yield from self.of_range(node)
        elif name not in (*KEPT_CALLS, *CONVERSIONS) and node.args and not isinstance(node.args[0], ast.Starred):
            yield self.edit(node, f"({self.text(node.args[0])})", "dropped call")
        if isinstance(node.func, ast.Attribute) and not _is_module(node.func.value) and name not in CONVERSIONS:
            yield self.edit(node, self.text(node.func.value), "dropped call")
        if name not in SYMMETRIC:
            for a, b in itertools.pairwise(node.args):
                yield self.exchanged(a, b, "operands")
        if name in ("log", "sqrt") and len(node.args) == 1 and not _is_count(node.args[0]):
            for eps in EPSILONS:
                yield self.edit(node.args[0], f"{self.text(node.args[0])} + {eps}", "epsilon")

    def of_range(self, node):
        stop = node.args[0] if len(node.args) == 1 else node.args[1]
        for other in (" + 1", " - 1"):
            yield self.edit(stop, self.text(stop) + other, "off by one")
        if len(node.args) == 1:
            yield self.edit(stop, f"1, {self.text(stop)}", "off by one")

    def of_keyword(self, call, keyword):
        if keyword.arg is None:
            return
        start, end = self.at(keyword)
        before = self.data[:start].rstrip()
        if before.endswith(b","):
            yield len(before) - 1, end, "", keyword.arg, self.statement
        elif len(call.keywords) == 1:
            yield start, end, "", keyword.arg, self.statement
        if keyword.arg == "axis":
            for axis in AXES:
                yield self.edit(keyword.value, axis, "axis")
            if isinstance(keyword.value, ast.Tuple):
                for one in keyword.value.elts:
                    rest = [self.text(other) for other in keyword.value.elts if other is not one]
                    yield self.edit(keyword.value, f"({', '.join(rest)},)", "axis")


def _is_count(node):
    """Whether a number is made of constants and sizes alone, so that nothing small can be added to it unnoticed."""
    sizes = {
        id(name)
        for part in ast.walk(node)
        if _called(part) == "len" or getattr(part, "attr", "") in ("shape", "size", "ndim", "pi")
        for name in ast.walk(part)
    }
    functions = {id(part.func) for part in ast.walk(node) if isinstance(part, ast.Call)}
    functions |= {
        id(name.value) for name in ast.walk(node) if isinstance(name, ast.Attribute) and _is_module(name.value)
    }
    names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    return all(id(name) in sizes | functions for name in names)


def _called(node):
    """The name of the function or method that an expression calls, "" for no call."""
    function = getattr(node, "func", None)
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _is_module(node):
    return isinstance(node, ast.Name) and node.id in ("np", "math", "xp")


def _numbers(value):
    """What a number is mistaken for."""
    if isinstance(value, float) and 0 < abs(value) < SMALL:
        return [repr(value * 100), repr(value / 1000), "0.0"]
    if isinstance(value, int):
        return [str(other) for other in dict.fromkeys((value + 1, value - 1, 0, 2 * value)) if other != value]
    return [repr(other) for other in dict.fromkeys((value + 1, value - 1, 0.0, 2 * value, value / 2)) if other != value]


def _taken_for(name, role):
    """The neighbours in the order of the names, and those spelled alike: W1 and W2, h and dh, x and X."""
    at = role.index(name)
    near = role[max(at - 1, 0) : at + 2]
    return [other for other in role if other != name and (other in near or _alike(name, other))]


def _alike(a, b):
    a, b = a.casefold(), b.casefold()
    short, long = sorted((a, b), key=len)
    if len(a) == len(b):
        return sum(x != y for x, y in zip(a, b, strict=True)) <= 1 < len(a) or a == b
    return len(long) == len(short) + 1 and (long.startswith(short) or long.endswith(short))


def _roles(function):
    """The function's names in groups that stand for one another: options, places in a loop, the other values."""
    arguments = [*function.args.posonlyargs, *function.args.args]
    optional = len(function.args.defaults)
    options = [a.arg for a in arguments[len(arguments) - optional :]] + [a.arg for a in function.args.kwonlyargs]
    places, values = [], [a.arg for a in arguments[: len(arguments) - optional]]
    for node in ast.walk(function):
        if isinstance(node, ast.For | ast.comprehension):
            places += [name.id for name in ast.walk(node.target) if isinstance(name, ast.Name)]
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id not in places:
            values.append(node.id)
    return [list(dict.fromkeys(group)) for group in (options, places, values)]
