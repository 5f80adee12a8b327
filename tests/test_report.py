"""The instructor's report: what it counts, for one student and for a thousand, and what it flags."""

import csv
import dataclasses
import io
import json
import random
import re
import statistics
import time
import tracemalloc

import numpy as np
import pytest
import records
from test_feedback import Outline, assert_safe, journal

from autograder import evaluate
from autograder.checks.exercise import exercises_of, get_exercise
from autograder.checks.hunts import hunted_by
from autograder.engine.store.gradebook_reader import Mark, Marks
from autograder.engine.store.records import PARTLY, RIGHT, Verdict
from autograder.errors import CourseError
from autograder.reports import allow_list, pages, report, similarity
from autograder.reports.status import Status, StudentStatus

pytest.importorskip("nbgrader")
EXERCISES = exercises_of("neurons")


def class_of(number):
    """A class in which the weaker students make more of the known mistakes."""
    draw = random.Random(number)
    for i in range(number):
        weak = draw.random()
        wrong = {
            name: draw.choice(exercise.mistakes).slug
            for name, exercise in EXERCISES.items()
            if exercise.mistakes and draw.random() < 0.4 * weak
        }
        reasons = ("The notebook ran out of time twice.",) if i % 10 == 3 else ()
        yield records.record(f"s{i:04}", wrong, seed=i, needs_review=reasons)


def made(*of):
    found = report.Report("neurons")
    for record in of:
        report.add(found, record)
    return found


@pytest.mark.parametrize("number", [1, 30])
def test_the_page_counts_what_the_records_say(number):
    class_ = list(class_of(number))
    found = made(*class_)
    page = Outline(report.to_page(found))
    assert_safe(page)
    assert f"Report on {number} submission" in page.words
    for name, one in found.exercises.items():
        verdicts = [v for r in class_ for v in r.verdicts if v.exercise == name]
        assert one.right == sum(v.verdict == RIGHT for v in verdicts)
        assert one.right + one.partly + one.wrong + one.untouched == number
        assert one.share == pytest.approx(sum(v.points for v in verdicts) / sum(v.max_points for v in verdicts))
    for mistake in found.commonest:
        made_it = [
            r.student
            for r in class_
            for v in r.verdicts
            if v.exercise == mistake.exercise and (v.mistake or "").replace("_", " ") == mistake.name
        ]
        assert mistake.students == made_it
        assert (
            f"{mistake.name} {mistake.exercise} {len(made_it)} {' '.join(mistake.hint.replace('`', '').split())}"[:60]
            in page.words
        )
    # Written answers wait, so nothing is said of the points of the whole
    assert "Median 2" not in page.words and f"{2 * number} written answers are not read yet" in page.words
    values = [r.points for r in class_]
    low, median, high = (float(value) for value in np.percentile(values, (25, 50, 75)))
    shown = (statistics.fmean(values), statistics.pstdev(values), low, median, high)
    assert f"{number} submission{'s' * (number > 1)} {' '.join(map(pages.number, shown))}" in page.words
    shares = [one.share for one in found.hardest]
    assert shares == sorted(shares)


def test_a_mistake_stands_beside_its_likely_difference_from_the_solution():
    exercise = EXERCISES["neurons.preactivation"]
    mistake = next(one for one in exercise.mistakes if exercise.difference(one)[0])
    found = made(records.record("ada", {exercise.name: mistake.slug}))
    (difference,) = [one.difference for one in found.commonest]
    assert difference == exercise.difference(mistake)[0]
    assert [line[:2] for line in difference.splitlines()] == ["- ", "+ "]
    assert " ".join(difference.split()) in Outline(report.to_page(found)).words
    assert json.loads(report.to_json(found))["mistakes"][0]["difference"] == difference
    # Of another course's exercise, and of a mistake that is known no longer, nothing is shown
    assert report._difference("cooking.rice", "too_salty") == report._difference(exercise.name, "of_old") == ""


def test_every_plot_says_in_words_what_it_shows_and_keeps_to_itself():
    page = Outline(report.to_page(made(*class_of(30))))
    plots = page.all("svg")
    assert len(plots) == 4 and all(a["role"] == "img" and len(a["aria-label"]) > 60 for a in plots)
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    # Colours and references are the page's own
    text = report.to_page(made(*class_of(3)))
    assert "#0102" not in text and "var(--accent)" in text
    for target in re.findall(r"url\(#([^)]+)\)", text):
        assert f'id="{target}"' in text


def test_hostile_names_stay_text_in_page_plots_table_and_json():
    found = made(records.hostile(records.EVIL), records.hostile("=cmd|' /C calc'!A0"))
    page = Outline(report.to_page(found))
    assert_safe(page)
    assert "<script>alert(" in page.words
    rows = list(csv.reader(io.StringIO(report.to_csv(found))))
    assert rows[1][0] == records.EVIL and rows[3][0] == "'=cmd|' /C calc'!A0"
    assert json.loads(report.to_json(found))["submissions"][0]["student"] == records.EVIL


