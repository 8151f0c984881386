"""The state of credentials during a run, so that one wrong password does not become five failed logins.

vCenter locks an account after five failed logins by default (vSphere Authentication, "Edit the vCenter Single Sign-On
Lockout Policy"), and linked appliances count them together. So credentials that one appliance has rejected are not sent
to any other.
"""

from typing import Final

from backupctl.errors import AuthenticationError
from backupctl.secrets.secret import Secret

LOGIN_GRACE_SECONDS: Final = 5.0
"""Grace period after a successful login: sessions that expire together may log in together."""


class CredentialState:
    """What is known about a user and password, shared by all sessions of a run that use them, in any thread.

    ``accepted`` is True after a successful login, until a session expires after the grace period.
    """

    def __init__(self) -> None:
        self.accepted = False
        self._accepted_at = 0.0
        self._rejected_by: str | None = None

    @property
    def rejected(self) -> bool:
        """Whether an appliance has rejected them; then no appliance gets them again."""
        return self._rejected_by is not None

    def mark_accepted(self, now: float) -> None:
        """Record a successful login at ``now`` (monotonic seconds)."""
        self.accepted, self._accepted_at = True, now

    def mark_session_expired(self, now: float) -> None:
        """Record that a session has expired; the password may have changed since the last login."""
        if now - self._accepted_at > LOGIN_GRACE_SECONDS:
            self.accepted = False

    def mark_rejected(self, server: str) -> None:
        """Record that ``server`` rejected them."""
        self._rejected_by = self._rejected_by or server

    def check_not_rejected(self, server: str) -> None:
        """Raise AuthenticationError, before a login to ``server``, if an appliance has rejected them."""
        if self._rejected_by is not None:
            raise AuthenticationError(
                "skipped: $cause rejected the same credentials",
                cause=self._rejected_by,
                server=server,
                hint="fix the user name or password first: vCenter locks an account after a few failures, "
                "across linked appliances",
            )


class CredentialStates:
    """The credential states of a run, one for each user and password."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, Secret], CredentialState] = {}

    def of(self, user: str, password: Secret) -> CredentialState:
        """Return the state of a user and password; user names are case-insensitive."""
        return self._states.setdefault((user.casefold(), password), CredentialState())
