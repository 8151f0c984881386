"""Selection among several jobs: the newest ones, and those that a filter names."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from backupctl.results.job import Job

_TIME_ID: Final = re.compile(r"\d{8}-\d{6}-\d+", re.ASCII)


def newest(job_ids: Sequence[str]) -> str | None:
    """Return the newest of several job ids: they begin with the time; where one does not, the first one counts."""
    if all(_TIME_ID.fullmatch(job_id) for job_id in job_ids):
        return max(job_ids, default=None)
    return next(iter(job_ids), None)


def is_newer(job_id: str, other: str) -> bool:
    """Whether a job is newer than another by their ids; False where an id does not begin with the time."""
    if _TIME_ID.fullmatch(job_id) and _TIME_ID.fullmatch(other):
        return job_id.rpartition("-")[0] > other.rpartition("-")[0]
    return False


def newest_first(jobs: Iterable[Job]) -> tuple[Job, ...]:
    """Return jobs sorted by start time and id, whatever order the appliance gave them in.

    A job that has not begun has no start time yet; the time in its id stands in for it.
    """
    return tuple(sorted(jobs, key=_age, reverse=True))


class JobFilter(msgspec.Struct, frozen=True):
    """Which jobs are wanted; what is None lets all through, and a job whose start is not known fits no time."""

    state: str | None = None
    type: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None

    def of(self, found: Sequence[Job]) -> tuple[Job, ...]:
        """Return the jobs that fit, in their order, at most ``limit``."""
        return tuple(job for job in found if self._fits(job))[: self.limit]

    def _fits(self, job: Job) -> bool:
        return (
            (self.state is None or job.state == self.state)
            and (self.type is None or job.type == self.type)
            and (self.since is None or (job.start_time is not None and job.start_time >= self.since))
            and (self.until is None or (job.start_time is not None and job.start_time <= self.until))
        )


def _age(job: Job) -> tuple[str, str]:
    if job.start_time is not None:
        return f"{job.start_time:%Y%m%d-%H%M%S.%f}", job.id
    return job.id if _TIME_ID.fullmatch(job.id) else "", job.id
