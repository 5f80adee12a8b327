"""Explorers, figure by figure and without a browser: pure, moved by every control, still where nothing can move."""

import base64
import importlib
import io
import json
import sys
from pathlib import Path

import matplotlib
import numpy as np
import PIL.Image
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import dlcourse
from dlcourse.explorers import NOTE, STYLE, Choice, Live, Slider, graph, new_figure, png, show

SLUGS = [path.stem for path in sorted(Path(dlcourse.explorers.__path__[0]).glob("[a-z]*.py"))]


def explorer(slug):
    return importlib.import_module(f"dlcourse.explorers.{slug}").EXPLORER


def others(control, value):
    """Values of a control other than `value`, its extremes first."""
    if isinstance(control, Slider):
        return [x for x in (control.low, control.high) if x != value]
    return [x for x in (control.options if isinstance(control, Choice) else (True, False)) if x != value]


@pytest.mark.parametrize("slug", SLUGS)
def test_the_same_parameters_give_the_same_picture(slug):
    assert png(explorer(slug).figure()) == png(explorer(slug).figure())


@pytest.mark.slow
@pytest.mark.parametrize("slug", SLUGS)
def test_every_control_changes_the_picture_at_every_end(slug):
    made = explorer(slug)
    start = made.parameters({})
    first = png(made.figure())
    for name, control in made.controls.items():
        values = others(control, start[name])
        assert values, f"{name} has one value only"
        pictures = [png(made.figure(**{name: value})) for value in values]
        assert any(picture != first for picture in pictures), f"{name} changes nothing"


@pytest.mark.parametrize("slug", SLUGS)
def test_a_moved_control_redraws_the_one_figure(slug):
    pytest.importorskip("ipywidgets")
    shown = explorer(slug).explore()
    box, figure = shown.widget(), shown.figure
    image = box.children[-1]
    assert image is shown.canvas
    before = image.value
    changed = []
    for name, control in explorer(slug).controls.items():
        shown.controls[name].value = others(control, shown.parameters[name])[0]
        changed.append(image.value != before)
    assert any(changed) and shown.figure is figure
    assert shown.controls.keys() == explorer(slug).controls.keys()


@pytest.mark.parametrize("slug", SLUGS)
def test_a_redrawn_picture_forgets_where_it_came_from(slug):
    """The axes are used again: nothing of one picture may stay in the next."""
    made = explorer(slug)
    start = made.parameters({})
    moved = start | {name: others(control, start[name])[-1] for name, control in made.controls.items()}
    straight, detour = made.explore(), made.explore()
    straight.redraw()
    for parameters in (moved, start):
        detour.parameters = parameters
        detour.redraw()
    assert detour.png == straight.png


def drawn_twice(figure):
    """(the explorers' pixels, Matplotlib's own) of a figure whose axes stay where the first drawing put them."""
    png(figure)
    figure.set_layout_engine("none")
    ours = np.asarray(PIL.Image.open(io.BytesIO(png(figure))), dtype=int)
    words = figure.canvas.renderer.words
    with matplotlib.rc_context(STYLE):
        plain = FigureCanvasAgg(figure)
        plain.draw()
    return ours, np.asarray(plain.buffer_rgba(), dtype=int)[..., :3], words


@pytest.mark.parametrize("slug", SLUGS)
def test_words_that_were_kept_look_as_matplotlib_draws_them(slug):
    """The renderer keeps the pixels of words: the second drawing takes them all from there."""
    ours, plain, words = drawn_twice(explorer(slug).figure())
    assert words and np.max(np.abs(ours - plain)) <= 1


def test_words_with_a_clip_or_an_alpha_are_drawn_again():
    """What lies under them shows through, or they end at an edge: their pixels belong to one place."""
    figure = explorer("neurons").figure()
    figure.axes[0].text(4.0, 0.0, "cut off at the edge of the axes", clip_on=True)
    figure.axes[0].text(-4.0, 0.0, "pale", alpha=0.3, rotation=30)
    ours, plain, words = drawn_twice(figure)
    assert not any("cut off" in key[0] or "pale" in key[0] for key in words)
    assert np.max(np.abs(ours - plain)) <= 1


