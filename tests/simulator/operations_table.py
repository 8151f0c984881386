"""Table of every operation of the recovery API: its path in each family, its first release, its result.

Source: VMware's API references, not the simulator's routes. The results are those of an appliance with
``history=True``.
"""

from dataclasses import dataclass
from typing import Any, Literal

from tests.simulator.client import REQUEST

RELEASES = ("6.5", "6.7", "6.7U2", "7.0", "7.0U2", "8.0", "8.0U3", "9.0", "9.1")
RECOVERY = "/appliance/recovery"
JOB = f"{RECOVERY}/backup/job"
SCHEDULES = f"{RECOVERY}/backup/schedules"
SYSTEMS = f"{RECOVERY}/backup/system-name"

RESTORE = REQUEST | {"location": "{archived}", "location_type": "{type}"}
del RESTORE["parts"]

SPEC = {"location": "ftp://backup.example.com/vc", "recurrence_info": {"minute": 0, "hour": 1}}
MANUAL_OFF = {"db_health_check_state_manual_backup": False}
FROM = {"location": "{location}"}

Shape = set[str] | type | Literal["", "map"]


@dataclass(frozen=True)
class Call:
    """An operation in one family: method, path with query, body, and the status of the response."""

    method: str
    path: str
    body: Any = None
    status: int = 200


@dataclass(frozen=True)
class Operation:
    """One operation.

    ``result`` has the required keys, the type, ``map`` for a map by ids, or "" for no body. ``error`` is the name of
    the error instead of a result. ``before`` is the error in /rest before the first release, for a path that matches
    another operation there.
    """

    name: str
    rest: Call
    api: Call
    result: Shape = ""
    since: str = "6.5"
    error: str = ""
    before: str = ""


def same(name: str, method: str, path: str, result: Shape, since: str = "6.5") -> Operation:
    """Return an operation that both families have at the same path."""
    return Operation(name, Call(method, path), Call(method, path), result, since)


