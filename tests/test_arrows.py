"""Which room may use which: the packages' imports as a graph, read from the text and without running it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# From below to above; a module uses rooms below its own, and its own
ROOMS = (
    ("dlcourse",),
    ("autograder.errors", "autograder.places"),
    ("autograder.checks", "autograder.progress"),
    ("autograder.exercises",),
    ("autograder.engine",),
    (
        "autograder.build",
        "autograder.reports",
        "autograder.offline",
        "autograder.drill",
        "autograder.start_page",
        "autograder.workspace",
    ),
    ("autograder.commands", "autograder.cli", "autograder.demo", "autograder.__main__"),
)


def module_files():
    """{module: its file} of both packages."""
    found = {}
    for package in ("dlcourse", "autograder"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if "course" not in parts[1:2]:
                found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(module, path, known):
    """Modules of the packages that this one's text imports, in functions too."""
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    # Names for annotations only: nothing is imported when the code runs
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parts, *filter(None, [node.module])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                if full in known or base in known:
                    yield full if full in known else base


def graph():
    files = module_files()
    return {module: sorted(set(imports(module, path, files)) - {module}) for module, path in files.items()}


def circles(arrows):
    """Circles of modules, each once, as a list of names that ends where it begins."""
    found, done = [], set()

    def visit(module, way):
        if module in way:
            found.append([*way[way.index(module) :], module])
        elif module not in done:
            for other in arrows.get(module, ()):
                visit(other, [*way, module])
            done.add(module)

    for module in arrows:
        visit(module, [])
    return found


def room(module):
    for number, names in enumerate(ROOMS):
        if any(module == name or module.startswith(name + ".") for name in names):
            return number
    return None


def test_no_module_needs_one_that_needs_it():
    arrows = graph()
    # A package's own face names its modules; they may name the package for one of the others
    faces = {module for module, path in module_files().items() if path.stem == "__init__"}
    inner = {module: [x for x in used if x not in faces] for module, used in arrows.items() if module not in faces}
    assert [" -> ".join(circle) for circle in circles(inner)] == []


def test_a_class_of_the_grader_has_its_name_alone():
    """`Outcome` in two rooms would be two things by one name."""
    homes = {}
    for module, path in module_files().items():
        if module.startswith("autograder."):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef):
                    homes.setdefault(node.name, []).append(module)
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}


def test_rooms_use_only_rooms_below():
    arrows = graph()
    homeless = [module for module in arrows if room(module) is None and module != "autograder"]
    assert homeless == []
    up = [
        f"{module} uses {used}"
        for module, names in arrows.items()
        for used in names
        if module != "autograder" and used != "autograder" and room(used) > room(module)
    ]
    assert up == []


def test_nothing_beside_a_students_code_imports_the_exercises():
    arrows, seen, todo = graph(), set(), ["autograder.engine.sandbox.inside"]
    while todo:
        module = todo.pop()
        if module not in seen:
            seen.add(module)
            todo += arrows[module]
    assert {module for module in seen if module.startswith("autograder.")} == {
        "autograder.checks",
        "autograder.checks.drivers",
        "autograder.checks.limits",
        "autograder.checks.trace",
        "autograder.checks.uses",
        "autograder.engine.sandbox.calls",
        "autograder.engine.sandbox.inside",
        "autograder.engine.sandbox.link",
        "autograder.engine.sandbox.meter",
        "autograder.engine.sandbox.protocol",
        "autograder.engine.sandbox.walls",
        "autograder.engine.sandbox",
    } & seen
    assert not [module for module in seen if "exercises" in module or "evaluation" in module]


@pytest.mark.parametrize(
    ("arrows", "expected"),
    [
        ({"a": ["b"], "b": ["c"], "c": []}, []),
        ({"a": ["b"], "b": ["a"]}, [["a", "b", "a"]]),
        ({"a": ["b"], "b": ["c"], "c": ["b"]}, [["b", "c", "b"]]),
    ],
)
def test_circles_are_found(arrows, expected):
    assert circles(arrows) == expected
