"""A network's parameters for examples in columns, from those for examples in rows."""

from dlcourse import backpropagation

from ...checks.exercise import Case, Exercise, Mistake, in_float32, slip
from ._shared import parameters

# --- solution -------------------------------------------------------------------------------------------------------


def columns_from_rows(params):
    return [(W.T.copy(), b[:, None].copy()) for W, b in params]


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    return [
        Case("two layers", (parameters(rng, 3, 4, 2),)),
        Case("as many neurons as inputs", (parameters(rng, 3, 3),)),
        Case("one neuron", (parameters(rng, 4, 1),)),
        in_float32(Case("", (parameters(rng, 2, 3),))),
        Case("four layers", (parameters(rng, 2, 5, 4, 3, 1),), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("bias_not_column", slip("b[:, None].copy()", "b.copy()"),
        "b is still a flat array. Added to WA, whose columns are examples, it would be laid along the examples; as a "
        "column (K, 1) it goes along the neurons."),
    Mistake("bias_as_row", slip("b[:, None]", "b[None, :]"),
        "b is a row (1, K). With examples as columns every column gets the same biases, so b stands upright."),
    Mistake("not_transposed", slip("W.T", "W"), "W is not transposed. In Z = WA one *row* belongs to a neuron."),
    Mistake("reshaped", slip("W.T", "W.reshape(W.shape[::-1])"),
        "`reshape` keeps the order of the numbers and only breaks the rows elsewhere. Rows are to become columns."),
    Mistake("layers_reversed", slip("in params", "in reversed(params)"),
        "The layers stay in their order; only each W and b changes its form."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def loop(params):
    made = []
    for W, b in params:
        made.append([[[float(W[i, j]) for i in range(len(W))] for j in range(len(b))], [[float(x)] for x in b]])
    return made


EXERCISE = Exercise("backpropagation.columns_from_rows", backpropagation.columns_from_rows, cases, MISTAKES,
    variants=[loop], solution=columns_from_rows, points=1,
    why="Half of the notes keep examples in columns; converting makes all of them readable.",
    hints=("A list comprehension over the pairs (W, b).",
           "`W.T` turns rows into columns; `b[:, None]` is a column."))  # fmt: skip
