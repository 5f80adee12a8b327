"""What students write, shown by nbgrader: its formgrader and feedback pages pass raw HTML through.

`nbgrader_config.py` puts these in the place of nbconvert's filters:

    c.HTMLExporter.sanitize_html = True
    c.HTMLExporter.filters = {
        "markdown2html": "autograder.reports.safe_html.markdown2html",
        "clean_html": "autograder.reports.safe_html.clean_html",
    }
"""

import re

import nh3

TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "kbd", "samp", "div", "span"),
    *("em", "strong", "b", "i", "s", "del", "sub", "sup", "u", "small", "ul", "ol", "li", "dl", "dt", "dd"),
    *("table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption", "a", "img", "details", "summary"),
}
# No ids: a heading must not pass for one of the page's own fields
ATTRIBUTES = {"*": {"class"}, "a": {"href", "title"}, "img": {"alt", "title", "src", "width", "height"}}

# "x<y and z>w" is a student's text and no element: nobody who reads an answer should miss a part of it
_NO_TAG = re.compile(rf"<(?!/?(?:{'|'.join(sorted(TAGS))})[\s/>]|!--)", re.I)


def markdown2html(source):
    """Markdown as HTML that runs nothing."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    return clean_html(MarkdownWithMath(renderer=renderer).render(source))


def clean_html(source):
    """HTML without event handlers, javascript: links and pictures from elsewhere.

    Scripts, styles, frames, forms and everything else that is not on the list stand there as text.
    """
    text = source.decode("utf-8", "replace") if isinstance(source, bytes) else str(source)
    return nh3.clean(
        _NO_TAG.sub("&lt;", text),
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_from_here,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )


def _from_here(tag, name, value):
    """A picture from elsewhere tells its server who reads the page."""
    return None if (tag, name) == ("img", "src") and ("//" in value or "\\" in value) else value
