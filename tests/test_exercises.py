"""The grader is tested harder than the students: the audit of every topic, and that the audit itself can complain."""

import ast
import dataclasses
import inspect
import re

import numpy as np
import pytest

import dlcourse
from autograder import Mistake, build, evaluate, exercises_of, get_exercise
from autograder.checks import audit, evaluation
from autograder.checks import exercise as exercise_module

EXERCISES = build.ROOT / "autograder" / "exercises"
SLUGS = [slug for slug in dlcourse.TOPICS if exercises_of(slug)]


@pytest.mark.slow
@pytest.mark.parametrize("slug", SLUGS)
def test_every_mistake_is_rejected_and_named_and_every_variant_passes(slug):
    rows = [audit.audit(exercise, audit.SEEDS[:1]) for exercise in exercises_of(slug).values()]
    assert not [f"{row.name}: {complaint}" for row in rows for complaint in row.complaints]
    formulas = [row for row in rows if not row.trials]
    assert all(row.rejected == row.mistakes and row.variants_passed == row.variants >= 2 for row in formulas)


@pytest.mark.slow
@pytest.mark.parametrize("seed", audit.SEEDS[1:2])
@pytest.mark.parametrize("slug", SLUGS)
def test_with_other_numbers_the_same_is_right_and_wrong(slug, seed, monkeypatch):
    # What an answer without content earns changes the points, not whether one is right, and takes most of the time
    monkeypatch.setattr(evaluation, "passed_without_content", lambda name, seed: [])
    accepted, rejected = [], []
    for name, exercise in exercises_of(slug).items():
        # Right answers to projects are asked with other seeds in test_projects.py
        if exercise.assess is None and not exercise.scales:
            right = [exercise.functions, *exercise.variant_functions]
            wrong = [functions for mistake in exercise.mistakes for functions in mistake.ways]
            judged = [evaluate(name, *functions, seed=seed, explain=False).passed for functions in (*right, *wrong)]
            rejected += [(name, place) for place, passed in enumerate(judged[: len(right)]) if not passed]
            accepted += [(name, place) for place, passed in enumerate(judged[len(right) :]) if passed]
    assert (rejected, accepted) == ([], [])


@pytest.mark.parametrize("slug", SLUGS)
def test_every_exercise_is_complete(slug):
    for exercise in exercises_of(slug).values():
        assert exercise.why.endswith((".", "!", "?")) and 2 <= len(exercise.hints) <= 4, exercise.name
        # Its minutes are counted, and what is optional has no points
        assert exercise.points >= 0 and exercise.minutes is None, exercise.name
        if exercise.kind != exercise_module.FORMULA:
            assert len(exercise.trials()) >= 3 and exercise.scale(), exercise.name
            continue
        assert exercise.mistakes, exercise.name
        assert any(case.hidden for case in exercise.cases(np.random.default_rng(0))), exercise.name
        slugs = [mistake.slug for mistake in exercise.mistakes]
        assert len(slugs) == len(set(slugs)), exercise.name
        # The shown solution is one of them without being listed
        assert len(exercise.variant_functions) == len(set(exercise.variant_functions)), exercise.name
        for mistake in exercise.mistakes:
            assert len(mistake.hint.split()) >= 4, f"{exercise.name}, {mistake.slug}"


def test_the_audit_complains_of_what_it_should(monkeypatch):
    real = get_exercise("neurons.preactivation")

    def fake(**changes):
        made = dataclasses.replace(real, **changes)
        evaluation.expected_values.cache_clear()
        evaluation.passed_without_content.cache_clear()
        evaluation.known_way.cache_clear()
        monkeypatch.setattr("autograder.checks.evaluation.get_exercise", lambda name: made)
        return made

    right = real.variant_functions[0][0]
    (wrong,) = real.mistakes[0].functions
    accepted = audit.audit(fake(mistakes=[Mistake("no_mistake", right, "")]), audit.SEEDS[:1])
    assert "no_mistake is accepted" in accepted.complaints[0] and accepted.rejected == 0
    rejected = audit.audit(fake(variants=[wrong]), audit.SEEDS[:1])
    assert "is rejected with seed" in rejected.complaints[0] and rejected.variants_passed == 0
    twin = [Mistake("first", wrong, ""), Mistake("second", lambda X, w, b: wrong(X, w, b), "")]
    unnamed = audit.audit(fake(mistakes=twin), audit.SEEDS[:1])
    assert "second is taken for first" in unnamed.complaints[0] and unnamed.named == 1
    one_case = audit.audit(fake(cases=lambda rng: real.cases(rng)[:1]), audit.SEEDS[:1])
    assert "the right answer for one fixed input passes" in one_case.complaints
    evaluation.expected_values.cache_clear()
    evaluation.known_way.cache_clear()


