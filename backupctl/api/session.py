"""The session with an appliance: login, the header of each request, expiry and logout.

A login is ``POST /api/session`` (7.0U2 and later, returns a bare string) or ``POST /rest/com/vmware/cis/session``
(returns ``{"value": token}``), both with basic authentication. Later requests carry the header
``vmware-api-session-id``. No cookie is kept, as the appliance ignores that header if there is a cookie. Source: the
vSphere Automation API reference, ``cis.session`` (https://developer.broadcom.com/xapis/vsphere-automation-api/latest/cis/session/).
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
from backupctl.api.transport import RESPONSE_TIMEOUT_SECONDS, request_timeout
from backupctl.api.typed_json import decode_json
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
"""After this many logins without a response, within this time, no other is sent.

vCenter locks an account after five failures in three minutes by default, and a lost response may have been one.
"""
MAX_FAILED_LOGOUTS: Final = 4
"""How many failed logouts are repeated at the end of the run; older ones are dropped."""
LOGIN_TIMEOUT_SECONDS: Final = RESPONSE_TIMEOUT_SECONDS
LOGOUT_TIMEOUT_SECONDS: Final = 5.0
"""Timeout of a logout; the appliance ends an abandoned session by itself after some time."""

_OPERATION: Final = "log in"
_PATHS: Final = {Family.API: "/api/session", Family.REST: "/rest/com/vmware/cis/session"}

_TOKEN68: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""The characters of a session id (token68, RFC 9110, section 11.2); a real one is 32 hexadecimal digits."""

MAX_TOKEN_LENGTH: Final = 4096

_NO_RETRY: Final = "Not retrying, to avoid locking the account."
_OTHER_CAUSES: Final = (
    "A password does not work for federated users and users with MFA; if the STS signing certificate has expired, all"
    " logins fail (KB 316619)."
)

AuthFlow = Generator[httpx.Request, httpx.Response, None]
Send = Callable[[httpx.Request], httpx.Response]


class _RestToken(msgspec.Struct):
    value: str


