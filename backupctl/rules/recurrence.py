"""When a schedule runs."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from backupctl.rules.days import WEEK

_UTC_NAMES: Final = frozenset({"UTC", "Etc/UTC"})
"""The default of the appliance, which is known without a database of time zones too."""


class Occurrence(NamedTuple):
    """One time of a recurrence, in UTC; any time from ``earliest`` to ``latest`` is right.

    The two differ only if the clock is changed. A time that comes twice is then ``due`` the first time, and one that is
    skipped is due as if the clock had not been changed yet.
    """

    due: datetime
    earliest: datetime
    latest: datetime


def time_zone(name: str) -> tzinfo | None:
    """Return the time zone of a name such as ``Europe/Berlin``, None if it is unknown here."""
    if name in _UTC_NAMES:
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # a name without data, one that leaves the database, a folder
        return None


def time_of_day(hour: int | None, minute: int | None) -> time | None:
    """Return the time of a schedule, None if it has none or an invalid one."""
    if hour is None or minute is None or hour not in range(24) or minute not in range(60):
        return None
    return time(hour, minute)


def occurrences(
    at: time, days: Collection[str], since: datetime, until: datetime, zone: tzinfo
) -> Iterator[Occurrence]:
    """Yield the times of a recurrence in ``zone`` that are due from ``since`` to before ``until``."""
    date = since.astimezone(zone).date() - timedelta(days=1)  # a skipped time may be due after midnight
    while True:
        local = datetime.combine(date, at, zone)
        both = [local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
        if both[0] >= until:
            return
        if both[0] >= since and (not days or WEEK[date.weekday()] in days):
            yield Occurrence(both[0], min(both), max(both))
        date += timedelta(days=1)


def next_run(hour: int, minute: int, days: Collection[str], after: datetime, zone: tzinfo) -> datetime | None:
    """Return the first run after a time, in ``zone``; None if the recurrence is invalid."""
    at = time_of_day(hour, minute)
    found = occurrences(at, days, after, after + timedelta(days=9), zone) if at else ()
    return next((each.due.astimezone(zone) for each in found if each.due > after), None)
