"""Early stopping: which epoch to keep, and when to stop."""

import numpy as np

from dlcourse import metrics

from ...checks.exercise import Case, Exercise, Mistake, enlarged, slip

# --- solution -------------------------------------------------------------------------------------------------------


def early_stopping(losses, patience):
    best = waited = 0
    for epoch in range(1, len(losses)):
        if losses[epoch] < losses[best]:
            best, waited = epoch, 0
        else:
            waited += 1
        if waited == patience:
            return best, epoch
    return best, len(losses) - 1


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    falling = np.sort(rng.uniform(0.5, 2.0, 6))[::-1].copy()
    return [
        Case("falls, rises, would fall again", (np.array([1.0, 0.7, 0.8, 0.9, 0.5]), 2)),
        Case("more patience", (np.array([1.0, 0.7, 0.8, 0.9, 0.5]), 3)),
        Case("falls to the end", (falling, 2)),
        Case("patience of 1", (np.array([2.0, 1.0, 1.5, 0.2]), 1)),
        Case("never better than the first", (np.array([1.0, 1.2, 1.1, 1.3, 1.05, 1.4]), 3)),
        Case("equal losses are not progress", (np.array([1.0, 0.5, 0.5, 0.5, 0.4]), 2)),
        Case("up and down below the last but not below the best", (np.array([1.0, 0.4, 0.9, 0.8, 0.7, 0.6, 0.3]), 3)),
        Case("it ends before the patience does", (np.array([1.0, 0.7, 0.8, 0.9]), 3)),
        Case("one epoch", (np.array([0.9]), 4), weight=0.5),
        enlarged(Case("a late best", (np.array([3.0, 2.5, 2.6, 2.4, 2.45, 2.3, 2.9, 2.8]), 2), hidden=True), 0),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("compared_with_last", slip("losses[best]", "losses[epoch - 1]"),
        "You compare each loss with the one before. What counts is the best so far: small ups and downs above it are "
        "not progress."),
    Mistake("equal_is_progress", slip("losses[epoch] <", "losses[epoch] <="),
        "A loss that equals the best is not a new best: only a lower one starts the waiting again."),
    Mistake("one_epoch_late", slip("waited == patience", "waited > patience"),
        "You wait one epoch longer than the patience. After `patience` epochs without a new best training stops."),
    Mistake("last_weights_kept",
        slip("return best, epoch", "return epoch, epoch", "return best, len(losses)", "return epoch, len(losses)"),
        "You return the epoch at which training stopped as the best. Worth keeping is the one with the lowest loss."),
    Mistake("largest_loss", slip("losses[epoch] <", "losses[epoch] >"), "A better epoch has a *lower* loss."),
    Mistake("looks_into_the_future", slip("        if waited == patience:\n            return best, epoch\n", ""),
        "You look at all losses at once. While training, later epochs are not known: stop when the patience is used "
        "up, even if a lower loss would come."),
    Mistake("waiting_not_reset", slip("best, waited = epoch, 0", "best = epoch"),
        "Each new best starts the waiting again; yours adds up bad epochs from before it."),
    Mistake("counted_from_one",
        slip("return best, epoch", "return best + 1, epoch + 1",
             "return best, len(losses) - 1", "return best + 1, len(losses)"),
        "Epochs are counted from 0, as the positions in the list.", convention=True),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def argmin(losses, patience):
    for epoch in range(len(losses)):
        best = int(np.argmin(losses[: epoch + 1]))
        if epoch - best >= patience:
            return best, epoch
    return int(np.argmin(losses)), len(losses) - 1


def lowest(losses, patience):
    lowest, best, since = float("inf"), 0, 0
    for epoch, loss in enumerate(losses):
        since += 1
        if loss < lowest:
            lowest, best, since = loss, epoch, 0
        if since == patience:
            break
    return best, epoch


EXERCISE = Exercise("metrics.early_stopping", metrics.early_stopping, cases, MISTAKES, variants=[argmin, lowest],
    solution=early_stopping, points=2,
    why="The cheapest regularization there is: not training on.",
    hints=("Keep the position of the best loss so far.",
           "After each epoch: how many epochs ago was the best?",
           "Return both positions; if the losses run out first, the last one is where training stopped."))  # fmt: skip
