"""Running an answer with the values of its expressions noted on the way, and with some of them exchanged.

The functions are rebuilt from their source with a call around every expression that makes a value. Like the drivers this
runs beside a student's code: it knows no expected value.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import textwrap
import traceback
import types
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .drivers import Case, frozen, ready
from .limits import installed

# Values that one run may note, and the entries that one of them may have
NOTED, ENTRIES = 5_000, 20_000
_NOTE, _AFTER, _SKIP, _GIVEN = "__note__", "__after__", "__skip__", "__given__"


class Untraceable(Exception):
    """The functions have no source, or more values than are worth a look."""


class Statement(NamedTuple):
    """A statement of the answer: its lines (of a block the head's alone), the names that it sets or changes, its kind."""

    line: int
    end: int
    function: str
    names: tuple[str, ...]
    kind: str


class Site(NamedTuple):
    """An expression whose values are noted.

    role : "value", "name" (a variable that is read), "after" (what a change in place leaves). name : the variable that is
    read, changed or set to the value, "" where there is none. text : the expression. exchangeable : whether another value
    may stand in its place. first : the first of the sites within the expression; they come right before this one.
    """

    statement: int
    role: str
    name: str
    text: str
    exchangeable: bool
    first: int


class Run(NamedTuple):
    """What one run gave: (site, value) in order, the parts' values, the error that ended it, and its line (0: none)."""

    events: list[tuple[int, Any]]
    values: list
    error: BaseException | None = None
    line: int = 0


class Traced:
    """Functions ready to be run with their values noted.

    Parameters
    ----------
    functions : the answer, in the exercise's order. own : whether a function that they call is theirs to look into.

    Attributes
    ----------
    statements, sites : what an event's number stands for. defaults : (line, `plain_defaults`) of each function.
    """

    def __init__(self, functions: Sequence[Callable], own: Callable[[Callable], bool]):
        self.statements: list[Statement] = []
        self.sites: list[Site] = []
        self._events: list[tuple[int, Any]] = []
        self._given: Mapping[int, Sequence[Any]] = {}
        self._count: dict[int, int] = {}
        self._lists: set[int] = set()
        self._files: set[str] = set()
        made: dict[types.FunctionType, Callable] = {}
        self.functions = tuple(self._rebuilt(function, own, made) for function in functions)
        self.defaults = [(first_line(function), plain_defaults(function)) for function in functions]

    def _rebuilt(self, function, own, made):
        if function in made:
            return made[function]
        tree, first = _source_of(function)
        filename = function.__code__.co_filename
        self._files.add(filename)
        # What a function has closed over stands among its module's names
        names = dict(function.__globals__) | dict(inspect.getclosurevars(function).nonlocals)
        found = {}
        for name in (*_names_in(function.__code__), *function.__code__.co_freevars):
            helper = names.get(name)
            if helper is not function and inspect.isfunction(helper) and own(helper):
                found[name] = helper
        names |= {_NOTE: self._note, _AFTER: self._after, _SKIP: self._skip, _GIVEN: self._take}
        tree.decorator_list, tree.returns = [], None
        ast.increment_lineno(tree, first - 1)
        tree = _Instrument(self.statements, self.sites).function(tree)
        exec(compile(ast.fix_missing_locations(ast.Module([tree], [])), filename, "exec"), names)
        result = names[tree.name]
        result.__defaults__, result.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
        made[function] = result
        # A function that calls itself, and one under another name
        names[function.__name__] = result
        for name, helper in found.items():
            with contextlib.suppress(Untraceable):
                names[name] = self._rebuilt(helper, own, made)
        return result

    # --- what the rebuilt functions call ---

    def _note(self, site, value):
        self._keep(site, value)
        self._count[site] = self._count.get(site, 0) + 1
        return value

    def _after(self, site, value):
        if self._skip(site):
            new = self._given[site][self._count.get(site, 0)]
            with contextlib.suppress(ValueError, TypeError):
                if isinstance(value, np.ndarray):
                    value[...] = new
                elif isinstance(value, list):
                    value[:] = new
        self._count[site] = self._count.get(site, 0) + 1
        self._keep(site, value)

    def _skip(self, site):
        given, number = self._given.get(site), self._count.get(site, 0)
        return given is not None and number < len(given) and given[number] is not None

    def _take(self, site):
        number = self._count.get(site, 0)
        self._count[site] = number + 1
        value = self._given[site][number]
        return list(value) if site in self._lists else value.copy() if value.ndim else value[()]

    def _keep(self, site, value):
        if self._given:
            return
        if type(value) is list:
            self._lists.add(site)
        value = plain(value)
        if value is not None:
            if len(self._events) >= NOTED:
                raise Untraceable("too many values")
            self._events.append((site, value))

    # --- runs ---

    def run(self, driver: Callable, case: Case, given: Mapping[int, Sequence[Any]] | None = None) -> Run:
        """One run of a case. given : for a site the values that stand in the place of what it computes, in order; None keeps one."""
        self._events, self._given, self._count = [], given or {}, {}
        inputs = ready(case)
        values: list = []
        try:
            for _, value, *_ in driver(self.functions, inputs):
                values.append(frozen(value))
        except Untraceable:
            raise
        except Exception as error:
            return Run(self._events, values, error, self._line(error))
        return Run(self._events, values)

    def _line(self, error):
        """The last line of the rebuilt functions on the way to an error."""
        frames = traceback.extract_tb(error.__traceback__, limit=-50)
        return next((frame.lineno or 0 for frame in reversed(frames) if frame.filename in self._files), 0)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """In the block nothing is printed and nothing warns."""
    nothing = io.StringIO()
    with (
        contextlib.redirect_stdout(nothing),
        contextlib.redirect_stderr(nothing),
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
    ):
        warnings.simplefilter("ignore")
        yield


def of_a_student(function: Callable) -> bool:
    """Whether a function is a student's: not the course's, Python's or a package's."""
    return not installed(function.__code__.co_filename)


def plain(value: Any) -> Any:
    """The value as an array of numbers, a copy; None if it is none, or too large to look at."""
    if isinstance(value, np.ndarray | np.generic | bool | int | float):
        array = np.array(value)
    elif isinstance(value, range) or (type(value) in (list, tuple) and value and _numeric(value[0])):
        if len(value) > ENTRIES:
            return None
        try:
            array = np.array(list(value))
        except (ValueError, TypeError, OverflowError):
            return None
    else:
        return None
    return array if array.dtype.kind in "biuf" and 0 < array.size <= ENTRIES else None


def _numeric(x):
    return isinstance(x, np.ndarray | np.generic | bool | int | float) or (
        type(x) in (list, tuple) and bool(x) and _numeric(x[0])
    )


def plain_defaults(function: Callable) -> dict[str, Any]:
    """{argument: its default} of a function, those that are numbers, texts or None."""
    parameters = inspect.signature(function).parameters.values()
    return {one.name: one.default for one in parameters if isinstance(one.default, bool | int | float | str | None)}


def first_line(function: Callable) -> int:
    """The line of a function's `def`."""
    tree, first = _source_of(function)
    return tree.lineno + first - 1


def _source_of(function):
    """(the function's tree, its first line in its file)."""
    if not inspect.isfunction(function):
        raise Untraceable("not a function")
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines))).body[0]
    except (OSError, TypeError, SyntaxError, IndexError, ValueError) as error:
        raise Untraceable("no source") from error
    if not isinstance(tree, ast.FunctionDef):
        raise Untraceable("not written with def")
    return tree, max(first, 1)


