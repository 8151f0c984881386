"""The result of ``report``: the evidence of one appliance's backups in a period."""

from datetime import datetime

import msgspec

from backupctl.results.audit_results import ExpectedRun
from backupctl.results.journal_entry import JournaledJob, JournalEntry
from backupctl.results.result import Result
from backupctl.results.schedule_results import ScheduleInfo


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """From ``since`` to before ``until``."""

    since: datetime
    until: datetime


class ReportInfo(Period, frozen=True, kw_only=True):
    """What the reports of a run have in common.

    ``change`` is the id of a change record, ``group`` the group of appliances that was selected. ``journal_entries``
    and ``unreadable_lines`` are those of the journal in the period, for all appliances.
    """

    generated_at: datetime
    generator: str
    change: str | None = None
    group: str | None = None
    journal_entries: int = 0
    unreadable_lines: int = 0


class BackupReport(ReportInfo, frozen=True, kw_only=True):
    """What is known about the backups of an appliance in a period; None is unknown.

    * ``runs``: the backups that started in the period, newest first, with what the journal adds
    * ``succeeded`` and ``failed``: how many of them did, None if all that is remembered is newer than the period
    * ``attempts``: the runs of ``create`` that started no backup, oldest first; only the journal knows them
    * ``scheduled_runs``: the runs that the schedule should have made, oldest first, None if they cannot be judged
    * ``notes``: what cannot be judged of them, and why
    * ``last_success``: when the newest backup that succeeded until the end of the period ended
    * ``longest_interval``: the longest known time without such an end, from one to the next, from the oldest known
      backup to the first, or from the last to the end of the period
    * ``remembered_since``: the start of the oldest job that the appliance still knows; earlier ones are unknown
    * ``unreadable``: jobs that cannot be read, or without a plausible start time; they may belong to the period
    """

    schedules: tuple[ScheduleInfo, ...] | None = None
    schedules_error: str | None = None
    scheduled_runs: tuple[ExpectedRun, ...] | None = None
    notes: tuple[str, ...] = ()
    runs: tuple[JournaledJob, ...] = ()
    attempts: tuple[JournalEntry, ...] = ()
    succeeded: int | None = 0
    failed: int | None = 0
    last_success: datetime | None = None
    longest_interval: Period | None = None
    remembered_since: datetime | None = None
    unreadable: int = 0

    @property
    def is_remembered(self) -> bool:
        """Whether the appliance remembers the whole period."""
        return self.remembered_since is not None and self.remembered_since <= self.since


class ReportResult(Result, frozen=True, kw_only=True):
    """The result of ``report``; ``report`` is None if the appliance cannot be read.

    ``insecure`` tells that the certificate of the appliance was not verified.
    """

    report: BackupReport | None = None
    insecure: bool = False
