"""A secret in a file, a pipe or standard input."""

import os
import shlex
import stat
from pathlib import Path
from typing import Final, Protocol

from backupctl.clock import Clock
from backupctl.errors import ConfigError, UsageError
from backupctl.secret import Secret
from backupctl.settings.reading import NothingCameError, read_file, read_pipe
from backupctl.settings.secret_text import LARGEST_BYTES, secret_from_bytes

STDIN_PATH: Final = "-"

_DESCRIPTOR_PATHS: Final = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
"""What is opened through these was opened by whoever started this program, and its mode says nothing."""


class ByteStream(Protocol):
    """What is needed of ``sys.stdin.buffer``."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes, fewer only at the end."""
        ...

    def fileno(self) -> int:
        """Return the descriptor; raise OSError where there is none."""
        ...

    def isatty(self) -> bool:
        """Say whether a person is at the other end."""
        ...


class StandardInput:
    """Standard input, which can hold one secret only."""

    def __init__(self, stream: ByteStream | None) -> None:
        self._stream = stream
        self._reader: str | None = None

    def read_for(self, reader: str, clock: Clock) -> bytes:
        """Return all of it; raise UsageError if another reader had it, or if it is a terminal."""
        if self._reader is not None:
            raise UsageError(
                f"{self._reader} and {reader} cannot both read standard input",
                hint="put one of the secrets into a file",
            )
        if self._stream is None:
            raise ConfigError(f"{reader}: standard input is closed")
        if self._stream.isatty():
            raise UsageError(
                f"{reader}: standard input is a terminal",
                hint="pipe the secret in, or leave the option out to be asked",
            )
        self._reader = reader
        try:
            descriptor = self._stream.fileno()
        except (AttributeError, OSError):  # in memory
            return self._stream.read(LARGEST_BYTES + 1)
        try:
            return read_pipe(descriptor, clock, LARGEST_BYTES)
        except NothingCameError:
            raise ConfigError(f"{reader}: nothing came from standard input", hint="pipe the secret in") from None


def read_secret_file(path: str, option: str, stdin: StandardInput, clock: Clock) -> Secret:
    """Return the secret in ``path`` (``-``: standard input), one newline at its end cut off.

    Raise ConfigError, naming ``option`` and the file, for a file that cannot be read, that others can read or put
    there too, or that is not one line of UTF-8. A link is followed; what it leads to is judged.
    """
    if path == STDIN_PATH:
        return secret_from_bytes(stdin.read_for(option, clock), f"{option}: standard input")
    where = f"{option}: {path}"
    try:
        return secret_from_bytes(_read(path, where, clock, check_mode=not path.startswith(_DESCRIPTOR_PATHS)), where)
    except (OSError, ValueError) as error:
        raise _unreadable(error, where) from error


def read_credential(path: Path, source: str, clock: Clock) -> Secret | None:
    """Return the secret in a file that systemd made for this service, whatever its mode; None if there is none."""
    where = f"{source}: {path}"
    try:
        return secret_from_bytes(_read(str(path), where, clock, check_mode=False), where)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(error, where) from error


def _read(path: str, where: str, clock: Clock, *, check_mode: bool) -> bytes:
    def judge(descriptor: int, status: os.stat_result) -> None:
        if stat.S_ISDIR(status.st_mode):
            raise ConfigError(f"{where} is a directory", hint="name the file in it that holds the secret")
        if os.isatty(descriptor):
            raise UsageError(f"{where} is a terminal", hint="leave the option out to be asked")
        if check_mode and stat.S_ISREG(status.st_mode):
            _check_others(path, status, where)

    try:
        return read_file(path, clock, LARGEST_BYTES, judge)
    except NothingCameError:
        raise ConfigError(f"{where} was not written to its end in time", hint="is its writer running?") from None


def _check_others(path: str, status: os.stat_result, where: str) -> None:
    """Refuse a file that anybody but this user and root can read or exchange, as ssh does with its own.

    Whoever may write to a directory on the way can put another file there, unless it is sticky like /tmp; what is
    writable for a group is left to those who made it so. Access control lists are not looked at.
    """
    if os.name != "posix":
        return
    if status.st_uid not in {os.geteuid(), 0}:
        raise ConfigError(
            f"{where} belongs to another user (uid {status.st_uid}), who can read it",
            hint=f"chown {os.geteuid()} {shlex.quote(path)}",
        )
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise ConfigError(f"{where} can be read by others (mode {mode:04o})", hint=f"chmod 600 {shlex.quote(path)}")
    for directory in dict.fromkeys((*Path(os.path.realpath(path)).parents, *Path(path).absolute().parents)):
        mode = stat.S_IMODE(directory.stat().st_mode)
        if mode & 0o002 and not mode & stat.S_ISVTX:
            raise ConfigError(
                f"{where} can be exchanged by others, who may write to {directory} (mode {mode:04o})",
                hint=f"chmod o-w {shlex.quote(str(directory))}",
            )


def _unreadable(error: OSError | ValueError, where: str) -> ConfigError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no name of a file"
    return ConfigError(f"{where} cannot be read: {reason}", hint="check the name, and that this user may read it")
