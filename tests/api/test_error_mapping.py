"""The mapping of responses to errors, which also say whether the outcome is certain and a retry may help.

The bodies are those of real appliances: from VMware's vAPI runtime (PyPI: vmware-vapi-runtime,
``vmware/vapi/rest/handler.py``), and as quoted in public scripts and their test fixtures.
"""

import json
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest

from backupctl.api.endpoint import MAX_ENTRIES
from backupctl.api.error_mapping import OperationInfo, raise_for_status, unreachable
from backupctl.api.vapi_error import vapi_error
from backupctl.errors import (
    ApplianceAnswerError,
    ApplianceUnreachableError,
    AuthenticationError,
    AuthorizationError,
    BackupctlError,
    BusyError,
    CertificateError,
    NotFoundError,
    NotSupportedError,
    OperationFailedError,
    ServerFaultError,
    ServiceMissingError,
)
from backupctl.location import Location
from backupctl.models import BackupRequest
from tests import wording
from tests.support.clock import FakeClock
from tests.support.scripted_transport import API_LOGIN, HOST, REST_LOGIN, Reply, ScriptedTransport, api_over, html

AUTHENTICATION_REQUIRED = {
    "args": [],
    "default_message": "Authentication required.",
    "id": "com.vmware.vapi.endpoint.method.authentication.required",
}
CHALLENGE = 'Basic realm="VAPI endpoint",SIGN realm=0,service="VAPI endpoint",sts="https://192.168.100.50/sts"'
PATH_NOT_FOUND = {"args": [], "default_message": "Not found.", "id": "com.vmware.vapi.rest.httpNotFound"}
PATH_NOT_FOUND_6 = {
    "name": "com.vmware.vapi.rest.httpNotFound",
    "localizableMessages": [{"defaultMessage": "Not found.", "id": "com.vmware.vapi.rest.httpNotFound"}],
    "majorErrorCode": 404,
}
HTML = b"<html><head><title>503 Service Unavailable</title></head><body></body></html>"


def message(text: str, message_id: str = "com.vmware.applmgmt.x") -> dict[str, Any]:
    return {"id": message_id, "default_message": text, "args": []}


def rest(kind: str, *messages: dict[str, Any], error_type: bool = True) -> dict[str, Any]:
    """Return an error body of ``/rest``; older servers omit ``error_type``."""
    value: dict[str, Any] = {"messages": list(messages)}
    if error_type:
        value["error_type"] = kind.upper()
    return {"type": f"com.vmware.vapi.std.errors.{kind}", "value": value}


def api(kind: str, *messages: dict[str, Any]) -> dict[str, Any]:
    """Return an error body of ``/api``."""
    return {"error_type": kind.upper(), "messages": list(messages)}


def invalid(text: str) -> dict[str, Any]:
    cause = f"Error in method invocation {text}"
    return {"id": "vapi.method.invoke.exception", "default_message": cause, "args": [text]}


NO_SERVICE = message(
    "Cannot find service 'com.vmware.appliance.recovery.backup.job'.", "vapi.method.input.invalid.interface"
)
BUSY = message("A backup or restore is already in progress.")
CANNOT_REACH, CONNECTION_REFUSED = (
    message("Cannot reach the location."),
    message("Connection refused by backup.example.com."),
)
INVALID_FIELD = message("Structure piece is invalid.", "vapi.data.structure.field.invalid")
MISSING_FIELD = message('backup_request is missing a field "location_type"', "vapi.data.structure.field.missing")
UNEXPECTED_FIELD = "Unexpected field 'colour' in request"
UNEXPECTED_PARAMETER = "Unexpected parameter 'spec' in JSON body"
SEE_LOGS = "Unexpected error. See server logs for more details."
PRIVILEGES = message("User needs to have operator privileges.")


@dataclass(frozen=True)
class Case:
    """A response and its error; ``message_part`` is in the message, ``details`` follow it."""

    name: str
    status: int
    body: Any
    error: type[BackupctlError]
    message_part: str
    details: Sequence[str] = ()
    certain: bool = True
    retryable: bool = False
    not_found_possible: bool = False
    in_release: bool | None = None


