"""A keyring in memory."""

from collections.abc import Iterator
from contextlib import contextmanager

import keyring
from keyring.backend import KeyringBackend


class MemoryKeyring(KeyringBackend):
    """Stores secrets in a dictionary; ``forgetful`` stores nothing, as keyring's null backend does."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[str, str] = {}
        self.asked: list[str] = []
        self.forgetful = False

    def get_password(self, service: str, username: str) -> str | None:
        self.asked.append(username)
        return self.entries.get(username) if service == "backupctl" else None

    def set_password(self, service: str, username: str, password: str) -> None:
        assert service == "backupctl"
        if not self.forgetful:
            self.entries[username] = password


@contextmanager
def use_keyring(memory: MemoryKeyring) -> Iterator[MemoryKeyring]:
    """Make this the active keyring while the block runs."""
    before = keyring.get_keyring()
    keyring.set_keyring(memory)
    try:
        yield memory
    finally:
        keyring.set_keyring(before)
