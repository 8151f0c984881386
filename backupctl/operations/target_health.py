"""Check a backup server from this host: what it presents before a login, the login, and the appliance's folder."""

import re
from collections.abc import Iterator
from typing import Final

from backupctl.errors import BackupctlError, InterruptedRunError
from backupctl.formatting import plural
from backupctl.location import Location
from backupctl.models import Certificate, SystemVersion
from backupctl.operations.target_archives import list_systems
from backupctl.operations.target_connections import TargetConnections
from backupctl.results.backup_results import FAIL, OK, WARNING, Check
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Task, attempt
from backupctl.targets.access import TargetAccess
from backupctl.targets.open_target import WITH_IDENTITY, access_without_login
from backupctl.targets.target_errors import ServerIdentity, TargetIdentityError

_SOON_DAYS: Final = 30


def check_backup_server(
    appliance: Appliance, targets: TargetConnections, access: TargetAccess, system: str
) -> Task[tuple[Check, ...]]:
    """Return the checks of the backup server; ``system`` is the name of the appliance's folder."""
    checks: list[Check] = []
    try:
        if access.path is None and access.location.type in WITH_IDENTITY:
            presented = yield from read_identity(targets, access.location)
            version = yield from attempt(appliance.api.version)
            checks += _identity_checks(presented, version.version if isinstance(version, SystemVersion) else "")
        systems = yield from targets.use(access, list_systems)
    except InterruptedRunError:
        raise
    except BackupctlError as error:
        message = "; ".join(filter(None, (error.message, error.hint)))
        return (*checks, Check(name="backup server", status=FAIL, message=message))
    found = any(path[-1].lower() == system.lower() for path in systems)
    message = f"this host can read {system}" if found else f"no archive folder of {appliance.name} there yet ({system})"
    return (*checks, Check(name="backup server", status=OK if found else WARNING, message=message))


def read_identity(targets: TargetConnections, location: Location) -> Task[ServerIdentity]:
    """Return what the server of a location presents, which is read once in a run.

    Raises what ``access_without_login`` and ``TargetConnections.use`` raise.
    """
    try:
        yield from targets.use(access_without_login(location), lambda _: None)
    except TargetIdentityError as error:
        if error.presented is None:
            raise
        return error.presented
    raise AssertionError("the server was not refused")


def _identity_checks(presented: ServerIdentity, release: str) -> Iterator[Check]:
    if presented.certificate is not None:
        yield _certificate_check(presented.certificate)
    if presented.algorithms:
        yield host_key_check(presented.algorithms, release)


def _certificate_check(certificate: Certificate) -> Check:
    days = certificate.expires_in_days
    when = "expired" if days < 0 else f"expires in {plural(days, 'day')}"
    message = f"{when} on {certificate.not_after:%Y-%m-%d}, issued by {certificate.issuer[:200]}"
    return Check(name="certificate", status=FAIL if days < 0 else WARNING if days < _SOON_DAYS else OK, message=message)


def host_key_check(algorithms: tuple[str, ...], release: str) -> Check:
    """Check that release 9 finds an ECDSA host key, which it needs.

    Source: https://knowledge.broadcom.com/external/article/437603
    """
    message = f"offered: {', '.join(algorithms)}"[:200]
    if not re.match("9|[1-9][0-9]", release) or any(each.startswith("ecdsa-sha2-") for each in algorithms):
        return Check(name="host keys", status=OK, message=message)
    reason = "release 9 needs an ECDSA host key, and the server has none (KB 437603)"
    return Check(name="host keys", status=WARNING, message=f"{reason}; {message}")
