"""Who is logged in: sessions, their two ends by time, and where a request carries its credentials."""

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

SESSION_HEADER = "vmware-api-session-id"
"""Both the header and the cookie that carry a session (https://developer.broadcom.com/, vSphere Automation API)."""

IDLE_SECONDS = 30 * 60.0
"""A session dies when it is not used for this long. UNCONFIRMED: VMware documents that there is a limit, not which."""

ABSOLUTE_SECONDS = 2 * 86400.0
"""A session dies this long after the login, used or not. UNCONFIRMED, as above."""

FAILURES_UNTIL_LOCKED = 5
FAILURES_COUNT_SECONDS = 180.0
LOCKED_SECONDS = 300.0
"""So many wrong passwords in a row within so many seconds lock an account, for so long.

Source of the numbers: the page on passwords and lockout behavior in VMware's vSphere Security guide
(https://vmw-docs.broadcom.com/en/VMware-vSphere/8.0/vsphere-security/GUID-4BDBF79A-6C16-43B0-B0B1-637BF5516112.html).
It exempts the administrator of SSO, whom https://knowledge.broadcom.com/external/article/326186 shows locked all the
same: here nobody is exempt but the local user, whom SSO does not know.
"""

LOCAL_USER = "root"
"""The appliance's own user: accepted with Basic credentials on each request, not by a login, which asks SSO."""


@dataclass(slots=True)
class UserSession:
    """One login; ``opened`` and ``used`` are seconds of the monotonic clock."""

    token: str
    user: str
    created_time: datetime
    last_accessed_time: datetime
    opened: float
    used: float


class SessionRegistry:
    """The open sessions of one appliance, for the one user that it accepts.

    Without ``sso`` nobody can log in, as before an appliance is configured; Basic credentials are good all the same.
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

    def __len__(self) -> int:
        self._expire()
        return len(self._open)

    def login(self, headers: Mapping[str, str]) -> UserSession | None:
        """Open a session for good Basic credentials; None for bad or missing ones."""
        user = self._basic_user(headers)
        if user == LOCAL_USER:
            self.failed_logins += 1
        if user is None or user == LOCAL_USER:
            return None
        if not self.sso:
            return None
        now, moment = self._clock.now(), self._clock.monotonic()
        session = UserSession(secrets.token_hex(16), user, now, now, moment, moment)
        self._open[session.token] = session
        return session

    def is_locked(self, user: str) -> bool:
        """Say whether too many wrong passwords have locked the account of a user."""
        return self._clock.monotonic() < self._locked_until.get(user.casefold(), 0.0)

    def find(self, headers: Mapping[str, str]) -> UserSession | None:
        """Return the live session that a request names, and note its use.

        A request with any cookie is asked for its cookie only, one without for its header: so does VMware's
        dispatcher (PyPI: vmware-vapi-runtime, ``vmware/vapi/security/session.py``).
        """
        self._expire()
        session = self._open.get(_token(headers))
        if session is not None:
            session.used, session.last_accessed_time = self._clock.monotonic(), self._clock.now()
        return session

    def authenticate(self, headers: Mapping[str, str]) -> str | None:
        """Return who a request comes from, by its session or by Basic credentials; None if it shows neither.

        The first kind of credential found decides, and a bad session is not made good by Basic credentials.
        """
        if _token(headers):
            session = self.find(headers)
            return session.user if session else None
        if "authorization" not in headers:
            return None
        return self._basic_user(headers)

    def is_administrator(self, username: str, password: str) -> bool:
        """Say whether these are the credentials of the administrator of SSO."""
        same = hmac.compare_digest(password.encode(), self.password.encode())
        return username.casefold() == self.username.casefold() and same

    def close(self, session: UserSession) -> None:
        """End a session at its owner's wish."""
        self._open.pop(session.token, None)

    def close_before(self, moment: float) -> None:
        """End all sessions that were opened before ``moment`` (monotonic seconds), as a reboot does."""
        self._open = {token: session for token, session in self._open.items() if session.opened >= moment}

    def _expire(self) -> None:
        moment = self._clock.monotonic()
        self._open = {
            token: session
            for token, session in self._open.items()
            if moment - session.used < IDLE_SECONDS and moment - session.opened < self.lifetime
        }

    def _basic_user(self, headers: Mapping[str, str]) -> str | None:
        """Return who shows good Basic credentials; wrong or missing ones count as a failed login."""
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
        recent = [failure for failure in self._failures.get(name, []) if moment - failure < FAILURES_COUNT_SECONDS]
        self._failures[name] = [*recent, moment]
        if len(recent) + 1 >= FAILURES_UNTIL_LOCKED:
            del self._failures[name]
            self._locked_until[name] = moment + LOCKED_SECONDS


def _basic_credentials(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """Return user and password; refuses credentials that are not UTF-8 with 500, as VMware's dispatcher does."""
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
