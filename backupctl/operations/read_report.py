"""Read what a report on an appliance needs."""

from collections.abc import Sequence

from backupctl.monitoring.report import backup_report
from backupctl.operations.outcome import Outcome
from backupctl.operations.read_history import read_history
from backupctl.results.journal_entry import JournalEntry
from backupctl.results.report_results import ReportInfo, ReportResult
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Task


def read_report(
    appliance: Appliance, info: ReportInfo, entries: Sequence[JournalEntry], *, insecure: bool
) -> Task[Outcome[ReportResult]]:
    """Return the report on an appliance; ``entries`` of the journal complete what it remembers."""
    history = yield from read_history(appliance)
    return Outcome(ReportResult(report=backup_report(history, info, entries, appliance.name), insecure=insecure))
