"""The report on the backups of an appliance in a period."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from typing import Final

import msgspec

from backupctl.models import JobState
from backupctl.monitoring.audit import audit_schedule
from backupctl.monitoring.journaled_jobs import with_journal
from backupctl.monitoring.skew import skew_seconds
from backupctl.results.backup_history import CLOCK_SKEW, LOCAL, MEMORY, BackupHistory, Track
from backupctl.results.job import Job
from backupctl.results.journal_entry import JournalEntry
from backupctl.results.report_results import BackupReport, Period, ReportInfo, ReportResult
from backupctl.rules.recurrence import time_zone

_STARTERS: Final = frozenset({"create", "schedule run"})
"""The commands that start a backup."""


def backup_report(
    history: BackupHistory, info: ReportInfo, entries: Sequence[JournalEntry] = (), server: str = ""
) -> BackupReport:
    """Return the report on an appliance from its history and the entries of the journal that have its name."""
    until = info.until + CLOCK_SKEW if info.until == info.generated_at else info.until
    backups = with_journal(history.jobs, entries, server)
    starts = (each for each in entries if each.server == server and each.command in _STARTERS)
    attempts = (each for each in starts if each.exit_code and each.job is None and info.since <= each.time < until)
    dated = [each for each in _dated([each.job for each in backups], info) if each[1].type != LOCAL]
    remembered = _dated(history.jobs, info)
    runs = [each for each in backups if each.job.start_time and info.since <= each.job.start_time < until]
    successes = Track(read_at=info.generated_at, jobs=tuple(job for _, job in dated)).successes
    ends = sorted(job.ended_at for job in successes if job.ended_at and job.ended_at <= until)
    times = [*(start for start, _ in dated[:1] if start < info.until), *ends, info.until]
    intervals = [Period(since=start, until=end) for start, end in pairwise(times) if end > info.since]
    forgotten = not runs and remembered and remembered[0][0] >= info.until
    audit = audit_schedule(history, info.since, known=[each.job for each in backups if each.forgotten])
    is_judged = audit.judged_since is not None and audit.judged_since < info.until
    return BackupReport(
        **msgspec.structs.asdict(info),
        schedules=history.schedules,
        schedules_error=history.schedules_error,
        scheduled_runs=tuple(run for run in audit.runs if run.due < info.until) if is_judged else None,
        notes=audit.notes,
        runs=tuple(runs),
        attempts=tuple(attempts),
        succeeded=None if forgotten else sum(each.job.succeeded and each.job.type != LOCAL for each in runs),
        failed=None if forgotten else sum(each.job.state == JobState.FAILED for each in runs),
        last_success=ends[-1] if ends else None,
        longest_interval=max(intervals, key=lambda each: each.until - each.since, default=None),
        remembered_since=remembered[0][0] if remembered else None,
        unreadable=len(history.unreadable) + len(history.jobs) - len(remembered),
    )


def _dated(jobs: Iterable[Job], info: ReportInfo) -> list[tuple[datetime, Job]]:
    """Return the jobs with a plausible start, oldest first."""
    starts = ((job.start_time, job) for job in jobs if job.start_time is not None)
    plausible = (each for each in starts if info.generated_at - MEMORY < each[0] < info.generated_at + CLOCK_SKEW)
    return sorted(plausible, key=lambda each: each[0])


def skew_of_newest(results: Sequence[ReportResult], info: ReportInfo) -> int | None:
    """Return the skew in seconds of the newest backups of a group, None if one of its appliances has no success."""
    runs = [each.report.runs if each.report else () for each in results if info.group]
    newest = [next((run.job for run in each if run.job.succeeded), None) for each in runs]
    return skew_seconds(newest) if all(newest) else None


def zone_of(report: BackupReport) -> tzinfo:
    """Return the time zone of the appliance, UTC if it is unknown."""
    zones = (time_zone(each.time_zone or "") for each in report.schedules or ())
    return next((zone for zone in zones if zone is not None), UTC)
