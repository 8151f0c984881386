"""Backup jobs: their specification, their status and details in the API, and the registry of one appliance."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote

from backupctl.simulator.api_errors import Message, message
from backupctl.simulator.backup_parts import total_bytes
from backupctl.simulator.releases import Release
from backupctl.simulator.simulated_runs import RunEnd, SimulatedRun, timestamp

JobType = Literal["MANUAL", "SCHEDULED"]

CANCELLED_MESSAGE = message("com.vmware.applmgmt.backup_restore.job.cancelled", "Backup job was cancelled by the user.")
"""The API has no state CANCELLED, so a cancelled job ends FAILED; text and id are UNCONFIRMED."""

LOCATION_NOT_EMPTY = message(
    "com.vmware.applmgmt.backup_restore.location_not_empty", "The backup location is not empty."
)
"""What 6.5 says about a folder that is not empty; text and id are UNCONFIRMED."""

_STEPS: Mapping[int, str] = {
    0: "Preparing the backup.",
    10: "Backing up configuration files.",
    30: "Backing up the database.",
    90: "Writing the metadata of the backup.",
}
"""The step of a running job, by the percent at which it begins; the texts are UNCONFIRMED."""


@dataclass(frozen=True, slots=True)
class BackupSpec:
    """A backup request without its secrets."""

    location_type: str
    location: str
    location_user: str = ""
    parts: tuple[str, ...] = ("common",)
    comment: str = ""
    encrypted: bool = False
    fast_backup: bool | None = None


@dataclass(slots=True, kw_only=True)
class BackupRun(SimulatedRun):
    """One backup job; ``user`` is None for a scheduled one.

    ``damages`` are the faults of its archive, of whose files it has written ``files_written``.
    """

    job_id: str
    release: Release
    spec: BackupSpec
    job_type: JobType = "MANUAL"
    user: str | None = None
    damages: tuple[str, ...] = ()
    files_written: int = 0
    cancelled_message: Message = field(default_factory=lambda: CANCELLED_MESSAGE)

    def status(self, moment: float) -> dict[str, Any]:
        """Return BackupJobStatus; a running job has no ``end_time``, not a null."""
        end = self.ended(moment)
        view: dict[str, Any] = {
            "id": self.job_id,
            "state": end.state if end else "INPROGRESS",
            "messages": list(end.messages) if end else [],
            "progress": self.progress(moment),
            "start_time": timestamp(self.start_time),
        }
        if end:
            view["end_time"] = self.end_time(end)
        return view

    def details(self, moment: float) -> dict[str, Any]:
        """Return Details.Info; its ``status`` is RUNNING where BackupJobStatus has the ``state`` INPROGRESS."""
        end = self.ended(moment)
        percent = self.progress(moment)
        step = "Backup job finished." if end else _step_at(percent)
        view: dict[str, Any] = {
            "description": message("com.vmware.appliance.recovery.backup.job.create", "Create a backup job"),
            "service": "com.vmware.appliance.recovery.backup.job",
            "operation": "create",
            "status": end.state if end else "RUNNING",
            "type": self.job_type,
            "cancelable": end is None,
            "location": as_uri(self.spec.location),
            "location_user": self.spec.location_user,
            "messages": list(end.messages) if end else [],
            "progress": {
                "total": 100,
                "completed": percent,
                "message": message("com.vmware.applmgmt.backup_restore.progress", step),
            },
            "size": total_bytes(self.spec.parts) * percent // 100,
            "duration": int(end.seconds if end else moment - self.started),
            "start_time": timestamp(self.start_time),
        }
        return view | self._optional_details(end)

    def _optional_details(self, end: RunEnd | None) -> dict[str, Any]:
        view: dict[str, Any] = {}
        if end:
            view["end_time"] = self.end_time(end)
        if self.user is not None:
            view["user"] = self.user
        if "details-build" in self.release.features:
            view["build"] = {
                "version_name": f"VC-{self.release.version}",
                "version": self.release.version,
                "build_number": self.release.build,
            }
        if "details-fast-backup" in self.release.features and self.spec.fast_backup is not None:
            view["fast_backup"] = self.spec.fast_backup
        return view


def _step_at(percent: int) -> str:
    return _STEPS[max(begin for begin in _STEPS if percent >= begin)]


def as_uri(location: str) -> str:
    """Return a location with its special characters escaped, as in Details.Info."""
    return quote(location, safe=":/?#[]@!$&'()*+,;=%~")


class BackupRegistry:
    """All backup jobs of one appliance, oldest first; at most one of them is running."""

    def __init__(self) -> None:
        self.runs: list[BackupRun] = []
        self._ids: set[str] = set()
        self._open: list[BackupRun] = []

    def new_id(self, start_time: datetime, build: str) -> str:
        """Return ``YYYYMMDD-HHMMSS-<build>``, later by a second for each id that exists already."""
        while (job_id := f"{start_time:%Y%m%d-%H%M%S}-{build}") in self._ids:
            start_time += timedelta(seconds=1)
        self._ids.add(job_id)
        return job_id

    def add(self, job: BackupRun, *, past: bool = False) -> None:
        """Add the newest job; ``past``: ``take_ended`` never returns it."""
        self.runs.append(job)
        if not past:
            self._open.append(job)

    def find(self, job_id: str) -> BackupRun | None:
        """Return the job with this id."""
        return next((job for job in self.runs if job.job_id == job_id), None)

    def running(self, moment: float) -> BackupRun | None:
        """Return the job that is running at ``moment`` (monotonic seconds)."""
        return next((job for job in reversed(self._open) if job.ended(moment) is None), None)

    def take_ended(self, moment: float) -> list[tuple[BackupRun, RunEnd]]:
        """Return the jobs that ended since the last call, up to ``moment``, in the order of their ends."""
        ended = [(job, end) for job in self._open if (end := job.ended(moment))]
        self._open = [job for job in self._open if job.ended(moment) is None]
        return sorted(ended, key=lambda pair: pair[0].started + pair[1].seconds)
