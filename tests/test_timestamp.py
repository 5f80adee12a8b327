"""The time in a `timestamp.txt`: ISO 8601 and nbgrader's own form, and nothing else."""

import pytest

from autograder.engine.ingest.timestamp import read_time

TIMES = {
    None: (None, ""),
    "2026-11-21 12:00:00 UTC": ("2026-11-21T12:00:00+00:00", ""),
    "2026-11-21 12:00:00.123456 UTC": ("2026-11-21T12:00:00.123456+00:00", ""),
    "2026-11-21 12:00:00.123456 Europe/Paris": ("2026-11-21T11:00:00.123456+00:00", ""),
    "2026-07-21 12:00:00 America/Los_Angeles": ("2026-07-21T19:00:00+00:00", ""),
    "2026-11-21 12:00:00 Etc/GMT+5": ("2026-11-21T17:00:00+00:00", ""),
    "2026-11-21 12:00:00": ("2026-11-21T12:00:00+00:00", ""),
    "2026-11-21T12:00:00Z": ("2026-11-21T12:00:00+00:00", ""),
    "2026-11-21T12:00:00+01:00": ("2026-11-21T11:00:00+00:00", ""),
    "2026-11-21 12:00:00 +0100": ("2026-11-21T11:00:00+00:00", ""),
    " 2026-11-21 \n": ("2026-11-21T00:00:00+00:00", ""),
    "20261121T120000Z": ("2026-11-21T12:00:00+00:00", ""),
    "2026-11-21 12:00:00 XYZ": (
        "2026-11-21T12:00:00+00:00",
        "timestamp.txt names an unknown time zone (XYZ): its time was read as UTC",
    ),
}
NO_TIMES = [
    "now", "soon", "yesterday", "2026", "1" * 99, "9" * 17, "1e400", "nan", "inf", "-1", "12:00", "1.5", "2026-13-01",
    "2026-02-30 12:00:00", "0000-01-01", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-11-21 25:00:00",
    "2026-11-21T12:00:00+99:99", "٢٠٢٦-١١-٢١", "2026-11-21 12:00:00 /etc/passwd", "2026-11-21 12:00:00 ../../etc/passwd",
    "2026-11-21 12:00:00 " + "A" * 60, "2026-11-21T12:00:00+01:00 UTC", "\ufffd", "21 Nov 2026 10 10", "\x00", "1 1 1",
    "2026-11-21 12:00:00 UTC+99999999999", "Nov 21", "10**9", "2026-11-21 12:00:00 +" + "9" * 50,
]  # fmt: skip


@pytest.mark.parametrize("text", TIMES)
def test_times_that_are_read(text):
    assert read_time(text) == TIMES[text]


@pytest.mark.parametrize("text", NO_TIMES, ids=range(len(NO_TIMES)))
def test_times_that_are_not(text):
    assert read_time(text) == (None, "timestamp.txt holds no valid time: the submission counts as on time")


def test_long_and_empty_times():
    for text in ("9" * 101, "1" * 10**6, "2026-11-21 12:00:00" + "0" * 100):
        assert read_time(text) == (
            None,
            "timestamp.txt holds more than 100 characters: the submission counts as on time",
        )
    assert read_time(" \n") == (None, "timestamp.txt is empty: the submission counts as on time")
