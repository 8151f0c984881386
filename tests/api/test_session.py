"""Who we are to the appliance: the rule that finds the family, one new login after a 401, a logout at the end.

A login that is refused must never be tried again, as vCenter locks an account after a few.
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
ANSWERS_JOBS = {JOBS_API: Reply(200, []), JOBS_REST: Reply(200, {"value": []})}
LOGIN_OF = {"api": LOGIN_API, "rest": LOGIN_REST}
REQUEST = BackupRequest(parts=("common",), location_type="FTP", location=Location.parse("ftp://h/d"))
STATUS = {"id": "20260301-020000-1", "state": "INPROGRESS", "progress": 0, "messages": []}


def raised(function: Callable[[], object]) -> BackupctlError:
    with pytest.raises(BackupctlError) as caught:
        function()
    return caught.value


# The family


def test_family_before_the_first_request_is_unknown(clock: FakeClock) -> None:
    assert [api_over(ScriptedTransport({}), clock, family=family).family for family in (None, "rest", "api")] == [
        None
    ] * 3


def test_family_of_an_appliance_with_a_session_in_api_is_api(clock: FakeClock) -> None:
    wire = ScriptedTransport({**API_LOGIN, **ANSWERS_JOBS})
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
def test_family_of_an_appliance_without_a_session_in_api_is_rest(first: Reply, clock: FakeClock) -> None:
    wire = ScriptedTransport({**REST_LOGIN, **ANSWERS_JOBS, LOGIN_API: first})
    api = api_over(wire, clock)
    assert api.jobs() == []
    assert (api.family, wire.asked) == ("rest", [LOGIN_API, LOGIN_REST, JOBS_REST])


def test_login_that_api_refuses_is_never_tried_in_rest(clock: FakeClock) -> None:
    wire = ScriptedTransport({**REST_LOGIN, LOGIN_API: UNAUTHENTICATED})
    api = api_over(wire, clock)
    error = raised(api.jobs)
    assert (type(error), error.facts.server, error.facts.status) == (AuthenticationError, HOST, 401)
    assert (api.family, wire.asked) == (None, [LOGIN_API])


@pytest.mark.parametrize("reply", [html(429), html(503), vapi(503, "SERVICE_UNAVAILABLE", "Wait.")])
def test_login_at_a_busy_appliance_is_retryable_and_never_tried_in_rest(reply: Reply, clock: FakeClock) -> None:
    wire = ScriptedTransport({**REST_LOGIN, **ANSWERS_JOBS, LOGIN_API: [reply, Reply(201, TOKEN)]})
    api = api_over(wire, clock)
    assert raised(api.jobs).retryable
    assert wire.asked == [LOGIN_API]
    assert api.jobs() == []
    assert api.family == "api"


def test_login_without_an_answer_is_not_tried_in_rest(clock: FakeClock) -> None:
    wire = ScriptedTransport({**REST_LOGIN, LOGIN_API: Reply(error=httpx.ReadError)})
    api = api_over(wire, clock)
    error = raised(api.jobs)
    assert (type(error), error.retryable, wire.asked) == (ApplianceUnreachableError, True, [LOGIN_API])


@pytest.mark.parametrize("family", ["rest", "api"])
def test_family_that_is_given_is_the_only_one_tried(family: str, clock: FakeClock) -> None:
    wire = ScriptedTransport({LOGIN_OF[family]: NO_ROUTE})
    api = api_over(wire, clock, family=family)
    error = raised(api.jobs)
    assert isinstance(error, NotSupportedError)
    assert (error.facts.server, error.facts.status) == (HOST, 404)
    assert ("--api rest" in str(error.hint)) is (family == "api")
    assert wire.asked == [LOGIN_OF[family]]
    assert api.family is None


def test_family_with_sessions_but_without_recovery_is_left_for_rest(clock: FakeClock) -> None:
    wire = ScriptedTransport(
        {**API_LOGIN, **ANSWERS_JOBS, JOBS_API: NO_ROUTE, LOGIN_REST: Reply(200, {"value": TOKEN})}
    )
    api = api_over(wire, clock)
    assert api.jobs() == []
    assert api.family == "rest"
    assert wire.asked == [LOGIN_API, JOBS_API, LOGOUT_API, LOGIN_REST, JOBS_REST]


def test_family_is_left_even_where_its_session_cannot_be_logged_out(clock: FakeClock) -> None:
    replies = {**API_LOGIN, **ANSWERS_JOBS, JOBS_API: NO_ROUTE, LOGIN_REST: Reply(200, {"value": TOKEN})}
    wire = ScriptedTransport({**replies, LOGOUT_API: Reply(error=httpx.ReadError)})
    api = api_over(wire, clock)
    assert api.jobs() == []
    assert api.family == "rest"


def test_family_left_while_the_run_was_ended_logs_in_nowhere(clock: FakeClock) -> None:
    gone = Reply(404, NO_ROUTE.body)
    wire = ScriptedTransport({**API_LOGIN, JOBS_API: gone})
    api = api_over(wire, clock)
    gone.then = api.log_out
    assert isinstance(raised(api.jobs), AuthenticationError)
    assert wire.asked == [LOGIN_API, JOBS_API, LOGOUT_API]


def test_family_whose_rest_has_no_recovery_either_is_not_asked_for_ever(clock: FakeClock) -> None:
    wire = ScriptedTransport(
        {**API_LOGIN, JOBS_API: NO_ROUTE, LOGIN_REST: Reply(200, {"value": TOKEN}), JOBS_REST: NO_ROUTE}
    )
    assert isinstance(raised(api_over(wire, clock).jobs), NotSupportedError)
    assert wire.asked == [LOGIN_API, JOBS_API, LOGOUT_API, LOGIN_REST, JOBS_REST]


def test_family_is_not_left_for_a_job_that_is_not_found(clock: FakeClock) -> None:
    wire = ScriptedTransport({**API_LOGIN, f"{JOBS_API}/gone": vapi(404, "NOT_FOUND", "No such job.")})
    assert isinstance(raised(lambda: api_over(wire, clock).job("gone")), NotFoundError)
    assert wire.asked == [LOGIN_API, f"{JOBS_API}/gone"]


def test_family_is_not_left_for_a_missing_version(clock: FakeClock) -> None:
    wire = ScriptedTransport({**API_LOGIN, **ANSWERS_JOBS, "GET /api/appliance/system/version": NO_ROUTE})
    api = api_over(wire, clock)
    assert isinstance(raised(api.version), NotSupportedError)
    assert (api.jobs(), api.family) == ([], "api")


def test_family_with_a_version_but_without_recovery_is_left_all_the_same(clock: FakeClock) -> None:
    version = {"GET /api/appliance/system/version": Reply(200, {"version": "7.0.0.10100"})}
    wire = ScriptedTransport(
        {**API_LOGIN, **ANSWERS_JOBS, **version, JOBS_API: NO_ROUTE, LOGIN_REST: Reply(200, {"value": TOKEN})}
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
def test_family_once_proved_is_not_left_for_a_later_404(first: Reply, clock: FakeClock) -> None:
    wire = ScriptedTransport({**API_LOGIN, JOBS_API: [first, NO_ROUTE]})
    api = api_over(wire, clock)
    if first.status == 200:
        api.jobs()
    else:
        raised(api.jobs)
    assert isinstance(raised(api.jobs), NotSupportedError)
    assert wire.asked == [LOGIN_API, JOBS_API, JOBS_API]


def test_operation_that_the_release_lacks_is_asked_for_once(clock: FakeClock) -> None:
    details = "GET /rest/appliance/recovery/backup/job/details"
    wire = ScriptedTransport({**REST_LOGIN, **ANSWERS_JOBS, details: NO_ROUTE})
    api = api_over(wire, clock)
    assert isinstance(raised(api.job_details), NotSupportedError)
    assert isinstance(raised(api.job_details), NotSupportedError)
    assert wire.asked.count(details) == 1


def test_operation_that_was_there_before_a_reboot_is_asked_for_again(clock: FakeClock) -> None:
    details = "GET /rest/appliance/recovery/backup/job/details"
    there = Reply(200, {"value": []})
    api = api_over(ScriptedTransport({**REST_LOGIN, details: [there, NO_ROUTE, there]}), clock)
    assert api.job_details() == {}
    assert isinstance(raised(api.job_details), NotSupportedError)
    assert api.job_details() == {}


def test_operation_that_a_proxy_does_not_know_is_asked_for_again(clock: FakeClock) -> None:
    details = "GET /rest/appliance/recovery/backup/job/details"
    wire = ScriptedTransport({**REST_LOGIN, details: [html(404), Reply(200, {"value": []})]})
    api = api_over(wire, clock)
    assert isinstance(raised(api.job_details), NotSupportedError)
    assert api.job_details() == {}


# The session


@pytest.mark.parametrize("family", ["rest", "api"])
def test_session_that_expired_is_opened_again_by_a_login_and_by_nothing_else(family: str, clock: FakeClock) -> None:
    jobs = {"api": JOBS_API, "rest": JOBS_REST}[family]
    tokens = [Reply(200, {"value": each} if family == "rest" else each) for each in ("first", "second")]
    logout = {"api": LOGOUT_API, "rest": LOGOUT_REST}[family]
    wire = ScriptedTransport(
        {LOGIN_OF[family]: tokens, jobs: [UNAUTHENTICATED, ANSWERS_JOBS[jobs]], logout: UNAUTHENTICATED}
    )
    api = api_over(wire, clock, family=family)
    for _ in range(3):
        assert isinstance(raised(api.jobs), SessionExpiredError)
    assert wire.asked == [LOGIN_OF[family], jobs]
    api.log_in()
    assert api.jobs() == []
    assert wire.asked == [LOGIN_OF[family], jobs, logout, LOGIN_OF[family], jobs]
    ended, _, asked = wire.requests[-3:]
    assert [each.headers["vmware-api-session-id"] for each in (ended, asked)] == ["first", "second"]


def test_session_that_is_refused_right_behind_its_renewal_stays_and_is_logged_out(clock: FakeClock) -> None:
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


def test_sessions_that_cannot_be_ended_are_tried_once_each_and_the_last_ones_again_at_the_end(
    clock: FakeClock,
) -> None:
    number, latest = 50, 4
    wire = ScriptedTransport(
        {
            LOGIN_API: [Reply(201, f"session-{each}") for each in range(number)],
            JOBS_API: [UNAUTHENTICATED, Reply(200, [])] * number,
            LOGOUT_API: html(503),
        }
    )
    api = api_over(wire, clock)
    for _ in range(number - 1):
        api.log_in()
        assert isinstance(raised(api.jobs), SessionExpiredError)
        api.log_in()
        assert api.jobs() == []
    api.log_out()
    tried = Counter(each.headers[SESSION_HEADER] for each in wire.requests if each.method == "DELETE")
    last = {f"session-{each}" for each in range(number - latest - 1, number)}
    assert tried == {f"session-{each}": 2 if f"session-{each}" in last else 1 for each in range(number)}
    first_at_the_end = [each for each in wire.requests if each.method == "DELETE"][-latest - 2]
    assert first_at_the_end.headers[SESSION_HEADER] == f"session-{number - 1}"


def test_session_that_was_renewed_meanwhile_is_not_given_up_for_a_late_answer_about_the_old_one(
    clock: FakeClock,
) -> None:
    tokens = [Reply(201, each) for each in ("first", "second")]
    late = Reply(401, UNAUTHENTICATED.body)
    replies: dict[str, Any] = {LOGIN_API: tokens, JOBS_API: [UNAUTHENTICATED, Reply(200, [])], LOGOUT_API: Reply(204)}
    parts = f"GET {JOBS_API.removeprefix('GET ').removesuffix('/job')}/parts"
    wire = ScriptedTransport({**replies, parts: [late, Reply(200, [])]})
    api = api_over(wire, clock)

    def renew() -> None:
        assert isinstance(raised(api.jobs), SessionExpiredError)
        api.log_in()

    late.then = renew
    assert isinstance(raised(api.parts), SessionExpiredError)
    api.log_in()
    assert (api.parts(), api.jobs()) == ([], [])
    assert wire.asked.count(LOGIN_API) == 2


def test_login_that_is_refused_is_never_sent_again_by_anybody(clock: FakeClock) -> None:
    logins, refused = [Reply(201, TOKEN), UNAUTHENTICATED], UNAUTHENTICATED
    wire = ScriptedTransport({**API_LOGIN, LOGIN_API: logins, JOBS_API: refused, LOGOUT_API: refused})
    api = api_over(wire, clock)
    for operation in (api.jobs, api.log_in, api.jobs, api.log_in, api.jobs):
        assert isinstance(raised(operation), AuthenticationError)
    assert wire.asked == [LOGIN_API, JOBS_API, LOGOUT_API, LOGIN_API]


def test_new_login_at_a_busy_appliance_is_a_fault_of_the_server_that_may_pass(clock: FakeClock) -> None:
    wire = ScriptedTransport({**API_LOGIN, LOGIN_API: [Reply(201, TOKEN), html(503)], JOBS_API: UNAUTHENTICATED})
    api = api_over(wire, clock)
    assert isinstance(raised(api.jobs), SessionExpiredError)
    error = raised(api.log_in)
    assert (type(error), error.retryable) == (ServerFaultError, True)


def test_session_of_basic_authentication_asks_for_none(clock: FakeClock) -> None:
    wire = ScriptedTransport({JOBS_REST: Reply(200, {"value": []})})
    api = api_over(wire, clock, basic=True)
    assert api.jobs() == api.jobs() == []
    api.log_out()
    assert (api.family, wire.asked) == ("rest", [JOBS_REST, JOBS_REST])


def test_basic_authentication_that_is_refused_is_not_repeated(clock: FakeClock) -> None:
    wire = ScriptedTransport({JOBS_REST: UNAUTHENTICATED})
    error = raised(api_over(wire, clock, basic=True, user="root").jobs)
    assert (type(error), wire.asked) == (AuthenticationError, [JOBS_REST])


@pytest.mark.parametrize(
    ("user", "hint"),
    [
        ("administrator", "administrator@vsphere.local?"),
        ("administrator@vsphere.local", "Not retrying"),
        ("VSPHERE.LOCAL\\administrator", "Not retrying"),
    ],
)
def test_login_refused_for_a_user_without_domain_gets_a_hint(user: str, hint: str, clock: FakeClock) -> None:
    error = raised(api_over(ScriptedTransport({LOGIN_API: UNAUTHENTICATED}), clock, user=user).jobs)
    assert hint in (error.hint or "")


@pytest.mark.parametrize(("login", "logout"), [(API_LOGIN, LOGOUT_API), (REST_LOGIN, LOGOUT_REST)])
def test_logout_ends_the_session_of_its_family_once(login: dict[str, Reply], logout: str, clock: FakeClock) -> None:
    wire = ScriptedTransport({**login, **ANSWERS_JOBS})
    api = api_over(wire, clock)
    api.jobs()
    api.log_out()
    api.log_out()
    assert wire.asked.count(logout) == 1
    assert wire.asked[-1] == logout
    ended = wire.requests[-1]
    assert ended.headers["vmware-api-session-id"] == TOKEN
    assert ended.extensions["timeout"]["read"] == 5


def test_logout_without_a_session_sends_nothing(clock: FakeClock) -> None:
    wire = ScriptedTransport({})
    api_over(wire, clock).log_out()
    assert wire.asked == []


@pytest.mark.parametrize("reply", [Reply(error=httpx.ReadTimeout), html(503), UNAUTHENTICATED])
def test_logout_that_fails_raises_nothing(reply: Reply, clock: FakeClock) -> None:
    wire = ScriptedTransport({**API_LOGIN, **ANSWERS_JOBS, LOGOUT_API: reply})
    api = api_over(wire, clock)
    api.jobs()
    api.log_out()
    assert wire.asked[-1] == LOGOUT_API


def test_session_that_was_logged_out_is_never_opened_again(clock: FakeClock) -> None:
    wire = ScriptedTransport({**API_LOGIN, **ANSWERS_JOBS})
    api = api_over(wire, clock)
    api.jobs()
    api.log_out()
    assert isinstance(raised(api.jobs), AuthenticationError)
    assert wire.asked == [LOGIN_API, JOBS_API, LOGOUT_API]


def test_session_that_expires_while_logging_out_is_not_opened_again(clock: FakeClock) -> None:
    expired = Reply(401, UNAUTHENTICATED.body)
    wire = ScriptedTransport({**API_LOGIN, JOBS_API: expired})
    api = api_over(wire, clock)
    expired.then = api.log_out
    assert isinstance(raised(api.jobs), AuthenticationError)
    assert wire.asked == [LOGIN_API, JOBS_API, LOGOUT_API]


def test_session_keeps_no_cookie(clock: FakeClock) -> None:
    cookie = {"set-cookie": f"vmware-api-session-id={TOKEN};Path=/"}
    wire = ScriptedTransport(
        {LOGIN_API: Reply(201, TOKEN, cookie), JOBS_API: Reply(200, [], cookie), LOGOUT_API: Reply(204)}
    )
    api = api_over(wire, clock)
    assert api.jobs() == api.jobs() == []
    api.log_out()
    assert [request.headers.get("cookie") for request in wire.requests] == [None] * 4


NO_TOKEN68 = [b'"a;b"', b'"=a"', b'"a=b"', b'"{a}"', b'"a\\\\b"', b'"a%b"', b'"="']
"""What no scheme of authentication writes (RFC 9110, section 11.2)."""

ODD_TOKENS: list[Any] = [
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
    *NO_TOKEN68,
]


@pytest.mark.parametrize("body", ODD_TOKENS, ids=lambda body: repr(body[:9]))
@pytest.mark.parametrize("family", ["rest", "api"])
def test_login_without_a_usable_session_id_is_unreadable(family: str, body: bytes, clock: FakeClock) -> None:
    content = b'{"value": %s}' % body if family == "rest" and body else body
    wire = ScriptedTransport({LOGIN_OF[family]: Reply(200, content)})
    api = api_over(wire, clock, family=family)
    error = raised(api.jobs)
    opened_none = b"<" in body  # anything but an error page may have opened a session, and another login opens another
    assert (type(error), error.retryable, error.facts.server) == (ApplianceAnswerError, opened_none, HOST)
    assert wire.asked == [LOGIN_OF[family]]
    assert api.family is None


@pytest.mark.parametrize("body", [b"", b'{"value": "', b"[]"])
def test_login_in_api_whose_session_id_is_lost_opens_no_second_session_in_rest(body: bytes, clock: FakeClock) -> None:
    wire = ScriptedTransport({**REST_LOGIN, LOGIN_API: Reply(201, body)})
    error = raised(api_over(wire, clock).jobs)
    assert (type(error), error.retryable) == (ApplianceAnswerError, False)
    assert wire.asked == [LOGIN_API]


def test_logout_that_is_lost_is_tried_once_more(clock: FakeClock) -> None:
    for lost in (Reply(error=httpx.ReadError), html(503), Reply(302, headers={"location": "https://elsewhere/"})):
        wire = ScriptedTransport({**API_LOGIN, **ANSWERS_JOBS, LOGOUT_API: [lost, Reply(204)]})
        api = api_over(wire, clock)
        api.jobs()
        api.log_out()
        assert wire.asked[2:] == [LOGOUT_API, LOGOUT_API]


def test_logout_in_api_that_was_lost_is_tried_again_before_the_next_login(clock: FakeClock) -> None:
    replies = {**API_LOGIN, **ANSWERS_JOBS, JOBS_API: NO_ROUTE, LOGIN_REST: Reply(200, {"value": TOKEN})}
    wire = ScriptedTransport(
        {**replies, LOGOUT_API: [Reply(error=httpx.ReadError), Reply(204)], LOGOUT_REST: Reply(200)}
    )
    api = api_over(wire, clock)
    api.jobs()
    api.log_out()
    assert wire.asked[2:] == [LOGOUT_API, LOGOUT_API, LOGIN_REST, JOBS_REST, LOGOUT_REST]


def test_credentials_that_were_refused_with_a_request_are_not_sent_with_the_next(clock: FakeClock) -> None:
    wire = ScriptedTransport({JOBS_REST: UNAUTHENTICATED})
    api = api_over(wire, clock, basic=True)
    first, second = raised(api.jobs), raised(api.jobs)
    assert type(first) is type(second) is AuthenticationError
    assert "wrong user name or password" in first.message
    assert wire.asked == [JOBS_REST]


@pytest.mark.parametrize("kind", ["SERVICE_UNAVAILABLE", "TIMED_OUT"])
def test_family_is_not_proved_by_a_service_that_is_not_there(kind: str, clock: FakeClock) -> None:
    refused = vapi(503 if kind == "SERVICE_UNAVAILABLE" else 504, kind, "Wait.")
    rest = {LOGIN_REST: Reply(200, {"value": TOKEN}), JOBS_REST: Reply(200, {"value": []})}
    wire = ScriptedTransport({**API_LOGIN, **rest, JOBS_API: [refused, NO_ROUTE]})
    api = api_over(wire, clock)
    raised(api.jobs)
    assert (api.jobs(), api.family) == ([], "rest")


def test_refusal_of_a_busy_appliance_passes_through_the_session(clock: FakeClock) -> None:
    create = f"POST {JOBS_API.removeprefix('GET ')}"
    wire = ScriptedTransport(
        {**API_LOGIN, create: vapi(400, "FEATURE_IN_USE", "A backup or restore is already in progress.")}
    )
    error = raised(lambda: api_over(wire, clock).create_job(REQUEST))
    assert (type(error), error.certain) == (BusyError, True)


# What a login may cost


class LostLine(httpx.BaseTransport):
    """Loses each answer behind the ``reached`` step of a request; the first ``answered`` ones come."""

    def __init__(self, reached: str, answered: int = 0) -> None:
        self._reached, self._answered = reached, answered
        self.requests = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        request.extensions["trace"](self._reached, {})
        if self.requests <= self._answered:
            return httpx.Response(200, json={"value": []}, request=request)
        raise httpx.ReadError("lost", request=request)


SENT, CONNECTED = "http11.send_request_headers.started", "connection.connect_tcp.complete"


@pytest.mark.parametrize("basic", [False, True])
def test_fourth_login_without_an_answer_is_not_sent(basic: bool, clock: FakeClock) -> None:
    line = LostLine(SENT)
    api = api_over(line, clock, basic=basic)
    errors = [raised(api.jobs) for _ in range(5)]
    assert line.requests == 3
    assert (type(errors[-1]), errors[-1].facts.server) == (ApplianceUnreachableError, HOST)
    assert not api.is_logging_in
    clock.sleep(301)
    raised(api.jobs)
    assert line.requests == 4


@pytest.mark.parametrize("basic", [False, True])
def test_login_that_never_left_is_tried_again_and_again(basic: bool, clock: FakeClock) -> None:
    line = LostLine(CONNECTED)
    api = api_over(line, clock, basic=basic)
    for _ in range(5):
        raised(api.jobs)
    assert line.requests == 5


def test_password_that_was_accepted_with_a_request_is_sent_however_many_answers_are_lost(clock: FakeClock) -> None:
    line, state = LostLine(SENT, answered=1), CredentialState()
    api = api_over(line, clock, basic=True, credential_state=state)
    api.jobs()
    for _ in range(5):
        raised(api.jobs)
    assert line.requests == 6
    state.mark_session_expired(clock.monotonic() + 10)
    assert not state.accepted


def test_logout_that_is_answered_with_401_is_not_repeated(clock: FakeClock) -> None:
    wire = ScriptedTransport({**API_LOGIN, **ANSWERS_JOBS, LOGOUT_API: UNAUTHENTICATED})
    api = api_over(wire, clock)
    api.jobs()
    api.log_out()
    assert wire.asked == [LOGIN_API, JOBS_API, LOGOUT_API]


def test_logout_is_bounded_by_a_time_of_its_own(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backupctl.api.session.LOGOUT_TIMEOUT_SECONDS", 3.0)  # httpx itself waits for five
    wire = ScriptedTransport({**API_LOGIN, **ANSWERS_JOBS})
    api = api_over(wire, clock)
    api.jobs()
    api.log_out()
    assert wire.requests[-1].extensions["timeout"] == dict.fromkeys(("connect", "read", "write", "pool"), 3.0)


def test_request_behind_the_end_of_its_session_goes_without_one() -> None:
    request = httpx.Request("GET", f"https://{HOST}/api/x")
    assert next(Session(USER, Secret(PASSWORD)).auth_flow(request)).headers[SESSION_HEADER] == ""


def test_hint_of_a_refused_login_says_why_it_is_not_repeated(clock: FakeClock) -> None:
    error = raised(api_over(ScriptedTransport({LOGIN_API: UNAUTHENTICATED}), clock).jobs)
    assert str(error.hint).startswith("Not retrying, to avoid locking the account. ")
