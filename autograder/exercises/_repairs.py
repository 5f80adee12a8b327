"""What the repairs have in common: a student mends two functions, with one planted bug and with three, and says where they were."""

from ..checks.exercise import Case

# Of the sums, by which rounding is bounded; some scores are in thousands
LENGTH = 2**14

LOOK = "Move one entry of an input by a little h, and compare (loss(x + h) − loss(x − h))/2h with the gradient that comes back."


def repair_cases(one, three, outputs, beside):
    """The cases of a repair with one bug in its first function and three in its second.

    one, three : lists of (name, arguments, hidden), for either function. outputs : {name: place} of the values of the second
    function that are asked one by one: what a planted bug makes wrong. beside : {name: place} of its other values, which are
    right as given; they are asked with the last one, so that mending does not break them.
    """
    made = [
        Case(f"one bug, {name}", args, extra={"which": 0}, weight=2.0 / len(one), hidden=hidden, sum_length=LENGTH)
        for name, args, hidden in one
    ]
    weight = 4.0 / len(three) / len(outputs)
    together = [{name: place} for name, place in outputs.items()]
    together[-1] |= beside
    made += [
        Case(
            f"three bugs, {' and '.join(values)}, {name}",
            args,
            extra={"which": 1, "outputs": values},
            weight=weight,
            hidden=hidden,
            sum_length=LENGTH,
        )
        for name, args, hidden in three
        for values in together
    ]
    # Which lines they are is told in grading: here a student could try one line after the other
    asked = {"which": 2, "counts": [1, 3]}
    made.append(Case("how many places", extra=asked, weight=0.0))
    bugs = {
        "the one bug": (0, 0),
        "the first of three": (1, 0),
        "the second of three": (1, 1),
        "the third of three": (1, 2),
    }
    made += [Case(f"the line of {name}", extra=asked | {"bug": bug}, hidden=True) for name, bug in bugs.items()]
    return made
