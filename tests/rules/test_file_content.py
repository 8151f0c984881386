"""Reading a file once: its checksum, and its gzip data to the end, however it is cut into chunks."""

import gzip
import hashlib
import tracemalloc
from collections.abc import Iterator

import pytest

from backupctl.rules.file_content import read_content

MEMBER = gzip.compress(b"content " * 500, mtime=0)
WHOLE = {
    "one": MEMBER,
    "three": MEMBER * 3,
    "zeros behind": MEMBER + bytes(600),
    "zeros between": MEMBER + b"\0" + MEMBER,
}
DAMAGED = {
    "cut": MEMBER[:-1],
    "cut in the header": MEMBER[:5],
    "cut in the second": MEMBER + MEMBER[:-1],
    "a wrong CRC": MEMBER[:-6] + bytes([MEMBER[-6] ^ 1]) + MEMBER[-5:],
    "a wrong length": MEMBER[:-1] + b"\1",
    "text behind": MEMBER + b"text",
    "text behind zeros": MEMBER + bytes(7) + b"text",
}


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 2, 7, 4096])
def test_gzip_data_is_whole_or_damaged_however_it_is_cut(size: int) -> None:
    for data in WHOLE.values():
        content = read_content(chunks(data, size), unpack=True)
        assert content == (len(data), hashlib.sha256(data).hexdigest(), True, None)
    found = {name: read_content(chunks(data, size), unpack=True).damage for name, data in DAMAGED.items()}
    assert [name for name, damage in found.items() if damage is None] == []


@pytest.mark.parametrize("data", [b"", b"\x1f", b"\x1f\x8b", b"\x1f\x8b\x00", b"text", b"\0" + MEMBER])
def test_other_files_are_only_read(data: bytes) -> None:
    for size in (1, 4096):
        content = read_content(chunks(data, size), unpack=True)
        assert content == (len(data), hashlib.sha256(data).hexdigest(), False, None)


def test_memory_stays_bounded_however_well_data_is_compressed() -> None:
    bomb = gzip.compress(bytes(30_000_000), mtime=0)
    tracemalloc.start()
    try:
        assert read_content(chunks(bomb, 256 * 1024), unpack=True).damage is None
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
