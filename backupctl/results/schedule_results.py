"""The results of the schedule commands."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

import msgspec

from backupctl.results.result import Change, PreparedRequest, Result

FIELD_LABELS: Final = {"enable": "enabled", "recurrence_info": "when", "retention_info": "keeps"}
"""The labels of fields whose names in the API are no plain words."""


def field_label(field: str) -> str:
    """Return the label of a field of a schedule for people."""
    return FIELD_LABELS.get(field, field.replace("_", " "))


def recurrence_text(hour: int, minute: int, days: Collection[str]) -> str:
    """Format a recurrence: ``every day at 02:30``, ``Wed, Sun at 23:00``; no days mean every day."""
    return f"{', '.join(day[:3].title() for day in days) or 'every day'} at {hour:02}:{minute:02}"


class ScheduleInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule, with the names of the API.

    ``hour`` and ``minute`` are in the time zone of the appliance; ``days`` is empty for every day. ``next_run`` is None
    if it is unknown, as without a ``time_zone``, or if there is none. ``encrypted`` is None if it is unknown: the
    appliance does not tell, so it is known only of what this run sent.
    """

    name: str
    location: str | None = None
    location_user: str | None = None
    parts: tuple[str, ...] = ()
    enable: bool | None = None
    hour: int | None = None
    minute: int | None = None
    days: tuple[str, ...] = ()
    max_count: int | None = None
    fast_backup: bool | None = None
    time_zone: str | None = None
    next_run: datetime | None = None
    encrypted: bool | None = None

    @property
    def recurrence(self) -> str | None:
        """When it runs, None if it has no time."""
        return None if self.hour is None or self.minute is None else recurrence_text(self.hour, self.minute, self.days)


class SchedulesResult(Result, frozen=True, kw_only=True):
    """The result of ``schedule list``: the schedules, and the number of unreadable ones."""

    schedules: tuple[ScheduleInfo, ...] = ()
    unreadable: int = 0


class ScheduleResult(Result, frozen=True, kw_only=True):
    """The result of ``schedule show``, ``set``, ``enable``, ``disable`` and ``delete``.

    ``schedule`` is the current one, None if deleted, and ``changes`` what was changed. After a dry run, ``changes`` and
    ``requests`` are what would be changed and sent.
    """

    schedule: ScheduleInfo | None = None
    changes: tuple[Change, ...] = ()
    requests: tuple[PreparedRequest, ...] = ()
