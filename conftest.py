"""Doctests see NumPy as np, as the lessons do."""

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# A script, not a test; it needs PyTorch, which the tests do without
# What runs elsewhere: a script, and what WebAssembly is given to run
collect_ignore = ["tests/make_golden.py", "tests/wasm_audit.py", "tests/wasm_lessons.py"]

# The same examples in every run, so that none depends on luck; a busy machine does not make an answer wrong
fixed = settings(deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dlcourse", fixed)
# Others, and more of them: `make search` looks for bounds that only the fixed ones keep
settings.register_profile("search", fixed, derandomize=False, max_examples=2000)
settings.load_profile("dlcourse")


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace):
    doctest_namespace["np"] = np
