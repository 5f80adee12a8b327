"""A network's parameters for examples in rows, from those for examples in columns."""

from dlcourse import backpropagation

from ...checks.exercise import Case, Exercise, Mistake, by_columns, in_float32, slip
from ._shared import parameters

# --- solution -------------------------------------------------------------------------------------------------------


def rows_from_columns(params):
    return [(W.T.copy(), b[:, 0].copy()) for W, b in params]


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def upright(*sizes):
        return ([(W.T.copy(), b[:, None]) for W, b in parameters(rng, *sizes)],)

    return [
        by_columns(Case("two layers", upright(3, 4, 2))),
        Case("as many neurons as inputs", upright(3, 3)),
        Case("one neuron", upright(4, 1)),
        in_float32(Case("", upright(2, 3))),
        Case("four layers", upright(2, 5, 4, 3, 1), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("bias_still_column", slip("b[:, 0].copy()", "b.copy()"),
        "b is still a column (K, 1). Added to XW, whose rows are examples, it would be laid along the examples; flat, "
        "(K,), it goes along the neurons."),
    Mistake("bias_as_row", slip("b[:, 0].copy()", "b.T.copy()"),
        "b is a row (1, K), with two axes. Here it is flat, (K,), with one."),
    Mistake("squeezed", slip("b[:, 0].copy()", "b.squeeze()"),
        "[Right for several neurons.] `squeeze` takes away *every* axis of length 1: the bias of a single neuron "
        "becomes a number without an axis."),
    Mistake("first_bias_only", slip("b[:, 0].copy()", "b[0].copy()"),
        "`b[0]` is the first *row*, one bias. You want the first column."),
    Mistake("not_transposed", slip("W.T", "W"), "W is not transposed. In Z = XW one *column* belongs to a neuron."),
    Mistake("reshaped", slip("W.T", "W.reshape(W.shape[::-1])"),
        "`reshape` keeps the order of the numbers and only breaks the rows elsewhere. Columns are to become rows."),
    Mistake("layers_reversed", slip("in params", "in reversed(params)"),
        "The layers stay in their order; only each W and b changes its form."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def loop(params):
    made = []
    for W, b in params:
        K, D = W.shape
        made.append(([[float(W[k, i]) for k in range(K)] for i in range(D)], [float(b[k, 0]) for k in range(K)]))
    return made


def flattened(params):
    return [[W.transpose(), b.ravel()] for W, b in params]


EXERCISE = Exercise("backpropagation.rows_from_columns", backpropagation.rows_from_columns, cases, MISTAKES,
    variants=[loop, flattened], solution=rows_from_columns, points=1,
    why="Weights that were saved by a program with examples in columns load without a complaint and compute nonsense, "
        "where two layers are equally wide.",
    hints=("The other exercise backwards: what undoes a transpose?",
           "`b[:, 0]` is the only column of b, without its second axis."))  # fmt: skip