def test_the_allow_list_takes_nothing_away_from_a_report(monkeypatch):
    found = made(*class_of(20), records.hostile("eve"))
    page = Outline(report.to_page(found))
    monkeypatch.setattr(allow_list, "page", lambda text: text)
    raw = Outline(report.to_page(found))
    assert page.words == raw.words
    for (tag, attributes), (raw_tag, raw_attributes) in zip(page.elements, raw.elements, strict=True):
        # A name space is for files that are drawings alone
        kept = [name for name in raw_attributes if not name.startswith("xmlns")]
        assert (tag, list(attributes)) == (raw_tag, kept)
        for name, value in attributes.items():
            # Styles are written again, without spaces
            read = styles if name == "style" else str
            assert read(value) == read(raw_attributes[name])


def styles(text):
    return {part.strip().replace(" ", "").replace('"', "'") for part in text.split(";") if part.strip()}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t1", "\r1"])
def test_no_cell_begins_as_a_formula(text):
    assert report.safe(text) == f"'{text}"


def test_no_cell_begins_as_a_formula_after_another_separator():
    # Where tabs separate cells the second one would
    assert [report.safe(text) for text in ("\t=1", "\r=1")] == ["'\t'=1", "'\r'=1"]


def test_numbers_and_plain_texts_stay_what_they_are():
    texts = {
        "x;=1+1": "x;'=1+1", "＝1+1": "'＝1+1", "x|＠SUM(A1)": "x|'＠SUM(A1)", "a\t-1": "a\t'-1", "x;\u200b+1": "x;'\u200b+1",
        " =1": "' =1", "\ufeff＋1": "'\ufeff＋1", "a\n=1": "a\n'=1", 'x;"=1"': "x;'\"=1\"", "Doe, =1": "Doe,' =1",
        "'=1": "'=1", "2026-11-01 00:00": "2026-11-01 00:00", "Doe, Jane": "Doe, Jane",
    }  # fmt: skip
    assert {text: report.safe(text) for text in texts} == texts
    assert [report.safe(v) for v in (-1.5, 2.0, 1 / 3, "-", "a-b", "")] == ["-1.5", "2", "0.33", "-", "a-b", ""]


def test_the_table_and_the_json_say_the_same_as_the_page():
    class_ = list(class_of(12))
    found = made(*class_)
    data = json.loads(report.to_json(found))
    rows = list(csv.DictReader(io.StringIO(report.to_csv(found))))
    assert data["students"] == 12 and len(rows) == 12 * (len(EXERCISES) + 2)
    for record in class_:
        mine = [row for row in rows if row["student"] == record.student]
        assert sum(float(row["points"]) for row in mine) == pytest.approx(record.points, abs=0.05)
        assert float(mine[0]["submission_points"]) == pytest.approx(record.points, abs=0.01)
    assert [one["name"] for one in data["exercises"]] == [one.name for one in found.hardest]
    assert data["for_a_person"] == {"s0003": ["The notebook ran out of time twice."]}
    assert data["answers_waiting"] == 24


def test_verdicts_made_beside_the_students_code_are_marked():
    ours = records.record("ada", {})
    asserts = Verdict("double-test", "in-process", 3.0, 3.0, RIGHT)
    notebook = dataclasses.replace(ours.notebooks[0], verdicts=(*ours.notebooks[0].verdicts, asserts))
    found = made(dataclasses.replace(ours, notebooks=(notebook,)))
    page = Outline(report.to_page(found))
    assert "In-process: double-test." in page.words and "double-test (in-process)" in page.words
    rows = list(csv.DictReader(io.StringIO(report.to_csv(found))))
    assert [row["exercise"] for row in rows if row["how"] == "in-process"] == ["double-test"]
    assert {one["how"] for one in json.loads(report.to_json(found))["exercises"]} == {"outside", "in-process"}
    assert "in-process" not in Outline(report.to_page(made(ours))).words.lower()


def test_a_class_without_a_sandbox_is_said_once():
    reason = "graded without a sandbox: its code ran with the grader's own rights"
    weak = [records.record(name, isolation="process", needs_review=(reason,)) for name in ("ada", "bob")]
    found = made(*weak, records.record("eve", isolation="process", needs_review=(reason, "A cell stands twice.")))
    assert [one.student for one in found.for_a_person] == ["eve"]
    assert "3 submissions ran without the sandbox" in Outline(report.to_page(found)).words


