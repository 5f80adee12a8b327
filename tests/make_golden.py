"""Make the golden files: PyTorch's results on fixed inputs, for the tests that run where it is not installed.

python tests/make_golden.py             every operation with an oracle
python tests/make_golden.py neurons     those whose name begins so
"""

import sys

import numpy as np
import torch
from common import GOLDEN, flatten, operations, run_torch

from dlcourse._array import is_array


def main(prefixes):
    GOLDEN.mkdir(exist_ok=True)
    for op in operations():
        if op.oracle is None or not any(op.name.startswith(prefix) for prefix in prefixes or [""]):
            continue
        inputs = op.inputs(np.random.default_rng(0))
        stored = {f"input:{name}": x for name, x in flatten(inputs).items() if is_array(x)}
        stored |= {f"result:{path}": x for path, x in run_torch(op, inputs, torch).items()}
        np.savez_compressed(GOLDEN / f"{op.name}.npz", **stored)
        print(op.name)


if __name__ == "__main__":
    main(sys.argv[1:])
