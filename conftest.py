"""Doctests see NumPy as np, as the lessons do."""

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# A script, not a test; it needs PyTorch, which the tests do without
# What runs elsewhere: a script, and what WebAssembly is given to run
collect_ignore = ["tests/make_golden.py", "tests/wasm_audit.py", "tests/wasm_lessons.py"]

# A busy machine does not make an answer wrong
settings.register_profile("dlcourse", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dlcourse")


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace):
    doctest_namespace["np"] = np
