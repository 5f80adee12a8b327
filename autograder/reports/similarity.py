"""Answers that are the same program: a flag for a person to look at, never a score.

Two answers count as the same when their syntax trees are, with docstrings, comments, spacing, annotations and the names
of variables left aside. Short formulas have one natural form, so only functions above a size are compared.
"""

import ast
import hashlib
from functools import cache, lru_cache

from ..checks import registry
from ..checks.exercise import get_exercise
from ..checks.solution import solution_parts

# Nodes of a syntax tree: about five lines, and about eight. One function of five lines like the course's is chance, two
# are not: what is the same in all of a student's answers together counts
SIZE_OF_REFERENCE = 60
EVIDENCE = 100
SIZE_OF_STUDENTS = 90
# Longer than any answer (characters), and so not a copy of a solution
LONGEST = 20_000
# What more of a class than this write alike is how one writes it
SHARE = 0.05
FEW = 4


class _Normalise(ast.NodeTransformer):
    """Variables by the order in which they appear; nothing that does not run."""

    def __init__(self, names):
        self.names = names

    def visit_Name(self, node):
        if node.id in self.names:
            return ast.Name(self.names[node.id], node.ctx)
        # The references say xp where a student says np
        return ast.Name("np" if node.id == "xp" else node.id, node.ctx)

    def visit_arg(self, node):
        return ast.arg(self.names[node.arg])

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        node.name, node.returns, node.decorator_list = self.names.get(node.name, "f"), None, []
        node.body = _essential(node.body)
        return node

    def visit_AnnAssign(self, node):
        self.generic_visit(node)
        return node if node.value is None else ast.Assign([node.target], node.value)


def _essential(body):
    """Statements that compute: no docstring, no text standing alone, no import."""
    return [
        statement
        for statement in body
        if not isinstance(statement, ast.Import | ast.ImportFrom)
        and not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
    ] or [ast.Pass()]


def _bound(function):
    """{name: its number} of everything that the function itself names, in order of appearance."""
    names = {}
    for node in ast.walk(function):
        found = None
        if isinstance(node, ast.arg):
            found = node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found = node.id
        elif isinstance(node, ast.FunctionDef) and node is not function:
            found = node.name
        if found is not None:
            names.setdefault(found, f"v{len(names)}")
    return names


@lru_cache(maxsize=1024)
def fingerprint(source):
    """(digest, size) of the functions in a source; ("", 0) where there is none or it cannot be read."""
    if len(source) > LONGEST:
        return "", 0
    try:
        functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
        trees = [_Normalise(_bound(function)).visit(function) for function in functions]
        text = "\n".join(ast.dump(ast.fix_missing_locations(tree)) for tree in trees)
        size = sum(1 for tree in trees for _ in ast.walk(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "", 0
    return (hashlib.sha256(text.encode()).hexdigest()[:16], size) if functions else ("", 0)


@registry.kept
@cache
def of_reference(name):
    """Digests of what the course itself holds as an answer: the notebook's solution, and the library's code."""

    exercise = get_exercise(name)
    found = set()
    for function, solution in zip(exercise.functions, exercise.solutions, strict=True):
        for shown in {solution, function}:
            head, body = solution_parts(function, shown)
            found.add(fingerprint(f"{head}\n{body}")[0])
    return frozenset(found)


class Copies:
    """Collects the answers of a class one by one; keeps digests only."""

    def __init__(self):
        self._students = 0
        self._reference = {}
        self._alike = {}

    def add(self, student, answers):
        """`answers`: (exercise, source) of each function that the student wrote."""
        self._students += 1
        for name, source in answers:
            digest, size = fingerprint(source)
            if size >= SIZE_OF_REFERENCE and digest in of_reference(name):
                self._reference.setdefault(student, []).append((name, size))
            elif size >= SIZE_OF_STUDENTS:
                self._alike.setdefault((name, digest), []).append(student)

    @property
    def of_the_reference(self):
        """[(student, names of exercises)], most exercises first."""
        found = [
            (student, list(dict.fromkeys(name for name, _ in same)))
            for student, same in self._reference.items()
            if sum(size for _, size in same) >= EVIDENCE
        ]
        return sorted(found, key=lambda pair: (-len(pair[1]), pair[0]))

    @property
    def of_each_other(self):
        """[(students, names of exercises)] who share what few others write, most exercises first."""
        most = max(FEW, SHARE * self._students)
        groups = {}
        for (name, _), students in self._alike.items():
            group = tuple(sorted(set(students)))
            if 1 < len(group) <= most:
                groups.setdefault(group, []).append(name)
        found = [(list(group), list(dict.fromkeys(names))) for group, names in groups.items()]
        return sorted(found, key=lambda pair: (-len(pair[1]), pair[0]))
