"""Audit the schedule of an appliance, in three or four requests after the login."""

from collections.abc import Sequence
from datetime import datetime

from backupctl.errors import ApplianceAnswerError, AuditGapError
from backupctl.formatting import plural
from backupctl.monitoring.audit import audit_schedule, calendar_of
from backupctl.monitoring.journaled_jobs import with_journal
from backupctl.operations import jobs
from backupctl.operations.outcome import Outcome
from backupctl.operations.schedule import read_schedules
from backupctl.results.audit_results import AuditResult
from backupctl.results.backup_history import BackupHistory
from backupctl.results.journal_entry import JournalEntry
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Task


def read_audit(appliance: Appliance, since: datetime, entries: Sequence[JournalEntry]) -> Task[Outcome[AuditResult]]:
    """Return the verdicts on the runs of the schedule since then, and an AuditGapError if there are gaps.

    ``entries`` of the journal add jobs that the appliance has forgotten.

    Raises NotSupportedError: before release 6.7. Raises ApplianceAnswerError: if the schedule or its time zone is
    unknown, or the details of the jobs, which tell those that it started.
    """
    read = (yield from read_schedules(appliance, needs_zone=True)).value
    if read.unreadable:
        raise ApplianceAnswerError("a schedule of $server cannot be read", server=appliance.name)
    if not read.schedules:
        return Outcome(AuditResult(since=since, until=appliance.clock.now()))
    found, unreadable = yield from jobs.read_detailed(appliance)
    history = BackupHistory(read_at=appliance.clock.now(), jobs=found, unreadable=unreadable, schedules=read.schedules)
    why = calendar_of(history)
    if isinstance(why, str):
        sentence = "no scheduled run of $server can be judged: $1"
        raise ApplianceAnswerError(sentence, server=appliance.name, texts=(why,))
    known = [each.job for each in with_journal(found, entries, appliance.name)]
    result = audit_schedule(history, since, known=known)
    numbers = str(len(result.gaps)), plural(result.judged_runs, "scheduled run")
    hint = "`backupctl list --type SCHEDULED` lists the jobs; `backupctl schedule run` makes a backup now"
    error = AuditGapError("$1 of $2 on $server made no backup", server=appliance.name, texts=numbers, hint=hint)
    return Outcome(result, error if result.gaps else None)
