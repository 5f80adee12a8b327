"""Steps of optimizers on numbers small enough for paper."""

from ...checks.practice import question, whole


def weights(rng):
    return (whole(rng, 2),)


def steps(name):
    return lambda rng: {"init": f"optimizers.{name}_init", "gradients": [whole(rng, 2), whole(rng, 2)]}


def fives(rng):
    return [rng.permutation([3.0, 0.0]), rng.permutation([0.0, 4.0])], float(rng.choice([1.0, 2.5, 10.0]))


QUESTIONS = [
    question("optimizers.sgd_step", weights, "w after step 1", "w after step 2", kwargs={"lr": 0.5},
        extra=steps("sgd")),
    question("optimizers.momentum_step", weights, "v after step 2", "w after step 2",
        kwargs={"lr": 0.5, "momentum": 0.5}, extra=steps("momentum")),
    question("optimizers.clip_grad_norm", fives, "norm"),
    question("optimizers.adam_step", weights, "m after step 2", "w after step 1", kwargs={"lr": 0.5, "beta1": 0.5},
        extra=steps("adam")),
]  # fmt: skip
