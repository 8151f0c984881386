"""Preflight: find out what keeps a backup from being made before it is started."""

from typing import Final

from backupctl.errors import BusyError
from backupctl.operations.appliance import Appliance
from backupctl.operations.task import Task
from backupctl.operations.validate import FAIL, OK, RUNNING_JOB, WARNING, failed
from backupctl.results.backup import Check
from backupctl.results.events import Warned

_HINT: Final = "use --if-running wait to start after it finishes, or attach to follow it"


def preflight(appliance: Appliance, checking: Task[tuple[Check, ...]]) -> Task[None]:
    """Make checks and warn of what they doubt.

    Raises BusyError where nothing but a running job stands in the way, and BackupFailedError for all else that fails.
    """
    checks = yield from checking
    error = failed(checks)
    if error is None:
        for check in checks:
            if check.status == WARNING:
                message = f"preflight: {_line(check)}"
                appliance.emit(Warned(time=appliance.clock.now(), server=appliance.name, message=message))
        return
    failing = [check for check in checks if check.status == FAIL]
    details = tuple(_line(check) for check in checks if check.status != OK)
    if all(check.name == RUNNING_JOB for check in failing):
        raise BusyError(f"{appliance.name}: {failing[0].message}", hint=_HINT, details=details)
    error.details = details
    raise error


def _line(check: Check) -> str:
    return f"{check.name}: {check.message}"
