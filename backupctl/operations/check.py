"""The work of the monitoring plugin on one appliance: read no more than the verdict needs, and judge it."""

from datetime import datetime, timedelta

from backupctl.errors import ApplianceAnswerError
from backupctl.exit_codes import ServiceState
from backupctl.models import as_utc
from backupctl.monitoring.verdict import Thresholds, judge
from backupctl.operations.outcome import Outcome
from backupctl.operations.read_history import read_history
from backupctl.results.backup_history import Track
from backupctl.results.job import Job
from backupctl.results.verdict_results import VerdictResult
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.retry import retry
from backupctl.scheduler.task import Task


def check(appliance: Appliance, limits: Thresholds) -> Task[Outcome[VerdictResult]]:
    """Return the verdict about the backups of an appliance; UNKNOWN comes with an error."""
    now = appliance.clock.now()
    oldest = now - timedelta(seconds=max(limits.critical, limits.grace))

    def decides(job: Job) -> bool:
        is_old = job.start_time is not None and job.start_time < oldest
        return is_old or Track(read_at=now, jobs=(job,)).success is not None

    history = yield from read_history(appliance, schedules=limits.schedule == "required", enough=decides)
    # The oldest job does not tell the age of an appliance that has forgotten older ones.
    installed = (yield from _install_time(appliance)) if limits.grace else None
    verdict = judge(history, limits, installed)
    error = None
    if verdict.state == ServiceState.UNKNOWN:
        error = ApplianceAnswerError("$1", server=appliance.name, texts=(verdict.summary,))
    return Outcome(VerdictResult(check=verdict), error)


def _install_time(appliance: Appliance) -> Task[datetime | None]:
    """Return when the release of the appliance was installed, None if that is unknown."""
    version = yield from retry(appliance, appliance.api.version)
    try:
        return as_utc(datetime.fromisoformat(str(version.install_time)))
    except ValueError:
        return None
