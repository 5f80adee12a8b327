"""Explorers: a picture of a topic that moves when a slider does.

Every topic has a module here with two functions. ``figure(**parameters)`` is pure: the same parameters give the same
Matplotlib figure. ``explore()`` shows that figure with a slider for each parameter; where nothing can move (a page, a
viewer without widgets) the reader sees the picture. Lessons draw with the same few helpers, so that every picture of
the course has one look: colours that the colour-blind can tell apart and that differ in grey, too.
"""

import base64
import io
from collections.abc import Callable
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import PIL.Image
import PIL.PngImagePlugin
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

__all__ = [
    "CMAP",
    "COLORS",
    "DIVERGING",
    "LINESTYLES",
    "MARKERS",
    "NOTE",
    "STYLE",
    "TWO_CLASSES",
    "Choice",
    "Drawing",
    "Exploration",
    "Explorer",
    "Live",
    "Picture",
    "Slider",
    "Stage",
    "Toggle",
    "Touch",
    "new_figure",
    "png",
    "show",
]


def __dir__():
    return __all__


# Okabe and Ito's palette, ordered so that neighbours differ in lightness; line styles and markers double the message
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
MARKERS = ("o", "^", "s", "D", "v", "P", "X")
LINESTYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
# From light to dark in grey as well as in colour
CMAP = "cividis"
# Zero is white, the two signs differ in hue; use with symmetric limits
DIVERGING = "PuOr"
# The probability of the second of two classes, from pale tints of the first class's colour to the second's
TWO_CLASSES = LinearSegmentedColormap.from_list("two classes", ["#7FB8D8", "#FFFFFF", "#EAAE7F"])

# Pixels for an inch of a page, and how many times finer a picture is that stands still: screens have two for a pixel of CSS
DPI, FINE = 80, 2

STYLE = {
    "figure.dpi": DPI,
    "savefig.dpi": FINE * DPI,
    "font.size": 10.0,
    "axes.titlesize": 11.0,
    # No ticks stand above an axes here; looking for them costs a sixth of a drawing
    "axes.titley": 1.0,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 2.0,
    "legend.frameon": False,
    "image.cmap": CMAP,
    "axes.prop_cycle": matplotlib.cycler(color=COLORS) + matplotlib.cycler(linestyle=LINESTYLES),
    "svg.hashsalt": "dlcourse",
}


class Drawing(Figure):
    """A figure that a notebook shows as the value of a cell. alt : what it shows, in a sentence."""

    alt = ""

    def _repr_mimebundle_(self, include=None, exclude=None):
        return _bundle(repr(self), _saved(self, self.alt), self.alt, self.get_figwidth())


def _bundle(words, image, alt, width):
    """(data, metadata) of a picture `width` inches wide, as the notebook format has them."""
    text = f"[{alt}]" if alt else words
    data = {"text/plain": text, "image/png": base64.b64encode(image).decode()}
    return data, {"image/png": ({"alt": alt} if alt else {}) | {"width": round(width * DPI)}}


def _saved(figure, alt):
    """The figure as PNG bytes that do not change from run to run."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(buffer, format="png")
    return _packed(PIL.Image.open(buffer), alt)


def _packed(image, alt):
    """PNG bytes with a palette: a quarter of the size of full colour, and no eye sees the difference in a plot."""
    words, buffer = PIL.PngImagePlugin.PngInfo(), io.BytesIO()
    if alt:
        words.add_itxt("Description", alt)
    pixels = image.convert("RGB").quantize(256, dither=PIL.Image.Dither.NONE)
    pixels.save(buffer, "png", optimize=True, pnginfo=words)
    return buffer.getvalue()


def new_figure(rows=1, columns=1, size=(7.2, 3.4), **options):
    """A figure in the course's style with its axes: `(figure, axes)`, as `plt.subplots` gives them."""
    with matplotlib.rc_context(STYLE):
        figure = Drawing(figsize=size, layout="constrained")
        return figure, figure.subplots(rows, columns, **options)


