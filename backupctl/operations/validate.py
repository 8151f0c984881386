"""Validate: check whether a backup would work, without starting one."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from msgspec import structs

from backupctl.errors import (
    ApplianceAnswerError,
    AuthorizationError,
    BackupctlError,
    BackupFailedError,
    BusyError,
    InterruptedRunError,
    NotFoundError,
    NotSupportedError,
)
from backupctl.formatting import size_of_megabytes
from backupctl.models import BackupRequest, DatabaseHealth, HealthSettings, ReturnResult, SystemVersion
from backupctl.operations import jobs
from backupctl.operations.busy_job import describe_running, hung_hint
from backupctl.operations.location_warnings import location_warnings
from backupctl.operations.parts import read_parts, total_mb
from backupctl.results.backup_results import FAIL, OK, WARNING, Check, PartSize
from backupctl.results.job import Job
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.retry import RETRY_SECONDS, retry
from backupctl.scheduler.task import Task

T = TypeVar("T")

RUNNING_JOB: Final = "running job"
"""The name of the check that says whether a backup or restore is running."""


_VALIDATION: Final = "appliance validation"
_NOT_SUPPORTED: Final = "not supported; on a vCenter HA cluster, use the active node"


def validate(appliance: Appliance, request: BackupRequest, if_running: str = "fail") -> Task[tuple[Check, ...]]:
    """Return the checks; one that cannot be made is a WARNING.

    A running job is a FAIL if ``if_running`` is ``fail``, else (``wait``, ``attach``) a WARNING.

    Raises ApplianceUnreachableError and AuthenticationError: for any request. Raises other errors: if the response to
    the validation did not come from the appliance itself.
    """
    checks, parts = yield from _common_checks(appliance, request)
    busy = yield from _running_job(appliance)
    validation: list[Check] | BusyError = [_not_validated("another backup is running")]
    if not isinstance(busy, Job):
        validation = yield from _appliance_checks(appliance, request, parts)
    if isinstance(validation, BusyError):
        busy, validation = validation, [_not_validated("another backup or restore is running")]
    return (*checks, _running_check(busy, if_running, appliance.clock.now()), _encryption_check(request), *validation)


def validate_schedule(
    appliance: Appliance, request: BackupRequest, if_running: str = "fail"
) -> Task[tuple[Check, ...]]:
    """Return the checks of the backup that running a schedule starts, as ``validate`` does.

    The appliance cannot check its location, as that needs the password, which only the schedule has.
    """
    checks, _ = yield from _common_checks(appliance, request)
    busy = yield from _running_job(appliance)
    message = "not checked: its password is only in the schedule"
    return (
        *checks,
        _running_check(busy, if_running, appliance.clock.now()),
        Check(name="backup location", status=WARNING, message=message),
    )


def refusals(appliance: Appliance, request: BackupRequest) -> Task[tuple[str, ...]]:
    """Return what the appliance says against a request; empty if it accepts the request, or cannot tell."""
    try:
        parts, _ = yield from read_parts(appliance)
        selected = request.parts or tuple(part.id for part in parts if part.selected_by_default)
        checks = yield from _appliance_checks(appliance, request, selected)
    except InterruptedRunError:
        raise
    except BackupctlError:
        return ()
    return () if isinstance(checks, BusyError) else tuple(each.message for each in checks if each.status == FAIL)


def checks_error(checks: Iterable[Check], message: str = "a backup would fail") -> BackupFailedError | None:
    """Return the error for failed checks, None if none failed."""
    names = dict.fromkeys(check.name for check in checks if check.status == FAIL)
    return BackupFailedError(f"{message}: {', '.join(names)}") if names else None


def _common_checks(appliance: Appliance, request: BackupRequest) -> Task[tuple[list[Check], tuple[str, ...]]]:
    """Return the checks that need no secret of the backup, and the ids of the parts to back up."""
    version = yield from _query(appliance, appliance.api.version)
    release = version.version if isinstance(version, SystemVersion) else ""
    parts, unreadable = yield from read_parts(appliance)
    selected = request.parts or tuple(part.id for part in parts if part.selected_by_default)
    checks = [_login_check(appliance, release)]
    checks += yield from _health_checks(appliance)
    checks += [_parts_check(parts, selected, unreadable), *location_checks(request.location_type, release)]
    checks += _location_warnings(appliance, request)
    return checks, selected


def _login_check(appliance: Appliance, release: str) -> Check:
    message = f"{appliance.user}, release {release or 'unknown'} (/{appliance.api.family})"
    return Check(name="login and rights", status=OK, message=message)


def _health_checks(appliance: Appliance) -> Task[list[Check]]:
    """Return the checks of the appliance's health; an operation that the release does not have gives no check."""
    checks = []
    supported = yield from _query(appliance, appliance.api.recovery_supported)
    if not isinstance(supported, NotSupportedError):
        checks.append(_status_check("recovery", supported, {True: OK, False: FAIL}, "supported", _NOT_SUPPORTED))
    health = yield from _query(appliance, appliance.api.system_health)
    if not isinstance(health, NotSupportedError):
        checks.append(_status_check("system health", health, {"green": OK, "gray": OK, "red": FAIL}))
    database = yield from _query(appliance, appliance.api.database_health)
    if not isinstance(database, NotSupportedError):
        settings = yield from _query(appliance, appliance.api.health_settings)
        checks.append(_database_check(database, settings))
    return checks


