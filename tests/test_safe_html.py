"""What nbgrader's own pages show of a student's Markdown and HTML."""

import pytest

from autograder.reports.safe_html import clean_html, markdown2html

SHOWN = {
    "<script>alert(1)</script>": "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<SCRIPT src=//e.example/x.js>": "&lt;SCRIPT src=//e.example/x.js&gt;",
    "<style>p {display: none}</style>": "&lt;style&gt;p {display: none}&lt;/style&gt;",
    "<iframe src=x></iframe>": "&lt;iframe src=x&gt;&lt;/iframe&gt;",
    "<form><input name=score></form>": "&lt;form&gt;&lt;input name=score&gt;&lt;/form&gt;",
    "<svg onload=alert(1)>": "&lt;svg onload=alert(1)&gt;",
    "for x<y and z>w": "for x&lt;y and z&gt;w",
    "a < b & c": "a &lt; b &amp; c",
    '<b onclick="x()" id="score" style="color:red" class="k">bold</b>': '<b class="k">bold</b>',
    '<a href="javascript:alert(1)">k</a>': '<a rel="noopener noreferrer">k</a>',
    '<a href="https://e.example/">k</a>': '<a href="https://e.example/" rel="noopener noreferrer">k</a>',
    '<img src="plot.png" alt="a plot" onerror="x()">': '<img src="plot.png" alt="a plot">',
    '<img src="//e.example/x.png">': "<img>",
    '<img src="https://e.example/x.png">': "<img>",
    '<img src="\\\\e.example\\x.png">': "<img>",
    "<!-- a comment -->": "",
    "<p>a &lt;script&gt; stays text</p>": "<p>a &lt;script&gt; stays text</p>",
}


@pytest.mark.parametrize("source", SHOWN)
def test_what_is_shown_of_html(source):
    assert clean_html(source) == SHOWN[source]
    assert clean_html(source.encode()) == SHOWN[source]


def test_markdown_keeps_its_sense():
    shown = markdown2html("A *slope* of $a<b$, `x<y` <script>alert(1)</script> and [k](javascript:alert(2))")
    assert shown == (
        "<p>A <em>slope</em> of $a&lt;b$, <code>x&lt;y</code> &lt;script&gt;alert(1)&lt;/script&gt; and "
        '<a rel="noopener noreferrer">k</a></p>\n'
    )
