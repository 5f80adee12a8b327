"""Doctests see NumPy as np, as the lessons do."""

import numpy as np
import pytest

# A script, not a test; it needs PyTorch, which the tests do without
collect_ignore = ["tests/make_golden.py"]


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace):
    doctest_namespace["np"] = np
