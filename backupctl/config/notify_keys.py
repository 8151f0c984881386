"""The keys of the notify tables: ``[notify]``, ``[notify.servers.NAME]`` and ``[notify.groups.NAME]``."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from backupctl.config.config_keys import TableKeys
from backupctl.config.option import Kind, Option, OptionGroup, SecretName, single
from backupctl.config.parsers import parse_choice, parse_duration
from backupctl.errors import UsageError

PING: Final = SecretName("ping", "URL of a monitor that waits for a sign of each run")
URLS: Final = SecretName("urls", "Apprise URLs that get messages", lines=True)

_OCCASIONS: Final = ("failure", "recovery", "always")
_GROUP: Final = OptionGroup.FOLLOWING
ON: Final = Option(
    "on",
    _GROUP,
    single(partial(parse_choice, _OCCASIONS)),
    "After which runs a message is sent; recovery adds the first success after a failure.",
    choices=_OCCASIONS,
    default=_OCCASIONS[0],
    file_key="",
)


def _timeout(text: str) -> float:
    seconds = parse_duration(text)
    if not seconds:
        raise UsageError("must be longer than 0s", hint="use 60s or 5m")
    return seconds


def _words(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(texts)


BEFORE, AFTER_SUCCESS, AFTER_FAILURE = HOOKS = tuple(
    Option(name, _GROUP, _words, "The words of a program to run.", kind=Kind.LIST, file_key="")
    for name in ("before", "after-success", "after-failure")
)
HOOK_TIMEOUT: Final = Option(
    "hook-timeout", _GROUP, single(_timeout), "Time limit of a hook.", default="60s", file_key=""
)
NOTIFY_KEYS: Final = TableKeys((ON, *HOOKS, HOOK_TIMEOUT), (PING, URLS))
