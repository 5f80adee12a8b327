"""What several exercises on recurrent networks have in common: data, and the mistakes made through time or in a cell."""

import numpy as np

from ...checks.exercise import Mistake

# --- data -----------------------------------------------------------------------------------------------------------


def weights(rng, D, H, gates, biases):
    """Wx, Wh and the biases of `gates` gates: large enough for gates that differ, small enough to leave them open."""
    scale = 1.0 / np.sqrt(H)
    products = [0.8 * rng.standard_normal((D, gates * H)), scale * rng.standard_normal((H, gates * H))]
    return *products, *(0.5 * rng.standard_normal(gates * H) for _ in range(biases))


def sequence(rng, N, T, D, H, gates=1, biases=1, states=1):
    """The arguments of a forward pass over sequences; no state and no bias is zero, so that none goes unnoticed."""
    start = [rng.standard_normal((N, H)) for _ in range(states)]
    return rng.standard_normal((N, T, D)), *start, *weights(rng, D, H, gates, biases)


def step(rng, N, D, H, gates, biases, states):
    """The arguments of one step of a cell."""
    before = [rng.standard_normal((N, H)) for _ in range(states)]
    return rng.standard_normal((N, D)), *before, *weights(rng, D, H, gates, biases)


# --- mistakes -------------------------------------------------------------------------------------------------------

THROUGH_TIME = {
    "upstream_state_dropped": "Each step gets only what the loss asks of it directly. A state also feeds the step after it: what comes back from there belongs to its gradient, too.",
    "per_step_grad_dropped": "Only the last step's `dH` is used. The loss may look at every state: each step has its own `dH[:, t]`, besides what comes back from the step after it.",
    "off_by_one_state": "Wh multiplied the state *before* the step. Which of the states did you put into its gradient? Look at the first step, too: there it is `h0`, while an index of t − 1 = −1 takes the very last state.",
    "weights_overwritten": "Your weights' gradients are those of the first step alone: the later ones were written over. The same weights work at every step, so what do their gradients do?",
    "steps_not_reversed": "[The numbers of `dX` are right.] They stand in reverse: you walk from the last step to the first, and the list grows in that order.",
    "initial_state_ignored": "The sequence does not have to begin at a state of zero: `h0` is given.",
    "state_not_carried": "Every step starts from `h0`. What does the second step remember of the first?",
    "mutates_gradient": "`dH[:, t] += …` writes into the caller's array. Make a new one: `dH[:, t] + …`.",
    "mean_for_sum": "You divide by the number of sequences. If the loss is a mean, that factor is in `dH` already; the backward pass only adds up.",
}


def through_time(**slips):
    """The mistakes of a loop over the steps; a list holds several ways of making one."""
    made = []
    for slug, ways in slips.items():
        first, *also = ways if isinstance(ways, list) else [ways]
        made.append(Mistake(slug, first, THROUGH_TIME[slug], convention=slug == "mean_for_sum", also=also))
    return made


# --- hints ----------------------------------------------------------------------------------------------------------

VALUE_FOR_SLOPE = "Going back through a sigmoid or a tanh needs its slope. You multiply with its value."
SIGMOID_FOR_CANDIDATE = "The gates run from 0 to 1, the candidate from −1 to 1: which function does that?"
SIGMOID_SLOPE = "s(1 − s) is the sigmoid's slope. The candidate went through tanh."
STATE_AFTER = "Wh multiplied the state *before* the step. You put the one after it into its gradient."
MEAN = "You divide by the number of examples. If the loss is a mean, that factor is in the upstream gradient already; the backward pass only adds up."
