"""The session: how the family is found, a new login after it has expired, and the logout at the end.

A rejected login must not be repeated, as vCenter locks an account after a few.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from backupctl.api.credential_state import CredentialState
from backupctl.api.session import SESSION_HEADER, Session
from backupctl.errors import (
    ApplianceAnswerError,
    ApplianceUnreachableError,
    AuthenticationError,
    BackupctlError,
    BusyError,
    NotFoundError,
    NotSupportedError,
    ServerFaultError,
    SessionExpiredError,
)
from backupctl.location import Location
from backupctl.models import BackupRequest
from backupctl.secrets.secret import Secret
from tests import wording
from tests.support.clock import FakeClock
from tests.support.scripted_transport import (
    API_LOGIN,
    HOST,
    NO_ROUTE,
    PASSWORD,
    REST_LOGIN,
    TOKEN,
    UNAUTHENTICATED,
    USER,
    Reply,
    ScriptedTransport,
    api_over,
    html,
    vapi,
)

LOGIN_API, LOGIN_REST = "POST /api/session", "POST /rest/com/vmware/cis/session"
LOGOUT_API, LOGOUT_REST = "DELETE /api/session", "DELETE /rest/com/vmware/cis/session"
JOBS_API, JOBS_REST = "GET /api/appliance/recovery/backup/job", "GET /rest/appliance/recovery/backup/job"
EMPTY_JOBS = {JOBS_API: Reply(200, []), JOBS_REST: Reply(200, {"value": []})}
LOGIN_OF = {"api": LOGIN_API, "rest": LOGIN_REST}
REQUEST = BackupRequest(parts=("common",), location_type="FTP", location=Location.parse("ftp://h/d"))
STATUS = {"id": "20260301-020000-1", "state": "INPROGRESS", "progress": 0, "messages": []}


def raised(function: Callable[[], object]) -> BackupctlError:
    with pytest.raises(BackupctlError) as caught:
        function()
    return caught.value


# The family


def test_family_is_unknown_before_the_first_request(clock: FakeClock) -> None:
    assert [api_over(ScriptedTransport({}), clock, family=family).family for family in (None, "rest", "api")] == [
        None
    ] * 3


def test_family_is_api_if_there_are_sessions_in_api(clock: FakeClock) -> None:
    wire = ScriptedTransport({**API_LOGIN, **EMPTY_JOBS})
    api = api_over(wire, clock)
    assert api.jobs() == []
    assert (api.family, wire.asked) == ("api", [LOGIN_API, JOBS_API])


@pytest.mark.parametrize(
    "first",
    [
        NO_ROUTE,
        html(404),
        html(200),
        Reply(200, {"value": TOKEN}),
        Reply(204),
        vapi(400, "INVALID_REQUEST", "what?"),
        vapi(403, "UNAUTHORIZED", "no"),
        Reply(405),
        Reply(302, headers={"location": "https://elsewhere.example.com/"}),
        vapi(500, "INTERNAL_SERVER_ERROR", "oops"),
        html(502),
    ],
    ids=lambda reply: f"{reply.status}",
)
def test_family_is_rest_if_there_are_no_sessions_in_api(first: Reply, clock: FakeClock) -> None:
    wire = ScriptedTransport({**REST_LOGIN, **EMPTY_JOBS, LOGIN_API: first})
    api = api_over(wire, clock)
    assert api.jobs() == []
    assert (api.family, wire.asked) == ("rest", [LOGIN_API, LOGIN_REST, JOBS_REST])


def test_login_rejected_in_api_is_not_tried_in_rest(clock: FakeClock) -> None:
    wire = ScriptedTransport({**REST_LOGIN, LOGIN_API: UNAUTHENTICATED})
    api = api_over(wire, clock)
    error = raised(api.jobs)
    assert (type(error), error.facts.server, error.facts.status) == (AuthenticationError, HOST, 401)
    assert (api.family, wire.asked) == (None, [LOGIN_API])


@pytest.mark.parametrize("reply", [html(429), html(503), vapi(503, "SERVICE_UNAVAILABLE", "Wait.")])
def test_login_at_a_busy_appliance_is_retryable_and_not_tried_in_rest(reply: Reply, clock: FakeClock) -> None:
    wire = ScriptedTransport({**REST_LOGIN, **EMPTY_JOBS, LOGIN_API: [reply, Reply(201, TOKEN)]})
    api = api_over(wire, clock)
    assert raised(api.jobs).retryable
    assert wire.asked == [LOGIN_API]
    assert api.jobs() == []
    assert api.family == "api"


def test_login_without_a_response_is_not_tried_in_rest(clock: FakeClock) -> None:
    wire = ScriptedTransport({**REST_LOGIN, LOGIN_API: Reply(error=httpx.ReadError)})
    api = api_over(wire, clock)
    error = raised(api.jobs)
    assert (type(error), error.retryable, wire.asked) == (ApplianceUnreachableError, True, [LOGIN_API])


@pytest.mark.parametrize("reply", [html(404), html(405), Reply(405), html(400), html(200)], ids=str)
def test_host_that_is_not_a_vcenter_has_a_sentence_of_its_own(reply: Reply, clock: FakeClock) -> None:
    error = raised(api_over(ScriptedTransport({LOGIN_API: reply, LOGIN_REST: reply}), clock).jobs)
    assert (error.exit_code, error.message.startswith(wording.NO_VCENTER_LOGIN(HOST, reply.status))) == (6, True)
    assert "check that this host is a vCenter Server appliance" in str(error.hint)


@pytest.mark.parametrize("family", ["rest", "api"])
def test_configured_family_is_the_only_one_tried(family: str, clock: FakeClock) -> None:
    wire = ScriptedTransport({LOGIN_OF[family]: NO_ROUTE})
    api = api_over(wire, clock, family=family)
    error = raised(api.jobs)
    assert isinstance(error, NotSupportedError)
    assert (error.facts.server, error.facts.status) == (HOST, 404)
    assert ("--api rest" in str(error.hint)) is (family == "api")
    assert wire.asked == [LOGIN_OF[family]]
    assert api.family is None


def test_api_with_sessions_but_without_recovery_falls_back_to_rest(clock: FakeClock) -> None:
    wire = ScriptedTransport({**API_LOGIN, **EMPTY_JOBS, JOBS_API: NO_ROUTE, LOGIN_REST: Reply(200, {"value": TOKEN})})
    api = api_over(wire, clock)
    assert api.jobs() == []
    assert api.family == "rest"
    assert wire.asked == [LOGIN_API, JOBS_API, LOGOUT_API, LOGIN_REST, JOBS_REST]


def test_failed_logout_does_not_stop_the_fall_back_to_rest(clock: FakeClock) -> None:
    replies = {**API_LOGIN, **EMPTY_JOBS, JOBS_API: NO_ROUTE, LOGIN_REST: Reply(200, {"value": TOKEN})}
    wire = ScriptedTransport({**replies, LOGOUT_API: Reply(error=httpx.ReadError)})
    api = api_over(wire, clock)
    assert api.jobs() == []
    assert api.family == "rest"


def test_fall_back_after_the_logout_of_the_run_does_not_log_in(clock: FakeClock) -> None:
    not_found = Reply(404, NO_ROUTE.body)
    wire = ScriptedTransport({**API_LOGIN, JOBS_API: not_found})
    api = api_over(wire, clock)
    not_found.then = api.log_out
    assert isinstance(raised(api.jobs), AuthenticationError)
    assert wire.asked == [LOGIN_API, JOBS_API, LOGOUT_API]


def test_fall_back_to_a_rest_without_recovery_ends(clock: FakeClock) -> None:
    wire = ScriptedTransport(
        {**API_LOGIN, JOBS_API: NO_ROUTE, LOGIN_REST: Reply(200, {"value": TOKEN}), JOBS_REST: NO_ROUTE}
    )
    assert isinstance(raised(api_over(wire, clock).jobs), NotSupportedError)
    assert wire.asked == [LOGIN_API, JOBS_API, LOGOUT_API, LOGIN_REST, JOBS_REST]


def test_missing_job_does_not_fall_back_to_rest(clock: FakeClock) -> None:
    wire = ScriptedTransport({**API_LOGIN, f"{JOBS_API}/gone": vapi(404, "NOT_FOUND", "No such job.")})
    assert isinstance(raised(lambda: api_over(wire, clock).job("gone")), NotFoundError)
    assert wire.asked == [LOGIN_API, f"{JOBS_API}/gone"]


def test_missing_version_does_not_fall_back_to_rest(clock: FakeClock) -> None:
    wire = ScriptedTransport({**API_LOGIN, **EMPTY_JOBS, "GET /api/appliance/system/version": NO_ROUTE})
    api = api_over(wire, clock)
    assert isinstance(raised(api.version), NotSupportedError)
    assert (api.jobs(), api.family) == ([], "api")


def test_api_with_a_version_but_without_recovery_falls_back_to_rest(clock: FakeClock) -> None:
    version = {"GET /api/appliance/system/version": Reply(200, {"version": "7.0.0.10100"})}
    wire = ScriptedTransport(
        {**API_LOGIN, **EMPTY_JOBS, **version, JOBS_API: NO_ROUTE, LOGIN_REST: Reply(200, {"value": TOKEN})}
    )
    api = api_over(wire, clock)
    api.version()
    assert (api.jobs(), api.family) == ([], "rest")


@pytest.mark.parametrize(
    "first",
    [
        Reply(200, []),
        vapi(400, "FEATURE_IN_USE", "A backup or restore is already in progress."),
        vapi(500, "ERROR", "The list is broken."),
    ],
    ids=lambda reply: f"{reply.status}",
)
def test_confirmed_family_does_not_fall_back_after_a_404(first: Reply, clock: FakeClock) -> None:
    wire = ScriptedTransport({**API_LOGIN, JOBS_API: [first, NO_ROUTE]})
    api = api_over(wire, clock)
    if first.status == 200:
        api.jobs()
    else:
        raised(api.jobs)
    assert isinstance(raised(api.jobs), NotSupportedError)
    assert wire.asked == [LOGIN_API, JOBS_API, JOBS_API]


def test_operation_missing_in_the_release_is_requested_once(clock: FakeClock) -> None:
    details = "GET /rest/appliance/recovery/backup/job/details"
    wire = ScriptedTransport({**REST_LOGIN, **EMPTY_JOBS, details: NO_ROUTE})
    api = api_over(wire, clock)
    assert isinstance(raised(api.job_details), NotSupportedError)
    assert isinstance(raised(api.job_details), NotSupportedError)
    assert wire.asked.count(details) == 1


def test_operation_that_has_succeeded_is_requested_again_after_a_404(clock: FakeClock) -> None:
    details = "GET /rest/appliance/recovery/backup/job/details"
    found = Reply(200, {"value": []})
    api = api_over(ScriptedTransport({**REST_LOGIN, details: [found, NO_ROUTE, found]}), clock)
    assert api.job_details() == {}
    assert isinstance(raised(api.job_details), NotSupportedError)
    assert api.job_details() == {}


def test_operation_is_requested_again_after_a_404_of_a_proxy(clock: FakeClock) -> None:
    details = "GET /rest/appliance/recovery/backup/job/details"
    wire = ScriptedTransport({**REST_LOGIN, details: [html(404), Reply(200, {"value": []})]})
    api = api_over(wire, clock)
    assert isinstance(raised(api.job_details), NotSupportedError)
    assert api.job_details() == {}


# The session


@pytest.mark.parametrize("family", ["rest", "api"])
def test_only_a_login_replaces_an_expired_session(family: str, clock: FakeClock) -> None:
    jobs = {"api": JOBS_API, "rest": JOBS_REST}[family]
    tokens = [Reply(200, {"value": each} if family == "rest" else each) for each in ("first", "second")]
    logout = {"api": LOGOUT_API, "rest": LOGOUT_REST}[family]
    wire = ScriptedTransport(
        {LOGIN_OF[family]: tokens, jobs: [UNAUTHENTICATED, EMPTY_JOBS[jobs]], logout: UNAUTHENTICATED}
    )
    api = api_over(wire, clock, family=family)
    for _ in range(3):
        assert isinstance(raised(api.jobs), SessionExpiredError)
    assert wire.asked == [LOGIN_OF[family], jobs]
    api.log_in()
    assert api.jobs() == []
    assert wire.asked == [LOGIN_OF[family], jobs, logout, LOGIN_OF[family], jobs]
    logout_request, _, asked = wire.requests[-3:]
    assert [each.headers["vmware-api-session-id"] for each in (logout_request, asked)] == ["first", "second"]


def test_new_session_that_gets_a_401_at_once_is_not_expired(clock: FakeClock) -> None:
    wire = ScriptedTransport({**API_LOGIN, JOBS_API: UNAUTHENTICATED, LOGOUT_API: Reply(204)})
    api = api_over(wire, clock)
    assert isinstance(raised(api.jobs), SessionExpiredError)
    api.log_in()
    for _ in range(2):
        error = raised(api.jobs)
        assert type(error) is AuthenticationError
        assert (error.facts.operation, error.facts.status, error.facts.cause) == ("list the backup jobs", 401, None)
    api.log_out()
    assert wire.asked == [LOGIN_API, JOBS_API, LOGOUT_API, LOGIN_API, JOBS_API, JOBS_API, LOGOUT_API]


def test_failed_logouts_are_repeated_at_the_end_for_the_latest_sessions_only(
    clock: FakeClock,
) -> None:
    sessions, latest = 50, 4
    wire = ScriptedTransport(
        {
            LOGIN_API: [Reply(201, f"session-{each}") for each in range(sessions)],
            JOBS_API: [UNAUTHENTICATED, Reply(200, [])] * sessions,
            LOGOUT_API: html(503),
        }
    )
    api = api_over(wire, clock)
    for _ in range(sessions - 1):
        api.log_in()
        assert isinstance(raised(api.jobs), SessionExpiredError)
        api.log_in()
        assert api.jobs() == []
    api.log_out()
    logouts = Counter(each.headers[SESSION_HEADER] for each in wire.requests if each.method == "DELETE")
    latest_ids = {f"session-{each}" for each in range(sessions - latest - 1, sessions)}
    assert logouts == {f"session-{each}": 2 if f"session-{each}" in latest_ids else 1 for each in range(sessions)}
    last_logout = [each for each in wire.requests if each.method == "DELETE"][-latest - 2]
    assert last_logout.headers[SESSION_HEADER] == f"session-{sessions - 1}"


def test_late_401_for_an_old_session_does_not_expire_the_new_one(
    clock: FakeClock,
) -> None:
    tokens = [Reply(201, each) for each in ("first", "second")]
    late_response = Reply(401, UNAUTHENTICATED.body)
    replies: dict[str, Any] = {LOGIN_API: tokens, JOBS_API: [UNAUTHENTICATED, Reply(200, [])], LOGOUT_API: Reply(204)}
    parts = f"GET {JOBS_API.removeprefix('GET ').removesuffix('/job')}/parts"
    wire = ScriptedTransport({**replies, parts: [late_response, Reply(200, [])]})
    api = api_over(wire, clock)

    def log_in_again() -> None:
        assert isinstance(raised(api.jobs), SessionExpiredError)
        api.log_in()

    late_response.then = log_in_again
    assert isinstance(raised(api.parts), SessionExpiredError)
    api.log_in()
    assert (api.parts(), api.jobs()) == ([], [])
    assert wire.asked.count(LOGIN_API) == 2


def test_rejected_login_is_never_repeated(clock: FakeClock) -> None:
    logins, refusal = [Reply(201, TOKEN), UNAUTHENTICATED], UNAUTHENTICATED
    wire = ScriptedTransport({**API_LOGIN, LOGIN_API: logins, JOBS_API: refusal, LOGOUT_API: refusal})
    api = api_over(wire, clock)
    for operation in (api.jobs, api.log_in, api.jobs, api.log_in, api.jobs):
        assert isinstance(raised(operation), AuthenticationError)
    assert wire.asked == [LOGIN_API, JOBS_API, LOGOUT_API, LOGIN_API]


def test_new_login_at_a_busy_appliance_is_retryable(clock: FakeClock) -> None:
    wire = ScriptedTransport({**API_LOGIN, LOGIN_API: [Reply(201, TOKEN), html(503)], JOBS_API: UNAUTHENTICATED})
    api = api_over(wire, clock)
    assert isinstance(raised(api.jobs), SessionExpiredError)
    error = raised(api.log_in)
    assert (type(error), error.retryable) == (ServerFaultError, True)


def test_basic_authentication_opens_no_session(clock: FakeClock) -> None:
    wire = ScriptedTransport({JOBS_REST: Reply(200, {"value": []})})
    api = api_over(wire, clock, basic=True)
    assert api.jobs() == api.jobs() == []
    api.log_out()
    assert (api.family, wire.asked) == ("rest", [JOBS_REST, JOBS_REST])


def test_rejected_basic_authentication_is_not_repeated(clock: FakeClock) -> None:
    wire = ScriptedTransport({JOBS_REST: UNAUTHENTICATED})
    error = raised(api_over(wire, clock, basic=True, user="root").jobs)
    assert (type(error), wire.asked) == (AuthenticationError, [JOBS_REST])


@pytest.mark.parametrize(
    ("user", "hint"),
    [
        ("administrator", "such as administrator@vsphere.local"),
        ("administrator@vsphere.local", "Not retrying"),
        ("VSPHERE.LOCAL\\administrator", "Not retrying"),
    ],
)
def test_hint_for_a_rejected_user_depends_on_the_domain(user: str, hint: str, clock: FakeClock) -> None:
    error = raised(api_over(ScriptedTransport({LOGIN_API: UNAUTHENTICATED}), clock, user=user).jobs)
    assert hint in (error.hint or "")


@pytest.mark.parametrize(("login", "logout"), [(API_LOGIN, LOGOUT_API), (REST_LOGIN, LOGOUT_REST)])
def test_logout_ends_the_session_in_its_family_once(login: dict[str, Reply], logout: str, clock: FakeClock) -> None:
    wire = ScriptedTransport({**login, **EMPTY_JOBS})
    api = api_over(wire, clock)
    api.jobs()
    api.log_out()
    api.log_out()
    assert wire.asked.count(logout) == 1
    assert wire.asked[-1] == logout
    logout_request = wire.requests[-1]
    assert logout_request.headers["vmware-api-session-id"] == TOKEN
    assert logout_request.extensions["timeout"]["read"] == 5


def test_logout_without_a_session_sends_nothing(clock: FakeClock) -> None:
    wire = ScriptedTransport({})
    api_over(wire, clock).log_out()
    assert wire.asked == []


@pytest.mark.parametrize("reply", [Reply(error=httpx.ReadTimeout), html(503), UNAUTHENTICATED])
def test_logout_that_fails_raises_nothing(reply: Reply, clock: FakeClock) -> None:
    wire = ScriptedTransport({**API_LOGIN, **EMPTY_JOBS, LOGOUT_API: reply})
    api = api_over(wire, clock)
    api.jobs()
    api.log_out()
    assert wire.asked[-1] == LOGOUT_API


def test_session_is_not_opened_again_after_the_logout(clock: FakeClock) -> None:
    wire = ScriptedTransport({**API_LOGIN, **EMPTY_JOBS})
    api = api_over(wire, clock)
    api.jobs()
    api.log_out()
    assert isinstance(raised(api.jobs), AuthenticationError)
    assert wire.asked == [LOGIN_API, JOBS_API, LOGOUT_API]


def test_session_that_expires_during_the_logout_is_not_opened_again(clock: FakeClock) -> None:
    expired = Reply(401, UNAUTHENTICATED.body)
    wire = ScriptedTransport({**API_LOGIN, JOBS_API: expired})
    api = api_over(wire, clock)
    expired.then = api.log_out
    assert isinstance(raised(api.jobs), AuthenticationError)
    assert wire.asked == [LOGIN_API, JOBS_API, LOGOUT_API]


def test_session_sends_no_cookie(clock: FakeClock) -> None:
    cookie = {"set-cookie": f"vmware-api-session-id={TOKEN};Path=/"}
    wire = ScriptedTransport(
        {LOGIN_API: Reply(201, TOKEN, cookie), JOBS_API: Reply(200, [], cookie), LOGOUT_API: Reply(204)}
    )
    api = api_over(wire, clock)
    assert api.jobs() == api.jobs() == []
    api.log_out()
    assert [request.headers.get("cookie") for request in wire.requests] == [None] * 4


NOT_TOKEN68 = [b'"a;b"', b'"=a"', b'"a=b"', b'"{a}"', b'"a\\\\b"', b'"a%b"', b'"="']
"""Tokens that are not token68 (RFC 9110, section 11.2)."""

INVALID_TOKENS: list[Any] = [
    b"",
    b'""',
    b"null",
    b"<html>",
    b"{}",
    b"12",
    b'"a\\nb"',
    b'"t\xc3\xb6ken"',
    b'"a b"',
    b"[" * 99999,
    b'"' + b"x" * 4097 + b'"',
    *NOT_TOKEN68,
]


@pytest.mark.parametrize("body", INVALID_TOKENS, ids=lambda body: repr(body[:9]))
@pytest.mark.parametrize("family", ["rest", "api"])
def test_login_without_a_usable_session_id_is_unreadable(family: str, body: bytes, clock: FakeClock) -> None:
    content = b'{"value": %s}' % body if family == "rest" and body else body
    wire = ScriptedTransport({LOGIN_OF[family]: Reply(200, content)})
    api = api_over(wire, clock, family=family)
    error = raised(api.jobs)
    opened_no_session = b"<" in body  # any other body may have opened a session, and a retry would open another
    assert (type(error), error.retryable, error.facts.server) == (ApplianceAnswerError, opened_no_session, HOST)
    assert wire.asked == [LOGIN_OF[family]]
    assert api.family is None


@pytest.mark.parametrize("body", [b"", b'{"value": "', b"[]"])
def test_login_in_api_without_a_session_id_opens_no_session_in_rest(body: bytes, clock: FakeClock) -> None:
    wire = ScriptedTransport({**REST_LOGIN, LOGIN_API: Reply(201, body)})
    error = raised(api_over(wire, clock).jobs)
    assert (type(error), error.retryable) == (ApplianceAnswerError, False)
    assert wire.asked == [LOGIN_API]


def test_failed_logout_is_repeated_once(clock: FakeClock) -> None:
    for failure in (Reply(error=httpx.ReadError), html(503), Reply(302, headers={"location": "https://elsewhere/"})):
        wire = ScriptedTransport({**API_LOGIN, **EMPTY_JOBS, LOGOUT_API: [failure, Reply(204)]})
        api = api_over(wire, clock)
        api.jobs()
        api.log_out()
        assert wire.asked[2:] == [LOGOUT_API, LOGOUT_API]


def test_failed_logout_in_api_is_repeated_before_the_next_login(clock: FakeClock) -> None:
    replies = {**API_LOGIN, **EMPTY_JOBS, JOBS_API: NO_ROUTE, LOGIN_REST: Reply(200, {"value": TOKEN})}
    wire = ScriptedTransport(
        {**replies, LOGOUT_API: [Reply(error=httpx.ReadError), Reply(204)], LOGOUT_REST: Reply(200)}
    )
    api = api_over(wire, clock)
    api.jobs()
    api.log_out()
    assert wire.asked[2:] == [LOGOUT_API, LOGOUT_API, LOGIN_REST, JOBS_REST, LOGOUT_REST]


def test_rejected_credentials_are_not_sent_with_the_next_request(clock: FakeClock) -> None:
    wire = ScriptedTransport({JOBS_REST: UNAUTHENTICATED})
    api = api_over(wire, clock, basic=True)
    first, second = raised(api.jobs), raised(api.jobs)
    assert type(first) is type(second) is AuthenticationError
    assert wording.WRONG_LOGIN in first.message
    assert wire.asked == [JOBS_REST]


@pytest.mark.parametrize("kind", ["SERVICE_UNAVAILABLE", "TIMED_OUT"])
def test_unavailable_service_does_not_confirm_the_family(kind: str, clock: FakeClock) -> None:
    refusal = vapi(503 if kind == "SERVICE_UNAVAILABLE" else 504, kind, "Wait.")
    rest = {LOGIN_REST: Reply(200, {"value": TOKEN}), JOBS_REST: Reply(200, {"value": []})}
    wire = ScriptedTransport({**API_LOGIN, **rest, JOBS_API: [refusal, NO_ROUTE]})
    api = api_over(wire, clock)
    raised(api.jobs)
    assert (api.jobs(), api.family) == ([], "rest")


def test_refusal_of_a_busy_appliance_is_certain(clock: FakeClock) -> None:
    create = f"POST {JOBS_API.removeprefix('GET ')}"
    wire = ScriptedTransport(
        {**API_LOGIN, create: vapi(400, "FEATURE_IN_USE", "A backup or restore is already in progress.")}
    )
    error = raised(lambda: api_over(wire, clock).create_job(REQUEST))
    assert (type(error), error.certain) == (BusyError, True)


# Logins without a response


class LosingTransport(httpx.BaseTransport):
    """Report ``event`` of httpcore, then lose the response, except for the first ``responses`` requests."""

    def __init__(self, event: str, responses: int = 0) -> None:
        self._event, self._responses = event, responses
        self.requests = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        request.extensions["trace"](self._event, {})
        if self.requests <= self._responses:
            return httpx.Response(200, json={"value": []}, request=request)
        raise httpx.ReadError("lost", request=request)


SENT, CONNECTED = "http11.send_request_headers.started", "connection.connect_tcp.complete"


@pytest.mark.parametrize("basic", [False, True])
def test_fourth_login_is_not_sent_after_three_without_a_response(basic: bool, clock: FakeClock) -> None:
    transport = LosingTransport(SENT)
    api = api_over(transport, clock, basic=basic)
    errors = [raised(api.jobs) for _ in range(5)]
    assert transport.requests == 3
    assert (type(errors[-1]), errors[-1].facts.server) == (ApplianceUnreachableError, HOST)
    assert not api.is_logging_in
    clock.sleep(301)
    raised(api.jobs)
    assert transport.requests == 4


@pytest.mark.parametrize("basic", [False, True])
def test_login_without_a_connection_does_not_count_as_unanswered(basic: bool, clock: FakeClock) -> None:
    transport = LosingTransport(CONNECTED)
    api = api_over(transport, clock, basic=basic)
    for _ in range(5):
        raised(api.jobs)
    assert transport.requests == 5


def test_accepted_credentials_are_sent_after_any_number_of_lost_responses(clock: FakeClock) -> None:
    transport, state = LosingTransport(SENT, responses=1), CredentialState()
    api = api_over(transport, clock, basic=True, credential_state=state)
    api.jobs()
    for _ in range(5):
        raised(api.jobs)
    assert transport.requests == 6
    state.mark_session_expired(clock.monotonic() + 10)
    assert not state.accepted


def test_logout_with_a_401_is_not_repeated(clock: FakeClock) -> None:
    wire = ScriptedTransport({**API_LOGIN, **EMPTY_JOBS, LOGOUT_API: UNAUTHENTICATED})
    api = api_over(wire, clock)
    api.jobs()
    api.log_out()
    assert wire.asked == [LOGIN_API, JOBS_API, LOGOUT_API]


def test_logout_has_its_own_timeout(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backupctl.api.session.LOGOUT_TIMEOUT_SECONDS", 3.0)  # the default of httpx is five
    wire = ScriptedTransport({**API_LOGIN, **EMPTY_JOBS})
    api = api_over(wire, clock)
    api.jobs()
    api.log_out()
    assert wire.requests[-1].extensions["timeout"] == dict.fromkeys(("connect", "read", "write", "pool"), 3.0)


def test_request_after_the_end_of_the_session_has_an_empty_session_id() -> None:
    request = httpx.Request("GET", f"https://{HOST}/api/x")
    assert next(Session(USER, Secret(PASSWORD)).auth_flow(request)).headers[SESSION_HEADER] == ""


def test_hint_of_a_rejected_login_says_why_there_is_no_retry(clock: FakeClock) -> None:
    error = raised(api_over(ScriptedTransport({LOGIN_API: UNAUTHENTICATED}), clock).jobs)
    assert str(error.hint).startswith("Not retrying, to avoid locking the account. ")
