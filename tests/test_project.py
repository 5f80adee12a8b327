"""The project's own files: one list of dependencies, commands that exist, nothing that belongs to one machine."""

import contextlib
import importlib.metadata
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from autograder import build

ROOT = build.ROOT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def tracked():
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).exists()]


def test_the_package_itself_needs_three_packages():
    names = {re.match(r"[\w-]+", requirement).group() for requirement in PROJECT["dependencies"]}
    assert names == {"numpy", "scipy", "array-api-compat"}


def test_importing_a_reference_imports_nothing_else():
    code = (
        "import sys, dlcourse, importlib;"
        "[importlib.import_module(f'dlcourse.{slug}') for slug in dlcourse.TOPICS];"
        "print([m for m in ('matplotlib', 'IPython', 'torch', 'nbformat', 'ipywidgets', 'autograder') if m in sys.modules])"
    )
    python = __import__("sys").executable
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_conda_and_binder_read_the_same_list():
    yaml = pytest.importorskip("yaml")
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *conda, pip = environment["dependencies"]
    assert conda == ["python>=3.11", "pip"] and pip == {"pip": ["-c constraints.txt", "-e .[grading]"]}
    assert "grading" in PROJECT["optional-dependencies"]


def pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


def test_constraints_are_versions_and_nothing_else():
    wrong = [str(pin) for pin in pins() if not re.fullmatch(r"==[\w.+!]+", str(pin.specifier)) or pin.url or pin.extras]
    assert not wrong, wrong


@pytest.mark.parametrize("platform", [("linux", "posix"), ("darwin", "posix"), ("win32", "nt")], ids=lambda p: p[0])
@pytest.mark.parametrize("version", ["3.11.0", "3.11.5", "3.12.0", "3.13.0", "3.14.0", "3.15.0"])
def test_constraints_have_one_version_that_fits_for_every_python(version, platform):
    place = {
        "python_full_version": version,
        "python_version": version.rpartition(".")[0],
        "sys_platform": platform[0],
        "os_name": platform[1],
        "implementation_name": "cpython",
    }
    chosen = [pin for pin in pins() if pin.marker is None or pin.marker.evaluate(place)]
    names = [canonicalize_name(pin.name) for pin in chosen]
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
    versions = {name: str(pin.specifier).removeprefix("==") for name, pin in zip(names, chosen, strict=True)}
    extras = PROJECT["optional-dependencies"]
    asked = [*PROJECT["dependencies"], *extras["course"], *extras["grading"], *extras["docs"], *extras["dev"]]
    for requirement in map(Requirement, asked):
        if requirement.name != "dlcourse":
            assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), requirement
    # What is installed here says which Pythons it is for; on Debian 12 that must take 3.11.2
    for name, pinned in versions.items():
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            installed = importlib.metadata.distribution(name)
            if installed.version == pinned:
                needs = installed.metadata.get("Requires-Python") or ""
                assert SpecifierSet(needs).contains(version), f"{name} {pinned} needs Python {needs}"


def test_every_command_of_the_readme_is_a_target():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    text = (ROOT / "README.md").read_text(encoding="utf-8") + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.M))
    assert named and named <= targets, named - targets


def test_the_readme_leads_to_files_that_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (ROOT / target).exists(), target


def test_no_file_names_a_place_on_one_machine():
    here = re.compile(rf"(?<!\w)(?:{re.escape(str(ROOT))}|{re.escape(str(Path.home()))}|/home/[a-z]+)/|file://")
    found = []
    for path in tracked():
        if path.suffix in (".npz", ".png") or path.name == Path(__file__).name:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if here.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    assert not found, found


def test_no_file_is_larger_than_it_should_be():
    large = [
        f"{path.relative_to(ROOT)}: {path.stat().st_size}" for path in tracked() if path.stat().st_size > 1_500_000
    ]
    assert not large, large


def test_the_two_halves_of_the_tests_are_the_whole_and_the_gate_runs_both():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    halves = dict(re.findall(r'^(test[\w-]*): dev.*\n\t.* -m (slow|"not slow")$', makefile, re.MULTILINE))
    assert halves == {"test": '"not slow"', "test-slow": "slow"}
    steps = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [f"make {half}" in steps for half in halves] == [True, True]


# What a native technical writer would put differently: "is not a notebook", "a separate process", "a student who …", "again"
UNUSUAL = re.compile(
    r"(?<!there )(?<!where )\b(is|are|was|were) no (?!longer|more than)"
    r"|\bof (its|their) own\b(?! past)|\bwhoever\b|\banew\b|\bfor want of\b|\blook(s|ed)? round\b",
    re.IGNORECASE,
)


def test_no_text_has_these_turns():
    found = []
    for path in tracked():
        # The lessons are prose, where such a turn may be the right one
        if path.suffix in (".py", ".md", ".html") and "notebooks" not in path.parts and path != Path(__file__):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if UNUSUAL.search(line):
                    found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert not found
