"""The mutation table's own arithmetic: which survivors are equivalent, what is chosen, and when it fails."""

from pathlib import Path

import mutation
import pytest
from mutation import Equivalent, Survivor, chosen, load_equivalent, report

DIFF = """--- a.py
+++ a.py
@@ -1,3 +1,3 @@
 def f(x):
-    return x + 1
+    return x - 1
 """


def survivor(before="return x + 1", after="return x - 1"):
    return Survivor("autograder/checks/compare.py", "f", before, after)


def test_a_survivor_is_read_from_its_diff():
    made = mutation._survivor("autograder/checks/compare.py", "autograder.checks.compare.x_f__mutmut_3", DIFF)
    assert made == survivor()
    method = mutation._survivor("a.py", "a.xǁChannelǁsend__mutmut_12", DIFF)
    assert str(method) == "a.py, Channel.send\n  - return x + 1\n  + return x - 1"


@pytest.mark.parametrize(
    ("module", "before", "after", "matches"),
    [
        ("autograder/checks/*", "x + 1", "x - 1", True),
        ("autograder/checks/compare.py", "return x + 1", "return x - 1", True),
        ("autograder/engine/*", "x + 1", "x - 1", False),
        ("*", "x + 1", "x * 1", False),
        ("*", "+", "-", True),
        ("*", "y", "z", False),
    ],
)
def test_an_equivalent_mutant_is_one_exchange(module, before, after, matches):
    assert Equivalent(module, before, after, "").matches(survivor()) is matches


def test_a_second_change_of_the_line_is_another_mutant():
    entry = Equivalent("*", "1", "2", "")
    assert entry.matches(survivor("1 + 1", "1 + 2")) and entry.matches(survivor("1 + 1", "2 + 1"))
    assert not entry.matches(survivor("1 + 1", "2 + 2"))


def test_every_entry_has_its_reason_and_a_module_of_the_table():
    modules = [module for modules, _ in mutation.GROUPS for module in modules]
    entries = load_equivalent()
    assert len(set(entries)) == len(entries)
    for entry in entries:
        assert len(entry.reason.split()) >= 2 and entry.before != entry.after, entry
        assert any(mutation.fnmatchcase(module, entry.module) for module in modules), entry


def test_what_an_entry_exchanges_still_stands_in_its_module():
    """What it changes was rewritten otherwise, and the entry hides whatever is written there next."""
    sources = {}
    for modules, _ in mutation.GROUPS:
        for module in modules:
            lines = (mutation.ROOT / module).read_text(encoding="utf-8").splitlines()
            sources[module] = "\n".join(line.strip() for line in lines)
    gone = [
        entry
        for entry in load_equivalent()
        if not any(entry.before in text for name, text in sources.items() if mutation.fnmatchcase(name, entry.module))
    ]
    assert not gone


def test_the_table_names_files_that_exist():
    for modules, tests in mutation.GROUPS:
        assert [path for path in (*modules, *tests) if not (mutation.ROOT / path).is_file()] == []


def test_what_changed_is_chosen():
    compare, relations = mutation.GROUPS[0][0]
    tests = mutation.GROUPS[0][1]
    assert chosen(["relations"], set(), False) == [((relations,), tests)]
    assert chosen([], {compare, "README.md"}, False) == [((compare,), tests)]
    # Other tests may let other mutants through
    assert chosen([], {tests[0]}, False) == [((compare, relations), tests)]
    assert chosen([], set(), False) == [] and chosen([], set(), True) == list(mutation.GROUPS)


def test_more_than_one_in_twenty_fails(capsys):
    name = survivor().module
    codes = {str(number): 1 for number in range(20)}
    assert report({name: (codes, [survivor()])}, []) is False
    assert capsys.readouterr().out == (
        f"| {name} | 20 | 19 | 0 | 1 | 5.0% |\nsurvived: {name}, f\n  - return x + 1\n  + return x - 1\n"
    )
    assert report({name: (codes, [survivor(), survivor("a", "b")])}, []) is True
    assert capsys.readouterr().out.startswith(f"| {name} | 20 | 18 | 0 | 2 | 10.0% |\n")
    entry = Equivalent(name, "+", "-", "as it is")
    assert report({name: (codes, [survivor(), survivor("a", "b")])}, [entry]) is True
    assert capsys.readouterr().out.startswith(f"| {name} | 20 | 18 | 1 | 1 | 5.3% |\n")
    assert report({name: (codes, [])}, [entry]) is False
    assert (
        f"no mutant is this one any more; remove it from mutation_equivalent.toml: {entry}\n" in capsys.readouterr().out
    )


def test_an_unknown_module_is_answered_with_those_there_are(capsys):
    with pytest.raises(SystemExit):
        mutation.main(["compere"])
    assert (
        "no module compere; there are archive, assignment, cheap, collect, compare, drivers, evaluation, "
        in capsys.readouterr().err
    )
    assert Path(mutation.EQUIVALENT).is_file()
