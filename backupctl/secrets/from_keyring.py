"""Read and store secrets in the keyring of the operating system, under the service ``backupctl``."""

import threading
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Final, TypeVar

from backupctl.errors import INSTALL_HINT, ConfigError
from backupctl.secrets.bounded_read import READ_TIMEOUT_SECONDS
from backupctl.secrets.from_text import secret_from_text
from backupctl.secrets.secret import Secret

SERVICE: Final = "backupctl"

T = TypeVar("T")


class Keyring:
    """The keyring of this user (https://pypi.org/project/keyring), with a time limit.

    Each call runs in a thread, as a locked keyring waits forever for somebody to unlock it. After a timeout the keyring
    is not tried again in this run: fifty appliances would wait fifty times.

    All methods raise ConfigError about ``where``.
    """

    def __init__(self, timeout_seconds: float = READ_TIMEOUT_SECONDS) -> None:
        self._timeout_seconds = timeout_seconds
        self._timed_out = False

    def check_installed(self, where: str) -> None:
        """Raise ConfigError unless the keyring package is installed; no keyring is opened."""
        if find_spec("keyring") is None:
            message = f"{where}: the Python package keyring is not installed"
            raise ConfigError(message, hint=INSTALL_HINT.format("keyring"))

    def read(self, entry: str, where: str, seconds: float = READ_TIMEOUT_SECONDS, *, lines: bool = False) -> Secret:
        """Return the secret stored as ``entry``, within ``seconds``; ``lines``: it may have several."""
        text = self._ask(lambda keyring: keyring.get_password(SERVICE, entry), where, seconds)
        if text is None:
            hint = "store it with `backupctl config set-secret`, as the user that runs this"
            raise ConfigError(f"{where}: entry {entry!r} not found in the keyring of this user", hint=hint)
        return secret_from_text(str(text), f"{where}: keyring entry {entry!r}", lines=lines)

    def holds(self, entry: str, where: str) -> bool:
        """Return whether there is an ``entry``."""
        return self._ask(lambda keyring: keyring.get_password(SERVICE, entry), where) is not None

    def store(self, entry: str, secret: Secret, where: str) -> None:
        """Store a secret as ``entry`` and read it back, as some backends accept everything and keep nothing."""

        def store_and_read(keyring: Any) -> bool:  # noqa: ANN401 - a module that may be missing
            keyring.set_password(SERVICE, entry, secret.reveal())
            return bool(keyring.get_password(SERVICE, entry) == secret.reveal())

        if not self._ask(store_and_read, where):
            raise ConfigError(
                f"{where}: the keyring did not keep the secret",
                hint="`python -m keyring diagnose` shows which backend is in use",
            )

    def _ask(self, work: Callable[[Any], T], where: str, seconds: float = READ_TIMEOUT_SECONDS) -> T:
        self.check_installed(where)
        if self._timed_out:
            raise ConfigError(f"{where}: the keyring did not respond before; not trying again", hint=_LOCKED)
        outcomes: list[T | Exception] = []

        def run() -> None:
            try:
                import keyring

                outcomes.append(work(keyring))
            except Exception as error:  # noqa: BLE001 - a backend is a plugin, and may raise whatever it likes
                outcomes.append(error)

        thread = threading.Thread(target=run, name="keyring", daemon=True)
        thread.start()
        thread.join(min(seconds, self._timeout_seconds))
        if not outcomes:
            self._timed_out = True
            raise ConfigError(
                f"{where}: the keyring did not respond within {self._timeout_seconds:g} seconds", hint=_LOCKED
            )
        (outcome,) = outcomes
        if isinstance(outcome, Exception) and type(outcome).__name__ == "KeyringLocked":
            raise ConfigError(f"{where}: the keyring is locked", hint=_LOCKED) from None
        if isinstance(outcome, Exception):
            raise ConfigError(
                f"{where}: the keyring does not work ({type(outcome).__name__})",
                hint="run `python -m keyring diagnose`, or keep the secret in a file or a systemd credential",
            ) from None
        return outcome


_LOCKED: Final = "unlock it, or keep the secret in a file or a systemd credential"