class _Renderer(RendererAgg):
    """Agg that keeps the pixels of every text: most words of a picture stay when a slider moves, and shaping them is slow."""

    def __init__(self, width, height, dpi):
        super().__init__(width, height, dpi)
        self.scratch, self.words = RendererAgg(width, height, dpi), {}

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        if gc.get_clip_rectangle() is not None or gc.get_alpha() != 1.0:
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
            return
        key = (s, x, y, hash(prop), angle, gc.get_rgb())
        if key not in self.words:
            if len(self.words) > 1000:
                self.words.clear()
            self.scratch.clear()
            self.scratch.draw_text(gc, x, y, s, prop, angle, ismath, mtext)
            pixels = np.asarray(self.scratch.buffer_rgba())
            rows, columns = (np.flatnonzero(pixels[..., 3].any(axis=axis)) for axis in (1, 0))
            if not rows.size:
                return
            top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
            self.words[key] = left, self.height - bottom, pixels[top:bottom, left:right][::-1].copy()
        self.draw_image(gc, *self.words[key])


class _Canvas(FigureCanvasAgg):
    """Draws with one renderer for as long as the figure has its size."""

    def get_renderer(self):
        width, height = (int(x) for x in self.figure.bbox.size)
        if not hasattr(self, "renderers"):
            self.renderers = {}
        # Two sizes in turn: coarse while something moves, fine when it rests
        if (width, height) not in self.renderers:
            self.renderers[width, height] = _Renderer(width, height, self.figure.dpi)
        self.renderer = self.renderers[width, height]
        return self.renderer


def png(figure):
    """The figure as PNG bytes, drawn once (`savefig` draws twice) and packed fast: a slider waits for it."""
    with matplotlib.rc_context(STYLE):
        canvas = figure.canvas if isinstance(figure.canvas, _Canvas) else _Canvas(figure)
        canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())
    image = PIL.Image.frombuffer("RGBA", pixels.shape[1::-1], pixels, "raw", "RGBA", 0, 1).convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, "png", compress_level=1)
    return buffer.getvalue()


class Picture:
    """A figure with its alternative text: shown as an image, read as a sentence."""

    def __init__(self, figure, alt=""):
        self.figure, self.alt = figure, alt

    def __repr__(self):
        return f"[{self.alt}]" if self.alt else repr(self.figure)

    def _repr_mimebundle_(self, include=None, exclude=None):
        return _bundle(repr(self), _saved(self.figure, self.alt), self.alt, self.figure.get_figwidth())


def show(figure, alt=""):
    """The figure as the result of a cell.

    Parameters
    ----------
    figure : a Matplotlib figure.
    alt : what it shows, in a sentence, for a reader who cannot see it. The course's lessons must have it.

    Returns
    -------
    Picture.
    """
    return Picture(figure, alt or getattr(figure, "alt", ""))


class Live:
    """A picture that is drawn again while a cell runs, such as a loss that grows.

    alt : what it shows, in a sentence; the same for every drawing.
    """

    def __init__(self, alt):
        self.alt, self.handle = alt, None

    def show(self, figure):
        """Put the figure where the last one was."""
        from IPython.display import display

        picture = Picture(figure, self.alt)
        if self.handle is None:
            self.handle = display(picture, display_id=True)
        else:
            self.handle.update(picture)


class Slider(NamedTuple):
    """A number to move; whole numbers where low, value and step are ints.

    play : whether it has a button that moves it on by itself, for steps of something that runs (whole numbers only).
    interval : milliseconds from one such step to the next.
    """

    low: float
    high: float
    value: float
    step: float
    label: str
    play: bool = False
    interval: int = 120

    @property
    def whole(self):
        return all(isinstance(x, int) for x in (self.low, self.value, self.step))

    def nearest(self, value):
        """The value of the slider that is nearest to `value`."""
        place = self.low + self.step * round((value - self.low) / self.step)
        place = min(max(place, self.low), self.high)
        return place if self.whole else float(f"{place:.10g}")


class Choice(NamedTuple):
    """One of a few named options."""

    options: tuple
    value: Any
    label: str

    def nearest(self, value):
        return value


