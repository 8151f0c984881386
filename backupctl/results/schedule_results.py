"""The results of the schedule commands."""

import msgspec

from backupctl.results.result import Change, PreparedRequest, Result


class ScheduleInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule, with the names of the API.

    ``hour`` and ``minute`` are in the time zone of the appliance; ``days`` is empty for every day.
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
