"""Archives as they lie at a backup location, read without an appliance."""

from datetime import datetime
from typing import Literal

import msgspec


class ArchiveFile(msgspec.Struct, frozen=True):
    """A file of an archive; ``size`` is in bytes, None if the server does not tell."""

    name: str
    size: int | None = None


class TargetArchive(msgspec.Struct, frozen=True, kw_only=True):
    """An archive at a location, as its folder shows it.

    ``kind`` is M for a manual backup, S for a scheduled one. An archive is ``unfinished`` without its metadata, which
    appliances are taken to write last, and ``damaged`` with any other of the ``problems``; both have some. One with
    more in it than files is ``damaged`` even without its metadata. ``start_time`` is as in ``ArchiveName``.
    """

    archive: str
    system_name: str
    kind: Literal["M", "S"]
    version: str
    start_time: datetime
    comment: str
    location: str
    state: Literal["complete", "unfinished", "damaged"]
    problems: tuple[str, ...] = ()
    size_bytes: int | None = None
    files: tuple[ArchiveFile, ...] = ()
