"""What strangers may send, made at random: frames, cells, notebooks, times, pages. The same examples in every run.

`make fuzz` makes others, for as long as it is told.
"""

import html.parser
import json
import os
import re
import socket
import time
from dataclasses import asdict, replace
from datetime import datetime, timedelta

import classes
import nbformat
import pytest
import records
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from autograder.checks.show import View, as_html
from autograder.engine import grader
from autograder.engine.ingest.assignment import load_released
from autograder.engine.ingest.rebuild import rebuild
from autograder.engine.ingest.timestamp import read_time
from autograder.engine.sandbox import judge, protocol
from autograder.reports import allow_list, feedback, report

pytestmark = pytest.mark.slow
TIMES = float(os.environ.get("DLCOURSE_FUZZ", "1"))
NAME, SEED = "neurons.preactivation", 5


def fuzz(examples, phases=tuple(Phase)):
    """So many examples; in the gate always the same ones, so that no run depends on luck."""
    quiet = [
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
        HealthCheck.large_base_example,
    ]
    return settings(
        max_examples=int(examples * TIMES),
        deadline=None,
        derandomize=TIMES == 1,
        suppress_health_check=quiet,
        phases=phases,
    )


# --- what is made -----------------------------------------------------------------------------------------------------

PIECES = (
    *(
        "<script>alert(1)</script>",
        "<img src=x onerror=a>",
        "</p></div></article>",
        "<!--",
        "-->",
        "]]>",
        "<svg onload=a>",
    ),
    *(
        "$\\text{",
        "$\\tag{",
        "$\\mbox{",
        "}$",
        "$$",
        "\\href{javascript:a}{",
        "\\color{",
        "\\begin{array}{c}",
        "&",
        "&lt;",
    ),
    *(
        "[x](javascript:a)",
        "![y](//z)",
        "<a href=//x>",
        "`",
        "*",
        "```\n",
        "~~~html\n",
        "|a|b|\n|-|-|\n|",
        "# ",
        "> ",
        "1. ",
    ),
    *("\x00", "\x1b[2J", "\x1b[31m", "\ud800", "\udfff", "\u202e", "\x85", "\uffff", "\r", "\n", "'", '"', "=", "\x7f"),
    *(
        "<style>*{}",
        "<title>",
        "<body onload=a>",
        "</body>",
        "<meta http-equiv=refresh>",
        "<base href=x>",
        "<math>",
        "<mtext>",
    ),
)
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=8).map("".join)
numbers = st.integers(-(2**70), 2**70) | st.floats() | st.sampled_from([0, 1, -1, 2**31, 2**63, True])
scalars = st.none() | st.booleans() | numbers | texts
dtypes = st.sampled_from([*sorted(protocol.DTYPES), "|O", "<U9", "<M8[s]", "x"])
shapes = st.lists(st.integers(-1, 5) | st.sampled_from([2**27, 2**40, True]), max_size=4)
leaves = st.one_of(
    scalars,
    st.tuples(st.just("s"), texts).map(list),
    st.tuples(st.just("i"), st.integers(-(2**5000), 2**5000).map(hex) | texts).map(list),
    st.tuples(st.just("f"), st.floats().map(float.hex) | texts).map(list),
    st.tuples(st.just("c"), st.floats().map(float.hex), st.floats().map(float.hex)).map(list),
    st.tuples(st.sampled_from("ag"), dtypes, shapes, st.integers(-1, 70)).map(list),
    st.tuples(st.just("h"), dtypes, shapes).map(list),
    st.tuples(st.just("o"), texts).map(list),
    st.tuples(st.sampled_from(["rng", "named", "n", "zz"]), scalars).map(list),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("tl"), st.lists(inner, max_size=5)).map(list),
        st.tuples(st.just("d"), st.lists(st.lists(inner, min_size=2, max_size=2), max_size=4)).map(list),
        st.tuples(st.just("n"), texts, st.lists(inner, max_size=3)).map(list),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)
jsons = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)
bodies = st.binary(max_size=80)


def assert_clean(value):
    """Every string can be shown and written."""
    text = json.dumps(value, ensure_ascii=False)
    text.encode()
    for found in re.findall(r'"(?:[^"\\]|\\.)*"', text):
        assert protocol.clean(json.loads(found)) == json.loads(found)


