"""What the pages are made of besides text: `{explorer}`, `{check}` and `{course-map}`."""

import html
import json
import re
from pathlib import Path
from typing import ClassVar

import frames
import numpy as np
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

from autograder import get_exercise, start_page
from autograder.checks import notebook, show

SOURCES = Path(__file__).resolve().parent.parent / "notebooks" / "source"
# Where a notebook opens in a JupyterLab that is a part of the site; `make lite` makes it
LITE = "lite/index.html?path={}"


def raw(text):
    return nodes.raw("", text, format="html")


class Page(SphinxDirective):
    @property
    def root(self):
        """The way from this page to the site's root."""
        return "../" * self.env.docname.count("/")


class ExplorerDirective(Page):
    """An explorer whose main control moves: `{explorer} neurons`. :plays: it moves by itself when it is first seen.

    The content is its caption, beside the values of the controls that stay.
    """

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {"plays": directives.flag}

    def run(self):
        made = frames.manifest(self.arguments[0])
        here = f"{self.root}_static/frames/{made['folder']}/"
        shown = [[here + one["file"], one["value"], one["alt"]] for one in made["frames"]]
        source, value, alt = map(html.escape, shown[made["start"]])
        rest = "".join(f"<span>{html.escape(label)} <b>{html.escape(word)}</b></span>" for label, word in made["rest"])
        label, name = html.escape(made["label"]), f"explorer-{made['name']}"
        plays = " data-plays" if "plays" in self.options else ""
        data = json.dumps(shown, ensure_ascii=False).replace("</", "<\\/")
        before = (
            f'<figure class="explorer" id="{name}"{plays}>'
            f'<div class="stage"><img src="{source}" alt="{alt}" width="{made["width"]}" height="{made["height"]}"></div>'
            f'<div class="controls" hidden><button type="button" aria-label="Play"></button>'
            f'<label for="{name}-slider">{label}</label>'
            f'<input type="range" id="{name}-slider" min="0" max="{len(shown) - 1}" value="{made["start"]}" '
            f'aria-valuetext="{value}"><output for="{name}-slider">{value}</output></div>'
            f'<script type="application/json">{data}</script><figcaption><p class="rest">{rest}</p>'
        )
        return [raw(before), *self.parse_content_to_nodes(), raw("</figcaption></figure>")]


class CheckDirective(Page):
    """Code that makes a known mistake, and what its check says: `{check} neurons.linear_neuron_grad`, with the code inside."""

    required_arguments = 1
    has_content = True

    def run(self):
        code, name = "\n".join(self.content), self.arguments[0]
        exercise, space = get_exercise(name), {"np": np}
        exec(code, space)
        view = notebook._judged(exercise, tuple(space[one] for one in exercise.answer_names), keep=False)
        if view.result.mistake is None:
            raise self.error(f"{name}: expected code that makes a known mistake, and the check says: {view.result}")
        block = nodes.literal_block(code, code, language="python")
        answer = nodes.container("", raw('<p class="part">A student’s answer</p>'), block)
        said = nodes.container(
            "", raw(f'<p class="part">What its check says</p><div class="said">{show.as_html(view)}</div>')
        )
        return [nodes.container("", answer, said, classes=["check"])]


class MapDirective(Page):
    """All lessons, in parts: each line of the content is a part's name and the numbers of its lessons, `Gradients: 4 5`."""

    has_content = True

    def run(self):
        lessons = dict(enumerate(start_page.catalogue()))
        parts = []
        for line in self.content:
            title, _, numbers = line.partition(":")
            rows = "".join(self.row(lessons.pop(int(number))) for number in numbers.split())
            parts.append(f'<section><p class="part">{html.escape(title)}</p><ol>{rows}</ol></section>')
        if lessons:
            raise self.error(f"expected every lesson, {', '.join(one.title for one in lessons.values())} missing")
        return [raw(f'<div class="map">{"".join(parts)}</div>')]

    def row(self, lesson):
        number, _, title = lesson.title.partition(" · ")
        stem = Path(lesson.notebook).stem
        face = '<span class="face">X W + b</span>'
        if lesson.slug in frames.MAIN:
            folder = frames.manifest(lesson.slug)["folder"]
            face = f'<img class="face" src="{self.root}_static/frames/{folder}/face.webp" alt="" loading="lazy">'
        return (
            f'<li><a href="{self.root}lessons/{stem}.html">{face}<span class="words"><b>{number} · {html.escape(title)}</b>'
            f"<span>{html.escape(about(stem))}</span><small>{lesson.minutes} minutes</small></span></a></li>"
        )


def about(stem):
    """What a lesson is about, in the words of its first sentences."""
    text = (SOURCES / f"{stem}.md").read_text(encoding="utf-8")
    return " ".join(re.search(r"^# .*?\n\n(.*?)\s*After this lesson", text, re.M | re.S)[1].split())


_EXPLORES = re.compile(r"^(\w+)\.explore\(\)$", re.M)


def explored(source, slug):
    """The explorer that a lesson's cell shows, or None; its own is called `explorer` there."""
    found = _EXPLORES.search(source)
    return found and (slug if found[1] == "explorer" else found[1])


def ways(stem, lite):
    """How to run a lesson, as Markdown at its beginning. lite : whether the course in the browser is a part of the site."""
    here = LITE.format(f"lessons/{stem}.ipynb")
    first = f'<a class="try" href="../{here}">Try it in this tab</a>\n' if lite else ""
    return (
        f':::{{container}} ways\n<a id="run-it"></a>\n{first}{{download}}`Download the notebook <../../notebooks/{stem}.ipynb>`\n'
        "[Install the course](../students.md)\n:::"
    )


def setup(app):
    app.add_directive("explorer", ExplorerDirective)
    app.add_directive("check", CheckDirective)
    app.add_directive("course-map", MapDirective)
    # A page that shows frames is written again when they are
    app.add_config_value("explorer_frames", [], "env")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
