"""The table of operations: method, path, body and result in ``/rest`` and ``/api``.

Source: the vSphere Automation API reference, e.g.
https://developer.broadcom.com/xapis/vsphere-automation-api/latest/appliance/recovery/backup/job/.
"""

from typing import Final

from backupctl.api.endpoint import Encoding, Endpoint, EndpointRoute, NoneType
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
    UnreadableEntry,
)

_BACKUP: Final = "/appliance/recovery/backup"
_SCHEDULES: Final = f"{_BACKUP}/schedules"
_SYSTEM_NAME: Final = f"{_BACKUP}/system-name"
_RESTORE: Final = "/appliance/recovery/restore"
_RECONCILIATION: Final = "/appliance/recovery/reconciliation/job"


def _action(name: str) -> tuple[tuple[str, str], ...]:
    return (("action", name),)


SYSTEM_VERSION: Final = Endpoint("read its version", SystemVersion, EndpointRoute("GET", "/appliance/system/version"))
RECOVERY_GET: Final = Endpoint(
    "check whether recovery is supported", Recovery, EndpointRoute("GET", "/appliance/recovery"), since="6.7"
)
SYSTEM_HEALTH: Final = Endpoint("read its health", str, EndpointRoute("GET", "/appliance/health/system"))
DATABASE_HEALTH: Final = Endpoint(
    "read the health of its database",
    DatabaseHealth,
    EndpointRoute("GET", "/appliance/health/database"),
    since="7.0.0.1",
    until="9.0",
)
HEALTH_SETTINGS: Final = Endpoint(
    "read its health settings", HealthSettings, EndpointRoute("GET", "/appliance/health/settings"), since="7.0.0.1"
)

TIME_ZONE: Final = Endpoint("tell its time zone", str, EndpointRoute("GET", "/appliance/system/time/timezone"))

JOB_CREATE: Final = Endpoint(
    "start a backup",
    BackupJobStatus,
    rest=EndpointRoute("POST", f"{_BACKUP}/job"),
    api=EndpointRoute("POST", f"{_BACKUP}/job", Encoding.BARE),
    changes=True,
)
JOB_LIST: Final = Endpoint("list the backup jobs", list[str], EndpointRoute("GET", f"{_BACKUP}/job"))
JOB_GET: Final = Endpoint(
    "read the backup job",
    BackupJobStatus,
    EndpointRoute("GET", f"{_BACKUP}/job/{{job}}"),
)
JOB_CANCEL: Final = Endpoint(
    "cancel the backup job",
    ReturnResult,
    rest=EndpointRoute("POST", f"{_BACKUP}/job/{{job}}/cancel"),
    api=EndpointRoute("POST", f"{_BACKUP}/job/{{job}}", query=_action("cancel")),
    changes=True,
)
JOB_DETAILS: Final = Endpoint(
    "list the details of backup jobs",
    dict[str, JobDetails | UnreadableEntry],
    rest=EndpointRoute("GET", f"{_BACKUP}/job/details", Encoding.DOTTED),
    api=EndpointRoute("GET", f"{_BACKUP}/job/details", Encoding.FLAT),
    since="6.7",
)
PARTS_LIST: Final = Endpoint(
    "list the parts", list[Part | UnreadableEntry], EndpointRoute("GET", f"{_BACKUP}/parts"), max_entries=100
)
PARTS_GET: Final = Endpoint("read the size of a part", int, EndpointRoute("GET", f"{_BACKUP}/parts/{{part}}"))
BACKUP_VALIDATE: Final = Endpoint(
    "validate a backup",
    ReturnResult,
    rest=EndpointRoute("POST", f"{_BACKUP}/validate"),
    api=EndpointRoute("POST", _BACKUP, Encoding.BARE, query=_action("validate")),
)

