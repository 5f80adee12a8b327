"""What students write, shown by nbgrader: its formgrader and feedback pages pass raw HTML through.

`nbgrader_config.py` puts these in the place of nbconvert's filters:

    c.HTMLExporter.sanitize_html = True
    c.HTMLExporter.filters = {
        "markdown2html": "autograder.reports.safe_html.markdown2html",
        "clean_html": "autograder.reports.safe_html.clean_html",
    }
"""

TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "kbd", "samp", "div", "span"),
    *("em", "strong", "b", "i", "s", "del", "sub", "sup", "u", "small", "ul", "ol", "li", "dl", "dt", "dd"),
    *("table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption", "a", "img", "details", "summary"),
}
# No ids: a heading must not pass for one of the page's own fields
ATTRIBUTES = {"*": ["class"], "a": ["href", "title"], "img": ["alt", "title", "src", "width", "height"]}


def markdown2html(source):
    """Markdown as HTML that runs nothing."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    return clean_html(MarkdownWithMath(renderer=renderer).render(source))


def clean_html(source):
    """HTML without scripts, styles, frames, forms, event handlers, javascript: links and pictures from elsewhere."""
    import bleach

    text = source.decode("utf-8", "replace") if isinstance(source, bytes) else str(source)
    return bleach.clean(text, tags=TAGS, attributes=_allowed, protocols={"http", "https", "mailto"})


def _allowed(tag, name, value):
    if (tag, name) == ("img", "src") and ("//" in value or "\\" in value):
        # A picture from elsewhere tells its server who reads the page
        return False
    return name in ATTRIBUTES["*"] or name in ATTRIBUTES.get(tag, ())
