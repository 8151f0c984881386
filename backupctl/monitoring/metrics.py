"""The metrics of an appliance.

What cannot be known has no sample. Times are Unix timestamps, so that a file that is no longer written shows its age.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from backupctl import __version__
from backupctl.models import JobState
from backupctl.results.backup_history import BackupHistory, HistoryResult
from backupctl.results.job import Job
from backupctl.results.metrics_results import MetricsResult, Sample

METRICS: Final = {
    "backupctl_last_success_timestamp_seconds": "When the newest successful backup ended, 0 for never.",
    "backupctl_last_end_timestamp_seconds": "When the newest backup ended, successful or not, 0 for never.",
    "backupctl_last_result": "Whether the newest backup that has ended succeeded (1) or failed (0).",
    "backupctl_last_duration_seconds": "How long the newest successful backup took.",
    "backupctl_last_size_bytes": "The size of the newest successful backup.",
    "backupctl_running": "Whether a backup is running (1) or not (0).",
    "backupctl_jobs": "How many backup jobs the appliance remembers.",
    "backupctl_schedule_enabled": "Whether a schedule is enabled (1) or disabled (0).",
    "backupctl_next_run_timestamp_seconds": "When a schedule runs next, 0 if it is disabled.",
    "backupctl_scrape_success": "Whether the appliance could be read (1) or not (0).",
    "backupctl_info": "Version of backupctl, API family and release; always 1.",
}
"""The metrics and their meaning, in the order of the file. All are gauges."""

_TYPES: Final = ("MANUAL", "SCHEDULED")
_STATES: Final = (JobState.INPROGRESS, JobState.SUCCEEDED, JobState.FAILED)

Values = Iterator[tuple[str, Mapping[str, str], float | None]]
"""Names without their prefix, labels, and values, None where it is unknown."""


def metrics_of(result: HistoryResult) -> MetricsResult:
    """Return the metrics of one appliance."""
    common = {name: getattr(result, name) for name in result.__struct_fields__ if name != "history"}
    found = [(f"backupctl_{name}", labels, value) for name, labels, value in _values(result) if value is not None]
    return MetricsResult(**common, metrics=tuple(Sample(name, labels, _number(value)) for name, labels, value in found))


def _number(value: float) -> float:
    return int(value) if value == int(value) else value


def _values(result: HistoryResult) -> Values:
    history = result.history
    yield "scrape_success", {}, history is not None
    if history is None:
        return
    yield "info", {"version": __version__, "api": result.api or "", "release": result.release or ""}, 1
    yield "running", {}, any(not job.ended for job in history.jobs[:1])
    counts = dict.fromkeys(_STATES, 0) | Counter(job.state for job in history.jobs)
    for state, count in {**counts, "unreadable": history.unreadable}.items():
        yield "jobs", {"state": state}, count
    for job_type, jobs in _ended_by_type(history).items():
        yield from _values_of_type({"type": job_type} if job_type else {}, jobs)
    for schedule in history.schedules or ():
        labels = {"schedule": schedule.name}
        yield "schedule_enabled", labels, schedule.enable
        yield "next_run_timestamp_seconds", labels, 0 if schedule.enable is False else _timestamp(schedule.next_run)


def _ended_by_type(history: BackupHistory) -> dict[str | None, list[Job]]:
    """Return the jobs that have ended, newest first; the usual types are there before their first job."""
    found: dict[str | None, list[Job]] = {job_type: [] for job_type in _TYPES if history.has_details}
    for job in history.jobs:
        found.setdefault(job.type, []).extend([job] if job.ended else [])
    return found


def _values_of_type(labels: Mapping[str, str], jobs: Sequence[Job]) -> Values:
    succeeded = [job for job in jobs if job.succeeded]
    yield "last_success_timestamp_seconds", labels, _end(succeeded)
    yield "last_end_timestamp_seconds", labels, _end(jobs)
    yield "last_result", labels, jobs[0].succeeded if jobs else None
    yield "last_duration_seconds", labels, succeeded[0].duration_seconds if succeeded else None
    yield "last_size_bytes", labels, succeeded[0].size_bytes if succeeded else None


def _end(jobs: Sequence[Job]) -> float | None:
    return _timestamp(jobs[0].end_time) if jobs else 0


def _timestamp(time: datetime | None) -> float | None:
    """Return a Unix timestamp, 0 for the year 1, with which some appliances mean "never"."""
    return None if time is None else max(0, time.timestamp())
