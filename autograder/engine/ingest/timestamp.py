"""The time in a `timestamp.txt`, read strictly: it decides about late penalties, and a stranger wrote it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache

LONGEST = 100
# A name of a time zone: never a path, and no digits to compute with beyond those of "Etc/GMT+5"
_ZONE = re.compile(r"[A-Za-z]{1,20}(?:[_/+-][A-Za-z]{1,20}){0,3}(?:[+-]?[0-9]{1,2}(?:[A-Z]{1,4})?)?")
# ISO 8601: `fromisoformat` alone takes any sign between date and time
_ISO = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}(?:[T ][0-9:]{2,8}(?:[.,][0-9]{1,9})?(?:Z|[+-][0-9:]{2,8})?)?")
_FROM_UTC = re.compile(r"(?:UTC|GMT)([+-])([0-9]{1,2})")
_ON_TIME = "the submission counts as on time"


def read_time(text: str | None, home: str = "UTC") -> tuple[str | None, str]:
    """(ISO time in UTC, what a person should know): the time is None where there is none, or none that can be read.

    Read are ISO 8601 ("2026-11-21T12:00:00+01:00") and what nbgrader writes ("2026-11-21 12:00:00.000000 CET"); a time
    without a zone is UTC, as for nbgrader. home : the course's zone, nbgrader's `Exchange.timezone`; where several zones
    share a short name, such as CST, it is that one's.
    """
    if text is None:
        return None, ""
    text = text.strip()
    if not text:
        return None, f"timestamp.txt is empty: {_ON_TIME}"
    if len(text) > LONGEST:
        return None, f"timestamp.txt holds more than {LONGEST} characters: {_ON_TIME}"
    try:
        time, name = _parts(text)
        if name and time.tzinfo is not None:
            raise ValueError("two time zones")
        if name:
            zones = _zones(name, time, home)
            if len(zones) != 1:
                return None, f"timestamp.txt names {_unclear(name, zones)}: {_ON_TIME}"
            time = time.replace(tzinfo=zones[0])
        if time.tzinfo is None:
            time = time.replace(tzinfo=UTC)
        return time.astimezone(UTC).isoformat(), ""
    except (ValueError, OverflowError):
        return None, f"timestamp.txt holds no valid time: {_ON_TIME}"


def _unclear(name, zones):
    if not zones:
        return f"an unknown time zone ({name})"
    *others, last = (str(zone) for zone in zones)
    return (
        f"the time zone {name}, which may be {', '.join(others)} or {last} (c.Exchange.timezone in nbgrader_config.py "
        f"decides, with --regrade)"
    )


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


def _zones(name: str, time: datetime, home: str) -> list[tzinfo]:
    """What the name may stand for at that time: one zone, none, or several of different distances from UTC."""
    if name in ("UTC", "GMT"):
        return [UTC]
    hours = _FROM_UTC.fullmatch(name)
    if hours:
        return [timezone(timedelta(hours=int(hours[1] + hours[2])))]
    known = _known_zones()
    own = known.get(home)
    if own is not None and own.tzname(time) == name:
        return [own]
    # "CET" is also a zone with a summer time, but who writes CET in July means one hour
    shown = _offsets(name, [time], known.values())
    if not shown and name not in known:
        # Summer's name in winter, by hand
        year = [time.replace(month=month, day=1) for month in (1, 7)]
        shown = _offsets(name, year, known.values())
    if not shown and name in known:
        return [known[name]]
    return [timezone(offset) for offset in sorted(shown)]


@cache
def _known_zones():
    """{name: zone} of the time zone database, but for the one that is this machine's."""
    import zoneinfo

    return {name: zoneinfo.ZoneInfo(name) for name in zoneinfo.available_timezones() - {"localtime"}}


def _offsets(name, times, zones):
    """How far from UTC the zones are that go by this short name at one of these times."""
    return {zone.utcoffset(time) for zone in zones for time in times if zone.tzname(time) == name}
