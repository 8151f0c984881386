"""The notify tables of the configuration file: ``[notify]``, ``[notify.servers.NAME]`` and ``[notify.groups.NAME]``."""

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from backupctl.config.config_keys import (
    PLACE_CHECKS,
    check_single_places,
    plain_secret_error,
    string_value,
    unknown_name_error,
)
from backupctl.config.option import SecretName
from backupctl.config.value import FILE, Source, parse_from
from backupctl.errors import ConfigError
from backupctl.rules.duration import parse_duration

PING: Final = SecretName("ping", "URL of a monitor that waits for a sign of each run")
URLS: Final = SecretName("urls", "Apprise URLs that get messages")
HOOKS: Final = ("before", "after-success", "after-failure")
OCCASIONS: Final = ("failure", "recovery", "always")
"""After which runs a message is sent; ``recovery`` adds the first success after a failure."""

_Values = Mapping[str, Any]


def notify_tables(table: _Values, known: Mapping[str, Collection[str]], path: Path) -> Iterator[tuple[str, _Values]]:
    """Yield the name of each notify table with its parsed values; ``known`` are the servers and groups of the file.

    Raises ConfigError: at the first mistake, with file, key and remedy.
    """
    yield "notify", _checked({key: value for key, value in table.items() if key not in known}, f"{path}: notify", path)
    for kind, names in known.items():
        for name, inner in _table(table.get(kind, {}), f"{path}: notify.{kind}").items():
            label = f"notify.{kind}.{name}"
            if name not in names:
                raise unknown_name_error(f"{path}: {label}", name, kind.removesuffix("s"), names)
            yield label, _checked(_table(inner, f"{path}: {label}"), f"{path}: {label}", path)


def _table(value: object, label: str) -> _Values:
    if not isinstance(value, dict):
        raise ConfigError(f"{label} must be a table", hint=f"use [{label.rpartition(': ')[2]}] on a line of its own")
    return value


def _checked(table: _Values, label: str, path: Path) -> _Values:
    for key in table:
        if key not in _CHECKS:
            plain = next((secret for secret in (PING, URLS) if secret.name == key), None)
            at = f"{label}.{key}"
            raise plain_secret_error(at, plain) if plain else unknown_name_error(at, key, "key", _CHECKS)
    check_single_places(table, label, (PING, URLS))
    return {key: _CHECKS[key](value, f"{label}.{key}", path.parent) for key, value in table.items()}


def _occasion(value: object, at: str, _folder: Path) -> str:
    if value not in OCCASIONS:
        raise ConfigError(f"{at}: invalid value {value!r}", hint=f"choose from {', '.join(OCCASIONS)}")
    return str(value)


_CHECKS: Final[Mapping[str, Callable[[object, str, Path], object]]] = {
    **{key: PLACE_CHECKS[key.rpartition("-")[2]] for secret in (PING, URLS) for key in secret.file_keys},
    **dict.fromkeys(HOOKS, PLACE_CHECKS["command"]),
    "on": _occasion,
    "hook-timeout": lambda value, at, _: parse_from(Source(FILE, at), parse_duration, string_value(value, at)),
}
