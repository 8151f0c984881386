"""Read a secret from a file, a pipe or standard input."""

import os
import stat
from pathlib import Path
from typing import Final, Protocol

from backupctl.errors import ConfigError, UsageError
from backupctl.secrets.bounded_read import NoDataError, TimeLimit, read_file, read_pipe
from backupctl.secrets.from_text import MAX_SECRET_BYTES, secret_from_bytes
from backupctl.secrets.permissions import SECRET, PermissionRule, check_permissions
from backupctl.secrets.secret import Secret

STDIN_PATH: Final = "-"


class ByteStream(Protocol):
    """The part of ``sys.stdin.buffer`` that is needed here."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, fewer only at the end."""
        ...

    def fileno(self) -> int:
        """Return the file descriptor; raise OSError if there is none."""
        ...

    def isatty(self) -> bool:
        """Return whether this is a terminal."""
        ...


class StandardInput:
    """Standard input, which can hold only one secret."""

    def __init__(self, stream: ByteStream | None) -> None:
        self._stream = stream
        self._reader: str | None = None

    def read_for(self, reader: str, limit: TimeLimit) -> bytes:
        """Return all of standard input.

        Raises UsageError: if another option has read it, or if it is a terminal. Raises ConfigError: if it is closed,
        or nothing arrives in time.
        """
        if self._reader is not None:
            raise UsageError(
                f"{self._reader} and {reader} cannot both read standard input", hint="put one of the secrets in a file"
            )
        if self._stream is None:
            raise ConfigError(f"{reader}: standard input is closed")
        if self._stream.isatty():
            raise UsageError(
                f"{reader}: standard input is a terminal", hint="pipe the secret in, or omit the option to be prompted"
            )
        self._reader = reader
        try:
            descriptor = self._stream.fileno()
        except (AttributeError, OSError):  # in memory
            return self._stream.read(MAX_SECRET_BYTES + 1)
        try:
            return read_pipe(descriptor, limit, MAX_SECRET_BYTES)
        except NoDataError:
            raise ConfigError(f"{reader}: timed out reading standard input", hint="pipe the secret in") from None


def read_secret_file(path: str, option: str, stdin: StandardInput, limit: TimeLimit, *, lines: bool = False) -> Secret:
    """Return the secret in ``path`` (``-``: standard input) without one trailing newline; ``lines``: it may have more.

    A symbolic link is followed, and its target is checked.

    Raises ConfigError, naming ``option`` and the file: if it cannot be read, if others can read or replace it, or if it
    is not one line of UTF-8.
    """
    if path == STDIN_PATH:
        return secret_from_bytes(stdin.read_for(option, limit), f"{option}: standard input")
    where = f"{option}: {path}"
    try:
        return secret_from_bytes(_read(path, where, limit, rule=SECRET), where, lines=lines)
    except (OSError, ValueError) as error:
        raise _unreadable(error, where) from error


def read_credential(path: Path, source: str, limit: TimeLimit, *, lines: bool = False) -> Secret | None:
    """Return the secret in a systemd credential file, whatever its mode; None if there is none."""
    where = f"{source}: {path}"
    try:
        return secret_from_bytes(_read(str(path), where, limit, rule=None), where, lines=lines)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(error, where) from error


def _read(path: str, where: str, limit: TimeLimit, *, rule: PermissionRule | None) -> bytes:
    def check(descriptor: int, status: os.stat_result) -> None:
        if stat.S_ISDIR(status.st_mode):
            raise ConfigError(f"{where} is a directory", hint="use the file that contains the secret")
        if os.isatty(descriptor):
            raise UsageError(f"{where} is a terminal", hint="omit the option to be prompted")
        if rule is not None:
            check_permissions(path, status, rule, where)

    return read_file(path, where, limit, MAX_SECRET_BYTES, check)


def _unreadable(error: OSError | ValueError, where: str) -> ConfigError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "invalid file name"
    return ConfigError(f"{where} cannot be read: {reason}", hint="check the path, and that this user may read the file")
