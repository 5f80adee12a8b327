"""The judging and grading code says what it takes and gives: every public signature is annotated."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = [path for room in ("checks", "engine") for path in sorted((ROOT / "autograder" / room).rglob("*.py"))]


def public(body, in_class=False):
    """(function, whether it is a method) for every public function of a module and of its public classes."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public(node.body, in_class=True)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node, in_class


def bare(source):
    """What a module's public signatures leave open: "function: argument" or "function: return"."""
    found = []
    for function, method in public(ast.parse(source).body):
        given = function.args
        static = any(getattr(decorator, "id", "") == "staticmethod" for decorator in function.decorator_list)
        positional = [*given.posonlyargs, *given.args][method and not static :]
        arguments = [*positional, *given.kwonlyargs, *filter(None, (given.vararg, given.kwarg))]
        found += [f"{function.name}: {one.arg}" for one in arguments if one.annotation is None]
        if function.returns is None:
            found.append(f"{function.name}: return")
    return found


def test_public_signatures_are_annotated():
    assert [f"{path.relative_to(ROOT)}, {one}" for path in FILES for one in bare(path.read_text("utf-8"))] == []


def test_what_mypy_is_told_to_ignore_has_its_reason_in_the_line_before():
    for path in [*FILES, ROOT / "autograder" / "errors.py"]:
        lines = path.read_text("utf-8").splitlines()
        for before, line in zip(["", *lines], lines, strict=False):
            assert "# type: ignore" not in line or before.strip().startswith("# "), f"{path.relative_to(ROOT)}: {line}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(x: int, *more: int, y: int = 1, **rest: int) -> None: ...", []),
        ("def f(x, /, y, *more, z=1, **rest): ...", ["f: x", "f: y", "f: z", "f: more", "f: rest", "f: return"]),
        ("async def f(): ...", ["f: return"]),
        ("def _f(x): ...", []),
        ("class A:\n    def f(self, x) -> None: ...\n    def _g(self, x): ...", ["f: x"]),
        ("class A:\n    @staticmethod\n    def f(x) -> None: ...", ["f: x"]),
        ("class _A:\n    def f(self, x): ...", []),
    ],
)
def test_what_is_bare_is_found(source, expected):
    assert bare(source) == expected
