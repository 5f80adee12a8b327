"""What lessons are written with: code without its checks, questions that check themselves."""

import numpy as np
import pytest

from dlcourse import activations, layers, lesson, neurons


def test_the_code_of_a_formula_is_shown_without_docstring_checks_and_namespace():
    shown = lesson.show_code(neurons.preactivation)
    assert repr(shown) == "def preactivation(X, w, b):\n    return X @ w + b"
    assert shown._repr_markdown_() == f"```python\n{shown!r}\n```"
    assert lesson.plain_code(layers.linear_backward).splitlines()[1:3] == [
        "    X, W = cache",
        "    dX = dU @ np.matrix_transpose(W)",
    ]
    code = lesson.plain_code(activations.softmax)
    assert (
        "np.exp(z - np.max(" in code
        and "xp." not in code
        and "in_place" not in code
        and "check" not in code
        and '"""' not in code
    )
    # It still is the formula
    namespace = {"np": np}
    exec(code, namespace)
    z = np.array([[1.0, 2.0, 3.0]])
    np.testing.assert_allclose(namespace["softmax"](z), activations.softmax(z), rtol=1e-12)


def test_code_of_several_functions_and_of_one_in_a_function():
    def double(x):
        """Twice."""
        return 2 * x  # not a check

    assert repr(lesson.show_code(double, double)).count("def double(x):\n    return 2 * x  # not a check") == 2
    with pytest.raises(
        TypeError, match=r"function: expected one that `def` made, got <class 'dlcourse.lesson.Question'>"
    ):
        lesson.plain_code(lesson.Question)


CHOICES = {"it stays": "2u = 0 where u = 0.", "it moves & turns": "`b` doubles, <w> too."}


def test_a_question_shows_its_choices_and_answers_when_one_is_opened():
    asked = lesson.predict("What happens to the line?", "it stays", CHOICES)
    assert (
        repr(asked) == "Predict, then run the next cell. What happens to the line?\n  ○ it stays\n  ○ it moves & turns"
    )
    html = asked._repr_html_()
    assert "<summary>it stays</summary><p>Right. 2u = 0 where u = 0.</p>" in html
    assert (
        'class="wrong"><summary>it moves &amp; turns</summary><p>Not quite. <code>b</code> doubles, &lt;w&gt; too.</p>'
    ) in html
    assert " open" not in html.replace("[open]", "") and html.count('name="q') == 2
    assert repr(lesson.question("Why?", "it stays", CHOICES)).startswith("Check yourself. Why?\n")


def test_a_question_without_its_answer_or_a_choice_is_refused():
    with pytest.raises(
        ValueError, match=r"answer: expected one of the choices 'it stays', 'it moves & turns'; got 'up'"
    ):
        lesson.predict("Where?", "up", CHOICES)
    with pytest.raises(ValueError, match=r"choices: expected at least two, got 1"):
        lesson.question("Where?", "up", {"up": "Yes."})