# Words with which a hint calls a part of an answer right
CLAIM = re.compile(
    r"\b(is|are) (all )?right[,;]? (but|the others)|^(?!You|Examples)[\w `]+ (is|are) right\b(?! for)|\bAll right|"
    r"^[Rr]ight,? (for|only|in|up|until|otherwise)\b|\b[Rr]ight (otherwise|only)\b"
)


@pytest.mark.parametrize("slug", SLUGS)
def test_what_a_hint_calls_right_stands_in_brackets(slug):
    hints = {mistake.hint for exercise in exercises_of(slug).values() for mistake in exercise.mistakes}
    assert [hint for hint in hints if not hint.startswith("[") and CLAIM.search(hint)] == []
    # What is shown where there are two mistakes is a sentence, too
    rests = [hint.partition("] ")[2] for hint in hints if hint.startswith("[")]
    assert [rest for rest in rests if not re.match(r"[A-Z`qd]|exp|fan_in", rest)] == []


def test_a_hint_that_calls_right_what_is_wrong_is_a_complaint(monkeypatch):
    real = get_exercise("graph.accumulate")
    monkeypatch.setattr("autograder.checks.evaluation.get_exercise", lambda name: real)
    assert audit._denied(real) == []
    monkeypatch.setattr("autograder.checks.recognition._Search.all_that_is_wrong", lambda *given: True)
    assert "'`accumulate` is right.' is said although not_zeroed and mutates_gradients are made" in audit._denied(real)


def test_the_floor_of_known_mistakes_is_reached():
    named = {
        mistake.slug for slug in SLUGS for exercise in exercises_of(slug).values() for mistake in exercise.mistakes
    }
    assert {
        "missing_transpose",
        "bias_not_summed",
        "ascent",
        "cost_sign",
        "updates_on_all",
        "outer_product_target",
    } <= named


@pytest.mark.parametrize("slug", SLUGS)
def test_every_file_of_a_topic_is_asked_by_its_name(slug):
    files = {path.stem for path in (EXERCISES / slug).glob("[a-z]*.py")}
    assert files == {name.split(".")[1] for name in exercises_of(slug)}


def test_topics_of_modules_are_topics():
    assert set(exercise_module.TOPIC_OF.values()) <= set(dlcourse.TOPICS)


@pytest.mark.parametrize("slug", build.existing_assignments())
def test_a_shown_solution_imports_nothing_private(slug):
    """A teacher can show every solution: no `dlcourse._array`, no `_with_axis`, nothing of the exercises' own files."""
    found = []
    for cell in build.instructor_notebook(slug).cells:
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution"):
            found += [f"{cell.metadata['nbgrader']['grade_id']}: {line}" for line in private_imports(cell.source)]
    assert not found


@pytest.mark.parametrize("slug", build.existing_assignments())
def test_an_assignment_takes_under_three_hours_as_its_cover_says(slug):
    text = build.assignment_source(slug).read_text(encoding="utf-8")
    said, measured = re.findall(r"^About (\d+) minutes", text, re.M), build.assignment_minutes(slug)
    assert said == [f"{5 * round(measured / 5)}"], f"words, code and answers take {measured:.0f} minutes"
    # What is counted is off by minutes, so it ends before the three hours
    assert measured <= 175
    optional = [name for name, one in exercises_of(slug).items() if not one.points]
    assert ("without the optional exercises" in " ".join(text.split())) is bool(optional)
    for name in optional:
        above = text[: text.index(f"\n{name}\n")]
        assert re.findall(r"^## .*$", above, re.M)[-1].endswith(" (optional)")
    assert len(re.findall(r"^## \d.*\(optional\)$", text, re.M)) >= len(optional)


def private_imports(code):
    """The import lines in `code` that take a private name, a private module, or something of the grader."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [name.name for name in node.names]
            parts = ".".join([getattr(node, "module", None) or "", *names]).split(".")
            if "autograder" in parts or any(part.startswith("_") for part in parts):
                found.append(ast.unparse(node))
    return found


def test_private_imports_are_found():
    code = """def f(x):
    from dlcourse._array import in_place
    from dlcourse.activations import _with_axis, softmax
    from autograder.exercises.convolution.conv2d import columns_forward
    import dlcourse._checks
    import math
    from dlcourse.convolution import conv_output_size
