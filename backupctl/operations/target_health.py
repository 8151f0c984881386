"""Check a backup server from this host.

Nothing here is a FAIL: the appliance connects by itself, perhaps on another way, and decides what it trusts.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar, cast

from backupctl.errors import ApplianceUnreachableError, BackupctlError, InterruptedRunError
from backupctl.formatting import plural
from backupctl.models import Certificate, SystemVersion
from backupctl.operations.target_connections import TargetConnections
from backupctl.results.backup_results import OK, WARNING, Check
from backupctl.rules.host_key_algorithms import host_key_warnings
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.semaphore import Semaphore
from backupctl.scheduler.task import Task, attempt
from backupctl.targets.access import TargetAccess
from backupctl.targets.target import ANSWER_SECONDS
from backupctl.targets.target_errors import TargetUnreachableError
from backupctl.targets.unverified import host_key_algorithms, presented_certificate

T = TypeVar("T")

_SOON_DAYS: Final = 30


class TargetHealth:
    """Checks the backup servers of a run; appliances that share one share what it shows before a login."""

    def __init__(self, targets: TargetConnections) -> None:
        self._targets = targets
        self._shown: dict[tuple[object, ...], Any] = {}
        self._turns: dict[tuple[object, ...], Semaphore] = {}

    def check(self, appliance: Appliance, access: TargetAccess) -> Task[tuple[Check, ...]]:
        """Return the checks of what the server shows before a login, of the login, and of the folder."""
        version = yield from attempt(appliance.api.version)
        release = version.version if isinstance(version, SystemVersion) else ""
        checks = []
        if access.kind in {"sftp", "scp"}:
            offered = self._show(appliance, access, partial(host_key_algorithms, access.location))
            checks.append((yield from _check("host keys", offered, partial(_judge_host_keys, release))))
        if access.kind in {"ftps", "https"}:
            now = appliance.clock.now()
            presented = self._show(appliance, access, partial(presented_certificate, access.location, now))
            checks.append((yield from _check("certificate", presented, _judge_certificate)))
        listed = self._targets.use(access, lambda target: len(target.list(())))
        checks.append((yield from _check("login from here", listed, _judge_folder)))
        return tuple(checks)

    def _show(self, appliance: Appliance, access: TargetAccess, show: Callable[[], T]) -> Task[T]:
        """Call a function that shows something of a server, once for each server."""
        server = access.kind, access.location.host, access.location.port
        turn = self._turns.setdefault(server, Semaphore(1))
        yield from turn.acquire()
        try:
            if server not in self._shown:
                until = appliance.clock.monotonic() + ANSWER_SECONDS
                self._shown[server] = yield from attempt(show, until=until)
        finally:
            turn.release()
        shown = self._shown[server]
        if isinstance(shown, ApplianceUnreachableError):  # the scheduler's, after ``until``
            raise TargetUnreachableError("the backup server did not answer in time")
        if isinstance(shown, BackupctlError):
            raise shown
        return cast("T", shown)


def _check(name: str, task: Task[T], judge: Callable[[T], tuple[str, str]]) -> Task[Check]:
    """Return what ``judge`` says of the result of a task; an error is a warning."""
    hint = None
    try:
        status, message = judge((yield from task))
    except InterruptedRunError:
        raise
    except BackupctlError as error:
        status, message, hint = WARNING, error.message, error.hint
    if status == WARNING:
        message = "; ".join(filter(None, (f"{message} (seen from this host only)", hint)))
    return Check(name=name, status=status, message=message)


def _judge_host_keys(release: str, offered: tuple[str, ...]) -> tuple[str, str]:
    warnings = host_key_warnings(offered, release)
    return WARNING if warnings else OK, "; ".join((*warnings, f"offered: {', '.join(offered[:6])}"))


def _judge_certificate(certificate: Certificate) -> tuple[str, str]:
    days = certificate.expires_in_days
    when = "expired" if days < 0 else f"expires in {plural(days, 'day')}"
    message = f"{when} on {certificate.not_after:%Y-%m-%d}, issued by {certificate.issuer[:200]}"
    return WARNING if days < _SOON_DAYS else OK, message


def _judge_folder(count: int) -> tuple[str, str]:
    return OK, f"the login works, and the folder can be listed ({plural(count, 'item')})"