SCHEDULE_LIST: Final = Endpoint(
    "list the schedules",
    dict[str, Schedule | UnreadableEntry],
    EndpointRoute("GET", _SCHEDULES),
    since="6.7",
    max_entries=1000,
)
SCHEDULE_GET: Final = Endpoint(
    "read the schedule", Schedule, EndpointRoute("GET", f"{_SCHEDULES}/{{schedule}}"), since="6.7"
)
SCHEDULE_CREATE: Final = Endpoint(
    "create a schedule",
    NoneType,
    rest=EndpointRoute("POST", f"{_SCHEDULES}/{{schedule}}"),
    api=EndpointRoute("POST", _SCHEDULES),
    since="6.7",
    changes=True,
)
SCHEDULE_UPDATE: Final = Endpoint(
    "update the schedule",
    NoneType,
    rest=EndpointRoute("PUT", f"{_SCHEDULES}/update/{{schedule}}"),
    api=EndpointRoute("PATCH", f"{_SCHEDULES}/{{schedule}}", Encoding.BARE),
    since="6.7",
    changes=True,
)
SCHEDULE_DELETE: Final = Endpoint(
    "delete the schedule",
    NoneType,
    EndpointRoute("DELETE", f"{_SCHEDULES}/{{schedule}}"),
    since="6.7",
    changes=True,
)
SCHEDULE_RUN: Final = Endpoint(
    "run the schedule",
    BackupJobStatus,
    EndpointRoute("POST", f"{_SCHEDULES}/{{schedule}}", query=_action("run")),
    since="6.7",
    changes=True,
)

SYSTEM_NAME_LIST: Final = Endpoint(
    "list the systems at a location",
    list[str],
    rest=EndpointRoute("GET", _SYSTEM_NAME, Encoding.DOTTED),
    api=EndpointRoute("POST", _SYSTEM_NAME, Encoding.BARE, query=_action("list")),
    since="6.7",
    not_found_without_id=True,
    max_entries=1000,
)
ARCHIVE_LIST: Final = Endpoint(
    "list the archives at a location",
    list[ArchiveSummary | UnreadableEntry],
    rest=EndpointRoute("GET", f"{_SYSTEM_NAME}/{{system_name}}/archives", Encoding.DOTTED),
    api=EndpointRoute("POST", f"{_SYSTEM_NAME}/{{system_name}}/archives", query=_action("list")),
    since="6.7",
)
ARCHIVE_GET: Final = Endpoint(
    "read the archive",
    ArchiveInfo,
    rest=EndpointRoute("GET", f"{_SYSTEM_NAME}/{{system_name}}/archives/{{archive}}", Encoding.DOTTED),
    api=EndpointRoute(
        "POST", f"{_SYSTEM_NAME}/{{system_name}}/archives/{{archive}}", Encoding.BARE, query=_action("get")
    ),
    since="6.7",
)

RESTORE_VALIDATE: Final = Endpoint(
    "validate a restore",
    RestoreMetadata,
    rest=EndpointRoute("POST", f"{_RESTORE}/validate"),
    api=EndpointRoute("POST", _RESTORE, Encoding.BARE, query=_action("validate")),
    not_found_without_id=True,
)
RESTORE_CREATE: Final = Endpoint(
    "start a restore",
    RestoreJobStatus,
    rest=EndpointRoute("POST", f"{_RESTORE}/job"),
    api=EndpointRoute("POST", f"{_RESTORE}/job", Encoding.BARE),
    not_found_without_id=True,
    changes=True,
)
RESTORE_GET: Final = Endpoint("read the restore job", RestoreJobStatus, EndpointRoute("GET", f"{_RESTORE}/job"))
RESTORE_CANCEL: Final = Endpoint(
    "cancel the restore",
    ReturnResult,
    rest=EndpointRoute("POST", f"{_RESTORE}/job/cancel"),
    api=EndpointRoute("POST", f"{_RESTORE}/job", query=_action("cancel")),
    changes=True,
)
RECONCILIATION_CREATE: Final = Endpoint(
    "start a reconciliation",
    ReconciliationStatus,
    rest=EndpointRoute("POST", _RECONCILIATION),
    api=EndpointRoute("POST", _RECONCILIATION, Encoding.BARE),
    since="6.7",
    changes=True,
)
RECONCILIATION_GET: Final = Endpoint(
    "read the reconciliation",
    ReconciliationStatus,
    EndpointRoute("GET", _RECONCILIATION),
    since="6.7",
    not_found_without_id=True,
)
