"""What several exercises on convolution have in common: cases, and hints for the same mistake in several layers."""

import numpy as np

from ...checks.exercise import Case

STRIDE = "Window y begins at row y·s, not at row y: where does the stride come in when you cut the window out?"
STRIDE_IGNORED = "`stride` is never used: there is a window at every pixel."


def in_float32(case):
    """The same case in single precision."""

    def cast(x):
        if isinstance(x, dict):
            return {key: cast(value) for key, value in x.items()}
        return x.astype(np.float32) if isinstance(x, np.ndarray) else x

    return Case("float32", tuple(map(cast, case.args)), case.kwargs, cast(case.dout))
