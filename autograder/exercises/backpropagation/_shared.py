"""What several exercises on backpropagation have in common: parameters, functions to differentiate, hints."""

from itertools import pairwise

import numpy as np

# --- data -----------------------------------------------------------------------------------------------------------


def parameters(rng, *sizes):
    """Weights for layers of these sizes; the biases are not zero, so that none can be left out unnoticed."""
    return [
        (rng.standard_normal((n_in, n_out)) / np.sqrt(n_in), rng.uniform(0.2, 0.8, n_out))
        for n_in, n_out in pairwise(sizes)
    ]


def differentiate_driver(functions, case):
    """Calls for the gradient of one of the functions below, which are fit for real and for complex arrays."""
    (differentiate,) = functions

    def weighed(x, power):
        return np.sum(np.arange(1, x.size + 1) * x.ravel() ** power)

    known = {
        "squares": lambda x: weighed(x, 2),
        "cubes": lambda x: weighed(x, 3),
        "exponentials": lambda x: np.sum(np.exp(0.5 * x)) + weighed(x, 1),
        "products": lambda x: np.sum(np.sin(x.ravel()) * np.roll(x.ravel(), 1)),
        "softplus of a sum": lambda x: np.log(1.0 + np.exp(weighed(x, 1) / x.size)),
    }
    name, x = case.args
    yield "", differentiate(known[name], x, **case.kwargs)


# --- hints ----------------------------------------------------------------------------------------------------------

AT_ACTIVATION = (
    "g′ is taken at the activation. It belongs to the preactivation Z, where g itself was applied: which of the two did "
    "you put in?"
)
NO_BIAS = "The biases' gradients are zero, so the biases would never learn. A bias adds the same to every example of its neuron."
BIAS_EARLY = "The bias gradient is summed before the factor g′(Z). The bias enters before the activation, so its gradient comes from δ, after that factor."
DOT = "A matrix product stands where the notes write ⊙. g′(Z) multiplies entry by entry: each neuron of each example has a different slope."
BIAS_KEPT = "The bias gradient has a row for every example. The bias is one for all of them: sum over the examples."
NO_DERIVATIVE = (
    "The error goes back through the weights, but not through the activation: its slope is missing as a factor."
)
MEAN = "You divide by the number of examples. Here gradients are sums; a mean comes in with dU."
ALL_AT_ONCE = "All entries are moved together, so every entry gets the sum of the slopes. Move one entry at a time and leave the others where they are."
COPY = "[Right where an array lies in memory row by row.] Of any other array `reshape(-1)` and `ravel()` are copies, and what you write there is lost. `np.ndindex(x.shape)` goes through the places of every array."
FLAT = "[The numbers are right.] They stand in a row. The gradient has the shape of x; `np.ndindex(x.shape)` goes through the places of an array of any shape."
ONE_SIDED = (
    "This is a forward difference: its error shrinks with ε only. Evaluate on both sides of x, and it shrinks with ε²."
)