@pytest.mark.parametrize("slug", SLUGS)
def test_controls_and_alternative_text_are_sound(slug):
    made = explorer(slug)
    assert made.name == slug and 2 <= len(made.controls) <= 5
    for name, control in made.controls.items():
        assert control.label, name
        if isinstance(control, Slider):
            assert control.low <= control.value <= control.high and control.step > 0, name
        elif isinstance(control, Choice):
            assert control.value in control.options, name
    alt = made.alt.format(**made.parameters({}))
    assert len(alt.split()) >= 8 and alt.endswith("."), (
        "the alternative text is a sentence that says what is to be seen"
    )
    assert made.figure().axes


@pytest.fixture
def displayed(monkeypatch):
    """[(data, metadata)] of what is displayed."""
    import IPython.display

    found = []
    monkeypatch.setattr(
        IPython.display, "display", lambda data, metadata=None, raw=False: found.append((data, metadata, raw))
    )
    return found


@pytest.mark.parametrize("slug", SLUGS)
def test_where_no_widgets_are_the_picture_remains(monkeypatch, displayed, slug):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    explorer(slug).explore()._ipython_display_()
    ((data, metadata, raw),) = displayed
    assert raw and set(data) == {"text/plain", "image/png"}
    assert data["text/plain"] == f"[{metadata['image/png']['alt']}]"


def test_where_widgets_are_the_view_its_note_and_the_still_picture_are_outputs_of_their_own(displayed):
    """The rules of the note count on their order."""
    pytest.importorskip("ipywidgets")
    shown = explorer("neurons").explore()
    shown._ipython_display_()
    assert [set(data) for data, _, _ in displayed] == [
        {"application/vnd.jupyter.widget-view+json"},
        {"text/html"},
        {"text/plain", "image/png"},
    ]
    assert displayed[1][0]["text/html"] == NOTE
    assert "dlcourse-live" in shown.widget()._dom_classes and ".dlcourse-live" in NOTE
    json.dumps([data for data, _, _ in displayed])


def test_the_live_image_says_what_it_shows_now():
    pytest.importorskip("ipywidgets")
    shown = explorer("neurons").explore()
    image = shown.widget().children[-1]
    assert image.alt == shown.alt and "point at 115° and have length 1.0, at the distance 0.5" in image.alt
    shown.controls["offset"].value = -2.5
    assert image.alt == shown.alt and "length 1.0, at the distance -2.5" in image.alt
    # A front end hands back what its slider computed
    shown.controls["length"].value = 1.2000000000000002
    assert "length 1.2, at" in image.alt


def place(shown, axes, x, y):
    """Where a point of an axes is in the picture, as a browser tells it."""
    pixels = shown.figure.axes[axes].transData.transform((x, y))
    return tuple(map(float, shown.figure.transFigure.inverted().transform(pixels)))


def test_a_hand_turns_and_shifts_the_line():
    pytest.importorskip("ipywidgets")
    shown = explorer("neurons").explore(angle=90, offset=0.0)
    shown.widget()
    # The tip of w, 1.5 above the origin, is pulled to the right: w turns there; the slider follows
    shown.touched("press", *place(shown, 0, 0.0, 1.5))
    shown.touched("drag", *place(shown, 0, 3.0, 0.0))
    assert shown.parameters == {"angle": 0, "offset": 0.0, "length": 1.0}
    assert shown.controls["angle"].value == 0 and shown.canvas.value == shown.png and not shown.canvas.fine
    # Anywhere else the line follows the hand, as far as its slider goes, beyond the axes too
    shown.touched("press", *place(shown, 0, -2.0, -3.0))
    assert shown.parameters["offset"] == 2.0
    shown.touched("drag", *place(shown, 0, 60.0, -3.0))
    assert shown.parameters["offset"] == -5.0
    # Where nothing can be held nothing moves
    before = dict(shown.parameters)
    for action, where in (("hover", (0, 1.0, 1.0)), ("press", (1, 0.0, 1.0)), ("drag", (1, 2.0, 1.0))):
        shown.touched(action, *place(shown, *where))
    shown.touched("press", 0.0, 0.0)
    assert shown.parameters == before


