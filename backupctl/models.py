"""What the appliance says, in the API's own words: the structures of the recovery API, without any I/O.

Enumerations stay open strings, because a newer appliance may answer with values that this program does not know,
and unknown fields are ignored. Fields that the API calls required but that a program can live without have
defaults here, so that one odd field never hides an entry. Each answer keeps a field of its own that must be there,
though it may be null, so that no answer to another request passes for it. Source of names and types: the VMware vSphere
Automation API reference, package ``appliance.recovery`` (https://developer.broadcom.com/xapis/vsphere-automation-api/).
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
"""Job details speak the vocabulary of tasks; the job itself that of backup jobs."""


class LocalizableMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the appliance: ``default_message`` is English text, ``id`` names it in the message bundle."""

    id: str | None = None
    default_message: str | None = None
    args: list[Any] | None = None
    params: Any = None
    localized: str | None = None

    @property
    def text(self) -> str:
        """The text to show: English, else localized, else the id; its places are filled."""
        return filled(self.default_message or self.localized, self.id, self.args, self.params)


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a list or map that cannot be read: its ``name``, or ``#N`` as the Nth, and ``why``."""

    name: str
    why: str


MOST_MESSAGES: Final = 1000
"""The most messages that are taken in; an appliance has a few, and nobody reads so many."""

Messages = Annotated[list[LocalizableMessage], msgspec.Meta(max_length=MOST_MESSAGES)]
"""What the appliance has to say about something."""

PartIds = Annotated[list[Annotated[str, msgspec.Meta(max_length=256)]], msgspec.Meta(max_length=100)]
"""Parts of a backup by their ids, such as ``common``; an appliance has three."""


class BackupJobStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status of a job; ``progress`` is in percent, ``end_time`` is unset until the job has ended."""

    id: str
    state: str
    progress: float | None = None
    messages: Messages | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None


class DetailsProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a job is, as ``completed`` of ``total``; ``message`` names the step that it is at."""

    total: float | None = None
    completed: float | None = None
    message: LocalizableMessage | None = None

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
    messages: Messages | None = None
    error: Any = None
    build: BuildInfo | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    user: str | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the appliance that a backup can include; ``optional`` is False for what is always included."""

    id: str
    name: LocalizableMessage | None = None
    description: LocalizableMessage | None = None
    selected_by_default: bool
    optional: bool = True


class ReturnResult(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to validate and cancel: ``status`` is OK, WARNING or FAIL."""

    status: str
    messages: Messages | None = None


class SystemVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The release that the appliance runs: ``version`` is like ``8.0.2.00100``, ``build`` is digits."""

    version: str
    build: str = ""
    product: str = ""


class BackupRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for when a backup is created or validated; None means that the field is not sent."""

    parts: tuple[str, ...]
    location_type: str
    location: Location
    location_user: str | None = None
    location_password: Secret | None = None
    backup_password: Secret | None = None
    comment: str | None = None
    fast_backup: bool | None = None


class RecurrenceInfo(msgspec.Struct, frozen=True, kw_only=True):
    """When a schedule runs, in the time zone of the appliance; no ``days``, or an empty list, is every day."""

    hour: int
    minute: int
    days: list[str] | None = None


class RetentionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """How many scheduled backups are kept."""

    max_count: int


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as the appliance tells it (6.7 and later): passwords are never among it."""

    location: str = ""
    location_user: str | None = None
    parts: PartIds | None
    enable: bool | None = None
    recurrence_info: RecurrenceInfo | None = None
    retention_info: RetentionInfo | None = None
    fast_backup: bool | None = None


class ScheduleSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for when a schedule is created or updated; None means unset, in an update unchanged."""

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
    """Where archives are looked for."""

    location: Location
    location_user: str | None = None
    location_password: Secret | None = None


class ArchiveFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which archives are looked for; all that is set must fit, and ``max_results`` unset is 128."""

    start_timestamp: datetime | None = None
    end_timestamp: datetime | None = None
    comment_substring: str | None = None
    max_results: int | None = None


class ArchiveSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An archive in a list; ``timestamp`` is when its backup started."""

    archive: str
    timestamp: datetime | None = None
    version: str | None = None
    comment: str | None = None


class ArchiveInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An archive; ``timestamp`` is when its backup was completed."""

    timestamp: datetime | None = None
    location: str | None
    parts: PartIds | None = None
    version: str | None = None
    system_name: str | None = None
    comment: str | None = None


class RestoreRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for when a restore is validated or created; ``ignore_warnings`` only when it is created."""

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
    """What an archive is, and whether it can be restored on this appliance (``applicable``)."""

    timestamp: datetime | None = None
    parts: PartIds | None = None
    version: str | None = None
    boxname: str | None = None
    sso_login_required: bool | None = None
    comment: str | None = None
    applicable: bool | None
    messages: Messages | None = None


class RestoreJobStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status of the one restore that an appliance can make."""

    state: str
    progress: float | None = None
    messages: Messages | None = None
    parts: PartIds | None = None


class ReconciliationSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for when a restored node is reconciled with its partners."""

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
    """Whether the appliance supports recovery at all."""

    supported: bool


class HealthMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a part of the appliance's health."""

    severity: str = ""
    message: LocalizableMessage | None = None


class DatabaseHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The health of the database: HEALTHY, DEGRADED or UNHEALTHY (7.0.0.1 to 8.x)."""

    status: str
    messages: list[HealthMessage] | None = None


class HealthSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Whether backups look at the health of the database before they start."""

    db_health_check_state_manual_backup: bool | None
    db_health_check_state_scheduled_backup: bool | None = None


def as_utc(moment: datetime | None) -> datetime | None:
    """Return an aware time; the appliance speaks UTC, and a time without zone is taken as such.

    None stands for a time that no calendar of UTC has, such as the year 1 east of Greenwich.
    """
    if moment is None:
        return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that the appliance presents or offers.

    ``names`` are the hosts that it is for, ``is_ca`` says whether it may sign others.
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
