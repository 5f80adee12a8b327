"""Feedback pages: what they say, what they never show, and that nothing in them runs."""

import dataclasses
import html.parser
import itertools
import re
import time
from datetime import UTC, datetime

import pytest
import records

from autograder.checks.exercise import exercises_of, get_exercise
from autograder.engine.store.gradebook_reader import Mark, Marks
from autograder.engine.store.records import WRONG as WRONG_VERDICT
from autograder.engine.store.records import CaseRow, NotebookRecord, Record, Verdict
from autograder.errors import CourseError
from autograder.reports import allow_list, feedback, pages

pytest.importorskip("nbgrader")
WRONG = {
    "neurons.linear_neuron_grad": "bias_not_summed",
    "neurons.perceptron_predict": "classes_zero_one",
    "neurons.perceptron_fit": "untouched",
}
VOID = {"meta", "br", "hr", "img", "link", "input"}
ASKED = len(exercises_of("neurons"))


class Outline(html.parser.HTMLParser):
    """Elements in order with their attributes, and the text; fails where elements are not closed in order."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.open, self.text = [], [], []
        self.feed(page)
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()
        if tag in ("th", "td", "dt", "dd", "p", "li", "h1", "h2", "h3", "h4", "summary"):
            self.text.append(" ")

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)

    @property
    def words(self):
        return " ".join("".join(self.text).split())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(record, marks=None):
    return Outline(feedback.feedback_page(record, record.notebooks[0], marks))


@pytest.fixture(scope="module")
def frank():
    return records.record("frank", WRONG)


@pytest.mark.parametrize("name", ["frank", "evil"])
def test_the_allow_list_takes_nothing_away_from_a_page_that_is_meant(name, frank, monkeypatch):
    record = frank if name == "frank" else records.hostile("eve")
    made = page_of(record)
    monkeypatch.setattr(allow_list, "page", lambda text: text)
    assert made.elements == page_of(record).elements and made.words == page_of(record).words


FORMULAS = [
    (r"a<b", "<mi>a</mi><mo>&lt;</mo><mi>b</mi>"),
    (r"\text{<script>alert(1)</script>}", "<mtext>&lt;script&gt;alert(1)&lt;/script&gt;</mtext>"),
    (r"\tag{<meta http-equiv=refresh>}", "<mtext>(&lt;meta http-equiv=refresh&gt;)</mtext>"),
    (r"\mbox{<img src=x onerror=alert(1)>}", "<mtext>&lt;img&nbsp;src=x&nbsp;onerror=alert(1)&gt;</mtext>"),
    (r"\text{a & b}", "<mtext>a&nbsp;&amp;&nbsp;b</mtext>"),
    (r"\text{&lt;b&gt;}", "<mtext>&amp;lt;b&amp;gt;</mtext>"),
]


@pytest.mark.parametrize(("latex", "mathml"), FORMULAS)
def test_signs_in_a_formula_are_signs(latex, mathml):
    assert mathml in pages.math(latex)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<p onclick='x'>a<script>b</script></p>", "<p>a</p>"),
        (
            "<a href='#e1'>in</a><a href='//x.y'>out</a><a href='javascript:x'>js</a><a href='../f/a%20b/n.html'>by</a>"
            "<a href='/n.html'>root</a><a href='//x/n.html'>host</a><a href='..//x/n.html'>odd</a><a href='n.js'>n</a>"
            "<a href='http:n.html'>scheme</a><a href='..\\n.html'>back</a>",
            '<a href="#e1">in</a><a>out</a><a>js</a><a href="../f/a%20b/n.html">by</a><a>root</a><a>host</a><a>odd</a>'
            "<a>n</a><a>scheme</a><a>back</a>",
        ),
        (
            "<svg><style>*{}</style><use href='x.svg#a'></use><path d='M0' onload='x'></path></svg>",
            '<svg><use></use><path d="M0"></path></svg>',
        ),
        ("<span style='width:5%;position:fixed'>a</span>", '<span style="width:5%">a</span>'),
        ("<math><mtext><img src=x></mtext><maction actiontype='x'>m</maction></math>", "<math><mtext></mtext>m</math>"),
        ("<form action=x><input name=y></form><iframe src=z></iframe><base href=w><meta http-equiv=refresh>", ""),
        (
            "<div class=note id=a aria-label=b data-x=c role=d>e</div>",
            '<div class="note" id="a" aria-label="b" role="d">e</div>',
        ),
    ],
)
def test_what_a_page_does_not_hold_is_taken_out(text, left):
    assert allow_list.page(f"<head></head><body>{text}</body></html>") == f"<head></head><body>{left}</body></html>"


def assert_safe(outline):
    """Nothing that runs, and nothing that is fetched: the browser is told so too."""
    tags = {tag for tag, _ in outline.elements}
    assert not tags & {"script", "iframe", "object", "embed", "link", "img", "form", "base", "audio", "video"}
    for tag, attributes in outline.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("href", "src", "xlink:href"):
                assert value.startswith("#"), (tag, value)
    policies = [a["content"] for a in outline.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policies == [pages.POLICY] and "default-src 'none'" in pages.POLICY


def test_the_page_says_what_is_right_and_what_to_look_at(frank):
    page = page_of(frank)
    assert_safe(page)
    earned = pages.number(frank.points)
    assert f"{earned} of {frank.max_points:g} points; {ASKED - 3} of {ASKED} checked exercises right" in page.words
    assert "2 answers (4 points) still wait for a person to read." in page.words
    hint = next(m.hint for m in get_exercise("neurons.linear_neuron_grad").mistakes if m.slug == "bias_not_summed")
    assert f"This looks like a known mistake (bias not summed). {' '.join(hint.split())}" in page.words
    assert "db: expected a number, got shape (5,)" in page.words
    assert "neurons.perceptron_fit ○ not attempted" in page.words
    # The code, without the docstring that the course gave
    assert "return -(np.matrix_transpose(X) @ (d - u)), -np.sum(d - u)" in page.words
    assert "Parameters ----------" not in page.words


def test_formulas_are_mathml_with_the_source_as_the_alternative(frank):
    formulas = page_of(frank).all("math")
    assert len(formulas) >= 15
    assert any(a["alttext"] == "u = Xw + b" for a in formulas)


def test_every_formula_of_the_course_can_be_shown():
    import dlcourse

    for slug in dlcourse.TOPICS:
        for name in exercises_of(slug):
            lines = pages.formula(name)
            assert lines, name
            assert not any("\\" in re.sub(r'alttext="[^"]*"', "", line) for line in lines), (name, lines)


def test_a_screen_reader_finds_its_way(frank):
    page = page_of(frank)
    tags = [tag for tag, _ in page.elements]
    assert page.all("html")[0]["lang"] == "en" and tags.count("h1") == 1 and tags.count("main") == 1
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels)), levels
    assert all("scope" in attributes for attributes in page.all("th"))
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    targets = {a["href"][1:] for a in page.all("a")} | {
        a["aria-labelledby"] for _, a in page.elements if "aria-labelledby" in a
    }
    assert targets <= ids
    # What the colour says is also said in words
    states = [a for a in page.all("td") if a.get("class", "").startswith("state")]
    assert len(states) >= 17 and page.words.count("✗ wrong") + page.words.count("◐ partly right") == 4


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_on_its_ground(scheme):
    css = str(pages.style())
    light, dark = (
        dict(re.findall(r"--(\w[\w-]*): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{([^}]*)\}", css)
    )
    colours = light | (dark if scheme == "dark" else {})
    grounds = {
        "page": ("text", "quiet", "good", "bad", "wait", "accent"),
        "card": ("text", "quiet", "good", "bad", "wait", "accent"),
    }
    grounds |= {
        "code": ("text", "quiet"),
        "bad-soft": ("text", "bad"),
        "good-soft": ("text", "good"),
        "wait-soft": ("text", "wait"),
    }
    for ground, texts in grounds.items():
        for text in texts:
            assert contrast(colours[text], colours[ground]) >= 4.5, (scheme, text, ground)
    # The colours of code, of which the dark ones come last
    before, after = css.split("pre .", 1)[1].split("@media", 1)
    for colour in re.findall(r"[^-]color: (#[0-9A-Fa-f]{6})", before if scheme == "light" else after):
        assert contrast(colour.lower(), colours["code"]) >= 4.5, (scheme, colour)


def test_hidden_cases_are_named_and_not_shown():
    rows = (
        CaseRow("five examples", "", True, 1.0, False),
        CaseRow("integer examples", "", False, 1.0, True, "expected 42.195, got 7"),
    )
    verdict = Verdict(
        "c",
        "outside",
        2.0,
        1.0,
        "partly right",
        "✗ neurons.preactivation: not right yet",
        "neurons.preactivation",
        rows=rows,
    )
    page = page_of(Record("ada", "neurons", ("", "", ""), (NotebookRecord("neurons", (verdict,)),)))
    assert "integer examples (kept for grading) ✗ fails" in page.words and "42.195" not in page.words
    assert "What fails is kept for grading: integer examples." in page.words


def test_everything_hostile_stays_text():
    page = page_of(records.hostile())
    assert_safe(page)
    assert page.words.count("<script>alert(") >= 12
    assert "javascript:alert(4)" in page.words


def test_written_answers_are_markdown_without_html():
    shown = pages.prose(
        "*so* [link](javascript:alert(1)) ![x](http://example.com/p.png)\n\n# Head\n\n$u = Xw$ <b>bold</b>"
    )
    assert "<em>so</em>" in shown and "<math" in shown and "&lt;b&gt;" in shown
    assert "<a" not in shown and "<img" not in shown and "<h1" not in shown


def test_a_person_has_the_last_word(frank):
    cells = {
        ("neurons", "neurons-preactivation-check"): Mark(automatic=1.0, manual=0.5, comment="Why the *loop*?"),
        ("neurons", "neurons-written-1"): Mark(manual=1.5, extra=1.0, comment="Nearly."),
        ("neurons", "neurons-answer-2"): Mark(comment="See the notes."),
    }
    page = page_of(frank, Marks(cells, {"neurons": 2.0}))
    points = frank.points - 1 + 0.5 + 2.5 - 2
    assert f"{pages.number(points)} of {frank.max_points:g} points" in page.words
    assert "A person gave these points; the automatic check gave 1." in page.words
    assert "Why the loop?" in page.words and "Nearly." in page.words and "See the notes." in page.words
    assert "2 points were taken off for a late hand-in." in page.words
    assert "1 answer (2 points) still waits" in page.words


def test_a_late_hand_in_says_how_late_and_what_it_costs(frank):
    due = datetime(2026, 11, 18, 8, tzinfo=UTC)
    record = dataclasses.replace(frank, submitted="2026-11-20T10:05:00+00:00")
    said = "taken off for a late hand-in: it came 2 days 2 h after the due time, 2026-11-18 08:00 UTC."
    for penalty, words in ((2.0, "2 points were"), (1.0, "1 point was"), (0.0, "No points were")):
        marks = Marks({}, {"neurons": penalty})
        text = feedback.feedback_page(record, record.notebooks[0], marks, feedback.Around(due=due))
        assert f"{words} {said}" in Outline(text).words
    early = feedback.feedback_page(frank, frank.notebooks[0], Marks(), feedback.Around(due=due))
    assert "late hand-in" not in Outline(early).words


def test_a_cell_of_asserts_shows_what_it_asks_and_what_it_printed():
    failed = Verdict("double-test", "in-process", 3.0, 0.0, WRONG_VERDICT, "AssertionError: twice", answers=("double",))
    notebook = NotebookRecord("small", (failed,), {"double": "def double(x):\n    return x"})
    record = Record("ada", "small", ("", "", ""), (notebook,))
    key = "small", "double-test"
    source = "assert double(2) == 4, '<b>'"
    for hidden in (False, True):
        around = feedback.Around({key: feedback.Test(source, hidden)}, {key: "it says <i>5</i>"})
        page = Outline(feedback.feedback_page(record, notebook, None, around))
        assert_safe(page)
        assert f"What the test asks {source}" in page.words and "AssertionError: twice" in page.words
        assert ("What it printed it says <i>5</i>" in page.words) == (not hidden)
        assert ("Further tests are kept for grading." in page.words) == hidden


def test_a_notebook_that_could_not_be_read_says_what_to_do():
    broken = NotebookRecord("neurons", problem="This is not a notebook: the file ends in the middle of a cell.")
    page = page_of(Record("ada", "neurons", ("", "", ""), (broken,)))
    assert "could not be read" in page.words and "the file ends in the middle of a cell" in page.words
    assert "0 of 0 points" in page.words


def test_docstrings_are_folded_only_where_the_course_gave_them():
    given = 'def f(x):\n    r"""One.\n\n    Two.\n    """\n    return x'
    assert feedback.without_docstring(given) == 'def f(x):\n    """…"""\n    return x'
    for own in ('def f(x):\n    """One."""\n    return x', 's = 1\n    """\n    a\n    """', "", "def f(:\n"):
        assert feedback.without_docstring(own) == own


def test_a_cell_that_python_cannot_read_says_where():
    broken = "def preactivation(X, w, b):\n    return X @"
    message = "○ neurons.preactivation: 0 of 1 point.\nThere is no function preactivation: its cell is missing."
    verdict = Verdict("c", "outside", 1.0, 0.0, "not attempted", message, "neurons.preactivation", answers=("a",))
    page = page_of(Record("ada", "neurons", ("", "", ""), (NotebookRecord("neurons", (verdict,), {"a": broken}),)))
    assert "Python cannot read this cell: invalid syntax, line 2: return X @" in page.words
    assert "def preactivation(X, w, b): return X @" in page.words
    stub = {"a": "def preactivation(X, w, b):\n    raise NotImplementedError()"}
    page = page_of(Record("ada", "neurons", ("", "", ""), (NotebookRecord("neurons", (verdict,), stub),)))
    assert "raise NotImplementedError" not in page.words and "There is no function preactivation" in page.words


@pytest.mark.parametrize(
    "source",
    ["\n" * 10**6, "def f(:\n" * 10**5, "*a `b $c [d](" * 10**5, "x = [" * 10**5, "x" * 10**6, '  """' * 10**5],
)
def test_no_answer_holds_up_the_class(source):
    verdict = Verdict("c", "outside", 1.0, 0.0, "wrong", "", "neurons.preactivation", answers=("a",))
    prose = Verdict("w", "person", 1.0, None, "for a person", answers=("a",))
    notebook = NotebookRecord("neurons", (verdict, prose), {"a": source}, (source,))
    begun = time.process_time()
    page = feedback.feedback_page(Record("ada", "neurons", ("", "", ""), (notebook,)), notebook)
    assert time.process_time() - begun < 8 and len(page) < 2_000_000


