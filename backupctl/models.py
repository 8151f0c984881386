"""Structures of the recovery API, with the names of the API.

Enumerations are plain strings, because newer releases add values; unknown fields are ignored. Fields that the API
requires but this program does not need have defaults, so that one bad field does not hide an entry. Each response
structure has a required field (it may be null), so that the response to another request cannot be decoded as it.

Source of names and types: the VMware vSphere Automation API reference, package ``appliance.recovery``
(https://developer.broadcom.com/xapis/vsphere-automation-api/).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec

from backupctl.location import Location
from backupctl.rules.placeholders import filled
from backupctl.secrets.secret import Secret


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
"""The states of job details, which are those of tasks, as states of a backup job."""


class LocalizableMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the appliance: ``default_message`` is the English text, ``id`` the key in the message bundle."""

    id: str | None = None
    default_message: str | None = None
    args: list[Any] | None = None
    params: Any = None
    localized: str | None = None

    @property
    def text(self) -> str:
        """The English text, else the localized text, else the id, with its placeholders filled."""
        return filled(self.default_message or self.localized, self.id, self.args, self.params)


class UnreadableEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a list or map that cannot be decoded: its ``name``, or ``#N`` for the Nth, and ``why``."""

    name: str
    why: str


MAX_MESSAGES: Final = 1000
"""The maximum number of messages in a list; an appliance sends a few."""

Messages = Annotated[list[LocalizableMessage], msgspec.Meta(max_length=MAX_MESSAGES)]
"""The messages of one response."""

PartIds = Annotated[list[Annotated[str, msgspec.Meta(max_length=256)]], msgspec.Meta(max_length=100)]
"""The ids of backup parts, such as ``common``; an appliance has three parts."""


class BackupJobStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status of a job; ``progress`` is in percent, ``end_time`` is None while the job runs."""

    id: str
    state: str
    progress: float | None = None
    messages: Messages | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None


class DetailsProgress(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of a job, as ``completed`` of ``total``; ``message`` is the current step."""

    total: float | None = None
    completed: float | None = None
    message: LocalizableMessage | None = None

    @property
    def percent(self) -> float | None:
        """The progress in percent, None if unknown."""
        if self.completed is None or not self.total:
            return None
        return 100 * self.completed / self.total


class BuildInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The build of the appliance at the time of a backup (6.7U2 and later)."""

    version_name: str | None = None
    version: str | None = None
    build_number: str | None = None


class JobDetails(msgspec.Struct, frozen=True, kw_only=True):
    """The details of a job (6.7 and later): ``duration`` in seconds, ``size`` in transferred bytes."""

    status: str
    type: str | None = None
    location: str | None = None
    location_user: str | None = None
    duration: float | None = None
    size: float | None = None
    progress: DetailsProgress | None = None
    messages: Messages | None = None
    error: Any = None
    build: BuildInfo | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    user: str | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the appliance that a backup can include; ``optional`` is False if it is always included."""

    id: str
    name: LocalizableMessage | None = None
    description: LocalizableMessage | None = None
    selected_by_default: bool
    optional: bool = True


class ReturnResult(msgspec.Struct, frozen=True, kw_only=True):
    """The response to validate and cancel: ``status`` is OK, WARNING or FAIL."""

    status: str
    messages: Messages | None = None


class SystemVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The release of the appliance: ``version`` is like ``8.0.2.00100``, ``build`` is digits.

    ``install_time`` is used for hints only, so it may be anything; the appliance sends a time in ISO 8601.
    """

    version: str
    build: str = ""
    product: str = ""
    install_time: object = None


class BackupRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The request to create or validate a backup; fields that are None are not sent."""

    parts: tuple[str, ...]
    location_type: str
    location: Location
    location_user: str | None = None
    location_password: Secret | None = None
    backup_password: Secret | None = None
    comment: str | None = None
    fast_backup: bool | None = None


class RecurrenceInfo(msgspec.Struct, frozen=True, kw_only=True):
    """When a schedule runs, in the time zone of the appliance; ``days`` is None or empty for every day."""

    hour: int
    minute: int
    days: list[str] | None = None


class RetentionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The number of scheduled backups to keep."""

    max_count: int


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as read from the appliance (6.7 and later), which never returns its passwords."""

    location: str = ""
    location_user: str | None = None
    parts: PartIds | None
    enable: bool | None = None
    recurrence_info: RecurrenceInfo | None = None
    retention_info: RetentionInfo | None = None
    fast_backup: bool | None = None


class ScheduleSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The request to create or update a schedule; None means unset, and unchanged in an update."""

    location: Location | None = None
    location_user: str | None = None
    location_password: Secret | None = None
    backup_password: Secret | None = None
    parts: tuple[str, ...] | None = None
    enable: bool | None = None
    recurrence_info: RecurrenceInfo | None = None
    retention_info: RetentionInfo | None = None
    fast_backup: bool | None = None


class LocationSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The location of archives to list."""

    location: Location
    location_user: str | None = None
    location_password: Secret | None = None


class ArchiveFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which archives to list: all set fields must match; ``max_results`` defaults to 128 on the appliance."""

    start_timestamp: datetime | None = None
    end_timestamp: datetime | None = None
    comment_substring: str | None = None
    max_results: int | None = None


class ArchiveSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An archive in a list; ``timestamp`` is the start of its backup."""

    archive: str
    timestamp: datetime | None = None
    version: str | None = None
    comment: str | None = None


class ArchiveInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A single archive; ``timestamp`` is the end of its backup."""

    timestamp: datetime | None = None
    location: str | None
    parts: PartIds | None = None
    version: str | None = None
    system_name: str | None = None
    comment: str | None = None


class RestoreRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The request to validate or create a restore; ``ignore_warnings`` is only for create."""

    location_type: str
    location: Location
    location_user: str | None = None
    location_password: Secret | None = None
    backup_password: Secret | None = None
    sso_admin_user_name: str | None = None
    sso_admin_user_password: Secret | None = None
    ignore_warnings: bool | None = None
    parts: tuple[str, ...] | None = None


class RestoreMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """The response to validate restore: the archive, and whether this appliance can be restored from it."""

    timestamp: datetime | None = None
    parts: PartIds | None = None
    version: str | None = None
    boxname: str | None = None
    sso_login_required: bool | None = None
    comment: str | None = None
    applicable: bool | None
    messages: Messages | None = None


class RestoreJobStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status of the restore; an appliance has at most one."""

    state: str
    progress: float | None = None
    messages: Messages | None = None
    parts: PartIds | None = None


class ReconciliationSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The request to reconcile a restored node with its partners."""

    sso_admin_user_name: str | None = None
    sso_admin_user_password: Secret | None = None
    ignore_warnings: bool | None = None


class ReconciliationStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status of a reconciliation: NONE, RUNNING, SUCCEEDED or FAILED."""

    status: str
    progress: float | None = None
    messages: Messages | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the appliance supports backup and restore."""

    supported: bool


class HealthMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message about a health problem."""

    severity: str = ""
    message: LocalizableMessage | None = None


class DatabaseHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The health of the database: HEALTHY, DEGRADED or UNHEALTHY (7.0.0.1 to 8.x)."""

    status: str
    messages: list[HealthMessage] | None = None


class HealthSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Whether backups check the health of the database before they start."""

    db_health_check_state_manual_backup: bool | None
    db_health_check_state_scheduled_backup: bool | None = None


def as_utc(time: datetime | None) -> datetime | None:
    """Return the time in UTC; the appliance uses UTC, so a time without zone is UTC.

    Returns None if the time is out of range in UTC, such as the first hours of the year 1 east of Greenwich.
    """
    if time is None:
        return None
    try:
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError:
        return None


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that the appliance presents or offers.

    ``names`` are its host names and IP addresses, ``is_ca`` says whether it may sign other certificates.
    """

    subject: str
    issuer: str
    names: tuple[str, ...] = ()
    not_before: datetime
    not_after: datetime
    expires_in_days: int
    is_ca: bool = msgspec.field(name="authority")
    serial_number: str
    fingerprint: str
