"""Sample history: a nightly schedule and its jobs, one of them failed, and two manual jobs."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from backupctl.clock import Clock
from backupctl.simulator.api_errors import message
from backupctl.simulator.backup_runs import BackupRegistry, BackupRun, BackupSpec, JobType
from backupctl.simulator.progress_curves import curve_named
from backupctl.simulator.releases import Release

FULL_BACKUP_NOT_ALLOWED = message(
    "com.vmware.applmgmt.backup_restore.backup_manager.exception",
    "BackupManager encountered an exception. Exception: Full backup not allowed during VM snapshot",
)
"""Source of the text: https://knowledge.broadcom.com/external/article/344841; the id is UNCONFIRMED."""


class _PastJob(NamedTuple):
    """``duration`` is in durations of a backup of this appliance."""

    hours_ago: float
    duration: float
    job_type: JobType
    comment: str = ""
    fail_at: int | None = None


_PAST_JOBS: tuple[_PastJob, ...] = (
    _PastJob(98.0, 1.0, "SCHEDULED"),
    _PastJob(75.5, 1.1, "MANUAL", "before patching"),
    _PastJob(74.0, 1.02, "SCHEDULED"),
    _PastJob(50.0, 1.04, "SCHEDULED", fail_at=10),
    _PastJob(44.5, 1.06, "MANUAL", "after removing the snapshot"),
    _PastJob(26.0, 1.03, "SCHEDULED"),
    _PastJob(2.0, 1.03, "SCHEDULED"),
)

_PARTS = ("common", "seat")
_NIGHTLY_HOURS_AGO = 2.0
_MAX_COUNT = 7


def past_jobs(
    clock: Clock, release: Release, user: str, registry: BackupRegistry, job_duration: float
) -> Iterator[BackupRun]:
    """Yield the past jobs, oldest first; all are manual on a release without schedules."""
    scheduled = "schedules" in release.features
    now = _whole_minute(clock.now())
    moment = clock.monotonic() - (clock.now() - now).total_seconds()
    for past in _PAST_JOBS:
        age = past.hours_ago * 3600
        start_time = now - timedelta(seconds=age)
        manual = past.job_type == "MANUAL" or not scheduled
        folder = "" if scheduled else f"/{start_time:%Y-%m-%d-%H-%M-%S}"
        yield BackupRun(
            job_id=registry.new_id(start_time, release.build),
            release=release,
            spec=BackupSpec(
                location_type=release.scheme.upper(),
                location=f"{_location(release)}{folder}",
                location_user="backup",
                parts=_PARTS,
                comment=past.comment,
            ),
            start_time=start_time,
            started=moment - age,
            duration=past.duration * job_duration,
            curve=curve_named("linear"),
            job_type="MANUAL" if manual else "SCHEDULED",
            user=user if manual else None,
            fail_at=past.fail_at,
            fail_messages=(FULL_BACKUP_NOT_ALLOWED,),
        )


def past_schedule(now: datetime, release: Release) -> dict[str, Any]:
    """Return the specification of the schedule of these jobs."""
    at = _whole_minute(now) - timedelta(hours=_NIGHTLY_HOURS_AGO)
    return {
        "parts": list(_PARTS),
        "location": _location(release),
        "location_user": "backup",
        "recurrence_info": {"minute": at.minute, "hour": at.hour},
        "retention_info": {"max_count": _MAX_COUNT},
    }


def _whole_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _location(release: Release) -> str:
    return f"{release.scheme}://backup.example.com/vcenter"
