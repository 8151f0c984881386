"""Schedules of backups: when each is due, on the appliance's clock in UTC, and how it shows itself.

That the hour of a schedule is in UTC is UNCONFIRMED; appliances are deployed with their clock in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from backupctl.simulator.backup_runs import BackupSpec

DAYS: tuple[str, ...] = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")

CATCH_UP = timedelta(days=100)
"""How far back runs are made up for when the clock leaps; older ones never happened."""

_SHOWN = ("parts", "location", "location_user", "enable", "recurrence_info", "retention_info", "fast_backup")
"""The fields of Schedules.Info: both passwords can only be written."""


@dataclass(slots=True)
class ScheduleEntry:
    """One schedule: ``fields`` are those of its specification, without secrets; ``next_run`` is None while it rests."""

    schedule_id: str
    fields: dict[str, Any] = field(default_factory=dict)
    encrypted: bool = False
    next_run: datetime | None = None

    def change(self, given: Mapping[str, Any], now: datetime) -> None:
        """Take over the fields that are set, leave the others as they are, and look ahead from ``now``."""
        self.encrypted = self.encrypted or "backup_password" in given
        self.fields |= {name: value for name, value in given.items() if name in _SHOWN}
        self.next_run = self.next_after(now)

    def next_after(self, moment: datetime) -> datetime | None:
        """Return when it runs next, later than ``moment``; None if it is off or has no recurrence."""
        recurrence = self.fields.get("recurrence_info")
        if recurrence is None or not self.fields["enable"]:
            return None
        days = set(recurrence.get("days") or DAYS)
        at = time(recurrence["hour"], recurrence["minute"], tzinfo=UTC)
        coming = (datetime.combine(moment.date() + timedelta(days=ahead), at) for ahead in range(8))
        return next(run for run in coming if run > moment and DAYS[run.weekday()] in days)

    @property
    def retained(self) -> int | None:
        """Return how many backups are kept; None for all."""
        retention = self.fields.get("retention_info")
        return retention["max_count"] if retention else None

    def info(self) -> dict[str, Any]:
        """Return Schedules.Info; what is unset is absent."""
        return {name: self.fields[name] for name in _SHOWN if name in self.fields}

    def backup_spec(self, comment: str = "") -> BackupSpec:
        """Return what its backups are; the scheme of the location says the type."""
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
    """The schedules of one appliance: by its interface there could be many, in practice there is one."""

    def __init__(self) -> None:
        self.schedules: dict[str, ScheduleEntry] = {}

    def create(self, schedule_id: str, spec: Mapping[str, Any], now: datetime) -> ScheduleEntry:
        """Add a schedule: unless said otherwise it is on, and backs up no optional part."""
        schedule = ScheduleEntry(schedule_id, {"parts": [], "enable": True})
        schedule.change(spec, now)
        self.schedules[schedule_id] = schedule
        return schedule

    def take_due(self, now: datetime) -> list[tuple[datetime, ScheduleEntry]]:
        """Return the runs that have become due since the last call, oldest first; few, however long ago that was."""
        due = []
        for schedule in self.schedules.values():
            run = schedule.next_run
            if run is not None and run < now - CATCH_UP:
                run = schedule.next_after(now - CATCH_UP)
            while run is not None and run <= now:
                due.append((run, schedule))
                run = schedule.next_after(run)
            schedule.next_run = run
        return sorted(due, key=lambda pair: pair[0])
