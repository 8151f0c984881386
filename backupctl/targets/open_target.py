"""Open a target with the adapter of its kind."""

from importlib import import_module
from typing import Final

from backupctl.clock import Clock
from backupctl.errors import INSTALL_HINT, ConfigError, UsageError
from backupctl.targets.access import TargetAccess
from backupctl.targets.target import Target

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


def open_target(access: TargetAccess, clock: Clock) -> Target:
    """Connect to the server of a location and log in; blocks for up to some ``CONNECT_SECONDS``.

    Raises UsageError: for a kind that cannot be read from here. Raises ConfigError: for a missing package. Raises
    TargetUnreachableError, TargetIdentityError, TargetLoginError and TargetAnswerError: as ``Target`` does.
    """
    adapter = _ADAPTERS.get(access.kind)
    if adapter is None:
        raise UsageError(
            "cannot read $1 locations from this host",
            texts=(access.location.type,),
            hint="mount it, and name the folder with $--path-for URL=DIR",
        )
    try:
        module = import_module(f"backupctl.targets.{adapter}")
    except ImportError as error:
        hint = INSTALL_HINT.format("'backupctl[targets]'")
        raise ConfigError(f"{access.kind} locations need the Python package {error.name}", hint=hint) from error
    target: Target = module.connect(access, clock)
    return target
