"""What the course's own code imports, by the branch; `test_environment.py` has what follows from it."""

import pytest

from autograder.engine.ingest.imports import (
    find_imports,
    imports_of,
    module_of,
    modules_in,
    not_handed_in,
    plain_python,
)


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("x = 1\ny = 2", "x = 1\ny = 2"),
        ("%matplotlib inline\n  !ls\nx = 1", "pass\npass\nx = 1"),
        ("", ""),
        ("\n \n%%bash\nls", ""),
        ("%%html\nimport a", ""),
        ("\n%%time it\nimport a", "\npass\nimport a"),
        ("%%timeit\nimport a", "pass\nimport a"),
        ("%%capture out\nimport a", "pass\nimport a"),
        ("%%prun\nimport a", "pass\nimport a"),
        ("x = 5\n%%bash", "x = 5\npass"),
    ],
)
def test_a_cell_without_what_is_not_python(source, plain):
    assert plain_python(source) == plain


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import pandas as pd, torch.nn", ["import pandas", "import torch.nn"]),
        ("from a.b import c as d, e", ["from a.b import c", "from a.b import e"]),
        ("%matplotlib inline\nimport pandas", ["import pandas"]),
        # What is always there
        ("import os, numpy as np, json\nfrom scipy.special import erf\nimport IPython, __main__", []),
        ("from dlcourse import layers\nimport autograder", []),
        # What does not always run
        ("try:\n    import a\nexcept ImportError:\n    a = None", []),
        ("if x:\n    import a\ndef f():\n    import b", []),
        # Of the folder itself
        ("from . import a\nfrom .b import c\nfrom ..d import e", []),
        ("import (", []),
        ("x = '\0'", []),
        ("'\\d'; import pandas", ["import pandas"]),
    ],
)
def test_the_statements_that_always_import(source, found):
    assert find_imports(source) == found


def test_the_module_of_a_statement():
    assert [module_of(one) for one in ("import a", "import a.b", "from a.b import c")] == ["a"] * 3


def test_what_the_courses_cells_import():
    files = {
        "helper.py": b"import torch\nfrom inner import x\nimport helper",
        "inner.py": "# spät\nimport kept, deep".encode("latin-1"),
        "lib/a.py": b"import never",
        "data.csv": b"",
    }
    sources = ["import pandas\nfrom helper import f", "import lib.a\nimport pandas\nimport data"]
    assert imports_of(sources, files, ("kept.py",)) == ("import data", "import deep", "import pandas", "import torch")
    assert imports_of(sources, {}, ()) == ("from helper import f", "import data", "import lib.a", "import pandas")
    assert imports_of([], files, ()) == ()


def test_the_modules_that_files_are():
    assert modules_in(["a.py", "b/c.py", "b/d.txt", "e.csv", "f"]) == {"a", "b", "e.csv", "f"}


def test_what_somebody_has_handed_in_is_an_answer(tmp_path):
    ada, eve = tmp_path / "ada", tmp_path / "eve"
    (ada / "package").mkdir(parents=True)
    eve.mkdir()
    (eve / "mine.py").write_text("")
    (eve / "folder.py").mkdir()
    (ada / "text").write_text("")
    imports = ("import mine", "from package.a import b", "import folder", "import text", "import pandas")
    assert not_handed_in(imports, [ada, eve]) == ("import folder", "import text", "import pandas")
    assert not_handed_in(imports, []) == imports
