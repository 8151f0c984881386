"""The keys of a table of the configuration file and the checks of their values, derived from the option table."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from backupctl.config.option import Kind, Option, SecretName
from backupctl.config.option_table import (
    INTERVAL,
    KEEP_RULES,
    OPTIONS,
    PARALLEL,
    PROXY,
    SECRETS,
    STALL_TIMEOUT,
    TIMEOUT,
)
from backupctl.config.proxy import Proxy
from backupctl.config.value import FILE, Source, parse_from
from backupctl.errors import ConfigError

SERVER_ONLY: Final = ("host", "fingerprint", "system")
"""Keys that identify an appliance, and so are allowed only in ``[servers.NAME]``."""

_NUMERIC_OPTIONS: Final[tuple[Option[object], ...]] = (TIMEOUT, STALL_TIMEOUT, INTERVAL, PARALLEL, *KEEP_RULES)
_VARIABLE: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class TableKeys:
    """The keys that a table may have: those of options, of places of secrets, and ``others``."""

    def __init__(
        self, options: Sequence[Option[object]], secrets: Sequence[SecretName], others: tuple[str, ...] = ()
    ) -> None:
        self.options = {option.file_key: option for option in options if option.file_key}
        self.flags_only = {option.name: option for option in options if not option.file_key}
        self.secrets = {secret.name: secret for secret in secrets}
        self.place_kinds = {key: key.rpartition("-")[2] for secret in secrets for key in secret.file_keys}
        self.others = others
        self.known = (*others, *self.options, *self.place_kinds)


APPLIANCE_KEYS: Final = TableKeys(OPTIONS, SECRETS, ("host", "read-only"))


def check_table(
    table: Mapping[str, object],
    label: str,
    folder: Path,
    *,
    misplaced: frozenset[str] = frozenset(),
    keys: TableKeys = APPLIANCE_KEYS,
) -> dict[str, object]:
    """Return the parsed values of a table by key; relative paths are relative to ``folder``.

    ``misplaced`` are keys that belong in another table. Raises ConfigError: for an invalid key or value; the message
    never shows a secret.
    """
    values = {}
    for key, value in table.items():
        at = f"{label}.{key}"
        if key in misplaced and key in keys.known:
            other = "[defaults]" if "servers." in label else "a table [servers.NAME]"
            raise ConfigError(f"{at} does not belong in this table", hint=f"move it to {other}")
        values[key] = _value(key, value, at, folder, keys)
    for secret in keys.secrets.values():
        places = [key for key in secret.file_keys if key in table]
        if len(places) > 1:
            raise ConfigError(f"{label}: {' and '.join(places)} cannot both be set", hint="keep one of them")
    return values


def key_outside_tables_error(path: Path, key: str) -> ConfigError | None:
    """Return the error for a key outside any table, None if it is not a key."""
    if key not in APPLIANCE_KEYS.known:
        return None
    table = "[servers.NAME]" if key in SERVER_ONLY else "[defaults]"
    return ConfigError(f"{path}: {key} is outside of all tables", hint=f"move it to {table}")


def unknown_name_error(
    at: str, name: str, what: str, known: Iterable[str], *, remedy: str = "remove it"
) -> ConfigError:
    """Return the error for an unknown name ``at`` a place of the file, with a similar known name or the remedy."""
    similar = get_close_matches(name, list(known), n=1, cutoff=0.7)
    return ConfigError(f"{at}: unknown {what}", hint=f"did you mean {similar[0]}?" if similar else remedy)


def _value(key: str, value: object, at: str, folder: Path, keys: TableKeys) -> object:
    if key in keys.options:
        return _option_value(keys.options[key], value, at, folder)
    if key in keys.place_kinds:
        return _PLACE_CHECKS[keys.place_kinds[key]](value, at, folder)
    if key in keys.others:
        return _boolean(value, at) if key == "read-only" else _text(value, at)
    if key in keys.secrets:
        places = ", ".join(keys.secrets[key].file_keys)
        raise ConfigError(f"{at}: secrets are not allowed in this file", hint=f"use one of {places}")
    if key in keys.flags_only:
        flag = keys.flags_only[key].flag
        raise ConfigError(f"{at}: {flag} cannot be set in a file", hint="remove it, and use it on the command line")
    raise unknown_name_error(at, key, "key", keys.known)


def _option_value(option: Option[object], value: object, at: str, folder: Path) -> object:
    if option.kind is Kind.SWITCH:
        return _boolean(value, at)
    if option.kind is Kind.LIST:
        if value == []:
            raise _empty(at)
        if not isinstance(value, list):
            raise ConfigError(f"{at} must be a list of strings", hint=f'use {option.file_key} = ["...", "..."]')
        return parse_from(Source(FILE, at), option.read, [_text(each, at) for each in value])
    parsed = parse_from(Source(FILE, at), option.parse, _option_text(option, value, at))
    if option == PROXY and isinstance(parsed, Proxy) and parsed.has_credentials:
        hint = f"put the URL in the environment variable {PROXY.environment}"
        raise ConfigError(f"{at}: secrets are not allowed in this file", hint=hint)
    return folder / parsed if isinstance(parsed, Path) else parsed


def _option_text(option: Option[object], value: object, at: str) -> str:
    """Return a value as its text on a command line, so that the parser of the option reports an invalid one."""
    has_fixed_choices = bool(option.choices) and not option.open_choices
    if isinstance(value, int | float) and (has_fixed_choices or option in _NUMERIC_OPTIONS):
        return str(value).lower()
    return _text(value, at)


def _text(value: object, at: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{at} must be a string", hint='put it in quotes: "..."')
    if not value:
        raise _empty(at)
    return value


def _empty(at: str) -> ConfigError:
    return ConfigError(f"{at} is empty", hint="set a value, or remove it")


def _boolean(value: object, at: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{at} must be true or false", hint="use true or false, without quotes")
    return value


def _secret_file(value: object, at: str, folder: Path) -> str:
    text = _text(value, at)
    if text == "-":
        raise ConfigError(f"{at}: standard input works only on the command line", hint="use a file")
    try:
        return str(folder / Path(text).expanduser())
    except RuntimeError as error:
        raise ConfigError(f"{at}: {text!r}: home directory not found", hint="use an absolute path") from error


def _command(value: object, at: str, _folder: Path) -> tuple[str, ...]:
    """Return the words of a command; a single string would need a shell, and none is used."""
    words = value if isinstance(value, list) else []
    if not words or not all(isinstance(word, str) and word for word in words):
        raise ConfigError(f"{at} must be a list of words", hint='use ["pass", "show", "vcenter"]; no shell runs it')
    return tuple(words)


def _place_name(value: object, at: str, _folder: Path) -> str:
    return _text(value, at)


def _variable(value: object, at: str, _folder: Path) -> str:
    """Return a valid name of a variable; an invalid one is not shown, as it may be a secret."""
    text = _text(value, at)
    if _VARIABLE.fullmatch(text) is None:
        raise ConfigError(f"{at} must be a variable name", hint="use a name such as VCENTER_PASSWORD, and export it")
    return text


_PLACE_CHECKS: Final[Mapping[str, Callable[[object, str, Path], object]]] = {
    "file": _secret_file,
    "command": _command,
    "env": _variable,
    "credential": _place_name,
    "keyring": _place_name,
}
