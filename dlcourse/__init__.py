"""Reference implementations for a deep-learning course, in NumPy.

Every topic is one module; `TOPICS` lists them in course order. A module is imported when
it is first used::

    import dlcourse

    u = dlcourse.neurons.preactivation(X, w, b)

Conventions of all modules:

- Examples are rows; X (N, D), images (N, H, W, C), sequences (N, T, D).
- Arrays of float32 give float32, float64 gives float64; whole numbers count as float64.
  Python numbers beside an array, targets and labels never decide.
- Inputs are never changed, and results are never views of them.
- `rng` is a numpy.random.Generator, or a whole number as the seed of a new one.
- NaN is computed through: every sum or product that it enters is NaN. A comparison with
  NaN is false, so a predicted class, a step or a mask treats it as not greater. Where
  values have a range (probabilities, targets), NaN is outside and raises ValueError.
- Bad input raises ValueError or TypeError that names the argument, what was expected and
  what came.
"""

import importlib

__version__ = "0.1.0"

TOPICS = (
    "neurons",
    "layers",
    "activations",
    "graph",
    "backpropagation",
    "initializers",
    "optimizers",
    "regularization",
    "normalization",
    "convolution",
    "recurrent",
    "attention",
    "training",
)


def __getattr__(name):
    module = f"{__name__}.{name}"
    if not name.startswith("_"):
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    import pkgutil  # for completion only: it takes longer than all the rest of this module

    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(["TOPICS", "__version__", *(name for name in modules if not name.startswith("_"))])