def test_a_median_waits_until_every_answer_is_read():
    found = made(*class_of(5))
    assert json.loads(report.to_json(found))["median_points"] is None
    read = report.Report("neurons")
    for number, record in enumerate(class_of(5)):
        cells = {
            ("neurons", v.grade_id): Mark(v.points) if v.points is not None else Mark(manual=number % 3)
            for v in record.verdicts
        }
        report.add(read, record, Marks(cells))
    data = json.loads(report.to_json(read))
    points = [one["points"] for one in data["submissions"]]
    assert data["median_points"] == data["spread"]["median"] == statistics.median(points)
    assert data["spread"]["what"] == "points" and data["spread"]["mean"] == pytest.approx(statistics.fmean(points))
    assert (
        f"Median {pages.number(statistics.median(points))} of {read.max_points:g}"
        in Outline(report.to_page(read)).words
    )


def test_discrimination_is_the_correlation_with_the_rest():
    class_ = list(class_of(30))
    found = made(*class_)
    report.discriminate(found)
    scores = {
        name: np.array([v.points for r in class_ for v in r.verdicts if v.exercise == name]) for name in EXERCISES
    }
    total, words = sum(scores.values()), Outline(report.to_page(found)).words
    for name, one in found.exercises.items():
        if np.ptp(scores[name]) == 0:
            assert one.discrimination is None
        else:
            assert one.discrimination == pytest.approx(np.corrcoef(scores[name], total - scores[name])[0, 1])
            assert f"{one.discrimination:.2f}" in words
    few = made(*class_[:4])
    report.discriminate(few)
    assert {one.discrimination for one in few.exercises.values()} == {None}


def test_names_pages_lateness_and_those_missing(tmp_path):
    found = made(*class_of(2))
    found.status = Status(
        "neurons",
        students=[
            StudentStatus(student="s0000", name="Ada Lovelace", state="graded", late=7500.0),
            StudentStatus(student="s0001", state="graded"),
            StudentStatus(student="grace", name="Grace Hopper"),
        ],
    )
    found.pages = {"s0000": [tmp_path / "feedback" / "s 0000" / "neurons" / "neurons.html"]}
    found.submissions[0].penalty = 1.0
    page = Outline(report.to_page(found, tmp_path / "reports"))
    assert {"href": "../feedback/s%200000/neurons/neurons.html"} in page.all("a")
    assert "Late 1 Nothing handed in 1" in page.words
    assert "Nothing handed in: grace Grace Hopper." in page.words
    earned = pages.number(found.submissions[0].points)
    assert f"s0000 Ada Lovelace neurons {earned} 2 h 5 min 1 2" in page.words
    data = json.loads(report.to_json(found))
    assert (data["late_seconds"], data["nothing_handed_in"]) == ({"s0000": 7500.0}, ["grace"])


def test_what_was_limited_and_refused_is_shown():
    quiet = records.record("ada", limited_by="processes")
    loud = records.record("eve", limited_by="processes", refused_calls={"socket": 3, "bpf": 1})
    kernel = records.record("bob", limited_by="control group")
    words = Outline(report.to_page(made(quiet, loud, kernel))).words
    assert (
        "2 submissions: memory and processor time were limited by measuring all processes again and again." in words
        and "1 submission: memory and processor time were limited by a control group of the kernel." in words
        and "Each was answered with “not permitted”. Student Calls, and how often eve bpf 1, socket 3" in words
    )
    assert [one["refused_calls"] for one in json.loads(report.to_json(made(loud)))["submissions"]] == [
        {"socket": 3, "bpf": 1}
    ]
    words = Outline(report.to_page(made(records.record("ada")))).words
    assert "Refused system calls" not in words and "processor time were limited" not in words


def test_a_persons_marks_count():
    found = report.Report("neurons")
    record = records.record("ada")
    cells = {("neurons", v.grade_id): Mark(v.points, waiting=v.points is None) for v in record.verdicts}
    cells["neurons", "neurons-written-1"] = Mark(manual=1.5)
    report.add(found, record, Marks(cells, {"neurons": 1.0}))
    assert found.submissions[0].points == record.points + 1.5 - 1.0 and found.waiting == 1


@pytest.mark.slow
def test_a_thousand_students_in_bounded_time_and_memory(tmp_path):
    few = list(class_of(20))
    journal(tmp_path, *(r.to_json().replace(f'"{r.student}"', f'"s{i:04}"') for i, r in enumerate(few * 50)))
    begun = time.process_time()
    tracemalloc.start()
    found = report.make_report(tmp_path, "neurons")
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    page = report.to_page(found)
    assert len(found.submissions) == 1000 and "Report on 1000 submissions" in page
    assert peak < 40e6 and kept < 30e6, (kept, peak)
    assert len(page) < 1_000_000
    assert time.process_time() - begun < 60


def test_without_records_it_says_what_to_run(tmp_path):
    journal(tmp_path)
    with pytest.raises(CourseError, match="nothing is graded yet of neurons; run: dlcourse grade neurons"):
        report.make_report(tmp_path, "neurons")