# --- frames -----------------------------------------------------------------------------------------------------------


@fuzz(600)
@given(trees, bodies)
def test_a_value_is_read_or_refused(tree, body):
    try:
        value = protocol.decode(tree, body)
    except protocol.ProtocolError:
        return
    # What was read is plain data: it is sent and read again
    again, buffers = protocol.encode(value)
    protocol.decode(again, b"".join(buffers))


@fuzz(300)
@given(st.binary(max_size=60) | jsons.map(lambda value: json.dumps(value).encode()), bodies, st.integers(-3, 3))
def test_bytes_are_a_frame_or_refused(head, body, wrong):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        lengths = (max(0, len(head) + wrong).to_bytes(4, "big"), len(body).to_bytes(4, "big"))
        theirs.sendall(b"".join(lengths) + head + body)
        theirs.shutdown(socket.SHUT_WR)
        try:
            header, _ = protocol.Channel(ours).receive(time.monotonic() + 60)
        except (protocol.ProtocolError, protocol.Closed):
            return
    assert_clean(header)


rows = st.fixed_dictionaries(
    {
        "where": texts | scalars,
        "changed": st.lists(texts, max_size=12) | scalars,
        "printed": texts | scalars,
        "warned": texts | scalars,
        "error": st.none() | st.lists(texts, min_size=2, max_size=2) | jsons,
    },
    optional={"operation": scalars, "rounded": scalars},
)


@fuzz(250)
@given(st.lists(st.tuples(rows | jsons, trees, bodies), min_size=1, max_size=3), st.booleans())
def test_an_answer_is_judged_whatever_it_says(answers, at_home):
    frames = []
    for number, (row, tree, body) in enumerate(answers):
        header = protocol.cleaned(json.loads(json.dumps({"outcomes": [row], "values": [tree]})))
        frames.append(judge.frame(number, header, body, 4000))
    made = judge.judged(NAME, SEED, frames, at_home)
    assert len(made.result.rows) == len(answers) and isinstance(made.broken, str)
    assert_clean(asdict(made))
    assert all(len(row.problem) < 4000 for row in made.result.rows)
    as_html(View(made.result)).encode()


# --- cells and notebooks ----------------------------------------------------------------------------------------------

outputs = st.fixed_dictionaries(
    {"output_type": st.sampled_from(["stream", "display_data", "execute_result", "error"]) | scalars},
    optional={
        "text": jsons,
        "data": st.dictionaries(st.sampled_from(["text/plain", "image/png", "text/html"]) | texts, jsons, max_size=3)
        | jsons,
        "metadata": jsons,
        "evalue": jsons,
    },
)


@fuzz(250)
@given(st.lists(outputs | jsons, max_size=5) | jsons, jsons)
def test_what_a_cell_shows_is_a_notebooks_output(shown, error):
    sent = protocol.cleaned(json.loads(json.dumps({"outputs": shown, "error": error})))
    made = grader.clean(sent["outputs"])
    failed = grader.clean_error(sent["error"])
    cell = nbformat.v4.new_code_cell("x", outputs=[*made, *([failed] if failed else [])])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbformat.validate(notebook)
    assert_clean(made)


@pytest.fixture(scope="module")
def master():
    return load_released("small", json.dumps(classes.notebook()).encode())


marks = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("grade_id", "locked", "solution", "grade", "points", "cell_type", "task"), jsons)
)
cells = st.fixed_dictionaries(
    {
        "cell_type": st.sampled_from(["code", "markdown", "raw"]) | scalars,
        "source": texts | st.lists(texts, max_size=3) | jsons,
    },
    optional={
        "metadata": st.fixed_dictionaries({}, optional={"nbgrader": marks | jsons}) | jsons,
        "id": jsons,
        "outputs": jsons,
    },
)
notebooks = st.fixed_dictionaries(
    {"nbformat": st.sampled_from([4, 3]) | scalars, "cells": st.lists(cells | jsons, max_size=5) | jsons},
    optional={"metadata": jsons, "nbformat_minor": scalars, "worksheets": st.lists(jsons, max_size=2) | jsons},
)


