"""What in an environment is a setting of ours, and what only looks like one."""

from collections.abc import Mapping
from typing import Final

from backupctl.config.option_table import OPTIONS, PROXY, SECRETS

PREFIX: Final = "BACKUPCTL_"
KEY_LOG: Final = "SSLKEYLOGFILE"
"""Names a file to which Python writes the keys of TLS connections (``ssl.create_default_context``), to debug them."""


def environment_names() -> tuple[str, ...]:
    """Return every variable of ours that is read, in the order of the tables."""
    named = [option.environment for option in OPTIONS]
    ours = [name for name in named if name is not None and name.startswith(PREFIX)]
    return (*ours, *(name for secret in SECRETS for name in secret.environment_names))


def environment_without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a program that we start gets: of our own variables only those of options that hold no secret.

    A proxy of the whole system stays, credentials or not: what is started may need it as much as we do.
    """
    harmless = {option.environment for option in OPTIONS if option is not PROXY}
    return {
        name: value
        for name, value in environ.items()
        if name in harmless or not name.upper().lstrip("_").startswith(PREFIX)
    }


def unread_variable_warnings(environ: Mapping[str, str]) -> list[str]:
    """Return a line for each variable that starts like ours and is not read, as a typing error in a crontab would be.

    The lines never show a value.
    """
    known = environment_names()
    flags_only = {PREFIX + option.key.upper(): option for option in OPTIONS if option.environment is None}
    warnings = []
    for name in sorted(environ):
        if name.upper().startswith(PREFIX) and name not in known:
            option = flags_only.get(name.upper())
            if option is not None:
                warnings.append(f"{name} is ignored: {option.flag} is never taken from the environment")
            else:
                warnings.append(f"{name} is ignored: there is no such setting{_suggestion(name.upper(), known)}")
    return warnings


def _suggestion(name: str, known: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1, cutoff=0.8)
    return f"; is {close[0]} meant?" if close else ""
