"""Read the backup history of an appliance: its jobs and its schedules, in two or three requests since release 6.7."""

from collections.abc import Callable

from msgspec.structs import replace

from backupctl.errors import ApplianceAnswerError, AuthorizationError, NotFoundError, NotSupportedError
from backupctl.operations import jobs
from backupctl.operations.schedule import read_schedules
from backupctl.results.backup_history import BackupHistory
from backupctl.results.job import Job
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Task


def read_history(appliance: Appliance) -> Task[BackupHistory]:
    """Return the backup history of an appliance.

    Schedules that cannot be read do not hide the jobs. Raises BackupctlError: if the jobs cannot be read.
    """
    history = yield from read_jobs(appliance)
    return (yield from add_schedules(appliance, history))


def read_jobs(appliance: Appliance, enough: Callable[[Job], bool] = lambda _: False) -> Task[BackupHistory]:
    """Return the backup history without the schedules; ``enough`` as for ``jobs.read_all``."""
    found, unreadable = yield from jobs.read_all(appliance, enough)
    return BackupHistory(read_at=appliance.clock.now(), jobs=found, unreadable=unreadable)


def add_schedules(appliance: Appliance, history: BackupHistory) -> Task[BackupHistory]:
    """Return the history with the schedules, or with what is wrong with them."""
    schedules, problem = None, None
    try:
        read = (yield from read_schedules(appliance)).value
    except NotSupportedError:  # before 6.7
        pass
    except (ApplianceAnswerError, AuthorizationError, NotFoundError) as error:
        problem = error.message
    else:
        schedules = read.schedules
        problem = f"{read.unreadable} schedules cannot be read" if read.unreadable else None
    return replace(history, schedules=schedules, schedules_error=problem)