CASES = [
    # login and permissions
    Case(
        "rest-401-6.x",
        401,
        rest("unauthenticated", AUTHENTICATION_REQUIRED, error_type=False),
        AuthenticationError,
        wording.WRONG_LOGIN,
        ["Authentication required."],
    ),
    Case(
        "rest-401-7.x",
        401,
        {
            "type": "com.vmware.vapi.std.errors.unauthenticated",
            "value": {"error_type": "UNAUTHENTICATED", "messages": [AUTHENTICATION_REQUIRED], "challenge": CHALLENGE},
        },
        AuthenticationError,
        wording.WRONG_LOGIN,
        ["Authentication required."],
    ),
    Case(
        "api-401",
        401,
        api("unauthenticated", AUTHENTICATION_REQUIRED),
        AuthenticationError,
        wording.WRONG_LOGIN,
        ["Authentication required."],
    ),
    Case("empty-401", 401, b"", AuthenticationError, wording.NOT_FROM_VCENTER(401), certain=False),
    Case(
        "api-403",
        403,
        api("unauthorized", PRIVILEGES),
        AuthorizationError,
        "does not allow this user to start a backup",
        ["User needs to have operator privileges."],
    ),
    Case("rest-403", 403, rest("unauthorized"), AuthorizationError, "(403)"),
    Case("html-403", 403, HTML, AuthorizationError, wording.NOT_FROM_VCENTER(403), certain=False),
    # busy
    Case(
        "rest-busy",
        400,
        rest("feature_in_use", BUSY),
        BusyError,
        wording.ANOTHER_JOB_RUNNING,
        ["A backup or restore is already in progress."],
    ),
    Case(
        "rest-busy-6.x",
        400,
        rest("feature_in_use", BUSY, error_type=False),
        BusyError,
        "is running",
        ["A backup or restore is already in progress."],
    ),
    Case("api-busy", 400, api("feature_in_use"), BusyError, "is running"),
    # not found
    Case(
        "api-no-path", 404, api("not_found", PATH_NOT_FOUND), NotSupportedError, "cannot start a backup", ["Not found."]
    ),
    Case(
        "api-no-path-with-id",
        404,
        api("not_found", PATH_NOT_FOUND),
        NotSupportedError,
        "its release",
        ["Not found."],
        not_found_possible=True,
    ),
    Case(
        "rest-no-path-6.x",
        404,
        PATH_NOT_FOUND_6,
        NotSupportedError,
        "its release",
        ["Not found."],
        not_found_possible=True,
    ),
    Case(
        "rest-no-operation",
        404,
        rest("operation_not_found", NO_SERVICE),
        NotSupportedError,
        "its release",
        [NO_SERVICE["default_message"]],
        not_found_possible=True,
        in_release=False,
    ),
    Case(
        "rest-no-service",
        404,
        rest("operation_not_found", NO_SERVICE, error_type=False),
        ServiceMissingError,
        f"{wording.SERVICE_NOT_RUNNING}: Cannot find service",
        retryable=True,
        not_found_possible=True,
    ),
    Case(
        "api-no-service",
        404,
        api("operation_not_found", NO_SERVICE),
        ServiceMissingError,
        f"{wording.SERVICE_NOT_RUNNING}: Cannot find service",
        retryable=True,
    ),
    Case(
        "api-404-of-a-path-without-id", 404, api("not_found", message("No.")), NotSupportedError, "its release", ["No."]
    ),
    Case(
        "no-thing-of-an-operation-that-is-there",
        404,
        api("not_found", message("No part x.")),
        ApplianceAnswerError,
        "could not start a backup (404 NOT_FOUND): No part x.",
        in_release=True,
    ),
    Case(
        "operation-that-should-be-there",
        404,
        api("not_found", PATH_NOT_FOUND),
        NotSupportedError,
        "cannot start a backup: operation not found (404)",
        ["Not found."],
        in_release=True,
    ),
    Case(
        "api-no-job",
        404,
        api("not_found", message("No job.")),
        NotFoundError,
        "start a backup: not found",
        ["No job."],
        not_found_possible=True,
    ),
    Case(
        "rest-no-job",
        404,
        rest("not_found", message("No job.")),
        NotFoundError,
        "start a backup: not found",
        ["No job."],
        not_found_possible=True,
    ),
    Case(
        "invalid-request-404",
        404,
        rest("invalid_request", invalid("x")),
        NotFoundError,
        "start a backup: not found",
        ["Error in method invocation x"],
        not_found_possible=True,
    ),
    Case("html-404", 404, HTML, NotSupportedError, "its release", certain=False),
    Case("html-404-with-id", 404, HTML, NotSupportedError, "its release", certain=False, not_found_possible=True),
    # bad requests
    Case(
        "unknown-field", 400, rest("invalid_request", invalid(UNEXPECTED_FIELD)), ApplianceAnswerError, UNEXPECTED_FIELD
    ),
    Case(
        "wrong-wrapper",
        400,
        rest("invalid_request", invalid(UNEXPECTED_PARAMETER)),
        ApplianceAnswerError,
        UNEXPECTED_PARAMETER,
    ),
    Case(
        "missing-field",
        400,
        rest("invalid_argument", INVALID_FIELD, MISSING_FIELD),
        ApplianceAnswerError,
        "Structure piece is invalid.",
        ['backup_request is missing a field "location_type"'],
    ),
    Case(
        "no-state-for-it",
        400,
        api("not_allowed_in_current_state", message("Not now.")),
        ApplianceAnswerError,
        "(400 NOT_ALLOWED_IN_CURRENT_STATE): Not now.",
    ),
    Case("wrong-media-type", 415, rest("invalid_request", invalid("x")), ApplianceAnswerError, "415 INVALID_REQUEST"),
    Case("no-messages", 400, api("invalid_argument"), ApplianceAnswerError, "(400 INVALID_ARGUMENT): invalid argument"),
    # uncertain outcome, whatever the status
    Case("conflict", 409, api("concurrent_change", message("x")), ApplianceAnswerError, "409", certain=False),
    Case("busy", 400, api("resource_busy"), ApplianceAnswerError, "(400 RESOURCE_BUSY): resource", certain=False),
    Case("rest-timed-out", 400, rest("timed_out", message("x")), ApplianceAnswerError, "TIMED_OUT", certain=False),
    Case("canceled", 400, rest("canceled", error_type=False), ApplianceAnswerError, "CANCELED", certain=False),
    Case("canceled-403", 403, api("canceled"), AuthorizationError, "403", certain=False),
    Case("canceled-401", 401, api("canceled"), AuthenticationError, wording.WRONG_LOGIN, certain=False),
    Case("html-400", 400, HTML, ApplianceAnswerError, f"{wording.ERROR_PAGE} (400 Bad Request)", certain=False),
    Case("html-429", 429, HTML, ApplianceAnswerError, "429", certain=False, retryable=True),
    Case("html-408", 408, HTML, ApplianceAnswerError, "408", certain=False, retryable=True),
    # faults
    Case(
        "rest-500-error",
        500,
        rest("error", CANNOT_REACH, CONNECTION_REFUSED),
        OperationFailedError,
        "refused to start a backup: Cannot reach the location.",
        ["Connection refused by backup.example.com."],
    ),
    Case(
        "api-500-error",
        500,
        api("error", CANNOT_REACH, CONNECTION_REFUSED),
        OperationFailedError,
        "Cannot reach the location.",
        ["Connection refused by backup.example.com."],
    ),
    Case(
        "rest-400-error",
        400,
        rest("error", CANNOT_REACH),
        OperationFailedError,
        "refused to start a backup: Cannot reach",
    ),
    Case("rest-500-crash", 500, rest("invalid_request", invalid(SEE_LOGS)), ServerFaultError, SEE_LOGS, certain=False),
    Case(
        "rest-503",
        503,
        rest("service_unavailable", message("Wait."), error_type=False),
        ServerFaultError,
        "Wait.",
        certain=False,
        retryable=True,
    ),
    Case(
        "api-504",
        504,
        api("timed_out", message("Too slow.")),
        ServerFaultError,
        "Too slow.",
        certain=False,
        retryable=True,
    ),
    Case("api-408", 408, api("timed_out"), ApplianceAnswerError, "timed out", certain=False, retryable=True),
    Case(
        "api-500-internal",
        500,
        api("internal_server_error", CONNECTION_REFUSED),
        ServerFaultError,
        "Connection",
        certain=False,
    ),
    Case("html-500", 500, HTML, ServerFaultError, f"{wording.ERROR_PAGE} (500", certain=False),
    Case("html-502", 502, HTML, ServerFaultError, f"{wording.ERROR_PAGE} (502", certain=False, retryable=True),
    Case("html-503", 503, HTML, ServerFaultError, f"{wording.ERROR_PAGE} (503", certain=False, retryable=True),
    Case(
        "text-503", 503, b"no healthy upstream", ServerFaultError, "no healthy upstream", certain=False, retryable=True
    ),
    Case(
        "empty-504",
        504,
        b"",
        ServerFaultError,
        wording.NOT_FROM_VCENTER("504 Gateway Timeout"),
        certain=False,
        retryable=True,
    ),
    # JSON of another server
    Case(
        "problem-json",
        502,
        {"type": "about:blank", "title": "Bad Gateway", "status": 502},
        ServerFaultError,
        wording.NOT_FROM_VCENTER("502 Bad Gateway"),
        certain=False,
        retryable=True,
    ),
    Case(
        "gateway-json",
        503,
        {"message": "name resolution failed"},
        ServerFaultError,
        wording.NOT_FROM_VCENTER("503 Service Unavailable"),
        certain=False,
        retryable=True,
    ),
    Case(
        "named-json",
        503,
        {"name": "ServiceUnavailable", "value": {}},
        ServerFaultError,
        wording.NOT_FROM_VCENTER("503 Service Unavailable"),
        certain=False,
        retryable=True,
    ),
    Case("list", 500, [], ServerFaultError, wording.NOT_FROM_VCENTER("500 Internal Server Error"), certain=False),
    Case(
        "wrong-types",
        500,
        {"error_type": 5, "messages": "x"},
        ServerFaultError,
        wording.NOT_FROM_VCENTER("500 Internal Server Error"),
        certain=False,
    ),
    Case(
        "not-utf-8",
        500,
        b'{"error_type": "\xff"}',
        ServerFaultError,
        wording.NOT_FROM_VCENTER("500 Internal Server Error"),
        certain=False,
    ),
    Case(
        "endless-nesting",
        500,
        b'{"x":' + b"[" * 100_000,
        ServerFaultError,
        wording.NOT_FROM_VCENTER("500 Internal Server Error"),
        certain=False,
    ),
    # unusual bodies of the appliance
    Case(
        "nulls",
        500,
        {"type": "com.vmware.vapi.std.errors.error", "value": None},
        ServerFaultError,
        "(500 ERROR): error",
        certain=False,
    ),
    Case(
        "null-messages",
        500,
        api("error", {"id": None, "default_message": None}, CONNECTION_REFUSED),
        OperationFailedError,
        "Connection refused by backup.example.com.",
    ),
    Case("id-only", 500, api("error", {"id": "com.vmware.x.y"}), OperationFailedError, "com.vmware.x.y"),
    # redirects
    Case("redirect-without-place", 302, b"", ApplianceAnswerError, "302 Found", certain=False),
    Case("redirect-with-error", 302, api("not_allowed_in_current_state"), ApplianceAnswerError, "302", certain=False),
    Case(
        "not-modified-with-error",
        304,
        api("error", CONNECTION_REFUSED),
        ApplianceAnswerError,
        "304 ERROR",
        certain=False,
    ),
]


