"""The session: log in, add its header to each request, know when it has expired, log out.

Log in is ``POST /api/session`` (7.0U2 and later, answers a bare string) or ``POST /rest/com/vmware/cis/session``
(answers ``{"value": token}``), both with HTTP basic. Later requests carry the header ``vmware-api-session-id``; no
cookie is kept, because the appliance does not look at the header of a request that has one. Source: the vSphere
Automation API reference, ``cis.session`` (https://developer.broadcom.com/xapis/vsphere-automation-api/latest/cis/session/).
"""

import contextlib
import re
import threading
from collections import deque
from collections.abc import Callable, Generator, Mapping
from typing import Final

import httpx
import msgspec

from backupctl.api.credential_state import CredentialState
from backupctl.api.decoding import DECODE_ERRORS
from backupctl.api.endpoint import Family
from backupctl.api.error_mapping import NOT_IN_API_HINT, OperationInfo, raise_for_status, unreadable
from backupctl.api.extensions import SECRET_RESPONSE
from backupctl.api.transport import timeout_for
from backupctl.clock import Clock, SystemClock
from backupctl.error_facts import ErrorFacts
from backupctl.errors import (
    ApplianceAnswerError,
    ApplianceUnreachableError,
    AuthenticationError,
    BackupctlError,
    NotSupportedError,
)
from backupctl.secrets.redaction import Redactor
from backupctl.secrets.secret import Secret

SESSION_HEADER: Final = "vmware-api-session-id"
MAX_UNANSWERED_LOGINS: Final = 3
UNANSWERED_WINDOW_SECONDS: Final = 300.0
"""After so many logins without an answer, within so long, no other is sent: vCenter locks an account after five
failures in three minutes by default, and cannot be asked whether a lost answer was one.
"""
MAX_FAILED_LOGOUTS: Final = 4
"""How many sessions that could not be ended before the next login are tried once more at the end, the latest ones."""
LOGOUT_TIMEOUT_SECONDS: Final = 5.0
"""What a logout may take; the appliance ends a session that is not logged out by itself after some time."""

_OPERATION: Final = "log in"
_PATHS: Final = {Family.API: "/api/session", Family.REST: "/rest/com/vmware/cis/session"}

