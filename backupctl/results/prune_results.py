"""The result of ``archive prune``."""

from datetime import datetime

import msgspec

from backupctl.results.result import Result


class PrunedArchive(msgspec.Struct, frozen=True):
    """An archive, and why to keep or remove it: the rules that keep it, ``unfinished``, ``damaged`` and others.

    ``reasons`` is empty for a complete one that nothing keeps.
    """

    archive: str
    start_time: datetime
    comment: str = ""
    size_bytes: int | None = None
    reasons: tuple[str, ...] = ()
    removed: bool = False


class PruneResult(Result, frozen=True, kw_only=True):
    """What was kept and removed, newest first; after a dry run, nothing in ``remove`` is ``removed``."""

    keep: tuple[PrunedArchive, ...] = ()
    remove: tuple[PrunedArchive, ...] = ()
