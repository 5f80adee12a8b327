"""How many inputs feed one neuron, and how many neurons one input feeds."""

import numpy as np

from dlcourse import initializers

from ...checks.exercise import Case, Exercise, Mistake, slip

# --- solution -------------------------------------------------------------------------------------------------------


def fans(shape):
    field = int(np.prod(shape[:-2]))
    return field * shape[-2], field * shape[-1]


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    return [
        Case("a linear layer", ((784, 10),)),
        Case("filters of 3 by 3", ((3, 3, 16, 32),)),
        Case("filters that are not square", ((2, 5, 4, 3),)),
        Case("one by one", ((1, 1, 8, 6),), weight=0.5),
        Case("one neuron", ((12, 1),), weight=0.5),
        Case("one channel", ((5, 4, 1, 6),), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("field_ignored", slip("int(np.prod(shape[:-2]))", "1"),
        "[Right for a linear layer.] A filter's neuron sees kh·kw positions of every input channel: all of them feed "
        "it."),
    Mistake("first_two_axes", slip("field * shape[-2], field * shape[-1]", "shape[0], shape[1]"),
        "You read the first two axes, which for filters are their height and width."),
    Mistake("fan_swapped", slip("field * shape[-2], field * shape[-1]", "field * shape[-1], field * shape[-2]"),
        "Inputs and outputs have changed places: fan_in comes first."),
    Mistake("field_on_one_side", slip("field * shape[-1]", "shape[-1]"),
        "[fan_in is right.] One input, too, feeds kh·kw positions of every output channel."),
    Mistake("channels_first", slip("shape[:-2]", "shape[2:]", "shape[-2]", "shape[1]", "shape[-1]", "shape[0]"),
        "You read the shape as (c_out, c_in, kh, kw), PyTorch's order. Here it is (kh, kw, c_in, c_out).",
        convention=True),
    Mistake("whole_size", slip("field * shape[-2], field * shape[-1]", "int(np.prod(shape)), int(np.prod(shape))"),
        "This is the number of all weights, not of those of one neuron."),
    Mistake("width_ignored", slip("int(np.prod(shape[:-2]))", "shape[0] if len(shape) == 4 else 1"),
        "The field is as wide as it is high only where it is square."),
    Mistake("field_added", slip("int(np.prod(shape[:-2]))", "sum(shape[:-2]) or 1"),
        "A field of 3 by 3 has 9 positions, not 6."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def unpacked(shape):
    *field, n_in, n_out = shape
    for size in field:
        n_in, n_out = n_in * size, n_out * size
    return n_in, n_out


def divided(shape):
    size = int(np.prod(shape))
    return [size // shape[-1], size // shape[-2]]


EXERCISE = Exercise("initializers.fans", initializers.fans, cases, MISTAKES, variants=[unpacked, divided],
    solution=fans, points=1,
    why="Every initializer below asks how many numbers one neuron adds up.",
    hints=("How many numbers does one neuron of a 3 by 3 filter over 16 channels add up?",
           "The last two entries of the shape are the channels; all before them multiply both."))  # fmt: skip
