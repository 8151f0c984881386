"""What commands find that ask the keyring: one of this process."""

from collections.abc import Iterator

import pytest

from tests.support.keyrings import MemoryKeyring, in_use


@pytest.fixture
def memory() -> Iterator[MemoryKeyring]:
    with in_use(MemoryKeyring()) as memory:
        yield memory