class Toggle(NamedTuple):
    """On or off."""

    value: bool
    label: str

    def nearest(self, value):
        return bool(value)


class Touch(NamedTuple):
    """Where the pointer is.

    action : "press", "drag" or "hover". axes : which of the figure's axes. x, y : in the units of its data.
    x0, y0, before : where the pointer was pressed, and the parameters then; a hand that drags holds on to one thing.
    """

    action: str
    axes: int
    x: float
    y: float
    x0: float
    y0: float
    before: dict


class Explorer(NamedTuple):
    """What a topic's explorer is made of; its methods are the module's `figure` and `explore`.

    name : the topic's slug.
    draw : ``draw(figure, **parameters)`` puts the picture into an empty figure.
    controls : {parameter: Slider | Choice | Toggle}.
    alt : one sentence about the picture, with the parameters in braces where they matter.
    size : inches.
    touch : ``touch(where, **parameters)`` returns {parameter: new value} for a pointer at `where`, a `Touch`.
    last : ``last(**parameters)`` returns {slider: its highest value}, where that depends on the other parameters.
    """

    name: str
    draw: Callable
    controls: dict
    alt: str
    size: tuple = (7.2, 3.6)
    touch: Callable | None = None
    last: Callable | None = None

    def parameters(self, given):
        """The controls' values with `given` in their place; bad ones raise."""
        for name, value in given.items():
            if name not in self.controls:
                raise TypeError(f"{name}: expected one of {', '.join(self.controls)}")
            control = self.controls[name]
            if isinstance(control, Choice) and value not in control.options:
                raise ValueError(f"{name}: expected one of {', '.join(map(repr, control.options))}; got {value!r}")
            if isinstance(control, Slider) and not control.low <= value <= control.high:
                raise ValueError(f"{name}: expected a number from {control.low} to {control.high}, got {value!r}")
        return self.limited({name: control.value for name, control in self.controls.items()} | given)

    def ends(self, parameters):
        """{slider: its highest value} of the sliders whose end depends on the other parameters."""
        return {} if self.last is None else self.last(**parameters)

    def limited(self, parameters):
        """The parameters, none beyond its slider's end."""
        return parameters | {name: min(parameters[name], end) for name, end in self.ends(parameters).items()}

    def figure(self, **given):
        """The picture for these parameters (the controls' own values where none is given)."""
        parameters = self.parameters(given)
        with matplotlib.rc_context(STYLE):
            figure = Stage(figsize=self.size, layout="constrained")
            self.draw(figure, **parameters)
        figure.alt = self.words(parameters)
        return figure

    def words(self, parameters):
        """The alternative text for these parameters; a slider's front end may hand back 1.0000000000000002 for 1."""
        shown = {name: float(f"{x:.6g}") if isinstance(x, float) else x for name, x in parameters.items()}
        return self.alt.format(**shown)

    def explore(self, **given):
        """The picture with its controls; the values given are where they start."""
        return Exploration(self, self.parameters(given))


class Stage(Drawing):
    """A figure that hands its axes out again, emptied: making new ones with their ticks is half of a drawing."""

    layout_of = None
    given = None

    def subplots(self, *args, **kwargs):
        if self.layout_of != (args, kwargs) or self.given is None:
            self.given = super().subplots(*args, **kwargs)
            self.layout_of = (args, kwargs)
            for ax in np.asarray(self.given, dtype=object).flat:
                _few_ticks(ax)
        return self.given

    def empty(self):
        """Take away all that the last drawing put in; the axes stay if nothing but `subplots` made them."""
        own = [] if self.given is None else list(np.asarray(self.given, dtype=object).flat)
        if self.axes != own:
            self.given = None
            self.clear()
            return
        for text in [*self.texts, *self.legends]:
            text.remove()
        for ax in own:
            _empty(ax)


