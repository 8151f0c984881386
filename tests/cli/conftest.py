"""The keyring of commands under test: one in memory."""

from collections.abc import Iterator

import pytest

from tests.support.memory_keyring import MemoryKeyring, use_keyring


@pytest.fixture(autouse=True)
def memory() -> Iterator[MemoryKeyring]:
    """Replace the keyring of the user, which may be locked and block the test."""
    with use_keyring(MemoryKeyring()) as memory:
        yield memory
