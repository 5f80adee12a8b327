"""How fast the references are, beside what a reader would otherwise use: `python -m benchmarks`."""
