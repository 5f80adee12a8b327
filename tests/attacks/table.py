"""The table: what each attack is worth, what this engine gives it, and what plain nbgrader gives it."""

from dataclasses import dataclass
from pathlib import Path

from . import THEMES, all_attacks, plain
from .assignment import POINTS

RESULTS = Path(__file__).parents[2] / "benchmarks" / "attacks.md"
FULL = sum(POINTS.values())
HEAD = """# Hostile and broken submissions

One small assignment of {full:g} points, {count} submissions that are broken or attack the grader. "Worth" is what the
honest parts of a submission deserve. Each is graded by this engine between two honest submissions, which must get exactly
what they get alone; no process, file or mount may be left, and nothing outside the sandbox may change. Where the engine
gives another score than deserved a footnote says why.

Plain nbgrader {version} graded the same files with `nbgrader autograde`, together with an honest submission after and one
before, behind walls that are not its own (another user, a bounded number of processes, bounded memory and file size).

| | this engine | plain nbgrader |
| --- | ---: | ---: |
| the score that the honest parts deserve | {ours} | {right} |
| more points than deserved | {ours_more} | {more} |
| fewer points than deserved | {ours_fewer} | {fewer} |
| no grade at all | {ours_none} | {none} |
| changed something else, or showed what is secret | {ours_harm} | {harm} |
"""


@dataclass(frozen=True)
class Ours:
    """What our engine gave: points, seconds, and anything that it should not have let happen."""

    score: float
    seconds: float
    effects: str


def harm(entry):
    """What plain nbgrader let an attack do besides its own grade, as words."""
    found = []
    if entry.get("never_ended"):
        found.append("never ends")
    elif entry["after"] is None:
        found.append("the next one gets no grade")
    elif entry["after"] != FULL:
        found.append(f"the next one gets {entry['after']:g}")
    if entry["before"] != FULL:
        found.append("changes an earlier grade")
    if entry.get("read"):
        found.append("reads " + ", ".join(entry["read"]))
    if entry.get("changed"):
        names = {"safe": "a foreign folder"}
        found.append("writes into " + ", ".join(names.get(name, name) for name in entry["changed"]))
    if entry.get("connected"):
        found.append("connects")
    if entry.get("left"):
        found.append("leaves processes")
    if entry.get("script"):
        found.append("script in the graded notebook")
    return found


def points(score):
    return "no grade" if score is None else f"{score:g}"


def written(ours):
    """The table as Markdown. ours : {slug: Ours}."""
    attacks, kept = all_attacks(), plain.stored()
    theirs = kept["attacks"]
    scores = [(attack.deserved, theirs[attack.slug]["score"]) for attack in attacks if attack.slug in theirs]
    mine = [(attack.deserved, ours[attack.slug].score) for attack in attacks if attack.slug in ours]

    def count(pairs, test):
        return sum(1 for worth, score in pairs if score is not None and test(score, worth))

    lines = [
        HEAD.format(
            full=FULL,
            count=len(attacks),
            version=kept["version"],
            ours=count(mine, lambda score, worth: score == worth),
            right=count(scores, lambda score, worth: score == worth),
            ours_more=count(mine, lambda score, worth: score > worth),
            more=count(scores, lambda score, worth: score > worth),
            ours_fewer=count(mine, lambda score, worth: score < worth),
            fewer=count(scores, lambda score, worth: score < worth),
            ours_none=sum(score is None for _, score in mine),
            none=sum(score is None for _, score in scores),
            ours_harm=sum(bool(ours[attack.slug].effects) for attack in attacks if attack.slug in ours),
            harm=sum(bool(harm(entry)) for entry in theirs.values()),
        )
    ]
    limits = list(dict.fromkeys(attack.limit for attack in attacks if attack.limit))
    marks = dict(zip(limits, "¹²³⁴⁵⁶", strict=False))
    for theme, title in THEMES.items():
        lines += [f"\n## {title}\n", "| attack | worth | this engine | plain nbgrader |", "| --- | ---: | ---: | --- |"]
        for attack in attacks:
            if attack.theme != theme:
                continue
            entry = theirs.get(attack.slug)
            other = "not run" if entry is None else "; ".join([points(entry["score"]), *harm(entry)])
            own = ours.get(attack.slug)
            asked = "a person is asked" if "for a person" in attack.expected_verdicts.values() else ""
            mine = "" if own is None else "; ".join(filter(None, [points(own.score), asked, own.effects]))
            note = f" {marks[attack.limit]}" if attack.limit else ""
            what = attack.what.replace("|", "\\|")
            lines.append(f"| {what}{note} | {attack.deserved:g} | {mine} | {other} |")
    lines += ["", *(f"{mark} {limit[0].upper()}{limit[1:]}.  " for limit, mark in marks.items())]
    lines += ["", "Made by `python -m tests.attacks`.", ""]
    return "\n".join(lines)
