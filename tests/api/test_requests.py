"""Is the request right? Each operation in both families, byte by byte, and the answers in each family's spelling.

Sources: the vSphere Automation API reference of 6.5 (``/rest``) and of 7.0U2 and later (``/api``), package
``appliance.recovery``, at https://developer.broadcom.com/xapis/vsphere-automation-api/.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_httpx import HTTPXMock

from backupctl import __version__
from backupctl.api import endpoints
from backupctl.api.endpoints import Endpoint
from backupctl.api.recovery import RecoveryApi
from backupctl.models import (
    BackupJobStatus,
    BackupRequest,
    BuildInfo,
    DetailsProgress,
    JobDetails,
    LocalizableMessage,
    Part,
    ReturnResult,
    SystemVersion,
)
from backupctl.secret import Secret
from tests.support.clock import FakeClock
from tests.support.wire import HOST, PASSWORD, TOKEN, USER, api_over

JOB = "20260301-020000-24091160"
OLDER = "20260228-020000-24091160"
REQUEST = BackupRequest(
    parts=("common", "seat"),
    location_type="SFTP",
    location="sftp://backup.example.com/vcenter",
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
    progress=DetailsProgress(total=100, completed=12),
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


@dataclass(frozen=True)
class Sent:
    """One operation in one family: what is called, what goes out, what comes back and what is made of it."""

    name: str
    family: str
    endpoint: Endpoint[Any]
    call: Callable[[RecoveryApi], Any]
    line: str
    answer: Any
    value: Any
    body: Any = None
    status: int = 200


def both(  # noqa: PLR0917 - a row of a table
    name: str,
    endpoint: Endpoint[Any],
    call: Callable[[RecoveryApi], Any],
    rest: str,
    api: str,
    answer: Any,
    value: Any,
    *,
    body: Any = None,
    as_map: bool = False,
    api_status: int = 200,
) -> list[Sent]:
    """Return the two rows of an operation: wrapped in ``/rest``, bare in ``/api``."""
    in_rest = [{"key": key, "value": each} for key, each in answer.items()] if as_map else answer
    wrapped = None if body is None else {"piece": body}
    return [
        Sent(name, "rest", endpoint, call, rest, {"value": in_rest}, value, wrapped),
        Sent(name, "api", endpoint, call, api, answer, value, body, api_status),
    ]


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
        lambda api: api.create_job(BackupRequest(parts=(), location_type="FTP", location="ftp://h/d")),
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
        STATUS,
        STATUS_VALUE,
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
]
EVERY_ROW = pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.name}-{row.family}")
LOGINS = {
    "rest": (f"https://{HOST}/rest/com/vmware/cis/session", 200, {"value": TOKEN}),
    "api": (f"https://{HOST}/api/session", 201, TOKEN),
}


@EVERY_ROW
def test_request_of_each_operation_in_each_family_is_as_documented(
    row: Sent, httpx_mock: HTTPXMock, clock: FakeClock
) -> None:
    method, _, path = row.line.partition(" ")
    login_url, login_status, token = LOGINS[row.family]
    cookie = {"set-cookie": f"vmware-api-session-id={TOKEN};Path=/;Secure;HttpOnly"}
    httpx_mock.add_response(method="POST", url=login_url, status_code=login_status, json=token, headers=cookie)
    httpx_mock.add_response(method=method, status_code=row.status, json=row.answer)
    assert row.call(api_over(None, clock, family=row.family)) == row.value

    login, sent = httpx_mock.get_requests()
    assert (sent.method, sent.url.raw_path.decode()) == (method, path)
    assert sent.url.host == HOST
    assert sent.headers["vmware-api-session-id"] == TOKEN
    assert not {"cookie", "authorization"} & set(sent.headers)
    for request in (login, sent):
        assert request.headers["user-agent"] == f"backupctl/{__version__}"
        assert request.headers["accept-encoding"] == "identity"
        assert request.headers["accept"] == "application/json"
    if row.body is None:
        assert sent.read() == b""
        assert "content-type" not in sent.headers
    else:
        assert json.loads(sent.read()) == row.body
        assert sent.headers["content-type"] == "application/json"


@EVERY_ROW
def test_request_that_changes_something_has_time_for_it(row: Sent, httpx_mock: HTTPXMock, clock: FakeClock) -> None:
    httpx_mock.add_response(url=LOGINS[row.family][0], json=LOGINS[row.family][2])
    httpx_mock.add_response(json=row.answer)
    row.call(api_over(None, clock, family=row.family))
    login, sent = httpx_mock.get_requests()
    reads = {request.method: request.extensions["timeout"]["read"] for request in (login, sent)}
    assert login.extensions["timeout"]["read"] == 30
    assert (sent.extensions["timeout"]["connect"], reads[sent.method]) == (10, 300 if sent.method == "POST" else 30)


def test_requests_of_basic_authentication_carry_credentials_and_no_session(
    httpx_mock: HTTPXMock, clock: FakeClock
) -> None:
    httpx_mock.add_response(url=f"https://{HOST}{_REST}/job", json={"value": []})
    assert api_over(None, clock, basic=True).jobs() == []
    (sent,) = httpx_mock.get_requests()
    assert sent.headers["authorization"].startswith("Basic ")
    assert "vmware-api-session-id" not in sent.headers


def test_table_of_requests_misses_no_operation() -> None:
    declared = {id(value) for value in vars(endpoints).values() if isinstance(value, Endpoint)}
    assert declared == {id(row.endpoint) for row in TABLE}
    assert {(row.name, row.family) for row in TABLE} == {(row.name, f) for row in TABLE for f in ("rest", "api")}


def test_login_request_has_credentials_and_asks_for_no_cookie(httpx_mock: HTTPXMock, clock: FakeClock) -> None:
    httpx_mock.add_response(url=f"https://{HOST}/api/session", json=TOKEN, status_code=201)
    httpx_mock.add_response(json=[])
    api_over(None, clock).jobs()
    login = httpx_mock.get_requests()[0]
    credentials = login.headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(credentials).decode() == f"{USER}:{PASSWORD}"
    assert login.headers["vmware-use-header-authn"]
    assert (login.headers["content-length"], login.read()) == ("0", b"")


@pytest.mark.parametrize("family", ["rest", "api"])
def test_prepared_request_equals_the_one_sent_but_for_secrets(
    family: str, httpx_mock: HTTPXMock, clock: FakeClock
) -> None:
    (prepared,) = api_over(None, clock, family=family).prepare_create(REQUEST)
    httpx_mock.add_response(url=LOGINS[family][0], json=LOGINS[family][2])
    httpx_mock.add_response(json={"value": STATUS} if family == "rest" else STATUS)
    api_over(None, clock, family=family).create_job(REQUEST)
    sent = httpx_mock.get_requests()[1]
    masked = REQUEST_BODY | {"location_password": "***", "backup_password": "***"}
    assert (prepared.method, prepared.url) == (sent.method, str(sent.url))
    assert prepared.body == ({"piece": masked} if family == "rest" else masked)


def test_prepared_request_of_an_unknown_family_is_shown_for_both_and_nothing_is_sent(clock: FakeClock) -> None:
    paths = [prepared.url for prepared in api_over(None, clock).prepare_create(REQUEST)]
    assert paths == [f"https://{HOST}{_API}/job", f"https://{HOST}{_REST}/job"]


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ([{"key": JOB, "value": DETAILS}], {JOB: DETAILS_VALUE}),
        ({JOB: DETAILS}, {JOB: DETAILS_VALUE}),
    ],
    ids=["list", "object"],
)
@pytest.mark.parametrize("family", ["rest", "api"])
def test_map_in_the_spelling_of_either_family_is_taken(
    family: str, answer: Any, value: Any, httpx_mock: HTTPXMock, clock: FakeClock
) -> None:
    httpx_mock.add_response(url=LOGINS[family][0], json=LOGINS[family][2])
    httpx_mock.add_response(json={"value": answer} if family == "rest" else answer)
    assert api_over(None, clock, family=family).job_details() == value
