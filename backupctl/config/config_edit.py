"""Changes to the configuration file: one value at a time, comments and layout as somebody wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from backupctl.config.atomic_write import locked, make_folder, replace
from backupctl.config.config_file import user_path
from backupctl.errors import ConfigError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Item, Table

_MODE: Final = 0o600


class StoredValue(NamedTuple):
    """Where a value went: the server's name in the file, and the value that stood there before."""

    name: str
    before: str | None


def path_to_edit(named: Path | None, in_force: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the file to change: the one that is named, else the user's own, which need not be there yet.

    The file of the whole machine is changed only where it is named, and a file of the user's is not put in its place:
    that would hide all that it says. Raises ConfigError.
    """
    if named is not None:
        return named
    own = user_path(environ)
    if own is None:
        raise ConfigError("there is no home directory for a configuration file", hint="name a file with --config")
    if in_force not in {None, own}:
        raise ConfigError(
            f"the configuration is that of the whole machine, {in_force}, which is changed only where it is named",
            hint=f"name it: --config {in_force}",
        )
    return own


def store(path: Path, server_name: str, key: str, value: str, *, host: str) -> StoredValue:
    """Set a value of a server in the file at ``path``, which need not be there yet.

    That is the table ``[servers.NAME]``; where there is none, a new one with ``host``, named as names may be.
    Raises ConfigError for a file that is to be mended first, OutputError for one that cannot be written.
    """
    import tomlkit

    with _edited(path) as document:
        name, table = _find(document, path, server_name)
        if table is None:
            table = tomlkit.table()
            table["host"] = host
            _servers(document)[name] = table
        before = table.get(key)
        if before != value:
            _put(table, key, value)
    return StoredValue(str(name), None if before is None else str(before))


def store_secret_place(
    path: Path, server_name: str | None, key: str, value: str, *, instead_of: Sequence[str]
) -> str | None:
    """Say in a server's table, or in that of the defaults, where a secret is; return the key that said it before.

    The keys ``instead_of`` which it may be, name other places, of which one may stand in a table. The server must be
    there, the file need not. Raises as ``store`` does.
    """
    import tomlkit

    with _edited(path) as document:
        tables = document if server_name is None else _servers(document)
        name = "defaults" if server_name is None else server_name
        if name not in tables:
            tables[name] = tomlkit.table()
        table: Any = tables[name]
        before = next((other for other in instead_of if other in table), None)
        _put(table, key, value, instead_of)
    return before


@contextmanager
def _edited(path: Path) -> Iterator[TOMLDocument]:
    """Yield what the file says, and write it back where it has changed; no other run changes it meanwhile."""
    import tomlkit

    make_folder(path)
    with locked(path):
        document = _read(path)
        before = tomlkit.dumps(document)
        yield document
        after = tomlkit.dumps(document)
        if after != before:
            replace(path, after, _MODE)


def _put(table: Any, key: str, value: str, instead_of: Sequence[str] = ()) -> None:  # noqa: ANN401 - one of tomlkit's kinds of tables
    """Set a value where one of ``instead_of`` stood, else after the last value of the table.

    tomlkit can only append, which is after the comments that follow. Those are mostly about the next table, and when
    that one is a comment itself, as in the sample, and is uncommented later, the value would belong to it. So the new
    line goes into the trail of what stands before it, which tomlkit writes as it is.
    """
    from tomlkit import item
    from tomlkit.items import Table

    if key in table or not isinstance(table, Table) or table.is_super_table():
        for other in instead_of:
            table.pop(other, None)
        table[key] = value
        return
    before = _before(table, instead_of)
    for other in instead_of:
        table.pop(other, None)
    before.trivia.trail += f"{key} = {item(value).as_string()}\n"


def _before(table: Table, instead_of: Sequence[str]) -> Item:
    """Return what stands before a new value: a value, a comment, or the header of the table."""
    from tomlkit.items import AoT, Comment, Table

    value: Item = table
    line: Item = table
    for key, entry in table.value.body:
        if isinstance(entry, Table | AoT):
            break
        if key is not None and key.key in instead_of:
            return line
        if key is not None:
            value = line = entry
        elif isinstance(entry, Comment):
            line = entry
    return value


def check_editable(path: Path) -> None:
    """Raise ConfigError for a file that is to be mended before anything can be changed in it."""
    _read(path)


def _read(path: Path) -> TOMLDocument:
    import tomlkit
    from tomlkit.exceptions import ParseError, TOMLKitError

    try:
        text = path.read_bytes().decode("utf-8")
        return tomlkit.parse(text if text.endswith("\n") else f"{text}\n")
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


def _find(document: TOMLDocument, path: Path, server_name: str) -> tuple[str, Any]:
    """Return the name and the table of a server; None for a new one, with a name that the file may have."""
    servers = document.get("servers", {})
    if not isinstance(servers, Mapping):
        raise ConfigError(f"{path}: 'servers' is not a table", hint="nothing was changed; write [servers.NAME]")
    for name, table in servers.items():
        if not isinstance(table, Mapping):
            raise ConfigError(f"{path}: servers.{name} is not a table", hint="nothing was changed; mend the file first")
    if server_name in servers:
        return server_name, servers[server_name]
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", server_name).strip("-."), None


def _servers(document: TOMLDocument) -> Any:  # noqa: ANN401 - one of tomlkit's kinds of tables
    import tomlkit

    if "servers" not in document:
        document["servers"] = tomlkit.table(is_super_table=True)
    return document["servers"]
