"""The site and the project's care: pages that need no network, guides that say what is true, a gate that is one gate."""

import dataclasses
import re
import runpy
import shlex
import subprocess
import sys
import tomllib

import pytest

import dlcourse
from autograder import Mistake, build, evaluate, get_exercise, slip
from autograder.checks import audit

ROOT = build.ROOT
DOCS = ROOT / "docs"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
GUIDES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(path for path in DOCS.rglob("*.md") if path.relative_to(DOCS).parts[0] not in ("api", "lessons", "_build")),
]


def fenced(path, *languages):
    """The code blocks of a guide in these languages."""
    text = path.read_text(encoding="utf-8")
    return [code for language, code in re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S) if language in languages]


def commands_of(path):
    """Every `dlcourse …` of a guide, as a list of words: whole lines of shell blocks, and `code` in the text."""
    text = path.read_text(encoding="utf-8")
    lines = [line for code in fenced(path, "sh", "") for line in code.splitlines()]
    lines += re.findall(r"`(dlcourse [^`]+)`", text)
    return [shlex.split(line, comments=True) for line in lines if re.match(r"dlcourse \w", line)]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_of_a_guide_exists(guide):
    typer = pytest.importorskip("typer")
    from autograder.cli import app

    known = typer.main.get_command(app).commands
    for words in commands_of(guide):
        assert words[1] in known, f"{' '.join(words)}: there is no such command"
        options = {option for parameter in known[words[1]].params for option in parameter.opts}
        asked = {word.split("=")[0] for word in words[2:] if word.startswith("-")}
        assert asked <= options, f"{' '.join(words)}: {words[1]} knows {', '.join(sorted(options))}"


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_and_link_of_a_guide_exists(guide):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    text = guide.read_text(encoding="utf-8")
    lines = [line for code in fenced(guide, "sh", "") for line in code.splitlines()]
    for line in lines + re.findall(r"`(make [^`]+)`", text):
        if line.startswith("make ") and not line.startswith("make:"):
            words = shlex.split(line, comments=True)[1:]
            asked = [word for word in words if "=" not in word and word[0] not in "-/"]
            assert set(asked) <= targets, line
    for target in re.findall(r"\]\((?!https?://)([^)#\s]+)(?:#[^)]*)?\)", text):
        # What the site makes of the docstrings and the lessons lies elsewhere, or nowhere yet
        made = re.fullmatch(r"(?:\.\./)?(api|lessons)/(.+)", target)
        if made is None:
            assert (guide.parent / target).exists(), f"{guide.name}: {target}"
        elif made[1] == "api":
            module = ROOT / made[2].removesuffix(".md").replace(".", "/")
            assert module.is_dir() or module.with_suffix(".py").exists(), f"{guide.name}: {target}"


def test_the_table_of_the_api_has_every_module():
    modules = {path.stem for path in (ROOT / "dlcourse").glob("[a-z]*.py")} | {"explorers", "kernels"}
    modules |= {f"networks.{path.stem}" for path in (ROOT / "dlcourse" / "networks").glob("[a-z]*.py")}
    assert modules == set(re.findall(r"api/dlcourse\.([\w.]+)\.md", (DOCS / "api.md").read_text(encoding="utf-8")))


def test_the_exercise_of_the_authors_guide_is_one(monkeypatch, tmp_path):
    code = next(code for code in fenced(DOCS / "authors.md", "python") if "EXERCISE" in code)
    # A file, as the guide says: slips read the solution's source
    (tmp_path / "mean_absolute_error.py").write_text(code, encoding="utf-8")
    exercise = runpy.run_path(str(tmp_path / "mean_absolute_error.py"))["EXERCISE"]
    assert all(slip is not None for mistake in exercise.mistakes for slip in mistake.slips)
    monkeypatch.setattr("autograder.checks.evaluation.get_exercise", lambda name: exercise)
    row = audit.audit(exercise, audit.SEEDS[:2])
    assert not row.complaints and row.named == len(exercise.mistakes) == 3 and row.variants_passed == 2


def test_the_mistake_of_the_authors_guide_is_a_slip_of_the_exercise_in_its_walk():
    code = next(code for code in fenced(DOCS / "authors.md", "python") if code.startswith("Mistake("))
    mistake = eval(code, {"Mistake": Mistake, "slip": slip})
    exercise = dataclasses.replace(get_exercise("convolution.global_avgpool"), mistakes=[mistake])
    assert exercise.mistakes[0].slug == "share_missing"
    forward, backward = exercise.mistakes[0].functions
    result = evaluate(exercise.name, forward, backward)
    assert result.mistake == "share_missing" and "Yours is 12 times what is expected, everywhere" in result.message
    failed = [row for row in result.rows if not row.passed]
    assert {row.part for row in failed} == {"backward"} and len(failed) == 5 and len(result.rows) == 12


