"""A secret in the keyring of the operating system, under the service ``backupctl`` (https://pypi.org/project/keyring)."""

import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from backupctl.errors import ConfigError
from backupctl.secret import Secret
from backupctl.settings.secret_text import PATIENCE_SECONDS, secret_from_text

SERVICE: Final = "backupctl"

T = TypeVar("T")


def read_keyring(entry: str, where: str) -> Secret:
    """Return the secret that is stored as ``entry``; raises ConfigError about ``where``."""
    text = _within_patience(lambda keyring: keyring.get_password(SERVICE, entry), where)
    if text is None:
        hint = "store it with: backupctl config set-secret"
        raise ConfigError(f"{where}: the keyring of this user has no entry {entry!r}", hint=hint)
    return secret_from_text(str(text), where)


def store_in_keyring(entry: str, secret: Secret, where: str) -> None:
    """Store a secret as ``entry``; raises ConfigError about ``where``."""
    _within_patience(lambda keyring: keyring.set_password(SERVICE, entry, secret.reveal()), where)


def _within_patience(work: Callable[[Any], T], where: str) -> T:
    """Return what ``work`` gives; in a thread, as a locked keyring waits for somebody to unlock it, for ever."""
    try:
        import keyring
    except ImportError:
        raise ConfigError(
            f"{where}: the keyring needs a package that is not installed", hint="pip install 'backupctl[keyring]'"
        ) from None
    outcomes: list[T | Exception] = []

    def run() -> None:
        try:
            outcomes.append(work(keyring))
        except Exception as error:  # noqa: BLE001 - a backend is a plugin, and may raise whatever it likes
            outcomes.append(error)

    thread = threading.Thread(target=run, name="keyring", daemon=True)
    thread.start()
    thread.join(PATIENCE_SECONDS)
    if not outcomes:
        hint = "unlock it first; where nobody can, keep the secret in a file or a systemd credential"
        raise ConfigError(f"{where}: the keyring gave no answer within {PATIENCE_SECONDS:.0f} seconds", hint=hint)
    (outcome,) = outcomes
    if isinstance(outcome, Exception):
        raise ConfigError(
            f"{where}: the keyring cannot be used ({type(outcome).__name__})",
            hint="`python -m keyring diagnose` shows what it finds; a file or a systemd credential needs none",
        ) from None
    return outcome
