"""Backup schedules: their fields, when they are due, and the registry of one appliance.

That the hour of a schedule is in the time zone of the appliance is UNCONFIRMED, and so is what happens when the clock
changes: here a time that is skipped comes an hour later, and of a time that comes twice the first counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from backupctl.simulator.backup_runs import BackupSpec

DAYS: tuple[str, ...] = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")

MAX_CATCH_UP = timedelta(days=100)
"""When the clock jumps, only runs that were due in this time before it are made up for."""

UTC_NAME = "Etc/UTC"
"""The time zone that appliances are deployed with; it needs no database of time zones."""

_READABLE = ("parts", "location", "location_user", "enable", "recurrence_info", "retention_info", "fast_backup")
"""The fields of Schedules.Info; both passwords are write-only."""


@dataclass(slots=True)
class ScheduleEntry:
    """One schedule: ``fields`` of its specification without the passwords; ``next_run`` is None if there is none."""

    schedule_id: str
    zone: tzinfo
    fields: dict[str, Any] = field(default_factory=dict)
    encrypted: bool = False
    next_run: datetime | None = None

    def change(self, given: Mapping[str, Any], now: datetime) -> None:
        """Change the given fields and compute the next run after ``now``."""
        self.encrypted = self.encrypted or "backup_password" in given
        self.fields |= {name: value for name, value in given.items() if name in _READABLE}
        self.next_run = self.next_after(now)

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first run after ``moment``; None if the schedule is disabled or has no recurrence."""
        recurrence = self.fields.get("recurrence_info")
        if recurrence is None or not self.fields["enable"]:
            return None
        days = set(recurrence.get("days") or DAYS)
        at, today = time(recurrence["hour"], recurrence["minute"]), moment.astimezone(self.zone).date()
        dates = (today + timedelta(days=ahead) for ahead in range(9))
        runs = (datetime.combine(date, at, self.zone).astimezone(UTC) for date in dates if DAYS[date.weekday()] in days)
        return next(run for run in runs if run > moment)

    @property
    def max_count(self) -> int | None:
        """How many scheduled archives are kept; None for all."""
        retention = self.fields.get("retention_info")
        return retention["max_count"] if retention else None

    def info(self) -> dict[str, Any]:
        """Return Schedules.Info; fields that are not set are absent."""
        return {name: self.fields[name] for name in _READABLE if name in self.fields}

    def backup_spec(self, comment: str = "") -> BackupSpec:
        """Return the specification of its backups; the location type is the scheme of the location."""
        location = self.fields["location"]
        return BackupSpec(
            location_type=location.partition("://")[0].upper(),
            location=location,
            location_user=self.fields.get("location_user", ""),
            parts=tuple(self.fields["parts"]),
            comment=comment,
            encrypted=self.encrypted,
            fast_backup=self.fields.get("fast_backup"),
        )


class ScheduleRegistry:
    """The schedules of one appliance by their ids; their times are in its time zone."""

    time_zone = UTC_NAME

    def __init__(self) -> None:
        self.entries: dict[str, ScheduleEntry] = {}

    @property
    def zone(self) -> tzinfo:
        """The time zone itself."""
        return UTC if self.time_zone == UTC_NAME else ZoneInfo(self.time_zone)

    def create(self, schedule_id: str, spec: Mapping[str, Any], now: datetime) -> ScheduleEntry:
        """Add a schedule; by default it is enabled and backs up no optional part."""
        schedule = ScheduleEntry(schedule_id, self.zone, {"parts": [], "enable": True})
        schedule.change(spec, now)
        self.entries[schedule_id] = schedule
        return schedule

    def set_time_zone(self, name: str, now: datetime) -> None:
        """Change the time zone; the next runs are those after ``now``."""
        self.time_zone = name
        for schedule in self.entries.values():
            schedule.zone = self.zone
            schedule.change({}, now)

    def take_due(self, now: datetime) -> list[tuple[datetime, ScheduleEntry]]:
        """Return the runs that became due since the last call, oldest first; at most those of ``MAX_CATCH_UP``."""
        due = []
        for schedule in self.entries.values():
            run = schedule.next_run
            if run is not None and run < now - MAX_CATCH_UP:
                run = schedule.next_after(now - MAX_CATCH_UP)
            while run is not None and run <= now:
                due.append((run, schedule))
                run = schedule.next_after(run)
            schedule.next_run = run
        return sorted(due, key=lambda pair: pair[0])