def test_there_is_one_table_of_what_to_edit():
    tables = [guide.name for guide in GUIDES if "| to change | edit | then |" in guide.read_text(encoding="utf-8")]
    assert tables == ["authors.md"]


def test_the_limits_of_the_guide_are_the_defaults():
    from autograder.engine import grader
    from autograder.engine.tasks import Settings

    text = (DOCS / "instructors" / "limits.md").read_text(encoding="utf-8")
    stated = [row.split("|")[2].strip() for row in text.splitlines() if row.startswith("| ")][2:]
    default = Settings()
    assert stated == [
        f"{default.timeout:g} s",
        f"{default.total:g} s",
        f"{default.memory:,} MB",
        f"{default.output // 1000} kB",
        f"{grader.SHOWN // 10**6} MB; a picture: {grader.PIXELS // 10**6} million pixels",
        f"{default.disk} MB",
        f"{default.processes}",
    ]


# --- everyday care ---------------------------------------------------------------------------------------------------


def test_the_workflow_is_the_gate():
    yaml = pytest.importorskip("yaml")
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "gate.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["gate"]
    # YAML 1.1 reads the word `on` as true
    assert {"push", "pull_request"} <= set(workflow[True])
    assert job["strategy"]["matrix"] == {"python": ["3.11", "3.12", "3.13", "3.14", "3.15"]}
    assert job["needs"] == workflow["jobs"]["student"]["needs"] == "lint"
    assert f">={job['strategy']['matrix']['python'][0]}" == PROJECT["requires-python"]
    runs = [step["run"] for step in job["steps"] if "run" in step]
    assert runs[-1] == ".ci/run", "the gate is one command, here as anywhere"
    oldest = dict(re.findall(r"^([\w-]+)==([\d.]+)$", (ROOT / ".ci" / "oldest.txt").read_text(encoding="utf-8"), re.M))
    bounds = dict(re.match(r"([\w-]+)>=([\d.]+)", requirement).groups() for requirement in PROJECT["dependencies"])
    assert oldest.keys() == bounds.keys()
    for name, version in oldest.items():
        assert version == bounds[name] or version == f"{bounds[name]}.0", f"{name}: the oldest is {bounds[name]}"
    assert all(f"\n{name}==" in (ROOT / "constraints.txt").read_text() for name in oldest)


def test_the_hooks_are_the_quick_part_of_the_gate_and_fetch_nothing():
    yaml = pytest.importorskip("yaml")
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    hooks = config["repos"][0]["hooks"]
    makefile = (ROOT / "Makefile").read_text()
    for hook in hooks:
        assert hook["language"] == "system" and hook["entry"].startswith(".venv/bin/"), hook["id"]
    for command in ("ruff check", "ruff format --check", "python -m autograder.build check"):
        assert any(command in hook["entry"] for hook in hooks) and f"$(BIN)/{command}" in makefile, command


def test_the_citation_and_the_package_have_one_version():
    yaml = pytest.importorskip("yaml")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert PROJECT["dynamic"] == ["version"] and citation["version"] == dlcourse.__version__
    assert citation["license"] == PROJECT["license"]


# --- the pages -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("sphinx", reason="the site's tools are not installed (make site)")
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-d",
        folder / "doctrees",
        DOCS,
        folder / "html",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_needs_no_network(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 40
    loads = re.compile(r"""<(?:script|img|iframe|link|source)\b[^>]*?(?:src|href)=["'](https?:)?//""")
    fetched = [
        f"{page.relative_to(site)}: {found.group()}" for page in pages for found in loads.finditer(page.read_text())
    ]
    assert not fetched, fetched
    styles = [path for path in site.rglob("*.css") if re.search(r"@import|url\(\s*['\"]?https?:", path.read_text())]
    assert not styles


@pytest.mark.slow
def test_every_lesson_and_every_module_has_its_page(site):
    for slug in build.lesson_slugs():
        assert slug == "notation" or list((site / "_downloads").glob(f"*/{slug}.ipynb")), f"{slug}: its assignment"
        page = (site / "lessons" / f"{build.lesson_name(slug)}.html").read_text(encoding="utf-8")
        assert 'class="math' in page, slug
        assert slug == "notation" or page.count(f'/{slug}.ipynb"') == 2, f"{slug}: two links to its assignment"
        pictures = re.findall(r'<img alt="([^"]*)" src="\.\./_images/', page)
        assert pictures or slug == "notation", f"{slug}: the pictures are stored in the notebook"
        assert all(len(alt.split()) > 3 for alt in pictures), f"{slug}: every picture says what it shows"
    for path in (ROOT / "dlcourse").glob("[a-z]*.py"):
        page = (site / "api" / f"dlcourse.{path.stem}.html").read_text(encoding="utf-8")
        public = re.findall(r"^def ([a-z]\w*)\(", path.read_text(encoding="utf-8"), re.M)
        missing = [name for name in public if f'id="dlcourse.{path.stem}.{name}"' not in page]
        assert not missing, f"{path.stem}: {missing}"
