"""The result of the verification of an archive."""

from datetime import datetime
from typing import Final

import msgspec

from backupctl.results.result import Result

PRESENT: Final = "present"
UNCHANGED: Final = "unchanged"
READABLE: Final = "readable"
"""The levels of verification."""


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
