"""Practice: questions that everyone can work out on paper, named mistakes, and a scheduler that keeps nothing but its file."""

import builtins
import dataclasses
import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import typer.testing

import dlcourse
from autograder import cli, drill, get_exercise, practice, progress, start_page
from autograder.checks.practice import Variant, draw, parse, reply, shown
from autograder.checks.practice import question as made_question
from autograder.commands import practice as command
from autograder.commands import progress as progress_command

pytest.importorskip("fsrs")
QUESTIONS = drill.questions()
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


def asked_for(name, asked, seed=3):
    return draw(dataclasses.replace(QUESTIONS[name], asked=(asked,)), np.random.default_rng(seed))


# --- the questions --------------------------------------------------------------------------------------------------


def test_every_topic_has_questions_on_its_own_exercises():
    for slug in dlcourse.TOPICS:
        names = drill.questions(slug)
        assert names and all(get_exercise(name).slug == slug for name in names)
    assert len(QUESTIONS) >= 45
    with pytest.raises(ValueError, match=r"^there is no topic 'neuron'; the topics are neurons, layers, "):
        drill.questions("neuron")


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_right_answer_as_it_is_shown_is_right(name):
    for asked in QUESTIONS[name].asked:
        variant = asked_for(name, asked)
        assert reply(variant, shown(variant.expected)).text == "Right.", variant.text
        # Everything can be typed, and fits on a screen
        assert len(shown(variant.expected)) < 200 and len(variant.text) < 500, variant.text


def test_a_question_says_what_is_given_and_what_is_asked():
    assert asked_for("layers.linear", "db").text == (
        "layers.linear. Backward pass of the linear layer.\nX = [[-2, 2, 3], [1, -3, -3]]\nW = [[-1, 0], [1, 0], [-2, -2]]\n"
        "b = [1, 2]\ndU = [[2, -3], [-2, -2]]\nWhat is db?"
    )
    assert asked_for("layers.linear", "forward").text.endswith("b = [1, 2]\nWhat is the output?")
    assert asked_for("optimizers.momentum_step", "v after step 2").text.endswith(
        "\nw = [-2, 2]\ndw in step 1 = [2, -3]\ndw in step 2 = [-2, -2]\nlr = 0.5\nmomentum = 0.5\nWhat is v after step 2?"
    )
    # Images without their axes of length 1
    assert "\nX = [[2, 5, -5, -3], [3, 0, 4, 7], " in asked_for("convolution.maxpool2d", "dX").text


@pytest.mark.parametrize(
    "name, asked, typed, text",
    [
        (
            "layers.linear",
            "db",
            "[0, -2.5]",
            "Not right.\nThis is another convention than the one asked for (mean for sum). You divide by N. A layer does not know how "
            "the loss was averaged: that factor is in dU already, and here everything is summed.",
        ),
        (
            "activations.relu_grad",
            "",
            "[1, 1, 0, 0]",
            "Not right.\nThis is another convention than the one asked for (relu one at zero). At 0 this course takes the slope 0, ",
        ),
        (
            "graph.max_",
            "dx",
            "[0, 4, 0, 4]",
            "Not right.\nThis is another convention than the one asked for (max tie duplicated). ",
        ),
        (
            "layers.linear",
            "dW",
            "[[-6, 10, 12], [4, 0, -3]]",
            "Not right.\nThis looks like a known mistake (gradient transposed). dW should have the shape of W, ",
        ),
        ("neurons.preactivation", "", "[3, -8, -4]", "Not right.\nThis looks like a known mistake (bias "),
        ("layers.linear", "db", "[0, 17]", "Not right.\n1 of 2 entries are right."),
        ("layers.linear", "db", "3", "Not right.\nExpected shape (2,), got shape ()."),
    ],
)
def test_a_wrong_answer_is_named_where_a_known_mistake_gives_it(name, asked, typed, text):
    said = reply(asked_for(name, asked), typed)
    assert not said.right and said.understood and said.text.startswith(text), said.text
    assert "[" not in said.text.partition("\n")[2][:60]


def test_what_more_than_two_mistakes_give_has_no_name():
    wrong = tuple(dataclasses.replace(one, slug=f"number_{i}") for i in range(3) for one in [_doubled()])
    exercise = dataclasses.replace(get_exercise("activations.relu"), mistakes=wrong)
    variant = Variant(exercise, asked_for("activations.relu", "").case, [], "", np.array([3.0, 0.0, 0.0, 0.0]))
    assert reply(variant, "[6, 0, 0, 0]").text == "Not right.\n3 of 4 entries are right."
    two = dataclasses.replace(variant, exercise=dataclasses.replace(exercise, mistakes=wrong[:2]))
    assert reply(two, "[6, 0, 0, 0]").mistakes == ("number_0", "number_1")


