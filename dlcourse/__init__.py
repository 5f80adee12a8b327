"""Reference implementations for a deep-learning course, in NumPy.

Every topic is one module; `TOPICS` lists them in course order::

    from dlcourse import neurons
    u = neurons.preactivation(X, w, b)
"""

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