def _empty(ax):
    """An axes as it was made: no data, no words, free limits, linear scales with their own ticks."""
    for artist in [*ax.lines, *ax.collections, *ax.patches, *ax.images, *ax.texts, *ax.tables, *ax.artists]:
        artist.remove()
    ax.containers.clear()
    if ax.get_legend() is not None:
        ax.get_legend().remove()
    ax.set_prop_cycle(None)
    ax.set_axis_on()
    ax.set_aspect("auto")
    ax.set(title="", xlabel="", ylabel="", xscale="linear", yscale="linear")
    _few_ticks(ax)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_inverted(False)
    ax.dataLim.set_points(Bbox.null().get_points())
    ax.ignore_existing_data_limits = True
    ax.set_autoscale_on(True)


def _keep_labels(ax):
    """Axis labels stay where the first drawing put them: looking for free room beside the numbers measures each again."""
    for axis, along in ((ax.xaxis, 0), (ax.yaxis, 1)):
        place = ax.transAxes.inverted().transform(axis.label.get_transform().transform(axis.label.get_position()))
        place[along] = 0.5
        axis.set_label_coords(*place)


def _few_ticks(ax):
    """At most five ticks along an axis: enough to read, and every number costs a millisecond."""
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))


class Exploration:
    """A shown explorer: one figure, redrawn in place whenever a control moves or a hand touches the picture."""

    def __init__(self, explorer, parameters):
        self.explorer, self.parameters = explorer, parameters
        with matplotlib.rc_context(STYLE):
            self.figure = Stage(figsize=explorer.size, layout="constrained")
        self.positions = []
        self.controls = {}
        self.view = self.canvas = None
        self.moving = False
        self.pressed = None
        self.png = self.redraw(fine=True)

    def redraw(self, fine=False):
        """Draw the present parameters into the one figure; returns the PNG, of the resolution of a still picture if `fine`."""
        with matplotlib.rc_context(STYLE):
            self.figure.set_dpi(FINE * DPI if fine else DPI)
            self.figure.empty()
            self.explorer.draw(self.figure, **self.parameters)
            axes = self.figure.axes
            if len(axes) == len(self.positions):
                # Laid out once: axes that stay put are easier to watch, and the layout is half the time of a drawing
                self.figure.set_layout_engine("none")
                for ax, position in zip(axes, self.positions, strict=True):
                    ax.set_position(position)
            self.png = png(self.figure)
        if len(axes) != len(self.positions):
            for ax in axes:
                _keep_labels(ax)
        self.positions = [ax.get_position(original=True) for ax in axes]
        return self.png

    @property
    def alt(self):
        """What the picture shows now, in a sentence."""
        return self.explorer.words(self.parameters)

    def move(self, changed):
        """Take new values of some parameters, as near as their controls allow, and draw them."""
        nearest = {name: self.explorer.controls[name].nearest(value) for name, value in changed.items()}
        self.parameters = self.explorer.limited(self.parameters | nearest)
        # Controls that follow must not draw a second time
        self.moving = True
        try:
            self.shorten()
            for name in changed.keys() & self.controls.keys():
                self.controls[name].value = self.parameters[name]
        finally:
            self.moving = False
        self.redraw()
        self.send(fine=False)

    def shorten(self):
        """Let every slider end where it ends for the present parameters."""
        for name, end in self.explorer.ends(self.parameters).items():
            if name in self.controls:
                self.controls[name].max = end

    def touched(self, action, x, y):
        """Tell the explorer that the pointer is at (x, y), fractions of the picture from its lower left corner."""
        place = self.figure.transFigure.transform((x, y))
        if action == "drag" and self.pressed is not None:
            index, x0, y0, before = self.pressed
        else:
            index = next((i for i, ax in enumerate(self.figure.axes) if ax.bbox.contains(*place)), None)
            if index is None:
                self.pressed = None
                return
            x0 = None
        x, y = map(float, self.figure.axes[index].transData.inverted().transform(place))
        if x0 is None:
            x0, y0, before = x, y, self.parameters
        if action == "press":
            self.pressed = index, x, y, before
        changed = self.explorer.touch(Touch(action, index, x, y, x0, y0, before), **self.parameters)
        if changed and any(self.parameters[name] != value for name, value in changed.items()):
            self.move(changed)

    def send(self, fine):
        """Hand the drawing to the browser."""
        if self.canvas is not None:
            with self.canvas.hold_sync():
                self.canvas.fine, self.canvas.alt, self.canvas.value = fine, self.alt, self.png

    def widget(self):
        """The ipywidgets box: the controls above the picture."""
        import ipywidgets as widgets

        from ._canvas import Canvas

        if self.view is None:
            width = round(self.figure.get_figwidth() * DPI)
            self.canvas = Canvas(value=self.png, alt=self.alt, width=width, touchable=self.explorer.touch is not None)

            def reported(canvas, message, buffers):
                if message["action"] == "rest":
                    self.redraw(fine=True)
                    self.send(fine=True)
                else:
                    self.touched(message["action"], message["x"], message["y"])
                    canvas.send({"action": "answer"})

            def moved(name):
                def update(change):
                    if not self.moving:
                        self.move({name: change["new"]})

                return update

            self.canvas.on_msg(reported)
            boxes = []
            for name, control in self.explorer.controls.items():
                made, box = _control(widgets, control, self.parameters[name])
                made.observe(moved(name), names="value")
                self.controls[name] = made
                boxes.append(box)
            self.shorten()
            wrap = widgets.Layout(display="flex", flex_flow="row wrap")
            self.view = widgets.VBox([widgets.Box(boxes, layout=wrap), self.canvas])
            self.view.add_class("dlcourse-live")
        return self.view

    def __repr__(self):
        return f"[{self.alt}]"

    def _repr_mimebundle_(self, include=None, exclude=None):
        image = PIL.Image.open(io.BytesIO(self.redraw(fine=True)))
        return _bundle(repr(self), _packed(image, self.alt), self.alt, self.figure.get_figwidth())

    def _ipython_display_(self):
        """Three outputs: the controls with the picture that they move, a note, and the still picture.

        A saved notebook keeps all three. Where the controls have lost their kernel a front end shows an error in place of
        their output and never tries another form of it, so the picture has to be a separate output.
        """
        from IPython.display import display

        still = self._repr_mimebundle_()
        try:
            shown = self.widget()._repr_mimebundle_()
        except ImportError:
            shown = None
        # Without a kernel to answer there is no view
        if isinstance(shown, dict):
            display(
                {key: x for key, x in shown.items() if key.startswith("application/vnd.jupyter.widget-view")}, raw=True
            )
            display({"text/html": NOTE}, raw=True)
        display(still[0], metadata=still[1], raw=True)


