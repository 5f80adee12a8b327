"""What several optimizers have in common: their cases, and mistakes that can be made in more than one rule."""

import numpy as np

from ...checks.exercise import Case, Mistake, enlarged, slip

# --- cases ----------------------------------------------------------------------------------------------------------


def gradients_of(rng, shape, count):
    """Gradients of varying size and sign."""
    return [size * rng.standard_normal(shape) for size in (1.0, 0.1, 3.0, 0.5, 2.0, 0.02)[:count]]


def optimizer_cases(name, **options):
    """Cases that every optimizer shares; `options` are values that no default has, for all arguments but lr."""

    def cases(rng):
        def case(label, shape=(4,), count=4, dtype=float, first=None, hidden=False, **how):
            gradients = gradients_of(rng, shape, count)
            if first is not None:
                gradients[0] = np.array(first)
            w = rng.standard_normal(shape).astype(dtype)
            extra = {"init": f"optimizers.{name}_init", "gradients": [g.astype(dtype) for g in gradients]}
            return Case(label, (w,), how, extra=extra, hidden=hidden)

        return [
            case("one step", count=1),
            case("four steps, gradients that change", first=[1.0, -2.0, 1e-6, -0.1]),
            case("another learning rate", shape=(3,), lr=0.25),
            *([case("every option other than its default", shape=(5,), lr=0.2, **options)] if options else []),
            enlarged(case("a matrix of weights", shape=(3, 2), lr=0.1), 0),
            case("float32, a matrix of one row", shape=(1, 4), dtype=np.float32, lr=0.5),
            case("a gradient that begins at zero", first=[0.0, 1.0, 0.0, -1.0], lr=0.1, **options),
            case("six steps", shape=(2,), count=6, lr=0.3, hidden=True),
        ]

    return cases


# --- hints ----------------------------------------------------------------------------------------------------------

UPHILL = "The step goes up the slope: the gradient points to where the loss grows. Which sign takes you down?"
MUTATES = "The caller's arrays are changed: `w -= …` and `dw *= …` write into them. `w = w - …` makes a new array."
STATE_MUTATES = "You write into the arrays of the state that you were given (`+=`, `*=`). Make new arrays, and a new state with `state._replace(…)`."
RECREATED = "What was gathered in the steps before is lost: each step starts from an empty state. Which line uses the old one, `state`?"


def damped_hint(factor):
    return f"You average, (1 − γ)g, as notes 001 do. Here the velocity adds up: the gradient's factor is {factor}, whatever γ is."


# --- mistakes of every rule, `return w - change, state` -------------------------------------------------------------


def ascent(change, remark=""):
    return Mistake("ascent", slip(f"return w - {change},", f"return w + {change},"), UPHILL + remark)


def mutates_weights(change):
    return Mistake("mutates_gradient", slip(f"return w - {change},", f"w -= {change}\n    return w,"), MUTATES)


# --- mistakes with a velocity, `return w - v, …` --------------------------------------------------------------------

VELOCITY_ASCENT = Mistake("ascent", slip("return w - v,", "return w + v,"),
    "w moves along +v, and v points where the gradients point: up. " + UPHILL)  # fmt: skip
LR_TWICE = Mistake("lr_twice", slip("return w - v,", "return w - lr * v,"),
    "The learning rate is in v already, and you multiply by it once more on the way to w.")  # fmt: skip
AVERAGED = "Your v is a moving average of the gradients, and the learning rate comes with the step, as in some courses. Here v adds up whole steps: nothing is averaged, and η stands inside v."
LR_OUTSIDE = "The learning rate is outside, w − ηv, as in PyTorch: the same path, another v. Here η is inside, so that v is a step."


# --- mistakes with an average of squares ----------------------------------------------------------------------------


def divisor_mistakes(r):
    """For rules that divide by √r + ε."""
    divisor = f"(np.sqrt({r}) + eps)"
    letter = "v̂" if r == "v_hat" else "r"
    return [
        Mistake("eps_inside", slip(divisor, f"np.sqrt({r} + eps)"),
            f"Here ε stands outside the root, √{letter} + ε. Yours is inside, √({letter} + ε), as in notes 001 (E14): "
            "small gradients then take other steps.", convention=True),
        Mistake("root_forgotten", slip(divisor, f"({r} + eps)"),
            "You divide by the squared size itself. Which power brings it back to the size of a gradient?"),
        Mistake("eps_missing", slip(divisor, f"np.sqrt({r})"),
            "Where no gradient has come yet you divide 0 by 0. What is ε for?"),
        Mistake("eps_fixed", slip(divisor, f"(np.sqrt({r}) + θ)", values=(1e-8, 1e-6)),
            "`eps` is an argument: it may differ from the default."),
    ]  # fmt: skip


