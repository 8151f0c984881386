"""A secret in a file, a pipe or standard input."""

import os
import stat
from pathlib import Path
from typing import Final, Protocol

from backupctl.clock import Clock
from backupctl.errors import ConfigError, UsageError
from backupctl.secrets.bounded_read import NoDataError, read_file, read_pipe
from backupctl.secrets.from_text import LARGEST_BYTES, secret_from_bytes
from backupctl.secrets.permissions import SECRET, PermissionRule, check_permissions
from backupctl.secrets.secret import Secret

STDIN_PATH: Final = "-"


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
        except NoDataError:
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
        return secret_from_bytes(_read(path, where, clock, guard=SECRET), where)
    except (OSError, ValueError) as error:
        raise _unreadable(error, where) from error


def read_credential(path: Path, source: str, clock: Clock) -> Secret | None:
    """Return the secret in a file that systemd made for this service, whatever its mode; None if there is none."""
    where = f"{source}: {path}"
    try:
        return secret_from_bytes(_read(str(path), where, clock, guard=None), where)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(error, where) from error


def _read(path: str, where: str, clock: Clock, *, guard: PermissionRule | None) -> bytes:
    def judge(descriptor: int, status: os.stat_result) -> None:
        if stat.S_ISDIR(status.st_mode):
            raise ConfigError(f"{where} is a directory", hint="name the file in it that holds the secret")
        if os.isatty(descriptor):
            raise UsageError(f"{where} is a terminal", hint="leave the option out to be asked")
        if guard is not None:
            check_permissions(path, status, guard, where)

    return read_file(path, where, clock, LARGEST_BYTES, judge)


def _unreadable(error: OSError | ValueError, where: str) -> ConfigError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no name of a file"
    return ConfigError(f"{where} cannot be read: {reason}", hint="check the name, and that this user may read it")
