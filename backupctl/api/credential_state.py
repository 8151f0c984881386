"""What a run learns about a user and a password, so that one wrong password never becomes five.

vCenter locks an account after five failed logins by default (vSphere Authentication, "Edit the vCenter Single Sign-On
Lockout Policy"), and appliances that are linked count together. A password that one appliance has refused is therefore
not shown to any other.
"""

from typing import Final

from backupctl.errors import AuthenticationError
from backupctl.secrets.secret import Secret

LOGIN_GRACE_SECONDS: Final = 5.0
"""For so long a password that was accepted is not doubted: sessions that expire together are opened again together."""


class CredentialState:
    """A user and a password, shared by all sessions of a run that use them; sessions in threads may call it.

    ``proven`` says that an appliance has let us in with them, and nothing was seen since that makes it doubtful;
    ``refused`` that one has not.
    """

    def __init__(self) -> None:
        self.accepted = False
        self._accepted_at = 0.0
        self._rejected_by: str | None = None

    @property
    def rejected(self) -> bool:
        """Whether any appliance refused them; nothing is logged in with them any more."""
        return self._rejected_by is not None

    def mark_accepted(self, now: float) -> None:
        """Take note that an appliance accepted them ``now`` (monotonic seconds)."""
        self.accepted, self._accepted_at = True, now

    def mark_session_expired(self, now: float) -> None:
        """Take note that a session has expired: the password may have been changed, if it was not accepted just now."""
        if now - self._accepted_at > LOGIN_GRACE_SECONDS:
            self.accepted = False

    def mark_rejected(self, server: str) -> None:
        """Take note that ``server`` refused them."""
        self._rejected_by = self._rejected_by or server

    def check_not_rejected(self, server: str) -> None:
        """Raise AuthenticationError where they are known to be wrong, before they are shown to ``server``."""
        if self._rejected_by is not None:
            raise AuthenticationError(
                "not logged in, as $cause refused this user and password",
                cause=self._rejected_by,
                server=server,
                hint="vCenter locks an account after a few wrong passwords, across linked appliances",
            )


class CredentialStates:
    """The accounts of a run, one for each user and password."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, Secret], CredentialState] = {}

    def of(self, user: str, password: Secret) -> CredentialState:
        """Return the account of a user and a password; the case of a user name means nothing."""
        return self._states.setdefault((user.casefold(), password), CredentialState())
