"""The report on the backups of an appliance in a period."""

from collections.abc import Iterable, Sequence
from datetime import UTC, tzinfo
from itertools import pairwise

import msgspec

from backupctl.models import JobState
from backupctl.monitoring.audit import audit_schedule
from backupctl.monitoring.skew import skew_seconds
from backupctl.results.audit_results import AuditResult
from backupctl.results.backup_history import BackupHistory
from backupctl.results.journal_entry import JournaledJob
from backupctl.results.report_results import BackupReport, Period, ReportInfo, ReportResult
from backupctl.rules.recurrence import time_zone


def backup_report(history: BackupHistory, backups: Sequence[JournaledJob], info: ReportInfo) -> BackupReport:
    """Return the report on an appliance from its history, and its ``backups`` with what the journal adds."""
    runs = [each for each in backups if each.job.start_time and info.since <= each.job.start_time < info.until]
    done = [each.job for each in backups if each.job.succeeded]
    ends = sorted(job.end_time for job in done if job.end_time and job.end_time <= info.until)
    intervals = [Period(since=start, until=end) for start, end in pairwise([*ends, info.until]) if end > info.since]
    audit = _audit(history, backups, info)
    return BackupReport(
        **msgspec.structs.asdict(info),
        time_zone=next((each.time_zone for each in history.schedules or () if each.time_zone), None),
        schedules=history.schedules,
        schedules_error=history.schedules_error,
        scheduled_runs=tuple(run for run in audit.runs if run.due < info.until) if audit else None,
        notes=audit.notes if audit else (),
        runs=tuple(runs),
        succeeded=sum(each.job.succeeded for each in runs),
        failed=sum(each.job.state == JobState.FAILED for each in runs),
        last_success=ends[-1] if ends else None,
        longest_interval=max(intervals, key=lambda each: each.until - each.since, default=None),
        remembered_since=min((job.start_time for job in history.jobs if job.start_time), default=None),
        unreadable=history.unreadable + sum(job.start_time is None for job in history.jobs),
    )


def _audit(history: BackupHistory, backups: Sequence[JournaledJob], info: ReportInfo) -> AuditResult | None:
    """Return the audit of the schedule, None if there is not one, or if the jobs that it made cannot be told."""
    schedules = history.schedules or ()
    if len(schedules) != 1 or history.schedules_error or not history.has_details:
        return None
    return audit_schedule(history, schedules[0], info.since, known=[each.job for each in backups if each.forgotten])


def skew_of_newest(results: Iterable[ReportResult]) -> int | None:
    """Return the skew in seconds of the newest backups that succeeded, None if an appliance has none."""
    runs = [each.report.runs if each.report else () for each in results]
    newest = [next((run.job for run in each if run.job.succeeded), None) for each in runs]
    return skew_seconds(newest) if all(newest) else None


def zone_of(report: BackupReport) -> tzinfo:
    """Return the time zone of the appliance, UTC if it is unknown."""
    return time_zone(report.time_zone or "") or UTC
