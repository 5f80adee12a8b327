"""Hostile and broken submissions: each gets what its honest parts are worth, and nothing else changes."""

import resource
import shutil

import pytest
from attacks import THEMES, all_attacks, plain, table
from attacks.assignment import ASSIGNMENT, CHECKS, POINTS, released_notebook
from attacks.observe import fingerprint, scores

pytest.importorskip("nbgrader")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap (apt install bubblewrap)"),
]
ATTACKS = all_attacks()
FULL = sum(POINTS.values())


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    from attacks.ours import Range

    # A grader that an attack could make huge must fail here, not take the machine
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, before[1]))
    made = Range(tmp_path_factory.mktemp("attacks"))
    yield made
    made.close()
    resource.setrlimit(resource.RLIMIT_AS, before)


def test_the_corpus_is_large_and_complete():
    assert len(ATTACKS) >= 60
    assert {attack.theme for attack in ATTACKS} == set(THEMES)
    known = plain.stored()
    assert known["version"] and [attack.slug for attack in ATTACKS if attack.slug not in known["attacks"]] == []


def test_honest_work_alone(scene):
    assert scene.alone.score == scene.with_the_course.score == FULL
    assert {verdict.verdict for verdict in scene.alone.verdicts.values()} == {"right"}
    assert scene.alone.effects == []


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.slug)
def test_attack(scene, attack):
    outcome = scene.attacked_by(attack)
    assert outcome.score == attack.score, outcome.said
    found = {name: verdict.verdict for name, verdict in outcome.verdicts.items()}
    # What ends first, its time or its memory, may depend on the machine
    either = {
        name: found.get(name) if found.get(name) in one else one
        for name, one in attack.expected_verdicts.items()
        if isinstance(one, tuple)
    }
    assert found == attack.expected_verdicts | either
    says = (attack.says,) if isinstance(attack.says, str) else attack.says
    assert any(words in outcome.said for words in says), outcome.said
    assert outcome.effects == [f"read: {what}" for what in attack.leaks]
    assert outcome.seconds <= attack.seconds


def test_a_class_of_attackers(tmp_path):
    """The whole way at once: strange files and names among honest ones, through journal and gradebook."""
    from attacks import ours
    from attacks.assignment import hand_in, make_course
    from attacks.observe import make_scene

    from autograder.engine.run import grade_class
    from autograder.engine.store.course import open_course

    chosen = [attack for attack in ATTACKS if attack.theme in ("files", "cells", "showing")]
    course = make_course(tmp_path / "course")
    around = make_scene(tmp_path, course, 9)
    released = released_notebook(course)
    for attack in chosen:
        attack.write(around, released)
    for student in ("ada", "zoe"):
        hand_in(course, student)
    watched = [course / name for name in ("source", "release", "submitted")] + [around.safe]
    before = fingerprint(*watched)
    summary = grade_class(open_course(course), ASSIGNMENT, settings=ours.SETTINGS, workers=1)
    assert fingerprint(*watched) == before
    assert summary.failed == {} and not summary.problem
    refused = {attack.folder for attack in chosen if not attack.expected_verdicts}
    assert set(summary.refused) == refused
    graded = {student: score for student, (score, _) in scores(course / "gradebook.db", ASSIGNMENT).items()}
    wanted = {attack.folder: attack.score for attack in chosen if attack.folder not in refused}
    assert graded == wanted | {"ada": FULL, "zoe": FULL}
    # A submission that cannot be read is named to a person
    unread = {
        attack.folder for attack in chosen if attack.score == 0 and "for a person" in attack.expected_verdicts.values()
    }
    assert unread <= {student for student, _ in summary.needs_review}


@pytest.mark.skipif(bool(plain.cannot_run()), reason=plain.cannot_run())
def test_the_stored_column_is_what_plain_nbgrader_does(tmp_path):
    """A few of the stored rows once more."""
    (tmp_path / "template").mkdir()
    made = plain.template(tmp_path / "template")
    chosen = [attack for attack in ATTACKS if attack.slug in ("own_check", "environment")]
    found = plain.grade(chosen, made, tmp_path)
    kept = plain.stored()["attacks"]
    for attack in chosen:
        assert found[attack.slug] | {"seconds": 0} == kept[attack.slug] | {"seconds": 0}


def test_the_table(capsys):
    text = table.written({attack.slug: table.Ours(attack.score, 0.1, "") for attack in ATTACKS})
    assert text.count("\n| ") >= len(ATTACKS)
    assert all(attack.what.replace("|", "\\|") in text for attack in ATTACKS)
    assert set(CHECKS) == set(POINTS)
