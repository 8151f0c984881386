"""Text about the job that is running on an appliance: since when, and what to do if it hangs."""

from datetime import datetime, timedelta
from typing import Final

from backupctl.formatting import relative
from backupctl.results.job import Job

HUNG_AFTER: Final = timedelta(days=1)
"""A backup takes minutes to hours. After a crash of the service, jobs were seen that ran for months."""


def describe_running(job: Job | None, now: datetime) -> str:
    """Return which job is running, with its progress and start time."""
    if job is None:
        return "another backup or restore is running"
    progress = "" if job.progress is None else f" ({job.progress} %)"
    return f"{job.title} is running{progress}{_since(job, now)}"


def hung_hint(job: Job | None, now: datetime) -> str | None:
    """Return what to do about a job that has been running for over a day, None for any other."""
    if job is None or job.start_time is None or now - job.start_time <= HUNG_AFTER:
        return None
    return (
        f"cancel it with `backupctl cancel {job.id}`; if it keeps running, restart the service on "
        "the appliance: service-control --restart applmgmt"
    )


def _since(job: Job, now: datetime) -> str:
    if job.start_time is None:
        return ""
    start = f"{job.start_time:%Y-%m-%d %H:%M} UTC"
    if job.start_time > now:  # The clocks of this machine and of the appliance differ.
        return f", started {start}"
    return f", started {relative(job.start_time, now)} ({start})"