def _names_in(code):
    """The global names that a function's code and that of the functions within it use."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names_in(constant)


def targets_of(node: ast.AST) -> Iterable[str]:
    """The names that a statement sets, of `x[i] = …` the array's."""
    inner = {
        id(name) for loop in ast.walk(node) if isinstance(loop, ast.comprehension) for name in ast.walk(loop.target)
    }
    for target in ast.walk(node):
        if id(target) in inner:
            continue
        if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store):
            yield target.id
        elif isinstance(target, ast.Subscript | ast.Attribute) and isinstance(target.ctx, ast.Store):
            base = target.value
            while isinstance(base, ast.Subscript | ast.Attribute):
                base = base.value
            if isinstance(base, ast.Name):
                yield base.id
        elif isinstance(target, ast.Call) and isinstance(target.func, ast.Attribute):
            changed = target.func.value
            if target.func.attr in _CHANGING and isinstance(changed, ast.Name):
                yield changed.id


def _set_to(target, value):
    """(expression, name) for each variable that an assignment sets to an expression of its right side."""
    if isinstance(target, ast.Name):
        yield value, target.id
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for one, part in zip(target.elts, value.elts, strict=True):
            yield from _set_to(one, part)


# Methods that change their list
_CHANGING = ("append", "extend", "insert", "reverse")
# What the head of a block is made of
_HEADS: dict[type, tuple[str, ...]] = {
    ast.If: ("test",),
    ast.While: ("test",),
    ast.For: ("target", "iter"),
    ast.With: ("items",),
}
_WRAPPED = (
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.Call,
    ast.IfExp,
    ast.Attribute,
    ast.Subscript,
    ast.List,
    ast.ListComp,
)


