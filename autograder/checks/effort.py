"""How long an exercise takes, counted: what there is to read, to write and to look for.

No class was timed for these figures. They are a model with few constants, each with its source below; how long a student
really took stands in their own `dlcourse progress`.

- Reading: 130 words a minute, the rate for text that is to be understood and in which many ideas are new (Barre, Brown and
  Esarey, Course Workload Estimator, Rice University, cte.rice.edu/workload).
- Writing code: the keystroke-level model (Card, Moran and Newell, Communications of the ACM 23(7), 1980): 0.28 s a key for
  an average typist, and 1.35 s of thought before each unit, here each token of the shown solution.
- A start for each function, whatever its length: to see what is asked, to run it, to correct it. It is fitted:
  `python -m benchmarks.effort` has what programmers took for fifteen small Python tasks (RealHumanEval, arXiv:2404.02806).
- What is not printed above the answer, a gradient or the way of a project, takes three times the writing: the rule of thumb
  for students and teachers (Barre, "How Much Should We Assign?", Rice University, 2016).
- A written answer: 10 words a minute, the slow end of the rates for informal writing (The College of Saint Rose, "Time On
  Task Guidelines for Learning Activities").
- To find a planted bug, and to try one more input of a hunt: assumptions, no figures were found.
"""

from __future__ import annotations

import io
import re
import tokenize

from .exercise import HUNT, Exercise
from .hunts import hunted_by
from .solution import GRADIENTS, assigned, shown_code, solution_parts

WORDS_A_MINUTE = 130
# Seconds for a formula on its own line, and for a line of code that is read
FORMULA, LINE = 20, 4
KEY, THOUGHT = 0.28, 1.35
START = 130
NOT_PRINTED = 3
WORDS_WRITTEN_A_MINUTE, WORDS_A_SENTENCE, SENTENCES = 10, 20, 5
FIND, TRY = 150, 40

_NUMBERS = {
    name: number
    for number, name in enumerate(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], 1)
}
_ASKED = re.compile(rf"\b({'|'.join(_NUMBERS)}) (?:or|to) ({'|'.join(_NUMBERS)}) sentences\b", re.I)
_TOKENS = (tokenize.NAME, tokenize.OP, tokenize.NUMBER, tokenize.STRING)


def minutes(exercise: Exercise) -> int:
    """What an exercise takes: as its author says who has timed it, else as it is counted."""
    if exercise.minutes is not None:
        return exercise.minutes
    return max(1, round((reading(_text(exercise)) + _doing(exercise)) / 60))


def reading(text: str) -> float:
    """Seconds for a text in Markdown: its words, and the formulas that stand on their own."""
    prose = re.sub(r"\$\$.*?\$\$|\]\([^)]*\)|</?\w+>", " ", text, flags=re.S)
    return 60 * len(re.findall(r"\w[\w'’-]*", prose)) / WORDS_A_MINUTE + FORMULA * (text.count("$$") // 2)


def writing(code: str) -> float:
    """Seconds to write code that one has in mind."""
    tokens = tokens_of(code)
    return THOUGHT * len(tokens) + KEY * sum(map(len, tokens))


def tokens_of(code: str) -> list[str]:
    """The names, signs, numbers and texts of code, without comments."""
    # An indented body is read as the body of something
    lines = io.StringIO(f"if True:\n{code}\n" if code[:1] in " \t" else f"{code}\n")
    made = [one.string for one in tokenize.generate_tokens(lines.readline) if one.type in _TOKENS]
    return made[3:] if code[:1] in " \t" else made


def answering(text: str) -> float:
    """Seconds for the written answer that a text asks for: as many sentences as it says."""
    found = _ASKED.search(" ".join(text.split()))
    sentences = sum(_NUMBERS[one.lower()] for one in found.groups()) / 2 if found else SENTENCES
    return 60 * sentences * WORDS_A_SENTENCE / WORDS_WRITTEN_A_MINUTE


def _text(exercise):
    """What stands in the exercise's cells beside its code."""
    heads = () if exercise.data else (solution_parts(function)[0] for function in exercise.functions)
    return "\n".join([exercise.why, exercise.told, exercise.scale(), *map(str, exercise.scales.values()), *heads])


def _doing(exercise):
    if exercise.kind == HUNT:
        tries = len(hunted_by(exercise).shows)
        # Which numbers stand in an input hardly matters, so they take typing and no thought
        typed = sum(len(assigned(name, value)) for name, value in zip(exercise.data, exercise.answers, strict=False))
        return START + TRY * tries + KEY * typed
    if exercise.planted:
        *given, _ = exercise.planted_functions
        lines = sum(len(shown_code(function).splitlines()) for function in given)
        return START * len(given) + LINE * lines + FIND * len(exercise.planted)
    return sum(
        START + writing(body) * (NOT_PRINTED if exercise.scales or _is_derived(function) else 1)
        for function, body in _bodies(exercise)
    )


def _is_derived(function):
    """Whether it is a gradient on paper, not one by differences."""
    return function.__name__.endswith(GRADIENTS) and not function.__module__.endswith(".gradient_checking")


def _bodies(exercise):
    """(function, the code that answers it)."""
    for function, shown in zip(exercise.functions, exercise.solutions, strict=True):
        yield function, solution_parts(function, shown)[1]
