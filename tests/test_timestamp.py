"""The time in a `timestamp.txt`: ISO 8601 and nbgrader's own form, and nothing else."""

import zoneinfo
from datetime import UTC, datetime

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
    # Short names, as nbgrader writes them: one zone's, or several that agree at that time
    "2026-07-21 12:00:00.000000 CEST": ("2026-07-21T10:00:00+00:00", ""),
    "2026-11-21 12:00:00 CET": ("2026-11-21T11:00:00+00:00", ""),
    "2026-07-21 12:00:00 CET": ("2026-07-21T11:00:00+00:00", ""),
    "2026-11-21 12:00:00 CEST": ("2026-11-21T10:00:00+00:00", ""),
    "2026-10-25 02:30:00 CEST": ("2026-10-25T00:30:00+00:00", ""),
    "2026-10-25 02:30:00 CET": ("2026-10-25T01:30:00+00:00", ""),
    "2026-07-21 12:00:00 BST": ("2026-07-21T11:00:00+00:00", ""),
    "2026-07-21 12:00:00 PDT": ("2026-07-21T19:00:00+00:00", ""),
    "2026-11-21 12:00:00 EST": ("2026-11-21T17:00:00+00:00", ""),
    "2026-07-21 12:00:00 EST5EDT": ("2026-07-21T16:00:00+00:00", ""),
    "2026-11-21 12:00:00 AEST": ("2026-11-21T02:00:00+00:00", ""),
    "2026-11-21 12:00:00 UTC+2": ("2026-11-21T10:00:00+00:00", ""),
    "2026-11-21 12:00:00 GMT": ("2026-11-21T12:00:00+00:00", ""),
}
UNKNOWN = ("XYZ", "CEST+2", "Europe/Atlantis", "Summer")
AMBIGUOUS = {
    "CST": "UTC-06:00, UTC-05:00 or UTC+08:00",
    "PST": "UTC-08:00 or UTC+08:00",
    "IST": "UTC+02:00 or UTC+05:30",
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


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_zones_are_refused(name):
    why = f"timestamp.txt names an unknown time zone ({name}): the submission counts as on time"
    assert read_time(f"2026-11-21 12:00:00 {name}") == (None, why)


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_a_short_name_of_several_zones_is_refused_unless_it_is_the_course_s(name):
    why = (
        f"timestamp.txt names the time zone {name}, which may be {AMBIGUOUS[name]} (c.Exchange.timezone in "
        "nbgrader_config.py decides, with --regrade): the submission counts as on time"
    )
    assert read_time(f"2026-11-21 12:00:00 {name}") == (None, why)
    homes = {"CST": ("Asia/Shanghai", "04"), "PST": ("America/Los_Angeles", "20"), "IST": ("Asia/Jerusalem", "10")}
    home, hour = homes[name]
    assert read_time(f"2026-11-21 12:00:00 {name}", home) == (f"2026-11-21T{hour}:00:00+00:00", "")


def test_every_short_name_that_nbgrader_writes_for_a_zone_is_that_zone_s():
    for home in zoneinfo.available_timezones() - {"localtime"}:
        zone = zoneinfo.ZoneInfo(home)
        for month in (1, 7):
            moment = datetime(2026, month, 21, 12, tzinfo=UTC)
            written = moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S.%f %Z")
            assert read_time(written, home) == (moment.isoformat(), ""), (home, written)


def test_long_and_empty_times():
    for text in ("9" * 101, "1" * 10**6, "2026-11-21 12:00:00" + "0" * 100):
        assert read_time(text) == (
            None,
            "timestamp.txt holds more than 100 characters: the submission counts as on time",
        )
    assert read_time(" \n") == (None, "timestamp.txt is empty: the submission counts as on time")
