"""Find and read the configuration file."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from backupctl.clock import Clock
from backupctl.errors import ConfigError
from backupctl.secrets.bounded_read import TimeLimit, read_file
from backupctl.secrets.permissions import CONFIGURATION, check_permissions

if TYPE_CHECKING:
    from backupctl.config.configuration import Configuration

SYSTEM_PATH: Final = Path("/etc/backupctl/config.toml")
MAX_FILE_BYTES: Final = 4 * 1024 * 1024
"""Far above what a thousand servers need."""


def user_path(environ: Mapping[str, str]) -> Path | None:
    """Return the path of the user's file, None without a home directory.

    See https://specifications.freedesktop.org/basedir-spec/latest/.
    """
    configured = environ.get("XDG_CONFIG_HOME", "")
    if Path(configured).is_absolute():
        return Path(configured, "backupctl", "config.toml")
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home, ".config", "backupctl", "config.toml") if home else None


def new_path(environ: Mapping[str, str]) -> Path | None:
    """Return the path of a new file, None without a home directory.

    That of root is the system's, which services read too, unless XDG_CONFIG_HOME names another folder.
    """
    return user_path(environ) if os.geteuid() or environ.get("XDG_CONFIG_HOME") else SYSTEM_PATH


def file_modes(path: Path) -> tuple[int, int]:
    """Return the modes of a new file and of its folder: everybody may read that of the system, as it has no secret."""
    return (0o644, 0o755) if path == SYSTEM_PATH else (0o600, 0o700)


def find_configuration(named: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the file to read: the named one, else the user's, else the system's; None if there is none."""
    if named is not None:
        return named
    return next((path for path in (user_path(environ), SYSTEM_PATH) if path is not None and may_exist(path)), None)


def names_in_table(path: Path, table: str) -> list[str]:
    """Return the names in a table of the file, for completion: unchecked, and none if it cannot be read."""
    try:
        path = path.expanduser()
        if not path.is_file() or path.stat().st_size > MAX_FILE_BYTES:
            return []
        names = tomllib.loads(path.read_text(encoding="utf-8-sig")).get(table)
    except (OSError, ValueError, RuntimeError):
        return []
    return [name for name in names if re.fullmatch(r"[\w.-]+", name)] if isinstance(names, dict) else []


def read_configuration(path: Path, clock: Clock) -> Configuration:
    """Return the content of the file.

    Raises ConfigError: if it cannot be read or is not valid.
    """
    from backupctl.config.configuration import configuration_of

    try:
        content = _read(path, clock)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "invalid file name"
        raise ConfigError(
            f"configuration file {path} cannot be read: {reason}",
            hint="check the path, and that this user may read the file; `backupctl config init` creates one",
        ) from error
    if len(content) > MAX_FILE_BYTES:
        raise ConfigError(f"{path} is larger than {MAX_FILE_BYTES >> 20} MiB", hint="check the path")
    try:
        document = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} is not UTF-8 text", hint=f"save it as UTF-8; the first error is at byte {error.start + 1}"
        ) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "nested too deeply"
        raise ConfigError(f"{path} is not valid TOML: {reason}", hint="see https://toml.io for the syntax") from None
    return configuration_of(document, path)


def may_exist(path: Path) -> bool:
    """Return whether there is a file; one that cannot be examined counts, so that reading it raises the error."""
    try:
        path.stat()
    except OSError as error:
        return not isinstance(error, FileNotFoundError | NotADirectoryError)
    return True


def _read(path: Path, clock: Clock) -> bytes:
    def check(descriptor: int, status: os.stat_result) -> None:
        if os.isatty(descriptor):
            raise ConfigError(f"{path} is a terminal, not a configuration file", hint="use a file")
        check_permissions(str(path), status, CONFIGURATION, str(path))

    return read_file(path, str(path), TimeLimit(clock), MAX_FILE_BYTES, check)
