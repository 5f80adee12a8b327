"""The time in a `timestamp.txt`, read strictly: it decides about late penalties, and a stranger wrote it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

LONGEST = 100
# A name of a time zone: never a path, and no digits to compute with beyond those of "Etc/GMT+5"
_ZONE = re.compile(r"[A-Za-z]{1,20}(?:[_/+-][A-Za-z]{1,20}){0,3}(?:[+-]?[0-9]{1,2}(?:[A-Z]{1,4})?)?")
# ISO 8601: `fromisoformat` alone takes any sign between date and time
_ISO = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}(?:[T ][0-9:]{2,8}(?:[.,][0-9]{1,9})?(?:Z|[+-][0-9:]{2,8})?)?")
_ON_TIME = "the submission counts as on time"


def read_time(text: str | None) -> tuple[str | None, str]:
    """(ISO time in UTC, what a person should know): the time is None where there is none, or none that can be read.

    Read are ISO 8601 ("2026-11-21T12:00:00+01:00") and what nbgrader writes ("2026-11-21 12:00:00.000000 Europe/Paris");
    a time without a zone is UTC, as for nbgrader.
    """
    if text is None:
        return None, ""
    text = text.strip()
    if not text:
        return None, f"timestamp.txt is empty: {_ON_TIME}"
    if len(text) > LONGEST:
        return None, f"timestamp.txt holds more than {LONGEST} characters: {_ON_TIME}"
    try:
        return _utc(*_parts(text))
    except (ValueError, OverflowError):
        return None, f"timestamp.txt holds no valid time: {_ON_TIME}"


def _parts(text):
    """(datetime, name of a zone or ""); ValueError where the text does not say a time."""
    stamp, space, rest = text.rpartition(" ")
    if space and _ZONE.fullmatch(rest):
        return _iso(stamp), rest
    if space and rest[:1] in ("+", "-"):
        # "12:00:00 +0100": ISO has no space there
        return _iso(stamp + rest), ""
    return _iso(text), ""


def _iso(text):
    if not _ISO.fullmatch(text):
        raise ValueError("no ISO 8601")
    return datetime.fromisoformat(text)


def _utc(time, name):
    from dateutil.tz import gettz

    problem = ""
    if name:
        if time.tzinfo is not None:
            raise ValueError("two time zones")
        time = time.replace(tzinfo=gettz(name))
        if time.tzinfo is None:
            problem = f"timestamp.txt names an unknown time zone ({name}): its time was read as UTC"
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    return time.astimezone(UTC).isoformat(), problem