def _query(appliance: Appliance, request: Callable[[], T]) -> Task[T | BackupctlError]:
    """Return the response, or the error of a request that failed.

    Raises ApplianceUnreachableError and AuthenticationError: as then no other request can succeed either.
    """
    try:
        return (yield from retry(appliance, request))
    except (ApplianceAnswerError, AuthorizationError, NotFoundError) as error:
        return error


def _status_check(name: str, response: object, statuses: Mapping[object, str], *messages: str) -> Check:
    """Return the check for a response: an error, or a value that is not in ``statuses``, is a WARNING.

    ``messages`` are those of the ``statuses``, in their order; without them, the value is the message.
    """
    if isinstance(response, BackupctlError):
        return Check(name=name, status=WARNING, message=f"unknown: {response.message}")
    message = messages[list(statuses).index(response)] if messages and response in statuses else str(response)
    return Check(name=name, status=statuses.get(response, WARNING), message=message)


def _database_check(health: DatabaseHealth | BackupctlError, settings: HealthSettings | BackupctlError) -> Check:
    """Return the check of the database; bad health is a FAIL only if the appliance checks it before each backup."""
    checked = not isinstance(settings, HealthSettings) or settings.db_health_check_state_manual_backup is not False
    if isinstance(health, BackupctlError):
        return Check(name="database health", status=WARNING, message=f"unknown: {health.message}")
    texts = [message.message.text for message in health.messages or () if message.message]
    use = "checked before each backup" if checked else "not checked before backups"
    message = f"{health.status.lower()} ({use}){''.join(f'; {text}' for text in texts)}"
    status = OK if health.status == "HEALTHY" else FAIL if checked else WARNING
    return Check(name="database health", status=status, message=message)


def _running_job(appliance: Appliance) -> Task[Job | BackupctlError | None]:
    """Return the running backup, None if there is none, or the error if that is unknown."""
    try:
        return (yield from jobs.find_running(appliance, retry_seconds=RETRY_SECONDS))
    except (ApplianceAnswerError, NotFoundError) as error:
        return error


def _running_check(busy: Job | BackupctlError | None, if_running: str, now: datetime) -> Check:
    match busy:
        case None:
            return Check(name=RUNNING_JOB, status=OK, message="no backup is running")
        case Job():
            message = "; ".join(filter(None, (describe_running(busy, now), hung_hint(busy, now))))
        case BusyError():
            message = "another backup or restore is running"
        case _:
            message = f"cannot tell whether one is running: {busy.message}"
            return Check(name=RUNNING_JOB, status=WARNING, message=message)
    next_step = _NEXT_STEPS.get(if_running)
    if next_step is None:
        return Check(name=RUNNING_JOB, status=FAIL, message=message)
    return Check(name=RUNNING_JOB, status=WARNING, message=f"{message}; {next_step}")


_NEXT_STEPS: Final = {"wait": "waiting for it to finish", "attach": "following it"}
"""What a new backup does while another one is running, by --if-running; with any other value it fails."""