def response(status: int, body: Any = b"", headers: dict[str, str] | None = None) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = httpx.Request("POST", f"https://{HOST}/rest/appliance/recovery/backup/job")
    return httpx.Response(status, content=content, headers=headers, request=request)


def raised(function: Callable[[], object]) -> BackupctlError:
    with pytest.raises(BackupctlError) as caught:
        function()
    return caught.value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_response_is_mapped_to_its_error(case: Case) -> None:
    reply = response(case.status, case.body)
    info = OperationInfo("start a backup", case.not_found_possible, case.in_release)
    error = raised(lambda: raise_for_status(reply, info))
    assert type(error) is case.error
    assert (error.certain, error.retryable) == (case.certain, case.retryable)
    assert (error.facts.server, error.facts.operation) == (HOST, "start a backup")
    assert case.message_part in error.message
    assert error.details == tuple(case.details)


STARTING, GROUP, BETWEEN = (
    wording.MAY_STILL_BE_STARTING,
    "SystemConfiguration.Administrators",
    "proxy, firewall or login",
)
SESSIONS = "com.vmware.vapi.endpoint.failedToLoginMaxUserSessionCountReached"


@pytest.mark.parametrize(
    ("status", "body", "hint"),
    [
        (503, api("service_unavailable", message("Service unavailable.")), STARTING),
        (503, rest("service_unavailable"), STARTING),
        (502, HTML, STARTING),
        (503, b"no healthy upstream", STARTING),
        (504, b"", STARTING),
        (504, api("timed_out"), None),
        (500, HTML, None),
        (429, HTML, None),
        (408, b"", None),
        (503, api("service_unavailable", message("User session count is limited to 550.", SESSIONS)), "log out"),
        (403, rest("unauthorized"), GROUP),
        (403, HTML, BETWEEN),
        (403, b"", BETWEEN),
        (401, HTML, BETWEEN),
        (401, api("unauthenticated", AUTHENTICATION_REQUIRED), None),
        (404, api("operation_not_found", NO_SERVICE), "service-control --status applmgmt"),
    ],
)
def test_hint_fits_the_response(status: int, body: Any, hint: str | None) -> None:
    error = raised(lambda: raise_for_status(response(status, body), OperationInfo("start a backup")))
    assert (error.hint is None) if hint is None else hint in (error.hint or "")


