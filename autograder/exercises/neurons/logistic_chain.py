"""The logistic neuron's gradient for one example, link by link, as the notes' table has it."""

import numpy as np

from dlcourse.activations import sigmoid

from ...checks.exercise import Case, Exercise, Mistake, enlarged, slip

# --- reference ------------------------------------------------------------------------------------------------------


def logistic_chain(x, d, w, b):
    """The chain of gradients of the logistic neuron for a single example.

    `z = wᵀ x + b`, `y = σ(z)`, `L = −(d log y + (1 − d) log(1 − y))`.

    Parameters
    ----------
    x : (D,) array, one example.
    d : number, its target.
    w : (D,) array. b : number.

    Returns
    -------
    dy : number `∂L/∂y`. dz : number `∂L/∂z`. dw : (D,) array. db : number.
    """
    z = np.sum(w * x) + b
    y = sigmoid(z)
    dy = (1 - d) / (1 - y) - d / y
    dz = dy * y * (1 - y)
    return dy, dz, dz * x, dz


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, D, d, **options):
        # Bounded, so that 1 − y keeps its digits; apart from each other, so that no factor hides
        w = rng.uniform(0.3, 0.8, D) * np.where(np.arange(D) % 2, -1.0, 1.0)
        return Case(name, (rng.uniform(1.1, 1.9, D), d, w, float(rng.uniform(0.2, 0.4))), **options)

    x, _, w, b = case("", 4, 0).args
    return [
        case("three inputs, class 1", 3, 1),
        case("three inputs, class 0", 3, 0),
        enlarged(case("one input, class 1", 1, 1), 0, small=(2,)),
        Case("float32, class 0", (x.astype(np.float32), 0, w.astype(np.float32), float(np.float32(b)))),
        case("a target of 0.25", 2, 0.25),
        Case("sure and wrong, z = −8", (np.array([2.0, -1.0]), 1, np.array([-2.5, 2.5]), -0.5)),
        Case("inputs of 0", (np.zeros(3), 1, np.array([1.0, -2.0, 0.5]), 0.75)),
        case("six inputs, class 0", 6, 0, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

DY, DZ = "(1 - d) / (1 - y) - d / y", "dy * y * (1 - y)"

MISTAKES = [
    Mistake("cost_sign", slip(DY, "d / y - (1 - d) / (1 - y)"),
        "All four have the wrong sign: this is the gradient of the log-likelihood. The notes leave the loss's minus "
        "out (E08). For d = 1, should y grow or fall in a step *against* the gradient?"),
    Mistake("inner_sign", slip(DY, "-(1 - d) / (1 - y) - d / y"),
        "[Right for d = 1.] The inner derivative of log(1 − y) is −1, and the loss has a minus in front: which sign is "
        "left?"),
    Mistake("negative_class_ignored", slip(DY, "-d / y"),
        "[Right for d = 1.] The term (1 − d) log(1 − y) of the loss has a derivative, too."),
    Mistake("gradient_by_logit_first", slip(DY, "y - d"),
        "y − d is ∂L/∂z, the whole way to z at once. The first link, ∂L/∂y, is the derivative of the loss alone: two "
        "fractions.",
        also=[slip(DY, "y - d", DZ, "dy")]),
    Mistake("derivative_omitted", slip(DZ, "dy"),
        "[dy is right.] From y back to z stands the sigmoid: its slope multiplies the flow."),
    Mistake("input_for_output", slip(DZ, "dy * z * (1 - z)"),
        "[dy is right.] The sigmoid's slope is y(1 − y), with its output in it. You put in z."),
    Mistake("derivative_at_output", slip(DZ, "dy * sigmoid(y) * (1 - sigmoid(y))"),
        "[dy is right.] The sigmoid is applied twice: y is its output already."),
    Mistake("tanh_derivative", slip(DZ, "dy * (1 - y**2)"),
        "[dy is right.] The slope of tanh is 1 − y². The sigmoid's is another."),
    Mistake("weights_for_inputs", slip("dz * x", "dz * w"),
        "[dy and dz are right.] The flow to a weight is scaled by what that weight is multiplied by."),
    Mistake("flow_forgotten", slip("dz * x, dz", "x, 1.0"),
        "[dy and dz are right.] These are the local derivatives ∂z/∂w and ∂z/∂b. The chain rule multiplies them with "
        "what arrives, dz."),
    Mistake("sigmoid_skipped", slip("dz * x, dz", "dy * x, dy"),
        "[dy and dz are right.] Weights and bias enter before the sigmoid: dz is what arrives there."),
    Mistake("bias_before_the_gate", slip("dz * x, dz", "dz * x, dy"),
        "[The other three are right.] The bias enters before the sigmoid, like the weights: which flow arrives there?"),
    Mistake("weights_summed", slip("dz * x, dz", "np.sum(dz * x), dz"),
        "[The other three are right.] Each weight has its gradient: dw has the shape of w, nothing is summed over the "
        "inputs."),
    Mistake("bias_forgotten", slip(" + b", ""), "Part of z = wᵀx + b is missing."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def fused(x, d, w, b):
    y = 1 / (1 + np.exp(-(w @ x + b)))
    return (y - d) / (y * (1 - y)), y - d, (y - d) * x, y - d


def loop(x, d, w, b):
    z = float(b)
    for weight, value in zip(w, x, strict=True):
        z += float(weight) * float(value)
    y = float(sigmoid(z))
    dy = -d / y + (1 - d) / (1 - y)
    dz = dy * float(sigmoid(z)) * float(sigmoid(-z))
    return dy, dz, [dz * float(value) for value in x], dz


EXERCISE = Exercise("neurons.logistic_chain", logistic_chain, cases, MISTAKES, variants=[fused, loop], points=2,
    why="Three links, each simple; together two fractions and a product shrink to y − d, which is all that the next "
        "exercise needs.",
    hints=("Forward first: z, then y. Both are needed on the way back.",
           "∂L/∂y: the derivatives of −d log y and of −(1 − d) log(1 − y), one after the other.",
           "Each further gradient is the one before it times one local derivative: y(1 − y), then x, then "
           "1."))  # fmt: skip
