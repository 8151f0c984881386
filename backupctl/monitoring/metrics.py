"""The metrics of an appliance.

What cannot be known has no sample. Times are Unix timestamps, so that a file that is no longer written shows its age.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from backupctl import __version__
from backupctl.models import JobState
from backupctl.results.backup_history import HistoryResult, Track

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

Sample = tuple[str, Mapping[str, str], float | None]
"""A name without its prefix, labels, and a value, None where it is unknown."""


def samples(result: HistoryResult) -> Iterator[Sample]:
    """Yield the metrics of one appliance; one that is local or of unknown type counts only among the jobs."""
    history = result.history
    yield "scrape_success", {}, history is not None
    if history is None:
        return
    yield "info", {"version": __version__, "api": result.api or "", "release": result.release or ""}, 1
    yield "running", {}, history.running is not None
    counts = dict.fromkeys(_STATES, 0) | Counter(job.state for job in history.jobs)
    for state, count in {**counts, "unreadable": len(history.unreadable)}.items():
        yield "jobs", {"state": state}, count
    types = (*_TYPES, *(job.type for job in history.of_type().jobs if job.type)) if history.has_details else (None,)
    for job_type in dict.fromkeys(types):
        yield from _samples_of_type({"type": job_type} if job_type else {}, history.of_type(job_type))
    for schedule in history.schedules or ():
        labels = {"schedule": schedule.name}
        yield "schedule_enabled", labels, schedule.enable
        yield "next_run_timestamp_seconds", labels, 0 if schedule.enable is False else _timestamp(schedule.next_run)


def _samples_of_type(labels: Mapping[str, str], track: Track) -> Iterator[Sample]:
    last, success = track.last, track.success
    yield "last_success_timestamp_seconds", labels, _timestamp(success.ended_at) if success else 0
    yield "last_end_timestamp_seconds", labels, _timestamp(last.ended_at) if last else 0
    yield "last_result", labels, last.succeeded if last else None
    yield "last_duration_seconds", labels, success.duration_seconds if success else None
    yield "last_size_bytes", labels, success.size_bytes if success else None


def _timestamp(time: datetime | None) -> float | None:
    """Return a Unix timestamp, 0 for the year 1, with which some appliances mean "never"."""
    return None if time is None else max(0, time.timestamp())