def located(prefix: str, more: str = "") -> str:
    """Return a query with a location, its user and its password."""
    return f"?{prefix}.location={{location}}&{prefix}.location_user=u&{prefix}.location_password=p{more}"


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "job create",
        Call("POST", JOB, {"piece": REQUEST}),
        Call("POST", JOB, REQUEST, 201),
        {"id", "state", "messages", "progress", "start_time"},
    ),
    same("job list", "GET", JOB, list),
    same("job get", "GET", f"{JOB}/{{job}}", {"id", "state", "messages", "progress", "start_time", "end_time"}),
    Operation(
        "job cancel",
        Call("POST", f"{JOB}/{{job}}/cancel"),
        Call("POST", f"{JOB}/{{job}}?action=cancel"),
        {"status", "messages"},
    ),
    Operation(
        "job details",
        Call("GET", f"{JOB}/details"),
        Call("GET", f"{JOB}/details"),
        "map",
        since="6.7",
        before="not_found",  # on 6.5 the path is that of a job
    ),
    same("parts list", "GET", f"{RECOVERY}/backup/parts", list),
    same("parts get", "GET", f"{RECOVERY}/backup/parts/seat", int),
    Operation(
        "validate",
        Call("POST", f"{RECOVERY}/backup/validate", {"piece": REQUEST}),
        Call("POST", f"{RECOVERY}/backup?action=validate", REQUEST),
        {"status", "messages"},
    ),
    same("schedule list", "GET", SCHEDULES, "map", since="6.7"),
    same("schedule get", "GET", f"{SCHEDULES}/default", {"parts", "location", "enable"}, since="6.7"),
    Operation(
        "schedule create",
        Call("POST", f"{SCHEDULES}/default", {"spec": SPEC}, 400),
        Call("POST", SCHEDULES, {"schedule": "default", "spec": SPEC}, 400),
        since="6.7",
        error="already_exists",
    ),
    Operation(
        "schedule update",
        Call("PUT", f"{SCHEDULES}/update/default", {"spec": {"enable": False}}),
        Call("PATCH", f"{SCHEDULES}/default", {"enable": False}, 204),
        since="6.7",
    ),
    Operation(
        "schedule delete",
        Call("DELETE", f"{SCHEDULES}/default", status=204),
        Call("DELETE", f"{SCHEDULES}/default", status=204),
        since="6.7",
    ),
    Operation(
        "schedule run",
        Call("POST", f"{SCHEDULES}/default?action=run", {"comment": "now"}),
        Call("POST", f"{SCHEDULES}/default?action=run", {"comment": "now"}),
        {"id", "state", "progress"},
        since="6.7",
    ),
    Operation(
        "system names",
        Call("GET", f"{SYSTEMS}{located('loc_spec')}"),
        Call("POST", f"{SYSTEMS}?action=list", FROM),
        list,
        since="6.7",
    ),
    Operation(
        "archive list",
        Call("GET", f"{SYSTEMS}/{{system}}/archives{located('loc_spec', '&filter_spec.max_results=2')}"),
        Call("POST", f"{SYSTEMS}/{{system}}/archives?action=list", {"loc_spec": FROM, "filter_spec": {}}),
        list,
        since="6.7",
    ),
    Operation(
        "archive get",
        Call("GET", f"{SYSTEMS}/{{system}}/archives/{{archive}}{located('spec')}"),
        Call("POST", f"{SYSTEMS}/{{system}}/archives/{{archive}}?action=get", FROM),
        {"timestamp", "location", "parts", "version", "system_name", "comment"},
        since="6.7",
    ),
    Operation(
        "restore validate",
        Call("POST", f"{RECOVERY}/restore/validate", {"piece": RESTORE}),
        Call("POST", f"{RECOVERY}/restore?action=validate", RESTORE),
        {"timestamp", "parts", "version", "boxname", "comment", "applicable", "messages"},
    ),
    Operation(
        "restore job create",
        Call("POST", f"{RECOVERY}/restore/job", {"piece": RESTORE}, 400),
        Call("POST", f"{RECOVERY}/restore/job", RESTORE, 400),
        error="not_allowed_in_current_state",
    ),
    Operation(
        "restore job get",
        Call("GET", f"{RECOVERY}/restore/job", status=500),
        Call("GET", f"{RECOVERY}/restore/job", status=500),
        error="error",
    ),
    Operation(
        "restore job cancel",
        Call("POST", f"{RECOVERY}/restore/job/cancel", status=500),
        Call("POST", f"{RECOVERY}/restore/job?action=cancel", status=500),
        error="error",
    ),
    Operation(
        "reconciliation create",
        Call("POST", f"{RECOVERY}/reconciliation/job", {"spec": {}}, 400),
        Call("POST", f"{RECOVERY}/reconciliation/job", {}, 400),
        since="6.7",
        error="not_allowed_in_current_state",
    ),
    Operation(
        "reconciliation get",
        Call("GET", f"{RECOVERY}/reconciliation/job", status=404),
        Call("GET", f"{RECOVERY}/reconciliation/job", status=404),
        since="6.7",
        error="not_found",
    ),
    same("recovery", "GET", RECOVERY, {"supported"}, since="6.7"),
    same("version", "GET", "/appliance/system/version", {"version", "product", "build", "type"}),
    same("health", "GET", "/appliance/health/system", str),
    *(
        same(f"health {item}", "GET", f"/appliance/health/{item}", str)
        for item in (
            *("system/lastcheck", "load", "mem", "swap", "storage"),
            *("applmgmt", "database-storage", "software-packages"),
        )
    ),
    same("time", "GET", "/appliance/system/time", {"seconds_since_epoch", "date", "time", "timezone"}),
    same("time zone", "GET", "/appliance/system/time/timezone", str),
    same("database health", "GET", "/appliance/health/database", {"status", "messages"}, since="7.0"),
    same(
        "health settings",
        "GET",
        "/appliance/health/settings",
        {"db_health_check_state_manual_backup", "db_health_check_state_scheduled_backup"},
        since="7.0",
    ),
    Operation(
        "health settings update",
        Call("PATCH", "/appliance/health/settings", {"health_settings": MANUAL_OFF}),
        Call("PATCH", "/appliance/health/settings", MANUAL_OFF, 204),
        since="7.0",
    ),
)