class Session(httpx.Auth):
    """The session with one appliance, and the family of the API that it supports.

    With ``basic`` there is no session: each request carries the credentials, as port 5480 requires for local users.
    A rejected login (401) is final: vCenter locks an account after a few, so it is not retried in either family.
    ``credential_state`` is shared with the other appliances of the run that have the same user and password; errors
    name an appliance by its ``name``, if it has one. ``headers`` are sent with each login and logout. ``redactor`` gets
    the secrets that are sent, and the session ids.
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
        redactor: Redactor | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._unanswered_logins: list[float] = []
        self.redactor = redactor or Redactor()
        self.redactor.add(password, Secret(f"{user}:{password.reveal()}"))
        self._user = user
        self._name = name
        self._headers = dict(headers or {})
        self._basic_auth = httpx.BasicAuth(user.encode(), password.reveal().encode())
        self.basic = basic
        self._token: str | None = None
        self._opened_after_expiry = False
        self._pending_logouts: list[tuple[Family, str]] = []
        self._failed_logouts: deque[tuple[Family, str]] = deque(maxlen=MAX_FAILED_LOGOUTS)
        self._rejection: AuthenticationError | None = None
        self._closed = False
        self.has_expired = False
        """Whether the appliance has ended the session; only ``open`` logs in again."""
        self._lock = threading.Lock()
        self.credential_state = credential_state or CredentialState()
        self.is_logging_in = False
        """Whether the password was sent and there is no response yet."""
        # Basic authentication is for port 5480, which is known to support only /rest.
        self.family = Family.REST if basic and family is None else family
        self.family_is_certain = self.family is not None
        self.has_logged_in = basic
        self.last_transport_error: BackupctlError | None = None
        """The error of the latest request without a response."""

    def open(self, send: Send, base_url: httpx.URL) -> Family:
        """Log in unless there is a session, and return the family; earlier sessions are logged out first.

        While the family is unknown, ``/api`` is tried first, then ``/rest``.

        Raises AuthenticationError: if the login is rejected. Raises ApplianceAnswerError: for an unusable response.
        """
        with self._lock:
            if self.family is not None and (self.basic or self._token is not None):
                return self.family
            while self._pending_logouts:
                logout = self._pending_logouts.pop()
                if not self._delete_session(send, base_url, *logout):
                    self._failed_logouts.append(logout)
            with contextlib.closing(self._log_in(base_url)) as flow:
                request = next(flow)
                while True:
                    try:
                        request = flow.send(send(request))
                    except StopIteration:
                        break
            assert self.family is not None  # noqa: S101 - set by every successful login
            return self.family

    def fall_back_to_rest(self, send: Send, base_url: httpx.URL) -> None:
        """Switch from ``/api`` to ``/rest``, as this release has sessions in ``/api`` but no recovery operations.

        A failed logout of the session in ``/api`` is repeated at the next login.
        """
        with self._lock:
            token, self._token = self._token, None
            if token is not None and not self._delete_session(send, base_url, Family.API, token):
                self._pending_logouts.append((Family.API, token))
            self.family, self.family_is_certain = Family.REST, True

    def log_out(self, send: Send, base_url: httpx.URL) -> None:
        """End the session on the appliance for good; errors are ignored.

        It is tried twice, as the server may have closed the idle connection. Earlier failed logouts are repeated once.
        """
        self._closed = True
        with self._lock:
            token, self._token = self._token, None
            if token is not None and self.family is not None:
                self._pending_logouts.append((self.family, token))
            while self._pending_logouts:
                logout = self._pending_logouts.pop()
                self._delete_session(send, base_url, *logout) or self._delete_session(send, base_url, *logout)
            while self._failed_logouts:
                self._delete_session(send, base_url, *self._failed_logouts.pop())

    def _delete_session(self, send: Send, base_url: httpx.URL, family: Family, token: str) -> bool:
        """Log out of a session and return whether it has ended."""
        timeouts = {"timeout": httpx.Timeout(LOGOUT_TIMEOUT_SECONDS).as_dict()}
        headers = {**self._headers, SESSION_HEADER: token}
        try:
            response = send(
                httpx.Request("DELETE", base_url.join(_PATHS[family]), headers=headers, extensions=timeouts)
            )
        except BackupctlError:
            return False
        return response.is_success or response.status_code == 401

    def auth_flow(self, request: httpx.Request) -> AuthFlow:
        """Add the session id or the credentials to a request."""
        if self.basic:
            yield from self._basic_auth_flow(request)
            return
        request.headers[SESSION_HEADER] = self._token or ""
        response = yield request
        if response.status_code != 401 and request.headers[SESSION_HEADER] == self._token:
            self._opened_after_expiry = False

    def mark_expired(self, request: httpx.Request) -> bool:
        """Record that a request got a 401, and return whether its session may have expired.

        A session that was opened after another had expired and gets a 401 at once has not: the operation is denied.
        There is no new login here: if the password has changed, each of many expired sessions would be one more failed
        login. The scheduler decides when to log in again, as it knows all sessions.
        """
        with self._lock:
            token = request.headers[SESSION_HEADER]
            if self.family is None or token != self._token:
                return True
            if not self._opened_after_expiry:
                self._pending_logouts.append((self.family, token))
                self._token, self.has_expired = None, True
                self.credential_state.mark_session_expired(self._clock.monotonic())
            return self.has_expired

    def _log_in(self, base_url: httpx.URL) -> AuthFlow:
        if self._closed:
            raise AuthenticationError("the session is closed")
        if self._rejection is not None:
            raise self._rejection
        self.credential_state.check_not_rejected(self.server_name(base_url))
        self._check_unanswered_logins(base_url.host)
        self._token = None
        api_response: httpx.Response | None = None
        if self.family is None:
            api_response = yield from self._track_login(self._login_request(base_url, Family.API))
            token = _token(api_response, Family.API)
            if token is not None:
                self._start_session(Family.API, token)
                return
            if api_response.status_code == 201:
                raise _missing_session_id(api_response)
            if api_response.status_code in {401, 429, 503}:
                self._raise_login_error(api_response)
        family = self.family or Family.REST
        response = yield from self._track_login(self._login_request(base_url, family))
        if response.status_code == 404 and api_response is not None and api_response.is_server_error:
            self._raise_login_error(api_response)  # more helpful than a 404 of /rest
        self._raise_login_error(response)
        token = _token(response, family)
        if token is None:
            raise _missing_session_id(response)
        if self.family is None:
            self.family_is_certain = True
        self._start_session(family, token)

    def _start_session(self, family: Family, token: str) -> None:
        self._opened_after_expiry = self.has_expired
        self.family, self._token, self.has_logged_in, self.has_expired = family, token, True, False
        self.redactor.add(Secret(token))
        self.credential_state.mark_accepted(self._clock.monotonic())

    def _basic_auth_flow(self, request: httpx.Request) -> AuthFlow:
        """Send the credentials with a request, unless they were rejected before."""
        if self._rejection is not None:
            raise self._rejection
        self.credential_state.check_not_rejected(self.server_name(request.url))
        if not self.credential_state.accepted:
            self._check_unanswered_logins(request.url.host)
        response = yield from self._track_login(next(self._basic_auth.auth_flow(request)))
        if response.status_code == 401:
            self._raise_login_error(response)
        self.credential_state.mark_accepted(self._clock.monotonic())

    def _track_login(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, httpx.Response]:
        """Send a request with the password, and record when its outcome is unknown.

        A host that does not accept connections has not seen the password, so it does not count.
        """
        request.extensions["trace"] = self._on_httpcore_event
        has_response = False
        try:
            response = yield request
            has_response = True
            return response
        finally:
            if self.is_logging_in and not has_response:
                self._unanswered_logins.append(self._clock.monotonic())
            self.is_logging_in = False

    def _check_unanswered_logins(self, host: str) -> None:
        """Raise ApplianceUnreachableError if one more login might lock the account, in case the password is wrong."""
        now = self._clock.monotonic()
        self._unanswered_logins = [sent for sent in self._unanswered_logins if now - sent < UNANSWERED_WINDOW_SECONDS]
        if len(self._unanswered_logins) >= MAX_UNANSWERED_LOGINS:
            raise ApplianceUnreachableError(
                f"$server did not respond to {len(self._unanswered_logins)} logins; not sending another",
                server=host,
                operation=_OPERATION,
                hint="wait a few minutes: each may count as a failed login, and vCenter locks an account after a few",
                details=[ErrorFacts("last login: $cause", cause=self.last_transport_error.facts)]
                if self.last_transport_error
                else [],
            )

    def _on_httpcore_event(self, name: str, _info: object) -> None:
        """Get an event of httpcore (https://www.python-httpx.org/advanced/extensions/#trace)."""
        if name == "http11.send_request_headers.started":
            self.is_logging_in = True

    def _login_request(self, base_url: httpx.URL, family: Family) -> httpx.Request:
        request = httpx.Request(
            "POST",
            base_url.join(_PATHS[family]),
            headers={**self._headers, "vmware-use-header-authn": "backupctl", "content-length": "0"},
            extensions={"timeout": request_timeout(LOGIN_TIMEOUT_SECONDS).as_dict(), SECRET_RESPONSE: True},
        )
        return next(self._basic_auth.auth_flow(request))

    def _raise_login_error(self, response: httpx.Response) -> None:
        try:
            raise_for_status(response, OperationInfo(_OPERATION))
        except ApplianceAnswerError as error:
            is_page = not error.certain and response.is_client_error and response.status_code not in {408, 429}
            if not is_page and not isinstance(error, NotSupportedError):
                raise
            sentence = "$server has no vCenter login ($status)"
            hint = "check that this host is a vCenter Server appliance and this port its HTTPS port"
            if self.family is Family.API:
                sentence, hint = f"{sentence} in /api", NOT_IN_API_HINT
            raise error.with_facts(message=sentence, hint=hint) from error
        except AuthenticationError as error:
            self._rejection = error.with_facts(hint=error.hint or self._rejection_hint())
            self.credential_state.mark_rejected(self.server_name(response.request.url))
            raise self._rejection from error

    def server_name(self, url: httpx.URL) -> str:
        """Return the configured name of the appliance, its address without one."""
        return self._name or url.netloc.decode("ascii")

    def _rejection_hint(self) -> str:
        """Return the other causes of a rejected login, and why there is no retry."""
        causes = "The account may also be locked, or its password expired."
        if self.basic:
            return f"{_NO_RETRY} {causes}"
        if "@" not in self._user and "\\" not in self._user:
            return f"add the domain to the user name, such as {self._user}@vsphere.local"
        return f"{_NO_RETRY} {causes} {_OTHER_CAUSES}"


def _missing_session_id(response: httpx.Response) -> ApplianceAnswerError:
    """Return the error for a login without a session id, retryable only for a page, which has opened no session."""
    error = unreadable(response, _OPERATION, ValueError("no session id"))
    is_page = b"<" in response.content[:200]
    message = "$server has no vCenter login ($status): got a web page" if is_page else error.facts.message
    return error.with_facts(message=message, retryable=is_page)


def _token(response: httpx.Response, family: Family) -> str | None:
    if not response.is_success:
        return None
    try:
        if family is Family.API:
            token = decode_json(response.content, str)
        else:
            token = decode_json(response.content, _RestToken).value
    except DECODE_ERRORS:
        return None
    return token if len(token) <= MAX_TOKEN_LENGTH and _TOKEN68.fullmatch(token) else None