def test_session_limit_is_not_retryable() -> None:
    session_limit = api("service_unavailable", message("User session count is limited to 550.", SESSIONS))
    error = raised(lambda: raise_for_status(response(503, session_limit), OperationInfo("log in")))
    assert (type(error), error.retryable) == (ServerFaultError, False)
    assert "550" in error.message


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"no healthy upstream", "no healthy upstream"),
        (b"  upstream connect error\r\nor more\n", "upstream connect error"),
        ("nicht verf\u00fcgbar".encode(), "nicht verf\u00fcgbar"),
        (b"x" * 300, "x" * 200),
        (b"x" * 2000, "x" * 200),
        (b"x" * 2001, ""),
        (b"tell <b>nobody</b>", ""),
        (b' {"message": "x"}', ""),
        (b'"x"', ""),
        (b"[1]", ""),
        (b"\xff\xfe", ""),
        (b"\x1b[2J", ""),
        (b"", ""),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_plain_text_response_is_shown_by_its_first_line(body: bytes, line: str) -> None:
    error = raised(lambda: raise_for_status(response(503, body), OperationInfo("log in")))
    others = (
        f"{wording.ERROR_PAGE} (503 Service Unavailable)",
        "got HTTP 503 Service Unavailable from something other",
    )
    expected = f" (503 Service Unavailable): {line}"
    assert error.message.endswith(expected) if line else any(other in error.message for other in others)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_2xx_is_no_error(status: int) -> None:
    raise_for_status(response(status), OperationInfo("start a backup"))
    assert vapi_error(response(status)) is None


