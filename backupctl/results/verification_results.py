"""The manifest of an archive, and the result of its verification."""

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec

from backupctl.results.result import Result
from backupctl.results.target_archive import ArchiveFile

PRESENT: Final = "present"
UNCHANGED: Final = "unchanged"
READABLE: Final = "readable"
"""The levels of verification."""


class Manifest(msgspec.Struct, frozen=True):
    """The files of an archive when it was good, all with checksums or none; ``recorded_by`` is a command."""

    system: str
    archive: str
    recorded_at: Annotated[datetime, msgspec.Meta(tz=True)]
    recorded_by: str
    encrypted: bool | None
    files: tuple[ArchiveFile, ...]
    schema: Literal[1] = 1

    @property
    def has_checksums(self) -> bool:
        """Whether contents can be compared with it."""
        return all(each.sha256 for each in self.files)


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about an archive, in sentences: what is proved at this ``level``, and what is not.

    ``manifest`` is when the manifest was recorded that it was compared with, None without one.
    """

    level: str
    archive: str
    proved: tuple[str, ...]
    not_proved: tuple[str, ...]
    damages: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    files: int
    size_bytes: int | None
    manifest: datetime | None


class VerificationResult(Result, frozen=True, kw_only=True):
    """The result of ``archive verify``."""

    verification: Verification | None = None