def title(shown, axes=0):
    return shown.figure.axes[axes].get_title()


def test_a_hand_pulls_a_hinge_to_where_the_error_is_small():
    pytest.importorskip("ipywidgets")
    shown = explorer("hinges").explore()
    shown.widget()
    assert title(shown) == "4 units: root mean square error 0.187"
    shown.touched("press", *place(shown, 0, 0.9, 0.0))
    shown.touched("drag", *place(shown, 0, 0.715, 1.0))
    assert shown.parameters["corner"] == 0.72 == shown.controls["corner"].value
    assert title(shown) == "4 units: root mean square error 0.076"
    shown.touched("hover", *place(shown, 0, 0.3, 0.0))
    assert shown.parameters["corner"] == 0.72


def test_a_hand_pulls_the_point_along_an_activation():
    pytest.importorskip("ipywidgets")
    shown = explorer("activations").explore()
    shown.widget()
    shown.touched("press", *place(shown, 0, 1.6, 2.0))
    assert shown.parameters["x"] == 1.5
    before = dict(shown.parameters)
    shown.touched("press", *place(shown, 1, 10.0, 1.0))
    assert shown.parameters == before


def test_a_click_on_a_node_runs_the_pass_until_its_gradient_is_complete():
    pytest.importorskip("ipywidgets")
    shown = explorer("graph").explore(step=0)
    shown.widget()
    words = [text.get_text() for text in shown.figure.axes[0].texts]
    assert words.count("data 3\ngrad ?") == 2 and title(shown).startswith("step 0 of 3:")

    def node(words):
        return next(text for text in shown.figure.axes[0].texts if text.get_text().startswith(words)).get_position()

    # L's own gradient is there first, that of max after the product, that of x, which both use, at the end
    for name, step in (("L", 1), ("max", 2), ("x", 3)):
        shown.touched("press", *place(shown, 0, *node(name)))
        assert shown.parameters["step"] == step
    assert "data 3\ngrad 6" in [text.get_text() for text in shown.figure.axes[0].texts]
    x, y = node("x")
    shown.touched("drag", *place(shown, 0, x - 61, y))
    assert shown.parameters == {"example": "x max(x, y)", "step": 3, "x": 2.0, "nudge": False}
    before = dict(shown.parameters)
    shown.touched("press", *place(shown, 0, x, y - 30))
    shown.touched("drag", *place(shown, 0, x, y - 60))
    assert shown.parameters == before


def test_a_gradient_that_waits_for_a_second_flow_says_so():
    words = [text.get_text() for text in explorer("graph").figure().axes[0].texts]
    assert "data 3\ngrad 3 + ?" in words and "data 1\ngrad ?" in words


@pytest.mark.parametrize("x", [-4.0, 0.5, 4.0])
@pytest.mark.parametrize("example", graph.EXAMPLES)
def test_a_nodes_numbers_stay_in_its_box(example, x):
    for nudge in (False, True):
        figure = explorer("graph").figure(example=example, x=x, step=6, nudge=nudge)
        png(figure)
        (ax,) = figure.axes
        for text in ax.texts:
            if text.get_text().startswith("data"):
                right = ax.transData.inverted().transform(text.get_window_extent().corners())[:, 0].max()
                assert right < text.get_position()[0] - 47 + graph._WIDTH - 2, text.get_text()


def test_a_nudge_shows_what_it_changes_and_what_the_gradient_says():
    figure = explorer("graph").figure(nudge=True)
    assert figure.axes[0].get_title() == "moving x by 0.1 changes L by 0.61;   its gradient says 6 × 0.1 = 0.6"
    words = [text.get_text() for text in figure.axes[0].texts]
    assert {"data 9\nΔ +0.61", "data 3\nΔ +0.1", "data 1\nΔ 0"} <= set(words)


