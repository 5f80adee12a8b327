"""The live picture: an image in the browser that tells the kernel where the pointer is."""

from pathlib import Path

import anywidget
import traitlets


class Canvas(anywidget.AnyWidget):
    """A picture that reports the pointer as `{"action", "x", "y"}`, with x and y from 0 to 1 from the lower left corner.

    value : PNG bytes. alt : what it shows, for a screen reader. width : CSS pixels. touchable : whether it reports at all.
    fine : whether `value` is drawn at full resolution; if not, "rest" is reported once the picture stands still.
    """

    _esm = Path(__file__).with_name("canvas.js")
    value = traitlets.Bytes(b"").tag(sync=True)
    alt = traitlets.Unicode("").tag(sync=True)
    width = traitlets.Int(0).tag(sync=True)
    touchable = traitlets.Bool(False).tag(sync=True)
    fine = traitlets.Bool(True).tag(sync=True)