@fuzz(400)
@given(notebooks | jsons)
def test_a_notebook_is_read_or_refused(master, notebook):
    made = rebuild(master, json.dumps(notebook).encode())
    assert_clean([made.problem, list(made.notes)])
    if made.problem:
        return
    # What was taken from it can be run, stored and shown
    for cell in made.cells:
        cell.source.encode()


@fuzz(200)
@given(st.binary(max_size=200))
def test_a_file_is_a_notebook_or_refused(master, data):
    assert_clean(rebuild(master, data).problem)


# --- times ------------------------------------------------------------------------------------------------------------

stamps = st.lists(
    st.sampled_from(
        [
            *("2026-11-21", "2026", "0000-00-00", "9999-12-31", "20261121", "-", ":", ".", ",", "T", " ", "Z", "W"),
            *(
                "12:00:00",
                "24:00",
                "23:59:60",
                ".000000",
                "+01:00",
                "-99:99",
                "+0100",
                "UTC",
                "Europe/Paris",
                "Etc/GMT+5",
            ),
            *("../../etc/passwd", "9" * 40, "1e400", "inf", "NaN", "²", "٣", "\x00", "Jan", "am"),
        ]
    )
    | st.text(max_size=3),
    max_size=7,
).map("".join)


@fuzz(600)
@given(stamps | st.datetimes().map(str) | st.datetimes(timezones=st.timezones()).map(datetime.isoformat))
def test_a_time_is_read_or_refused(text):
    found, why = read_time(text)
    assert_clean([found, why])
    assert len(why) < 200
    if found is None:
        assert why
    else:
        assert datetime.fromisoformat(found).utcoffset() == timedelta(0)


# --- pages ------------------------------------------------------------------------------------------------------------


class Elements(html.parser.HTMLParser):
    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


HEAD = {"html", "head", "meta", "title", "style", "body"}
KNOWN = {tag.lower() for tag in allow_list.TAGS}


def assert_meant(page, head):
    """Only elements and attributes that the list has, and the head of an empty page."""
    page.encode()
    found = Elements(page).found
    assert [one for one in found if one[0] in HEAD] == head
    for tag, attributes in found:
        if tag in HEAD:
            continue
        assert tag in KNOWN, tag
        allowed = {name.lower() for name in allow_list.ATTRIBUTES["*"] | allow_list.ATTRIBUTES.get(tag, set())}
        for name, value in attributes.items():
            assert name in allowed or name.startswith("aria-"), (tag, name)
            assert name != "href" or value.startswith("#"), value


def head_of(page):
    return [one for one in Elements(page).found if one[0] in HEAD]


def filled(text):
    """A hostile record with this text in the place of every string that a student or a notebook can choose."""
    record = records.hostile("eve")
    (notebook,) = record.notebooks
    bad, written = notebook.verdicts
    row = replace(bad.rows[0], case=text, part=text, problem=text)
    bad = replace(bad, message=text, exercise=text, mistake=text, hint=text, rows=(row, *bad.rows[1:]), answers=("a",))
    notebook = replace(
        notebook,
        verdicts=(bad, written),
        sources={"a": text, "prose": text},
        own_cells=(text, f"x = {text!r}"),
        notes=(text,),
    )
    return replace(record, notebooks=(notebook, replace(notebook, problem=text)), needs_review=(text,), submitted=text)


@fuzz(200)
@given(texts.map(protocol.clean))
def test_a_page_holds_what_we_mean(text):
    record, plain = filled(text), filled("plain")
    for one, other in zip(record.notebooks, plain.notebooks, strict=True):
        assert_meant(feedback.feedback_page(record, one), head_of(feedback.feedback_page(plain, other)))


# Four drawings take seconds: a failure is shown as it was found
@fuzz(4, (Phase.explicit, Phase.reuse, Phase.generate))
@given(texts.map(protocol.clean))
def test_a_report_holds_what_we_mean(text):
    made = report.Report("neurons")
    report.add(made, replace(filled(text), student=text))
    plain = report.Report("neurons")
    report.add(plain, filled("plain"))
    assert_meant(report.to_page(made), head_of(report.to_page(plain)))