def test_a_slider_ends_where_its_example_does():
    pytest.importorskip("ipywidgets")
    shown = explorer("graph").explore(example="σ(wᵀx + b)", step=6)
    shown.widget()
    step = shown.controls["step"]
    assert (step.value, step.max, shown.parameters["step"]) == (6, 6, 6)
    shown.controls["example"].value = "(x + y) z"
    assert (step.value, step.max, shown.parameters["step"]) == (3, 3, 3)
    assert explorer("graph").parameters({"step": 6})["step"] == 3


def test_a_hand_chooses_the_example_whose_errors_flow_back():
    pytest.importorskip("ipywidgets")
    shown = explorer("backpropagation").explore()
    shown.widget()
    module = importlib.import_module("dlcourse.explorers.backpropagation")
    for example in (0, 100, 239):
        shown.touched("hover", *place(shown, 0, *module._X[example]))
        assert shown.parameters["example"] == shown.controls["example"].value == example
    shown.touched("hover", *place(shown, 1, 1.0, 1.0))
    assert shown.parameters["example"] == 239


def test_a_hand_chooses_the_layer_whose_spread_is_told():
    pytest.importorskip("ipywidgets")
    shown = explorer("initializers").explore(depth=10)
    shown.widget()
    forward, backward = importlib.import_module("dlcourse.explorers.initializers").spreads("xavier_uniform", "relu", 10)
    for axes in (0, 1):
        shown.touched("hover", *place(shown, axes, 3.3 + axes, 1.0))
        assert shown.parameters["layer"] == 3 + axes
    assert title(shown) == f"layer 4: activations {forward[3]:.2g}, δ {backward[3]:.2g}"
    assert title(shown, 1).startswith("layer 4: ") and 0.4 < forward[3] / forward[1] < 0.6


def test_a_hand_points_at_a_query_and_pulls_a_weight():
    pytest.importorskip("ipywidgets")
    shown = explorer("attention").explore()
    shown.widget()
    assert title(shown, 1) == "'it' spreads over 3.7 words"
    watch = 4
    # The bar of the watch is pulled to 0.9: the queries get as long as it takes
    shown.touched("press", *place(shown, 1, 0.5, watch))
    shown.touched("drag", *place(shown, 1, 0.9, watch + 2))
    assert shown.parameters["strength"] == shown.controls["strength"].value == 1.5
    module = importlib.import_module("dlcourse.explorers.attention")
    assert abs(module.weights(1.5, shown.parameters["head"], False)[8, watch] - 0.9) < 0.01
    # Pointing at a row of the map chooses the query; pointing at a bar does nothing
    shown.touched("hover", *place(shown, 0, 3.0, 2.2))
    assert shown.parameters["query"] == shown.controls["query"].value == 2
    before = dict(shown.parameters)
    shown.touched("hover", *place(shown, 1, 0.5, watch))
    assert shown.parameters == before
    # What the mask forbids has no number, and neither have the eight small weights of 'it'
    shown.controls["causal"].value = True
    assert len(shown.figure.axes[0].texts) == 45 - 8 and title(shown, 1) == "'took' spreads over 3.0 words"


def test_a_hand_drags_an_example_and_play_trains():
    pytest.importorskip("ipywidgets")
    shown = explorer("layers").explore()
    shown.widget()
    # The lesson's first question: far out, the squared error misses two and cross-entropy none
    assert [ax.get_title() for ax in shown.figure.axes[:2]] == [
        "squared error: 2 of 25 wrong",
        "cross-entropy: 0 of 25 wrong",
    ]
    for plane in (0, 1):
        shown.touched("press", *place(shown, plane, 4.0, 2.0))
        shown.touched("drag", *place(shown, plane, 2.42, -0.98))
        assert (shown.parameters["x1"], shown.parameters["x2"]) == (2.4, -1.0)
    assert [ax.get_title() for ax in shown.figure.axes[:2]] == [
        "squared error: 0 of 25 wrong",
        "cross-entropy: 0 of 25 wrong",
    ]
    # The bars are not for the hand
    before = dict(shown.parameters)
    shown.touched("press", *place(shown, 2, 1.0, 0.0))
    shown.touched("hover", *place(shown, 0, 1.0, 0.0))
    assert shown.parameters == before
    assert explorer("layers").controls["step"].play and shown.controls["step"].max == 100


