"""Backup jobs: each a function of the clock, from the few numbers that were fixed when it started."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

from backupctl.simulator import parts
from backupctl.simulator.progress import Curve
from backupctl.simulator.releases import Release
from backupctl.simulator.wire import Message, message

State = Literal["INPROGRESS", "SUCCEEDED", "FAILED"]

CANCEL_SECONDS = 2.0
"""How long a cancelled job still runs. UNCONFIRMED."""

FIRST_FAILURE_SECONDS = 0.1
"""A job never fails earlier than this: the answer to its creation always says INPROGRESS."""

FAILED_MESSAGES: tuple[Message, ...] = (
    message(
        "com.vmware.applmgmt.backup_restore.backup_manager.exception",
        "BackupManager encountered an exception. Please check logs for details.",
    ),
)
"""The generic text that the appliance shows for a failed job; the id is UNCONFIRMED."""

CANCELLED_MESSAGE = message("com.vmware.applmgmt.backup_restore.job.cancelled", "Backup job was cancelled by the user.")
"""There is no CANCELLED state, so that a cancelled job must end FAILED; text and id are UNCONFIRMED."""

_DETAILS_STATUS = {"INPROGRESS": "RUNNING", "SUCCEEDED": "SUCCEEDED", "FAILED": "FAILED"}


class Ending(NamedTuple):
    """When a job ends, in seconds from its start, and how."""

    seconds: float
    state: State
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """What a backup was asked for: where to, which parts, whose comment."""

    location_type: str
    location: str
    location_user: str = ""
    parts: tuple[str, ...] = ("common",)
    comment: str = ""
    encrypted: bool = False
    fast_backup: bool | None = None


@dataclass(slots=True)
class Job:
    """One backup. ``started`` is in seconds of the monotonic clock, ``duration`` in seconds; percents are 0 to 100."""

    job_id: str
    release: Release
    target: Target
    start_time: datetime
    started: float
    duration: float
    curve: Curve
    job_type: Literal["MANUAL", "SCHEDULED"] = "MANUAL"
    user: str | None = None
    fail_at: int | None = None
    fail_messages: tuple[Message, ...] = FAILED_MESSAGES
    stall_at: int | None = None
    cancelled_at: float | None = None
    reboot: tuple[float, float] | None = None  # from and to, in seconds of the monotonic clock
    finished: bool = False  # what follows from its end (the files at the target) is done

    def ending(self) -> Ending | None:
        """Return the job's end, which may lie in the future; None while it has none."""
        ends = []
        if self.stall_at is None:
            ends.append(Ending(self.duration, "SUCCEEDED"))
        if self.fail_at is not None and (self.stall_at is None or self.fail_at <= self.stall_at):
            moment = max(self.curve.first_time_of(self.fail_at) * self.duration, FIRST_FAILURE_SECONDS)
            ends.append(Ending(moment, "FAILED", self.fail_messages))
        if self.cancelled_at is not None:
            ends.append(Ending(self.cancelled_at - self.started + CANCEL_SECONDS, "FAILED", (CANCELLED_MESSAGE,)))
        return min(ends, key=lambda end: (end.seconds, end.state), default=None)

    def ended(self, moment: float) -> Ending | None:
        """Return the job's end if it lies at or before ``moment`` (monotonic seconds)."""
        end = self.ending()
        return end if end is not None and moment - self.started >= end.seconds else None

    def progress(self, moment: float) -> int:
        """Return the percent that the appliance shows at ``moment``."""
        end = self.ended(moment)
        if end is not None and end.state == "SUCCEEDED":
            return 100
        seconds = min(moment - self.started, end.seconds) if end else moment - self.started
        percent = self.curve.percent_at(seconds / self.duration)
        caps = [cap for cap in (self.stall_at, self.fail_at if end else None) if cap is not None]
        return min([percent, 100, *caps])

    def status(self, moment: float) -> dict[str, Any]:
        """Return BackupJobStatus: ``end_time`` is absent, not null, until the job is done."""
        end = self.ended(moment)
        view: dict[str, Any] = {
            "id": self.job_id,
            "state": end.state if end else "INPROGRESS",
            "messages": list(end.messages) if end else [],
            "progress": self.progress(moment),
            "start_time": timestamp(self.start_time),
        }
        if end:
            view["end_time"] = timestamp(self.start_time + timedelta(seconds=end.seconds))
        return view

    def details(self, moment: float) -> dict[str, Any]:
        """Return Details.Info, whose ``status`` has another vocabulary than the job's ``state``."""
        end = self.ended(moment)
        percent = self.progress(moment)
        step = "Backup job finished." if end else "Backup job is in progress."
        view: dict[str, Any] = {
            "description": message("com.vmware.appliance.recovery.backup.job.create", "Create a backup job"),
            "service": "com.vmware.appliance.recovery.backup.job",
            "operation": "create",
            "status": _DETAILS_STATUS[end.state if end else "INPROGRESS"],
            "type": self.job_type,
            "cancelable": end is None,
            "location": quote(self.target.location, safe=":/?#[]@!$&'()*+,;=%~"),  # the field is a URI
            "location_user": self.target.location_user,
            "messages": list(end.messages) if end else [],
            "progress": {
                "total": 100,
                "completed": percent,
                "message": message("com.vmware.applmgmt.backup_restore.progress", step),
            },
            "size": parts.total_bytes(self.target.parts) * percent // 100,
            "duration": int(end.seconds if end else moment - self.started),
            "start_time": timestamp(self.start_time),
        }
        return view | self._optional_details(end)

    def _optional_details(self, end: Ending | None) -> dict[str, Any]:
        view: dict[str, Any] = {}
        if end:
            view["end_time"] = timestamp(self.start_time + timedelta(seconds=end.seconds))
        if self.user is not None:
            view["user"] = self.user
        if "details-build" in self.release.features:
            view["build"] = {
                "version_name": f"VC-{self.release.version}",
                "version": self.release.version,
                "build_number": self.release.build,
            }
        if "details-fast-backup" in self.release.features and self.target.fast_backup is not None:
            view["fast_backup"] = self.target.fast_backup
        return view


def timestamp(moment: datetime) -> str:
    """Return ISO 8601 in UTC with milliseconds, such as ``2015-01-01T22:13:05.651Z``."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


class JobBook:
    """All jobs of one appliance, oldest first; at most one of them runs."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def new_id(self, start_time: datetime, build: str) -> str:
        """Return ``YYYYMMDD-HHMMSS-<build>`` for a start, a second later if that id is taken."""
        taken = {job.job_id for job in self.jobs}
        while (job_id := f"{start_time:%Y%m%d-%H%M%S}-{build}") in taken:
            start_time += timedelta(seconds=1)
        return job_id

    def find(self, job_id: str) -> Job | None:
        """Return the job with this id."""
        return next((job for job in self.jobs if job.job_id == job_id), None)

    def running(self, moment: float) -> Job | None:
        """Return the job that runs at ``moment`` (monotonic seconds)."""
        return next((job for job in reversed(self.jobs) if job.ended(moment) is None), None)