"""
    assert private_imports(code) == [
        "from dlcourse._array import in_place",
        "from dlcourse.activations import _with_axis, softmax",
        "from autograder.exercises.convolution.conv2d import columns_forward",
        "import dlcourse._checks",
    ]


def test_every_mistake_can_be_shown_with_its_difference_and_its_hint():
    text = audit.shown(get_exercise("convolution.avgpool2d"))
    assert text.startswith("""convolution.avgpool2d

  share_missing
    - share = dY[:, y, x][:, None, None, :] / size**2
    + share = dY[:, y, x][:, None, None, :]
    Hint: Every pixel of the window gets the whole flow. With which weight did each enter the mean?

  share_by_size
    - share = dY[:, y, x][:, None, None, :] / size**2
    + share = dY[:, y, x][:, None, None, :] / size
""")
    assert "\n    or\n    written differently: avgpool2d_forward, assigned_by_place_in_window\n    Hint: " in text
    assert "\n  partial_windows (a convention)\n" in text
    for mistake in get_exercise("convolution.avgpool2d").mistakes:
        assert f"\n  {mistake.slug}" in text


def test_the_audit_takes_topics_and_exercises_and_says_which_name_is_unknown(capsys):
    names = [exercise.name for exercise in audit.selected(["convolution.conv2d", "attention"])]
    assert names == ["convolution.conv2d", *exercises_of("attention")]
    assert len(audit.selected([])) == sum(len(exercises_of(slug)) for slug in SLUGS)
    assert audit.main(["convolution.conv3d"]) == 2
    assert (
        capsys.readouterr().err
        == "error: there is no exercise 'convolution.conv3d'; did you mean 'convolution.conv2d'?\n"
    )
    assert audit.main(["convolutions"]) == 2
    assert capsys.readouterr().err.startswith("error: unknown topic 'convolutions'; the topics are neurons, ")


def test_the_values_of_an_answer_have_the_names_of_the_references_docstring():
    """Every tuple, but for lists of a variable length and for values that are measured or collected by a driver."""
    nameless = set()
    for slug in SLUGS:
        for exercise in exercises_of(slug).values():
            _, expected = evaluation.expected_values(exercise.name, evaluation.PUBLIC_SEED)
            for part, value in zip(exercise.parts, expected[0], strict=True):
                judged_whole = exercise.scales or exercise.planted
                if isinstance(value, tuple) and not judged_whole and len(exercise.value_names(part)) != len(value):
                    nameless.add(exercise.name)
    measured = {name for name in exercises_of("initializers") if get_exercise(name).measure}
    assert nameless - measured <= {"backpropagation.columns_from_rows", "neurons.sgd_fit", "dropout.keep_mask"}
    names = {
        ("recurrent.rnn", "backward"): ("dX", "dh0", "dWx", "dWh", "db"),
        ("recurrent.lstm", "forward"): ("H", "(hT, cT)"),
        ("recurrent.lstm", "backward"): ("dX", "dh0", "dc0", "dWx", "dWh", "db"),
        ("neurons.perceptron_fit", ""): ("w", "b", "mistakes"),
        ("backpropagation.two_layer", "backward"): ("dW", "db", "dV", "dc"),
        ("normalization.batchnorm", "gradients in training"): ("dX", "dgamma", "dbeta"),
        ("normalization.batchnorm", "running statistics"): (),
        ("initializers.he", ""): (),
    }
    assert {key: get_exercise(key[0]).value_names(key[1]) for key in names} == names


def test_a_docstring_without_names_gives_none():
    def silent():
        pass

    def plain():
        """Something.

        Returns
        -------
        an array : of numbers.

        Notes
        -----
        x : not returned.
        """

    assert exercise_module.returned_names(silent) == exercise_module.returned_names(plain) == ()


def test_mistakes_and_exercises_stand_as_tables():
    """ruff leaves them alone; so this does: no argument of a mistake on a line for itself without need."""
    found = []
    for path in sorted(EXERCISES.rglob("*.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        table = set()
        for statement in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(statement, ast.Assign | ast.Return) and lines[statement.end_lineno - 1].endswith(
                "# fmt: skip"
            ):
                table |= set(range(statement.lineno, statement.end_lineno))
        for number, line in enumerate(lines, 1):
            opened = line.endswith(("Mistake(", "slip(", "Exercise("))
            too_long = len(line.removesuffix("  # fmt: skip")) > 120 and number in table
            if opened or too_long or (number in table and not line.strip(" )]},")):
                found.append(f"{path.relative_to(EXERCISES)}:{number}: {line.strip()}")
    assert not found


def test_an_enlarged_case_has_large_gradients_and_large_arguments_where_they_are_asked():
    case = exercise_module.Case("two", (np.ones(2), 3.0), dout=(np.ones(1), 2.0))
    large = exercise_module.enlarged(case, 1)
    assert (large.name, large.args[0].tolist(), large.args[1]) == ("two, large numbers", [1.0, 1.0], 3e5)
    assert [np.asarray(x).tolist() for x in large.dout] == [[1e5], 2e5]


@pytest.mark.parametrize("slug", SLUGS)
def test_the_reference_takes_rounded_inputs_in_every_case(slug):
    """An error there would leave a case with the bound of a well-conditioned one, and nobody would see it."""
    failed = []
    for exercise in (one for one in exercises_of(slug).values() if one.kind == exercise_module.FORMULA):
        for case in exercise.cases(np.random.default_rng(0)) if exercise.measure is None else ():
            outcomes = evaluation._rounded_outcomes(exercise, case, np.random.default_rng(0))
            failed += [f"{exercise.name}, {case.name}: {one.error!r}" for one in outcomes if one.error is not None]
    assert not failed


# Letters of the docstrings' shapes that no case has with length 1, and why none can or none would tell anything
LONGER = {
    "normalization.batchnorm": {"N": "one row in training is refused; one image of many pixels is a case"},
    "normalization.running_statistics": {"N": "one row has no unbiased variance; one image of many pixels is a case"},
    "datasets.split": {"N": "one example cannot be divided"},
    "backpropagation.minibatches": {"N": "one example has one order"},
    "optimizers.lbfgs_direction": {"D": "with one weight a single pair gives the whole curvature"},
    "attention.transformer_block": {"D": "the layer norm of one number is 0"},
    "attention.rotary": {"D": "columns come in pairs"},
    "training.generate": {"T": "one prompt of one symbol is a case, as a matrix"},
    "losses.binary_cross_entropy": {"N": "one example of several outputs is a case"},
    "losses.binary_cross_entropy_with_logits": {"N": "one example of several outputs is a case"},
    "losses.cross_entropy": {"K": "with one class nothing is to be told"},
    "losses.softmax_cross_entropy": {"K": "with one class nothing is to be told"},
    "layers.softmax_layer_delta": {"K": "with one class nothing is to be told"},
    "activations.softmax": {"K": "with one class every probability is 1"},
    "activations.softmax_backward": {"K": "with one class every gradient is 0"},
    "metrics.accuracy": {"K": "with one class nothing is to be told"},
    "metrics.perplexity": {"K": "with one symbol nothing is to be told"},
    "metrics.temperature_softmax": {"K": "with one class every probability is 1"},
    "training.softmax_regression_epoch": {"K": "with one class nothing is to be told"},
}


def axes(function):
    """{argument: letters of its axes} from a docstring's first shape of each: "X : (N, D) array", "w (D,), b a number"."""
    text = inspect.getdoc(function) or ""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=\n\n\w+\n-+|\Z)", text, re.S | re.M)
    found = {}
    for names, shape in re.findall(
        r"(?:^|(?<=[.,;] ))(\w+(?:, \w+)*)(?: :)? \(([^()]*)\)", section[1] if section else "", re.M
    ):
        letters = [letter.strip() for letter in shape.split(",") if letter.strip()]
        for name in names.split(", "):
            found.setdefault(name, letters)
    return found


