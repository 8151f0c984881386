"""Selection among jobs: the newest ones, and those that a filter matches; no I/O."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from backupctl.results.job import TIME_ID, Job


def newest(job_ids: Sequence[str]) -> str | None:
    """Return the newest of several job ids; if one of them does not begin with a time, the first one."""
    if all(TIME_ID.fullmatch(job_id) for job_id in job_ids):
        return max(job_ids, default=None)
    return next(iter(job_ids), None)


def ids_newest_first(job_ids: Sequence[str]) -> list[str]:
    """Return job ids, the newest first; in their order if one of them does not begin with a time."""
    return sorted(job_ids, reverse=True) if all(map(TIME_ID.fullmatch, job_ids)) else list(job_ids)


def is_newer(job_id: str, other: str) -> bool:
    """Return whether a job is newer than another by their ids; False if an id does not begin with a time."""
    if TIME_ID.fullmatch(job_id) and TIME_ID.fullmatch(other):
        return job_id.rpartition("-")[0] > other.rpartition("-")[0]
    return False


def newest_first(jobs: Iterable[Job]) -> tuple[Job, ...]:
    """Return jobs sorted by start time and id, the newest first.

    A job that has not started yet has no start time; it is sorted by the time in its id.
    """
    return tuple(sorted(jobs, key=_sort_key, reverse=True))


def _sort_key(job: Job) -> tuple[str, str]:
    if job.start_time is not None:
        return f"{job.start_time:%Y%m%d-%H%M%S.%f}", job.id
    return job.id if TIME_ID.fullmatch(job.id) else "", job.id


class JobFilter(msgspec.Struct, frozen=True):
    """Conditions on a job; None matches any job, and a job without a start time matches no ``since`` or ``until``."""

    state: str | None = None
    type: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None

    def select(self, jobs: Sequence[Job]) -> tuple[Job, ...]:
        """Return the jobs that match, in their order, at most ``limit``."""
        return tuple(job for job in jobs if self._matches(job))[: self.limit]

    def _matches(self, job: Job) -> bool:
        return (
            (self.state is None or job.state == self.state)
            and (self.type is None or job.type == self.type)
            and (self.since is None or (job.start_time is not None and job.start_time >= self.since))
            and (self.until is None or (job.start_time is not None and job.start_time <= self.until))
        )
