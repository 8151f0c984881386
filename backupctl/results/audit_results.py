"""The result of ``schedule audit``."""

from datetime import datetime
from enum import StrEnum

import msgspec

from backupctl.results.job import Job
from backupctl.results.result import Result
from backupctl.results.schedule_results import ScheduleInfo


class RunVerdict(StrEnum):
    """What became of a run."""

    MADE = "made"
    LATE = "late"
    RUNNING = "running"
    DUE = "due"
    """It may still come."""
    MISSED = "missed"
    """No job was started."""
    FAILED = "failed"
    KEPT_OUT = "kept-out"
    """It was due while another job ran."""
    NOT_JUDGED = "not-judged"
    """Its day may have been added to the schedule later."""


class ExpectedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that a schedule should have made, and its ``verdict``.

    ``job`` is the id of the job that it made, or of the one that kept it out; ``start_time`` is when that job started.
    ``made_up_by`` is the id of another backup at the same location that succeeded before the next run was due.
    """

    due: datetime
    verdict: RunVerdict
    job: str | None = None
    start_time: datetime | None = None
    made_up_by: str | None = None

    @property
    def is_gap(self) -> bool:
        """Whether the run made no backup, and no other backup made up for it."""
        return self.verdict in {RunVerdict.MISSED, RunVerdict.FAILED, RunVerdict.KEPT_OUT} and self.made_up_by is None


class AuditResult(Result, frozen=True, kw_only=True):
    """The runs that were due from ``since`` to before ``until``, oldest first, and among them the ``gaps``.

    ``schedule`` is None without one. Runs before ``judged_since`` are unknown; it is None if all are. ``unexplained``
    are scheduled jobs that no run explains. ``notes`` say what cannot be judged, and why.
    """

    since: datetime | None = None
    until: datetime | None = None
    judged_since: datetime | None = None
    schedule: ScheduleInfo | None = None
    runs: tuple[ExpectedRun, ...] = ()
    gaps: tuple[ExpectedRun, ...] = ()
    counts: dict[RunVerdict, int] = msgspec.field(default_factory=dict)
    unexplained: tuple[Job, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def judged_runs(self) -> int:
        """The number of runs that are judged."""
        return len(self.runs) - self.counts.get(RunVerdict.NOT_JUDGED, 0)