class _Instrument(ast.NodeTransformer):
    """Puts a call around expressions, and fills the tables of statements and sites."""

    def __init__(self, statements, sites):
        self.statements, self.sites = statements, sites
        self.functions: list[str] = []
        self.set: dict[ast.AST, str] = {}

    def function(self, node):
        self.functions.append(node.name)
        self.local = {argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)} | {
            name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
        }
        for argument in ast.walk(node.args):
            if isinstance(argument, ast.arg):
                argument.annotation = None
        # The values are those of the function itself
        node.args.defaults = [ast.Constant(None) for _ in node.args.defaults]
        node.args.kw_defaults = [default and ast.Constant(None) for default in node.args.kw_defaults]
        node.body = self.block(node.body)
        return node

    def block(self, body):
        return [made for statement in body for made in self.statement(statement)]

    def statement(self, node):
        if isinstance(node, ast.FunctionDef):
            node.body = self.block(node.body)
            return [node]
        if isinstance(node, ast.ClassDef | ast.Import | ast.ImportFrom | ast.Global | ast.Nonlocal):
            return [node]
        heads = [getattr(node, field) for field in _HEADS.get(type(node), ())]
        heads = [part for head in heads for part in (head if isinstance(head, list) else [head])]
        parts = heads or [node]
        end = max(getattr(part, "end_lineno", None) or node.lineno for part in parts) if heads else node.end_lineno
        if isinstance(node, ast.Try):
            end = node.lineno
        names = tuple(dict.fromkeys(name for part in parts for name in targets_of(part)))
        self.current = len(self.statements)
        self.statements.append(Statement(node.lineno, end, self.functions[-1], names, type(node).__name__))
        after = []
        if heads or isinstance(node, ast.Try):
            for field in ("test", "iter"):
                if hasattr(node, field):
                    setattr(node, field, self.wrapped(getattr(node, field), exchangeable=True))
            for item in getattr(node, "items", ()):
                item.context_expr = self.visit(item.context_expr)
            for field in ("body", "orelse", "finalbody"):
                if getattr(node, field, None):
                    setattr(node, field, self.block(getattr(node, field)))
            for handler in getattr(node, "handlers", ()):
                handler.body = self.block(handler.body)
            return [node]
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return) and node.value is not None:
            targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
            self.set = {} if isinstance(node, ast.AugAssign) else dict(_set_to(targets[0], node.value))
            node.value = self.wrapped(node.value, exchangeable=True)
            for target in targets:
                after += self.after(node, target)
        elif isinstance(node, ast.Expr | ast.Assert | ast.Raise):
            self.generic_visit(node)
        return [node, *after]

    def after(self, node, target):
        """What notes the array that a statement has changed in place."""
        if isinstance(target, ast.Name) and isinstance(node, ast.AugAssign):
            site = self.site("after", target.id, target.id, True)
            value = self.call(site, ast.Name(target.id, ast.Load()))
            return [ast.copy_location(ast.Assign([ast.Name(target.id, ast.Store())], value), node)]
        if isinstance(target, ast.Subscript):
            target.slice = self.visit(target.slice)
            names = list(targets_of(target))
            if names:
                site = self.site("after", names[0], names[0], True)
                call = ast.Call(ast.Name(_AFTER, ast.Load()), [ast.Constant(site), ast.Name(names[0], ast.Load())], [])
                return [ast.copy_location(ast.Expr(call), node)]
        return []

    def site(self, role, name, text, exchangeable, first=None):
        number = len(self.sites)
        self.sites.append(Site(self.current, role, name, text, exchangeable, number if first is None else first))
        return number

    def value(self, node, text, first=None):
        return self.call(self.site("value", self.set.get(node, ""), text, True, first), node)

    def call(self, site, value):
        """``given(site) if skip(site) else note(site, value)``: what is exchanged is not computed."""
        number: list[ast.expr] = [ast.Constant(site)]
        noted = ast.Call(ast.Name(_NOTE, ast.Load()), [ast.Constant(site), value], [])
        if not self.sites[site].exchangeable and self.sites[site].role != "name":
            return ast.copy_location(noted, value)
        test = ast.Call(ast.Name(_SKIP, ast.Load()), number, [])
        given = ast.Call(ast.Name(_GIVEN, ast.Load()), number, [])
        return ast.copy_location(ast.IfExp(test, given, noted), value)

    def wrapped(self, node, exchangeable=False):
        """The expression with a call around it and around its parts, innermost first."""
        if isinstance(node, ast.Tuple | ast.Dict):
            many = node.values if isinstance(node, ast.Dict) else node.elts
            many[:] = [self.wrapped(part, exchangeable) if part is not None else None for part in many]
            return node
        if isinstance(node, ast.Name):
            if node.id not in self.local:
                return node
            return self.call(self.site("name", node.id, node.id, exchangeable), node)
        if isinstance(node, ast.Constant):
            number = isinstance(node.value, bool | int | float)
            return self.value(node, str(node.value)) if exchangeable and number else node
        if not isinstance(node, _WRAPPED):
            return self.visit(node)
        text, first = ast.unparse(node), len(self.sites)
        return self.value(self.parts(node), text, first)

    def parts(self, node):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                node.func.value = self.visit(node.func.value)
            node.args = [
                ast.Starred(self.visit(part.value), part.ctx)
                if isinstance(part, ast.Starred)
                else self.wrapped(part, True)
                for part in node.args
            ]
            for keyword in node.keywords:
                keyword.value = self.visit(keyword.value)
            return node
        if isinstance(node, ast.List):
            node.elts = [self.wrapped(part, True) for part in node.elts]
            return node
        return self.generic_visit(node)

    def visit(self, node):
        if isinstance(node, ast.Subscript | ast.Attribute | ast.Name | ast.List | ast.Tuple) and not isinstance(
            node.ctx, ast.Load
        ):
            return node
        if isinstance(node, ast.JoinedStr | ast.NamedExpr | ast.Yield | ast.YieldFrom | ast.Await):
            return node
        if isinstance(node, (ast.Name, ast.Tuple, ast.Dict, *_WRAPPED)):
            return self.wrapped(node)
        if isinstance(node, ast.Lambda):
            node.body = self.visit(node.body)
            return node
        return self.generic_visit(node)
