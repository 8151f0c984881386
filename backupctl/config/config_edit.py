"""Edit the configuration file, and keep its comments and layout."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from backupctl.config.atomic_write import locked, make_folder, replace
from backupctl.config.config_file import file_modes, new_path, user_path
from backupctl.config.configuration import configuration_of
from backupctl.config.option_table import SECRETS
from backupctl.errors import ConfigError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Item, Table

SAMPLE: Final = Path(__file__).with_name("sample.toml").read_text(encoding="utf-8")
"""The file that ``backupctl config init`` writes, with every key commented out."""

_FIX_FIRST: Final = "fix the file first; nothing was changed"


class StoredValue(NamedTuple):
    """The name of the server whose value was stored, and the previous value."""

    name: str
    previous: str | None


def path_to_edit(named: Path | None, current: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the file to edit: the named one, the current one, or a new one of this user.

    Raises ConfigError: if there is no home directory, or if the system's file is in use and not named: a new file of
    the user would hide all of it.
    """
    if named is not None:
        return named
    new = new_path(environ)
    if new is None:
        raise ConfigError("this user has no home directory for a configuration file", hint="use --config FILE")
    if current not in {None, new, user_path(environ)}:
        raise ConfigError(
            f"{current} is the system's configuration file, and --config does not name it",
            hint=f"use --config {current}",
        )
    return current or new


def add_sample(path: Path) -> None:
    """Write the sample, above the tables that the file may have from ``trust pin``.

    Raises ConfigError: if the file has defaults, whether from the sample or of its own. Raises OutputError: if it
    cannot be written.
    """
    import tomlkit

    make_folder(path, file_modes(path)[1])
    with locked(path):
        text = tomlkit.dumps(_read(path))
        if not _takes_sample(text):
            raise ConfigError(
                f"{path} already exists",
                hint="check it with `backupctl config check`, or use --config for another file",
            )
        replace(path, _with_sample(text), file_modes(path)[0])


def merge(path: Path, tables: Mapping[tuple[str, ...], Mapping[str, object]]) -> None:
    """Set values in tables of the file, such as ``("servers", "vc01")``; a table that is missing is added.

    None removes a value. A place of a secret replaces its other places in the same table. A file without defaults
    gets the sample.

    Raises ConfigError: if the file is invalid or would become so; nothing is changed then. Raises OutputError: if it
    cannot be written.
    """
    with _edited(path, with_sample=True) as document:
        _check(document, path)
        for names, values in tables.items():
            table = _table(document, names)
            for key, value in values.items():
                if value is None:
                    table.pop(key, None)
                else:
                    _set_value(table, key, value)
        _check(document, path)


def store(path: Path, server_name: str, key: str, value: str, *, host: str) -> StoredValue:
    """Store a value in ``[servers.NAME]``, without a name in ``[defaults]``; the file need not exist yet.

    A missing table is added, that of a server with ``host`` and a valid name.

    Raises ConfigError: if the file is invalid. Raises OutputError: if it cannot be written.
    """
    with _edited(path) as document:
        name, table = _find_server(document, path, server_name)
        if not server_name:
            name, table = "defaults", _table(document, ("defaults",))
        elif table is None:
            table = _table(document, ("servers", name))
            _set_value(table, "host", host)
        previous = table.get(key)
        if previous != value:
            _set_value(table, key, value)
    return StoredValue(str(name), None if previous is None else str(previous))


@contextmanager
def _edited(path: Path, *, with_sample: bool = False) -> Iterator[TOMLDocument]:
    """Yield the document of the file and write it back if it has changed; the file is locked meanwhile."""
    import tomlkit

    file_mode, folder_mode = file_modes(path)
    make_folder(path, folder_mode)
    with locked(path):
        document = _read(path)
        original = tomlkit.dumps(document)
        if with_sample and _takes_sample(original):
            document = tomlkit.parse(_with_sample(original))
        yield document
        edited = tomlkit.dumps(document)
        if edited != original:
            replace(path, edited, file_mode)


def _set_value(table: Any, key: str, value: Any) -> None:  # noqa: ANN401 - tomlkit has several types
    """Set a value in place of another place of the same secret, or else after the last value of the table.

    tomlkit only appends after the comments at the end of a table. They mostly belong to the next table, which may be
    commented out itself, as in the sample; the value would belong to it once it is uncommented. So the new line is
    added to the trailing text of the item before it, which tomlkit writes unchanged.
    """
    from tomlkit import item
    from tomlkit.items import SingleKey, Table

    others = [other for secret in SECRETS if key in secret.file_keys for other in secret.file_keys if other != key]
    is_new = key not in table and isinstance(table, Table) and not table.is_super_table()
    previous_item = _item_before(table, others) if is_new else None
    for other in others:
        table.pop(other, None)
    if previous_item is None:
        table[key] = value
    else:
        previous_item.trivia.trail += f"{SingleKey(key).as_string()} = {item(value).as_string()}\n"


def _item_before(table: Table, instead_of: Sequence[str]) -> Item:
    """Return the item after which a new value is inserted: a value, a comment, or the header of the table."""
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
    """Raise ConfigError if the file is not valid TOML or cannot be read."""
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
        reason = str(error).partition(" at line ")[0].rstrip(".")
        raise ConfigError(f"{path}, line {error.line}: {reason}", hint=_FIX_FIRST) from error
    except (TOMLKitError, ValueError) as error:
        raise ConfigError(f"{path} is not a valid TOML file: {error}", hint=_FIX_FIRST) from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error


def _find_server(document: TOMLDocument, path: Path, server_name: str) -> tuple[str, Any]:
    """Return the name and the table of a server; for a new server, a valid name and None."""
    servers = document.get("servers", {})
    if not isinstance(servers, Mapping):
        raise ConfigError(f"{path}: 'servers' must be a table", hint="use [servers.NAME]; nothing was changed")
    for name, table in servers.items():
        if not isinstance(table, Mapping):
            raise ConfigError(f"{path}: servers.{name} must be a table", hint=_FIX_FIRST)
    if server_name in servers:
        return server_name, servers[server_name]
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", server_name).strip("-."), None


def _table(document: TOMLDocument, names: Sequence[str]) -> Any:  # noqa: ANN401 - tomlkit has several types
    """Return the table with this path; a missing one is added."""
    import tomlkit

    table: Any = document
    for name in names:
        if name not in table:
            is_servers = table is document and name == "servers"
            table[name] = tomlkit.table(is_super_table=is_servers)
            if not is_servers and list(document)[-1] != names[0]:
                table[name].add(tomlkit.nl())  # before the header of the next table
        table = table[name]
    return table


def _check(document: TOMLDocument, path: Path) -> None:
    """Raise ConfigError if this is not a valid configuration."""
    configuration_of(tomllib.loads(document.as_string()), path)


def _takes_sample(text: str) -> bool:
    """Return whether the sample can stand above ``text`` and leave its meaning: not if it has defaults of its own."""
    try:
        return tomllib.loads(_with_sample(text)) == {"defaults": {}, **tomllib.loads(text)}
    except tomllib.TOMLDecodeError:
        return False


def _with_sample(text: str) -> str:
    return f"{SAMPLE}\n{text}" if text.strip() else SAMPLE
