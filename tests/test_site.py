"""The site and the project's care: pages that need no network, guides that say what is true, a gate that is one gate."""

import dataclasses
import functools
import html
import http.server
import importlib
import inspect
import json
import re
import runpy
import shlex
import subprocess
import sys
import threading
import tomllib

import numpy as np
import pytest

import dlcourse
from autograder import Mistake, build, evaluate, get_exercise, slip
from autograder.build import lite
from autograder.checks import audit

ROOT = build.ROOT
DOCS = ROOT / "docs"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Of docs/, what a build writes
GENERATED = {"_build", "api", "lessons", "__pycache__"}
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


def test_what_a_first_visit_loads_is_said_as_it_was_measured():
    measured = (ROOT / "benchmarks" / "lite.md").read_text(encoding="utf-8")
    seconds, megabytes, processor = re.search(
        r"first visit: .*\| ([\d.]+) s, ([\d.]+) MB, ([\d.]+) s of", measured
    ).groups()
    memory = re.search(r"memory of the page and its Python \| (\d+) MB", measured)[1]
    longest = max(float(one) for one in re.findall(r"\| lesson \w+ \| ([\d.]+) s", measured))
    guide = (DOCS / "lite.md").read_text(encoding="utf-8")
    for line in (
        f"({float(seconds):.0f} s on a line of 50 Mbit/s) | {float(megabytes):.0f} MB |",
        f"| processor time to the first check, one core of a server | {float(processor):.0f} s |",
        f"| the longest lesson, run to its end | {longest:.0f} s |",
        f"| memory of a page with its Python | {round(int(memory), -1)} MB |",
    ):
        assert line in guide
    assert f'"@MEGABYTES@": "{float(megabytes):.0f}"' in inspect.getsource(lite)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_guide_has_a_figure_to_fill_in(guide):
    assert re.findall(r"@[A-Z_]+@", guide.read_text(encoding="utf-8")) == []


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


LINKS_THE_TAB = re.compile(r'href="[./]*lite/')


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """What `make site` has made, where nothing that it is made of is newer; else (or after `make site lite`) one made here."""
    pytest.importorskip("sphinx", reason="the site's tools are not installed (make site)")
    made, front = (DOCS / "_build" / "html" / name for name in (".buildinfo", "index.html"))
    sources = [
        *(path for path in DOCS.rglob("*") if not GENERATED & set(path.relative_to(DOCS).parts)),
        *(path for name in ("notebooks", "dlcourse", "autograder") for path in (ROOT / name).rglob("*")),
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "pyproject.toml", "constraints.txt")),
    ]
    newest = max(path.stat().st_mtime for path in sources if path.is_file() and "__pycache__" not in path.parts)
    if made.is_file() and made.stat().st_mtime > newest and not LINKS_THE_TAB.search(front.read_text("utf-8")):
        return made.parent
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


# --- explorers that move ---------------------------------------------------------------------------------------------

# Bytes of all frames of one explorer
MOST = 600_000
LESSONS = [build.lesson_name(slug) for slug in build.lesson_slugs()]


def explorers_of(stem):
    """The explorers of a lesson, by the cells of its notebook."""
    text = (build.LESSONS / "source" / f"{stem}.md").read_text(encoding="utf-8")
    own = stem.partition("_")[2]
    return [own if name == "explorer" else name for name in re.findall(r"^(\w+)\.explore\(", text, re.M)]


def figures(page):
    """{name: (the picture shown first, its description, [[address, value, description] of each frame])} of a page."""
    pattern = (
        r'<figure class="explorer" id="explorer-(\w+)".*?<img src="([^"]*)" alt="([^"]*)".*?'
        r'<script type="application/json">(.*?)</script>'
    )
    found = re.findall(pattern, page.read_text(encoding="utf-8"), re.S)
    return {name: (source, html.unescape(alt), json.loads(data)) for name, source, alt, data in found}


@pytest.mark.slow
def test_every_explorer_of_a_lesson_has_frames_and_begins_with_its_own_picture(site):
    shown = {name: stem for stem in LESSONS for name in explorers_of(stem)}
    modules = {path.stem for path in (ROOT / "dlcourse" / "explorers").glob("[a-z]*.py")}
    assert shown.keys() == modules
    for stem in LESSONS:
        page = site / "lessons" / f"{stem}.html"
        found = figures(page)
        assert list(found) == explorers_of(stem), stem
        for name, (source, alt, frames) in found.items():
            explorer = importlib.import_module(f"dlcourse.explorers.{name}").EXPLORER
            # Without script the page shows the explorer as the notebook does
            assert alt == explorer.words(explorer.parameters({})), name
            assert [source, alt] in [[address, words] for address, _, words in frames], name
            files = [page.parent / address for address, _, _ in frames]
            pictures = {path.read_bytes() for path in files}
            assert len(pictures) == len(files) == len({value for _, value, _ in frames}) >= 4, f"{name}: the same twice"
            assert sum(map(len, pictures)) < MOST, f"{name}: {sum(map(len, pictures))} bytes"