_TOKEN68: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""What can be a session id (RFC 9110, section 11.2); a real one is 32 hexadecimal digits."""

MAX_TOKEN_LENGTH: Final = 4096

_NO_RETRY: Final = "Not retrying, to avoid locking the account."
_OTHER_CAUSES: Final = (
    "A password does not work for federated users and users with MFA; if the STS signing certificate has expired, all"
    " logins fail (KB 316619)."
)

AuthFlow = Generator[httpx.Request, httpx.Response, None]


class _RestToken(msgspec.Struct):
    value: str


class Session(httpx.Auth):
    """Who we are to one appliance, and the family of the API that it speaks with us.

    With ``basic`` there is no session: each request carries the credentials, as port 5480 wants it for local users.
    A refused login (401) is final: vCenter locks an account after a few, so it is never tried again, nor in the other
    family. ``account`` holds what other appliances say of the same user and password, each by its ``name`` in the
    results of the run, if that is not its host with the port. ``headers`` are those of every request, the logins among
    them. ``known`` takes note of what leaves us, and of what we are given for it.
    """

    requires_response_body = True

    def __init__(
        self,
        user: str,
        password: Secret,
        *,
        name: str | None = None,
        family: Family | None = None,
        basic: bool = False,
        credential_state: CredentialState | None = None,
        headers: Mapping[str, str] | None = None,
        known: Redactor | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._unanswered_logins: list[float] = []
        self.known = known or Redactor()
        self.known.add(password, Secret(f"{user}:{password.reveal()}"))
        self._user = user
        self._name = name
        self._headers = dict(headers or {})
        self._login = httpx.BasicAuth(user.encode(), password.reveal().encode())
        self.basic = basic
        self._token: str | None = None
        self._is_renewed = False
        self._pending_logouts: list[tuple[Family, str]] = []
        self._failed_logouts: deque[tuple[Family, str]] = deque(maxlen=MAX_FAILED_LOGOUTS)
        self._rejection: AuthenticationError | None = None
        self._closed = False
        self.has_expired = False
        """Whether the appliance no longer knows the session; nothing but ``open`` logs in again then."""
        self._lock = threading.Lock()
        self.credential_state = credential_state or CredentialState()
        self.is_logging_in = False
        """Whether the password is on its way to the appliance, or there, and not answered yet."""
        # Basic is for port 5480, where only /rest is known to answer.
        self.family = Family.REST if basic and family is None else family
        self.family_is_certain = self.family is not None
        self.has_logged_in = basic
        self.last_transport_error: BackupctlError | None = None
        """Why the last answer was lost that was."""

    def open(self, send: Callable[[httpx.Request], httpx.Response], base: httpx.URL) -> Family:
        """Log in if need be, behind the end of an earlier session, and return the family; ``send`` sends a request.

        Without a given family, ``/api`` is tried first and ``/rest`` where there is no such session. Raises
        AuthenticationError for a refused login, ApplianceAnswerError for an answer that cannot be used.
        """
        with self._lock:
            if self.family is not None and (self.basic or self._token is not None):
                return self.family
            while self._pending_logouts:
                left = self._pending_logouts.pop()
                if not self._delete_session(send, base, *left):
                    self._failed_logouts.append(left)
            with contextlib.closing(self._log_in(base)) as flow:
                request = next(flow)
                while True:
                    try:
                        request = flow.send(send(request))
                    except StopIteration:
                        break
            assert self.family is not None  # noqa: S101 - set by every login that ended without an error
            return self.family

    def fall_back_to_rest(self, send: Callable[[httpx.Request], httpx.Response], base: httpx.URL) -> None:
        """Leave ``/api``, whose sessions exist here but whose recovery operations do not, for ``/rest``.

        A session that cannot be logged out is no reason to stay: its logout is tried again at the next login.
        """
        with self._lock:
            token, self._token = self._token, None
            if token is not None and not self._delete_session(send, base, Family.API, token):
                self._pending_logouts.append((Family.API, token))
            self.family, self.family_is_certain = Family.REST, True

    def log_out(self, send: Callable[[httpx.Request], httpx.Response], base: httpx.URL) -> None:
        """End the session on the appliance; nothing is logged in again afterwards.

        It is tried twice, as the connection may have been closed while nothing was asked; what goes wrong with it is of
        no consequence to anybody. Earlier sessions that could not be ended are tried once more.
        """
        self._closed = True
        with self._lock:
            token, self._token = self._token, None
            if token is not None and self.family is not None:
                self._pending_logouts.append((self.family, token))
            while self._pending_logouts:
                left = self._pending_logouts.pop()
                self._delete_session(send, base, *left) or self._delete_session(send, base, *left)
            while self._failed_logouts:
                self._delete_session(send, base, *self._failed_logouts.pop())

    def _delete_session(
        self, send: Callable[[httpx.Request], httpx.Response], base: httpx.URL, family: Family, token: str
    ) -> bool:
        """Ask to end a session and return whether it has ended."""
        timeouts = {"timeout": httpx.Timeout(LOGOUT_TIMEOUT_SECONDS).as_dict()}
        headers = {**self._headers, SESSION_HEADER: token}
        try:
            response = send(httpx.Request("DELETE", base.join(_PATHS[family]), headers=headers, extensions=timeouts))
        except BackupctlError:
            return False
        return response.is_success or response.status_code == 401

    def auth_flow(self, request: httpx.Request) -> AuthFlow:
        """Add what authenticates the request."""
        if self.basic:
            yield from self._basic_auth_flow(request)
            return
        request.headers[SESSION_HEADER] = self._token or ""
        response = yield request
        if response.status_code != 401 and request.headers[SESSION_HEADER] == self._token:
            self._is_renewed = False

    def mark_expired(self, request: httpx.Request) -> bool:
        """Take note that a request was answered with 401, and return whether its session may have expired.

        One that was opened instead of an expired one, and refused at once, has not: what was asked for is refused.
        Nobody logs in again here: were the password changed and did many sessions expire at once, each of them would be
        one more failed login. When that may be done is for those to say who see them all.
        """
        with self._lock:
            used = request.headers[SESSION_HEADER]
            if self.family is None or used != self._token:
                return True
            if not self._is_renewed:
                self._pending_logouts.append((self.family, used))
                self._token, self.has_expired = None, True
                self.credential_state.mark_session_expired(self._clock.monotonic())
            return self.has_expired

    def _log_in(self, base: httpx.URL) -> AuthFlow:
        if self._closed:
            raise AuthenticationError("the session was logged out")
        if self._rejection is not None:
            raise self._rejection
        self.credential_state.check_not_rejected(self._server_name(base))
        self._check_unanswered(base.host)
        self._token = None
        first: httpx.Response | None = None
        if self.family is None:
            first = yield from self._track_login(self._login_request(base, Family.API))
            token = _token(first, Family.API)
            if token is not None:
                self._start(Family.API, token)
                return
            if first.status_code == 201:
                raise _missing_session_id(first)
            if first.status_code in {401, 429, 503}:
                self._raise_login_error(first)
        family = self.family or Family.REST
        response = yield from self._track_login(self._login_request(base, family))
        if response.status_code == 404 and first is not None and first.is_server_error:
            self._raise_login_error(first)  # it tells more than that /rest has no login
        self._raise_login_error(response)
        token = _token(response, family)
        if token is None:
            raise _missing_session_id(response)
        if self.family is None:
            self.family_is_certain = True
        self._start(family, token)

    def _start(self, family: Family, token: str) -> None:
        self._is_renewed = self.has_expired
        self.family, self._token, self.has_logged_in, self.has_expired = family, token, True, False
        self.known.add(Secret(token))
        self.credential_state.mark_accepted(self._clock.monotonic())

    def _basic_auth_flow(self, request: httpx.Request) -> AuthFlow:
        """Send the credentials with a request, unless they were refused before."""
        if self._rejection is not None:
            raise self._rejection
        self.credential_state.check_not_rejected(self._server_name(request.url))
        if not self.credential_state.accepted:
            self._check_unanswered(request.url.host)
        response = yield from self._track_login(next(self._login.auth_flow(request)))
        if response.status_code == 401:
            self._raise_login_error(response)
        self.credential_state.mark_accepted(self._clock.monotonic())

    def _track_login(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, httpx.Response]:
        """Send a request with the password, and note from when to when its outcome is unknown.

        Before there is a connection nobody has seen the password, so a dead host is no reason to wait for it.
        """
        request.extensions["trace"] = self._trace
        answered = False
        try:
            response = yield request
            answered = True
            return response
        finally:
            if self.is_logging_in and not answered:
                self._unanswered_logins.append(self._clock.monotonic())
            self.is_logging_in = False

    def _check_unanswered(self, host: str) -> None:
        """Raise where one more login might lock the account, were the password wrong all the time."""
        now = self._clock.monotonic()
        self._unanswered_logins = [
            moment for moment in self._unanswered_logins if now - moment < UNANSWERED_WINDOW_SECONDS
        ]
        if len(self._unanswered_logins) >= MAX_UNANSWERED_LOGINS:
            raise ApplianceUnreachableError(
                f"$server gave no answer to {len(self._unanswered_logins)} logins: no other is sent for now",
                server=host,
                operation=_OPERATION,
                hint="each may count as a failed one, and vCenter locks an account after a few",
                details=[ErrorFacts("the last one: $cause", cause=self.last_transport_error.facts)]
                if self.last_transport_error
                else [],
            )

    def _trace(self, name: str, _info: object) -> None:
        """Hear from httpcore what it does (https://www.python-httpx.org/advanced/extensions/#trace)."""
        if name == "http11.send_request_headers.started":
            self.is_logging_in = True

    def _login_request(self, base: httpx.URL, family: Family) -> httpx.Request:
        request = httpx.Request(
            "POST",
            base.join(_PATHS[family]),
            headers={**self._headers, "vmware-use-header-authn": "backupctl", "content-length": "0"},
            extensions={"timeout": timeout_for("GET").as_dict(), SECRET_RESPONSE: True},
        )
        return next(self._login.auth_flow(request))

    def _raise_login_error(self, response: httpx.Response) -> None:
        try:
            raise_for_status(response, OperationInfo(_OPERATION))
        except NotSupportedError as error:
            sentence = "$server offers no vCenter login ($status)"
            hint = "is this host a vCenter Server appliance, and is this its HTTPS port?"
            if self.family is Family.API:
                sentence, hint = f"{sentence} in /api", NOT_IN_API_HINT
            raise error.with_facts(message=sentence, hint=hint) from error
        except AuthenticationError as error:
            self._rejection = error.with_facts(hint=error.hint or self._rejection_hint())
            self.credential_state.mark_rejected(self._server_name(response.request.url))
            raise self._rejection from error

    def _server_name(self, url: httpx.URL) -> str:
        return self._name or url.netloc.decode("ascii")

    def _rejection_hint(self) -> str:
        """Return what else a refused login may mean, and why it is not tried again."""
        causes = "The account may also be locked, or its password expired."
        if self.basic:
            return f"{_NO_RETRY} {causes}"
        if "@" not in self._user and "\\" not in self._user:
            return f"a vCenter user is written with its domain: {self._user}@vsphere.local?"
        return f"{_NO_RETRY} {causes} {_OTHER_CAUSES}"


def _missing_session_id(response: httpx.Response) -> ApplianceAnswerError:
    """Return the error for a login without a session id; if it may have opened a session, another would be one more."""
    error = unreadable(response, _OPERATION, ValueError("no session id in it"))
    return error.with_facts(retryable=b"<" in response.content[:200])


def _token(response: httpx.Response, family: Family) -> str | None:
    if not response.is_success:
        return None
    try:
        if family is Family.API:
            token = msgspec.json.decode(response.content, type=str)
        else:
            token = msgspec.json.decode(response.content, type=_RestToken).value
    except DECODE_ERRORS:
        return None
    return token if len(token) <= MAX_TOKEN_LENGTH and _TOKEN68.fullmatch(token) else None
