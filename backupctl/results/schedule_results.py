"""The results of the schedule commands."""

import msgspec

from backupctl.results.result import Change, PreparedRequest, Result


class ScheduleInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule in the API's own words; ``hour`` and ``minute`` are in the appliance's time zone, no days is every."""

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
    """The result of schedule list: the schedules, and how many more cannot be read."""

    schedules: tuple[ScheduleInfo, ...] = ()
    unreadable: int = 0


class ScheduleResult(Result, frozen=True, kw_only=True):
    """The result of schedule show, set, enable, disable and delete: as it is now, and what was changed.

    After a dry run, ``schedule`` is as it is, ``changes`` what would be changed and ``requests`` what would be sent.
    A schedule that was deleted is None.
    """

    schedule: ScheduleInfo | None = None
    changes: tuple[Change, ...] = ()
    requests: tuple[PreparedRequest, ...] = ()