def test_redirect_is_shown_without_its_query(clock: FakeClock) -> None:
    headers = {"location": "https://portal.example.com/x?loc_spec.location_password=s3cret"}
    wire = ScriptedTransport({**API_LOGIN, "GET /api/appliance/recovery/backup/job": Reply(302, b"", headers)})
    error = raised(api_over(wire, clock).jobs)
    assert (error.facts.status, error.facts.cause) == (302, "'https://portal.example.com/x'")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(status: int, clock: FakeClock) -> None:
    headers = {"location": "https://portal.example.com/login"}
    path = "GET /api/appliance/recovery/backup/job"
    wire = ScriptedTransport({**API_LOGIN, path: Reply(status, b"<html>", headers)})
    error = raised(api_over(wire, clock).jobs)
    assert (type(error), error.certain, error.retryable) == (ApplianceAnswerError, False, False)
    assert (error.facts.server, error.facts.cause) == (HOST, "'https://portal.example.com/login'")
    assert wire.asked == ["POST /api/session", path]


@pytest.mark.parametrize(
    "location",
    ["https:///x", "https://xn--/", "https://[::1", "https://h:port/", "x" * 70_000, ""],
    ids=lambda location: location[:20],
)
def test_redirect_to_an_invalid_url_is_not_followed(location: str, clock: FakeClock) -> None:
    headers = {"location": location}
    wire = ScriptedTransport({**API_LOGIN, "GET /api/appliance/recovery/backup/job": Reply(302, b"", headers)})
    assert raised(api_over(wire, clock).jobs).facts.status == 302


