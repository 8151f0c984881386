"""Changes to the configuration file: one value at a time, comments and layout as somebody wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from backupctl.errors import ConfigError, UsageError
from backupctl.settings.file_writing import replace
from backupctl.settings.server import parse_server

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700


class Stored(NamedTuple):
    """Where a value went: the server's name in the file, and the value that stood there before."""

    name: str
    before: str | None


def configuration_path(environ: Mapping[str, str]) -> Path:
    """Return the file that is changed: ``BACKUPCTL_CONFIG``, else the user's own; never one for the whole machine.

    Raises ConfigError where the user has no home.
    """
    named = environ.get("BACKUPCTL_CONFIG")
    if named:
        return Path(named).expanduser()
    folder = environ.get("XDG_CONFIG_HOME") or ""
    if Path(folder).is_absolute():  # a relative one counts as none: XDG Base Directory Specification
        return Path(folder, "backupctl", "config.toml")
    home = environ.get("HOME")
    if not home:
        raise ConfigError("there is no home directory for a configuration file", hint="name a file: BACKUPCTL_CONFIG")
    return Path(home, ".config", "backupctl", "config.toml")


def store(path: Path, server_name: str, key: str, value: str, *, host: str) -> Stored:
    """Set a value of a server in the file at ``path``, which need not be there yet.

    That is the table ``[servers.NAME]``, or the one of another name with this host; else a new one with ``host``.
    Raises ConfigError for a file that is to be mended first, OutputError for one that cannot be written.
    """
    import tomlkit

    document = _read(path)
    name, table = _find(document, path, server_name, host)
    if table is None:
        table = tomlkit.table()
        table["host"] = host
        _servers(document)[name] = table
    before = table.get(key)
    if before != value:
        table[key] = value
        _make_folder(path)
        replace(path, tomlkit.dumps(document), _MODE)
    return Stored(str(name), None if before is None else str(before))


def _read(path: Path) -> TOMLDocument:
    import tomlkit
    from tomlkit.exceptions import ParseError, TOMLKitError

    try:
        return tomlkit.parse(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        return tomlkit.document()
    except ParseError as error:
        why = str(error).partition(" at line ")[0].rstrip(".")
        raise ConfigError(
            f"{path}, line {error.line}: {why}", hint="nothing was changed; mend the file first"
        ) from error
    except (TOMLKitError, ValueError) as error:
        raise ConfigError(
            f"{path} is no TOML file: {error}", hint="nothing was changed; mend the file first"
        ) from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error


def _find(document: TOMLDocument, path: Path, server_name: str, host: str) -> tuple[str, Any]:
    """Return the name and the table of a server, None for one that is not there."""
    servers = document.get("servers", {})
    if not isinstance(servers, Mapping):
        raise ConfigError(f"{path}: 'servers' is not a table", hint="nothing was changed; write [servers.NAME]")
    for name, table in servers.items():
        if not isinstance(table, Mapping):
            raise ConfigError(f"{path}: servers.{name} is not a table", hint="nothing was changed; mend the file first")
    if server_name in servers:
        return server_name, servers[server_name]
    for name, table in servers.items():
        if _is_at(table, host):
            return str(name), table
    return server_name, None


def _is_at(table: Mapping[str, Any], host: str) -> bool:
    try:
        return parse_server(str(table.get("host", ""))).key == parse_server(host).key
    except UsageError:
        return False


def _servers(document: TOMLDocument) -> Any:  # noqa: ANN401 - one of tomlkit's kinds of tables
    import tomlkit

    if "servers" not in document:
        document["servers"] = tomlkit.table(is_super_table=True)
    return document["servers"]


def _make_folder(path: Path) -> None:
    from backupctl.errors import OutputError

    try:
        path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make {path.parent}: {error.strerror or error}") from error
