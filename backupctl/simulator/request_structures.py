"""Table of the structures in requests: names, fields, and the feature that introduced a field.

Source: VMware's API references and its Python SDK (PyPI: vmware-vcenter, ``com/vmware/appliance``).
"""

from collections.abc import Mapping

from backupctl.simulator.request_bodies import OPERATION_INPUT, Field, Structure

_RECOVERY = "com.vmware.appliance.recovery"

_LOCATION: Mapping[str, Field] = {
    "location": Field("string", required=True),
    "location_user": Field("string"),
    "location_password": Field("string"),
}

_SSO: Mapping[str, Field] = {
    "sso_admin_user_name": Field("string", feature="restore-sso"),
    "sso_admin_user_password": Field("string", feature="restore-sso"),
}

_IGNORE: Mapping[str, Field] = {"ignore_warnings": Field("boolean", feature="restore-sso")}

BACKUP_REQUEST = Structure(
    f"{_RECOVERY}.backup.job.backup_request",
    {
        "parts": Field("strings", required=True),
        "backup_password": Field("string"),
        "location_type": Field("string", required=True),
        **_LOCATION,
        "comment": Field("string"),
        "fast_backup": Field("boolean", feature="fast-backup"),
    },
)

VALIDATE_REQUEST = Structure(f"{_RECOVERY}.backup.backup_request", BACKUP_REQUEST.fields)

_RECURRENCE = Structure(
    f"{_RECOVERY}.backup.schedules.recurrence_info",
    {"minute": Field("integer", required=True), "hour": Field("integer", required=True), "days": Field("strings")},
)

_RETENTION = Structure(
    f"{_RECOVERY}.backup.schedules.retention_info",
    {"max_count": Field("integer", required=True)},
)

_SCHEDULE: Mapping[str, Field] = {
    "parts": Field("strings"),
    "backup_password": Field("string"),
    **_LOCATION,
    "enable": Field("boolean"),
    "recurrence_info": Field(_RECURRENCE),
    "retention_info": Field(_RETENTION),
    "fast_backup": Field("boolean", feature="details-fast-backup"),
}

SCHEDULE_SPEC = Structure(f"{_RECOVERY}.backup.schedules.create_spec", _SCHEDULE)

SCHEDULE_UPDATE = Structure(
    f"{_RECOVERY}.backup.schedules.update_spec",
    {**_SCHEDULE, "location": Field("string")},
)

NEW_SCHEDULE = Structure(
    OPERATION_INPUT,
    {"schedule": Field("string", required=True), "spec": Field(SCHEDULE_SPEC, required=True)},
)
"""Create a schedule in /api. In /rest the id is in the path."""

RUN_INPUT = Structure(OPERATION_INPUT, {"comment": Field("string")})

LOCATION_SPEC = Structure(f"{_RECOVERY}.backup.location_spec", _LOCATION)

_FILTER_SPEC = Structure(
    f"{_RECOVERY}.backup.system_name.archive.filter_spec",
    {
        "start_timestamp": Field("timestamp"),
        "end_timestamp": Field("timestamp"),
        "comment_substring": Field("string"),
        "max_results": Field("integer"),
    },
)

_LOCATION_SPEC_FIELD = Field(LOCATION_SPEC, required=True)

ARCHIVES_QUERY = Structure(OPERATION_INPUT, {"loc_spec": _LOCATION_SPEC_FIELD, "filter_spec": Field(_FILTER_SPEC)})
"""List archives in /rest: the filter is optional, as a query cannot express an empty one."""

ARCHIVES_INPUT = Structure(
    OPERATION_INPUT,
    {"loc_spec": _LOCATION_SPEC_FIELD, "filter_spec": Field(_FILTER_SPEC, required=True)},
)

_RESTORE: Mapping[str, Field] = {
    "parts": Field("strings", feature="standalone-parts"),
    "backup_password": Field("string"),
    "location_type": Field("string", required=True),
    **_LOCATION,
    **_SSO,
}

RESTORE_CHECK = Structure(f"{_RECOVERY}.restore.restore_request", _RESTORE)

RESTORE_REQUEST = Structure(f"{_RECOVERY}.restore.job.restore_request", {**_RESTORE, **_IGNORE})

RECONCILIATION_SPEC = Structure(f"{_RECOVERY}.reconciliation.job.create_spec", {**_SSO, **_IGNORE})

HEALTH_SETTINGS = Structure(
    "com.vmware.appliance.health_check_settings.update_spec",
    {
        "db_health_check_state_manual_backup": Field("boolean"),
        "db_health_check_state_scheduled_backup": Field("boolean"),
    },
)
