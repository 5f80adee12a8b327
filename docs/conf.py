"""The site: guides from this folder, lessons from `notebooks/` as they are stored, the API from the docstrings.

`docs/lessons/` and `docs/api/` are written here at every build and stay out of git, and so are the explorers' frames
(frames.py). No notebook is executed and nothing is fetched. With the tag `lite` (`-t lite`) the pages link the course in the
browser, which lies beside them then.
"""

import importlib
import importlib.util
import inspect
import itertools
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import nbformat

import dlcourse
from autograder.reports.typeset import typeset

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

import directives  # noqa: E402
from frames import MAIN, STATIC, folder  # noqa: E402

# In a process that may start others: Sphinx's own may not
subprocess.run([sys.executable, HERE / "frames.py"], check=True)

project = "dlcourse"
author = "The dlcourse authors"
copyright = author
version = release = dlcourse.__version__

# --- the pages that are written here ---------------------------------------------------------------------------------


def write(path, text):
    """Only where something changed, so that a second build has little to do."""
    path.parent.mkdir(exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def keep_only(folder, names):
    for path in folder.glob("*.*"):
        if path.name not in names:
            path.unlink()


_ASSIGNMENT = re.compile(r"\[([^]]*)\]\(\.\./assignments/((\w+)/\3\.ipynb)\)")


def as_on_the_site(text):
    """A lesson's text for the site: its way to the assignment is a download, headings have their names in small letters."""
    text = re.sub(r"\(notes\.md#E(\d\d)\)", r"(notes.md#e\1)", text)
    return _ASSIGNMENT.sub(r"{download}`\1 <../../autograder/course/release/\2>`", text)


def lesson_pages():
    """The lessons with their stored outputs; the pictures' descriptions go where the site looks for them."""
    names = set()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook, cells = nbformat.read(path, as_version=4), []
        for cell in notebook.cells:
            cells.append(cell)
            if cell.cell_type == "markdown":
                cell.source = as_on_the_site(cell.source)
                continue
            name = directives.explored(cell.source, path.stem.partition("_")[2])
            if name:
                cell.outputs = []
                cells.append(nbformat.v4.new_markdown_cell(EXPLORER.format(name), id=f"explorer-{name}"))
            describe(cell)
        way = directives.ways(path.stem, lite=tags.has("lite"))  # noqa: F821
        notebook.cells = [cells[0], nbformat.v4.new_markdown_cell(way, id="how-to-run-it"), *cells[1:]]
        write(HERE / "lessons" / path.name, nbformat.writes(notebook) + "\n")
        names.add(path.name)
    write(HERE / "lessons" / "notes.md", (ROOT / "notebooks" / "notes.md").read_text(encoding="utf-8"))
    keep_only(HERE / "lessons", names | {"notes.md"})


EXPLORER = '```{{explorer}} {}\n<a href="#run-it">More controls in the notebook.</a>\n```'


def describe(cell):
    """Tell the site what the picture of a cell shows, and how wide it is."""
    shown = [output.get("metadata", {}).get("image/png", {}) for output in cell.outputs]
    alts, widths = ([one[key] for one in shown if one.get(key)] for key in ("alt", "width"))
    image = ({"alt": " ".join(alts)} if alts else {}) | ({"width": f"{widths[0]}px"} if widths else {})
    if image:
        cell.metadata["mystnb"] = {"image": image}


# What of the autograder is for others to call, in the order of a reader's questions
AUTOGRADER = (
    "autograder",
    "autograder.checks.exercise",
    "autograder.checks.solution",
    "autograder.checks.drivers",
    "autograder.checks.compare",
    "autograder.checks.evaluation",
    "autograder.build",
    "autograder.checks.audit",
    "autograder.engine",
    "autograder.engine.tasks",
    "autograder.engine.store.records",
    "autograder.engine.grader",
    "autograder.engine.store.course",
    "autograder.engine.run",
    "autograder.engine.store.journal",
    "autograder.engine.preprocessor",
    "autograder.engine.store.gradebook",
    "autograder.offline",
    "autograder.reports.feedback",
    "autograder.reports.report",
    "autograder.reports.export",
)


def api_pages():
    """One page for each public module."""
    modules = [module.name for module in pkgutil.walk_packages(dlcourse.__path__, "dlcourse.")]
    modules = [name for name in modules if "._" not in name and "explorers." not in name]
    modules.remove("dlcourse.networks")
    names = set()
    for name in [*modules, *AUTOGRADER]:
        text = f"# `{name}`\n\n```{{eval-rst}}\n.. automodule:: {name}\n   :members:\n   :ignore-module-all:\n```\n"
        write(HERE / "api" / f"{name}.md", text)
        names.add(f"{name}.md")
    keep_only(HERE / "api", names)


lesson_pages()
api_pages()

# --- Sphinx ----------------------------------------------------------------------------------------------------------

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_copybutton",
    "directives",
]
explorer_frames = [folder(name).name for name in MAIN]
exclude_patterns = ["_build"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
nitpicky = True
# `name` in a docstring is a link where the name is known, see `find_name`
default_role = "py:obj"

nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
# A formula needs no dollar sign at the end of a price, and a lesson's dollars are formulas
myst_dmath_double_inline = True

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "none"
autodoc_inherit_docstrings = False
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# MathJax comes with a package and is copied into the site; as SVG it needs no fonts
mathjax_path = "tex-svg-full.js"
_mathjax = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax" / mathjax_path
mathjax3_config = {"options": {"enableMenu": False}, "svg": {"fontCache": "local", "scale": 0.92}}

html_theme = "furo"
html_title = "dlcourse"
html_static_path = ["_static", str(_mathjax), str(STATIC)]
html_css_files = ["site.css"]
html_js_files = ["explorer.js"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0060a0", "color-brand-content": "#0060a0"},
    "dark_css_variables": {"color-brand-primary": "#7cc4ff", "color-brand-content": "#7cc4ff"},
}
pygments_style = "friendly"
pygments_dark_style = "monokai"
copybutton_exclude = ".linenos, .gp, .go"

# --- docstrings ------------------------------------------------------------------------------------------------------

_NAMES = r"`{0,2}[\w*]+`{0,2}(?:, `{0,2}[\w*]+`{0,2})*"
_FIELD = re.compile(rf"^({_NAMES}) : (.*)$")
_NEXT_FIELD = re.compile(rf"(?<=[.;]) (?={_NAMES} : )")
_SECTIONS = ("Parameters", "Returns", "Yields", "Raises")


def fields(lines):
    """The house writes `name : what it is` in one sentence, with the lines that follow indented: join what belongs
    together, part what only shares a line; yields (names, text) for a field and (None, text) for anything else.
    """
    names, text = None, ""
    for whole in lines:
        for line in _NEXT_FIELD.split(whole):
            match = _FIELD.match(line)
            if (names or text) and not match and line.strip() and not line.lstrip().startswith(("- ", ".. ", ">>>")):
                text += " " + line.strip()
                continue
            if names or text:
                yield names, text
            names, text = (match[1], match[2]) if match else (None, line)
            if not line.strip():
                yield None, line
    if names or text:
        yield names, text


def docstring(app, what, name, obj, options, lines):
    """Typeset formulas; make a list of a class's fields, one line of each argument, and code of a module's indented lines."""
    if name.startswith("dlcourse"):
        lines[:] = typeset(lines)
    if what == "module":
        for k in range(len(lines) - 1, 1, -1):
            begins = lines[k].startswith("    ") and not lines[k - 1].strip()
            if begins and re.match(r"\w", lines[k - 2]) and not lines[k - 2].endswith("::"):
                lines[k:k] = ["::", ""]
        return
    if what == "class":
        made, inside = [], False
        for names, text in fields(lines):
            bold = ", ".join(f"**{part.strip('`')}**" for part in names.split(", ")) if names else ""
            made += ([] if inside or not names else [""]) + ([bold, f"    {text}"] if names else [text])
            inside = bool(names)
        lines[:] = made
        return
    made, start = [], 0
    heads = [k for k in range(len(lines) - 1) if re.fullmatch("-{3,}", lines[k + 1].strip())] + [len(lines)]
    for head, end in itertools.pairwise(heads):
        made += lines[start:head]
        if lines[head].strip() in _SECTIONS:
            made += lines[head : head + 2]
            made += [f"{names} : {text}" if names else text for names, text in fields(lines[head + 2 : end])]
        else:
            made += lines[head:end]
        start = end
    lines[:] = made + lines[start:]


def skip(app, what, name, obj, skip, options):
    """Leave out what a class did not write: a named tuple's fields, a field's default that is a function, Artist.set."""
    if what == "class" and inspect.isfunction(obj):
        foreign = not obj.__module__.startswith(("dlcourse", "autograder"))
        return True if foreign or "." not in obj.__qualname__ else None
    return True if type(obj).__name__ == "_tuplegetter" else None


def find_name(app, env, node, contnode):
    """A `name` of a docstring, as one finds it in the course: as written, inside the packages, or where it is defined.

    A dotted name that starts with a module of the course must lead somewhere; any other word stays code.
    """
    if node.get("reftype") != "obj":
        return None
    target, python = node["reftarget"], env.get_domain("py")
    first, _, rest = target.partition(".")
    home = next((package for package in ("dlcourse", "autograder") if f"{package}.{first}" in python.modules), None)
    names = [f"{package}.{target}" for package in ("dlcourse", "autograder")]
    if home and rest:
        thing = getattr(importlib.import_module(f"{home}.{first}"), rest.split(".")[0], None)
        names.append(f"{getattr(thing, '__module__', '')}.{rest}")
    for name in names:
        if name in python.objects:
            return python.resolve_xref(env, node["refdoc"], app.builder, "obj", name, node, contnode)
    wrong = home and rest and rest != "py" and not rest.isupper()
    return None if wrong else contnode


def setup(app):
    app.connect("autodoc-process-docstring", docstring, priority=400)
    app.connect("autodoc-skip-member", skip)
    app.connect("missing-reference", find_name)