def test_cookie_is_neither_read_nor_sent(clock: FakeClock, recwarn: pytest.WarningsRecorder) -> None:
    cookies = {"set-cookie": "vmware-api-session-id=stolen; Max-Age=x; Version=y; Expires=Thu, 99 Foo 99999"}
    wire = ScriptedTransport({**API_LOGIN, "GET /api/appliance/recovery/backup/job": Reply(200, [], cookies)})
    api = api_over(wire, clock)
    assert [api.jobs(), api.jobs()] == [[], []]
    assert all("cookie" not in request.headers for request in wire.requests)
    assert not recwarn.list


@pytest.mark.parametrize(
    ("headers", "moment"),
    [
        ({"date": "Sun, 01 Mar 2026 02:00:00 GMT"}, "2026-03-01T02:00:00+00:00"),
        ({"date": "Sun, 01 Mar 2026 02:00:00 GMT", "age": "300"}, "2026-03-01T02:05:00+00:00"),
        ({"date": "Sun, 01 Mar 2026 02:00:00 GMT", "age": "-300"}, "2026-03-01T02:00:00+00:00"),
        ({"date": "Sun, 01 Mar 2026 02:00:00 GMT", "age": "5 minutes"}, "2026-03-01T02:00:00+00:00"),
        ({"date": "Sun, 01 Mar 2026 02:00:00 GMT", "age": "\u0663"}, "2026-03-01T02:00:00+00:00"),
        ({"date": "Fri, 31 Dec 9999 23:59:59 GMT", "age": "9999999999"}, None),
        ({"date": "yesterday", "age": "300"}, None),
        ({"age": "300"}, None),
    ],
)
def test_time_of_a_response_is_its_date_plus_its_age(
    headers: dict[str, str], moment: str | None, clock: FakeClock
) -> None:
    encoded = {name: value.encode() for name, value in headers.items()}
    jobs = Reply(200, [], encoded)  # type: ignore[arg-type]
    api = api_over(ScriptedTransport({**API_LOGIN, "GET /api/appliance/recovery/backup/job": jobs}), clock)
    api.jobs()
    assert (api.server_time and api.server_time.isoformat()) == moment


INVALID_NAMES = ["", ".", "..", "....", "-x", "--insecure", "a\nb", "\udcff", "\u202ea", "x" * 1025, "x" * 70_000]


