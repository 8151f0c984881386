"""Open a target with the adapter of its kind."""

from importlib import import_module
from typing import Any, Final

from backupctl.clock import Clock
from backupctl.errors import ConfigError, UsageError
from backupctl.location import Location
from backupctl.targets.access import TargetAccess
from backupctl.targets.target import Target
from backupctl.tls.trust_settings import TrustSettings

_ADAPTERS: Final = {
    "ftp": "ftp",
    "ftps": "ftp",
    "http": "webdav",
    "https": "webdav",
    "scp": "sftp",
    "sftp": "sftp",
    "smb": "smb",
    "path": "path",
}
"""The module of each kind; OpenSSH serves SFTP on the port that SCP uses."""

WITH_IDENTITY: Final = frozenset({"FTPS", "HTTPS", "SCP", "SFTP"})
"""The types whose servers prove who they are."""


def open_target(access: TargetAccess, clock: Clock) -> Target:
    """Connect to the server of a location and log in; blocks for up to some ``CONNECT_SECONDS``.

    Raises UsageError and ConfigError: as ``load_adapter`` does. Raises TargetUnreachableError, TargetIdentityError,
    TargetLoginError and TargetAnswerError: as ``Target`` does.
    """
    target: Target = load_adapter(access).connect(access, clock)
    return target


def load_adapter(access: TargetAccess) -> Any:  # noqa: ANN401 - a module
    """Import the adapter of a location.

    Raises UsageError: for a kind that cannot be read from here. Raises ConfigError: for a missing package.
    """
    adapter = _ADAPTERS.get(access.kind)
    if adapter is None:
        raise UsageError(
            "cannot read $1 locations from this host",
            texts=(access.location.type,),
            hint="mount it, and name the folder with $--path-for URL=DIR",
        )
    try:
        return import_module(f"backupctl.targets.{adapter}")
    except ImportError as error:
        hint = "pip install 'backupctl[targets]', or pipx inject backupctl paramiko smbprotocol"
        raise ConfigError(f"{access.kind} locations need the Python package {error.name}", hint=hint) from error


def access_without_login(location: Location) -> TargetAccess:
    """Return the access that shows what a server presents: no pin matches, so the connection ends before the login.

    Raises UsageError: for a location without TLS and SSH.
    """
    if location.type not in WITH_IDENTITY:
        raise UsageError("$1 has neither a host key nor a certificate", texts=(location.type,))
    return TargetAccess(location, host_key="SHA256:", tls=TrustSettings(fingerprint=f"sha256:{0:064}"))