def _doubled():
    from autograder import Mistake

    return Mistake("doubled", lambda x: 2 * np.maximum(x, 0), "Twice.")


HOW = "Type a number or a list, such as 3, -0.5, 1/3 or [[1, 2], [3, 4]]."


@pytest.mark.parametrize(
    "typed, value",
    [("3", 3), (" −0.5 ", -0.5), ("1/3", 1 / 3), ("[1, -2]", [1, -2]), ("(1, 2*3+1-4)", [1, 3]), ("True", True),
     ("[[1, 2], [3, 4]]", [[1, 2], [3, 4]])],
)  # fmt: skip
def test_what_can_be_typed(typed, value):
    assert np.array_equal(parse(typed), value)


@pytest.mark.parametrize(
    "typed", ["x", "[1, 2", "[1, [2]]", "1/0", "9**9**9", "__import__('os')", "[1]+[2]", "-[1]", "(" * 400]
)
def test_what_cannot_be_read_is_asked_for_again(typed):
    said = reply(asked_for("layers.linear", "db"), typed)
    assert (said.text, said.understood, said.right) == (f"That cannot be read. {HOW}", False, False)
    assert (
        reply(asked_for("layers.linear", "db"), "").text
        == reply(asked_for("layers.linear", "db"), "1" * 600).text
        == HOW
    )


def test_three_digits_are_enough_and_two_are_not():
    variant = asked_for("activations.softmax", "")
    assert reply(variant, "[0.625, 0.25, 0.125]").right
    assert not reply(variant, "[0.6, 0.25, 0.125]").right


def test_numbers_that_ask_nothing_are_drawn_again():
    numbers = iter([0.0, np.inf, 5000.0, 2.0])
    made = draw(made_question("activations.relu", lambda rng: (np.array([next(numbers)]),)), np.random.default_rng(0))
    assert made.expected.tolist() == [2.0]


# --- what comes when ------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self):
        self.time = NOW

    def __call__(self):
        return self.time


def session(folder, clock, topic="graph"):
    return drill.Drill(topic, folder, np.random.default_rng(0), clock)


def answer(one, right=True):
    name = one.next().exercise.name
    one.answer(shown(one.variant.expected) if right else "[12345, 1]")
    return name