def test_a_hand_pulls_a_runner_along_its_path_and_play_runs():
    pytest.importorskip("ipywidgets")
    module = importlib.import_module("dlcourse.explorers.optimizers")
    shown = explorer("optimizers").explore(surface="ravine", first="sgd", second="lbfgs")
    shown.widget()
    assert explorer("optimizers").controls["step"].play
    points = module.path("sgd", "ravine", module.tuned("sgd", "ravine"))
    shown.touched("press", *place(shown, 0, *points[10]))
    assert shown.parameters["step"] == shown.controls["step"].value == 10
    assert title(shown) == "ravine, after 10 gradients"
    shown.touched("drag", *place(shown, 0, *points[20]))
    assert shown.parameters["step"] == 20
    shown.touched("press", *place(shown, 1, 200.0, 1.0))
    assert shown.parameters["step"] == 200
    shown.touched("hover", *place(shown, 1, 100.0, 1.0))
    assert shown.parameters["step"] == 200


def test_the_rate_of_a_race_is_the_best_of_the_grid():
    module = importlib.import_module("dlcourse.explorers.optimizers")
    best = module.tuned("momentum", "ravine")
    counts = {lr: np.median(module.needed("momentum", "ravine", lr)) for lr in module.RATES}
    assert (
        counts[best] == min(counts.values()) < np.inf and counts[module.RATES[0]] == counts[module.RATES[-1]] == np.inf
    )
    assert module.tuned("lbfgs", "ravine") is None and np.all(module.needed("lbfgs", "ravine") < 60)


def test_a_hand_drags_the_mark_over_the_map_of_momentum():
    pytest.importorskip("ipywidgets")
    module = importlib.import_module("dlcourse.explorers.momentum")
    shown = explorer("momentum").explore()
    shown.widget()
    assert title(shown) == "58 steps for a digit"
    eta, gamma, slowest = module.best(50)
    shown.touched("press", *place(shown, 0, eta, gamma))
    assert (shown.parameters["rate"], shown.parameters["gamma"]) == (3.08, 0.57)
    shown.touched("drag", *place(shown, 0, 3.9, 0.1))
    assert title(shown) == "never arrives" and "exploded" in title(shown, 1)
    before = dict(shown.parameters)
    shown.touched("press", *place(shown, 1, 0.0, 0.0))
    assert shown.parameters == before
    np.testing.assert_allclose(module.factor(np.array([1 / 50, 1.0]), eta, gamma), slowest, rtol=1e-6)


@pytest.mark.parametrize(("a", "lr", "gamma"), [(1.0, 0.5, 0.0), (1.0, 0.3, 0.9), (0.02, 1.5, 0.5), (1.0, 3.0, 0.6)])
def test_the_factor_of_momentum_is_that_of_the_path(a, lr, gamma):
    module = importlib.import_module("dlcourse.explorers.momentum")
    matrix = np.array([[1 - lr * a, -gamma], [lr * a, gamma]])
    assert module.factor(a, lr, gamma) == pytest.approx(np.abs(np.linalg.eigvals(matrix)).max(), rel=1e-9)


def test_a_hand_moves_an_example_of_the_flexible_curve():
    pytest.importorskip("ipywidgets")
    module = importlib.import_module("dlcourse.explorers.regularization")
    shown = explorer("regularization").explore()
    shown.widget()
    shown.touched("press", *place(shown, 0, 0.0, 1.5))
    assert shown.parameters["held"] == 1.5
    shown.touched("drag", *place(shown, 0, 0.3, -0.8))
    assert shown.parameters["held"] == -0.8
    shown.touched("press", *place(shown, 1, 202.0, 0.1))
    assert shown.parameters["step"] == 200 and title(shown).startswith("after 200 steps")
    # Every setting has the same number of steps; held back, the curve follows the moved example less
    free, held_back = (
        [module.fitted(lam, 0.0, held)[-1] @ module._F[module._HELD] for held in (-1.5, 1.5)] for lam in (0.0, 0.1)
    )
    assert len(module.fitted(0.0, 0.5, 0.0)) == len(module.fitted(0.1, 0.0, 0.0)) == module.STEPS // 5 + 1
    assert 0 < held_back[1] - held_back[0] < 0.8 * (free[1] - free[0])


