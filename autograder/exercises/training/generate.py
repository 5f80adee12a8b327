"""Writing: a model of sequences that goes on from a beginning, symbol by symbol."""

import numpy as np

from dlcourse import training
from dlcourse.activations import softmax

from ...checks.drivers import WrongAnswer, kind
from ...checks.exercise import Case, Exercise, Mistake, Named, Rng, slip

# --- solution -------------------------------------------------------------------------------------------------------


def generate(net, prompt, length, rng, temperature=1.0):
    ids = np.atleast_2d(prompt)
    N, T = ids.shape
    kept = None
    for t in range(T + length - 1):
        u, kept = net.step(ids[:, t : t + 1], kept)
        if t < T - 1:
            # The prompt is given: what the network expects there is not asked
            continue
        if temperature == 0:
            new = np.argmax(u[:, -1], axis=-1)
        else:
            P = softmax(u[:, -1] / temperature)
            new = [rng.choice(len(p), p=p) for p in P]
        ids = np.concatenate([ids, np.reshape(new, (N, 1))], axis=-1)
    return ids.reshape(*np.shape(prompt)[:-1], -1)


# --- cases ----------------------------------------------------------------------------------------------------------

# Two samples of 700 differ in a share p by √(2 p (1 − p)/700), at most 0.027. At τ = 3 the largest share is 0.52 and three tenths
# of it are allowed, at τ = 1 it is 0.84 and 0.15 of it is: five times as much. Every mistake is off by more than as much again.
SAMPLES = 700


def cases(rng):
    def case(name, net, prompt, length, tolerance=None, hidden=False, **options):
        args = (net, np.array(prompt), length, Rng(int(rng.integers(1000))))
        extra = {"Network": Named("training.Network"), "seed": int(rng.integers(1000))}
        return Case(name, args, options, extra=extra, tolerance=tolerance, hidden=hidden)

    many, each = np.tile([2, 0], (SAMPLES, 1)), np.arange(3 * SAMPLES)[:, None] % 3
    return [
        case("τ = 0, a recurrent network", "rnn", rng.integers(0, 4, 5), 20, temperature=0),
        case("τ = 0, a transformer and three prompts", "transformer", rng.integers(0, 4, (3, 4)), 10, temperature=0),
        case("τ = 0, one symbol after one", "rnn", [[3]], 1, temperature=0),
        case("τ = 1, many times the same prompt", "table", many, 2, tolerance=0.15),
        case("τ = ½, many times the same prompt", "table", many, 1, tolerance=0.15, temperature=0.5),
        case("τ = 3, many times each symbol", "table", each, 1, tolerance=0.3, temperature=3.0),
        case("τ = 0, five prompts", "rnn", rng.integers(0, 4, (5, 3)), 12, temperature=0, hidden=True),
    ]


def generate_driver(functions, case):
    """Builds the network, lets the answer write with it, and counts the symbols that go through the network."""
    (generate,) = functions
    name, prompt, length, rng = case.args
    layers = {
        "rnn": [("embedding", 4, 6), ("rnn", 6, 8), ("linear", 8, 4)],
        "transformer": [
            ("embedding", 4, 6),
            ("positions", 6),
            ("transformer_block", 6, 2, 8, {"causal": True}),
            ("linear", 6, 4),
        ],
        "table": [("embedding", 3, 3), ("linear", 3, 3)],
    }
    net = case.extra["Network"](layers[name], rng=np.random.default_rng(case.extra["seed"]))
    if name == "table":
        # The next symbol's probabilities, a row for each symbol
        P = np.array([[0.08, 0.84, 0.08], [0.08, 0.08, 0.84], [0.84, 0.08, 0.08]])
        net.params["embedding_0"]["E"][...] = np.eye(3)
        net.params["linear_1"]["W"][...] = np.log(P)
    if name == "rnn":
        # What it writes depends on all that it has read
        net.params["rnn_1"]["Wh"][...] *= 2.0
    count = [0]

    def counted(method):
        def call(x, *more, **options):
            count[0] += np.shape(x)[-1]
            return method(x, *more, **options)

        return call

    net.step, net.forward = counted(net.step), counted(net.forward)

    def run(prompt, rng):
        ids = generate(net, prompt, length, rng, **case.kwargs)
        array = np.asarray(ids) if isinstance(ids, np.ndarray | list | tuple) else None
        if array is None or array.dtype.kind not in "iuf":
            raise WrongAnswer(f"the function returns the symbols, the prompt's first; yours returned {kind(ids)}")
        return array

    ids = run(prompt, rng)
    through = count[0]
    told = "none"
    if case.kwargs.get("temperature") != 0:
        few = [run(prompt[:20], np.random.default_rng(seed)) for seed in (1, 1, 2)]
        again, other = np.array_equal(few[0], few[1]), np.array_equal(few[0], few[2])
        told = "decided by rng" if again and not other else "not decided by rng"
    yield "what it writes", {"symbols": ids, "random numbers": told}
    # The last symbol need not go through it; nothing is wrong if it does
    most = np.shape(prompt)[-1] + length
    yield "what it costs", "each symbol goes through once" if through <= most else "symbols go through again and again"


def measure(value, case):
    """At τ = 0 the symbols themselves; else how often each follows, at each place and after each of the last symbols."""
    if isinstance(value, str) or case.kwargs.get("temperature") == 0:
        return value
    prompt, ids = case.args[1], value["symbols"]
    T = prompt.shape[1]
    shares = [
        [np.mean(ids[prompt[:, -1] == last, T:] == k, axis=0) for k in range(3)] for last in np.unique(prompt[:, -1])
    ]
    return {"prompt": ids[:, :T], "shares of the symbols": np.array(shares), "random numbers": value["random numbers"]}


# --- mistakes -------------------------------------------------------------------------------------------------------


