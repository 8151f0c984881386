"""The environment variables of the program, and warnings about variables that it does not read."""

from collections.abc import Collection, Mapping
from typing import Final

from backupctl.config.option_table import OPTIONS, PROXY, SECRETS

PREFIX: Final = "BACKUPCTL_"
KEY_LOG: Final = "SSLKEYLOGFILE"
"""Names a file to which Python writes TLS keys for debugging (``ssl.create_default_context``)."""
HOOK_VARIABLES: Final = tuple(f"{PREFIX}{name}" for name in ("COMMAND", "SERVER", "EXIT_CODE", "SLUG", "JOB"))
"""The facts of a run that a hook gets; commands that it starts may have them too."""


def environment_names() -> tuple[str, ...]:
    """Return every variable with the prefix that is read, in the order of the tables."""
    named = [option.environment for option in OPTIONS]
    ours = [name for name in named if name is not None and name.startswith(PREFIX)]
    return (*ours, *(name for secret in SECRETS for name in secret.environment_names))


def environment_without_secrets(environ: Mapping[str, str], named: Collection[str] = ()) -> dict[str, str]:
    """Return the environment for a program that we start; of our own variables, only those without secrets.

    ``named`` are other variables with secrets, which the configuration names. A proxy of the whole system is kept, with
    its credentials, as the program may need it too.
    """
    without_secrets = {option.environment for option in OPTIONS if option is not PROXY}
    return {
        name: value
        for name, value in environ.items()
        if name not in named and (name in without_secrets or not name.upper().lstrip("_").startswith(PREFIX))
    }


def unread_variable_warnings(environ: Mapping[str, str]) -> list[str]:
    """Return a warning for each variable with the prefix that is not read, such as a misspelt one in a crontab.

    The warnings never show a value.
    """
    known = environment_names()
    flags_only = {PREFIX + option.key.upper(): option for option in OPTIONS if option.environment is None}
    warnings = []
    for name in sorted(environ):
        if name.upper().startswith(PREFIX) and name not in {*known, *HOOK_VARIABLES}:
            option = flags_only.get(name.upper())
            if option is not None:
                warnings.append(f"{name} is ignored: {option.flag} cannot be set in the environment")
            else:
                warnings.append(f"{name} is ignored: unknown setting{_suggestion(name.upper(), known)}")
    return warnings


def _suggestion(name: str, known: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    similar = get_close_matches(name, known, n=1, cutoff=0.8)
    return f"; did you mean {similar[0]}?" if similar else ""
