"""Drawings: everything stands inside, no words on words, a box holds its words, the same picture every time."""

import io

import numpy as np
import PIL.Image
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Circle, FancyBboxPatch

from dlcourse import architectures, drawings
from dlcourse.explorers import convolution, show

X = np.array([[1.0, 2.0], [0.0, -1.5], [3.0, -1.0]])
W = np.array([[1.0, 0.0, -1.0], [2.0, 1.0, 0.0]])


def network_with_words(ax):
    names = [["x₁", "x₂"], ["a₁", "a₂", "a₃"], ["y"]]
    drawings.network(ax, [2, 3, 1], names=names, labels=["inputs", "hidden", "output"], bias=True)


PICTURES = {
    "neuron": drawings.neuron,
    "neuron without a function": lambda ax: drawings.neuron(ax, function="", output="u"),
    "network": network_with_words,
    "network with weights": lambda ax: drawings.network(ax, [2, 3], weights=[W], flow="backward"),
    "matrix": lambda ax: drawings.matrix(ax, X, "X", "N × D", form="{:.1f}"),
    "product": lambda ax: drawings.product(ax, [(X, "X", "N × D"), "·", (W, "W", "D × K"), "=", (X @ W, "U", "N × K")]),
    "unrolled": lambda ax: drawings.rnn_unrolled(ax, steps=4, back=True),
    "lstm": drawings.lstm_cell,
    "gru": drawings.gru_cell,
    "block": drawings.transformer_block,
    "residual block": lambda ax: convolution.column(
        ax, 0.0, 0.0, "X: 64", "3×3, 128", "relu", "3×3, 128", "+", "Y", skip=(0, 4), skip_text="1×1, 128"
    ),
    "stages": lambda ax: convolution.draw_stages(ax, architectures.vgg(16), "VGG-16"),
}
over_pictures = pytest.mark.parametrize("name", PICTURES)


def drawn(name):
    figure, ax = drawings.sheet()
    PICTURES[name](ax)
    figure.fit()
    return figure, ax, FigureCanvasAgg(figure).get_renderer()


@over_pictures
def test_everything_stands_inside_and_no_words_touch(name):
    figure, ax, renderer = drawn(name)
    boxes = [text.get_window_extent(renderer) for text in ax.texts]
    for thing in [*ax.texts, *ax.patches, *ax.lines]:
        box = thing.get_window_extent(renderer)
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1, thing
    for k, a in enumerate(boxes):
        for other, b in zip(ax.texts[k + 1 :], boxes[k + 1 :], strict=True):
            assert not a.overlaps(b), f"{ax.texts[k].get_text()!r} touches {other.get_text()!r}"


@over_pictures
def test_what_holds_words_is_large_enough_for_them(name):
    _, ax, renderer = drawn(name)
    holders = [patch for patch in ax.patches if isinstance(patch, Circle | FancyBboxPatch)]
    for text in ax.texts:
        words = text.get_window_extent(renderer)
        middle = ((words.x0 + words.x1) / 2, (words.y0 + words.y1) / 2)
        for holder in holders:
            box = holder.get_window_extent(renderer)
            if holder.get_zorder() >= 3 and box.contains(*middle):
                assert words.width <= box.width and words.height <= box.height, text.get_text()


@over_pictures
def test_the_same_drawing_gives_the_same_picture_in_type_that_can_be_read(name):
    pictures = []
    for _ in range(2):
        figure, ax = drawings.sheet()
        PICTURES[name](ax)
        buffer = io.BytesIO()
        figure.savefig(buffer)
        pictures.append(buffer.getvalue())
        assert all(text.get_fontsize() >= 8 for text in ax.texts)
    assert pictures[0] == pictures[1]


def test_a_sheet_is_cut_to_its_contents():
    figure, ax = drawings.sheet()
    place = drawings.block(ax, 40.0, -7.0, "far away", width=4.0, height=2.0)
    assert (place.left, place.top) == ((38.0, -7.0), (40.0, -6.0))
    data, metadata = show(figure, "A box.")._repr_mimebundle_()
    assert data["text/plain"] == "[A box.]"
    # 4 and a margin of 0.25 on each side, in half inches of 80 pixels
    assert abs(metadata["image/png"]["width"] - 180) <= 3
    empty, _ = drawings.sheet()
    buffer = io.BytesIO()
    empty.savefig(buffer, dpi=empty.dpi)
    # As wide as before, 10 half inches
    assert PIL.Image.open(buffer).width == empty.get_figwidth() * empty.dpi == 400


