"""The result of ``archive prune``."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from backupctl.results.result import Result


class PrunedArchive(msgspec.Struct, frozen=True, kw_only=True):
    """An archive to keep or to remove, and why: the rules that keep it, or ``unfinished`` or ``damaged``.

    ``reasons`` is empty for a complete one that no rule keeps.
    """

    archive: str
    start_time: datetime
    size_bytes: int | None = None
    reasons: tuple[str, ...] = ()
    removed: bool = False


class PruneResult(Result, frozen=True, kw_only=True):
    """What was kept and removed, newest first; after a dry run, nothing in ``remove`` is ``removed``."""

    keep: tuple[PrunedArchive, ...] = ()
    remove: tuple[PrunedArchive, ...] = ()


def total_bytes(archives: Iterable[PrunedArchive]) -> int:
    """Return the sum of the known sizes."""
    return sum(each.size_bytes or 0 for each in archives)
