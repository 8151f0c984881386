"""Audit the schedule of an appliance, in three or four requests after the login."""

from datetime import datetime

from backupctl.errors import ApplianceAnswerError, AuditGapError
from backupctl.formatting import plural
from backupctl.monitoring.audit import audit_schedule
from backupctl.operations.outcome import Outcome
from backupctl.operations.read_history import read_jobs
from backupctl.operations.schedule import read_schedules
from backupctl.results.audit_results import AuditResult
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Task


def read_audit(appliance: Appliance, since: datetime) -> Task[Outcome[AuditResult]]:
    """Return what became of the runs of the schedule since then, and an AuditGapError if there are gaps.

    Raises NotSupportedError: before release 6.7. Raises ApplianceAnswerError: if the schedule cannot be read.
    """
    read = (yield from read_schedules(appliance)).value
    if read.unreadable:
        raise ApplianceAnswerError("a schedule of $server cannot be read", server=appliance.name)
    if len(read.schedules) > 1:
        sentence = "$server has several schedules, and a job does not tell which of them made it"
        raise ApplianceAnswerError(sentence, server=appliance.name)
    if not read.schedules:
        return Outcome(AuditResult(since=since, until=appliance.clock.now()))
    result = audit_schedule((yield from read_jobs(appliance)), read.schedules[0], since)
    if not result.gaps:
        return Outcome(result)
    numbers = str(len(result.gaps)), plural(len(result.runs), "scheduled run")
    hint = "`backupctl list --type SCHEDULED` lists the jobs; `backupctl schedule run` makes a backup now"
    return Outcome(
        result, AuditGapError("$1 of $2 on $server made no backup", server=appliance.name, texts=numbers, hint=hint)
    )