def test_a_matrix_shows_its_numbers_with_black_type_on_light_cells():
    _, ax = drawings.sheet()
    place = drawings.matrix(ax, [-2.0, 1.0], "w", "D", cell=1.0)
    assert [text.get_text() for text in ax.texts] == ["−2", "1", "w", "D"]
    assert (place.dx, place.dy) == (0.5, 1.0)
    for patch in ax.patches:
        assert np.mean(patch.get_facecolor()[:3]) > 0.45


def test_a_network_draws_every_weight_by_sign_and_size():
    _, ax = drawings.sheet()
    layers = drawings.network(ax, [2, 3], weights=[W])
    assert [len(layer) for layer in layers] == [2, 3]
    widths = np.array([line.get_linewidth() for line in ax.lines]).reshape(2, 3)
    assert np.array_equal(np.argsort(widths.ravel(), kind="stable"), np.argsort(np.abs(W).ravel(), kind="stable"))
    colors = [line.get_color() for line in ax.lines]
    assert (colors[0], colors[2]) == (drawings.POSITIVE, drawings.NEGATIVE)


def test_a_dropped_unit_is_crossed_out_and_has_no_connections():
    _, ax = drawings.sheet()
    layers = drawings.network(ax, [2, 3, 2], dropped=[(1, 0)])
    ends = [tuple(zip(*line.get_data(), strict=True)) for line in ax.lines]
    at = layers[1][0]
    assert sum(at.left in pair or at.right in pair for pair in ends) == 0
    assert len(ends) == (2 + 2) * 2 + 2 and sum(abs(np.mean(line.get_xdata()) - at.x) < 1e-9 for line in ax.lines) == 2


def test_a_volume_is_as_high_and_as_deep_as_it_says():
    _, ax = drawings.sheet()
    place = drawings.volume(ax, 1.0, 2.0, height=2.0, depth=0.5, slant=0.25)
    assert place == (1.0, 2.0, 0.5, 1.25)
    corners = np.concatenate([patch.get_xy() for patch in ax.patches])
    np.testing.assert_allclose([corners.min(axis=0), corners.max(axis=0)], [(0.5, 0.75), (1.5, 3.25)])
    front = ax.patches[0].get_xy()
    np.testing.assert_allclose(np.ptp(front, axis=0), (0.5, 2.0))


def test_a_network_in_stages_says_sizes_and_layers():
    assert convolution.stages(architectures.alexnet()) == [
        (55, 64, ["conv 11×11, s = 4"]),
        (27, 192, ["max 3×3, s = 2", "conv 5×5"]),
        (13, 256, ["max 3×3, s = 2", "3 × conv 3×3"]),
        (6, 256, ["max 3×3, s = 2"]),
        (1, 1000, ["2 × linear to 4096", "linear to 1000"]),
    ]
    assert convolution.stages(architectures.resnet(34))[1:] == [
        (56, 64, ["max 3×3, s = 2", "3 × residual"]),
        (28, 128, ["4 × residual"]),
        (14, 256, ["6 × residual"]),
        (7, 512, ["3 × residual"]),
        (1, 1000, ["mean of each", "linear to 1000"]),
    ]


def test_a_frame_stands_around_a_row_a_column_or_a_cell():
    _, ax = drawings.sheet()
    place = drawings.matrix(ax, W, x=1.0, y=2.0, cell=0.5)
    for where, (x, y, width, height) in (
        ({}, (1.0, 1.0, 1.5, 1.0)),
        ({"row": 1}, (1.0, 1.0, 1.5, 0.5)),
        ({"column": 2}, (2.0, 1.0, 0.5, 1.0)),
        ({"row": 0, "column": 1}, (1.5, 1.5, 0.5, 0.5)),
    ):
        drawings.frame(ax, place, **where, cell=0.5)
        found = ax.patches[-1]
        np.testing.assert_allclose((*found.get_xy(), found.get_width(), found.get_height()), (x, y, width, height))