def location_checks(location_type: str, release: str) -> list[Check]:
    """Check whether a location type fits a release; never a FAIL, because the appliance decides.

    SFTP came with 7.0 and replaces SCP, which 6.5 and 6.7 use; NFS and SMB came with 6.7U2 (6.7.0.30000). Source:
    https://github.com/vmware/PowerCLI-Example-Scripts/issues/468 and the API reference of each release.
    """
    if not release:
        return []
    numbers = tuple(int(number) for number in re.findall(r"[0-9]{1,9}", release))
    better = {
        "SFTP": "SCP" if numbers < (7,) else None,
        "SCP": "SFTP" if numbers >= (7,) else None,
        "NFS": "SCP" if numbers < (6, 7, 0, 30000) else None,
        "SMB": "SCP" if numbers < (6, 7, 0, 30000) else None,
    }.get(location_type)
    if better is None:
        return [Check(name="location type", status=OK, message=f"{location_type} works with release {release}")]
    message = f"{location_type} may not work with release {release}; use {better}"
    return [Check(name="location type", status=WARNING, message=message)]


def _location_warnings(appliance: Appliance, request: BackupRequest) -> list[Check]:
    warnings = location_warnings(request.location, appliance.host, password=request.location_password is not None)
    return [Check(name="location", status=WARNING, message=warning) for warning in warnings]


def _encryption_check(request: BackupRequest) -> Check:
    if request.backup_password is None:
        return Check(name="encryption", status=WARNING, message="no backup password: the backup will not be encrypted")
    return Check(name="encryption", status=OK, message="backup password is valid")


def _parts_check(parts: tuple[PartSize, ...], selected: tuple[str, ...], unreadable: int) -> Check:
    """Check that the appliance has the selected parts; ``unreadable`` is the number of unreadable parts."""
    known = {part.id: part for part in parts}
    unknown = [part for part in selected if part not in known]
    if unknown:
        offered = ", ".join(known)
        note = f"; {unreadable} more cannot be read" if unreadable else ""
        message = f"not offered: {', '.join(unknown)} (offered: {offered}{note})"
        return Check(name="parts", status=WARNING if unreadable else FAIL, message=message)
    included = tuple(part for part in known.values() if part.id in selected or not part.optional)
    sizes = ", ".join(f"{part.id} {_size(part.size_mb)}" for part in included)
    warnings = ["an estimate of 0 MB points to a problem"] if any(part.size_mb == 0 for part in included) else []
    warnings += [f"{unreadable} more cannot be read"] if unreadable else []
    if warnings:
        return Check(name="parts", status=WARNING, message=f"{sizes}: {'; '.join(warnings)}")
    return Check(name="parts", status=OK, message=f"{sizes}; {_size(total_mb(included))} before compression")


def _size(megabytes: int | None) -> str:
    return "of unknown size" if megabytes is None else size_of_megabytes(megabytes)


def _appliance_checks(
    appliance: Appliance, request: BackupRequest, parts: tuple[str, ...]
) -> Task[list[Check] | BusyError]:
    """Let the appliance validate the request with these ``parts``; return BusyError if a backup or restore is running.

    Raises errors that are no decision of the appliance: uncertain and retryable ones, and those of ``_query``.
    """
    complete = structs.replace(request, parts=parts)
    try:
        response = yield from retry(appliance, partial(appliance.api.validate, complete))
    except BusyError as error:
        return error
    except NotSupportedError as error:
        return [Check(name=_VALIDATION, status=WARNING, message=error.message)]
    except ApplianceAnswerError as error:
        if not error.certain or error.retryable:
            raise
        return [Check(name=_VALIDATION, status=FAIL, message=": ".join((error.message, *error.details)))]
    return _validation_checks(response)


def _not_validated(why: str) -> Check:
    return Check(name=_VALIDATION, status=WARNING, message=f"not checked: {why}")


def _validation_checks(response: ReturnResult) -> list[Check]:
    status = response.status if response.status in {OK, WARNING, FAIL} else WARNING
    texts = [message.text for message in response.messages or ()] or [f"vCenter reports {response.status}"]
    return [Check(name=_VALIDATION, status=status, message=text) for text in texts]
