"""Read a file that streams by once: its size, its checksum, and whether its gzip data is whole."""

import zlib
from collections.abc import Iterable
from hashlib import sha256
from typing import Final, NamedTuple

_GZIP: Final = b"\x1f\x8b\x08"
"""How gzip data begins: its two magic bytes, and deflate, its only method (RFC 1952)."""

_WITH_HEADER: Final = 16 + zlib.MAX_WBITS
_PIECE_BYTES: Final = 1 << 20
"""How much is decompressed at once, however well the data is compressed."""


class Content(NamedTuple):
    """What reading a file has shown; ``damage`` is about its gzip data."""

    size: int
    sha256: str
    is_gzip: bool
    damage: str | None


def read_content(chunks: Iterable[bytes], *, unpack: bool) -> Content:
    """Read a file in bounded memory; with ``unpack``, zlib compares gzip members with their CRC and length.

    Members may follow each other, and zero bytes may follow them, as on tapes; anything else is damage.
    """
    size, digest, head, damage = 0, sha256(), b"", None
    member = zlib.decompressobj(_WITH_HEADER)
    for chunk in chunks:
        size += len(chunk)
        digest.update(chunk)
        data = chunk
        if len(head) < len(_GZIP):
            head = data = head + chunk
        try:
            while data and unpack and head.startswith(_GZIP) and damage is None:
                if member.eof and (data := data.lstrip(b"\0")):
                    member = zlib.decompressobj(_WITH_HEADER)
                elif member.eof:
                    break
                member.decompress(data, _PIECE_BYTES)
                data = member.unconsumed_tail or member.unused_data
        except zlib.error:
            damage = "its gzip data is damaged"
    is_gzip = unpack and head.startswith(_GZIP)
    if is_gzip and damage is None and not member.eof:
        damage = "its gzip data is incomplete"
    return Content(size, digest.hexdigest(), is_gzip, damage)
