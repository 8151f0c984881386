"""Preflight: run the checks of ``validate`` before a backup is started."""

from typing import Final

from backupctl.errors import BusyError
from backupctl.operations.validate import RUNNING_JOB, checks_error
from backupctl.results.backup_results import FAIL, OK, WARNING, Check
from backupctl.results.events import Warned
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Task

_HINT: Final = "use --if-running wait to start after it finishes, or attach to follow it"


def preflight(appliance: Appliance, run_checks: Task[tuple[Check, ...]]) -> Task[None]:
    """Run the checks and emit a warning for each WARNING.

    Raises BusyError: if only the check for a running job fails. Raises BackupFailedError: if another check fails.
    """
    checks = yield from run_checks
    error = checks_error(checks)
    if error is None:
        for check in checks:
            if check.status == WARNING:
                message = f"preflight: {_line(check)}"
                appliance.emit(Warned(message=message))
        return
    failing = [check for check in checks if check.status == FAIL]
    details = tuple(_line(check) for check in checks if check.status != OK)
    if all(check.name == RUNNING_JOB for check in failing):
        raise BusyError("$cause", server=appliance.name, cause=failing[0].message, hint=_HINT, details=details)
    raise error.with_facts(details=details)


def _line(check: Check) -> str:
    return f"{check.name}: {check.message}"
