"""Words for a job that keeps the appliance busy: since when it runs, and what to do when it hangs."""

from datetime import datetime, timedelta
from typing import Final

from backupctl.results.job import Job

HUNG_AFTER: Final = timedelta(days=1)
"""A backup takes minutes to hours; jobs that stood for months were seen after a crash of the service."""


def describe_running(job: Job | None, now: datetime) -> str:
    """Return which job is running, how far it is, and since when."""
    if job is None:
        return "another backup or restore is running"
    far = "" if job.progress is None else f" ({job.progress} %)"
    return f"{job.title} is running{far}{_since(job, now)}"


def hung_hint(job: Job | None, now: datetime) -> str | None:
    """Return what to do about a job that runs for longer than a backup takes, None for any other."""
    if job is None or job.start_time is None or now - job.start_time <= HUNG_AFTER:
        return None
    return (
        f"a backup does not take that long; cancel it with `backupctl cancel {job.id}`, and if it is still running "
        "then, restart the service on the appliance: service-control --restart applmgmt"
    )


def _since(job: Job, now: datetime) -> str:
    if job.start_time is None:
        return ""
    start = f"{job.start_time:%Y-%m-%d %H:%M} UTC"
    seconds = int((now - job.start_time).total_seconds())
    if seconds < 0:  # the clocks of this machine and of the appliance differ
        return f", started {start}"
    return f", started {_ago(seconds)} ago ({start})"


def _ago(seconds: int) -> str:
    for length, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
