"""The errors of backup locations that are read from this host."""

from typing import Any, NamedTuple, Self

from backupctl.errors import BackupctlError
from backupctl.exit_codes import ExitCode
from backupctl.models import Certificate


class ServerIdentity(NamedTuple):
    """What a backup server presents before a login: its certificate, or a host key.

    ``algorithms`` are those of all its host keys.
    """

    fingerprint: str
    certificate: Certificate | None = None
    algorithms: tuple[str, ...] = ()


class TargetUnreachableError(BackupctlError):
    """The backup location did not answer from this host, or the connection to it was lost."""

    exit_code = ExitCode.CONNECTION
    slug = "target-connection"


class TargetIdentityError(BackupctlError):
    """The backup server's host key or certificate is not trusted."""

    exit_code = ExitCode.CONNECTION
    slug = "target-identity"
    presented: ServerIdentity | None = None

    def with_facts(self, **changes: Any) -> Self:  # noqa: ANN401 - as in the base class
        """Return a copy with changed facts."""
        copy = super().with_facts(**changes)
        copy.presented = self.presented
        return copy


class TargetLoginError(BackupctlError):
    """The backup location rejected the user name or password."""

    exit_code = ExitCode.AUTH
    slug = "target-auth"


class TargetAnswerError(BackupctlError):
    """The backup location refused an operation, or its answer is unusable."""

    exit_code = ExitCode.API
    slug = "target"
