"""The result of the verification of an archive."""

from datetime import datetime
from typing import Final, Literal

import msgspec

from backupctl.results.result import Result

PRESENT: Final = "present"
UNCHANGED: Final = "unchanged"
READABLE: Final = "readable"
"""The levels of verification."""

SIZES: Final = "sizes"
CHECKSUMS: Final = "checksums"
"""What is compared with a manifest."""


class ManifestDates(msgspec.Struct, frozen=True):
    """When a manifest was recorded, by which command, and when its checksums were read, None without any."""

    recorded_at: datetime
    recorded_by: str
    checksums_at: datetime | None


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about an archive at a level of verification.

    ``compared`` is what was compared with the ``manifest``, None without one; sizes include names. ``unpacked`` are the
    names of the files whose gzip data is whole, ``not_unpacked`` those of files that are not gzip, except the metadata.
    """

    level: str
    system_name: str
    archive: str
    files: int
    size_bytes: int | None
    compared: Literal["sizes", "checksums"] | None = None
    unpacked: tuple[str, ...] = ()
    not_unpacked: tuple[str, ...] = ()
    damages: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    manifest: ManifestDates | None = None


class VerificationResult(Result, frozen=True, kw_only=True):
    """The result of ``archive verify``."""

    verification: Verification | None = None
