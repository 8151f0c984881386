"""The operations of the appliance as data: method, path, body and result, in ``/rest`` and in ``/api``.

Source: the vSphere Automation API reference, e.g.
https://developer.broadcom.com/xapis/vsphere-automation-api/latest/appliance/recovery/backup/job/.
"""

from typing import Final

from backupctl.api.endpoint import Encoding, Endpoint, NoneType, Route
from backupctl.models import (
    ArchiveInfo,
    ArchiveSummary,
    BackupJobStatus,
    DatabaseHealth,
    HealthSettings,
    JobDetails,
    Part,
    ReconciliationStatus,
    Recovery,
    RestoreJobStatus,
    RestoreMetadata,
    ReturnResult,
    Schedule,
    SystemVersion,
    Unreadable,
)

_BACKUP: Final = "/appliance/recovery/backup"
_SCHEDULES: Final = f"{_BACKUP}/schedules"
_SYSTEM_NAME: Final = f"{_BACKUP}/system-name"
_RESTORE: Final = "/appliance/recovery/restore"
_RECONCILIATION: Final = "/appliance/recovery/reconciliation/job"


def _action(name: str) -> tuple[tuple[str, str], ...]:
    return (("action", name),)


SYSTEM_VERSION: Final = Endpoint("read its version", SystemVersion, Route("GET", "/appliance/system/version"))
RECOVERY_GET: Final = Endpoint(
    "say whether recovery is supported", Recovery, Route("GET", "/appliance/recovery"), since="6.7"
)
SYSTEM_HEALTH: Final = Endpoint("tell its health", str, Route("GET", "/appliance/health/system"))
DATABASE_HEALTH: Final = Endpoint(
    "tell the health of its database",
    DatabaseHealth,
    Route("GET", "/appliance/health/database"),
    since="7.0.0.1",
    until="9.0",
)
HEALTH_SETTINGS: Final = Endpoint(
    "tell its health settings", HealthSettings, Route("GET", "/appliance/health/settings"), since="7.0.0.1"
)

JOB_CREATE: Final = Endpoint(
    "start a backup",
    BackupJobStatus,
    rest=Route("POST", f"{_BACKUP}/job"),
    api=Route("POST", f"{_BACKUP}/job", Encoding.BARE),
    changes=True,
)
JOB_LIST: Final = Endpoint("list the backup jobs", list[str], Route("GET", f"{_BACKUP}/job"))
JOB_GET: Final = Endpoint(
    "read the backup job",
    BackupJobStatus,
    Route("GET", f"{_BACKUP}/job/{{job}}"),
)
JOB_CANCEL: Final = Endpoint(
    "cancel the backup job",
    ReturnResult,
    rest=Route("POST", f"{_BACKUP}/job/{{job}}/cancel"),
    api=Route("POST", f"{_BACKUP}/job/{{job}}", query=_action("cancel")),
    changes=True,
)
JOB_DETAILS: Final = Endpoint(
    "list the details of backup jobs",
    dict[str, JobDetails | Unreadable],
    rest=Route("GET", f"{_BACKUP}/job/details", Encoding.DOTTED),
    api=Route("GET", f"{_BACKUP}/job/details", Encoding.FLAT),
    since="6.7",
)
PARTS_LIST: Final = Endpoint("list the parts", list[Part | Unreadable], Route("GET", f"{_BACKUP}/parts"), most=100)
PARTS_GET: Final = Endpoint("estimate a part", int, Route("GET", f"{_BACKUP}/parts/{{part}}"))
BACKUP_VALIDATE: Final = Endpoint(
    "validate a backup",
    ReturnResult,
    rest=Route("POST", f"{_BACKUP}/validate"),
    api=Route("POST", _BACKUP, Encoding.BARE, query=_action("validate")),
)

