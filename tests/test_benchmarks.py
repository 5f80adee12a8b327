"""The benchmark of grading: without any one of the walls it still grades, to the same scores."""

import shutil

import pytest

from benchmarks import grading

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap (bwrap) is not installed"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return grading.make_class(tmp_path_factory.mktemp("course") / "class", 3)


def scores(folder, place, without=""):
    copy = shutil.copytree(folder, place / "copy")
    assert grading.grade(copy, workers=1, without=without)[2]["graded"] == 3
    return grading.scores(copy)


@pytest.fixture(scope="module")
def wanted(folder, tmp_path_factory):
    return scores(folder, tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("wall", grading.WALLS)
def test_a_class_is_graded_alike_without_a_wall(folder, wanted, wall, tmp_path):
    assert scores(folder, tmp_path, wall) == wanted
