"""A keyring of the operating system that is no more than a dictionary."""

from collections.abc import Iterator
from contextlib import contextmanager

import keyring
from keyring.backend import KeyringBackend


class MemoryKeyring(KeyringBackend):
    """Keeps secrets as long as it is there; ``forgetful`` as keyring's own null backend does, for no time at all."""

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
    """Let the program find this keyring and no other."""
    before = keyring.get_keyring()
    keyring.set_keyring(memory)
    try:
        yield memory
    finally:
        keyring.set_keyring(before)
