"""Read the backup history of an appliance: its jobs and its schedules, in two or three requests since release 6.7."""

from backupctl.errors import ApplianceAnswerError, AuthorizationError, NotFoundError, NotSupportedError
from backupctl.operations import jobs
from backupctl.operations.schedule import read_schedules
from backupctl.results.backup_history import BackupHistory
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Task


def read_history(appliance: Appliance) -> Task[BackupHistory]:
    """Return the backup history of an appliance.

    Schedules that cannot be read do not hide the jobs. Raises BackupctlError: if the jobs cannot be read.
    """
    found, unreadable = yield from jobs.read_all(appliance)
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
    return BackupHistory(
        read_at=appliance.clock.now(),
        jobs=found,
        unreadable=unreadable,
        schedules=schedules,
        schedules_error=problem,
    )
