"""Check ownership and permissions of a file before it is trusted, as ssh does."""

import contextlib
import os
import shlex
import stat
from pathlib import Path
from typing import Final, NamedTuple

from backupctl.errors import ConfigError

_DESCRIPTOR_PATHS: Final = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
"""Files that whoever started this program has opened; their mode and owner say nothing."""


class PermissionRule(NamedTuple):
    """What others must not be able to do to a file.

    ``forbidden`` are bits of its mode, ``ability`` and ``problem`` say in words what they allow, ``remedy`` is the
    command that clears them.
    """

    forbidden: int
    ability: str
    problem: str
    remedy: str


SECRET: Final = PermissionRule(0o077, "read it", "can be read by others", "chmod 600")
CONFIGURATION: Final = PermissionRule(
    0o022, "add commands to run", "can be changed by others, who could add commands to run", "chmod go-w"
)


def check_permissions(path: str, status: os.stat_result, rule: PermissionRule, where: str) -> None:
    """Check that only this user and root own, may access and can replace a regular file.

    Who may write to one of its parent directories can replace it, unless that directory is sticky as /tmp is.
    Directories that a group may write to are accepted. Access control lists are not read. The parents of a symbolic
    link and those of its target are both checked.

    Raises ConfigError, about ``where``: if somebody else can.
    """
    if not stat.S_ISREG(status.st_mode) or path.startswith(_DESCRIPTOR_PATHS):
        return
    if status.st_uid not in {os.geteuid(), 0}:
        raise ConfigError(
            f"{where} belongs to another user (uid {status.st_uid}), who can {rule.ability}",
            hint=f"chown {os.geteuid()} {shlex.quote(path)}",
        )
    mode = stat.S_IMODE(status.st_mode)
    if mode & rule.forbidden:
        raise ConfigError(f"{where} {rule.problem} (mode {mode:04o})", hint=f"{rule.remedy} {shlex.quote(path)}")
    for directory in dict.fromkeys((*Path(os.path.realpath(path)).parents, *Path(path).absolute().parents)):
        mode = stat.S_IMODE(directory.stat().st_mode)
        if mode & 0o002 and not mode & stat.S_ISVTX:
            raise ConfigError(
                f"{where} can be replaced by others, who may write to {directory} (mode {mode:04o})",
                hint=f"chmod o-w {shlex.quote(str(directory))}",
            )


def reject_pipes(path: Path) -> None:
    """Raise ConfigError for a pipe or a device: OpenSSL reads a file without limits, and would wait forever.

    A process substitution, such as ``<(command)``, has a writer and is accepted.
    """
    if str(path).startswith(_DESCRIPTOR_PATHS):
        return
    with contextlib.suppress(OSError, ValueError):  # whoever reads the file reports these
        mode = path.stat().st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
            raise ConfigError(f"{path} is a pipe or a device, not a file", hint="save its content in a file")
