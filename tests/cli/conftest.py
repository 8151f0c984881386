"""What commands find that ask the keyring: one of this process."""

from collections.abc import Iterator

import pytest

from tests.support.memory_keyring import MemoryKeyring, use_keyring


@pytest.fixture(autouse=True)
def memory() -> Iterator[MemoryKeyring]:
    """The only one that a test ever asks: that of whoever runs the tests may be locked, and waits."""
    with use_keyring(MemoryKeyring()) as memory:
        yield memory
