"""When a schedule runs next."""

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from backupctl.rules.days import WEEK

_UTC_NAMES: Final = frozenset({"UTC", "Etc/UTC"})
"""The default of the appliance, which is known without a database of time zones too."""


def time_zone(name: str) -> tzinfo | None:
    """Return the time zone of a name such as ``Europe/Berlin``, None if it is unknown here."""
    if name in _UTC_NAMES:
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # a name without data, one that leaves the database, a folder
        return None


def next_run(hour: int, minute: int, days: Collection[str], after: datetime, zone: tzinfo) -> datetime | None:
    """Return the first run after a time, in ``zone``; None if the recurrence is invalid."""
    if hour not in range(24) or minute not in range(60):
        return None
    today = after.astimezone(zone).date()
    dates = [today + timedelta(ahead) for ahead in range(8)]
    runs = [
        datetime.combine(date, time(hour, minute), zone) for date in dates if not days or WEEK[date.weekday()] in days
    ]
    return next((run for run in runs if run > after), None)