@pytest.mark.parametrize("family", ["rest", "api"])
@pytest.mark.parametrize("name", INVALID_NAMES, ids=lambda name: ascii(name[:10]))
def test_invalid_name_is_not_found_and_not_requested(name: str, family: str, clock: FakeClock) -> None:
    wire = ScriptedTransport({**REST_LOGIN, **API_LOGIN})
    api = api_over(wire, clock, family=family)
    for call in (api.job, api.cancel_job, api.part_size, api.schedule, api.delete_schedule, api.run_schedule):
        error = raised(partial(call, name))
        assert type(error) is NotFoundError
        assert error.message in {f"invalid name {name!r}", f"invalid name of {len(name)} characters"}
    assert type(raised(lambda: api.job_details([name]))) is NotFoundError
    assert all("session" in asked for asked in wire.asked)


@pytest.mark.parametrize("name", INVALID_NAMES, ids=lambda name: ascii(name[:10]))
def test_start_of_a_job_with_an_invalid_id_is_uncertain(name: str, clock: FakeClock) -> None:
    started = Reply(200, {"id": name, "state": "INPROGRESS"})  # a lone surrogate makes the JSON invalid
    api = api_over(ScriptedTransport({**API_LOGIN, "POST /api/appliance/recovery/backup/job": started}), clock)
    request = BackupRequest(parts=("common",), location_type="FTP", location=Location.parse("ftp://h/d"))
    error = raised(lambda: api.create_job(request))
    assert (type(error), error.certain) == (ApplianceAnswerError, False)


def test_list_of_too_many_jobs_is_unusable(clock: FakeClock) -> None:
    jobs = "GET /api/appliance/recovery/backup/job"
    longest = [str(number) for number in range(MAX_ENTRIES)]
    api = api_over(ScriptedTransport({**API_LOGIN, jobs: [Reply(200, longest), Reply(200, [*longest, "x"])]}), clock)
    assert len(api.jobs()) == MAX_ENTRIES
    assert "20001 entries, more than 20000" in raised(api.jobs).message


JOB = {"id": "j", "state": "INPROGRESS", "progress": 3, "messages": []}
GET_JOB = "GET /api/appliance/recovery/backup/job/j"


@pytest.mark.parametrize(
    ("body", "reason", "retryable"),
    [
        (b"", "empty response", True),
        (b"   ", "unreadable response", True),
        (b'{"state": "INPRO', "truncated", True),
        (b'{"state": "INPROGRESS", "progress": NaN}', "malformed", True),
        (b"<html>", "malformed", True),
        (b'{"state": "\xff\xfe"}', "unreadable response", True),
        (b"[" * 100_000, "unreadable response", True),
        ({"id": "j", "state": None}, "`$.state`", False),
        ({}, "missing required field `id`", False),
        ({"id": "j"}, "missing required field `state`", False),
        ({"value": JOB}, "missing required field `id`", False),
        ({**JOB, "state": 3}, "`$.state`", False),
        ([JOB], "Expected `object`, got `array`", False),
        ({**JOB, "deep": "@"}, "unreadable response", True),
    ],
)
def test_unreadable_response_is_uncertain_and_names_the_field(
    body: Any, reason: str, retryable: bool, clock: FakeClock
) -> None:
    if isinstance(body, dict) and body.get("deep") == "@":
        body = json.dumps(body).replace('"@"', "[" * 100_000).encode()
    wire = ScriptedTransport({**API_LOGIN, GET_JOB: Reply(200, body)})
    error = raised(lambda: api_over(wire, clock).job("j"))
    assert (type(error), error.certain, error.retryable) == (ApplianceAnswerError, False, retryable)
    assert (error.facts.server, error.facts.operation) == (HOST, "read the backup job")
    assert reason in str(error.facts.cause)
    assert ("proxy" in (error.hint or "")) is retryable


@pytest.mark.parametrize(
    "fields",
    [
        {"progress": "most"},
        {"messages": [{"args": {}}]},
        {"messages": [{}] * 1001},
        {"start_time": "yesterday"},
        {"start_time": 253402300800},  # the year 10000
        {"end_time": -62135596801},
    ],
    ids=lambda fields: str(fields)[:40],
)
def test_response_with_an_invalid_field_keeps_the_state_of_the_job(fields: dict[str, Any], clock: FakeClock) -> None:
    wire = ScriptedTransport({**API_LOGIN, GET_JOB: Reply(200, {**JOB, **fields})})
    status = api_over(wire, clock).job("j")
    assert (status.id, status.state) == ("j", "INPROGRESS")