# --- copies ---------------------------------------------------------------------------------------------------------

SGD = "neurons.sgd_fit"


def solution(name=SGD):
    return records.solutions()[name.replace(".", "-")]


def renamed(source):
    """The same program by someone who renames, reformats and comments."""
    source = re.sub(r'r?"""(?:.|\n)*?"""', '"""Mine, all mine."""', source, count=1)
    for old, new in (("order", "perm"), ("dw", "gw"), ("db", "gb"), ("epochs", "n_epochs")):
        source = re.sub(rf"\b{old}\b", new, source)
    return source.replace("    return", "    # done\n\n    return")


OWN = """def sgd_fit(grad, X, d, w, b, lr, epochs, batch_size, rng):
    N = len(d)
    history = []
    for epoch in range(epochs):
        shuffled = rng.permutation(N)
        start = 0
        while start < N:
            chosen = shuffled[start : start + batch_size]
            step_w, step_b = grad(X[chosen], d[chosen], w, b)
            history.append((step_w, step_b))
            w, b = w - lr * step_w, b - lr * step_b
            start = start + batch_size
    return w, b
"""


def test_a_renamed_copy_of_the_solution_is_seen_and_an_own_program_is_not():
    found = similarity.Copies()
    found.add("ada", [(SGD, OWN)])
    found.add("charles", [(SGD, renamed(solution()))])
    assert renamed(solution()) != solution()
    assert found.of_the_reference == [("charles", [SGD])] and found.of_each_other == []


def test_two_students_with_one_program_are_seen_once():
    found = similarity.Copies()
    found.add("ada", [(SGD, OWN)])
    found.add("bob", [(SGD, OWN.replace("step_w", "g").replace("start", "i"))])
    found.add("eve", [(SGD, OWN.replace("start + batch_size", "batch_size + start"))])
    assert found.of_each_other == [(["ada", "bob"], [SGD])]


def test_short_formulas_and_what_many_write_are_not_flagged():
    found = similarity.Copies()
    for i in range(20):
        found.add(f"s{i}", [("neurons.preactivation", solution("neurons.preactivation")), (SGD, OWN)])
    assert found.of_the_reference == [] and found.of_each_other == []


def test_every_solution_of_the_course_is_recognised():
    for name, exercise in EXERCISES.items():
        if len(exercise.functions) == 1:
            assert similarity.fingerprint(solution(name))[0] in similarity.of_reference(name), name


@pytest.mark.parametrize(
    "source", ["def f(:", "", "x = 1", "(" * 5000 + ")" * 5000, "def f():\n    return " + "-" * 20000 + "1", "\0"]
)
def test_what_cannot_be_read_is_no_copy(source):
    assert similarity.fingerprint(source) == ("", 0)


def with_result(record, name, result):
    """The record with another result of one exercise."""
    (notebook,) = record.notebooks
    verdicts = [
        dataclasses.replace(one, points=result.points, rows=result.rows, verdict=PARTLY)
        if one.exercise == name
        else one
        for one in notebook.verdicts
    ]
    return dataclasses.replace(record, notebooks=(dataclasses.replace(notebook, verdicts=tuple(verdicts)),))


def test_the_page_says_what_escaped_a_hunt_and_how_the_project_spreads():
    name, project = "neurons.hunt_perceptron_fit", "neurons.project"
    poor = evaluate(name, hunted_by(get_exercise(name)).naive)
    missed = [row.case for row in poor.rows if not row.passed]
    refused = evaluate(name, {})
    lazy = evaluate(project, *next(one for one in get_exercise(project).mistakes if one.kind == "lazy").functions)
    found = made(
        records.record("ada"),
        with_result(with_result(records.record("bob"), name, poor), project, lazy),
        with_result(records.record("cyd"), name, refused),
        records.record("dan", {name: "untouched", project: "untouched"}),
    )
    # An input that cannot be used misses nothing by name
    (hunt,) = found.hunts.values()
    assert (hunt.exercise, hunt.inputs) == (name, 2)
    assert {slug: who for slug, who in hunt.escaped.items() if who} == {key: ["bob"] for key in missed}
    (scored,) = found.projects.values()
    assert scored.points == [6.0, lazy.points, 6.0] and scored.spread.of == 6.0
    page = Outline(report.to_page(found))
    assert_safe(page)
    assert "What escaped the hunts In a hunt" in page.words and f"{missed[0]} 1 50 % bob" in page.words
    assert f"{project} 6 3 " in page.words
    told = json.loads(report.to_json(found))
    assert told["hunts"][0]["inputs"] == 2 and next(iter(told["hunts"][0]["escaped"])) in missed
    assert told["projects"][0]["spread"]["of"] == 6.0