SCHEDULE_LIST: Final = Endpoint(
    "list the schedules", dict[str, Schedule | Unreadable], Route("GET", _SCHEDULES), since="6.7", most=1000
)
SCHEDULE_GET: Final = Endpoint("read the schedule", Schedule, Route("GET", f"{_SCHEDULES}/{{schedule}}"), since="6.7")
SCHEDULE_CREATE: Final = Endpoint(
    "create a schedule",
    NoneType,
    rest=Route("POST", f"{_SCHEDULES}/{{schedule}}"),
    api=Route("POST", _SCHEDULES),
    since="6.7",
    changes=True,
)
SCHEDULE_UPDATE: Final = Endpoint(
    "update the schedule",
    NoneType,
    rest=Route("PUT", f"{_SCHEDULES}/update/{{schedule}}"),
    api=Route("PATCH", f"{_SCHEDULES}/{{schedule}}", Encoding.BARE),
    since="6.7",
    changes=True,
)
SCHEDULE_DELETE: Final = Endpoint(
    "delete the schedule",
    NoneType,
    Route("DELETE", f"{_SCHEDULES}/{{schedule}}"),
    since="6.7",
    changes=True,
)
SCHEDULE_RUN: Final = Endpoint(
    "run the schedule",
    BackupJobStatus,
    Route("POST", f"{_SCHEDULES}/{{schedule}}", query=_action("run")),
    since="6.7",
    changes=True,
)

SYSTEM_NAME_LIST: Final = Endpoint(
    "list the systems at a location",
    list[str],
    rest=Route("GET", _SYSTEM_NAME, Encoding.DOTTED),
    api=Route("POST", _SYSTEM_NAME, Encoding.BARE, query=_action("list")),
    since="6.7",
    may_miss=True,
    most=1000,
)
ARCHIVE_LIST: Final = Endpoint(
    "list the archives at a location",
    list[ArchiveSummary | Unreadable],
    rest=Route("GET", f"{_SYSTEM_NAME}/{{system_name}}/archives", Encoding.DOTTED),
    api=Route("POST", f"{_SYSTEM_NAME}/{{system_name}}/archives", query=_action("list")),
    since="6.7",
)
ARCHIVE_GET: Final = Endpoint(
    "read the archive",
    ArchiveInfo,
    rest=Route("GET", f"{_SYSTEM_NAME}/{{system_name}}/archives/{{archive}}", Encoding.DOTTED),
    api=Route("POST", f"{_SYSTEM_NAME}/{{system_name}}/archives/{{archive}}", Encoding.BARE, query=_action("get")),
    since="6.7",
)

RESTORE_VALIDATE: Final = Endpoint(
    "validate a restore",
    RestoreMetadata,
    rest=Route("POST", f"{_RESTORE}/validate"),
    api=Route("POST", _RESTORE, Encoding.BARE, query=_action("validate")),
    may_miss=True,
)
RESTORE_CREATE: Final = Endpoint(
    "start a restore",
    RestoreJobStatus,
    rest=Route("POST", f"{_RESTORE}/job"),
    api=Route("POST", f"{_RESTORE}/job", Encoding.BARE),
    may_miss=True,
    changes=True,
)
RESTORE_GET: Final = Endpoint("read the restore job", RestoreJobStatus, Route("GET", f"{_RESTORE}/job"))
RESTORE_CANCEL: Final = Endpoint(
    "cancel the restore",
    ReturnResult,
    rest=Route("POST", f"{_RESTORE}/job/cancel"),
    api=Route("POST", f"{_RESTORE}/job", query=_action("cancel")),
    changes=True,
)
RECONCILIATION_CREATE: Final = Endpoint(
    "start a reconciliation",
    ReconciliationStatus,
    rest=Route("POST", _RECONCILIATION),
    api=Route("POST", _RECONCILIATION, Encoding.BARE),
    since="6.7",
    changes=True,
)
RECONCILIATION_GET: Final = Endpoint(
    "read the reconciliation", ReconciliationStatus, Route("GET", _RECONCILIATION), since="6.7", may_miss=True
)
