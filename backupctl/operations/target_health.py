"""Check a backup server from this host.

Nothing here is a FAIL: the appliance connects by itself, perhaps on another way, and decides what it trusts.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from backupctl.errors import ApplianceUnreachableError, BackupctlError, InterruptedRunError
from backupctl.formatting import plural
from backupctl.models import Certificate, SystemVersion
from backupctl.operations.target_connections import TargetConnections
from backupctl.results.backup_results import OK, WARNING, Check
from backupctl.rules.host_key_algorithms import host_key_warnings
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Task, attempt, call
from backupctl.targets.access import TargetAccess
from backupctl.targets.target import ANSWER_SECONDS
from backupctl.targets.unverified import host_key_algorithms, presented_certificate

T = TypeVar("T")

_SOON_DAYS: Final = 30


def check_target(appliance: Appliance, targets: TargetConnections, access: TargetAccess) -> Task[tuple[Check, ...]]:
    """Return the checks of what a backup server shows before a login, of the login, and of the folder."""
    version = yield from attempt(appliance.api.version)
    release = version.version if isinstance(version, SystemVersion) else ""
    now, until = appliance.clock.now(), appliance.clock.monotonic() + ANSWER_SECONDS
    checks = []
    if access.kind in {"sftp", "scp"}:
        offered = call(partial(host_key_algorithms, access.location), until=until)
        checks.append((yield from _check("host keys", offered, partial(_judge_host_keys, release))))
    if access.kind in {"ftps", "https"}:
        presented = call(partial(presented_certificate, access.location, now), until=until)
        checks.append((yield from _check("certificate", presented, _judge_certificate)))
    listed = targets.use(access, lambda target: len(target.list(())))
    checks.append((yield from _check("login from here", listed, _judge_folder)))
    return tuple(checks)


def _check(name: str, task: Task[T], judge: Callable[[T], tuple[str, str]]) -> Task[Check]:
    """Return what ``judge`` says of the result of a task; an error is a warning."""
    hint = None
    try:
        status, message = judge((yield from task))
    except InterruptedRunError:
        raise
    except BackupctlError as error:
        late = isinstance(error, ApplianceUnreachableError)  # the scheduler's, after ``until``
        message = "the backup server did not answer in time" if late else error.message
        status, hint = WARNING, error.hint
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
