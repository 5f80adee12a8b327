"""What a function takes whatever its length: fitted on what programmers took for small Python tasks.

    python -m benchmarks.effort

Source of the seconds: Mozannar et al., "The RealHumanEval", 2024 (arXiv:2404.02806, github.com/clinicalml/realhumaneval),
the participants without help: means and intervals read from the vector figure
`analysis/figures/task_type_level_duration.pdf`. Words are those of the task's text; tokens and characters are what its
solution has beyond the code that was given, both from `data/tasks_data.csv`. The participants program for years, so a
beginner takes longer; their times hold the unsolved tasks, too, which were broken off.
"""

import numpy as np

from autograder.checks.effort import KEY, START, THOUGHT, WORDS_A_MINUTE

# task: mean seconds, half the width of its interval, words to read, tokens to write, their characters
TASKS = {
    "t_test": (193, 100, 120, 79, 213),
    "table_transform_named": (562, 225, 143, 161, 429),
    "table_transform_unnamed1": (591, 159, 138, 58, 212),
    "table_transform_unnamed2": (178, 187, 137, 114, 519),
    "tokenizer": (377, 196, 96, 81, 316),
    "calculator": (631, 209, 101, 151, 504),
    "login_authenticator": (395, 262, 224, 82, 379),
    "retriever": (219, 329, 335, 182, 966),
    "even_odd_count": (314, 72, 24, 41, 115),
    "triple_sum_to_zero": (298, 153, 57, 65, 114),
    "encode_message": (167, 167, 57, 56, 160),
    "is_bored": (321, 125, 53, 28, 93),
    "is_multiply_prime": (302, 119, 35, 94, 226),
    "count_nums": (311, 107, 56, 83, 149),
    "order_by_points": (355, 238, 55, 66, 502),
}  # fmt: skip


def fitted():
    """(seconds that a task takes beyond reading and writing, the root mean square of what is left, mean seconds)."""
    seconds, error, words, tokens, characters = np.array(list(TASKS.values()), dtype=float).T
    rest = seconds - 60 * words / WORDS_A_MINUTE - THOUGHT * tokens - KEY * characters
    weights = 1 / error**2
    start = np.sum(weights * rest) / np.sum(weights)
    return start, np.sqrt(np.mean((rest - start) ** 2)), np.mean(seconds)


def main():
    start, left, mean = fitted()
    print(
        f"{len(TASKS)} tasks, {mean:.0f} s on average: {start:.0f} s beyond reading and writing (the model says {START})"
    )
    print(f"what the model leaves open of a task: {left:.0f} s")


if __name__ == "__main__":
    main()
