"""The notify tables of the configuration file: ``[notify]``, ``[notify.servers.NAME]`` and ``[notify.groups.NAME]``."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

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


def check_notify_table(table: Mapping[str, object], label: str, folder: Path) -> dict[str, object]:
    """Return the parsed values of a notify table by key. Raises ConfigError: as ``check_table`` does."""
    plain = {PING.name: PING, URLS.name: URLS}
    for key in table:
        if key not in _CHECKS:
            at = f"{label}.{key}"
            raise plain_secret_error(at, plain[key]) if key in plain else unknown_name_error(at, key, "key", _CHECKS)
    check_single_places(table, label, plain.values())
    return {key: _CHECKS[key](value, f"{label}.{key}", folder) for key, value in table.items()}


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
