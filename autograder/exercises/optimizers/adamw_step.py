"""AdamW: Adam with the weight decay beside the step, not in the gradient."""

import numpy as np

from dlcourse import optimizers

from ...checks.exercise import Exercise, Mistake, slip, steps
from . import adam_step as adam
from ._shared import ADAM_CHANGE, ADAM_MISTAKES, MUTATES, optimizer_cases

# --- solution -------------------------------------------------------------------------------------------------------


def adamw_step(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    t = state.t + 1
    m = beta1 * state.m + (1 - beta1) * dw
    v = beta2 * state.v + (1 - beta2) * dw**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    w = (1 - lr * weight_decay) * w
    return w - lr * m_hat / (np.sqrt(v_hat) + eps), state._replace(t=t, m=m, v=v)


# --- mistakes -------------------------------------------------------------------------------------------------------

DECAY = "    w = (1 - lr * weight_decay) * w\n"
PENALTY = ("    t = ", "    dw = dw + weight_decay * w\n    t = ")

MISTAKES = [
    Mistake("l2_in_gradient", slip(DECAY, "", *PENALTY),
        "The decay went into the gradient, and is then divided by √v̂ with it: that is Adam with an L2 penalty. Here "
        "the weights shrink by themselves, beside Adam's step."),
    Mistake("l2_in_gradient_too", slip(*PENALTY),
        "The weights decay twice: once by themselves, and once through the gradient. Adam gets the gradient of the "
        "loss alone."),
    Mistake("decay_without_lr", slip("1 - lr * weight_decay", "1 - weight_decay"),
        "You shrink by 1 − λ, as the paper does, where λ does not include the learning rate. Here, as in PyTorch, the "
        "factor is 1 − ηλ.", convention=True),
    Mistake("penalty_subtracted", slip("1 - lr * weight_decay", "1 + lr * weight_decay"),
        "The weights grow. Decay pulls them towards 0: which sign does that?"),
    Mistake("decay_after_step", slip(DECAY, "", f"w - {ADAM_CHANGE}", f"(1 - lr * weight_decay) * (w - {ADAM_CHANGE})"),
        "You decay after Adam's step, and so also the step itself. Here w is shrunk first: the decay sees the old "
        "weights.", convention=True),
    Mistake("decay_forgotten", slip(DECAY, ""), "This is Adam without the decay: `weight_decay` is not used."),
    Mistake("only_decay_kept", slip("(1 - lr * weight_decay)", "lr * weight_decay"),
        "Of the old weights only the part ηλ remains. That is the part that is taken away."),
    *ADAM_MISTAKES,
    Mistake("mutates_gradient", slip(DECAY, "    w *= 1 - lr * weight_decay\n"), MUTATES),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def calls_adam(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    moved, state = adam.adam_step(w, dw, state, lr, beta1, beta2, eps)
    return moved - lr * weight_decay * w, state


def loop(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    return adam.loop(w - weight_decay * lr * w, dw, state, lr, beta1, beta2, eps)


EXERCISE = Exercise("optimizers.adamw_step", optimizers.adamw_step,
    optimizer_cases("adamw", beta1=0.7, beta2=0.9, eps=0.05, weight_decay=0.4), MISTAKES, variants=[calls_adam, loop],
    solution=adamw_step, points=2,
    why="A penalty in the gradient is rescaled by Adam until it hardly matters; decay beside it is not.",
    hints=("Adam's part does not change, and does not know of the decay. You may call your own `adam_step`.",
           "Shrink w by a factor a little below 1, then let Adam move what remains.",
           "λ never enters dw, m or v."),
    driver=steps)  # fmt: skip
