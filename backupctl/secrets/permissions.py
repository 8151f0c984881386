"""Files that nobody but this user and root has a hand in, judged before they are believed as ssh judges its own."""

import contextlib
import os
import shlex
import stat
from pathlib import Path
from typing import Final, NamedTuple

from backupctl.errors import ConfigError

_DESCRIPTOR_PATHS: Final = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
"""What is opened through these was opened by whoever started this program; its mode and owner say nothing."""


class PermissionRule(NamedTuple):
    """What others must not be able to do to a file: the bits of its mode, the deed, and what takes them away."""

    forbidden: int
    do: str
    done: str
    remedy: str


SECRET: Final = PermissionRule(0o077, "read it", "can be read by others", "chmod 600")
CONFIGURATION: Final = PermissionRule(
    0o022, "have commands run by it", "can be changed by others, and it names commands to run", "chmod go-w"
)


def check_permissions(path: str, status: os.stat_result, guard: PermissionRule, where: str) -> None:
    """Raise ConfigError for a regular file that anybody but this user and root owns, has a hand in, or can exchange.

    Whoever may write to a directory on the way can put another file there, unless it is sticky like /tmp; what is
    writable for a group is left to those who made it so. Access control lists are not looked at. A link is followed,
    and the way to it is judged too.
    """
    if os.name != "posix" or not stat.S_ISREG(status.st_mode) or path.startswith(_DESCRIPTOR_PATHS):
        return
    if status.st_uid not in {os.geteuid(), 0}:
        raise ConfigError(
            f"{where} belongs to another user (uid {status.st_uid}), who can {guard.do}",
            hint=f"chown {os.geteuid()} {shlex.quote(path)}",
        )
    mode = stat.S_IMODE(status.st_mode)
    if mode & guard.forbidden:
        raise ConfigError(f"{where} {guard.done} (mode {mode:04o})", hint=f"{guard.remedy} {shlex.quote(path)}")
    for directory in dict.fromkeys((*Path(os.path.realpath(path)).parents, *Path(path).absolute().parents)):
        mode = stat.S_IMODE(directory.stat().st_mode)
        if mode & 0o002 and not mode & stat.S_ISVTX:
            raise ConfigError(
                f"{where} can be exchanged by others, who may write to {directory} (mode {mode:04o})",
                hint=f"chmod o-w {shlex.quote(str(directory))}",
            )


def reject_pipes(path: Path) -> None:
    """Raise ConfigError for a pipe or a device, of which one who reads without bounds, as OpenSSL, may see no end.

    What was opened by whoever started this program, as by a process substitution, has its writer, and is let through.
    """
    if str(path).startswith(_DESCRIPTOR_PATHS):
        return
    with contextlib.suppress(OSError, ValueError):  # is told by who reads it
        mode = path.stat().st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
            raise ConfigError(f"{path} is no file but a pipe or a device", hint="write what comes out of it to a file")
