"""What a page may hold: these elements with these attributes, and nothing else, whatever was written into it.

Everything that a template puts in is escaped already. This is the second wall: it reads the finished page as a browser does
and writes it again without whatever it does not know, so a hole in a library for formulas, Markdown or colours shows as
missing words and never runs.
"""

import re

import nh3

_PAGE = {
    *(
        "header",
        "main",
        "footer",
        "nav",
        "section",
        "article",
        "h1",
        "h2",
        "h3",
        "h4",
        "p",
        "div",
        "span",
        "a",
        "br",
        "hr",
    ),
    *("strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "dl", "dt", "dd", "details", "summary"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "figure", "figcaption"),
}
# What latex2mathml makes
_MATH = {
    *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mstyle", "mpadded", "mphantom", "menclose", "merror"),
    *("msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts", "none"),
    *("mfrac", "msqrt", "mroot", "mfenced", "mtable", "mtr", "mtd", "mlabeledtr"),
}
# What Matplotlib draws
_DRAWING = {"svg", "g", "defs", "path", "clipPath", "rect", "use", "text", "tspan"}
ATTRIBUTES = {
    "*": {"class", "id", "role", "tabindex"},
    "a": {"href"},
    "th": {"scope", "style"},
    "td": {"style"},
    "span": {"style"},
    "ol": {"start"},
    "math": {"display", "alttext"},
    "svg": {"viewBox", "version"},
    "use": {"href", "x", "y"},
    "rect": {"x", "y", "width", "height"},
    "text": {"x", "y"},
    "tspan": {"x", "y"},
    "path": {"d"},
    **{
        tag: {
            *("mathvariant", "displaystyle", "scriptlevel", "stretchy", "fence", "form", "separator", "largeop"),
            *("movablelimits", "symmetric", "minsize", "maxsize", "lspace", "rspace", "accent", "accentunder"),
            *("linethickness", "width", "height", "depth", "voffset", "notation", "open", "close", "linebreak"),
            *("columnalign", "rowalign", "columnlines", "rowlines", "columnspacing", "rowspacing", "frame", "side"),
        }
        for tag in _MATH - {"math"}
    },
}
for _tag in _DRAWING:
    ATTRIBUTES[_tag] = ATTRIBUTES.get(_tag, set()) | {"style", "transform", "clip-path"}
TAGS = _PAGE | _MATH | _DRAWING
_STYLES = {
    *("width", "text-align"),
    *("fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin", "opacity"),
    *("stroke-dasharray", "stroke-dashoffset", "stroke-opacity", "stroke-miterlimit", "text-anchor"),
    *("font", "font-size", "font-family", "font-weight", "font-style"),
}


# A page of this course by the way to it: no scheme, no host, nothing but a page
_BESIDE = re.compile(r"(?:\.\./)*[\w.%~-]+(?:/[\w.%~-]+)*\.html")


def page(text: str) -> str:
    """A whole page with its body as the list allows it; the head is the template's."""
    head, opened, rest = text.partition("<body>")
    body, closed, end = rest.rpartition("</body>")
    return head + opened + _clean(body, TAGS) + closed + end


def formula(text: str) -> str:
    """A formula as MathML, and nothing besides."""
    return _clean(text, _MATH)


def _clean(text, tags):
    return nh3.clean(
        text,
        tags=tags,
        attributes={tag: names for tag, names in ATTRIBUTES.items() if tag in tags or tag == "*"},
        generic_attribute_prefixes={"aria-"},
        attribute_filter=_within_the_page,
        filter_style_properties=_STYLES,
        url_schemes=set(),
        link_rel=None,
    )


def _within_the_page(tag, name, value):
    """A link leads to a place of the same page or to a page beside it, and a style fetches nothing."""
    if name == "href" and not (value.startswith("#") or (tag == "a" and _BESIDE.fullmatch(value))):
        return None
    return None if name in ("style", "clip-path") and "url(" in value.replace("url(#", "") else value