@pytest.mark.slow
def test_an_explorer_says_where_its_other_controls_stand(site):
    page = (site / "lessons" / "01_neurons.html").read_text(encoding="utf-8")
    caption = re.search(r'<figcaption><p class="rest">(.*?)</p>(.*?)</figcaption>', page, re.S)
    assert caption[1] == "<span>offset b/‖w‖ <b>0.5</b></span><span>length ‖w‖ <b>1</b></span>"
    assert '<a href="#run-it">More controls in the notebook.</a>' in caption[2] and page.count('id="run-it"') == 1


@pytest.mark.slow
def test_only_a_site_with_the_course_in_the_browser_links_it(site, monkeypatch):
    assert not [page for page in site.rglob("*.html") if LINKS_THE_TAB.search(page.read_text("utf-8"))]
    monkeypatch.syspath_prepend(str(DOCS))
    ways = importlib.import_module("directives").ways
    link = '<a class="try" href="../lite/index.html?path=lessons/01_neurons.ipynb">Try it in this tab</a>'
    assert link in ways("01_neurons", lite=True) and link not in ways("01_neurons", lite=False)


@pytest.mark.slow
def test_the_front_page_shows_what_the_check_says_of_the_code_beside_it(site):
    code = re.search(r"```\{check\} (\S+)\n(.*?)```", (DOCS / "index.md").read_text(encoding="utf-8"), re.S)
    space = {"np": np}
    exec(code[2], space)
    said = evaluate(code[1], *(space[name] for name in get_exercise(code[1]).answer_names), hidden=False)
    page = html.unescape(re.sub("<[^>]*>", "", (site / "index.html").read_text(encoding="utf-8")))
    assert said.mistake and "This looks like a known mistake" in said.message
    for line in said.message.removeprefix("✗").splitlines():
        assert line.strip() in page, line


@pytest.mark.slow
def test_the_map_of_the_front_page_has_every_lesson_once(site):
    page = (site / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'<li><a href="lessons/(\w+)\.html">', page) == LESSONS


@pytest.fixture(scope="module")
def address(site):
    """The site on a server."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=site)) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    from test_browser import CHROMIUM, FLAGS

    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt install chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def in_a_browser(test):
    """Marks of a test that drives Chromium: asyncio leaves something behind when a browser closes."""
    for mark in (
        pytest.mark.slow,
        pytest.mark.browser,
        pytest.mark.filterwarnings("ignore::ResourceWarning"),
        pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    ):
        test = mark(test)
    return test


PHONE = {"width": 390, "height": 844}


@in_a_browser
def test_on_a_phone_every_slider_moves_its_picture_nothing_is_wider_and_nothing_comes_from_elsewhere(address, chromium):
    page = chromium.new_page(viewport=PHONE, reduced_motion="reduce")
    asked, faults = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(error))
    for path in ["index.html", *(f"lessons/{stem}.html" for stem in LESSONS)]:
        page.goto(f"{address}/{path}")
        for figure in page.locator("figure.explorer").all():
            image, slider = figure.locator("img"), figure.get_by_role("slider")
            figure.scroll_into_view_if_needed()
            before = image.get_attribute("src"), image.get_attribute("alt"), slider.get_attribute("aria-valuetext")
            slider.press("ArrowLeft" if slider.input_value() == slider.get_attribute("max") else "ArrowRight")
            after = image.get_attribute("src"), image.get_attribute("alt"), slider.get_attribute("aria-valuetext")
            assert all(old != new for old, new in zip(before, after, strict=True)), f"{path}: {after}"
            assert figure.locator("output").inner_text() == after[2]
            page.wait_for_function("i => i.complete && i.naturalWidth > 600", arg=image.element_handle())
            assert slider.evaluate("it => it.labels[0].textContent")
        widest = page.evaluate("document.documentElement.scrollWidth")
        assert widest <= PHONE["width"], f"{path}: {widest} pixels wide"
    page.close()
    assert not faults
    assert not [url for url in asked if not url.startswith((address, "data:"))]


@in_a_browser
def test_the_first_frame_stands_without_script(address, chromium):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/lessons/01_neurons.html")
    figure = page.locator("figure.explorer")
    assert figure.locator("img").bounding_box()["height"] > 200
    assert figure.locator("img").evaluate("it => it.complete && it.naturalWidth > 600")
    assert not figure.get_by_role("slider").is_visible()
    assert figure.get_by_text("More controls in the notebook.").is_visible()
    context.close()


@in_a_browser
@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_the_front_page_moves_by_itself_unless_a_reader_asked_for_less(site, address, chromium, motion):
    [(source, _, frames)] = figures(site / "index.html").values()
    page = chromium.new_page(reduced_motion=motion)
    page.goto(f"{address}/index.html")
    picture, slider = page.locator("figure.explorer img"), page.get_by_role("slider")
    # What is fetched once the explorer is seen
    page.wait_for_function(
        "n => performance.getEntriesByType('resource').filter(it => it.name.match(/[0-9]+.webp/)).length >= n",
        arg=len(frames),
    )
    if motion == "reduce":
        assert picture.get_attribute("src") == source
    else:
        page.wait_for_function("src => document.querySelector('.explorer img').src.endsWith(src)", arg=frames[2][0])
        page.get_by_role("button", name="Stop", exact=True).wait_for()
        slider.press("End")
        assert picture.get_attribute("src") == frames[-1][0]
    assert page.get_by_role("button", name="Play", exact=True).is_visible()
    page.close()
