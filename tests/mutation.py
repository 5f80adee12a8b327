"""Whether the tests notice a wrong line: each mutant of the judging code is one small change, and some test must fail on it.

    python -m tests.mutation                     the modules that changed since the merge base with origin/main
    python -m tests.mutation --changed BASE      … with another branch or commit
    python -m tests.mutation compare protocol    these modules
    python -m tests.mutation --all               every module of the table below
    python -m tests.mutation --sample 37 grader  a fifth of its mutants: those whose number ends with 3 or 7

A mutant that survives is a missing test, code that nothing needs, or equivalent: no input tells it from the original. Those
stand in `mutation_equivalent.toml` with a reason each. Exit status 1: of some module more than 5 % of the others survive.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EQUIVALENT = Path(__file__).with_name("mutation_equivalent.toml")
GOAL = 0.05
# Exit codes of mutmut: a survivor, and two for a function that no test calls
SURVIVED = (0, 5, 33)
# Decorated functions and code outside functions are not changed: mutmut leaves them as they are
GROUPS = (
    (("autograder/checks/compare.py", "autograder/checks/relations.py"), ("tests/test_compare.py",)),
    (("autograder/checks/result.py",), ("tests/test_result.py",)),
    (("autograder/checks/drivers.py",), ("tests/test_drivers.py",)),
    (
        ("autograder/checks/evaluation.py",),
        ("tests/test_judging.py", "tests/test_evaluation.py", "tests/test_families.py"),
    ),
    (("autograder/engine/sandbox/protocol.py",), ("tests/test_protocol.py",)),
    (("autograder/engine/grader.py",), ("tests/test_grader.py",)),
    (("autograder/engine/sandbox/judge.py",), ("tests/test_judge.py",)),
    (("autograder/engine/remarks.py",), ("tests/test_remarks.py",)),
    (("autograder/engine/watch.py",), ("tests/test_watch.py",)),
    (("autograder/engine/ingest/archive.py", "autograder/engine/ingest/roster.py"), ("tests/test_archive.py",)),
    (("autograder/engine/ingest/collect.py",), ("tests/test_collect.py",)),
    (
        ("autograder/checks/recognition.py", "autograder/checks/families.py"),
        ("tests/test_families.py", "tests/test_judging.py", "tests/test_evaluation.py"),
    ),
    (("autograder/checks/cheap.py",), ("tests/test_cheap.py",)),
    (("autograder/checks/scale.py",), ("tests/test_scale.py",)),
    (("autograder/checks/hunts.py",), ("tests/test_hunts.py",)),
    (("autograder/checks/practice.py",), ("tests/test_questions.py",)),
    (("autograder/checks/follow.py",), ("tests/test_follow.py",)),
    (("autograder/checks/structure.py",), ("tests/test_structure.py",)),
    (
        tuple(
            f"autograder/engine/ingest/{name}.py"
            for name in ("assignment", "folder", "match", "notebook", "rebuild", "submission")
        ),
        ("tests/test_rebuild.py", "tests/test_match.py"),
    ),
    (("autograder/engine/ingest/imports.py",), ("tests/test_imports.py",)),
    (("autograder/engine/ingest/timestamp.py",), ("tests/test_timestamp.py",)),
    (("dlcourse/optimizers.py",), ("tests/test_optimizers.py",)),
)
CONFIGURATION = """
[tool.mutmut]
source_paths = ["autograder", "dlcourse"]
only_mutate = {modules}
also_copy = ["tests", "conftest.py", "pyproject.toml", "constraints.txt", "notebooks", "docs", "README.md"]
use_setproctitle = false
pytest_add_cli_args = ["-p", "no:cacheprovider", "-o", "addopts=--import-mode=importlib -p no:nbval"]
pytest_add_cli_args_test_selection = {tests}
"""
SHOW = """
import json, sys
from mutmut.mutation.diff_apply import get_diff_for_mutant
json.dump([get_diff_for_mutant(name, path=sys.argv[1]) for name in sys.argv[2:]], sys.stdout)
"""


@dataclass(frozen=True)
class Survivor:
    """A change that no test noticed: the function, and its lines before and after."""

    module: str
    function: str
    before: str
    after: str

    def __str__(self):
        return f"{self.module}, {self.function}\n  - {self.before}\n  + {self.after}"


@dataclass(frozen=True)
class Equivalent:
    """Survivors for which no test can be written: in these modules (a pattern), `before` exchanged for `after` once."""

    module: str
    before: str
    after: str
    reason: str

    def matches(self, survivor):
        pieces = survivor.before.split(self.before)
        changed = (
            self.before.join(pieces[:i]) + self.after + self.before.join(pieces[i:]) for i in range(1, len(pieces))
        )
        return fnmatchcase(survivor.module, self.module) and survivor.after in changed


def load_equivalent(path=EQUIVALENT):
    """The table of `mutation_equivalent.toml`."""
    return [Equivalent(**entry) for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", [])]


def chosen(names, changed, everything):
    """[(modules, tests)] of the groups, with the modules that are asked for."""
    groups = []
    for modules, tests in GROUPS:
        if everything or changed.intersection(tests):
            wanted = modules
        else:
            wanted = tuple(path for path in modules if path in changed or Path(path).stem in names or path in names)
        if wanted:
            groups.append((wanted, tests))
    return groups


def changed_since(base):
    """Tracked files that differ from the merge base with `base`."""
    start = _git("merge-base", "HEAD", base)[0]
    return set(_git("diff", "--name-only", start))


def _git(*arguments):
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout.splitlines()


def copy_tree(folder):
    """Copy the tracked files, as they are in the working tree."""
    for name in _git("ls-files"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def mutate(folder, modules, tests, jobs, sample=""):
    """{module: ({mutant: exit code}, its survivors)} of one group, run in `folder`, a copy of the tree.

    sample : digits; only mutants of a function whose number ends with one of them, "" for all.
    """
    plain = (folder / "pyproject.toml").read_text(encoding="utf-8")
    lists = {"modules": json.dumps(list(modules)), "tests": json.dumps(list(tests))}
    (folder / "pyproject.toml").write_text(plain + CONFIGURATION.format(**lists), encoding="utf-8")
    log = folder / "mutmut.log"
    with log.open("wb") as file:
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(jobs)]
        command += [f"*__mutmut_*{digit}" for digit in sample]
        done = subprocess.run(command, cwd=folder, stdout=file, stderr=subprocess.STDOUT)
    if done.returncode:
        raise SystemExit(f"mutmut failed on {', '.join(modules)}:\n{log.read_text(errors='replace')[-4000:]}")
    found = {}
    for module in modules:
        meta = json.loads((folder / "mutants" / f"{module}.meta").read_text(encoding="utf-8"))
        codes = {name: code for name, code in meta["exit_code_by_key"].items() if not sample or name[-1] in sample}
        left = [name for name, code in codes.items() if code in SURVIVED]
        found[module] = codes, _survivors(folder, module, left)
    return found


def _survivors(folder, module, names):
    if not names:
        return []
    command = [sys.executable, "-c", SHOW, module, *names]
    diffs = json.loads(subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout)
    return [_survivor(module, name, diff) for name, diff in zip(names, diffs, strict=True)]


def _survivor(module, name, diff):
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    before, after = ("\n".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in ("-", "+"))
    function = name.rpartition(".")[2].rpartition("__mutmut_")[0].removeprefix("x_").removeprefix("xǁ")
    return Survivor(module, function.replace("ǁ", "."), before, after)


def report(found, equivalent, sample=""):
    """Print a line of the table for each module, then the survivors; True where a module misses the goal."""
    missed, listed, used = False, [], Counter()
    for module, (codes, survivors) in found.items():
        matching = {survivor: [entry for entry in equivalent if entry.matches(survivor)] for survivor in survivors}
        used.update(entry for entries in matching.values() for entry in entries)
        left = [survivor for survivor in survivors if not matching[survivor]]
        same = len(survivors) - len(left)
        share = len(left) / max(1, len(codes) - same)
        missed = missed or share > GOAL
        print(f"| {module} | {len(codes)} | {len(codes) - len(survivors)} | {same} | {len(left)} | {share:.1%} |")
        listed += left
    for survivor in listed:
        print(f"survived: {survivor}")
    for entry in equivalent:
        if not sample and entry not in used and entry.module in found:
            print(f"no mutant is this one any more; remove it from {EQUIVALENT.name}: {entry}")
    return missed


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="name of a module, compare, or its path")
    parser.add_argument("--changed", metavar="BASE", default="origin/main", help="branch that the changes are against")
    parser.add_argument("--all", action="store_true", help="every module of the table")
    parser.add_argument("--jobs", type=int, default=1, help="mutants at a time")
    parser.add_argument(
        "--sample", metavar="DIGITS", default="", help="the mutants with these last digits: 3 is a tenth"
    )
    asked = parser.parse_args(arguments)
    known = {name for modules, _ in GROUPS for path in modules for name in (path, Path(path).stem)}
    unknown = sorted(set(asked.modules) - known)
    if unknown:
        parser.error(f"no module {', '.join(unknown)}; there are {', '.join(sorted(n for n in known if '/' not in n))}")
    changed = set() if asked.modules or asked.all else changed_since(asked.changed)
    groups = chosen(asked.modules, changed, asked.all)
    if not groups:
        print(f"No module of the table changed since {asked.changed}; --all takes every one.")
        return 0
    equivalent, missed = load_equivalent(), False
    print("| module | mutants | killed | equivalent | survived | share |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for modules, tests in groups:
        print(f"{', '.join(modules)}: mutants against {', '.join(tests)}", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="dlcourse-mutation-") as name:
            copy_tree(Path(name))
            found = mutate(Path(name), modules, tests, asked.jobs, asked.sample)
        missed = report(found, equivalent, asked.sample) or missed
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
