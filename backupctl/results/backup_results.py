"""The results of the commands that create, show and check backups."""

from typing import Final

import msgspec

from backupctl.results.job import Job
from backupctl.results.prune_results import PrunedArchive
from backupctl.results.result import Result
from backupctl.results.verification_results import Verification


class PartSize(msgspec.Struct, frozen=True, kw_only=True):
    """A part that a backup can include, with its estimated size."""

    id: str
    name: str
    description: str
    selected_by_default: bool
    optional: bool
    size_mb: int | None


OK: Final = "OK"
WARNING: Final = "WARNING"
FAIL: Final = "FAIL"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check before a backup: ``status`` is OK, WARNING or FAIL."""

    name: str
    status: str
    message: str


class JobResult(Result, frozen=True, kw_only=True):
    """The result of ``create``, ``watch``, ``status`` and ``cancel``; ``create --verify`` has a ``verification``.

    ``keep`` and ``remove`` are as in ``PruneResult``, after ``create --prune``.
    """

    job: Job | None = None
    verification: Verification | msgspec.UnsetType = msgspec.UNSET
    keep: tuple[PrunedArchive, ...] | msgspec.UnsetType = msgspec.UNSET
    remove: tuple[PrunedArchive, ...] | msgspec.UnsetType = msgspec.UNSET


class StartedResult(JobResult, frozen=True, kw_only=True):
    """The result of ``create`` and ``schedule run`` with ``--no-wait``, of which views show the job id."""


class JobsResult(Result, frozen=True, kw_only=True):
    """The result of ``list``: the selected jobs, newest first.

    ``remembers`` is the number of jobs that the appliance knows, ``unreadable`` how many of those cannot be read.
    """

    jobs: tuple[Job, ...] = ()
    remembers: int = 0
    unreadable: int = 0


class PartsResult(Result, frozen=True, kw_only=True):
    """The result of ``parts``: ``total_mb`` is the sum of the known sizes, ``unreadable`` a number of parts."""

    parts: tuple[PartSize, ...] = ()
    total_mb: int | None = None
    unreadable: int = 0


class ChecksResult(Result, frozen=True, kw_only=True):
    """The result of ``validate``."""

    checks: tuple[Check, ...] = ()