def lengths(exercise):
    """{letter: its lengths in the cases}; 4H of length 4 is an H of length 1."""
    seen = {}
    letters_of = axes(exercise.functions[0])
    for case in exercise.cases(np.random.default_rng(0)):
        try:
            given = inspect.signature(exercise.functions[0]).bind_partial(*case.args, **case.kwargs).arguments
        except TypeError:
            continue
        for name, letters in letters_of.items():
            shape = getattr(given.get(name), "shape", ())
            if letters[:1] in (["..."], ["…"]):
                letters, shape = letters[1:], shape[max(len(shape) - len(letters) + 1, 0) :]
            for letter, n in zip(letters, shape, strict=True) if len(letters) == len(shape) else ():
                match = re.fullmatch(r"(\d*)([^\W\d]\w*′?)", letter)
                if match:
                    seen.setdefault(match[2], set()).add(n / int(match[1] or 1))
    return seen


def test_every_axis_has_length_one_in_some_case():
    """Where an axis is longer in all cases, a sum over it, a squeeze or a wrong broadcast may stay unnoticed."""
    never = {}
    for slug in SLUGS:
        formulas = [one for one in exercises_of(slug).values() if one.kind == exercise_module.FORMULA]
        # A project is given data sets, a repair networks
        for exercise in (one for one in formulas if not one.scales and not one.planted):
            missing = {letter for letter, seen in lengths(exercise).items() if 1 not in seen}
            if missing:
                never[exercise.name] = missing
    assert never == {name: set(reasons) for name, reasons in LONGER.items()}
