"""Archives as they lie at a backup location, read without an appliance."""

from datetime import datetime
from typing import Literal

import msgspec

from backupctl.results.archive_results import Archive, ArchivesResult


class ArchiveFile(msgspec.Struct, frozen=True):
    """A file of an archive; ``size`` is in bytes, None if the server does not tell.

    ``sha256``, in hexadecimal digits, is set if the file was read.
    """

    name: str
    size: int | None = None
    sha256: str | msgspec.UnsetType = msgspec.UNSET


class TargetArchive(Archive, frozen=True, kw_only=True):
    """An archive at a location, as its folder shows it.

    ``kind`` is M for a manual backup, S for a scheduled one. An archive is ``unfinished`` without its metadata, which
    appliances are taken to write last, and ``damaged`` with any other of the ``problems``; both have some. One with
    more in it than files is ``damaged`` even without its metadata. ``start_time`` is as in ``ArchiveName``.
    ``restore_command`` validates a restore; None where it is not needed.
    """

    version: str
    start_time: datetime
    comment: str
    location: str
    kind: Literal["M", "S"]
    state: Literal["complete", "unfinished", "damaged"]
    complete: bool
    problems: tuple[str, ...] = ()
    size_bytes: int | None = None
    files: tuple[ArchiveFile, ...] = ()
    restore_command: str | None = None


class DirectArchivesResult(ArchivesResult, frozen=True, kw_only=True):
    """The result of ``archive list --direct``; ``other_entries`` are those that are no archives."""

    archives: tuple[TargetArchive, ...] = ()
    other_entries: int = 0