PRECEDENCE = "The brackets: (ρ{r} + (1 − ρ)) is multiplied by {square} as a whole. Only the second summand is."
AVERAGE_PRECEDENCE = Mistake("adadelta_precedence", slip("rho * state.r + (1 - rho)", "(rho * state.r + (1 - rho))"),
    PRECEDENCE.format(r="r", square="g²"))  # fmt: skip
RHO_SWAPPED = Mistake("rho_swapped", slip("rho * state.r + (1 - rho)", "(1 - rho) * state.r + rho"),
    "ρ and 1 − ρ are exchanged: the larger share, ρ, is that of the old average.")  # fmt: skip


# --- mistakes in Adam's moments, for Adam and AdamW -----------------------------------------------------------------

ADAM_CHANGE = "lr * m_hat / (np.sqrt(v_hat) + eps)"
TO_POWER_OF_DIFFERENCE = ("(1 - beta1**t)", "(1 - beta1) ** t", "(1 - beta2**t)", "(1 - beta2) ** t")
WITHOUT_POWER = ("beta1**t", "beta1", "beta2**t", "beta2")
STORED = ("m=m, v=v", "m=m_hat, v=v_hat")

ADAM_MISTAKES = [
    Mistake("no_bias_correction", slip("m / (1 - beta1**t)", "m", "v / (1 - beta2**t)", "v"),
        "m and v are used as they are. They begin at 0 and are too small at first: where are the corrections, 1 − "
        "β^t?",
        also=[slip("    t = state.t + 1\n", "", "m / (1 - beta1**t)", "m", "v / (1 - beta2**t)", "v", "t=t, ", "")]),
    Mistake("correction_multiplied", slip("m / (1", "m * (1", "v / (1", "v * (1"),
        "You multiply by 1 − β^t. The averages are too small in the first steps: does the correction have to make them "
        "larger or smaller?"),
    Mistake("correction_base", slip(*TO_POWER_OF_DIFFERENCE),
        "You divide by (1 − β)^t, as notes 001 write it (E11). Only β is raised to the power t; compare both for t = "
        "1000."),
    Mistake("corrected_state_stored", slip(*STORED),
        "[The first step is right.] The corrected averages went into the state, and are corrected "
        "again next time. Keep m̂ and v̂ in separate variables."),
    Mistake("correction_base_and_stored", slip(*TO_POWER_OF_DIFFERENCE, *STORED),
        "This is the formula of notes 001 (E11), with two slips: the power t belongs to β alone, and the corrected "
        "averages must not go back into the state."),
    Mistake("t_before_increment", slip("beta1**t", "beta1**state.t", "beta2**t", "beta2**state.t"),
        "In the first step you divide by 1 − β⁰ = 0. Steps are counted from 1: raise t before you use it."),
    Mistake("t_frozen", slip(*WITHOUT_POWER),
        "[Right in the first step.] The correction is always that of t = 1, 1 − β. Where is the power t?"),
    Mistake("t_frozen_and_stored", slip(*WITHOUT_POWER, *STORED),
        "This is the formula of notes 000 (E01), with two slips: the correction lacks the power t, and the corrected "
        "averages must not go back into the state."),
    Mistake("step_not_counted", slip("t=t, ", ""),
        "t stays 0 in the state that you return, so every step is taken for the first one."),
    *divisor_mistakes("v_hat"),
    Mistake("moment_not_accumulated", slip("beta1 * state.m + ", ""),
        "m is a share of the current gradient alone. Where is what the steps before have gathered, β₁m?"),
    Mistake("square_of_mean", slip("dw**2", "m**2"),
        "v gathers m². It is the average of the squared gradients: take g itself, not its average."),
    Mistake("velocity_recreated", slip("beta1 * state.m + ", "", "beta2 * state.v + ", "", "t = state.t + 1", "t = 1"),
        RECREATED),
    ascent(ADAM_CHANGE, " (Notes 002 slip here, E18.)"),
    Mistake("square_forgotten", slip("dw**2", "np.abs(dw)"),
        "v gathers |g|. The root that is taken of it later wants squares."),
    Mistake("eps_before_correction", slip("+ eps)", "+ eps / (1 - beta2**t) ** 0.5)"),
        "You add ε to √v and correct afterwards, as TensorFlow does. Here ε is added to √v̂, which is corrected "
        "already.", convention=True),
    Mistake("mutates_state",
        slip("m = beta1 * state.m + (1 - beta1) * dw", "m = state.m\n    m *= beta1\n    m += (1 - beta1) * dw",
             "v = beta2 * state.v + (1 - beta2) * dw**2", "v = state.v\n    v *= beta2\n    v += (1 - beta2) * dw**2"),
        STATE_MUTATES),
]  # fmt: skip
