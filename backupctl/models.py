"""What the appliance says, in the API's own words: the structures of the recovery API, without any I/O.

Enumerations stay open strings, because a newer appliance may answer with values that this program does not know,
and unknown fields are ignored. Fields that the API calls required but that a program can live without have
defaults here, so that one odd field never hides a whole answer. Source of names and types: the VMware vSphere
Automation API reference, package ``appliance.recovery`` (https://developer.broadcom.com/xapis/vsphere-automation-api/).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from backupctl.secret import Secret


class JobState(StrEnum):
    """The states of a backup job (``appliance.recovery.backup.job.backup_restore_process_state``)."""

    NONE = "NONE"
    INPROGRESS = "INPROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


DETAILS_STATUS_AS_JOB_STATE: Mapping[str, str] = {
    "PENDING": JobState.NONE,
    "BLOCKED": JobState.INPROGRESS,
    "RUNNING": JobState.INPROGRESS,
    "SUCCEEDED": JobState.SUCCEEDED,
    "FAILED": JobState.FAILED,
}
"""Job details speak the vocabulary of tasks; the job itself that of backup jobs."""


class LocalizableMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the appliance: ``default_message`` is English text, ``id`` names it in the message bundle."""

    id: str | None = None
    default_message: str | None = None
    args: list[Any] | None = None
    localized: str | None = None

    @property
    def text(self) -> str:
        """The text to show: English, else localized, else the id."""
        return self.default_message or self.localized or self.id or ""


class BackupJobStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status of a job; ``progress`` is in percent, ``end_time`` is unset until the job has ended."""

    id: str = ""
    state: str
    progress: float | None = None
    messages: list[LocalizableMessage] | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None


class DetailsProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a job is, as ``completed`` of ``total``."""

    total: float | None = None
    completed: float | None = None

    @property
    def percent(self) -> float | None:
        """Completed in percent of the total, where both are known."""
        if self.completed is None or not self.total:
            return None
        return 100 * self.completed / self.total


class BuildInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The build of the appliance at the time of a backup (6.7U2 and later)."""

    version_name: str | None = None
    version: str | None = None
    build_number: str | None = None


class JobDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Details of a job (6.7 and later): ``duration`` in seconds, ``size`` in bytes transferred."""

    status: str
    type: str | None = None
    location: str | None = None
    location_user: str | None = None
    duration: float | None = None
    size: float | None = None
    progress: DetailsProgress | None = None
    messages: list[LocalizableMessage] | None = None
    build: BuildInfo | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    user: str | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the appliance that a backup can include; ``optional`` is False for what is always included."""

    id: str
    name: LocalizableMessage | None = None
    description: LocalizableMessage | None = None
    selected_by_default: bool = False
    optional: bool = True


class ReturnResult(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to validate and cancel: ``status`` is OK, WARNING or FAIL."""

    status: str
    messages: list[LocalizableMessage] | None = None


class SystemVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The release that the appliance runs: ``version`` is like ``8.0.2.00100``, ``build`` is digits."""

    version: str
    build: str = ""
    product: str = ""


class BackupRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for when a backup is created or validated; None means that the field is not sent."""

    parts: tuple[str, ...]
    location_type: str
    location: str
    location_user: str | None = None
    location_password: Secret | None = None
    backup_password: Secret | None = None
    comment: str | None = None
    fast_backup: bool | None = None


def as_utc(moment: datetime | None) -> datetime | None:
    """Return an aware time; the appliance speaks UTC, and a time without zone is taken as such."""
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
