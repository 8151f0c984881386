"""The errors of a backup server: each names it, and shows only a piece of what it says."""

from typing import Final

from backupctl.errors import BackupctlError, NotFoundError, causes_of
from backupctl.rules.hostport import HostPort
from backupctl.secrets.redaction import Redactor
from backupctl.secrets.secret import Secret
from backupctl.targets.access import TargetAccess
from backupctl.targets.target import TargetPath
from backupctl.targets.target_errors import (
    ServerIdentity,
    TargetAnswerError,
    TargetIdentityError,
    TargetLoginError,
    TargetUnreachableError,
)

MAX_TEXT: Final = 200
"""Characters of a server's text that are shown."""

_REACHABLE: Final = "check host and port of $--location, and the firewalls between this host and the backup server"
_LOGIN: Final = "check $--location-user and its password ($--location-password-file, BACKUPCTL_LOCATION_PASSWORD)"


class ServerErrors:
    """Makes the errors of one backup server, from an exception or a text of it as ``reason``."""

    def __init__(self, access: TargetAccess) -> None:
        self._access = access
        address = HostPort(access.location.host, access.location.server_port)
        self.name: Final = f"the backup server {address}"
        self._redactor = Redactor()
        self._redactor.add(access.password or Secret(""))

    def unreachable(self, reason: BaseException | str, hint: str = _REACHABLE) -> TargetUnreachableError:
        """Return the error for a connection that failed or was lost."""
        texts = (self.name, self.text(reason))
        return TargetUnreachableError("connection to $1 failed: $2", texts=texts, hint=hint)

    def untrusted(self, error: BackupctlError, presented: ServerIdentity | None = None) -> TargetIdentityError:
        """Return the error for a host key or certificate, from one whose server is ``name``."""
        facts, selector = error.facts, self._access.pin_selector
        refused = TargetIdentityError("$cause", cause=facts, details=facts.details, hint=facts.hint, selector=selector)
        refused.presented = presented
        return refused

    def rejected(self, reason: BaseException | str) -> TargetLoginError:
        """Return the error for a rejected login."""
        texts = (self.name, self._access.user or "anonymous", self.text(reason))
        return TargetLoginError("$1 rejected the login of $2: $3", texts=texts, hint=_LOGIN)

    def without_login(self) -> TargetLoginError:
        """Return the error for a server that needs a user and a password."""
        return TargetLoginError("missing user or password for $1", texts=(self.name,), hint=_LOGIN)

    def refused(self, path: TargetPath, reason: BaseException | str, status: int | None = None) -> TargetAnswerError:
        """Return the error for an operation that the server refused, or an answer that is unusable."""
        texts = ("/" + "/".join(path), self.name, self.text(reason))
        return TargetAnswerError("$1 on $2: $3", texts=texts, status=status)

    def missing(self, path: TargetPath) -> NotFoundError:
        """Return the error for a path that does not exist."""
        return NotFoundError("$1 does not exist on $2", texts=("/" + "/".join(path), self.name))

    def text(self, reason: BaseException | str) -> str:
        """Return a reason in one line, without the password and control characters, and cut off."""
        if not isinstance(reason, str):
            messages = (each.strerror for each in causes_of(reason) if isinstance(each, OSError) and each.strerror)
            reason = next(messages, str(reason))
        plain = " ".join(self._redactor.redact(reason).split()) or "closed by the server"
        return "".join(each if each.isprintable() else "?" for each in plain[:MAX_TEXT])