def test_response_without_a_required_field_names_its_path(clock: FakeClock) -> None:
    details = "GET /api/appliance/recovery/backup/job/details"
    wire = ScriptedTransport({**API_LOGIN, details: Reply(200, {"j": {"status": 5}, "k": {"status": None}})})
    assert "`$[...].status`" in raised(api_over(wire, clock).job_details).message


def test_response_of_rest_without_its_wrapper_is_unreadable(clock: FakeClock) -> None:
    wire = ScriptedTransport({**REST_LOGIN, "GET /rest/appliance/recovery/backup/job/j": Reply(200, JOB)})
    assert "`value`" in raised(lambda: api_over(wire, clock).job("j")).message


def test_response_with_unknown_fields_and_an_unknown_state_is_read(clock: FakeClock) -> None:
    body = {"id": "j", "state": "PAUSED", "progress": "12", "start_time": "2026-03-01T02:00:00.000Z", "colour": [{}]}
    wire = ScriptedTransport({**API_LOGIN, GET_JOB: Reply(200, body)})
    job = api_over(wire, clock).job("j")
    assert (job.state, job.progress, job.end_time) == ("PAUSED", 12, None)


def test_html_503_of_an_operation_is_retryable(clock: FakeClock) -> None:
    error = raised(lambda: api_over(ScriptedTransport({**API_LOGIN, GET_JOB: html(503)}), clock).job("j"))
    assert (type(error), error.retryable) == (ServerFaultError, True)
    assert wording.MAY_STILL_BE_STARTING in (error.hint or "")


REQUEST = httpx.Request("POST", f"https://{HOST}/")
CUT_OFF = ssl.SSLEOFError(8, "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol")


def caused(error: httpx.RequestError, cause: BaseException | None) -> httpx.RequestError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind", "message_part", "certain", "retryable"),
    [
        (httpx.ConnectTimeout("x"), ApplianceUnreachableError, "connection timed out", True, False),
        (httpx.ConnectError("x"), ApplianceUnreachableError, "connection failed: x", True, False),
        (caused(httpx.ConnectError("x"), CUT_OFF), ApplianceUnreachableError, "during the TLS handshake", True, True),
        (
            caused(httpx.ConnectError("x"), ssl.SSLError(1, "wrong")),
            CertificateError,
            "TLS handshake failed",
            True,
            False,
        ),
        (httpx.ProxyError("407 Denied"), ApplianceUnreachableError, "refused the connection (407)", True, False),
        (httpx.ReadTimeout("x"), ApplianceUnreachableError, "timed out", False, False),
        (httpx.WriteTimeout("x"), ApplianceUnreachableError, "timed out", False, False),
        (httpx.ReadError("x"), ApplianceUnreachableError, wording.CONNECTION_DROPPED, False, True),
        (caused(httpx.ReadError("x"), CUT_OFF), ApplianceUnreachableError, wording.CONNECTION_DROPPED, False, True),
        (
            caused(httpx.WriteError("x"), ssl.SSLError(1, "bad record")),
            ApplianceUnreachableError,
            wording.CONNECTION_DROPPED,
            False,
            True,
        ),
        (httpx.RemoteProtocolError("x"), ApplianceUnreachableError, wording.CONNECTION_DROPPED, False, True),
        (httpx.DecodingError("the body is not gzip"), ApplianceAnswerError, "the body is not gzip", False, True),
    ],
)
def test_request_without_a_response_is_mapped_to_its_error(
    error: httpx.RequestError, kind: type[BackupctlError], message_part: str, certain: bool, retryable: bool
) -> None:
    error.request = REQUEST
    mapped = unreachable(error, HOST, "start a backup")
    assert (type(mapped), mapped.certain, mapped.retryable) == (kind, certain, retryable)
    assert (mapped.facts.server, mapped.facts.operation) == (HOST, "start a backup")
    assert message_part in mapped.message