def test_a_hand_moves_the_window_and_the_output_grows():
    pytest.importorskip("ipywidgets")
    shown = explorer("convolution").explore(stride=2, padding=1)
    shown.widget()
    # 7 pixels and 2 of padding, windows of 3, 2 apart: 4 of them in each direction
    assert shown.controls["place"].max == 15 and title(shown, 2) == "Y, 4 × 4"
    # On the output: the cell under the pointer; on the image: the window around it
    shown.touched("hover", *place(shown, 2, 1.2, 2.1))
    assert shown.parameters["place"] == shown.controls["place"].value == 9
    assert len(shown.figure.axes[2].texts) == 10
    shown.touched("press", *place(shown, 0, 6.0, 4.2))
    assert shown.parameters["place"] == 11
    # The upper left window has the left end of the bar
    shown.controls["stride"].value, shown.controls["padding"].value = 1, 0
    assert shown.controls["place"].max == 24
    shown.touched("press", *place(shown, 2, 0.0, 0.0))
    products = [text.get_text() for text in shown.figure.axes[1].texts]
    assert title(shown, 1) == "window · W, sum 9" and products[5] == "9 · 1" and products[3] == "0 · −1"
    # The products are not for the hand
    before = dict(shown.parameters)
    shown.touched("press", *place(shown, 1, 1.0, 1.0))
    assert shown.parameters == before and shown.controls["place"].value == 0
    # With strides of 3 two windows cover 6 of 7 rows
    assert explorer("convolution").figure(stride=3).axes[0].get_title() == "X, p = 0, s = 3, 1 of 7 rows unseen"


def test_a_hand_marks_a_character_and_sees_what_is_left_of_those_before():
    pytest.importorskip("ipywidgets")
    module = importlib.import_module("dlcourse.explorers.recurrent")
    shown = explorer("recurrent").explore()
    shown.widget()
    opened = module.TEXT.index("(")
    shown.touched("hover", *place(shown, 1, opened + 3.3, 0.0))
    assert shown.parameters["step"] == shown.controls["step"].value == opened + 3
    f = 1 / (1 + np.exp(-2.0))
    left = module.left_of_it(np.full(50, f), opened + 3)
    np.testing.assert_allclose(left[-4:], [f**3, f**2, f, 1.0])
    (told,) = [text.get_text() for text in shown.figure.axes[2].texts]
    assert told == f"left at {module.TEXT[opened + 3]!r}: {100 * f**3:.0f} % of what '(' wrote"
    shown.touched("press", *place(shown, 2, 1.0, 0.5))
    assert shown.figure.axes[2].texts[0].get_text() == "left at 'o': '(' has not come yet"
    assert explorer("recurrent").controls["step"].play


def test_a_hand_leads_the_training_to_a_step():
    pytest.importorskip("ipywidgets")
    shown = explorer("training").explore()
    shown.widget()
    for axes, (x, step) in enumerate(((62.0, 60), (300.0, 200), (-5.0, 0))):
        shown.touched("press", *place(shown, axes, 100.0, 1.0))
        shown.touched("drag", *place(shown, axes, x, 1.0))
        assert shown.parameters["step"] == step == shown.controls["step"].value
        assert title(shown).startswith(f"step {step}: ")
    before = dict(shown.parameters)
    shown.touched("hover", *place(shown, 0, 100.0, 1.0))
    assert shown.parameters == before and shown.controls["step"].max == 200


