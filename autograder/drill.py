"""Practice: an endless stream of small questions, spaced so that each comes back shortly before it would be forgotten.

What is due when is said by FSRS, a kept scheduler. What it needs to know stands in `.dlcourse-practice.json` beside the file
of the student's progress, and nowhere else.
"""

import importlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

import dlcourse

from . import progress
from .checks.practice import draw, reply, shown

__all__ = ["FILE", "Drill", "due", "mastery", "practice", "questions"]

FILE = ".dlcourse-practice.json"
_FORMAT = 1


def questions(topic=None):
    """{exercise: `Question`} of a topic, or of all in course order; raises ValueError for a name that there is not."""
    if topic is not None and topic not in dlcourse.TOPICS:
        raise ValueError(f"there is no topic {topic!r}; the topics are {', '.join(dlcourse.TOPICS)}")
    found = {}
    for slug in (topic,) if topic else dlcourse.TOPICS:
        found |= {
            one.exercise: one for one in importlib.import_module(f".exercises.{slug}._practice", __package__).QUESTIONS
        }
    return found


@dataclass
class Drill:
    """Questions one after the other, of a topic or of all.

    folder : where the student works; default the current folder. rng : draws the numbers. now : tells the time.
    problem : a sentence where the file could not be read or written, else "".
    """

    topic: str | None = None
    folder: Path | None = None
    rng: np.random.Generator = field(default_factory=np.random.default_rng)
    now: object = lambda: datetime.now(UTC)

    def __post_init__(self):
        from fsrs import Scheduler

        # Without fuzz the same answers lead to the same days
        self.scheduler = Scheduler(enable_fuzzing=False)
        self.questions = questions(self.topic)
        self.cards, self.problem = _load(_file(self.folder))
        self.asked = self.right = 0
        self.variant, self.rated = None, False

    def next(self):
        """The next `Variant`: what is due longest, else what was never asked, else what is due first."""
        now = self.now()
        before = self.variant.exercise.name if self.variant else ""
        names = [name for name in self.questions if name != before] or list(self.questions)
        known = sorted((name for name in names if name in self.cards), key=lambda name: self.cards[name].due)
        due = [name for name in known if self.cards[name].due <= now]
        new = [name for name in names if name not in self.cards]
        self.variant, self.rated = draw(self.questions[(due or new or known)[0]], self.rng), False
        return self.variant

    def answer(self, text):
        """The `Reply` to a typed answer; the first one that can be read decides when the question comes back."""
        said = reply(self.variant, text)
        if said.understood:
            self._rate(said.right)
        return said

    def give_up(self):
        """Take the question for not known; returns the right answer as it would be typed."""
        self._rate(False)
        return shown(self.variant.expected)

    def _rate(self, right):
        from fsrs import Card, Rating

        if self.rated:
            return
        self.rated = True
        self.asked, self.right = self.asked + 1, self.right + right
        name, now = self.variant.exercise.name, self.now()
        card = self.cards.get(name) or Card(card_id=list(questions()).index(name), due=now)
        self.cards[name], _ = self.scheduler.review_card(card, Rating.Good if right else Rating.Again, now)
        self.problem = _save(_file(self.folder), self.cards) or self.problem


def mastery(folder=None, now=None):
    """{topic: (questions that sit, all of its questions)} of the topics that were practised; {} where FSRS is not installed.

    A question sits when it was answered right on different days and is not due.
    """
    now = now or datetime.now(UTC)
    return {slug: (sum(_sits(card, now) for card in cards), of) for slug, cards, of in _practised(folder)}


def due(folder=None, now=None):
    """{topic: how many of its questions are due} of the topics that were practised; {} where FSRS is not installed."""
    now = now or datetime.now(UTC)
    return {slug: sum(card.due <= now for card in cards) for slug, cards, _ in _practised(folder)}


def _sits(card, now):
    from fsrs import State

    return card.state == State.Review and card.due > now


def _practised(folder):
    """(topic, the cards of its questions, how many questions it has) of the topics that were practised."""
    file = _file(folder)
    if not file.is_file():
        return
    try:
        import fsrs  # noqa: F401
    except ImportError:
        return
    cards = _load(file)[0]
    for slug in dlcourse.TOPICS:
        names = questions(slug)
        known = [cards[name] for name in names if name in cards]
        if known:
            yield slug, known, len(names)


def _file(folder):
    return progress.where(folder).with_name(FILE)


def _load(file):
    """({exercise: card}, a sentence where the file cannot be read)."""
    from fsrs import Card

    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        if told["format"] != _FORMAT:
            raise ValueError(f"format {told['format']!r}")
        return {name: Card.from_dict(card) for name, card in told["cards"].items()}, ""
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}, f"{file} cannot be read: practice begins again, and the next answer replaces the file."


def _save(file, cards):
    told = {"format": _FORMAT, "cards": {name: card.to_dict() for name, card in cards.items()}}
    try:
        progress.write_whole(file, (json.dumps(told, indent=1) + "\n").encode())
    except OSError as error:
        return f"What you have practised cannot be kept in {file} ({error.strerror})."
    return ""


# --- in a notebook --------------------------------------------------------------------------------------------------


def practice(topic=None):
    """Practise in a notebook: a question with a field to type the answer in, and the next one, as long as you like.

    Parameters
    ----------
    topic : "neurons", or all where none is given.

    Raises ValueError for a topic that there is not.
    """
    from IPython.display import display

    name = f" {topic}" if topic else ""
    questions(topic)
    plain = {"text/plain": f"Practice: run this cell in JupyterLab, or type in a terminal: dlcourse practice{name}"}
    try:
        shown = _widget(Drill(topic))._repr_mimebundle_()
    except ImportError:
        shown = {}
    # A built lesson keeps the line alone, the same in every run
    views = shown.items() if isinstance(shown, dict) else ()
    display(plain | {key: x for key, x in views if key.startswith("application/vnd.jupyter.widget-view")}, raw=True)


def _widget(drill):
    """The question, a field, two buttons and the reply, as ipywidgets."""
    import html

    import ipywidgets

    asked, said = ipywidgets.HTML(), ipywidgets.HTML()
    typed = ipywidgets.Text(placeholder="a number or a list, such as [1, 2]", continuous_update=False)
    words = ("Answer", "Show the answer", "Next")
    answer, given_up, following = (ipywidgets.Button(description=one) for one in words)

    def lines(text):
        return "".join(f"<div>{html.escape(line)}</div>" for line in text.split("\n"))

    def ask(*_):
        asked.value, said.value, typed.value = lines(drill.next().text), "", ""

    def judge(*_):
        if typed.value.strip():
            result = drill.answer(typed.value)
            done = f"{drill.right} of {drill.asked} right at the first try."
            said.value = lines("\n".join(filter(None, [result.text, done, drill.problem])))

    def show(*_):
        said.value = lines(f"The answer: {drill.give_up()}")

    answer.on_click(judge)
    given_up.on_click(show)
    following.on_click(ask)
    ask()
    return ipywidgets.VBox([asked, ipywidgets.HBox([typed, answer, given_up, following]), said])
