"""Sessions and accounts: login, expiry, lockout, and the credentials in a request."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http.cookies import CookieError, SimpleCookie

from backupctl.clock import Clock
from backupctl.simulator.api_errors import invalid_request

DEFAULT_USERNAME = "administrator@vsphere.local"
DEFAULT_PASSWORD = "VMware1!"  # noqa: S105 - documented, and of a simulator only

SESSION_HEADER = "vmware-api-session-id"
"""Name of both the header and the cookie with the session (https://developer.broadcom.com/, vSphere Automation API)."""

IDLE_SECONDS = 30 * 60.0
"""A session expires when unused for this long. UNCONFIRMED: VMware documents a limit, but not its value."""

ABSOLUTE_SECONDS = 2 * 86400.0
"""A session expires this long after the login, even when used. UNCONFIRMED, as above."""

FAILURES_UNTIL_LOCKED = 5
FAILURE_WINDOW_SECONDS = 180.0
LOCKED_SECONDS = 300.0
"""Wrong passwords in a row, within a window in seconds, that lock an account, and for how many seconds.

Source: the page on passwords and lockout behavior in VMware's vSphere Security guide
(https://vmw-docs.broadcom.com/en/VMware-vSphere/8.0/vsphere-security/GUID-4BDBF79A-6C16-43B0-B0B1-637BF5516112.html).
It exempts the SSO administrator, but https://knowledge.broadcom.com/external/article/326186 shows that account locked.
Here only the local user is exempt, who is not in SSO.
"""

LOCAL_USER = "root"
"""The local user: accepted with Basic credentials on each request, but not by a login, which uses SSO."""


@dataclass(slots=True)
class UserSession:
    """One session; ``opened`` and ``used`` are in seconds of the monotonic clock."""

    token: str
    user: str
    created_time: datetime
    last_accessed_time: datetime
    opened: float
    used: float


class SessionRegistry:
    """The sessions of one appliance, and its one SSO account.

    Without ``sso`` every login fails, as on an appliance that is not configured; Basic credentials still work.
    """

    def __init__(self, clock: Clock, username: str, password: str, *, sso: bool = True) -> None:
        self.username = username
        self.password = password
        self.sso = sso
        self.lifetime = ABSOLUTE_SECONDS
        self.failed_logins = 0
        self._failures: dict[str, list[float]] = {}
        self._locked_until: dict[str, float] = {}
        self._clock = clock
        self._open: dict[str, UserSession] = {}

    @property
    def open_tokens(self) -> set[str]:
        """The tokens of the sessions that are open now."""
        self._expire()
        return set(self._open)

    def login(self, headers: Mapping[str, str]) -> UserSession | None:
        """Open a session with the Basic credentials in ``headers``; None if they are wrong or missing."""
        user = self._basic_user(headers)
        if user == LOCAL_USER:
            self.failed_logins += 1
        if user is None or user == LOCAL_USER or not self.sso:
            return None
        now, moment = self._clock.now(), self._clock.monotonic()
        session = UserSession(secrets.token_hex(16), user, now, now, moment, moment)
        self._open[session.token] = session
        return session

    def is_locked(self, user: str) -> bool:
        """Return whether wrong passwords have locked the account of ``user``."""
        return self._clock.monotonic() < self._locked_until.get(user.casefold(), 0.0)

    def find(self, headers: Mapping[str, str]) -> UserSession | None:
        """Return the open session in ``headers`` and record its use.

        The header counts only in a request without any cookie, as in VMware's dispatcher (PyPI: vmware-vapi-runtime,
        ``vmware/vapi/security/session.py``).
        """
        self._expire()
        session = self._open.get(_token(headers))
        if session is not None:
            session.used, session.last_accessed_time = self._clock.monotonic(), self._clock.now()
        return session

    def authenticate(self, headers: Mapping[str, str]) -> str | None:
        """Return the user of a request, by its session, else by Basic credentials; None if it has neither.

        A wrong session is an error, even when the Basic credentials are right.
        """
        if _token(headers):
            session = self.find(headers)
            return session.user if session else None
        if "authorization" not in headers:
            return None
        return self._basic_user(headers)

    def is_administrator(self, username: str, password: str) -> bool:
        """Return whether these are the credentials of the SSO administrator."""
        same = hmac.compare_digest(password.encode(), self.password.encode())
        return username.casefold() == self.username.casefold() and same

    def close(self, session: UserSession) -> None:
        """End a session."""
        self._open.pop(session.token, None)

    def close_before(self, moment: float) -> None:
        """End all sessions opened before ``moment`` (monotonic seconds), as a reboot does."""
        self._open = {token: session for token, session in self._open.items() if session.opened >= moment}

    def _expire(self) -> None:
        moment = self._clock.monotonic()
        self._open = {
            token: session
            for token, session in self._open.items()
            if moment - session.used < IDLE_SECONDS and moment - session.opened < self.lifetime
        }

    def _basic_user(self, headers: Mapping[str, str]) -> str | None:
        """Return the user of the Basic credentials; wrong or missing ones count as a failed login."""
        credentials = _basic_credentials(headers)
        user, password = credentials or ("", "")
        known = user == LOCAL_USER or user.casefold() == self.username.casefold()
        same = hmac.compare_digest(password.encode(), self.password.encode())
        if not (credentials and known and same):
            self._count_failure(user)
            return None
        if self.is_locked(user):
            return None
        self._failures.pop(user.casefold(), None)
        return self.username if user != LOCAL_USER else user

    def _count_failure(self, user: str) -> None:
        self.failed_logins += 1
        if user == LOCAL_USER:
            return
        moment, name = self._clock.monotonic(), user.casefold()
        recent = [failure for failure in self._failures.get(name, []) if moment - failure < FAILURE_WINDOW_SECONDS]
        self._failures[name] = [*recent, moment]
        if len(recent) + 1 >= FAILURES_UNTIL_LOCKED:
            del self._failures[name]
            self._locked_until[name] = moment + LOCKED_SECONDS


def _basic_credentials(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """Return user and password. Raises ``RefusedError``: 500 if they are not UTF-8, as VMware's dispatcher."""
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.casefold() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except UnicodeDecodeError:
        raise invalid_request("Unexpected error. See server logs for more details.", status=500) from None
    except (binascii.Error, ValueError):
        return None
    user, colon, password = text.partition(":")
    return (user, password) if colon else None


def _token(headers: Mapping[str, str]) -> str:
    if not headers.get("cookie"):
        return headers.get(SESSION_HEADER, "")
    try:
        cookie = SimpleCookie(headers["cookie"])
    except CookieError:
        return ""
    return cookie[SESSION_HEADER].value if SESSION_HEADER in cookie else ""
