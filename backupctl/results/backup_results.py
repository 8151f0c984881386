"""The results of the commands that make, show and check backups."""

import msgspec

from backupctl.results.job import Job
from backupctl.results.result import Result


class PartSize(msgspec.Struct, frozen=True, kw_only=True):
    """A part that a backup can include, with its estimated size."""

    id: str
    name: str
    description: str
    selected_by_default: bool
    optional: bool
    size_mb: int | None


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was checked before a backup: ``status`` is OK, WARNING or FAIL."""

    name: str
    status: str
    message: str


class JobResult(Result, frozen=True, kw_only=True):
    """The result of create, watch, status and cancel."""

    job: Job | None = None


class StartedResult(JobResult, frozen=True, kw_only=True):
    """The result of create and schedule run with ``--no-wait``: its point is the id of the job."""


class JobsResult(Result, frozen=True, kw_only=True):
    """The result of list: the jobs that were asked for, newest first, of so many that the appliance ``remembers``.

    ``unreadable`` is how many of those cannot be read, and so are not among them.
    """

    jobs: tuple[Job, ...] = ()
    remembers: int = 0
    unreadable: int = 0


class PartsResult(Result, frozen=True, kw_only=True):
    """The result of parts; ``total_mb`` counts the known sizes, ``unreadable`` the parts that cannot be read."""

    parts: tuple[PartSize, ...] = ()
    total_mb: int | None = None
    unreadable: int = 0


class ChecksResult(Result, frozen=True, kw_only=True):
    """The result of validate."""

    checks: tuple[Check, ...] = ()