# The same in every explorer and every run, so that a built lesson can be compared. The rules know a live view by its class,
# and its note and its still picture as the two outputs after it: whichever of the two has no use now is hidden
NOTE = """<style>
:has(.dlcourse-live:not(.jupyter-widgets-disconnected)):not(:has(.dlcourse-note)) + :has(.dlcourse-note),
:has(.dlcourse-live:not(.jupyter-widgets-disconnected)):not(:has(.dlcourse-note)) + :has(.dlcourse-note) + *,
.jp-OutputArea-child:not(:has(.dlcourse-live:not(.jupyter-widgets-disconnected))):has(+ * .dlcourse-note) {
  display: none;
}
</style>
<div class="dlcourse-note"><em>A still picture: no kernel moves it. Run the cell to get its sliders.</em></div>"""


def _control(widgets, control, value):
    """(the widget that holds the value, what is shown of it)."""
    layout = widgets.Layout(width="320px")
    style = {"description_width": "110px"}
    if isinstance(control, Toggle):
        made = widgets.Checkbox(value=value, description=control.label, layout=layout, style=style)
        return made, made
    if isinstance(control, Choice):
        made = widgets.Dropdown(
            options=control.options, value=value, description=control.label, layout=layout, style=style
        )
        return made, made
    kind = widgets.IntSlider if control.whole else widgets.FloatSlider
    limits = {"value": value, "min": control.low, "max": control.high, "step": control.step}
    made = kind(description=control.label, layout=layout, style=style, **limits)
    if not control.play:
        return made, made
    play = widgets.Play(interval=control.interval, **limits)
    for trait in ("value", "max"):
        widgets.jslink((made, trait), (play, trait))
    return made, widgets.HBox([play, made])