def whole_pass_again(net, prompt, length, rng, temperature=1.0):
    ids = np.atleast_2d(prompt)
    for _ in range(length):
        u = net.forward(ids)[:, -1]
        if temperature == 0:
            new = np.argmax(u, axis=1)
        else:
            new = [rng.choice(len(p), p=p) for p in softmax(u / temperature)]
        ids = np.column_stack([ids, new])
    return ids.reshape(*np.shape(prompt)[:-1], -1)


DRAW = "[rng.choice(len(p), p=p) for p in P]"

MISTAKES = [
    Mistake("temperature_ignored", slip("u[:, -1] / temperature", "u[:, -1]"),
        "[At τ = 0 all is right.] Your text does not depend on the temperature, as if it were 1: the logits are "
        "divided by it."),
    Mistake("temperature_multiplied", slip("u[:, -1] / temperature", "u[:, -1] * temperature"),
        "[At τ = 0 all is right.] Your high temperature makes the network surer, not bolder: the logits are divided by "
        "it."),
    Mistake("always_the_likeliest", slip("temperature == 0", "temperature >= 0"),
        "[At τ = 0 all is right.] You always take the likeliest symbol. At a temperature above 0 it is drawn, with the "
        "softmax's probabilities."),
    Mistake("drawn_uniformly", slip(DRAW, "[rng.choice(len(p)) for p in P]"),
        "[At τ = 0 all is right.] Every symbol is drawn equally often: `choice` takes the probabilities as `p=…`."),
    Mistake("one_draw_for_all", slip(DRAW, "[rng.choice(len(P[0]), p=P[0])] * N"),
        "[At τ = 0 all is right.] All prompts go on with the same symbol. Each row has its own probabilities and its "
        "own draw."),
    Mistake("own_generator", slip("    kept = None\n", "    kept = None\n    rng = np.random.default_rng(0)\n"),
        "[All else is right.] Your draws do not come from the generator `rng` that is given: with it anybody can "
        "repeat your text."),
    Mistake("state_forgotten", slip("t : t + 1], kept)", "t : t + 1])"),
        "Each symbol is read as if it were the first. `net.step` takes what it returned for the position before, "
        "`kept`."),
    Mistake("prompt_not_read", slip("range(T + length - 1)", "range(T - 1, T + length - 1)"),
        "Only the prompt's last symbol goes through the network. It has to read the others before."),
    Mistake("prompt_rewritten",
        slip("        if t < T - 1:\n            # The prompt is given: what the network expects there is not asked\n"
             "            continue\n", "",
             "ids = np.concatenate([ids, np.reshape(new, (N, 1))], axis=-1)",
             "ids = np.concatenate([ids[:, : t + 1], np.reshape(new, (N, 1))], axis=-1)"),
        "From its first symbol on the prompt is replaced by what the network expects. The prompt is given; what is "
        "written comes behind it."),
    Mistake("prompt_missing", slip("ids.reshape", "ids[:, T:].reshape"),
        "You return what was written. The prompt stands before it."),
    Mistake("one_too_many", slip("range(T + length - 1)", "range(T + length)"),
        "You write one symbol more than `length`."),
    Mistake("one_too_few", slip("range(T + length - 1)", "range(T + length - 2)"),
        "You write one symbol less than `length`: after the prompt's last symbol comes the first new one."),
    Mistake("smallest_logit", slip("np.argmax", "np.argmin"), "At τ = 0 the *likeliest* symbol is asked."),
    Mistake("whole_pass_again", whole_pass_again,
        "[The text is right.] For each new symbol all of the others go through the network again. `net.step` needs the "
        "new one only.", convention=True),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def by_thresholds(net, prompt, length, rng, temperature=1.0):
    """The prompt first, then a loop over what is written; draws by comparing with the summed probabilities."""
    written = [column[:, None] for column in np.atleast_2d(prompt).T]
    kept = None
    for column in written:
        u, kept = net.step(column, kept)
    for _ in range(length):
        if temperature > 0:
            steps = np.cumsum(softmax(u[:, 0] / temperature), axis=-1)
            new = np.sum(steps < rng.random((len(u), 1)), axis=-1)
        else:
            new = np.argmax(u[:, 0], axis=-1)
        written.append(new[:, None])
        u, kept = net.step(written[-1], kept)
    return np.hstack(written).reshape(np.shape(prompt)[:-1] + (-1,))


def by_lists(net, prompt, length, rng, temperature=1.0):
    rows, kept = [list(row) for row in np.atleast_2d(prompt)], None
    for t in range(len(rows[0]) + length - 1):
        u, kept = net.step(np.array([[row[t]] for row in rows]), kept)
        if t + 1 == len(rows[0]):
            chosen = rng.multinomial(1, softmax(u[:, 0] / temperature)) if temperature else u[:, 0]
            for row, one in zip(rows, chosen, strict=True):
                row.append(int(np.argmax(one)))
    return np.reshape(rows, (*np.shape(prompt)[:-1], -1))


EXERCISE = Exercise("training.generate", training.generate, cases, MISTAKES, variants=[by_thresholds, by_lists],
    solution=generate, points=4,
    why="A model of language is a table of probabilities until somebody lets it write.",
    hints=("Feed the symbols one at a time: `u, kept = net.step(x, kept)`, with x of the shape (N, 1), and None for "
           "`kept` at the first.",
           "While the prompt lasts, the next symbol is given. After its last one, the logits `u[:, -1]` choose it.",
           "τ = 0: the largest logit. Else draw, for each row, from softmax(u/τ): `rng.choice(K, p=p)`.",
           "The last symbol that is written need not go through the network any more."),
    driver=generate_driver, parts=("what it writes", "what it costs"), together=True, measure=measure)  # fmt: skip