def test_what_was_wrong_comes_back_first_and_what_is_known_after_days(tmp_path):
    clock = Clock()
    one = session(tmp_path, clock)
    assert [answer(one, right=False), answer(one), answer(one)] == ["graph.sum_", "graph.prod", "graph.max_"]
    assert (one.asked, one.right) == (3, 2)
    clock.time += timedelta(minutes=2)
    assert answer(one) == "graph.sum_"
    # Nothing is due: what is due first
    assert answer(one) == "graph.prod"
    clock.time += timedelta(hours=1)
    assert {answer(one), answer(one)} == {"graph.sum_", "graph.max_"}
    assert drill.mastery(tmp_path, clock.time) == {"graph": (3, 3)}
    assert drill.mastery(tmp_path, clock.time + timedelta(days=400)) == {"graph": (0, 3)}
    assert drill.due(tmp_path, clock.time) == {"graph": 0}
    assert drill.due(tmp_path, clock.time + timedelta(days=400)) == {"graph": 3}
    # Another session knows it
    again = session(tmp_path, clock)
    assert {name: card.due for name, card in again.cards.items()} == {
        name: card.due for name, card in one.cards.items()
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == [drill.FILE]
    told = json.loads((tmp_path / drill.FILE).read_text())
    assert told["format"] == 1 and list(told["cards"]) == ["graph.sum_", "graph.prod", "graph.max_"]


def test_progress_shows_what_sits_and_what_is_due(tmp_path, capsys):
    # Answered long ago, so that one question sits no more
    clock = Clock()
    clock.time -= timedelta(days=2400)
    one = session(tmp_path, clock)
    answer(one)
    assert progress_command.main(tmp_path) == 0
    out = capsys.readouterr().out
    assert f"0 of {len(drill.questions('graph'))}, 1 due" in out
    assert "\n1 question is due: dlcourse practice graph\n" in out
    progress_command.main(tmp_path, json=True)
    told = json.loads(capsys.readouterr().out)["lessons"]
    assert {one["slug"]: one["practised"] for one in told if one["practised"]["of"]} == {
        "graph": {"sit": 0, "of": len(drill.questions("graph")), "due": 1}
    }


def test_only_the_first_answer_that_can_be_read_counts(tmp_path):
    one = session(tmp_path, Clock())
    one.next()
    assert not one.answer("what?").understood and not one.rated
    assert not one.answer("12345").right and one.answer(shown(one.variant.expected)).right
    assert (one.asked, one.right) == (1, 0)
    one.next()
    assert one.give_up() == shown(one.variant.expected)
    assert (one.asked, one.right) == (2, 0)


def test_a_file_that_cannot_be_read_or_written_is_said(tmp_path, monkeypatch):
    file = tmp_path / drill.FILE
    file.write_text("{")
    one = session(tmp_path, Clock())
    assert one.problem == f"{file} cannot be read: practice begins again, and the next answer replaces the file."
    assert drill.mastery(tmp_path) == {}

    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(progress, "write_whole", full)
    answer(one)
    assert one.problem == f"What you have practised cannot be kept in {file} (No space left on device)."


def test_the_start_page_shows_what_sits(tmp_path):
    assert "practised" not in start_page.table(progress.load(tmp_path))
    # Long ago, so that it is due by now
    clock = Clock()
    clock.time -= timedelta(days=2400)
    one = session(tmp_path, clock)
    answer(one)
    rows = start_page.table(progress.load(tmp_path)).split("\n")
    assert rows[0] == "| | lesson | time | assignment | points so far | practised |" and rows[1].count("|") == 7
    (graph,) = [row for row in rows if "04_graph" in row]
    assert graph.endswith(" | 0 of 3, 1 due |")
    assert all(row.count(" |") == rows[0].count(" |") for row in rows[2:])


# --- the terminal and the notebook ----------------------------------------------------------------------------------


def typed(monkeypatch, *lines):
    left = iter(lines)

    def given(prompt):
        print(prompt, end="")
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr(builtins, "input", given)


def test_the_command_asks_names_and_counts(tmp_path, monkeypatch, capsys):
    one = session(tmp_path, Clock(), "activations")
    typed(monkeypatch, "[1, 1]", "what", "", "q")
    assert command.main(drill=one) == 0
    variant_text, rest = capsys.readouterr().out.split("What is the result?\n", 1)
    assert variant_text.startswith(
        "Type your answer, Enter alone for the right one, q to stop. Three digits are enough.\n\n"
        "activations.relu. Rectified linear unit: `f(x) = max(0, x)`.\nx = ["
    )
    assert rest.startswith(
        f"> Not right.\nExpected shape (4,), got shape (2,).\n> That cannot be read. {HOW}\n> The answer: ["
    )
    assert rest.endswith("\n> 0 of 1 right at the first try.\n")


def test_the_command_ends_with_the_input_and_knows_its_topics(tmp_path, monkeypatch, capsys):
    typed(monkeypatch)
    assert command.main("graph", str(tmp_path)) == 0
    assert capsys.readouterr().out.startswith("Type your answer, Enter alone for the right one, q to stop.")
    assert list(tmp_path.iterdir()) == []
    done = typer.testing.CliRunner().invoke(cli.app, ["practice", "graphs"])
    assert done.exit_code == 2
    assert done.stderr.startswith(
        "error: there is no topic 'graphs'; the topics are neurons, layers, activations, graph,"
    )


def test_a_notebook_shows_a_line_that_never_changes_and_a_view(tmp_path, monkeypatch):
    pytest.importorskip("ipywidgets")
    monkeypatch.chdir(tmp_path)
    seen = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: seen.append(data))
    practice("graph")
    practice("graph")
    line = "Practice: run this cell in JupyterLab, or type in a terminal: dlcourse practice graph"
    assert [data["text/plain"] for data in seen] == [line, line]
    assert {key for data in seen for key in data} <= {"text/plain", "application/vnd.jupyter.widget-view+json"}
    assert list(tmp_path.iterdir()) == []


def test_the_fields_and_buttons_do_what_they_say(tmp_path):
    pytest.importorskip("ipywidgets")
    one = session(tmp_path, Clock())
    asked, row, said = drill._widget(one).children
    field, judge, give_up, following = row.children
    assert asked.value.startswith("<div>graph.sum_. Sum gate: `z = Σ_i x_i`.</div><div>xs = [")
    judge.click()
    assert said.value == ""
    field.value = shown(one.variant.expected)
    judge.click()
    assert said.value == "<div>Right.</div><div>1 of 1 right at the first try.</div>"
    following.click()
    assert (field.value, said.value) == ("", "") and "graph.prod" in asked.value
    give_up.click()
    assert said.value == f"<div>The answer: {shown(one.variant.expected)}</div>"
    assert (one.asked, one.right) == (2, 1)
