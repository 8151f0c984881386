"""The backup history of an appliance, as monitoring, audits and reports judge it."""

from datetime import datetime

import msgspec

from backupctl.results.job import Job
from backupctl.results.result import Result
from backupctl.results.schedule_results import ScheduleInfo


class BackupHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What an appliance remembers at one moment: its ``jobs``, newest first, and its schedules.

    ``unreadable`` is the number of further jobs that cannot be read. ``schedules`` is None if the release has none
    (6.5), or if they cannot be read. ``schedules_error`` says what of the schedules cannot be read.
    """

    read_at: datetime
    jobs: tuple[Job, ...] = ()
    unreadable: int = 0
    schedules: tuple[ScheduleInfo, ...] | None = None
    schedules_error: str | None = None

    @property
    def has_details(self) -> bool:
        """Whether the jobs have types, sizes and locations; they have none before release 6.7."""
        return not self.jobs or any(job.type is not None for job in self.jobs)

    @property
    def newest(self) -> Job | None:
        """The newest job that has ended, None without one."""
        return next((job for job in self.jobs if job.ended), None)


class HistoryResult(Result, frozen=True, kw_only=True):
    """The backup history of one appliance, None if it cannot be read."""

    history: BackupHistory | None = None
