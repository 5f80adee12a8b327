"""What several exercises on convolution have in common: hints for the same mistake in several layers."""

STRIDE = "Window y begins at row y·s, not at row y: where does the stride come in when you cut the window out?"
STRIDE_IGNORED = "`stride` is never used: there is a window at every pixel."
