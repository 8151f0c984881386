"""The keys of the notify tables: ``[notify]``, ``[notify.servers.NAME]`` and ``[notify.groups.NAME]``."""

from functools import partial
from typing import Final

from backupctl.config.config_keys import TableKeys
from backupctl.config.option import Kind, Option, OptionGroup, SecretName, single
from backupctl.config.parsers import parse_choice, parse_nonzero_duration

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


BEFORE, AFTER_SUCCESS, AFTER_FAILURE = HOOKS = tuple(
    Option(name, _GROUP, tuple[str, ...], "The words of a program to run.", kind=Kind.LIST, file_key="")
    for name in ("before", "after-success", "after-failure")
)
HOOK_TIMEOUT: Final = Option(
    "hook-timeout", _GROUP, single(parse_nonzero_duration), "Time limit of a hook.", default="60s", file_key=""
)
NOTIFY_KEYS: Final = TableKeys((ON, *HOOKS, HOOK_TIMEOUT), (PING, URLS))
