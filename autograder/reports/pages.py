"""What the feedback pages and the report share: one look, everything escaped, nothing fetched, no script."""

import ast
import html
import inspect
import os
import re
from functools import cache, lru_cache
from pathlib import Path

from ..checks import registry
from ..checks.exercise import get_exercise
from ..checks.show import marked
from . import allow_list
from .typeset import typeset

TEMPLATES = Path(__file__).resolve().parent / "templates"
# A function is never so long; colouring a megabyte would hold up the whole class
LONGEST = 20_000
# Nothing is loaded, nothing runs: what a student wrote stays text even if some of it slipped through as HTML
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'"


@cache
def environment():
    """The templates; every value in them is escaped unless it is `Markup`."""
    import jinja2

    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "points": number,
        "marked": text,
        "highlight": highlight,
        "prose": prose,
        "plural": plural,
        "lasting": lasting,
    }
    found.globals |= {"policy": POLICY, "style": style}
    return found


def render(template, **values):
    """The page of a template."""
    return allow_list.page(environment().get_template(template).render(**values))


def write(path, page):
    """Write a page whole or not at all: a reader who opens it meanwhile sees the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(page, encoding="utf-8")
    os.replace(draft, path)
    return path


@cache
def style():
    """The style sheet, with the colours of code for a light and a dark page."""
    from markupsafe import Markup
    from pygments.formatters import HtmlFormatter

    # Both keep a contrast of 4.5 on the page's background of code
    light = HtmlFormatter(style="xcode").get_style_defs("pre")
    dark = HtmlFormatter(style="lightbulb").get_style_defs("pre")
    colours = "\n".join(
        [_tokens(light), "@media screen and (prefers-color-scheme: dark) {", _tokens(dark), "}"],
    )
    return Markup((TEMPLATES / "page.css").read_text(encoding="utf-8") + colours)


def _tokens(rules):
    """The rules for tokens alone: the background is the page's own."""
    return "\n".join(line for line in rules.splitlines() if re.match(r"pre \.(?!hll)", line))


def number(value):
    """Points as people write them: 2, 1.5, 0.67."""
    return f"{round(value, 2) + 0.0:g}"


def plural(count, word, many=None):
    """ "1 student", "3 students"; `many` where the plural is not just an s."""
    return f"{count} {word if count == 1 else many or word + 's'}"


def lasting(seconds):
    """How long something took or comes late, as people say it: "2 days 3 h", "5 min", "20 s"."""
    parts, rest = [], round(seconds)
    for word, size in (("days", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append("1 day" if (word, count) == ("days", 1) else f"{count} {word}")
    return " ".join(parts[:2]) or "0 s"


def moment(iso):
    """An ISO time as people read it, in UTC: "2026-11-21 12:00"; "" for none."""
    return (iso or "")[:16].replace("T", " ")


def text(value):
    """Escaped, with `code` and *stress* as what they mean."""
    from markupsafe import Markup

    return Markup(marked(value))


# The converter escapes < and > among symbols and not within a text: it gets two characters that mean nothing to it
_HIDE = str.maketrans("<>", "\ue000\ue001")


def _escaped(mathml):
    """What the converter made, with the hidden signs as operators, or escaped within a text; so is an & that it has left."""
    mathml = re.sub("<mi([^>]*)>([\ue000\ue001])</mi>", r"<mo\1>\2</mo>", mathml)
    mathml = re.sub(r"&(?!#x[0-9A-F]+;)", "&amp;", mathml)
    return mathml.replace("\ue000", "&lt;").replace("\ue001", "&gt;")


@lru_cache(1024)
def math(latex):
    """A formula as MathML, which browsers and screen readers know without a script; as code if it cannot be read."""
    from latex2mathml.converter import convert
    from markupsafe import Markup

    # Never part of a formula: attributes, colours, links
    if not re.search(r"\\(href|url|class|cssId|style|data)\b", latex):
        try:
            # The converter knows \\max but no \\arg
            made = _escaped(convert(re.sub(r"\\arg\b", r"\\operatorname{arg}", latex.translate(_HIDE))))
            alt = html.escape(latex, quote=True)
            # A command that the converter does not know stays in the text with its backslash
            if "\\" not in made:
                return Markup(allow_list.formula(made.replace("<math ", f'<math alttext="{alt}" ', 1)))
        except Exception:
            pass
    return Markup(f"<code>{html.escape(latex)}</code>")


@registry.kept
@cache
def formula(name):
    """What an exercise asks, in its references' first lines and the formulas below them: one line for each function."""
    exercise = get_exercise(name)
    # Of a variable what it holds
    lines = [_docstring(exercise.told)] if exercise.told else []
    for function in exercise.functions:
        first, *more = (inspect.getdoc(function) or "").split("\n\n")
        lines.append(_docstring(f"{first} {more[0]}" if more and more[0].startswith("`") else first))
    return [line for line in dict.fromkeys(lines) if line]


def _docstring(line):
    from markupsafe import Markup

    parts = re.split(r":math:`([^`]+)`", *typeset([" ".join(line.split())]))
    return Markup("").join(math(part) if index % 2 else text(part) for index, part in enumerate(parts))


@cache
def _python():
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return PythonLexer(stripnl=False, ensurenl=False), HtmlFormatter(nowrap=True)


def highlight(source):
    """Python source with its colours, escaped."""
    from markupsafe import Markup
    from pygments import highlight as colour

    return Markup(colour(shortened(source), *_python()))


def shortened(source):
    """The source, or the beginning of one that no page should hold."""
    left = len(source) - LONGEST
    return source if left <= 0 else f"{source[:LONGEST]}\n# … and {left} more characters"


def is_code(source):
    """Whether a cell of unknown type holds code rather than prose."""
    source = source[:LONGEST]
    if source.lstrip().startswith(("%", "!")):
        return True
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return bool(re.search(r"^[ \t]*(def |import |from \w+ import |for .*:$|print\()", source, re.M))
    # A single word is a valid program too
    return not all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Name | ast.Constant) for node in tree.body)


def prose(source):
    """A student's written answer: Markdown without HTML, pictures and links, formulas as MathML."""
    from markupsafe import Markup

    return Markup(_markdown()(shortened(source)))


@cache
def _markdown():
    import mistune

    class Renderer(mistune.HTMLRenderer):
        def link(self, text, url, title=None):
            return f"{text} ({html.escape(url)})"

        def image(self, text, url, title=None):
            return f"[picture: {html.escape(text)}]"

        def heading(self, text, level, **attributes):
            # The page's own headings are its outline
            return f"<p><strong>{text}</strong></p>\n"

        def block_code(self, code, info=None):
            return f'<pre tabindex="0">{highlight(code)}</pre>\n'

    made = mistune.create_markdown(escape=True, renderer=Renderer(escape=True), plugins=["table", "math"])
    made.renderer.register("inline_math", lambda renderer, text: str(math(text)))
    made.renderer.register("block_math", lambda renderer, text: f"<p>{math(text)}</p>\n")
    return made
