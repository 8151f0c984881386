"""Read the backup history of an appliance: its jobs and its schedules, in two or three requests since release 6.7."""

from collections.abc import Callable

from msgspec.structs import replace

from backupctl.errors import ApplianceAnswerError, AuthorizationError, NotFoundError, NotSupportedError
from backupctl.operations import jobs
from backupctl.operations.outcome import Outcome
from backupctl.operations.schedule import read_schedules
from backupctl.results.backup_history import BackupHistory, HistoryResult
from backupctl.results.events import Warned
from backupctl.results.job import Job
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Task


def history_result(appliance: Appliance) -> Task[Outcome[HistoryResult]]:
    """Return the backup history of an appliance, for its metrics; warn about schedules that cannot be read."""
    history = yield from read_history(appliance)
    if history.schedules_error is not None:
        appliance.emit(Warned(message=f"no metrics of schedules: {history.schedules_error}"))
    return Outcome(HistoryResult(history=history))


def read_history(
    appliance: Appliance, *, schedules: bool = True, enough: Callable[[Job], bool] = lambda _: False
) -> Task[BackupHistory]:
    """Return the backup history of an appliance; ``enough`` as for ``jobs.read_all``.

    Schedules that cannot be read do not hide the jobs. Raises BackupctlError: if the jobs cannot be read.
    """
    found, unreadable = yield from jobs.read_all(appliance, enough)
    history = BackupHistory(read_at=appliance.clock.now(), jobs=found, unreadable=unreadable)
    if not schedules:
        return history
    try:
        read = (yield from read_schedules(appliance)).value
    except NotSupportedError:  # before 6.7
        return history
    except (ApplianceAnswerError, AuthorizationError, NotFoundError) as error:
        return replace(history, schedules_error=error.message)
    problem = f"{read.unreadable} schedules cannot be read" if read.unreadable else None
    return replace(history, schedules=read.schedules, schedules_error=problem)
