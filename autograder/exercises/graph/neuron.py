"""One neuron as a graph: products, a sum, a sigmoid."""

import numpy as np

from dlcourse.activations import sigmoid

from ...checks.exercise import Case, Exercise, Mistake, enlarged, slip
from ._shared import AT_OUTPUT

# --- reference ------------------------------------------------------------------------------------------------------


def neuron_forward(w, x, b):
    """One neuron as a graph: `L = σ(wᵀ x + b)`.

    Parameters
    ----------
    w, x : (n,) arrays, weights and inputs.
    b : number, the bias.

    Returns
    -------
    L : a number.
    cache : whatever `neuron_backward` needs.
    """
    L = sigmoid(np.sum(w * x) + b)
    return L, (w, x, L)


def neuron_backward(dL, cache):
    """The flow through the neuron, from its output back to the weights, the inputs and the
    bias.

    Parameters
    ----------
    dL : number, the flow that arrives at the output.
    cache : from `neuron_forward`.

    Returns
    -------
    dw, dx : (n,) arrays. db : a number.
    """
    w, x, L = cache
    du = dL * L * (1 - L)
    return du * x, du * w, du


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, n, dout, **options):
        # Sizes bounded so that the neuron stays where its derivative is not tiny
        w = rng.uniform(0.3, 0.9, n) * np.where(np.arange(n) % 2, -1.0, 1.0)
        return Case(name, (w, rng.uniform(1.1, 1.9, n), float(rng.uniform(0.2, 0.4))), dout=dout, **options)

    w, x, b = case("", 4, 0.0).args
    return [
        case("three inputs", 3, 1.0),
        Case("the numbers of the lesson", (np.array([2.0, -3.0]), np.array([-1.0, -2.0]), -3.0), dout=1.0),
        case("a flow of −2.5", 4, -2.5),
        enlarged(case("one input", 1, 0.5)),
        Case("float32, large weights", ((2**14 * w).astype(np.float32), (x / 2**14).astype(np.float32), b), dout=0.5),
        case("six inputs", 6, 1.75, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("exp_uses_input", slip("(w, x, L)", "(w, x, np.sum(w * x) + b)"),
        "The sigmoid's slope is L(1 − L), with its output in it. You put in the preactivation."),
    Mistake("derivative_omitted", slip("dL * L * (1 - L)", "dL"),
        "The flow reaches the sum without having passed the sigmoid. Every gate on the way scales it."),
    Mistake("derivative_at_output", slip("dL * L * (1 - L)", "dL * sigmoid(L) * (1 - sigmoid(L))"), AT_OUTPUT),
    Mistake("flow_forgotten", slip("dL * ", ""),
        "[Right for dL = 1.] Here the neuron is a part of something larger: what arrives, dL, goes into every flow."),
    Mistake("product_not_crossed", slip("du * x, du * w", "du * w, du * x"),
        "Weights and inputs have changed places: the flow to w_i is scaled by the other factor of the product."),
    Mistake("bias_before_the_gate", slip("du * w, du", "du * w, dL"),
        "The bias gets what arrives at the output. It enters before the sigmoid, so its flow passes the sigmoid, too."),
    Mistake("bias_without_flow", slip("du * w, du", "du * w, 0.0"),
        "The bias gets nothing, and so could never learn. It is an input of the sum like every product."),
    Mistake("flow_split", slip("du * x, du * w", "du * x / len(x), du * w / len(w)"),
        "The sum does not divide its flow by the number of its inputs: it hands all of it to each."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def loop_forward(w, x, b):
    u = b
    for weight, value in zip(w, x, strict=True):
        u = u + weight * value
    z = float(sigmoid(u))
    return z, {"w": w, "x": x, "slope": z - z * z}


def loop_backward(dL, cache):
    flow = dL * cache["slope"]
    return [flow * value for value in cache["x"]], [flow * weight for weight in cache["w"]], float(flow)


def einsum_forward(w, x, b):
    u = np.einsum("i,i->", w, x) + b
    return 0.5 + 0.5 * np.tanh(0.5 * u), (w, x, u)


def einsum_backward(dL, cache):
    w, x, u = cache
    du = dL * 0.25 / np.cosh(0.5 * u) ** 2
    return np.multiply(x, du), np.multiply(w, du), du


EXERCISE = Exercise("graph.neuron", (neuron_forward, neuron_backward), cases, MISTAKES,
    variants=[(loop_forward, loop_backward), (einsum_forward, einsum_backward)], points=2,
    why="Products, a sum and a sigmoid: the gates put together, and already the whole gradient of a neuron.",
    hints=("Draw it: n products, one sum with the bias, one sigmoid. Then go back gate by gate.",
           "After the sigmoid's gate you hold one number, the flow at the sum. Give it a name.",
           "The sum passes it on to every product and to the bias; each product crosses it over."))  # fmt: skip
