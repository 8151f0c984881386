"""The requests of each operation in both families, byte by byte, and the decoding of their responses.

Sources: the vSphere Automation API reference of 6.5 (``/rest``) and of 7.0U2 and later (``/api``), package
``appliance.recovery``, at https://developer.broadcom.com/xapis/vsphere-automation-api/.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from msgspec import structs
from pytest_httpx import HTTPXMock

from backupctl import __version__
from backupctl.api import endpoints
from backupctl.api.endpoint import Endpoint
from backupctl.api.recovery_api import RecoveryApi
from backupctl.location import Location
from backupctl.models import (
    ArchiveFilter,
    ArchiveInfo,
    ArchiveSummary,
    BackupJobStatus,
    BackupRequest,
    BuildInfo,
    DatabaseHealth,
    DetailsProgress,
    HealthMessage,
    HealthSettings,
    JobDetails,
    LocalizableMessage,
    LocationSpec,
    Part,
    ReconciliationSpec,
    ReconciliationStatus,
    RecurrenceInfo,
    RestoreJobStatus,
    RestoreMetadata,
    RestoreRequest,
    RetentionInfo,
    ReturnResult,
    Schedule,
    ScheduleSpec,
    SystemVersion,
)
from backupctl.secrets.secret import Secret
from tests.support.clock import FakeClock
from tests.support.scripted_transport import HOST, PASSWORD, TOKEN, USER, api_over

MOCKED_TRANSPORT = httpx.HTTPTransport(verify=False)
"""The transport that pytest-httpx replaces."""

JOB = "20260301-020000-24091160"
OLDER = "20260228-020000-24091160"
REQUEST = BackupRequest(
    parts=("common", "seat"),
    location_type="SFTP",
    location=Location.parse("sftp://backup.example.com/vcenter"),
    location_user="backup",
    location_password=Secret("l0cation"),
    backup_password=Secret("Backup1!"),
    comment="before the upgrade",
    fast_backup=True,
)
REQUEST_BODY = {
    "parts": ["common", "seat"],
    "location_type": "SFTP",
    "location": "sftp://backup.example.com/vcenter",
    "location_user": "backup",
    "location_password": "l0cation",
    "backup_password": "Backup1!",
    "comment": "before the upgrade",
    "fast_backup": True,
}
MESSAGE = {"id": "com.vmware.m", "default_message": "Disk is almost full.", "args": ["90"]}
STATUS = {"id": JOB, "state": "INPROGRESS", "progress": 12, "messages": [], "start_time": "2026-03-01T02:00:00.000Z"}
STATUS_VALUE = BackupJobStatus(
    id=JOB, state="INPROGRESS", progress=12, messages=[], start_time=datetime(2026, 3, 1, 2, tzinfo=UTC)
)
RESULT = {"status": "WARNING", "messages": [MESSAGE]}
RESULT_VALUE = ReturnResult(
    status="WARNING",
    messages=[LocalizableMessage(id="com.vmware.m", default_message="Disk is almost full.", args=["90"])],
)
DETAILS = {
    "status": "RUNNING",
    "type": "MANUAL",
    "location": "sftp://backup.example.com/vcenter",
    "location_user": "backup",
    "duration": 60,
    "size": 1073741824,
    "progress": {"total": 100, "completed": 12, "message": MESSAGE},
    "messages": [],
    "build": {"version_name": "VC-8.0.2a", "version": "8.0.2.00100", "build_number": "22617221"},
    "start_time": "2026-03-01T02:00:00.000Z",
    "user": "VSPHERE.LOCAL\\Administrator",
    "cancelable": True,
    "a_field_of_a_later_release": {"is": "ignored"},
}
DETAILS_VALUE = JobDetails(
    status="RUNNING",
    type="MANUAL",
    location="sftp://backup.example.com/vcenter",
    location_user="backup",
    duration=60,
    size=1073741824,
    progress=DetailsProgress(
        total=100,
        completed=12,
        message=LocalizableMessage(id="com.vmware.m", default_message="Disk is almost full.", args=["90"]),
    ),
    messages=[],
    build=BuildInfo(version_name="VC-8.0.2a", version="8.0.2.00100", build_number="22617221"),
    start_time=datetime(2026, 3, 1, 2, tzinfo=UTC),
    user="VSPHERE.LOCAL\\Administrator",
)
PART = {
    "id": "seat",
    "name": {"id": "n", "default_message": "Stats, Events, and Tasks", "args": []},
    "description": {"id": "d", "default_message": "Historical data", "args": []},
    "selected_by_default": True,
    "optional": True,
}
PART_VALUE = Part(
    id="seat",
    name=LocalizableMessage(id="n", default_message="Stats, Events, and Tasks", args=[]),
    description=LocalizableMessage(id="d", default_message="Historical data", args=[]),
    selected_by_default=True,
    optional=True,
)
MESSAGE_VALUE = RESULT_VALUE.messages[0] if RESULT_VALUE.messages else None
SPEC = ScheduleSpec(
    location=Location.parse("sftp://backup.example.com/vcenter"),
    location_user="backup",
    location_password=Secret("l0cation"),
    backup_password=Secret("Backup1!"),
    parts=("common", "seat"),
    enable=True,
    recurrence_info=RecurrenceInfo(hour=2, minute=30, days=["SUNDAY"]),
    retention_info=RetentionInfo(max_count=5),
    fast_backup=False,
)
SPEC_BODY = {
    "location": "sftp://backup.example.com/vcenter",
    "location_user": "backup",
    "location_password": "l0cation",
    "backup_password": "Backup1!",
    "parts": ["common", "seat"],
    "enable": True,
    "recurrence_info": {"hour": 2, "minute": 30, "days": ["SUNDAY"]},
    "retention_info": {"max_count": 5},
    "fast_backup": False,
}
SCHEDULE = {name: value for name, value in SPEC_BODY.items() if "password" not in name}
SCHEDULE_VALUE = Schedule(
    location="sftp://backup.example.com/vcenter",
    location_user="backup",
    parts=["common", "seat"],
    enable=True,
    recurrence_info=RecurrenceInfo(hour=2, minute=30, days=["SUNDAY"]),
    retention_info=RetentionInfo(max_count=5),
    fast_backup=False,
)
PLACE = LocationSpec(
    location=Location.reported("sftp://backup.example.com/a b"),
    location_user="back&up",
    location_password=Secret("l0c=tion+%ü"),
)
PLACE_BODY = {
    "location": "sftp://backup.example.com/a b",
    "location_user": "back&up",
    "location_password": "l0c=tion+%ü",
}
PLACE_FIELDS = (
    ("location", "sftp%3A%2F%2Fbackup.example.com%2Fa%20b"),
    ("location_user", "back%26up"),
    ("location_password", "l0c%3Dtion%2B%25%C3%BC"),
)
LOC_SPEC = "&".join(f"loc_spec.{name}={value}" for name, value in PLACE_FIELDS)
ONLY = ArchiveFilter(
    start_timestamp=datetime(2026, 3, 1, 3, tzinfo=timezone(timedelta(hours=1))),
    end_timestamp=datetime(2026, 3, 2, tzinfo=UTC),
    comment_substring="before & after",
    max_results=2,
)
ONLY_BODY = {
    "start_timestamp": "2026-03-01T02:00:00.000Z",
    "end_timestamp": "2026-03-02T00:00:00.000Z",
    "comment_substring": "before & after",
    "max_results": 2,
}
FILTER_SPEC = (
    "filter_spec.start_timestamp=2026-03-01T02%3A00%3A00.000Z&filter_spec.end_timestamp=2026-03-02T00%3A00%3A00.000Z"
    "&filter_spec.comment_substring=before%20%26%20after&filter_spec.max_results=2"
)
SYSTEM = "sn_vc01.example.com"
ARCHIVE = "M_8.0.2.00100_20260301-020000_"
SUMMARY = {"archive": ARCHIVE, "timestamp": "2026-03-01T02:00:00.000Z", "version": "8.0.2.00100", "comment": "x"}
SUMMARY_VALUE = ArchiveSummary(
    archive=ARCHIVE, timestamp=datetime(2026, 3, 1, 2, tzinfo=UTC), version="8.0.2.00100", comment="x"
)
INFO = {
    "timestamp": "2026-03-01T02:21:36.000Z",
    "location": "sftp://backup.example.com/vcenter",
    "parts": ["common"],
    "version": "8.0.2.00100",
    "system_name": SYSTEM,
    "comment": "",
}
INFO_VALUE = ArchiveInfo(
    timestamp=datetime(2026, 3, 1, 2, 21, 36, tzinfo=UTC),
    location="sftp://backup.example.com/vcenter",
    parts=["common"],
    version="8.0.2.00100",
    system_name=SYSTEM,
    comment="",
)
RESTORE_REQUEST = RestoreRequest(
    location_type="SFTP",
    location=Location.parse("sftp://backup.example.com/vcenter"),
    location_user="backup",
    location_password=Secret("l0cation"),
    backup_password=Secret("Backup1!"),
    sso_admin_user_name="administrator@vsphere.local",
    sso_admin_user_password=Secret("VMware1!"),
    ignore_warnings=True,
    parts=("supervisors",),
)
RESTORE_BODY = {
    "location_type": "SFTP",
    "location": "sftp://backup.example.com/vcenter",
    "location_user": "backup",
    "location_password": "l0cation",
    "backup_password": "Backup1!",
    "sso_admin_user_name": "administrator@vsphere.local",
    "sso_admin_user_password": "VMware1!",
    "ignore_warnings": True,
    "parts": ["supervisors"],
}
METADATA = {
    "timestamp": "2026-03-01T02:21:36.000Z",
    "parts": ["common", "seat"],
    "version": "8.0.2.00100",
    "boxname": "vc01.example.com",
    "sso_login_required": True,
    "comment": "",
    "applicable": False,
    "messages": [MESSAGE],
}
METADATA_VALUE = RestoreMetadata(
    timestamp=datetime(2026, 3, 1, 2, 21, 36, tzinfo=UTC),
    parts=["common", "seat"],
    version="8.0.2.00100",
    boxname="vc01.example.com",
    sso_login_required=True,
    comment="",
    applicable=False,
    messages=RESULT_VALUE.messages,
)
RESTORE_STATUS = {"state": "INPROGRESS", "progress": 12, "messages": [], "parts": ["supervisors"]}
RESTORE_STATUS_VALUE = RestoreJobStatus(state="INPROGRESS", progress=12, messages=[], parts=["supervisors"])
RECONCILING = {
    "description": MESSAGE,
    "service": "com.vmware.appliance.recovery.reconciliation.job",
    "operation": "create",
    "status": "RUNNING",
    "progress": 12,
    "messages": [],
    "start_time": "2026-03-01T02:00:00.000Z",
}
RECONCILING_VALUE = ReconciliationStatus(
    status="RUNNING", progress=12, messages=[], start_time=datetime(2026, 3, 1, 2, tzinfo=UTC)
)


@dataclass(frozen=True)
class Sent:
    """An operation in one family: the call, the expected request, the response and the expected result."""

    name: str
    family: str
    endpoint: Endpoint[Any]
    call: Callable[[RecoveryApi], Any]
    method_and_path: str
    response: Any
    value: Any
    body: Any = None
    status: int = 200

    @property
    def content(self) -> bytes:
        """The body of the response, empty without a result."""
        return b"" if self.value is None else json.dumps(self.response).encode()


def both(  # noqa: PLR0917 - a row of a table
    name: str,
    endpoint: Endpoint[Any],
    call: Callable[[RecoveryApi], Any],
    rest: str,
    api: str,
    response: Any,
    value: Any,
    *,
    body: Any = None,
    wrapper: str = "piece",
    bodies: tuple[Any, Any] | None = None,
    as_map: bool = False,
    api_status: int = 200,
) -> list[Sent]:
    """Return the two rows of an operation: wrapped in ``/rest``, bare in ``/api``, or with ``bodies`` for each."""
    in_rest = [{"key": key, "value": each} for key, each in response.items()] if as_map else response
    wrapped, bare = bodies or (None if body is None else {wrapper: body}, body)
    return [
        Sent(name, "rest", endpoint, call, rest, {"value": in_rest}, value, wrapped),
        Sent(name, "api", endpoint, call, api, response, value, bare, api_status),
    ]


def void(  # noqa: PLR0917 - a row of a table
    name: str,
    endpoint: Endpoint[Any],
    call: Callable[[RecoveryApi], Any],
    rest: str,
    api: str,
    bodies: tuple[Any, Any] = (None, None),
) -> list[Sent]:
    """Return the two rows of an operation without a result: 200 in ``/rest``, 204 in ``/api``."""
    return both(name, endpoint, call, rest, api, None, None, bodies=bodies, api_status=204)


def same(  # noqa: PLR0917 - a row of a table
    name: str,
    endpoint: Endpoint[Any],
    call: Callable[[RecoveryApi], Any],
    method_and_path: str,
    response: Any,
    value: Any,
) -> list[Sent]:
    """Return the two rows of an operation that differs only in prefix and envelope."""
    return both(
        name,
        endpoint,
        call,
        method_and_path.replace("/", "/rest/", 1),
        method_and_path.replace("/", "/api/", 1),
        response,
        value,
    )


_REST, _API = "/rest/appliance/recovery/backup", "/api/appliance/recovery/backup"
TABLE: list[Sent] = [
    *both(
        "version",
        endpoints.SYSTEM_VERSION,
        lambda api: api.version(),
        "GET /rest/appliance/system/version",
        "GET /api/appliance/system/version",
        {"version": "8.0.2.00100", "build": "22617221", "product": "VMware vCenter Server", "summary": ""},
        SystemVersion(version="8.0.2.00100", build="22617221", product="VMware vCenter Server"),
    ),
    *both(
        "create",
        endpoints.JOB_CREATE,
        lambda api: api.create_job(REQUEST),
        f"POST {_REST}/job",
        f"POST {_API}/job",
        STATUS,
        STATUS_VALUE,
        body=REQUEST_BODY,
        api_status=201,
    ),
    *both(
        "create-minimal",
        endpoints.JOB_CREATE,
        lambda api: api.create_job(BackupRequest(parts=(), location_type="FTP", location=Location.parse("ftp://h/d"))),
        f"POST {_REST}/job",
        f"POST {_API}/job",
        STATUS,
        STATUS_VALUE,
        body={"parts": [], "location_type": "FTP", "location": "ftp://h/d"},
    ),
    *both(
        "jobs",
        endpoints.JOB_LIST,
        lambda api: api.jobs(),
        f"GET {_REST}/job",
        f"GET {_API}/job",
        [JOB, OLDER],
        [JOB, OLDER],
    ),
    *both(
        "job",
        endpoints.JOB_GET,
        lambda api: api.job(JOB),
        f"GET {_REST}/job/{JOB}",
        f"GET {_API}/job/{JOB}",
        STATUS,
        STATUS_VALUE,
    ),
    *both(
        "job-with-odd-id",
        endpoints.JOB_GET,
        lambda api: api.job("a/b c?d#e%2Fü"),
        f"GET {_REST}/job/a%2Fb%20c%3Fd%23e%252F%C3%BC",
        f"GET {_API}/job/a%2Fb%20c%3Fd%23e%252F%C3%BC",
        STATUS | {"id": "a/b c?d#e%2Fü"},
        structs.replace(STATUS_VALUE, id="a/b c?d#e%2Fü"),
    ),
    *both(
        "cancel",
        endpoints.JOB_CANCEL,
        lambda api: api.cancel_job(JOB),
        f"POST {_REST}/job/{JOB}/cancel",
        f"POST {_API}/job/{JOB}?action=cancel",
        RESULT,
        RESULT_VALUE,
    ),
    *both(
        "all-details",
        endpoints.JOB_DETAILS,
        lambda api: api.job_details(),
        f"GET {_REST}/job/details",
        f"GET {_API}/job/details",
        {JOB: DETAILS},
        {JOB: DETAILS_VALUE},
        as_map=True,
    ),
    *both(
        "details",
        endpoints.JOB_DETAILS,
        lambda api: api.job_details([JOB, OLDER]),
        f"GET {_REST}/job/details?filter.jobs.1={JOB}&filter.jobs.2={OLDER}",
        f"GET {_API}/job/details?jobs={JOB}&jobs={OLDER}",
        {},
        {},
        as_map=True,
    ),
    *both(
        "parts",
        endpoints.PARTS_LIST,
        lambda api: api.parts(),
        f"GET {_REST}/parts",
        f"GET {_API}/parts",
        [PART],
        [PART_VALUE],
    ),
    *both(
        "part",
        endpoints.PARTS_GET,
        lambda api: api.part_size("seat"),
        f"GET {_REST}/parts/seat",
        f"GET {_API}/parts/seat",
        736,
        736,
    ),
    *both(
        "validate",
        endpoints.BACKUP_VALIDATE,
        lambda api: api.validate(REQUEST),
        f"POST {_REST}/validate",
        f"POST {_API}?action=validate",
        RESULT,
        RESULT_VALUE,
        body=REQUEST_BODY,
    ),
    *same(
        "recovery",
        endpoints.RECOVERY_GET,
        lambda api: api.recovery_supported(),
        "GET /appliance/recovery",
        {"supported": True},
        True,
    ),
    *same(
        "health",
        endpoints.SYSTEM_HEALTH,
        lambda api: api.system_health(),
        "GET /appliance/health/system",
        "green",
        "green",
    ),
    *same(
        "time-zone",
        endpoints.TIME_ZONE,
        lambda api: api.time_zone(),
        "GET /appliance/system/time/timezone",
        "Europe/Berlin",
        "Europe/Berlin",
    ),
    *same(
        "database-health",
        endpoints.DATABASE_HEALTH,
        lambda api: api.database_health(),
        "GET /appliance/health/database",
        {"status": "DEGRADED", "messages": [{"severity": "WARNING", "message": MESSAGE}]},
        DatabaseHealth(status="DEGRADED", messages=[HealthMessage(severity="WARNING", message=MESSAGE_VALUE)]),
    ),
    *same(
        "health-settings",
        endpoints.HEALTH_SETTINGS,
        lambda api: api.health_settings(),
        "GET /appliance/health/settings",
        {"db_health_check_state_manual_backup": True, "db_health_check_state_scheduled_backup": False},
        HealthSettings(db_health_check_state_manual_backup=True, db_health_check_state_scheduled_backup=False),
    ),
    *both(
        "schedules",
        endpoints.SCHEDULE_LIST,
        lambda api: api.schedules(),
        f"GET {_REST}/schedules",
        f"GET {_API}/schedules",
        {"default": SCHEDULE},
        {"default": SCHEDULE_VALUE},
        as_map=True,
    ),
    *both(
        "no-schedules",
        endpoints.SCHEDULE_LIST,
        lambda api: api.schedules(),
        f"GET {_REST}/schedules",
        f"GET {_API}/schedules",
        {},
        {},
        as_map=True,
    ),
    *both(
        "schedule",
        endpoints.SCHEDULE_GET,
        lambda api: api.schedule("a/b c"),
        f"GET {_REST}/schedules/a%2Fb%20c",
        f"GET {_API}/schedules/a%2Fb%20c",
        SCHEDULE,
        SCHEDULE_VALUE,
    ),
    *void(
        "create-schedule",
        endpoints.SCHEDULE_CREATE,
        lambda api: api.create_schedule("a/b c", SPEC),
        f"POST {_REST}/schedules/a%2Fb%20c",
        f"POST {_API}/schedules",
        ({"spec": SPEC_BODY}, {"schedule": "a/b c", "spec": SPEC_BODY}),
    ),
    *void(
        "update-schedule",
        endpoints.SCHEDULE_UPDATE,
        lambda api: api.update_schedule("default", SPEC),
        f"PUT {_REST}/schedules/update/default",
        f"PATCH {_API}/schedules/default",
        ({"spec": SPEC_BODY}, SPEC_BODY),
    ),
    *void(
        "update-schedule-in-one-field",
        endpoints.SCHEDULE_UPDATE,
        lambda api: api.update_schedule("default", ScheduleSpec(enable=False)),
        f"PUT {_REST}/schedules/update/default",
        f"PATCH {_API}/schedules/default",
        ({"spec": {"enable": False}}, {"enable": False}),
    ),
    *void(
        "update-schedule-to-every-day",
        endpoints.SCHEDULE_UPDATE,
        lambda api: api.update_schedule(
            "default", ScheduleSpec(parts=(), recurrence_info=RecurrenceInfo(hour=0, minute=0, days=[]))
        ),
        f"PUT {_REST}/schedules/update/default",
        f"PATCH {_API}/schedules/default",
        (
            {"spec": {"parts": [], "recurrence_info": {"hour": 0, "minute": 0, "days": []}}},
            {"parts": [], "recurrence_info": {"hour": 0, "minute": 0, "days": []}},
        ),
    ),
    *void(
        "delete-schedule",
        endpoints.SCHEDULE_DELETE,
        lambda api: api.delete_schedule("default"),
        f"DELETE {_REST}/schedules/default",
        f"DELETE {_API}/schedules/default",
    ),
    *both(
        "run-schedule",
        endpoints.SCHEDULE_RUN,
        lambda api: api.run_schedule("default", "now"),
        f"POST {_REST}/schedules/default?action=run",
        f"POST {_API}/schedules/default?action=run",
        STATUS,
        STATUS_VALUE,
        bodies=({"comment": "now"}, {"comment": "now"}),
    ),
    *both(
        "run-schedule-without-comment",
        endpoints.SCHEDULE_RUN,
        lambda api: api.run_schedule("default"),
        f"POST {_REST}/schedules/default?action=run",
        f"POST {_API}/schedules/default?action=run",
        STATUS,
        STATUS_VALUE,
        bodies=({"comment": ""}, {"comment": ""}),
    ),
    *both(
        "system-names",
        endpoints.SYSTEM_NAME_LIST,
        lambda api: api.system_names(PLACE),
        f"GET {_REST}/system-name?{LOC_SPEC}",
        f"POST {_API}/system-name?action=list",
        [SYSTEM],
        [SYSTEM],
        bodies=(None, PLACE_BODY),
    ),
    *both(
        "archives",
        endpoints.ARCHIVE_LIST,
        lambda api: api.archives(PLACE, "sn_a/b", ONLY),
        f"GET {_REST}/system-name/sn_a%2Fb/archives?{LOC_SPEC}&{FILTER_SPEC}",
        f"POST {_API}/system-name/sn_a%2Fb/archives?action=list",
        [SUMMARY],
        [SUMMARY_VALUE],
        bodies=(None, {"loc_spec": PLACE_BODY, "filter_spec": ONLY_BODY}),
    ),
    *both(
        "all-archives",
        endpoints.ARCHIVE_LIST,
        lambda api: api.archives(LocationSpec(location=Location.parse("nfs://h/d")), SYSTEM, ArchiveFilter()),
        f"GET {_REST}/system-name/{SYSTEM}/archives?loc_spec.location=nfs%3A%2F%2Fh%2Fd",
        f"POST {_API}/system-name/{SYSTEM}/archives?action=list",
        [],
        [],
        bodies=(None, {"loc_spec": {"location": "nfs://h/d"}, "filter_spec": {}}),
    ),
    *both(
        "archive",
        endpoints.ARCHIVE_GET,
        lambda api: api.archive(PLACE, SYSTEM, f"{ARCHIVE}J5X=/"),
        f"GET {_REST}/system-name/{SYSTEM}/archives/{ARCHIVE}J5X%3D%2F?{LOC_SPEC.replace('loc_spec', 'spec')}",
        f"POST {_API}/system-name/{SYSTEM}/archives/{ARCHIVE}J5X%3D%2F?action=get",
        INFO,
        INFO_VALUE,
        bodies=(None, PLACE_BODY),
    ),
    *both(
        "validate-restore",
        endpoints.RESTORE_VALIDATE,
        lambda api: api.validate_restore(RestoreRequest(location_type="NFS", location=Location.parse("nfs://h/d"))),
        "POST /rest/appliance/recovery/restore/validate",
        "POST /api/appliance/recovery/restore?action=validate",
        METADATA,
        METADATA_VALUE,
        body={"location_type": "NFS", "location": "nfs://h/d"},
    ),
    *both(
        "create-restore",
        endpoints.RESTORE_CREATE,
        lambda api: api.create_restore(RESTORE_REQUEST),
        "POST /rest/appliance/recovery/restore/job",
        "POST /api/appliance/recovery/restore/job",
        RESTORE_STATUS,
        RESTORE_STATUS_VALUE,
        body=RESTORE_BODY,
    ),
    *same(
        "restore-job",
        endpoints.RESTORE_GET,
        lambda api: api.restore_job(),
        "GET /appliance/recovery/restore/job",
        RESTORE_STATUS,
        RESTORE_STATUS_VALUE,
    ),
    *both(
        "cancel-restore",
        endpoints.RESTORE_CANCEL,
        lambda api: api.cancel_restore(),
        "POST /rest/appliance/recovery/restore/job/cancel",
        "POST /api/appliance/recovery/restore/job?action=cancel",
        RESULT,
        RESULT_VALUE,
    ),
    *both(
        "create-reconciliation",
        endpoints.RECONCILIATION_CREATE,
        lambda api: api.create_reconciliation(
            ReconciliationSpec(
                sso_admin_user_name=USER, sso_admin_user_password=Secret("VMware1!"), ignore_warnings=True
            )
        ),
        "POST /rest/appliance/recovery/reconciliation/job",
        "POST /api/appliance/recovery/reconciliation/job",
        RECONCILING,
        RECONCILING_VALUE,
        body={"sso_admin_user_name": USER, "sso_admin_user_password": "VMware1!", "ignore_warnings": True},
        wrapper="spec",
    ),
    *both(
        "create-reconciliation-of-nothing-given",
        endpoints.RECONCILIATION_CREATE,
        lambda api: api.create_reconciliation(ReconciliationSpec()),
        "POST /rest/appliance/recovery/reconciliation/job",
        "POST /api/appliance/recovery/reconciliation/job",
        RECONCILING,
        RECONCILING_VALUE,
        body={},
        wrapper="spec",
    ),
    *same(
        "reconciliation",
        endpoints.RECONCILIATION_GET,
        lambda api: api.reconciliation(),
        "GET /appliance/recovery/reconciliation/job",
        RECONCILING,
        RECONCILING_VALUE,
    ),
]
LOGINS = {
    "rest": (f"https://{HOST}/rest/com/vmware/cis/session", 200, {"value": TOKEN}),
    "api": (f"https://{HOST}/api/session", 201, TOKEN),
}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.name}-{row.family}")
def test_request_of_each_operation_is_as_documented(row: Sent, httpx_mock: HTTPXMock, clock: FakeClock) -> None:
    method, _, path = row.method_and_path.partition(" ")
    login_url, login_status, token = LOGINS[row.family]
    cookie = {"set-cookie": f"vmware-api-session-id={TOKEN};Path=/;Secure;HttpOnly"}
    httpx_mock.add_response(method="POST", url=login_url, status_code=login_status, json=token, headers=cookie)
    httpx_mock.add_response(method=method, status_code=row.status, content=row.content)
    assert row.call(api_over(MOCKED_TRANSPORT, clock, family=row.family)) == row.value

    login, sent = httpx_mock.get_requests()
    assert (sent.method, sent.url.raw_path.decode()) == (method, path)
    assert (login.extensions["timeout"]["read"], sent.extensions["timeout"]["connect"]) == (30, 10)
    assert sent.extensions["timeout"]["read"] == (30 if method == "GET" else 300)
    assert sent.url.host == HOST
    assert sent.headers["vmware-api-session-id"] == TOKEN
    assert not {"cookie", "authorization"} & set(sent.headers)
    for request in (login, sent):
        assert request.headers["user-agent"] == f"backupctl/{__version__}"
        assert request.headers["accept-encoding"] == "identity"
        assert request.headers["cache-control"] == "no-cache"
        assert request.headers["accept"] == "application/json"
    if row.body is None:
        assert sent.read() == b""
        assert "content-type" not in sent.headers
    else:
        assert json.loads(sent.read()) == row.body
        assert sent.headers["content-type"] == "application/json"


def test_basic_authentication_sends_credentials_and_no_session_id(httpx_mock: HTTPXMock, clock: FakeClock) -> None:
    httpx_mock.add_response(url=f"https://{HOST}{_REST}/job", json={"value": []})
    assert api_over(MOCKED_TRANSPORT, clock, basic=True).jobs() == []
    (sent,) = httpx_mock.get_requests()
    assert sent.headers["authorization"].startswith("Basic ")
    assert "vmware-api-session-id" not in sent.headers


def test_table_of_requests_holds_every_operation() -> None:
    declared = {id(value) for value in vars(endpoints).values() if isinstance(value, Endpoint)}
    assert declared == {id(row.endpoint) for row in TABLE}
    assert {(row.name, row.family) for row in TABLE} == {(row.name, f) for row in TABLE for f in ("rest", "api")}


def test_login_request_sends_credentials_and_requests_no_cookie(httpx_mock: HTTPXMock, clock: FakeClock) -> None:
    httpx_mock.add_response(url=f"https://{HOST}/api/session", json=TOKEN, status_code=201)
    httpx_mock.add_response(json=[])
    api_over(MOCKED_TRANSPORT, clock).jobs()
    login = httpx_mock.get_requests()[0]
    credentials = login.headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(credentials).decode() == f"{USER}:{PASSWORD}"
    assert login.headers["vmware-use-header-authn"]
    assert (login.headers["content-length"], login.read()) == ("0", b"")


WRITES = [row for row in TABLE if row.endpoint.changes]


def masked(body: Any) -> Any:
    """Return a body with all passwords masked."""
    if not isinstance(body, dict):
        return body
    return {name: "***" if name.endswith("password") else masked(value) for name, value in body.items()}


@pytest.mark.parametrize("row", WRITES, ids=lambda row: f"{row.name}-{row.family}")
def test_prepared_request_equals_the_sent_one_with_secrets_masked(
    row: Sent, httpx_mock: HTTPXMock, clock: FakeClock
) -> None:
    (prepared,) = api_over(MOCKED_TRANSPORT, clock, family=row.family).prepare(row.call)
    httpx_mock.add_response(url=LOGINS[row.family][0], json=LOGINS[row.family][2])
    httpx_mock.add_response(content=row.content)
    row.call(api_over(MOCKED_TRANSPORT, clock, family=row.family))
    sent = httpx_mock.get_requests()[1]
    assert (prepared.method, prepared.url) == (sent.method, str(sent.url))
    assert prepared.body == masked(row.body)


def test_request_is_prepared_for_both_families_while_the_family_is_unknown(clock: FakeClock) -> None:
    paths = [
        prepared.url for prepared in api_over(MOCKED_TRANSPORT, clock).prepare(lambda api: api.create_job(REQUEST))
    ]
    assert paths == [f"https://{HOST}{_API}/job", f"https://{HOST}{_REST}/job"]


@pytest.mark.parametrize(
    ("response", "value"),
    [
        ([{"key": JOB, "value": DETAILS}], {JOB: DETAILS_VALUE}),
        ({JOB: DETAILS}, {JOB: DETAILS_VALUE}),
    ],
    ids=["list", "object"],
)
@pytest.mark.parametrize("family", ["rest", "api"])
def test_map_in_the_encoding_of_either_family_is_decoded(
    family: str, response: Any, value: Any, httpx_mock: HTTPXMock, clock: FakeClock
) -> None:
    httpx_mock.add_response(url=LOGINS[family][0], json=LOGINS[family][2])
    httpx_mock.add_response(json={"value": response} if family == "rest" else response)
    assert api_over(MOCKED_TRANSPORT, clock, family=family).job_details() == value
