"""The backup history of an appliance, as monitoring, audits and reports judge it."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from backupctl.results.job import TIME_ID, Job
from backupctl.results.result import Result
from backupctl.results.schedule_results import ScheduleInfo

LOCAL: Final = "LOCAL_BACKUP"
"""A type of release 9.0. Where its backup goes is not documented: a copy on the appliance is lost with it."""
CLOCK_SKEW: Final = timedelta(hours=1)
"""A backup that ended later than this in the future proves that a clock was wrong."""
MEMORY: Final = timedelta(days=3653)
"""The start time of an older job is wrong."""


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """Backups of one kind until ``read_at``, newest first."""

    read_at: datetime
    jobs: tuple[Job, ...]

    @property
    def ahead(self) -> int:
        """How many ended in the future; they count as neither success nor failure."""
        return sum(map(self._is_ahead, self.jobs))

    @property
    def last(self) -> Job | None:
        """The newest backup that has ended, successful or not."""
        return next((job for job in self.jobs if job.ended and not self._is_ahead(job)), None)

    @property
    def successes(self) -> tuple[Job, ...]:
        """The backups that succeeded at a known time."""
        return tuple(job for job in self.jobs if job.succeeded and job.ended_at and not self._is_ahead(job))

    @property
    def success(self) -> Job | None:
        """The newest backup that succeeded."""
        return next(iter(self.successes), None)

    def _is_ahead(self, job: Job) -> bool:
        return job.ended_at is not None and job.ended_at > self.read_at + CLOCK_SKEW


class BackupHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What an appliance remembers at one moment: its ``jobs``, newest first, and its schedules.

    ``unreadable`` are the ids of further jobs, which cannot be read. ``schedules`` is None if the release has none
    (6.5), or if they cannot be read. ``schedules_error`` says what of the schedules cannot be read.
    """

    read_at: datetime
    jobs: tuple[Job, ...] = ()
    unreadable: tuple[str, ...] = ()
    schedules: tuple[ScheduleInfo, ...] | None = None
    schedules_error: str | None = None

    @property
    def has_details(self) -> bool:
        """Whether the jobs have types, sizes and locations; they have none before release 6.7."""
        return not self.jobs or any(job.type is not None for job in self.jobs)

    @property
    def running(self) -> Job | None:
        """The newest job, if it has not ended; an older one that has not ended is left over from a crash."""
        return next((job for job in self.jobs[:1] if not job.ended), None)

    def of_type(self, *types: str | None) -> Track:
        """Return the backups of some types; without one, all that are known to leave the appliance."""
        jobs = (job for job in self.jobs if (job.type in types if types else job.type != LOCAL))
        return Track(read_at=self.read_at, jobs=tuple(jobs))

    def unreadable_since(self, job: Job | None) -> int:
        """Return how many of the jobs that cannot be read may be newer than this one."""
        known = job.id if job is not None and TIME_ID.fullmatch(job.id) else ""
        return sum(not (each < known and TIME_ID.fullmatch(each)) for each in self.unreadable)


class HistoryResult(Result, frozen=True, kw_only=True):
    """The backup history of one appliance, None if it cannot be read."""

    history: BackupHistory | None = None