def test_the_training_that_is_watched_is_the_trainers():
    module = importlib.import_module("dlcourse.explorers.training")
    found = module.run("relu", "sgd", -2.0, 32)
    assert found.norms.shape == found.ratios.shape == (200, 4) and len(found.validation) == 41
    # Plain SGD: the update is the rate times the gradient, so the two pictures differ by lr/‖W‖, which hardly changes
    factor = found.ratios / found.norms
    assert np.all(np.ptp(factor, axis=0) < 0.3 * factor[0]) and found.validation[-1] < found.validation[0]


def test_a_live_picture_is_drawn_where_the_last_one_was(monkeypatch):
    import IPython.display

    shown = []

    class Handle:
        update = staticmethod(shown.append)

    def display(picture, display_id):
        assert display_id is True and not shown
        shown.append(picture)
        return Handle

    monkeypatch.setattr(IPython.display, "display", display)
    live = Live("A loss falls.")
    figures = [new_figure()[0] for _ in range(3)]
    for figure in figures:
        live.show(figure)
    assert [picture.figure for picture in shown] == figures
    assert {repr(picture) for picture in shown} == {"[A loss falls.]"}


def test_the_picture_is_fine_when_it_rests():
    pytest.importorskip("ipywidgets")
    shown = explorer("neurons").explore()
    shown.widget()
    size = PIL.Image.open(io.BytesIO(shown.canvas.value)).size
    assert shown.canvas.fine and size == (2 * shown.canvas.width, 2 * 304)
    shown.controls["angle"].value = 20
    assert not shown.canvas.fine
    assert PIL.Image.open(io.BytesIO(shown.canvas.value)).size == (shown.canvas.width, 304)
    shown.canvas._handle_custom_msg({"action": "rest"}, [])
    assert shown.canvas.fine and PIL.Image.open(io.BytesIO(shown.canvas.value)).size == size


@pytest.mark.parametrize(
    ("slider", "given", "taken"),
    [
        (Slider(-180, 180, 60, 5, ""), 12.4, 10),
        (Slider(-180, 180, 60, 5, ""), 999.0, 180),
        (Slider(0.1, 5.0, 1.0, 0.1, ""), 0.7300001, 0.7),
        (Slider(0.1, 5.0, 1.0, 0.1, ""), -3.0, 0.1),
    ],
)
def test_a_slider_takes_the_nearest_value_it_has(slider, given, taken):
    assert slider.nearest(given) == taken and type(slider.nearest(given)) is type(taken)


def in_a_cell(value):
    """(data, metadata) of the value as a notebook's cell shows it."""
    from IPython.core.formatters import DisplayFormatter

    return DisplayFormatter().format(value)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_figure_is_shown_by_hand(slug):
    made = explorer(slug).figure()
    data, metadata = in_a_cell(made)
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG\r\n")
    alt = explorer(slug).words(explorer(slug).parameters({}))
    assert (
        metadata["image/png"] == {"alt": alt, "width": round(explorer(slug).size[0] * 80)}
        and data["text/plain"] == f"[{alt}]"
    )
    again, words = in_a_cell(show(made))
    assert again["text/plain"] == data["text/plain"] and words == metadata


def test_a_figure_without_words_is_shown_too():
    figure, ax = new_figure()
    ax.plot([1, 2])
    for value in (figure, show(figure)):
        data, metadata = in_a_cell(value)
        assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG\r\n")
        assert data["text/plain"] == "<Drawing size 576x272 with 1 Axes>" and metadata == {"image/png": {"width": 576}}
    data, metadata = in_a_cell(show(figure, "A line that rises."))
    assert data["text/plain"] == "[A line that rises.]" and metadata["image/png"] == {
        "alt": "A line that rises.",
        "width": 576,
    }


def test_bad_parameters_are_named():
    made = explorer("neurons")
    with pytest.raises(TypeError, match="colour: expected one of angle, offset, length"):
        made.figure(colour="red")
    with pytest.raises(ValueError, match=r"offset: expected a number from -5.0 to 5.0, got 9"):
        made.explore(offset=9)