@pytest.mark.parametrize("source", ["%timeit 1", "x?", "!ls", "x = 1", ""])
def test_what_ipython_can_read_is_no_error(source):
    assert feedback.syntax_error(source) == ""


def journal(folder, *lines):
    (folder / "records").mkdir(parents=True)
    (folder / "release").mkdir()
    (folder / "records" / "neurons.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def test_pages_stand_where_nbgrader_releases_them(tmp_path, frank):
    early = records.record("frank")
    ada = records.record("ada", dict.fromkeys(exercises_of("neurons"), "untouched"))
    journal(tmp_path, early.to_json(), ada.to_json(), frank.to_json())
    with (tmp_path / "records" / "neurons.jsonl").open("a") as file:
        file.write('{"torn')
    handed_in = tmp_path / "submitted" / "ada" / "neurons"
    handed_in.mkdir(parents=True)
    for name in ("timestamp.txt", "submission_secret.txt"):
        (handed_in / name).write_text(name)
    written = feedback.write_feedback(tmp_path, "neurons")
    assert [str(p.relative_to(tmp_path)) for p in written] == [
        "feedback/ada/neurons/neurons.html",
        "feedback/frank/neurons/neurons.html",
    ]
    # The last record of a student counts
    assert f"{ASKED - 3} of {ASKED} checked exercises right" in Outline(written[1].read_text()).words
    assert sorted(p.name for p in written[0].parent.iterdir()) == [
        "neurons.html",
        "submission_secret.txt",
        "timestamp.txt",
    ]
    with pytest.raises(CourseError, match="nothing is graded yet of nobody; run: dlcourse grade neurons"):
        feedback.write_feedback(tmp_path, "neurons", ["nobody"])


@pytest.mark.parametrize("student", ["../../etc", "a/b", "..", "", "a\nb"])
def test_no_name_leads_out_of_the_folder(tmp_path, student):
    course = tmp_path / "course"
    journal(course, Record(student, "neurons", ("", "", ""), (NotebookRecord("neurons"),)).to_json())
    with pytest.raises(CourseError, match="there is no feedback for"):
        feedback.write_feedback(course, "neurons")
    journal(tmp_path / "b", Record("ada", "neurons", ("", "", ""), (NotebookRecord("../../x"),)).to_json())
    with pytest.raises(CourseError, match="not the name of a notebook"):
        feedback.write_feedback(tmp_path / "b", "neurons")


def test_a_hundred_pages_are_quick(tmp_path, frank):
    import dataclasses

    journal(tmp_path, *(dataclasses.replace(frank, student=f"s{i:03}").to_json() for i in range(100)))
    begun = time.process_time()
    assert len(feedback.write_feedback(tmp_path, "neurons")) == 100
    # Processor time of one core; the promise is 15 s on two
    assert time.process_time() - begun < 15


@pytest.mark.slow
# nbgrader misspells an argument and leaves files open
@pytest.mark.filterwarnings("ignore:Passing unrecognized arguments:DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_nbgrader_releases_the_pages(tmp_path):
    from autograder import demo

    course = demo.make_course(tmp_path / "course", students={"ada": {}, "alan": {}})
    (course / "records").mkdir()
    lines = [records.record(name).to_json() for name in ("ada", "alan")]
    (course / "records" / "neurons.jsonl").write_text("\n".join([*lines, ""]), encoding="utf-8")
    written = feedback.write_feedback(course, "neurons")
    demo.release(course, "neurons")
    with demo.nbgrader_api(course) as api:
        result = api.release_feedback("neurons")
    assert result["success"], result
    released = (course / "exchange" / "dlcourse" / "feedback").glob("*.html")
    assert {path.read_bytes() for path in released} == {path.read_bytes() for path in written}
